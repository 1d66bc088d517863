//! From a satellite to the receiver: light time, clocks, atmosphere.

use megrez_orbit::{Azel, Ecef, Ephemeris, GnssTime, Iono, SatState, look_angles, troposphere_delay_m};
use megrez_signal::{Constellation, SPEED_OF_LIGHT, Sat};

use crate::motion::Motion;
use crate::scene::Atmosphere;

/// The signal received at one instant, without the atmosphere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ray {
    /// Distance in m from the satellite at transmission to the receiver at reception, in one inertial frame.
    pub range_m: f64,
    /// Its rate in m/s.
    pub range_rate: f64,
    /// The satellite at transmission.
    pub sat: SatState,
    /// Direction to the satellite.
    pub azel: Azel,
}

fn earth_rate(sat: Sat) -> f64 {
    match sat.constellation {
        Constellation::Bds => 7.292_115e-5,
        _ => 7.292_115_146_7e-5,
    }
}

impl Ray {
    /// The signal that reaches `receiver` (position, velocity) at `t`, true time.
    pub fn new(eph: &Ephemeris, t: GnssTime, receiver: (Ecef, Ecef)) -> Self {
        let rate = earth_rate(eph.sat());
        let (position, velocity) = receiver;
        let mut travel = 0.075;
        let mut sat = SatState::default();
        let mut line = Ecef::default();
        let mut turned = Ecef::default();
        // Each round gains a factor of 1e5.
        for _ in 0..4 {
            sat = eph.state(t - travel);
            turned = sat.position.rotated_z(rate * travel);
            line = turned - position;
            travel = line.norm() / SPEED_OF_LIGHT;
        }
        let range_m = line.norm();
        let unit = line * (1.0 / range_m);
        let moving = sat.velocity.rotated_z(rate * travel);
        // How the turned position changes with the travel time, by the turn alone.
        let turning = Ecef { x: turned.y * rate, y: -turned.x * rate, z: 0.0 };
        let range_rate = unit.dot(moving - velocity) / (1.0 + unit.dot(moving - turning) / SPEED_OF_LIGHT);
        Self { range_m, range_rate, sat, azel: look_angles(position, turned) }
    }

    /// Travel time without the atmosphere, minus the satellite clock, in s.
    pub fn delay_s(&self) -> f64 {
        self.range_m / SPEED_OF_LIGHT - self.sat.clock_s
    }

    /// Rate of [`Ray::delay_s`].
    pub fn delay_rate(&self) -> f64 {
        let travel_rate = self.range_rate / SPEED_OF_LIGHT;
        travel_rate - self.sat.clock_drift * (1.0 - travel_rate)
    }
}

/// Delay of ionosphere and troposphere of one signal over the scene, in m.
///
/// Models have corners and small steps; the values here are taken once a second and joined smoothly, so that
/// the carrier phase stays smooth.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Air {
    /// Troposphere and ionosphere at -1, 0, 1… s.
    values: Vec<[f64; 2]>,
}

/// What the air adds at an instant, m, and the rates, m/s.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct AirDelay {
    pub troposphere_m: f64,
    pub troposphere_rate: f64,
    pub ionosphere_m: f64,
    pub ionosphere_rate: f64,
}

impl Air {
    pub fn new(
        eph: &Ephemeris,
        iono: Iono,
        carrier_hz: f64,
        motion: &Motion,
        start: GnssTime,
        duration_s: f64,
        config: Atmosphere,
    ) -> Self {
        let count = duration_s.ceil() as i64 + 4;
        let values = (-1..count).map(|k| {
            let seconds = k as f64;
            let t = start + seconds;
            let receiver = motion.at(seconds);
            let azel = Ray::new(eph, t, receiver).azel;
            let place = receiver.0.to_geodetic();
            let troposphere =
                if config.troposphere { troposphere_delay_m(place, azel.elevation, t) } else { 0.0 };
            let ionosphere = if config.ionosphere {
                config.ionosphere_scale * iono.delay_m(t, place, azel, carrier_hz)
            } else {
                0.0
            };
            [troposphere, ionosphere]
        });
        Self { values: values.collect() }
    }

    /// Catmull-Rom interpolation at `t_s` from the start.
    pub fn at(&self, t_s: f64) -> AirDelay {
        let cell = t_s.floor().max(0.0);
        let u = t_s - cell;
        let first = (cell as usize).min(self.values.len().saturating_sub(4));
        let Some(&[a, b, c, d]) = self.values.get(first..first + 4) else { return AirDelay::default() };
        let join = |i: usize| {
            let (a, b, c, d) = (a[i], b[i], c[i], d[i]);
            let (k1, k2, k3) = (c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * (b - c) + d - a);
            (b + 0.5 * u * (k1 + u * (k2 + u * k3)), 0.5 * (k1 + u * (2.0 * k2 + 3.0 * u * k3)))
        };
        let ((troposphere_m, troposphere_rate), (ionosphere_m, ionosphere_rate)) = (join(0), join(1));
        AirDelay { troposphere_m, troposphere_rate, ionosphere_m, ionosphere_rate }
    }
}

impl AirDelay {
    /// Delay of the code in s.
    pub fn code_s(&self) -> f64 {
        (self.troposphere_m + self.ionosphere_m) / SPEED_OF_LIGHT
    }

    /// Delay of the carrier in s: the ionosphere advances it.
    pub fn carrier_s(&self) -> f64 {
        (self.troposphere_m - self.ionosphere_m) / SPEED_OF_LIGHT
    }

    /// Rate of [`AirDelay::carrier_s`].
    pub fn carrier_rate(&self) -> f64 {
        (self.troposphere_rate - self.ionosphere_rate) / SPEED_OF_LIGHT
    }
}
