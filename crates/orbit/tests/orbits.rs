//! Satellite states against positions that an independent program computed from real ephemerides
//! (`shared/icd/vectors/bds_orbit.json`), and velocities and clock rates against differences of positions and
//! clocks of the same function, which those vectors check.

use std::path::Path;

use megrez_orbit::{
    Ecef, Ephemeris, GnssTime, GroupDelays, KeplerEphemeris, MessageDetails, NavData, TimeScale,
};
use megrez_signal::{Constellation, NavMessage, Sat, SignalId};
use proptest::prelude::*;
use serde_json::Value;

/// A GPS-like ephemeris with every term at work.
fn sample(message: NavMessage) -> KeplerEphemeris {
    let (sat, scale) = match message {
        NavMessage::Lnav => (Sat::gps(5), TimeScale::Gpst),
        NavMessage::D2 => (Sat::bds(3), TimeScale::Bdt),
        _ => (Sat::bds(26), TimeScale::Bdt),
    };
    let toe = GnssTime::from_week_tow(scale, 900, 345_600.0);
    let cnav = message == NavMessage::Cnav1;
    KeplerEphemeris {
        sat,
        message,
        toe,
        toc: toe - 600.0,
        transmit: Some(toe - 1800.0),
        clock: [6.254_388e-4, 4.828e-11, 1.3e-18],
        a: if message == NavMessage::D2 { 42_164_428.1 } else { 27_906_101.3 },
        a_dot: if cnav { 4.5e-3 } else { 0.0 },
        e: 0.011,
        i0: if message == NavMessage::D2 { 0.086 } else { 0.945 },
        i_dot: 4.4e-10,
        omega0: -1.916,
        omega_dot: -7.78e-9,
        omega: -2.177,
        m0: -0.0857,
        delta_n: 3.2e-9,
        delta_n_dot: if cnav { 3.2e-14 } else { 0.0 },
        cuc: -4.5e-6,
        cus: 2.1e-5,
        crc: -404.6,
        crs: -143.2,
        cic: 7.9e-8,
        cis: -3.4e-8,
        delays: GroupDelays { tgd1: Some(1.3e-9), ..GroupDelays::default() },
        iode: 1,
        iodc: 1,
        ura_m: Some(2.0),
        health: 0,
        details: MessageDetails::default(),
    }
}

#[test]
fn qzss_states_the_health_of_one_signal_apart() {
    let toe = GnssTime::from_gpst(2394, 7200.0);
    let of = |sat, health| KeplerEphemeris {
        sat,
        message: NavMessage::Lnav,
        health,
        toe,
        toc: toe,
        ..sample(NavMessage::Lnav)
    };
    let (l1ca, l1cb) = ("1C".parse().unwrap(), "1E".parse().unwrap());
    let qzss = |health| of(Sat { constellation: Constellation::Qzss, prn: 2 }, health);
    assert!(qzss(1).healthy() && qzss(1).healthy_for(l1ca) && !qzss(1).healthy_for(l1cb));
    assert!(qzss(0).healthy_for(l1cb));
    assert!(!qzss(2).healthy() && !qzss(0x20).healthy_for(l1ca));
    assert!(!of(Sat::gps(2), 1).healthy());
}

#[test]
fn positions_and_clocks_of_real_ephemerides() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/icd/vectors/bds_orbit.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return;
    };
    let v: Value = serde_json::from_str(&text).unwrap();
    let cases = v["cases"].as_array().unwrap();
    assert!(cases.len() >= 6);
    let mut worst: f64 = 0.0;
    for case in cases {
        let f = |name: &str| case["eph"][name].as_f64().unwrap();
        let geo = case["geo"].as_bool().unwrap();
        let toe = GnssTime::from_bdt(810, f("toe"));
        let k = KeplerEphemeris {
            message: if geo { NavMessage::D2 } else { NavMessage::D1 },
            sat: if geo { Sat::bds(3) } else { Sat::bds(6) },
            toe,
            toc: toe,
            clock: [f("a0"), f("a1"), 0.0],
            a: f("A"),
            e: f("e"),
            i0: f("i0"),
            i_dot: f("IDOT"),
            omega0: f("OMEGA0"),
            omega_dot: f("OMEGAdot"),
            omega: f("omega"),
            m0: f("M0"),
            delta_n: f("deltan"),
            cuc: f("Cuc"),
            cus: f("Cus"),
            crc: f("Crc"),
            crs: f("Crs"),
            cic: f("Cic"),
            cis: f("Cis"),
            ..sample(NavMessage::D1)
        };
        let state = k.state(toe + case["tk"].as_f64().unwrap());
        let xyz: [f64; 3] = serde_json::from_value(case["xyz"].clone()).unwrap();
        worst = worst.max(state.position.distance(Ecef::new(xyz[0], xyz[1], xyz[2])));
        assert!((state.clock_s - case["dts"].as_f64().unwrap()).abs() < 1e-13, "{case}");
    }
    // The vectors are printed to 0.1 mm.
    assert!(worst < 1.5e-4, "{worst} m");
    eprintln!("{} cases, worst {worst:.1e} m", cases.len());
}

