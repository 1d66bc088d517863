//! Protection levels: how far off a position may be without the residual test noticing.
//!
//! After Walter and Enge, "Weighted RAIM for precision approach" (ION GPS 1995): the fault of one satellite that
//! shifts the position most for what it adds to the residuals, just below the threshold of the test, plus what
//! noise adds with the probability of missed detection. Two satellites faulty at once are not covered.

use crate::chi2;
use crate::estimate::{Estimate, Problem};
use crate::geometry::enu_axes;

/// Protection levels in metres.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels {
    pub horizontal_m: f64,
    pub vertical_m: f64,
}

/// The levels of an estimate; none if a fault of some satellite would not show at all.
pub(crate) fn levels(problem: &Problem<'_>, estimate: &Estimate) -> Option<Levels> {
    let (_, dof) = problem.statistic(estimate);
    if dof == 0 {
        return None;
    }
    let threshold = chi2::threshold(dof, problem.config.false_alarm).sqrt();
    let axes = enu_axes(estimate.state.position);
    // Rows of the covariance for east, north and up.
    let local = axes * estimate.covariance.fixed_rows::<3>(0);
    let (mut horizontal, mut vertical) = (0.0f64, 0.0f64);
    for (index, (row, _)) in
        problem.rows.iter().zip(&problem.active).enumerate().filter(|(_, (_, active))| **active)
    {
        let left = problem.left(estimate, index);
        if left < 1e-6 {
            return None;
        }
        // Shift of the position by a fault of 1 m, over what it adds to the root of the statistic.
        let shift = local * row.h * row.w;
        let scale = 1.0 / (row.w * left).sqrt();
        horizontal = horizontal.max(shift[0].hypot(shift[1]) * scale);
        vertical = vertical.max(shift[2].abs() * scale);
    }
    let enu = local.fixed_columns::<3>(0) * axes.transpose();
    let (e, n, u) = (enu[(0, 0)], enu[(1, 1)], enu[(2, 2)]);
    // The larger axis of the horizontal error ellipse.
    let major = 0.5 * (e + n) + (0.5 * (e - n)).hypot(enu[(0, 1)]);
    let k = chi2::normal_quantile(problem.config.missed_detection);
    Some(Levels {
        horizontal_m: horizontal * threshold + k * major.max(0.0).sqrt(),
        vertical_m: vertical * threshold + k * u.max(0.0).sqrt(),
    })
}
