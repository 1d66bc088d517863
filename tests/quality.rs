//! What peers measure receivers by: precision, time to the first fix, weak signals.

mod common;

use std::collections::BTreeMap;

use common::{Outcome, receive, scene, wavelength_m};
use megrez::dsp::SampleFormat;
use megrez::prelude::*;
use megrez_sim::{Cn0, Scene};

fn l1ca(zenith_dbhz: f64, horizon_dbhz: f64, start: GnssTime, duration_s: f64) -> Scene {
    let mut scene = scene(&[SignalId::L1CA], 4e6, 1_575.42e6, SampleFormat::Cs8);
    scene.cn0 = Cn0 { zenith_dbhz: Some(zenith_dbhz), horizon_dbhz: Some(horizon_dbhz), ..Cn0::default() };
    scene.start = start;
    scene.duration_s = duration_s;
    scene
}

/// A second before the first subframe of a frame.
fn before_subframe_1() -> GnssTime {
    GnssTime::from_gpst(2408, 280_799.0)
}

/// The simulator samples sharp chip edges; while a Doppler is near zero the samples stand still against
/// them, and the code phase of such a signal is only known to a metre. Front ends, whose filters round the
/// edges, do not do that, so a satellite that passes zero Doppler does not count.
const LEAST_DOPPLER_HZ: f64 = 100.0;

#[test]
fn code_minus_carrier_at_48_dbhz() {
    let outcome = receive(l1ca(48.0, 48.0, before_subframe_1(), 55.0), |b| b);
    let mut all: BTreeMap<Sat, Vec<f64>> = BTreeMap::new();
    let from_s = outcome.first_fix_s().unwrap();
    for (receiver_s, epoch) in outcome.epochs().filter(|(s, _)| (from_s..from_s + 31.0).contains(s)) {
        let truth = outcome.simulation.truth(receiver_s);
        for o in &epoch.observations {
            let t = truth.signals.iter().find(|t| t.sat == o.sat).unwrap();
            // The ionosphere parts code and carrier by centimetres a second: that is no noise.
            let range_m = o.pseudorange_m.unwrap() - t.pseudorange_m;
            let cycles = o.carrier_phase_cycles.unwrap() - t.carrier_phase_cycles;
            if t.doppler_hz.abs() > LEAST_DOPPLER_HZ {
                all.entry(o.sat).or_default().push(range_m - cycles * wavelength_m(o.sat, o.code));
            }
        }
    }
    assert!(all.len() >= 8);
    let mut variances = Vec::new();
    for (sat, values) in all {
        assert!(values.len() >= 30, "{sat}: {} epochs", values.len());
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        println!("{sat}: code minus carrier {:.3} m over {} s", variance.sqrt(), values.len());
        variances.push(variance);
    }
    let all = (variances.iter().sum::<f64>() / variances.len() as f64).sqrt();
    println!("code minus carrier, all {} satellites: {all:.3} m", variances.len());
    assert!(all <= 0.11, "{all} m");
}

#[test]
fn a_recording_that_begins_just_after_subframe_1_fixes_within_37_s() {
    let start = GnssTime::from_gpst(2408, 280_806.1);
    let outcome = receive(l1ca(46.0, 40.0, start, 38.0), |b| b);
    let first = outcome.first_fix_s().unwrap();
    println!("first fix after {first:.2} s");
    assert!(first <= 37.0, "{first}");
}

fn used(outcome: &Outcome) -> usize {
    outcome.solutions().last().map_or(0, |fix| fix.sats_used())
}

#[test]
fn the_strongest_satellite_at_41_dbhz() {
    let outcome = receive(l1ca(41.0, 33.0, before_subframe_1(), 60.0), |b| b);
    let (rms_m, fixes) = outcome.position_rms_m();
    let visible = outcome.simulation.signals().count();
    println!("41 dB-Hz: {fixes} fixes, rms {rms_m:.2} m, {} of {visible} satellites used", used(&outcome));
    assert!(fixes > 10 && rms_m < 10.0);
    assert_eq!(used(&outcome), visible, "{:#?}", outcome.receiver.satellites());
}

#[test]
fn the_strongest_satellite_at_37_dbhz() {
    let outcome = receive(l1ca(37.0, 29.0, before_subframe_1(), 70.0), |b| b);
    let (rms_m, fixes) = outcome.position_rms_m();
    let visible = outcome.simulation.signals().count();
    println!("37 dB-Hz: {fixes} fixes, rms {rms_m:.2} m, {} of {visible} satellites used", used(&outcome));
    assert!(fixes > 5, "{}", outcome.receiver.diagnose());
    assert!(rms_m < 15.0, "{rms_m} m");
}