fn check_rates(k: &KeplerEphemeris, tk: f64) {
    let t = k.toe + tk;
    let h = 8.0;
    let at = |steps: f64| k.state(t + steps * h);
    // Five-point difference: its own error, h^4 times the fifth derivative over 30, is below 1e-9 m/s.
    let five = |f: &dyn Fn(f64) -> f64| (8.0 * (f(1.0) - f(-1.0)) - (f(2.0) - f(-2.0))) / (12.0 * h);
    let state = k.state(t);
    let numeric =
        Ecef::new(five(&|s| at(s).position.x), five(&|s| at(s).position.y), five(&|s| at(s).position.z));
    let error = state.velocity.distance(numeric);
    assert!(error < 3e-8, "{:?} at {tk}: {error} m/s", k.message);
    let drift = five(&|s| at(s).clock_s);
    assert!((state.clock_drift - drift).abs() < 1e-17, "{:?}: {} {drift}", k.message, state.clock_drift);
}

#[test]
fn velocities_are_the_derivatives_of_positions() {
    for message in [NavMessage::Lnav, NavMessage::D1, NavMessage::D2, NavMessage::Cnav1] {
        for tk in [-7200.0, -1234.5, 0.0, 600.0, 7200.0] {
            check_rates(&sample(message), tk);
        }
    }
}

proptest! {
    #[test]
    fn velocities_of_any_orbit(e in 0.0..0.3f64, i0 in 0.0..3.1f64, m0 in -3.1..3.1f64, omega in -3.1..3.1f64,
                               omega0 in -3.1..3.1f64, tk in -7200.0..7200.0f64, which in 0usize..4) {
        let message = [NavMessage::Lnav, NavMessage::D1, NavMessage::D2, NavMessage::Cnav1][which];
        check_rates(&KeplerEphemeris { e, i0, m0, omega, omega0, ..sample(message) }, tk);
    }

    #[test]
    fn states_never_panic(values in proptest::array::uniform8(proptest::num::f64::ANY), which in 0usize..4) {
        let message = [NavMessage::Lnav, NavMessage::D1, NavMessage::D2, NavMessage::Cnav1][which];
        let [a, e, i0, m0, omega, cuc, a_dot, tk] = values;
        let k = KeplerEphemeris { a, e, i0, m0, omega, cuc, a_dot, ..sample(message) };
        let tk = if tk.is_finite() { tk % 1e9 } else { 0.0 };
        let state = k.state(k.toe + tk);
        if k.plausible() && tk.abs() < 1e5 && cuc.abs() < 1.0 && a_dot.abs() < 10.0 && m0.abs() < 4.0 && omega.abs() < 4.0 && i0.abs() < 4.0 {
            prop_assert!(state.position.is_finite() && state.velocity.is_finite());
        }
    }
}

#[test]
fn the_best_ephemeris_is_chosen() {
    let mut nav = NavData::default();
    let base = sample(NavMessage::D1);
    let hours =
        |h: f64| KeplerEphemeris { toe: base.toe + h * 3600.0, toc: base.toc + h * 3600.0, ..base.clone() };
    for h in [3.0, 0.0, 1.0] {
        assert!(nav.insert(Ephemeris::from(hours(h))));
    }
    assert!(!nav.insert(Ephemeris::from(KeplerEphemeris { transmit: None, ..base.clone() })), "a repetition");
    assert!(!nav.insert(Ephemeris::from(KeplerEphemeris { e: f64::NAN, ..base.clone() })), "no orbit");
    let toe = |t: GnssTime| nav.ephemeris(base.sat, t).map(|e| (e.toe() - base.toe) / 3600.0);
    assert_eq!(toe(base.toe + 100.0), Some(0.0));
    assert_eq!(toe(base.toe + 1900.0), Some(1.0));
    assert_eq!(toe(base.toe + 5.1 * 3600.0), None);
    assert_eq!(toe(base.toe - 2.1 * 3600.0), None);
    assert!(nav.ephemeris_within(base.sat, base.toe + 1e5, 1e6).is_some());

    // An unhealthy update means that the satellite is not used; of two with one toe, the one sent last counts.
    nav.insert(Ephemeris::from(KeplerEphemeris { health: 1, ..hours(0.5) }));
    assert_eq!(nav.ephemeris(base.sat, base.toe + 1790.0), None);
    assert_eq!(nav.ephemeris(base.sat, base.toe + 890.0).map(Ephemeris::toe), Some(base.toe));
    let later = KeplerEphemeris { iodc: 7, transmit: Some(base.toe), ..base.clone() };
    nav.insert(Ephemeris::from(later.clone()));
    assert_eq!(nav.ephemeris(base.sat, base.toe).and_then(Ephemeris::kepler), Some(&later));

    // A B-CNAV1 ephemeris is for B1C, even if its toe is farther away.
    let mut cnav = KeplerEphemeris { message: NavMessage::Cnav1, ..hours(1.0) };
    cnav.delays = GroupDelays { tgd_b1cp: Some(1e-9), isc_b1cd: Some(2e-9), ..GroupDelays::default() };
    nav.insert(Ephemeris::from(cnav));
    let message = |signal| nav.ephemeris_for(base.sat, signal, base.toe).map(Ephemeris::message);
    assert_eq!(message(SignalId::B1CP), Some(NavMessage::Cnav1));
    assert_eq!(message(SignalId::B1I), Some(NavMessage::D1));
    let delay = nav.ephemeris_for(base.sat, SignalId::B1CD, base.toe).unwrap().group_delay_s(SignalId::B1CD);
    assert_eq!(delay, Some(1e-9 + 2e-9));

    let mut merged = NavData::default();
    merged.merge(nav.clone());
    assert_eq!(merged, nav);
}
