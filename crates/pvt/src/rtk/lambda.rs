//! Integer least squares: the LAMBDA method.
//!
//! The float ambiguities and their covariance Q are taken apart as Q = Lᵀ D L, decorrelated by a unimodular
//! integer transformation Z (Teunissen 1995, Journal of Geodesy 70:65; De Jonge and Tiberius 1996, LGR-Series 12)
//! and searched depth first in a shrinking ellipsoid, nearest integers first (Chang, Yang and Zhou 2005, Journal
//! of Geodesy 79:552). The last of the decorrelated ambiguities is the most precise; each one before is known
//! given those after it with the variance in D. So the last k of them are the natural subset to fix when
//! not all can be.
//!
//! ```
//! use megrez_pvt::rtk::Lambda;
//!
//! // De Jonge and Tiberius 1996.
//! let q = [6.290, 5.978, 0.544, 5.978, 6.292, 2.340, 0.544, 2.340, 6.288];
//! let mut lambda = Lambda::default();
//! lambda.decompose(&[5.450, 3.100, 2.970], &q)?;
//! let best = lambda.search(3, 2)?;
//! assert_eq!(lambda.to_ambiguities(&best[0].values)?, [5.0, 3.0, 4.0]);
//! # Ok::<(), megrez_pvt::rtk::LambdaError>(())
//! ```

use super::dense;

/// Nodes of the search tree visited before a search is given up: float solutions that are worth fixing need a
/// few hundred.
const MOST_NODES: usize = 200_000;

/// Why ambiguities could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LambdaError {
    /// The lengths of arguments do not go together.
    #[error("{found} values where {expected} were expected")]
    Shape {
        /// Values expected.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// The matrix is no covariance or no information matrix.
    #[error("the matrix of {0} ambiguities is not positive definite")]
    NotPositive(usize),
    /// The float solution is too vague to be searched.
    #[error("the search of {0} ambiguities was given up")]
    Vague(usize),
}

/// Decorrelated integers with their distance from the float solution.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The decorrelated ambiguities that were searched: the last ones.
    pub values: Vec<f64>,
    /// Squared distance in the metric of the covariance.
    pub squared_norm: f64,
}

/// Float ambiguities, decorrelated. Keeps its memory, and its transformation as a start for the next
/// problem of the same kind, from one problem to the next.
#[derive(Debug, Clone, Default)]
pub struct Lambda {
    n: usize,
    /// Unit lower triangular factor, by columns.
    l: Vec<f64>,
    /// Conditional variances.
    d: Vec<f64>,
    /// Z by columns: column i is the combination of ambiguities that z_i stands for.
    z: Vec<f64>,
    /// The inverse of Zᵀ by columns: an ambiguity vector is the sum of its columns times z.
    back: Vec<f64>,
    /// Decorrelated float ambiguities.
    float: Vec<f64>,
    work: Vec<f64>,
}

impl Lambda {
    /// Takes `n` float ambiguities (cycles) and their covariance (`n`² values, cycles²) apart and decorrelates
    /// them.
    ///
    /// # Errors
    /// [`LambdaError::NotPositive`] if `covariance` is none, [`LambdaError::Shape`].
    pub fn decompose(&mut self, float: &[f64], covariance: &[f64]) -> Result<(), LambdaError> {
        let n = float.len();
        shape(n * n, covariance.len())?;
        self.identity(n);
        // Lᵀ D L from the last row upwards.
        self.l.copy_from_slice(covariance);
        for i in (0..n).rev() {
            let d = self.l[i * n + i];
            if !(d.is_finite() && d > 0.0) {
                return Err(LambdaError::NotPositive(n));
            }
            self.d[i] = d;
            for j in 0..=i {
                self.work[j] = self.l[j * n + i] / d;
            }
            for j in 0..i {
                for k in 0..=j {
                    self.l[k * n + j] -= self.work[j] * self.work[k] * d;
                }
            }
            for j in 0..=i {
                self.l[j * n + i] = self.work[j];
            }
        }
        for column in 0..n {
            self.l[column * n..column * n + column].fill(0.0);
        }
        self.float.copy_from_slice(float);
        self.reduce();
        Ok(())
    }

