//! Several streams of one front end, and signals of a satellite that aid one another.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests fail by panicking

mod common;

use std::collections::BTreeSet;

use common::{Outcome, receive};
use megrez::dsp::{SampleFormat, Stream, Unpacker};
use megrez::prelude::*;
use megrez_sim::{FrontEnd, Satellites, Scene, Simulation};

fn stream(carrier_of: SignalId, rate_hz: f64) -> FrontEnd {
    FrontEnd {
        sample_rate_hz: Some(rate_hz),
        center_hz: Some(carrier_of.def().carrier_hz),
        format: SampleFormat::Cs8,
        ..FrontEnd::default()
    }
}

fn scene(signals: &[SignalId], streams: &[FrontEnd], duration_s: f64, elevation_mask_deg: f64) -> Scene {
    Scene {
        signals: signals.to_vec(),
        streams: streams.to_vec(),
        duration_s,
        satellites: Satellites { elevation_mask_deg, ..Satellites::default() },
        ..Scene::default()
    }
}

/// Signals and satellites that searches found.
fn searched(outcome: &Outcome) -> BTreeSet<(SignalId, Sat)> {
    let acquired = outcome.events.iter().filter_map(|event| match event {
        Event::Acquired(a) => Some((a.signal, a.sat)),
        _ => None,
    });
    acquired.collect()
}

/// Signals and satellites that others led to.
fn handed_over(outcome: &Outcome) -> BTreeSet<(SignalId, Sat)> {
    let handed = outcome.events.iter().filter_map(|event| match event {
        Event::HandedOver { signal, sat, .. } => Some((*signal, *sat)),
        _ => None,
    });
    handed.collect()
}

fn tracked(outcome: &Outcome) -> BTreeSet<(SignalId, Sat)> {
    outcome.receiver.satellites().iter().filter(|s| s.tracked).map(|s| (s.signal, s.sat)).collect()
}

/// B1I and B1C in a stream each, B2a in a wide one: satellites are searched by B1I alone.
#[test]
fn one_signal_leads_to_the_others() {
    let signals = [SignalId::B1I, SignalId::B1CP, SignalId::B2AP];
    let streams = [stream(SignalId::B1I, 5e6), stream(SignalId::B1CP, 6e6), stream(SignalId::B2AP, 20e6)];
    let mut scene = scene(&signals, &streams, 26.0, 25.0);
    scene.clock.drift_ppm = 2.0;
    let outcome = receive(scene, |b| b);
    let sent: BTreeSet<(SignalId, Sat)> = [&outcome.simulation]
        .into_iter()
        .chain(&outcome.further)
        .flat_map(|s| s.signals().map(|(sat, signal)| (signal, sat)))
        .filter(|(signal, _)| signals.contains(signal))
        .collect();
    let epochs: Vec<_> = outcome.epochs().collect();
    let last = epochs.last().map_or(0, |(_, epoch)| epoch.observations.len());
    let (rms_m, fixes) = outcome.position_rms_m();
    let errors = outcome.observation_errors(outcome.first_fix_s().unwrap_or_default() + 3.0);
    println!(
        "{} signals sent, {} tracked, {last} in the last of {} epochs; first fix {:?} s, {fixes} fixes, \
         3D rms {rms_m:.2} m, {errors:?}",
        sent.len(),
        tracked(&outcome).len(),
        epochs.len(),
        outcome.first_fix_s()
    );
    assert_eq!(tracked(&outcome), sent);
    let by_search = searched(&outcome);
    assert!(by_search.iter().all(|(signal, _)| *signal == SignalId::B1I), "{by_search:?}");
    assert_eq!(by_search.union(&handed_over(&outcome)).copied().collect::<BTreeSet<_>>(), sent);
    assert!(!outcome.events.iter().any(|event| matches!(event, Event::Lost { .. })));
    assert_eq!(last, sent.len());
    assert!(fixes >= 5 && rms_m < 5.0, "{fixes} fixes, {rms_m} m\n{}", outcome.receiver.diagnose());
    assert!(
        errors.phase_cycles < 0.05 && errors.pseudorange_m < 1.0 && errors.doppler_hz < 1.0,
        "{errors:?}"
    );
}

/// The second stream begins 25 µs late: nothing is where it is said to be, and is found by a search.
#[test]
fn wrong_places_are_noticed_and_searched() {
    let streams = [stream(SignalId::B1I, 5e6), stream(SignalId::B2I, 5e6)];
    let signals = [SignalId::B1I, SignalId::B2I];
    let mut scene = scene(&signals, &streams, 4.0, 25.0);
    scene.satellites.include = [6, 7, 9, 13].map(Sat::bds).to_vec();
    let simulations = Simulation::streams(&scene).unwrap();
    let late: u64 = 125;
    let streams: Vec<Stream> = simulations.iter().map(|s| s.info().into()).collect();
    let mut receiver = Receiver::builder_of(streams).signals(signals).build().unwrap();
    let bytes: Vec<Vec<u8>> = simulations.iter().map(|s| s.packed_blocks().flatten().collect()).collect();
    let (first, second) = (&bytes[0], &bytes[1][2 * late as usize..]);
    let mut unpacker = Unpacker::new(SampleFormat::Cs8, 50_000).unwrap();
    let (mut events, mut first_sample) = (Vec::new(), 0);
    for parts in first.chunks_exact(100_000).zip(second.chunks_exact(100_000)) {
        let blocks = [parts.0, parts.1].map(|part| {
            let mut samples = unpacker.empty();
            unpacker.unpack(part, &mut samples);
            SampleBlock { first_sample, samples }
        });
        events.extend(receiver.push(blocks));
        first_sample += 50_000;
    }
    let count = |wanted: &dyn Fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    let handed = count(&|e| matches!(e, Event::HandedOver { signal: SignalId::B2I, .. }));
    let refused = count(&|e| matches!(e, Event::Lost { signal: SignalId::B2I, .. }));
    let found = count(&|e| matches!(e, Event::Acquired(a) if a.signal == SignalId::B2I));
    let tracked =
        receiver.satellites().iter().filter(|s| s.signal == SignalId::B2I && s.synchronised).count();
    println!("{handed} handed over, {refused} refused, {found} found by search, {tracked} tracked");
    assert!(handed == 4 && refused == handed && found == handed && tracked == handed);
}
