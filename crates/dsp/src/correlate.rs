use std::borrow::Cow;
use std::f64::consts::TAU;

use num_complex::Complex;

use crate::arch::Available;
use crate::direct;
use crate::kernel::{CHUNK, FRACTION, Job, Sums, Tap};
use crate::replica::MARGIN;
use crate::runs::{self, LONGEST};
use crate::tiles::{self, TilesView};
use crate::{BandView, Level, Replica};

/// What to correlate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// First sample.
    pub start: u64,
    /// Number of samples.
    pub len: usize,
    /// Code phase at the first sample in chips; any number, the code repeats.
    pub code_phase_chips: f64,
    /// Chips a second.
    pub code_rate_hz: f64,
    /// Phase of the replica carrier at the first sample in cycles.
    pub carrier_phase_cycles: f64,
    /// Frequency of the replica carrier in Hz, relative to the band's.
    pub carrier_freq_hz: f64,
    /// From the prompt tap to the early and to the late one in chips.
    pub tap_spacing_chips: f64,
}

/// Correlations at three code phases.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Taps {
    /// Replica ahead by the tap spacing.
    pub early: Complex<f32>,
    /// Replica in time.
    pub prompt: Complex<f32>,
    /// Replica behind by the tap spacing.
    pub late: Complex<f32>,
}

/// Sums samples times the conjugate carrier times the code at three code phases.
///
/// Tap t is the sum over n from 0 to `len` - 1 of `x[start + n] * chip(⌊code_phase + n * code_rate /
/// sample_rate + offset_t⌋) * exp(-2πi (carrier_phase + n * carrier_freq / sample_rate))`, the offsets
/// being +spacing (early), 0 and -spacing (late).
///
/// There are two ways, and the faster one is taken. From running sums, at a cost that does not depend on
/// the sample rate: chip edges are placed exactly; the carrier is held over a few equal chips, over one or
/// over less, which costs at most 0.04 dB. Directly in 8 bits: with AVX-512 edges are placed
/// to 1/65536 of a value of the code, and the carrier is held over 8 µs or less, at most 0.05 cycle (0.036 dB);
/// with AVX2, at low rates, edges are placed to 1/2000 chip and the rounding of the carrier costs less than 0.001 dB.
#[derive(Debug, Clone)]
pub struct Correlator {
    sample_rate_hz: f64,
    level: Available,
    /// The faster one if none.
    kernel: Option<Kernel>,
}

/// A way to correlate, for measurements and tests: otherwise a [`Correlator`] takes the fastest that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// From running sums, at a cost that does not depend on the sample rate.
    RunningSums,
    /// Directly in 8 bits.
    Direct,
    /// Sample by sample in double precision: the definition, evaluated as it stands.
    Definition,
}

/// Most cycles that the carrier turns while it is held: sinc² loses 0.036 dB.
const MAX_TURN: f64 = 0.05;
/// Most samples that a difference of running sums may span: 256 full-scale ones fill 16 bits.
const MAX_SPAN: f64 = 250.0;
/// Most parts that a code value is taken in.
const MAX_PARTS: f64 = 4.0;

impl Correlator {
    /// A correlator of samples at `sample_rate_hz`. A level that this machine lacks counts as portable.
    pub fn new(sample_rate_hz: f64, level: Level) -> Self {
        Self { sample_rate_hz, level: Available::new(level), kernel: None }
    }

    /// One that always takes `kernel`, for measurements and tests: it gives none also where that kernel does
    /// not serve, as [`Kernel::Direct`] with a level that has none, at more than 0.9 code values (chips, or
    /// half chips of BOC) a sample, and [`Kernel::RunningSums`] where the carrier turns too fast.
    pub fn with_kernel(sample_rate_hz: f64, level: Level, kernel: Kernel) -> Self {
        Self { kernel: Some(kernel), ..Self::new(sample_rate_hz, level) }
    }

    /// Correlates. None if the view does not hold all the samples, or if the code rate is not positive.
    pub fn correlate(&self, view: &BandView<'_>, replica: &Replica, c: &Correlation) -> Option<Taps> {
        let [taps] = self.correlate_all(view, [replica], c)?;
        Some(taps)
    }

