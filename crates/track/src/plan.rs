//! What a channel has to know of a signal: how its code is cut into cells, what lies over them, and which
//! component does what.
//!
//! A channel correlates in *cells*: whole code periods, or equal parts of one where a period is long or is a symbol
//! of its own. A symbol is then always two cells or more, whose scatter tells the noise and whose rotation tells
//! the frequency; everything downstream is the same for all signals.

use std::f64::consts::TAU;

use megrez_dsp::{Replica, Subcarrier};
use megrez_signal::{Modulation, Signal};
use num_complex::Complex;

/// Longest cell in seconds, so that a frequency error of some 100 Hz does no harm.
const LONGEST_CELL_S: f64 = 1.001e-3;
/// The loops are updated after whole symbols, of this duration or more together.
const SHORTEST_UPDATE_S: f64 = 4e-3;
/// Chip rate from which a chip is so short that what hands over to a channel may be several chips off.
const SHORT_CHIPS_HZ: f64 = 5e6;
/// Share of a QMBOC pilot's power in its BOC(1,1) part (BDS-SIS-ICD-B1C-1.0 section 4.2.2), the one correlated with.
const BOC11_SHARE: f64 = 29.0 / 33.0;
/// Most taps of pull-in.
pub(crate) const MAX_TAPS: usize = 15;

/// Shape of the correlation peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    /// The amplitude falls by so much a chip beside the peak.
    pub slope: f64,
    /// Distance in chips of side peaks, if there are any.
    pub side_peaks: Option<f64>,
    /// Spacing of the taps of pull-in in chips; the peak falls in a straight line to each side of it so far.
    pub spacing: f64,
    /// Number of these taps: three or an odd multiple of it, at most [`MAX_TAPS`].
    pub taps: usize,
}

impl Shape {
    fn new(signal: &Signal) -> Self {
        match signal.modulation {
            Modulation::Bpsk if signal.chip_rate_hz < SHORT_CHIPS_HZ => {
                Self { slope: 1.0, side_peaks: None, spacing: 0.5, taps: 3 }
            }
            Modulation::Bpsk => Self { slope: 1.0, side_peaks: None, spacing: 0.5, taps: MAX_TAPS },
            // 1 - 3 |tau| up to half a chip, where it is -1/2, then back to 0 at a chip.
            Modulation::BocSine | Modulation::Qmboc => {
                Self { slope: 3.0, side_peaks: Some(0.5), spacing: 0.25, taps: 9 }
            }
        }
    }

    /// Code phase of tap `index` relative to the middle one, chips; the earliest tap comes first.
    pub fn offset(&self, index: usize) -> f64 {
        (0.5 * (self.taps as f64 - 1.0) - index as f64) * self.spacing
    }

    /// Correlation of the noise in two taps `distance` chips apart; that is the shape of the peak itself.
    pub fn correlation(&self, distance: f64) -> f64 {
        let distance = distance.abs();
        match self.side_peaks {
            Some(half) if distance < half => 1.0 - self.slope * distance,
            _ => (1.0 - distance).max(0.0) * if self.side_peaks.is_some() { -1.0 } else { 1.0 },
        }
    }
}

/// The component that bears the message, where another one leads.
#[derive(Clone)]
pub(crate) struct Message {
    pub replica: Replica,
    /// Amplitude in units of that of the leading component.
    pub amplitude: f64,
    /// Carrier phase in cycles, that of the leading component being 0.
    pub phase_cycles: f64,
    /// Its factor that makes the phase that of the leading component.
    pub turn: Complex<f64>,
}

/// The structure of a signal as one satellite sends it.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The component that carries the loops in the end, and that observables are of.
    pub signal: &'static Signal,
    pub replica: Replica,
    pub message: Option<Message>,
    /// Whether symbol edges are sought on the component of the message: where a symbol is several periods, its
    /// sign holds for longer than that of the pilot.
    pub starts_on_message: bool,
    /// Cells of a code period.
    pub cells: usize,
    pub cell_s: f64,
    pub cell_chips: f64,
    /// Sign of each cell of a symbol on the component that bears it.
    pub signs: Vec<f32>,
    /// Sign of each period of the pilot's secondary code; empty if the leading component is no pilot.
    pub secondary: Vec<f32>,
    /// Symbols between updates of the loops.
    pub update: u32,
    pub shape: Shape,
    /// Share of the leading component's power that is correlated with.
    pub efficiency: f64,
}

/// How a satellite lays symbols and secondary codes over the periods of a signal.
struct Structure {
    /// The component that bears the message.
    bearer: &'static Signal,
    symbol_s: f64,
    /// Cells of a code period.
    cells: usize,
    /// Sign of each period of a symbol.
    periods: Vec<f32>,
    secondary: Vec<f32>,
}

impl Structure {
    fn new(signal: &'static Signal, prn: u8) -> Option<Self> {
        let bearer = match signal.nav_message(prn) {
            Some(_) => signal,
            None => signal.partner?.def(),
        };
        let same = |a: f64, b: f64| (a - b).abs() < 1e-6 * b;
        if bearer.code_length != signal.code_length
            || !same(bearer.chip_rate_hz, signal.chip_rate_hz)
            || !same(bearer.carrier_hz, signal.carrier_hz)
            || !signal.has_prn(prn)
            || !bearer.has_prn(prn)
        {
            return None;
        }
        let period_s = signal.code_period_s();
        let symbol_s = 1.0 / bearer.symbol_rate_hz(prn)?;
        let periods = (symbol_s / period_s).round() as usize;
        if periods == 0 || !same(periods as f64 * period_s, symbol_s) {
            return None;
        }
        let cells = ((period_s / LONGEST_CELL_S).ceil() as usize).max(if periods == 1 { 2 } else { 1 });
        if !signal.code_length.is_multiple_of(cells) {
            return None;
        }
        let periods = match bearer.secondary(prn) {
            None => vec![1.0; periods],
            Some(code) if code.chips.len() == periods => signs(&code.chips),
            Some(_) => return None,
        };
        let pilot = bearer.id != signal.id;
        let secondary = match signal.secondary(prn) {
            Some(code) if pilot => signs(&code.chips),
            None if pilot => return None,
            _ => Vec::new(),
        };
        Some(Self { bearer, symbol_s, cells, periods, secondary })
    }
}

