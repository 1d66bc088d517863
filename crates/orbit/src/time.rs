//! Instants and time scales.
//!
//! A [`GnssTime`] is an instant of continuous atomic time, kept as seconds since the GPS epoch
//! (1980-01-06 00:00:00 UTC). BDT is GPST - 14 s and GST is GPST in whole seconds; UTC lags by the leap
//! seconds. The sub-microsecond offsets between the systems' realisations are broadcast corrections
//! ([`crate::TimeOffset`]), not part of the scale.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use megrez_signal::Constellation;

/// Seconds of a week.
pub(crate) const WEEK_S: i64 = 604_800;
/// GPST - BDT in seconds (BDS-SIS-ICD-B1I-3.0 section 3.3).
const GPST_MINUS_BDT_S: i64 = 14;
/// BDT week 0 is GPS week 1356.
const BDT_WEEK_OFFSET: i64 = 1356;
/// Days from 1970-01-01 to the GPS epoch.
const GPS_EPOCH_DAYS: i64 = 3657;

/// Leap seconds: first UTC day (days since 1970-01-01) and GPST - UTC from then on (IERS Bulletin C).
#[rustfmt::skip]
const LEAP_SECONDS: [(i64, i64); 19] = [
    (3657, 0), (4199, 1), (4564, 2), (4929, 3), (5660, 4), (6574, 5), (7305, 6), (7670, 7), (8217, 8),
    (8582, 9), (8947, 10), (9496, 11), (10043, 12), (10592, 13), (13149, 14), (14245, 15), (15522, 16),
    (16617, 17), (17167, 18),
];

/// A time scale in which an instant can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeScale {
    /// GPS time.
    Gpst,
    /// BeiDou time.
    Bdt,
    /// Galileo system time; weeks count as GPS weeks (as RINEX 3 does).
    Gst,
    /// Coordinated universal time.
    Utc,
}

impl TimeScale {
    /// The scale in which a system states its time of week: BDT for BDS, GPST otherwise.
    pub fn of(constellation: Constellation) -> Self {
        match constellation {
            Constellation::Bds => Self::Bdt,
            _ => Self::Gpst,
        }
    }
}

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct GnssTime {
    /// Whole GPST seconds since 1980-01-06 00:00:00.
    secs: i64,
    /// Fraction of a second, 0 <= frac < 1.
    frac: f64,
}

/// A date and time of day, in the scale it was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CivilTime {
    /// Year, for example 2026.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 <= s < 60 (61 in a UTC leap second).
    pub second: f64,
}

impl GnssTime {
    /// The instant `week` and `tow` seconds of week in `scale` (GPST, BDT or GST; UTC counts as GPST).
    /// `tow` may lie outside the week.
    pub fn from_week_tow(scale: TimeScale, week: i64, tow: f64) -> Self {
        let (week, shift) = match scale {
            TimeScale::Bdt => (week + BDT_WEEK_OFFSET, GPST_MINUS_BDT_S),
            TimeScale::Gpst | TimeScale::Gst | TimeScale::Utc => (week, 0),
        };
        Self { secs: week * WEEK_S + shift, frac: 0.0 } + tow
    }

    /// The instant of a GPS week and time of week in seconds.
    pub fn from_gpst(week: i64, tow: f64) -> Self {
        Self::from_week_tow(TimeScale::Gpst, week, tow)
    }

    /// The instant of a BDT week and time of week in seconds.
    pub fn from_bdt(week: i64, tow: f64) -> Self {
        Self::from_week_tow(TimeScale::Bdt, week, tow)
    }

    /// Week and time of week in seconds (0 <= tow < 604800) in `scale`.
    pub fn week_tow(self, scale: TimeScale) -> (i64, f64) {
        let (shift, week_offset) = match scale {
            TimeScale::Bdt => (GPST_MINUS_BDT_S, BDT_WEEK_OFFSET),
            TimeScale::Gpst | TimeScale::Gst => (0, 0),
            TimeScale::Utc => (self.leap_seconds(), 0),
        };
        let secs = self.secs - shift;
        (secs.div_euclid(WEEK_S) - week_offset, secs.rem_euclid(WEEK_S) as f64 + self.frac)
    }

