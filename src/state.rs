//! What one run leaves for the next: ephemerides, position, time and oscillator offset.

use megrez_orbit::{Ecef, GnssTime, NavData};
use megrez_rinex::FileInfo;
use serde::{Deserialize, Serialize};

/// Knowledge for a hot start.
#[derive(Debug, Clone)]
pub struct HotStart {
    /// Time of the last fix.
    pub time: GnssTime,
    /// Position of the last fix.
    pub position: Ecef,
    /// Relative frequency error of the oscillator in parts per million.
    pub oscillator_ppm: f64,
    /// Ephemerides, ionosphere, UTC.
    pub nav: NavData,
}

/// Why a state cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Not JSON of the right form.
    #[error("not a state file: {0}")]
    Form(#[from] serde_json::Error),
    /// Written by another version.
    #[error("state of version {found}, this program reads version {VERSION}")]
    Version {
        /// Version found.
        found: u32,
    },
    /// A value that cannot be.
    #[error("state with an impossible {0}")]
    Value(&'static str),
    /// The navigation part cannot be read or written.
    #[error("navigation data in the state: {0}")]
    Nav(String),
}

const VERSION: u32 = 1;

/// The file: JSON, with the navigation data as RINEX.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    gps_week: i64,
    gps_tow_s: f64,
    ecef_m: [f64; 3],
    oscillator_ppm: f64,
    rinex_nav: String,
}

impl HotStart {
    /// The state as text.
    ///
    /// # Errors
    /// When the navigation data cannot be written.
    pub fn to_json(&self) -> Result<String, StateError> {
        let mut nav = Vec::new();
        let info = FileInfo { program: "megrez".into(), date: Some(self.time), ..FileInfo::default() };
        megrez_rinex::write_nav(&mut nav, &self.nav, &info)
            .map_err(|error| StateError::Nav(error.to_string()))?;
        let (gps_week, gps_tow_s) = self.time.gpst();
        Ok(serde_json::to_string_pretty(&File {
            version: VERSION,
            gps_week,
            gps_tow_s,
            ecef_m: [self.position.x, self.position.y, self.position.z],
            oscillator_ppm: self.oscillator_ppm,
            rinex_nav: String::from_utf8_lossy(&nav).into_owned(),
        })?)
    }

    /// Reads what `to_json` wrote.
    ///
    /// # Errors
    /// When the text is no state, is of another version, or holds impossible values.
    pub fn from_json(text: &str) -> Result<Self, StateError> {
        let file: File = serde_json::from_str(text)?;
        if file.version != VERSION {
            return Err(StateError::Version { found: file.version });
        }
        if !(0..=100_000).contains(&file.gps_week) || !(0.0..604_800.0).contains(&file.gps_tow_s) {
            return Err(StateError::Value("time"));
        }
        let [x, y, z] = file.ecef_m;
        let position = Ecef { x, y, z };
        if !(5e6..=1e8).contains(&position.norm()) {
            return Err(StateError::Value("position"));
        }
        if !(-1000.0..=1000.0).contains(&file.oscillator_ppm) {
            return Err(StateError::Value("oscillator offset"));
        }
        let nav = megrez_rinex::read_nav_from(file.rinex_nav.as_bytes())
            .map_err(|error| StateError::Nav(error.to_string()))?;
        Ok(Self {
            time: GnssTime::from_gpst(file.gps_week, file.gps_tow_s),
            position,
            oscillator_ppm: file.oscillator_ppm,
            nav: nav.nav,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn state() -> HotStart {
        HotStart {
            time: GnssTime::from_gpst(2408, 280_800.25),
            position: Ecef { x: -2_267_830.8, y: 5_009_348.7, z: 3_220_982.6 },
            oscillator_ppm: -1.25,
            nav: NavData::default(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let back = HotStart::from_json(&state().to_json().unwrap()).unwrap();
        assert_eq!((back.time, back.position, back.oscillator_ppm), {
            let s = state();
            (s.time, s.position, s.oscillator_ppm)
        });
    }

    #[test]
    fn states_that_cannot_be_are_named() {
        let text = state().to_json().unwrap();
        let message =
            |from: &str, to: &str| HotStart::from_json(&text.replace(from, to)).err().unwrap().to_string();
        assert_eq!(
            message("\"version\": 1", "\"version\": 9"),
            "state of version 9, this program reads version 1"
        );
        assert_eq!(message("280800.25", "-1.0"), "state with an impossible time");
        assert_eq!(message("-2267830.8", "1e300"), "state with an impossible position");
        assert_eq!(message("-1.25", "5000.0"), "state with an impossible oscillator offset");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,300}", cut in 0usize..2000) {
            let _ = HotStart::from_json(&text);
            let good = state().to_json().unwrap();
            let cut = good.chars().take(cut).collect::<String>();
            prop_assert!(good == cut || HotStart::from_json(&cut).is_err());
        }
    }
}
