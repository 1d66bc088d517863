//! Direct correlator with dot products of bytes, for AVX-512 with VNNI and more.
//!
//! Samples go 64 at a time, as a vector of I and one of Q: sample l of the first 32 in byte 2 l, and of
//! the other 32 in byte 2 l + 1. The carrier is unsigned and centred on 128, so that the negative of a
//! byte is that of the number; what the centre adds is known from the running sums.

use std::arch::{asm, x86_64::*};

use num_complex::Complex;

use crate::direct::{self, DITHER, FRACTION, Job, sum_of};
use crate::kernel::Sums;
use crate::replica::MARGIN;

/// Samples of a block.
const BLOCK: usize = 64;
/// Blocks that share a table of the carrier.
const BLOCKS: usize = 8;
/// Amplitude of the carrier.
const AMPLITUDE: f64 = 127.0;
/// Fraction bits of the code phase of a sample within its block.
const LANE_FRACTION: u32 = 26;
/// Fractions of a block's code phase are 8 bits, and these further ones choose a table.
const FINE: u32 = 3;
const TABLES: usize = 1 << FINE;

/// For each tap, the place of each sample's code value in the block's window of code bits, and the fraction behind it.
#[derive(Clone, Copy)]
struct Places {
    place: [__m512i; 3],
    fraction: [__m512i; 3],
}

/// Words `low` of 16 pairs of 32 bits and then those of 16 more.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn low_words(a: __m512i, b: __m512i) -> __m512i {
    let even = _mm512_set_epi16(
        62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26, 24, 22, 20, 18, 16, 14,
        12, 10, 8, 6, 4, 2, 0,
    );
    _mm512_permutex2var_epi16(a, even, b)
}

/// The high words likewise.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn high_words(a: __m512i, b: __m512i) -> __m512i {
    let odd = _mm512_set_epi16(
        63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27, 25, 23, 21, 19, 17, 15,
        13, 11, 9, 7, 5, 3, 1,
    );
    _mm512_permutex2var_epi16(a, odd, b)
}

/// Bytes from 64 numbers of 32 bits below 256, in the order of samples.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn bytes(v: [__m512i; 4]) -> __m512i {
    let pair = |low, high| _mm512_or_si512(low, _mm512_slli_epi32::<8>(high));
    low_words(pair(v[0], v[2]), pair(v[1], v[3]))
}

/// Places for each fine fraction of a block's code phase.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn places(job: &Job<'_>, lowest: f64) -> [Places; TABLES] {
    let zero = _mm512_setzero_si512();
    let mut tables = [Places { place: [zero; 3], fraction: [zero; 3] }; TABLES];
    let step = (job.step >> (FRACTION - LANE_FRACTION)) as i32;
    let lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    let lane = _mm512_mullo_epi32(lane, _mm512_set1_epi32(step));
    for (t, offset) in job.offsets.iter().enumerate() {
        let from = ((offset - lowest) * f64::from(1u32 << LANE_FRACTION)) as u32;
        for (fine, table) in (0u32..).zip(&mut tables) {
            // Half of the finest fraction more: what lies below it is cut off.
            let from = from + (2 * fine + 1) * (1 << (LANE_FRACTION - 9 - FINE));
            let word = |g: i32| {
                let from = from.cast_signed().wrapping_add(step.wrapping_mul(16 * g));
                _mm512_add_epi32(lane, _mm512_set1_epi32(from))
            };
            let (a, b) = (high_words(word(0), word(1)), high_words(word(2), word(3)));
            // Six bits of place, then eight of fraction.
            let high = _mm512_set1_epi16(0xff00u16.cast_signed());
            let place = _mm512_and_si512(_mm512_srli_epi16::<2>(b), high);
            table.place[t] = _mm512_or_si512(_mm512_srli_epi16::<10>(a), place);
            let fraction = _mm512_slli_epi16::<6>(b);
            // Low bytes of the one, high bytes of the other.
            table.fraction[t] = _mm512_ternarylogic_epi64::<0xca>(high, fraction, _mm512_srli_epi16::<2>(a));
        }
    }
    tables
}

