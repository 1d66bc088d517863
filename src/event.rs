use megrez_acquire::Acquisition;
use megrez_nav::Subframe;
use megrez_orbit::{Ephemeris, GnssTime, ObservationEpoch};
use megrez_pvt::Solution;
use megrez_signal::{Sat, SignalId};

/// Why a satellite is no longer tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossReason {
    /// The channel lost the signal; its own words.
    Signal(String),
    /// It sent the same ephemeris as a stronger satellite: a cross-correlation.
    CrossCorrelation(Sat),
    /// It was started where another signal of the satellite, or a prediction, said, and did not agree with it.
    Disagreement,
    /// The samples had a gap.
    Gap,
}

/// What a [`crate::Receiver`] reports. Samples are those of the first stream.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A search found a satellite; a channel was started. It counts in samples of [its own
    /// stream](crate::Receiver::stream_of).
    Acquired(Acquisition),
    /// A channel was started where another signal of the satellite, or position, time and ephemeris, say that it is.
    HandedOver {
        /// Sample at which it happened.
        sample: u64,
        /// Satellite.
        sat: Sat,
        /// Signal that is tracked from now on.
        signal: SignalId,
        /// The signal that told; none if it was predicted.
        from: Option<SignalId>,
    },
    /// Symbols of a satellite are being read.
    Synchronised {
        /// Sample at which it happened.
        sample: u64,
        /// Satellite.
        sat: Sat,
        /// Signal.
        signal: SignalId,
    },
    /// A satellite is no longer tracked.
    Lost {
        /// Sample at which it happened.
        sample: u64,
        /// Satellite.
        sat: Sat,
        /// Signal.
        signal: SignalId,
        /// Why.
        reason: LossReason,
    },
    /// A subframe passed its checks.
    Message {
        /// First sample of its last symbol.
        sample: u64,
        /// Signal it came on.
        signal: SignalId,
        /// When its first symbol was sent, once the week is known.
        time: Option<GnssTime>,
        /// The subframe.
        subframe: Box<Subframe>,
    },
    /// An ephemeris is complete, or was replaced by another issue.
    Ephemeris {
        /// First sample of the symbol that completed it.
        sample: u64,
        /// Signal it came on.
        signal: SignalId,
        /// The ephemeris.
        ephemeris: Box<Ephemeris>,
    },
    /// Measurements of one receiver epoch.
    Observations {
        /// Last sample before the epoch.
        sample: u64,
        /// Seconds of receiver time from the first sample of the stream to the epoch.
        receiver_s: f64,
        /// The measurements.
        epoch: ObservationEpoch,
    },
    /// A position; its observations came just before.
    Solution(Box<Solution>),
    /// No position at an epoch that had measurements, and why.
    NoSolution {
        /// Sample of the epoch.
        sample: u64,
        /// Why, in words.
        reason: String,
    },
    /// Samples are missing between two blocks.
    Gap {
        /// First missing sample.
        sample: u64,
        /// Number of missing samples.
        missing: u64,
    },
}

impl Event {
    /// Where it belongs in the order of events: sample, signal, satellite. What a search found comes first: it began
    /// before the blocks that it ended with. Positions and observations come last, as `push` appends them.
    pub(crate) fn order(&self) -> (u64, Option<(SignalId, Sat)>) {
        match self {
            Self::Acquired(a) => (0, Some((a.signal, a.sat))),
            Self::Synchronised { sample, sat, signal }
            | Self::HandedOver { sample, sat, signal, .. }
            | Self::Lost { sample, sat, signal, .. } => (*sample, Some((*signal, *sat))),
            Self::Message { sample, signal, subframe, .. } => (*sample, Some((*signal, subframe.sat))),
            Self::Ephemeris { sample, signal, ephemeris } => (*sample, Some((*signal, ephemeris.sat()))),
            Self::Gap { sample, .. } => (*sample, None),
            Self::Observations { sample, .. } | Self::NoSolution { sample, .. } => (*sample, None),
            Self::Solution(_) => (u64::MAX, None),
        }
    }
}
