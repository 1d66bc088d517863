//! GLONASS broadcast ephemerides: position, velocity and lunisolar acceleration, integrated over time.

use megrez_signal::{ObsCode, Sat};

use crate::{Ecef, GnssTime, SatState};

/// A GLONASS ephemeris, in PZ-90 as it turns with the earth (GLONASS ICD L1, L2, edition 5.1, section 4.4).
#[derive(Debug, Clone, PartialEq)]
pub struct GlonassEphemeris {
    /// Satellite; its number is that of the orbital slot.
    pub sat: Sat,
    /// Reference time t_b.
    pub toe: GnssTime,
    /// Time at which the message was sent, if known.
    pub transmit: Option<GnssTime>,
    /// Position at `toe` in m.
    pub position: Ecef,
    /// Velocity at `toe` in m/s.
    pub velocity: Ecef,
    /// Acceleration by sun and moon in m/s², constant over the interval.
    pub acceleration: Ecef,
    /// tau_n in s: GLONASS time minus satellite time at `toe`.
    pub tau_n: f64,
    /// gamma_n: relative deviation of the carrier frequency, relativistic effect included.
    pub gamma_n: f64,
    /// Frequency number, -7 to 6.
    pub channel: i8,
    /// Age of the information E_n in days.
    pub age_days: u8,
    /// Health B_n as given; 0 is healthy.
    pub health: u8,
    /// Delay of L2 against L1 in the satellite in s, if known.
    pub delta_tau: Option<f64>,
    /// Accuracy index F_T, 0 to 15, if known.
    pub accuracy: Option<u8>,
    /// Status flags of RINEX 3.05 and later, if given.
    pub status: Option<u16>,
    /// Health flags of RINEX 3.05 and later, if given.
    pub health_flags: Option<u8>,
}

