//! Stages other than correlation: unpacking, IF removal, acquisition, generation.

use std::hint::black_box;

use megrez::acquire::{SearchPlan, Searcher};
use megrez::dsp::{Band, Level, SampleFormat, Unpacker};
use megrez::prelude::*;
use megrez_sim::{FrontEnd, Scene, Simulation};
use serde::Serialize;

use super::timing::Timer;
use crate::error::CliError;
use crate::table::table as text;

#[derive(Serialize)]
pub struct Row {
    stage: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
}

/// Satellite Doppler that the searches cover, Hz.
const DOPPLER_HZ: f64 = 5_000.0;

pub fn measure(timer: &Timer, level: Level) -> Result<Vec<Row>, CliError> {
    let mut rows = Vec::new();
    unpacking(timer, &mut rows)?;
    bands(timer, level, &mut rows);
    for rate_hz in [4e6, 25e6] {
        acquisition(timer, SignalId::L1CA, rate_hz, &mut rows)?;
    }
    acquisition(timer, SignalId::B1I, 10e6, &mut rows)?;
    acquisition(timer, SignalId::B1CP, 10e6, &mut rows)?;
    generation(timer, &mut rows)?;
    Ok(rows)
}

fn unpacking(timer: &Timer, rows: &mut Vec<Row>) -> Result<(), CliError> {
    const SAMPLES: usize = 40_000;
    for format in [
        SampleFormat::Cs1,
        SampleFormat::Cs2,
        SampleFormat::Cs4,
        SampleFormat::Cs8,
        SampleFormat::Cu8,
        SampleFormat::Cs16,
        SampleFormat::Cf32,
    ] {
        let mut unpacker = Unpacker::new(format, SAMPLES).map_err(CliError::new)?;
        // Floating-point numbers of a front end, none of them subnormal; any bytes for the others.
        let bytes: Vec<u8> = if format == SampleFormat::Cf32 {
            (0..2 * SAMPLES).flat_map(|i| ((i * 37 % 61) as f32 - 30.5).to_le_bytes()).collect()
        } else {
            (0..SAMPLES * format.bits_per_sample() / 8).map(|i| ((i * 167) >> 3) as u8).collect()
        };
        let mut samples = unpacker.empty();
        let seconds = timer.seconds(|| {
            samples.truncate(0);
            unpacker.unpack(black_box(&bytes), &mut samples);
        });
        rows.push(Row {
            stage: "unpacking",
            what: format.to_string(),
            value: seconds * 1e9 / SAMPLES as f64,
            unit: "ns/sample",
        });
    }
    Ok(())
}

fn bands(timer: &Timer, level: Level, rows: &mut Vec<Row>) {
    const CARRIER_HZ: f64 = 1575.42e6;
    for (what, offset_hz, complex) in
        [("centred", 0.0, true), ("complex, mixed", 2e6, true), ("real, mixed", 2e6, false)]
    {
        let info = StreamInfo { sample_rate_hz: 10e6, center_hz: CARRIER_HZ - offset_hz, complex };
        let len = info.block_len();
        let mut samples = Samples::new(complex);
        match &mut samples {
            Samples::Real(all) => all.extend((0..len).map(|i| (i * 37 % 61) as i8 - 30)),
            Samples::Complex(all) => {
                all.extend(
                    (0..len).map(|i| {
                        num_complex::Complex::new((i * 37 % 61) as i8 - 30, (i * 23 % 59) as i8 - 29)
                    }),
                );
            }
        }
        let mut band = Band::new(&info, CARRIER_HZ, 0.03, level);
        let mut block = SampleBlock { first_sample: 0, samples };
        let seconds = timer.seconds(|| {
            band.push(black_box(&block));
            block.first_sample += len as u64;
        });
        rows.push(Row {
            stage: "IF removal and running sums",
            what: what.to_string(),
            value: seconds * 1e9 / len as f64,
            unit: "ns/sample",
        });
    }
}

fn acquisition(timer: &Timer, signal: SignalId, rate_hz: f64, rows: &mut Vec<Row>) -> Result<(), CliError> {
    let scene = Scene {
        duration_s: 0.05,
        signals: vec![signal],
        front_end: front_end(signal, rate_hz),
        ..Scene::default()
    };
    let simulation = Simulation::new(scene)?;
    let info = simulation.info();
    let mut unpacker = Unpacker::new(simulation.format(), info.block_len()).map_err(CliError::new)?;
    let mut samples = unpacker.empty();
    for bytes in simulation.packed_blocks() {
        unpacker.unpack(&bytes, &mut samples);
    }
    let mut searcher = Searcher::new(&info);
    let plan = SearchPlan { doppler_hz: (-DOPPLER_HZ, DOPPLER_HZ), ..SearchPlan::cold(signal, 0.0) };
    let found = searcher.search(&samples, 0, &plan).map_err(CliError::new)?;
    let seconds = timer.seconds(|| {
        black_box(searcher.search(black_box(&samples), 0, &plan).is_ok());
    });
    rows.push(Row {
        stage: "cold acquisition",
        what: format!(
            "{signal}, {} satellites, ±5 kHz, {:.0} ms, {} Msps ({} found)",
            plan.prns.len(),
            plan.needs_s(&info) * 1e3,
            rate_hz / 1e6,
            found.len()
        ),
        value: seconds * 1e3,
        unit: "ms",
    });
    Ok(())
}

fn front_end(signal: SignalId, rate_hz: f64) -> FrontEnd {
    FrontEnd {
        sample_rate_hz: Some(rate_hz),
        center_hz: Some(signal.def().carrier_hz),
        format: SampleFormat::Cs8,
        ..FrontEnd::default()
    }
}

fn generation(timer: &Timer, rows: &mut Vec<Row>) -> Result<(), CliError> {
    let scene = Scene {
        duration_s: 0.5,
        signals: vec![SignalId::L1CA],
        front_end: front_end(SignalId::L1CA, 4e6),
        ..Scene::default()
    };
    let simulation = Simulation::new(scene)?;
    let satellites = simulation.signals().count();
    let samples = simulation.sample_count() as f64;
    let seconds = timer.seconds(|| simulation.packed_blocks().for_each(|bytes| drop(black_box(bytes))));
    rows.push(Row {
        stage: "generation",
        what: format!("L1CA, {satellites} satellites and noise, 4 Msps, 8 bits"),
        value: seconds * 1e9 / (samples * satellites.max(1) as f64),
        unit: "ns/(sample·satellite)",
    });
    Ok(())
}

pub fn table(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|r| vec![r.stage.to_string(), r.what.clone(), format!("{:.2}", r.value), r.unit.to_string()])
        .collect();
    text(&["stage", "what", "", ""], &cells)
}
