//! Products of analysis centres: real files, interpolation against points that were left out, damaged input.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may fail this way; helpers are not seen as tests

use std::path::{Path, PathBuf};

use megrez_orbit::{CivilTime, GnssTime, PreciseOrbits, TimeScale};
use megrez_rinex::{
    RinexError, read_antex, read_antex_from, read_bias_from, read_clk, read_clk_from, read_sp3, read_sp3_from,
};
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

fn midnight() -> GnssTime {
    let civil = CivilTime { year: 2020, month: 6, day: 25, hour: 0, minute: 0, second: 0.0 };
    GnssTime::from_civil(TimeScale::Gpst, civil)
}

#[test]
fn orbits_of_gfz_are_met_at_points_left_out() {
    let Some(path) = shared("esbc-2020-24h/GBM0MGXRAP_20201770000_01D_05M_ORB_120epoch.sp3.gz") else {
        return;
    };
    let file = read_sp3(&path).unwrap();
    assert_eq!(file.warnings, Vec::<String>::new());
    let all = file.data;
    // Two hours every five minutes; of these every second one is kept.
    let mut kept = PreciseOrbits::default();
    for sat in all.sats() {
        for &(t, position) in all.positions(sat).iter().step_by(2) {
            kept.insert_position(sat, t, position);
        }
    }
    let (mut worst, mut count) = (0.0f64, 0);
    for sat in all.sats() {
        // The ends of the table are worse than its middle.
        for &(t, position) in all.positions(sat).iter().skip(7).step_by(2).take(5) {
            let Some((found, _)) = kept.position(sat, t) else { continue };
            worst = worst.max(found.distance(position));
            count += 1;
        }
    }
    eprintln!("{count} points left out, 10 min apart: worst {:.1} mm", worst * 1e3);
    assert!(count > 400 && worst < 0.01, "{count} {worst}");
}

#[test]
fn clocks_every_thirty_seconds() {
    let (Some(orbits), Some(clocks)) = (
        shared("esbc-2020-24h/GRG0MGXFIN_20201770000_01D_15M_ORB.SP3.gz"),
        shared("esbc-2020-24h/GRG0MGXFIN_20201770000_01D_30S_CLK.CLK.gz"),
    ) else {
        return;
    };
    let mut all = read_sp3(&orbits).unwrap().data;
    assert_eq!(all.sats().count(), 75);
    let sat: Sat = "E01".parse().unwrap();
    assert_eq!(all.positions(sat).len(), 96);
    assert_eq!(all.positions(sat)[0].1.x, -11_562.163_582 * 1000.0);
    assert_eq!(all.clocks(sat)[0], (midnight(), -884.707_516 * 1e-6));
    let coarse: Vec<_> = all.sats().flat_map(|s| all.clocks(s).iter().map(move |c| (s, *c))).collect();
    let file = read_clk(&clocks).unwrap();
    assert_eq!(file.warnings, Vec::<String>::new());
    all.merge(file.data);
    assert_eq!(all.sats().map(|s| all.clocks(s).len()).sum::<usize>(), 215_999);
    assert_eq!(all.clocks(sat)[0].1, -0.884_707_516_318e-3);
    // Both files have the same clocks where both have one.
    let mut worst = 0.0f64;
    for (sat, (t, clock)) in coarse {
        worst = worst.max((all.clock(sat, t).unwrap().0 - clock).abs());
    }
    assert!(worst < 1e-12, "{worst}");
    let state = all.state(sat, midnight() + 40_000.0).unwrap();
    assert!((state.velocity.norm() - 2_700.0).abs() < 700.0 && state.clock_s != 0.0);
}

#[test]
fn antennas_of_wettzell() {
    let Some(path) = shared("wettzell-2020-rtk/igs20_wettzell_trim.atx") else { return };
    let file = read_antex(&path).unwrap();
    assert_eq!(file.warnings, Vec::<String>::new());
    assert_eq!(file.data.len(), 10);
    let g05 = file.data.iter().find(|a| a.sat == Some(Sat::gps(5))).unwrap();
    assert_eq!((g05.kind.as_str(), g05.serial.as_str()), ("BLOCK IIR-M", "G05"));
    assert!(g05.valid_at(midnight()));
    let l1 = g05.frequency(Constellation::Gps, b'1').unwrap();
    assert!(l1.offset_m[2] > 0.5 && l1.offset_m[2] < 1.5, "{:?}", l1.offset_m);
    assert!(l1.variations.mean_m.len() >= 15 && l1.variations.at(7.5, 0.0).abs() < 0.05);
    let receiver = file.data.iter().find(|a| a.kind == "LEIAR25.R3      LEIT").unwrap();
    let l1 = receiver.frequency(Constellation::Gps, b'1').unwrap();
    assert_eq!((l1.variations.mean_m.len(), l1.variations.by_azimuth_m.len()), (19, 73));
    // North and south are one step of 360 degrees apart.
    assert_eq!(l1.variations.at(30.0, 0.0), l1.variations.at(30.0, 360.0));
    assert!(receiver.frequency(Constellation::Gps, b'2').is_some() && receiver.sat.is_none());
}

const BIAS: &str = "%=BIA 1.00 GRG 2020:184:00000 GRG 2020:177:00000 2020:178:00000 A 00000003
+BIAS/DESCRIPTION
 TIME_SYSTEM                             G
