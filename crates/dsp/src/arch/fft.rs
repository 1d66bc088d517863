//! Fourier transforms on the vectors of each instruction set.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::Available;
use crate::Level;
#[cfg(target_arch = "x86_64")]
use crate::fft::Lanes;
use crate::fft::{self, Input, Steps};

impl Available {
    /// Lanes of the vectors on which transforms run.
    pub(crate) fn lanes(self) -> usize {
        match self.0 {
            Level::Avx512 => 16,
            Level::Avx2 => 8,
            Level::Portable | Level::Neon => 4,
        }
    }

    /// [`fft::transform`] at this level; `steps` must be made for its [lanes](Self::lanes).
    pub(crate) fn transform(
        self,
        steps: &Steps,
        input: &Input<'_>,
        work: &mut [f32],
        out: (&mut [f32], &mut [f32]),
    ) {
        match self.0 {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { transform_avx512(steps, input, work, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { transform_avx2(steps, input, work, out) },
            _ => fft::transform::<[f32; 4], 4>(steps, input, work, out),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
fn transform_avx512(steps: &Steps, input: &Input<'_>, work: &mut [f32], out: (&mut [f32], &mut [f32])) {
    fft::transform::<Wide512, 16>(steps, input, work, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn transform_avx2(steps: &Steps, input: &Input<'_>, work: &mut [f32], out: (&mut [f32], &mut [f32])) {
    fft::transform::<Wide256, 8>(steps, input, work, out);
}

/// A vector of AVX-512: used in [`transform_avx512`] only.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Wide512(__m512);

#[cfg(target_arch = "x86_64")]
impl Lanes<16> for Wide512 {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: where this type is used, the machine has the instructions; so below.
        Self(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    fn load(from: &[f32; 16]) -> Self {
        // SAFETY: as above, and there are 16 numbers.
        Self(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; 16]) {
        // SAFETY: as above, and there is room for 16 numbers.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul_add(self, other: Self, to: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_fmadd_ps(self.0, other.0, to.0) })
    }
    #[inline(always)]
    fn mul_sub_from(self, other: Self, from: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_fnmadd_ps(self.0, other.0, from.0) })
    }
    #[inline(always)]
    fn transpose(mut r: [Self; 16]) -> [Self; 16] {
        // SAFETY: as above.
        unsafe {
            for i in 0..4 {
                let [a, b, c, d] = [r[4 * i].0, r[4 * i + 1].0, r[4 * i + 2].0, r[4 * i + 3].0];
                let low =
                    [_mm512_castps_pd(_mm512_unpacklo_ps(a, b)), _mm512_castps_pd(_mm512_unpacklo_ps(c, d))];
                let high =
                    [_mm512_castps_pd(_mm512_unpackhi_ps(a, b)), _mm512_castps_pd(_mm512_unpackhi_ps(c, d))];
                r[4 * i] = Self(_mm512_castpd_ps(_mm512_unpacklo_pd(low[0], low[1])));
                r[4 * i + 1] = Self(_mm512_castpd_ps(_mm512_unpackhi_pd(low[0], low[1])));
                r[4 * i + 2] = Self(_mm512_castpd_ps(_mm512_unpacklo_pd(high[0], high[1])));
                r[4 * i + 3] = Self(_mm512_castpd_ps(_mm512_unpackhi_pd(high[0], high[1])));
            }
            // Each quarter of r[4 i + c] has four rows of one column, 4 times the quarter's number plus c.
            for c in 0..4 {
                let even = _mm512_shuffle_f32x4::<0x88>(r[c].0, r[4 + c].0);
                let odd = _mm512_shuffle_f32x4::<0xdd>(r[c].0, r[4 + c].0);
                let later_even = _mm512_shuffle_f32x4::<0x88>(r[8 + c].0, r[12 + c].0);
                let later_odd = _mm512_shuffle_f32x4::<0xdd>(r[8 + c].0, r[12 + c].0);
                r[c] = Self(_mm512_shuffle_f32x4::<0x88>(even, later_even));
                r[4 + c] = Self(_mm512_shuffle_f32x4::<0x88>(odd, later_odd));
                r[8 + c] = Self(_mm512_shuffle_f32x4::<0xdd>(even, later_even));
                r[12 + c] = Self(_mm512_shuffle_f32x4::<0xdd>(odd, later_odd));
            }
        }
        r
    }
    fft::across!(dft16, 16, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

/// A vector of AVX2: used in [`transform_avx2`] only.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Wide256(__m256);

#[cfg(target_arch = "x86_64")]
impl Lanes<8> for Wide256 {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: where this type is used, the machine has the instructions; so below.
        Self(unsafe { _mm256_set1_ps(x) })
    }
    #[inline(always)]
    fn load(from: &[f32; 8]) -> Self {
        // SAFETY: as above, and there are 8 numbers.
        Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; 8]) {
        // SAFETY: as above, and there is room for 8 numbers.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul_add(self, other: Self, to: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_fmadd_ps(self.0, other.0, to.0) })
    }
    #[inline(always)]
    fn mul_sub_from(self, other: Self, from: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_fnmadd_ps(self.0, other.0, from.0) })
    }
    #[inline(always)]
    fn transpose(mut r: [Self; 8]) -> [Self; 8] {
        // SAFETY: as above.
        unsafe {
            for i in 0..2 {
                let [a, b, c, d] = [r[4 * i].0, r[4 * i + 1].0, r[4 * i + 2].0, r[4 * i + 3].0];
                let low =
                    [_mm256_castps_pd(_mm256_unpacklo_ps(a, b)), _mm256_castps_pd(_mm256_unpacklo_ps(c, d))];
                let high =
                    [_mm256_castps_pd(_mm256_unpackhi_ps(a, b)), _mm256_castps_pd(_mm256_unpackhi_ps(c, d))];
                r[4 * i] = Self(_mm256_castpd_ps(_mm256_unpacklo_pd(low[0], low[1])));
                r[4 * i + 1] = Self(_mm256_castpd_ps(_mm256_unpackhi_pd(low[0], low[1])));
                r[4 * i + 2] = Self(_mm256_castpd_ps(_mm256_unpacklo_pd(high[0], high[1])));
                r[4 * i + 3] = Self(_mm256_castpd_ps(_mm256_unpackhi_pd(high[0], high[1])));
            }
            // Each half of r[4 i + c] has four rows of one column, 4 times the half's number plus c.
            for c in 0..4 {
                let [a, b] = [r[c].0, r[4 + c].0];
                r[c] = Self(_mm256_permute2f128_ps::<0x20>(a, b));
                r[4 + c] = Self(_mm256_permute2f128_ps::<0x31>(a, b));
            }
        }
        r
    }
    fft::across!(dft8, 8, 1 2 3 4 5 6 7);
}
