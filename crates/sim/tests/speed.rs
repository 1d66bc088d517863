//! Speed, printed for the record: `cargo test --release -p megrez-sim --test speed -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Instant;

use megrez_sim::{Scene, Simulation};

/// Ten satellites at 4 Msps take less time to make than to play, on whatever this runs, even busy.
#[test]
fn faster_than_real_time() {
    if cfg!(debug_assertions) {
        eprintln!("SKIPPED: speed is measured in release builds");
        return;
    }
    let all = Scene::from_toml("duration_s = 2\nsignals = [\"B1I\"]\n[satellites]\nelevation_mask_deg = -5")
        .unwrap();
    let mut sats: Vec<_> = Simulation::new(all.clone()).unwrap().signals().map(|(sat, _)| sat).collect();
    sats.truncate(10);
    assert_eq!(sats.len(), 10);
    let mut scene = all;
    scene.satellites.include = sats;
    let sim = Simulation::new(scene).unwrap();
    let began = Instant::now();
    let mut bytes = Vec::new();
    sim.write(&mut bytes, |_| ()).unwrap();
    let took = began.elapsed().as_secs_f64();
    let threads = rayon::current_num_threads();
    eprintln!("2 s of 10 satellites at 4 Msps in {took:.3} s with {threads} threads");
    assert_eq!(bytes.len(), 16_000_000);
    assert!(took < 2.0, "{took} s");
}
