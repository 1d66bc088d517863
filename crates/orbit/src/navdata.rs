//! Everything a set of navigation messages says.

use std::collections::BTreeMap;

use megrez_signal::{Constellation, NavMessage, ObsCode, Sat};

use crate::{
    Almanac, Bdgim, EarthOrientation, Ephemeris, GnssTime, Integrity, Iono, Klobuchar, TimeOffset, UtcParams,
};

/// Ephemerides, atmosphere and time parameters from navigation messages, files or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NavData {
    ephemerides: BTreeMap<Sat, Vec<Ephemeris>>,
    iono_history: Vec<DatedIono>,
    /// GPS ionosphere coefficients, the newest.
    pub gps_iono: Option<Klobuchar>,
    /// BDS eight-parameter ionosphere coefficients (D1, D2), the newest.
    pub bds_iono: Option<Klobuchar>,
    /// BDGIM coefficients (B-CNAV), the newest.
    pub bdgim: Option<Bdgim>,
    /// NeQuick coefficients a_i0, a_i1, a_i2 of Galileo, the newest, in solar flux units, per degree and per degree
    /// squared of modified dip latitude.
    pub galileo_iono: Option<[f64; 3]>,
    /// GPST to UTC.
    pub gps_utc: Option<UtcParams>,
    /// GST to UTC.
    pub galileo_utc: Option<UtcParams>,
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

/// A set of ionosphere coefficients with its origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DatedIono {
    /// When it was sent.
    pub time: GnssTime,
    /// Who sent it, if known.
    pub sat: Option<Sat>,
    /// The coefficients.
    pub iono: Iono,
}

/// First and last place, and one beyond, of the ephemerides with `toe` in a list sorted by it.
fn same_toe(list: &[Ephemeris], toe: GnssTime) -> (usize, usize) {
    let first = list.partition_point(|e| e.toe() - toe < 0.0);
    let last = list.partition_point(|e| e.toe() - toe <= 0.0);
    (first, last)
}

impl NavData {
    /// Adds an ephemeris. Returns false, and adds nothing, if it is implausible or already there (repeated
    /// transmissions count as the same). One that differs from another only in group delays that the other does
    /// not give takes its place: those of B-CNAV2 come later than the rest.
    pub fn insert(&mut self, ephemeris: Ephemeris) -> bool {
        if !ephemeris.plausible() {
            return false;
        }
        let list = self.ephemerides.entry(ephemeris.sat()).or_default();
        let (first, last) = same_toe(list, ephemeris.toe());
        let twins = list.get(first..last).unwrap_or_default();
        if twins.iter().any(|old| old.repeats(&ephemeris)) {
            return false;
        }
        if let Some(old) = twins.iter().position(|old| old.less_than(&ephemeris)) {
            list.remove(first + old);
            list.insert(last - 1, ephemeris);
        } else {
            list.insert(last, ephemeris);
        }
        true
    }

    /// Forgets every ephemeris of `sat`.
    pub fn remove(&mut self, sat: Sat) {
        self.ephemerides.remove(&sat);
    }

    /// The best ephemeris of `sat` for `t`: of the valid ones that with the nearest `toe`, of equal ones the last
    /// sent. None if that one says that the satellite is unhealthy, if none is valid, or if the satellite's integrity
    /// messages call it unhealthy.
    pub fn ephemeris(&self, sat: Sat, t: GnssTime) -> Option<&Ephemeris> {
        self.best(sat, t, Ephemeris::validity_s, |_| 0).filter(|e| e.healthy())
    }

