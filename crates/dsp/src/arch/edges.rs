//! Looking up running sums at the edges of code values.

use crate::kernel::{CHUNK, FRACTION};
use crate::runs::{BLOCK, CHUNK as RUNS};

/// Multiples of a step, one for each edge of a chunk.
pub(crate) type Steps = [i64; CHUNK + 1];

/// The sums at `start` and every step after it, in samples with [`FRACTION`] fraction bits; those beyond
/// the ends are that at the end. The step is positive.
#[inline(always)]
pub(crate) fn look_up(sums: &[u32], start: i64, steps: &Steps, out: &mut [u32; CHUNK + 1]) {
    let Some(&last) = sums.last() else { return };
    let step = steps[1];
    let end = (sums.len() as i64) << FRACTION;
    let inside = start >= 0 && step >= 0 && start + CHUNK as i64 * step < end;
    let [from, to] = if inside {
        [0, CHUNK + 1]
    } else {
        // None after those inside is before the first sample, and none before them after the last.
        let step = step.max(1);
        let before = (step - 1 - start.min(0)) / step;
        let within = (end - 1 - start).div_euclid(step) + 1;
        [before, within].map(|n| n.clamp(0, CHUNK as i64 + 1) as usize)
    };
    if !inside {
        out.fill(last);
        out[..from].fill(sums.first().copied().unwrap_or(0));
    }
    if inside {
        // Two walks side by side.
        let mut even = start.cast_unsigned();
        let mut odd = (start + step).cast_unsigned();
        let two = (2 * step).cast_unsigned();
        let load = |position: u64| {
            // SAFETY: the positions grow by a step that is not negative; the first and the last lie within the sums.
            // A volatile load is compiled to a load, where a plain one becomes part of a slow gather.
            unsafe { sums.as_ptr().add((position >> FRACTION) as usize).read_volatile() }
        };
        let (pairs, rest) = out.as_chunks_mut::<2>();
        for [a, b] in pairs {
            (*a, *b) = (load(even), load(odd));
            even += two;
            odd += two;
        }
        if let [sum] = rest {
            *sum = load(even);
        }
    } else {
        for (k, sum) in out.iter_mut().enumerate().take(to).skip(from) {
            let index = (start + steps[k]) >> FRACTION;
            *sum = sums.get(index as usize).copied().unwrap_or(last);
        }
    }
}

/// Sums at the ends of runs, from place [`BLOCK`] on, and at the start of the first before them.
pub(crate) type Edges = [u32; BLOCK + RUNS];

/// The sums at `ends`, which grow, for three origins, `blocks` times [`BLOCK`] of them; those beyond the
/// ends are that at the end. One of `ends` lies `step` samples times its value behind the origin.
#[inline(always)]
pub(crate) fn look_up_runs<const FMA: bool>(
    sums: &[u32],
    blocks: usize,
    ends: &[i32; RUNS],
    origin: [f64; 3],
    step: f64,
    out: &mut [Edges; 3],
) {
    /// Samples that an edge may lie behind one and count as at it.
    const SAME: f64 = 1.0 / (1u64 << 30) as f64;
    let Some(last) = sums.len().checked_sub(1) else { return };
    let limit = last.min(i32::MAX as usize) as f64;
    let origin = origin.map(|origin| origin + (1.0 - SAME));
    // Without a branch, so that it is done in vectors.
    let grow = ends.iter().zip(&ends[1..]).fold(true, |grow, (a, b)| grow & (a <= b)) && step >= 0.0;
    let mut places = [[0i32; RUNS]; 3];
    for (places, origin) in places.iter_mut().zip(origin) {
        let at = |end: i32| {
            let end = f64::from(end);
            if FMA { end.mul_add(step, origin) } else { end * step + origin }
        };
        if grow && at(ends[0]) >= 0.0 && at(ends[RUNS - 1]) <= limit {
            for (place, &end) in places.iter_mut().zip(ends) {
                // SAFETY: the ends grow, so that it is from 0 to `limit`, which is a number of 32 bits.
                *place = unsafe { at(end).to_int_unchecked() };
            }
        } else {
            for (place, &end) in places.iter_mut().zip(ends) {
                *place = at(end).clamp(0.0, limit) as i32;
            }
        }
    }
    let load = |place: i32| {
        // SAFETY: a place is at most that of the last sum.
        // A volatile load is compiled to a load, where a plain one becomes part of a slow gather.
        unsafe { sums.as_ptr().add(place as usize).read_volatile() }
    };
    for b in 0..blocks.min(RUNS / BLOCK) {
        for (out, places) in out.iter_mut().zip(&places) {
            for k in b * BLOCK..(b + 1) * BLOCK {
                out[BLOCK + k] = load(places[k]);
            }
        }
    }
}
