//! Pull-in: from an acquisition to the phase, frequency, code phase and symbol edges that the loops start from.
//!
//! The replica runs open loop at the acquired frequency while the sums of each code period are kept. Then all
//! frequencies and all positions of the symbol edge (which is also the phase of the secondary code) are tried
//! at once: for each, the periods of a symbol are added coherently and the symbols' powers are summed. That is
//! the maximum-likelihood estimate for unknown data, so that nothing is lost against a loop that would have to
//! find its frequency from single periods, and symbol edges come for free.
//!
//! With S_b the sum of the n_b periods of symbol b and N0 the noise power of a period,
//! L = sum_b (|S_b|^2 / (n_b N0) - 1) is the log likelihood ratio, up to the data-independent part. A signal
//! is declared when the ratio of power in the best sums to power outside them passes a threshold of the
//! F distribution; the symbol edge when the best L leads every other edge's by `EDGE_LEAD`.

use std::f64::consts::TAU;

use num_complex::Complex;

use crate::carrier::phase_variance;

/// Longest stretch of periods kept.
pub(crate) const CAPACITY: usize = 1000;
/// Numbers of periods after which a decision is tried.
const CHECKPOINTS: [usize; 11] = [40, 60, 80, 100, 140, 200, 280, 400, 560, 800, CAPACITY];
/// Periods at the end that give the final frequency and phase: over more of them acceleration would tell.
const FINE_PERIODS: usize = 200;
/// Threshold of detection in standard deviations of the normal equivalent: 6.4 is passed with probability
/// 1e-10 by one cell of noise, and some 10^3 cells are tried at each of 11 checkpoints.
const DETECT_SIGMAS: f64 = 6.4;
/// Lead in log likelihood by which the symbol edge must win: wrong with probability about e^-16 = 1e-7.
const EDGE_LEAD: f64 = 16.0;
/// Coherence of the squared symbols below which the fine estimate is not believed.
const MIN_COHERENCE: f64 = 0.3;
/// Evenness of the symbols' amplitudes, (sum n_b a_b)^2 / (n sum n_b a_b^2) with a_b = |S_b| / n_b: 1 when all
/// are alike, pi/4 in mere noise, less when the signal came or went meanwhile.
const MIN_EVENNESS: f64 = 0.6;

/// The three sums of one code period.
pub(crate) type PeriodTaps = [Complex<f32>; 3];

/// What a checkpoint brought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Undecided,
    /// A signal, but where its symbols begin is not clear yet.
    Detected,
    /// A signal, but too far off to be handed over: correct the replica and begin again.
    Recentre { freq_hz: f64, code_chips: f64 },
    /// All is known.
    Found(Found),
}

/// Relative to the replica, at the end of the last period kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    /// Phase error at the centre of the stretch used, cycles (half a cycle ambiguous).
    pub phase_cycles: f64,
    /// Frequency error, Hz.
    pub freq_hz: f64,
    /// Time from that centre to the end of the last period, s.
    pub age_s: f64,
    /// Standard deviations of phase and frequency there.
    pub phase_sigma: f64,
    pub freq_sigma: f64,
    /// Code error at the end of the last period, chips.
    pub code_chips: f64,
    /// Its standard deviation.
    pub code_sigma: f64,
    /// Periods from the last symbol edge to the end of the last period.
    pub into_symbol: usize,
    /// Signal and noise power of one period's prompt.
    pub signal: f64,
    pub noise: f64,
    /// Coherence of the squared symbols, like the mean of cos 2 phi.
    pub coherence: f64,
}

/// What pull-in needs to know of the signal.
#[derive(Debug, Clone)]
pub(crate) struct PullInSetup {
    pub period_s: f64,
    /// Sign of each period of a symbol.
    pub signs: Vec<f32>,
    pub range_hz: f64,
    /// Early to prompt, chips; the taps' triangle must be one chip to each side.
    pub spacing: f64,
    /// Carrier cycles a chip.
    pub cycles_per_chip: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct PullIn {
    setup: PullInSetup,
    taps: Vec<PeriodTaps>,
    next_checkpoint: usize,
    /// The tap with most power: 0 early, 1 prompt, 2 late.
    tap: usize,
    rotated: Vec<Complex<f32>>,
    best_by_edge: Vec<(f64, f64)>,
}

impl PullIn {
    pub fn new(setup: PullInSetup) -> Self {
        let edges = setup.signs.len();
        Self {
            setup,
            taps: Vec::with_capacity(CAPACITY),
            next_checkpoint: 0,
            tap: 1,
            rotated: Vec::with_capacity(CAPACITY),
            best_by_edge: vec![(0.0, 0.0); edges],
        }
    }

