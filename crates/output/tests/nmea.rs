//! NMEA sentences against ones written out by hand, and re-read by an independent parser.
//!
//! The checksums of the expected sentences were computed by a separate program.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod common;

use common::{noon, observations, sat_use, solution};
use megrez_orbit::{Ecef, Geodetic, GnssTime};
use megrez_output::{BeidouTalker, NmeaEpoch, NmeaOptions, NmeaWriter, SolutionSink};
use megrez_pvt::{FixMode, Solution};
use megrez_signal::{Constellation, SignalId};
use nmea::ParseResult;
use proptest::prelude::*;

fn sentences(epoch: &NmeaEpoch<'_>, beidou: BeidouTalker) -> Vec<String> {
    let mut text = Vec::new();
    let mut writer = NmeaWriter::new(&mut text, NmeaOptions { beidou });
    writer.epoch(epoch).unwrap();
    writer.finish().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.ends_with("\r\n"));
    text.split_terminator("\r\n").map(str::to_string).collect()
}

fn of(solution: &Solution) -> Vec<String> {
    sentences(&NmeaEpoch { solution: Some(solution), ..NmeaEpoch::default() }, BeidouTalker::Gb)
}

#[test]
fn a_fix_of_two_systems() {
    let (solution, observations) = (solution(), observations());
    let epoch =
        NmeaEpoch { solution: Some(&solution), observations: Some(&observations), ..NmeaEpoch::default() };
    assert_eq!(
        sentences(&epoch, BeidouTalker::Gb),
        [
            "$GNGGA,120000.00,4000.000000,N,11615.000000,E,1,05,0.90,50.00,M,0.0,M,,*7E",
            "$GNRMC,120000.00,A,4000.000000,N,11615.000000,E,19.44,90.00,241126,,,A,V*3C",
            "$GNVTG,90.00,T,,M,19.44,N,36.00,K,A*17",
            "$GNGSA,A,3,06,26,59,,,,,,,,,,1.80,0.90,1.56,4*08",
            "$GNGSA,A,3,05,13,,,,,,,,,,,1.80,0.90,1.56,1*04",
            "$GBGSV,1,1,04,06,30,045,42,11,05,200,33,26,60,180,45,59,90,000,39,1*72",
            "$GBGSV,1,1,01,26,60,180,44,3*4E",
            "$GPGSV,1,1,03,05,45,270,40,13,10,359,36,20,,,31,1*6B",
            "$GNZDA,120000.00,24,11,2026,00,00*7B",
        ]
    );
}

#[test]
fn beidou_alone_for_old_equipment() {
    let mut solution = solution();
    solution.sats.retain(|s| s.code == SignalId::B1I.into() && s.used);
    let epoch = NmeaEpoch { solution: Some(&solution), ..NmeaEpoch::default() };
    let old = sentences(&epoch, BeidouTalker::Bd);
    assert_eq!(old[0], "$BDGGA,120000.00,4000.000000,N,11615.000000,E,1,03,0.90,50.00,M,0.0,M,,*77");
    assert_eq!(old[3], "$BDGSA,A,3,06,26,59,,,,,,,,,,1.80,0.90,1.56*1F");
    assert_eq!(old[4], "$BDGSV,1,1,03,06,30,045,42,26,60,180,45,59,90,000,39*5C");
    let new = sentences(&epoch, "gb".parse().unwrap());
    assert!(new.iter().all(|s| s.starts_with("$GB")), "{new:?}");
    assert_eq!(
        "XY".parse::<BeidouTalker>().unwrap_err().to_string(),
        "cannot express a record as NMEA: \"XY\" is no talker of BeiDou (GB or BD)"
    );
}

#[test]
fn talkers_of_old_equipment_tell_systems_apart() {
    let solution = solution();
    let epoch = NmeaEpoch { solution: Some(&solution), ..NmeaEpoch::default() };
    let old = sentences(&epoch, BeidouTalker::Bd);
    let kinds: Vec<&str> = old.iter().map(|s| &s[..6]).collect();
    assert_eq!(
        kinds,
        ["$GNGGA", "$GNRMC", "$GNVTG", "$BDGSA", "$GPGSA", "$BDGSV", "$BDGSV", "$GPGSV", "$GNZDA"]
    );
}

#[test]
fn relative_positions_say_so() {
    let mut relative = solution();
    relative.dop = megrez_pvt::Dop::default();
    for (mode, quality, indicator) in
        [(FixMode::Fixed, "4", 'R'), (FixMode::Float, "5", 'F'), (FixMode::Filtered, "1", 'A')]
    {
        relative.mode = mode;
        let epoch = NmeaEpoch { solution: Some(&relative), ..NmeaEpoch::default() };
        let lines = sentences(&epoch, BeidouTalker::Gb);
        let fields: Vec<&str> = lines[0].split(',').collect();
        // Quality; the dilution of precision is unknown.
        assert_eq!((fields[6], fields[8]), (quality, ""), "{lines:?}");
        assert!(lines[1].contains(&format!(",{indicator},V*")), "{lines:?}");
        assert!(lines[2].contains(&format!(",K,{indicator}*")), "{lines:?}");
        let gsa = lines.iter().find(|s| s.contains("GSA")).unwrap();
        assert!(gsa.contains(",,,,,4*") || gsa.contains(",,,,,1*"), "{gsa}");
    }
}

