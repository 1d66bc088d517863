//! Cycle slips: what the phases of one epoch say about those of the one before.
//!
//! Between two epochs all phases move by the change of position, three numbers, and of the clock, one; the
//! others must agree with those to millimetres. Where too few satellites are left to tell who is wrong, the
//! phases of one satellite are compared with each other (geometry-free), with the code (Melbourne-Wübbena) and with
//! the Doppler shift.

use megrez_orbit::{Ecef, GnssTime};
use megrez_signal::SPEED_OF_LIGHT;
use nalgebra::{Matrix4, Vector4};

use super::RtkMode;
use super::single::{Link, Single};

/// Least standard deviation of a phase change beside its noise, m.
const CHANGE_SIGMA_M: f64 = 0.005;
/// Normalised residual from which on a phase has slipped.
const SLIPPED: f64 = 5.0;
/// Change of a difference between two carriers that is no noise, m.
const GEOMETRY_FREE_M: f64 = 0.05;
/// Change of the wide-lane ambiguity that is no noise, cycles.
const WIDE_LANE_CYCLES: f64 = 3.0;
/// Phase less integrated Doppler that is no noise, m; m/s² of acceleration that is usual.
const DOPPLER_M: f64 = 0.5;
const ACCELERATION_M_S2: f64 = 5.0;
/// Standard deviation of the movement of a rover at rest, m.
const REST_SIGMA_M: f64 = 0.01;
/// Measurements beyond the four unknowns from which on the comparison of all satellites is relied upon.
const REDUNDANCY: usize = 3;

/// A phase and what belongs to it, to be compared with the next.
#[derive(Debug, Clone, Copy)]
struct Track {
    link: Link,
    phase_m: f64,
    code_m: Option<f64>,
    rate_m_s: Option<f64>,
    flagged: bool,
}

/// Phases of the last epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracks {
    tracks: Vec<Track>,
    time: Option<GnssTime>,
    /// Point from which the phases are reduced.
    origin: Ecef,
    /// Working memory: index of the single, change, weight, whether it takes part.
    changes: Vec<(usize, f64, f64, bool)>,
}

impl Tracks {
    pub fn clear(&mut self) {
        self.tracks.clear();
        self.time = None;
    }

    pub fn time(&self) -> Option<GnssTime> {
        self.time
    }

    /// Marks the singles, reduced from `origin`, whose phase has slipped since the last epoch.
    pub fn mark(&mut self, singles: &mut [Single], time: GnssTime, origin: Ecef, mode: RtkMode) {
        let Some(last) = self.time else { return };
        let elapsed_s = time - last;
        let moved = origin - self.origin;
        self.changes.clear();
        for (i, single) in singles.iter_mut().enumerate() {
            let Some(phase_m) = single.phase_m else { continue };
            let Some(track) = self.tracks.iter().find(|t| t.link == single.link) else { continue };
            if elapsed_s < 0.0 {
                // Backwards, it is the epoch processed last that tells of a slip between the two.
                single.slip = track.flagged;
            }
            let weight = 1.0 / (2.0 * single.phase_variance + CHANGE_SIGMA_M * CHANGE_SIGMA_M);
            let change = phase_m - track.phase_m - single.unit.dot(moved);
            self.changes.push((i, change, weight, !single.slip));
        }
        let sure = self.compare_all(singles, mode);
        if !sure {
            self.compare_alone(singles, elapsed_s, moved);
        }
    }

