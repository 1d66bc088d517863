//! A rough position from the Dopplers of one instant: good to some 10 km, whatever the oscillator's offset.

use megrez_orbit::{Ecef, Enu};
use megrez_signal::SPEED_OF_LIGHT;

use crate::geometry::height_row;
use crate::lsq::{CLOCK, Normal, Row, Vector};
use crate::model::{doppler_hz, line_of_sight};
use crate::snapshot::SatTable;

/// Standard deviation of the height of a receiver about the ellipsoid, metres.
const HEIGHT_SIGMA_M: f64 = 3000.0;
/// Largest step of the iteration, metres: range rates bend over such distances.
const LONGEST_STEP_M: f64 = 1.5e6;

/// The Doppler of one satellite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shift<'a> {
    pub table: &'a SatTable,
    pub carrier_hz: f64,
    pub doppler_hz: f64,
}

/// Position and its standard deviation in metres for reception at `time_s` after the tables' reference.
pub(crate) fn locate(shifts: &[Shift<'_>], time_s: f64, sigma_hz: f64) -> Option<(Ecef, f64)> {
    // All satellites are above the horizon of the receiver, so it is below their middle.
    let earth = Ecef::default();
    let middle = shifts
        .iter()
        .map(|s| s.table.line(earth, time_s).0.unit)
        .fold(Ecef::default(), |sum, unit| sum + unit);
    let surface = |p: Ecef| {
        let mut geodetic = p.to_geodetic();
        geodetic.height_m = 0.0;
        geodetic.to_ecef()
    };
    let centre = surface(middle.unit() * 6.37e6);
    let origin = centre.to_geodetic();
    let ring = |angle: f64, off: f64| {
        let step = Enu { e: off * angle.sin(), n: off * angle.cos(), u: 0.0 }.to_ecef(origin);
        surface(centre + step)
    };
    let starts = std::iter::once(centre)
        .chain((0..6).map(|k| ring(f64::from(k) * std::f64::consts::TAU / 6.0, 2.5e6)))
        .chain((0..6).map(|k| ring((f64::from(k) + 0.5) * std::f64::consts::TAU / 6.0, 5.0e6)));
    starts
        .filter_map(|start| descend(shifts, time_s, sigma_hz, start))
        .min_by(|a, b| a.cost.total_cmp(&b.cost))
        .map(|found| (found.position, found.sigma_m))
}

struct Found {
    position: Ecef,
    sigma_m: f64,
    cost: f64,
}

fn descend(shifts: &[Shift<'_>], time_s: f64, sigma_hz: f64, start: Ecef) -> Option<Found> {
    let mut position = start;
    let mut drift = 0.0;
    let mut result = None;
    for iteration in 0..25 {
        let mut rows: Vec<Row<4>> =
            shifts.iter().map(|s| row(s, position, drift, time_s, sigma_hz)).collect();
        if iteration == 0 {
            // The common offset, before anything else is judged by it.
            let mut offsets: Vec<f64> = rows.iter().map(|r| r.v).collect();
            offsets.sort_by(f64::total_cmp);
            let median = offsets.get(offsets.len() / 2).copied()?;
            drift = median / SPEED_OF_LIGHT;
            rows = shifts.iter().map(|s| row(s, position, drift, time_s, sigma_hz)).collect();
        }
        let mut normal = Normal::new();
        normal.add(&height_row(position, 0.0, HEIGHT_SIGMA_M), 1.0);
        // False acquisitions have any Doppler.
        let bound = if iteration < 8 { 30.0 } else { 2.0 };
        let weight = |t: f64| {
            let t = t.abs() / bound;
            if t < 1.0 { 1.0 } else { 1.0 / (t * t) }
        };
        for r in &rows {
            normal.add(r, weight(r.v * r.w.sqrt()));
        }
        let (x, covariance) = normal.solve()?;
        let mut step = Ecef { x: x[0], y: x[1], z: x[2] };
        let length = step.norm();
        if length > LONGEST_STEP_M {
            step = step * (LONGEST_STEP_M / length);
        }
        position += step;
        drift += x[CLOCK] / SPEED_OF_LIGHT;
        if !(5e6..9e6).contains(&position.norm()) {
            return None;
        }
        let low = |s: &&Shift<'_>| s.table.line(position, time_s).0.unit.dot(position.unit()) < -0.05;
        let below = shifts.iter().filter(low).count();
        let misfit: f64 = rows.iter().map(|r| (r.v * r.v * r.w).sqrt().min(5.0)).sum();
        let trace = covariance[(0, 0)] + covariance[(1, 1)] + covariance[(2, 2)];
        let cost = misfit + 5.0 * below as f64;
        result = Some(Found { position, sigma_m: trace.max(0.0).sqrt(), cost });
        if length < 100.0 && iteration > 9 {
            break;
        }
    }
    result
}

fn row(shift: &Shift<'_>, position: Ecef, drift: f64, time_s: f64, sigma_hz: f64) -> Row<4> {
    let (line, _, state) = shift.table.line(position, time_s);
    let metres = SPEED_OF_LIGHT / shift.carrier_hz;
    let computed_hz = doppler_hz(shift.carrier_hz, line.rate_m_s, state.clock_drift, drift);
    // By differences: the rate varies over thousands of kilometres.
    let delta = 1000.0;
    let slope = |offset: Ecef| (line_of_sight(position + offset, &state).rate_m_s - line.rate_m_s) / delta;
    let mut h = Vector::<4>::zeros();
    h[0] = slope(Ecef { x: delta, y: 0.0, z: 0.0 });
    h[1] = slope(Ecef { x: 0.0, y: delta, z: 0.0 });
    h[2] = slope(Ecef { x: 0.0, y: 0.0, z: delta });
    h[CLOCK] = 1.0;
    let sigma = sigma_hz * metres;
    Row { h, v: (computed_hz - shift.doppler_hz) * metres, w: 1.0 / (sigma * sigma) }
}
