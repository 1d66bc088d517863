//! PPP-B2b against recorded frames, and an hour of them against the broadcast ephemerides of that hour.
//!
//! Vectors and recording stand beside the project, in `../shared`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use megrez_nav::Subframe;
use megrez_nav::ppp_b2b::{Corrections, Message, sat_of_slot};
use megrez_orbit::{Ecef, GnssTime};
use megrez_signal::{Constellation, NavMessage, Sat};
use serde_json::Value;

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is absent", path.display());
    }
    path.exists().then_some(path)
}

fn words(hex: &str) -> Vec<u32> {
    let digits = hex.chars().map(|c| c.to_digit(16).unwrap());
    let bits: Vec<u32> = digits.flat_map(|d| (0..4).rev().map(move |i| d >> i & 1)).take(486).collect();
    bits.chunks(30).map(|c| (0..30).fold(0, |w, i| w << 1 | c.get(i).copied().unwrap_or(0))).collect()
}

fn subframe(prn: u8, hex: &str) -> Subframe {
    Subframe::from_message(Sat::bds(prn), NavMessage::PppB2b, 0, &words(hex)).unwrap()
}

/// What a raw integer stands for; none for "not available".
fn scaled(raw: i64, step: f64, bits: u32) -> Option<f64> {
    (raw > 1 - (1 << (bits - 1))).then_some(raw as f64 * step)
}

#[test]
fn recorded_frames_have_their_values() {
    let Some(path) = shared("icd/vectors/ppp_b2b.json") else { return };
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut types = BTreeSet::new();
    for frame in all["frames"].as_array().unwrap() {
        let want = &frame["decoded"];
        let int = |value: &Value| value.as_i64().unwrap();
        let subframe = subframe(int(&frame["prn"]) as u8, frame["bits_hex"].as_str().unwrap());
        assert_eq!(i64::from(subframe.id), int(&want["type"]));
        types.insert(subframe.id);
        let list = |name: &str| want[name].as_array().unwrap().clone();
        let message = Message::read(&subframe).unwrap();
        let head = match &message {
            Message::Mask { head, .. } | Message::Clocks { head, .. } => Some(head),
            Message::Orbits(head, _) | Message::Biases(head, _) => Some(head),
            _ => None,
        };
        if let Some(head) = head {
            assert_eq!(
                (i64::from(head.epoch_s), i64::from(head.iod_ssr)),
                (int(&want["epoch"]), int(&want["iodssr"]))
            );
        }
        match &message {
            Message::Mask { iodp, slots, .. } => {
                assert_eq!(i64::from(*iodp), int(&want["iodp"]));
                let slots: Vec<i64> = slots.iter().map(|&slot| slot.into()).collect();
                assert_eq!(slots, list("slots").iter().map(int).collect::<Vec<_>>());
            }
            Message::Orbits(_, orbits) => {
                let want: Vec<Value> = list("sat").into_iter().filter(|sat| int(&sat["slot"]) != 0).collect();
                assert_eq!(orbits.len(), want.len());
                for (orbit, want) in orbits.iter().zip(&want) {
                    let issue = (orbit.slot.into(), orbit.iodn.into(), i64::from(orbit.iod_corr));
                    assert_eq!(issue, (int(&want["slot"]), int(&want["iodn"]), int(&want["iodcorr"])));
                    let parts = [("radial", 0.0016, 15), ("along", 0.0064, 13), ("cross", 0.0064, 13)];
                    let parts = parts.map(|(name, step, bits)| scaled(int(&want[name]), step, bits));
                    let all: Option<Vec<f64>> = parts.into_iter().collect();
                    assert_eq!(orbit.correction_m.map(Vec::from), all);
                    let (class, value) = (int(&want["cls"]), int(&want["val"]) as f64);
                    let mm = 3f64.powi(class as i32) * (1.0 + value / 4.0) - 1.0;
                    assert_eq!(orbit.ura_m, (mm != 0.0).then_some(mm / 1000.0));
                }
            }
            Message::Biases(_, all) => {
                let want = list("sat");
                assert_eq!(all.len(), want.len());
                for (biases, want) in all.iter().zip(&want) {
                    assert_eq!(i64::from(biases.slot), int(&want["slot"]));
                    let want = want["bias"].as_array().unwrap();
                    assert_eq!(biases.biases.len(), want.len());
                    for (&(mode, bias), want) in biases.biases.iter().zip(want) {
                        assert_eq!((i64::from(mode), bias), (int(&want[0]), int(&want[1]) as f64 * 0.017));
                    }
                }
            }
            Message::Clocks { iodp, first, clocks, .. } => {
                assert_eq!((i64::from(*iodp), *first as i64), (int(&want["iodp"]), 23 * int(&want["sub"])));
                for (clock, want) in clocks.iter().zip(list("clk")) {
                    assert_eq!(i64::from(clock.iod_corr), int(&want[0]));
                    assert_eq!(clock.c0_m, scaled(int(&want[1]), 0.0016, 15));
                }
            }
            _ => assert_eq!(message, Message::Null),
        }
    }
    assert!([1, 2, 3, 4, 63].iter().all(|kind| types.contains(kind)), "{types:?}");
}