    /// Compares all satellites and marks those that disagree; whether there were enough.
    fn compare_all(&mut self, singles: &mut [Single], mode: RtkMode) -> bool {
        let known = if mode == RtkMode::Static { 3 } else { 0 };
        loop {
            let taking_part = self.changes.iter().filter(|c| c.3).count() + known;
            if taking_part < 4 + REDUNDANCY {
                return false;
            }
            let (mut normal, mut vector) = (Matrix4::zeros(), Vector4::zeros());
            if mode == RtkMode::Static {
                (0..3).for_each(|i| normal[(i, i)] += 1.0 / (REST_SIGMA_M * REST_SIGMA_M));
            }
            let row = |i: usize| {
                let u = singles.get(i).map(|s| s.unit).unwrap_or_default();
                Vector4::new(-u.x, -u.y, -u.z, 1.0)
            };
            for &(i, change, weight, _) in self.changes.iter().filter(|c| c.3) {
                let h = row(i);
                normal.ger(weight, &h, &h, 1.0);
                vector.axpy(weight * change, &h, 1.0);
            }
            let Some(covariance) = normal.try_inverse() else { return false };
            let x = covariance * vector;
            let mut worst = (SLIPPED, usize::MAX);
            for (k, &(i, change, weight, _)) in self.changes.iter().enumerate().filter(|(_, c)| c.3) {
                let h = row(i);
                let variance = (1.0 / weight - h.dot(&(covariance * h))).max(0.05 / weight);
                let t = (change - h.dot(&x)).abs() / variance.sqrt();
                if t > worst.0 {
                    worst = (t, k);
                }
            }
            let Some(change) = self.changes.get_mut(worst.1) else { return true };
            change.3 = false;
            if let Some(single) = singles.get_mut(change.0) {
                single.slip = true;
            }
        }
    }

    /// Compares the measurements of each satellite with each other.
    fn compare_alone(&self, singles: &mut [Single], elapsed_s: f64, moved: Ecef) {
        let track = |link: Link| self.tracks.iter().find(|t| t.link == link);
        let mut slipped = Vec::new();
        for (k, &(i, change, ..)) in self.changes.iter().enumerate() {
            let Some(a) = singles.get(i) else { continue };
            let Some(before) = track(a.link) else { continue };
            if let (Some(rate), Some(last)) = (a.rate_m_s, before.rate_m_s) {
                // Both clocks and the movement are in the Doppler shift too.
                let expected = 0.5 * (rate + last) * elapsed_s;
                let bound = DOPPLER_M + 0.25 * ACCELERATION_M_S2 * elapsed_s * elapsed_s;
                if elapsed_s.abs() <= 2.0 && (change - expected).abs() > bound {
                    slipped.push(i);
                }
            }
            for &(j, other, ..) in self.changes.iter().skip(k + 1) {
                let Some(b) = singles.get(j).filter(|b| b.link.sat == a.link.sat) else { continue };
                if (change - other).abs() > GEOMETRY_FREE_M
                    || wide_lane(a, b, change, other, before, a.unit.dot(moved))
                {
                    slipped.extend([i, j]);
                }
            }
        }
        for i in slipped {
            if let Some(single) = singles.get_mut(i) {
                single.slip = true;
            }
        }
    }

    /// Keeps the phases of this epoch.
    pub fn keep(&mut self, singles: &[Single], time: GnssTime, origin: Ecef) {
        self.origin = origin;
        self.tracks.clear();
        self.tracks.extend(singles.iter().filter_map(|s| {
            Some(Track {
                link: s.link,
                phase_m: s.phase_m?,
                code_m: s.code_m,
                rate_m_s: s.rate_m_s,
                flagged: s.flagged,
            })
        }));
        self.time = Some(time);
    }
}

/// Whether the wide-lane ambiguity of two signals has changed, by their changes of phase in m.
fn wide_lane(a: &Single, b: &Single, change_a: f64, change_b: f64, before: &Track, moved_m: f64) -> bool {
    let (Some(code), Some(last)) = (a.code_m, before.code_m) else { return false };
    let (fa, fb) = (SPEED_OF_LIGHT / a.wavelength_m, SPEED_OF_LIGHT / b.wavelength_m);
    if (fa - fb).abs() < 1e6 {
        return false;
    }
    let wide_m = (fa * change_a - fb * change_b) / (fa - fb);
    let wavelength_m = SPEED_OF_LIGHT / (fa - fb).abs();
    let noise = (2.0 * a.code_variance).sqrt() / wavelength_m;
    ((wide_m - (code - last - moved_m)) / wavelength_m).abs() > WIDE_LANE_CYCLES.max(4.0 * noise)
}
