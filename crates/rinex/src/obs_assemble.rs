//! From the columns of satellites to measurements of signals.

use megrez_orbit::{GnssTime, Observation, ObservationEpoch};
use megrez_signal::{Constellation, Sat};

use crate::crinex::{SAT_INDICES, sat_index};
use crate::obs_header::HeaderParser;
use crate::obs_text::Cell;
use crate::obs_types::{Layout, Slot};

/// A phase after a longer gap counts as newly locked.
const MAX_GAP_S: f64 = 300.0;
/// The systems of [`Layout`] tables.
const SYSTEMS: [Constellation; 7] = [
    Constellation::Bds,
    Constellation::Gps,
    Constellation::Galileo,
    Constellation::Glonass,
    Constellation::Qzss,
    Constellation::Navic,
    Constellation::Sbas,
];

/// How long the carrier of a signal has been tracked.
#[derive(Debug, Clone, Copy, Default)]
struct Lock {
    /// Since when.
    since: GnssTime,
    /// Number of the epoch of the last phase.
    epoch: u64,
    /// A slip was announced while there was no phase.
    slipped: bool,
}

/// One satellite of the epoch at hand.
#[derive(Debug, Clone, Copy)]
struct Row {
    sat: Sat,
    /// Its first cell.
    first: usize,
}

/// Gathers the cells of an epoch and makes observations of them.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    layouts: [Layout; SYSTEMS.len()],
    /// Factors of the columns, empty if all are 1.
    factors: [Vec<f64>; SYSTEMS.len()],
    rows: Vec<Row>,
    cells: Vec<Cell>,
    /// Where the locks of a satellite start, by [`sat_index`]; `None` before its first epoch.
    first_lock: Vec<Option<usize>>,
    locks: Vec<Lock>,
    epoch: u64,
    previous: GnssTime,
}

impl Assembler {
    /// Makes the layouts of the systems; locks start anew.
    pub(crate) fn lay_out(&mut self, parser: &HeaderParser) {
        for ((layout, factors), constellation) in self.layouts.iter_mut().zip(&mut self.factors).zip(SYSTEMS)
        {
            *layout = parser.layout(constellation);
            factors.clear();
            for scale in parser.header.scale_factors.iter().filter(|s| s.constellation == constellation) {
                factors.resize(layout.columns, 1.0);
                let types = parser.header.types.get(&constellation).map_or(&[][..], Vec::as_slice);
                for (factor, obs_type) in factors.iter_mut().zip(types) {
                    if scale.types.is_empty() || obs_type.is_some_and(|t| scale.types.contains(&t)) {
                        *factor = scale.factor;
                    }
                }
            }
        }
        self.first_lock.clear();
        self.first_lock.resize(SAT_INDICES, None);
        self.locks.clear();
    }

    /// Columns of the satellites of a system.
    pub(crate) fn columns(&self, constellation: Constellation) -> usize {
        self.layouts.get(constellation as usize).map_or(0, |layout| layout.columns)
    }

