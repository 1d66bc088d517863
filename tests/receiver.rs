//! The whole receiver on simulated recordings.
//!
//! The simulator and the receiver share the signal definitions and the orbit model, so these tests show that
//! the receiver measures what was transmitted; that both are right is shown elsewhere, by recordings, vectors
//! and programs of others.

mod common;

use common::{Outcome, receive, scene};
use megrez::dsp::SampleFormat;
use megrez::prelude::*;
use megrez_sim::Receiver as Motion;

const L1_HZ: f64 = 1_575.42e6;
const B1_HZ: f64 = 1_561.098e6;

/// Prints the figures and checks them against the bounds of the requirement.
fn check(name: &str, outcome: &Outcome, most_m: f64) {
    let (rms_m, fixes) = outcome.position_rms_m();
    let errors = outcome.observation_errors(outcome.first_fix_s().unwrap_or(0.0) + 3.0);
    println!(
        "{name}: first fix {:?} s, {fixes} fixes, 3D rms {rms_m:.2} m, {} observations: \
         pseudorange {:.2} m, carrier phase {:.4} cycles, Doppler {:.3} Hz",
        outcome.first_fix_s(),
        errors.count,
        errors.pseudorange_m,
        errors.phase_cycles,
        errors.doppler_hz
    );
    assert!(fixes >= 15, "{name}: {fixes} fixes\n{}", outcome.receiver.diagnose());
    assert!(rms_m < most_m, "{name}: {rms_m} m");
    assert!(errors.count > 80, "{name}: {} observations", errors.count);
    assert!(errors.phase_cycles < 0.05, "{name}: {} cycles", errors.phase_cycles);
    assert!(errors.doppler_hz < 1.0, "{name}: {} Hz", errors.doppler_hz);
}

#[test]
fn l1ca_static_in_every_format() {
    for format in
        [SampleFormat::Cs8, SampleFormat::Cu8, SampleFormat::Cs16, SampleFormat::Cs2, SampleFormat::Cs1]
    {
        let mut shorter = scene(&[SignalId::L1CA], 4e6, L1_HZ, format);
        // The first one shows that a minute goes well.
        shorter.duration_s = if format == SampleFormat::Cs8 { 60.0 } else { 40.0 };
        let outcome = receive(shorter, |b| b);
        check(&format!("L1CA static {format}"), &outcome, 5.0);
    }
}

#[test]
fn b1i_static() {
    let outcome = receive(scene(&[SignalId::B1I], 5e6, B1_HZ, SampleFormat::Cs8), |b| b);
    check("B1I static", &outcome, 5.0);
    let geo = outcome.receiver.satellites().iter().filter(|s| s.sat.is_bds_geo() && s.subframes > 10).count();
    assert!(geo > 0, "no GEO satellite's D2 message was read");
}

#[test]
fn l1ca_and_b1i_on_a_circle() {
    for (signal, rate_hz, center_hz) in [(SignalId::L1CA, 4e6, L1_HZ), (SignalId::B1I, 5e6, B1_HZ)] {
        let mut moving = scene(&[signal], rate_hz, center_hz, SampleFormat::Cs8);
        moving.receiver = Motion::Circle {
            lat_deg: 30.5,
            lon_deg: 114.4,
            height_m: 40.0,
            radius_m: 100.0,
            speed_mps: 20.0,
        };
        let outcome = receive(moving, |b| b.interval_s(0.5));
        check(&format!("{signal} circle"), &outcome, 10.0);
    }
}

#[test]
fn oscillator_40_ppm_off() {
    let mut off = scene(&[SignalId::L1CA], 4e6, L1_HZ, SampleFormat::Cs8);
    off.clock.drift_ppm = 40.0;
    off.duration_s = 45.0;
    let outcome = receive(off, |b| b);
    check("L1CA +40 ppm", &outcome, 5.0);
    let ppm = outcome.receiver.oscillator_ppm().unwrap();
    assert!((ppm - 40.0).abs() < 0.05, "{ppm}");
}

#[test]
fn both_systems_from_one_wide_recording() {
    let mut wide = scene(&[SignalId::B1I, SignalId::L1CA], 18e6, 1_568.0e6, SampleFormat::Cs8);
    wide.duration_s = 38.0;
    let outcome = receive(wide, |b| b);
    check("B1I + L1CA wide", &outcome, 5.0);
    let fix = outcome.solutions().last().unwrap();
    for constellation in [Constellation::Bds, Constellation::Gps] {
        let used = fix.sats.iter().filter(|s| s.used && s.sat.constellation == constellation).count();
        assert!(used >= 4, "{used} satellites of {constellation:?}");
    }
}
