//! Forward and backward solutions, combined.

use megrez_orbit::Ecef;
use nalgebra::Matrix3;

use super::{RtkSolution, RtkStatus};

/// Standard deviations by which two solutions of an epoch may differ.
const AGREEMENT: f64 = 5.0;
/// Difference in m that two fixed solutions may have whatever their covariances say.
const FIXED_M: f64 = 0.02;

/// Combines two solutions of one epoch, of a run forwards in time and one backwards. The better resolved one counts;
/// of two alike, the mean weighted by their covariances. Two fixed ones that contradict each other make a float: one of
/// them is wrong.
pub fn combine(forward: &RtkSolution, backward: &RtkSolution) -> RtkSolution {
    match (forward.is_fixed(), backward.is_fixed()) {
        (true, false) => return forward.clone(),
        (false, true) => return backward.clone(),
        _ => {}
    }
    let mut out = if forward.status >= backward.status { forward.clone() } else { backward.clone() };
    let matrix = |s: &RtkSolution| Matrix3::from_fn(|i, j| s.covariance_enu[i][j]);
    let (a, b) = (matrix(forward), matrix(backward));
    let place = forward.base.to_geodetic();
    let difference = (backward.position - forward.position).to_enu(place);
    let d = nalgebra::Vector3::new(difference.e, difference.n, difference.u);
    let Some(inverse) = (a + b).try_inverse() else { return out };
    let fits = d.dot(&(inverse * d)) <= AGREEMENT * AGREEMENT;
    if !fits && out.is_fixed() && d.norm() > FIXED_M {
        out.status = RtkStatus::Float;
        out.ambiguities_fixed = 0;
        out.sats.iter_mut().for_each(|s| s.fixed = false);
    }
    let toward = a * inverse * d;
    let covariance = a - a * inverse * a;
    let step = megrez_orbit::Enu { e: toward.x, n: toward.y, u: toward.z }.to_ecef(place);
    out.position = forward.position + Ecef::new(step.x, step.y, step.z);
    // The two share the epoch's noise, and a contradiction is no knowledge.
    let spread = if fits { 0.0 } else { 0.25 };
    let own = if forward.status >= backward.status { a } else { b };
    let knowledge = if out.is_fixed() { own } else { covariance };
    for (i, row) in out.covariance_enu.iter_mut().enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            *value = knowledge[(i, j)] + spread * d[i] * d[j];
        }
    }
    out
}
