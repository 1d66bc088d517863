//! The model of a measurement: where its satellite was, what the path adds, how far to trust it.

use megrez_orbit::{
    Azel, Ecef, Ephemeris, Geodetic, GnssTime, Iono, Klobuchar, NavData, Observation, ObservationEpoch,
    SatState, look_angles, troposphere_delay_m,
};
use megrez_signal::{Constellation, Modulation, ObsCode, SPEED_OF_LIGHT, Sat};

use crate::{Refusal, Refused, SolverConfig};

/// Earth's rotation in rad/s (BDS-SIS-ICD-B1I-3.0 and IS-GPS-200 agree to 2e-12).
pub(crate) const EARTH_RATE: f64 = 7.292_115e-5;
/// Ranges outside these bounds are none: reception up to 100 000 km from a satellite, and a receiver clock
/// within a minute.
const PSEUDORANGE_LIMIT_M: f64 = 60.0 * SPEED_OF_LIGHT;
/// Standard deviation of the group delay where no message gives it, metres.
const UNKNOWN_DELAY_SIGMA_M: f64 = 5.0;
/// Standard deviation of a group delay taken from the neighbouring signal, metres.
const BORROWED_DELAY_SIGMA_M: f64 = 2.0;

/// A measurement with the state of its satellite when the signal left it.
#[derive(Debug, Clone)]
pub(crate) struct Ranging {
    pub sat: Sat,
    pub code: ObsCode,
    pub carrier_hz: f64,
    pub cn0_dbhz: Option<f64>,
    pub pseudorange_m: f64,
    pub doppler_hz: Option<f64>,
    /// Satellite at the time of transmission.
    pub state: SatState,
    /// Clock of the signal (satellite clock less group delay), metres.
    pub clock_m: f64,
    /// Variance of orbit, clock and group delay, m².
    pub broadcast_variance: f64,
    pub iono: Iono,
    /// Signals of the same satellite in the epoch, whose common errors count only once.
    pub siblings: usize,
}

/// Correction and weight that depend on the direction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Path {
    pub azel: Azel,
    /// Ionosphere, metres of code delay.
    pub iono_m: f64,
    /// Troposphere, metres.
    pub tropo_m: f64,
    /// Satellite-induced code bias, metres, to be added to the measurement.
    pub code_bias_m: f64,
    /// Variance of what differs from signal to signal, m².
    pub own_variance: f64,
    /// Variance of what all signals of the satellite share, m².
    pub common_variance: f64,
}

impl Path {
    /// Metres by which the signal arrives later than through the vacuum.
    pub fn delay_m(&self) -> f64 {
        self.iono_m + self.tropo_m - self.code_bias_m
    }
}

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

/// The line of sight from `receiver` to a satellite whose state holds at the time of transmission.
pub(crate) fn line_of_sight(receiver: Ecef, state: &SatState) -> Line {
    let mut angle = EARTH_RATE * (state.position - receiver).norm() / SPEED_OF_LIGHT;
    let mut satellite = state.position.rotated_z(angle);
    for _ in 0..2 {
        angle = EARTH_RATE * (satellite - receiver).norm() / SPEED_OF_LIGHT;
        satellite = state.position.rotated_z(angle);
    }
    let offset = satellite - receiver;
    let range_m = offset.norm().max(1.0);
    let unit = offset * (1.0 / range_m);
    // Velocities in the inertial frame that coincides with the earth-fixed one at reception. The satellite's
    // is per second of transmission; the range grows per second of reception.
    let sat_speed = unit.dot((state.velocity + spin(state.position)).rotated_z(angle));
    let own_speed = unit.dot(spin(receiver));
    let rate_m_s = (sat_speed - own_speed) / (1.0 + sat_speed / SPEED_OF_LIGHT);
    Line { range_m, unit, satellite, rate_m_s }
}

