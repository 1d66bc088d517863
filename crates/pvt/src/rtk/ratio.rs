//! The ratio test with a fixed failure rate.
//!
//! The threshold depends on how strong the model is (Verhagen and Teunissen 2013, GPS Solutions 17:535): it is such
//! that wrong integers are accepted once in a thousand times. The table is made by their procedure, simulation, for
//! decorrelated ambiguities of equal variance; the test below repeats a part of it.

/// Failure rate the thresholds are made for.
const FAILURE_RATE: f64 = 0.001;
/// Failure rates of integer least squares of the table's columns.
const COLUMNS: [f64; 9] = [0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
/// Numbers of ambiguities and the thresholds for them.
const TABLE: [(usize, [f64; 9]); 12] = [
    (1, [1.16, 1.31, 1.55, 2.03, 3.15, 5.79, 27.79, 522.26, 24564.0]),
    (2, [1.13, 1.24, 1.43, 1.75, 2.43, 3.62, 8.17, 20.86, 103.73]),
    (3, [1.12, 1.21, 1.35, 1.65, 2.13, 2.94, 5.05, 9.32, 21.89]),
    (4, [1.10, 1.18, 1.32, 1.52, 1.92, 2.55, 4.04, 6.18, 10.91]),
    (6, [1.09, 1.14, 1.27, 1.43, 1.72, 2.13, 2.93, 3.87, 5.40]),
    (8, [1.07, 1.13, 1.23, 1.37, 1.61, 1.90, 2.41, 2.99, 3.68]),
    (12, [1.06, 1.10, 1.18, 1.27, 1.45, 1.63, 1.94, 2.21, 2.46]),
    (16, [1.05, 1.09, 1.15, 1.22, 1.36, 1.50, 1.69, 1.86, 1.99]),
    (24, [1.04, 1.07, 1.11, 1.17, 1.27, 1.35, 1.48, 1.53, 1.59]),
    (32, [1.03, 1.06, 1.09, 1.14, 1.21, 1.26, 1.35, 1.40, 1.42]),
    (48, [1.02, 1.04, 1.07, 1.10, 1.15, 1.19, 1.23, 1.25, 1.26]),
    (64, [1.02, 1.04, 1.04, 1.08, 1.11, 1.14, 1.17, 1.19, 1.18]),
];

/// The ratio of the squared distances of the second-best and the best of `n` integers from which on the best are
/// accepted, if they are wrong with a probability of `failure_rate` without a test. Between entries of the table
/// the stricter one counts.
pub(crate) fn threshold(failure_rate: f64, n: usize) -> f64 {
    if failure_rate <= FAILURE_RATE {
        return 1.0;
    }
    let row = TABLE.iter().rev().find(|(least, _)| *least <= n).unwrap_or(&TABLE[0]);
    let column = COLUMNS.iter().position(|rate| *rate >= failure_rate);
    column.and_then(|at| row.1.get(at)).copied().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// How often `n` rounded numbers of standard deviation `sigma` are wrong, and wrong and accepted.
    fn simulate(n: usize, sigma: f64, ratio: f64, samples: usize) -> (f64, f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut wrong, mut accepted) = (0, 0);
        for _ in 0..samples {
            let (mut norm, mut largest, mut off) = (0.0, 0.0f64, false);
            for _ in 0..n {
                let z: f64 = StandardNormal.sample(&mut rng);
                let x = z * sigma;
                let rest = (x - x.round()).abs();
                off |= x.round() != 0.0;
                norm += rest * rest;
                largest = largest.max(rest);
            }
            if off {
                wrong += 1;
                accepted += usize::from((norm + 1.0 - 2.0 * largest) / norm >= ratio);
            }
        }
        (wrong as f64 / samples as f64, accepted as f64 / samples as f64)
    }

    #[test]
    fn wrong_integers_are_accepted_once_in_a_thousand() {
        // Standard deviations for which the failure rates are 1 %, 5 % and 10 %.
        for (n, sigma, column) in [(2, 0.178_18, 4), (8, 0.183_35, 6), (24, 0.175_48, 7)] {
            let rate = COLUMNS[column];
            let samples = 400_000;
            let (wrong, accepted) = simulate(n, sigma, threshold(rate, n), samples);
            assert!((wrong / rate - 1.0).abs() < 0.05, "{n}: {wrong}");
            // Three standard deviations of a count of 400, and the table's two decimals.
            assert!((accepted / FAILURE_RATE - 1.0).abs() < 0.2, "{n}: {accepted}");
        }
    }

    #[test]
    fn stricter_between_the_entries() {
        assert_eq!(threshold(1e-4, 5), 1.0);
        assert_eq!(threshold(0.004, 5), threshold(0.005, 4));
        assert_eq!(threshold(0.3, 5), f64::INFINITY);
        assert!(threshold(0.01, 100) >= 1.0);
    }
}
