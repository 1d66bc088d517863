//! `megrez acquire`: one search.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use megrez::acquire::{Acquisition, SearchPlan, Searcher};
use megrez::orbit::TimeScale;
use megrez::prelude::*;
use megrez::{Observer, Prediction, assisted_windows_hz, doppler_window_hz, search_assisted, search_outward};
use serde::Serialize;

use crate::args::{AcquireArgs, Plan};
use crate::commands::snapshot::read_nav;
use crate::error::CliError;
use crate::input::{Input, signals};
use crate::table::table;

/// Longest part of a recording that is searched unless `--integrate` says more.
const DEFAULT_S: f64 = 0.1;
/// The same for weak satellites: a second, and what Doppler and the last code period add.
const WEAK_S: f64 = 1.012;
/// How far in radians below the horizon a satellite may be heard, by refraction and from a height: about 1°.
const BELOW_HORIZON: f64 = 0.02;
/// Radius of the Earth in m, over which an error of the position turns the horizon.
const EARTH_M: f64 = 6.37e6;
/// What a satellite's elevation changes by in a second, at most, in radians.
const RISE_RAD_S: f64 = 2.5e-4;
/// Speed of a receiver, at most, in m/s.
const SPEED_M_S: f64 = 100.0;

/// What to expect of each satellite of a navigation file.
pub type Predictions = BTreeMap<Sat, Option<Prediction>>;

/// One satellite found, as printed.
#[derive(Serialize)]
pub struct Found {
    pub sat: String,
    pub signal: String,
    pub doppler_hz: f64,
    pub code_phase_chips: f64,
    /// Time from the first sample to the first start of a code period.
    pub code_start_s: f64,
    pub cn0_dbhz: f64,
    pub peak_to_mean: f64,
}

impl Found {
    pub fn of(a: &Acquisition, info: &StreamInfo) -> Self {
        Self {
            sat: a.sat.to_string(),
            signal: a.signal.def().group.to_string(),
            doppler_hz: round(a.doppler_hz, 1),
            code_phase_chips: round(a.code_phase_chips, 3),
            code_start_s: round(a.code_start_s(info), 9),
            cn0_dbhz: round(a.cn0_dbhz, 1),
            peak_to_mean: round(a.peak_to_mean, 1),
        }
    }
}

/// Digits that mean nothing are not printed.
fn round(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}

pub fn run(args: &AcquireArgs) -> Result<bool, CliError> {
    let mut input = Input::open(&args.input)?;
    let streams = input.streams().to_vec();
    let wanted = signals(&args.signals.signals, &streams)?;
    let default_s = if args.plan == Plan::Weak { WEAK_S } else { DEFAULT_S };
    let samples = input.collect(args.integrate.unwrap_or(default_s))?;
    let predictions = predictions(args)?;
    let request = Request {
        sats: &args.sats,
        oscillator_ppm: args.signals.oscillator,
        false_alarm: args.false_alarm / wanted.len() as f64,
        plan: args.plan,
        predictions: predictions.as_ref(),
    };
    let mut rows = Vec::new();
    for (index, (samples, stream)) in samples.iter().zip(&streams).enumerate() {
        let here: Vec<SignalId> = wanted.iter().filter(|w| w.0 == index).map(|w| w.1).collect();
        if !here.is_empty() {
            let found = search(samples, &stream.info, &here, &request)?;
            rows.extend(found.iter().map(|a| Found::of(a, &stream.info)));
        }
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", print(&rows))?;
        let span =
            samples.iter().zip(&streams).map(|(s, stream)| s.len() as f64 / stream.info.sample_rate_hz);
        let sats: BTreeSet<&String> = rows.iter().map(|row| &row.sat).collect();
        eprintln!("{} satellites in {:.0} ms", sats.len(), span.fold(0.0, f64::max) * 1e3);
    }
    Ok(!rows.is_empty())
}

