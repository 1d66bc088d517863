//! The receiver: its state, and the order in which a block passes the stages.

mod acquiring;
mod handing;
mod plan;
mod positioning;
mod tracking;

use std::collections::BTreeMap;

use megrez_dsp::{LevelError, SampleBlock, Stream, StreamInfo, rates_agree};
use megrez_nav::Assembler;
use megrez_orbit::{GnssTime, NavData};
use megrez_pvt::{Filter, Solution};
use megrez_signal::{NavMessage, Sat, SignalId};
use megrez_track::ChannelState;
use rayon::prelude::*;

use crate::clock::ReceiverClock;
use crate::diagnosis::Evidence;
use crate::feed::Feed;
use crate::slot::{Slot, SlotEvent};
use plan::{Received, Tuned};

use crate::{Diagnosis, Event, HotStart, LossReason, ReceiverBuilder, ReceiverConfig};

/// Why a receiver cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiverError {
    /// None of the signals asked for lies in a stream.
    #[error("no signal to receive: the samples cover {covered}, and {wanted} lie outside")]
    NoSignal {
        /// The frequencies that the streams cover, in MHz.
        covered: String,
        /// The signals asked for, with their carriers.
        wanted: String,
    },
    /// A signal that can be searched for, but not followed.
    #[error("{0} can be acquired, but not received")]
    NotTracked(SignalId),
    /// No stream, or rates that differ and of which 10 ms are not whole samples.
    #[error(
        "streams of one front end are needed, of equal sample rates or of rates that are multiples of 100 Hz"
    )]
    Streams,
    /// The sample rate cannot be used.
    #[error("sample rate {0} Hz: must be from 1 MHz to 200 MHz")]
    Rate(f64),
    /// The interval cannot be used.
    #[error("interval {0} s: must be a multiple of 10 ms, from 10 ms to an hour")]
    Interval(f64),
    /// `MEGREZ_SIMD` cannot be followed.
    #[error(transparent)]
    Level(LevelError),
}

/// A satellite that is or was tracked.
#[derive(Debug, Clone, PartialEq)]
pub struct SatStatus {
    /// Satellite.
    pub sat: Sat,
    /// Signal.
    pub signal: SignalId,
    /// Carrier-to-noise density in dB-Hz, the last measured.
    pub cn0_dbhz: f64,
    /// Doppler in Hz, the last measured.
    pub doppler_hz: f64,
    /// Whether it is tracked now.
    pub tracked: bool,
    /// Whether its symbols are being read.
    pub synchronised: bool,
    /// Subframes decoded so far.
    pub subframes: u32,
    /// What its ephemeris still lacks; empty when complete.
    pub missing: String,
}

/// Turns blocks of samples into events. See the crate's example.
pub struct Receiver {
    streams: Vec<Stream>,
    config: ReceiverConfig,
    feeds: Vec<Feed>,
    bands: Vec<Tuned>,
    received: Vec<Received>,
    slots: Vec<Slot>,
    gone: BTreeMap<(SignalId, Sat), SatStatus>,
    assemblers: BTreeMap<(Sat, NavMessage), Assembler>,
    nav: NavData,
    clock: ReceiverClock,
    /// A known instant and its sample, good to a second.
    hint: Option<(u64, GnssTime)>,
    filter: Filter,
    last_fix: Option<(u64, Solution)>,
    first_fix_sample: Option<u64>,
    next_epoch: Option<GnssTime>,
    offset: Option<f64>,
    /// The stream that is searched next.
    turn: usize,
    found: usize,
    /// Searches done.
    searches: u64,
    /// Sample until which a lost satellite is searched often.
    retry_until: u64,
    /// Satellites that could not be tracked where they were thought to be.
    shunned: BTreeMap<(SignalId, Sat), Shunned>,
    last_refusal: Option<String>,
    suspected_rate_hz: Option<f64>,
    blocks: u64,
    /// The sample after the first stream's last block.
    end: u64,
    drained: Vec<SlotEvent>,
}

/// A satellite's signal that could not be tracked where it was thought to be.
#[derive(Debug, Clone, Copy)]
struct Shunned {
    /// Sample at which to look again.
    until: u64,
    /// Searched since, around the Doppler of another signal.
    searched: bool,
}

impl Receiver {
    /// Starts building a receiver for a stream.
    pub fn builder(stream: impl Into<Stream>) -> ReceiverBuilder {
        ReceiverBuilder::new(vec![stream.into()])
    }

    /// Starts building a receiver for several streams of one front end, which begin together and run on one clock. It
    /// counts in samples of the first one.
    pub fn builder_of(streams: impl Into<Vec<Stream>>) -> ReceiverBuilder {
        ReceiverBuilder::new(streams.into())
    }

