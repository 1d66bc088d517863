//! What is encoded comes back: every field within half of its step, every page of the almanac cycles.
//!
//! The steps below are written out from the interface documents, apart from the tables of the crate. That the
//! layouts are right is shown in `vectors.rs` and `ubx.rs`, on frames that satellites sent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{ephemeris, nav_data, symbols};
use megrez_nav::d2_pages::{D2Corrections, D2Page};
use megrez_nav::{Assembler, Decoder, NavEvent, encode_subframe};
use megrez_orbit::{Ephemeris, GnssTime, KeplerEphemeris, NavData, TimeScale};
use megrez_signal::{Constellation, NavMessage, Sat};
use proptest::prelude::*;
use std::f64::consts::PI;

const MESSAGES: [(NavMessage, Sat); 3] =
    [(NavMessage::D1, Sat::bds(24)), (NavMessage::D2, Sat::bds(3)), (NavMessage::Lnav, Sat::gps(5))];

/// Decodes symbols of either sign into events.
fn receive(
    message: NavMessage,
    sat: Sat,
    symbols: &[u8],
    sign: f32,
    near: Option<GnssTime>,
) -> Vec<NavEvent> {
    let mut decoder = Decoder::new(sat, message).unwrap();
    let mut assembler = Assembler::new(sat, message);
    (0..)
        .zip(symbols)
        .filter_map(|(tag, &bit)| decoder.push(sign * (1.0 - 2.0 * f32::from(bit)), tag))
        .flat_map(|subframe| assembler.push(&subframe, near))
        .collect()
}

fn ephemerides(events: &[NavEvent]) -> Vec<KeplerEphemeris> {
    events
        .iter()
        .filter_map(|event| match event {
            NavEvent::Ephemeris(Ephemeris::Kepler(eph)) => Some(eph.clone()),
            _ => None,
        })
        .collect()
}

