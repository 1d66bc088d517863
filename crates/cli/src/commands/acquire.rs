//! `megrez acquire`: one search.

use std::io::Write;

use megrez::acquire::{Acquisition, SearchPlan, Searcher};
use megrez::prelude::*;
use megrez::{doppler_window_hz, search_outward};
use serde::Serialize;

use crate::args::AcquireArgs;
use crate::error::CliError;
use crate::input::{Input, signals};
use crate::table::table;

/// Longest part of a recording that is searched unless `--integrate` says more.
const DEFAULT_S: f64 = 0.1;

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
    let info = input.info().clone();
    let wanted = signals(&args.signals.signals, &info)?;
    let samples = input.collect(args.integrate.unwrap_or(DEFAULT_S))?;
    let found = search(
        &samples,
        &info,
        &wanted,
        &args.sats,
        args.signals.oscillator,
        args.false_alarm / wanted.len() as f64,
    )?;
    let mut out = std::io::stdout().lock();
    let rows: Vec<Found> = found.iter().map(|a| Found::of(a, &info)).collect();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", print(&rows))?;
        eprintln!("{} satellites in {:.0} ms", rows.len(), samples.len() as f64 / info.sample_rate_hz * 1e3);
    }
    Ok(!found.is_empty())
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

/// Searches near the nominal frequency, then over the oscillator's possible error.
pub fn search(
    samples: &Samples,
    info: &StreamInfo,
    signals: &[SignalId],
    sats: &[Sat],
    oscillator_ppm: f64,
    false_alarm: f64,
) -> Result<Vec<Acquisition>, CliError> {
    let available_s = samples.len() as f64 / info.sample_rate_hz;
    let mut plans = Vec::new();
    for &signal in signals {
        let mut plan = SearchPlan::for_available(signal, available_s, 0.0);
        plan.false_alarm = false_alarm;
        if !sats.is_empty() {
            let constellation = signal.def().constellation;
            plan.prns.retain(|&prn| sats.contains(&Sat { constellation, prn }));
        }
        if !plan.prns.is_empty() {
            plans.push(plan);
        }
    }
    let mut searcher = Searcher::new(info);
    let mut failure = None;
    let mut found = search_outward(oscillator_ppm * 1e-6, |offset| {
        let mut found = Vec::new();
        for plan in &mut plans {
            plan.doppler_hz = doppler_window_hz(plan.signal, offset);
            match searcher.search(samples, 0, plan) {
                Ok(some) => found.extend(some),
                Err(error) => failure = Some(error),
            }
        }
        found
    });
    if let Some(error) = failure.filter(|_| found.is_empty()) {
        return Err(CliError::new(error));
    }
    found.sort_by_key(|a| (a.signal, a.sat));
    Ok(found)
}
