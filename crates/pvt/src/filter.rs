//! Kalman filter over epochs.
//!
//! State: position, velocity, clock bias and drift, inter-system bias, and a copy of the position and clock
//! of the previous epoch. The copy lets the change of carrier phase between two epochs be used as what it
//! is, a difference of ranges good to a centimetre, so that a moving antenna is followed without lag while
//! pseudoranges are averaged over minutes. Every measurement passes a test of its innovation.

use megrez_orbit::{Ecef, GnssTime, NavData, ObservationEpoch};
use megrez_signal::{ObsCode, SPEED_OF_LIGHT, Sat};
use nalgebra::{Matrix3, SMatrix, SVector};

use crate::chi2;
use crate::lsq::{Normal, Row, huber};
use crate::model::{self, Path, Ranging, doppler_hz, line_of_sight};
use crate::spp::{Systems, covariance_enu, direction, dop, vector};
use crate::velocity::rate_sigma_m_s;
use crate::{FixMode, Refused, SatUse, Solution, SolveError, SolverConfig, solve};

/// Unknowns: 3 position, 3 velocity, clock, drift, bias, 3 previous position, previous clock.
const STATES: usize = 13;
/// Unknowns that a prediction starts from.
const CURRENT: usize = 9;
const VELOCITY: usize = 3;
const BIAS_M: usize = 6;
const DRIFT: usize = 7;
const SYSTEM: usize = 8;
const LAST: usize = 9;
const LAST_BIAS: usize = 12;

type State = SVector<f64, STATES>;
type Covariance = SMatrix<f64, STATES, STATES>;

/// Longest gap bridged by prediction, seconds.
const LONGEST_GAP_S: f64 = 10.0;
/// Correlation time of code noise and multipath: epochs closer than this count for less. Seconds.
const CODE_CORRELATION_S: f64 = 1.0;
/// Standard deviation of a difference of carrier phases between epochs, metres.
const PHASE_SIGMA_M: f64 = 0.015;
/// Epochs in a row, most of whose pseudoranges are refused, after which the filter starts afresh.
const LOST_AFTER: u32 = 3;
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
}

