use std::io::Write;

use geojson::{Feature, FeatureWriter, Geometry, JsonObject};
use megrez_pvt::Solution;

use crate::record::mode_name;
use crate::text::{rounded, utc_iso};
use crate::{OutputError, SolutionSink};

const WHAT: &str = "GeoJSON";

/// Writes a GeoJSON feature collection: one point a position, then the track as a line. Points are written
/// as they come; the document is whole once it is finished, at the latest when the writer is dropped.
pub struct GeoJsonWriter<W: Write> {
    writer: FeatureWriter<W>,
    track: Vec<[f64; 3]>,
    finished: bool,
}

impl<W: Write> GeoJsonWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { writer: FeatureWriter::from_writer(out), track: Vec::new(), finished: false }
    }
}

impl<W: Write> SolutionSink for GeoJsonWriter<W> {
    fn solution(&mut self, solution: &Solution) -> Result<(), OutputError> {
        if self.finished {
            return Err(OutputError::Finished { what: WHAT });
        }
        let place = solution.geodetic();
        if !(place.lat_deg.is_finite() && place.lon_deg.is_finite() && place.height_m.is_finite()) {
            return Err(OutputError::Encode { what: WHAT, message: "position is no number".to_string() });
        }
        let position = [rounded(place.lon_deg, 9), rounded(place.lat_deg, 9), rounded(place.height_m, 4)];
        let mut properties = JsonObject::new();
        properties.insert("time".to_string(), utc_iso(solution.time).into());
        properties.insert("mode".to_string(), mode_name(solution.mode).into());
        properties.insert("sats_used".to_string(), solution.sats_used().into());
        properties.insert("pdop".to_string(), rounded(solution.dop.p, 3).into());
        properties.insert("horizontal_sigma_m".to_string(), rounded(solution.horizontal_sigma_m(), 3).into());
        properties.insert("vertical_sigma_m".to_string(), rounded(solution.vertical_sigma_m(), 3).into());
        if let Some(velocity) = solution.velocity {
            let v = velocity.to_enu(place);
            properties.insert("speed_mps".to_string(), rounded(v.e.hypot(v.n), 3).into());
        }
        let feature = Feature {
            geometry: Some(Geometry::new_point(position)),
            properties: Some(properties),
            ..Feature::default()
        };
        self.writer.write_feature(&feature).map_err(OutputError::encode(WHAT))?;
        self.track.push(position);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        // A line has two ends.
        if self.track.len() >= 2 {
            let mut properties = JsonObject::new();
            properties.insert("name".to_string(), "track".into());
            let feature = Feature {
                geometry: Some(Geometry::new_line_string(self.track.iter().copied())),
                properties: Some(properties),
                ..Feature::default()
            };
            self.writer.write_feature(&feature).map_err(OutputError::encode(WHAT))?;
        }
        self.writer.finish().map_err(OutputError::encode(WHAT))?;
        self.writer.flush().map_err(OutputError::encode(WHAT))
    }
}

impl<W: Write> Drop for GeoJsonWriter<W> {
    fn drop(&mut self) {
        // A person who wants to know of an error calls `finish`.
        let _ = self.finish();
    }
}
