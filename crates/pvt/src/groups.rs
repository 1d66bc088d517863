//! Satellites that share a clock as a receiver sees it.
//!
//! Each system keeps its own time, and a receiver delays the signals of each a little differently, so the
//! pseudoranges of every system but one carry a bias. BeiDou-2 and BeiDou-3 count as two: their group delays
//! come from two generations of satellites. The bias of BeiDou-2 against BeiDou-3 and that of QZSS against GPS
//! (which keep one time) are known to be small.

use megrez_signal::{Constellation, Sat};

use crate::SolverConfig;
use crate::lsq::{CLOCK, Row, Vector};

/// Number of groups.
pub(crate) const GROUPS: usize = 6;
/// Unknowns of a position: position, clock, of each group a bias and the delay of its second band.
pub(crate) const N: usize = CLOCK + 1 + 2 * GROUPS;

/// Standard deviation of biases between groups that keep one time, metres.
const KIN_SIGMA_M: f64 = 2.0;
/// Likewise of pairs of signals, metres.
const PAIRED_KIN_SIGMA_M: f64 = 10.0;
/// Standard deviation of a receiver's delay of one band against another, metres.
const BAND_SIGMA_M: f64 = 20.0;
/// GLONASS time is kept apart from the others', and receivers delay its carriers differently: times the
/// configured standard deviation.
const GLONASS_FACTOR: f64 = 10.0;

/// Satellites with a common clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Bds3,
    Bds2,
    Gps,
    Galileo,
    Glonass,
    Qzss,
}

impl Group {
    pub const ALL: [Self; GROUPS] =
        [Self::Bds3, Self::Bds2, Self::Gps, Self::Galileo, Self::Glonass, Self::Qzss];

    /// The group of `sat`; none of systems that are not positioned with.
    pub fn of(sat: Sat) -> Option<Self> {
        Some(match sat.constellation {
            Constellation::Bds if sat.is_bds2() => Self::Bds2,
            Constellation::Bds => Self::Bds3,
            Constellation::Gps => Self::Gps,
            Constellation::Galileo => Self::Galileo,
            Constellation::Glonass => Self::Glonass,
            Constellation::Qzss => Self::Qzss,
            _ => return None,
        })
    }

    pub fn constellation(self) -> Constellation {
        match self {
            Self::Bds3 | Self::Bds2 => Constellation::Bds,
            Self::Gps => Constellation::Gps,
            Self::Galileo => Constellation::Galileo,
            Self::Glonass => Constellation::Glonass,
            Self::Qzss => Constellation::Qzss,
        }
    }

    /// The group against which the bias of this one is known to be small.
    fn kin(self) -> Option<Self> {
        match self {
            Self::Bds2 => Some(Self::Bds3),
            Self::Qzss => Some(Self::Gps),
            _ => None,
        }
    }

    /// Place among the groups.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Place of the bias among the unknowns.
    pub fn unknown(self) -> usize {
        CLOCK + 1 + self as usize
    }

    /// Place among the unknowns of the receiver's delay of the second band against the first.
    pub fn band_unknown(self) -> usize {
        CLOCK + 1 + GROUPS + self as usize
    }
}

/// The groups at hand and what is known of their biases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clocks {
    /// The group to which the receiver clock refers.
    pub reference: Group,
    /// Satellites of each.
    counts: [usize; GROUPS],
    /// Groups whose bias only their satellites determine.
    free: [bool; GROUPS],
    /// Groups of which satellites carry the delay of the second band.
    pub two_bands: [bool; GROUPS],
}

impl Clocks {
    /// The clock refers to the system of most satellites: the first in order, if there are as many of another.
    /// `groups` has one entry for each satellite.
    pub fn of(groups: impl IntoIterator<Item = Group>) -> Self {
        let mut counts = [0; GROUPS];
        for group in groups {
            counts[group.index()] += 1;
        }
        let has = |group: Group| counts[group.index()] > 0;
        // A group and those kin to it that are at hand are one system.
        let leader = |group: Group| group.kin().filter(|&kin| has(kin)).unwrap_or(group);
        let mut totals = [0; GROUPS];
        for group in Group::ALL {
            totals[leader(group).index()] += counts[group.index()];
        }
        let systems = totals.iter().filter(|&&n| n > 0).count();
        let satellites: usize = counts.iter().sum();
        let mut reference = Group::Bds3;
        for group in Group::ALL {
            if totals[group.index()] > totals[reference.index()] {
                reference = group;
            }
        }
        let mut free = [false; GROUPS];
        for group in Group::ALL {
            let total = totals[group.index()];
            free[group.index()] = group != reference && total >= 2 && satellites >= 4 + systems;
        }
        Self { reference, counts, free, two_bands: [false; GROUPS] }
    }

