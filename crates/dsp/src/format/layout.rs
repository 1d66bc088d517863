use super::SampleFormat;

/// Which end of a word holds the earliest component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BitOrder {
    /// The most significant bits.
    #[default]
    MsbFirst,
    /// The least significant bits.
    LsbFirst,
}

/// How one component is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// A code of `bits` bits (1 to 8) standing for `map[code]`; `map` holds 2^bits values.
    Packed {
        /// Bits of a component.
        bits: u8,
        /// Value of each code.
        map: Vec<i8>,
    },
    /// A two's complement byte.
    I8,
    /// An offset binary byte.
    U8,
    /// A two's complement 16-bit integer.
    I16 {
        /// Most significant byte first.
        big_endian: bool,
    },
    /// An IEEE 754 single.
    F32 {
        /// Most significant byte first.
        big_endian: bool,
    },
}

/// How samples lie in bytes: frames of `channels` interleaved streams, each with one component (real) or
/// two (complex).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// How a component is written.
    pub code: Code,
    /// Two components a sample.
    pub complex: bool,
    /// Interleaved streams, 1 to 64.
    pub channels: usize,
    /// The stream wanted, from 0.
    pub channel: usize,
    /// Order of packed components within a word.
    pub bit_order: BitOrder,
    /// Bytes of the little-endian word in which packed components are counted: 1, 2, 4 or 8. A big-endian
    /// word with the most significant bit first is the same as single bytes.
    pub word_bytes: usize,
    /// Q is written before I.
    pub q_first: bool,
    /// The stored Q has the wrong sign, or the spectrum is inverted: samples become I - jQ.
    pub conjugate: bool,
}

/// A layout that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// Component width out of range.
    #[error("{0} bits a component are not supported (1 to 8, 16 or 32)")]
    Bits(u8),
    /// Code map of the wrong length.
    #[error("the map holds {found} values, but {bits} bits have {} codes", 1u32 << bits)]
    Map {
        /// Bits of a component.
        bits: u8,
        /// Values given.
        found: usize,
    },
    /// Number of channels out of range.
    #[error("{0} channels are not supported (1 to 64)")]
    Channels(usize),
    /// No such channel.
    #[error("channel {channel} of {channels} does not exist")]
    Channel {
        /// Channel asked for, from 1.
        channel: usize,
        /// Channels in the stream.
        channels: usize,
    },
    /// Word size not supported.
    #[error("words of {0} bytes are not supported (1, 2, 4 or 8)")]
    Word(usize),
}

impl Code {
    /// Bits of one component.
    pub fn bits(&self) -> usize {
        match self {
            Self::Packed { bits, .. } => usize::from(*bits),
            Self::I8 | Self::U8 => 8,
            Self::I16 { .. } => 16,
            Self::F32 { .. } => 32,
        }
    }

    /// The code of `bits` bits with the map of the format table: 1 bit is the sign with 1 = positive,
    /// 2 bits are 2c + 1 of the two's complement number c, wider codes are two's complement.
    pub fn packed(bits: u8) -> Result<Self, LayoutError> {
        let map = match bits {
            1 => vec![-1, 1],
            2 => vec![1, 3, -3, -1],
            3..=8 => (0..1u16 << bits).map(|code| (code << (8 - bits)) as u8 as i8 >> (8 - bits)).collect(),
            _ => return Err(LayoutError::Bits(bits)),
        };
        Ok(Self::Packed { bits, map })
    }
}

impl From<SampleFormat> for Layout {
    fn from(format: SampleFormat) -> Self {
        let packed = |map: &[i8]| Code::Packed { bits: format.bits() as u8, map: map.to_vec() };
        let code = match format {
            SampleFormat::Cs1 | SampleFormat::S1 => packed(&[-1, 1]),
            SampleFormat::Cs2 | SampleFormat::S2 => packed(&[1, 3, -3, -1]),
            SampleFormat::Cs4 | SampleFormat::S4 => {
                packed(&[0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1])
            }
            SampleFormat::Cs8 | SampleFormat::S8 => Code::I8,
            SampleFormat::Cu8 | SampleFormat::U8 => Code::U8,
            SampleFormat::Cs16 | SampleFormat::S16 => Code::I16 { big_endian: false },
            SampleFormat::Cf32 | SampleFormat::F32 => Code::F32 { big_endian: false },
        };
        Self {
            code,
            complex: format.is_complex(),
            channels: 1,
            channel: 0,
            bit_order: BitOrder::MsbFirst,
            word_bytes: 1,
            q_first: false,
            conjugate: false,
        }
    }
}

impl Layout {
    /// Components of one sample: 1 or 2.
    pub fn components(&self) -> usize {
        if self.complex { 2 } else { 1 }
    }

    /// Bits of one frame: one sample of every channel.
    pub fn frame_bits(&self) -> usize {
        self.code.bits() * self.components() * self.channels
    }

    /// Whether samples are scaled block by block (16-bit and float input).
    pub fn is_scaled(&self) -> bool {
        matches!(self.code, Code::I16 { .. } | Code::F32 { .. })
    }

    /// Whether every field is in its range.
    pub fn check(&self) -> Result<(), LayoutError> {
        if let Code::Packed { bits, map } = &self.code {
            if !(1..=8).contains(bits) {
                return Err(LayoutError::Bits(*bits));
            }
            if map.len() != 1 << bits {
                return Err(LayoutError::Map { bits: *bits, found: map.len() });
            }
        }
        if !(1..=64).contains(&self.channels) {
            return Err(LayoutError::Channels(self.channels));
        }
        if self.channel >= self.channels {
            return Err(LayoutError::Channel {
                channel: self.channel.saturating_add(1),
                channels: self.channels,
            });
        }
        if !matches!(self.word_bytes, 1 | 2 | 4 | 8) {
            return Err(LayoutError::Word(self.word_bytes));
        }
        Ok(())
    }

    /// Bits, in stream order, at which the wanted channel's I and Q (or the only component, twice) start
    /// within a frame.
    pub(super) fn positions(&self) -> (usize, usize) {
        let bits = self.code.bits();
        let first = self.channel * bits * self.components();
        let second = first + bits * (self.components() - 1);
        if self.q_first { (second, first) } else { (first, second) }
    }

    /// Bytes in which a whole number of frames and of words fits.
    pub(super) fn unit_bytes(&self) -> usize {
        let (frame, word) = (self.frame_bits(), 8 * self.word_bytes);
        let (mut a, mut b) = (frame, word);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        frame / a * word / 8
    }
}
