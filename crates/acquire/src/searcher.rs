use std::collections::BTreeMap;
use std::sync::Arc;

use megrez_dsp::{ComplexMath, Fft, Level, Samples, StreamInfo, downconvert};
use megrez_signal::{Sat, SignalId};
use num_complex::Complex;
use rayon::prelude::*;
use rustfft::FftPlanner;

use crate::code::{Code, samples_per_period};
use crate::excise::excise;
use crate::grid::{Best, Shape, Slice, Wanted, search_slice};
use crate::guard::{Candidate, reject_cross_correlations};
use crate::refine::refine;
use crate::threshold::sum_threshold;
use crate::{AcquireError, Acquisition, SearchPlan, SignChanges};

/// Widest slice of Doppler searched with one resampling, in Hz: the code moves by less than 0.01 chip
/// against the grid within a block of 10 ms.
const SLICE_HZ: f64 = 16_000.0;
/// Share of a code period that may be missing at the end of the samples.
const MISSING: f64 = 0.01;
/// Duration of the blocks in which narrow-band interference is looked for, in seconds.
const EXCISE_S: f64 = 0.002;

/// Searches the samples of one stream, keeping FFT plans and code spectra from search to search.
///
/// The result does not depend on the number of threads.
pub struct Searcher {
    info: StreamInfo,
    planner: FftPlanner<f32>,
    level: Level,
    math: ComplexMath,
    ffts: BTreeMap<usize, Arc<Fft>>,
    codes: BTreeMap<CodeKey, Arc<Code>>,
}

/// Signal, hypotheses on signs, code periods of a window (0: cyclic), samples of a period, number of the
/// satellite.
type CodeKey = (SignalId, bool, usize, usize, u8);

impl Searcher {
    /// A searcher for the stream `info`, with the instruction set that [`Level::detect`] chooses.
    pub fn new(info: &StreamInfo) -> Self {
        Self::with_level(info, Level::detect().unwrap_or(Level::Portable))
    }

    /// A searcher for the stream `info` with the instruction set `level`.
    pub fn with_level(info: &StreamInfo, level: Level) -> Self {
        Self {
            info: info.clone(),
            planner: FftPlanner::new(),
            level,
            math: ComplexMath::new(level),
            ffts: BTreeMap::new(),
            codes: BTreeMap::new(),
        }
    }

    /// The stream.
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Searches `samples`, the first of which has number `first_sample` in the stream.
    ///
    /// Uses as many samples as the plan needs, or all if there are fewer (with fewer blocks). Returns the
    /// satellites found, sorted by number.
    pub fn search(
        &mut self,
        samples: &Samples,
        first_sample: u64,
        plan: &SearchPlan,
    ) -> Result<Vec<Acquisition>, AcquireError> {
        plan.check()?;
        self.check(samples, plan)?;
        let mut prns = plan.prns.clone();
        prns.sort_unstable();
        prns.dedup();
        let signal = plan.signal.def();
        let n = samples_per_period(signal, plan.doppler_interpolated);
        let period_s = signal.code_period_s();

        let available_s = samples.len() as f64 / self.info.sample_rate_hz;
        let plan = fit(plan, (available_s / period_s + MISSING).floor() as usize)
            .ok_or(AcquireError::TooShort { signal: plan.signal, needed_s: period_s, available_s })?;
        let shape = Shape::new(n, &plan);
        let codes: Vec<Wanted> = prns
            .iter()
            .filter_map(|&prn| {
                Some(Wanted { code: self.code(&plan, prn, &shape)?, window_hz: plan.window_hz(prn) })
            })
            .collect();
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        // All grids have lengths that can be transformed.
        let Some(fft) = self.fft(shape.window) else { return Ok(Vec::new()) };
        let slices = self.slices(&head(samples, &plan, &self.info), &plan, &shape);
        let hypotheses = if plan.sign_changes == SignChanges::Tried { 2 } else { 1 };
        let bins = |wanted: &Wanted| -> f64 {
            let of_slice = |slice: &Slice| wanted.bins(slice, &shape);
            slices.iter().map(of_slice).map(|(first, last)| f64::from((last - first + 1).max(0))).sum()
        };
        let bins: f64 = codes.iter().map(bins).sum();
        let cells = (2 * n * hypotheses) as f64 * bins;
        let threshold = sum_threshold(shape.blocks, cells, plan.false_alarm) / shape.blocks as f64;

        let mut found: Vec<Option<(usize, Best)>> = vec![None; codes.len()];
        let mut means = vec![Vec::new(); codes.len()];
        for (s, slice) in slices.iter().enumerate() {
            let rows = search_slice(slice, &shape, &codes, self.math, &fft);
            for ((row, found), means) in rows.iter().zip(&mut found).zip(&mut means) {
                for best in row {
                    means.push(best.mean);
                    if best.ratio > threshold && found.is_none_or(|(_, other)| best.peak() > other.peak()) {
                        *found = Some((s, *best));
                    }
                }
            }
        }

        let length = signal.code_length as f64;
        let detections: Vec<_> = prns
            .iter()
            .zip(&codes)
            .zip(found.iter().zip(&means))
            .filter_map(|((&prn, wanted), (found, means))| {
                found.map(|(s, best)| (prn, &wanted.code, s, best, means.as_slice()))
            })
            .collect();
        let candidates: Vec<Candidate> = detections
            .par_iter()
            .filter_map(|&(prn, code, s, best, means)| {
                let slice = slices.get(s)?;
                let usual_mean = median(means);
                let power = best.peak() / usual_mean;
                if plan.references.contains(&prn) {
                    let doppler_hz = match plan.windows_hz.get(&prn) {
                        Some((low, high)) => 0.5 * (low + high),
                        None => slice.mid_hz + shape.bin_hz(slice, best.bin),
                    };
                    return Some(Candidate { acquisition: None, doppler_hz, power });
                }
                let refined = refine(slice, &shape, code, &best, usual_mean, period_s, self.math);
                let periods = refined.delay * (1.0 + shape.code_excess(slice, refined.offset_hz)) / n as f64;
                let acquisition = Acquisition {
                    sat: Sat { constellation: signal.constellation, prn },
                    signal: plan.signal,
                    sample: first_sample,
                    code_phase_chips: (-periods * length).rem_euclid(length),
                    doppler_hz: slice.mid_hz + refined.offset_hz,
                    doppler_sigma_hz: refined.sigma_hz,
                    cn0_dbhz: refined.cn0_dbhz,
                    peak_to_mean: best.peak() * means.len() as f64 / means.iter().sum::<f64>(),
                };
                let doppler_hz = acquisition.doppler_hz;
                Some(Candidate { acquisition: Some(acquisition), doppler_hz, power })
            })
            .collect();
        let block_s = shape.coherent as f64 * period_s;
        Ok(reject_cross_correlations(&candidates, signal, threshold, block_s))
    }

