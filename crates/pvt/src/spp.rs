//! One epoch by least squares.
use megrez_orbit::{Ecef, NavData, ObservationEpoch};

use crate::{Solution, SolveError, SolverConfig};

/// Position, velocity and time of one epoch.
pub fn solve(
    epoch: &ObservationEpoch,
    nav: &NavData,
    config: &SolverConfig,
    prior: Option<Ecef>,
) -> Result<Solution, SolveError> {
    let _ = (epoch, nav, config, prior);
    Err(SolveError::TooFewSatellites { usable: 0, needed: 4, refused: Vec::new() })
}
