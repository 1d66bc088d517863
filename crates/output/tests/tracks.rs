//! GeoJSON, KML and GPX re-read by their libraries; JSON lines and the summary by serde.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod common;

use std::io::{self, Write};

use common::{moved, noon, observations, solution};
use geojson::{GeoJson, GeometryValue};
use kml::Kml;
use kml::types::Geometry;
use megrez_nav::Subframe;
use megrez_orbit::Geodetic;
use megrez_output::{
    GeoJsonWriter, GpxWriter, KmlWriter, MessageLog, MessageRecord, SolutionLog, SolutionRecord,
    SolutionSink, Summary, SummaryBuilder,
};
use megrez_pvt::Solution;
use megrez_signal::{NavMessage, Sat, SignalId};

/// Three fixes, the last one after a pause.
fn track() -> [Solution; 3] {
    [solution(), moved(10.0, 0.0, 0.0, 1.0), moved(20.0, 5.0, 1.0, 31.0)]
}

fn write<'a, S: SolutionSink + 'a>(text: &'a mut Vec<u8>, make: impl FnOnce(&'a mut Vec<u8>) -> S) {
    let mut sink = make(text);
    for s in &track() {
        sink.solution(s).unwrap();
    }
    sink.finish().unwrap();
    sink.finish().unwrap();
}

#[test]
fn geojson_reads_back() {
    let mut text = Vec::new();
    write(&mut text, GeoJsonWriter::new);
    let GeoJson::FeatureCollection(all) = String::from_utf8(text).unwrap().parse::<GeoJson>().unwrap() else {
        panic!("a feature collection expected")
    };
    assert_eq!(all.features.len(), 4);
    let GeometryValue::Point { coordinates } = &all.features[0].geometry.as_ref().unwrap().value else {
        panic!("a point expected")
    };
    assert_eq!(coordinates.as_slice(), [116.25, 40.0, 50.0]);
    let first = &all.features[0];
    assert_eq!(first.property("time").unwrap(), "2026-11-24T12:00:00.000Z");
    assert_eq!(first.property("sats_used").unwrap(), 5);
    assert_eq!(first.property("speed_mps").unwrap(), 10.0);
    assert_eq!(first.property("horizontal_sigma_m").unwrap(), 2.5);
    let GeometryValue::LineString { coordinates } = &all.features[3].geometry.as_ref().unwrap().value else {
        panic!("a line expected")
    };
    assert_eq!(coordinates.len(), 3);
    // 10 m east at 40° N: 10 / (6388 km * cos 40°).
    let east = coordinates[1].as_slice()[0] - 116.25;
    assert!((east - (10.0f64 / 6_386_976.0 / 40f64.to_radians().cos()).to_degrees()).abs() < 2e-8, "{east}");
}

#[test]
fn geojson_without_positions_and_when_dropped() {
    let mut text = Vec::new();
    drop(GeoJsonWriter::new(&mut text));
    assert!(matches!(
        String::from_utf8(text).unwrap().parse::<GeoJson>().unwrap(),
        GeoJson::FeatureCollection(all) if all.features.is_empty()
    ));
    let mut text = Vec::new();
    GeoJsonWriter::new(&mut text).solution(&solution()).unwrap();
    assert!(matches!(
        String::from_utf8(text).unwrap().parse::<GeoJson>().unwrap(),
        GeoJson::FeatureCollection(all) if all.features.len() == 1
    ));
}

fn placemarks(kml: &Kml, found: &mut Vec<kml::types::Placemark>) {
    match kml {
        Kml::KmlDocument(d) => d.elements.iter().for_each(|e| placemarks(e, found)),
        Kml::Document { elements, .. } => elements.iter().for_each(|e| placemarks(e, found)),
        Kml::Placemark(p) => found.push(p.clone()),
        _ => {}
    }
}

#[test]
fn kml_reads_back() {
    let mut text = Vec::new();
    write(&mut text, |out| KmlWriter::new(out, "a <walk> & more"));
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("a &lt;walk&gt; &amp; more"), "{text}");
    let mut found = Vec::new();
    placemarks(&text.parse().unwrap(), &mut found);
    assert_eq!(found.len(), 4);
    let Some(Geometry::LineString(line)) = &found[0].geometry else { panic!("a line expected") };
    assert_eq!(line.coords.len(), 3);
    let Some(Geometry::Point(point)) = &found[1].geometry else { panic!("a point expected") };
    assert_eq!((point.coord.x, point.coord.y, point.coord.z), (116.25, 40.0, Some(50.0)));
    assert_eq!(found[1].name.as_deref(), Some("2026-11-24T12:00:00.000Z"));
    let stamp = found[1].children.iter().find(|e| e.name == "TimeStamp").unwrap();
    assert_eq!(stamp.children[0].content.as_deref(), Some("2026-11-24T12:00:00.000Z"));
}

