//! One signal of one satellite: chips, secondary code and message over the scene.

use megrez_nav::{encode_subframe, subframe_duration_s};
use megrez_orbit::{GnssTime, NavData, TimeScale};
use megrez_signal::{Constellation, Modulation, Sat, Signal};

use crate::SimError;

/// A multiple of all subframes and secondary codes (6, 0.6 and 18 s), from which periods are counted.
const FRAME_S: f64 = 18.0;

/// A binary waveform on its own carrier phase.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    /// One code period, +1 or -1, `parts` values a chip.
    pub levels: Vec<f32>,
    /// Values a chip.
    pub parts: u32,
    /// Amplitude, as a share of that of the whole signal.
    pub amplitude: f64,
    /// Carrier phase in cycles.
    pub phase: f64,
}

/// The modulation of one signal of one satellite.
#[derive(Debug, Clone)]
pub(crate) struct Emission {
    pub signal: &'static Signal,
    /// When code period 0 was sent, in the time of the satellite's system.
    pub epoch: GnssTime,
    pub components: Vec<Component>,
    /// Sign of each symbol from the epoch on; empty for a pilot.
    symbols: Vec<f32>,
    periods_per_symbol: u64,
    secondary: Vec<f32>,
    /// The symbols are no message but alternate.
    pub placeholder: bool,
}

impl Emission {
    /// The modulation that arrives within the scene.
    pub fn new(
        sat: Sat,
        signal: &'static Signal,
        nav: &NavData,
        start: GnssTime,
        duration_s: f64,
    ) -> Result<Self, SimError> {
        let scale = match sat.constellation {
            Constellation::Bds => TimeScale::Bdt,
            _ => TimeScale::Gpst,
        };
        // What arrives at the start was sent at most a fraction of a second earlier.
        let (week, tow) = (start - 1.0).week_tow(scale);
        let epoch = GnssTime::from_week_tow(scale, week, (tow / FRAME_S).floor() * FRAME_S);
        let span_s = start - epoch + duration_s + 1.0;
        let chips = signal.code(sat.prn).unwrap_or_default();
        let (symbols, placeholder) = symbols(sat, signal, nav, epoch, span_s)?;
        let periods_per_symbol = signal
            .symbol_rate_hz(sat.prn)
            .map_or(1, |rate| (1.0 / (rate * signal.code_period_s())).round().max(1.0) as u64);
        let secondary = signal.secondary(sat.prn).map(|s| s.chips).unwrap_or_default();
        Ok(Self {
            signal,
            epoch,
            components: components(signal, &chips),
            symbols,
            periods_per_symbol,
            secondary: secondary.iter().map(|&chip| sign(chip)).collect(),
            placeholder,
        })
    }

    /// Sign of the code period `period`, counted from the epoch.
    pub fn sign(&self, period: u64) -> f32 {
        let symbol = self.symbols.get((period / self.periods_per_symbol) as usize).copied().unwrap_or(1.0);
        let at = period.checked_rem(self.secondary.len() as u64).unwrap_or(0);
        symbol * self.secondary.get(at as usize).copied().unwrap_or(1.0)
    }
}

fn sign(bit: u8) -> f32 {
    1.0 - 2.0 * f32::from(bit & 1)
}

/// The symbols from `epoch` on, and whether they only stand in for a message that cannot be made yet.
fn symbols(
    sat: Sat,
    signal: &'static Signal,
    nav: &NavData,
    epoch: GnssTime,
    span_s: f64,
) -> Result<(Vec<f32>, bool), SimError> {
    let Some(message) = signal.nav_message(sat.prn) else { return Ok((Vec::new(), false)) };
    let length_s = subframe_duration_s(message);
    let mut symbols = Vec::with_capacity((span_s * message.symbol_rate_hz()) as usize + 600);
    for k in 0..(span_s / length_s).ceil() as u64 {
        match encode_subframe(message, sat, nav, epoch + k as f64 * length_s) {
            Ok(bits) => symbols.extend(bits.into_iter().map(sign)),
            Err(megrez_nav::EncodeError::Message { .. }) => {
                let count = (span_s * message.symbol_rate_hz()).ceil() as usize;
                return Ok(((0..count).map(|k| sign((k % 2) as u8)).collect(), true));
            }
            Err(source) => return Err(SimError::Message { sat, signal: signal.id, source }),
        }
    }
    Ok((symbols, false))
}

/// The binary waveforms whose sum is the signal.
fn components(signal: &Signal, chips: &[u8]) -> Vec<Component> {
    let amplitude = signal.power_share.sqrt();
    let square = |parts: u32| -> Vec<f32> {
        let halves = |&chip: &u8| (0..parts).map(move |part| sign(chip ^ (part & 1) as u8));
        chips.iter().flat_map(halves).collect()
    };
    let component = |parts, share: f64, phase| Component {
        levels: square(parts),
        parts,
        amplitude: amplitude * share.sqrt(),
        phase: signal.phase_cycles + phase,
    };
    match signal.modulation {
        Modulation::BocSine => vec![component(2, 1.0, 0.0)],
        // BDS-SIS-ICD-B1C-1.0 section 4.2.2: the BOC(6,1) part lags by a quarter.
        Modulation::Qmboc => vec![component(2, 29.0 / 33.0, 0.0), component(12, 4.0 / 33.0, -0.25)],
        _ => vec![component(1, 1.0, 0.0)],
    }
}
