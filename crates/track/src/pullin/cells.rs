//! The cells kept, and what can be read from them.

use std::f64::consts::TAU;

use num_complex::Complex;

use super::{CAPACITY, CellTaps, FINE_CELLS, PullInSetup};
use crate::plan::MAX_TAPS;

#[derive(Debug, Clone)]
pub(super) struct Cells {
    pub setup: PullInSetup,
    /// Cell by cell, as many taps each as the shape asks for.
    taps: Vec<Complex<f32>>,
    /// Number of the first cell in its code period.
    first_in_period: usize,
    /// The cells of one tap, turned.
    rotated: Vec<Complex<f32>>,
    /// Magnitudes of the squared symbols' spectrum.
    spectrum: Vec<f64>,
}

/// The estimates at the carrier.
pub(super) struct Fine {
    pub freq: f64,
    pub phase: f64,
    pub coherence: f64,
    pub signal: f64,
    pub evenness: f64,
    /// Magnitude of the highest line of the squares beside the one chosen, relative to that one.
    pub rival: f64,
}

/// Bins of the squared symbols' spectrum in half the width of a line, null to null, and in what counts as beside it.
const BINS_TO_NULL: usize = 4;
const BINS_BESIDE: usize = 6;

impl Cells {
    pub fn new(setup: PullInSetup) -> Self {
        let taps = Vec::with_capacity(CAPACITY * setup.shape.taps);
        // At most two bins to each side for every cell of a symbol of two.
        let spectrum = Vec::with_capacity(2 * FINE_CELLS + 3);
        Self { setup, taps, first_in_period: 0, rotated: Vec::with_capacity(CAPACITY), spectrum }
    }

    pub fn clear(&mut self) {
        self.taps.clear();
    }

    pub fn len(&self) -> usize {
        self.taps.len() / self.setup.shape.taps
    }

    pub fn push(&mut self, in_period: usize, taps: &CellTaps) {
        if self.taps.is_empty() {
            self.first_in_period = in_period;
        }
        self.taps.extend(taps.iter().take(self.setup.shape.taps));
    }

    /// Whether a symbol may begin `edge` cells after the first one: code periods do not straddle symbols.
    pub fn may_begin(&self, edge: usize) -> bool {
        (self.first_in_period + edge).is_multiple_of(self.setup.cells)
    }

    /// The cells from `first` on, each with all its taps.
    fn cells(&self, first: usize) -> impl Iterator<Item = &[Complex<f32>]> {
        self.taps.chunks_exact(self.setup.shape.taps).skip(first)
    }

    /// Sum of the cells' powers, tap by tap.
    pub fn tap_powers(&self) -> [f64; MAX_TAPS] {
        let mut powers = [0.0f64; MAX_TAPS];
        for taps in self.cells(0) {
            for (power, tap) in powers.iter_mut().zip(taps) {
                *power += f64::from(tap.norm_sqr());
            }
        }
        powers
    }

    /// Power of the symbols' sums at one frequency, tap by tap.
    pub fn coherent_powers(&mut self, edge: usize, freq: f64) -> [f64; MAX_TAPS] {
        let mut powers = [0.0f64; MAX_TAPS];
        for (tap, power) in powers.iter_mut().enumerate().take(self.setup.shape.taps) {
            *power = self.power(tap, edge, freq);
        }
        powers
    }

    /// Power of the symbols' sums of one tap at one frequency.
    pub fn power(&mut self, tap: usize, edge: usize, freq: f64) -> f64 {
        self.rotate(tap, 0, freq);
        self.rotated_power(edge)
    }

    /// Writes the cells of one tap, turned back by `freq`, into the workspace, from cell `first` on.
    pub fn rotate(&mut self, tap: usize, first: usize, freq: f64) {
        let turn = Complex::from_polar(1.0, -TAU * freq * self.setup.cell_s);
        let mut phasor = Complex::new(1.0f64, 0.0);
        self.rotated.clear();
        for taps in self.taps.chunks_exact(self.setup.shape.taps).skip(first) {
            let p = taps.get(tap).copied().unwrap_or_default();
            self.rotated.push(p * Complex::new(phasor.re as f32, phasor.im as f32));
            phasor *= turn;
        }
    }

