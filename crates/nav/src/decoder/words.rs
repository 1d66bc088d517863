//! Symbols to subframes: preamble search, frame synchronisation, error correction.
//!
//! **Synchronisation.** While unsynchronised, every position is tried. A window of 300 symbols is taken at once
//! (a first fix should not wait) if its preamble is right in either polarity, every word passes (LNAV: ten
//! parities, words 2 and 10 ending in 00; D1 and D2: at most one bit corrected in 19 blocks), and subframe number
//! and time of week fit each other. On random symbols that happens with a probability below 1e-17 a position.
//! What could still pass is a window shifted by whole words, in which every parity holds too and only the header
//! must be hit: 9 · 2^-7 · 2^-2 (the two bits before the word) · 2^-4 (ends 00) · 0.096 (number and time fit),
//! about 1e-4 a subframe for LNAV, and about 1e-6 for D1. But such a window also holds the true header, so a
//! window with a rival header in it is not taken at once; nor is one that fails any of the above. Such windows
//! wait for the preamble of the next subframe, in the same polarity, which leaves 5e-7 (LNAV, D2) or 5e-8 (D1)
//! a subframe searched. The first failure of a synchronisation won without a second preamble ends it.
//!
//! Once synchronised, subframes are counted off; time and number are those expected even where the header
//! fails. Two failures in a row (no preamble within one bit, or a header with another time) restart the search.
//!
//! **Half-cycle slips.** LNAV loses only the word of a slip, for its parity covers the inversion. The code of D1
//! and D2 does not: inverted blocks are codewords. So a subframe of theirs is given out at once only if nothing
//! was corrected to speak of and no symbol was weak; otherwise when the next preamble shows the same polarity.
//!
//! **False corrections.** The code of D1 and D2 takes any two errors in a block for one other. A corrected bit
//! must be one of the two least reliable of its block, or its word is marked bad: of wrong corrections 2 in 13
//! pass. LNAV words are corrected only when synchronised, and only in the least reliable bit of the word, which
//! must have less than half the mean amplitude: of words with many errors 1 in 60 passes so, about as many as
//! pass the parity by chance (1 in 64).

use std::collections::VecDeque;

use megrez_signal::{NavMessage, Sat};

use crate::subframe::{Header, SUBFRAME_SYMBOLS, TEN_WORDS, WEEK_S};
use crate::{Subframe, bch, d1d2, lnav, parity, subframe_duration_s};

/// Failures in a row after which the synchronisation is given up.
const MAX_FAILURES: u32 = 2;
/// Corrected bits with which a subframe between two right preambles is still believed.
const MAX_CORRECTED: u32 = 8;
/// A symbol weaker than this share of the mean amplitude may be the sign of a half-cycle slip.
const WEAK_SYMBOL: f32 = 0.2;

/// Decoder of D1, D2 and LNAV.
#[derive(Debug, Clone)]
pub(super) struct WordDecoder {
    sat: Sat,
    message: NavMessage,
    /// The latest symbols with their tags: a subframe and the preamble after it.
    symbols: VecDeque<(f32, u64)>,
    /// Symbols pushed since the last reset.
    count: u64,
    sync: Option<Sync>,
    /// A subframe that waits for the next preamble.
    pending: Option<Subframe>,
}

#[derive(Debug, Clone, Copy)]
struct Sync {
    /// Number of the first symbol of the subframe being received.
    start: u64,
    /// Its time of week.
    tow_s: f64,
    failures: u32,
    /// Two preambles have been seen.
    confirmed: bool,
}

/// A window of 300 symbols taken for a subframe.
struct Window {
    subframe: Subframe,
    header: Option<Header>,
    preamble_errors: u32,
    /// LNAV: words 2 and 10 end in 00.
    tails: bool,
    /// No symbol is suspiciously weak.
    steady: bool,
}

impl WordDecoder {
    /// A decoder for `message` of `sat`: D1, D2 or LNAV.
    pub(super) fn new(sat: Sat, message: NavMessage) -> Self {
        Self {
            sat,
            message,
            symbols: VecDeque::with_capacity(SUBFRAME_SYMBOLS + 16),
            count: 0,
            sync: None,
            pending: None,
        }
    }

