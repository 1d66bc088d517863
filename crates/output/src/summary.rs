use std::collections::BTreeMap;
use std::io::Write;

use megrez_orbit::{Ecef, Enu, ObservationEpoch};
use megrez_pvt::Solution;
use megrez_signal::{ObsCode, Sat};
use serde::{Deserialize, Serialize};

use crate::OutputError;
use crate::text::{rounded, utc_iso};

const WHAT: &str = "summary.json";

/// What a run came to: the content of `summary.json`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the receiver.
    pub megrez: String,
    /// What was read.
    pub input: InputSummary,
    /// Seconds of samples processed.
    pub duration_s: f64,
    /// Satellites seen, sorted.
    pub satellites: Vec<SatSummary>,
    /// Seconds from the first sample to the first position.
    pub first_fix_s: Option<f64>,
    /// UTC of the first position.
    pub first_fix_utc: Option<String>,
    /// Number of positions.
    pub fixes: usize,
    /// Mean of the positions.
    pub mean_position: Option<MeanPosition>,
    /// Deviation from the true position, if that was given.
    pub error: Option<ErrorSummary>,
    /// Frequency error of the front end's oscillator in parts per million, if it was found.
    pub oscillator_ppm: Option<f64>,
    /// What happened, in words; above all why there is no position.
    pub diagnosis: Vec<String>,
    /// Oddities of the input.
    pub warnings: Vec<String>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InputSummary {
    /// File name or other name of the input.
    pub name: String,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Centre frequency in Hz.
    pub center_hz: f64,
    /// Complex samples.
    pub complex: bool,
    /// Samples read.
    pub samples: u64,
    /// The streams beside this one, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_streams: Vec<StreamSummary>,
}

/// A stream of samples.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StreamSummary {
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Centre frequency in Hz.
    pub center_hz: f64,
    /// Complex samples.
    pub complex: bool,
}

/// A satellite seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SatSummary {
    /// Satellite, as RINEX writes it.
    pub sat: String,
    /// Its signals.
    pub signals: Vec<SignalSummary>,
    /// Positions that rest on it.
    pub used: usize,
}

/// A signal of a satellite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalSummary {
    /// Signal.
    pub signal: String,
    /// Epochs with a measurement.
    pub epochs: usize,
    /// Mean C/N0 in dB-Hz.
    pub cn0_dbhz: f64,
    /// Largest C/N0 in dB-Hz.
    pub cn0_max_dbhz: f64,
}

/// Mean of the positions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanPosition {
    /// Latitude in degrees.
    pub lat_deg: f64,
    /// Longitude in degrees.
    pub lon_deg: f64,
    /// Height above the ellipsoid in metres.
    pub height_m: f64,
    /// Standard deviation about the mean east, north, up in metres.
    pub spread_enu_m: [f64; 3],
}

/// Deviation of the positions from the truth in metres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorSummary {
    /// Mean deviation east, north, up.
    pub mean_enu_m: [f64; 3],
    /// Length of the mean deviation: the error of the mean position.
    pub mean_3d_m: f64,
    /// Root mean square of the horizontal deviation.
    pub rms_horizontal_m: f64,
    /// Root mean square of the vertical deviation.
    pub rms_vertical_m: f64,
    /// Root mean square of the deviation.
    pub rms_3d_m: f64,
    /// Largest deviation.
    pub max_3d_m: f64,
}

impl Summary {
    /// Writes indented JSON and a line end.
    pub fn write(&self, mut out: impl Write) -> Result<(), OutputError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(OutputError::encode(WHAT))?;
        text.push(b'\n');
        out.write_all(&text).and_then(|()| out.flush()).map_err(OutputError::write(WHAT))
    }
}

/// Gathers a [`Summary`].
#[derive(Debug, Clone, Default)]
pub struct SummaryBuilder {
    signals: BTreeMap<(Sat, ObsCode), SignalSums>,
    used: BTreeMap<Sat, usize>,
    first_fix: Option<(f64, String)>,
    /// The first position; sums are of the others east, north and up of it.
    origin: Option<Ecef>,
    fixes: usize,
    sum: [f64; 3],
    squares: [f64; 3],
    deviation: DeviationSums,
}

#[derive(Debug, Clone, Copy, Default)]
struct SignalSums {
    epochs: usize,
    sum: f64,
    max: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct DeviationSums {
    fixes: usize,
    sum: [f64; 3],
    squares: [f64; 3],
    max: f64,
}

impl SummaryBuilder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a satellite signal that was seen with `cn0_dbhz`, for example in the search.
    pub fn seen(&mut self, sat: Sat, signal: impl Into<ObsCode>, cn0_dbhz: f64) {
        let sums = self.signals.entry((sat, signal.into())).or_default();
        sums.max = if sums.epochs == 0 { cn0_dbhz } else { sums.max.max(cn0_dbhz) };
        sums.epochs += 1;
        sums.sum += cn0_dbhz;
    }

