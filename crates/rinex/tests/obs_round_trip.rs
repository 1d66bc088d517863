//! Observation files read, written and read again; and what RTKLIB, an independent program, makes of the originals and
//! of ours. RTKLIB's part runs where its `rnx2rtkp` is installed (package rtklib of Debian).

#![allow(clippy::unwrap_used, clippy::panic)] // a test may fail this way; helpers are not seen as tests

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use megrez_orbit::{CivilTime, GnssTime, TimeScale};
use megrez_rinex::{
    FileInfo, NavFormat, ObsEpoch, ObsFileHeader, ObsReader, ObsWriter, read_nav, read_obs, write_nav_as,
};

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rinex").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

/// The file at `path`, and what we write of it.
fn rewritten(path: &Path, version: f64) -> (ObsFileHeader, Vec<ObsEpoch>, Vec<u8>) {
    let mut reader = read_obs(path).unwrap();
    let epochs: Vec<ObsEpoch> = reader.by_ref().collect();
    let header = ObsFileHeader { version, ..reader.header().clone() };
    let mut writer = ObsWriter::new(Vec::new(), &header).unwrap();
    for epoch in &epochs {
        writer.write(&epoch.epoch).unwrap();
    }
    (header, epochs, writer.finish().unwrap())
}

const FILES: [&str; 5] = [
    "esbc-2020-24h/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz",
    "nagoya-2024-rtk/rover.obs.gz",
    "nagoya-2024-rtk/base.obs.gz",
    "wettzell-2020-rtk/WTZR00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz",
    "wettzell-2020-rtk/WTZZ00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz",
];

#[test]
fn every_observation_survives() {
    for (i, path) in FILES.into_iter().enumerate() {
        let Some(path) = shared(path) else { return };
        let version = if i % 2 == 0 { 3.05 } else { 4.02 };
        let (header, epochs, bytes) = rewritten(&path, version);
        let mut reader = ObsReader::new(bytes.as_slice()).unwrap();
        let mut count = 0;
        for (found, expected) in reader.by_ref().zip(&epochs) {
            assert_eq!(found.epoch, expected.epoch, "{} line {}", path.display(), expected.line);
            count += 1;
        }
        assert_eq!((count, reader.next()), (epochs.len(), None));
        assert_eq!(reader.warnings(), Vec::<String>::new());
        let h = reader.header();
        assert_eq!((h.version, h.scale, h.leap_s), (version, header.scale, header.leap_s));
        assert_eq!((&h.marker, &h.antenna, &h.receiver), (&header.marker, &header.antenna, &header.receiver));
        assert_eq!((h.approx_position, h.antenna_delta), (header.approx_position, header.antenna_delta));
        assert_eq!((h.first_epoch, h.interval_s), (header.first_epoch, header.interval_s));
        assert_eq!(h.glonass_channels, header.glonass_channels);
        assert_eq!(h.glonass_biases_m, header.glonass_biases_m);
        for (constellation, types) in &h.types {
            let expected: Vec<_> = header.types[constellation].iter().flatten().copied().collect();
            assert_eq!(types.iter().flatten().copied().collect::<Vec<_>>(), expected);
        }
        if version < 4.0 {
            assert!(header.phase_shifts.iter().all(|shift| h.phase_shifts.contains(shift)));
        }
    }
}

#[test]
fn a_beidou_file_keeps_its_own_time() {
    let t = |scale, second| {
        GnssTime::from_civil(scale, CivilTime { year: 2026, month: 3, day: 9, hour: 0, minute: 0, second })
    };
    let Some(path) = shared(FILES[1]) else { return };
    let (mut header, epochs, _) = rewritten(&path, 3.05);
    header.types.retain(|constellation, _| constellation.letter() == 'C');
    (header.scale, header.first_epoch, header.last_epoch) =
        (TimeScale::Bdt, Some(t(TimeScale::Gpst, 14.0)), None);
    let mut writer = ObsWriter::new(Vec::new(), &header).unwrap();
    let mut epoch = epochs[0].epoch.clone();
    epoch.time = t(TimeScale::Gpst, 14.5);
    writer.write(&epoch).unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert!(text.contains("  2026     3     9     0     0    0.0000000     BDT         TIME OF FIRST OBS"));
    assert!(text.contains("> 2026 03 09 00 00  0.5000000  0"));
    let mut reader = ObsReader::new(text.as_bytes()).unwrap();
    assert_eq!(reader.next().unwrap().epoch.time, epoch.time);
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// RTKLIB's solutions, without its comments.
fn rtklib(obs: &Path, nav: &Path) -> Vec<String> {
    let out =
        Command::new("rnx2rtkp").args(["-p", "0", "-sys", "G,E,R,C"]).args([obs, nav]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().filter(|line| !line.starts_with('%')).map(str::to_string).collect()
}

#[test]
fn rtklib_solves_what_we_write_as_it_solves_the_original() {
    if Command::new("rnx2rtkp").output().is_err() {
        eprintln!("SKIPPED: rnx2rtkp is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let cases = [
        (FILES[1], "nagoya-2024-rtk/base.nav", 301),
        (FILES[3], "esbc-2020-24h/ESBC00DNK_R_20201770000_01D_MN.rnx.gz", 120),
        (FILES[4], "esbc-2020-24h/ESBC00DNK_R_20201770000_01D_MN.rnx.gz", 120),
    ];
    for (obs, nav, epochs) in cases {
        let (Some(obs), Some(nav)) = (shared(obs), shared(nav)) else { return };
        let nav_bytes = if nav.extension().is_some_and(|e| e == "gz") {
            unpacked(&nav)
        } else {
            std::fs::read(&nav).unwrap()
        };
        let original = rtklib(&file("a.obs", &unpacked(&obs)), &file("a.nav", &nav_bytes));
        assert_eq!(original.len(), epochs, "{}", obs.display());
        let mut ours = Vec::new();
        write_nav_as(&mut ours, &read_nav(&nav).unwrap().nav, &FileInfo::default(), NavFormat::Rinex3)
            .unwrap();
        let ours = file("b.nav", &ours);
        for version in [3.05, 4.02] {
            let (.., bytes) = rewritten(&obs, version);
            let found = rtklib(&file("b.obs", &bytes), &ours);
            let different = found.iter().zip(&original).filter(|(a, b)| a != b).count();
            assert_eq!((found.len(), different), (epochs, 0), "{} as {version}", obs.display());
        }
    }
}