/// Name, step and difference of every field.
fn differences(a: &KeplerEphemeris, b: &KeplerEphemeris) -> Vec<(&'static str, f64, f64)> {
    let lnav = a.message == NavMessage::Lnav;
    let two = |gps: i32, bds: i32| 2f64.powi(if lnav { gps } else { bds });
    let turn = |x: f64| x - (x / (2.0 * PI)).round() * 2.0 * PI;
    let delay = |d: Option<f64>| d.unwrap_or(0.0);
    vec![
        ("a0", two(-31, -33), a.clock[0] - b.clock[0]),
        ("a1", two(-43, -50), a.clock[1] - b.clock[1]),
        ("a2", two(-55, -66), a.clock[2] - b.clock[2]),
        ("sqrtA", 2f64.powi(-19), a.a.sqrt() - b.a.sqrt()),
        ("e", 2f64.powi(-33), a.e - b.e),
        ("i0", 2f64.powi(-31) * PI, a.i0 - b.i0),
        ("IDOT", 2f64.powi(-43) * PI, a.i_dot - b.i_dot),
        ("OMEGA0", 2f64.powi(-31) * PI, turn(a.omega0 - b.omega0)),
        ("OMEGAdot", 2f64.powi(-43) * PI, a.omega_dot - b.omega_dot),
        ("omega", 2f64.powi(-31) * PI, turn(a.omega - b.omega)),
        ("M0", 2f64.powi(-31) * PI, turn(a.m0 - b.m0)),
        ("deltan", 2f64.powi(-43) * PI, a.delta_n - b.delta_n),
        ("Cuc", two(-29, -31), a.cuc - b.cuc),
        ("Cus", two(-29, -31), a.cus - b.cus),
        ("Crc", two(-5, -6), a.crc - b.crc),
        ("Crs", two(-5, -6), a.crs - b.crs),
        ("Cic", two(-29, -31), a.cic - b.cic),
        ("Cis", two(-29, -31), a.cis - b.cis),
        ("TGD", 2f64.powi(-31), delay(a.delays.tgd) - delay(b.delays.tgd)),
        ("TGD1", 1e-10, delay(a.delays.tgd1) - delay(b.delays.tgd1)),
        ("TGD2", 1e-10, delay(a.delays.tgd2) - delay(b.delays.tgd2)),
        ("toe", 0.0, a.toe - b.toe),
        ("toc", 0.0, a.toc - b.toc),
        ("IODE", 0.0, f64::from(a.iode) - f64::from(b.iode)),
        ("IODC", 0.0, f64::from(a.iodc) - f64::from(b.iodc)),
        ("URA", 0.0, a.ura_m.unwrap() - b.ura_m.unwrap()),
        ("health", 0.0, f64::from(a.health) - f64::from(b.health)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_field_comes_back(
        x in prop::array::uniform20(-1.0..1.0f64),
        week in 2050i64..3000,
        // Every 3600 s of the week, across its end.
        hour in 0i64..168,
        wait in 0usize..10,
        inverted: bool,
        garbage in prop::collection::vec(0u8..2, 0..200),
    ) {
        for (message, sat) in MESSAGES {
            let scale = if message == NavMessage::Lnav { TimeScale::Gpst } else { TimeScale::Bdt };
            let toe = GnssTime::from_week_tow(scale, week - if scale == TimeScale::Bdt { 1356 } else { 0 }, hour as f64 * 3600.0);
            let sent = ephemeris(sat, message, toe, &x);
            let mut nav = NavData::default();
            prop_assert!(nav.insert(Ephemeris::Kepler(sent.clone())));
            // Up to the moment of toe and beyond.
            let start = toe + (wait as f64 - 5.0) * 30.0;
            let mut bits = garbage.clone();
            bits.extend(symbols(message, sat, &nav, start, if message == NavMessage::D2 { 50 } else { 5 }));
            let sign = if inverted { -1.0 } else { 1.0 };
            let near = Some(start + 1e6);
            let got = ephemerides(&receive(message, sat, &bits, sign, near));
            prop_assert_eq!(got.len(), 1, "{:?}", message);
            for (name, step, difference) in differences(&sent, &got[0]) {
                prop_assert!(
                    difference.abs() <= 0.5 * step * (1.0 + 1e-6) + 1e-21,
                    "{:?} {}: off by {} with a step of {}", message, name, difference, step
                );
            }
            prop_assert_eq!(got[0].transmit, Some(start));
        }
    }

    #[test]
    fn random_symbols_never_panic_nor_synchronise(
        symbols in prop::collection::vec(-1.0..1.0f32, 0..2000),
        strange in prop::sample::select(vec![f32::NAN, f32::INFINITY, 0.0]),
    ) {
        for (message, sat) in MESSAGES {
            let mut decoder = Decoder::new(sat, message).unwrap();
            let mut assembler = Assembler::new(sat, message);
            for (tag, &soft) in symbols.iter().enumerate() {
                let soft = if tag % 97 == 5 { strange } else { soft };
                if let Some(subframe) = decoder.push(soft, tag as u64) {
                    assembler.push(&subframe, None);
                    prop_assert!(false, "{:?} found in noise", subframe);
                }
            }
        }
    }

    #[test]
    fn random_words_never_panic(
        words in prop::array::uniform10(0u32..1 << 30),
        id in 1u8..6,
        page in prop::option::of(0u8..130),
        tow_s in 0.0..604_800.0f64,
    ) {
        for (message, sat) in MESSAGES {
            let mut assembler = Assembler::new(sat, message);
            let nav = nav_data(GnssTime::from_gpst(2300, 0.0));
            let start = GnssTime::from_week_tow(if message == NavMessage::Lnav { TimeScale::Gpst } else { TimeScale::Bdt }, 2300, 0.0);
            let symbols = encode_subframe(message, sat, &nav, start).unwrap();
            let mut decoder = Decoder::new(sat, message).unwrap();
            let subframe = symbols.iter().find_map(|&bit| decoder.push(1.0 - 2.0 * f32::from(bit), 0)).unwrap();
            for near in [None, Some(start)] {
                let damaged = megrez_nav::Subframe { words: words.to_vec(), id, page, tow_s: Some(tow_s), ..subframe.clone() };
                let mut nav = NavData::default();
                assembler.push(&damaged, near).iter().for_each(|event| event.store(&mut nav));
                for id in 1..=3 {
                    let events = assembler.push(&megrez_nav::Subframe { id, ..damaged.clone() }, near);
                    events.iter().for_each(|event| event.store(&mut nav));
                }
            }
        }
    }
}

#[test]
fn whole_almanac_cycles_come_back() {
    let toe = GnssTime::from_gpst(2300, 7200.0);
    let sent = nav_data(toe);
    // GPS: 12.5 minutes. D1: three superframes of 12 minutes for the expanded almanacs. D2: three of 6.
    for ((message, sat), subframes) in MESSAGES.into_iter().zip([360, 1800, 125]) {
        let scale = if message == NavMessage::Lnav { TimeScale::Gpst } else { TimeScale::Bdt };
        let start = GnssTime::from_week_tow(scale, toe.week_tow(scale).0, 6600.0);
        let bits = symbols(message, sat, &sent, start, subframes);
        let mut got = NavData::default();
        let mut health = Vec::new();
        for event in receive(message, sat, &bits, 1.0, None) {
            if let NavEvent::Health(list) = &event {
                health.extend(list.clone());
            }
            event.store(&mut got);
        }
        let constellation = sat.constellation;
        let all: Vec<Sat> = sent.sats().filter(|sat| sat.constellation == constellation).collect();
        let almanacs: Vec<Sat> = got.almanacs.keys().copied().collect();
        assert_eq!(almanacs, all, "{message:?}");
        for almanac in got.almanacs.values() {
            let state = sent.ephemerides_of(almanac.sat)[0].state(toe);
            let guess = almanac.state(toe);
            let (p, q) = (state.position, guess.position);
            let off = (p.x - q.x).hypot(p.y - q.y).hypot(p.z - q.z);
            // Harmonic corrections and the rounding of the almanac.
            assert!(off < 10_000.0, "{message:?} {}: {off} m", almanac.sat);
            assert!((state.clock_s - guess.clock_s).abs() < 2e-6);
        }
        for (sat, word) in health {
            let absent = if constellation == Constellation::Bds { 0x1ff } else { 63 };
            assert_eq!(word, if all.contains(&sat) { 0 } else { absent }, "{message:?} {sat}");
        }
        let (want, have) = match constellation {
            Constellation::Bds => (sent.bds_utc.unwrap(), got.bds_utc.unwrap()),
            _ => (sent.gps_utc.unwrap(), got.gps_utc.unwrap()),
        };
        assert_eq!(
            (want.leap_s, want.leap_future_s, want.wn_lsf, want.dn, want.tot),
            (have.leap_s, have.leap_future_s, have.wn_lsf, have.dn, have.tot)
        );
        assert!(
            (want.a0 - have.a0).abs() <= 0.5 * 2f64.powi(-30)
                && (want.a1 - have.a1).abs() <= 0.5 * 2f64.powi(-50)
        );
        let (want, have) = match constellation {
            Constellation::Bds => (sent.bds_iono.unwrap(), got.bds_iono.unwrap()),
            _ => (sent.gps_iono.unwrap(), got.gps_iono.unwrap()),
        };
        let steps = [-30, -27, -24, -24, 11, 14, 16, 16].map(|n| 2f64.powi(n));
        let values = want.alpha.iter().chain(&want.beta).zip(have.alpha.iter().chain(&have.beta));
        for ((want, have), step) in values.zip(steps) {
            assert!((want - have).abs() <= 0.5 * step, "{message:?}: {have} instead of {want}");
        }
        if constellation == Constellation::Bds {
            for (want, have) in sent.offsets.iter().zip(&got.offsets) {
                assert_eq!((want.to, want.reference), (have.to, have.reference));
                assert!((want.a0 - have.a0).abs() <= 0.5e-10 && (want.a1 - have.a1).abs() <= 0.5e-10);
            }
            assert_eq!(got.offsets.len(), 3);
        }
    }
}

#[test]
fn reasons_for_refusal() {
    let toe = GnssTime::from_gpst(2300, 7200.0);
    let nav = nav_data(toe);
    let text =
        |message, sat, nav: &NavData, t| encode_subframe(message, sat, nav, t).unwrap_err().to_string();
    assert_eq!(
        text(NavMessage::Lnav, Sat::gps(5), &NavData::default(), toe),
        "no Lnav ephemeris of G05 to encode"
    );
    assert_eq!(
        text(NavMessage::Lnav, Sat::gps(5), &nav, toe + 1.0),
        "no Lnav subframe starts at 7201 s of week"
    );
    assert_eq!(text(NavMessage::D1, Sat::gps(5), &nav, toe), "G05 sends no D1 that can be encoded");
    let mut wide = common::plain(Sat::gps(5), NavMessage::Lnav, toe);
    wide.crs = 2000.0;
    let mut bad = NavData::default();
    bad.insert(Ephemeris::Kepler(wide));
    assert_eq!(text(NavMessage::Lnav, Sat::gps(5), &bad, toe + 6.0), "2000 does not fit the field Crs");
}

#[test]
fn pages_of_the_regional_service_say_that_there_is_nothing() {
    let toe = GnssTime::from_gpst(2300, 7200.0);
    let sent = nav_data(toe);
    let bits = symbols(NavMessage::D2, Sat::bds(3), &sent, GnssTime::from_bdt(944, 7200.0), 5 * 120);
    let mut all = D2Corrections::new();
    let mut pages = [0; 6];
    for event in receive(NavMessage::D2, Sat::bds(3), &bits, 1.0, None) {
        let NavEvent::D2Page(page) = event else { continue };
        all.push(&page);
        if let D2Page::Integrity { page, sats, .. } = &page {
            assert!(sats.is_empty());
            pages[usize::from(*page) - 1] += 1;
        }
    }
    // 120 frames but for the one that starts the decoder.
    assert!(pages.iter().all(|&count| (19..=20).contains(&count)), "{pages:?}");
    assert_eq!(all.grid().count(), 320);
    assert!(all.grid().all(|point| point.delay_m.is_none() && point.givei == 15));
    assert_eq!(all.of(Sat::bds(6)), None);
}
