//! The running-sum correlator over runs of equal chips, once for all instruction sets.
//!
//! The difference of the running sum over a run of equal chips is the sum of its samples, which takes the
//! sign of the chips and is turned by the carrier at the middle of the run. Every second chip begins a run
//! on average, so that this takes half as many look-ups as going from chip to chip.

use num_complex::Complex;

use crate::arch::edges::{Edges, look_up_runs};
use crate::kernel::{Sums, fma};

/// Runs looked up side by side.
pub(crate) const BLOCK: usize = 16;
/// Blocks looked up at a time.
const BLOCKS: usize = 4;
/// Values in the longest run: longer ones are taken in parts.
pub(crate) const LONGEST: usize = 4;

/// The runs of one period of a code.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    /// Where each ends, in values; one period and as many as are looked up at a time.
    ends: Vec<i32>,
    /// Twice the middle of each, in values, with the highest bit set for runs of -1.
    middles: Vec<u32>,
    /// How many begin in a period.
    count: usize,
}

impl Runs {
    /// Of one period of values.
    pub(crate) fn new(values: &[i8]) -> Self {
        let (mut ends, mut middles) = (Vec::new(), Vec::new());
        let mut start = 0;
        for run in values.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(LONGEST)) {
            let end = start + run.len();
            let sign = if run.first().is_some_and(|&v| v < 0) { 1 << 31 } else { 0 };
            ends.push(end as i32);
            middles.push((start + end) as u32 | sign);
            start = end;
        }
        let count = ends.len();
        if count > 0 {
            for k in 0..BLOCK * BLOCKS {
                ends.push(ends[k] + values.len() as i32);
                middles.push(middles[k] + 2 * values.len() as u32);
            }
        }
        Self { ends, middles, count }
    }

    /// The run that value `index` of the period lies in, and where it starts.
    fn at(&self, index: usize) -> (usize, i32) {
        let run = self.ends.partition_point(|&end| end as usize <= index);
        (run, run.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0))
    }
}

/// What the kernel works on. Positions are in values, from the beginning of a period on.
pub(crate) struct Job<'a> {
    /// Running sums: entry n is the sum before sample n; one more than there are samples.
    pub sums: &'a [u32],
    pub runs: &'a Runs,
    /// Values in a period.
    pub period: usize,
    /// The first value, within the first period.
    pub first: usize,
    /// The position beyond which there are no samples for any tap.
    pub end: f64,
    /// Samples from the first one to position 0 for early, prompt and late.
    pub origin: [f64; 3],
    /// Samples of a value.
    pub step: f64,
    /// Phase of the replica carrier in cycles at position 0, and from one value to the next.
    pub turns: f64,
    pub cycles_per_value: f64,
}

/// Some runs, looked up. Aligned to the widest vectors.
#[derive(Clone, Copy)]
#[repr(align(64), C)]
struct Chunk {
    edges: [Edges; 3],
    phases: [i32; CHUNK],
    blocks: usize,
}

/// Most runs of a [`Chunk`].
pub(crate) const CHUNK: usize = BLOCK * BLOCKS;

/// Goes over the runs.
struct Walk<'a> {
    job: &'a Job<'a>,
    /// Phase of the carrier from one half of a value to the next, in 2^-32 cycles. It is odd, so that the
    /// highest bit of twice a middle is half a turn.
    turn: u32,
    /// Position of the period.
    base: f64,
    /// Next run in the period.
    at: usize,
    /// Sums at its start.
    sums: [u32; 3],
}

/// `cycles` in 2^-32 cycles, modulo one.
fn phase(cycles: f64) -> u32 {
    ((cycles - cycles.round()) * 4_294_967_296.0).round() as i64 as u32
}

impl<'a> Walk<'a> {
    #[inline(always)]
    fn new(job: &'a Job<'a>) -> Self {
        let (at, start) = job.runs.at(job.first);
        let turn = phase(0.5 * job.cycles_per_value) | 1;
        let sums = job.origin.map(|origin| {
            let index = (f64::from(start) * job.step + origin).ceil().max(0.0) as usize;
            job.sums.get(index).or(job.sums.last()).copied().unwrap_or(0)
        });
        Self { job, turn, base: 0.0, at, sums }
    }

    /// Looks up the next runs; false if there are none behind.
    #[inline(always)]
    fn look_up<const FMA: bool>(&mut self, chunk: &mut Chunk) -> bool {
        let Job { sums, runs, step, .. } = *self.job;
        let get = |list: &'a [i32]| list.get(self.at..).and_then(|l| l.first_chunk::<CHUNK>());
        let ends = get(&runs.ends);
        let middles = runs.middles.get(self.at..).and_then(|l| l.first_chunk::<CHUNK>());
        let (Some(ends), Some(middles)) = (ends, middles) else {
            chunk.blocks = 0;
            return false;
        };
        let left = self.job.end - self.base;
        chunk.blocks = 1;
        while chunk.blocks < BLOCKS && f64::from(ends[chunk.blocks * BLOCK - 1]) < left {
            chunk.blocks += 1;
        }
        let origin = self.job.origin.map(|origin| origin + self.base * step);
        for (edges, &sum) in chunk.edges.iter_mut().zip(&self.sums) {
            edges[BLOCK - 1] = sum;
        }
        look_up_runs::<FMA>(sums, chunk.blocks, ends, origin, step, &mut chunk.edges);
        let base = phase(self.job.turns + self.base * self.job.cycles_per_value);
        for (phase, &middle) in chunk.phases.iter_mut().zip(middles) {
            *phase = middle.wrapping_mul(self.turn).wrapping_add(base).cast_signed();
        }
        self.sums = chunk.edges.map(|edges| edges[BLOCK + CHUNK - 1]);
        self.at += CHUNK;
        if self.at >= runs.count {
            self.base += (self.at / runs.count * self.job.period) as f64;
            self.at %= runs.count;
        }
        f64::from(ends[CHUNK - 1]) < left
    }
}

