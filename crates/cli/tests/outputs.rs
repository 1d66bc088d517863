//! The files of `megrez run --out`, read by programs and libraries that others wrote.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests fail by panicking

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

const TRUTH: (f64, f64, f64) = (30.5283, 114.3572, 50.0);

/// A recording of a static receiver.
struct Recording {
    dir: TempDir,
    rate: &'static str,
    center: &'static str,
}

impl Recording {
    fn make(signal: &str, rate: &'static str, center: &'static str) -> Self {
        let dir = TempDir::new().unwrap();
        let status = megrez()
            .args(["simulate", "--at", "30.5283,114.3572,50", "--duration", "45", "--signals", signal])
            .args(["--rate", rate, "--center", center, "--seed", "5", "-o"])
            .arg(dir.path().join("sim.cs8"))
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        Self { dir, rate, center }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("sim.cs8")
    }

    /// Runs the receiver on it; the folder of its output.
    fn run(&self, name: &str, more: &[&str]) -> PathBuf {
        let out = self.dir.path().join(name);
        let output =
            megrez().arg("run").arg(self.file()).args(["--out"]).arg(&out).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        out
    }
}

fn megrez() -> Command {
    Command::new(cargo_bin!("megrez"))
}

fn distance_m(lat_deg: f64, lon_deg: f64) -> f64 {
    let north = (lat_deg - TRUTH.0) * 111_000.0;
    let east = (lon_deg - TRUTH.1) * 111_000.0 * TRUTH.0.to_radians().cos();
    north.hypot(east)
}

/// The position that RTKLIB computes from the two RINEX files, or none where RTKLIB is absent.
fn rtklib(out: &Path) -> Option<Vec<(f64, f64, f64)>> {
    // Without these, RTKLIB corrects neither ionosphere nor troposphere. 33: GPS and BeiDou.
    let options =
        "pos1-posmode=single\npos1-ionoopt=brdc\npos1-tropopt=saas\npos1-elmask=5\npos1-navsys=33\n";
    let config = out.join("rtklib.conf");
    fs::write(&config, options).unwrap();
    let output = Command::new("rnx2rtkp")
        .arg("-k")
        .arg(&config)
        .args([out.join("obs.rnx"), out.join("nav.rnx")])
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: rnx2rtkp (Debian's rtklib) is absent");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('%') && !line.is_empty());
    Some(
        rows.map(|line| {
            let fields: Vec<f64> = line.split_whitespace().skip(2).filter_map(|f| f.parse().ok()).collect();
            (fields[0], fields[1], fields[2])
        })
        .collect(),
    )
}

fn check_rtklib(out: &Path, name: &str) {
    let Some(fixes) = rtklib(out) else { return };
    assert!(fixes.len() >= 10, "{name}: {} positions", fixes.len());
    for &(lat, lon, height) in &fixes {
        let error = distance_m(lat, lon).hypot(height - TRUTH.2);
        assert!(error < 10.0, "{name}: {error} m at {lat} {lon} {height}");
    }
    println!("{name}: {} positions by RTKLIB, the first {:?}", fixes.len(), fixes[0]);
}

#[test]
fn others_read_what_an_l1ca_run_writes() {
    let recording = Recording::make("L1CA", "4M", "1575.42M");
    let out = recording.run("out", &["--truth", "30.5283,114.3572,50"]);
    check_rtklib(&out, "L1CA");

    let text = fs::read_to_string(out.join("track.nmea")).unwrap();
    let mut fixes = 0;
    for line in text.lines() {
        assert!(line.len() <= 80, "{line}");
        match nmea::parse_str(line).unwrap_or_else(|e| panic!("{line}: {e}")) {
            nmea::ParseResult::GGA(d) => {
                fixes += 1;
                assert!(distance_m(d.latitude.unwrap(), d.longitude.unwrap()) < 10.0, "{line}");
            }
            nmea::ParseResult::Unsupported(kind) => panic!("{line}: {kind:?} not understood"),
            _ => {}
        }
    }
    assert!(fixes >= 20, "{fixes} GGA sentences");

    let geo: geojson::GeoJson = fs::read_to_string(out.join("track.geojson")).unwrap().parse().unwrap();
    let geojson::GeoJson::FeatureCollection(features) = geo else { panic!("not a feature collection") };
    assert!(features.features.len() > fixes);

    let kml = fs::read_to_string(out.join("track.kml")).unwrap();
    kml.parse::<kml::Kml>().unwrap();

    let gpx = gpx::read(fs::File::open(out.join("track.gpx")).unwrap()).unwrap();
    let points: Vec<_> = gpx.tracks[0].segments.iter().flat_map(|s| &s.points).collect();
    assert_eq!(points.len(), fixes);
    assert!(points.iter().all(|p| distance_m(p.point().y(), p.point().x()) < 10.0));

    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["fixes"], fixes);
    assert!(summary["error"]["rms_3d_m"].as_f64().unwrap() < 5.0, "{summary}");
    for name in ["solution.jsonl", "messages.jsonl"] {
        let text = fs::read_to_string(out.join(name)).unwrap();
        assert!(text.lines().count() > 20, "{name}");
        for line in text.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }

    same_output_whatever_the_threads_and_reads(&recording, &out);
    a_kept_state_starts_hot(&recording);
}

