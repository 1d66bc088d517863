//! Contents of the BeiDou D1 and D2 messages (BDS-SIS-ICD-B1I-3.0 sections 5.2 and 5.3).

use std::f64::consts::PI;

use megrez_orbit::{
    Almanac, GnssTime, GroupDelays, Iono, KeplerEphemeris, Klobuchar, TimeOffset, TimeScale, UtcParams,
};
use megrez_signal::{NavMessage, Sat};

use crate::d1d2_fields::*;
use crate::element;
use crate::subframe::{Header, WEEK_S};

/// The first eleven bits of every subframe.
pub(crate) const PREAMBLE: u32 = 0b111_0001_0010;
/// Inclination from which the almanac of MEO and IGSO satellites counts.
const ALMANAC_INCLINATION: f64 = 0.30 * PI;

/// Number and time of a subframe from its first two words; none if they do not fit. D1 frames of 30 s and D2
/// frames of 3 s begin at multiples of their length in the week.
pub(crate) fn header(message: NavMessage, words: &[u32]) -> Option<Header> {
    let id = FRA_ID.raw(words);
    let sow = SOW.raw(words);
    if !(1..=5).contains(&id) || sow as f64 >= WEEK_S {
        return None;
    }
    let tow_s = match message {
        NavMessage::D1 if sow % 30 == 6 * (id - 1) => sow as f64,
        NavMessage::D2 if sow % 3 == 0 => (10 * sow + 6 * (id - 1)) as f64 / 10.0,
        _ => return None,
    };
    Some(Header { id: id as u8, tow_s })
}

/// Page number of a subframe that has one. That of D2 subframes 2 to 4 is not read.
pub(crate) fn page(message: NavMessage, id: u8, words: &[u32]) -> Option<u8> {
    match (message, id) {
        (NavMessage::D1, 4 | 5) | (NavMessage::D2, 5) => Some(PNUM.raw(words) as u8),
        (NavMessage::D2, 1) => Some(D2_PNUM1.raw(words) as u8),
        _ => None,
    }
}

/// The page of D1 subframe 4 or 5 whose layout a page has, as (subframe, page). D2 subframe 5 repeats those
/// pages under other numbers.
pub(crate) fn d1_page(message: NavMessage, id: u8, page: u8) -> Option<(u8, u8)> {
    Some(match (message, id, page) {
        (NavMessage::D1, 4 | 5, 1..=24) => (id, page),
        (NavMessage::D2, 5, 35..=36) => (5, page - 28),
        (NavMessage::D2, 5, 37..=60) => (4, page - 36),
        (NavMessage::D2, 5, 95..=100) => (5, page - 94),
        (NavMessage::D2, 5, 101..=102) => (5, page - 92),
        (NavMessage::D2, 5, 103..=115) => (5, page - 92),
        (NavMessage::D2, 5, 116) => (5, 24),
        _ => return None,
    })
}

/// The satellite whose almanac a page (in D1 numbers) carries; `am_id` is the page's last field.
pub(crate) fn almanac_sat(id: u8, page: u8, am_id: i64) -> Option<Sat> {
    let prn = match (id, page, am_id) {
        (4, 1..=24, _) => page,
        (5, 1..=6, _) => page + 24,
        (5, 11..=23, 1) => page + 20,
        (5, 11..=23, 2) => page + 33,
        (5, 11..=17, 3) => page + 46,
        _ => return None,
    };
    Some(Sat::bds(prn))
}

/// The first satellite of a health page and how many there are.
pub(crate) fn health_sats(page: u8, am_id: i64) -> Option<(u8, usize)> {
    Some(match (page, am_id) {
        (7, _) => (1, 19),
        (8, _) => (20, 11),
        (24, 1) => (31, 13),
        (24, 2) => (44, 13),
        (24, 3) => (57, 7),
        _ => return None,
    })
}

/// Ionosphere coefficients of D1 subframe 1.
pub(crate) fn iono(clock: &Clock, words: &[u32]) -> Iono {
    let get = |fields: &[crate::field::Field; 4]| std::array::from_fn(|i| fields[i].get(words));
    Iono::BdsKlobuchar(Klobuchar { alpha: get(&clock.alpha), beta: get(&clock.beta) })
}

/// Whether the reference times of orbit and clock in subframes 1 to 3 are the same, as they are in every set
/// BeiDou has sent: pieces of two sets rarely agree in this.
pub(crate) fn same_reference(message: NavMessage, words: &[u32]) -> bool {
    match message {
        NavMessage::D1 => D1_CLOCK.toc.get(words) == d1_toe(words),
        _ => D2_CLOCK.toc.get(words) == D2_TOE.get(words),
    }
}

