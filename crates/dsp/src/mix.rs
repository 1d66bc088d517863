use std::f64::consts::TAU;

use num_complex::Complex;

use crate::arch::Available;

/// Standard deviation of a component that the output is scaled to.
const TARGET_RMS: f64 = 28.0;
/// A gain is kept while the output's standard deviation stays within this factor of the target.
const SLACK: f64 = 1.6;
/// Bounds of the gain; the upper one lifts 1-bit samples and keeps the rotor within 16 bits.
const GAIN: (f64, f64) = (1.0 / 8.0, 60.0);
/// Samples at the start of a chunk, and of the stream, from which the gain is taken.
const FIRST_SAMPLES: usize = 4096;
/// Samples that the oscillator turns by one rotor; a tile begins at a multiple of as many.
pub(crate) const TILE: usize = 64;
/// Phases of the rotor: their rounding puts 0.00001 dB into spurious lines.
const PHASE_BITS: u32 = 10;
/// Fraction bits of the rotor, whose size is the gain.
const ROTOR_BITS: u32 = 9;

/// A sample of either kind.
pub(crate) trait Sample: Copy + Default {
    /// Whether it has one component.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    const REAL: bool;
    /// Both components.
    fn value(self) -> (i16, i16);
}

impl Sample for i8 {
    const REAL: bool = true;

    fn value(self) -> (i16, i16) {
        (self.into(), 0)
    }
}

impl Sample for Complex<i8> {
    const REAL: bool = false;

    fn value(self) -> (i16, i16) {
        (self.re.into(), self.im.into())
    }
}

/// An oscillator in two factors: the turns within a tile, the same for all tiles, and one of the tile.
#[derive(Debug, Clone)]
pub(crate) struct Oscillator {
    /// Turn of a sample, in 2^-64 cycles.
    step: u64,
    /// (cos, sin) and (-sin, cos) of the turns within a tile with 15 fraction bits: what the components of a
    /// sample are multiplied by to give those of the turned one.
    pub(crate) re: [[i16; 2]; TILE],
    pub(crate) im: [[i16; 2]; TILE],
    /// Scaled (cos, sin) of each phase of a tile.
    rotors: Vec<[i16; 2]>,
}

/// What all samples of a tile are turned and scaled by.
pub(crate) struct Rotor {
    pub(crate) re: [i16; 2],
    pub(crate) im: [i16; 2],
    /// Added to I and Q to make the last shift round, and to make up for the first one, which does not.
    pub(crate) half: [i32; 2],
}

impl Oscillator {
    /// An oscillator that turns by `cycles_per_sample`.
    ///
    /// The tables are in the order in which bytes come when a group of samples is unpacked to 16 bits within
    /// each 128 bits of a vector: of every eight samples, the first four in the first half of the group.
    pub(crate) fn new(cycles_per_sample: f64, group: usize) -> Self {
        // Scaling by powers of two is exact; the cast of a value below 2^64 keeps all its bits.
        let turns = cycles_per_sample - cycles_per_sample.floor();
        let step = (turns * 2f64.powi(64)) as u64;
        let scale = f64::from(i16::MAX);
        let (mut re, mut im) = ([[0; 2]; TILE], [[0; 2]; TILE]);
        for (k, (re, im)) in re.iter_mut().zip(&mut im).enumerate() {
            let phase = step.wrapping_mul(place(k, group) as u64) as f64 * 2f64.powi(-64);
            let (sin, cos) = (TAU * phase).sin_cos();
            let [cos, sin] = [cos, sin].map(|v| (scale * v).round() as i16);
            (*re, *im) = ([cos, sin], [-sin, cos]);
        }
        Self { step, re, im, rotors: vec![[0; 2]; 1 << PHASE_BITS] }
    }

    /// Sets the gain.
    fn scale(&mut self, gain: f64) {
        let scale = gain * f64::from(1 << ROTOR_BITS);
        for (k, rotor) in self.rotors.iter_mut().enumerate() {
            let (sin, cos) = (TAU * k as f64 / f64::from(1 << PHASE_BITS)).sin_cos();
            *rotor = [cos, sin].map(|v| (scale * v).round() as i16);
        }
    }

    /// The rotor of a tile.
    #[inline(always)]
    pub(crate) fn rotor(&self, tile: u64) -> Rotor {
        let phase = self.step.wrapping_mul(tile.wrapping_mul(TILE as u64));
        let rounded = phase.wrapping_add(1 << (63 - PHASE_BITS)) >> (64 - PHASE_BITS);
        let [cos, sin] = self.rotors.get(rounded as usize).copied().unwrap_or_default();
        let half = |a: i16, b: i16| 0x8000 + (i32::from(a) + i32::from(b)) / 2;
        Rotor { re: [cos, sin], im: [-sin, cos], half: [half(cos, sin), half(cos, -sin)] }
    }
}

