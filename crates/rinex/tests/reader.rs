//! The navigation reader on real files whose contents were counted by other means, and on damaged input.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may fail this way; helpers are not seen as tests

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use megrez_orbit::{GnssTime, Iono, TimeScale};
use megrez_rinex::{RinexError, read_nav, read_nav_from};
use megrez_signal::{NavMessage, Sat};
use proptest::prelude::*;

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

#[test]
fn day_of_2026_in_version_4_02() {
    let Some(path) = shared("rinex/brd4-2026-068/BRD400DLR_S_20260680000_01D_MN.rnx.gz") else { return };
    let file = read_nav(&path).unwrap();
    assert_eq!(file.version, 4.02);
    assert_eq!(file.warnings, Vec::<String>::new());
    let kinds = [
        ("BDS B-CNAV1", 1246),
        ("BDS B-CNAV2", 2177),
        ("BDS B-CNAV3", 700),
        ("BDS D1", 963),
        ("BDS D2", 194),
        ("Galileo F/NAV", 2892),
        ("Galileo I/NAV", 2944),
        ("GLONASS", 1370),
        ("GPS LNAV", 418),
        ("QZSS LNAV", 105),
        ("ionosphere", 28),
        ("earth orientation", 30),
    ];
    for (kind, count) in kinds {
        assert_eq!(file.kinds[kind], count, "{kind}");
    }
    // Every "> " line of the file is a record.
    assert_eq!(file.records + file.skipped, 23_680);
    let nav = &file.nav;
    assert_eq!(nav.leap_s, Some(18));
    assert_eq!(nav.iono_history().len(), 26);
    assert_eq!(nav.bdgim.unwrap().alpha[0], 30.0);
    let bds = nav.bds_utc.unwrap();
    assert_eq!((bds.leap_s, bds.leap_future_s), (4, 4));
    let gps = nav.gps_utc.unwrap();
    assert_eq!((gps.leap_s, gps.wn_lsf, gps.dn), (18, 1929, 7));
    assert_eq!(gps.offset_s(gps.tot), 18.0 + gps.a0);
    assert!(nav.offsets.iter().any(|o| (o.from, o.to) == (TimeScale::Bdt, TimeScale::Gst)));

    // The first B-CNAV1 record, field by field.
    let mut k = nav.ephemerides_of(Sat::bds(19)).iter().filter_map(|e| e.kepler());
    let k = k.find(|k| k.message == NavMessage::Cnav1).unwrap();
    assert_eq!(k.toc, GnssTime::from_bdt(1053, 86_400.0));
    assert_eq!(k.toe, k.toc);
    assert_eq!(k.clock, [-9.632943547331e-4, 4.532374475730e-12, 0.0]);
    assert_eq!((k.a_dot, k.crs, k.delta_n), (4.528999328613e-3, -15.71484375, 3.359604226715e-9));
    assert_eq!((k.a, k.delta_n_dot), (5282.631603676f64.powi(2), -3.496588169254e-14));
    assert_eq!((k.delays.isc_b1cd, k.delays.tgd_b1cp), (Some(-8.731149137020e-10), Some(9.487848728895e-9)));
    assert_eq!((k.delays.tgd_b2ap, k.iode, k.iodc), (Some(1.222360879183e-9), 24, 24));
    assert_eq!(k.health, 0);
}

#[test]
fn day_of_2023_in_version_4_00() {
    let Some(path) = shared("rinex/brd4-2023-071/BRD400DLR_S_20230710000_01D_MN.rnx.gz") else { return };
    let file = read_nav(&path).unwrap();
    assert_eq!(file.warnings, Vec::<String>::new());
    for (kind, count) in [("BDS B-CNAV1", 634), ("BDS D1", 893), ("BDS D2", 168), ("GPS LNAV", 428)] {
        assert_eq!(file.kinds[kind], count, "{kind}");
    }
    // The set that C02 sent at 03:59:30 is the one in force at 04:00.
    let t = GnssTime::from_bdt(897, 4.0 * 3600.0);
    let Iono::BdsKlobuchar(k) =
        file.nav.iono_at(megrez_signal::Constellation::Bds, megrez_signal::SignalId::B1I, t)
    else {
        panic!("no BDS set")
    };
    assert_eq!(k.alpha[3], 4.887580871582e-06);
    assert_eq!(k.beta[0], 8.6016e4);
    let Iono::Bdgim(b) =
        file.nav.iono_at(megrez_signal::Constellation::Bds, megrez_signal::SignalId::B1CP, t + 60.0)
    else {
        panic!("no BDGIM")
    };
    assert_eq!(b.alpha, [35.125, 1.875, 11.75, 13.75, -17.0, 1.0, 1.125, 2.875, 0.875]);
}

