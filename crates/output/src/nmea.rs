//! NMEA 0183 version 4.11.

use std::fmt::{self, Write as _};
use std::io::Write;
use std::str::FromStr;

use megrez_orbit::{Azel, GnssTime, ObservationEpoch, TimeScale};
use megrez_pvt::{FixMode, Solution};
use megrez_signal::{Constellation, ObsCode, Sat};

use crate::text::rounded;
use crate::{OutputError, SolutionSink};

const WHAT: &str = "NMEA";
/// Below this speed in m/s a course is noise and left empty.
const COURSE_SPEED_MPS: f64 = 0.2;
/// Knots of one metre a second.
const KNOTS: f64 = 3600.0 / 1852.0;

/// The talker of sentences about BeiDou alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BeidouTalker {
    /// `GB`, NMEA 0183 4.10 and later.
    #[default]
    Gb,
    /// `BD`, which Chinese equipment used before. GSA and GSV then lack the system and signal numbers of the
    /// newer version, and GSA has the talker of the system instead.
    Bd,
}

impl FromStr for BeidouTalker {
    type Err = OutputError;

    /// Reads "GB" or "BD" in any case.
    fn from_str(s: &str) -> Result<Self, OutputError> {
        match s.to_ascii_uppercase().as_str() {
            "GB" => Ok(Self::Gb),
            "BD" => Ok(Self::Bd),
            _ => Err(OutputError::Encode {
                what: WHAT,
                message: format!("\"{s}\" is no talker of BeiDou (GB or BD)"),
            }),
        }
    }
}

/// Choices of an [`NmeaWriter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NmeaOptions {
    /// Talker of BeiDou.
    pub beidou: BeidouTalker,
}

/// What is known at one epoch.
#[derive(Debug, Clone, Copy, Default)]
pub struct NmeaEpoch<'a> {
    /// The time, if known without a position. With a position, its time counts.
    pub time: Option<GnssTime>,
    /// The position, if there is one.
    pub solution: Option<&'a Solution>,
    /// Everything measured, for the satellites in view.
    pub observations: Option<&'a ObservationEpoch>,
}

/// Writes GGA, RMC, VTG, GSA, GSV and ZDA for each epoch.
///
/// Sentences about BeiDou alone have the talker `GB`, about GPS alone `GP`, about several systems `GN`.
/// Altitudes are heights above the ellipsoid with a geoid separation of 0, so that their sum, which programs
/// form, is right. Times are UTC.
pub struct NmeaWriter<W: Write> {
    out: W,
    options: NmeaOptions,
    text: String,
}

/// A satellite in view.
#[derive(Debug, Clone, Copy, PartialEq)]
struct View {
    sat: Sat,
    signal: u8,
    azel: Option<Azel>,
    cn0_dbhz: Option<f64>,
}

/// A rejected or missing value is an empty field.
struct Maybe<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Maybe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |value| value.fmt(f))
    }
}

/// The checksum of a sentence: the exclusive or of the bytes between `$` and `*`.
pub fn checksum(body: &str) -> u8 {
    body.bytes().fold(0, |sum, byte| sum ^ byte)
}

