//! Contents of B-CNAV1, B-CNAV2 and B-CNAV3, block by block (BDS-SIS-ICD-B1C-1.0 section 7).

use std::f64::consts::PI;

use megrez_orbit::{
    Almanac, Bdgim, ClockAccuracy, EarthOrientation, GnssTime, KeplerEphemeris, SignalFlags, TimeOffset,
    TimeScale, UtcParams,
};
use megrez_signal::{NavMessage, Sat};

use crate::cnav_fields::*;
use crate::subframe::CNAV1_SUBFRAME2_WORDS;
use crate::{Subframe, element};

/// Semi-major axes from which the broadcast ones count, in m.
const A_REF_MEO_M: f64 = 27_906_100.0;
const A_REF_GEO_IGSO_M: f64 = 42_162_200.0;
/// Inclination from which the midi almanac of MEO and IGSO satellites counts.
const MIDI_INCLINATION: f64 = 0.30 * PI;
/// Inclination of MEO and IGSO satellites in the reduced almanac.
const REDUCED_INCLINATION: f64 = 55.0 / 180.0 * PI;
/// Orbit types as sent.
const GEO: i64 = 1;
const IGSO: i64 = 2;
const MEO: i64 = 3;

/// The layouts of the good parts of a subframe, and the bits before each part.
pub(crate) fn parts(subframe: &Subframe) -> [(Layout, usize); 2] {
    let good = |mask: u32| subframe.good_words & mask == mask;
    let none: (Layout, usize) = (&[], 0);
    match subframe.message {
        NavMessage::Cnav1 => {
            let second = if good(SUBFRAME2_GOOD) { (SUBFRAME2, 0) } else { none };
            let third = subframe.page.filter(|_| good(SUBFRAME3_GOOD)).map_or(&[] as Layout, subframe3);
            [second, (third, 30 * CNAV1_SUBFRAME2_WORDS)]
        }
        NavMessage::Cnav2 => [(cnav2(subframe.id), 0), none],
        NavMessage::Cnav3 => [(cnav3(subframe.id), 0), none],
        _ => [none, none],
    }
}

/// Good words of subframes 2 and 3 of B-CNAV1.
pub(crate) const SUBFRAME2_GOOD: u32 = 0xf_ffff;
pub(crate) const SUBFRAME3_GOOD: u32 = 0x1ff << CNAV1_SUBFRAME2_WORDS;

/// The week number of a subframe, modulo 8192, if it has one.
pub(crate) fn week(subframe: &Subframe) -> Option<i64> {
    parts(subframe)
        .into_iter()
        .flat_map(|(layout, before)| layout.iter().map(move |&(block, first)| (block, before + at(first))))
        .find(|&(block, _)| block == Block::Week)
        .map(|(_, before)| WEEK.raw_at(&subframe.words, before))
}

/// Bits before the bit number `first`.
pub(crate) fn at(first: u16) -> usize {
    usize::from(first) - 1
}

/// The semi-major axis that the one of an orbit type counts from.
fn reference_axis(sat_type: i64) -> f64 {
    if sat_type == MEO { A_REF_MEO_M } else { A_REF_GEO_IGSO_M }
}

/// Orbit type of a satellite with semi-major axis `a`.
pub(crate) fn sat_type(sat: Sat, a: f64) -> i64 {
    match sat {
        sat if sat.is_bds_geo() => GEO,
        _ if a > 0.5 * (A_REF_MEO_M + A_REF_GEO_IGSO_M) => IGSO,
        _ => MEO,
    }
}

/// Ephemeris I into `eph`.
pub(crate) fn read_ephemeris1(words: &[u32], before: usize, time: GnssTime, eph: &mut KeplerEphemeris) {
    element::read_at(&EPHEMERIS1, words, before, eph);
    eph.a = reference_axis(SAT_TYPE.raw_at(words, before)) + DELTA_A.get_at(words, before);
    eph.toe = time.nearest_tow(TimeScale::Bdt, TOE.get_at(words, before));
}

/// Clock into `eph`.
pub(crate) fn read_clock(words: &[u32], before: usize, time: GnssTime, eph: &mut KeplerEphemeris) {
    element::read_at(&CLOCK, words, before, eph);
    eph.toc = time.nearest_tow(TimeScale::Bdt, TOC.get_at(words, before));
}

/// BDGIM; none if there are no figures.
pub(crate) fn read_bdgim(words: &[u32], before: usize) -> Option<Bdgim> {
    let alpha: [f64; 9] = std::array::from_fn(|i| BDGIM[i].get_at(words, before));
    alpha.iter().any(|&a| a != 0.0).then_some(Bdgim { alpha })
}

/// A week and time of week.
fn instant(time: GnssTime, week: i64, tow_s: f64) -> GnssTime {
    GnssTime::from_bdt(time.resolve_week(TimeScale::Bdt, week, 8192), tow_s)
}

/// BDT to UTC; none if there are no figures.
pub(crate) fn read_utc(words: &[u32], before: usize, time: GnssTime) -> Option<UtcParams> {
    let wn_ot = UTC_WN_OT.raw_at(words, before);
    let wn_lsf = UTC_WN_LSF.raw_at(words, before);
    (wn_ot != 0 && wn_lsf != 0).then(|| UtcParams {
        scale: TimeScale::Bdt,
        a0: UTC_A[0].get_at(words, before),
        a1: UTC_A[1].get_at(words, before),
        a2: UTC_A[2].get_at(words, before),
        tot: instant(time, wn_ot, UTC_TOT.get_at(words, before)),
        leap_s: UTC_LEAP.raw_at(words, before),
        wn_lsf: time.resolve_week(TimeScale::Bdt, wn_lsf, 8192),
        dn: UTC_DN.raw_at(words, before) as u8,
        leap_future_s: UTC_LEAP_FUTURE.raw_at(words, before),
    })
}

