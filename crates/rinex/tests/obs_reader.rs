//! The observation reader: real files against counts and sums that an independent program made of them (of the
//! compressed one, after unpacking with CRX2RNX 4.0.8), small files with everything that may happen, damaged ones.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may fail this way; helpers are not seen as tests

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use megrez_orbit::{CivilTime, GnssTime, Observation, TimeScale};
use megrez_rinex::{ObsEpoch, ObsEventKind, ObsReader, RinexError, read_obs};
use megrez_signal::{Constellation, Sat};
use proptest::prelude::*;

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rinex").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

/// Count of values and sum of their thousandths, by system and kind ("CL": phases of BDS).
type Totals = BTreeMap<String, (u64, i64)>;

fn totals(reader: &mut ObsReader<std::fs::File>) -> (usize, usize, Totals) {
    let (mut epochs, mut slips) = (0, 0);
    let mut totals = Totals::new();
    for epoch in reader {
        epochs += 1;
        assert!(epoch.epoch.observations.is_sorted_by_key(|o| (o.sat, o.code)));
        for o in &epoch.epoch.observations {
            slips += usize::from(o.slip);
            let values = [
                ('C', o.pseudorange_m),
                ('L', o.carrier_phase_cycles),
                ('D', o.doppler_hz),
                ('S', o.cn0_dbhz),
            ];
            for (kind, value) in values {
                // The other program left out zeros, also those of Doppler.
                if let Some(value) = value.filter(|v| *v != 0.0) {
                    let total = totals.entry(format!("{}{kind}", o.sat.constellation.letter())).or_default();
                    total.0 += 1;
                    total.1 += (value * 1000.0).round() as i64;
                }
            }
        }
    }
    (epochs, slips, totals)
}

#[test]
fn a_day_of_a_permanent_station_compressed() {
    let Some(path) = shared("esbc-2020-24h/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz") else { return };
    let mut reader = read_obs(&path).unwrap();
    let header = reader.header();
    assert_eq!((header.version, header.marker.as_str()), (3.05, "ESBC00DNK"));
    assert_eq!(header.antenna, ["CR5200327016", "ASH701945E_M    SCIS"]);
    assert_eq!(header.receiver, ["3047937", "SEPT POLARX5", "5.2.0"]);
    assert_eq!(header.antenna_delta.height, 0.216);
    assert_eq!(header.approx_position.unwrap().z, 5_232_754.805_4);
    assert_eq!((header.interval_s, header.scale), (Some(30.0), TimeScale::Gpst));
    assert_eq!(header.glonass_channels.len(), 23);
    assert_eq!(header.glonass_channels[&"R10".parse::<Sat>().unwrap()], -7);
    assert_eq!(header.types[&Constellation::Galileo].len(), 20);
    assert_eq!(header.phase_shifts.len(), 22);
    let (epochs, slips, totals) = totals(&mut reader);
    assert_eq!(reader.warnings(), Vec::<String>::new());
    assert_eq!((epochs, slips), (2880, 490));
    let expected = [
        ("CC", 65120, 2015312102460844),
        ("CD", 65120, -3879050946),
        ("CL", 63684, 9133526575493934),
        ("CS", 65120, 2608552500),
        ("EC", 108871, 2794414923207401),
        ("ED", 108871, -13610297841),
        ("EL", 107604, 11870831543806797),
        ("ES", 108871, 4391362250),
        ("GC", 135896, 3153672427983740),
        ("GD", 103117, -6453649377),
        ("GL", 102350, 10545820697329723),
        ("GS", 135896, 5131695000),
        ("JC", 4301, 190291193213076),
        ("JD", 4301, -383028827),
        ("JL", 4301, 843214627788916),
        ("JS", 4301, 140226500),
        ("RC", 99677, 2183415110743910),
        ("RD", 99677, -8570610473),
        ("RL", 98090, 10161995161446021),
        ("RS", 99677, 4166878500),
        ("SC", 18185, 722474348153041),
        ("SD", 18184, -18895489),
        ("SL", 18185, 3496660312375510),
        ("SS", 18185, 668992500),
    ];
    let expected: Totals = expected.into_iter().map(|(k, n, sum)| (k.to_string(), (n, sum))).collect();
    assert_eq!(totals, expected);
}

