//! `megrez info`: what is in a file of samples.

mod draw;
mod guess;

use std::io::Write;

use megrez::dsp::{LevelStats, spectrum};
use megrez::prelude::*;
use serde_json::json;

use crate::args::{InfoArgs, Plan};
use crate::commands::acquire::{Found, Request, print, search};
use crate::error::CliError;
use crate::input::{Input, signals};

/// Part of the recording that is looked at.
const LOOK_S: f64 = 0.1;
const BINS: usize = 1024;

pub fn run(args: &InfoArgs) -> Result<bool, CliError> {
    let mut out = std::io::stdout().lock();
    let mut input = match Input::open(&args.input) {
        Ok(input) => input,
        Err(error) => return guess::report(&args.input, error, args.json, &mut out),
    };
    let info = input.only_stream()?.clone();
    let streams = input.streams().to_vec();
    let expected = input.expected();
    let samples = input.collect(LOOK_S)?.into_iter().next().unwrap_or_else(|| Samples::new(info.complex));
    let mut levels = LevelStats::default();
    let block = SampleBlock { first_sample: 0, samples };
    levels.add(&block);
    let density = spectrum(&block.samples, &info, BINS);
    let found = match signals(&args.signals.signals, &streams) {
        Ok(wanted) if !args.no_satellites => {
            let wanted: Vec<SignalId> = wanted.into_iter().map(|(_, signal)| signal).collect();
            let request = Request {
                sats: &[],
                oscillator_ppm: args.signals.oscillator,
                false_alarm: 1e-3,
                plan: Plan::Auto,
                predictions: None,
            };
            search(&block.samples, &info, &wanted, &request)?
        }
        Ok(_) => Vec::new(),
        Err(error) => {
            eprintln!("warning: {}", error.message);
            Vec::new()
        }
    };
    let rows: Vec<Found> = found.iter().map(|a| Found::of(a, &info)).collect();
    let duration_s = expected.map(|n| n as f64 / info.sample_rate_hz);
    if let Some(path) = &args.plot {
        draw::plot(path, &info, &density, &levels)?;
        eprintln!("wrote {}", path.display());
    }
    if args.json {
        let value = json!({
            "sample_rate_hz": info.sample_rate_hz,
            "center_hz": info.center_hz,
            "complex": info.complex,
            "duration_s": duration_s,
            "rms": levels.rms(),
            "mean_i": levels.mean_i(),
            "mean_q": levels.mean_q(),
            "clipped": levels.clipped(),
            "spectrum_db": density,
            "satellites": rows,
        });
        serde_json::to_writer_pretty(&mut out, &value)?;
        writeln!(out)?;
        return Ok(true);
    }
    let kind = if info.complex { "complex" } else { "real" };
    writeln!(
        out,
        "samples    {kind}, {} Msps around {:.6} MHz",
        info.sample_rate_hz / 1e6,
        info.center_hz / 1e6
    )?;
    if let Some(s) = duration_s {
        writeln!(out, "duration   {s:.3} s")?;
    }
    writeln!(
        out,
        "level      rms {:.2} of 128, mean {:+.2} {:+.2}, {:.2} % at full scale",
        levels.rms(),
        levels.mean_i(),
        levels.mean_q(),
        levels.clipped() * 100.0
    )?;
    writeln!(out, "\nspectrum, dB")?;
    write!(out, "{}", draw::spectrum_text(&info, &density))?;
    writeln!(out, "\nhistogram")?;
    write!(out, "{}", draw::histogram_text(&levels))?;
    if !args.no_satellites {
        writeln!(
            out,
            "\nsatellites in the first {:.0} ms",
            block.samples.len() as f64 / info.sample_rate_hz * 1e3
        )?;
        if rows.is_empty() {
            writeln!(out, "none found")?;
        }
        write!(out, "{}", print(&rows))?;
    }
    Ok(true)
}
