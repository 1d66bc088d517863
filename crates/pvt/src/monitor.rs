//! Deformation: a baseline by session, and whether it has changed.
//!
//! [`Monitor`] makes a baseline of each session from relative positions; [`displacement`] finds the step that
//! explains a series best and says whether it is significant. The noise is taken from the series itself, as white and
//! correlated from session to session: the formal covariance of carrier phases knows nothing of multipath.
//! What multipath repeats with the satellites' geometry, [`repeat_filter`] takes away.
//!
//! ```
//! use megrez_orbit::{Enu, GnssTime};
//! use megrez_pvt::monitor::{Session, Significance, displacement};
//!
//! let sessions: Vec<Session> = (0..20)
//!     .map(|k| {
//!         // A millimetre of noise, and 10 mm to the east from the twelfth session on.
//!         let noise = 1e-3 * f64::from(k * 7 % 5 - 2) / 2.0;
//!         let step = if k < 12 { 0.0 } else { 0.01 };
//!         let time = GnssTime::from_gpst(2400, 3600.0 * f64::from(k));
//!         Session::new(time, Enu { e: 5.0 + step + noise, n: 1.0 - noise, u: 0.5 * noise })
//!     })
//!     .collect();
//! let found = displacement(&sessions, Significance::default()).expect("ten times the noise");
//! assert_eq!(found.time, sessions[12].time);
//! assert!((found.change.e - 0.01).abs() < 1e-3);
//! assert!(displacement(&sessions[..12], Significance::default()).is_none());
//! ```

use megrez_orbit::{Enu, GnssTime, NavData, ObservationEpoch};
use nalgebra::{Matrix3, Vector3};

use crate::rtk::{Rtk, RtkConfig, RtkError, RtkMode, RtkSat, RtkSolution};

mod fisher;

/// Fewest sessions on either side of a step.
const FEWEST: usize = 3;
/// Greatest correlation between neighbours that is believed: beyond it a series has no level.
const MOST_CORRELATED: f64 = 0.95;
/// Least standard deviation of a session, m.
const LEAST_SIGMA_M: f64 = 1e-5;

/// The baseline of one session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Session {
    /// Time of its first epoch.
    pub time: GnssTime,
    /// Rover less base in the local frame at the base, m.
    pub baseline: Enu,
    /// Epochs with a position.
    pub epochs: usize,
    /// Those with integer ambiguities.
    pub fixed: usize,
    /// Mean dilution of precision of differences between satellites in east, north and up, of the fixed epochs.
    pub dop: Enu,
}

impl Session {
    /// A baseline from elsewhere, as of one fixed epoch of good geometry.
    pub fn new(time: GnssTime, baseline: Enu) -> Self {
        Self { time, baseline, epochs: 1, fixed: 1, dop: Enu { e: 1.0, n: 1.0, u: 1.0 } }
    }
}

/// Settings of [`Monitor`].
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorConfig {
    /// Settings of the positions. At rest, every session resolves its ambiguities anew and is independent of the
    /// others; moving, ambiguities are kept and a session is the mean of its epochs.
    pub rtk: RtkConfig,
    /// Length of a session, s.
    pub session_s: f64,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        let rtk = RtkConfig { mode: RtkMode::Static, ..RtkConfig::default() };
        Self { rtk, session_s: 3600.0 }
    }
}

/// Positions by session.
#[derive(Debug, Clone)]
pub struct Monitor {
    config: MonitorConfig,
    rtk: Rtk,
    current: Option<Session>,
}

impl Monitor {
    /// A monitor that has seen nothing.
    pub fn new(config: MonitorConfig) -> Self {
        Self { rtk: Rtk::new(config.rtk.clone()), config, current: None }
    }

    /// Adds an epoch (see [`Rtk::update`]); returns a session when one has ended and half of its epochs were fixed. Sessions begin at
    /// whole multiples of their length since the start of the GPS week.
    ///
    /// # Errors
    /// [`RtkError`] if the epoch has no position. The session goes on.
    pub fn push(
        &mut self,
        rover: &ObservationEpoch,
        base: &[ObservationEpoch],
        nav: &NavData,
    ) -> Result<Option<Session>, RtkError> {
        let index = |t: GnssTime| {
            let (week, tow) = t.gpst();
            // Receiver clocks are off by up to a millisecond.
            (week, ((tow + 0.005) / self.config.session_s).floor())
        };
        let ended = match &self.current {
            Some(session) if index(session.time) != index(rover.time) => self.finish(),
            _ => None,
        };
        let solution = match self.rtk.update(rover, base, nav) {
            Ok(solution) => solution,
            // A session that has ended is worth more than the reason why one epoch has no position.
            Err(_) if ended.is_some() => return Ok(ended),
            Err(error) => return Err(error),
        };
        let zero =
            Session { time: rover.time, baseline: Enu::default(), epochs: 0, fixed: 0, dop: Enu::default() };
        let session = self.current.get_or_insert(zero);
        session.epochs += 1;
        if solution.is_fixed() {
            session.fixed += 1;
            let b = solution.baseline();
            // Positions at rest hold all epochs before, others are averaged.
            let weight = match self.config.rtk.mode {
                RtkMode::Static => 1.0,
                _ => 1.0 / session.fixed as f64,
            };
            session.baseline = towards(session.baseline, b, weight);
            session.dop = towards(session.dop, dilution(&solution), 1.0 / session.fixed as f64);
        }
        Ok(ended)
    }

