//! Relative positioning by carrier phase: a rover to millimetres from a base.
//!
//! Differences between the receivers, signal by signal, add to an information matrix of position and ambiguities; from
//! that come double differences, integers ([`Lambda`]) and a position. A fix is given only if all of this agrees: the success rate, the ratio test, the float solution
//! within its covariance, the residuals of the epoch, and the integers of the epochs before.
//!
//! ```
//! use megrez_orbit::{NavData, ObservationEpoch};
//! use megrez_pvt::rtk::{Rtk, RtkConfig, RtkError};
//!
//! let mut rtk = Rtk::new(RtkConfig::default());
//! let (rover, base) = (ObservationEpoch::default(), ObservationEpoch::default());
//! assert!(matches!(rtk.update(&rover, &[base], &NavData::default()), Err(RtkError::NoBasePosition(_))));
//! ```

mod atmosphere;
mod combine;
mod config;
mod dense;
mod epoch;
mod information;
mod lambda;
mod ratio;
mod resolve;
mod single;
mod slip;
mod solution;

use megrez_orbit::{Ecef, GnssTime, NavData, ObservationEpoch};
use megrez_signal::{Constellation, Sat};

pub use combine::combine;
pub use config::{RtkConfig, RtkMode};
pub use lambda::{Candidate, Lambda, LambdaError};
pub use solution::{RtkError, RtkSat, RtkSolution, RtkStatus};

use crate::SolverConfig;
use atmosphere::Atmosphere;
use epoch::Fit;
use information::{Information, Row, Unknown};
use resolve::{Resolver, Role};
use single::{BaseEpochs, Group, Link, Single, Singles};
use slip::Tracks;

/// Satellites without which there is no position.
const FEWEST_SATS: usize = 4;
/// Distance from the point of linearisation within which the geometry is linear to a tenth of a millimetre, m.
const LINEAR_M: f64 = 50.0;
/// One of so many satellites may be left out of an epoch before it is given up as float.
const SATS_FOR_EXCLUSION: usize = 6;
/// Seconds for which a satellite stays left out.
const SUSPENSION_S: f64 = 30.0;
/// Seconds without a solution after which nothing is carried over.
const LONGEST_GAP_S: f64 = 120.0;
/// Interval between epochs before it is known, s.
const USUAL_INTERVAL_S: f64 = 1.0;
/// Epochs that must agree after integers have contradicted those before.
const CONFIRMATIONS: u32 = 5;

/// Positions a rover epoch by epoch.
#[derive(Debug, Clone)]
pub struct Rtk {
    config: RtkConfig,
    information: Information,
    /// Point of linearisation.
    origin: Option<Ecef>,
    tracks: Tracks,
    resolver: Resolver,
    /// Integers of the last fixed epoch, against their references.
    held: Vec<(Link, f64)>,
    /// Fixed epochs in a row whose integers agree.
    agreeing: u32,
    suspended: Vec<(Sat, GnssTime)>,
    // Working memory.
    before: Information,
    groups: Vec<Group>,
    roles: Vec<Role>,
    rows: Vec<Row>,
    sums: Vec<f64>,
}

/// What one attempt at an epoch gave.
struct Attempt {
    solution: resolve::Resolution,
    fit: Fit,
    accepted: bool,
}

