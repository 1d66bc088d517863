//! Snapshots made anywhere on earth.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{constellation, error_m, flight, normal, rng, t0};
use megrez_orbit::{Ecef, Geodetic, GnssTime, NavData};
use megrez_pvt::{CodePhase, HeightConstraint, SolveError, SolverConfig, solve_snapshot};
use megrez_signal::{SPEED_OF_LIGHT, Sat, SignalId};
use proptest::prelude::*;
use rand::RngExt;

/// Receiver time bias, oscillator and noise of a made snapshot.
#[derive(Clone, Copy)]
struct Noise {
    code_sigma_m: f64,
    doppler_sigma_hz: f64,
    drift: f64,
    gps_bias_m: f64,
}

const NOISE: Noise = Noise { code_sigma_m: 8.0, doppler_sigma_hz: 15.0, drift: 2e-5, gps_bias_m: 5.0 };

/// Code phases received at `place` at true time `t`.
fn snapshot(
    nav: &NavData,
    t: GnssTime,
    place: Ecef,
    signals: &[SignalId],
    noise: Noise,
    seed: u64,
) -> Vec<CodePhase> {
    let mut random = rng(seed);
    let mut obs = Vec::new();
    for sat in nav.sats() {
        for &signal in signals {
            let def = signal.def();
            if def.constellation != sat.constellation {
                continue;
            }
            let f = flight(nav, sat, signal, t, place);
            if f.elevation < 0.15 {
                continue;
            }
            let bias = if signal == SignalId::L1CA { noise.gps_bias_m } else { 0.0 };
            let delay = (f.range_m + f.iono_m + f.tropo_m + bias + noise.code_sigma_m * normal(&mut random))
                / SPEED_OF_LIGHT;
            let sent = t - delay;
            let (_, tow) = sent.gpst();
            let reading = tow + f.clock_s;
            let h = 0.5;
            let rate = (flight(nav, sat, signal, t + h, place).range_m
                - flight(nav, sat, signal, t - h, place).range_m)
                / (2.0 * h);
            let doppler = -(rate / SPEED_OF_LIGHT + noise.drift) * def.carrier_hz
                + noise.doppler_sigma_hz * normal(&mut random);
            obs.push(CodePhase {
                sat,
                signal,
                code_delay_s: reading.rem_euclid(def.code_period_s()),
                doppler_hz: Some(doppler),
                cn0_dbhz: 42.0,
            });
        }
    }
    obs
}

#[test]
fn with_approximate_position_and_a_minute() {
    let nav = constellation();
    let place = Geodetic::new(51.76, -1.25, 80.0).to_ecef();
    for (signals, limit) in [
        (&[SignalId::L1CA][..], 60.0),
        (&[SignalId::B1I], 40.0),
        (&[SignalId::B1CP], 40.0),
        (&[SignalId::B1I, SignalId::L1CA], 40.0),
        (&[SignalId::B1CP, SignalId::L1CA], 40.0),
        (&[SignalId::B1CP, SignalId::B1I, SignalId::L1CA], 40.0),
    ] {
        for (k, off) in [-60.0, -25.3, 0.0, 0.4, 59.0].into_iter().enumerate() {
            let t = t0() + 0.2345;
            let mut obs = snapshot(&nav, t, place, signals, NOISE, k as u64);
            for o in &mut obs {
                o.doppler_hz = None;
            }
            let approx = place + Ecef::new(60e3, -50e3, 30e3);
            let s = solve_snapshot(&obs, &nav, t + off, 60.0, Some(approx), &SolverConfig::default())
                .unwrap_or_else(|e| panic!("{signals:?} {off}: {e}"));
            let (h, ..) = error_m(s.position, place);
            assert!(h < limit, "{signals:?} {off}: {h}");
            assert!((s.time - t).abs() < 0.3, "{}", s.time - t);
            assert!((s.clock_bias_s - off - (t - s.time)).abs() < 1e-6);
        }
    }
}

