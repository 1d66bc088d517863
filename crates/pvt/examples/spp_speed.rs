//! How fast epochs are solved: a day of GPS, Galileo and BeiDou at Esbjerg from memory, one core.
//!
//! `cargo run --release -p megrez-pvt --example spp_speed`
#![allow(clippy::unwrap_used)]

#[path = "../tests/common/sets.rs"]
mod sets;

use megrez_orbit::Bdgim;
use megrez_pvt::IonoMode;
use megrez_signal::Constellation::{Bds, Galileo, Gps};

/// Time that this thread has spent on a processor, seconds, as Linux tells it.
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() * 1e-9
}

fn main() {
    let Some(set) = sets::esbc(1) else { return };
    let epochs = sets::Take::Systems(&[Gps, Galileo, Bds]).of(&set.epochs);
    let signals: usize = epochs.iter().map(|e| e.observations.len()).sum();
    println!("{} epochs of {} signals on average", epochs.len(), signals / epochs.len().max(1));
    // The costliest model, with coefficients of the usual size.
    let mut bdgim = set.nav.clone();
    (bdgim.gps_iono, bdgim.bds_iono) = (None, None);
    bdgim.bdgim = Some(Bdgim { alpha: [13.8, -0.9, 3.4, 2.5, -2.0, 0.5, 0.2, 1.0, 0.3] });
    for (mode, nav, model) in [
        (IonoMode::Broadcast, &set.nav, "Klobuchar"),
        (IonoMode::Combined, &set.nav, "Klobuchar"),
        (IonoMode::IonosphereFree, &set.nav, "Klobuchar"),
        (IonoMode::Combined, &bdgim, "BDGIM"),
    ] {
        let config = sets::config(mode, 5.0);
        let best = (0..7)
            .map(|_| {
                let start = cpu_s();
                std::hint::black_box(sets::run(&epochs, nav, &config));
                cpu_s() - start
            })
            .fold(f64::INFINITY, f64::min);
        println!("{mode:?}, {model}: {:.0} epochs/s", epochs.len() as f64 / best);
    }
}
