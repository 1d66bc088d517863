//! Searches of recordings by others, against satellites found in them by independent programs.
//!
//! The lists come from the recordings' notes. Everything listed with a peak of 15 times the mean or more is
//! to be found (nine of ten at least) and nothing that is not listed; Doppler within 250 Hz (the lists have
//! steps of 250 Hz), code start within 1 µs.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use megrez_acquire::{Acquisition, SearchPlan, search};
use megrez_dsp::{Samples, StreamInfo};
use megrez_signal::SignalId;
use num_complex::Complex;

/// A listed satellite: number, Doppler in Hz, start of a code period in ms; unknown ones are NaN.
type Listed = (u8, f64, f64);

const NAN: f64 = f64::NAN;

fn read(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/iq").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is absent", path.display());
    }
    bytes
}

fn real(center_hz: f64, sample_rate_hz: f64) -> StreamInfo {
    StreamInfo { sample_rate_hz, center_hz, complex: false }
}

fn signed(bytes: &[u8]) -> Samples {
    Samples::Real(bytes.iter().map(|&b| b as i8).collect())
}

/// First channel of the NT1065 grabber: bits 7 and 6 of each byte.
fn nt1065() -> Option<(Samples, StreamInfo)> {
    let bytes = read("ugsdr/nt1065_grabber.bin")?;
    let samples = bytes.iter().map(|b| [-1, 1, -3, 3][usize::from(b >> 6)]).collect();
    Some((Samples::Real(samples), real(1590.0e6, 79.5e6)))
}

fn pocketsdr() -> Option<(Samples, StreamInfo)> {
    let bytes = read("pocketsdr/L1_20211125_004000_12MHz_I.bin")?;
    Some((signed(&bytes), real(1572.42e6, 12.0e6)))
}

/// Searches and compares; `strong` are to be found, `weak` may be (code start modulo 1 ms, as other signals
/// of the satellite tell it).
fn compare(
    what: &str,
    (samples, info): &(Samples, StreamInfo),
    plan: &SearchPlan,
    strong: &[Listed],
    weak: &[Listed],
) {
    let found = search(samples, 0, info, plan).unwrap();
    eprintln!("{what}: {} x {} periods", plan.noncoherent, plan.coherent_periods);
    let period_ms = plan.signal.def().code_period_s() * 1e3;
    let mut hits = 0;
    let mut wrong = Vec::new();
    for a in &found {
        let start_ms = a.code_start_s(info) * 1e3;
        eprintln!(
            "  {} {:7.1} ± {:4.1} Hz {:.6} ms {:4.1} dB-Hz peak/mean {:.1}",
            a.sat, a.doppler_hz, a.doppler_sigma_hz, start_ms, a.cn0_dbhz, a.peak_to_mean
        );
        let agrees = |&(prn, hz, ms): &Listed, modulo_ms: f64| {
            let apart = (start_ms - ms).rem_euclid(modulo_ms);
            prn == a.sat.prn
                && (hz.is_nan() || (a.doppler_hz - hz).abs() <= 250.0)
                && (ms.is_nan() || apart.min(modulo_ms - apart) <= 1e-3)
        };
        if strong.iter().any(|s| agrees(s, period_ms)) {
            hits += 1;
        } else if !weak.iter().any(|s| agrees(s, 1.0)) {
            wrong.push(describe(a));
        }
    }
    let missing: Vec<u8> =
        strong.iter().map(|s| s.0).filter(|prn| found.iter().all(|a| a.sat.prn != *prn)).collect();
    eprintln!("  {hits} of {} listed, missing {missing:?}", strong.len());
    assert!(wrong.is_empty(), "{what}: not as listed: {wrong:?}");
    assert!(hits * 10 >= strong.len() * 9, "{what}: {hits} of {}", strong.len());
}

fn describe(a: &Acquisition) -> String {
    format!("{} {:.0} Hz {:.1} dB-Hz", a.sat, a.doppler_hz, a.cn0_dbhz)
}

#[test]
fn nt1065_b1i() {
    let Some(recording) = nt1065() else { return };
    let plan = SearchPlan::for_available(SignalId::B1I, 0.010, 0.0);
    let strong = [
        (26, -1500.0, 0.760352),
        (24, 750.0, 0.158591),
        (34, 2750.0, 0.620075),
        (57, -1750.0, 0.812881),
        (35, -2750.0, 0.571371),
    ];
    // 33 is listed for B1C and B2b of the same recording.
    let weak = [(12, 0.0, 0.334692), (25, 2250.0, 0.484025), (33, -2150.0, 0.477925)];
    compare("NT1065 B1I", &recording, &plan, &strong, &weak);
}

