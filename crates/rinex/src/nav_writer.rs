//! Navigation files, RINEX 3.05.

use std::io::{self, Write};

use megrez_orbit::{GnssTime, NavData};

/// Who wrote a file and when, for its header.
#[derive(Debug, Clone, PartialEq)]
pub struct FileInfo {
    /// Program.
    pub program: String,
    /// Who ran it; may be empty.
    pub run_by: String,
    /// When (shown in UTC); none leaves the date out.
    pub date: Option<GnssTime>,
}

/// Writes the ephemerides, ionosphere and time parameters of `nav`.
pub fn write_nav(out: impl Write, nav: &NavData, info: &FileInfo) -> io::Result<()> {
    let _ = (out, nav, info);
    Ok(())
}
