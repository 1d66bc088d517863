//! From the best cell of the grid to a delay within a fraction of a chip, a Doppler within hertz, and C/N0.
//!
//! The samples are correlated again with the code, in pieces that begin at the starts of the code and so
//! have no sign change within. The Doppler of the cell is improved first from the powers of the pieces,
//! then from the phases of their squares, which data bits and secondary codes leave alone.

use std::f64::consts::TAU;

use megrez_dsp::ComplexMath;
use num_complex::Complex;
use rustfft::FftPlanner;

use crate::code::Code;
use crate::grid::{Best, Shape, Slice};

/// Parts of a piece, for frequencies within it.
const PARTS: usize = 16;
/// Fractions of a sample at which the code's waveform is kept.
const FRACTIONS: usize = 8;

/// What a refinement finds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refined {
    /// Delay in samples of the start of a code period at the start of the slice.
    pub(crate) delay: f64,
    /// Doppler relative to the centre of the slice, in Hz.
    pub(crate) offset_hz: f64,
    /// Standard deviation of the Doppler in Hz.
    pub(crate) sigma_hz: f64,
    /// C/N0 of the signal in dB-Hz.
    pub(crate) cn0_dbhz: f64,
}

/// Correlation over a part of one code period.
struct Piece {
    /// Start of the code period in periods.
    time: f64,
    /// Share of the period there is.
    share: f64,
    parts: [Complex<f32>; PARTS],
}

impl Piece {
    /// Correlation with a residual frequency of `cycles` per period taken off.
    fn at(&self, cycles: f64) -> Complex<f64> {
        let turn = conjugate_cis(cycles / PARTS as f64);
        let mut phase = conjugate_cis(cycles * (self.time + 0.5 / PARTS as f64));
        self.parts
            .iter()
            .map(|part| {
                let y = Complex::new(f64::from(part.re), f64::from(part.im)) * phase;
                phase *= turn;
                y
            })
            .sum()
    }
}

/// exp(-2πi cycles).
fn conjugate_cis(cycles: f64) -> Complex<f64> {
    let (sin, cos) = (-TAU * cycles.fract()).sin_cos();
    Complex::new(cos, sin)
}

struct Refiner<'a> {
    math: ComplexMath,
    shape: &'a Shape,
    /// Samples with the Doppler of the cell taken off.
    wiped: Vec<Complex<f32>>,
    waves: Vec<Vec<f32>>,
    /// Code period in samples.
    period: f64,
}

impl Refiner<'_> {
    fn pieces(&self, delay: f64) -> Vec<Piece> {
        let n = self.shape.n;
        let len = self.wiped.len();
        let mut pieces = Vec::new();
        let start_of = |m: i64| {
            // In eighths of a sample.
            let start = ((delay + m as f64 * self.period) * FRACTIONS as f64).round() as i64;
            (start.div_euclid(FRACTIONS as i64), start.rem_euclid(FRACTIONS as i64) as usize)
        };
        for m in -1i64.. {
            let ((start, fraction), (end, _)) = (start_of(m), start_of(m + 1));
            if start >= len as i64 {
                break;
            }
            let (from, to) = (start.max(0), end.min(len as i64));
            let Some(wave) = self.waves.get(fraction).filter(|_| from < to) else { continue };
            let mut parts = [Complex::default(); PARTS];
            for (p, part) in parts.iter_mut().enumerate() {
                let bound = |p: usize| if p == PARTS { end } else { start + (p * n / PARTS) as i64 };
                let (a, b) = (bound(p).max(from), bound(p + 1).min(to));
                if a >= b {
                    continue;
                }
                let samples = self.wiped.get(a as usize..b as usize).unwrap_or_default();
                let wave = wave.get((a - start) as usize..).unwrap_or_default();
                *part = self.math.weighted_sum(samples, wave);
            }
            let share = (to - from) as f64 / (end - start) as f64;
            pieces.push(Piece { time: m as f64, share, parts });
        }
        pieces
    }
}

/// Refines `best`; `usual_mean` is the median over Doppler of the grid's mean power, `period_s` the nominal
/// code period.
pub(crate) fn refine(
    slice: &Slice,
    shape: &Shape,
    code: &Code,
    best: &Best,
    usual_mean: f64,
    period_s: f64,
    math: ComplexMath,
) -> Refined {
    let mut planner = FftPlanner::new();
    let bin_hz = shape.bin_hz(slice, best.bin);
    let cycles = bin_hz / slice.rate_hz;
    let refiner = Refiner {
        math,
        shape,
        wiped: wipe(&slice.samples, cycles),
        waves: (0..FRACTIONS).map(|q| code.waveform(q as f64 / FRACTIONS as f64, &mut planner)).collect(),
        period: shape.n as f64 / (1.0 + shape.code_excess(slice, bin_hz)),
    };
    // The signal itself raises the mean at its Doppler; so may traces of a stronger satellite.
    let noise = (best.mean - code.self_noise * best.peak())
        .clamp(0.1 * best.mean, usual_mean.max(0.1 * best.mean))
        / (shape.blocks * shape.coherent) as f64;

    let pieces = refiner.pieces(best.delay);
    let frequency = frequency(&pieces, shape.coherent, noise);
    let step = 0.5;
    let power =
        |pieces: &[Piece]| -> f64 { pieces.iter().map(|piece| piece.at(frequency.cycles).norm_sqr()).sum() };
    let around = [-2.0, -1.0, 0.0, 1.0, 2.0]
        .map(|k| if k == 0.0 { power(&pieces) } else { power(&refiner.pieces(best.delay + k * step)) });
    let top = (1..4).max_by(|&a, &b| around[a].total_cmp(&around[b])).unwrap_or(2);
    let vertex = vertex(around[top - 1], around[top], around[top + 1]);
    let delay = best.delay + (top as f64 - 2.0 + vertex) * step;

    let pieces = refiner.pieces(delay);
    let total = power(&pieces);
    let (shares, squares) =
        pieces.iter().fold((0.0, 0.0), |(s, q), piece| (s + piece.share, q + piece.share * piece.share));
    let snr = ((total - noise * shares) / (noise * squares)).max(1e-3);
    Refined {
        delay,
        offset_hz: bin_hz + frequency.cycles / period_s,
        sigma_hz: frequency.sigma_cycles / period_s,
        cn0_dbhz: 10.0 * (snr / (period_s * code.in_band)).log10(),
    }
}

