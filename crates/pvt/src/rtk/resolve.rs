//! From information to a position, with as many integers as can be trusted.

use nalgebra::{Matrix3, Vector3};

use super::information::{Information, POSITION, Unknown};
use super::lambda::Lambda;
use super::{RtkConfig, RtkMode, dense, ratio};
use crate::chi2;

/// Probability with which a right candidate is farther from the float solution than is accepted.
const FALSE_ALARM: f64 = 1e-6;
/// Factor by which the variances of a float solution from many epochs, whose errors are not all noise, may be too
/// small.
const OPTIMISM: f64 = 3.0;
/// Number of integers with which the least ratio is twice that of many: errors that are no noise, such as biases,
/// give a high ratio by chance more often to few.
const FEW_INTEGERS: f64 = 8.0;
/// Fewest integers that make a fix.
const FEWEST_INTEGERS: usize = 4;
/// What can become of an unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The origin of its group: counted as zero.
    Reference,
    Integer,
    Real,
}

/// A position and the ambiguities it goes with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolution {
    /// From the point of linearisation, m.
    pub position: Vector3<f64>,
    pub float_position: Vector3<f64>,
    pub covariance: Matrix3<f64>,
    /// One for each unknown of the information beside the position; ambiguities against their references.
    pub values: Vec<f64>,
    /// Double differences that may be integers.
    pub candidates: usize,
    /// Decorrelated ones that are.
    pub fixed: usize,
    /// Unknowns that are real numbers whatever comes.
    pub reals: usize,
    pub ratio: f64,
    pub threshold: f64,
    /// Squared distance of the integers from the float solution over what noise gives at most.
    pub distance: f64,
    pub success_rate: f64,
    /// Whether the integers have passed the tests; if not, they are the nearest all the same.
    pub accepted: bool,
}

/// Working memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolver {
    lambda: Lambda,
    /// Ambiguities that the transformation in `lambda` was made for.
    order: Vec<Unknown>,
    matrix: Vec<f64>,
    vector: Vec<f64>,
    information: Vec<f64>,
    /// Unknowns of the information in the order of `matrix`: real ambiguities, position, integers.
    unknowns: Vec<usize>,
}

impl Resolver {
    /// Solves for the position; `roles` has one entry for each unknown beside the position. None if the measurements do not determine
    /// it.
    pub fn resolve(
        &mut self,
        information: &Information,
        roles: &[Role],
        config: &RtkConfig,
    ) -> Option<Resolution> {
        let first = self.arrange(information, roles)?;
        let n = self.unknowns.len();
        let count = n - first;
        if !dense::eliminate(&mut self.matrix, n, first) {
            return None;
        }
        dense::solve_lower(&self.matrix, n, &mut self.vector[..first]);
        // Take what is eliminated from the integers' vector.
        let (eliminated, rest) = self.vector.split_at_mut(first);
        for (x, column) in eliminated.iter().zip(self.matrix.chunks_exact(n)) {
            rest.iter_mut().zip(&column[first..]).for_each(|(r, c)| *r -= x * c);
        }
        let mut out = Resolution { candidates: count, reals: first - POSITION, ..Resolution::default() };
        if count == 0 {
            self.finish(information, first, &[], &[], &mut out);
            out.float_position = out.position;
            return Some(out);
        }
        self.information.clear();
        self.information.resize(count * count, 0.0);
        for j in 0..count {
            for i in j..count {
                let value = self.matrix[(first + j) * n + first + i];
                self.information[j * count + i] = value;
                self.information[i * count + j] = value;
            }
        }
        let unknowns = information.unknowns();
        let integers = self.unknowns[first..].iter().map(|&i| unknowns[i - POSITION]);
        let again = self.order.iter().copied().eq(integers.clone());
        if !again {
            self.order = integers.collect();
        }
        self.lambda.decompose_information(&self.information, &self.vector[first..], again).ok()?;
        let float = self.lambda.to_ambiguities(&[]).ok()?;
        out.float_position = self.position(first, &float);
        let integers = self.choose(config, &mut out);
        out.fixed = integers.len();
        let ambiguities = self.lambda.to_ambiguities(&integers).ok()?;
        let root = self.lambda.remaining_root(out.fixed);
        self.finish(information, first, &ambiguities, &root, &mut out);
        Some(out)
    }

