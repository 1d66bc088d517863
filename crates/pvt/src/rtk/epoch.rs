//! One epoch by itself: a position from its codes, and how well its measurements fit a solution.

use megrez_orbit::Ecef;
use megrez_signal::Sat;
use nalgebra::{Matrix3, Vector3};

use super::atmosphere::Atmosphere;
use super::information::{Information, POSITION, Row, Unknown};
use super::resolve::Resolution;
use super::single::Single;
use super::towards;
use crate::chi2;

/// Standard deviation in three dimensions of a position that may call itself fixed, m.
pub(crate) const PRECISE_M: f64 = 0.05;
/// Normalised residual beyond which a code is a gross error.
const GROSS: f64 = 5.0;
/// Share of the codes that may be gross errors.
const MOST_GROSS: f64 = 0.3;
/// Normalised residual beyond which a phase contradicts the integers.
const CONTRADICTION: f64 = 4.0;
/// Probability with which the residuals of right integers would be rejected if errors were noise as assumed.
const FALSE_ALARM: f64 = 1e-2;

/// Degrees of freedom of a fit that convinces.
const LEAST_REDUNDANCY: usize = 8;

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
                Some(Row { unit: towards(s), terms: [None; 3], value, weight: 1.0 / s.code_variance })
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
    /// As `variance_factor`, of the codes.
    pub code_factor: f64,
    /// The satellite whose phase fits worst, with its normalised residual.
    pub worst: Option<(Sat, f64)>,
    /// Degrees of freedom of the phases and of the codes.
    dof: usize,
    code_dof: usize,
}

impl Fit {
    pub fn new(
        singles: &[Single],
        excluded: &[Sat],
        groups: usize,
        solution: &Resolution,
        information: &Information,
    ) -> Self {
        let shift = Ecef::new(solution.position.x, solution.position.y, solution.position.z);
        let used = |s: &Single| !excluded.contains(&s.link.sat);
        let value = |(index, coefficient): (usize, f64)| {
            coefficient * solution.values.get(index - POSITION).copied().unwrap_or(0.0)
        };
        let delay = |s: &Single, sign: f64| -> f64 {
            Atmosphere::terms(information, s, sign).into_iter().flatten().map(value).sum()
        };
        let code = |s: &Single| used(s).then(|| Some(s.code_m? + s.unit.dot(shift) - delay(s, 1.0)))?;
        let phase = |s: &Single| {
            if !used(s) {
                return None;
            }
            let at = information.index(Unknown::Ambiguity(s.link))?;
            Some(s.phase_m? + s.unit.dot(shift) - delay(s, -1.0) - value((at, s.wavelength_m)))
        };
        let mut residuals: Vec<(Option<f64>, Option<f64>)> =
            singles.iter().map(|s| (code(s), phase(s))).collect();
        let (mut sum, mut phases, mut clocks) = (0.0, 0, 0);
        let (mut code_sum, mut code_dof) = (0.0, 0);
        let mut worst: Option<(Sat, f64)> = None;
        for group in 0..groups {
            let (code_clock, code_weight) = mean(singles, group, code, |s| s.code_variance);
            code_dof -= i32::from(code_weight.is_finite());
            let (phase_clock, weight) = mean(singles, group, phase, |s| s.phase_variance);
            clocks += usize::from(weight.is_finite());
            for (s, (code, phase)) in singles.iter().zip(&mut residuals).filter(|(s, _)| s.group == group) {
                *code = code.map(|c| c - code_clock);
                if let Some(c) = *code {
                    code_sum += c * c / s.code_variance;
                    code_dof += 1;
                }
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
        let unknown = clocks + POSITION + solution.reals + (solution.candidates - solution.fixed);
        let dof = usize::saturating_sub(phases, unknown);
        let variance_factor = if dof > 0 { sum / dof as f64 } else { 0.0 };
        let code_dof = usize::try_from(code_dof).unwrap_or(0);
        let code_factor = if code_dof > 0 { code_sum / code_dof as f64 } else { 0.0 };
        Self { residuals, variance_factor, code_factor, worst, dof, code_dof }
    }

    /// Whether the residuals are noise.
    pub fn good(&self) -> bool {
        let noise = |factor: f64, dof: usize| factor * dof as f64 <= chi2::threshold(dof, FALSE_ALARM);
        self.dof > 0
            && noise(self.variance_factor, self.dof)
            && (self.code_dof == 0 || noise(self.code_factor, self.code_dof))
            && self.contradiction().is_none()
    }

    /// Whether they fit so well that satellites may have been left out for it: fewer would fit wrong integers by
    /// chance.
    pub fn convincing(&self) -> bool {
        self.dof >= LEAST_REDUNDANCY && self.variance_factor < 1.0
    }

    /// The satellite that contradicts the integers most.
    pub fn contradiction(&self) -> Option<Sat> {
        self.worst.filter(|(_, t)| *t >= CONTRADICTION).map(|(sat, _)| sat)
    }
}
