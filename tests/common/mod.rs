//! Simulated recordings received, and compared with their truth.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests fail by panicking
#![allow(dead_code)] // each test file uses a part

use std::collections::BTreeMap;

use megrez::dsp::SampleFormat;
use megrez::prelude::*;
use megrez_sim::{Scene, Simulation, TruthEpoch};
use megrez_source::{InputOptions, ReadSource, Resolved, Source, Together};

/// What a receiver made of a scene.
pub struct Outcome {
    /// The first stream's.
    pub simulation: Simulation,
    /// Those of the further streams.
    pub further: Vec<Simulation>,
    pub receiver: Receiver,
    pub events: Vec<Event>,
}

/// Simulates a scene of one stream or several and receives it, through the bytes of its sample formats.
pub fn receive(
    scene: Scene,
    configure: impl FnOnce(megrez::ReceiverBuilder) -> megrez::ReceiverBuilder,
) -> Outcome {
    let mut simulations = Simulation::streams(&scene).unwrap();
    let mut events = Vec::new();
    let receiver = std::thread::scope(|scope| {
        let sources = simulations.iter().map(|simulation| {
            let info = simulation.info();
            let options = InputOptions {
                format: Some(simulation.format()),
                rate_hz: Some(info.sample_rate_hz),
                center_hz: Some(info.center_hz),
                ..InputOptions::default()
            };
            let (reading, mut writing) = std::io::pipe().unwrap();
            scope.spawn(move || {
                simulation.write(&mut writing, |_| ()).unwrap();
                drop(writing);
            });
            let described = Resolved::of_stream("simulation", &options).unwrap();
            Box::new(ReadSource::new(reading, described).unwrap()) as Box<dyn Source + Send>
        });
        let mut source = Together::new(sources.collect()).unwrap();
        let mut receiver = configure(Receiver::builder_of(source.streams())).build().unwrap();
        let mut blocks = Vec::new();
        while source.next_blocks(&mut blocks).unwrap() {
            events.extend(receiver.push(&blocks));
        }
        events.extend(receiver.finish());
        receiver
    });
    Outcome { simulation: simulations.remove(0), further: simulations, receiver, events }
}

/// Root mean squares of observations against the truth.
#[derive(Debug, Default)]
pub struct ObservationErrors {
    pub count: usize,
    /// Carrier phase, one constant a satellite and one a epoch removed, in cycles.
    pub phase_cycles: f64,
    pub doppler_hz: f64,
    /// Pseudorange, one constant an epoch removed, in m.
    pub pseudorange_m: f64,
}

impl Outcome {
    pub fn solutions(&self) -> impl Iterator<Item = &Solution> {
        self.events.iter().filter_map(|event| match event {
            Event::Solution(fix) => Some(fix.as_ref()),
            _ => None,
        })
    }

    pub fn epochs(&self) -> impl Iterator<Item = (f64, &ObservationEpoch)> {
        self.events.iter().filter_map(|event| match event {
            Event::Observations { receiver_s, epoch, .. } => Some((*receiver_s, epoch)),
            _ => None,
        })
    }

    /// The truth, of the signals of all streams.
    pub fn truth(&self, receiver_s: f64) -> TruthEpoch {
        let mut truth = self.simulation.truth(receiver_s);
        truth.signals.extend(self.further.iter().flat_map(|s| s.truth(receiver_s).signals));
        truth
    }

    pub fn first_fix_s(&self) -> Option<f64> {
        self.receiver.first_fix_sample().map(|s| s as f64 / self.simulation.info().sample_rate_hz)
    }

    /// Root mean square of the error in space, in m, and the number of positions.
    pub fn position_rms_m(&self) -> (f64, usize) {
        let mut squares = Vec::new();
        let mut receiver_s = 0.0;
        for event in &self.events {
            match event {
                Event::Observations { receiver_s: s, .. } => receiver_s = *s,
                Event::Solution(fix) => {
                    let truth = self.simulation.truth(receiver_s);
                    squares.push((fix.position - truth.position).norm().powi(2));
                }
                _ => {}
            }
        }
        ((squares.iter().sum::<f64>() / squares.len() as f64).sqrt(), squares.len())
    }

    /// Observations against the truth, of epochs from `from_s` on.
    pub fn observation_errors(&self, from_s: f64) -> ObservationErrors {
        let mut phases: BTreeMap<(Sat, ObsCode, u64), Vec<f64>> = BTreeMap::new();
        let (mut doppler, mut range) = (Vec::new(), Vec::new());
        let mut arcs: BTreeMap<(Sat, ObsCode), u64> = BTreeMap::new();
        for (receiver_s, epoch) in self.epochs().filter(|(s, _)| *s >= from_s) {
            let truth = self.truth(receiver_s);
            let mut ranges = Vec::new();
            let mut cycles = Vec::new();
            for o in &epoch.observations {
                let t = truth
                    .signals
                    .iter()
                    .find(|t| t.sat == o.sat && ObsCode::from(t.signal) == o.code)
                    .unwrap();
                let wavelength = wavelength_m(o.sat, o.code);
                doppler.push(o.doppler_hz.unwrap() - t.doppler_hz);
                ranges.push(o.pseudorange_m.unwrap() - t.pseudorange_m);
                let arc = arcs.entry((o.sat, o.code)).or_default();
                *arc += u64::from(o.slip);
                if let Some(phase) = o.carrier_phase_cycles {
                    cycles.push(((o.sat, o.code, *arc), (phase - t.carrier_phase_cycles) * wavelength));
                }
            }
            let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
            let center = mean(&ranges);
            range.extend(ranges.iter().map(|r| r - center));
            let center = mean(&cycles.iter().map(|c| c.1).collect::<Vec<_>>());
            for (key, metres) in cycles {
                phases.entry(key).or_default().push((metres - center) / wavelength_m(key.0, key.1));
            }
        }
        let rms = |all: &[f64]| (all.iter().map(|v| v * v).sum::<f64>() / all.len().max(1) as f64).sqrt();
        let mut residual = Vec::new();
        for arc in phases.values().filter(|arc| arc.len() > 3) {
            let mean = arc.iter().sum::<f64>() / arc.len() as f64;
            residual.extend(arc.iter().map(|p| p - mean));
        }
        ObservationErrors {
            count: doppler.len(),
            phase_cycles: rms(&residual),
            doppler_hz: rms(&doppler),
            pseudorange_m: rms(&range),
        }
    }
}

/// A static scene of one minute.
pub fn scene(signals: &[SignalId], rate_hz: f64, center_hz: f64, format: SampleFormat) -> Scene {
    let mut scene = Scene { signals: signals.to_vec(), duration_s: 60.0, ..Scene::default() };
    scene.front_end.sample_rate_hz = Some(rate_hz);
    scene.front_end.center_hz = Some(center_hz);
    scene.front_end.format = format;
    scene
}

/// Wavelength in metres of a signal of `sat`.
pub fn wavelength_m(sat: Sat, code: ObsCode) -> f64 {
    megrez::signal::SPEED_OF_LIGHT / code.carrier_hz(sat.constellation, 0).unwrap()
}
