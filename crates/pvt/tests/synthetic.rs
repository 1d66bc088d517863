//! Made measurements with known truth: exactness, faults, missing pieces, garbage.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Scene, beijing, constellation, error_m, normal, rng, t0};
use megrez_orbit::{Ecef, Geodetic, GnssTime, NavData, Observation, ObservationEpoch};
use megrez_pvt::{Dynamics, Filter, IonoMode, Refusal, SolveError, SolverConfig, solve};
use megrez_signal::{Constellation, SPEED_OF_LIGHT, Sat, SignalId};
use proptest::prelude::*;

fn still(place: Geodetic) -> impl Fn(GnssTime) -> Ecef {
    move |_| place.to_ecef()
}

fn sat_count(epoch: &ObservationEpoch, c: Constellation) -> usize {
    epoch.observations.iter().filter(|o| o.sat.constellation == c).count()
}

#[test]
fn exact_without_noise_from_the_centre_of_the_earth() {
    let nav = constellation();
    for (lat, lon, h) in [(39.9, 116.4, 60.0), (-33.0, -70.0, 500.0), (0.0, 0.0, 0.0), (88.0, 10.0, 9000.0)] {
        let place = Geodetic::new(lat, lon, h);
        let scene = Scene { clock_s: 3.3e-3, clock_drift: 4e-5, ..Scene::default() };
        let t = t0() + 600.0;
        let epoch = scene.epoch(&nav, t, &still(place), &mut rng(1));
        let s = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap();
        // The simulated and the modelled atmosphere are the same, so what is left is the solver's.
        // BDS-2 satellites get a code bias of some decimetres that the simulator does not have.
        let (.., error) = error_m(s.position, place.to_ecef());
        assert!(error < 0.5, "{lat} {lon}: {error}");
        assert!((s.clock_bias_s - scene.clock_at(t)).abs() < 3e-9);
        assert!((s.time - t).abs() < 3e-9, "{}", s.time - t);
        assert!(s.velocity.unwrap().norm() < 2e-3, "{:?}", s.velocity);
        assert!((s.clock_drift - scene.clock_drift).abs() < 1e-11, "{}", s.clock_drift);
        assert!(
            s.dop.g > 0.8 && s.dop.g < 5.0 && (s.dop.p.powi(2) + s.dop.t.powi(2)).sqrt() - s.dop.g < 1e-9
        );
    }
}

#[test]
fn exact_to_the_millimetre_with_gps() {
    let nav = constellation();
    let scene = Scene { signals: vec![SignalId::L1CA], ..Scene::default() };
    let epoch = scene.epoch(&nav, t0() - 3000.0, &still(beijing()), &mut rng(1));
    let s = solve(&epoch, &nav, &SolverConfig::default(), Some(beijing().to_ecef())).unwrap();
    assert!(error_m(s.position, beijing().to_ecef()).2 < 2e-3);
    assert!(s.sats.iter().all(|u| u.residual_m.abs() < 2e-3));
    assert!(s.inter_system.is_empty());
}

#[test]
fn receiver_clock_off_by_half_a_second() {
    let nav = constellation();
    for clock_s in [0.5, -0.5, 7.0] {
        let scene = Scene { clock_s, ..Scene::default() };
        let epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut rng(1));
        let s = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap();
        assert!(error_m(s.position, beijing().to_ecef()).2 < 0.5);
        assert!((s.clock_bias_s - clock_s).abs() < 3e-9);
    }
}

#[test]
fn inter_system_bias_is_estimated() {
    let nav = constellation();
    let scene = Scene { gps_bias_m: 120.0, ..Scene::default() };
    let epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut rng(1));
    let s = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap();
    let [(system, bias)] = s.inter_system[..] else { panic!("{:?}", s.inter_system) };
    let expected = if system == Constellation::Gps { 120.0 } else { -120.0 };
    assert!((bias - expected).abs() < 1.0, "{bias}");
    assert!(error_m(s.position, beijing().to_ecef()).2 < 0.5);
}