#[test]
fn files_with_pseudo_observables_and_odd_columns() {
    let files = [
        (
            "nagoya-2024-rtk/rover.obs.gz",
            301,
            10,
            [("CL", 18989, 3012540559568161), ("JC", 2709, 101510539462890)],
        ),
        ("nagoya-2024-rtk/base.obs.gz", 301, 8, [("EL", 7142, 810190103189268), ("GD", 11054, 2674702720)]),
        (
            "wettzell-2020-rtk/WTZR00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz",
            120,
            5,
            [("IL", 431, 66591572353214), ("RC", 2880, 62745549739823)],
        ),
        (
            "wettzell-2020-rtk/WTZZ00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz",
            120,
            95,
            [("CC", 6146, 175208892884796), ("SD", 1200, -2928238)],
        ),
    ];
    for (path, epochs, slips, sums) in files {
        let Some(path) = shared(path) else { return };
        let mut reader = read_obs(&path).unwrap();
        let (found_epochs, found_slips, totals) = totals(&mut reader);
        assert_eq!(reader.warnings(), Vec::<String>::new());
        assert_eq!((found_epochs, found_slips), (epochs, slips), "{}", path.display());
        for (key, count, sum) in sums {
            assert_eq!(totals[key], (count, sum), "{} {key}", path.display());
        }
    }
}

fn gpst(hour: u8, minute: u8, second: f64) -> GnssTime {
    GnssTime::from_civil(TimeScale::Gpst, CivilTime { year: 2005, month: 3, day: 24, hour, minute, second })
}

fn read(text: &str) -> (Vec<ObsEpoch>, Vec<String>) {
    let mut reader = ObsReader::new(text.as_bytes()).unwrap();
    let epochs = reader.by_ref().collect();
    (epochs, reader.warnings().to_vec())
}

/// Satellite, code, pseudorange, phase of each observation of an epoch.
fn short(epoch: &ObsEpoch) -> Vec<(String, Option<f64>, Option<f64>)> {
    let name = |o: &Observation| format!("{} {}", o.sat, o.code);
    epoch.epoch.observations.iter().map(|o| (name(o), o.pseudorange_m, o.carrier_phase_cycles)).collect()
}

fn labelled(lines: &[(&str, &str)]) -> String {
    lines.iter().map(|(content, label)| format!("{content:<60}{label}\n")).collect()
}

