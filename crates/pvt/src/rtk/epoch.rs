//! One epoch by itself: a position from its codes, and how well its measurements fit a solution.

use megrez_orbit::Ecef;
use megrez_signal::Sat;
use nalgebra::{Matrix3, Vector3};

use super::information::{Information, POSITION, Row};
use super::resolve::Resolution;
use super::single::{Link, Single};
use super::towards;
use crate::chi2;

/// Standard deviation in three dimensions of a position that may call itself fixed, m.
pub(crate) const PRECISE_M: f64 = 0.05;
/// Normalised residual beyond which a code is a gross error.
const GROSS: f64 = 5.0;
/// Share of the codes that may be gross errors.
const MOST_GROSS: f64 = 0.3;
/// Normalised residual beyond which a phase contradicts the integers.
const CONTRADICTION: f64 = 5.0;
/// Probability with which the residuals of right integers are rejected.
const FALSE_ALARM: f64 = 1e-6;

/// The shift from the point of linearisation that the codes ask for. Codes that contradict the others are removed.
pub(crate) fn code_position(
    singles: &mut [Single],
    groups: usize,
    rows: &mut Vec<Row>,
    sums: &mut Vec<f64>,
) -> Option<Ecef> {
    let codes = singles.iter().filter(|s| s.code_m.is_some()).count();
    let most = (MOST_GROSS * codes as f64).ceil() as usize;
    for removed in 0..=most {
        let mut information = Information::new();
        for group in 0..groups {
            rows.clear();
            rows.extend(singles.iter().filter(|s| s.group == group).filter_map(|s| {
                let value = s.code_m?;
                Some(Row { unit: towards(s), ambiguity: None, value, weight: 1.0 / s.code_variance })
            }));
            information.add(rows, sums);
        }
        let matrix = Matrix3::from_fn(|i, j| information.column(j)[i]);
        let vector = Vector3::from_column_slice(&information.vector()[..POSITION]);
        let covariance = matrix.cholesky()?.inverse();
        let shift = covariance * vector;
        if !(shift.norm() < 1e8 && covariance.trace() < 1e6) {
            return None;
        }
        let shift = Ecef::new(shift.x, shift.y, shift.z);
        let mut worst = (GROSS, None);
        for group in 0..groups {
            let residual = |s: &Single| Some(s.code_m? + s.unit.dot(shift));
            let (clock, weight) = mean(singles, group, residual, |s| s.code_variance);
            for (i, s) in singles.iter().enumerate().filter(|(_, s)| s.group == group) {
                let Some(residual) = residual(s) else { continue };
                let h = Vector3::new(s.unit.x, s.unit.y, s.unit.z);
                let own = s.code_variance - 1.0 / weight - h.dot(&(covariance * h));
                let t = (residual - clock).abs() / own.max(0.1 * s.code_variance).sqrt();
                if t > worst.0 {
                    worst = (t, Some(i));
                }
            }
        }
        match worst.1.and_then(|i| singles.get_mut(i)) {
            Some(single) if removed < most => single.code_m = None,
            _ => return Some(shift),
        }
    }
    None
}

/// Weighted mean of a group's residuals, and the sum of the weights.
fn mean(
    singles: &[Single],
    group: usize,
    residual: impl Fn(&Single) -> Option<f64>,
    variance: impl Fn(&Single) -> f64,
) -> (f64, f64) {
    let (mut sum, mut weights) = (0.0, 0.0);
    for s in singles.iter().filter(|s| s.group == group) {
        if let Some(value) = residual(s) {
            let w = 1.0 / variance(s);
            sum += w * value;
            weights += w;
        }
    }
    if weights > 0.0 { (sum / weights, weights) } else { (0.0, f64::INFINITY) }
}

/// How the measurements of an epoch fit a solution.
pub(crate) struct Fit {
    /// Code and phase residual of each single, m.
    pub residuals: Vec<(Option<f64>, Option<f64>)>,
    /// Sum of the squared normalised residuals of the phases over the degrees of freedom.
    pub variance_factor: f64,
    /// The satellite whose phase fits worst, with its normalised residual.
    pub worst: Option<(Sat, f64)>,
    dof: usize,
}

impl Fit {
    pub fn new(
        singles: &[Single],
        excluded: &[Sat],
        groups: usize,
        solution: &Resolution,
        links: &[Link],
    ) -> Self {
        let shift = Ecef::new(solution.position.x, solution.position.y, solution.position.z);
        let used = |s: &Single| !excluded.contains(&s.link.sat);
        let code = |s: &Single| used(s).then(|| Some(s.code_m? + s.unit.dot(shift)))?;
        let phase = |s: &Single| {
            if !used(s) {
                return None;
            }
            let at = links.iter().position(|l| *l == s.link)?;
            Some(s.phase_m? + s.unit.dot(shift) - s.wavelength_m * solution.ambiguities.get(at)?)
        };
        let mut residuals: Vec<(Option<f64>, Option<f64>)> =
            singles.iter().map(|s| (code(s), phase(s))).collect();
        let (mut sum, mut phases, mut clocks) = (0.0, 0, 0);
        let mut worst: Option<(Sat, f64)> = None;
        for group in 0..groups {
            let (code_clock, _) = mean(singles, group, code, |s| s.code_variance);
            let (phase_clock, weight) = mean(singles, group, phase, |s| s.phase_variance);
            clocks += usize::from(weight.is_finite());
            for (s, (code, phase)) in singles.iter().zip(&mut residuals).filter(|(s, _)| s.group == group) {
                *code = code.map(|c| c - code_clock);
                *phase = phase.map(|p| p - phase_clock);
                let Some(p) = *phase else { continue };
                phases += 1;
                sum += p * p / s.phase_variance;
                let t = p.abs() / (s.phase_variance - 1.0 / weight).max(0.1 * s.phase_variance).sqrt();
                if worst.is_none_or(|(_, w)| t > w) {
                    worst = Some((s.link.sat, t));
                }
            }
        }
        let unknown = clocks + POSITION + (solution.candidates - solution.fixed);
        let dof = usize::saturating_sub(phases, unknown);
        let variance_factor = if dof > 0 { sum / dof as f64 } else { 0.0 };
        Self { residuals, variance_factor, worst, dof }
    }

    /// Whether the residuals are noise.
    pub fn good(&self) -> bool {
        self.dof > 0
            && self.variance_factor * self.dof as f64 <= chi2::threshold(self.dof, FALSE_ALARM)
            && self.worst.is_none_or(|(_, t)| t < CONTRADICTION)
    }
}