    /// GPS week and time of week in seconds.
    pub fn gpst(self) -> (i64, f64) {
        self.week_tow(TimeScale::Gpst)
    }

    /// BDT week and time of week in seconds.
    pub fn bdt(self) -> (i64, f64) {
        self.week_tow(TimeScale::Bdt)
    }

    /// GPST - UTC in seconds at this instant, from the published list of leap seconds.
    pub fn leap_seconds(self) -> i64 {
        LEAP_SECONDS
            .iter()
            .rev()
            .find(|&&(day, leap)| self.secs >= (day - GPS_EPOCH_DAYS) * 86_400 + leap)
            .map_or(0, |&(_, leap)| leap)
    }

    /// The instant of a date and time of day in `scale`.
    pub fn from_civil(scale: TimeScale, civil: CivilTime) -> Self {
        let days = days_from_civil(civil.year, civil.month, civil.day) - GPS_EPOCH_DAYS;
        let secs = days * 86_400 + i64::from(civil.hour) * 3600 + i64::from(civil.minute) * 60;
        let shift = match scale {
            TimeScale::Gpst | TimeScale::Gst => 0,
            TimeScale::Bdt => GPST_MINUS_BDT_S,
            TimeScale::Utc => LEAP_SECONDS
                .iter()
                .rev()
                .find(|&&(day, _)| days + GPS_EPOCH_DAYS >= day)
                .map_or(0, |&(_, leap)| leap),
        };
        Self { secs: secs + shift, frac: 0.0 } + civil.second
    }

    /// Date and time of day in `scale`. A leap second shows as second 60.
    pub fn civil(self, scale: TimeScale) -> CivilTime {
        let mut leap_second = 0.0;
        let secs = match scale {
            TimeScale::Gpst | TimeScale::Gst => self.secs,
            TimeScale::Bdt => self.secs - GPST_MINUS_BDT_S,
            TimeScale::Utc => {
                let leap = self.leap_seconds();
                let next = Self { secs: self.secs + 1, frac: 0.0 }.leap_seconds();
                if next > leap {
                    leap_second = 1.0;
                    self.secs - next
                } else {
                    self.secs - leap
                }
            }
        };
        let (days, tod) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days + GPS_EPOCH_DAYS);
        CivilTime {
            year,
            month,
            day,
            hour: (tod / 3600) as u8,
            minute: (tod / 60 % 60) as u8,
            second: (tod % 60) as f64 + self.frac + leap_second,
        }
    }

    /// Modified Julian date in the scale of UTC without leap seconds smeared (days, UTC).
    pub fn mjd_utc(self) -> f64 {
        let secs = self.secs - self.leap_seconds();
        44_244.0 + (secs as f64 + self.frac) / 86_400.0
    }

    /// This instant rounded to a multiple of `step_s` seconds of GPST.
    pub fn round_to(self, step_s: f64) -> Self {
        let (week, tow) = self.gpst();
        Self::from_gpst(week, (tow / step_s).round() * step_s)
    }

    /// The instant nearest to this one whose time of week in `scale` is `tow` seconds.
    pub fn nearest_tow(self, scale: TimeScale, tow: f64) -> Self {
        let (week, here) = self.week_tow(scale);
        let weeks = ((here - tow) / WEEK_S as f64).round() as i64;
        Self::from_week_tow(scale, week + weeks, tow)
    }

    /// The full week number of scale `scale` that is nearest to this instant and equal to `week` modulo
    /// `modulo` (a broadcast week number loses its high bits).
    pub fn resolve_week(self, scale: TimeScale, week: i64, modulo: i64) -> i64 {
        let (here, _) = self.week_tow(scale);
        let delta = (week - here).rem_euclid(modulo);
        here + if delta > modulo / 2 { delta - modulo } else { delta }
    }
}

/// Days since 1970-01-01 of a Gregorian date.
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Gregorian date of a count of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u8, day as u8)
}

impl Add<f64> for GnssTime {
    type Output = Self;

