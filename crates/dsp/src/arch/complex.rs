//! Arithmetic of searches: sums of powers and of products.

use num_complex::Complex;

use super::Available;
use crate::Level;

/// Real and imaginary parts of complex numbers.
type Parts<'a> = (&'a [f32], &'a [f32]);

/// Loops over complex numbers, compiled for the best instructions of a level.
///
/// Results differ by rounding from level to level, and are always the same at one level. All functions
/// stop at the end of the shortest slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComplexMath(Available);

/// Defines a method that runs a function of the same name at the level's instructions.
macro_rules! by_level {
    ($(#[$doc:meta])* $name:ident, $avx2:ident, $avx512:ident, ($($arg:ident: $kind:ty),*) $(-> $result:ty)?) => {
        impl ComplexMath {
            $(#[$doc])*
            pub fn $name(self, $($arg: $kind),*) $(-> $result)? {
                match self.0 {
                    // SAFETY: an `Available` holds only levels whose instructions this machine has.
                    #[cfg(target_arch = "x86_64")]
                    Available(Level::Avx512) => unsafe { $avx512($($arg),*) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Available(Level::Avx2) => unsafe { $avx2($($arg),*) },
                    _ => $name($($arg),*),
                }
            }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
        fn $avx512($($arg: $kind),*) $(-> $result)? {
            $name($($arg),*)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn $avx2($($arg: $kind),*) $(-> $result)? {
            $name($($arg),*)
        }
    };
}

impl ComplexMath {
    /// Arithmetic at `level`, or portable if this machine lacks it.
    pub fn new(level: Level) -> Self {
        Self(Available::new(level))
    }
}

by_level!(
    /// Adds |x(k)|² to `on` and |x(k) + x(k + 1)|² to `halfway`.
    ///
    /// `x` has one element more than the sums.
    add_powers, add_powers_avx2, add_powers_avx512,
    (on: &mut [f32], halfway: &mut [f32], x: Parts<'_>)
);
by_level!(
    /// As [`add_powers`](Self::add_powers), of `x` minus `y`.
    add_powers_of_difference, add_powers_of_difference_avx2, add_powers_of_difference_avx512,
    (on: &mut [f32], halfway: &mut [f32], x: Parts<'_>, y: Parts<'_>)
);
by_level!(
    /// Sum of samples times weights.
    weighted_sum, weighted_sum_avx2, weighted_sum_avx512,
    (samples: &[Complex<f32>], weights: &[f32]) -> Complex<f32>
);
by_level!(
    /// The largest value (0 at least) and the sum.
    peak_and_sum, peak_and_sum_avx2, peak_and_sum_avx512, (values: &[f32]) -> (f32, f64)
);

/// The parts of the first numbers of `x`, one less than there are or `len`, and those of their successors.
#[inline(always)]
fn neighbours((re, im): Parts<'_>, len: usize) -> [&[f32]; 4] {
    [&re[..len], &im[..len], &re[1..=len], &im[1..=len]]
}

#[inline(always)]
fn add_powers(on: &mut [f32], halfway: &mut [f32], x: Parts<'_>) {
    let len = on.len().min(halfway.len()).min(x.0.len().min(x.1.len()).saturating_sub(1));
    if len == 0 {
        return;
    }
    let [re, im, re_next, im_next] = neighbours(x, len);
    let (on, halfway) = (&mut on[..len], &mut halfway[..len]);
    for k in 0..len {
        on[k] += re[k] * re[k] + im[k] * im[k];
        let (r, i) = (re[k] + re_next[k], im[k] + im_next[k]);
        halfway[k] += r * r + i * i;
    }
}

#[inline(always)]
fn add_powers_of_difference(on: &mut [f32], halfway: &mut [f32], x: Parts<'_>, y: Parts<'_>) {
    let shortest = x.0.len().min(x.1.len()).min(y.0.len()).min(y.1.len());
    let len = on.len().min(halfway.len()).min(shortest.saturating_sub(1));
    if len == 0 {
        return;
    }
    let [x_re, x_im, x_re_next, x_im_next] = neighbours(x, len);
    let [y_re, y_im, y_re_next, y_im_next] = neighbours(y, len);
    let (on, halfway) = (&mut on[..len], &mut halfway[..len]);
    for k in 0..len {
        let (re, im) = (x_re[k] - y_re[k], x_im[k] - y_im[k]);
        on[k] += re * re + im * im;
        let (re, im) = (re + (x_re_next[k] - y_re_next[k]), im + (x_im_next[k] - y_im_next[k]));
        halfway[k] += re * re + im * im;
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

#[inline(always)]
fn weighted_sum(samples: &[Complex<f32>], weights: &[f32]) -> Complex<f32> {
    let len = samples.len().min(weights.len());
    let (mut samples, mut weights) = (samples[..len].chunks_exact(LANES), weights[..len].chunks_exact(LANES));
    let (mut re, mut im) = ([0.0f32; LANES], [0.0f32; LANES]);
    for (samples, weights) in (&mut samples).zip(&mut weights) {
        for k in 0..LANES {
            re[k] += samples[k].re * weights[k];
            im[k] += samples[k].im * weights[k];
        }
    }
    let rest = samples.remainder().iter().zip(weights.remainder());
    let rest: Complex<f32> = rest.map(|(x, w)| x * w).sum();
    Complex::new(re.into_iter().sum::<f32>(), im.into_iter().sum::<f32>()) + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Numbers = (Vec<f32>, Vec<f32>);

    fn numbers(len: usize) -> impl Strategy<Value = Numbers> {
        let part = || proptest::collection::vec(-1.0f32..1.0, len);
        (part(), part())
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
            let at = |x: &Numbers, k: usize| (f64::from(x.0[k]), f64::from(x.1[k]));
            let minus = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0, a.1 - b.1);
            let power = |a: (f64, f64)| a.0 * a.0 + a.1 * a.1;
            let both = |a: (f64, f64), b: (f64, f64)| power((a.0 + b.0, a.1 + b.1));
            for level in Level::all_available() {
                let math = ComplexMath::new(level);
                let n = x.0.len().saturating_sub(1);
                let (mut on, mut halfway) = (vec![1.0; n], vec![2.0; n]);
                math.add_powers(&mut on, &mut halfway, (&x.0, &x.1));
                for k in 0..n {
                    prop_assert!(near(on[k], 1.0 + power(at(&x, k))));
                    prop_assert!(near(halfway[k], 2.0 + both(at(&x, k), at(&x, k + 1))));
                }
                let (mut on, mut halfway) = (vec![1.0; n], vec![2.0; n]);
                math.add_powers_of_difference(&mut on, &mut halfway, (&x.0, &x.1), (&y.0, &y.1));
                let d = |k: usize| minus(at(&x, k), at(&y, k));
                for k in 0..n {
                    prop_assert!(near(on[k], 1.0 + power(d(k))));
                    prop_assert!(near(halfway[k], 2.0 + both(d(k), d(k + 1))));
                }
                let samples: Vec<_> = x.0.iter().zip(&x.1).map(|(&re, &im)| Complex::new(re, im)).collect();
                let sum = math.weighted_sum(&samples, &y.0);
                let want = |part: &[f32]| -> f64 {
                    part.iter().zip(&y.0).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum()
                };
                prop_assert!((f64::from(sum.re) - want(&x.0)).abs() < 1e-4);
                prop_assert!((f64::from(sum.im) - want(&x.1)).abs() < 1e-4);
                let (peak, sum) = math.peak_and_sum(&on);
                prop_assert_eq!(peak, on.iter().copied().fold(0.0, f32::max));
                prop_assert!((sum - on.iter().copied().map(f64::from).sum::<f64>()).abs() < 1e-4);
            }
        }
    }
}
