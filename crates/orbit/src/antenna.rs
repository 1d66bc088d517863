//! Phase centres of antennas and signal biases, as products give them.

use megrez_signal::{Constellation, ObsCode, Sat};

use crate::GnssTime;

/// Phase centres of one antenna, of a receiver or a satellite (ANTEX 1.4).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Antenna {
    /// Type with radome ("LEIAR25.R3      LEIT"), or kind of satellite ("BLOCK IIF").
    pub kind: String,
    /// Serial number of a receiver antenna; empty if the values are of the type.
    pub serial: String,
    /// The satellite that carries it.
    pub sat: Option<Sat>,
    /// Since when the satellite carries it.
    pub valid_from: Option<GnssTime>,
    /// Until when.
    pub valid_until: Option<GnssTime>,
    /// Phase centres by frequency.
    pub frequencies: Vec<AntennaFrequency>,
}

/// Phase centre of one frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct AntennaFrequency {
    /// System.
    pub constellation: Constellation,
    /// Digit of the band, as in observation codes.
    pub band: u8,
    /// Mean phase centre in m: north, east, up from the reference point; of satellites x, y, z from the centre of mass.
    pub offset_m: [f64; 3],
    /// Variations.
    pub variations: Variations,
}

/// Variations of the phase centre in m, over zenith (of satellites nadir) angle and azimuth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variations {
    /// First zenith angle and step in degrees.
    pub zenith_deg: (f64, f64),
    /// Mean over azimuths, by zenith angle.
    pub mean_m: Vec<f64>,
    /// Step of azimuths in degrees; 0 if there are none.
    pub azimuth_step_deg: f64,
    /// By azimuth from 0 to 360 degrees, then zenith angle.
    pub by_azimuth_m: Vec<Vec<f64>>,
}

impl Variations {
    /// Variation in m seen at a zenith angle and azimuth in degrees, between the nodes by lines. Beyond the table the
    /// value at its edge.
    pub fn at(&self, zenith_deg: f64, azimuth_deg: f64) -> f64 {
        let (first, step) = self.zenith_deg;
        let zenith = if step > 0.0 { (zenith_deg - first) / step } else { 0.0 };
        if self.by_azimuth_m.len() < 2 || self.azimuth_step_deg <= 0.0 {
            return between(&self.mean_m, zenith);
        }
        let azimuth = azimuth_deg.rem_euclid(360.0) / self.azimuth_step_deg;
        let row = (azimuth as usize).min(self.by_azimuth_m.len() - 2);
        let [low, high] =
            [row, row + 1].map(|row| self.by_azimuth_m.get(row).map_or(0.0, |r| between(r, zenith)));
        low + (high - low) * (azimuth - row as f64)
    }
}

/// The value of a table at a place between its nodes.
fn between(table: &[f64], place: f64) -> f64 {
    let last = table.len().saturating_sub(1);
    let place = place.clamp(0.0, last as f64);
    let node = (place as usize).min(last.saturating_sub(1));
    match table.get(node..) {
        Some([low, high, ..]) => low + (high - low) * (place - node as f64),
        Some([only]) => *only,
        _ => 0.0,
    }
}

impl Antenna {
    /// The phase centre of a band; none if the antenna has no values for it.
    pub fn frequency(&self, constellation: Constellation, band: u8) -> Option<&AntennaFrequency> {
        self.frequencies.iter().find(|f| f.constellation == constellation && f.band == band)
    }

    /// Whether it is in use at `t`.
    pub fn valid_at(&self, t: GnssTime) -> bool {
        self.valid_from.is_none_or(|from| t - from >= 0.0)
            && self.valid_until.is_none_or(|until| until - t >= 0.0)
    }
}

/// A bias of one signal of a satellite: what is to be subtracted from a measurement (OSB of SINEX BIAS 1.00).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalBias {
    /// Satellite.
    pub sat: Sat,
    /// Signal.
    pub code: ObsCode,
    /// Whether it is of the phase, not of the pseudorange.
    pub phase: bool,
    /// From when it holds.
    pub from: GnssTime,
    /// Until when; none if open.
    pub until: Option<GnssTime>,
    /// The bias in s.
    pub bias_s: f64,
    /// Its standard deviation in s, if given.
    pub deviation_s: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variations_between_nodes() {
        let v = Variations {
            zenith_deg: (0.0, 5.0),
            mean_m: vec![0.0, 1.0, 3.0],
            azimuth_step_deg: 90.0,
            by_azimuth_m: vec![
                vec![0.0, 2.0, 4.0],
                vec![1.0; 3],
                vec![2.0; 3],
                vec![3.0; 3],
                vec![0.0, 2.0, 4.0],
            ],
        };
        assert_eq!(v.at(5.0, 0.0), 2.0);
        assert_eq!(v.at(5.0, 45.0), 1.5);
        assert_eq!(v.at(99.0, 315.0), 3.5);
        let mean = Variations { by_azimuth_m: Vec::new(), ..v };
        assert_eq!(mean.at(7.5, 123.0), 2.0);
        assert_eq!(Variations::default().at(1.0, 2.0), 0.0);
        assert!(mean.at(f64::NAN, 0.0).is_nan());
    }
}