    /// Correlates with two codes at once, as of the data and the pilot component of a signal: the same as
    /// two calls of [`Self::correlate`] to within rounding, and cheaper directly and with BOC. None also if
    /// their periods or subcarriers differ.
    pub fn correlate_pair(
        &self,
        view: &BandView<'_>,
        replicas: [&Replica; 2],
        c: &Correlation,
    ) -> Option<[Taps; 2]> {
        self.correlate_all(view, replicas, c)
    }

    fn correlate_all<const N: usize>(
        &self,
        view: &BandView<'_>,
        replicas: [&Replica; N],
        c: &Correlation,
    ) -> Option<[Taps; N]> {
        let from = usize::try_from(c.start.checked_sub(view.range().start)?).ok()?;
        let to = from.checked_add(c.len)?;
        let samples = view.samples().get(from..to)?;
        let input = Input {
            start: c.start,
            samples,
            sums: view.sums().and_then(|sums| sums.get(from..=to)),
            tiles: view.tiles(),
        };
        let finite = [c.code_phase_chips, c.carrier_phase_cycles, c.carrier_freq_hz, c.tap_spacing_chips]
            .iter()
            .all(|v| v.is_finite());
        if !(finite && c.code_rate_hz > 0.0 && c.code_rate_hz.is_finite()) {
            return None;
        }
        let shape = |r: &Replica| (r.len(), r.per_chip());
        let first = shape(replicas.first()?);
        if replicas.iter().any(|r| shape(r) != first) {
            return None;
        }
        if c.len == 0 || first.0 == 0 {
            return Some([Taps::default(); N]);
        }
        let definition = || Some(replicas.map(|r| self.by_samples(samples, r, c)));
        let taps = match self.kernel {
            None => self.fast(&input, replicas, c).or_else(definition),
            Some(Kernel::Definition) => definition(),
            Some(_) => self.fast(&input, replicas, c),
        }?;
        Some(taps.map(|taps| {
            let [early, prompt, late] = taps.map(|s| Complex::new(s.re as f32, s.im as f32));
            Taps { early, prompt, late }
        }))
    }

    /// Directly or from the running sums; none where neither serves.
    fn fast<const N: usize>(
        &self,
        input: &Input<'_>,
        replicas: [&Replica; N],
        c: &Correlation,
    ) -> Option<[Sums; N]> {
        let replica = replicas.first()?;
        let per_chip = replica.per_chip() as f64;
        let plan = Plan {
            replicas,
            period: replica.len(),
            spacing: c.tap_spacing_chips * per_chip,
            samples_per_value: self.sample_rate_hz / (c.code_rate_hz * per_chip),
            phase: c.code_phase_chips * per_chip,
            turns: c.carrier_phase_cycles - floor(c.carrier_phase_cycles),
            cycles_per_sample: c.carrier_freq_hz / self.sample_rate_hz,
        };
        // Runs of chips cost the same at every spacing.
        let crossing = if replica.per_chip() == 1 { 0 } else { plan.sequences() - 2 };
        // Tiles are kept where they are quicker, and running sums are at hand only where they are not.
        let sums_first = input.tiles.is_none()
            && self.level.direct().is_none_or(|least| plan.samples_per_value > least[crossing]);
        match self.kernel {
            Some(Kernel::RunningSums) => self.by_sums(input, &plan),
            Some(Kernel::Direct) => self.direct(input, &plan),
            _ if sums_first => self.by_sums(input, &plan).or_else(|| self.direct(input, &plan)),
            _ => self.direct(input, &plan).or_else(|| self.by_sums(input, &plan)),
        }
    }

