//! Navigation files, RINEX 3.05 and 4.02.

use std::io::{self, Write};

use megrez_orbit::{GnssTime, Iono, Klobuchar, NavData, TimeScale, UtcParams};
use megrez_signal::NavMessage;

use crate::field::scientific;
use crate::nav_records;

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

/// The format of a navigation file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NavFormat {
    /// Version 3.05. It has no records for B-CNAV, and its header holds ionosphere coefficients with few digits.
    Rinex3,
    /// Version 4.02.
    Rinex4,
}

impl NavFormat {
    /// The older format if it can hold the ephemerides of `nav`: more programs read it.
    pub fn of(nav: &NavData) -> Self {
        let cnav = |m| matches!(m, NavMessage::Cnav1 | NavMessage::Cnav2 | NavMessage::Cnav3);
        if nav.ephemerides().any(|e| cnav(e.message())) { Self::Rinex4 } else { Self::Rinex3 }
    }
}

/// One header line: content in 60 columns, then its label.
pub(crate) fn header_line(out: &mut impl Write, content: &str, label: &str) -> io::Result<()> {
    writeln!(out, "{content:<60.60}{label:<20}")
}

impl FileInfo {
    /// Program, runner and date as [`crate::ObsFileHeader::program`] has them.
    pub fn columns(&self) -> [String; 3] {
        let date = self.date.map(|t| {
            let c = t.civil(TimeScale::Utc);
            format!(
                "{:04}{:02}{:02} {:02}{:02}{:02} UTC",
                c.year, c.month, c.day, c.hour, c.minute, c.second as u8
            )
        });
        [self.program.clone(), self.run_by.clone(), date.unwrap_or_default()]
    }

    /// The PGM / RUN BY / DATE line.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let [program, run_by, date] = self.columns();
        header_line(out, &format!("{program:<20.20}{run_by:<20.20}{date}"), "PGM / RUN BY / DATE")
    }
}

/// Writes `nav` as a mixed navigation file: of version 4.02 if it holds B-CNAV ephemerides, else of 3.05. See
/// [`write_nav_as`].
pub fn write_nav(out: impl Write, nav: &NavData, info: &FileInfo) -> io::Result<()> {
    write_nav_as(out, nav, info, NavFormat::of(nav))
}

/// Writes ephemerides, ionosphere coefficients, time offsets, leap seconds and, in version 4.02, earth orientation of
/// `nav` as a mixed navigation file.
///
/// Version 3.05 leaves out B-CNAV ephemerides and BDGIM coefficients. What the format asks for and `nav` does not
/// know is written as the format's mark for unknown values, or left blank.
pub fn write_nav_as(
    mut out: impl Write,
    nav: &NavData,
    info: &FileInfo,
    format: NavFormat,
) -> io::Result<()> {
    let out = &mut out;
    let four = format == NavFormat::Rinex4;
    let version = if four { "4.02" } else { "3.05" };
    let title = format!("{version:>9}{:11}{:<20}{:<20}", "", "N: GNSS NAV DATA", "M: MIXED");
    header_line(out, &title, "RINEX VERSION / TYPE")?;
    info.write(out)?;
    if !four {
        write_iono(out, nav)?;
        write_offsets(out, nav)?;
    }
    write_leap(out, nav)?;
    header_line(out, "", "END OF HEADER")?;
    if four {
        nav_records::write_system_records(out, nav)?;
    }
    for ephemeris in nav.ephemerides() {
        nav_records::write_ephemeris(out, nav, ephemeris, format)?;
    }
    out.flush()
}

fn write_iono(out: &mut impl Write, nav: &NavData) -> io::Result<()> {
    if let Some([a0, a1, a2]) = nav.galileo_iono {
        let values: String = [a0, a1, a2, 0.0].iter().map(|&v| scientific(v, 12, 4)).collect();
        header_line(out, &format!("GAL  {values}"), "IONOSPHERIC CORR")?;
    }
    if let Some(k) = &nav.gps_iono {
        write_klobuchar(out, "GPS", k, "")?;
    }
    // BDS coefficients carry the hour of BDT from which they hold; the last set of each hour is written.
    let mut by_hour: [Option<&Klobuchar>; 24] = [None; 24];
    for dated in nav.iono_history() {
        if let Iono::BdsKlobuchar(k) = &dated.iono {
            let hour = (dated.time.bdt().1 / 3600.0) as usize % 24;
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

fn write_offsets(out: &mut impl Write, nav: &NavData) -> io::Result<()> {
    for (code, utc) in [("GPUT", &nav.gps_utc), ("GAUT", &nav.galileo_utc), ("BDUT", &nav.bds_utc)] {
        if let Some(u) = utc {
            write_offset(out, code, u.a0, u.a1, u.tot.week_tow(u.scale))?;
        }
    }
    for (code, scales) in OFFSETS {
        if let Some(o) = nav.offsets.iter().rfind(|o| (o.from, o.to) == scales) {
            // Weeks count as GPS weeks; BDT by its own.
            let scale = if o.from == TimeScale::Bdt { TimeScale::Bdt } else { TimeScale::Gpst };
            write_offset(out, code, o.a0, o.a1, o.reference.week_tow(scale))?;
        }
    }
    Ok(())
}

/// The offsets between systems that RINEX has codes for.
pub(crate) const OFFSETS: [(&str, (TimeScale, TimeScale)); 4] = [
    ("GAGP", (TimeScale::Gst, TimeScale::Gpst)),
    ("GLGP", (TimeScale::Utc, TimeScale::Gpst)),
    ("BDGP", (TimeScale::Bdt, TimeScale::Gpst)),
    ("BDGA", (TimeScale::Bdt, TimeScale::Gst)),
];

fn write_leap(out: &mut impl Write, nav: &NavData) -> io::Result<()> {
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
