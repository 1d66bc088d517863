//! `megrez snapshot`: position from a few milliseconds.

use std::io::Write;
use std::path::{Path, PathBuf};

use megrez::acquire::Acquisition;
use megrez::dsp::{Stream, StreamInfo};
use megrez::orbit::{Ecef, GnssTime, NavData, TimeScale, look_angles};
use megrez::pvt::{CodePhase, SolverConfig, solve_snapshot};
use megrez::signal::{Sat, SignalId};
use serde_json::json;

use crate::args::{Plan, SnapshotArgs};
use crate::commands::acquire::{Found, Request, print, search};
use crate::error::CliError;
use crate::input::{Input, signals};
use crate::truth::error_enu;

/// Longest part of a recording that a search uses.
const DEFAULT_S: f64 = 0.1;
/// Probability of a false satellite in the search; the solver leaves such out.
const FALSE_ALARM: f64 = 1e-2;
/// Elevation in degrees below which a satellite is not looked for: `--near` may be off by 100 km and more.
const HORIZON_DEG: f64 = -3.0;
/// Distance in Hz of a carrier from a fold of the spectrum within which Dopplers may cross it.
const FOLD_HZ: f64 = 100e3;

pub fn run(args: &SnapshotArgs) -> Result<bool, CliError> {
    let nav = read_nav(&args.nav)?;
    let mut input = Input::open(&args.input)?;
    let streams = input.streams().to_vec();
    let wanted = signals(&args.signals.signals, &streams)?;
    let samples = input.collect(args.integrate.unwrap_or(DEFAULT_S))?;
    let start = args.time + args.input.skip;
    let near = args.near.map(|near| near.to_ecef());
    let sats = candidates(&nav, start, near);
    if sats.is_empty() {
        return Err(CliError::new(format!(
            "no satellite of the navigation data is usable at {}",
            start.civil(TimeScale::Utc)
        ))
        .hint("check --time, --near, and that --nav covers them"));
    }
    let request = Request {
        sats: &sats,
        oscillator_ppm: args.signals.oscillator,
        false_alarm: FALSE_ALARM,
        plan: Plan::Auto,
        predictions: None,
    };
    let span_s = samples.iter().zip(&streams).map(|(s, stream)| s.len() as f64 / stream.info.sample_rate_hz);
    let middle_s = 0.5 * span_s.fold(DEFAULT_S, f64::min);
    let (mut rows, mut phases, mut folded) = (Vec::new(), Vec::new(), false);
    for (index, (samples, Stream { info, .. })) in samples.iter().zip(&streams).enumerate() {
        let here: Vec<SignalId> = wanted.iter().filter(|w| w.0 == index).map(|w| w.1).collect();
        if here.is_empty() {
            continue;
        }
        let found = search(samples, info, &here, &request)?;
        rows.extend(found.iter().map(|a| Found::of(a, info)));
        phases.extend(found.iter().map(|a| code_phase(a, info, middle_s)));
        folded |= here.iter().any(|&s| is_folded(s, info));
    }
    if !args.json {
        eprint!("{}", print(&rows));
    }
    let config = SolverConfig::default();
    let solution = solve_snapshot(&phases, &nav, start + middle_s, args.time_error, near, &config);
    let solution = match solution {
        Ok(solution) => solution,
        Err(error) => {
            let hint = if near.is_none() && folded {
                "real samples with the carrier at 0 Hz do not tell the signs of Dopplers: give --near"
            } else {
                "check --time and that --nav covers it; --near helps with few satellites"
            };
            eprintln!("no position: {error}\nhint: {hint}");
            return Ok(false);
        }
    };
    let at = solution.geodetic();
    let utc = (solution.time - middle_s).civil(TimeScale::Utc);
    let error = args.truth.map(|truth| error_enu(solution.position, truth));
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut value = json!({
            "utc": utc.to_string(),
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
        writeln!(out, "UTC       {utc}")?;
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

/// Satellites worth a search: those with an ephemeris, above the horizon of `near` if that is known.
pub fn candidates(nav: &NavData, time: GnssTime, near: Option<Ecef>) -> Vec<Sat> {
    let risen = |sat: &Sat| {
        let Some(ephemeris) = nav.ephemeris(*sat, time) else { return false };
        near.is_none_or(|near| {
            look_angles(near, ephemeris.state(time).position).elevation_deg() > HORIZON_DEG
        })
    };
    nav.sats().filter(risen).collect()
}

/// Whether positive and negative Dopplers of `signal` look the same: real samples with the carrier at 0 Hz or
/// at half the sampling rate.
fn is_folded(signal: SignalId, info: &StreamInfo) -> bool {
    let offset_hz = (signal.def().carrier_hz - info.center_hz).abs();
    !info.complex && offset_hz.min((offset_hz - info.sample_rate_hz / 2.0).abs()) < FOLD_HZ
}

/// Code time of a signal at `middle_s`, the middle of the samples searched: there an error of the Doppler,
/// whose sign may be wrong, makes no difference.
fn code_phase(a: &Acquisition, info: &StreamInfo, middle_s: f64) -> CodePhase {
    let def = a.signal.def();
    let chip_rate_hz = def.chip_rate_hz * (1.0 + a.doppler_hz / def.carrier_hz);
    let elapsed_s = middle_s - a.sample as f64 / info.sample_rate_hz;
    let chips = (a.code_phase_chips + elapsed_s * chip_rate_hz).rem_euclid(def.code_length as f64);
    CodePhase {
        sat: a.sat,
        signal: a.signal,
        code_delay_s: chips / def.chip_rate_hz,
        doppler_hz: (!is_folded(a.signal, info)).then_some(a.doppler_hz),
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
