use std::io::Write;

use gpx::{Fix, Gpx, GpxVersion, Metadata, Track, TrackSegment, Waypoint};
use megrez_pvt::Solution;
use time::OffsetDateTime;

use crate::text::{rounded, unix_nanoseconds};
use crate::{OutputError, SolutionSink};

const WHAT: &str = "GPX";
/// A pause longer than this, in seconds, starts a new segment.
const GAP_S: f64 = 10.0;

/// Writes a GPX 1.1 track, with a new segment after each pause of more than 10 s. It is written when
/// finished, at the latest when the writer is dropped.
pub struct GpxWriter<W: Write> {
    out: W,
    name: String,
    segments: Vec<TrackSegment>,
    last: Option<megrez_orbit::GnssTime>,
    finished: bool,
}

impl<W: Write> GpxWriter<W> {
    /// Writes a track called `name` to `out`.
    pub fn new(out: W, name: &str) -> Self {
        Self { out, name: name.to_string(), segments: Vec::new(), last: None, finished: false }
    }
}

impl<W: Write> SolutionSink for GpxWriter<W> {
    fn solution(&mut self, solution: &Solution) -> Result<(), OutputError> {
        if self.finished {
            return Err(OutputError::Finished { what: WHAT });
        }
        let place = solution.geodetic();
        if !(place.lat_deg.is_finite() && place.lon_deg.is_finite() && place.height_m.is_finite()) {
            return Err(OutputError::Encode { what: WHAT, message: "position is no number".to_string() });
        }
        let time = OffsetDateTime::from_unix_timestamp_nanos(unix_nanoseconds(solution.time))
            .map_err(OutputError::encode(WHAT))?;
        let mut point = Waypoint::new((rounded(place.lon_deg, 9), rounded(place.lat_deg, 9)).into());
        point.elevation = Some(rounded(place.height_m, 3));
        point.time = Some(time.into());
        point.fix = Some(Fix::ThreeDimensional);
        point.sat = Some(solution.sats_used() as u64);
        // A dilution of 0 is unknown.
        let dop = |value: f64| (value > 0.0).then(|| rounded(value, 2));
        (point.hdop, point.vdop, point.pdop) =
            (dop(solution.dop.h), dop(solution.dop.v), dop(solution.dop.p));
        if self.last.is_none_or(|last| (solution.time - last).abs() > GAP_S) {
            self.segments.push(TrackSegment::default());
        }
        self.last = Some(solution.time);
        if let Some(segment) = self.segments.last_mut() {
            segment.points.push(point);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let track = Track {
            name: Some(self.name.clone()),
            segments: std::mem::take(&mut self.segments),
            ..Track::default()
        };
        let document = Gpx {
            version: GpxVersion::Gpx11,
            creator: Some("Megrez".to_string()),
            metadata: Some(Metadata {
                description: Some("elevations are heights above the ellipsoid".to_string()),
                ..Metadata::default()
            }),
            tracks: vec![track],
            ..Gpx::default()
        };
        gpx::write(&document, &mut self.out).map_err(OutputError::encode(WHAT))?;
        self.out.write_all(b"\n").and_then(|()| self.out.flush()).map_err(OutputError::write(WHAT))
    }
}

impl<W: Write> Drop for GpxWriter<W> {
    fn drop(&mut self) {
        // A person who wants to know of an error calls `finish`.
        let _ = self.finish();
    }
}