/// Doppler in Hz of a receiver moving away at `range_rate` with a clock drift (s/s).
pub(crate) fn doppler_hz(carrier_hz: f64, range_rate: f64, sat_drift: f64, own_drift: f64) -> f64 {
    let ratio = (1.0 - range_rate / SPEED_OF_LIGHT) * (1.0 + sat_drift) / (1.0 + own_drift);
    carrier_hz * (ratio - 1.0)
}

/// The ephemeris to use for the signal `code` of `sat` at `t`, or why there is none. A satellite that has meanwhile
/// declared itself unhealthy is not used with an older ephemeris.
pub(crate) fn ephemeris(nav: &NavData, sat: Sat, code: ObsCode, t: GnssTime) -> Result<&Ephemeris, Refusal> {
    let newest_unhealthy = nav.ephemerides_of(sat).iter().rev().find(|e| e.valid_at(t) && !e.healthy());
    match (nav.ephemeris_for(sat, code, t), newest_unhealthy) {
        (Some(good), None) => Ok(good),
        (Some(good), Some(bad)) if good.toe() - bad.toe() > 0.0 => Ok(good),
        (_, Some(_)) => Err(Refusal::Unhealthy),
        (None, None) => Err(Refusal::NoEphemeris),
    }
}

/// Group delay of the signal `code` in seconds and its standard deviation in metres. Where the ephemeris gives none,
/// another message of the satellite may; else the neighbouring signal's is nearer than nothing.
fn group_delay(nav: &NavData, ephemeris: &Ephemeris, code: ObsCode, t: GnssTime) -> (f64, f64) {
    let find = |code: ObsCode| {
        ephemeris.group_delay_s(code).or_else(|| {
            let mut others = nav.ephemerides_of(ephemeris.sat()).iter().filter(|e| e.valid_at(t));
            others.find_map(|e| e.group_delay_s(code))
        })
    };
    if let Some(delay) = find(code) {
        return (delay, 0.0);
    }
    let other = |band, attribute| ObsCode::new(band, attribute).and_then(find);
    let neighbour = match (ephemeris.sat().constellation, code.band()) {
        (Constellation::Bds, b'1') => other(b'2', b'I'),
        (Constellation::Bds, b'2') => other(b'1', b'P'),
        (Constellation::Bds, b'5') => other(b'5', b'P'),
        _ => None,
    };
    match neighbour {
        Some(delay) => (delay, BORROWED_DELAY_SIGMA_M),
        None => (0.0, UNKNOWN_DELAY_SIGMA_M),
    }
}

/// Clock of a signal in metres and the variance of what the satellite broadcasts.
pub(crate) fn signal_clock(
    nav: &NavData,
    ephemeris: &Ephemeris,
    code: ObsCode,
    t: GnssTime,
    state: &SatState,
) -> (f64, f64) {
    let (delay_s, delay_sigma_m) = group_delay(nav, ephemeris, code, t);
    // A user range accuracy bounds the error; half of it is nearer to what is seen.
    let ura = (0.5 * ephemeris.ura_m().unwrap_or(4.0)).clamp(0.6, 100.0);
    // Along-track errors of geostationary orbits reach 10 m and do not show in the accuracy sent.
    let geo = if ephemeris.sat().is_bds_geo() { 4.0 } else { 0.0 };
    let variance = ura * ura + geo * geo + delay_sigma_m * delay_sigma_m;
    (SPEED_OF_LIGHT * (state.clock_s - delay_s), variance)
}

/// Splits an epoch into measurements with a satellite state and refused ones.
pub(crate) fn prepare(
    epoch: &ObservationEpoch,
    nav: &NavData,
    config: &SolverConfig,
) -> (Vec<Ranging>, Vec<Refused>) {
    let mut refused = Vec::new();
    let mut rangings: Vec<Ranging> = Vec::with_capacity(epoch.observations.len());
    for o in &epoch.observations {
        match prepare_one(o, epoch.time, nav, config) {
            Ok(ranging) => rangings.push(ranging),
            Err(reason) => refused.push(Refused { sat: o.sat, code: o.code, reason }),
        }
    }
    count_siblings(&mut rangings);
    (rangings, refused)
}

