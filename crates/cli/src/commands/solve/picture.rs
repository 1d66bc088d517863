//! Positions as pictures: track, errors over time, satellites and their residuals.

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::Path;

use megrez::orbit::{Ecef, Enu};
use megrez::prelude::*;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::stats::{Point, Statistics, mean_position};
use crate::error::CliError;

/// A line over time: its name, its colour, what it shows.
type Line<T> = (&'static str, RGBColor, fn(&T) -> f64);
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Most marks in one picture: more cannot be told apart.
const MOST_MARKS: usize = 6000;
const PANEL: (u32, u32) = (900, 300);
const SQUARE: (u32, u32) = (440, 440);

/// A satellite at one epoch.
#[derive(Clone, Copy)]
pub struct Mark {
    pub hours: f64,
    pub sat: Sat,
    /// Radians.
    pub azimuth: f64,
    pub elevation: f64,
    pub residual_m: f64,
}

/// What is drawn of one file.
pub struct Scene<'a> {
    pub statistics: &'a Statistics,
    pub points: &'a [Point],
    pub marks: &'a [Mark],
    /// Where deviations are counted from, if errors against a truth are not known.
    pub origin: Ecef,
}

impl<'a> Scene<'a> {
    /// None without a position.
    pub fn new(statistics: &'a Statistics, points: &'a [Point], marks: &'a [Mark]) -> Option<Self> {
        Some(Self { statistics, points, marks, origin: mean_position(points)? })
    }

    /// Hours since the first position, and the deviation then.
    fn deviations(&self) -> Vec<(f64, Enu)> {
        let Some(first) = self.points.first() else { return Vec::new() };
        let known = self.points.iter().all(|p| p.error.is_some());
        thin(self.points)
            .map(|p| {
                let local = p.error.filter(|_| known).unwrap_or_else(|| p.position.enu_from(self.origin));
                ((p.time - first.time) / 3600.0, local)
            })
            .collect()
    }

    fn hours(&self) -> f64 {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => ((last.time - first.time) / 3600.0).max(1e-3),
            _ => 1.0,
        }
    }

    fn about(&self) -> &'static str {
        if self.points.iter().all(|p| p.error.is_some()) { "the truth" } else { "the mean" }
    }
}

/// Every so many of `all` that no more than [`MOST_MARKS`] are left.
fn thin<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(MOST_MARKS).max(1))
}

/// Writes the pictures of all files: one page of HTML that needs nothing else, or an SVG file of the first.
pub fn write(path: &Path, scenes: &[Scene<'_>]) -> Result<(), CliError> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let drawn = match extension.as_deref() {
        Some("html" | "htm") => page(scenes),
        Some("svg") => scenes.first().map_or(Ok(String::new()), single),
        _ => {
            let message = format!("{}: --plot needs a name ending in .html or .svg", path.display());
            return Err(CliError::new(message));
        }
    };
    let text = drawn.map_err(|error| CliError::new(format!("{}: {error}", path.display())))?;
    std::fs::write(path, text).map_err(|error| CliError::file(path, &error))
}

/// Pictures of one file in one SVG.
fn single(scene: &Scene<'_>) -> Result<String, String> {
    let (width, height) = PANEL;
    svg((width, 3 * height + SQUARE.1), |area| {
        let (upper, lower) = area.split_vertically(SQUARE.1);
        let squares = upper.split_evenly((1, 2));
        let panels = lower.split_evenly((3, 1));
        for (draw, area) in [track as Draw, sky].into_iter().zip(&squares) {
            draw(scene, area)?;
        }
        for (draw, area) in [errors as Draw, residuals, geometry].into_iter().zip(&panels) {
            draw(scene, area)?;
        }
        Ok(())
    })
}

type Draw = fn(&Scene<'_>, &Area<'_>) -> Result<(), String>;

