//! What a user may set.

use megrez_signal::{Constellation, ObsCode};

/// A height that is known from elsewhere (a map, the sea), used as one more measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeightConstraint {
    /// Height above the ellipsoid in metres.
    pub height_m: f64,
    /// Its standard deviation in metres.
    pub sigma_m: f64,
}

/// How the delay of the ionosphere is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IonoMode {
    /// Not at all, for simulated signals without one.
    Off,
    /// The broadcast model corrects each satellite's best signal.
    Broadcast,
    /// The broadcast model with its standard deviation, and two bands of each satellite that has them: the
    /// combination of them that is most certain. Where the model is good, that is nearly the better of the two; where
    /// it is poor, nearly that which is free of the ionosphere. The delay of a band in the receiver is estimated.
    #[default]
    Combined,
    /// Two signals of each satellite combined so that the ionosphere cancels (to first order), in the pairs that
    /// its system has: B1I with B3I, B1C with B2a or B2b (BeiDou-2 also B1I with B2I); L1 with L2 or L5; E1 with
    /// E5a, E5b or E5; G1 with G2. For satellites without the pair that most of their system have, see
    /// [`SolverConfig::pairs_only`].
    IonosphereFree,
}

/// Settings of all solvers.
#[derive(Debug, Clone, PartialEq)]
pub struct SolverConfig {
    /// Satellites below this elevation are not used; it applies once a position is known. Degrees.
    pub elevation_mask_deg: f64,
    /// Signals weaker than this are not used. dB-Hz.
    pub min_cn0_dbhz: f64,
    /// How the delay of the ionosphere is dealt with.
    pub ionosphere: IonoMode,
    /// Whether [`IonoMode::IonosphereFree`] refuses satellites without a pair ([`crate::Refusal::NoPair`]); else
    /// they take part with the broadcast model and the weight that it deserves.
    pub pairs_only: bool,
    /// Codes to use rather than others, the most preferred first; they come before the order that is built in.
    pub preferred: Vec<(Constellation, ObsCode)>,
    /// Correct for the troposphere.
    pub troposphere: bool,
    /// Probability with which the residual test rejects a fix in which nothing is wrong.
    pub false_alarm: f64,
    /// Probability with which the error may exceed the protection levels while one satellite is faulty and the
    /// residual test does not notice.
    pub missed_detection: f64,
    /// Standard deviation in metres of the bias between two systems, where it cannot be estimated because
    /// one of them has a single satellite or none is to spare. That of GLONASS counts ten times.
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
            ionosphere: IonoMode::default(),
            pairs_only: false,
            preferred: Vec::new(),
            troposphere: true,
            false_alarm: 1e-4,
            missed_detection: 1e-3,
            inter_system_sigma_m: 30.0,
            height: None,
            snapshot_code_sigma_m: 10.0,
            snapshot_doppler_sigma_hz: 40.0,
        }
    }
}
