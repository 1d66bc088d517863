//! Real pairs of receivers with known baselines.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use megrez_orbit::{Ecef, Enu, Geodetic, NavData, ObservationEpoch};
use megrez_pvt::rtk::{Rtk, RtkConfig, RtkSolution, RtkStatus};
use megrez_signal::Sat;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Rover and base with the truth.
pub struct Pair {
    pub rover: Vec<ObservationEpoch>,
    pub base: Vec<ObservationEpoch>,
    pub nav: NavData,
    pub base_position: Ecef,
    /// Of the antennas, at the base.
    pub baseline: Enu,
}

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

fn epochs(path: &Path) -> Vec<ObservationEpoch> {
    let reader = megrez_rinex::read_obs(path).unwrap();
    reader.map(|e| e.epoch).collect()
}

fn position(path: &Path) -> Ecef {
    let text = std::fs::read_to_string(path).unwrap();
    let p: Vec<f64> = text.split_whitespace().map(|v| v.parse().unwrap()).collect();
    Geodetic::new(p[0], p[1], p[2]).to_ecef()
}

/// Two receivers of one make 0.99 m apart, at 1 Hz for five minutes.
pub fn nagoya() -> Option<&'static Pair> {
    static PAIR: OnceLock<Option<Pair>> = OnceLock::new();
    PAIR.get_or_init(|| {
        let folder = shared("data/rinex/nagoya-2024-rtk")?;
        let base_position = position(&folder.join("base_position.txt"));
        let rover_position = position(&folder.join("rover_position.txt"));
        Some(Pair {
            rover: epochs(&folder.join("rover.obs.gz")),
            base: epochs(&folder.join("base.obs.gz")),
            nav: megrez_rinex::read_nav(&folder.join("base.nav")).unwrap().nav,
            base_position,
            baseline: rover_position.enu_from(base_position),
        })
    })
    .as_ref()
}

/// Receivers of different makes 1.6 m apart, every 30 s for an hour.
pub fn wettzell() -> Option<&'static Pair> {
    static PAIR: OnceLock<Option<Pair>> = OnceLock::new();
    PAIR.get_or_init(|| {
        let folder = shared("data/rinex/wettzell-2020-rtk")?;
        let nav = shared("data/rinex/esbc-2020-24h/ESBC00DNK_R_20201770000_01D_MN.rnx.gz")?;
        // The antennas' reference points from the markers; both antennas are of one type, so that their phase
        // centres are off alike.
        let base_marker = Ecef::new(4_075_580.311_1, 931_854.054_3, 4_801_568.280_8);
        let up = Enu { e: 0.0, n: 0.0, u: 0.071 }.to_ecef(base_marker.to_geodetic());
        Some(Pair {
            rover: epochs(&folder.join("WTZZ00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz")),
            base: epochs(&folder.join("WTZR00DEU_R_20201770000_01D_30S_MO_120epoch.rnx.gz")),
            nav: megrez_rinex::read_nav(&nav).unwrap().nav,
            base_position: base_marker + up,
            baseline: Enu { e: -0.417_9, n: 1.535_2, u: 0.081_4 },
        })
    })
    .as_ref()
}

/// What a run is judged by.
#[derive(Debug)]
pub struct Figures {
    pub epochs: usize,
    pub fixed: usize,
    pub partial: usize,
    pub h95: f64,
    pub v95: f64,
    pub rms: f64,
    /// Greatest error of a fixed epoch, three-dimensional, m.
    pub worst: f64,
}

impl Pair {
    pub fn run(&self, config: RtkConfig) -> Vec<RtkSolution> {
        self.run_on(config, &self.rover)
    }

    pub fn run_on(&self, mut config: RtkConfig, rover: &[ObservationEpoch]) -> Vec<RtkSolution> {
        config.base = Some(self.base_position);
        let mut rtk = Rtk::new(config);
        rover.iter().filter_map(|epoch| rtk.update(epoch, &self.base, &self.nav).ok()).collect()
    }

