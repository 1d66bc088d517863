//! What is simulated: the scene and its TOML form.

mod instant;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use megrez_dsp::SampleFormat;
use megrez_orbit::{Azel, Geodetic, GnssTime};
use megrez_signal::{ALL, Sat, SignalId};
use serde::Deserialize;

pub use instant::{InstantError, parse_instant};

use crate::SimError;

/// Distance of the seeds of streams.
const STREAM_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A scene. Every field has a default, so a scene can be built from `Scene::default()` or a short TOML text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scene {
    /// Instant of the first sample: "2026-03-01T06:00:00", with GPST, BDT or UTC (or Z) behind it; UTC if
    /// nothing is.
    #[serde(deserialize_with = "read::instant")]
    pub start: GnssTime,
    /// Seconds of receiver time.
    #[serde(deserialize_with = "read::quantity")]
    pub duration_s: f64,
    /// Seed of the noise.
    pub seed: u64,
    /// Signals; a data or pilot component brings its partner.
    #[serde(deserialize_with = "read::signals")]
    pub signals: Vec<SignalId>,
    /// Where the receiver is and how it moves.
    pub receiver: Receiver,
    /// The receiver's oscillator.
    pub clock: Clock,
    /// Which satellites.
    pub satellites: Satellites,
    /// How strong the signals are.
    pub cn0: Cn0,
    /// What the air adds.
    pub atmosphere: Atmosphere,
    /// Echoes, each of one satellite: `[[multipath]]` tables.
    pub multipath: Vec<Echo>,
    /// How the signals become samples.
    pub front_end: FrontEnd,
    /// Several streams of one clock in place of `front_end`: `[[stream]]` tables with its keys. Each has the signals
    /// whose carriers lie in it, and needs its sample rate and centre.
    #[serde(rename = "stream")]
    pub streams: Vec<FrontEnd>,
    /// The truth file.
    pub truth: TruthConfig,
}

/// Motion of the receiver, `motion = "static"`, `"circle"` or `"track"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "motion", rename_all = "lowercase", deny_unknown_fields)]
pub enum Receiver {
    /// At rest.
    Static {
        /// Latitude in degrees.
        lat_deg: f64,
        /// Longitude in degrees.
        lon_deg: f64,
        /// Height above the ellipsoid in m.
        #[serde(default)]
        height_m: f64,
    },
    /// A level circle, counter-clockwise, from the point east of its centre.
    Circle {
        /// Latitude of the centre in degrees.
        lat_deg: f64,
        /// Longitude of the centre in degrees.
        lon_deg: f64,
        /// Height of the centre above the ellipsoid in m.
        #[serde(default)]
        height_m: f64,
        /// Radius in m.
        radius_m: f64,
        /// Speed in m/s.
        speed_mps: f64,
    },
    /// The points of a file, joined by a cubic spline: `.csv` (a header line naming the columns t,lat,lon,h
    /// or t,x,y,z; t in seconds from the start), `.nmea` (GGA) or `.gpx` (the first point is the start).
    Track {
        /// The file.
        file: PathBuf,
    },
}

/// The receiver's oscillator, from which the sample clock and the local oscillator are made.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// Reading of the receiver clock at the first sample minus the true time, in s.
    pub offset_s: f64,
    /// Relative frequency error in parts per million; positive is fast.
    pub drift_ppm: f64,
}

/// Choice of satellites.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Satellites {
    /// RINEX navigation file; the built-in nominal constellations if absent.
    pub navigation: Option<PathBuf>,
    /// Only these, if not empty.
    #[serde(deserialize_with = "read::sats")]
    pub include: Vec<Sat>,
    /// Never these.
    #[serde(deserialize_with = "read::sats")]
    pub exclude: Vec<Sat>,
    /// Satellites below are not heard, in degrees.
    pub elevation_mask_deg: f64,
}

impl Default for Satellites {
    fn default() -> Self {
        Self { navigation: None, include: Vec::new(), exclude: Vec::new(), elevation_mask_deg: 5.0 }
    }
}

/// Carrier-to-noise density of a whole signal (data and pilot together) in dB-Hz.
///
/// By satellite where `satellites` names it; else between `horizon_dbhz` and `zenith_dbhz` with the sine of
/// the elevation if both are given; else `constant_dbhz`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cn0 {
    /// For all satellites.
    pub constant_dbhz: f64,
    /// At elevation 90°.
    pub zenith_dbhz: Option<f64>,
    /// At elevation 0°.
    pub horizon_dbhz: Option<f64>,
    /// By satellite.
    #[serde(deserialize_with = "read::by_sat")]
    pub satellites: BTreeMap<Sat, f64>,
}