/// Notes for each measurement how many there are of its satellite.
fn count_siblings(rangings: &mut [Ranging]) {
    let sats: Vec<Sat> = rangings.iter().map(|r| r.sat).collect();
    for ranging in rangings {
        ranging.siblings = sats.iter().filter(|&&s| s == ranging.sat).count();
    }
}

fn prepare_one(
    o: &Observation,
    reading: GnssTime,
    nav: &NavData,
    config: &SolverConfig,
) -> Result<Ranging, Refusal> {
    let plausible = |range: &f64| range.is_finite() && range.abs() <= PSEUDORANGE_LIMIT_M;
    let pseudorange_m = o.pseudorange_m.filter(plausible).ok_or(Refusal::Implausible)?;
    let carrier_hz = o.code.carrier_hz(o.sat.constellation, 0).ok_or(Refusal::Implausible)?;
    if let Some(cn0_dbhz) = o.cn0_dbhz.filter(|&cn0| cn0 < config.min_cn0_dbhz) {
        return Err(Refusal::Weak { cn0_dbhz });
    }
    // The satellite clock reading at transmission is what the code says, whatever the receiver clock shows.
    let sent = reading - pseudorange_m / SPEED_OF_LIGHT;
    let ephemeris = ephemeris(nav, o.sat, o.code, sent)?;
    let first = ephemeris.state(sent);
    let transmit = sent - first.clock_s;
    let state = ephemeris.state(transmit);
    if !(state.position.norm().is_finite() && state.clock_s.is_finite()) {
        return Err(Refusal::Implausible);
    }
    let (clock_m, broadcast_variance) = signal_clock(nav, ephemeris, o.code, transmit, &state);
    Ok(Ranging {
        sat: o.sat,
        code: o.code,
        carrier_hz,
        cn0_dbhz: o.cn0_dbhz,
        pseudorange_m,
        doppler_hz: o.doppler_hz.filter(|d| d.is_finite() && d.abs() < 1e6),
        state,
        clock_m,
        broadcast_variance,
        iono: nav.iono_at(o.sat.constellation, o.code, sent),
        siblings: 1,
    })
}

/// C/N0 as a ratio in Hz, of a usual value where a file lacks it.
pub(crate) fn cn0_ratio(cn0_dbhz: Option<f64>) -> f64 {
    10f64.powf(cn0_dbhz.map_or(40.0, |cn0| cn0.clamp(20.0, 60.0)) / 10.0)
}

/// Variance of a code measurement from thermal noise, m²: a non-coherent early-late discriminator half a
/// chip wide behind a loop of 1 Hz (Kaplan and Hegarty, 3rd edition, equation 8.95).
pub(crate) fn thermal_variance(constellation: Constellation, code: ObsCode, cn0_dbhz: Option<f64>) -> f64 {
    let cn0 = cn0_ratio(cn0_dbhz);
    // Codes of a megachip a second stand for signals that are not received here.
    let def = code.signal(constellation).map(|signal| signal.def());
    let chip_m = SPEED_OF_LIGHT / def.map_or(1.023e6, |def| def.chip_rate_hz);
    // The correlation peak of BOC(1,1) is three times as steep.
    let slope = if def.is_none_or(|def| def.modulation == Modulation::Bpsk) { 1.0 } else { 3.0 };
    (chip_m / slope).powi(2) * 0.25 / cn0 * (1.0 + 2.0 / cn0)
}

/// Corrections and weights of a measurement seen from `receiver`.
pub(crate) fn path(
    ranging: &Ranging,
    receiver: Ecef,
    line: &Line,
    t: GnssTime,
    config: &SolverConfig,
) -> Path {
    let azel = look_angles(receiver, line.satellite);
    // Above the troposphere or far below the ellipsoid only while an iteration is lost.
    let mut geodetic = receiver.to_geodetic();
    geodetic.height_m = geodetic.height_m.clamp(-1000.0, 50_000.0);
    path_at(ranging, geodetic, azel, t, config)
}

