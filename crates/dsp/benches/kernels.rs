//! Correlators by level and rate, the definition beside them, and the band's work on samples.
//!
//! The time of a `correlate` benchmark is that of one channel and one millisecond of samples, its throughput
//! in samples a second is to be compared with that of `textbook`, the definition; a pair is two codes at once. The time of
//! a `band` benchmark is that of a block of 10 ms.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use megrez_dsp::{
    Band, Correlation, Correlator, Kernel, Level, Replica, SampleBlock, Samples, StreamInfo, Subcarrier,
};
use num_complex::Complex;

const CARRIER_HZ: f64 = 1575.42e6;
const RATES: [f64; 3] = [4.0e6, 10.0e6, 25.0e6];

fn noise(len: usize) -> Vec<Complex<i8>> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((state >> 56) as i8) / 4
    };
    (0..len).map(|_| Complex::new(next(), next())).collect()
}

fn chips() -> Vec<u8> {
    noise(1023).iter().map(|x| u8::from(x.re < 0)).collect()
}

fn correlate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("correlate");
    let chips = chips();
    for rate in RATES {
        let len = (rate * 1e-3) as usize;
        let info = StreamInfo { sample_rate_hz: rate, center_hz: CARRIER_HZ, complex: true };
        let samples = noise(info.block_len());
        let block = SampleBlock { first_sample: 0, samples: Samples::Complex(samples.clone()) };
        let msps = rate / 1e6;
        let at = |spacing| Correlation {
            start: 77,
            len,
            code_phase_chips: 400.3,
            code_rate_hz: 1.023e6 * (1.0 + 2e-6),
            carrier_phase_cycles: 0.3,
            carrier_freq_hz: 3_210.0,
            tap_spacing_chips: spacing,
        };
        group.throughput(Throughput::Elements(len as u64));
        for (name, rate_factor, subcarrier, spacing) in [
            ("l1ca-0.5", 1.0, Subcarrier::None, 0.5),
            ("l1ca-0.25", 1.0, Subcarrier::None, 0.25),
            ("b1i-0.5", 2.0, Subcarrier::None, 0.5),
            ("b1i-0.25", 2.0, Subcarrier::None, 0.25),
            ("boc-0.25", 1.0, Subcarrier::BocSine, 0.25),
        ] {
            let replica = Replica::new(&chips, subcarrier);
            let other: Vec<u8> = chips.iter().rev().copied().collect();
            let other = Replica::new(&other, subcarrier);
            let c = at(spacing);
            let c = Correlation { code_rate_hz: c.code_rate_hz * rate_factor, ..c };
            for level in Level::all_available() {
                let correlator = Correlator::new(rate, level);
                let mut band = Band::new(&info, CARRIER_HZ, 0.05, level);
                band.push(&block);
                let view = band.view();
                group.bench_function(BenchmarkId::new(format!("{name}-{level}"), msps), |b| {
                    b.iter(|| correlator.correlate(&view, &replica, black_box(&c)));
                });
                if subcarrier == Subcarrier::BocSine {
                    group.bench_function(BenchmarkId::new(format!("{name}-pair-{level}"), msps), |b| {
                        b.iter(|| correlator.correlate_pair(&view, [&replica, &other], black_box(&c)));
                    });
                }
            }
        }
        let definition = Correlator::with_kernel(rate, Level::Portable, Kernel::Definition);
        let replica = Replica::new(&chips, Subcarrier::None);
        let mut band = Band::new(&info, CARRIER_HZ, 0.05, Level::Portable);
        band.push(&block);
        group.bench_function(BenchmarkId::new("textbook", msps), |b| {
            b.iter(|| definition.correlate(&band.view(), &replica, black_box(&at(0.5))));
        });
    }
    group.finish();
}

fn band(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("band");
    let rate = 10.0e6;
    for (name, offset, complex) in [("pass", 0.0, true), ("mix", 2.0e6, true), ("real", 2.0e6, false)] {
        let info = StreamInfo { sample_rate_hz: rate, center_hz: CARRIER_HZ - offset, complex };
        let samples = noise(info.block_len());
        let samples = if complex {
            Samples::Complex(samples)
        } else {
            Samples::Real(samples.iter().map(|x| x.re).collect())
        };
        group.throughput(Throughput::Elements(samples.len() as u64));
        for level in Level::all_available() {
            let mut band = Band::new(&info, CARRIER_HZ, 0.03, level);
            let mut block = SampleBlock { first_sample: 0, samples: samples.clone() };
            group.bench_function(BenchmarkId::new(name, level), |b| {
                b.iter(|| {
                    band.push(black_box(&block));
                    block.first_sample += block.samples.len() as u64;
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = kernels;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(500))
        .sample_size(20);
    targets = correlate, band
}
criterion_main!(kernels);
