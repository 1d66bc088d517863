//! Differences between the two receivers, signal by signal.

use megrez_orbit::{
    Azel, Ecef, GnssTime, NavData, Observation, ObservationEpoch, SatState, troposphere_delay_m,
};
use megrez_signal::{Constellation, ObsCode, SPEED_OF_LIGHT, Sat};

use super::RtkConfig;
use super::atmosphere::IONOSPHERE_WAVELENGTH_M;
use crate::model::EARTH_RATE;

/// Ways of tracking in the order in which they are preferred: pilots, both together, data, then the codes of
/// restricted services, which are tracked with loss.
const ATTRIBUTES: &[u8] = b"QPLXZCISDABEMNKVWYJ";
/// Rate of the ionosphere's delay at the zenith, m/s at `IONOSPHERE_WAVELENGTH_M`: by it a base epoch loses worth.
const IONOSPHERE_RATE_M_S: f64 = 1e-3;
/// Difference of receiver clocks within which two epochs are the same, s.
const SAME_EPOCH_S: f64 = 2e-3;
/// Noise bandwidths of code and carrier loops that C/N0 is weighed with, Hz.
const CODE_BANDWIDTH_HZ: f64 = 0.5;
const PHASE_BANDWIDTH_HZ: f64 = 50.0;
/// Chip length that C/N0 is weighed with, m.
const CHIP_M: f64 = 150.0;

/// What an ambiguity belongs to: a pair of signals of one satellite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub sat: Sat,
    pub rover: ObsCode,
    pub base: ObsCode,
}

impl Link {
    /// The set of links whose receiver delays are the same.
    pub fn group(&self, config: &RtkConfig) -> Group {
        let old = !config.mix_bds_generations && self.sat.is_bds2();
        (self.sat.constellation, self.rover, self.base, old)
    }
}

/// System, codes at rover and base, and whether it is BeiDou-2 where that is kept apart.
pub(crate) type Group = (Constellation, ObsCode, ObsCode, bool);

/// A difference rover less base, reduced by the geometry from a point near the rover.
#[derive(Debug, Clone)]
pub(crate) struct Single {
    pub link: Link,
    pub group: usize,
    pub wavelength_m: f64,
    /// From the rover to the satellite.
    pub unit: Ecef,
    pub azel: Azel,
    /// Code less geometry, m.
    pub code_m: Option<f64>,
    /// Phase less geometry, m.
    pub phase_m: Option<f64>,
    pub code_variance: f64,
    pub phase_variance: f64,
    /// A receiver says that its phase may have slipped since the epoch before.
    pub flagged: bool,
    /// It has slipped, or may have, since the epoch that was processed last.
    pub slip: bool,
    /// A receiver says that its phase may be off by half a cycle.
    pub half_cycle: bool,
    /// Rover Doppler less base Doppler as a range rate less that of the geometry of points at rest, m/s.
    pub rate_m_s: Option<f64>,
}

/// A satellite seen by both receivers.
struct Common<'a> {
    sat: Sat,
    state: SatState,
    rover: &'a [Observation],
    base: &'a [Observation],
    /// The epoch to interpolate the base's measurements with.
    other: &'a [Observation],
}

/// Line of sight with the earth's rotation, to first order: what it leaves is the same at both receivers.
#[derive(Clone, Copy)]
struct Sight {
    range_m: f64,
    unit: Ecef,
    rate_m_s: f64,
}

fn sight(receiver: Ecef, state: &SatState) -> Sight {
    let offset = state.position - receiver;
    let distance = offset.norm().max(1.0);
    let unit = offset / distance;
    let turn = EARTH_RATE / SPEED_OF_LIGHT * (state.position.x * receiver.y - state.position.y * receiver.x);
    Sight { range_m: distance + turn, unit, rate_m_s: unit.dot(state.velocity) }
}

/// A receiver's place with what does not depend on the satellite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub position: Ecef,
    pub east: Ecef,
    pub north: Ecef,
    pub up: Ecef,
    /// Delay of the troposphere at the zenith, m.
    pub zenith_m: f64,
}

