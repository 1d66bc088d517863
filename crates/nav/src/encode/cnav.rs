//! B-CNAV1, B-CNAV2 and B-CNAV3 (BDS-SIS-ICD-B1C-1.0 section 6.2, BDS-SIS-ICD-B2a-1.0 section 6.2,
//! BDS-SIS-ICD-B2b-1.0 section 6.2).
//!
//! The order of pages and messages is free but for B-CNAV2 messages 10 and 11, which come one after the other.

use megrez_orbit::{Almanac, GnssTime, KeplerEphemeris, NavData, SignalFlags, TimeScale};
use megrez_signal::{NavMessage, Sat};

use super::{EncodeError, Slot, almanac, utc};
use crate::cnav::{at, delta_a, midi_delta_i, sat_type};
use crate::cnav_fields::*;
use crate::field::Field;
use crate::message::{Frame, cnav1_symbols, message_bits, seal_cnav1};
use crate::{crc, element};

/// Frames of an hour of B-CNAV1.
const FRAMES: u64 = 200;
/// Pages of B-CNAV1 subframe 3 in turn.
const PAGES: [u8; 4] = [1, 3, 4, 2];
/// Message types of B-CNAV2 in turn.
const CNAV2_TYPES: [u8; 16] = [10, 11, 30, 34, 10, 11, 30, 31, 10, 11, 30, 32, 10, 11, 40, 33];
/// Message types of B-CNAV3 in turn.
const CNAV3_TYPES: [u8; 3] = [10, 30, 40];
/// Systems of which offsets are sent, with their numbers.
const SYSTEMS: [(i64, TimeScale); 3] = [(1, TimeScale::Gpst), (2, TimeScale::Gst), (3, TimeScale::Utc)];

/// What goes into a message.
struct Source<'a> {
    slot: &'a Slot,
    nav: &'a NavData,
    eph: &'a KeplerEphemeris,
    /// Number of the message among those with the same kind of content, for almanacs and offsets in turn.
    turn: u64,
}

/// Symbols of the frame or message of `message` that `eph.sat` sends.
pub(super) fn symbols(
    message: NavMessage,
    slot: &Slot,
    nav: &NavData,
    eph: &KeplerEphemeris,
) -> Result<Vec<u8>, EncodeError> {
    let sat = eph.sat;
    match message {
        NavMessage::Cnav1 => {
            let (mut second, mut third) = ([0; 20], [0; 9]);
            let page = cycle(&PAGES, slot.count);
            let source = Source { slot, nav, eph, turn: slot.count / PAGES.len() as u64 };
            source.fill(SUBFRAME2, &mut second)?;
            HOW.put_raw(&mut second, (slot.count / FRAMES) as i64);
            source.fill(subframe3(page), &mut third)?;
            PAGE_ID.put_raw(&mut third, i64::from(page));
            seal_cnav1(&mut second, &mut third);
            Ok(cnav1_symbols(sat, (slot.count % FRAMES) as u8, &second, &third))
        }
        NavMessage::Cnav2 => {
            let kind = cycle(&CNAV2_TYPES, slot.count);
            let source = Source { slot, nav, eph, turn: slot.count / CNAV2_TYPES.len() as u64 };
            let mut words = [0; 10];
            source.fill(cnav2(kind), &mut words)?;
            CNAV2_PRN.put_raw(&mut words, i64::from(sat.prn));
            CNAV2_TYPE.put_raw(&mut words, i64::from(kind));
            CNAV2_SOW.put_raw(&mut words, slot.count as i64);
            seal(message, sat, &mut words)
        }
        _ => {
            let kind = cycle(&CNAV3_TYPES, slot.count);
            let source = Source { slot, nav, eph, turn: slot.count / CNAV3_TYPES.len() as u64 };
            let mut words = [0; 17];
            source.fill(cnav3(kind), &mut words)?;
            CNAV3_TYPE.put_raw(&mut words, i64::from(kind));
            CNAV3_SOW.put_raw(&mut words, slot.count as i64);
            seal(message, sat, &mut words)
        }
    }
}

fn cycle(kinds: &[u8], count: u64) -> u8 {
    kinds.get((count % kinds.len() as u64) as usize).copied().unwrap_or(0)
}

/// CRC and symbols.
fn seal(message: NavMessage, sat: Sat, words: &mut [u32]) -> Result<Vec<u8>, EncodeError> {
    crc::write(words, message_bits(message));
    let frame = Frame::of(sat, message).ok_or(EncodeError::Message { sat, message })?;
    Ok(frame.symbols(words))
}

