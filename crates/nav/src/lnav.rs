//! Contents of the GPS LNAV message (IS-GPS-200 section 20.3.3).

use std::f64::consts::PI;

use megrez_orbit::{Almanac, GnssTime, GroupDelays, Iono, KeplerEphemeris, Klobuchar, TimeScale, UtcParams};
use megrez_signal::{NavMessage, Sat};

use crate::element;
use crate::lnav_fields::*;
use crate::subframe::{Header, WEEK_S};

/// The first eight bits of every subframe.
pub(crate) const PREAMBLE: u32 = 0b1000_1011;
/// Inclination from which the almanac counts.
pub(crate) const ALMANAC_INCLINATION: f64 = 0.30 * PI;
/// SV ID of each page of subframe 4 (table 20-V).
pub(crate) const SUBFRAME_4_SV_ID: [u8; 25] =
    [57, 25, 26, 27, 28, 57, 29, 30, 31, 32, 57, 62, 52, 53, 54, 57, 55, 56, 58, 59, 57, 60, 61, 62, 63];
/// SV ID of subframe 5 page 25.
pub(crate) const SV_ID_HEALTH_1_TO_24: u8 = 51;
/// SV ID of subframe 4 page 25.
pub(crate) const SV_ID_HEALTH_25_TO_32: u8 = 63;
/// SV ID of subframe 4 page 18.
pub(crate) const SV_ID_IONO_UTC: u8 = 56;
/// SV ID of subframe 4 page 17.
pub(crate) const SV_ID_SPECIAL: u8 = 55;

/// Number and time of a subframe from its first two words; none if they do not fit: frames of 30 s begin at
/// multiples of their length in the week.
pub(crate) fn header(words: &[u32]) -> Option<Header> {
    let id = ID.raw(words);
    let count = TOW.raw(words);
    // The count is that of the next subframe.
    let tow_s = (count as f64 - 1.0).rem_euclid(WEEK_S / 6.0) * 6.0;
    let fits = (count as f64) < WEEK_S / 6.0 && (tow_s as i64 / 6) % 5 + 1 == id;
    fits.then_some(Header { id: id as u8, tow_s })
}

/// Page of subframe 4 or 5. Pages follow the time of week, which tells apart the pages that share an SV ID;
/// an almanac page out of its turn is still known by its SV ID.
pub(crate) fn page(id: u8, tow_s: f64, words: &[u32]) -> Option<u8> {
    let sv_id = SV_ID.raw(words) as u8;
    let turn = (tow_s / 30.0).floor() as usize % 25;
    let in_turn = SUBFRAME_4_SV_ID.get(turn) == Some(&sv_id);
    match (id, sv_id) {
        (4, _) if in_turn => Some(turn as u8 + 1),
        (4, _) => SUBFRAME_4_SV_ID.iter().position(|&s| s == sv_id).map(|n| n as u8 + 1),
        (5, 1..=24) => Some(sv_id),
        (5, SV_ID_HEALTH_1_TO_24) => Some(25),
        _ => None,
    }
}

/// Whether subframes 1, 2 and 3, one after the other, are of one issue.
pub(crate) fn same_issue(words: &[u32]) -> bool {
    let iode = IODE_2.raw(&words[10..]);
    iode == IODE_3.raw(&words[20..]) && iode == IODC.raw(words) & 0xff
}

/// The ephemeris in subframes 1, 2 and 3, one after the other.
pub(crate) fn ephemeris(sat: Sat, transmit: GnssTime, words: &[u32]) -> KeplerEphemeris {
    let toe = transmit.nearest_tow(TimeScale::Gpst, TOE.get(&words[10..]));
    let toc = transmit.nearest_tow(TimeScale::Gpst, TOC.get(words));
    let mut eph = KeplerEphemeris::blank(sat, NavMessage::Lnav, toe, toc);
    element::read(&SUBFRAME_1, words, &mut eph);
    element::read(&SUBFRAME_2, &words[10..], &mut eph);
    element::read(&SUBFRAME_3, &words[20..], &mut eph);
    eph.transmit = Some(transmit);
    // 10000000 stands for a group delay that is not available.
    let tgd = TGD.raw(words);
    eph.delays = GroupDelays { tgd: (tgd != -128).then(|| TGD.get(words)), ..GroupDelays::default() };
    eph.iode = IODE_2.raw(&words[10..]) as u16;
    eph.iodc = IODC.raw(words) as u16;
    eph.ura_m = element::ura_m(URA.raw(words));
    eph.health = HEALTH.raw(words) as u16;
    eph
}

