//! Spectrum and histogram, as text and as pictures.

use std::path::Path;

use megrez::dsp::LevelStats;
use megrez::prelude::*;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::error::CliError;

const COLUMNS: usize = 72;
const ROWS: usize = 12;
/// Eighths of a character cell, from empty to full.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars of `values` between `low` and `high`, `ROWS` lines.
fn bars(values: &[f64], low: f64, high: f64, label: impl Fn(f64) -> String) -> String {
    let mut text = String::new();
    let eighths = |v: f64| ((v - low) / (high - low).max(1e-9) * (ROWS * 8) as f64).round().max(0.0) as usize;
    for row in (0..ROWS).rev() {
        let at = low + (high - low) * (row + 1) as f64 / ROWS as f64;
        let axis = if row % 3 == 2 { label(at) } else { String::new() };
        let line: String =
            values.iter().map(|&v| BLOCKS[eighths(v).saturating_sub(row * 8).min(8)]).collect();
        text += format!("{axis:>8} {line}").trim_end();
        text.push('\n');
    }
    text
}

/// Averages of `values` over `COLUMNS` columns.
fn columns(values: &[f32]) -> Vec<f64> {
    let n = values.len().max(1);
    (0..COLUMNS)
        .map(|c| {
            let part =
                &values[(c * n / COLUMNS).min(values.len())..((c + 1) * n / COLUMNS).min(values.len())];
            part.iter().map(|&v| f64::from(v)).fold(f64::NEG_INFINITY, f64::max)
        })
        .map(|v| if v.is_finite() { v } else { 0.0 })
        .collect()
}

/// The spectrum (dB, lowest frequency first) as text.
pub fn spectrum_text(info: &StreamInfo, density: &[f32]) -> String {
    let values = columns(density);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let low = values.iter().copied().fold(f64::INFINITY, f64::min).max(high - 60.0);
    let margin = ((high - low) * 0.1).max(1.0);
    let mut text = bars(&values, low - margin, high + margin, |v| format!("{v:.1}"));
    let half = info.sample_rate_hz / 2.0;
    let (left, middle, right) = (
        format!("{:.3}", (info.center_hz - half) / 1e6),
        format!("{:.3} MHz", info.center_hz / 1e6),
        format!("{:.3}", (info.center_hz + half) / 1e6),
    );
    let gap = (COLUMNS / 2).saturating_sub(left.len() + middle.len() / 2);
    let rest = COLUMNS.saturating_sub(left.len() + gap + middle.len() + right.len());
    text += &format!("{:>9}{left}{:gap$}{middle}{:rest$}{right}\n", "", "", "");
    text
}

/// The histogram of the samples' components as text.
pub fn histogram_text(levels: &LevelStats) -> String {
    let shares = histogram(levels);
    let most = shares.iter().map(|&(_, share)| share).fold(0.0, f64::max);
    shares
        .iter()
        .map(|&(value, share)| {
            let bar = "█".repeat((share / most * 50.0).round() as usize);
            format!("{value:>8} {:>5.1} % {bar}", share * 100.0).trim_end().to_string() + "\n"
        })
        .collect()
}

/// Values and their shares; wide histograms in bins, so that a screen holds them.
fn histogram(levels: &LevelStats) -> Vec<(i32, f64)> {
    let used: Vec<(i32, f64)> = levels
        .histogram()
        .map(|(value, count)| (i32::from(value), count as f64))
        .filter(|&(_, c)| c > 0.0)
        .collect();
    let total: f64 = used.iter().map(|&(_, c)| c).sum();
    let (Some(&(first, _)), Some(&(last, _))) = (used.first(), used.last()) else { return Vec::new() };
    let width = ((last - first) / 24 + 1).max(1);
    let mut bins: Vec<(i32, f64)> = Vec::new();
    for (value, count) in used {
        let bin = value.div_euclid(width) * width;
        match bins.last_mut() {
            Some((b, c)) if *b == bin => *c += count / total,
            _ => bins.push((bin, count / total)),
        }
    }
    bins
}

/// Draws both into a PNG or SVG file, by its extension.
pub fn plot(path: &Path, info: &StreamInfo, density: &[f32], levels: &LevelStats) -> Result<(), CliError> {
    let size = (1000, 700);
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let result = match extension.as_deref() {
        Some("svg") => draw(&SVGBackend::new(path, size).into_drawing_area(), info, density, levels, true),
        Some("png") => {
            // Without a system's font library a bitmap cannot carry text; SVG does.
            draw(&BitMapBackend::new(path, size).into_drawing_area(), info, density, levels, false)
        }
        _ => {
            return Err(CliError::new(format!(
                "{}: --plot needs a name ending in .png or .svg",
                path.display()
            )));
        }
    };
    result.map_err(|error| CliError::new(format!("{}: {error}", path.display())))
}

fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    info: &StreamInfo,
    density: &[f32],
    levels: &LevelStats,
    labels: bool,
) -> Result<(), String>
where
    DB::ErrorType: 'static,
{
    let text = |e: DrawingAreaErrorKind<DB::ErrorType>| e.to_string();
    area.fill(&WHITE).map_err(text)?;
    let (upper, lower) = area.split_vertically(430);
    let (below, beside) = if labels { (30, 50) } else { (0, 0) };
    let low_mhz = (info.center_hz - info.sample_rate_hz / 2.0) / 1e6;
    let step_mhz = info.sample_rate_hz / 1e6 / density.len().max(1) as f64;
    let (floor, peak) =
        density.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    if !floor.is_finite() || !peak.is_finite() {
        return Err("no spectrum to draw".to_string());
    }
    let high_mhz = low_mhz + info.sample_rate_hz / 1e6;
    let mut chart = ChartBuilder::on(&upper)
        .margin(16)
        .x_label_area_size(below)
        .y_label_area_size(beside)
        .build_cartesian_2d(low_mhz..high_mhz, floor - 2.0..peak + 2.0)
        .map_err(text)?;
    let mut mesh = chart.configure_mesh();
    if labels {
        mesh.x_desc("MHz").y_desc("dB");
    }
    mesh.draw().map_err(text)?;
    let line = density.iter().enumerate().map(|(i, &v)| (low_mhz + (i as f64 + 0.5) * step_mhz, v));
    chart.draw_series(LineSeries::new(line, &BLUE)).map_err(text)?;

    let shares = histogram(levels);
    let first = shares.first().map_or(0, |s| s.0);
    let last = shares.last().map_or(1, |s| s.0);
    let most = shares.iter().map(|s| s.1).fold(0.0, f64::max);
    let width = ((last - first) / 24 + 1).max(1);
    let mut chart = ChartBuilder::on(&lower)
        .margin(16)
        .x_label_area_size(below)
        .y_label_area_size(beside)
        .build_cartesian_2d(first - width..last + 2 * width, 0.0..most * 110.0)
        .map_err(text)?;
    let mut mesh = chart.configure_mesh();
    if labels {
        mesh.x_desc("value").y_desc("%");
    }
    mesh.draw().map_err(text)?;
    chart
        .draw_series(shares.iter().map(|&(v, share)| {
            Rectangle::new([(v, 0.0), (v + width, share * 100.0)], GREEN.mix(0.6).filled())
        }))
        .map_err(text)?;
    area.present().map_err(text)
}