    /// Forgets the satellites gathered.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.cells.clear();
    }

    /// Adds a satellite; its number of columns and where to put its cells.
    pub(crate) fn row(&mut self, sat: Sat) -> (usize, &mut Vec<Cell>) {
        self.rows.push(Row { sat, first: self.cells.len() });
        self.same_row(sat)
    }

    /// More cells of the satellite added last.
    pub(crate) fn same_row(&mut self, sat: Sat) -> (usize, &mut Vec<Cell>) {
        (self.columns(sat.constellation), &mut self.cells)
    }

    /// Makes the observations of the satellites gathered at `out.time`.
    pub(crate) fn assemble(&mut self, out: &mut ObservationEpoch, power_failure: bool) {
        self.epoch += 1;
        if !self.rows.is_sorted_by_key(|row| row.sat) {
            self.rows.sort_by_key(|row| row.sat);
        }
        // Of a satellite named twice, the first counts.
        self.rows.dedup_by_key(|row| row.sat);
        let gap = out.time - self.previous > MAX_GAP_S;
        self.previous = out.time;
        for &Row { sat, first } in &self.rows {
            let system = sat.constellation as usize;
            let (Some(layout), Some(factors)) = (self.layouts.get(system), self.factors.get(system)) else {
                continue;
            };
            let cells = self.cells.get(first..).unwrap_or_default();
            let cells = cells.get(..layout.columns.min(cells.len())).unwrap_or_default();
            let locks = locks_of(&mut self.first_lock, &mut self.locks, sat, layout.slots.len());
            for (slot, lock) in layout.slots.iter().zip(locks) {
                let Some((mut o, lli)) = observation(sat, slot, cells, factors) else { continue };
                let slipped = std::mem::take(&mut lock.slipped);
                let announced = slipped || lli & 1 != 0;
                if o.carrier_phase_cycles.is_some() {
                    o.slip = announced || power_failure;
                    o.half_cycle = lli & 2 != 0;
                    if o.slip || gap || lock.epoch + 1 != self.epoch {
                        lock.since = out.time;
                    }
                    lock.epoch = self.epoch;
                    o.lock_s = out.time - lock.since;
                } else {
                    lock.slipped = announced;
                }
                if o.pseudorange_m.is_some()
                    || o.carrier_phase_cycles.is_some()
                    || o.doppler_hz.is_some()
                    || o.cn0_dbhz.is_some()
                {
                    out.observations.push(o);
                }
            }
        }
    }

    /// Remembers the slips that the satellites gathered announce.
    pub(crate) fn mark_slips(&mut self) {
        for &Row { sat, first } in &self.rows {
            let Some(layout) = self.layouts.get(sat.constellation as usize) else { continue };
            let cells = self.cells.get(first..).unwrap_or_default();
            let locks = locks_of(&mut self.first_lock, &mut self.locks, sat, layout.slots.len());
            for (slot, lock) in layout.slots.iter().zip(locks) {
                let [_, phase, ..] = slot.columns;
                let cell = phase.and_then(|column| cells.get(column));
                // The numbers are the cycles that slipped.
                lock.slipped |= cell.is_some_and(|cell| cell.value.abs() > 0.0);
            }
        }
    }
}

/// The locks of a satellite of `count` signals.
fn locks_of<'a>(
    first_lock: &mut [Option<usize>],
    locks: &'a mut Vec<Lock>,
    sat: Sat,
    count: usize,
) -> &'a mut [Lock] {
    let Some(first) = first_lock.get_mut(sat_index(sat)) else { return &mut [] };
    let first = *first.get_or_insert_with(|| {
        locks.resize(locks.len() + count, Lock::default());
        locks.len() - count
    });
    locks.get_mut(first..first + count).unwrap_or_default()
}

/// The measurements of one signal, and its loss-of-lock indicator. None if all columns are blank.
fn observation(sat: Sat, slot: &Slot, cells: &[Cell], factors: &[f64]) -> Option<(Observation, u8)> {
    let cell = |column: Option<usize>| {
        let column = column?;
        let mut cell = *cells.get(column)?;
        if let Some(factor) = factors.get(column) {
            cell.value /= factor;
        }
        Some(cell)
    };
    // RINEX writes missing values as blanks or zeros.
    let value = |cell: Option<Cell>| cell.map(|c| c.value).filter(|v| !v.is_nan());
    let nonzero = |cell: Option<Cell>| value(cell).filter(|v| *v != 0.0);
    let [pseudorange, phase, doppler, strength] = slot.columns;
    let pseudorange_m = nonzero(cell(pseudorange));
    let shared = match slot.rival {
        None => true,
        Some(rival) => {
            let rival = nonzero(cell(Some(rival))).is_some();
            if slot.first { pseudorange_m.is_some() || !rival } else { pseudorange_m.is_some() && !rival }
        }
    };
    let phase = if shared { cell(phase) } else { None };
    let lli = phase.map_or(0, |c| if c.lli.is_ascii_digit() { c.lli - b'0' } else { 0 });
    let carrier_phase_cycles = nonzero(phase);
    let doppler_hz = value(if shared { cell(doppler) } else { None })
        .filter(|v| *v != 0.0 || pseudorange_m.is_some() && carrier_phase_cycles.is_some());
    let cn0_dbhz = nonzero(if shared { cell(strength) } else { None });
    let any = pseudorange_m.is_some()
        || carrier_phase_cycles.is_some()
        || doppler_hz.is_some()
        || cn0_dbhz.is_some()
        || lli != 0;
    let observation = Observation {
        sat,
        code: slot.code,
        pseudorange_m,
        carrier_phase_cycles,
        doppler_hz,
        cn0_dbhz,
        slip: false,
        half_cycle: false,
        lock_s: 0.0,
    };
    any.then_some((observation, lli))
}
