//! What the correlators that go sample by sample in 8 bits share.
//!
//! Samples are taken in runs. Within a run the carrier is a table of 8-bit pairs, the same in every run;
//! the sums of a run are turned to its start in floating point, so the phase is exact at any frequency. The
//! code comes from a window of its values by an index for each sample, which is the code phase in 16 bits:
//! edges are placed to 1/2048 of a value or better, without bias.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

use num_complex::Complex;

use crate::replica::MARGIN;

/// Samples of a run.
pub(crate) const RUN: usize = 128;
/// Fraction bits of a position in the code.
pub(crate) const FRACTION: u32 = 40;
/// Code values that one index may reach.
pub(crate) const REACH: usize = 64;

/// Most code values a sample, with taps `spacing` values from the prompt: the phases of 16 samples, from
/// the late tap to the early one, then lie within 16 values, and those of 64 samples within 64.
pub(crate) fn max_step(spacing: f64) -> f64 {
    (14.0 - 2.0 * spacing) / 15.0 - 1e-3
}

/// Amplitude of the carrier table: two products with 8-bit numbers, added, fit 16 bits even when doubled.
const AMPLITUDE: f32 = 63.0;
/// A sum over samples comes out this much too large.
pub(crate) const SCALE: f64 = AMPLITUDE as f64;

/// What the kernels work on.
pub(crate) struct Job<'a> {
    pub samples: &'a [Complex<i8>],
    /// Position of the first sample in the code, less than a period, and the advance a sample, in values
    /// with [`FRACTION`] fraction bits.
    pub position: u64,
    pub step: u64,
    /// Values in a period of the code.
    pub period: usize,
    /// Early, prompt and late tap: values from the prompt.
    pub offsets: [f64; 3],
    /// Replica carrier at the first sample.
    pub carrier: Complex<f64>,
    /// Its rotation from one sample to the next.
    pub turn: Complex<f64>,
}

/// Samples side by side where the carrier is computed.
pub(crate) const LANES: usize = 16;

/// Rotations over 0 to 15 samples, and that over 16.
#[inline(always)]
pub(crate) fn lanes(turn: Complex<f64>) -> ([Complex<f64>; LANES], Complex<f64>) {
    let mut lane = [Complex::new(1.0f64, 0.0); LANES];
    lane[1] = turn;
    for l in 2..LANES {
        lane[l] = lane[l / 2] * lane[l - l / 2];
    }
    (lane, lane[LANES / 2] * lane[LANES / 2])
}

/// Carrier of a run: for each sample (cos, sin) and (-sin, cos), the first of a pair in the low byte.
pub(crate) struct Table {
    pub re: [i16; RUN],
    pub im: [i16; RUN],
}

impl Table {
    /// Also returns the rotation over a run.
    #[inline(always)]
    pub(crate) fn new(turn: Complex<f64>) -> (Self, Complex<f64>) {
        let (lane, group) = lanes(turn);
        let lane_re: [f32; LANES] = std::array::from_fn(|l| lane[l].re as f32 * AMPLITUDE);
        let lane_im: [f32; LANES] = std::array::from_fn(|l| lane[l].im as f32 * AMPLITUDE);
        let mut base = Complex::new(1.0f64, 0.0);
        let mut table = Self { re: [0; RUN], im: [0; RUN] };
        let parts = table.re.as_chunks_mut::<LANES>().0.iter_mut().zip(table.im.as_chunks_mut::<LANES>().0);
        for ((table_re, table_im), dither) in parts.zip(DITHER.as_chunks::<LANES>().0) {
            let (re, im) = (base.re as f32, base.im as f32);
            for l in 0..LANES {
                // Rounded by a threshold that differs from sample to sample: no phase error is left when
                // a slow carrier keeps close to one value.
                let cos = round(re * lane_re[l] - im * lane_im[l] + dither[l]);
                let sin = round(re * lane_im[l] + im * lane_re[l] + dither[l]);
                table_re[l] = ((cos & 0xff) | (sin << 8)) as i16;
                table_im[l] = ((-sin & 0xff) | (cos << 8)) as i16;
            }
            base *= group;
        }
        (table, base)
    }
}

/// The integer nearest to `v`, of a size below 2^22, in a way that is done side by side.
#[inline(always)]
fn round(v: f32) -> i32 {
    // This many, 1.5 * 2^23, leave no fraction bits.
    const SHIFT: f32 = 12_582_912.0;
    (v + SHIFT).to_bits().cast_signed() - SHIFT.to_bits().cast_signed()
}

/// From -1/2 to 1/2, spread evenly over any stretch of a run: the bits of the index reversed.
pub(crate) const DITHER: [f32; RUN] = {
    let mut dither = [0.0; RUN];
    let mut l = 0;
    while l < RUN {
        let reversed = (l as u32).reverse_bits() >> (32 - RUN.trailing_zeros());
        dither[l] = (reversed as f32 + 0.5) / RUN as f32 - 0.5;
        l += 1;
    }
    dither
};

/// Walk through the code in blocks of `LANES` samples, with `BITS` fraction bits in the indices.
pub(crate) struct Walk<const LANES: usize, const BITS: u32> {
    position: u64,
    stride: u64,
    wrap: u64,
    margin: usize,
    /// For each tap, code phase of each sample of a block, from the first value of the block's window and
    /// less the fraction of the block's own phase.
    pub lanes: [[u16; LANES]; 3],
}

impl<const LANES: usize, const BITS: u32> Walk<LANES, BITS> {
    #[inline(always)]
    pub(crate) fn new(job: &Job<'_>) -> Self {
        let step = (job.step >> (FRACTION - BITS - 16)) as u32;
        let wrap = (job.period as u64) << FRACTION;
        let [_, _, late] = job.offsets;
        let lowest = late.floor();
        // Of the two numbers that add up to an index this one is rounded and the other, the fraction of a
        // block's position, cut off: together that leaves edges where they are on average.
        let mut lanes = [[0u16; LANES]; 3];
        for (lanes, offset) in lanes.iter_mut().zip(job.offsets) {
            let from = ((offset - lowest) * f64::from(1u32 << (BITS + 16))) as u32 + (1 << 15);
            for (l, lane) in lanes.iter_mut().enumerate() {
                *lane = ((from + l as u32 * step) >> 16) as u16;
            }
        }
        let mut stride = job.step * LANES as u64;
        if stride >= wrap {
            stride %= wrap;
        }
        Self { position: job.position, stride, wrap, margin: (MARGIN as f64 + lowest) as usize, lanes }
    }

    /// Where the window of the next block begins in the code, and the fraction of the block's phase.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> (usize, i16) {
        let at = (self.position >> FRACTION) as usize + self.margin;
        let fraction = (self.position >> (FRACTION - BITS)) as i16 & ((1 << BITS) - 1);
        self.position += self.stride;
        if self.position >= self.wrap {
            self.position -= self.wrap;
        }
        (at, fraction)
    }
}