#[test]
fn rtklib_file_with_d_exponents() {
    let Some(path) = shared("iq/pocketsdr/20211125a.nav") else { return };
    let file = read_nav(&path).unwrap();
    assert_eq!(file.warnings, Vec::<String>::new());
    let sats = |letter| file.nav.sats().filter(|s| s.constellation.letter() == letter).count();
    assert_eq!((sats('C'), sats('G')), (17, 11));
    assert!(file.skipped >= 8, "Galileo and QZSS records: {}", file.skipped);
    assert_eq!(file.nav.gps_iono.unwrap().beta[3], 0.7209e6);
    let utc = file.nav.gps_utc.unwrap();
    assert_eq!((utc.a0, utc.leap_s, utc.wn_lsf, utc.dn), (0.2793967724e-8, 18, 2185, 7));
    let k = file.nav.ephemerides_of(Sat::bds(28))[0].kepler().unwrap().clone();
    assert_eq!((k.toe, k.toc), (GnssTime::from_bdt(829, 342_000.0), GnssTime::from_bdt(829, 342_000.0)));
    assert_eq!(k.transmit, Some(GnssTime::from_bdt(829, 345_540.0)));
    assert_eq!((k.iode, k.iodc, k.ura_m, k.delays.tgd1), (1, 1, Some(2.0), Some(-4.4e-9)));
}

#[test]
fn version_3_files() {
    for (path, bds, gps) in [
        ("rinex/nagoya-2024-rtk/base.nav", true, true),
        ("rinex/esbc-2020-24h/ESBC00DNK_R_20201770000_01D_MN.rnx.gz", true, true),
    ] {
        let Some(path) = shared(path) else { return };
        let file = read_nav(&path).unwrap();
        assert_eq!(file.warnings, Vec::<String>::new(), "{}", path.display());
        let has = |letter| file.nav.sats().any(|s| s.constellation.letter() == letter);
        assert_eq!((has('C'), has('G')), (bds, gps));
        assert!(file.nav.gps_iono.is_some());
        assert!(has('E') && has('R') && has('J'));
    }
}

/// A small file of version 3.05 with most of what may go wrong.
const SMALL: &str = "     3.05           N: GNSS NAV DATA    M: MIXED            RINEX VERSION / TYPE
BDSA  1.1176e-08  2.9802e-08 -4.1723e-07  6.5565e-07  A  5  IONOSPHERIC CORR
BDSB  1.4131e+05 -5.2429e+05  1.6384e+06 -4.5875e+05  A  5  IONOSPHERIC CORR
BDSA  2.1176e-08  2.9802e-08 -4.1723e-07  6.5565e-07  C  5  IONOSPHERIC CORR
BDSB  2.4131e+05 -5.2429e+05  1.6384e+06 -4.5875e+05  C  5  IONOSPHERIC CORR
BDUT  5.5879354477E-09-1.598721155E-14     14  805          TIME SYSTEM CORR
     4     4   573     6BDS                                 LEAP SECONDS
                                                            END OF HEADER
C05 2021 06 13 00 00 00 3.024469595403e-04 4.048938865799e-11 0.000000000000e+00
     1.000000000000e+00-4.937500000000e+02-4.167316415220e-09-2.331618570590e+00
    -1.621665433049e-05 1.107273507863e-03 1.143477857113e-05 6.493482837677e+03
     6.048000000000e+05 1.047737896442e-07-2.870386139160e+00-9.406358003616e-08
     1.120452466194e-01-3.521093750000e+02-9.270458042300e-01 5.391653159028e-09
    -4.800199949535e-10 0.000000000000e+00 8.050000000000e+02 0.000000000000e+00
     2.000000000000e+00 0.000000000000e+00-1.700000000000e-09-9.200000000000e-09
     6.048276000000e+05 0.000000000000e+00
