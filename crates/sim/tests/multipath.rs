//! Echoes: the samples with one, less those without, are the echo alone, which is found by a correlation worked
//! out here from the truth.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::f64::consts::TAU;

use megrez_sim::{Scene, Simulation};
use num_complex::Complex;

const SCENE: &str = r#"
    start = "2026-03-04T06:00:00 GPST"
    duration_s = 0.05
    signals = ["L1CA"]
    [front_end]
    sample_rate_hz = "16M"
    center_hz = "1575.42M"
    noiseless = true
"#;

fn simulation(text: &str) -> Simulation {
    Simulation::new(Scene::from_toml(text).unwrap()).unwrap()
}

fn samples(sim: &Simulation) -> Vec<Complex<f32>> {
    sim.blocks().flatten().collect()
}

#[test]
fn an_echo_has_its_delay_level_phase_and_fading() {
    let sat = simulation(SCENE).truth(0.0).signals[0].sat;
    // Alone, so that other codes add nothing to the direct signal.
    let scene = format!("{SCENE}[satellites]\ninclude = [\"{sat}\"]\n");
    let direct = simulation(&scene);
    let (delay_m, level_db, phase_cycles, fading_hz) = (150.0, -6.0, 0.3, 7.0);
    let both = simulation(&format!(
        "{scene}[[multipath]]\nsat = \"{sat}\"\ndelay_m = {delay_m}\nlevel_db = {level_db}\n\
         phase_cycles = {phase_cycles}\nfading_hz = {fading_hz}\n"
    ));
    let without = samples(&direct);
    let echo: Vec<Complex<f32>> = samples(&both).iter().zip(&without).map(|(b, d)| b - d).collect();
    assert_eq!(both.truth(0.02), direct.truth(0.02));
    let rate = direct.info().sample_rate_hz;
    // Correlation of 1 ms from `from` on with the truth's code, later by `late_m`.
    let correlate = |data: &[Complex<f32>], from: usize, late_m: f64| -> Complex<f64> {
        let truth = direct.truth(from as f64 / rate);
        let t = truth.signals.iter().find(|t| t.sat == sat).unwrap();
        let signal = t.signal.def();
        let chips = signal.code(sat.prn).unwrap();
        let late = late_m / 299_792_458.0 * signal.chip_rate_hz;
        let sum: Complex<f64> = (0..16_000)
            .map(|n| {
                let seconds = n as f64 / rate;
                let phase = t.code_phase_chips - late
                    + seconds * signal.chip_rate_hz * (1.0 + t.doppler_hz / signal.carrier_hz);
                let chip = chips[phase.rem_euclid(chips.len() as f64) as usize % chips.len()];
                let z = data[from + n];
                Complex::new(f64::from(z.re), f64::from(z.im))
                    * Complex::from_polar(1.0 - 2.0 * f64::from(chip), -TAU * t.doppler_hz * seconds)
            })
            .sum();
        sum / 16_000.0
    };
    let mut checked = 0;
    for from in (1000..700_000).step_by(48_000) {
        let straight = correlate(&without, from, 0.0);
        // A period that a symbol ends within says little.
        if straight.norm() < 0.9 * (2.0 * 10f64.powf(4.5) / rate).sqrt() {
            continue;
        }
        let found = correlate(&echo, from, delay_m);
        let ratio = found / straight;
        assert!((20.0 * ratio.norm().log10() - level_db).abs() < 0.5, "{}", ratio.norm());
        let middle_s = (from as f64 + 8_000.0) / rate;
        let off = ratio.arg() / TAU - phase_cycles - fading_hz * middle_s;
        assert!((off - off.round()).abs() < 0.01, "{off}");
        // The peak is where it should be: as much is left on either side of it.
        let (early, late) =
            (correlate(&echo, from, delay_m - 100.0).norm(), correlate(&echo, from, delay_m + 100.0).norm());
        assert!(early < 0.85 * found.norm() && late < 0.85 * found.norm());
        assert!((early - late).abs() < 0.1 * found.norm(), "{early} {late}");
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
}

#[test]
fn wrong_echoes_are_refused() {
    let error =
        |echo: &str| Scene::from_toml(&format!("{SCENE}[[multipath]]\n{echo}")).unwrap_err().to_string();
    let text = error("sat = \"G01\"\ndelay_m = -1\nlevel_db = -3");
    assert!(text.contains("multipath.delay_m"), "{text}");
    let text = error("sat = \"X01\"\ndelay_m = 1\nlevel_db = -3");
    assert!(text.contains("X01"), "{text}");
    let text = error("sat = \"G01\"\nlevel_db = -3");
    assert!(text.contains("delay_m"), "{text}");
}
