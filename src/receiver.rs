//! The receiver: its state, and the order in which a block passes the stages.

mod acquiring;
mod positioning;
mod tracking;

use std::collections::BTreeMap;

use megrez_dsp::{Band, LevelError, LevelStats, SampleBlock, StreamInfo};
use megrez_nav::Assembler;
use megrez_orbit::{GnssTime, NavData};
use megrez_pvt::{Filter, Solution};
use megrez_signal::{NavMessage, Sat, Signal, SignalId};
use megrez_track::ChannelState;
use rayon::prelude::*;

use crate::clock::ReceiverClock;
use crate::config::is_received;
use crate::diagnosis::Evidence;
use crate::search::Search;
use crate::slot::{Slot, SlotEvent};
use crate::{Diagnosis, Event, HotStart, LossReason, ReceiverBuilder, ReceiverConfig};

/// Seconds kept before a block, beyond two code periods: what a channel has not taken yet is less than one.
const HISTORY_MARGIN_S: f64 = 0.002;
/// Blocks whose levels are taken in at the start; later one in as many.
const LEVEL_BLOCKS: u64 = 50;

/// Block that is kept for a look at the spectrum.
const SPECIMEN_BLOCK: u64 = 20;

/// Why a receiver cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiverError {
    /// None of the signals asked for lies in the stream.
    #[error(
        "no signal to receive: the stream covers {low_mhz:.3} to {high_mhz:.3} MHz, and {wanted} lie outside"
    )]
    NoSignal {
        /// Lower edge of the stream in MHz.
        low_mhz: f64,
        /// Upper edge of the stream in MHz.
        high_mhz: f64,
        /// The signals asked for, with their carriers.
        wanted: String,
    },
    /// A signal that can be searched for, but not followed.
    #[error("{0} can be acquired, but not received")]
    NotTracked(SignalId),
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
    info: StreamInfo,
    config: ReceiverConfig,
    bands: Vec<(Band, f64)>,
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
    search: Search,
    found: usize,
    /// Searches done.
    searches: u64,
    /// Sample until which a lost satellite is searched often.
    retry_until: u64,
    /// Satellites that were found and then could not be tracked, and when to look for them again.
    shunned: BTreeMap<(SignalId, Sat), u64>,
    levels: LevelStats,
    /// One block, for a look at the spectrum.
    specimen: Option<SampleBlock>,
    last_refusal: Option<String>,
    suspected_rate_hz: Option<f64>,
    blocks: u64,
    end: u64,
    drained: Vec<SlotEvent>,
}

impl Receiver {
    /// Starts building a receiver for a stream.
    pub fn builder(info: StreamInfo) -> ReceiverBuilder {
        ReceiverBuilder::new(info)
    }

    pub(crate) fn new(info: StreamInfo, mut config: ReceiverConfig) -> Result<Self, ReceiverError> {
        if !(1e6..=200e6).contains(&info.sample_rate_hz) {
            return Err(ReceiverError::Rate(info.sample_rate_hz));
        }
        let intervals = config.interval_s / 0.01;
        if !(0.01..=3600.0).contains(&config.interval_s) || (intervals - intervals.round()).abs() > 1e-6 {
            return Err(ReceiverError::Interval(config.interval_s));
        }
        let (low, high) = info.coverage_hz();
        let wanted = config.signals.clone();
        config.signals.retain(|s| (low..=high).contains(&s.def().carrier_hz));
        if let Some(&signal) = config.signals.iter().find(|s| !is_received(s.def())) {
            return Err(ReceiverError::NotTracked(signal));
        }
        config.signals.sort();
        config.signals.dedup();
        if config.signals.is_empty() {
            let wanted: Vec<String> =
                wanted.iter().map(|s| format!("{s} ({:.3} MHz)", s.def().carrier_hz / 1e6)).collect();
            return Err(ReceiverError::NoSignal {
                low_mhz: low / 1e6,
                high_mhz: high / 1e6,
                wanted: wanted.join(", "),
            });
        }
        let mut bands: Vec<(Band, f64)> = Vec::new();
        for carrier_hz in config.signals.iter().map(|s| s.def().carrier_hz) {
            if !bands.iter().any(|(_, c)| *c == carrier_hz) {
                let sharing = config.signals.iter().map(|s| s.def()).filter(|s| s.carrier_hz == carrier_hz);
                let period_s = sharing.map(Signal::code_period_s).fold(0.0, f64::max);
                let history_s = 2.0 * period_s + HISTORY_MARGIN_S;
                bands.push((Band::new(&info, carrier_hz, history_s, config.level), carrier_hz));
            }
        }
        Ok(Self {
            bands,
            slots: Vec::new(),
            gone: BTreeMap::new(),
            assemblers: BTreeMap::new(),
            nav: config.nav.clone(),
            clock: ReceiverClock::new(info.sample_rate_hz),
            hint: None,
            filter: Filter::new(config.solver.clone(), config.dynamics),
            last_fix: None,
            first_fix_sample: None,
            next_epoch: None,
            offset: config.known_oscillator_ppm.map(|ppm| -ppm * 1e-6),
            search: Search::new(info.clone(), config.oscillator_error_ppm, config.level),
            found: 0,
            searches: 0,
            shunned: BTreeMap::new(),
            retry_until: 0,
            levels: LevelStats::default(),
            specimen: None,
            last_refusal: None,
            suspected_rate_hz: None,
            blocks: 0,
            end: 0,
            drained: Vec::new(),
            info,
            config,
        })
    }

    /// Takes the next block and returns what came of it, sorted by sample, signal and satellite; the epochs
    /// of observations and positions that the block completes come last.
    pub fn push(&mut self, block: &SampleBlock) -> Vec<Event> {
        // One hand-over to the pool a block instead of one a stage, and none if the caller is on it.
        rayon::scope(|_| self.step(block))
    }

    fn step(&mut self, block: &SampleBlock) -> Vec<Event> {
        let mut events = Vec::new();
        if self.blocks > 0 && block.first_sample != self.end {
            self.gap(block.first_sample, &mut events);
        }
        self.blocks += 1;
        self.end = block.first_sample + block.samples.len() as u64;
        // Front ends settle at first.
        if self.blocks == SPECIMEN_BLOCK || self.specimen.is_none() {
            self.specimen = Some(block.clone());
        }
        if self.blocks <= LEVEL_BLOCKS || self.blocks.is_multiple_of(LEVEL_BLOCKS) {
            self.levels.add(block);
        }
        self.bands.par_iter_mut().for_each(|(band, _)| band.push(block));
        self.acquire(block, &mut events);
        self.track(&mut events);
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
            let wanted = self.wanted(self.end);
            for acquisition in self.search.finish(&wanted) {
                self.found += 1;
                events.push(Event::Acquired(acquisition));
            }
        }
        events
    }

    /// The stream.
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Signals that are being received: those asked for that lie in the stream.
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
            info: &self.info,
            levels: &self.levels,
            specimen: self.specimen.as_ref(),
            suspected_rate_hz: self.suspected_rate_hz,
            satellites: &self.satellites(),
            oscillator_ppm: self.oscillator_ppm(),
            duration_s: self.end as f64 / self.info.sample_rate_hz,
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
            Some(time + (sample as f64 - at as f64) / self.info.sample_rate_hz)
        })
    }

    /// Channels cannot bridge missing samples; searches start anew.
    fn gap(&mut self, first_sample: u64, events: &mut Vec<Event>) {
        let missing = first_sample.saturating_sub(self.end);
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
        self.search.hasten(first_sample);
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
