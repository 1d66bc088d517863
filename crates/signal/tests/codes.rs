//! Codes against figures that others made.
//!
//! The SHA-256 sums cover every chip of every satellite and stand beside the project, in
//! `../shared/icd/codes`; where that folder is absent, the octal first and last chips printed in the
//! interface documents still bind a few satellites.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking

use megrez_signal::{ALL, NavMessage, Sat, SignalId};
use sha2::{Digest, Sha256};
use std::path::Path;

fn ascii(chips: &[u8]) -> String {
    chips.iter().map(|&c| if c == 0 { '0' } else { '1' }).collect()
}

fn sha256(chips: &[u8]) -> String {
    Sha256::digest(ascii(chips)).iter().map(|b| format!("{b:02x}")).collect()
}

/// Rows of a code table as (prn, sha256), or none when the folder is absent.
fn table(name: &str) -> Option<Vec<(u8, String)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/icd/codes");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is absent", folder.display());
        return None;
    }
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let rows = text.lines().skip(1).filter(|line| !line.is_empty());
    Some(
        rows.filter_map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            Some((fields[0].parse().ok()?, fields[fields.len() - 1].to_string()))
        })
        .collect(),
    )
}

fn check(name: &str, prns: usize, code: impl Fn(u8) -> Option<Vec<u8>>) {
    let Some(rows) = table(name) else { return };
    let mut checked = 0;
    for (prn, expected) in rows {
        if let Some(chips) = code(prn) {
            assert_eq!(sha256(&chips), expected, "{name} PRN {prn}");
            checked += 1;
        }
    }
    assert_eq!(checked, prns, "{name}");
}

#[test]
fn every_code_has_the_listed_sum() {
    check("bds_b1i_b2i.csv", 63, |prn| SignalId::B1I.def().code(prn));
    check("bds_b1c_data.csv", 63, |prn| SignalId::B1CD.def().code(prn));
    check("bds_b1c_pilot.csv", 63, |prn| SignalId::B1CP.def().code(prn));
    check("bds_b1i_b2i.csv", 37, |prn| SignalId::B2I.def().code(prn));
    check("bds_b3i.csv", 63, |prn| SignalId::B3I.def().code(prn));
    check("bds_b2a_data.csv", 63, |prn| SignalId::B2AD.def().code(prn));
    check("bds_b2a_pilot.csv", 63, |prn| SignalId::B2AP.def().code(prn));
    check("bds_b2b.csv", 63, |prn| SignalId::B2BI.def().code(prn));
    check("gps_qzss_sbas_l1ca.csv", 32, |prn| SignalId::L1CA.def().code(prn));
    check("gps_qzss_sbas_l1ca.csv", 39, |code| SignalId::SBASL1.def().code(code.checked_sub(100)?));
    check("gps_qzss_sbas_l5i.csv", 39, |code| SignalId::SBASL5.def().code(code.checked_sub(100)?));
    check("bds_b1c_pilot_secondary.csv", 63, |prn| {
        SignalId::B1CP.def().secondary(prn).map(|code| code.chips)
    });
    check("bds_b2a_pilot_secondary.csv", 63, |prn| {
        SignalId::B2AP.def().secondary(prn).map(|code| code.chips)
    });
}

fn octal(chips: &[u8]) -> String {
    chips.chunks(3).map(|c| (b'0' + c.iter().fold(0, |v, &b| v << 1 | b)) as char).collect()
}

#[test]
fn first_chips_are_those_the_documents_print() {
    // IS-GPS-200 Table 3-Ia, first 10 chips: a leading 1, then nine chips in octal.
    for (prn, first) in [(1, "1440"), (2, "1620"), (19, "1633"), (32, "1712")] {
        let chips = SignalId::L1CA.def().code(prn).unwrap();
        assert_eq!(format!("{}{}", chips[0], octal(&chips[1..10])), first, "L1CA PRN {prn}");
    }
    // RTCA DO-229 appendix A, likewise.
    for (prn, first) in [(30, "1436"), (43, "0465"), (44, "0717")] {
        let chips = SignalId::SBASL1.def().code(prn).unwrap();
        assert_eq!(format!("{}{}", chips[0], octal(&chips[1..10])), first, "SBAS-L1 S{prn}");
    }
    // First and last 24 chips of BDS-SIS-ICD-B1C-1.0 Tables 5-1 and 5-2, BDS-SIS-ICD-B2a-1.0 section 5.2 and
    // BDS-SIS-ICD-B2b-1.0 section 5.
    for (id, prn, first, last) in [
        (SignalId::B1CD, 1, "53773116", "42711657"),
        (SignalId::B1CP, 1, "71676756", "13053205"),
        (SignalId::B2AD, 1, "26771056", "42646672"),
        (SignalId::B2AD, 63, "55037136", "06147764"),
        (SignalId::B2AP, 1, "26772435", "05133452"),
        (SignalId::B2AP, 63, "25236023", "01076040"),
        (SignalId::B2BI, 6, "42471422", "44530033"),
        (SignalId::B2BI, 58, "70100474", "31701764"),
    ] {
        let chips = id.def().code(prn).unwrap();
        assert_eq!((octal(&chips[..24]).as_str(), octal(&chips[10_206..]).as_str()), (first, last), "{id}");
    }
    let chips = SignalId::B2AP.def().secondary(1).unwrap().chips;
    assert_eq!((octal(&chips[..24]).as_str(), octal(&chips[76..]).as_str()), ("32063050", "65322167"));
}

