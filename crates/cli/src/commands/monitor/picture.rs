//! A series of baselines as a picture.

use std::path::Path;

use megrez::orbit::Enu;
use megrez::pvt::monitor::{Displacement, Session};
use plotters::prelude::*;

use crate::error::CliError;

/// A component of a baseline.
type Part = fn(Enu) -> f64;

/// Writes east, north and up against the mean of the first sessions, in millimetres, over hours.
pub fn write(path: &Path, sessions: &[Session], found: Option<&Displacement>) -> Result<(), CliError> {
    draw(path, sessions, found).map_err(|error| CliError::new(format!("{}: {error}", path.display())))
}

fn draw(path: &Path, sessions: &[Session], found: Option<&Displacement>) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<std::io::Error>| e.to_string();
    let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else { return Ok(()) };
    let hours = |s: &Session| (s.time - first.time) / 3600.0;
    let span = ((last.time - first.time) / 3600.0).max(1e-3);
    let area = SVGBackend::new(path, (900, 660)).into_drawing_area();
    area.fill(&WHITE).map_err(text)?;
    let parts: [(&str, Part); 3] = [("east", |b| b.e), ("north", |b| b.n), ("up", |b| b.u)];
    for ((name, part), area) in parts.into_iter().zip(area.split_evenly((3, 1))) {
        let level = part(first.baseline);
        let at = |s: &Session| (hours(s), 1e3 * (part(s.baseline) - level));
        let values = sessions.iter().map(|s| at(s).1);
        let (low, high) = values.fold((0.0f64, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
        let margin = 0.1 * (high - low).max(1.0);
        let (low, high) = (low - margin, high + margin);
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(30)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..span, low..high)
            .map_err(text)?;
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(TRANSPARENT)
            .x_desc("hours")
            .y_desc(format!("{name}, mm"))
            .draw()
            .map_err(text)?;
        chart.draw_series(LineSeries::new(sessions.iter().map(at), BLUE.mix(0.4))).map_err(text)?;
        chart.draw_series(sessions.iter().map(|s| Circle::new(at(s), 2, BLUE.filled()))).map_err(text)?;
        if let Some(found) = found {
            let when = (found.time - first.time) / 3600.0;
            chart.draw_series(LineSeries::new([(when, low), (when, high)], RED)).map_err(text)?;
        }
    }
    area.present().map_err(text)
}