fn page(scenes: &[Scene<'_>]) -> Result<String, String> {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>megrez solve</title>\n\
         <style>body{font:15px sans-serif;max-width:920px;margin:2em auto;color:#222}\
         table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}\
         td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}</style></head><body>\n",
    );
    for scene in scenes {
        let s = scene.statistics;
        let _ = writeln!(html, "<h1>{}</h1>\n<table>", escape(&s.file));
        let mut row = |name: &str, value: String| {
            let _ = writeln!(html, "<tr><td>{name}</td><td>{}</td></tr>", escape(&value));
        };
        row("epochs with a position", format!("{} of {}", s.solved, s.epochs));
        row("satellites used, mean", format!("{:.1}", s.sats_used));
        if let Some([lat, lon, height]) = s.mean {
            row("mean position", format!("{lat:.8}° {lon:.8}° {height:.3} m"));
        }
        if let Some([e, n, u]) = s.spread_enu_m {
            row("standard deviation E, N, U", format!("{e:.3} m, {n:.3} m, {u:.3} m"));
        }
        if let Some(e) = &s.errors {
            row("horizontal error, 95 %", format!("{:.3} m", e.h95_m));
            row("vertical error, 95 %", format!("{:.3} m", e.v95_m));
            row("error in space, rms", format!("{:.3} m", e.rms_3d_m));
        }
        html += "</table>\n";
        for (draw, size) in
            [(track as Draw, SQUARE), (sky, SQUARE), (errors, PANEL), (residuals, PANEL), (geometry, PANEL)]
        {
            html += &svg(size, |area| draw(scene, area))?;
            html.push('\n');
        }
    }
    html += "</body></html>\n";
    Ok(html)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn svg(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Result<(), String>) -> Result<String, String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).map_err(|e| e.to_string())?;
        draw(&area)?;
        area.present().map_err(|e| e.to_string())?;
    }
    Ok(text)
}

/// The size that holds nearly all of `values`: single outliers do not make the rest a point.
fn reach(values: impl Iterator<Item = f64>) -> f64 {
    let sizes: Vec<f64> = values.map(f64::abs).filter(|v| v.is_finite()).collect();
    (1.2 * super::stats::percentile(sizes, 0.995)).max(1e-3)
}

fn track(scene: &Scene<'_>, area: &Area<'_>) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<std::io::Error>| e.to_string();
    let local = scene.deviations();
    let reach = reach(local.iter().flat_map(|(_, d)| [d.e, d.n]));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(format!("East and north of {}, m", scene.about()), ("sans-serif", 15))
        .x_label_area_size(28)
        .y_label_area_size(48)
        .build_cartesian_2d(-reach..reach, -reach..reach)
        .map_err(text)?;
    chart.configure_mesh().light_line_style(TRANSPARENT).draw().map_err(text)?;
    let line = local.iter().map(|(_, d)| (d.e, d.n));
    chart.draw_series(LineSeries::new(line.clone(), BLUE.mix(0.2))).map_err(text)?;
    chart.draw_series(line.map(|at| Circle::new(at, 1, BLUE.filled()))).map_err(text)?;
    Ok(())
}

fn errors(scene: &Scene<'_>, area: &Area<'_>) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<std::io::Error>| e.to_string();
    let local = scene.deviations();
    let reach = reach(local.iter().flat_map(|(_, d)| [d.e, d.n, d.u]));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(format!("Deviation from {} over time", scene.about()), ("sans-serif", 15))
        .x_label_area_size(34)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..scene.hours(), -reach..reach)
        .map_err(text)?;
    chart.configure_mesh().light_line_style(TRANSPARENT).x_desc("hours").y_desc("m").draw().map_err(text)?;
    let parts: [Line<Enu>; 3] =
        [("up", RGBColor(190, 190, 190), |d| d.u), ("east", BLUE, |d| d.e), ("north", RED, |d| d.n)];
    for (name, color, part) in parts {
        chart
            .draw_series(LineSeries::new(local.iter().map(|(t, d)| (*t, part(d))), color))
            .map_err(text)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw().map_err(text)
}

fn color(constellation: Constellation) -> RGBColor {
    match constellation {
        Constellation::Bds => RED,
        Constellation::Gps => BLUE,
        Constellation::Galileo => RGBColor(0, 150, 80),
        Constellation::Glonass => RGBColor(230, 140, 0),
        _ => RGBColor(130, 60, 170),
    }
}

/// The systems that occur, with their names for legends.
fn systems(marks: &[Mark]) -> Vec<(Constellation, &'static str)> {
    let names = [
        (Constellation::Bds, "BDS"),
        (Constellation::Gps, "GPS"),
        (Constellation::Galileo, "Galileo"),
        (Constellation::Glonass, "GLONASS"),
        (Constellation::Qzss, "QZSS"),
    ];
    names.into_iter().filter(|(c, _)| marks.iter().any(|m| m.sat.constellation == *c)).collect()
}