/// A file of RINEX 2.11 with a power failure, events, a record of slips, more than 12 satellites, two pseudoranges of
/// band 2.
fn rinex2() -> String {
    let head = labelled(&[
        ("     2.11           OBSERVATION DATA    M (MIXED)", "RINEX VERSION / TYPE"),
        ("     7    C1    P2    C2    L1    L2    S1    S2", "# / TYPES OF OBSERV"),
        ("  2005     3    24    13    10   36.0000000     GPS", "TIME OF FIRST OBS"),
        ("", "END OF HEADER"),
    ]);
    let sats = "G12G 9 05R21E11S20";
    let mut body = format!(" 05  3 24 13 10 36.0000000  1  6{sats:36} -.123456789\n");
    let f = |v: f64, flags: &str| format!("{v:14.3}{flags:2}");
    let blank = " ".repeat(16);
    // G12: both pseudoranges of band 2; G09: C2 alone; G05: phase alone.
    body += &(f(23629347.915, "") + &f(1.5, "") + &f(2.5, "") + &f(-353.27, "48") + &f(-136.99, "4"));
    body += &format!("\n{}{}\n", f(49.5, ""), f(36.25, ""));
    body += &(f(20891534.648, "") + &blank + &f(3.5, "") + &f(-120.0, "39") + &f(-358.605, "6"));
    body += "\n\n";
    body += &(blank.repeat(3) + &f(7.0, "") + "\n\n");
    body += &format!("{}\n\n{}\n\n{}\n\n", f(4.0, ""), f(5.0, ""), f(6.0, ""));
    // Header lines; they say that S1 and S2 come no more. The event has no time.
    body += "                            4  2\n";
    body += &labelled(&[
        ("     5    C1    P2    C2    L1    L2", "# / TYPES OF OBSERV"),
        ("  4375274.0000   587466.0000  4589095.0000", "APPROX POSITION XYZ"),
    ]);
    body += " 05  3 24 13 10 50.0000000  5  0\n";
    body += " 05  3 24 13 10 52.0000000  6  1G12\n";
    body += &format!("{}{}\n", blank.repeat(3), f(3.0, ""));
    let many: Vec<String> = (1..=14).map(|prn| format!("G{prn:02}")).collect();
    body += &format!(
        " 05  3 24 13 10 54.0000000  0 14{}\n{:32}{}\n",
        many[..12].concat(),
        "",
        many[12..].concat()
    );
    for prn in 1..=14 {
        body += &format!("{}{}{}\n", f(f64::from(prn), ""), blank.repeat(2), f(f64::from(prn) + 0.5, ""));
    }
    head + &body
}

#[test]
fn version_2_with_events() {
    let text = rinex2();
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        let (epochs, warnings) = read(&text);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(epochs.len(), 2);
        let (first, second) = (&epochs[0], &epochs[1]);
        assert!(first.power_failure && first.events.is_empty());
        assert_eq!((first.epoch.time, first.clock_offset_s), (gpst(13, 10, 36.0), Some(-0.123456789)));
        let some = |name: &str, c, l| (name.to_string(), c, l);
        assert_eq!(
            short(first),
            [
                some("G05 1C", None, Some(7.0)),
                some("G09 1C", Some(20891534.648), Some(-120.0)),
                some("G09 2X", Some(3.5), Some(-358.605)),
                some("G12 1C", Some(23629347.915), Some(-353.27)),
                some("G12 2W", Some(1.5), Some(-136.99)),
                some("G12 2X", Some(2.5), None),
                some("E11 1X", Some(5.0), None),
                some("R21 1C", Some(4.0), None),
                some("S20 1C", Some(6.0), None),
            ]
        );
        let g09 = first.epoch.observations[1];
        assert!(g09.slip && g09.half_cycle && g09.cn0_dbhz.is_none());
        assert_eq!(first.epoch.observations[3].cn0_dbhz, Some(49.5));
        assert!(!first.epoch.observations[3].half_cycle, "bit 2 of the indicator says something else");

        let kinds: Vec<_> = second.events.iter().map(|e| (e.kind, e.time)).collect();
        let expected =
            [(ObsEventKind::HeaderLines, None), (ObsEventKind::External, Some(gpst(13, 10, 50.0)))];
        assert_eq!(kinds, expected);
        assert_eq!(second.epoch.observations.len(), 14);
        let slipped: Vec<_> = second.epoch.observations.iter().filter(|o| o.slip).map(|o| o.sat).collect();
        assert_eq!(slipped, [Sat::gps(12)]);
        assert_eq!(short(second)[13], some("G14 1C", Some(14.0), Some(14.5)));
    }
    let mut reader = ObsReader::new(text.as_bytes()).unwrap();
    assert_eq!(reader.header().approx_position, None);
    assert_eq!(reader.by_ref().count(), 2);
    assert_eq!(reader.header().approx_position.unwrap().x, 4_375_274.0);
}

const HEAD3: &str = "     3.02           OBSERVATION DATA    C                   RINEX VERSION / TYPE
C    8 X1  C1I L1I S1I I1I L1Q C6I L6I                      SYS / # / OBS TYPES
C   10   1 C6I                                              SYS / SCALE FACTOR
  2005    12    31    23    59   46.0000000     BDT         TIME OF FIRST OBS
                                                            END OF HEADER
