//! Samples of one block: chips on carriers, noise.

use std::f64::consts::TAU;

use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use crate::emission::{Component, Emission};

/// Samples over which carrier and code run at a constant rate. At 1 Msps and 100 m/s² the carrier then
/// strays by less than 3e-4 cycles from the true curve.
const RUN: usize = 2048;
/// Samples handled together.
const LANES: usize = 8;

/// Working memory of a thread.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    chips: Vec<f32>,
    re: Vec<f32>,
    im: Vec<f32>,
}

/// A quantity over a block: c0 + c1 x + c2 x², x from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Curve([f64; 3]);

impl Curve {
    /// Through the values at x = 0, 1/2 and 1.
    pub fn through([a, b, c]: [f64; 3]) -> Self {
        Self([a, 4.0 * b - 3.0 * a - c, 2.0 * (a - 2.0 * b + c)])
    }

    fn at(&self, x: f64) -> f64 {
        let Self([c0, c1, c2]) = self;
        c0 + x * (c1 + x * c2)
    }
}

/// One signal as it arrives in one block.
pub(crate) struct Arrival<'a> {
    pub emission: &'a Emission,
    pub amplitude: f64,
    /// Chips since the emission's epoch.
    pub code: Line,
    /// Cycles of the carrier in the samples.
    pub carrier: Line,
}

/// A phase over a block: what it would be without a change of delay, less the delay times a frequency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Phase at the first sample for no delay.
    pub start: f64,
    /// Phase a sample for no delay.
    pub step: f64,
    /// Phase a second of delay.
    pub rate_hz: f64,
    /// Delay in s.
    pub delay: Curve,
}

impl Line {
    /// At sample `m` of a block of `len`.
    fn at(&self, m: usize, len: f64) -> f64 {
        let m = m as f64;
        self.start + self.step * m - self.rate_hz * self.delay.at(m / len)
    }
}

impl Scratch {
    /// Begins a block of `len` samples.
    pub fn begin(&mut self, len: usize) {
        let padded = len.next_multiple_of(LANES);
        for buffer in [&mut self.re, &mut self.im] {
            buffer.clear();
            buffer.resize(padded, 0.0);
        }
        self.chips.resize(RUN, 0.0);
    }

    /// Adds a signal to the first `len` samples of a block whose full length is `block_len`.
    pub fn add(&mut self, arrival: &Arrival<'_>, len: usize, block_len: usize) {
        let full = block_len as f64;
        for component in &arrival.emission.components {
            let amplitude = arrival.amplitude * component.amplitude;
            for first in (0..len).step_by(RUN) {
                let end = (first + RUN).min(len);
                let count = (end - first) as f64;
                let (code, carrier) = (arrival.code.at(first, full), arrival.carrier.at(first, full));
                let code_step = (arrival.code.at(end, full) - code) / count;
                let carrier_step = (arrival.carrier.at(end, full) - carrier) / count;
                let padded = (end - first).next_multiple_of(LANES);
                let (Some(chips), Some(re), Some(im)) = (
                    self.chips.get_mut(..padded),
                    self.re.get_mut(first..first + padded),
                    self.im.get_mut(first..first + padded),
                ) else {
                    return;
                };
                fill(arrival.emission, component, code, code_step, chips);
                mix(chips, carrier + component.phase, carrier_step, amplitude, re, im);
            }
        }
    }

    /// Adds a carrier of `phase` cycles at the first sample and `step` cycles a sample.
    pub fn add_tone(&mut self, phase: f64, step: f64, amplitude: f64) {
        self.chips.fill(1.0);
        let runs = self.re.chunks_mut(RUN).zip(self.im.chunks_mut(RUN));
        for (k, (re, im)) in runs.enumerate() {
            let here = phase + step * (k * RUN) as f64;
            mix(&self.chips, here, step, amplitude, re, im);
        }
    }

    /// The samples of the block, with noise of standard deviation 1 a component from stream `block` of `seed`.
    /// Real samples need no noise in their imaginary part.
    pub fn finish(
        &self,
        len: usize,
        noise: Option<(u64, u64)>,
        imaginary: bool,
        out: &mut Vec<Complex<f32>>,
    ) {
        out.clear();
        let sum = self.re.iter().zip(&self.im).take(len);
        let Some((seed, block)) = noise else {
            out.extend(sum.map(|(&re, &im)| Complex { re, im }));
            return;
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(block);
        let mut normal = || -> f32 { StandardNormal.sample(&mut rng) };
        if imaginary {
            out.extend(sum.map(|(re, im)| {
                let n = normal();
                Complex { re: re + n, im: im + normal() }
            }));
        } else {
            out.extend(sum.map(|(re, im)| Complex { re: re + normal(), im: *im }));
        }
    }
}

/// Chips with the signs of secondary code and message from code phase `code` (chips since the epoch) on.
fn fill(emission: &Emission, component: &Component, code: f64, code_step: f64, out: &mut [f32]) {
    /// One value of the waveform in fixed point.
    const ONE: f64 = 4_294_967_296.0;
    let parts = f64::from(component.parts);
    let length = emission.signal.code_length as f64;
    let levels = component.levels.as_slice();
    let turn = (levels.len() as u64) << 32;
    let mut period = (code / length).floor().max(0.0);
    let mut phase = ((code - period * length).max(0.0) * parts * ONE) as u64;
    let step = ((code_step * parts * ONE).round() as u64).max(1);
    let mut rest = out;
    while !rest.is_empty() {
        if phase >= turn {
            phase -= turn;
            period += 1.0;
            continue;
        }
        let count = (turn - phase).div_ceil(step).min(rest.len() as u64) as usize;
        let (now, later) = std::mem::take(&mut rest).split_at_mut(count);
        let sign = emission.sign(period as u64);
        for chip in now {
            *chip = sign * levels[(phase >> 32) as usize];
            phase += step;
        }
        rest = later;
    }
}

/// Adds chips on a carrier: `phase` cycles at the first sample, `step` cycles a sample.
fn mix(chips: &[f32], phase: f64, step: f64, amplitude: f64, re: &mut [f32], im: &mut [f32]) {
    let (mut c, mut s) = ([0f32; LANES], [0f32; LANES]);
    for (lane, (c, s)) in c.iter_mut().zip(&mut s).enumerate() {
        let angle = TAU * fraction(phase + step * lane as f64);
        *c = (amplitude * angle.cos()) as f32;
        *s = (amplitude * angle.sin()) as f32;
    }
    let turn = TAU * fraction(step * LANES as f64);
    let (turn_c, turn_s) = (turn.cos() as f32, turn.sin() as f32);
    let lanes = re.as_chunks_mut::<LANES>().0.iter_mut().zip(im.as_chunks_mut::<LANES>().0);
    for (chip, (re, im)) in chips.as_chunks::<LANES>().0.iter().zip(lanes) {
        for l in 0..LANES {
            re[l] += chip[l] * c[l];
            im[l] += chip[l] * s[l];
            let next = c[l] * turn_c - s[l] * turn_s;
            s[l] = c[l] * turn_s + s[l] * turn_c;
            c[l] = next;
        }
    }
}

fn fraction(x: f64) -> f64 {
    x - x.floor()
}
