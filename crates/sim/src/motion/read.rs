//! Trajectory files and the positions of a truth file.

use std::path::Path;

use megrez_orbit::{Ecef, Geodetic, GnssTime};

use crate::SimError;
use crate::scene::parse_instant;

/// Reads a trajectory: seconds and positions. The kind follows from the extension: `.csv`, `.gpx`, `.nmea`
/// (or `.nma`, `.txt`, `.log` holding GGA sentences).
pub fn read_track(path: &Path) -> Result<Vec<(f64, Ecef)>, SimError> {
    let io = |source| SimError::Io { path: path.to_path_buf(), source };
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(io)?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let text = String::from_utf8_lossy(&bytes);
    let points = match extension.as_str() {
        "csv" => csv(&text),
        "gpx" => gpx(&bytes),
        "nmea" | "nma" | "txt" | "log" => nmea(&text),
        _ => Err(fault(None, "a track is a .csv, .gpx or .nmea file")),
    };
    points.and_then(check).map_err(|f| SimError::Track { name, line: f.line, message: f.message })
}

struct Fault {
    line: Option<usize>,
    message: String,
}

fn fault(line: Option<usize>, message: impl Into<String>) -> Fault {
    Fault { line, message: message.into() }
}

struct Point {
    line: Option<usize>,
    t: f64,
    position: Ecef,
}

/// Times must rise and positions be near the earth.
fn check(points: Vec<Point>) -> Result<Vec<(f64, Ecef)>, Fault> {
    if points.is_empty() {
        return Err(fault(None, "no position in it"));
    }
    let mut last = f64::NEG_INFINITY;
    for p in &points {
        if !p.t.is_finite() || p.t <= last {
            return Err(fault(p.line, format!("time {} is not after the one before", p.t)));
        }
        last = p.t;
        if !(6.2e6..5e7).contains(&p.position.norm()) {
            return Err(fault(p.line, "position is not near the surface of the earth"));
        }
    }
    Ok(points.into_iter().map(|p| (p.t, p.position)).collect())
}

/// Position from degrees and metres, if they are possible.
fn geodetic(lat_deg: f64, lon_deg: f64, height_m: f64) -> Option<Ecef> {
    let possible = lat_deg.abs() <= 90.0 && lon_deg.abs() <= 360.0 && height_m.abs() < 4e7;
    possible.then(|| Geodetic { lat_deg, lon_deg, height_m }.to_ecef())
}

/// The first line names the columns, in any order: t and lat, lon, h or x, y, z (units may follow the name,
/// as in `lat_deg`). Without such a line the columns are t, lat, lon, h. `#` begins a comment.
fn csv(text: &str) -> Result<Vec<Point>, Fault> {
    let mut columns = [0, 1, 2, 3];
    let mut cartesian = false;
    let mut points = Vec::new();
    let lines =
        text.lines().enumerate().map(|(n, line)| (n + 1, line.split('#').next().unwrap_or("").trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<&str> = line.split([',', ';']).map(str::trim).collect();
        let header = points.is_empty() && fields.first().is_some_and(|f| f.parse::<f64>().is_err());
        if header {
            let find = |names: &[&str]| {
                fields.iter().position(|f| {
                    let name = f.to_ascii_lowercase();
                    let stem = name.split(['_', ' ', '(', '[']).next().unwrap_or_default().to_string();
                    names.contains(&stem.as_str())
                })
            };
            let t = find(&["t", "time", "s", "seconds"]);
            let llh = (
                find(&["lat", "latitude"]),
                find(&["lon", "lng", "longitude"]),
                find(&["h", "height", "alt", "ele"]),
            );
            let xyz = (find(&["x"]), find(&["y"]), find(&["z"]));
            (columns, cartesian) = match (t, xyz, llh) {
                (Some(t), (Some(x), Some(y), Some(z)), _) => ([t, x, y, z], true),
                (Some(t), _, (Some(lat), Some(lon), Some(h))) => ([t, lat, lon, h], false),
                _ => return Err(fault(Some(number), "the columns t,lat,lon,h or t,x,y,z are needed")),
            };
            continue;
        }
        let value = |column: usize| {
            let field = fields.get(column).ok_or_else(|| fault(Some(number), "too few columns"))?;
            field
                .parse::<f64>()
                .ok()
                .filter(|v| v.is_finite())
                .ok_or_else(|| fault(Some(number), format!("\"{field}\" is no number")))
        };
        let [t, a, b, c] = columns;
        let (t, a, b, c) = (value(t)?, value(a)?, value(b)?, value(c)?);
        let position = if cartesian {
            Ecef { x: a, y: b, z: c }
        } else {
            geodetic(a, b, c)
                .ok_or_else(|| fault(Some(number), "latitude, longitude or height is out of range"))?
        };
        points.push(Point { line: Some(number), t, position });
    }
    Ok(points)
}

/// GGA sentences with a fix and a right checksum; others are passed over. Heights above the geoid become
/// heights above the ellipsoid by the separation in the sentence.
fn nmea(text: &str) -> Result<Vec<Point>, Fault> {
    let mut points: Vec<Point> = Vec::new();
    let mut first = None;
    let mut midnights = 0.0;
    let mut last = f64::NEG_INFINITY;
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        let Some(body) = line.strip_prefix('$') else { continue };
        let body = match body.split_once('*') {
            Some((body, sum)) => {
                let computed = body.bytes().fold(0, |a, b| a ^ b);
                if u8::from_str_radix(sum.trim(), 16) != Ok(computed) {
                    return Err(fault(Some(n + 1), format!("checksum is {sum}, {computed:02X} computed")));
                }
                body
            }
            None => body,
        };
        let fields: Vec<&str> = body.split(',').collect();
        let field = |i: usize| fields.get(i).copied().unwrap_or_default();
        if field(0).get(2..) != Some("GGA") || matches!(field(6), "" | "0") {
            continue;
        }
        let number = |i: usize| field(i).parse::<f64>().ok().filter(|v| v.is_finite());
        // ddmm.mmmm
        let angle = |i: usize, minus: &str| {
            let value = number(i)?;
            let degrees = (value / 100.0).trunc();
            let angle = degrees + (value - 100.0 * degrees) / 60.0;
            Some(if field(i + 1) == minus { -angle } else { angle })
        };
        let parsed = (|| {
            let hms = number(1)?;
            let seconds = (hms / 1e4).trunc() * 3600.0 + (hms / 100.0).trunc() % 100.0 * 60.0 + hms % 100.0;
            let height = number(9)? + number(11).unwrap_or(0.0);
            Some((seconds, geodetic(angle(2, "S")?, angle(4, "W")?, height)?))
        })();
        let (seconds, position) = parsed.ok_or_else(|| fault(Some(n + 1), "malformed GGA sentence"))?;
        if seconds + midnights < last - 43_200.0 {
            midnights += 86_400.0;
        }
        let t = seconds + midnights;
        // The same instant from a second talker.
        if t == last {
            continue;
        }
        last = t;
        let zero = *first.get_or_insert(t);
        points.push(Point { line: Some(n + 1), t: t - zero, position });
    }
    Ok(points)
}