fn path_at(ranging: &Ranging, receiver: Geodetic, azel: Azel, t: GnssTime, config: &SolverConfig) -> Path {
    // Below 2° mapping functions lose their meaning.
    let elevation = azel.elevation.max(2f64.to_radians());
    let azel_up = Azel { elevation, ..azel };
    let secant = 1.0 / elevation.sin().max(0.03);
    let mut common = ranging.broadcast_variance;
    let mut iono_m = 0.0;
    if config.ionosphere {
        // GPS sends its coefficients once in 12.5 minutes, so a receiver may have to do without at first.
        let (model, unknown_m) = match ranging.iono {
            Iono::None => (Iono::GpsKlobuchar(Klobuchar::TYPICAL), 2.0),
            broadcast => (broadcast, 0.5),
        };
        iono_m = model.delay_m(t, receiver, azel_up, ranging.carrier_hz);
        // Broadcast models remove half to three quarters of the delay.
        common += (0.3 * iono_m).powi(2) + (unknown_m * secant.min(3.0)).powi(2);
    }
    let mut tropo_m = 0.0;
    if config.troposphere {
        tropo_m = troposphere_delay_m(receiver, elevation, t);
        common += (0.1 * secant).powi(2);
    }
    let multipath = 0.3 + 0.3 * secant;
    Path {
        azel,
        iono_m,
        tropo_m,
        code_bias_m: code_bias_m(ranging.sat, ranging.code, azel.elevation),
        own_variance: thermal_variance(ranging.sat.constellation, ranging.code, ranging.cn0_dbhz)
            + multipath * multipath,
        common_variance: common,
    }
}

/// Elevation-dependent code bias of BDS-2 satellites in metres, to be added to a pseudorange (Wanninger and
/// Beer 2015, GPS Solutions 19:639): nodes every 10° from 0 to 90°.
fn code_bias_m(sat: Sat, code: ObsCode, elevation: f64) -> f64 {
    const IGSO_B1: [f64; 10] = [-0.55, -0.40, -0.34, -0.23, -0.15, -0.04, 0.09, 0.19, 0.27, 0.35];
    const IGSO_B2: [f64; 10] = [-0.71, -0.36, -0.33, -0.19, -0.14, -0.03, 0.08, 0.17, 0.24, 0.33];
    const IGSO_B3: [f64; 10] = [-0.27, -0.23, -0.21, -0.15, -0.11, -0.04, 0.05, 0.14, 0.19, 0.32];
    const MEO_B1: [f64; 10] = [-0.47, -0.38, -0.32, -0.23, -0.11, 0.06, 0.34, 0.69, 0.97, 1.05];
    const MEO_B2: [f64; 10] = [-0.40, -0.31, -0.26, -0.18, -0.06, 0.09, 0.28, 0.48, 0.64, 0.69];
    const MEO_B3: [f64; 10] = [-0.22, -0.15, -0.13, -0.10, -0.04, 0.05, 0.14, 0.27, 0.36, 0.47];
    if !sat.is_bds2() || sat.is_bds_geo() {
        return 0.0;
    }
    let table = match (code.band(), matches!(sat.prn, 11 | 12 | 14)) {
        (b'2', true) => &MEO_B1,
        (b'7', true) => &MEO_B2,
        (b'6', true) => &MEO_B3,
        (b'2', false) => &IGSO_B1,
        (b'7', false) => &IGSO_B2,
        (b'6', false) => &IGSO_B3,
        _ => return 0.0,
    };
    let node = (elevation.to_degrees() / 10.0).clamp(0.0, 8.999);
    let index = node as usize;
    match table.get(index..index + 2) {
        Some(&[low, high]) => low + (high - low) * (node - index as f64),
        _ => 0.0,
    }
}
