//! Almanacs: coarse orbits, enough to know which satellites are up and at what Doppler.

use megrez_signal::{Constellation, NavMessage, Sat};

use crate::{GnssTime, GroupDelays, KeplerEphemeris, MessageDetails, SatState, kepler};

/// Almanac of one GPS or BDS satellite (IS-GPS-200 section 20.3.3.5.1.2, BDS-SIS-ICD-B1I-3.0 section 5.2.4.15,
/// BDS-SIS-ICD-B1C-1.0 sections 7.9 and 7.10).
/// Angles in radians, distances in metres.
#[derive(Debug, Clone, PartialEq)]
pub struct Almanac {
    /// Satellite.
    pub sat: Sat,
    /// Reference time.
    pub toa: GnssTime,
    /// Semi-major axis in m.
    pub a: f64,
    /// Eccentricity.
    pub e: f64,
    /// Inclination: the broadcast difference plus its reference (0.3 pi; 0 for BDS GEO).
    pub i0: f64,
    /// Longitude of the ascending node at the start of the week of `toa`.
    pub omega0: f64,
    /// Rate of the right ascension in rad/s.
    pub omega_dot: f64,
    /// Argument of perigee.
    pub omega: f64,
    /// Mean anomaly at `toa`.
    pub m0: f64,
    /// Clock offset in s and drift in s/s.
    pub clock: [f64; 2],
    /// Health word as sent; 0 is healthy; none when the message carries it elsewhere.
    pub health: Option<u16>,
}

impl Almanac {
    /// Position, velocity and clock at `t`. Good to some kilometres within weeks of `toa`. The almanac of BDS
    /// GEO satellites is given in the plain frame, without the tilt of their ephemeris.
    pub fn state(&self, t: GnssTime) -> SatState {
        let elements = KeplerEphemeris {
            sat: self.sat,
            message: match self.sat.constellation {
                Constellation::Bds => NavMessage::D1,
                _ => NavMessage::Lnav,
            },
            toe: self.toa,
            toc: self.toa,
            transmit: None,
            clock: [self.clock[0], self.clock[1], 0.0],
            a: self.a,
            a_dot: 0.0,
            e: self.e,
            i0: self.i0,
            i_dot: 0.0,
            omega0: self.omega0,
            omega_dot: self.omega_dot,
            omega: self.omega,
            m0: self.m0,
            delta_n: 0.0,
            delta_n_dot: 0.0,
            cuc: 0.0,
            cus: 0.0,
            crc: 0.0,
            crs: 0.0,
            cic: 0.0,
            cis: 0.0,
            delays: GroupDelays::default(),
            details: MessageDetails::default(),
            iode: 0,
            iodc: 0,
            ura_m: None,
            health: 0,
        };
        kepler::state(&elements, t)
    }

    /// Whether the satellite is not said to be unhealthy.
    pub fn healthy(&self) -> bool {
        self.health.unwrap_or(0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circular_orbit_is_where_it_should_be() {
        // In the equator, at the node above longitude 0 at the start of the week, a day's motion known.
        let toa = GnssTime::from_bdt(1000, 0.0);
        let a = 42_164_170.0;
        let almanac = Almanac {
            sat: Sat::bds(3),
            toa,
            a,
            e: 0.0,
            i0: 0.0,
            omega0: 0.5,
            omega_dot: 0.0,
            omega: 0.25,
            m0: 0.25,
            clock: [1e-4, 1e-11],
            health: Some(0),
        };
        let t = 3000.0;
        let state = almanac.state(toa + t);
        let angle: f64 = 1.0 + ((3.986_004_418e14f64 / (a * a * a)).sqrt() - 7.292_115e-5) * t;
        let expected = crate::Ecef::new(a * angle.cos(), a * angle.sin(), 0.0);
        assert!(state.position.distance(expected) < 1e-6);
        assert!((state.clock_s - (1e-4 + 1e-11 * t)).abs() < 1e-18);
        assert!(state.velocity.norm() < 1.0, "geostationary");
        assert!(almanac.healthy() && !Almanac { health: Some(3), ..almanac }.healthy());
    }
}
