//! Pilots with their partners, from samples to positions by their own messages.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking

mod common;

use common::{receive, scene};
use megrez::dsp::SampleFormat;
use megrez::prelude::*;

/// Both components are sent, the pilot is asked for: ephemerides come from its partner's message.
fn check(pilot: SignalId, rate_hz: f64, duration_s: f64) {
    let signal = pilot.def();
    let mut both = scene(&[pilot, signal.partner.unwrap()], rate_hz, signal.carrier_hz, SampleFormat::Cs8);
    both.duration_s = duration_s;
    let outcome = receive(both, |b| b.signals([pilot]));
    let (rms_m, fixes) = outcome.position_rms_m();
    let first_s = outcome.first_fix_s().unwrap();
    let errors = outcome.observation_errors(first_s + 3.0);
    println!("{pilot}: first fix {first_s:.1} s, {fixes} fixes, 3D rms {rms_m:.2} m, {errors:?}");
    assert!(fixes >= 8 && rms_m < 5.0, "{}", outcome.receiver.diagnose());
    assert!(errors.count > 40 && errors.phase_cycles < 0.05 && errors.pseudorange_m < 0.5);
    let observations = outcome.epochs().flat_map(|(_, epoch)| &epoch.observations);
    // The pilot tells half cycles before any message does.
    assert!(observations.into_iter().all(|o| o.code == ObsCode::from(pilot) && !o.half_cycle));
}

#[test]
fn b1c() {
    check(SignalId::B1CP, 6.3e6, 40.0);
}

#[test]
fn b2a() {
    check(SignalId::B2AP, 21e6, 25.0);
}
