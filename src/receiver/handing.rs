//! Signals of a satellite whose place in code and frequency is known from another of its signals, or from position,
//! time and ephemeris: they are tracked without a search.

use std::collections::BTreeMap;

use megrez_orbit::TimeScale;
use megrez_signal::{Sat, SignalId};
use megrez_track::{Channel, ChannelStart, ChannelState};

use super::positioning::transmit_time;
use super::tracking::SHUN_S;
use super::{Receiver, Shunned};
use crate::slot::{Clue, Place, Slot};
use crate::{Event, LossReason, Prediction};

/// Blocks from one look for signals to start to the next.
const BLOCKS: u64 = 10;
/// C/N0 of a satellite that is predicted, until it is measured.
const PREDICTED_DBHZ: f64 = 40.0;

impl Receiver {
    /// Starts what can be started, and drops what was started in the wrong place.
    pub(super) fn hand_over(&mut self, events: &mut Vec<Event>) {
        self.try_new(events);
        self.share_anchors();
        if !self.blocks.is_multiple_of(BLOCKS) {
            return;
        }
        let clues = self.clues();
        let mut starts = Vec::new();
        for received in &self.received {
            let to = received.signal.def();
            for (&sat, clues) in clues.iter().filter(|(sat, _)| sat.constellation == to.constellation) {
                let known = |clue: &&Clue| clue.tells(to) && (clue.from.is_some() || !received.searched);
                let Some(clue) = clues.iter().find(known) else { continue };
                let busy = self.slots.iter().any(|s| s.sat == sat && s.signal.id == to.id);
                if !busy && to.sends(sat.prn) && Channel::supports(to, sat) && !self.is_shunned(to.id, sat) {
                    starts.push((sat, *received, *clue));
                }
            }
        }
        for (sat, received, clue) in starts {
            let Some(place) =
                self.place(received.band).filter(|_| self.slots.len() < self.config.max_channels)
            else {
                continue;
            };
            let (to, at) = (received.signal.def(), (self.end as f64 * place.ratio).round());
            let transmit_s = clue.transmit_s + at / place.rate_hz - self.end as f64 / self.sample_rate_hz();
            let start =
                ChannelStart::from_transmit_time(at as u64, transmit_s, clue.doppler, clue.cn0_dbhz, to);
            let tracking = self.config.tracking.aided();
            let mut slot = Slot::new(sat, to, place, self.config.level, start, &tracking);
            slot.on_trial = true;
            self.insert(slot);
            events.push(Event::HandedOver { sample: self.end, sat, signal: to.id, from: clue.from });
        }
    }

    /// What tracked satellites tell of their other signals, the strongest first, and last what is predicted.
    fn clues(&self) -> BTreeMap<Sat, Vec<Clue>> {
        let at = self.end as f64;
        let mut clues: BTreeMap<Sat, Vec<Clue>> = BTreeMap::new();
        for slot in self.slots.iter().filter(|slot| !slot.on_trial) {
            if let Some(clue) = slot.clue(at) {
                clues.entry(slot.sat).or_default().push(clue);
            }
        }
        for all in clues.values_mut() {
            all.sort_by(|a, b| b.cn0_dbhz.total_cmp(&a.cn0_dbhz));
        }
        if self.received.iter().any(|r| !r.searched) {
            for (sat, clue) in self.predicted_clues() {
                clues.entry(sat).or_default().push(clue);
            }
        }
        clues
    }

    /// For satellites with an ephemeris, once a fix tells position and time.
    fn predicted_clues(&self) -> Vec<(Sat, Clue)> {
        let Some((position, bias_s)) = self.recent_fix(self.end) else { return Vec::new() };
        let (Some(reading), Some(offset)) = (self.clock.time(self.end), self.offset) else {
            return Vec::new();
        };
        let now = reading - bias_s;
        let expected = self.predictions(self.end);
        let clue = |(sat, prediction): (Sat, Option<Prediction>)| {
            let transmit = transmit_time(self.nav.ephemeris(sat, now)?, now, position);
            let clue = Clue {
                transmit_s: transmit.week_tow(TimeScale::of(sat.constellation)).1,
                modulus_s: 604_800.0,
                doppler: prediction?.doppler + offset,
                cn0_dbhz: PREDICTED_DBHZ,
                from: None,
            };
            Some((sat, clue))
        };
        expected.into_iter().filter_map(clue).collect()
    }

    /// Compares what has been started with the satellite's other signals, once it is tracked.
    fn try_new(&mut self, events: &mut Vec<Event>) {
        if !self.slots.iter().any(|slot| slot.on_trial && slot.state() == ChannelState::Synchronised) {
            return;
        }
        let (at, clues) = (self.end as f64, self.clues());
        let mut wrong = Vec::new();
        for slot in self.slots.iter_mut().filter(|slot| slot.on_trial) {
            let Some(own) = slot.clue(at) else { continue };
            // A satellite of which nothing else is tracked by now has only itself to go by.
            let Some(other) = clues.get(&slot.sat).and_then(|all| all.first()) else {
                slot.on_trial = false;
                continue;
            };
            if own.agrees(other, slot.signal) {
                slot.on_trial = false;
            } else {
                wrong.push((slot.sat, slot.signal.id));
            }
        }
        for (sat, signal) in wrong {
            self.shun(signal, sat, SHUN_S);
            self.slots.retain(|slot| (slot.sat, slot.signal.id) != (sat, signal));
            events.push(Event::Lost { sample: self.end, sat, signal, reason: LossReason::Disagreement });
        }
    }

    /// A satellite whose time is known from one signal needs no subframe on the others, if they agree.
    fn share_anchors(&mut self) {
        let at = self.end as f64;
        let lacking =
            |slot: &Slot| !slot.is_anchored() && !slot.on_trial && slot.state() == ChannelState::Synchronised;
        let sats: Vec<Sat> = self.slots.iter().filter(|s| lacking(s)).map(|s| s.sat).collect();
        for sat in sats {
            let known = self.slots.iter().filter(|s| s.sat == sat && !s.on_trial);
            let Some((transmit, clue)) = known.into_iter().find_map(|s| Some((s.transmit(at)?, s.clue(at)?)))
            else {
                continue;
            };
            for slot in self.slots.iter_mut().filter(|slot| slot.sat == sat && lacking(slot)) {
                if slot.clue(at).is_some_and(|own| own.agrees(&clue, slot.signal)) {
                    slot.predict(at, transmit);
                }
            }
        }
    }

    /// Where the channels of a band get their samples.
    pub(super) fn place(&self, band: usize) -> Option<Place> {
        let feed = self.feeds.get(self.bands.get(band)?.stream)?;
        Some(Place { band, rate_hz: feed.info.sample_rate_hz, ratio: feed.ratio })
    }

    pub(super) fn insert(&mut self, slot: Slot) {
        self.slots.push(slot);
        self.slots.sort_by_key(|s| (s.signal.id, s.sat));
    }

    /// Leaves a satellite's signal alone for a while.
    pub(super) fn shun(&mut self, signal: SignalId, sat: Sat, seconds: f64) {
        let until = self.end + self.samples(seconds);
        self.shunned.insert((signal, sat), Shunned { until, searched: false });
    }

    pub(super) fn is_shunned(&self, signal: SignalId, sat: Sat) -> bool {
        self.shunned.get(&(signal, sat)).is_some_and(|shunned| self.end < shunned.until)
    }
}
