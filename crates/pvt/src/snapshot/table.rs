//! A satellite's orbit over the minutes of a search, by interpolation: a search evaluates it 100 000 times.

use megrez_orbit::{Ecef, Ephemeris, GnssTime, SatState};
use megrez_signal::SPEED_OF_LIGHT;

use crate::model::{Line, line_of_sight};

/// Distance of the nodes in seconds. Cubic Hermite interpolation of an orbit of 12 h errs by
/// step⁴ ω⁴ r / 384, less than 0.1 mm.
const STEP_S: f64 = 30.0;

/// Positions and velocities at nodes around a reference time.
#[derive(Debug, Clone)]
pub(crate) struct SatTable {
    /// Time of the first node after the reference, seconds.
    first_s: f64,
    nodes: Vec<(Ecef, Ecef)>,
    /// Clock of the signal at the reference, metres, and its drift.
    clock_m: f64,
    clock_drift: f64,
}

impl SatTable {
    /// The orbit within `margin_s` (and a little more) of `reference`; none if the ephemeris gives no numbers.
    pub fn new(ephemeris: &Ephemeris, reference: GnssTime, clock_m: f64, margin_s: f64) -> Option<Self> {
        let half = ((2.0 * margin_s + 60.0) / STEP_S).ceil();
        let first_s = -half * STEP_S;
        let nodes: Vec<(Ecef, Ecef)> = (0..=2 * half as usize)
            .map(|i| {
                let state = ephemeris.state(reference + (first_s + i as f64 * STEP_S));
                (state.position, state.velocity)
            })
            .collect();
        let sound = |&(p, v): &(Ecef, Ecef)| p.norm() > 1e7 && p.norm() < 1e8 && v.norm() < 1e5;
        let clock_drift = ephemeris.state(reference).clock_drift;
        (nodes.iter().all(sound) && clock_m.is_finite() && clock_drift.is_finite()).then_some(Self {
            first_s,
            nodes,
            clock_m,
            clock_drift,
        })
    }

    /// State at `time_s` after the reference; beyond the ends, that of the last interval extended.
    fn state(&self, time_s: f64) -> SatState {
        let s = ((time_s - self.first_s) / STEP_S).clamp(0.0, (self.nodes.len() - 1) as f64 - 1e-9);
        let index = s as usize;
        let u = (time_s - self.first_s) / STEP_S - index as f64;
        let Some(&[(p0, v0), (p1, v1)]) = self.nodes.get(index..index + 2) else {
            return SatState::default();
        };
        let (u2, u3) = (u * u, u * u * u);
        let position = p0 * (2.0 * u3 - 3.0 * u2 + 1.0)
            + v0 * ((u3 - 2.0 * u2 + u) * STEP_S)
            + p1 * (3.0 * u2 - 2.0 * u3)
            + v1 * ((u3 - u2) * STEP_S);
        let velocity = (p0 - p1) * (6.0 * (u2 - u) / STEP_S)
            + v0 * (3.0 * u2 - 4.0 * u + 1.0)
            + v1 * (3.0 * u2 - 2.0 * u);
        SatState {
            position,
            velocity,
            clock_s: self.clock_m / SPEED_OF_LIGHT + self.clock_drift * time_s,
            clock_drift: self.clock_drift,
        }
    }

    /// The line from `receiver` to the satellite for reception at `time_s`, the clock of the signal in metres
    /// and the satellite's state at transmission.
    pub fn line(&self, receiver: Ecef, time_s: f64) -> (Line, f64, SatState) {
        let mut flight_s = 0.08;
        loop {
            let state = self.state(time_s - flight_s);
            let line = line_of_sight(receiver, &state);
            let better = line.range_m / SPEED_OF_LIGHT;
            // A microsecond moves a satellite by 4 mm.
            let done = (better - flight_s).abs() < 1e-6;
            if done || !better.is_finite() {
                return (line, SPEED_OF_LIGHT * state.clock_s, state);
            }
            flight_s = better;
        }
    }
}