/// Earth orientation; none if there are no figures.
pub(crate) fn read_earth(words: &[u32], before: usize, time: GnssTime) -> Option<EarthOrientation> {
    let get = |fields: &[crate::field::Field; 2]| [0, 1].map(|i| fields[i].get_at(words, before));
    let (pole_x, pole_y, dut1) = (get(&EOP_X), get(&EOP_Y), get(&EOP_DUT1));
    let known = [pole_x, pole_y, dut1].iter().flatten().any(|&v| v != 0.0);
    let reference = time.nearest_tow(TimeScale::Bdt, EOP_TIME.get_at(words, before));
    known.then_some(EarthOrientation { reference, pole_x, pole_y, dut1 })
}

/// Offset from another system; none if there is none or the system has no scale here.
pub(crate) fn read_offset(words: &[u32], before: usize, time: GnssTime) -> Option<TimeOffset> {
    let to = match BGTO_SYSTEM.raw_at(words, before) {
        1 => TimeScale::Gpst,
        2 => TimeScale::Gst,
        3 => TimeScale::Utc,
        _ => return None,
    };
    Some(TimeOffset {
        from: TimeScale::Bdt,
        to,
        a0: BGTO_A[0].get_at(words, before),
        a1: BGTO_A[1].get_at(words, before),
        a2: BGTO_A[2].get_at(words, before),
        reference: instant(time, BGTO_WEEK.raw_at(words, before), BGTO_TIME.get_at(words, before)),
    })
}

/// The satellite of an almanac.
fn almanac_sat(words: &[u32], before: usize) -> Option<Sat> {
    let prn = ALMANAC_PRN.raw_at(words, before) as u8;
    (prn != 0).then_some(Sat::bds(prn))
}

/// Midi almanac; none if there is none.
pub(crate) fn read_midi(words: &[u32], before: usize, time: GnssTime) -> Option<Almanac> {
    let sat = almanac_sat(words, before)?;
    let toa = instant(time, MIDI_WEEK.raw_at(words, before), MIDI_TOA.get_at(words, before));
    let mut elements = KeplerEphemeris::blank(sat, NavMessage::D1, toa, toa);
    element::read_at(&MIDI, words, before, &mut elements);
    let geo = ALMANAC_SAT_TYPE.raw_at(words, before) == GEO;
    let i0 = if geo { 0.0 } else { MIDI_INCLINATION } + MIDI_DELTA_I.get_at(words, before);
    let health = MIDI_HEALTH.raw_at(words, before) as u16;
    (5_000.0..7_500.0)
        .contains(&elements.a.sqrt())
        .then(|| element::to_almanac(&elements, toa, i0, Some(health)))
}

/// Reference time of the reduced almanacs of a message.
pub(crate) fn read_reduced_reference(words: &[u32], before: usize, time: GnssTime) -> GnssTime {
    instant(time, REDUCED_WEEK.raw_at(words, before), REDUCED_TOA.get_at(words, before))
}

/// Reduced almanac: a circular orbit; none if there is none.
pub(crate) fn read_reduced(words: &[u32], before: usize, toa: GnssTime) -> Option<Almanac> {
    let sat = almanac_sat(words, before)?;
    let sat_type = ALMANAC_SAT_TYPE.raw_at(words, before);
    let mut elements = KeplerEphemeris::blank(sat, NavMessage::D1, toa, toa);
    element::read_at(&REDUCED, words, before, &mut elements);
    elements.a = reference_axis(sat_type) + REDUCED_DELTA_A.get_at(words, before);
    let i0 = if sat_type == GEO { 0.0 } else { REDUCED_INCLINATION };
    Some(element::to_almanac(&elements, toa, i0, Some(REDUCED_HEALTH.raw_at(words, before) as u16)))
}

/// Flags of one signal.
pub(crate) fn read_flags(words: &[u32], before: usize) -> SignalFlags {
    let [dif, sif, aif] = [0, 1, 2].map(|i| FLAGS[i].raw_at(words, before) == 1);
    SignalFlags { dif, sif, aif }
}

/// Accuracy of the clock.
pub(crate) fn read_clock_accuracy(words: &[u32], before: usize, time: GnssTime) -> ClockAccuracy {
    let [bias, drift, drift_rate] = [0, 1, 2].map(|i| SISAI_CLOCK[i].raw_at(words, before));
    ClockAccuracy {
        top: time.nearest_tow(TimeScale::Bdt, SISAI_TOP.get_at(words, before)),
        bias: bias as i8,
        drift: drift as u8,
        drift_rate: drift_rate as u8,
    }
}

/// The field of an almanac's inclination.
pub(crate) fn midi_delta_i(sat: Sat, i0: f64) -> f64 {
    if sat.is_bds_geo() { i0 } else { i0 - MIDI_INCLINATION }
}

/// What the field of the semi-major axis holds.
pub(crate) fn delta_a(sat_type: i64, a: f64) -> f64 {
    a - reference_axis(sat_type)
}
