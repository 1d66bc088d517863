//! Time of the generator a sample and satellite: the element of the throughput is one sample of one satellite.
//! One thread; quantising included, writing not.

#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use megrez_signal::SignalId;
use megrez_sim::{Scene, Simulation};

const SATELLITES: usize = 10;

fn simulation(rate_hz: f64, noiseless: bool) -> Simulation {
    let mut scene = Scene { duration_s: 0.5, signals: vec![SignalId::L1CA], ..Scene::default() };
    scene.satellites.elevation_mask_deg = -10.0;
    scene.front_end.sample_rate_hz = Some(rate_hz);
    scene.front_end.center_hz = Some(1_575.42e6);
    scene.front_end.noiseless = noiseless;
    let all = Simulation::new(scene.clone()).unwrap();
    scene.satellites.include = all.signals().map(|(sat, _)| sat).take(SATELLITES).collect();
    assert_eq!(scene.satellites.include.len(), SATELLITES);
    Simulation::new(scene).unwrap()
}

fn generate(c: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = c.benchmark_group("generate");
    group.sample_size(20);
    for (rate, rate_hz) in [("4 Msps", 4e6), ("20 Msps", 20e6)] {
        for (noise, noiseless) in [("with noise", false), ("without noise", true)] {
            let sim = simulation(rate_hz, noiseless);
            group.throughput(Throughput::Elements(sim.sample_count() * SATELLITES as u64));
            group.bench_function(format!("L1CA cs8 {rate} {noise}"), |b| {
                b.iter(|| pool.install(|| sim.packed_blocks().map(|bytes| bytes.len()).sum::<usize>()));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, generate);
criterion_main!(benches);
