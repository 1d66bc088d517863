//! Precise orbits and clocks of analysis centres, tabulated and interpolated.

use std::collections::BTreeMap;

use megrez_signal::{SPEED_OF_LIGHT, Sat};

use crate::{Ecef, GnssTime, SatState};

/// Positions and clocks of satellites as products give them: earth-fixed, of the centre of mass, clocks without the
/// periodic relativistic term and for the pair of signals that the centre uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PreciseOrbits {
    positions: BTreeMap<Sat, Vec<(GnssTime, Ecef)>>,
    /// From orbit files, minutes apart.
    coarse_clocks: BTreeMap<Sat, Vec<(GnssTime, f64)>>,
    /// From clock files, seconds apart.
    clocks: BTreeMap<Sat, Vec<(GnssTime, f64)>>,
}

/// Points of the interpolating polynomial of positions.
const POINTS: usize = 11;
/// Positions farther apart than this do not belong to one polynomial, s.
const MAX_SPACING_S: f64 = 1900.0;
/// Clocks farther apart than this are not joined by a line, s.
const MAX_CLOCK_SPACING_S: f64 = 1900.0;
/// Rotation rate of the earth in rad/s.
const RATE: f64 = 7.292_115e-5;

impl PreciseOrbits {
    /// Adds a position in m. One at the same time takes the place of the older one.
    pub fn insert_position(&mut self, sat: Sat, t: GnssTime, position: Ecef) {
        insert(self.positions.entry(sat).or_default(), t, position);
    }

    /// Adds a clock offset in s from an orbit file.
    pub fn insert_coarse_clock(&mut self, sat: Sat, t: GnssTime, clock_s: f64) {
        insert(self.coarse_clocks.entry(sat).or_default(), t, clock_s);
    }

    /// Adds a clock offset in s from a clock file; these come before those of orbit files.
    pub fn insert_clock(&mut self, sat: Sat, t: GnssTime, clock_s: f64) {
        insert(self.clocks.entry(sat).or_default(), t, clock_s);
    }

    /// Adds all that `other` has.
    pub fn merge(&mut self, other: Self) {
        let add = |into: &mut BTreeMap<Sat, Vec<(GnssTime, f64)>>,
                   from: BTreeMap<Sat, Vec<(GnssTime, f64)>>| {
            for (sat, list) in from {
                let into = into.entry(sat).or_default();
                list.into_iter().for_each(|(t, clock)| insert(into, t, clock));
            }
        };
        add(&mut self.coarse_clocks, other.coarse_clocks);
        add(&mut self.clocks, other.clocks);
        for (sat, list) in other.positions {
            list.into_iter().for_each(|(t, position)| self.insert_position(sat, t, position));
        }
    }

    /// Satellites with positions, in order.
    pub fn sats(&self) -> impl Iterator<Item = Sat> + '_ {
        self.positions.keys().copied()
    }

    /// Positions of `sat`, in m, by time.
    pub fn positions(&self, sat: Sat) -> &[(GnssTime, Ecef)] {
        self.positions.get(&sat).map_or(&[], Vec::as_slice)
    }

    /// Clock offsets of `sat` in s, by time: of a clock file if there is one.
    pub fn clocks(&self, sat: Sat) -> &[(GnssTime, f64)] {
        self.clocks.get(&sat).or_else(|| self.coarse_clocks.get(&sat)).map_or(&[], Vec::as_slice)
    }

    /// Position in m and velocity in m/s of the centre of mass at `t`, in the earth-fixed frame of `t`: the
    /// polynomial through the nearest 11 points, turned into a frame that does not rotate. None outside the table, or
    /// if points are missing nearby.
    pub fn position(&self, sat: Sat, t: GnssTime) -> Option<(Ecef, Ecef)> {
        let list = self.positions.get(&sat)?;
        let after = list.partition_point(|&(at, _)| at - t < 0.0);
        let exact = list.get(after).is_some_and(|&(at, _)| at == t);
        if !exact && (after == 0 || after == list.len()) {
            return None;
        }
        let first = after.saturating_sub(POINTS / 2).min(list.len().checked_sub(POINTS)?);
        let window = list.get(first..first + POINTS)?;
        if window.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if *b - *a > MAX_SPACING_S)) {
            return None;
        }
        let mut times = [0.0; POINTS];
        let mut points = [Ecef::default(); POINTS];
        for ((time, point), &(at, position)) in times.iter_mut().zip(&mut points).zip(window) {
            *time = at - t;
            // Where the point is in the frame that stands still as it is at t.
            *point = position.rotated_z(-RATE * *time);
        }
        let (position, inertial) = neville(&times, &points);
        let velocity = inertial - Ecef::new(-position.y, position.x, 0.0) * RATE;
        Some((position, velocity))
    }

    /// Clock offset at `t` in s and its rate in s/s, on the line between the neighbours, without the relativistic
    /// term. None outside the table, or if the neighbours are too far apart.
    pub fn clock(&self, sat: Sat, t: GnssTime) -> Option<(f64, f64)> {
        let list = self.clocks(sat);
        let after = list.partition_point(|&(at, _)| at - t < 0.0);
        let exact = list.get(after).is_some_and(|&(at, _)| at == t);
        let pair = match list.get(after.checked_sub(usize::from(!exact))?..)? {
            [a, b, ..] => (*a, *b),
            [last] if exact => (*list.get(after.checked_sub(1)?)?, *last),
            _ => return None,
        };
        let ((t0, c0), (t1, c1)) = pair;
        let spacing = t1 - t0;
        if !(0.0..=MAX_CLOCK_SPACING_S).contains(&spacing) || spacing == 0.0 {
            return None;
        }
        let rate = (c1 - c0) / spacing;
        Some((c0 + rate * (t - t0), rate))
    }

    /// Position, velocity and clock at `t`, as of a broadcast ephemeris: the clock with the relativistic term. The
    /// position is that of the centre of mass.
    pub fn state(&self, sat: Sat, t: GnssTime) -> Option<SatState> {
        let (position, velocity) = self.position(sat, t)?;
        let (clock_s, clock_drift) = self.clock(sat, t)?;
        let relativity = -2.0 * position.dot(velocity) / (SPEED_OF_LIGHT * SPEED_OF_LIGHT);
        Some(SatState { position, velocity, clock_s: clock_s + relativity, clock_drift })
    }
}