/// Error of a cold start at a place, or none.
fn cold(nav: &NavData, place: Ecef, signals: &[SignalId], off_s: f64, seed: u64) -> Result<f64, SolveError> {
    let t = t0() + 100.0;
    let obs = snapshot(nav, t, place, signals, NOISE, seed);
    let s = solve_snapshot(&obs, nav, t + off_s, 60.0, None, &SolverConfig::default())?;
    assert!((s.clock_drift - NOISE.drift).abs() < 3e-8, "{}", s.clock_drift);
    Ok(error_m(s.position, place).2)
}

#[test]
fn cold_anywhere_on_earth() {
    let nav = constellation();
    let mut random = rng(21);
    for signals in [
        &[SignalId::B1I, SignalId::L1CA][..],
        &[SignalId::L1CA],
        &[SignalId::B1I],
        &[SignalId::B1CP],
        &[SignalId::B1CP, SignalId::L1CA],
    ] {
        let (mut solved, mut wrong, mut refused, mut few) = (0, 0, 0, 0);
        for seed in 0..40 {
            let lat = (random.random_range(-1.0..1.0f64)).asin().to_degrees();
            let place =
                Geodetic::new(lat, random.random_range(-180.0..180.0), random.random_range(0.0..3000.0));
            let off = random.random_range(-60.0..60.0);
            match cold(&nav, place.to_ecef(), signals, off, seed) {
                Ok(error) if error < 300.0 => solved += 1,
                Ok(error) => {
                    eprintln!("{signals:?} {place:?} {off}: wrong by {error}");
                    wrong += 1;
                }
                // Some places see six GPS satellites only.
                Err(SolveError::TooFewSatellites { .. }) => few += 1,
                Err(error) => {
                    eprintln!("{signals:?} {place:?} {off:.0}: {error}");
                    refused += 1;
                }
            }
        }
        eprintln!("cold {signals:?}: {solved} solved, {wrong} wrong, {refused} refused, {few} too few");
        assert_eq!(wrong, 0);
        assert!(few <= 8 && refused <= 1);
    }
}

#[test]
fn false_acquisitions_are_left_out() {
    let nav = constellation();
    let mut random = rng(31);
    for cold in [false, true] {
        for false_ones in [1, 2, 3, 4] {
            let place = Geodetic::new(30.0, 110.0, 500.0).to_ecef();
            let t = t0() - 500.0;
            let mut solved = 0;
            for seed in 0..20 {
                let mut obs = snapshot(&nav, t, place, &[SignalId::B1I, SignalId::L1CA], NOISE, seed);
                let n = obs.len();
                assert!(n >= 14, "{n}");
                let mut spoiled = Vec::new();
                for k in 0..false_ones {
                    let o = &mut obs[(seed as usize + 4 * k) % n];
                    o.code_delay_s = random.random_range(0.0..1e-3);
                    o.doppler_hz = o.doppler_hz.map(|_| random.random_range(-5000.0..5000.0));
                    spoiled.push(o.sat);
                }
                let approx = (!cold).then(|| place + Ecef::new(20e3, 20e3, 20e3));
                match solve_snapshot(&obs, &nav, t + 30.0, 60.0, approx, &SolverConfig::default()) {
                    Ok(s) => {
                        assert!(error_m(s.position, place).0 < 60.0);
                        assert!(s.sats.iter().all(|u| !u.used || !spoiled.contains(&u.sat)));
                        solved += 1;
                    }
                    Err(error) => eprintln!("{false_ones} false: {error}"),
                }
            }
            eprintln!("cold {cold}, {false_ones} false: {solved} of 20");
            assert!(solved >= 18);
        }
    }
}

