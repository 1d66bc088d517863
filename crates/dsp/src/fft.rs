//! Fourier transforms for searches: spectra times codes, back to correlations.
//!
//! Real and imaginary parts are kept apart, so that the arithmetic needs no shuffles. With L lanes to a
//! vector and N = M · L, the samples are M rows of L. The transform of length M down the rows works on all
//! lanes at once, in place; the one of length L across the lanes is done after turning squares of L rows
//! round. The product with a code, shifted by any number of lines, is taken as the first pass reads its
//! input.

mod butterfly;
mod planar;

use std::f64::consts::TAU;

use crate::Level;
use crate::arch::Available;
pub(crate) use butterfly::dft16;
pub(crate) use butterfly::{Cx, Lanes, dft4, dft8};
use butterfly::{dft2, dft3, dft5};
pub use planar::Planar;

/// One pass down the rows.
#[derive(Debug, Clone)]
struct Pass {
    radix: usize,
    /// Rows of the transforms that this pass takes apart.
    span: usize,
    /// Real and imaginary parts of exp(j 2π j q / span), for each j the R of them.
    twiddles: Vec<[f32; 2]>,
}

/// What a transform is made of.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    pub(crate) len: usize,
    passes: Vec<Pass>,
    /// Rows in the order of the frequencies that they hold in the end.
    pub(crate) order: Vec<u32>,
    /// For each L frequencies and each lane: exp(j 2π frequency · lane / N), real and imaginary parts.
    pub(crate) twiddles: Vec<f32>,
}

impl Steps {
    fn new(len: usize, lanes: usize) -> Option<Self> {
        if len == 0 || !len.is_multiple_of(lanes * lanes) {
            return None;
        }
        let rows = len / lanes;
        let radices = radices(rows)?;
        let mut span = rows;
        let mut passes = Vec::new();
        for &radix in &radices {
            let twiddles = (0..span / radix)
                .flat_map(|j| (0..radix).map(move |q| turn((j * q) as f64 / span as f64)))
                .collect();
            passes.push(Pass { radix, span, twiddles });
            span /= radix;
        }
        let order = (0..rows)
            .map(|frequency| {
                let (mut rest, mut span, mut row) = (frequency, rows, 0);
                for radix in &radices {
                    span /= radix;
                    row += rest % radix * span;
                    rest /= radix;
                }
                row as u32
            })
            .collect();
        let mut twiddles = Vec::with_capacity(2 * len);
        for group in 0..rows / lanes {
            for lane in 0..lanes {
                let turns: Vec<[f32; 2]> = (0..lanes)
                    .map(|l| turn(((group * lanes + l) * lane % len) as f64 / len as f64))
                    .collect();
                twiddles.extend(turns.iter().map(|t| t[0]));
                twiddles.extend(turns.iter().map(|t| t[1]));
            }
        }
        Some(Self { len, passes, order, twiddles })
    }
}

/// exp(j 2π cycles).
fn turn(cycles: f64) -> [f32; 2] {
    let (sin, cos) = (TAU * cycles).sin_cos();
    [cos as f32, sin as f32]
}

/// Few and even factors of `rows`; none if there is a prime above 5, or a single row.
fn radices(rows: usize) -> Option<Vec<usize>> {
    let mut rest = rows;
    let mut radices = Vec::new();
    for odd in [5, 3] {
        while rest > 1 && rest.is_multiple_of(odd) {
            rest /= odd;
            radices.push(odd);
        }
    }
    if !rest.is_power_of_two() {
        return None;
    }
    let mut exponent = rest.trailing_zeros();
    for left in (1..=exponent.div_ceil(4)).rev() {
        let part = exponent.div_ceil(left);
        exponent -= part;
        radices.push(1 << part);
    }
    (!radices.is_empty()).then_some(radices)
}

/// Real and imaginary parts.
type Parts<'a> = (&'a [f32], &'a [f32]);

/// What is to be transformed.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) x: Parts<'a>,
    /// Places by which `x` is read ahead, and factors.
    pub(crate) product: Option<(usize, Parts<'a>)>,
}

