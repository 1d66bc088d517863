//! BDGIM, the BeiDou global ionospheric delay correction model (BDS-SIS-ICD-B1C-1.0 section 7.8).

use std::f64::consts::{PI, TAU};

use crate::{Azel, Geodetic};

/// Broadcast coefficients of BDGIM in TECu. `alpha[4]` carries its minus sign already.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bdgim {
    /// alpha1 to alpha9.
    pub alpha: [f64; 9],
}

/// Radius of the earth, m.
const RADIUS_M: f64 = 6_378e3;
/// Height of the layer, m.
const LAYER_M: f64 = 400e3;
/// Geomagnetic pole, degrees north and east.
const POLE_DEG: (f64, f64) = (80.27, -72.58);
/// Delay in m at 1 Hz of 1 TECu: 40.28e16.
const TECU_M_HZ2: f64 = 40.28e16;
/// Degree and order of the broadcast terms (table 7-9).
const BROADCAST: [(i32, i32); 9] =
    [(0, 0), (1, 0), (1, 1), (1, -1), (2, 0), (2, 1), (2, -1), (2, 2), (2, -2)];
/// Periods of the terms that are not broadcast, days (table 7-11).
const PERIODS_DAYS: [f64; 12] =
    [1.0, 0.5, 0.33, 14.6, 27.0, 121.6, 182.51, 365.25, 4028.71, 2014.35, 1342.9, 1007.18];

/// A term that is not broadcast: degree, order, mean, then cosine and sine coefficients by period.
struct Term {
    degree: (i32, i32),
    mean: f64,
    waves: [(f64, f64); 12],
}

