//! What is known of position and ambiguities, as an information matrix.
//!
//! A clock that is free in every epoch takes one rank from the matrix, a rover that moves freely three, an
//! ambiguity that is new adds a row of zeros: no covariance has to be inflated, and no reference satellite chosen
//! before the ambiguities are resolved. Singly-differenced ambiguities of one group are known but for a
//! common number, so the matrix without one of them is that of the double differences against it.

use megrez_signal::Sat;

use super::single::Link;

/// Coordinates of the rover come first.
pub(crate) const POSITION: usize = 3;

/// What is unknown beside the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// In cycles.
    Ambiguity(Link),
    /// Difference of the ionosphere's delay towards a satellite, m at `IONOSPHERE_WAVELENGTH_M`.
    Ionosphere(Sat),
    /// Difference of the troposphere's delay at the zenith from that of the model, m.
    Zenith,
}

/// Information of the coordinates of the rover in m from the point of linearisation, then of the other unknowns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Information {
    /// By columns; symmetric.
    matrix: Vec<f64>,
    vector: Vec<f64>,
    unknowns: Vec<Unknown>,
    /// Index of the troposphere's unknown.
    zenith: Option<usize>,
}

/// Most unknowns beside the position that a measurement depends on.
const TERMS: usize = 3;

/// One measurement: coefficients of the position, indices and coefficients of other unknowns, value, weight.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub unit: [f64; POSITION],
    pub terms: [Option<(usize, f64)>; TERMS],
    pub value: f64,
    pub weight: f64,
}

impl Information {
    /// No knowledge.
    pub fn new() -> Self {
        Self {
            matrix: vec![0.0; POSITION * POSITION],
            vector: vec![0.0; POSITION],
            unknowns: Vec::new(),
            zenith: None,
        }
    }

    /// Unknowns.
    pub fn len(&self) -> usize {
        self.vector.len()
    }

