//! Velocity and clock drift from Dopplers of one epoch.

use megrez_orbit::Ecef;
use megrez_signal::SPEED_OF_LIGHT;

use crate::geometry::direction;
use crate::lsq::{CLOCK, Normal, Row, huber};
use crate::model::{Line, shift_ratio};
use crate::ranging::{Ranging, Shift};

/// Velocity and clock drift.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    /// Velocity in the earth-fixed frame, m/s.
    pub velocity: Ecef,
    /// Rate of the receiver clock's bias, s/s.
    pub clock_drift: f64,
}

/// One satellite's range rate.
struct Rate {
    unit: Ecef,
    /// Of a receiver at rest, m/s.
    rest_m_s: f64,
    sat_drift: f64,
    shift: Shift,
    used: bool,
    row: Row<4>,
}

/// Velocity and drift from the satellites that are `active`; none with fewer than four Dopplers or
/// when they contradict each other.
pub(crate) fn solve(rangings: &[Ranging], lines: &[Line], active: &[bool]) -> Option<Motion> {
    let mut rates: Vec<Rate> = rangings
        .iter()
        .zip(lines)
        .zip(active)
        .filter_map(|((r, line), &active)| {
            let shift = r.shift.filter(|_| active)?;
            let w = 1.0 / (shift.sigma_m_s * shift.sigma_m_s);
            Some(Rate {
                unit: line.unit,
                rest_m_s: line.rate_m_s,
                sat_drift: r.state.clock_drift,
                shift,
                used: true,
                row: Row { h: direction(line.unit), v: 0.0, w },
            })
        })
        .collect();
    let mut velocity = Ecef::default();
    let mut clock_drift = 0.0;
    loop {
        let used = rates.iter().filter(|r| r.used).count();
        if used < 4 {
            return None;
        }
        for iteration in 0..8 {
            let mut normal = Normal::<4>::new();
            for r in rates.iter_mut().filter(|r| r.used) {
                let rate = r.rest_m_s - r.unit.dot(velocity);
                r.row.v = (shift_ratio(rate, r.sat_drift, clock_drift) - r.shift.ratio) * SPEED_OF_LIGHT;
                // The first iteration only sees how far off the start was.
                let scale = if iteration < 1 { 1.0 } else { huber(r.row.v * r.row.w.sqrt(), 1.5) };
                normal.add(&r.row, scale);
            }
            let (x, _) = normal.solve()?;
            let step = Ecef { x: x[0], y: x[1], z: x[2] };
            velocity += step;
            clock_drift += x[CLOCK] / SPEED_OF_LIGHT;
            if step.norm() < 1e-4 {
                break;
            }
        }
        let size = |r: &Rate| if r.used { r.row.v.abs() * r.row.w.sqrt() } else { 0.0 };
        let worst = rates.iter_mut().max_by(|a, b| size(a).total_cmp(&size(b)))?;
        if size(worst) < 8.0 {
            return Some(Motion { velocity, clock_drift });
        }
        if used < 6 {
            return None;
        }
        worst.used = false;
    }
}