    /// As [`Lambda::decompose`], from an information matrix N (the inverse of the covariance, `n`² values) and
    /// the vector N â. If the problem before had as many ambiguities and `again` says that they are the same,
    /// its transformation is the start: then little is left to do.
    ///
    /// # Errors
    /// [`LambdaError::NotPositive`] if `information` is no positive definite matrix, [`LambdaError::Shape`].
    pub fn decompose_information(
        &mut self,
        information: &[f64],
        vector: &[f64],
        again: bool,
    ) -> Result<(), LambdaError> {
        let n = vector.len();
        shape(n * n, information.len())?;
        if !(again && self.n == n) {
            self.identity(n);
        }
        self.transform(information, vector);
        // N = C Cᵀ with C = L⁻¹ D^(-1/2).
        if !dense::cholesky(&mut self.l, n) {
            self.n = 0;
            return Err(LambdaError::NotPositive(n));
        }
        dense::solve_lower(&self.l, n, &mut self.float);
        dense::solve_lower_transposed(&self.l, n, &mut self.float);
        for i in 0..n {
            let c = self.l[i * n + i];
            self.d[i] = 1.0 / (c * c);
            self.l[i * n + i..(i + 1) * n].iter_mut().for_each(|v| *v /= c);
        }
        dense::invert_unit_lower(&mut self.l, n);
        self.reduce();
        Ok(())
    }

    /// Ambiguities in the problem.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are no ambiguities.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Conditional variances of the decorrelated ambiguities, cycles²: each given those after it.
    pub fn conditional_variances(&self) -> &[f64] {
        &self.d
    }

    /// Probability that bootstrapping (rounding one after the other) gets the last `k` decorrelated ambiguities
    /// right: a lower bound for integer least squares (Teunissen 1998, Journal of Geodesy 72:606).
    pub fn success_rate(&self, k: usize) -> f64 {
        let last = self.d.get(self.n.saturating_sub(k)..).unwrap_or_default();
        last.iter().map(|d| erf(0.5 / (2.0 * d).sqrt())).product()
    }

    /// The most of the last decorrelated ambiguities whose success rate is at least `rate`.
    pub fn resolvable(&self, rate: f64) -> usize {
        let mut product = 1.0;
        let mut count = 0;
        for d in self.d.iter().rev() {
            product *= erf(0.5 / (2.0 * d).sqrt());
            if product < rate {
                break;
            }
            count += 1;
        }
        count
    }

    /// The `count` nearest integer vectors of the last `k` decorrelated ambiguities, the nearest first.
    ///
    /// # Errors
    /// [`LambdaError::Vague`] if there are too many to be looked through, [`LambdaError::Shape`] for too large `k`.
    pub fn search(&mut self, k: usize, count: usize) -> Result<Vec<Candidate>, LambdaError> {
        if k > self.n {
            return Err(LambdaError::Shape { expected: self.n, found: k });
        }
        let mut found: Vec<Candidate> = Vec::with_capacity(count + 1);
        if k == 0 || count == 0 {
            return Ok(found);
        }
        let (n, first) = (self.n, self.n - k);
        // `sums` row i: by how much the integers chosen so far move the conditional estimates of those before.
        let mut sums = vec![0.0; k * k];
        let (mut value, mut step) = (vec![0.0; k], vec![0.0; k]);
        let (mut centre, mut distance) = (vec![0.0; k + 1], vec![0.0; k + 1]);
        let mut radius = f64::INFINITY;
        let mut at = k - 1;
        centre[at] = self.float[first + at];
        value[at] = centre[at].round();
        step[at] = sign(centre[at] - value[at]);
        for _ in 0..MOST_NODES {
            let off = centre[at] - value[at];
            let norm = distance[at + 1] + off * off / self.d[first + at];
            if norm < radius {
                if at > 0 {
                    // Down: all estimates before this one move by L times its fractional part.
                    distance[at] = norm;
                    let below = at - 1;
                    let (done, rest) = sums.split_at_mut(at * k);
                    let upper = &rest[..k];
                    let row = &mut done[below * k..];
                    for (j, (to, from)) in row.iter_mut().zip(upper).enumerate().take(at) {
                        *to = from - off * self.l[(first + j) * n + first + at];
                    }
                    centre[below] = self.float[first + below] + row[below];
                    at = below;
                    value[at] = centre[at].round();
                    step[at] = sign(centre[at] - value[at]);
                    continue;
                }
                let place = found.partition_point(|c| c.squared_norm <= norm);
                found.insert(place, Candidate { values: value.clone(), squared_norm: norm });
                if found.len() >= count {
                    found.truncate(count);
                    radius = found.last().map_or(radius, |c| c.squared_norm);
                }
            } else {
                if at == k - 1 {
                    return Ok(found);
                }
                at += 1;
            }
            // The next nearest integer on this level.
            value[at] += step[at];
            step[at] = -step[at] - sign(step[at]);
        }
        Err(LambdaError::Vague(k))
    }

