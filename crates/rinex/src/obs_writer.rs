//! Observation files, RINEX 3.05 and 4.02.

use std::collections::BTreeMap;
use std::io::{self, Write};

use megrez_orbit::{CivilTime, GnssTime, Observation, ObservationEpoch, TimeScale};
use megrez_signal::{Constellation, ObsCode, Sat};

use crate::nav_writer::header_line;
use crate::obs_header::ObsFileHeader;
use crate::obs_types::{ObsKind, ObsType};

/// Writes an observation file epoch by epoch.
#[derive(Debug)]
pub struct ObsWriter<W: Write> {
    out: W,
    /// Columns of each system, in the order of the header.
    columns: BTreeMap<Constellation, Vec<ObsType>>,
    scale: TimeScale,
    line: Vec<u8>,
}

impl<W: Write> ObsWriter<W> {
    /// Writes the header: version 4.02 if `header` is of version 4, else 3.05. Columns of pseudo-observables are left
    /// out. Times are written in the scale of the header.
    pub fn new(mut out: W, header: &ObsFileHeader) -> io::Result<Self> {
        let mut columns: BTreeMap<Constellation, Vec<ObsType>> = BTreeMap::new();
        for (&constellation, types) in &header.types {
            let list = columns.entry(constellation).or_default();
            for obs_type in types.iter().flatten() {
                if !list.contains(obs_type) {
                    list.push(*obs_type);
                }
            }
        }
        columns.retain(|_, types| !types.is_empty());
        write_header(&mut out, header, &columns)?;
        Ok(Self { out, columns, scale: header.scale, line: Vec::new() })
    }

    /// Writes one epoch, whose observations are sorted by satellite; nothing if it has none of the header's columns.
    pub fn write(&mut self, epoch: &ObservationEpoch) -> io::Result<()> {
        let known = |o: &Observation| {
            let types = self.columns.get(&o.sat.constellation);
            types.is_some_and(|types| types.iter().any(|t| t.code == o.code))
        };
        let mut sats: BTreeMap<Sat, Vec<&Observation>> = BTreeMap::new();
        for observation in epoch.observations.iter().filter(|o| known(o)) {
            sats.entry(observation.sat).or_default().push(observation);
        }
        if sats.is_empty() {
            return Ok(());
        }
        let CivilTime { year, month, day, hour, minute, second } = civil(epoch.time, self.scale);
        writeln!(
            self.out,
            "> {year:04} {month:02} {day:02} {hour:02} {minute:02}{second:11.7}  0{:3}",
            sats.len()
        )?;
        for (sat, observations) in sats {
            self.line.clear();
            write!(self.line, "{sat}")?;
            for obs_type in self.columns.get(&sat.constellation).into_iter().flatten() {
                let observation = observations.iter().find(|o| o.code == obs_type.code);
                append(&mut self.line, obs_type.kind, observation.copied());
            }
            let end = self.line.iter().rposition(|&b| b != b' ').map_or(0, |last| last + 1);
            self.line.truncate(end);
            self.line.push(b'\n');
            self.out.write_all(&self.line)?;
        }
        Ok(())
    }