impl Rtk {
    /// A rover of which nothing is known.
    pub fn new(config: RtkConfig) -> Self {
        Self {
            config,
            information: Information::new(),
            origin: None,
            tracks: Tracks::default(),
            resolver: Resolver::default(),
            held: Vec::new(),
            agreeing: CONFIRMATIONS,
            suspended: Vec::new(),
            before: Information::new(),
            groups: Vec::new(),
            roles: Vec::new(),
            rows: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// Settings.
    pub fn config(&self) -> &RtkConfig {
        &self.config
    }

    /// Forgets everything but the settings.
    pub fn reset(&mut self) {
        *self = Self::new(self.config.clone());
    }

    /// Position at a rover epoch, with the base epoch nearest to it of `base`, or by interpolation between the two
    /// around it. Observations must be sorted by satellite, base epochs by time; rover epochs may go forwards or
    /// backwards in time.
    ///
    /// # Errors
    /// [`RtkError`] says what was missing.
    pub fn update(
        &mut self,
        rover: &ObservationEpoch,
        base: &[ObservationEpoch],
        nav: &NavData,
    ) -> Result<RtkSolution, RtkError> {
        let time = rover.time;
        let max_age_s = self.config.max_age_s;
        let base = BaseEpochs::choose(base, time, max_age_s).ok_or(RtkError::NoBase { time, max_age_s })?;
        let base_position = match self.config.base {
            Some(position) => position,
            None => {
                crate::solve(base.near, nav, &SolverConfig::default(), None)
                    .map_err(|_| RtkError::NoBasePosition(base.near.time))?
                    .position
            }
        };
        let differences = Singles::new(rover, base, base_position, nav, &self.config);
        if differences.sats() < FEWEST_SATS {
            return Err(RtkError::TooFewSatellites { found: differences.sats(), needed: FEWEST_SATS });
        }
        let elapsed_s = self.forget_old(time);
        let (origin, mut singles) = self.linearise(&differences, base_position)?;
        if self.config.mode != RtkMode::Instantaneous {
            self.tracks.mark(&mut singles, time, origin, self.config.mode);
            self.tracks.keep(&singles, time, origin);
        }
        self.predict(&singles, origin.distance(base_position), elapsed_s);
        let mut excluded: Vec<Sat> = self.suspended.iter().map(|(sat, _)| *sat).collect();
        let attempt = self.attempts(&singles, &mut excluded).ok_or(RtkError::Undetermined)?;
        let solution = self.report(attempt, &singles, &excluded, time, origin, base_position, base.age_s);
        if self.config.mode != RtkMode::Instantaneous {
            if solution.is_fixed() {
                self.suspend(&excluded, time);
            }
            self.carry(&singles, &excluded, elapsed_s);
        }
        Ok(solution)
    }

    /// Leaves satellites out for a while.
    fn suspend(&mut self, excluded: &[Sat], time: GnssTime) {
        for sat in excluded {
            if !self.suspended.iter().any(|(s, _)| s == sat) {
                self.suspended.push((*sat, time));
            }
        }
    }

    /// Makes the information that of the next epoch: this one counts for as much as it tells beyond those before.
    fn carry(&mut self, singles: &[Single], excluded: &[Sat], elapsed_s: f64) {
        let elapsed_s = if elapsed_s > 0.0 { elapsed_s } else { USUAL_INTERVAL_S };
        self.add_all(singles, excluded, (elapsed_s / self.config.correlation_s).min(1.0));
    }

    /// Drops what is too old to be carried over; returns the time since the last epoch.
    fn forget_old(&mut self, time: GnssTime) -> f64 {
        self.suspended.retain(|(_, since)| (time - *since).abs() < SUSPENSION_S);
        let elapsed_s = self.tracks.time().map_or(0.0, |last| (time - last).abs());
        let gap = elapsed_s.is_nan() || elapsed_s > LONGEST_GAP_S;
        if self.config.mode == RtkMode::Instantaneous || gap {
            self.information = Information::new();
            self.tracks.clear();
            self.held.clear();
            self.suspended.clear();
        } else if self.config.mode == RtkMode::Kinematic {
            self.information.forget_position();
            self.information.fade((-elapsed_s / self.config.memory_s).exp());
        }
        elapsed_s
    }

    /// The differences, reduced from a point so near the rover that the geometry is linear, without gross errors of
    /// the code.
    fn linearise(&mut self, differences: &Singles, base: Ecef) -> Result<(Ecef, Vec<Single>), RtkError> {
        let mut origin = self.origin.unwrap_or(base);
        for _ in 0..10 {
            let mut singles = differences.reduce(origin, &self.config, &mut self.groups);
            let shift = epoch::code_position(&mut singles, self.groups.len(), &mut self.rows, &mut self.sums)
                .ok_or(RtkError::Undetermined)?;
            if shift.norm() < LINEAR_M {
                self.origin = Some(origin);
                return Ok((origin, singles));
            }
            self.information.shift([shift.x, shift.y, shift.z]);
            origin += shift;
        }
        Err(RtkError::Undetermined)
    }

    /// Brings the unknowns to those of this epoch.
    fn predict(&mut self, singles: &[Single], length_m: f64, elapsed_s: f64) {
        let tracked = |link: Link| singles.iter().any(|s| s.link == link && s.phase_m.is_some() && !s.slip);
        self.information.retain(|u| !matches!(u, Unknown::Ambiguity(link) if !tracked(link)));
        self.held.retain(|(link, _)| tracked(*link));
        let fresh: Vec<Unknown> = singles
            .iter()
            .filter(|s| s.phase_m.is_some())
            .map(|s| Unknown::Ambiguity(s.link))
            .filter(|u| self.information.index(*u).is_none())
            .collect();
        self.information.append(&fresh);
        if length_m >= self.config.long_baseline_m {
            Atmosphere { length_m }.predict(&mut self.information, singles, elapsed_s);
        } else {
            Atmosphere::forget(&mut self.information);
        }
    }

    /// Adds the epoch's measurements to the information and resolves, leaving out one satellite after the other
    /// as long as one contradicts the rest. None if the measurements do not determine the position.
    fn attempts(&mut self, singles: &[Single], excluded: &mut Vec<Sat>) -> Option<Attempt> {
        self.before.copy_from(&self.information);
        let at_first = excluded.len();
        let mut sats: Vec<Sat> = singles.iter().map(|s| s.link.sat).collect();
        sats.dedup();
        let most = sats.len() / SATS_FOR_EXCLUSION;
        while let Some(mut attempt) = self.attempt(singles, excluded) {
            if attempt.accepted && (excluded.is_empty() || attempt.fit.convincing()) {
                attempt.accepted = self.agrees(&attempt.solution);
                return Some(attempt);
            }
            match attempt.fit.contradiction() {
                Some(sat) if excluded.len() < most && attempt.solution.fixed > 0 => excluded.push(sat),
                // One attempt only: nothing to take back.
                _ if excluded.len() == at_first => return Some(Attempt { accepted: false, ..attempt }),
                _ => break,
            }
        }
        // Nothing helped: a float solution without those known to be bad.
        excluded.truncate(at_first);
        let attempt = self.attempt(singles, excluded)?;
        Some(Attempt { accepted: false, ..attempt })
    }

    /// Adds the measurements of all satellites but the excluded to the information as it was before the epoch,
    /// with their weights scaled.
    fn add_all(&mut self, singles: &[Single], excluded: &[Sat], scale: f64) {
        self.information.copy_from(&self.before);
        for i in 0..self.information.unknowns().len() {
            if matches!(self.information.unknowns()[i], Unknown::Ambiguity(l) if excluded.contains(&l.sat)) {
                self.information.forget(information::POSITION + i);
            }
        }
        for group in 0..self.groups.len() {
            let members = || singles.iter().filter(|s| s.group == group && !excluded.contains(&s.link.sat));
            self.rows.clear();
            self.rows.extend(members().filter_map(|s| {
                let [ionosphere, zenith] = Atmosphere::terms(&self.information, s, 1.0);
                let terms = [None, ionosphere, zenith];
                Some(Row { unit: towards(s), terms, value: s.code_m?, weight: scale / s.code_variance })
            }));
            self.information.add(&self.rows, &mut self.sums);
            self.rows.clear();
            self.rows.extend(members().filter_map(|s| {
                let ambiguity = (self.information.index(Unknown::Ambiguity(s.link))?, s.wavelength_m);
                let [ionosphere, zenith] = Atmosphere::terms(&self.information, s, -1.0);
                let terms = [Some(ambiguity), ionosphere, zenith];
                Some(Row { unit: towards(s), terms, value: s.phase_m?, weight: scale / s.phase_variance })
            }));
            self.information.add(&self.rows, &mut self.sums);
        }
    }

    /// Gives each unknown its role: in each group of ambiguities that of the highest satellite is the reference.
    fn assign(&mut self, singles: &[Single], excluded: &[Sat]) {
        self.roles.clear();
        self.roles.extend(self.information.unknowns().iter().map(|u| match u {
            Unknown::Ambiguity(_) => Role::Reference,
            _ => Role::Real,
        }));
        for group in 0..self.groups.len() {
            let mut highest: Option<(usize, &Single)> = None;
            for s in singles.iter().filter(|s| s.group == group && s.phase_m.is_some()) {
                if excluded.contains(&s.link.sat) {
                    continue;
                }
                let Some(index) = self.information.index(Unknown::Ambiguity(s.link)) else { continue };
                let index = index - information::POSITION;
                let Some(role) = self.roles.get_mut(index) else { continue };
                *role = if integer(s) { Role::Integer } else { Role::Real };
                let rank = |s: &Single| (!s.half_cycle, s.azel.elevation);
                if highest.is_none_or(|(_, h)| rank(s) > rank(h)) {
                    highest = Some((index, s));
                }
            }
            if let Some(role) = highest.and_then(|(index, _)| self.roles.get_mut(index)) {
                *role = Role::Reference;
            }
        }
    }

    fn attempt(&mut self, singles: &[Single], excluded: &[Sat]) -> Option<Attempt> {
        self.add_all(singles, excluded, 1.0);
        self.assign(singles, excluded);
        let solution = self.resolver.resolve(&self.information, &self.roles, &self.config)?;
        let fit = Fit::new(singles, excluded, self.groups.len(), &solution, &self.information);
        let accepted = solution.accepted && fit.good();
        Some(Attempt { solution, fit, accepted })
    }

    /// Whether the integers are those of the epochs before, where there is no slip between.
    fn agrees(&mut self, solution: &resolve::Resolution) -> bool {
        if solution.fixed < solution.candidates || self.config.mode == RtkMode::Instantaneous {
            return true;
        }
        let unknowns = self.information.unknowns();
        let value = |link: Link| {
            let at = unknowns.iter().position(|u| *u == Unknown::Ambiguity(link))?;
            (self.roles.get(at) != Some(&Role::Real)).then(|| solution.values.get(at).copied())?
        };
        // A change of the reference adds the same number to all of a group.
        let mut offsets: Vec<(Group, f64)> = Vec::with_capacity(self.groups.len());
        let mut same = true;
        for (link, old) in &self.held {
            let Some(new) = value(*link) else { continue };
            let group = link.group(&self.config);
            match offsets.iter().find(|(g, _)| *g == group) {
                Some((_, offset)) => same &= (new - old - offset).abs() < 0.1,
                None => offsets.push((group, new - old)),
            }
        }
        self.agreeing = if same { self.agreeing.saturating_add(1) } else { 0 };
        self.held.clear();
        let present = unknowns.iter().zip(&solution.values).zip(&self.roles);
        self.held.extend(present.filter_map(|((unknown, value), role)| match (unknown, role) {
            (_, Role::Real) => None,
            (Unknown::Ambiguity(link), _) => Some((*link, *value)),
            _ => None,
        }));
        self.agreeing >= CONFIRMATIONS
    }

    #[allow(clippy::too_many_arguments)]
    fn report(
        &mut self,
        attempt: Attempt,
        singles: &[Single],
        excluded: &[Sat],
        time: GnssTime,
        origin: Ecef,
        base: Ecef,
        age_s: f64,
    ) -> RtkSolution {
        let Attempt { mut solution, mut fit, accepted } = attempt;
        let whole = solution.fixed == solution.candidates && solution.candidates > 0;
        let precise = solution.covariance.trace() < epoch::PRECISE_M * epoch::PRECISE_M;
        let status = match (accepted && precise, whole) {
            (false, _) => RtkStatus::Float,
            (true, false) => RtkStatus::Partial,
            (true, true) => RtkStatus::Fixed,
        };
        if status == RtkStatus::Float && solution.fixed > 0 {
            self.resolver.unfix(&self.information, &mut solution);
            fit = Fit::new(singles, excluded, self.groups.len(), &solution, &self.information);
        }
        let at = |v: &nalgebra::Vector3<f64>| origin + Ecef::new(v.x, v.y, v.z);
        let place = base.to_geodetic();
        let columns: Vec<_> = (0..3)
            .map(|i| {
                let column = solution.covariance.column(i);
                Ecef::new(column[0], column[1], column[2]).to_enu(place)
            })
            .collect();
        let row = |pick: fn(&megrez_orbit::Enu) -> f64| {
            let [x, y, z] = [0, 1, 2].map(|i| columns.get(i).map_or(0.0, pick));
            let enu = Ecef::new(x, y, z).to_enu(place);
            [enu.e, enu.n, enu.u]
        };
        let sats = singles
            .iter()
            .zip(&fit.residuals)
            .map(|(s, residual)| {
                let index = self.information.index(Unknown::Ambiguity(s.link));
                let role = index.and_then(|i| self.roles.get(i - information::POSITION));
                RtkSat {
                    sat: s.link.sat,
                    code: s.link.rover,
                    azel: s.azel,
                    code_residual_m: residual.0,
                    phase_residual_m: residual.1,
                    fixed: status == RtkStatus::Fixed
                        && integer(s)
                        && residual.1.is_some()
                        && role.is_some_and(|r| *r != Role::Real),
                    slip: s.slip,
                }
            })
            .collect();
        RtkSolution {
            time,
            status,
            position: at(&solution.position),
            base,
            covariance_enu: [row(|e| e.e), row(|e| e.n), row(|e| e.u)],
            float_position: at(&solution.float_position),
            ratio: solution.ratio,
            ratio_threshold: solution.threshold,
            success_rate: solution.success_rate,
            variance_factor: fit.variance_factor,
            ambiguities: solution.candidates,
            ambiguities_fixed: if status == RtkStatus::Float { 0 } else { solution.fixed },
            age_s,
            sats,
            excluded: excluded.to_vec(),
        }
    }
}

/// Whether the ambiguity of a difference can be an integer: the channels of GLONASS have different delays and
/// wavelengths.
fn integer(s: &Single) -> bool {
    !s.half_cycle && s.link.sat.constellation != Constellation::Glonass
}

/// The part of a difference in the coordinates of the rover.
fn towards(s: &Single) -> [f64; information::POSITION] {
    [-s.unit.x, -s.unit.y, -s.unit.z]
}
