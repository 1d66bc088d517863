//! Frames through a bad channel: noise, half-cycle slips, gaps. What comes out must be right or marked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{nav_data, symbols};
use megrez_nav::{Assembler, Decoder, NavEvent, Subframe, subframe_duration_s};
use megrez_orbit::{Ephemeris, GnssTime, TimeScale};
use megrez_signal::{NavMessage, Sat};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

const MESSAGES: [(NavMessage, Sat); 3] =
    [(NavMessage::D1, Sat::bds(24)), (NavMessage::D2, Sat::bds(3)), (NavMessage::Lnav, Sat::gps(5))];

fn start(message: NavMessage) -> GnssTime {
    let scale = if message == NavMessage::Lnav { TimeScale::Gpst } else { TimeScale::Bdt };
    GnssTime::from_week_tow(scale, if message == NavMessage::Lnav { 2300 } else { 944 }, 7200.0)
}

fn decode(message: NavMessage, sat: Sat, soft: impl IntoIterator<Item = f32>) -> Vec<Subframe> {
    let mut decoder = Decoder::new(sat, message).unwrap();
    (0..).zip(soft).filter_map(|(tag, soft)| decoder.push(soft, tag)).collect()
}

/// Words that are marked good in received subframes, and how many of them are wrong.
fn judge(message: NavMessage, sat: Sat, clean: &[u8], got: &[Subframe]) -> (usize, usize) {
    let (mut good, mut wrong) = (0, 0);
    for subframe in got {
        assert_eq!(subframe.tag % 300, 0, "{message:?}: subframe at symbol {}", subframe.tag);
        let first = subframe.tag as usize;
        // Each subframe alone decodes without error.
        let sent = clean[first..first + 300].iter().map(|&bit| 1.0 - 2.0 * f32::from(bit));
        let truth = &decode(message, sat, sent)[0];
        assert_eq!((subframe.tow_s, subframe.id), (truth.tow_s, truth.id));
        for number in (1..=10).filter(|&n| subframe.word_good(n)) {
            good += 1;
            // The parity bits of LNAV keep the polarity of the first word; after a slip they are inverted.
            let parity_bits = if message == NavMessage::Lnav { 6 } else { 0 };
            let differ = (subframe.words[number - 1] ^ truth.words[number - 1]) >> parity_bits;
            wrong += usize::from(differ != 0);
        }
    }
    (good, wrong)
}

#[test]
fn noise() {
    let nav = nav_data(GnssTime::from_gpst(2300, 7200.0));
    // Energy of a bit over noise density in dB, and the least share of words that must come through: 10 dB is
    // 27 dB-Hz for D1 and LNAV, 37 dB-Hz for D2.
    for (ebn0_db, least) in [(10.0f32, 0.99), (7.0, 0.9)] {
        let sigma = (0.5 / 10f32.powf(ebn0_db / 10.0)).sqrt();
        for (message, sat) in MESSAGES {
            let clean = symbols(message, sat, &nav, start(message), 300);
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let soft: Vec<f32> = clean
                .iter()
                .map(|&bit| {
                    let noise: f32 = StandardNormal.sample(&mut rng);
                    1.0 - 2.0 * f32::from(bit) + sigma * noise
                })
                .collect();
            let got = decode(message, sat, soft);
            let (good, wrong) = judge(message, sat, &clean, &got);
            eprintln!(
                "{message:?} at {ebn0_db} dB: {} of 300 subframes, {good} words good, {wrong} of them wrong",
                got.len()
            );
            assert!(good as f64 >= least * 3000.0, "{message:?} at {ebn0_db} dB: {good} of 3000 words");
            assert!(wrong as f64 <= 0.001 * good as f64, "{message:?} at {ebn0_db} dB: {wrong} wrong words");
        }
    }
}

