//! D1 and D2 (BDS-SIS-ICD-B1I-3.0 sections 5.2 and 5.3).

use megrez_orbit::{GnssTime, KeplerEphemeris, Klobuchar, NavData, TimeScale};
use megrez_signal::{Constellation, NavMessage, Sat};

use super::{EncodeError, Slot, almanac, utc};
use crate::d1d2_fields::*;
use crate::d2_pages::PNUM2;
use crate::field::Field;
use crate::{bch, d1d2, element};

/// What stands in words that carry nothing, as satellites send it.
const FILL: u32 = 0x15_5555 << 8;
/// Information bits all one: a grid point of the ionosphere that is not monitored.
const ONES: u32 = 0x3f_ffff << 8;
/// A satellite of which nothing is known, in the health pages.
const HEALTH_UNKNOWN: i64 = 0x1ff;
/// A satellite whose ephemeris says that it is not healthy: the bit of the satellite clock.
const HEALTH_BAD: i64 = 0x100;

/// Transmitted words of a D1 subframe.
pub(super) fn d1(slot: &Slot, nav: &NavData, eph: &KeplerEphemeris) -> Result<[u32; 10], EncodeError> {
    let id = (slot.count % 5) as u8 + 1;
    let frame = slot.count / 5;
    let page = (frame % 24) as u8 + 1;
    let mut words = empty(FILL);
    match id {
        1 => {
            clock(&D1_CLOCK, slot, nav, eph, &mut words)?;
            element::write(&D1_SUBFRAME_1, &mut words, eph)?;
        }
        2 => {
            element::write(&D1_SUBFRAME_2, &mut words, eph)?;
            // The two high bits; the rest is in subframe 3.
            D1_TOE_MSB.put_raw(&mut words, reference_count(eph.toe, "toe")? >> 15);
        }
        3 => {
            element::write(&D1_SUBFRAME_3, &mut words, eph)?;
            D1_TOE_LSB.put_raw(&mut words, reference_count(eph.toe, "toe")?);
        }
        _ => pages(slot, nav, id, page, (frame / 24 % 3) as i64 + 1, &mut words)?,
    }
    if id > 3 {
        PNUM.put_raw(&mut words, i64::from(page));
    }
    Ok(finish(id, (slot.count * 6) as i64, words))
}

/// Transmitted words of a D2 subframe.
pub(super) fn d2(slot: &Slot, nav: &NavData, eph: &KeplerEphemeris) -> Result<[u32; 10], EncodeError> {
    let id = (slot.count % 5) as u8 + 1;
    let frame = slot.count / 5;
    let words = match id {
        1 => {
            let page = (frame % 10) as usize;
            let mut pages = [FILL; 100];
            clock(&D2_CLOCK, slot, nav, eph, &mut pages)?;
            element::write(&D2_PAGES, &mut pages, eph)?;
            D2_TOE.put_raw(&mut pages, reference_count(eph.toe, "toe")?);
            let mut words = [FILL; 10];
            words.copy_from_slice(&pages[10 * page..10 * page + 10]);
            D2_PNUM1.put_raw(&mut words, page as i64 + 1);
            words
        }
        // Integrity and differential corrections: none.
        2..=4 => {
            let mut words = empty(0);
            if id == 2 {
                PNUM2.put_raw(&mut words, (frame % 6) as i64 + 1);
            }
            words
        }
        _ => {
            let page = (frame % 120) as u8 + 1;
            let grid = matches!(page, 1..=13 | 61..=73);
            let mut words = empty(if grid { ONES } else { FILL });
            if let Some((like_id, like_page)) = d1d2::d1_page(NavMessage::D2, 5, page) {
                pages(slot, nav, like_id, like_page, (frame / 120 % 3) as i64 + 1, &mut words)?;
            }
            PNUM.put_raw(&mut words, i64::from(page));
            words
        }
    };
    Ok(finish(id, (frame * 3) as i64, words))
}

fn empty(fill: u32) -> [u32; 10] {
    [fill; 10]
}

/// Preamble, number, time, parity, interleaving.
fn finish(id: u8, sow: i64, mut words: [u32; 10]) -> [u32; 10] {
    words[0] = d1d2::PREAMBLE << 19;
    FRA_ID.put_raw(&mut words, i64::from(id));
    SOW.put_raw(&mut words, sow);
    std::array::from_fn(|index| {
        let word = bch::with_parity(index, words[index]);
        if index == 0 { word } else { bch::interleave(word) }
    })
}

/// A reference time in its unit of 8 s.
fn reference_count(t: GnssTime, field: &'static str) -> Result<i64, EncodeError> {
    let (_, tow) = t.bdt();
    if tow % 8.0 == 0.0 { Ok((tow / 8.0) as i64) } else { Err(EncodeError::Range { field, value: tow }) }
}

