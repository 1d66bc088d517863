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
        if !(file.oscillator_ppm.abs() <= 1000.0) {
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