    /// The ambiguities when the last of the decorrelated ones are `fixed`: the others follow by their
    /// correlation. With all of them fixed the result is a vector of integers.
    ///
    /// # Errors
    /// [`LambdaError::Shape`] for too many values.
    pub fn to_ambiguities(&self, fixed: &[f64]) -> Result<Vec<f64>, LambdaError> {
        let (n, k) = (self.n, fixed.len());
        if k > n {
            return Err(LambdaError::Shape { expected: n, found: k });
        }
        let first = n - k;
        let mut z = self.float.clone();
        // Independent parts of the corrections, then what they mean for those before.
        let mut part: Vec<f64> = fixed.iter().zip(&z[first..]).map(|(to, from)| to - from).collect();
        for i in (0..k).rev() {
            let column = &self.l[(first + i) * n + first..][..k];
            let sum: f64 = column.iter().zip(&part).skip(i + 1).map(|(l, p)| l * p).sum();
            part[i] -= sum;
        }
        for (j, value) in z.iter_mut().enumerate().take(first) {
            let column = &self.l[j * n + first..][..k];
            *value += column.iter().zip(&part).map(|(l, p)| l * p).sum::<f64>();
        }
        z[first..].copy_from_slice(fixed);
        let mut ambiguities = vec![0.0; n];
        for (value, column) in z.iter().zip(self.back.chunks_exact(n.max(1))) {
            ambiguities.iter_mut().zip(column).for_each(|(a, c)| *a += value * c);
        }
        Ok(ambiguities)
    }

    /// A square root S of the covariance that the ambiguities keep when the last `k` decorrelated ones are
    /// fixed: it is S Sᵀ. By columns, `n` values each, one for every ambiguity that is not fixed.
    pub fn remaining_root(&self, k: usize) -> Vec<f64> {
        let n = self.n;
        let first = n - k.min(n);
        let mut root = vec![0.0; n * first];
        for (i, column) in root.chunks_exact_mut(n.max(1)).enumerate() {
            let sigma = self.d[i].sqrt();
            for j in 0..=i {
                let weight = sigma * self.l[j * n + i];
                let back = &self.back[j * n..(j + 1) * n];
                column.iter_mut().zip(back).for_each(|(c, b)| *c += weight * b);
            }
        }
        root
    }

    /// Memory for `n` ambiguities and no transformation.
    fn identity(&mut self, n: usize) {
        self.n = n;
        for square in [&mut self.z, &mut self.back] {
            square.clear();
            square.resize(n * n, 0.0);
            square.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
        }
        self.l.resize(n * n, 0.0);
        for vector in [&mut self.d, &mut self.float, &mut self.work] {
            vector.resize(n, 0.0);
        }
    }

    /// Puts the information of the transformed ambiguities into `l` and its vector into `float`.
    fn transform(&mut self, information: &[f64], vector: &[f64]) {
        let n = self.n;
        // Row i of backᵀ N, as a sum over the columns of N (the matrix is symmetric).
        for i in 0..n {
            self.work.fill(0.0);
            let column = &self.back[i * n..(i + 1) * n];
            for (weight, row) in column.iter().zip(information.chunks_exact(n)) {
                if *weight != 0.0 {
                    self.work.iter_mut().zip(row).for_each(|(w, v)| *w += weight * v);
                }
            }
            self.float[i] = column.iter().zip(vector).map(|(b, v)| b * v).sum();
            for j in i..n {
                let other = &self.back[j * n..(j + 1) * n];
                self.l[i * n + j] = dense::dot(&self.work, other);
            }
        }
    }

