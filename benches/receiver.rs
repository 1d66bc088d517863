//! The receiver end to end: seconds of a simulated L1 C/A recording, search included.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use megrez::dsp::Unpacker;
use megrez::prelude::*;
use megrez_sim::{Scene, Simulation};

const SECONDS: f64 = 2.0;

/// The samples of a scene in blocks.
fn recording() -> (StreamInfo, Vec<SampleBlock>) {
    let scene = Scene { duration_s: SECONDS, signals: vec![SignalId::L1CA], ..Scene::default() };
    let Ok(simulation) = Simulation::new(scene) else { unreachable!("the default scene is valid") };
    let info = simulation.info();
    let Ok(mut unpacker) = Unpacker::new(simulation.format(), info.block_len()) else {
        unreachable!("the simulator's formats are valid")
    };
    let mut first_sample = 0;
    let blocks = simulation
        .packed_blocks()
        .map(|bytes| {
            let mut samples = unpacker.empty();
            unpacker.unpack(&bytes, &mut samples);
            let block = SampleBlock { first_sample, samples };
            first_sample += block.samples.len() as u64;
            block
        })
        .collect();
    (info, blocks)
}

fn receiver(c: &mut Criterion) {
    let (info, blocks) = recording();
    let mut group = c.benchmark_group("receiver");
    group.throughput(Throughput::Elements(blocks.iter().map(|b| b.samples.len() as u64).sum()));
    group.sample_size(10);
    group.bench_function("L1CA 4 Msps, 2 s", |b| {
        b.iter_batched(
            || Receiver::builder(info.clone()).signals([SignalId::L1CA]).build().ok(),
            |receiver| {
                let mut receiver = receiver?;
                for block in &blocks {
                    receiver.push(block);
                }
                Some(receiver)
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, receiver);
criterion_main!(benches);
