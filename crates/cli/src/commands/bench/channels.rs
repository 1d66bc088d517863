//! How many channels one core follows in real time.

use std::time::Instant;

use megrez::acquire::{SearchPlan, Searcher};
use megrez::dsp::{Band, Level, SampleFormat, Unpacker};
use megrez::prelude::*;
use megrez::track::{Channel, ChannelStart, ChannelState, TrackConfig};
use megrez_sim::{FrontEnd, Scene, Simulation};
use serde::Serialize;

use crate::error::CliError;
use crate::table::table as text;

const RATES_HZ: [f64; 3] = [4e6, 10e6, 25e6];
/// Of B1C the pilot, which a channel follows together with the data component.
const SIGNALS: [SignalId; 3] = [SignalId::L1CA, SignalId::B1I, SignalId::B1CP];
/// Samples that a band keeps for the channels beside two code periods, in seconds.
const HISTORY_MARGIN_S: f64 = 0.002;
/// Seconds until the channels are synchronised, and seconds measured.
const SETTLING_S: f64 = 1.0;
const MEASURED_S: f64 = 0.5;

#[derive(Serialize)]
pub struct Row {
    signal: String,
    rate_msps: f64,
    /// Synchronised channels that were measured.
    measured: usize,
    /// One channel, 1 ms: correlation, loops, symbols.
    channel_us_per_ms: f64,
    /// Around the signal's carrier, away from the middle of the stream.
    band_ns_per_sample: f64,
    /// That one core can follow in real time, the band's work included.
    channels: f64,
}

pub fn measure(level: Level) -> Result<Vec<Row>, CliError> {
    let mut rows = Vec::new();
    for signal in SIGNALS {
        // A stream of 4 Msps cuts off parts of the lobes of B1C.
        let rates_hz = RATES_HZ.into_iter().filter(|&hz| signal != SignalId::B1CP || hz >= 10e6);
        for rate_hz in rates_hz {
            rows.push(measure_at(signal, rate_hz, level)?);
        }
    }
    Ok(rows)
}

fn measure_at(signal: SignalId, rate_hz: f64, level: Level) -> Result<Row, CliError> {
    let carrier_hz = signal.def().carrier_hz;
    let scene = Scene {
        duration_s: SETTLING_S + MEASURED_S,
        signals: vec![signal],
        front_end: FrontEnd {
            sample_rate_hz: Some(rate_hz),
            center_hz: Some(carrier_hz - 0.1e6),
            format: SampleFormat::Cs8,
            ..FrontEnd::default()
        },
        ..Scene::default()
    };
    let simulation = Simulation::new(scene)?;
    let info = simulation.info();
    let mut unpacker = Unpacker::new(simulation.format(), info.block_len()).map_err(CliError::new)?;
    let mut searcher = Searcher::new(&info);
    let plan = SearchPlan::cold(signal, 0.0);
    let mut searched = Some(Samples::new(info.complex));
    let history_s = 2.0 * signal.def().code_period_s() + HISTORY_MARGIN_S;
    let mut band = Band::new(&info, carrier_hz, history_s, level);
    let mut channels: Vec<Channel> = Vec::new();
    let mut events = Vec::new();
    // Of each block, because one that another program disturbed does not count.
    let (mut band_s, mut channel_s, mut first_sample) = (Vec::new(), Vec::new(), 0);
    for bytes in simulation.packed_blocks() {
        let mut samples = unpacker.empty();
        unpacker.unpack(&bytes, &mut samples);
        let block = SampleBlock { first_sample, samples };
        first_sample += block.samples.len() as u64;
        if let Some(collected) = &mut searched {
            collected.append(&block.samples);
            if collected.len() as f64 >= plan.needs_s(&info) * rate_hz {
                let found = searcher.search(collected, 0, &plan).map_err(CliError::new)?;
                channels = found
                    .into_iter()
                    .map(|a| {
                        let start = ChannelStart {
                            sample: a.sample,
                            code_phase_chips: a.code_phase_chips,
                            doppler_hz: a.doppler_hz,
                            cn0_dbhz: a.cn0_dbhz,
                        };
                        Channel::new(signal.def(), a.sat, rate_hz, level, start, &TrackConfig::default())
                    })
                    .collect();
                searched = None;
            }
        }
        let settled = first_sample as f64 > SETTLING_S * rate_hz;
        if settled {
            channels.retain(|c| c.state() == ChannelState::Synchronised);
        }
        let start = Instant::now();
        band.push(&block);
        let pushed = Instant::now();
        for channel in &mut channels {
            channel.process(&band.view(), &mut events);
            events.clear();
        }
        if settled {
            band_s.push((pushed - start).as_secs_f64());
            // Channels may be lost on the way.
            if !channels.is_empty() {
                channel_s.push(pushed.elapsed().as_secs_f64() / channels.len() as f64);
            }
        }
    }
    if channels.is_empty() {
        return Err(CliError::new(format!("no {signal} channel was synchronised at {} Msps", rate_hz / 1e6)));
    }
    let block_s = info.block_len() as f64 / rate_hz;
    let channel = median(channel_s) / block_s;
    let band = median(band_s) / block_s;
    Ok(Row {
        signal: signal.to_string(),
        rate_msps: rate_hz / 1e6,
        measured: channels.len(),
        channel_us_per_ms: channel * 1e3,
        band_ns_per_sample: band / rate_hz * 1e9,
        channels: (1.0 - band).max(0.0) / channel,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

pub fn table(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            vec![
                r.signal.clone(),
                r.rate_msps.to_string(),
                format!("{:.2}", r.band_ns_per_sample),
                format!("{:.2}", r.channel_us_per_ms),
                format!("{:.0}", r.channels),
            ]
        })
        .collect();
    text(&["signal", "Msps", "band ns/sample", "channel µs/ms", "channels"], &cells)
}