impl Site {
    pub fn new(position: Ecef, t: GnssTime) -> Self {
        let mut place = position.to_geodetic();
        let axis = |e, n, u| megrez_orbit::Enu { e, n, u }.to_ecef(place);
        let (east, north, up) = (axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0));
        place.height_m = place.height_m.clamp(-500.0, 20_000.0);
        let zenith_m = troposphere_delay_m(place, std::f64::consts::FRAC_PI_2, t);
        Self { position, east, north, up, zenith_m }
    }

    fn azel(&self, unit: Ecef) -> Azel {
        let azimuth = unit.dot(self.east).atan2(unit.dot(self.north)).rem_euclid(std::f64::consts::TAU);
        Azel { azimuth, elevation: unit.dot(self.up).clamp(-1.0, 1.0).asin() }
    }

    /// Troposphere in the direction `unit`, m.
    fn troposphere_m(&self, unit: Ecef) -> f64 {
        self.zenith_m * troposphere_mapping(unit.dot(self.up))
    }
}

/// How much longer the path through the troposphere is than at the zenith, by the sine of the elevation (RTCA DO-229,
/// appendix A.4.2.4).
pub(crate) fn troposphere_mapping(sine: f64) -> f64 {
    let sine = sine.max(0.03);
    1.001 / (0.002_001 + sine * sine).sqrt()
}

/// Measurements of one satellite: observations are sorted by satellite.
fn of(sat: Sat, observations: &[Observation]) -> &[Observation] {
    let start = observations.partition_point(|o| o.sat < sat);
    let end = start + observations[start..].partition_point(|o| o.sat == sat);
    &observations[start..end]
}

/// Base epochs around a rover epoch.
#[derive(Clone, Copy)]
pub(crate) struct BaseEpochs<'a> {
    pub near: &'a ObservationEpoch,
    /// A second epoch, and the weight of it in an interpolation.
    pub other: Option<(&'a ObservationEpoch, f64)>,
    pub age_s: f64,
}

impl<'a> BaseEpochs<'a> {
    /// The epoch of `base`, which is in order of time, nearest to `t`, with the one on the other side of `t` to
    /// interpolate with.
    pub fn choose(base: &'a [ObservationEpoch], t: GnssTime, max_age_s: f64) -> Option<Self> {
        let later = base.partition_point(|e| e.time - t < 0.0);
        let after = base.get(later);
        let before = later.checked_sub(1).and_then(|i| base.get(i));
        let (near, other) = match (before, after) {
            (Some(b), Some(a)) if t - b.time <= a.time - t => (b, Some(a)),
            (Some(b), Some(a)) => (a, Some(b)),
            (one, two) => (one.or(two)?, None),
        };
        let age_s = t - near.time;
        if age_s.abs() < SAME_EPOCH_S {
            return Some(Self { near, other: None, age_s: 0.0 });
        }
        if let Some(other) = other.filter(|o| (o.time - near.time).abs() <= max_age_s) {
            let weight = age_s / (other.time - near.time);
            return Some(Self { near, other: Some((other, weight)), age_s: 0.0 });
        }
        (age_s.abs() <= max_age_s).then_some(Self { near, other: None, age_s })
    }
}

/// The differences of one epoch, to be reduced from any point near the rover.
pub(crate) struct Singles<'a> {
    commons: Vec<Common<'a>>,
    time: GnssTime,
    base_time: GnssTime,
    interpolation: Option<(GnssTime, f64)>,
    age_s: f64,
    base: Site,
    nav: &'a NavData,
}

impl<'a> Singles<'a> {
    /// Satellites that both receivers see above the mask.
    pub fn new(
        rover: &'a ObservationEpoch,
        base: BaseEpochs<'a>,
        base_position: Ecef,
        nav: &'a NavData,
        config: &RtkConfig,
    ) -> Self {
        let site = Site::new(base_position, rover.time);
        let mut commons: Vec<Common<'a>> = Vec::with_capacity(64);
        let mut rest = rover.observations.as_slice();
        while let Some(first) = rest.first() {
            let sat = first.sat;
            let end = rest.partition_point(|o| o.sat <= sat);
            let (ours, later) = rest.split_at(end);
            rest = later;
            if !config.bands.iter().any(|(constellation, _)| *constellation == sat.constellation) {
                continue;
            }
            let theirs = of(sat, &base.near.observations);
            let other = base.other.map_or(&[][..], |(epoch, _)| of(sat, &epoch.observations));
            if theirs.is_empty() || (base.other.is_some() && other.is_empty()) {
                continue;
            }
            let Some(state) = state(nav, sat, rover.time, ours) else { continue };
            let sine = sight(site.position, &state).unit.dot(site.up);
            if sine >= config.elevation_mask_deg.to_radians().sin() {
                commons.push(Common { sat, state, rover: ours, base: theirs, other });
            }
        }
        Self {
            commons,
            time: rover.time,
            base_time: base.near.time,
            interpolation: base.other.map(|(epoch, weight)| (epoch.time, weight)),
            age_s: base.age_s,
            base: site,
            nav,
        }
    }

