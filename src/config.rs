use megrez_dsp::{Level, Stream};
use megrez_nav::Decoder;
use megrez_orbit::{Ecef, GnssTime, NavData};
use megrez_pvt::{Dynamics, SolverConfig};
use megrez_signal::{ALL, Constellation, NavMessage, Sat, Signal, SignalId};
use megrez_track::{Channel, TrackConfig};

use crate::{HotStart, Receiver, ReceiverError};

/// How a receiver works. The default suits a recording of unknown origin.
#[derive(Debug, Clone)]
pub struct ReceiverConfig {
    /// Signals to receive. Those that lie in no stream are left out.
    pub signals: Vec<SignalId>,
    /// Those of them for which no satellite is searched: a satellite's is received once another of its signals, or
    /// position, time and ephemeris, tell where it is. Left out if nothing can, unless there are no others.
    pub aided_only: Vec<SignalId>,
    /// Seconds between epochs of observations and positions; a multiple of 10 ms.
    pub interval_s: f64,
    /// Largest relative error of the front end's oscillator that a search covers, in parts per million.
    pub oscillator_error_ppm: f64,
    /// Most channels at a time.
    pub max_channels: usize,
    /// How the receiver moves.
    pub dynamics: Dynamics,
    /// How positions are computed.
    pub solver: SolverConfig,
    /// How signals are tracked.
    pub tracking: TrackConfig,
    /// Ephemerides known beforehand.
    pub nav: NavData,
    /// The time of the recording, if it is known to within a few years: resolves the rollover of the GPS week.
    pub near_time: Option<GnssTime>,
    /// An approximate position.
    pub near_position: Option<Ecef>,
    /// Relative frequency error of the oscillator, in parts per million, if it is known.
    pub known_oscillator_ppm: Option<f64>,
    /// Instruction set of the correlators.
    pub level: Level,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            signals: ALL.iter().filter(|s| is_received_unasked(s)).map(|s| s.id).collect(),
            aided_only: vec![SignalId::B1CP],
            interval_s: 1.0,
            oscillator_error_ppm: 60.0,
            max_channels: 128,
            dynamics: Dynamics::Vehicle,
            solver: SolverConfig::default(),
            tracking: TrackConfig::default(),
            nav: NavData::default(),
            near_time: None,
            near_position: None,
            known_oscillator_ppm: None,
            level: Level::Portable,
        }
    }
}

/// The message that a satellite sends on a signal, or on the partner of a pilot: they are tracked together.
pub(crate) fn message_of(signal: &Signal, sat: Sat) -> Option<NavMessage> {
    signal.nav_message(sat.prn).or_else(|| signal.partner?.def().nav_message(sat.prn))
}

/// Whether a signal can be tracked and its message read.
pub(crate) fn is_received(signal: &'static Signal) -> bool {
    let decoded = |sat: Sat| message_of(signal, sat).is_some_and(|m| Decoder::new(sat, m).is_some());
    signal.senders().any(|sat| decoded(sat) && Channel::supports(signal, sat))
}

/// Whether a signal is received if none is asked for: of a pair the leading component. Not SBAS: its messages are
/// passed on, but do not help to a position. (B1C takes several times as long to search as all else near it together,
/// so it is [aided only](ReceiverConfig::aided_only).)
fn is_received_unasked(signal: &'static Signal) -> bool {
    signal.leads() && signal.constellation != Constellation::Sbas && is_received(signal)
}

/// Builds a [`Receiver`].
#[derive(Debug, Clone)]
pub struct ReceiverBuilder {
    streams: Vec<Stream>,
    config: ReceiverConfig,
    level: Option<Level>,
}

impl ReceiverBuilder {
    pub(crate) fn new(streams: Vec<Stream>) -> Self {
        Self { streams, config: ReceiverConfig::default(), level: None }
    }

    /// Signals to receive, and to search for.
    pub fn signals(mut self, signals: impl IntoIterator<Item = SignalId>) -> Self {
        self.config.signals = signals.into_iter().collect();
        self.config.aided_only.clear();
        self
    }

    /// Seconds between epochs.
    pub fn interval_s(mut self, interval_s: f64) -> Self {
        self.config.interval_s = interval_s;
        self
    }

    /// How the receiver moves.
    pub fn dynamics(mut self, dynamics: Dynamics) -> Self {
        self.config.dynamics = dynamics;
        self
    }

    /// Ephemerides known beforehand.
    pub fn nav(mut self, nav: NavData) -> Self {
        self.config.nav.merge(nav);
        self
    }

    /// What an earlier run left: ephemerides, position, oscillator offset.
    pub fn hot_start(mut self, state: HotStart) -> Self {
        self.config.near_time = self.config.near_time.or(Some(state.time));
        self.config.near_position = Some(state.position);
        self.config.known_oscillator_ppm = Some(state.oscillator_ppm);
        self.config.nav.merge(state.nav);
        self
    }

    /// Instruction set; without this, the best one that the machine has.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Everything else.
    pub fn configure(mut self, change: impl FnOnce(&mut ReceiverConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// The receiver.
    ///
    /// # Errors
    /// When no signal lies in a stream, a rate or the interval is unusable, the rates do not go together, or
    /// `MEGREZ_SIMD` names no instruction set of this machine.
    pub fn build(mut self) -> Result<Receiver, ReceiverError> {
        self.config.level = match self.level {
            Some(level) => level,
            None => Level::detect().map_err(ReceiverError::Level)?,
        };
        Receiver::new(self.streams, self.config)
    }
}
