//! SBAS on L1 (RTCA DO-229 section A.4.3) and dual-frequency SBAS on L5 and B2a: messages of 250 bits a second in a
//! convolutional code.
//!
//! **Synchronisation.** Which two symbols are one bit is not known, so both ways are decoded, until one gives a
//! message: a preamble at the right place, in either polarity, and the CRC of 24 bits. Preambles alternate from
//! message to message (three of 8 bits on L1, six of 4 bits on L5). The code passes inversion on. While searching,
//! random bits pass with 1.4e-9 (L1) or, as there the preamble before must fit too, 1.4e-9 · 1/16 · 16 (L5) a bit.
//! Then messages are taken where they must be; a few failures in a row start the search again.

use std::collections::VecDeque;

use megrez_signal::{NavMessage, Sat};

use super::viterbi::{DELAY, Viterbi};
use crate::Subframe;
use crate::convolution::preambles;

/// Bits of a message.
const BITS: usize = 250;
/// Failures in a row after which the synchronisation is given up.
const MAX_FAILURES: u32 = 4;

/// One way to pair symbols.
#[derive(Debug, Clone)]
struct Phase {
    viterbi: Viterbi,
    /// The first symbol of a pair.
    first: Option<f32>,
    /// Decoded bits: a message and the preamble before it.
    bits: VecDeque<u8>,
}

/// Where messages end.
#[derive(Debug, Clone, Copy)]
struct Sync {
    phase: usize,
    /// Bits until the next message is complete.
    left: usize,
    failures: u32,
}

/// Decoder of one satellite's messages.
#[derive(Debug, Clone)]
pub(super) struct SbasDecoder {
    sat: Sat,
    message: NavMessage,
    phases: [Phase; 2],
    /// Tags of the symbols from the first one of the oldest message that can be complete.
    tags: VecDeque<u64>,
    count: u64,
    sync: Option<Sync>,
}

impl SbasDecoder {
    pub(super) fn new(sat: Sat, message: NavMessage) -> Self {
        let phase = Phase { viterbi: Viterbi::new(), first: None, bits: VecDeque::with_capacity(2 * BITS) };
        let phases = [phase.clone(), phase];
        let tags = VecDeque::with_capacity(2 * (BITS + DELAY));
        Self { sat, message, phases, tags, count: 0, sync: None }
    }

    pub(super) fn synchronised(&self) -> bool {
        self.sync.is_some()
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new(self.sat, self.message);
    }

    /// See [`super::Decoder::push`]; `soft` is finite.
    pub(super) fn push(&mut self, soft: f32, tag: u64) -> Option<Subframe> {
        if self.tags.len() == 2 * (BITS + DELAY) {
            self.tags.pop_front();
        }
        self.tags.push_back(tag);
        self.count += 1;
        let mut found = None;
        for index in 0..2 {
            // The second way skips the first symbol.
            if index == 1 && self.count == 1 {
                continue;
            }
            let phase = &mut self.phases[index];
            let Some(first) = phase.first.take() else {
                phase.first = Some(soft);
                continue;
            };
            if let Some(bit) = phase.viterbi.push(first, soft) {
                if phase.bits.len() == 2 * BITS {
                    phase.bits.pop_front();
                }
                phase.bits.push_back(bit);
                found = self.bit(index).or(found);
            }
        }
        found
    }

    /// Looks for a message that ends with the latest bit of a phase.
    fn bit(&mut self, index: usize) -> Option<Subframe> {
        let Some(mut sync) = self.sync else {
            let message = self.read(index, true)?;
            self.sync = Some(Sync { phase: index, left: BITS, failures: 0 });
            return Some(message);
        };
        if sync.phase != index {
            return None;
        }
        sync.left -= 1;
        if sync.left > 0 {
            self.sync = Some(sync);
            return None;
        }
        let message = self.read(index, false);
        let failures = if message.is_some() { 0 } else { sync.failures + 1 };
        self.sync = (failures < MAX_FAILURES).then_some(Sync { left: BITS, failures, ..sync });
        message
    }

    /// `len` bits from `start` on, most significant first.
    fn number(&self, index: usize, start: usize, len: usize) -> u32 {
        self.phases[index].bits.range(start..start + len).fold(0, |word, &bit| word << 1 | u32::from(bit))
    }

    /// The message in the latest bits; a `strict` reading asks for the preamble before it on L5.
    fn read(&self, index: usize, strict: bool) -> Option<Subframe> {
        let start = self.phases[index].bits.len().checked_sub(BITS)?;
        let (preambles, len) = preambles(self.message);
        let mask = (1 << len) - 1;
        let head = self.number(index, start, len);
        let place = |head: u32| preambles.iter().position(|&preamble| preamble == head);
        // On L5 three preambles are the inverse of the others: there the CRC tells the polarity.
        for inverted in [false, true] {
            let flip = if inverted { mask } else { 0 };
            let Some(place) = place(head ^ flip) else { continue };
            if strict && len == 4 {
                let before = preambles.get((place + preambles.len() - 1) % preambles.len())?;
                let fits = start >= BITS && self.number(index, start - BITS, len) ^ flip == *before;
                if !fits {
                    continue;
                }
            }
            let word = |from: usize| {
                let len = (BITS - from).min(30);
                let bits = self.number(index, start + from, len) ^ if inverted { (1 << len) - 1 } else { 0 };
                bits << (30 - len)
            };
            let words: Vec<u32> = (0..BITS).step_by(30).map(word).collect();
            let tag = self.tags.front().copied()?;
            if let Some(message) = Subframe::from_message(self.sat, self.message, tag, &words) {
                return Some(Subframe { inverted, ..message });
            }
        }
        None
    }
}
