use std::collections::HashMap;
use std::io::Write;

use kml::types::{AltitudeMode, Coord, Element, Geometry, LineString, LineStyle, Placemark, Point, Style};
use kml::{Kml, KmlDocument, KmlVersion};
use megrez_pvt::Solution;

use crate::text::{rounded, utc_iso};
use crate::{OutputError, SolutionSink};

const WHAT: &str = "KML";

/// Writes a KML document: the track as a line, then one placemark with a time stamp a position. It is
/// written when finished, at the latest when the writer is dropped.
pub struct KmlWriter<W: Write> {
    out: W,
    name: String,
    track: Vec<Coord>,
    points: Vec<Kml>,
    finished: bool,
}

impl<W: Write> KmlWriter<W> {
    /// Writes a document called `name` to `out`.
    pub fn new(out: W, name: &str) -> Self {
        Self { out, name: name.to_string(), track: Vec::new(), points: Vec::new(), finished: false }
    }

    fn document(&mut self) -> Kml {
        let mut elements = vec![
            Kml::Element(element("name", &self.name)),
            Kml::Style(Style {
                id: Some("track".to_string()),
                line: Some(LineStyle { color: "ff0055ff".to_string(), width: 3.0, ..LineStyle::default() }),
                ..Style::default()
            }),
        ];
        let track = std::mem::take(&mut self.track);
        if track.len() >= 2 {
            elements.push(Kml::Placemark(Placemark {
                name: Some("track".to_string()),
                style_url: Some("#track".to_string()),
                geometry: Some(Geometry::LineString(LineString {
                    coords: track,
                    altitude_mode: AltitudeMode::ClampToGround,
                    ..LineString::default()
                })),
                ..Placemark::default()
            }));
        }
        elements.append(&mut self.points);
        Kml::KmlDocument(KmlDocument {
            version: KmlVersion::V22,
            attrs: HashMap::from([("xmlns".to_string(), "http://www.opengis.net/kml/2.2".to_string())]),
            elements: vec![Kml::Document { attrs: HashMap::new(), elements }],
        })
    }
}

fn element(name: &str, content: &str) -> Element {
    Element { name: name.to_string(), content: Some(content.to_string()), ..Element::default() }
}

impl<W: Write> SolutionSink for KmlWriter<W> {
    fn solution(&mut self, solution: &Solution) -> Result<(), OutputError> {
        if self.finished {
            return Err(OutputError::Finished { what: WHAT });
        }
        let place = solution.geodetic();
        if !(place.lat_deg.is_finite() && place.lon_deg.is_finite() && place.height_m.is_finite()) {
            return Err(OutputError::Encode { what: WHAT, message: "position is no number".to_string() });
        }
        let coord = Coord::new(
            rounded(place.lon_deg, 9),
            rounded(place.lat_deg, 9),
            Some(rounded(place.height_m, 3)),
        );
        let time = utc_iso(solution.time);
        self.track.push(coord);
        self.points.push(Kml::Placemark(Placemark {
            name: Some(time.clone()),
            description: Some(format!(
                "{} satellites, height {:.1} m above the ellipsoid, horizontal standard deviation {:.1} m",
                solution.sats_used(),
                place.height_m,
                solution.horizontal_sigma_m()
            )),
            geometry: Some(Geometry::Point(Point::from(coord))),
            children: vec![Element {
                name: "TimeStamp".to_string(),
                children: vec![element("when", &time)],
                ..Element::default()
            }],
            ..Placemark::default()
        }));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let document = self.document();
        self.out
            .write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
            .map_err(OutputError::write(WHAT))?;
        kml::KmlWriter::from_writer(&mut self.out).write(&document).map_err(OutputError::encode(WHAT))?;
        self.out.write_all(b"\n").and_then(|()| self.out.flush()).map_err(OutputError::write(WHAT))
    }
}

impl<W: Write> Drop for KmlWriter<W> {
    fn drop(&mut self) {
        // A person who wants to know of an error calls `finish`.
        let _ = self.finish();
    }
}
