//! Navigation data to send, made up but within the range of every field.

// Each test program uses a part of this.
#![allow(dead_code, clippy::expect_used)]

use megrez_nav::encode_subframe;
use megrez_nav::subframe_duration_s;
use megrez_orbit::{
    Ephemeris, GnssTime, GroupDelays, KeplerEphemeris, Klobuchar, MessageDetails, NavData, TimeOffset,
    TimeScale, UtcParams,
};
use megrez_signal::{Constellation, NavMessage, Sat};

/// An ephemeris whose elements are `x` (each -1 to 1) of what the fields hold.
pub fn ephemeris(sat: Sat, message: NavMessage, toe: GnssTime, x: &[f64; 20]) -> KeplerEphemeris {
    let (pi, lnav) = (std::f64::consts::PI, message == NavMessage::Lnav);
    let harmonic = if lnav { 6e-5 } else { 6e-5 * 0.99 };
    let radial = if lnav { 1000.0 } else { 2000.0 };
    KeplerEphemeris {
        sat,
        message,
        toe,
        toc: toe,
        transmit: None,
        clock: [9e-4 * x[0], 1e-9 * x[1], if lnav { 3e-15 } else { 1e-17 } * x[2]],
        a: (5_500.0 + 1_000.0 * x[3]).powi(2),
        a_dot: 0.0,
        e: 0.02 * (1.0 + x[4]),
        i0: 0.9 + 0.3 * x[5],
        i_dot: 1e-9 * x[6],
        omega0: pi * x[7],
        omega_dot: 1e-8 * x[8],
        omega: pi * x[9],
        m0: pi * x[10],
        delta_n: 8e-9 * x[11],
        delta_n_dot: 0.0,
        cuc: harmonic * x[12],
        cus: harmonic * x[13],
        crc: radial * x[14],
        crs: radial * x[15],
        cic: 1e-5 * x[16],
        cis: 1e-5 * x[17],
        delays: if lnav {
            GroupDelays { tgd: Some(5.8e-8 * x[18]), ..GroupDelays::default() }
        } else {
            GroupDelays { tgd1: Some(5e-8 * x[18]), tgd2: Some(5e-8 * x[19]), ..GroupDelays::default() }
        },
        iode: if lnav || message == NavMessage::Cnav1 { 0x5a } else { 1 },
        iodc: if lnav || message == NavMessage::Cnav1 { 0x25a } else { 2 },
        ura_m: Some(2.8),
        health: 0,
        details: MessageDetails::default(),
    }
}

/// A plain ephemeris.
pub fn plain(sat: Sat, message: NavMessage, toe: GnssTime) -> KeplerEphemeris {
    let mut x = [0.0; 20];
    for (n, x) in x.iter_mut().enumerate() {
        *x = ((f64::from(sat.prn) * 0.37 + n as f64 * 0.61).fract() - 0.5) * 0.8;
    }
    let a = match (message, sat.constellation) {
        (NavMessage::D2, _) => 42_164_000.0,
        _ if sat.is_bds_geo() => 42_164_000.0,
        (_, Constellation::Bds) => 27_906_000.0,
        _ => 26_560_000.0,
    };
    let geo = message == NavMessage::D2;
    let i0 = if geo { 0.09 } else { 0.96 + 0.02 * x[5] };
    KeplerEphemeris { a, e: 0.002, i0, ..ephemeris(sat, message, toe, &x) }
}

/// Ephemerides of many satellites, and all that goes with them.
pub fn nav_data(toe: GnssTime) -> NavData {
    let mut nav = NavData::default();
    for prn in 1..=32 {
        nav.insert(Ephemeris::Kepler(plain(Sat::gps(prn), NavMessage::Lnav, toe)));
    }
    for prn in (1..=40).chain(59..=61) {
        let sat = Sat::bds(prn);
        let message = if sat.is_bds_geo() { NavMessage::D2 } else { NavMessage::D1 };
        // On the step of BDT.
        nav.insert(Ephemeris::Kepler(plain(sat, message, toe + 14.0)));
    }
    let iono = |scale: f64| Klobuchar {
        alpha: [1.1e-8, 2.2e-8, -5.9e-8, -1.1e-7].map(|a| a * scale),
        beta: [9.0e4, 1.3e5, -6.5e4, -5.2e5].map(|b| b * scale),
    };
    nav.gps_iono = Some(iono(1.0));
    nav.bds_iono = Some(iono(1.1));
    let utc = |scale, leap_s, wn_lsf, dn| {
        let (week, _) = toe.week_tow(scale);
        let tot = GnssTime::from_week_tow(scale, week, 0.0);
        UtcParams { scale, a0: 1.3e-9, a1: 4.4e-15, a2: 0.0, tot, leap_s, wn_lsf, dn, leap_future_s: leap_s }
    };
    let week = toe.gpst().0;
    nav.gps_utc = Some(utc(TimeScale::Gpst, 18, week - 20, 7));
    nav.bds_utc = Some(utc(TimeScale::Bdt, 4, week - 1356 - 20, 6));
    let offset = |to, a0| TimeOffset {
        from: TimeScale::Bdt,
        to,
        a0,
        a1: 2e-10,
        a2: 0.0,
        reference: GnssTime::from_bdt(toe.bdt().0, 0.0),
    };
    nav.offsets = [(TimeScale::Gpst, 3.1e-8), (TimeScale::Gst, -2.2e-8), (TimeScale::Utc, 5e-9)]
        .map(|(to, a0)| offset(to, a0))
        .to_vec();
    nav
}

/// Symbols of `count` subframes from `start` on.
pub fn symbols(message: NavMessage, sat: Sat, nav: &NavData, start: GnssTime, count: usize) -> Vec<u8> {
    let duration = subframe_duration_s(message);
    (0..count)
        .flat_map(|n| {
            encode_subframe(message, sat, nav, start + n as f64 * duration).expect("the data are good")
        })
        .collect()
}
