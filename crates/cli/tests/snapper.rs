//! Positions from 12 ms of one-bit samples: the snapshots of a walk whose track is known from RTK.
//!
//! The front end's intermediate frequency is the sampling rate, so that the spectrum is folded around the
//! carrier and the sign of each Doppler is unknown.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use base64::Engine;
use flate2::read::GzDecoder;
use megrez_acquire::{Acquisition, SearchPlan, Searcher};
use megrez_dsp::{Samples, StreamInfo};
use megrez_orbit::{CivilTime, Ecef, Geodetic, GnssTime, NavData, TimeScale};
use megrez_pvt::{CodePhase, SolverConfig, solve_snapshot};
use megrez_signal::SignalId;
use megrez_source::{InputOptions, ReadSource, Resolved, Source};
use serde_json::Value;

fn shared(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is absent", path.display());
    }
    bytes
}

/// UTC of "12:40:00" on the day of the walk.
fn utc(clock: &str) -> GnssTime {
    let mut parts = clock.split(':').map(|p| p.parse::<f64>().unwrap());
    let (hour, minute, second) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let civil =
        CivilTime { year: 2021, month: 11, day: 22, hour: hour as u8, minute: minute as u8, second };
    GnssTime::from_civil(TimeScale::Utc, civil)
}

/// The walk: time and place, once a second.
fn track(json: &[u8]) -> Vec<(GnssTime, Geodetic)> {
    let points: Vec<Value> = serde_json::from_slice(json).unwrap();
    let point = |p: &Value| {
        let place = Geodetic::new(p["latitude"].as_f64().unwrap(), p["longitude"].as_f64().unwrap(), 110.0);
        (utc(p["time"].as_str().unwrap()), place)
    };
    points.iter().map(point).collect()
}

/// Time stamp and samples of each snapshot.
fn snapshots(gz: &[u8]) -> Vec<(GnssTime, Vec<u8>)> {
    let json: Value = serde_json::from_reader(GzDecoder::new(gz)).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD;
    json["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            let clock = &s["timestamp"].as_str().unwrap()[11..23];
            (utc(clock), base64.decode(s["data"].as_str().unwrap()).unwrap())
        })
        .collect()
}

fn samples(bytes: &[u8]) -> (Samples, StreamInfo) {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/frontends/snappergps.toml");
    let options = InputOptions { config: Some(config), ..InputOptions::default() };
    let mut source = ReadSource::new(bytes, Resolved::of_stream("snapshot", &options).unwrap()).unwrap();
    let info = source.info().clone();
    let mut all = Vec::new();
    while let Some(block) = source.next_block().unwrap() {
        let Samples::Real(x) = block.samples else { unreachable!() };
        all.extend(x);
    }
    (Samples::Real(all), info)
}

/// The code phase in the middle of `samples`, where a wrong sign of Doppler makes no difference.
fn in_the_middle(a: &Acquisition, samples: &Samples, info: &StreamInfo) -> CodePhase {
    let def = a.signal.def();
    let chip_rate_hz = def.chip_rate_hz * (1.0 + a.doppler_hz / def.carrier_hz);
    let elapsed_s = (0.5 * samples.len() as f64 - a.sample as f64) / info.sample_rate_hz;
    let chips = (a.code_phase_chips + elapsed_s * chip_rate_hz).rem_euclid(def.code_length as f64);
    CodePhase {
        sat: a.sat,
        signal: a.signal,
        code_delay_s: chips / def.chip_rate_hz,
        doppler_hz: None,
        cn0_dbhz: a.cn0_dbhz,
    }
}

