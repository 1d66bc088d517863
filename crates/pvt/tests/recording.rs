//! From the samples of a real recording to a position, with a plain acquisition of the satellites listed for
//! it: correlation in the time domain, power summed over code periods. The position expected is the one that
//! an independent program found from three constellations (it states 25 m of agreement between them).
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{error_m, shared};
use megrez_orbit::{CivilTime, Ecef, Geodetic, GnssTime, NavData, TimeScale};
use megrez_pvt::{CodePhase, SolverConfig, solve_snapshot};
use megrez_signal::{Modulation, Sat, SignalId};
use std::f64::consts::TAU;

const RATE_HZ: f64 = 12e6;
const IF_HZ: f64 = 3e6;

/// PRN, Doppler in Hz, code start in ms, as listed.
const B1C: [(u8, f64, f64); 11] = [
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
];
/// PRN and Doppler in Hz, as listed; code starts are listed for the first five, in samples.
const L1CA: [(u8, f64); 11] = [
    (13, -250.0),
    (5, 250.0),
    (15, 1750.0),
    (20, -1250.0),
    (30, -2000.0),
    (11, -3250.0),
    (2, -2750.0),
    (18, 3250.0),
    (29, -2000.0),
    (28, 2250.0),
    (24, 4000.0),
];
const L1CA_STARTS: [f64; 5] = [6004.0, 5611.0, 9317.0, 8172.0, 4720.0];

fn place() -> Ecef {
    Geodetic::new(35.8730, 138.38965, 1020.0).to_ecef()
}

fn navigation() -> Option<(NavData, GnssTime)> {
    let path = shared("data/iq/pocketsdr/20211125a.nav")?;
    let civil = CivilTime { year: 2021, month: 11, day: 25, hour: 0, minute: 40, second: 39.7 };
    Some((megrez_rinex::read_nav(&path).unwrap().nav, GnssTime::from_civil(TimeScale::Utc, civil)))
}

fn phase(sat: Sat, signal: SignalId, doppler_hz: f64, start_s: f64) -> CodePhase {
    let code_delay_s = (-start_s).rem_euclid(signal.def().code_period_s());
    CodePhase { sat, signal, code_delay_s, doppler_hz: Some(doppler_hz), cn0_dbhz: 42.0 }
}

/// Chips as the waveform's half chips, +1 and -1.
fn halves(signal: SignalId, prn: u8) -> Vec<f32> {
    let def = signal.def();
    let second = if def.modulation == Modulation::Bpsk { 1.0 } else { -1.0 };
    let level = |c: u8| 1.0 - 2.0 * f32::from(c);
    def.code(prn).unwrap().iter().flat_map(|&c| [level(c), second * level(c)]).collect()
}

/// Power of `periods` code periods of the samples with the replica that starts at `start_s`.
fn power(x: &[i8], halves: &[f32], signal: SignalId, doppler: f64, start_s: f64, periods: usize) -> f64 {
    let def = signal.def();
    let per_period = (def.code_period_s() * RATE_HZ) as usize;
    let rate = 2.0 * def.chip_rate_hz * (1.0 + doppler / def.carrier_hz) / RATE_HZ;
    let n_halves = halves.len() as f64;
    let mut code =
        (-start_s * 2.0 * def.chip_rate_hz * (1.0 + doppler / def.carrier_hz)).rem_euclid(n_halves);
    let (sin, cos) = (TAU * (IF_HZ + doppler) / RATE_HZ).sin_cos();
    let (mut re, mut im) = (1.0f64, 0.0f64);
    let mut total = 0.0;
    for block in x.chunks_exact(per_period).take(periods) {
        let (mut i, mut q) = (0.0f64, 0.0f64);
        for &s in block {
            let v = f64::from(s) * f64::from(halves[code as usize]);
            i += v * re;
            q -= v * im;
            (re, im) = (re * cos - im * sin, re * sin + im * cos);
            code += rate;
            if code >= n_halves {
                code -= n_halves;
            }
        }
        total += i * i + q * q;
    }
    total
}