    /// Satellites in common.
    pub fn sats(&self) -> usize {
        self.commons.len()
    }

    /// The differences, reduced from `rover`. Signals of a group follow each other in no particular order;
    /// `groups` gets the list of them.
    pub fn reduce(&self, rover: Ecef, config: &RtkConfig, groups: &mut Vec<Group>) -> Vec<Single> {
        let site = Site::new(rover, self.time);
        let mut singles = Vec::with_capacity(2 * self.commons.len());
        groups.clear();
        for common in &self.commons {
            let own = sight(rover, &common.state);
            let own_m = own.range_m + site.troposphere_m(own.unit) - SPEED_OF_LIGHT * common.state.clock_s;
            let Some(near_m) = self.base_model(common.sat, common.base, self.base_time) else { continue };
            let other_m = match self.interpolation {
                Some((time, _)) => self.base_model(common.sat, common.other, time),
                None => Some(0.0),
            };
            let Some(other_m) = other_m else { continue };
            let their = sight(self.base.position, &common.state);
            let azel = self.base.azel(own.unit);
            for (_, band) in config.bands.iter().filter(|(c, _)| *c == common.sat.constellation) {
                let Some((o, b)) = pair(common.rover, common.base, *band, config.min_cn0_dbhz) else {
                    continue;
                };
                let Some(carrier_hz) = carrier_hz(common.sat, o.code, self.nav) else { continue };
                let wavelength_m = SPEED_OF_LIGHT / carrier_hz;
                let link = Link { sat: common.sat, rover: o.code, base: b.code };
                let second = match self.interpolation {
                    Some((_, weight)) => match common.other.iter().find(|s| s.code == b.code) {
                        Some(s) => Some((s, weight)),
                        None => continue,
                    },
                    None => None,
                };
                // The base's measurement less its geometry changes so little that it may be interpolated.
                let mix = |near: Option<f64>, other: Option<f64>, weight: f64| {
                    Some(near? - near_m + weight * (other? - other_m - near? + near_m))
                };
                let at_base = |value: fn(&Observation, f64) -> Option<f64>| match second {
                    Some((s, weight)) => mix(value(b, wavelength_m), value(s, wavelength_m), weight),
                    None => Some(value(b, wavelength_m)? - near_m),
                };
                let code = |o: &Observation, _: f64| plausible(o.pseudorange_m);
                let phase = |o: &Observation, wavelength_m: f64| {
                    Some(plausible(o.carrier_phase_cycles).filter(|p| *p != 0.0)? * wavelength_m)
                };
                let difference = |own: Option<f64>, their: Option<f64>| Some(own? - own_m - their?);
                let code_m = difference(code(o, wavelength_m), at_base(code));
                let phase_m = difference(phase(o, wavelength_m), at_base(phase));
                if code_m.is_none() && phase_m.is_none() {
                    continue;
                }
                let flagged = |flag: fn(&Observation) -> bool| {
                    flag(o) || flag(b) || second.is_some_and(|(s, _)| flag(s))
                };
                let rate = match (o.doppler_hz, b.doppler_hz) {
                    (Some(own_hz), Some(their_hz)) => {
                        Some(-wavelength_m * (own_hz - their_hz) - (own.rate_m_s - their.rate_m_s))
                    }
                    _ => None,
                };
                let (code_variance, phase_variance) =
                    self.variances(common.sat, azel, o, b, wavelength_m, config);
                let group = link.group(config);
                let group = groups.iter().position(|g| *g == group).unwrap_or_else(|| {
                    groups.push(group);
                    groups.len() - 1
                });
                singles.push(Single {
                    link,
                    group,
                    wavelength_m,
                    unit: own.unit,
                    azel,
                    code_m,
                    phase_m,
                    code_variance,
                    phase_variance,
                    flagged: flagged(|o| o.slip),
                    slip: flagged(|o| o.slip),
                    half_cycle: flagged(|o| o.half_cycle),
                    rate_m_s: rate.filter(|r| r.is_finite()),
                });
            }
        }
        singles
    }