    /// As [`Clocks::of`], with the clock of `reference` come what may.
    pub fn against(reference: Group, groups: impl IntoIterator<Item = Group>) -> Self {
        let mut clocks = Self::of(groups);
        if clocks.reference != reference {
            clocks.free[clocks.reference.index()] = true;
            clocks.free[reference.index()] = false;
            clocks.reference = reference;
        }
        clocks
    }

    /// Whether there are satellites of `group`.
    pub fn has(&self, group: Group) -> bool {
        self.counts[group.index()] > 0
    }

    /// Satellites at hand.
    pub fn satellites(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The unknown that measurements of `group` carry beside the clock.
    pub fn bias_of(&self, group: Group) -> Option<usize> {
        (group != self.reference).then(|| group.unknown())
    }

    /// As [`Clocks::bias_of`], if only satellites determine it.
    pub fn free_bias_of(&self, group: Group) -> Option<usize> {
        let leader = group.kin().filter(|&kin| self.has(kin)).unwrap_or(group);
        (self.free[leader.index()]).then(|| leader.unknown())
    }

    /// The groups beside the reference.
    pub fn others(&self) -> impl Iterator<Item = Group> + '_ {
        Group::ALL.into_iter().filter(|&g| g != self.reference && self.has(g))
    }

    /// Number of biases that only satellites determine.
    pub fn free_count(&self) -> usize {
        self.free.iter().filter(|&&f| f).count()
    }

    /// Unknowns in all.
    pub fn unknowns(&self) -> usize {
        4 + self.others().count() + self.two_bands.iter().filter(|&&b| b).count()
    }

    /// What is known beforehand of the biases and of the delays of the second bands, as rows at their estimates.
    pub fn known(
        &self,
        biases: &[f64; GROUPS],
        bands: &[f64; GROUPS],
        config: &SolverConfig,
    ) -> impl Iterator<Item = Row<N>> {
        let (clocks, biases, bands) = (*self, *biases, *bands);
        let (sigma, pairs_only) = (config.inter_system_sigma_m, config.pairs_only);
        let delays = Group::ALL.into_iter().filter(move |g| clocks.two_bands[g.index()]).map(move |group| {
            let mut h = Vector::zeros();
            h[group.band_unknown()] = 1.0;
            Row { h, v: -bands[group.index()], w: 1.0 / (BAND_SIGMA_M * BAND_SIGMA_M) }
        });
        delays.chain(Group::ALL.into_iter().filter_map(move |group| {
            if group == clocks.reference || !clocks.has(group) {
                return None;
            }
            let mut h = Vector::zeros();
            h[group.unknown()] = 1.0;
            let mut v = -biases[group.index()];
            let kin = group.kin().filter(|&kin| clocks.has(kin));
            let sigma = match kin {
                Some(kin) => {
                    if kin != clocks.reference {
                        h[kin.unknown()] = -1.0;
                        v += biases[kin.index()];
                    }
                    // Pairs alone enlarge the difference between the group delays of the two.
                    if pairs_only { PAIRED_KIN_SIGMA_M } else { KIN_SIGMA_M }
                }
                None if clocks.free[group.index()] => return None,
                None if group == Group::Glonass => GLONASS_FACTOR * sigma,
                None => sigma,
            };
            Some(Row { h, v, w: 1.0 / (sigma * sigma).max(1e-6) })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(counts: [usize; GROUPS]) -> Clocks {
        Clocks::of(Group::ALL.into_iter().flat_map(|g| std::iter::repeat_n(g, counts[g.index()])))
    }

    #[test]
    fn most_satellites_keep_the_clock() {
        assert_eq!(clocks([5, 3, 7, 0, 0, 0]).reference, Group::Bds3);
        assert_eq!(clocks([0, 7, 7, 0, 0, 0]).reference, Group::Bds2);
        assert_eq!(clocks([5, 1, 7, 6, 0, 0]).reference, Group::Gps);
        assert_eq!(clocks([0, 0, 0, 0, 0, 4]).reference, Group::Qzss);
        // Two generations of one system have one bias to find out.
        let both = clocks([5, 3, 9, 0, 0, 1]);
        assert_eq!((both.free_count(), both.unknowns()), (1, 7));
        assert_eq!(both.free_bias_of(Group::Bds2), both.free_bias_of(Group::Bds3));
        assert_eq!(both.free_bias_of(Group::Qzss), None);
    }

    #[test]
    fn too_few_satellites_leave_biases_to_what_is_known() {
        let config = SolverConfig::default();
        let rows = |c: Clocks| c.known(&[0.0; GROUPS], &[0.0; GROUPS], &config).count();
        assert_eq!(rows(clocks([4, 0, 1, 0, 0, 0])), 1);
        assert_eq!(rows(clocks([4, 0, 2, 0, 0, 0])), 0);
        assert_eq!(rows(clocks([4, 1, 2, 0, 0, 0])), 1);
        assert_eq!(rows(clocks([3, 0, 2, 0, 0, 0])), 1);
        assert_eq!(rows(clocks([4, 0, 1, 1, 1, 0])), 3);
    }
}
