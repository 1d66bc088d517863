//! Messages of B-CNAV to what they say together.

use std::collections::BTreeMap;

use megrez_orbit::{
    Almanac, EarthOrientation, Ephemeris, GnssTime, GroupDelays, Integrity, Iono, KeplerEphemeris,
    TimeOffset, UtcParams,
};
use megrez_signal::{NavMessage, Sat};

use super::NavEvent;
use crate::cnav_fields::{Block, DELAY, EPHEMERIS2, HEALTH, IODC, IODE, SISAI_ORBIT, SISMAI};
use crate::{Subframe, cnav, element};

/// Seconds from a B-CNAV2 message of type 10 to the message of type 11 of the same ephemeris.
const PAIR_S: f64 = 3.0;

/// A part of an ephemeris and when it was sent.
type Part = Option<(GnssTime, KeplerEphemeris)>;

/// State of one satellite's B-CNAV message.
#[derive(Debug, Clone, Default)]
pub(super) struct Cnav {
    /// Ephemeris I with IODE, ephemeris II, clock with IODC.
    first: Part,
    second: Part,
    clock: Part,
    delays: GroupDelays,
    integrity: Integrity,
    /// What has been said already.
    ephemeris: Option<KeplerEphemeris>,
    iono: Option<Iono>,
    utc: Option<UtcParams>,
    earth: Option<EarthOrientation>,
    offsets: Vec<TimeOffset>,
    midi: BTreeMap<Sat, Almanac>,
    reduced: BTreeMap<Sat, Almanac>,
}

impl Cnav {
    /// Takes a message whose first symbol was sent at `time`.
    pub(super) fn push(&mut self, subframe: &Subframe, time: GnssTime, events: &mut Vec<NavEvent>) {
        let before = self.integrity;
        for (layout, offset) in cnav::parts(subframe) {
            for &(block, first) in layout {
                self.block(block, subframe, offset + cnav::at(first), time, events);
            }
        }
        if self.integrity != before {
            events.push(NavEvent::Integrity(subframe.sat, self.integrity));
        }
        self.combine(subframe.message, events);
    }

    /// Whether an ephemeris has been put together.
    pub(super) fn complete(&self) -> bool {
        self.ephemeris.is_some()
    }

    /// What is missing for an ephemeris, for people.
    pub(super) fn progress(&self, message: NavMessage) -> String {
        let missing = |text: &str| text.to_string();
        match (self.complete(), message, &self.first, &self.second, &self.clock) {
            (true, ..) => String::new(),
            (_, NavMessage::Cnav1, None, ..) => missing("subframe 2"),
            (_, NavMessage::Cnav1, ..) => missing("a subframe 2 of one issue"),
            (_, NavMessage::Cnav2, None, None, _) => missing("messages 10 and 11"),
            (_, NavMessage::Cnav2, None, ..) => missing("message 10"),
            (_, NavMessage::Cnav2, _, None, _) => missing("message 11"),
            (_, NavMessage::Cnav2, _, _, None) => missing("a message 30 to 34"),
            (_, NavMessage::Cnav3, None, ..) => missing("message 10"),
            (_, NavMessage::Cnav3, _, _, None) => missing("message 30"),
            _ => missing("messages of one issue"),
        }
    }

