//! Pull-in: from an acquisition to the phase, frequency, code phase and symbol edges that the loops start from.
//!
//! The replica runs open loop at the acquired frequency while the sums of each cell are kept, at several code phases.
//! Then all frequencies and all positions of the symbol edge (which is also the phase of a secondary code as long as
//! a symbol) are tried at once: for each, the cells of a symbol are added coherently and the symbols' powers are
//! summed. That is the maximum-likelihood estimate for unknown data, so that nothing is lost against a loop that
//! would have to find its frequency from single cells, and symbol edges come for free.
//!
//! With S_b the sum of the n_b cells of symbol b and N0 the noise power of a cell,
//! L = sum_b (|S_b|^2 / (n_b N0) - 1) is the log likelihood ratio, up to the data-independent part. A signal
//! is declared when the ratio of power in the best sums to power outside them passes a threshold of the
//! F distribution; then the best L must lead that of every rival by `LEAD`: every other symbol edge, a frequency half
//! a cycle a symbol off, and a side peak of the code's correlation.

mod cells;

use crate::carrier::phase_variance;
use crate::plan::{MAX_TAPS, Shape};
use cells::Cells;
use num_complex::Complex;

/// Longest stretch of cells kept.
pub(crate) const CAPACITY: usize = 1000;
/// Numbers of cells after which a decision is tried.
const CHECKPOINTS: [usize; 11] = [40, 60, 80, 100, 140, 200, 280, 400, 560, 800, CAPACITY];
/// Cells at the end that give the final frequency and phase: over more of them acceleration would tell.
const FINE_CELLS: usize = 200;
/// Threshold of detection in standard deviations of the normal equivalent: 6.4 is passed with probability
/// 1e-10 by one trial on noise, and some 10^4 are made at each of 11 checkpoints.
const DETECT_SIGMAS: f64 = 6.4;
/// Lead in log likelihood by which the best must win: wrong with probability about e^-16 = 1e-7.
const LEAD: f64 = 16.0;
/// Coherence of the squared symbols below which the fine estimate is not believed.
const MIN_COHERENCE: f64 = 0.3;
/// Largest magnitude of another line of the squared symbols, in units of the one chosen; without noise it is 0.22.
const MAX_RIVAL: f64 = 0.7;
/// Evenness of the symbols' amplitudes, (sum n_b a_b)^2 / (n sum n_b a_b^2) with a_b = |S_b| / n_b: 1 when all
/// are alike, pi/4 in mere noise, less when the signal came or went meanwhile.
const MIN_EVENNESS: f64 = 0.6;
/// Cycles a cell and tap spacings beyond which the replica is corrected and the search begins again.
const FAR_CYCLES: f64 = 0.06;
const FAR_SPACINGS: f64 = 0.6;
/// A rival peak is so many chips off at least: half of the way to the side peak is still the main one.
const RIVAL_CHIPS: f64 = 0.3;

/// The sums of one cell, earliest code phase first; as many as the signal's shape asks for.
pub(crate) type CellTaps = [Complex<f32>; MAX_TAPS];

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

/// Relative to the replica, at the end of the last cell kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    /// Phase error at the centre of the stretch used, cycles (half a cycle ambiguous).
    pub phase_cycles: f64,
    /// Frequency error, Hz.
    pub freq_hz: f64,
    /// Time from that centre to the end of the last cell, s.
    pub age_s: f64,
    /// Standard deviations of phase and frequency there.
    pub phase_sigma: f64,
    pub freq_sigma: f64,
    /// Code error at the end of the last cell, chips.
    pub code_chips: f64,
    /// Its standard deviation.
    pub code_sigma: f64,
    /// Cells from the last symbol edge to the end of the last cell.
    pub into_symbol: usize,
    /// Signal and noise power of one cell's prompt.
    pub signal: f64,
    pub noise: f64,
    /// Coherence of the squared symbols, like the mean of cos 2 phi.
    pub coherence: f64,
}

/// What pull-in needs to know of the signal.
#[derive(Debug, Clone)]
pub(crate) struct PullInSetup {
    pub cell_s: f64,
    /// Cells of a code period; symbols begin with a period.
    pub cells: usize,
    /// Sign of each cell of a symbol.
    pub signs: Vec<f32>,
    pub range_hz: f64,
    pub shape: Shape,
    /// Carrier cycles a chip.
    pub cycles_per_chip: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct PullIn {
    range_hz: f64,
    cells: Cells,
    next_checkpoint: usize,
    /// Power and frequency of the best trial with each symbol edge; no power where none can be.
    best_by_edge: Vec<(f64, f64)>,
}

impl PullIn {
    pub fn new(setup: PullInSetup) -> Self {
        Self {
            range_hz: setup.range_hz,
            next_checkpoint: 0,
            best_by_edge: vec![(0.0, 0.0); setup.signs.len()],
            cells: Cells::new(setup),
        }
    }

    pub fn clear(&mut self) {
        self.cells.clear();
        self.next_checkpoint = 0;
    }

    /// Keeps the sums of one more cell, the number `in_period` of its code period, and tries a decision at
    /// checkpoints.
    pub fn push(&mut self, in_period: usize, taps: &CellTaps) -> Outcome {
        self.cells.push(in_period, taps);
        let Some(&checkpoint) = CHECKPOINTS.get(self.next_checkpoint) else {
            self.clear();
            return Outcome::Undecided;
        };
        if self.cells.len() < checkpoint {
            return Outcome::Undecided;
        }
        self.next_checkpoint += 1;
        let outcome = self.decide();
        if self.cells.len() >= CAPACITY {
            self.clear();
        }
        outcome
    }