#[test]
fn gpx_reads_back() {
    let mut text = Vec::new();
    write(&mut text, |out| GpxWriter::new(out, "a <walk> & more"));
    let gpx = gpx::read(text.as_slice()).unwrap();
    assert_eq!(gpx.version, gpx::GpxVersion::Gpx11);
    let [track] = gpx.tracks.as_slice() else { panic!("one track expected") };
    assert_eq!(track.name.as_deref(), Some("a <walk> & more"));
    // The pause of 30 s parts the track.
    assert_eq!(track.segments.iter().map(|s| s.points.len()).collect::<Vec<_>>(), [2, 1]);
    let point = &track.segments[0].points[0];
    assert_eq!((point.point().x(), point.point().y()), (116.25, 40.0));
    assert_eq!((point.elevation, point.sat, point.hdop), (Some(50.0), Some(5), Some(0.9)));
    let time = point.time.unwrap().format().unwrap();
    assert!(time.starts_with("2026-11-24T12:00:00"), "{time}");
}

#[test]
fn empty_tracks_are_valid() {
    let mut text = Vec::new();
    KmlWriter::new(&mut text, "nothing").finish().unwrap();
    assert!(String::from_utf8(text).unwrap().parse::<Kml>().is_ok());
    let mut text = Vec::new();
    GpxWriter::new(&mut text, "nothing").finish().unwrap();
    assert_eq!(gpx::read(text.as_slice()).unwrap().tracks.len(), 1);
}

#[test]
fn nothing_follows_the_end() {
    let mut text = Vec::new();
    let mut writer = GpxWriter::new(&mut text, "x");
    writer.finish().unwrap();
    assert_eq!(writer.solution(&solution()).unwrap_err().to_string(), "GPX is already finished");
}

#[test]
fn positions_that_are_no_numbers_are_refused_and_leave_the_rest_valid() {
    let mut bad = solution();
    bad.position.x = f64::NAN;
    let mut text = Vec::new();
    let mut writer = GeoJsonWriter::new(&mut text);
    writer.solution(&solution()).unwrap();
    assert_eq!(
        writer.solution(&bad).unwrap_err().to_string(),
        "cannot express a record as GeoJSON: position is no number"
    );
    drop(writer);
    assert!(String::from_utf8(text).unwrap().parse::<GeoJson>().is_ok());
}

#[test]
fn solution_lines_read_back() {
    let mut text = Vec::new();
    write(&mut text, SolutionLog::new);
    let text = String::from_utf8(text).unwrap();
    let records: Vec<SolutionRecord> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(records.len(), 3);
    let r = &records[0];
    assert_eq!((r.lat_deg, r.lon_deg, r.height_m), (40.0, 116.25, 50.0));
    assert_eq!((r.time_utc.as_str(), r.mode.as_str()), ("2026-11-24T12:00:00.000Z", "filtered"));
    // 2026-11-22 begins GPS week 2446; noon of the third day, 18 leap seconds.
    assert_eq!((r.gps_week, r.gps_tow_s), (2446, 2.0 * 86_400.0 + 43_218.0));
    assert_eq!(r.velocity_enu_mps, Some([10.0, 0.0, 0.0]));
    assert_eq!(r.sigma_enu_m, [2.0, 1.5, 3.0]);
    assert_eq!(r.inter_system_m.get("G"), Some(&3.5));
    assert_eq!((r.clock_bias_s, r.clock_drift_ppm), (1.25e-4, 4.0));
    assert_eq!((r.sats_used, r.sats.len()), (5, 7));
    assert_eq!((r.sats[1].sat.as_str(), r.sats[1].used), ("C11", false));
    assert_eq!(r.sats[1].elevation_deg, 5.0);
}