    /// Directly; none where that does not serve.
    fn direct<const N: usize>(&self, input: &Input<'_>, plan: &Plan<'_, N>) -> Option<[Sums; N]> {
        let step = 1.0 / plan.samples_per_value;
        let unit = (1u64 << direct::FRACTION) as f64;
        // The position is a number of 64 bits.
        if !(0.0..=(MARGIN - 1) as f64).contains(&plan.spacing) || plan.period >= 1 << (63 - direct::FRACTION)
        {
            return None;
        }
        let (first, fraction) = plan.place(0.0);
        let position = ((first as u64) << direct::FRACTION) + (fraction * unit) as u64;
        let offsets = [plan.spacing, 0.0, -plan.spacing];
        let in_tiles = input.tiles.filter(|tiles| {
            tiles::Job::is_served(step, plan.spacing, plan.cycles_per_sample, tiles.vectors, MAX_TURN)
        });
        if let Some((tiles, (lines, skip))) = in_tiles.and_then(|t| Some((t, t.from(input.start)?))) {
            let job = tiles::Job {
                lines,
                vectors: tiles.vectors,
                skip,
                len: input.samples.len(),
                position,
                step: (step * unit).round() as u64,
                period: plan.period,
                offsets,
                turns: plan.turns,
                cycles_per_sample: plan.cycles_per_sample,
            };
            return self.level.correlate_tiles(&job, plan.replicas);
        }
        if step > direct::max_step(plan.spacing) {
            return None;
        }
        let job = direct::Job {
            samples: input.samples,
            position,
            step: (step * unit).round() as u64,
            period: plan.period,
            offsets,
            carrier: cis(plan.turns),
            turn: cis(plan.cycles_per_sample),
        };
        self.level.correlate_direct(&job, plan.replicas)
    }

    /// From the running sums; none where they do not serve.
    fn by_sums<const N: usize>(&self, input: &Input<'_>, plan: &Plan<'_, N>) -> Option<[Sums; N]> {
        let sums = input.sums.map_or_else(|| Cow::Owned(self.add_up(input.samples)), Cow::Borrowed);
        let sums = &*sums;
        if let Some(taps) = self.over_runs(sums, plan) {
            return Some(taps);
        }
        match plan.sequences() {
            2 => self.over_edges::<N, 2>(sums, plan),
            _ => self.over_edges::<N, 3>(sums, plan),
        }
    }

    /// Running sums where none are kept: for what the direct correlators cannot do, as a carrier far off.
    fn add_up(&self, samples: &[Complex<i8>]) -> Vec<u32> {
        let mut sums = vec![0; samples.len() + 1];
        if let Some((_, sums)) = sums.split_first_mut() {
            self.level.running_sums(samples, 0, sums);
        }
        sums
    }

    /// From run to run of equal values; none where runs turn too far, are too long or too short.
    fn over_runs<const N: usize>(&self, sums: &[u32], plan: &Plan<'_, N>) -> Option<[Sums; N]> {
        let &Plan { samples_per_value, cycles_per_sample, spacing, .. } = plan;
        let cycles_per_value = cycles_per_sample * samples_per_value;
        let longest = LONGEST as f64;
        // A subcarrier ends most runs early, and two codes of it then have many edges in common.
        if plan.replicas.iter().any(|r| r.per_chip() > 1)
            || cycles_per_value.abs() * longest > MAX_TURN
            || samples_per_value * longest > MAX_SPAN
            || !(0.0..=MARGIN as f64).contains(&spacing)
            // Positions are numbers of 32 bits.
            || plan.period.max(sums.len()) > 1 << 28
        {
            return None;
        }
        let (first, fraction) = plan.place(-spacing);
        let position = first as f64 + fraction;
        let offsets = [2.0 * spacing, spacing, 0.0];
        let values = sums.len() as f64 / samples_per_value;
        let origin = offsets.map(|offset| -(position + offset) * samples_per_value);
        let later = origin.map(|origin| mean_up(origin, samples_per_value, values) - 0.5);
        // The others lie their offset from the prompt tap, and the samples of a run a little later than its
        // middle, by how much the edges are rounded up.
        let carriers: [_; 3] = std::array::from_fn(|t| {
            cis_small((spacing - offsets[t]) * cycles_per_value + later[t] * cycles_per_sample).conj()
        });
        Some(plan.replicas.map(|replica| {
            let taps = self.level.correlate_runs(&runs::Job {
                sums,
                runs: replica.runs(),
                period: plan.period,
                first,
                end: position + 2.0 * spacing + values,
                origin,
                step: samples_per_value,
                turns: plan.turns - (position + spacing) * cycles_per_value,
                cycles_per_value,
            });
            std::array::from_fn(|t| taps[t] * carriers[t])
        }))
    }