/// Time of week in GPST, satellite and message of every line of the recording.
fn hour() -> Option<Vec<(f64, u8, Subframe)>> {
    let path = shared("data/streams/b2b/233h_bdsb2b.txt.gz")?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let prn = fields[2].parse().unwrap();
        (fields[1].parse().unwrap(), prn, subframe(prn, fields[5]))
    };
    Some(text.lines().map(line).collect())
}

/// Issues of the broadcast ephemerides of the hour by satellite: IODC of B-CNAV1, IODE of LNAV.
fn issues() -> Option<BTreeMap<Sat, BTreeSet<u16>>> {
    let text = std::fs::read_to_string(shared("data/streams/b2b/233h_rnx.nav")?).unwrap();
    let mut issues = BTreeMap::<Sat, BTreeSet<u16>>::new();
    let lines: Vec<&str> = text.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        let Some(head) = line.strip_prefix("> EPH ") else { continue };
        let value = |row: usize, column: usize| -> f64 {
            lines[n + row][4 + 19 * column..23 + 19 * column].trim().parse().unwrap()
        };
        let issue = match head[3..].trim() {
            "CNV1" => value(9, 3),
            "LNAV" if head.starts_with('G') => value(2, 0),
            _ => continue,
        };
        issues.entry(head[..3].parse().unwrap()).or_default().insert(issue as u16);
    }
    Some(issues)
}

#[test]
fn an_hour_has_its_messages() {
    let Some(frames) = hour() else { return };
    let mut counts = BTreeMap::new();
    for (_, _, subframe) in frames.iter().filter(|(_, prn, _)| *prn == 59) {
        assert!(Message::read(subframe).is_some());
        *counts.entry(subframe.id).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([(1, 75), (2, 297), (3, 300), (4, 1800), (63, 1128)]));
}

#[test]
fn an_hour_of_corrections_goes_with_the_broadcast_ephemerides() {
    let (Some(frames), Some(issues)) = (hour(), issues()) else { return };
    let mut corrections = Corrections::new();
    let (mut matched, mut others) = (BTreeMap::<Sat, u32>::new(), BTreeMap::<Sat, u32>::new());
    for (tow, _, subframe) in frames.iter().filter(|(_, prn, _)| *prn == 59) {
        let now = GnssTime::from_gpst(2380, *tow);
        corrections.push(&Message::read(subframe).unwrap(), now);
        for sat in corrections.sats().collect::<Vec<_>>() {
            let Some(correction) = corrections.of(sat, now) else { continue };
            assert!(correction.orbit_m.iter().all(|m| m.abs() < 25.0) && correction.clock_m.abs() < 26.2);
            let Some(issues) = issues.get(&sat) else { continue };
            let right = issues.iter().any(|issue| (issue ^ correction.iodn) & 0xff == 0);
            *if right { &mut matched } else { &mut others }.entry(sat).or_default() += 1;
        }
    }
    let of = |constellation| {
        let sats = matched.iter().filter(|(sat, _)| sat.constellation == constellation);
        (sats.clone().count(), sats.map(|(_, seconds)| seconds).sum::<u32>())
    };
    // Every correction given out, a second each, is of an ephemeris that was broadcast in that hour.
    assert!(others.is_empty(), "{others:?}");
    let (bds, gps) = (of(Constellation::Bds), of(Constellation::Gps));
    assert!(bds.0 == 8 && bds.1 > 24_000 && gps.0 == 9 && gps.1 > 27_000, "{bds:?} {gps:?}");
}

