//! Pull-in and symbols: how often, how fast and how well a channel locks.

mod common;

use common::{CASES, Scene, errors, mean_std, run, symbol_errors};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TRIALS: u64 = 6;

/// Acquisitions up to 1 s old, code off by up to 0.3 chip, Doppler by up to 250 Hz, a receiver on a circle
/// (4 m/s^2), an oscillator 40 ppm off.
fn lock_case(case: usize) {
    let (name, id, prn, rate) = CASES[case];
    for (cn0, median_s, worst_s) in
        [(48.0, 0.15, 0.3), (45.0, 0.15, 0.3), (40.0, 0.15, 0.3), (37.0, 0.2, 0.4), (33.0, 0.3, 0.6)]
    {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut times, mut symbols, mut wrong, mut misaligned) = (vec![], 0, 0, 0);
        for trial in 0..TRIALS {
            let mut scene = Scene::new(id, prn, rate, cn0, 100 + trial);
            scene.circle = (21.0 / 0.2, 0.2);
            scene.doppler_hz += if trial % 2 == 0 { 63e3 } else { -63e3 };
            let stale: f64 = random.random_range(0.0..1.0);
            let start = scene.start(0.0, random.random_range(-0.3..0.3), random.random_range(-250.0..250.0));
            let first = (stale * rate) as u64;
            let samples = scene.samples(first, 1.2);
            let result = run(&scene, &samples, first, start, (rate * 0.01) as usize, 0.1);
            let (n, bad, off) = symbol_errors(&scene, &result);
            (symbols, wrong, misaligned) = (symbols + n, wrong + bad, misaligned + off);
            assert_eq!(result.unlocks(), 0, "{name} at {cn0} dB-Hz, trial {trial}");
            times.extend(result.locked().map(|s| (s - first) as f64 / rate));
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{name} {cn0} dB-Hz: {} of {TRIALS} locked, median {:.3} s, slowest {:.3} s; \
             {symbols} symbols, {wrong} wrong, {misaligned} misaligned",
            times.len(),
            times[times.len() / 2],
            times[times.len() - 1],
        );
        assert_eq!(times.len() as u64, TRIALS, "{name} at {cn0} dB-Hz");
        assert!(times[times.len() / 2] < median_s && times[times.len() - 1] < worst_s);
        assert_eq!(misaligned, 0);
        // A D2 symbol at 33 dB-Hz has Es/N0 = 6 dB: 2.4e-3 of them are wrong in theory.
        let allowed = if cn0 < 35.0 && prn == 3 { 2.0 * 2.4e-3 * symbols as f64 } else { 0.0 };
        assert!(wrong as f64 <= allowed, "{name} at {cn0} dB-Hz: {wrong} of {symbols} wrong");
    }
}

#[test]
fn d1_locks() {
    lock_case(0);
}

#[test]
fn d2_locks() {
    lock_case(1);
}

#[test]
fn lnav_locks() {
    lock_case(2);
}

/// Q(sqrt(2 Es/N0)) = 2.34e-3 at Es/N0 = 4.
#[test]
fn d2_symbol_errors_are_near_theory() {
    let (_, id, prn, rate) = CASES[1];
    let scene = Scene::new(id, prn, rate, 33.0103, 9);
    let samples = scene.samples(0, 16.0);
    let result = run(&scene, &samples, 0, scene.start(0.0, 0.1, 30.0), (rate * 0.01) as usize, 1.0);
    let (n, wrong, misaligned) = symbol_errors(&scene, &result);
    let ratio = wrong as f64 / n as f64 / 2.34e-3;
    println!("D2 at 33 dB-Hz: {wrong} of {n} symbols wrong, {ratio:.2} times theory");
    assert_eq!((result.unlocks(), misaligned), (0, 0));
    assert!((0.3..1.7).contains(&ratio));
}

#[test]
fn weak_signals_are_held() {
    let (_, id, prn, rate) = CASES[2];
    for cn0 in [32.0, 28.0] {
        let scene = Scene::new(id, prn, rate, cn0, 12);
        let samples = scene.samples(0, 12.0);
        let result = run(&scene, &samples, 0, scene.start(0.0, 0.2, -80.0), (rate * 0.01) as usize, 1.0);
        let (n, wrong, misaligned) = symbol_errors(&scene, &result);
        println!("L1CA at {cn0} dB-Hz: {n} symbols, {wrong} wrong, {} unlocks", result.unlocks());
        assert_eq!((result.unlocks(), wrong, misaligned), (0, 0, 0));
        assert!(n > 500);
    }
}

#[test]
fn soft_symbols_have_mean_magnitude_one() {
    for (name, id, prn, rate) in CASES {
        let scene = Scene::new(id, prn, rate, 45.0, 4);
        let samples = scene.samples(0, 3.0);
        let result = run(&scene, &samples, 0, scene.start(0.0, 0.1, 30.0), (rate * 0.01) as usize, 1.0);
        let soft: Vec<f64> = result.symbols().map(|s| f64::from(s.soft.abs())).collect();
        let (mean, _) = mean_std(&soft);
        assert!((mean - 1.0).abs() < 0.03, "{name}: {mean}");
    }
}

#[test]
fn cn0_is_calibrated() {
    for (name, id, prn, rate) in CASES {
        for cn0 in [30.0, 35.0, 40.0, 45.0, 50.0] {
            let scene = Scene::new(id, prn, rate, cn0, 31);
            let samples = scene.samples(0, 5.0);
            let result = run(&scene, &samples, 0, scene.start(0.0, 0.1, 30.0), (rate * 0.01) as usize, 0.1);
            let (mean, std) = mean_std(&errors(&scene, &result, 1.5).cn0);
            println!("{name} at {cn0} dB-Hz: C/N0 {mean:.2}, standard deviation {std:.2}");
            assert!((mean - cn0).abs() < 0.3 && std < 0.5, "{name}: {mean} for {cn0}");
        }
    }
}
