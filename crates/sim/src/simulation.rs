use std::io::Write;

use megrez_dsp::{Carrier, Level, Packer, SampleFormat, StreamInfo};
use megrez_orbit::{Ecef, Ephemeris, GnssTime, NavData};
use megrez_signal::{NavMessage, SPEED_OF_LIGHT, Sat, SignalId};
use num_complex::Complex;
use rayon::prelude::*;

use crate::constellation::Others;
use crate::emission::Emission;
use crate::filter::Filter;
use crate::motion::Motion;
use crate::path::{Air, Ray};
use crate::scene::{Scene, Tuning};
use crate::synth::{Arrival, Curve, Line, RUN, Scratch};
use crate::{SimError, constellation, synth};

/// A scene made ready: orbits chosen, messages encoded, motion read.
#[derive(Debug, Clone)]
pub struct Simulation {
    pub(crate) scene: Scene,
    pub(crate) tuning: Tuning,
    pub(crate) motion: Motion,
    pub(crate) transmitters: Vec<Transmitter>,
    /// Relative frequency error of the oscillator.
    pub(crate) drift: f64,
    nav: NavData,
    info: StreamInfo,
    /// Instructions to use: they make no difference to the samples.
    level: Level,
    warnings: Vec<String>,
}

/// A satellite in view at some time of the scene.
#[derive(Debug, Clone)]
pub(crate) struct Transmitter {
    pub sat: Sat,
    pub eph: Ephemeris,
    pub signals: Vec<Sender>,
}

/// One signal of a satellite.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub emission: Emission,
    pub group_delay_s: f64,
    pub air: Air,
}

impl Simulation {
    /// Makes every stream of a scene ready: they have one clock, one truth and the same satellites.
    pub fn streams(scene: &Scene) -> Result<Vec<Self>, SimError> {
        scene.check()?;
        let nav = navigation(scene)?;
        scene.by_stream()?.into_iter().map(|own| Self::of_stream(own, nav.clone())).collect()
    }

    /// Makes a scene of one stream ready: reads its files, chooses the satellites in view, encodes their messages.
    pub fn new(scene: Scene) -> Result<Self, SimError> {
        scene.check()?;
        if !scene.streams.is_empty() {
            return Err(SimError::value("stream", "the scene has several streams"));
        }
        let nav = navigation(&scene)?;
        Self::of_stream(scene, nav)
    }