    /// Sum over symbols of |sum of the symbol's cells|^2 / cells, the first edge at cell `edge` of those in the
    /// workspace.
    pub fn rotated_power(&self, edge: usize) -> f64 {
        let m = self.setup.signs.len();
        let (head, rest) = self.rotated.split_at(edge.min(self.rotated.len()));
        let sum = |cells: &[Complex<f32>], signs: &[f32]| -> f64 {
            if cells.is_empty() {
                return 0.0;
            }
            let (mut re, mut im) = (0.0f32, 0.0f32);
            for (p, s) in cells.iter().zip(signs) {
                re += p.re * s;
                im += p.im * s;
            }
            f64::from(re * re + im * im) / cells.len() as f64
        };
        let head_signs = self.setup.signs.get(m - edge..).unwrap_or(&[]);
        sum(head, head_signs) + rest.chunks(m).map(|c| sum(c, &self.setup.signs)).sum::<f64>()
    }

    /// Sums of the symbols (the first and last may be partial) of the cells in the workspace.
    fn for_each_symbol(&self, edge: usize, first: usize, mut f: impl FnMut(Complex<f64>, usize)) {
        let m = self.setup.signs.len();
        let mut sum = Complex::<f64>::ZERO;
        let mut count = 0;
        for (i, p) in self.rotated.iter().enumerate() {
            let k = (first + i + m - edge) % m;
            let sign = f64::from(self.setup.signs.get(k).copied().unwrap_or(1.0));
            sum += Complex::new(f64::from(p.re), f64::from(p.im)) * sign;
            count += 1;
            if k == m - 1 {
                f(sum, count);
                (sum, count) = (Complex::ZERO, 0);
            }
        }
        if count > 0 {
            f(sum, count);
        }
    }

    /// Sum of the squared symbol sums at one frequency: its magnitude peaks at the carrier whatever the data.
    fn squared(&mut self, tap: usize, edge: usize, first: usize, freq: f64) -> Complex<f64> {
        self.rotate(tap, first, freq);
        let mut square = Complex::<f64>::ZERO;
        self.for_each_symbol(edge, first, |s, _| square += s * s);
        square
    }

