//! When to search, for what, and how deep.
//!
//! A receiver that knows nothing searches a few milliseconds for strong satellites near the nominal
//! frequency, then outwards over the oscillator's possible error until some are found; these tell the
//! common offset, and a longer search around it finds the weak ones. Afterwards the missing satellites are
//! searched again from time to time. All of it is decided by sample numbers, so that a replay does the same.

use std::collections::BTreeMap;

use megrez_acquire::{Acquisition, SearchPlan, Searcher};
use megrez_dsp::{Level, SampleBlock, Samples, StreamInfo};
use megrez_signal::{Sat, SignalId};

use crate::Prediction;

/// Doppler of a satellite as seen from the ground, at most (GPS MEO, stationary receiver), with margin for
/// a fast vehicle.
const SATELLITE_DOPPLER_HZ: f64 = 5_500.0;
/// Oscillator errors that the first search covers, as a share of the carrier: a TCXO.
const TCXO_ERROR: f64 = 1e-6;
/// Distance of the windows of a search over the oscillator's error, relative to the carrier.
const WINDOW_STEP: f64 = 2.0 * SATELLITE_DOPPLER_HZ / 1.575e9;
/// Half the window of a satellite that is tracked, in Hz.
const TRACKED_HZ: f64 = 150.0;
/// Satellites that settle the oscillator's offset.
const ENOUGH: usize = 2;

/// Satellites to look for on one signal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) signal: SignalId,
    pub(crate) prns: Vec<u8>,
    /// Satellites that are tracked, and their Doppler in Hz: searched along, so that their traces in the
    /// others' grids are known.
    pub(crate) tracked: Vec<(u8, f64)>,
    /// Common frequency offset of the received signals, relative to the carrier, if known.
    pub(crate) offset: Option<f64>,
    /// Whether that offset comes from a fix, and so is as good as exact.
    pub(crate) offset_is_exact: bool,
    /// Doppler windows in Hz of those for which one can be predicted.
    pub(crate) windows_hz: BTreeMap<u8, (f64, f64)>,
}

impl Wanted {
    /// Windows of all satellites around the known offset.
    fn all_windows_hz(&self) -> BTreeMap<u8, (f64, f64)> {
        let mut around = doppler_window_hz(self.signal, self.offset.unwrap_or(0.0));
        if self.offset.is_some() && self.offset_is_exact {
            let spare = TCXO_ERROR * self.signal.def().carrier_hz;
            around = (around.0 + spare, around.1 - spare);
        }
        let missing = self.prns.iter().map(|prn| (*prn, self.windows_hz.get(prn).copied().unwrap_or(around)));
        let tracked = self.tracked.iter().map(|&(prn, hz)| (prn, (hz - TRACKED_HZ, hz + TRACKED_HZ)));
        missing.chain(tracked).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first look.
    Quick,
    /// Longer searches for what is missing.
    Deep,
}

/// Collects samples and searches them when it is time.
pub(crate) struct Search {
    info: StreamInfo,
    searcher: Searcher,
    oscillator_error: f64,
    stage: Stage,
    due: u64,
    window: usize,
    start: Option<u64>,
    samples: Samples,
}

impl Search {
    pub(crate) fn new(info: StreamInfo, oscillator_error_ppm: f64, level: Level) -> Self {
        let samples = Samples::new(info.complex);
        Self {
            searcher: Searcher::with_level(&info, level),
            info,
            oscillator_error: oscillator_error_ppm * 1e-6,
            stage: Stage::Quick,
            due: 0,
            window: 0,
            start: None,
            samples,
        }
    }

    /// Searches no later than at `sample`.
    pub(crate) fn hasten(&mut self, sample: u64) {
        self.due = self.due.min(sample);
    }

    /// The next search, unless hastened.
    pub(crate) fn postpone(&mut self, sample: u64) {
        self.due = sample;
    }

    /// Leaves out the first look, over the oscillator's error: what is found elsewhere tells the offset.
    pub(crate) fn skip_first_look(&mut self) {
        self.stage = Stage::Deep;
    }

