//! Spectra of codes at the working rate.

use std::f64::consts::PI;

use megrez_dsp::{Fft, Planar};
use megrez_signal::{Modulation, Signal};
use num_complex::Complex;
use rustfft::FftPlanner;

use crate::SignChanges;

/// The grid on which a signal is searched: samples of one code period.
///
/// At least two a chip, or one and a half on a `coarse` grid, twice that for BOC, and a power of two or three
/// times one a millisecond (altogether if the period is no whole number of milliseconds), for the sake of the
/// FFT. A coarse grid leaves out 0.16 dB of the power that the other has.
pub(crate) fn samples_per_period(signal: &Signal, coarse: bool) -> usize {
    let lobes = match signal.modulation {
        Modulation::Bpsk => 1.0,
        Modulation::BocSine | Modulation::Qmboc => 2.0,
    };
    let per_chip = if coarse { 1.5 * lobes } else { 2.0 * lobes };
    let least = per_chip * signal.code_length as f64;
    // The next power of two or three times one, large enough for the FFT's vectors.
    let round_up = |x: f64| {
        let double = (x.ceil() as usize).next_power_of_two().max(Fft::MULTIPLE);
        if x <= 0.75 * double as f64 && double > 2 * Fft::MULTIPLE { double / 4 * 3 } else { double }
    };
    let milliseconds = signal.code_period_s() * 1e3;
    let pieces = milliseconds.round();
    if pieces >= 1.0 && (milliseconds - pieces).abs() < 1e-9 {
        pieces as usize * round_up(least / pieces)
    } else {
        round_up(least)
    }
}

/// One satellite's code: spectra to correlate with, and what follows from them.
pub(crate) struct Code {
    /// Conjugate spectra to multiply with, one for each hypothesis on sign changes.
    pub(crate) conjugates: Vec<Planar>,
    /// Spectrum of the periodic code over one period, Σ|C|² = 1.
    pub(crate) spectrum: Vec<Complex<f32>>,
    /// Share of the waveform's power that lies in the band.
    pub(crate) in_band: f64,
    /// Mean power of the code's own cyclic correlation over its peak power.
    pub(crate) self_noise: f64,
}

impl Code {
    /// Spectra of `chips` (0 or 1) on a grid of `n` samples a period, for windows of `periods` code periods
    /// where sign changes are avoided.
    pub(crate) fn new(
        chips: &[u8],
        modulation: Modulation,
        n: usize,
        sign_changes: SignChanges,
        periods: usize,
    ) -> Self {
        let m = if sign_changes == SignChanges::Avoided { periods } else { 2 };
        let fine = fine_spectrum(chips, modulation, n, m);
        let total: f64 = fine.iter().step_by(m).map(Complex::norm_sqr).sum();
        let scale = 1.0 / total.sqrt();
        let single = |c: Complex<f64>| Complex::new(c.re as f32, c.im as f32);
        let even: Vec<Complex<f32>> = fine.iter().step_by(m).map(|c| single(c * scale)).collect();
        let conjugate =
            |spectrum: &[Complex<f32>]| Planar::from_pairs(spectrum.iter().map(|c| (c.re, -c.im)));
        let conjugates = match sign_changes {
            SignChanges::Ignored => vec![conjugate(&even)],
            SignChanges::Tried => {
                // Lines halfway between: the code times a half turn over its period, which turns the sign
                // of what is correlated across the start of the code.
                let odd: Vec<_> = fine.iter().skip(1).step_by(2).map(|c| single(c * scale)).collect();
                vec![conjugate(&even), conjugate(&odd)]
            }
            // The inverse FFT of m times the length has m times the lines, hence the factor.
            SignChanges::Avoided => {
                let fine: Vec<_> = fine.iter().map(|c| single(c * (scale / m as f64))).collect();
                vec![conjugate(&fine)]
            }
        };
        let fourth: f64 = fine.iter().step_by(m).map(|c| (c.norm_sqr() * scale * scale).powi(2)).sum();
        Self { conjugates, spectrum: even, in_band: total, self_noise: fourth }
    }