    /// With `M` sequences of edges.
    fn over_edges<const N: usize, const M: usize>(
        &self,
        sums: &[u32],
        plan: &Plan<'_, N>,
    ) -> Option<[Sums; N]> {
        let &Plan { samples_per_value, turns, cycles_per_sample, .. } = plan;
        let unit = (1u64 << FRACTION) as f64;
        let cycles_per_value = cycles_per_sample * samples_per_value;
        let widest = (MAX_TURN / cycles_per_value.abs()).min(MAX_SPAN / samples_per_value);
        let parts = (1.0 / widest).ceil().max(1.0);
        // Positions are numbers of 63 bits.
        let furthest = sums.len() as f64 + 2.0 * CHUNK as f64 * samples_per_value;
        if parts > MAX_PARTS || furthest > (1u64 << (62 - FRACTION)) as f64 {
            return None;
        }
        let mut places = [plan.place(plan.spacing), plan.place(0.0), plan.place(-plan.spacing)];
        let own = if M == 3 {
            [0, 1, 2]
        } else {
            // The late tap is a whole number of values behind the early one.
            let behind = (2.0 * plan.spacing).round() as usize % plan.period;
            places[2] = ((places[0].0 + plan.period - behind) % plan.period, places[0].1);
            [0, 1, 0]
        };
        let edge = |part: f64| -> [i64; M] {
            std::array::from_fn(|m| {
                let (_, fraction) = places[m];
                ((part / parts - fraction) * samples_per_value * unit).round() as i64 + ((1 << FRACTION) - 1)
            })
        };
        let values = (sums.len() as f64 / samples_per_value) as usize + 3;
        let step = (samples_per_value * unit).round() as i64;
        let mut taps = [Sums::default(); N];
        let turn = cis(cycles_per_value);
        for part in 0..parts as usize {
            let part = part as f64;
            let sums = self.level.correlate::<N, M>(&Job {
                sums,
                codes: plan.replicas.map(Replica::signs),
                period: plan.period,
                start: edge(part),
                end: (parts > 1.0).then(|| edge(part + 1.0)),
                taps: std::array::from_fn(|t| Tap { edges: own[t], first: places[t].0 }),
                values,
                step,
                turn,
            });
            // The samples of a value lie on average at its middle, half a sample early and later by what
            // both its edges are rounded up.
            let [from, to] =
                [part, part + 1.0].map(|part| edge(part).map(|start| rounded_up(start, step, values)));
            let middle = (part + 0.5) / parts;
            let carriers: [_; 3] = std::array::from_fn(|t| {
                let later = 0.5 * (from[own[t]] + to[own[t]] - 1.0);
                cis(turns + (middle - places[t].1) * cycles_per_value + later * cycles_per_sample).conj()
            });
            for (taps, sums) in taps.iter_mut().zip(sums) {
                for ((tap, sum), carrier) in taps.iter_mut().zip(sums).zip(carriers) {
                    *tap += sum * carrier;
                }
            }
        }
        Some(taps)
    }

    /// Sample by sample: slow, and right for every code rate, carrier and spacing.
    fn by_samples(&self, samples: &[Complex<i8>], replica: &Replica, c: &Correlation) -> Sums {
        let per_chip = replica.per_chip() as f64;
        let period = replica.len() as f64;
        let mut taps = Sums::default();
        for (n, x) in samples.iter().enumerate() {
            let n = n as f64;
            let carrier = cis(c.carrier_phase_cycles + n * (c.carrier_freq_hz / self.sample_rate_hz));
            let y = Complex::new(f64::from(x.re), f64::from(x.im)) * carrier.conj();
            let phase = c.code_phase_chips + n * (c.code_rate_hz / self.sample_rate_hz);
            for (tap, offset) in taps.iter_mut().zip([c.tap_spacing_chips, 0.0, -c.tap_spacing_chips]) {
                let value = ((phase + offset) * per_chip).rem_euclid(period).floor();
                *tap += y * f64::from(replica.value(value as i64));
            }
        }
        taps
    }
}

/// The samples of a correlation in all forms that are kept.
struct Input<'a> {
    /// Index of the first.
    start: u64,
    samples: &'a [Complex<i8>],
    sums: Option<&'a [u32]>,
    tiles: Option<TilesView<'a>>,
}

/// A correlation in terms of code values.
struct Plan<'a, const N: usize> {
    /// All of one shape.
    replicas: [&'a Replica; N],
    period: usize,
    spacing: f64,
    samples_per_value: f64,
    /// At the first sample, of the code and of the carrier.
    phase: f64,
    turns: f64,
    cycles_per_sample: f64,
}

