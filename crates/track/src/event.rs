//! What a channel tells its owner.

use thiserror::Error;

/// One data symbol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Symbol {
    /// Code period in which the symbol begins, counted from the start of the channel.
    pub period: u64,
    /// First sample of that period.
    pub sample: u64,
    /// Soft value: positive for logic 0, mean magnitude about 1. The sign of the whole stream is unknown
    /// (half-cycle ambiguity of the carrier) and may change after a cycle slip, unless a pilot is tracked: its
    /// secondary code tells the sign.
    pub soft: f32,
}

/// Why a channel gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LossReason {
    /// The satellite does not send this signal, tracking of this kind of signal is not supported, or the start
    /// or the sample rate makes no sense.
    #[error("this signal cannot be tracked")]
    Unsupported,
    /// Nothing was found around the acquisition within the pull-in time.
    #[error("no signal found around the acquisition")]
    NoSignal,
    /// A signal was found, but its data never showed where symbols begin.
    #[error("a signal was found, but not where its symbols begin")]
    NoSymbolEdges,
    /// The carrier was lost and not found again within the reacquisition time.
    #[error("carrier lost and not found again")]
    CarrierLost,
    /// The samples of the next code period are no longer held: too large a gap in the stream.
    #[error("samples missing from the stream")]
    SamplesMissing,
}

/// Something that happened in a channel, in the order of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ChannelEvent {
    /// A data symbol was received.
    Symbol(Symbol),
    /// The carrier phase is being tracked from this sample on.
    Locked {
        /// First sample tracked.
        sample: u64,
        /// Doppler in Hz.
        doppler_hz: f64,
        /// Carrier to noise density ratio in dB-Hz.
        cn0_dbhz: f64,
    },
    /// Symbol edges (and the phase of the secondary code) are known.
    Synchronised {
        /// First sample tracked.
        sample: u64,
        /// Code period, counted from the start of the channel, in which a symbol begins.
        period: u64,
    },
    /// The carrier was lost; the channel searches around its last state. Symbols stop.
    Unlocked {
        /// Sample at which the loss was noticed.
        sample: u64,
    },
    /// The channel has ended and will produce nothing more.
    Lost {
        /// Sample at which it gave up.
        sample: u64,
        /// Why.
        reason: LossReason,
    },
}

/// What a channel is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelState {
    /// Looking for frequency, code phase and symbol edges around its start or its last state.
    PullIn,
    /// A signal was found; where its symbols begin is still being sought.
    Tracking,
    /// The carrier is tracked, symbols and measurements are delivered.
    Synchronised,
    /// Ended.
    Lost,
}

/// Observables at one sample, those of the component that the channel was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measurement {
    /// Code periods since the start of the channel, of the one now running.
    pub period: u64,
    /// Code phase within it, chips, 0 to the length of the code.
    pub code_phase_chips: f64,
    /// Carrier phase in cycles, continuous while `slips` stays the same, increasing as the range grows. It is that of
    /// the signal's in-phase component: the components' phases are aligned, as RINEX wants them.
    pub carrier_phase_cycles: f64,
    /// Whether the phase is known up to whole cycles, as a pilot tells it; else up to half cycles.
    pub half_cycle_known: bool,
    /// Place of the period in the pilot's secondary code, if known: it tells the time modulo that code's duration.
    pub secondary_chip: Option<u32>,
    /// Received minus nominal frequency in Hz.
    pub doppler_hz: f64,
    /// Carrier to noise density ratio in dB-Hz.
    pub cn0_dbhz: f64,
    /// Whether the carrier phase is locked.
    pub phase_locked: bool,
    /// Times the carrier phase may have slipped since the start.
    pub slips: u32,
    /// Seconds since the carrier phase was last locked anew.
    pub lock_s: f64,
}
