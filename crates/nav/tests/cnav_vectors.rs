//! B-CNAV against constructed frames: bits, LDPC, BCH, interleaver, CRC, every field.
//!
//! The vectors stand beside the project, in `../shared/icd/vectors`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::f64::consts::PI;
use std::path::Path;

use megrez_nav::{Assembler, Decoder, Subframe, encode_subframe};
use megrez_orbit::{GnssTime, Integrity, KeplerEphemeris, NavData, TimeScale};
use megrez_signal::{NavMessage, Sat};
use serde_json::Value;

fn vectors(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/icd/vectors").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {} is absent", path.display());
    }
    Some(serde_json::from_str(&text?).unwrap())
}

fn bits(hex: &str, len: usize) -> Vec<u8> {
    let digits = hex.chars().map(|c| c.to_digit(16).unwrap() as u8);
    let mut bits: Vec<u8> = digits.flat_map(|d| (0..4).rev().map(move |i| d >> i & 1)).collect();
    bits.truncate(len);
    assert_eq!(bits.len(), len);
    bits
}

/// Words of 30 bits.
fn words(bits: &[u8]) -> Vec<u32> {
    bits.chunks(30)
        .map(|c| (0..30).fold(0, |w, i| w << 1 | u32::from(c.get(i).copied().unwrap_or(0))))
        .collect()
}

fn satellite(frame: &Value) -> Sat {
    Sat::bds(frame["prn"].as_u64().or(frame["fields"]["PRN"].as_u64()).unwrap() as u8)
}

fn message(name: &str) -> (NavMessage, usize) {
    match name {
        "B-CNAV1" => (NavMessage::Cnav1, 1800),
        "B-CNAV2" => (NavMessage::Cnav2, 600),
        _ => (NavMessage::Cnav3, 1000),
    }
}

/// Decodes symbols that come after a little of something else, and before the next frame's head.
fn decode(sat: Sat, message: NavMessage, symbols: &[u8], sign: f32) -> Vec<Subframe> {
    let mut decoder = Decoder::new(sat, message).unwrap();
    let before = (0..77u8).map(|i| (i / 3) & 1);
    before
        .chain(symbols.iter().copied())
        .enumerate()
        .filter_map(|(n, bit)| decoder.push(sign * (1.0 - 2.0 * f32::from(bit)), n as u64))
        .collect()
}

/// Multiples of the steps of the interface document.
fn field(raw: &Value, name: &str) -> f64 {
    raw[name].as_f64().unwrap_or_else(|| panic!("{name}"))
}

fn p(n: i32) -> f64 {
    2f64.powi(n)
}

fn check_ephemeris(eph: &KeplerEphemeris, orbit1: &Value, orbit2: &Value, clock: &Value) {
    let reference = if field(orbit1, "EPH1.SatType") == 3.0 { 27_906_100.0 } else { 42_162_200.0 };
    let one = |name: &str| field(orbit1, &format!("EPH1.{name}"));
    let two = |name: &str| field(orbit2, &format!("EPH2.{name}"));
    let clk = |name: &str| field(clock, &format!("CLK.{name}"));
    let pairs = [
        (eph.toe.bdt().1, one("toe") * 300.0),
        (eph.toc.bdt().1, clk("toc") * 300.0),
        (eph.a, reference + one("deltaA") * p(-9)),
        (eph.a_dot, one("Adot") * p(-21)),
        (eph.delta_n, one("deltan0") * p(-44) * PI),
        (eph.delta_n_dot, one("deltan0dot") * p(-57) * PI),
        (eph.m0, one("M0") * p(-32) * PI),
        (eph.e, one("e") * p(-34)),
        (eph.omega, one("omega") * p(-32) * PI),
        (eph.omega0, two("OMEGA0") * p(-32) * PI),
        (eph.i0, two("i0") * p(-32) * PI),
        (eph.omega_dot, two("OMEGAdot") * p(-44) * PI),
        (eph.i_dot, two("i0dot") * p(-44) * PI),
        (eph.cis, two("Cis") * p(-30)),
        (eph.cic, two("Cic") * p(-30)),
        (eph.crs, two("Crs") * p(-8)),
        (eph.crc, two("Crc") * p(-8)),
        (eph.cus, two("Cus") * p(-30)),
        (eph.cuc, two("Cuc") * p(-30)),
        (eph.clock[0], clk("a0") * p(-34)),
        (eph.clock[1], clk("a1") * p(-50)),
        (eph.clock[2], clk("a2") * p(-66)),
    ];
    for (n, (got, want)) in pairs.into_iter().enumerate() {
        assert!((got - want).abs() <= 1e-15 * want.abs(), "{n}: {got} {want}");
    }
}