impl Default for Cn0 {
    fn default() -> Self {
        Self { constant_dbhz: 45.0, zenith_dbhz: None, horizon_dbhz: None, satellites: BTreeMap::new() }
    }
}

impl Cn0 {
    /// C/N0 of `sat` seen at `azel`, in dB-Hz.
    pub fn of(&self, sat: Sat, azel: Azel) -> f64 {
        if let Some(&cn0) = self.satellites.get(&sat) {
            return cn0;
        }
        match (self.zenith_dbhz, self.horizon_dbhz) {
            (Some(zenith), Some(horizon)) => horizon + (zenith - horizon) * azel.elevation.sin().max(0.0),
            _ => self.constant_dbhz,
        }
    }
}

/// The atmosphere. The ionosphere is that of the broadcast model of each signal, times a factor.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Atmosphere {
    /// Code delay and phase advance of the ionosphere.
    pub ionosphere: bool,
    /// True ionosphere over the broadcast model.
    pub ionosphere_scale: f64,
    /// Delay of the troposphere.
    pub troposphere: bool,
}

impl Default for Atmosphere {
    fn default() -> Self {
        Self { ionosphere: true, ionosphere_scale: 1.0, troposphere: true }
    }
}

/// A second path from a satellite to the antenna, of all its signals. The truth stays that of the direct path.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    /// The satellite.
    #[serde(deserialize_with = "read::sat")]
    pub sat: Sat,
    /// How much longer the path is, in m: it delays the code.
    pub delay_m: f64,
    /// Power relative to the direct path in dB.
    pub level_db: f64,
    /// Carrier phase at the first sample relative to the direct path, in cycles.
    #[serde(default)]
    pub phase_cycles: f64,
    /// Carrier frequency relative to the direct path in Hz: how often the echo goes round the direct signal.
    #[serde(default)]
    pub fading_hz: f64,
}

/// The front end. Levels are relative to the noise, whose standard deviation is 1 in each component.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrontEnd {
    /// Samples a second. By default what the signals need: 4 Msps for one carrier.
    #[serde(deserialize_with = "read::some_quantity")]
    pub sample_rate_hz: Option<f64>,
    /// Radio frequency that appears at `if_hz`. By default the middle of the signals' carriers.
    #[serde(deserialize_with = "read::some_quantity")]
    pub center_hz: Option<f64>,
    /// Intermediate frequency at which `center_hz` appears; by default 0 for complex samples and a quarter
    /// of the sample rate for real ones.
    #[serde(deserialize_with = "read::some_quantity")]
    pub if_hz: Option<f64>,
    /// Sample format.
    #[serde(deserialize_with = "read::format")]
    pub format: SampleFormat,
    /// Two-sided bandwidth of a filter around the intermediate frequency; no filter if absent.
    #[serde(deserialize_with = "read::some_quantity")]
    pub bandwidth_hz: Option<f64>,
    /// No noise: for tests of the signal itself.
    pub noiseless: bool,
    /// Level before the quantiser relative to the best one, in dB.
    pub level_db: f64,
    /// Offset of I and of Q before the quantiser.
    pub dc: [f64; 2],
    /// An interfering carrier.
    pub tone: Option<Tone>,
}

impl Default for FrontEnd {
    fn default() -> Self {
        Self {
            sample_rate_hz: None,
            center_hz: None,
            if_hz: None,
            format: SampleFormat::Cs8,
            bandwidth_hz: None,
            noiseless: false,
            level_db: 0.0,
            dc: [0.0; 2],
            tone: None,
        }
    }
}

/// An interfering carrier.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tone {
    /// Radio frequency in Hz.
    #[serde(deserialize_with = "read::quantity")]
    pub frequency_hz: f64,
    /// Power relative to the noise in the whole sampled band, in dB.
    pub level_db: f64,
}

/// The truth file.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TruthConfig {
    /// Receiver time between epochs in s.
    pub interval_s: f64,
}

impl Default for TruthConfig {
    fn default() -> Self {
        Self { interval_s: 0.1 }
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::Static { lat_deg: 30.5283, lon_deg: 114.3572, height_m: 50.0 }
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            start: GnssTime::from_gpst(2408, 280_800.0),
            duration_s: 60.0,
            seed: 1,
            signals: vec![SignalId::B1I],
            receiver: Receiver::default(),
            clock: Clock::default(),
            satellites: Satellites::default(),
            cn0: Cn0::default(),
            atmosphere: Atmosphere::default(),
            multipath: Vec::new(),
            front_end: FrontEnd::default(),
            streams: Vec::new(),
            truth: TruthConfig::default(),
        }
    }
}

