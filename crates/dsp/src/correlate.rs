use std::f64::consts::TAU;

use num_complex::Complex;

use crate::arch::Available;
use crate::direct;
use crate::kernel::{Bin, FRACTION, Job, SCALE};
use crate::replica::MARGIN;
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
/// the sample rate: chip edges are placed exactly; the carrier is held over bins of a chip or less, which
/// costs at most 0.04 dB. Directly in 8 bits, with AVX2 and AVX-512 at low rates: edges are placed to
/// 1/2000 chip without bias, and the rounding of the carrier costs less than 0.001 dB.
#[derive(Debug, Clone)]
pub struct Correlator {
    sample_rate_hz: f64,
    level: Available,
}

/// Most bins that a code value is divided into.
const MAX_BINS: usize = 4;
/// Most cycles that the carrier turns over a bin: sinc² loses 0.036 dB.
const MAX_TURN: f64 = 0.05;
/// Most samples of a bin: 256 full-scale ones fill 16 bits.
const MAX_BIN_SAMPLES: f64 = 250.0;
/// Bins narrower than this, in code values, are none.
const MIN_WIDTH: f64 = 1e-9;

/// How each code value is divided: bin j goes from `edge[j]` to `edge[j + 1]`.
struct Division {
    edge: [f64; MAX_BINS + 1],
    bins: usize,
}

impl Division {
    /// Divides at the transitions of all taps, then so that no bin is wider than `widest`.
    fn new(spacing: f64, widest: f64) -> Option<Self> {
        let late = spacing - spacing.floor();
        let early = 1.0 - late;
        let transitions = [0.0, late.min(early), late.max(early), 1.0];
        let mut edge = [0.0; MAX_BINS + 1];
        let mut bins = 0;
        for to in transitions {
            let from = edge[bins];
            let width = to - from;
            if width < MIN_WIDTH {
                continue;
            }
            let parts = (width / widest).ceil().max(1.0);
            if parts > (MAX_BINS - bins) as f64 {
                return None;
            }
            for part in 1..=parts as usize {
                bins += 1;
                edge[bins] = from + width * part as f64 / parts;
            }
        }
        edge[bins] = 1.0;
        Some(Self { edge, bins })
    }
}

impl Correlator {
    /// A correlator of samples at `sample_rate_hz`. A level that this machine lacks counts as portable.
    pub fn new(sample_rate_hz: f64, level: Level) -> Self {
        Self { sample_rate_hz, level: Available::new(level) }
    }

    /// Correlates. None if the view does not hold all the samples, or if the code rate is not positive.
    pub fn correlate(&self, view: &BandView<'_>, replica: &Replica, c: &Correlation) -> Option<Taps> {
        let from = usize::try_from(c.start.checked_sub(view.range().start)?).ok()?;
        let to = from.checked_add(c.len)?;
        let samples = view.samples().get(from..to)?;
        let sums = view.sums().get(from..=to)?;
        let finite = [c.code_phase_chips, c.carrier_phase_cycles, c.carrier_freq_hz, c.tap_spacing_chips]
            .iter()
            .all(|v| v.is_finite());
        if !(finite && c.code_rate_hz > 0.0 && c.code_rate_hz.is_finite()) {
            return None;
        }
        if c.len == 0 || replica.len() == 0 {
            return Some(Taps::default());
        }
        let taps = self.fast(samples, sums, replica, c);
        let taps = taps.unwrap_or_else(|| self.by_samples(samples, replica, c));
        let [early, prompt, late] = taps.map(|s| Complex::new(s.re as f32, s.im as f32));
        Some(Taps { early, prompt, late })
    }

    /// Directly or from the running sums; none where neither serves.
    fn fast(
        &self,
        samples: &[Complex<i8>],
        sums: &[u32],
        replica: &Replica,
        c: &Correlation,
    ) -> Option<[Complex<f64>; 3]> {
        let per_chip = replica.per_chip() as f64;
        let phase = c.code_phase_chips * per_chip;
        let whole = phase.floor();
        let samples_per_value = self.sample_rate_hz / (c.code_rate_hz * per_chip);
        let plan = Plan {
            replica,
            spacing: c.tap_spacing_chips * per_chip,
            samples_per_value,
            first: whole.rem_euclid(replica.len() as f64) as usize % replica.len(),
            fraction: phase - whole,
            turns: c.carrier_phase_cycles - c.carrier_phase_cycles.floor(),
            cycles_per_sample: c.carrier_freq_hz / self.sample_rate_hz,
        };
        if !(0.0..=(MARGIN - 1) as f64).contains(&plan.spacing) || samples_per_value < 1.0 {
            return None;
        }
        let widest = (MAX_TURN / (plan.cycles_per_sample * samples_per_value).abs())
            .min(MAX_BIN_SAMPLES / samples_per_value);
        let division = Division::new(plan.spacing, widest);
        let cheap = |d: &Division| {
            self.level.direct().is_none_or(|samples| samples_per_value > samples * d.bins as f64)
        };
        match &division {
            Some(division) if cheap(division) => self.by_sums(sums, &plan, division),
            _ => self.direct(samples, sums, &plan).or_else(|| self.by_sums(sums, &plan, division.as_ref()?)),
        }
    }

