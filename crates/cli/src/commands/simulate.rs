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
    let simulation = Simulation::new(scene)?;
    for warning in simulation.warnings() {
        eprintln!("warning: {warning}");
    }
    let bar = progress::bar(Some(1000), false);
    let progress = |share: f64| bar.set_position((share * 1000.0) as u64);
    if args.output == Path::new("-") {
        let mut out = std::io::stdout().lock();
        simulation.write(&mut out, progress)?;
        out.flush()?;
        bar.finish_and_clear();
        return Ok(true);
    }
    let path = &args.output;
    write_file(path, |out| Ok(simulation.write(out, progress)?))?;
    bar.finish_and_clear();
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
    Ok(true)
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
    front_end.format = args.format.or(extension).unwrap_or(front_end.format);
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
