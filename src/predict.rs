//! What can be heard, and at which Doppler: for searches that test only what can be there.

use std::collections::BTreeMap;

use megrez_orbit::{Ecef, GnssTime, NavData, SatState, look_angles};
use megrez_signal::{SPEED_OF_LIGHT, Sat};

/// Ephemerides are good for this long to predict Dopplers, in seconds.
const EPHEMERIS_AGE_S: f64 = 4.0 * 3600.0;

/// Where a receiver is, how well that and the time are known, and how fast it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observer {
    /// Position.
    pub position: Ecef,
    /// Velocity in m/s.
    pub velocity: Ecef,
    /// Error of the position at most, in m.
    pub position_error_m: f64,
    /// Error of the velocity at most, in m/s.
    pub speed_error_m_s: f64,
    /// Error of the time at most, in s.
    pub time_error_s: f64,
    /// Satellites below this elevation, in radians, are not heard; negative for what the position's error and
    /// refraction raise over the horizon.
    pub lowest_rad: f64,
}

/// What to expect of one satellite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Elevation in radians.
    pub elevation_rad: f64,
    /// Doppler over carrier frequency, without the error of the receiver's oscillator.
    pub doppler: f64,
    /// Error of `doppler` at most.
    pub doppler_error: f64,
}

impl Observer {
    /// Predicts every satellite of the navigation data at `time`, from its ephemeris or else from its almanac:
    /// none for one that is below the horizon.
    pub fn predict(&self, nav: &NavData, time: GnssTime) -> BTreeMap<Sat, Option<Prediction>> {
        let from_almanac = nav
            .almanacs
            .values()
            .filter(|almanac| almanac.healthy() && !almanac.sat.is_bds_geo())
            .map(|almanac| (almanac.sat, almanac.state(time)));
        let from_ephemeris = nav.sats().filter_map(|sat| {
            let ephemeris =
                nav.ephemeris(sat, time).or_else(|| nav.ephemeris_within(sat, time, EPHEMERIS_AGE_S))?;
            Some((sat, ephemeris.state(time)))
        });
        from_almanac.chain(from_ephemeris).map(|(sat, state)| (sat, self.expect(&state))).collect()
    }

    fn expect(&self, state: &SatState) -> Option<Prediction> {
        let elevation_rad = look_angles(self.position, state.position).elevation;
        if elevation_rad <= self.lowest_rad {
            return None;
        }
        let line = state.position - self.position;
        let motion = state.velocity - self.velocity;
        let (range_m, speed) = (line.norm(), motion.norm());
        // The range's rate turns with the line of sight, by no more than speed over range.
        let turned = speed / range_m * (self.position_error_m + speed * self.time_error_s);
        Some(Prediction {
            elevation_rad,
            doppler: state.clock_drift - motion.dot(line) / range_m / SPEED_OF_LIGHT,
            doppler_error: (turned + self.speed_error_m_s) / SPEED_OF_LIGHT,
        })
    }
}