#[test]
fn slots_are_satellites() {
    let sats = [1, 63, 64, 100, 101, 137, 138, 174].map(|slot| sat_of_slot(slot).unwrap().to_string());
    assert_eq!(sats, ["C01", "C63", "G01", "G37", "E01", "E37", "R01", "R37"]);
    assert_eq!([0, 175, 255].map(sat_of_slot), [None; 3]);
}

/// A message of 462 bits with its CRC, from fields of value and length.
fn built(fields: &[(u64, usize)]) -> Message {
    let mut bits: Vec<u32> =
        fields.iter().flat_map(|&(v, len)| (0..len).rev().map(move |i| (v >> i & 1) as u32)).collect();
    assert!(bits.len() <= 462);
    bits.resize(462, 0);
    let crc = bits.iter().fold(0u32, |state, bit| {
        let out = (state >> 23 ^ bit) & 1;
        (state << 1 & 0xff_ffff) ^ if out == 1 { 0x86_4cfb } else { 0 }
    });
    bits.extend((0..24).rev().map(|i| crc >> i & 1));
    let words: Vec<u32> =
        bits.chunks(30).map(|c| (0..30).fold(0, |w, i| w << 1 | c.get(i).copied().unwrap_or(0))).collect();
    let subframe = Subframe::from_message(Sat::bds(60), NavMessage::PppB2b, 0, &words).unwrap();
    Message::read(&subframe).unwrap()
}

/// Type, epoch, reserved, IODSSR.
fn head(kind: u64, epoch: u64, ssr: u64) -> Vec<(u64, usize)> {
    vec![(kind, 6), (epoch, 17), (0, 4), (ssr, 2)]
}

/// A mask of C20 and G05 (slots 20 and 68), issue 3.
fn mask(epoch: u64, ssr: u64) -> Message {
    let mut fields = head(1, epoch, ssr);
    fields.push((3, 4));
    fields.extend((1..=255).map(|slot| (u64::from(slot == 20 || slot == 68), 1)));
    built(&fields)
}

fn orbit(slot: u64, iodn: u64, iod_corr: u64) -> [(u64, usize); 8] {
    [(slot, 9), (iodn, 10), (iod_corr, 3), (1000, 15), ((1 << 13) - 50, 13), (20, 13), (2, 3), (3, 3)]
}

