use std::fmt;
use std::str::FromStr;

/// A satellite system, in the order of the RINEX letters' use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Constellation {
    /// BeiDou, letter C.
    Bds,
    /// GPS, letter G.
    Gps,
    /// Galileo, letter E.
    Galileo,
    /// GLONASS, letter R.
    Glonass,
    /// QZSS, letter J.
    Qzss,
    /// NavIC, letter I.
    Navic,
    /// SBAS, letter S.
    Sbas,
}

impl Constellation {
    /// The RINEX letter.
    pub fn letter(self) -> char {
        match self {
            Self::Bds => 'C',
            Self::Gps => 'G',
            Self::Galileo => 'E',
            Self::Glonass => 'R',
            Self::Qzss => 'J',
            Self::Navic => 'I',
            Self::Sbas => 'S',
        }
    }

    /// The system of a RINEX letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'C' => Self::Bds,
            'G' => Self::Gps,
            'E' => Self::Galileo,
            'R' => Self::Glonass,
            'J' => Self::Qzss,
            'I' => Self::Navic,
            'S' => Self::Sbas,
            _ => return None,
        })
    }
}

/// A satellite: its system and number, shown as in RINEX ("C26", "G05").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sat {
    /// The system.
    pub constellation: Constellation,
    /// Number within the system, from 1: the ranging-code number of BDS and GPS; of SBAS, that less 100.
    pub prn: u8,
}

impl Sat {
    /// BeiDou satellite `prn`.
    pub const fn bds(prn: u8) -> Self {
        Self { constellation: Constellation::Bds, prn }
    }

    /// GPS satellite `prn`.
    pub const fn gps(prn: u8) -> Self {
        Self { constellation: Constellation::Gps, prn }
    }

    /// Whether this is a BeiDou geostationary satellite, which sends D2 (PRN 1-5 and 59-63,
    /// BDS-SIS-ICD-B1I-3.0 section 5.1).
    pub const fn is_bds_geo(self) -> bool {
        matches!(self.constellation, Constellation::Bds) && matches!(self.prn, 1..=5 | 59..=63)
    }

    /// Whether this is a BeiDou-2 satellite (PRN 1-16 in the present numbering; 17 and 18 are unused).
    pub const fn is_bds2(self) -> bool {
        matches!(self.constellation, Constellation::Bds) && matches!(self.prn, 1..=16)
    }

    /// Whether this is a BeiDou-3 satellite (PRN 19 and up in the present numbering).
    pub const fn is_bds3(self) -> bool {
        matches!(self.constellation, Constellation::Bds) && self.prn > 18
    }
}

impl fmt::Display for Sat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:02}", self.constellation.letter(), self.prn)
    }
}

/// A name that is no satellite or no signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What was expected.
    pub expected: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not {}", self.found, self.expected)
    }
}

impl std::error::Error for ParseError {}

impl FromStr for Sat {
    type Err = ParseError;

    /// Reads "C26", "c26", "G5" or "G 5" (RINEX 2 and 3 pad differently).
    fn from_str(s: &str) -> Result<Self, ParseError> {
        let error = || ParseError { expected: "a satellite such as C26 or G05", found: s.to_string() };
        let mut chars = s.trim().chars();
        let letter = chars.next().ok_or_else(error)?.to_ascii_uppercase();
        let constellation = Constellation::from_letter(letter).ok_or_else(error)?;
        let digits = chars.as_str().trim_start();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        match digits.parse() {
            Ok(prn @ 1..) => Ok(Self { constellation, prn }),
            _ => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["C01", "C63", "G32", "E36", "S44"] {
            assert_eq!(name.parse::<Sat>().unwrap().to_string(), name);
        }
        assert_eq!("g5".parse::<Sat>().unwrap(), Sat::gps(5));
        assert_eq!("C 6".parse::<Sat>().unwrap(), Sat::bds(6));
    }

    #[test]
    fn wrong_names_are_refused() {
        for name in ["", "C", "26", "X01", "C0", "C-1", "C999", "Cé"] {
            assert!(name.parse::<Sat>().is_err(), "{name}");
        }
    }

    #[test]
    fn geostationary_satellites_by_number() {
        let geo: Vec<u8> = (1..=63).filter(|&p| Sat::bds(p).is_bds_geo()).collect();
        assert_eq!(geo, [1, 2, 3, 4, 5, 59, 60, 61, 62, 63]);
        assert!(!Sat::gps(1).is_bds_geo());
    }
}