    /// Ends the session under way; none if fewer than half of its epochs were fixed: the few may be wrong.
    pub fn finish(&mut self) -> Option<Session> {
        if self.config.rtk.mode == RtkMode::Static {
            self.rtk.reset();
        }
        self.current.take().filter(|session| session.fixed > 0 && 2 * session.fixed >= session.epochs)
    }
}

/// Part `weight` of the way from `from` to `to`.
fn towards(from: Enu, to: Enu, weight: f64) -> Enu {
    let [from, to] = [from, to].map(components);
    enu([0, 1, 2].map(|axis| from[axis] + weight * (to[axis] - from[axis])))
}

/// Dilution of precision of the differences between satellites of one system, of one phase each.
fn dilution(solution: &RtkSolution) -> Enu {
    let mut used: Vec<_> = solution.sats.iter().filter(|s| s.phase_residual_m.is_some()).collect();
    used.sort_by_key(|s| s.sat);
    used.dedup_by_key(|s| s.sat);
    let mut normal = Matrix3::zeros();
    for system in used.chunk_by(|a, b| a.sat.constellation == b.sat.constellation) {
        let unit = |s: &&RtkSat| {
            let ((sin_a, cos_a), (sin_e, cos_e)) = (s.azel.azimuth.sin_cos(), s.azel.elevation.sin_cos());
            Vector3::new(cos_e * sin_a, cos_e * cos_a, sin_e)
        };
        let mean = system.iter().map(unit).sum::<Vector3<f64>>() / system.len() as f64;
        normal +=
            system.iter().map(|s| (unit(s) - mean) * (unit(s) - mean).transpose()).sum::<Matrix3<f64>>();
    }
    let cofactors = normal.try_inverse().unwrap_or_else(Matrix3::identity).diagonal();
    let [e, n, u] = [cofactors.x, cofactors.y, cofactors.z].map(|q| q.max(0.0).sqrt());
    Enu { e, n, u }
}

/// Noise of a series in east, north and up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Noise {
    /// Standard deviation of a session, m.
    pub sigma: Enu,
    /// Correlation of neighbouring sessions, 0 to 0.95.
    pub correlation: Enu,
}

/// When a displacement is significant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Significance {
    /// Probability with which a series without a step shows none, whatever the number of sessions.
    pub confidence: f64,
    /// Standard deviation of a step that is none, m: multipath and antennas move a baseline by tenths of a
    /// millimetre in ways that the scatter of a short series does not show. It grows with [`Session::dop`] above 1.
    pub unmodelled_m: f64,
}

impl Default for Significance {
    fn default() -> Self {
        Self { confidence: 0.99, unmodelled_m: 5e-4 }
    }
}

/// A step of the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Displacement {
    /// Time of the first session after it.
    pub time: GnssTime,
    /// Baseline after less baseline before, m.
    pub change: Enu,
    /// Standard deviation of `change`, m.
    pub sigma: Enu,
    /// Test statistic over its threshold: 1 is just significant.
    pub significance: f64,
    /// Noise of the sessions.
    pub noise: Noise,
}

/// The components of a baseline.
fn components(enu: Enu) -> [f64; 3] {
    [enu.e, enu.n, enu.u]
}

fn enu([e, n, u]: [f64; 3]) -> Enu {
    Enu { e, n, u }
}

/// Mean of one component.
fn mean(sessions: &[Session], axis: usize) -> f64 {
    let sum: f64 = sessions.iter().map(|s| components(s.baseline)[axis]).sum();
    sum / sessions.len().max(1) as f64
}

