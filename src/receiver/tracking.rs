//! Channels run, messages read.

use megrez_nav::{Assembler, NavEvent, Subframe};
use megrez_orbit::{Ephemeris, TimeScale};
use megrez_signal::Sat;
use rayon::prelude::*;

use super::Receiver;
use super::acquiring::{RETRY_S, SEARCH_SOON_S};
use crate::slot::{Slot, SlotEvent};
use crate::{Event, LossReason};

/// A signal that could not be tracked where it was thought to be is left alone for so long, in seconds.
pub(super) const SHUN_S: f64 = 20.0;

impl Receiver {
    pub(super) fn track(&mut self, events: &mut Vec<Event>) {
        let bands = &self.bands;
        self.slots.par_iter_mut().for_each(|slot| {
            if let Some(tuned) = bands.get(slot.place.band) {
                slot.process(&tuned.band.view());
            }
        });
        let mut slots = std::mem::take(&mut self.slots);
        let mut drained = std::mem::take(&mut self.drained);
        let mut kept = Vec::with_capacity(slots.len());
        let mut gone = Vec::new();
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
                gone.push(slot);
            } else {
                kept.push(slot);
            }
        }
        self.drained = drained;
        self.slots = kept;
        gone.iter().for_each(|slot| self.forget(slot));
        self.drop_copies(events);
    }

    /// Decides how a lost satellite is found again.
    fn forget(&mut self, slot: &Slot) {
        self.remember(slot);
        let others = self.slots.iter().any(|other| other.sat == slot.sat);
        if slot.synchronised && others {
            // It is handed over anew.
            return;
        }
        let lost = slot.subframes > 0 && !others;
        if lost {
            self.retry_until = self.end + self.samples(RETRY_S);
        } else {
            self.shun(slot.signal.id, slot.sat, SHUN_S);
        }
        // It is searched where it is expected: a lost one by its prediction, one that is not where another signal
        // of the satellite says, by the latter's Doppler.
        if lost || others {
            let stream = self.bands.get(slot.place.band).map(|tuned| tuned.stream);
            self.turn = stream.unwrap_or(self.turn);
            if let Some(feed) = self.feeds.get_mut(self.turn) {
                feed.search.hasten(feed.end + feed.samples(SEARCH_SOON_S));
            }
        }
    }

    fn message(&mut self, sample: u64, slot: &mut Slot, subframe: Box<Subframe>, events: &mut Vec<Event>) {
        let near = self.now(sample).or(self.config.near_time);
        let assembler = self
            .assemblers
            .entry((slot.sat, subframe.message))
            .or_insert_with(|| Assembler::new(slot.sat, subframe.message));
        let mut complete = None;
        for event in assembler.push(&subframe, near) {
            event.store(&mut self.nav);
            if let NavEvent::Ephemeris(ephemeris) = event {
                complete = Some(Box::new(ephemeris));
            }
        }
        let time = assembler.time(&subframe).or_else(|| {
            let scale = TimeScale::of(slot.sat.constellation);
            Some(self.now(sample)?.nearest_tow(scale, subframe.tow_s?))
        });
        if let Some(time) = time {
            self.hint.get_or_insert((sample, time));
        }
        slot.note_subframe(&subframe, time);
        let signal = slot.signal.id;
        events.push(Event::Message { sample, signal, time, subframe });
        events.extend(complete.map(|ephemeris| Event::Ephemeris { sample, signal, ephemeris }));
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
            let Some(new) = self.nav.ephemerides_of(sat).last().and_then(Ephemeris::kepler) else { continue };
            let twin = self.nav.ephemerides().filter_map(Ephemeris::kepler).find_map(|old| {
                let same = old.sat.constellation == sat.constellation
                    && (old.m0, old.omega0, old.omega, old.e) == (new.m0, new.omega0, new.omega, new.e);
                (same && old.sat != sat).then_some(old.sat)
            });
            let Some(twin) = twin else { continue };
            let strength = |s: Sat| {
                let tracked = self.slots.iter().filter(|x| x.sat == s).map(|x| x.last_cn0_dbhz);
                // An ephemeris known from elsewhere is no trace of anything.
                tracked.reduce(f64::max).unwrap_or(f64::MAX)
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
}