    /// As [`NavData::ephemeris`], but for one signal: an ephemeris that gives the group delay of `signal` comes before
    /// one that does not, whatever its `toe`: B-CNAV1 or B-CNAV2 for B1C and B2a, B-CNAV3 for B2b, D1 or D2 for B1I
    /// and B2I; B3I takes any, as all BDS clocks are its own. Of Galileo, F/NAV is for E5a, I/NAV for every other
    /// signal. The clocks of I/NAV and F/NAV differ: both signals of a pair must use the same ephemeris, that for E5a
    /// with E1 and E5a, that for E1 otherwise.
    ///
    /// None if the satellite's health or integrity flags say that the signal is not to be used: DIF or SIF of that
    /// signal, or a health status HS other than 0, which concerns all. AIF forbids nothing: it says that SISMAI does
    /// not hold.
    pub fn ephemeris_for(&self, sat: Sat, signal: impl Into<ObsCode>, t: GnssTime) -> Option<&Ephemeris> {
        let signal = signal.into();
        if self.integrity.get(&sat).is_some_and(|integrity| !integrity.allows(signal)) {
            return None;
        }
        let rank = |e: &Ephemeris| {
            let wrong = match (e.message(), signal.band()) {
                (NavMessage::Inav, band) => band == b'5',
                (NavMessage::Fnav, band) => band != b'5',
                _ => false,
            };
            u8::from(wrong) + 2 * u8::from(e.group_delay_s(signal).is_none())
        };
        self.best(sat, t, Ephemeris::validity_s, rank).filter(|e| e.healthy_for(signal))
    }

    /// As [`NavData::ephemeris`], but any whose `toe` is within `max_age_s` of `t`, for old files.
    pub fn ephemeris_within(&self, sat: Sat, t: GnssTime, max_age_s: f64) -> Option<&Ephemeris> {
        self.best(sat, t, |_| max_age_s, |_| 0).filter(|e| e.healthy())
    }

    /// The ephemeris of the lowest rank, of these that with the nearest `toe`, of these the last sent. The list is
    /// walked outwards from `t` and left at the first one of rank 0, or when the rest is too old.
    fn best(
        &self,
        sat: Sat,
        t: GnssTime,
        max_age_s: impl Fn(&Ephemeris) -> f64,
        rank: impl Fn(&Ephemeris) -> u8,
    ) -> Option<&Ephemeris> {
        if self.integrity.get(&sat).is_some_and(|integrity| !integrity.healthy()) {
            return None;
        }
        let list = self.ephemerides.get(&sat)?.as_slice();
        let (mut before, mut after) = list.split_at(list.partition_point(|e| e.toe() - t < 0.0));
        let sent = |e: &Ephemeris| e.transmit().unwrap_or_default();
        let mut best: Option<(u8, f64, &Ephemeris)> = None;
        loop {
            let age = |e: Option<&Ephemeris>| e.map_or(f64::INFINITY, |e| (t - e.toe()).abs());
            let (age_before, age_after) = (age(before.last()), age(after.first()));
            let (next, age) = if age_before <= age_after {
                let Some((last, rest)) = before.split_last() else { break };
                before = rest;
                (last, age_before)
            } else {
                let Some((first, rest)) = after.split_first() else { break };
                after = rest;
                (first, age_after)
            };
            // All that follow are as old or older.
            if age > max_age_s(next) || best.is_some_and(|(rank, at, _)| rank == 0 && age > at) {
                break;
            }
            let rank = rank(next);
            let better = best.is_none_or(|(old_rank, old_age, old)| {
                let order = rank.cmp(&old_rank).then(age.total_cmp(&old_age));
                order.then((sent(old) - sent(next)).total_cmp(&0.0)).is_lt()
            });
            if better {
                best = Some((rank, age, next));
            }
        }
        best.map(|(.., ephemeris)| ephemeris)
    }

    /// Frequency number of a GLONASS satellite, from its newest ephemeris.
    pub fn glonass_channel(&self, sat: Sat) -> Option<i8> {
        self.ephemerides_of(sat).iter().rev().find_map(|e| Some(e.glonass()?.channel))
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
        self.insert_dated_iono(DatedIono { time: t, sat: None, iono });
    }

