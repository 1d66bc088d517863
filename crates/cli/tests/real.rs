//! The program on recordings by others, against what independent programs found in them.
//!
//! Of the satellites listed with a peak of 15 times the mean or more (all, where the list gives no figure)
//! nine of ten at least are to be found, with the Doppler within 250 Hz (the lists go in steps of that) and
//! the code start within 1 µs. Nothing may be found that is not listed: a search's false-alarm probability
//! is 1e-3, or 1e-2 for recordings of a few milliseconds.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use megrez::acquire::SearchPlan;
use megrez::orbit::Geodetic;
use megrez::signal::{Sat, SignalId};
use megrez::{Observer, assisted_windows_hz, doppler_window_hz};
use serde_json::Value;

const NAN: f64 = f64::NAN;

/// For recordings of 4 and 10 ms: one false satellite in a hundred searches allowed.
const FEW_MS: [&str; 2] = ["--false-alarm", "0.01"];

/// PRN, Doppler in Hz, start of a code period in ms; NaN where not listed.
type Listed = (u8, f64, f64);

/// What is listed for one signal.
struct List<'a> {
    signal: &'a str,
    system: char,
    period_ms: f64,
    strong: &'a [Listed],
    /// May be found: weaker, or listed for another signal (with the code start modulo 1 ms).
    weak: &'a [Listed],
}

