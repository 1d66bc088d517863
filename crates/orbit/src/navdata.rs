//! Everything a set of navigation messages says.

use std::collections::BTreeMap;

use megrez_signal::{Constellation, ObsCode, Sat};

use crate::{
    Almanac, Bdgim, EarthOrientation, Ephemeris, GnssTime, Integrity, Iono, Klobuchar, TimeOffset, UtcParams,
};

/// Ephemerides, atmosphere and time parameters from navigation messages, files or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NavData {
    ephemerides: BTreeMap<Sat, Vec<Ephemeris>>,
    iono_history: Vec<(GnssTime, Iono)>,
    /// GPS ionosphere coefficients, the newest.
    pub gps_iono: Option<Klobuchar>,
    /// BDS eight-parameter ionosphere coefficients (D1, D2), the newest.
    pub bds_iono: Option<Klobuchar>,
    /// BDGIM coefficients (B-CNAV), the newest.
    pub bdgim: Option<Bdgim>,
    /// GPST to UTC.
    pub gps_utc: Option<UtcParams>,
    /// BDT to UTC.
    pub bds_utc: Option<UtcParams>,
    /// GPST - UTC in s as a file header states it.
    pub leap_s: Option<i64>,
    /// Offsets between the systems' time scales.
    pub offsets: Vec<TimeOffset>,
    /// Almanacs, the newest of each satellite.
    pub almanacs: BTreeMap<Sat, Almanac>,
    /// What BDS-3 satellites say of their health, integrity and accuracy (B-CNAV), the newest.
    pub integrity: BTreeMap<Sat, Integrity>,
    /// Earth orientation (B-CNAV), the newest.
    pub earth_orientation: Option<EarthOrientation>,
}

impl NavData {
    /// Adds an ephemeris. Returns false, and adds nothing, if it is implausible or already there (repeated
    /// transmissions count as the same). One that differs from another only in group delays that the other does
    /// not give takes its place: those of B-CNAV2 come later than the rest.
    pub fn insert(&mut self, ephemeris: Ephemeris) -> bool {
        if !ephemeris.kepler().plausible() {
            return false;
        }
        let list = self.ephemerides.entry(ephemeris.sat()).or_default();
        let same = |old: &Ephemeris| {
            let mut old = old.kepler().clone();
            old.transmit = ephemeris.transmit();
            old == *ephemeris.kepler()
        };
        if list.iter().any(same) {
            return false;
        }
        let less = |old: &Ephemeris| {
            let (mut old, new) = (old.kepler().clone(), ephemeris.kepler());
            let within = old.delays.within(&new.delays);
            (old.transmit, old.delays) = (new.transmit, new.delays);
            within && old == *new
        };
        list.retain(|old| !less(old));
        list.push(ephemeris);
        list.sort_by(|a, b| (a.toe() - b.toe()).total_cmp(&0.0));
        true
    }

    /// Forgets every ephemeris of `sat`.
    pub fn remove(&mut self, sat: Sat) {
        self.ephemerides.remove(&sat);
    }

    /// The best ephemeris of `sat` for `t`: healthy and valid, of these the one with the nearest `toe`, of
    /// equal ones the last sent. None if none is valid, or if the satellite's latest word is that it is unhealthy.
    pub fn ephemeris(&self, sat: Sat, t: GnssTime) -> Option<&Ephemeris> {
        self.best(sat, t, |e| e.valid_at(t), |_| true)
    }

    /// As [`NavData::ephemeris`], but an ephemeris that gives the group delay of `signal` comes before one
    /// that does not (a B-CNAV1 ephemeris for B1C, a D1 one for B1I). None if the satellite's integrity flags say
    /// that the signal is not to be used.
    pub fn ephemeris_for(&self, sat: Sat, signal: impl Into<ObsCode>, t: GnssTime) -> Option<&Ephemeris> {
        let signal = signal.into();
        if self.integrity.get(&sat).is_some_and(|integrity| !integrity.allows(signal)) {
            return None;
        }
        self.best(sat, t, |e| e.valid_at(t), |e| e.group_delay_s(signal).is_some())
    }

    /// As [`NavData::ephemeris`], but any whose `toe` is within `max_age_s` of `t`, for old files.
    pub fn ephemeris_within(&self, sat: Sat, t: GnssTime, max_age_s: f64) -> Option<&Ephemeris> {
        self.best(sat, t, |e| (t - e.toe()).abs() <= max_age_s, |_| true)
    }

    fn best(
        &self,
        sat: Sat,
        t: GnssTime,
        usable: impl Fn(&Ephemeris) -> bool,
        preferred: impl Fn(&Ephemeris) -> bool,
    ) -> Option<&Ephemeris> {
        let transmit = |e: &Ephemeris| e.transmit().unwrap_or_default();
        if self.integrity.get(&sat).is_some_and(|integrity| !integrity.healthy()) {
            return None;
        }
        self.ephemerides.get(&sat)?.iter().filter(|e| e.healthy() && usable(e)).min_by(|a, b| {
            preferred(b)
                .cmp(&preferred(a))
                .then((a.toe() - t).abs().total_cmp(&(b.toe() - t).abs()))
                .then((transmit(b) - transmit(a)).total_cmp(&0.0))
        })
    }

    /// Every ephemeris, by satellite, then `toe`.
    pub fn ephemerides(&self) -> impl Iterator<Item = &Ephemeris> {
        self.ephemerides.values().flatten()
    }

