//! The front end's filter.

use std::f64::consts::TAU;

use num_complex::Complex;
use rayon::prelude::*;

/// Taps on each side of the middle one.
pub(crate) const SIDE: usize = 48;
/// Samples filtered by one task.
const TASK: usize = 16_384;

/// A linear-phase band-pass without delay: a sinc with a Blackman window. White noise keeps its power.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    taps: Vec<Complex<f32>>,
    /// Samples still needed for output to come.
    history: Vec<Complex<f32>>,
}

impl Filter {
    /// Two-sided bandwidth and middle as shares of the sample rate.
    pub fn new(bandwidth: f64, middle: f64) -> Self {
        let taps: Vec<(f64, f64)> = (-(SIDE as i64)..=SIDE as i64)
            .map(|k| {
                let k = k as f64;
                let w = TAU * k / (2 * SIDE + 2) as f64;
                let window = 0.42 + 0.5 * w.cos() + 0.08 * (2.0 * w).cos();
                let x = 0.5 * TAU * bandwidth * k;
                let sinc = if k == 0.0 { bandwidth } else { bandwidth * x.sin() / x };
                (sinc * window, TAU * middle * k)
            })
            .collect();
        let power: f64 = taps.iter().map(|(h, _)| h * h).sum();
        let scale = power.sqrt().recip();
        let taps = taps
            .iter()
            .map(|(h, angle)| Complex {
                re: (h * scale * angle.cos()) as f32,
                im: (h * scale * angle.sin()) as f32,
            })
            // Convolution runs over the samples forwards, so over the taps backwards.
            .rev()
            .collect();
        Self { taps, history: vec![Complex::default(); SIDE] }
    }

    /// Takes the next samples, and gives as many of the filtered ones as are complete: all that are
    /// [`SIDE`] before the end, or all if these are the `last`.
    pub fn run(&mut self, samples: &[Complex<f32>], last: bool) -> Vec<Complex<f32>> {
        let mut input = std::mem::take(&mut self.history);
        input.extend_from_slice(samples);
        if last {
            input.extend([Complex::default(); SIDE]);
        }
        let count = input.len().saturating_sub(2 * SIDE);
        let mut out = vec![Complex::default(); count];
        out.par_chunks_mut(TASK).enumerate().for_each(|(task, out)| {
            let windows = input.get(task * TASK..).unwrap_or_default().windows(self.taps.len());
            for (y, window) in out.iter_mut().zip(windows) {
                let (mut re, mut im) = (0f32, 0f32);
                for (x, h) in window.iter().zip(&self.taps) {
                    re += x.re * h.re - x.im * h.im;
                    im += x.re * h.im + x.im * h.re;
                }
                *y = Complex { re, im };
            }
        });
        self.history = input.split_off(count);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_the_band_without_delay_in_any_pieces() {
        let tone = |f: f64| -> Vec<Complex<f32>> {
            (0..3000).map(|n| Complex::from_polar(1.0, (TAU * f * f64::from(n)) as f32)).collect()
        };
        let mut filter = Filter::new(0.3, 0.2);
        let input = tone(0.25);
        let whole = filter.run(&input, true);
        assert_eq!(whole.len(), input.len());
        let gain: Vec<Complex<f32>> = (200..2800).map(|n| whole[n] / input[n]).collect();
        // In the band the gain is that which keeps noise power 1: 1 / sqrt(0.3), nearly, and no phase.
        for g in &gain {
            assert!((g.re - 1.0 / 0.3f32.sqrt()).abs() < 0.1 && g.im.abs() < 1e-3, "{g}");
        }
        let outside = Filter::new(0.3, 0.2).run(&tone(-0.1), true);
        assert!(outside[200..2800].iter().all(|y| y.norm() < 2e-3));
        let mut pieces = Filter::new(0.3, 0.2);
        let mut joined = Vec::new();
        for (k, piece) in input.chunks(700).enumerate() {
            joined.extend(pieces.run(piece, k == 4));
        }
        assert_eq!(joined, whole);
    }
}