fn recording(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/iq").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

/// Runs `megrez COMMAND RECORDING --config FRONTEND --json MORE`.
fn json(command: &str, recording: &Path, front_end: &str, more: &[&str]) -> Value {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/frontends").join(front_end);
    let mut program = Command::new(assert_cmd::cargo::cargo_bin!("megrez"));
    program.arg(command).arg(recording).arg("--config").arg(config).arg("--json").args(more);
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn compare(what: &str, found: &Value, lists: &[List<'_>]) {
    let found = found.as_array().unwrap();
    let mut wrong = Vec::new();
    for f in found {
        let list = lists.iter().find(|l| f["signal"] == l.signal).unwrap();
        if hit(f, list, list.strong, list.period_ms).is_none() && hit(f, list, list.weak, 1.0).is_none() {
            wrong.push(f.to_string());
        }
    }
    for list in lists {
        let of_signal = || found.iter().filter(|f| f["signal"] == list.signal);
        let hits: Vec<(f64, f64)> =
            of_signal().filter_map(|f| hit(f, list, list.strong, list.period_ms)).collect();
        let worst = |of: fn(&(f64, f64)) -> f64| {
            hits.iter().map(of).filter(|v| v.is_finite()).fold(0.0f64, |a, v| a.max(v.abs()))
        };
        eprintln!(
            "{what} {}: {} of {} listed, {} found in all, worst Doppler {:.0} Hz, worst code start {:.3} us",
            list.signal,
            hits.len(),
            list.strong.len(),
            of_signal().count(),
            worst(|h| h.0),
            worst(|h| h.1)
        );
        assert!(hits.len() * 10 >= list.strong.len() * 9, "{what} {}", list.signal);
    }
    assert!(wrong.is_empty(), "{what}: not as listed: {wrong:?}");
}

/// Differences in Hz and µs from the satellite's entry in `listed`, if they are small.
fn hit(found: &Value, list: &List<'_>, listed: &[Listed], modulo_ms: f64) -> Option<(f64, f64)> {
    let sat = found["sat"].as_str().unwrap();
    let (_, hz, ms) = *listed.iter().find(|(prn, ..)| sat == format!("{}{prn:02}", list.system))?;
    let off_hz = found["doppler_hz"].as_f64().unwrap() - hz;
    let apart = (found["code_start_s"].as_f64().unwrap() * 1e3 - ms).rem_euclid(modulo_ms);
    let off_us = 1e3 * if apart > 0.5 * modulo_ms { apart - modulo_ms } else { apart };
    let small = |v: f64, limit: f64| v.is_nan() || v.abs() <= limit;
    (small(off_hz, 250.0) && small(off_us, 1.0)).then_some((off_hz, off_us))
}

fn l1ca<'a>(strong: &'a [Listed], weak: &'a [Listed]) -> List<'a> {
    List { signal: "L1CA", system: 'G', period_ms: 1.0, strong, weak }
}

fn b1c<'a>(strong: &'a [Listed], weak: &'a [Listed]) -> List<'a> {
    List { signal: "B1C", system: 'C', period_ms: 10.0, strong, weak }
}

#[test]
fn nt1065() {
    let Some(file) = recording("ugsdr/nt1065_grabber.bin") else { return };
    let b1i = List {
        signal: "B1I",
        system: 'C',
        period_ms: 1.0,
        strong: &[
            (26, -1500.0, 0.760352),
            (24, 750.0, 0.158591),
            (34, 2750.0, 0.620075),
            (57, -1750.0, 0.812881),
            (35, -2750.0, 0.571371),
        ],
        // 33 is listed for B1C.
        weak: &[(12, 0.0, 0.334692), (25, 2250.0, 0.484025), (33, -2150.0, 0.477925)],
    };
    let b1c = b1c(
        &[(34, 2600.0, 2.620189), (35, -2850.0, 3.571509), (33, -2150.0, 1.477925)],
        // Listed for B2a.
        &[(24, 750.0, 0.158755), (26, -1500.0, 0.760604), (25, 2250.0, 0.484189)],
    );
    let l1ca = l1ca(
        &[
            (11, 250.0, 0.278742),
            (7, -1000.0, 0.483220),
            (28, 250.0, 0.970063),
            (17, 2500.0, 0.177107),
            (30, 1000.0, 0.734591),
            (1, 1750.0, 0.173484),
            (4, -3000.0, 0.999648),
            (8, NAN, NAN),
            (9, NAN, 38_271.0 / 79_500.0),
            (18, NAN, 74_879.0 / 79_500.0),
            (13, NAN, NAN),
        ],
        &[],
    );
    let found = json("acquire", &file, "nt1065-ch1.toml", &FEW_MS);
    compare("NT1065", &found, &[b1i, b1c, l1ca]);
}

/// All streams of the packed file at once: each signal is looked for in the stream that holds it.
#[test]
fn nt1065_bands_together() {
    let Some(file) = recording("ugsdr/nt1065_grabber.bin") else { return };
    let b1i = [
        (26, -1500.0, 0.760352),
        (24, 750.0, 0.158591),
        (34, 2750.0, 0.620075),
        (57, -1750.0, 0.812881),
        (35, -2750.0, 0.571371),
    ];
    let weak_b1i = [(12, 0.0, 0.334692), (25, 2250.0, 0.484025), (33, -2150.0, 0.477925)];
    let b2a = [
        (24, 500.0, 0.158755),
        (26, -1000.0, 0.760604),
        (34, 2000.0, 0.620189),
        (35, -2000.0, 0.571585),
        (25, 1500.0, 0.484189),
    ];
    let b2b = [
        (24, NAN, 0.158755),
        (26, NAN, 0.760604),
        (35, NAN, 0.571623),
        (34, NAN, 0.620226),
        (25, NAN, 0.484226),
        (33, NAN, 0.477962),
    ];
    let b2i = [(12, 0.0, 0.334830), (11, 2000.0, 0.353208)];
    let asked = ["--signals", "B1I,B2a,B2b,B2I", "--oscillator", "3"];
    let found = json("acquire", &file, "nt1065.toml", &[&FEW_MS[..], &asked].concat());
    // C11 is weak (37 dB-Hz) and its Doppler 330 Hz from the listed one.
    let weak_b2i = [(11, NAN, b2i[1].2)];
    let lists = [
        bds("B1I", &b1i, &weak_b1i),
        bds("B2a", &b2a, &[]),
        bds("B2b", &b2b, &[]),
        bds("B2I", &b2i[..1], &weak_b2i),
    ];
    compare("NT1065", &found, &lists);

    // One satellite sends all its signals at once: the codes agree but for the ionosphere and the front end.
    let start = |sat: &str, signal: &str| {
        let found = found.as_array().unwrap();
        let entry = found.iter().find(|f| f["sat"] == sat && f["signal"] == signal).unwrap();
        entry["code_start_s"].as_f64().unwrap()
    };
    for sat in ["C24", "C26", "C34", "C35"] {
        let starts = ["B1I", "B2a", "B2b"].map(|signal| start(sat, signal));
        let apart =
            starts.iter().fold(f64::MIN, |a, &s| a.max(s)) - starts.iter().fold(f64::MAX, |a, &s| a.min(s));
        eprintln!("{sat}: B1I, B2a and B2b start within {:.3} us", apart * 1e6);
        assert!(apart < 0.3e-6, "{sat}: {starts:?}");
    }
}

/// What is listed for a BeiDou signal with a code of 1 ms.
fn bds<'a>(signal: &'a str, strong: &'a [Listed], weak: &'a [Listed]) -> List<'a> {
    List { signal, system: 'C', period_ms: 1.0, strong, weak }
}

#[test]
fn gnss_sdr_b3i() {
    let Some(file) = recording("gnss-sdr/BdsB3IStr01_fs50e6_if0_4ms.dat") else { return };
    let at = |sample: f64| sample / 50e3;
    let b3i = [
        (23, -500.0, at(16_466.0)),
        (32, -1500.0, at(8_512.0)),
        (25, 1750.0, at(6_197.0)),
        (6, -250.0, at(36_222.0)),
        (3, 0.0, at(45_745.0)),
        (1, 0.0, at(26_084.0)),
        (16, -500.0, at(31_075.0)),
        (9, -250.0, at(4_660.0)),
        (7, -1000.0, at(46_610.0)),
        (4, 0.0, at(36_918.0)),
        (18, -1000.0, at(29_249.0)),
        (33, 2000.0, at(7_196.0)),
        (2, -250.0, at(14_732.0)),
        (5, 0.0, at(37_634.0)),
        (20, -2250.0, at(34_819.0)),
        (8, 1500.0, at(1_306.0)),
    ];
    // C13 is found at 1520 Hz, 270 Hz from the listed value, whose steps are 250 Hz: its Doppler is not compared. The
    // list does not look for C59, which is as strong as C25 and, being geostationary, has as little Doppler as C01 to C05.
    let weak = [(13, NAN, at(35_704.0)), (59, 0.0, NAN)];
    let found = json("acquire", &file, "gnss-sdr-b3i.toml", &[&FEW_MS[..], &["--oscillator", "3"]].concat());
    compare("GNSS-SDR", &found, &[bds("B3I", &b3i, &weak)]);
}

#[test]
fn pocketsdr() {
    let Some(file) = recording("pocketsdr/L1_20211125_004000_12MHz_I.bin") else { return };
    let b1c = b1c(
        &[
            (32, 1050.0, 2.5125),
            (38, 200.0, 6.44475),
            (41, -1100.0, 5.49),
            (39, 750.0, 0.66425),
            (30, -950.0, 6.806),
            (23, 2450.0, 6.705),
            (25, -200.0, 8.2225),
            (20, 2500.0, 3.44075),
            (27, -2750.0, 9.67125),
            (29, 1650.0, 3.2415),
            (37, 3550.0, 4.76225),
        ],
        &[],
    );
    let at = |sample: f64| sample / 12_000.0;
    let gps = [
        (13, -250.0, at(6004.0)),
        (5, 250.0, at(5611.0)),
        (15, 1750.0, at(9317.0)),
        (20, -1250.0, at(8172.0)),
        (30, -2000.0, at(4720.0)),
        (11, -3250.0, NAN),
        (2, -2750.0, NAN),
        (18, 3250.0, NAN),
        (29, -2000.0, NAN),
        (28, 2250.0, NAN),
        (24, 4000.0, NAN),
    ];
    let found = json("acquire", &file, "pocketsdr-l1.toml", &["--integrate", "0.04"]);
    compare("PocketSDR", &found, &[b1c, l1ca(&gps, &[])]);
}

#[test]
fn softgnss() {
    let Some(file) = recording("ugsdr/real_8.bin") else { return };
    let at = |sample: f64| sample / 38_192.0;
    // The recording's intermediate frequency is 9.548 MHz; the listed Dopplers count from 9.55 MHz.
    let hz = |listed: f64| listed + 9.55e6 - 9.548e6;
    let gps = [
        (21, hz(-2500.0), at(13_404.0)),
        (15, hz(0.0), at(36_321.0)),
        (22, hz(-250.0), at(6289.0)),
        (18, hz(-1750.0), at(20_725.0)),
        (26, hz(-5000.0), at(26_828.0)),
        (6, hz(-5750.0), at(28_203.0)),
        (9, hz(1000.0), at(4695.0)),
        (3, hz(0.0), at(34_213.0)),
        (29, NAN, NAN),
    ];
    let found = json("acquire", &file, "softgnss.toml", &["--integrate", "0.02"]);
    compare("SoftGNSS", &found, &[l1ca(&gps, &[])]);
}

#[test]
fn gsoc_cttc() {
    let Some(file) = recording("gnss-sdr/GSoC_CTTC_capture_2012_07_26_4Msps_4ms.dat") else { return };
    let at = |sample: f64| sample / 4000.0;
    let gps = [
        (29, 9750.0, at(3705.0)),
        (25, 9000.0, at(686.0)),
        (31, 11_750.0, at(1949.0)),
        (12, 7250.0, at(510.0)),
        (2, 8000.0, NAN),
    ];
    // Its peak is below 15 times the mean, and may be a trace of the two stronger satellites.
    let weak = [(30, 12_750.0, NAN)];
    let found = json("acquire", &file, "gsoc-cttc.toml", &FEW_MS);
    compare("GSoC-CTTC", &found, &[l1ca(&gps, &weak)]);
}

/// The position that an independent program found from three constellations, which agree within 25 m.
const PLACE: &str = "35.87300,138.38965,1020";

#[test]
fn position_from_a_tenth_of_a_second() {
    let name = "pocketsdr/L1_20211125_004000_12MHz_I.bin";
    let (Some(file), Some(nav)) = (recording(name), recording("pocketsdr/20211125a.nav")) else { return };
    // On time; a minute late, as a clock may be; a minute late, from a place 60 km away.
    let on_time = ["--time", "2021-11-25T00:40:39.7"];
    let late = ["--time", "2021-11-25T00:41:39.7"];
    let near = ["--time", "2021-11-25T00:41:39.7", "--near", "36.2,138.9"];
    for (signals, limit_m) in [("B1C", 40.0), ("L1CA", 40.0), ("B1C,L1CA", 30.0)] {
        for when in [&on_time[..], &late, &near] {
            let fixed = ["--nav", nav.to_str().unwrap(), "--signals", signals, "--truth", PLACE];
            let fix = json("snapshot", &file, "pocketsdr-l1.toml", &[&fixed[..], when].concat());
            let error = |key: &str| fix["error_m"][key].as_f64().unwrap();
            let sigma_m = fix["horizontal_sigma_m"].as_f64().unwrap();
            eprintln!(
                "{signals} {when:?}: {} satellites, {:.1} m horizontally (sigma {sigma_m:.0}), {:+.1} m up, {}",
                fix["sats_used"].as_array().unwrap().len(),
                error("horizontal"),
                error("up"),
                fix["utc"]
            );
            assert!(error("horizontal") <= limit_m, "{signals} {when:?}");
            let utc = fix["utc"].as_str().unwrap();
            assert!(
                utc.starts_with("2021-11-25T00:40:39.") || utc.starts_with("2021-11-25T00:40:40."),
                "{utc}"
            );
        }
    }
}

/// With navigation data, a place 60 km off and a clock a minute late, the same satellites are found in a tenth of
/// the places, and none is looked for that is below the horizon.
#[test]
fn assisted_search_finds_the_same_in_fewer_places() {
    let name = "pocketsdr/L1_20211125_004000_12MHz_I.bin";
    let (Some(file), Some(nav)) = (recording(name), recording("pocketsdr/20211125a.nav")) else { return };
    let place = Geodetic { lat_deg: 36.2, lon_deg: 138.9, height_m: 0.0 };
    let observer = Observer {
        position: place.to_ecef(),
        velocity: Default::default(),
        position_error_m: 100e3,
        speed_error_m_s: 100.0,
        time_error_s: 60.0,
        lowest_rad: -0.035,
    };
    let known = megrez_rinex::read_nav_from(std::fs::File::open(&nav).unwrap()).unwrap().nav;
    let at = megrez_sim::parse_instant("2021-11-25T00:41:39.7").unwrap();
    let predictions = observer.predict(&known, at);
    for signal in [SignalId::L1CA, SignalId::B1CP] {
        let mut plan = SearchPlan::for_available(signal, 0.1, 0.0);
        plan.doppler_hz = doppler_window_hz(signal, 0.0);
        let everywhere = plan.extent_hz();
        plan.restrict(assisted_windows_hz(signal, &predictions, 0.0));
        eprintln!(
            "{signal}: {} satellites in {:.3} of the places",
            plan.prns.len(),
            plan.extent_hz() / everywhere
        );
        assert!(plan.extent_hz() < 0.15 * everywhere);
        assert!(plan.prns.iter().all(|&prn| {
            let sat = Sat { constellation: signal.def().constellation, prn };
            predictions[&sat].is_some_and(|prediction| prediction.elevation_rad > -0.035)
        }));
    }
    let sats = |more: &[&str]| -> Vec<(String, String)> {
        let found = json("acquire", &file, "pocketsdr-l1.toml", more);
        let text = |value: &Value| value.as_str().unwrap().to_string();
        found.as_array().unwrap().iter().map(|f| (text(&f["signal"]), text(&f["sat"]))).collect()
    };
    let assisted =
        ["--nav", nav.to_str().unwrap(), "--near", "36.2,138.9", "--time", "2021-11-25T00:41:39.7"];
    let (blind, assisted) = (sats(&[]), sats(&assisted));
    eprintln!("found blind {blind:?}, assisted {assisted:?}");
    // The navigation file lacks some of those in the recording, but calls none of them unheard.
    let (expected, unknown): (Vec<_>, Vec<_>) =
        blind.into_iter().partition(|(_, sat)| predictions.contains_key(&sat.parse().unwrap()));
    assert!(expected.len() >= 16 && unknown.len() <= 6, "{unknown:?}");
    assert_eq!(expected, assisted);
}