#[test]
fn message_lines_read_back() {
    let subframe = Subframe {
        sat: Sat::bds(26),
        message: NavMessage::D1,
        tag: 7,
        inverted: true,
        corrected_bits: 1,
        tow_s: Some(172_800.0),
        id: 5,
        page: Some(10),
        words: vec![0x3892_0123, 1, 2, 3, 4, 5, 6, 7, 8, 0x3fff_ffff],
        good_words: 0x3ff,
    };
    let mut text = Vec::new();
    let mut log = MessageLog::new(&mut text);
    log.subframe(&subframe, Some(noon())).unwrap();
    log.subframe(&Subframe { id: 2, page: None, good_words: 0x1ff, ..subframe }, None).unwrap();
    log.finish().unwrap();
    let text = String::from_utf8(text).unwrap();
    let records: Vec<MessageRecord> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(
        text.lines().next().unwrap(),
        "{\"time_utc\":\"2026-11-24T12:00:00.000Z\",\"sat\":\"C26\",\"message\":\"D1\",\"subframe\":5,\
         \"page\":10,\"tow_s\":172800.0,\"content\":\"UTC\",\"words\":[\"38920123\",\"00000001\",\"00000002\",\
         \"00000003\",\"00000004\",\"00000005\",\"00000006\",\"00000007\",\"00000008\",\"3fffffff\"],\
         \"complete\":true,\"corrected_bits\":1}"
    );
    assert_eq!((records[1].content.as_str(), records[1].complete), ("ephemeris", false));
    assert_eq!(records[1].time_utc, None);
}

#[test]
fn summary_of_a_run() {
    let truth = Geodetic { lat_deg: 40.0, lon_deg: 116.25, height_m: 50.0 }.to_ecef();
    let mut builder = SummaryBuilder::new();
    builder.seen(Sat::bds(6), SignalId::B1I, 41.0);
    builder.epoch(&observations());
    builder.seen(Sat::gps(5), SignalId::L1CA, 43.0);
    for (east, north, up) in [(3.0, 0.0, 0.0), (-1.0, 2.0, 0.0), (1.0, -2.0, 6.0)] {
        builder.solution(&moved(east, north, up, 0.0), 12.3456, Some(truth));
    }
    let summary = builder.finish();
    let sats: Vec<(&str, usize, usize)> =
        summary.satellites.iter().map(|s| (s.sat.as_str(), s.signals[0].epochs, s.used)).collect();
    assert_eq!(sats, [("C06", 1, 3), ("G05", 2, 3), ("G20", 1, 0)]);
    assert_eq!(summary.satellites[1].signals[0].cn0_dbhz, 41.5);
    assert_eq!(summary.satellites[1].signals[0].cn0_max_dbhz, 43.0);
    assert_eq!((summary.fixes, summary.first_fix_s), (3, Some(12.346)));
    let error = summary.error.unwrap();
    // By hand: east 3 -1 1, north 0 2 -2, up 0 0 6.
    let close = |a: f64, b: f64| assert!((a - b).abs() < 2e-4, "{a} is not {b}");
    for (a, b) in error.mean_enu_m.into_iter().zip([1.0, 0.0, 2.0]) {
        close(a, b);
    }
    close(error.mean_3d_m, 5f64.sqrt());
    close(error.rms_horizontal_m, (19f64 / 3.0).sqrt());
    close(error.rms_vertical_m, 12f64.sqrt());
    close(error.rms_3d_m, (55f64 / 3.0).sqrt());
    close(error.max_3d_m, 41f64.sqrt());
    let mean = summary.mean_position.unwrap();
    close(mean.height_m, 52.0);
    for (a, b) in mean.spread_enu_m.into_iter().zip([(8f64 / 3.0).sqrt(), (8f64 / 3.0).sqrt(), 8f64.sqrt()]) {
        close(a, b);
    }
    let mut text = Vec::new();
    summary.write(&mut text).unwrap();
    assert_eq!(serde_json::from_slice::<Summary>(&text).unwrap(), summary);
}

#[test]
fn a_run_without_a_fix_has_a_summary_too() {
    let summary = SummaryBuilder::new().finish();
    assert_eq!((summary.fixes, summary.mean_position, summary.error), (0, None, None));
    let mut text = Vec::new();
    summary.write(&mut text).unwrap();
    assert_eq!(serde_json::from_slice::<Summary>(&text).unwrap(), summary);
}

/// Takes a number of bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.0 {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_said() {
    let mut log = SolutionLog::new(Full(100));
    assert_eq!(
        log.solution(&solution()).unwrap_err().to_string(),
        "cannot write solution.jsonl: no space left"
    );
    let mut kml = KmlWriter::new(Full(10), "x");
    assert_eq!(kml.finish().unwrap_err().to_string(), "cannot write KML: no space left");
}
