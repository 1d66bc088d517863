//! The clock set, observations made, positions solved.

use std::collections::BTreeSet;

use megrez_orbit::{Ecef, Ephemeris, GnssTime, ObservationEpoch};
use megrez_pvt::{Solution, solve};
use megrez_signal::{SPEED_OF_LIGHT, Sat};
use megrez_track::ChannelState;

use super::Receiver;
use crate::Event;

/// Travel time from a satellite, to start the clock from.
const TRAVEL_S: f64 = 0.075;
/// Blocks between attempts at a first fix.
const FIRST_FIX_BLOCKS: u64 = 10;
/// A fix this old still predicts transmit times to a fraction of a millisecond.
const PREDICT_AGE_S: f64 = 60.0;
/// So does one of this standard deviation in metres.
const PREDICT_SIGMA_M: f64 = 1000.0;

impl Receiver {
    pub(super) fn position(&mut self, events: &mut Vec<Event>) {
        for slot in &mut self.slots {
            slot.refresh(self.end as f64);
        }
        if !self.clock.aligned() {
            if self.blocks.is_multiple_of(FIRST_FIX_BLOCKS) {
                self.first_fix(events);
            }
            return;
        }
        while let Some(time) = self.next_epoch {
            let Some(exact) = self.clock.sample(time).filter(|s| *s <= self.end as f64) else { break };
            let sample = exact.floor().max(0.0) as u64;
            self.next_epoch = Some((time + self.config.interval_s).round_to(self.config.interval_s));
            self.predict_anchors(sample);
            let epoch = self.observations(exact, time);
            self.solve_epoch(exact, epoch, events);
        }
    }

    /// Sets the clock by the first position.
    fn first_fix(&mut self, events: &mut Vec<Event>) {
        let sample = self.end;
        let newest = self
            .slots
            .iter()
            .filter_map(|s| s.transmit(sample as f64))
            .reduce(|a, b| if a > b { a } else { b });
        let Some(newest) = newest else { return };
        self.clock.set(sample, newest + TRAVEL_S);
        let Some(time) = self.clock.time(sample) else { return };
        let epoch = self.observations(sample as f64, time);
        let sats: BTreeSet<Sat> = epoch.observations.iter().map(|o| o.sat).collect();
        if sats.len() < 4 {
            self.last_refusal = Some(format!("{} satellites with a known time", sats.len()));
            return;
        }
        match solve(&epoch, &self.nav, &self.config.solver, self.config.near_position) {
            Ok(fix) => {
                self.clock.align(fix.clock_bias_s);
                for slot in &mut self.slots {
                    slot.forget_attempts();
                }
                self.first_fix_sample = Some(sample);
                let Some(time) = self.clock.time(sample) else { return };
                let interval_s = self.config.interval_s;
                let next = time.round_to(interval_s);
                self.next_epoch = Some(if next > time { next } else { next + interval_s });
                let epoch = self.observations(sample as f64, time);
                self.solve_epoch(sample as f64, epoch, events);
            }
            Err(error) => self.last_refusal = Some(error.to_string()),
        }
    }

    /// Measurements at the first stream's sample `at`.
    fn observations(&mut self, at: f64, time: GnssTime) -> ObservationEpoch {
        let mut observations: Vec<_> =
            self.slots.iter_mut().filter_map(|slot| slot.observe(at, time)).collect();
        observations.sort_by_key(|o| (o.sat, o.code));
        ObservationEpoch { time, observations }
    }

    fn solve_epoch(&mut self, at: f64, epoch: ObservationEpoch, events: &mut Vec<Event>) {
        let outcome = self.filter.update(&epoch, &self.nav);
        let sample = at.floor().max(0.0) as u64;
        let receiver_s = at / self.sample_rate_hz();
        events.push(Event::Observations { sample, receiver_s, epoch });
        match outcome {
            Ok(fix) => {
                let step_s = self.clock.step(fix.clock_bias_s);
                for slot in self.slots.iter_mut().filter(|_| step_s != 0.0) {
                    slot.step_clock(step_s);
                }
                self.last_refusal = None;
                let kept = Solution { clock_bias_s: fix.clock_bias_s + step_s, ..fix.clone() };
                self.last_fix = Some((sample, kept));
                events.push(Event::Solution(Box::new(fix)));
            }
            Err(error) => {
                let reason = error.to_string();
                self.last_refusal = Some(reason.clone());
                events.push(Event::NoSolution { sample, reason });
            }
        }
    }

    /// Position and clock bias in s at `sample`, if a recent and precise fix tells them.
    pub(super) fn recent_fix(&self, sample: u64) -> Option<(Ecef, f64)> {
        let (at, fix) = self.last_fix.as_ref()?;
        let age_s = sample.saturating_sub(*at) as f64 / self.sample_rate_hz();
        let sigma_m = fix.covariance_enu.iter().enumerate().map(|(i, row)| row[i]).sum::<f64>().sqrt();
        let known = age_s <= PREDICT_AGE_S && sigma_m < PREDICT_SIGMA_M;
        known.then_some((fix.position, fix.clock_bias_s + fix.clock_drift * age_s))
    }

    /// With a recent fix and an ephemeris, a channel needs no subframe to know its transmit time.
    fn predict_anchors(&mut self, sample: u64) {
        let Some((position, bias_s)) = self.recent_fix(sample) else { return };
        let Some(now) = self.clock.time(sample).map(|reading| reading - bias_s) else { return };
        for slot in self.slots.iter_mut().filter(|slot| !slot.is_anchored() && !slot.on_trial) {
            if slot.state() != ChannelState::Synchronised {
                continue;
            }
            let Some(ephemeris) = self.nav.ephemeris(slot.sat, now) else { continue };
            slot.predict(sample as f64, transmit_time(ephemeris, now, position));
        }
    }
}

/// Reading of the satellite's clock when the signal that arrives at `position` at `now` was sent.
pub(super) fn transmit_time(ephemeris: &Ephemeris, now: GnssTime, position: Ecef) -> GnssTime {
    let mut travel_s = TRAVEL_S;
    let mut clock_s = 0.0;
    for _ in 0..3 {
        let state = ephemeris.state(now - travel_s);
        travel_s = (state.position - position).norm() / SPEED_OF_LIGHT;
        clock_s = state.clock_s;
    }
    now - travel_s + clock_s
}