    /// As [`NavData::insert_iono`], with the satellite that sent it.
    pub fn insert_dated_iono(&mut self, dated: DatedIono) {
        let DatedIono { time, iono, .. } = dated;
        if iono == Iono::None {
            return;
        }
        let same = |old: &&DatedIono| old.iono.same_model(&iono);
        if self.iono_history.iter().filter(same).all(|old| time - old.time >= 0.0) {
            self.set_iono(iono);
        }
        if !self.iono_history.iter().any(|old| old.time == time && old.iono == iono) {
            self.iono_history.push(dated);
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
    pub fn iono_history(&self) -> &[DatedIono] {
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
            let dated = self.iono_history.iter().filter(|old| old.iono.same_model(&current));
            // Past sets rank by nearness, all before any future set.
            let rank = |at: GnssTime| (t - at < 0.0, (t - at).abs());
            let best = dated.min_by(|a, b| {
                let ((fa, da), (fb, db)) = (rank(a.time), rank(b.time));
                fa.cmp(&fb).then(da.total_cmp(&db))
            });
            Some(best.map_or(current, |dated| dated.iono))
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
        self.galileo_iono = other.galileo_iono.or(self.galileo_iono);
        for dated in other.iono_history {
            self.insert_dated_iono(dated);
        }
        self.galileo_utc = other.galileo_utc.or(self.galileo_utc);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GroupDelays, Integrity, KeplerEphemeris, SignalFlags};
    use megrez_signal::{NavMessage, SignalId};

    fn ephemeris(message: NavMessage, toe: GnssTime, delays: GroupDelays) -> Ephemeris {
        Ephemeris::from(KeplerEphemeris {
            a: 27.9e6,
            e: 0.001,
            i0: 0.96,
            omega0: 1.0,
            delays,
            iode: 1,
            iodc: 1,
            ..KeplerEphemeris::blank(Sat::bds(30), message, toe, toe)
        })
    }

    #[test]
    fn each_signal_has_the_message_that_tells_its_delay_unless_flags_forbid_it() {
        let (sat, t) = (Sat::bds(30), GnssTime::from_gpst(2408, 280_800.0));
        let none = GroupDelays::default();
        let b1c_b2a = GroupDelays { tgd_b1cp: Some(1e-9), tgd_b2ap: Some(2e-9), ..none };
        let mut nav = NavData::default();
        for (message, age_s, delays) in [
            (NavMessage::D1, 3600.0, GroupDelays { tgd1: Some(1e-9), ..none }),
            (NavMessage::Cnav1, 1800.0, b1c_b2a),
            (NavMessage::Cnav2, 900.0, b1c_b2a),
            (NavMessage::Cnav3, 300.0, GroupDelays { tgd_b2bi: Some(3e-9), ..none }),
        ] {
            assert!(nav.insert(ephemeris(message, t - age_s, delays)));
        }
        let chosen = |nav: &NavData| {
            [SignalId::B1I, SignalId::B1CP, SignalId::B2AP, SignalId::B2BI, SignalId::B3I]
                .map(|signal| nav.ephemeris_for(sat, signal, t).map(Ephemeris::message))
        };
        let (d1, cnav2, cnav3) = (Some(NavMessage::D1), Some(NavMessage::Cnav2), Some(NavMessage::Cnav3));
        // The latest of those that tell the delay; for B3I the latest of all.
        assert_eq!(chosen(&nav), [d1, cnav2, cnav2, cnav3, cnav3]);

        let flags = |dif, sif, aif| Some(SignalFlags { dif, sif, aif });
        let b1c_b2a_b2b = |b1c, b2a, b2b| Integrity { b1c, b2a, b2b, ..Integrity::default() };
        let (off, on) = (None, flags(false, false, true));
        nav.integrity.insert(sat, b1c_b2a_b2b(flags(true, false, false), flags(false, true, false), on));
        assert_eq!(chosen(&nav), [d1, off, off, cnav3, cnav3]);
        nav.integrity.insert(sat, Integrity { health: Some(1), ..Integrity::default() });
        assert_eq!(chosen(&nav), [off; 5]);
    }
}
