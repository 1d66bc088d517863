//! One epoch by least squares.
//!
//! The estimate goes from any start, also from the earth's centre, in three steps: a robust one without
//! atmosphere that removes gross errors (an integer of the code period, say); a Huber estimate with
//! atmosphere, elevation mask and weights by elevation and C/N0; and a plain one with the chi-square test
//! of its residuals, from which the worst measurement is taken away until the rest agree.

use megrez_orbit::{Ecef, GnssTime, NavData, ObservationEpoch, look_angles};
use megrez_signal::{Constellation, SPEED_OF_LIGHT, Sat};
use nalgebra::{Matrix3, Vector3};

use crate::chi2;
use crate::lsq::{BIAS, CLOCK, Matrix, Normal, Row, Vector, huber};
use crate::model::{self, Path, Ranging, line_of_sight};
use crate::velocity;
use crate::{Dop, FixMode, Refusal, Refused, SatUse, Solution, SolveError, SolverConfig};

/// Standard deviation of a measurement in the first step, which knows no atmosphere, metres.
const COARSE_SIGMA_M: f64 = 20.0;
/// Residual in the first step beyond which a measurement is a gross error, metres.
const GROSS_M: f64 = 300.0;
/// Bound of the Huber estimate in standard deviations.
const HUBER_BOUND: f64 = 2.0;
/// Positions beyond this distance from the earth's centre are those of an iteration gone astray, metres.
const FARTHEST_M: f64 = 1e8;

/// What least squares estimates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct State {
    pub position: Ecef,
    /// Receiver clock against the first system, metres.
    pub clock_m: f64,
    /// Second system's measurements against the first's, metres.
    pub bias_m: f64,
}

/// The two systems at hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Systems {
    /// The system the clock refers to.
    pub first: Constellation,
    /// The system with a bias against it.
    pub second: Option<Constellation>,
    /// Whether there are satellites enough to estimate the bias without prior knowledge.
    pub free: bool,
}

impl Systems {
    /// The system of most satellites comes first; BeiDou, if there are as many of each.
    pub fn of(sats: impl IntoIterator<Item = Sat>) -> Self {
        let mut distinct: Vec<Sat> = sats.into_iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let bds = distinct.iter().filter(|s| s.constellation == Constellation::Bds).count();
        let gps = distinct.len() - bds;
        let (first, second) = if bds >= gps {
            (Constellation::Bds, Constellation::Gps)
        } else {
            (Constellation::Gps, Constellation::Bds)
        };
        let fewer = bds.min(gps);
        Self { first, second: (fewer > 0).then_some(second), free: fewer >= 2 && bds + gps >= 6 }
    }

    /// Whether measurements of `constellation` carry the bias.
    pub fn biased(&self, constellation: Constellation) -> bool {
        constellation != self.first
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// No atmosphere, equal weights.
    Coarse,
    /// Everything.
    Fine,
}

#[derive(Debug, Clone, Copy)]
enum Kernel {
    Plain,
    /// Absolute values beyond one standard deviation.
    Absolute,
    Huber,
}

/// One measurement seen from an estimate.
struct Seen {
    row: Row,
    residual_m: f64,
    path: Path,
}

/// An estimate that has converged.
struct Estimate {
    state: State,
    covariance: Matrix,
    /// For each measurement, used or not.
    seen: Vec<Seen>,
    /// Rows beside the measurements: bias and height.
    extra: Vec<Row>,
}

struct Problem<'a> {
    rangings: &'a [Ranging],
    reading: GnssTime,
    config: &'a SolverConfig,
}

/// Position, velocity and time of one epoch; `prior` is a start for the iteration and may be far off.
///
/// Measurements of several signals of one satellite may be mixed. A bias between BeiDou and GPS is
/// estimated; where there are too few satellites for that, it is taken as zero with the configured standard
/// deviation.
///
/// # Errors
/// [`SolveError`] says which measurements were refused for what reason.
pub fn solve(
    epoch: &ObservationEpoch,
    nav: &NavData,
    config: &SolverConfig,
    prior: Option<Ecef>,
) -> Result<Solution, SolveError> {
    let (rangings, mut refused) = model::prepare(epoch, nav, config);
    let problem = Problem { rangings: &rangings, reading: epoch.time, config };
    let mut active = vec![true; rangings.len()];
    let mut start = State::default();
    if let Some(prior) = prior.filter(|p| (1e6..FARTHEST_M).contains(&p.norm())) {
        start.position = prior;
    }
    let coarse = problem.coarse(start, &mut active, &mut refused)?;
    let estimate = problem.fine(coarse, &mut active, &mut refused)?;
    Ok(problem.solution(&estimate, &active))
}

