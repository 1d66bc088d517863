//! Running sums, eight or sixteen samples at a time.

use num_complex::Complex;

use super::Available;
#[cfg(target_arch = "x86_64")]
use crate::Level;
use crate::sums;

impl Available {
    /// [`sums::running_sums`] at this level.
    pub(crate) fn running_sums(self, samples: &[Complex<i8>], sum: u32, out: &mut [u32]) -> u32 {
        match self.0 {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::running_sums_avx512(samples, sum, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::running_sums_avx2(samples, sum, out) },
            _ => sums::running_sums(samples, sum, out),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;

    /// Added to I, it makes the low half of a word positive, so that nothing borrows from Q; the sums carry
    /// it once a sample until it is taken off.
    const RAISE: i32 = 0x8000;

    /// What raised samples have added to the sum at each place of a vector.
    fn ramp<const LANES: usize>() -> [i32; LANES] {
        std::array::from_fn(|l| (l as i32 + 1) * RAISE)
    }

    #[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn running_sums_avx512(samples: &[Complex<i8>], sum: u32, out: &mut [u32]) -> u32 {
        const LANES: usize = 16;
        let raise = _mm512_set1_epi32(RAISE);
        let raised = _mm512_set1_epi32(LANES as i32 * RAISE);
        // SAFETY: the array is as large as a vector.
        let ramp = unsafe { _mm512_loadu_si512(ramp::<LANES>().as_ptr().cast()) };
        let last = _mm512_set1_epi32(LANES as i32 - 1);
        // The last word of a quarter goes to all of the next, then to all of the next but one.
        let next = _mm512_set_epi32(11, 11, 11, 11, 7, 7, 7, 7, 3, 3, 3, 3, 0, 0, 0, 0);
        let next_but_one = _mm512_set_epi32(7, 7, 7, 7, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0);
        let mut base = _mm512_sub_epi32(_mm512_set1_epi32(sum.cast_signed()), ramp);
        let (x, y) = (samples.as_chunks::<LANES>().0, out.as_chunks_mut::<LANES>().0);
        for (x, y) in x.iter().zip(y) {
            // SAFETY: there are 16 samples of two bytes.
            let x = unsafe { _mm256_loadu_si256(x.as_ptr().cast()) };
            let x = _mm512_xor_si512(_mm512_cvtepi8_epi16(x), raise);
            let x = _mm512_add_epi32(x, _mm512_bslli_epi128::<4>(x));
            let x = _mm512_add_epi32(x, _mm512_bslli_epi128::<8>(x));
            let x = _mm512_add_epi32(x, _mm512_maskz_permutexvar_epi32(0xfff0, next, x));
            let x = _mm512_add_epi32(x, _mm512_maskz_permutexvar_epi32(0xff00, next_but_one, x));
            // SAFETY: there is room for 16 words.
            unsafe { _mm512_storeu_si512(y.as_mut_ptr().cast(), _mm512_add_epi32(x, base)) };
            let total = _mm512_sub_epi32(_mm512_permutexvar_epi32(last, x), raised);
            base = _mm512_add_epi32(base, total);
        }
        rest::<LANES>(samples, sum, out)
    }

    #[target_feature(enable = "avx2,fma,bmi2")]
    pub(super) fn running_sums_avx2(samples: &[Complex<i8>], sum: u32, out: &mut [u32]) -> u32 {
        const LANES: usize = 8;
        let raise = _mm256_set1_epi32(RAISE);
        let raised = _mm256_set1_epi32(LANES as i32 * RAISE);
        // SAFETY: the array is as large as a vector.
        let ramp = unsafe { _mm256_loadu_si256(ramp::<LANES>().as_ptr().cast()) };
        let mut base = _mm256_sub_epi32(_mm256_set1_epi32(sum.cast_signed()), ramp);
        let (x, y) = (samples.as_chunks::<LANES>().0, out.as_chunks_mut::<LANES>().0);
        for (x, y) in x.iter().zip(y) {
            // SAFETY: there are 8 samples of two bytes.
            let x = unsafe { _mm_loadu_si128(x.as_ptr().cast()) };
            let x = _mm256_xor_si256(_mm256_cvtepi8_epi16(x), raise);
            let x = _mm256_add_epi32(x, _mm256_bslli_epi128::<4>(x));
            let x = _mm256_add_epi32(x, _mm256_bslli_epi128::<8>(x));
            // The last word of each half; that of the first is added to the second.
            let ends = _mm256_shuffle_epi32::<0xff>(x);
            let carried = _mm256_permute2x128_si256::<0x08>(ends, ends);
            let x = _mm256_add_epi32(x, carried);
            // SAFETY: there is room for 8 words.
            unsafe { _mm256_storeu_si256(y.as_mut_ptr().cast(), _mm256_add_epi32(x, base)) };
            let total = _mm256_add_epi32(ends, _mm256_permute2x128_si256::<0x01>(ends, ends));
            base = _mm256_add_epi32(base, _mm256_sub_epi32(total, raised));
        }
        rest::<LANES>(samples, sum, out)
    }

    /// What whole vectors leave.
    #[inline]
    fn rest<const LANES: usize>(samples: &[Complex<i8>], sum: u32, out: &mut [u32]) -> u32 {
        let done = samples.len().min(out.len()) / LANES * LANES;
        let sum = done.checked_sub(1).and_then(|k| out.get(k)).copied().unwrap_or(sum);
        let (x, y) = (samples.get(done..), out.get_mut(done..));
        sums::running_sums(x.unwrap_or_default(), sum, y.unwrap_or_default())
    }
}
