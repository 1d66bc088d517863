//! Nominal constellations: orbits and clocks made in code, the same for every run.
//!
//! | satellites | orbit |
//! |---|---|
//! | BDS MEO C19–C30, C32–C37, C41–C46 | Walker 24/3/1, 55°, 27 906 km |
//! | BDS IGSO C38–C40 | 55°, one ground track over 118° E |
//! | BDS GEO C59, C60, C61 | 140°, 80°, 110.5° E |
//! | GPS G01–G30 | Walker 30/6/1, 55°, 26 560 km |
//!
//! Satellites of a kind have nearly one period, so that the constellations keep their shape for years.
//! Eccentricities, clocks and group delays differ from satellite to satellite; clocks and delays are whole
//! steps of the messages' fields, so that the messages carry them exactly. All sets of one satellite describe
//! the same orbit and clock.

use std::f64::consts::{PI, TAU};

use megrez_orbit::{Bdgim, GnssTime, GroupDelays, KeplerEphemeris, Klobuchar, NavData, TimeScale, UtcParams};
use megrez_signal::{NavMessage, Sat};

const MU_GPS: f64 = 3.986_005e14;
const RATE_GPS: f64 = 7.292_115_146_7e-5;
const MU_BDS: f64 = 3.986_004_418e14;
const RATE_BDS: f64 = 7.292_115e-5;

const MEO_PRNS: [u8; 24] =
    [19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46];
const IGSO_PRNS: [u8; 3] = [38, 39, 40];
const GEO: [(u8, f64); 3] = [(59, 140.0), (60, 80.0), (61, 110.5)];
const GPS_SATS: u8 = 30;
/// Longitude at which the IGSO satellites cross the equator northwards.
const IGSO_LON_DEG: f64 = 118.0;

/// A satellite before its elements are referred to a `toe`.
struct Nominal {
    sat: Sat,
    a: f64,
    e: f64,
    inclination: f64,
    /// Right ascension of the node at the epoch, and its rate.
    node: f64,
    node_rate: f64,
    perigee: f64,
    /// Mean anomaly at the epoch.
    anomaly: f64,
    delta_n: f64,
}

/// Navigation data of the nominal constellations for a scene.
///
/// A scene within an hour and a half gets one set of elements for its middle, longer ones get one an hour.
pub(crate) fn nominal(start: GnssTime, duration_s: f64) -> NavData {
    let mut nav = NavData::default();
    nav.gps_iono = Some(Klobuchar {
        alpha: [12.0 / 2f64.powi(30), 2.0 / 2f64.powi(27), -1.0 / 2f64.powi(24), -1.0 / 2f64.powi(24)],
        beta: [44.0 * 2048.0, 4.0 * 16_384.0, -2.0 * 65_536.0, -3.0 * 65_536.0],
    });
    nav.bds_iono = Some(Klobuchar {
        alpha: [14.0 / 2f64.powi(30), 3.0 / 2f64.powi(27), -2.0 / 2f64.powi(24), 1.0 / 2f64.powi(24)],
        beta: [48.0 * 2048.0, 3.0 * 16_384.0, -65_536.0, 2.0 * 65_536.0],
    });
    nav.bdgim = Some(Bdgim { alpha: [13.75, -1.75, 8.25, 0.625, -0.5, 1.125, 0.25, -0.375, 0.125] });
    nav.leap_s = Some(start.leap_seconds());
    nav.gps_utc = Some(utc(TimeScale::Gpst, start));
    nav.bds_utc = Some(utc(TimeScale::Bdt, start));
    for toe in epochs(start, duration_s, TimeScale::Gpst) {
        for nominal in gps() {
            nav.insert(nominal.at(toe, NavMessage::Lnav, start).into());
        }
    }
    for toe in epochs(start, duration_s, TimeScale::Bdt) {
        for nominal in bds() {
            if nominal.sat.is_bds_geo() {
                nav.insert(geostationary(&nominal, toe, start).into());
            } else {
                nav.insert(nominal.at(toe, NavMessage::D1, start).into());
                nav.insert(nominal.at(toe, NavMessage::Cnav1, start).into());
            }
        }
    }
    nav
}

/// Whole hours of `scale` to which elements are referred.
fn epochs(start: GnssTime, duration_s: f64, scale: TimeScale) -> Vec<GnssTime> {
    let hour = |t: GnssTime| {
        let (week, tow) = t.week_tow(scale);
        GnssTime::from_week_tow(scale, week, (tow / 3600.0).round() * 3600.0)
    };
    if duration_s <= 5400.0 {
        return vec![hour(start + 0.5 * duration_s)];
    }
    let count = (duration_s / 3600.0).ceil() as i64;
    (0..=count).map(|k| hour(start + 3600.0 * k as f64)).collect()
}

