//! The model of a measurement: geometry, what satellites broadcast, noise.

use megrez_orbit::{Ecef, Ephemeris, GnssTime, NavData, SatState};
use megrez_signal::{Constellation, ObsCode, SPEED_OF_LIGHT, Sat};

use crate::Refusal;

/// Earth's rotation in rad/s (BDS-SIS-ICD-B1I-3.0 and IS-GPS-200 agree to 2e-12).
pub(crate) const EARTH_RATE: f64 = 7.292_115e-5;
/// Standard deviation of the group delay where no message gives it, metres.
const UNKNOWN_DELAY_SIGMA_M: f64 = 5.0;
/// Standard deviation of a group delay taken from the neighbouring signal, metres.
const BORROWED_DELAY_SIGMA_M: f64 = 2.0;
/// Standard deviation of a range rate from what does not average out over signals, m/s: multipath, orbit.
pub(crate) const RATE_FLOOR_M_S: f64 = 0.02;

/// Geometric range with the earth's rotation during the flight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub range_m: f64,
    /// Unit vector from receiver to satellite.
    pub unit: Ecef,
    /// Satellite position in the earth-fixed frame of the time of reception.
    pub satellite: Ecef,
    /// Rate of the range for a receiver at rest in that frame, m/s, as received.
    pub rate_m_s: f64,
}

/// The cross product of the earth's rotation with `v`.
fn spin(v: Ecef) -> Ecef {
    Ecef { x: -EARTH_RATE * v.y, y: EARTH_RATE * v.x, z: 0.0 }
}

/// `v` in axes turned by the `angle` of the earth's rotation during a flight, some 1e-5 rad: the series are exact
/// to rounding.
fn turned(v: Ecef, angle: f64) -> Ecef {
    let s = angle * (1.0 - angle * angle / 6.0);
    let c = 1.0 - 0.5 * angle * angle;
    Ecef { x: c * v.x + s * v.y, y: c * v.y - s * v.x, z: v.z }
}

/// The line of sight from `receiver` to a satellite whose state holds at the time of transmission.
pub(crate) fn line_of_sight(receiver: Ecef, state: &SatState) -> Line {
    const RATE: f64 = EARTH_RATE / SPEED_OF_LIGHT;
    // The second pass moves a satellite by less than a millimetre, a third would by nothing.
    let first = turned(state.position, RATE * (state.position - receiver).norm());
    let angle = RATE * (first - receiver).norm();
    let satellite = turned(state.position, angle);
    let offset = satellite - receiver;
    let range_m = offset.norm().max(1.0);
    let unit = offset * (1.0 / range_m);
    // Velocities in the inertial frame that coincides with the earth-fixed one at reception. The satellite's
    // is per second of transmission; the range grows per second of reception.
    let sat_speed = unit.dot(turned(state.velocity + spin(state.position), angle));
    let own_speed = unit.dot(spin(receiver));
    let rate_m_s = (sat_speed - own_speed) / (1.0 + sat_speed / SPEED_OF_LIGHT);
    Line { range_m, unit, satellite, rate_m_s }
}

/// Received over nominal frequency, less 1, of a receiver moving away at `range_rate` with a clock drift (s/s).
pub(crate) fn shift_ratio(range_rate: f64, sat_drift: f64, own_drift: f64) -> f64 {
    (1.0 - range_rate / SPEED_OF_LIGHT) * (1.0 + sat_drift) / (1.0 + own_drift) - 1.0
}

/// Doppler in Hz of a receiver moving away at `range_rate` with a clock drift (s/s).
pub(crate) fn doppler_hz(carrier_hz: f64, range_rate: f64, sat_drift: f64, own_drift: f64) -> f64 {
    carrier_hz * shift_ratio(range_rate, sat_drift, own_drift)
}

/// The ephemeris to use for the signal `code` of `sat` at `t`, or why there is none. A satellite that has meanwhile
/// declared itself unhealthy is not used with an older ephemeris.
pub(crate) fn ephemeris(nav: &NavData, sat: Sat, code: ObsCode, t: GnssTime) -> Result<&Ephemeris, Refusal> {
    nav.ephemeris_for(sat, code, t).ok_or_else(|| {
        let any = nav.ephemerides_of(sat).iter().any(|e| e.valid_at(t));
        if any { Refusal::Unhealthy } else { Refusal::NoEphemeris }
    })
}

/// Carrier of a satellite's signal.
pub(crate) fn carrier_hz(ephemeris: &Ephemeris, code: ObsCode) -> Option<f64> {
    let channel = ephemeris.glonass().map_or(0, |g| g.channel);
    code.carrier_hz(ephemeris.sat().constellation, channel)
}