/// Standard deviation of one component and the correlation of neighbours, of sessions that are in `parts` with levels
/// of their own.
fn scatter(parts: &[&[Session]], axis: usize) -> (f64, f64) {
    let (mut squares, mut products, mut count, mut pairs) = (0.0, 0.0, 0, 0);
    for part in parts {
        let level = mean(part, axis);
        let rest = |s: &Session| components(s.baseline)[axis] - level;
        squares += part.iter().map(|s| rest(s).powi(2)).sum::<f64>();
        products += part.windows(2).map(|w| rest(&w[0]) * rest(&w[1])).sum::<f64>();
        count += part.len();
        pairs += part.len().saturating_sub(1);
    }
    let dof = count.saturating_sub(parts.len()).max(1) as f64;
    let variance = squares / dof;
    if variance <= LEAST_SIGMA_M * LEAST_SIGMA_M || pairs == 0 {
        return (LEAST_SIGMA_M, 0.0);
    }
    // Levels that are estimated make neighbours look less alike (Marriott and Pope 1954): by (1 + 3 r) / n.
    let raw = products / pairs as f64 / (squares / count as f64);
    let bias = (1.0 + 3.0 * raw.max(0.0)) * parts.len() as f64 / count as f64;
    // Half a standard error more: an alarm that is none costs more than one that comes late.
    let margin = 0.5 / (count as f64).sqrt();
    (variance.sqrt(), (raw + bias + margin).clamp(0.0, MOST_CORRELATED))
}

/// A step in one component.
struct Step {
    change: f64,
    variance: f64,
    sigma: f64,
    correlation: f64,
}

