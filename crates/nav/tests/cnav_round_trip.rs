//! B-CNAV there and back: every field within half of its step, almanacs, noise, garbage.
//!
//! The steps below are written out from the interface documents, apart from the tables of the crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::f64::consts::PI;

use common::{nav_data, symbols};
use megrez_nav::{Assembler, Decoder, EncodeError, Subframe, encode_subframe, subframe_duration_s};
use megrez_orbit::{
    Bdgim, ClockAccuracy, EarthOrientation, GnssTime, GroupDelays, Integrity, KeplerEphemeris, NavData,
    SignalFlags, TimeOffset, TimeScale, UtcParams,
};
use megrez_signal::{Constellation, NavMessage, Sat};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

const MESSAGES: [NavMessage; 3] = [NavMessage::Cnav1, NavMessage::Cnav2, NavMessage::Cnav3];
/// Messages after which everything has been sent once.
const CYCLES: [usize; 3] = [4, 16, 3];

fn p(n: i32) -> f64 {
    2f64.powi(n)
}

fn decode(message: NavMessage, sat: Sat, soft: impl IntoIterator<Item = f32>) -> Vec<Subframe> {
    let mut decoder = Decoder::new(sat, message).unwrap();
    (0..).zip(soft).filter_map(|(tag, soft)| decoder.push(soft, tag)).collect()
}

fn level(bit: u8) -> f32 {
    1.0 - 2.0 * f32::from(bit)
}

fn assemble(message: NavMessage, sat: Sat, frames: &[Subframe]) -> NavData {
    let mut nav = NavData::default();
    let mut assembler = Assembler::new(sat, message);
    for frame in frames {
        assembler.push(frame, None).iter().for_each(|event| event.store(&mut nav));
    }
    assert_eq!(assembler.progress(), "");
    nav
}

/// An ephemeris whose elements are `x` (each -1 to 1) of what the fields hold.
fn ephemeris(sat: Sat, toe: GnssTime, x: &[f64; 24]) -> KeplerEphemeris {
    let reference = if x[20] > 0.0 { 27_906_100.0 } else { 42_162_200.0 };
    let delay = |x: f64| Some(1.1e-7 * x);
    KeplerEphemeris {
        message: NavMessage::Cnav1,
        clock: [9e-4 * x[0], 1.8e-9 * x[1], 1e-17 * x[2]],
        a: reference + 65_000.0 * x[3],
        a_dot: 7.9 * x[19],
        e: 0.249 * (1.0 + x[4]),
        i0: PI * x[5],
        i_dot: 2.9e-9 * x[6],
        omega_dot: 4.6e-8 * x[8],
        delta_n: 1.1e-8 * x[11],
        delta_n_dot: 9e-11 * x[18],
        cuc: 9.7e-4 * x[12],
        cus: 9.7e-4 * x[13],
        crc: 32_000.0 * x[14],
        crs: 32_000.0 * x[15],
        cic: 3e-5 * x[16],
        cis: 3e-5 * x[17],
        delays: GroupDelays {
            tgd_b1cp: delay(x[20]),
            tgd_b2ap: delay(x[21]),
            isc_b1cd: delay(x[22]),
            isc_b2ad: delay(x[23]),
            tgd_b2bi: delay(x[0]),
            ..GroupDelays::default()
        },
        iode: 0x5a,
        iodc: 0x25a,
        ura_m: None,
        omega0: PI * x[7],
        omega: PI * x[9],
        m0: PI * x[10],
        ..common::plain(sat, NavMessage::Cnav1, toe)
    }
}

