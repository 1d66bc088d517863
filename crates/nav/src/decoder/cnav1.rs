//! B-CNAV1: frames of 1800 symbols, subframe 1 by BCH words, subframes 2 and 3 interleaved and LDPC coded.
//!
//! **Synchronisation.** Every run of 72 symbols is compared with subframe 1 of the satellite: 21 symbols are
//! known, 51 are one of 200 words. Up to 13 wrong symbols make a candidate (3e-6 of random positions; 95 % of the
//! true ones where the LDPC code begins to fail).
//!
//! **The first ephemeris.** Subframe 2 stays the same for the whole hour. So the symbols received before the
//! candidate serve as those of the frame before, and subframe 2 is tried as soon as a good part of it is there, the
//! rest erased: after 10.5 s of a strong signal that holds a subframe 1, and after 18.5 s at the latest. Its CRC
//! (24 bits) decides. What came before the first frame of an hour is of another hour. Subframe 3 needs a whole
//! frame.
//!
//! **Counting.** Then frames are counted off; polarity is that of subframe 1, frame by frame.

use std::collections::VecDeque;

use megrez_signal::Sat;

use super::frames::{corrected, expected};
use super::soft::llr_scale;
use crate::bch_b1c::{FRAMES, PRN_SYMBOLS, SUBFRAME1, prn_word, soh_word, subframe1};
use crate::interleave::{INTERLEAVED, SUBFRAME2, source};
use crate::ldpc::{LdpcCode, LdpcDecoder};
use crate::subframe::{CNAV1_SUBFRAME2_WORDS, WEEK_S};
use crate::{Subframe, crc};

/// Symbols of a frame.
const FRAME: usize = SUBFRAME1 + INTERLEAVED;
/// Wrong symbols of subframe 1 of a candidate, and of its first part.
const MAX_ERRORS: u32 = 13;
const MAX_PRN_ERRORS: u32 = 6;
/// Symbols received from which subframe 2 is tried, and after how many more again.
const FIRST_TRY: usize = 1000;
const TRY_STEP: usize = 50;
/// Wrong symbols of subframe 1 from which a frame without a good subframe tells of a loss.
const LOST_ERRORS: u32 = 22;
/// Failures in a row after which the synchronisation is given up.
const MAX_FAILURES: u32 = 3;
/// Iterations of the LDPC decoder.
const ITERATIONS: u32 = 50;

/// Where a frame began.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// Number of its first symbol since the last reset, and its tag.
    symbol: u64,
    tag: u64,
    /// Frame of the hour.
    soh: u8,
    inverted: bool,
    errors: u32,
}

#[derive(Debug, Clone, Copy)]
struct Sync {
    start: Start,
    /// Time of week at which the hour of the frame begins.
    hour_s: f64,
    failures: u32,
}

/// Decoder of one satellite's frames.
#[derive(Debug, Clone)]
pub(super) struct Cnav1Decoder {
    sat: Sat,
    /// The latest frame's worth of symbols with their tags.
    symbols: VecDeque<(f32, u64)>,
    /// Symbols pushed since the last reset.
    count: u64,
    /// Hard decisions of the latest 72, the newest least significant.
    hard: u128,
    candidate: Option<Start>,
    sync: Option<Sync>,
    prn_word: u64,
    soh_words: Vec<u64>,
    second: LdpcDecoder,
    third: LdpcDecoder,
    llrs: Vec<f32>,
}

impl Cnav1Decoder {
    pub(super) fn new(sat: Sat) -> Self {
        Self {
            sat,
            symbols: VecDeque::with_capacity(FRAME),
            count: 0,
            hard: 0,
            candidate: None,
            sync: None,
            prn_word: prn_word(sat.prn),
            soh_words: (0..FRAMES).map(soh_word).collect(),
            second: LdpcDecoder::new(LdpcCode::Cnav1Subframe2),
            third: LdpcDecoder::new(LdpcCode::Cnav1Subframe3),
            llrs: Vec::with_capacity(INTERLEAVED),
        }
    }

