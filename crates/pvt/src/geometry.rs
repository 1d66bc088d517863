//! Directions: local axes, dilution of precision, covariances.

use megrez_orbit::Ecef;
use nalgebra::{Matrix3, Vector3};

use crate::Dop;
use crate::lsq::{CLOCK, Normal, Row, Vector};

/// The rotation from earth-fixed axes to east, north and up at `position`.
pub(crate) fn enu_axes(position: Ecef) -> Matrix3<f64> {
    let geodetic = position.to_geodetic();
    let (sin_lat, cos_lat) = geodetic.lat().sin_cos();
    let (sin_lon, cos_lon) = geodetic.lon().sin_cos();
    Matrix3::new(
        -sin_lon,
        cos_lon,
        0.0,
        -sin_lat * cos_lon,
        -sin_lat * sin_lon,
        cos_lat,
        cos_lat * cos_lon,
        cos_lat * sin_lon,
        sin_lat,
    )
}

/// Covariance in east, north, up of a position covariance in earth-fixed axes.
pub(crate) fn covariance_enu(position: Ecef, covariance: Matrix3<f64>) -> [[f64; 3]; 3] {
    let axes = enu_axes(position);
    let c = axes * covariance * axes.transpose();
    [[c[(0, 0)], c[(0, 1)], c[(0, 2)]], [c[(1, 0)], c[(1, 1)], c[(1, 2)]], [c[(2, 0)], c[(2, 1)], c[(2, 2)]]]
}

/// Dilution of precision of the satellites in the directions `units`, each with the index of its bias among the
/// unknowns, if it has one.
pub(crate) fn dop<const N: usize>(
    position: Ecef,
    units: impl IntoIterator<Item = (Ecef, Option<usize>)>,
) -> Option<Dop> {
    let mut normal = Normal::<N>::new();
    for (unit, bias) in units {
        let mut h = direction(unit);
        if let Some(bias) = bias {
            h[bias] = 1.0;
        }
        normal.add(&Row { h, v: 0.0, w: 1.0 }, 1.0);
    }
    let (_, q) = normal.solve()?;
    let c = covariance_enu(position, q.fixed_view::<3, 3>(0, 0).into_owned());
    let (h2, v2, t2) = (c[0][0] + c[1][1], c[2][2], q[(CLOCK, CLOCK)]);
    Some(Dop { g: (h2 + v2 + t2).sqrt(), p: (h2 + v2).sqrt(), h: h2.sqrt(), v: v2.sqrt(), t: t2.sqrt() })
}

/// Coefficients of a pseudorange along `unit`.
pub(crate) fn direction<const N: usize>(unit: Ecef) -> Vector<N> {
    let mut h = Vector::zeros();
    h[0] = -unit.x;
    h[1] = -unit.y;
    h[2] = -unit.z;
    h[CLOCK] = 1.0;
    h
}

/// The row of a known height.
pub(crate) fn height_row<const N: usize>(position: Ecef, height_m: f64, sigma_m: f64) -> Row<N> {
    let up = enu_axes(position).row(2).transpose();
    let mut h = Vector::zeros();
    h[0] = up.x;
    h[1] = up.y;
    h[2] = up.z;
    Row { h, v: height_m - position.to_geodetic().height_m, w: 1.0 / (sigma_m * sigma_m).max(1e-6) }
}

/// A vector as nalgebra has it.
pub(crate) fn vector(p: Ecef) -> Vector3<f64> {
    Vector3::new(p.x, p.y, p.z)
}
