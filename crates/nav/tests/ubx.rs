//! Frames that u-blox receivers logged off the air, counted, and the ephemerides in them.
//!
//! The logs stand beside the project, in `../shared/data/streams/ublox`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use megrez_nav::ubx::{Cnav1Joiner, Sfrbx, UbxMessage, UbxReader, nav_data_from_ubx};
use megrez_orbit::{Ephemeris, GnssTime, GroupDelays, KeplerEphemeris, NavData, TimeScale};
use megrez_signal::{Constellation, NavMessage, Sat};

fn log(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/streams/ublox").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is absent", path.display());
    }
    bytes
}

fn frames(bytes: &[u8]) -> Vec<Sfrbx> {
    UbxReader::new(bytes)
        .filter_map(|message| match message {
            UbxMessage::Sfrbx(frame) => Some(frame),
            _ => None,
        })
        .collect()
}

/// Good subframes and all frames, by system and signal number.
fn counts(bytes: &[u8]) -> BTreeMap<(u8, u8), (usize, usize)> {
    let mut counts = BTreeMap::new();
    // B-CNAV1 subframes 3 before the first subframe 2 of a satellite have no time: a second pass has.
    let mut joiner = Cnav1Joiner::default();
    for frame in frames(bytes) {
        joiner.push(&frame);
    }
    for frame in frames(bytes).iter().filter(|frame| frame.message().is_some()) {
        let entry = counts.entry((frame.gnss_id, frame.sig_id)).or_insert((0, 0));
        entry.0 += usize::from(frame.subframe().or_else(|| joiner.push(frame)).is_some());
        entry.1 += 1;
    }
    counts
}

fn sats(nav: &NavData, constellation: Constellation) -> Vec<u8> {
    nav.sats().filter(|sat| sat.constellation == constellation).map(|sat| sat.prn).collect()
}

/// The largest distance in m between what successive ephemerides of one satellite say half-way between their
/// reference times, and the number of such pairs. Broadcast orbits are good to metres, so a wrong bit would show.
fn disagreement(nav: &NavData) -> (f64, usize) {
    let (mut worst, mut pairs) = (0.0f64, 0);
    for sat in nav.sats() {
        let legacy = nav
            .ephemerides_of(sat)
            .iter()
            .filter(|e| matches!(e.message(), NavMessage::D1 | NavMessage::Lnav));
        let legacy: Vec<&Ephemeris> = legacy.collect();
        for pair in legacy.windows(2) {
            let middle = pair[0].toe() + (pair[1].toe() - pair[0].toe()) / 2.0;
            let (p, q) = (pair[0].state(middle).position, pair[1].state(middle).position);
            let distance = (p.x - q.x).hypot(p.y - q.y).hypot(p.z - q.z);
            worst = worst.max(distance);
            pairs += 1;
        }
    }
    (worst, pairs)
}

#[test]
fn frames_of_the_walk() {
    let Some(bytes) = log("COM6_211122_123733.ubx") else { return };
    // The one that fails, of C22, has a time of week of 916611 s.
    assert_eq!(
        counts(&bytes),
        BTreeMap::from([((0, 0), (573, 573)), ((3, 0), (478, 479)), ((3, 2), (191, 191))])
    );
    let nav = nav_data_from_ubx(&bytes);
    assert_eq!(sats(&nav, Constellation::Bds), [7, 10, 12, 19, 20, 22, 34, 37]);
    assert_eq!(sats(&nav, Constellation::Gps), [2, 5, 7, 9, 13, 14, 15, 18, 20, 30]);
    // 2021-11-22 12:38 to 12:45, in both systems' weeks.
    for ephemeris in nav.ephemerides() {
        let (week, tow) = ephemeris.transmit().unwrap().gpst();
        assert_eq!(week, 2185);
        assert!((131_900.0..132_400.0).contains(&tow), "{} {tow}", ephemeris.sat());
        assert!(ephemeris.healthy());
    }
    let utc = nav.bds_utc.unwrap();
    assert_eq!((utc.leap_s, utc.leap_future_s), (4, 4));
    assert!(nav.bds_iono.is_some());
}

