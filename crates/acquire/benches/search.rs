//! Time of whole searches, resampling included, on one thread.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use megrez_acquire::{SearchPlan, Searcher};
use megrez_dsp::{Samples, StreamInfo};
use megrez_signal::SignalId;
use num_complex::Complex;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn noise(len: usize) -> Samples {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut next = || -> i8 {
        let x: f64 = StandardNormal.sample(&mut rng);
        (x * 20.0) as i8
    };
    Samples::Complex((0..len).map(|_| Complex::new(next(), next())).collect())
}

fn searches(c: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let mut group = c.benchmark_group("search");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    let within = |hz: f64, mut plan: SearchPlan| {
        plan.doppler_hz = (-hz, hz);
        plan
    };
    let one_period = |mut plan: SearchPlan| {
        plan.noncoherent = 1;
        plan.prns.truncate(1);
        plan
    };
    let cold = |signal| SearchPlan::cold(signal, 0.0);
    let cases = [
        ("L1CA 32 satellites, cold, 5 kHz", within(5000.0, cold(SignalId::L1CA)), &[4e6, 10e6, 25e6][..]),
        ("L1CA 32 satellites, deep, 7 kHz", within(7000.0, SearchPlan::deep(SignalId::L1CA, 0.0)), &[4e6]),
        ("L1CA 32 satellites, cold, 65 kHz", SearchPlan::cold(SignalId::L1CA, 38e-6), &[4e6]),
        ("L1CA 32 satellites, 0.1 s, 5 kHz", SearchPlan::for_available(SignalId::L1CA, 0.1, 0.0), &[4e6]),
        ("B1I 63 satellites, cold, 5 kHz", within(5000.0, cold(SignalId::B1I)), &[4e6, 10e6, 25e6]),
        ("B1I 63 satellites, deep, 200 Hz", within(200.0, SearchPlan::deep(SignalId::B1I, 0.0)), &[10e6]),
        (
            "B1C pilot of 1 satellite, 1 period, 5 kHz",
            one_period(within(5000.0, cold(SignalId::B1CP))),
            &[4e6, 10e6, 25e6],
        ),
    ];
    for (name, plan, rates) in cases {
        for &rate in rates {
            let info =
                StreamInfo { sample_rate_hz: rate, center_hz: plan.signal.def().carrier_hz, complex: true };
            let samples = noise((plan.needs_s(&info) * rate).ceil() as usize);
            let mut searcher = Searcher::new(&info);
            let id = BenchmarkId::new(name, format!("{} Msps", rate / 1e6));
            group.bench_function(id, |b| b.iter(|| searcher.search(black_box(&samples), 0, &plan)));
        }
    }
    group.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);
