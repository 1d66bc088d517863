//! Least squares of one epoch's ranges.

use megrez_orbit::Ecef;

use crate::geometry::{direction, height_row};
use crate::groups::{Clocks, GROUPS, N};
use crate::lsq::{CLOCK, Matrix, Normal, Row, Vector, huber, spread};
use crate::model::{Line, line_of_sight};
use crate::ranging::Prepared;
use crate::sight::Sight;
use crate::spp::FARTHEST_M;
use crate::{Refusal, SolveError, SolverConfig};

/// Standard deviation of a measurement in the first step, which knows no atmosphere, metres.
const COARSE_SIGMA_M: f64 = 20.0;
/// Bound of the Huber estimate in standard deviations.
const HUBER_BOUND: f64 = 2.0;

/// Steps shorter than this are exactly linear, metres.
const LINEAR_M: f64 = 2.0;

/// What least squares estimates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct State {
    pub position: Ecef,
    /// Receiver clock against the reference group, metres.
    pub clock_m: f64,
    /// Each group's measurements against those of the reference, metres.
    pub biases_m: [f64; GROUPS],
    /// The receiver's delay of each group's second band against the first, metres.
    pub bands_m: [f64; GROUPS],
}

impl State {
    /// The bias that is the unknown `index`.
    pub fn bias_m(&self, index: Option<usize>) -> f64 {
        index.and_then(|i| self.biases_m.get(i.wrapping_sub(CLOCK + 1))).copied().unwrap_or(0.0)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// No atmosphere, equal weights.
    Coarse,
    /// Everything.
    Fine,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kernel {
    Plain,
    /// Absolute values beyond one standard deviation.
    Absolute,
    Huber,
}

/// An estimate that has converged.
pub(crate) struct Estimate {
    pub state: State,
    pub covariance: Matrix<N>,
    pub clocks: Clocks,
}

/// An epoch being estimated.
pub(crate) struct Problem<'a> {
    pub prepared: Prepared,
    pub config: &'a SolverConfig,
    /// Which satellites take part.
    pub active: Vec<bool>,
    /// Each satellite seen from the position last looked from.
    pub sights: Vec<Sight>,
    /// Each satellite's row at the estimate that [`Problem::iterate`] last gave: `v` is its residual.
    pub rows: Vec<Row<N>>,
    /// Likewise its line of sight.
    pub lines: Vec<Line>,
    /// Likewise the row of the difference between its two bands.
    pub differences: Vec<Option<Row<N>>>,
}

impl<'a> Problem<'a> {
    pub fn new(prepared: Prepared, config: &'a SolverConfig) -> Self {
        let count = prepared.rangings.len();
        Self {
            prepared,
            config,
            active: vec![true; count],
            sights: Vec::with_capacity(count),
            rows: Vec::with_capacity(count),
            lines: Vec::with_capacity(count),
            differences: Vec::with_capacity(count),
        }
    }

    pub fn clocks(&self) -> Clocks {
        let rangings = self.prepared.rangings.iter().zip(&self.active);
        Clocks::of(rangings.filter(|&(_, &a)| a).map(|(r, _)| r.group))
    }

    /// Unknowns that only satellites can determine.
    fn needed(&self, clocks: &Clocks) -> usize {
        4 + clocks.free_count() - usize::from(self.config.height.is_some())
    }

    pub fn too_few(&self) -> SolveError {
        let clocks = self.clocks();
        SolveError::TooFewSatellites {
            usable: clocks.satellites(),
            needed: self.needed(&clocks),
            refused: self.prepared.refused.clone(),
        }
    }

    pub fn check_count(&self) -> Result<(), SolveError> {
        let clocks = self.clocks();
        if clocks.satellites() < self.needed(&clocks) { Err(self.too_few()) } else { Ok(()) }
    }

    /// Satellites beyond those needed, counting what is known beforehand as measured.
    pub fn redundancy(&self) -> usize {
        let clocks = self.clocks();
        clocks.satellites().saturating_sub(self.needed(&clocks))
    }