impl<W: Write> NmeaWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W, options: NmeaOptions) -> Self {
        Self { out, options, text: String::new() }
    }

    /// Writes the sentences of one epoch.
    pub fn epoch(&mut self, epoch: &NmeaEpoch<'_>) -> Result<(), OutputError> {
        self.text.clear();
        let solution = epoch.solution.filter(|s| s.position.is_finite());
        let time = solution.map(|s| s.time).or(epoch.time);
        let views = in_view(epoch);
        let systems = systems(solution, &views);
        let talker = self.talker(&systems);
        self.gga(talker, time, solution);
        self.rmc(talker, time, solution);
        self.vtg(talker, solution);
        self.gsa(&systems, solution);
        self.gsv(&views);
        if let Some(time) = time {
            let date = clock(time);
            self.sentence(
                talker,
                "ZDA",
                format_args!("{},{:02},{:02},{:04},00,00", date.time, date.day, date.month, date.year),
            );
        }
        self.out.write_all(self.text.as_bytes()).map_err(OutputError::write(WHAT))
    }

    /// Flushes the output.
    pub fn finish(&mut self) -> Result<(), OutputError> {
        self.out.flush().map_err(OutputError::write(WHAT))
    }

    fn sentence(&mut self, talker: &str, kind: &str, fields: fmt::Arguments<'_>) {
        let start = self.text.len() + 1;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "${talker}{kind},{fields}");
        let sum = checksum(self.text.get(start..).unwrap_or_default());
        let _ = write!(self.text, "*{sum:02X}\r\n");
    }

    /// The talker of sentences that rest on `systems`.
    fn talker(&self, systems: &[Constellation]) -> &'static str {
        match systems {
            [one] => self.system_talker(*one),
            _ => "GN",
        }
    }

    fn system_talker(&self, system: Constellation) -> &'static str {
        match system {
            Constellation::Bds => match self.options.beidou {
                BeidouTalker::Gb => "GB",
                BeidouTalker::Bd => "BD",
            },
            Constellation::Galileo => "GA",
            Constellation::Glonass => "GL",
            Constellation::Qzss => "GQ",
            Constellation::Navic => "GI",
            // SBAS satellites belong to the GPS numbers.
            _ => "GP",
        }
    }

    fn gga(&mut self, talker: &str, time: Option<GnssTime>, solution: Option<&Solution>) {
        let time = Maybe(time.map(|t| clock(t).time));
        match solution {
            Some(s) => {
                let place = s.geodetic();
                self.sentence(
                    talker,
                    "GGA",
                    format_args!(
                        "{time},{},{},{},{:02},{},{:.2},M,0.0,M,,",
                        latitude(place.lat_deg),
                        longitude(place.lon_deg),
                        quality(s),
                        s.sats_used().min(99),
                        dop(s.dop.h),
                        rounded(place.height_m.clamp(-9_999.0, 9_999_999.0), 2),
                    ),
                );
            }
            None => self.sentence(talker, "GGA", format_args!("{time},,,,,0,00,,,M,,M,,")),
        }
    }

    fn rmc(&mut self, talker: &str, time: Option<GnssTime>, solution: Option<&Solution>) {
        let date = time.map(clock);
        let day = Maybe(date.as_ref().map(|d| format!("{:02}{:02}{:02}", d.day, d.month, d.year % 100)));
        let time = Maybe(date.as_ref().map(|d| d.time.as_str()));
        match solution {
            Some(s) => {
                let place = s.geodetic();
                let (speed, course) = motion(s);
                self.sentence(
                    talker,
                    "RMC",
                    format_args!(
                        "{time},A,{},{},{},{},{day},,,{},V",
                        latitude(place.lat_deg),
                        longitude(place.lon_deg),
                        Maybe(speed.map(|v| format!("{:.2}", v * KNOTS))),
                        Maybe(course.map(|c| format!("{c:.2}"))),
                        mode_indicator(s),
                    ),
                );
            }
            None => self.sentence(talker, "RMC", format_args!("{time},V,,,,,,,{day},,,N,V")),
        }
    }

    fn vtg(&mut self, talker: &str, solution: Option<&Solution>) {
        let (speed, course) = solution.map_or((None, None), motion);
        let indicator = solution.map_or('N', mode_indicator);
        self.sentence(
            talker,
            "VTG",
            format_args!(
                "{},T,,M,{},N,{},K,{indicator}",
                Maybe(course.map(|c| format!("{c:.2}"))),
                Maybe(speed.map(|v| format!("{:.2}", v * KNOTS))),
                Maybe(speed.map(|v| format!("{:.2}", v * 3.6))),
            ),
        );
    }

    fn gsa(&mut self, systems: &[Constellation], solution: Option<&Solution>) {
        let legacy = self.options.beidou == BeidouTalker::Bd;
        let several = systems.len() > 1;
        let dops = Maybe(solution.map(|s| format!("{},{},{}", dop(s.dop.p), dop(s.dop.h), dop(s.dop.v))));
        // Three empty fields have two commas.
        let dops = if solution.is_some() { dops.to_string() } else { ",,".to_string() };
        let fix = if solution.is_some() { 3 } else { 1 };
        if systems.is_empty() {
            let tail = if legacy { "" } else { "," };
            self.sentence("GN", "GSA", format_args!("A,{fix},{}{dops}{tail}", ",".repeat(12)));
        }
        for &system in systems {
            let talker = if several && !legacy { "GN" } else { self.system_talker(system) };
            let mut used: Vec<u8> = solution
                .iter()
                .flat_map(|s| &s.sats)
                .filter(|s| s.used && s.sat.constellation == system)
                .map(|s| number(s.sat))
                .collect();
            used.sort_unstable();
            used.dedup();
            // A system that contributes nothing still says so in one sentence.
            let chunks = if used.is_empty() { vec![&[][..]] } else { used.chunks(12).collect::<Vec<_>>() };
            for chunk in chunks {
                let mut sats = String::new();
                for index in 0..12 {
                    if let Some(number) = chunk.get(index) {
                        let _ = write!(sats, "{number:02}");
                    }
                    sats.push(',');
                }
                if legacy {
                    self.sentence(talker, "GSA", format_args!("A,{fix},{sats}{dops}"));
                } else {
                    self.sentence(
                        talker,
                        "GSA",
                        format_args!("A,{fix},{sats}{dops},{}", Maybe(system_id(system))),
                    );
                }
            }
        }
    }

    fn gsv(&mut self, views: &[View]) {
        let legacy = self.options.beidou == BeidouTalker::Bd;
        let same = |a: &View, b: &View| a.sat.constellation == b.sat.constellation && a.signal == b.signal;
        for group in views.chunk_by(same) {
            let Some(first) = group.first() else { continue };
            let talker = self.system_talker(first.sat.constellation);
            // Sentence numbers have one digit.
            let group = group.get(..36).unwrap_or(group);
            let total = group.len().div_ceil(4);
            for (index, four) in group.chunks(4).enumerate() {
                let mut fields = String::new();
                for view in four {
                    let angles = Maybe(view.azel.map(|a| {
                        format!("{:02.0},{:03}", within(a.elevation.to_degrees(), 90.0), azimuth(a))
                    }));
                    let angles = if view.azel.is_some() { angles.to_string() } else { ",".to_string() };
                    let level = Maybe(view.cn0_dbhz.map(|cn0| format!("{:02.0}", within(cn0, 99.0))));
                    let _ = write!(fields, ",{:02},{angles},{level}", number(view.sat));
                }
                if !legacy {
                    let _ = write!(fields, ",{:X}", first.signal);
                }
                self.sentence(
                    talker,
                    "GSV",
                    format_args!("{total},{},{:02}{fields}", index + 1, group.len()),
                );
            }
        }
    }
}

