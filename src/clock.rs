//! The receiver clock: from sample numbers to time.

use megrez_orbit::GnssTime;

/// Steps by which the clock is corrected once it runs: a millisecond, a whole number of cycles of every
/// carrier, so that carrier phases keep their fractional part.
const STEP_S: f64 = 1e-3;

/// Reads `base + sample / rate`. The base is set from the first satellite time, aligned by the first fix and
/// from then on moved by whole milliseconds alone.
#[derive(Debug, Clone)]
pub(crate) struct ReceiverClock {
    rate_hz: f64,
    base: Option<GnssTime>,
    aligned: bool,
}

impl ReceiverClock {
    pub(crate) fn new(rate_hz: f64) -> Self {
        Self { rate_hz, base: None, aligned: false }
    }

    /// Whether a fix has set the clock.
    pub(crate) fn aligned(&self) -> bool {
        self.aligned
    }

    /// Reading at a sample.
    pub(crate) fn time(&self, sample: u64) -> Option<GnssTime> {
        self.base.map(|base| base + sample as f64 / self.rate_hz)
    }

    /// Sample number (with fraction) of a reading.
    pub(crate) fn sample(&self, time: GnssTime) -> Option<f64> {
        self.base.map(|base| (time - base) * self.rate_hz)
    }

    /// Sets the clock so that it reads `time` at `sample`.
    pub(crate) fn set(&mut self, sample: u64, time: GnssTime) {
        self.base = Some(time - sample as f64 / self.rate_hz);
    }

    /// Aligns the clock after the first fix, which found it ahead by `bias_s`.
    pub(crate) fn align(&mut self, bias_s: f64) {
        self.base = self.base.map(|base| base - bias_s);
        self.aligned = true;
    }

    /// Moves an aligned clock by whole milliseconds if it is off by more than one. Returns the step in
    /// seconds by which readings, and so pseudoranges, grew.
    pub(crate) fn step(&mut self, bias_s: f64) -> f64 {
        if bias_s.abs() <= STEP_S {
            return 0.0;
        }
        let step = -(bias_s / STEP_S).round() * STEP_S;
        self.base = self.base.map(|base| base + step);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_aligns_and_steps() {
        let mut clock = ReceiverClock::new(4e6);
        assert_eq!(clock.time(0), None);
        let t0 = GnssTime::from_gpst(2300, 100.0);
        clock.set(4_000_000, t0);
        assert_eq!(clock.time(8_000_000), Some(t0 + 1.0));
        clock.align(0.25);
        assert!(clock.aligned());
        assert!((clock.time(4_000_000).unwrap() - (t0 - 0.25)).abs() < 1e-12);
        assert_eq!(clock.step(0.0009), 0.0);
        assert!((clock.step(0.0021) + 0.002).abs() < 1e-15);
        let sample = clock.sample(t0).unwrap();
        assert!((clock.time(sample.round() as u64).unwrap() - t0).abs() < 1e-6);
    }
}
