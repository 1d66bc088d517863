//! `megrez monitor`: a baseline by session, and whether it has changed.

mod picture;

use std::io::Write;
use std::path::Path;

use megrez::orbit::{Enu, TimeScale};
use megrez::prelude::*;
use megrez::pvt::monitor::{
    Displacement, Monitor, MonitorConfig, Noise, Session, Significance, displacement, noise, repeat_filter,
};
use megrez::pvt::rtk::{RtkConfig, RtkMode};
use megrez_rinex::ObsEpoch;
use serde_json::{Value, json};

use crate::args::MonitorArgs;
use crate::commands::run::write_file;
use crate::commands::snapshot::read_nav;
use crate::commands::solve::{Base, warn};
use crate::error::CliError;
use crate::progress;
use crate::table::table;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No session.
    Nothing,
    /// A point at rest.
    Still,
    /// A displacement.
    Moved,
}

/// Sessions and what was found in them.
struct Series {
    sessions: Vec<Session>,
    noise: Noise,
    found: Option<Displacement>,
    epochs: usize,
    positioned: usize,
    refusal: Option<String>,
}

pub fn run(args: &MonitorArgs) -> Result<Outcome, CliError> {
    if let Some(path) =
        args.plot.as_deref().filter(|p| !p.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg")))
    {
        return Err(CliError::new(format!("{}: --plot needs a name ending in .svg", path.display())));
    }
    let nav = read_nav(&args.nav)?;
    let base = Base::read(&args.base, args.base_position)?;
    if !args.quiet {
        base.doubt(&nav);
    }
    let series = observe(args, &nav, &base)?;
    if let Some(why) = series.refusal.as_ref().filter(|_| !args.quiet) {
        eprintln!("{} of {} epochs with a position; {why}", series.positioned, series.epochs);
    }
    if let Some(dir) = &args.out {
        write(dir, &series)?;
    }
    if let Some(path) = args.plot.as_deref().filter(|_| !series.sessions.is_empty()) {
        picture::write(path, &series.sessions, series.found.as_ref())?;
    }
    report(args, &series)?;
    Ok(match (series.sessions.is_empty(), &series.found) {
        (true, _) => Outcome::Nothing,
        (false, None) => Outcome::Still,
        (false, Some(_)) => Outcome::Moved,
    })
}

/// Positions every epoch and gathers the sessions.
fn observe(args: &MonitorArgs, nav: &NavData, base: &Base) -> Result<Series, CliError> {
    let mut rtk = RtkConfig::default();
    rtk.mode = if args.moving { RtkMode::Kinematic } else { RtkMode::Static };
    rtk.base = Some(base.position);
    rtk.bands = RtkConfig::bands_of(args.frequencies.into());
    rtk.elevation_mask_deg = args.elevation_mask;
    if !args.systems.is_empty() {
        rtk = rtk.only(&args.systems);
    }
    let max_age_s = rtk.max_age_s;
    let mut monitor = Monitor::new(MonitorConfig { rtk, session_s: args.session });
    let mut sessions = Vec::new();
    let (mut epochs, mut positioned, mut refusal) = (0, 0, None);
    let mut record = ObsEpoch::default();
    let bar = progress::bar(None, args.quiet);
    for path in &args.rovers {
        let wrong = |error| CliError::new(format!("{}: {error}", path.display()));
        let mut reader = megrez_rinex::read_obs(path).map_err(wrong)?;
        while reader.read(&mut record) {
            let time = record.epoch.time;
            let early = args.start.is_some_and(|start| time < start);
            if early || args.end.is_some_and(|end| time > end) {
                continue;
            }
            epochs += 1;
            bar.set_position(epochs as u64);
            match monitor.push(&record.epoch, base.near(time, max_age_s), nav) {
                Ok(ended) => {
                    positioned += 1;
                    sessions.extend(ended);
                }
                Err(error) => refusal = Some(error.to_string()),
            }
        }
        warn(path, reader.warnings(), reader.warning_count());
    }
    sessions.extend(monitor.finish());
    bar.finish_and_clear();
    // Files may be named in any order.
    sessions.sort_by(|a, b| (a.time - b.time).total_cmp(&0.0));
    let whole = sessions.len();
    if let Some(period_s) = args.repeat {
        sessions = repeat_filter(&sessions, period_s, args.session);
        if sessions.is_empty() && whole > 0 {
            refusal = Some(format!("none of {whole} sessions has one {period_s} s before it (--repeat)"));
        }
    }
    let test = Significance { confidence: args.confidence, ..Significance::default() };
    let found = displacement(&sessions, test);
    let noise = found.map_or_else(|| noise(&sessions), |found| found.noise);
    Ok(Series { sessions, noise, found, epochs, positioned, refusal })
}

fn millimetres(v: Enu) -> [f64; 3] {
    [v.e, v.n, v.u].map(|x| (x * 1e6).round() / 1e3)
}

fn utc(time: GnssTime) -> String {
    format!("{}Z", time.civil(TimeScale::Utc))
}

fn session_json(s: &Session) -> Value {
    let b = s.baseline;
    json!({
        "time_utc": utc(s.time),
        "east_m": b.e,
        "north_m": b.n,
        "up_m": b.u,
        "epochs": s.epochs,
        "fixed": s.fixed,
    })
}

/// The outcome, without the sessions.
fn outcome_json(series: &Series) -> Value {
    let noise = series.noise;
    json!({
        "sessions": series.sessions.len(),
        "epochs": series.epochs,
        "epochs_positioned": series.positioned,
        "noise_enu_mm": millimetres(noise.sigma),
        "correlation_enu": [noise.correlation.e, noise.correlation.n, noise.correlation.u],
        "displacement": series.found.map(|d| json!({
            "time_utc": utc(d.time),
            "change_enu_mm": millimetres(d.change),
            "sigma_enu_mm": millimetres(d.sigma),
            "significance": (d.significance * 1000.0).round() / 1000.0,
        })),
    })
}

fn write(dir: &Path, series: &Series) -> Result<(), CliError> {
    std::fs::create_dir_all(dir).map_err(|error| CliError::file(dir, &error))?;
    write_file(&dir.join("sessions.csv"), |out| {
        writeln!(out, "time_utc,east_m,north_m,up_m,epochs,fixed")?;
        for s in &series.sessions {
            let b = s.baseline;
            let (time, epochs, fixed) = (utc(s.time), s.epochs, s.fixed);
            writeln!(out, "{time},{:.5},{:.5},{:.5},{epochs},{fixed}", b.e, b.n, b.u)?;
        }
        Ok(())
    })?;
    write_file(&dir.join("sessions.jsonl"), |out| {
        for s in &series.sessions {
            writeln!(out, "{}", session_json(s))?;
        }
        Ok(())
    })?;
    write_file(&dir.join("monitor.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, &outcome_json(series))?;
        Ok(writeln!(out)?)
    })
}

fn report(args: &MonitorArgs, series: &Series) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut value = outcome_json(series);
        value["series"] = series.sessions.iter().map(session_json).collect();
        serde_json::to_writer_pretty(&mut out, &value)?;
        return Ok(writeln!(out)?);
    }
    let rows: Vec<Vec<String>> = series
        .sessions
        .iter()
        .map(|s| {
            let b = s.baseline;
            let mut row = vec![s.time.civil(TimeScale::Utc).to_string()];
            row.extend([b.e, b.n, b.u].map(|x| format!("{x:.4}")));
            row.extend([s.epochs, s.fixed].map(|n| n.to_string()));
            row
        })
        .collect();
    write!(out, "{}", table(&["UTC", "east m", "north m", "up m", "epochs", "fixed"], &rows))?;
    if series.sessions.is_empty() {
        writeln!(out, "no session")?;
        return Ok(());
    }
    if series.sessions.len() < 2 {
        writeln!(out, "one session says nothing of its noise")?;
        return Ok(());
    }
    let [e, n, u] = millimetres(series.noise.sigma);
    writeln!(out, "\nnoise         {e:.2} mm east, {n:.2} mm north, {u:.2} mm up from session to session")?;
    match &series.found {
        None => writeln!(out, "displacement  none at a confidence of {}", args.confidence)?,
        Some(d) => {
            let ([e, n, u], [se, sn, su]) = (millimetres(d.change), millimetres(d.sigma));
            writeln!(
                out,
                "DISPLACEMENT  {} UTC: {e:+.1} ± {se:.1} mm east, {n:+.1} ± {sn:.1} mm north, {u:+.1} ± {su:.1} mm up",
                d.time.civil(TimeScale::Utc)
            )?;
        }
    }
    Ok(())
}
