//! Coarse-time positioning: a position from code phases that are known only modulo the code period.
//!
//! A few milliseconds of signal give no message and so no time of transmission. What is unknown beside the
//! position and the receiver clock (modulo the code period) is the time of reception, to which satellite
//! positions are sensitive by up to 800 m a second: five unknowns (van Diggelen, A-GPS, 2009, chapter 4).
//! The whole code periods in each range follow from a rough position and time, 100 km and a minute or
//! better; without a position, the Dopplers give one ([`doppler`]). Positions and times around the first
//! guess are all tried; a fix counts only if more measurements agree with it than it has unknowns.

mod search;
mod systems;
mod table;

use megrez_orbit::{Ecef, GnssTime, Iono, NavData};
use megrez_signal::{Constellation, ObsCode, SPEED_OF_LIGHT, Sat, SignalId};

use crate::chi2;
use crate::doppler;
use crate::geometry::{covariance_enu, direction, dop, height_row};
use crate::lsq::{self, Normal, Row};
use crate::model;
use crate::{FixMode, Refusal, Refused, SatUse, Solution, SolveError, SolverConfig};
use search::{Candidate, Guess};
use systems::Systems;
pub(crate) use table::SatTable;

/// Unknowns: position, clock, bias of the second system against the first in metres, error of the coarse time in s.
const N: usize = 6;
const BIAS: usize = 4;
const TIME: usize = 5;
type Vector = lsq::Vector<N>;

/// Largest time uncertainty searched, seconds.
const LONGEST_UNCERTAINTY_S: f64 = 600.0;
/// Heights at which a receiver is looked for, metres.
const HEIGHTS_M: std::ops::Range<f64> = -1000.0..30_000.0;
/// Residual in standard deviations up to which a measurement agrees with a position.
const AGREE: f64 = 4.5;
/// Difference of costs that tells two candidates apart.
const DISTINCT_COST: f64 = 12.0;

/// What acquisition knows about one signal at the instant of reception that all of a snapshot share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CodePhase {
    /// Satellite.
    pub sat: Sat,
    /// Signal.
    pub signal: SignalId,
    /// Satellite clock reading transmitted in the code received at that instant, modulo the period of the
    /// primary code, in seconds: code phase in chips divided by the chip rate.
    pub code_delay_s: f64,
    /// Received minus nominal frequency in Hz; none where it is unknown (or its sign, as in real streams
    /// folded around the carrier).
    pub doppler_hz: Option<f64>,
    /// C/N0 in dB-Hz.
    pub cn0_dbhz: f64,
}

/// A code phase with the orbit of its satellite.
#[derive(Debug, Clone)]
struct Phase {
    sat: Sat,
    code: ObsCode,
    carrier_hz: f64,
    cn0_dbhz: f64,
    doppler_hz: Option<f64>,
    /// The code phase as a range, minus the transmitted time, known modulo `period_m`.
    pseudorange_m: f64,
    iono: Iono,
    period_m: f64,
    sigma_m: f64,
    table: SatTable,
}

/// Unknowns of a snapshot.
#[derive(Debug, Clone, Copy, Default)]
struct Point {
    position: Ecef,
    /// Seconds after the reference.
    time_s: f64,
    /// Receiver clock, modulo the code period, metres.
    clock_m: f64,
    bias_m: f64,
}

/// A measurement seen from a point.
struct Sight {
    h: Vector,
    residual_m: f64,
    elevation: f64,
}

/// Everything that stays the same during the search.
struct Snapshot<'a> {
    phases: &'a [Phase],
    systems: Systems,
    config: &'a SolverConfig,
    /// The approximate time after the reference, seconds.
    approx_s: f64,
    uncertainty_s: f64,
    reference: GnssTime,
    /// Measurements needed for a verified fix.
    needed: usize,
}

