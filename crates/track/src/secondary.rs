//! Where the pilot is in its secondary code.

/// All other places together may be this probable when one is declared the right one.
const MAX_WRONG: f64 = 1e-9;
/// Most that one period may say, in units of log likelihood: about one in twenty may be garbage for all the model
/// knows, so that a place differs from all others in several periods before it is declared.
const MOST: f64 = 3.0;
/// Probability, per period, with which random signs may pass for the code.
const MAX_FALSE: f64 = 1e-6;
/// Periods after which the search starts afresh: the phase has slipped by half a cycle meanwhile.
const LIMIT: u32 = 200;

/// The place of the period that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub next: usize,
    /// The carrier phase is half a cycle off.
    pub inverted: bool,
}

/// Compares the signs of the pilot's periods with all places of the code at once.
///
/// Places and both signs are equally probable beforehand, so the likelihoods are, up to a common factor, their
/// probabilities afterwards; the search ends when those of all others add up to less than [`MAX_WRONG`] of the
/// best. That holds if there is a pilot of the strength assumed. If there is none, a sum S of values x_k with random
/// signs exceeds what it is with a probability below 2 exp(-S^2 / (2 sum x_k^2)) (Hoeffding), which must be below
/// [`MAX_FALSE`] for all places together: that takes 44 periods or more of a code of 1800.
#[derive(Debug, Clone)]
pub(crate) struct SecondarySearch {
    /// Log likelihood for the upright code, had it been at each place when the search began.
    sums: Vec<f64>,
    squares: f64,
    count: u32,
}

impl SecondarySearch {
    pub fn new(length: usize) -> Self {
        Self { sums: vec![0.0; length], squares: 0.0, count: 0 }
    }

    /// Chips of the code.
    pub fn length(&self) -> usize {
        self.sums.len()
    }

    pub fn clear(&mut self) {
        self.sums.fill(0.0);
        self.squares = 0.0;
        self.count = 0;
    }

    /// Takes the next period: half the difference of the log likelihoods of + and -.
    pub fn push(&mut self, code: &[f32], value: f64) -> Option<Place> {
        let length = self.sums.len();
        if length == 0 || code.len() != length || !value.is_finite() {
            return None;
        }
        if self.count == LIMIT {
            self.clear();
        }
        let value = value.clamp(-MOST, MOST);
        let (behind, ahead) = code.split_at(self.count as usize % length);
        for (sum, &sign) in self.sums.iter_mut().zip(ahead.iter().chain(behind)) {
            *sum += value * f64::from(sign);
        }
        self.squares += value * value;
        self.count += 1;

        let (place, best) =
            self.sums.iter().copied().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
        let strength = best.abs();
        let by_chance = 2.0 * length as f64 * (-0.5 * strength * strength / self.squares).exp();
        if by_chance.is_nan() || by_chance > MAX_FALSE {
            return None;
        }
        // Upright and inverted; the best one itself counts as 1.
        let all: f64 = self.sums.iter().map(|s| (s - strength).exp() + (-s - strength).exp()).sum();
        (all - 1.0 < MAX_WRONG)
            .then(|| Place { next: (place + self.count as usize) % length, inverted: best < 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_signal::SignalId;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    fn code(id: SignalId, prn: u8) -> Vec<f32> {
        let chips = id.def().secondary(prn).unwrap().chips;
        chips.iter().map(|&c| 1.0 - 2.0 * f32::from(c)).collect()
    }

    /// Periods until the place is found, at a signal to noise ratio (power) of a period; negative if it was wrong.
    fn trial(code: &[f32], snr: f64, random: &mut ChaCha8Rng) -> i64 {
        let start = random.random_range(0..code.len());
        let sign = if random.random::<bool>() { 1.0 } else { -1.0 };
        let mut search = SecondarySearch::new(code.len());
        for n in 1.. {
            let noise: f64 = random.sample(StandardNormal);
            let re = f64::from(code[(start + n - 1) % code.len()]) * sign + noise / (2.0 * snr).sqrt();
            if let Some(place) = search.push(code, 2.0 * snr * re) {
                let right = place == Place { next: (start + n) % code.len(), inverted: sign < 0.0 };
                return if right { n as i64 } else { -(n as i64) };
            }
        }
        0
    }

    /// B1C at 38 dB-Hz and more, and weak ones with one wrong sign in eight.
    #[test]
    fn places_are_found_and_right() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        for prn in [19, 26, 46] {
            let code = code(SignalId::B1CP, prn);
            for (snr, most) in [(60.0, 60), (3.0, 75), (0.7, 250)] {
                let mut periods: Vec<i64> = (0..100).map(|_| trial(&code, snr, &mut random)).collect();
                periods.sort_unstable();
                println!("PRN {prn}, {snr}: {} to {}, median {}", periods[0], periods[99], periods[50]);
                assert!(periods[0] > 0 && periods[99] <= most, "{periods:?}");
            }
        }
    }

    /// Noise that is taken for a strong pilot: passes with a probability of 1e-6 a period at most.
    #[test]
    fn noise_has_no_place() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let code = code(SignalId::B1CP, 30);
        let mut search = SecondarySearch::new(code.len());
        for _ in 0..5_000 {
            let noise: f64 = random.sample(StandardNormal);
            assert_eq!(search.push(&code, 2.0 * noise), None);
        }
    }
}