/// Puts a value into a list sorted by time; mostly it is the last.
fn insert<T>(list: &mut Vec<(GnssTime, T)>, t: GnssTime, value: T) {
    if list.last().is_none_or(|&(last, _)| t - last > 0.0) {
        return list.push((t, value));
    }
    let at = list.partition_point(|&(old, _)| old - t < 0.0);
    match list.get_mut(at) {
        Some(old) if old.0 == t => old.1 = value,
        _ => list.insert(at, (t, value)),
    }
}

/// Value and derivative at 0 of the polynomial through `points` at `times`.
fn neville(times: &[f64; POINTS], points: &[Ecef; POINTS]) -> (Ecef, Ecef) {
    let mut values = *points;
    let mut slopes = [Ecef::default(); POINTS];
    for level in 1..POINTS {
        for i in 0..POINTS - level {
            let (ti, tj) = (times[i], times[i + level]);
            let scale = 1.0 / (ti - tj);
            // At time x: ((x - tj) p_i - (x - ti) p_j) / (ti - tj), here with x = 0.
            slopes[i] = (values[i] - values[i + 1] + slopes[i + 1] * ti - slopes[i] * tj) * scale;
            values[i] = (values[i + 1] * ti - values[i] * tj) * scale;
        }
    }
    (values[0], slopes[0])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A circular orbit, of 12 h, tilted, as seen from the turning earth.
    fn circle(t: f64) -> Ecef {
        let (s, c) = (t * 1.46e-4).sin_cos();
        Ecef::new(2.66e7 * c, 2.66e7 * s * 0.57, 2.66e7 * s * 0.82).rotated_z(RATE * t)
    }

    #[test]
    fn a_circle_is_met_between_points() {
        let sat = Sat::gps(1);
        let t0 = GnssTime::from_gpst(2111, 0.0);
        let mut orbits = PreciseOrbits::default();
        for i in (0..20).rev() {
            orbits.insert_position(sat, t0 + f64::from(i) * 900.0, circle(f64::from(i) * 900.0));
            orbits.insert_coarse_clock(sat, t0 + f64::from(i) * 900.0, 1e-4 + f64::from(i) * 1e-9);
        }
        for t in [4_500.0, 5_000.0, 8_111.1, 12_000.0] {
            let (position, velocity) = orbits.position(sat, t0 + t).unwrap();
            assert!(position.distance(circle(t)) < 1e-4, "{t}: {}", position.distance(circle(t)));
            let numeric = (circle(t + 0.5) - circle(t - 0.5)) * 1.0;
            assert!(velocity.distance(numeric) < 1e-5, "{t}: {}", velocity.distance(numeric));
            let (clock, rate) = orbits.clock(sat, t0 + t).unwrap();
            assert!((clock - 1e-4 - t / 900.0 * 1e-9).abs() < 1e-17 && (rate - 1e-9 / 900.0).abs() < 1e-17);
        }
        for t in [-1.0, 17_101.0] {
            assert_eq!(orbits.position(sat, t0 + t), None);
            assert_eq!(orbits.clock(sat, t0 + t), None);
        }
        assert!(orbits.position(sat, t0).is_some() && orbits.state(sat, t0 + 17_100.0).is_some());
        // A gap, and a clock file that is finer.
        orbits.insert_clock(sat, t0 + 30.0, 5.0);
        orbits.insert_clock(sat, t0, 4.0);
        assert_eq!(orbits.clock(sat, t0 + 15.0).unwrap().0, 4.5);
        let mut gappy = PreciseOrbits::default();
        for i in (0..20).filter(|i| !(9..11).contains(i)) {
            gappy.insert_position(sat, t0 + f64::from(i) * 900.0, circle(f64::from(i) * 900.0));
        }
        assert_eq!(gappy.position(sat, t0 + 9_000.0), None);
        assert_eq!(PreciseOrbits::default().position(sat, t0), None);
    }
}
