//! Tracking proper: cells to symbols, symbols to updates of the loops, lock detectors.

use std::f64::consts::TAU;

use megrez_dsp::{BandView, Taps};
use num_complex::Complex;

use super::Tracker;
use crate::carrier::phase_variance;
use crate::code::code_variance;
use crate::event::{ChannelEvent, Symbol};
use crate::peak::PeakMonitor;
use crate::plan::Plan;
use crate::quality::SymbolSums;
use crate::secondary::{Place, SecondarySearch};

/// Mean cosine of the phase error (doubled where signs are unknown) at which the phase counts as locked, as no longer
/// locked, and as lost.
const PHASE_LOCKED: f64 = 0.5;
const PHASE_UNLOCKED: f64 = 0.4;
const PHASE_LOST: f64 = 0.3;
/// C/N0 below which the signal is lost, dB-Hz.
const LOST_CN0_DBHZ: f64 = 20.0;
/// Phase error of an update, in cycles, that noise does not explain: twice in a row it may be a slip.
const SLIP_CYCLES: f64 = 0.2;

/// The symbol under way.
#[derive(Default)]
pub(super) struct Symbols {
    /// Cell within the symbol that comes next.
    index: usize,
    /// Code period and sample at which it began.
    period: u64,
    sample: u64,
    sums: SymbolSums,
    /// Sum of the prompts of the message's component, where another one leads.
    message: Complex<f64>,
    /// Whole symbols since the signal was found.
    count: u64,
}

impl Symbols {
    /// Begins `index` cells into a symbol.
    pub fn starting(index: usize) -> Self {
        Self { index, ..Self::default() }
    }
}

/// What the next update of the loops is made from.
#[derive(Default)]
pub(super) struct Update {
    symbols: u32,
    cells: usize,
    /// Sum of the prompts, or of their squares where signs are unknown.
    prompt: Complex<f64>,
    power: f64,
    /// Sum of the squared numbers of cells.
    weight: f64,
    /// The same for the code, with the dot products of the discriminator. Symbols in which the taps looked
    /// elsewhere are not in it, and what is there may wait for a later update.
    code_cells: usize,
    code_weight: f64,
    dot: f64,
    code_s: f64,
}

/// The pilot's secondary code: sought, or known.
pub(super) struct Pilot {
    search: SecondarySearch,
    /// Real part of the pilot's prompts in the code period under way, and their number.
    sum: f64,
    cells: usize,
    /// Found during a symbol, to be taken up at its end.
    pending: Option<Known>,
    known: Option<Known>,
}

#[derive(Clone, Copy)]
struct Known {
    /// Place of code period 0.
    offset: usize,
    inverted: bool,
}

impl Pilot {
    pub fn new(plan: &Plan) -> Self {
        let search = SecondarySearch::new(plan.secondary.len());
        Self { search, sum: 0.0, cells: 0, pending: None, known: None }
    }

    pub fn clear(&mut self) {
        self.search.clear();
        (self.sum, self.cells) = (0.0, 0);
        (self.pending, self.known) = (None, None);
    }

    pub fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// Place of a code period.
    pub fn chip(&self, period: u64) -> Option<usize> {
        let length = self.search.length();
        self.known.map(|known| ((period % length as u64) as usize + known.offset) % length)
    }

    /// Carrier phase of the component that the carrier filter follows, relative to the signal's in-phase component.
    pub fn phase_cycles(&self, plan: &Plan) -> f64 {
        let ahead = match &plan.message {
            Some(message) if plan.starts_on_message && self.known.is_none() => message.phase_cycles,
            _ => 0.0,
        };
        plan.signal.phase_cycles + ahead
    }
}

impl Tracker {
    /// Tracks one cell; none if the view does not hold all of it.
    pub(super) fn follow(&mut self, view: &BandView<'_>, events: &mut Vec<ChannelEvent>) -> Option<()> {
        let motion = self.motion();
        let spacing = if self.looks_beside() { self.beside() } else { self.spacing };
        let c = self.walk.correlation(&motion, spacing);
        let lead = &self.plan.replica;
        let [lead, message] = match &self.plan.message {
            Some(message) => self.correlator.correlate_pair(view, [lead, &message.replica], &c)?,
            None => [self.correlator.correlate(view, lead, &c)?, Taps::default()],
        };
        if self.symbols.index == 0 {
            self.symbols.period = self.walk.period();
            self.symbols.sample = self.walk.sample;
        }
        let period = self.walk.period();
        self.walk.advance(&motion, c.len);
        self.add(&lead, &message, period, events);
        Some(())
    }

