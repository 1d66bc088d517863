//! The neutral atmosphere without weather data.

use std::f64::consts::TAU;

use crate::{Geodetic, GnssTime, TimeScale};

/// A quantity at 15, 30, 45, 60 and 75 degrees of latitude: yearly mean and seasonal amplitude.
struct Climate {
    mean: [f64; 5],
    season: [f64; 5],
}

// Mean climate at sea level by latitude (RTCA DO-229, appendix A.4.2.4).
/// Pressure, hPa.
const PRESSURE: Climate = Climate {
    mean: [1013.25, 1017.25, 1015.75, 1011.75, 1013.00],
    season: [0.0, -3.75, -2.25, -1.75, -0.50],
};
/// Temperature, K.
const TEMPERATURE: Climate =
    Climate { mean: [299.65, 294.15, 283.15, 272.15, 263.65], season: [0.0, 7.0, 11.0, 15.0, 14.5] };
/// Water vapour pressure, hPa.
const VAPOUR: Climate =
    Climate { mean: [26.31, 21.79, 11.66, 6.78, 4.11], season: [0.0, 8.85, 7.24, 5.36, 3.39] };
/// Temperature lapse rate, K/m.
const LAPSE: Climate = Climate {
    mean: [6.30e-3, 6.05e-3, 5.58e-3, 5.39e-3, 4.53e-3],
    season: [0.0, 0.25e-3, 0.32e-3, 0.81e-3, 0.62e-3],
};
/// Exponent of the water vapour's decrease with height.
const VAPOUR_LAPSE: Climate =
    Climate { mean: [2.77, 3.15, 2.57, 1.81, 1.55], season: [0.0, 0.33, 0.46, 0.74, 0.30] };

/// Niell's mapping functions (J. Geophys. Res. 101(B2), 1996, tables 3 and 4): coefficients a, b, c.
const HYDROSTATIC: [Climate; 3] = [
    Climate {
        mean: [1.2769934e-3, 1.2683230e-3, 1.2465397e-3, 1.2196049e-3, 1.2045996e-3],
        season: [0.0, 1.2709626e-5, 2.6523662e-5, 3.4000452e-5, 4.1202191e-5],
    },
    Climate {
        mean: [2.9153695e-3, 2.9152299e-3, 2.9288445e-3, 2.9022565e-3, 2.9024912e-3],
        season: [0.0, 2.1414979e-5, 3.0160779e-5, 7.2562722e-5, 11.723375e-5],
    },
    Climate {
        mean: [62.610505e-3, 62.837393e-3, 63.721774e-3, 63.824265e-3, 64.258455e-3],
        season: [0.0, 9.0128400e-5, 4.3497037e-5, 84.795348e-5, 170.37206e-5],
    },
];
const WET: [[f64; 5]; 3] = [
    [5.8021897e-4, 5.6794847e-4, 5.8118019e-4, 5.9727542e-4, 6.1641693e-4],
    [1.4275268e-3, 1.5138625e-3, 1.4572752e-3, 1.5007428e-3, 1.7599082e-3],
    [4.3472961e-2, 4.6729510e-2, 4.3908931e-2, 4.4626982e-2, 5.4736038e-2],
];
const HEIGHT: [f64; 3] = [2.53e-5, 5.49e-3, 1.14e-3];

/// Lowest elevation for which the mapping is evaluated, rad: below it, the delay stays.
const LOWEST: f64 = 2.0 * std::f64::consts::PI / 180.0;

/// Linear interpolation in |latitude|, held constant outside the table.
fn at_latitude(table: &[f64; 5], lat_deg: f64) -> f64 {
    let x = ((lat_deg.abs() - 15.0) / 15.0).clamp(0.0, 4.0);
    let (mut below, mut value) = (table[0], table[0]);
    for (step, &above) in table.iter().enumerate().skip(1) {
        let share = x - (step as f64 - 1.0);
        if share > 0.0 {
            value = below + (above - below) * share.min(1.0);
        }
        below = above;
    }
    value
}

impl Climate {
    /// The quantity at a latitude; `season` is +1 in midwinter (day 28 in the north), -1 in midsummer.
    fn at(&self, lat_deg: f64, season: f64) -> f64 {
        at_latitude(&self.mean, lat_deg) - at_latitude(&self.season, lat_deg) * season
    }
}

/// Marini's continued fraction, 1 at the zenith.
fn marini([a, b, c]: [f64; 3], sin_e: f64) -> f64 {
    (1.0 + a / (1.0 + b / (1.0 + c))) / (sin_e + a / (sin_e + b / (sin_e + c)))
}

/// The neutral atmosphere over a place at a time: Saastamoinen's hydrostatic zenith delay and the wet delay of a
/// mean climate by latitude and season, each with Niell's mapping function.
#[derive(Debug, Clone, Copy)]
pub struct Troposphere {
    hydrostatic_m: f64,
    wet_m: f64,
    /// Coefficients of the mapping functions.
    hydrostatic: [f64; 3],
    wet: [f64; 3],
    height_km: f64,
}

