//! Half a cosine over the day: the eight-parameter models of GPS and BDS.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use megrez_signal::{SPEED_OF_LIGHT, SignalId};

use crate::{Azel, Geodetic, GnssTime, TimeScale};

/// Coefficients of an eight-parameter model, GPS or BDS: `alpha[n]` in s per semicircle^n for the amplitude,
/// `beta[n]` likewise for the period.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Klobuchar {
    /// Amplitude.
    pub alpha: [f64; 4],
    /// Period.
    pub beta: [f64; 4],
}

/// Radius of the earth in the BDS model, m.
const BDS_RADIUS_M: f64 = 6_378e3;
/// Height of the shell in the BDS model, m.
const BDS_SHELL_M: f64 = 375e3;
/// Delay at night, s.
const NIGHT_S: f64 = 5e-9;

fn polynomial(c: &[f64; 4], x: f64) -> f64 {
    c.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}

impl Klobuchar {
    /// For want of broadcast coefficients: those GPS sent on 2004-01-01, years after a solar maximum and
    /// before a minimum, so neither extreme. At mid-latitudes they remove about half of the delay in an
    /// ordinary year.
    pub const TYPICAL: Self = Self {
        alpha: [1.118e-8, -7.451e-9, -5.961e-8, 1.192e-7],
        beta: [1.167e5, -2.294e5, -1.311e5, 1.049e6],
    };

    /// The GPS model (IS-GPS-200 section 20.3.3.5.2.5), in m; angles inside are semicircles.
    pub(crate) fn gps_delay_m(&self, t: GnssTime, rx: Geodetic, azel: Azel, carrier_hz: f64) -> f64 {
        let elevation = azel.elevation / PI;
        let psi = 0.0137 / (elevation + 0.11) - 0.022;
        let phi = (rx.lat_deg / 180.0 + psi * azel.azimuth.cos()).clamp(-0.416, 0.416);
        let lambda = rx.lon_deg / 180.0 + psi * azel.azimuth.sin() / (phi * PI).cos();
        let phi_m = phi + 0.064 * ((lambda - 1.617) * PI).cos();
        let (_, tow) = t.gpst();
        let local = (43_200.0 * lambda + tow).rem_euclid(86_400.0);
        let slant = 1.0 + 16.0 * (0.53 - elevation).powi(3);
        let amplitude = polynomial(&self.alpha, phi_m).max(0.0);
        let period = polynomial(&self.beta, phi_m).max(72_000.0);
        let x = TAU * (local - 50_400.0) / period;
        let day = if x.abs() < 1.57 { amplitude * (1.0 - x * x / 2.0 + x.powi(4) / 24.0) } else { 0.0 };
        let ratio = SignalId::L1CA.def().carrier_hz / carrier_hz;
        SPEED_OF_LIGHT * slant * (NIGHT_S + day) * ratio * ratio
    }

    /// The BDS model (BDS-SIS-ICD-B1I-3.0 section 5.2.4.7), in m: geographic latitude, 375 km shell, true
    /// cosine, reference carrier B1I.
    pub(crate) fn bds_delay_m(&self, t: GnssTime, rx: Geodetic, azel: Azel, carrier_hz: f64) -> f64 {
        let shell = BDS_RADIUS_M / (BDS_RADIUS_M + BDS_SHELL_M) * azel.elevation.cos();
        let pierce = super::pierce_point(rx, azel, shell);
        let (_, tow) = t.week_tow(TimeScale::Bdt);
        let local = (tow.rem_euclid(86_400.0) + pierce.1 * 43_200.0 / PI).rem_euclid(86_400.0);
        let x = pierce.0.abs() / PI;
        let amplitude = polynomial(&self.alpha, x).max(0.0);
        let period = polynomial(&self.beta, x).clamp(72_000.0, 172_800.0);
        let phase = TAU * (local - 50_400.0) / period;
        let day = if phase.abs() < FRAC_PI_2 { amplitude * phase.cos() } else { 0.0 };
        let ratio = SignalId::B1I.def().carrier_hz / carrier_hz;
        SPEED_OF_LIGHT * (NIGHT_S + day) / (1.0 - shell * shell).sqrt() * ratio * ratio
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn bds_model_gives_the_reference_values() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/icd/vectors/bds_klobuchar.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: {} is absent", path.display());
            return;
        };
        let v: Value = serde_json::from_str(&text).unwrap();
        let k = Klobuchar {
            alpha: serde_json::from_value(v["alpha"].clone()).unwrap(),
            beta: serde_json::from_value(v["beta"].clone()).unwrap(),
        };
        let cases = v["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let f = |name: &str| case[name].as_f64().unwrap();
            let azel = Azel { azimuth: f("az").to_radians(), elevation: f("el").to_radians() };
            let rx = Geodetic::new(f("lat"), f("lon"), 0.0);
            let t = GnssTime::from_bdt(896, f("tod"));
            let delay = k.bds_delay_m(t, rx, azel, 1_561.098e6) / SPEED_OF_LIGHT;
            assert!((delay - f("delay_s")).abs() < 1e-15, "{delay} {case}");
            let b1c = k.bds_delay_m(t, rx, azel, 1_575.42e6) / SPEED_OF_LIGHT;
            assert!((b1c / delay - (1_561.098f64 / 1_575.42).powi(2)).abs() < 1e-12);
        }
    }

    #[test]
    fn gps_model_gives_the_worked_example() {
        // The example that circulates with the model (Klobuchar; also in the documentation of several
        // programs): 40 N, 100 W, azimuth 210, elevation 20, 20:45:00: 23.784 m.
        let k = Klobuchar {
            alpha: [0.3820e-7, 0.1490e-7, -0.1790e-6, 0.0],
            beta: [0.1430e6, 0.0, -0.3280e6, 0.1130e6],
        };
        let azel = Azel { azimuth: 210f64.to_radians(), elevation: 20f64.to_radians() };
        let t = GnssTime::from_gpst(0, 593_100.0);
        let delay = k.gps_delay_m(t, Geodetic::new(40.0, -100.0, 0.0), azel, 1_575.42e6);
        assert!((delay - 23.784).abs() < 1e-3, "{delay}");
    }
}
