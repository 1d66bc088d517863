//! The header of an observation file.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use megrez_orbit::{Ecef, GnssTime, TimeScale};
use megrez_signal::{Constellation, ObsCode, Sat};

use crate::RinexError;
use crate::field::{self, Number};
use crate::input::Lines;
use crate::obs_types::{Layout, ObsType};

/// What the header of an observation file says.
#[derive(Debug, Clone, PartialEq)]
pub struct ObsFileHeader {
    /// RINEX version, for example 3.05.
    pub version: f64,
    /// The only system of the file; none if it may hold several.
    pub constellation: Option<Constellation>,
    /// Program that made the file, who ran it, and when, as written.
    pub program: [String; 3],
    /// Name of the marker.
    pub marker: String,
    /// Number of the marker.
    pub marker_number: String,
    /// Kind of marker: "GEODETIC" and others.
    pub marker_type: String,
    /// Observer and agency.
    pub observer: [String; 2],
    /// Receiver: serial number, type, version of its firmware.
    pub receiver: [String; 3],
    /// Antenna: serial number, type with radome.
    pub antenna: [String; 2],
    /// Approximate position of the marker; none if absent or zero.
    pub approx_position: Option<Ecef>,
    /// Height of the antenna reference point over the marker and its offsets east and north, in m.
    pub antenna_delta: AntennaDelta,
    /// Columns of each system; none for pseudo-observables and unknown types. Of RINEX 2, by the names of RINEX 3.
    pub types: BTreeMap<Constellation, Vec<Option<ObsType>>>,
    /// Seconds between epochs.
    pub interval_s: Option<f64>,
    /// Scale of the epochs' times.
    pub scale: TimeScale,
    /// First epoch.
    pub first_epoch: Option<GnssTime>,
    /// Last epoch.
    pub last_epoch: Option<GnssTime>,
    /// Frequency numbers of GLONASS satellites.
    pub glonass_channels: BTreeMap<Sat, i8>,
    /// Corrections that align GLONASS code and phase, in m, by pseudorange code.
    pub glonass_biases_m: Vec<(ObsCode, f64)>,
    /// Corrections that were added to phases to align the signals of a frequency.
    pub phase_shifts: Vec<PhaseShift>,
    /// Factors by which measurements in the file are multiplied; they are divided out when reading.
    pub scale_factors: Vec<ScaleFactor>,
    /// GPST - UTC in s.
    pub leap_s: Option<i64>,
    /// Whether the receiver clock offsets are applied to epochs, pseudoranges and phases.
    pub clock_applied: bool,
    /// Code biases that were applied, by system.
    pub applied_dcbs: Vec<AppliedCorrection>,
    /// Phase centre corrections that were applied, by system.
    pub applied_pcvs: Vec<AppliedCorrection>,
    /// Comments, as written.
    pub comments: Vec<String>,
}

/// Place of the antenna reference point relative to the marker, in m.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AntennaDelta {
    /// Upwards.
    pub height: f64,
    /// To the east.
    pub east: f64,
    /// To the north.
    pub north: f64,
}

/// A correction of carrier phases.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseShift {
    /// System.
    pub constellation: Constellation,
    /// Signal.
    pub code: ObsCode,
    /// Cycles that were added; none for the reference signal of a frequency.
    pub cycles: Option<f64>,
    /// Satellites; all if empty.
    pub sats: Vec<Sat>,
}

/// A factor of measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleFactor {
    /// System.
    pub constellation: Constellation,
    /// 1, 10, 100 or 1000.
    pub factor: f64,
    /// Columns; all if empty.
    pub types: Vec<ObsType>,
}

/// A correction that the maker of a file applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedCorrection {
    /// System.
    pub constellation: Constellation,
    /// Program.
    pub program: String,
    /// Where the corrections come from.
    pub source: String,
}

impl Default for ObsFileHeader {
    fn default() -> Self {
        Self {
            version: 3.05,
            constellation: None,
            program: Default::default(),
            marker: String::new(),
            marker_number: String::new(),
            marker_type: String::new(),
            observer: Default::default(),
            receiver: Default::default(),
            antenna: Default::default(),
            approx_position: None,
            antenna_delta: AntennaDelta::default(),
            types: BTreeMap::new(),
            interval_s: None,
            scale: TimeScale::Gpst,
            first_epoch: None,
            last_epoch: None,
            glonass_channels: BTreeMap::new(),
            glonass_biases_m: Vec::new(),
            phase_shifts: Vec::new(),
            scale_factors: Vec::new(),
            leap_s: None,
            clock_applied: false,
            applied_dcbs: Vec::new(),
            applied_pcvs: Vec::new(),
            comments: Vec::new(),
        }
    }
}

