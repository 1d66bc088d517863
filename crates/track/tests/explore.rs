//! x
mod common;
use common::*;
use megrez_signal::SignalId;
#[test]
fn bias() {
    for rate in [2.5e6, 4e6, 4.3e6] {
        let mut v = vec![];
        for seed in 0..16 {
            let scene = Scene::new(SignalId::L1CA, 7, rate, 65.0, 70 + seed);
            let samples = scene.samples(0, 3.0);
            let t0 = std::time::Instant::now();
            let result = run(&scene, &samples, 0, scene.start(0.0, 0.25, 150.0), (rate * 0.01) as usize, 0.05);
            let el = t0.elapsed().as_secs_f64() / 3.0;
            let e = errors(&scene, &result, 1.5);
            v.push(mean_std(&e.code).0 * 293.0);
            if seed == 0 { println!("time per signal s {el}"); }
        }
        println!("{rate} {:?} {:.3?}", mean_std(&v), v);
    }
}
