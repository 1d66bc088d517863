//! A simple generator of signals in noise, by the definitions: the code at each sample's instant.
#![allow(dead_code, clippy::unwrap_used)]

use std::f64::consts::TAU;

use megrez_dsp::{Samples, StreamInfo};
use megrez_signal::{Modulation, SignalId};
use num_complex::Complex;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// One satellite's signal. Signs follow the secondary code from `first_sign` on; a data bit of random sign
/// every 20 periods for codes of 1 ms.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub signal: SignalId,
    pub prn: u8,
    pub cn0_dbhz: f64,
    pub doppler_hz: f64,
    pub code_phase_chips: f64,
    pub first_sign: usize,
}

/// Noise of standard deviation 20 per component, signals, and a tone of `tone.1` times the noise's power.
pub fn generate(
    info: &StreamInfo,
    duration_s: f64,
    sent: &[Sent],
    tone: Option<(f64, f64)>,
    seed: u64,
) -> Samples {
    const SIGMA: f64 = 20.0;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let rate = info.sample_rate_hz;
    let len = (duration_s * rate).round() as usize;
    let mut sum: Vec<Complex<f64>> = vec![Complex::default(); len];
    for s in sent {
        let def = s.signal.def();
        let chips = def.code(s.prn).unwrap();
        let secondary = def.secondary(s.prn).map(|code| code.chips);
        let bits: Vec<f64> = (0..len).step_by(1000).map(|_| normal().signum()).collect();
        // Noise of power 1 per complex sample has density 1 / rate.
        let amplitude = (10f64.powf(s.cn0_dbhz / 10.0) / rate).sqrt();
        let chips_per_sample = def.chip_rate_hz * (1.0 + s.doppler_hz / def.carrier_hz) / rate;
        let cycles_per_sample = (def.carrier_hz + s.doppler_hz - info.center_hz) / rate;
        let start = normal();
        for (n, x) in sum.iter_mut().enumerate() {
            let phase = s.code_phase_chips + chips_per_sample * n as f64;
            let chip = phase.floor() as usize;
            let period = chip / chips.len() + s.first_sign;
            let mut value = 1.0 - 2.0 * f64::from(chips[chip % chips.len()]);
            if def.modulation != Modulation::Bpsk && phase.fract() >= 0.5 {
                value = -value;
            }
            if let Some(secondary) = &secondary {
                value *= 1.0 - 2.0 * f64::from(secondary[period % secondary.len()]);
            }
            if def.code_period_s() < 0.002 {
                value *= bits[period / 20];
            }
            *x +=
                Complex::from_polar(amplitude * value, TAU * (start + cycles_per_sample * n as f64).fract());
        }
    }
    if let Some((hz, power)) = tone {
        for (n, x) in sum.iter_mut().enumerate() {
            *x += Complex::from_polar(
                power.sqrt(),
                TAU * (0.1 + (hz - info.center_hz) / rate * n as f64).fract(),
            );
        }
    }
    let quantise = |v: f64| (v * SIGMA).round().clamp(-127.0, 127.0) as i8;
    if info.complex {
        let half = 0.5f64.sqrt();
        let noisy = sum.iter().map(|x| {
            // Noise power 1 in both components together.
            let (i, q) = (normal() * half, normal() * half);
            Complex::new(quantise(x.re + i), quantise(x.im + q))
        });
        Samples::Complex(noisy.collect())
    } else {
        // A real stream of noise power 1 has density 2 / rate; a real carrier of amplitude a, power a²/2.
        Samples::Real(sum.iter().map(|x| quantise(2.0 * x.re + normal())).collect())
    }
}

/// A complex stream centred at the carrier.
pub fn centred(signal: SignalId, sample_rate_hz: f64) -> StreamInfo {
    StreamInfo { sample_rate_hz, center_hz: signal.def().carrier_hz, complex: true }
}