/// Name, step and difference of every field.
fn differences(a: &KeplerEphemeris, b: &KeplerEphemeris) -> Vec<(&'static str, f64, f64)> {
    let turn = |x: f64| x - (x / (2.0 * PI)).round() * 2.0 * PI;
    vec![
        ("a0", p(-34), a.clock[0] - b.clock[0]),
        ("a1", p(-50), a.clock[1] - b.clock[1]),
        ("a2", p(-66), a.clock[2] - b.clock[2]),
        ("deltaA", p(-9), a.a - b.a),
        ("Adot", p(-21), a.a_dot - b.a_dot),
        ("e", p(-34), a.e - b.e),
        ("i0", p(-32) * PI, turn(a.i0 - b.i0)),
        ("i0dot", p(-44) * PI, a.i_dot - b.i_dot),
        ("OMEGA0", p(-32) * PI, turn(a.omega0 - b.omega0)),
        ("OMEGAdot", p(-44) * PI, a.omega_dot - b.omega_dot),
        ("omega", p(-32) * PI, turn(a.omega - b.omega)),
        ("M0", p(-32) * PI, turn(a.m0 - b.m0)),
        ("deltan0", p(-44) * PI, a.delta_n - b.delta_n),
        ("deltan0dot", p(-57) * PI, a.delta_n_dot - b.delta_n_dot),
        ("Cuc", p(-30), a.cuc - b.cuc),
        ("Cus", p(-30), a.cus - b.cus),
        ("Crc", p(-8), a.crc - b.crc),
        ("Crs", p(-8), a.crs - b.crs),
        ("Cic", p(-30), a.cic - b.cic),
        ("Cis", p(-30), a.cis - b.cis),
        ("toe", 0.0, a.toe - b.toe),
        ("toc", 0.0, a.toc - b.toc),
        ("health", 0.0, f64::from(a.health) - f64::from(b.health)),
    ]
}

fn delays(message: NavMessage, d: &GroupDelays) -> Vec<Option<f64>> {
    match message {
        NavMessage::Cnav1 => vec![d.tgd_b2ap, d.isc_b1cd, d.tgd_b1cp],
        NavMessage::Cnav2 => vec![d.tgd_b2ap, d.isc_b2ad, d.tgd_b1cp],
        _ => vec![d.tgd_b2bi],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_field_of_the_ephemeris_comes_back(
        x in prop::array::uniform24(-1.0..1.0f64),
        week in 700i64..1600,
        hour in 0i64..168,
        inverted: bool,
        garbage in prop::collection::vec(0u8..2, 0..200),
    ) {
        let sat = Sat::bds(24);
        let toe = GnssTime::from_bdt(week, hour as f64 * 3600.0);
        let sent = ephemeris(sat, toe, &x);
        let mut nav = NavData::default();
        prop_assert!(nav.insert(sent.clone().into()));
        for (message, cycle) in MESSAGES.into_iter().zip(CYCLES) {
            let sign = if inverted { -20.0 } else { 20.0 };
            let bits = garbage.iter().copied().chain(symbols(message, sat, &nav, toe + 144.0, cycle));
            let got = assemble(message, sat, &decode(message, sat, bits.map(|bit| sign * level(bit))));
            let last = got.ephemerides_of(sat).last().unwrap().kepler().unwrap();
            for (name, step, difference) in differences(&sent, last) {
                prop_assert!(
                    difference.abs() <= 0.5 * step * (1.0 + 1e-5) + 1e-21,
                    "{:?} {}: off by {} with a step of {}", message, name, difference, step
                );
            }
            for (want, have) in delays(message, &sent.delays).into_iter().zip(delays(message, &last.delays)) {
                prop_assert!((want.unwrap() - have.unwrap()).abs() <= 0.5001 * p(-34), "{:?}", message);
            }
            if message != NavMessage::Cnav3 {
                prop_assert_eq!((last.iode, last.iodc), (sent.iode, sent.iodc));
            }
        }
    }

    #[test]
    fn any_symbols_and_any_messages_are_survived(seed: u64, scale in -3..3i32, prn in 0u8..=255) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let all = [
            NavMessage::Cnav1, NavMessage::Cnav2, NavMessage::Cnav3, NavMessage::PppB2b, NavMessage::Sbas,
            NavMessage::SbasDfmc,
        ];
        let sat = Sat::bds(prn);
        for message in all {
            let mut decoder = Decoder::new(sat, message).unwrap();
            for n in 0..2500 {
                let special = [0.0, f32::NAN, f32::INFINITY, 1e30, -1e-30];
                let noise: f32 = StandardNormal.sample(&mut rng);
                let soft = special.get(n as usize % 97).copied().unwrap_or(noise * 10f32.powi(scale));
                prop_assert_eq!(decoder.push(soft, n), None);
            }
            prop_assert!(!decoder.synchronised());
            decoder.reset();
            // A message of any content, as if its CRC were right.
            let mut assembler = Assembler::new(sat, message);
            for id in [1, 2, 3, 4, 10, 11, 30, 31, 32, 33, 34, 40, 63, 255] {
                let mut words: Vec<u32> = (0..29).map(|_| rng.next_u32() & 0x3fff_ffff).collect();
                words[0] = words[0] & 0xff_ffff | u32::from(id & 63) << 24;
                let subframe = Subframe {
                    sat, message, tag: 0, inverted: false, corrected_bits: 0,
                    tow_s: Some(f64::from(rng.next_u32() % 604_800)),
                    id, page: Some(id), words, good_words: 0x1fff_ffff,
                };
                let mut nav = NavData::default();
                assembler.push(&subframe, None).iter().for_each(|event| event.store(&mut nav));
                let mut corrections = megrez_nav::ppp_b2b::Corrections::new();
                if let Some(message) = megrez_nav::ppp_b2b::Message::read(&subframe) {
                    corrections.push(&message, GnssTime::from_bdt(1000, 0.0));
                }
            }
        }
    }
}

