//! Base epochs that are late or missing, a base that moves, half cycles, GLONASS, and time running backwards: each on a
//! real baseline with known truth.
#![allow(clippy::unwrap_used, clippy::panic)]

mod rtk_data;

use megrez_orbit::{Enu, ObservationEpoch};
use megrez_pvt::rtk::{Rtk, RtkConfig, RtkError, RtkMode, RtkSolution, RtkStatus, combine};
use megrez_signal::Constellation::{Bds, Glonass, Gps};
use megrez_signal::Sat;
use proptest::prelude::*;
use rtk_data::{Pair, nagoya, wettzell};

fn with_base(pair: &Pair, config: &RtkConfig, base: &[ObservationEpoch]) -> Vec<RtkSolution> {
    let mut config = config.clone();
    config.base = Some(pair.base_position);
    let mut rtk = Rtk::new(config);
    pair.rover.iter().filter_map(|epoch| rtk.update(epoch, base, &pair.nav).ok()).collect()
}

#[test]
fn base_epochs_are_interpolated() {
    let Some(pair) = nagoya() else { return };
    for every in [2, 5, 10] {
        let base: Vec<ObservationEpoch> = pair.base.iter().step_by(every).cloned().collect();
        let solutions = with_base(pair, &RtkConfig::default(), &base);
        let f = pair.figures(&solutions);
        println!("base every {every} s: {f:?}");
        assert!(solutions.iter().all(|s| s.age_s == 0.0));
        assert!(f.fixed == f.epochs && f.h95 < 0.005 && f.worst < 0.02, "{every}: {f:?}");
    }
}

#[test]
fn late_base_epochs_serve_for_a_while() {
    let Some(pair) = nagoya() else { return };
    let solutions = with_base(pair, &RtkConfig::default(), &pair.base[..=100]);
    let f = pair.figures(&solutions);
    println!("{f:?}");
    assert_eq!(solutions.len(), 131);
    assert!((solutions[130].age_s - 30.0).abs() < 0.01);
    // The ionosphere changes by a millimetre a second and more at this place.
    assert!(f.worst < 0.03, "{f:?}");
    assert!(solutions[..121].iter().all(|s| s.status == RtkStatus::Fixed));
    let mut rtk = Rtk::new(RtkConfig::default());
    let late = rtk.update(&pair.rover[200], &pair.base[..=100], &pair.nav);
    assert!(matches!(late, Err(RtkError::NoBase { max_age_s: 30.0, .. })));
}

#[test]
fn the_base_may_move() {
    let Some(pair) = nagoya() else { return };
    // Positioned by itself, the base is off by metres, the baseline by nothing.
    let mut rtk = Rtk::new(RtkConfig::default());
    for epoch in &pair.rover[..60] {
        let solution = rtk.update(epoch, &pair.base, &pair.nav).unwrap();
        assert_eq!(solution.status, RtkStatus::Fixed);
        assert!(pair.error(&solution).norm() < 0.01);
        assert!(solution.base.distance(pair.base_position) < 10.0);
    }
}

#[test]
fn half_cycles_stay_real() {
    let Some(pair) = nagoya() else { return };
    let sat: Sat = "C32".parse().unwrap();
    let mut rover = pair.rover[..60].to_vec();
    for o in rover.iter_mut().flat_map(|e| &mut e.observations).filter(|o| o.sat == sat) {
        o.half_cycle = true;
        o.carrier_phase_cycles = o.carrier_phase_cycles.map(|p| p + 0.5);
    }
    let solutions = pair.run_on(RtkConfig::default(), &rover);
    let f = pair.figures(&solutions);
    assert!(f.fixed == f.epochs && f.worst < 0.01, "{f:?}");
    let of_sat = solutions.iter().flat_map(|s| &s.sats).filter(|s| s.sat == sat);
    assert!(of_sat.clone().count() >= 60 && of_sat.clone().all(|s| !s.fixed && s.phase_residual_m.is_some()));
}

#[test]
fn glonass_takes_part_as_float() {
    for pair in [nagoya(), wettzell()].into_iter().flatten() {
        let mut config = RtkConfig::default().only(&[Gps, Bds]);
        config.bands.extend([(Glonass, b'1'), (Glonass, b'2')]);
        config.mode = RtkMode::Static;
        let solutions = pair.run(config);
        let f = pair.figures(&solutions);
        println!("{f:?}");
        assert!(f.fixed == f.epochs && f.worst < 0.015, "{f:?}");
        let glonass = solutions.iter().flat_map(|s| &s.sats).filter(|s| s.sat.constellation == Glonass);
        assert!(glonass.clone().count() > 3 * solutions.len() && glonass.clone().all(|s| !s.fixed));
    }
}

#[test]
fn backwards_and_combined() {
    let Some(pair) = wettzell() else { return };
    let config = RtkConfig::default().only(&[Bds]);
    let forward = pair.run(config.clone());
    let reversed: Vec<ObservationEpoch> = pair.rover.iter().rev().cloned().collect();
    let mut backward = pair.run_on(config, &reversed);
    backward.reverse();
    let combined: Vec<RtkSolution> = forward.iter().zip(&backward).map(|(f, b)| combine(f, b)).collect();
    let fixed = |solutions: &[RtkSolution]| solutions.iter().filter(|s| s.is_fixed()).count();
    println!("{} {} {}", fixed(&forward), fixed(&backward), fixed(&combined));
    // The first epochs, float forwards, are resolved backwards.
    assert!(fixed(&forward) < 120 && fixed(&combined) == 120);
    assert!(pair.figures(&combined).worst < 0.03);
    // Two fixed ones that contradict each other.
    let mut other = forward[60].clone();
    other.position += Enu { e: 0.1, n: 0.0, u: 0.0 }.to_ecef(pair.base_position.to_geodetic());
    assert_eq!(combine(&forward[60], &other).status, RtkStatus::Float);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Whatever the values are, there is a solution or an error, and a fix is none that is wrong.
    #[test]
    fn wild_values_do_no_harm(
        wild in prop::collection::vec((0usize..400, 0usize..5, prop::sample::select(vec![
            f64::NAN, f64::INFINITY, 0.0, -1.0, 1e300, 2.2e7, 1e-300,
        ])), 0..120),
        mode in prop::sample::select(vec![RtkMode::Instantaneous, RtkMode::Kinematic, RtkMode::Static]),
    ) {
        let Some(pair) = nagoya() else { return Ok(()) };
        let mut rover = pair.rover[..3].to_vec();
        for &(at, field, value) in &wild {
            let observations = &mut rover[at % 3].observations;
            let at = at % observations.len();
            let o = &mut observations[at];
            match field {
                0 => o.pseudorange_m = Some(value),
                1 => o.carrier_phase_cycles = Some(value),
                2 => o.doppler_hz = Some(value),
                3 => o.cn0_dbhz = Some(value),
                _ => o.pseudorange_m = None,
            }
        }
        let mut config = RtkConfig::default();
        config.mode = mode;
        for solution in pair.run_on(config, &rover) {
            if solution.is_fixed() {
                prop_assert!(pair.error(&solution).norm() < 0.05, "{:?}", pair.error(&solution));
            }
        }
    }
}
