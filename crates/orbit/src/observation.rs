//! What a receiver measures.

use megrez_signal::{ObsCode, Sat};

use crate::GnssTime;

/// Measurements of one signal of one satellite at one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Satellite.
    pub sat: Sat,
    /// Signal, as observation files name it.
    pub code: ObsCode,
    /// Pseudorange in metres: (receiver clock reading at reception - satellite clock reading at
    /// transmission) times the speed of light; none if the file holds none.
    pub pseudorange_m: Option<f64>,
    /// Carrier phase in cycles, increasing with the range; none while the carrier loop is not locked.
    pub carrier_phase_cycles: Option<f64>,
    /// Received minus nominal frequency in Hz, positive when approaching.
    pub doppler_hz: Option<f64>,
    /// Carrier-to-noise density in dB-Hz; none if the file holds none.
    pub cn0_dbhz: Option<f64>,
    /// The carrier phase may have slipped since the previous epoch (RINEX LLI bit 0).
    pub slip: bool,
    /// The carrier phase may be off by half a cycle (RINEX LLI bit 1).
    pub half_cycle: bool,
    /// Seconds for which the carrier has been tracked without a slip.
    pub lock_s: f64,
}

/// All measurements of one receiver epoch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservationEpoch {
    /// Reading of the receiver clock, as an instant.
    pub time: GnssTime,
    /// Measurements, sorted by satellite, then code.
    pub observations: Vec<Observation>,
}