    /// Every ephemeris of `sat`, by `toe`.
    pub fn ephemerides_of(&self, sat: Sat) -> &[Ephemeris] {
        self.ephemerides.get(&sat).map_or(&[], Vec::as_slice)
    }

    /// Satellites with an ephemeris, in order.
    pub fn sats(&self) -> impl Iterator<Item = Sat> + '_ {
        self.ephemerides.keys().copied()
    }

    /// Whether there is no ephemeris.
    pub fn is_empty(&self) -> bool {
        self.ephemerides.is_empty()
    }

    /// Adds a set of ionosphere coefficients that was sent at `t` and makes it the current one of its model
    /// unless a later one is known.
    pub fn insert_iono(&mut self, t: GnssTime, iono: Iono) {
        if iono == Iono::None {
            return;
        }
        if self.iono_history.iter().filter(|(_, i)| i.same_model(&iono)).all(|&(at, _)| t - at >= 0.0) {
            self.set_iono(iono);
        }
        if !self.iono_history.contains(&(t, iono)) {
            self.iono_history.push((t, iono));
        }
    }

    /// Makes a set of ionosphere coefficients of unknown date the current one of its model.
    pub fn set_iono(&mut self, iono: Iono) {
        match iono {
            Iono::None => {}
            Iono::GpsKlobuchar(k) => self.gps_iono = Some(k),
            Iono::BdsKlobuchar(k) => self.bds_iono = Some(k),
            Iono::Bdgim(b) => self.bdgim = Some(b),
        }
    }

    /// Dated sets of ionosphere coefficients, in the order they were added.
    pub fn iono_history(&self) -> &[(GnssTime, Iono)] {
        &self.iono_history
    }

    /// The current ionosphere model for a signal of `constellation`: the one its own message carries, else another
    /// there is.
    pub fn iono_for(&self, constellation: Constellation, signal: impl Into<ObsCode>) -> Iono {
        let gps = self.gps_iono.map(Iono::GpsKlobuchar);
        let bds = self.bds_iono.map(Iono::BdsKlobuchar);
        let bdgim = self.bdgim.map(Iono::Bdgim);
        choose(constellation, signal.into(), gps, bds, bdgim)
    }

    /// As [`NavData::iono_for`], with the coefficients sent last before `t` (else first after) where a file
    /// holds several sets.
    pub fn iono_at(&self, constellation: Constellation, signal: impl Into<ObsCode>, t: GnssTime) -> Iono {
        let pick = |current: Option<Iono>| {
            let current = current?;
            let dated = self.iono_history.iter().filter(|(_, i)| i.same_model(&current));
            // Past sets rank by nearness, all before any future set.
            let rank = |at: GnssTime| (t - at < 0.0, (t - at).abs());
            let best = dated.min_by(|(a, _), (b, _)| {
                let ((fa, da), (fb, db)) = (rank(*a), rank(*b));
                fa.cmp(&fb).then(da.total_cmp(&db))
            });
            Some(best.map_or(current, |&(_, iono)| iono))
        };
        choose(
            constellation,
            signal.into(),
            pick(self.gps_iono.map(Iono::GpsKlobuchar)),
            pick(self.bds_iono.map(Iono::BdsKlobuchar)),
            pick(self.bdgim.map(Iono::Bdgim)),
        )
    }

    /// Adds everything of `other`; its undated values replace ours where both have one.
    pub fn merge(&mut self, other: NavData) {
        for ephemeris in other.ephemerides.into_values().flatten() {
            self.insert(ephemeris);
        }
        self.gps_iono = other.gps_iono.or(self.gps_iono);
        self.bds_iono = other.bds_iono.or(self.bds_iono);
        self.bdgim = other.bdgim.or(self.bdgim);
        for (t, iono) in other.iono_history {
            self.insert_iono(t, iono);
        }
        self.gps_utc = other.gps_utc.or(self.gps_utc);
        self.bds_utc = other.bds_utc.or(self.bds_utc);
        self.leap_s = other.leap_s.or(self.leap_s);
        for offset in other.offsets {
            if !self.offsets.contains(&offset) {
                self.offsets.push(offset);
            }
        }
        for (sat, newer) in other.integrity {
            let old = self.integrity.get(&sat).copied().unwrap_or_default();
            self.integrity.insert(sat, old.updated(newer));
        }
        self.earth_orientation = other.earth_orientation.or(self.earth_orientation);
        for (sat, almanac) in other.almanacs {
            if self.almanacs.get(&sat).is_none_or(|old| almanac.toa - old.toa >= 0.0) {
                self.almanacs.insert(sat, almanac);
            }
        }
    }
}

/// Which of the known models suits a signal best.
fn choose(
    constellation: Constellation,
    code: ObsCode,
    gps: Option<Iono>,
    bds: Option<Iono>,
    bdgim: Option<Iono>,
) -> Iono {
    let order = match (constellation, code.band(), code.attribute()) {
        (Constellation::Bds, b'1', b'D' | b'P' | b'X')
        | (Constellation::Bds, b'5', _)
        | (Constellation::Bds, b'7', b'D' | b'P' | b'Z') => [bdgim, bds, gps],
        (Constellation::Bds, ..) => [bds, bdgim, gps],
        _ => [gps, bdgim, bds],
    };
    order.into_iter().flatten().next().unwrap_or(Iono::None)
}
