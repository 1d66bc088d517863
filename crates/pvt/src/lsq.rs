//! Weighted least squares with few unknowns, by normal equations on the stack.

use nalgebra::{SMatrix, SVector};

/// Index of the receiver clock, in metres, after the position.
pub(crate) const CLOCK: usize = 3;

/// Coefficients or values of `N` unknowns.
pub(crate) type Vector<const N: usize> = SVector<f64, N>;
/// Normal or covariance matrix of `N` unknowns.
pub(crate) type Matrix<const N: usize> = SMatrix<f64, N, N>;

/// One equation: `h · x = v` with weight `w` (inverse variance).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<const N: usize> {
    pub h: Vector<N>,
    pub v: f64,
    pub w: f64,
}

/// Normal equations being summed. Unknowns that no row touches are held at zero.
#[derive(Debug, Clone)]
pub(crate) struct Normal<const N: usize> {
    /// The lower triangle.
    a: [[f64; N]; N],
    b: [f64; N],
}

impl<const N: usize> Normal<N> {
    pub fn new() -> Self {
        Self { a: [[0.0; N]; N], b: [0.0; N] }
    }

    pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row<N>>) -> Self {
        let mut normal = Self::new();
        for row in rows {
            normal.add(row, 1.0);
        }
        normal
    }

    /// Adds a row with its weight scaled.
    pub fn add(&mut self, row: &Row<N>, scale: f64) {
        let w = row.w * scale;
        for i in 0..N {
            let wh = w * row.h[i];
            // Most rows touch few of the unknowns.
            if wh != 0.0 {
                for j in 0..=i {
                    self.a[i][j] += wh * row.h[j];
                }
                self.b[i] += wh * row.v;
            }
        }
    }

    /// Solution and covariance; none if the rows do not determine the unknowns they touch.
    pub fn solve(&self) -> Option<(Vector<N>, Matrix<N>)> {
        // Only unknowns that rows touch, scaled to a unit diagonal, so that the test of the pivots does not
        // depend on units.
        let mut touched = [0usize; N];
        let mut scale = [0.0; N];
        let mut n = 0;
        for i in 0..N {
            let d = self.a[i][i];
            if !d.is_finite() {
                return None;
            }
            if d > 0.0 {
                touched[n] = i;
                scale[n] = 1.0 / d.sqrt();
                n += 1;
            }
        }
        // The Cholesky factor and its inverse, both lower triangles.
        let mut l = [[0.0; N]; N];
        for i in 0..n {
            for j in 0..=i {
                let mut sum = self.a[touched[i]][touched[j]] * scale[i] * scale[j];
                for (a, b) in l[i].iter().zip(&l[j]).take(j) {
                    sum -= a * b;
                }
                if i == j {
                    if sum.is_nan() || sum <= 1e-12 {
                        return None;
                    }
                    l[i][i] = sum.sqrt();
                } else {
                    l[i][j] = sum / l[j][j];
                }
            }
        }
        let mut inverse = [[0.0; N]; N];
        for j in 0..n {
            inverse[j][j] = 1.0 / l[j][j];
            for i in j + 1..n {
                let mut sum = 0.0;
                for k in j..i {
                    sum -= l[i][k] * inverse[k][j];
                }
                inverse[i][j] = sum / l[i][i];
            }
        }
        let mut covariance = Matrix::<N>::zeros();
        let mut x = Vector::<N>::zeros();
        for i in 0..n {
            for j in 0..=i {
                let mut sum = 0.0;
                for row in inverse.iter().take(n).skip(i) {
                    sum += row[i] * row[j];
                }
                let value = sum * scale[i] * scale[j];
                covariance[(touched[i], touched[j])] = value;
                covariance[(touched[j], touched[i])] = value;
            }
        }
        for i in 0..n {
            for j in 0..n {
                x[touched[i]] += covariance[(touched[i], touched[j])] * self.b[touched[j]];
            }
        }
        x.iter().all(|v| v.is_finite()).then_some((x, covariance))
    }
}

/// `hᵀ C h`: the variance of `h · x`.
pub(crate) fn spread<const N: usize>(covariance: &Matrix<N>, h: &Vector<N>) -> f64 {
    let mut sum = 0.0;
    for i in 0..N {
        if h[i] != 0.0 {
            let mut inner = 0.0;
            for j in 0..N {
                inner += covariance[(j, i)] * h[j];
            }
            sum += h[i] * inner;
        }
    }
    sum
}

/// Weight of a residual of `t` standard deviations in a Huber estimate with bound `k`.
pub(crate) fn huber(t: f64, k: f64) -> f64 {
    let t = t.abs();
    if t <= k { 1.0 } else { k / t }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(h: [f64; N], v: f64, w: f64) -> Row<N> {
        Row { h: Vector::from(h), v, w }
    }

    #[test]
    fn untouched_unknowns_stay_zero() {
        let rows =
            [row([1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 5.0, 1.0), row([1.0, 0.0, 0.0, -1.0, 0.0, 0.0], 1.0, 4.0)];
        let (x, covariance) = Normal::sum(&rows).solve().unwrap();
        assert!((x - Vector::from([3.0, 0.0, 0.0, 2.0, 0.0, 0.0])).norm() < 1e-12);
        assert!((covariance[(0, 0)] - 0.3125).abs() < 1e-12);
        assert_eq!(covariance[(1, 1)], 0.0);
        // The first row alone determines the sum of the two.
        assert!((spread(&covariance, &rows[0].h) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn undetermined_is_refused() {
        let rows =
            [row([1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 1.0, 1.0), row([2.0, 2.0, 0.0, 0.0, 0.0, 0.0], 2.0, 1.0)];
        assert!(Normal::sum(&rows).solve().is_none());
        assert!(Normal::sum(&[row([f64::NAN; 6], 1.0, 1.0)]).solve().is_none());
    }
}
