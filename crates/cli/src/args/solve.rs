use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use megrez::prelude::*;
use megrez::pvt::rtk::{RtkConfig, RtkMode};
use megrez::pvt::{IonoMode, SolverConfig};

use super::{DynamicsArg, instant, non_negative, position};
use crate::error::CliError;
use crate::truth::Truth;

/// How observations become positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SolveMode {
    /// Each epoch by itself, from its pseudoranges
    Spp,
    /// A Kalman filter over epochs, with carrier phases and Dopplers
    Filter,
}

/// How a rover moves against its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RtkArg {
    /// Every epoch for itself
    Instantaneous,
    /// Moves freely; ambiguities are kept between slips
    Kinematic,
    /// Stands still: every epoch adds to one position
    Static,
}

/// What is done about the ionosphere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IonoArg {
    /// Nothing
    Off,
    /// The broadcast model corrects each satellite's best signal
    Broadcast,
    /// The broadcast model, and what signals on other frequencies say of it
    Combined,
    /// Pairs of signals on two frequencies, in which the ionosphere cancels
    Free,
}

/// An elevation in degrees.
pub fn elevation(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (-90.0..90.0).contains(&value) => Ok(value),
        _ => Err("an elevation in degrees, less than 90, is needed".to_string()),
    }
}

/// A satellite system by its RINEX letter or its name.
pub fn system(text: &str) -> Result<Constellation, String> {
    let named = match text.to_ascii_lowercase().as_str() {
        "bds" | "beidou" => Some(Constellation::Bds),
        "gps" => Some(Constellation::Gps),
        "gal" | "galileo" => Some(Constellation::Galileo),
        "glo" | "glonass" => Some(Constellation::Glonass),
        "qzs" | "qzss" => Some(Constellation::Qzss),
        letter if letter.len() == 1 => {
            letter.to_uppercase().chars().next().and_then(Constellation::from_letter)
        }
        _ => None,
    };
    named.ok_or_else(|| {
        "a system such as C, G, E, R, J or bds, gps, galileo, glonass, qzss is needed".to_string()
    })
}

