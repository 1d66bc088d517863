//! Samples of one block: chips on carriers, noise.

use std::ops::Range;

use megrez_dsp::{Carrier, Level, Noise, SynthMath};
use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::emission::{Component, Emission};

/// Samples over which carrier and code run at a constant rate. At 1 Msps and 100 m/s² the carrier then
/// strays by less than 3e-4 cycles from the true curve.
pub(crate) const RUN: usize = 2048;
/// Samples written at once when a value of the code is spread over its samples.
const SPREAD: usize = 8;

/// Working memory of a thread: one run of samples.
#[derive(Debug)]
pub(crate) struct Scratch {
    math: SynthMath,
    chips: Vec<f32>,
    re: Vec<f32>,
    im: Vec<f32>,
    out: Vec<Complex<f32>>,
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

/// One signal as it arrives on one path in one block.
#[derive(Clone, Copy)]
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
    /// The phase of a path that is longer by `delay_s`.
    pub fn delayed(mut self, delay_s: f64) -> Self {
        self.start -= self.rate_hz * delay_s;
        self
    }

    /// Ahead by `phase` at the first sample, and by `step` more at each further one.
    pub fn ahead(mut self, phase: f64, step: f64) -> Self {
        self.start += phase;
        self.step += step;
        self
    }

    /// At sample `m` of a block of `len`.
    fn at(&self, m: usize, len: f64) -> f64 {
        let m = m as f64;
        self.start + self.step * m - self.rate_hz * self.delay.at(m / len)
    }
}

impl Scratch {
    /// Memory of a thread that works at `level`.
    pub fn new(level: Level) -> Self {
        Self {
            math: SynthMath::new(level),
            chips: vec![0.0; RUN + SPREAD],
            re: Vec::with_capacity(RUN),
            im: Vec::with_capacity(RUN),
            out: Vec::with_capacity(RUN),
        }
    }

    /// Begins a run of `len` samples, at most [`RUN`].
    pub fn begin(&mut self, len: usize) {
        for buffer in [&mut self.re, &mut self.im] {
            buffer.clear();
            buffer.resize(len, 0.0);
        }
    }

    /// Adds a signal to the samples `run` of a block whose full length is `block_len`.
    pub fn add(&mut self, arrival: &Arrival<'_>, run: &Range<usize>, block_len: usize) {
        let full = block_len as f64;
        let count = run.len() as f64;
        let (code, carrier) = (arrival.code.at(run.start, full), arrival.carrier.at(run.start, full));
        let code_step = (arrival.code.at(run.end, full) - code) / count;
        let carrier_step = (arrival.carrier.at(run.end, full) - carrier) / count;
        for component in &arrival.emission.components {
            fill(arrival.emission, component, code, code_step, &mut self.chips, run.len());
            let carrier = Carrier {
                phase_cycles: carrier + component.phase,
                step_cycles: carrier_step,
                amplitude: arrival.amplitude * component.amplitude,
            };
            self.math.add_carrier(&mut self.re, &mut self.im, &self.chips, &carrier);
        }
    }

    /// Adds a carrier.
    pub fn add_tone(&mut self, carrier: &Carrier) {
        self.chips.fill(1.0);
        self.math.add_carrier(&mut self.re, &mut self.im, &self.chips, carrier);
    }

    /// The samples of the run, with noise of standard deviation 1 a component. Real samples need no noise in
    /// their imaginary part.
    pub fn finish(&mut self, noise: Option<&mut Noise>, imaginary: bool) -> &mut [Complex<f32>] {
        if let Some(noise) = noise {
            if imaginary {
                self.math.add_noise(&mut self.re, &mut self.im, noise);
            } else {
                // Both numbers of a pair go into the same row; of an odd row the last sample takes one.
                let half = self.re.len() / 2;
                let (first, rest) = self.re.split_at_mut(half);
                let (second, last) = rest.split_at_mut(first.len());
                self.math.add_noise(first, second, noise);
                self.math.add_noise(last, &mut [0.0], noise);
            }
        }
        self.out.clear();
        self.out.extend(self.re.iter().zip(&self.im).map(|(&re, &im)| Complex { re, im }));
        &mut self.out
    }
}

/// The noise of a block: stream `block` of `seed`.
pub(crate) fn noise(seed: u64, block: u64) -> Noise {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(block);
    Noise::new(|| rng.next_u32())
}

/// Chips with the signs of secondary code and message from code phase `code` (chips since the epoch) on:
/// `len` values of `out`, which is longer by [`SPREAD`].
fn fill(emission: &Emission, component: &Component, code: f64, code_step: f64, out: &mut [f32], len: usize) {
    let parts = f64::from(component.parts);
    let length = emission.signal.code_length as f64;
    let period = (code / length).floor().max(0.0);
    let start = Start {
        period: period as u64,
        value: (code - period * length).max(0.0) * parts,
        step: code_step * parts,
    };
    // A path that grows faster than light has steps below zero.
    if start.step > 0.0 && start.step <= 0.5 {
        spread(emission, &component.levels, start, out, len);
    } else {
        look_up(emission, &component.levels, start, out, len);
    }
}

/// Where in the code the samples begin, and how they go on.
struct Start {
    /// Code period since the epoch.
    period: u64,
    /// Values of the code since its begin.
    value: f64,
    /// Values a sample.
    step: f64,
}

/// One sample or one value of the waveform in fixed point.
const ONE: f64 = 4_294_967_296.0;

/// Goes from value to value, each of which lasts two samples or more.
fn spread(emission: &Emission, levels: &[f32], start: Start, out: &mut [f32], len: usize) {
    let width = ((ONE / start.step) as u64).max(1);
    let mut index = start.value as usize;
    let mut period = start.period;
    // The edge behind the value, in samples.
    let mut edge = ((1.0 - start.value.fract()) / start.step * ONE) as u64;
    let mut at = 0;
    while at < len {
        let sign = emission.sign(period);
        for &level in levels.get(index..).unwrap_or_default() {
            let end = ((edge.saturating_add(u64::from(u32::MAX)) >> 32) as usize).min(len);
            while at < end {
                match out.get_mut(at..at + SPREAD) {
                    Some(slots) => slots.fill(sign * level),
                    None => return,
                }
                at += SPREAD;
            }
            at = end;
            if at == len {
                return;
            }
            edge = edge.saturating_add(width);
        }
        index = 0;
        period += 1;
    }
}

/// Goes from sample to sample.
fn look_up(emission: &Emission, levels: &[f32], start: Start, out: &mut [f32], len: usize) {
    let turn = (levels.len() as u64) << 32;
    let step = ((start.step * ONE).round() as u64).max(1);
    let mut phase = (start.value * ONE) as u64;
    let mut period = start.period;
    let mut rest = out.get_mut(..len).unwrap_or_default();
    while !rest.is_empty() && turn > 0 {
        if phase >= turn {
            phase -= turn;
            period += 1;
            continue;
        }
        let count = (turn - phase).div_ceil(step).min(rest.len() as u64) as usize;
        let (now, later) = std::mem::take(&mut rest).split_at_mut(count);
        let sign = emission.sign(period);
        for chip in now {
            *chip = sign * levels.get((phase >> 32) as usize).copied().unwrap_or(0.0);
            phase += step;
        }
        rest = later;
    }
}