    fn decide(&mut self) -> Outcome {
        let powers = self.cells.tap_powers();
        let strongest =
            |powers: &[f64]| powers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|b| b.0);
        let Some(first_choice) = strongest(&powers) else { return Outcome::Undecided };
        let n = self.cells.len();
        let m = self.best_by_edge.len();
        let step = 0.25 / (m as f64 * self.cells.setup.cell_s);
        let Some((edge, coarse)) = self.search(first_choice, step) else { return Outcome::Undecided };

        // The code may be nearer to another tap than the cells' own powers say.
        let coherent = self.cells.coherent_powers(edge, coarse);
        let Some(tap) = strongest(&coherent) else { return Outcome::Undecided };
        let at = |powers: &[f64], tap: usize| powers.get(tap).copied().unwrap_or_default();
        let (total, power) = (at(&powers, tap), at(&coherent, tap));
        let segments = |edge: usize| (edge != 0) as usize + (n - edge).div_ceil(m);
        let inside = segments(edge) as f64;
        let outside = n as f64 - inside;
        let noise = (total - power) / outside.max(1.0);
        if outside < 1.0
            || noise <= 0.0
            || normal_of_f(power / inside / noise, 2.0 * inside, 2.0 * outside) < DETECT_SIGMAS
        {
            return Outcome::Undecided;
        }

        let first = n.saturating_sub(FINE_CELLS);
        let fine = self.cells.fine(tap, edge, first, coarse, step);
        if fine.evenness < MIN_EVENNESS {
            self.clear();
            return Outcome::Undecided;
        }
        let setup = &self.cells.setup;
        let (shape, cycles_per_chip, cell_s) = (setup.shape, setup.cycles_per_chip, setup.cell_s);
        let centre_to_end = (n - first) as f64 * 0.5 * cell_s;
        let (beside, code_sigma) = if tap == 0 || tap + 1 == shape.taps {
            (self.cells.beyond(tap, &powers, noise), f64::INFINITY)
        } else {
            self.cells.code_error(tap, edge, first, fine.freq, noise)
        };
        let code = shape.offset(tap) + beside;
        let code_chips = code + fine.freq / cycles_per_chip * centre_to_end;
        if code_sigma.is_infinite()
            || beside.abs() > FAR_SPACINGS * shape.spacing
            || fine.freq.abs() > FAR_CYCLES / cell_s
        {
            self.clear();
            return Outcome::Recentre { freq_hz: fine.freq, code_chips };
        }

        let level = |edge: usize, power: f64| power / noise - segments(edge) as f64;
        let best = level(edge, power);
        // Searched with the first choice of the tap; the best edge counts as it came out there.
        let searched = |e: usize| self.best_by_edge.get(e).map_or(0.0, |b| level(e, b.0));
        let edges =
            (0..m).filter(|&e| e != edge && self.cells.may_begin(e)).map(|e| searched(edge) - searched(e));
        let mut lead = edges.fold(f64::INFINITY, f64::min);
        if shape.side_peaks.is_some() {
            let far = |t: &usize| (shape.offset(*t) - code).abs() > RIVAL_CHIPS;
            let rivals = coherent.iter().enumerate().filter(|(t, _)| far(t));
            lead = rivals.map(|(_, &power)| best - level(edge, power)).fold(lead, f64::min);
        }
        let half_cycle = 0.5 / (m as f64 * cell_s);
        for freq in [fine.freq - half_cycle, fine.freq + half_cycle] {
            lead = lead.min(best - level(edge, self.cells.power(tap, edge, freq)));
        }
        if lead < LEAD || fine.coherence < MIN_COHERENCE || fine.rival > MAX_RIVAL {
            return Outcome::Detected;
        }

        let height = 1.0 - shape.slope * beside.abs();
        let signal = fine.signal.max(0.01 * noise);
        // Of a line fitted to phases, with a little for what interpolation and acceleration leave.
        let snr = signal / noise;
        let phase_sigma = phase_variance(snr * (n - first) as f64, snr * m as f64).sqrt();
        let found = Found {
            phase_cycles: fine.phase,
            freq_hz: fine.freq,
            age_s: centre_to_end,
            phase_sigma: phase_sigma + 0.02,
            freq_sigma: 12f64.sqrt() * phase_sigma / (2.0 * centre_to_end) + 0.3,
            code_chips,
            code_sigma,
            into_symbol: (n + m - edge) % m,
            signal: signal / (height * height),
            noise,
            coherence: fine.coherence,
        };
        self.clear();
        Outcome::Found(found)
    }

    /// Tries all frequencies and symbol edges; returns the best.
    fn search(&mut self, tap: usize, step: f64) -> Option<(usize, f64)> {
        let bins = (self.range_hz / step).ceil() as i32;
        self.best_by_edge.fill((0.0, 0.0));
        for bin in -bins..=bins {
            let freq = f64::from(bin) * step;
            self.cells.rotate(tap, 0, freq);
            for (edge, best) in self.best_by_edge.iter_mut().enumerate() {
                if !self.cells.may_begin(edge) {
                    continue;
                }
                let power = self.cells.rotated_power(edge);
                if power > best.0 {
                    *best = (power, freq);
                }
            }
        }
        let (edge, best) = self.best_by_edge.iter().enumerate().max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
        (best.0 > 0.0).then_some((edge, best.1))
    }
}

/// Normal deviate as improbable as the value `f` of an F distribution with `d1` and `d2` degrees of freedom
/// (Paulson's approximation).
fn normal_of_f(f: f64, d1: f64, d2: f64) -> f64 {
    let (a, b) = (2.0 / (9.0 * d1), 2.0 / (9.0 * d2));
    let root = f.cbrt();
    ((1.0 - b) * root - (1.0 - a)) / (b * root * root + a).sqrt()
}

#[cfg(test)]
mod tests;
