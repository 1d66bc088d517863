//! Mixing, 32 or 64 samples at a time.

use num_complex::Complex;

use super::Available;
#[cfg(target_arch = "x86_64")]
use crate::Level;
use crate::mix::{self, Oscillator, Sample, TILE};

impl Available {
    /// Samples that a pair of vectors takes; see [`Oscillator::new`].
    pub(crate) fn mix_group(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => 32,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => 16,
            _ => 8,
        }
    }

    /// [`mix::turn`] at this level, for which the oscillator has been made.
    pub(crate) fn turn<S: Sample>(
        self,
        oscillator: &Oscillator,
        tile: u64,
        samples: &[[S; TILE]],
        out: &mut [[Complex<i8>; TILE]],
    ) {
        match self.0 {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::turn_avx512(oscillator, tile, samples, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::turn_avx2(oscillator, tile, samples, out) },
            _ => mix::turn(oscillator, tile, samples, out),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;

    /// Two 16-bit numbers as one word.
    fn pair([low, high]: [i16; 2]) -> i32 {
        i32::from(low) & 0xffff | i32::from(high) << 16
    }

    #[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn turn_avx512<S: Sample>(
        oscillator: &Oscillator,
        tile: u64,
        samples: &[[S; TILE]],
        out: &mut [[Complex<i8>; TILE]],
    ) {
        const LANES: usize = 16;
        const VECTORS: usize = TILE / LANES;
        let zero = _mm512_setzero_si512();
        let least = _mm512_set1_epi8(-i8::MAX);
        let load = |table: &[[i16; 2]; TILE]| -> [__m512i; VECTORS] {
            // SAFETY: the table has 64 pairs of 16 bits.
            std::array::from_fn(|v| unsafe { _mm512_loadu_si512(table.as_ptr().add(v * LANES).cast()) })
        };
        let (re, im) = (load(&oscillator.re), load(&oscillator.im));
        let join = |re, im| _mm512_mask_blend_epi16(0xaaaa_aaaa, _mm512_srli_epi32::<16>(re), im);
        for ((x, y), tile) in samples.iter().zip(out).zip(tile..) {
            let rotor = oscillator.rotor(tile);
            let (rotor_re, rotor_im) = (_mm512_set1_epi32(pair(rotor.re)), _mm512_set1_epi32(pair(rotor.im)));
            let (half_re, half_im) = (_mm512_set1_epi32(rotor.half[0]), _mm512_set1_epi32(rotor.half[1]));
            let turn = |x: __m512i, v: usize| {
                let x = join(_mm512_madd_epi16(x, re[v]), _mm512_madd_epi16(x, im[v]));
                join(
                    _mm512_add_epi32(_mm512_madd_epi16(x, rotor_re), half_re),
                    _mm512_add_epi32(_mm512_madd_epi16(x, rotor_im), half_im),
                )
            };
            for g in 0..VECTORS / 2 {
                // SAFETY: a tile holds 64 samples of one byte (real) or two.
                let x = unsafe {
                    let from = x.as_ptr().add(2 * g * LANES);
                    if S::REAL {
                        _mm512_cvtepu8_epi16(_mm256_loadu_si256(from.cast()))
                    } else {
                        _mm512_loadu_si512(from.cast())
                    }
                };
                let low = turn(_mm512_unpacklo_epi8(zero, x), 2 * g);
                let high = turn(_mm512_unpackhi_epi8(zero, x), 2 * g + 1);
                let turned = _mm512_max_epi8(_mm512_packs_epi16(low, high), least);
                // SAFETY: a tile has room for 64 samples of two bytes.
                unsafe { _mm512_storeu_si512(y.as_mut_ptr().add(2 * g * LANES).cast(), turned) };
            }
        }
    }

    #[target_feature(enable = "avx2,fma,bmi2")]
    pub(super) fn turn_avx2<S: Sample>(
        oscillator: &Oscillator,
        tile: u64,
        samples: &[[S; TILE]],
        out: &mut [[Complex<i8>; TILE]],
    ) {
        const LANES: usize = 8;
        let zero = _mm256_setzero_si256();
        let least = _mm256_set1_epi8(-i8::MAX);
        let load = |table: &[[i16; 2]; TILE], v: usize| {
            // SAFETY: the table has 64 pairs of 16 bits, and `v` stays below an eighth of that.
            unsafe { _mm256_loadu_si256(table.as_ptr().add(v * LANES).cast()) }
        };
        let join = |re, im| _mm256_blend_epi16::<0xaa>(_mm256_srli_epi32::<16>(re), im);
        for ((x, y), tile) in samples.iter().zip(out).zip(tile..) {
            let rotor = oscillator.rotor(tile);
            let (rotor_re, rotor_im) = (_mm256_set1_epi32(pair(rotor.re)), _mm256_set1_epi32(pair(rotor.im)));
            let (half_re, half_im) = (_mm256_set1_epi32(rotor.half[0]), _mm256_set1_epi32(rotor.half[1]));
            let turn = |x: __m256i, v: usize| {
                let re = _mm256_madd_epi16(x, load(&oscillator.re, v));
                let im = _mm256_madd_epi16(x, load(&oscillator.im, v));
                let x = join(re, im);
                join(
                    _mm256_add_epi32(_mm256_madd_epi16(x, rotor_re), half_re),
                    _mm256_add_epi32(_mm256_madd_epi16(x, rotor_im), half_im),
                )
            };
            for g in 0..TILE / (2 * LANES) {
                // SAFETY: a tile holds 64 samples of one byte (real) or two.
                let x = unsafe {
                    let from = x.as_ptr().add(2 * g * LANES);
                    if S::REAL {
                        _mm256_cvtepu8_epi16(_mm_loadu_si128(from.cast()))
                    } else {
                        _mm256_loadu_si256(from.cast())
                    }
                };
                let low = turn(_mm256_unpacklo_epi8(zero, x), 2 * g);
                let high = turn(_mm256_unpackhi_epi8(zero, x), 2 * g + 1);
                let turned = _mm256_max_epi8(_mm256_packs_epi16(low, high), least);
                // SAFETY: a tile has room for 64 samples of two bytes.
                unsafe { _mm256_storeu_si256(y.as_mut_ptr().add(2 * g * LANES).cast(), turned) };
            }
        }
    }
}
