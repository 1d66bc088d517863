//! Broadcast orbits read from a real file against the precise orbits of an analysis centre, the same day.
//!
//! Broadcast positions are those of the antenna, precise ones of the centre of mass; the difference (1 to 4 m,
//! mostly radial) stays in the figures, as do some decimetres to metres of broadcast error.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may fail this way; helpers are not seen as tests

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use megrez_orbit::{CivilTime, Ecef, GnssTime, TimeScale};
use megrez_rinex::read_nav;
use megrez_signal::{Constellation, ObsCode, SPEED_OF_LIGHT, Sat};

fn shared(path: &str) -> Option<PathBuf> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rinex/esbc-2020-24h").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

/// One line of an SP3 file: position in m, clock in s if given.
struct Precise {
    t: GnssTime,
    sat: Sat,
    position: Ecef,
    clock_s: Option<f64>,
}

fn read_sp3(path: &Path) -> Vec<Precise> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut t = None;
    let mut all = Vec::new();
    for line in text.lines() {
        let numbers = |s: &str| s.split_whitespace().map(|v| v.parse::<f64>().unwrap()).collect::<Vec<_>>();
        if let Some(rest) = line.strip_prefix("* ") {
            let v = numbers(rest);
            let civil = CivilTime {
                year: v[0] as i32,
                month: v[1] as u8,
                day: v[2] as u8,
                hour: v[3] as u8,
                minute: v[4] as u8,
                second: v[5],
            };
            t = Some(GnssTime::from_civil(TimeScale::Gpst, civil));
        } else if line.starts_with('P') {
            let v = numbers(&line[4..60]);
            let position = Ecef::new(v[0], v[1], v[2]) * 1000.0;
            let clock_s = (v[3].abs() < 999_999.0).then_some(v[3] * 1e-6);
            if position.norm() > 1e6 {
                all.push(Precise { t: t.unwrap(), sat: line[1..4].parse().unwrap(), position, clock_s });
            }
        }
    }
    all
}

/// Errors of one class of satellites, in m.
#[derive(Default)]
struct Errors {
    radial: Vec<f64>,
    along: Vec<f64>,
    cross: Vec<f64>,
    clock: Vec<f64>,
}

fn rms(v: &[f64]) -> f64 {
    (v.iter().map(|x| x * x).sum::<f64>() / v.len() as f64).sqrt()
}

fn class(sat: Sat) -> &'static str {
    match (sat.constellation, sat.prn) {
        (Constellation::Gps, _) => "GPS",
        (Constellation::Galileo, _) => "Galileo",
        (Constellation::Glonass, _) => "GLONASS",
        (Constellation::Qzss, _) => "QZSS",
        _ if sat.is_bds_geo() => "BDS GEO",
        (_, 6..=10 | 13 | 16 | 38..=40) => "BDS IGSO",
        _ => "BDS MEO",
    }
}