#[test]
fn one_satellite_of_the_other_system_does_no_harm() {
    let nav = constellation();
    let scene = Scene { gps_bias_m: 20.0, ..Scene::default() };
    let mut epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut rng(1));
    let mut seen = false;
    epoch
        .observations
        .retain(|o| o.sat.constellation == Constellation::Bds || !std::mem::replace(&mut seen, true));
    assert_eq!(sat_count(&epoch, Constellation::Gps), 1);
    let s = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap();
    let (.., error) = error_m(s.position, beijing().to_ecef());
    assert!(error < 1.0, "{error}");
    // Three and one: four satellites determine a position, if loosely.
    let mut few = epoch.clone();
    let mut bds = 0;
    few.observations.retain(|o| {
        bds += usize::from(o.sat.constellation == Constellation::Bds && !o.sat.is_bds_geo());
        o.sat.constellation == Constellation::Gps || (!o.sat.is_bds_geo() && bds <= 3)
    });
    assert_eq!(few.observations.len(), 4);
    let s = solve(&few, &nav, &SolverConfig::default(), None).unwrap();
    let (.., error) = error_m(s.position, beijing().to_ecef());
    let sigma = s.horizontal_sigma_m().hypot(s.vertical_sigma_m());
    assert!(error < 4.0 * sigma && sigma > 10.0, "{error} {sigma}");
}

#[test]
fn faulty_satellites_are_excluded_one_and_three() {
    let nav = constellation();
    let mut random = rng(7);
    let scene = Scene { code_sigma_m: 1.0, ..Scene::default() };
    for (faults, size) in [(1, 60.0), (1, 3e5), (3, 90.0), (3, -3e5), (2, 1e7)] {
        let mut epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut random);
        let n = epoch.observations.len();
        let mut spoiled = Vec::new();
        for k in 0..faults {
            let o = &mut epoch.observations[(3 + 5 * k) % n];
            *o.pseudorange_m.as_mut().unwrap() += size * (1.0 + 0.3 * k as f64);
            spoiled.push(o.sat);
        }
        let s = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap();
        assert!(error_m(s.position, beijing().to_ecef()).2 < 6.0, "{faults} of {size}");
        let unused: Vec<Sat> = s.sats.iter().filter(|u| !u.used).map(|u| u.sat).collect();
        assert_eq!(unused, spoiled, "{faults} of {size}");
    }
}

#[test]
fn a_fault_that_cannot_be_located_is_an_error() {
    let nav = constellation();
    let scene = Scene { signals: vec![SignalId::L1CA], ..Scene::default() };
    let mut epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut rng(1));
    epoch.observations.truncate(5);
    *epoch.observations[2].pseudorange_m.as_mut().unwrap() += 900.0;
    let error = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap_err();
    assert!(matches!(error, SolveError::Inconsistent { .. }), "{error}");
}