impl<W: Write> SolutionSink for NmeaWriter<W> {
    fn solution(&mut self, solution: &Solution) -> Result<(), OutputError> {
        self.epoch(&NmeaEpoch { solution: Some(solution), ..NmeaEpoch::default() })
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        NmeaWriter::finish(self)
    }
}

/// Satellites in view by system, signal and number, each once for each signal.
fn in_view(epoch: &NmeaEpoch<'_>) -> Vec<View> {
    let placed = epoch.solution.iter().flat_map(|s| &s.sats).map(|s| View {
        sat: s.sat,
        signal: signal_id(s.sat.constellation, s.code),
        azel: Some(s.azel),
        cn0_dbhz: s.cn0_dbhz,
    });
    let measured = epoch.observations.iter().flat_map(|o| &o.observations).map(|o| View {
        sat: o.sat,
        signal: signal_id(o.sat.constellation, o.code),
        azel: None,
        cn0_dbhz: o.cn0_dbhz,
    });
    let mut views: Vec<View> = placed.chain(measured).collect();
    // The sort is stable: of equal ones, that with a direction stays first.
    views.sort_by_key(|v| (v.sat.constellation, v.signal, v.sat.prn));
    views.dedup_by_key(|v| (v.sat, v.signal));
    views
}

/// Systems that a position rests on; without one, systems in view.
fn systems(solution: Option<&Solution>, views: &[View]) -> Vec<Constellation> {
    let mut systems: Vec<Constellation> = match solution {
        Some(s) => s.sats.iter().filter(|s| s.used).map(|s| s.sat.constellation).collect(),
        None => views.iter().map(|v| v.sat.constellation).collect(),
    };
    systems.sort_unstable();
    systems.dedup();
    systems
}

/// Signal number in GSV (NMEA 0183 4.11, table of GNSS signal identification); 0 of a signal it does not number.
fn signal_id(constellation: Constellation, code: ObsCode) -> u8 {
    match (constellation, code.band(), code.attribute()) {
        (Constellation::Bds, b'2', b'Q') => 2,
        (Constellation::Bds, b'2', _) => 1,
        (Constellation::Bds, b'1', _) => 3,
        (Constellation::Bds, b'5', _) => 5,
        (Constellation::Bds, b'7', b'D' | b'P' | b'Z') => 6,
        (Constellation::Bds, b'7', b'Q') => 12,
        (Constellation::Bds, b'7', _) => 11,
        (Constellation::Bds, b'8', _) => 7,
        (Constellation::Bds, b'6', b'Q') => 9,
        (Constellation::Bds, b'6', _) => 8,
        (Constellation::Galileo, b'5', _) => 1,
        (Constellation::Galileo, b'7', _) => 2,
        (Constellation::Galileo, b'8', _) => 3,
        (Constellation::Galileo, b'6', _) => 5,
        (Constellation::Galileo, b'1', _) => 7,
        (Constellation::Glonass, b'1', b'P') => 2,
        (Constellation::Glonass, b'1', _) => 1,
        (Constellation::Glonass, b'2', b'P') => 4,
        (Constellation::Glonass, b'2', _) => 3,
        (_, b'1', b'W' | b'P' | b'Y') => 2,
        (_, b'1', _) => 1,
        (_, b'2', b'S') => 5,
        (_, b'2', b'L' | b'X') => 6,
        (_, b'2', _) => 4,
        (_, b'5', b'Q') => 8,
        (_, b'5', _) => 7,
        _ => 0,
    }
}