    /// Waveform of one period delayed by `delay` samples, in the units of the spectrum's inverse FFT.
    pub(crate) fn waveform(&self, delay: f64, planner: &mut FftPlanner<f32>) -> Vec<f32> {
        let n = self.spectrum.len();
        let mut wave: Vec<Complex<f32>> = self
            .spectrum
            .iter()
            .enumerate()
            .map(|(k, c)| {
                let (sin, cos) = (-2.0 * PI * signed(k, n) as f64 * delay / n as f64).sin_cos();
                c * Complex::new(cos as f32, sin as f32)
            })
            .collect();
        planner.plan_fft_inverse(n).process(&mut wave);
        wave.iter().map(|c| c.re).collect()
    }
}

/// Index of a line counted from zero frequency.
pub(crate) fn signed(k: usize, n: usize) -> i64 {
    if k < n.div_ceil(2) { k as i64 } else { k as i64 - n as i64 }
}

/// Fourier coefficients of one period of the continuous waveform at multiples of 1/m of the line spacing,
/// `m n` of them in FFT order, so that every m-th, the lines themselves, sum to at most 1 in power.
///
/// Exact: the DFT of the chips times the Fourier transform of the chip's pulse.
fn fine_spectrum(chips: &[u8], modulation: Modulation, n: usize, m: usize) -> Vec<Complex<f64>> {
    let length = chips.len();
    let mut lines: Vec<Complex<f64>> =
        chips.iter().map(|&chip| Complex::new(1.0 - 2.0 * f64::from(chip & 1), 0.0)).collect();
    lines.resize(m * length, Complex::default());
    FftPlanner::new().plan_fft_forward(m * length).process(&mut lines);
    (0..m * n)
        .map(|k| {
            let k = signed(k, m * n);
            // Cycles a chip.
            let f = k as f64 / (m * length) as f64;
            let line = lines.get(k.rem_euclid((m * length) as i64) as usize).copied().unwrap_or_default();
            line * pulse(modulation, f) / length as f64
        })
        .collect()
}

/// Fourier transform of a chip's pulse at `f` cycles a chip.
fn pulse(modulation: Modulation, f: f64) -> Complex<f64> {
    let box_of = |width: f64| {
        let x = PI * f * width;
        let size = if x.abs() < 1e-9 { width } else { width * x.sin() / x };
        Complex::from_polar(size, -x)
    };
    match modulation {
        Modulation::Bpsk => box_of(1.0),
        // The BOC(6,1) part of QMBOC is in quadrature and mostly out of the band.
        Modulation::BocSine | Modulation::Qmboc => {
            box_of(0.5) * (Complex::new(1.0, 0.0) - Complex::from_polar(1.0, -PI * f))
        }
    }
}

#[cfg(test)]
mod tests {
    use megrez_signal::SignalId;

    use super::*;

    #[test]
    fn grids_suit_the_fft() {
        for (signal, coarse, fine) in [
            (SignalId::L1CA, 1536, 2048),
            (SignalId::B1I, 3072, 4096),
            (SignalId::B1CP, 30_720, 40_960),
            (SignalId::B1CD, 30_720, 40_960),
        ] {
            assert_eq!(samples_per_period(signal.def(), true), coarse);
            assert_eq!(samples_per_period(signal.def(), false), fine);
        }
    }

    /// The band holds 90 % of BPSK (its main lobe) and 85 % of BOC(1,1).
    #[test]
    fn band_holds_the_main_lobes() {
        for (signal, expected) in [(SignalId::L1CA, 0.903), (SignalId::B1I, 0.903), (SignalId::B1CP, 0.856)] {
            let def = signal.def();
            let chips = def.code(20).unwrap();
            let code =
                Code::new(&chips, def.modulation, samples_per_period(def, false), SignChanges::Ignored, 1);
            assert!((code.in_band - expected).abs() < 0.01, "{signal}: {}", code.in_band);
            assert!((code.self_noise * def.code_length as f64 - 1.0).abs() < 0.7, "{}", code.self_noise);
        }
    }

    /// The spectrum's waveform follows the chips.
    #[test]
    fn waveform_is_the_code() {
        let def = SignalId::L1CA.def();
        let chips = def.code(7).unwrap();
        let code = Code::new(&chips, def.modulation, 2048, SignChanges::Ignored, 1);
        let wave = code.waveform(0.0, &mut FftPlanner::new());
        let agree = (0..2048)
            .filter(|t| {
                let chip = chips[((*t as f64) * 1023.0 / 2048.0) as usize];
                (wave[*t] > 0.0) == (chip == 0)
            })
            .count();
        assert!(agree > 1900, "{agree}");
        let later = code.waveform(1.0, &mut FftPlanner::new());
        assert!(wave.iter().zip(&later[1..]).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}
