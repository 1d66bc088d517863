//! The fixed columns of the body of an observation file.

use megrez_orbit::{CivilTime, GnssTime, TimeScale};
use megrez_signal::{Constellation, Sat};

use crate::field::{self, Number, decimal};

/// One column of one satellite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    /// The value; NaN if the column is blank.
    pub value: f64,
    /// Loss-of-lock indicator, a digit or a blank.
    pub lli: u8,
}

impl Cell {
    pub(crate) const BLANK: Self = Self { value: f64::NAN, lli: b' ' };
}

/// The line that opens an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Head {
    /// None where an event has no time.
    pub time: Option<GnssTime>,
    pub flag: u8,
    /// Satellites or, of events, lines that follow.
    pub count: usize,
    pub clock_offset_s: Option<f64>,
}

/// Column of the first satellite of an epoch line: of RINEX 2, and of the compressed format.
pub(crate) fn first_sat(rinex2: bool) -> usize {
    if rinex2 { 32 } else { 41 }
}

impl Head {
    /// Reads the line; none if it does not open an epoch.
    pub(crate) fn parse(line: &[u8], rinex2: bool, scale: TimeScale) -> Option<Self> {
        // RINEX 2 " yy mm dd hh mm ss.sssssss  f nnn", RINEX 3 "> yyyy mm dd hh mm ss.sssssss  f nnn".
        let (shift, start) = if rinex2 { (0, b' ') } else { (3, b'>') };
        if *line.first()? != start {
            return None;
        }
        let flag = match line.get(28 + shift)? {
            digit @ b'0'..=b'6' => digit - b'0',
            _ => return None,
        };
        let count = small(line, 29 + shift, 32 + shift)?;
        let date = field::columns(line, 1, 26 + shift);
        let time = if date.iter().all(|&b| b == b' ') { None } else { Some(instant(line, rinex2, scale)?) };
        if time.is_none() && !matches!(flag, 2..=5) {
            return None;
        }
        let clock = if rinex2 { (68, 80) } else { (41, 56) };
        let clock_offset_s = match decimal(field::columns(line, clock.0, clock.1)) {
            Number::Is(v) => Some(v),
            _ => None,
        };
        Some(Self { time, flag, count, clock_offset_s })
    }
}

/// The date and time of an epoch line.
fn instant(line: &[u8], rinex2: bool, scale: TimeScale) -> Option<GnssTime> {
    let (year, from) = if rinex2 {
        // Two digits: 80 to 99 are of the last century (RINEX 2.11 section 5.4).
        let year = small(line, 1, 3)?;
        (if year >= 80 { 1900 + year } else { 2000 + year }, 3)
    } else {
        (small(line, 2, 6)?, 6)
    };
    if line.get(from)? != &b' ' || line.get(from + 12)? != &b' ' {
        return None;
    }
    let part = |i: usize, least: usize, most: usize| {
        small(line, from + 3 * i + 1, from + 3 * i + 3)
            .filter(|v| (least..=most).contains(v))
            .map(|v| v as u8)
    };
    let (month, day, hour, minute) = (part(0, 1, 12)?, part(1, 1, 31)?, part(2, 0, 24)?, part(3, 0, 59)?);
    let Number::Is(second @ 0.0..61.0) = decimal(field::columns(line, from + 12, from + 23)) else {
        return None;
    };
    if !(1980..=2200).contains(&year) {
        return None;
    }
    Some(GnssTime::from_civil(scale, CivilTime { year: year as i32, month, day, hour, minute, second }))
}

/// A whole number of up to four digits with blanks before it; none if the columns hold anything else.
fn small(line: &[u8], from: usize, to: usize) -> Option<usize> {
    let digits = line.get(from..to)?;
    let digits = digits.get(digits.iter().position(|&b| b != b' ')?..)?;
    digits.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + usize::from(b - b'0')))
}

/// The satellite named in three bytes; a blank letter stands for `default`.
pub(crate) fn sat_of(name: &[u8], default: Option<Constellation>) -> Option<Sat> {
    let &[letter, tens, ones] = name else { return None };
    let constellation = match letter {
        b' ' => default?,
        letter => Constellation::from_letter(char::from(letter))?,
    };
    let digit = |b: u8| b.is_ascii_digit().then(|| b - b'0');
    let prn = match tens {
        b' ' => digit(ones)?,
        tens => digit(tens)? * 10 + digit(ones)?,
    };
    (prn > 0).then_some(Sat { constellation, prn })
}

/// Appends `count` cells of 16 columns from byte `start` on. False if a value is no number.
pub(crate) fn cells_of(line: &[u8], start: usize, count: usize, cells: &mut Vec<Cell>) -> bool {
    let mut good = true;
    let mut rest = line.get(start..).unwrap_or_default();
    for _ in 0..count {
        let (field, after) = rest.split_at(rest.len().min(16));
        rest = after;
        if field.is_empty() {
            cells.push(Cell::BLANK);
            continue;
        }
        let (value, flags) = field.split_at(field.len().min(14));
        let value = match decimal(value) {
            Number::Is(v) => v,
            Number::Blank => f64::NAN,
            Number::Bad => {
                good = false;
                f64::NAN
            }
        };
        cells.push(Cell { value, lli: flags.first().copied().unwrap_or(b' ') });
    }
    good
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn heads_of_both_versions() {
        let t = |year, month, day, hour, minute, second| {
            let civil = CivilTime { year, month, day, hour, minute, second };
            GnssTime::from_civil(TimeScale::Gpst, civil)
        };
        let line = b"> 2024 06 24 08 20  0.0000000  0 57      -0.123456789012";
        let head = Head::parse(line, false, TimeScale::Gpst).unwrap();
        assert_eq!(head.time, Some(t(2024, 6, 24, 8, 20, 0.0)));
        assert_eq!((head.flag, head.count, head.clock_offset_s), (0, 57, Some(-0.123456789012)));
        for (year, full) in [("05", 2005), (" 5", 2005), ("79", 2079), ("80", 1980), ("99", 1999)] {
            let line = format!(" {year}  3 24 13 10 36.0000000  0  4G12G 9G 6R21{:24} -.123456789", "");
            let head = Head::parse(line.as_bytes(), true, TimeScale::Gpst).unwrap();
            assert_eq!(head.time, Some(t(full, 3, 24, 13, 10, 36.0)));
            assert_eq!((head.count, head.clock_offset_s), (4, Some(-0.123456789)));
        }
        let event = Head::parse(b"                            4  2", true, TimeScale::Gpst).unwrap();
        assert_eq!(event, Head { time: None, flag: 4, count: 2, clock_offset_s: None });
        for bad in ["", ">", "> 2024 13 24 08 20  0.0000000  0 57", "> 2024 06 24 08 20  0.0000000  7 57"] {
            assert_eq!(Head::parse(bad.as_bytes(), false, TimeScale::Gpst), None, "{bad}");
        }
    }
}
