//! Correlators by signal, rate, level and kind.

use std::hint::black_box;

use megrez::dsp::{
    Band, Correlation, Correlator, Kernel, Level, Replica, SampleBlock, Samples, StreamInfo, Subcarrier,
};
use megrez::prelude::SignalId;
use num_complex::Complex;
use serde::Serialize;

use super::timing::Timer;
use crate::table::table as text;

const RATES_HZ: [f64; 3] = [4e6, 10e6, 25e6];
const SIGNALS: [SignalId; 2] = [SignalId::L1CA, SignalId::B1I];
/// Early-to-prompt spacings in chips: the one at which taps share their bins, and the one tracked with.
const SPACINGS: [f64; 2] = [0.5, 0.25];

#[derive(Serialize)]
pub struct Row {
    signal: String,
    rate_msps: f64,
    spacing_chips: f64,
    kernel: &'static str,
    level: String,
    us_per_ms: f64,
    /// 10⁹ channel-samples a second.
    g: f64,
    times_textbook: f64,
}

pub fn measure(timer: &Timer) -> Vec<Row> {
    let mut rows = Vec::new();
    for signal in SIGNALS {
        for rate_hz in RATES_HZ {
            measure_at(timer, signal, rate_hz, &mut rows);
        }
    }
    rows
}

fn measure_at(timer: &Timer, signal: SignalId, rate_hz: f64, rows: &mut Vec<Row>) {
    let def = signal.def();
    let info = StreamInfo { sample_rate_hz: rate_hz, center_hz: def.carrier_hz, complex: true };
    let block = SampleBlock { first_sample: 0, samples: Samples::Complex(noise(info.block_len())) };
    let mut with_sums = Band::with_sums(&info, def.carrier_hz, 0.01, Level::Portable);
    with_sums.push(&block);
    let Some(chips) = def.code(def.prns.0) else { return };
    let replica = Replica::new(&chips, Subcarrier::None);
    let len = (rate_hz * 1e-3) as usize;
    for spacing_chips in SPACINGS {
        let what = Correlation {
            start: 77,
            len,
            code_phase_chips: 400.3,
            code_rate_hz: def.chip_rate_hz * (1.0 + 2e-6),
            carrier_phase_cycles: 0.3,
            carrier_freq_hz: 3_210.0,
            tap_spacing_chips: spacing_chips,
        };
        let seconds = |level, kernel| {
            let correlator = Correlator::with_kernel(rate_hz, level, kernel);
            let mut band = Band::new(&info, def.carrier_hz, 0.01, level);
            band.push(&block);
            let view = if kernel == Kernel::Direct { band.view() } else { with_sums.view() };
            correlator.correlate(&view, &replica, &what)?;
            Some(timer.seconds(|| {
                black_box(correlator.correlate(&view, &replica, black_box(&what)));
            }))
        };
        let Some(textbook) = seconds(Level::Portable, Kernel::Definition) else { continue };
        let mut add = |kernel, level: Level, s: f64| {
            rows.push(Row {
                signal: signal.to_string(),
                rate_msps: rate_hz / 1e6,
                spacing_chips,
                kernel,
                level: level.to_string(),
                us_per_ms: s * 1e6,
                g: len as f64 / s / 1e9,
                times_textbook: textbook / s,
            });
        };
        add("textbook", Level::Portable, textbook);
        for level in Level::all_available() {
            for (name, kernel) in [("running sums", Kernel::RunningSums), ("direct", Kernel::Direct)] {
                if let Some(s) = seconds(level, kernel) {
                    add(name, level, s);
                }
            }
        }
    }
}

/// Complex noise that uses a good part of 8 bits.
fn noise(len: usize) -> Vec<Complex<i8>> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((state >> 56) as i8) / 4
    };
    (0..len).map(|_| Complex::new(next(), next())).collect()
}

pub fn table(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            vec![
                r.signal.clone(),
                r.rate_msps.to_string(),
                format!("{}", r.spacing_chips),
                r.kernel.to_string(),
                r.level.clone(),
                format!("{:.2}", r.us_per_ms),
                format!("{:.2}", r.g),
                format!("{:.0}", r.times_textbook),
            ]
        })
        .collect();
    text(&["signal", "Msps", "±chip", "kernel", "level", "µs", "G", "× textbook"], &cells)
}