/// PZ-90.11, GLONASS ICD section 3.3.4: gravitational constant in m³/s², equatorial radius in m, second zonal
/// harmonic, rotation rate in rad/s.
const MU: f64 = 3.986_004_4e14;
const RADIUS_M: f64 = 6_378_136.0;
const J2: f64 = 1_082_625.75e-9;
const RATE: f64 = 7.292_115e-5;
/// Seconds from `toe` for which an ephemeris is used: the half hour between updates.
const VALID_S: f64 = 1800.0;
/// Longest step of the integration in s: its error is below 2 mm after half an hour, 0.6 mm after a quarter.
const STEP_S: f64 = 60.0;
/// One-sigma accuracies of F_T in m (GLONASS ICD table 4.4); the last index says nothing.
const ACCURACIES_M: [f64; 15] =
    [1.0, 2.0, 2.5, 4.0, 5.0, 7.0, 10.0, 12.0, 14.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Position and velocity.
type State = [f64; 6];

impl GlonassEphemeris {
    /// Position, velocity and clock at `t`, the system time of transmission: the simplified equations of motion of
    /// GLONASS ICD section A.3.1.2 by a Runge-Kutta method of fourth order.
    pub fn state(&self, t: GnssTime) -> SatState {
        self.state_by(t, STEP_S)
    }

    fn state_by(&self, t: GnssTime, step_s: f64) -> SatState {
        let dt = t - self.toe;
        // Times beyond any use would take long and end anywhere.
        let whole = dt.clamp(-86_400.0, 86_400.0);
        let steps = (whole.abs() / step_s).ceil();
        let h = whole / steps.max(1.0);
        let mut state = [
            self.position.x,
            self.position.y,
            self.position.z,
            self.velocity.x,
            self.velocity.y,
            self.velocity.z,
        ];
        for _ in 0..steps as usize {
            state = runge_kutta(state, self.acceleration, h);
        }
        let [x, y, z, vx, vy, vz] = state;
        SatState {
            position: Ecef::new(x, y, z),
            velocity: Ecef::new(vx, vy, vz),
            clock_s: -self.tau_n + self.gamma_n * dt,
            clock_drift: self.gamma_n,
        }
    }

    /// Group delay of a signal in s against the clock, which is that of L1: none on L1, [`delta_tau`] on L2.
    ///
    /// [`delta_tau`]: GlonassEphemeris::delta_tau
    pub fn group_delay_s(&self, signal: impl Into<ObsCode>) -> Option<f64> {
        match signal.into().band() {
            b'1' => Some(0.0),
            b'2' => self.delta_tau,
            _ => None,
        }
    }

    /// Whether the satellite says that it is healthy.
    pub fn healthy(&self) -> bool {
        self.health == 0
    }

    /// Seconds from `toe` for which the ephemeris is meant: half an hour.
    pub fn validity_s(&self) -> f64 {
        VALID_S
    }

    /// User range accuracy in m (one sigma), if given.
    pub fn ura_m(&self) -> Option<f64> {
        ACCURACIES_M.get(usize::from(self.accuracy?)).copied()
    }

    /// Whether the numbers can be those of a GLONASS satellite: finite, 20 000 to 32 000 km from the centre of the
    /// earth, slower than 10 km/s, a clock within a second.
    pub fn plausible(&self) -> bool {
        let finite = self.position.is_finite() && self.velocity.is_finite() && self.acceleration.is_finite();
        finite
            && (2e7..3.2e7).contains(&self.position.norm())
            && self.velocity.norm() < 1e4
            && self.acceleration.norm() < 1e-3
            && self.tau_n.abs() < 1.0
            && self.gamma_n.abs() < 1e-6
            && (-7..=13).contains(&self.channel)
    }
}

/// The rates of a state.
fn rates([x, y, z, vx, vy, vz]: State, sun_moon: Ecef) -> State {
    let r2 = x * x + y * y + z * z;
    let r3 = r2 * r2.sqrt();
    let central = MU / r3;
    let flattening = 1.5 * J2 * MU * RADIUS_M * RADIUS_M / (r3 * r2);
    let polar = 5.0 * z * z / r2;
    let across = RATE * RATE - central - flattening * (1.0 - polar);
    let along = -central - flattening * (3.0 - polar);
    [
        vx,
        vy,
        vz,
        across * x + 2.0 * RATE * vy + sun_moon.x,
        across * y - 2.0 * RATE * vx + sun_moon.y,
        along * z + sun_moon.z,
    ]
}

/// `state` plus `h` times `rates`.
fn ahead(state: State, rates: State, h: f64) -> State {
    let mut next = state;
    next.iter_mut().zip(rates).for_each(|(value, rate)| *value += h * rate);
    next
}

fn runge_kutta(state: State, sun_moon: Ecef, h: f64) -> State {
    let k1 = rates(state, sun_moon);
    let k2 = rates(ahead(state, k1, h / 2.0), sun_moon);
    let k3 = rates(ahead(state, k2, h / 2.0), sun_moon);
    let k4 = rates(ahead(state, k3, h), sun_moon);
    let state = ahead(ahead(state, k1, h / 6.0), k2, h / 3.0);
    ahead(ahead(state, k3, h / 3.0), k4, h / 6.0)
}

#[cfg(test)]
mod tests {
    use megrez_signal::Constellation;

    use super::*;

    /// The state of the example of the interface document.
    fn sample() -> GlonassEphemeris {
        GlonassEphemeris {
            sat: Sat { constellation: Constellation::Glonass, prn: 1 },
            toe: GnssTime::from_gpst(2111, 346_500.0),
            transmit: None,
            position: Ecef::new(7_003_008.789, -12_206_626.953, 21_280_765.625),
            velocity: Ecef::new(783.541_7, 2_804.253_0, 1_352.515_0),
            acceleration: Ecef::new(0.0, 1.7e-6, -5.41e-6),
            tau_n: -6.356e-5,
            gamma_n: 1.8e-12,
            channel: 1,
            age_days: 0,
            health: 0,
            delta_tau: Some(1e-9),
            accuracy: Some(2),
            status: None,
            health_flags: None,
        }
    }

    #[test]
    fn the_step_is_fine_enough() {
        let g = sample();
        for dt in [-1800.0, -937.0, -0.5, 0.0, 400.0, 1800.0] {
            let (found, fine) = (g.state(g.toe + dt), g.state_by(g.toe + dt, 5.0));
            let error = found.position.distance(fine.position);
            assert!(error < if dt.abs() > 900.0 { 2e-3 } else { 6e-4 }, "{dt} s: {error} m");
            assert!(found.velocity.distance(fine.velocity) < 1e-6);
        }
    }

    /// GLONASS ICD, general description of CDMA signals, edition 1.0, section J.2. Its result leaves the accelerations
    /// of its own example out.
    #[test]
    fn the_example_of_the_interface_document() {
        let g = GlonassEphemeris { acceleration: Ecef::default(), ..sample() };
        let state = g.state(g.toe + 600.0);
        let position = Ecef::new(7_523_174.853, -10_506_962.176, 21_999_239.866);
        let velocity = Ecef::new(950.126_09, 2_855.687_10, 1_040.681_37);
        // Its velocities are given to 0.1 mm/s, which is 3 cm after ten minutes.
        assert!(state.position.distance(position) < 0.03, "{:?}", state.position - position);
        assert!(state.velocity.distance(velocity) < 1e-4, "{:?}", state.velocity - velocity);
        // A constant acceleration adds its own path; the rest of the motion hardly changes.
        let moved = sample().state(g.toe + 600.0).position - state.position;
        let path = sample().acceleration * (0.5 * 600.0 * 600.0);
        assert!(moved.distance(path) < 0.03, "{moved:?}");
    }

    #[test]
    fn velocities_are_the_derivatives_of_positions_and_time_runs_back() {
        let g = sample();
        for dt in [-870.0, 10.0, 850.0] {
            let at = |h: f64| g.state(g.toe + dt + h);
            let numeric = (at(0.25).position - at(-0.25).position) * 2.0;
            assert!(at(0.0).velocity.distance(numeric) < 2e-5, "{dt}");
            // From the state there back to the start.
            let there = at(0.0);
            let g = GlonassEphemeris {
                toe: g.toe + dt,
                position: there.position,
                velocity: there.velocity,
                ..g.clone()
            };
            let error = g.state(g.toe - dt).position.distance(sample().position);
            assert!(error < 1e-3, "{error}");
        }
        let clock = g.state(g.toe + 100.0).clock_s;
        assert!((clock - 6.356e-5 - 1.8e-10).abs() < 1e-15);
        assert!(g.plausible() && g.healthy() && g.ura_m() == Some(2.5));
    }
}