    /// Whether a search is under way or due at `sample`, so that the wanted satellites must be known.
    pub(crate) fn is_active(&self, sample: u64) -> bool {
        self.start.is_some() || sample >= self.due
    }

    /// Takes a block; returns what was found once the samples for a search are complete.
    pub(crate) fn offer(&mut self, block: &SampleBlock, wanted: &[Wanted]) -> Option<Vec<Acquisition>> {
        if wanted.iter().all(|w| w.prns.is_empty()) {
            self.reset();
            return None;
        }
        let start = *self.start.get_or_insert(block.first_sample);
        if start + self.samples.len() as u64 != block.first_sample {
            self.reset();
            return None;
        }
        if !self.samples.append(&block.samples) {
            return None;
        }
        let needed_s = wanted
            .iter()
            .map(|w| self.plan(w, self.stage, (0.0, 0.0)).needs_s(&self.info))
            .fold(0.0, f64::max);
        if (self.samples.len() as f64) < needed_s * self.info.sample_rate_hz {
            return None;
        }
        Some(self.run(start, wanted))
    }

    /// Searches what was collected so far, for a stream that ended early.
    pub(crate) fn finish(&mut self, wanted: &[Wanted]) -> Vec<Acquisition> {
        match self.start {
            Some(start) if !self.samples.is_empty() => self.run(start, wanted),
            _ => Vec::new(),
        }
    }

    fn reset(&mut self) {
        self.start = None;
        self.samples.truncate(0);
    }

    fn run(&mut self, start: u64, wanted: &[Wanted]) -> Vec<Acquisition> {
        let found = match self.stage {
            Stage::Quick => self.quick(start, wanted),
            Stage::Deep => self.deep(start, wanted),
        };
        self.stage = Stage::Deep;
        self.reset();
        found
    }

    /// Strong satellites, outwards over the oscillator's error until some are found.
    fn quick(&mut self, start: u64, wanted: &[Wanted]) -> Vec<Acquisition> {
        if wanted.iter().any(|w| w.offset.is_some()) {
            let found = self.around(start, wanted, Stage::Quick, None);
            // What was known, for example from an earlier run, may be wrong.
            if !found.is_empty() {
                return found;
            }
        }
        search_outward(self.oscillator_error, |offset| self.around(start, wanted, Stage::Quick, Some(offset)))
    }

    /// Weak satellites around the known offset, or around one guess a search while it is unknown.
    fn deep(&mut self, start: u64, wanted: &[Wanted]) -> Vec<Acquisition> {
        let found = self.around(start, wanted, Stage::Deep, None);
        if !found.is_empty() || wanted.iter().any(|w| w.offset.is_some()) {
            return found;
        }
        let centers = offsets(self.oscillator_error, WINDOW_STEP);
        let Some(&center) = centers.get(self.window % centers.len().max(1)) else { return found };
        self.window += 1;
        self.around(start, wanted, Stage::Deep, Some(center))
    }

    /// Searches every wanted signal; `offset` overrides what is known of the common offset.
    fn around(
        &mut self,
        start: u64,
        wanted: &[Wanted],
        stage: Stage,
        offset: Option<f64>,
    ) -> Vec<Acquisition> {
        let mut found = Vec::new();
        for w in wanted.iter().filter(|w| !w.prns.is_empty()) {
            let mut plan =
                self.plan(w, stage, doppler_window_hz(w.signal, offset.or(w.offset).unwrap_or(0.0)));
            if offset.is_none() {
                plan.restrict(w.all_windows_hz());
            }
            if let Ok(some) = self.searcher.search(&self.samples, start, &plan) {
                found.extend(some);
            }
        }
        found
    }

