//! Quantiles of Fisher's distribution.

/// Value that the ratio of two variances, of `d1` and `d2` degrees of freedom, exceeds with probability `false_alarm`.
pub(super) fn threshold(d1: f64, d2: f64, false_alarm: f64) -> f64 {
    let exceeds = |f: f64| beta(0.5 * d2, 0.5 * d1, d2 / (d2 + d1 * f));
    let (mut low, mut high) = (0.0, 1.0);
    while exceeds(high) > false_alarm && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if exceeds(middle) > false_alarm { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8, with 26.5.2 where it
/// converges faster from the other end).
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    // From the innermost term outwards.
    let mut fraction = 1.0;
    for k in (1..400).rev() {
        let m = f64::from(k / 2);
        let term = if k % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        fraction = 1.0 + term / fraction;
    }
    front / fraction
}

/// Logarithm of the gamma function for positive arguments: Stirling's series after shifting the argument above 10.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let i = 1.0 / (x * x);
    let series = (1.0 / 12.0 - i * (1.0 / 360.0 - i * (1.0 / 1260.0 - i / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabulated_quantiles() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.3.
        for (d1, d2, p, f) in [
            (1.0, 10.0, 0.05, 4.965),
            (3.0, 10.0, 0.05, 3.708),
            (3.0, 20.0, 0.01, 4.938),
            (3.0, 1.0, 0.05, 215.707),
            (10.0, 100.0, 0.01, 2.503),
        ] {
            let found = threshold(d1, d2, p);
            assert!((found / f - 1.0).abs() < 3e-4, "{d1} {d2} {p}: {found}");
        }
    }
}
