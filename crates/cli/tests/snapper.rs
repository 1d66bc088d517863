//! Positions from 12 ms of one-bit samples: the snapshots of a walk whose track is known from RTK.
//!
//! The front end's intermediate frequency is the sampling rate, so that the spectrum is folded around the
//! carrier and the sign of each Doppler is unknown. Ephemerides are those that a receiver logged on the same
//! walk.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use base64::Engine;
use flate2::read::GzDecoder;
use megrez::acquire::{Acquisition, SearchPlan, Searcher};
use megrez::dsp::{Samples, StreamInfo};
use megrez::orbit::{CivilTime, Ecef, Geodetic, GnssTime, NavData, TimeScale, look_angles};
use megrez::pvt::{CodePhase, SolverConfig, solve_snapshot};
use megrez::signal::SignalId;
use megrez_source::{InputOptions, ReadSource, Resolved, Source};
use serde_json::Value;

const NAVIGATION: &str = "streams/ublox/COM6_211122_123733.ubx";
/// Height of the walk above the ellipsoid in metres, which its track lacks.
const HEIGHT_M: f64 = 110.0;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name)
}

fn shared(name: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path(name)).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is absent", path(name).display());
    }
    bytes
}

fn front_end() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/frontends/snappergps.toml")
}

/// UTC of "12:40:00" on the day of the walk.
fn utc(clock: &str) -> GnssTime {
    let parts: Vec<&str> = clock.split(':').collect();
    let civil = CivilTime {
        year: 2021,
        month: 11,
        day: 22,
        hour: parts[0].parse().unwrap(),
        minute: parts[1].parse().unwrap(),
        second: parts[2].parse().unwrap(),
    };
    GnssTime::from_civil(TimeScale::Utc, civil)
}

struct Walk {
    /// Time and place, once a second.
    track: Vec<(GnssTime, Geodetic)>,
    /// Time stamp and bytes of the samples.
    snapshots: Vec<(GnssTime, Vec<u8>)>,
}

impl Walk {
    fn read() -> Option<Self> {
        let truth = shared("iq/snappergps/ground-truth_w00.json")?;
        let snapshots = shared("iq/snappergps/snapshots_w00.json.gz")?;
        let truth: Vec<Value> = serde_json::from_slice(&truth).unwrap();
        let track = truth.iter().map(|p| {
            let degrees = |key: &str| p[key].as_f64().unwrap();
            (
                utc(p["time"].as_str().unwrap()),
                Geodetic::new(degrees("latitude"), degrees("longitude"), HEIGHT_M),
            )
        });
        let json: Value = serde_json::from_reader(GzDecoder::new(snapshots.as_slice())).unwrap();
        let base64 = base64::engine::general_purpose::STANDARD;
        let snapshots = json["snapshots"].as_array().unwrap().iter().map(|s| {
            let clock = s["timestamp"].as_str().unwrap().split(['T', 'Z']).nth(1).unwrap();
            (utc(clock), base64.decode(s["data"].as_str().unwrap()).unwrap())
        });
        Some(Self { track: track.collect(), snapshots: snapshots.collect() })
    }

    /// Where the walk was at `t`: between the two points of the track around it.
    fn place(&self, t: GnssTime) -> Ecef {
        let after = self.track.iter().position(|p| p.0 - t > 0.0).unwrap_or(self.track.len() - 1).max(1);
        let (a, b) = (self.track[after - 1], self.track[after]);
        let (from, to) = (a.1.to_ecef(), b.1.to_ecef());
        from + (to - from) * ((t - a.0) / (b.0 - a.0)).clamp(0.0, 1.0)
    }
}

fn samples(bytes: &[u8]) -> (Samples, StreamInfo) {
    let options = InputOptions { config: Some(front_end()), ..InputOptions::default() };
    let mut source = ReadSource::new(bytes, Resolved::of_stream("snapshot", &options).unwrap()).unwrap();
    let info = source.info().clone();
    let mut all = Vec::new();
    while let Some(block) = source.next_block().unwrap() {
        let Samples::Real(x) = block.samples else { panic!("complex samples") };
        all.extend(x);
    }
    (Samples::Real(all), info)
}

/// The code phase `middle_s` after the first sample, in the middle of the samples, where a wrong sign of the
/// Doppler makes no difference.
fn code_phase(a: &Acquisition, middle_s: f64, info: &StreamInfo) -> CodePhase {
    let def = a.signal.def();
    let chip_rate_hz = def.chip_rate_hz * (1.0 + a.doppler_hz / def.carrier_hz);
    let elapsed_s = middle_s - a.sample as f64 / info.sample_rate_hz;
    let chips = (a.code_phase_chips + elapsed_s * chip_rate_hz).rem_euclid(def.code_length as f64);
    CodePhase {
        sat: a.sat,
        signal: a.signal,
        code_delay_s: chips / def.chip_rate_hz,
        doppler_hz: None,
        cn0_dbhz: a.cn0_dbhz,
    }
}

