//! GPS LNAV (IS-GPS-200 section 20.3).

use megrez_orbit::{GnssTime, KeplerEphemeris, NavData};
use megrez_signal::{Constellation, Sat};

use super::{EncodeError, Slot, almanac, utc};
use crate::lnav_fields::*;
use crate::subframe::WEEK_S;
use crate::{element, lnav, parity};

/// Alternating ones and zeros, as reserved words have them.
const FILL: u32 = 0x2aa_aaaa << 4;
/// Age of data offset that says that there is no correction table.
const NO_TABLE: i64 = 31;
/// Health of a satellite that is not there.
const HEALTH_ABSENT: u32 = 63;
/// Anti-spoofing on, present kind of satellite (page 25 of subframe 4).
const CONFIGURATION: u32 = 0b1101;

/// Transmitted words of an LNAV subframe.
pub(super) fn lnav(slot: &Slot, nav: &NavData, eph: &KeplerEphemeris) -> Result<[u32; 10], EncodeError> {
    let id = (slot.count % 5) as u8 + 1;
    let page = (slot.count / 5 % 25) as u8 + 1;
    let mut words = [FILL & 0x3fff_ffff; 10];
    words[0] = lnav::PREAMBLE << 22;
    words[1] = 0;
    TOW.put_raw(&mut words, ((slot.count + 1) % (WEEK_S / 6.0) as u64) as i64);
    ID.put_raw(&mut words, i64::from(id));
    ANTI_SPOOF.put_raw(&mut words, 1);
    match id {
        1 => {
            WEEK.put_raw(&mut words, slot.week());
            CODE_ON_L2.put_raw(&mut words, 1);
            URA.put_raw(&mut words, element::ura_index(eph.ura_m));
            HEALTH.put_raw(&mut words, i64::from(eph.health));
            IODC.put_raw(&mut words, i64::from(eph.iodc & 0x300 | eph.iode & 0xff));
            TGD.put(&mut words, eph.delays.tgd.unwrap_or(0.0))?;
            TOC.put_raw(&mut words, reference_count(eph.toc, "toc")?);
            element::write(&SUBFRAME_1, &mut words, eph)?;
        }
        2 => {
            IODE_2.put_raw(&mut words, i64::from(eph.iode));
            TOE.put_raw(&mut words, reference_count(eph.toe, "toe")?);
            FIT.put_raw(&mut words, 0);
            AODO.put_raw(&mut words, NO_TABLE);
            element::write(&SUBFRAME_2, &mut words, eph)?;
        }
        3 => {
            IODE_3.put_raw(&mut words, i64::from(eph.iode));
            element::write(&SUBFRAME_3, &mut words, eph)?;
        }
        _ => pages(slot, nav, id, page, &mut words)?,
    }
    let mut previous = 0;
    Ok(std::array::from_fn(|index| {
        let data = words[index] >> 6;
        // Words 2 and 10 end in bits that make D29 and D30 zero.
        let data = if index == 1 || index == 9 { parity::solve_tail(previous, data) } else { data };
        let word = parity::transmit(previous, data);
        previous = word & 3;
        word
    }))
}

/// A reference time in its unit of 16 s.
fn reference_count(t: GnssTime, field: &'static str) -> Result<i64, EncodeError> {
    let (_, tow) = t.gpst();
    if tow % 16.0 == 0.0 { Ok((tow / 16.0) as i64) } else { Err(EncodeError::Range { field, value: tow }) }
}

/// Pages of subframes 4 and 5.
fn pages(slot: &Slot, nav: &NavData, id: u8, page: u8, words: &mut [u32; 10]) -> Result<(), EncodeError> {
    DATA_ID.put_raw(words, 1);
    let sv_id = match (id, page) {
        (5, 25) => lnav::SV_ID_HEALTH_1_TO_24,
        (5, _) => page,
        _ => lnav::SUBFRAME_4_SV_ID[usize::from(page) - 1],
    };
    SV_ID.put_raw(words, i64::from(sv_id));
    match sv_id {
        1..=32 => {
            let mut filled = *words;
            if put_almanac(Sat::gps(sv_id), nav, slot.start, &mut filled).is_some() {
                *words = filled;
            } else {
                // The dummy satellite.
                SV_ID.put_raw(words, 0);
            }
        }
        lnav::SV_ID_SPECIAL => {
            for bit in lnav::text_bits() {
                lnav::put_small(words, bit, 8, u32::from(b' '));
            }
        }
        lnav::SV_ID_IONO_UTC => {
            let iono = nav.gps_iono.unwrap_or_default();
            for (field, value) in ALPHA.iter().zip(iono.alpha).chain(BETA.iter().zip(iono.beta)) {
                field.put(words, value)?;
            }
            let utc = utc(nav.gps_utc, slot);
            // The reference time is rounded to its step, and the constant follows.
            let (week, tot) = utc.tot.gpst();
            let tot = (tot / 4096.0).floor() * 4096.0;
            let moved = GnssTime::from_gpst(week, tot) - utc.tot;
            UTC_A0.put(words, utc.a0 + utc.a1 * moved)?;
            UTC_A1.put(words, utc.a1)?;
            UTC_TOT.put(words, tot)?;
            UTC_WNT.put_raw(words, week);
            UTC_LEAP.put(words, utc.leap_s as f64)?;
            UTC_WN_LSF.put_raw(words, utc.wn_lsf);
            UTC_DN.put_raw(words, i64::from(utc.dn));
            UTC_LEAP_FUTURE.put(words, utc.leap_future_s as f64)?;
        }
        lnav::SV_ID_HEALTH_1_TO_24 | lnav::SV_ID_HEALTH_25_TO_32 => {
            if sv_id == lnav::SV_ID_HEALTH_1_TO_24 {
                let (week, toa) = almanac::reference(Constellation::Gps, nav, slot.start).gpst();
                PAGE_25_TOA.put(words, (toa / 4096.0).floor() * 4096.0)?;
                PAGE_25_WNA.put_raw(words, week);
            } else {
                for sv in 0..32u16 {
                    // Four in word 3, six each in words 4 to 7, four in word 8.
                    let bit =
                        if sv < 4 { 69 + 4 * sv } else { 91 + 30 * ((sv - 4) / 6) + 4 * ((sv - 4) % 6) };
                    lnav::put_small(words, bit, 4, CONFIGURATION);
                }
            }
            for (sat, bit) in lnav::health_slots(sv_id) {
                lnav::put_small(words, bit, 6, health(sat, nav));
            }
        }
        _ => {}
    }
    Ok(())
}

fn put_almanac(sat: Sat, nav: &NavData, t: GnssTime, words: &mut [u32]) -> Option<()> {
    let almanac = almanac::almanac(sat, nav, t)?;
    element::write(&ALMANAC, words, &element::from_almanac(&almanac)).ok()?;
    ALMANAC_DELTA_I.put(words, almanac.i0 - lnav::ALMANAC_INCLINATION).ok()?;
    ALMANAC_TOA.put(words, almanac.toa.gpst().1).ok()?;
    ALMANAC_HEALTH.put_raw(words, i64::from(almanac.health.unwrap_or(0)));
    Some(())
}

fn health(sat: Sat, nav: &NavData) -> u32 {
    let ephemeris = nav.ephemerides_of(sat).last().and_then(|e| Some(u32::from(e.kepler()?.health)));
    let almanac = nav.almanacs.get(&sat).map(|a| u32::from(a.health.unwrap_or(0)) & 0x3f);
    ephemeris.or(almanac).unwrap_or(HEALTH_ABSENT)
}
