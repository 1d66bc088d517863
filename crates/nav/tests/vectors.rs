//! Subframes that satellites sent, against values that other decoders found in them.
//!
//! The vectors stand beside the project, in `../shared/icd/vectors` (see the sources named in each file): D1 and
//! D2 from the tests of gnsstk, LNAV from a log with the RINEX record of the same ephemeris.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::f64::consts::PI;
use std::path::Path;

use megrez_nav::{Assembler, Decoder, NavEvent, Subframe};
use megrez_orbit::{Ephemeris, GnssTime, Iono, KeplerEphemeris, NavData};
use megrez_signal::{NavMessage, Sat};
use serde_json::Value;

fn vectors(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/icd/vectors").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn words(value: &Value) -> [u32; 10] {
    let list: Vec<u32> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|w| u32::from_str_radix(w.as_str().unwrap(), 16).unwrap())
        .collect();
    list.try_into().unwrap()
}

fn only_ephemeris(events: &[NavEvent]) -> KeplerEphemeris {
    let found: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            NavEvent::Ephemeris(Ephemeris::Kepler(eph)) => Some(eph.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(found.len(), 1);
    found[0].clone()
}

/// Compares with the values of a vector, whose angles are semicircles. Returns how many were compared.
fn compare(name: &str, expected: &Value, tolerance: f64, eph: &KeplerEphemeris, iono: Option<Iono>) -> usize {
    let Some(Iono::BdsKlobuchar(iono)) = iono else { panic!("{name}: no ionosphere") };
    let mut compared = 0;
    for (key, value) in expected.as_object().unwrap() {
        let got = match key.as_str() {
            "Cus" => eph.cus,
            "Cuc" => eph.cuc,
            "Crc" => eph.crc,
            "Crs" => eph.crs,
            "Cic" => eph.cic,
            "Cis" => eph.cis,
            "M0" => eph.m0 / PI,
            "deltan" => eph.delta_n / PI,
            "e" => eph.e,
            "sqrtA" => eph.a.sqrt(),
            "OMEGA0" => eph.omega0 / PI,
            "i0" => eph.i0 / PI,
            "omega" => eph.omega / PI,
            "OMEGAdot" => eph.omega_dot / PI,
            "IDOT" => eph.i_dot / PI,
            "a0" => eph.clock[0],
            "a1" => eph.clock[1],
            "a2" => eph.clock[2],
            "AODC" => f64::from(eph.iodc),
            "AODE" => f64::from(eph.iode),
            "URAI" => {
                // Index 0 is 2 m.
                assert_eq!(value, 0);
                eph.ura_m.unwrap() - 2.0
            }
            "SatH1" => f64::from(eph.health),
            "TGD1" => eph.delays.tgd1.unwrap(),
            "TGD2" => eph.delays.tgd2.unwrap(),
            "WN" => eph.transmit.unwrap().bdt().0 as f64,
            "toe" => eph.toe.bdt().1,
            "toc" => eph.toc.bdt().1,
            other => {
                let index: usize = other[other.len() - 1..].parse().unwrap();
                if other.starts_with("alpha") { iono.alpha[index] } else { iono.beta[index] }
            }
        };
        let want = value.as_f64().unwrap();
        assert!((got - want).abs() <= tolerance * want.abs(), "{name} {key}: {got} instead of {want}");
        compared += 1;
    }
    compared
}

fn iono_of(events: &[NavEvent]) -> Option<Iono> {
    events.iter().find_map(|event| match event {
        NavEvent::Iono(_, iono) => Some(*iono),
        _ => None,
    })
}

#[test]
fn d1_ephemerides_in_every_order() {
    let Some(v) = vectors("bds_d1.json") else { return };
    let mut compared = 0;
    for case in v["ephemeris"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let sat = Sat::bds(case["prn"].as_u64().unwrap() as u8);
        let subframes = [1, 2, 3].map(|n| {
            let words = words(&case[format!("subframe{n}")]);
            Subframe::from_words(sat, NavMessage::D1, n, words)
                .unwrap_or_else(|| panic!("{name} subframe {n}"))
        });
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
            let mut assembler = Assembler::new(sat, NavMessage::D1);
            assert_eq!(assembler.progress(), "subframes 1, 2 and 3");
            let events: Vec<_> =
                order.iter().flat_map(|&n: &usize| assembler.push(&subframes[n], None)).collect();
            assert_eq!(assembler.progress(), "");
            let eph = only_ephemeris(&events);
            compared +=
                compare(name, &case["expected"], case["rel_tol"].as_f64().unwrap(), &eph, iono_of(&events));
        }
    }
    assert_eq!(compared, 4 * 58);
}

