//! The two systems of a snapshot.

use megrez_signal::{Constellation, Sat};

/// The two systems at hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Systems {
    /// The system the clock refers to.
    pub first: Constellation,
    /// The system with a bias against it.
    pub second: Option<Constellation>,
    /// Whether there are satellites enough to estimate the bias without prior knowledge.
    pub free: bool,
}

impl Systems {
    /// The system of most satellites comes first; BeiDou, if there are as many of each.
    pub fn of(sats: impl IntoIterator<Item = Sat>) -> Self {
        let mut distinct: Vec<Sat> = sats.into_iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let bds = distinct.iter().filter(|s| s.constellation == Constellation::Bds).count();
        let gps = distinct.len() - bds;
        let (first, second) = if bds >= gps {
            (Constellation::Bds, Constellation::Gps)
        } else {
            (Constellation::Gps, Constellation::Bds)
        };
        let fewer = bds.min(gps);
        Self { first, second: (fewer > 0).then_some(second), free: fewer >= 2 && bds + gps >= 6 }
    }

    /// Whether measurements of `constellation` carry the bias.
    pub fn biased(&self, constellation: Constellation) -> bool {
        constellation != self.first
    }
}