#[test]
fn no_fix() {
    let time = GnssTime::from_gpst(2394, 2.0 * 86_400.0 + 18.0);
    assert_eq!(
        sentences(&NmeaEpoch { time: Some(time), ..NmeaEpoch::default() }, BeidouTalker::Gb),
        [
            "$GNGGA,000000.00,,,,,0,00,,,M,,M,,*56",
            "$GNRMC,000000.00,V,,,,,,,251125,,,N,V*19",
            "$GNVTG,,T,,M,,N,,K,N*32",
            "$GNGSA,A,1,,,,,,,,,,,,,,,,*2C",
            "$GNZDA,000000.00,25,11,2025,00,00*7A",
        ]
    );
    // Nothing known at all.
    let nothing = sentences(&NmeaEpoch::default(), BeidouTalker::Gb);
    assert_eq!(nothing[1], "$GNRMC,,V,,,,,,,,,,N,V*37");
    assert_eq!(nothing.len(), 4);
    // Satellites in view without a position.
    let observations = observations();
    let seen =
        sentences(&NmeaEpoch { observations: Some(&observations), ..NmeaEpoch::default() }, BeidouTalker::Gb);
    assert!(seen[0].starts_with("$GPGGA,,,,,,0,00,"), "{seen:?}");
    assert!(seen[3].starts_with("$GPGSA,A,1,,"), "{seen:?}");
    assert!(seen[4].starts_with("$GPGSV,1,1,02,05,,,40,20,,,31,1*"), "{seen:?}");
}

#[test]
fn times_and_minutes_round_up_whole() {
    let mut s = solution();
    s.time = noon() + 59.997;
    assert!(of(&s)[0].starts_with("$GNGGA,120100.00,"));
    s.time = noon() + -1e-9;
    assert!(of(&s)[0].starts_with("$GNGGA,120000.00,"));
    let place = Geodetic { lat_deg: -9.999_999_999_9, lon_deg: -0.5, height_m: -20.0 };
    s.position = place.to_ecef();
    assert!(of(&s)[0].contains(",1000.000000,S,00030.000000,W,1,05,0.90,-20.00,M,"), "{}", of(&s)[0]);
}

#[test]
fn standing_still_has_no_course() {
    let mut s = solution();
    s.velocity = Some(Ecef { x: 0.01, y: 0.0, z: 0.0 });
    assert!(of(&s)[2].starts_with("$GNVTG,,T,,M,0.0"), "{}", of(&s)[2]);
    s.velocity = None;
    assert!(of(&s)[2].starts_with("$GNVTG,,T,,M,,N,,K,A*"), "{}", of(&s)[2]);
}

/// Fourteen satellites of one system.
fn crowded() -> Solution {
    let mut s = solution();
    s.sats = (1..=14)
        .map(|prn| {
            sat_use(
                &format!("C{:02}", 18 + prn),
                SignalId::B1I,
                5.0 * f64::from(prn),
                20.0 * f64::from(prn),
                40.0,
                true,
            )
        })
        .collect();
    s
}

#[test]
fn many_satellites_take_several_sentences() {
    let text = of(&crowded());
    let gsa: Vec<&String> = text.iter().filter(|s| s.contains("GSA")).collect();
    assert_eq!(gsa.len(), 2);
    assert!(gsa[0].contains(",19,20,21,22,23,24,25,26,27,28,29,30,1.80,"), "{}", gsa[0]);
    assert!(gsa[1].contains(",31,32,,,,,,,,,,,1.80,"), "{}", gsa[1]);
    let gsv: Vec<&String> = text.iter().filter(|s| s.contains("GSV")).collect();
    assert_eq!(gsv.len(), 4);
    assert!(gsv[3].starts_with("$GBGSV,4,4,14,31,"), "{}", gsv[3]);
}

