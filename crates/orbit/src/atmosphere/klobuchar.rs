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