    pub(super) fn synchronised(&self) -> bool {
        self.sync.is_some()
    }

    pub(super) fn reset(&mut self) {
        self.symbols.clear();
        self.count = 0;
        self.candidate = None;
        self.sync = None;
    }

    /// See [`super::Decoder::push`]; `soft` is finite.
    pub(super) fn push(&mut self, soft: f32, tag: u64) -> Option<Subframe> {
        if self.symbols.len() == FRAME {
            self.symbols.pop_front();
        }
        self.symbols.push_back((soft, tag));
        self.hard = (self.hard << 1 | u128::from(soft < 0.0)) & ((1 << SUBFRAME1) - 1);
        self.count += 1;
        if let Some(sync) = self.sync {
            return (self.count == sync.start.symbol + FRAME as u64).then(|| self.count_off(sync))?;
        }
        if let Some(found) = self.subframe1()
            && self.candidate.is_none_or(|old| found.errors <= old.errors)
        {
            self.candidate = Some(found);
        }
        self.try_candidate()
    }

    /// The latest 72 symbols as subframe 1, if they are near to one.
    fn subframe1(&self) -> Option<Start> {
        if self.symbols.len() < SUBFRAME1 {
            return None;
        }
        let head = (self.hard >> (SUBFRAME1 - PRN_SYMBOLS)) as u64;
        let errors = (head ^ self.prn_word).count_ones();
        let inverted = errors > PRN_SYMBOLS as u32 / 2;
        let prn_errors = if inverted { PRN_SYMBOLS as u32 - errors } else { errors };
        if prn_errors > MAX_PRN_ERRORS {
            return None;
        }
        let mask = (1u64 << (SUBFRAME1 - PRN_SYMBOLS)) - 1;
        let tail = (self.hard as u64 & mask) ^ if inverted { mask } else { 0 };
        let distances = self.soh_words.iter().map(|word| (word ^ tail).count_ones());
        let (soh, soh_errors) = (0..).zip(distances).min_by_key(|&(_, errors)| errors)?;
        let errors = prn_errors + soh_errors;
        let (_, tag) = *self.symbols.get(self.symbols.len() - SUBFRAME1)?;
        let symbol = self.count - SUBFRAME1 as u64;
        (errors <= MAX_ERRORS).then_some(Start { symbol, tag, soh, inverted, errors })
    }

    /// Tries subframe 2 around the candidate, with what has been received.
    fn try_candidate(&mut self) -> Option<Subframe> {
        let candidate = self.candidate?;
        let since = self.count - candidate.symbol;
        let full = since >= FRAME as u64;
        let due = self.symbols.len() >= FIRST_TRY && self.count.is_multiple_of(TRY_STEP as u64);
        if !full && !due {
            return None;
        }
        let oldest = if candidate.soh == 0 { candidate.symbol } else { 0 };
        self.gather(candidate.symbol, oldest, candidate.inverted);
        let second = self.second_words();
        if full {
            self.candidate = None;
        }
        let (tag, soh) = (candidate.tag, candidate.soh);
        let frame = if full {
            // With subframe 3, for it is a whole frame.
            let third = self.third_words();
            Subframe::from_cnav1(self.sat, tag, soh, None, &second?, &third.unwrap_or_default())
        } else {
            Subframe::from_cnav1(self.sat, tag, soh, None, &second?, &[])
        }?;
        let coded = self.llrs.get(..SUBFRAME2)?;
        let received = coded.iter().filter(|&&llr| llr != 0.0).count().max(1);
        let share = corrected(&self.second, coded) as f32 / received as f32;
        // Another satellite's frame differs in subframe 1.
        self.candidate = None;
        if !expected(candidate.errors as usize, SUBFRAME1, share) {
            return None;
        }
        let hour_s = hour(&frame)?;
        let sync = Sync { start: candidate, hour_s, failures: 0 };
        self.sync = Some(if full { self.next(sync) } else { sync });
        Some(Subframe { inverted: candidate.inverted, ..frame })
    }

