//! Linear algebra on square matrices by columns, in place.

/// Scalar product, in four interleaved sums so that it is done in vector registers.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for i in 0..4 {
            sums[i] += x[i] * y[i];
        }
    }
    rest + (sums[0] + sums[2]) + (sums[1] + sums[3])
}

/// The first `count` columns of the factor C of the symmetric matrix `m` = C Cᵀ of `n` columns, of which the lower
/// triangle is read and overwritten; what is left below and to the right is the matrix after elimination of the
/// first `count` unknowns. False if it is not positive definite to rounding error.
pub(crate) fn eliminate(m: &mut [f64], n: usize, count: usize) -> bool {
    for j in 0..count {
        let diagonal = m[j * n + j];
        if !(diagonal.is_finite() && diagonal > 0.0) {
            return false;
        }
        let c = diagonal.sqrt();
        let (head, tail) = m.split_at_mut((j + 1) * n);
        let column = &mut head[j * n + j..];
        column.iter_mut().for_each(|v| *v /= c);
        for (k, later) in tail.chunks_exact_mut(n).enumerate() {
            let weight = column[k + 1];
            if weight != 0.0 {
                let from = j + 1 + k;
                later[from..].iter_mut().zip(&column[k + 1..]).for_each(|(t, s)| *t -= weight * s);
            }
        }
    }
    true
}

/// Factors the symmetric matrix `m` of `n` columns as C Cᵀ: C takes the place of the lower triangle. False if it is
/// not positive definite to rounding error.
pub(crate) fn cholesky(m: &mut [f64], n: usize) -> bool {
    eliminate(m, n, n)
}

/// Solves C x = v in place for the first unknowns, as many as `v` has; C is lower triangular, of `n` columns.
pub(crate) fn solve_lower(c: &[f64], n: usize, v: &mut [f64]) {
    let count = v.len();
    for (j, column) in c.chunks_exact(n.max(1)).take(count).enumerate() {
        let (head, tail) = v.split_at_mut(j + 1);
        let x = head[j] / column[j];
        head[j] = x;
        tail.iter_mut().zip(&column[j + 1..count]).for_each(|(t, l)| *t -= x * l);
    }
}

/// Solves Cᵀ x = v in place for the first unknowns, as many as `v` has; C is lower triangular, of `n` columns.
pub(crate) fn solve_lower_transposed(c: &[f64], n: usize, v: &mut [f64]) {
    let count = v.len();
    for (j, column) in c.chunks_exact(n.max(1)).take(count).enumerate().rev() {
        let (head, tail) = v.split_at_mut(j + 1);
        head[j] = (head[j] - dot(tail, &column[j + 1..count])) / column[j];
    }
}

/// Inverts a unit lower triangular matrix in place.
pub(crate) fn invert_unit_lower(l: &mut [f64], n: usize) {
    for j in (0..n).rev() {
        let (head, inverses) = l.split_at_mut((j + 1) * n);
        let column = &mut head[j * n..];
        // Column j of the inverse is e_j less the sum of l_ij times its column i, from the last row upwards, so
        // that no l_ij is overwritten before it is read.
        for (i, inverse) in inverses.chunks_exact(n).enumerate().rev() {
            let i = i + j + 1;
            let weight = std::mem::take(&mut column[i]);
            column[i..].iter_mut().zip(&inverse[i..]).for_each(|(c, v)| *c -= weight * v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A x + y of a matrix by columns.
    fn times(a: &[f64], n: usize, x: &[f64]) -> Vec<f64> {
        (0..n).map(|i| (0..n).map(|j| a[j * n + i] * x[j]).sum()).collect()
    }

    proptest! {
        #[test]
        fn factors_solve_and_invert(n in 1usize..9, seed in prop::collection::vec(-1.0..1.0f64, 81), x in prop::collection::vec(-5.0..5.0f64, 9)) {
            let x = &x[..n];
            // B Bᵀ + I.
            let b = |i: usize, j: usize| seed[i * 9 + j];
            let m: Vec<f64> = (0..n * n)
                .map(|at| {
                    let (i, j) = (at / n, at % n);
                    (0..n).map(|k| b(i, k) * b(j, k)).sum::<f64>() + f64::from(u8::from(i == j))
                })
                .collect();
            let mut c = m.clone();
            prop_assert!(cholesky(&mut c, n));
            let mut v = times(&m, n, x);
            solve_lower(&c, n, &mut v);
            solve_lower_transposed(&c, n, &mut v);
            prop_assert!(v.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-9));

            let mut unit = vec![0.0; n * n];
            for j in 0..n {
                unit[j * n + j] = 1.0;
                unit[j * n + j + 1..(j + 1) * n].copy_from_slice(&seed[j * 9 + j + 1..j * 9 + n]);
            }
            let mut inverse = unit.clone();
            invert_unit_lower(&mut inverse, n);
            let back = times(&unit, n, &times(&inverse, n, x));
            prop_assert!(back.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-9));
            prop_assert!((dot(x, x) - x.iter().map(|v| v * v).sum::<f64>()).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_not_positive_is_refused() {
        assert!(!cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2));
        assert!(!cholesky(&mut [f64::NAN], 1));
        assert!(!cholesky(&mut [0.0], 1));
    }
}
