//! Sample formats: bytes of a recording to samples and back.
//!
//! A [`SampleFormat`] names the common formats; a [`Layout`] describes any packing of a front end. An
//! [`Unpacker`] turns bytes into [`Samples`](crate::Samples), a [`Packer`] turns samples into bytes.
//!
//! | names | component | meaning |
//! |---|---|---|
//! | `cs1` `s1` | 1 bit | 1 = +1, 0 = -1 |
//! | `cs2` `s2` | 2 bits | 00 = +1, 01 = +3, 10 = -3, 11 = -1: the two's complement number c stands for 2c + 1 |
//! | `cs4` `s4` | 4 bits | two's complement, -8 to 7 |
//! | `cs8` `s8` | 8 bits | two's complement |
//! | `cu8` `u8` | 8 bits | offset binary, zero between 127 and 128 |
//! | `cs16` `s16` | 16 bits | two's complement, little endian |
//! | `cf32` `f32` | 32 bits | IEEE 754, little endian |
//!
//! A leading `c` means complex, I before Q; the others are real. Packed formats put the earliest
//! component in the most significant bits of a byte.

mod layout;
mod pack;
pub(crate) mod scale;
mod unpack;

use std::fmt;
use std::str::FromStr;

pub use layout::{BitOrder, Code, Layout, LayoutError};
pub use pack::Packer;
pub use unpack::{BadValues, Unpacker};

/// A common sample format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleFormat {
    /// Complex, 1 bit a component.
    Cs1,
    /// Complex, 2 bits a component.
    Cs2,
    /// Complex, 4 bits a component.
    Cs4,
    /// Complex signed bytes (HackRF).
    Cs8,
    /// Complex unsigned bytes (RTL-SDR).
    Cu8,
    /// Complex 16-bit integers.
    Cs16,
    /// Complex floats.
    Cf32,
    /// Real, 1 bit.
    S1,
    /// Real, 2 bits.
    S2,
    /// Real, 4 bits.
    S4,
    /// Real signed bytes.
    S8,
    /// Real unsigned bytes.
    U8,
    /// Real 16-bit integers.
    S16,
    /// Real floats.
    F32,
}

impl SampleFormat {
    /// Every format.
    pub const ALL: [Self; 14] = [
        Self::Cs1,
        Self::Cs2,
        Self::Cs4,
        Self::Cs8,
        Self::Cu8,
        Self::Cs16,
        Self::Cf32,
        Self::S1,
        Self::S2,
        Self::S4,
        Self::S8,
        Self::U8,
        Self::S16,
        Self::F32,
    ];

    /// Name in lower case, which is also the usual file extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cs1 => "cs1",
            Self::Cs2 => "cs2",
            Self::Cs4 => "cs4",
            Self::Cs8 => "cs8",
            Self::Cu8 => "cu8",
            Self::Cs16 => "cs16",
            Self::Cf32 => "cf32",
            Self::S1 => "s1",
            Self::S2 => "s2",
            Self::S4 => "s4",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::F32 => "f32",
        }
    }

    /// Whether samples are complex.
    pub fn is_complex(self) -> bool {
        matches!(self, Self::Cs1 | Self::Cs2 | Self::Cs4 | Self::Cs8 | Self::Cu8 | Self::Cs16 | Self::Cf32)
    }

    /// Bits of one component (a complex sample has two).
    pub fn bits(self) -> usize {
        match self {
            Self::Cs1 | Self::S1 => 1,
            Self::Cs2 | Self::S2 => 2,
            Self::Cs4 | Self::S4 => 4,
            Self::Cs8 | Self::Cu8 | Self::S8 | Self::U8 => 8,
            Self::Cs16 | Self::S16 => 16,
            Self::Cf32 | Self::F32 => 32,
        }
    }

    /// Bits of one sample.
    pub fn bits_per_sample(self) -> usize {
        if self.is_complex() { 2 * self.bits() } else { self.bits() }
    }

    /// The format that a file name's extension (without the dot, any case) promises.
    pub fn from_extension(extension: &str) -> Option<Self> {
        extension.parse().ok()
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no sample format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown sample format \"{0}\" (known: cs1 cs2 cs4 cs8 cu8 cs16 cf32, and real s1 s2 s4 s8 u8 s16 f32)"
)]
pub struct UnknownFormat(pub String);

impl FromStr for SampleFormat {
    type Err = UnknownFormat;

    /// Reads a name in any case.
    fn from_str(s: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(s.trim()))
            .ok_or_else(|| UnknownFormat(s.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_in_any_case() {
        for format in SampleFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert_eq!(SampleFormat::from_extension(&format.name().to_uppercase()), Some(format));
            assert_eq!(format.is_complex(), format.name().starts_with('c'));
            assert!(format.name().ends_with(&format.bits().to_string()));
        }
        assert_eq!(SampleFormat::from_extension("wav"), None);
        let error = "cs9".parse::<SampleFormat>().unwrap_err().to_string();
        assert!(error.starts_with("unknown sample format \"cs9\" (known: cs1 "), "{error}");
    }
}