/// Everything that is not an element.
fn clock(
    fields: &Clock,
    slot: &Slot,
    nav: &NavData,
    eph: &KeplerEphemeris,
    words: &mut [u32],
) -> Result<(), EncodeError> {
    fields.health.put_raw(words, i64::from(eph.health != 0));
    fields.aodc.put_raw(words, i64::from(eph.iodc));
    fields.urai.put_raw(words, element::ura_index(eph.ura_m));
    fields.week.put_raw(words, slot.week());
    fields.toc.put_raw(words, reference_count(eph.toc, "toc")?);
    fields.tgd1.put(words, eph.delays.tgd1.unwrap_or(0.0))?;
    fields.tgd2.put(words, eph.delays.tgd2.unwrap_or(0.0))?;
    fields.aode.put_raw(words, i64::from(eph.iode));
    let Klobuchar { alpha, beta } = nav.bds_iono.unwrap_or_default();
    for (field, value) in fields.alpha.iter().zip(alpha).chain(fields.beta.iter().zip(beta)) {
        field.put(words, value)?;
    }
    Ok(())
}

/// Pages of subframes 4 and 5, in the numbers of D1; `am_id` is the turn of the expanded almanacs.
fn pages(
    slot: &Slot,
    nav: &NavData,
    id: u8,
    page: u8,
    am_id: i64,
    words: &mut [u32; 10],
) -> Result<(), EncodeError> {
    match (id, page) {
        (5, 7 | 8 | 24) => {
            if let Some((first, count)) = d1d2::health_sats(page, am_id) {
                for (field, prn) in HEALTH.iter().take(count).zip(first..) {
                    field.put_raw(words, health(Sat::bds(prn), nav));
                }
            }
            if page == 8 {
                let toa = almanac::reference(Constellation::Bds, nav, slot.start);
                let (week, toa_s) = toa.bdt();
                HEALTH_WNA.put_raw(words, week);
                HEALTH_TOA.put(words, (toa_s / 4096.0).floor() * 4096.0)?;
            } else if page == 24 {
                HEALTH_AM_ID.put_raw(words, am_id);
            }
        }
        (5, 9) => {
            let scales = [TimeScale::Gpst, TimeScale::Gst, TimeScale::Utc];
            for (to, fields) in scales.into_iter().zip(&TIME_OFFSETS) {
                let known = nav.offsets.iter().find(|o| o.from == TimeScale::Bdt && o.to == to);
                // The offset counts from the start of the week.
                let at = GnssTime::from_bdt(slot.week(), 0.0);
                put_small(&fields[0], words, known.map_or(0.0, |o| o.offset_s(at)));
                put_small(&fields[1], words, known.map_or(0.0, |o| o.a1));
            }
        }
        (5, 10) => {
            let utc = utc(nav.bds_utc, slot);
            UTC_LEAP.put(words, utc.leap_s as f64)?;
            UTC_LEAP_FUTURE.put(words, utc.leap_future_s as f64)?;
            UTC_WN_LSF.put_raw(words, utc.wn_lsf);
            UTC_A0.put(words, utc.a0)?;
            UTC_A1.put(words, utc.a1)?;
            UTC_DN.put_raw(words, i64::from(utc.dn));
        }
        _ => {
            if let Some(sat) = d1d2::almanac_sat(id, page, am_id) {
                // A satellite whose values do not fit is left out, as one without almanac.
                let mut filled = *words;
                if put_almanac(sat, nav, slot.start, &mut filled).is_some() {
                    *words = filled;
                }
            }
            AM_EP_ID.put_raw(words, if id == 5 && page > 6 { am_id } else { 3 });
        }
    }
    Ok(())
}

/// Writes a value or, if it does not fit, zero.
fn put_small(field: &Field, words: &mut [u32], value: f64) {
    if field.put(words, value).is_err() {
        field.put_raw(words, 0);
    }
}

fn put_almanac(sat: Sat, nav: &NavData, t: GnssTime, words: &mut [u32]) -> Option<()> {
    let almanac = almanac::almanac(sat, nav, t)?;
    element::write(&ALMANAC, words, &element::from_almanac(&almanac)).ok()?;
    ALMANAC_DELTA_I.put(words, d1d2::almanac_delta_i(sat, almanac.i0)).ok()?;
    ALMANAC_TOA.put(words, almanac.toa.bdt().1).ok()
}

fn health(sat: Sat, nav: &NavData) -> i64 {
    let ephemeris = nav.ephemerides_of(sat).last().map(|e| if e.healthy() { 0 } else { HEALTH_BAD });
    let almanac = nav.almanacs.get(&sat).map(|a| i64::from(a.health.unwrap_or(0)));
    ephemeris.or(almanac).unwrap_or(HEALTH_UNKNOWN)
}