    /// Makes the integers of a solution, the last one resolved, real numbers again.
    pub fn unfix(&self, information: &Information, out: &mut Resolution) {
        let first = self.unknowns.len() - out.candidates;
        if let Ok(float) = self.lambda.to_ambiguities(&[]) {
            let root = self.lambda.remaining_root(0);
            self.finish(information, first, &float, &root, out);
            out.fixed = 0;
        }
    }

    /// Puts the unknowns in order; returns how many are no integers.
    fn arrange(&mut self, information: &Information, roles: &[Role]) -> Option<usize> {
        let of = |role: Role| {
            roles.iter().enumerate().filter(move |(_, r)| **r == role).map(|(i, _)| i + POSITION)
        };
        self.unknowns.clear();
        self.unknowns.extend(of(Role::Real));
        self.unknowns.extend(0..POSITION);
        let first = self.unknowns.len();
        self.unknowns.extend(of(Role::Integer));
        let n = self.unknowns.len();
        self.matrix.resize(n * n, 0.0);
        for (j, &from) in self.unknowns.iter().enumerate() {
            let source = information.column(from);
            for (i, &row) in self.unknowns.iter().enumerate().skip(j) {
                self.matrix[j * n + i] = source[row];
            }
        }
        let vector = information.vector();
        self.vector.clear();
        self.vector.extend(self.unknowns.iter().map(|&i| vector[i]));
        Some(first)
    }

    /// The decorrelated integers to be fixed; those that come nearest if the tests are not passed.
    fn choose(&mut self, config: &RtkConfig, out: &mut Resolution) -> Vec<f64> {
        let most = self.lambda.resolvable(config.min_success_rate);
        out.success_rate = self.lambda.success_rate(most);
        if most < FEWEST_INTEGERS {
            return Vec::new();
        }
        let Ok(found) = self.lambda.search(most, 2) else { return Vec::new() };
        let [best, second] = found.as_slice() else { return Vec::new() };
        let guard = config.min_ratio * (1.0 + FEW_INTEGERS / most as f64);
        out.threshold = ratio::threshold(1.0 - out.success_rate, most).max(guard);
        out.ratio = second.squared_norm / best.squared_norm.max(1e-9);
        out.distance = best.squared_norm / chi2::threshold(most, FALSE_ALARM);
        let farthest = if config.mode == RtkMode::Instantaneous { 1.0 } else { OPTIMISM };
        out.accepted = out.ratio >= out.threshold && out.distance <= farthest;
        best.values.clone()
    }

    /// What was eliminated, given the integers' values.
    fn eliminated(&self, first: usize, ambiguities: &[f64]) -> Vec<f64> {
        let n = self.unknowns.len();
        let mut x = self.vector[..first].to_vec();
        for (v, column) in x.iter_mut().zip(self.matrix.chunks_exact(n)) {
            *v -= dense::dot(&column[first..], ambiguities);
        }
        dense::solve_lower_transposed(&self.matrix, n, &mut x);
        x
    }

    fn position(&self, first: usize, ambiguities: &[f64]) -> Vector3<f64> {
        let x = self.eliminated(first, ambiguities);
        Vector3::from_column_slice(&x[first - POSITION..])
    }

    /// Position, covariance and all ambiguities, where `root` is a square root of the integers' covariance.
    fn finish(
        &self,
        information: &Information,
        first: usize,
        ambiguities: &[f64],
        root: &[f64],
        out: &mut Resolution,
    ) {
        let n = self.unknowns.len();
        let start = first - POSITION;
        let x = self.eliminated(first, ambiguities);
        out.position = Vector3::from_column_slice(&x[start..]);
        out.values = vec![0.0; information.unknowns().len()];
        let values = x[..start].iter().chain(ambiguities);
        let unknowns = self.unknowns.iter().filter(|&&i| i >= POSITION);
        unknowns.zip(values).for_each(|(&i, v)| out.values[i - POSITION] = *v);

        let factor =
            Matrix3::from_fn(|i, j| if i >= j { self.matrix[(start + j) * n + start + i] } else { 0.0 });
        let upper = factor.transpose();
        let inverse = upper.try_inverse().unwrap_or_else(Matrix3::zeros);
        let mut covariance = inverse * inverse.transpose();
        for column in root.chunks_exact(ambiguities.len().max(1)) {
            let pushed = Vector3::from_fn(|j, _| {
                dense::dot(&self.matrix[(start + j) * n + first..(start + j + 1) * n], column)
            });
            let moved = inverse * pushed;
            covariance += moved * moved.transpose();
        }
        out.covariance = covariance;
    }
}