impl Troposphere {
    /// The atmosphere over `rx` at `t`. Heights count as -1 to 40 km.
    pub fn new(rx: Geodetic, t: GnssTime) -> Self {
        let lat = rx.lat_deg.clamp(-90.0, 90.0);
        let height = rx.height_m.clamp(-1000.0, 40_000.0);
        let midwinter = if lat < 0.0 { 28.0 + 365.25 / 2.0 } else { 28.0 };
        let season = (TAU * (day_of_year(t) - midwinter) / 365.25).cos();

        // Gas constant of dry air J/(kg K), gravity m/s², gravity at the mass centre of the column.
        const GAS: f64 = 287.054;
        const GRAVITY: f64 = 9.80665;
        const COLUMN_GRAVITY: f64 = 9.784;
        let temperature = TEMPERATURE.at(lat, season);
        let lapse = LAPSE.at(lat, season);
        let vapour_lapse = VAPOUR_LAPSE.at(lat, season) + 1.0;
        let ratio = (1.0 - lapse * height / temperature).max(0.0);
        let pressure = PRESSURE.at(lat, season) * ratio.powf(GRAVITY / (GAS * lapse));
        let gravity = 1.0 - 0.00266 * (2.0 * lat.to_radians()).cos() - 0.00028 * height / 1000.0;
        // k3' = 3.82e5 K²/hPa.
        let wet_sea_level = 1e-6 * 3.82e5 * GAS / (COLUMN_GRAVITY * vapour_lapse - lapse * GAS)
            * VAPOUR.at(lat, season)
            / temperature;
        Self {
            hydrostatic_m: 0.002_276_8 * pressure / gravity,
            wet_m: wet_sea_level * ratio.powf(vapour_lapse * GRAVITY / (GAS * lapse) - 1.0),
            hydrostatic: HYDROSTATIC.each_ref().map(|c| c.at(lat, season)),
            wet: WET.each_ref().map(|c| at_latitude(c, lat)),
            height_km: height / 1000.0,
        }
    }

    /// Delay in m at `elevation` (rad). Elevations below 2° count as 2°.
    pub fn delay_m(&self, elevation: f64) -> f64 {
        let sin_e = elevation.clamp(LOWEST, std::f64::consts::FRAC_PI_2).sin();
        let hydrostatic =
            marini(self.hydrostatic, sin_e) + (1.0 / sin_e - marini(HEIGHT, sin_e)) * self.height_km;
        self.hydrostatic_m * hydrostatic + self.wet_m * marini(self.wet, sin_e)
    }
}

/// Delay in m of the neutral atmosphere at `elevation` (rad) from `rx` at `t`: see [`Troposphere`].
pub fn troposphere_delay_m(rx: Geodetic, elevation: f64, t: GnssTime) -> f64 {
    Troposphere::new(rx, t).delay_m(elevation)
}

/// Day of the year with its fraction, from 1.
fn day_of_year(t: GnssTime) -> f64 {
    let civil = t.civil(TimeScale::Gpst);
    let start = crate::CivilTime { year: civil.year, month: 1, day: 1, hour: 0, minute: 0, second: 0.0 };
    (t - GnssTime::from_civil(TimeScale::Gpst, start)) / 86_400.0 + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(lat: f64, height_m: f64, elevation_deg: f64, day: f64) -> f64 {
        let t = GnssTime::from_civil(
            TimeScale::Gpst,
            crate::CivilTime { year: 2023, month: 1, day: 1, hour: 0, minute: 0, second: 0.0 },
        );
        let rx = Geodetic::new(lat, 10.0, height_m);
        troposphere_delay_m(rx, elevation_deg.to_radians(), t + (day - 1.0) * 86_400.0)
    }

    #[test]
    fn zenith_delay_is_that_of_the_tables() {
        // 45 degrees north at midwinter, from the tables by hand: 1018.00 hPa, 4.42 hPa, 272.15 K, lapse
        // 5.26e-3 K/m, lambda 2.11; hydrostatic 0.0022768 x 1018.00 m.
        let wet = 1e-6 * 3.82e5 * 287.054 / (9.784 * 3.11 - 5.26e-3 * 287.054) * 4.42 / 272.15;
        let found = at(45.0, 0.0, 90.0, 28.0);
        assert!((found - (0.002_276_8 * 1018.00 + wet)).abs() < 1e-4, "{found} {wet}");
        // A third of the air is below 3.3 km.
        let ratio = at(45.0, 3300.0, 90.0, 28.0) / found;
        assert!((0.62..0.68).contains(&ratio), "{ratio}");
        // The south has its winter half a year later.
        let (north, south) = (at(45.0, 0.0, 90.0, 28.0), at(-45.0, 0.0, 90.0, 28.0 + 365.25 / 2.0));
        assert!((north - south).abs() < 1e-9);
    }

    #[test]
    fn mapping_is_that_of_niell() {
        // Niell's dry mapping function is about 10.15 at 5 degrees, the cosecant 11.47.
        let ratio = at(45.0, 0.0, 5.0, 28.0) / at(45.0, 0.0, 90.0, 28.0);
        assert!((10.1..10.4).contains(&ratio), "{ratio}");
        assert_eq!(at(45.0, 0.0, 1.0, 28.0), at(45.0, 0.0, -30.0, 28.0));
    }

    proptest! {
        #[test]
        fn always_sensible(lat in -90.0..90.0f64, h in -2e4..1e6f64, el in -90.0..90.0f64, day in 1.0..366.0f64) {
            let d = at(lat, h, el, day);
            prop_assert!((0.0..120.0).contains(&d), "{d}");
            prop_assert!(at(lat, h, el.max(3.0) + 1.0, day) <= at(lat, h, el.max(3.0), day));
        }
    }
}
