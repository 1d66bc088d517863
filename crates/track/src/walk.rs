//! Where the replica is in the stream: samples, cells, code phase.

use megrez_dsp::Correlation;

use crate::carrier::CarrierState;
use crate::plan::Plan;

/// How the replica moves from its base on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Motion {
    /// Carrier at the base.
    pub carrier: CarrierState,
    /// Divergence of the code rate from the carrier's, chips/s.
    pub divergence: f64,
}

/// Goes through the stream cell by cell.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    sample_rate_hz: f64,
    carrier_hz: f64,
    chip_rate_hz: f64,
    cell_chips: f64,
    cell_s: f64,
    /// Cells of a code period.
    cells: u64,
    /// First sample of the next cell, its number, and the code phase there from its beginning (near 0).
    pub sample: u64,
    pub cell: u64,
    pub code_phase: f64,
    /// Sample, cell and code phase at which the motion holds.
    base: u64,
    base_cell: u64,
    base_phase: f64,
}

impl Walk {
    pub fn new(plan: &Plan, sample_rate_hz: f64) -> Self {
        Self {
            sample_rate_hz,
            carrier_hz: plan.signal.carrier_hz,
            chip_rate_hz: plan.signal.chip_rate_hz,
            cell_chips: plan.cell_chips,
            cell_s: plan.cell_s,
            cells: plan.cells as u64,
            sample: 0,
            cell: 0,
            code_phase: 0.0,
            base: 0,
            base_cell: 0,
            base_phase: 0.0,
        }
    }

    /// Seconds from one sample to another.
    pub fn between(&self, from: u64, to: u64) -> f64 {
        to.wrapping_sub(from) as i64 as f64 / self.sample_rate_hz
    }

    /// Seconds from the base to `sample`.
    pub fn since_base(&self, sample: u64) -> f64 {
        self.between(self.base, sample)
    }

    /// Chips of a code period.
    pub fn length(&self) -> f64 {
        self.cell_chips * self.cells as f64
    }

    /// Number of the next cell in its code period.
    pub fn in_period(&self) -> u64 {
        self.cell % self.cells
    }

    /// Code period of the next cell.
    pub fn period(&self) -> u64 {
        self.cell / self.cells
    }

    /// Takes up a code phase of the whole period at `sample` and goes to the first code period that begins there
    /// or, when that is no longer held, at `first`. Periods count from that one. A new base is to be marked then.
    pub fn begin(&mut self, motion: &Motion, sample: u64, code_phase: f64, first: u64) {
        let phase = code_phase.rem_euclid(self.length());
        let cell = (phase / self.cell_chips).floor();
        self.base = sample;
        self.base_cell = cell as u64;
        self.base_phase = phase - cell * self.cell_chips;
        self.go_to(motion, first.max(sample), self.cells);
        self.cell = 0;
    }

    /// Moves to the first cell that begins at or after `sample`.
    pub fn skip_to(&mut self, motion: &Motion, sample: u64) {
        self.go_to(motion, sample, 1);
    }

    /// Moves to the first cell that begins at or after `sample` and whose number is a multiple of `multiple`.
    fn go_to(&mut self, motion: &Motion, sample: u64, multiple: u64) {
        let dt = self.since_base(sample);
        let Some((cell, phase)) = self.at(motion, dt) else { return };
        let step = self.chip_rate(motion, motion.carrier.at(dt).freq) / self.sample_rate_hz;
        // A cell begins with the first sample at or after its start.
        let started = phase < step && cell.is_multiple_of(multiple);
        let next = if started { cell } else { (cell / multiple + 1) * multiple };
        let rest = (next - cell) as f64 * self.cell_chips - phase;
        let samples = (rest / step).ceil();
        self.sample = sample.saturating_add_signed(samples as i64);
        self.cell = next;
        self.code_phase = samples * step - rest;
    }

    /// Cell and code phase in it `dt` seconds from the base.
    fn at(&self, motion: &Motion, dt: f64) -> Option<(u64, f64)> {
        let now = motion.carrier.at(dt);
        let chips = self.base_phase
            + (self.chip_rate_hz + motion.divergence) * dt
            + (now.phase - motion.carrier.phase) * self.chip_rate_hz / self.carrier_hz;
        let turns = (chips / self.cell_chips).floor();
        let cell = self.base_cell.checked_add_signed(turns as i64)?;
        Some((cell, chips - turns * self.cell_chips))
    }

    /// Code period and code phase in it `dt` seconds from the base.
    pub fn code_at(&self, motion: &Motion, dt: f64) -> Option<(u64, f64)> {
        let (cell, phase) = self.at(motion, dt)?;
        Some((cell / self.cells, (cell % self.cells) as f64 * self.cell_chips + phase))
    }

    /// The place of the next cell becomes the one at which the motion holds.
    pub fn mark_base(&mut self) {
        self.base = self.sample;
        self.base_cell = self.cell;
        self.base_phase = self.code_phase;
    }

    fn chip_rate(&self, motion: &Motion, freq: f64) -> f64 {
        self.chip_rate_hz * (1.0 + freq / self.carrier_hz) + motion.divergence
    }

    /// The next cell, with taps `spacing` chips apart.
    pub fn correlation(&self, motion: &Motion, spacing: f64) -> Correlation {
        let now = motion.carrier.at(self.since_base(self.sample));
        // The frequency at the middle of the cell joins the phases at its ends.
        let freq = now.freq + 0.5 * self.cell_s * now.rate;
        let code_rate_hz = self.chip_rate(motion, freq);
        let rest = self.cell_chips - self.code_phase;
        let phase = self.in_period() as f64 * self.cell_chips + self.code_phase;
        Correlation {
            start: self.sample,
            len: (rest * self.sample_rate_hz / code_rate_hz).ceil().max(1.0) as usize,
            code_phase_chips: phase.rem_euclid(self.length()),
            code_rate_hz,
            carrier_phase_cycles: now.phase - now.phase.floor(),
            carrier_freq_hz: freq,
            tap_spacing_chips: spacing,
        }
    }

    /// Goes on to the next cell, `len` samples on.
    pub fn advance(&mut self, motion: &Motion, len: usize) {
        self.sample += len as u64;
        self.cell += 1;
        let dt = self.since_base(self.sample);
        let now = motion.carrier.at(dt);
        let cells = (self.cell - self.base_cell) as f64;
        // From the base each time, so that no rounding adds up.
        self.code_phase = self.base_phase
            + ((self.chip_rate_hz + motion.divergence) * dt - cells * self.cell_chips)
            + (now.phase - motion.carrier.phase) * self.chip_rate_hz / self.carrier_hz;
    }
}
