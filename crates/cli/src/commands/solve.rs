//! `megrez solve`: positions from observation files of any receiver.

mod picture;
mod stats;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use megrez::orbit::{Enu, TimeScale};
use megrez::prelude::*;
use megrez::pvt::rtk::Rtk;
use megrez::pvt::{Filter, SolverConfig, solve};
use megrez_output::{
    GeoJsonWriter, GpxWriter, KmlWriter, NmeaEpoch, NmeaOptions, NmeaWriter, PosRecord, PosWriter,
    SolutionLog, SolutionSink,
};
use megrez_rinex::{ObsEpoch, ObsReader};
use rayon::prelude::*;

use crate::args::{SolveArgs, SolveMode};
use crate::commands::snapshot::read_nav;
use crate::error::CliError;
use crate::progress;
use crate::table::table;
use picture::{Mark, Scene};
use stats::{Point, Statistics};

/// Distance in metres of a base from its position that pseudoranges do not explain.
const DOUBTFUL_M: f64 = 50.0;
/// Epochs of a base that are tried for a position.
const FIRST_EPOCHS: usize = 20;
/// Warnings of one file shown; further ones are counted.
const MOST_WARNINGS: usize = 5;

pub fn run(args: &SolveArgs) -> Result<bool, CliError> {
    let nav = read_nav(&args.nav)?;
    args.check()?;
    if let Some(path) = args.pos.as_deref().filter(|_| args.rovers.len() > 1) {
        return Err(CliError::new(format!("{}: --pos holds the positions of one file", path.display()))
            .hint("with several observation files use --out DIR"));
    }
    let base = match &args.base[..] {
        [] => None,
        paths => Some(Base::read(paths, args.base_position)?),
    };
    if let Some(base) = base.as_ref().filter(|_| !args.quiet) {
        base.doubt(&nav);
    }
    let total = args.rovers.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|m| m.len()).sum();
    let bar = progress::bar(Some(total), args.quiet);
    let solved: Vec<Result<Solved, CliError>> = args
        .rovers
        .par_iter()
        .map(|path| Job { args, nav: &nav, base: base.as_ref(), bar: &bar }.file(path))
        .collect();
    bar.finish_and_clear();
    // A file that fails does not hide the others.
    let mut failed = None;
    let mut files = Vec::new();
    for outcome in solved {
        match outcome {
            Ok(file) => files.push(file),
            Err(error) if failed.is_none() => failed = Some(error),
            Err(error) => eprintln!("error: {}", error.message),
        }
    }
    if !args.quiet {
        files.iter().for_each(Solved::warn);
    }
    report(args, &files)?;
    let scenes: Vec<Scene> =
        files.iter().filter_map(|f| Scene::new(&f.statistics, &f.points, &f.marks)).collect();
    let drawn = match args.plot.as_deref().filter(|_| !scenes.is_empty()) {
        Some(path) => picture::write(path, &scenes),
        None => Ok(()),
    };
    match failed {
        Some(error) => Err(error),
        None => drawn.map(|()| files.iter().all(|file| file.statistics.solved > 0)),
    }
}

/// What became of one file.
struct Solved {
    statistics: Statistics,
    points: Vec<Point>,
    marks: Vec<Mark>,
    warnings: Vec<String>,
    /// Warnings, with those that are not kept.
    warning_count: usize,
    /// The last epoch without a position, and why.
    refusal: Option<(GnssTime, String)>,
    path: PathBuf,
}

impl Solved {
    fn warn(&self) {
        let name = self.path.display();
        warn(&self.path, &self.warnings, self.warning_count);
        if self.statistics.epochs == 0 {
            eprintln!("{name}: no epoch with observations of the systems and times asked for");
        }
        if let Some((time, error)) = &self.refusal {
            let unsolved = self.statistics.epochs - self.statistics.solved;
            let when = time.civil(TimeScale::Gpst);
            eprintln!("{name}: {unsolved} epochs without a position, the last at {when} GPST: {error}");
        }
    }
}