/// The track points (else the route points) of a GPX file; each needs a time. Elevations are taken as
/// heights above the ellipsoid.
fn gpx(bytes: &[u8]) -> Result<Vec<Point>, Fault> {
    let file = gpx::read(bytes).map_err(|e| fault(None, format!("no valid GPX: {e}")))?;
    let tracks = file.tracks.iter().flat_map(|t| &t.segments).flat_map(|s| &s.points);
    let routes = file.routes.iter().flat_map(|r| &r.points);
    let mut points = Vec::new();
    let mut first: Option<GnssTime> = None;
    for (n, waypoint) in tracks.chain(routes).enumerate() {
        let time = waypoint
            .time
            .and_then(|time| time.format().ok())
            .and_then(|text| parse_instant(&text).ok())
            .ok_or_else(|| fault(None, format!("point {} has no usable time", n + 1)))?;
        let at = waypoint.point();
        let position = geodetic(at.y(), at.x(), waypoint.elevation.unwrap_or(0.0))
            .ok_or_else(|| fault(None, format!("point {} is out of range", n + 1)))?;
        let zero = *first.get_or_insert(time);
        points.push(Point { line: None, t: time - zero, position });
    }
    Ok(points)
}

/// The true positions of a truth file (JSON lines as [`crate::Simulation::write_truth`] makes them), by true
/// time.
pub fn read_truth_track(path: &Path) -> Result<Vec<(GnssTime, Ecef)>, SimError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| SimError::Io { path: path.to_path_buf(), source })?;
    let name = path.display().to_string();
    truth_track(&text).map_err(|f| SimError::Track { name, line: f.line, message: f.message })
}

