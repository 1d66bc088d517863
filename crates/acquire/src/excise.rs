//! Removal of narrow-band interference.
//!
//! A tone that is much stronger than the noise in a line of the correlation would pass every code at the
//! Doppler where a strong line of the code meets it. The samples are cut into overlapping Hann-windowed
//! blocks; lines whose mean power stands out from the median are zeroed, and the blocks put together again
//! (the windows sum to one). Nothing changes when no line stands out. Satellites do not: their power is
//! spread over a thousand lines or more.

use num_complex::Complex;
use rustfft::FftPlanner;

/// Mean power of a line over the median of all that marks an interference.
const FACTOR: f32 = 16.0;
/// Lines on each side of a marked one that are removed with it.
const NEIGHBOURS: usize = 1;

/// Removes lines that stand out from `samples`, in blocks of `block` (even). Returns how many.
pub(crate) fn excise(samples: &mut [Complex<f32>], block: usize, planner: &mut FftPlanner<f32>) -> usize {
    let hop = block / 2;
    if hop == 0 || samples.len() < block {
        return 0;
    }
    let window: Vec<f32> =
        (0..block).map(|t| 0.5 - 0.5 * (std::f32::consts::TAU * t as f32 / block as f32).cos()).collect();
    let (forward, inverse) = (planner.plan_fft_forward(block), planner.plan_fft_inverse(block));
    let mut scratch =
        vec![Complex::default(); forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len())];
    let mut lines = vec![Complex::default(); block];
    let mut powers = vec![0.0f32; block];
    for start in (0..=samples.len() - block).step_by(hop) {
        for ((line, sample), w) in lines.iter_mut().zip(samples.iter().skip(start)).zip(&window) {
            *line = sample * w;
        }
        forward.process_with_scratch(&mut lines, &mut scratch);
        for (power, line) in powers.iter_mut().zip(&lines) {
            *power += line.norm_sqr();
        }
    }
    let mut sorted = powers.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let limit = FACTOR * sorted.get(block / 2).copied().unwrap_or(f32::INFINITY);
    let loud: Vec<bool> = powers.iter().map(|&power| power > limit).collect();
    if !loud.contains(&true) {
        return 0;
    }
    let removed: Vec<bool> = (0..block)
        .map(|k| {
            (0..=2 * NEIGHBOURS)
                .any(|d| loud.get((k + block + d - NEIGHBOURS) % block).copied().unwrap_or(false))
        })
        .collect();
    // Only what is removed is put together and subtracted, so that the ends need no care of their own.
    let mut interference = vec![Complex::<f32>::default(); samples.len() + 2 * block];
    let scale = 1.0 / block as f32;
    let mut start = 0;
    while start < samples.len() + hop {
        for ((t, line), w) in lines.iter_mut().enumerate().zip(&window) {
            let sample = (start + t).checked_sub(hop).and_then(|i| samples.get(i)).copied();
            *line = sample.unwrap_or_default() * w;
        }
        forward.process_with_scratch(&mut lines, &mut scratch);
        for (line, &removed) in lines.iter_mut().zip(&removed) {
            *line = if removed { *line * scale } else { Complex::default() };
        }
        inverse.process_with_scratch(&mut lines, &mut scratch);
        for (to, line) in interference.iter_mut().skip(start).zip(&lines) {
            *to += line;
        }
        start += hop;
    }
    for (sample, tone) in samples.iter_mut().zip(interference.iter().skip(hop)) {
        *sample -= tone;
    }
    removed.iter().filter(|&&r| r).count()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    fn noise(len: usize) -> Vec<Complex<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut next = || -> f32 { StandardNormal.sample(&mut rng) };
        (0..len).map(|_| Complex::new(next(), next())).collect()
    }

    #[test]
    fn noise_stays_as_it_is() {
        let before = noise(20_480);
        let mut after = before.clone();
        assert_eq!(excise(&mut after, 4096, &mut FftPlanner::new()), 0);
        assert_eq!(before, after);
    }

    #[test]
    fn a_strong_tone_goes_and_the_rest_stays() {
        let clean = noise(20_480);
        let mut samples = clean.clone();
        for (n, s) in samples.iter_mut().enumerate() {
            *s += Complex::from_polar(10.0, 0.1234 * n as f32);
        }
        let lines = excise(&mut samples, 4096, &mut FftPlanner::new());
        assert!((1..40).contains(&lines), "{lines} lines");
        let inner = 4096..16_384;
        let error: f32 =
            samples[inner.clone()].iter().zip(&clean[inner]).map(|(a, b)| (a - b).norm_sqr()).sum::<f32>()
                / 12_288.0;
        // Of a noise power of 2 and a tone of 100.
        assert!(error < 0.06, "{error}");
    }
}