#[test]
fn nt1065_b1c() {
    let Some(recording) = nt1065() else { return };
    let plan = SearchPlan::for_available(SignalId::B1CP, 0.010, 0.0);
    let strong = [(34, 2600.0, 2.620189), (35, -2850.0, 3.571509), (33, -2150.0, 1.477925)];
    // Listed for B1I, B2a and B2b.
    let weak = [(24, 750.0, 0.158755), (26, -1500.0, 0.760604), (25, 2250.0, 0.484189)];
    compare("NT1065 B1C", &recording, &plan, &strong, &weak);
}

#[test]
fn nt1065_l1ca() {
    let Some(recording) = nt1065() else { return };
    let plan = SearchPlan::for_available(SignalId::L1CA, 0.010, 0.0);
    let strong = [
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
    ];
    compare("NT1065 L1CA", &recording, &plan, &strong, &[]);
}

#[test]
fn pocketsdr_l1ca() {
    let Some(recording) = pocketsdr() else { return };
    let plan = SearchPlan::for_available(SignalId::L1CA, 0.100, 0.0);
    let at = |sample: f64| sample / 12_000.0;
    let strong = [
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
    compare("PocketSDR L1CA", &recording, &plan, &strong, &[]);
}

#[test]
fn pocketsdr_b1c() {
    let Some(recording) = pocketsdr() else { return };
    let mut plan = SearchPlan::for_available(SignalId::B1CP, 0.100, 0.0);
    // A quarter of the recording is plenty.
    plan.noncoherent = plan.noncoherent.min(3);
    let strong = [
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
    compare("PocketSDR B1C", &recording, &plan, &strong, &[]);
}

#[test]
fn softgnss_l1ca() {
    let Some(bytes) = read("ugsdr/real_8.bin") else { return };
    let recording = (signed(&bytes), real(1575.42e6 - 9.548e6, 38.192e6));
    let mut plan = SearchPlan::for_available(SignalId::L1CA, 0.100, 0.0);
    plan.doppler_hz = (-7000.0, 7000.0);
    let at = |sample: f64| sample / 38_192.0;
    // The list counts Doppler from an intermediate frequency of 9.55 MHz.
    let hz = |listed: f64| listed + 9.55e6 - 9.548e6;
    let strong = [
        (21, hz(-2500.0), at(13_404.0)),
        (15, hz(0.0), at(36_321.0)),
        (22, hz(-250.0), at(6289.0)),
        (18, hz(-1750.0), at(20_725.0)),
        (26, hz(-5000.0), at(26_828.0)),
        (6, hz(-5750.0), at(28_203.0)),
        (9, hz(1000.0), at(4695.0)),
        (3, hz(0.0), at(34_213.0)),
    ];
    compare("SoftGNSS L1CA", &recording, &plan, &strong, &[(29, NAN, NAN)]);
}

#[test]
fn gsoc_cttc_l1ca() {
    let Some(bytes) = read("gnss-sdr/GSoC_CTTC_capture_2012_07_26_4Msps_4ms.dat") else { return };
    let values: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let rms = (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt();
    let scaled = |v: f32| (v / rms * 20.0).round().clamp(-127.0, 127.0) as i8;
    let samples = values.chunks_exact(2).map(|v| Complex::new(scaled(v[0]), scaled(v[1]))).collect();
    let info = StreamInfo { sample_rate_hz: 4.0e6, center_hz: 1575.42e6, complex: true };
    // The clock is 9 kHz off: 6 ppm.
    let plan = SearchPlan::for_available(SignalId::L1CA, 0.004, 10e-6);
    let at = |sample: f64| sample / 4000.0;
    let strong = [
        (29, 9750.0, at(3705.0)),
        (25, 9000.0, at(686.0)),
        (31, 11_750.0, at(1949.0)),
        (12, 7250.0, at(510.0)),
        (2, 8000.0, NAN),
    ];
    // Its peak is listed as 14 times the mean, less than what this test asks for.
    let weak = [(30, 12_750.0, NAN)];
    compare("GSoC-CTTC L1CA", &(Samples::Complex(samples), info), &plan, &strong, &weak);
}
