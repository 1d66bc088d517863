//! Records of navigation files, written.

use std::io::{self, Write};

use megrez_orbit::{
    CivilTime, DatedIono, Ephemeris, GlonassEphemeris, GnssTime, Integrity, Iono, KeplerEphemeris, NavData,
    TimeScale,
};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::field::scientific;
use crate::nav_rows::{UNKNOWN, rows};
use crate::nav_writer::{NavFormat, OFFSETS};

/// Writes a record with an ephemeris; nothing if the format has none for it.
pub(crate) fn write_ephemeris(
    out: &mut impl Write,
    nav: &NavData,
    ephemeris: &Ephemeris,
    format: NavFormat,
) -> io::Result<()> {
    let (sat, message) = (ephemeris.sat(), ephemeris.message());
    let name = match message {
        NavMessage::Lnav => "LNAV",
        NavMessage::Inav => "INAV",
        NavMessage::Fnav => "FNAV",
        NavMessage::Fdma => "FDMA",
        NavMessage::D1 => "D1",
        NavMessage::D2 => "D2",
        NavMessage::Cnav1 => "CNV1",
        NavMessage::Cnav2 => "CNV2",
        NavMessage::Cnav3 => "CNV3",
        _ => return Ok(()),
    };
    match format {
        NavFormat::Rinex4 => writeln!(out, "> EPH {sat} {name}")?,
        NavFormat::Rinex3 if name.starts_with("CNV") => return Ok(()),
        NavFormat::Rinex3 => {}
    }
    match ephemeris {
        Ephemeris::Kepler(k) => write_kepler(out, &with_integrity(k, nav.integrity.get(&sat))),
        Ephemeris::Glonass(g) => write_glonass(out, g),
        _ => Ok(()),
    }
}

/// The ephemeris with what the satellite says elsewhere of its accuracy and integrity, where its record has none.
fn with_integrity(k: &KeplerEphemeris, integrity: Option<&Integrity>) -> KeplerEphemeris {
    let mut k = k.clone();
    let Some(integrity) = integrity else { return k };
    let flags = match k.message {
        NavMessage::Cnav1 => integrity.b1c,
        NavMessage::Cnav2 => integrity.b2a,
        NavMessage::Cnav3 => integrity.b2b,
        _ => return k,
    };
    let d = &mut k.details;
    let flags = flags.map(|f| i8::from(f.dif) << 2 | i8::from(f.sif) << 1 | i8::from(f.aif));
    d.flags = d.flags.or(flags);
    let signed = |index: u8| i8::try_from(index).ok();
    d.sismai = d.sismai.or(integrity.sismai.and_then(signed));
    let clock = integrity.clock_accuracy;
    d.top_s = d.top_s.or(clock.map(|c| c.top.bdt().1));
    let known = [
        integrity.orbit_accuracy,
        clock.map(|c| c.bias),
        clock.and_then(|c| signed(c.drift)),
        clock.and_then(|c| signed(c.drift_rate)),
    ];
    d.sisai.iter_mut().zip(known).for_each(|(index, known)| *index = index.or(known));
    k
}

/// "2026 03 09 00 00 00".
fn date(t: GnssTime, scale: TimeScale) -> String {
    // A time between whole seconds cannot be written; no message has one.
    let CivilTime { year, month, day, hour, minute, second } = (t + 1e-3).civil(scale);
    format!("{year:04} {month:02} {day:02} {hour:02} {minute:02} {:02}", second as u8)
}

fn value(value: Option<f64>) -> String {
    value.map_or_else(|| " ".repeat(19), |v| scientific(v, 19, 12))
}

/// A line of values after `start`.
fn write_row(out: &mut impl Write, start: &str, row: &[Option<f64>]) -> io::Result<()> {
    let line: String = row.iter().map(|&v| value(v)).collect();
    writeln!(out, "{}", format!("{start}{line}").trim_end())
}

fn write_kepler(out: &mut impl Write, k: &KeplerEphemeris) -> io::Result<()> {
    write_row(out, &format!("{} {}", k.sat, date(k.toc, k.scale())), &k.clock.map(Some))?;
    for row in rows(k.message) {
        write_row(out, "    ", &row.map(|value| value.get(k)))?;
    }
    Ok(())
}

/// RINEX 3.05 table A10, RINEX 4.02 table A18.
fn write_glonass(out: &mut impl Write, g: &GlonassEphemeris) -> io::Result<()> {
    let sent = g.transmit.map_or(UNKNOWN, |t| {
        // Seconds of the week of UTC in which the ephemeris is.
        g.toe.week_tow(TimeScale::Utc).1 + (t - g.toe)
    });
    let clock = [Some(-g.tau_n), Some(g.gamma_n), Some(sent)];
    write_row(out, &format!("{} {}", g.sat, date(g.toe, TimeScale::Utc)), &clock)?;
    let (p, v, a) = (g.position, g.velocity, g.acceleration);
    let rows = [
        (p.x, v.x, a.x, f64::from(g.health)),
        (p.y, v.y, a.y, f64::from(g.channel)),
        (p.z, v.z, a.z, f64::from(g.age_days)),
    ];
    for (p, v, a, last) in rows {
        write_row(out, "    ", &[p / 1000.0, v / 1000.0, a / 1000.0, last].map(Some))?;
    }
    let number = |v: Option<u8>| v.map(f64::from);
    let delay = g.delta_tau.or(Some(0.999_999_999_999e9));
    write_row(out, "    ", &[g.status.map(f64::from), delay, number(g.accuracy), number(g.health_flags)])
}

