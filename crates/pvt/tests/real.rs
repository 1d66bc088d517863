//! Real observations with known truth, through the filter.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::sets::{self, figures, run};
use megrez_orbit::Ecef;
use megrez_pvt::{Dynamics, Filter, IonoMode, Solution};

#[test]
fn nagoya_filter() {
    let Some(n) = sets::nagoya() else { return };
    let config = sets::config(IonoMode::Combined, 10.0);
    let epochs = run(&n.epochs, &n.nav, &config);
    for dynamics in [Dynamics::Static, Dynamics::Pedestrian, Dynamics::Vehicle, Dynamics::HighDynamics] {
        let mut filter = Filter::new(config.clone(), dynamics);
        let filtered: Vec<Solution> = n.epochs.iter().map(|e| filter.update(e, &n.nav).unwrap()).collect();
        let spread = |s: &[Solution]| {
            let mean = s.iter().fold(Ecef::default(), |m, x| m + (x.position - n.truth) / s.len() as f64);
            (s.iter().map(|s| (s.position - n.truth - mean).norm().powi(2)).sum::<f64>() / s.len() as f64)
                .sqrt()
        };
        let (single, together) = (figures(&epochs, n.truth), figures(&filtered, n.truth));
        eprintln!("Nagoya filter {dynamics:?}: {together}");
        eprintln!("  epochs: {single}; spread {:.2} (epochs {:.2})", spread(&filtered), spread(&epochs));
        // The steady error of the ionosphere is the same for both; noise is not.
        assert!(spread(&filtered) < 0.7 * spread(&epochs));
        assert!(together.rms < 1.05 * single.rms);
        assert!(together.speed95 < 0.05);
    }
}

#[test]
fn esbjerg_filter() {
    // Half a minute between epochs.
    let Some(mut set) = sets::esbc(1) else { return };
    set.epochs.truncate(480);
    let config = sets::config(IonoMode::Combined, 5.0);
    let epochs = figures(&run(&set.epochs, &set.nav, &config), set.truth);
    eprintln!("Esbjerg epochs: {epochs}");
    // What the models err by is the same for hours; noise is not, but between such epochs a vehicle may go anywhere.
    for (dynamics, share) in [(Dynamics::Static, 0.9), (Dynamics::Vehicle, 1.0)] {
        let mut filter = Filter::new(config.clone(), dynamics);
        let filtered: Vec<Solution> =
            set.epochs.iter().map(|e| filter.update(e, &set.nav).unwrap()).collect();
        let f = figures(&filtered, set.truth);
        eprintln!("Esbjerg filter {dynamics:?}: {f}");
        assert!(f.rms < share * epochs.rms && f.speed95 < 0.05, "{dynamics:?}");
    }
}