fn utc(scale: TimeScale, start: GnssTime) -> UtcParams {
    let bdt = scale == TimeScale::Bdt;
    let (week, _) = start.week_tow(scale);
    let leap_s = start.leap_seconds() - if bdt { 14 } else { 0 };
    UtcParams {
        scale,
        a0: 0.0,
        a1: 0.0,
        a2: 0.0,
        tot: GnssTime::from_week_tow(scale, week, 0.0),
        leap_s,
        // The latest leap second, at the end of 2016-12-31.
        wn_lsf: if bdt { 573 } else { 1929 },
        dn: if bdt { 6 } else { 7 },
        leap_future_s: leap_s,
    }
}

/// The instant at which right ascensions and longitudes agree.
fn reference() -> GnssTime {
    GnssTime::from_bdt(1000, 0.0)
}

fn gps() -> impl Iterator<Item = Nominal> {
    (0..GPS_SATS).map(|k| {
        let (plane, slot) = (k % 6, k / 6);
        let sat = Sat::gps(k + 1);
        Nominal {
            sat,
            a: 26_559_710.0 + 30.0 * vary(sat, 0),
            e: 0.006 + 0.005 * vary(sat, 1),
            inclination: (55.0 + 0.7 * vary(sat, 2)).to_radians(),
            node: TAU * (f64::from(plane) / 6.0) + 0.05 * vary(sat, 3),
            node_rate: -8.0e-9,
            perigee: PI * vary(sat, 4),
            anomaly: TAU * (f64::from(slot) / 5.0 + f64::from(plane) / 30.0) - PI * vary(sat, 4)
                + 0.1 * vary(sat, 5),
            delta_n: 4.5e-9,
        }
    })
}

fn bds() -> impl Iterator<Item = Nominal> {
    let meo = (0u8..).zip(MEO_PRNS).map(|(k, prn)| {
        let (plane, slot) = (k % 3, k / 3);
        let sat = Sat::bds(prn);
        Nominal {
            sat,
            a: 27_906_100.0 + 30.0 * vary(sat, 0),
            e: 0.0008 + 0.0006 * vary(sat, 1),
            inclination: (55.0 + 0.5 * vary(sat, 2)).to_radians(),
            node: TAU * f64::from(plane) / 3.0,
            node_rate: -6.8e-9,
            perigee: PI * vary(sat, 4),
            anomaly: TAU * (f64::from(slot) / 8.0 + f64::from(plane) / 24.0) - PI * vary(sat, 4),
            delta_n: 3.8e-9,
        }
    });
    let synchronous = (MU_BDS / (RATE_BDS * RATE_BDS)).cbrt();
    let igso = (0u8..).zip(IGSO_PRNS).map(move |(k, prn)| {
        let sat = Sat::bds(prn);
        let third = TAU * f64::from(k) / 3.0;
        // At the reference the satellite is `third` behind the node, which it reaches when the earth has
        // turned by as much.
        Nominal {
            sat,
            a: synchronous,
            e: 0.002,
            inclination: 55f64.to_radians(),
            node: IGSO_LON_DEG.to_radians() + third,
            node_rate: 0.0,
            perigee: PI,
            anomaly: -third - PI,
            delta_n: 0.0,
        }
    });
    let geo = GEO.map(move |(prn, lon_deg)| Nominal {
        sat: Sat::bds(prn),
        a: synchronous,
        e: 0.0003,
        inclination: 0.0,
        node: 0.0,
        node_rate: 0.0,
        perigee: 0.6,
        anomaly: lon_deg.to_radians() - 0.6,
        delta_n: 0.0,
    });
    meo.chain(igso).chain(geo)
}

impl Nominal {
    fn constants(&self) -> (f64, f64, TimeScale) {
        if matches!(self.sat.constellation, megrez_signal::Constellation::Gps) {
            (MU_GPS, RATE_GPS, TimeScale::Gpst)
        } else {
            (MU_BDS, RATE_BDS, TimeScale::Bdt)
        }
    }

    /// Elements for `toe`; the clock offset is the satellite's own at `origin`.
    fn at(&self, toe: GnssTime, message: NavMessage, origin: GnssTime) -> KeplerEphemeris {
        let (mu, rate, scale) = self.constants();
        let elapsed = toe - reference();
        let (_, toe_s) = toe.week_tow(scale);
        let n = (mu / self.a.powi(3)).sqrt() + self.delta_n;
        // Longitude of the node at toe, then referred to the start of the week as the messages do.
        let node = self.node + (self.node_rate - rate) * elapsed;
        self.elements(
            toe,
            message,
            origin,
            Angles {
                i0: self.inclination,
                omega0: half_turn(node + rate * toe_s),
                omega: half_turn(self.perigee),
                m0: half_turn(self.anomaly + n * elapsed),
            },
        )
    }

