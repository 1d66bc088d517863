//! Which satellites to look for, and channels for those found.

use std::collections::{BTreeMap, BTreeSet};

use megrez_acquire::{Acquisition, SearchPlan, Searcher};
use megrez_dsp::{BLOCK_S, SampleBlock, StreamInfo};
use megrez_signal::Sat;
use megrez_track::{ChannelStart, ChannelState};

use super::Receiver;
use super::plan::Received;
use crate::search::{Wanted, common_offset, median};
use crate::slot::Slot;
use crate::{Event, Observer, Prediction};

/// Seconds until the next search for missing satellites: right after the first, while few are tracked, and
/// with enough of them.
pub(super) const SEARCH_SOON_S: f64 = 0.2;
const SEARCH_SHORT_OF_SATELLITES_S: f64 = 8.0;
const SEARCH_CONTENT_S: f64 = 30.0;
/// Searches while content that share the missing satellites of which nothing is known among them.
const CONTENT_TURNS: u64 = 3;
/// Satellites with which a receiver is content.
const ENOUGH_SATELLITES: usize = 6;
/// A signal so much weaker than the strongest on its carrier, in dB, is probably its cross-correlation: C/A
/// codes leave -21.1 dB at worst, noise adds to that.
const CROSS_CORRELATION_DB: f64 = 18.0;
/// Half the window of a predicted Doppler in Hz.
const PREDICTED_HZ: f64 = 500.0;
/// The same of one that another signal of the satellite tells.
const AIDED_HZ: f64 = 150.0;

/// A fix older than this says nothing about which satellites are up.
const PREDICT_VISIBLE_S: f64 = 300.0;
/// Satellites this far below the horizon, in radians, may still be heard.
const LOWEST: f64 = -0.05;
/// Seconds for which a lost satellite is searched again and again, and how often.
pub(super) const RETRY_S: f64 = 30.0;
const SEARCH_RETRY_S: f64 = 2.0;

/// Rates at which front ends are often run, in Hz.
const COMMON_RATES_HZ: [f64; 18] = [
    1.024e6, 1.4e6, 1.8e6, 2.0e6, 2.048e6, 2.4e6, 2.5e6, 2.6e6, 2.8e6, 3.0e6, 3.2e6, 4.0e6, 4.092e6, 5.0e6,
    8.0e6, 10.0e6, 16.0e6, 20.0e6,
];

impl Receiver {
    /// A common sample rate, other than the stated one, at which satellites appear in the kept block.
    pub(super) fn suspect_rate_hz(&self) -> Option<f64> {
        let feed = self.feeds.first()?;
        let block = feed.specimen.as_ref()?;
        let stated = feed.info.sample_rate_hz;
        COMMON_RATES_HZ.into_iter().filter(|rate| (rate / stated - 1.0).abs() > 1e-4).find(|&rate| {
            let info = StreamInfo { sample_rate_hz: rate, ..feed.info.clone() };
            let (low, high) = info.coverage_hz();
            let mut searcher = Searcher::with_level(&info, self.config.level);
            let inside = self.config.signals.iter().filter(|s| (low..=high).contains(&s.def().carrier_hz));
            let found = inside.filter_map(|&signal| {
                searcher.search(&block.samples, 0, &SearchPlan::cold(signal, 0.0)).ok().map(|some| some.len())
            });
            // One alone may be false, as so many rates are tried.
            found.sum::<usize>() > 1
        })
    }

    /// Searches the stream whose turn it is, if it is time.
    pub(super) fn acquire(&mut self, blocks: &[SampleBlock], events: &mut Vec<Event>) {
        let turn = self.turn;
        let Some((feed, block)) = self.feeds.get_mut(turn).zip(blocks.get(turn)) else {
            return self.pass_turn(SEARCH_SOON_S);
        };
        if !feed.search.is_active(block.first_sample) {
            return;
        }
        if self.slots.len() >= self.config.max_channels {
            return feed.search.postpone(feed.end + feed.samples(SEARCH_SHORT_OF_SATELLITES_S));
        }
        if !self.slots.is_empty() {
            feed.search.skip_first_look();
        }
        let wanted = self.wanted(turn, self.end.saturating_sub(self.samples(BLOCK_S)));
        let Some(feed) = self.feeds.get_mut(turn) else { return };
        let Some(found) = feed.search.offer(block, &wanted) else {
            if wanted.iter().all(|w| w.prns.is_empty()) {
                self.searches += 1;
                // Another stream may have what is missing.
                self.pass_turn(if self.is_content() { SEARCH_CONTENT_S } else { SEARCH_SOON_S });
            }
            return;
        };
        self.searches += 1;
        for w in &wanted {
            let constellation = w.signal.def().constellation;
            for &prn in &w.prns {
                if let Some(shunned) = self.shunned.get_mut(&(w.signal, Sat { constellation, prn })) {
                    shunned.searched = true;
                }
            }
        }
        self.learn_offset(&found);
        let first = self.found == 0 && self.blocks < 100;
        self.found += found.len();
        let some = !found.is_empty();
        for acquisition in found {
            if self.start(&acquisition) {
                events.push(Event::Acquired(acquisition));
            }
        }
        let pause_s = if first || self.found == 0 {
            SEARCH_SOON_S
        } else if self.end < self.retry_until {
            SEARCH_RETRY_S
        } else if !self.is_content() {
            SEARCH_SHORT_OF_SATELLITES_S
        } else {
            SEARCH_CONTENT_S
        };
        // A first look that found some is followed by a longer one in the same stream.
        if first && some {
            self.postpone(pause_s);
        } else {
            self.pass_turn(pause_s);
        }
    }

