//! Where the receiver is at every instant.

mod read;
mod spline;

use megrez_orbit::{Ecef, Enu, Geodetic};

pub use read::{read_track, read_truth_track};
pub use spline::Spline;

use crate::SimError;
use crate::scene::Receiver;

/// A motion, as a function of the seconds of true time since the start of the scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Motion {
    /// At rest.
    Static(Ecef),
    /// A level circle.
    Circle {
        /// Centre.
        center: Geodetic,
        /// Radius in m.
        radius_m: f64,
        /// Angular rate in rad/s, counter-clockwise.
        rate: f64,
    },
    /// Through points.
    Track(Spline),
}

impl Motion {
    /// The motion of a scene; reads the track.
    pub fn of(receiver: &Receiver) -> Result<Self, SimError> {
        Ok(match *receiver {
            Receiver::Static { lat_deg, lon_deg, height_m } => {
                Self::Static(Geodetic { lat_deg, lon_deg, height_m }.to_ecef())
            }
            Receiver::Circle { lat_deg, lon_deg, height_m, radius_m, speed_mps } => Self::Circle {
                center: Geodetic { lat_deg, lon_deg, height_m },
                radius_m,
                rate: speed_mps / radius_m,
            },
            Receiver::Track { ref file } => Self::Track(Spline::new(&read_track(file)?)),
        })
    }

    /// Position in m and velocity in m/s at `t_s`.
    pub fn at(&self, t_s: f64) -> (Ecef, Ecef) {
        match self {
            Self::Static(position) => (*position, Ecef::default()),
            Self::Circle { center, radius_m, rate } => {
                let (s, c) = (rate * t_s).sin_cos();
                let v = radius_m * rate;
                let offset = Enu { e: radius_m * c, n: radius_m * s, u: 0.0 };
                let velocity = Enu { e: -v * s, n: v * c, u: 0.0 };
                (center.to_ecef() + offset.to_ecef(*center), velocity.to_ecef(*center))
            }
            Self::Track(spline) => spline.at(t_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circle_keeps_radius_and_speed() {
        let center = Geodetic { lat_deg: 30.0, lon_deg: 114.0, height_m: 20.0 };
        let motion = Motion::Circle { center, radius_m: 100.0, rate: 0.2 };
        for t in [0.0, 3.7, 31.0] {
            let (p, v) = motion.at(t);
            assert!(((p - center.to_ecef()).norm() - 100.0).abs() < 1e-6);
            assert!((v.norm() - 20.0).abs() < 1e-9);
            let h = 1e-3;
            let numeric = (motion.at(t + h).0 - motion.at(t - h).0) * (0.5 / h);
            assert!((numeric - v).norm() < 1e-5);
        }
    }
}
