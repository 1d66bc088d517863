use megrez_dsp::{BandView, Level};
use megrez_signal::{Sat, Signal};

use crate::config::TrackConfig;
use crate::event::{ChannelEvent, ChannelState, LossReason, Measurement};
use crate::plan::Plan;
use crate::start::ChannelStart;
use crate::tracker::Tracker;

/// Follows one signal of one satellite: samples in, symbols and observables out.
///
/// The signal may be the pilot of a pair: observables are those of the pilot, symbols those of its partner. A data
/// component is tracked alone.
///
/// The channel works in cells, a millisecond or less of a code period, in order, whatever the lengths of the views it
/// is given; its results depend on the samples alone. It allocates nothing after [`Channel::new`].
pub struct Channel {
    signal: &'static Signal,
    sat: Sat,
    /// None if the signal cannot be tracked.
    tracker: Option<Box<Tracker>>,
    refused: bool,
}

impl Channel {
    /// A channel for `signal` of `sat`. One that cannot be tracked reports [`LossReason::Unsupported`] at the
    /// first call of [`Channel::process`].
    pub fn new(
        signal: &'static Signal,
        sat: Sat,
        sample_rate_hz: f64,
        level: Level,
        start: ChannelStart,
        config: &TrackConfig,
    ) -> Self {
        let usable = sample_rate_hz.is_finite()
            && sample_rate_hz > 0.1 * signal.chip_rate_hz
            && start.code_phase_chips.is_finite()
            && start.doppler_hz.abs() < 0.01 * signal.carrier_hz
            && sat.constellation == signal.constellation;
        let plan = if usable { Plan::new(signal, sat.prn) } else { None };
        let tracker = plan.map(|plan| Box::new(Tracker::new(plan, sample_rate_hz, level, start, config)));
        Self { signal, sat, tracker, refused: false }
    }

    /// Whether channels can track `signal` of `sat`.
    pub fn supports(signal: &'static Signal, sat: Sat) -> bool {
        sat.constellation == signal.constellation && Plan::exists(signal, sat.prn)
    }

    /// The satellite.
    pub fn sat(&self) -> Sat {
        self.sat
    }

    /// The signal.
    pub fn signal(&self) -> &'static Signal {
        self.signal
    }

    /// What the channel is doing.
    pub fn state(&self) -> ChannelState {
        match &self.tracker {
            Some(tracker) => tracker.state(),
            None if self.refused => ChannelState::Lost,
            None => ChannelState::PullIn,
        }
    }

    /// First sample that the channel has not processed yet.
    pub fn next_sample(&self) -> u64 {
        self.tracker.as_ref().map_or(0, |tracker| tracker.next_sample())
    }

    /// C/N0 in dB-Hz; none while the carrier is not tracked.
    pub fn cn0_dbhz(&self) -> Option<f64> {
        self.tracker.as_ref()?.cn0_dbhz()
    }

    /// Processes all that `view` holds of whole cells and appends what happened to `events`.
    pub fn process(&mut self, view: &BandView<'_>, events: &mut Vec<ChannelEvent>) {
        let range = view.range();
        match &mut self.tracker {
            _ if range.is_empty() => {}
            Some(tracker) => tracker.process(view, events),
            None if self.refused => {}
            None => {
                self.refused = true;
                events.push(ChannelEvent::Lost { sample: range.start, reason: LossReason::Unsupported });
            }
        }
    }

    /// Observables at exactly `sample`, from the state of the filters; none while the carrier is not tracked
    /// or when `sample` is more than a quarter of a second from what was processed.
    pub fn measurement(&self, sample: u64) -> Option<Measurement> {
        self.tracker.as_ref()?.measurement(sample)
    }
}