/// The step before session `at` by generalised least squares: the series is whitened with its correlation, so that a
/// slow drift weighs little against a jump.
fn step(sessions: &[Session], at: usize, axis: usize) -> Option<Step> {
    let (before, after) = sessions.split_at(at);
    let (_, correlation) = scatter(&[before, after], axis);
    let first = (1.0 - correlation * correlation).sqrt();
    let value = |i: usize| sessions.get(i).map_or(0.0, |s| components(s.baseline)[axis]);
    let stepped = |i: usize| if i >= at { 1.0 } else { 0.0 };
    // Level, step and value of whitened session i. A level near the series keeps the digits.
    let origin = value(0);
    let whitened = |i: usize| match i {
        0 => [first, 0.0, 0.0],
        _ => [
            1.0 - correlation,
            stepped(i) - correlation * stepped(i - 1),
            value(i) - origin - correlation * (value(i - 1) - origin),
        ],
    };
    let (mut aa, mut ab, mut bb, mut ay, mut by, mut yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for [a, b, y] in (0..sessions.len()).map(whitened) {
        (aa, ab, bb) = (aa + a * a, ab + a * b, bb + b * b);
        (ay, by, yy) = (ay + a * y, by + b * y, yy + y * y);
    }
    let determinant = aa * bb - ab * ab;
    if determinant <= 0.0 {
        return None;
    }
    let change = (aa * by - ab * ay) / determinant;
    let level = (bb * ay - ab * by) / determinant;
    // Level, step and correlation are estimated.
    let dof = sessions.len().saturating_sub(3).max(1) as f64;
    let innovation = ((yy - level * ay - change * by).max(0.0) / dof).max(LEAST_SIGMA_M * LEAST_SIGMA_M);
    let variance = innovation * aa / determinant;
    Some(Step { change, variance, sigma: innovation.sqrt() / first, correlation })
}

/// Noise of a series that has no steps.
pub fn noise(sessions: &[Session]) -> Noise {
    let of = [0, 1, 2].map(|axis| scatter(&[sessions], axis));
    Noise { sigma: enu(of.map(|o| o.0)), correlation: enu(of.map(|o| o.1)) }
}

/// The step that explains the series best, if it is significant.
pub fn displacement(sessions: &[Session], test: Significance) -> Option<Displacement> {
    let n = sessions.len();
    let places = (n + 1).saturating_sub(2 * FEWEST);
    if places == 0 {
        return None;
    }
    // The step is looked for at many places.
    let false_alarm = (1.0 - test.confidence) / places as f64;
    let threshold = fisher::threshold(3.0, n.saturating_sub(3).max(1) as f64, false_alarm);
    let dilution = [0, 1, 2].map(|axis| {
        let sum: f64 = sessions.iter().map(|s| components(s.dop)[axis].max(1.0)).sum();
        sum / n as f64
    });
    let mut best: Option<Displacement> = None;
    for at in FEWEST..FEWEST + places {
        let [Some(e), Some(n), Some(u)] = [0, 1, 2].map(|axis| step(sessions, at, axis)) else { continue };
        let mut axes = [e, n, u];
        for (axis, dilution) in axes.iter_mut().zip(dilution) {
            axis.variance += (test.unmodelled_m * dilution).powi(2);
        }
        let statistic: f64 = axes.iter().map(|a| a.change * a.change / a.variance / 3.0).sum();
        let significance = statistic / threshold;
        let of = |pick: fn(&Step) -> f64| enu([pick(&axes[0]), pick(&axes[1]), pick(&axes[2])]);
        if best.is_none_or(|b| significance > b.significance) {
            best = Some(Displacement {
                time: sessions.get(at)?.time,
                change: of(|a| a.change),
                sigma: of(|a| a.variance.sqrt()),
                significance,
                noise: Noise { sigma: of(|a| a.sigma), correlation: of(|a| a.correlation) },
            });
        }
    }
    best.filter(|b| b.significance >= 1.0)
}

/// Takes from each session the deviation from the mean that the series had `period_s` before: multipath repeats
/// after a sidereal day (86 164 s) with GPS and the inclined and geostationary satellites of BeiDou, after seven
/// with its others, after ten with Galileo. Sessions without one before, within half of `session_s`, are left out.
pub fn repeat_filter(sessions: &[Session], period_s: f64, session_s: f64) -> Vec<Session> {
    let levels = [0, 1, 2].map(|axis| mean(sessions, axis));
    let filtered = sessions.iter().filter_map(|session| {
        let then = session.time - period_s;
        let at = sessions.partition_point(|s| s.time - then < -0.5 * session_s);
        let earlier = sessions.get(at).filter(|s| (s.time - then).abs() <= 0.5 * session_s)?;
        let (now, past) = (components(session.baseline), components(earlier.baseline));
        let baseline = enu([0, 1, 2].map(|axis| now[axis] - past[axis] + levels[axis]));
        Some(Session { baseline, ..*session })
    });
    filtered.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// A first-order autoregressive series of 1 mm, with a step from the middle on.
    fn series(n: usize, correlation: f64, step: Enu, rng: &mut ChaCha8Rng) -> Vec<Session> {
        let mut state = [0.0; 3];
        let mut normal = || -> f64 { StandardNormal.sample(&mut *rng) };
        state.iter_mut().for_each(|s| *s = 1e-3 * normal());
        (0..n)
            .map(|k| {
                for s in &mut state {
                    *s = correlation * *s + 1e-3 * (1.0 - correlation * correlation).sqrt() * normal();
                }
                let on = if k < n / 2 { 0.0 } else { 1.0 };
                let [e, n, u] = state;
                let baseline = Enu { e: 4.0 + e + on * step.e, n: n + on * step.n, u: u + on * step.u };
                Session::new(GnssTime::from_gpst(2400, 300.0 * k as f64), baseline)
            })
            .collect()
    }

    #[test]
    fn false_alarms_are_as_rare_as_stated() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let test = Significance { confidence: 0.95, unmodelled_m: 0.0 };
        for (n, correlation) in [(12, 0.0), (24, 0.0), (60, 0.3), (60, 0.6)] {
            let alarms = (0..400)
                .filter(|_| displacement(&series(n, correlation, Enu::default(), &mut rng), test).is_some());
            let rate = alarms.count() as f64 / 400.0;
            // Two standard deviations of a count of 20.
            assert!(rate < 0.073, "{n} {correlation}: {rate}");
        }
    }

    #[test]
    fn steps_of_six_sigma_are_found_where_they_are() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let step = Enu { e: 0.0, n: -6e-3, u: 0.0 };
        let found: Vec<_> = (0..100)
            .filter_map(|_| {
                let series = series(24, 0.3, step, &mut rng);
                Some((displacement(&series, Significance::default())?, series[12].time))
            })
            .collect();
        assert!(found.len() > 95, "{}", found.len());
        let right =
            found.iter().filter(|(d, t)| d.time == *t && (d.change.n - step.n).abs() < 3.0 * d.sigma.n);
        assert!(right.count() > found.len() * 9 / 10);
    }

    #[test]
    fn what_repeats_is_taken_away() {
        let repeats = |k: usize| [4e-3, -1e-3, -3e-3][k % 3];
        let sessions: Vec<Session> = (0..9)
            .map(|k| {
                let time = GnssTime::from_gpst(2400, 3600.0 * k as f64);
                Session::new(time, Enu { e: repeats(k), n: 0.0, u: 1.0 })
            })
            .collect();
        let filtered = repeat_filter(&sessions, 3.0 * 3600.0 - 100.0, 3600.0);
        assert_eq!(filtered.len(), 6);
        assert!(filtered.iter().all(|s| s.baseline.e.abs() < 1e-12 && (s.baseline.u - 1.0).abs() < 1e-12));
    }

    #[test]
    fn short_or_constant_series_have_no_step() {
        let constant = [Session::new(GnssTime::default(), Enu { e: 1.0, n: 2.0, u: 3.0 }); 20];
        assert_eq!(displacement(&constant, Significance::default()), None);
        assert_eq!(displacement(&constant[..5], Significance::default()), None);
        assert_eq!(displacement(&[], Significance::default()), None);
    }
}