/// Shows the first warnings of a file, and how many there are more.
pub fn warn(path: &Path, warnings: &[String], count: usize) {
    let name = path.display();
    for warning in warnings.iter().take(MOST_WARNINGS) {
        eprintln!("warning: {name}: {warning}");
    }
    if let Some(more) = count.checked_sub(MOST_WARNINGS).filter(|&n| n > 0) {
        eprintln!("warning: {name}: {more} more of these");
    }
}

/// One file to be solved.
struct Job<'a> {
    args: &'a SolveArgs,
    nav: &'a NavData,
    base: Option<&'a Base>,
    bar: &'a ProgressBar,
}

/// What the base observed.
pub struct Base {
    pub position: Ecef,
    epochs: Vec<ObservationEpoch>,
}

impl Base {
    /// Reads the base's files whole: epochs are looked up in them. Without a position `at`, that of the first
    /// header counts, with the height of its antenna.
    pub fn read(paths: &[PathBuf], at: Option<Geodetic>) -> Result<Self, CliError> {
        let mut position = at.map(Geodetic::to_ecef);
        let mut record = ObsEpoch::default();
        let mut epochs = Vec::new();
        for path in paths {
            let wrong = |error| CliError::new(format!("{}: {error}", path.display()));
            let mut reader = megrez_rinex::read_obs(path).map_err(wrong)?;
            let header = reader.header();
            let delta = header.antenna_delta;
            let above = Enu { e: delta.east, n: delta.north, u: delta.height };
            let marker = header.approx_position.filter(|p| p.norm() > 1e6);
            position = position.or(marker.map(|marker| marker + above.to_ecef(marker.to_geodetic())));
            while reader.read(&mut record) {
                epochs.push(record.epoch.clone());
            }
            warn(path, reader.warnings(), reader.warning_count());
        }
        epochs.sort_by(|a, b| (a.time - b.time).total_cmp(&0.0));
        let position = position.ok_or_else(|| {
            CliError::new("the header of the base's observations gives no position")
                .hint("give --base-position lat,lon,height")
        })?;
        Ok(Self { position, epochs })
    }

    /// Says so if the base's own pseudoranges put it far from its position: the rover would be as far off.
    pub fn doubt(&self, nav: &NavData) {
        let found = self
            .epochs
            .iter()
            .take(FIRST_EPOCHS)
            .find_map(|epoch| solve(epoch, nav, &SolverConfig::default(), Some(self.position)).ok());
        let Some(found) = found else { return };
        let off_m = (found.position - self.position).norm();
        if off_m > DOUBTFUL_M {
            eprintln!("warning: the base observes itself {off_m:.0} m from the position given for it");
        }
    }

    /// Epochs around `time` that may serve as the base of a rover's: by `max_age_s`, and one more.
    pub fn near(&self, time: GnssTime, max_age_s: f64) -> &[ObservationEpoch] {
        let reach_s = max_age_s + 1.0;
        let first = self.epochs.partition_point(|b| b.time - time < -reach_s);
        let last = self.epochs.partition_point(|b| b.time - time <= reach_s);
        self.epochs.get(first..last).unwrap_or_default()
    }
}

/// A position, and what only relative positioning knows of it.
struct Found {
    solution: Solution,
    age_s: f64,
    ratio: f64,
}

impl From<Solution> for Found {
    fn from(solution: Solution) -> Self {
        Self { solution, age_s: 0.0, ratio: 0.0 }
    }
}

