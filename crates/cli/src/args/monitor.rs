use std::path::PathBuf;

use clap::Args;
use megrez::prelude::*;

use super::solve::{elevation, system};
use super::{instant, position};

/// Watch a baseline for displacements.
#[derive(Args)]
#[command(after_help = "Examples:
  megrez monitor point.obs --base base.obs --base-position 35.1,136.9,104.8 --nav brdc.rnx --session 3600
  megrez monitor day1.crx.gz day2.crx.gz --base b1.crx.gz --base b2.crx.gz --nav brdc.rnx --repeat 86164 --out result
  megrez monitor point.obs --base base.obs --nav brdc.rnx --session 15 --moving --json

Exit code 4 says that a displacement was found.")]
pub struct MonitorArgs {
    /// Observation files of the point, in order of time
    #[arg(required = true, value_name = "ROVER")]
    pub rovers: Vec<PathBuf>,

    /// Observation files of the base, in order of time
    #[arg(long, value_name = "BASE", required = true)]
    pub base: Vec<PathBuf>,

    /// Position of the base's antenna, lat,lon,height or x,y,z [default: that of its file's header]
    #[arg(long, value_name = "POS", value_parser = position, allow_hyphen_values = true)]
    pub base_position: Option<Geodetic>,

    /// Navigation file: RINEX 2.11, 3 or 4, or a UBX log; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub nav: Vec<PathBuf>,

    /// Satellite systems, separated by commas: C, G, E, J or their names [default: all]
    #[arg(long, value_delimiter = ',', value_name = "SYS", value_parser = system)]
    pub systems: Vec<Constellation>,

    /// Frequencies of each system, 1 to 3
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub frequencies: u8,

    /// Satellites below this elevation are not used, degrees
    #[arg(long, value_name = "DEG", default_value_t = 10.0, value_parser = elevation)]
    pub elevation_mask: f64,

    /// Seconds of a session
    #[arg(long, value_name = "S", default_value_t = 3600.0, value_parser = seconds)]
    pub session: f64,

    /// The point may move within a session: the mean of its epochs counts, ambiguities are kept from session to
    /// session; for sessions of a minute and less
    #[arg(long)]
    pub moving: bool,

    /// Probability with which a point at rest raises no alarm
    #[arg(long, value_name = "P", default_value_t = 0.99, value_parser = confidence)]
    pub confidence: f64,

    /// Take away what the series had this many seconds before: multipath repeats after a sidereal day, 86164 s
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub repeat: Option<f64>,

    /// First epoch to use
    #[arg(long, value_name = "T", value_parser = instant)]
    pub start: Option<GnssTime>,

    /// Last epoch to use
    #[arg(long, value_name = "T", value_parser = instant)]
    pub end: Option<GnssTime>,

    /// Folder for sessions.csv, sessions.jsonl and monitor.json
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Draw the series into an SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,

    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,

    /// Print nothing on standard error but errors
    #[arg(short, long)]
    pub quiet: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && f64::is_finite(value) => Ok(value),
        _ => Err("a number of seconds greater than zero is needed, such as 3600".to_string()),
    }
}

fn confidence(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("a probability between 0 and 1 is needed, such as 0.999".to_string()),
    }
}
