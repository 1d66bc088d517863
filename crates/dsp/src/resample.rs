//! Samples at any rate to a complex baseband at a chosen rate, for searches.
//!
//! Three steps: mix the carrier to zero, sum whole groups of samples while the rate stays at least four
//! times the wanted one, and interpolate to the wanted rate with a Kaiser-windowed sinc that passes
//! ±half the lower of both rates. The sums lose 0.2 dB at the edge of the band; what folds into it (the
//! mirror image of a real stream, noise outside) is 17 dB down or more.

use std::f64::consts::{PI, TAU};

use num_complex::Complex;

use crate::{ComplexMath, Level, Samples, StreamInfo};

/// Zero crossings of the sinc on each side.
const CROSSINGS: f64 = 10.0;
/// Fractions of an intermediate sample at which the filter is tabulated.
const PHASES: usize = 256;
/// Shape of the Kaiser window: about 60 dB of stop-band attenuation.
const BETA: f64 = 5.65;
/// Samples between exact settings of the mixing oscillator.
const MIX_RUN: usize = 512;
/// Oscillators side by side, so that the mixing loop has no serial dependency.
const LANES: usize = 8;

/// Converts `samples` to complex samples at `out_rate_hz` with `carrier_hz` at zero frequency.
///
/// `carrier_hz` is the RF frequency that goes to 0 Hz, so a signal there must lie within the stream:
/// |carrier - centre| up to half the sampling rate. Output k is the signal at k / `out_rate_hz` after the
/// first sample, and output 0 has the oscillator at phase 0. A complex stream keeps its amplitude (the
/// component of a real one has half of it). The output covers the whole input, its length is
/// ⌊len · out_rate / rate⌋, and samples beyond either end count as zero. `out` is cleared first.
pub fn downconvert(
    samples: &Samples,
    info: &StreamInfo,
    carrier_hz: f64,
    out_rate_hz: f64,
    level: Level,
    out: &mut Vec<Complex<f32>>,
) {
    out.clear();
    let rate = info.sample_rate_hz;
    if samples.is_empty() || !(rate > 0.0 && out_rate_hz > 0.0) {
        return;
    }
    let group = ((rate / (4.0 * out_rate_hz)).floor() as usize).max(1);
    let cycles_per_sample = (carrier_hz - info.center_hz) / rate;
    let sums = match samples {
        Samples::Real(x) => mix(x, group, cycles_per_sample, |&v| Complex::new(f32::from(v), 0.0)),
        Samples::Complex(x) => {
            mix(x, group, cycles_per_sample, |v| Complex::new(f32::from(v.re), f32::from(v.im)))
        }
    };
    let len = (samples.len() as f64 * out_rate_hz / rate).floor() as usize;
    interpolate(
        &sums,
        rate / group as f64,
        (group as f64 - 1.0) / (2.0 * rate),
        out_rate_hz,
        len,
        level,
        out,
    );
}

/// Mixes down by `cycles_per_sample` and averages groups of `group` samples.
fn mix<T>(
    samples: &[T],
    group: usize,
    cycles_per_sample: f64,
    value: impl Fn(&T) -> Complex<f32>,
) -> Vec<Complex<f32>> {
    let oscillator = |n: usize| {
        let (sin, cos) = (-TAU * (cycles_per_sample * n as f64).fract()).sin_cos();
        Complex::new(cos as f32, sin as f32)
    };
    let step = oscillator(LANES);
    let scale = 1.0 / group as f32;
    let mut sums = Vec::with_capacity(samples.len() / group + 1);
    let mut mixed = [Complex::<f32>::default(); MIX_RUN];
    let (mut sum, mut held) = (Complex::<f32>::default(), 0);
    for (run, chunk) in samples.chunks(MIX_RUN).enumerate() {
        let mut lanes: [Complex<f32>; LANES] = std::array::from_fn(|l| oscillator(run * MIX_RUN + l));
        for (to, from) in mixed.chunks_mut(LANES).zip(chunk.chunks(LANES)) {
            for ((to, from), lane) in to.iter_mut().zip(from).zip(&mut lanes) {
                *to = value(from) * *lane;
                *lane *= step;
            }
        }
        let mut mixed = &mixed[..chunk.len()];
        while !mixed.is_empty() {
            let (now, later) = mixed.split_at((group - held).min(mixed.len()));
            sum += now.iter().sum::<Complex<f32>>();
            held += now.len();
            mixed = later;
            if held == group {
                sums.push(sum * scale);
                (sum, held) = (Complex::default(), 0);
            }
        }
    }
    sums
}

