use std::f64::consts::TAU;

use super::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const NH20: [f32; 20] =
    [1., 1., 1., 1., 1., -1., 1., 1., -1., -1., 1., -1., 1., -1., 1., 1., -1., -1., -1., 1.];

const BPSK: Shape = Shape { slope: 1.0, side_peaks: None, spacing: 0.5, taps: 3 };
const LONG: Shape = Shape { taps: 15, ..BPSK };
const BOC: Shape = Shape { slope: 3.0, side_peaks: Some(0.5), spacing: 0.25, taps: 9 };

/// A kind of signal: sign of each cell of a symbol, cells of a period, seconds of a cell, shape of the peak.
#[derive(Clone)]
struct Kind(&'static str, Vec<f32>, usize, f64, Shape);

fn kinds() -> Vec<Kind> {
    vec![
        Kind("D1", NH20.to_vec(), 1, 1e-3, BPSK),
        Kind("D2", vec![1.0; 2], 1, 1e-3, BPSK),
        Kind("LNAV", vec![1.0; 20], 1, 1e-3, BPSK),
        Kind("D1 on B3I", NH20.to_vec(), 1, 1e-3, LONG),
        Kind("B-CNAV2", vec![1.0, 1.0, 1.0, -1.0, 1.0], 1, 1e-3, LONG),
        Kind("B-CNAV3", vec![1.0; 2], 2, 0.5e-3, LONG),
        Kind("B1C", vec![1.0; 10], 10, 1e-3, BOC),
    ]
}

fn setup(kind: &Kind) -> PullInSetup {
    let Kind(_, signs, cells, cell_s, shape) = kind.clone();
    PullInSetup { cell_s, cells, signs, range_hz: 300.0, shape, cycles_per_chip: 1540.0 }
}

/// Sums of cells as a correlator would give them: noise power 1, correlated between taps as the code is.
struct Periods {
    random: ChaCha8Rng,
    kind: Kind,
    /// Cholesky factor of the correlation between taps.
    factor: Vec<Vec<f64>>,
    amplitude: f64,
    freq_hz: f64,
    code_error: f64,
    count: usize,
    data: f64,
}

impl Periods {
    fn new(kind: &Kind, cn0_dbhz: f64, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let Kind(_, signs, cells, cell_s, shape) = kind;
        let reach = if shape.taps == 3 { 0.3 } else { 0.9 };
        let period = random.random_range(0..signs.len() / cells);
        let mut factor = vec![vec![0.0f64; shape.taps]; shape.taps];
        for i in 0..shape.taps {
            for j in 0..=i {
                let done: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                let rest = shape.correlation((i - j) as f64 * shape.spacing) - done;
                factor[i][j] = if i == j {
                    rest.max(0.0).sqrt()
                } else if factor[j][j] > 1e-6 {
                    rest / factor[j][j]
                } else {
                    0.0
                };
            }
        }
        Self {
            amplitude: (10f64.powf(cn0_dbhz / 10.0) * cell_s).sqrt(),
            freq_hz: random.random_range(-250.0..250.0),
            code_error: random.random_range(-reach..reach),
            count: period * cells,
            data: 1.0,
            kind: kind.clone(),
            factor,
            random,
        }
    }

    /// Number of the next cell in its code period.
    fn in_period(&self) -> usize {
        self.count % self.kind.2
    }

    fn next(&mut self) -> CellTaps {
        let Kind(_, signs, _, cell_s, shape) = &self.kind;
        let k = self.count % signs.len();
        if k == 0 {
            self.data = if self.random.random::<bool>() { 1.0 } else { -1.0 };
        }
        let turns = self.freq_hz * cell_s * self.count as f64;
        let phase = Complex::from_polar(self.amplitude * self.data * f64::from(signs[k]), TAU * turns);
        self.count += 1;
        let mut normal = || self.random.sample::<f64, _>(StandardNormal) * 0.5f64.sqrt();
        let white: Vec<_> = (0..shape.taps).map(|_| Complex::new(normal(), normal())).collect();
        let mut taps = CellTaps::default();
        for (i, (tap, row)) in taps.iter_mut().zip(&self.factor).enumerate() {
            let noise: Complex<f64> = row.iter().zip(&white).map(|(f, w)| w * f).sum();
            let z = phase * shape.correlation(self.code_error - shape.offset(i)) + noise;
            *tap = Complex::new(z.re as f32, z.im as f32);
        }
        taps
    }
}

/// Symbol edges, lines and peaks of 7 x 300 weak signals and 7 x 100 at 40 dB-Hz: none may be wrong.
#[test]
fn edges_frequency_and_code_are_right() {
    for kind in kinds() {
        let name = kind.0;
        // A symbol of 1 ms needs twice the strength of one of 2 ms.
        let weak = if kind.1.len() as f64 * kind.3 < 2e-3 { 34.0 } else { 31.0 };
        for (cn0, trials, deadline) in [(40.0, 100, 400), (weak, 300, 1500)] {
            let (mut freq, mut code, mut times) = (vec![], vec![], vec![]);
            for seed in 0..trials {
                let mut periods = Periods::new(&kind, cn0, seed);
                let mut pull_in = PullIn::new(setup(&kind));
                for n in 0..deadline {
                    let in_period = periods.in_period();
                    let taps = periods.next();
                    match pull_in.push(in_period, &taps) {
                        Outcome::Undecided | Outcome::Detected => {}
                        Outcome::Recentre { freq_hz, code_chips } => {
                            periods.freq_hz -= freq_hz;
                            periods.code_error -= code_chips;
                        }
                        Outcome::Found(found) => {
                            assert_eq!(
                                found.into_symbol,
                                periods.count % kind.1.len(),
                                "{name}, seed {seed}"
                            );
                            freq.push((found.freq_hz - periods.freq_hz) / found.freq_sigma);
                            // The model's code does not drift, found.code_chips extrapolates its drift.
                            let drift = found.freq_hz / 1540.0 * found.age_s;
                            let error = found.code_chips - drift - periods.code_error;
                            code.push(error / found.code_sigma);
                            times.push(n);
                            break;
                        }
                    }
                }
            }
            times.sort_unstable();
            let rms = |x: &[f64]| (x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64).sqrt();
            let worst = |x: &[f64]| x.iter().fold(0.0f64, |a, b| a.max(b.abs()));
            println!(
                "{name} at {cn0} dB-Hz: {} of {trials} found, median {} cells, slowest {} cells; errors over their \
                 standard deviations: frequency rms {:.2}, worst {:.2}; code rms {:.2}, worst {:.2}",
                times.len(),
                times[times.len() / 2],
                times[times.len() - 1],
                rms(&freq),
                worst(&freq),
                rms(&code),
                worst(&code),
            );
            assert_eq!(times.len() as u64, trials);
            assert!(rms(&freq) < 1.2 && worst(&freq) < 5.0);
            assert!(rms(&code) < 1.3 && worst(&code) < 5.0);
        }
    }
}

/// 7 x 150 stretches of noise.
#[test]
fn noise_is_not_detected() {
    for kind in kinds() {
        for seed in 0..150 {
            let mut periods = Periods::new(&kind, -100.0, seed);
            let mut pull_in = PullIn::new(setup(&kind));
            for _ in 0..400 {
                let in_period = periods.in_period();
                assert_eq!(pull_in.push(in_period, &periods.next()), Outcome::Undecided);
            }
        }
    }
}

/// Upper tail of F with 2 and 2k degrees of freedom is exactly (1 + f / k)^-k.
#[test]
fn paulson_is_close_in_the_far_tail() {
    for (k, p, sigmas) in [(38.0, 1e-10f64, 6.36), (100.0, 1e-10, 6.36), (400.0, 1e-7, 5.20)] {
        let f = k * (p.powf(-1.0 / k) - 1.0);
        let got = normal_of_f(f, 2.0, 2.0 * k);
        assert!((got - sigmas).abs() < 0.5, "{k}: {got} for {sigmas}");
    }
}