";

#[test]
fn version_3_02_in_beidou_time_with_scale_factors() {
    let line = |prn: u8, c: f64, l: f64, lli: char| {
        format!(
            "C{prn:02}{:14.3}  {c:14.3}  {l:14.3}{lli} {:14.3}  {:16}{:14.3} 3{:14.3}  {:14.3}\n",
            9.0, 45.5, "", 0.0, 250.0, 8.0
        )
    };
    let mut text = HEAD3.to_string();
    text +=
        &format!("> 2005 12 31 23 59 46.0000000  0  2\n{}{}", line(7, 1.0, 2.0, ' '), line(6, 3.0, 4.0, '1'));
    text +=
        &format!("> 2005 12 31 23 59 47.0000000  0  2\n{}{}", line(6, 3.0, 4.0, ' '), line(7, 1.0, 0.0, ' '));
    text +=
        &format!("> 2006 01 01 00 00  6.0000000  0  2\n{}{}", line(6, 3.0, 4.0, '2'), line(7, 1.0, 5.0, ' '));
    let (epochs, warnings) = read(&text);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(epochs[2].epoch.time, GnssTime::from_bdt(0, 6.0));
    assert_eq!(epochs[1].epoch.time - epochs[0].epoch.time, 1.0);
    let some = |name: &str, c, l| (name.to_string(), Some(c), Some(l));
    let first = short(&epochs[0]);
    assert_eq!(
        first,
        [
            some("C06 2I", 3.0, 4.0),
            some("C06 6I", 25.0, 8.0),
            some("C07 2I", 1.0, 2.0),
            some("C07 6I", 25.0, 8.0),
        ]
    );
    let of = |epoch: usize, at: usize| epochs[epoch].epoch.observations[at];
    assert!(of(0, 0).slip && !of(1, 0).slip && of(2, 0).half_cycle);
    // A slip of L1Q alone, which has no phase, announces the slip of a later phase; it gives no observation.
    let locks: Vec<f64> = (0..3).map(|epoch| of(epoch, 0).lock_s).collect();
    assert_eq!(locks, [0.0, 1.0, 20.0]);
    assert_eq!((of(1, 2).carrier_phase_cycles, of(2, 2).lock_s), (None, 0.0), "away for an epoch");
}

#[test]
fn compressed_files_are_what_they_were_made_of() {
    for (compact, plain) in [(COMPACT1, PLAIN1), (COMPACT3, PLAIN3)] {
        let (mut found, warnings) = read(compact);
        assert_eq!(warnings, Vec::<String>::new());
        let (mut expected, warnings) = read(plain);
        assert_eq!(warnings, Vec::<String>::new());
        assert!(expected.len() >= 5 && expected.iter().any(|e| !e.events.is_empty()));
        assert!(expected.iter().any(|e| e.clock_offset_s.is_some()));
        assert!(expected.iter().any(|e| e.epoch.observations.iter().any(|o| o.slip)));
        for epoch in found.iter_mut().chain(&mut expected) {
            epoch.line = 0;
            epoch.events.iter_mut().for_each(|event| event.line = 0);
        }
        assert_eq!(found, expected);
    }
}