/// Refines a code start known to a sample or two: the middle between equal early and late power.
fn refine(x: &[i8], signal: SignalId, prn: u8, doppler: f64, start_s: f64, periods: usize) -> (f64, f64) {
    let halves = halves(signal, prn);
    let chip_s = 1.0 / signal.def().chip_rate_hz;
    let at = |d: f64, s: f64| power(x, &halves, signal, d, s, periods);
    let steps = if signal == SignalId::L1CA { 60.0 } else { 15.0 };
    let best =
        |values: &mut dyn Iterator<Item = (f64, f64)>| values.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
    let doppler = best(&mut (-4..=4).map(|k| doppler + f64::from(k) * steps).map(|d| (d, at(d, start_s))));
    let mut start =
        best(&mut (-4..=4).map(|k| start_s + f64::from(k) * 0.1 * chip_s).map(|s| (s, at(doppler, s))));
    let spacing = 0.15 * chip_s;
    for _ in 0..3 {
        let (early, late) = (at(doppler, start - spacing).sqrt(), at(doppler, start + spacing).sqrt());
        let middle = at(doppler, start).sqrt();
        // The peak is a triangle: its flanks fall by (middle - side) over the spacing.
        let slope = (2.0 * middle - early - late).max(0.05 * middle);
        start += spacing * ((late - early) / slope).clamp(-1.0, 1.0) * 0.5;
    }
    (doppler, start)
}

/// Where the code of an L1 C/A satellite starts, to half a microsecond, near a listed Doppler.
fn find(x: &[i8], prn: u8, doppler: f64) -> (f64, f64) {
    const STEP: usize = 6;
    const LENGTH: usize = 2000;
    let def = SignalId::L1CA.def();
    let halves = halves(SignalId::L1CA, prn);
    let rate = 2.0 * def.chip_rate_hz * STEP as f64 / RATE_HZ;
    // In the middle of each run of samples.
    let code: Vec<f32> = (0..2 * LENGTH)
        .map(|n| halves[((n % LENGTH) as f64 * rate + 0.4 * rate) as usize % halves.len()])
        .collect();
    let mut best = (0.0, doppler, 0.0);
    for k in -1..=1 {
        let d = doppler + 250.0 * f64::from(k);
        let z: Vec<(f32, f32)> = x[..10 * LENGTH * STEP]
            .chunks_exact(STEP)
            .enumerate()
            .map(|(m, run)| {
                run.iter().enumerate().fold((0.0, 0.0), |(re, im), (j, &s)| {
                    let (sin, cos) =
                        (TAU * ((IF_HZ + d) / RATE_HZ * (m * STEP + j) as f64).fract()).sin_cos();
                    (re + f32::from(s) * cos as f32, im - f32::from(s) * sin as f32)
                })
            })
            .collect();
        for lag in 0..LENGTH {
            let replica = &code[LENGTH - lag..2 * LENGTH - lag];
            let total: f32 = z
                .chunks_exact(LENGTH)
                .map(|block| {
                    let (mut re, mut im) = (0.0f32, 0.0f32);
                    for (&(a, b), &c) in block.iter().zip(replica) {
                        re += a * c;
                        im += b * c;
                    }
                    re * re + im * im
                })
                .sum();
            if total > best.0 {
                best = (total, d, (lag * STEP) as f64 / RATE_HZ);
            }
        }
    }
    (best.1, best.2)
}

fn acquired(nav: &NavData, t: GnssTime) -> Option<Vec<CodePhase>> {
    let directory = shared("data/iq/pocketsdr")?;
    let name = "L1_20211125_004000_12MHz_I.bin";
    let path = std::fs::read_dir(&directory).unwrap().find_map(|f| {
        let path = f.unwrap().path();
        let found = path.file_name()?.to_str()?;
        (found == name || (found.starts_with("L1_20211125") && found.ends_with(".bin"))).then_some(path)
    });
    let Some(path) = path else {
        eprintln!("SKIPPED: {name} is absent");
        return None;
    };
    let x: Vec<i8> = std::fs::read(path).unwrap().into_iter().map(|b| b as i8).collect();
    let mut obs = Vec::new();
    for (prn, doppler, ms) in B1C {
        let sat = Sat::bds(prn);
        if nav.ephemeris(sat, t).is_some() {
            let (d, start) = refine(&x, SignalId::B1CP, prn, doppler, ms * 1e-3, 8);
            obs.push(phase(sat, SignalId::B1CP, d, start));
        }
    }
    for (k, (prn, doppler)) in L1CA.into_iter().enumerate() {
        let sat = Sat::gps(prn);
        if nav.ephemeris(sat, t).is_some() {
            let (d, coarse) = match L1CA_STARTS.get(k) {
                Some(&sample) => (doppler, sample / RATE_HZ),
                None => find(&x, prn, doppler),
            };
            let (d, start) = refine(&x, SignalId::L1CA, prn, d, coarse, 60);
            obs.push(phase(sat, SignalId::L1CA, d, start));
        }
    }
    Some(obs)
}

