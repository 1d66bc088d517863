//! Written files: what the reader makes of them, and the exact columns that the format asks for.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may fail this way; helpers are not seen as tests

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use megrez_orbit::{
    CivilTime, Ecef, Ephemeris, GnssTime, Iono, KeplerEphemeris, Klobuchar, MessageDetails, NavData,
    Observation, ObservationEpoch, TimeScale,
};
use megrez_rinex::{
    FileInfo, NavFormat, ObsFileHeader, ObsWriter, read_nav, read_nav_from, write_nav, write_nav_as,
};
use megrez_signal::{Constellation, NavMessage, Sat, SignalId};

fn info() -> FileInfo {
    let date = CivilTime { year: 2026, month: 3, day: 9, hour: 12, minute: 34, second: 56.0 };
    FileInfo {
        program: "megrez 0.1.0".into(),
        run_by: String::new(),
        date: Some(GnssTime::from_civil(TimeScale::Utc, date)),
    }
}

fn written(nav: &NavData) -> String {
    let mut out = Vec::new();
    write_nav_as(&mut out, nav, &info(), NavFormat::Rinex3).unwrap();
    String::from_utf8(out).unwrap()
}

fn is_cnav(message: NavMessage) -> bool {
    matches!(message, NavMessage::Cnav1 | NavMessage::Cnav2 | NavMessage::Cnav3)
}

/// The ephemeris records of a file of version 4: satellite, message, date, numbers. Zero has one sign, fields not used
/// or not known may be blank, zero or the mark for unknown, times of transmission may be counted from another week.
fn records(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for record in text.split("> ").filter(|r| r.starts_with("EPH")) {
        let mut lines = record.lines();
        let mut words: Vec<String> = lines.next().unwrap().split_whitespace().map(str::to_string).collect();
        let glonass = words.contains(&"FDMA".to_string());
        // A fit interval left blank is written as the usual one.
        let gps = words[1].starts_with('G');
        let rows: Vec<&str> = lines.collect();
        words.push(rows[0].get(..23).unwrap().to_string());
        for (i, row) in rows.iter().enumerate() {
            let start = if i == 0 { 23 } else { 4 };
            for column in 0..if i == 0 { 3 } else { 4 } {
                let (from, to) = (start + 19 * column, start + 19 * column + 19);
                let field = row.get(from.min(row.len())..to.min(row.len())).unwrap().trim();
                let mut value: f64 = if field.is_empty() { 0.0 } else { field.parse().unwrap() };
                if i + 1 == rows.len() && column == 1 && gps && field.is_empty() {
                    value = 4.0;
                }
                if i + 1 == rows.len() && column == 0 && !glonass {
                    value = value.rem_euclid(604_800.0);
                }
                words.push(if value == 0.0 || value >= 9.9e8 { "0".into() } else { format!("{value:e}") });
            }
        }
        all.insert(words.join(" "));
    }
    all
}

#[test]
fn version_4_survives_to_the_last_digit() {
    for path in [
        "rinex/brd4-2026-068/BRD400DLR_S_20260680000_01D_MN.rnx.gz",
        "rinex/brd4-2023-071/BRD400DLR_S_20230710000_01D_MN.rnx.gz",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
        if !path.exists() {
            eprintln!("SKIPPED: {} is absent", path.display());
            continue;
        }
        let first = read_nav(&path).unwrap().nav;
        let mut out = Vec::new();
        write_nav(&mut out, &first, &info()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().find(|line| line.len() > 80), None);
        let file = read_nav_from(text.as_bytes()).unwrap();
        assert_eq!((file.version, file.skipped, file.warnings.len()), (4.02, 0, 0));
        // A field of LNAV that the file leaves blank is written with the value that it then has.
        let filled = |e: &Ephemeris| match e {
            Ephemeris::Kepler(k) if k.message == NavMessage::Lnav => {
                let gps = k.sat.constellation == Constellation::Gps;
                let mut k = k.clone();
                k.details.l2p.get_or_insert(0);
                k.details.fit_interval.get_or_insert(if gps { 4.0 } else { 0.0 });
                Ephemeris::Kepler(k)
            }
            other => other.clone(),
        };
        assert_eq!(file.nav.ephemerides().count(), first.ephemerides().count());
        for (a, b) in file.nav.ephemerides().zip(first.ephemerides()) {
            assert_eq!(*a, filled(b));
        }
        assert_eq!(file.nav.iono_history(), first.iono_history());
        assert_eq!(file.nav.galileo_iono, first.galileo_iono);
        let times = |nav: &NavData| (nav.gps_utc, nav.galileo_utc, nav.bds_utc, nav.leap_s);
        assert_eq!(times(&file.nav), times(&first));
        assert!(first.galileo_utc.is_some() && first.bds_utc.is_some() && first.offsets.len() > 20);
        assert_eq!(file.nav.offsets, first.offsets);
        assert_eq!(file.nav.earth_orientation, first.earth_orientation);
        // Against the file itself, by columns.
        let mut original = String::new();
        let packed = std::fs::File::open(&path).unwrap();
        flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut original).unwrap();
        let (original, written) = (records(&original), records(&text));
        let strange: Vec<_> = written.difference(&original).collect();
        eprintln!("{} of {} records", written.len(), original.len());
        assert!(written.len() > 9000 && strange.is_empty(), "{} {:?}", strange.len(), strange.first());
    }
}