/// Position from the code phases of one instant.
///
/// `approx_time` is the instant's time within `time_uncertainty_s`. Without `approx_position` (within about
/// 150 km) the receiver may be anywhere on earth, and Dopplers are needed unless all codes are as long as
/// B1C's. False acquisitions are left out. The solution's clock bias is `approx_time` minus true time.
///
/// # Errors
/// [`SolveError::NoAgreement`] or [`SolveError::Ambiguous`] rather than a position that is not verified by
/// at least one measurement more than there are unknowns.
pub fn solve_snapshot(
    obs: &[CodePhase],
    nav: &NavData,
    approx_time: GnssTime,
    time_uncertainty_s: f64,
    approx_position: Option<Ecef>,
    config: &SolverConfig,
) -> Result<Solution, SolveError> {
    if !(0.0..=LONGEST_UNCERTAINTY_S).contains(&time_uncertainty_s) {
        return Err(SolveError::BadInput { what: "time uncertainty (0 to 600 s)" });
    }
    let approx_position = match approx_position {
        Some(p) if !(6.3e6..6.5e6).contains(&p.norm()) => {
            return Err(SolveError::BadInput { what: "approximate position (not near the earth's surface)" });
        }
        other => other,
    };
    // A whole second is a start of every code.
    let reference = approx_time.round_to(1.0);
    let approx_s = approx_time - reference;
    let (phases, mut refused) = prepare(obs, nav, reference, time_uncertainty_s, config);
    let shortest = phases.iter().map(|p| p.period_m).fold(f64::INFINITY, f64::min);
    let longest = phases.iter().map(|p| p.period_m).fold(0.0, f64::max);
    // A blind search over short codes meets many chance agreements.
    let blind = approx_position.is_none() && longest < 2e6;
    let needed = 6 + usize::from(blind) - usize::from(config.height.is_some());
    let systems = Systems::of(phases.iter().map(|p| p.sat));
    let systems = Systems { free: systems.free && phases.len() >= 10, ..systems };
    let snapshot = Snapshot {
        phases: &phases,
        systems,
        config,
        approx_s,
        uncertainty_s: time_uncertainty_s.max(0.5),
        reference,
        needed: needed + usize::from(systems.free),
    };
    let usable = snapshot.distinct(&vec![true; phases.len()]);
    if usable < snapshot.needed {
        return Err(SolveError::TooFewSatellites { usable, needed: snapshot.needed, refused });
    }
    let guesses = snapshot.guesses(approx_position, shortest)?;
    let found = snapshot.search(&guesses);
    let best = match found {
        Ok(best) => best,
        Err(agreeing) => {
            return Err(SolveError::NoAgreement {
                agreeing,
                needed: snapshot.needed,
                satellites: phases.len(),
                refused,
            });
        }
    };
    if let Some(rival) = best.rival {
        return Err(SolveError::Ambiguous {
            agreeing: best.agreeing(),
            apart_km: rival.distance(best.point.position) / 1000.0,
        });
    }
    for ((phase, &agrees), residual_m) in phases.iter().zip(&best.agrees).zip(&best.residuals_m) {
        if !agrees {
            let reason = Refusal::Excluded { residual_m: *residual_m };
            refused.push(Refused { sat: phase.sat, code: phase.code, reason });
        }
    }
    snapshot.solution(&best, approx_time).ok_or(SolveError::Geometry { satellites: best.agreeing() })
}

/// Code phases with the orbits of their satellites, and those refused.
fn prepare(
    obs: &[CodePhase],
    nav: &NavData,
    reference: GnssTime,
    uncertainty_s: f64,
    config: &SolverConfig,
) -> (Vec<Phase>, Vec<Refused>) {
    let mut phases: Vec<Phase> = Vec::with_capacity(obs.len());
    let mut refused = Vec::new();
    for o in obs {
        match phase(o, nav, reference, uncertainty_s, config) {
            Ok(phase) => phases.push(phase),
            Err(reason) => refused.push(Refused { sat: o.sat, code: o.signal.into(), reason }),
        }
    }
    (phases, refused)
}