impl Job<'_> {
    fn file(&self, path: &Path) -> Result<Solved, CliError> {
        let args = self.args;
        let config = args.config();
        let file = File::open(path).map_err(|error| CliError::file(path, &error))?;
        let wrong = |error: megrez_rinex::RinexError| {
            CliError::new(format!("{}: {error}", path.display()))
                .hint("a RINEX observation file (2.11, 3.0x or 4, also .crx and .gz) is needed")
        };
        let mut reader = ObsReader::new(self.bar.wrap_read(file)).map_err(wrong)?;
        let mut sinks = Sinks::create(args, path)?;
        let mut engine = match self.base {
            Some(base) => Engine::rtk(args, base),
            None => Engine::new(args, config, reader.header().approx_position),
        };
        let mut solved = Solved {
            statistics: Statistics::of("", 0, &[]),
            points: Vec::new(),
            marks: Vec::new(),
            warnings: Vec::new(),
            warning_count: 0,
            refusal: None,
            path: path.to_path_buf(),
        };
        let mut epochs = 0;
        let mut record = ObsEpoch::default();
        while reader.read(&mut record) {
            let epoch = &mut record.epoch;
            if !args.wants(epoch.time) {
                continue;
            }
            epoch
                .observations
                .retain(|o| args.systems.is_empty() || args.systems.contains(&o.sat.constellation));
            if epoch.observations.is_empty() {
                continue;
            }
            epochs += 1;
            match engine.solve(epoch, self.nav) {
                Ok(found) => {
                    let Found { solution, .. } = &found;
                    sinks.solution(&found, epoch)?;
                    let first = solved.points.first().map_or(solution.time, |p| p.time);
                    if args.plot.is_some() {
                        let hours = (solution.time - first) / 3600.0;
                        solved.marks.extend(solution.sats.iter().filter(|s| s.used).map(|s| Mark {
                            hours,
                            sat: s.sat,
                            azimuth: s.azel.azimuth,
                            elevation: s.azel.elevation,
                            residual_m: s.residual_m,
                        }));
                    }
                    solved.points.push(Point::of(solution, args.truth.as_ref()));
                }
                Err(error) => solved.refusal = Some((epoch.time, error)),
            }
        }
        solved.warnings = reader.warnings().to_vec();
        solved.warning_count = reader.warning_count();
        solved.statistics = Statistics::of(&path.display().to_string(), epochs, &solved.points);
        solved.statistics.fixed = self.base.map(|_| solved.points.iter().filter(|p| p.fixed).count());
        sinks.finish()?;
        Ok(solved)
    }
}

/// Epoch by epoch, filtered, or against a base.
enum Engine<'a> {
    Rtk(Box<Rtk>, &'a Base),
    Epochs { config: SolverConfig, last: Option<Ecef> },
    Filter(Box<Filter>),
}

impl<'a> Engine<'a> {
    fn rtk(args: &SolveArgs, base: &'a Base) -> Self {
        Self::Rtk(Box::new(Rtk::new(args.rtk_config(Some(base.position)))), base)
    }

    fn new(args: &SolveArgs, config: SolverConfig, near: Option<Ecef>) -> Self {
        match args.mode {
            SolveMode::Spp => Self::Epochs { config, last: near },
            SolveMode::Filter => Self::Filter(Box::new(Filter::new(config, args.dynamics.into()))),
        }
    }

    fn solve(&mut self, epoch: &ObservationEpoch, nav: &NavData) -> Result<Found, String> {
        match self {
            Self::Rtk(rtk, base) => {
                let near = base.near(epoch.time, rtk.config().max_age_s);
                let found = rtk.update(epoch, near, nav).map_err(|error| error.to_string())?;
                Ok(Found { solution: (&found).into(), age_s: found.age_s, ratio: found.ratio })
            }
            Self::Filter(filter) => {
                filter.update(epoch, nav).map(Found::from).map_err(|error| error.to_string())
            }
            Self::Epochs { config, last } => {
                let solution = solve(epoch, nav, config, *last).map_err(|error| error.to_string())?;
                *last = Some(solution.position);
                Ok(solution.into())
            }
        }
    }
}

/// The files that a solved file leaves.
struct Sinks {
    pos: Vec<PosWriter<Box<dyn Write>>>,
    tracks: Vec<Box<dyn SolutionSink>>,
    nmea: Option<NmeaWriter<BufWriter<File>>>,
}

