//! Quantiles of the chi-square and normal distributions, for residual and innovation tests.

/// Value that a chi-square variable of `dof` degrees of freedom exceeds with probability `false_alarm`.
pub(crate) fn threshold(dof: usize, false_alarm: f64) -> f64 {
    if dof == 0 {
        return 0.0;
    }
    let a = dof as f64 / 2.0;
    let p = false_alarm.clamp(1e-15, 1.0 - 1e-15);
    // Wilson and Hilferty's approximation, made exact by Newton's method on the logarithm of the probability,
    // which is nearly straight.
    let n = dof as f64;
    let z = normal_quantile(p);
    let cube = 1.0 - 2.0 / (9.0 * n) + z * (2.0 / (9.0 * n)).sqrt();
    let mut x = 0.5 * n * cube.max(0.05).powi(3);
    for _ in 0..50 {
        let q = upper_gamma(a, x).max(1e-300);
        let density = ((a - 1.0) * x.ln() - x - ln_gamma(a)).exp();
        let step = (q / p).ln() * q / density;
        let next = (x + step).clamp(0.2 * x, 5.0 * x + 1.0);
        let done = (next - x).abs() <= 1e-9 * x;
        x = next;
        if done || !x.is_finite() {
            break;
        }
    }
    2.0 * x
}

/// Value that a normal variable exceeds with probability `p`: Acklam's rational approximation, to 1.2e-9 of it.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0];
    let series = |c: &[f64], x: f64| c.iter().fold(0.0, |sum, &c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        -series(&C, q) / series(&D, q)
    };
    let p = p.clamp(1e-300, 1.0);
    if p < 0.02425 {
        tail(p)
    } else if p > 1.0 - 0.02425 {
        -tail((1.0 - p).max(1e-300))
    } else {
        let q = 0.5 - p;
        series(&A, q * q) * q / series(&B, q * q)
    }
}

/// Regularised upper incomplete gamma function Q(a, x): by its series below a + 1, else by its continued
/// fraction (Abramowitz and Stegun 6.5.29, 6.5.31; modified Lentz evaluation).
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..500 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        1.0 - front * sum
    } else {
        let mut b = x + 1.0 - a;
        let mut c = 1e300;
        let mut d = 1.0 / b;
        let mut h = d;
        for i in 1..500 {
            let an = -f64::from(i) * (f64::from(i) - a);
            b += 2.0;
            d = 1.0 / (an * d + b);
            c = b + an / c;
            let step = c * d;
            h *= step;
            if (step - 1.0).abs() < 1e-15 {
                break;
            }
        }
        front * h
    }
}

/// Logarithm of the gamma function for x > 0: Stirling's series after shifting x above 10.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_published_tables() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.4, upper critical values.
        for (dof, p, value) in [
            (1, 0.05, 3.841),
            (1, 0.001, 10.828),
            (2, 0.01, 9.210),
            (5, 0.10, 9.236),
            (10, 0.001, 29.588),
            (30, 0.05, 43.773),
            (100, 0.001, 149.449),
        ] {
            let found = threshold(dof, p);
            assert!((found - value).abs() < 6e-4, "dof {dof} p {p}: {found}");
        }
        assert_eq!(threshold(0, 0.5), 0.0);
        // The definition, at probabilities that tables do not have.
        for dof in [1, 2, 3, 7, 20, 60] {
            for p in [0.999, 0.5, 1e-4, 1e-7, 1e-12] {
                let q = upper_gamma(dof as f64 / 2.0, threshold(dof, p) / 2.0);
                assert!((q / p - 1.0).abs() < 1e-6 * p.recip().ln().max(1.0), "dof {dof} p {p}: {q}");
            }
        }
        // Abramowitz and Stegun, table 26.1.
        for (p, value) in [(0.5, 0.0), (0.158_655_254, 1.0), (0.022_750_132, 2.0), (1.349_898e-3, 3.0)] {
            assert!((normal_quantile(p) - value).abs() < 1e-6, "{p}: {}", normal_quantile(p));
            assert!((normal_quantile(1.0 - p) + value).abs() < 1e-6, "{p}");
        }
    }
}