/// Interpolates samples at `rate`, the first one at time `first_s`, at times k / `out_rate`.
fn interpolate(
    samples: &[Complex<f32>],
    rate: f64,
    first_s: f64,
    out_rate: f64,
    len: usize,
    level: Level,
    out: &mut Vec<Complex<f32>>,
) {
    // Cut-off relative to the samples' rate, then the half-width of the filter in those samples.
    let cutoff = out_rate.min(rate) / rate;
    let half = (CROSSINGS / cutoff).ceil() as usize;
    let taps = 2 * half;
    let bank: Vec<f32> = (0..=PHASES)
        .flat_map(|phase| {
            let fraction = phase as f64 / PHASES as f64;
            (0..taps).map(move |tap| {
                let t = tap as f64 - (half as f64 - 1.0) - fraction;
                (cutoff * sinc(cutoff * t) * kaiser(t / half as f64)) as f32
            })
        })
        .collect();
    let math = ComplexMath::new(level);
    out.reserve(len);
    for k in 0..len {
        let position = (k as f64 / out_rate - first_s) * rate;
        let whole = position.floor();
        let phase = ((position - whole) * PHASES as f64).round() as usize;
        let filter = bank.get(phase * taps..(phase + 1) * taps).unwrap_or_default();
        let start = whole as isize - (half as isize - 1);
        let skip = start.min(0).unsigned_abs();
        let from = start.max(0) as usize;
        let window = samples.get(from.min(samples.len())..).unwrap_or_default();
        out.push(math.weighted_sum(window, filter.get(skip.min(taps)..).unwrap_or_default()));
    }
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Kaiser window over -1..1.
fn kaiser(x: f64) -> f64 {
    if x.abs() > 1.0 { 0.0 } else { bessel_i0(BETA * (1.0 - x * x).sqrt()) / bessel_i0(BETA) }
}

/// Modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency_hz: f64, rate: f64, len: usize, complex: bool) -> Samples {
        let phase = |n: usize| TAU * (frequency_hz * n as f64 / rate).fract();
        if complex {
            let value =
                |p: f64| Complex::new((100.0 * p.cos()).round() as i8, (100.0 * p.sin()).round() as i8);
            Samples::Complex((0..len).map(|n| value(phase(n))).collect())
        } else {
            Samples::Real((0..len).map(|n| (100.0 * phase(n).cos()).round() as i8).collect())
        }
    }

    /// A tone `offset_hz` above the carrier keeps frequency, phase and amplitude at every kind of rate.
    #[test]
    fn tone_keeps_frequency_phase_and_amplitude() {
        for (rate, complex, intermediate) in [
            (1.0e6, true, 0.1e6),
            (2.6e6, true, -0.3e6),
            (4.0e6, true, 0.0),
            (12.0e6, false, 3.0e6),
            (38.192e6, false, 9.548e6),
            (79.5e6, false, -14.58e6),
            (80.0e6, true, 21.0e6),
        ] {
            let center = 1575.42e6 - intermediate;
            let info = StreamInfo { sample_rate_hz: rate, center_hz: center, complex };
            let offset = 0.2e6_f64.min(0.2 * rate);
            let samples = tone(intermediate + offset, rate, (rate * 0.002) as usize, complex);
            let mut out = Vec::new();
            downconvert(&samples, &info, 1575.42e6, 2.048e6, Level::Portable, &mut out);
            assert_eq!(out.len(), 4096);
            let amplitude = if complex { 100.0 } else { 50.0 };
            for (k, y) in out.iter().enumerate().skip(64).take(4096 - 128) {
                let (sin, cos) = (TAU * (offset * k as f64 / 2.048e6).fract()).sin_cos();
                let error = (y - Complex::new((amplitude * cos) as f32, (amplitude * sin) as f32)).norm();
                assert!(error < 0.04 * amplitude as f32, "{rate} {intermediate} {k}: {error}");
            }
        }
    }

    /// Tones out of the band, the mirror image of a real stream among them, are suppressed.
    #[test]
    fn outside_the_band_is_suppressed() {
        let info = StreamInfo { sample_rate_hz: 12.0e6, center_hz: 1572.42e6, complex: false };
        for (frequency, least_db) in [(3.0e6 + 1.3e6, 40.0), (3.0e6 - 1.3e6, 40.0), (0.0, 40.0)] {
            let samples = tone(frequency, 12.0e6, 24_000, false);
            let mut out = Vec::new();
            downconvert(&samples, &info, 1575.42e6, 2.048e6, Level::Portable, &mut out);
            let peak = out[64..4000].iter().map(|y| y.norm()).fold(0.0, f32::max);
            let db = 20.0 * (100.0 / f64::from(peak)).log10();
            assert!(db > least_db, "{frequency} Hz only {db:.1} dB down");
        }
    }

    #[test]
    fn empty_input_gives_empty_output() {
        let info = StreamInfo { sample_rate_hz: 4.0e6, center_hz: 0.0, complex: true };
        let mut out = vec![Complex::default()];
        downconvert(&Samples::Complex(Vec::new()), &info, 0.0, 2.0e6, Level::Portable, &mut out);
        assert!(out.is_empty());
    }
}
