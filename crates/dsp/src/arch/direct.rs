//! Correlators in 8 bits with the carrier in a table and the code by permutation.

use std::arch::x86_64::*;

use num_complex::Complex;

use crate::direct::{Job, RUN, Table, Walk};

/// Sums of the samples times conjugate carrier times early, prompt and late code, `SCALE` times too large.
type Sums = [Complex<f64>; 3];

/// The `k`-th run; the last one is filled up with zeros in `tail`.
#[inline(always)]
fn run<'a>(
    samples: &'a [Complex<i8>],
    k: usize,
    tail: &'a mut [Complex<i8>; RUN],
) -> Option<&'a [Complex<i8>; RUN]> {
    let rest = samples.get(k * RUN..)?;
    if let Some(run) = rest.first_chunk() {
        return Some(run);
    }
    tail.get_mut(..rest.len())?.copy_from_slice(rest);
    Some(tail)
}

/// The first 64 bytes of a slice that holds as many.
#[target_feature(enable = "avx512f")]
#[inline]
fn load_512<T>(from: &[T]) -> __m512i {
    assert!(size_of_val(from) >= 64);
    // SAFETY: there are 64 bytes, and any 64 bytes are a vector.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

/// The first 32 bytes of a slice that holds as many.
#[target_feature(enable = "avx2")]
#[inline]
fn load_256<T>(from: &[T]) -> __m256i {
    assert!(size_of_val(from) >= 32);
    // SAFETY: there are 32 bytes, and any 32 bytes are a vector.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

/// With AVX-512 and its dot products of 16-bit numbers.
#[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) fn correlate_avx512(job: &Job<'_>) -> Sums {
    const LANES: usize = 32;
    const BLOCKS: usize = RUN / LANES;
    let (table, turn) = Table::new(job.turn);
    let mut walk = Walk::<LANES, 11>::new(job);
    let mut rotor = job.carrier;
    let mut tail = [Complex::default(); RUN];

    let flip = _mm512_set1_epi8(i8::MIN);
    let zero = _mm512_setzero_si512();
    let [mut re, mut im, mut raised_re, mut raised_im] = [[zero; BLOCKS]; 4];
    for b in 0..BLOCKS {
        re[b] = load_512(&table.re[b * LANES..]);
        im[b] = load_512(&table.im[b * LANES..]);
        // One factor is unsigned: samples are raised by 128, and what that adds to the products taken off.
        raised_re[b] = _mm512_maddubs_epi16(flip, re[b]);
        raised_im[b] = _mm512_maddubs_epi16(flip, im[b]);
    }
    let lanes = [load_512(&walk.lanes[0]), load_512(&walk.lanes[1]), load_512(&walk.lanes[2])];
    let mut total = [_mm512_setzero_ps(); 6];

    for k in 0..job.samples.len().div_ceil(RUN) {
        let Some(samples) = run(job.samples, k, &mut tail) else { break };
        let mut sum = [zero; 6];
        for b in 0..BLOCKS {
            let (at, fraction) = walk.next();
            let Some(window) = job.code.words.get(at..at + LANES) else { return Sums::default() };
            let x = _mm512_xor_si512(load_512(&samples[b * LANES..]), flip);
            let y_re = _mm512_sub_epi16(_mm512_maddubs_epi16(x, re[b]), raised_re[b]);
            let y_im = _mm512_sub_epi16(_mm512_maddubs_epi16(x, im[b]), raised_im[b]);
            let values = load_512(window);
            let base = _mm512_set1_epi16(fraction);
            for t in 0..3 {
                let index = _mm512_srli_epi16::<11>(_mm512_add_epi16(base, lanes[t]));
                let code = _mm512_permutexvar_epi16(index, values);
                sum[2 * t] = _mm512_dpwssd_epi32(sum[2 * t], y_re, code);
                sum[2 * t + 1] = _mm512_dpwssd_epi32(sum[2 * t + 1], y_im, code);
            }
        }
        let (cos, sin) = (_mm512_set1_ps(rotor.re as f32), _mm512_set1_ps(rotor.im as f32));
        rotor *= turn;
        for t in 0..3 {
            let [re, im] = [_mm512_cvtepi32_ps(sum[2 * t]), _mm512_cvtepi32_ps(sum[2 * t + 1])];
            let [total_re, total_im] = [total[2 * t], total[2 * t + 1]];
            total[2 * t] = _mm512_fmadd_ps(im, sin, _mm512_fmadd_ps(re, cos, total_re));
            total[2 * t + 1] = _mm512_fnmadd_ps(re, sin, _mm512_fmadd_ps(im, cos, total_im));
        }
    }
    let mut sums = [0.0; 6];
    for (sum, total) in sums.iter_mut().zip(total) {
        *sum = f64::from(_mm512_reduce_add_ps(total));
    }
    std::array::from_fn(|t| Complex::new(sums[2 * t], sums[2 * t + 1]))
}

/// With AVX2.
#[target_feature(enable = "avx2,fma,bmi2")]
pub(super) fn correlate_avx2(job: &Job<'_>) -> Sums {
    const LANES: usize = 16;
    let (table, turn) = Table::new(job.turn);
    let mut walk = Walk::<LANES, 12>::new(job);
    let mut rotor = job.carrier;
    let mut tail = [Complex::default(); RUN];

    let lanes = [load_256(&walk.lanes[0]), load_256(&walk.lanes[1]), load_256(&walk.lanes[2])];
    let ones = _mm256_set1_epi16(1);
    let mut total = [_mm256_setzero_ps(); 6];

    for k in 0..job.samples.len().div_ceil(RUN) {
        let Some(samples) = run(job.samples, k, &mut tail) else { break };
        let mut sum = [_mm256_setzero_si256(); 6];
        for pair in 0..RUN / (2 * LANES) {
            // Two blocks at a time: their products add up within 16 bits.
            let mut product = [_mm256_setzero_si256(); 6];
            for b in [2 * pair, 2 * pair + 1] {
                let (at, fraction) = walk.next();
                let Some(window) = job.code.bytes.get(at..at + LANES) else { return Sums::default() };
                let x = load_256(&samples[b * LANES..]);
                // One factor is unsigned: the other takes the sign.
                let size = _mm256_abs_epi8(x);
                let re = _mm256_sign_epi8(load_256(&table.re[b * LANES..]), x);
                let im = _mm256_sign_epi8(load_256(&table.im[b * LANES..]), x);
                let [y_re, y_im] = [_mm256_maddubs_epi16(size, re), _mm256_maddubs_epi16(size, im)];
                // SAFETY: the window has 16 bytes.
                let values = unsafe { _mm_loadu_si128(window.as_ptr().cast()) };
                let values = _mm256_broadcastsi128_si256(values);
                let base = _mm256_set1_epi16(fraction);
                for t in 0..3 {
                    // The high byte of a word picks a value, whose sign is the word's; the low byte is
                    // anything.
                    let index = _mm256_srli_epi16::<4>(_mm256_add_epi16(base, lanes[t]));
                    let code = _mm256_shuffle_epi8(values, index);
                    product[2 * t] = _mm256_add_epi16(product[2 * t], _mm256_sign_epi16(y_re, code));
                    product[2 * t + 1] = _mm256_add_epi16(product[2 * t + 1], _mm256_sign_epi16(y_im, code));
                }
            }
            for (sum, product) in sum.iter_mut().zip(product) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(product, ones));
            }
        }
        let (cos, sin) = (_mm256_set1_ps(rotor.re as f32), _mm256_set1_ps(rotor.im as f32));
        rotor *= turn;
        for t in 0..3 {
            let [re, im] = [_mm256_cvtepi32_ps(sum[2 * t]), _mm256_cvtepi32_ps(sum[2 * t + 1])];
            let [total_re, total_im] = [total[2 * t], total[2 * t + 1]];
            total[2 * t] = _mm256_fmadd_ps(im, sin, _mm256_fmadd_ps(re, cos, total_re));
            total[2 * t + 1] = _mm256_fnmadd_ps(re, sin, _mm256_fmadd_ps(im, cos, total_im));
        }
    }
    let mut sums = [0.0; 6];
    for (sum, total) in sums.iter_mut().zip(total) {
        let mut lanes = [0.0f32; 8];
        // SAFETY: the array has room for the 8 numbers.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), total) };
        *sum = lanes.iter().map(|&x| f64::from(x)).sum();
    }
    std::array::from_fn(|t| Complex::new(sums[2 * t], sums[2 * t + 1]))
}