-BIAS/DESCRIPTION
+BIAS/SOLUTION
*BIAS SVN_ PRN STATION__ OBS1 OBS2 BIAS_START____ BIAS_END______ UNIT __ESTIMATED_VALUE____ _STD_DEV___
 OSB  G063 G01           C1C       2020:177:00000 2020:178:00000 ns                 12.3456      0.0100
 OSB  G063 G01           L1C       2020:177:00000 0000:000:00000 cyc                 0.2500
 OSB       G   BRUX      C1C       2020:177:00000 2020:178:00000 ns                  1.0000      0.0100
 DSB  G063 G01           C1C  C1W  2020:177:00000 2020:178:00000 ns                 -1.0000      0.0100
 OSB  G063 G01           C1C       2020:400:00000 2020:178:00000 ns                 12.3456      0.0100
-BIAS/SOLUTION
%=ENDBIA
";

#[test]
fn absolute_biases_of_satellites() {
    let file = read_bias_from(BIAS.as_bytes()).unwrap();
    assert_eq!(file.warnings, ["line 11: not a bias of a signal of a satellite"]);
    let [code, phase] = file.data.as_slice() else { panic!("{:?}", file.data) };
    assert_eq!((code.sat, code.code.to_string().as_str(), code.phase), (Sat::gps(1), "1C", false));
    assert_eq!((code.from, code.until), (midnight(), Some(midnight() + 86_400.0)));
    assert!((code.bias_s - 12.3456e-9).abs() < 1e-20 && code.deviation_s.is_some());
    assert_eq!((phase.phase, phase.until, phase.bias_s), (true, None, 0.25 / 1575.42e6));
}

const SP3: &str = "#dP2020  6 25  0  0  0.00000000      96 TRACK IGb14 FIT GRGS
%c M  cc BDT ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc
*  2020  6 25  0  0  0.00000000
PE01 -11562.163582  14053.114306  23345.128269   -884.707516
PE02      0.000000      0.000000      0.000000 999999.999999
PE03   4577.136069 -22995.97x895  18062.640686   -313.499771
*  2020  x 25  0  0  0.00000000
PE01 -11562.163582  14053.114306  23345.128269   -884.707516
EOF
";
const CLK: &str = "     3.00           CLOCK DATA          G                   RINEX VERSION / TYPE
AS E01  2020  6 25  0  0  0.000000  2   -0.884707516318E-03  0.337986288247E-10
AS E01  2020  6 25  0  0  x.000000  2   -0.884707516318E-03  0.337986288247E-10
";
const ANTEX: &str = "     1.4            M                                       ANTEX VERSION / SYST
                                                            START OF ANTENNA
BLOCK IIR-M         G05                 G050      2009-043A TYPE / SERIAL NO
     0.0                                                    DAZI
     0.0   2.0   1.0                                        ZEN1 / ZEN2 / DZEN
   G01                                                      START OF FREQUENCY
      0.50      1.00    800.00                              NORTH / EAST / UP
   NOAZI   -0.80   -0.90    1.00
   G01                                                      END OF FREQUENCY
                                                            END OF ANTENNA
";

#[test]
fn small_and_wrong_files() {
    let file = read_sp3_from(SP3.as_bytes()).unwrap();
    let e01: Sat = "E01".parse().unwrap();
    assert_eq!(file.data.positions(e01)[0].0, midnight() + 14.0);
    assert_eq!(file.data.sats().count(), 1);
    assert_eq!(
        file.warnings,
        ["line 6: no satellite and position", "line 7: no date and time; its positions are skipped",]
    );
    let file = read_clk_from(CLK.as_bytes()).unwrap();
    assert_eq!((file.data.clocks(e01).len(), file.warnings.len()), (1, 1));
    let file = read_antex_from(ANTEX.as_bytes()).unwrap();
    assert_eq!(file.data[0].frequencies[0].variations.mean_m, [-0.8, -0.9, 1.0].map(|mm| mm * 1e-3));
    let file = read_antex_from(ANTEX.replace("-0.90", "-0.x0").as_bytes()).unwrap();
    assert_eq!((file.data.len(), file.warnings.len()), (0, 1));
    for text in ["", SP3] {
        assert!(matches!(read_clk_from(text.as_bytes()), Err(RinexError::NotProducts { .. })));
        assert!(matches!(read_antex_from(text.as_bytes()), Err(RinexError::NotProducts { .. })));
        assert!(matches!(read_bias_from(text.as_bytes()), Err(RinexError::NotProducts { .. })));
    }
    let error = read_sp3_from(CLK.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "line 1: not an SP3-c or SP3-d file");
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
    ) {
        for text in [SP3, CLK, ANTEX, BIAS] {
            let mut bytes = text.as_bytes().to_vec();
            for (index, byte) in &edits {
                let at = index.index(bytes.len());
                bytes[at] = *byte;
            }
            let _ = read_clk_from(bytes.as_slice());
            let _ = read_bias_from(bytes.as_slice());
            if let Ok(file) = read_sp3_from(bytes.as_slice()) {
                let _ = file.data.state(Sat::gps(1), midnight());
            }
            if let Ok(file) = read_antex_from(bytes.as_slice()) {
                for f in file.data.iter().flat_map(|a| &a.frequencies) {
                    let _ = f.variations.at(30.0, 200.0);
                }
            }
        }
    }
}