    /// Later by `seconds`.
    fn add(self, seconds: f64) -> Self {
        let whole = seconds.floor();
        let frac = self.frac + (seconds - whole);
        let carry = frac.floor();
        Self { secs: self.secs.saturating_add(whole as i64).saturating_add(carry as i64), frac: frac - carry }
    }
}

impl AddAssign<f64> for GnssTime {
    fn add_assign(&mut self, seconds: f64) {
        *self = *self + seconds;
    }
}

impl Sub<f64> for GnssTime {
    type Output = Self;

    fn sub(self, seconds: f64) -> Self {
        self + -seconds
    }
}

impl Sub for GnssTime {
    type Output = f64;

    /// Difference in seconds.
    fn sub(self, other: Self) -> f64 {
        (self.secs - other.secs) as f64 + (self.frac - other.frac)
    }
}

impl fmt::Display for CivilTime {
    /// ISO 8601 without a zone, milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Truncated, so that 59.9996 s never shows as 60.
        let ms = (self.second * 1000.0 + 1e-6).floor();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}",
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            (ms / 1000.0).floor(),
            ms % 1000.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: f64) -> GnssTime {
        GnssTime::from_civil(TimeScale::Utc, CivilTime { year, month, day, hour, minute, second })
    }

    #[test]
    fn epochs() {
        assert_eq!(utc(1980, 1, 6, 0, 0, 0.0).gpst(), (0, 0.0));
        assert_eq!(utc(2006, 1, 1, 0, 0, 0.0).bdt(), (0, 0.0));
        assert_eq!(GnssTime::from_gpst(1356, 14.0).bdt(), (0, 0.0));
        assert_eq!(utc(2021, 11, 25, 0, 40, 39.7).leap_seconds(), 18);
        assert!((utc(2000, 1, 1, 12, 0, 0.0).mjd_utc() - 51_544.5).abs() < 1e-9);
    }

    #[test]
    fn leap_second_is_second_sixty() {
        let before = utc(2016, 12, 31, 23, 59, 59.5);
        assert_eq!(before.civil(TimeScale::Utc).second, 59.5);
        assert_eq!((before + 1.0).civil(TimeScale::Utc).second, 60.5);
        assert_eq!((before + 1.0).civil(TimeScale::Utc).day, 31);
        let after = (before + 2.0).civil(TimeScale::Utc);
        assert_eq!((after.year, after.second), (2017, 0.5));
    }

    #[test]
    fn time_of_week_resolves_across_the_week_end() {
        let end = GnssTime::from_gpst(2300, 604_799.0);
        assert_eq!(end.nearest_tow(TimeScale::Gpst, 5.0), GnssTime::from_gpst(2301, 5.0));
        assert_eq!((end + 3.0).nearest_tow(TimeScale::Gpst, 604_798.0), GnssTime::from_gpst(2300, 604_798.0));
        // The BDT week ends 14 s after the GPS week.
        assert_eq!(end.nearest_tow(TimeScale::Bdt, 604_790.0), GnssTime::from_gpst(2301, 4.0));
    }

    #[test]
    fn weeks_resolve_to_the_nearest() {
        let now = GnssTime::from_gpst(2394, 5.0);
        assert_eq!(now.resolve_week(TimeScale::Gpst, 2394 % 1024, 1024), 2394);
        assert_eq!(now.resolve_week(TimeScale::Gpst, 2395 % 1024, 1024), 2395);
        assert_eq!(now.resolve_week(TimeScale::Bdt, 1037, 8192), 1037);
        assert_eq!(GnssTime::from_gpst(2048, 0.0).resolve_week(TimeScale::Gpst, 1023, 1024), 2047);
    }

    proptest! {
        #[test]
        fn civil_round_trips(secs in 0i64..3_000_000_000, frac in 0.0..1.0f64) {
            let t = GnssTime { secs, frac };
            for scale in [TimeScale::Gpst, TimeScale::Bdt, TimeScale::Utc] {
                let back = GnssTime::from_civil(scale, t.civil(scale));
                prop_assert!((back - t).abs() < 1e-9, "{scale:?} {} {}", t.civil(scale), back - t);
            }
            let (week, tow) = t.bdt();
            prop_assert!((GnssTime::from_bdt(week, tow) - t).abs() < 1e-9);
        }
    }
}
