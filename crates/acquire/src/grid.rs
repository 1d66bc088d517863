//! The search grid: powers at all delays and Dopplers, and the best cell of each satellite and Doppler.

use std::f64::consts::TAU;

use num_complex::Complex;
use rayon::prelude::*;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

use crate::code::{Code, signed};

/// Baseband samples for a slice of the Doppler window.
///
/// The centre of the slice is at 0 Hz, and a code period received at that Doppler has a whole number of
/// samples.
pub(crate) struct Slice {
    /// Doppler at 0 Hz.
    pub(crate) mid_hz: f64,
    /// Rate of the samples.
    pub(crate) rate_hz: f64,
    /// First and last step of Doppler.
    pub(crate) bins: (i32, i32),
    pub(crate) samples: Vec<Complex<f32>>,
}

/// Sizes of a search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Samples of a code period.
    pub(crate) n: usize,
    /// Length of the FFTs: `n`, or `2 n` where sign changes are avoided.
    pub(crate) window: usize,
    /// Code periods summed coherently.
    pub(crate) coherent: usize,
    /// Blocks summed in power.
    pub(crate) blocks: usize,
    /// Carrier of the signal in Hz.
    pub(crate) carrier_hz: f64,
}

impl Shape {
    /// Steps of Doppler from one line of the code to the next: half the resolution of a block.
    pub(crate) fn fractions(&self) -> usize {
        2 * self.coherent
    }

    /// Doppler of a step relative to the centre of the slice, in Hz.
    pub(crate) fn bin_hz(&self, slice: &Slice, bin: i32) -> f64 {
        f64::from(bin) * slice.rate_hz / (self.fractions() * self.n) as f64
    }

    /// Relative excess of the code's rate at `offset_hz` from the centre of the slice.
    pub(crate) fn code_excess(&self, slice: &Slice, offset_hz: f64) -> f64 {
        offset_hz / (self.carrier_hz + slice.mid_hz)
    }
}

/// The best cell of one satellite at one step of Doppler. Powers are sums over the blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    pub(crate) bin: i32,
    /// Delay in samples of the start of a code period, at the start of the slice; multiples of one half.
    pub(crate) delay: f64,
    /// Peak over the mean of all delays of its kind (on the grid or halfway).
    pub(crate) ratio: f64,
    /// Mean of all delays on the grid.
    pub(crate) mean: f64,
}

impl Best {
    /// Power of the peak, in the units of `mean`.
    pub(crate) fn peak(&self) -> f64 {
        self.ratio * self.mean
    }
}

/// Searches one slice for all `codes`: for each step of Doppler, the best cell of each code.
pub(crate) fn search_slice(
    slice: &Slice,
    shape: &Shape,
    codes: &[Arc<Code>],
    planner: &mut FftPlanner<f32>,
) -> Vec<Vec<Best>> {
    let forward = planner.plan_fft_forward(shape.window);
    let inverse = planner.plan_fft_inverse(shape.window);
    let spectra: Vec<Vec<Complex<f32>>> = (0..shape.fractions())
        .into_par_iter()
        .map(|fraction| spectra(slice, shape, fraction, forward.as_ref()))
        .collect();
    (slice.bins.0..=slice.bins.1)
        .into_par_iter()
        .map_init(
            || Workspace::new(shape, codes, inverse.as_ref()),
            |workspace, bin| workspace.search(slice, shape, codes, &spectra, bin, inverse.as_ref()),
        )
        .collect()
}

/// Spectra of all blocks with `fraction` steps of Doppler wiped off, one after another.
fn spectra(slice: &Slice, shape: &Shape, fraction: usize, fft: &dyn Fft<f32>) -> Vec<Complex<f32>> {
    let &Shape { n, window, coherent, blocks, .. } = shape;
    let cycles = fraction as f64 / (shape.fractions() * n) as f64;
    let wipe: Vec<Complex<f32>> =
        (0..(coherent - 1) * n + window).map(|t| turn(-cycles * t as f64)).collect();
    let mut out = vec![Complex::default(); blocks * window];
    let mut scratch = vec![Complex::default(); fft.get_inplace_scratch_len()];
    for (b, folded) in out.chunks_exact_mut(window).enumerate() {
        for m in 0..coherent {
            let samples = slice.samples.get((b * coherent + m) * n..).unwrap_or_default();
            let wipe = wipe.get(m * n..).unwrap_or_default();
            for ((to, x), w) in folded.iter_mut().zip(samples).zip(wipe) {
                *to += x * w;
            }
        }
        fft.process_with_scratch(folded, &mut scratch);
    }
    out
}

/// exp(j 2π cycles).
fn turn(cycles: f64) -> Complex<f32> {
    let (sin, cos) = (TAU * cycles.fract()).sin_cos();
    Complex::new(cos as f32, sin as f32)
}

/// Buffers of one thread.
struct Workspace {
    line: Vec<Complex<f32>>,
    product: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// For each code and hypothesis, sums at the delays of the grid, then at those halfway.
    sums: Vec<f32>,
}

impl Workspace {
    fn new(shape: &Shape, codes: &[Arc<Code>], fft: &dyn Fft<f32>) -> Self {
        let grids: usize = codes.iter().map(|code| code.conjugates.len()).sum();
        Self {
            line: vec![Complex::default(); shape.window],
            product: vec![Complex::default(); shape.window],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            sums: vec![0.0; grids * 2 * shape.n],
        }
    }

