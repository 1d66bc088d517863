//! The messages in the samples, taken out with a receiver written here and read by the decoders of
//! `megrez_nav`, which are tested elsewhere on frames of real satellites: every subframe stands at the time it
//! states.

#![allow(clippy::unwrap_used, clippy::panic)]

use megrez_nav::Decoder;
use megrez_orbit::TimeScale;
use megrez_signal::{Constellation, Modulation, Sat, SignalId};
use megrez_sim::{Scene, Simulation, TruthSignal};
use num_complex::Complex;
use std::f64::consts::TAU;

/// Samples of a code period that are despread: where other components are sent too, the whole period of 10 ms.
fn part(signal: SignalId) -> usize {
    if signal == SignalId::B1CD { 40_000 } else { 1_000 }
}

fn simulation(sat: &str, signal: &str, duration_s: f64) -> Simulation {
    let text = format!(
        "start = \"2026-03-04T06:00:00.3 GPST\"\nduration_s = {duration_s}\nsignals = [\"{signal}\"]\n\
         [satellites]\ninclude = [\"{sat}\"]\nelevation_mask_deg = -20\n[clock]\noffset_s = 0.01\ndrift_ppm = 1\n\
         [front_end]\nnoiseless = true\nsample_rate_hz = \"4M\""
    );
    Simulation::new(Scene::from_toml(&text).unwrap()).unwrap()
}

/// Reads the messages of one satellite; gives the number of whole subframes found.
fn read(sat: &str, signal: SignalId, duration_s: f64) -> usize {
    let sim = simulation(sat, &signal.to_string(), duration_s);
    let sat: Sat = sat.parse().unwrap();
    let def = signal.def();
    let (rate, chips) = (sim.info().sample_rate_hz, def.code(sat.prn).unwrap());
    let part = part(signal);
    let boc = def.modulation == Modulation::BocSine;
    let secondary = def.secondary(sat.prn).map(|s| s.chips).unwrap_or_else(|| vec![0]);
    let message = def.nav_message(sat.prn).unwrap();
    let periods = (1.0 / message.symbol_rate_hz() / def.code_period_s()).round() as i64;
    let scale = if sat.constellation == Constellation::Bds { TimeScale::Bdt } else { TimeScale::Gpst };
    let mut decoder = Decoder::new(sat, message).unwrap();
    let truth = |t: f64| -> (TruthSignal, f64) {
        let epoch = sim.truth(t);
        let s = epoch.signals.iter().find(|s| s.signal == signal).unwrap().clone();
        let (_, tow) = (epoch.time + epoch.clock_offset_s - s.pseudorange_m / 299_792_458.0).week_tow(scale);
        (s, tow)
    };
    let mut blocks = sim.blocks();
    let (mut held, mut held_from) = (Vec::<Complex<f32>>::new(), 0usize);
    let mut t = 0.0;
    let (mut soft, mut summed) = (0.0, 0);
    let mut reference: Option<f64> = None;
    let mut count = 0;
    loop {
        // The next start of a code period.
        let (s, _) = truth(t);
        t += (def.code_length as f64 - s.code_phase_chips) / def.chip_rate_hz + 1e-6;
        let from = (t * rate).ceil() as usize;
        while held_from + held.len() < from + part {
            let Some(block) = blocks.next() else { return count };
            let keep = held.len().saturating_sub(part.max(1_000) * 8);
            held.drain(..keep);
            held_from += keep;
            held.extend(block);
        }
        let (s, tow) = truth(from as f64 / rate);
        let hz = def.carrier_hz - sim.info().center_hz + s.doppler_hz;
        let chip_rate = def.chip_rate_hz * (1.0 + s.doppler_hz / def.carrier_hz);
        let mut sum = Complex::new(0.0, 0.0);
        for (n, z) in held[from - held_from..][..part].iter().enumerate() {
            let at = n as f64 / rate;
            let phase = s.code_phase_chips + at * chip_rate;
            // The last sample may lie beyond the period.
            let chip = 1.0 - 2.0 * f64::from(chips[phase as usize % chips.len()]);
            let chip = if boc && phase.fract() >= 0.5 { -chip } else { chip };
            sum += Complex::new(f64::from(z.re), f64::from(z.im)) * Complex::from_polar(chip, -TAU * hz * at);
        }
        // What is left after the phase of the truth is the sign of the symbol and a constant.
        let nominal = (def.carrier_hz - sim.info().center_hz) * from as f64 / rate;
        let phase = sum.arg() / TAU + s.carrier_phase_cycles - nominal;
        let sign = (TAU * (phase - *reference.get_or_insert(phase))).cos();
        assert!(sign.abs() > 0.99, "{sat}: {sign}");
        let period = (tow / def.code_period_s()).floor() as i64;
        let nh = 1.0 - 2.0 * f64::from(secondary[period.rem_euclid(secondary.len() as i64) as usize]);
        if period % periods == 0 {
            (soft, summed) = (0.0, 0);
        }
        soft += sign * nh;
        summed += 1;
        if summed == periods && period % periods == periods - 1 {
            assert!(
                (soft.abs() / periods as f64 - 1.0).abs() < 0.01,
                "{sat}: the periods of a symbol differ"
            );
            // The tag is the number of the symbol in the week.
            if let Some(subframe) = decoder.push(soft as f32, (period / periods) as u64) {
                let stands = subframe.tag as f64 / message.symbol_rate_hz();
                let tow_s = subframe.tow_s.unwrap();
                assert!((tow_s - stands).abs() < 1e-6, "{sat}: {tow_s} at {stands}");
                // The first frame of B-CNAV1 may be without subframe 3.
                let whole = subframe.complete() || count == 0 && signal == SignalId::B1CD;
                assert!(whole && subframe.usable() && subframe.corrected_bits == 0, "{sat}: {subframe:?}");
                count += 1;
            }
        }
    }
}

#[test]
fn d1_subframes_stand_at_their_time() {
    assert!(read("C21", SignalId::B1I, 20.0) >= 2);
}

#[test]
fn d2_subframes_stand_at_their_time() {
    assert!(read("C59", SignalId::B1I, 4.0) >= 4);
}

#[test]
fn lnav_subframes_stand_at_their_time() {
    assert!(read("G12", SignalId::L1CA, 20.0) >= 2);
}

#[test]
fn b_cnav1_frames_stand_at_their_time() {
    assert!(read("C21", SignalId::B1CD, 40.0) >= 2);
}