    /// Distance of the side peaks in chips.
    fn beside(&self) -> f64 {
        self.plan.shape.side_peaks.unwrap_or_default()
    }

    /// Whether the outer taps look at the side peaks in this symbol.
    fn looks_beside(&self) -> bool {
        self.plan.shape.side_peaks.is_some() && PeakMonitor::looks(self.symbols.count)
    }

    /// Adds one cell to the symbol.
    fn add(&mut self, lead: &Taps, message: &Taps, period: u64, events: &mut Vec<ChannelEvent>) {
        let m = self.plan.signs.len();
        let data_sign = self.plan.signs.get(self.symbols.index).copied().unwrap_or(1.0);
        let (taps, sign) = match self.pilot.chip(period) {
            Some(chip) => (lead, self.plan.secondary.get(chip).copied().unwrap_or(1.0)),
            None if self.plan.starts_on_message => (message, data_sign),
            None => (lead, data_sign),
        };
        let [early, prompt, late] = [taps.early, taps.prompt, taps.late].map(|t| widen(t * sign));
        let sums = &mut self.symbols.sums;
        if self.symbols.index == 0 {
            sums.first = prompt;
        }
        sums.early += early;
        sums.prompt += prompt;
        sums.late += late;
        sums.power += prompt.norm_sqr();
        sums.last = prompt;
        if self.symbols.index < m / 2 {
            sums.first_half += prompt;
        }
        sums.count += 1;
        self.symbols.message += widen(message.prompt * data_sign);
        self.seek_pilot(lead, period);
        self.symbols.index += 1;
        if self.symbols.index == m {
            self.symbols.index = 0;
            self.finish_symbol(events);
        }
    }

    /// Compares the pilot with its secondary code until its place is known.
    fn seek_pilot(&mut self, lead: &Taps, period: u64) {
        let (Some(message), Pilot { known: None, pending: None, .. }) = (&self.plan.message, &self.pilot)
        else {
            return;
        };
        let (turn, power) = if self.plan.starts_on_message {
            (message.turn.conj(), 1.0 / (message.amplitude * message.amplitude))
        } else {
            (Complex::ONE, 1.0)
        };
        let pilot = &mut self.pilot;
        pilot.sum += (widen(lead.prompt) * turn).re;
        pilot.cells += 1;
        // The next cell's number: 0 at the end of a period.
        if self.walk.in_period() != 0 {
            return;
        }
        let (sum, cells) = (std::mem::take(&mut pilot.sum), std::mem::take(&mut pilot.cells));
        if cells < self.plan.cells {
            return;
        }
        let amplitude = (self.quality.signal() * power).sqrt();
        let found = pilot.search.push(&self.plan.secondary, 2.0 * amplitude * sum / self.quality.noise());
        if let Some(Place { next, inverted }) = found {
            let length = self.plan.secondary.len();
            let gone = ((period + 1) % length as u64) as usize;
            pilot.pending = Some(Known { offset: (next + length - gone) % length, inverted });
        }
    }

    fn finish_symbol(&mut self, events: &mut Vec<ChannelEvent>) {
        let sums = std::mem::take(&mut self.symbols.sums);
        let message = std::mem::take(&mut self.symbols.message);
        let whole = sums.count == self.plan.signs.len();
        let weight = (sums.count * sums.count) as f64;
        let looked = self.looks_beside();
        let update = &mut self.update;
        update.symbols += 1;
        update.cells += sums.count;
        update.prompt += if self.pilot.is_known() { sums.prompt } else { sums.prompt * sums.prompt };
        update.power += sums.prompt.norm_sqr();
        update.weight += weight;
        if !looked {
            // Dot product: (E - L) P = 2 k delta A^2 on a peak of slope k. No noise is common to E - L and P.
            let difference = sums.early - sums.late;
            update.dot += difference.re * sums.prompt.re + difference.im * sums.prompt.im;
            update.code_cells += sums.count;
            update.code_weight += weight;
        }
        if whole {
            self.give_symbol(&sums, message, events);
            self.quality.update(&sums);
            self.symbols.count += 1;
        }
        if self.update.symbols >= self.plan.update {
            self.update_loops(events);
        }
        if looked && self.tracking() {
            let [early, prompt, late] = [sums.early, sums.prompt, sums.late].map(|s| s.norm_sqr());
            if let Some(side) = self.peak.push(early, prompt, late) {
                self.walk.code_phase += side * self.beside();
                self.unlock(events);
            }
        }
    }