/// Reads `text` without each of `lines` in turn: every epoch then found is one of the whole text. Returns how many were
/// found, and how many there are.
fn without_a_line(text: &str, lines: std::ops::Range<usize>) -> (usize, usize) {
    let all: Vec<&str> = text.lines().collect();
    let (whole, warnings) = read(text);
    assert_eq!(warnings, Vec::<String>::new());
    let (mut found, mut there) = (0, 0);
    for lost in lines {
        let rest: Vec<&str> = all.iter().enumerate().filter(|(i, _)| *i != lost).map(|(_, l)| *l).collect();
        let (epochs, _) = read(&(rest.join("\n") + "\n"));
        for epoch in &epochs {
            let same = whole.iter().find(|e| e.epoch.time == epoch.epoch.time);
            let same = same.unwrap_or_else(|| panic!("without line {lost}: {:?}", epoch.epoch.time));
            let values = |e: &ObsEpoch| -> Vec<_> {
                let of =
                    |o: &Observation| (o.sat, o.code, o.pseudorange_m, o.carrier_phase_cycles, o.doppler_hz);
                e.epoch.observations.iter().map(of).collect()
            };
            assert_eq!(values(epoch), values(same), "without line {lost}");
        }
        found += epochs.len();
        there += whole.len();
    }
    (found, there)
}

#[test]
fn a_lost_line_of_a_compressed_file_gives_nothing_wrong() {
    let Some(path) = shared("esbc-2020-24h/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz") else { return };
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).take(400_000);
    unpacked.read_to_string(&mut text).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let heads = |l: &[&str]| -> Vec<usize> {
        // The epoch lines that are differences, and the line after each, of the clock, is empty.
        (1..l.len()).filter(|&i| l[i].is_empty()).map(|i| i - 1).collect()
    };
    let heads = heads(&lines);
    lines.truncate(heads[16]);
    let text = lines.join("\n") + "\n";
    let (found, there) = without_a_line(&text, heads[9]..heads[11]);
    let tried = heads[11] - heads[9];
    assert_eq!(there, 16 * tried);
    // Nine or ten are before the loss; the last of them may be in doubt.
    assert!(found >= 8 * tried && found <= 11 * tried, "{found} of {there}");
    let (epochs, warnings) = read(&text.replacen(&(lines[heads[9]].to_string() + "\n\n"), "\n", 1));
    assert!(epochs.len() < 16 && warnings.len() == 1, "{} {warnings:?}", epochs.len());
}

#[test]
fn slips_told_twice_are_one() {
    let row = |lli: char| format!("C06{:16}{:14.3}  {:14.3}{lli}\n", "", 21e6, 1e8);
    let epoch = |second: u8, lli| format!("> 2005 12 31 23 59 {second:02}.0000000  0  1\n{}", row(lli));
    let slip = format!("> 2005 12 31 23 59 01.5000000  6  1\n{}", row(' '));
    let text = HEAD3.to_string() + &epoch(1, ' ') + &slip + &epoch(2, '1') + &epoch(3, ' ');
    let (epochs, _) = read(&text);
    let slips: Vec<bool> = epochs.iter().map(|e| e.epoch.observations[0].slip).collect();
    assert_eq!(slips, [false, true, false]);
}