fn check_iono(nav: &NavData, raw: &Value) {
    let alpha = nav.bdgim.unwrap().alpha;
    for (n, got) in alpha.into_iter().enumerate() {
        let want = field(raw, &format!("BDGIM.alpha{}", n + 1)) * if n == 4 { -0.125 } else { 0.125 };
        assert_eq!(got, want, "alpha{}", n + 1);
    }
}

fn check_utc(nav: &NavData, raw: &Value) {
    let utc = nav.bds_utc.unwrap();
    let get = |name: &str| field(raw, &format!("UTC.{name}"));
    assert_eq!(utc.a0, get("A0UTC") * p(-35));
    assert_eq!(utc.a1, get("A1UTC") * p(-51));
    assert_eq!(utc.tot.bdt(), (get("WNot") as i64, get("tot") * 16.0));
    let leaps = (utc.leap_s as f64, utc.leap_future_s as f64, utc.wn_lsf as f64, f64::from(utc.dn));
    assert_eq!(leaps, (get("dtLS"), get("dtLSF"), get("WNLSF"), get("DN")));
}

fn check_clock_accuracy(integrity: &Integrity, raw: &Value) {
    let accuracy = integrity.clock_accuracy.unwrap();
    let get = |name: &str| field(raw, &format!("SISAIoc.{name}"));
    assert_eq!(accuracy.top.bdt().1, get("top") * 300.0);
    assert_eq!(f64::from(accuracy.bias), get("SISAIocb"));
    let rates = (f64::from(accuracy.drift), f64::from(accuracy.drift_rate));
    assert_eq!(rates, (get("SISAIoc1"), get("SISAIoc2")));
}

fn check_earth(nav: &NavData, raw: &Value) {
    let earth = nav.earth_orientation.unwrap();
    let get = |name: &str, step: i32| field(raw, &format!("EOP.{name}")) * p(step);
    assert_eq!(earth.reference.bdt().1, get("tEOP", 4));
    assert_eq!(earth.pole_x, [get("PMX", -20), get("PMXdot", -21)]);
    assert_eq!(earth.pole_y, [get("PMY", -20), get("PMYdot", -21)]);
    assert_eq!(earth.dut1, [get("dUT1", -24), get("dUT1dot", -25)]);
}

/// Takes frames into one `NavData`.
fn assemble<'a>(sat: Sat, message: NavMessage, frames: impl IntoIterator<Item = &'a Subframe>) -> NavData {
    let mut nav = NavData::default();
    let mut assembler = Assembler::new(sat, message);
    for frame in frames {
        for event in assembler.push(frame, Some(GnssTime::from_bdt(900, 0.0))) {
            event.store(&mut nav);
        }
    }
    nav
}

#[test]
fn frames_decode_to_the_bits_put_in() {
    let Some(all) = vectors("bds_cnav.json") else { return };
    let mut counts = [0; 3];
    for frame in all["frames"].as_array().unwrap() {
        let name = frame["message"].as_str().unwrap();
        let (message, length) = message(name);
        let sat = satellite(frame);
        let symbols = bits(frame["symbols"].as_str().unwrap(), length);
        for sign in [1.0, -0.01] {
            let found = decode(sat, message, &symbols, sign);
            assert_eq!(found.len(), 1, "{name}");
            let subframe = &found[0];
            assert_eq!((subframe.tag, subframe.inverted), (77, sign < 0.0));
            assert!(subframe.complete() && subframe.corrected_bits == 0);
            let want = match message {
                NavMessage::Cnav1 => {
                    let mut both = words(&bits(frame["subframe2_bits"].as_str().unwrap(), 600));
                    both.extend(words(&bits(frame["subframe3_bits"].as_str().unwrap(), 264)));
                    both
                }
                NavMessage::Cnav2 => words(&bits(frame["bits"].as_str().unwrap(), 288)),
                _ => words(&bits(frame["bits"].as_str().unwrap(), 486)),
            };
            assert_eq!(subframe.words, want);
        }
        // The frame of another satellite is not taken.
        assert!(decode(Sat::bds(sat.prn + 1), message, &symbols, 1.0).is_empty());
        counts[message as usize - NavMessage::Cnav1 as usize] += 1;
    }
    assert!(counts.iter().all(|&n| n > 0), "{counts:?}");
}