    pub fn refuse(&mut self, index: usize, reason: Refusal) {
        if let Some(active) = self.active.get_mut(index) {
            *active = false;
            self.prepared.refuse(index, reason);
        }
    }

    pub fn residual_m(&self, index: usize) -> f64 {
        self.rows.get(index).map_or(0.0, |r| r.v)
    }

    /// All satellites seen from `state`.
    fn look(&mut self, state: &State, clocks: &Clocks, step: Step) {
        self.rows.clear();
        self.lines.clear();
        self.differences.clear();
        for (index, r) in self.prepared.rangings.iter().enumerate() {
            let line = line_of_sight(state.position, &r.state);
            let mut h: Vector<N> = direction(line.unit);
            let mut computed = line.range_m + state.clock_m;
            if let Some(unknown) = clocks.bias_of(r.group) {
                h[unknown] = 1.0;
                computed += state.bias_m(Some(unknown));
            }
            let mut difference = None;
            let (range_m, variance) = match step {
                Step::Fine => {
                    let Some(s) = self.sights.get(index) else { continue };
                    let (delay_m, unknown) = (state.bands_m[r.group.index()], r.group.band_unknown());
                    if s.second != 0.0 {
                        h[unknown] = s.second;
                        computed += s.second * delay_m;
                    }
                    difference = s.difference.map(|(difference_m, variance)| {
                        let mut h = Vector::zeros();
                        h[unknown] = 1.0;
                        Row { h, v: difference_m - delay_m, w: 1.0 / variance }
                    });
                    (s.range_m, s.variance)
                }
                Step::Coarse => {
                    let best = self.prepared.signals.get(r.best);
                    (best.map_or(0.0, |s| s.pseudorange_m + s.clock_m), COARSE_SIGMA_M * COARSE_SIGMA_M)
                }
            };
            self.rows.push(Row { h, v: range_m - computed, w: 1.0 / variance });
            self.lines.push(line);
            self.differences.push(difference);
        }
    }

    /// The row of a known height.
    fn height(&self, state: &State) -> Option<Row<N>> {
        let height = self.config.height?;
        // From the earth's centre, up is nowhere.
        if state.position.norm() > 1e6 {
            return Some(height_row(state.position, height.height_m, height.sigma_m));
        }
        Some(Row { h: Vector::zeros(), v: 0.0, w: 1.0 })
    }

    /// Rows beside the measurements at `state`: biases and height.
    fn extra(&self, state: &State, clocks: &Clocks) -> impl Iterator<Item = Row<N>> {
        clocks.known(&state.biases_m, &state.bands_m, self.config).chain(self.height(state))
    }