#[test]
fn errors_say_what_was_missing() {
    let full = constellation();
    let scene = Scene { signals: vec![SignalId::L1CA], ..Scene::default() };
    let mut epoch = scene.epoch(&full, t0(), &still(beijing()), &mut rng(1));
    epoch.observations.truncate(6);
    let sats: Vec<Sat> = epoch.observations.iter().map(|o| o.sat).collect();
    let mut nav = NavData::default();
    nav.gps_iono = full.gps_iono;
    for e in full.ephemerides() {
        let mut k = e.kepler().unwrap().clone();
        if k.sat == sats[1] {
            k.health = 1;
        }
        if k.sat != sats[0] {
            nav.insert(megrez_orbit::Ephemeris::Kepler(k));
        }
    }
    epoch.observations[2].pseudorange_m = Some(f64::NAN);
    let error = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap_err();
    let SolveError::TooFewSatellites { usable: 3, needed: 4, refused } = &error else { panic!("{error}") };
    let reason = |sat: Sat| refused.iter().find(|r| r.sat == sat).map(|r| r.reason);
    assert_eq!(reason(sats[0]), Some(Refusal::NoEphemeris));
    assert_eq!(reason(sats[1]), Some(Refusal::Unhealthy));
    assert_eq!(reason(sats[2]), Some(Refusal::Implausible));
    assert!(error.to_string().contains("no ephemeris"), "{error}");

    let low = SolverConfig { elevation_mask_deg: 60.0, ..SolverConfig::default() };
    let all = Scene::default().epoch(&full, t0(), &still(Geodetic::new(75.0, 10.0, 0.0)), &mut rng(1));
    let gps = ObservationEpoch {
        time: all.time,
        observations: all.observations.into_iter().filter(|o| o.code == SignalId::L1CA.into()).collect(),
    };
    match solve(&gps, &full, &low, None).unwrap_err() {
        SolveError::TooFewSatellites { refused, .. } => {
            assert!(refused.iter().any(|r| matches!(r.reason, Refusal::BelowMask { .. })));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn two_signals_of_each_satellite() {
    let nav = constellation();
    let scene = Scene { signals: vec![SignalId::B1I, SignalId::B1CP], code_sigma_m: 1.0, ..Scene::default() };
    let epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut rng(3));
    let s = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap();
    // Both are of one band and say the same of the ionosphere: the better one counts.
    assert_eq!(s.sats_used(), s.sats.iter().filter(|u| u.used).count());
    assert_eq!(2 * s.sats_used(), s.sats.len());
    assert!(error_m(s.position, beijing().to_ecef()).2 < 4.0);
    // Seeing a satellite twice is no fourth satellite.
    let mut three = epoch.clone();
    three.observations.truncate(6);
    assert!(matches!(
        solve(&three, &nav, &SolverConfig::default(), None),
        Err(SolveError::TooFewSatellites { usable: 3, needed: 4, .. })
    ));
}

#[test]
fn pairs_remove_an_ionosphere_that_no_model_knows() {
    let nav = constellation();
    let solved = |scene: &Scene, ionosphere, pairs_only| {
        let epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut rng(3));
        let config = SolverConfig { ionosphere, pairs_only, ..SolverConfig::default() };
        solve(&epoch, &nav, &config, None).unwrap()
    };
    let error = |s: &megrez_pvt::Solution| error_m(s.position, beijing().to_ecef()).2;
    // 10 m in the zenith, three times that at the horizon, beside what is broadcast; a receiver that delays B3I by
    // 40 ns; only BeiDou has a second frequency.
    let signals = vec![SignalId::B1I, SignalId::B3I];
    let scene = Scene { signals, storm_m: 10.0, b3i_delay_m: 12.0, ..Scene::default() };
    let broadcast = solved(&scene, IonoMode::Broadcast, false);
    assert!(error(&broadcast) > 5.0, "{}", error(&broadcast));
    for pairs_only in [true, false] {
        let free = solved(&scene, IonoMode::IonosphereFree, pairs_only);
        assert!(error(&free) < 1.0, "{}", error(&free));
        assert!(free.sats.iter().all(|s| s.used));
    }
    // What the broadcast model is believed to be good for holds it back by some metres at most.
    let combined = solved(&scene, IonoMode::Combined, false);
    assert!(error(&combined) < 0.5 * error(&broadcast), "{}", error(&combined));

    // Satellites of one frequency among those of two: with their share of the weight, or refused.
    let signals = vec![SignalId::B1I, SignalId::B3I, SignalId::L1CA];
    let scene = Scene { signals, storm_m: 10.0, b3i_delay_m: 12.0, ..Scene::default() };
    let mixed = solved(&scene, IonoMode::IonosphereFree, false);
    assert!(mixed.sats.iter().any(|s| s.used && s.sat.constellation == Constellation::Gps));
    let strict = solved(&scene, IonoMode::IonosphereFree, true);
    assert!(strict.sats.iter().all(|s| s.sat.constellation == Constellation::Bds));
    assert!(error(&strict) < 1.0, "{}", error(&strict));
    let gps = Scene { signals: vec![SignalId::L1CA], ..Scene::default() };
    let epoch = gps.epoch(&nav, t0(), &still(beijing()), &mut rng(3));
    let config =
        SolverConfig { ionosphere: IonoMode::IonosphereFree, pairs_only: true, ..SolverConfig::default() };
    let refused = solve(&epoch, &nav, &config, None).unwrap_err();
    assert!(refused.to_string().contains("no second frequency"), "{refused}");
}

#[test]
fn protection_levels_hold_undetected_faults() {
    let nav = constellation();
    let config = SolverConfig { ionosphere: IonoMode::Broadcast, ..SolverConfig::default() };
    let scene = Scene { code_sigma_m: 0.5, ..Scene::default() };
    let mut random = rng(17);
    let (mut within, mut undetected) = (0, 0);
    for k in 0..40 {
        let mut epoch = scene.epoch(&nav, t0() + 60.0 * f64::from(k), &still(beijing()), &mut random);
        let n = epoch.observations.len();
        // Faults about as large as the test just misses.
        let faulty = epoch.observations[(7 * k as usize) % n].sat;
        for o in epoch.observations.iter_mut().filter(|o| o.sat == faulty) {
            *o.pseudorange_m.as_mut().unwrap() += 2.0 + f64::from(k % 8);
        }
        let s = solve(&epoch, &nav, &config, None).unwrap();
        let (h, v, _) = error_m(s.position, beijing().to_ecef());
        let (hpl, vpl) = (s.hpl_m.unwrap(), s.vpl_m.unwrap());
        assert!(hpl > s.horizontal_sigma_m() && vpl > s.vertical_sigma_m());
        if s.sats.iter().all(|u| u.used) {
            undetected += 1;
            within += usize::from(h < hpl && v.abs() < vpl);
        }
    }
    assert!(undetected > 20 && within == undetected, "{within} of {undetected}");
    // Four satellites cannot protect each other.
    let mut epoch = scene.epoch(&nav, t0(), &still(beijing()), &mut random);
    epoch.observations.retain(|o| o.sat.is_bds3());
    epoch.observations.truncate(4);
    let s = solve(&epoch, &nav, &config, None).unwrap();
    assert_eq!((s.hpl_m, s.vpl_m), (None, None));
}

#[test]
fn false_alarms_of_the_residual_test_are_as_rare_as_stated() {
    // Noise of exactly the size that the model assumes is not to be had from outside, so the bound is one-sided:
    // noise below it must raise fewer alarms than configured.
    let nav = constellation();
    let config = SolverConfig { false_alarm: 0.01, ..SolverConfig::default() };
    let scene = Scene { code_sigma_m: 1.5, ..Scene::default() };
    let mut random = rng(11);
    let clean = scene.epoch(&nav, t0(), &still(beijing()), &mut random);
    let mut alarms = 0;
    for _ in 0..1000 {
        let mut epoch = clean.clone();
        for o in &mut epoch.observations {
            *o.pseudorange_m.as_mut().unwrap() += 1.5 * normal(&mut random);
        }
        alarms += usize::from(solve(&epoch, &nav, &config, None).unwrap().sats.iter().any(|s| !s.used));
    }
    assert!(alarms <= 10, "{alarms}");
}

/// A circle of 100 m at 20 m/s.
fn circle(t: GnssTime) -> Ecef {
    let angle = 0.2 * (t - t0());
    let enu = megrez_orbit::Enu { e: 100.0 * angle.cos(), n: 100.0 * angle.sin(), u: 0.0 };
    beijing().to_ecef() + enu.to_ecef(beijing())
}

/// 3D rms of epochs and of the filter, and of the filter's velocity, after ten seconds.
fn run(scene: &Scene, step: f64, path: &dyn Fn(GnssTime) -> Ecef, dynamics: Dynamics) -> (f64, f64, f64) {
    let nav = constellation();
    let mut random = rng(5);
    let mut filter = Filter::new(SolverConfig::default(), dynamics);
    let (mut single, mut filtered, mut speed, mut count) = (0.0, 0.0, 0.0, 0.0);
    for k in 0..(60.0 / step) as usize {
        let t = t0() + k as f64 * step;
        let epoch = scene.epoch(&nav, t, path, &mut random);
        let s = solve(&epoch, &nav, &SolverConfig::default(), None).unwrap();
        let f = filter.update(&epoch, &nav).unwrap();
        if t - t0() < 10.0 {
            continue;
        }
        let h = 0.01;
        let velocity = (path(t + h) - path(t - h)) * (0.5 / h);
        single += error_m(s.position, path(t)).2.powi(2);
        filtered += error_m(f.position, path(t)).2.powi(2);
        speed += (f.velocity.unwrap() - velocity).norm().powi(2);
        count += 1.0;
    }
    ((single / count).sqrt(), (filtered / count).sqrt(), (speed / count).sqrt())
}

#[test]
fn filter_beats_epochs_standing_and_moving() {
    let noisy = Scene {
        code_sigma_m: 1.0,
        doppler_sigma_hz: 0.3,
        phase_sigma: 0.02,
        signals: vec![SignalId::B1I],
        ..Scene::default()
    };
    let place = still(beijing());
    for step in [0.1, 1.0] {
        let (single, filtered, _) = run(&noisy, step, &place, Dynamics::Static);
        eprintln!("static, every {step} s: epochs {single:.2} m, filter {filtered:.2} m");
        assert!(filtered < 0.6 * single && filtered < 1.0);
        let (single, filtered, speed) = run(&noisy, step, &circle, Dynamics::Vehicle);
        eprintln!(
            "circle, every {step} s: epochs {single:.2} m, filter {filtered:.2} m, speed {speed:.3} m/s"
        );
        assert!(filtered < 0.7 * single && filtered < 1.5 && speed < 0.3);
        // Without carrier phases.
        let no_phase = |t: GnssTime| circle(t);
        let mut scene = noisy.clone();
        scene.phase_sigma = f64::NAN;
        let (single, filtered, speed) = run(&scene, step, &no_phase, Dynamics::Vehicle);
        eprintln!("  without phases: epochs {single:.2} m, filter {filtered:.2} m, speed {speed:.3} m/s");
        assert!(filtered < single && speed < 0.5);
    }
}

#[test]
fn filter_follows_slips_clock_steps_and_gaps() {
    let nav = constellation();
    let mut random = rng(9);
    let mut scene = Scene { code_sigma_m: 0.7, doppler_sigma_hz: 0.3, phase_sigma: 0.01, ..Scene::default() };
    let mut filter = Filter::new(SolverConfig::default(), Dynamics::Vehicle);
    let mut slips = std::collections::HashMap::new();
    for k in 0..120u32 {
        let mut t = t0() + f64::from(k);
        if k >= 80 {
            t += 60.0;
        }
        if k == 40 {
            scene.clock_s -= 1e-3;
        }
        let mut epoch = scene.epoch(&nav, t, &circle, &mut random);
        let n = epoch.observations.len();
        if k % 5 == 3 {
            // Unflagged.
            *slips.entry(epoch.observations[k as usize % n].sat).or_insert(0.0) += 3.0;
        }
        if k % 7 == 0 && k > 0 {
            *epoch.observations[(k as usize + 2) % n].pseudorange_m.as_mut().unwrap() += 200.0;
        }
        for o in &mut epoch.observations {
            let slip = slips.get(&o.sat).copied().unwrap_or(0.0);
            o.carrier_phase_cycles = o.carrier_phase_cycles.map(|c| c + slip);
        }
        let s = filter.update(&epoch, &nav).unwrap();
        let (.., error) = error_m(s.position, circle(t));
        assert!(error < if matches!(k, 0 | 80) { 6.0 } else { 3.0 }, "epoch {k}: {error}");
        assert!((s.clock_bias_s - scene.clock_at(t)).abs() < 2e-8, "epoch {k}");
    }
    // Three satellites for five seconds.
    for k in 120..125 {
        let t = t0() + f64::from(k) + 60.0;
        let mut epoch = scene.epoch(&nav, t, &circle, &mut random);
        epoch.observations.truncate(3);
        let s = filter.update(&epoch, &nav).unwrap();
        assert!(error_m(s.position, circle(t)).2 < 30.0, "{:?}", error_m(s.position, circle(t)));
    }
    // A jump of the antenna by 5 km is found out within a few epochs.
    let far = |t: GnssTime| circle(t) + Ecef::new(3000.0, 4000.0, 0.0);
    let mut last = f64::INFINITY;
    for k in 125..130 {
        let t = t0() + f64::from(k) + 60.0;
        let epoch = scene.epoch(&nav, t, &far, &mut random);
        if let Ok(s) = filter.update(&epoch, &nav) {
            last = error_m(s.position, far(t)).2;
        }
    }
    assert!(last < 5.0, "{last}");
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0),
        -1e12..1e12f64,
        2e7..4e7f64,
        Just(1e300),
        Just(-SPEED_OF_LIGHT),
    ]
}

