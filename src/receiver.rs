use std::collections::BTreeMap;

use megrez_acquire::Acquisition;
use megrez_dsp::{Band, LevelError, LevelStats, SampleBlock, StreamInfo};
use megrez_nav::{Assembler, NavEvent, Subframe};
use megrez_orbit::{Ecef, Ephemeris, GnssTime, NavData, ObservationEpoch, look_angles};
use megrez_pvt::{Filter, Solution, solve};
use megrez_signal::{NavMessage, SPEED_OF_LIGHT, Sat, SignalId};
use megrez_track::{ChannelStart, ChannelState};
use rayon::prelude::*;

use crate::clock::ReceiverClock;
use crate::search::{Search, Wanted, common_offset, gpst_minus_system_s};
use crate::slot::{Slot, SlotEvent};
use crate::{Diagnosis, Event, HotStart, LossReason, ReceiverBuilder, ReceiverConfig};

/// Samples kept before a block: the longest code period and the longest integration, with margin.
const HISTORY_S: f64 = 0.045;
/// Travel time from a satellite, to start the clock from.
const TRAVEL_S: f64 = 0.075;
/// Blocks between attempts at a first fix.
const FIRST_FIX_BLOCKS: u64 = 10;
/// Seconds until the next search for missing satellites: right after the first, while few are tracked, and
/// with enough of them.
const SEARCH_SOON_S: f64 = 0.2;
const SEARCH_SHORT_OF_SATELLITES_S: f64 = 8.0;
const SEARCH_CONTENT_S: f64 = 30.0;
/// Satellites with which a receiver is content.
const ENOUGH_SATELLITES: usize = 6;
/// Blocks whose levels are taken in at the start; later one in as many.
const LEVEL_BLOCKS: u64 = 50;
/// A satellite that was found but could not be tracked is left alone for so long.
const SHUN_S: f64 = 20.0;
/// A signal so much weaker than the strongest on its carrier, in dB, is probably its cross-correlation: C/A
/// codes leave -21.1 dB at worst, noise adds to that.
const CROSS_CORRELATION_DB: f64 = 18.0;
/// Half the window of a predicted Doppler in Hz.
const PREDICTED_HZ: f64 = 500.0;
/// A fix this old still predicts transmit times to a fraction of a millisecond.
const PREDICT_AGE_S: f64 = 60.0;

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
    /// Satellites that were found and then could not be tracked, and when to look for them again.
    shunned: BTreeMap<(SignalId, Sat), u64>,
    levels: LevelStats,
    last_refusal: Option<String>,
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
                bands.push((Band::new(&info, carrier_hz, HISTORY_S, config.level), carrier_hz));
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
            search: Search::new(info.clone(), config.oscillator_error_ppm),
            found: 0,
            shunned: BTreeMap::new(),
            levels: LevelStats::default(),
            last_refusal: None,
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
        let mut events = Vec::new();
        if self.blocks > 0 && block.first_sample != self.end {
            self.gap(block.first_sample, &mut events);
        }
        self.blocks += 1;
        self.end = block.first_sample + block.samples.len() as u64;
        if self.blocks <= LEVEL_BLOCKS || self.blocks % LEVEL_BLOCKS == 0 {
            self.levels.add(block);
        }
        self.bands.par_iter_mut().for_each(|(band, _)| band.push(block));
        self.acquire(block, &mut events);
        self.track(&mut events);
        events.sort_by_key(Event::order);
        self.position(&mut events);
        events
    }

    /// Ends the stream: searches what was collected for a search that the end cut short.
    pub fn finish(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.found == 0 {
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
            None => self.offset.map(|offset| -offset * 1e6),
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
        Diagnosis::of(
            &self.info,
            &self.levels,
            &self.satellites(),
            self.oscillator_ppm(),
            self.end as f64 / self.info.sample_rate_hz,
            self.last_fix.is_some(),
            self.last_refusal.as_deref(),
        )
    }

    fn status(&self, slot: &Slot, tracked: bool) -> SatStatus {
        let missing = match slot.signal.nav_message(slot.sat.prn) {
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

    // ---- search

    fn acquire(&mut self, block: &SampleBlock, events: &mut Vec<Event>) {
        if !self.search.is_active(block.first_sample) {
            return;
        }
        let wanted = self.wanted(block.first_sample);
        let Some(found) = self.search.offer(block, &wanted) else {
            if wanted.iter().all(|w| w.prns.is_empty()) {
                self.search.postpone(self.end + self.samples(SEARCH_CONTENT_S));
            }
            return;
        };
        if self.last_fix.is_none() && self.config.known_oscillator_ppm.is_none() && self.found < 4 {
            self.offset = common_offset(&found).or(self.offset);
        }
        let first = self.found == 0 && self.blocks < 100;
        self.found += found.len();
        for acquisition in found {
            if self.start(&acquisition) {
                events.push(Event::Acquired(acquisition));
            }
        }
        let steady = self.slots.iter().filter(|s| s.state() == ChannelState::Synchronised).count();
        let pause_s = if first || self.found == 0 {
            SEARCH_SOON_S
        } else if steady < ENOUGH_SATELLITES {
            SEARCH_SHORT_OF_SATELLITES_S
        } else {
            SEARCH_CONTENT_S
        };
        self.search.postpone(self.end + self.samples(pause_s));
    }

    fn samples(&self, seconds: f64) -> u64 {
        (seconds * self.info.sample_rate_hz) as u64
    }

    /// Starts a channel; false if there is a reason not to.
    fn start(&mut self, acquisition: &Acquisition) -> bool {
        let signal = acquisition.signal.def();
        let Some(band) = self.bands.iter().position(|(_, carrier_hz)| *carrier_hz == signal.carrier_hz)
        else {
            return false;
        };
        let busy = self.slots.iter().any(|s| s.sat == acquisition.sat && s.signal.id == acquisition.signal);
        let strongest = self.slots.iter().filter(|s| s.signal.id == acquisition.signal);
        let strongest = strongest.map(|s| s.last_cn0_dbhz).fold(f64::MIN, f64::max);
        let trace = acquisition.cn0_dbhz < strongest - CROSS_CORRELATION_DB;
        if busy || trace || self.slots.len() >= self.config.max_channels {
            return false;
        }
        let start = ChannelStart {
            sample: acquisition.sample,
            code_phase_chips: acquisition.code_phase_chips,
            doppler_hz: acquisition.doppler_hz,
            cn0_dbhz: acquisition.cn0_dbhz,
        };
        let slot = Slot::new(
            acquisition.sat,
            signal,
            band,
            self.info.sample_rate_hz,
            self.config.level,
            start,
            &self.config.tracking,
        );
        self.slots.push(slot);
        self.slots.sort_by_key(|s| (s.signal.id, s.sat));
        true
    }

    /// Satellites that are not tracked and may be there.
    fn wanted(&self, sample: u64) -> Vec<Wanted> {
        let predicted = self.predicted_dopplers(sample);
        self.config
            .signals
            .iter()
            .map(|&signal| {
                let mut window: Option<(f64, f64)> = None;
                let mut all_predicted = true;
                let prns = signal
                    .def()
                    .sats()
                    .filter(|&sat| !self.slots.iter().any(|s| s.sat == sat && s.signal.id == signal))
                    .filter(|&sat| self.shunned.get(&(signal, sat)).is_none_or(|&until| sample >= until))
                    .filter(|sat| match predicted.get(sat) {
                        Some(None) => false,
                        Some(Some(relative)) => {
                            let doppler_hz = relative * signal.def().carrier_hz;
                            let (low, high) = window.unwrap_or((f64::MAX, f64::MIN));
                            window = Some((
                                low.min(doppler_hz - PREDICTED_HZ),
                                high.max(doppler_hz + PREDICTED_HZ),
                            ));
                            true
                        }
                        None => {
                            all_predicted = false;
                            true
                        }
                    })
                    .map(|sat| sat.prn)
                    .collect();
                let tracked =
                    self.slots.iter().filter(|s| s.signal.id == signal).map(|s| s.sat.prn).collect();
                Wanted {
                    signal,
                    prns,
                    tracked,
                    offset: self.offset,
                    window_hz: window.filter(|_| all_predicted),
                }
            })
            .collect()
    }

    /// For satellites with an ephemeris, once a position is known: relative Doppler, or none below the
    /// horizon.
    fn predicted_dopplers(&self, sample: u64) -> BTreeMap<Sat, Option<f64>> {
        let Some((_, fix)) = &self.last_fix else { return BTreeMap::new() };
        let Some(now) = self.now(sample) else { return BTreeMap::new() };
        let mut all = BTreeMap::new();
        for sat in self.nav.sats() {
            let Some(ephemeris) = self.nav.ephemeris(sat, now) else { continue };
            let state = ephemeris.state(now);
            let azel = look_angles(fix.position, state.position);
            let line = state.position - fix.position;
            let rate = (state.velocity - fix.velocity.unwrap_or_default()).dot(line) / line.norm();
            let relative = -rate / SPEED_OF_LIGHT + state.clock_drift - fix.clock_drift;
            all.insert(sat, (azel.elevation > 0.0).then_some(relative));
        }
        all
    }

    // ---- tracking and messages

    fn track(&mut self, events: &mut Vec<Event>) {
        let bands = &self.bands;
        self.slots.par_iter_mut().for_each(|slot| {
            if let Some((band, _)) = bands.get(slot.band) {
                slot.process(&band.view());
            }
        });
        let mut slots = std::mem::take(&mut self.slots);
        let mut drained = std::mem::take(&mut self.drained);
        let mut kept = Vec::with_capacity(slots.len());
        for mut slot in slots.drain(..) {
            slot.drain(&mut drained);
            let mut lost = false;
            for event in drained.drain(..) {
                let (sat, signal) = (slot.sat, slot.signal.id);
                match event {
                    SlotEvent::Synchronised { sample } => {
                        events.push(Event::Synchronised { sample, sat, signal });
                    }
                    SlotEvent::Subframe { sample, subframe } => {
                        self.message(sample, &mut slot, subframe, events);
                    }
                    SlotEvent::Lost { sample, reason } => {
                        lost = true;
                        events.push(Event::Lost { sample, sat, signal, reason: LossReason::Signal(reason) });
                    }
                }
            }
            if lost {
                self.remember(&slot);
                if slot.subframes > 0 {
                    self.search.hasten(self.end + self.samples(SEARCH_SOON_S));
                } else {
                    let until = self.end + self.samples(SHUN_S);
                    self.shunned.insert((slot.signal.id, slot.sat), until);
                }
            } else {
                kept.push(slot);
            }
        }
        self.drained = drained;
        self.slots = kept;
        self.drop_copies(events);
    }

    fn message(&mut self, sample: u64, slot: &mut Slot, subframe: Box<Subframe>, events: &mut Vec<Event>) {
        let near = self.now(sample).or(self.config.near_time);
        let assembler = self
            .assemblers
            .entry((slot.sat, subframe.message))
            .or_insert_with(|| Assembler::new(slot.sat, subframe.message));
        for event in assembler.push(&subframe, near) {
            match event {
                NavEvent::Ephemeris(ephemeris) => {
                    self.nav.insert(ephemeris.clone());
                    events.push(Event::Ephemeris { sample, ephemeris: Box::new(ephemeris) });
                }
                other => other.store(&mut self.nav),
            }
        }
        let time = assembler.time(&subframe).or_else(|| {
            let shift = gpst_minus_system_s(slot.sat.constellation);
            self.now(sample).map(|now| nearest_tow(now, subframe.tow_s + shift))
        });
        if let Some(time) = time {
            self.hint.get_or_insert((sample, time));
        }
        slot.note_subframe(&subframe, time);
        events.push(Event::Message { sample, signal: slot.signal.id, time, subframe });
    }

    /// A weak channel that sends a stronger satellite's ephemeris tracks its cross-correlation.
    fn drop_copies(&mut self, events: &mut Vec<Event>) {
        let fresh: Vec<Sat> = events
            .iter()
            .filter_map(|event| match event {
                Event::Ephemeris { ephemeris, .. } => Some(ephemeris.sat()),
                _ => None,
            })
            .collect();
        for sat in fresh {
            let Some(new) = self.nav.ephemerides_of(sat).last().map(Ephemeris::kepler) else { continue };
            let twin = self.nav.ephemerides().map(Ephemeris::kepler).find_map(|old| {
                let same = old.sat.constellation == sat.constellation
                    && (old.m0, old.omega0, old.omega, old.e) == (new.m0, new.omega0, new.omega, new.e);
                (same && old.sat != sat).then_some(old.sat)
            });
            let Some(twin) = twin else { continue };
            let strength = |s: Sat| {
                self.slots.iter().filter(|x| x.sat == s).map(|x| x.last_cn0_dbhz).fold(0.0, f64::max)
            };
            let (copy, original) = if strength(sat) < strength(twin) { (sat, twin) } else { (twin, sat) };
            self.nav.remove(copy);
            self.assemblers.retain(|(s, _), _| *s != copy);
            let end = self.end;
            self.slots.retain(|slot| {
                if slot.sat == copy {
                    events.push(Event::Lost {
                        sample: end,
                        sat: copy,
                        signal: slot.signal.id,
                        reason: LossReason::CrossCorrelation(original),
                    });
                }
                slot.sat != copy
            });
        }
    }

    // ---- position

    fn position(&mut self, events: &mut Vec<Event>) {
        for slot in &mut self.slots {
            slot.refresh(self.end);
        }
        if !self.clock.aligned() {
            if self.blocks % FIRST_FIX_BLOCKS == 0 {
                self.first_fix(events);
            }
            return;
        }
        while let Some(time) = self.next_epoch {
            let Some(exact) = self.clock.sample(time).filter(|s| *s <= self.end as f64) else { break };
            let sample = exact.floor().max(0.0) as u64;
            let late_s = (exact - sample as f64) / self.info.sample_rate_hz;
            self.next_epoch = Some((time + self.config.interval_s).round_to(self.config.interval_s));
            self.predict_anchors(sample);
            let epoch = self.observations(sample, late_s, time);
            self.solve_epoch(sample, late_s, epoch, events);
        }
    }

    /// Sets the clock by the first position.
    fn first_fix(&mut self, events: &mut Vec<Event>) {
        let sample = self.end;
        let newest = self
            .slots
            .iter()
            .filter_map(|s| s.transmit(sample))
            .map(|(t, _)| t)
            .reduce(|a, b| if a > b { a } else { b });
        let Some(newest) = newest else { return };
        self.clock.set(sample, newest + TRAVEL_S);
        let Some(time) = self.clock.time(sample) else { return };
        let epoch = self.observations(sample, 0.0, time);
        if epoch.observations.len() < 4 {
            self.last_refusal = Some(format!("{} satellites with a known time", epoch.observations.len()));
            return;
        }
        match solve(&epoch, &self.nav, &self.config.solver, self.config.near_position) {
            Ok(fix) => {
                self.clock.align(fix.clock_bias_s);
                self.first_fix_sample = Some(sample);
                let Some(time) = self.clock.time(sample) else { return };
                let interval_s = self.config.interval_s;
                let next = time.round_to(interval_s);
                self.next_epoch = Some(if next > time { next } else { next + interval_s });
                let epoch = self.observations(sample, 0.0, time);
                self.solve_epoch(sample, 0.0, epoch, events);
            }
            Err(error) => self.last_refusal = Some(error.to_string()),
        }
    }

    fn observations(&mut self, sample: u64, late_s: f64, time: GnssTime) -> ObservationEpoch {
        let mut observations: Vec<_> =
            self.slots.iter_mut().filter_map(|slot| slot.observe(sample, late_s, time)).collect();
        observations.sort_by_key(|o| (o.sat, o.signal));
        ObservationEpoch { time, observations }
    }

    fn solve_epoch(&mut self, sample: u64, late_s: f64, epoch: ObservationEpoch, events: &mut Vec<Event>) {
        let outcome = self.filter.update(&epoch, &self.nav);
        let receiver_s = sample as f64 / self.info.sample_rate_hz + late_s;
        events.push(Event::Observations { sample, receiver_s, epoch });
        match outcome {
            Ok(fix) => {
                let step_s = self.clock.step(fix.clock_bias_s);
                for slot in self.slots.iter_mut().filter(|_| step_s != 0.0) {
                    slot.step_clock(step_s);
                }
                self.last_refusal = None;
                self.last_fix = Some((sample, fix.clone()));
                events.push(Event::Solution(Box::new(fix)));
            }
            Err(error) => {
                let reason = error.to_string();
                self.last_refusal = Some(reason.clone());
                events.push(Event::NoSolution { sample, reason });
            }
        }
    }

    /// With a recent fix and an ephemeris, a channel needs no subframe to know its transmit time.
    fn predict_anchors(&mut self, sample: u64) {
        let Some((at, fix)) = &self.last_fix else { return };
        let age_s = sample.saturating_sub(*at) as f64 / self.info.sample_rate_hz;
        let sigma_m = fix.covariance_enu.iter().enumerate().map(|(i, row)| row[i]).sum::<f64>().sqrt();
        if age_s > PREDICT_AGE_S || !(sigma_m < 1000.0) {
            return;
        }
        let Some(reading) = self.clock.time(sample) else { return };
        let bias_s = fix.clock_bias_s + fix.clock_drift * age_s;
        let (position, now) = (fix.position, reading - bias_s);
        for slot in self.slots.iter_mut().filter(|slot| !slot.is_anchored()) {
            if slot.state() != ChannelState::Synchronised {
                continue;
            }
            let Some(ephemeris) = self.nav.ephemeris(slot.sat, now) else { continue };
            slot.predict(sample, transmit_time(ephemeris, now, position));
        }
    }
}

/// Reading of the satellite's clock when the signal that arrives at `position` at `now` was sent.
fn transmit_time(ephemeris: &Ephemeris, now: GnssTime, position: Ecef) -> GnssTime {
    let mut travel_s = TRAVEL_S;
    let mut clock_s = 0.0;
    for _ in 0..3 {
        let state = ephemeris.state(now - travel_s);
        travel_s = (state.position - position).norm() / SPEED_OF_LIGHT;
        clock_s = state.clock_s;
    }
    now - travel_s + clock_s
}

/// The instant nearest to `near` whose GPST time of week is `tow_s`.
fn nearest_tow(near: GnssTime, tow_s: f64) -> GnssTime {
    let (week, tow) = near.gpst();
    let weeks = ((tow - tow_s) / 604_800.0).round() as i64;
    GnssTime::from_gpst(week + weeks, tow_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_week_resolves_across_the_week_end() {
        let end = GnssTime::from_gpst(2300, 604_799.0);
        assert_eq!(nearest_tow(end, 5.0), GnssTime::from_gpst(2301, 5.0));
        assert_eq!(nearest_tow(end + 3.0, 604_798.0), GnssTime::from_gpst(2300, 604_798.0));
        // BDS: 14 s more than the time of the BDT week.
        assert_eq!(nearest_tow(end, 604_790.0 + 14.0), GnssTime::from_gpst(2301, 4.0));
    }

    #[test]
    fn streams_without_a_wanted_signal_are_refused() {
        let info = StreamInfo { sample_rate_hz: 2e6, center_hz: 1268.52e6, complex: true };
        let error = Receiver::builder(info.clone()).build().err().unwrap().to_string();
        assert!(
            error.contains("1267.520 to 1269.520 MHz") && error.contains("B1I (1561.098 MHz)"),
            "{error}"
        );
        let info = StreamInfo { sample_rate_hz: 1e3, ..info };
        assert!(Receiver::builder(info).build().is_err());
    }
}