fn phase(
    o: &CodePhase,
    nav: &NavData,
    reference: GnssTime,
    uncertainty_s: f64,
    config: &SolverConfig,
) -> Result<Phase, Refusal> {
    if !o.code_delay_s.is_finite() || o.code_delay_s.abs() > 1.0 {
        return Err(Refusal::Implausible);
    }
    if o.cn0_dbhz < config.min_cn0_dbhz {
        return Err(Refusal::Weak { cn0_dbhz: o.cn0_dbhz });
    }
    let def = o.signal.def();
    let ephemeris = model::ephemeris(nav, o.sat, o.signal.into(), reference)?;
    let state = ephemeris.state(reference);
    let (delay_s, _) = model::group_delay(nav, ephemeris, o.signal.into(), reference);
    let clock_m = SPEED_OF_LIGHT * (state.clock_s - delay_s);
    let table = SatTable::new(ephemeris, reference, clock_m, uncertainty_s).ok_or(Refusal::Implausible)?;
    Ok(Phase {
        sat: o.sat,
        code: o.signal.into(),
        carrier_hz: def.carrier_hz,
        cn0_dbhz: o.cn0_dbhz,
        doppler_hz: o.doppler_hz.filter(|d| d.is_finite() && d.abs() < 1e6),
        pseudorange_m: -o.code_delay_s * SPEED_OF_LIGHT,
        iono: nav.iono_at(o.sat.constellation, o.signal, reference),
        period_m: def.code_period_s() * SPEED_OF_LIGHT,
        sigma_m: acquisition_sigma_m(o, config),
        table,
    })
}

/// Standard deviation of an acquired code phase, metres: what the caller says, and noise.
fn acquisition_sigma_m(o: &CodePhase, config: &SolverConfig) -> f64 {
    // Some 10 ms of integration against the 1 s of a tracking loop.
    let noise = 100.0
        * model::thermal_variance(o.sat.constellation, o.signal.into(), model::cn0_ratio(Some(o.cn0_dbhz)));
    (config.snapshot_code_sigma_m.powi(2).max(1e-2) + noise).sqrt()
}

