//! `megrez bench`: what this machine can do, in one table.

mod channels;
mod kernels;
mod stages;
mod timing;

use std::io::Write;

use megrez::dsp::Level;
use serde::Serialize;

use crate::args::BenchArgs;
use crate::error::CliError;
use timing::Timer;

/// Everything measured in one run.
#[derive(Serialize)]
struct Report {
    machine: String,
    cores: usize,
    level: String,
    version: &'static str,
    kernels: Vec<kernels::Row>,
    channels: Vec<channels::Row>,
    stages: Vec<stages::Row>,
}

pub fn run(args: &BenchArgs) -> Result<bool, CliError> {
    let level = Level::detect().map_err(CliError::new)?;
    // One thread, so that every figure is that of one core.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .map_err(|e| CliError::new(format!("cannot start a thread: {e}")))?;
    let timer = Timer::new(args.seconds);
    let say = |what: &str| {
        if !args.quiet {
            eprintln!("measuring {what}");
        }
    };
    let report = pool.install(|| {
        say("correlators");
        let kernels = kernels::measure(&timer);
        say("channels");
        let channels = channels::measure(level)?;
        say("the other stages");
        let stages = stages::measure(&timer, level)?;
        Ok::<_, CliError>(Report {
            machine: machine(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            level: level.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            kernels,
            channels,
            stages,
        })
    })?;
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(CliError::new)?;
        writeln!(out)?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(true)
}

fn print(out: &mut impl Write, report: &Report) -> Result<(), CliError> {
    let Report { machine, cores, level, version, .. } = report;
    writeln!(out, "megrez {version} on {machine}, {cores} cores, {level}; one core measured\n")?;
    writeln!(out, "Correlators: early, prompt and late over 1 ms; G = 10⁹ channel-samples a second")?;
    writeln!(out, "{}", kernels::table(&report.kernels))?;
    writeln!(out, "Channels in real time on one core: IF removal, correlation and loops")?;
    writeln!(out, "{}", channels::table(&report.channels))?;
    writeln!(out, "Stages")?;
    write!(out, "{}", stages::table(&report.stages))?;
    Ok(())
}

/// Name of the processor.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    name.map_or_else(|| std::env::consts::ARCH.to_string(), |name| name.trim().to_string())
}
