//! The convolutional code of SBAS: rate 1/2, constraint length 7, 171 and 133 octal (RTCA DO-229 section A.4.3.2),
//! and the preambles of its messages.

use megrez_signal::NavMessage;

/// Generator polynomials, the newest bit most significant.
const GENERATORS: [u8; 2] = [0o171, 0o133];
/// Preambles of L1, of 8 bits, and of L5, of 4 bits, in turn.
const PREAMBLES_L1: [u32; 3] = [0x53, 0x9a, 0xc6];
const PREAMBLES_L5: [u32; 6] = [0x5, 0xc, 0x6, 0x9, 0x3, 0xa];
/// Messages after which the preambles of both begin again.
pub(crate) const PREAMBLE_PERIOD: u64 = 6;

/// The preambles of a message in turn, and their bits.
pub(crate) fn preambles(message: NavMessage) -> (&'static [u32], usize) {
    match message {
        NavMessage::Sbas => (&PREAMBLES_L1, 8),
        _ => (&PREAMBLES_L5, 4),
    }
}

/// The two symbols (0 or 1) of the bit `bit` after the six bits in `state`, of which the newest is most significant.
pub(crate) const fn symbols(state: u8, bit: u8) -> [u8; 2] {
    let register = bit << 6 | state;
    [((register & GENERATORS[0]).count_ones() & 1) as u8, ((register & GENERATORS[1]).count_ones() & 1) as u8]
}

/// The encoder's register.
#[derive(Debug, Clone)]
pub(crate) struct Encoder(u8);

impl Encoder {
    /// The encoder after some bits.
    pub(crate) fn after(bits: &[u8]) -> Self {
        Self(bits.iter().rev().take(6).rev().fold(0, |state, &bit| bit << 5 | state >> 1))
    }

    /// The two symbols of the next bit.
    pub(crate) fn push(&mut self, bit: u8) -> [u8; 2] {
        let out = symbols(self.0, bit);
        self.0 = bit << 5 | self.0 >> 1;
        out
    }
}
