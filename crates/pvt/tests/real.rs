//! Real observations with known truth: the expected figures are RTKLIB's on the same data.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{error_m, percentile, read_obs, shared};
use megrez_orbit::{Ecef, Geodetic, ObservationEpoch};
use megrez_pvt::{Dynamics, Filter, Solution, SolverConfig, solve};
use megrez_signal::Constellation;

struct Nagoya {
    epochs: Vec<ObservationEpoch>,
    nav: megrez_orbit::NavData,
    truth: Ecef,
}

fn nagoya() -> Option<Nagoya> {
    let base = shared("data/rinex/nagoya-2024-rtk")?;
    let position = std::fs::read_to_string(base.join("base_position.txt")).unwrap();
    let p: Vec<f64> = position.split_whitespace().map(|v| v.parse().unwrap()).collect();
    Some(Nagoya {
        epochs: read_obs(&base.join("base.obs.gz")),
        nav: megrez_rinex::read_nav(&base.join("base.nav")).unwrap().nav,
        truth: Geodetic::new(p[0], p[1], p[2]).to_ecef(),
    })
}

fn only(epoch: &ObservationEpoch, constellation: Option<Constellation>) -> ObservationEpoch {
    let mut epoch = epoch.clone();
    epoch.observations.retain(|o| constellation.is_none_or(|c| o.sat.constellation == c));
    epoch
}

/// H95, V95, 3D rms, speed 95.
fn figures(solutions: &[Solution], truth: Ecef) -> (f64, f64, f64, f64) {
    let errors: Vec<_> = solutions.iter().map(|s| error_m(s.position, truth)).collect();
    let rms = (errors.iter().map(|e| e.2 * e.2).sum::<f64>() / errors.len() as f64).sqrt();
    (
        percentile(errors.iter().map(|e| e.0).collect(), 0.95),
        percentile(errors.iter().map(|e| e.1.abs()).collect(), 0.95),
        rms,
        percentile(solutions.iter().map(|s| s.velocity.map_or(9.9, |v| v.norm())).collect(), 0.95),
    )
}

#[test]
fn nagoya_epochs() {
    let Some(n) = nagoya() else { return };
    assert_eq!(n.epochs.len(), 301);
    for (name, system, h_limit, v_limit, speed_limit) in [
        ("BDS", Some(Constellation::Bds), 3.25, 1.85, 0.05),
        ("GPS", Some(Constellation::Gps), 4.0, 4.0, 0.05),
        ("BDS+GPS", None, 3.3, 3.0, 0.05),
    ] {
        let config = SolverConfig { elevation_mask_deg: 10.0, ..SolverConfig::default() };
        let solutions: Vec<Solution> =
            n.epochs.iter().map(|e| solve(&only(e, system), &n.nav, &config, None).unwrap()).collect();
        let (h95, v95, rms, speed) = figures(&solutions, n.truth);
        let excluded: usize = solutions
            .iter()
            .map(|s| s.sats.iter().filter(|s| !s.used && s.azel.elevation_deg() > 10.0).count())
            .sum();
        let last = solutions.last().unwrap();
        eprintln!(
            "Nagoya {name}: H95 {h95:.2} V95 {v95:.2} rms {rms:.2} speed95 {speed:.3}, excluded {excluded} in all, sats {}, sigma {:.2}/{:.2} bias {:?} dop {:?}",
            last.sats_used(),
            last.horizontal_sigma_m(),
            last.vertical_sigma_m(),
            last.inter_system,
            last.dop
        );
        assert!(h95 < h_limit && v95 < v_limit && speed < speed_limit, "{name}");
    }
}

#[test]
fn nagoya_filter() {
    let Some(n) = nagoya() else { return };
    for dynamics in [Dynamics::Static, Dynamics::Pedestrian, Dynamics::Vehicle] {
        let config = SolverConfig { elevation_mask_deg: 10.0, ..SolverConfig::default() };
        let epochs: Vec<Solution> =
            n.epochs.iter().map(|e| solve(e, &n.nav, &config, None).unwrap()).collect();
        let mut filter = Filter::new(config, dynamics);
        let filtered: Vec<Solution> = n.epochs.iter().map(|e| filter.update(e, &n.nav).unwrap()).collect();
        let (h95, v95, rms, speed) = figures(&filtered, n.truth);
        let spread = |s: &[Solution]| {
            let mean = s.iter().fold(Ecef::default(), |m, x| m + (x.position - n.truth) / s.len() as f64);
            (s.iter().map(|s| (s.position - n.truth - mean).norm().powi(2)).sum::<f64>() / s.len() as f64)
                .sqrt()
        };
        let epoch_rms = figures(&epochs, n.truth).2;
        eprintln!(
            "Nagoya filter {dynamics:?}: H95 {h95:.2} V95 {v95:.2} rms {rms:.2} (epochs {epoch_rms:.2}) speed95 {speed:.3} spread {:.2} (epochs {:.2})",
            spread(&filtered),
            spread(&epochs)
        );
        // The steady error of the ionosphere is the same for both; noise is not.
        assert!(spread(&filtered) < 0.7 * spread(&epochs));
        assert!(rms < 1.05 * epoch_rms);
        assert!(speed < 0.05);
    }
}

#[test]
fn wettzell_epochs() {
    let Some(base) = shared("data/rinex/wettzell-2020-rtk") else { return };
    let Some(nav) = shared("data/rinex/esbc-2020-24h/ESBC00DNK_R_20201770000_01D_MN.rnx.gz") else { return };
    let nav = megrez_rinex::read_nav(&nav).unwrap().nav;
    let epochs = read_obs(&base.join("WTZR00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz"));
    let truth = Ecef::new(4075580.3111, 931854.0543, 4801568.2808);
    assert!(epochs.len() >= 120);
    let mut solved = Vec::new();
    for e in &epochs {
        match solve(e, &nav, &SolverConfig::default(), None) {
            Ok(s) => solved.push(s),
            Err(error) => eprintln!("{error}"),
        }
    }
    let (h95, v95, rms, _) = figures(&solved, truth);
    eprintln!("Wettzell: {} of {} H95 {h95:.2} V95 {v95:.2} rms {rms:.2}", solved.len(), epochs.len());
    assert_eq!(solved.len(), epochs.len());
    assert!(h95 < 3.0 && v95 < 5.0);
}
