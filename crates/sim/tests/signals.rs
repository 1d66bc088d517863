//! The samples against the truth, by a receiver written here: its codes come from `megrez_signal` (checked
//! elsewhere against published hashes), everything else, delays and carrier included, is worked out anew in
//! f64 from the truth's numbers and the samples, without any of the simulator's code.

#![allow(clippy::unwrap_used, clippy::panic)]

use megrez_orbit::{Ecef, GnssTime};
use megrez_signal::{Sat, SignalId};
use megrez_sim::{Scene, Simulation, TruthEpoch, TruthSignal};
use num_complex::Complex;
use std::f64::consts::TAU;

const C: f64 = 299_792_458.0;

fn simulation(text: &str) -> Simulation {
    Simulation::new(Scene::from_toml(text).unwrap()).unwrap()
}

fn samples(sim: &Simulation) -> Vec<Complex<f32>> {
    sim.blocks().flatten().collect()
}

fn of(epoch: &TruthEpoch, sat: Sat, signal: SignalId) -> &TruthSignal {
    epoch.signals.iter().find(|s| s.sat == sat && s.signal == signal).unwrap()
}

/// Value of the waveform at `phase` chips.
fn waveform(signal: SignalId, chips: &[u8], phase: f64) -> f64 {
    let phase = phase.rem_euclid(chips.len() as f64);
    let sign = 1.0 - 2.0 * f64::from(chips[phase as usize % chips.len()]);
    let boc = signal != SignalId::B1I && signal != SignalId::L1CA && phase.fract() >= 0.5;
    if boc { -sign } else { sign }
}

/// Mean of samples [from, from + len) times the replica of the truth at `from`, shifted by `chips` and `hz`.
fn despread(
    sim: &Simulation,
    data: &[Complex<f32>],
    from: usize,
    len: usize,
    truth: &TruthSignal,
    shift: (f64, f64),
) -> Complex<f64> {
    let info = sim.info();
    let signal = truth.signal.def();
    let chips = signal.code(truth.sat.prn).unwrap();
    let rate = info.sample_rate_hz;
    let hz = signal.carrier_hz - info.center_hz + truth.doppler_hz + shift.1;
    let chip_rate = signal.chip_rate_hz * (1.0 + truth.doppler_hz / signal.carrier_hz);
    let mut sum = Complex::new(0.0, 0.0);
    for n in 0..len {
        let t = n as f64 / rate;
        let chip = waveform(truth.signal, &chips, truth.code_phase_chips + shift.0 + t * chip_rate);
        let z = data[from + n];
        sum += Complex::new(f64::from(z.re), f64::from(z.im)) * Complex::from_polar(chip, -TAU * hz * t);
    }
    sum / len as f64
}

const QUIET: &str = r#"
    start = "2026-03-04T06:00:00 GPST"
    duration_s = 1.2
    signals = ["B1I", "L1CA"]
    [receiver]
    motion = "circle"
    lat_deg = 30.5283
    lon_deg = 114.3572
    height_m = 50
    radius_m = 100
    speed_mps = 20
    [clock]
    offset_s = 1e-3
    drift_ppm = 2.5
    [front_end]
    sample_rate_hz = "20M"
    center_hz = "1568M"
    noiseless = true
"#;

#[test]
fn doppler_is_the_rate_of_the_phase_and_range_rate_that_of_the_range() {
    let sim = simulation(&QUIET.replace("duration_s = 1.2", "duration_s = 120").replace("20M", "40M"));
    let h = 0.01;
    let mut count = 0;
    for at in [1.0, 30.3, 77.7, 118.0] {
        let (before, now, after) = (sim.truth(at - h), sim.truth(at), sim.truth(at + h));
        for s in &now.signals {
            let (b, a) = (of(&before, s.sat, s.signal), of(&after, s.sat, s.signal));
            let doppler = -(a.carrier_phase_cycles - b.carrier_phase_cycles) / (2.0 * h);
            assert!((doppler - s.doppler_hz).abs() < 1e-3, "{} {doppler} {}", s.sat, s.doppler_hz);
            // Range rate is a rate of true time, which runs slower than a fast receiver clock.
            let rate = (a.range_m - b.range_m) / (after.time - before.time);
            assert!((rate - s.range_rate_m_s).abs() < 1e-4, "{} {rate} {}", s.sat, s.range_rate_m_s);
            count += 1;
        }
        let speed = (after.position - before.position) * (1.0 / (after.time - before.time)) - now.velocity;
        assert!(speed.norm() < 1e-3);
    }
    assert!(count > 40, "{count}");
}

