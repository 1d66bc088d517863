//! The work on every sample: bytes to samples, samples to a band.
//!
//! The time is that of a block of 10 ms, the throughput that in samples.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use megrez_dsp::{Band, Level, LevelStats, Packer, SampleBlock, SampleFormat, Samples, StreamInfo, Unpacker};
use num_complex::Complex;

const CARRIER_HZ: f64 = 1575.42e6;

/// Noise of standard deviation 1 a component, nearly Gaussian.
fn noise(len: usize) -> Vec<Complex<f32>> {
    let mut state = 1u64;
    let mut next = || {
        let sum: f32 = (0..4)
            .map(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                (state >> 40) as f32 / (1u32 << 24) as f32 - 0.5
            })
            .sum();
        sum * 3f32.sqrt()
    };
    (0..len).map(|_| Complex::new(next(), next())).collect()
}

fn samples(len: usize, complex: bool) -> Samples {
    let byte = |v: f32| (20.0 * v) as i8;
    if complex {
        Samples::Complex(noise(len).iter().map(|z| Complex::new(byte(z.re), byte(z.im))).collect())
    } else {
        Samples::Real(noise(len).iter().map(|z| byte(z.re)).collect())
    }
}

fn band(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("band");
    for rate in [4.0e6, 20.0e6] {
        for (name, offset, complex) in [("pass", 0.0, true), ("mix", 2.0e6, true), ("real", 2.0e6, false)] {
            let info = StreamInfo { sample_rate_hz: rate, center_hz: CARRIER_HZ - offset, complex };
            let samples = samples(info.block_len(), complex);
            group.throughput(Throughput::Elements(samples.len() as u64));
            for level in Level::all_available() {
                let mut band = Band::new(&info, CARRIER_HZ, 0.045, level);
                let mut block = SampleBlock { first_sample: 0, samples: samples.clone() };
                group.bench_function(BenchmarkId::new(format!("{name}-{level}"), rate / 1e6), |b| {
                    b.iter(|| {
                        band.push(black_box(&block));
                        block.first_sample += block.samples.len() as u64;
                    });
                });
            }
        }
    }
    group.finish();
}

fn unpack(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unpack");
    let len = 200_000;
    let input = noise(len);
    group.throughput(Throughput::Elements(len as u64));
    for format in SampleFormat::ALL {
        let mut bytes = Vec::new();
        Packer::new(format).pack(&input, &mut bytes);
        let Ok(mut unpacker) = Unpacker::new(format, len) else { continue };
        let mut out = unpacker.empty();
        group.bench_function(format.name(), |b| {
            b.iter(|| {
                out.truncate(0);
                unpacker.unpack(black_box(&bytes), &mut out);
            });
        });
    }
    group.finish();
}

fn levels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("levels");
    let samples = samples(200_000, true);
    group.throughput(Throughput::Elements(samples.len() as u64));
    let block = SampleBlock { first_sample: 0, samples };
    let mut stats = LevelStats::default();
    group.bench_function("cs8", |b| b.iter(|| stats.add(black_box(&block))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(500))
        .sample_size(20);
    targets = band, unpack, levels
}
criterion_main!(benches);
