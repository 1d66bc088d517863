//! Position, velocity and time from observations.
//!
//! * [`solve`]: one epoch, by weighted, robust least squares, with a residual test and exclusion of faults. Any mix of
//!   systems and signals; [`IonoMode`] says what two frequencies are used for.
//! * [`Filter`]: a Kalman filter over epochs, for moving and static receivers.
//! * [`solve_snapshot`]: coarse-time positioning from code phases of a few milliseconds of signal and a
//!   navigation file, without any decoded message and with a time known to a minute.
//! * [`rtk`]: a rover to millimetres from a base, by carrier phase; [`monitor`]: whether such a baseline changes.
//!
//! The first three give a [`Solution`] or say in a [`SolveError`] what was missing, satellite by satellite.
//!
//! ```
//! use megrez_orbit::{NavData, ObservationEpoch};
//! use megrez_pvt::{SolveError, SolverConfig, solve};
//!
//! let error = solve(&ObservationEpoch::default(), &NavData::default(), &SolverConfig::default(), None);
//! assert!(matches!(error, Err(SolveError::TooFewSatellites { usable: 0, .. })));
//! ```

mod chi2;
mod choice;
mod code_bias;
mod config;
mod doppler;
mod error;
mod estimate;
mod filter;
mod geometry;
mod groups;
mod lsq;
mod model;
pub mod monitor;
mod protection;
mod ranging;
pub mod rtk;
mod sight;
mod snapshot;
mod solution;
mod spp;
mod velocity;

pub use config::{HeightConstraint, IonoMode, SolverConfig};
pub use error::{Refusal, Refused, SolveError};
pub use filter::{Dynamics, Filter};
pub use snapshot::{CodePhase, solve_snapshot};
pub use solution::{Dop, FixMode, SatUse, Solution};
pub use spp::solve;
