//! The life of a channel: loss, reacquisition, gaps, noise alone, independence of block lengths, bad starts.

mod common;

use common::{CASES, Scene, count_spread, level, run, symbol_errors};
use megrez_dsp::{Band, SampleBlock, Samples};
use megrez_signal::{Sat, SignalId};
use megrez_track::{Channel, ChannelEvent, ChannelStart, ChannelState, LossReason, TrackConfig};
use proptest::prelude::*;

#[test]
fn short_fades_are_ridden_out() {
    for (name, id, prn, rate) in CASES {
        let mut scene = Scene::new(id, prn, rate, 45.0, 3);
        scene.outage = (1.0, 1.1);
        let samples = scene.samples(0, 3.0);
        let result = run(&scene, &samples, 0, scene.start(0.005, 0.2, -100.0), (rate * 0.01) as usize, 0.1);
        let slips = result.measurements.last().map(|(_, m)| m.slips);
        assert_eq!((result.unlocks(), slips), (0, Some(0)), "{name}");
    }
}

#[test]
fn a_lost_signal_is_found_again() {
    for (name, id, prn, rate) in CASES {
        for cn0 in [50.0, 35.0] {
            let mut scene = Scene::new(id, prn, rate, cn0, 3);
            scene.outage = (1.0, 2.5);
            let samples = scene.samples(0, 4.5);
            let result =
                run(&scene, &samples, 0, scene.start(0.005, 0.2, -100.0), (rate * 0.01) as usize, 0.1);
            let times = |wanted: fn(&ChannelEvent) -> Option<u64>| -> Vec<f64> {
                result.events.iter().filter_map(wanted).map(|s| s as f64 / rate).collect()
            };
            let locked =
                times(|e| if let ChannelEvent::Locked { sample, .. } = e { Some(*sample) } else { None });
            let unlocked =
                times(|e| if let ChannelEvent::Unlocked { sample } = e { Some(*sample) } else { None });
            println!(
                "{name} at {cn0} dB-Hz, gone from 1.0 to 2.5 s: unlocked {unlocked:.2?}, locked {locked:.2?}"
            );
            assert_eq!((locked.len(), unlocked.len()), (2, 1), "{name}");
            assert!(unlocked[0] > 1.0 && unlocked[0] < 1.5 && locked[1] > 2.5 && locked[1] < 3.0);
            assert!(count_spread(&scene, &result) < 1.0, "{name}: a period was miscounted");
            assert_eq!(symbol_errors(&scene, &result).2, 0);
            assert!(result.measurements.last().is_some_and(|(_, m)| m.slips > 0 && m.lock_s < 2.0));
        }
    }
}

#[test]
fn a_signal_gone_for_good_ends_the_channel() {
    let (_, id, prn, rate) = CASES[2];
    let mut scene = Scene::new(id, prn, rate, 45.0, 3);
    scene.outage = (1.0, 100.0);
    let samples = scene.samples(0, 6.0);
    let result = run(&scene, &samples, 0, scene.start(0.0, 0.2, -100.0), (rate * 0.01) as usize, 0.1);
    let (sample, reason) = result.lost().unwrap();
    assert_eq!(reason, LossReason::CarrierLost);
    assert!((5.0..5.9).contains(&(sample as f64 / rate)));
    assert!(result.measurements.last().unwrap().0 < sample);
}

/// Pull-in tries some 3000 cells of probability 1e-10 in each of up to 22 decisions: less than 1e-5 a channel.
#[test]
fn noise_alone_never_locks() {
    for (name, id, prn, rate) in CASES {
        for seed in 0..6 {
            let mut scene = Scene::new(id, prn, rate, 40.0, 50 + seed);
            scene.cn0_dbhz = None;
            let samples = scene.samples(0, 2.2);
            let result = run(&scene, &samples, 0, scene.start(0.0, 0.2, 0.0), (rate * 0.01) as usize, 0.1);
            assert_eq!(result.locked(), None, "{name}");
            assert!(result.measurements.is_empty());
            assert_eq!(result.lost().map(|l| l.1), Some(LossReason::NoSignal), "{name}");
        }
    }
}