    /// Iterates to convergence, at most `most` times.
    pub fn iterate(
        &mut self,
        mut state: State,
        step: Step,
        kernel: Kernel,
        most: usize,
    ) -> Result<Estimate, SolveError> {
        let mut clocks = self.clocks();
        if matches!(step, Step::Fine) {
            let rangings = self.prepared.rangings.iter().zip(&self.sights).zip(&self.active);
            for ((r, s), _) in rangings.filter(|&(_, &a)| a) {
                clocks.two_bands[r.group.index()] |= s.second != 0.0 || s.difference.is_some();
            }
        }
        let mut last_step = f64::INFINITY;
        // Biases of groups that are not there stay out of sight.
        for (index, bias) in state.biases_m.iter_mut().enumerate() {
            if !clocks.others().any(|g| g.index() == index) {
                *bias = 0.0;
            }
        }
        for _ in 0..most {
            self.look(&state, &clocks, step);
            let mut normal = Normal::<N>::new();
            for row in self.extra(&state, &clocks) {
                normal.add(&row, 1.0);
            }
            let differences =
                self.differences.iter().zip(&self.active).filter_map(|(d, &a)| d.as_ref().filter(|_| a));
            let ranges = self.rows.iter().zip(&self.active).filter_map(|(r, &a)| a.then_some(r));
            for row in ranges.chain(differences) {
                let scale = match kernel {
                    Kernel::Plain => 1.0,
                    Kernel::Absolute => huber(row.v * row.w.sqrt(), 1.0),
                    Kernel::Huber => huber(row.v * row.w.sqrt(), HUBER_BOUND),
                };
                normal.add(row, scale);
            }
            let (x, covariance) =
                normal.solve().ok_or(SolveError::Geometry { satellites: clocks.satellites() })?;
            let move_m = Ecef { x: x[0], y: x[1], z: x[2] };
            state.position += move_m;
            state.clock_m += x[CLOCK];
            let unknowns = state.biases_m.iter_mut().chain(&mut state.bands_m);
            for (unknown, step) in unknowns.zip(x.iter().skip(CLOCK + 1)) {
                *unknown += step;
            }
            last_step = move_m.norm();
            if !(state.position.norm() < FARTHEST_M && state.clock_m.is_finite()) {
                break;
            }
            // Robust estimates end when their weights settle, to a hundredth of their noise.
            let enough = match kernel {
                // Then the square of the step over twice the range is nothing, and the step is exactly linear.
                Kernel::Plain => LINEAR_M,
                Kernel::Huber => 1e-2,
                Kernel::Absolute => 0.5,
            };
            if last_step < enough {
                for (line, row) in self.lines.iter_mut().zip(&self.rows) {
                    line.range_m += row.h[0] * x[0] + row.h[1] * x[1] + row.h[2] * x[2];
                }
                for row in self.rows.iter_mut().chain(self.differences.iter_mut().flatten()) {
                    row.v -= row.h.dot(&x);
                }
                return Ok(Estimate { state, covariance, clocks });
            }
        }
        // Absolute values may alternate between two measurements; either will do as a start.
        let astray = !(state.position.norm() < FARTHEST_M && last_step < 1e5);
        if matches!(kernel, Kernel::Plain) || astray {
            return Err(SolveError::NoConvergence { step_m: last_step });
        }
        self.look(&state, &clocks, step);
        Ok(Estimate { state, covariance: Matrix::<N>::zeros(), clocks })
    }

    /// Weighted sum of squared residuals and its degrees of freedom.
    pub fn statistic(&self, estimate: &Estimate) -> (f64, usize) {
        let (mut sum, mut rows) = (0.0, 0usize);
        for ((row, difference), _) in
            self.rows.iter().zip(&self.differences).zip(&self.active).filter(|&(_, &a)| a)
        {
            for row in std::iter::once(row).chain(difference) {
                sum += row.w * row.v * row.v;
                rows += 1;
            }
        }
        for row in self.extra(&estimate.state, &estimate.clocks) {
            sum += row.w * row.v * row.v;
            rows += 1;
        }
        (sum, rows.saturating_sub(estimate.clocks.unknowns()))
    }

    /// The share of a satellite's variance that is left in its residual.
    pub fn left(&self, estimate: &Estimate, index: usize) -> f64 {
        self.rows.get(index).map_or(0.0, |row| 1.0 - row.w * spread(&estimate.covariance, &row.h))
    }

    /// Residual in units of its own standard deviation: the fault that, taken away, lowers the statistic most.
    pub fn normalised(&self, estimate: &Estimate, index: usize) -> f64 {
        let size = |row: &Row<N>| {
            let left = 1.0 - row.w * spread(&estimate.covariance, &row.h);
            if left < 1e-6 { 0.0 } else { row.v.abs() * (row.w / left).sqrt() }
        };
        let difference = self.differences.get(index).and_then(|d| d.as_ref()).map_or(0.0, size);
        self.rows.get(index).map_or(0.0, size).max(difference)
    }

    /// The active satellite for which `measure` is largest.
    pub fn worst(&self, measure: impl Fn(&Self, usize) -> f64) -> Option<(usize, f64)> {
        let active = self.active.iter().enumerate().filter(|&(_, &a)| a);
        active.map(|(i, _)| (i, measure(self, i))).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The active satellite of the largest residual, and that residual, if it is above `limit`.
    pub fn worst_above(&self, limit: f64) -> Option<(usize, f64)> {
        let (index, size) = self.worst(|problem, i| problem.residual_m(i).abs())?;
        (size > limit).then(|| (index, self.residual_m(index)))
    }
}
