//! Motion that no receiver makes, but a track may say.

#![allow(clippy::unwrap_used, clippy::panic)]

use megrez_sim::{Scene, Simulation};

/// Paths that shrink and grow at several times the speed of light: codes run fast, and backwards.
#[test]
fn tracks_may_jump() {
    let dir = tempfile::tempdir().unwrap();
    let track = dir.path().join("jump.csv");
    std::fs::write(
        &track,
        "t,x,y,z\n0,6378137,0,0\n0.005,16378137,0,0\n0.010,6378137,0,0\n0.015,16378137,0,0\n0.020,6378137,0,0\n",
    )
    .unwrap();
    let scene = format!(
        "duration_s = 0.02\nsignals = [\"L1CA\"]\n[receiver]\nmotion = \"track\"\nfile = '{}'\n\
         [front_end]\nsample_rate_hz = \"4M\"\ncenter_hz = \"1575.42M\"\nnoiseless = true\n",
        track.display()
    );
    let simulation = Simulation::new(Scene::from_toml(&scene).unwrap()).unwrap();
    assert!(simulation.signals().count() > 0);
    let mut count = 0;
    for sample in simulation.blocks().flatten() {
        assert!(sample.re.is_finite() && sample.im.is_finite(), "sample {count}: {sample}");
        count += 1;
    }
    assert_eq!(count, simulation.sample_count());
}
