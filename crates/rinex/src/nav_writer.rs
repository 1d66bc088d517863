//! Navigation files, RINEX 3.05.

use std::io::{self, Write};

use megrez_orbit::{
    CivilTime, Ephemeris, GnssTime, Iono, KeplerEphemeris, Klobuchar, NavData, TimeScale, UtcParams,
};
use megrez_signal::NavMessage;

use crate::field::scientific;

/// Who wrote a file and when, for its header.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileInfo {
    /// Program.
    pub program: String,
    /// Who ran it; may be empty.
    pub run_by: String,
    /// When (shown in UTC); none leaves the date out.
    pub date: Option<GnssTime>,
}

/// What RINEX writes for an unknown transmission time.
const UNKNOWN: f64 = 0.9999e9;
/// What it writes for an accuracy without prediction.
const NO_ACCURACY: f64 = 8192.0;

/// One header line: content in 60 columns, then its label.
pub(crate) fn header_line(out: &mut impl Write, content: &str, label: &str) -> io::Result<()> {
    writeln!(out, "{content:<60.60}{label:<20}")
}

impl FileInfo {
    /// The PGM / RUN BY / DATE line.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let date = self.date.map(|t| {
            let c = t.civil(TimeScale::Utc);
            format!(
                "{:04}{:02}{:02} {:02}{:02}{:02} UTC",
                c.year, c.month, c.day, c.hour, c.minute, c.second as u8
            )
        });
        let content = format!("{:<20.20}{:<20.20}{}", self.program, self.run_by, date.unwrap_or_default());
        header_line(out, &content, "PGM / RUN BY / DATE")
    }
}

/// Writes the ephemerides, ionosphere coefficients, time offsets and leap seconds of `nav` as a mixed
/// navigation file of version 3.05.
///
/// Version 3 has no records for B-CNAV1 ephemerides and BDGIM coefficients: these are left out.
pub fn write_nav(mut out: impl Write, nav: &NavData, info: &FileInfo) -> io::Result<()> {
    let out = &mut out;
    let title = format!("{:>9}{:11}{:<20}{:<20}", "3.05", "", "N: GNSS NAV DATA", "M: MIXED");
    header_line(out, &title, "RINEX VERSION / TYPE")?;
    info.write(out)?;
    write_iono(out, nav)?;
    write_time(out, nav)?;
    header_line(out, "", "END OF HEADER")?;
    for ephemeris in nav.ephemerides() {
        let Ephemeris::Kepler(k) = ephemeris else { continue };
        match k.message {
            NavMessage::Lnav => write_record(out, k, TimeScale::Gpst)?,
            NavMessage::D1 | NavMessage::D2 => write_record(out, k, TimeScale::Bdt)?,
            _ => {}
        }
    }
    out.flush()
}

fn write_iono(out: &mut impl Write, nav: &NavData) -> io::Result<()> {
    if let Some(k) = &nav.gps_iono {
        write_klobuchar(out, "GPS", k, "")?;
    }
    // BDS coefficients carry the hour of BDT from which they hold; the last set of each hour is written.
    let mut by_hour: [Option<&Klobuchar>; 24] = [None; 24];
    for (t, iono) in nav.iono_history() {
        if let Iono::BdsKlobuchar(k) = iono {
            let hour = (t.bdt().1 / 3600.0) as usize % 24;
            if let Some(slot) = by_hour.get_mut(hour) {
                *slot = Some(k);
            }
        }
    }
    for (mark, k) in ('A'..='X').zip(by_hour) {
        if let Some(k) = k {
            write_klobuchar(out, "BDS", k, &mark.to_string())?;
        }
    }
    match &nav.bds_iono {
        // A set without a date, or one that is current for another reason, comes last.
        Some(k) if !by_hour.contains(&Some(k)) => write_klobuchar(out, "BDS", k, ""),
        _ => Ok(()),
    }
}

fn write_klobuchar(out: &mut impl Write, system: &str, k: &Klobuchar, mark: &str) -> io::Result<()> {
    for (part, values) in [('A', &k.alpha), ('B', &k.beta)] {
        let values: String = values.iter().map(|&v| scientific(v, 12, 4)).collect();
        header_line(out, &format!("{system}{part} {values} {mark}"), "IONOSPHERIC CORR")?;
    }
    Ok(())
}