    fn of_stream(scene: Scene, nav: NavData) -> Result<Self, SimError> {
        let tuning = scene.tuning()?;
        let motion = Motion::of(&scene.receiver)?;
        let middle = scene.start + 0.5 * scene.duration_s;
        let sent = sent_data(&nav, middle, scene.duration_s);
        let mut warnings = Vec::new();
        let mut transmitters = Vec::new();
        for (sat, eph) in in_view(&scene, &nav, &motion, middle) {
            let mut signals = Vec::new();
            for id in scene.all_signals() {
                let signal = id.def();
                if signal.constellation != sat.constellation || !signal.sends(sat.prn) {
                    continue;
                }
                let emission = match Emission::new(sat, signal, &sent, scene.start, scene.duration_s) {
                    Ok(emission) => emission,
                    Err(SimError::Message {
                        source: megrez_nav::EncodeError::NoEphemeris { .. }, ..
                    }) => {
                        warnings.push(format!("{sat} does not send {id}: no ephemeris for its message"));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                if emission.placeholder {
                    warnings.push(format!("{sat} sends alternating symbols on {id}, no message"));
                }
                let group_delay_s = group_delay(&nav, sat, id, middle);
                let air = Air::new(
                    &eph,
                    nav.iono_at(sat.constellation, id, middle),
                    signal.carrier_hz,
                    &motion,
                    scene.start,
                    scene.duration_s,
                    scene.atmosphere,
                );
                signals.push(Sender { emission, group_delay_s, air });
            }
            if !signals.is_empty() {
                transmitters.push(Transmitter { sat, eph, signals });
            }
        }
        if transmitters.is_empty() {
            return Err(SimError::NoSatellites(why_none(&scene, &nav, middle)));
        }
        Ok(Self {
            info: StreamInfo {
                sample_rate_hz: tuning.rate_hz,
                center_hz: tuning.zero_hz,
                complex: tuning.complex,
            },
            drift: scene.clock.drift_ppm * 1e-6,
            scene,
            tuning,
            motion,
            transmitters,
            nav,
            warnings,
            level: Level::detect().unwrap_or(Level::Portable),
        })
    }

    /// Sample rate, radio frequency at 0 Hz, kind of samples.
    pub fn info(&self) -> StreamInfo {
        self.info.clone()
    }

    /// The scene.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The navigation data from which orbits and messages come.
    pub fn nav(&self) -> &NavData {
        &self.nav
    }

    /// What is left out of the scene or stands in for something.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Satellites and signals that are sent.
    pub fn signals(&self) -> impl Iterator<Item = (Sat, SignalId)> + '_ {
        self.transmitters.iter().flat_map(|t| t.signals.iter().map(|s| (t.sat, s.emission.signal.id)))
    }

    /// Sample format of [`Simulation::write`].
    pub fn format(&self) -> SampleFormat {
        self.scene.front_end.format
    }

    /// Samples of the whole scene.
    pub fn sample_count(&self) -> u64 {
        (self.scene.duration_s * self.tuning.rate_hz).round() as u64
    }

    /// Blocks of the whole scene, each but the last of `info().block_len()` samples.
    pub fn block_count(&self) -> u64 {
        self.sample_count().div_ceil(self.info.block_len().max(1) as u64)
    }

    /// The samples before quantisation, block by block; noise has standard deviation 1 a component. Of real
    /// formats the real part counts.
    pub fn blocks(&self) -> Blocks<'_> {
        let filter = self
            .scene
            .front_end
            .bandwidth_hz
            .map(|b| Filter::new(b / self.tuning.rate_hz, self.tuning.if_hz / self.tuning.rate_hz));
        Blocks { sim: self, next: 0, filter, filtered: Vec::new(), ready: Vec::new().into_iter() }
    }