#[test]
fn real_navigation_data_survive() {
    for path in [
        "rinex/brd4-2026-068/BRD400DLR_S_20260680000_01D_MN.rnx.gz",
        "rinex/esbc-2020-24h/ESBC00DNK_R_20201770000_01D_MN.rnx.gz",
        "iq/pocketsdr/20211125a.nav",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
        if !path.exists() {
            eprintln!("SKIPPED: {} is absent", path.display());
            continue;
        }
        let first = read_nav(&path).unwrap().nav;
        let text = written(&first);
        assert!(text.lines().all(|line| line.len() <= 80), "a line beyond column 80");
        let file = read_nav_from(text.as_bytes()).unwrap();
        assert_eq!((file.version, file.skipped, file.warnings.len()), (3.05, 0, 0));
        let expected: Vec<&Ephemeris> = first.ephemerides().filter(|e| !is_cnav(e.message())).collect();
        assert_eq!(file.nav.ephemerides().collect::<Vec<_>>(), expected);
        assert_eq!(file.nav.leap_s, first.leap_s);
        let klobuchar = |k: Option<Klobuchar>| k.map(|k| (k.alpha, k.beta));
        let rounded = |k: Option<Klobuchar>| {
            k.map(|k| {
                let round = |v: f64| format!("{v:.4e}").parse::<f64>().unwrap();
                (k.alpha.map(round), k.beta.map(round))
            })
        };
        assert_eq!(klobuchar(file.nav.gps_iono), rounded(first.gps_iono));
        assert_eq!(klobuchar(file.nav.bds_iono), rounded(first.bds_iono));
        let utc = |nav: &NavData| nav.gps_utc.map(|u| (u.leap_s, u.wn_lsf, u.dn, u.leap_future_s));
        assert_eq!(utc(&file.nav), utc(&first));
        let utc = |nav: &NavData| nav.bds_utc.map(|u| (u.leap_s, u.wn_lsf, u.dn, u.leap_future_s));
        assert_eq!(utc(&file.nav), utc(&first));
    }
}

#[test]
fn a_navigation_file_by_columns() {
    let mut nav = NavData::default();
    let toe = GnssTime::from_bdt(805, 7200.0);
    let k = Klobuchar {
        alpha: [1.1176e-8, 2.9802e-8, -4.1723e-7, 6.5565e-7],
        beta: [141_310.0, -524_290.0, 1_638_400.0, -45_875.0],
    };
    nav.insert_iono(toe + 30.0, Iono::BdsKlobuchar(k));
    nav.leap_s = Some(18);
    nav.insert(Ephemeris::from(KeplerEphemeris {
        sat: Sat::bds(26),
        message: NavMessage::D1,
        toe,
        toc: toe,
        transmit: Some(toe + 54.0),
        clock: [3.024_469_595_403e-4, 4.048_938_865_799e-11, 0.0],
        a: 5_282.631f64.powi(2),
        a_dot: 0.0,
        e: 1.107e-3,
        i0: 0.95,
        i_dot: -4.8e-10,
        omega0: -2.87,
        omega_dot: -7.39e-9,
        omega: -0.927,
        m0: -2.33,
        delta_n: 4.16e-9,
        delta_n_dot: 0.0,
        cuc: -1.62e-6,
        cus: 1.14e-5,
        crc: -352.0,
        crs: -49.0,
        cic: 1.0e-7,
        cis: -9.4e-8,
        delays: megrez_orbit::GroupDelays { tgd1: Some(-1.7e-9), ..Default::default() },
        iode: 3,
        iodc: 4,
        ura_m: None,
        health: 1,
        details: MessageDetails::default(),
    }));
    let text = written(&nav);
    let expected = "     3.05           N: GNSS NAV DATA    M: MIXED            RINEX VERSION / TYPE
megrez 0.1.0                            20260309 123456 UTC PGM / RUN BY / DATE 
BDSA   1.1176E-08  2.9802E-08 -4.1723E-07  6.5565E-07 C     IONOSPHERIC CORR    
BDSB   1.4131E+05 -5.2429E+05  1.6384E+06 -4.5875E+04 C     IONOSPHERIC CORR    
    18                                                      LEAP SECONDS        
                                                            END OF HEADER       
C26 2021 06 06 02 00 00 3.024469595403E-04 4.048938865799E-11 0.000000000000E+00
     3.000000000000E+00-4.900000000000E+01 4.160000000000E-09-2.330000000000E+00
    -1.620000000000E-06 1.107000000000E-03 1.140000000000E-05 5.282631000000E+03
     7.200000000000E+03 1.000000000000E-07-2.870000000000E+00-9.400000000000E-08
     9.500000000000E-01-3.520000000000E+02-9.270000000000E-01-7.390000000000E-09
    -4.800000000000E-10 0.000000000000E+00 8.050000000000E+02 0.000000000000E+00
     8.192000000000E+03 1.000000000000E+00-1.700000000000E-09
     7.254000000000E+03 4.000000000000E+00
";
    assert_eq!(text, expected);
    assert_eq!(read_nav_from(text.as_bytes()).unwrap().nav.bds_iono, Some(k));
}