#[test]
fn codes_exist_for_the_stated_numbers_alone() {
    for signal in ALL {
        for prn in 0..=255 {
            let code = signal.code(prn);
            assert_eq!(code.is_some(), (signal.prns.0..=signal.prns.1).contains(&prn), "{signal:?} {prn}");
            if let Some(chips) = code {
                assert_eq!(chips.len(), signal.code_length);
            }
        }
        assert_eq!(signal.name.parse(), Ok(signal.id));
    }
    assert_eq!("b1c".parse(), Ok(SignalId::B1CP));
    assert_eq!("B2a".parse(), Ok(SignalId::B2AP));
    assert_eq!("B2b".parse(), Ok(SignalId::B2BI));
    assert_eq!("SBAS L1".parse(), Ok(SignalId::SBASL1));
    assert_eq!("L1 C/A".parse(), Ok(SignalId::L1CA));
    assert!("L9".parse::<SignalId>().is_err());
}

#[test]
fn secondary_codes_of_data_last_as_long_as_a_symbol() {
    for signal in ALL {
        for sat in signal.sats() {
            let Some(code) = signal.secondary(sat.prn) else { continue };
            let Some(rate) = signal.symbol_rate_hz(sat.prn) else { continue };
            let periods = 1.0 / (rate * signal.code_period_s());
            assert_eq!(code.chips.len(), periods.round() as usize, "{signal:?} {sat}");
        }
    }
    let chips = |id: SignalId, prn| id.def().secondary(prn).map(|code| code.chips.len());
    assert_eq!((chips(SignalId::B3I, 6), chips(SignalId::B3I, 59)), (Some(20), None));
    assert_eq!((chips(SignalId::B2AD, 30), chips(SignalId::B2AP, 30)), (Some(5), Some(100)));
    assert_eq!((chips(SignalId::B2BI, 30), chips(SignalId::SBASL5, 44)), (None, Some(2)));
}

#[test]
fn messages_by_orbit() {
    let message = |id: SignalId, prn| id.def().nav_message(prn);
    assert_eq!(message(SignalId::B3I, 3), Some(NavMessage::D2));
    assert_eq!(message(SignalId::B2I, 6), Some(NavMessage::D1));
    assert_eq!(message(SignalId::B2BI, 58), Some(NavMessage::Cnav3));
    assert_eq!(message(SignalId::B2BI, 59), Some(NavMessage::PppB2b));
    assert_eq!(message(SignalId::B2AP, 30), None);
}

#[test]
fn satellites_send_the_signals_of_their_generation() {
    let sending = |sat: &str| -> Vec<&str> {
        let sat: Sat = sat.parse().unwrap();
        let all = ALL.iter().filter(|s| s.constellation == sat.constellation && s.sends(sat.prn));
        all.map(|s| s.name).collect()
    };
    for old in ["C03", "C06", "C12", "C16"] {
        assert_eq!(sending(old), ["B1I", "B2I", "B3I"], "{old}");
    }
    for moving in ["C19", "C38", "C46"] {
        assert_eq!(sending(moving), ["B1I", "B1C-D", "B1C-P", "B3I", "B2a-D", "B2a-P", "B2b-I"], "{moving}");
    }
    for geo in ["C59", "C61"] {
        assert_eq!(sending(geo), ["B1I", "B3I", "B2b-I"], "{geo}");
    }
    assert_eq!(sending("S30"), ["SBAS-L1", "SBAS-L5"]);
    assert!(sending("S31").is_empty() && SignalId::SBASL1.def().code(31).is_some());
    assert_eq!(sending("G05"), ["L1CA"]);
}

#[test]
fn each_signal_is_led_by_one_component() {
    let led: Vec<&str> = ALL.iter().filter(|s| s.leads()).map(|s| s.name).collect();
    assert_eq!(led, ["B1I", "B1C-P", "B2I", "B3I", "B2a-P", "B2b-I", "L1CA", "SBAS-L1", "SBAS-L5"]);
    for signal in ALL {
        if let Some(partner) = signal.partner {
            let partner = partner.def();
            assert_eq!(partner.partner, Some(signal.id));
            assert_eq!((partner.group, partner.carrier_hz), (signal.group, signal.carrier_hz));
            assert!((partner.power_share + signal.power_share - 1.0).abs() < 1e-12);
        }
    }
}