fn compare(sp3: &str) -> Option<BTreeMap<&'static str, Errors>> {
    let nav = read_nav(&shared("ESBC00DNK_R_20201770000_01D_MN.rnx.gz")?).unwrap().nav;
    let mut errors: BTreeMap<&str, Errors> = BTreeMap::new();
    type Group = (Constellation, bool, i64);
    // Clocks of an epoch share the datum of the analysis centre: it is removed per epoch and system,
    // BDS-2 and BDS-3 apart.
    let mut clocks: BTreeMap<Group, Vec<(&str, f64)>> = BTreeMap::new();
    for p in read_sp3(&shared(sp3)?) {
        // The clocks of Galileo's products are those of E1 and E5a, as those of F/NAV.
        let ephemeris = match p.sat.constellation {
            Constellation::Galileo => nav.ephemeris_for(p.sat, "5Q".parse::<ObsCode>().unwrap(), p.t),
            _ => nav.ephemeris(p.sat, p.t),
        };
        // The file is of one station: of satellites that it does not see there are old ephemerides only. Galileo's
        // are replaced every ten minutes while in view, and are 45 m off after 3 h.
        let galileo = p.sat.constellation == Constellation::Galileo;
        let Some(ephemeris) = ephemeris.filter(|e| !galileo || (p.t - e.toe()).abs() <= 3600.0) else {
            continue;
        };
        let state = ephemeris.state(p.t);
        let d = state.position - p.position;
        // Radial, along, cross of the inertial motion.
        let radial = p.position.unit();
        let inertial = state.velocity + Ecef::new(-p.position.y, p.position.x, 0.0) * 7.292_115e-5;
        let cross = radial.cross(inertial).unit();
        let along = cross.cross(radial);
        let e = errors.entry(class(p.sat)).or_default();
        e.radial.push(d.dot(radial));
        e.along.push(d.dot(along));
        e.cross.push(d.dot(cross));
        if let Some(clock_s) = p.clock_s {
            let key = (p.sat.constellation, p.sat.is_bds2(), (p.t - GnssTime::default()).round() as i64);
            // Products leave the relativistic term to the user, and refer to a pair of signals.
            // GLONASS sends its mean effect within the frequency, but not the periodic part.
            let relativity = match p.sat.constellation {
                Constellation::Glonass => 0.0,
                _ => -2.0 * state.position.dot(state.velocity) / SPEED_OF_LIGHT.powi(2),
            };
            // BDS broadcast clocks refer to B3I, products to B1I + B2I (BDS-2) or B1I + B3I (BDS-3).
            let delays = ephemeris.kepler().map(|k| k.delays).unwrap_or_default();
            let (tgd1, tgd2) = (delays.tgd1.unwrap_or(0.0), delays.tgd2.unwrap_or(0.0));
            let weight = |second: f64| 1.0 / (1.0 - (second / 1561.098).powi(2));
            let pair = if p.sat.is_bds2() {
                tgd1 * weight(1207.14) + tgd2 * (1.0 - weight(1207.14))
            } else {
                tgd1 * weight(1268.52)
            };
            let error = (state.clock_s - relativity - pair - clock_s) * SPEED_OF_LIGHT;
            clocks.entry(key).or_default().push((class(p.sat), error));
        }
    }
    for list in clocks.values_mut() {
        list.sort_by(|a, b| a.1.total_cmp(&b.1));
        let median = list[list.len() / 2].1;
        for &(class, error) in list.iter() {
            errors.get_mut(class).unwrap().clock.push(error - median);
        }
    }
    for (class, e) in &errors {
        eprintln!(
            "{sp3:.3} {class:8} {:5} positions: 3D {:.2}, radial {:.2} along {:.2} cross {:.2} m rms; clock {:.2} m rms",
            e.radial.len(),
            rms(&e.radial).hypot(rms(&e.along)).hypot(rms(&e.cross)),
            rms(&e.radial),
            rms(&e.along),
            rms(&e.cross),
            rms(&e.clock)
        );
    }
    Some(errors)
}

#[test]
fn bds_and_gps_against_gfz() {
    let Some(errors) = compare("GBM0MGXRAP_20201770000_01D_05M_ORB_120epoch.sp3.gz") else { return };
    for class in ["GPS", "BDS MEO", "BDS IGSO"] {
        let e = &errors[class];
        assert!(e.radial.len() > 50, "{class}: {}", e.radial.len());
        assert!(rms(&e.radial) < 4.0 && rms(&e.along) < 3.0 && rms(&e.cross) < 3.0, "{class}");
    }
    let geo = &errors["BDS GEO"];
    assert!(!geo.radial.is_empty());
    assert!(rms(&geo.radial) < 4.0 && rms(&geo.along) < 20.0 && rms(&geo.cross) < 8.0);
    // GPS clocks refer to L1 P + L2 P, as the products do.
    assert!(rms(&errors["GPS"].clock) < 1.5 && rms(&errors["BDS MEO"].clock) < 3.0);
}

#[test]
fn gps_galileo_and_glonass_against_grg() {
    let Some(errors) = compare("GRG0MGXFIN_20201770000_01D_15M_ORB.SP3.gz") else { return };
    let e = &errors["GPS"];
    assert!(e.radial.len() > 500);
    assert!(rms(&e.radial) < 2.0 && rms(&e.along) < 2.0 && rms(&e.cross) < 2.0 && rms(&e.clock) < 1.5);
    let e = &errors["Galileo"];
    assert!(e.radial.len() > 500);
    assert!(rms(&e.radial) < 1.0 && rms(&e.along) < 1.0 && rms(&e.cross) < 1.0 && rms(&e.clock) < 1.0);
    // Clocks of GLONASS refer to L1 and hold the delays of its satellites' signals.
    let e = &errors["GLONASS"];
    assert!(e.radial.len() > 500);
    assert!(rms(&e.radial) < 2.5 && rms(&e.along) < 3.0 && rms(&e.cross) < 3.0 && rms(&e.clock) < 4.0);
}
