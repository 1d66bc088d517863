//! Weighted least squares with few unknowns, by normal equations on the stack.

use nalgebra::{SMatrix, SVector};

/// Unknowns a problem may have: position, clock, inter-system bias, coarse time. Unknowns that no row
/// touches are held at zero.
pub(crate) const N: usize = 6;
/// Index of the receiver clock, in metres.
pub(crate) const CLOCK: usize = 3;
/// Index of the bias of the second system against the first, in metres.
pub(crate) const BIAS: usize = 4;
/// Index of the error of the coarse time, in seconds.
pub(crate) const TIME: usize = 5;

/// Coefficients or values of the unknowns.
pub(crate) type Vector = SVector<f64, N>;
/// Normal or covariance matrix of the unknowns.
pub(crate) type Matrix = SMatrix<f64, N, N>;

/// One equation: `h · x = v` with weight `w` (inverse variance).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub h: Vector,
    pub v: f64,
    pub w: f64,
}

/// Normal equations being summed.
#[derive(Debug, Clone)]
pub(crate) struct Normal {
    a: Matrix,
    b: Vector,
}

impl Normal {
    pub fn new() -> Self {
        Self { a: Matrix::zeros(), b: Vector::zeros() }
    }

    pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut normal = Self::new();
        for row in rows {
            normal.add(row, 1.0);
        }
        normal
    }

    /// Adds a row with its weight scaled.
    pub fn add(&mut self, row: &Row, scale: f64) {
        let w = row.w * scale;
        self.a.ger(w, &row.h, &row.h, 1.0);
        self.b.axpy(w * row.v, &row.h, 1.0);
    }

    /// Solution and covariance; none if the rows do not determine the unknowns they touch.
    pub fn solve(&self) -> Option<(Vector, Matrix)> {
        // Scaled to a unit diagonal, so that the test of the pivots does not depend on units.
        let mut scale = Vector::zeros();
        for i in 0..N {
            let d = self.a[(i, i)];
            if !d.is_finite() {
                return None;
            }
            scale[i] = if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 };
        }
        let mut scaled = Matrix::zeros();
        for i in 0..N {
            for j in 0..N {
                scaled[(i, j)] = self.a[(i, j)] * scale[i] * scale[j];
            }
            if scale[i] == 0.0 {
                scaled[(i, i)] = 1.0;
            }
        }
        let cholesky = scaled.cholesky()?;
        let l = cholesky.l_dirty();
        if (0..N).any(|i| l[(i, i)].is_nan() || l[(i, i)] <= 1e-6) {
            return None;
        }
        let inverse = cholesky.inverse();
        let covariance = Matrix::from_fn(|i, j| inverse[(i, j)] * scale[i] * scale[j]);
        let x = covariance * self.b;
        x.iter().all(|v| v.is_finite()).then_some((x, covariance))
    }
}

/// Weight of a residual of `t` standard deviations in a Huber estimate with bound `k`.
pub(crate) fn huber(t: f64, k: f64) -> f64 {
    let t = t.abs();
    if t <= k { 1.0 } else { k / t }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(h: [f64; N], v: f64, w: f64) -> Row {
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
    }

    #[test]
    fn undetermined_is_refused() {
        let rows =
            [row([1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 1.0, 1.0), row([2.0, 2.0, 0.0, 0.0, 0.0, 0.0], 2.0, 1.0)];
        assert!(Normal::sum(&rows).solve().is_none());
        assert!(Normal::sum(&[row([f64::NAN; N], 1.0, 1.0)]).solve().is_none());
    }
}
