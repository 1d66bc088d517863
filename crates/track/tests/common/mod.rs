//! A signal generator independent of the channel: code x subcarrier x secondary code x data on a carrier, one or two
//! components, in white noise.
//!
//! Trust: phases are computed in closed form from the time of each sample, symbols are drawn from a seeded
//! generator and kept, and C/N0 follows from its definition (signal power over noise density). Nothing of the
//! crate under test is used.

#![allow(dead_code, clippy::unwrap_used)]

use std::f64::consts::TAU;

use megrez_dsp::{Band, Level, SampleBlock, Samples, StreamInfo};
use megrez_signal::{Modulation, Sat, Signal, SignalId};
use megrez_track::{Channel, ChannelEvent, ChannelStart, LossReason, Measurement, Symbol, TrackConfig};
use num_complex::Complex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const NOISE_RMS: f64 = 20.0;

/// What is received.
#[derive(Clone)]
pub struct Scene {
    pub signal: &'static Signal,
    pub sat: Sat,
    pub rate: f64,
    /// Of all components together. None: no signal at all.
    pub cn0_dbhz: Option<f64>,
    pub doppler_hz: f64,
    pub rate_hz_s: f64,
    /// Sinusoidal Doppler of a circle: amplitude in Hz and angular rate in rad/s.
    pub circle: (f64, f64),
    /// Code phase in chips, symbol phase in periods at sample 0.
    pub code_phase: f64,
    pub symbol_phase: usize,
    /// Code rate beyond what the carrier says, chips/s.
    pub divergence: f64,
    /// The signal is absent from .. to .. s.
    pub outage: (f64, f64),
    /// The code jumps ahead by so many chips (the second) at so many seconds (the first).
    pub code_step: (f64, f64),
    pub seed: u64,
    parts: Vec<Part>,
    periods: usize,
}

/// One component.
#[derive(Clone)]
struct Part {
    code: Vec<f32>,
    secondary: Vec<f32>,
    data: bool,
    modulation: Modulation,
    /// Amplitude and phase relative to the whole signal.
    factor: Complex<f64>,
}

impl Part {
    fn new(signal: &Signal, prn: u8, share: f64) -> Self {
        let sign = |chips: Vec<u8>| chips.iter().map(|&c| 1.0 - 2.0 * f32::from(c)).collect::<Vec<_>>();
        Self {
            code: sign(signal.code(prn).unwrap()),
            secondary: signal.secondary(prn).map_or(vec![1.0], |s| sign(s.chips)),
            data: signal.nav_message(prn).is_some(),
            modulation: signal.modulation,
            factor: Complex::from_polar(share.sqrt(), TAU * signal.phase_cycles),
        }
    }

    /// Waveform at a fraction of a chip: sine-phased square waves of one and six cycles a chip.
    fn waveform(&self, fraction: f64) -> Complex<f64> {
        let square = |cycles: f64| {
            let turns = fraction * cycles;
            if turns - f64::from(turns as u32) < 0.5 { 1.0 } else { -1.0 }
        };
        match self.modulation {
            Modulation::Bpsk => Complex::new(1.0, 0.0),
            Modulation::BocSine => Complex::new(square(1.0), 0.0),
            // The BOC(6,1) part of a pilot in quadrature is in phase with the data (BDS-SIS-ICD-B1C-1.0, 4.2.2).
            Modulation::Qmboc => {
                Complex::new((29f64 / 33.0).sqrt() * square(1.0), -(4f64 / 33.0).sqrt() * square(6.0))
            }
        }
    }
}

/// A code period that is being received.
struct Period {
    /// Chips at its start.
    start: f64,
    /// Sign of each component, of data and secondary code together.
    signs: Vec<f32>,
}