#[test]
fn corrections_follow_their_issues_and_age() {
    let start = GnssTime::from_bdt(1000, 2.0 * 86_400.0 + 600.0);
    let (c20, g05) = (Sat::bds(20), Sat::gps(5));
    let orbits = |ssr, iod_corr| {
        built(&[head(2, 600, ssr), orbit(20, 77, iod_corr).into(), orbit(68, 5, 1).into()].concat())
    };
    let clocks = |epoch, ssr, iodp, iod_corr, c0| {
        let list = vec![(iodp, 4), (0, 5), (iod_corr, 3), (c0, 15), (1, 3), (1 << 14 | 1, 15)];
        built(&[head(4, epoch, ssr), list].concat())
    };
    let mut all = Corrections::new();
    for message in [mask(600, 1), orbits(1, 6), clocks(600, 1, 3, 6, 500)] {
        all.push(&message, start + 3.0);
    }
    let found = all.of(c20, start + 5.0).unwrap();
    assert_eq!((found.iodn, found.orbit_m, found.clock_m), (77, [1.6, -0.32, 0.128], 0.8));
    assert!((found.ura_m.unwrap() - (9.0 * 1.75 - 1.0) / 1000.0).abs() < 1e-12);
    // The clock of G05 is not available; clocks hold for 12 s.
    assert_eq!(all.of(g05, start + 5.0), None);
    assert!(all.of(c20, start + 12.0).is_some() && all.of(c20, start + 12.5).is_none());
    // A clock of another mask, or of another orbit, does not serve.
    all.push(&clocks(606, 1, 4, 6, 500), start + 8.0);
    all.push(&clocks(606, 1, 3, 7, 500), start + 8.0);
    assert!(all.of(c20, start + 14.0).is_none());
    // Until its orbit comes.
    all.push(&orbits(1, 7), start + 9.0);
    assert!(all.of(c20, start + 14.0).is_some());
    // Another set begins anew.
    all.push(&clocks(606, 2, 3, 7, 500), start + 10.0);
    assert!(all.of(c20, start + 10.0).is_none() && all.sats().next().is_none());

    // Types 7 and 6 and 5 say the same in other words.
    let mut all = Corrections::new();
    let seven =
        [vec![(7, 6), (1, 5), (1, 3)], head(0, 600, 1)[1..].to_vec(), vec![(20, 9), (6, 3), (500, 15)]];
    let seven = [seven.concat(), head(0, 600, 1)[1..].to_vec(), orbit(20, 77, 6).into()].concat();
    all.push(&built(&seven), start);
    assert_eq!(all.of(c20, start).as_ref(), Some(&found));
    all.push(&mask(600, 1), start);
    let six = [
        vec![(6, 6), (1, 5), (1, 3)],
        head(0, 606, 1)[1..].to_vec(),
        vec![(3, 4), (2, 9), (2, 3), (100, 15)],
    ];
    let six = [six.concat(), head(0, 606, 1)[1..].to_vec(), orbit(68, 5, 2).into()].concat();
    all.push(&built(&six), start + 6.0);
    assert_eq!(all.of(g05, start + 6.0).map(|c| (c.iodn, c.clock_m)), Some((5, 0.16)));
    let five = [head(5, 606, 1), vec![(3, 4), (0, 3), (0, 6), (3, 3), (0, 3)]].concat();
    all.push(&built(&five), start + 6.0);
    assert_eq!(all.of(g05, start + 6.0).unwrap().ura_m, Some(0.026));
    // Biases.
    let three =
        [head(3, 606, 1), vec![(1, 5), (68, 9), (2, 4), (0, 4), (100, 12), (12, 4), (4000, 12)]].concat();
    all.push(&built(&three), start + 6.0);
    let found = all.of(g05, start + 6.0).unwrap();
    assert_eq!([0, 12, 1].map(|mode| found.bias_m(mode)), [Some(100.0 * 0.017), Some(-96.0 * 0.017), None]);
}

#[test]
fn corrections_move_satellites_along_their_axes() {
    let mut all = Corrections::new();
    let start = GnssTime::from_bdt(1000, 600.0);
    let list = vec![(7, 6), (1, 5), (1, 3)];
    let clock = vec![(20, 9), (6, 3), (500, 15)];
    let fields =
        [list, head(0, 600, 1)[1..].to_vec(), clock, head(0, 600, 1)[1..].to_vec(), orbit(20, 77, 6).into()];
    all.push(&built(&fields.concat()), start);
    let correction = all.of(Sat::bds(20), start).unwrap();
    // Over the x axis, moving along y: radial x, along y, across z.
    let (moved, clock_s) = correction.apply(Ecef::new(27.9e6, 0.0, 0.0), Ecef::new(0.0, 3000.0, 0.0), 1e-4);
    assert!(moved.distance(Ecef::new(27.9e6 - 1.6, 0.32, -0.128)) < 1e-6);
    assert!((clock_s - (1e-4 - 0.8 / megrez_signal::SPEED_OF_LIGHT)).abs() < 1e-18);
}
