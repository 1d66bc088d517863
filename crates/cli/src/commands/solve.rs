//! `megrez solve`: positions from observation files of any receiver.

mod picture;
mod stats;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use megrez::orbit::TimeScale;
use megrez::prelude::*;
use megrez::pvt::{Filter, SolveError, SolverConfig, solve};
use megrez_output::{
    GeoJsonWriter, GpxWriter, KmlWriter, NmeaEpoch, NmeaOptions, NmeaWriter, PosWriter, SolutionLog,
    SolutionSink,
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

/// Warnings of one file shown; further ones are counted.
const MOST_WARNINGS: usize = 5;

pub fn run(args: &SolveArgs) -> Result<bool, CliError> {
    let nav = read_nav(&args.nav)?;
    if let Some(path) = args.pos.as_deref().filter(|_| args.rovers.len() > 1) {
        return Err(CliError::new(format!("{}: --pos holds the positions of one file", path.display()))
            .hint("with several observation files use --out DIR"));
    }
    let total = args.rovers.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|m| m.len()).sum();
    let bar = progress::bar(Some(total), args.quiet);
    let solved: Vec<Result<Solved, CliError>> =
        args.rovers.par_iter().map(|path| Job { args, nav: &nav, bar: &bar }.file(path)).collect();
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
    if let Some(path) = &args.plot {
        let scenes: Vec<Scene> =
            files.iter().filter_map(|f| Scene::new(&f.statistics, &f.points, &f.marks)).collect();
        picture::write(path, &scenes)?;
    }
    report(args, &files)?;
    match failed {
        Some(error) => Err(error),
        None => Ok(files.iter().all(|file| file.statistics.solved > 0)),
    }
}

/// What became of one file.
struct Solved {
    statistics: Statistics,
    points: Vec<Point>,
    marks: Vec<Mark>,
    warnings: Vec<String>,
    /// The last epoch without a position.
    refusal: Option<(GnssTime, SolveError)>,
    path: PathBuf,
}

impl Solved {
    fn warn(&self) {
        let name = self.path.display();
        for warning in self.warnings.iter().take(MOST_WARNINGS) {
            eprintln!("warning: {name}: {warning}");
        }
        if let Some(more) = self.warnings.len().checked_sub(MOST_WARNINGS).filter(|&n| n > 0) {
            eprintln!("warning: {name}: {more} more of these");
        }
        if let Some((time, error)) = &self.refusal {
            let unsolved = self.statistics.epochs - self.statistics.solved;
            let when = time.civil(TimeScale::Gpst);
            eprintln!("{name}: {unsolved} epochs without a position, the last at {when} GPST: {error}");
        }
    }
}

/// One file to be solved.
struct Job<'a> {
    args: &'a SolveArgs,
    nav: &'a NavData,
    bar: &'a ProgressBar,
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
        let mut engine = Engine::new(args, config, reader.header().approx_position);
        let mut solved = Solved {
            statistics: Statistics::of("", 0, &[]),
            points: Vec::new(),
            marks: Vec::new(),
            warnings: Vec::new(),
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
                Ok(solution) => {
                    sinks.solution(&solution, epoch)?;
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
                    solved.points.push(Point::of(&solution, args.truth.as_ref()));
                }
                Err(error) => solved.refusal = Some((epoch.time, error)),
            }
        }
        solved.warnings = reader.warnings().to_vec();
        solved.statistics = Statistics::of(&path.display().to_string(), epochs, &solved.points);
        sinks.finish()?;
        Ok(solved)
    }
}

/// Epoch by epoch, or filtered.
enum Engine {
    Epochs { config: SolverConfig, last: Option<Ecef> },
    Filter(Box<Filter>),
}

impl Engine {
    fn new(args: &SolveArgs, config: SolverConfig, near: Option<Ecef>) -> Self {
        match args.mode {
            SolveMode::Spp => Self::Epochs { config, last: near },
            SolveMode::Filter => Self::Filter(Box::new(Filter::new(config, args.dynamics.into()))),
        }
    }

    fn solve(&mut self, epoch: &ObservationEpoch, nav: &NavData) -> Result<Solution, SolveError> {
        match self {
            Self::Filter(filter) => filter.update(epoch, nav),
            Self::Epochs { config, last } => {
                let solution = solve(epoch, nav, config, *last)?;
                *last = Some(solution.position);
                Ok(solution)
            }
        }
    }
}

/// The files that a solved file leaves.
struct Sinks {
    tracks: Vec<Box<dyn SolutionSink>>,
    nmea: Option<NmeaWriter<BufWriter<File>>>,
}

impl Sinks {
    fn create(args: &SolveArgs, path: &Path) -> Result<Self, CliError> {
        let header = [
            ("program", format!("megrez {}", env!("CARGO_PKG_VERSION"))),
            ("inp file", path.display().to_string()),
        ];
        let mut tracks: Vec<Box<dyn SolutionSink>> = Vec::new();
        if let Some(pos) = &args.pos {
            let out: Box<dyn Write> = match pos.to_str() {
                Some("-") => Box::new(std::io::stdout()),
                _ => Box::new(File::create(pos).map_err(|error| CliError::file(pos, &error))?),
            };
            tracks.push(Box::new(PosWriter::new(BufWriter::new(out), &header).map_err(CliError::new)?));
        }
        let Some(dir) = &args.out else { return Ok(Self { tracks, nmea: None }) };
        let dir = match args.rovers.len() {
            1 => dir.clone(),
            _ => dir.join(path.file_name().unwrap_or_default()),
        };
        std::fs::create_dir_all(&dir).map_err(|error| CliError::file(&dir, &error))?;
        let create = |name: &str| {
            let path = dir.join(name);
            File::create(&path).map(BufWriter::new).map_err(|error| CliError::file(&path, &error))
        };
        tracks.push(Box::new(PosWriter::new(create("solution.pos")?, &header).map_err(CliError::new)?));
        tracks.push(Box::new(SolutionLog::new(create("solution.jsonl")?)));
        tracks.push(Box::new(GeoJsonWriter::new(create("track.geojson")?)));
        tracks.push(Box::new(KmlWriter::new(create("track.kml")?, "megrez")));
        tracks.push(Box::new(GpxWriter::new(create("track.gpx")?, "megrez")));
        let nmea = NmeaWriter::new(create("track.nmea")?, NmeaOptions::default());
        Ok(Self { tracks, nmea: Some(nmea) })
    }

    fn solution(&mut self, solution: &Solution, epoch: &ObservationEpoch) -> Result<(), CliError> {
        for track in &mut self.tracks {
            track.solution(solution).map_err(CliError::new)?;
        }
        let Some(nmea) = &mut self.nmea else { return Ok(()) };
        let epoch =
            NmeaEpoch { time: Some(solution.time), solution: Some(solution), observations: Some(epoch) };
        nmea.epoch(&epoch).map_err(CliError::new)
    }

    fn finish(mut self) -> Result<(), CliError> {
        for track in &mut self.tracks {
            track.finish().map_err(CliError::new)?;
        }
        self.nmea.map_or(Ok(()), |mut nmea| nmea.finish().map_err(CliError::new))
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
