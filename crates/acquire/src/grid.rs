//! The search grid: powers at all delays and Dopplers, and the best cell of each satellite and Doppler.

use std::f64::consts::TAU;
use std::sync::Arc;

use megrez_dsp::{ComplexMath, Fft, Planar};
use num_complex::Complex;
use rayon::prelude::*;

use crate::code::{Code, signed};
use crate::{SearchPlan, SignChanges};

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
    /// Length of the FFTs: `n`, or a whole multiple of it where sign changes are avoided.
    pub(crate) window: usize,
    /// Blocks that one FFT serves: 1, or one less than the code periods of the window.
    pub(crate) run: usize,
    /// Code periods summed coherently.
    pub(crate) coherent: usize,
    /// Blocks summed in power.
    pub(crate) blocks: usize,
    /// Whether the delay of blocks runs over the window without wrapping round.
    pub(crate) padded: bool,
    /// Whether every other step of Doppler is interpolated.
    pub(crate) interpolated: bool,
    /// Carrier of the signal in Hz.
    pub(crate) carrier_hz: f64,
}

impl Shape {
    /// Sizes for a plan that fits the samples, with `n` samples a code period.
    pub(crate) fn new(n: usize, plan: &SearchPlan) -> Self {
        let (coherent, blocks) = (plan.coherent_periods, plan.noncoherent);
        let padded = plan.sign_changes == SignChanges::Avoided;
        let run = if padded && coherent == 1 { padded_run(n, blocks) } else { 1 };
        let window = if padded { (run + 1) * n } else { n };
        // The phases of folded blocks that slide along the samples do not fit together.
        let interpolated = plan.doppler_interpolated && !(padded && coherent > 1);
        let carrier_hz = plan.signal.def().carrier_hz;
        Self { n, window, run, coherent, blocks, padded, interpolated, carrier_hz }
    }

    /// Steps of Doppler from one line of the code to the next: half the resolution of a block.
    pub(crate) fn fractions(&self) -> usize {
        2 * self.coherent
    }

    /// Steps of Doppler from one correlation to the next; what lies between is interpolated.
    ///
    /// Correlations over the same samples at Dopplers one resolution apart hold all there is to know of those
    /// between, if they are in phase at the middle of the samples but for a sign; see [`Search::sum`].
    fn stride(&self) -> usize {
        if self.interpolated { 2 } else { 1 }
    }

    /// Doppler of a step relative to the centre of the slice, in Hz.
    pub(crate) fn bin_hz(&self, slice: &Slice, bin: i32) -> f64 {
        f64::from(bin) * slice.rate_hz / (self.fractions() * self.n) as f64
    }

    /// Relative excess of the code's rate at `offset_hz` from the centre of the slice.
    pub(crate) fn code_excess(&self, slice: &Slice, offset_hz: f64) -> f64 {
        offset_hz / (self.carrier_hz + slice.mid_hz)
    }

    /// Lines of the window from one line of the code to the next.
    fn lines(&self) -> i64 {
        (self.window / self.n) as i64
    }
}

