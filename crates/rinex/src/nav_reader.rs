//! Navigation files.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::path::Path;

use megrez_orbit::{Ephemeris, GnssTime, NavData, TimeOffset, TimeScale, UtcParams};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::RinexError;
use crate::field;
use crate::input::Lines;
use crate::nav_header::{Header, scales_of};
use crate::nav_record::Record;

/// What a navigation file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NavFile {
    /// RINEX version.
    pub version: f64,
    /// Contents.
    pub nav: NavData,
    /// Records used.
    pub records: usize,
    /// Records used by kind: "GPS LNAV", "BDS D1", "BDS D2", "BDS B-CNAV1", "ionosphere", "time offset".
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
/// Lines kept of one record: the longest known has 11.
const MAX_RECORD: usize = 16;

/// Reads a navigation file, plain or gzip.
///
/// Records that are used: GPS LNAV, BDS D1, D2 and B-CNAV1 ephemerides, ionosphere coefficients, time
/// offsets, leap seconds. Others are counted in [`NavFile::skipped`]; damaged ones give a warning.
pub fn read_nav(path: &Path) -> Result<NavFile, RinexError> {
    let file =
        std::fs::File::open(path).map_err(|source| RinexError::Open { path: path.to_path_buf(), source })?;
    read_nav_from(file)
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
    };

    let version4 = header.version >= 4.0;
    let mut record = Record::default();
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line.to_vec(),
            Ok(None) => break,
            Err(error) => {
                // What was read is good; the record that was cut is not.
                reader.warn(format!("line {}: the file breaks off: {error}", lines.count));
                record.lines.clear();
                break;
            }
        };
        let starts = line.first().is_some_and(|&b| if version4 { b == b'>' } else { b != b' ' });
        if starts {
            reader.take(version4, &record);
            record = Record { first_line: lines.count, lines: vec![line] };
        } else if line.is_empty() {
            // Blank lines carry nothing, except within a record, where a line of blank fields may stand.
            if !record.lines.is_empty() && record.lines.len() < MAX_RECORD {
                record.lines.push(line);
            }
        } else if record.lines.is_empty() {
            reader.warn(format!("line {}: belongs to no record", lines.count));
        } else if record.lines.len() < MAX_RECORD {
            record.lines.push(line);
        }
    }
    reader.take(version4, &record);
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
    fn take(&mut self, version4: bool, record: &Record) {
        let Some(head) = record.lines.first() else { return };
        let result = if version4 { self.take4(record, head) } else { self.take3(record, head) };
        match result {
            Ok(Some(kind)) => {
                self.file.records += 1;
                *self.file.kinds.entry(kind).or_default() += 1;
            }
            Ok(None) => self.file.skipped += 1,
            Err(warning) => self.warn(warning),
        }
    }

    /// A record of RINEX 3: satellite and clock on the first line, the message follows from the satellite.
    fn take3(&mut self, record: &Record, head: &[u8]) -> Result<Option<&'static str>, String> {
        let sat = satellite(field::text(head, 0, 3), record.first_line)?;
        let message = match sat.constellation {
            Constellation::Gps => NavMessage::Lnav,
            Constellation::Bds if sat.is_bds_geo() => NavMessage::D2,
            Constellation::Bds => NavMessage::D1,
            _ => return Ok(None),
        };
        self.ephemeris(record, 0, sat, message)
    }

    /// A record of RINEX 4: "> EPH C19 CNV1" on the first line.
    fn take4(&mut self, record: &Record, head: &[u8]) -> Result<Option<&'static str>, String> {
        let line = record.first_line;
        let head = String::from_utf8_lossy(head);
        let mut words = head.trim_start_matches('>').split_ascii_whitespace();
        let (Some(kind), Some(source), Some(message)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("line {line}: no record type, satellite and message after \">\""));
        };
        // Some STO records name the system only: "R".
        let system = source.chars().next().and_then(Constellation::from_letter);
        match (kind, message) {
            ("EPH", "CNV1" | "D1" | "D2" | "LNAV") => {
                let sat = satellite(source, line)?;
                let message = match (sat.constellation, message) {
                    (Constellation::Gps, "LNAV") => NavMessage::Lnav,
                    (Constellation::Bds, "D1") => NavMessage::D1,
                    (Constellation::Bds, "D2") => NavMessage::D2,
                    (Constellation::Bds, "CNV1") => NavMessage::Cnav1,
                    _ => return Ok(None),
                };
                self.ephemeris(record, 1, sat, message)
            }
            // The BDS-3 trial satellites send coefficients that differ from those of all others.
            ("ION", _) if matches!(source, "C56" | "C57" | "C58") => Ok(None),
            ("ION", "LNAV" | "CNVX" | "D1D2") => {
                let (t, iono) = match (system, message) {
                    (Some(Constellation::Gps), _) => record.klobuchar(TimeScale::Gpst)?,
                    (Some(Constellation::Bds), "D1D2") => record.klobuchar(TimeScale::Bdt)?,
                    (Some(Constellation::Bds), "CNVX") => record.bdgim()?,
                    _ => return Ok(None),
                };
                self.file.nav.insert_iono(t, iono);
                Ok(Some("ionosphere"))
            }
            ("STO", _) => {
                let scale = match system {
                    Some(Constellation::Bds) => TimeScale::Bdt,
                    Some(Constellation::Gps | Constellation::Galileo) => TimeScale::Gpst,
                    _ => return Ok(None),
                };
                let (code, t, a) = record.time_offset(scale)?;
                Ok(self.time_offset(&code, t, a).then_some("time offset"))
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
        let k = record.ephemeris(at, sat, message)?;
        let (week, tow) = k.toc.bdt();
        *self.days.entry(week * 7 + (tow / 86_400.0) as i64).or_default() += 1;
        // The same elements may come again with other integrity flags, which are not kept.
        self.file.nav.insert(Ephemeris::from(k));
        Ok(Some(match message {
            NavMessage::D1 => "BDS D1",
            NavMessage::D2 => "BDS D2",
            NavMessage::Cnav1 => "BDS B-CNAV1",
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