/// The sample that an entry of the oscillator's tables is for.
fn place(entry: usize, group: usize) -> usize {
    let (first, k) = (entry / group * group, entry % group);
    let (half, k) = (k / (group / 2), k % (group / 2));
    first + k / 4 * 8 + half * 4 + k % 4
}

/// Turns tiles, of which the first is the `tile`-th of the stream, back by the oscillator and limits to 8
/// bits.
#[inline(always)]
pub(crate) fn turn<S: Sample>(
    oscillator: &Oscillator,
    tile: u64,
    samples: &[[S; TILE]],
    out: &mut [[Complex<i8>; TILE]],
) {
    let times = |a: i16, b: i16, [c, d]: [i16; 2]| {
        i32::from(a).wrapping_mul(i32::from(c)).wrapping_add(i32::from(b).wrapping_mul(i32::from(d)))
    };
    for ((x, y), tile) in samples.iter().zip(out).zip(tile..) {
        let rotor = oscillator.rotor(tile);
        for k in 0..TILE {
            let (re, im) = x[k].value();
            let (i, q) = (
                (times(re, im, oscillator.re[k]) >> 8) as i16,
                (times(re, im, oscillator.im[k]) >> 8) as i16,
            );
            let narrow = |v: i32| (v >> 16).clamp(-127, 127) as i8;
            y[k] = Complex::new(
                narrow(times(i, q, rotor.re).wrapping_add(rotor.half[0])),
                narrow(times(i, q, rotor.im).wrapping_add(rotor.half[1])),
            );
        }
    }
}

/// Removes an intermediate frequency and scales to fill 8 bits.
///
/// The oscillator's phase is a function of the absolute sample index alone. The gain changes only at
/// multiples of a chunk of samples, from the start of the chunk before, so that the output does not
/// depend on how the stream is cut (as long as the first piece holds [`FIRST_SAMPLES`]).
#[derive(Debug, Clone)]
pub(crate) struct Mixer {
    oscillator: Oscillator,
    level: Available,
    chunk: u64,
    gain: Option<f64>,
    /// Whether the oscillator has been scaled.
    scaled: bool,
    /// Sum of squares and number of the samples at the start of the present chunk.
    power: u64,
    count: u64,
}

impl Mixer {
    /// Moves `cycles_per_sample` to zero; the gain is settled every `chunk` samples.
    pub(crate) fn new(cycles_per_sample: f64, chunk: usize, level: Available) -> Self {
        Self {
            oscillator: Oscillator::new(cycles_per_sample, level.mix_group()),
            level,
            chunk: chunk.max(1) as u64,
            gain: None,
            scaled: false,
            power: 0,
            count: 0,
        }
    }

    /// Forgets the unfinished chunk: samples are missing.
    pub(crate) fn gap(&mut self) {
        self.power = 0;
        self.count = 0;
    }

    /// Mixes the samples, the first of which has the index `first`, up to each end of a chunk.
    pub(crate) fn mix<S: Sample>(&mut self, mut samples: &[S], first: u64, mut out: &mut [Complex<i8>]) {
        if self.gain.is_none() && !samples.is_empty() {
            let part = samples.get(..FIRST_SAMPLES).unwrap_or(samples);
            self.settle(power(part), part.len() as u64);
        }
        let mut index = first;
        while !samples.is_empty() {
            let left = usize::try_from(self.chunk - index % self.chunk).unwrap_or(usize::MAX);
            let (now, later) = samples.split_at(left.min(samples.len()));
            let (out_now, out_later) = out.split_at_mut(now.len().min(out.len()));
            self.turn(now, index, out_now);
            let unseen = (FIRST_SAMPLES as u64).saturating_sub(index % self.chunk) as usize;
            let part = now.get(..unseen).unwrap_or(now);
            self.power += power(part);
            self.count += part.len() as u64;
            index += now.len() as u64;
            (samples, out) = (later, out_later);
            if index.is_multiple_of(self.chunk) {
                if self.count == self.chunk.min(FIRST_SAMPLES as u64) {
                    self.settle(self.power, self.count);
                }
                self.gap();
            }
        }
    }

    /// Turns and scales samples at one gain.
    fn turn<S: Sample>(&self, samples: &[S], index: u64, out: &mut [Complex<i8>]) {
        let (tile, skip) = (index / TILE as u64, (index % TILE as u64) as usize);
        let head = ((TILE - skip) % TILE).min(samples.len());
        let (x, samples) = samples.split_at(head);
        let (y, out) = out.split_at_mut(head.min(out.len()));
        self.part(x, tile, skip, y);
        let tile = tile + u64::from(skip > 0);
        let ((x, x_rest), (y, y_rest)) = (samples.as_chunks(), out.as_chunks_mut());
        self.level.turn(&self.oscillator, tile, x, y);
        self.part(x_rest, tile + x.len() as u64, 0, y_rest);
    }