/// The light time solved anew: positions turned into an inertial frame at reception.
#[test]
fn pseudorange_is_range_clocks_and_atmosphere() {
    let sim = simulation(&QUIET.replace("20M", "40M"));
    let truth = sim.truth(0.9);
    assert!((truth.clock_offset_s - (1e-3 + 2.5e-6 * 0.9)).abs() < 1e-11);
    for s in &truth.signals {
        let eph = sim.nav().ephemeris(s.sat, truth.time).unwrap();
        let at = |t: GnssTime| eph.state(t).position;
        let (mut low, mut high) = (0.05, 0.2);
        let range = |travel: f64| {
            let angle = 7.292115e-5 * travel;
            let p = at(truth.time - travel);
            let turned = Ecef {
                x: p.x * angle.cos() + p.y * angle.sin(),
                y: p.y * angle.cos() - p.x * angle.sin(),
                z: p.z,
            };
            (turned - truth.position).norm()
        };
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if range(middle) > C * middle { low = middle } else { high = middle }
        }
        assert!((range(low) - s.range_m).abs() < 1e-4, "{}", s.sat);
        let clock = eph.state(truth.time - low).clock_s;
        assert!((clock - s.sat_clock_s).abs() < 1e-15);
        let want = s.range_m
            + C * (truth.clock_offset_s - s.sat_clock_s + s.group_delay_s)
            + s.troposphere_m
            + s.ionosphere_m;
        assert!((want - s.pseudorange_m).abs() < 1e-6, "{} {}", s.sat, want - s.pseudorange_m);
        let carrier = s.carrier_phase_cycles * C / s.signal.def().carrier_hz;
        let apart = s.pseudorange_m - carrier - C * s.group_delay_s;
        assert!((apart - 2.0 * s.ionosphere_m).abs() < 1e-5, "{}", s.sat);
        assert!(s.troposphere_m > 2.0 && s.troposphere_m < 30.0);
        assert!(s.ionosphere_m > 0.5 && s.ionosphere_m < 60.0);
    }
    let code = |id: SignalId| truth.signals.iter().filter(move |s| s.signal == id).count();
    assert!(code(SignalId::B1I) >= 6 && code(SignalId::L1CA) >= 6);
}

#[test]
fn carrier_and_code_of_the_samples_follow_the_truth_over_the_whole_run() {
    let sim = simulation(
        &(QUIET.to_string()
            + "\n[satellites]\ninclude = [\"C26\", \"C59\", \"C60\", \"C38\", \"G01\", \"G12\", \"C20\", \"C33\"]"),
    );
    // A satellite at a time, so that others' codes add nothing.
    let sats: Vec<(Sat, SignalId)> = sim.signals().collect();
    assert!(sats.len() >= 3, "{sats:?}");
    for &(sat, signal) in &sats {
        let mut scene = sim.scene().clone();
        scene.satellites.include = vec![sat];
        let sim = Simulation::new(scene).unwrap();
        let data = samples(&sim);
        let rate = sim.info().sample_rate_hz;
        let def = signal.def();
        let amplitude = (2.0 * 10f64.powf(4.5) / rate).sqrt();
        let mut first_phase: Option<f64> = None;
        // Uneven steps, so that every place in a block and a code period comes up.
        for from in (0..23_900_000usize).step_by(383_017) {
            let at = from as f64 / rate;
            let truth = sim.truth(at);
            let s = of(&truth, sat, signal);
            // 0.1 ms before the next edge of a code period may hold no change of sign.
            let left = (def.code_length as f64 - s.code_phase_chips) / def.chip_rate_hz * rate;
            let len = (left as usize).min(2000);
            if len < 500 {
                continue;
            }
            let prompt = despread(&sim, &data, from, len, s, (0.0, 0.0));
            assert!(
                (prompt.norm() / amplitude - 1.0).abs() < 5e-3,
                "{sat} {at}: {}",
                prompt.norm() / amplitude
            );
            // The replica starts with phase 0 here; the phase of the samples is that of the truth.
            let nominal = (def.carrier_hz - sim.info().center_hz) * at;
            let phase = prompt.arg() / TAU + s.carrier_phase_cycles - nominal;
            let start = *first_phase.get_or_insert(phase);
            // Half a cycle is the message's.
            let off = ((phase - start) * 2.0).rem_euclid(1.0);
            let off = 0.5 * off.min(1.0 - off);
            assert!(off < 3e-3, "{sat} {signal} at {at}: carrier is off by {off} cycles");
            // Symmetric correlation: the code phase is right within hundredths of a chip.
            let early = despread(&sim, &data, from, len, s, (0.25, 0.0)).norm();
            let late = despread(&sim, &data, from, len, s, (-0.25, 0.0)).norm();
            assert!((early - late).abs() / prompt.norm() < 0.05, "{sat} {at}: {early} {late}");
        }
        assert!(first_phase.is_some());
    }
}

