//! Navigation files.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::path::Path;

use megrez_orbit::{GnssTime, NavData, TimeOffset, TimeScale, UtcParams};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::RinexError;
use crate::field;
use crate::input::{self, Lines};
use crate::nav_header::{Header, scales_of};
use crate::nav_record::{Record, message_of};

/// What a navigation file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NavFile {
    /// RINEX version.
    pub version: f64,
    /// Contents.
    pub nav: NavData,
    /// Records used.
    pub records: usize,
    /// Records used by kind: "GPS LNAV", "Galileo I/NAV", "GLONASS", "BDS D1", "BDS B-CNAV1", "ionosphere",
    /// "time offset", "earth orientation" and others like them.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Records of messages and systems that are not used here.
    pub skipped: usize,
    /// Records that could not be read, with their line numbers.
    pub warnings: Vec<String>,
}

/// Warnings kept of one file; further ones are only counted.
const MAX_WARNINGS: usize = 100;
/// Bytes kept of one line: fields end at column 80.
const MAX_LINE: usize = 160;

/// Reads a navigation file of RINEX 2.10 to 2.12, 3.00 to 3.05 or 4.00 to 4.02, plain or gzip.
///
/// Records that are used: ephemerides of GPS and QZSS LNAV, Galileo I/NAV and F/NAV, GLONASS, BDS D1, D2, B-CNAV1,
/// B-CNAV2 and B-CNAV3; ionosphere coefficients, time offsets, earth orientation, leap seconds. Others are counted in
/// [`NavFile::skipped`]; damaged ones give a warning.
pub fn read_nav(path: &Path) -> Result<NavFile, RinexError> {
    read_nav_from(input::open(path)?)
}

/// Reads a navigation file, plain or gzip, from `input`; see [`read_nav`].
pub fn read_nav_from(input: impl Read) -> Result<NavFile, RinexError> {
    read_lines(Lines::unpack(input, MAX_LINE)?)
}

fn read_lines(mut lines: Lines<impl BufRead>) -> Result<NavFile, RinexError> {
    let header = Header::read(&mut lines)?;
    let mut reader = Reader {
        file: NavFile { version: header.version, warnings: header.warnings.clone(), ..NavFile::default() },
        suppressed: 0,
        utc: Vec::new(),
        days: BTreeMap::new(),
        nequick_at: None,
    };

    let mut record = Record::new(header.version < 3.0);
    loop {
        let line = match lines.next() {
            Ok(Some(_)) => lines.line(),
            Ok(None) => break,
            Err(error) => {
                // What was read is good; the record that was cut is not.
                reader.warn(format!("line {}: the file breaks off: {error}", lines.count));
                record.clear();
                break;
            }
        };
        if header.starts_record(line) {
            reader.take(&header, &record);
            record.start(lines.count, line);
        } else if !record.is_empty() {
            record.push(line);
        } else if !line.is_empty() {
            reader.warn(format!("line {}: belongs to no record", lines.count));
        }
    }
    reader.take(&header, &record);
    Ok(reader.finish(&header))
}

/// Gathers records.
struct Reader {
    file: NavFile,
    suppressed: usize,
    /// RINEX 4 relations to UTC: scale, reference, a0, a1, a2.
    utc: Vec<(TimeScale, GnssTime, [f64; 3])>,
    /// Ephemerides by day (days of BDT): the hour marks of the header belong to the day with most.
    days: BTreeMap<i64, usize>,
    /// When the NeQuick coefficients kept were sent.
    nequick_at: Option<GnssTime>,
}

impl Reader {
    fn warn(&mut self, warning: String) {
        if self.file.warnings.len() < MAX_WARNINGS {
            self.file.warnings.push(warning);
        } else {
            self.suppressed += 1;
        }
    }

