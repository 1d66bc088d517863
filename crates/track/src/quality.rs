//! C/N0 and lock detectors, fed once a symbol.

use num_complex::Complex;

/// Time constants in seconds.
const CN0_S: f64 = 0.5;
const LOCK_S: f64 = 0.25;
const SYNC_S: f64 = 3.0;

/// Smoothed signal quality.
///
/// With P_m the prompts of the M cells of a symbol (secondary code wiped) and S their sum, the noise power of a cell
/// is estimated from their scatter, (sum |P_m|^2 - |S|^2 / M) / (M - 1), and the signal power from |S|^2 less
/// its share of noise. Neither depends on the data, and phase noise slower than a symbol does no harm.
#[derive(Debug, Clone)]
pub(crate) struct Quality {
    cells: f64,
    cell_s: f64,
    /// Signal power of one cell's prompt.
    signal: f64,
    /// Noise power of one cell's prompt.
    noise: f64,
    /// Mean of cos 2 phi, or of cos phi where the sign is known.
    lock: f64,
    /// Mean product of the symbol's halves: its angle is the frequency error times half a symbol.
    halves: Complex<f64>,
    /// Product of the symbols' first and last cells in units of signal power: 1, or 0 if they belong to
    /// different symbols.
    ends: f64,
}

/// Sums of one symbol, as its cells come in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SymbolSums {
    pub count: usize,
    pub early: Complex<f64>,
    pub prompt: Complex<f64>,
    pub late: Complex<f64>,
    pub power: f64,
    pub first: Complex<f64>,
    pub last: Complex<f64>,
    pub first_half: Complex<f64>,
}

impl Quality {
    pub fn new(cells: usize, cell_s: f64) -> Self {
        Self {
            cells: cells as f64,
            cell_s,
            signal: 0.0,
            noise: 1.0,
            lock: 0.0,
            halves: Complex::ZERO,
            ends: 1.0,
        }
    }

    /// Starts from what pull-in measured.
    pub fn reset(&mut self, signal: f64, noise: f64, lock: f64) {
        *self = Self { signal, noise, lock, ..Self::new(self.cells as usize, self.cell_s) };
    }

    /// Takes in one whole symbol.
    pub fn update(&mut self, sums: &SymbolSums) {
        let m = self.cells;
        let symbol_s = m * self.cell_s;
        let power = sums.prompt.norm_sqr();
        let noise = (sums.power - power / m) / (m - 1.0);
        let signal = (power - m * noise) / (m * m);
        let a = symbol_s / CN0_S;
        self.noise += a * (noise - self.noise);
        self.signal += a * (signal - self.signal);
        let scale = self.signal.max(0.1 * self.noise / m);
        let ends = sums.first.re * sums.last.re + sums.first.im * sums.last.im;
        self.ends += symbol_s / SYNC_S * ((ends / scale).clamp(-10.0, 10.0) - self.ends);
        let second = sums.prompt - sums.first_half;
        self.halves += a * (second * sums.first_half.conj() / (m * m * scale) - self.halves);
    }

    /// Takes in the cosine of the phase error, twice the error where signs are unknown, over `dt` seconds.
    pub fn update_lock(&mut self, cosine: f64, dt: f64) {
        self.lock += (dt / LOCK_S).min(1.0) * (cosine - self.lock);
    }

    /// From here on the signal has `power` times as much power.
    pub fn rescale(&mut self, power: f64) {
        self.signal *= power;
    }

    /// Signal power of one cell's prompt, never negative.
    pub fn signal(&self) -> f64 {
        self.signal.max(1e-3 * self.noise / self.cells)
    }

    /// Signal to noise ratio of the sum of `count` cells.
    pub fn snr(&self, count: usize) -> f64 {
        self.signal() * count as f64 / self.noise
    }

    /// Noise power of one cell's prompt.
    pub fn noise(&self) -> f64 {
        self.noise
    }

    /// C/N0 in dB-Hz.
    pub fn cn0_dbhz(&self) -> f64 {
        10.0 * (self.signal() / (self.noise * self.cell_s)).log10()
    }

    /// 1 with perfect lock, 0 without.
    pub fn lock(&self) -> f64 {
        self.lock
    }

    /// Frequency error seen inside the symbols, Hz; it tells a lock to a side line from the true one.
    pub fn frequency_error_hz(&self) -> f64 {
        if self.halves.norm_sqr() < 1e-3 {
            return 0.0;
        }
        self.halves.arg() / (std::f64::consts::PI * self.cells * self.cell_s)
    }

    /// Whether both ends of the symbols carry the same data; to be judged after a few seconds.
    pub fn edges_agree(&self) -> bool {
        self.ends > 0.4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds symbols whose edges are `late` periods late and whose frequency is `freq` Hz off, without noise.
    fn fed(late: usize, freq: f64, symbols: usize) -> Quality {
        let mut quality = Quality::new(20, 1e-3);
        quality.reset(1.0, 1e-3, 1.0);
        let mut state = 1u32;
        let data: Vec<f64> = (0..=symbols)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if state >> 31 == 0 { 1.0 } else { -1.0 }
            })
            .collect();
        for symbol in 0..symbols {
            let mut sums = SymbolSums::default();
            for k in 0..20 {
                let n = symbol * 20 + k;
                let turns = freq * 1e-3 * (k as f64 - 9.5);
                let p = Complex::from_polar(data[(n + late) / 20], std::f64::consts::TAU * turns);
                sums.count += 1;
                sums.prompt += p;
                sums.power += p.norm_sqr();
                sums.last = p;
                if k == 0 {
                    sums.first = p;
                }
                if k < 10 {
                    sums.first_half += p;
                }
            }
            quality.update(&sums);
        }
        quality
    }

    #[test]
    fn right_edges_pass_and_wrong_ones_do_not() {
        assert!(fed(0, 0.0, 500).edges_agree());
        for late in [1, 2, 5, 10, 15, 19] {
            assert!(!fed(late, 0.0, 500).edges_agree(), "{late} periods late");
        }
    }

    #[test]
    fn side_lines_are_seen() {
        for freq in [0.0, 5.0, 25.0, -25.0] {
            let seen = fed(0, freq, 100).frequency_error_hz();
            assert!((seen - freq).abs() < 1.0, "{seen} for {freq}");
        }
    }
}