/// The receiver's parser, fed with everything, must see what was written.
#[test]
fn an_independent_parser_agrees() {
    let (solution, observations) = (solution(), observations());
    let epoch =
        NmeaEpoch { solution: Some(&solution), observations: Some(&observations), ..NmeaEpoch::default() };
    let mut seen = Vec::new();
    for sentence in sentences(&epoch, BeidouTalker::Gb) {
        match nmea::parse_str(&sentence).unwrap() {
            ParseResult::GGA(d) => {
                assert_eq!((d.latitude, d.longitude), (Some(40.0), Some(116.25)));
                assert_eq!((d.fix_satellites, d.altitude), (Some(5), Some(50.0)));
                assert_eq!((d.hdop, d.geoid_separation), (Some(0.9), Some(0.0)));
                assert_eq!(d.fix_time.unwrap().to_string(), "12:00:00");
                seen.push("GGA");
            }
            ParseResult::RMC(d) => {
                assert_eq!(d.fix_date.unwrap().to_string(), "2026-11-24");
                assert_eq!((d.lat, d.lon), (Some(40.0), Some(116.25)));
                assert_eq!((d.speed_over_ground, d.true_course), (Some(19.44), Some(90.0)));
                assert!(matches!(d.status_of_fix, nmea::sentences::rmc::RmcStatusOfFix::Autonomous));
                seen.push("RMC");
            }
            ParseResult::VTG(d) => {
                assert_eq!((d.true_course, d.speed_over_ground), (Some(90.0), Some(19.44)));
                seen.push("VTG");
            }
            ParseResult::GSA(d) => {
                let beidou = d.system_id == Some(nmea::sentences::gnss_type::GnssSystemId::Beidou);
                let expected: &[u32] = if beidou { &[6, 26, 59] } else { &[5, 13] };
                assert_eq!(&d.fix_sats_prn[..], expected);
                assert_eq!((d.pdop, d.hdop, d.vdop), (Some(1.8), Some(0.9), Some(1.56)));
                seen.push("GSA");
            }
            ParseResult::GSV(d) => {
                let beidou = d.gnss_type == nmea::sentences::GnssType::Beidou;
                assert!(beidou || d.gnss_type == nmea::sentences::GnssType::Gps);
                let sats: Vec<u32> = d.sats_info.iter().flatten().map(|s| s.prn()).collect();
                match (beidou, d.sats_in_view) {
                    (true, 4) => assert_eq!(sats, [6, 11, 26, 59]),
                    (true, 1) => assert_eq!(sats, [26]),
                    _ => assert_eq!(sats, [5, 13, 20]),
                }
                seen.push("GSV");
            }
            ParseResult::ZDA(d) => {
                assert_eq!((d.day, d.month, d.year), (Some(24), Some(11), Some(2026)));
                seen.push("ZDA");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, ["GGA", "RMC", "VTG", "GSA", "GSA", "GSV", "GSV", "GSV", "ZDA"]);
}

#[test]
fn a_sink_like_the_others() {
    let mut text = Vec::new();
    let mut writer = NmeaWriter::new(&mut text, NmeaOptions::default());
    writer.solution(&solution()).unwrap();
    SolutionSink::finish(&mut writer).unwrap();
    assert_eq!(String::from_utf8(text).unwrap().lines().count(), 9);
}

fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![prop::num::f64::ANY, -1e7..1e7f64, -10.0..10.0f64]
}

proptest! {
    #[test]
    fn sentences_are_well_formed_whatever_comes(
        floats in prop::collection::vec(any_float(), 10),
        seconds in -1e9..3e9f64,
        moving in any::<bool>(),
        sats in prop::collection::vec((1u8..=255, 0usize..7, any_float(), any_float(), any_float(), any::<bool>()), 0..60),
    ) {
        let systems = [
            Constellation::Bds, Constellation::Gps, Constellation::Galileo, Constellation::Glonass,
            Constellation::Qzss, Constellation::Navic, Constellation::Sbas,
        ];
        let mut s = solution();
        s.time = noon() + seconds - 1e9;
        s.position = Ecef { x: floats[0], y: floats[1], z: floats[2] };
        s.velocity = moving.then_some(Ecef { x: floats[3], y: floats[4], z: floats[5] });
        (s.dop.p, s.dop.h, s.dop.v) = (floats[6], floats[7], floats[8]);
        s.sats = sats
            .iter()
            .map(|&(prn, system, az, el, cn0, used)| {
                let mut sat = sat_use("C06", SignalId::B1I, el, az, cn0, used);
                sat.sat.constellation = systems[system];
                sat.sat.prn = prn;
                sat
            })
            .collect();
        for beidou in [BeidouTalker::Gb, BeidouTalker::Bd] {
            for sentence in sentences(&NmeaEpoch { solution: Some(&s), ..NmeaEpoch::default() }, beidou) {
                prop_assert!(sentence.len() + 2 <= 82, "{} characters: {sentence}", sentence.len() + 2);
                let (body, sum) = sentence[1..].split_once('*').unwrap();
                let expected = body.bytes().fold(0, |a, b| a ^ b);
                prop_assert_eq!(u8::from_str_radix(sum, 16).unwrap(), expected);
                let kind = &body[2..5];
                let fields = body.split(',').count() - 1;
                let newer = usize::from(beidou == BeidouTalker::Gb);
                match kind {
                    "GGA" => prop_assert_eq!(fields, 14),
                    "RMC" => prop_assert_eq!(fields, 13),
                    "VTG" => prop_assert_eq!(fields, 9),
                    "GSA" => prop_assert_eq!(fields, 17 + newer),
                    "GSV" => prop_assert!(fields >= 7 + newer && (fields - 3 - newer) % 4 == 0),
                    "ZDA" => prop_assert_eq!(fields, 6),
                    other => prop_assert!(false, "{}", other),
                }
                prop_assert!(!sentence.contains("NaN") && !sentence.contains("inf"), "{sentence}");
            }
        }
    }
}
