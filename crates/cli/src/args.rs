//! The command line, from which help, completions and parsing come.

mod monitor;
mod solve;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use megrez::prelude::*;
use megrez::pvt::Dynamics;
use megrez_source::parse_quantity;

use crate::truth::Truth;
pub use monitor::MonitorArgs;
pub use solve::{SolveArgs, SolveMode};

/// A software-defined GNSS receiver, BeiDou first: samples in, positions out.
///
/// Data goes to standard output, everything else to standard error. Exit codes: 0 when it worked, 1 for an
/// error, 2 for a wrong command line, 3 when no satellite or no position was found, 4 when `monitor` found a
/// displacement.
#[derive(Parser)]
#[command(name = "megrez", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    /// Number of threads [default: all cores]. Results do not depend on it.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Simulate and receive; print the position beside the true one. Needs no input.
    Demo(DemoArgs),
    /// Receive a recording or a live stream: positions, observations, messages.
    Run(Box<RunArgs>),
    /// Search a recording for satellites once.
    Acquire(Box<AcquireArgs>),
    /// Position from a few milliseconds of samples and a navigation file.
    Snapshot(Box<SnapshotArgs>),
    /// Positions from RINEX observations of any receiver.
    Solve(Box<SolveArgs>),
    /// Watch a baseline for displacements.
    Monitor(Box<MonitorArgs>),
    /// Make a recording with its truth.
    Simulate(Box<SimulateArgs>),
    /// What is in a file of samples: levels, spectrum, satellites.
    Info(Box<InfoArgs>),
    /// Measure this machine: channels in real time, correlators, acquisition.
    Bench(BenchArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// A number with an optional suffix k, M or G.
fn quantity(text: &str) -> Result<f64, String> {
    parse_quantity(text).ok_or_else(|| "a number such as 4M, 1575.42M or 2.4e6 is needed".to_string())
}

fn positive(text: &str) -> Result<f64, String> {
    match quantity(text) {
        Ok(value) if value > 0.0 => Ok(value),
        Ok(_) => Err("must be greater than zero".to_string()),
        Err(error) => Err(error),
    }
}

fn non_negative(text: &str) -> Result<f64, String> {
    match quantity(text) {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        Ok(_) => Err("must be finite and not less than zero".to_string()),
        Err(error) => Err(error),
    }
}

/// "lat,lon" or "lat,lon,height" in degrees and metres, or earth-fixed "x,y,z" in metres.
pub fn position(text: &str) -> Result<Geodetic, String> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let (lat_deg, lon_deg, height_m) = match numbers.as_deref() {
        // No latitude, longitude and height are as large as the earth.
        Some(&[x, y, z])
            if (6e6..1e8).contains(&Ecef::new(x, y, z).norm()) && x.abs().max(y.abs()) > 360.0 =>
        {
            return Ok(Ecef::new(x, y, z).to_geodetic());
        }
        Some(&[lat, lon]) => (lat, lon, 0.0),
        Some(&[lat, lon, height]) => (lat, lon, height),
        _ => {
            return Err(
                "latitude,longitude,height in degrees and metres is needed, such as 30.5,114.4,50".into()
            );
        }
    };
    if !(-90.0..=90.0).contains(&lat_deg)
        || !(-360.0..=360.0).contains(&lon_deg)
        || !(-1e8..=1e8).contains(&height_m)
    {
        return Err("latitude must be within ±90, longitude within ±360 degrees".into());
    }
    Ok(Geodetic { lat_deg, lon_deg, height_m })
}

/// A date and time, in UTC unless it names another scale.
pub fn instant(text: &str) -> Result<GnssTime, String> {
    megrez_sim::parse_instant(text).map_err(|error| error.to_string())
}

#[derive(Args)]
pub struct InputArgs {
    /// File of samples, `.sigmf-meta`, `-` for standard input, or rtl_tcp://host:port; several of one front end with
    /// one clock are received together
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,

    /// Sample format: cs1 cs2 cs4 cs8 cu8 cs16 cf32 (complex), s1 s2 s4 s8 u8 s16 f32 (real)
    #[arg(short, long, value_name = "F")]
    pub format: Option<megrez::dsp::SampleFormat>,