impl Source<'_> {
    fn fill(&self, layout: Layout, words: &mut [u32]) -> Result<(), EncodeError> {
        let reduced = self.sats(|sat| self.almanac(sat).is_some());
        let per_message = layout.iter().filter(|(block, _)| *block == Block::Reduced).count();
        let mut next = self.turn as usize * per_message;
        for &(block, first) in layout {
            let sat = reduced.get(next % reduced.len().max(1)).copied();
            self.block(block, at(first), sat, words)?;
            next += usize::from(block == Block::Reduced);
        }
        Ok(())
    }

    /// BeiDou satellites for which something holds.
    fn sats(&self, wanted: impl Fn(Sat) -> bool) -> Vec<Sat> {
        (1..=63).map(Sat::bds).filter(|&sat| wanted(sat)).collect()
    }

    fn almanac(&self, sat: Sat) -> Option<Almanac> {
        almanac::almanac(sat, self.nav, self.slot.start)
    }

    /// Writes one block after `at` bits; `reduced` is the satellite of a reduced almanac.
    fn block(
        &self,
        block: Block,
        at: usize,
        reduced: Option<Sat>,
        words: &mut [u32],
    ) -> Result<(), EncodeError> {
        let eph = self.eph;
        let integrity = self.nav.integrity.get(&eph.sat).copied().unwrap_or_default();
        let delay = |value: Option<f64>, words: &mut [u32]| DELAY.put_at(words, at, value.unwrap_or(0.0));
        match block {
            Block::Week => WEEK.put_raw_at(words, at, self.slot.week()),
            Block::Iodc => IODC.put_raw_at(words, at, i64::from(eph.iodc)),
            Block::Iode => IODE.put_raw_at(words, at, i64::from(eph.iode)),
            Block::Ephemeris1 => {
                let kind = sat_type(eph.sat, eph.a);
                put_multiple(&TOE, words, at, eph.toe.bdt().1)?;
                SAT_TYPE.put_raw_at(words, at, kind);
                DELTA_A.put_at(words, at, delta_a(kind, eph.a))?;
                element::write_at(&EPHEMERIS1, words, at, eph)?;
            }
            Block::Ephemeris2 => element::write_at(&EPHEMERIS2, words, at, eph)?,
            Block::Clock => {
                put_multiple(&TOC, words, at, eph.toc.bdt().1)?;
                element::write_at(&CLOCK, words, at, eph)?;
            }
            Block::TgdB2ap => delay(eph.delays.tgd_b2ap, words)?,
            Block::TgdB1cp => delay(eph.delays.tgd_b1cp, words)?,
            Block::TgdB2bi => delay(eph.delays.tgd_b2bi, words)?,
            Block::IscB1cd => delay(eph.delays.isc_b1cd, words)?,
            Block::IscB2ad => delay(eph.delays.isc_b2ad, words)?,
            Block::Bdgim => {
                for (field, value) in BDGIM.iter().zip(self.nav.bdgim.unwrap_or_default().alpha) {
                    field.put_at(words, at, value)?;
                }
            }
            Block::Utc => self.utc(at, words)?,
            Block::EarthOrientation => self.earth(at, words)?,
            Block::Bgto => if_fits(words, |words| self.offset(at, words)),
            Block::Midi => if_fits(words, |words| self.midi(at, words)),
            Block::ReducedReference => {
                let (week, toa) = self.reduced_reference().bdt();
                REDUCED_WEEK.put_raw_at(words, at, week);
                REDUCED_TOA.put_at(words, at, toa)?;
            }
            Block::Reduced => {
                if let Some(almanac) = reduced.and_then(|sat| self.almanac(sat)) {
                    if_fits(words, |words| self.reduced(&almanac, at, words));
                }
            }
            Block::Health => {
                let health = integrity.health.unwrap_or(u8::from(eph.health != 0));
                HEALTH.put_raw_at(words, at, i64::from(health));
            }
            Block::FlagsB1c => flags(integrity.b1c, at, words),
            Block::FlagsB2a => flags(integrity.b2a, at, words),
            Block::FlagsB2b => flags(integrity.b2b, at, words),
            Block::Sismai => SISMAI.put_raw_at(words, at, i64::from(integrity.sismai.unwrap_or(0))),
            Block::SisaiOrbit => {
                SISAI_ORBIT.put_raw_at(words, at, i64::from(integrity.orbit_accuracy.unwrap_or(0)));
            }
            Block::SisaiClock => {
                if let Some(accuracy) = integrity.clock_accuracy {
                    put_multiple(&SISAI_TOP, words, at, accuracy.top.bdt().1)?;
                    let values =
                        [accuracy.bias.into(), accuracy.drift.into(), i64::from(accuracy.drift_rate)];
                    for (field, value) in SISAI_CLOCK.iter().zip(values) {
                        field.put_raw_at(words, at, value);
                    }
                }
            }
        }
        Ok(())
    }

    fn utc(&self, at: usize, words: &mut [u32]) -> Result<(), EncodeError> {
        let utc = utc(self.nav.bds_utc, self.slot);
        let (week, tot) = utc.tot.bdt();
        for (field, value) in UTC_A.iter().zip([utc.a0, utc.a1, utc.a2]) {
            field.put_at(words, at, value)?;
        }
        UTC_LEAP.put_at(words, at, utc.leap_s as f64)?;
        UTC_LEAP_FUTURE.put_at(words, at, utc.leap_future_s as f64)?;
        UTC_TOT.put_at(words, at, tot)?;
        UTC_WN_OT.put_raw_at(words, at, week);
        UTC_WN_LSF.put_raw_at(words, at, utc.wn_lsf);
        UTC_DN.put_raw_at(words, at, i64::from(utc.dn));
        Ok(())
    }

    fn earth(&self, at: usize, words: &mut [u32]) -> Result<(), EncodeError> {
        let Some(earth) = self.nav.earth_orientation else { return Ok(()) };
        EOP_TIME.put_at(words, at, earth.reference.bdt().1)?;
        for (fields, values) in [(&EOP_X, earth.pole_x), (&EOP_Y, earth.pole_y), (&EOP_DUT1, earth.dut1)] {
            for (field, value) in fields.iter().zip(values) {
                field.put_at(words, at, value)?;
            }
        }
        Ok(())
    }

    fn offset(&self, at: usize, words: &mut [u32]) -> Result<(), EncodeError> {
        let known = SYSTEMS.iter().filter_map(|&(number, to)| {
            let offset = self.nav.offsets.iter().find(|o| (o.from, o.to) == (TimeScale::Bdt, to))?;
            Some((number, offset))
        });
        let known: Vec<_> = known.collect();
        let turn = self.turn as usize % known.len().max(1);
        let Some((number, offset)) = known.get(turn) else { return Ok(()) };
        let (week, t0) = offset.reference.bdt();
        BGTO_SYSTEM.put_raw_at(words, at, *number);
        BGTO_WEEK.put_raw_at(words, at, week);
        BGTO_TIME.put_at(words, at, t0)?;
        for (field, value) in BGTO_A.iter().zip([offset.a0, offset.a1, offset.a2]) {
            field.put_at(words, at, value)?;
        }
        Ok(())
    }

    /// The midi almanac of the satellite whose turn it is.
    fn midi(&self, at: usize, words: &mut [u32]) -> Result<(), EncodeError> {
        let sats = self.sats(|sat| self.almanac(sat).is_some());
        let turn = self.turn as usize % sats.len().max(1);
        let Some(almanac) = sats.get(turn).and_then(|&sat| self.almanac(sat)) else { return Ok(()) };
        let (sat, (week, toa)) = (almanac.sat, almanac.toa.bdt());
        element::write_at(&MIDI, words, at, &element::from_almanac(&almanac))?;
        MIDI_DELTA_I.put_at(words, at, midi_delta_i(sat, almanac.i0))?;
        MIDI_TOA.put_at(words, at, toa)?;
        MIDI_WEEK.put_raw_at(words, at, week);
        ALMANAC_PRN.put_raw_at(words, at, i64::from(sat.prn));
        ALMANAC_SAT_TYPE.put_raw_at(words, at, sat_type(sat, almanac.a));
        MIDI_HEALTH.put_raw_at(words, at, i64::from(almanac.health.unwrap_or(0)));
        Ok(())
    }

    /// Reference time of the reduced almanacs: the step of toa at or before this message.
    fn reduced_reference(&self) -> GnssTime {
        let (week, tow) = self.slot.start.bdt();
        GnssTime::from_bdt(week, (tow / 4096.0).floor() * 4096.0)
    }

    /// A circular orbit through the place of a satellite at the reference time.
    fn reduced(&self, almanac: &Almanac, at: usize, words: &mut [u32]) -> Result<(), EncodeError> {
        let elements = almanac::circular(almanac, self.reduced_reference());
        let kind = sat_type(almanac.sat, elements.a);
        REDUCED_DELTA_A.put_at(words, at, delta_a(kind, elements.a))?;
        element::write_at(&REDUCED, words, at, &elements)?;
        ALMANAC_PRN.put_raw_at(words, at, i64::from(almanac.sat.prn));
        ALMANAC_SAT_TYPE.put_raw_at(words, at, kind);
        REDUCED_HEALTH.put_raw_at(words, at, i64::from(almanac.health.unwrap_or(0)));
        Ok(())
    }
}

/// Writes something that may be left out, unless its values do not fit.
fn if_fits(words: &mut [u32], write: impl FnOnce(&mut [u32]) -> Result<(), EncodeError>) {
    let mut filled = words.to_vec();
    if write(&mut filled).is_ok() {
        words.copy_from_slice(&filled);
    }
}

fn flags(flags: Option<SignalFlags>, at: usize, words: &mut [u32]) {
    let SignalFlags { dif, sif, aif } = flags.unwrap_or_default();
    for (field, value) in FLAGS.iter().zip([dif, sif, aif]) {
        field.put_raw_at(words, at, i64::from(value));
    }
}

/// Writes a time of week that must be a multiple of the field's step.
fn put_multiple(field: &Field, words: &mut [u32], at: usize, tow_s: f64) -> Result<(), EncodeError> {
    field.put_at(words, at, tow_s)?;
    if field.get_at(words, at) == tow_s { Ok(()) } else { Err(field.range(tow_s)) }
}
