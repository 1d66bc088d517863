//! Long baselines, simulated: the atmosphere differs between the ends.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Scene, beijing, constellation, rng, t0};
use megrez_orbit::{Enu, ObservationEpoch};
use megrez_pvt::rtk::{Rtk, RtkConfig, RtkMode, RtkSolution};
use megrez_signal::SignalId;
use rand::RngExt;

/// Epochs every 30 s of a rover `north_m` from the base; the ionosphere differs by up to 2 mm for each km and towards
/// each satellite otherwise, the troposphere by 10 mm at the zenith.
fn run(north_m: f64, mode: RtkMode, long_baseline_m: f64) -> Vec<(RtkSolution, f64)> {
    let nav = constellation();
    let scene = Scene {
        signals: vec![SignalId::B1I, SignalId::B3I],
        code_sigma_m: 0.3,
        phase_sigma: 0.01,
        ..Scene::default()
    };
    let base = beijing().to_ecef();
    let rover = base + Enu { e: 0.0, n: north_m, u: 30.0 }.to_ecef(beijing());
    let mut noise = rng(21);
    let mut delays = std::collections::BTreeMap::new();
    let mut config = RtkConfig::default();
    config.base = Some(base);
    config.mode = mode;
    config.long_baseline_m = long_baseline_m;
    let mut rtk = Rtk::new(config);
    let mut out = Vec::new();
    for k in 0..120 {
        let t = t0() + 30.0 * f64::from(k);
        let at_base = scene.epoch(&nav, t, &|_| base, &mut noise);
        let mut at_rover: ObservationEpoch = scene.epoch(&nav, t, &|_| rover, &mut noise);
        for o in &mut at_rover.observations {
            let flight = common::flight(&nav, o.sat, SignalId::B1I, t, rover);
            let spread = 2e-6 * north_m;
            let l1_m = *delays.entry(o.sat).or_insert_with(|| noise.random_range(-spread..spread));
            let carrier_hz = o.code.carrier_hz(o.sat.constellation, 0).unwrap();
            let ionosphere_m = l1_m * (1_575.42e6 / carrier_hz).powi(2);
            let troposphere_m = 0.01 / flight.elevation.sin();
            o.pseudorange_m = o.pseudorange_m.map(|p| p + ionosphere_m + troposphere_m);
            let cycles = (troposphere_m - ionosphere_m) * carrier_hz / 299_792_458.0;
            o.carrier_phase_cycles = o.carrier_phase_cycles.map(|p| p + cycles);
        }
        let solution = rtk.update(&at_rover, &[at_base], &nav).unwrap();
        let error = solution.position.distance(rover);
        out.push((solution, error));
    }
    out
}

/// Epochs fixed and the greatest error of one, m.
fn fixed(solutions: &[(RtkSolution, f64)]) -> (usize, f64) {
    let errors = solutions.iter().filter(|(s, _)| s.is_fixed()).map(|(_, e)| *e);
    (errors.clone().count(), errors.fold(0.0, f64::max))
}

/// One system of two frequencies: the hour is long enough to resolve 10 and 30 km at rest and 10 km moving.
#[test]
fn differences_of_the_atmosphere_are_estimated() {
    for (mode, km, least) in [
        (RtkMode::Static, 10.0, 60),
        (RtkMode::Static, 30.0, 30),
        (RtkMode::Kinematic, 10.0, 30),
        (RtkMode::Kinematic, 30.0, 0),
        (RtkMode::Static, 50.0, 0),
    ] {
        let solutions = run(km * 1e3, mode, 5e3);
        let (count, worst) = fixed(&solutions);
        let last = solutions.last().unwrap().1;
        println!("{mode:?}, {km} km: {count} fixed, at most {worst:.3} m off; last epoch {last:.3} m");
        assert!(count >= least && worst < 0.05 && last < 0.1, "{mode:?}, {km} km: {count} {worst} {last}");
    }
}

#[test]
fn an_atmosphere_that_is_not_estimated_is_not_fixed() {
    for mode in [RtkMode::Static, RtkMode::Kinematic] {
        assert_eq!(fixed(&run(30e3, mode, f64::INFINITY)), (0, 0.0));
    }
}
