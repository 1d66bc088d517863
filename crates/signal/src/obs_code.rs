use std::fmt;
use std::str::FromStr;

use crate::sat::{Constellation, ParseError};
use crate::signal::{ALL, SignalId};

/// What a measurement was made of, as RINEX 4 names it (table 12 to 18): the frequency band and the way of
/// tracking, without the letter of the kind of measurement ("2I" of C2I and L2I). It also names signals which
/// this program does not receive itself but which observation files hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObsCode {
    band: u8,
    attribute: u8,
}

impl ObsCode {
    /// The code of band `band` ('1' to '9') and attribute `attribute` ('A' to 'Z').
    pub const fn new(band: u8, attribute: u8) -> Option<Self> {
        if band.is_ascii_digit() && attribute.is_ascii_uppercase() {
            Some(Self { band, attribute })
        } else {
            None
        }
    }

    /// As [`ObsCode::new`], for the codes that signal definitions write down.
    pub(crate) const fn of(band: u8, attribute: u8) -> Self {
        Self { band, attribute }
    }

    /// The digit of the frequency band, '1' to '9'.
    pub const fn band(self) -> u8 {
        self.band
    }

    /// The letter of the way of tracking.
    pub const fn attribute(self) -> u8 {
        self.attribute
    }

    /// The signal of `constellation` that this program receives under this code.
    pub fn signal(self, constellation: Constellation) -> Option<SignalId> {
        ALL.iter().find(|s| s.constellation == constellation && Self::from(s.id) == self).map(|s| s.id)
    }

    /// Nominal carrier frequency in Hz of satellites of `constellation`; of GLONASS with the frequency number
    /// `glonass_channel` (-7 to 6). None if the system has no such band. RINEX 4.02 tables 12 to 18.
    pub fn carrier_hz(self, constellation: Constellation, glonass_channel: i8) -> Option<f64> {
        const L1: f64 = 1_575.42e6;
        const L5: f64 = 1_176.45e6;
        let k = f64::from(glonass_channel);
        Some(match (constellation, self.band) {
            (Constellation::Bds, b'2') => 1_561.098e6,
            // RINEX 3.02 alone called B1I 1I; 1D, 1P and 1X are B1C.
            (Constellation::Bds, b'1') if matches!(self.attribute, b'I' | b'Q') => 1_561.098e6,
            (Constellation::Bds, b'7') => 1_207.14e6,
            (Constellation::Bds, b'6') => 1_268.52e6,
            (Constellation::Bds, b'8') => 1_191.795e6,
            (Constellation::Gps | Constellation::Qzss, b'2') => 1_227.6e6,
            (Constellation::Qzss | Constellation::Galileo, b'6') => 1_278.75e6,
            (Constellation::Galileo, b'7') => 1_207.14e6,
            (Constellation::Galileo, b'8') => 1_191.795e6,
            (Constellation::Glonass, b'1') => 1_602e6 + k * 562.5e3,
            (Constellation::Glonass, b'2') => 1_246e6 + k * 437.5e3,
            (Constellation::Glonass, b'3') => 1_202.025e6,
            (Constellation::Glonass, b'4') => 1_600.995e6,
            (Constellation::Glonass, b'6') => 1_248.06e6,
            (Constellation::Navic, b'9') => 2_492.028e6,
            (Constellation::Glonass, _) => return None,
            (_, b'1') => L1,
            (_, b'5') => L5,
            _ => return None,
        })
    }

    /// A name for people: that of the signal where this program knows it ("B1I"), else the code ("2W").
    pub fn name(self, constellation: Constellation) -> String {
        self.signal(constellation).map_or_else(|| self.to_string(), |signal| signal.to_string())
    }
}

impl From<SignalId> for ObsCode {
    fn from(signal: SignalId) -> Self {
        signal.def().rinex_code
    }
}

impl fmt::Display for ObsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.band), char::from(self.attribute))
    }
}

impl fmt::Debug for ObsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObsCode({self})")
    }
}

impl FromStr for ObsCode {
    type Err = ParseError;

    /// Reads "2I".
    fn from_str(s: &str) -> Result<Self, ParseError> {
        let code = match s.as_bytes() {
            &[band, attribute] => Self::new(band, attribute),
            _ => None,
        };
        code.ok_or_else(|| ParseError { expected: "an observation code such as 2I", found: s.to_string() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_signal_has_its_carrier_and_is_found_by_its_code() {
        for signal in ALL {
            let code = ObsCode::from(signal.id);
            assert_eq!(code.carrier_hz(signal.constellation, 0), Some(signal.carrier_hz), "{}", signal.name);
            assert_eq!(code.signal(signal.constellation), Some(signal.id));
            assert_eq!(code.to_string().parse::<ObsCode>().unwrap(), code);
        }
    }

    #[test]
    fn codes_that_are_none_are_refused() {
        for text in ["", "1", "I1", "11", "1c", "1CC", "é"] {
            assert!(text.parse::<ObsCode>().is_err(), "{text}");
        }
    }

    #[test]
    fn glonass_carriers_follow_the_channel() {
        let code = ObsCode::new(b'1', b'C').unwrap();
        assert_eq!(code.carrier_hz(Constellation::Glonass, -7), Some(1_598.062_5e6));
        assert_eq!(ObsCode::new(b'7', b'I').unwrap().carrier_hz(Constellation::Glonass, 0), None);
        assert_eq!(ObsCode::new(b'2', b'W').unwrap().name(Constellation::Gps), "2W");
        assert_eq!(ObsCode::new(b'2', b'I').unwrap().name(Constellation::Bds), "B1I");
    }
}