impl fmt::Display for AntennaDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} m up, {} m east, {} m north", self.height, self.east, self.north)
    }
}

/// Comments kept of one file.
const MAX_COMMENTS: usize = 1000;
/// Entries kept of a list that lines of the header extend.
const MAX_LIST: usize = 2000;

/// Gathers header lines, also those within the body.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeaderParser {
    pub(crate) header: ObsFileHeader,
    /// The list that continuation lines of observation types belong to, and types still to come.
    types_of: Option<Constellation>,
    types_left: usize,
    /// The types of RINEX 2.
    pub(crate) types2: Vec<[u8; 2]>,
    /// Entries still to come of the last phase shift and scale factor.
    sats_left: usize,
    scaled_left: usize,
    /// The observation types changed since the layouts were made.
    pub(crate) new_types: bool,
}

impl HeaderParser {
    /// Reads up to END OF HEADER. Lines not understood go to `warn`.
    pub(crate) fn read(
        lines: &mut Lines<impl BufRead>,
        mut warn: impl FnMut(String),
    ) -> Result<Self, RinexError> {
        let mut parser = Self::default();
        parser.first_line(lines)?;
        loop {
            let line = next(lines)?;
            let result = match field::text(line, 60, 80) {
                "END OF HEADER" => break,
                label => parser.line(line, label),
            };
            if result.is_none() {
                warn(format!("line {}: header line not understood", lines.count));
            }
        }
        parser.finish();
        if parser.header.types.is_empty() {
            return Err(RinexError::NoTypes { line: lines.count });
        }
        Ok(parser)
    }

    fn first_line(&mut self, lines: &mut Lines<impl BufRead>) -> Result<(), RinexError> {
        match lines.next() {
            Ok(Some(_)) => {}
            Ok(None) => return Err(RinexError::NotRinex),
            Err(source) => return Err(RinexError::Read { line: lines.count, source }),
        }
        let (line, number) = (lines.line(), lines.count);
        if field::text(line, 60, 80) != "RINEX VERSION / TYPE" {
            return Err(RinexError::NotRinex);
        }
        self.header.version = match field::number(line, 0, 20) {
            Number::Is(v) if (2.0..2.2).contains(&v) || (3.0..5.0).contains(&v) => v,
            _ => {
                return Err(RinexError::Version {
                    found: field::text(line, 0, 20).to_string(),
                    line: number,
                });
            }
        };
        if field::columns(line, 20, 21) != b"O" {
            let found = field::text(line, 20, 40).to_string();
            return Err(RinexError::NotObservation { found, line: number });
        }
        self.header.constellation = match field::columns(line, 40, 41) {
            b" " | b"" if self.header.version < 3.0 => Some(Constellation::Gps),
            &[letter] => Constellation::from_letter(char::from(letter)),
            _ => None,
        };
        self.header.scale = match self.header.constellation {
            Some(Constellation::Bds) => TimeScale::Bdt,
            Some(Constellation::Galileo) => TimeScale::Gst,
            Some(Constellation::Glonass) => TimeScale::Utc,
            _ => TimeScale::Gpst,
        };
        Ok(())
    }

    /// Makes what follows from all lines together.
    pub(crate) fn finish(&mut self) {
        if self.header.version >= 3.0 || !self.new_types {
            return;
        }
        self.header.types.clear();
        let all = "CGERJS".chars().filter_map(Constellation::from_letter);
        for constellation in all.filter(|&c| self.header.constellation.is_none_or(|only| only == c)) {
            let types = Layout::rinex2(&self.types2, constellation).types();
            if types.iter().any(Option::is_some) {
                self.header.types.insert(constellation, types);
            }
        }
    }

    /// The layout of a system's columns.
    pub(crate) fn layout(&self, constellation: Constellation) -> Layout {
        if self.header.version < 3.0 {
            // Columns of systems that the file does not announce still have their width.
            return Layout::rinex2(&self.types2, constellation);
        }
        self.header.types.get(&constellation).map(|types| Layout::rinex3(types)).unwrap_or_default()
    }