/// Blocks of one period that an FFT of one period more serves best: longer ones waste less on the padding,
/// but the last one may be partly empty, and they should stay in the cache.
fn padded_run(n: usize, blocks: usize) -> usize {
    const LONGEST: usize = 1 << 15;
    [1, 2, 3, 5, 7]
        .into_iter()
        .filter(|run| *run == 1 || (run + 1) * n <= LONGEST)
        .min_by_key(|run| blocks.div_ceil(*run) * (run + 1))
        .unwrap_or(1)
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

/// Correlations of one task, at most, unless the window is long.
const TASK: usize = 16;
/// Steps in samples in which the delay follows the code's Doppler.
const ADVANCE: f64 = 1.0 / 8.0;

/// Searches one slice for all `codes`: for each step of Doppler, the best cell of each code.
pub(crate) fn search_slice(
    slice: &Slice,
    shape: &Shape,
    codes: &[Wanted],
    math: ComplexMath,
    fft: &Fft,
) -> Vec<Vec<Best>> {
    let hypotheses = codes.first().map_or(0, |wanted| wanted.code.conjugates.len());
    let is_used = |fraction: usize| fraction.is_multiple_of(shape.stride()) || hypotheses > 1;
    let spectra: Vec<Vec<Planar>> = (0..shape.fractions())
        .into_par_iter()
        .map(|fraction| if is_used(fraction) { spectra(slice, shape, fraction, fft) } else { Vec::new() })
        .collect();
    let stride = shape.stride() as i32;
    let least = if shape.window > (1 << 14) { 8 } else { TASK };
    let mut tasks: Vec<Task> = Vec::new();
    for (index, wanted) in codes.iter().enumerate() {
        let bins = wanted.bins(slice, shape);
        if bins.0 > bins.1 {
            continue;
        }
        let (first, last) = (bins.0.div_euclid(stride), -(-bins.1).div_euclid(stride));
        let chunks = (last - first).max(1).cast_unsigned().div_ceil(least as u32).cast_signed();
        let bound = |chunk: i32| first + (last - first) * chunk / chunks;
        tasks.extend((0..chunks).map(|chunk| Task {
            index,
            bins,
            first: bound(chunk),
            last: bound(chunk + 1),
            is_last: chunk + 1 == chunks,
        }));
    }
    let search = Search { slice, shape, spectra: &spectra, math, fft };
    let found: Vec<Vec<Best>> = tasks
        .par_iter()
        .map_init(
            || Workspace::new(fft),
            |workspace, task| {
                codes
                    .get(task.index)
                    .map(|wanted| search.run(workspace, &wanted.code, task))
                    .unwrap_or_default()
            },
        )
        .collect();
    let mut rows = vec![Vec::new(); codes.len()];
    for (task, found) in tasks.iter().zip(found) {
        if let Some(row) = rows.get_mut(task.index) {
            row.extend(found);
        }
    }
    rows
}

/// A satellite to search for.
pub(crate) struct Wanted {
    pub(crate) code: Arc<Code>,
    /// Lowest and highest Doppler in Hz.
    pub(crate) window_hz: (f64, f64),
}

impl Wanted {
    /// First and last step of Doppler in a slice; the first is above the last if there is none.
    pub(crate) fn bins(&self, slice: &Slice, shape: &Shape) -> (i32, i32) {
        let step_hz = shape.bin_hz(slice, 1);
        let step = |hz: f64| (hz - slice.mid_hz) / step_hz;
        // Half a step on either side is covered, as by the slice itself.
        let first = (step(self.window_hz.0) + 0.5).floor().max(f64::from(slice.bins.0)) as i32;
        let last = (step(self.window_hz.1) - 0.5).ceil().min(f64::from(slice.bins.1)) as i32;
        let within = step(self.window_hz.0) <= f64::from(slice.bins.1) + 0.5
            && step(self.window_hz.1) >= f64::from(slice.bins.0) - 0.5;
        // A window narrower than a step lies between two, or at one.
        if within && first > last { (last.max(slice.bins.0), first.min(slice.bins.1)) } else { (first, last) }
    }
}

/// A part of the work: strides of Doppler of one satellite.
struct Task {
    /// Number of the satellite in the list.
    index: usize,
    /// First and last step of Doppler of all its tasks in the slice.
    bins: (i32, i32),
    first: i32,
    last: i32,
    /// Whether the upper end belongs to this task rather than to the next.
    is_last: bool,
}

/// Spectra of all windows with `fraction` steps of Doppler wiped off, one after another.
fn spectra(slice: &Slice, shape: &Shape, fraction: usize, fft: &Fft) -> Vec<Planar> {
    let &Shape { n, window, coherent, blocks, run, .. } = shape;
    let cycles = fraction as f64 / (shape.fractions() * n) as f64;
    let wipe = turns(-cycles, (coherent - 1) * n + window);
    let mut folded = Planar::new(window);
    let mut work = fft.workspace();
    (0..blocks.div_ceil(run))
        .map(|w| {
            let (re, im) = folded.split_mut();
            re.fill(0.0);
            im.fill(0.0);
            for m in 0..coherent {
                let samples = slice.samples.get((w * run * coherent + m) * n..).unwrap_or_default();
                let wipe = wipe.get(m * n..).unwrap_or_default();
                let to = re.iter_mut().zip(im.iter_mut()).take(window);
                for (((re, im), x), w) in to.zip(samples).zip(wipe) {
                    *re += x.re * w.re - x.im * w.im;
                    *im += x.re * w.im + x.im * w.re;
                }
            }
            let mut spectrum = Planar::new(window);
            fft.forward(&folded, &mut work, &mut spectrum);
            spectrum
        })
        .collect()
}

/// exp(j 2π cycles t) for t from 0 to `len`.
fn turns(cycles: f64, len: usize) -> Vec<Complex<f32>> {
    const RUN: usize = 64;
    let within: Vec<Complex<f32>> = (0..RUN).map(|t| turn(cycles * t as f64)).collect();
    let mut all = Vec::with_capacity(len + RUN);
    for start in (0..len).step_by(RUN) {
        let start = turn(cycles * start as f64);
        all.extend(within.iter().map(|w| w * start));
    }
    all.truncate(len);
    all
}

/// exp(j 2π cycles).
fn turn(cycles: f64) -> Complex<f32> {
    let (sin, cos) = (TAU * cycles.fract()).sin_cos();
    Complex::new(cos as f32, sin as f32)
}

/// Buffers of one thread.
struct Workspace {
    /// Correlations at this Doppler and the one before.
    correlations: [Planar; 2],
    /// Conjugate spectrum of the code, moved by `advance`.
    moved: Planar,
    fft: Planar,
    /// For each step of Doppler, sums at the delays of the grid, then at those halfway.
    sums: Vec<f32>,
}

impl Workspace {
    fn new(fft: &Fft) -> Self {
        let buffer = || Planar::new(fft.len());
        Self {
            correlations: [buffer(), buffer()],
            moved: Planar::default(),
            fft: fft.workspace(),
            sums: Vec::new(),
        }
    }
}

/// What all tasks share.
struct Search<'a> {
    slice: &'a Slice,
    shape: &'a Shape,
    spectra: &'a [Vec<Planar>],
    math: ComplexMath,
    fft: &'a Fft,
}