/// Cosine and sine of `blocks` blocks at most, and the rotation over 0 to [`BLOCKS`] blocks.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw")]
#[inline]
fn carrier(turn: Complex<f64>, blocks: usize) -> ([[__m512i; 2]; BLOCKS], [Complex<f64>; BLOCKS + 1]) {
    let zero = _mm512_setzero_ps();
    let mut table = [[_mm512_setzero_si512(); 2]; BLOCKS];
    let (lane, group) = direct::lanes(turn);
    let re: [f32; 16] = std::array::from_fn(|l| (lane[l].re * AMPLITUDE) as f32);
    let im: [f32; 16] = std::array::from_fn(|l| (lane[l].im * AMPLITUDE) as f32);
    let (re, im) = (load_f32(&re), load_f32(&im));
    let (mut lane_re, mut lane_im, mut dither) = ([zero; 4], [zero; 4], [[zero; 4]; 2]);
    let pair = group * group;
    for (g, power) in [Complex::new(1.0, 0.0), group, pair, pair * group].iter().enumerate() {
        let (cos, sin) = (_mm512_set1_ps(power.re as f32), _mm512_set1_ps(power.im as f32));
        lane_re[g] = _mm512_fnmadd_ps(im, sin, _mm512_mul_ps(re, cos));
        lane_im[g] = _mm512_fmadd_ps(im, cos, _mm512_mul_ps(re, sin));
        for (half, dither) in dither.iter_mut().enumerate() {
            let at: &[f32; 16] = DITHER[(half * 4 + g) * 16..].first_chunk().unwrap_or(&[0.0; 16]);
            dither[g] = _mm512_add_ps(load_f32(at), _mm512_set1_ps(128.0));
        }
    }
    let mut power = [Complex::new(1.0, 0.0); BLOCKS + 1];
    power[1] = pair * pair;
    for b in 2..=BLOCKS {
        power[b] = power[b / 2] * power[b - b / 2];
    }
    for ((b, table), base) in table.iter_mut().enumerate().zip(power) {
        if b < blocks {
            let (re, im) = (_mm512_set1_ps(base.re as f32), _mm512_set1_ps(base.im as f32));
            let (mut cos, mut sin) = ([_mm512_setzero_si512(); 4], [_mm512_setzero_si512(); 4]);
            for g in 0..4 {
                let centre = dither[b % 2][g];
                let v = _mm512_fmadd_ps(re, lane_re[g], _mm512_fnmadd_ps(im, lane_im[g], centre));
                cos[g] = _mm512_cvtps_epi32(v);
                let v = _mm512_fmadd_ps(re, lane_im[g], _mm512_fmadd_ps(im, lane_re[g], centre));
                sin[g] = _mm512_cvtps_epi32(v);
            }
            *table = [bytes(cos), bytes(sin)];
        }
    }
    (table, power)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load_f32(from: &[f32; 16]) -> __m512 {
    // SAFETY: there are 16 numbers.
    unsafe { _mm512_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load<T>(from: &[T]) -> __m512i {
    assert!(size_of_val(from) >= 64);
    // SAFETY: there are 64 bytes, and any 64 bytes are a vector.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

/// Samples to I and Q.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn planes(samples: &[Complex<i8>; BLOCK]) -> [__m512i; 2] {
    let swap = _mm512_broadcast_i32x4(_mm_set_epi8(14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1));
    let (first, second) = (load(&samples[..32]), load(&samples[32..]));
    [
        _mm512_mask_shuffle_epi8(first, 0xaaaa_aaaa_aaaa_aaaa, second, swap),
        _mm512_mask_shuffle_epi8(second, 0x5555_5555_5555_5555, first, swap),
    ]
}

/// `places`, one higher where `carry` is set.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn carried(places: __m512i, carry: u64) -> __m512i {
    let mut sum = places;
    // SAFETY: one instruction of AVX-512 BW without access to memory. Written as a masked addition it is
    // compiled to two.
    unsafe {
        asm!(
            "vpaddb {sum}{{{carry}}}, {sum}, {one}",
            sum = inout(zmm_reg) sum,
            carry = in(kreg) carry,
            one = in(zmm_reg) _mm512_set1_epi8(1),
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// Correlates with `N` replicas of one period.
#[target_feature(
    enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512bitalg"
)]
pub(super) fn correlate<const N: usize>(job: &Job<'_>, codes: [&[u64]; N]) -> [Sums; N] {
    let nothing = [Sums::default(); N];
    let zero = _mm512_setzero_si512();
    let lowest = job.offsets[2].floor();
    let tables = places(job, lowest);
    let (carrier, turns) = carrier(job.turn, job.samples.len().div_ceil(BLOCK));
    let margin = (MARGIN as f64 + lowest) as usize;
    let wrap = (job.period as u64) << FRACTION;
    let mut stride = job.step * BLOCK as u64;
    if stride >= wrap {
        stride %= wrap;
    }
    let mut position = job.position;
    let mut rotor = job.carrier;
    let mut total = [[_mm512_setzero_ps(); 6]; N];
    let mut kept = [[zero; 5]; BLOCKS];
    let mut windows = [0usize; BLOCKS];

    let (whole, rest) = job.samples.as_chunks::<BLOCK>();
    let mut tail = [Complex::default(); BLOCK];
    tail[..rest.len()].copy_from_slice(rest);
    let tail = if rest.is_empty() { &[][..] } else { &[tail] };
    let runs = whole.chunks(BLOCKS).chain((!tail.is_empty()).then_some(tail));

    let mut first = 0;
    for run in runs {
        let last = (first + run.len() * BLOCK).min(job.samples.len());
        let Some(sums) = job.sums.get(first..=last) else { return nothing };
        first = last;
        // What the centre of the carrier adds, in 16 lanes.
        let [i, q] = sum_of(sums).map(|v| _mm512_set1_epi32(-8 * v));
        let (cos, sin) = (_mm512_set1_ps(rotor.re as f32), _mm512_set1_ps(rotor.im as f32));
        rotor *= turns[run.len()];

        for n in 0..N {
            let mut sum = [[i, q, i, q]; 3];
            for (b, samples) in run.iter().enumerate() {
                let (at, i, q, place);
                if n == 0 {
                    at = (position >> FRACTION) as usize + margin;
                    let table = &tables[(position >> (FRACTION - 8 - FINE)) as usize % TABLES];
                    // A fraction above this one and the block's are together one or more.
                    let above = _mm512_set1_epi8(!(position >> (FRACTION - 8)) as i8);
                    position += stride;
                    if position >= wrap {
                        position -= wrap;
                    }
                    [i, q] = planes(samples);
                    let mut to = [zero; 3];
                    for (t, to) in to.iter_mut().enumerate() {
                        let carry = _mm512_cmpgt_epu8_mask(table.fraction[t], above);
                        *to = carried(table.place[t], carry);
                    }
                    place = to;
                    if N > 1 {
                        windows[b] = at;
                        kept[b] = [i, q, place[0], place[1], place[2]];
                    }
                } else {
                    at = windows[b];
                    let [early, prompt, late];
                    [i, q, early, prompt, late] = kept[b];
                    place = [early, prompt, late];
                }
                let Some(&[low, high]) = codes[n].get(at / 64..).and_then(|c| c.first_chunk()) else {
                    return nothing;
                };
                let window = low >> (at % 64) | high << 1 << (63 - at % 64);
                let window = _mm512_set1_epi64(window.cast_signed());
                let [cos, sin] = carrier[b];
                for t in 0..3 {
                    let minus = _mm512_bitshuffle_epi64_mask(window, place[t]);
                    let cos = _mm512_mask_sub_epi8(cos, minus, zero, cos);
                    let sin = _mm512_mask_sub_epi8(sin, minus, zero, sin);
                    sum[t][0] = _mm512_dpbusd_epi32(sum[t][0], cos, i);
                    sum[t][1] = _mm512_dpbusd_epi32(sum[t][1], cos, q);
                    sum[t][2] = _mm512_dpbusd_epi32(sum[t][2], sin, i);
                    sum[t][3] = _mm512_dpbusd_epi32(sum[t][3], sin, q);
                }
            }
            for t in 0..3 {
                let re = _mm512_cvtepi32_ps(_mm512_add_epi32(sum[t][0], sum[t][3]));
                let im = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[t][1], sum[t][2]));
                let [total_re, total_im] = [total[n][2 * t], total[n][2 * t + 1]];
                total[n][2 * t] = _mm512_fmadd_ps(im, sin, _mm512_fmadd_ps(re, cos, total_re));
                total[n][2 * t + 1] = _mm512_fnmadd_ps(re, sin, _mm512_fmadd_ps(im, cos, total_im));
            }
        }
    }
    let sum = |v| f64::from(_mm512_reduce_add_ps(v)) / AMPLITUDE;
    total.map(|total| std::array::from_fn(|t| Complex::new(sum(total[2 * t]), sum(total[2 * t + 1]))))
}