    /// Whether the position of the subframes is known.
    pub(super) fn synchronised(&self) -> bool {
        self.sync.is_some()
    }

    /// Forgets everything received, as after a loss of the signal.
    pub(super) fn reset(&mut self) {
        self.symbols.clear();
        self.count = 0;
        self.sync = None;
        self.pending = None;
    }

    /// See [`super::Decoder::push`]; `soft` is finite.
    pub(super) fn push(&mut self, soft: f32, tag: u64) -> Option<Subframe> {
        if self.symbols.len() == SUBFRAME_SYMBOLS + self.preamble().1 {
            self.symbols.pop_front();
        }
        self.symbols.push_back((soft, tag));
        self.count += 1;
        let counted = self.sync.and_then(|sync| self.count_off(sync));
        if counted.is_some() {
            return counted;
        }
        match self.sync {
            Some(Sync { failures: 0, .. }) => None,
            _ => self.search(),
        }
    }

    /// Preamble and its length.
    fn preamble(&self) -> (u32, usize) {
        match self.message {
            NavMessage::D1 | NavMessage::D2 => (d1d2::PREAMBLE, 11),
            _ => (lnav::PREAMBLE, 8),
        }
    }

    /// `len` hard bits from the symbol `offset` of the buffer on, most significant first.
    fn bits(&self, offset: usize, len: usize) -> u32 {
        self.symbols.range(offset..offset + len).fold(0, |out, &(soft, _)| out << 1 | u32::from(soft < 0.0))
    }

    /// Wrong bits of the preamble at `offset` in its better polarity, and whether that is the inverted one.
    fn preamble_at(&self, offset: usize) -> (u32, bool) {
        let (preamble, len) = self.preamble();
        let errors = (self.bits(offset, len) ^ preamble).count_ones();
        if errors * 2 > len as u32 { (len as u32 - errors, true) } else { (errors, false) }
    }

    /// The synchronised path.
    fn count_off(&mut self, sync: Sync) -> Option<Subframe> {
        let (_, preamble_len) = self.preamble();
        if self.count == sync.start + preamble_len as u64 {
            let subframe = self.pending.take()?;
            let (errors, inverted) = self.preamble_at(self.symbols.len() - preamble_len);
            return (errors <= 1 && inverted == subframe.inverted).then_some(subframe);
        }
        if self.count != sync.start + SUBFRAME_SYMBOLS as u64 {
            return None;
        }
        let mut window = self.window(self.symbols.len() - SUBFRAME_SYMBOLS, sync.confirmed);
        let wrong_time = window.header.is_some_and(|h| (h.tow_s - sync.tow_s).abs() > 0.1);
        let good = window.subframe.good_words.count_ones();
        // A subframe with a right preamble, or one whose header has the time expected.
        let seen = window.preamble_errors <= 1 || (window.header.is_some() && good >= 5);
        let duration = subframe_duration_s(self.message);
        let next =
            Sync { start: sync.start + SUBFRAME_SYMBOLS as u64, tow_s: later(sync.tow_s, duration), ..sync };
        if wrong_time || !seen {
            let failures = sync.failures + 1;
            let lost = failures >= MAX_FAILURES || !sync.confirmed;
            self.sync = (!lost).then_some(Sync { failures, ..next });
            return None;
        }
        self.sync = Some(Sync { failures: 0, confirmed: true, ..next });
        window.subframe.tow_s = Some(sync.tow_s);
        // Frames begin at multiples of five subframes of the week in all three messages.
        window.subframe.id = ((sync.tow_s / duration).round() as u64 % 5) as u8 + 1;
        window.subframe.find_page();
        let certain = self.message == NavMessage::Lnav
            || (window.steady && window.subframe.complete() && window.subframe.corrected_bits <= 2);
        if certain {
            return Some(window.subframe);
        }
        self.pending = Some(window.subframe);
        None
    }