    /// Unknowns beside the position.
    pub fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }

    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    pub fn column(&self, i: usize) -> &[f64] {
        let n = self.len();
        &self.matrix[i * n..(i + 1) * n]
    }

    /// Index of an unknown.
    pub fn index(&self, unknown: Unknown) -> Option<usize> {
        self.unknowns.iter().position(|u| *u == unknown).map(|i| i + POSITION)
    }

    /// Index of the troposphere's unknown.
    pub fn zenith(&self) -> Option<usize> {
        self.zenith
    }

    /// Becomes a copy of `other`, keeping its memory.
    pub fn copy_from(&mut self, other: &Self) {
        self.matrix.clone_from(&other.matrix);
        self.vector.clone_from(&other.vector);
        self.unknowns.clone_from(&other.unknowns);
        self.zenith = other.zenith;
    }

    /// Adds unknowns of which nothing is known.
    pub fn append(&mut self, unknowns: &[Unknown]) {
        let (old, n) = (self.len(), self.len() + unknowns.len());
        if n == old {
            return;
        }
        self.matrix.resize(n * n, 0.0);
        for column in (0..old).rev() {
            self.matrix.copy_within(column * old..(column + 1) * old, column * n);
            self.matrix[column * n + old..(column + 1) * n].fill(0.0);
        }
        self.matrix[old * n..].fill(0.0);
        self.vector.resize(n, 0.0);
        self.unknowns.extend_from_slice(unknowns);
        self.zenith = self.index(Unknown::Zenith);
    }

    /// Drops unknowns; what they say about the rest stays.
    pub fn retain(&mut self, keep: impl Fn(Unknown) -> bool) {
        let n = self.len();
        let kept: Vec<usize> =
            (0..n).filter(|&i| i < POSITION || keep(self.unknowns[i - POSITION])).collect();
        if kept.len() == n {
            return;
        }
        for i in POSITION..n {
            if !keep(self.unknowns[i - POSITION]) {
                self.forget(i);
            }
        }
        let m = kept.len();
        for (to, &from) in kept.iter().enumerate() {
            for (row, &source) in kept.iter().enumerate() {
                // Never ahead of what is still to be read.
                self.matrix[to * m + row] = self.matrix[from * n + source];
            }
            self.vector[to] = self.vector[from];
        }
        self.matrix.truncate(m * m);
        self.vector.truncate(m);
        self.unknowns.retain(|unknown| keep(*unknown));
        self.zenith = self.index(Unknown::Zenith);
    }

    /// Makes unknown `i` unknown again; what it says about the others stays.
    pub fn forget(&mut self, i: usize) {
        let n = self.len();
        let pivot = self.matrix[i * n + i];
        // Below that only rounding errors are left of it.
        if pivot > 1e-9 {
            let column: Vec<f64> = self.column(i).to_vec();
            self.take_product(&column, self.vector[i], pivot);
        }
        for j in 0..n {
            self.matrix[i * n + j] = 0.0;
            self.matrix[j * n + i] = 0.0;
        }
        self.vector[i] = 0.0;
    }

    /// Adds what is known of unknown `i` beforehand: it is zero within the square root of `variance`.
    pub fn expect_zero(&mut self, i: usize, variance: f64) {
        let n = self.len();
        self.matrix[i * n + i] += 1.0 / variance;
    }

    /// Lets unknown `i` wander: its variance grows by `variance`.
    pub fn loosen(&mut self, i: usize, variance: f64) {
        let column: Vec<f64> = self.column(i).to_vec();
        let pivot = column[i] + 1.0 / variance;
        self.take_product(&column, self.vector[i], pivot);
    }

    /// Makes the position unknown again.
    pub fn forget_position(&mut self) {
        (0..POSITION).for_each(|i| self.forget(i));
    }

    /// Scales all information.
    pub fn fade(&mut self, factor: f64) {
        self.matrix.iter_mut().chain(&mut self.vector).for_each(|v| *v *= factor);
    }

    /// Moves the point of linearisation by `shift` m.
    pub fn shift(&mut self, shift: [f64; POSITION]) {
        let n = self.len();
        for (i, by) in shift.iter().enumerate() {
            let column = &self.matrix[i * n..(i + 1) * n];
            self.vector.iter_mut().zip(column).for_each(|(v, m)| *v -= m * by);
        }
    }

    /// Adds measurements that share an unknown clock; `sums` is working memory.
    pub fn add(&mut self, rows: &[Row], sums: &mut Vec<f64>) {
        let n = self.len();
        sums.clear();
        sums.resize(n, 0.0);
        let (mut weights, mut values) = (0.0, 0.0);
        for row in rows {
            let w = row.weight;
            for (i, u) in row.unit.iter().enumerate() {
                let wi = w * u;
                let column = &mut self.matrix[i * n..i * n + POSITION];
                column.iter_mut().zip(&row.unit).for_each(|(m, v)| *m += wi * v);
                self.vector[i] += wi * row.value;
                sums[i] += wi;
            }
            for (k, &(at, coefficient)) in row.terms.iter().flatten().enumerate() {
                let wa = w * coefficient;
                for (i, u) in row.unit.iter().enumerate() {
                    self.matrix[i * n + at] += wa * u;
                    self.matrix[at * n + i] += wa * u;
                }
                self.matrix[at * n + at] += wa * coefficient;
                for &(other, factor) in row.terms.iter().flatten().skip(k + 1) {
                    self.matrix[other * n + at] += wa * factor;
                    self.matrix[at * n + other] += wa * factor;
                }
                self.vector[at] += wa * row.value;
                sums[at] += wa;
            }
            weights += w;
            values += w * row.value;
        }
        if weights > 0.0 {
            self.take_product(sums, values, weights);
        }
    }

    /// Takes s sᵀ / w from the matrix and s v / w from the vector.
    fn take_product(&mut self, s: &[f64], value: f64, weight: f64) {
        let n = self.len();
        for (j, &sj) in s.iter().enumerate() {
            if sj != 0.0 {
                let factor = sj / weight;
                self.vector[j] -= factor * value;
                let column = &mut self.matrix[j * n..(j + 1) * n];
                column.iter_mut().zip(s).for_each(|(m, si)| *m -= factor * si);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_signal::{ObsCode, Sat, SignalId};

    fn link(prn: u8) -> Unknown {
        let code = ObsCode::from(SignalId::B1I);
        Unknown::Ambiguity(Link { sat: Sat::bds(prn), rover: code, base: code })
    }

    fn row(k: f64, ambiguity: Option<(usize, f64)>) -> Row {
        Row { unit: [k, 1.0 - k, 0.5 * k * k], terms: [ambiguity, None, None], value: 3.0 * k, weight: 2.0 }
    }

    #[test]
    fn dropping_in_any_order_is_the_same() {
        let mut full = Information::new();
        full.append(&[link(1), link(2), link(3)]);
        let rows: Vec<Row> = (0..5).map(|k| row(0.3 * f64::from(k), None)).collect();
        let mut sums = Vec::new();
        full.add(&rows, &mut sums);
        let phases: Vec<Row> =
            (0..3).map(|k| row(0.2 + 0.3 * k as f64, Some((POSITION + k, 0.2 + 0.01 * k as f64)))).collect();
        full.add(&phases, &mut sums);
        let mut one = full.clone();
        one.retain(|l| l != link(1));
        one.retain(|l| l != link(3));
        let mut both = full.clone();
        both.retain(|l| l == link(2));
        assert_eq!(both.len(), 4);
        assert_eq!(both.index(link(2)), Some(3));
        for (a, b) in one.matrix.iter().zip(&both.matrix).chain(one.vector.iter().zip(&both.vector)) {
            assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()), "{a} {b}");
        }
    }

    #[test]
    fn a_common_clock_leaves_differences() {
        let mut with = Information::new();
        with.append(&[link(1), link(2)]);
        let mut sums = Vec::new();
        with.add(&[row(0.1, Some((3, 0.2))), row(0.7, Some((4, 0.2)))], &mut sums);
        // Adding the same number of cycles to both changes nothing.
        for j in 0..5 {
            let column = with.column(j);
            assert!((column[3] + column[4]).abs() < 1e-12);
        }
    }
}
