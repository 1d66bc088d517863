//! Navigation data to symbols.

use megrez_orbit::{GnssTime, NavData};
use megrez_signal::{NavMessage, Sat};

/// Why a subframe cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A value does not fit its field.
    #[error("{value} does not fit the field {field}")]
    Range {
        /// Field, named as in the interface document.
        field: &'static str,
        /// The value, in the unit of the field.
        value: f64,
    },
    /// There is no ephemeris to send.
    #[error("no {message:?} ephemeris of {sat} to encode")]
    NoEphemeris {
        /// Satellite.
        sat: Sat,
        /// Message.
        message: NavMessage,
    },
    /// No subframe starts at that time.
    #[error("no {message:?} subframe starts at {tow_s} s of week")]
    Start {
        /// Message.
        message: NavMessage,
        /// Seconds of week asked for.
        tow_s: f64,
    },
    /// That message cannot be encoded, or not for that satellite.
    #[error("{sat} sends no {message:?} that can be encoded")]
    Message {
        /// Satellite.
        sat: Sat,
        /// Message.
        message: NavMessage,
    },
}

/// Symbols (0 or 1) of the subframe of `message` that `sat` sends from `start` on.
pub fn encode_subframe(
    message: NavMessage,
    sat: Sat,
    _nav: &NavData,
    _start: GnssTime,
) -> Result<Vec<u8>, EncodeError> {
    Err(EncodeError::Message { sat, message })
}