fn d1_toe(words: &[u32]) -> f64 {
    D1_TOE_MSB.get(&words[10..]) + D1_TOE_LSB.get(&words[20..])
}

/// The ephemeris in D1 subframes 1, 2 and 3, or in the ten pages of D2, one after the other. `transmit` is the
/// time of the first of them, from which reference times are at most half a week away.
pub(crate) fn ephemeris(sat: Sat, message: NavMessage, transmit: GnssTime, words: &[u32]) -> KeplerEphemeris {
    let (clock, toe) = match message {
        NavMessage::D1 => (&D1_CLOCK, d1_toe(words)),
        _ => (&D2_CLOCK, D2_TOE.get(words)),
    };
    let toe = transmit.nearest_tow(TimeScale::Bdt, toe);
    let mut eph =
        KeplerEphemeris::blank(sat, message, toe, transmit.nearest_tow(TimeScale::Bdt, clock.toc.get(words)));
    match message {
        NavMessage::D1 => {
            element::read(&D1_SUBFRAME_1, words, &mut eph);
            element::read(&D1_SUBFRAME_2, &words[10..], &mut eph);
            element::read(&D1_SUBFRAME_3, &words[20..], &mut eph);
        }
        _ => element::read(&D2_PAGES, words, &mut eph),
    }
    eph.transmit = Some(transmit);
    eph.delays = GroupDelays {
        tgd1: Some(clock.tgd1.get(words)),
        tgd2: Some(clock.tgd2.get(words)),
        ..GroupDelays::default()
    };
    eph.iode = clock.aode.raw(words) as u16;
    eph.iodc = clock.aodc.raw(words) as u16;
    eph.ura_m = element::ura_m(clock.urai.raw(words));
    eph.health = clock.health.raw(words) as u16;
    eph
}

/// An almanac page, of a reference time near to `time`; none if it is empty.
pub(crate) fn almanac(sat: Sat, time: GnssTime, words: &[u32]) -> Option<Almanac> {
    let mut elements = KeplerEphemeris::blank(sat, NavMessage::D1, time, time);
    element::read(&ALMANAC, words, &mut elements);
    // Empty pages are zero or filled with a pattern.
    if !(5_000.0..7_500.0).contains(&elements.a.sqrt()) {
        return None;
    }
    let reference = if sat.is_bds_geo() { 0.0 } else { ALMANAC_INCLINATION };
    let toa = time.nearest_tow(TimeScale::Bdt, ALMANAC_TOA.get(words));
    let i0 = reference + ALMANAC_DELTA_I.get(words);
    Some(element::to_almanac(&elements, toa, i0, None))
}

/// What the almanac field of inclination holds for inclination `i0`.
pub(crate) fn almanac_delta_i(sat: Sat, i0: f64) -> f64 {
    if sat.is_bds_geo() { i0 } else { i0 - ALMANAC_INCLINATION }
}

/// Offsets of BDT from GPST, GST and GLONASS time, page 9. Zeros are left out: they mean that there is no figure.
pub(crate) fn time_offsets(time: GnssTime, words: &[u32]) -> Vec<TimeOffset> {
    let reference = GnssTime::from_bdt(time.bdt().0, 0.0);
    [TimeScale::Gpst, TimeScale::Gst, TimeScale::Utc]
        .into_iter()
        .zip(&TIME_OFFSETS)
        .map(|(to, [a0, a1])| (to, a0.get(words), a1.get(words)))
        .filter(|&(_, a0, a1)| a0 != 0.0 || a1 != 0.0)
        .map(|(to, a0, a1)| TimeOffset { from: TimeScale::Bdt, to, a0, a1, a2: 0.0, reference })
        .collect()
}

/// BDT to UTC, page 10.
pub(crate) fn utc(time: GnssTime, words: &[u32]) -> UtcParams {
    UtcParams {
        scale: TimeScale::Bdt,
        a0: UTC_A0.get(words),
        a1: UTC_A1.get(words),
        a2: 0.0,
        tot: GnssTime::from_bdt(time.bdt().0, 0.0),
        leap_s: UTC_LEAP.raw(words),
        wn_lsf: time.resolve_week(TimeScale::Bdt, UTC_WN_LSF.raw(words), 256),
        dn: UTC_DN.raw(words) as u8,
        leap_future_s: UTC_LEAP_FUTURE.raw(words),
    }
}