fn truth_track(text: &str) -> Result<Vec<(GnssTime, Ecef)>, Fault> {
    #[derive(serde::Deserialize)]
    struct Line {
        gps_week: i64,
        gps_tow_s: f64,
        position_m: [f64; 3],
    }
    let mut track = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if line.trim().is_empty() || (n == 0 && line.contains("\"truth_version\"")) {
            continue;
        }
        let line: Line = serde_json::from_str(line).map_err(|e| fault(Some(n + 1), e.to_string()))?;
        let [x, y, z] = line.position_m;
        // Any week of four digits: a wild number must not overflow the count of seconds.
        if !(0..10_000).contains(&line.gps_week) || !(0.0..604_800.0).contains(&line.gps_tow_s) {
            return Err(fault(Some(n + 1), "gps_week or gps_tow_s is out of range"));
        }
        track.push((GnssTime::from_gpst(line.gps_week, line.gps_tow_s), Ecef { x, y, z }));
    }
    Ok(track)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(name: &str, text: &str) -> Result<Vec<(f64, Ecef)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_track(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn csv_of_either_kind() {
        let place = Geodetic { lat_deg: 30.0, lon_deg: 114.0, height_m: 10.0 };
        let p = place.to_ecef();
        let plain = run("a.csv", "0,30,114,10\n1.5,30,114,10\n").unwrap();
        assert_eq!(plain, [(0.0, p), (1.5, p)]);
        let named = run("a.csv", "# drive\nlon_deg, lat_deg, height_m, t_s\n114,30,10,0\n").unwrap();
        assert_eq!(named, [(0.0, p)]);
        let xyz = run("a.csv", &format!("t,x,y,z\n0,{},{},{}\n", p.x, p.y, p.z)).unwrap();
        assert_eq!(xyz, [(0.0, p)]);
    }

    #[test]
    fn nmea_gga_over_midnight() {
        let text = "$GPRMC,,V*00garbage\n".replace("$GPRMC,,V*00garbage", "noise")
            + "$GNGGA,235959.50,3000.0000,N,11400.0000,E,1,10,0.8,5.0,M,5.0,M,,\n"
            + "$GNGGA,000000.50,3000.0000,N,11400.0000,E,1,10,0.8,5.0,M,5.0,M,,*7C\n";
        let p = Geodetic { lat_deg: 30.0, lon_deg: 114.0, height_m: 10.0 }.to_ecef();
        let computed =
            "GNGGA,000000.50,3000.0000,N,11400.0000,E,1,10,0.8,5.0,M,5.0,M,,".bytes().fold(0, |a, b| a ^ b);
        let text = text.replace("*7C", &format!("*{computed:02X}"));
        let points = run("a.nmea", &text).unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].0, points[1].0), (0.0, 1.0));
        assert!((points[0].1 - p).norm() < 1e-6);
        let error = run("a.nmea", "$GNGGA,1,2,N,3,E,1,1,1,1,M,1,M,,*FF").unwrap_err();
        assert!(error.contains("line 1: checksum is FF"), "{error}");
    }

    #[test]
    fn gpx_track() {
        let text = r#"<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">
            <trk><trkseg>
            <trkpt lat="30" lon="114"><ele>10</ele><time>2026-03-01T06:00:00Z</time></trkpt>
            <trkpt lat="30.001" lon="114"><ele>10</ele><time>2026-03-01T06:00:02.5Z</time></trkpt>
            </trkseg></trk></gpx>"#;
        let points = run("a.gpx", text).unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!(points[1].0, 2.5);
        let p = Geodetic { lat_deg: 30.0, lon_deg: 114.0, height_m: 10.0 }.to_ecef();
        assert!((points[0].1 - p).norm() < 1e-6);
        let error = run("a.gpx", &text.replace("<time>2026-03-01T06:00:02.5Z</time>", "")).unwrap_err();
        assert!(error.contains("point 2 has no usable time"), "{error}");
    }

    #[test]
    fn malformed_tracks_are_explained() {
        for (name, text, part) in [
            ("a.csv", "", "no position in it"),
            ("a.csv", "0,30,114,10\n1,30,x,10\n", "line 2: \"x\" is no number"),
            ("a.csv", "0,30,114\n", "line 1: too few columns"),
            ("a.csv", "0,30,114,10\n0,30,114,10\n", "line 2: time 0 is not after"),
            ("a.csv", "0,130,114,10\n", "line 1: latitude, longitude or height is out of range"),
            ("a.csv", "time,foo\n", "line 1: the columns t,lat,lon,h or t,x,y,z are needed"),
            ("a.csv", "t,x,y,z\n0,1,2,3\n", "line 2: position is not near"),
            ("a.gpx", "<gpx>", "no valid GPX"),
            ("a.nmea", "$GNGGA,12x,3000.0,N,11400.0,E,1,,,5.0,M,,,,", "line 1: malformed GGA"),
            ("a.kml", "x", "a track is a .csv, .gpx or .nmea file"),
        ] {
            let error = run(name, text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\$GNGGA|[-0-9tlatonh.,*eE$ \n]){0,60}") {
            let _ = csv(&text);
            let _ = nmea(&text);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = gpx(&bytes);
            let text = String::from_utf8_lossy(&bytes);
            let _ = csv(&text);
            let _ = nmea(&text);
            let _ = truth_track(&text);
        }

        #[test]
        fn no_truth_panics(week in any::<i64>(), tow in any::<f64>()) {
            let line = format!("{{\"gps_week\":{week},\"gps_tow_s\":{tow:?},\"position_m\":[1,2,3]}}");
            let _ = truth_track(&line);
        }
    }
}
