//! Time of whole searches, resampling included, on one thread.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
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
    let cases = [
        ("L1CA cold 7 kHz", within(7000.0, SearchPlan::cold(SignalId::L1CA, 0.0))),
        ("L1CA deep 7 kHz", within(7000.0, SearchPlan::deep(SignalId::L1CA, 0.0))),
        ("L1CA cold 65 kHz", SearchPlan::cold(SignalId::L1CA, 38e-6)),
        ("L1CA 0.1 s 5 kHz", SearchPlan::for_available(SignalId::L1CA, 0.1, 0.0)),
        ("B1I cold 7 kHz", within(7000.0, SearchPlan::cold(SignalId::B1I, 0.0))),
        ("B1I deep 200 Hz", within(200.0, SearchPlan::deep(SignalId::B1I, 0.0))),
        ("B1C pilot cold 1 kHz", within(1000.0, SearchPlan::cold(SignalId::B1CP, 0.0))),
    ];
    for (name, plan) in cases {
        let rate = 10e6;
        let info =
            StreamInfo { sample_rate_hz: rate, center_hz: plan.signal.def().carrier_hz, complex: true };
        let samples = noise((plan.needs_s(&info) * rate).ceil() as usize);
        let mut searcher = Searcher::new(&info);
        group.bench_function(name, |b| b.iter(|| searcher.search(black_box(&samples), 0, &plan)));
    }
    group.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);