/// Fixes every `step`-th snapshot from `signals`, the clock 40 s fast and the place known within 10 km.
/// Returns how many were tried, and the sorted horizontal errors of those fixed.
fn walk(signals: &[SignalId], step: usize) -> Option<(usize, Vec<f64>)> {
    let walk = Walk::read()?;
    let nav: NavData = megrez::nav::ubx::nav_data_from_ubx(&shared(NAVIGATION)?);
    let near = walk.place(walk.snapshots[0].0) + Ecef::new(6e3, -6e3, 5e3);
    let mut searcher = None;
    let mut errors = Vec::new();
    let mut tried = 0;
    for (t, bytes) in walk.snapshots.iter().step_by(step) {
        tried += 1;
        let (samples, info) = samples(bytes);
        let searcher = searcher.get_or_insert_with(|| Searcher::new(&info));
        let seconds = samples.len() as f64 / info.sample_rate_hz;
        let mut phases = Vec::new();
        for &signal in signals {
            let mut plan = SearchPlan::for_available(signal, seconds, 0.0);
            plan.false_alarm = 1e-2;
            // The other half is its mirror image.
            plan.doppler_hz.0 = 0.0;
            plan.doppler_hz.1 += 1500.0;
            plan.prns.retain(|&prn| {
                let risen = |e: &megrez::orbit::Ephemeris| {
                    look_angles(near, e.state(*t).position).elevation_deg() > 0.0
                };
                nav.sats()
                    .filter(|s| s.prn == prn && s.constellation == signal.def().constellation)
                    .any(|s| nav.ephemeris(s, *t).is_some_and(risen))
            });
            let found = searcher.search(&samples, 0, &plan).unwrap();
            phases.extend(found.iter().map(|a| code_phase(a, 0.5 * seconds, &info)));
        }
        let clock = *t + 40.0 + 0.5 * seconds;
        if let Ok(fix) = solve_snapshot(&phases, &nav, clock, 60.0, Some(near), &SolverConfig::default()) {
            let there = walk.place(fix.time);
            errors.push(fix.position.enu_from(there).horizontal());
        }
    }
    errors.sort_by(f64::total_cmp);
    Some((tried, errors))
}

/// At least 70 % solved, with a median error of 30 m at most.
fn check(what: &str, tried: usize, errors: &[f64]) {
    let part = |percent: usize| errors.get((errors.len() * percent / 100).min(errors.len() - 1)).unwrap();
    eprintln!(
        "{what}: {} of {tried} solved, horizontal error {:.1} m (50 %), {:.1} m (68 %), {:.1} m (95 %)",
        errors.len(),
        part(50),
        part(68),
        part(95)
    );
    assert!(errors.len() * 10 >= tried * 7, "{what}: {} of {tried}", errors.len());
    assert!(*part(50) <= 30.0, "{what}: {}", part(50));
}

#[test]
fn walk_from_gps() {
    let Some((tried, errors)) = walk(&[SignalId::L1CA], 1) else { return };
    assert_eq!(tried, 301);
    check("L1 C/A", tried, &errors);
}

#[test]
fn walk_from_gps_and_beidou() {
    // Every third, for the sake of time.
    let Some((tried, errors)) = walk(&[SignalId::L1CA, SignalId::B1CP], 3) else { return };
    assert_eq!(tried, 101);
    check("L1 C/A and B1C", tried, &errors);
}

/// The same through the program, for some of them: a clock up to three minutes off, a place 12 km away.
#[test]
fn walk_through_the_program() {
    let Some(walk) = Walk::read() else { return };
    let Some(_) = shared(NAVIGATION) else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut errors = Vec::new();
    let mut tried = 0;
    for (t, bytes) in walk.snapshots.iter().step_by(30) {
        tried += 1;
        let file = dir.path().join("snapshot.bin");
        std::fs::write(&file, bytes).unwrap();
        let truth = walk.place(*t).to_geodetic();
        let output = Command::new(assert_cmd::cargo::cargo_bin!("megrez"))
            .arg("snapshot")
            .arg(&file)
            .arg("--config")
            .arg(front_end())
            .arg("--nav")
            .arg(path(NAVIGATION))
            .args(["--time", "2021-11-22T12:42:30", "--time-error", "180", "--near", "51.68,-1.14", "--json"])
            .arg("--truth")
            .arg(format!("{},{},{HEIGHT_M}", truth.lat_deg, truth.lon_deg))
            .output()
            .unwrap();
        if output.status.success() {
            let fix: Value = serde_json::from_slice(&output.stdout).unwrap();
            errors.push(fix["error_m"]["horizontal"].as_f64().unwrap());
        }
    }
    errors.sort_by(f64::total_cmp);
    check("the program", tried, &errors);
}
