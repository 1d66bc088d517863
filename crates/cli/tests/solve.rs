//! `megrez solve` on observations that others recorded, and on files that are none.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking

use std::fs::write;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::Value;

/// Rover and base of Nagoya, and their true positions.
const ROVER: &str = "35.13469901,136.97757549,104.8626";
const BASE: &str = "35.134707705,136.977577939,104.85335";

fn megrez() -> Command {
    Command::cargo_bin("megrez").unwrap()
}

fn nagoya() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rinex/nagoya-2024-rtk");
    if !dir.is_dir() {
        eprintln!("SKIPPED: {} is absent", dir.display());
        return None;
    }
    Some(dir)
}

fn solve(dir: &Path, args: &[&str]) -> Command {
    let mut command = megrez();
    command.arg("solve").arg(dir.join("rover.obs.gz")).arg("--nav").arg(dir.join("base.nav")).args(args);
    command
}

fn statistics(command: &mut Command) -> Value {
    let output = command.args(["--json", "--quiet"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut all: Value = serde_json::from_slice(&output.stdout).unwrap();
    all[0].take()
}

#[test]
fn single_positions_reach_every_output() {
    let Some(dir) = nagoya() else { return };
    let out = tempfile::tempdir().unwrap();
    let page = out.path().join("page.html");
    let s = statistics(
        solve(&dir, &["--systems", "C,gps", "--truth", ROVER, "--out"])
            .arg(out.path())
            .arg("--plot")
            .arg(&page),
    );
    assert_eq!((s["epochs"].as_u64(), s["solved"].as_u64()), (Some(301), Some(301)));
    assert!(s["errors"]["h95_m"].as_f64().unwrap() < 3.25, "{s}");
    assert!(s["speed95_m_s"].as_f64().unwrap() < 0.05, "{s}");
    let pos = std::fs::read_to_string(out.path().join("solution.pos")).unwrap();
    let lines: Vec<&str> = pos.lines().filter(|line| !line.starts_with('%')).collect();
    assert_eq!(lines.len(), 301);
    assert!(lines[0].starts_with("2024/06/24 08:20:00.") && lines[0].split_whitespace().nth(5) == Some("5"));
    for name in ["solution.jsonl", "track.geojson", "track.kml", "track.gpx", "track.nmea"] {
        assert!(out.path().join(name).metadata().unwrap().len() > 10_000, "{name}");
    }
    let html = std::fs::read_to_string(page).unwrap();
    assert_eq!(html.matches("<svg").count(), 5);
    assert!(html.contains("301 of 301") && !html.contains("http-equiv") && !html.contains("<script"));
}

#[test]
fn a_base_gives_millimetres() {
    let Some(dir) = nagoya() else { return };
    let base = dir.join("base.obs.gz");
    let mut command = solve(&dir, &["--base-position", BASE, "--truth", ROVER, "--systems", "C", "--base"]);
    let s = statistics(command.arg(&base));
    assert_eq!(s["fixed"].as_u64(), Some(301), "{s}");
    assert!(s["errors"]["h95_m"].as_f64().unwrap() <= 0.003, "{s}");
    let mut command = solve(&dir, &["--base-position", BASE, "--pos", "-", "--base"]);
    let output = command.arg(&base).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last: Vec<&str> = text.lines().last().unwrap().split_whitespace().collect();
    assert_eq!((last[5], last.len()), ("1", 15));
    assert!(last[14].parse::<f64>().unwrap() >= 1.0, "the ratio: {last:?}");
}

#[test]
fn systems_and_times_can_be_chosen() {
    let Some(dir) = nagoya() else { return };
    let minute =
        ["--systems", "C", "--start", "2024-06-24T08:21:00 GPST", "--end", "2024-06-24T08:21:59 GPST"];
    let s = statistics(&mut solve(&dir, &minute));
    assert_eq!(s["epochs"].as_u64(), Some(60));
    assert!(s["errors"].is_null());
    solve(&dir, &["--mode", "filter", "--dynamics", "static"]).assert().success();
    solve(&dir, &["--systems", "I"]).assert().code(3);
}

#[test]
fn what_cannot_be_solved_is_said_in_a_line() {
    let Some(dir) = nagoya() else { return };
    let place = tempfile::tempdir().unwrap();
    let noise = place.path().join("noise.obs");
    let bytes: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    write(&noise, bytes).unwrap();
    let nav = dir.join("base.nav");
    let mut command = megrez();
    command.arg("solve").arg(&noise).arg("--nav").arg(&nav);
    command.assert().code(1).stderr(contains("error: ").and(contains("hint: ")));
    // A file that is none does not hide one that is.
    let mut command = megrez();
    command.arg("solve").arg(&noise).arg(dir.join("rover.obs.gz")).arg("--nav").arg(&nav);
    command.assert().code(1).stdout(contains("rover.obs.gz"));
    // No output overwrites an input.
    let kept = place.path().join("kept.nav");
    std::fs::copy(&nav, &kept).unwrap();
    let mut command = megrez();
    command.arg("solve").arg(dir.join("rover.obs.gz")).arg("--nav").arg(&kept).arg("--pos").arg(&kept);
    command.assert().code(1).stderr(contains("overwritten"));
    assert_eq!(std::fs::read(&kept).unwrap(), std::fs::read(&nav).unwrap());
    let off = ["--base-position", "35.2,136.97,100", "--base"];
    solve(&dir, &off).arg(dir.join("base.obs.gz")).assert().stderr(contains("m from the position given"));
    solve(&dir, &["--elevation-mask", "nan"]).assert().code(2);
    solve(&dir, &["--plot", "picture.gif"]).assert().code(1).stderr(contains(".html or .svg"));
    solve(&dir, &["--systems", "moon"]).assert().code(2).stderr(contains("galileo"));
    solve(&dir, &["--rtk", "static"]).assert().code(2).stderr(contains("--base"));
    let mut command = megrez();
    command.arg("solve").arg(dir.join("rover.obs.gz")).arg("--nav").arg(place.path().join("none.nav"));
    command.assert().code(1).stderr(contains("none.nav"));
}

#[test]
fn a_baseline_at_rest_raises_no_alarm() {
    let Some(dir) = nagoya() else { return };
    let out = tempfile::tempdir().unwrap();
    let mut command = megrez();
    command.arg("monitor").arg(dir.join("rover.obs.gz")).arg("--base").arg(dir.join("base.obs.gz"));
    command.arg("--nav").arg(dir.join("base.nav")).args(["--base-position", BASE, "--session", "15"]);
    command.args(["--moving", "--json", "--out"]).arg(out.path());
    command.arg("--plot").arg(out.path().join("series.svg"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["displacement"].is_null());
    let count = found["sessions"].as_u64().unwrap();
    assert!((20..=21).contains(&count), "{count} sessions of 15 s in five minutes");
    assert!(found["noise_enu_mm"].as_array().unwrap().iter().all(|v| v.as_f64().unwrap() < 3.0), "{found}");
    let csv = std::fs::read_to_string(out.path().join("sessions.csv")).unwrap();
    assert_eq!(csv.lines().count() as u64, count + 1);
    assert!(std::fs::read_to_string(out.path().join("series.svg")).unwrap().contains("<svg"));
    command.args(["--start", "2030-01-01T00:00"]);
    assert_eq!(command.output().unwrap().status.code(), Some(3));
}