impl Sinks {
    fn create(args: &SolveArgs, path: &Path) -> Result<Self, CliError> {
        let header = [
            ("program", format!("megrez {}", env!("CARGO_PKG_VERSION"))),
            ("inp file", path.display().to_string()),
        ];
        let mut pos: Vec<PosWriter<Box<dyn Write>>> = Vec::new();
        let mut tracks: Vec<Box<dyn SolutionSink>> = Vec::new();
        if let Some(path) = &args.pos {
            let out: Box<dyn Write> = match path.to_str() {
                Some("-") => Box::new(BufWriter::new(std::io::stdout())),
                _ => Box::new(BufWriter::new(
                    File::create(path).map_err(|error| CliError::file(path, &error))?,
                )),
            };
            pos.push(PosWriter::new(out, &header).map_err(CliError::from)?);
        }
        let Some(dir) = &args.out else { return Ok(Self { pos, tracks, nmea: None }) };
        let dir = match args.rovers.len() {
            1 => dir.clone(),
            _ => dir.join(args.folder(path)),
        };
        std::fs::create_dir_all(&dir).map_err(|error| CliError::file(&dir, &error))?;
        let create = |name: &str| {
            let path = dir.join(name);
            File::create(&path).map(BufWriter::new).map_err(|error| CliError::file(&path, &error))
        };
        let out: Box<dyn Write> = Box::new(create("solution.pos")?);
        pos.push(PosWriter::new(out, &header).map_err(CliError::from)?);
        tracks.push(Box::new(SolutionLog::new(create("solution.jsonl")?)));
        tracks.push(Box::new(GeoJsonWriter::new(create("track.geojson")?)));
        tracks.push(Box::new(KmlWriter::new(create("track.kml")?, "megrez")));
        tracks.push(Box::new(GpxWriter::new(create("track.gpx")?, "megrez")));
        let nmea = NmeaWriter::new(create("track.nmea")?, NmeaOptions::default());
        Ok(Self { pos, tracks, nmea: Some(nmea) })
    }

    fn solution(&mut self, found: &Found, epoch: &ObservationEpoch) -> Result<(), CliError> {
        let solution = &found.solution;
        for pos in &mut self.pos {
            let record = PosRecord { age_s: found.age_s, ratio: found.ratio, ..solution.into() };
            pos.record(&record).map_err(CliError::from)?;
        }
        for track in &mut self.tracks {
            track.solution(solution).map_err(CliError::from)?;
        }
        let Some(nmea) = &mut self.nmea else { return Ok(()) };
        let epoch =
            NmeaEpoch { time: Some(solution.time), solution: Some(solution), observations: Some(epoch) };
        nmea.epoch(&epoch).map_err(CliError::from)
    }

    fn finish(mut self) -> Result<(), CliError> {
        for pos in &mut self.pos {
            pos.finish().map_err(CliError::from)?;
        }
        for track in &mut self.tracks {
            track.finish().map_err(CliError::from)?;
        }
        self.nmea.map_or(Ok(()), |mut nmea| nmea.finish().map_err(CliError::from))
    }
}

/// Prints the outcome; beside positions on standard output it goes to standard error.
fn report(args: &SolveArgs, files: &[Solved]) -> Result<(), CliError> {
    let aside = args.pos.as_deref() == Some(Path::new("-"));
    let mut text = String::new();
    if args.json {
        let all: Vec<&Statistics> = files.iter().map(|f| &f.statistics).collect();
        text = serde_json::to_string_pretty(&all)? + "\n";
    } else if !files.is_empty() {
        let number = |v: Option<f64>| v.map_or("-".to_string(), |v| format!("{v:.3}"));
        let rows: Vec<Vec<String>> = files
            .iter()
            .map(|f| {
                let s = &f.statistics;
                let place = |i: usize, digits: usize| {
                    s.mean.map_or("-".to_string(), |mean| format!("{:.digits$}", mean[i]))
                };
                vec![
                    s.file.clone(),
                    s.epochs.to_string(),
                    s.solved.to_string(),
                    format!("{:.1}", s.sats_used),
                    place(0, 8),
                    place(1, 8),
                    place(2, 3),
                    number(s.errors.map(|e| e.h95_m)),
                    number(s.errors.map(|e| e.v95_m)),
                    number(s.errors.map(|e| e.rms_3d_m)),
                    number(s.speed95_m_s),
                    s.fixed.map_or("-".to_string(), |n| n.to_string()),
                ]
            })
            .collect();
        let header = [
            "file",
            "epochs",
            "solved",
            "satellites",
            "latitude",
            "longitude",
            "height m",
            "H95 m",
            "V95 m",
            "3D rms m",
            "speed95 m/s",
            "fixed",
        ];
        text = table(&header, &rows);
    }
    match (aside, args.quiet) {
        (false, _) => std::io::stdout().lock().write_all(text.as_bytes())?,
        (true, false) => eprint!("{text}"),
        (true, true) => {}
    }
    Ok(())
}