    pub fn clear(&mut self) {
        self.taps.clear();
        self.next_checkpoint = 0;
    }

    /// Keeps the sums of one more period and tries a decision at checkpoints.
    pub fn push(&mut self, taps: PeriodTaps) -> Outcome {
        self.taps.push(taps);
        let Some(&checkpoint) = CHECKPOINTS.get(self.next_checkpoint) else {
            self.clear();
            return Outcome::Undecided;
        };
        if self.taps.len() < checkpoint {
            return Outcome::Undecided;
        }
        self.next_checkpoint += 1;
        let outcome = self.decide();
        if self.taps.len() >= CAPACITY {
            self.clear();
        }
        outcome
    }

    fn decide(&mut self) -> Outcome {
        // Pick the tap with most power: the code may be off by more than half a chip.
        let mut powers = [0.0f64; 3];
        for taps in &self.taps {
            for (power, tap) in powers.iter_mut().zip(taps) {
                *power += f64::from(tap.norm_sqr());
            }
        }
        let [early, prompt, late] = powers;
        self.tap = if early > prompt && early > late {
            0
        } else if late > prompt {
            2
        } else {
            1
        };
        let total = powers.get(self.tap).copied().unwrap_or_default();
        let n = self.taps.len();
        let m = self.setup.signs.len();
        let step = 0.25 / (m as f64 * self.setup.period_s);
        let bins = (self.setup.range_hz / step).ceil() as i32;
        self.best_by_edge.fill((0.0, 0.0));
        for bin in -bins..=bins {
            self.rotate(self.tap, 0, f64::from(bin) * step);
            for edge in 0..m {
                let gain = self.power_at(edge);
                if let Some(best) = self.best_by_edge.get_mut(edge)
                    && gain > best.0
                {
                    *best = (gain, f64::from(bin) * step);
                }
            }
        }
        let segments = |edge: usize| (edge != 0) as usize + (n - edge).div_ceil(m);
        let Some((edge, &(power, coarse))) =
            self.best_by_edge.iter().enumerate().max_by(|a, b| a.1.0.total_cmp(&b.1.0))
        else {
            return Outcome::Undecided;
        };
        let inside = segments(edge) as f64;
        let outside = n as f64 - inside;
        let noise = (total - power) / outside.max(1.0);
        if outside < 1.0
            || noise <= 0.0
            || normal_of_f(power / inside / noise, 2.0 * inside, 2.0 * outside) < DETECT_SIGMAS
        {
            return Outcome::Undecided;
        }

        let first = n.saturating_sub(FINE_PERIODS);
        let fine = self.fine(edge, first, coarse, step);
        if fine.evenness < MIN_EVENNESS {
            self.clear();
            return Outcome::Undecided;
        }
        let code = self.code_error(edge, first, fine.freq, noise);
        let centre_to_end = (n - first) as f64 * 0.5 * self.setup.period_s;
        let code_end = code.0 + fine.freq / self.setup.cycles_per_chip * centre_to_end;
        let far = match self.tap {
            0 => Some(self.beyond(early, prompt, noise)),
            2 => Some(-self.beyond(late, prompt, noise)),
            _ => (fine.freq.abs() > 0.06 / self.setup.period_s || code.0.abs() > 0.6 * self.setup.spacing)
                .then_some(code_end),
        };
        if let Some(code_chips) = far {
            self.clear();
            return Outcome::Recentre { freq_hz: fine.freq, code_chips };
        }

        let level = |e: usize, power: f64| power / noise - segments(e) as f64;
        let lead = self
            .best_by_edge
            .iter()
            .enumerate()
            .filter(|(e, _)| *e != edge)
            .map(|(e, b)| level(edge, power) - level(e, b.0))
            .fold(f64::INFINITY, f64::min);
        if lead < EDGE_LEAD || fine.coherence < MIN_COHERENCE {
            return Outcome::Detected;
        }
        let signal = fine.signal.max(0.01 * noise);
        // Of a line fitted to phases, with a little for what interpolation and acceleration leave.
        let phase_sigma = phase_variance(signal / noise * (n - first) as f64).sqrt();
        let found = Found {
            phase_cycles: fine.phase,
            freq_hz: fine.freq,
            age_s: centre_to_end,
            phase_sigma: phase_sigma + 0.02,
            freq_sigma: 12f64.sqrt() * phase_sigma / (2.0 * centre_to_end) + 0.3,
            code_chips: code_end,
            code_sigma: code.1,
            into_symbol: (n + m - edge) % m,
            signal,
            noise,
            coherence: fine.coherence,
        };
        self.clear();
        Outcome::Found(found)
    }

