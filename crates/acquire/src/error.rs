use megrez_signal::SignalId;

/// Why a search could not be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The samples do not hold one code period (two where sign changes are avoided).
    #[error("{signal} needs at least {needed_s} s of samples for a search, {available_s} s are there")]
    TooShort {
        /// What was searched for.
        signal: SignalId,
        /// Least duration in seconds.
        needed_s: f64,
        /// Duration there is in seconds.
        available_s: f64,
    },
    /// The carrier lies outside the stream.
    #[error(
        "{signal} at {carrier_hz} Hz is outside the stream of {sample_rate_hz} Hz centred at {center_hz} Hz"
    )]
    OutOfBand {
        /// What was searched for.
        signal: SignalId,
        /// Its carrier in Hz.
        carrier_hz: f64,
        /// Centre of the stream in Hz.
        center_hz: f64,
        /// Sampling rate in Hz.
        sample_rate_hz: f64,
    },
    /// Complex samples in a stream declared real, or the reverse.
    #[error("the stream is declared {declared} but its samples are not")]
    WrongKind {
        /// "complex" or "real".
        declared: &'static str,
    },
    /// A number no search can work with.
    #[error("search for {signal}: {what} cannot be {value}")]
    BadPlan {
        /// What was searched for.
        signal: SignalId,
        /// The quantity.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A satellite number without a code.
    #[error("{signal} has no code for PRN {prn}")]
    UnknownPrn {
        /// What was searched for.
        signal: SignalId,
        /// The number.
        prn: u8,
    },
}
