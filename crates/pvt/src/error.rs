//! Why there is no solution.

use std::fmt;

use megrez_signal::{ObsCode, Sat};
use thiserror::Error;

/// Why a measurement was not used.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// No ephemeris of the satellite is valid at the time.
    NoEphemeris,
    /// The satellite declares itself unhealthy.
    Unhealthy,
    /// Below the elevation mask.
    BelowMask {
        /// Elevation in degrees.
        elevation_deg: f64,
    },
    /// Weaker than the configured minimum.
    Weak {
        /// C/N0 in dB-Hz.
        cn0_dbhz: f64,
    },
    /// No second signal to combine it with, where the ionosphere is to cancel.
    NoPair,
    /// Not a number, or a range no satellite can have.
    Implausible,
    /// The residual test or the robust estimate found it in contradiction with the others.
    Excluded {
        /// Its residual against the others in metres.
        residual_m: f64,
    },
}

/// A measurement that was not used, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refused {
    /// Satellite.
    pub sat: Sat,
    /// Signal, as observation files name it.
    pub code: ObsCode,
    /// Reason.
    pub reason: Refusal,
}

/// Why there is no solution.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SolveError {
    /// Not enough satellites.
    #[error("{usable} usable satellites of the {needed} needed{}", List(refused))]
    TooFewSatellites {
        /// Satellites that could be used.
        usable: usize,
        /// Satellites needed for the unknowns at hand.
        needed: usize,
        /// Every measurement refused.
        refused: Vec<Refused>,
    },
    /// The satellites stand in (nearly) one plane.
    #[error("satellite geometry does not determine a position ({satellites} satellites)")]
    Geometry {
        /// Satellites at hand.
        satellites: usize,
    },
    /// The iteration found no position.
    #[error("no convergence: the last step was {step_m:.1} m")]
    NoConvergence {
        /// Length of the last step in metres.
        step_m: f64,
    },
    /// The residuals are larger than the measurement noise allows and no exclusion helps.
    #[error(
        "measurements contradict each other: residual statistic {statistic:.1} above {threshold:.1}{}",
        List(refused)
    )]
    Inconsistent {
        /// Weighted sum of squared residuals.
        statistic: f64,
        /// Threshold at the configured false-alarm probability.
        threshold: f64,
        /// Every measurement refused.
        refused: Vec<Refused>,
    },
    /// A snapshot has several solutions of like quality.
    #[error("ambiguous: {agreeing} satellites agree with two positions {apart_km:.0} km apart")]
    Ambiguous {
        /// Satellites in agreement with each.
        agreeing: usize,
        /// Distance of the two in km.
        apart_km: f64,
    },
    /// No position explains the snapshot's code phases.
    #[error(
        "no position explains enough code phases: at best {agreeing} of {satellites} agree, {needed} needed{}",
        List(refused)
    )]
    NoAgreement {
        /// Most measurements that any position found explains.
        agreeing: usize,
        /// Measurements needed for a verified fix.
        needed: usize,
        /// Measurements at hand.
        satellites: usize,
        /// Every measurement refused.
        refused: Vec<Refused>,
    },
    /// An argument is not a usable number.
    #[error("{what} is not usable")]
    BadInput {
        /// Which one.
        what: &'static str,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEphemeris => write!(f, "no ephemeris"),
            Self::Unhealthy => write!(f, "unhealthy"),
            Self::BelowMask { elevation_deg } => write!(f, "below the mask at {elevation_deg:.0}°"),
            Self::Weak { cn0_dbhz } => write!(f, "weak, {cn0_dbhz:.0} dB-Hz"),
            Self::NoPair => write!(f, "no second frequency"),
            Self::Implausible => write!(f, "implausible measurement"),
            Self::Excluded { residual_m } => write!(f, "excluded, {residual_m:.0} m off"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.sat, self.code.name(self.sat.constellation), self.reason)
    }
}

/// Shows the refused measurements after a message.
struct List<'a>(&'a [Refused]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, refused) in self.0.iter().enumerate() {
            write!(f, "{}{refused}", if i == 0 { " (" } else { ", " })?;
        }
        if self.0.is_empty() { Ok(()) } else { write!(f, ")") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_signal::SignalId;

    #[test]
    fn messages_name_what_was_missing() {
        let refused = vec![
            Refused { sat: Sat::bds(3), code: SignalId::B1I.into(), reason: Refusal::NoEphemeris },
            Refused {
                sat: Sat::gps(7),
                code: SignalId::L1CA.into(),
                reason: Refusal::BelowMask { elevation_deg: 3.2 },
            },
        ];
        assert_eq!(
            SolveError::TooFewSatellites { usable: 3, needed: 4, refused }.to_string(),
            "3 usable satellites of the 4 needed (C03 B1I: no ephemeris, G07 L1CA: below the mask at 3°)"
        );
        assert_eq!(
            SolveError::TooFewSatellites { usable: 0, needed: 4, refused: vec![] }.to_string(),
            "0 usable satellites of the 4 needed"
        );
    }
}
