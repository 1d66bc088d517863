//! What a solver gives.

use megrez_orbit::{Azel, Ecef, Geodetic, GnssTime};
use megrez_signal::{Constellation, ObsCode, Sat};

use crate::code_bias::code_bias_m;
use crate::groups::{Clocks, GROUPS, Group};
use crate::ranging::{Prepared, Ranging};
use crate::sight::Sight;

/// Dilution of precision: what one metre of ranging error becomes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Dop {
    /// Position and time.
    pub g: f64,
    /// Position.
    pub p: f64,
    /// Horizontal.
    pub h: f64,
    /// Vertical.
    pub v: f64,
    /// Time.
    pub t: f64,
}

/// How a solution came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FixMode {
    /// Least squares of one epoch.
    LeastSquares,
    /// Kalman filter.
    Filtered,
    /// Coarse-time positioning.
    Snapshot,
    /// Carrier phases against a base, with integer ambiguities.
    Fixed,
    /// Carrier phases against a base, with real ambiguities.
    Float,
}

/// The part of one measurement in a solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SatUse {
    /// Satellite.
    pub sat: Sat,
    /// Signal, as observation files name it.
    pub code: ObsCode,
    /// Direction seen from the solution.
    pub azel: Azel,
    /// Measured minus computed pseudorange of this signal in metres, with the modelled atmosphere.
    pub residual_m: f64,
    /// Whether the position rests on it.
    pub used: bool,
    /// C/N0 in dB-Hz, if known.
    pub cn0_dbhz: Option<f64>,
}

/// Position, velocity and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// True time of reception: the epoch with the receiver clock bias removed.
    pub time: GnssTime,
    /// Position of the antenna.
    pub position: Ecef,
    /// Velocity in m/s, where Dopplers determine it.
    pub velocity: Option<Ecef>,
    /// Receiver clock reading minus true time in seconds.
    pub clock_bias_s: f64,
    /// Rate of the clock bias in s/s; 0 while unknown.
    pub clock_drift: f64,
    /// Biases of other systems' measurements against the first system's, in metres.
    pub inter_system: Vec<(Constellation, f64)>,
    /// Bias in metres of BeiDou-2 measurements against those of BeiDou-3, where both are used.
    pub bds2_bias_m: Option<f64>,
    /// Covariance of the position in east, north, up, in m².
    pub covariance_enu: [[f64; 3]; 3],
    /// Horizontal protection level in metres: the error exceeds it, while one satellite is faulty and the residual
    /// test (at [`crate::SolverConfig::false_alarm`]) does not notice, with no more than the probability
    /// [`crate::SolverConfig::missed_detection`]. None where a fault of some satellite would not show at all, and
    /// of solutions that are not least squares.
    pub hpl_m: Option<f64>,
    /// Vertical protection level in metres.
    pub vpl_m: Option<f64>,
    /// Dilution of precision of the satellites used.
    pub dop: Dop,
    /// Every measurement, used or not, of a satellite whose position is known and of a code that positions are
    /// made of.
    pub sats: Vec<SatUse>,
    /// How the solution came about.
    pub mode: FixMode,
}

impl Solution {
    /// The position in latitude, longitude and height.
    pub fn geodetic(&self) -> Geodetic {
        self.position.to_geodetic()
    }

    /// Distinct satellites the position rests on.
    pub fn sats_used(&self) -> usize {
        let mut used: Vec<Sat> = self.sats.iter().filter(|s| s.used).map(|s| s.sat).collect();
        used.sort_unstable();
        used.dedup();
        used.len()
    }

    /// Standard deviation of the horizontal position in metres (both axes together).
    pub fn horizontal_sigma_m(&self) -> f64 {
        let [[e, ..], [_, n, _], _] = self.covariance_enu;
        (e + n).max(0.0).sqrt()
    }

    /// Standard deviation of the height in metres.
    pub fn vertical_sigma_m(&self) -> f64 {
        let [_, _, [.., u]] = self.covariance_enu;
        u.max(0.0).sqrt()
    }
}

/// Biases of systems against the one of the clock.
pub(crate) fn inter_system(clocks: &Clocks, biases_m: &[f64; GROUPS]) -> Vec<(Constellation, f64)> {
    let reference = clocks.reference.constellation();
    let mut list: Vec<(Constellation, f64)> = Vec::new();
    for group in clocks.others() {
        let constellation = group.constellation();
        if constellation != reference && list.iter().all(|&(c, _)| c != constellation) {
            list.push((constellation, biases_m.get(group.index()).copied().unwrap_or(0.0)));
        }
    }
    list
}

/// Bias of BeiDou-2 against BeiDou-3.
pub(crate) fn bds2_bias_m(clocks: &Clocks, biases_m: &[f64; GROUPS]) -> Option<f64> {
    let bias = |group: Group| biases_m.get(group.index()).copied();
    let both = clocks.has(Group::Bds2) && clocks.has(Group::Bds3);
    both.then(|| bias(Group::Bds2).zip(bias(Group::Bds3))).flatten().map(|(two, three)| two - three)
}

/// What became of each signal. `computed` tells of a satellite whether it is used, its geometric range plus receiver
/// clock and bias, and the receiver's delay of the second band.
pub(crate) fn uses(
    prepared: &Prepared,
    sights: &[Sight],
    computed: impl Fn(usize, &Ranging) -> (bool, f64, f64),
) -> Vec<SatUse> {
    let mut uses = Vec::with_capacity(prepared.signals.len());
    for (index, (r, sight)) in prepared.rangings.iter().zip(sights).enumerate() {
        let (used, range_m, band_m) = computed(index, r);
        for s in prepared.signals_of(r) {
            let delay_m =
                s.gamma * sight.iono_m + sight.tropo_m - code_bias_m(r.sat, s.code, sight.azel.elevation);
            uses.push(SatUse {
                sat: r.sat,
                code: s.code,
                azel: sight.azel,
                residual_m: s.pseudorange_m + s.clock_m - delay_m - range_m - f64::from(s.band) * band_m,
                used: used && s.share != 0.0,
                cn0_dbhz: s.cn0_dbhz,
            });
        }
    }
    uses
}
