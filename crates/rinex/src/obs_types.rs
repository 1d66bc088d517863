//! What the columns of an observation file hold.

use std::fmt;

use megrez_signal::{Constellation, ObsCode};

/// A kind of measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObsKind {
    /// Pseudorange in m, letter C.
    Pseudorange,
    /// Carrier phase in cycles, letter L.
    Phase,
    /// Doppler in Hz, letter D.
    Doppler,
    /// Signal strength in dB-Hz, letter S.
    Strength,
}

/// A column: a kind of measurement of a signal, as "C2I".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObsType {
    /// What is measured.
    pub kind: ObsKind,
    /// Of which signal.
    pub code: ObsCode,
}

impl ObsKind {
    /// Every kind, in the order in which this crate writes them.
    pub const ALL: [Self; 4] = [Self::Pseudorange, Self::Phase, Self::Doppler, Self::Strength];

    /// The letter of RINEX.
    pub fn letter(self) -> char {
        match self {
            Self::Pseudorange => 'C',
            Self::Phase => 'L',
            Self::Doppler => 'D',
            Self::Strength => 'S',
        }
    }

    fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == char::from(letter))
    }
}

impl fmt::Display for ObsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.letter(), self.code)
    }
}

impl ObsType {
    /// Reads a type of RINEX 3 and 4 such as "C2I". None for pseudo-observables (X1, I2) and what is no type.
    ///
    /// What BeiDou's B1I was called in 3.02 alone (1I, 1Q, and 1X in files of that version) becomes 2I, 2Q, 2X.
    pub(crate) fn parse(text: &str, constellation: Constellation, version: f64) -> Option<Self> {
        let &[kind, band, attribute] = text.as_bytes() else { return None };
        let old = match attribute {
            b'I' | b'Q' => true,
            b'X' => (3.015..3.025).contains(&version),
            _ => false,
        };
        let band = if constellation == Constellation::Bds && band == b'1' && old { b'2' } else { band };
        Some(Self { kind: ObsKind::from_letter(kind)?, code: ObsCode::new(band, attribute)? })
    }
}

/// The pseudorange types of RINEX 2 and the codes they stand for. L, D and S of a band belong to the first of
/// these types in the list of the file; see [`Layout::rinex2`].
///
/// RINEX 2.11 table 5 does not say how a signal is tracked. C1 of GPS is C/A; P1 and P2 come from receivers that
/// work around encryption (W); C2 is L2C of either component (X). Numbers 5 to 8 are tracked as data and pilot (X).
fn rinex2_code(constellation: Constellation, kind: u8, number: u8) -> Option<ObsCode> {
    let attribute = match (constellation, kind, number) {
        (Constellation::Gps | Constellation::Qzss | Constellation::Sbas, b'C', b'1') => b'C',
        (Constellation::Gps, b'P', b'1' | b'2') => b'W',
        (Constellation::Gps | Constellation::Qzss, b'C', b'2' | b'5') => b'X',
        (Constellation::Glonass, b'C', b'1' | b'2') => b'C',
        (Constellation::Glonass, b'P', b'1' | b'2') => b'P',
        (Constellation::Galileo, b'C', b'1' | b'5'..=b'8') => b'X',
        (Constellation::Qzss, b'C', b'6') => b'X',
        (Constellation::Sbas, b'C', b'5') => b'X',
        // Not in 2.11, but in files that were converted: 1 and 2 both mean B1I.
        (Constellation::Bds, b'C', b'1') => return ObsCode::new(b'2', b'I'),
        (Constellation::Bds, b'C', b'2' | b'6' | b'7') => b'I',
        (Constellation::Bds, b'C', b'5' | b'8') => b'X',
        _ => return None,
    };
    ObsCode::new(number, attribute)
}

/// Where the measurements of one signal stand among the columns of its system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub code: ObsCode,
    /// Columns in the order of [`ObsKind::ALL`].
    pub columns: [Option<usize>; 4],
    /// The pseudorange of another signal that has a claim on the same phase, Doppler and strength (RINEX 2).
    pub rival: Option<usize>,
    /// Whether this signal has the first claim on them.
    pub first: bool,
}

/// What the columns of one system are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Columns of a satellite.
    pub columns: usize,
    /// Signals in order of their codes.
    pub slots: Vec<Slot>,
}

impl Layout {
    /// The layout of columns of RINEX 3 and 4.
    pub(crate) fn rinex3(types: &[Option<ObsType>]) -> Self {
        let mut slots: Vec<Slot> = Vec::new();
        for (column, obs_type) in types.iter().enumerate() {
            let Some(ObsType { kind, code }) = *obs_type else { continue };
            let at = slots.iter().position(|s| s.code == code).unwrap_or_else(|| {
                slots.push(Slot { code, columns: [None; 4], rival: None, first: true });
                slots.len() - 1
            });
            if let Some(place) = slots.get_mut(at).and_then(|s| s.columns.get_mut(kind as usize)) {
                // Of a column named twice, the first counts.
                place.get_or_insert(column);
            }
        }
        slots.sort_by_key(|slot| slot.code);
        Self { columns: types.len(), slots }
    }