impl Scene {
    /// A pilot comes with its partner.
    pub fn new(id: SignalId, prn: u8, rate: f64, cn0_dbhz: f64, seed: u64) -> Self {
        let signal = id.def();
        let bearer = match signal.nav_message(prn) {
            Some(_) => signal,
            None => signal.partner.unwrap().def(),
        };
        let parts = if bearer.id == id {
            vec![Part::new(signal, prn, 1.0)]
        } else {
            [signal, bearer].map(|s| Part::new(s, prn, s.power_share)).to_vec()
        };
        let periods = (1.0 / bearer.symbol_rate_hz(prn).unwrap() / signal.code_period_s()).round() as usize;
        let places = parts.iter().map(|part| part.secondary.len()).fold(periods, usize::max);
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
        Self {
            signal,
            sat: Sat { constellation: signal.constellation, prn },
            rate,
            cn0_dbhz: Some(cn0_dbhz),
            doppler_hz: random.random_range(-4000.0..4000.0),
            rate_hz_s: 0.0,
            circle: (0.0, 0.0),
            code_phase: random.random_range(0.0..signal.code_length as f64),
            symbol_phase: random.random_range(0..places),
            divergence: 0.0,
            outage: (0.0, 0.0),
            code_step: (f64::INFINITY, 0.0),
            seed,
            parts,
            periods,
        }
    }

    /// Whether the sign of the symbols must be right.
    pub fn has_pilot(&self) -> bool {
        self.parts.len() > 1
    }

    /// Place of the code period running at `t` in the pilot's secondary code.
    pub fn place(&self, t: f64) -> usize {
        let periods = (self.chips(t) / self.signal.code_length as f64).floor() as usize + self.symbol_phase;
        periods % self.parts[0].secondary.len()
    }

    /// Cycles received since sample 0.
    pub fn phase(&self, t: f64) -> f64 {
        let (amplitude, w) = self.circle;
        let swing = if w > 0.0 { amplitude / w * (1.0 - (w * t).cos()) } else { 0.0 };
        self.doppler_hz * t + 0.5 * self.rate_hz_s * t * t + swing
    }

    pub fn doppler(&self, t: f64) -> f64 {
        let (amplitude, w) = self.circle;
        self.doppler_hz + self.rate_hz_s * t + amplitude * (w * t).sin()
    }

    /// Chips received since the start of the code period that was running at sample 0.
    pub fn chips(&self, t: f64) -> f64 {
        let s = self.signal;
        self.code_phase
            + (s.chip_rate_hz + self.divergence) * t
            + self.phase(t) * s.chip_rate_hz / s.carrier_hz
            + if t >= self.code_step.0 { self.code_step.1 } else { 0.0 }
    }