impl Input<'_> {
    #[inline(always)]
    fn at<V: Lanes<L>, const L: usize>(&self, row: usize, len: usize) -> Cx<V> {
        let k = row * L;
        match self.product {
            None => load(self.x, k),
            Some((ahead, factors)) => {
                let shifted = k + ahead;
                let shifted = if shifted >= len { shifted - len } else { shifted };
                load::<V, L>(self.x, shifted).mul(load(factors, k))
            }
        }
    }
}

#[inline(always)]
fn load<V: Lanes<L>, const L: usize>((re, im): Parts<'_>, k: usize) -> Cx<V> {
    match (re[k..].first_chunk(), im[k..].first_chunk()) {
        (Some(re), Some(im)) => Cx { re: V::load(re), im: V::load(im) },
        _ => Cx { re: V::splat(0.0), im: V::splat(0.0) },
    }
}

/// The transform with positive exponent of `input`, as `steps` say.
#[inline(always)]
pub(crate) fn transform<V: Lanes<L>, const L: usize>(
    steps: &Steps,
    input: &Input<'_>,
    work: &mut [f32],
    out: (&mut [f32], &mut [f32]),
) {
    let work = work.as_chunks_mut::<L>().0.as_chunks_mut::<2>().0;
    let len = steps.len;
    for (k, pass) in steps.passes.iter().enumerate() {
        match (pass.radix, k) {
            (2, 0) => first2::<V, L>(pass, len, input, work),
            (3, 0) => first3::<V, L>(pass, len, input, work),
            (4, 0) => first4::<V, L>(pass, len, input, work),
            (5, 0) => first5::<V, L>(pass, len, input, work),
            (8, 0) => first8::<V, L>(pass, len, input, work),
            (16, 0) => first16::<V, L>(pass, len, input, work),
            (2, _) => later2::<V, L>(pass, work),
            (3, _) => later3::<V, L>(pass, work),
            (4, _) => later4::<V, L>(pass, work),
            (5, _) => later5::<V, L>(pass, work),
            (8, _) => later8::<V, L>(pass, work),
            _ => later16::<V, L>(pass, work),
        }
    }
    V::across(steps, work, out);
}

/// Row of a workspace: real parts, then imaginary ones.
pub(crate) type Row<const L: usize> = [[f32; L]; 2];

#[inline(always)]
pub(crate) fn get<V: Lanes<L>, const L: usize>(row: &Row<L>) -> Cx<V> {
    Cx { re: V::load(&row[0]), im: V::load(&row[1]) }
}

#[inline(always)]
fn put<V: Lanes<L>, const L: usize>(x: Cx<V>, row: &mut Row<L>) {
    x.re.store(&mut row[0]);
    x.im.store(&mut row[1]);
}

/// Passes of one radix down the rows: the first one, which reads the input, and later ones. Written out,
/// not looped, so that numbers stay in registers.
macro_rules! pass {
    ($first:ident, $later:ident, $dft:ident, $radix:literal, $($q:literal)*) => {
        #[inline(always)]
        fn $first<V: Lanes<L>, const L: usize>(
            pass: &Pass,
            len: usize,
            input: &Input<'_>,
            work: &mut [Row<L>],
        ) {
            let stride = pass.span / $radix;
            for (j, turns) in pass.twiddles.as_chunks::<$radix>().0.iter().enumerate() {
                let y = $dft([input.at::<V, L>(j, len), $(input.at::<V, L>(j + $q * stride, len)),*]);
                put(y[0], &mut work[j]);
                $(put(y[$q].times(turns[$q][0], turns[$q][1]), &mut work[j + $q * stride]);)*
            }
        }

        #[inline(always)]
        fn $later<V: Lanes<L>, const L: usize>(pass: &Pass, work: &mut [Row<L>]) {
            let stride = pass.span / $radix;
            for block in work.chunks_exact_mut(pass.span) {
                for (j, turns) in pass.twiddles.as_chunks::<$radix>().0.iter().enumerate() {
                    let y = $dft([get::<V, L>(&block[j]), $(get::<V, L>(&block[j + $q * stride])),*]);
                    put(y[0], &mut block[j]);
                    $(put(y[$q].times(turns[$q][0], turns[$q][1]), &mut block[j + $q * stride]);)*
                }
            }
        }
    };
}