impl Snapshot<'_> {
    fn distinct(&self, chosen: &[bool]) -> usize {
        let mut sats: Vec<Sat> =
            self.phases.iter().zip(chosen).filter(|&(_, &c)| c).map(|(p, _)| p.sat).collect();
        sats.sort_unstable();
        sats.dedup();
        sats.len()
    }

    fn biased(&self, constellation: Constellation) -> bool {
        self.systems.biased(constellation)
    }

    /// A measurement seen from `point`, with the atmosphere where `delay_m` gives it. The residual is the
    /// one nearest to zero of those a code period apart.
    fn sight(&self, phase: &Phase, point: &Point, delay_m: f64) -> Sight {
        let (line, clock_m, _) = phase.table.line(point.position, point.time_s);
        let mut h = direction(line.unit);
        h[TIME] = line.rate_m_s;
        let mut computed = line.range_m - clock_m + point.clock_m + delay_m;
        if self.biased(phase.sat.constellation) {
            h[BIAS] = 1.0;
            computed += point.bias_m;
        }
        let off = phase.pseudorange_m - computed;
        let residual_m = off - phase.period_m * (off / phase.period_m).round();
        let up = point.position * (1.0 / point.position.norm().max(1.0));
        Sight { h, residual_m, elevation: line.unit.dot(up).clamp(-1.0, 1.0).asin() }
    }

    /// What is known beside the measurements: time, bias, height.
    fn knowledge(&self, point: &Point) -> Vec<Row<N>> {
        let mut rows = Vec::with_capacity(3);
        let mut h = Vector::zeros();
        h[TIME] = 1.0;
        let sigma = self.uncertainty_s;
        rows.push(Row { h, v: self.approx_s - point.time_s, w: 1.0 / (sigma * sigma) });
        if self.systems.second.is_some() && !self.systems.free {
            let sigma = self.config.inter_system_sigma_m.max(1e-3);
            let mut h = Vector::zeros();
            h[BIAS] = 1.0;
            rows.push(Row { h, v: -point.bias_m, w: 1.0 / (sigma * sigma) });
        }
        if let Some(height) = self.config.height {
            rows.push(height_row(point.position, height.height_m, height.sigma_m));
        }
        rows
    }

    /// Where and when to look: around the approximate position, or around the position of the Dopplers, or,
    /// for codes long enough, all over the earth.
    fn guesses(&self, approx: Option<Ecef>, shortest_m: f64) -> Result<Vec<Guess>, SolveError> {
        let times = search::times(self.approx_s, self.uncertainty_s);
        // A period of 1 ms (300 km) leaves 150 km for the error of the guess.
        let spacing_m = 0.25 * shortest_m;
        if let Some(position) = approx {
            return Ok(search::around(&[(position, 150_000.0)], &times, spacing_m));
        }
        let phases: Vec<&Phase> = self.phases.iter().filter(|p| p.doppler_hz.is_some()).collect();
        if phases.len() >= 4 {
            let sigma_hz = self.config.snapshot_doppler_sigma_hz.max(0.1);
            let mut guesses = Vec::new();
            for &time_s in &times {
                if let Some((position, sigma_m)) = doppler::locate(&phases_for(&phases), time_s, sigma_hz) {
                    let radius = (2.5 * sigma_m).clamp(100_000.0, 600_000.0);
                    guesses.extend(search::around(&[(position, radius)], &[time_s], spacing_m));
                }
            }
            guesses.sort_by(|a, b| a.off_m.total_cmp(&b.off_m));
            if !guesses.is_empty() {
                return Ok(guesses);
            }
        }
        if shortest_m < 2e6 {
            return Err(SolveError::BadInput {
                what: "a snapshot with neither approximate position nor Dopplers",
            });
        }
        Ok(search::everywhere(&times, spacing_m))
    }

    fn solution(&self, best: &Candidate, approx_time: GnssTime) -> Option<Solution> {
        let point = best.point;
        let time = self.reference + point.time_s;
        let mut normal = Normal::sum(&self.knowledge(&point));
        let mut sats = Vec::with_capacity(self.phases.len());
        let mut units: Vec<(Sat, Ecef)> = Vec::new();
        let mut drifts = Vec::new();
        for (((phase, &used), &delay_m), &residual_m) in
            self.phases.iter().zip(&best.agrees).zip(&best.delays_m).zip(&best.residuals_m)
        {
            let (line, _, state) = phase.table.line(point.position, point.time_s);
            let sight = self.sight(phase, &point, delay_m);
            if used {
                normal.add(&Row { h: sight.h, v: 0.0, w: 1.0 / phase.sigma_m.powi(2) }, 1.0);
                units.push((phase.sat, line.unit));
                if let Some(d) = phase.doppler_hz {
                    let rate = -d * SPEED_OF_LIGHT / phase.carrier_hz;
                    drifts.push((rate - line.rate_m_s) / SPEED_OF_LIGHT + state.clock_drift);
                }
            }
            let azel = megrez_orbit::look_angles(point.position, line.satellite);
            sats.push(SatUse {
                sat: phase.sat,
                code: phase.code,
                azel,
                residual_m,
                used,
                cn0_dbhz: Some(phase.cn0_dbhz),
            });
        }
        let (_, covariance) = normal.solve()?;
        units.sort_by_key(|&(sat, _)| sat);
        units.dedup_by_key(|&mut (sat, _)| sat);
        let free = self.systems.free;
        let directions =
            units.iter().map(|&(sat, u)| (u, (free && self.biased(sat.constellation)).then_some(BIAS)));
        drifts.sort_by(f64::total_cmp);
        Some(Solution {
            time,
            position: point.position,
            velocity: None,
            clock_bias_s: approx_time - time,
            clock_drift: drifts.get(drifts.len() / 2).copied().unwrap_or(0.0),
            bds2_bias_m: None,
            hpl_m: None,
            vpl_m: None,
            inter_system: self.systems.second.map(|c| (c, point.bias_m)).into_iter().collect(),
            covariance_enu: covariance_enu(point.position, covariance.fixed_view::<3, 3>(0, 0).into_owned()),
            dop: dop::<N>(point.position, directions).unwrap_or_default(),
            sats,
            mode: FixMode::Snapshot,
        })
    }

    /// The statistic's threshold for `agreeing` measurements.
    fn threshold(&self, agreeing: usize) -> f64 {
        chi2::threshold(agreeing.saturating_sub(self.needed - 1).max(1), self.config.false_alarm)
    }
}

/// What Doppler positioning needs of the phases.
fn phases_for<'a>(phases: &[&'a Phase]) -> Vec<doppler::Shift<'a>> {
    phases
        .iter()
        .filter_map(|p| {
            Some(doppler::Shift { table: &p.table, carrier_hz: p.carrier_hz, doppler_hz: p.doppler_hz? })
        })
        .collect()
}