    /// Data symbols, +1 or -1.
    pub fn symbols(&self, count: usize) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        (0..count).map(|_| if random.random::<bool>() { 1.0 } else { -1.0 }).collect()
    }

    /// Number of the symbol running at `t` and the code periods since it began.
    pub fn symbol_at(&self, t: f64) -> (usize, f64) {
        let periods = self.chips(t) / self.signal.code_length as f64 + self.symbol_phase as f64;
        let symbol = (periods / self.periods as f64).floor();
        (symbol as usize, periods - symbol * self.periods as f64)
    }

    pub fn info(&self) -> StreamInfo {
        StreamInfo { sample_rate_hz: self.rate, center_hz: self.signal.carrier_hz, complex: true }
    }

    /// The code period running after `chips`.
    fn period(&self, chips: f64, symbols: &[f32]) -> Period {
        let length = self.signal.code_length as f64;
        let period = (chips / length).floor();
        let index = period as usize + self.symbol_phase;
        let sign = |part: &Part| {
            let data = if part.data { symbols[index / self.periods] } else { 1.0 };
            part.secondary[index % part.secondary.len()] * data
        };
        Period { start: period * length, signs: self.parts.iter().map(sign).collect() }
    }

    /// Samples `first` to `first` + `seconds`.
    pub fn samples(&self, first: u64, seconds: f64) -> Vec<Complex<i8>> {
        let n = (seconds * self.rate) as usize;
        let mut noise = ChaCha8Rng::seed_from_u64(self.seed ^ 0xa015e);
        let last = (first as f64 + 1.0) / self.rate + seconds;
        let symbols = self.symbols(self.symbol_at(last).0 + 4);
        let level = self
            .cn0_dbhz
            .map_or(0.0, |c| (10f64.powf(c / 10.0) * 2.0 * NOISE_RMS * NOISE_RMS / self.rate).sqrt());
        let length = self.signal.code_length as f64;
        let mut period = self.period(self.chips(first as f64 / self.rate), &symbols);
        let mut out = Vec::with_capacity(n);
        // Within a stretch of 100 samples the carrier is a line to far better than a microcycle.
        const STRETCH: usize = 100;
        let mut i = 0;
        while i < n {
            let t = (first + i as u64) as f64 / self.rate;
            let end = t + STRETCH as f64 / self.rate;
            let (p0, p1) = (self.phase(t), self.phase(end));
            let (c0, c1) = (self.chips(t), self.chips(end));
            let turn = Complex::from_polar(1.0, TAU * (p1 - p0) / STRETCH as f64);
            let mut carrier = Complex::from_polar(1.0, TAU * (p0 - p0.floor()));
            let amplitude = if t >= self.outage.0 && t < self.outage.1 { 0.0 } else { level };
            for k in 0..STRETCH.min(n - i) {
                let chips = c0 + (c1 - c0) * k as f64 / STRETCH as f64;
                if !(0.0..length).contains(&(chips - period.start)) {
                    period = self.period(chips, &symbols);
                }
                let chip = chips - period.start;
                let number = chip as usize;
                let mut z = Complex::new(0.0, 0.0);
                for (part, sign) in self.parts.iter().zip(&period.signs) {
                    let value = part.code[number] * sign;
                    z += part.factor * part.waveform(chip - number as f64) * f64::from(value);
                }
                let z = carrier * amplitude * z;
                carrier *= turn;
                // To the nearest level; casts are faster than rounding.
                let mut add = |x: f64| {
                    let g: f64 = noise.sample(StandardNormal);
                    ((x + NOISE_RMS * g).clamp(-127.0, 127.0) + 127.5) as i16 - 127
                };
                out.push(Complex::new(add(z.re) as i8, add(z.im) as i8));
            }
            i += STRETCH;
        }
        out
    }

    /// An acquisition at `t` with the given errors.
    pub fn start(&self, t: f64, code_error: f64, doppler_error: f64) -> ChannelStart {
        let sample = (t * self.rate).round() as u64;
        let t = sample as f64 / self.rate;
        ChannelStart {
            sample,
            code_phase_chips: (self.chips(t) + code_error).rem_euclid(self.signal.code_length as f64),
            doppler_hz: self.doppler(t) + doppler_error,
            cn0_dbhz: self.cn0_dbhz.unwrap_or(40.0),
        }
    }
}

/// What came out of a run.
#[derive(Default, Clone, PartialEq, Debug)]
pub struct Run {
    pub events: Vec<ChannelEvent>,
    /// Sample and measurement.
    pub measurements: Vec<(u64, Measurement)>,
}

impl Run {
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.events.iter().filter_map(|e| if let ChannelEvent::Symbol(s) = e { Some(s) } else { None })
    }

    pub fn locked(&self) -> Option<u64> {
        self.events
            .iter()
            .find_map(|e| if let ChannelEvent::Locked { sample, .. } = e { Some(*sample) } else { None })
    }

    pub fn lost(&self) -> Option<(u64, LossReason)> {
        self.events.iter().find_map(|e| match e {
            ChannelEvent::Lost { sample, reason } => Some((*sample, *reason)),
            _ => None,
        })
    }

    pub fn unlocks(&self) -> usize {
        self.events.iter().filter(|e| matches!(e, ChannelEvent::Unlocked { .. })).count()
    }
}

/// The instruction set under test.
pub fn level() -> Level {
    Level::detect().unwrap()
}

/// Runs a channel over samples in blocks of `block` samples, measuring every `every` s.
pub fn run(
    scene: &Scene,
    samples: &[Complex<i8>],
    first: u64,
    start: ChannelStart,
    block: usize,
    every: f64,
) -> Run {
    run_with(&TrackConfig::default(), scene, samples, first, start, block, every)
}

