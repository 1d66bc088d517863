//! One record of a navigation file.

use megrez_orbit::{Bdgim, GnssTime, GroupDelays, Iono, KeplerEphemeris, Klobuchar, TimeScale};
use megrez_signal::{NavMessage, Sat};

use crate::field::{self, Number};

/// A record's lines as read, without line ends.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Line number of the first line in the file.
    pub first_line: usize,
    /// The lines.
    pub lines: Vec<Vec<u8>>,
}

/// Values from 9999E9/10 up mean "unknown" (RINEX writes .9999E+09 or 0.999999999999E+09).
const UNKNOWN: f64 = 9.9e8;

impl Record {
    fn line(&self, index: usize) -> &[u8] {
        self.lines.get(index).map_or(&[], Vec::as_slice)
    }

    /// Value `column` (from 0) of line `index`, where columns start at byte `start`.
    fn value(&self, index: usize, start: usize, column: usize) -> Number {
        let from = start + 19 * column;
        field::number(self.line(index), from, from + 19)
    }

    /// A value that must be there.
    fn required(&self, index: usize, start: usize, column: usize) -> Result<f64, String> {
        match self.value(index, start, column) {
            Number::Is(v) => Ok(v),
            Number::Blank => Err(format!("value {} is missing", column + 1)),
            Number::Bad => Err(format!("value {} is not a number", column + 1)),
        }
        .map_err(|what| format!("line {}: {what}", self.first_line + index))
    }

    /// A value that may be blank or marked unknown.
    fn optional(&self, index: usize, start: usize, column: usize) -> Result<Option<f64>, String> {
        match self.value(index, start, column) {
            Number::Is(v) if v.abs() < UNKNOWN => Ok(Some(v)),
            Number::Is(_) | Number::Blank => Ok(None),
            Number::Bad => {
                Err(format!("line {}: value {} is not a number", self.first_line + index, column + 1))
            }
        }
    }

    /// A whole number of a field that may be blank (then 0).
    fn issue(&self, index: usize, column: usize) -> Result<u16, String> {
        let value = self.optional(index, 4, column)?.unwrap_or(0.0);
        if (0.0..65_536.0).contains(&value) && value.fract() == 0.0 {
            Ok(value as u16)
        } else {
            Err(format!(
                "line {}: value {} is {value}, not a small whole number",
                self.first_line + index,
                column + 1
            ))
        }
    }