impl Dynamics {
    /// Power spectral density of the acceleration, m²/s³.
    fn acceleration_density(self) -> f64 {
        match self {
            Self::Static => 0.0,
            Self::Pedestrian => 1.0,
            Self::Vehicle => 9.0,
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
    half_cycle: bool,
    state: megrez_orbit::SatState,
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
    systems: Systems,
    phases: Vec<PhasePoint>,
    bad_epochs: u32,
}

/// One measurement linearised: `h · (x - x₀) = v` with variance `r`.
struct Linear {
    index: usize,
    h: State,
    v: f64,
    r: f64,
}

impl Filter {
    /// A filter that starts with the first epoch [`solve`] can solve.
    pub fn new(config: SolverConfig, dynamics: Dynamics) -> Self {
        Self { config, dynamics, running: None }
    }

    /// Takes in one epoch. After gaps, and when it no longer agrees with the measurements, the filter starts
    /// afresh from least squares.
    ///
    /// # Errors
    /// As [`solve`], while the filter has not started or its prediction has become too uncertain.
    pub fn update(&mut self, epoch: &ObservationEpoch, nav: &NavData) -> Result<Solution, SolveError> {
        let step = self.running.as_ref().map(|r| epoch.time - r.time);
        let (rangings, refused) = model::prepare(epoch, nav, &self.config);
        if let (Some(mut running), Some(dt)) = (self.running.take(), step)
            && dt > 0.0
            && dt <= LONGEST_GAP_S
        {
            running.predict(dt, self.dynamics);
            running.time = epoch.time;
            let solution = running.measure(epoch, &rangings, &self.config, dt, self.dynamics);
            if let Some(solution) = solution
                && running.bad_epochs < LOST_AFTER
            {
                self.running = Some(running);
                return Ok(solution);
            }
        }
        self.start(epoch, nav, &rangings, refused)
    }

    fn start(
        &mut self,
        epoch: &ObservationEpoch,
        nav: &NavData,
        rangings: &[Ranging],
        refused: Vec<Refused>,
    ) -> Result<Solution, SolveError> {
        let first = solve(epoch, nav, &self.config, None)?;
        let mut x = State::zeros();
        let mut p = Covariance::zeros();
        set(&mut x, 0, first.position);
        let still = self.dynamics == Dynamics::Static;
        set(&mut x, VELOCITY, first.velocity.filter(|_| !still).unwrap_or_default());
        x[BIAS_M] = first.clock_bias_s * SPEED_OF_LIGHT;
        x[DRIFT] = first.clock_drift * SPEED_OF_LIGHT;
        x[SYSTEM] = first.inter_system.first().map_or(0.0, |&(_, m)| m);
        let known = first.velocity.is_some();
        let speed_sigma = if still {
            0.0
        } else if known {
            10.0
        } else {
            50.0
        };
        for i in 0..3 {
            p[(i, i)] = 100f64.powi(2);
            p[(VELOCITY + i, VELOCITY + i)] = speed_sigma * speed_sigma;
        }
        p[(BIAS_M, BIAS_M)] = 100f64.powi(2);
        p[(DRIFT, DRIFT)] = if known { 10f64.powi(2) } else { 3e4f64.powi(2) };
        let used: Vec<&SatUse> = first.sats.iter().filter(|s| s.used).collect();
        let systems = Systems::of(used.iter().map(|s| s.sat));
        let bias_sigma = if systems.free { 100.0 } else { self.config.inter_system_sigma_m };
        p[(SYSTEM, SYSTEM)] = bias_sigma * bias_sigma;
        let mut running = Running { time: epoch.time, x, p, systems, phases: Vec::new(), bad_epochs: 0 };
        // Only what least squares accepted.
        let accepted: Vec<Ranging> = rangings
            .iter()
            .filter(|r| used.iter().any(|s| s.sat == r.sat && s.code == r.code))
            .cloned()
            .collect();
        let solution = running
            .measure(epoch, &accepted, &self.config, CODE_CORRELATION_S, self.dynamics)
            .ok_or(SolveError::TooFewSatellites { usable: first.sats_used(), needed: 4, refused })?;
        self.running = Some(running);
        Ok(Solution { sats: first.sats, ..solution })
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
        self.p[(SYSTEM, SYSTEM)] += 1e-4 * dt;
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

    /// Takes in an epoch. None if it does not leave a position that can be reported.
    fn measure(
        &mut self,
        epoch: &ObservationEpoch,
        rangings: &[Ranging],
        config: &SolverConfig,
        dt: f64,
        dynamics: Dynamics,
    ) -> Option<Solution> {
        let gate = chi2::threshold(1, config.false_alarm);
        let time = epoch.time - self.x[BIAS_M] / SPEED_OF_LIGHT;
        let here = self.position();
        let paths: Vec<Path> = rangings
            .iter()
            .map(|r| model::path(r, here, &line_of_sight(here, &r.state), time, config))
            .collect();
        let mask = config.elevation_mask_deg.to_radians();
        let visible: Vec<bool> = paths.iter().map(|p| p.azel.elevation >= mask).collect();

        let jumped = self.follow_clock_jump(rangings, &paths, &visible);
        let codes = self.codes(rangings, &paths, &visible, dt);
        let offered = codes.len();
        let taken = self.absorb_all(codes, gate);
        if offered == 0 {
            return None;
        }
        self.bad_epochs = if taken.len() * 2 < offered { self.bad_epochs + 1 } else { 0 };
        let dopplers = self.dopplers(rangings, &visible);
        self.absorb_all(dopplers, gate);

        let points = phase_points(epoch, rangings, &paths, &visible);
        if !jumped {
            let differences = self.differences(epoch, &points);
            self.absorb_all(differences, gate);
        }
        self.phases = points;
        if dynamics == Dynamics::Static {
            set(&mut self.x, VELOCITY, Ecef::default());
        }
        self.solution(rangings, &paths, &visible, &taken, epoch.time)
    }

    /// Pseudorange computed from the state.
    fn computed(&self, r: &Ranging, path: &Path, range_m: f64) -> f64 {
        let bias = if self.systems.biased(r.sat.constellation) { self.x[SYSTEM] } else { 0.0 };
        range_m + self.x[BIAS_M] + bias - r.clock_m + path.delay_m()
    }

    fn codes(&self, rangings: &[Ranging], paths: &[Path], visible: &[bool], dt: f64) -> Vec<Linear> {
        let correlated = (CODE_CORRELATION_S / dt).max(1.0);
        let mut rows = Vec::with_capacity(rangings.len());
        for (index, ((r, path), _)) in rangings.iter().zip(paths).zip(visible).enumerate().filter(|x| *x.1.1)
        {
            let line = line_of_sight(self.position(), &r.state);
            let mut h = State::zeros();
            h.fixed_rows_mut::<3>(0).copy_from(&-vector(line.unit));
            h[BIAS_M] = 1.0;
            if self.systems.biased(r.sat.constellation) {
                h[SYSTEM] = 1.0;
            }
            let v = r.pseudorange_m - self.computed(r, path, line.range_m);
            let variance = path.own_variance + path.common_variance * r.siblings as f64;
            rows.push(Linear { index, h, v, r: variance * correlated });
        }
        rows
    }

    fn dopplers(&self, rangings: &[Ranging], visible: &[bool]) -> Vec<Linear> {
        let velocity = get(&self.x, VELOCITY);
        let drift = self.x[DRIFT] / SPEED_OF_LIGHT;
        let mut rows = Vec::with_capacity(rangings.len());
        for (index, (r, _)) in rangings.iter().zip(visible).enumerate().filter(|x| *x.1.1) {
            let Some(measured_hz) = r.doppler_hz else { continue };
            let line = line_of_sight(self.position(), &r.state);
            let rate = line.rate_m_s - line.unit.dot(velocity);
            let computed_hz = doppler_hz(r.carrier_hz, rate, r.state.clock_drift, drift);
            let mut h = State::zeros();
            h.fixed_rows_mut::<3>(VELOCITY).copy_from(&-vector(line.unit));
            h[DRIFT] = 1.0;
            let v = (computed_hz - measured_hz) * SPEED_OF_LIGHT / r.carrier_hz;
            let sigma = rate_sigma_m_s(r.carrier_hz, r.cn0_dbhz);
            rows.push(Linear { index, h, v, r: sigma * sigma });
        }
        rows
    }

    /// Receivers may step their clocks, by a millisecond mostly. A step common to all pseudoranges is taken
    /// into the clock state.
    fn follow_clock_jump(&mut self, rangings: &[Ranging], paths: &[Path], visible: &[bool]) -> bool {
        let mut innovations: Vec<f64> =
            self.codes(rangings, paths, visible, CODE_CORRELATION_S).iter().map(|m| m.v).collect();
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
    fn differences(&self, epoch: &ObservationEpoch, points: &[PhasePoint]) -> Vec<Linear> {
        let (here, there) = (self.position(), get(&self.x, LAST));
        let mut rows: Vec<Linear> = Vec::with_capacity(points.len());
        let mut rows4: Vec<Row> = Vec::with_capacity(points.len());
        for (index, point) in points.iter().enumerate() {
            let slipped =
                epoch.observations.iter().any(|o| o.sat == point.sat && o.code == point.code && o.slip);
            let last = self.phases.iter().find(|l| l.sat == point.sat && l.code == point.code);
            let Some(last) = last.filter(|l| !slipped && l.half_cycle == point.half_cycle) else { continue };
            let line = line_of_sight(here, &point.state);
            let last_line = line_of_sight(there, &last.state);
            let computed = line.range_m + self.x[BIAS_M] - last_line.range_m - self.x[LAST_BIAS];
            let v = (point.range_m - last.range_m) - computed;
            let mut h = State::zeros();
            h.fixed_rows_mut::<3>(0).copy_from(&-vector(line.unit));
            h.fixed_rows_mut::<3>(LAST).copy_from(&vector(last_line.unit));
            h[BIAS_M] = 1.0;
            h[LAST_BIAS] = -1.0;
            rows.push(Linear { index, h, v, r: PHASE_SIGMA_M * PHASE_SIGMA_M });
            rows4.push(Row { h: direction(line.unit), v, w: 1.0 / (PHASE_SIGMA_M * PHASE_SIGMA_M) });
        }
        // The prediction is not good enough to see a slip of a cycle; the satellites among themselves are.
        while rows.len() >= 5 {
            let mut x = crate::lsq::Vector::zeros();
            for _ in 0..10 {
                let mut normal = Normal::new();
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
                Some((index, residual)) if residual > 5.0 * PHASE_SIGMA_M => {
                    rows.remove(index);
                    rows4.remove(index);
                }
                _ => return rows,
            }
        }
        // Four satellites or fewer cannot vouch for each other.
        Vec::new()
    }

    fn solution(
        &self,
        rangings: &[Ranging],
        paths: &[Path],
        visible: &[bool],
        taken: &[usize],
        reading: GnssTime,
    ) -> Option<Solution> {
        let position = self.position();
        let mut sats = Vec::with_capacity(rangings.len());
        let mut units: Vec<(Sat, Ecef, f64)> = Vec::new();
        for (index, ((r, path), _)) in rangings.iter().zip(paths).zip(visible).enumerate() {
            let line = line_of_sight(position, &r.state);
            let used = taken.contains(&index);
            if used && units.last().is_none_or(|&(sat, ..)| sat != r.sat) {
                units.push((r.sat, line.unit, path.common_variance));
            }
            sats.push(SatUse {
                sat: r.sat,
                code: r.code,
                azel: path.azel,
                residual_m: r.pseudorange_m - self.computed(r, path, line.range_m),
                used,
                cn0_dbhz: r.cn0_dbhz,
            });
        }
        let p: Matrix3<f64> = self.p.fixed_view::<3, 3>(0, 0).into_owned();
        if p.trace().is_nan()
            || p.trace() >= WORST_SIGMA_M * WORST_SIGMA_M
            || !self.x.iter().all(|v| v.is_finite())
        {
            return None;
        }
        let total = p + common_covariance(&units);
        let clock_bias_s = self.x[BIAS_M] / SPEED_OF_LIGHT;
        let biased = |sat: Sat| self.systems.free && self.systems.biased(sat.constellation);
        Some(Solution {
            time: reading - clock_bias_s,
            position,
            velocity: Some(get(&self.x, VELOCITY)),
            clock_bias_s,
            clock_drift: self.x[DRIFT] / SPEED_OF_LIGHT,
            inter_system: self.systems.second.map(|c| (c, self.x[SYSTEM])).into_iter().collect(),
            covariance_enu: covariance_enu(position, total),
            dop: dop(position, units.iter().map(|&(sat, unit, _)| (unit, biased(sat)))).unwrap_or_default(),
            sats,
            mode: FixMode::Filtered,
        })
    }
}

/// What errors that do not change from epoch to epoch (orbit, atmosphere) make of the position: the filter's
/// own covariance holds them for noise and averages them away.
fn common_covariance(units: &[(Sat, Ecef, f64)]) -> Matrix3<f64> {
    let mut normal = Normal::new();
    for &(_, unit, variance) in units {
        normal.add(&Row { h: direction(unit), v: 0.0, w: 1.0 / variance.max(1e-4) }, 1.0);
    }
    normal.solve().map_or_else(Matrix3::zeros, |(_, q)| q.fixed_view::<3, 3>(0, 0).into_owned())
}

/// The carrier phases of an epoch, corrected for all but geometry and receiver clock.
fn phase_points(
    epoch: &ObservationEpoch,
    rangings: &[Ranging],
    paths: &[Path],
    visible: &[bool],
) -> Vec<PhasePoint> {
    let mut points = Vec::with_capacity(rangings.len());
    for ((r, path), _) in rangings.iter().zip(paths).zip(visible).filter(|x| *x.1) {
        let Some(o) = epoch.observations.iter().find(|o| o.sat == r.sat && o.code == r.code) else {
            continue;
        };
        let Some(cycles) = o.carrier_phase_cycles.filter(|c| c.is_finite()) else { continue };
        points.push(PhasePoint {
            sat: r.sat,
            code: r.code,
            // The ionosphere advances the carrier as it delays the code.
            range_m: cycles * SPEED_OF_LIGHT / r.carrier_hz + r.clock_m + path.iono_m - path.tropo_m,
            half_cycle: o.half_cycle,
            state: r.state,
        });
    }
    points
}