#[test]
fn everything_else_comes_back() {
    let toe = GnssTime::from_bdt(944, 7200.0);
    let sat = Sat::bds(24);
    let mut nav = NavData::default();
    nav.insert(common::plain(sat, NavMessage::Cnav1, toe).into());
    let step = |k: f64, n: i32| k * p(n);
    nav.bdgim = Some(Bdgim { alpha: [27.125, -3.5, 8.0, 4.25, -9.75, 1.5, -0.125, 3.0, -15.5] });
    nav.earth_orientation = Some(EarthOrientation {
        reference: GnssTime::from_bdt(944, 3600.0),
        pole_x: [step(123_456.0, -20), step(-55.0, -21)],
        pole_y: [step(-654_321.0, -20), step(77.0, -21)],
        dut1: [step(-5_000_000.0, -24), step(9_999.0, -25)],
    });
    nav.bds_utc = Some(UtcParams {
        scale: TimeScale::Bdt,
        a0: step(-213.0, -35),
        a1: step(17.0, -51),
        a2: step(-9.0, -68),
        tot: GnssTime::from_bdt(944, 3600.0),
        leap_s: 4,
        wn_lsf: 573,
        dn: 6,
        leap_future_s: 4,
    });
    let offset = |to, k: f64| TimeOffset {
        from: TimeScale::Bdt,
        to,
        a0: step(k, -35),
        a1: step(-k, -51),
        a2: step(3.0, -68),
        reference: GnssTime::from_bdt(944, 7184.0),
    };
    nav.offsets =
        vec![offset(TimeScale::Gpst, 99.0), offset(TimeScale::Gst, -7.0), offset(TimeScale::Utc, 1234.0)];
    let flags = |dif, sif, aif| Some(SignalFlags { dif, sif, aif });
    let integrity = Integrity {
        health: Some(0),
        b1c: flags(false, false, true),
        b2a: flags(false, true, false),
        b2b: flags(true, false, false),
        sismai: Some(11),
        orbit_accuracy: Some(-7),
        clock_accuracy: Some(ClockAccuracy {
            top: GnssTime::from_bdt(944, 6900.0),
            bias: -16,
            drift: 5,
            drift_rate: 2,
        }),
    };
    nav.integrity.insert(sat, integrity);
    for (message, cycle) in MESSAGES.into_iter().zip(CYCLES) {
        let bits = symbols(message, sat, &nav, toe, 4 * cycle);
        let got = assemble(message, sat, &decode(message, sat, bits.into_iter().map(level)));
        assert_eq!(got.bdgim, nav.bdgim, "{message:?}");
        assert_eq!(got.earth_orientation, nav.earth_orientation, "{message:?}");
        assert_eq!(got.bds_utc, nav.bds_utc, "{message:?}");
        let mut offsets = got.offsets.clone();
        offsets.sort_by_key(|offset| nav.offsets.iter().position(|o| o.to == offset.to));
        assert_eq!(offsets, nav.offsets, "{message:?}");
        let (b1c, b2a, b2b) = (integrity.b1c, integrity.b2a, integrity.b2b);
        let expected = match message {
            NavMessage::Cnav1 => Integrity { b1c, b2a: None, b2b: None, ..integrity },
            NavMessage::Cnav2 => Integrity { b1c, b2a, b2b: None, ..integrity },
            _ => Integrity { b1c: None, b2a: None, b2b, ..integrity },
        };
        assert_eq!(got.integrity[&sat], expected, "{message:?}");
    }
    // A satellite that calls itself unhealthy is not used.
    nav.integrity.insert(sat, Integrity { health: Some(1), ..integrity });
    assert_eq!(nav.ephemeris(sat, toe), None);
}

