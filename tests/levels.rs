//! Positions do not depend on the instruction set.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests fail by panicking

mod common;

use common::{receive, scene};
use megrez::dsp::{Level, SampleFormat};
use megrez::prelude::*;

/// Most that a position may move from one level to another.
const MOST_M: f64 = 0.01;
/// The same while the edges of a satellite's chips stand still against the samples (no Doppler, no oscillator
/// error, sharp edges): its code phase then hangs on which side of an edge a few samples fall.
const MOST_STANDING_M: f64 = 0.015;

fn compare(signals: &[SignalId], rate_hz: f64, center_hz: f64, drift_ppm: f64, most_m: f64) {
    let positions = |level| {
        let mut scene = scene(signals, rate_hz, center_hz, SampleFormat::Cs8);
        scene.duration_s = 45.0;
        scene.clock.drift_ppm = drift_ppm;
        let outcome = receive(scene, |b| b.level(level));
        let all: Vec<_> = outcome.solutions().map(|fix| (fix.time, fix.position, fix.sats.len())).collect();
        assert!(all.len() >= 8, "{level}: {} fixes\n{}", all.len(), outcome.receiver.diagnose());
        all
    };
    let portable = positions(Level::Portable);
    for level in Level::all_available().into_iter().filter(|&level| level != Level::Portable) {
        let other = positions(level);
        assert_eq!(other.len(), portable.len(), "{level}: number of fixes");
        let worst_m = portable.iter().zip(&other).map(|(a, b)| {
            assert_eq!(a.2, b.2, "{level}: satellites at {:?}", a.0);
            (a.1 - b.1).norm()
        });
        let worst_m = worst_m.fold(0.0, f64::max);
        println!("{signals:?} at {} Msps: {level} moves positions by {worst_m:.6} m at most", rate_hz / 1e6);
        assert!(worst_m < most_m, "{level}: {worst_m} m");
    }
}

#[test]
fn from_eight_bit_products() {
    compare(&[SignalId::L1CA], 4e6, 1_575.42e6, 0.5, MOST_M);
}

#[test]
fn from_eight_bit_products_of_standing_edges() {
    compare(&[SignalId::L1CA], 4e6, 1_575.42e6, 0.0, MOST_STANDING_M);
}

#[test]
fn from_a_wide_stream() {
    compare(&[SignalId::L1CA, SignalId::B1I], 18e6, 1_568.0e6, 0.5, MOST_M);
}