    /// Reads the ephemeris whose satellite and clock are on line `at` (0, or 1 after a RINEX 4 head line).
    pub(crate) fn ephemeris(
        &self,
        at: usize,
        sat: Sat,
        message: NavMessage,
    ) -> Result<KeplerEphemeris, String> {
        let scale = match message {
            NavMessage::Lnav => TimeScale::Gpst,
            _ => TimeScale::Bdt,
        };
        // A line lost or doubled would shift every value after it.
        let expected = at + if message == NavMessage::Cnav1 { 10 } else { 8 };
        let filled = self.lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        if self.lines.len() < expected || filled > expected {
            return Err(format!(
                "line {}: {sat}: the record has {} lines, not {expected}",
                self.first_line,
                self.lines.len()
            ));
        }
        let toc = field::date(self.line(at), 4, 23, scale)
            .ok_or_else(|| format!("line {}: no date and time", self.first_line + at))?;
        let clock = [self.required(at, 23, 0)?, self.required(at, 23, 1)?, self.required(at, 23, 2)?];
        let v = |row: usize, column: usize| self.required(at + row, 4, column);
        let maybe = |row: usize, column: usize| self.optional(at + row, 4, column);

        let cnav = message == NavMessage::Cnav1;
        let root_a = v(2, 3)?;
        // The week is the one that puts toe nearest to toc: the week field may belong to either.
        let toe = toc.nearest_tow(scale, v(3, 0)?);
        let mut k = KeplerEphemeris {
            sat,
            message,
            toe,
            toc,
            transmit: None,
            clock,
            a: root_a * root_a,
            a_dot: if cnav { v(1, 0)? } else { 0.0 },
            e: v(2, 1)?,
            i0: v(4, 0)?,
            i_dot: v(5, 0)?,
            omega0: v(3, 2)?,
            omega_dot: v(4, 3)?,
            omega: v(4, 2)?,
            m0: v(1, 3)?,
            delta_n: v(1, 2)?,
            delta_n_dot: 0.0,
            cuc: v(2, 0)?,
            cus: v(2, 2)?,
            crc: v(4, 1)?,
            crs: v(1, 1)?,
            cic: v(3, 1)?,
            cis: v(3, 3)?,
            delays: GroupDelays::default(),
            iode: 0,
            iodc: 0,
            ura_m: None,
            health: 0,
        };
        let (sent, health) = match message {
            NavMessage::Cnav1 => {
                k.delta_n_dot = v(5, 1)?;
                k.delays.isc_b1cd = maybe(7, 0)?;
                k.delays.tgd_b1cp = maybe(7, 2)?;
                k.delays.tgd_b2ap = maybe(7, 3)?;
                k.iodc = self.issue(at + 8, 3)?;
                k.iode = self.issue(at + 9, 3)?;
                (maybe(9, 0)?, maybe(8, 1)?)
            }
            NavMessage::D1 | NavMessage::D2 => {
                k.delays.tgd1 = maybe(6, 2)?;
                k.delays.tgd2 = maybe(6, 3)?;
                k.iode = self.issue(at + 1, 0)?;
                k.iodc = self.issue(at + 7, 1)?;
                k.ura_m = maybe(6, 0)?.and_then(accuracy);
                (maybe(7, 0)?, maybe(6, 1)?)
            }
            _ => {
                k.delays.tgd = maybe(6, 2)?;
                k.iode = self.issue(at + 1, 0)?;
                k.iodc = self.issue(at + 6, 3)?;
                k.ura_m = maybe(6, 0)?.and_then(accuracy);
                (maybe(7, 0)?, maybe(6, 1)?)
            }
        };
        k.transmit = sent.map(|tow| toe.nearest_tow(scale, tow));
        // A health that cannot be read is no good health.
        k.health = match health.unwrap_or(0.0) {
            h if (0.0..256.0).contains(&h) => h as u8,
            _ => u8::MAX,
        };
        if k.plausible() {
            Ok(k)
        } else {
            Err(format!("line {}: {sat}: the elements describe no orbit", self.first_line + at))
        }
    }

    /// Eight coefficients of a RINEX 4 ION record, or nine of BDGIM, from its second line on.
    fn coefficients<const N: usize>(&self) -> Result<[f64; N], String> {
        let mut all = [0.0; N];
        for (i, c) in all.iter_mut().enumerate() {
            // Three values after the date, then four a line.
            *c = if i < 3 {
                self.required(1, 23, i)?
            } else {
                self.required(2 + (i - 3) / 4, 4, (i - 3) % 4)?
            };
        }
        Ok(all)
    }

    /// Reads a RINEX 4 ION record of eight coefficients.
    pub(crate) fn klobuchar(&self, scale: TimeScale) -> Result<(GnssTime, Iono), String> {
        let t = self.iono_date(scale)?;
        let [a0, a1, a2, a3, b0, b1, b2, b3] = self.coefficients()?;
        let k = Klobuchar { alpha: [a0, a1, a2, a3], beta: [b0, b1, b2, b3] };
        Ok((t, if scale == TimeScale::Bdt { Iono::BdsKlobuchar(k) } else { Iono::GpsKlobuchar(k) }))
    }

    /// Reads a RINEX 4 ION record of BDGIM.
    pub(crate) fn bdgim(&self) -> Result<(GnssTime, Iono), String> {
        let t = self.iono_date(TimeScale::Bdt)?;
        Ok((t, Iono::Bdgim(Bdgim { alpha: self.coefficients()? })))
    }

    fn iono_date(&self, scale: TimeScale) -> Result<GnssTime, String> {
        field::date(self.line(1), 4, 23, scale)
            .ok_or_else(|| format!("line {}: no date and time", self.first_line + 1))
    }

    /// Reads a RINEX 4 STO record: code ("BDGP"), reference time, a0, a1, a2.
    pub(crate) fn time_offset(&self, scale: TimeScale) -> Result<(String, GnssTime, [f64; 3]), String> {
        let t = self.iono_date(scale)?;
        let code = field::text(self.line(1), 24, 42).to_string();
        let a = [self.required(2, 4, 1)?, self.required(2, 4, 2)?, self.required(2, 4, 3)?];
        Ok((code, t, a))
    }
}

/// A user range accuracy in m that says something; the last index of the tables means "no prediction".
fn accuracy(value: f64) -> Option<f64> {
    (value > 0.0 && value <= 6144.0).then_some(value)
}
