//! Rejection of what strong satellites leave in the search grids of others.

use megrez_signal::Signal;

use crate::Acquisition;

/// Worst cross-correlation power of two codes, in units of 1 over their length: C/A reaches -21.1 dB at
/// Dopplers that differ by multiples of 1 kHz (7.9 in these units), the sums of a search somewhat more.
const WORST: f64 = 12.6;
/// The same for each of several satellites, whose patterns do not all peak together.
const FURTHER: f64 = 8.0;

/// A satellite that passed the threshold.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// None for one that is known and only compared with.
    pub(crate) acquisition: Option<Acquisition>,
    pub(crate) doppler_hz: f64,
    /// Peak power in units of the noise's mean power.
    pub(crate) power: f64,
}

/// Drops what may be noise on top of the cross-correlations of stronger satellites.
///
/// Unlike noise, these are the same in each block and do not average out, so they add to the `threshold`
/// (in units of the noise's mean power). They need a Doppler that differs by a multiple of the code's line
/// spacing; away from these they fall off as the envelope of the sinc of the block's duration `block_s`,
/// with four times its power for the sake of blocks that hold a data bit's edge.
pub(crate) fn reject_cross_correlations(
    candidates: &[Candidate],
    signal: &Signal,
    threshold: f64,
    block_s: f64,
) -> Vec<Acquisition> {
    let spacing = 1.0 / signal.code_period_s();
    let length = signal.code_length as f64;
    let is_clear = |c: &Candidate| {
        let (mut worst, mut sum) = (0.0, 0.0);
        for strong in candidates.iter().filter(|strong| strong.power > c.power) {
            let apart = (c.doppler_hz - strong.doppler_hz).rem_euclid(spacing);
            let turns = std::f64::consts::PI * apart.min(spacing - apart) * block_s;
            let trace = strong.power / length * (4.0 / (turns * turns)).min(1.0);
            worst = f64::max(worst, trace);
            sum += trace;
        }
        c.power > threshold + WORST * worst + FURTHER * (sum - worst)
    };
    candidates.iter().filter(|c| is_clear(c)).filter_map(|c| c.acquisition).collect()
}

#[cfg(test)]
mod tests {
    use megrez_signal::{Sat, SignalId};

    use super::*;

    fn with(prn: u8, power: f64, doppler_hz: f64) -> Candidate {
        let acquisition = Acquisition {
            sat: Sat::gps(prn),
            signal: SignalId::L1CA,
            sample: 0,
            code_phase_chips: 0.0,
            doppler_hz,
            doppler_sigma_hz: 1.0,
            cn0_dbhz: 45.0,
            peak_to_mean: 1.0,
        };
        Candidate { acquisition: Some(acquisition), doppler_hz, power }
    }

    #[test]
    fn only_weak_ones_at_the_same_lines_go() {
        let found = [
            with(1, 1000.0, 1000.0),
            with(2, 9.0, 3010.0),
            with(3, 9.0, 1500.0),
            with(4, 20.0, 2000.0),
            with(5, 8.0, -1990.0),
        ];
        let prns = |block_s| {
            reject_cross_correlations(&found, SignalId::L1CA.def(), 4.0, block_s)
                .iter()
                .map(|a| a.sat.prn)
                .collect::<Vec<_>>()
        };
        assert_eq!(prns(0.010), [1, 3, 4]);
        // With blocks of one period every Doppler is near a line.
        assert_eq!(prns(0.001), [1, 4]);
        // Alone, the weak ones stay.
        assert_eq!(reject_cross_correlations(&found[1..3], SignalId::L1CA.def(), 4.0, 0.010).len(), 2);
    }
}
