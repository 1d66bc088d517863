//! A satellite seen from a position: direction, corrections, weight.

use megrez_orbit::{Azel, Ecef, Geodetic, GnssTime, Iono, IonoAt, Klobuchar, Troposphere};
use nalgebra::Matrix3;

use crate::code_bias::code_bias_m;
use crate::geometry::enu_axes;
use crate::groups::Group;
use crate::model::{Line, line_of_sight};
use crate::ranging::{IONO_CARRIER_HZ, Prepared, Ranging, Signal};
use crate::{IonoMode, SolverConfig};

/// Multipath and other errors of a code at the zenith, and what is added with the secant of the zenith angle, m.
const MULTIPATH_M: [f64; 2] = [0.2, 0.1];
/// Standard deviation of the broadcast ionosphere: a share of the delay and a vertical part, metres at L1.
const IONO_SHARE: f64 = 0.4;
const IONO_FLOOR_M: f64 = 0.3;
/// The vertical part for want of broadcast coefficients, metres at L1.
const IONO_UNKNOWN_M: f64 = 2.0;
/// Standard deviation of the zenith delay of the troposphere, metres.
const TROPO_SIGMA_M: f64 = 0.1;

/// What a satellite's measurement says at a position, all but geometry and clocks removed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sight {
    pub azel: Azel,
    /// The combined pseudorange with satellite clock and group delays added and atmosphere and code bias taken
    /// away: geometric range plus receiver clock. Metres.
    pub range_m: f64,
    /// Ionosphere at L1 as modelled, metres of code delay.
    pub iono_m: f64,
    /// Troposphere, metres.
    pub tropo_m: f64,
    pub variance: f64,
    /// Share of the second band, whose delay in the receiver differs, in `range_m`.
    pub second: f64,
    /// Second band less first with all that is modelled taken away, and its variance: the delay of the second band in
    /// the receiver.
    pub difference: Option<(f64, f64)>,
    /// The part of `variance` that stays from epoch to epoch (orbit, atmosphere).
    pub common_variance: f64,
}

/// The air above a position.
pub(crate) struct Air {
    axes: Matrix3<f64>,
    place: Geodetic,
    troposphere: Troposphere,
    time: GnssTime,
}

impl Air {
    pub fn at(position: Ecef, time: GnssTime) -> Self {
        // Above the troposphere or far below the ellipsoid only while an iteration is lost.
        let mut place = position.to_geodetic();
        place.height_m = place.height_m.clamp(-1000.0, 50_000.0);
        Self { axes: enu_axes(position), place, troposphere: Troposphere::new(place, time), time }
    }

    pub fn azel(&self, unit: Ecef) -> Azel {
        let row =
            |i: usize| self.axes[(i, 0)] * unit.x + self.axes[(i, 1)] * unit.y + self.axes[(i, 2)] * unit.z;
        let (e, n, u) = (row(0), row(1), row(2));
        Azel {
            azimuth: e.atan2(n).rem_euclid(std::f64::consts::TAU),
            elevation: u.atan2((e * e + n * n).sqrt()),
        }
    }

    /// An ionosphere model over this place.
    pub fn ionosphere(&self, iono: &Iono) -> Ionosphere {
        // GPS sends its coefficients once in 12.5 minutes, so a receiver may have to do without at first.
        match iono {
            Iono::None => Ionosphere {
                model: Iono::GpsKlobuchar(Klobuchar::TYPICAL).at(self.time),
                floor_m: IONO_UNKNOWN_M,
            },
            broadcast => Ionosphere { model: broadcast.at(self.time), floor_m: IONO_FLOOR_M },
        }
    }

    /// Troposphere in metres; ionosphere in metres at L1 and its standard deviation.
    pub fn delays_m(&self, iono: &Ionosphere, azel: Azel, config: &SolverConfig) -> (f64, f64, f64) {
        // Below 2° mapping functions lose their meaning.
        let elevation = azel.elevation.max(2f64.to_radians());
        let tropo_m = if config.troposphere { self.troposphere.delay_m(elevation) } else { 0.0 };
        if config.ionosphere == IonoMode::Off {
            return (tropo_m, 0.0, 0.0);
        }
        let azel = Azel { elevation, ..azel };
        let iono_m = iono.model.delay_m(self.place, azel, IONO_CARRIER_HZ);
        let slant = secant(elevation).min(3.0);
        (tropo_m, iono_m, (IONO_SHARE * iono_m).hypot(iono.floor_m * slant))
    }
}

/// The ionosphere of an epoch.
pub(crate) struct Ionosphere {
    model: IonoAt,
    /// Standard deviation in the zenith where the model gives no delay, metres at L1.
    floor_m: f64,
}

