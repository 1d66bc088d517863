//! Real baselines made worse: fewer epochs may be fixed, none may be fixed wrongly.
#![allow(clippy::unwrap_used, clippy::panic)]

mod rtk_data;

use megrez_orbit::ObservationEpoch;
use megrez_pvt::rtk::{RtkConfig, RtkMode};
use megrez_signal::Constellation::{self, Bds, Galileo, Gps};
use megrez_signal::Sat;
use rtk_data::{Figures, Pair, biased, nagoya, noisy, slipping, wettzell};

const MODES: [RtkMode; 3] = [RtkMode::Instantaneous, RtkMode::Kinematic, RtkMode::Static];

/// Runs in every mode with one and two frequencies; no fixed epoch may be off by more than 5 cm. Returns the
/// figures with two frequencies of all three systems, by mode.
fn run(pair: &Pair, what: &str, rover: &[ObservationEpoch]) -> Vec<Figures> {
    let all: &[Constellation] = &[Bds, Gps, Galileo];
    let mut of_all = Vec::new();
    for mode in MODES {
        for (name, systems) in [("BDS", &[Bds][..]), ("GPS", &[Gps]), ("all", all)] {
            for frequencies in [1, 2] {
                let mut config = RtkConfig::default();
                config.mode = mode;
                config.bands = RtkConfig::bands_of(frequencies);
                let solutions = pair.run_on(config.only(systems), rover);
                let figures = pair.figures(&solutions);
                println!("{what}, {name}, {frequencies}, {mode:?}: {figures:?}");
                assert!(figures.worst < 0.05, "{what}, {name}, {frequencies}, {mode:?}: {figures:?}");
                if name == "all" && frequencies == 2 {
                    of_all.push(figures);
                }
            }
        }
    }
    of_all
}

fn sats(names: [&str; 2]) -> [Sat; 2] {
    names.map(|name| name.parse().unwrap())
}

/// Ten times the noise that the measurements are assumed to have.
#[test]
fn ten_times_the_noise() {
    for pair in [nagoya(), wettzell()].into_iter().flatten() {
        let epochs = &pair.rover[..pair.rover.len().min(100)];
        for f in run(pair, "noise", &noisy(epochs, 3.0, 0.02)) {
            assert!(f.fixed < f.epochs / 10, "noise of 2 cm passes for none: {f:?}");
        }
    }
}

#[test]
fn slips_every_20_seconds() {
    let Some(pair) = nagoya() else { return };
    for f in run(pair, "slips", &slipping(&pair.rover, 20)) {
        // Those of the satellites used are found, and the new ambiguities resolved at once.
        assert!(f.fixed == f.epochs && f.h95 < 0.003, "{f:?}");
    }
    let Some(pair) = wettzell() else { return };
    for f in run(pair, "slips", &slipping(&pair.rover, 5)) {
        assert!(f.fixed == f.epochs, "{f:?}");
    }
}

/// Two satellites off by a part of a wavelength and by metres in code.
#[test]
fn two_biased_satellites() {
    for (pair, apart) in [(nagoya(), ["C32", "G15"]), (wettzell(), ["C10", "G09"])] {
        let Some(pair) = pair else { continue };
        let epochs = &pair.rover[..pair.rover.len().min(120)];
        for (code_m, phase_m) in [(5.0, 0.05), (10.0, 0.1), (30.0, 30.0)] {
            run(pair, "bias", &biased(epochs, &sats(apart), code_m, phase_m));
        }
    }
}