/// Every file of two runs is the same, byte for byte (the summary but for the input's name).
fn same_output_whatever_the_threads_and_reads(recording: &Recording, first: &Path) {
    let one = recording.run("one", &["--threads", "1", "--truth", "30.5283,114.3572,50"]);
    let two = recording.run("two", &["--threads", "2", "--truth", "30.5283,114.3572,50"]);
    // Through a pipe, whose reads come in other sizes than a file's.
    let piped = recording.dir.path().join("piped");
    let mut cat = Command::new("cat").arg(recording.file()).stdout(Stdio::piped()).spawn().unwrap();
    let status = megrez()
        .args([
            "run",
            "-",
            "--format",
            "cs8",
            "--rate",
            recording.rate,
            "--center",
            recording.center,
            "--out",
        ])
        .arg(&piped)
        .args(["--truth", "30.5283,114.3572,50", "--quiet"])
        .stdin(cat.stdout.take().unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success() && cat.wait().unwrap().success());
    for entry in fs::read_dir(&one).unwrap() {
        let name = entry.unwrap().file_name();
        let read = |dir: &Path| {
            let text = fs::read_to_string(dir.join(&name)).unwrap();
            let lines = text.lines().filter(|line| !line.contains("\"name\""));
            lines.collect::<Vec<_>>().join("\n")
        };
        let reference = read(first);
        for other in [&one, &two, &piped] {
            assert!(read(other) == reference, "{} differs in {}", name.display(), other.display());
        }
    }
}

/// A state with the wrong oscillator offset costs time, not the fix.
fn a_wrong_state_is_overcome(recording: &Recording, state: &Path) {
    let mut wrong: serde_json::Value = serde_json::from_str(&fs::read_to_string(state).unwrap()).unwrap();
    wrong["oscillator_ppm"] = 40.0.into();
    let path = recording.dir.path().join("wrong.json");
    fs::write(&path, wrong.to_string()).unwrap();
    recording.run("wrong", &["--duration", "20", "--state", path.to_str().unwrap()]);
}

/// The second run, with the first one's state, needs one subframe and says that it used the state.
fn a_kept_state_starts_hot(recording: &Recording) {
    let state = recording.dir.path().join("state.json");
    recording.run("cold", &["--state", state.to_str().unwrap()]);
    let output = megrez()
        .arg("run")
        .arg(recording.file())
        .args(["--json", "--duration", "14", "--state"])
        .arg(&state)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("hot start from"));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let first_fix_s = summary["first_fix_s"].as_f64().unwrap();
    println!("first fix, hot: {first_fix_s} s");
    assert!(first_fix_s < 13.0, "{first_fix_s}");
    a_wrong_state_is_overcome(recording, &state);
}

#[test]
fn rtklib_solves_what_a_b1i_run_writes() {
    let recording = Recording::make("B1I", "5M", "1561.098M");
    let out = recording.run("out", &[]);
    check_rtklib(&out, "B1I");
    let obs = fs::read_to_string(out.join("obs.rnx")).unwrap();
    assert!(
        obs.contains("C    4 C2I L2I D2I S2I"),
        "{}",
        obs.lines().take(12).collect::<Vec<_>>().join("\n")
    );
}

/// Streams of a scene, each in a file with its metadata, and interleaved in one file: the same satellites at the same
/// places.
#[test]
fn streams_are_searched_together() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    let scene = "duration_s = 0.06\nsignals = ['B1I', 'B2I']\n[satellites]\ninclude = ['C06', 'C07', 'C09']\n\
                 [[stream]]\nsample_rate_hz = '5M'\ncenter_hz = '1561.098M'\n\
                 [[stream]]\nsample_rate_hz = '5M'\ncenter_hz = '1207.14M'\n";
    fs::write(path("scene.toml"), scene).unwrap();
    let made =
        megrez().arg("simulate").arg(path("scene.toml")).arg("-o").arg(path("s.cs8")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (first, second) = (fs::read(path("s-1.cs8")).unwrap(), fs::read(path("s-2.cs8")).unwrap());
    let pairs = first.chunks(2).zip(second.chunks(2));
    fs::write(path("both.cs8"), pairs.flat_map(|(a, b)| [a, b].concat()).collect::<Vec<u8>>()).unwrap();
    let acquire = |inputs: &[&str], more: &[&str]| -> serde_json::Value {
        let output = megrez()
            .arg("acquire")
            .args(inputs.iter().map(|name| path(name)))
            .args(["--signals", "B1I,B2I", "--oscillator", "1", "--json"])
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let apart = acquire(&["s-1.cs8", "s-2.cs8"], &[]);
    let found: Vec<(&str, &str)> = apart
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["signal"].as_str().unwrap(), f["sat"].as_str().unwrap()))
        .collect();
    let all = ["B1I", "B2I"].map(|signal| ["C06", "C07", "C09"].map(|sat| (signal, sat))).concat();
    assert_eq!(found, all);
    assert_eq!(acquire(&["both.cs8"], &["--rate", "5M", "--center", "1561.098M,1207.14M"]), apart);
}

#[test]
fn the_demo_finds_its_place() {
    let output = megrez().args(["demo", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let error_m = summary["error"]["rms_3d_m"].as_f64().unwrap();
    println!("demo: {} fixes, rms {error_m} m", summary["fixes"]);
    assert!(error_m < 5.0, "{summary}");
}