/// Positions from RINEX observations of any receiver.
#[derive(Args)]
#[command(after_help = "Examples:
  megrez solve rover.obs --nav brdc.rnx
  megrez solve station.crx.gz --nav brdc.rnx.gz --systems C --truth 55.49,8.45,59.6 --plot station.html
  megrez solve rover.obs --base base.obs --base-position 35.1,136.9,104.8 --nav brdc.rnx --out result
  megrez solve rover.obs --nav brdc.rnx --mode filter --dynamics vehicle --out result
  megrez solve day/*.crx.gz --nav brdc.rnx.gz --out results
  megrez solve rover.obs --nav brdc.rnx --pos - | head")]
pub struct SolveArgs {
    /// Observation files: RINEX 2.11, 3.0x or 4, also Hatanaka-compressed (.crx) and gzip
    #[arg(required = true, value_name = "ROVER")]
    pub rovers: Vec<PathBuf>,

    /// Navigation file: RINEX 2.11, 3 or 4, or a UBX log; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub nav: Vec<PathBuf>,

    /// Observations of a base: the rover is positioned against it by carrier phases (RTK);
    /// may be given several times
    #[arg(long, value_name = "BASE")]
    pub base: Vec<PathBuf>,

    /// Position of the base's antenna, lat,lon,height or x,y,z [default: that of its file's header]
    #[arg(long, value_name = "POS", value_parser = position, requires = "base", allow_hyphen_values = true)]
    pub base_position: Option<Geodetic>,

    /// How the rover moves against the base
    #[arg(long, value_enum, default_value_t = RtkArg::Kinematic, requires = "base")]
    pub rtk: RtkArg,

    /// Frequencies of each system used against the base, 1 to 3
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3), requires = "base")]
    pub frequencies: u8,

    /// How positions are computed without a base
    #[arg(long, value_enum, default_value_t = SolveMode::Spp, conflicts_with = "base")]
    pub mode: SolveMode,

    /// Satellite systems, separated by commas: C, G, E, R, J or their names [default: all]
    #[arg(long, value_delimiter = ',', value_name = "SYS", value_parser = system)]
    pub systems: Vec<Constellation>,

    /// How the receiver moves (--mode filter)
    #[arg(long, value_enum, default_value = "vehicle", conflicts_with = "base")]
    pub dynamics: DynamicsArg,

    /// What is done about the ionosphere
    #[arg(long, value_enum, default_value_t = IonoArg::Combined, conflicts_with = "base")]
    pub ionosphere: IonoArg,

    /// Satellites below this elevation are not used, degrees [default: 5, against a base 10]
    #[arg(long, value_name = "DEG", value_parser = elevation)]
    pub elevation_mask: Option<f64>,

    /// Weaker signals are not used, dB-Hz
    #[arg(long, value_name = "DBHZ", default_value_t = 0.0, value_parser = non_negative)]
    pub min_cn0: f64,

    /// First epoch to use
    #[arg(long, value_name = "T", value_parser = instant)]
    pub start: Option<GnssTime>,

    /// Last epoch to use
    #[arg(long, value_name = "T", value_parser = instant)]
    pub end: Option<GnssTime>,

    /// Folder for solution.pos, solution.jsonl and track.*; of several files, one folder each in it
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// File for the positions in RTKLIB's columns, - for standard output
    #[arg(long, value_name = "FILE")]
    pub pos: Option<PathBuf>,

    /// True position lat,lon,height or x,y,z in metres, or a truth file of `megrez simulate`: prints errors
    #[arg(long, value_name = "POS", allow_hyphen_values = true)]
    pub truth: Option<Truth>,

    /// Draw track, errors, residuals, sky and geometry into a page (.html) or a picture (.svg)
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,

    /// Print the statistics as JSON
    #[arg(long)]
    pub json: bool,

    /// Print nothing on standard error but errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl SolveArgs {
    /// The solver's settings.
    pub fn config(&self) -> SolverConfig {
        let default = SolverConfig::default();
        SolverConfig {
            elevation_mask_deg: self.elevation_mask.unwrap_or(default.elevation_mask_deg),
            min_cn0_dbhz: self.min_cn0,
            ionosphere: match self.ionosphere {
                IonoArg::Off => IonoMode::Off,
                IonoArg::Broadcast => IonoMode::Broadcast,
                IonoArg::Combined => IonoMode::Combined,
                IonoArg::Free => IonoMode::IonosphereFree,
            },
            ..default
        }
    }

    /// Refuses outputs that would overwrite an input, and times that leave nothing.
    pub fn check(&self) -> Result<(), CliError> {
        let real = |path: &PathBuf| path.canonicalize().ok();
        let inputs: Vec<PathBuf> =
            [&self.rovers, &self.nav, &self.base].into_iter().flatten().filter_map(real).collect();
        for output in [&self.pos, &self.plot].into_iter().flatten() {
            if real(output).is_some_and(|path| inputs.contains(&path)) {
                let message = format!("{}: an input would be overwritten", output.display());
                return Err(CliError::new(message).hint("give another name for the output"));
            }
        }
        if let (Some(start), Some(end)) = (self.start, self.end)
            && start > end
        {
            return Err(CliError::new("--start is later than --end"));
        }
        if let Some(path) = &self.plot
            && !path
                .extension()
                .is_some_and(|e| ["html", "htm", "svg"].iter().any(|x| e.eq_ignore_ascii_case(x)))
        {
            let message = format!("{}: --plot needs a name ending in .html or .svg", path.display());
            return Err(CliError::new(message));
        }
        Ok(())
    }

    /// The folder of one of several files: its name, with a number if another has the same.
    pub fn folder(&self, path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default();
        let same =
            self.rovers.iter().take_while(|p| p.as_path() != path).filter(|p| p.file_name() == Some(name));
        let mut folder = name.to_os_string();
        folder.push(match same.count() {
            0 => ".solved".to_string(),
            n => format!("-{}.solved", n + 1),
        });
        folder.into()
    }

    /// The settings of relative positioning.
    pub fn rtk_config(&self, base: Option<Ecef>) -> RtkConfig {
        let mut config = RtkConfig::default();
        config.mode = match self.rtk {
            RtkArg::Instantaneous => RtkMode::Instantaneous,
            RtkArg::Kinematic => RtkMode::Kinematic,
            RtkArg::Static => RtkMode::Static,
        };
        config.base = base;
        config.bands = RtkConfig::bands_of(self.frequencies.into());
        let glonass = [b'1', b'2'].into_iter().take(self.frequencies.into());
        config.bands.extend(glonass.map(|band| (Constellation::Glonass, band)));
        config.elevation_mask_deg = self.elevation_mask.unwrap_or(config.elevation_mask_deg);
        config.min_cn0_dbhz = config.min_cn0_dbhz.max(self.min_cn0);
        if self.systems.is_empty() { config } else { config.only(&self.systems) }
    }

    /// Whether an epoch lies within the times asked for.
    pub fn wants(&self, time: GnssTime) -> bool {
        self.start.is_none_or(|start| time >= start) && self.end.is_none_or(|end| time <= end)
    }
}