    /// The unsynchronised path.
    fn search(&mut self) -> Option<Subframe> {
        let (_, preamble_len) = self.preamble();
        let len = self.symbols.len();
        // With the next preamble.
        if len >= SUBFRAME_SYMBOLS + preamble_len {
            let first = len - SUBFRAME_SYMBOLS - preamble_len;
            let here = self.preamble_at(first);
            if here.0 == 0 && here == self.preamble_at(len - preamble_len) {
                let window = self.window(first, false);
                let good = window.subframe.good_words;
                let plausible = match self.message {
                    NavMessage::Lnav => good & 3 == 3,
                    _ => window.subframe.corrected_bits <= MAX_CORRECTED,
                };
                if let Some(header) = window.header.filter(|_| plausible) {
                    let start = self.count - preamble_len as u64;
                    return Some(self.begin(window, header, start, true));
                }
            }
        }
        if len >= SUBFRAME_SYMBOLS {
            let first = len - SUBFRAME_SYMBOLS;
            if self.preamble_at(first).0 == 0 {
                let window = self.window(first, false);
                let subframe = &window.subframe;
                let certain = match self.message {
                    NavMessage::Lnav => subframe.complete() && window.tails,
                    _ => subframe.complete() && subframe.corrected_bits <= 1 && window.steady,
                };
                if let Some(header) = window.header.filter(|_| certain && !self.has_rival(first)) {
                    return Some(self.begin(window, header, self.count, false));
                }
            }
        }
        None
    }

    /// Starts counting at the symbol `start`, the first one after the window.
    fn begin(&mut self, window: Window, header: Header, start: u64, confirmed: bool) -> Subframe {
        let mut subframe = window.subframe;
        subframe.tow_s = Some(header.tow_s);
        subframe.id = header.id;
        subframe.find_page();
        let tow_s = later(header.tow_s, subframe_duration_s(self.message));
        self.sync = Some(Sync { start, tow_s, failures: 0, confirmed });
        self.pending = None;
        subframe
    }

    /// Whether a header stands at a whole number of words after `first`. The last word of the window alone
    /// cannot show one; there the preamble is enough.
    fn has_rival(&self, first: usize) -> bool {
        (1..10).any(|word| {
            let offset = first + 30 * word;
            let (errors, inverted) = self.preamble_at(offset);
            errors == 0 && (word == 9 || self.header_at(offset, inverted).is_some())
        })
    }

    /// The header of the two words at `offset`, if it is plausible.
    fn header_at(&self, offset: usize, inverted: bool) -> Option<Header> {
        let flip = if inverted { 0x3fff_ffff } else { 0 };
        let raw = [self.bits(offset, 30) ^ flip, self.bits(offset + 30, 30) ^ flip];
        match self.message {
            NavMessage::D1 | NavMessage::D2 => {
                let first = raw[0] & !0x7fff | bch::correct(raw[0]).0;
                let second = bch::join(bch::deinterleave(raw[1]).map(|block| bch::correct(block).0));
                d1d2::header(self.message, &[first, second])
            }
            _ => {
                let second = parity::uninvert(raw[0], raw[1]);
                let passes = parity::syndrome(0, raw[0]) == 0 && parity::syndrome(raw[0], raw[1]) == 0;
                (passes && second & 3 == 0).then(|| lnav::header(&[raw[0], second]))?
            }
        }
    }

