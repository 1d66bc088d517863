use num_complex::Complex;

use super::SampleFormat;

/// A 2-bit component is 1 below this multiple of the standard deviation and 3 above: the threshold that
/// loses least (0.55 dB) on Gaussian noise.
const TWO_BIT_THRESHOLD: f32 = 0.98;

/// Turns samples of standard deviation 1 a component into bytes.
///
/// | component | standard deviation | rounding |
/// |---|---|---|
/// | 1 bit | | sign, zero is positive |
/// | 2 bits | 1.8 | 3 beyond 0.98 standard deviations |
/// | 4 bits | 3 | nearest, -8 to 7 |
/// | 8 bits | 20 | nearest, saturating; offset binary is centred on 127.5 |
/// | 16 bits | 2000 | nearest, saturating |
/// | float | 0.1 | none |
///
/// Real formats take the real part.
#[derive(Debug, Clone)]
pub struct Packer {
    format: SampleFormat,
    /// Bits of an incomplete byte, in its low end.
    partial: u8,
    partial_bits: usize,
}

impl Packer {
    /// A packer of `format`.
    pub fn new(format: SampleFormat) -> Self {
        Self { format, partial: 0, partial_bits: 0 }
    }

    /// The format.
    pub fn format(&self) -> SampleFormat {
        self.format
    }

    /// Appends the bytes that `samples` complete to `out`.
    pub fn pack(&mut self, samples: &[Complex<f32>], out: &mut Vec<u8>) {
        match self.format {
            SampleFormat::Cs1 | SampleFormat::S1 => self.bits::<1>(samples, out, |x| u8::from(x >= 0.0)),
            SampleFormat::Cs2 | SampleFormat::S2 => self.bits::<2>(samples, out, |x| {
                // 2c + 1 of the two's complement number c.
                match (x >= 0.0, x.abs() >= TWO_BIT_THRESHOLD) {
                    (true, false) => 0b00,
                    (true, true) => 0b01,
                    (false, true) => 0b10,
                    (false, false) => 0b11,
                }
            }),
            SampleFormat::Cs4 | SampleFormat::S4 => {
                self.bits::<4>(samples, out, |x| nearest(x * 3.0, -8.0, 7.0) as u8 & 0x0f);
            }
            SampleFormat::Cs8 | SampleFormat::S8 => {
                self.bytes(samples, out, |x| [nearest(x * 20.0, -128.0, 127.0) as u8]);
            }
            SampleFormat::Cu8 | SampleFormat::U8 => {
                self.bytes(samples, out, |x| [nearest(x * 20.0 + 127.5, 0.0, 255.0) as u8]);
            }
            SampleFormat::Cs16 | SampleFormat::S16 => {
                self.bytes(samples, out, |x| (nearest(x * 2000.0, -32_768.0, 32_767.0) as i16).to_le_bytes());
            }
            SampleFormat::Cf32 | SampleFormat::F32 => {
                self.bytes(samples, out, |x| (x * 0.1).to_le_bytes());
            }
        }
    }

    /// Appends the last byte of a packed format, filled with zero bits, if one is incomplete.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.partial_bits > 0 {
            out.push(self.partial << (8 - self.partial_bits));
        }
        self.partial = 0;
        self.partial_bits = 0;
    }

    fn bytes<const N: usize>(
        &self,
        samples: &[Complex<f32>],
        out: &mut Vec<u8>,
        encode: impl Fn(f32) -> [u8; N],
    ) {
        let start = out.len();
        let components = if self.format.is_complex() { 2 } else { 1 };
        out.resize(start + components * N * samples.len(), 0);
        let new = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<N>().0;
        if components == 2 {
            for ([i, q], z) in new.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
                *i = encode(z.re);
                *q = encode(z.im);
            }
        } else {
            new.iter_mut().zip(samples).for_each(|(slot, z)| *slot = encode(z.re));
        }
    }

    fn bits<const N: usize>(
        &mut self,
        samples: &[Complex<f32>],
        out: &mut Vec<u8>,
        encode: impl Fn(f32) -> u8,
    ) {
        let complex = self.format.is_complex();
        out.reserve(samples.len() * self.format.bits_per_sample() / 8 + 1);
        let (mut partial, mut held) = (self.partial, self.partial_bits);
        let mut push = |x: f32| {
            partial = (partial << N) | encode(x);
            held += N;
            if held == 8 {
                out.push(partial);
                (partial, held) = (0, 0);
            }
        };
        for z in samples {
            push(z.re);
            if complex {
                push(z.im);
            }
        }
        (self.partial, self.partial_bits) = (partial, held);
    }
}

/// The integer nearest to `x` (of two, the even one) within `low` to `high`, which are below 2^22.
fn nearest(x: f32, low: f32, high: f32) -> i32 {
    /// Added to a small number, it leaves the integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    (x.clamp(low, high) + ROUND).to_bits() as i32 - ROUND.to_bits() as i32
}
