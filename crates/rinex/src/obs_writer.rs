//! Observation files, RINEX 3.05.

use std::collections::BTreeMap;
use std::io::{self, Write};

use megrez_orbit::{CivilTime, Ecef, GnssTime, Observation, ObservationEpoch, TimeScale};
use megrez_signal::{Constellation, ObsCode, Sat};

use crate::FileInfo;
use crate::nav_writer::header_line;

/// What the header of an observation file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObsHeader {
    /// Program and date.
    pub info: FileInfo,
    /// Name of the marker.
    pub marker: String,
    /// Approximate position of the antenna; none writes zeros.
    pub approx_position: Option<Ecef>,
    /// Signals that may occur; observations of others are left out.
    pub signals: Vec<(Constellation, ObsCode)>,
    /// Seconds between epochs; none if irregular.
    pub interval_s: Option<f64>,
    /// First epoch.
    pub first_epoch: GnssTime,
}

/// The observation types written of each signal, in their order.
const TYPES: [char; 4] = ['C', 'L', 'D', 'S'];

/// Writes an observation file epoch by epoch. Times are GPST as the receiver clock shows it.
#[derive(Debug)]
pub struct ObsWriter<W: Write> {
    out: W,
    /// Signals of each system, in the order of the header.
    columns: BTreeMap<Constellation, Vec<ObsCode>>,
}

impl<W: Write> ObsWriter<W> {
    /// Writes the header.
    pub fn new(mut out: W, header: &ObsHeader) -> io::Result<Self> {
        let mut columns: BTreeMap<Constellation, Vec<ObsCode>> = BTreeMap::new();
        for &(constellation, code) in &header.signals {
            let list = columns.entry(constellation).or_default();
            if !list.contains(&code) {
                list.push(code);
            }
        }
        write_header(&mut out, header, &columns)?;
        Ok(Self { out, columns })
    }

    /// Writes one epoch; nothing if it has no observation of the header's signals.
    pub fn write(&mut self, epoch: &ObservationEpoch) -> io::Result<()> {
        let mut sats: BTreeMap<Sat, Vec<&Observation>> = BTreeMap::new();
        for observation in &epoch.observations {
            let known = self.columns.get(&observation.sat.constellation);
            if known.is_some_and(|codes| codes.contains(&observation.code)) {
                sats.entry(observation.sat).or_default().push(observation);
            }
        }
        if sats.is_empty() {
            return Ok(());
        }
        let CivilTime { year, month, day, hour, minute, second } = civil(epoch.time);
        writeln!(
            self.out,
            "> {year:04} {month:02} {day:02} {hour:02} {minute:02}{second:11.7}  0{:3}",
            sats.len()
        )?;
        for (sat, observations) in sats {
            let mut line = sat.to_string();
            for code in self.columns.get(&sat.constellation).into_iter().flatten() {
                match observations.iter().find(|o| o.code == *code) {
                    Some(observation) => append(&mut line, observation),
                    None => line.push_str(&" ".repeat(16 * TYPES.len())),
                }
            }
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Flushes and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

fn write_header(
    out: &mut impl Write,
    header: &ObsHeader,
    columns: &BTreeMap<Constellation, Vec<ObsCode>>,
) -> io::Result<()> {
    let mut systems = columns.keys();
    let system = match (systems.next(), systems.next()) {
        (Some(Constellation::Bds), None) => "C: BDS",
        (Some(Constellation::Gps), None) => "G: GPS",
        _ => "M: MIXED",
    };
    let title = format!("{:>9}{:11}{:<20}{:<20}", "3.05", "", "OBSERVATION DATA", system);
    header_line(out, &title, "RINEX VERSION / TYPE")?;
    header.info.write(out)?;
    header_line(out, &header.marker, "MARKER NAME")?;
    header_line(out, "", "OBSERVER / AGENCY")?;
    let receiver = format!("{:20}{:<20.20}", "", header.info.program);
    header_line(out, &receiver, "REC # / TYPE / VERS")?;
    header_line(out, "", "ANT # / TYPE")?;
    let p = header.approx_position.unwrap_or_default();
    header_line(out, &format!("{:14.4}{:14.4}{:14.4}", p.x, p.y, p.z), "APPROX POSITION XYZ")?;
    header_line(out, &format!("{:14.4}{:14.4}{:14.4}", 0.0, 0.0, 0.0), "ANTENNA: DELTA H/E/N")?;

    for (constellation, codes) in columns {
        let types: Vec<String> =
            codes.iter().flat_map(|code| TYPES.map(|kind| format!(" {kind}{code}"))).collect();
        for (i, line) in types.chunks(13).enumerate() {
            let start = match i {
                0 => format!("{}  {:3}", constellation.letter(), types.len()),
                _ => " ".repeat(6),
            };
            header_line(out, &(start + &line.concat()), "SYS / # / OBS TYPES")?;
        }
    }
    header_line(out, "DBHZ", "SIGNAL STRENGTH UNIT")?;
    if let Some(interval) = header.interval_s {
        header_line(out, &format!("{interval:10.3}"), "INTERVAL")?;
    }
    let CivilTime { year, month, day, hour, minute, second } = civil(header.first_epoch);
    let first = format!("{year:6}{month:6}{day:6}{hour:6}{minute:6}{second:13.7}     GPS");
    header_line(out, &first, "TIME OF FIRST OBS")?;
    for (&constellation, codes) in columns {
        for code in codes {
            // Blank for the reference signal of a frequency; phases of the others are written as tracked.
            let shifted = code.signal(constellation).is_some_and(|s| s.def().phase_cycles != 0.0);
            let applied = if shifted { "  0.00000" } else { "" };
            let content = format!("{} L{code}{applied}", constellation.letter());
            header_line(out, &content, "SYS / PHASE SHIFT")?;
        }
    }
    header_line(out, "", "END OF HEADER")
}

/// Date and time in GPST, rounded to the 0.1 µs that the format has, without ever showing 60 s.
fn civil(t: GnssTime) -> CivilTime {
    let c = t.civil(TimeScale::Gpst);
    if c.second < 60.0 - 5e-8 {
        return c;
    }
    CivilTime { second: 0.0, ..(t + 1e-7).civil(TimeScale::Gpst) }
}

/// Appends the four types of one signal: code, phase, Doppler, strength, each F14.3, LLI, strength digit.
fn append(line: &mut String, o: &Observation) {
    // RINEX 3 table 12: 1 below 12 dB-Hz, 9 from 54 dB-Hz on.
    let strength = o.cn0_dbhz.map_or(' ', |cn0| char::from(b'0' + ((cn0 / 6.0) as u8).clamp(1, 9)));
    let lli = match u8::from(o.slip) | u8::from(o.half_cycle) << 1 {
        0 => ' ',
        bits => char::from(b'0' + bits),
    };
    let mut field = |value: Option<f64>, lli: char, strength: char| {
        // A value that the columns cannot hold is left out rather than shifted into its neighbour.
        match value.map(|v| format!("{v:14.3}")).filter(|text| text.len() == 14) {
            Some(text) if value.is_some_and(f64::is_finite) => line.extend([text.as_str()]),
            _ => return line.push_str(&" ".repeat(16)),
        }
        line.push(lli);
        line.push(strength);
    };
    field(o.pseudorange_m, ' ', strength);
    field(o.carrier_phase_cycles, lli, strength);
    field(o.doppler_hz, ' ', ' ');
    field(o.cn0_dbhz, ' ', ' ');
}