impl Search<'_> {
    /// The best cells of one code at the task's strides of Doppler, and at the steps between.
    fn run(&self, workspace: &mut Workspace, code: &Code, task: &Task) -> Vec<Best> {
        let &Task { first, last, is_last, bins, .. } = task;
        let stride = self.shape.stride() as i32;
        let steps = ((last - first) * stride + 1).cast_unsigned() as usize;
        let low = first * stride;
        let mut found: Vec<Best> = Vec::new();
        for h in 0..code.conjugates.len() {
            self.sum(workspace, code, h, (first, last));
            let reported = if is_last { steps } else { steps - 1 };
            let cells = workspace.sums.chunks_exact(2 * self.shape.n).take(reported);
            let cells = (low..).zip(cells).filter(|(bin, _)| (bins.0..=bins.1).contains(bin));
            for (k, (bin, grid)) in cells.enumerate() {
                // A difference has twice the power.
                let scale = if bin.rem_euclid(stride) == 0 { 1.0 } else { 0.5 };
                let best = best(grid, bin, scale, self.math);
                match found.get_mut(k) {
                    Some(other) if best.ratio > other.ratio => *other = best,
                    Some(_) => {}
                    None => found.push(best),
                }
            }
        }
        found
    }

    /// Sums the powers of all blocks under hypothesis `h`.
    ///
    /// Halfway between two Dopplers one resolution apart, a signal leaves the same in both, with opposite
    /// signs: half a turn over the samples. Their difference has nine tenths of the power that a correlation
    /// there would have over the noise, as much as is left a quarter from either.
    fn sum(&self, workspace: &mut Workspace, code: &Code, h: usize, (first, last): (i32, i32)) {
        let &Shape { n, run, blocks, coherent, .. } = self.shape;
        let stride = self.shape.stride();
        let Workspace { correlations: [now, before], moved, fft, sums } = workspace;
        sums.clear();
        sums.resize(((last - first) as usize * stride + 1) * 2 * n, 0.0);
        let Some(conjugate) = code.conjugates.get(h) else { return };
        let mut at = 0.0;
        for w in 0..blocks.div_ceil(run) {
            let in_window = run.min(blocks - w * run);
            // Periods from the start of the slice to the middle of the window's blocks.
            let middle = (w * run * coherent) as f64 + 0.5 * (in_window * coherent - 1) as f64;
            for (k, d) in (first..=last).enumerate() {
                let bin = d * stride as i32;
                // The code starts earlier by this much.
                let excess = self.shape.code_excess(self.slice, self.shape.bin_hz(self.slice, bin));
                let advance = (excess * middle * n as f64 / ADVANCE).round() * ADVANCE;
                if advance != 0.0 && advance != at {
                    at = advance;
                    advance_code(moved, conjugate, at);
                }
                let conjugate = if advance == 0.0 { conjugate } else { &*moved };
                // The code with the turned sign sits half a line higher.
                self.correlate(now, fft, conjugate, bin + (h * coherent) as i32, w);
                let (past, rest) = sums.split_at_mut(2 * n * (k * stride));
                let (on, halfway) = rest.split_at_mut(n);
                for b in 0..in_window {
                    self.math.add_powers(on, halfway, block(now, b, n));
                }
                if stride == 2 && k > 0 {
                    let between = past.len() - 2 * n;
                    let (on, halfway) = past.split_at_mut(between).1.split_at_mut(n);
                    for b in 0..in_window {
                        let (x, y) = (block(now, b, n), block(before, b, n));
                        self.math.add_powers_of_difference(on, halfway, x, y);
                    }
                }
                std::mem::swap(now, before);
            }
        }
    }

    /// Correlation of window `w` with the code at a step of Doppler.
    fn correlate(&self, out: &mut Planar, work: &mut Planar, conjugate: &Planar, bin: i32, w: usize) {
        let fractions = self.shape.fractions() as i32;
        let lines = i64::from(bin.div_euclid(fractions)) * self.shape.lines();
        let window = self.shape.window as i64;
        let Some(spectrum) =
            self.spectra.get(bin.rem_euclid(fractions) as usize).and_then(|spectra| spectra.get(w))
        else {
            return;
        };
        // Phases are to be alike in the middle of the code. So the Doppler comes off the samples if these begin
        // and end with the block, and is put on the code if that slides along the samples.
        if self.shape.padded {
            let ahead = (-lines).rem_euclid(window) as usize;
            self.fft.inverse_of_product((conjugate, ahead), spectrum, work, out);
        } else {
            let ahead = lines.rem_euclid(window) as usize;
            self.fft.inverse_of_product((spectrum, ahead), conjugate, work, out);
        }
    }
}