#[test]
fn files_that_are_no_observation_files() {
    let error = |text: &[u8]| ObsReader::new(text).err().unwrap();
    assert!(matches!(error(b""), RinexError::NotRinex));
    assert!(matches!(error(b"\x1f\x9d\x90"), RinexError::Packed { .. }));
    let nav = HEAD3.replace("OBSERVATION DATA", "N: GNSS NAV DATA");
    assert_eq!(
        error(nav.as_bytes()).to_string(),
        "line 1: a RINEX file of type \"N: GNSS NAV DATA\", not an observation file"
    );
    assert!(matches!(error(HEAD3.replace("3.02", "5.02").as_bytes()), RinexError::Version { .. }));
    assert!(matches!(
        error(HEAD3.split("END").next().unwrap().as_bytes()),
        RinexError::NoEndOfHeader { line: 5 }
    ));
    let no_types = HEAD3.replace("SYS / # / OBS TYPES", "COMMENT");
    assert!(matches!(error(no_types.as_bytes()), RinexError::NoTypes { line: 5 }));
    // Noise without a line end, and with.
    let noise: Vec<u8> = (0..2_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(matches!(error(&noise), RinexError::NotRinex));
    let mut reader = ObsReader::new(std::io::Read::chain(HEAD3.as_bytes(), noise.as_slice())).unwrap();
    assert_eq!(reader.by_ref().count(), 0);
    assert!(reader.warning_count() > 0);
}

#[test]
fn good_epochs_after_damage() {
    let row = |prn: u8| format!("C{prn:02}{:16}{:14.3}  {:14.3}\n", "", 21e6 + f64::from(prn), 1e8);
    let epoch = |second: u8| format!("> 2005 12 31 23 59 {second:02}.0000000  0  2\n{}{}", row(6), row(7));
    let text = HEAD3.to_string()
        + &epoch(1)
        + &epoch(2).replace("C07", "Q07")
        + &epoch(3).replace("2100000", "21x0000")
        + &epoch(4).lines().take(2).collect::<Vec<_>>().join("\n")
        + "\n"
        + &epoch(5).replace("  0  2", "  9  2")
        + &epoch(6).replace("2005", "20 5")
        + "lost lines\nlost lines\n"
        + &epoch(7);
    let (epochs, warnings) = read(&text);
    let counts: Vec<(i64, usize)> =
        epochs.iter().map(|e| ((e.epoch.time.bdt().1 as i64) % 60, e.epoch.observations.len())).collect();
    assert_eq!(counts, [(1, 2), (2, 1), (3, 2), (4, 1), (7, 2)]);
    assert_eq!(
        warnings,
        [
            "line 11: \"Q07\" is no satellite",
            "line 13: C06: a value is not a number",
            "line 14: C07: a value is not a number",
            "line 17: the epoch before has 1 satellites, not 2",
            "line 17: no epoch starts here; skipped up to the next one",
        ]
    );
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        bytes in proptest::collection::vec((0usize..3000, any::<u8>()), 1..40),
        compact in any::<bool>(),
        cut in 0usize..4000,
    ) {
        let mut text = if compact { COMPACT3.as_bytes().to_vec() } else { rinex2().into_bytes() };
        for (at, byte) in bytes {
            let length = text.len();
            text[at % length] = byte;
        }
        text.truncate(cut.max(200));
        if let Ok(reader) = ObsReader::new(text.as_slice()) {
            for epoch in reader.take(100) {
                for o in &epoch.epoch.observations {
                    prop_assert!(o.pseudorange_m.is_none_or(f64::is_finite));
                }
            }
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), two in any::<bool>()) {
        let _ = ObsReader::new(bytes.as_slice());
        let head = if two { rinex2().split("13 10 36.0000000  1").next().unwrap().to_string() } else { HEAD3.to_string() };
        let reader = ObsReader::new(std::io::Read::chain(head.as_bytes(), bytes.as_slice())).unwrap();
        prop_assert!(reader.count() < 100);
    }
}

/// A small file of RINEX 2.11.
const PLAIN1: &str = "     2.11           OBSERVATION DATA    M (MIXED)           RINEX VERSION / TYPE
     2    C1    L1                                          # / TYPES OF OBSERV
  2005     3    24    13    10   36.0000000     GPS         TIME OF FIRST OBS
                                                            END OF HEADER
 05  3 24 13 10 36.0000000  0  2G12G 9                               -.123456789
  23629347.915        -353.27048
  20891534.648        -120.0001
 05  3 24 13 10 37.0000000  1  2G12G 9                               -.123455789
  23629348.015        -354.27048
                      -121.00019
                            4  1
  4375274.0000   587466.0000  4589095.0000                  APPROX POSITION XYZ
 05  3 24 13 10 38.0000000  0  2G12G05
  23629348.105        -354.770 8
  20000000.000
 05  3 24 13 10 39.0000000  0  1G05
  20000001.500           7.250
 05  3 24 13 10 40.0000000  0  2G05R21
  20000003.500           8.250
  19000000.000   100000000.000
";