/// The rotation from earth-fixed axes to east, north and up at `position`.
pub(crate) fn enu_axes(position: Ecef) -> Matrix3<f64> {
    let geodetic = position.to_geodetic();
    let (sin_lat, cos_lat) = geodetic.lat_deg.to_radians().sin_cos();
    let (sin_lon, cos_lon) = geodetic.lon_deg.to_radians().sin_cos();
    Matrix3::new(
        -sin_lon,
        cos_lon,
        0.0,
        -sin_lat * cos_lon,
        -sin_lat * sin_lon,
        cos_lat,
        cos_lat * cos_lon,
        cos_lat * sin_lon,
        sin_lat,
    )
}

/// Covariance in east, north, up of a position covariance in earth-fixed axes.
pub(crate) fn covariance_enu(position: Ecef, covariance: Matrix3<f64>) -> [[f64; 3]; 3] {
    let axes = enu_axes(position);
    let c = axes * covariance * axes.transpose();
    [[c[(0, 0)], c[(0, 1)], c[(0, 2)]], [c[(1, 0)], c[(1, 1)], c[(1, 2)]], [c[(2, 0)], c[(2, 1)], c[(2, 2)]]]
}

/// Dilution of precision of the satellites in the directions `units` (and whether each belongs to the system
/// with a bias).
pub(crate) fn dop(position: Ecef, units: impl IntoIterator<Item = (Ecef, bool)>) -> Option<Dop> {
    let mut normal = Normal::new();
    for (unit, biased) in units {
        let mut h = direction(unit);
        h[BIAS] = f64::from(u8::from(biased));
        normal.add(&Row { h, v: 0.0, w: 1.0 }, 1.0);
    }
    let (_, q) = normal.solve()?;
    let c = covariance_enu(position, q.fixed_view::<3, 3>(0, 0).into_owned());
    let (h2, v2, t2) = (c[0][0] + c[1][1], c[2][2], q[(CLOCK, CLOCK)]);
    Some(Dop { g: (h2 + v2 + t2).sqrt(), p: (h2 + v2).sqrt(), h: h2.sqrt(), v: v2.sqrt(), t: t2.sqrt() })
}

/// Coefficients of a pseudorange along `unit`.
pub(crate) fn direction(unit: Ecef) -> Vector {
    let mut h = Vector::zeros();
    h[0] = -unit.x;
    h[1] = -unit.y;
    h[2] = -unit.z;
    h[CLOCK] = 1.0;
    h
}

/// The row of a known height.
pub(crate) fn height_row(position: Ecef, height_m: f64, sigma_m: f64) -> Row {
    let up = enu_axes(position).row(2).transpose();
    let mut h = Vector::zeros();
    h[0] = up.x;
    h[1] = up.y;
    h[2] = up.z;
    Row { h, v: height_m - position.to_geodetic().height_m, w: 1.0 / (sigma_m * sigma_m).max(1e-6) }
}

