//! Coordinates on the WGS 84 ellipsoid (CGCS2000 differs by less than 0.11 mm in height).

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// Semi-major axis of WGS 84 in m.
const A: f64 = 6_378_137.0;
/// Flattening of WGS 84.
const F: f64 = 1.0 / 298.257_223_563;
/// First eccentricity squared.
const E2: f64 = F * (2.0 - F);

/// Earth-centred, earth-fixed position or velocity in metres (or m/s).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ecef {
    /// Towards latitude 0, longitude 0.
    pub x: f64,
    /// Towards latitude 0, longitude 90° E.
    pub y: f64,
    /// Towards the north pole.
    pub z: f64,
}

/// Geodetic position.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Geodetic {
    /// Latitude in degrees, north positive.
    pub lat_deg: f64,
    /// Longitude in degrees, east positive, -180 to 180.
    pub lon_deg: f64,
    /// Height above the ellipsoid in metres.
    pub height_m: f64,
}

/// A local vector in metres (or m/s).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Enu {
    /// East.
    pub e: f64,
    /// North.
    pub n: f64,
    /// Up.
    pub u: f64,
}

/// Direction from a receiver to a satellite, in radians.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Azel {
    /// Azimuth from north over east, 0 to 2 pi.
    pub azimuth: f64,
    /// Elevation above the horizon, -pi/2 to pi/2.
    pub elevation: f64,
}

impl Ecef {
    /// A vector of three components in m (or m/s).
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self { x, y, z }
    }

    /// Scalar product.
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// Vector product.
    pub fn cross(self, other: Self) -> Self {
        Self {
            x: self.y * other.z - self.z * other.y,
            y: self.z * other.x - self.x * other.z,
            z: self.x * other.y - self.y * other.x,
        }
    }

    /// Length.
    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// Distance to `other`.
    pub fn distance(self, other: Self) -> f64 {
        (self - other).norm()
    }

    /// The vector of length one in this direction; zero stays zero.
    pub fn unit(self) -> Self {
        let norm = self.norm();
        if norm > 0.0 { self / norm } else { self }
    }

    /// Whether all components are finite.
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
    }

    /// This vector turned by `angle` rad about the z axis in the sense of a change of frame: the
    /// coordinates of a fixed point after the axes have turned east by `angle`.
    pub fn rotated_z(self, angle: f64) -> Self {
        let (s, c) = angle.sin_cos();
        Self { x: c * self.x + s * self.y, y: c * self.y - s * self.x, z: self.z }
    }

    /// Geodetic position of this point: Bowring's iteration on the parametric latitude, to rounding
    /// error from 100 km above the geocentre outwards.
    pub fn to_geodetic(self) -> Geodetic {
        let p = self.x.hypot(self.y);
        if p == 0.0 && self.z == 0.0 {
            return Geodetic { lat_deg: 0.0, lon_deg: 0.0, height_m: -A };
        }
        let b = A * (1.0 - F);
        let ep2 = E2 / (1.0 - E2);
        let (mut sb, mut cb) = self.z.atan2((1.0 - F) * p).sin_cos();
        let mut lat = 0.0f64;
        for _ in 0..8 {
            let next = (self.z + ep2 * b * sb.powi(3)).atan2(p - E2 * A * cb.powi(3));
            let done = (next - lat).abs() < 1e-16;
            lat = next;
            (sb, cb) = ((1.0 - F) * lat.sin()).atan2(lat.cos()).sin_cos();
            if done {
                break;
            }
        }
        let (s, c) = lat.sin_cos();
        Geodetic {
            lat_deg: lat.to_degrees(),
            lon_deg: self.y.atan2(self.x).to_degrees(),
            height_m: p * c + self.z * s - A * (1.0 - E2 * s * s).sqrt(),
        }
    }

    /// This vector in the local frame at `origin`. Turns only: for a position, subtract the position of
    /// the origin first, or use [`Ecef::enu_from`].
    pub fn to_enu(self, origin: Geodetic) -> Enu {
        let (sl, cl) = origin.lat().sin_cos();
        let (so, co) = origin.lon().sin_cos();
        Enu {
            e: -so * self.x + co * self.y,
            n: -sl * co * self.x - sl * so * self.y + cl * self.z,
            u: cl * co * self.x + cl * so * self.y + sl * self.z,
        }
    }

    /// The position of this point relative to `origin`, in the local frame there.
    pub fn enu_from(self, origin: Self) -> Enu {
        (self - origin).to_enu(origin.to_geodetic())
    }
}

impl Geodetic {
    /// A geodetic position: degrees, degrees, metres.
    pub const fn new(lat_deg: f64, lon_deg: f64, height_m: f64) -> Self {
        Self { lat_deg, lon_deg, height_m }
    }

    /// Latitude in radians.
    pub fn lat(self) -> f64 {
        self.lat_deg.to_radians()
    }

    /// Longitude in radians.
    pub fn lon(self) -> f64 {
        self.lon_deg.to_radians()
    }

    /// Earth-centred position.
    pub fn to_ecef(self) -> Ecef {
        let (sl, cl) = self.lat().sin_cos();
        let (so, co) = self.lon().sin_cos();
        let n = A / (1.0 - E2 * sl * sl).sqrt();
        Ecef {
            x: (n + self.height_m) * cl * co,
            y: (n + self.height_m) * cl * so,
            z: (n * (1.0 - E2) + self.height_m) * sl,
        }
    }
}

impl Enu {
    /// Length.
    pub fn norm(self) -> f64 {
        (self.e * self.e + self.n * self.n + self.u * self.u).sqrt()
    }

