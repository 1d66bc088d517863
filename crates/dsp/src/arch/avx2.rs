//! Direct correlator with the carrier in a table and the code by permutation, for AVX2.

use std::arch::x86_64::*;

use num_complex::Complex;

use crate::direct::{Job, RUN, SCALE, Table, Walk};
use crate::kernel::Sums;

/// Samples of a block.
const LANES: usize = 16;
const BLOCKS: usize = RUN / LANES;

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

/// The first 32 bytes of a slice that holds as many.
#[target_feature(enable = "avx2")]
#[inline]
fn load<T>(from: &[T]) -> __m256i {
    assert!(size_of_val(from) >= 32);
    // SAFETY: there are 32 bytes, and any 32 bytes are a vector.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

/// Correlates with `N` replicas of one period.
#[target_feature(enable = "avx2,fma,bmi2")]
pub(super) fn correlate<const N: usize>(job: &Job<'_>, codes: [&[i8]; N]) -> [Sums; N] {
    let nothing = [Sums::default(); N];
    let zero = _mm256_setzero_si256();
    let (table, turn) = Table::new(job.turn);
    let mut walk = Walk::<LANES, 12>::new(job);
    let mut rotor = job.carrier;
    let mut tail = [Complex::default(); RUN];

    let lanes = [load(&walk.lanes[0]), load(&walk.lanes[1]), load(&walk.lanes[2])];
    let ones = _mm256_set1_epi16(1);
    let mut total = [[_mm256_setzero_ps(); 6]; N];
    let mut kept = [[zero; 5]; BLOCKS];
    let mut windows = [0usize; BLOCKS];

    for k in 0..job.samples.len().div_ceil(RUN) {
        let Some(samples) = run(job.samples, k, &mut tail) else { break };
        let (cos, sin) = (_mm256_set1_ps(rotor.re as f32), _mm256_set1_ps(rotor.im as f32));
        rotor *= turn;
        for n in 0..N {
            let mut sum = [zero; 6];
            for pair in 0..BLOCKS / 2 {
                // Two blocks at a time: their products add up within 16 bits.
                let mut product = [zero; 6];
                for b in [2 * pair, 2 * pair + 1] {
                    let (at, y, place);
                    if n == 0 {
                        let (from, fraction) = walk.next();
                        at = from;
                        let x = load(&samples[b * LANES..]);
                        // One factor is unsigned: the other takes the sign.
                        let size = _mm256_abs_epi8(x);
                        let re = _mm256_sign_epi8(load(&table.re[b * LANES..]), x);
                        let im = _mm256_sign_epi8(load(&table.im[b * LANES..]), x);
                        y = [_mm256_maddubs_epi16(size, re), _mm256_maddubs_epi16(size, im)];
                        let base = _mm256_set1_epi16(fraction);
                        let mut to = [zero; 3];
                        for (to, lanes) in to.iter_mut().zip(lanes) {
                            *to = _mm256_srli_epi16::<4>(_mm256_add_epi16(base, lanes));
                        }
                        place = to;
                        if N > 1 {
                            windows[b] = at;
                            kept[b] = [y[0], y[1], place[0], place[1], place[2]];
                        }
                    } else {
                        at = windows[b];
                        let [y_re, y_im, early, prompt, late] = kept[b];
                        (y, place) = ([y_re, y_im], [early, prompt, late]);
                    }
                    let Some(window) = codes[n].get(at..at + LANES) else { return nothing };
                    // SAFETY: the window has 16 bytes.
                    let values = unsafe { _mm_loadu_si128(window.as_ptr().cast()) };
                    let values = _mm256_broadcastsi128_si256(values);
                    for t in 0..3 {
                        // The high byte of a word picks a value, whose sign is the word's; the low byte
                        // is anything.
                        let code = _mm256_shuffle_epi8(values, place[t]);
                        product[2 * t] = _mm256_add_epi16(product[2 * t], _mm256_sign_epi16(y[0], code));
                        product[2 * t + 1] =
                            _mm256_add_epi16(product[2 * t + 1], _mm256_sign_epi16(y[1], code));
                    }
                }
                for (sum, product) in sum.iter_mut().zip(product) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(product, ones));
                }
            }
            for t in 0..3 {
                let [re, im] = [_mm256_cvtepi32_ps(sum[2 * t]), _mm256_cvtepi32_ps(sum[2 * t + 1])];
                let [total_re, total_im] = [total[n][2 * t], total[n][2 * t + 1]];
                total[n][2 * t] = _mm256_fmadd_ps(im, sin, _mm256_fmadd_ps(re, cos, total_re));
                total[n][2 * t + 1] = _mm256_fnmadd_ps(re, sin, _mm256_fmadd_ps(im, cos, total_im));
            }
        }
    }
    total.map(|total| {
        let sum = total.map(|total| {
            let mut lanes = [0.0f32; 8];
            // SAFETY: the array has room for the 8 numbers.
            unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), total) };
            lanes.iter().map(|&x| f64::from(x)).sum::<f64>() / SCALE
        });
        std::array::from_fn(|t| Complex::new(sum[2 * t], sum[2 * t + 1]))
    })
}