/// `PLAIN1` compressed by RNX2CRX 4.0.8: version 1 of the format.
const COMPACT1: &str = "1.0                 COMPACT RINEX FORMAT                    CRINEX VERS   / TYPE
RNX2CRX ver.4.1.0                       24-Nov-26 17:14     CRINEX PROG / DATE
     2.11           OBSERVATION DATA    M (MIXED)           RINEX VERSION / TYPE
     2    C1    L1                                          # / TYPES OF OBSERV
  2005     3    24    13    10   36.0000000     GPS         TIME OF FIRST OBS
                                                            END OF HEADER
&05  3 24 13 10 36.0000000  0  2G12G 9
3&-123456789
3&23629347915 3&-353270   48
3&20891534648 3&-120000   1
                 7          1
1000
100 -1000
 -1000    9
&                           4  1
  4375274.0000   587466.0000  4589095.0000                  APPROX POSITION XYZ
&05  3 24 13 10 38.0000000  0  2G12G05

3&23629348105 3&-354770    8
3&20000000000
                 9             1 05&&&

1500 3&7250
                40             2   R21

500 1000
3&19000000000 3&100000000000
";

/// A small file of RINEX 3.04.
const PLAIN3: &str = "     3.04           OBSERVATION DATA    M (MIXED)           RINEX VERSION / TYPE
C    4 C2I L2I D2I S2I                                      SYS / # / OBS TYPES
G    2 C1C L1C                                              SYS / # / OBS TYPES
  2020     6    25     0     0    0.0000000     GPS         TIME OF FIRST OBS
                                                            END OF HEADER
> 2020 06 25 00 00 00.0000000  0  2       0.000123456789
C05  40715949.461   212018673.071 6        -2.196          34.500
G02  22715949.461   112018673.071
> 2020 06 25 00 00 30.0000000  0  2       0.000123456889
C05  40715960.961   212018676.071 6        -2.196          35.500
G02  22715948.461   112018662.82117
> 2020 06 25 00 01 00.0000000  0  1
C05  40715972.461   212018697.071          -2.196          36.500
> 2020 06 25 00 01 30.0000000  0  2
C05  40715983.961   212018754.0713         -2.196          37.500
G02  22715946.461   112018580.821
> 2020 06 25 00 02 00.0000000  0  2
C05  40715995.461   212018865.071          -2.196          38.500
G02  22715945.461   112018509.071
> 2020 06 25 00 02 10.0000000  4  1
MOVED                                                       COMMENT
> 2020 06 25 00 02 30.0000000  0  1       0.000000000100
G02  22715944.461   112018416.821
";

/// `PLAIN3` compressed by RNX2CRX 4.0.8: version 3 of the format.
const COMPACT3: &str = "3.0                 COMPACT RINEX FORMAT                    CRINEX VERS   / TYPE
RNX2CRX ver.4.1.0                       24-Nov-26 17:14     CRINEX PROG / DATE
     3.04           OBSERVATION DATA    M (MIXED)           RINEX VERSION / TYPE
C    4 C2I L2I D2I S2I                                      SYS / # / OBS TYPES
G    2 C1C L1C                                              SYS / # / OBS TYPES
  2020     6    25     0     0    0.0000000     GPS         TIME OF FIRST OBS
                                                            END OF HEADER
> 2020 06 25 00 00 00.0000000  0  2      C05G02
3&123456789
3&40715949461 3&212018673071 3&-2196 3&34500 &&&6&&&&
3&22715949461 3&112018673071 &&&&
                   3
100
11500 3000 0 1000
-1000 -10250   17
                 1 0              1         &&&

0 18000 0 0    &
                   3              2         G02

0 18000 0 0   3
3&22715946461 3&112018580821 &&&&
                 2 0

0 18000 0 0   &
-1000 -71750
> 2020 06 25 00 02 10.0000000  4  1
MOVED                                                       COMMENT
> 2020 06 25 00 02 30.0000000  0  1      G02
3&100
3&22715944461 3&112018416821 &&&&
";
