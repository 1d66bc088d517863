//! Kalman filter over epochs.
//!
//! State: position, velocity, clock bias and drift, a bias of each group of satellites, and a copy of the position
//! and clock of the previous epoch. The copy lets the change of carrier phase between two epochs be used as what it
//! is, a difference of ranges good to a centimetre, so that a moving antenna is followed without lag while
//! pseudoranges are averaged over minutes. Every measurement passes a test of its innovation.

use megrez_orbit::{Ecef, GnssTime, NavData, ObservationEpoch, SatState};
use megrez_signal::{ObsCode, SPEED_OF_LIGHT, Sat};
use nalgebra::{Matrix3, SMatrix, SVector};

use crate::chi2;
use crate::estimate::Problem;
use crate::geometry::{covariance_enu, direction, dop, vector};
use crate::groups::{Clocks, GROUPS, Group, N};
use crate::lsq::{Normal, Row, huber};
use crate::model::{line_of_sight, shift_ratio};
use crate::ranging::{Prepared, Ranging};
use crate::sight::{Sight, sights};
use crate::solution;
use crate::spp::solve_prepared;
use crate::{FixMode, SatUse, Solution, SolveError, SolverConfig};

/// Unknowns: 3 position, 3 velocity, clock, drift, biases, 3 previous position, previous clock.
const STATES: usize = LAST_BIAS + 1;
/// Unknowns that a prediction starts from.
const CURRENT: usize = LAST;
const VELOCITY: usize = 3;
const BIAS_M: usize = 6;
const DRIFT: usize = 7;
const GROUP: usize = 8;
const BAND: usize = GROUP + GROUPS;
const LAST: usize = BAND + GROUPS;
const LAST_BIAS: usize = LAST + 3;

type State = SVector<f64, STATES>;
type Covariance = SMatrix<f64, STATES, STATES>;

/// Longest gap bridged by prediction, seconds: epochs of files may be half a minute apart.
const LONGEST_GAP_S: f64 = 60.0;
/// Likewise of an antenna that stands, while a receiver keeps its clock.
const LONGEST_GAP_STATIC_S: f64 = 300.0;
/// Correlation time of code noise and multipath: epochs closer than this count for less. Seconds.
const CODE_CORRELATION_S: f64 = 1.0;
/// Standard deviation of a difference of carrier phases between epochs, metres, and what satellite clocks and
/// atmosphere add for each second between them.
const PHASE_SIGMA_M: f64 = 0.015;
const PHASE_SIGMA_M_S: f64 = 0.002;
/// Epochs in a row, most of whose pseudoranges are refused, after which the filter starts afresh.
const LOST_AFTER: u32 = 3;
/// Standard deviation of biases between groups at the start, and of those that are known to be small, metres.
const GROUP_SIGMA_M: f64 = 100.0;
/// Likewise of the delays of second bands in the receiver, metres.
const BAND_SIGMA_M: f64 = 20.0;
/// Predicted positions less certain than this are not reported, metres.
const WORST_SIGMA_M: f64 = 100.0;

/// How a receiver may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dynamics {
    /// Not at all.
    Static,
    /// On foot: changes of velocity of 1 m/s within a second.
    Pedestrian,
    /// On wheels, on water or on small wings: 3 m/s within a second.
    #[default]
    Vehicle,
    /// Aircraft and rockets: 50 m/s within a second.
    HighDynamics,
}

impl Dynamics {
    /// Power spectral density of the acceleration, m²/s³.
    fn acceleration_density(self) -> f64 {
        match self {
            Self::Static => 0.0,
            Self::Pedestrian => 1.0,
            Self::Vehicle => 9.0,
            Self::HighDynamics => 2500.0,
        }
    }
}

/// A carrier phase of the previous epoch, with what is needed to difference it.
#[derive(Debug, Clone)]
struct PhasePoint {
    sat: Sat,
    code: ObsCode,
    /// Carrier phase as a range, plus satellite clock, minus atmosphere: geometric range plus receiver clock
    /// plus a constant. Metres.
    range_m: f64,
    slip: bool,
    half_cycle: bool,
    state: SatState,
}