    /// The next search is of the next stream that holds signals, so many seconds from now.
    fn pass_turn(&mut self, pause_s: f64) {
        let count = self.feeds.len().max(1);
        let holds = |stream: &usize| self.bands.iter().any(|tuned| tuned.stream == *stream);
        let later = (1..=count).map(|step| (self.turn + step) % count);
        self.turn = later.into_iter().find(holds).unwrap_or(0);
        self.postpone(pause_s);
    }

    fn postpone(&mut self, pause_s: f64) {
        if let Some(feed) = self.feeds.get_mut(self.turn) {
            feed.search.postpone(feed.end + feed.samples(pause_s));
        }
    }

    /// Samples of the first stream in so many seconds.
    pub(super) fn samples(&self, seconds: f64) -> u64 {
        (seconds * self.sample_rate_hz()) as u64
    }

    /// The common frequency offset: from the last fix, else from tracked satellites, else from two or more
    /// just found. One alone may be false, and an offset under which nothing is tracked is dropped.
    fn learn_offset(&mut self, found: &[Acquisition]) {
        if let Some((_, fix)) = &self.last_fix {
            self.offset = Some(-fix.clock_drift);
            return;
        }
        let tracked = self.slots.iter().filter(|s| s.state() == ChannelState::Synchronised);
        let relative: Vec<f64> = tracked.map(|s| s.last_doppler_hz / s.signal.carrier_hz).collect();
        self.offset =
            if relative.is_empty() && found.len() > 1 { common_offset(found) } else { median(relative) };
    }

    /// Starts a channel; false if there is a reason not to.
    fn start(&mut self, acquisition: &Acquisition) -> bool {
        let signal = acquisition.signal.def();
        let band = self.received.iter().find(|r| r.signal == acquisition.signal).map(|r| r.band);
        let Some(place) = band.and_then(|band| self.place(band)) else { return false };
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
        self.insert(Slot::new(
            acquisition.sat,
            signal,
            place,
            self.config.level,
            start,
            &self.config.tracking,
        ));
        true
    }

    /// Satellites that are not tracked and may be there, for the signals of a stream.
    pub(super) fn wanted(&self, stream: usize, sample: u64) -> Vec<Wanted> {
        let predicted = self.predictions(sample);
        let in_stream = |r: &&Received| self.bands.get(r.band).is_some_and(|tuned| tuned.stream == stream);
        self.received.iter().filter(in_stream).map(|r| self.wanted_on(*r, &predicted)).collect()
    }

    fn wanted_on(&self, received: Received, predicted: &BTreeMap<Sat, Option<Prediction>>) -> Wanted {
        let signal = received.signal;
        let carrier_hz = signal.def().carrier_hz;
        // The first look and the first long one are for all.
        let all = self.searches < 2 || !self.is_content();
        let share = |sat: Sat| all || u64::from(sat.prn) % CONTENT_TURNS == self.searches % CONTENT_TURNS;
        let of_signal = || self.slots.iter().filter(|s| s.signal.id == signal);
        let mut windows_hz = BTreeMap::new();
        let mut window = |sat: Sat, doppler: f64, half_hz: f64| {
            let hz = doppler * carrier_hz;
            windows_hz.insert(sat.prn, (hz - half_hz, hz + half_hz));
        };
        let missing = signal.def().senders().filter(|&sat| !of_signal().any(|s| s.sat == sat));
        let prns = missing
            .filter(|&sat| {
                let other = self.slots.iter().find(|s| s.sat == sat && !s.on_trial);
                if let Some(other) = other {
                    // It is handed over. Where that failed it is searched, once, around the Doppler that is known.
                    let failed = self.is_shunned(signal, sat)
                        && self.shunned.get(&(signal, sat)).is_some_and(|shunned| !shunned.searched);
                    window(sat, other.last_doppler_hz / other.signal.carrier_hz, AIDED_HZ);
                    return failed;
                }
                if !received.searched || self.is_shunned(signal, sat) {
                    return false;
                }
                match predicted.get(&sat) {
                    Some(None) => false,
                    Some(Some(prediction)) => {
                        window(sat, prediction.doppler + self.offset.unwrap_or(0.0), PREDICTED_HZ);
                        true
                    }
                    None => share(sat),
                }
            })
            .map(|sat| sat.prn)
            .collect();
        let tracked = of_signal().map(|s| (s.sat.prn, s.last_doppler_hz)).collect();
        let offset_is_exact = self.last_fix.is_some();
        Wanted { signal, prns, tracked, offset: self.offset, offset_is_exact, windows_hz }
    }

    /// Whether enough satellites are tracked that the search for others can take its time.
    fn is_content(&self) -> bool {
        let steady = self.slots.iter().filter(|s| s.state() == ChannelState::Synchronised);
        let sats: BTreeSet<Sat> = steady.map(|s| s.sat).collect();
        sats.len() >= ENOUGH_SATELLITES && self.end >= self.retry_until
    }

    /// For satellites with an ephemeris or almanac, once a position is known: what to expect, or none below
    /// the horizon.
    pub(super) fn predictions(&self, sample: u64) -> BTreeMap<Sat, Option<Prediction>> {
        let Some((at, fix)) = &self.last_fix else { return BTreeMap::new() };
        if sample.saturating_sub(*at) > self.samples(PREDICT_VISIBLE_S) {
            return BTreeMap::new();
        }
        let Some(now) = self.now(sample) else { return BTreeMap::new() };
        let observer = Observer {
            position: fix.position,
            velocity: fix.velocity.unwrap_or_default(),
            position_error_m: 0.0,
            speed_error_m_s: 0.0,
            time_error_s: 0.0,
            lowest_rad: LOWEST,
        };
        observer.predict(&self.nav, now)
    }
}