    /// Code error in chips when an outer tap has most power: E + P = (2 - d) A and E - P = (2 delta - d) A on
    /// the triangle between them.
    fn beyond(&self, outer: f64, prompt: f64, noise: f64) -> f64 {
        let half = 0.5 * self.setup.spacing;
        let amplitude = |power: f64| (power - noise * self.taps.len() as f64).max(0.0).sqrt();
        let (outer, prompt) = (amplitude(outer), amplitude(prompt));
        half + (1.0 - half) * (outer - prompt) / (outer + prompt).max(f64::MIN_POSITIVE)
    }

    /// Writes the sums of one tap, turned back by `freq`, into the workspace, from period `first` on.
    fn rotate(&mut self, tap: usize, first: usize, freq: f64) {
        let turn = Complex::from_polar(1.0, -TAU * freq * self.setup.period_s);
        let mut phasor = Complex::new(1.0f64, 0.0);
        self.rotated.clear();
        for taps in self.taps.iter().skip(first) {
            let p = taps.get(tap).copied().unwrap_or_default();
            self.rotated.push(p * Complex::new(phasor.re as f32, phasor.im as f32));
            phasor *= turn;
        }
    }

    /// Sum over symbols of |sum of the symbol's periods|^2 / periods, the first edge at period `edge`.
    fn power_at(&self, edge: usize) -> f64 {
        let m = self.setup.signs.len();
        let (head, rest) = self.rotated.split_at(edge.min(self.rotated.len()));
        let sum = |periods: &[Complex<f32>], signs: &[f32]| -> f64 {
            if periods.is_empty() {
                return 0.0;
            }
            let (mut re, mut im) = (0.0f32, 0.0f32);
            for (p, s) in periods.iter().zip(signs) {
                re += p.re * s;
                im += p.im * s;
            }
            f64::from(re * re + im * im) / periods.len() as f64
        };
        let head_signs = self.setup.signs.get(m - edge..).unwrap_or(&[]);
        sum(head, head_signs) + rest.chunks(m).map(|c| sum(c, &self.setup.signs)).sum::<f64>()
    }

    /// Sums of the symbols (the first and last may be partial) of periods already in the workspace.
    fn for_each_symbol(&self, edge: usize, first: usize, mut f: impl FnMut(Complex<f64>, usize)) {
        let m = self.setup.signs.len();
        let mut sum = Complex::<f64>::ZERO;
        let mut count = 0;
        for (i, p) in self.rotated.iter().enumerate() {
            let k = (first + i + m - edge) % m;
            let sign = f64::from(self.setup.signs.get(k).copied().unwrap_or(1.0));
            sum += Complex::new(f64::from(p.re), f64::from(p.im)) * sign;
            count += 1;
            if k == m - 1 {
                f(sum, count);
                (sum, count) = (Complex::ZERO, 0);
            }
        }
        if count > 0 {
            f(sum, count);
        }
    }

    /// Sum of the squared symbol sums at one frequency: its magnitude peaks at the carrier whatever the data.
    fn squared(&mut self, edge: usize, first: usize, freq: f64) -> Complex<f64> {
        self.rotate(self.tap, first, freq);
        let mut square = Complex::<f64>::ZERO;
        self.for_each_symbol(edge, first, |s, _| square += s * s);
        square
    }