#[test]
fn almanacs_come_back() {
    let toe = GnssTime::from_bdt(944, 7200.0);
    let mut sent = nav_data(toe - 14.0);
    let sat = Sat::bds(24);
    sent.insert(common::plain(sat, NavMessage::Cnav1, toe).into());
    let all: Vec<Sat> =
        sent.sats().filter(|sat| sat.is_bds_geo() || sat.to_string().starts_with('C')).collect();
    for (message, cycle) in MESSAGES.into_iter().zip(CYCLES) {
        let (mut midi, mut reduced) = (NavData::default(), NavData::default());
        let mut assembler = Assembler::new(sat, message);
        let mut decoder = Decoder::new(sat, message).unwrap();
        for n in 0..44 * cycle {
            let start = toe + n as f64 * subframe_duration_s(message);
            for bit in encode_subframe(message, sat, &sent, start).unwrap() {
                let Some(frame) = decoder.push(level(bit), 0) else { continue };
                for event in assembler.push(&frame, None) {
                    match event {
                        megrez_nav::NavEvent::MidiAlmanac(_) => event.store(&mut midi),
                        megrez_nav::NavEvent::ReducedAlmanac(_) => event.store(&mut reduced),
                        _ => {}
                    }
                }
            }
        }
        for (kind, got, limit_m) in [("midi", &midi, 15_000.0), ("reduced", &reduced, 2_000_000.0)] {
            let found: Vec<Sat> = got.almanacs.keys().copied().collect();
            assert_eq!(found, all, "{message:?} {kind}");
            // Half a step of an angle is 1.3 km (midi) and 700 km (reduced), of two angles. The orbits of the made-up
            // GEO satellites are inclined, which a reduced almanac does not say.
            for almanac in got.almanacs.values().filter(|a| kind == "midi" || !a.sat.is_bds_geo()) {
                let eph = sent.ephemerides_of(almanac.sat)[0].kepler().unwrap();
                let (p, q) = (eph.state(toe).position, almanac.state(toe).position);
                assert!(p.distance(q) < limit_m, "{message:?} {kind} {}: {} m", almanac.sat, p.distance(q));
            }
        }
    }
}

#[test]
fn the_first_ephemeris_of_b_cnav1_takes_18_s_from_anywhere() {
    let toe = GnssTime::from_bdt(944, 7200.0);
    let sat = Sat::bds(24);
    let mut nav = NavData::default();
    nav.insert(common::plain(sat, NavMessage::Cnav1, toe).into());
    // In the middle of an hour, and across its end, where subframe 2 changes and a whole frame is needed.
    for (before_s, limit) in [(-18.0, 1872), (18.0, 3600)] {
        let start = toe - before_s;
        let bits = symbols(NavMessage::Cnav1, sat, &nav, start, 4);
        for from in (0..1800).step_by(163) {
            let mut decoder = Decoder::new(sat, NavMessage::Cnav1).unwrap();
            let mut frames =
                (0u64..).zip((from..).zip(&bits[from..]).map(|(n, &bit)| decoder.push(level(bit), n as u64)));
            let (last, first) = frames.find_map(|(n, frame)| Some((n, frame?))).unwrap();
            assert!(last < limit, "{from}: after {last} symbols");
            assert!(first.word_good(1) && first.usable());
            let stands = |frame: &Subframe| Some(start.bdt().1 + frame.tag as f64 / 100.0);
            assert_eq!(first.tow_s, stands(&first), "{from}");
            let nav = assemble(NavMessage::Cnav1, sat, &[first]);
            assert_eq!(nav.ephemerides_of(sat).len(), 1);
            // And whole frames follow.
            let whole: Vec<Subframe> =
                frames.filter_map(|(_, frame)| frame.filter(Subframe::complete)).collect();
            assert!(!whole.is_empty() && whole.iter().all(|frame| frame.tow_s == stands(frame)), "{from}");
        }
    }
}