#[test]
fn despreading_finds_the_code_phase_doppler_and_cn0_that_the_truth_states() {
    for (format, text) in [("cs8", "1561.098M"), ("s8", "1561.098M")] {
        let sim = simulation(&format!(
            r#"
            start = "2026-03-04T06:00:00 GPST"
            duration_s = 0.5
            signals = ["B1I"]
            [cn0]
            constant_dbhz = 50
            [clock]
            drift_ppm = -1.5
            [front_end]
            sample_rate_hz = "10M"
            center_hz = "{text}"
            format = "{format}"
            "#
        ));
        let rate = sim.info().sample_rate_hz;
        let mut checked = 0;
        let sats: Vec<Sat> = sim.signals().map(|(sat, _)| sat).take(3).collect();
        for sat in sats {
            // Alone: ten others of this strength would raise the noise floor by more than a decibel.
            let mut scene = sim.scene().clone();
            scene.satellites.include = vec![sat];
            let sim = Simulation::new(scene).unwrap();
            let data: Vec<Complex<f32>> = samples(&sim)
                .into_iter()
                .map(|z| if format == "s8" { Complex::new(z.re, 0.0) } else { z })
                .collect();
            let start = sim.truth(0.0);
            let s = of(&start, sat, SignalId::B1I);
            // Coherent over 1 ms periods, squared and summed: signal power and noise power of a period.
            let periods = 400;
            let mut powers = [0.0; 5];
            let mut off_code = 0.0;
            let shifts = [(0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.0, 400.0), (0.0, -400.0)];
            for k in 0..periods {
                // Start each at the start of a period: the truth of that very instant.
                let guess = k as f64 * 1e-3 + (2046.0 - s.code_phase_chips) / 2.046e6;
                let from = (guess * rate).ceil() as usize;
                let here = sim.truth(from as f64 / rate);
                let here = of(&here, s.sat, s.signal);
                for (power, shift) in powers.iter_mut().zip(shifts) {
                    *power += despread(&sim, &data, from, 9_990, here, shift).norm_sqr();
                }
                off_code += despread(&sim, &data, from, 9_990, here, (700.5, 0.0)).norm_sqr();
            }
            let [peak, early, late, above, below] = powers;
            assert!(peak > 3.0 * early && peak > 3.0 * late, "{} {powers:?}", s.sat);
            assert!((early / late - 1.0).abs() < 0.2 && (above / below - 1.0).abs() < 0.2, "{powers:?}");
            // The loss at 400 Hz over 1 ms is sinc squared.
            let loss = ((TAU * 0.2).sin() / (TAU * 0.2)).powi(2);
            assert!((above / peak / loss - 1.0).abs() < 0.05, "{}", above / peak);
            let seconds = 9_990.0 / rate;
            let cn0 = 10.0 * ((peak - off_code) / off_code / seconds).log10();
            assert!((cn0 - 50.0).abs() < 0.5, "{format} {}: {cn0} dB-Hz", s.sat);
            checked += 1;
        }
        assert_eq!(checked, 3);
    }
}