    fn elements(
        &self,
        toe: GnssTime,
        message: NavMessage,
        origin: GnssTime,
        angles: Angles,
    ) -> KeplerEphemeris {
        let (_, _, scale) = self.constants();
        let sat = self.sat;
        let gps = scale == TimeScale::Gpst;
        // Steps of af0 and af1 of LNAV and of a0 and a1 of D1.
        let (step0, step1) =
            if gps { (2f64.powi(-31), 2f64.powi(-43)) } else { (2f64.powi(-33), 2f64.powi(-50)) };
        let whole = |value: f64, step: f64| (value / step).round() * step;
        let drift = whole(2e-12 * vary(sat, 6), step1);
        let offset = 2e-4 * vary(sat, 7) + drift * (toe - origin);
        let delays = if gps {
            GroupDelays { tgd: Some(whole(8e-9 * vary(sat, 8), 2f64.powi(-31))), ..GroupDelays::default() }
        } else {
            let d1 = whole(9e-9 * vary(sat, 8), 1e-10);
            let d2 = whole(6e-9 * vary(sat, 9), 1e-10);
            let b1c = whole(9e-9 * vary(sat, 8) + 1e-9, 2f64.powi(-34));
            let isc = whole(0.4e-9 * vary(sat, 10), 2f64.powi(-34));
            match message {
                NavMessage::Cnav1 => GroupDelays {
                    tgd_b1cp: Some(b1c),
                    tgd_b2ap: Some(0.0),
                    isc_b1cd: Some(isc),
                    ..GroupDelays::default()
                },
                _ => GroupDelays { tgd1: Some(d1), tgd2: Some(d2), ..GroupDelays::default() },
            }
        };
        let (_, toe_s) = toe.week_tow(scale);
        let hour = (toe_s / 3600.0).round() as u16;
        // The issue of the clock of LNAV holds that of the orbit; D1 counts ages; B-CNAV1 numbers them.
        let (iode, iodc) = match message {
            NavMessage::D1 | NavMessage::D2 => (1, 1),
            _ => (hour, hour),
        };
        let moving = self.inclination > 0.1;
        let swing = if moving { 1.0 } else { 0.0 };
        KeplerEphemeris {
            sat,
            message,
            toe,
            toc: toe,
            transmit: Some(toe - if gps { 7200.0 } else { 0.0 }),
            clock: [whole(offset, step0), drift, 0.0],
            a: self.a,
            a_dot: 0.0,
            e: self.e,
            i0: angles.i0,
            i_dot: 0.0,
            omega0: angles.omega0,
            omega_dot: self.node_rate,
            omega: angles.omega,
            m0: angles.m0,
            delta_n: self.delta_n,
            delta_n_dot: 0.0,
            cuc: swing * 2e-6 * vary(sat, 11),
            cus: swing * 6e-6 * vary(sat, 12),
            crc: swing * 200.0 * vary(sat, 13),
            crs: swing * 60.0 * vary(sat, 14),
            cic: swing * 1e-7 * vary(sat, 15),
            cis: swing * 1e-7 * vary(sat, 16),
            delays,
            iode,
            iodc,
            ura_m: Some(2.0),
            health: 0,
        }
    }
}

/// Angles of a set of elements.
struct Angles {
    i0: f64,
    omega0: f64,
    omega: f64,
    m0: f64,
}

/// Elements of a GEO satellite for D2. Its orbit lies in the equator; the frame of the elements is tilted by
/// 5° about the x axis of the earth-fixed frame at `toe`, so that their inclination is 5° and their node on
/// the negative x axis (BDS-SIS-ICD-B1I-3.0 table 5-11).
fn geostationary(nominal: &Nominal, toe: GnssTime, origin: GnssTime) -> KeplerEphemeris {
    let (_, rate, scale) = nominal.constants();
    let elapsed = toe - reference();
    let (_, toe_s) = toe.week_tow(scale);
    let perigee = nominal.perigee - rate * elapsed;
    let n = (MU_BDS / nominal.a.powi(3)).sqrt();
    nominal.elements(
        toe,
        NavMessage::D2,
        origin,
        Angles {
            i0: 5f64.to_radians(),
            omega0: half_turn(PI + rate * toe_s),
            omega: half_turn(perigee - PI),
            m0: half_turn(nominal.anomaly + n * elapsed),
        },
    )
}

