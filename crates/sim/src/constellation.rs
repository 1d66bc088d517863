//! Nominal constellations: orbits and clocks made in code, the same for every run.
//!
//! | satellites | orbit |
//! |---|---|
//! | BDS MEO C19–C30, C32–C37, C41–C46 | Walker 24/3/1, 55°, 27 906 km |
//! | BDS IGSO C38–C40 | 55°, one ground track over 118° E |
//! | BDS GEO C59, C60, C61 | 140°, 80°, 110.5° E |
//! | GPS G01–G30 | Walker 30/6/1, 55°, 26 560 km |
//! | BDS-2 GEO C01–C05 | 140.3°, 80.3°, 110.9°, 160°, 58.75° E |
//! | BDS-2 IGSO C06–C10, C13, C16 | 55°, ground tracks over 108° E (three) and 95° E |
//! | BDS-2 MEO C11, C12, C14 | between those of the Walker constellation |
//! | SBAS GEO S30, S43, S44 | 110.5°, 80°, 140° E |
//!
//! Those of BDS-2 and SBAS are there for the scenes that ask for them, see [`Others`].
//!
//! Satellites of a kind have nearly one period, so that the constellations keep their shape for years.
//! Eccentricities, clocks and group delays differ from satellite to satellite; clocks and delays are whole
//! steps of the messages' fields, so that the messages carry them exactly. All sets of one satellite describe
//! the same orbit and clock.

use std::f64::consts::{PI, TAU};

use megrez_orbit::{
    Bdgim, GnssTime, GroupDelays, KeplerEphemeris, Klobuchar, MessageDetails, NavData, TimeScale, UtcParams,
};
use megrez_signal::{Constellation, NavMessage, Sat, Signal};

use crate::Scene;

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
/// A degree beside their successors at most: no two satellites send one orbit.
const BDS2_GEO: [(u8, f64); 5] = [(1, 140.3), (2, 80.3), (3, 110.9), (4, 160.0), (5, 58.75)];
/// Satellites with the longitude of their ground track and their third of it.
const BDS2_IGSO: [(u8, f64, f64); 7] = [
    (6, 108.0, 0.0),
    (7, 108.0, 1.0),
    (8, 108.0, 2.0),
    (9, 95.0, 0.5),
    (10, 95.0, 1.5),
    (13, 95.0, 2.5),
    (16, 95.0, 1.0),
];
/// Satellites with the plane and slot of the Walker constellation that they follow.
const BDS2_MEO: [(u8, u8, f64); 3] = [(11, 0, 6.4), (12, 0, 7.4), (14, 1, 2.4)];
const SBAS_GEO: [(u8, f64); 3] = [(30, 110.5), (43, 80.0), (44, 140.0)];

/// Satellites beside those of BDS-3 and GPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Others {
    pub bds2: bool,
    pub sbas: bool,
}