#[test]
fn position_from_samples() {
    let Some((nav, t)) = navigation() else { return };
    let Some(obs) = acquired(&nav, t) else { return };
    let config = SolverConfig { snapshot_code_sigma_m: 6.0, ..SolverConfig::default() };
    let mut errors = Vec::new();
    for (name, signal, limit) in [
        ("B1C", Some(SignalId::B1CP), 40.0),
        ("L1 C/A", Some(SignalId::L1CA), 40.0),
        ("B1C + L1 C/A", None, 30.0),
    ] {
        let chosen: Vec<CodePhase> =
            obs.iter().copied().filter(|o| signal.is_none_or(|s| s == o.signal)).collect();
        for approx in [None, Some(place() + Ecef::new(40e3, 40e3, 0.0))] {
            match solve_snapshot(&chosen, &nav, t + 25.0, 60.0, approx, &config) {
                Ok(s) => {
                    let (h, v, _) = error_m(s.position, place());
                    eprintln!(
                        "{name}, cold {}: H {h:.1} V {v:.1} m, sigma {:.0} {:.0} m, time {:.3} s",
                        approx.is_none(),
                        s.horizontal_sigma_m(),
                        s.vertical_sigma_m(),
                        s.time - t
                    );
                    for u in &s.sats {
                        eprintln!(
                            "   {} {:6.1} m at {:2.0}° {}",
                            u.sat,
                            u.residual_m,
                            u.azel.elevation_deg(),
                            u.used
                        );
                    }
                    if h > limit || (s.time - t).abs() > 0.5 {
                        errors.push(format!("{name}: {h:.1} m"));
                    }
                }
                Err(error) => errors.push(format!("{name}: {error}")),
            }
        }
    }
    assert!(errors.is_empty(), "{errors:?}");
}

/// Code starts as listed are good to a sample, 25 m: with the geometry of five unknowns, the position agrees
/// within what the solution itself states.
#[test]
fn position_from_listed_code_phases() {
    let Some((nav, t)) = navigation() else { return };
    let b1c = B1C.map(|(prn, d, ms)| phase(Sat::bds(prn), SignalId::B1CP, d, ms * 1e-3));
    let gps = L1CA.iter().zip(L1CA_STARTS);
    let gps = gps.map(|(&(prn, d), n)| phase(Sat::gps(prn), SignalId::L1CA, d, n / RATE_HZ));
    let both: Vec<CodePhase> = b1c.into_iter().chain(gps).collect();
    let near = Some(place() + Ecef::new(40e3, 40e3, 0.0));
    let config = SolverConfig {
        snapshot_code_sigma_m: 25.0,
        snapshot_doppler_sigma_hz: 80.0,
        ..SolverConfig::default()
    };
    for (name, chosen, approx) in
        [("B1C cold", &b1c[..], None), ("B1C", &b1c, near), ("both cold", &both, None), ("both", &both, near)]
    {
        for off in [-50.0, 0.0, 45.0] {
            let s = solve_snapshot(chosen, &nav, t + off, 60.0, approx, &config)
                .unwrap_or_else(|e| panic!("{name} {off}: {e}"));
            let (h, v, _) = error_m(s.position, place());
            let (sigma_h, sigma_v) = (s.horizontal_sigma_m(), s.vertical_sigma_m());
            eprintln!("{name}, {off} s: H {h:.1} (sigma {sigma_h:.1}) V {v:.1} ({sigma_v:.1})");
            assert!(h < 3.0 * sigma_h && v.abs() < 3.0 * sigma_v && h < 100.0, "{name}");
            assert!((s.time - t).abs() < 0.5);
        }
    }
    // Without Dopplers, B1C alone is searched for all over the earth.
    let blind = b1c.map(|o| CodePhase { doppler_hz: None, ..o });
    let s = solve_snapshot(&blind, &nav, t + 20.0, 60.0, None, &config).unwrap();
    assert!(error_m(s.position, place()).0 < 100.0);
}