    /// One line with its label. None if it is not understood.
    pub(crate) fn line(&mut self, line: &[u8], label: &str) -> Option<()> {
        let text = |from, to| field::text(line, from, to).to_string();
        let number = |from, to| match field::number(line, from, to) {
            Number::Is(v) => Some(v),
            _ => None,
        };
        let h = &mut self.header;
        match label {
            "PGM / RUN BY / DATE" => h.program = [text(0, 20), text(20, 40), text(40, 60)],
            "COMMENT" => {
                let room = MAX_COMMENTS.saturating_sub(h.comments.len()).min(1);
                let comment = String::from_utf8_lossy(field::columns(line, 0, 60)).trim_end().to_string();
                h.comments.extend(Some(comment).into_iter().take(room));
            }
            "MARKER NAME" => h.marker = text(0, 60),
            "MARKER NUMBER" => h.marker_number = text(0, 20),
            "MARKER TYPE" => h.marker_type = text(0, 20),
            "OBSERVER / AGENCY" => h.observer = [text(0, 20), text(20, 60)],
            "REC # / TYPE / VERS" => h.receiver = [text(0, 20), text(20, 40), text(40, 60)],
            "ANT # / TYPE" => h.antenna = [text(0, 20), text(20, 40)],
            "APPROX POSITION XYZ" => {
                let p = Ecef::new(number(0, 14)?, number(14, 28)?, number(28, 42)?);
                h.approx_position = (p.norm() > 0.0).then_some(p);
            }
            "ANTENNA: DELTA H/E/N" => {
                h.antenna_delta =
                    AntennaDelta { height: number(0, 14)?, east: number(14, 28)?, north: number(28, 42)? };
            }
            "INTERVAL" => h.interval_s = number(0, 10).filter(|&v| v > 0.0),
            "TIME OF FIRST OBS" => {
                if let Some(scale) = scale_of(field::text(line, 48, 51)) {
                    h.scale = scale;
                }
                h.first_epoch = Some(field::date(line, 0, 43, h.scale)?);
            }
            "TIME OF LAST OBS" => {
                let scale = scale_of(field::text(line, 48, 51)).unwrap_or(h.scale);
                h.last_epoch = Some(field::date(line, 0, 43, scale)?);
            }
            "RCV CLOCK OFFS APPL" => h.clock_applied = number(0, 6)? == 1.0,
            "LEAP SECONDS" => {
                let bds = matches!(field::text(line, 24, 27), "BDS" | "BDT");
                let leap = number(0, 6).filter(|v| v.abs() < 1000.0)? as i64;
                h.leap_s = Some(if bds { leap + 14 } else { leap });
            }
            "SYS / # / OBS TYPES" => return self.types_line(line),
            "# / TYPES OF OBSERV" => return self.types2_line(line),
            "GLONASS SLOT / FRQ #" => return self.glonass_line(line),
            "GLONASS COD/PHS/BIS" => return self.bias_line(line),
            "SYS / PHASE SHIFT" | "SYS / PHASE SHIFTS" => return self.shift_line(line),
            "SYS / SCALE FACTOR" => return self.scale_line(line),
            "SYS / DCBS APPLIED" | "SYS / PCVS APPLIED" => {
                let list = if label.contains("DCBS") { &mut h.applied_dcbs } else { &mut h.applied_pcvs };
                // A line without a system says that nothing was applied.
                if let Some(constellation) = system(line).filter(|_| list.len() < MAX_LIST) {
                    list.push(AppliedCorrection {
                        constellation,
                        program: text(2, 19),
                        source: text(20, 60),
                    });
                }
            }
            _ => {}
        }
        Some(())
    }

    /// "A1 2X I3 13(1X A3)", continued without letter and count.
    fn types_line(&mut self, line: &[u8]) -> Option<()> {
        let version = self.header.version;
        if field::columns(line, 0, 1) != b" " {
            self.types_of = system(line);
            let Number::Is(count @ 0.0..1000.0) = field::number(line, 3, 6) else { return None };
            self.types_left = count as usize;
            self.header.types.insert(self.types_of?, Vec::new());
            self.new_types = true;
        }
        let constellation = self.types_of?;
        let list = self.header.types.get_mut(&constellation)?;
        for i in 0..self.types_left.min(13) {
            let from = 7 + 4 * i;
            list.push(ObsType::parse(field::text(line, from, from + 3), constellation, version));
        }
        self.types_left = self.types_left.saturating_sub(13);
        Some(())
    }

    /// "I6 9(4X A2)", continued without count.
    fn types2_line(&mut self, line: &[u8]) -> Option<()> {
        match field::number(line, 0, 6) {
            Number::Is(count @ 0.0..1000.0) => {
                self.types2.clear();
                self.types_left = count as usize;
                self.new_types = true;
            }
            Number::Blank => {}
            _ => return None,
        }
        for i in 0..self.types_left.min(9) {
            let from = 10 + 6 * i;
            self.types2.push(field::columns(line, from, from + 2).try_into().unwrap_or([b' '; 2]));
        }
        self.types_left = self.types_left.saturating_sub(9);
        Some(())
    }