impl Plan {
    /// Whether such a signal can be tracked.
    pub fn exists(signal: &'static Signal, prn: u8) -> bool {
        Structure::new(signal, prn).is_some()
    }

    /// None if such a signal cannot be tracked.
    pub fn new(signal: &'static Signal, prn: u8) -> Option<Self> {
        let Structure { bearer, symbol_s, cells, periods, secondary } = Structure::new(signal, prn)?;
        let pilot = bearer.id != signal.id;
        let message = if pilot { Some(Message::new(signal, bearer, prn)?) } else { None };
        Some(Self {
            signal,
            replica: replica(signal, prn)?,
            message,
            starts_on_message: pilot && periods.len() > 1,
            cells,
            cell_s: signal.code_period_s() / cells as f64,
            cell_chips: (signal.code_length / cells) as f64,
            signs: periods.iter().flat_map(|&sign| std::iter::repeat_n(sign, cells)).collect(),
            secondary,
            update: (SHORTEST_UPDATE_S / symbol_s).ceil().max(1.0) as u32,
            shape: Shape::new(signal),
            efficiency: efficiency(signal),
        })
    }
}

impl Message {
    fn new(leader: &Signal, bearer: &Signal, prn: u8) -> Option<Self> {
        let power = |s: &Signal| s.power_share * efficiency(s);
        let phase_cycles = bearer.phase_cycles - leader.phase_cycles;
        Some(Self {
            replica: replica(bearer, prn)?,
            amplitude: (power(bearer) / power(leader)).sqrt(),
            phase_cycles,
            turn: Complex::from_polar(1.0, -TAU * phase_cycles),
        })
    }
}

fn replica(signal: &Signal, prn: u8) -> Option<Replica> {
    let subcarrier = match signal.modulation {
        Modulation::Bpsk => Subcarrier::None,
        Modulation::BocSine | Modulation::Qmboc => Subcarrier::BocSine,
    };
    Some(Replica::new(&signal.code(prn)?, subcarrier))
}

fn efficiency(signal: &Signal) -> f64 {
    if signal.modulation == Modulation::Qmboc { BOC11_SHARE } else { 1.0 }
}

fn signs(chips: &[u8]) -> Vec<f32> {
    chips.iter().map(|&c| if c == 0 { 1.0 } else { -1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use megrez_signal::SignalId;

    fn plan(id: SignalId, prn: u8) -> Plan {
        Plan::new(id.def(), prn).unwrap()
    }

    #[test]
    fn symbols_are_two_cells_or_more() {
        for (id, prn, cells, symbol) in [
            (SignalId::B1I, 26, 1, 20),
            (SignalId::B1I, 3, 1, 2),
            (SignalId::L1CA, 7, 1, 20),
            (SignalId::B1CD, 26, 10, 10),
            (SignalId::B1CP, 26, 10, 10),
            (SignalId::B2I, 11, 1, 20),
            (SignalId::B3I, 26, 1, 20),
            (SignalId::B3I, 59, 1, 2),
            (SignalId::B2AD, 26, 1, 5),
            (SignalId::B2AP, 26, 1, 5),
            (SignalId::B2BI, 26, 2, 2),
            (SignalId::B2BI, 59, 2, 2),
            (SignalId::SBASL1, 30, 1, 2),
            (SignalId::SBASL5, 30, 1, 2),
        ] {
            let plan = plan(id, prn);
            assert_eq!((plan.cells, plan.signs.len()), (cells, symbol), "{id}");
            let secondary = match id {
                SignalId::B1CP => 1800,
                SignalId::B2AP => 100,
                _ => 0,
            };
            assert_eq!(plan.secondary.len(), secondary, "{id}");
            assert_eq!(plan.starts_on_message, id == SignalId::B2AP, "{id}");
        }
    }

    /// Amplitudes and phases of BDS-SIS-ICD-B1C-1.0 section 4.2: data 1/2, pilot's BOC(1,1) j sqrt(29/44).
    #[test]
    fn components_stand_as_the_interface_document_says() {
        let plan = plan(SignalId::B1CP, 26);
        let message = plan.message.unwrap();
        assert!((message.amplitude - 0.5 / (29f64 / 44.0).sqrt()).abs() < 1e-12);
        assert!((message.turn - Complex::new(0.0, 1.0)).norm() < 1e-12);
        assert!(!plan.starts_on_message);
    }

    #[test]
    fn shapes_are_those_of_the_waveforms() {
        let boc = plan(SignalId::B1CP, 26).shape;
        let bpsk = plan(SignalId::B1I, 26).shape;
        for (distance, want_boc, want_bpsk) in
            [(0.0, 1.0, 1.0), (0.25, 0.25, 0.75), (0.5, -0.5, 0.5), (0.75, -0.25, 0.25), (1.5, 0.0, 0.0)]
        {
            assert!((boc.correlation(distance) - want_boc).abs() < 1e-12, "{distance}");
            assert!((bpsk.correlation(distance) - want_bpsk).abs() < 1e-12, "{distance}");
        }
        assert_eq!((boc.offset(0), boc.offset(8), bpsk.offset(1)), (1.0, -1.0, 0.0));
    }
}
