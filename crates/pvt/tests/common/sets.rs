//! Real observations with known truth, and statistics of solutions of them.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use megrez_orbit::{Ecef, Geodetic, NavData, ObservationEpoch};
use megrez_pvt::{IonoMode, Solution, SolverConfig, solve};
use megrez_signal::{Constellation, Sat};

pub fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if full.exists() {
        Some(full)
    } else {
        eprintln!("SKIPPED: {} is absent", full.display());
        None
    }
}

/// A recording with the position of its antenna.
pub struct Set {
    pub epochs: Vec<ObservationEpoch>,
    pub nav: NavData,
    pub truth: Ecef,
}

/// Every `step`-th epoch of an observation file.
pub fn read_obs(path: &Path, step: usize) -> Vec<ObservationEpoch> {
    let mut reader = megrez_rinex::read_obs(path).unwrap();
    let mut epoch = megrez_rinex::ObsEpoch::default();
    let mut epochs = Vec::new();
    let mut count = 0;
    while reader.read(&mut epoch) {
        if count % step == 0 {
            epochs.push(epoch.epoch.clone());
        }
        count += 1;
    }
    epochs
}

fn numbers(path: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace().filter_map(|v| v.parse().ok()).collect()
}

/// A day at Esbjerg; the truth is the antenna reference point in ITRF2014.
pub fn esbc(step: usize) -> Option<Set> {
    let base = shared("data/rinex/esbc-2020-24h")?;
    Some(Set {
        epochs: read_obs(&base.join("ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz"), step),
        nav: esbc_nav()?,
        truth: Ecef::new(3582104.8888, 532590.1920, 5232755.3216),
    })
}

fn esbc_nav() -> Option<NavData> {
    let file = shared("data/rinex/esbc-2020-24h/ESBC00DNK_R_20201770000_01D_MN.rnx.gz")?;
    Some(megrez_rinex::read_nav(&file).unwrap().nav)
}

/// Five minutes at Nagoya, every second.
pub fn nagoya() -> Option<Set> {
    let base = shared("data/rinex/nagoya-2024-rtk")?;
    let p = numbers(&base.join("base_position.txt"));
    Some(Set {
        epochs: read_obs(&base.join("base.obs.gz"), 1),
        nav: megrez_rinex::read_nav(&base.join("base.nav")).unwrap().nav,
        truth: Geodetic::new(p[0], p[1], p[2]).to_ecef(),
    })
}

/// An hour at Wettzell.
pub fn wettzell() -> Option<Set> {
    let base = shared("data/rinex/wettzell-2020-rtk")?;
    Some(Set {
        epochs: read_obs(&base.join("WTZR00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz"), 1),
        nav: esbc_nav()?,
        truth: Ecef::new(4075580.3111, 931854.0543, 4801568.2808),
    })
}

/// Which satellites take part.
#[derive(Clone, Copy)]
pub enum Take {
    Systems(&'static [Constellation]),
    Bds3,
}

impl Take {
    fn sat(self, sat: Sat) -> bool {
        match self {
            Self::Systems(list) => list.contains(&sat.constellation),
            Self::Bds3 => sat.is_bds3(),
        }
    }

    pub fn of(self, epochs: &[ObservationEpoch]) -> Vec<ObservationEpoch> {
        let mut epochs = epochs.to_vec();
        for epoch in &mut epochs {
            epoch.observations.retain(|o| self.sat(o.sat));
        }
        epochs
    }
}

/// 95th percentiles of the horizontal and vertical error and of the horizontal speed, rms of the 3D error.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub h95: f64,
    pub v95: f64,
    pub rms: f64,
    pub speed95: f64,
    pub solved: usize,
    /// Epochs whose error is above the protection levels, and those which have none.
    pub above: usize,
    pub unprotected: usize,
    pub mean: [f64; 3],
}

pub fn percentile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = ((values.len().max(1) - 1) as f64 * p).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

pub fn figures(solutions: &[Solution], truth: Ecef) -> Figures {
    let errors: Vec<_> = solutions.iter().map(|s| s.position.enu_from(truth)).collect();
    let n = errors.len() as f64;
    let place = truth.to_geodetic();
    let speed = |s: &Solution| s.velocity.map_or(99.9, |v| v.to_enu(place).horizontal());
    let above = solutions.iter().zip(&errors).filter(|(s, e)| {
        s.hpl_m.is_some_and(|l| e.horizontal() > l) || s.vpl_m.is_some_and(|l| e.u.abs() > l)
    });
    Figures {
        h95: percentile(errors.iter().map(|e| e.horizontal()).collect(), 0.95),
        v95: percentile(errors.iter().map(|e| e.u.abs()).collect(), 0.95),
        rms: (errors.iter().map(|e| e.norm().powi(2)).sum::<f64>() / n).sqrt(),
        speed95: percentile(solutions.iter().map(speed).collect(), 0.95),
        solved: solutions.len(),
        above: above.count(),
        unprotected: solutions.iter().filter(|s| s.hpl_m.is_none()).count(),
        mean: [
            errors.iter().map(|e| e.e).sum::<f64>() / n,
            errors.iter().map(|e| e.n).sum::<f64>() / n,
            errors.iter().map(|e| e.u).sum::<f64>() / n,
        ],
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "H95 {:.2} V95 {:.2} 3D rms {:.2} speed95 {:.3} solved {} above PL {} without {} mean {:.2?}",
            self.h95, self.v95, self.rms, self.speed95, self.solved, self.above, self.unprotected, self.mean
        )
    }
}

/// Solves every epoch, each from the one before.
pub fn run(epochs: &[ObservationEpoch], nav: &NavData, config: &SolverConfig) -> Vec<Solution> {
    let mut prior = None;
    let mut solutions = Vec::with_capacity(epochs.len());
    for epoch in epochs {
        match solve(epoch, nav, config, prior) {
            Ok(s) => {
                prior = Some(s.position);
                solutions.push(s);
            }
            Err(error) => eprintln!("{error}"),
        }
    }
    solutions
}

pub fn config(ionosphere: IonoMode, mask: f64) -> SolverConfig {
    SolverConfig { ionosphere, elevation_mask_deg: mask, ..SolverConfig::default() }
}