S24 2021 06 13 00 15 00 4.516914486885e-06 0.000000000000e+00 0.000000000000e+00
     1.331188085938e+04-1.240539550781e-01 0.000000000000e+00 0.000000000000e+00
G05 2021 06 13 00 00 00-1.774230040610D-04-1.364242052659D-12 0.000000000000D+00
     7.200000000000d+01-9.821875000000d+01 4.293035965037d-09 1.714815412488d+00
    -5.291774868965E-06 5.927642923780E-03 1.830980181694E-06 5.153635631561E+03
     0.000000000000E+00 3.352761268616E-08 2.520897825810E+00-5.774199962616E-08
     9.719266524177E-01 3.536250000000E+02 1.273307347665E+00-8.275344701323E-09
    -2.610823036973E-10 1.000000000000E+00 2.162000000000E+03
     2.000000000000E+00 0.000000000000E+00-1.071020960808E-08 7.200000000000E+01
     .9999E+09
";

#[test]
fn a_small_file_in_full() {
    for text in [SMALL.to_string(), SMALL.replace('\n', "\r\n"), SMALL.trim_end().to_string()] {
        let file = read_nav_from(text.as_bytes()).unwrap();
        assert_eq!((file.records, file.skipped), (2, 1), "{:?}", file.warnings);
        assert_eq!(file.warnings, Vec::<String>::new());
        // toe is the end of the week that toc opens; the week field says so too.
        let c05 = file.nav.ephemerides_of(Sat::bds(5))[0].kepler().unwrap();
        assert_eq!(c05.message, NavMessage::D2);
        assert_eq!(c05.toe, GnssTime::from_bdt(806, 0.0));
        assert!((c05.transmit.unwrap() - GnssTime::from_bdt(806, 27.6)).abs() < 1e-6);
        let g05 = file.nav.ephemerides_of(Sat::gps(5))[0].kepler().unwrap();
        assert_eq!((g05.toe, g05.transmit, g05.iode), (GnssTime::from_gpst(2162, 0.0), None, 72));
        // Two dated sets; the later is current.
        let hours: Vec<f64> = file.nav.iono_history().iter().map(|i| i.time.bdt().1 / 3600.0).collect();
        assert_eq!(hours, [0.0, 2.0]);
        assert_eq!(file.nav.bds_iono.unwrap().alpha[0], 2.1176e-8);
        let utc = file.nav.bds_utc.unwrap();
        assert_eq!((utc.leap_s, utc.wn_lsf, utc.dn, utc.tot), (4, 573, 6, GnssTime::from_bdt(805, 14.0)));
        assert_eq!(file.nav.leap_s, Some(18));
    }
}

#[test]
fn a_damaged_record_costs_one_warning() {
    let text = SMALL.replace("-9.270458042300e-01", "-9.2704x8042300e-01");
    let file = read_nav_from(text.as_bytes()).unwrap();
    assert_eq!(file.warnings, ["line 13: value 3 is not a number"]);
    assert_eq!((file.records, file.skipped), (1, 1));
    // e = 1.1 is no ellipse.
    let text = SMALL.replace("1.107273507863e-03", "1.107273507863e+00");
    let file = read_nav_from(text.as_bytes()).unwrap();
    assert_eq!(file.warnings, ["line 9: C05: the elements describe no orbit"]);
    // A line is lost.
    let text = SMALL
        .replace("     6.048000000000e+05 1.047737896442e-07-2.870386139160e+00-9.406358003616e-08\n", "");
    let file = read_nav_from(text.as_bytes()).unwrap();
    assert_eq!(
        (file.records, file.warnings),
        (1, vec!["line 9: C05: the record has 7 lines, not 8".to_string()])
    );
}