    /// The samples in the scene's format, in pieces of about a block.
    pub fn packed_blocks(&self) -> PackedBlocks<'_> {
        let format = self.format();
        // Blocks that end with a byte can be packed apart from each other.
        let whole = (self.info.block_len() * format.bits_per_sample()).is_multiple_of(8);
        let apart = whole && self.scene.front_end.bandwidth_hz.is_none();
        PackedBlocks {
            sim: self,
            next: 0,
            ready: Vec::new().into_iter(),
            chain: (!apart).then(|| (self.blocks(), Some(Packer::new(format)))),
        }
    }

    /// Writes all samples in the scene's format. `progress` is told the share that is done, 0 to 1.
    pub fn write(&self, out: &mut dyn Write, mut progress: impl FnMut(f64)) -> Result<(), SimError> {
        let count = self.block_count().max(1) as f64;
        for (done, bytes) in self.packed_blocks().enumerate() {
            out.write_all(&bytes)?;
            progress(((done + 1) as f64 / count).min(1.0));
        }
        out.flush()?;
        Ok(())
    }

    /// Position and velocity of the receiver at `t_s` seconds of true time.
    pub(crate) fn receiver(&self, t_s: f64) -> (Ecef, Ecef) {
        self.motion.at(t_s)
    }

    /// Seconds of true time at receiver time `reading_s`.
    pub(crate) fn true_s(&self, reading_s: f64) -> f64 {
        reading_s / (1.0 + self.drift)
    }

    /// Whether a satellite is heard in direction `ray`.
    pub(crate) fn heard(&self, ray: &Ray) -> bool {
        ray.azel.elevation_deg() >= self.scene.satellites.elevation_mask_deg
    }

    /// One block before filter and level, given to `sink` in runs.
    fn block(&self, index: u64, scratch: &mut Scratch, mut sink: impl FnMut(&mut [Complex<f32>])) {
        let block_len = self.info.block_len();
        let first = index * block_len as u64;
        let len = (self.sample_count() - first).min(block_len as u64) as usize;
        let front_end = &self.scene.front_end;
        let arrivals = self.arrivals(first, block_len);
        let mut noise = (!front_end.noiseless).then(|| synth::noise(self.scene.seed, index));
        let imaginary = self.tuning.complex || front_end.bandwidth_hz.is_some();
        for start in (0..len).step_by(RUN) {
            let run = start..(start + RUN).min(len);
            scratch.begin(run.len());
            for arrival in &arrivals {
                scratch.add(arrival, &run, block_len);
            }
            if let Some(tone) = front_end.tone {
                let step_cycles =
                    (tone.frequency_hz / (1.0 + self.drift) - self.tuning.zero_hz) / self.tuning.rate_hz;
                scratch.add_tone(&Carrier {
                    phase_cycles: step_cycles * (first + run.start as u64) as f64,
                    step_cycles,
                    amplitude: (2.0 * 10f64.powf(tone.level_db / 10.0)).sqrt(),
                });
            }
            sink(scratch.finish(noise.as_mut(), imaginary));
        }
    }

    /// The signals heard in a block of `block_len` samples from sample `first` on.
    fn arrivals(&self, first: u64, block_len: usize) -> Vec<Arrival<'_>> {
        let rate = self.tuning.rate_hz;
        let mut arrivals = Vec::new();
        let times = [0.0, 0.5, 1.0].map(|x| self.true_s((first as f64 + x * block_len as f64) / rate));
        let receiver = times.map(|t| self.receiver(t));
        for transmitter in &self.transmitters {
            let ray = |k: usize| Ray::new(&transmitter.eph, self.scene.start + times[k], receiver[k]);
            let rays = [ray(0), ray(1), ray(2)];
            if !self.heard(&rays[0]) {
                continue;
            }
            let cn0 = 10f64.powf(self.scene.cn0.of(transmitter.sat, rays[0].azel) / 10.0);
            // Noise power is 2 over the rate in complex samples, 1 over half the rate in real ones, where
            // half of the squared amplitude is the power.
            let amplitude = (cn0 / rate * if self.tuning.complex { 2.0 } else { 4.0 }).sqrt();
            for sender in &transmitter.signals {
                let signal = sender.emission.signal;
                let air = times.map(|t| sender.air.at(t));
                let delay = |k: usize| rays[k].delay_s();
                let group = sender.group_delay_s;
                let code = Curve::through([0, 1, 2].map(|k| delay(k) + group + air[k].code_s()));
                // Data and pilot keep their phase to each other whatever the group delays of their codes.
                let carrier = Curve::through([0, 1, 2].map(|k| delay(k) + air[k].carrier_s()));
                let seconds = self.scene.start - sender.emission.epoch + times[0];
                let true_rate = rate * (1.0 + self.drift);
                let carrier_step = (signal.carrier_hz / (1.0 + self.drift) - self.tuning.zero_hz) / rate;
                let direct = Arrival {
                    emission: &sender.emission,
                    amplitude,
                    code: Line {
                        start: seconds * signal.chip_rate_hz,
                        step: signal.chip_rate_hz / true_rate,
                        rate_hz: signal.chip_rate_hz,
                        delay: code,
                    },
                    carrier: Line {
                        start: carrier_step * first as f64,
                        step: carrier_step,
                        rate_hz: signal.carrier_hz,
                        delay: carrier,
                    },
                };
                arrivals.push(direct);
                let echoes = self.scene.multipath.iter().filter(|echo| echo.sat == transmitter.sat);
                arrivals.extend(echoes.map(|echo| {
                    let step = echo.fading_hz / rate;
                    Arrival {
                        amplitude: amplitude * 10f64.powf(echo.level_db / 20.0),
                        code: direct.code.delayed(echo.delay_m / C),
                        carrier: direct.carrier.ahead(echo.phase_cycles + step * first as f64, step),
                        ..direct
                    }
                }));
            }
        }
        arrivals
    }

    /// Level and offset before the quantiser.
    fn set_level(&self, samples: &mut [Complex<f32>]) {
        let front_end = &self.scene.front_end;
        let gain = 10f64.powf(front_end.level_db / 20.0) as f32;
        let [i, q] = front_end.dc.map(|dc| dc as f32);
        if gain != 1.0 || i != 0.0 || q != 0.0 {
            samples.iter_mut().for_each(|z| *z = Complex { re: z.re * gain + i, im: z.im * gain + q });
        }
    }

    /// The indices of the next blocks to make at once.
    fn batch(&self, next: &mut u64) -> std::ops::Range<u64> {
        let size = 4 * rayon::current_num_threads() as u64;
        let batch = *next..(*next + size).min(self.block_count());
        *next = batch.end;
        batch
    }
}

