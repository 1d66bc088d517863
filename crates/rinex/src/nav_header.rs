//! The header of a navigation file.

use std::io::BufRead;

use megrez_orbit::{GnssTime, Iono, Klobuchar, TimeScale, UtcParams};

use crate::RinexError;
use crate::field::{self, Number};
use crate::input::Lines;

/// LEAP SECONDS, in GPST.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leap {
    /// GPST - UTC now.
    pub now_s: i64,
    /// After the change.
    pub future_s: i64,
    /// GPS week of the change.
    pub week: i64,
    /// Day of that week, 1 to 7, at whose end the change falls.
    pub day: u8,
}

/// What the header says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub version: f64,
    /// A file of RINEX 2 that holds GLONASS records; otherwise such a file holds GPS records.
    pub glonass_only: bool,
    /// NeQuick coefficients of Galileo.
    pub nequick: Option<[f64; 3]>,
    /// Ionosphere coefficients with the hour (of BDT) they hold from, where marked.
    pub iono: Vec<(Option<u8>, Iono)>,
    /// TIME SYSTEM CORR: code, reference time, polynomial.
    pub offsets: Vec<(String, GnssTime, [f64; 3])>,
    pub leap: Option<Leap>,
    pub warnings: Vec<String>,
}

/// The two time scales of a time offset code such as "BDGP": first minus second.
pub(crate) fn scales_of(code: &str) -> Option<(TimeScale, TimeScale)> {
    Some(match code {
        "GPUT" => (TimeScale::Gpst, TimeScale::Utc),
        "BDUT" => (TimeScale::Bdt, TimeScale::Utc),
        "BDGP" => (TimeScale::Bdt, TimeScale::Gpst),
        "BDGA" => (TimeScale::Bdt, TimeScale::Gst),
        // Versions before 3.04 name Galileo's offset the other way round, with the same sense.
        "GAGP" | "GPGA" => (TimeScale::Gst, TimeScale::Gpst),
        "GAUT" => (TimeScale::Gst, TimeScale::Utc),
        // UTC stands for GLONASS time where it is the first of the two.
        "GLGP" => (TimeScale::Utc, TimeScale::Gpst),
        _ => return None,
    })
}

/// Alpha coefficients that wait for their beta line: model, mark and satellite as written, values.
type Pending = (String, String, [f64; 4]);

impl Header {
    /// Reads up to END OF HEADER.
    pub(crate) fn read(lines: &mut Lines<impl BufRead>) -> Result<Self, RinexError> {
        let first = next(lines)?.ok_or(RinexError::NotRinex)?;
        let (version, glonass_only) = version_of(&first)?;
        let mut header = Self { version, glonass_only, ..Self::default() };
        let mut pending: Vec<Pending> = Vec::new();
        loop {
            let line = next(lines)?.ok_or(RinexError::NoEndOfHeader { line: lines.count })?;
            let number = lines.count;
            let result = match field::text(&line, 60, 80) {
                "END OF HEADER" => return Ok(header),
                "IONOSPHERIC CORR" => header.iono_line(&line, &mut pending),
                "TIME SYSTEM CORR" => header.offset_line(&line),
                "LEAP SECONDS" => header.leap_line(&line),
                "ION ALPHA" => header.alpha2_line(&line, &mut pending),
                "ION BETA" => header.beta2_line(&line, &mut pending),
                "DELTA-UTC: A0,A1,T,W" => header.utc2_line(&line),
                // 3.00 drafts and some converters.
                "" if field::text(&line, 0, 80) == "END OF HEADER" => return Ok(header),
                _ => Some(()),
            };
            if result.is_none() && header.warnings.len() < 20 {
                header.warnings.push(format!("line {number}: header line not understood"));
            }
        }
    }

    /// "BDSA  4 x D12.4  mark sat".
    fn iono_line(&mut self, line: &[u8], pending: &mut Vec<Pending>) -> Option<()> {
        let code = field::text(line, 0, 4).to_string();
        let gps = match code.as_str() {
            "GPSA" | "GPSB" => true,
            "BDSA" | "BDSB" => false,
            "GAL" => {
                let [a0, a1, a2, _] = four(line, 5)?;
                self.nequick = Some([a0, a1, a2]);
                return Some(());
            }
            _ => return Some(()),
        };
        let values = four(line, 5)?;
        let mark = field::text(line, 53, 60).to_string();
        let model = code.get(..3)?.to_string();
        if code.ends_with('A') {
            // More than a day's worth of marks and satellites means a damaged header.
            if pending.len() < 2000 {
                pending.push((model, mark, values));
            }
            return Some(());
        }
        let found = pending
            .iter()
            .position(|(m, at, _)| *m == model && *at == mark)
            .or_else(|| pending.iter().rposition(|(m, _, _)| *m == model))?;
        let (_, _, alpha) = pending.remove(found);
        let k = Klobuchar { alpha, beta: values };
        let hour = mark.bytes().next().filter(u8::is_ascii_uppercase).map(|b| b - b'A').filter(|&h| h < 24);
        self.iono.push((hour, if gps { Iono::GpsKlobuchar(k) } else { Iono::BdsKlobuchar(k) }));
        Some(())
    }

    /// "2X 4D12.4" of RINEX 2.
    fn alpha2_line(&mut self, line: &[u8], pending: &mut Vec<Pending>) -> Option<()> {
        pending.clear();
        pending.push((String::new(), String::new(), four(line, 2)?));
        Some(())
    }