prop_compose! {
    fn any_observation()(
        bds in any::<bool>(), prn in 1u8..63, range in any_number(), phase in any_number(), doppler in any_number(),
        cn0 in any_number(), slip in any::<bool>(),
    ) -> Observation {
        Observation {
            sat: if bds { Sat::bds(prn) } else { Sat::gps(prn) },
            code: if bds { SignalId::B1I } else { SignalId::L1CA }.into(),
            pseudorange_m: Some(range),
            carrier_phase_cycles: Some(phase),
            doppler_hz: Some(doppler),
            cn0_dbhz: Some(cn0),
            slip,
            half_cycle: slip,
            lock_s: 0.0,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(
        observations in prop::collection::vec(any_observation(), 0..20),
        offset in any_number(),
        prior in any_number(),
    ) {
        let nav = constellation();
        let offset = if offset.is_finite() { offset.clamp(-1e9, 1e9) } else { 0.0 };
        let epoch = ObservationEpoch { time: t0() + offset * 1e-6, observations };
        let _ = solve(&epoch, &nav, &SolverConfig::default(), Some(Ecef::new(prior, prior, 0.0)));
        let mut filter = Filter::new(SolverConfig::default(), Dynamics::Vehicle);
        let good = Scene::default().epoch(&nav, t0() - 1.0, &still(beijing()), &mut rng(2));
        filter.update(&good, &nav).unwrap();
        if let Ok(s) = filter.update(&epoch, &nav) {
            prop_assert!(s.position.is_finite() && s.clock_bias_s.is_finite());
        }
        // Whatever came, good measurements give a good position again.
        let mut last = None;
        for k in 0..5 {
            let t = t0() + 2000.0 + f64::from(k);
            let good = Scene::default().epoch(&nav, t, &still(beijing()), &mut rng(2));
            last = filter.update(&good, &nav).ok();
        }
        prop_assert!(error_m(last.unwrap().position, beijing().to_ecef()).2 < 2.0);
    }
}
