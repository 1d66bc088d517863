//! BDGIM, the BeiDou global ionospheric delay correction model (BDS-SIS-ICD-B1C-1.0 section 7.8).

use std::f64::consts::{PI, TAU};

use crate::{Azel, Geodetic, GnssTime};

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

/// Normalised associated Legendre function of degree `n` and order `m`, without the (-1)^m phase.
fn legendre(n: i32, m: i32, x: f64) -> f64 {
    let root = (1.0 - x * x).max(0.0).sqrt();
    let mut p = (0..m).map(|i| f64::from(2 * i + 1) * root).product::<f64>();
    let mut before = 0.0;
    for k in m + 1..=n {
        let next = (x * f64::from(2 * k - 1) * p - f64::from(k + m - 1) * before) / f64::from(k - m);
        (before, p) = (p, next);
    }
    // (n - m)! / (n + m)!
    let ratio: f64 = (n - m + 1..=n + m).map(|i| 1.0 / f64::from(i)).product();
    p * (f64::from(2 * n + 1) * if m == 0 { 1.0 } else { 2.0 } * ratio).sqrt()
}

/// The base function A of a degree and order at a sun-fixed geomagnetic position (rad).
fn base((n, m): (i32, i32), sin_lat: f64, lon: f64) -> f64 {
    let angle = f64::from(m.abs()) * lon;
    legendre(n, m.abs(), sin_lat) * if m >= 0 { angle.cos() } else { angle.sin() }
}

/// Geomagnetic latitude and sun-fixed geomagnetic longitude (rad) of a geographic point.
fn sun_fixed(lat: f64, lon: f64, mjd: f64) -> (f64, f64) {
    let (pole_lat, pole_lon) = (POLE_DEG.0.to_radians(), POLE_DEG.1.to_radians());
    let (sp, cp) = pole_lat.sin_cos();
    let (sl, cl) = lat.sin_cos();
    let sin_mag = (sp * sl + cp * cl * (lon - pole_lon).cos()).clamp(-1.0, 1.0);
    let mag_lon = (cl * (lon - pole_lon).sin() * cp).atan2(sp * sin_mag - sl);
    let sun = PI * (1.0 - 2.0 * mjd.rem_euclid(1.0));
    let sun_mag = (sun - pole_lon).sin().atan2(sp * (sun - pole_lon).cos());
    let (s, c) = (mag_lon - sun_mag).sin_cos();
    (sin_mag.asin(), s.atan2(c))
}

/// The part of the VTEC that is not broadcast, TECu. Its coefficients hold for two hours at a time.
fn background(sin_lat: f64, lon: f64, mjd: f64) -> f64 {
    let t = mjd.floor() + ((mjd.rem_euclid(1.0) * 12.0).floor() + 0.5) / 12.0;
    let phases = PERIODS_DAYS.map(|period| (TAU / period * t).sin_cos());
    TERMS
        .iter()
        .map(|term| {
            let waves = term.waves.iter().zip(&phases);
            let beta = term.mean + waves.map(|((a, b), (s, c))| a * c + b * s).sum::<f64>();
            beta * base(term.degree, sin_lat, lon)
        })
        .sum()
}

impl Bdgim {
    /// Vertical electron content in TECu over a geographic point (rad) as the ICD's formula gives it, at
    /// modified Julian date `mjd` (UT).
    pub(crate) fn vtec_unbounded(&self, lat: f64, lon: f64, mjd: f64) -> f64 {
        let (mag_lat, sun_lon) = sun_fixed(lat, lon, mjd);
        let sin_lat = mag_lat.sin();
        let sent = self.alpha.iter().zip(BROADCAST).map(|(a, degree)| a * base(degree, sin_lat, sun_lon));
        sent.sum::<f64>() + background(sin_lat, sun_lon, mjd)
    }

    /// As `vtec_unbounded`, not below a floor. The ICD has no floor, but the series can go negative at night
    /// far from its monitoring stations; this one is the model authors': a share of alpha1 (the mean VTEC).
    pub(crate) fn vtec(&self, lat: f64, lon: f64, mjd: f64) -> f64 {
        let share = match self.alpha[0] {
            a if a <= 12.0 => 4.0,
            a if a <= 20.0 => 6.0,
            a if a <= 35.0 => 8.0,
            _ => 10.0,
        };
        self.vtec_unbounded(lat, lon, mjd).max(self.alpha[0] / share).max(0.0)
    }

    /// Slant delay in m.
    pub(crate) fn delay_m(&self, t: GnssTime, rx: Geodetic, azel: Azel, carrier_hz: f64) -> f64 {
        let shell = RADIUS_M / (RADIUS_M + LAYER_M) * azel.elevation.cos();
        let (lat, lon) = super::pierce_point(rx, azel, shell);
        let slant = 1.0 / (1.0 - shell * shell).sqrt();
        slant * TECU_M_HZ2 / (carrier_hz * carrier_hz) * self.vtec(lat, lon, t.mjd_utc())
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
            let (mag, sun) = sun_fixed(lat, lon, mjd);
            assert!((mag - f("mag_lat")).abs() < 1e-9 && (sun - f("sun_lon")).abs() < 1e-8, "{case}");
            // Their program applies the floor, and says where.
            let model = Bdgim { alpha: sets[case["set"].as_u64().unwrap() as usize] };
            let vtec = model.vtec(lat, lon, mjd);
            assert!((vtec - f("vtec")).abs() < 1e-6, "{vtec} {case}");
            let floored = case["floor_applied"].as_bool().unwrap();
            floors += u32::from(floored);
            assert_eq!(floored, model.vtec_unbounded(lat, lon, mjd) < vtec, "{case}");
        }
        eprintln!("{} cases, {floors} at the floor", cases.len());
    }

    #[test]
    fn base_functions_are_normalised() {
        // The mean over the sphere of the square of each is 1: sum over a fine grid.
        for degree in BROADCAST.into_iter().chain(TERMS.iter().map(|t| t.degree)) {
            let (mut sum, mut weight) = (0.0, 0.0);
            for i in 0..180 {
                let lat = (f64::from(i) - 89.5f64).to_radians();
                for j in 0..72 {
                    let value = base(degree, lat.sin(), f64::from(j * 5).to_radians());
                    sum += value * value * lat.cos();
                    weight += lat.cos();
                }
            }
            assert!((sum / weight - 1.0).abs() < 1e-3, "{degree:?}: {}", sum / weight);
        }
    }
}
