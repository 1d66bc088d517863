//! Broadcast ephemerides.

use megrez_signal::{NavMessage, Sat};

use crate::{Ecef, GnssTime};

/// Group delays of one satellite in seconds, by signal, in the sense that the clock of a signal is the
/// satellite clock minus its delay (BDS-SIS-ICD-B1I-3.0 section 5.2.4.10, IS-GPS-200 section 20.3.3.3.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroupDelays {
    /// GPS T_GD.
    pub tgd: Option<f64>,
    /// BDS T_GD1 (B1I).
    pub tgd1: Option<f64>,
    /// BDS T_GD2 (B2I).
    pub tgd2: Option<f64>,
    /// BDS T_GD,B1Cp.
    pub tgd_b1cp: Option<f64>,
    /// BDS T_GD,B2ap.
    pub tgd_b2ap: Option<f64>,
    /// BDS ISC_B1Cd.
    pub isc_b1cd: Option<f64>,
}

/// Keplerian broadcast ephemeris and clock of GPS or BDS, from whichever message.
/// Angles in radians, rates in radians a second, distances in metres.
#[derive(Debug, Clone, PartialEq)]
pub struct KeplerEphemeris {
    /// Satellite.
    pub sat: Sat,
    /// Message it came in; decides the constants and the geostationary rotation.
    pub message: NavMessage,
    /// Reference time of the orbit.
    pub toe: GnssTime,
    /// Reference time of the clock.
    pub toc: GnssTime,
    /// Time at which the message was sent, if known.
    pub transmit: Option<GnssTime>,
    /// Clock offset in s, drift in s/s, drift rate in s/s².
    pub clock: [f64; 3],
    /// Semi-major axis at `toe` in m.
    pub a: f64,
    /// Change of the semi-major axis in m/s (B-CNAV; otherwise 0).
    pub a_dot: f64,
    /// Eccentricity.
    pub e: f64,
    /// Inclination at `toe`.
    pub i0: f64,
    /// Rate of the inclination.
    pub i_dot: f64,
    /// Longitude of the ascending node at the start of the week.
    pub omega0: f64,
    /// Rate of the right ascension.
    pub omega_dot: f64,
    /// Argument of perigee.
    pub omega: f64,
    /// Mean anomaly at `toe`.
    pub m0: f64,
    /// Mean motion difference.
    pub delta_n: f64,
    /// Rate of the mean motion difference in rad/s² (B-CNAV; otherwise 0).
    pub delta_n_dot: f64,
    /// Latitude corrections, cosine and sine.
    pub cuc: f64,
    /// See `cuc`.
    pub cus: f64,
    /// Radius corrections, cosine and sine.
    pub crc: f64,
    /// See `crc`.
    pub crs: f64,
    /// Inclination corrections, cosine and sine.
    pub cic: f64,
    /// See `cic`.
    pub cis: f64,
    /// Group delays.
    pub delays: GroupDelays,
    /// Issue of the orbit: IODE (GPS, B-CNAV) or AODE (D1, D2).
    pub iode: u16,
    /// Issue of the clock: IODC (GPS, B-CNAV) or AODC (D1, D2).
    pub iodc: u16,
    /// User range accuracy in metres (one sigma); none when the message gives no usable figure.
    pub ura_m: Option<f64>,
    /// Health word as sent; 0 is healthy in every message covered.
    pub health: u8,
}

/// A broadcast ephemeris.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Ephemeris {
    /// GPS LNAV, BDS D1, D2, B-CNAV1.
    Kepler(KeplerEphemeris),
}

/// Position, velocity and clock of a satellite at an instant, in the earth-fixed frame of that instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SatState {
    /// Position in m.
    pub position: Ecef,
    /// Velocity in m/s.
    pub velocity: Ecef,
    /// Satellite clock minus system time in s, with the relativistic term, without group delay.
    pub clock_s: f64,
    /// Rate of `clock_s` in s/s, with the relativistic term.
    pub clock_drift: f64,
}
