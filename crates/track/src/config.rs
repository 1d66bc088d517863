/// Half width of the frequency search of a channel that another one aids, Hz, and its time to find something, s.
const AIDED_RANGE_HZ: f64 = 25.0;
const AIDED_PULL_IN_S: f64 = 1.0;

/// Settings of a channel; the defaults suit receivers on the ground, standing or driving.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackConfig {
    /// Half width of the frequency search of pull-in, Hz.
    pub pull_in_range_hz: f64,
    /// Time after which a channel that found nothing at its start gives up, s.
    pub pull_in_s: f64,
    /// Time after which a channel that lost its carrier gives up, s.
    pub reacquire_s: f64,
    /// Noise bandwidth of the carrier loop at 45 dB-Hz, Hz. It goes with the sixth root of C/N0.
    pub carrier_bandwidth_hz: f64,
    /// Noise bandwidth to which the code loop narrows, Hz.
    pub code_bandwidth_hz: f64,
}

impl TrackConfig {
    /// The same for a channel whose start comes from another signal of the satellite: its Doppler is right to a few
    /// hertz, and if the signal is there it shows at once.
    pub fn aided(&self) -> Self {
        Self {
            pull_in_range_hz: self.pull_in_range_hz.min(AIDED_RANGE_HZ),
            pull_in_s: self.pull_in_s.min(AIDED_PULL_IN_S),
            ..self.clone()
        }
    }
}

impl Default for TrackConfig {
    fn default() -> Self {
        Self {
            pull_in_range_hz: 300.0,
            pull_in_s: 2.0,
            reacquire_s: 4.0,
            carrier_bandwidth_hz: 12.0,
            code_bandwidth_hz: 0.03,
        }
    }
}
