//! A recording is streamed: the memory that a run needs does not grow with its length.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests fail by panicking

use std::process::{Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;

/// Peak resident memory of a running process in MB.
fn peak_mb(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kb| kb / 1000.0)
}

/// Peak memory of receiving `seconds` of a simulated stream, all of it.
fn peak_of_run_mb(seconds: u32) -> f64 {
    let stream = ["--rate", "20M", "--center", "1568M"];
    let out = tempfile::tempdir().unwrap();
    let mut simulate = Command::new(cargo_bin!("megrez"))
        .args(["simulate", "--signals", "B1I,L1CA", "-o", "-", "--format", "cs8"])
        .args(["--duration", &seconds.to_string()])
        .args(stream)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut run = Command::new(cargo_bin!("megrez"))
        .args(["run", "-", "--format", "cs8", "--quiet", "--out"])
        .arg(out.path())
        .args(stream)
        .stdin(simulate.stdout.take().unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0.0;
    // The length of the interval only decides how much of the very end is missed.
    let status = loop {
        if let Some(status) = run.try_wait().unwrap() {
            break status;
        }
        peak = peak_mb(run.id()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(simulate.wait().unwrap().success());
    // 3: the stream is too short for a position.
    assert!(matches!(status.code(), Some(0 | 3)), "{status}");
    let summary = std::fs::read_to_string(out.path().join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["duration_s"].as_f64(), Some(f64::from(seconds)));
    peak
}

#[test]
fn stays_below_200_mb() {
    let (short, long) = (peak_of_run_mb(4), peak_of_run_mb(16));
    println!("peak memory: {short:.0} MB for 4 s, {long:.0} MB for 16 s at 20 Msps");
    assert!(short > 1.0 && long < 200.0, "{short:.0} MB, then {long:.0} MB");
    // 12 s more are 480 MB more of samples.
    assert!(long < short + 30.0, "{short:.0} MB grew to {long:.0} MB");
}