/// Iterator of [`Simulation::blocks`].
pub struct Blocks<'a> {
    sim: &'a Simulation,
    next: u64,
    filter: Option<Filter>,
    /// Filtered samples that do not fill a block yet.
    filtered: Vec<Complex<f32>>,
    ready: std::vec::IntoIter<Vec<Complex<f32>>>,
}

impl Iterator for Blocks<'_> {
    type Item = Vec<Complex<f32>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(mut block) = self.ready.next() {
                self.sim.set_level(&mut block);
                return Some(block);
            }
            let sim = self.sim;
            let batch = sim.batch(&mut self.next);
            if batch.is_empty() {
                return None;
            }
            let last = batch.end == sim.block_count();
            let made: Vec<Vec<Complex<f32>>> = batch
                .into_par_iter()
                .map_init(
                    || Scratch::new(sim.level),
                    |scratch, k| {
                        let mut samples = Vec::with_capacity(sim.info.block_len());
                        sim.block(k, scratch, |run| samples.extend_from_slice(run));
                        samples
                    },
                )
                .collect();
            self.ready = match &mut self.filter {
                None => made.into_iter(),
                Some(filter) => {
                    self.filtered.extend(filter.run(&made.concat(), last));
                    let block_len = sim.info.block_len().max(1);
                    let whole = self.filtered.len() - if last { 0 } else { self.filtered.len() % block_len };
                    let rest = self.filtered.split_off(whole);
                    let blocks: Vec<_> = self.filtered.chunks(block_len).map(<[_]>::to_vec).collect();
                    self.filtered = rest;
                    blocks.into_iter()
                }
            };
        }
    }
}

/// Iterator of [`Simulation::packed_blocks`].
pub struct PackedBlocks<'a> {
    sim: &'a Simulation,
    next: u64,
    ready: std::vec::IntoIter<Vec<u8>>,
    /// For samples that must be packed in one sequence.
    chain: Option<(Blocks<'a>, Option<Packer>)>,
}

impl Iterator for PackedBlocks<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((blocks, packer)) = &mut self.chain {
            let mut bytes = Vec::new();
            match blocks.next() {
                Some(block) => packer.as_mut()?.pack(&block, &mut bytes),
                None => packer.take()?.finish(&mut bytes),
            }
            return Some(bytes);
        }
        if self.ready.len() == 0 {
            let sim = self.sim;
            let batch = sim.batch(&mut self.next);
            let made: Vec<Vec<u8>> = batch
                .into_par_iter()
                .map_init(
                    || Scratch::new(sim.level),
                    |scratch, k| {
                        let bits = sim.info.block_len() * sim.format().bits_per_sample();
                        let mut bytes = Vec::with_capacity(bits.div_ceil(8));
                        let mut packer = Packer::new(sim.format());
                        sim.block(k, scratch, |run| {
                            sim.set_level(run);
                            packer.pack(run, &mut bytes);
                        });
                        packer.finish(&mut bytes);
                        bytes
                    },
                )
                .collect();
            self.ready = made.into_iter();
        }
        self.ready.next()
    }
}

/// What tells the orbits.
fn navigation(scene: &Scene) -> Result<NavData, SimError> {
    Ok(match &scene.satellites.navigation {
        Some(path) => megrez_rinex::read_nav(path)?.nav,
        None => constellation::nominal(scene.start, scene.duration_s, Others::of(scene)),
    })
}

/// The messages whose ephemeris is the orbit of a satellite, when there are several.
fn is_legacy(message: NavMessage) -> bool {
    matches!(message, NavMessage::D1 | NavMessage::D2 | NavMessage::Lnav)
}