    /// "I3 1X 8(A1 I2 1X I2 1X)".
    fn glonass_line(&mut self, line: &[u8]) -> Option<()> {
        for i in 0..8 {
            let from = 4 + 7 * i;
            let name = field::text(line, from, from + 3);
            if name.is_empty() {
                continue;
            }
            let sat: Sat = name.parse().ok()?;
            match field::number(line, from + 4, from + 6) {
                Number::Is(k) if (-7.0..=13.0).contains(&k) => {
                    self.header.glonass_channels.insert(sat, k as i8)
                }
                _ => return None,
            };
        }
        Some(())
    }

    /// "4(1X A3 1X F8.3)"; blank if unknown.
    fn bias_line(&mut self, line: &[u8]) -> Option<()> {
        self.header.glonass_biases_m.clear();
        for i in 0..4 {
            let from = 13 * i;
            let code = field::text(line, from + 1, from + 4);
            if code.is_empty() {
                continue;
            }
            let code = ObsType::parse(code, Constellation::Glonass, 3.05)?.code;
            if let Number::Is(bias) = field::number(line, from + 5, from + 13) {
                self.header.glonass_biases_m.push((code, bias));
            }
        }
        Some(())
    }

    /// "A1 1X A3 1X F8.5 2X I2.2 10(1X A3)", continued from column 18.
    fn shift_line(&mut self, line: &[u8]) -> Option<()> {
        let version = self.header.version;
        let list = &mut self.header.phase_shifts;
        if field::columns(line, 0, 1) != b" " {
            let Some(constellation) = system(line) else { return Some(()) };
            // A system alone means that its shifts are unknown.
            let name = field::text(line, 2, 5);
            if name.is_empty() {
                return Some(());
            }
            let code = ObsType::parse(name, constellation, version)?.code;
            let cycles = match field::number(line, 6, 14) {
                Number::Is(v) => Some(v),
                Number::Blank => None,
                Number::Bad => return None,
            };
            self.sats_left = match field::number(line, 16, 18) {
                Number::Is(count @ 0.0..100.0) => count as usize,
                _ => 0,
            };
            if list.len() < MAX_LIST {
                list.push(PhaseShift { constellation, code, cycles, sats: Vec::new() });
            }
        }
        let shift = list.last_mut()?;
        for i in 0..self.sats_left.min(10) {
            let from = 19 + 4 * i;
            shift.sats.push(field::text(line, from, from + 3).parse().ok()?);
        }
        self.sats_left = self.sats_left.saturating_sub(10);
        Some(())
    }

    /// "A1 1X I4 2X I2 12(1X A3)", continued from column 10.
    fn scale_line(&mut self, line: &[u8]) -> Option<()> {
        let version = self.header.version;
        let list = &mut self.header.scale_factors;
        if field::columns(line, 0, 1) != b" " {
            let constellation = system(line)?;
            let Number::Is(factor @ 1.0..=10_000.0) = field::number(line, 2, 6) else { return None };
            self.scaled_left = match field::number(line, 8, 10) {
                Number::Is(count @ 0.0..100.0) => count as usize,
                _ => 0,
            };
            if list.len() < MAX_LIST {
                list.push(ScaleFactor { constellation, factor, types: Vec::new() });
            }
            self.new_types = true;
        }
        let scale = list.last_mut()?;
        for i in 0..self.scaled_left.min(12) {
            let from = 11 + 4 * i;
            scale.types.push(ObsType::parse(
                field::text(line, from, from + 3),
                scale.constellation,
                version,
            )?);
        }
        self.scaled_left = self.scaled_left.saturating_sub(12);
        Some(())
    }
}

/// The system whose letter opens a line.
fn system(line: &[u8]) -> Option<Constellation> {
    Constellation::from_letter(char::from(*line.first()?))
}

/// The scale of a code of TIME OF FIRST OBS.
fn scale_of(code: &str) -> Option<TimeScale> {
    Some(match code {
        "GPS" | "QZS" | "IRN" => TimeScale::Gpst,
        "BDT" | "BDS" => TimeScale::Bdt,
        "GAL" => TimeScale::Gst,
        // GLONASS time in RINEX is UTC without the three hours of Moscow.
        "GLO" | "UTC" => TimeScale::Utc,
        _ => return None,
    })
}

fn next(lines: &mut Lines<impl BufRead>) -> Result<&[u8], RinexError> {
    let count = lines.count;
    match lines.next() {
        Ok(Some(line)) => Ok(line),
        Ok(None) => Err(RinexError::NoEndOfHeader { line: count }),
        Err(source) => Err(RinexError::Read { line: count, source }),
    }
}
