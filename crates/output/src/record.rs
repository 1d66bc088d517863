use std::collections::BTreeMap;
use std::io::Write;

use megrez_pvt::{FixMode, Solution};
use serde::{Deserialize, Serialize};

use crate::text::{rounded, utc_iso};
use crate::{OutputError, SolutionSink};

const WHAT: &str = "solution.jsonl";

/// One line of `solution.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SolutionRecord {
    /// UTC, ISO 8601.
    pub time_utc: String,
    /// GPS week.
    pub gps_week: i64,
    /// GPS time of week in seconds.
    pub gps_tow_s: f64,
    /// `"least-squares"`, `"filtered"` or `"snapshot"`.
    pub mode: String,
    /// Latitude in degrees, north positive.
    pub lat_deg: f64,
    /// Longitude in degrees, east positive.
    pub lon_deg: f64,
    /// Height above the ellipsoid in metres.
    pub height_m: f64,
    /// Earth-centred, earth-fixed position in metres.
    pub ecef_m: [f64; 3],
    /// Velocity east, north, up in m/s.
    pub velocity_enu_mps: Option<[f64; 3]>,
    /// Standard deviation of the position east, north, up in metres.
    pub sigma_enu_m: [f64; 3],
    /// Receiver clock minus true time in seconds.
    pub clock_bias_s: f64,
    /// Rate of the clock bias in parts per million.
    pub clock_drift_ppm: f64,
    /// Biases of other systems against the first in metres, by RINEX letter.
    pub inter_system_m: BTreeMap<String, f64>,
    /// Dilution of precision.
    pub dop: DopRecord,
    /// Number of satellites used.
    pub sats_used: usize,
    /// Every satellite signal considered.
    pub sats: Vec<SatRecord>,
}

/// Dilution of precision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DopRecord {
    /// Position and time.
    pub g: f64,
    /// Position.
    pub p: f64,
    /// Horizontal.
    pub h: f64,
    /// Vertical.
    pub v: f64,
    /// Time.
    pub t: f64,
}

/// A satellite signal in a position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SatRecord {
    /// Satellite, as RINEX writes it.
    pub sat: String,
    /// Signal.
    pub signal: String,
    /// Azimuth in degrees.
    pub azimuth_deg: f64,
    /// Elevation in degrees.
    pub elevation_deg: f64,
    /// C/N0 in dB-Hz, if known.
    pub cn0_dbhz: Option<f64>,
    /// Measured minus computed pseudorange in metres.
    pub residual_m: f64,
    /// Whether the position rests on it.
    pub used: bool,
}

impl From<&Solution> for SolutionRecord {
    fn from(s: &Solution) -> Self {
        let place = s.geodetic();
        let (gps_week, gps_tow_s) = s.time.gpst();
        let [[e, ..], [_, n, _], [.., u]] = s.covariance_enu;
        Self {
            time_utc: utc_iso(s.time),
            gps_week,
            gps_tow_s: rounded(gps_tow_s, 9),
            mode: mode_name(s.mode).to_string(),
            lat_deg: rounded(place.lat_deg, 9),
            lon_deg: rounded(place.lon_deg, 9),
            height_m: rounded(place.height_m, 4),
            ecef_m: [s.position.x, s.position.y, s.position.z].map(|x| rounded(x, 4)),
            velocity_enu_mps: s.velocity.map(|v| {
                let v = v.to_enu(place);
                [v.e, v.n, v.u].map(|x| rounded(x, 4))
            }),
            sigma_enu_m: [e, n, u].map(|variance| rounded(variance.max(0.0).sqrt(), 4)),
            clock_bias_s: rounded(s.clock_bias_s, 12),
            clock_drift_ppm: rounded(s.clock_drift * 1e6, 6),
            inter_system_m: s
                .inter_system
                .iter()
                .map(|&(system, bias)| (system.letter().to_string(), rounded(bias, 4)))
                .collect(),
            dop: DopRecord {
                g: rounded(s.dop.g, 3),
                p: rounded(s.dop.p, 3),
                h: rounded(s.dop.h, 3),
                v: rounded(s.dop.v, 3),
                t: rounded(s.dop.t, 3),
            },
            sats_used: s.sats_used(),
            sats: s
                .sats
                .iter()
                .map(|sat| SatRecord {
                    sat: sat.sat.to_string(),
                    signal: sat.code.name(sat.sat.constellation),
                    azimuth_deg: rounded(sat.azel.azimuth.to_degrees(), 2),
                    elevation_deg: rounded(sat.azel.elevation.to_degrees(), 2),
                    cn0_dbhz: sat.cn0_dbhz.map(|cn0| rounded(cn0, 1)),
                    residual_m: rounded(sat.residual_m, 3),
                    used: sat.used,
                })
                .collect(),
        }
    }
}

/// How a position came about, in words.
pub(crate) fn mode_name(mode: FixMode) -> &'static str {
    match mode {
        FixMode::LeastSquares => "least-squares",
        FixMode::Filtered => "filtered",
        FixMode::Snapshot => "snapshot",
        FixMode::Fixed => "fixed",
        FixMode::Float => "float",
        _ => "other",
    }
}

/// Writes `solution.jsonl`.
pub struct SolutionLog<W: Write> {
    out: W,
}

impl<W: Write> SolutionLog<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> SolutionSink for SolutionLog<W> {
    fn solution(&mut self, solution: &Solution) -> Result<(), OutputError> {
        write_line(&mut self.out, &SolutionRecord::from(solution), WHAT)
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        self.out.flush().map_err(OutputError::write(WHAT))
    }
}

/// Writes one JSON object and a line end at once, so that a reader never meets half a line that a full disk
/// did not cause.
pub(crate) fn write_line(
    out: &mut impl Write,
    record: &impl Serialize,
    what: &'static str,
) -> Result<(), OutputError> {
    let mut line = serde_json::to_vec(record).map_err(OutputError::encode(what))?;
    line.push(b'\n');
    out.write_all(&line).map_err(OutputError::write(what))
}
