//! One epoch by least squares.
//!
//! From a position that is roughly known, one least-squares estimate whose residuals pass the chi-square test is
//! all there is to do. Where they do not pass, or from the earth's centre, the way is longer: an estimate without
//! atmosphere that removes gross errors (an integer of the code period, say); a Huber estimate with atmosphere,
//! elevation mask and weights; and plain ones, from which the worst satellite is taken away until the rest agree.

use megrez_orbit::{Ecef, NavData, ObservationEpoch};
use megrez_signal::SPEED_OF_LIGHT;

use crate::chi2;
use crate::estimate::{Estimate, Kernel, Problem, State, Step};
use crate::geometry::{covariance_enu, dop};
use crate::groups::N;
use crate::lsq::spread;
use crate::protection;
use crate::ranging::Prepared;
use crate::sight::sights;
use crate::solution;
use crate::velocity;
use crate::{FixMode, Refusal, Refused, Solution, SolveError, SolverConfig};

/// Residual in the first step beyond which a measurement is a gross error, metres.
const GROSS_M: f64 = 300.0;
/// Positions beyond this distance from the earth's centre are those of an iteration gone astray, metres.
pub(crate) const FARTHEST_M: f64 = 1e8;
/// Atmosphere and elevations hold for positions this near, metres.
const NEAR_M: f64 = 200.0;

/// Position, velocity and time of one epoch; `prior` is a start for the iteration and may be far off.
///
/// Any mix of BeiDou, GPS, Galileo, GLONASS and QZSS and any of their signals may be given: which are used is a
/// matter of [`SolverConfig::ionosphere`]. The clock is that of the system of most satellites; a bias of each other
/// system is estimated; where there are too few satellites for that, it is taken as zero with the configured
/// standard deviation. BeiDou-2 may differ from BeiDou-3, and QZSS from GPS, by some metres.
///
/// # Errors
/// [`SolveError`] says which measurements were refused for what reason.
pub fn solve(
    epoch: &ObservationEpoch,
    nav: &NavData,
    config: &SolverConfig,
    prior: Option<Ecef>,
) -> Result<Solution, SolveError> {
    let problem = Problem::new(Prepared::new(epoch, nav, config), config);
    solve_prepared(problem, prior)
}

/// As [`solve`], of an epoch whose satellite states are known.
pub(crate) fn solve_prepared(mut problem: Problem<'_>, prior: Option<Ecef>) -> Result<Solution, SolveError> {
    let prior = prior.filter(|p| (1e6..FARTHEST_M).contains(&p.norm()));
    let near = prior.map(|position| State { position, ..State::default() });
    let mut estimate = near.and_then(|start| problem.quick(start));
    if estimate.is_none() {
        let coarse = problem.coarse(near.unwrap_or_default())?;
        estimate = problem.quick(coarse);
        if estimate.is_none() {
            estimate = Some(problem.fine(coarse)?);
        }
    }
    let Some(estimate) = estimate else { return Err(problem.too_few()) };
    Ok(problem.solution(&estimate))
}

