//! What the positions of a file came to.

use megrez::orbit::{Ecef, Enu, GnssTime};
use megrez::prelude::*;
use megrez::pvt::FixMode;
use serde::Serialize;

use crate::truth::{Truth, error_enu};

/// One solved epoch, as statistics and pictures need it.
pub struct Point {
    pub time: GnssTime,
    pub position: Ecef,
    /// Velocity east, north, up in m/s.
    pub velocity: Option<Enu>,
    /// Error against the truth.
    pub error: Option<Enu>,
    pub sats: usize,
    /// Whether its ambiguities are integers.
    pub fixed: bool,
    pub hdop: f64,
    pub pdop: f64,
}

impl Point {
    pub fn of(solution: &Solution, truth: Option<&Truth>) -> Self {
        let error = truth.and_then(|t| t.at(solution.time)).map(|at| error_enu(solution.position, at));
        let place = solution.geodetic();
        Self {
            time: solution.time,
            position: solution.position,
            velocity: solution.velocity.map(|v| v.to_enu(place)),
            error,
            sats: solution.sats_used(),
            fixed: solution.mode == FixMode::Fixed,
            hdop: solution.dop.h,
            pdop: solution.dop.p,
        }
    }
}

/// Errors in metres, 95 of 100 of which are not larger, and their root mean squares.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Errors {
    pub mean_enu_m: [f64; 3],
    pub h50_m: f64,
    pub h95_m: f64,
    pub v95_m: f64,
    pub rms_horizontal_m: f64,
    pub rms_vertical_m: f64,
    pub rms_3d_m: f64,
    pub max_3d_m: f64,
}

/// What a file came to.
#[derive(Debug, Clone, Serialize)]
pub struct Statistics {
    pub file: String,
    /// Epochs with observations.
    pub epochs: usize,
    /// Positions among them.
    pub solved: usize,
    /// Positions with integer ambiguities, of positions against a base.
    pub fixed: Option<usize>,
    /// Mean position: latitude and longitude in degrees, height in metres.
    pub mean: Option<[f64; 3]>,
    /// Standard deviation of the positions east, north, up.
    pub spread_enu_m: Option<[f64; 3]>,
    /// Mean of the satellites used.
    pub sats_used: f64,
    /// Against the truth, where one is given.
    pub errors: Option<Errors>,
    /// Horizontal speed that 95 of 100 velocities do not exceed, m/s; of use for an antenna at rest.
    pub speed95_m_s: Option<f64>,
}

impl Statistics {
    pub fn of(file: &str, epochs: usize, points: &[Point]) -> Self {
        let errors: Vec<Enu> = points.iter().filter_map(|p| p.error).collect();
        let speeds: Vec<f64> = points.iter().filter_map(|p| p.velocity.map(|v| v.e.hypot(v.n))).collect();
        let mean = mean_position(points);
        let spread_enu_m = mean.map(|mean| {
            let local = points.iter().map(|p| p.position.enu_from(mean));
            root_mean(points.len(), local.map(|d| [d.e * d.e, d.n * d.n, d.u * d.u]))
        });
        Self {
            file: file.to_string(),
            epochs,
            solved: points.len(),
            fixed: None,
            mean: mean.map(|mean| {
                let at = mean.to_geodetic();
                [at.lat_deg, at.lon_deg, at.height_m]
            }),
            spread_enu_m,
            sats_used: points.iter().map(|p| p.sats).sum::<usize>() as f64 / points.len().max(1) as f64,
            errors: (!errors.is_empty()).then(|| Errors::of(&errors)),
            speed95_m_s: (!speeds.is_empty()).then(|| percentile(speeds, 0.95)),
        }
    }
}

impl Errors {
    fn of(errors: &[Enu]) -> Self {
        let n = errors.len();
        let [e2, n2, u2] = root_mean(n, errors.iter().map(|d| [d.e * d.e, d.n * d.n, d.u * d.u]));
        let sum = errors.iter().fold([0.0; 3], |s, d| [s[0] + d.e, s[1] + d.n, s[2] + d.u]);
        let horizontal: Vec<f64> = errors.iter().map(|d| d.e.hypot(d.n)).collect();
        Self {
            mean_enu_m: sum.map(|s| s / n as f64),
            h50_m: percentile(horizontal.clone(), 0.5),
            h95_m: percentile(horizontal, 0.95),
            v95_m: percentile(errors.iter().map(|d| d.u.abs()).collect(), 0.95),
            rms_horizontal_m: e2.hypot(n2),
            rms_vertical_m: u2,
            rms_3d_m: e2.hypot(n2).hypot(u2),
            max_3d_m: errors.iter().map(|d| d.norm()).fold(0.0, f64::max),
        }
    }
}

/// The mean of all positions.
pub fn mean_position(points: &[Point]) -> Option<Ecef> {
    let first = points.first()?.position;
    let sum = points.iter().fold(Ecef::default(), |sum, p| sum + (p.position - first));
    Some(first + sum * (1.0 / points.len() as f64))
}

/// Roots of the means of `n` triples.
fn root_mean(n: usize, squares: impl Iterator<Item = [f64; 3]>) -> [f64; 3] {
    let sum = squares.fold([0.0; 3], |s, q| [s[0] + q[0], s[1] + q[1], s[2] + q[2]]);
    sum.map(|s| (s / n.max(1) as f64).sqrt())
}

/// The smallest value that a share `q` of all does not exceed; 0 of none.
pub fn percentile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (q * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(values.clone(), 0.95), 95.0);
        assert_eq!(percentile(values, 0.5), 50.0);
        assert_eq!(percentile(vec![3.0], 0.95), 3.0);
        assert_eq!(percentile(Vec::new(), 0.5), 0.0);
    }

    #[test]
    fn errors_of_known_deviations() {
        let errors = [Enu { e: 3.0, n: 4.0, u: 0.0 }, Enu { e: -3.0, n: -4.0, u: 12.0 }];
        let e = Errors::of(&errors);
        assert_eq!(e.mean_enu_m, [0.0, 0.0, 6.0]);
        assert_eq!((e.h50_m, e.h95_m, e.v95_m, e.max_3d_m), (5.0, 5.0, 12.0, 13.0));
        assert!((e.rms_3d_m - (25.0f64 + 72.0).sqrt()).abs() < 1e-12);
    }
}