    /// Decorrelates: integer Gauss transformations and exchanges of neighbours until the conditional variances
    /// are in order.
    fn reduce(&mut self) {
        let n = self.n;
        if n < 2 {
            return;
        }
        let mut at = n - 2;
        // Columns up to `clean` have been made small since the last exchange.
        let mut clean = n - 2;
        loop {
            if at <= clean {
                for i in at + 1..n {
                    self.gauss(i, at);
                }
            }
            let l = self.l[at * n + at + 1];
            let swapped = self.d[at] + l * l * self.d[at + 1];
            if swapped < self.d[at + 1] * (1.0 - 1e-9) {
                self.exchange(at, swapped);
                clean = at;
                at = n - 2;
            } else if at == 0 {
                return;
            } else {
                at -= 1;
            }
        }
    }

    /// Takes the nearest whole multiple of z_i from z_j.
    fn gauss(&mut self, i: usize, j: usize) {
        let n = self.n;
        let mu = self.l[j * n + i].round();
        if mu == 0.0 {
            return;
        }
        subtract(&mut self.l, n, j, i, mu, i);
        subtract(&mut self.z, n, j, i, mu, 0);
        subtract(&mut self.back, n, i, j, -mu, 0);
        self.float[j] -= mu * self.float[i];
    }

    /// Exchanges z_j and z_j+1.
    fn exchange(&mut self, j: usize, swapped: f64) {
        let n = self.n;
        let l = self.l[j * n + j + 1];
        let eta = self.d[j] / swapped;
        let lambda = self.d[j + 1] * l / swapped;
        self.d[j] = eta * self.d[j + 1];
        self.d[j + 1] = swapped;
        for column in 0..j {
            let (a, b) = (self.l[column * n + j], self.l[column * n + j + 1]);
            self.l[column * n + j] = b - l * a;
            self.l[column * n + j + 1] = eta * a + lambda * b;
        }
        self.l[j * n + j + 1] = lambda;
        swap_columns(&mut self.l, n, j, j + 2);
        swap_columns(&mut self.z, n, j, 0);
        swap_columns(&mut self.back, n, j, 0);
        self.float.swap(j, j + 1);
    }
}

fn shape(expected: usize, found: usize) -> Result<(), LambdaError> {
    if expected == found { Ok(()) } else { Err(LambdaError::Shape { expected, found }) }
}

/// The sign of `x`, +1 for zero.
fn sign(x: f64) -> f64 {
    if x < 0.0 { -1.0 } else { 1.0 }
}

/// Takes `mu` times column `from` from column `to`, from row `start` on.
fn subtract(matrix: &mut [f64], n: usize, to: usize, from: usize, mu: f64, start: usize) {
    let split = to.max(from) * n;
    let (low, high) = matrix.split_at_mut(split);
    let (target, source) = if to < from {
        (&mut low[to * n..(to + 1) * n], &high[..n])
    } else {
        (&mut high[..n], &low[from * n..(from + 1) * n])
    };
    target[start..].iter_mut().zip(&source[start..]).for_each(|(t, s)| *t -= mu * s);
}

/// Swaps columns `j` and `j + 1` from row `start` on.
fn swap_columns(matrix: &mut [f64], n: usize, j: usize, start: usize) {
    let (low, high) = matrix.split_at_mut((j + 1) * n);
    low[j * n + start..].swap_with_slice(&mut high[start..n]);
}

/// The error function, to 1e-15: its series below 2, else the continued fraction of its complement.
fn erf(x: f64) -> f64 {
    let x2 = x * x;
    if x > 6.0 {
        return 1.0;
    }
    if x < 2.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..60 {
            let n = f64::from(n);
            term *= -x2 / n;
            sum += term / (2.0 * n + 1.0);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let mut fraction = 0.0;
    for n in (1..120).rev() {
        fraction = 0.5 * f64::from(n) / (x + fraction);
    }
    1.0 - (-x2).exp() * 0.5 * std::f64::consts::FRAC_2_SQRT_PI / (x + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_function() {
        // Abramowitz and Stegun table 7.1.
        for (x, expected) in
            [(0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (1.5, 0.966_105_146_5), (2.0, 0.995_322_265_0)]
        {
            assert!((erf(x) - expected).abs() < 1e-10, "{x}");
        }
        assert!((erf(1.999_999_999) - erf(2.000_000_001)).abs() < 1e-10);
        assert!((1.0 - erf(3.0) - 2.209_049_7e-5).abs() < 1e-12);
    }
}
