//! What the ionosphere and the troposphere add to a range.

mod bdgim;
mod klobuchar;
mod troposphere;

use crate::{Azel, Geodetic, GnssTime};

use bdgim::BdgimAt;

pub use bdgim::Bdgim;
pub use klobuchar::Klobuchar;
pub use troposphere::{Troposphere, troposphere_delay_m};

/// An ionosphere model with its coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Iono {
    /// No correction.
    #[default]
    None,
    /// GPS, IS-GPS-200 section 20.3.3.5.2.5.
    GpsKlobuchar(Klobuchar),
    /// BDS D1 and D2, BDS-SIS-ICD-B1I-3.0 section 5.2.4.7.
    BdsKlobuchar(Klobuchar),
    /// BDS B-CNAV, BDS-SIS-ICD-B1C-1.0 section 7.8.
    Bdgim(Bdgim),
}

impl Iono {
    /// Delay in m of a code on carrier `carrier_hz`, for a satellite seen at `azel` from `rx` at `t`.
    /// Below the horizon the delay is that at the horizon.
    pub fn delay_m(&self, t: GnssTime, rx: Geodetic, azel: Azel, carrier_hz: f64) -> f64 {
        self.at(t).delay_m(rx, azel, carrier_hz)
    }

    /// The model at `t`, for delays of many satellites.
    pub fn at(&self, t: GnssTime) -> IonoAt {
        let field = match self {
            Self::None => Field::None,
            Self::GpsKlobuchar(k) => Field::GpsKlobuchar(*k),
            Self::BdsKlobuchar(k) => Field::BdsKlobuchar(*k),
            Self::Bdgim(b) => Field::Bdgim(Box::new(b.at(t.mjd_utc()))),
        };
        IonoAt { time: t, field }
    }

    /// Whether `other` is the same model, whatever the coefficients.
    pub fn same_model(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// An ionosphere model at one instant, with what depends on the time alone worked out.
#[derive(Debug, Clone)]
pub struct IonoAt {
    time: GnssTime,
    field: Field,
}

#[derive(Debug, Clone)]
enum Field {
    None,
    GpsKlobuchar(Klobuchar),
    BdsKlobuchar(Klobuchar),
    Bdgim(Box<BdgimAt>),
}

impl IonoAt {
    /// See [`Iono::delay_m`].
    pub fn delay_m(&self, rx: Geodetic, azel: Azel, carrier_hz: f64) -> f64 {
        let azel = Azel { elevation: azel.elevation.clamp(0.0, std::f64::consts::FRAC_PI_2), ..azel };
        match &self.field {
            Field::None => 0.0,
            Field::GpsKlobuchar(k) => k.gps_delay_m(self.time, rx, azel, carrier_hz),
            Field::BdsKlobuchar(k) => k.bds_delay_m(self.time, rx, azel, carrier_hz),
            Field::Bdgim(b) => b.delay_m(rx, azel, carrier_hz),
        }
    }
}

/// Latitude and longitude (rad) where the line of sight crosses a shell; `shell` is R cos(E) / (R + h).
fn pierce_point(rx: Geodetic, azel: Azel, shell: f64) -> (f64, f64) {
    let psi = std::f64::consts::FRAC_PI_2 - azel.elevation - shell.asin();
    let (sp, cp) = psi.sin_cos();
    let (sl, cl) = rx.lat().sin_cos();
    let (sa, ca) = azel.azimuth.sin_cos();
    let lat = (sl * cp + cl * sp * ca).clamp(-1.0, 1.0).asin();
    // The two-argument form of asin(sin psi sin A / cos lat), which stays right near the poles.
    (lat, rx.lon() + (sp * sa).atan2(cp * cl - sl * sp * ca))
}