    /// Reads one block that begins after `at` bits.
    fn block(
        &mut self,
        block: Block,
        subframe: &Subframe,
        at: usize,
        time: GnssTime,
        events: &mut Vec<NavEvent>,
    ) {
        let words = subframe.words.as_slice();
        let blank = || KeplerEphemeris::blank(subframe.sat, subframe.message, time, time);
        // The issue of the orbit comes before the orbit, that of the clock before or after the clock.
        let delay = || Some(DELAY.get_at(words, at));
        match block {
            Block::Week | Block::ReducedReference => {}
            Block::Iode => {
                let mut eph = blank();
                eph.iode = IODE.raw_at(words, at) as u16;
                self.first = Some((time, eph));
            }
            Block::Ephemeris1 => {
                let mut eph = match self.first.take() {
                    Some((sent, eph)) if sent == time => eph,
                    _ => blank(),
                };
                cnav::read_ephemeris1(words, at, time, &mut eph);
                self.first = Some((time, eph));
            }
            Block::Ephemeris2 => {
                let mut eph = blank();
                element::read_at(&EPHEMERIS2, words, at, &mut eph);
                self.second = Some((time, eph));
            }
            Block::Clock => {
                let eph = self.clock_part(time, blank);
                cnav::read_clock(words, at, time, eph);
            }
            Block::Iodc => self.clock_part(time, blank).iodc = IODC.raw_at(words, at) as u16,
            Block::TgdB2ap => self.delays.tgd_b2ap = delay(),
            Block::TgdB1cp => self.delays.tgd_b1cp = delay(),
            Block::TgdB2bi => self.delays.tgd_b2bi = delay(),
            Block::IscB1cd => self.delays.isc_b1cd = delay(),
            Block::IscB2ad => self.delays.isc_b2ad = delay(),
            Block::Bdgim => {
                let iono = cnav::read_bdgim(words, at).map(Iono::Bdgim);
                if let Some(iono) = iono.filter(|_| self.iono != iono) {
                    self.iono = Some(iono);
                    events.push(NavEvent::Iono(time, iono));
                }
            }
            Block::Utc => {
                let utc = cnav::read_utc(words, at, time);
                if let Some(utc) = utc.filter(|_| self.utc != utc) {
                    self.utc = Some(utc);
                    events.push(NavEvent::Utc(utc));
                }
            }
            Block::EarthOrientation => {
                let earth = cnav::read_earth(words, at, time);
                if let Some(earth) = earth.filter(|_| self.earth != earth) {
                    self.earth = Some(earth);
                    events.push(NavEvent::EarthOrientation(earth));
                }
            }
            Block::Bgto => {
                let offset = cnav::read_offset(words, at, time);
                if let Some(offset) = offset.filter(|offset| !self.offsets.contains(offset)) {
                    self.offsets.retain(|old| old.to != offset.to);
                    self.offsets.push(offset);
                    events.push(NavEvent::TimeOffset(offset));
                }
            }
            Block::Midi => {
                if let Some(almanac) = cnav::read_midi(words, at, time)
                    && self.midi.insert(almanac.sat, almanac.clone()).as_ref() != Some(&almanac)
                {
                    events.push(NavEvent::MidiAlmanac(almanac));
                }
            }
            Block::Reduced => {
                if let Some(almanac) = reduced(subframe, at, time)
                    && self.reduced.insert(almanac.sat, almanac.clone()).as_ref() != Some(&almanac)
                {
                    events.push(NavEvent::ReducedAlmanac(almanac));
                }
            }
            Block::Health => self.integrity.health = Some(HEALTH.raw_at(words, at) as u8),
            Block::FlagsB1c => self.integrity.b1c = Some(cnav::read_flags(words, at)),
            Block::FlagsB2a => self.integrity.b2a = Some(cnav::read_flags(words, at)),
            Block::FlagsB2b => self.integrity.b2b = Some(cnav::read_flags(words, at)),
            Block::Sismai => self.integrity.sismai = Some(SISMAI.raw_at(words, at) as u8),
            Block::SisaiOrbit => self.integrity.orbit_accuracy = Some(SISAI_ORBIT.raw_at(words, at) as i8),
            Block::SisaiClock => {
                self.integrity.clock_accuracy = Some(cnav::read_clock_accuracy(words, at, time));
            }
        }
    }

    /// The clock of the message sent at `time`, begun if need be.
    fn clock_part(
        &mut self,
        time: GnssTime,
        blank: impl FnOnce() -> KeplerEphemeris,
    ) -> &mut KeplerEphemeris {
        let same = self.clock.take().filter(|(sent, _)| *sent == time);
        &mut self.clock.insert(same.unwrap_or_else(|| (time, blank()))).1
    }

    /// Puts an ephemeris together if the parts at hand are of one set.
    fn combine(&mut self, message: NavMessage, events: &mut Vec<NavEvent>) {
        let (Some((sent, first)), Some((sent2, second)), Some((sent3, clock))) =
            (&self.first, &self.second, &self.clock)
        else {
            return;
        };
        let one_issue = first.iode == clock.iodc & 0xff;
        let coherent = match message {
            NavMessage::Cnav1 => sent == sent2 && sent == sent3 && one_issue,
            NavMessage::Cnav2 => (*sent2 - *sent - PAIR_S).abs() < 0.5 && one_issue,
            // No issue is sent; sets of one time are of one issue.
            _ => sent == sent2 && first.toe == clock.toc,
        };
        let mut eph = first.clone();
        element::copy(&EPHEMERIS2, second, &mut eph);
        (eph.toc, eph.clock, eph.iodc) = (clock.toc, clock.clock, clock.iodc);
        eph.transmit = Some(*sent);
        eph.delays = self.delays;
        eph.health = self.integrity.health.unwrap_or(0).into();
        let repeated = self
            .ephemeris
            .as_ref()
            .is_some_and(|old| eph == KeplerEphemeris { transmit: eph.transmit, ..old.clone() });
        if coherent && !repeated && eph.plausible() {
            self.ephemeris = Some(eph.clone());
            events.push(NavEvent::Ephemeris(Ephemeris::Kepler(eph)));
        }
    }
}

/// The reduced almanac after `at` bits, with the reference time of its message.
fn reduced(subframe: &Subframe, at: usize, time: GnssTime) -> Option<Almanac> {
    let reference = cnav::parts(subframe).into_iter().find_map(|(layout, offset)| {
        let &(_, first) = layout.iter().find(|(block, _)| *block == Block::ReducedReference)?;
        Some(offset + cnav::at(first))
    })?;
    let toa = cnav::read_reduced_reference(&subframe.words, reference, time);
    cnav::read_reduced(&subframe.words, at, toa)
}