#[test]
fn data_and_pilot_of_b1c_share_the_power_and_lie_a_quarter_apart() {
    let sim = simulation(
        r#"
        start = "2026-03-04T06:00:00 GPST"
        duration_s = 0.1
        signals = ["B1C"]
        [satellites]
        exclude = []
        [front_end]
        sample_rate_hz = "40M"
        center_hz = "1575.42M"
        noiseless = true
        "#,
    );
    let (sat, _) = sim.signals().next().unwrap();
    let mut scene = sim.scene().clone();
    scene.satellites.include = vec![sat];
    let sim = Simulation::new(scene).unwrap();
    assert_eq!(sim.signals().count(), 2);
    let data = samples(&sim);
    let rate = sim.info().sample_rate_hz;
    let start = sim.truth(0.0);
    let s = of(&start, sat, SignalId::B1CP);
    let from = ((10_230.0 - s.code_phase_chips) / 1.023e6 * rate).ceil() as usize;
    let truth = sim.truth(from as f64 / rate);
    let (d, p) = (of(&truth, sat, SignalId::B1CD), of(&truth, sat, SignalId::B1CP));
    let power = 2.0 * 10f64.powf(4.5) / rate;
    let data_part = despread(&sim, &data, from, 399_900, d, (0.0, 0.0));
    let pilot_part = despread(&sim, &data, from, 399_900, p, (0.0, 0.0));
    assert!((data_part.norm_sqr() / power / 0.25 - 1.0).abs() < 0.04, "{}", data_part.norm_sqr() / power);
    assert!(
        (pilot_part.norm_sqr() / power / (0.75 * 29.0 / 33.0) - 1.0).abs() < 0.04,
        "{}",
        pilot_part.norm_sqr() / power
    );
    let apart = (pilot_part / data_part).arg() / TAU;
    assert!((apart.abs() - 0.25).abs() < 0.01, "{apart}");
    let total: f64 = data.iter().map(|z| f64::from(z.norm_sqr())).sum::<f64>() / data.len() as f64;
    assert!((total / power - 1.0).abs() < 0.01, "{}", total / power);
}

#[test]
fn noise_is_white_and_gaussian_and_the_filter_cuts_it() {
    let scene = |extra: &str| {
        simulation(&format!(
            "duration_s = 0.25\n[cn0]\nconstant_dbhz = -40\n[front_end]\nsample_rate_hz = \"4M\"\n{extra}"
        ))
    };
    let plain = samples(&scene(""));
    let n = plain.len() as f64;
    let moment = |k: i32| {
        plain.iter().map(|z| f64::from(z.re).powi(k) + f64::from(z.im).powi(k)).sum::<f64>() / (2.0 * n)
    };
    assert!(moment(1).abs() < 3e-3 && (moment(2) - 1.0).abs() < 5e-3, "{} {}", moment(1), moment(2));
    assert!(moment(3).abs() < 1e-2 && (moment(4) - 3.0).abs() < 4e-2, "{} {}", moment(3), moment(4));
    let lag = |data: &[Complex<f32>], k: usize| {
        let sum: Complex<f32> = data.iter().zip(&data[k..]).map(|(a, b)| a * b.conj()).sum();
        f64::from(sum.norm()) / n
    };
    assert!(lag(&plain, 1) < 1e-2 && lag(&plain, 7) < 1e-2 && lag(&plain, 40_000) < 1e-2);
    let narrow = samples(&scene("bandwidth_hz = \"1M\""));
    let power = narrow.iter().map(|z| f64::from(z.norm_sqr())).sum::<f64>() / (2.0 * n);
    assert!((power - 1.0).abs() < 2e-2, "{power}");
    // White noise in a quarter of the band: correlation of neighbours sinc(1/4) = 0.90, of every fourth 0.
    assert!((lag(&narrow, 1) / 2.0 - 0.90).abs() < 0.02, "{}", lag(&narrow, 1) / 2.0);
    assert!(lag(&narrow, 4) / 2.0 < 0.05);
    assert_eq!(narrow.len(), plain.len());
}

#[test]
fn tone_offset_and_level_come_out_as_asked() {
    let sim = simulation(
        r#"
        duration_s = 0.1
        [front_end]
        sample_rate_hz = "4M"
        center_hz = "1561.098M"
        level_db = -6
        dc = [0.3, -0.2]
        tone = { frequency_hz = "1561.598M", level_db = 3 }
        "#,
    );
    let data = samples(&sim);
    let mean: Complex<f32> = data.iter().sum::<Complex<f32>>() / data.len() as f32;
    assert!((mean.re - 0.3).abs() < 5e-3 && (mean.im + 0.2).abs() < 5e-3, "{mean}");
    let at: Complex<f64> = data
        .iter()
        .enumerate()
        .map(|(n, z)| {
            Complex::new(f64::from(z.re), f64::from(z.im)) * Complex::from_polar(1.0, -TAU * 0.125 * n as f64)
        })
        .sum::<Complex<f64>>()
        / data.len() as f64;
    // Twice the power of the noise, which is 2, and 6 dB less.
    assert!((at.norm_sqr() / (4.0 / 3.98) - 1.0).abs() < 0.03, "{}", at.norm_sqr());
}