    fn plan(&self, wanted: &Wanted, stage: Stage, doppler_hz: (f64, f64)) -> SearchPlan {
        let mut plan = match stage {
            Stage::Quick => SearchPlan::cold(wanted.signal, 0.0),
            Stage::Deep => SearchPlan::deep(wanted.signal, 0.0),
        };
        plan.references = wanted.tracked.iter().map(|t| t.0).collect();
        plan.prns = wanted.prns.iter().chain(&plan.references).copied().collect();
        plan.prns.sort_unstable();
        plan.doppler_hz = doppler_hz;
        plan
    }
}

/// Doppler in Hz that the satellites of `signal` can have when everything is received off by `offset`, relative
/// to the carrier (1e-6 is 1 ppm); it covers what an ordinary TCXO adds.
pub fn doppler_window_hz(signal: SignalId, offset: f64) -> (f64, f64) {
    let carrier_hz = signal.def().carrier_hz;
    let half = SATELLITE_DOPPLER_HZ + TCXO_ERROR * carrier_hz;
    (offset * carrier_hz - half, offset * carrier_hz + half)
}

/// Windows in Hz of the satellites of `signal` that are predicted to be heard, when everything is received off
/// by `offset`, relative to the carrier; they cover what an ordinary TCXO adds.
pub fn assisted_windows_hz(
    signal: SignalId,
    predictions: &BTreeMap<Sat, Option<Prediction>>,
    offset: f64,
) -> BTreeMap<u8, (f64, f64)> {
    let def = signal.def();
    let heard = predictions.iter().filter(|(sat, _)| sat.constellation == def.constellation);
    heard
        .filter_map(|(sat, prediction)| {
            let prediction = prediction.as_ref()?;
            let half = prediction.doppler_error + TCXO_ERROR;
            let middle = prediction.doppler + offset;
            Some((sat.prn, ((middle - half) * def.carrier_hz, (middle + half) * def.carrier_hz)))
        })
        .collect()
}

/// Searches near the nominal frequency, then outwards until some satellites are found, and then around their
/// common offset. `search` is given the offset relative to the carrier; `oscillator_error` bounds it.
pub fn search_outward(
    oscillator_error: f64,
    search: impl FnMut(f64) -> Vec<Acquisition>,
) -> Vec<Acquisition> {
    outward(&offsets(oscillator_error, WINDOW_STEP), common_offset, search)
}

/// As [`search_outward`], for searches in [windows](assisted_windows_hz) around `predictions`.
pub fn search_assisted(
    oscillator_error: f64,
    predictions: &BTreeMap<Sat, Option<Prediction>>,
    search: impl FnMut(f64) -> Vec<Acquisition>,
) -> Vec<Acquisition> {
    let offset = |found: &[Acquisition]| {
        let beyond = |a: &Acquisition| {
            let prediction = predictions.get(&a.sat)?.as_ref()?;
            Some(a.doppler_hz / a.signal.def().carrier_hz - prediction.doppler)
        };
        median(found.iter().filter_map(beyond).collect())
    };
    outward(&offsets(oscillator_error, 2.0 * TCXO_ERROR), offset, search)
}

fn outward(
    centers: &[f64],
    offset_of: impl Fn(&[Acquisition]) -> Option<f64>,
    mut search: impl FnMut(f64) -> Vec<Acquisition>,
) -> Vec<Acquisition> {
    let found = search(0.0);
    if found.len() >= ENOUGH {
        return found;
    }
    for &center in centers {
        let some = search(center);
        if some.len() < ENOUGH {
            continue;
        }
        let Some(offset) = offset_of(&some) else { continue };
        let mut all = search(offset);
        for extra in some {
            if !all.iter().any(|a| a.sat == extra.sat && a.signal == extra.signal) {
                all.push(extra);
            }
        }
        return all;
    }
    found
}

/// Centres of a search over the oscillator's error, outwards from the nominal frequency.
fn offsets(oscillator_error: f64, step: f64) -> Vec<f64> {
    let count = (oscillator_error / step).ceil() as i32;
    (1..=count).flat_map(|k| [f64::from(k) * step, -f64::from(k) * step]).collect()
}

/// Common frequency offset, relative to the carrier: the median over the satellites.
pub(crate) fn common_offset(found: &[Acquisition]) -> Option<f64> {
    median(found.iter().map(|a| a.doppler_hz / a.signal.def().carrier_hz).collect())
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