/// The satellites as a table.
pub fn print(rows: &[Found]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|f| {
            vec![
                f.sat.clone(),
                f.signal.clone(),
                format!("{:.0}", f.doppler_hz),
                format!("{:.2}", f.code_phase_chips),
                format!("{:.6}", f.code_start_s * 1e3),
                format!("{:.1}", f.cn0_dbhz),
                format!("{:.0}", f.peak_to_mean),
            ]
        })
        .collect();
    table(
        &["sat", "signal", "Doppler Hz", "code phase chips", "code start ms", "C/N0 dB-Hz", "peak/mean"],
        &cells,
    )
}

/// What is above the horizon, and at which Doppler; none without a navigation file.
fn predictions(args: &AcquireArgs) -> Result<Option<Predictions>, CliError> {
    let (Some(near), Some(time)) = (args.near, args.time) else { return Ok(None) };
    let start = time + args.input.skip;
    let observer = Observer {
        position: near.to_ecef(),
        velocity: Ecef::default(),
        position_error_m: args.near_error,
        speed_error_m_s: SPEED_M_S,
        time_error_s: args.time_error,
        lowest_rad: -(BELOW_HORIZON + args.near_error / EARTH_M + args.time_error * RISE_RAD_S),
    };
    let predictions = observer.predict(&read_nav(&args.nav)?, start);
    let up = predictions.values().flatten().count();
    if up == 0 {
        return Err(CliError::new(format!(
            "no satellite of the navigation data is usable at {}",
            start.civil(TimeScale::Utc)
        ))
        .hint("check --time, --near, and that --nav covers them"));
    }
    if !args.json {
        eprintln!("{up} satellites of {} are above the horizon", predictions.len());
    }
    Ok(Some(predictions))
}

/// What to search for.
pub struct Request<'a> {
    /// Satellites; all if empty.
    pub sats: &'a [Sat],
    /// Error of the oscillator at most.
    pub oscillator_ppm: f64,
    /// Probability of a false satellite for each signal.
    pub false_alarm: f64,
    pub plan: Plan,
    /// Restricts the search to what can be heard.
    pub predictions: Option<&'a Predictions>,
}

/// Searches for `signals` near the nominal frequency, then over the oscillator's possible error.
pub fn search(
    samples: &Samples,
    info: &StreamInfo,
    signals: &[SignalId],
    request: &Request<'_>,
) -> Result<Vec<Acquisition>, CliError> {
    let available_s = samples.len() as f64 / info.sample_rate_hz;
    let mut plans = Vec::new();
    for &signal in signals {
        let mut plan = match request.plan {
            Plan::Auto => SearchPlan::for_available(signal, available_s, 0.0),
            Plan::Weak => SearchPlan::weak(signal, 0.0),
        };
        plan.false_alarm = request.false_alarm;
        if !request.sats.is_empty() {
            let constellation = signal.def().constellation;
            plan.prns.retain(|&prn| request.sats.contains(&Sat { constellation, prn }));
        }
        if !plan.prns.is_empty() {
            plans.push(plan);
        }
    }
    let mut searcher = Searcher::new(info);
    let mut failure = None;
    let around = |offset: f64| {
        let mut found = Vec::new();
        for plan in &plans {
            let mut plan = plan.clone();
            plan.doppler_hz = doppler_window_hz(plan.signal, offset);
            if let Some(predictions) = request.predictions {
                plan.restrict(assisted_windows_hz(plan.signal, predictions, offset));
            }
            match searcher.search(samples, 0, &plan) {
                Ok(some) => found.extend(some),
                Err(error) => failure = Some(error),
            }
        }
        found
    };
    let oscillator_error = request.oscillator_ppm * 1e-6;
    let mut found = match request.predictions {
        Some(predictions) => search_assisted(oscillator_error, predictions, around),
        None => search_outward(oscillator_error, around),
    };
    if let Some(error) = failure.filter(|_| found.is_empty()) {
        return Err(CliError::new(error));
    }
    found.sort_by_key(|a| (a.signal, a.sat));
    Ok(found)
}
