//! SBAS messages in messages.jsonl, of a recording without anything to position by.

#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking

use std::fs;
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;

#[test]
fn messages_are_written_as_received() {
    let dir = tempfile::TempDir::new().unwrap();
    let (file, out) = (dir.path().join("sim.cs8"), dir.path().join("out"));
    let simulated = Command::new(cargo_bin!("megrez"))
        .args(["simulate", "--at", "30.5283,114.3572,50", "--duration", "6", "--signals", "SBAS-L1"])
        .args(["--rate", "2.2M", "--center", "1575.42M", "--seed", "5", "-o"])
        .arg(&file)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(simulated.success());
    let run = Command::new(cargo_bin!("megrez"))
        .args(["run", "--signals", "SBAS-L1", "--out"])
        .args([&out, &file])
        .output()
        .unwrap();
    // No position, and that is said; the messages are there all the same.
    println!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let text = fs::read_to_string(out.join("messages.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for sat in ["S30", "S43", "S44"] {
        let of_sat: Vec<_> = lines.iter().filter(|line| line["sat"] == sat).collect();
        assert!((4..=6).contains(&of_sat.len()), "{sat}: {} messages", of_sat.len());
        for line in of_sat {
            assert_eq!((line["message"].as_str(), line["subframe"].as_u64()), (Some("SBAS"), Some(63)));
            assert_eq!(
                (line["complete"].as_bool(), line["words"].as_array().map(Vec::len)),
                (Some(true), Some(9))
            );
        }
    }
}
