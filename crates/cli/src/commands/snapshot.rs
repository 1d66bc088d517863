//! `megrez snapshot`: position from a few milliseconds.

use std::io::Write;
use std::path::{Path, PathBuf};

use megrez::acquire::Acquisition;
use megrez::dsp::StreamInfo;
use megrez::orbit::{NavData, TimeScale};
use megrez::pvt::{CodePhase, SolverConfig, solve_snapshot};
use serde_json::json;

use crate::args::SnapshotArgs;
use crate::commands::acquire::{Found, print, search};
use crate::error::CliError;
use crate::input::{Input, signals};
use crate::truth::error_enu;

/// Longest part of a recording that is used unless `--integrate` says more.
const DEFAULT_S: f64 = 0.1;

pub fn run(args: &SnapshotArgs) -> Result<bool, CliError> {
    let nav = read_nav(&args.nav)?;
    let mut input = Input::open(&args.input)?;
    let info = input.info().clone();
    let wanted = signals(&args.signals.signals, &info)?;
    let samples = input.collect(args.integrate.unwrap_or(DEFAULT_S))?;
    let found = search(&samples, &info, &wanted, &[], args.signals.oscillator, 1e-2)?;
    let rows: Vec<Found> = found.iter().map(|a| Found::of(a, &info)).collect();
    if !args.json {
        eprint!("{}", print(&rows));
    }
    let phases: Vec<CodePhase> = found.iter().map(|a| code_phase(a, &info)).collect();
    let solution = solve_snapshot(
        &phases,
        &nav,
        args.time + args.input.skip,
        args.time_error,
        args.near.map(|near| near.to_ecef()),
        &SolverConfig::default(),
    );
    let solution = match solution {
        Ok(solution) => solution,
        Err(error) => {
            return Err(CliError::new(format!("no position: {error}"))
                .hint("check --time and that --nav covers it; --near helps with few satellites"));
        }
    };
    let at = solution.geodetic();
    let error = args.truth.map(|truth| error_enu(solution.position, truth));
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut value = json!({
            "utc": solution.time.civil(TimeScale::Utc).to_string(),
            "lat_deg": at.lat_deg,
            "lon_deg": at.lon_deg,
            "height_m": at.height_m,
            "horizontal_sigma_m": solution.horizontal_sigma_m(),
            "sats_used": solution.sats.iter().filter(|s| s.used).map(|s| s.sat.to_string()).collect::<Vec<_>>(),
            "satellites": rows,
        });
        if let Some(e) = error {
            value["error_m"] = json!({ "east": e.e, "north": e.n, "up": e.u, "horizontal": e.e.hypot(e.n) });
        }
        serde_json::to_writer_pretty(&mut out, &value)?;
        writeln!(out)?;
    } else {
        writeln!(out, "UTC       {}", solution.time.civil(TimeScale::Utc))?;
        writeln!(out, "position  {:.6} {:.6}  height {:.1} m", at.lat_deg, at.lon_deg, at.height_m)?;
        writeln!(
            out,
            "from      {} satellites, standard deviation {:.0} m horizontally",
            solution.sats_used(),
            solution.horizontal_sigma_m()
        )?;
        if let Some(e) = error {
            writeln!(out, "error     {:.1} m horizontally, {:+.1} m in height", e.e.hypot(e.n), e.u)?;
        }
    }
    Ok(true)
}

/// Code time of a signal at the first sample.
fn code_phase(a: &Acquisition, info: &StreamInfo) -> CodePhase {
    let period_s = a.signal.def().code_period_s();
    CodePhase {
        sat: a.sat,
        signal: a.signal,
        code_delay_s: (-a.code_start_s(info)).rem_euclid(period_s),
        doppler_hz: Some(a.doppler_hz),
        cn0_dbhz: a.cn0_dbhz,
    }
}

/// Reads navigation files, RINEX or UBX by their content.
pub fn read_nav(paths: &[PathBuf]) -> Result<NavData, CliError> {
    let mut nav = NavData::default();
    for path in paths {
        nav.merge(read_nav_file(path)?);
    }
    Ok(nav)
}

fn read_nav_file(path: &Path) -> Result<NavData, CliError> {
    let bytes = std::fs::read(path).map_err(|error| CliError::file(path, &error))?;
    if bytes.windows(2).take(4096).any(|pair| pair == [0xB5, 0x62]) && !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(megrez::nav::ubx::nav_data_from_ubx(&bytes));
    }
    let file = megrez_rinex::read_nav_from(bytes.as_slice()).map_err(|error| {
        CliError::new(format!("{}: {error}", path.display()))
            .hint("a RINEX navigation file (3.0x or 4, also .gz) or a UBX log is needed")
    })?;
    for warning in file.warnings.iter().take(5) {
        eprintln!("warning: {}: {warning}", path.display());
    }
    if file.warnings.len() > 5 {
        eprintln!("warning: {}: {} more of these", path.display(), file.warnings.len() - 5);
    }
    if file.nav.sats().next().is_none() {
        return Err(CliError::new(format!("{}: no BeiDou or GPS ephemeris in it", path.display())));
    }
    Ok(file.nav)
}