/// Group delay of the signal `code` in seconds and its standard deviation in metres. Where the ephemeris of a
/// BeiDou satellite gives none, another of its messages may, for their clocks all refer to B3I; else the
/// neighbouring signal's is nearer than nothing.
pub(crate) fn group_delay(nav: &NavData, ephemeris: &Ephemeris, code: ObsCode, t: GnssTime) -> (f64, f64) {
    let sat = ephemeris.sat();
    if let Some(delay) = ephemeris.group_delay_s(code) {
        return (delay, delay_sigma_m(sat, code));
    }
    if sat.constellation == Constellation::Glonass {
        // What is not told is small against the difference between receivers' channels.
        return (0.0, 1.0);
    }
    if sat.constellation != Constellation::Bds {
        return (0.0, UNKNOWN_DELAY_SIGMA_M);
    }
    let find = |code: ObsCode| {
        ephemeris.group_delay_s(code).or_else(|| {
            let mut others = nav.ephemerides_of(sat).iter().filter(|e| e.valid_at(t));
            others.find_map(|e| e.group_delay_s(code))
        })
    };
    if let Some(delay) = find(code) {
        return (delay, 0.0);
    }
    let other = |band, attribute| ObsCode::new(band, attribute).and_then(find);
    let neighbour = match code.band() {
        b'1' => other(b'2', b'I'),
        b'2' => other(b'1', b'P'),
        b'5' => other(b'5', b'P'),
        _ => None,
    };
    match neighbour {
        Some(delay) => (delay, BORROWED_DELAY_SIGMA_M),
        None => (0.0, UNKNOWN_DELAY_SIGMA_M),
    }
}

/// Standard deviation of a group delay that was sent, metres.
fn delay_sigma_m(sat: Sat, code: ObsCode) -> f64 {
    match (sat.constellation, code.band(), code.attribute()) {
        // T_GD is that of the P(Y) codes; LNAV tells nothing of the differences to the others.
        (Constellation::Gps | Constellation::Qzss, b'5', _) => 3.0,
        (Constellation::Gps, _, b'W' | b'P' | b'Y') => 0.1,
        (Constellation::Gps | Constellation::Qzss, ..) => 0.5,
        (Constellation::Galileo, ..) => 0.1,
        (Constellation::Bds, b'6', _) => 0.4,
        (Constellation::Bds, ..) => 0.2,
        _ => 1.0,
    }
}

/// Variance of the orbit and clock that a satellite broadcasts, m².
///
/// Accuracies are sent in coarse steps and as bounds, and each system means something else by them: what is seen of
/// orbit and clock in the line of sight counts, and grows where a satellite says that it is worse than usual.
pub(crate) fn broadcast_variance(ephemeris: &Ephemeris) -> f64 {
    let sat = ephemeris.sat();
    // Usual error and the accuracy sent with it, metres.
    let (seen, sent) = match sat.constellation {
        Constellation::Gps => (0.5, 2.4),
        Constellation::Galileo => (0.3, 3.12),
        // Errors along the orbit of geostationary satellites reach 10 m and do not show in the accuracy sent.
        Constellation::Bds if sat.is_bds_geo() => (3.0, 2.4),
        Constellation::Bds if sat.is_bds2() => (0.8, 2.4),
        Constellation::Bds => (0.6, 2.4),
        Constellation::Glonass => (1.5, 4.0),
        _ => (1.0, 2.8),
    };
    let ura = ephemeris.ura_m().unwrap_or(2.0 * sent);
    (seen * (ura / sent).max(1.0)).powi(2)
}

/// C/N0 as a ratio in Hz, of a usual value where a file lacks it.
pub(crate) fn cn0_ratio(cn0_dbhz: Option<f64>) -> f64 {
    // 10^(x/10)
    (cn0_dbhz.map_or(40.0, |cn0| cn0.clamp(20.0, 60.0)) * std::f64::consts::LN_10 / 10.0).exp()
}

/// Chip rate in Hz of a code and how much steeper its correlation peak is than that of BPSK.
fn chips(constellation: Constellation, code: ObsCode) -> (f64, f64) {
    const RATE: f64 = 1.023e6;
    match (constellation, code.band(), code.attribute()) {
        // BOC(1,1), also the part of composite signals that is received.
        (Constellation::Bds, b'1', b'D' | b'P' | b'X') | (Constellation::Galileo, b'1', _) => (RATE, 3.0),
        (Constellation::Gps | Constellation::Qzss, b'1', b'L' | b'S' | b'X') => (RATE, 3.0),
        (Constellation::Bds, b'1' | b'2', _) => (2.0 * RATE, 1.0),
        (Constellation::Bds, b'7', b'I' | b'Q' | b'X') => (2.0 * RATE, 1.0),
        (Constellation::Bds, ..) | (_, b'5' | b'7' | b'8', _) => (10.0 * RATE, 1.0),
        // The C/N0 of P(Y) is given after the loss of tracking it without knowing it.
        (Constellation::Gps, _, b'W' | b'P' | b'Y') => (10.0 * RATE, 1.0),
        (Constellation::Glonass, _, b'P') => (5.0 * RATE, 1.0),
        (Constellation::Glonass, ..) => (0.5 * RATE, 1.0),
        _ => (RATE, 1.0),
    }
}

/// Variance of a code measurement from thermal noise, m²: a non-coherent early-late discriminator half a
/// chip wide behind a loop of 1 Hz (Kaplan and Hegarty, 3rd edition, equation 8.95). C/N0 as a ratio in Hz.
pub(crate) fn thermal_variance(constellation: Constellation, code: ObsCode, cn0: f64) -> f64 {
    let (chip_rate_hz, slope) = chips(constellation, code);
    (SPEED_OF_LIGHT / (chip_rate_hz * slope)).powi(2) * 0.25 / cn0 * (1.0 + 2.0 / cn0)
}

/// Variance of a range rate from thermal noise of a frequency estimate over some 100 ms, m²/s². C/N0 in Hz.
pub(crate) fn rate_variance(carrier_hz: f64, cn0: f64) -> f64 {
    (SPEED_OF_LIGHT / carrier_hz * 15.0).powi(2) / cn0
}