/// Tables 7-10 and 7-11.
#[rustfmt::skip]
const TERMS: [Term; 17] = [
    Term { degree: (3, 0), mean: -0.61, waves: [
        (-0.51, 0.23), (-0.06, 0.02), (0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (-0.19, -0.09),
        (-0.18, 0.15), (1.09, 0.5), (-0.34, 0.0), (-0.13, 0.05), (-0.06, 0.03), (-0.03, 0.04),
    ] },
    Term { degree: (3, 1), mean: -1.31, waves: [
        (-0.43, -0.2), (-0.05, -0.08), (-0.03, -0.02), (0.0, -0.02), (0.0, 0.0), (-0.02, 0.07),
        (0.06, -0.31), (-0.14, -0.08), (-0.09, -0.11), (0.07, 0.03), (0.13, -0.02), (0.08, -0.02),
    ] },
    Term { degree: (3, -1), mean: -2.0, waves: [
        (0.34, -0.31), (0.06, -0.06), (0.01, -0.03), (0.01, 0.01), (0.03, 0.0), (0.12, 0.03),
        (-0.55, 0.13), (-0.21, -0.38), (-1.22, -0.22), (-0.37, 0.07), (-0.07, 0.04), (-0.01, -0.04),
    ] },
    Term { degree: (3, 2), mean: -0.03, waves: [
        (-0.01, 0.16), (0.17, -0.11), (-0.01, -0.05), (0.0, 0.0), (0.01, 0.01), (-0.1, 0.06),
        (-0.02, 0.05), (0.52, 0.36), (0.05, 0.01), (0.05, 0.02), (0.03, -0.01), (0.04, 0.0),
    ] },
    Term { degree: (3, -2), mean: 0.15, waves: [
        (0.17, -0.03), (0.15, 0.15), (0.05, -0.01), (0.01, -0.01), (0.02, 0.0), (0.06, 0.09),
        (0.09, -0.09), (0.27, 0.14), (0.15, 0.02), (0.06, -0.01), (0.02, -0.03), (0.01, -0.01),
    ] },
    Term { degree: (3, 3), mean: -0.48, waves: [
        (0.02, 0.02), (0.0, -0.14), (-0.03, -0.07), (0.0, 0.01), (0.01, 0.0), (0.0, 0.01),
        (-0.08, -0.03), (0.0, 0.04), (-0.29, -0.03), (-0.11, 0.03), (-0.05, 0.02), (-0.02, 0.0),
    ] },
    Term { degree: (3, -3), mean: -0.4, waves: [
        (-0.06, 0.04), (0.11, 0.01), (0.05, -0.03), (-0.01, 0.0), (0.0, 0.0), (-0.02, 0.02),
        (0.0, 0.06), (0.11, 0.0), (-0.17, -0.01), (-0.07, 0.02), (-0.05, 0.01), (-0.02, 0.01),
    ] },
    Term { degree: (4, 0), mean: 2.28, waves: [
        (0.3, 0.18), (-0.05, 0.01), (-0.03, -0.01), (-0.01, -0.02), (-0.02, 0.0), (-0.08, 0.0),
        (0.86, -0.36), (0.17, 0.25), (1.58, 0.49), (0.46, -0.04), (0.01, 0.04), (-0.04, 0.07),
    ] },
    Term { degree: (4, 1), mean: -0.16, waves: [
        (0.44, 0.34), (-0.16, 0.04), (-0.01, 0.02), (0.0, 0.0), (0.0, 0.0), (-0.02, -0.04),
        (-0.18, 0.08), (0.23, 0.17), (-0.06, -0.03), (0.0, -0.01), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (4, -1), mean: -0.21, waves: [
        (-0.28, 0.45), (0.02, -0.14), (0.0, -0.01), (0.0, 0.0), (0.0, 0.0), (-0.07, -0.02),
        (-0.05, 0.05), (0.35, 0.27), (-0.15, -0.02), (-0.04, -0.01), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (4, 2), mean: -0.1, waves: [
        (-0.31, 0.19), (0.11, -0.05), (-0.08, 0.03), (0.0, 0.0), (0.0, 0.0), (0.01, -0.01),
        (-0.07, 0.06), (-0.05, -0.03), (0.0, 0.01), (0.01, 0.02), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (4, -2), mean: -0.13, waves: [
        (-0.17, -0.25), (0.04, 0.08), (-0.04, -0.1), (0.0, 0.0), (0.0, 0.0), (0.03, 0.01),
        (0.04, -0.02), (0.02, -0.03), (0.13, 0.02), (0.07, 0.03), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (5, 0), mean: 0.21, waves: [
        (0.04, -0.12), (0.12, 0.08), (0.0, 0.01), (0.0, 0.0), (0.0, 0.0), (0.15, -0.1),
        (0.14, -0.05), (-0.6, -0.32), (0.28, 0.04), (0.09, 0.02), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (5, 1), mean: 0.68, waves: [
        (0.39, 0.18), (0.07, -0.01), (-0.02, 0.05), (0.0, 0.0), (0.0, 0.0), (0.06, 0.0),
        (-0.03, 0.06), (0.02, -0.1), (-0.08, -0.04), (-0.05, -0.04), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (5, -1), mean: 1.06, waves: [
        (-0.12, 0.4), (0.02, 0.01), (-0.03, -0.01), (0.0, 0.0), (0.0, 0.0), (-0.05, -0.01),
        (0.37, -0.2), (0.01, 0.2), (0.62, 0.16), (0.15, -0.04), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (5, 2), mean: 0.0, waves: [
        (0.12, -0.09), (-0.14, 0.11), (0.0, 0.04), (0.0, 0.0), (0.0, 0.0), (-0.03, 0.02),
        (-0.11, 0.04), (0.27, 0.1), (-0.01, -0.02), (-0.01, -0.01), (0.0, 0.0), (0.0, 0.0),
    ] },
    Term { degree: (5, -2), mean: -0.12, waves: [
        (0.0, 0.21), (-0.14, -0.12), (-0.03, 0.0), (0.0, 0.0), (0.0, 0.0), (-0.1, 0.05),
        (-0.12, 0.07), (0.32, 0.3), (-0.04, -0.01), (0.01, 0.0), (0.0, 0.0), (0.0, 0.0),
    ] },
];

/// Degrees of the terms are below this.
const DEGREES: usize = 6;

/// What normalises the associated Legendre function of degree `n` and order `m`.
fn norm(n: i32, m: i32) -> f64 {
    // (n - m)! / (n + m)!
    let ratio: f64 = (n - m + 1..=n + m).map(|i| 1.0 / f64::from(i)).product();
    (f64::from(2 * n + 1) * if m == 0 { 1.0 } else { 2.0 } * ratio).sqrt()
}

/// Geomagnetic longitude (rad) of the mean sun.
fn sun_longitude(mjd: f64) -> f64 {
    let (pole_lat, pole_lon) = (POLE_DEG.0.to_radians(), POLE_DEG.1.to_radians());
    let sun = PI * (1.0 - 2.0 * mjd.rem_euclid(1.0));
    (sun - pole_lon).sin().atan2(pole_lat.sin() * (sun - pole_lon).cos())
}

/// Sine of the geomagnetic latitude and sun-fixed geomagnetic longitude (rad) of a geographic point.
fn sun_fixed(lat: f64, lon: f64, sun: f64) -> (f64, f64) {
    let (sp, cp) = POLE_DEG.0.to_radians().sin_cos();
    let (sl, cl) = lat.sin_cos();
    let (so, co) = (lon - POLE_DEG.1.to_radians()).sin_cos();
    let sin_mag = (sp * sl + cp * cl * co).clamp(-1.0, 1.0);
    (sin_mag, (cl * so * cp).atan2(sp * sin_mag - sl) - sun)
}

/// BDGIM at one instant: what depends on the time alone is worked out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BdgimAt {
    /// Coefficients by degree and order, normalised, of the cosines and sines of the longitude.
    cosine: [[f64; DEGREES]; DEGREES],
    sine: [[f64; DEGREES]; DEGREES],
    sun: f64,
    /// Lowest VTEC, TECu.
    floor: f64,
}

impl Bdgim {
    /// The model at modified Julian date `mjd` (UT).
    pub(crate) fn at(&self, mjd: f64) -> BdgimAt {
        let share = match self.alpha[0] {
            a if a <= 12.0 => 4.0,
            a if a <= 20.0 => 6.0,
            a if a <= 35.0 => 8.0,
            _ => 10.0,
        };
        let mut at = BdgimAt {
            cosine: [[0.0; DEGREES]; DEGREES],
            sine: [[0.0; DEGREES]; DEGREES],
            sun: sun_longitude(mjd),
            floor: (self.alpha[0] / share).max(0.0),
        };
        for (degree, alpha) in BROADCAST.into_iter().zip(self.alpha) {
            at.add(degree, alpha);
        }
        // The coefficients that are not broadcast hold for two hours at a time.
        let t = mjd.floor() + ((mjd.rem_euclid(1.0) * 12.0).floor() + 0.5) / 12.0;
        let phases = PERIODS_DAYS.map(|period| (TAU / period * t).sin_cos());
        for term in &TERMS {
            let waves = term.waves.iter().zip(&phases);
            at.add(term.degree, term.mean + waves.map(|((a, b), (s, c))| a * c + b * s).sum::<f64>());
        }
        at
    }
}

impl BdgimAt {
    fn add(&mut self, (n, m): (i32, i32), value: f64) {
        let table = if m >= 0 { &mut self.cosine } else { &mut self.sine };
        table[n.unsigned_abs() as usize][m.unsigned_abs() as usize] += value * norm(n, m.abs());
    }

    /// The sum of the terms where the sine of the latitude and the longitude (rad) are these, TECu.
    fn sum(&self, sin_lat: f64, lon: f64) -> f64 {
        let cos_lat = (1.0 - sin_lat * sin_lat).max(0.0).sqrt();
        let (sin_lon, cos_lon) = lon.sin_cos();
        // Cosine and sine of m times the longitude; Legendre function of degree and order m, without (-1)^m.
        let (mut c, mut s) = (1.0, 0.0);
        let mut diagonal = 1.0;
        let mut sum = 0.0;
        for m in 0..DEGREES {
            let (mut p, mut before) = (diagonal, 0.0);
            for n in m..DEGREES {
                sum += p * (self.cosine[n][m] * c + self.sine[n][m] * s);
                let next = (sin_lat * (2 * n + 1) as f64 * p - (n + m) as f64 * before) / (n + 1 - m) as f64;
                (before, p) = (p, next);
            }
            diagonal *= (2 * m + 1) as f64 * cos_lat;
            (c, s) = (c * cos_lon - s * sin_lon, s * cos_lon + c * sin_lon);
        }
        sum
    }

    /// Vertical electron content in TECu over a geographic point (rad) as the ICD's formula gives it.
    fn vtec_unbounded(&self, lat: f64, lon: f64) -> f64 {
        let (sin_lat, sun_lon) = sun_fixed(lat, lon, self.sun);
        self.sum(sin_lat, sun_lon)
    }

    /// As `vtec_unbounded`, not below a floor. The ICD has no floor, but the series can go negative at night
    /// far from its monitoring stations; this one is the model authors': a share of alpha1 (the mean VTEC).
    fn vtec(&self, lat: f64, lon: f64) -> f64 {
        self.vtec_unbounded(lat, lon).max(self.floor)
    }

    /// Slant delay in m.
    pub(crate) fn delay_m(&self, rx: Geodetic, azel: Azel, carrier_hz: f64) -> f64 {
        let shell = RADIUS_M / (RADIUS_M + LAYER_M) * azel.elevation.cos();
        let (lat, lon) = super::pierce_point(rx, azel, shell);
        let slant = 1.0 / (1.0 - shell * shell).sqrt();
        slant * TECU_M_HZ2 / (carrier_hz * carrier_hz) * self.vtec(lat, lon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Values that the model authors' own program gives.
    fn vectors() -> Option<Value> {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/icd/vectors/bdgim.json");
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(serde_json::from_str(&text).unwrap()),
            Err(_) => {
                eprintln!("SKIPPED: {} is absent", path.display());
                None
            }
        }
    }

    #[test]
    fn agrees_with_the_model_authors() {
        let Some(v) = vectors() else { return };
        let sets: Vec<[f64; 9]> = serde_json::from_value(v["alpha"].clone()).unwrap();
        let cases = v["cases"].as_array().unwrap();
        assert!(cases.len() >= 18);
        let mut floors = 0;
        for case in cases {
            let f = |name: &str| case[name].as_f64().unwrap();
            let (lat, lon, mjd) = (f("ipp_lat"), f("ipp_lon"), f("mjd"));
            let (sin_mag, sun) = sun_fixed(lat, lon, sun_longitude(mjd));
            let off = (sun - f("sun_lon") + PI).rem_euclid(TAU) - PI;
            assert!((sin_mag.asin() - f("mag_lat")).abs() < 1e-9 && off.abs() < 1e-8, "{case}");
            // Their program applies the floor, and says where.
            let model = Bdgim { alpha: sets[case["set"].as_u64().unwrap() as usize] };
            let model = model.at(mjd);
            let vtec = model.vtec(lat, lon);
            assert!((vtec - f("vtec")).abs() < 1e-6, "{vtec} {case}");
            let floored = case["floor_applied"].as_bool().unwrap();
            floors += u32::from(floored);
            assert_eq!(floored, model.vtec_unbounded(lat, lon) < vtec, "{case}");
        }
        eprintln!("{} cases, {floors} at the floor", cases.len());
    }

    #[test]
    fn base_functions_are_normalised() {
        // The mean over the sphere of the square of each is 1: sum over a fine grid.
        for degree in BROADCAST.into_iter().chain(TERMS.iter().map(|t| t.degree)) {
            let (cosine, sine) = ([[0.0; DEGREES]; DEGREES], [[0.0; DEGREES]; DEGREES]);
            let mut alone = BdgimAt { cosine, sine, sun: 0.0, floor: 0.0 };
            alone.add(degree, 1.0);
            let (mut sum, mut weight) = (0.0, 0.0);
            for i in 0..180 {
                let lat = (f64::from(i) - 89.5f64).to_radians();
                for j in 0..72 {
                    let value = alone.sum(lat.sin(), f64::from(j * 5).to_radians());
                    sum += value * value * lat.cos();
                    weight += lat.cos();
                }
            }
            assert!((sum / weight - 1.0).abs() < 1e-3, "{degree:?}: {}", sum / weight);
        }
    }
}