    /// The line after [`Header::alpha2_line`].
    fn beta2_line(&mut self, line: &[u8], pending: &mut Vec<Pending>) -> Option<()> {
        let (.., alpha) = pending.pop()?;
        self.iono.push((None, Iono::GpsKlobuchar(Klobuchar { alpha, beta: four(line, 2)? })));
        Some(())
    }

    /// "3X 2D19.12 2I9" of RINEX 2: offset, rate, time of week, week.
    fn utc2_line(&mut self, line: &[u8]) -> Option<()> {
        let value = |from: usize, to: usize| match field::number(line, from, to) {
            Number::Is(v) => Some(v),
            _ => None,
        };
        let (tow, week) = (value(41, 50)?, value(50, 59)?);
        let reference = GnssTime::from_gpst(week.clamp(0.0, 10_000.0) as i64, tow.clamp(-1e6, 1e7));
        self.offsets.push(("GPUT".into(), reference, [value(3, 22)?, value(22, 41)?, 0.0]));
        Some(())
    }

    /// Whether `line` is the first line of a record.
    pub(crate) fn starts_record(&self, line: &[u8]) -> bool {
        if self.version < 3.0 {
            return matches!(line, [b' ' | b'0'..=b'9', b'0'..=b'9', b' ', ..]);
        }
        match line.first() {
            Some(b'>') => true,
            Some(&first) => self.version < 4.0 && first != b' ',
            None => false,
        }
    }

    /// "GPUT D17.10 D16.9 I7 I5": offset, rate, time of week, week.
    fn offset_line(&mut self, line: &[u8]) -> Option<()> {
        let code = field::text(line, 0, 4).to_string();
        let Some((from, _)) = scales_of(&code) else { return Some(()) };
        let value = |from: usize, to: usize| match field::number(line, from, to) {
            Number::Is(v) => Some(v),
            _ => None,
        };
        let (a0, a1) = (value(5, 22)?, value(22, 38)?);
        // Blank where the message gives no reference time.
        let tow = value(38, 45).unwrap_or(0.0);
        let week = value(45, 50).unwrap_or(0.0);
        if !(0.0..10_000.0).contains(&week) || !(-1e6..1e7).contains(&tow) {
            return None;
        }
        let scale = if from == TimeScale::Bdt { TimeScale::Bdt } else { TimeScale::Gpst };
        let reference = GnssTime::from_week_tow(scale, week as i64, tow);
        self.offsets.push((code, reference, [a0, a1, 0.0]));
        Some(())
    }

    /// "I6 I6 I6 I6 A3": leap seconds now, after the change, week and day of the change, system.
    fn leap_line(&mut self, line: &[u8]) -> Option<()> {
        let value = |from: usize| match field::number(line, from, from + 6) {
            Number::Is(v) if v.abs() < 1e5 => Some(v as i64),
            _ => None,
        };
        let now_s = value(0)?;
        let future_s = value(6).unwrap_or(now_s);
        let week = value(12).unwrap_or(0);
        let day = value(18).unwrap_or(0).clamp(0, 7) as u8;
        self.leap = Some(match field::text(line, 24, 27) {
            // BDT lags by 14 s; its week 0 is GPS week 1356, and its days count from 0.
            "BDS" | "BDT" => {
                Leap { now_s: now_s + 14, future_s: future_s + 14, week: week + 1356, day: (day + 1).min(7) }
            }
            _ => Leap { now_s, future_s, week, day },
        });
        Some(())
    }

    /// The leap second part of the relation of `scale` to UTC; from the published list if the header has none.
    pub(crate) fn utc_leap(&self, scale: TimeScale, tot: GnssTime) -> UtcParams {
        let published = tot.leap_seconds();
        let leap = self.leap.unwrap_or(Leap { now_s: published, future_s: published, week: 0, day: 0 });
        let bds = scale == TimeScale::Bdt;
        let shift = if bds { 14 } else { 0 };
        UtcParams {
            scale,
            a0: 0.0,
            a1: 0.0,
            a2: 0.0,
            tot,
            leap_s: leap.now_s - shift,
            wn_lsf: leap.week - if bds { 1356 } else { 0 },
            dn: if bds { leap.day.saturating_sub(1) } else { leap.day },
            leap_future_s: leap.future_s - shift,
        }
    }
}

fn next(lines: &mut Lines<impl BufRead>) -> Result<Option<Vec<u8>>, RinexError> {
    let line = lines.count;
    lines.next().map(|line| line.map(<[u8]>::to_vec)).map_err(|source| RinexError::Read { line, source })
}

/// Four numbers of twelve columns.
fn four(line: &[u8], start: usize) -> Option<[f64; 4]> {
    let mut values = [0.0; 4];
    for (i, value) in values.iter_mut().enumerate() {
        let from = start + 12 * i;
        *value = match field::number(line, from, from + 12) {
            Number::Is(v) => v,
            _ => return None,
        };
    }
    Some(values)
}

/// Checks the first line: the version, and whether it is RINEX 2 with GLONASS records.
fn version_of(line: &[u8]) -> Result<(f64, bool), RinexError> {
    if field::text(line, 60, 80) != "RINEX VERSION / TYPE" {
        return Err(RinexError::NotRinex);
    }
    let version = match field::number(line, 0, 20) {
        Number::Is(v) if (2.0..2.2).contains(&v) || (3.0..5.0).contains(&v) => v,
        _ => return Err(RinexError::Version { found: field::text(line, 0, 20).to_string(), line: 1 }),
    };
    match field::columns(line, 20, 21) {
        b"N" => Ok((version, false)),
        b"G" if version < 3.0 => Ok((version, true)),
        _ => Err(RinexError::NotNavigation { found: field::text(line, 20, 40).to_string() }),
    }
}
