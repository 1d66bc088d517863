//! A position to write.

#![allow(dead_code, clippy::unwrap_used)] // not every test file uses every helper

use megrez_orbit::{Azel, CivilTime, Enu, Geodetic, GnssTime, Observation, ObservationEpoch, TimeScale};
use megrez_pvt::{Dop, FixMode, SatUse, Solution};
use megrez_signal::{Constellation, Sat, SignalId};

/// 2026-11-24 12:00:00 UTC.
pub fn noon() -> GnssTime {
    GnssTime::from_civil(
        TimeScale::Utc,
        CivilTime { year: 2026, month: 11, day: 24, hour: 12, minute: 0, second: 0.0 },
    )
}

pub fn sat_use(sat: &str, signal: SignalId, elevation: f64, azimuth: f64, cn0: f64, used: bool) -> SatUse {
    SatUse {
        sat: sat.parse().unwrap(),
        code: signal.into(),
        azel: Azel { azimuth: azimuth.to_radians(), elevation: elevation.to_radians() },
        residual_m: 0.5,
        used,
        cn0_dbhz: Some(cn0),
    }
}

/// A fix at 40° N 116.25° E, 50 m, moving east with 10 m/s.
pub fn solution() -> Solution {
    let place = Geodetic { lat_deg: 40.0, lon_deg: 116.25, height_m: 50.0 };
    Solution {
        time: noon(),
        position: place.to_ecef(),
        velocity: Some(Enu { e: 10.0, n: 0.0, u: 0.0 }.to_ecef(place)),
        clock_bias_s: 1.25e-4,
        clock_drift: 4e-6,
        inter_system: vec![(Constellation::Gps, 3.5)],
        bds2_bias_m: None,
        hpl_m: None,
        vpl_m: None,
        covariance_enu: [[4.0, 0.0, 0.0], [0.0, 2.25, 0.0], [0.0, 0.0, 9.0]],
        dop: Dop { g: 2.0, p: 1.8, h: 0.9, v: 1.56, t: 0.87 },
        sats: vec![
            sat_use("C06", SignalId::B1I, 30.0, 45.0, 42.0, true),
            sat_use("C11", SignalId::B1I, 5.0, 200.0, 33.0, false),
            sat_use("C26", SignalId::B1I, 60.0, 180.0, 45.0, true),
            sat_use("C26", SignalId::B1CP, 60.0, 180.0, 44.0, true),
            sat_use("C59", SignalId::B1I, 90.0, 0.0, 39.0, true),
            sat_use("G05", SignalId::L1CA, 45.0, 270.0, 40.0, true),
            sat_use("G13", SignalId::L1CA, 10.0, 359.4, 36.4, true),
        ],
        mode: FixMode::Filtered,
    }
}

/// `solution` moved by metres and seconds.
pub fn moved(east: f64, north: f64, up: f64, seconds: f64) -> Solution {
    let mut s = solution();
    let offset = Enu { e: east, n: north, u: up }.to_ecef(s.geodetic());
    s.position.x += offset.x;
    s.position.y += offset.y;
    s.position.z += offset.z;
    s.time += seconds;
    s
}

/// Measurements that hold one satellite more than `solution`.
pub fn observations() -> ObservationEpoch {
    let observation = |sat: Sat, cn0_dbhz: f64| Observation {
        sat,
        code: SignalId::L1CA.into(),
        pseudorange_m: Some(2.2e7),
        carrier_phase_cycles: None,
        doppler_hz: None,
        cn0_dbhz: Some(cn0_dbhz),
        slip: false,
        half_cycle: false,
        lock_s: 1.0,
    };
    ObservationEpoch {
        time: noon(),
        observations: vec![observation(Sat::gps(5), 40.0), observation(Sat::gps(20), 31.0)],
    }
}