    fn search(
        &mut self,
        slice: &Slice,
        shape: &Shape,
        codes: &[Arc<Code>],
        spectra: &[Vec<Complex<f32>>],
        bin: i32,
        fft: &dyn Fft<f32>,
    ) -> Vec<Best> {
        let hypotheses = codes.first().map_or(0, |code| code.conjugates.len());
        let n = shape.n;
        self.sums.fill(0.0);
        let excess = shape.code_excess(slice, shape.bin_hz(slice, bin));
        for b in 0..shape.blocks {
            // The code starts earlier by this much after b blocks.
            let advance =
                excess * ((b * shape.coherent) as f64 + 0.5 * (shape.coherent - 1) as f64) * n as f64;
            for h in 0..hypotheses {
                // The code with the turned sign sits half a line higher.
                self.load(shape, spectra, bin + (h * shape.coherent) as i32, b, advance);
                for (code, sums) in codes.iter().zip(self.sums.chunks_exact_mut(hypotheses * 2 * n)) {
                    let Some(conjugate) = code.conjugates.get(h) else { continue };
                    for ((p, x), c) in self.product.iter_mut().zip(&self.line).zip(conjugate) {
                        *p = Complex::new(x.re * c.re - x.im * c.im, x.re * c.im + x.im * c.re);
                    }
                    fft.process_with_scratch(&mut self.product, &mut self.scratch);
                    let Some(sums) = sums.get_mut(h * 2 * n..(h + 1) * 2 * n) else { continue };
                    add_powers(sums, &self.product);
                }
            }
        }
        self.sums
            .chunks_exact(hypotheses * 2 * n)
            .filter_map(|grids| {
                grids
                    .chunks_exact(2 * n)
                    .map(|grid| best(grid, bin))
                    .reduce(|a, b| if b.ratio > a.ratio { b } else { a })
            })
            .collect()
    }

    /// Spectrum of block `b` at a step of Doppler, the delay moved by `advance` samples.
    fn load(&mut self, shape: &Shape, spectra: &[Vec<Complex<f32>>], bin: i32, b: usize, advance: f64) {
        let fractions = shape.fractions() as i32;
        let window = shape.window;
        let lines = bin.div_euclid(fractions) as i64 * (window / shape.n) as i64;
        let shift = lines.rem_euclid(window as i64) as usize;
        let block = spectra
            .get(bin.rem_euclid(fractions) as usize)
            .and_then(|spectra| spectra.get(b * window..(b + 1) * window))
            .unwrap_or_default();
        if block.len() != window || self.line.len() != window {
            return;
        }
        let (head, tail) = block.split_at(shift);
        self.line[..window - shift].copy_from_slice(tail);
        self.line[window - shift..].copy_from_slice(head);
        if advance.abs() < 1.0 / 32.0 {
            return;
        }
        let cycles = -advance / window as f64;
        const RUN: usize = 64;
        let step = turn(cycles);
        for (run, chunk) in self.line.chunks_mut(RUN).enumerate() {
            let mut phase = turn(cycles * signed(run * RUN, window) as f64);
            for x in chunk {
                *x *= phase;
                phase *= step;
            }
        }
    }
}

/// Adds the powers of a correlation to the sums, on its own delays and halfway between.
fn add_powers(sums: &mut [f32], correlation: &[Complex<f32>]) {
    let n = sums.len() / 2;
    let (on, halfway) = sums.split_at_mut(n);
    let next = correlation.iter().skip(1).chain(correlation.first());
    let (Some(now), Some(later)) = (correlation.get(..n), correlation.get(1..n)) else { return };
    for ((on, halfway), (a, b)) in on.iter_mut().zip(halfway.iter_mut()).zip(now.iter().zip(later)) {
        *on += a.norm_sqr();
        *halfway += (a + b).norm_sqr();
    }
    // The last delay's neighbour is the first one of a cyclic correlation, or the next of a longer one.
    if let (Some(on), Some(halfway), Some(a), Some(b)) =
        (on.last_mut(), halfway.last_mut(), now.last(), next.clone().nth(n - 1))
    {
        *on += a.norm_sqr();
        *halfway += (a + b).norm_sqr();
    }
}

fn best(grid: &[f32], bin: i32) -> Best {
    let (on, halfway) = grid.split_at(grid.len() / 2);
    let (on_peak, on_mean) = peak_and_mean(on);
    let (halfway_peak, halfway_mean) = peak_and_mean(halfway);
    let on_ratio = f64::from(on_peak) / on_mean.max(f64::MIN_POSITIVE);
    let halfway_ratio = f64::from(halfway_peak) / halfway_mean.max(f64::MIN_POSITIVE);
    let position = |grid: &[f32], peak: f32| grid.iter().position(|&x| x == peak).unwrap_or(0) as f64;
    if on_ratio >= halfway_ratio {
        Best { bin, delay: position(on, on_peak), ratio: on_ratio, mean: on_mean }
    } else {
        Best { bin, delay: position(halfway, halfway_peak) + 0.5, ratio: halfway_ratio, mean: on_mean }
    }
}

fn peak_and_mean(powers: &[f32]) -> (f32, f64) {
    const LANES: usize = 8;
    let (mut peak, mut total) = (0.0f32, 0.0f64);
    for run in powers.chunks(1024) {
        let (mut peaks, mut sums) = ([0.0f32; LANES], [0.0f32; LANES]);
        let mut chunks = run.chunks_exact(LANES);
        for chunk in &mut chunks {
            for ((&x, peak), sum) in chunk.iter().zip(&mut peaks).zip(&mut sums) {
                *peak = if x > *peak { x } else { *peak };
                *sum += x;
            }
        }
        for &x in chunks.remainder() {
            peak = peak.max(x);
            total += f64::from(x);
        }
        peak = peaks.into_iter().fold(peak, f32::max);
        total += f64::from(sums.iter().sum::<f32>());
    }
    (peak, total / powers.len().max(1) as f64)
}