/// Takes `cycles` a sample off.
fn wipe(samples: &[Complex<f32>], cycles: f64) -> Vec<Complex<f32>> {
    const RUN: usize = 64;
    let turn = |cycles: f64| {
        let turn = conjugate_cis(cycles);
        Complex::new(turn.re as f32, turn.im as f32)
    };
    let step = turn(cycles);
    let mut out = Vec::with_capacity(samples.len());
    for (run, chunk) in samples.chunks(RUN).enumerate() {
        let mut phase = turn(cycles * (run * RUN) as f64);
        out.extend(chunk.iter().map(|x| {
            let y = x * phase;
            phase *= step;
            y
        }));
    }
    out
}

/// Residual frequency in cycles a code period.
struct Frequency {
    cycles: f64,
    sigma_cycles: f64,
}

fn frequency(pieces: &[Piece], coherent: usize, noise: f64) -> Frequency {
    // Within the pieces: all that a grid of single periods leaves open. Longer blocks have done better.
    let mut coarse = 0.0;
    if coherent == 1 {
        let step = 1.0 / 16.0;
        let power = |cycles: f64| -> f64 { pieces.iter().map(|piece| piece.at(cycles).norm_sqr()).sum() };
        let powers: Vec<f64> = (-9..=9).map(|k| power(f64::from(k) * step)).collect();
        let top = (1..18).max_by(|&a, &b| powers[a].total_cmp(&powers[b])).unwrap_or(9);
        coarse = (top as f64 - 9.0 + vertex(powers[top - 1], powers[top], powers[top + 1])) * step;
    }
    // From piece to piece: groups short against a data bit, squared.
    let size = (coherent / 2).max(1);
    let groups: Vec<Complex<f64>> = pieces
        .chunks(size)
        .map(|group| group.iter().map(|piece| piece.at(coarse)).sum::<Complex<f64>>())
        .collect();
    let shares: f64 = pieces.iter().map(|piece| piece.share).sum();
    let total: f64 = groups.iter().map(Complex::norm_sqr).sum();
    // Signal-to-noise ratio of all samples together, as far as it can be told.
    let snr = ((total / noise - shares) / size as f64).max(0.5);
    let alone = (6.0 / snr).sqrt() / (TAU * coherent as f64);
    if groups.len() < 2 {
        return Frequency { cycles: coarse, sigma_cycles: alone };
    }
    let squares: Vec<Complex<f64>> = groups.iter().map(|g| g * g).collect();
    let reach = if coherent == 1 { 0.25 } else { 0.4 / coherent as f64 };
    let span = (groups.len() * size) as f64;
    let step = 1.0 / (16.0 * span);
    let count = (reach / step).ceil() as i32;
    let power = |k: i32| -> f64 {
        // Twice the frequency, from one group to the next.
        let (sin, cos) = (-TAU * 2.0 * f64::from(k) * step * size as f64).sin_cos();
        let (turn, mut phase) = (Complex::new(cos, sin), Complex::new(1.0, 0.0));
        let mut sum = Complex::new(0.0, 0.0);
        for square in &squares {
            sum += square * phase;
            phase *= turn;
        }
        sum.norm()
    };
    let powers: Vec<f64> = (-count - 1..=count + 1).map(power).collect();
    let last = powers.len() - 1;
    let top = (1..last).max_by(|&a, &b| powers[a].total_cmp(&powers[b])).unwrap_or(last / 2);
    let fine =
        (top as f64 - f64::from(count + 1) + vertex(powers[top - 1], powers[top], powers[top + 1])) * step;
    let each = snr / groups.len() as f64;
    let phase_variance = 2.0 / each * (1.0 + 0.5 / each);
    let k = groups.len() as f64;
    let sigma = (12.0 * phase_variance / (k * (k * k - 1.0))).sqrt() / (2.0 * TAU * size as f64);
    Frequency { cycles: coarse + fine, sigma_cycles: sigma.min(alone) }
}

/// Place of the vertex of a parabola through three equidistant values, the largest in the middle.
fn vertex(before: f64, at: f64, after: f64) -> f64 {
    let curvature = before - 2.0 * at + after;
    if curvature < 0.0 { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
}
