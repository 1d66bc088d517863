use num_complex::Complex;

use crate::{BandView, Level};

/// How chips are shaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subcarrier {
    /// Rectangular.
    None,
    /// Second half of each chip inverted.
    BocSine,
}

/// A code to correlate with.
pub struct Replica {
    /// ±1 at `per_chip` values a chip.
    values: Vec<f32>,
    per_chip: f64,
}

impl Replica {
    /// From chips 0 and 1.
    pub fn new(chips: &[u8], subcarrier: Subcarrier) -> Self {
        let sign = |c: &u8| if *c == 0 { 1.0 } else { -1.0 };
        match subcarrier {
            Subcarrier::None => Self { values: chips.iter().map(sign).collect(), per_chip: 1.0 },
            Subcarrier::BocSine => {
                Self { values: chips.iter().flat_map(|c| [sign(c), -sign(c)]).collect(), per_chip: 2.0 }
            }
        }
    }
}

/// What to correlate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// First sample.
    pub start: u64,
    /// Number of samples.
    pub len: usize,
    /// Code phase at the first sample in chips.
    pub code_phase_chips: f64,
    /// Chips a second.
    pub code_rate_hz: f64,
    /// Carrier phase at the first sample in cycles.
    pub carrier_phase_cycles: f64,
    /// Carrier frequency in Hz.
    pub carrier_freq_hz: f64,
    /// From the prompt tap to the early and to the late one, in chips.
    pub tap_spacing_chips: f64,
}

/// Correlations at three code phases.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Taps {
    /// Replica ahead.
    pub early: Complex<f32>,
    /// Replica in time.
    pub prompt: Complex<f32>,
    /// Replica behind.
    pub late: Complex<f32>,
}

/// Correlates.
#[derive(Debug, Clone)]
pub struct Correlator {
    rate_hz: f64,
}

impl Correlator {
    /// For a sample rate.
    pub fn new(sample_rate_hz: f64, _level: Level) -> Self {
        Self { rate_hz: sample_rate_hz }
    }

    /// None if the view does not hold the samples.
    pub fn correlate(&self, view: &BandView<'_>, replica: &Replica, c: &Correlation) -> Option<Taps> {
        let from = usize::try_from(c.start.checked_sub(view.range().start)?).ok()?;
        let samples = view.samples().get(from..from.checked_add(c.len)?)?;
        let len = replica.values.len() as f64;
        let mut sums = [Complex::new(0.0f64, 0.0); 3];
        for (n, x) in samples.iter().enumerate() {
            let turns = c.carrier_phase_cycles + n as f64 * c.carrier_freq_hz / self.rate_hz;
            let (s, co) = (-(turns - turns.floor()) * std::f64::consts::TAU).sin_cos();
            let y = Complex::new(f64::from(x.re), f64::from(x.im)) * Complex::new(co, s);
            let phase = c.code_phase_chips + n as f64 * c.code_rate_hz / self.rate_hz;
            for (sum, tap) in sums.iter_mut().zip([c.tap_spacing_chips, 0.0, -c.tap_spacing_chips]) {
                let k = ((phase + tap) * replica.per_chip).rem_euclid(len).floor() as usize;
                let chip = replica.values.get(k).or(replica.values.first()).copied().unwrap_or(0.0);
                *sum += y * f64::from(chip);
            }
        }
        let [early, prompt, late] = sums.map(|s| Complex::new(s.re as f32, s.im as f32));
        Some(Taps { early, prompt, late })
    }
}