#[test]
fn experiment() {
    let (Some(gz), Some(truth), Some(ubx)) = (
        shared("iq/snappergps/snapshots_w00.json.gz"),
        shared("iq/snappergps/ground-truth_w00.json"),
        shared("streams/ublox/COM6_211122_123733.ubx"),
    ) else {
        return;
    };
    let nav: NavData = megrez_nav::ubx::nav_data_from_ubx(&ubx);
    let track = track(&truth);
    let step: usize = std::env::var("STEP").map_or(1, |s| s.parse().unwrap());
    let b1c = std::env::var("B1C").is_ok();
    let sigma: f64 = std::env::var("SIGMA").map_or(10.0, |s| s.parse().unwrap());
    let fa: f64 = std::env::var("FA").map_or(1e-2, |s| s.parse().unwrap());
    let coh: usize = std::env::var("COH").map_or(0, |s| s.parse().unwrap());
    for sat in nav.sats() {
        eprint!("{sat} ");
    }
    eprintln!();
    let config = SolverConfig { snapshot_code_sigma_m: sigma, ..SolverConfig::default() };
    let mut searcher: Option<Searcher> = None;
    let mut errors = Vec::new();
    let mut total = 0;
    for (t, bytes) in snapshots(&gz).into_iter().step_by(step) {
        total += 1;
        let (samples, info) = samples(&bytes);
        let searcher = searcher.get_or_insert_with(|| Searcher::new(&info));
        let mut found = Vec::new();
        for signal in [SignalId::L1CA, SignalId::B1CP] {
            if signal == SignalId::B1CP && !b1c {
                continue;
            }
            let mut plan = SearchPlan::for_available(signal, 0.012, 0.0);
            plan.false_alarm = fa;
            plan.doppler_hz = (0.0, 8000.0);
            if coh > 0 && signal == SignalId::L1CA {
                plan.coherent_periods = coh;
                plan.noncoherent = 12 / coh;
            }
            plan.prns.retain(|&prn| {
                nav.sats().any(|s| s.prn == prn && s.constellation == signal.def().constellation)
            });
            found.extend(searcher.search(&samples, 0, &plan).unwrap());
        }
        let phases: Vec<CodePhase> = found.iter().map(|a| in_the_middle(a, &samples, &info)).collect();
        let middle_s = 0.5 * samples.len() as f64 / info.sample_rate_hz;
        let here = track.iter().min_by(|a, b| (a.0 - t).abs().total_cmp(&(b.0 - t).abs())).unwrap().1;
        let near = here.to_ecef() + Ecef::new(6e3, -6e3, 5e3);
        let solution = solve_snapshot(&phases, &nav, t + middle_s + 20.0, 60.0, Some(near), &config);
        match solution {
            Ok(s) => {
                let when = s.time;
                let k = track.windows(2).find(|w| w[0].0 - when <= 0.0 && w[1].0 - when > 0.0);
                let truth = k.map_or(here, |w| {
                    let u = (when - w[0].0) / (w[1].0 - w[0].0);
                    Geodetic::new(
                        w[0].1.lat_deg + u * (w[1].1.lat_deg - w[0].1.lat_deg),
                        w[0].1.lon_deg + u * (w[1].1.lon_deg - w[0].1.lon_deg),
                        110.0,
                    )
                });
                let enu = s.position.enu_from(truth.to_ecef());
                eprintln!(
                    "{} sats {} used {} dt {:.3} e {:.1} n {:.1} u {:.1} sigma {:.1} | {}",
                    when.civil(TimeScale::Utc),
                    phases.len(),
                    s.sats.iter().filter(|u| u.used).count(),
                    s.time - t,
                    enu.e,
                    enu.n,
                    enu.u,
                    s.horizontal_sigma_m(),
                    s.sats
                        .iter()
                        .map(|u| format!(
                            "{}{}:{:.0}@{:.0}/{:.0}",
                            if u.used { "" } else { "!" },
                            u.sat,
                            u.residual_m,
                            u.azel.elevation_deg(),
                            u.cn0_dbhz
                        ))
                        .collect::<Vec<_>>()
                        .join(" ")
                );
                errors.push(enu.horizontal());
            }
            Err(e) => eprintln!(
                "{}: {e} {}",
                t.civil(TimeScale::Utc),
                found
                    .iter()
                    .map(|a| format!("{}/{:.0}/{:.0}", a.sat, a.cn0_dbhz, a.doppler_hz))
                    .collect::<Vec<_>>()
                    .join(" ")
            ),
        }
    }
    errors.sort_by(f64::total_cmp);
    eprintln!(
        "solved {} of {total}, median {:.1} 68% {:.1} 95% {:.1} max {:.1}",
        errors.len(),
        errors[errors.len() / 2],
        errors[errors.len() * 68 / 100],
        errors[errors.len() * 95 / 100],
        errors[errors.len() - 1]
    );
}
