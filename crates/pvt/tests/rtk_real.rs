//! Real baselines with known truth. The bounds are the project's own; RTKLIB's figures on the same data are beside
//! them where there are any (2.4.3 b34 and RTKLIB-EX 2.5.1, the better of the two).
#![allow(clippy::unwrap_used, clippy::panic)]

mod rtk_data;

use megrez_pvt::rtk::{RtkConfig, RtkMode};
use megrez_signal::Constellation::{self, Bds, Galileo, Gps};
use rtk_data::{Figures, Pair, nagoya, wettzell};

fn config(mode: RtkMode, frequencies: usize, systems: &[Constellation]) -> RtkConfig {
    let mut config = RtkConfig::default();
    config.mode = mode;
    config.bands = RtkConfig::bands_of(frequencies);
    config.only(systems)
}

/// Runs and prints the figures; over all runs no fixed epoch is off by more than 3 cm.
fn run(pair: &Pair, name: &str, config: RtkConfig) -> Figures {
    let mode = config.mode;
    let solutions = pair.run(config);
    let figures = pair.figures(&solutions);
    println!("{name}, {mode:?}: {figures:?}");
    assert_eq!(solutions.len(), pair.rover.len(), "{name}: epochs without solution");
    assert!(figures.worst < 0.03, "{name}: a wrong fix: {figures:?}");
    figures
}

fn all_fixed(figures: &Figures) -> bool {
    figures.fixed == figures.epochs
}

#[test]
fn nagoya_two_frequencies() {
    let Some(pair) = nagoya() else { return };
    for mode in [RtkMode::Kinematic, RtkMode::Instantaneous] {
        // RTKLIB: kinematic, BDS 0.003 and 0.005 m, 100 %; instantaneous, all systems 0.002 and 0.003 m, 100 %.
        for (name, systems) in [("BDS", &[Bds][..]), ("GPS+GAL+BDS", &[Gps, Galileo, Bds])] {
            let f = run(pair, name, config(mode, 2, systems));
            assert!(all_fixed(&f) && f.h95 <= 0.003 && f.v95 <= 0.005, "{name} {mode:?}: {f:?}");
        }
        // The pair that RTKLIB takes.
        let mut pair_b1i_b2i = RtkConfig::default();
        pair_b1i_b2i.mode = mode;
        pair_b1i_b2i.bands = vec![(Bds, b'2'), (Bds, b'7')];
        let f = run(pair, "BDS B1I+B2I", pair_b1i_b2i);
        assert!(all_fixed(&f) && f.h95 <= 0.003 && f.v95 <= 0.005, "B1I+B2I {mode:?}: {f:?}");
    }
}

#[test]
fn nagoya_one_frequency() {
    let Some(pair) = nagoya() else { return };
    // RTKLIB b34: 0.002 and 0.007 m, 100 %.
    let f = run(pair, "BDS B1I", config(RtkMode::Instantaneous, 1, &[Bds]));
    assert!(all_fixed(&f) && f.h95 <= 0.003 && f.v95 <= 0.007, "{f:?}");
}

#[test]
fn nagoya_at_rest() {
    let Some(pair) = nagoya() else { return };
    let f = run(pair, "GPS+GAL+BDS", config(RtkMode::Static, 2, &[Gps, Galileo, Bds]));
    assert!(all_fixed(&f) && f.h95 <= 0.003 && f.v95 <= 0.005, "{f:?}");
}

#[test]
fn wettzell_all() {
    let Some(pair) = wettzell() else { return };
    // RTKLIB-EX: 0.003 m, 100 %. The goal of 3 mm is met at rest only; single epochs have the multipath of the moment,
    // and 3.5 mm is what they are held to.
    let modes = [(RtkMode::Static, 0.003), (RtkMode::Kinematic, 0.0035), (RtkMode::Instantaneous, 0.0035)];
    for (mode, bound) in modes {
        let f = run(pair, "GPS+GAL+BDS", config(mode, 2, &[Gps, Galileo, Bds]));
        assert!(all_fixed(&f) && f.h95 <= bound, "{mode:?}: {f:?}");
    }
}

#[test]
fn wettzell_systems() {
    let Some(pair) = wettzell() else { return };
    for mode in [RtkMode::Kinematic, RtkMode::Static] {
        for (name, system) in [("GPS", Gps), ("GAL", Galileo)] {
            let f = run(pair, name, config(mode, 2, &[system]));
            assert!(all_fixed(&f), "{name} {mode:?}: {f:?}");
        }
        // RTKLIB: 89 %, fixed epochs 0.007 and 0.017 m.
        let f = run(pair, "BDS", config(mode, 2, &[Bds]));
        assert!(f.fixed + f.partial > f.epochs * 89 / 100 && f.h95 < 0.008, "BDS {mode:?}: {f:?}");
        let f = run(pair, "BDS, three frequencies", config(mode, 3, &[Bds]));
        assert!(all_fixed(&f) && f.h95 < 0.007, "BDS {mode:?}: {f:?}");
    }
}