    pub(crate) fn new(streams: Vec<Stream>, mut config: ReceiverConfig) -> Result<Self, ReceiverError> {
        let rates = || streams.iter().map(|stream| stream.info.sample_rate_hz);
        if let Some(rate) = rates().find(|rate| !(1e6..=200e6).contains(rate)) {
            return Err(ReceiverError::Rate(rate));
        }
        let Some(first_rate_hz) = rates().next().filter(|_| rates_agree(rates())) else {
            return Err(ReceiverError::Streams);
        };
        let intervals = config.interval_s / 0.01;
        if !(0.01..=3600.0).contains(&config.interval_s) || (intervals - intervals.round()).abs() > 1e-6 {
            return Err(ReceiverError::Interval(config.interval_s));
        }
        let (bands, received) = plan::plan(&streams, &config)?;
        config.signals = received.iter().map(|r| r.signal).collect();
        let feed = |stream| Feed::new(stream, first_rate_hz, config.oscillator_error_ppm, config.level);
        Ok(Self {
            feeds: streams.iter().map(feed).collect(),
            turn: bands.first().map_or(0, |tuned| tuned.stream),
            bands,
            received,
            slots: Vec::new(),
            gone: BTreeMap::new(),
            assemblers: BTreeMap::new(),
            nav: config.nav.clone(),
            clock: ReceiverClock::new(first_rate_hz),
            hint: None,
            filter: Filter::new(config.solver.clone(), config.dynamics),
            last_fix: None,
            first_fix_sample: None,
            next_epoch: None,
            offset: config.known_oscillator_ppm.map(|ppm| -ppm * 1e-6),
            found: 0,
            searches: 0,
            shunned: BTreeMap::new(),
            retry_until: 0,
            last_refusal: None,
            suspected_rate_hz: None,
            blocks: 0,
            end: 0,
            drained: Vec::new(),
            streams,
            config,
        })
    }

    /// Takes the next block of each stream, all of the same span, in the order of the streams (of a single stream
    /// simply the block), and returns what came of them, sorted by sample, signal and satellite. What a search found
    /// comes first; the epochs of observations and positions that the blocks complete come last.
    pub fn push(&mut self, blocks: impl AsRef<[SampleBlock]>) -> Vec<Event> {
        let blocks = blocks.as_ref();
        // One hand-over to the pool a block instead of one a stage, and none if the caller is on it.
        rayon::scope(|_| self.step(blocks))
    }

    fn step(&mut self, blocks: &[SampleBlock]) -> Vec<Event> {
        let mut events = Vec::new();
        let Some(first) = blocks.first() else { return events };
        let gaps = self.feeds.iter().zip(blocks).filter_map(|(feed, block)| feed.missing(block));
        if let Some(missing) = gaps.max() {
            self.gap(missing, &mut events);
        }
        self.blocks += 1;
        self.end = first.first_sample + first.samples.len() as u64;
        self.feeds.iter_mut().zip(blocks).for_each(|(feed, block)| feed.take(block));
        self.bands.par_iter_mut().for_each(|tuned| {
            if let Some(block) = blocks.get(tuned.stream) {
                tuned.band.push(block);
            }
        });
        self.acquire(blocks, &mut events);
        self.track(&mut events);
        self.hand_over(&mut events);
        events.sort_by_key(Event::order);
        self.position(&mut events);
        events
    }

    /// Ends the stream: searches what was collected for a search that the end cut short, and if nothing was ever
    /// found, looks whether another sample rate explains it.
    pub fn finish(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.found == 0 {
            self.suspected_rate_hz = self.suspect_rate_hz();
            for stream in 0..self.feeds.len() {
                let wanted = self.wanted(stream, self.end);
                let Some(feed) = self.feeds.get_mut(stream) else { continue };
                let found = feed.search.finish(&wanted);
                self.found += found.len();
                events.extend(found.into_iter().map(Event::Acquired));
            }
        }
        events
    }

    /// Every stream.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The stream in which a signal is received.
    pub fn stream_of(&self, signal: SignalId) -> Option<&StreamInfo> {
        let received = self.received.iter().find(|r| r.signal == signal)?;
        Some(&self.feeds.get(self.bands.get(received.band)?.stream)?.info)
    }

    /// Samples a second of the first stream, in which events count.
    pub fn sample_rate_hz(&self) -> f64 {
        self.feeds.first().map_or(1.0, |feed| feed.info.sample_rate_hz)
    }

    /// Signals that are being received: those asked for that lie in a stream.
    pub fn signals(&self) -> &[SignalId] {
        &self.config.signals
    }

    /// Everything the messages said so far, with what was known beforehand.
    pub fn nav(&self) -> &NavData {
        &self.nav
    }

    /// Sample of the first fix.
    pub fn first_fix_sample(&self) -> Option<u64> {
        self.first_fix_sample
    }

    /// Satellites tracked now or before, sorted by signal and satellite.
    pub fn satellites(&self) -> Vec<SatStatus> {
        let mut all = self.gone.clone();
        for slot in &self.slots {
            all.insert((slot.signal.id, slot.sat), self.status(slot, true));
        }
        all.into_values().collect()
    }