/// The same with settings.
pub fn run_with(
    config: &TrackConfig,
    scene: &Scene,
    samples: &[Complex<i8>],
    first: u64,
    start: ChannelStart,
    block: usize,
    every: f64,
) -> Run {
    let level = level();
    let info = scene.info();
    let mut band = Band::new(&info, scene.signal.carrier_hz, 0.05, level);
    let mut channel = Channel::new(scene.signal, scene.sat, scene.rate, level, start, config);
    let mut run = Run::default();
    let step = (every * scene.rate).round() as u64;
    let mut next = first.div_ceil(step) * step;
    let mut sample = first;
    for chunk in samples.chunks(block) {
        band.push(&SampleBlock { first_sample: sample, samples: Samples::Complex(chunk.to_vec()) });
        sample += chunk.len() as u64;
        channel.process(&band.view(), &mut run.events);
        while next < sample {
            if let Some(m) = channel.measurement(next) {
                run.measurements.push((next, m));
            }
            next += step;
        }
    }
    run
}

/// Errors against the symbols sent: (symbols, wrong, misaligned). Without a pilot the sign of all of them is free.
pub fn symbol_errors(scene: &Scene, run: &Run) -> (usize, usize, usize) {
    let sent = scene.symbols(1 << 20);
    let (mut count, mut agree, mut misaligned) = (0, 0usize, 0);
    for s in run.symbols() {
        // The first sample of the symbol is at its start, up to a sample and the code error.
        let (number, into) = scene.symbol_at((s.sample as f64 + 0.5) / scene.rate + 1e-4);
        if into > 0.5 {
            misaligned += 1;
        }
        count += 1;
        agree += usize::from((s.soft > 0.0) == (sent[number] > 0.0));
    }
    let wrong = if scene.has_pilot() { count - agree } else { agree.min(count - agree) };
    (count, wrong, misaligned)
}

pub fn mean_std(x: &[f64]) -> (f64, f64) {
    let n = x.len().max(1) as f64;
    let mean = x.iter().sum::<f64>() / n;
    (mean, (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// Errors of the measurements from `from` s on: code (chips), phase (cycles, mean of the first removed to half
/// cycles), Doppler (Hz).
pub struct Errors {
    pub code: Vec<f64>,
    pub phase: Vec<f64>,
    pub doppler: Vec<f64>,
    pub cn0: Vec<f64>,
}

pub fn errors(scene: &Scene, run: &Run, from: f64) -> Errors {
    let mut e = Errors { code: vec![], phase: vec![], doppler: vec![], cn0: vec![] };
    let length = scene.signal.code_length as f64;
    let mut offset = None;
    for (sample, m) in &run.measurements {
        let t = *sample as f64 / scene.rate;
        if t < from {
            continue;
        }
        let code = (m.code_phase_chips - scene.chips(t)).rem_euclid(length);
        e.code.push(if code > 0.5 * length { code - length } else { code });
        let phase = -m.carrier_phase_cycles - scene.phase(t);
        let steps = if m.half_cycle_known { 1.0 } else { 2.0 };
        let offset = *offset.get_or_insert((steps * phase).round() / steps);
        e.phase.push(phase - offset);
        e.doppler.push(m.doppler_hz - scene.doppler(t));
        e.cn0.push(m.cn0_dbhz);
    }
    e
}

/// Spread in chips of the transmit time that period and code phase stand for, against the truth: below a
/// fraction of a chip only if no period was ever miscounted.
pub fn count_spread(scene: &Scene, run: &Run) -> f64 {
    let errors: Vec<f64> = run
        .measurements
        .iter()
        .map(|(sample, m)| {
            m.period as f64 * scene.signal.code_length as f64 + m.code_phase_chips
                - scene.chips(*sample as f64 / scene.rate)
        })
        .collect();
    let max = errors.iter().copied().fold(f64::MIN, f64::max);
    let min = errors.iter().copied().fold(f64::MAX, f64::min);
    max - min
}

/// Largest magnitude.
pub fn worst(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |a, b| a.max(b.abs()))
}

/// The signals under test: D1, D2 and LNAV, each with a sample rate a little above twice its chip rate.
pub const CASES: [(&str, SignalId, u8, f64); 3] = [
    ("B1I D1", SignalId::B1I, 26, 4.3e6),
    ("B1I D2", SignalId::B1I, 3, 4.3e6),
    ("L1CA", SignalId::L1CA, 7, 2.5e6),
];