impl Problem<'_> {
    /// The position from a start that is nearly it, if all measurements agree; else nothing has changed.
    fn quick(&mut self, mut state: State) -> Option<Estimate> {
        let (active, refused) = (self.active.clone(), self.prepared.refused.len());
        for _ in 0..3 {
            let place = state.position;
            if place.norm() < 1e6 {
                break;
            }
            sights(&mut self.prepared, place, state.clock_m, self.config, &mut self.sights);
            self.mask(state.position);
            if self.redundancy() == 0 && self.check_count().is_err() {
                break;
            }
            let Ok(estimate) = self.iterate(state, Step::Fine, Kernel::Plain, 6) else { break };
            if estimate.state.position.distance(place) < NEAR_M {
                let (statistic, dof) = self.statistic(&estimate);
                if dof == 0 || statistic > chi2::threshold(dof, self.config.false_alarm) {
                    break;
                }
                return Some(estimate);
            }
            state = estimate.state;
            self.active.clone_from(&active);
            self.prepared.refused.truncate(refused);
        }
        self.active = active;
        self.prepared.refused.truncate(refused);
        None
    }

    /// A first position, without those measurements that contradict it grossly.
    fn coarse(&mut self, start: State) -> Result<State, SolveError> {
        self.check_count()?;
        let mut estimate = match self.iterate(start, Step::Coarse, Kernel::Plain, 30) {
            Ok(estimate) => estimate,
            // A poor start can do worse than none.
            Err(_) if start.position.norm() > 0.0 => {
                self.iterate(State::default(), Step::Coarse, Kernel::Plain, 30)?
            }
            Err(error) => return Err(error),
        };
        // What is left after an exclusion must still show whether it agrees.
        while self.redundancy() >= 2 && self.worst_above(GROSS_M).is_some() {
            estimate = self.iterate(estimate.state, Step::Coarse, Kernel::Absolute, 40)?;
            let Some((index, residual_m)) = self.worst_above(GROSS_M) else { break };
            self.refuse(index, Refusal::Excluded { residual_m });
        }
        Ok(estimate.state)
    }

    /// The position, from a first one: mask, weights, residual test.
    fn fine(&mut self, mut state: State) -> Result<Estimate, SolveError> {
        // The elevations follow the position, which follows the satellites used.
        for _ in 0..2 {
            sights(&mut self.prepared, state.position, state.clock_m, self.config, &mut self.sights);
            self.mask(state.position);
            self.check_count()?;
            state = self.iterate(state, Step::Fine, Kernel::Huber, 15)?.state;
        }
        sights(&mut self.prepared, state.position, state.clock_m, self.config, &mut self.sights);
        loop {
            let estimate = self.iterate(state, Step::Fine, Kernel::Plain, 15)?;
            let (statistic, dof) = self.statistic(&estimate);
            let threshold = chi2::threshold(dof, self.config.false_alarm);
            if dof == 0 || statistic <= threshold {
                self.readmit(&estimate);
                return self.iterate(estimate.state, Step::Fine, Kernel::Plain, 15);
            }
            let worst = self.worst(|problem, index| problem.normalised(&estimate, index));
            let Some((index, _)) = worst.filter(|_| self.redundancy() >= 2) else {
                let refused = self.prepared.refused.clone();
                return Err(SolveError::Inconsistent { statistic, threshold, refused });
            };
            let residual_m = self.residual_m(index);
            self.refuse(index, Refusal::Excluded { residual_m });
            state = self.iterate(estimate.state, Step::Fine, Kernel::Huber, 15)?.state;
        }
    }

    /// Takes away satellites below the elevation mask.
    fn mask(&mut self, position: Ecef) {
        let mask = self.config.elevation_mask_deg.to_radians();
        if position.norm() < 1e6 {
            return;
        }
        for index in 0..self.active.len() {
            let elevation = self.sights.get(index).map_or(f64::NAN, |s| s.azel.elevation);
            if self.active.get(index) == Some(&true) && (elevation.is_nan() || elevation < mask) {
                self.refuse(index, Refusal::BelowMask { elevation_deg: elevation.to_degrees() });
            }
        }
    }

    /// Takes back satellites that were excluded while a worse one bent the estimate.
    fn readmit(&mut self, estimate: &Estimate) {
        for index in 0..self.active.len() {
            let (Some(r), Some(row)) = (self.prepared.rangings.get(index), self.rows.get(index)) else {
                continue;
            };
            let excluded = |x: &Refused| x.sat == r.sat && matches!(x.reason, Refusal::Excluded { .. });
            if self.active.get(index) != Some(&false) || !self.prepared.refused.iter().any(excluded) {
                continue;
            }
            let fitted = spread(&estimate.covariance, &row.h);
            if row.v.abs() < 2.5 * (1.0 / row.w + fitted).sqrt() {
                self.prepared.refused.retain(|x| !excluded(x));
                if let Some(active) = self.active.get_mut(index) {
                    *active = true;
                }
            }
        }
    }

    fn solution(&self, estimate: &Estimate) -> Solution {
        let State { position, clock_m, biases_m, bands_m } = estimate.state;
        let clocks = estimate.clocks;
        let rangings = &self.prepared.rangings;
        let used = rangings.iter().zip(&self.lines).zip(&self.active).filter(|&(_, &a)| a);
        let units = used.map(|((r, line), _)| (line.unit, clocks.free_bias_of(r.group)));
        let motion = velocity::solve(rangings, &self.lines, &self.active);
        let covariance = estimate.covariance.fixed_view::<3, 3>(0, 0).into_owned();
        let levels = protection::levels(self, estimate);
        Solution {
            time: self.prepared.reading - clock_m / SPEED_OF_LIGHT,
            position,
            velocity: motion.as_ref().map(|m| m.velocity),
            clock_bias_s: clock_m / SPEED_OF_LIGHT,
            clock_drift: motion.as_ref().map_or(0.0, |m| m.clock_drift),
            inter_system: solution::inter_system(&clocks, &biases_m),
            bds2_bias_m: solution::bds2_bias_m(&clocks, &biases_m),
            covariance_enu: covariance_enu(position, covariance),
            hpl_m: levels.map(|l| l.horizontal_m),
            vpl_m: levels.map(|l| l.vertical_m),
            dop: dop::<N>(position, units).unwrap_or_default(),
            sats: solution::uses(&self.prepared, &self.sights, |index, r| {
                let used = self.active.get(index) == Some(&true);
                let range_m = self.lines.get(index).map_or(0.0, |line| line.range_m);
                let clock_m = clock_m + estimate.state.bias_m(clocks.bias_of(r.group));
                (used, range_m + clock_m, bands_m[r.group.index()])
            }),
            mode: FixMode::LeastSquares,
        }
    }
}