impl Scene {
    /// Reads a scene. Files it names are taken relative to the working directory.
    pub fn from_toml(text: &str) -> Result<Self, SimError> {
        let scene: Self = toml::from_str(text).map_err(|error| read::scene_error(text, &error))?;
        scene.check()?;
        Ok(scene)
    }

    /// Reads a scene file. Files it names are taken relative to its folder.
    pub fn load(path: &Path) -> Result<Self, SimError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SimError::Io { path: path.to_path_buf(), source })?;
        let mut scene = Self::from_toml(&text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Some(file) = &mut scene.satellites.navigation {
            *file = folder.join(&*file);
        }
        if let Receiver::Track { file } = &mut scene.receiver {
            *file = folder.join(&*file);
        }
        Ok(scene)
    }

    /// The signals with the partners of data and pilot components, in the order of [`ALL`].
    pub fn all_signals(&self) -> Vec<SignalId> {
        let wanted = |id: SignalId| self.signals.contains(&id);
        ALL.iter().filter(|s| wanted(s.id) || s.partner.is_some_and(wanted)).map(|s| s.id).collect()
    }

    /// A scene for each stream, with the signals in it and noise of its own; the scene itself if it has but one.
    ///
    /// # Errors
    /// When a stream lacks its rate or centre or holds none of the signals, or a signal lies in no stream.
    pub fn by_stream(&self) -> Result<Vec<Self>, SimError> {
        if self.streams.is_empty() {
            return Ok(vec![self.clone()]);
        }
        let mut scenes = Vec::new();
        for (place, front_end) in (0..).zip(&self.streams) {
            let (Some(rate_hz), Some(center_hz)) = (front_end.sample_rate_hz, front_end.center_hz) else {
                let message = format!("stream {} needs sample_rate_hz and center_hz", place + 1);
                return Err(SimError::value("stream", message));
            };
            let complex = front_end.format.is_complex();
            let if_hz = front_end.if_hz.unwrap_or(if complex { 0.0 } else { rate_hz / 4.0 });
            let (low, high) = (if complex { -rate_hz / 2.0 } else { 0.0 }, rate_hz / 2.0);
            let inside = |id: &SignalId| {
                let at_hz = id.def().carrier_hz - center_hz + if_hz;
                low < at_hz && at_hz < high
            };
            let signals: Vec<SignalId> = self.signals.iter().copied().filter(inside).collect();
            if signals.is_empty() {
                return Err(SimError::value(
                    "stream",
                    format!("stream {} holds none of the signals", place + 1),
                ));
            }
            let seed = self.seed.wrapping_add(u64::wrapping_mul(place, STREAM_SEED));
            let front_end = front_end.clone();
            scenes.push(Self { signals, seed, front_end, streams: Vec::new(), ..self.clone() });
        }
        let sent = |id: &SignalId| scenes.iter().any(|scene| scene.signals.contains(id));
        match self.signals.iter().find(|id| !sent(id)) {
            Some(id) => Err(SimError::value("stream", format!("{id} lies in no stream"))),
            None => Ok(scenes),
        }
    }

    /// The fixed point of the scene: the position or the centre.
    pub fn place(&self) -> Option<Geodetic> {
        match self.receiver {
            Receiver::Static { lat_deg, lon_deg, height_m }
            | Receiver::Circle { lat_deg, lon_deg, height_m, .. } => {
                Some(Geodetic { lat_deg, lon_deg, height_m })
            }
            Receiver::Track { .. } => None,
        }
    }

    /// Checks the values, as far as the scene alone tells.
    pub fn check(&self) -> Result<(), SimError> {
        let positive = |key, value: f64, most: f64| {
            if value > 0.0 && value <= most {
                Ok(())
            } else {
                Err(SimError::value(key, format!("{value} is out of range (above 0, to {most})")))
            }
        };
        let within = |key, value: f64, least: f64, most: f64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(SimError::value(key, format!("{value} is out of range ({least} to {most})")))
            }
        };
        positive("duration_s", self.duration_s, 86_400.0)?;
        if self.signals.is_empty() {
            return Err(SimError::value("signals", "no signal is named"));
        }
        if let Some(place) = self.place() {
            within("receiver.lat_deg", place.lat_deg, -90.0, 90.0)?;
            within("receiver.lon_deg", place.lon_deg, -360.0, 360.0)?;
            within("receiver.height_m", place.height_m, -1e5, 1e7)?;
        }
        if let Receiver::Circle { radius_m, speed_mps, .. } = self.receiver {
            positive("receiver.radius_m", radius_m, 1e6)?;
            within("receiver.speed_mps", speed_mps, -1e4, 1e4)?;
        }
        within("clock.offset_s", self.clock.offset_s, -1.0, 1.0)?;
        within("clock.drift_ppm", self.clock.drift_ppm, -200.0, 200.0)?;
        within("satellites.elevation_mask_deg", self.satellites.elevation_mask_deg, -90.0, 90.0)?;
        if self.cn0.zenith_dbhz.is_some() != self.cn0.horizon_dbhz.is_some() {
            return Err(SimError::value("cn0", "zenith_dbhz and horizon_dbhz are needed together"));
        }
        let levels = [Some(self.cn0.constant_dbhz), self.cn0.zenith_dbhz, self.cn0.horizon_dbhz];
        for cn0 in levels.into_iter().flatten().chain(self.cn0.satellites.values().copied()) {
            within("cn0", cn0, -50.0, 150.0)?;
        }
        within("atmosphere.ionosphere_scale", self.atmosphere.ionosphere_scale, -100.0, 100.0)?;
        for echo in &self.multipath {
            within("multipath.delay_m", echo.delay_m, 0.0, 1e5)?;
            within("multipath.level_db", echo.level_db, -100.0, 40.0)?;
            within("multipath.phase_cycles", echo.phase_cycles, -1e3, 1e3)?;
            within("multipath.fading_hz", echo.fading_hz, -1e4, 1e4)?;
        }
        within("front_end.level_db", self.front_end.level_db, -100.0, 100.0)?;
        for dc in self.front_end.dc {
            within("front_end.dc", dc, -1e3, 1e3)?;
        }
        if let Some(tone) = self.front_end.tone {
            within("front_end.tone.level_db", tone.level_db, -100.0, 100.0)?;
        }
        within("truth.interval_s", self.truth.interval_s, 1e-3, 3600.0)?;
        if !self.streams.is_empty() {
            return self.by_stream()?.iter().try_for_each(Self::check);
        }
        self.tuning().map(|_| ())
    }

    /// Sample rate, radio frequency at 0 Hz and intermediate frequency, checked against the signals.
    pub(crate) fn tuning(&self) -> Result<Tuning, SimError> {
        let front_end = &self.front_end;
        let complex = front_end.format.is_complex();
        let signals = self.all_signals();
        let edges = |sign: f64| {
            let at = |id: &SignalId| id.def().carrier_hz + sign * id.def().chip_rate_hz;
            signals.iter().map(at).map(|f| f * sign).fold(f64::NEG_INFINITY, f64::max) * sign
        };
        let (low, high) = (edges(-1.0), edges(1.0));
        let center_hz = front_end.center_hz.unwrap_or(0.5 * (low + high));
        let components = if complex { 1.0 } else { 2.0 };
        let one_carrier = signals.windows(2).all(|pair| match pair {
            [a, b] => a.def().carrier_hz == b.def().carrier_hz,
            _ => true,
        });
        let needed = if one_carrier && front_end.center_hz.is_none() {
            4e6
        } else {
            (2.0 * (high - center_hz).max(center_hz - low) / 2e6).ceil() * 2e6
        };
        let rate = front_end.sample_rate_hz.unwrap_or(needed * components);
        if !(1e5..=2e8).contains(&rate) {
            return Err(SimError::value(
                "front_end.sample_rate_hz",
                format!("{rate} is out of range (100 k to 200 M)"),
            ));
        }
        let if_hz = front_end.if_hz.unwrap_or(if complex { 0.0 } else { rate / 4.0 });
        let zero_hz = center_hz - if_hz;
        for id in &signals {
            let signal = id.def();
            let at = signal.carrier_hz - zero_hz;
            let (least, most) = if complex { (-rate / 2.0, rate / 2.0) } else { (0.0, rate / 2.0) };
            if !(at > least && at < most) {
                return Err(SimError::value(
                    "front_end",
                    format!(
                        "{id} at {:.3} MHz lies outside the sampled band ({:.3} to {:.3} MHz)",
                        signal.carrier_hz / 1e6,
                        (zero_hz + least) / 1e6,
                        (zero_hz + most) / 1e6
                    ),
                ));
            }
        }
        if let Some(bandwidth) = front_end.bandwidth_hz
            && !(bandwidth > 0.01 * rate && bandwidth < rate)
        {
            return Err(SimError::value(
                "front_end.bandwidth_hz",
                format!("{bandwidth} must lie between 1 % of the sample rate and the sample rate"),
            ));
        }
        Ok(Tuning { rate_hz: rate, zero_hz, if_hz, complex })
    }
}

/// What the front end does to frequencies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tuning {
    /// Nominal sample rate.
    pub rate_hz: f64,
    /// Radio frequency that appears at 0 Hz.
    pub zero_hz: f64,
    /// Middle of the front end's band in the samples.
    pub if_hz: f64,
    /// Complex samples.
    pub complex: bool,
}