impl Problem<'_> {
    fn systems(&self, active: &[bool]) -> Systems {
        Systems::of(self.rangings.iter().zip(active).filter(|&(_, &a)| a).map(|(r, _)| r.sat))
    }

    /// Unknowns that only satellites can determine.
    fn needed(&self, systems: &Systems) -> usize {
        4 + usize::from(systems.free) - usize::from(self.config.height.is_some())
    }

    /// Satellites at hand, counted once.
    fn distinct(&self, active: &[bool]) -> usize {
        let mut sats: Vec<Sat> =
            self.rangings.iter().zip(active).filter(|&(_, &a)| a).map(|(r, _)| r.sat).collect();
        sats.sort_unstable();
        sats.dedup();
        sats.len()
    }

    fn check_count(&self, active: &[bool], refused: &[Refused]) -> Result<(), SolveError> {
        let (usable, needed) = (self.distinct(active), self.needed(&self.systems(active)));
        if usable < needed {
            return Err(SolveError::TooFewSatellites { usable, needed, refused: refused.to_vec() });
        }
        Ok(())
    }

    /// Measurements beyond those needed, counting what is known beforehand as measured.
    fn redundancy(&self, active: &[bool]) -> usize {
        let rows = active.iter().filter(|&&a| a).count();
        rows.saturating_sub(self.needed(&self.systems(active)))
    }

    /// All measurements seen from `state`.
    fn look(&self, state: &State, systems: &Systems, step: Step) -> Vec<Seen> {
        let time = self.reading - state.clock_m / SPEED_OF_LIGHT;
        self.rangings
            .iter()
            .map(|r| {
                let line = line_of_sight(state.position, &r.state);
                let mut h = direction(line.unit);
                let mut computed = line.range_m + state.clock_m - r.clock_m;
                if systems.biased(r.sat.constellation) {
                    h[BIAS] = 1.0;
                    computed += state.bias_m;
                }
                let (path, variance) = match step {
                    Step::Coarse => (Path::default(), COARSE_SIGMA_M * COARSE_SIGMA_M),
                    Step::Fine => {
                        let path = model::path(r, state.position, &line, time, self.config);
                        // Errors that its signals share do not average out over them.
                        (path, path.own_variance + path.common_variance * r.siblings as f64)
                    }
                };
                let residual_m = r.pseudorange_m - computed - path.delay_m();
                Seen { row: Row { h, v: residual_m, w: 1.0 / variance }, residual_m, path }
            })
            .collect()
    }

    /// Rows beside the measurements.
    fn extra(&self, state: &State, systems: &Systems) -> Vec<Row> {
        let mut rows = Vec::with_capacity(2);
        if systems.second.is_some() && !systems.free {
            let sigma = self.config.inter_system_sigma_m;
            let mut h = Vector::zeros();
            h[BIAS] = 1.0;
            let v = -state.bias_m;
            rows.push(Row { h, v, w: 1.0 / (sigma * sigma).max(1e-6) });
        }
        // From the earth's centre, up is nowhere.
        if let Some(height) = self.config.height {
            if state.position.norm() > 1e6 {
                rows.push(height_row(state.position, height.height_m, height.sigma_m));
            } else {
                let mut row = height_row(Ecef { x: 1.0, y: 0.0, z: 0.0 }, 0.0, 1.0);
                row.h = Vector::zeros();
                row.v = 0.0;
                rows.push(row);
            }
        }
        rows
    }

    /// Iterates to convergence.
    fn iterate(
        &self,
        mut state: State,
        active: &[bool],
        step: Step,
        kernel: Kernel,
        most: usize,
    ) -> Result<Estimate, SolveError> {
        let systems = self.systems(active);
        if !systems.free && systems.second.is_none() {
            state.bias_m = 0.0;
        }
        let geometry = || SolveError::Geometry { satellites: self.distinct(active) };
        let mut last_step = f64::INFINITY;
        for _ in 0..most {
            let seen = self.look(&state, &systems, step);
            let extra = self.extra(&state, &systems);
            let mut normal = Normal::sum(&extra);
            for (s, _) in seen.iter().zip(active).filter(|&(_, &a)| a) {
                let t = s.residual_m * s.row.w.sqrt();
                let scale = match kernel {
                    Kernel::Plain => 1.0,
                    Kernel::Absolute => huber(t, 1.0),
                    Kernel::Huber => huber(t, HUBER_BOUND),
                };
                normal.add(&s.row, scale);
            }
            let (x, covariance) = normal.solve().ok_or_else(geometry)?;
            let move_m = Ecef { x: x[0], y: x[1], z: x[2] };
            state.position += move_m;
            state.clock_m += x[CLOCK];
            state.bias_m += x[BIAS];
            last_step = move_m.norm();
            if !(state.position.norm() < FARTHEST_M && state.clock_m.is_finite()) {
                break;
            }
            // Robust estimates end when their weights settle, to a hundredth of their noise.
            let enough = match kernel {
                Kernel::Plain => 1e-4,
                Kernel::Huber => 1e-2,
                Kernel::Absolute => 0.5,
            };
            if last_step < enough {
                let seen = self.look(&state, &systems, step);
                let extra = self.extra(&state, &systems);
                return Ok(Estimate { state, covariance, seen, extra });
            }
        }
        match kernel {
            Kernel::Plain => Err(SolveError::NoConvergence { step_m: last_step }),
            // Absolute values may alternate between two measurements; either will do as a start.
            _ if state.position.norm() < FARTHEST_M && last_step < 1e5 => {
                let seen = self.look(&state, &systems, step);
                let extra = self.extra(&state, &systems);
                Ok(Estimate { state, covariance: Matrix::zeros(), seen, extra })
            }
            _ => Err(SolveError::NoConvergence { step_m: last_step }),
        }
    }

    /// A first position, without those measurements that contradict it grossly.
    fn coarse(
        &self,
        start: State,
        active: &mut [bool],
        refused: &mut Vec<Refused>,
    ) -> Result<State, SolveError> {
        self.check_count(active, refused)?;
        let mut estimate = self.iterate(start, active, Step::Coarse, Kernel::Plain, 30).or_else(|e| {
            // A poor start can do worse than none.
            if start.position.norm() > 0.0 {
                self.iterate(State::default(), active, Step::Coarse, Kernel::Plain, 30)
            } else {
                Err(e)
            }
        })?;
        // What is left after an exclusion must still show whether it agrees.
        while self.redundancy(active) >= 2 && worst_above(&estimate.seen, active, GROSS_M).is_some() {
            estimate = self.iterate(estimate.state, active, Step::Coarse, Kernel::Absolute, 40)?;
            let Some((index, residual_m)) = worst_above(&estimate.seen, active, GROSS_M) else { break };
            self.refuse(index, Refusal::Excluded { residual_m }, active, refused);
        }
        Ok(estimate.state)
    }

    fn refuse(&self, index: usize, reason: Refusal, active: &mut [bool], refused: &mut Vec<Refused>) {
        if let (Some(active), Some(r)) = (active.get_mut(index), self.rangings.get(index)) {
            *active = false;
            refused.push(Refused { sat: r.sat, code: r.code, reason });
        }
    }

    /// The position, from a first one: mask, weights, residual test.
    fn fine(
        &self,
        mut state: State,
        active: &mut [bool],
        refused: &mut Vec<Refused>,
    ) -> Result<Estimate, SolveError> {
        let mask = self.config.elevation_mask_deg.to_radians();
        // The elevations follow the position, which follows the satellites used.
        for _ in 0..2 {
            for (index, r) in self.rangings.iter().enumerate() {
                let line = line_of_sight(state.position, &r.state);
                let elevation = look_angles(state.position, line.satellite).elevation;
                if active.get(index) == Some(&true) && (elevation.is_nan() || elevation < mask) {
                    let reason = Refusal::BelowMask { elevation_deg: elevation.to_degrees() };
                    self.refuse(index, reason, active, refused);
                }
            }
            self.check_count(active, refused)?;
            state = self.iterate(state, active, Step::Fine, Kernel::Huber, 15)?.state;
        }
        loop {
            let estimate = self.iterate(state, active, Step::Fine, Kernel::Plain, 15)?;
            let (statistic, dof) = self.statistic(&estimate, active);
            let threshold = chi2::threshold(dof, self.config.false_alarm);
            if dof == 0 || statistic <= threshold {
                self.readmit(&estimate, active, refused);
                return self.iterate(estimate.state, active, Step::Fine, Kernel::Plain, 15);
            }
            let worst = worst(&estimate.seen, active, |s| self.normalised(&estimate, s));
            let Some((index, _)) = worst.filter(|_| self.redundancy(active) >= 2) else {
                return Err(SolveError::Inconsistent { statistic, threshold, refused: refused.clone() });
            };
            let residual_m = estimate.seen.get(index).map_or(0.0, |s| s.residual_m);
            self.refuse(index, Refusal::Excluded { residual_m }, active, refused);
            state = self.iterate(estimate.state, active, Step::Fine, Kernel::Huber, 15)?.state;
        }
    }

    /// Weighted sum of squared residuals and its degrees of freedom.
    fn statistic(&self, estimate: &Estimate, active: &[bool]) -> (f64, usize) {
        let measured = estimate.seen.iter().zip(active).filter(|&(_, &a)| a);
        let sum: f64 = measured.map(|(s, _)| s.row.w * s.residual_m * s.residual_m).sum::<f64>()
            + estimate.extra.iter().map(|r| r.w * r.v * r.v).sum::<f64>();
        let systems = self.systems(active);
        let rows = active.iter().filter(|&&a| a).count() + estimate.extra.len();
        (sum, rows.saturating_sub(4 + usize::from(systems.second.is_some())))
    }

    /// Residual in units of its own standard deviation: the fault that, taken away, lowers the statistic most.
    fn normalised(&self, estimate: &Estimate, seen: &Seen) -> f64 {
        let fitted = (seen.row.h.transpose() * estimate.covariance * seen.row.h)[0];
        let variance = 1.0 / seen.row.w - fitted;
        if variance < 1e-6 / seen.row.w { 0.0 } else { seen.residual_m.abs() / variance.sqrt() }
    }

    /// Takes back measurements that were excluded while a worse one bent the estimate.
    fn readmit(&self, estimate: &Estimate, active: &mut [bool], refused: &mut Vec<Refused>) {
        for (index, (seen, r)) in estimate.seen.iter().zip(self.rangings).enumerate() {
            let excluded = |x: &Refused| {
                x.sat == r.sat && x.code == r.code && matches!(x.reason, Refusal::Excluded { .. })
            };
            if active.get(index) != Some(&false) || !refused.iter().any(excluded) {
                continue;
            }
            let fitted = (seen.row.h.transpose() * estimate.covariance * seen.row.h)[0];
            if seen.residual_m.abs() < 2.5 * (1.0 / seen.row.w + fitted).sqrt() {
                if let Some(active) = active.get_mut(index) {
                    *active = true;
                }
                refused.retain(|x| !excluded(x));
            }
        }
    }

    fn solution(&self, estimate: &Estimate, active: &[bool]) -> Solution {
        let State { position, clock_m, bias_m } = estimate.state;
        let systems = self.systems(active);
        let sats = self.rangings.iter().zip(&estimate.seen).zip(active).map(|((r, seen), &used)| SatUse {
            sat: r.sat,
            code: r.code,
            azel: seen.path.azel,
            residual_m: seen.residual_m,
            used,
            cn0_dbhz: r.cn0_dbhz,
        });
        let used: Vec<&Ranging> =
            self.rangings.iter().zip(active).filter(|&(_, &a)| a).map(|(r, _)| r).collect();
        let mut directions: Vec<(Sat, Ecef)> =
            used.iter().map(|r| (r.sat, line_of_sight(position, &r.state).unit)).collect();
        directions.sort_by_key(|&(sat, _)| sat);
        directions.dedup_by_key(|&mut (sat, _)| sat);
        let units = directions.iter().map(|&(sat, u)| (u, systems.free && systems.biased(sat.constellation)));
        let motion = velocity::solve(&used, position);
        Solution {
            time: self.reading - clock_m / SPEED_OF_LIGHT,
            position,
            velocity: motion.as_ref().map(|m| m.velocity),
            clock_bias_s: clock_m / SPEED_OF_LIGHT,
            clock_drift: motion.as_ref().map_or(0.0, |m| m.clock_drift),
            inter_system: systems.second.map(|c| (c, bias_m)).into_iter().collect(),
            covariance_enu: covariance_enu(
                position,
                estimate.covariance.fixed_view::<3, 3>(0, 0).into_owned(),
            ),
            dop: dop(position, units).unwrap_or_default(),
            sats: sats.collect(),
            mode: FixMode::LeastSquares,
        }
    }
}

/// The active measurement for which `measure` is largest.
fn worst(seen: &[Seen], active: &[bool], measure: impl Fn(&Seen) -> f64) -> Option<(usize, f64)> {
    seen.iter()
        .zip(active)
        .enumerate()
        .filter(|&(_, (_, &a))| a)
        .map(|(i, (s, _))| (i, measure(s)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The active measurement of the largest residual, and that residual, if it is above `limit`.
fn worst_above(seen: &[Seen], active: &[bool], limit: f64) -> Option<(usize, f64)> {
    let (index, size) = worst(seen, active, |s| s.residual_m.abs())?;
    let residual_m = seen.get(index)?.residual_m;
    (size > limit).then_some((index, residual_m))
}

/// A vector as nalgebra has it.
pub(crate) fn vector(p: Ecef) -> Vector3<f64> {
    Vector3::new(p.x, p.y, p.z)
}