#[test]
fn d2_ephemeris() {
    let Some(v) = vectors("bds_d2.json") else { return };
    let case = &v["ephemeris"][0];
    let sat = Sat::bds(1);
    let mut assembler = Assembler::new(sat, NavMessage::D2);
    let mut events = Vec::new();
    for page in (1..=10u8).rev() {
        let subframe =
            Subframe::from_words(sat, NavMessage::D2, 0, words(&case["pages"][page.to_string()])).unwrap();
        assert_eq!((subframe.id, subframe.page), (1, Some(page)));
        assert_eq!(subframe.tow_s, Some(345_600.0 + 3.0 * f64::from(page - 1)));
        if page == 2 {
            assert_eq!(assembler.progress(), "pages 1 and 2");
        }
        events.extend(assembler.push(&subframe, None));
    }
    let eph = only_ephemeris(&events);
    let compared =
        compare("D2", &case["expected"], case["rel_tol"].as_f64().unwrap(), &eph, iono_of(&events));
    assert_eq!(compared, 29);
}

#[test]
fn d1_almanacs_and_pages() {
    let Some(v) = vectors("bds_d1.json") else { return };
    let sat = Sat::bds(6);
    let near = Some(GnssTime::from_bdt(810, 345_600.0));
    let page = |name: &str| {
        Subframe::from_words(sat, NavMessage::D1, 0, words(&v["other_subframes"][name]["words"])).unwrap()
    };
    // Page 24 of subframe 4 announces expanded almanacs; without it page 12 of subframe 5 is not taken for one.
    let mut assembler = Assembler::new(sat, NavMessage::D1);
    assert_eq!(assembler.push(&page("almD1NAVSF5p12B"), near), []);
    let names = ["4p24B2", "5p12B", "5p1", "5p7", "5p8", "5p10"].map(|n| format!("almD1NAVSF{n}"));
    let events: Vec<_> = names.iter().flat_map(|name| assembler.push(&page(name), near)).collect();
    let mut nav = NavData::default();
    events.iter().for_each(|event| event.store(&mut nav));
    for (case, prn) in v["almanac"].as_array().unwrap().iter().zip([32, 25]) {
        let name = case["name"].as_str().unwrap();
        let almanac = nav.almanacs.get(&Sat::bds(prn)).unwrap_or_else(|| panic!("{name}"));
        for (key, value) in case["expected"].as_object().unwrap() {
            let got = match key.as_str() {
                "M0" => almanac.m0 / PI,
                "e" => almanac.e,
                "sqrtA" => almanac.a.sqrt(),
                "OMEGA0" => almanac.omega0 / PI,
                "omega" => almanac.omega / PI,
                "OMEGAdot" => almanac.omega_dot / PI,
                "a0" => almanac.clock[0],
                "a1" => almanac.clock[1],
                "deltai" => almanac.i0 / PI - 0.3,
                "toa" => almanac.toa.bdt().1,
                other => panic!("{other}"),
            };
            let want = value.as_f64().unwrap();
            assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-6), "{name} {key}: {got} {want}");
        }
    }
    let utc = nav.bds_utc.unwrap();
    assert_eq!((utc.leap_s, utc.leap_future_s, utc.dn), (4, 4, 6));
    assert!((utc.a0 + 6.519_258e-9).abs() < 1e-14 && utc.a1 == 0.0);
    let health: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            NavEvent::Health(list) => Some(list.len()),
            _ => None,
        })
        .collect();
    assert_eq!(health, [19, 11]);
}