    fn check(&self, samples: &Samples, plan: &SearchPlan) -> Result<(), AcquireError> {
        let info = &self.info;
        if matches!(samples, Samples::Complex(_)) != info.complex {
            return Err(AcquireError::WrongKind { declared: if info.complex { "complex" } else { "real" } });
        }
        let carrier_hz = plan.signal.def().carrier_hz;
        let rate = info.sample_rate_hz;
        if !(rate.is_finite() && rate > 0.0) {
            return Err(AcquireError::BadPlan {
                signal: plan.signal,
                what: "the sampling rate",
                value: rate,
            });
        }
        if (carrier_hz - info.center_hz).abs() <= 0.5 * rate {
            return Ok(());
        }
        Err(AcquireError::OutOfBand {
            signal: plan.signal,
            carrier_hz,
            center_hz: info.center_hz,
            sample_rate_hz: rate,
        })
    }

    fn fft(&mut self, len: usize) -> Option<Arc<Fft>> {
        if let Some(fft) = self.ffts.get(&len) {
            return Some(fft.clone());
        }
        let fft = Arc::new(Fft::new(len, self.level)?);
        self.ffts.insert(len, fft.clone());
        Some(fft)
    }

    fn code(&mut self, plan: &SearchPlan, prn: u8, shape: &Shape) -> Option<Arc<Code>> {
        let signal = plan.signal.def();
        let mode = plan.sign_changes;
        let periods = if shape.padded { shape.run + 1 } else { 0 };
        let key = (plan.signal, mode == SignChanges::Tried, periods, shape.n, prn);
        if let Some(code) = self.codes.get(&key) {
            return Some(code.clone());
        }
        let code = Arc::new(Code::new(&signal.code(prn)?, signal.modulation, shape.n, mode, periods));
        self.codes.insert(key, code.clone());
        Some(code)
    }

    /// Baseband for each slice of the Doppler window.
    fn slices(&mut self, samples: &Samples, plan: &SearchPlan, shape: &Shape) -> Vec<Slice> {
        let (low, high) = plan.doppler_hz;
        let signal = plan.signal.def();
        let period_s = signal.code_period_s();
        let count = ((high - low) / SLICE_HZ).ceil().max(1.0);
        let width = (high - low) / count;
        let periods = plan.periods(plan.noncoherent);
        (0..count as usize)
            .map(|i| {
                let mid_hz = low + (i as f64 + 0.5) * width;
                let rate_hz = shape.n as f64 / period_s * (1.0 + mid_hz / signal.carrier_hz);
                let mut baseband: Vec<Complex<f32>> = Vec::new();
                let carrier_hz = signal.carrier_hz + mid_hz;
                downconvert(samples, &self.info, carrier_hz, rate_hz, self.level, &mut baseband);
                baseband.resize(periods * shape.n, Complex::default());
                let block = (EXCISE_S * shape.n as f64 / period_s).round() as usize;
                excise(&mut baseband, block, &mut self.planner);
                let step = rate_hz / (shape.fractions() * shape.n) as f64;
                let last = (0.5 * width / step - 0.5).ceil().max(0.0) as i32;
                Slice { mid_hz, rate_hz, bins: (-last, last), samples: baseband }
            })
            .collect()
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The plan for as many code periods as there are; none if there is not even one.
fn fit(plan: &SearchPlan, periods: usize) -> Option<SearchPlan> {
    let mut plan = plan.clone();
    if plan.sign_changes == SignChanges::Avoided && periods == 1 {
        plan.sign_changes = SignChanges::Tried;
    }
    let usable = periods - usize::from(plan.sign_changes == SignChanges::Avoided).min(periods);
    plan.coherent_periods = plan.coherent_periods.min(usable);
    plan.noncoherent = plan.noncoherent.min(usable.checked_div(plan.coherent_periods)?);
    Some(plan)
}

/// The samples that the plan needs.
fn head(samples: &Samples, plan: &SearchPlan, info: &StreamInfo) -> Samples {
    // The resampling filter's reach beyond the last sample is small against a code period.
    let len = (plan.needs_s(info) * 1.001 * info.sample_rate_hz).ceil() as usize;
    match samples {
        Samples::Real(x) => Samples::Real(x.get(..len).unwrap_or(x).to_vec()),
        Samples::Complex(x) => Samples::Complex(x.get(..len).unwrap_or(x).to_vec()),
    }
}