/// A Kalman filter of position, velocity and clock.
#[derive(Debug, Clone)]
pub struct Filter {
    config: SolverConfig,
    dynamics: Dynamics,
    running: Option<Running>,
}

/// The filter between two epochs.
#[derive(Debug, Clone)]
struct Running {
    time: GnssTime,
    x: State,
    p: Covariance,
    /// The group to which the clock refers.
    reference: Group,
    phases: Vec<PhasePoint>,
    bad_epochs: u32,
}

/// A satellite of the epoch at hand.
struct Seen<'a> {
    index: usize,
    ranging: &'a Ranging,
    sight: Sight,
    visible: bool,
}

/// One measurement linearised: `h · (x - x₀) = v` with variance `r`.
struct Linear {
    index: usize,
    h: State,
    v: f64,
    r: f64,
}

impl Filter {
    /// A filter that starts with the first epoch [`crate::solve`] can solve.
    pub fn new(config: SolverConfig, dynamics: Dynamics) -> Self {
        Self { config, dynamics, running: None }
    }

    /// Takes in one epoch. After gaps, and when it no longer agrees with the measurements, the filter starts
    /// afresh from least squares.
    ///
    /// # Errors
    /// As [`crate::solve`], while the filter has not started or its prediction has become too uncertain.
    pub fn update(&mut self, epoch: &ObservationEpoch, nav: &NavData) -> Result<Solution, SolveError> {
        let step = self.running.as_ref().map(|r| epoch.time - r.time);
        let mut prepared = Prepared::new(epoch, nav, &self.config);
        if let (Some(mut running), Some(dt)) = (self.running.take(), step)
            && dt > 0.0
            && dt <= self.longest_gap_s()
        {
            running.predict(dt, self.dynamics);
            running.time = epoch.time;
            let solution = running.measure(&mut prepared, |_| true, &self.config, dt, self.dynamics);
            if let Some(solution) = solution
                && running.bad_epochs < LOST_AFTER
            {
                self.running = Some(running);
                return Ok(solution);
            }
        }
        self.start(prepared)
    }

    fn longest_gap_s(&self) -> f64 {
        if self.dynamics == Dynamics::Static { LONGEST_GAP_STATIC_S } else { LONGEST_GAP_S }
    }

    fn start(&mut self, mut prepared: Prepared) -> Result<Solution, SolveError> {
        let config = &self.config;
        let first = solve_prepared(Problem::new(prepared.clone(), config), None)?;
        let mut x = State::zeros();
        let mut p = Covariance::zeros();
        set(&mut x, 0, first.position);
        let still = self.dynamics == Dynamics::Static;
        set(&mut x, VELOCITY, first.velocity.filter(|_| !still).unwrap_or_default());
        x[BIAS_M] = first.clock_bias_s * SPEED_OF_LIGHT;
        x[DRIFT] = first.clock_drift * SPEED_OF_LIGHT;
        let known = first.velocity.is_some();
        let speed_sigma = match (still, known, self.dynamics) {
            (true, ..) => 0.0,
            (_, true, _) => 10.0,
            (_, false, Dynamics::HighDynamics) => 3000.0,
            (_, false, _) => 50.0,
        };
        for i in 0..3 {
            p[(i, i)] = 100f64.powi(2);
            p[(VELOCITY + i, VELOCITY + i)] = speed_sigma * speed_sigma;
        }
        p[(BIAS_M, BIAS_M)] = 100f64.powi(2);
        p[(DRIFT, DRIFT)] = if known { 10f64.powi(2) } else { 3e4f64.powi(2) };
        // Only what least squares accepted.
        let used = |sat: Sat| first.sats.iter().any(|s: &SatUse| s.used && s.sat == sat);
        let groups = prepared.rangings.iter().filter(|r| used(r.sat)).map(|r| r.group);
        let clocks = Clocks::of(groups);
        for group in Group::ALL.into_iter().filter(|&g| g != clocks.reference) {
            let at = GROUP + group.index();
            x[at] = first.inter_system.iter().find(|s| s.0 == group.constellation()).map_or(0.0, |s| s.1);
            // A system that may come later may have any bias.
            p[(at, at)] = GROUP_SIGMA_M * GROUP_SIGMA_M;
        }
        for group in 0..GROUPS {
            p[(BAND + group, BAND + group)] = BAND_SIGMA_M * BAND_SIGMA_M;
        }
        let mut running = Running {
            time: prepared.reading,
            x,
            p,
            reference: clocks.reference,
            phases: Vec::new(),
            bad_epochs: 0,
        };
        let biases: [f64; GROUPS] = std::array::from_fn(|i| running.x[GROUP + i]);
        for row in clocks.known(&biases, &[0.0; GROUPS], config) {
            let mut h = State::zeros();
            h.fixed_rows_mut::<{ 2 * GROUPS }>(GROUP)
                .copy_from(&row.h.fixed_rows::<{ 2 * GROUPS }>(N - 2 * GROUPS));
            running.absorb(&Linear { index: 0, h, v: row.v, r: 1.0 / row.w }, row.v, f64::INFINITY);
        }
        let solution = running
            .measure(&mut prepared, used, config, CODE_CORRELATION_S, self.dynamics)
            .ok_or_else(|| SolveError::TooFewSatellites {
                usable: first.sats_used(),
                needed: 4,
                refused: prepared.refused.clone(),
            })?;
        self.running = Some(running);
        Ok(Solution { sats: first.sats, hpl_m: first.hpl_m, vpl_m: first.vpl_m, ..solution })
    }
}

