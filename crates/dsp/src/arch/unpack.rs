//! Unpacking compiled for each instruction set.

use num_complex::Complex;

use super::Available;
#[cfg(target_arch = "x86_64")]
use crate::Level;
use crate::format::scale;

impl Available {
    /// The best level of this machine that the user allows.
    pub(crate) fn best() -> Self {
        Self::new(crate::Level::detect().unwrap_or(crate::Level::Portable))
    }

    #[cfg(target_arch = "x86_64")]
    fn has_avx2(self) -> bool {
        matches!(self.0, Level::Avx2 | Level::Avx512)
    }

    /// Complex samples as components, I and Q in turn.
    pub(crate) fn components(samples: &mut [Complex<i8>]) -> &mut [i8] {
        // SAFETY: a complex number is laid out as an array of two.
        unsafe { std::slice::from_raw_parts_mut(samples.as_mut_ptr().cast(), 2 * samples.len()) }
    }

    /// [`scale::read`] at this level.
    pub(crate) fn read<const N: usize>(
        self,
        bytes: &[[u8; N]],
        value: impl Fn([u8; N]) -> f32,
        out: &mut [f32],
    ) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.has_avx2() {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            return unsafe { read_avx2(bytes, value, out) };
        }
        scale::read(bytes, value, out)
    }

    /// [`scale::power`] at this level.
    pub(crate) fn power(self, values: &[f32]) -> f64 {
        #[cfg(target_arch = "x86_64")]
        if self.has_avx2() {
            // SAFETY: as above.
            return unsafe { power_avx2(values) };
        }
        scale::power(values)
    }

    /// [`scale::quantise`] at this level.
    pub(crate) fn quantise(self, values: &[f32], gains: [f32; 2], out: &mut [i8]) {
        #[cfg(target_arch = "x86_64")]
        if self.has_avx2() {
            // SAFETY: as above.
            return unsafe { quantise_avx2(values, gains, out) };
        }
        scale::quantise(values, gains, out);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn read_avx2<const N: usize>(bytes: &[[u8; N]], value: impl Fn([u8; N]) -> f32, out: &mut [f32]) -> bool {
    scale::read(bytes, value, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn power_avx2(values: &[f32]) -> f64 {
    scale::power(values)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn quantise_avx2(values: &[f32], gains: [f32; 2], out: &mut [i8]) {
    scale::quantise(values, gains, out);
}
