use megrez_dsp::StreamInfo;
use megrez_signal::{Sat, SignalId};

/// A satellite found by a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Acquisition {
    /// The satellite.
    pub sat: Sat,
    /// The signal component.
    pub signal: SignalId,
    /// Number of the sample, from the start of the stream, at which `code_phase_chips` holds.
    pub sample: u64,
    /// Code phase in chips of the primary code, 0 to its length.
    pub code_phase_chips: f64,
    /// Received minus nominal carrier frequency in Hz.
    pub doppler_hz: f64,
    /// Standard deviation of `doppler_hz` in Hz, as estimated from the signal's strength.
    pub doppler_sigma_hz: f64,
    /// Carrier power of this component over noise density, in dB-Hz, losses of the search made good.
    pub cn0_dbhz: f64,
    /// Peak power over the mean power of the satellite's search grid.
    pub peak_to_mean: f64,
}

impl Acquisition {
    /// Time in seconds from the first sample of the stream to the first start of a code period.
    ///
    /// Code periods before the acquisition are counted back at its Doppler.
    pub fn code_start_s(&self, info: &StreamInfo) -> f64 {
        let signal = self.signal.def();
        let chip_rate_hz = signal.chip_rate_hz * (1.0 + self.doppler_hz / signal.carrier_hz);
        let length = signal.code_length as f64;
        let phase = self.code_phase_chips - self.sample as f64 / info.sample_rate_hz * chip_rate_hz;
        (-phase).rem_euclid(length) / chip_rate_hz
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_start_is_the_first_in_the_stream() {
        let info = StreamInfo { sample_rate_hz: 2.0e6, center_hz: 0.0, complex: true };
        let mut a = Acquisition {
            sat: Sat::gps(1),
            signal: SignalId::L1CA,
            sample: 0,
            code_phase_chips: 1000.0,
            doppler_hz: 0.0,
            doppler_sigma_hz: 1.0,
            cn0_dbhz: 45.0,
            peak_to_mean: 20.0,
        };
        assert!((a.code_start_s(&info) - 23.0 / 1.023e6).abs() < 1e-12);
        // 1.5 ms later the phase has grown by one and a half periods.
        a.sample = 3000;
        a.code_phase_chips = 1000.0 + 511.5 - 1023.0;
        assert!((a.code_start_s(&info) - 23.0 / 1.023e6).abs() < 1e-12);
    }
}