#[test]
fn half_cycle_slips_never_go_unnoticed() {
    let nav = nav_data(GnssTime::from_gpst(2300, 7200.0));
    for (message, sat) in MESSAGES {
        let clean = symbols(message, sat, &nav, start(message), 40);
        let mut lost = 0;
        for at in (0..40).map(|n| n * 293 + 17) {
            // The carrier loop passes through zero within a few symbols.
            let soft = clean.iter().enumerate().map(|(n, &bit)| {
                let amplitude = ((at as f32 - n as f32) * 0.5).clamp(-1.0, 1.0);
                (1.0 - 2.0 * f32::from(bit)) * amplitude
            });
            let got = decode(message, sat, soft);
            let (good, wrong) = judge(message, sat, &clean, &got);
            assert_eq!(wrong, 0, "{message:?}: slip at {at}");
            lost = lost.max(400 - good);
        }
        // LNAV loses the words around the slip; D1 and D2 at most the subframe, and the one after the first.
        assert!(lost <= 20, "{message:?}: {lost} words");
    }
}

#[test]
fn a_lost_symbol_is_recovered_from() {
    let nav = nav_data(GnssTime::from_gpst(2300, 7200.0));
    for (message, sat) in MESSAGES {
        let clean = symbols(message, sat, &nav, start(message), 20);
        let mut decoder = Decoder::new(sat, message).unwrap();
        let got: Vec<Subframe> = (0..)
            .zip(&clean)
            .filter(|&(tag, _)| tag != 1000)
            .filter_map(|(tag, &bit)| decoder.push(1.0 - 2.0 * f32::from(bit), tag))
            .filter(|subframe| subframe.complete())
            .collect();
        // Whole subframes before and after the one with the gap, found at their new place.
        let tags: Vec<u64> = got.iter().map(|subframe| subframe.tag / 300).collect();
        assert!(got.iter().all(|subframe| subframe.tag % 300 == 0), "{message:?}");
        assert!(tags.starts_with(&[0, 1, 2]) && tags.len() >= 17, "{message:?}: {tags:?}");
    }
}

#[test]
fn pieces_of_two_sets_are_not_mixed() {
    let toe = GnssTime::from_gpst(2300, 7200.0);
    for (message, sat) in MESSAGES {
        let other = {
            let mut nav = megrez_orbit::NavData::default();
            let offset = if message == NavMessage::Lnav { 0.0 } else { 14.0 };
            let mut eph = common::plain(sat, message, toe + offset + 3600.0);
            (eph.iode, eph.iodc, eph.m0) = (0x11, 0x111, eph.m0 + 0.5);
            nav.insert(Ephemeris::Kepler(eph));
            nav
        };
        let nav = nav_data(toe);
        // The change falls on the hour, when reception began in the middle of a frame.
        let duration = subframe_duration_s(message);
        let per_frame = if message == NavMessage::D2 { 50 } else { 5 };
        for skip in 0..per_frame {
            let from = start(message) - (per_frame - skip) as f64 * duration;
            let mut bits = symbols(message, sat, &nav, from, per_frame - skip);
            bits.extend(symbols(message, sat, &other, start(message), 2 * per_frame));
            let mut assembler = Assembler::new(sat, message);
            let soft = bits.iter().map(|&bit| 1.0 - 2.0 * f32::from(bit));
            let mut found = 0;
            for subframe in decode(message, sat, soft) {
                for event in assembler.push(&subframe, None) {
                    let NavEvent::Ephemeris(Ephemeris::Kepler(eph)) = event else { continue };
                    found += 1;
                    let known = [&nav, &other].iter().any(|nav| {
                        let sent = nav.ephemerides_of(sat)[0].kepler().unwrap();
                        let near = |a: f64, b: f64| (a - b).abs() < 1e-8;
                        sent.toe == eph.toe
                            && near(sent.m0, eph.m0)
                            && near(sent.i0, eph.i0)
                            && sent.iode == eph.iode % 256
                    });
                    assert!(known, "{message:?} skip {skip}: {eph:?}");
                }
            }
            assert!(found >= 1, "{message:?} skip {skip}");
        }
    }
}