    /// Counts the measurements of an epoch.
    pub fn epoch(&mut self, epoch: &ObservationEpoch) {
        for o in &epoch.observations {
            self.seen(o.sat, o.code, o.cn0_dbhz.unwrap_or_default());
        }
    }

    /// Counts a position found `since_start_s` seconds after the first sample, of which `truth` is the true
    /// place at that time.
    pub fn solution(&mut self, solution: &Solution, since_start_s: f64, truth: Option<Ecef>) {
        if self.first_fix.is_none() {
            self.first_fix = Some((since_start_s, utc_iso(solution.time)));
        }
        let origin = *self.origin.get_or_insert(solution.position);
        self.fixes += 1;
        let offset = solution.position.enu_from(origin);
        add(&mut self.sum, &mut self.squares, [offset.e, offset.n, offset.u]);
        if let Some(truth) = truth {
            let local = solution.position.enu_from(truth);
            let d = &mut self.deviation;
            d.fixes += 1;
            add(&mut d.sum, &mut d.squares, [local.e, local.n, local.u]);
            d.max = d.max.max(local.norm());
        }
        let mut sats: Vec<Sat> = solution.sats.iter().filter(|s| s.used).map(|s| s.sat).collect();
        sats.sort_unstable();
        sats.dedup();
        for sat in sats {
            *self.used.entry(sat).or_default() += 1;
        }
    }

    /// The mean of the positions so far.
    pub fn mean_position(&self) -> Option<Ecef> {
        let origin = self.origin?;
        let [e, n, u] = self.sum.map(|s| s / self.fixes.max(1) as f64);
        let offset = Enu { e, n, u }.to_ecef(origin.to_geodetic());
        Some(Ecef { x: origin.x + offset.x, y: origin.y + offset.y, z: origin.z + offset.z })
    }

    /// The summary; the caller adds what only it knows: version, input, duration, diagnosis, warnings.
    pub fn finish(&self) -> Summary {
        let mut satellites: Vec<SatSummary> = Vec::new();
        for (&(sat, code), sums) in &self.signals {
            let name = sat.to_string();
            let entry = SignalSummary {
                signal: code.name(sat.constellation),
                epochs: sums.epochs,
                cn0_dbhz: rounded(sums.sum / sums.epochs.max(1) as f64, 1),
                cn0_max_dbhz: rounded(sums.max, 1),
            };
            match satellites.last_mut().filter(|last| last.sat == name) {
                Some(last) => last.signals.push(entry),
                None => satellites.push(SatSummary {
                    sat: name,
                    signals: vec![entry],
                    used: self.used.get(&sat).copied().unwrap_or(0),
                }),
            }
        }
        Summary {
            satellites,
            first_fix_s: self.first_fix.as_ref().map(|(s, _)| rounded(*s, 3)),
            first_fix_utc: self.first_fix.as_ref().map(|(_, utc)| utc.clone()),
            fixes: self.fixes,
            mean_position: self.mean(),
            error: self.error(),
            ..Summary::default()
        }
    }

    fn mean(&self) -> Option<MeanPosition> {
        let mean = self.mean_position()?;
        let place = mean.to_geodetic();
        let n = self.fixes.max(1) as f64;
        let spread = self
            .sum
            .iter()
            .zip(self.squares)
            .map(|(sum, square)| (square / n - (sum / n).powi(2)).max(0.0).sqrt());
        let mut spread_enu_m = [0.0; 3];
        spread_enu_m.iter_mut().zip(spread).for_each(|(slot, x)| *slot = rounded(x, 4));
        Some(MeanPosition {
            lat_deg: rounded(place.lat_deg, 9),
            lon_deg: rounded(place.lon_deg, 9),
            height_m: rounded(place.height_m, 4),
            spread_enu_m,
        })
    }

    fn error(&self) -> Option<ErrorSummary> {
        let d = &self.deviation;
        if d.fixes == 0 {
            return None;
        }
        let n = d.fixes as f64;
        let mean = d.sum.map(|s| s / n);
        let [e2, n2, u2] = d.squares.map(|s| s / n);
        Some(ErrorSummary {
            mean_enu_m: mean.map(|x| rounded(x, 4)),
            mean_3d_m: rounded(mean.iter().map(|x| x * x).sum::<f64>().sqrt(), 4),
            rms_horizontal_m: rounded((e2 + n2).sqrt(), 4),
            rms_vertical_m: rounded(u2.sqrt(), 4),
            rms_3d_m: rounded((e2 + n2 + u2).sqrt(), 4),
            max_3d_m: rounded(d.max, 4),
        })
    }
}

fn add(sum: &mut [f64; 3], squares: &mut [f64; 3], values: [f64; 3]) {
    for ((s, q), v) in sum.iter_mut().zip(squares).zip(values) {
        *s += v;
        *q += v * v;
    }
}