    /// What the base should measure of a satellite at the reading `time` of its clock, m, but for its clock.
    fn base_model(&self, sat: Sat, observations: &[Observation], time: GnssTime) -> Option<f64> {
        let state = state(self.nav, sat, time, observations)?;
        let line = sight(self.base.position, &state);
        Some(line.range_m + self.base.troposphere_m(line.unit) - SPEED_OF_LIGHT * state.clock_s)
    }

    /// Variances of code and phase of a difference, m²: what grows towards the horizon, and what the signal's
    /// strength says.
    fn variances(
        &self,
        sat: Sat,
        azel: Azel,
        rover: &Observation,
        base: &Observation,
        wavelength_m: f64,
        config: &RtkConfig,
    ) -> (f64, f64) {
        let secant = 1.0 / azel.elevation.sin().max(0.05);
        let direction = 1.0 + secant * secant;
        let kind = match sat.constellation {
            // Geostationary satellites do not move, nor does the multipath of their codes average out.
            _ if sat.is_bds_geo() => 2.0,
            // Receivers delay each channel differently.
            Constellation::Glonass => 4.0,
            _ => 1.0,
        };
        let noise =
            |o: &Observation| 1.0 / 10f64.powf(0.1 * o.cn0_dbhz.map_or(40.0, |cn0| cn0.clamp(15.0, 60.0)));
        let thermal = noise(rover) + noise(base);
        let radian_m = wavelength_m / std::f64::consts::TAU;
        let dispersion = (wavelength_m / IONOSPHERE_WAVELENGTH_M).powi(2);
        let age = self.age_s * IONOSPHERE_RATE_M_S * secant * dispersion;
        (
            config.code_sigma_m.powi(2) * direction * kind + CHIP_M * CHIP_M * CODE_BANDWIDTH_HZ * thermal,
            config.phase_sigma_m.powi(2) * direction
                + radian_m * radian_m * PHASE_BANDWIDTH_HZ * thermal
                + age * age,
        )
    }
}

fn plausible(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite())
}

/// State of a satellite when it sent what a receiver received at the reading `time` of its clock.
fn state(nav: &NavData, sat: Sat, time: GnssTime, observations: &[Observation]) -> Option<SatState> {
    let range_m = observations.iter().find_map(|o| plausible(o.pseudorange_m).filter(|r| r.abs() < 1e9))?;
    let sent = time - range_m / SPEED_OF_LIGHT;
    let ephemeris = nav.ephemeris(sat, sent)?;
    let first = ephemeris.state(sent);
    // The clock's error moves the satellite by its speed times that: one step of correction.
    let mut state = first;
    state.position = first.position - first.velocity * first.clock_s;
    state.clock_s = first.clock_s * (1.0 - first.clock_drift);
    state.position.is_finite().then_some(state)
}

/// Carrier of a signal; of GLONASS, if an ephemeris tells its channel.
fn carrier_hz(sat: Sat, code: ObsCode, nav: &NavData) -> Option<f64> {
    let channel = match sat.constellation {
        Constellation::Glonass => nav.glonass_channel(sat)?,
        _ => 0,
    };
    code.carrier_hz(sat.constellation, channel)
}

/// The measurements of one band to be compared: the best way of tracking that both receivers have, else the best of
/// each.
fn pair<'a>(
    rover: &'a [Observation],
    base: &'a [Observation],
    band: u8,
    min_cn0_dbhz: f64,
) -> Option<(&'a Observation, &'a Observation)> {
    let usable = |o: &&Observation| {
        o.code.band() == band
            && (o.pseudorange_m.is_some() || o.carrier_phase_cycles.is_some())
            && o.cn0_dbhz.is_none_or(|cn0| cn0 >= min_cn0_dbhz)
    };
    let rank = |o: &Observation| ATTRIBUTES.iter().position(|a| *a == o.code.attribute());
    let ours = rover.iter().filter(usable);
    let same = |o: &&Observation| base.iter().filter(usable).any(|b| b.code == o.code);
    if let Some(o) = ours.clone().filter(same).min_by_key(|o| rank(o)) {
        let b = base.iter().find(|b| b.code == o.code)?;
        return Some((o, b));
    }
    let o = ours.min_by_key(|o| rank(o))?;
    let b = base.iter().filter(usable).min_by_key(|b| rank(b))?;
    Some((o, b))
}
