//! What relative positioning gives.

use megrez_orbit::{Azel, Ecef, Enu, GnssTime, TimeScale};
use megrez_signal::{ObsCode, Sat};

use crate::{Dop, FixMode, SatUse, Solution};

/// How far the ambiguities are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RtkStatus {
    /// Ambiguities are real numbers.
    Float,
    /// Some are integers, enough for a position of centimetres.
    Partial,
    /// All of them are integers.
    Fixed,
}

/// The part of one signal of one satellite in a solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RtkSat {
    /// Satellite.
    pub sat: Sat,
    /// Signal at the rover.
    pub code: ObsCode,
    /// Direction seen from the base.
    pub azel: Azel,
    /// Residual of the single-differenced code, m, the receivers' clocks removed; none if it has none or is not
    /// used.
    pub code_residual_m: Option<f64>,
    /// Residual of the single-differenced carrier phase, m; none if it has none or is not used.
    pub phase_residual_m: Option<f64>,
    /// Whether its ambiguity is an integer.
    pub fixed: bool,
    /// Whether its carrier phase has slipped since the previous epoch.
    pub slip: bool,
}

/// Position of a rover relative to a base.
#[derive(Debug, Clone, PartialEq)]
pub struct RtkSolution {
    /// Reading of the rover's clock.
    pub time: GnssTime,
    /// How far the ambiguities are resolved.
    pub status: RtkStatus,
    /// Position of the rover's antenna.
    pub position: Ecef,
    /// Position of the base's antenna that it refers to.
    pub base: Ecef,
    /// Covariance of the baseline in east, north, up, m².
    pub covariance_enu: [[f64; 3]; 3],
    /// Position with the ambiguities as real numbers.
    pub float_position: Ecef,
    /// Squared distance from the float ambiguities of the second-best candidate over that of the best; 0 if no
    /// integers were searched.
    pub ratio: f64,
    /// Ratio that the test asked for.
    pub ratio_threshold: f64,
    /// Bootstrapped success rate of the ambiguities that are, or were to be, fixed.
    pub success_rate: f64,
    /// Sum of the squared residuals of the epoch over its expectation; 0 without redundancy.
    pub variance_factor: f64,
    /// Double-differenced ambiguities.
    pub ambiguities: usize,
    /// Those (decorrelated) that are integers.
    pub ambiguities_fixed: usize,
    /// Rover time less base time, s; 0 if the base was interpolated.
    pub age_s: f64,
    /// Every signal with a difference, used or not.
    pub sats: Vec<RtkSat>,
    /// Satellites left out of this epoch because they contradict the others.
    pub excluded: Vec<Sat>,
}

impl RtkSolution {
    /// Rover less base in the local frame at the base.
    pub fn baseline(&self) -> Enu {
        self.position.enu_from(self.base)
    }

    /// Whether the position rests on integers.
    pub fn is_fixed(&self) -> bool {
        self.status != RtkStatus::Float
    }

    /// Distinct satellites the position rests on.
    pub fn sats_used(&self) -> usize {
        let used = |s: &&RtkSat| s.phase_residual_m.is_some() || s.code_residual_m.is_some();
        let mut sats: Vec<Sat> = self.sats.iter().filter(used).map(|s| s.sat).collect();
        sats.dedup();
        sats.len()
    }
}

impl From<&RtkSolution> for Solution {
    /// For sinks that take positions of any kind: without velocity, clock and dilution of precision, which differences
    /// do not give.
    fn from(s: &RtkSolution) -> Self {
        let sats = s.sats.iter().map(|x| SatUse {
            sat: x.sat,
            code: x.code,
            azel: x.azel,
            residual_m: x.phase_residual_m.or(x.code_residual_m).unwrap_or(0.0),
            used: x.phase_residual_m.is_some() || x.code_residual_m.is_some(),
            cn0_dbhz: None,
        });
        Self {
            time: s.time,
            position: s.position,
            velocity: None,
            clock_bias_s: 0.0,
            clock_drift: 0.0,
            inter_system: Vec::new(),
            bds2_bias_m: None,
            covariance_enu: s.covariance_enu,
            hpl_m: None,
            vpl_m: None,
            dop: Dop::default(),
            sats: sats.collect(),
            mode: if s.is_fixed() { FixMode::Fixed } else { FixMode::Float },
        }
    }
}

/// Why an epoch has no relative position.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RtkError {
    /// No base epoch near enough.
    #[error("no base epoch within {max_age_s} s of {}", .time.civil(TimeScale::Gpst))]
    NoBase {
        /// Time of the rover epoch.
        time: GnssTime,
        /// Greatest age.
        max_age_s: f64,
    },
    /// The base has no position, and its own measurements give none.
    #[error("the base has no position at {}", .0.civil(TimeScale::Gpst))]
    NoBasePosition(GnssTime),
    /// Too few satellites seen by both receivers.
    #[error("{found} satellites with an ephemeris are common to rover and base, {needed} are needed")]
    TooFewSatellites {
        /// Common satellites that can be used.
        found: usize,
        /// Satellites needed.
        needed: usize,
    },
    /// The measurements do not determine the position.
    #[error("the common satellites do not determine the baseline")]
    Undetermined,
}