fn write_time(out: &mut impl Write, nav: &NavData) -> io::Result<()> {
    let utc = [("GPUT", &nav.gps_utc), ("BDUT", &nav.bds_utc)];
    for (code, utc) in utc {
        if let Some(u) = utc {
            write_offset(out, code, u.a0, u.a1, u.tot.week_tow(u.scale))?;
        }
    }
    let galileo = nav.offsets.iter().rfind(|o| (o.from, o.to) == (TimeScale::Gst, TimeScale::Gpst));
    if let Some(o) = galileo {
        write_offset(out, "GAGP", o.a0, o.a1, o.reference.gpst())?;
    }
    let leap = match (&nav.gps_utc, &nav.bds_utc, nav.leap_s) {
        (Some(u), _, _) => Some((u.leap_s, leap_change(u, 0, 0))),
        (None, Some(u), _) => Some((u.leap_s + 14, leap_change(u, 14, 1356))),
        (None, None, Some(leap)) => Some((leap, None)),
        _ => None,
    };
    match leap {
        Some((now, Some((future, week, day)))) => {
            header_line(out, &format!("{now:6}{future:6}{week:6}{day:6}"), "LEAP SECONDS")
        }
        Some((now, None)) => header_line(out, &format!("{now:6}"), "LEAP SECONDS"),
        None => Ok(()),
    }
}

/// Leap seconds after the change, its GPS week and GPS day (1 to 7), if the message gave them.
fn leap_change(u: &UtcParams, shift_s: i64, shift_weeks: i64) -> Option<(i64, i64, u8)> {
    let day = if u.scale == TimeScale::Bdt { u.dn + 1 } else { u.dn };
    (u.wn_lsf > 0).then_some((u.leap_future_s + shift_s, u.wn_lsf + shift_weeks, day))
}

fn write_offset(out: &mut impl Write, code: &str, a0: f64, a1: f64, at: (i64, f64)) -> io::Result<()> {
    let (week, tow) = at;
    let content =
        format!("{code} {}{}{:7}{week:5}", scientific(a0, 17, 10), scientific(a1, 16, 9), tow as i64);
    header_line(out, &content, "TIME SYSTEM CORR")
}

fn write_record(out: &mut impl Write, k: &KeplerEphemeris, scale: TimeScale) -> io::Result<()> {
    // A clock time between whole seconds cannot be written; no message has one.
    let CivilTime { year, month, day, hour, minute, second } = (k.toc + 1e-3).civil(scale);
    write!(out, "{} {year:04} {month:02} {day:02} {hour:02} {minute:02} {:02}", k.sat, second as u8)?;
    for value in k.clock {
        write!(out, "{}", scientific(value, 19, 12))?;
    }
    writeln!(out)?;

    let (week, toe) = k.toe.week_tow(scale);
    // Seconds of the week of toe, so that a message sent before a week's end counts negative.
    let start = GnssTime::from_week_tow(scale, week, 0.0);
    let sent = k.transmit.map_or(UNKNOWN, |t| t - start);
    let ura = k.ura_m.unwrap_or(NO_ACCURACY);
    let health = f64::from(k.health);
    let (iode, iodc) = (f64::from(k.iode), f64::from(k.iodc));
    let week = week as f64;
    let some = |v: f64| Some(v);
    let (accuracy, last) = match k.message {
        NavMessage::Lnav => {
            ([some(ura), some(health), k.delays.tgd, some(iodc)], [some(sent), some(4.0), None, None])
        }
        _ => ([some(ura), some(health), k.delays.tgd1, k.delays.tgd2], [some(sent), some(iodc), None, None]),
    };
    let rows = [
        [iode, k.crs, k.delta_n, k.m0].map(some),
        [k.cuc, k.e, k.cus, k.a.sqrt()].map(some),
        [toe, k.cic, k.omega0, k.cis].map(some),
        [k.i0, k.crc, k.omega, k.omega_dot].map(some),
        [k.i_dot, 0.0, week, 0.0].map(some),
        accuracy,
        last,
    ];
    for row in rows {
        let line: String =
            row.iter().map(|v| v.map_or_else(|| " ".repeat(19), |v| scientific(v, 19, 12))).collect();
        writeln!(out, "    {}", line.trim_end())?;
    }
    Ok(())
}