fn observation(sat: Sat, signal: SignalId) -> Observation {
    Observation {
        sat,
        code: signal.into(),
        pseudorange_m: Some(21_345_678.123_4),
        carrier_phase_cycles: Some(-111_154_321.987_6),
        doppler_hz: Some(-1_234.567_8),
        cn0_dbhz: Some(44.26),
        slip: false,
        half_cycle: false,
        lock_s: 12.0,
    }
}

#[test]
fn an_observation_file_by_columns() {
    let first = GnssTime::from_civil(
        TimeScale::Gpst,
        CivilTime { year: 2021, month: 11, day: 25, hour: 0, minute: 40, second: 58.5 },
    );
    let mut header = ObsFileHeader {
        program: info().columns(),
        marker: "ROOF".into(),
        receiver: ["".into(), info().program, "".into()],
        approx_position: Some(Ecef::new(-3_867_123.456_7, 3_434_567.890_1, 3_717_345.678_9)),
        interval_s: Some(0.5),
        first_epoch: Some(first),
        ..ObsFileHeader::default()
    };
    let signals = [SignalId::B1I, SignalId::B1CD, SignalId::B1CP, SignalId::L1CA];
    header.set_signals(signals.map(|s| (s.def().constellation, s.into())));
    let mut writer = ObsWriter::new(Vec::new(), &header).unwrap();
    let (c, g) = (Sat::bds(26), Sat::gps(5));
    let epoch = |time, observations| ObservationEpoch { time, observations };
    let b1c = Observation { slip: true, half_cycle: true, ..observation(c, SignalId::B1CP) };
    writer
        .write(&epoch(first, vec![observation(g, SignalId::L1CA), observation(c, SignalId::B1I), b1c]))
        .unwrap();
    // No lock, no Doppler, values beyond their columns, and a time that must not show as 60 s.
    let weak = Observation {
        carrier_phase_cycles: None,
        doppler_hz: None,
        cn0_dbhz: Some(9.0),
        ..observation(g, SignalId::L1CA)
    };
    let wild = Observation {
        pseudorange_m: Some(f64::NAN),
        carrier_phase_cycles: Some(-1e10),
        half_cycle: true,
        ..observation(c, SignalId::B1I)
    };
    writer.write(&epoch(first + 1.499_999_99, vec![weak, wild])).unwrap();
    writer.write(&epoch(first + 2.0, vec![])).unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let expected = "     3.05           OBSERVATION DATA    M: MIXED            RINEX VERSION / TYPE
megrez 0.1.0                            20260309 123456 UTC PGM / RUN BY / DATE 
ROOF                                                        MARKER NAME         
                                                            OBSERVER / AGENCY   
                    megrez 0.1.0                            REC # / TYPE / VERS 
                                                            ANT # / TYPE        
 -3867123.4567  3434567.8901  3717345.6789                  APPROX POSITION XYZ 
        0.0000        0.0000        0.0000                  ANTENNA: DELTA H/E/N
C   12 C2I L2I D2I S2I C1D L1D D1D S1D C1P L1P D1P S1P      SYS / # / OBS TYPES 
G    4 C1C L1C D1C S1C                                      SYS / # / OBS TYPES 
DBHZ                                                        SIGNAL STRENGTH UNIT
     0.500                                                  INTERVAL            
  2021    11    25     0    40   58.5000000     GPS         TIME OF FIRST OBS   
C L2I                                                       SYS / PHASE SHIFT   
C L1D                                                       SYS / PHASE SHIFT   
C L1P  0.00000                                              SYS / PHASE SHIFT   
G L1C                                                       SYS / PHASE SHIFT   
                                                            END OF HEADER       
> 2021 11 25 00 40 58.5000000  0  2
C26  21345678.123 7-111154321.988 7     -1234.568          44.260                                                                    21345678.123 7-111154321.98837     -1234.568          44.260
G05  21345678.123 7-111154321.988 7     -1234.568          44.260
> 2021 11 25 00 41  0.0000000  0  2
C26                                     -1234.568          44.260
G05  21345678.123 1                                         9.000
";
    assert_eq!(text, expected);
}