#[test]
fn other_files_are_refused_by_name() {
    let error = |text: &str| read_nav_from(text.as_bytes()).unwrap_err();
    assert!(matches!(error(""), RinexError::NotRinex));
    assert!(matches!(error("hello\nworld\n"), RinexError::NotRinex));
    assert!(matches!(error(&SMALL.replace("3.05", "5.05")), RinexError::Version { .. }));
    let observation = SMALL.replace("N: GNSS NAV DATA ", "OBSERVATION DATA ");
    assert_eq!(
        error(&observation).to_string(),
        "line 1: a RINEX file of type \"OBSERVATION DATA\", not a navigation file"
    );
    let header = SMALL.split("END OF HEADER").next().unwrap();
    assert!(matches!(error(header), RinexError::NoEndOfHeader { .. }));
    let missing = read_nav(Path::new("/nowhere/a.nav")).unwrap_err();
    assert!(missing.to_string().starts_with("cannot open /nowhere/a.nav: "), "{missing}");
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_recognised_and_may_break_off() {
    // Enough records that the break is far behind the header.
    let many = SMALL.to_string() + &SMALL.split_once("HEADER\n").unwrap().1.repeat(200);
    let packed = gzip(many.as_bytes());
    let whole = read_nav_from(packed.as_slice()).unwrap();
    assert_eq!(whole.nav, read_nav_from(many.as_bytes()).unwrap().nav);
    let cut = read_nav_from(&packed[..packed.len() * 2 / 3]).unwrap();
    assert!(cut.records > 0 && cut.records < whole.records);
    assert!(cut.warnings.iter().any(|w| w.contains("breaks off")), "{:?}", cut.warnings);
    assert!(matches!(read_nav_from(&packed[..12]), Err(RinexError::Read { .. })));
}

fn start_of(path: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let file = std::fs::File::open(shared(path)?).unwrap();
    flate2::read::MultiGzDecoder::new(file).take(3_000_000).read_to_end(&mut text).unwrap();
    // The header, and a stretch that holds ION, STO, EOP and EPH of several systems.
    let end = text.windows(13).position(|w| w == b"END OF HEADER").unwrap() + 21;
    let eph = text.windows(5).position(|w| w == b"> EPH").unwrap();
    let mut out = text[..end.min(text.len())].to_vec();
    out.extend_from_slice(&text[eph - 4000..eph + 12_000]);
    Some(out)
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read_nav_from(bytes.as_slice());
        let mut with_header = SMALL.split_inclusive('\n').next().unwrap().as_bytes().to_vec();
        with_header.extend(&bytes);
        let _ = read_nav_from(with_header.as_slice());
        let _ = read_nav_from([&[0x1f, 0x8b][..], &bytes].concat().as_slice());
    }

    #[test]
    fn mutated_files_never_panic(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
                                 cut in any::<prop::sample::Index>(), four in any::<bool>()) {
        let real = if four { start_of("rinex/brd4-2026-068/BRD400DLR_S_20260680000_01D_MN.rnx.gz") } else { None };
        let mut bytes = real.unwrap_or_else(|| SMALL.as_bytes().to_vec());
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        for ephemeris in read_nav_from(bytes.as_slice()).map(|f| f.nav).unwrap_or_default().ephemerides() {
            let state = ephemeris.state(ephemeris.toe() + 60.0);
            prop_assert!(state.position.is_finite());
        }
    }

    #[test]
    fn mutated_gzip_never_panics(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
                                 cut in any::<prop::sample::Index>()) {
        let mut bytes = gzip(SMALL.as_bytes());
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _ = read_nav_from(bytes.as_slice());
    }
}