#[test]
fn results_do_not_depend_on_block_lengths() {
    for (name, id, prn, rate) in CASES {
        let mut scene = Scene::new(id, prn, rate, 42.0, 8);
        scene.outage = (0.8, 1.5);
        let samples = scene.samples(0, 2.2);
        let whole = run(&scene, &samples, 0, scene.start(0.0, 0.2, 90.0), (rate * 0.01) as usize, 5.0);
        assert!(whole.symbols().count() > 50);
        for block in [997, 14_321, (rate * 0.04) as usize] {
            let other = run(&scene, &samples, 0, scene.start(0.0, 0.2, 90.0), block, 5.0);
            assert_eq!(whole.events, other.events, "{name} in blocks of {block}");
        }
    }
}

#[test]
fn a_gap_in_the_stream_is_crossed() {
    let (_, id, prn, rate) = CASES[0];
    let scene = Scene::new(id, prn, rate, 45.0, 6);
    let second = (1.7 * rate) as u64;
    for (gap_at, expect_lost) in [(second, false), ((9.0 * rate) as u64, true)] {
        let level = level();
        let mut band = Band::new(&scene.info(), scene.signal.carrier_hz, 0.05, level);
        let start = scene.start(0.0, 0.2, 90.0);
        let mut channel = Channel::new(scene.signal, scene.sat, rate, level, start, &TrackConfig::default());
        let mut result = common::Run::default();
        for (first, seconds) in [(0, 1.0), (gap_at, 1.0)] {
            let samples = scene.samples(first, seconds);
            for (i, block) in samples.chunks(43_000).enumerate() {
                let first_sample = first + 43_000 * i as u64;
                band.push(&SampleBlock { first_sample, samples: Samples::Complex(block.to_vec()) });
                channel.process(&band.view(), &mut result.events);
                let at = first_sample + 20_000;
                result.measurements.extend(channel.measurement(at).map(|m| (at, m)));
            }
        }
        if expect_lost {
            assert_eq!(result.lost().map(|l| l.1), Some(LossReason::SamplesMissing));
            assert_eq!(channel.state(), ChannelState::Lost);
        } else {
            assert_eq!((result.unlocks(), channel.state()), (1, ChannelState::Synchronised));
            assert!(count_spread(&scene, &result) < 1.0);
            assert_eq!(symbol_errors(&scene, &result).2, 0);
        }
    }
}

#[test]
fn signals_that_are_not_tracked_say_so() {
    for (id, sat) in
        [(SignalId::B1CP, Sat::gps(26)), (SignalId::B1I, Sat::bds(200)), (SignalId::L1CA, Sat::bds(3))]
    {
        let scene = Scene::new(SignalId::L1CA, 7, 2.5e6, 45.0, 6);
        let samples = scene.samples(0, 0.01);
        let mut band = Band::new(&scene.info(), scene.signal.carrier_hz, 0.05, level());
        band.push(&SampleBlock { first_sample: 0, samples: Samples::Complex(samples) });
        let start = scene.start(0.0, 0.0, 0.0);
        let mut channel = Channel::new(id.def(), sat, 2.5e6, level(), start, &TrackConfig::default());
        let mut events = vec![];
        channel.process(&band.view(), &mut events);
        channel.process(&band.view(), &mut events);
        assert!(
            matches!(events[..], [ChannelEvent::Lost { reason: LossReason::Unsupported, .. }]),
            "{id} {sat}: {events:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_start_is_survived(
        sample in any::<u64>(),
        near in 0u64..60_000,
        far in any::<bool>(),
        code_phase_chips in any::<f64>(),
        doppler_hz in prop_oneof![any::<f64>(), -1e6..1e6],
        rate in prop_oneof![any::<f64>(), Just(2.5e6)],
        noise in prop::collection::vec(any::<(i8, i8)>(), 25_000),
    ) {
        let scene = Scene::new(SignalId::L1CA, 7, 2.5e6, 45.0, 6);
        let start = ChannelStart {
            sample: if far { sample } else { near },
            code_phase_chips,
            doppler_hz,
            cn0_dbhz: f64::NAN,
        };
        let level = level();
        let mut channel = Channel::new(scene.signal, scene.sat, rate, level, start, &TrackConfig::default());
        let mut band = Band::new(&scene.info(), scene.signal.carrier_hz, 0.05, level);
        let block: Vec<_> = noise.iter().map(|&(re, im)| num_complex::Complex::new(re, im)).collect();
        let mut events = vec![];
        for i in 0..6 {
            band.push(&SampleBlock { first_sample: 25_000 * i, samples: Samples::Complex(block.clone()) });
            channel.process(&band.view(), &mut events);
            prop_assert!(channel.measurement(sample).is_none_or(|m| m.code_phase_chips.is_finite()));
        }
        prop_assert!(events.len() < 20);
    }
}
