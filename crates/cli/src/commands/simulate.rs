//! `megrez simulate`: a recording with its truth.

use std::io::Write;
use std::path::{Path, PathBuf};

use megrez::dsp::SampleFormat;
use megrez_sim::{Receiver as Motion, Scene, Simulation};

use crate::args::SimulateArgs;
use crate::commands::run::write_file;
use crate::error::CliError;
use crate::progress;

pub fn run(args: &SimulateArgs) -> Result<bool, CliError> {
    let scene = scene(args)?;
    let simulations = Simulation::streams(&scene)?;
    if args.output == Path::new("-") {
        let [simulation] = simulations.as_slice() else {
            return Err(
                CliError::new("several streams cannot go to standard output").hint("name a file with -o")
            );
        };
        let mut out = std::io::stdout().lock();
        write(simulation, &mut out)?;
        out.flush()?;
        return Ok(true);
    }
    for (place, simulation) in (1..).zip(&simulations) {
        let path = if scene.streams.is_empty() { args.output.clone() } else { numbered(&args.output, place) };
        make(simulation, &path)?;
    }
    Ok(true)
}

/// Writes the samples, with warnings and progress on standard error.
fn write(simulation: &Simulation, out: &mut dyn Write) -> Result<(), CliError> {
    for warning in simulation.warnings() {
        eprintln!("warning: {warning}");
    }
    let bar = progress::bar(Some(1000), false);
    let outcome = simulation.write(out, |share| bar.set_position((share * 1000.0) as u64));
    bar.finish_and_clear();
    Ok(outcome?)
}

/// Writes a recording with its metadata and truth.
fn make(simulation: &Simulation, path: &Path) -> Result<(), CliError> {
    write_file(path, |out| write(simulation, out))?;
    let meta = beside(path, "sigmf-meta");
    write_file(&meta, |out| Ok(out.write_all(simulation.sigmf_meta().as_bytes())?))?;
    let truth = beside(path, "truth.jsonl");
    write_file(&truth, |out| Ok(simulation.write_truth(out)?))?;
    let info = simulation.info();
    eprintln!(
        "wrote {}: {:.1} s at {} Msps around {:.6} MHz, {} signals; {} and {} beside it",
        path.display(),
        simulation.scene().duration_s,
        info.sample_rate_hz / 1e6,
        info.center_hz / 1e6,
        simulation.signals().count(),
        meta.display(),
        truth.display()
    );
    Ok(())
}

/// `path` with the number of a stream behind its name.
fn numbered(path: &Path, place: usize) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{place}{extension}"))
}

/// `path` with another extension in place of its own.
fn beside(path: &Path, extension: &str) -> PathBuf {
    path.with_extension(extension)
}

/// The scene file with the flags laid over it.
fn scene(args: &SimulateArgs) -> Result<Scene, CliError> {
    let mut scene = match &args.scene {
        Some(path) => Scene::load(path)?,
        None => Scene::default(),
    };
    if let Some(at) = args.at {
        scene.receiver = Motion::Static { lat_deg: at.lat_deg, lon_deg: at.lon_deg, height_m: at.height_m };
    }
    scene.start = args.start.unwrap_or(scene.start);
    scene.duration_s = args.duration.unwrap_or(scene.duration_s);
    scene.seed = args.seed.unwrap_or(scene.seed);
    if !args.signals.is_empty() {
        scene.signals.clone_from(&args.signals);
    }
    let front_end = &mut scene.front_end;
    front_end.sample_rate_hz = args.rate.or(front_end.sample_rate_hz);
    front_end.center_hz = args.center.or(front_end.center_hz);
    let extension = args.output.extension().and_then(|e| e.to_str()).and_then(SampleFormat::from_extension);
    if let Some(format) = args.format.or(extension) {
        front_end.format = format;
        scene.streams.iter_mut().for_each(|stream| stream.format = format);
    }
    if !scene.streams.is_empty() && (args.rate.is_some() || args.center.is_some()) {
        return Err(CliError::new("--rate and --center are those of one stream, and the scene has several"));
    }
    if args.nav.is_some() {
        scene.satellites.navigation.clone_from(&args.nav);
    }
    if let Some(cn0) = args.cn0 {
        scene.cn0 = megrez_sim::Cn0 { constant_dbhz: cn0, ..megrez_sim::Cn0::default() };
    }
    scene.clock.drift_ppm = args.oscillator_ppm.unwrap_or(scene.clock.drift_ppm);
    scene.check()?;
    Ok(scene)
}
