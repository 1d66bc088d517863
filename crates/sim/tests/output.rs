//! Bytes, metadata and files: the same for any number of threads, right for every format, readable again.

#![allow(clippy::unwrap_used, clippy::panic)]

use megrez_dsp::SampleFormat;
use megrez_sim::{Scene, SimError, Simulation};

const SCENE: &str = r#"
    start = "2026-03-04T06:00:00 GPST"
    duration_s = 0.153
    seed = 5
    signals = ["B1I"]
    [front_end]
    sample_rate_hz = "4.092M"
"#;

fn bytes(text: &str, threads: usize) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let sim = Simulation::new(Scene::from_toml(text).unwrap()).unwrap();
        let mut out = Vec::new();
        let mut shares = Vec::new();
        sim.write(&mut out, |share| shares.push(share)).unwrap();
        assert_eq!(shares.last(), Some(&1.0));
        assert!(shares.is_sorted());
        out
    })
}

#[test]
fn bytes_depend_on_the_seed_and_not_on_the_threads() {
    for extra in ["", "format = \"s1\"", "bandwidth_hz = \"3M\"\nformat = \"cs2\""] {
        let text = format!("{SCENE}{extra}");
        let one = bytes(&text, 1);
        assert_eq!(one, bytes(&text, 2), "{extra}");
        assert_eq!(one, bytes(&text, 5), "{extra}");
        assert_ne!(one, bytes(&text.replace("seed = 5", "seed = 6"), 2), "{extra}");
    }
}

#[test]
fn every_format_has_its_size_and_its_metadata() {
    assert_eq!(
        Scene::from_toml(SCENE).unwrap().front_end.sample_rate_hz,
        Some(4_092_000.0),
        "no rounding in a quantity"
    );
    let samples = 626_076usize; // 0.153 s at 4.092 Msps
    for format in SampleFormat::ALL {
        let center = if format.is_complex() {
            ""
        } else {
            "center_hz = \"1561.098M\"\nif_hz = \"1M\"\nsample_rate_hz = \"8.184M\""
        };
        let text = format!(
            "{}format = \"{format}\"\n{center}",
            if center.is_empty() {
                SCENE.to_string()
            } else {
                SCENE.replace("sample_rate_hz = \"4.092M\"", "")
            }
        );
        let samples = if center.is_empty() { samples } else { 2 * samples };
        let out = bytes(&text, 2);
        assert_eq!(out.len(), (samples * format.bits_per_sample()).div_ceil(8), "{format}");
        let sim = Simulation::new(Scene::from_toml(&text).unwrap()).unwrap();
        assert_eq!(sim.sample_count(), samples as u64);
        let info = sim.info();
        assert_eq!(info.complex, format.is_complex());
        let meta: serde_json::Value = serde_json::from_str(&sim.sigmf_meta()).unwrap();
        assert_eq!(meta["global"]["core:sample_rate"], info.sample_rate_hz);
        assert_eq!(meta["global"]["megrez:format"], format.name());
        assert_eq!(meta["captures"][0]["core:frequency"], info.center_hz);
        assert_eq!(meta["captures"][0]["core:datetime"], "2026-03-04T05:59:42.000Z");
        if !format.is_complex() {
            assert_eq!(info.center_hz, 1_560.098e6, "the frequency at 0 Hz");
        }
    }
}

#[test]
fn blocks_have_the_length_of_a_block() {
    for extra in ["", "bandwidth_hz = \"3M\""] {
        let sim = Simulation::new(Scene::from_toml(&format!("{SCENE}{extra}")).unwrap()).unwrap();
        let lengths: Vec<usize> = sim.blocks().map(|b| b.len()).collect();
        assert_eq!(lengths.len() as u64, sim.block_count());
        let (last, whole) = lengths.split_last().unwrap();
        assert!(whole.iter().all(|&n| n == sim.info().block_len()));
        assert_eq!(whole.iter().sum::<usize>() + last, sim.sample_count() as usize);
    }
}