    /// Samples a second, such as 4M
    #[arg(short, long, value_name = "R", value_parser = positive)]
    pub rate: Option<f64>,

    /// Radio frequency at 0 Hz of the samples, such as 1575.42M; of several inputs, or of interleaved channels of one,
    /// separated by commas
    #[arg(short, long, value_name = "C", value_parser = positive, value_delimiter = ',')]
    pub center: Vec<f64>,

    /// Front-end description (TOML) for other packings and for several streams
    #[arg(long, value_name = "FE.toml")]
    pub config: Option<PathBuf>,

    /// Channel of a multi-channel packing, overriding the description
    #[arg(long, value_name = "N")]
    pub channel: Option<usize>,

    /// Skip this many seconds at the start
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    pub skip: f64,

    /// Read at most this many seconds
    #[arg(long, value_name = "S")]
    pub duration: Option<f64>,
}

#[derive(Args)]
pub struct SignalArgs {
    /// Signals, separated by commas: B1I, B1C, B2I, B2a, B2b, B3I, L1CA, SBAS-L1, SBAS-L5 [default: all that lie in a stream but SBAS; `run` searches no satellites by B1C, but takes it up where another signal of the satellite is tracked]
    #[arg(short, long, value_delimiter = ',', value_name = "S")]
    pub signals: Vec<SignalId>,

