//! Looking up running sums at the edges of code values.

use crate::kernel::{CHUNK, FRACTION};

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
        let two = steps[2].cast_unsigned();
        let load = |position: u64| {
            // SAFETY: the first and the last of the growing positions lie within the sums.
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
