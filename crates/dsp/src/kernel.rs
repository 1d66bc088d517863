//! The inner loop of the running-sum correlator, once for all instruction sets.
//!
//! Each tap is a correlation of its own: the difference of the running sum over a value of the code (a
//! chip, or half a chip of BOC) is the sum of its samples, which takes the sign of the value and is turned
//! by the carrier at its middle. The edges of the values are looked up for a chunk of them at a time and
//! once for taps a whole number of values apart; the rest goes on side by side.

use num_complex::Complex;

use crate::arch::edges::{Steps, look_up};

/// Code values whose edges are looked up at a time.
pub(crate) const CHUNK: usize = 64;
/// Fraction bits of a position in samples.
pub(crate) const FRACTION: u32 = 36;

/// One of the taps.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tap {
    /// Which of the edges are its own.
    pub edges: usize,
    /// Place in the period of the first value.
    pub first: usize,
}

/// What the kernel works on.
pub(crate) struct Job<'a, const N: usize, const M: usize> {
    /// Running sums: entry n is the sum before sample n; one more than there are samples.
    pub sums: &'a [u32],
    /// Periodic codes with [`CHUNK`] values behind: 0 for +1, -1 for -1.
    pub codes: [&'a [i32]; N],
    /// Values in a period of the codes.
    pub period: usize,
    /// Where the first value begins: samples after the first one, with [`FRACTION`] fraction bits, rounded
    /// so that a right shift gives the first sample of the value.
    pub start: [i64; M],
    /// Where it ends, if not where the next one begins.
    pub end: Option<[i64; M]>,
    /// Early, prompt and late.
    pub taps: [Tap; 3],
    /// Number of values.
    pub values: usize,
    /// Samples of a value, with [`FRACTION`] fraction bits.
    pub step: i64,
    /// Rotation of the replica carrier from one value to the next.
    pub turn: Complex<f64>,
}

/// For each tap the sum of samples times conjugate carrier times code, the carrier being 1 at the middle of
/// the tap's first value.
pub(crate) type Sums = [Complex<f64>; 3];

#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Correlates with `N` codes over `M` sequences of edges, `L` values side by side.
#[inline(always)]
pub(crate) fn correlate<const N: usize, const M: usize, const L: usize, const FMA: bool>(
    job: &Job<'_, N, M>,
) -> [Sums; N] {
    let mut lane = [Complex::new(1.0f64, 0.0); L];
    lane[1] = job.turn;
    for l in 2..L {
        lane[l] = lane[l / 2] * lane[l - l / 2];
    }
    let stride = lane[L / 2] * lane[L / 2];
    // Rotations from the start of a chunk to its groups of values.
    let mut group = [Complex::new(1.0f64, 0.0); CHUNK];
    group[1] = stride;
    for g in 2..=CHUNK / L {
        group[g] = group[g / 2] * group[g - g / 2];
    }
    let (group_re, group_im) = (group.map(|v| v.re as f32), group.map(|v| v.im as f32));
    let mut base = Complex::new(1.0f64, 0.0);
    let mut limits = Limits { start: job.start, end: job.end };
    let mut at = job.taps.map(|tap| tap.first);
    let mut sum = [[[[0.0f32; L]; 4]; 3]; N];
    // One chunk is looked up while the one before it is summed.
    let mut looked_up = [[[[0u32; CHUNK + 1]; 2]; M]; 2];
    let steps: Steps = std::array::from_fn(|k| k as i64 * job.step);
    limits.look_up(job.sums, &steps, &mut looked_up[0]);

    for chunk in 0..job.values.div_ceil(CHUNK) {
        limits.look_up(job.sums, &steps, &mut looked_up[(chunk + 1) % 2]);
        let edges = &looked_up[chunk % 2];
        let (base_re, base_im) = (base.re as f32, base.im as f32);
        base *= group[CHUNK / L];
        let mut carrier = [[0.0f32; CHUNK]; 2];
        for g in 0..CHUNK / L {
            carrier[0][g] = fma::<FMA>(base_re, group_re[g], -(base_im * group_im[g]));
            carrier[1][g] = fma::<FMA>(base_re, group_im[g], base_im * group_re[g]);
        }
        for t in 0..3 {
            let [own, end] = &edges[job.taps[t].edges % M];
            let from: &[u32; CHUNK] = own.first_chunk().unwrap_or(&[0; CHUNK]);
            let next: &[u32; CHUNK] = own[1..].first_chunk().unwrap_or(&[0; CHUNK]);
            let end: &[u32; CHUNK] = end.first_chunk().unwrap_or(&[0; CHUNK]);
            let to = if job.end.is_some() { end } else { next };
            for (sum, code) in sum.iter_mut().zip(job.codes) {
                let code: &[i32; CHUNK] =
                    code.get(at[t]..).and_then(|c| c.first_chunk()).unwrap_or(&[0; CHUNK]);
                sum[t] = add::<L, FMA>(sum[t], from, to, code, &carrier);
            }
            at[t] += CHUNK;
            if at[t] >= job.period {
                at[t] %= job.period;
            }
        }
    }
    sum.map(|sum| {
        sum.map(|[i_re, i_im, both_re, both_im]| {
            let mut total = Complex::default();
            for (l, lane) in lane.iter().enumerate() {
                let [i_re, i_im, both_re, both_im] =
                    [i_re[l], i_im[l], both_re[l], both_im[l]].map(|v| f64::from(v) / 65536.0);
                let (q_re, q_im) = (both_re - i_re / 65536.0, both_im - i_im / 65536.0);
                total += Complex::new(i_re + q_im, q_re - i_im) * lane.conj();
            }
            total
        })
    })
}

/// Where the next chunk of each sequence of edges begins.
struct Limits<const M: usize> {
    start: [i64; M],
    end: Option<[i64; M]>,
}

impl<const M: usize> Limits<M> {
    /// Looks the chunk up and goes on to the next.
    #[inline(always)]
    fn look_up(&mut self, sums: &[u32], steps: &Steps, chunk: &mut [[[u32; CHUNK + 1]; 2]; M]) {
        for (m, [own, end]) in chunk.iter_mut().enumerate() {
            look_up(sums, self.start[m], steps, own);
            self.start[m] += steps[CHUNK];
            if let Some(ends) = &mut self.end {
                look_up(sums, ends[m], steps, end);
                ends[m] += steps[CHUNK];
            }
        }
    }
}

/// Adds a chunk: I times the real and the imaginary part of the carrier, then the same of I and Q together.
#[inline(always)]
fn add<const L: usize, const FMA: bool>(
    [mut i_re, mut i_im, mut both_re, mut both_im]: [[f32; L]; 4],
    from: &[u32; CHUNK],
    to: &[u32; CHUNK],
    code: &[i32; CHUNK],
    [carrier_re, carrier_im]: &[[f32; CHUNK]; 2],
) -> [[f32; L]; 4] {
    for (g, (&re, &im)) in carrier_re.iter().zip(carrier_im).enumerate().take(CHUNK / L) {
        for l in 0..L {
            let v = g * L + l;
            let d = to[v].wrapping_sub(from[v]).cast_signed();
            // I plus 65536 Q: negated as one.
            let both = (d ^ code[v]).wrapping_sub(code[v]);
            let i = (both << 16) as f32;
            let both = both as f32;
            i_re[l] = fma::<FMA>(i, re, i_re[l]);
            i_im[l] = fma::<FMA>(i, im, i_im[l]);
            both_re[l] = fma::<FMA>(both, re, both_re[l]);
            both_im[l] = fma::<FMA>(both, im, both_im[l]);
        }
    }
    [i_re, i_im, both_re, both_im]
}