/// System number in GSA.
fn system_id(system: Constellation) -> Option<u8> {
    match system {
        Constellation::Gps | Constellation::Sbas => Some(1),
        Constellation::Glonass => Some(2),
        Constellation::Galileo => Some(3),
        Constellation::Bds => Some(4),
        Constellation::Qzss => Some(5),
        Constellation::Navic => Some(6),
        _ => None,
    }
}

/// Satellite number within its system; GLONASS slots count from 65.
fn number(sat: Sat) -> u8 {
    match sat.constellation {
        Constellation::Glonass => sat.prn.saturating_add(64),
        _ => sat.prn,
    }
}

fn azimuth(azel: Azel) -> String {
    let degrees = within(azel.azimuth.to_degrees().rem_euclid(360.0).round(), 360.0);
    format!("{:03.0}", if degrees >= 360.0 { 0.0 } else { degrees })
}

/// Quality in GGA: autonomous, carrier phases with integer or real ambiguities, or estimated when no satellite
/// contributes.
fn quality(solution: &Solution) -> u8 {
    match solution.mode {
        _ if solution.sats_used() == 0 => 6,
        FixMode::Fixed => 4,
        FixMode::Float => 5,
        _ => 1,
    }
}

/// The same in RMC and VTG.
fn mode_indicator(solution: &Solution) -> char {
    match quality(solution) {
        6 => 'E',
        4 => 'R',
        5 => 'F',
        _ => 'A',
    }
}

/// Speed over ground in m/s and course in degrees.
fn motion(solution: &Solution) -> (Option<f64>, Option<f64>) {
    let Some(velocity) = solution.velocity.filter(|v| v.is_finite()) else { return (None, None) };
    let v = velocity.to_enu(solution.geodetic());
    let speed = within(v.horizontal(), 9_999.0);
    let course = v.e.atan2(v.n).to_degrees().rem_euclid(360.0);
    // 359.999 would be shown as 360.00.
    let course = if course < 359.995 { course } else { 0.0 };
    (Some(speed), (speed >= COURSE_SPEED_MPS).then_some(course))
}

/// Empty where it is 0, unknown.
fn dop(value: f64) -> Maybe<String> {
    let shown = if value.is_nan() { 99.99 } else { within(value, 99.99) };
    Maybe((shown > 0.0).then(|| format!("{shown:.2}")))
}

/// `value` within 0 to `high`, 0 if it is no number.
fn within(value: f64, high: f64) -> f64 {
    if value > 0.0 { value.min(high) } else { 0.0 }
}

/// `ddmm.mmmmmm,N`.
fn latitude(degrees: f64) -> String {
    let (whole, minutes) = degrees_minutes(degrees);
    format!("{whole:02}{minutes:09.6},{}", if degrees < 0.0 { 'S' } else { 'N' })
}

/// `dddmm.mmmmmm,E`.
fn longitude(degrees: f64) -> String {
    let (whole, minutes) = degrees_minutes(degrees);
    format!("{whole:03}{minutes:09.6},{}", if degrees < 0.0 { 'W' } else { 'E' })
}

/// Whole degrees and minutes, rounded together so that minutes never show as 60.
fn degrees_minutes(degrees: f64) -> (u64, f64) {
    let millionths = (degrees.abs() * 60e6).round() as u64;
    (millionths / 60_000_000, (millionths % 60_000_000) as f64 / 1e6)
}

/// A time as sentences have it.
struct Clock {
    /// `hhmmss.ss`
    time: String,
    day: u8,
    month: u8,
    year: i32,
}

/// UTC to the nearest hundredth of a second.
fn clock(time: GnssTime) -> Clock {
    let civil = (time + 0.005).civil(TimeScale::Utc);
    let hundredths = (civil.second * 100.0 + 1e-6).floor() as u64;
    Clock {
        time: format!("{:02}{:02}{:02}.{:02}", civil.hour, civil.minute, hundredths / 100, hundredths % 100),
        day: civil.day,
        month: civil.month,
        year: civil.year.clamp(0, 9999),
    }
}