    /// Flushes and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

impl ObsFileHeader {
    /// Makes the columns those of `signals`: pseudorange, phase, Doppler and strength of each.
    pub fn set_signals(&mut self, signals: impl IntoIterator<Item = (Constellation, ObsCode)>) {
        self.types.clear();
        for (constellation, code) in signals {
            let list = self.types.entry(constellation).or_default();
            let types = ObsKind::ALL.map(|kind| Some(ObsType { kind, code }));
            if !types.iter().any(|t| list.contains(t)) {
                list.extend(types);
            }
        }
    }
}

fn write_header(
    out: &mut impl Write,
    header: &ObsFileHeader,
    columns: &BTreeMap<Constellation, Vec<ObsType>>,
) -> io::Result<()> {
    let mut systems = columns.keys();
    let system = match (systems.next(), systems.next()) {
        (Some(Constellation::Bds), None) => "C: BDS".to_string(),
        (Some(Constellation::Gps), None) => "G: GPS".to_string(),
        (Some(only), None) => only.letter().to_string(),
        _ => "M: MIXED".to_string(),
    };
    let four = header.version >= 4.0;
    let version = if four { "4.02" } else { "3.05" };
    let title = format!("{version:>9}{:11}{:<20}{system:<20}", "", "OBSERVATION DATA");
    header_line(out, &title, "RINEX VERSION / TYPE")?;
    let twenty = |texts: &[String]| texts.iter().map(|text| format!("{text:<20.20}")).collect::<String>();
    header_line(out, &twenty(&header.program), "PGM / RUN BY / DATE")?;
    for comment in &header.comments {
        header_line(out, comment, "COMMENT")?;
    }
    header_line(out, &header.marker, "MARKER NAME")?;
    for (text, label) in [(&header.marker_number, "MARKER NUMBER"), (&header.marker_type, "MARKER TYPE")] {
        if !text.is_empty() {
            header_line(out, text, label)?;
        }
    }
    let [observer, agency] = &header.observer;
    header_line(out, &format!("{observer:<20.20}{agency:<40.40}"), "OBSERVER / AGENCY")?;
    header_line(out, &twenty(&header.receiver), "REC # / TYPE / VERS")?;
    header_line(out, &twenty(&header.antenna), "ANT # / TYPE")?;
    let three = |x: f64, y: f64, z: f64| format!("{x:14.4}{y:14.4}{z:14.4}");
    let p = header.approx_position.unwrap_or_default();
    header_line(out, &three(p.x, p.y, p.z), "APPROX POSITION XYZ")?;
    let delta = header.antenna_delta;
    header_line(out, &three(delta.height, delta.east, delta.north), "ANTENNA: DELTA H/E/N")?;
    for (constellation, types) in columns {
        write_types(out, *constellation, types)?;
    }
    header_line(out, "DBHZ", "SIGNAL STRENGTH UNIT")?;
    if let Some(interval) = header.interval_s {
        header_line(out, &format!("{interval:10.3}"), "INTERVAL")?;
    }
    for (time, label) in [(header.first_epoch, "TIME OF FIRST OBS"), (header.last_epoch, "TIME OF LAST OBS")]
    {
        if let Some(time) = time {
            let CivilTime { year, month, day, hour, minute, second } = civil(time, header.scale);
            let scale = match header.scale {
                TimeScale::Bdt => "BDT",
                TimeScale::Gst => "GAL",
                TimeScale::Utc => "GLO",
                _ => "GPS",
            };
            let content = format!("{year:6}{month:6}{day:6}{hour:6}{minute:6}{second:13.7}     {scale}");
            header_line(out, &content, label)?;
        }
    }
    if header.clock_applied {
        header_line(out, "     1", "RCV CLOCK OFFS APPL")?;
    }
    for (list, label) in
        [(&header.applied_dcbs, "SYS / DCBS APPLIED"), (&header.applied_pcvs, "SYS / PCVS APPLIED")]
    {
        for c in list {
            let content = format!("{} {:<17.17} {:<40.40}", c.constellation.letter(), c.program, c.source);
            header_line(out, &content, label)?;
        }
    }
    // Version 4 wants every phase aligned and has no such lines.
    if !four {
        write_shifts(out, header, columns)?;
    }
    write_glonass(out, header, columns)?;
    if let Some(leap) = header.leap_s {
        header_line(out, &format!("{leap:6}"), "LEAP SECONDS")?;
    }
    header_line(out, "", "END OF HEADER")
}

fn write_types(out: &mut impl Write, constellation: Constellation, types: &[ObsType]) -> io::Result<()> {
    for (i, line) in types.chunks(13).enumerate() {
        let mut content = match i {
            0 => format!("{}  {:3}", constellation.letter(), types.len()),
            _ => " ".repeat(6),
        };
        line.iter().for_each(|t| content.push_str(&format!(" {t}")));
        header_line(out, &content, "SYS / # / OBS TYPES")?;
    }
    Ok(())
}

/// What the header says of phase shifts, or what is known of each signal.
fn write_shifts(
    out: &mut impl Write,
    header: &ObsFileHeader,
    columns: &BTreeMap<Constellation, Vec<ObsType>>,
) -> io::Result<()> {
    for (&constellation, types) in columns {
        for code in types.iter().filter(|t| t.kind == ObsKind::Phase).map(|t| t.code) {
            let mut known = header
                .phase_shifts
                .iter()
                .filter(|shift| shift.constellation == constellation && shift.code == code)
                .peekable();
            if known.peek().is_none() {
                // Blank for the reference signal of a frequency; phases of the others are written as tracked.
                let shifted = code.signal(constellation).is_some_and(|s| s.def().phase_cycles != 0.0);
                let applied = if shifted { "  0.00000" } else { "" };
                let content = format!("{} L{code}{applied}", constellation.letter());
                header_line(out, &content, "SYS / PHASE SHIFT")?;
            }
            for shift in known {
                let cycles = shift.cycles.map_or(String::new(), |c| format!(" {c:8.5}"));
                let start = format!("{} L{code}{cycles:9}", constellation.letter());
                let count =
                    if shift.sats.is_empty() { String::new() } else { format!("  {:02}", shift.sats.len()) };
                let mut lines = shift.sats.chunks(10);
                let names = |sats: &[Sat]| sats.iter().map(|sat| format!(" {sat}")).collect::<String>();
                let first = format!("{start}{count:4}{}", names(lines.next().unwrap_or_default()));
                header_line(out, first.trim_end(), "SYS / PHASE SHIFT")?;
                for line in lines {
                    header_line(out, &format!("{:18}{}", "", names(line)), "SYS / PHASE SHIFT")?;
                }
            }
        }
    }
    Ok(())
}

/// The frequency numbers and biases of GLONASS, which files with GLONASS must have.
fn write_glonass(
    out: &mut impl Write,
    header: &ObsFileHeader,
    columns: &BTreeMap<Constellation, Vec<ObsType>>,
) -> io::Result<()> {
    if !columns.contains_key(&Constellation::Glonass) {
        return Ok(());
    }
    let slots: Vec<_> = header.glonass_channels.iter().collect();
    for (i, line) in slots.chunks(8).enumerate() {
        let start = if i == 0 { format!("{:3} ", slots.len()) } else { " ".repeat(4) };
        let line: String = line.iter().map(|(sat, k)| format!("{sat} {k:2} ")).collect();
        header_line(out, &(start + &line), "GLONASS SLOT / FRQ #")?;
    }
    let biases: String =
        header.glonass_biases_m.iter().take(4).map(|(code, bias)| format!(" C{code} {bias:8.3}")).collect();
    header_line(out, &biases, "GLONASS COD/PHS/BIS")
}

/// Date and time in `scale`, rounded to the 0.1 µs that the format has, without ever showing 60 s.
fn civil(t: GnssTime, scale: TimeScale) -> CivilTime {
    let c = t.civil(scale);
    // A leap second is shown as second 60.
    if c.second >= 60.0 || c.second < 60.0 - 5e-8 {
        return c;
    }
    CivilTime { second: 0.0, ..(t + 1e-7).civil(scale) }
}

/// Appends a column: F14.3, loss-of-lock indicator, strength digit.
fn append(line: &mut Vec<u8>, kind: ObsKind, observation: Option<&Observation>) {
    let value = observation.and_then(|o| match kind {
        ObsKind::Pseudorange => o.pseudorange_m,
        ObsKind::Phase => o.carrier_phase_cycles,
        ObsKind::Doppler => o.doppler_hz,
        ObsKind::Strength => o.cn0_dbhz,
    });
    let (Some(o), Some(field)) = (observation, value.and_then(thousandths)) else {
        line.extend([b' '; 16]);
        return;
    };
    line.extend(field);
    // RINEX 3 table 12: 1 below 12 dB-Hz, 9 from 54 dB-Hz on.
    let strength = o.cn0_dbhz.map_or(b' ', |cn0| b'0' + ((cn0 / 6.0) as u8).clamp(1, 9));
    let lli = match u8::from(o.slip) | u8::from(o.half_cycle) << 1 {
        0 => b' ',
        bits => b'0' + bits,
    };
    line.extend(match kind {
        ObsKind::Pseudorange => [b' ', strength],
        ObsKind::Phase => [lli, strength],
        ObsKind::Doppler | ObsKind::Strength => [b' ', b' '],
    });
}

/// A number as F14.3. None if the columns cannot hold it: it is left out rather than shifted into its neighbour.
fn thousandths(value: f64) -> Option<[u8; 14]> {
    let scaled = (value * 1000.0).round();
    let negative = scaled < 0.0;
    if !(-999_999_999_999.0..=9_999_999_999_999.0).contains(&scaled) {
        return None;
    }
    let mut rest = scaled.abs() as u64;
    let mut field = [b' '; 14];
    // Three decimals, the point, and at least one digit before it.
    for (i, place) in field.iter_mut().rev().enumerate() {
        if i == 3 {
            *place = b'.';
        } else if i < 5 || rest > 0 {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        } else {
            if negative {
                *place = b'-';
            }
            break;
        }
    }
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_fits_and_what_does_not() {
        for value in [9_999_999_999.999, -999_999_999.999, 0.0, -0.001, 0.000_4] {
            let text = thousandths(value).map(|f| String::from_utf8_lossy(&f).into_owned());
            assert_eq!(text, Some(format!("{:14.3}", if value == 0.000_4 { 0.0 } else { value })));
        }
        for value in [1e10, -1e9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(thousandths(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn numbers_as_the_library_writes_them(k in -999_999_999_999i64..9_999_999_999_999) {
            let value = k as f64 / 1000.0;
            prop_assert_eq!(thousandths(value).map(|f| f.to_vec()), Some(format!("{value:14.3}").into_bytes()));
        }
    }
}