impl<const N: usize> Plan<'_, N> {
    /// Place in the period of the value at the first sample, for a tap `offset` values ahead, and how much
    /// of it has passed.
    fn place(&self, offset: f64) -> (usize, f64) {
        let phase = self.phase + offset;
        let whole = floor(phase);
        let period = self.period as f64;
        let first = if (0.0..period).contains(&whole) { whole } else { whole.rem_euclid(period) };
        (first as usize % self.period, phase - whole)
    }

    /// How many sequences of edges the taps have: two if early and late ones coincide.
    fn sequences(&self) -> usize {
        // An edge is placed to within this many values.
        const SAME: f64 = 1e-9;
        let apart = 2.0 * self.spacing;
        if apart >= 0.0 && (apart - apart.round()).abs() < SAME { 2 } else { 3 }
    }
}

/// How many samples, from 0 to 1, the edges every `step` samples from `start` on are rounded up on average.
fn mean_up(start: f64, step: f64, values: f64) -> f64 {
    // So many edges, evenly spread, stand for all.
    const EDGES: i64 = 16;
    let unit = (1u64 << 32) as f64;
    let stride = step * ((values / EDGES as f64) as i64 | 1) as f64;
    let fraction = |samples: f64| ((samples - floor(samples)) * unit) as i64;
    let (start, stride) = (fraction(-start), fraction(-stride));
    // One just behind a sample is at it.
    let place = |k: i64| (start + k * stride + 2) & 0xffff_ffff;
    (0..EDGES).map(place).sum::<i64>() as f64 / (EDGES as f64 * unit)
}

/// exp(2πi `turns`) for a sixteenth of a turn at most.
#[inline]
pub(crate) fn cis_small(turns: f64) -> Complex<f64> {
    let x = turns * TAU;
    let y = x * x;
    let cos = 1.0 - y / 2.0 * (1.0 - y / 12.0 * (1.0 - y / 30.0 * (1.0 - y / 56.0 * (1.0 - y / 90.0))));
    let sin =
        x * (1.0 - y / 6.0 * (1.0 - y / 20.0 * (1.0 - y / 42.0 * (1.0 - y / 72.0 * (1.0 - y / 110.0)))));
    Complex::new(cos, sin)
}

/// How many samples, from 0 to 1, the edges from `start` on are rounded up on average.
fn rounded_up(start: i64, step: i64, values: usize) -> f64 {
    // So many edges, evenly spread, stand for all.
    const EDGES: usize = 64;
    let stride = step.wrapping_mul((values / EDGES) as i64 | 1);
    let (mut position, mut down) = (start, 0i64);
    for _ in 0..EDGES {
        down += position & ((1 << FRACTION) - 1);
        position = position.wrapping_add(stride);
    }
    1.0 - down as f64 / (EDGES as f64 * (1u64 << FRACTION) as f64)
}

/// The largest whole number not above `v`.
fn floor(v: f64) -> f64 {
    // Quicker than a call where the instruction set lacks the operation.
    if v.abs() < 1e15 {
        let whole = v as i64 as f64;
        if whole > v { whole - 1.0 } else { whole }
    } else {
        v.floor()
    }
}

/// exp(2πi `turns`).
#[inline]
pub(crate) fn cis(turns: f64) -> Complex<f64> {
    const HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
    // Eighths of a turn.
    const ROOTS: [(f64, f64); 8] = [
        (1.0, 0.0),
        (HALF, HALF),
        (0.0, 1.0),
        (-HALF, HALF),
        (-1.0, 0.0),
        (-HALF, -HALF),
        (0.0, -1.0),
        (HALF, -HALF),
    ];
    let turns = turns - floor(turns);
    let eighths = floor(8.0 * turns + 0.5);
    let (re, im) = ROOTS[eighths as usize % 8];
    cis_small(turns - eighths / 8.0) * Complex::new(re, im)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_exact() {
        for k in -4000..4000 {
            let turns = f64::from(k) * 0.001_234_567;
            let (sin, cos) = (TAU * turns).sin_cos();
            assert!((cis(turns) - Complex::new(cos, sin)).norm() < 1e-12, "{turns}");
        }
    }
}