/// The angle in -pi..pi.
fn half_turn(angle: f64) -> f64 {
    (angle + PI).rem_euclid(TAU) - PI
}

/// A number in -1..1 that belongs to the satellite and to `what`.
fn vary(sat: Sat, what: u64) -> f64 {
    // SplitMix64.
    let seed = u64::from(u32::from(sat.constellation.letter())) << 32 | u64::from(sat.prn) << 8 | what;
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_orbit::{Geodetic, look_angles};

    fn start() -> GnssTime {
        GnssTime::from_gpst(2408, 280_800.0)
    }

    #[test]
    fn satellites_are_complete_and_plausible() {
        let nav = nominal(start(), 60.0);
        let sats: Vec<Sat> = nav.sats().collect();
        assert_eq!(sats.iter().filter(|s| s.to_string().starts_with('C')).count(), 30);
        assert_eq!(sats.iter().filter(|s| s.to_string().starts_with('G')).count(), 30);
        for &sat in &sats {
            let eph = nav.ephemeris(sat, start()).unwrap();
            assert!(eph.valid_at(start() + 60.0));
            let state = eph.state(start());
            let want = if sat.is_bds_geo() || IGSO_PRNS.contains(&sat.prn) && sat != Sat::gps(sat.prn) {
                42.164e6
            } else if sat == Sat::gps(sat.prn) {
                26.56e6
            } else {
                27.906e6
            };
            assert!((state.position.norm() / want - 1.0).abs() < 0.012, "{sat}");
            assert!(state.clock_s.abs() < 1e-3);
        }
    }

    #[test]
    fn geostationary_satellites_stay() {
        for hours in [0.0, 5.0, 13.0, 90.0] {
            let t = start() + 3600.0 * hours;
            let nav = nominal(t, 60.0);
            for (prn, lon) in GEO {
                let place = nav.ephemeris(Sat::bds(prn), t).unwrap().state(t).position.to_geodetic();
                assert!((place.lon_deg - lon).abs() < 0.1 && place.lat_deg.abs() < 0.01, "{prn} {place:?}");
            }
        }
    }

    #[test]
    fn inclined_satellites_share_a_ground_track() {
        let day = 86_164.1;
        for prn in IGSO_PRNS {
            // Where it crosses the equator northwards.
            let mut crossings = Vec::new();
            let mut last: Option<Geodetic> = None;
            for k in 0..1440 {
                let t = start() + day * f64::from(k) / 1440.0;
                let nav = nominal(t, 60.0);
                let place = nav.ephemeris(Sat::bds(prn), t).unwrap().state(t).position.to_geodetic();
                if last.is_some_and(|l| l.lat_deg < 0.0 && place.lat_deg >= 0.0) {
                    crossings.push(place.lon_deg);
                }
                last = Some(place);
            }
            assert_eq!(crossings.len(), 1);
            assert!((crossings[0] - IGSO_LON_DEG).abs() < 0.5, "{prn}: {crossings:?}");
        }
    }

    #[test]
    fn hourly_sets_describe_one_orbit() {
        let nav = nominal(start(), 8.0 * 3600.0);
        for sat in nav.sats() {
            let sets: Vec<_> = nav.ephemerides_of(sat).iter().collect();
            for pair in sets.windows(2) {
                let t = pair[0].toe() + 1800.0;
                let (a, b) = (pair[0].state(t), pair[1].state(t));
                assert!((a.position - b.position).norm() < 1e-3, "{sat}");
                assert!((a.velocity - b.velocity).norm() < 1e-6, "{sat}");
                // Each offset is rounded to its step, 2^-31 s for LNAV.
                assert!((a.clock_s - b.clock_s).abs() < 4.7e-10, "{sat}");
            }
        }
    }

    #[test]
    fn enough_are_in_view_of_wuhan_at_any_time() {
        let place = Geodetic { lat_deg: 30.53, lon_deg: 114.36, height_m: 50.0 }.to_ecef();
        for hour in 0..24 {
            let t = start() + 3600.0 * f64::from(hour);
            let nav = nominal(t, 60.0);
            let up = |letter: char| {
                let high = |sat: &Sat| {
                    let state = nav.ephemeris(*sat, t).unwrap().state(t);
                    look_angles(place, state.position).elevation_deg() > 10.0
                };
                nav.sats().filter(|s| s.constellation.letter() == letter).filter(high).count()
            };
            assert!(up('C') >= 8 && up('G') >= 6, "hour {hour}: {} and {}", up('C'), up('G'));
        }
    }
}
