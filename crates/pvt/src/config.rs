//! What a user may set.

/// A height that is known from elsewhere (a map, the sea), used as one more measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeightConstraint {
    /// Height above the ellipsoid in metres.
    pub height_m: f64,
    /// Its standard deviation in metres.
    pub sigma_m: f64,
}

/// Settings of all solvers.
#[derive(Debug, Clone, PartialEq)]
pub struct SolverConfig {
    /// Satellites below this elevation are not used; it applies once a position is known. Degrees.
    pub elevation_mask_deg: f64,
    /// Signals weaker than this are not used. dB-Hz.
    pub min_cn0_dbhz: f64,
    /// Correct for the ionosphere with the broadcast model.
    pub ionosphere: bool,
    /// Correct for the troposphere.
    pub troposphere: bool,
    /// Probability with which the residual test rejects a fix in which nothing is wrong.
    pub false_alarm: f64,
    /// Standard deviation in metres of the bias between two systems, where it cannot be estimated because
    /// one of them has a single satellite or none is to spare.
    pub inter_system_sigma_m: f64,
    /// A known height.
    pub height: Option<HeightConstraint>,
    /// Standard deviation in metres of a code phase handed to [`crate::solve_snapshot`], before the part
    /// that depends on C/N0.
    pub snapshot_code_sigma_m: f64,
    /// Standard deviation in Hz of a Doppler handed to [`crate::solve_snapshot`].
    pub snapshot_doppler_sigma_hz: f64,
}

impl Default for SolverConfig {
    fn default() -> Self {
        Self {
            elevation_mask_deg: 5.0,
            min_cn0_dbhz: 0.0,
            ionosphere: true,
            troposphere: true,
            false_alarm: 1e-4,
            inter_system_sigma_m: 15.0,
            height: None,
            snapshot_code_sigma_m: 10.0,
            snapshot_doppler_sigma_hz: 40.0,
        }
    }
}