fn secant(elevation: f64) -> f64 {
    1.0 / elevation.sin().max(0.03)
}

/// Everything that stays the same while a position is refined, for each satellite of `prepared`. The shares of
/// the signals are set on the way, where they depend on the direction.
pub(crate) fn sights(
    prepared: &mut Prepared,
    position: Ecef,
    clock_m: f64,
    config: &SolverConfig,
    sights: &mut Vec<Sight>,
) {
    let time = prepared.reading - clock_m / megrez_signal::SPEED_OF_LIGHT;
    let air = Air::at(position, time);
    sights.clear();
    // The satellites of a group follow each other.
    let mut current: Option<(Group, Ionosphere)> = None;
    for r in &prepared.rangings {
        if current.as_ref().is_none_or(|(group, _)| *group != r.group) {
            current = Some((r.group, air.ionosphere(&prepared.iono[r.group.index()])));
        }
        let Some((_, iono)) = &current else { continue };
        let line = line_of_sight(position, &r.state);
        sights.push(sight(r, &mut prepared.signals, &line, &air, iono, config));
    }
}

fn sight(
    r: &Ranging,
    signals: &mut [Signal],
    line: &Line,
    air: &Air,
    iono: &Ionosphere,
    config: &SolverConfig,
) -> Sight {
    let azel = air.azel(line.unit);
    let (tropo_m, iono_m, iono_sigma_m) = air.delays_m(iono, azel, config);
    let secant = secant(azel.elevation);
    let multipath = (MULTIPATH_M[0] + MULTIPATH_M[1] * secant).powi(2);
    let mut difference = None;
    if let Some([first, second]) = r.pair
        && let (Some(&a), Some(&b)) = (signals.get(first), signals.get(second))
    {
        let corrected = |s: &Signal| {
            s.pseudorange_m + s.clock_m + code_bias_m(r.sat, s.code, azel.elevation) - s.gamma * iono_m
        };
        let variance =
            a.variance + b.variance + 2.0 * multipath + ((b.gamma - a.gamma) * iono_sigma_m).powi(2);
        difference = Some((corrected(&b) - corrected(&a), variance));
        if config.ionosphere == IonoMode::Combined {
            let shares =
                combine([a, b].map(|s| (s.gamma, s.variance + multipath)), iono_sigma_m * iono_sigma_m);
            for (index, share) in [(first, shares[0]), (second, shares[1])] {
                if let Some(s) = signals.get_mut(index) {
                    s.share = share;
                }
            }
        }
    }
    let signals = signals.get(r.signals.0..r.signals.1).unwrap_or(&[]);
    let (mut range_m, mut gamma, mut own, mut second) = (0.0, 0.0, 0.0, 0.0);
    for s in signals.iter().filter(|s| s.share != 0.0) {
        let bias = code_bias_m(r.sat, s.code, azel.elevation);
        range_m += s.share * (s.pseudorange_m + s.clock_m + bias);
        gamma += s.share * s.gamma;
        own += s.share * s.share * (s.variance + multipath);
        second += s.share * f64::from(s.band);
    }
    // What cancels leaves rounding errors.
    let gamma = if gamma.abs() < 1e-9 { 0.0 } else { gamma };
    let tropo_variance = if config.troposphere { (TROPO_SIGMA_M * secant).powi(2) } else { 0.0 };
    let common = r.broadcast_variance + (gamma * iono_sigma_m).powi(2) + tropo_variance;
    Sight {
        azel,
        range_m: range_m - gamma * iono_m - tropo_m,
        iono_m,
        tropo_m,
        variance: own + common,
        // Where all have the same shares, the clock takes up the delay.
        second: if config.ionosphere == IonoMode::IonosphereFree && config.pairs_only { 0.0 } else { second },
        difference: difference.filter(|_| !config.pairs_only),
        common_variance: common,
    }
}

/// Shares in the best linear estimate of the range from two signals (ionospheric delay relative to that at L1,
/// variance) while the delay at L1 is known with a variance.
///
/// With the weights w of the codes and their delays γ, the covariance is diag(1/w) + σ² γ γᵀ; its inverse is that of
/// Sherman and Morrison. The estimate is not correlated with the difference of the signals.
fn combine(signals: [(f64, f64); 2], iono_variance: f64) -> [f64; 2] {
    let sum = |power: i32| signals.iter().map(|&(gamma, v)| gamma.powi(power) / v).sum::<f64>();
    let (s0, s1, s2) = (sum(0), sum(1), sum(2));
    let kappa = iono_variance * s1 / (1.0 + iono_variance * s2);
    signals.map(|(gamma, v)| (1.0 - kappa * gamma) / v / (s0 - kappa * s1))
}