#[test]
fn frames_of_the_second_log() {
    let Some(bytes) = log("pygpsdata-rxmsfrbx.log") else { return };
    let cnav1 = (1207 + 837, 1813 + 1207 + 837);
    let want = [((0, 0), (5232, 5232)), ((3, 4), (4306, 4306)), ((3, 6), cnav1), ((3, 8), (5581, 5581))];
    assert_eq!(counts(&bytes), BTreeMap::from(want));
    let nav = nav_data_from_ubx(&bytes);
    assert_eq!(sats(&nav, Constellation::Bds), [14, 21, 24, 26, 27, 28, 33, 41, 42, 43, 45, 49, 50]);
    assert_eq!(sats(&nav, Constellation::Gps), [5, 7, 9, 11, 13, 14, 15, 18, 20, 21, 30]);
    // No receiver time in this log: the weeks of GPS follow from those of BDS, across the end of a week.
    for ephemeris in nav.ephemerides() {
        assert_eq!(ephemeris.transmit().unwrap().gpst().0, 2414);
    }
    let (worst, pairs) = disagreement(&nav);
    assert!(pairs == 18 && worst < 1.0, "{pairs} pairs, {worst} m");
    // Almanacs of both systems agree with the ephemerides to what almanacs are good for.
    for sat in nav.sats() {
        let (ephemeris, almanac) = (&nav.ephemerides_of(sat)[0], &nav.almanacs[&sat]);
        let (p, q) = (ephemeris.state(ephemeris.toe()).position, almanac.state(ephemeris.toe()).position);
        let distance = (p.x - q.x).hypot(p.y - q.y).hypot(p.z - q.z);
        assert!(distance < 5_000.0, "{sat}: {distance} m");
        assert!(almanac.healthy(), "{sat}: {:?}", almanac.health);
    }
    for utc in [nav.gps_utc.unwrap(), nav.bds_utc.unwrap()] {
        let leap = if utc.scale == TimeScale::Bdt { 4 } else { 18 };
        assert_eq!((utc.leap_s, utc.leap_future_s), (leap, leap));
        assert!(utc.a0.abs() < 1e-7);
    }
    assert!(nav.gps_iono.is_some() && nav.bds_iono.is_some());
}

/// The ephemerides of one message, by satellite and reference time.
fn by_reference(nav: &NavData, message: NavMessage) -> BTreeMap<(Sat, u32), KeplerEphemeris> {
    let all = nav.ephemerides().filter_map(Ephemeris::kepler).filter(|k| k.message == message);
    all.map(|k| ((k.sat, k.toe.bdt().1 as u32), k.clone())).collect()
}

fn apart(p: &KeplerEphemeris, q: &KeplerEphemeris, t: GnssTime) -> f64 {
    let (p, q) = (p.state(t).position, q.state(t).position);
    (p.x - q.x).hypot(p.y - q.y).hypot(p.z - q.z)
}

#[test]
fn the_messages_of_one_satellite_agree() {
    let Some(bytes) = log("pygpsdata-rxmsfrbx.log") else { return };
    let nav = nav_data_from_ubx(&bytes);
    let first = by_reference(&nav, NavMessage::Cnav1);
    let second = by_reference(&nav, NavMessage::Cnav2);
    let legacy = by_reference(&nav, NavMessage::D1);
    let mut same = 0;
    for (key, one) in &first {
        let Some(two) = second.get(key) else { continue };
        // The same orbit and clock are sent in both.
        let delays = GroupDelays { isc_b1cd: one.delays.isc_b1cd, ..two.delays };
        let expected = KeplerEphemeris {
            message: NavMessage::Cnav1,
            transmit: one.transmit,
            delays: GroupDelays { isc_b2ad: one.delays.isc_b2ad, ..delays },
            ..two.clone()
        };
        assert_eq!(one, &expected);
        same += 1;
    }
    // D1 has another fit of the same orbit.
    let (mut pairs, mut worst) = (0, 0.0f64);
    for (key, two) in &second {
        if let Some(old) = legacy.get(key) {
            worst = worst.max(apart(two, old, two.toe));
            pairs += 1;
        }
    }
    // 20 hours of satellites, each in both, and all of them in D1.
    assert_eq!((first.len(), second.len(), same, pairs), (20, 20, 20, 20));
    assert!(worst < 0.2, "{worst} m");
}

#[test]
fn what_else_the_messages_say() {
    let Some(bytes) = log("pygpsdata-rxmsfrbx.log") else { return };
    let nav = nav_data_from_ubx(&bytes);
    // All satellites that send B-CNAV2 were healthy.
    let sats: BTreeSet<Sat> = by_reference(&nav, NavMessage::Cnav2).into_keys().map(|(sat, _)| sat).collect();
    for sat in &sats {
        let integrity = nav.integrity[sat];
        assert!(integrity.healthy() && integrity.health.is_some(), "{sat}");
        let flags = [integrity.b1c, integrity.b2a].map(Option::unwrap);
        assert!(flags.iter().all(|flags| flags.usable()), "{sat}");
    }
    // 2026-04-19: IERS Bulletin A had UT1-UTC at some tens of milliseconds, and the pole where it is each spring.
    let earth = nav.earth_orientation.unwrap();
    assert!((0.0..0.1).contains(&earth.dut1[0]), "{earth:?}");
    assert!((0.0..0.3).contains(&earth.pole_x[0]) && (0.3..0.6).contains(&earth.pole_y[0]), "{earth:?}");
    // To GPS, Galileo and GLONASS, each some nanoseconds.
    let to: Vec<TimeScale> = nav.offsets.iter().map(|offset| offset.to).collect();
    assert!([TimeScale::Gpst, TimeScale::Gst, TimeScale::Utc].iter().all(|scale| to.contains(scale)));
    assert!(nav.offsets.iter().all(|offset| offset.from == TimeScale::Bdt && offset.a0.abs() < 1e-7));
    let utc = nav.bds_utc.unwrap();
    assert_eq!((utc.scale, utc.leap_s, utc.wn_lsf, utc.dn), (TimeScale::Bdt, 4, 573, 6));
    // The vertical delay at the equator at noon, some metres: alpha1 is the mean of the electron content in TECu.
    assert!((1.0..100.0).contains(&nav.bdgim.unwrap().alpha[0]));
}