    /// The symbol's value, once its sign means something: with a pilot the sign is known for good.
    fn give_symbol(&self, sums: &SymbolSums, message: Complex<f64>, events: &mut Vec<ChannelEvent>) {
        let scale = self.quality.signal().sqrt() * sums.count as f64;
        let soft = match &self.plan.message {
            None => sums.prompt.re / scale,
            Some(part) if self.pilot.is_known() => (message * part.turn).re / (scale * part.amplitude),
            Some(_) => return,
        };
        let Symbols { period, sample, .. } = self.symbols;
        events.push(ChannelEvent::Symbol(Symbol { period, sample, soft: soft as f32 }));
    }

    fn update_loops(&mut self, events: &mut Vec<ChannelEvent>) {
        let dt = self.walk.since_base(self.walk.sample);
        let update = std::mem::take(&mut self.update);
        let snr = self.quality.snr(update.cells);
        let symbol_snr = self.quality.snr(self.plan.signs.len());
        let (squared, turns) = if self.pilot.is_known() { (f64::INFINITY, 1.0) } else { (symbol_snr, 2.0) };

        // In a fade the symbols say little: with noise alone, 1 / snr of the full power, the phase is anything. That
        // weight goes down with the squared power makes its variance about what that is, 1/12 cycle^2 for a pilot.
        let full = self.quality.signal() * update.weight;
        let weight = (update.power / (0.25 * full)).powi(2).clamp(1e-3, 1.0);
        let angle = update.prompt.arg();
        let phase_error = angle / (turns * TAU);
        self.carrier.predict(dt);
        let variance = phase_variance(snr, squared) / weight;
        self.carrier.update(phase_error, variance, dt);
        self.quality.update_lock(angle.cos(), dt);

        let code_s = update.code_s + dt;
        if update.code_cells > 0 {
            let slope = self.plan.shape.slope;
            let full = self.quality.signal() * update.code_weight;
            let reach = self.plan.shape.spacing;
            let code_error = (0.5 * update.dot / (slope * full)).clamp(-reach, reach);
            let code_snr = self.quality.snr(update.code_cells);
            let scatter = code_variance(self.spacing, slope, code_snr, symbol_snr);
            self.walk.code_phase += self.code.update(code_error, scatter, code_s);
        } else {
            self.update.code_s = code_s;
        }
        self.walk.mark_base();
        self.choose_spacing();
        self.judge(phase_error, variance, events);
        self.settle_pilot();
    }

    /// Goes over to the pilot once its place in the secondary code is known.
    fn settle_pilot(&mut self) {
        let (Some(known), Some(message)) = (self.pilot.pending.take(), &self.plan.message) else { return };
        if !self.tracking() {
            return;
        }
        if self.plan.starts_on_message {
            self.carrier.state.phase -= message.phase_cycles;
            self.quality.rescale(1.0 / (message.amplitude * message.amplitude));
        }
        self.pilot.known = Some(known);
        if known.inverted {
            self.carrier.state.phase += 0.5;
            self.slip();
        }
    }

    /// Lock detectors, after each update.
    fn judge(&mut self, phase_error: f64, variance: f64, events: &mut Vec<ChannelEvent>) {
        let large = phase_error.abs() > SLIP_CYCLES && 4.0 * variance.sqrt() < SLIP_CYCLES;
        self.large_errors = if large { self.large_errors + 1 } else { 0 };
        if self.large_errors == 2 {
            self.slip();
        }

        let lock = self.quality.lock();
        if self.phase_locked && lock < PHASE_UNLOCKED {
            self.phase_locked = false;
        } else if !self.phase_locked && lock > PHASE_LOCKED {
            self.phase_locked = true;
            self.slip();
        }

        let symbol_s = self.plan.signs.len() as f64 * self.plan.cell_s;
        let locked_s = self.symbols.count as f64 * symbol_s;
        let lost = lock < PHASE_LOST || self.quality.cn0_dbhz() < LOST_CN0_DBHZ;
        // A lock to a side line is half a cycle a symbol off.
        let beside = locked_s > 1.0 && self.quality.frequency_error_hz().abs() > 0.3 / symbol_s;
        let misaligned = locked_s > 3.0 && !self.quality.edges_agree();
        if lost || beside || misaligned {
            if beside {
                self.carrier.state.freq += self.quality.frequency_error_hz();
            }
            self.unlock(events);
        }
    }

    fn slip(&mut self) {
        self.slips += 1;
        self.lock_since = self.walk.sample;
    }
}

fn widen(z: Complex<f32>) -> Complex<f64> {
    Complex::new(f64::from(z.re), f64::from(z.im))
}