    /// A frame of the synchronised path, complete.
    fn count_off(&mut self, sync: Sync) -> Option<Subframe> {
        let expected = subframe1(self.sat.prn, sync.start.soh);
        let head = self.symbols.iter().take(SUBFRAME1).zip((0..SUBFRAME1).rev());
        let (mut sum, mut errors) = (0.0, 0);
        for (&(soft, _), bit) in head {
            let one = expected >> bit & 1 == 1;
            sum += if one { -soft } else { soft };
            errors += u32::from((soft < 0.0) != one);
        }
        let inverted = sum < 0.0;
        let errors = errors.min(SUBFRAME1 as u32 - errors);
        let tag = self.symbols.front()?.1;
        self.gather(sync.start.symbol, sync.start.symbol, inverted);
        let (second, third) = (self.second_words(), self.third_words());
        let frame = Subframe::from_cnav1(
            self.sat,
            tag,
            sync.start.soh,
            Some(sync.hour_s),
            &second.unwrap_or_default(),
            &third.unwrap_or_default(),
        );
        let failures = match frame {
            Some(_) => 0,
            None => sync.failures + if errors > LOST_ERRORS { 2 } else { 1 },
        };
        let hour_s = frame.as_ref().and_then(hour).unwrap_or(sync.hour_s);
        let next = self.next(Sync { hour_s, failures, ..sync });
        self.sync = (failures < MAX_FAILURES).then_some(next);
        let frame = frame?;
        let changed = |ldpc, llrs: Option<&[f32]>, word| {
            if frame.word_good(word) { llrs.map_or(0, |llrs| corrected(ldpc, llrs)) } else { 0 }
        };
        let corrected_bits = changed(&self.second, self.llrs.get(..SUBFRAME2), 1)
            + changed(&self.third, self.llrs.get(SUBFRAME2..), CNAV1_SUBFRAME2_WORDS + 1);
        Some(Subframe { inverted, corrected_bits, ..frame })
    }

    /// The frame after that of `sync`.
    fn next(&self, sync: Sync) -> Sync {
        let soh = (sync.start.soh + 1) % FRAMES;
        let hour_s = if soh == 0 { (sync.hour_s + 3600.0) % WEEK_S } else { sync.hour_s };
        let start = Start { symbol: sync.start.symbol + FRAME as u64, soh, ..sync.start };
        Sync { start, hour_s, ..sync }
    }

    /// Log-likelihood ratios of subframes 2 and 3, of the symbols in the buffer from the symbol `oldest` on, folded
    /// into the frame that began at the symbol `start`.
    fn gather(&mut self, start: u64, oldest: u64, inverted: bool) {
        let scale = llr_scale(self.symbols.iter().map(|s| s.0)) * if inverted { -1.0 } else { 1.0 };
        self.llrs.clear();
        self.llrs.resize(INTERLEAVED, 0.0);
        let first = self.count - self.symbols.len() as u64;
        let frame = FRAME as u64;
        for (number, &(soft, _)) in (first..).zip(&self.symbols).filter(|&(number, _)| number >= oldest) {
            let place = ((number + frame - start % frame) % frame) as usize;
            if let Some(index) = place.checked_sub(SUBFRAME1)
                && let Some(llr) = self.llrs.get_mut(source(index))
            {
                *llr = soft * scale;
            }
        }
    }

    fn second_words(&mut self) -> Option<Vec<u32>> {
        words(&mut self.second, self.llrs.get(..SUBFRAME2)?)
    }

    fn third_words(&mut self) -> Option<Vec<u32>> {
        words(&mut self.third, self.llrs.get(SUBFRAME2..)?)
    }
}

/// Information of a codeword, if there is one.
fn words(ldpc: &mut LdpcDecoder, llrs: &[f32]) -> Option<Vec<u32>> {
    ldpc.decode(llrs, ITERATIONS)?;
    Some(crc::words(ldpc.symbols().get(..ldpc.code().information())?))
}

/// Time of week at which the hour of a frame begins.
fn hour(frame: &Subframe) -> Option<f64> {
    Some(frame.tow_s? - 18.0 * f64::from(frame.id))
}