    /// Relative frequency error of the oscillator in parts per million, as far as it is known: from the
    /// last fix, else from the satellites' median Doppler (then good to a few ppm).
    pub fn oscillator_ppm(&self) -> Option<f64> {
        match &self.last_fix {
            Some((_, fix)) => Some(fix.clock_drift * 1e6),
            // An offset from a state file is a guess until satellites are found there.
            None => self.offset.filter(|_| self.found > 0).map(|offset| -offset * 1e6),
        }
    }

    /// What to keep for a hot start; none before the first fix.
    pub fn hot_start(&self) -> Option<HotStart> {
        let (_, fix) = self.last_fix.as_ref()?;
        Some(HotStart {
            time: fix.time,
            position: fix.position,
            oscillator_ppm: fix.clock_drift * 1e6,
            nav: self.nav.clone(),
        })
    }

    /// What stands in the way of a position, in words.
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis::of(&Evidence {
            feeds: &self.feeds,
            suspected_rate_hz: self.suspected_rate_hz,
            satellites: &self.satellites(),
            oscillator_ppm: self.oscillator_ppm(),
            duration_s: self.end as f64 / self.sample_rate_hz(),
            fixed: self.last_fix.is_some(),
            refusal: self.last_refusal.as_deref(),
        })
    }

    fn status(&self, slot: &Slot, tracked: bool) -> SatStatus {
        let missing = match slot.message() {
            Some(message) if !self.has_ephemeris(slot.sat) => self
                .assemblers
                .get(&(slot.sat, message))
                .map_or_else(|| "every subframe".to_string(), Assembler::progress),
            _ => String::new(),
        };
        SatStatus {
            sat: slot.sat,
            signal: slot.signal.id,
            cn0_dbhz: slot.last_cn0_dbhz,
            doppler_hz: slot.last_doppler_hz,
            tracked,
            synchronised: slot.state() == ChannelState::Synchronised,
            subframes: slot.subframes,
            missing,
        }
    }

    fn has_ephemeris(&self, sat: Sat) -> bool {
        match self.now(self.end) {
            Some(now) => self.nav.ephemeris(sat, now).is_some(),
            None => self.nav.sats().any(|s| s == sat),
        }
    }

    /// Best idea of the time at a sample.
    fn now(&self, sample: u64) -> Option<GnssTime> {
        self.clock.time(sample).or_else(|| {
            let (at, time) = self.hint?;
            Some(time + (sample as f64 - at as f64) / self.sample_rate_hz())
        })
    }

    /// Channels cannot bridge missing samples; searches start anew.
    fn gap(&mut self, missing: u64, events: &mut Vec<Event>) {
        events.push(Event::Gap { sample: self.end, missing });
        for slot in std::mem::take(&mut self.slots) {
            self.remember(&slot);
            events.push(Event::Lost {
                sample: self.end,
                sat: slot.sat,
                signal: slot.signal.id,
                reason: LossReason::Gap,
            });
        }
        self.feeds.iter_mut().for_each(|feed| feed.search.hasten(feed.end));
    }

    fn remember(&mut self, slot: &Slot) {
        let status = self.status(slot, false);
        self.gone.insert((slot.signal.id, slot.sat), status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_without_a_wanted_signal_are_refused() {
        let info = StreamInfo { sample_rate_hz: 2e6, center_hz: 1400.0e6, complex: true };
        let error = Receiver::builder(info.clone()).build().err().unwrap().to_string();
        assert!(
            error.contains("1399.000 to 1401.000 MHz") && error.contains("B1I (1561.098 MHz)"),
            "{error}"
        );
        let info = StreamInfo { sample_rate_hz: 1e3, ..info };
        assert!(Receiver::builder(info).build().is_err());
    }

    #[test]
    fn every_signal_can_be_asked_for() {
        for name in ["B1I", "B1C", "B1C-D", "B2I", "B2a", "B2a-D", "B2b", "B3I", "L1CA", "SBAS-L1", "SBAS-L5"]
        {
            let signal: SignalId = name.parse().unwrap();
            let info = StreamInfo { sample_rate_hz: 25e6, center_hz: signal.def().carrier_hz, complex: true };
            let receiver = Receiver::builder(info).signals([signal]).build();
            assert!(receiver.is_ok_and(|r| r.signals() == [signal]), "{name}");
        }
    }

    #[test]
    fn of_a_pair_the_leading_component_is_received_unasked() {
        let signals = ReceiverConfig::default().signals;
        for wanted in
            [SignalId::B1I, SignalId::B2I, SignalId::B2AP, SignalId::B2BI, SignalId::B3I, SignalId::L1CA]
        {
            assert!(signals.contains(&wanted), "{wanted}");
        }
        assert!(signals.iter().all(|s| s.def().leads()), "{signals:?}");
    }
}
