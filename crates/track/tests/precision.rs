//! Observables against the truth: bias, noise, dynamics.

mod common;

use common::{CASES, Scene, errors, mean_std, run, worst};
use megrez_signal::{SPEED_OF_LIGHT, SignalId};

/// The figure asked for: code minus carrier over 30 s at 48 dB-Hz, L1 C/A at 4 Msps, at most 0.11 m.
#[test]
fn code_minus_carrier() {
    let scene = Scene::new(SignalId::L1CA, 7, 4e6, 48.0, 1);
    let samples = scene.samples(0, 36.0);
    let result = run(&scene, &samples, 0, scene.start(0.005, 0.2, -100.0), 40_000, 0.1);
    let chip_m = SPEED_OF_LIGHT / scene.signal.chip_rate_hz;
    for (from, limit) in [(0.3, 0.11), (5.0, 0.08)] {
        let e = errors(&scene, &result, from);
        let difference: Vec<f64> = e
            .code
            .iter()
            .zip(&e.phase)
            .take(300)
            .map(|(c, p)| c * chip_m - p * scene.signal.wavelength_m())
            .collect();
        let (mean, std) = mean_std(&difference);
        println!(
            "code minus carrier, 30 s from {from} s on: mean {mean:.3} m, standard deviation {std:.3} m"
        );
        assert_eq!(difference.len(), 300);
        assert!(std < limit && mean.abs() < 0.2);
    }
}

/// Mean errors over several signals: what one run cannot tell from noise, many can. The Dopplers are kept off
/// zero: chips of an unfiltered signal that meet the samples in the same way every period are known only to a
/// fraction of a sample, whatever the receiver does.
#[test]
fn code_and_carrier_are_unbiased() {
    for (name, id, prn, rate) in CASES {
        let (mut code, mut phase, mut doppler, mut noise) = (vec![], vec![], vec![], vec![]);
        for seed in 0..8 {
            let mut scene = Scene::new(id, prn, rate, 45.0, 70 + seed);
            scene.doppler_hz += 1000f64.copysign(scene.doppler_hz);
            let samples = scene.samples(0, 5.0);
            let result =
                run(&scene, &samples, 0, scene.start(0.0, 0.25, 150.0), (rate * 0.01) as usize, 0.05);
            let e = errors(&scene, &result, 1.5);
            code.push(mean_std(&e.code).0);
            phase.push(mean_std(&e.phase).0);
            let (mean, std) = mean_std(&e.doppler);
            doppler.push(mean);
            noise.push(std);
        }
        let chip_m = SPEED_OF_LIGHT / id.def().chip_rate_hz;
        let (code, code_std) = mean_std(&code);
        let (phase, _) = mean_std(&phase);
        let (doppler, _) = mean_std(&doppler);
        let (noise, _) = mean_std(&noise);
        println!(
            "{name} at 45 dB-Hz: code {:.3} m (between runs {:.3}), phase {phase:.5} cycles, Doppler {doppler:.4} \
             Hz, noise {noise:.3} Hz",
            code * chip_m,
            code_std * chip_m,
        );
        assert!((code * chip_m).abs() < 0.25);
        assert!(phase.abs() < 0.002 && doppler.abs() < 0.01);
        assert!(noise < 0.1);
    }
}

/// A circle of 100 m radius at 20 m/s: 4 m/s^2 (21 Hz/s), 0.8 m/s^3, with an oscillator 40 ppm off.
#[test]
fn dynamics() {
    for (name, id, prn, rate) in CASES {
        for (cn0, phase_limit, doppler_limit) in [(45.0, 0.02, 0.2), (33.0, 0.08, 0.5)] {
            let mut scene = Scene::new(id, prn, rate, cn0, 3);
            scene.circle = (21.0 / 0.2, 0.2);
            scene.doppler_hz += 63e3;
            let samples = scene.samples(0, 10.0);
            let result =
                run(&scene, &samples, 0, scene.start(0.005, 0.2, -100.0), (rate * 0.01) as usize, 0.1);
            let e = errors(&scene, &result, 1.5);
            let slips = result.measurements.last().map(|(_, m)| m.slips);
            println!(
                "{name} on a circle at {cn0} dB-Hz: phase rms {:.4}, worst {:.4} cycles; Doppler rms {:.3}, worst \
                 {:.3} Hz; code worst {:.4} chips",
                mean_std(&e.phase).1.hypot(mean_std(&e.phase).0),
                worst(&e.phase),
                mean_std(&e.doppler).1.hypot(mean_std(&e.doppler).0),
                worst(&e.doppler),
                worst(&e.code),
            );
            assert_eq!((result.unlocks(), slips), (0, Some(0)));
            assert!(worst(&e.phase) < phase_limit && worst(&e.doppler) < doppler_limit);
            assert!(worst(&e.code) < 0.02);
        }
    }
}

/// A synthesiser 100 Hz off its stated frequency: the code runs away from the carrier at 19 m/s.
#[test]
fn divergence_of_code_and_carrier() {
    let (_, id, prn, rate) = CASES[2];
    let mut scene = Scene::new(id, prn, rate, 45.0, 3);
    scene.divergence = 100.0 * scene.signal.chip_rate_hz / scene.signal.carrier_hz;
    let samples = scene.samples(0, 12.0);
    let result = run(&scene, &samples, 0, scene.start(0.0, 0.1, 50.0), (rate * 0.01) as usize, 0.1);
    let chip_m = SPEED_OF_LIGHT / scene.signal.chip_rate_hz;
    let (mean, std) = mean_std(&errors(&scene, &result, 8.0).code);
    let early = worst(&errors(&scene, &result, 0.2).code) * chip_m;
    println!("100 Hz synthesiser error: code {:.2} m, worst {early:.2} m", mean * chip_m);
    assert_eq!(result.unlocks(), 0);
    assert!((mean * chip_m).abs() < 1.0 && std * chip_m < 1.0 && early < 30.0);
}

/// Four samples a chip exactly: the edges of all chips fall between samples alike, and the discriminator of an
/// unfiltered signal is a staircase of 73 m. The code's Doppler moves the stairs, the filter must average them.
#[test]
fn sample_rate_in_step_with_the_chips() {
    let mut scene = Scene::new(SignalId::L1CA, 7, 4.092e6, 50.0, 70);
    scene.doppler_hz = 2500.0;
    let samples = scene.samples(0, 9.0);
    let result = run(&scene, &samples, 0, scene.start(0.0, 0.25, 50.0), 40_920, 0.05);
    let chip_m = SPEED_OF_LIGHT / scene.signal.chip_rate_hz;
    let (mean, std) = mean_std(&errors(&scene, &result, 4.0).code);
    println!("4.092 Msps: code {:.2} m, standard deviation {:.2} m", mean * chip_m, std * chip_m);
    assert!((mean * chip_m).abs() < 2.0 && std * chip_m < 1.0);
}