    pub fn error(&self, solution: &RtkSolution) -> Enu {
        let b = solution.baseline();
        Enu { e: b.e - self.baseline.e, n: b.n - self.baseline.n, u: b.u - self.baseline.u }
    }

    pub fn figures(&self, solutions: &[RtkSolution]) -> Figures {
        let fixed: Vec<Enu> = solutions.iter().filter(|s| s.is_fixed()).map(|s| self.error(s)).collect();
        let percentile = |mut v: Vec<f64>| {
            v.sort_by(f64::total_cmp);
            v.get((v.len().saturating_sub(1)) * 95 / 100).copied().unwrap_or(f64::NAN)
        };
        let of = |status| solutions.iter().filter(|s| s.status == status).count();
        Figures {
            epochs: solutions.len(),
            fixed: of(RtkStatus::Fixed),
            partial: of(RtkStatus::Partial),
            h95: percentile(fixed.iter().map(|e| e.horizontal()).collect()),
            v95: percentile(fixed.iter().map(|e| e.u.abs()).collect()),
            rms: (fixed.iter().map(|e| e.norm().powi(2)).sum::<f64>() / fixed.len() as f64).sqrt(),
            worst: fixed.iter().map(|e| e.norm()).fold(0.0, f64::max),
        }
    }
}

const SPEED_OF_LIGHT: f64 = 299_792_458.0;

/// Epochs with white noise added to all codes (m) and phases (m).
pub fn noisy(epochs: &[ObservationEpoch], code_sigma_m: f64, phase_sigma_m: f64) -> Vec<ObservationEpoch> {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
    let mut epochs = epochs.to_vec();
    for o in epochs.iter_mut().flat_map(|e| &mut e.observations) {
        let Some(carrier_hz) = o.code.carrier_hz(o.sat.constellation, 0) else { continue };
        o.pseudorange_m = o.pseudorange_m.map(|p| p + code_sigma_m * normal());
        let cycles = phase_sigma_m * carrier_hz / SPEED_OF_LIGHT;
        o.carrier_phase_cycles = o.carrier_phase_cycles.map(|p| p + cycles * normal());
    }
    epochs
}

/// Epochs in which one satellite after the other slips, unannounced, after each `every` epochs: by few or many
/// cycles, on its first frequency or on all.
pub fn slipping(epochs: &[ObservationEpoch], every: usize) -> Vec<ObservationEpoch> {
    let mut epochs = epochs.to_vec();
    let mut sats: Vec<Sat> = epochs[0].observations.iter().map(|o| o.sat).collect();
    sats.dedup();
    for (k, start) in (every..epochs.len()).step_by(every).enumerate() {
        let sat = sats[k * 7 % sats.len()];
        let size = [1.0, -1.0, 3.0, 9.0, -27.0][k % 5];
        for epoch in &mut epochs[start..] {
            let mut ours = epoch.observations.iter_mut().filter(|o| o.sat == sat).enumerate();
            for (_, o) in ours.by_ref().take_while(|(i, _)| *i == 0 || k % 3 == 0) {
                o.carrier_phase_cycles = o.carrier_phase_cycles.map(|p| p + size);
            }
        }
    }
    epochs
}

/// Epochs in which some satellites are off by `code_m` and `phase_m`.
pub fn biased(epochs: &[ObservationEpoch], sats: &[Sat], code_m: f64, phase_m: f64) -> Vec<ObservationEpoch> {
    let mut epochs = epochs.to_vec();
    for o in epochs.iter_mut().flat_map(|e| &mut e.observations).filter(|o| sats.contains(&o.sat)) {
        let Some(carrier_hz) = o.code.carrier_hz(o.sat.constellation, 0) else { continue };
        o.pseudorange_m = o.pseudorange_m.map(|p| p + code_m);
        o.carrier_phase_cycles = o.carrier_phase_cycles.map(|p| p + phase_m * carrier_hz / SPEED_OF_LIGHT);
    }
    epochs
}
