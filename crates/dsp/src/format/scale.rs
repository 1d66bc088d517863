//! 16-bit and float components to 8 bits, block by block.

use num_complex::Complex;

use crate::Samples;
use crate::arch::Available;

/// Standard deviation of a component to which input is scaled.
const TARGET_RMS: f64 = 24.0;
/// A gain is kept while the scaled standard deviation stays within this factor of the target.
const GAIN_SLACK: f64 = 1.6;
/// Components whose squares are added up at a time, while they are in the nearest cache.
const PIECE: usize = 4096;

/// Scales blocks of components by a gain of each block.
pub(super) struct Scaler {
    level: Available,
    block: Vec<f32>,
    filled: usize,
    /// Components of the block in `power`, the sum of their squares.
    added: usize,
    power: f64,
    gain: f64,
}

impl Scaler {
    pub(super) fn new(level: Available) -> Self {
        Self { level, block: Vec::new(), filled: 0, added: 0, power: 0.0, gain: 1.0 }
    }

    /// Components read of the present block.
    pub(super) fn filled(&self) -> usize {
        self.filled
    }

    /// Reads the components of a stream that holds nothing else, into a block of `block_len`; returns those
    /// read if any of them is no finite number.
    pub(super) fn read<const N: usize>(
        &mut self,
        bytes: &[[u8; N]],
        value: impl Fn([u8; N]) -> f32,
        block_len: usize,
    ) -> Option<&mut [f32]> {
        let level = self.level;
        let space = self.space(bytes.len(), block_len);
        if level.read(bytes, value, space) { None } else { Some(space) }
    }

    /// As [`read`](Self::read), components from anywhere.
    pub(super) fn take(
        &mut self,
        values: impl Iterator<Item = f32>,
        len: usize,
        block_len: usize,
    ) -> Option<&mut [f32]> {
        let space = self.space(len, block_len);
        let mut finite = true;
        for (slot, x) in space.iter_mut().zip(values) {
            finite &= x.is_finite();
            *slot = x;
        }
        if finite { None } else { Some(space) }
    }

    /// Room for `len` more components.
    fn space(&mut self, len: usize, block_len: usize) -> &mut [f32] {
        let from = self.filled;
        self.filled += len;
        if self.block.len() < self.filled {
            self.block.resize(self.filled.max(block_len), 0.0);
        }
        self.block.get_mut(from..self.filled).unwrap_or_default()
    }

    /// Adds up the squares of whole pieces, always the same ones whatever the portions read.
    pub(super) fn add_up(&mut self) {
        let unseen = self.block.get(self.added..self.filled).unwrap_or_default();
        for piece in unseen.as_chunks::<PIECE>().0 {
            self.power += self.level.power(piece);
            self.added += PIECE;
        }
    }

    /// Scales and appends the block read so far.
    pub(super) fn flush(&mut self, conjugate: bool, out: &mut Samples) {
        self.add_up();
        let rest = self.block.get(self.added..self.filled).unwrap_or_default();
        let power = self.power + self.level.power(rest);
        let block = self.block.get(..self.filled).unwrap_or_default();
        if !block.is_empty() {
            let rms = (power / block.len() as f64).sqrt();
            let scaled = rms * self.gain / TARGET_RMS;
            // The gain moves only when it must, so that the amplitude does not breathe from block to block.
            if rms > 0.0 && !(1.0 / GAIN_SLACK..=GAIN_SLACK).contains(&scaled) {
                self.gain = TARGET_RMS / rms;
            }
            let gain = self.gain.min(f64::from(f32::MAX)) as f32;
            let conjugate = conjugate && matches!(out, Samples::Complex(_));
            let gains = [gain, if conjugate { -gain } else { gain }];
            self.level.quantise(block, gains, append(out, block.len()));
        }
        (self.filled, self.added, self.power) = (0, 0, 0.0);
    }
}

/// Adds `components` zeros to samples: the new components, I and Q in turn.
pub(super) fn append(samples: &mut Samples, components: usize) -> &mut [i8] {
    match samples {
        Samples::Real(v) => {
            let start = v.len();
            v.resize(start + components, 0);
            v.get_mut(start..).unwrap_or_default()
        }
        Samples::Complex(v) => {
            let start = v.len();
            v.resize(start + components / 2, Complex::new(0, 0));
            Available::components(v.get_mut(start..).unwrap_or_default())
        }
    }
}

