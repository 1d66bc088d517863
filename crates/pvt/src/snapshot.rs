//! Coarse-time positioning.
use megrez_orbit::{Ecef, GnssTime, NavData};
use megrez_signal::{Sat, SignalId};

use crate::{Solution, SolveError, SolverConfig};

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

/// Position from the code phases of one instant.
pub fn solve_snapshot(
    obs: &[CodePhase],
    nav: &NavData,
    approx_time: GnssTime,
    time_uncertainty_s: f64,
    approx_position: Option<Ecef>,
    config: &SolverConfig,
) -> Result<Solution, SolveError> {
    let _ = (obs, nav, approx_time, time_uncertainty_s, approx_position, config);
    Err(SolveError::TooFewSatellites { usable: 0, needed: 6, refused: Vec::new() })
}