    /// Directly; none where that does not serve.
    fn direct(&self, samples: &[Complex<i8>], sums: &[u32], plan: &Plan<'_>) -> Option<[Complex<f64>; 3]> {
        let step = 1.0 / plan.samples_per_value;
        let period = plan.replica.len();
        let unit = (1u64 << direct::FRACTION) as f64;
        // The position is a number of 64 bits.
        if step > direct::max_step(plan.spacing) || period >= 1 << (63 - direct::FRACTION) {
            return None;
        }
        let job = direct::Job {
            samples,
            sums,
            position: ((plan.first as u64) << direct::FRACTION) + (plan.fraction * unit) as u64,
            step: (step * unit).round() as u64,
            period,
            offsets: [plan.spacing, 0.0, -plan.spacing],
            carrier: cis(plan.turns),
            turn: cis(plan.cycles_per_sample),
        };
        let [taps] = self.level.correlate_direct(&job, [plan.replica])?;
        Some(taps)
    }

    /// From the running sums; none where they do not serve.
    fn by_sums(&self, sums: &[u32], plan: &Plan<'_>, division: &Division) -> Option<[Complex<f64>; 3]> {
        let &Plan { spacing, samples_per_value, fraction, .. } = plan;
        if sums.len() as f64 + 32.0 * samples_per_value > (1u64 << (62 - FRACTION)) as f64 {
            return None;
        }
        let cycles_per_value = plan.cycles_per_sample * samples_per_value;
        let values = ((sums.len() - 1) as f64 / samples_per_value + fraction).ceil() as usize + 1;
        let unit = (1u64 << FRACTION) as f64;
        let bin = |j: usize| {
            let [from, to] = [division.edge[j], division.edge[j + 1]];
            let middle = 0.5 * (from + to);
            Bin {
                start: ((from - fraction) * samples_per_value * unit).round() as i64 + ((1 << FRACTION) - 1),
                early: (middle + spacing).floor() as i8,
                late: (middle - spacing).floor() as i8,
            }
        };
        let bins: [Bin; MAX_BINS] =
            std::array::from_fn(|j| if j < division.bins { bin(j) } else { Bin::default() });
        // The samples of a bin lie on average at its middle: both its edges are rounded up alike, and the
        // last sample is the one before its end.
        let start_turns = plan.turns + (0.5 - fraction) * cycles_per_value;
        let job = Job {
            sums,
            code: plan.replica.extended(),
            period: plan.replica.len(),
            first: plan.first,
            values,
            step: (samples_per_value * unit).round() as i64,
            carrier: cis(start_turns),
            turn: cis(cycles_per_value),
        };
        // Bins that share the prompt's sum in the common cases; all bins apart in the others.
        let apart = |early: usize, late: usize| {
            let used = bins.iter().take(division.bins);
            used.enumerate().all(|(j, b)| (j >= early || b.early == 0) && (j < late || b.late == 0))
        };
        let run = Run { level: self.level, job: &job, bins: &bins, division, cycles_per_value };
        Some(match division.bins {
            1 if apart(1, 0) => run.taps::<1, 1, 0>(),
            1 => run.taps::<1, 0, 1>(),
            2 if apart(1, 1) => run.taps::<2, 1, 1>(),
            2 => run.taps::<2, 0, 2>(),
            3 if apart(2, 1) => run.taps::<3, 2, 1>(),
            3 => run.taps::<3, 0, 3>(),
            4 if apart(3, 1) => run.taps::<4, 3, 1>(),
            _ => run.taps::<4, 0, 4>(),
        })
    }

    /// Sample by sample: slow, and right for every code rate, carrier and spacing.
    fn by_samples(&self, samples: &[Complex<i8>], replica: &Replica, c: &Correlation) -> [Complex<f64>; 3] {
        let per_chip = replica.per_chip() as f64;
        let period = replica.len() as f64;
        let mut taps = [Complex::<f64>::default(); 3];
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

/// A correlation in terms of code values.
struct Plan<'a> {
    replica: &'a Replica,
    spacing: f64,
    samples_per_value: f64,
    /// Place in the period of the value at the first sample, and how much of it has passed.
    first: usize,
    fraction: f64,
    /// Carrier phase at the first sample.
    turns: f64,
    cycles_per_sample: f64,
}

/// A correlation that is ready for the kernel.
struct Run<'a> {
    level: Available,
    job: &'a Job<'a>,
    bins: &'a [Bin; MAX_BINS],
    division: &'a Division,
    cycles_per_value: f64,
}

impl Run<'_> {
    /// Runs the kernel and joins its bins, each turned to its own middle.
    fn taps<const M: usize, const EARLY: usize, const LATE: usize>(&self) -> [Complex<f64>; 3] {
        let mut taps = [Complex::<f64>::default(); 3];
        let Some(bins) = self.bins.first_chunk::<M>() else { return taps };
        let totals = self.level.correlate::<M, EARLY, LATE>(self.job, bins);
        for (sums, edge) in totals.iter().zip(self.division.edge.windows(2)) {
            let [from, to] = edge else { continue };
            let turn = cis((0.5 * (from + to) - 0.5) * self.cycles_per_value).conj() / SCALE;
            taps.iter_mut().zip(sums).for_each(|(tap, sum)| *tap += sum * turn);
        }
        taps
    }
}

/// exp(2πi `turns`).
fn cis(turns: f64) -> Complex<f64> {
    let (sin, cos) = ((turns - turns.floor()) * TAU).sin_cos();
    Complex::new(cos, sin)
}
