//! Arithmetic on slices of complex numbers: products of spectra, sums of powers.

use num_complex::Complex;

use super::Available;
use crate::Level;

/// Loops over complex slices, compiled for the best instructions of a level.
///
/// Results differ by rounding from level to level, and are always the same at one level. All functions
/// stop at the end of the shortest slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComplexMath(Available);

impl ComplexMath {
    /// Arithmetic at `level`, or portable if this machine lacks it.
    pub fn new(level: Level) -> Self {
        Self(Available::new(level))
    }

    fn is_wide(self) -> bool {
        matches!(self.0, Available(Level::Avx2 | Level::Avx512))
    }

    /// Sets `out` to the products of `a` and `b`.
    pub fn multiply(self, out: &mut [Complex<f32>], a: &[Complex<f32>], b: &[Complex<f32>]) {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide() {
            // SAFETY: an `Available` holds only levels whose instructions this machine has.
            return unsafe { multiply_avx2(out, a, b) };
        }
        multiply(out, a, b);
    }

    /// Adds |x(k)|² to `on` and |x(k) + x(k + 1)|² to `halfway`.
    ///
    /// `x` has one element more than the sums.
    pub fn add_powers(self, on: &mut [f32], halfway: &mut [f32], x: &[Complex<f32>]) {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide() {
            // SAFETY: as above.
            return unsafe { add_powers_avx2(on, halfway, x) };
        }
        add_powers(on, halfway, x);
    }

    /// As [`add_powers`](Self::add_powers), of `x` minus `y`.
    pub fn add_powers_of_difference(
        self,
        on: &mut [f32],
        halfway: &mut [f32],
        x: &[Complex<f32>],
        y: &[Complex<f32>],
    ) {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide() {
            // SAFETY: as above.
            return unsafe { add_powers_of_difference_avx2(on, halfway, x, y) };
        }
        add_powers_of_difference(on, halfway, x, y);
    }

    /// The largest value (0 at least) and the sum.
    pub fn peak_and_sum(self, values: &[f32]) -> (f32, f64) {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide() {
            // SAFETY: as above.
            return unsafe { peak_and_sum_avx2(values) };
        }
        peak_and_sum(values)
    }
}

#[inline(always)]
fn multiply(out: &mut [Complex<f32>], a: &[Complex<f32>], b: &[Complex<f32>]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = Complex::new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
    }
}

#[inline(always)]
fn add_powers(on: &mut [f32], halfway: &mut [f32], x: &[Complex<f32>]) {
    let later = x.get(1..).unwrap_or_default();
    for (((on, halfway), a), b) in on.iter_mut().zip(halfway).zip(x).zip(later) {
        *on += a.re * a.re + a.im * a.im;
        let (re, im) = (a.re + b.re, a.im + b.im);
        *halfway += re * re + im * im;
    }
}

#[inline(always)]
fn add_powers_of_difference(on: &mut [f32], halfway: &mut [f32], x: &[Complex<f32>], y: &[Complex<f32>]) {
    let (x_later, y_later) = (x.get(1..).unwrap_or_default(), y.get(1..).unwrap_or_default());
    let pairs = x.iter().zip(x_later).zip(y.iter().zip(y_later));
    for ((on, halfway), ((x, x_later), (y, y_later))) in on.iter_mut().zip(halfway).zip(pairs) {
        let (re, im) = (x.re - y.re, x.im - y.im);
        *on += re * re + im * im;
        let (re, im) = (re + (x_later.re - y_later.re), im + (x_later.im - y_later.im));
        *halfway += re * re + im * im;
    }
}

/// Sums of this many values are kept in single precision.
const RUN: usize = 1024;
const LANES: usize = 16;

#[inline(always)]
fn peak_and_sum(values: &[f32]) -> (f32, f64) {
    let (mut peaks, mut total) = ([0.0f32; LANES], 0.0f64);
    for run in values.chunks(RUN) {
        let mut sums = [0.0f32; LANES];
        let mut chunks = run.chunks_exact(LANES);
        for chunk in &mut chunks {
            for ((&x, peak), sum) in chunk.iter().zip(&mut peaks).zip(&mut sums) {
                *peak = if x > *peak { x } else { *peak };
                *sum += x;
            }
        }
        for ((&x, peak), sum) in chunks.remainder().iter().zip(&mut peaks).zip(&mut sums) {
            *peak = peak.max(x);
            *sum += x;
        }
        total += sums.iter().copied().map(f64::from).sum::<f64>();
    }
    (peaks.into_iter().fold(0.0, f32::max), total)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(out: &mut [Complex<f32>], a: &[Complex<f32>], b: &[Complex<f32>]) {
    multiply(out, a, b);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn add_powers_avx2(on: &mut [f32], halfway: &mut [f32], x: &[Complex<f32>]) {
    add_powers(on, halfway, x);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn add_powers_of_difference_avx2(
    on: &mut [f32],
    halfway: &mut [f32],
    x: &[Complex<f32>],
    y: &[Complex<f32>],
) {
    add_powers_of_difference(on, halfway, x, y);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn peak_and_sum_avx2(values: &[f32]) -> (f32, f64) {
    peak_and_sum(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(len: usize) -> impl Strategy<Value = Vec<Complex<f32>>> {
        proptest::collection::vec((-1.0f32..1.0, -1.0f32..1.0), len)
            .prop_map(|v| v.into_iter().map(|(re, im)| Complex::new(re, im)).collect())
    }

    fn wide(x: Complex<f32>) -> Complex<f64> {
        Complex::new(f64::from(x.re), f64::from(x.im))
    }

    fn near(a: f32, b: f64) -> bool {
        (f64::from(a) - b).abs() < 1e-5
    }

    proptest! {
        /// Every level against double precision, at lengths with and without a remainder.
        #[test]
        fn every_level_agrees_with_double_precision(
            (x, y) in (0usize..100).prop_flat_map(|len| (numbers(len), numbers(len))),
        ) {
            for level in Level::all_available() {
                let math = ComplexMath::new(level);
                let mut product = vec![Complex::default(); x.len()];
                math.multiply(&mut product, &x, &y);
                for ((p, &x), &y) in product.iter().zip(&x).zip(&y) {
                    let want = wide(x) * wide(y);
                    prop_assert!(near(p.re, want.re) && near(p.im, want.im));
                }
                let n = x.len().saturating_sub(1);
                let (mut on, mut halfway) = (vec![1.0; n], vec![2.0; n]);
                math.add_powers(&mut on, &mut halfway, &x);
                for k in 0..n {
                    prop_assert!(near(on[k], 1.0 + wide(x[k]).norm_sqr()));
                    prop_assert!(near(halfway[k], 2.0 + (wide(x[k]) + wide(x[k + 1])).norm_sqr()));
                }
                let (mut on, mut halfway) = (vec![1.0; n], vec![2.0; n]);
                math.add_powers_of_difference(&mut on, &mut halfway, &x, &y);
                let d = |k: usize| wide(x[k]) - wide(y[k]);
                for k in 0..n {
                    prop_assert!(near(on[k], 1.0 + d(k).norm_sqr()));
                    prop_assert!(near(halfway[k], 2.0 + (d(k) + d(k + 1)).norm_sqr()));
                }
                let (peak, sum) = math.peak_and_sum(&on);
                prop_assert_eq!(peak, on.iter().copied().fold(0.0, f32::max));
                prop_assert!((sum - on.iter().copied().map(f64::from).sum::<f64>()).abs() < 1e-4);
            }
        }
    }
}
