//! Times that other programs on the machine disturb little.

use std::time::{Duration, Instant};

/// Samples of a measurement, of which the fastest counts.
const BATCHES: u32 = 12;

/// Repeats what is measured for a given time.
pub struct Timer {
    batch: Duration,
}

impl Timer {
    /// Spends about `seconds` on each measurement.
    pub fn new(seconds: f64) -> Self {
        Self { batch: Duration::from_secs_f64(seconds.clamp(0.001, 60.0) / f64::from(BATCHES)) }
    }

    /// Seconds that one call takes: the least mean over the batches.
    pub fn seconds(&self, mut call: impl FnMut()) -> f64 {
        let once = Self::clock(1, &mut call);
        let calls = (self.batch.as_secs_f64() / once.max(1e-9)).clamp(1.0, 1e7) as u32;
        let rounds = if calls == 1 { 3 } else { BATCHES };
        (0..rounds).map(|_| Self::clock(calls, &mut call)).fold(f64::MAX, f64::min)
    }

    fn clock(calls: u32, call: &mut impl FnMut()) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            call();
        }
        start.elapsed().as_secs_f64() / f64::from(calls)
    }
}