impl Others {
    /// Those that a scene asks for: by a signal that only they send, or by name.
    pub fn of(scene: &Scene) -> Self {
        let sent = |wanted: &dyn Fn(&'static Signal) -> bool| scene.signals.iter().any(|s| wanted(s.def()));
        let named = scene.satellites.include.iter().any(|sat| sat.is_bds2());
        Self {
            bds2: named || sent(&|s| s.constellation == Constellation::Bds && s.senders().all(Sat::is_bds2)),
            sbas: sent(&|s| s.constellation == Constellation::Sbas),
        }
    }
}

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
pub(crate) fn nominal(start: GnssTime, duration_s: f64, others: Others) -> NavData {
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
        for nominal in sbas().filter(|_| others.sbas) {
            nav.insert(nominal.at(toe, NavMessage::Sbas, start).into());
        }
    }
    for toe in epochs(start, duration_s, TimeScale::Bdt) {
        for nominal in bds3().chain(bds2().filter(|_| others.bds2)) {
            if nominal.sat.is_bds_geo() {
                nav.insert(geostationary(&nominal, toe, start).into());
                continue;
            }
            nav.insert(nominal.at(toe, NavMessage::D1, start).into());
            if nominal.sat.is_bds3() {
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

fn bds3() -> impl Iterator<Item = Nominal> {
    let meo = (0u8..).zip(MEO_PRNS).map(|(k, prn)| medium(prn, k % 3, f64::from(k / 3)));
    let igso = (0u8..).zip(IGSO_PRNS).map(|(k, prn)| inclined(prn, IGSO_LON_DEG, f64::from(k), 0.002));
    meo.chain(igso).chain(GEO.map(|(prn, lon_deg)| equatorial(Sat::bds(prn), lon_deg)))
}

fn bds2() -> impl Iterator<Item = Nominal> {
    let meo = BDS2_MEO.map(|(prn, plane, slot)| medium(prn, plane, slot));
    let igso = BDS2_IGSO.map(|(prn, lon_deg, third)| inclined(prn, lon_deg, third, 0.003));
    let geo = BDS2_GEO.map(|(prn, lon_deg)| equatorial(Sat::bds(prn), lon_deg));
    geo.into_iter().chain(igso).chain(meo)
}

fn sbas() -> impl Iterator<Item = Nominal> {
    SBAS_GEO
        .into_iter()
        .map(|(prn, lon_deg)| equatorial(Sat { constellation: Constellation::Sbas, prn }, lon_deg))
}

/// A BeiDou satellite of medium height.
fn medium(prn: u8, plane: u8, slot: f64) -> Nominal {
    let sat = Sat::bds(prn);
    Nominal {
        sat,
        a: 27_906_100.0 + 30.0 * vary(sat, 0),
        e: 0.0008 + 0.0006 * vary(sat, 1),
        inclination: (55.0 + 0.5 * vary(sat, 2)).to_radians(),
        node: TAU * f64::from(plane) / 3.0,
        node_rate: -6.8e-9,
        perigee: PI * vary(sat, 4),
        anomaly: TAU * (slot / 8.0 + f64::from(plane) / 24.0) - PI * vary(sat, 4),
        delta_n: 3.8e-9,
    }
}

/// A BeiDou satellite on an inclined synchronous orbit. At the reference it is `third` thirds of a turn behind the
/// node, which it reaches when the earth has turned by as much.
fn inclined(prn: u8, lon_deg: f64, third: f64, e: f64) -> Nominal {
    let behind = TAU * third / 3.0;
    Nominal {
        sat: Sat::bds(prn),
        a: (MU_BDS / (RATE_BDS * RATE_BDS)).cbrt(),
        e,
        inclination: 55f64.to_radians(),
        node: lon_deg.to_radians() + behind,
        node_rate: 0.0,
        perigee: PI,
        anomaly: -behind - PI,
        delta_n: 0.0,
    }
}

/// A satellite over the equator.
fn equatorial(sat: Sat, lon_deg: f64) -> Nominal {
    let (mu, rate) =
        if sat.constellation == Constellation::Bds { (MU_BDS, RATE_BDS) } else { (MU_GPS, RATE_GPS) };
    Nominal {
        sat,
        a: (mu / (rate * rate)).cbrt(),
        e: 0.0003,
        inclination: 0.0,
        node: 0.0,
        node_rate: 0.0,
        perigee: 0.6,
        anomaly: lon_deg.to_radians() - 0.6,
        delta_n: 0.0,
    }
}

impl Nominal {
    fn constants(&self) -> (f64, f64, TimeScale) {
        match self.sat.constellation {
            Constellation::Bds => (MU_BDS, RATE_BDS, TimeScale::Bdt),
            _ => (MU_GPS, RATE_GPS, TimeScale::Gpst),
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
            let fine = |size_s: f64, what: u64| Some(whole(size_s * vary(sat, what), 2f64.powi(-34)));
            match message {
                NavMessage::Cnav1 => GroupDelays {
                    tgd_b1cp: Some(b1c),
                    isc_b1cd: fine(0.4e-9, 10),
                    tgd_b2ap: fine(6e-9, 17),
                    isc_b2ad: fine(0.4e-9, 18),
                    tgd_b2bi: fine(6e-9, 19),
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
            details: MessageDetails::default(),
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

    const ALL: Others = Others { bds2: true, sbas: true };

    fn start() -> GnssTime {
        GnssTime::from_gpst(2408, 280_800.0)
    }

    #[test]
    fn other_satellites_are_for_those_who_ask() {
        let of = |text: &str| Others::of(&Scene::from_toml(text).unwrap());
        assert_eq!(of("signals = ['B1I', 'L1CA', 'B1C']"), Others::default());
        assert_eq!(of("signals = ['B2I']"), Others { bds2: true, sbas: false });
        assert_eq!(of("satellites = { include = ['C03', 'C38'] }"), Others { bds2: true, sbas: false });
        assert_eq!(of("signals = ['SBAS-L1']"), Others { bds2: false, sbas: true });
    }

    #[test]
    fn satellites_are_complete_and_plausible() {
        let nav = nominal(start(), 60.0, ALL);
        let sats: Vec<Sat> = nav.sats().collect();
        let count = |letter: char| sats.iter().filter(|s| s.constellation.letter() == letter).count();
        assert_eq!((count('C'), count('G'), count('S')), (45, 30, 3));
        let inclined: Vec<u8> = IGSO_PRNS.into_iter().chain(BDS2_IGSO.map(|s| s.0)).collect();
        let mut orbits: Vec<_> =
            sats.iter().map(|sat| nav.ephemeris(*sat, start()).unwrap().kepler().unwrap()).collect();
        orbits.sort_by(|a, b| a.m0.total_cmp(&b.m0));
        let apart = |pair: &[&KeplerEphemeris]| (pair[0].m0, pair[0].omega0) != (pair[1].m0, pair[1].omega0);
        assert!(orbits.windows(2).all(apart));
        for &sat in &sats {
            let eph = nav.ephemeris(sat, start()).unwrap();
            assert!(eph.valid_at(start() + 60.0));
            let state = eph.state(start());
            let want = match sat.constellation {
                Constellation::Gps => 26.56e6,
                Constellation::Bds if !sat.is_bds_geo() && !inclined.contains(&sat.prn) => 27.906e6,
                _ => 42.164e6,
            };
            assert!((state.position.norm() / want - 1.0).abs() < 0.012, "{sat}");
            assert!(state.clock_s.abs() < 1e-3);
        }
    }

    #[test]
    fn geostationary_satellites_stay() {
        for hours in [0.0, 5.0, 13.0, 90.0] {
            let t = start() + 3600.0 * hours;
            let nav = nominal(t, 60.0, ALL);
            let sbas = |prn| Sat { constellation: Constellation::Sbas, prn };
            let bds = GEO.into_iter().chain(BDS2_GEO).map(|(prn, lon)| (Sat::bds(prn), lon));
            for (sat, lon) in bds.chain(SBAS_GEO.map(|(prn, lon)| (sbas(prn), lon))) {
                let place = nav.ephemeris(sat, t).unwrap().state(t).position.to_geodetic();
                assert!((place.lon_deg - lon).abs() < 0.1 && place.lat_deg.abs() < 0.01, "{sat} {place:?}");
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
                let nav = nominal(t, 60.0, ALL);
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
        let nav = nominal(start(), 8.0 * 3600.0, ALL);
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
            let nav = nominal(t, 60.0, Others::default());
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
