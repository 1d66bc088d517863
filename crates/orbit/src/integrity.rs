//! What satellites say of their own trustworthiness, and the rotation of the earth, as B-CNAV sends them.

use megrez_signal::ObsCode;

use crate::GnssTime;

/// Integrity flags of one signal (BDS-SIS-ICD-B1C-1.0 section 7.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SignalFlags {
    /// Data integrity flag: the error of the message may exceed the predicted accuracy.
    pub dif: bool,
    /// Signal integrity flag: the signal is abnormal.
    pub sif: bool,
    /// Accuracy integrity flag: SISMAI is not valid for this signal.
    pub aif: bool,
}

/// Signal-in-space accuracy of the clock (BDS-SIS-ICD-B1C-1.0 section 7.13).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockAccuracy {
    /// Time of prediction.
    pub top: GnssTime,
    /// Index of the bias, -16 to 15.
    pub bias: i8,
    /// Index of the drift, 0 to 7.
    pub drift: u8,
    /// Index of the drift rate, 0 to 7.
    pub drift_rate: u8,
}

/// Health, integrity and accuracy of one satellite, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Integrity {
    /// Health status HS: 0 healthy, 1 unhealthy or in test, 2 and 3 reserved.
    pub health: Option<u8>,
    /// Flags of B1C.
    pub b1c: Option<SignalFlags>,
    /// Flags of B2a.
    pub b2a: Option<SignalFlags>,
    /// Flags of B2b.
    pub b2b: Option<SignalFlags>,
    /// Monitoring accuracy index SISMAI, 0 to 15.
    pub sismai: Option<u8>,
    /// Orbit accuracy index SISAI_oe, -16 to 15.
    pub orbit_accuracy: Option<i8>,
    /// Clock accuracy indices SISAI_oc.
    pub clock_accuracy: Option<ClockAccuracy>,
}

impl SignalFlags {
    /// Whether the signal and its message may be used.
    pub fn usable(self) -> bool {
        !self.dif && !self.sif
    }
}

impl Integrity {
    /// Whether the satellite does not say that it is unhealthy.
    pub fn healthy(&self) -> bool {
        self.health.unwrap_or(0) == 0
    }

    /// Whether the flags do not forbid `signal`, as far as known.
    pub fn allows(&self, signal: impl Into<ObsCode>) -> bool {
        let code = signal.into();
        let flags = match (code.band(), code.attribute()) {
            (b'1', b'D' | b'P' | b'X') => self.b1c,
            (b'5', _) => self.b2a,
            (b'7', b'D' | b'P' | b'Z') => self.b2b,
            _ => None,
        };
        self.healthy() && flags.is_none_or(SignalFlags::usable)
    }

    /// What `newer` says, and the rest of this.
    #[must_use]
    pub fn updated(self, newer: Self) -> Self {
        Self {
            health: newer.health.or(self.health),
            b1c: newer.b1c.or(self.b1c),
            b2a: newer.b2a.or(self.b2a),
            b2b: newer.b2b.or(self.b2b),
            sismai: newer.sismai.or(self.sismai),
            orbit_accuracy: newer.orbit_accuracy.or(self.orbit_accuracy),
            clock_accuracy: newer.clock_accuracy.or(self.clock_accuracy),
        }
    }
}

/// Earth orientation parameters (BDS-SIS-ICD-B1C-1.0 section 7.11).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarthOrientation {
    /// Reference time.
    pub reference: GnssTime,
    /// Pole along the x axis in arc seconds, and its rate in arc seconds a day.
    pub pole_x: [f64; 2],
    /// Pole along the y axis in arc seconds, and its rate in arc seconds a day.
    pub pole_y: [f64; 2],
    /// UT1 - UTC in s, and its rate in s a day.
    pub dut1: [f64; 2],
}

#[cfg(test)]
mod tests {
    use megrez_signal::SignalId;

    use super::*;

    #[test]
    fn newer_statements_replace_older_ones_and_leave_the_rest() {
        let bad = SignalFlags { sif: true, ..SignalFlags::default() };
        let old = Integrity { health: Some(1), b1c: Some(bad), sismai: Some(3), ..Integrity::default() };
        assert!(!old.healthy() && !bad.usable());
        let new = old.updated(Integrity { health: Some(0), sismai: Some(4), ..Integrity::default() });
        assert_eq!((new.health, new.b1c, new.sismai), (Some(0), Some(bad), Some(4)));
        assert!(new.healthy() && Integrity::default().healthy());
        assert!(!new.allows(SignalId::B1CP) && new.allows(SignalId::B1I) && !old.allows(SignalId::B1I));
    }
}
