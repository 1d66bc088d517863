//! Positions and messages to NMEA, GeoJSON, KML, GPX, JSON lines and RTKLIB's `.pos`.
//!
//! ```
//! use megrez_orbit::GnssTime;
//! use megrez_output::{NmeaEpoch, NmeaOptions, NmeaWriter};
//!
//! let mut text = Vec::new();
//! let mut nmea = NmeaWriter::new(&mut text, NmeaOptions::default());
//! // Before the first fix the time may be known already.
//! nmea.epoch(&NmeaEpoch { time: Some(GnssTime::from_gpst(2394, 18.0)), ..NmeaEpoch::default() })?;
//! nmea.finish()?;
//! let text = String::from_utf8(text)?;
//! assert!(text.starts_with("$GNGGA,000000.00,,,,,0,00,,,M,,M,,*"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * [`NmeaWriter`]: NMEA 0183 4.11 sentences.
//! * [`SolutionLog`], [`SolutionRecord`]: one JSON object a line for each position (`solution.jsonl`).
//! * [`MessageLog`], [`MessageRecord`]: one JSON object a line for each navigation subframe
//!   (`messages.jsonl`).
//! * [`PosWriter`]: positions in the columns of RTKLIB (`solution.pos`).
//! * [`Summary`], [`SummaryBuilder`]: what a run came to (`summary.json`).
//! * [`GeoJsonWriter`], [`KmlWriter`], [`GpxWriter`]: tracks for maps.
//!
//! Text depends on nothing but the records: no clock, no locale. Heights are above the ellipsoid everywhere.

mod error;
mod geojson;
mod gpx;
mod kml;
mod message;
mod nmea;
mod pos;
mod record;
mod summary;
mod text;

use megrez_pvt::Solution;

pub use error::OutputError;
pub use geojson::GeoJsonWriter;
pub use gpx::GpxWriter;
pub use kml::KmlWriter;
pub use message::{MessageLog, MessageRecord};
pub use nmea::{BeidouTalker, NmeaEpoch, NmeaOptions, NmeaWriter, checksum};
pub use pos::{PosHeader, PosQuality, PosRecord, PosWriter};
pub use record::{DopRecord, SatRecord, SolutionLog, SolutionRecord};
pub use summary::{
    ErrorSummary, InputSummary, MeanPosition, SatSummary, SignalSummary, StreamSummary, Summary,
    SummaryBuilder,
};

/// Something that takes positions.
pub trait SolutionSink {
    /// Takes the next position.
    fn solution(&mut self, solution: &Solution) -> Result<(), OutputError>;

    /// Completes and flushes the output. Nothing may follow; a second call does nothing.
    fn finish(&mut self) -> Result<(), OutputError>;
}