/// An almanac page, of a reference time near to `time`; none if it is a dummy.
pub(crate) fn almanac(sat: Sat, time: GnssTime, words: &[u32]) -> Option<Almanac> {
    let mut elements = KeplerEphemeris::blank(sat, NavMessage::Lnav, time, time);
    element::read(&ALMANAC, words, &mut elements);
    if !(5_000.0..5_300.0).contains(&elements.a.sqrt()) {
        return None;
    }
    let toa = time.nearest_tow(TimeScale::Gpst, ALMANAC_TOA.get(words));
    let i0 = ALMANAC_INCLINATION + ALMANAC_DELTA_I.get(words);
    Some(element::to_almanac(&elements, toa, i0, Some(ALMANAC_HEALTH.raw(words) as u16)))
}

/// Ionosphere coefficients of page 18.
pub(crate) fn iono(words: &[u32]) -> Iono {
    let get = |fields: &[crate::field::Field; 4]| std::array::from_fn(|i| fields[i].get(words));
    Iono::GpsKlobuchar(Klobuchar { alpha: get(&ALPHA), beta: get(&BETA) })
}

/// GPST to UTC, page 18.
pub(crate) fn utc(time: GnssTime, words: &[u32]) -> UtcParams {
    let week = time.resolve_week(TimeScale::Gpst, UTC_WNT.raw(words), 256);
    UtcParams {
        scale: TimeScale::Gpst,
        a0: UTC_A0.get(words),
        a1: UTC_A1.get(words),
        a2: 0.0,
        tot: GnssTime::from_gpst(week, UTC_TOT.get(words)),
        leap_s: UTC_LEAP.raw(words),
        wn_lsf: time.resolve_week(TimeScale::Gpst, UTC_WN_LSF.raw(words), 256),
        dn: UTC_DN.raw(words) as u8,
        leap_future_s: UTC_LEAP_FUTURE.raw(words),
    }
}

/// First bits of the six-bit health words of a page 25 and the satellites they are for (section 20.3.3.5.1.3).
pub(crate) fn health_slots(sv_id: u8) -> Vec<(Sat, u16)> {
    match sv_id {
        // Words 4 to 9 hold four each.
        SV_ID_HEALTH_1_TO_24 => {
            (0..24u8).map(|n| (Sat::gps(n + 1), 91 + 30 * u16::from(n / 4) + 6 * u16::from(n % 4))).collect()
        }
        // The end of word 8, word 9, three in word 10.
        SV_ID_HEALTH_25_TO_32 => [229u16, 241, 247, 253, 259, 271, 277, 283]
            .iter()
            .zip(25u8..)
            .map(|(&bit, prn)| (Sat::gps(prn), bit))
            .collect(),
        _ => Vec::new(),
    }
}

/// `len` bits from bit `start` on, within one word.
pub(crate) fn small(words: &[u32], start: u16, len: u32) -> u32 {
    let bit = u32::from(start) - 1;
    let word = words.get(bit as usize / 30).copied().unwrap_or(0);
    word >> (30 - bit % 30 - len) & ((1 << len) - 1)
}

/// Writes `len` bits from bit `start` on, within one word.
pub(crate) fn put_small(words: &mut [u32], start: u16, len: u32, value: u32) {
    let bit = u32::from(start) - 1;
    let shift = 30 - bit % 30 - len;
    let mask = ((1 << len) - 1) << shift;
    if let Some(word) = words.get_mut(bit as usize / 30) {
        *word = *word & !mask | value << shift & mask;
    }
}

/// First bits of the 22 characters of page 17: two in word 3, three each in words 4 to 9, two in word 10.
pub(crate) fn text_bits() -> impl Iterator<Item = u16> {
    [69, 77]
        .into_iter()
        .chain((3..9).flat_map(|word| (0..3).map(move |n| 30 * word + 8 * n + 1)))
        .chain([271, 279])
}