    /// The layout of the columns of RINEX 2 for `constellation`.
    ///
    /// Where a file has two pseudoranges of a band, C2 and P2 say, they share L2, D2 and S2. These belong to C1 on
    /// band 1 and to P2 on band 2, or to the other one at epochs when that one alone has a pseudorange.
    pub(crate) fn rinex2(types: &[[u8; 2]], constellation: Constellation) -> Self {
        let column = |kind: u8, number: u8| types.iter().position(|t| *t == [kind, number]);
        let mut slots: Vec<Slot> = Vec::new();
        for number in b'1'..=b'8' {
            let order = if number == b'1' { [b'C', b'P'] } else { [b'P', b'C'] };
            let carrier = [column(b'L', number), column(b'D', number), column(b'S', number)];
            let found =
                order.map(|kind| Some((column(kind, number)?, rinex2_code(constellation, kind, number)?)));
            // Phase without any pseudorange of its band.
            let alone = || {
                carrier.iter().find_map(|c| *c)?;
                order.iter().find_map(|&kind| rinex2_code(constellation, kind, number))
            };
            let mut push = |code: ObsCode, pseudorange: Option<usize>, rival: Option<usize>, first: bool| {
                let [phase, doppler, strength] = carrier;
                if slots.iter().all(|s| s.code != code) {
                    slots.push(Slot { code, columns: [pseudorange, phase, doppler, strength], rival, first });
                }
            };
            match found {
                [Some((a, code_a)), Some((b, code_b))] => {
                    push(code_a, Some(a), Some(b), true);
                    push(code_b, Some(b), Some(a), false);
                }
                [Some((column, code)), None] | [None, Some((column, code))] => {
                    push(code, Some(column), None, true)
                }
                [None, None] => {
                    if let Some(code) = alone() {
                        push(code, None, None, true);
                    }
                }
            }
        }
        slots.sort_by_key(|slot| slot.code);
        Self { columns: types.len(), slots }
    }

    /// The types of the columns as RINEX 3 names them; a shared column by its first owner.
    pub(crate) fn types(&self) -> Vec<Option<ObsType>> {
        (0..self.columns)
            .map(|column| {
                self.slots.iter().filter(|s| s.first).chain(&self.slots).find_map(|slot| {
                    let kind = slot.columns.iter().position(|c| *c == Some(column))?;
                    Some(ObsType { kind: *ObsKind::ALL.get(kind)?, code: slot.code })
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(types: &[Option<ObsType>]) -> Vec<String> {
        types.iter().map(|t| t.map_or("-".into(), |t| t.to_string())).collect()
    }

    #[test]
    fn types_of_version_3() {
        let name = |text: &str, c, version| ObsType::parse(text, c, version).map(|t| t.to_string());
        assert_eq!(name("C1I", Constellation::Bds, 3.02).as_deref(), Some("C2I"));
        assert_eq!(name("L1X", Constellation::Bds, 3.02).as_deref(), Some("L2X"));
        assert_eq!(name("L1X", Constellation::Bds, 3.04).as_deref(), Some("L1X"));
        assert_eq!(name("C1X", Constellation::Galileo, 3.02).as_deref(), Some("C1X"));
        for none in ["X1", "X1 ", "I1C", "C1", "C1c", "", "C11"] {
            assert_eq!(name(none, Constellation::Gps, 3.04), None, "{none}");
        }
    }

    #[test]
    fn types_of_version_2() {
        let list = [*b"L1", *b"L2", *b"C1", *b"P2", *b"P1", *b"S1", *b"C2", *b"C5"];
        let gps = Layout::rinex2(&list, Constellation::Gps);
        assert_eq!(names(&gps.types()), ["L1C", "L2W", "C1C", "C2W", "C1W", "S1C", "C2X", "C5X"]);
        let codes: Vec<String> = gps.slots.iter().map(|s| s.code.to_string()).collect();
        assert_eq!(codes, ["1C", "1W", "2W", "2X", "5X"]);
        let glonass = Layout::rinex2(&list, Constellation::Glonass);
        assert_eq!(names(&glonass.types()), ["L1C", "L2P", "C1C", "C2P", "C1P", "S1C", "C2C", "-"]);
        let bds = Layout::rinex2(&[*b"C2", *b"L2", *b"L7"], Constellation::Bds);
        assert_eq!(names(&bds.types()), ["C2I", "L2I", "L7I"]);
    }
}