    fn fine(&mut self, edge: usize, first: usize, coarse: f64, range: f64) -> Fine {
        let n = self.taps.len() - first;
        let window = n as f64 * self.setup.period_s;
        let step = 0.125 / window;
        let bins = (range / step).ceil() as i32;
        let (mut best, mut best_freq) = (0.0, coarse);
        for bin in -bins..=bins {
            let freq = coarse + f64::from(bin) * step;
            let magnitude = self.squared(edge, first, freq).norm();
            if magnitude > best {
                (best, best_freq) = (magnitude, freq);
            }
        }
        let left = self.squared(edge, first, best_freq - step).norm();
        let right = self.squared(edge, first, best_freq + step).norm();
        let bend = left - 2.0 * best + right;
        let freq = if bend < 0.0 {
            best_freq + step * (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
        } else {
            best_freq
        };
        let square = self.squared(edge, first, freq);
        let (mut power, mut weight, mut amplitude, mut evened) = (0.0, 0.0, 0.0, 0.0);
        self.for_each_symbol(edge, first, |s, count| {
            power += s.norm_sqr();
            weight += (count * count) as f64;
            amplitude += s.norm();
            evened += s.norm_sqr() / count as f64;
        });
        // The rotation starts at the centre of the first period; bring the phase to the centre of all.
        let phase = square.arg() / (2.0 * TAU) + freq * (n as f64 - 1.0) * 0.5 * self.setup.period_s;
        Fine {
            freq,
            phase,
            coherence: square.norm() / power.max(f64::MIN_POSITIVE),
            signal: square.norm() / weight.max(1.0),
            evenness: amplitude * amplitude / (n as f64 * evened).max(f64::MIN_POSITIVE),
        }
    }

    /// Code error in chips at the centre of the stretch and its standard deviation.
    ///
    /// On the triangle E + L = 2 (1 - d) A and E - L = 2 delta A while |delta| < d.
    fn code_error(&self, edge: usize, first: usize, freq: f64, noise: f64) -> (f64, f64) {
        let d = self.setup.spacing;
        let m = self.setup.signs.len();
        let n = self.taps.len() - first;
        let turn = Complex::from_polar(1.0, -TAU * freq * self.setup.period_s);
        let wide = |z: Complex<f32>| Complex::new(f64::from(z.re), f64::from(z.im));
        let mut phasor = Complex::new(1.0f64, 0.0);
        let (mut sum, mut difference) = (Complex::<f64>::ZERO, Complex::<f64>::ZERO);
        let (mut cross, mut power, mut symbols) = (0.0, 0.0, 0.0);
        for (i, [early, _, late]) in self.taps.iter().enumerate().skip(first) {
            let k = (i + m - edge) % m;
            let wipe = phasor * f64::from(self.setup.signs.get(k).copied().unwrap_or(1.0));
            sum += (wide(*early) + wide(*late)) * wipe;
            difference += (wide(*early) - wide(*late)) * wipe;
            phasor *= turn;
            if k == m - 1 || i + 1 == self.taps.len() {
                cross += difference.re * sum.re + difference.im * sum.im;
                power += sum.norm_sqr();
                symbols += 1.0;
                (sum, difference) = (Complex::ZERO, Complex::ZERO);
            }
        }
        // Noise of E + L is 4 N0 (1 - d) a period, of one part of E - L 2 N0 d.
        let signal = (power - 4.0 * (1.0 - d) * noise * n as f64).max(0.1 * power).max(f64::MIN_POSITIVE);
        let error = (1.0 - d) * cross / signal;
        // Of E - L, and of the scale that E + L gives.
        let scatter = noise * n as f64 / symbols * power / (signal * signal);
        let variance = scatter * ((1.0 - d).powi(2) * 2.0 * d + error * error * 8.0 * (1.0 - d));
        (error.clamp(-1.0, 1.0), variance.sqrt().clamp(0.002, 0.3))
    }
}

struct Fine {
    freq: f64,
    phase: f64,
    coherence: f64,
    signal: f64,
    evenness: f64,
}

/// Normal deviate as improbable as the value `f` of an F distribution with `d1` and `d2` degrees of freedom
/// (Paulson's approximation).
fn normal_of_f(f: f64, d1: f64, d2: f64) -> f64 {
    let (a, b) = (2.0 / (9.0 * d1), 2.0 / (9.0 * d2));
    let root = f.cbrt();
    ((1.0 - b) * root - (1.0 - a)) / (b * root * root + a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    const NH20: [f32; 20] =
        [1., 1., 1., 1., 1., -1., 1., 1., -1., -1., 1., -1., 1., -1., 1., 1., -1., -1., -1., 1.];

    fn setup(signs: Vec<f32>) -> PullInSetup {
        PullInSetup { period_s: 1e-3, signs, range_hz: 300.0, spacing: 0.5, cycles_per_chip: 1540.0 }
    }

    /// Sums of code periods as a correlator would give them: noise power 1, triangle of one chip, noise of
    /// taps a chip apart independent.
    struct Periods {
        random: ChaCha8Rng,
        signs: Vec<f32>,
        amplitude: f64,
        freq_hz: f64,
        code_error: f64,
        count: usize,
        data: f64,
    }

    impl Periods {
        fn new(signs: &[f32], cn0_dbhz: f64, seed: u64) -> Self {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            Self {
                signs: signs.to_vec(),
                amplitude: (10f64.powf(cn0_dbhz / 10.0) * 1e-3).sqrt(),
                freq_hz: random.random_range(-250.0..250.0),
                code_error: random.random_range(-0.3..0.3),
                count: random.random_range(0..signs.len()),
                data: 1.0,
                random,
            }
        }

        fn noise(&mut self) -> Complex<f64> {
            let mut part = || self.random.sample::<f64, _>(StandardNormal) * 0.5f64.sqrt();
            Complex::new(part(), part())
        }

        fn next(&mut self) -> PeriodTaps {
            let k = self.count % self.signs.len();
            if k == 0 {
                self.data = if self.random.random::<bool>() { 1.0 } else { -1.0 };
            }
            let turns = self.freq_hz * 1e-3 * self.count as f64;
            let phase =
                Complex::from_polar(self.amplitude * self.data * f64::from(self.signs[k]), TAU * turns);
            self.count += 1;
            let (a, b, c) = (self.noise(), self.noise(), self.noise());
            // Prompt correlates by a half with each of the others, they not with each other.
            let noise = [a, (a + b) * 0.5 + c * 0.5f64.sqrt(), b];
            let mut taps = [Complex::default(); 3];
            for ((tap, n), at) in taps.iter_mut().zip(noise).zip([0.5, 0.0, -0.5]) {
                let z = phase * (1.0 - (self.code_error - at).abs()).max(0.0) + n;
                *tap = Complex::new(z.re as f32, z.im as f32);
            }
            taps
        }
    }

    /// Symbol edges of 3 x 300 signals at 31 dB-Hz and 3 x 100 at 40 dB-Hz: none may be wrong.
    #[test]
    fn edges_frequency_and_code_are_right() {
        for (name, signs) in [("D1", NH20.to_vec()), ("D2", vec![1.0; 2]), ("LNAV", vec![1.0; 20])] {
            for (cn0, trials, deadline) in [(40.0, 100, 400), (31.0, 300, 1500)] {
                let (mut freq, mut code, mut times) = (vec![], vec![], vec![]);
                for seed in 0..trials {
                    let mut periods = Periods::new(&signs, cn0, seed);
                    let mut pull_in = PullIn::new(setup(signs.clone()));
                    for n in 0..deadline {
                        let taps = periods.next();
                        match pull_in.push(taps) {
                            Outcome::Undecided | Outcome::Detected => {}
                            Outcome::Recentre { freq_hz, code_chips } => {
                                periods.freq_hz -= freq_hz;
                                periods.code_error -= code_chips;
                            }
                            Outcome::Found(found) => {
                                assert_eq!(
                                    found.into_symbol,
                                    periods.count % signs.len(),
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
                    "{name} at {cn0} dB-Hz: {} of {trials} found, median {} ms, slowest {} ms; errors over their \
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

    /// 3 x 150 stretches of noise.
    #[test]
    fn noise_is_not_detected() {
        for signs in [NH20.to_vec(), vec![1.0; 2], vec![1.0; 20]] {
            for seed in 0..150 {
                let mut periods = Periods::new(&signs, -100.0, seed);
                let mut pull_in = PullIn::new(setup(signs.clone()));
                for _ in 0..400 {
                    assert_eq!(pull_in.push(periods.next()), Outcome::Undecided);
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
}
