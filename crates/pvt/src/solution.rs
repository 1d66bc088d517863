//! What a solver gives.

use megrez_orbit::{Azel, Ecef, Geodetic, GnssTime};
use megrez_signal::{Constellation, ObsCode, Sat};

/// Dilution of precision: what one metre of ranging error becomes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Dop {
    /// Position and time.
    pub g: f64,
    /// Position.
    pub p: f64,
    /// Horizontal.
    pub h: f64,
    /// Vertical.
    pub v: f64,
    /// Time.
    pub t: f64,
}

/// How a solution came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FixMode {
    /// Least squares of one epoch.
    LeastSquares,
    /// Kalman filter.
    Filtered,
    /// Coarse-time positioning.
    Snapshot,
}

/// The part of one measurement in a solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SatUse {
    /// Satellite.
    pub sat: Sat,
    /// Signal, as observation files name it.
    pub code: ObsCode,
    /// Direction seen from the solution.
    pub azel: Azel,
    /// Measured minus computed pseudorange in metres.
    pub residual_m: f64,
    /// Whether the position rests on it.
    pub used: bool,
    /// C/N0 in dB-Hz, if known.
    pub cn0_dbhz: Option<f64>,
}

/// Position, velocity and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// True time of reception: the epoch with the receiver clock bias removed.
    pub time: GnssTime,
    /// Position of the antenna.
    pub position: Ecef,
    /// Velocity in m/s, where Dopplers determine it.
    pub velocity: Option<Ecef>,
    /// Receiver clock reading minus true time in seconds.
    pub clock_bias_s: f64,
    /// Rate of the clock bias in s/s; 0 while unknown.
    pub clock_drift: f64,
    /// Biases of other systems' measurements against the first system's, in metres.
    pub inter_system: Vec<(Constellation, f64)>,
    /// Covariance of the position in east, north, up, in m².
    pub covariance_enu: [[f64; 3]; 3],
    /// Dilution of precision of the satellites used.
    pub dop: Dop,
    /// Every measurement for which a satellite position is known, used or not.
    pub sats: Vec<SatUse>,
    /// How the solution came about.
    pub mode: FixMode,
}

impl Solution {
    /// The position in latitude, longitude and height.
    pub fn geodetic(&self) -> Geodetic {
        self.position.to_geodetic()
    }

    /// Distinct satellites the position rests on.
    pub fn sats_used(&self) -> usize {
        let mut used: Vec<Sat> = self.sats.iter().filter(|s| s.used).map(|s| s.sat).collect();
        used.sort_unstable();
        used.dedup();
        used.len()
    }

    /// Standard deviation of the horizontal position in metres (both axes together).
    pub fn horizontal_sigma_m(&self) -> f64 {
        let [[e, ..], [_, n, _], _] = self.covariance_enu;
        (e + n).max(0.0).sqrt()
    }

    /// Standard deviation of the height in metres.
    pub fn vertical_sigma_m(&self) -> f64 {
        let [_, _, [.., u]] = self.covariance_enu;
        u.max(0.0).sqrt()
    }
}
