use std::collections::BTreeMap;

use megrez_dsp::StreamInfo;
use megrez_signal::SignalId;

use crate::AcquireError;

/// Doppler of a satellite in Hz for a receiver on the ground, at most, with some margin for its own speed.
const SATELLITE_DOPPLER_HZ: f64 = 5_000.0;
/// Probability of one or more false detections in a whole search, unless stated.
const FALSE_ALARM: f64 = 1e-3;
/// Duration of a search for weak signals, in seconds.
const DEEP_S: f64 = 0.250;
/// Duration of a search for the weakest signals, in seconds.
const WEAK_S: f64 = 1.0;
/// Longest search that [`SearchPlan::for_available`] makes, in seconds.
const LONGEST_S: f64 = 0.1;

/// How a search deals with signs that change at the start of a code period (secondary code, data).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignChanges {
    /// Blocks are correlated cyclically; a change within a block costs up to all of that block. Best where
    /// changes are rare.
    Ignored,
    /// Like [`Ignored`](Self::Ignored), and again with the sign turned at the start of the code; twice the
    /// work. For a single block.
    Tried,
    /// Blocks of twice the length against the code padded with zeros, so that every correlation is over
    /// whole code periods; about twice the work and one more period of samples.
    Avoided,
}

/// What to search for, where and how long.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPlan {
    /// The signal component.
    pub signal: SignalId,
    /// Numbers of the satellites.
    pub prns: Vec<u8>,
    /// Lowest and highest Doppler (received minus nominal frequency) in Hz, oscillator error included.
    pub doppler_hz: (f64, f64),
    /// Windows of single satellites, by number, within `doppler_hz`: for those whose Doppler is known or can be
    /// predicted. The others are searched in all of `doppler_hz`.
    pub windows_hz: BTreeMap<u8, (f64, f64)>,
    /// Those of `prns` that are known to be there: searched so that their traces in the grids of others are
    /// recognised, and not returned.
    pub references: Vec<u8>,
    /// Code periods summed coherently into one block, at least 1.
    pub coherent_periods: usize,
    /// Blocks whose powers are summed, at least 1. Fewer are used if the samples are fewer.
    pub noncoherent: usize,
    /// Treatment of sign changes at the start of code periods.
    pub sign_changes: SignChanges,
    /// Whether every other step of Doppler is interpolated from its neighbours, and the grid of delays has one
    /// and a half samples a chip rather than two: a third of the work, for a loss of 1 dB at such a step and
    /// 0.4 dB on average.
    pub doppler_interpolated: bool,
    /// Probability of one or more false detections in the whole search, 0 to 1.
    pub false_alarm: f64,
}

impl SearchPlan {
    /// A first look: about 10 ms, all satellites, Doppler of satellites and an oscillator that is off by at
    /// most `oscillator_error` (relative: 1e-6 is 1 ppm).
    pub fn cold(signal: SignalId, oscillator_error: f64) -> Self {
        let def = signal.def();
        let period_s = def.code_period_s();
        Self::with_length(signal, oscillator_error, 1, (0.010 / period_s).round().max(1.0) as usize)
    }

    /// A search for weak signals: 250 ms (L1 C/A: blocks of 10 ms; codes with a sign of their own each
    /// period: single periods). See [`cold`](Self::cold) for `oscillator_error`.
    pub fn deep(signal: SignalId, oscillator_error: f64) -> Self {
        Self::long(signal, oscillator_error, DEEP_S)
    }

    /// A search for the weakest signals: 1 s, in blocks as for [`deep`](Self::deep). At the false-alarm
    /// probability of the whole search it finds nine of ten satellites of 27 dB-Hz (L1 C/A) or 30 dB-Hz (B1I).
    /// See [`cold`](Self::cold) for `oscillator_error`.
    pub fn weak(signal: SignalId, oscillator_error: f64) -> Self {
        Self::long(signal, oscillator_error, WEAK_S)
    }

    /// Restricts each satellite to its window, and drops satellites without one.
    pub fn restrict(&mut self, windows_hz: BTreeMap<u8, (f64, f64)>) {
        self.prns.retain(|prn| windows_hz.contains_key(prn));
        let used = || windows_hz.iter().filter(|(prn, _)| self.prns.contains(prn)).map(|(_, window)| window);
        let low = used().map(|window| window.0).fold(f64::INFINITY, f64::min);
        let high = used().map(|window| window.1).fold(f64::NEG_INFINITY, f64::max);
        if low <= high {
            self.doppler_hz = (low, high);
        }
        self.windows_hz = windows_hz;
    }

    /// Window of a satellite in Hz.
    pub fn window_hz(&self, prn: u8) -> (f64, f64) {
        self.windows_hz.get(&prn).copied().unwrap_or(self.doppler_hz)
    }

    /// Widths of all satellites' windows together, in Hz: what a search costs, in proportion.
    pub fn extent_hz(&self) -> f64 {
        self.prns.iter().map(|&prn| self.window_hz(prn)).map(|(low, high)| high - low).sum()
    }

    /// The search that makes the best of `available_s` seconds of samples, of which it uses up to 0.1 s.
    /// See [`cold`](Self::cold) for `oscillator_error`.
    pub fn for_available(signal: SignalId, available_s: f64, oscillator_error: f64) -> Self {
        let period_s = signal.def().code_period_s();
        // Sampling clocks are rounded to whole samples: a recording of 10 ms may lack a little.
        let periods = ((available_s.clamp(0.0, LONGEST_S) / period_s + 0.01).floor() as usize).max(1);
        let coherent = coherent_limit(signal).min(periods.div_ceil(2));
        let mut plan = Self::with_length(signal, oscillator_error, coherent, (periods / coherent).max(1));
        plan.doppler_interpolated = false;
        if plan.sign_changes == SignChanges::Avoided {
            if periods == 1 {
                plan.sign_changes = SignChanges::Tried;
            } else {
                plan.noncoherent = (periods - 1) / coherent;
            }
        }
        plan
    }