#[test]
fn fields_have_their_values() {
    let Some(all) = vectors("bds_cnav.json") else { return };
    let frames = all["frames"].as_array().unwrap();
    let of = |name: &'static str| {
        frames.iter().filter(move |f| f["message"] == name).map(|f| {
            let (message, length) = message(name);
            let sat = satellite(f);
            (f, decode(sat, message, &bits(f["symbols"].as_str().unwrap(), length), 1.0).remove(0))
        })
    };
    let integrity = |nav: &NavData, raw: &Value, signal: &str| {
        let found = nav.integrity[&Sat::bds(20)];
        let (flags, suffix) = match signal {
            "B1C" => (found.b1c, ""),
            "B1C on B2a" => (found.b1c, "_B1C"),
            "B2a" => (found.b2a, "_B2a"),
            _ => (found.b2b, ""),
        };
        let flags = flags.unwrap();
        let got = [flags.dif, flags.sif, flags.aif].map(|b| f64::from(u8::from(b)));
        assert_eq!(got, ["DIF", "SIF", "AIF"].map(|name| field(raw, &format!("{name}{suffix}"))), "{signal}");
        if !raw["SISMAI"].is_null() {
            assert_eq!(f64::from(found.sismai.unwrap()), field(raw, "SISMAI"));
        }
        found
    };

    for (raw, frame) in of("B-CNAV1") {
        let nav = assemble(frame.sat, NavMessage::Cnav1, [&frame]);
        let second = &raw["subframe2"];
        let eph = nav.ephemerides_of(frame.sat)[0].kepler().unwrap();
        check_ephemeris(eph, second, second, second);
        assert_eq!(
            (f64::from(eph.iode), f64::from(eph.iodc)),
            (field(second, "IODE"), field(second, "IODC"))
        );
        let delays = [eph.delays.tgd_b2ap, eph.delays.isc_b1cd, eph.delays.tgd_b1cp].map(Option::unwrap);
        let want = ["TGDB2ap", "ISCB1Cd", "TGDB1Cp"].map(|name| field(second, name) * p(-34));
        assert_eq!(delays, want);
        let tow_s = field(second, "HOW") * 3600.0 + field(raw, "soh") * 18.0;
        assert_eq!(eph.transmit.unwrap().bdt(), (field(second, "WN") as i64, tow_s));
        if frame.page == Some(1) {
            let third = &raw["subframe3_page1"];
            check_iono(&nav, third);
            check_utc(&nav, third);
            let found = integrity(&nav, third, "B1C");
            check_clock_accuracy(&found, third);
            assert_eq!(f64::from(found.orbit_accuracy.unwrap()), field(third, "SISAIoe"));
            assert_eq!(f64::from(found.health.unwrap()), field(third, "HS"));
        } else {
            let third = &raw["subframe3_page3"];
            integrity(&nav, third, "B1C");
            check_earth(&nav, third);
            let offset = nav.offsets[0];
            assert_eq!((offset.from, offset.to), (TimeScale::Bdt, TimeScale::Gpst));
            assert_eq!(offset.a0, field(third, "BGTO.A0BGTO") * p(-35));
            assert_eq!(offset.a1, field(third, "BGTO.A1BGTO") * p(-51));
            let reference = (field(third, "BGTO.WN0BGTO") as i64, field(third, "BGTO.t0BGTO") * 16.0);
            assert_eq!(offset.reference.bdt(), reference);
        }
    }

    let second: Vec<_> = of("B-CNAV2").collect();
    let kind = |list: &[(&Value, Subframe)], id: u8| {
        let (raw, frame) = list.iter().find(|(_, frame)| frame.id == id).unwrap();
        (raw["fields"].clone(), frame.clone())
    };
    let [(first, ten), (other, eleven), (clock, thirty), (utc, thirty_four)] =
        [10, 11, 30, 34].map(|id| kind(&second, id));
    for (raw, frame) in [(&first, &ten), (&other, &eleven), (&clock, &thirty), (&utc, &thirty_four)] {
        assert_eq!(frame.tow_s, Some(3.0 * field(raw, "SOW")));
        let nav = assemble(frame.sat, NavMessage::Cnav2, [&ten, frame]);
        integrity(&nav, raw, "B2a");
        integrity(&nav, raw, "B1C on B2a");
    }
    let nav = assemble(ten.sat, NavMessage::Cnav2, [&ten, &eleven, &thirty, &thirty_four]);
    let eph = nav.ephemerides_of(ten.sat)[0].kepler().unwrap();
    check_ephemeris(eph, &first, &other, &clock);
    assert_eq!((f64::from(eph.iode), f64::from(eph.iodc)), (field(&first, "IODE"), field(&clock, "IODC")));
    let delays = [eph.delays.tgd_b2ap, eph.delays.isc_b2ad, eph.delays.tgd_b1cp].map(Option::unwrap);
    assert_eq!(delays, ["TGDB2ap", "ISCB2ad", "TGDB1Cp"].map(|name| field(&clock, name) * p(-34)));
    check_iono(&nav, &clock);
    check_utc(&nav, &utc);
    check_clock_accuracy(&nav.integrity[&ten.sat], &utc);
    // The clock of the other message serves as well, and parts of two sets do not.
    let nav = assemble(ten.sat, NavMessage::Cnav2, [&ten, &eleven, &thirty_four]);
    check_ephemeris(nav.ephemerides_of(ten.sat)[0].kepler().unwrap(), &first, &other, &utc);
    let late = Subframe { tow_s: eleven.tow_s.map(|t| t + 3.0), ..eleven.clone() };
    assert!(assemble(ten.sat, NavMessage::Cnav2, [&ten, &late, &thirty]).is_empty());

    let third: Vec<_> = of("B-CNAV3").collect();
    let [(orbit, ten), (clock, thirty)] = [10, 30].map(|id| kind(&third, id));
    for frames in [[&ten, &thirty], [&thirty, &ten]] {
        let nav = assemble(ten.sat, NavMessage::Cnav3, frames);
        let eph = nav.ephemerides_of(ten.sat)[0].kepler().unwrap();
        check_ephemeris(eph, &orbit, &orbit, &clock);
        assert_eq!(eph.delays.tgd_b2bi, Some(field(&clock, "TGDB2bI") * p(-34)));
        assert_eq!(eph.transmit.unwrap().bdt(), (field(&clock, "WN") as i64, field(&orbit, "SOW")));
        check_iono(&nav, &clock);
        check_utc(&nav, &clock);
        check_earth(&nav, &clock);
        let found = integrity(&nav, &orbit, "B2b");
        check_clock_accuracy(&found, &clock);
        assert_eq!(f64::from(found.orbit_accuracy.unwrap()), field(&clock, "SISAIoe"));
    }
}

#[test]
fn subframe_1_is_the_whole_table() {
    let Some(all) = vectors("bds_b1c_subframe1.json") else { return };
    let toe = GnssTime::from_bdt(900, 0.0);
    let head = |prn: u8, soh: usize| {
        let mut nav = NavData::default();
        nav.insert(common::plain(Sat::bds(prn), NavMessage::Cnav1, toe).into());
        let start = toe + 18.0 * soh as f64;
        encode_subframe(NavMessage::Cnav1, Sat::bds(prn), &nav, start).unwrap()[..72].to_vec()
    };
    let table = |key: &str, n: usize| all[key][&n.to_string()].as_str().unwrap().to_string();
    for prn in 1..=63u8 {
        assert_eq!(head(prn, 0)[..21], bits(&table("bch21_6_prn", prn.into()), 21), "PRN {prn}");
    }
    for soh in 0..200usize {
        assert_eq!(head(30, soh)[21..], bits(&table("bch51_8_soh", soh), 51), "SOH {soh}");
    }
}