    /// Largest error of the front end's oscillator that a search covers, in parts per million
    #[arg(long, value_name = "PPM", default_value_t = 60.0)]
    pub oscillator: f64,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum DynamicsArg {
    /// Does not move
    Static,
    /// On foot
    Pedestrian,
    /// On wheels or water
    Vehicle,
    /// In the air, or anything quicker than a vehicle
    HighDynamics,
}

impl From<DynamicsArg> for Dynamics {
    fn from(dynamics: DynamicsArg) -> Self {
        match dynamics {
            DynamicsArg::Static => Self::Static,
            DynamicsArg::Pedestrian => Self::Pedestrian,
            DynamicsArg::Vehicle => Self::Vehicle,
            DynamicsArg::HighDynamics => Self::HighDynamics,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum TalkerArg {
    /// GN, GB and GP, as NMEA 0183 4.11 asks
    Gn,
    /// BD, for older Chinese equipment
    Bd,
}

#[derive(Args)]
pub struct DemoArgs {
    /// Seconds of signal
    #[arg(long, value_name = "S", default_value_t = 36.0)]
    pub duration: f64,

    /// Seed of the noise
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Receive a recording or a live stream: positions, observations, messages.
#[derive(Args)]
#[command(after_help = "Examples:
  megrez run capture.cs8 --rate 4M --center 1575.42M --out result
  megrez run capture.sigmf-meta --state rx.json
  hackrf_transfer -r - -s 20000000 -f 1568000000 | megrez run - -f cs8 -r 20M -c 1568M
  megrez run rtl_tcp://192.168.1.5:1234 --rate 2.4M --center 1575.42M
  megrez run B1.cs8 B3.cs8 --rate 20M --center 1568M,1268.52M
  megrez run capture.bin --config frontend.toml --signals B1I --truth 30.5,114.4,50")]
pub struct RunArgs {
    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub signals: SignalArgs,

    /// Folder for summary.json, solution.jsonl, track.*, obs.rnx, nav.rnx and messages.jsonl
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Ephemerides known beforehand: RINEX navigation or UBX log; may be given several times
    #[arg(long, value_name = "FILE")]
    pub nav: Vec<PathBuf>,

    /// Use what an earlier run left in this file, if it exists, and leave the same for the next
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Seconds between positions, a multiple of 0.01
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub interval: f64,

    /// How the receiver moves
    #[arg(long, value_enum, default_value = "vehicle")]
    pub dynamics: DynamicsArg,

    /// Satellites below this elevation are not used, degrees
    #[arg(long, value_name = "DEG", default_value_t = 5.0)]
    pub elevation_mask: f64,

    /// Approximate UTC of the recording (to within years), for the rollover of the GPS week
    #[arg(long, value_name = "T", value_parser = instant)]
    pub time: Option<GnssTime>,

    /// True position lat,lon,height, or a truth file of `megrez simulate`: prints the error
    #[arg(long, value_name = "POS")]
    pub truth: Option<Truth>,

    /// Talkers of the NMEA file
    #[arg(long, value_enum, default_value = "gn")]
    pub talker: TalkerArg,

    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,

    /// Print nothing on standard error but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// How long a search takes the samples together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Plan {
    /// What there is, up to a tenth of a second
    Auto,
    /// What there is, up to a second
    Weak,
}

/// Search a recording for satellites once.
#[derive(Args)]
#[command(after_help = "Examples:
  megrez acquire capture.cs8 --rate 4M --center 1575.42M
  megrez acquire capture.bin --config frontend.toml --signals B1I,B1C --json
  megrez acquire nt1065_grabber.bin --config nt1065.toml --signals B1I,B2a,B2b
  megrez acquire capture.cu8 -r 2.048M -c 1575.42M --plan weak
  megrez acquire capture.bin --config frontend.toml --nav brdc.rnx --near 35.7,139.8,60 --time 2021-11-25T00:40:40")]
pub struct AcquireArgs {
    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub signals: SignalArgs,

    /// Satellites, such as C26,G05 [default: all]
    #[arg(long, value_delimiter = ',', value_name = "SATS")]
    pub sats: Vec<Sat>,

    /// How much to search: `auto` takes up to a tenth of a second, `weak` up to a second, for satellites down
    /// to 30 dB-Hz (L1 C/A: 27)
    #[arg(long, value_enum, default_value_t = Plan::Auto)]
    pub plan: Plan,

    /// Navigation file (RINEX 3 or 4, or a UBX log): search only satellites that are up, each near its
    /// predicted Doppler; may be given several times
    #[arg(long, value_name = "FILE", requires = "near", requires = "time")]
    pub nav: Vec<PathBuf>,

    /// Approximate position lat,lon,height for --nav
    #[arg(long, value_name = "POS", value_parser = position, requires = "nav")]
    pub near: Option<Geodetic>,

    /// How far off that position may be, in metres
    #[arg(long, value_name = "M", default_value_t = 100e3, value_parser = non_negative)]
    pub near_error: f64,

    /// UTC of the first sample for --nav
    #[arg(long, value_name = "T", value_parser = instant, requires = "nav")]
    pub time: Option<GnssTime>,

    /// How far off that time may be, in seconds
    #[arg(long, value_name = "S", default_value_t = 60.0, value_parser = non_negative)]
    pub time_error: f64,

    /// Seconds of samples to use, fewer than the plan takes [default: as many as the plan takes]
    #[arg(long, value_name = "S")]
    pub integrate: Option<f64>,

    /// Probability of one false satellite in the whole search
    #[arg(long, value_name = "P", default_value_t = 1e-3)]
    pub false_alarm: f64,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Position from a few milliseconds of samples and a navigation file.
#[derive(Args)]
#[command(after_help = "Examples:
  megrez snapshot capture.bin --config frontend.toml --nav brdc.rnx --time 2021-11-25T00:40:40
  megrez snapshot snap.s1 -r 4.092M -c 1575.42M --nav walk.ubx --time 2021-11-22T12:41 --near 51.76,-1.26")]
pub struct SnapshotArgs {
    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub signals: SignalArgs,

    /// Navigation file: RINEX 3 or 4, or a UBX log; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub nav: Vec<PathBuf>,

    /// UTC of the first sample
    #[arg(long, value_name = "T", value_parser = instant)]
    pub time: GnssTime,

    /// How far off that time may be, in seconds
    #[arg(long, value_name = "S", default_value_t = 60.0, value_parser = non_negative)]
    pub time_error: f64,

    /// Approximate position lat,lon (within 100 km); not needed, but makes weak cases safer
    #[arg(long, value_name = "POS", value_parser = position)]
    pub near: Option<Geodetic>,

    /// Seconds of samples to use [default: all, at most 0.1]
    #[arg(long, value_name = "S")]
    pub integrate: Option<f64>,

    /// True position lat,lon,height: prints the error
    #[arg(long, value_name = "POS", value_parser = position)]
    pub truth: Option<Geodetic>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Make a recording with its truth.
#[derive(Args)]
#[command(after_help = "Examples:
  megrez simulate examples/scenes/static.toml -o static.cs8
  megrez simulate --at 30.5,114.4,50 --rate 4M --center 1561.098M --signals B1I -o b1i.cs8
  megrez simulate scene.toml --duration 10 --seed 7 -o - | megrez run - -f cs8 -r 4M -c 1575.42M

Beside NAME.cs8 come NAME.sigmf-meta and NAME.truth.jsonl. A scene of several streams makes NAME-1.cs8, NAME-2.cs8 …,
to be received together.")]
pub struct SimulateArgs {
    /// Scene file (TOML); flags override it
    pub scene: Option<PathBuf>,

    /// File to write; its extension gives the format unless --format does; - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Static position lat,lon,height
    #[arg(long, value_name = "POS", value_parser = position)]
    pub at: Option<Geodetic>,

    /// UTC of the first sample
    #[arg(long, value_name = "T", value_parser = instant)]
    pub start: Option<GnssTime>,

    /// Seconds
    #[arg(long, value_name = "S", value_parser = positive)]
    pub duration: Option<f64>,

    /// Samples a second
    #[arg(short, long, value_name = "R", value_parser = positive)]
    pub rate: Option<f64>,

    /// Radio frequency at 0 Hz of the samples
    #[arg(short, long, value_name = "C", value_parser = positive)]
    pub center: Option<f64>,

    /// Sample format
    #[arg(short, long, value_name = "F")]
    pub format: Option<megrez::dsp::SampleFormat>,

    /// Signals
    #[arg(short, long, value_delimiter = ',', value_name = "S")]
    pub signals: Vec<SignalId>,

    /// Satellites from this RINEX navigation file instead of the built-in constellation
    #[arg(long, value_name = "FILE")]
    pub nav: Option<PathBuf>,

    /// C/N0 of every satellite in dB-Hz
    #[arg(long, value_name = "DBHZ")]
    pub cn0: Option<f64>,

    /// Relative frequency error of the oscillator in parts per million
    #[arg(long, value_name = "PPM", allow_negative_numbers = true)]
    pub oscillator_ppm: Option<f64>,

    /// Seed of the noise
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What is in a file of samples: levels, spectrum, satellites.
#[derive(Args)]
#[command(after_help = "Examples:
  megrez info capture.cs8 --rate 4M --center 1575.42M
  megrez info unknown.bin                          (guesses the format)
  megrez info capture.cs8 -r 4M -c 1575.42M --plot spectrum.png")]
pub struct InfoArgs {
    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub signals: SignalArgs,

    /// Draw spectrum and histogram into a PNG or SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,

    /// Do not look for satellites
    #[arg(long)]
    pub no_satellites: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Measure this machine: channels in real time, correlators, acquisition.
///
/// Every figure is that of one core. `MEGREZ_SIMD` chooses the instruction set of the channels; the correlators
/// are measured at every level that the machine has. Other programs disturb the figures.
#[derive(Args)]
pub struct BenchArgs {
    /// Seconds spent on each figure
    #[arg(long, value_name = "S", default_value_t = 0.05, value_parser = positive)]
    pub seconds: f64,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Print nothing but the result
    #[arg(short, long)]
    pub quiet: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_and_positions() {
        let t = instant("2021-11-25T00:40:39.7").unwrap();
        assert_eq!(t.civil(megrez::orbit::TimeScale::Utc).to_string(), "2021-11-25T00:40:39.700");
        assert!(instant("2021-13-01T00:00").unwrap_err().contains("2021-13-01T00:00"));
        assert_eq!(position("30.5, 114.4,50").unwrap().height_m, 50.0);
        assert!((position("4075580.3111,931854.0543,4801568.2808").unwrap().lat_deg - 49.144).abs() < 1e-3);
        assert_eq!(position("0,0,9e6").unwrap().height_m, 9e6);
        assert!(position("91,0,0").is_err() && position("1").is_err() && position("a,b").is_err());
    }
}