fn residuals(scene: &Scene<'_>, area: &Area<'_>) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<std::io::Error>| e.to_string();
    let reach = reach(scene.marks.iter().map(|m| m.residual_m));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption("Residuals of the pseudoranges used", ("sans-serif", 15))
        .x_label_area_size(34)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..scene.hours(), -reach..reach)
        .map_err(text)?;
    chart.configure_mesh().light_line_style(TRANSPARENT).x_desc("hours").y_desc("m").draw().map_err(text)?;
    for (system, name) in systems(scene.marks) {
        let color = color(system);
        let marks = thin(scene.marks).filter(|m| m.sat.constellation == system);
        chart
            .draw_series(marks.map(|m| Circle::new((m.hours, m.residual_m), 1, color.mix(0.6).filled())))
            .map_err(text)?
            .label(name)
            .legend(move |(x, y)| Circle::new((x + 8, y), 3, color.filled()));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw().map_err(text)
}

/// The sky seen from below: north up, east right, the horizon a circle.
fn sky(scene: &Scene<'_>, area: &Area<'_>) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<std::io::Error>| e.to_string();
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption("Sky", ("sans-serif", 15))
        .build_cartesian_2d(-1.15..1.15, -1.15..1.15)
        .map_err(text)?;
    let at = |azimuth: f64, elevation: f64| {
        let r = 1.0 - elevation / (TAU / 4.0);
        (r * azimuth.sin(), r * azimuth.cos())
    };
    for elevation in [0.0f64, 30.0, 60.0] {
        let ring = (0..=120).map(|i| at(TAU * f64::from(i) / 120.0, elevation.to_radians()));
        chart.draw_series(LineSeries::new(ring, BLACK.mix(0.3))).map_err(text)?;
    }
    for (name, place) in
        [("N", (-0.03, 1.1)), ("E", (1.05, 0.03)), ("S", (-0.03, -1.03)), ("W", (-1.12, 0.03))]
    {
        chart.draw_series([Text::new(name, place, ("sans-serif", 14))]).map_err(text)?;
    }
    let marks = thin(scene.marks);
    chart
        .draw_series(marks.map(|m| {
            Circle::new(at(m.azimuth, m.elevation), 1, color(m.sat.constellation).mix(0.6).filled())
        }))
        .map_err(text)?;
    // Each satellite is named where it was seen last.
    let mut last: Vec<&Mark> = Vec::new();
    for mark in scene.marks {
        match last.iter_mut().find(|m| m.sat == mark.sat) {
            Some(seen) => *seen = mark,
            None => last.push(mark),
        }
    }
    let names =
        last.iter().map(|m| Text::new(m.sat.to_string(), at(m.azimuth, m.elevation), ("sans-serif", 11)));
    chart.draw_series(names).map_err(text)?;
    Ok(())
}

fn geometry(scene: &Scene<'_>, area: &Area<'_>) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<std::io::Error>| e.to_string();
    let Some(first) = scene.points.first() else { return Ok(()) };
    let most = scene.points.iter().map(|p| p.sats).max().unwrap_or(1) as f64;
    let series = |value: fn(&Point) -> f64| {
        thin(scene.points).map(move |p| ((p.time - first.time) / 3600.0, value(p)))
    };
    let dops = reach(scene.points.iter().map(|p| p.pdop));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption("Satellites and dilution of precision", ("sans-serif", 15))
        .x_label_area_size(34)
        .y_label_area_size(48)
        .right_y_label_area_size(48)
        .build_cartesian_2d(0.0..scene.hours(), 0.0..most * 1.1)
        .map_err(text)?
        .set_secondary_coord(0.0..scene.hours(), 0.0..dops);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("hours")
        .y_desc("satellites")
        .draw()
        .map_err(text)?;
    chart.configure_secondary_axes().y_desc("DOP").draw().map_err(text)?;
    chart
        .draw_series(LineSeries::new(series(|p| p.sats as f64), BLACK))
        .map_err(text)?
        .label("satellites")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], BLACK));
    let parts: [Line<Point>; 2] = [("HDOP", BLUE, |p| p.hdop), ("PDOP", RED, |p| p.pdop)];
    for (name, color, value) in parts {
        chart
            .draw_secondary_series(LineSeries::new(series(value), color))
            .map_err(text)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw().map_err(text)
}