    /// Turns samples within a tile, of which `skip` come before.
    fn part<S: Sample>(&self, samples: &[S], tile: u64, skip: usize, out: &mut [Complex<i8>]) {
        let mut x = [S::default(); TILE];
        let mut y = [Complex::default(); TILE];
        if samples.is_empty() {
            return;
        }
        x.iter_mut().skip(skip).zip(samples).for_each(|(x, &sample)| *x = sample);
        self.level.turn(&self.oscillator, tile, &[x], std::slice::from_mut(&mut y));
        out.iter_mut().zip(y.iter().skip(skip)).for_each(|(out, &y)| *out = y);
    }

    /// Takes a new gain if the present one does not fit samples with a sum of squares of `power`.
    fn settle(&mut self, power: u64, count: u64) {
        if power == 0 {
            // Silence says nothing about the level; a first gain of one keeps zeros zero.
            if !self.scaled {
                self.scale(1.0);
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
            self.scale(gain);
        }
    }

    fn scale(&mut self, gain: f64) {
        self.scaled = true;
        self.oscillator.scale(gain);
    }
}

fn power<S: Sample>(samples: &[S]) -> u64 {
    // The inner sums stay below 2^31.
    let square = |x: &S| {
        let (re, im) = x.value();
        (i32::from(re) * i32::from(re) + i32::from(im) * i32::from(im)) as u32
    };
    samples.chunks(FIRST_SAMPLES).map(|c| u64::from(c.iter().map(square).sum::<u32>())).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Level;

    fn byte() -> impl Strategy<Value = i8> {
        prop_oneof![any::<i8>(), Just(i8::MIN), Just(i8::MAX), Just(0)]
    }

    /// Mixes at a gain with the kernel of a level.
    fn mixed<S: Sample>(x: &[S], cycles: f64, gain: f64, first: u64, level: Level) -> Vec<Complex<i8>> {
        let mut mixer = Mixer::new(cycles, 1 << 40, Available::new(level));
        mixer.scale(gain);
        let mut out = vec![Complex::new(1, 1); x.len()];
        mixer.turn(x, first, &mut out);
        out
    }

    /// The kernels of all levels agree to the bit, and with f64 to one step and what rounding the factors
    /// to 16 bits and the rotor's phase to [`PHASE_BITS`] leaves.
    fn check<S: Sample>(x: &[S], cycles: f64, gain: f64, first: u64) -> Result<(), TestCaseError> {
        let portable = mixed(x, cycles, gain, first, Level::Portable);
        for level in Level::all_available() {
            prop_assert!(mixed(x, cycles, gain, first, level) == portable, "{level}");
        }
        let step = ((cycles - cycles.floor()) * 2f64.powi(64)) as u64;
        for (k, (x, y)) in x.iter().zip(&portable).enumerate() {
            let phase = step.wrapping_mul(first + k as u64) as f64 * 2f64.powi(-64);
            let (sin, cos) = (-TAU * phase).sin_cos();
            let (re, im) = x.value();
            let x = Complex::new(f64::from(re), f64::from(im));
            let want = x * Complex::new(cos, sin) * gain;
            let phase_error = TAU / f64::from(2 << PHASE_BITS);
            let rotor_error = 1.0 / f64::from(1 << ROTOR_BITS);
            let error = 0.51 + gain / 128.0 + x.norm() * (gain * (phase_error + 1e-4) + rotor_error);
            for (want, y) in [(want.re, y.re), (want.im, y.im)] {
                prop_assert!((want.clamp(-127.0, 127.0) - f64::from(y)).abs() <= error, "{want} {y}");
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn every_level_turns_alike(
            x in prop::collection::vec((byte(), byte()), 0..300),
            first in prop_oneof![0u64..200, any::<u64>().prop_map(|n| n >> 8)],
            cycles in prop_oneof![-0.5..0.5f64, Just(0.25), Just(0.5), Just(1e-12), Just(0.0), Just(-1e-12)],
            gain in prop_oneof![GAIN.0..2.0, Just(GAIN.0), Just(GAIN.1), 2.0..GAIN.1],
        ) {
            let complex: Vec<_> = x.iter().map(|&(i, q)| Complex::new(i, q)).collect();
            check(&complex, cycles, gain, first)?;
            let real: Vec<_> = x.iter().map(|&(i, _)| i).collect();
            check(&real, cycles, gain, first)?;
        }
    }

    #[test]
    fn tables_hold_every_sample_once() {
        for group in [8, 16, 32] {
            let mut seen: Vec<_> = (0..TILE).map(|k| place(k, group)).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..TILE));
        }
        assert!((0..TILE).all(|k| place(k, 8) == k));
    }
}