fn set(x: &mut State, at: usize, value: Ecef) {
    x.fixed_rows_mut::<3>(at).copy_from(&vector(value));
}

fn get(x: &State, at: usize) -> Ecef {
    Ecef { x: x[at], y: x[at + 1], z: x[at + 2] }
}

impl Running {
    fn predict(&mut self, dt: f64, dynamics: Dynamics) {
        let mut f = SMatrix::<f64, STATES, STATES>::zeros();
        for i in 0..CURRENT {
            f[(i, i)] = 1.0;
        }
        for i in 0..3 {
            f[(i, VELOCITY + i)] = dt;
            f[(LAST + i, i)] = 1.0;
        }
        f[(BIAS_M, DRIFT)] = dt;
        f[(LAST_BIAS, BIAS_M)] = 1.0;
        self.x = f * self.x;
        self.p = f * self.p * f.transpose();
        let q = dynamics.acceleration_density();
        for i in 0..3 {
            self.p[(i, i)] += q * dt.powi(3) / 3.0;
            self.p[(i, VELOCITY + i)] += q * dt * dt / 2.0;
            self.p[(VELOCITY + i, i)] += q * dt * dt / 2.0;
            self.p[(VELOCITY + i, VELOCITY + i)] += q * dt;
            if dynamics == Dynamics::Static {
                // Slow errors of orbits and atmosphere wander; the filter may follow.
                self.p[(i, i)] += 0.003f64.powi(2) * dt;
            }
        }
        // A plain crystal: bias 0.1 m/√s, drift 0.3 m/s/√s.
        let (q_bias, q_drift) = (0.01, 0.09);
        self.p[(BIAS_M, BIAS_M)] += q_bias * dt + q_drift * dt.powi(3) / 3.0;
        self.p[(BIAS_M, DRIFT)] += q_drift * dt * dt / 2.0;
        self.p[(DRIFT, BIAS_M)] += q_drift * dt * dt / 2.0;
        self.p[(DRIFT, DRIFT)] += q_drift * dt;
        for group in 0..GROUPS {
            self.p[(GROUP + group, GROUP + group)] += 1e-4 * dt;
            self.p[(BAND + group, BAND + group)] += 1e-4 * dt;
        }
    }

    fn position(&self) -> Ecef {
        get(&self.x, 0)
    }

    /// A scalar update; false if the innovation fails the test.
    fn absorb(&mut self, m: &Linear, v: f64, gate: f64) -> bool {
        let ph = self.p * m.h;
        let s = m.h.dot(&ph) + m.r;
        if !(s > 0.0 && v * v <= gate * s) {
            return false;
        }
        let k = ph / s;
        self.x += k * v;
        self.p -= k * ph.transpose();
        self.p = (self.p + self.p.transpose()) * 0.5;
        true
    }

