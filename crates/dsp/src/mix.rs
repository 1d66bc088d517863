use std::f64::consts::TAU;

use num_complex::Complex;

use crate::arch::Available;
use crate::kernel::TURN;
use crate::{Level, Samples};

/// Standard deviation of a component that the output is scaled to.
const TARGET_RMS: f64 = 28.0;
/// A gain is kept while the output's standard deviation stays within this factor of the target.
const SLACK: f64 = 1.6;
/// Bounds of the gain; the upper one lifts 1-bit samples and keeps the table within 16 bits.
const GAIN: (f64, f64) = (1.0 / 8.0, 60.0);
/// Samples at the start of a chunk, and of the stream, from which the gain is taken.
const FIRST_SAMPLES: usize = 4096;
/// Phases of the oscillator: their rounding puts 0.00001 dB into spurious lines.
const PHASE_BITS: u32 = 10;
/// Fraction bits of the table.
const TABLE_BITS: u32 = 9;

/// Removes an intermediate frequency and scales to fill 8 bits.
///
/// The oscillator's phase is a function of the absolute sample index alone. The gain changes only at
/// multiples of a chunk of samples, from the start of the chunk before, so that the output does not
/// depend on how the stream is cut (as long as the first piece holds [`FIRST_SAMPLES`]).
#[derive(Debug, Clone)]
pub(crate) struct Mixer {
    /// Turn of the oscillator a sample, in 2^-64 cycles.
    step: u64,
    level: Available,
    chunk: u64,
    gain: Option<f64>,
    /// Scaled cosine and sine of each phase.
    table: Vec<[i16; 2]>,
    /// Sum of squares and number of the samples at the start of the present chunk.
    power: u64,
    count: u64,
}

impl Mixer {
    /// Moves `cycles_per_sample` to zero; the gain is settled every `chunk` samples.
    pub(crate) fn new(cycles_per_sample: f64, chunk: usize, level: Level) -> Self {
        // Scaling by powers of two is exact; the cast of a value below 2^64 keeps all its bits.
        let turns = cycles_per_sample - cycles_per_sample.floor();
        Self {
            step: (turns * 2f64.powi(64)) as u64,
            level: Available::new(level),
            chunk: chunk.max(1) as u64,
            gain: None,
            table: Vec::new(),
            power: 0,
            count: 0,
        }
    }

    /// Forgets the unfinished chunk: samples are missing.
    pub(crate) fn gap(&mut self) {
        self.power = 0;
        self.count = 0;
    }

    /// Appends the samples, the first of which has the index `first`.
    pub(crate) fn mix(&mut self, samples: &Samples, first: u64, out: &mut Vec<Complex<i8>>) {
        match samples {
            Samples::Real(all) => self.pieces(all, |&v| (v.into(), 0), first, out),
            Samples::Complex(all) => self.pieces(all, |v| (v.re.into(), v.im.into()), first, out),
        }
    }

    /// Mixes up to each end of a chunk.
    #[inline(always)]
    fn pieces<T>(
        &mut self,
        mut samples: &[T],
        value: impl Fn(&T) -> (i16, i16) + Copy,
        mut index: u64,
        out: &mut Vec<Complex<i8>>,
    ) {
        if self.gain.is_none() && !samples.is_empty() {
            let part = samples.get(..FIRST_SAMPLES).unwrap_or(samples);
            self.settle(power(part, value), part.len() as u64);
        }
        while !samples.is_empty() {
            let left = self.chunk - index % self.chunk;
            let (now, later) =
                samples.split_at(samples.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
            self.turn(now, value, index, out);
            let unseen = (FIRST_SAMPLES as u64).saturating_sub(index % self.chunk) as usize;
            let part = now.get(..unseen).unwrap_or(now);
            self.power += power(part, value);
            self.count += part.len() as u64;
            index += now.len() as u64;
            samples = later;
            if index.is_multiple_of(self.chunk) {
                if self.count == self.chunk.min(FIRST_SAMPLES as u64) {
                    self.settle(self.power, self.count);
                }
                self.gap();
            }
        }
    }

    /// Turns and scales samples.
    #[inline(always)]
    fn turn<T>(
        &self,
        samples: &[T],
        value: impl Fn(&T) -> (i16, i16),
        index: u64,
        out: &mut Vec<Complex<i8>>,
    ) {
        let Some(table) = self.table.first_chunk::<{ 1 << PHASE_BITS }>() else { return };
        // Half a step of the table makes the shift below round.
        let mut phase = self.step.wrapping_mul(index).wrapping_add(1 << (63 - PHASE_BITS));
        for part in samples.chunks(TURN) {
            let mut input = [[0i16; TURN]; 2];
            let mut oscillator = [[0i16; TURN]; 2];
            let [re, im] = &mut input;
            for ((re, im), x) in re.iter_mut().zip(im).zip(part) {
                (*re, *im) = value(x);
            }
            let [cos, sin] = &mut oscillator;
            for (cos, sin) in cos.iter_mut().zip(sin) {
                [*cos, *sin] = table[(phase >> (64 - PHASE_BITS)) as usize];
                phase = phase.wrapping_add(self.step);
            }
            let mut turned = [Complex::default(); TURN];
            self.level.turn::<TABLE_BITS>(&input, &oscillator, &mut turned);
            out.extend_from_slice(turned.get(..part.len()).unwrap_or_default());
        }
    }

    /// Takes a new gain if the present one does not fit samples with a sum of squares of `power`.
    fn settle(&mut self, power: u64, count: u64) {
        if power == 0 {
            // Silence says nothing about the level; a first gain of one keeps zeros zero.
            if self.table.is_empty() {
                self.fill(1.0);
            }
            return;
        }
        let rms = (power as f64 / (2 * count) as f64).sqrt();
        if let Some(gain) = self.gain
            && (TARGET_RMS / SLACK..=TARGET_RMS * SLACK).contains(&(gain * rms))
        {
            return;
        }
        let gain = (TARGET_RMS / rms).clamp(GAIN.0, GAIN.1);
        if self.gain != Some(gain) {
            self.gain = Some(gain);
            self.fill(gain);
        }
    }

    fn fill(&mut self, gain: f64) {
        let scale = gain * f64::from(1 << TABLE_BITS);
        self.table.clear();
        self.table.extend((0..1 << PHASE_BITS).map(|k| {
            let (sin, cos) = (TAU * f64::from(k) / f64::from(1 << PHASE_BITS)).sin_cos();
            [(scale * cos).round() as i16, (scale * sin).round() as i16]
        }));
    }
}

fn power<T>(samples: &[T], value: impl Fn(&T) -> (i16, i16)) -> u64 {
    // The inner sums stay below 2^31.
    samples
        .chunks(4096)
        .map(|c| {
            u64::from(
                c.iter()
                    .map(&value)
                    .map(|(re, im)| (i32::from(re) * i32::from(re) + i32::from(im) * i32::from(im)) as u32)
                    .sum::<u32>(),
            )
        })
        .sum()
}
