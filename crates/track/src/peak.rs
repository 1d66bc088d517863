//! Watches that a BOC signal is tracked on its main peak.
//!
//! The peak of BOC(1,1) has neighbours half a chip to each side, with half its amplitude and the opposite sign. Now
//! and then the outer taps look there for a symbol: on the main peak they find a quarter of the power, on a
//! neighbour one of them finds four times as much. Both hold the same noise power as the prompt, so that the powers
//! may be compared as they are.

/// Symbols from one look to the next.
const EVERY: u64 = 10;
/// Looks that are judged together. At a signal to noise ratio of 20 of a symbol (33 dB-Hz for 10 ms) the powers
/// differ by 8 * 15 with a standard deviation of 20: more than 6 sigma apart.
const LOOKS: u32 = 8;

#[derive(Debug, Clone, Default)]
pub(crate) struct PeakMonitor {
    early: f64,
    prompt: f64,
    late: f64,
    looks: u32,
}

impl PeakMonitor {
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether the outer taps look at the neighbouring peaks during symbol `number`.
    pub fn looks(number: u64) -> bool {
        number % EVERY == EVERY - 1
    }

    /// Takes the powers of a look. Returns how many side peaks the code is late: +1 or -1 if a neighbour is the
    /// main peak.
    pub fn push(&mut self, early: f64, prompt: f64, late: f64) -> Option<f64> {
        self.early += early;
        self.prompt += prompt;
        self.late += late;
        self.looks += 1;
        if self.looks < LOOKS {
            return None;
        }
        let Self { early, prompt, late, .. } = std::mem::take(self);
        if early.max(late) <= prompt {
            None
        } else if early > late {
            Some(1.0)
        } else {
            Some(-1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_recognised() {
        for (powers, want) in
            [([0.25, 1.0, 0.25], None), ([1.0, 0.25, 0.0], Some(1.0)), ([0.0, 0.25, 1.0], Some(-1.0))]
        {
            let mut monitor = PeakMonitor::default();
            for look in 1..=LOOKS {
                let [early, prompt, late] = powers;
                let got = monitor.push(early, prompt, late);
                assert_eq!(got, if look == LOOKS { want } else { None });
            }
        }
    }
}