    /// Decodes the window that begins at symbol `first` of the buffer.
    fn window(&self, first: usize, correct: bool) -> Window {
        let (preamble_errors, inverted) = self.preamble_at(first);
        let flip = if inverted { 0x3fff_ffff } else { 0 };
        let mean = self.symbols.range(first..first + SUBFRAME_SYMBOLS).map(|s| s.0.abs()).sum::<f32>()
            / SUBFRAME_SYMBOLS as f32;
        let mut out = Window {
            subframe: Subframe {
                sat: self.sat,
                message: self.message,
                tag: self.symbols.get(first).map_or(0, |s| s.1),
                inverted,
                corrected_bits: 0,
                tow_s: None,
                id: 0,
                page: None,
                words: vec![0; 10],
                good_words: TEN_WORDS,
            },
            header: None,
            preamble_errors,
            tails: false,
            steady: self
                .symbols
                .range(first..first + SUBFRAME_SYMBOLS)
                .all(|s| s.0.abs() >= WEAK_SYMBOL * mean && s.0 != 0.0),
        };
        let lnav = self.message == NavMessage::Lnav;
        let mut previous = 0;
        for index in 0..10 {
            let offset = first + 30 * index;
            let raw = self.bits(offset, 30) ^ flip;
            let (word, corrected, good) = if lnav {
                self.lnav_word(offset, previous, raw, correct.then_some(mean))
            } else {
                self.bch_word(offset, index, raw)
            };
            out.subframe.words[index] = if lnav { parity::uninvert(previous, word) } else { word };
            out.subframe.corrected_bits += corrected;
            if !good {
                out.subframe.good_words &= !(1 << index);
            }
            previous = word & 3;
        }
        if !lnav && preamble_errors > 0 {
            // The preamble is outside the code.
            out.subframe.words[0] = d1d2::PREAMBLE << 19 | out.subframe.words[0] & 0x7_ffff;
            out.subframe.corrected_bits += preamble_errors;
            if preamble_errors > 1 {
                out.subframe.good_words &= !1;
            }
        }
        let words = &out.subframe.words;
        out.tails = words[1] & 3 == 0 && words[9] & 3 == 0;
        if out.subframe.good_words & 3 == 3 {
            out.header = if lnav { lnav::header(words) } else { d1d2::header(self.message, words) };
        }
        out
    }

    /// A transmitted LNAV word, corrected if `mean` (the mean amplitude) is given: word, corrected bits, good.
    fn lnav_word(&self, offset: usize, previous: u32, raw: u32, mean: Option<f32>) -> (u32, u32, bool) {
        if parity::syndrome(previous, raw) == 0 {
            return (raw, 0, true);
        }
        let Some((mean, bit)) = mean.zip(parity::single_error(previous, raw)) else {
            return (raw, 0, false);
        };
        let soft = |bit: u32| self.symbols.get(offset + 29 - bit as usize).map_or(0.0, |s| s.0.abs());
        let weakest = (0..30).all(|other| other == bit || soft(other) > soft(bit));
        if weakest && soft(bit) < 0.5 * mean { (raw ^ 1 << bit, 1, true) } else { (raw, 0, false) }
    }

    /// A D1 or D2 word in document order: word, corrected bits, good.
    fn bch_word(&self, offset: usize, index: usize, raw: u32) -> (u32, u32, bool) {
        // Symbol of bit `bit` of a block: the blocks of words 2 to 10 alternate, that of word 1 is its tail.
        let reliable = |block: usize, bit: u32| {
            let at = |bit: u32| {
                let symbol = if index == 0 { 29 - bit } else { 2 * (14 - bit) + block as u32 };
                self.symbols.get(offset + symbol as usize).map_or(0.0, |s| s.0.abs())
            };
            (0..15).filter(|&other| other != bit && at(other) < at(bit)).count() >= 2
        };
        let (mut corrected, mut good) = (0, true);
        let mut fix = |block: usize, bits: u32| {
            let (fixed, flipped) = bch::correct(bits);
            if let Some(bit) = flipped {
                corrected += 1;
                good &= !reliable(block, bit);
            }
            fixed
        };
        let word = if index == 0 {
            raw & !0x7fff | fix(0, raw & 0x7fff)
        } else {
            let [first, second] = bch::deinterleave(raw);
            bch::join([fix(0, first), fix(1, second)])
        };
        (word, corrected, good)
    }
}

/// Time of week `duration` after `tow_s`, kept to whole tenths so that nothing adds up.
fn later(tow_s: f64, duration: f64) -> f64 {
    ((tow_s + duration) * 10.0).round().rem_euclid(WEEK_S * 10.0) / 10.0
}