/// A GPS and a GLONASS file of RINEX 2.11, with numbers of the document's own examples.
#[test]
fn version_2_files() {
    let gps = "     2.11           N: GPS NAV DATA                         RINEX VERSION / TYPE
     .1676D-07   .2235D-07  -.1192D-06  -.1192D-06          ION ALPHA
     .1208D+06   .1310D+06  -.1310D+06  -.1966D+06          ION BETA
     .133179128170D-06 .107469588780D-12   552960     1025  DELTA-UTC: A0,A1,T,W
    13                                                      LEAP SECONDS
                                                            END OF HEADER
 6 99  9  2 17 51 44.0 -.839701388031D-03 -.165982783074D-10  .000000000000D+00
     .910000000000D+02  .934062500000D+02  .116040547840D-08  .162092304801D+00
     .484101474285D-05  .626740418375D-02  .652112066746D-05  .515365489006D+04
     .409904000000D+06 -.242143869400D-07  .329237003460D+00 -.596046447754D-07
     .111541663136D+01  .326593750000D+03  .206958726335D+01 -.638312302555D-08
     .307155651409D-09  .000000000000D+00  .102500000000D+04  .000000000000D+00
     .000000000000D+00  .000000000000D+00  .000000000000D+00  .910000000000D+02
     .406800000000D+06  .000000000000D+00
";
    let file = read_nav_from(gps.as_bytes()).unwrap();
    assert_eq!((file.warnings.as_slice(), file.records), (&[][..], 1));
    let k = file.nav.ephemerides_of(Sat::gps(6))[0].kepler().unwrap();
    assert_eq!(k.clock, [-8.397_013_880_31e-4, -1.659_827_830_74e-11, 0.0]);
    let (week, tow) = k.toc.gpst();
    assert_eq!((week, tow), (1025, 4.0 * 86_400.0 + 17.0 * 3600.0 + 51.0 * 60.0 + 44.0));
    assert_eq!((k.toe.gpst(), k.e), ((1025, 409_904.0), 6.267_404_183_75e-3));
    assert_eq!(file.nav.gps_iono.unwrap().beta, [120_800.0, 131_000.0, -131_000.0, -196_600.0]);
    let utc = file.nav.gps_utc.unwrap();
    assert_eq!((utc.leap_s, utc.tot.gpst()), (13, (1025, 552_960.0)));

    let glonass = "     2.11           G: GLONASS NAV DATA                     RINEX VERSION / TYPE
                                                            END OF HEADER
 3 98  2 15  0 15  0.0 0.163525342941D-03 0.363797880709D-11 0.108000000000D+05
    0.106275903320D+05-0.348924636841D+00 0.931322574615D-09 0.000000000000D+00
   -0.944422070313D+04 0.288163375854D+01 0.931322574615D-09 0.210000000000D+02
    0.212257280273D+05 0.144599342346D+01-0.186264514923D-08 0.300000000000D+01
";
    let read = |text: &str| read_nav_from(text.as_bytes()).unwrap();
    // A frequency number of the first years, 21, is none of today's.
    assert_eq!(read(glonass).warnings, ["line 3: R03: the elements describe no orbit"]);
    let file = read(&glonass.replace("0.210000000000D+02", "0.100000000000D+01"));
    assert_eq!(file.warnings, Vec::<String>::new());
    let sat: Sat = "R03".parse().unwrap();
    let g = file.nav.ephemerides_of(sat)[0].glonass().unwrap();
    assert_eq!((g.tau_n, g.gamma_n, g.channel), (-1.635_253_429_41e-4, 3.637_978_807_09e-12, 1));
    assert_eq!(file.nav.glonass_channel(sat), Some(1));
    // UTC, 12 s behind GPST then; sent at 3 h of the day, which may be that of Moscow.
    assert_eq!(g.toe.gpst(), (945, 900.0 + 12.0));
    assert_eq!((g.position.z, g.velocity.x), (21_225_728.027_3, -348.924_636_841));
}

#[test]
fn unknown_values_of_glonass_are_none() {
    let head = SMALL.split_inclusive("HEADER\n").next().unwrap();
    let record = "R01 2020 06 24 23 15 00 6.355904042721e-05 0.000000000000e+00 3.420000000000e+05
     1.090894238281e+04 1.407806396484e+00-1.862645149231e-09 0.000000000000e+00
    -2.885726074219e+03 2.795855522156e+00-0.000000000000e+00 1.000000000000e+00
     2.288353955078e+04-3.169984817505e-01-2.793967723846e-09 0.000000000000e+00
                         .999999999999e+09 1.500000000000e+01
";
    let file = read_nav_from((head.to_string() + record).as_bytes()).unwrap();
    assert_eq!(file.warnings, Vec::<String>::new());
    let sat: Sat = "R01".parse().unwrap();
    let g = file.nav.ephemerides_of(sat)[0].glonass().unwrap();
    assert_eq!((g.delta_tau, g.accuracy, g.status), (None, Some(15), None));
    assert_eq!(g.group_delay_s("2C".parse::<megrez_signal::ObsCode>().unwrap()), None);
    assert_eq!((g.ura_m(), g.transmit), (None, Some(g.toe - 900.0)));
}
