//! Broadcast relations between time scales.

use crate::{GnssTime, TimeScale};

/// Relation of GPST or BDT to UTC (IS-GPS-200 section 20.3.3.5.2.4, BDS-SIS-ICD-B1I-3.0 section 5.2.4.17).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UtcParams {
    /// The system's time scale: GPST or BDT.
    pub scale: TimeScale,
    /// Offset in s beyond the leap seconds, at `tot`.
    pub a0: f64,
    /// Rate of the offset in s/s.
    pub a1: f64,
    /// Acceleration of the offset in s/s² (B-CNAV; otherwise 0).
    pub a2: f64,
    /// Reference time; the start of the week for D1 and D2, which send none.
    pub tot: GnssTime,
    /// Leap seconds now: `scale` minus UTC (GPST 18, BDT 4 since 2017).
    pub leap_s: i64,
    /// Full week, in `scale`, of the next or latest leap second.
    pub wn_lsf: i64,
    /// Day of that week at whose end it falls, as sent: 1 to 7 (GPS, B-CNAV 0 to 6, D1 and D2 0 to 6).
    pub dn: u8,
    /// Leap seconds after it.
    pub leap_future_s: i64,
}

impl UtcParams {
    /// `scale` minus UTC in s at `t`, with the broadcast fraction of a second.
    pub fn offset_s(&self, t: GnssTime) -> f64 {
        let day = match self.scale {
            TimeScale::Bdt => i64::from(self.dn) + 1,
            _ => i64::from(self.dn),
        };
        let change =
            GnssTime::from_week_tow(self.scale, self.wn_lsf, (day * 86_400 + self.leap_future_s) as f64);
        let leap = if t - change >= 0.0 { self.leap_future_s } else { self.leap_s };
        let dt = t - self.tot;
        leap as f64 + self.a0 + (self.a1 + self.a2 * dt) * dt
    }
}

/// Offset between the realisations of two time scales beyond whole seconds: `from` minus `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeOffset {
    /// First scale.
    pub from: TimeScale,
    /// Second scale; [`TimeScale::Utc`] stands for GLONASS time, which is UTC(SU) and 3 h.
    pub to: TimeScale,
    /// Offset at `reference` in s.
    pub a0: f64,
    /// Rate in s/s.
    pub a1: f64,
    /// Acceleration in s/s².
    pub a2: f64,
    /// Reference time.
    pub reference: GnssTime,
}

impl TimeOffset {
    /// `from` minus `to` in s at `t`, without the whole seconds between the scales.
    pub fn offset_s(&self, t: GnssTime) -> f64 {
        let dt = t - self.reference;
        self.a0 + (self.a1 + self.a2 * dt) * dt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CivilTime;

    #[test]
    fn leap_second_of_2016_in_both_systems() {
        let midnight = GnssTime::from_civil(
            TimeScale::Utc,
            CivilTime { year: 2017, month: 1, day: 1, hour: 0, minute: 0, second: 0.0 },
        );
        let gps = UtcParams {
            scale: TimeScale::Gpst,
            a0: 1e-9,
            a1: 2e-15,
            a2: 0.0,
            tot: midnight - 1e5,
            leap_s: 17,
            wn_lsf: 1929,
            dn: 7,
            leap_future_s: 18,
        };
        let bds = UtcParams {
            scale: TimeScale::Bdt,
            leap_s: 3,
            wn_lsf: 1929 - 1356,
            dn: 6,
            leap_future_s: 4,
            ..gps
        };
        for (params, old) in [(gps, 17.0), (bds, 3.0)] {
            for (dt, leap) in [(-86_400.0, old), (-1.5, old), (0.5, old + 1.0), (86_400.0, old + 1.0)] {
                let found = params.offset_s(midnight + dt);
                assert!((found - leap - 1e-9 - 2e-15 * (1e5 + dt)).abs() < 1e-14, "{params:?} {dt} {found}");
            }
        }
    }

    #[test]
    fn offsets_follow_their_polynomial() {
        let reference = GnssTime::from_bdt(1000, 0.0);
        let o = TimeOffset {
            from: TimeScale::Bdt,
            to: TimeScale::Gpst,
            a0: 1e-8,
            a1: 1e-13,
            a2: 1e-18,
            reference,
        };
        assert!((o.offset_s(reference + 1000.0) - (1e-8 + 1e-10 + 1e-12)).abs() < 1e-20);
    }
}