#[test]
fn the_truth_file_is_read_again() {
    let sim = Simulation::new(Scene::from_toml(&SCENE.replace("0.153", "0.95")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.truth.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    sim.write_truth(&mut file).unwrap();
    let track = megrez_sim::read_truth_track(&path).unwrap();
    assert_eq!(track.len(), 10);
    let truth = sim.truth(0.9);
    assert!((track[9].0 - truth.time).abs() < 1e-9);
    assert!((track[9].1 - truth.position).norm() < 1e-6);
    let text = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().nth(10).unwrap()).unwrap();
    assert_eq!(line["signals"][0]["doppler_hz"], truth.signals[0].doppler_hz);
    assert_eq!(line["signals"].as_array().unwrap().len(), truth.signals.len());
    std::fs::write(&path, "{\"truth_version\":1}\n{\"gps_week\":1}\n").unwrap();
    let error = megrez_sim::read_truth_track(&path).unwrap_err().to_string();
    assert!(error.contains("a.truth.jsonl, line 2: missing field"), "{error}");
}

#[test]
fn example_scenes_are_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/scenes");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut scene = Scene::load(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        scene.duration_s = 1.0;
        for sim in Simulation::streams(&scene).unwrap() {
            assert!(sim.truth(0.0).signals.len() >= 6, "{}", path.display());
            assert!(sim.warnings().is_empty());
        }
        count += 1;
    }
    assert!(count >= 4);
}

/// Two streams that hold the same signals differ in their noise and in nothing else.
#[test]
fn streams_have_one_truth_and_their_own_noise() {
    let stream = |rate: &str| format!("[[stream]]\nsample_rate_hz = \"{rate}\"\ncenter_hz = \"1561.098M\"\n");
    let head = "duration_s = 0.02\nsignals = [\"B1I\"]\n[clock]\ndrift_ppm = 1.5\n";
    let scene = Scene::from_toml(&format!("{head}{}{}", stream("4M"), stream("4M"))).unwrap();
    let [a, b] = &Simulation::streams(&scene).unwrap()[..] else { panic!("two streams are expected") };
    assert_eq!(a.truth(0.01), b.truth(0.01));
    let bytes = |sim: &Simulation| sim.packed_blocks().flatten().collect::<Vec<u8>>();
    let (a, b) = (bytes(a), bytes(b));
    let alike = a.iter().zip(&b).filter(|(a, b)| a == b).count();
    assert!(alike < a.len() / 10, "{alike} of {}", a.len());
    let refusal = |text: &str| Scene::from_toml(text).unwrap_err().to_string();
    let text = refusal(&format!("signals = [\"B1I\", \"B3I\"]\n{}", stream("4M")));
    assert!(text.contains("B3I lies in no stream"), "{text}");
    let text = refusal(&format!("signals = [\"B3I\"]\n{}", stream("4M")));
    assert!(text.contains("stream 1 holds none of the signals"), "{text}");
    let text = refusal("[[stream]]\ncenter_hz = 1e9");
    assert!(text.contains("stream 1 needs sample_rate_hz and center_hz"), "{text}");
}

#[test]
fn impossible_scenes_say_why() {
    let error = |text: &str| match Scene::from_toml(text).and_then(Simulation::new) {
        Ok(_) => panic!("{text} was accepted"),
        Err(error) => (error.to_string(), matches!(error, SimError::NoSatellites(_))),
    };
    let (text, none) = error("[satellites]\ninclude = [\"G01\"]");
    assert!(
        none && text.contains("none of them is wanted, above the mask and sends one of the signals"),
        "{text}"
    );
    let (text, _) = error("[satellites]\nnavigation = \"absent.rnx\"");
    assert!(text.contains("absent.rnx"), "{text}");
    let (text, _) = error("[receiver]\nmotion = \"track\"\nfile = \"absent.csv\"");
    assert!(text.contains("absent.csv"), "{text}");
}

/// A navigation file of the real constellation: the scene of the recording of 2021-11-25.
#[test]
fn satellites_of_a_navigation_file() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Some(path) = find(&folder) else {
        eprintln!("SKIPPED: a RINEX navigation file of 2021-11-25 is absent");
        return;
    };
    let text = format!(
        "start = \"2021-11-25T00:40:40 UTC\"\nduration_s = 0.05\nsignals = [\"L1CA\"]\n\
         [receiver]\nmotion = \"static\"\nlat_deg = 35.67\nlon_deg = 139.79\nheight_m = 60\n\
         [satellites]\nnavigation = {path:?}\n"
    );
    let sim = Simulation::new(Scene::from_toml(&text).unwrap()).unwrap();
    let truth = sim.truth(0.0);
    assert!((6..=14).contains(&truth.signals.len()), "{}", truth.signals.len());
    assert!(truth.signals.iter().all(|s| (1.9e7..2.7e7).contains(&s.range_m) && s.doppler_hz.abs() < 5000.0));
}

fn find(folder: &std::path::Path) -> Option<std::path::PathBuf> {
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        if path.is_dir() {
            if let Some(found) = find(&path) {
                return Some(found);
            }
        } else if (name.ends_with(".nav") || name.contains("n.rnx")) && name.contains("20211125") {
            return Some(path);
        }
    }
    None
}