    /// Takes in linearised measurements, those nearest to the prediction first. Returns which were taken.
    fn absorb_all(&mut self, mut measurements: Vec<Linear>, gate: f64) -> Vec<usize> {
        let start = self.x;
        measurements.sort_by(|a, b| (a.v.abs() / a.r.sqrt()).total_cmp(&(b.v.abs() / b.r.sqrt())));
        let mut taken = Vec::with_capacity(measurements.len());
        for m in &measurements {
            let v = m.v - m.h.dot(&(self.x - start));
            if self.absorb(m, v, gate) {
                taken.push(m.index);
            }
        }
        taken
    }

    /// Takes in the satellites of an epoch that are `allowed`. None if it does not leave a position that can be
    /// reported.
    fn measure(
        &mut self,
        prepared: &mut Prepared,
        allowed: impl Fn(Sat) -> bool,
        config: &SolverConfig,
        dt: f64,
        dynamics: Dynamics,
    ) -> Option<Solution> {
        let gate = chi2::threshold(1, config.false_alarm);
        let mut seen = Vec::with_capacity(prepared.rangings.len());
        sights(prepared, self.position(), self.x[BIAS_M], config, &mut seen);
        let mask = config.elevation_mask_deg.to_radians();
        let seen: Vec<Seen<'_>> = prepared
            .rangings
            .iter()
            .zip(&seen)
            .enumerate()
            .map(|(index, (ranging, &sight))| Seen {
                index,
                ranging,
                sight,
                visible: sight.azel.elevation >= mask && allowed(ranging.sat),
            })
            .collect();

        let jumped = self.follow_clock_jump(&seen);
        let bands = self.bands(&seen, dt);
        self.absorb_all(bands, gate);
        let codes = self.codes(&seen, dt);
        let offered = codes.len();
        let taken = self.absorb_all(codes, gate);
        if offered == 0 {
            return None;
        }
        self.bad_epochs = if taken.len() * 2 < offered { self.bad_epochs + 1 } else { 0 };
        let dopplers = self.dopplers(&seen);
        self.absorb_all(dopplers, gate);

        let points = phase_points(prepared, &seen);
        if !jumped {
            let differences = self.differences(&points, dt);
            self.absorb_all(differences, gate);
        }
        self.phases = points;
        if dynamics == Dynamics::Static {
            set(&mut self.x, VELOCITY, Ecef::default());
        }
        self.solution(prepared, &seen, &taken)
    }

    /// Bias of a group's measurements, metres.
    fn bias_m(&self, group: Group) -> f64 {
        if group == self.reference { 0.0 } else { self.x[GROUP + group.index()] }
    }

