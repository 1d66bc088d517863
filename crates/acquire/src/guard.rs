//! Rejection of what strong satellites leave in the search grids of others.

use megrez_signal::Signal;

use crate::Acquisition;

/// How far below a strong satellite, in dB, its traces in other codes' grids can come at most.
///
/// The cross-correlation of two codes of length L is about 1/L in power, in the worst of the cells of a
/// search some 12 times that (C/A: 65/1023 or -23.9 dB at equal Doppler, -21.1 dB at multiples of 1 kHz
/// apart); 1 dB more for the errors of the strengths compared.
fn isolation_db(signal: &Signal) -> f64 {
    10.0 * (signal.code_length as f64 / 12.6).log10() - 0.5
}

/// Drops what may be the cross-correlation of a stronger satellite.
///
/// That needs a Doppler that differs by a multiple of the code's line spacing, within `resolution_hz`.
pub(crate) fn reject_cross_correlations(found: &mut Vec<Acquisition>, signal: &Signal, resolution_hz: f64) {
    let isolation = isolation_db(signal);
    let spacing = 1.0 / signal.code_period_s();
    let strong: Vec<(f64, f64)> = found.iter().map(|a| (a.cn0_dbhz, a.doppler_hz)).collect();
    found.retain(|a| {
        !strong.iter().any(|&(cn0_dbhz, doppler_hz)| {
            let apart = (a.doppler_hz - doppler_hz).rem_euclid(spacing);
            a.cn0_dbhz < cn0_dbhz - isolation && apart.min(spacing - apart) <= resolution_hz
        })
    });
}

#[cfg(test)]
mod tests {
    use megrez_signal::{Sat, SignalId};

    use super::*;

    fn with(prn: u8, cn0_dbhz: f64, doppler_hz: f64) -> Acquisition {
        Acquisition {
            sat: Sat::gps(prn),
            signal: SignalId::L1CA,
            sample: 0,
            code_phase_chips: 0.0,
            doppler_hz,
            doppler_sigma_hz: 1.0,
            cn0_dbhz,
            peak_to_mean: 1.0,
        }
    }

    #[test]
    fn only_weak_ones_at_the_same_lines_go() {
        let mut found = vec![
            with(1, 52.0, 1000.0),
            with(2, 31.0, 3010.0),
            with(3, 31.0, 1500.0),
            with(4, 36.0, 2000.0),
            with(5, 30.0, -1990.0),
        ];
        reject_cross_correlations(&mut found, SignalId::L1CA.def(), 50.0);
        assert_eq!(found.iter().map(|a| a.sat.prn).collect::<Vec<_>>(), [1, 3, 4]);
        // With blocks of one period every Doppler is near a line.
        reject_cross_correlations(&mut found, SignalId::L1CA.def(), 500.0);
        assert_eq!(found.iter().map(|a| a.sat.prn).collect::<Vec<_>>(), [1, 4]);
    }
}
