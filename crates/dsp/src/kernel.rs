//! The inner loop of the running-sum correlator, once for all instruction sets.
//!
//! The loop goes over values of the code (chips, or half chips of BOC) in groups of [`LANES`]. Each value
//! is divided into `M` bins; the difference of the running sum over a bin is the sum of its samples.

use num_complex::Complex;

use crate::replica::MARGIN;

/// Code values side by side.
pub(crate) const LANES: usize = 16;
/// Fraction bits of a position in samples.
pub(crate) const FRACTION: u32 = 36;

/// One bin of every code value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Bin {
    /// Where the bin of the first code value begins: samples after the first one, with [`FRACTION`]
    /// fraction bits, rounded so that a right shift gives the first sample of the bin.
    pub start: i64,
    /// Code values from the prompt to the early (0 or more) and the late one (0 or less).
    pub early: i8,
    pub late: i8,
}

/// What the kernel works on.
pub(crate) struct Job<'a> {
    /// Running sums: entry n is the sum before sample n; one more than there are samples.
    pub sums: &'a [u32],
    /// Periodic code with its margins.
    pub code: &'a [f32],
    /// Values in a period of the code.
    pub period: usize,
    /// Place in the period of the first value.
    pub first: usize,
    /// Number of values.
    pub values: usize,
    /// Samples of a value, with [`FRACTION`] fraction bits.
    pub step: i64,
    /// Replica carrier at the first value.
    pub carrier: Complex<f64>,
    /// Its rotation from one value to the next.
    pub turn: Complex<f64>,
}

/// Sums of a bin over all values: samples times conjugate carrier times early, prompt and late code.
pub(crate) type BinSums = [Complex<f64>; 3];

/// The difference of two running sums is scaled by this.
pub(crate) const SCALE: f64 = 65536.0;

#[inline(always)]
fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Sums all bins.
///
/// Only bins from `EARLY` on have an early value that is not the prompt one, and only those before `LATE`
/// such a late one; the others share the prompt's sum. Results are [`SCALE`] times too large.
#[inline(always)]
pub(crate) fn correlate<const M: usize, const EARLY: usize, const LATE: usize, const FMA: bool>(
    job: &Job<'_>,
    bins: &[Bin; M],
) -> [BinSums; M] {
    let mut lane = [Complex::new(1.0f64, 0.0); LANES];
    lane[1] = job.turn;
    for l in 2..LANES {
        lane[l] = lane[l / 2] * lane[l - l / 2];
    }
    let stride = lane[LANES / 2] * lane[LANES / 2];
    let lane_re: [f32; LANES] = std::array::from_fn(|l| lane[l].re as f32);
    let lane_im: [f32; LANES] = std::array::from_fn(|l| lane[l].im as f32);
    let mut base = job.carrier;
    let mut at = job.first;
    let mut position: [i64; M] = std::array::from_fn(|j| bins[j].start);
    let mut acc = [[[0.0f32; LANES]; 6]; M];
    let Some(last) = job.sums.len().checked_sub(1) else { return [BinSums::default(); M] };
    let sums = &job.sums[..=last];

    let lane_offset: [u64; LANES + 1] = std::array::from_fn(|l| (l as i64 * job.step) as u64);
    let stride_position = LANES as i64 * job.step;

    for _ in 0..job.values.div_ceil(LANES) {
        let mut edge = [[0u32; LANES + 1]; M];
        // All edges of the group lie between its first one and the end of the group's last bin.
        let inside =
            position[0] >= 0 && (position[M - 1] + stride_position) as u64 >> FRACTION <= last as u64;
        if inside {
            for j in 0..M {
                let mut index = [0u32; LANES];
                for l in 0..LANES {
                    index[l] = ((position[j] as u64 + lane_offset[l]) >> FRACTION) as u32;
                }
                for l in 0..LANES {
                    edge[j][l] = sums.get(index[l] as usize).copied().unwrap_or(0);
                }
            }
            let end = (position[0] + stride_position) as u64 >> FRACTION;
            edge[0][LANES] = sums.get(end as usize).copied().unwrap_or(0);
        } else {
            for j in 0..M {
                for (l, sum) in edge[j].iter_mut().enumerate() {
                    let p = (position[j] + l as i64 * job.step) >> FRACTION;
                    *sum = sums.get((p.max(0) as usize).min(last)).copied().unwrap_or(0);
                }
            }
        }
        position.iter_mut().for_each(|p| *p += stride_position);

        let (re, im) = (base.re as f32, base.im as f32);
        base *= stride;
        let mut cos = [0.0f32; LANES];
        let mut sin = [0.0f32; LANES];
        for l in 0..LANES {
            cos[l] = fma::<FMA>(re, lane_re[l], -(im * lane_im[l]));
            sin[l] = fma::<FMA>(re, lane_im[l], im * lane_re[l]);
        }
        let Some(code) = job.code.get(at..at + LANES + 2 * MARGIN) else { break };
        at += LANES;
        while at >= job.period {
            at -= job.period;
        }
        for j in 0..M {
            let (from, to, shift) =
                if j + 1 < M { (&edge[j], &edge[j + 1], 0) } else { (&edge[j], &edge[0], 1) };
            let from: &[u32; LANES] = from.first_chunk().unwrap_or(&[0; LANES]);
            let to: &[u32; LANES] = to[shift..].first_chunk().unwrap_or(&[0; LANES]);
            let pick = |offset: i8| -> &[f32; LANES] {
                let k = (MARGIN as i64 + i64::from(offset)) as usize;
                code.get(k..).and_then(|c| c.first_chunk()).unwrap_or(&[0.0; LANES])
            };
            let (early, prompt, late) = (pick(bins[j].early), pick(0), pick(bins[j].late));
            let sum = &mut acc[j];
            for l in 0..LANES {
                let d = to[l].wrapping_sub(from[l]).cast_signed();
                let low = d << 16;
                let i = low as f32;
                let q = d.wrapping_sub(low >> 16) as f32;
                let y_re = fma::<FMA>(i, cos[l], q * sin[l]);
                let y_im = fma::<FMA>(q, cos[l], -(i * sin[l]));
                sum[0][l] = fma::<FMA>(prompt[l], y_re, sum[0][l]);
                sum[1][l] = fma::<FMA>(prompt[l], y_im, sum[1][l]);
                if j >= EARLY {
                    sum[2][l] = fma::<FMA>(early[l], y_re, sum[2][l]);
                    sum[3][l] = fma::<FMA>(early[l], y_im, sum[3][l]);
                }
                if j < LATE {
                    sum[4][l] = fma::<FMA>(late[l], y_re, sum[4][l]);
                    sum[5][l] = fma::<FMA>(late[l], y_im, sum[5][l]);
                }
            }
        }
    }
    let total = |v: &[f32; LANES]| v.iter().map(|&x| f64::from(x)).sum::<f64>();
    std::array::from_fn(|j| {
        let pair = |t: usize| Complex::new(total(&acc[j][t]), total(&acc[j][t + 1]));
        let prompt = pair(0);
        [if j >= EARLY { pair(2) } else { prompt }, prompt, if j < LATE { pair(4) } else { prompt }]
    })
}
