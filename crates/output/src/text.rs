//! Numbers and times as written in every format.

use megrez_orbit::{GnssTime, TimeScale};

/// UTC in ISO 8601 to the nearest millisecond: `2026-11-24T12:00:00.000Z`.
pub(crate) fn utc_iso(time: GnssTime) -> String {
    format!("{}Z", (time + 0.0005).civil(TimeScale::Utc))
}

/// `x` to the nearest multiple of 10^-decimals, never -0.
pub(crate) fn rounded(x: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    let y = (x * scale).round() / scale;
    // Numbers too large to scale are their own nearest multiple.
    if y.is_finite() { y + 0.0 } else { x }
}

/// Seconds since 1970-01-01 00:00:00 UTC as POSIX counts them, in nanoseconds.
pub(crate) fn unix_nanoseconds(time: GnssTime) -> i128 {
    /// 1980-01-06 00:00:00 UTC.
    const GPS_EPOCH_S: i64 = 315_964_800;
    let (week, tow) = time.week_tow(TimeScale::Utc);
    let whole = i128::from(GPS_EPOCH_S + week * 604_800);
    // To the millisecond, as the other formats.
    whole * 1_000_000_000 + (tow * 1000.0).round() as i128 * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_orbit::CivilTime;

    #[test]
    fn times_round_to_the_millisecond() {
        let noon = GnssTime::from_civil(
            TimeScale::Utc,
            CivilTime { year: 2026, month: 11, day: 24, hour: 12, minute: 0, second: 0.0 },
        );
        assert_eq!(utc_iso(noon), "2026-11-24T12:00:00.000Z");
        assert_eq!(utc_iso(noon + -1e-8), "2026-11-24T12:00:00.000Z");
        assert_eq!(utc_iso(noon + 59.9996), "2026-11-24T12:01:00.000Z");
        assert_eq!(utc_iso(noon + 0.25), "2026-11-24T12:00:00.250Z");
        // `date -u -d 2026-11-24T12:00:00 +%s`
        assert_eq!(unix_nanoseconds(noon), 1_795_521_600_000_000_000);
    }

    #[test]
    fn rounding() {
        assert_eq!(rounded(1.23456, 3), 1.235);
        assert_eq!(rounded(-1e-9, 3).to_bits(), 0);
        assert_eq!(rounded(1e300, 9), 1e300);
        assert!(rounded(f64::NAN, 3).is_nan());
    }
}
