//! B-CNAV2, B-CNAV3 and PPP-B2b: known symbols, then one LDPC codeword, frame after frame.
//!
//! **Synchronisation.** At every position whose known symbols are right in either polarity, up to a few errors, the
//! codeword is decoded and its CRC (24 bits) checked, for B-CNAV2 the satellite too. The known symbols must then
//! have no more errors than those of the codeword suggest, so that not every satellite's frame is taken. Of random symbols 1.5e-3
//! (B-CNAV2) or 9e-4 (others) of all positions cost a decoding, and none of 1e10 is taken. Once a frame has been
//! found the next ones are decoded where they must be, whatever their known symbols; after some failures in a row
//! the search starts again. Polarity is that of the known symbols, frame by frame.

use std::collections::VecDeque;

use megrez_signal::{NavMessage, Sat};

use super::soft::llr_scale;
use crate::ldpc::LdpcDecoder;
use crate::message::Frame;
use crate::subframe::subframe_symbols;
use crate::{Subframe, crc};

/// Failures in a row after which the synchronisation is given up.
const MAX_FAILURES: u32 = 3;
/// Wrong known symbols up to which a position is tried.
const MAX_ERRORS: usize = 4;
/// Iterations of the LDPC decoder.
const ITERATIONS: u32 = 50;

/// Decoder of one satellite's frames.
#[derive(Debug, Clone)]
pub(super) struct FrameDecoder {
    sat: Sat,
    message: NavMessage,
    frame: Frame,
    /// The latest frame's worth of symbols with their tags.
    symbols: VecDeque<(f32, u64)>,
    /// Symbols of the frame being received, and failures in a row.
    sync: Option<(usize, u32)>,
    ldpc: LdpcDecoder,
    llrs: Vec<f32>,
}

impl FrameDecoder {
    pub(super) fn new(sat: Sat, message: NavMessage) -> Option<Self> {
        let frame = Frame::of(sat, message)?;
        Some(Self {
            sat,
            message,
            frame,
            symbols: VecDeque::with_capacity(subframe_symbols(message)),
            sync: None,
            ldpc: LdpcDecoder::new(frame.code),
            llrs: Vec::with_capacity(frame.code.bits()),
        })
    }

    pub(super) fn synchronised(&self) -> bool {
        self.sync.is_some()
    }

    pub(super) fn reset(&mut self) {
        self.symbols.clear();
        self.sync = None;
    }

    /// See [`super::Decoder::push`]; `soft` is finite.
    pub(super) fn push(&mut self, soft: f32, tag: u64) -> Option<Subframe> {
        let length = subframe_symbols(self.message);
        if self.symbols.len() == length {
            self.symbols.pop_front();
        }
        self.symbols.push_back((soft, tag));
        if let Some((received, failures)) = &mut self.sync {
            *received += 1;
            if *received < length {
                return None;
            }
            let failures = *failures + 1;
            let decoded = self.decode();
            self.sync = match decoded {
                Some(_) => Some((0, 0)),
                None => (failures < MAX_FAILURES).then_some((0, failures)),
            };
            return decoded;
        }
        if self.symbols.len() < length || self.errors() > MAX_ERRORS {
            return None;
        }
        let errors = self.errors();
        let decoded = self.decode()?;
        let share = decoded.corrected_bits as f32 / self.frame.code.bits() as f32;
        if !expected(errors, self.frame.known_len, share) {
            return None;
        }
        self.sync = Some((0, 0));
        Some(decoded)
    }

    /// Whether the known symbol `index` is 1.
    fn known(&self, index: usize) -> bool {
        self.frame.known >> (self.frame.known_len - 1 - index) & 1 == 1
    }

    /// Wrong known symbols in the better polarity.
    fn errors(&self) -> usize {
        let known = self.symbols.iter().take(self.frame.known_len).enumerate();
        let errors = known.filter(|&(i, &(soft, _))| (soft < 0.0) != self.known(i)).count();
        errors.min(self.frame.known_len - errors)
    }

    /// The frame in the buffer.
    fn decode(&mut self) -> Option<Subframe> {
        let known = self.symbols.iter().take(self.frame.known_len).enumerate();
        let sum: f32 = known.map(|(i, &(soft, _))| if self.known(i) { -soft } else { soft }).sum();
        let inverted = sum < 0.0;
        let scale = llr_scale(self.symbols.iter().map(|s| s.0)) * if inverted { -1.0 } else { 1.0 };
        self.llrs.clear();
        self.llrs.extend(self.symbols.iter().skip(self.frame.head).map(|s| s.0 * scale));
        self.ldpc.decode(&self.llrs, ITERATIONS)?;
        let words = crc::words(self.ldpc.symbols().get(..self.frame.code.information())?);
        let tag = self.symbols.front()?.1;
        let subframe = Subframe::from_message(self.sat, self.message, tag, &words)?;
        Some(Subframe { inverted, corrected_bits: corrected(&self.ldpc, &self.llrs), ..subframe })
    }
}

/// Whether `errors` wrong symbols of `len` are within three deviations of what the share of wrong symbols in a
/// codeword suggests.
pub(super) fn expected(errors: usize, len: usize, share: f32) -> bool {
    let mean = share * len as f32;
    errors as f32 <= mean + 3.0 * mean.sqrt() + 0.5
}

/// Bits that the decoder changed.
pub(super) fn corrected(ldpc: &LdpcDecoder, llrs: &[f32]) -> u32 {
    let bits = ldpc.symbols().iter().flat_map(|symbol| (0..6).rev().map(move |i| symbol >> i & 1 == 1));
    bits.zip(llrs).filter(|&(bit, &llr)| bit != (llr < 0.0) && llr != 0.0).count() as u32
}