    /// Length of the horizontal part.
    pub fn horizontal(self) -> f64 {
        self.e.hypot(self.n)
    }

    /// This local vector at `origin` in earth-fixed axes (no translation).
    pub fn to_ecef(self, origin: Geodetic) -> Ecef {
        let (sl, cl) = origin.lat().sin_cos();
        let (so, co) = origin.lon().sin_cos();
        Ecef {
            x: -so * self.e - sl * co * self.n + cl * co * self.u,
            y: co * self.e - sl * so * self.n + cl * so * self.u,
            z: cl * self.n + sl * self.u,
        }
    }
}

impl Azel {
    /// Azimuth in degrees, 0 to 360.
    pub fn azimuth_deg(self) -> f64 {
        self.azimuth.to_degrees()
    }

    /// Elevation in degrees.
    pub fn elevation_deg(self) -> f64 {
        self.elevation.to_degrees()
    }
}

/// Azimuth and elevation of `sat` seen from `receiver`, both in the same earth-fixed frame.
pub fn look_angles(receiver: Ecef, sat: Ecef) -> Azel {
    let d = sat.enu_from(receiver);
    Azel { azimuth: d.e.atan2(d.n).rem_euclid(std::f64::consts::TAU), elevation: d.u.atan2(d.horizontal()) }
}

impl Add for Ecef {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self { x: self.x + o.x, y: self.y + o.y, z: self.z + o.z }
    }
}

impl Sub for Ecef {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self { x: self.x - o.x, y: self.y - o.y, z: self.z - o.z }
    }
}

impl AddAssign for Ecef {
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl SubAssign for Ecef {
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o;
    }
}

impl Neg for Ecef {
    type Output = Self;
    fn neg(self) -> Self {
        Self { x: -self.x, y: -self.y, z: -self.z }
    }
}

impl Mul<f64> for Ecef {
    type Output = Self;
    fn mul(self, k: f64) -> Self {
        Self { x: self.x * k, y: self.y * k, z: self.z * k }
    }
}

impl Div<f64> for Ecef {
    type Output = Self;
    fn div(self, k: f64) -> Self {
        self * (1.0 / k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_points() {
        let equator = Geodetic::new(0.0, 0.0, 0.0).to_ecef();
        assert_eq!(equator, Ecef::new(A, 0.0, 0.0));
        let pole = Ecef::new(0.0, 0.0, A * (1.0 - F) + 100.0).to_geodetic();
        assert!((pole.lat_deg - 90.0).abs() < 1e-12 && (pole.height_m - 100.0).abs() < 1e-8);
        // WTZR, geodetic coordinates of its IGS site log: 49 08 39.1 N, 12 52 44.1 E, 666.0 m.
        let wtzr = Ecef::new(4_075_580.311_1, 931_854.054_3, 4_801_568.280_8).to_geodetic();
        assert!((wtzr.lat_deg - (49.0 + 8.0 / 60.0 + 39.1 / 3600.0)).abs() < 3e-5, "{wtzr:?}");
        assert!((wtzr.lon_deg - (12.0 + 52.0 / 60.0 + 44.1 / 3600.0)).abs() < 3e-5, "{wtzr:?}");
        assert!((wtzr.height_m - 666.0).abs() < 0.2, "{wtzr:?}");
    }

    #[test]
    fn look_angles_of_plain_directions() {
        let here = Geodetic::new(40.0, 116.0, 50.0);
        let rx = here.to_ecef();
        for (enu, az, el) in [
            (Enu { e: 0.0, n: 0.0, u: 2e7 }, None, 90.0),
            (Enu { e: 1e7, n: 0.0, u: 0.0 }, Some(90.0), 0.0),
            (Enu { e: -1e7, n: 0.0, u: 1e7 }, Some(270.0), 45.0),
            (Enu { e: 0.0, n: -1e7, u: -1e7 }, Some(180.0), -45.0),
        ] {
            let found = look_angles(rx, rx + enu.to_ecef(here));
            assert!((found.elevation_deg() - el).abs() < 1e-9);
            assert!(az.is_none_or(|az| (found.azimuth_deg() - az).abs() < 1e-9), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn geodetic_round_trips(lat in -90.0..=90.0f64, lon in -180.0..180.0f64, h in -10_000.0..5e7f64) {
            let there = Geodetic::new(lat, lon, h);
            let point = there.to_ecef();
            let back = point.to_geodetic();
            // Degrees in f64 resolve 1e-15 of the radius.
            let tolerance = 3e-15 * point.norm();
            prop_assert!(back.to_ecef().distance(point) < tolerance, "{there:?} {back:?}");
            prop_assert!((back.lat_deg - lat).abs() < 1e-12 && (back.height_m - h).abs() < tolerance);
        }

        #[test]
        fn any_point_is_finite(x in -1e8..1e8f64, y in -1e8..1e8f64, z in -1e8..1e8f64) {
            let g = Ecef::new(x, y, z).to_geodetic();
            prop_assert!(g.lat_deg.abs() <= 90.0 && g.lon_deg.abs() <= 180.0 && g.height_m.is_finite());
        }

        #[test]
        fn enu_round_trips(lat in -90.0..=90.0f64, lon in -180.0..180.0f64,
                           e in -1e6..1e6f64, n in -1e6..1e6f64, u in -1e6..1e6f64) {
            let origin = Geodetic::new(lat, lon, 0.0);
            let back = Enu { e, n, u }.to_ecef(origin).to_enu(origin);
            prop_assert!((back.e - e).abs() + (back.n - n).abs() + (back.u - u).abs() < 1e-8);
        }
    }
}
