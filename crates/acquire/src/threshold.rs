//! From the false-alarm probability of a search to the threshold of a cell.
//!
//! Without a signal, the correlation in a cell is complex Gaussian, so its power is exponentially
//! distributed, and the sum of the powers of N blocks, divided by the mean power of one, follows a gamma
//! distribution of shape N: it exceeds x with probability
//! ```text
//! Q(N, x) = exp(-x) · Σ x^k / k!   (k = 0 … N-1).
//! ```
//! A search of `cells` cells exceeds x somewhere with a probability of at most `cells` · Q(N, x), whatever
//! the correlations between neighbouring cells. [`sum_threshold`] solves `cells` · Q = P for x. As neighbours
//! in delay and Doppler are correlated, the real probability is a few times below P; an exact count would
//! gain 0.1 to 0.2 dB.

/// Natural logarithm of Q(n, x): the probability that a sum of `n` exponentials of mean 1 exceeds `x`.
pub fn ln_tail(n: usize, x: f64) -> f64 {
    if x <= 0.0 || n == 0 {
        return if n == 0 { f64::NEG_INFINITY } else { 0.0 };
    }
    // Sum from the largest term (k = n - 1 when x > n, the case of interest) down, relative to that term.
    let mut log_term = 0.0;
    for k in 1..n {
        log_term += (x / k as f64).ln();
    }
    let (mut sum, mut term) = (0.0, 1.0);
    for k in (0..n).rev() {
        sum += term;
        term *= k as f64 / x;
        if term < 1e-17 * sum {
            break;
        }
    }
    (log_term + sum.ln() - x).min(0.0)
}

/// Threshold of the sum of `n` powers of mean 1 that noise exceeds in any of `cells` cells with a
/// probability of at most `false_alarm`.
pub fn sum_threshold(n: usize, cells: f64, false_alarm: f64) -> f64 {
    let target = (false_alarm / cells.max(1.0)).ln();
    let (mut low, mut high) = (n as f64, n as f64 + 10.0);
    while ln_tail(n, high) > target {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if ln_tail(n, middle) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against tabulated quantiles of chi-square with 2n degrees of freedom (x is half of it).
    #[test]
    fn tail_matches_chi_square_tables() {
        for (n, chi_square, probability) in [
            (1, 9.210, 0.01),
            (1, 13.816, 0.001),
            (5, 23.209, 0.01),
            (5, 29.588, 0.001),
            (10, 37.566, 0.01),
            (10, 45.315, 0.001),
            (50, 135.807, 0.01),
            (50, 149.449, 0.001),
        ] {
            let tail = ln_tail(n, chi_square / 2.0).exp();
            assert!((tail / probability - 1.0).abs() < 2e-3, "{n}: {tail}");
            let x = sum_threshold(n, 1.0, probability);
            assert!((2.0 * x - chi_square).abs() < 2e-3, "{n}: {x}");
        }
    }

    #[test]
    fn far_tails_are_finite_and_ordered() {
        for n in [1, 2, 10, 100, 1000, 10_000] {
            let thresholds: Vec<f64> = [1e3, 1e6, 1e9].map(|cells| sum_threshold(n, cells, 1e-3)).to_vec();
            assert!(thresholds.windows(2).all(|w| w[0] < w[1]) && thresholds[0] > n as f64);
        }
        assert!((sum_threshold(1, 1e9, 1e-3) - 12.0 * 10f64.ln()).abs() < 1e-6);
    }
}
