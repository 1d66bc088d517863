//! Where a channel begins.

use megrez_signal::Signal;

use crate::event::Measurement;

/// Where a channel begins: the result of an acquisition, or of another channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelStart {
    /// Sample at which the code phase and Doppler hold; the channel extrapolates from it.
    pub sample: u64,
    /// Phase of the primary code in chips, right to about one chip; to three chips at chip rates of 5 MHz and more.
    pub code_phase_chips: f64,
    /// Doppler in Hz, right to [`TrackConfig::pull_in_range_hz`](crate::TrackConfig::pull_in_range_hz).
    pub doppler_hz: f64,
    /// C/N0 in dB-Hz.
    pub cn0_dbhz: f64,
}

impl ChannelStart {
    /// From what a channel of the same satellite measured on `from` at `sample`, for a channel on `to`.
    ///
    /// All codes of a satellite begin with its seconds, up to group delays of some nanoseconds, so the time since the
    /// start of one code's period is that of the other's if the latter's period divides the former's. If it does not,
    /// use [`from_transmit_time`](Self::from_transmit_time); none is returned then.
    pub fn from_measurement(
        sample: u64,
        measurement: &Measurement,
        from: &Signal,
        to: &Signal,
    ) -> Option<Self> {
        let ratio = from.code_period_s() / to.code_period_s();
        let divides = ratio > 0.5 && (ratio - ratio.round()).abs() < 1e-9;
        let start = measurement.code_phase_chips / from.chip_rate_hz;
        divides.then(|| {
            let doppler = measurement.doppler_hz / from.carrier_hz;
            Self::from_transmit_time(sample, start, doppler, measurement.cn0_dbhz, to)
        })
    }

    /// From the time in seconds at which the satellite sent what arrives at `sample`: counted from any instant at
    /// which a code period of `to` began, as every whole second of its system time. The Doppler is relative to the
    /// carrier.
    pub fn from_transmit_time(
        sample: u64,
        transmit_s: f64,
        doppler: f64,
        cn0_dbhz: f64,
        to: &Signal,
    ) -> Self {
        let into_period_s = transmit_s.rem_euclid(to.code_period_s());
        Self {
            sample,
            code_phase_chips: into_period_s * to.chip_rate_hz,
            doppler_hz: doppler * to.carrier_hz,
            cn0_dbhz,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_signal::SignalId;

    fn measurement(code_phase_chips: f64, doppler_hz: f64) -> Measurement {
        Measurement {
            period: 17,
            code_phase_chips,
            carrier_phase_cycles: 0.0,
            half_cycle_known: true,
            secondary_chip: None,
            doppler_hz,
            cn0_dbhz: 44.0,
            phase_locked: true,
            slips: 0,
            lock_s: 1.0,
        }
    }

    /// 7.25 ms into the 10 ms of B1C are 0.25 ms into the millisecond of B1I: 511.5 of 2046 chips.
    #[test]
    fn longer_periods_tell_the_shorter() {
        let (b1c, b1i) = (SignalId::B1CP.def(), SignalId::B1I.def());
        let m = measurement(7.25e-3 * 1.023e6, 1575.42);
        let start = ChannelStart::from_measurement(99, &m, b1c, b1i).unwrap();
        assert_eq!(start.sample, 99);
        assert!((start.code_phase_chips - 511.5).abs() < 1e-6);
        assert!((start.doppler_hz - 1561.098).abs() < 1e-9);
        assert_eq!(start.cn0_dbhz, 44.0);
    }

    #[test]
    fn shorter_periods_need_the_time() {
        let (b1c, b1i) = (SignalId::B1CP.def(), SignalId::B1I.def());
        assert_eq!(ChannelStart::from_measurement(99, &measurement(511.5, 1000.0), b1i, b1c), None);
        let start = ChannelStart::from_transmit_time(99, 345_600.007_25, -1e-6, 44.0, b1c);
        assert!((start.code_phase_chips - 7.25e-3 * 1.023e6).abs() < 1e-3);
        assert!((start.doppler_hz + 1575.42).abs() < 1e-9);
    }
}