    /// A search of `seconds`, in the longest coherent blocks.
    fn long(signal: SignalId, oscillator_error: f64, seconds: f64) -> Self {
        let periods = (seconds / signal.def().code_period_s()).round().max(1.0) as usize;
        let coherent = coherent_limit(signal);
        Self::with_length(signal, oscillator_error, coherent, (periods / coherent).max(1))
    }

    fn with_length(signal: SignalId, oscillator_error: f64, coherent: usize, noncoherent: usize) -> Self {
        let half = SATELLITE_DOPPLER_HZ + oscillator_error.abs() * signal.def().carrier_hz;
        let sign_changes =
            if changes_every_period(signal) { SignChanges::Avoided } else { SignChanges::Ignored };
        Self {
            signal,
            prns: signal.def().senders().map(|sat| sat.prn).collect(),
            doppler_hz: (-half, half),
            windows_hz: BTreeMap::new(),
            references: Vec::new(),
            coherent_periods: coherent,
            noncoherent,
            sign_changes,
            doppler_interpolated: true,
            false_alarm: FALSE_ALARM,
        }
    }

    /// Duration in seconds of the samples that the search uses.
    pub fn needs_s(&self, info: &StreamInfo) -> f64 {
        let period_s = self.signal.def().code_period_s();
        // Received code periods are longer at negative Doppler, and the last sample must be there.
        let lowest = self.doppler_hz.0.min(self.doppler_hz.1) / self.signal.def().carrier_hz;
        self.periods(self.noncoherent) as f64 * period_s * (1.0 - lowest.min(0.0)) + 2.0 / info.sample_rate_hz
    }

    /// Code periods that `noncoherent` blocks use.
    pub(crate) fn periods(&self, noncoherent: usize) -> usize {
        let extra = usize::from(self.sign_changes == SignChanges::Avoided);
        self.coherent_periods.saturating_mul(noncoherent).saturating_add(extra)
    }

    pub(crate) fn check(&self) -> Result<(), AcquireError> {
        let (signal, (low, high)) = (self.signal, self.doppler_hz);
        let bad = |what, value| Err(AcquireError::BadPlan { signal, what, value });
        if let Some(&prn) = self.prns.iter().find(|&&prn| !signal.def().has_prn(prn)) {
            return Err(AcquireError::UnknownPrn { signal, prn });
        }
        if !(low.is_finite() && low.abs() < 1e6) {
            return bad("the lowest Doppler", low);
        }
        if !(high.is_finite() && high.abs() < 1e6 && high >= low) {
            return bad("the highest Doppler", high);
        }
        if let Some(&(low, high)) =
            self.windows_hz.values().find(|(low, high)| !(low.is_finite() && high.is_finite() && high >= low))
        {
            return bad("the width of a satellite's window", high - low);
        }
        if !(1..=1000).contains(&self.coherent_periods) {
            return bad("the number of coherent periods", self.coherent_periods as f64);
        }
        if !(1..=100_000).contains(&self.noncoherent) {
            return bad("the number of blocks", self.noncoherent as f64);
        }
        if !(self.false_alarm > 0.0 && self.false_alarm < 1.0) {
            return bad("the false-alarm probability", self.false_alarm);
        }
        Ok(())
    }
}

/// Whether the sign may change at every start of a code period.
fn changes_every_period(signal: SignalId) -> bool {
    let def = signal.def();
    def.sats().any(|sat| {
        let symbol_each_period =
            def.symbol_rate_hz(sat.prn).is_some_and(|rate| rate * def.code_period_s() > 0.5);
        symbol_each_period || def.secondary(sat.prn).is_some()
    })
}

/// Code periods that may be summed without regard to signs: half a data symbol, up to 10 ms.
fn coherent_limit(signal: SignalId) -> usize {
    if changes_every_period(signal) {
        1
    } else {
        (0.010 / signal.def().code_period_s()).round().max(1.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_signal::ALL;

    #[test]
    fn plans_fit_what_is_there() {
        let info = StreamInfo { sample_rate_hz: 4.0e6, center_hz: 0.0, complex: true };
        for signal in ALL.map(|s| s.id) {
            for available_s in [0.010, 0.020, 0.037, 0.1, 1.0] {
                let plan = SearchPlan::for_available(signal, available_s, 0.0);
                assert!(plan.check().is_ok());
                assert!(plan.needs_s(&info) < available_s + 2e-6, "{signal} {available_s}: {plan:?}");
            }
            let (cold, deep) = (SearchPlan::cold(signal, 1e-6), SearchPlan::deep(signal, 0.0));
            assert!(cold.needs_s(&info) < 0.021 && deep.needs_s(&info) > 0.2);
            assert!((cold.doppler_hz.1 - 5_000.0 - signal.def().carrier_hz * 1e-6).abs() < 1e-6);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let good = SearchPlan::cold(SignalId::L1CA, 0.0);
        let refused = |change: fn(&mut SearchPlan)| {
            let mut plan = good.clone();
            change(&mut plan);
            plan.check().is_err()
        };
        assert!(good.check().is_ok());
        assert!(refused(|p| p.prns.push(33)));
        assert!(refused(|p| p.doppler_hz = (1.0, 0.0)));
        assert!(refused(|p| p.doppler_hz.0 = f64::NAN));
        assert!(refused(|p| p.doppler_hz.1 = f64::INFINITY));
        assert!(refused(|p| p.coherent_periods = 0));
        assert!(refused(|p| p.noncoherent = 0));
        assert!(refused(|p| p.false_alarm = 0.0));
    }
}