/// The ephemeris that is the true orbit of `sat` for the whole scene: D1, D2 or LNAV before others, then the
/// nearest to the middle.
fn orbit(nav: &NavData, sat: Sat, middle: GnssTime) -> Option<&Ephemeris> {
    let usable = |e: &&Ephemeris| e.healthy() && e.valid_at(middle);
    nav.ephemerides_of(sat).iter().filter(usable).min_by(|a, b| {
        let rank = |e: &Ephemeris| !is_legacy(e.message());
        rank(a).cmp(&rank(b)).then((a.toe() - middle).abs().total_cmp(&(b.toe() - middle).abs()))
    })
}

/// Satellites that the scene asks for and that rise above the mask at some time, with their orbits.
fn in_view(scene: &Scene, nav: &NavData, motion: &Motion, middle: GnssTime) -> Vec<(Sat, Ephemeris)> {
    let choice = &scene.satellites;
    let wanted = |sat: &Sat| {
        (choice.include.is_empty() || choice.include.contains(sat)) && !choice.exclude.contains(sat)
    };
    let minutes = (scene.duration_s / 60.0).ceil() as u64;
    nav.sats()
        .filter(wanted)
        .filter_map(|sat| {
            let eph = orbit(nav, sat, middle)?;
            let up = (0..=minutes).any(|k| {
                let t_s = (60.0 * k as f64).min(scene.duration_s);
                let azel = Ray::new(eph, scene.start + t_s, motion.at(t_s)).azel;
                azel.elevation_deg() >= choice.elevation_mask_deg
            });
            up.then(|| (sat, eph.clone()))
        })
        .collect()
}

/// What the satellites send: for a scene of less than an hour and a half the ephemeris that is the orbit, and the
/// one of B-CNAV nearest to it.
fn sent_data(nav: &NavData, middle: GnssTime, duration_s: f64) -> NavData {
    if duration_s > 5400.0 {
        return nav.clone();
    }
    let mut sent = NavData::default();
    let all = nav.clone();
    sent.gps_iono = all.gps_iono;
    sent.bds_iono = all.bds_iono;
    sent.bdgim = all.bdgim;
    sent.gps_utc = all.gps_utc;
    sent.bds_utc = all.bds_utc;
    sent.leap_s = all.leap_s;
    sent.offsets = all.offsets;
    sent.almanacs = all.almanacs;
    sent.integrity = all.integrity;
    sent.earth_orientation = all.earth_orientation;
    for sat in nav.sats() {
        if let Some(eph) = orbit(nav, sat, middle) {
            sent.insert(eph.clone());
            let modern = nav.ephemerides_of(sat).iter().filter(|e| e.healthy() && !is_legacy(e.message()));
            let apart = |e: &Ephemeris| (e.toe() - eph.toe()).abs();
            let nearest = modern.min_by(|a, b| apart(a).total_cmp(&apart(b)));
            nearest.into_iter().for_each(|e| {
                sent.insert(e.clone());
            });
        }
    }
    sent
}

/// Group delay of a signal from whichever message gives it.
fn group_delay(nav: &NavData, sat: Sat, signal: SignalId, middle: GnssTime) -> f64 {
    nav.ephemeris_for(sat, signal, middle).and_then(|e| e.group_delay_s(signal)).unwrap_or(0.0)
}

fn why_none(scene: &Scene, nav: &NavData, middle: GnssTime) -> String {
    let sats = nav.sats().count();
    let valid = nav.sats().filter(|&sat| orbit(nav, sat, middle).is_some()).count();
    if sats == 0 {
        return "the navigation data hold no ephemeris".to_string();
    }
    if valid == 0 {
        let toes = nav.ephemerides().map(|e| e.toe() - scene.start);
        let nearest = toes.min_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
        return format!(
            "none of the ephemerides is valid at the time of the scene (the nearest is {:.1} hours {})",
            nearest.abs() / 3600.0,
            if nearest < 0.0 { "older" } else { "newer" }
        );
    }
    format!(
        "{valid} satellites have a valid ephemeris, but none of them is wanted, above the mask and sends one of the signals"
    )
}

/// Speed of light, for ranges in this crate's truth.
pub(crate) const C: f64 = SPEED_OF_LIGHT;