    fn codes(&self, seen: &[Seen<'_>], dt: f64) -> Vec<Linear> {
        let correlated = (CODE_CORRELATION_S / dt).max(1.0);
        let mut rows = Vec::with_capacity(seen.len());
        for s in seen.iter().filter(|s| s.visible) {
            let line = line_of_sight(self.position(), &s.ranging.state);
            let mut h = State::zeros();
            h.fixed_rows_mut::<3>(0).copy_from(&-vector(line.unit));
            h[BIAS_M] = 1.0;
            let group = s.ranging.group;
            if group != self.reference {
                h[GROUP + group.index()] = 1.0;
            }
            h[BAND + group.index()] = s.sight.second;
            let band_m = self.x[BAND + group.index()];
            let v = s.sight.range_m
                - (line.range_m + self.x[BIAS_M] + self.bias_m(group) + s.sight.second * band_m);
            rows.push(Linear { index: s.index, h, v, r: s.sight.variance * correlated });
        }
        rows
    }

    /// Differences between the bands of each satellite.
    fn bands(&self, seen: &[Seen<'_>], dt: f64) -> Vec<Linear> {
        let correlated = (CODE_CORRELATION_S / dt).max(1.0);
        let visible = seen.iter().filter(|s| s.visible);
        visible
            .filter_map(|s| {
                let (difference_m, variance) = s.sight.difference?;
                let unknown = BAND + s.ranging.group.index();
                let mut h = State::zeros();
                h[unknown] = 1.0;
                Some(Linear {
                    index: s.index,
                    h,
                    v: difference_m - self.x[unknown],
                    r: variance * correlated,
                })
            })
            .collect()
    }

    fn dopplers(&self, seen: &[Seen<'_>]) -> Vec<Linear> {
        let velocity = get(&self.x, VELOCITY);
        let drift = self.x[DRIFT] / SPEED_OF_LIGHT;
        let mut rows = Vec::with_capacity(seen.len());
        for s in seen.iter().filter(|s| s.visible) {
            let Some(shift) = s.ranging.shift else { continue };
            let line = line_of_sight(self.position(), &s.ranging.state);
            let rate = line.rate_m_s - line.unit.dot(velocity);
            let computed = shift_ratio(rate, s.ranging.state.clock_drift, drift);
            let mut h = State::zeros();
            h.fixed_rows_mut::<3>(VELOCITY).copy_from(&-vector(line.unit));
            h[DRIFT] = 1.0;
            let v = (computed - shift.ratio) * SPEED_OF_LIGHT;
            rows.push(Linear { index: s.index, h, v, r: shift.sigma_m_s * shift.sigma_m_s });
        }
        rows
    }

    /// Receivers may step their clocks, by a millisecond mostly. A step common to all pseudoranges is taken
    /// into the clock state.
    fn follow_clock_jump(&mut self, seen: &[Seen<'_>]) -> bool {
        let mut innovations: Vec<f64> = self.codes(seen, CODE_CORRELATION_S).iter().map(|m| m.v).collect();
        innovations.sort_by(f64::total_cmp);
        let Some(&median) = innovations.get(innovations.len() / 2) else { return false };
        if median.abs() < 50.0 + 6.0 * self.p[(BIAS_M, BIAS_M)].max(0.0).sqrt() {
            return false;
        }
        self.x[BIAS_M] += median;
        self.p[(BIAS_M, BIAS_M)] += 1000.0;
        true
    }

    /// Changes of carrier phase since the previous epoch, without those that slipped.
    fn differences(&self, points: &[PhasePoint], dt: f64) -> Vec<Linear> {
        let sigma = PHASE_SIGMA_M.hypot(PHASE_SIGMA_M_S * dt);
        let (here, there) = (self.position(), get(&self.x, LAST));
        let mut rows: Vec<Linear> = Vec::with_capacity(points.len());
        let mut rows4: Vec<Row<4>> = Vec::with_capacity(points.len());
        for (index, point) in points.iter().enumerate() {
            let last = self.phases.iter().find(|l| l.sat == point.sat && l.code == point.code);
            let Some(last) = last.filter(|l| !point.slip && l.half_cycle == point.half_cycle) else {
                continue;
            };
            let line = line_of_sight(here, &point.state);
            let last_line = line_of_sight(there, &last.state);
            let computed = line.range_m + self.x[BIAS_M] - last_line.range_m - self.x[LAST_BIAS];
            let v = (point.range_m - last.range_m) - computed;
            let mut h = State::zeros();
            h.fixed_rows_mut::<3>(0).copy_from(&-vector(line.unit));
            h.fixed_rows_mut::<3>(LAST).copy_from(&vector(last_line.unit));
            h[BIAS_M] = 1.0;
            h[LAST_BIAS] = -1.0;
            rows.push(Linear { index, h, v, r: sigma * sigma });
            rows4.push(Row { h: direction(line.unit), v, w: 1.0 / (sigma * sigma) });
        }
        // The prediction is not good enough to see a slip of a cycle; the satellites among themselves are.
        while rows.len() >= 5 {
            let mut x = crate::lsq::Vector::<4>::zeros();
            for _ in 0..10 {
                let mut normal = Normal::<4>::new();
                for row in &rows4 {
                    normal.add(row, huber((row.v - row.h.dot(&x)) * row.w.sqrt(), 1.0));
                }
                let Some((solved, _)) = normal.solve() else { return Vec::new() };
                x = solved;
            }
            let worst = rows4
                .iter()
                .map(|row| (row.v - row.h.dot(&x)).abs())
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(&b.1));
            match worst {
                Some((index, residual)) if residual > 5.0 * sigma => {
                    rows.remove(index);
                    rows4.remove(index);
                }
                _ => return rows,
            }
        }
        // Four satellites or fewer cannot vouch for each other.
        Vec::new()
    }

    fn solution(&self, prepared: &Prepared, seen: &[Seen<'_>], taken: &[usize]) -> Option<Solution> {
        let position = self.position();
        let used: Vec<&Seen<'_>> = seen.iter().filter(|s| taken.contains(&s.index)).collect();
        let clocks = Clocks::against(self.reference, used.iter().map(|s| s.ranging.group));
        let units: Vec<(Ecef, Group, f64)> = used
            .iter()
            .map(|s| {
                let unit = line_of_sight(position, &s.ranging.state).unit;
                (unit, s.ranging.group, s.sight.common_variance)
            })
            .collect();
        let p: Matrix3<f64> = self.p.fixed_view::<3, 3>(0, 0).into_owned();
        if p.trace().is_nan()
            || p.trace() >= WORST_SIGMA_M * WORST_SIGMA_M
            || !self.x.iter().all(|v| v.is_finite())
        {
            return None;
        }
        let total = p + common_covariance(&units);
        let clock_bias_s = self.x[BIAS_M] / SPEED_OF_LIGHT;
        let biases_m: [f64; GROUPS] = std::array::from_fn(|i| self.x[GROUP + i]);
        let directions = units.iter().map(|&(unit, group, _)| (unit, clocks.free_bias_of(group)));
        let sights: Vec<Sight> = seen.iter().map(|s| s.sight).collect();
        Some(Solution {
            time: prepared.reading - clock_bias_s,
            position,
            velocity: Some(get(&self.x, VELOCITY)),
            clock_bias_s,
            clock_drift: self.x[DRIFT] / SPEED_OF_LIGHT,
            inter_system: solution::inter_system(&clocks, &biases_m),
            bds2_bias_m: solution::bds2_bias_m(&clocks, &biases_m),
            covariance_enu: covariance_enu(position, total),
            hpl_m: None,
            vpl_m: None,
            dop: dop::<N>(position, directions).unwrap_or_default(),
            sats: solution::uses(prepared, &sights, |index, r| {
                let range_m = line_of_sight(position, &r.state).range_m;
                let band_m = self.x[BAND + r.group.index()];
                (taken.contains(&index), range_m + self.x[BIAS_M] + self.bias_m(r.group), band_m)
            }),
            mode: FixMode::Filtered,
        })
    }
}

/// What errors that do not change from epoch to epoch (orbit, atmosphere) make of the position: the filter's
/// own covariance holds them for noise and averages them away.
fn common_covariance(units: &[(Ecef, Group, f64)]) -> Matrix3<f64> {
    let mut normal = Normal::<4>::new();
    for &(unit, _, variance) in units {
        normal.add(&Row { h: direction(unit), v: 0.0, w: 1.0 / variance.max(1e-4) }, 1.0);
    }
    normal.solve().map_or_else(Matrix3::zeros, |(_, q)| q.fixed_view::<3, 3>(0, 0).into_owned())
}

/// The carrier phases of an epoch, corrected for all but geometry and receiver clock.
fn phase_points(prepared: &Prepared, seen: &[Seen<'_>]) -> Vec<PhasePoint> {
    let mut points = Vec::with_capacity(seen.len());
    for s in seen.iter().filter(|s| s.visible) {
        for signal in prepared.signals_of(s.ranging).iter().filter(|signal| signal.share != 0.0) {
            let Some(phase) = signal.phase else { continue };
            points.push(PhasePoint {
                sat: s.ranging.sat,
                code: signal.code,
                // The ionosphere advances the carrier as it delays the code.
                range_m: phase.cycles * SPEED_OF_LIGHT / signal.carrier_hz
                    + signal.clock_m
                    + signal.gamma * s.sight.iono_m
                    - s.sight.tropo_m,
                slip: phase.slip,
                half_cycle: phase.half_cycle,
                state: s.ranging.state,
            });
        }
    }
    points
}