/// For each tap the sum of samples times conjugate carrier times code; `L` runs side by side.
#[inline(always)]
pub(crate) fn correlate<const L: usize, const FMA: bool>(job: &Job<'_>) -> Sums {
    let mut walk = Walk::new(job);
    let mut chunks = [Chunk { blocks: 0, edges: [[0; BLOCK + CHUNK]; 3], phases: [0; CHUNK] }; 2];
    let mut sum = [[[0.0f32; L]; 4]; 3];
    let [mut now, mut then] = chunks.each_mut();
    let mut more = walk.look_up::<FMA>(now);
    loop {
        // One chunk is looked up while the one before it is summed.
        let last = !more;
        if more {
            more = walk.look_up::<FMA>(then);
        }
        add::<L, FMA>(&mut sum, now);
        if last {
            break;
        }
        (now, then) = (then, now);
    }
    sum.map(|parts| {
        let [i_re, i_im, both_re, both_im] = parts.map(|lanes| total(lanes) / 65536.0);
        let (q_re, q_im) = (both_re - i_re / 65536.0, both_im - i_im / 65536.0);
        Complex::new(i_re + q_im, q_re - i_im)
    })
}

/// The sum of the lanes, in halves.
#[inline(always)]
fn total<const L: usize>(lanes: [f32; L]) -> f64 {
    let mut sums = [0.0f64; L];
    for (sum, lane) in sums.iter_mut().zip(lanes) {
        *sum = f64::from(lane);
    }
    let mut half = L / 2;
    while half > 0 {
        for l in 0..half {
            sums[l] += sums[l + half];
        }
        half /= 2;
    }
    sums[0]
}

/// Cosine and sine of 2^-32 cycles, to within 1e-6.
#[inline(always)]
fn cis<const FMA: bool>(phase: i32) -> [f32; 2] {
    const SIN: [f32; 4] = [3.141_582, -5.167_143, 2.541_899, -0.554_636_2];
    const COS: [f32; 5] = [0.999_999_95, -4.934_793, 4.058_412, -1.331_880_2, 0.219_696_8];
    let half_turns = phase as f32 * (1.0 / 2_147_483_648.0);
    // The quarter behind or before: its sine is the cosine, and its cosine the sine but for the sign.
    let q = half_turns.abs() - 0.5;
    let square = q * q;
    let sin = fma::<FMA>(fma::<FMA>(fma::<FMA>(SIN[3], square, SIN[2]), square, SIN[1]), square, SIN[0]);
    let cos = fma::<FMA>(fma::<FMA>(COS[4], square, COS[3]), square, COS[2]);
    let cos = fma::<FMA>(fma::<FMA>(cos, square, COS[1]), square, COS[0]);
    [-(sin * q), cos.copysign(half_turns)]
}

/// Adds a chunk for each tap.
#[inline(always)]
fn add<const L: usize, const FMA: bool>(sum: &mut [[[f32; L]; 4]; 3], chunk: &Chunk) {
    let (phases, _) = chunk.phases.as_chunks::<BLOCK>();
    let mut carriers = [[[0.0; BLOCK]; 2]; BLOCKS];
    for ([re, im], phases) in carriers.iter_mut().zip(phases).take(chunk.blocks) {
        for k in 0..BLOCK {
            [re[k], im[k]] = cis::<FMA>(phases[k]);
        }
    }
    for (sum, edges) in sum.iter_mut().zip(&chunk.edges) {
        let (from, _) = edges[BLOCK - 1..].as_chunks::<BLOCK>();
        let (to, _) = edges[BLOCK..].as_chunks::<BLOCK>();
        let mut total = *sum;
        for ((from, to), carrier) in from.iter().zip(to).zip(&carriers).take(chunk.blocks) {
            total = add_block::<L, FMA>(total, from, to, carrier);
        }
        *sum = total;
    }
}

/// Adds I times the real and the imaginary part of the carrier, then the same of I and Q together.
#[inline(always)]
fn add_block<const L: usize, const FMA: bool>(
    [mut i_re, mut i_im, mut both_re, mut both_im]: [[f32; L]; 4],
    from: &[u32; BLOCK],
    to: &[u32; BLOCK],
    [re, im]: &[[f32; BLOCK]; 2],
) -> [[f32; L]; 4] {
    for g in 0..BLOCK / L {
        for l in 0..L {
            let k = g * L + l;
            // I plus 65536 Q.
            let both = to[k].wrapping_sub(from[k]).cast_signed();
            let i = (both << 16) as f32;
            let both = both as f32;
            i_re[l] = fma::<FMA>(i, re[k], i_re[l]);
            i_im[l] = fma::<FMA>(i, im[k], i_im[l]);
            both_re[l] = fma::<FMA>(both, re[k], both_re[l]);
            both_im[l] = fma::<FMA>(both, im[k], both_im[l]);
        }
    }
    [i_re, i_im, both_re, both_im]
}
