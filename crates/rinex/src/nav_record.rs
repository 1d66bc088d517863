//! One record of a navigation file.

use megrez_orbit::{
    Bdgim, DatedIono, EarthOrientation, Ecef, Ephemeris, GlonassEphemeris, GnssTime, Iono, KeplerEphemeris,
    Klobuchar, TimeScale,
};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::field::{self, Number};
use crate::nav_rows::{Value, rows};

/// A record's lines as read, without line ends.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Line number of the first line in the file.
    pub first_line: usize,
    /// Whether the columns are those of RINEX 2, one to the left, with two digits of the year.
    pub rinex2: bool,
    text: Vec<u8>,
    /// Where lines end in the text.
    ends: Vec<usize>,
}

/// Values from here up mean "unknown" (RINEX writes .9999E+09 or .999999999999E+09).
const UNKNOWN: f64 = 9.9e8;
/// Lines kept of one record: the longest known has 11.
const MAX_LINES: usize = 16;
/// Seconds of a day and of a week.
const DAY_S: f64 = 86_400.0;
const WEEK_S: f64 = 604_800.0;

impl Record {
    /// No record, of files of RINEX 2 or later ones.
    pub(crate) fn new(rinex2: bool) -> Self {
        Self { rinex2, ..Self::default() }
    }