    /// Uses, skips or warns about one record.
    fn take(&mut self, header: &Header, record: &Record) {
        if record.is_empty() {
            return;
        }
        let result =
            if header.version >= 4.0 { self.take4(record) } else { self.take3(record, header.glonass_only) };
        match result {
            Ok(Some(kind)) => {
                self.file.records += 1;
                *self.file.kinds.entry(kind).or_default() += 1;
            }
            Ok(None) => self.file.skipped += 1,
            Err(warning) => self.warn(warning),
        }
    }

    /// A record of RINEX 2 and 3: satellite and clock on the first line, the message follows from the satellite.
    fn take3(&mut self, record: &Record, glonass: bool) -> Result<Option<&'static str>, String> {
        let head = record.line(0);
        let sat = if record.rinex2 {
            let system = if glonass { 'R' } else { 'G' };
            satellite(&format!("{system}{}", field::text(head, 0, 2)), record.first_line)?
        } else {
            satellite(field::text(head, 0, 3), record.first_line)?
        };
        match message_of(sat, record) {
            Some(message) => self.ephemeris(record, 0, sat, message),
            None => Ok(None),
        }
    }

    /// A record of RINEX 4: "> EPH C19 CNV1" on the first line.
    fn take4(&mut self, record: &Record) -> Result<Option<&'static str>, String> {
        let line = record.first_line;
        let head = String::from_utf8_lossy(record.line(0));
        let mut words = head.trim_start_matches('>').split_ascii_whitespace();
        let (Some(kind), Some(source), Some(message)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("line {line}: no record type, satellite and message after \">\""));
        };
        // Some records name the system only: "R".
        let Some(system) = source.chars().next().and_then(Constellation::from_letter) else {
            return Ok(None);
        };
        let sat = source.parse().ok();
        let scale = match system {
            Constellation::Bds => TimeScale::Bdt,
            Constellation::Glonass => TimeScale::Utc,
            _ => TimeScale::Gpst,
        };
        match (kind, system, message) {
            ("EPH", ..) => match message_named(system, message) {
                Some(message) => self.ephemeris(record, 1, satellite(source, line)?, message),
                None => Ok(None),
            },
            // The BDS-3 trial satellites send coefficients that differ from those of all others.
            ("ION", ..) if matches!(source, "C56" | "C57" | "C58") => Ok(None),
            ("ION", Constellation::Gps, "LNAV" | "CNVX") | ("ION", Constellation::Bds, "D1D2") => {
                self.file.nav.insert_dated_iono(record.klobuchar(sat, scale)?);
                Ok(Some("ionosphere"))
            }
            ("ION", Constellation::Bds, "CNVX") => {
                self.file.nav.insert_dated_iono(record.bdgim(sat)?);
                Ok(Some("ionosphere"))
            }
            ("ION", Constellation::Galileo, "IFNV") => {
                let (t, coefficients) = record.nequick()?;
                if self.nequick_at.is_none_or(|at| t - at >= 0.0) {
                    self.nequick_at = Some(t);
                    self.file.nav.galileo_iono = Some(coefficients);
                }
                Ok(Some("ionosphere"))
            }
            (
                "STO",
                Constellation::Gps | Constellation::Galileo | Constellation::Glonass | Constellation::Bds,
                _,
            ) => {
                let (code, t, a) = record.time_offset(scale)?;
                Ok(self.time_offset(&code, t, a).then_some("time offset"))
            }
            ("EOP", Constellation::Gps | Constellation::Qzss | Constellation::Bds, _) => {
                let eop = record.earth_orientation(scale)?;
                let newest = &mut self.file.nav.earth_orientation;
                if newest.is_none_or(|old| eop.reference - old.reference >= 0.0) {
                    *newest = Some(eop);
                }
                Ok(Some("earth orientation"))
            }
            _ => Ok(None),
        }
    }

    fn ephemeris(
        &mut self,
        record: &Record,
        at: usize,
        sat: Sat,
        message: NavMessage,
    ) -> Result<Option<&'static str>, String> {
        let ephemeris = record.ephemeris(at, sat, message)?;
        let (week, tow) = ephemeris.toe().bdt();
        *self.days.entry(week * 7 + (tow / 86_400.0) as i64).or_default() += 1;
        self.file.nav.insert(ephemeris);
        Ok(Some(match (message, sat.constellation) {
            (NavMessage::D1, _) => "BDS D1",
            (NavMessage::D2, _) => "BDS D2",
            (NavMessage::Cnav1, _) => "BDS B-CNAV1",
            (NavMessage::Cnav2, _) => "BDS B-CNAV2",
            (NavMessage::Cnav3, _) => "BDS B-CNAV3",
            (NavMessage::Inav, _) => "Galileo I/NAV",
            (NavMessage::Fnav, _) => "Galileo F/NAV",
            (NavMessage::Fdma, _) => "GLONASS",
            (_, Constellation::Qzss) => "QZSS LNAV",
            _ => "GPS LNAV",
        }))
    }

    /// Keeps the offset that `code` names, if it is between scales that are used.
    fn time_offset(&mut self, code: &str, reference: GnssTime, [a0, a1, a2]: [f64; 3]) -> bool {
        match scales_of(code) {
            Some((scale, TimeScale::Utc)) => self.utc.push((scale, reference, [a0, a1, a2])),
            Some((from, to)) => {
                self.file.nav.offsets.push(TimeOffset { from, to, a0, a1, a2, reference });
            }
            None => return false,
        }
        true
    }

    /// Adds what the header says, now that the day is known.
    fn finish(mut self, header: &Header) -> NavFile {
        let day = self.days.iter().max_by_key(|(_, count)| **count).map_or(0, |(day, _)| *day);
        for (mark, iono) in &header.iono {
            match mark {
                Some(hour) => {
                    let t = GnssTime::from_bdt(day / 7, (day % 7 * 86_400 + i64::from(*hour) * 3600) as f64);
                    self.file.nav.insert_iono(t, *iono);
                }
                None => self.file.nav.set_iono(*iono),
            }
        }
        self.file.nav.galileo_iono = self.file.nav.galileo_iono.or(header.nequick);
        for (code, reference, a) in &header.offsets {
            self.time_offset(code, *reference, *a);
        }
        self.file.nav.leap_s = header.leap.map(|leap| leap.now_s);
        // The relation sent last, and of equal ones the last in the file.
        self.utc.sort_by(|(_, a, _), (_, b, _)| (*a - *b).total_cmp(&0.0));
        for (scale, tot, [a0, a1, a2]) in std::mem::take(&mut self.utc) {
            let utc = UtcParams { scale, a0, a1, a2, tot, ..header.utc_leap(scale, tot) };
            match scale {
                TimeScale::Gpst => self.file.nav.gps_utc = Some(utc),
                TimeScale::Bdt => self.file.nav.bds_utc = Some(utc),
                TimeScale::Gst => self.file.nav.galileo_utc = Some(utc),
                _ => {}
            }
        }
        if self.suppressed > 0 {
            self.file.warnings.push(format!("{} more records could not be read", self.suppressed));
        }
        self.file
    }
}

fn satellite(name: &str, line: usize) -> Result<Sat, String> {
    name.parse().map_err(|error| format!("line {line}: {error}"))
}

/// The message of an ephemeris record of RINEX 4. None if not used.
fn message_named(system: Constellation, name: &str) -> Option<NavMessage> {
    Some(match (system, name) {
        (Constellation::Gps | Constellation::Qzss, "LNAV") => NavMessage::Lnav,
        (Constellation::Galileo, "INAV") => NavMessage::Inav,
        (Constellation::Galileo, "FNAV") => NavMessage::Fnav,
        (Constellation::Glonass, "FDMA") => NavMessage::Fdma,
        (Constellation::Bds, "D1") => NavMessage::D1,
        (Constellation::Bds, "D2") => NavMessage::D2,
        (Constellation::Bds, "CNV1") => NavMessage::Cnav1,
        (Constellation::Bds, "CNV2") => NavMessage::Cnav2,
        (Constellation::Bds, "CNV3") => NavMessage::Cnav3,
        _ => return None,
    })
}