#[test]
fn noise() {
    let toe = GnssTime::from_bdt(944, 7200.0);
    let sat = Sat::bds(24);
    let mut nav = NavData::default();
    nav.insert(common::plain(sat, NavMessage::Cnav1, toe).into());
    // The code fails at 1 dB. One frame in twenty may be lost to its head.
    for (ebn0_db, least) in [(3.0f32, 0.99), (2.0, 0.95)] {
        let sigma = 10f32.powf(-ebn0_db / 20.0);
        for (message, count) in MESSAGES.into_iter().zip([40, 120, 120]) {
            let clean = symbols(message, sat, &nav, toe, count);
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let soft = clean.iter().map(|&bit| {
                let noise: f32 = StandardNormal.sample(&mut rng);
                500.0 * (-level(bit) + sigma * noise)
            });
            let got = decode(message, sat, soft);
            let length = clean.len() / count;
            let mut frames = 0;
            for subframe in &got {
                assert!(subframe.inverted && (subframe.tag as usize).is_multiple_of(length), "{message:?}");
                let number = subframe.tag as usize / length;
                let start = number as f64 * subframe_duration_s(message);
                assert_eq!(subframe.tow_s, Some(7200.0 + start), "{message:?}");
                let sent = clean[number * length..][..length].iter().map(|&bit| level(bit));
                let truth = decode(message, sat, sent).pop().unwrap();
                for word in (1..=truth.words.len()).filter(|&word| subframe.word_good(word)) {
                    assert_eq!(subframe.words[word - 1], truth.words[word - 1], "{message:?}");
                }
                frames += usize::from(subframe.complete());
            }
            let share = frames as f32 / count as f32;
            assert!(share >= least, "{message:?} at {ebn0_db} dB: {share}");
        }
    }
}

#[test]
fn reasons_for_refusal() {
    let toe = GnssTime::from_bdt(944, 7200.0);
    let sat = Sat::bds(24);
    let error = |message, sat, nav: &NavData, t| encode_subframe(message, sat, nav, t).unwrap_err();
    let mut nav = NavData::default();
    let none = EncodeError::NoEphemeris { sat, message: NavMessage::Cnav1 };
    assert_eq!(error(NavMessage::Cnav1, sat, &nav, toe), none);
    let mut odd = common::plain(sat, NavMessage::Cnav1, toe);
    odd.toe = toe + 8.0;
    nav.insert(odd.into());
    let text = |message, t| error(message, sat, &nav, t).to_string();
    assert_eq!(text(NavMessage::Cnav1, toe), "7208 does not fit the field toe");
    assert_eq!(text(NavMessage::Cnav1, toe + 1.0), "no Cnav1 subframe starts at 7201 s of week");
    assert_eq!(text(NavMessage::Lnav, toe), "C24 sends no Lnav that can be encoded");
    let gps = EncodeError::Message { sat: Sat::gps(5), message: NavMessage::Cnav2 };
    assert_eq!(error(NavMessage::Cnav2, Sat::gps(5), &nav, toe), gps);
}

#[test]
fn null_messages_come_back() {
    let start = GnssTime::from_bdt(944, 604_797.0);
    let cases = [
        (NavMessage::PppB2b, Sat::bds(60), 10),
        (NavMessage::Sbas, Sat { constellation: Constellation::Sbas, prn: 130 }, 9),
        (NavMessage::SbasDfmc, Sat { constellation: Constellation::Sbas, prn: 144 }, 8),
    ];
    for (message, sat, least) in cases {
        let bits = symbols(message, sat, &NavData::default(), start, 10);
        for sign in [1.0, -3.0] {
            let got = decode(message, sat, bits.iter().map(|&bit| sign * level(bit)));
            // The decoder of SBAS lags by some bits, and on L5 asks for a message before the first.
            assert_eq!(got.len(), least, "{message:?}");
            assert!(got.iter().all(|s| s.id == 63 && s.tow_s.is_none() && s.inverted == (sign < 0.0)));
        }
    }
}