    /// Starts anew with the record at line `first_line` of the file.
    pub(crate) fn start(&mut self, first_line: usize, line: &[u8]) {
        self.clear();
        self.first_line = first_line;
        self.push(line);
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a line, unless there are more than any record has.
    pub(crate) fn push(&mut self, line: &[u8]) {
        if self.ends.len() < MAX_LINES {
            self.text.extend_from_slice(line);
            self.ends.push(self.text.len());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) fn line(&self, index: usize) -> &[u8] {
        let end = self.ends.get(index).copied().unwrap_or(0);
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end).unwrap_or_default()
    }

    /// Value `column` (from 0) of line `index`.
    fn value(&self, index: usize, column: usize) -> Number {
        let from = if self.rinex2 { 3 } else { 4 } + 19 * column;
        field::number(self.line(index), from, from + 19)
    }

    /// A value that must be there.
    fn required(&self, index: usize, column: usize) -> Result<f64, String> {
        match self.value(index, column) {
            Number::Is(v) => Ok(v),
            Number::Blank => Err(format!("value {} is missing", column + 1)),
            Number::Bad => Err(format!("value {} is not a number", column + 1)),
        }
        .map_err(|what| format!("line {}: {what}", self.first_line + index))
    }

    /// A value that may be blank or marked unknown.
    fn optional(&self, index: usize, column: usize) -> Result<Option<f64>, String> {
        match self.value(index, column) {
            Number::Is(v) if v.abs() < UNKNOWN => Ok(Some(v)),
            Number::Is(_) | Number::Blank => Ok(None),
            Number::Bad => {
                Err(format!("line {}: value {} is not a number", self.first_line + index, column + 1))
            }
        }
    }

    /// Date and time at the start of line `index`.
    fn date(&self, index: usize, scale: TimeScale) -> Result<GnssTime, String> {
        let line = self.line(index);
        let date =
            if self.rinex2 { field::date2(line, 2, 22, scale) } else { field::date(line, 4, 23, scale) };
        date.ok_or_else(|| format!("line {}: no date and time", self.first_line + index))
    }

    /// Lines up to the last one that is not blank. An error if there are not as many as `expected`: a line lost or
    /// doubled would shift every value after it.
    fn check_lines(&self, sat: Sat, expected: impl Fn(usize) -> bool) -> Result<(), String> {
        let filled = (0..self.ends.len()).rposition(|i| !self.line(i).is_empty()).map_or(0, |last| last + 1);
        // The last line of a record may be blank.
        if (filled..=self.ends.len()).any(&expected) {
            return Ok(());
        }
        let wanted = (filled..MAX_LINES).find(|&n| expected(n)).or((0..MAX_LINES).find(|&n| expected(n)));
        Err(format!(
            "line {}: {sat}: the record has {} lines, not {}",
            self.first_line,
            self.ends.len(),
            wanted.unwrap_or(0)
        ))
    }

    /// Reads the ephemeris whose satellite and clock are on line `at` (0, or 1 after a RINEX 4 head line). None for
    /// messages that are not used.
    pub(crate) fn ephemeris(&self, at: usize, sat: Sat, message: NavMessage) -> Result<Ephemeris, String> {
        let ephemeris = if message == NavMessage::Fdma {
            Ephemeris::Glonass(self.glonass(at, sat)?)
        } else {
            Ephemeris::Kepler(self.kepler(at, sat, message)?)
        };
        if ephemeris.plausible() {
            Ok(ephemeris)
        } else {
            Err(format!("line {}: {sat}: the elements describe no orbit", self.first_line + at))
        }
    }

    fn kepler(&self, at: usize, sat: Sat, message: NavMessage) -> Result<KeplerEphemeris, String> {
        let scale = TimeScale::of(sat.constellation);
        let count = at + 1 + rows(message).count();
        self.check_lines(sat, |n| n == count)?;
        let toc = self.date(at, scale)?;
        let clock = [self.required(at, 1)?, self.required(at, 2)?, self.required(at, 3)?];
        let mut k = KeplerEphemeris { clock, ..KeplerEphemeris::blank(sat, message, toc, toc) };
        for (row, index) in rows(message).zip(at + 1..) {
            for (column, value) in row.iter().enumerate() {
                let number = match value {
                    Value::Blank | Value::Zero => continue,
                    v if v.required() => Some(self.required(index, column)?),
                    _ => self.optional(index, column)?,
                };
                if !value.set(&mut k, number) {
                    let (line, number) = (self.first_line + index, number.unwrap_or_default());
                    return Err(format!(
                        "line {line}: value {} is {number}, not a small whole number",
                        column + 1
                    ));
                }
            }
        }
        Ok(k)
    }

    /// RINEX 3.05 table A10, RINEX 2.11 table A11.
    fn glonass(&self, at: usize, sat: Sat) -> Result<GlonassEphemeris, String> {
        // Since 3.05 there is a line more.
        self.check_lines(sat, |n| n == at + 4 || n == at + 5)?;
        let toe = self.date(at, TimeScale::Utc)?;
        let vector = |column: usize| -> Result<Ecef, String> {
            let v = |row: usize| self.required(at + row, column).map(|km| km * 1000.0);
            Ok(Ecef::new(v(1)?, v(2)?, v(3)?))
        };
        let small = |row: usize, column: usize, least: f64, most: f64| -> Result<Option<f64>, String> {
            let value = self.optional(at + row, column)?;
            match value {
                Some(v) if !(least..=most).contains(&v) || v.fract() != 0.0 => Err(format!(
                    "line {}: value {} is {v}, not a small whole number",
                    self.first_line + at + row,
                    column + 1
                )),
                _ => Ok(value),
            }
        };
        let transmit = self.optional(at, 3)?.map(|sent| {
            // Seconds of the week, of the day in RINEX 2, of UTC.
            let period = if self.rinex2 { DAY_S } else { WEEK_S };
            let (_, here) = toe.week_tow(TimeScale::Utc);
            let dt = (sent - here).rem_euclid(period);
            toe + if dt > period / 2.0 { dt - period } else { dt }
        });
        Ok(GlonassEphemeris {
            sat,
            toe,
            transmit,
            position: vector(0)?,
            velocity: vector(1)?,
            acceleration: vector(2)?,
            tau_n: -self.required(at, 1)?,
            gamma_n: self.required(at, 2)?,
            channel: small(2, 3, -128.0, 127.0)?.unwrap_or(0.0) as i8,
            age_days: small(3, 3, 0.0, 255.0)?.unwrap_or(0.0) as u8,
            health: small(1, 3, 0.0, 255.0)?.unwrap_or(255.0) as u8,
            status: small(4, 0, 0.0, 65_535.0)?.map(|v| v as u16),
            delta_tau: self.optional(at + 4, 1)?,
            accuracy: small(4, 2, 0.0, 255.0)?.map(|v| v as u8),
            health_flags: small(4, 3, 0.0, 255.0)?.map(|v| v as u8),
        })
    }

    /// Coefficients of a RINEX 4 ION record from its second line on: three values after the date, then four a line.
    fn coefficients<const N: usize>(&self) -> Result<[f64; N], String> {
        let mut all = [0.0; N];
        for (i, c) in all.iter_mut().enumerate() {
            *c = if i < 3 { self.required(1, i + 1)? } else { self.required(2 + (i - 3) / 4, (i - 3) % 4)? };
        }
        Ok(all)
    }

    /// Reads a RINEX 4 ION record of eight coefficients.
    pub(crate) fn klobuchar(&self, sat: Option<Sat>, scale: TimeScale) -> Result<DatedIono, String> {
        let time = self.date(1, scale)?;
        let [a0, a1, a2, a3, b0, b1, b2, b3] = self.coefficients()?;
        let k = Klobuchar { alpha: [a0, a1, a2, a3], beta: [b0, b1, b2, b3] };
        let iono = if scale == TimeScale::Bdt { Iono::BdsKlobuchar(k) } else { Iono::GpsKlobuchar(k) };
        Ok(DatedIono { time, sat, iono })
    }

    /// Reads a RINEX 4 ION record of BDGIM.
    pub(crate) fn bdgim(&self, sat: Option<Sat>) -> Result<DatedIono, String> {
        let time = self.date(1, TimeScale::Bdt)?;
        Ok(DatedIono { time, sat, iono: Iono::Bdgim(Bdgim { alpha: self.coefficients()? }) })
    }

    /// Reads a RINEX 4 ION record of NeQuick.
    pub(crate) fn nequick(&self) -> Result<(GnssTime, [f64; 3]), String> {
        Ok((self.date(1, TimeScale::Gpst)?, self.coefficients()?))
    }

    /// Reads a RINEX 4 STO record: code ("BDGP"), reference time, a0, a1, a2.
    pub(crate) fn time_offset(&self, scale: TimeScale) -> Result<(String, GnssTime, [f64; 3]), String> {
        let t = self.date(1, scale)?;
        let code = field::text(self.line(1), 24, 42).to_string();
        let a = [self.required(2, 1)?, self.required(2, 2)?, self.required(2, 3)?];
        Ok((code, t, a))
    }

    /// Reads a RINEX 4 EOP record. Accelerations, which no system sends, are left out.
    pub(crate) fn earth_orientation(&self, scale: TimeScale) -> Result<EarthOrientation, String> {
        Ok(EarthOrientation {
            reference: self.date(1, scale)?,
            pole_x: [self.required(1, 1)?, self.required(1, 2)?],
            pole_y: [self.required(2, 1)?, self.required(2, 2)?],
            dut1: [self.required(3, 1)?, self.required(3, 2)?],
        })
    }

    /// The message of a RINEX 3 record of Galileo, from its data sources: bit 1 and bit 8 (clock of E1 and E5a) are
    /// F/NAV.
    pub(crate) fn galileo_message(&self) -> NavMessage {
        match self.value(5, 1) {
            Number::Is(sources) if (sources as u32) & 0x102 != 0 && (sources as u32) & 0x205 == 0 => {
                NavMessage::Fnav
            }
            _ => NavMessage::Inav,
        }
    }
}

/// The message of a satellite's record in RINEX 2 and 3, where it follows from the satellite. None if not used.
pub(crate) fn message_of(sat: Sat, record: &Record) -> Option<NavMessage> {
    Some(match sat.constellation {
        Constellation::Gps | Constellation::Qzss => NavMessage::Lnav,
        Constellation::Galileo => record.galileo_message(),
        Constellation::Glonass => NavMessage::Fdma,
        Constellation::Bds if sat.is_bds_geo() => NavMessage::D2,
        Constellation::Bds => NavMessage::D1,
        _ => return None,
    })
}