/// Writes what is not of one satellite: ionosphere coefficients, time offsets, earth orientation.
pub(crate) fn write_system_records(out: &mut impl Write, nav: &NavData) -> io::Result<()> {
    write_times(out, nav)?;
    if let Some(e) = &nav.earth_orientation {
        writeln!(out, "> EOP C   CNVX")?;
        let row = |v: [f64; 2]| [Some(v[0]), Some(v[1]), Some(0.0)];
        write_row(out, &format!("    {}", date(e.reference, TimeScale::Bdt)), &row(e.pole_x))?;
        write_row(out, &" ".repeat(23), &row(e.pole_y))?;
        let [u0, u1, u2] = row(e.dut1);
        write_row(out, "    ", &[Some(UNKNOWN), u0, u1, u2])?;
    }
    for dated in nav.iono_history() {
        write_iono(out, *dated)?;
    }
    // Sets of unknown date are written with that of the last ephemeris.
    let latest = |c: Constellation| {
        let toes = nav.ephemerides().filter(|e| e.sat().constellation == c).map(Ephemeris::toe);
        toes.max_by(|a, b| (*a - *b).total_cmp(&0.0)).unwrap_or_default()
    };
    let current = [
        nav.gps_iono.map(|k| (Constellation::Gps, Iono::GpsKlobuchar(k))),
        nav.bds_iono.map(|k| (Constellation::Bds, Iono::BdsKlobuchar(k))),
        nav.bdgim.map(|b| (Constellation::Bds, Iono::Bdgim(b))),
    ];
    for (constellation, iono) in current.into_iter().flatten() {
        if !nav.iono_history().iter().any(|dated| dated.iono == iono) {
            write_iono(out, DatedIono { time: latest(constellation), sat: None, iono })?;
        }
    }
    if let Some([a0, a1, a2]) = nav.galileo_iono {
        writeln!(out, "> ION E   IFNV")?;
        let t = date(latest(Constellation::Galileo), TimeScale::Gpst);
        write_row(out, &format!("    {t}"), &[a0, a1, a2].map(Some))?;
        write_row(out, "    ", &[Some(0.0)])?;
    }
    Ok(())
}

fn write_iono(out: &mut impl Write, dated: DatedIono) -> io::Result<()> {
    let DatedIono { time, sat, iono } = dated;
    let (system, message, scale) = match iono {
        Iono::GpsKlobuchar(_) => ('G', "LNAV", TimeScale::Gpst),
        Iono::BdsKlobuchar(_) => ('C', "D1D2", TimeScale::Bdt),
        Iono::Bdgim(_) => ('C', "CNVX", TimeScale::Bdt),
        _ => return Ok(()),
    };
    let mut values = [None; 11];
    let coefficients: &mut dyn Iterator<Item = f64> = match &iono {
        Iono::GpsKlobuchar(k) | Iono::BdsKlobuchar(k) => &mut k.alpha.into_iter().chain(k.beta),
        Iono::Bdgim(b) => &mut b.alpha.into_iter(),
        _ => return Ok(()),
    };
    values.iter_mut().zip(coefficients).for_each(|(place, v)| *place = Some(v));
    let source = sat.map_or_else(|| format!("{system}  "), |sat: Sat| sat.to_string());
    writeln!(out, "> ION {source} {message}")?;
    let (first, rest) = values.split_at(3);
    write_row(out, &format!("    {}", date(time, scale)), first)?;
    for row in rest.chunks(4).filter(|row| row.iter().any(Option::is_some)) {
        write_row(out, "    ", row)?;
    }
    Ok(())
}

/// Relations between time scales.
fn write_times(out: &mut impl Write, nav: &NavData) -> io::Result<()> {
    let utc = [
        ("GPUT", "G   LNAV", "UTC(USNO)", &nav.gps_utc),
        ("GAUT", "E   IFNV", "UTCGAL", &nav.galileo_utc),
        ("BDUT", "C   CNVX", "UTC(NTSC)", &nav.bds_utc),
    ];
    for (code, source, name, utc) in utc {
        if let Some(u) = utc {
            write_offset(out, code, source, name, (u.tot, u.scale), [u.a0, u.a1, u.a2])?;
        }
    }
    for o in &nav.offsets {
        let Some((code, _)) = OFFSETS.iter().find(|(_, scales)| *scales == (o.from, o.to)) else { continue };
        let source = match o.from {
            TimeScale::Bdt => "C   CNVX",
            TimeScale::Gst => "E   IFNV",
            _ => "R   FDMA",
        };
        write_offset(out, code, source, "", (o.reference, o.from), [o.a0, o.a1, o.a2])?;
    }
    Ok(())
}

fn write_offset(
    out: &mut impl Write,
    code: &str,
    source: &str,
    utc: &str,
    (reference, scale): (GnssTime, TimeScale),
    a: [f64; 3],
) -> io::Result<()> {
    writeln!(out, "> STO {source}")?;
    let line = format!("    {} {code:<38}{utc}", date(reference, scale));
    writeln!(out, "{}", line.trim_end())?;
    let [a0, a1, a2] = a.map(Some);
    write_row(out, "    ", &[Some(UNKNOWN), a0, a1, a2])
}
