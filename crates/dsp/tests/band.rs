//! The band against mixing in f64, and against itself with the stream cut differently.

use std::f64::consts::TAU;

use megrez_dsp::{Band, Level, SampleBlock, Samples, StreamInfo};
use num_complex::Complex;
use proptest::prelude::*;

const CARRIER_HZ: f64 = 1561.098e6;

/// Noise of about the given standard deviation, by the sum of four uniform numbers, rounded to odd values
/// up to `limit` (1: one bit, 3: two bits) or to integers.
fn noise(len: usize, sigma: f64, limit: Option<i8>, seed: u64) -> Vec<Complex<i8>> {
    let mut state = seed;
    let mut next = move || {
        let sum: f64 = (0..4)
            .map(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5
            })
            .sum();
        let v = sum * sigma * 3f64.sqrt();
        match limit {
            Some(limit) => ((2.0 * (v / 2.0).floor() + 1.0) as i8).clamp(-limit, limit),
            None => v.round().clamp(-128.0, 127.0) as i8,
        }
    };
    (0..len).map(|_| Complex::new(next(), next())).collect()
}

fn samples(x: &[Complex<i8>], complex: bool) -> Samples {
    if complex { Samples::Complex(x.to_vec()) } else { Samples::Real(x.iter().map(|v| v.re).collect()) }
}

fn info(rate: f64, offset_hz: f64, complex: bool) -> StreamInfo {
    StreamInfo { sample_rate_hz: rate, center_hz: CARRIER_HZ - offset_hz, complex }
}

/// All that comes out when the stream is pushed in pieces that `cut` gives the lengths of, over and over.
fn run(info: &StreamInfo, x: &[Complex<i8>], first: u64, cut: &[usize], level: Level) -> Vec<Complex<i8>> {
    let mut band = Band::new(info, CARRIER_HZ, 0.002, level);
    let mut out = Vec::new();
    let mut rest = x;
    let mut at = first;
    for &len in cut.iter().cycle() {
        let (now, later) = rest.split_at(len.min(rest.len()));
        band.push(&SampleBlock { first_sample: at, samples: samples(now, info.complex) });
        let view = band.view();
        assert_eq!(view.range().end, at + now.len() as u64);
        let held = (at - view.range().start) as usize;
        out.extend_from_slice(&view.samples()[held..]);
        at += now.len() as u64;
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    out
}

#[test]
fn centred_complex_samples_pass_unchanged() {
    let x = noise(30_000, 30.0, None, 1);
    for level in Level::all_available() {
        assert_eq!(run(&info(1.0e6, 0.0, true), &x, 7, &[10_000], level), x);
    }
}

/// Power lost to phase and amplitude rounding: one less the squared correlation with exact mixing.
#[test]
fn mixing_loses_next_to_nothing_and_fills_the_range() {
    let rate = 4.0e6;
    let first = 123_456_789_012;
    for complex in [true, false] {
        for offset in [1.0, -0.9e6, 1.3e6 / 7.0, 1.0e6] {
            for (sigma, limit) in [(1.0, Some(1)), (1.5, Some(3)), (4.0, None), (20.0, None), (60.0, None)] {
                let x = noise(60_000, sigma, limit, 3);
                let info = info(rate, offset, complex);
                // As the stream has it: a radio frequency in f64 is good to 0.2 microhertz.
                let offset = CARRIER_HZ - info.center_hz;
                let y = run(&info, &x, first, &[40_000], Level::Portable);
                let (mut cross, mut power, mut want_power) = (Complex::new(0.0, 0.0), 0.0, 0.0);
                for (n, (x, y)) in x.iter().zip(&y).enumerate() {
                    // The index times the frequency exactly: both fit in 128 bits in millihertz.
                    let millihertz = (offset * 1e3).round() as i128;
                    let turns = ((first as i128 + n as i128) * millihertz).rem_euclid(rate as i128 * 1000);
                    let exact = turns as f64 / (rate * 1e3);
                    let slip = (offset * 1e3 - millihertz as f64) / (rate * 1e3) * (first as f64 + n as f64);
                    let (sin, cos) = (-TAU * (exact + slip)).sin_cos();
                    let im = if complex { f64::from(x.im) } else { 0.0 };
                    let want = Complex::new(f64::from(x.re), im) * Complex::new(cos, sin);
                    let y = Complex::new(f64::from(y.re), f64::from(y.im));
                    cross += y * want.conj();
                    power += y.norm_sqr();
                    want_power += want.norm_sqr();
                }
                let loss = -10.0 * (cross.norm_sqr() / (power * want_power)).log10();
                assert!(loss <= 0.05, "{complex} {offset} {sigma}: {loss} dB");
                assert!(cross.arg().abs() < 1e-2, "{complex} {offset} {sigma}: turned by {}", cross.arg());
                let rms = (power / (2 * y.len()) as f64).sqrt();
                assert!((20.0..36.0).contains(&rms), "{complex} {offset} {sigma}: rms {rms}");
            }
        }
    }
}

/// The level jumps in the middle: the gain follows at the same sample however the stream is cut.
fn jump(seed: u64) -> Vec<Complex<i8>> {
    let mut x = noise(35_000, 40.0, None, seed);
    x.extend(noise(40_000, 4.0, None, seed ^ 5));
    x
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn cuts_and_levels_make_no_difference(
        first in 0u64..1 << 40, seed in any::<u64>(), complex in any::<bool>(),
        offset in -0.5e6..0.5e6f64,
        cut in prop::collection::vec(prop_oneof![1usize..100, 1000usize..30_000], 1..6),
    ) {
        let info = info(1.0e6, offset, complex);
        let x = jump(seed);
        let want = run(&info, &x, first, &[10_000], Level::Portable);
        // The first gain needs its samples in one piece.
        let mut cuts = vec![4096];
        cuts.extend(cut);
        for level in Level::all_available() {
            prop_assert!(run(&info, &x, first, &cuts, level) == want, "{level}");
        }
    }
}

#[test]
fn history_is_kept_and_a_gap_restarts() {
    let info = info(1.0e6, 0.1e6, true);
    let mut band = Band::new(&info, CARRIER_HZ, 0.025, Level::Portable);
    let x = noise(10_000, 20.0, None, 9);
    assert!(band.view().range().is_empty());
    for k in 0..40u64 {
        band.push(&SampleBlock { first_sample: k * 10_000, samples: samples(&x, true) });
        let range = band.view().range();
        assert_eq!(range.end, (k + 1) * 10_000);
        assert!(range.start <= (k * 10_000).saturating_sub(25_000));
        assert!(range.end - range.start <= 85_000);
    }
    for first in [500_000, 300, 10_300 - 1] {
        band.push(&SampleBlock { first_sample: first, samples: samples(&x, true) });
        assert_eq!(band.view().range(), first..first + 10_000);
    }
}

#[test]
fn silence_stays_silent() {
    let x = vec![Complex::new(0, 0); 5000];
    for complex in [true, false] {
        assert_eq!(run(&info(4.0e6, 1.0e6, complex), &x, 0, &[5000], Level::Portable), x);
    }
}