pass!(first2, later2, dft2, 2, 1);
pass!(first3, later3, dft3, 3, 1 2);
pass!(first4, later4, dft4, 4, 1 2 3);
pass!(first5, later5, dft5, 5, 1 2 3 4);
pass!(first8, later8, dft8, 8, 1 2 3 4 5 6 7);
pass!(first16, later16, dft16, 16, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

/// The transforms across the lanes, for vectors of one length.
macro_rules! across {
    ($dft:ident, $lanes:literal, $($q:literal)*) => {
        #[inline(always)]
        fn across(
            steps: &crate::fft::Steps,
            work: &[crate::fft::Row<$lanes>],
            (re, im): (&mut [f32], &mut [f32]),
        ) {
            let rows = steps.len / $lanes;
            let tables = steps.twiddles.as_chunks::<$lanes>().0.as_chunks::<2>().0.as_chunks::<$lanes>().0;
            let orders = steps.order.as_chunks::<$lanes>().0;
            for (group, (order, table)) in orders.iter().zip(tables).enumerate() {
                let column_re = Self::transpose([
                    Self::load(&work[order[0] as usize][0]), $(Self::load(&work[order[$q] as usize][0])),*
                ]);
                let column_im = Self::transpose([
                    Self::load(&work[order[0] as usize][1]), $(Self::load(&work[order[$q] as usize][1])),*
                ]);
                let y = crate::fft::$dft([
                    crate::fft::Cx { re: column_re[0], im: column_im[0] },
                    $(crate::fft::get(&table[$q]).mul(crate::fft::Cx { re: column_re[$q], im: column_im[$q] })),*
                ]);
                let at = group * $lanes;
                crate::fft::put_out(y[0], re, im, at);
                $(crate::fft::put_out(y[$q], re, im, at + $q * rows);)*
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use across;

#[inline(always)]
pub(crate) fn put_out<V: Lanes<L>, const L: usize>(x: Cx<V>, re: &mut [f32], im: &mut [f32], at: usize) {
    if let (Some(re), Some(im)) = (re[at..].first_chunk_mut(), im[at..].first_chunk_mut()) {
        x.re.store(re);
        x.im.store(im);
    }
}

/// Vectors without special instructions.
impl Lanes<4> for [f32; 4] {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        [x; 4]
    }
    #[inline(always)]
    fn load(from: &[f32; 4]) -> Self {
        *from
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; 4]) {
        *to = self;
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        std::array::from_fn(|l| self[l] + other[l])
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        std::array::from_fn(|l| self[l] - other[l])
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        std::array::from_fn(|l| self[l] * other[l])
    }
    #[inline(always)]
    fn mul_add(self, other: Self, to: Self) -> Self {
        std::array::from_fn(|l| self[l] * other[l] + to[l])
    }
    #[inline(always)]
    fn mul_sub_from(self, other: Self, from: Self) -> Self {
        std::array::from_fn(|l| from[l] - self[l] * other[l])
    }
    #[inline(always)]
    fn transpose(rows: [Self; 4]) -> [Self; 4] {
        std::array::from_fn(|a| std::array::from_fn(|b| rows[b][a]))
    }
    across!(dft4, 4, 1 2 3);
}

/// A transform of one length, and all tables for it.
#[derive(Debug, Clone)]
pub struct Fft {
    steps: Steps,
    available: Available,
}

impl Fft {
    /// Lengths must be multiples of this, and have no prime factors beyond 2, 3 and 5.
    pub const MULTIPLE: usize = 512;

    /// For `len` numbers, at `level` or portable if this machine lacks it; none if there is no way to do it.
    pub fn new(len: usize, level: Level) -> Option<Self> {
        let available = Available::new(level);
        let steps = Steps::new(len, available.lanes())?;
        (len.is_multiple_of(Self::MULTIPLE)).then_some(Self { steps, available })
    }

    /// How many numbers it transforms.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.steps.len
    }

    /// Sets `out` to Σ x(k) exp(-j 2π k m / N).
    ///
    /// Nothing happens unless all have the right length, as in the other transforms.
    pub fn forward(&self, x: &Planar, work: &mut Planar, out: &mut Planar) {
        let ((re, im), len) = (x.split(), self.len());
        if [x.len(), work.len(), out.len()] != [len, 2 * len, len] {
            return;
        }
        // Swapping parts turns the exponent's sign.
        let input = Input { x: (im, re), product: None };
        let (re, im) = out.split_mut();
        self.available.transform(&self.steps, &input, work.split_mut().0, (im, re));
        out.close();
    }

    /// Sets `out` to Σ x(m + ahead) y(m) exp(j 2π k m / N), the index of x wrapping round.
    ///
    /// `work` has twice as many numbers as the others. `ahead` is taken modulo N.
    pub fn inverse_of_product(
        &self,
        (x, ahead): (&Planar, usize),
        y: &Planar,
        work: &mut Planar,
        out: &mut Planar,
    ) {
        let len = self.len();
        if [x.len(), y.len(), work.len(), out.len()] != [len, len, 2 * len, len] {
            return;
        }
        let input = Input { x: x.split(), product: Some((ahead % len, y.split())) };
        self.available.transform(&self.steps, &input, work.split_mut().0, out.split_mut());
        out.close();
    }

    /// Room to work in.
    pub fn workspace(&self) -> Planar {
        Planar::new(2 * self.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustfft::FftPlanner;
    use rustfft::num_complex::Complex;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Every level against another library in double precision, for all radices and shifts.
        #[test]
        fn every_level_agrees_with_double_precision(
            blocks in prop_oneof![1usize..7, Just(8), Just(10), Just(12), Just(15), Just(16), Just(24), Just(32), Just(80)],
            ahead in prop_oneof![Just(0usize), 0usize..100_000],
            seed in 1u32..u32::MAX,
        ) {
            let len = blocks * Fft::MULTIPLE;
            let mut state = seed;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32
            };
            let x: Vec<(f32, f32)> = (0..len).map(|_| (next(), next())).collect();
            let y: Vec<(f32, f32)> = (0..len).map(|_| (next(), next())).collect();
            let wide = |(re, im): (f32, f32)| Complex::new(f64::from(re), f64::from(im));
            let mut spectrum: Vec<Complex<f64>> = x.iter().copied().map(wide).collect();
            FftPlanner::new().plan_fft_forward(len).process(&mut spectrum);
            let mut back: Vec<Complex<f64>> =
                (0..len).map(|m| wide(x[(m + ahead) % len]) * wide(y[m])).collect();
            FftPlanner::new().plan_fft_inverse(len).process(&mut back);
            let (x, y) = (Planar::from_pairs(x.into_iter()), Planar::from_pairs(y.into_iter()));
            for level in Level::all_available() {
                let Some(fft) = Fft::new(len, level) else {
                    // A prime of 7 among the factors.
                    prop_assert!(blocks.is_multiple_of(7));
                    continue;
                };
                let (mut work, mut out) = (fft.workspace(), Planar::new(len));
                let limit = 2e-6 * (len as f64).sqrt();
                fft.forward(&x, &mut work, &mut out);
                for (k, want) in spectrum.iter().enumerate() {
                    let (re, im) = out.split();
                    prop_assert!((wide((re[k], im[k])) - want).norm() < limit, "{level:?} {len} forward {k}");
                }
                fft.inverse_of_product((&x, ahead), &y, &mut work, &mut out);
                let (re, im) = out.split();
                for (k, want) in back.iter().chain(&back[..Planar::GUARD]).enumerate() {
                    prop_assert!((wide((re[k], im[k])) - want).norm() < limit, "{level:?} {len} back {k}");
                }
            }
        }
    }

    #[test]
    fn odd_lengths_are_refused_and_wrong_ones_ignored() {
        for len in [0, 1, 100, 511, 7 * Fft::MULTIPLE] {
            assert!(Fft::new(len, Level::Portable).is_none());
        }
        let Some(fft) = Fft::new(1024, Level::Portable) else { unreachable!("1024 is a good length") };
        let mut out = Planar::new(1024);
        fft.forward(&Planar::new(512), &mut fft.workspace(), &mut out);
        fft.inverse_of_product((&out.clone(), 0), &Planar::default(), &mut fft.workspace(), &mut out);
        assert!(out.split().0.iter().all(|&x| x == 0.0));
    }
}