/// The `b`-th `n` numbers and one more.
fn block(x: &Planar, b: usize, n: usize) -> (&[f32], &[f32]) {
    let (re, im) = x.split();
    let part = |x| <[f32]>::get(x, b * n..=(b + 1) * n).unwrap_or_default();
    (part(re), part(im))
}

/// Sets `moved` to `conjugate` for a code that starts `advance` samples earlier.
fn advance_code(moved: &mut Planar, conjugate: &Planar, advance: f64) {
    const RUN: usize = 64;
    let len = conjugate.len();
    if moved.len() != len {
        *moved = Planar::new(len);
    }
    let cycles = -advance / len as f64;
    let within: [Complex<f32>; RUN] = std::array::from_fn(|t| turn(cycles * t as f64));
    let ((from_re, from_im), (re, im)) = (conjugate.split(), moved.split_mut());
    let to = re.chunks_mut(RUN).zip(im.chunks_mut(RUN));
    let from = from_re.chunks(RUN).zip(from_im.chunks(RUN));
    for (run, ((re, im), (from_re, from_im))) in to.zip(from).enumerate() {
        // A run across the middle would need two starts, but lengths are multiples of twice the run.
        let start = turn(cycles * signed(run * RUN, len) as f64);
        let parts = re.iter_mut().zip(im).zip(from_re.iter().zip(from_im));
        for (((re, im), (x_re, x_im)), turn) in parts.zip(&within) {
            let turn = turn * start;
            *re = x_re * turn.re - x_im * turn.im;
            *im = x_re * turn.im + x_im * turn.re;
        }
    }
    moved.close();
}

/// The best cell of a grid of sums, to be scaled by `scale`.
fn best(grid: &[f32], bin: i32, scale: f64, math: ComplexMath) -> Best {
    let n = grid.len() / 2;
    let (on, halfway) = grid.split_at(n);
    let peak_and_mean = |grid: &[f32]| {
        let (peak, sum) = math.peak_and_sum(grid);
        (peak, sum / n.max(1) as f64)
    };
    let (on_peak, on_mean) = peak_and_mean(on);
    let (halfway_peak, halfway_mean) = peak_and_mean(halfway);
    let on_ratio = f64::from(on_peak) / on_mean.max(f64::MIN_POSITIVE);
    let halfway_ratio = f64::from(halfway_peak) / halfway_mean.max(f64::MIN_POSITIVE);
    let position = |grid: &[f32], peak: f32| grid.iter().position(|&x| x == peak).unwrap_or(0) as f64;
    let mean = on_mean * scale;
    if on_ratio >= halfway_ratio {
        Best { bin, delay: position(on, on_peak), ratio: on_ratio, mean }
    } else {
        Best { bin, delay: position(halfway, halfway_peak) + 0.5, ratio: halfway_ratio, mean }
    }
}
