//! Codes against figures that others made.
//!
//! The SHA-256 sums cover every chip of every satellite and stand beside the project, in
//! `../shared/icd/codes`; where that folder is absent, the octal first and last chips printed in the
//! interface documents still bind a few satellites.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking

use megrez_signal::{ALL, SignalId};
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
    check("gps_qzss_sbas_l1ca.csv", 32, |prn| SignalId::L1CA.def().code(prn));
    check("bds_b1c_pilot_secondary.csv", 63, |prn| {
        SignalId::B1CP.def().secondary(prn).map(|code| code.chips)
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
    // BDS-SIS-ICD-B1C-1.0 Tables 5-1 and 5-2, first and last 24 chips.
    for (id, first, last) in
        [(SignalId::B1CD, "53773116", "42711657"), (SignalId::B1CP, "71676756", "13053205")]
    {
        let chips = id.def().code(1).unwrap();
        assert_eq!((octal(&chips[..24]).as_str(), octal(&chips[10_206..]).as_str()), (first, last), "{id}");
    }
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
    assert_eq!("L1 C/A".parse(), Ok(SignalId::L1CA));
    assert!("L9".parse::<SignalId>().is_err());
}
