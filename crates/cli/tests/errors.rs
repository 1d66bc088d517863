//! Wrong command lines and wrong input: one clear line, a hint, and no panic.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests fail by panicking

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

fn megrez() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("megrez"))
}

/// Runs, expects failure, and returns what was said.
fn fails(args: &[&str]) -> String {
    let assert = megrez().args(args).assert().failure().stderr(contains("panicked").not());
    let text = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(text.lines().filter(|line| line.starts_with("error: ")).count() == 1, "{text}");
    text
}

fn file(dir: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

const STREAM: [&str; 4] = ["--rate", "4M", "--center", "1575.42M"];

fn run<'a>(input: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", input], more].concat()
}

#[test]
fn inputs_that_cannot_be_read() {
    let dir = TempDir::new().unwrap();
    let empty = file(&dir, "empty.cs8", b"");
    assert!(fails(&run(&empty, &STREAM)).contains("no samples"));
    let missing = dir.path().join("missing.cs8");
    assert!(fails(&run(missing.to_str().unwrap(), &STREAM)).contains("no such file"));
    assert!(fails(&run(dir.path().to_str().unwrap(), &STREAM)).contains("directory"));
    let noise = file(&dir, "noise.bin", &[3; 1000]);
    assert!(fails(&run(&noise, &STREAM)).contains("--format"));
    let cs8 = file(&dir, "noise.cs8", &[3; 1000]);
    assert!(fails(&run(&cs8, &["--center", "1575.42M"])).contains("--rate"));
    assert!(fails(&run(&cs8, &["--rate", "4M"])).contains("--center"));
    assert!(fails(&run(&cs8, &["--rate", "4M", "--center", "100M"])).contains("1575.420 MHz"));
}

#[test]
fn an_odd_byte_is_named_and_the_rest_is_used() {
    let dir = TempDir::new().unwrap();
    let odd = file(&dir, "odd.cs8", &[1; 80_001]);
    megrez().args(run(&odd, &STREAM)).assert().code(3).stderr(
        contains("warning: ").and(contains("byte offset 80000")).and(contains("no satellite was found")),
    );
}

#[test]
fn a_rate_that_disagrees_with_the_metadata_is_named() {
    let dir = TempDir::new().unwrap();
    let data = file(&dir, "a.sigmf-data", &[1; 80_000]);
    file(
        &dir,
        "a.sigmf-meta",
        br#"{"global":{"core:version":"1.2.0","core:datatype":"ci8","core:sample_rate":4000000},
            "captures":[{"core:sample_start":0,"core:frequency":1575420000}],"annotations":[]}"#,
    );
    megrez().args(run(&data, &[])).assert().code(3).stderr(contains("warning").not());
    megrez()
        .args(run(&data, &["--rate", "5M"]))
        .assert()
        .code(3)
        .stderr(contains("warning: ").and(contains("5000000")).and(contains("4000000")));
}

#[test]
fn unknown_keys_come_with_a_suggestion() {
    let dir = TempDir::new().unwrap();
    let data = file(&dir, "x.bin", &[1; 80_000]);
    let config = file(&dir, "fe.toml", b"bits = 2\nsample_rat_hz = 4e6\n");
    let text = fails(&run(&data, &["--config", &config]));
    assert!(text.contains("sample_rat_hz") && text.contains("did you mean"), "{text}");
    let scene = file(&dir, "scene.toml", b"duration_s = 1\nsignal = [\"B1I\"]\n");
    let out = dir.path().join("o.cs8");
    let text = fails(&["simulate", &scene, "-o", out.to_str().unwrap()]);
    assert!(text.contains("signal"), "{text}");
    assert!(!Path::new(&out).exists());
}

#[test]
fn navigation_and_state_files_that_are_none() {
    let dir = TempDir::new().unwrap();
    let data = file(&dir, "x.cs8", &[1; 80_000]);
    let junk = file(&dir, "junk.rnx", b"this is no navigation file\n");
    let time = ["--time", "2021-11-25T00:40:39"];
    let args = [&["snapshot", &data, "--nav", &junk], &STREAM[..], &time[..]].concat();
    assert!(fails(&args).contains("junk.rnx"));
    let state = file(&dir, "state.json", b"{}");
    let text = fails(&run(&data, &[&STREAM[..], &["--state", &state]].concat()));
    assert!(text.contains("state.json") && text.contains("hint: "), "{text}");
}

#[test]
fn the_level_can_be_chosen_and_wrong_ones_are_named() {
    let dir = TempDir::new().unwrap();
    let data = file(&dir, "x.cs8", &[1; 80_000]);
    megrez()
        .args(run(&data, &STREAM))
        .env("MEGREZ_SIMD", "sse9")
        .assert()
        .failure()
        .stderr(contains("MEGREZ_SIMD"));
    megrez().args(run(&data, &STREAM)).env("MEGREZ_SIMD", "portable").assert().code(3);
}

#[test]
fn help_has_examples_and_completions_exist() {
    for command in ["run", "acquire", "snapshot", "simulate", "info"] {
        megrez().args([command, "--help"]).assert().success().stdout(contains("Examples:"));
    }
    for shell in ["bash", "zsh", "fish"] {
        megrez().args(["completions", shell]).assert().success().stdout(contains("snapshot"));
    }
}

#[test]
fn info_guesses_and_draws() {
    let dir = TempDir::new().unwrap();
    let mut state = 1u32;
    let bytes: Vec<u8> = (0..400_000)
        .map(|_| {
            let sum: i32 = (0..4)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 27) as i32 - 16
                })
                .sum();
            sum as i8 as u8
        })
        .collect();
    let unknown = file(&dir, "unknown.bin", &bytes);
    megrez().args(["info", &unknown]).assert().failure().stdout(contains("probably cs8"));
    let plot = dir.path().join("plot.png");
    let svg = dir.path().join("plot.svg");
    for picture in [&plot, &svg] {
        megrez()
            .args(["info", &unknown, "--format", "cs8", "--no-satellites"])
            .args(STREAM)
            .arg("--plot")
            .arg(picture)
            .assert()
            .success()
            .stdout(contains("spectrum").and(contains("histogram")));
        assert!(fs::metadata(picture).unwrap().len() > 1000);
    }
}