/// Reads components; false if any is no finite number.
#[inline(always)]
pub(crate) fn read<const N: usize>(
    bytes: &[[u8; N]],
    value: impl Fn([u8; N]) -> f32,
    out: &mut [f32],
) -> bool {
    let mut finite = true;
    for (slot, &b) in out.iter_mut().zip(bytes) {
        *slot = value(b);
        finite &= slot.is_finite();
    }
    finite
}

/// Sum of squares, in lanes so that it runs as vectors, in the same order everywhere.
#[inline(always)]
pub(crate) fn power(values: &[f32]) -> f64 {
    const LANES: usize = 32;
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f64; LANES];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(x) * f64::from(x);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>()
}

/// Components times the gains, of which they have the first and the second in turn, as the nearest integers
/// (of two, the even ones) within -127 to 127.
#[inline(always)]
pub(crate) fn quantise(values: &[f32], gains: [f32; 2], out: &mut [i8]) {
    const LANES: usize = 32;
    /// Added to a small number, it leaves the integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    let narrow = |x: f32| (x.clamp(-127.0, 127.0) + ROUND).to_bits() as i8;
    let ((x, x_rest), (y, y_rest)) = (values.as_chunks::<LANES>(), out.as_chunks_mut::<LANES>());
    let lanes: [f32; LANES] = std::array::from_fn(|k| gains[k % 2]);
    for (x, y) in x.iter().zip(y) {
        for ((y, &x), &gain) in y.iter_mut().zip(x).zip(&lanes) {
            *y = narrow(x * gain);
        }
    }
    for ((&x, y), gain) in x_rest.iter().zip(y_rest).zip(gains.into_iter().cycle()) {
        *y = narrow(x * gain);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Level;

    fn float() -> impl Strategy<Value = f32> {
        prop_oneof![-200.0..200.0f32, any::<f32>(), (-130i32..130).prop_map(|n| n as f32 + 0.5)]
    }

    proptest! {
        /// Every level gives what the definition says, and the same sum to the bit.
        #[test]
        fn every_level_scales_alike(
            x in prop::collection::vec(float(), 0..200), gain in prop_oneof![Just(1.0f32), 0.0..3.0f32],
            conjugate in any::<bool>(),
        ) {
            let gains = [gain, if conjugate { -gain } else { gain }];
            let bytes: Vec<_> = x.iter().map(|v| v.to_le_bytes()).collect();
            for level in Level::all_available().into_iter().map(Available::new) {
                let mut held = vec![0.0; x.len()];
                let finite = level.read(&bytes, f32::from_le_bytes, &mut held);
                prop_assert_eq!(finite, x.iter().all(|v| v.is_finite()));
                prop_assert!(held.iter().zip(&x).all(|(a, b)| a.to_bits() == b.to_bits()));
                let numbers: Vec<f32> = x.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect();
                prop_assert_eq!(level.power(&numbers).to_bits(), power(&numbers).to_bits());
                let plain: f64 = numbers.iter().map(|&v| f64::from(v).powi(2)).sum();
                prop_assert!((level.power(&numbers) - plain).abs() <= 1e-13 * plain);
                let mut out = vec![77; x.len()];
                level.quantise(&numbers, gains, &mut out);
                for (k, (&v, &y)) in numbers.iter().zip(&out).enumerate() {
                    let want = (v * gains[k % 2]).round_ties_even().clamp(-127.0, 127.0);
                    prop_assert_eq!(want, f32::from(y));
                }
            }
        }

        #[test]
        fn every_level_reads_integers(x in prop::collection::vec(any::<i16>(), 0..200)) {
            let bytes: Vec<_> = x.iter().map(|v| v.to_be_bytes()).collect();
            for level in Level::all_available().into_iter().map(Available::new) {
                let mut held = vec![0.5; x.len()];
                prop_assert!(level.read(&bytes, |b| f32::from(i16::from_be_bytes(b)), &mut held));
                prop_assert!(held.iter().zip(&x).all(|(&a, &b)| a == f32::from(b)));
            }
        }
    }
}