#[test]
fn noise_alone_gives_no_fix() {
    let nav = constellation();
    let mut random = rng(41);
    let place = Geodetic::new(30.0, 110.0, 500.0).to_ecef();
    let mut fixes = 0;
    for seed in 0..60 {
        let mut obs = snapshot(&nav, t0(), place, &[SignalId::B1I], NOISE, seed);
        if seed % 2 == 0 {
            obs.truncate(7);
        }
        for o in &mut obs {
            o.code_delay_s = random.random_range(0.0..1e-3);
        }
        let approx = (seed % 3 != 0).then_some(place);
        fixes +=
            usize::from(solve_snapshot(&obs, &nav, t0(), 60.0, approx, &SolverConfig::default()).is_ok());
    }
    eprintln!("fixes from noise: {fixes} of 60");
    assert!(fixes <= 1);
}

#[test]
fn known_height_replaces_a_satellite() {
    let nav = constellation();
    let place = Geodetic::new(51.76, -1.25, 80.0).to_ecef();
    let mut obs = snapshot(&nav, t0(), place, &[SignalId::L1CA], NOISE, 3);
    obs.truncate(5);
    let config = SolverConfig::default();
    let error = solve_snapshot(&obs, &nav, t0(), 10.0, Some(place), &config).unwrap_err();
    assert!(matches!(error, SolveError::TooFewSatellites { usable: 5, needed: 6, .. }), "{error}");
    let config = SolverConfig {
        height: Some(HeightConstraint { height_m: 80.0, sigma_m: 10.0 }),
        ..SolverConfig::default()
    };
    let s = solve_snapshot(&obs, &nav, t0() + 5.0, 10.0, Some(place), &config).unwrap();
    assert!(error_m(s.position, place).0 < 100.0);
}

#[test]
fn unusable_arguments_are_named() {
    let nav = constellation();
    let place = Geodetic::new(51.76, -1.25, 80.0).to_ecef();
    let mut obs = snapshot(&nav, t0(), place, &[SignalId::L1CA], NOISE, 3);
    let config = SolverConfig::default();
    let far = solve_snapshot(&obs, &nav, t0(), 60.0, Some(place * 2.0), &config);
    assert!(far.unwrap_err().to_string().contains("approximate position"));
    assert!(matches!(
        solve_snapshot(&obs, &nav, t0(), f64::NAN, None, &config),
        Err(SolveError::BadInput { .. })
    ));
    obs.iter_mut().for_each(|o| o.doppler_hz = None);
    let blind = solve_snapshot(&obs, &nav, t0(), 60.0, None, &config);
    assert!(blind.unwrap_err().to_string().contains("neither approximate position nor Dopplers"));
    let late = solve_snapshot(&obs, &nav, t0() + 1e6, 60.0, Some(place), &config).unwrap_err();
    assert!(late.to_string().contains("no ephemeris"), "{late}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(
        codes in prop::collection::vec((any::<bool>(), 1u8..63, prop_oneof![Just(f64::NAN), -2.0..2.0f64, Just(1e300)],
            prop_oneof![Just(f64::NAN), -1e5..1e5f64, Just(1e300)]), 0..16),
        uncertainty in prop_oneof![Just(f64::NAN), 0.0..100.0f64],
        place in prop_oneof![Just(None), Just(Some(6.37e6)), Just(Some(f64::NAN))],
    ) {
        let nav = constellation();
        let obs: Vec<CodePhase> = codes
            .iter()
            .map(|&(bds, prn, code_delay_s, doppler)| CodePhase {
                sat: if bds { Sat::bds(prn) } else { Sat::gps(prn) },
                signal: if bds { SignalId::B1I } else { SignalId::L1CA },
                code_delay_s,
                doppler_hz: Some(doppler),
                cn0_dbhz: doppler,
            })
            .collect();
        let place = place.map(|x| Ecef::new(x, 0.0, 0.0));
        if let Ok(s) = solve_snapshot(&obs, &nav, t0(), uncertainty, place, &SolverConfig::default()) {
            prop_assert!(s.position.is_finite());
        }
    }
}