#[test]
fn transmitted_bits_of_both_polarities() {
    let Some(v) = vectors("bds_d1.json") else { return };
    for case in v["raw_interleaved"].as_array().unwrap() {
        let inverted = case["inverted"].as_bool().unwrap();
        let decode = |words: [u32; 10]| {
            let mut decoder = Decoder::new(Sat::bds(12), NavMessage::D1).unwrap();
            let bits = words.into_iter().flat_map(|w| (0..30).rev().map(move |b| w >> b & 1));
            let found: Vec<_> =
                (0..).zip(bits).filter_map(|(tag, bit)| decoder.push(1.0 - 2.0 * bit as f32, tag)).collect();
            found
        };
        let mut words = words(&case["words"]);
        if !inverted {
            // This one came with a wrong bit in the preamble, with which no search begins.
            assert_eq!((words[0] >> 19) ^ 0b111_0001_0010, 1 << 9);
            assert_eq!(decode(words), []);
            words[0] ^= 1 << 28;
        }
        let found = decode(words);
        // Delivered with its last symbol, no second preamble needed.
        assert_eq!(found.len(), 1, "{}", case["name"]);
        assert_eq!((found[0].inverted, found[0].tag, found[0].corrected_bits), (inverted, 0, 0));
        assert!(found[0].complete());
    }
}

#[test]
fn lnav_ephemeris_equals_the_rinex_record() {
    let Some(v) = vectors("gps_galileo_frames.json") else { return };
    let lnav = &v["lnav"];
    let sat = Sat::gps(lnav["prn"].as_u64().unwrap() as u8);
    let mut decoder = Decoder::new(sat, NavMessage::Lnav).unwrap();
    let mut assembler = Assembler::new(sat, NavMessage::Lnav);
    let mut events = Vec::new();
    let mut subframes = 0;
    for id in 1..=5u8 {
        // Here the bits as sent, and with the opposite sign.
        for word in words(&lnav["words_30bit_hex"][id.to_string()]) {
            for bit in (0..30).rev() {
                if let Some(subframe) = decoder.push(2.0 * (word >> bit & 1) as f32 - 1.0, 0) {
                    assert!(subframe.inverted && subframe.complete());
                    assert_eq!(subframe.id, id);
                    subframes += 1;
                    events.extend(assembler.push(&subframe, None));
                }
            }
        }
    }
    assert_eq!(subframes, 5);
    let eph = only_ephemeris(&events);
    let values: Vec<f64> =
        lnav["rinex"]["values"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(0.0)).collect();
    let got = [
        eph.clock[0],
        eph.clock[1],
        eph.clock[2],
        f64::from(eph.iode),
        eph.crs,
        eph.delta_n,
        eph.m0,
        eph.cuc,
        eph.e,
        eph.cus,
        eph.a.sqrt(),
        eph.toe.gpst().1,
        eph.cic,
        eph.omega0,
        eph.cis,
        eph.i0,
        eph.crc,
        eph.omega,
        eph.omega_dot,
        eph.i_dot,
        1.0,
        eph.toe.gpst().0 as f64,
        0.0,
        eph.ura_m.unwrap(),
        f64::from(eph.health),
        eph.delays.tgd.unwrap(),
        f64::from(eph.iodc),
    ];
    for (n, (got, want)) in got.iter().zip(&values).enumerate() {
        assert!((got - want).abs() <= 1e-12 * want.abs(), "value {n}: {got} instead of {want}");
    }
}