    /// Frequency, phase and strength from cell `first` on, within `range` of a coarse frequency.
    pub fn fine(&mut self, tap: usize, edge: usize, first: usize, coarse: f64, range: f64) -> Fine {
        let n = self.len() - first;
        let window = n as f64 * self.setup.cell_s;
        let step = 0.5 / (BINS_TO_NULL as f64 * window);
        let bins = (range / step).ceil() as i32;
        self.spectrum.clear();
        for bin in -bins..=bins {
            let magnitude = self.squared(tap, edge, first, coarse + f64::from(bin) * step).norm();
            self.spectrum.push(magnitude);
        }
        let lines = self.spectrum.iter().copied().enumerate();
        let (at, best) = lines.clone().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
        let beside = lines.filter(|(bin, _)| bin.abs_diff(at) >= BINS_BESIDE);
        let rival = beside.map(|line| line.1).fold(0.0, f64::max) / best.max(f64::MIN_POSITIVE);
        let best_freq = coarse + (at as f64 - f64::from(bins)) * step;
        let left = self.squared(tap, edge, first, best_freq - step).norm();
        let right = self.squared(tap, edge, first, best_freq + step).norm();
        let bend = left - 2.0 * best + right;
        let freq = if bend < 0.0 {
            best_freq + step * (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
        } else {
            best_freq
        };
        let square = self.squared(tap, edge, first, freq);
        let (mut power, mut weight, mut amplitude, mut evened) = (0.0, 0.0, 0.0, 0.0);
        self.for_each_symbol(edge, first, |s, count| {
            power += s.norm_sqr();
            weight += (count * count) as f64;
            amplitude += s.norm();
            evened += s.norm_sqr() / count as f64;
        });
        // The rotation starts at the centre of the first cell; bring the phase to the centre of all.
        let phase = square.arg() / (2.0 * TAU) + freq * (n as f64 - 1.0) * 0.5 * self.setup.cell_s;
        Fine {
            freq,
            phase,
            coherence: square.norm() / power.max(f64::MIN_POSITIVE),
            signal: square.norm() / weight.max(1.0),
            evenness: amplitude * amplitude / (n as f64 * evened).max(f64::MIN_POSITIVE),
            rival,
        }
    }

    /// Code error in chips from an outermost tap, which has most power: with d the spacing, X the outer and P the
    /// next tap of a peak of slope k between them, X + P = (2 - k d) A and X - P = k (2 delta - d) A.
    pub fn beyond(&self, outer: usize, powers: &[f64], noise: f64) -> f64 {
        let shape = &self.setup.shape;
        let floor = noise * self.len() as f64;
        let amplitude = |tap: usize| (powers.get(tap).copied().unwrap_or_default() - floor).max(0.0).sqrt();
        let (next, side) = if outer == 0 { (1, 1.0) } else { (outer.saturating_sub(1), -1.0) };
        let (x, p) = (amplitude(outer), amplitude(next));
        let beside = (1.0 / shape.slope - 0.5 * shape.spacing) * (x - p) / (x + p).max(f64::MIN_POSITIVE);
        side * (beside - 0.5 * shape.spacing)
    }

    /// Code error in chips from the code phase of tap `tap` at the centre of the stretch, and its standard deviation.
    ///
    /// Between the two taps E and L beside the tap P the peak has the slope k: x = (E - L) / P is
    /// 2 k delta / (1 - k |delta|). No noise is common to E - L and P.
    pub fn code_error(&self, tap: usize, edge: usize, first: usize, freq: f64, noise: f64) -> (f64, f64) {
        let shape = &self.setup.shape;
        let m = self.setup.signs.len();
        let n = self.len() - first;
        let turn = Complex::from_polar(1.0, -TAU * freq * self.setup.cell_s);
        let wide = |z: Complex<f32>| Complex::new(f64::from(z.re), f64::from(z.im));
        let mut phasor = Complex::new(1.0f64, 0.0);
        let (mut prompt, mut difference) = (Complex::<f64>::ZERO, Complex::<f64>::ZERO);
        let (mut cross, mut power, mut symbols) = (0.0, 0.0, 0.0);
        for (i, taps) in self.cells(first).enumerate() {
            let k = (first + i + m - edge) % m;
            let wipe = phasor * f64::from(self.setup.signs.get(k).copied().unwrap_or(1.0));
            let around = tap.checked_sub(1).and_then(|from| taps.get(from..from + 3));
            if let Some(&[early, middle, late]) = around {
                prompt += wide(middle) * wipe;
                difference += (wide(early) - wide(late)) * wipe;
            }
            phasor *= turn;
            if k == m - 1 || i + 1 == n {
                cross += difference.re * prompt.re + difference.im * prompt.im;
                power += prompt.norm_sqr();
                symbols += 1.0;
                (prompt, difference) = (Complex::ZERO, Complex::ZERO);
            }
        }
        let signal = (power - noise * n as f64).max(0.1 * power).max(f64::MIN_POSITIVE);
        let x = cross / signal;
        let error = x / (shape.slope * (2.0 + x.abs()));
        // Noise of E - L and, through the scale as well, of P: cells a symbol times N0.
        let scatter = noise * n as f64 / symbols * power / (signal * signal);
        let variance = scatter * (1.0 - shape.correlation(2.0 * shape.spacing) + 0.5 * x * x);
        let sigma = variance.sqrt() * 2.0 / (shape.slope * (2.0 + x.abs()).powi(2));
        (error.clamp(-1.0, 1.0), sigma.clamp(0.002, 0.3))
    }
}
