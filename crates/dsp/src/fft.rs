//! Fourier transforms for searches: spectra times codes, back to correlations.
//!
//! Real and imaginary parts are kept apart, so that the arithmetic needs no shuffles. With L lanes to a
//! vector and N = M · L, the samples are M rows of L. The transform of length M down the rows works on all
//! lanes at once, in place; the one of length L across the lanes is done after turning squares of L rows
//! round. The product with a code, shifted by any number of lines, is taken as the first pass reads its
//! input.

use std::f64::consts::TAU;

use crate::Level;
use crate::arch::Available;

/// Complex numbers, real and imaginary parts apart.
///
/// The first [`GUARD`](Self::GUARD) numbers are repeated after the last, so that what is read from any place
/// on needs no wrapping round.
#[derive(Debug, Clone, Default)]
pub struct Planar {
    parts: [Vec<f32>; 2],
    /// First number of each that lies on the boundary of a cache line.
    starts: [usize; 2],
    len: usize,
}

impl Planar {
    /// Numbers repeated after the last.
    pub const GUARD: usize = 16;
    /// Size of a cache line in bytes.
    const LINE: usize = 64;

    /// `len` zeros.
    pub fn new(len: usize) -> Self {
        let part = || vec![0.0f32; len + Self::GUARD + Self::LINE / size_of::<f32>()];
        let parts = [part(), part()];
        let start =
            |part: &Vec<f32>| part.as_ptr().align_offset(Self::LINE).min(Self::LINE / size_of::<f32>());
        let starts = [start(&parts[0]), start(&parts[1])];
        Self { parts, starts, len }
    }

    /// The numbers of an iterator of real and imaginary parts.
    pub fn from_pairs(pairs: impl ExactSizeIterator<Item = (f32, f32)>) -> Self {
        let mut planar = Self::new(pairs.len());
        let (re, im) = planar.split_mut();
        for ((to_re, to_im), (from_re, from_im)) in re.iter_mut().zip(im).zip(pairs) {
            (*to_re, *to_im) = (from_re, from_im);
        }
        planar.close();
        planar
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Real and imaginary parts, with those repeated after the last.
    pub fn split(&self) -> (&[f32], &[f32]) {
        let part = |k: usize| &self.parts[k][self.starts[k]..self.starts[k] + self.len + Self::GUARD];
        if self.parts[0].is_empty() { (&[], &[]) } else { (part(0), part(1)) }
    }

    /// As [`split`](Self::split), to be changed; call [`close`](Self::close) afterwards.
    pub fn split_mut(&mut self) -> (&mut [f32], &mut [f32]) {
        let len = self.len + Self::GUARD;
        let [re, im] = &mut self.parts;
        if re.is_empty() {
            return (&mut [], &mut []);
        }
        let [re_start, im_start] = self.starts;
        (&mut re[re_start..re_start + len], &mut im[im_start..im_start + len])
    }

    /// Repeats the first numbers after the last.
    pub fn close(&mut self) {
        let len = self.len;
        let (re, im) = self.split_mut();
        for part in [re, im] {
            for k in 0..Self::GUARD.min(part.len()) {
                part[len + k] = if len == 0 { 0.0 } else { part[k % len] };
            }
        }
    }
}

/// Vectors of L numbers.
pub(crate) trait Lanes<const L: usize>: Copy {
    fn splat(x: f32) -> Self;
    fn load(from: &[f32; L]) -> Self;
    fn store(self, to: &mut [f32; L]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `self` · `other` + `to`.
    fn mul_add(self, other: Self, to: Self) -> Self;
    /// `from` - `self` · `other`.
    fn mul_sub_from(self, other: Self, from: Self) -> Self;
    /// Makes columns of rows.
    fn transpose(rows: [Self; L]) -> [Self; L];
    /// The transforms across the lanes.
    fn across(steps: &Steps, work: &[Row<L>], out: (&mut [f32], &mut [f32]));
}

/// L complex numbers.
#[derive(Clone, Copy)]
pub(crate) struct Cx<V> {
    pub(crate) re: V,
    pub(crate) im: V,
}

impl<V> Cx<V> {
    #[inline(always)]
    fn add<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.add(other.re), im: self.im.add(other.im) }
    }

    #[inline(always)]
    fn sub<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.sub(other.re), im: self.im.sub(other.im) }
    }

    #[inline(always)]
    pub(crate) fn mul<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self {
            re: self.im.mul_sub_from(other.im, self.re.mul(other.re)),
            im: self.im.mul_add(other.re, self.re.mul(other.im)),
        }
    }

    #[inline(always)]
    fn scale<const L: usize>(self, by: V) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.mul(by), im: self.im.mul(by) }
    }

    /// `to` plus this times `by`.
    #[inline(always)]
    fn scale_add<const L: usize>(self, by: V, to: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.mul_add(by, to.re), im: self.im.mul_add(by, to.im) }
    }

    /// `from` minus this times `by`.
    #[inline(always)]
    fn scale_sub_from<const L: usize>(self, by: V, from: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.mul_sub_from(by, from.re), im: self.im.mul_sub_from(by, from.im) }
    }

    /// Times exp(j π/4).
    #[inline(always)]
    fn eighth<const L: usize>(self) -> Self
    where
        V: Lanes<L>,
    {
        self.add_j(self).scale(V::splat(0.5f32.sqrt()))
    }

    /// Times a constant.
    #[inline(always)]
    fn times<const L: usize>(self, re: f32, im: f32) -> Self
    where
        V: Lanes<L>,
    {
        self.mul(Self { re: V::splat(re), im: V::splat(im) })
    }

    /// Plus `j` times `other`.
    #[inline(always)]
    fn add_j<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.sub(other.im), im: self.im.add(other.re) }
    }

    /// Minus `j` times `other`.
    #[inline(always)]
    fn sub_j<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.add(other.im), im: self.im.sub(other.re) }
    }
}

#[inline(always)]
fn dft3<V: Lanes<L>, const L: usize>(x: [Cx<V>; 3]) -> [Cx<V>; 3] {
    let sum = x[1].add(x[2]);
    let side = sum.scale_sub_from(V::splat(0.5), x[0]);
    let difference = x[1].sub(x[2]).scale(V::splat(0.75f32.sqrt()));
    [x[0].add(sum), side.add_j(difference), side.sub_j(difference)]
}

#[inline(always)]
pub(crate) fn dft4<V: Lanes<L>, const L: usize>(x: [Cx<V>; 4]) -> [Cx<V>; 4] {
    let (a, b) = (x[0].add(x[2]), x[0].sub(x[2]));
    let (c, d) = (x[1].add(x[3]), x[1].sub(x[3]));
    [a.add(c), b.add_j(d), a.sub(c), b.sub_j(d)]
}

#[inline(always)]
fn dft5<V: Lanes<L>, const L: usize>(x: [Cx<V>; 5]) -> [Cx<V>; 5] {
    // Cosines and sines of one and two fifths of a turn.
    const COS: [f32; 2] = [0.309_017, -0.809_017];
    const SIN: [f32; 2] = [0.951_056_5, 0.587_785_25];
    let (s1, d1) = (x[1].add(x[4]), x[1].sub(x[4]));
    let (s2, d2) = (x[2].add(x[3]), x[2].sub(x[3]));
    let (c1, c2) = (V::splat(COS[0]), V::splat(COS[1]));
    let (sin1, sin2) = (V::splat(SIN[0]), V::splat(SIN[1]));
    let a = s2.scale_add(c2, s1.scale_add(c1, x[0]));
    let b = s2.scale_add(c1, s1.scale_add(c2, x[0]));
    let p = d2.scale_add(sin2, d1.scale(sin1));
    let q = d2.scale_sub_from(sin1, d1.scale(sin2));
    [x[0].add(s1).add(s2), a.add_j(p), b.add_j(q), b.sub_j(q), a.sub_j(p)]
}

#[inline(always)]
pub(crate) fn dft8<V: Lanes<L>, const L: usize>(x: [Cx<V>; 8]) -> [Cx<V>; 8] {
    let even = dft4([x[0], x[2], x[4], x[6]]);
    let odd = dft4([x[1], x[3], x[5], x[7]]);
    let half = V::splat(0.5f32.sqrt());
    // (1 + j) / √2 and (-1 + j) / √2.
    let one = odd[1].add_j(odd[1]).scale(half);
    let three = odd[3].sub_j(odd[3]).scale(half);
    [
        even[0].add(odd[0]),
        even[1].add(one),
        even[2].add_j(odd[2]),
        even[3].sub(three),
        even[0].sub(odd[0]),
        even[1].sub(one),
        even[2].sub_j(odd[2]),
        even[3].add(three),
    ]
}

#[inline(always)]
pub(crate) fn dft16<V: Lanes<L>, const L: usize>(x: [Cx<V>; 16]) -> [Cx<V>; 16] {
    // Cosine and sine of a sixteenth of a turn.
    const C: f32 = 0.923_879_5;
    const S: f32 = 0.382_683_43;
    const H: f32 = std::f32::consts::FRAC_1_SQRT_2;
    let p = dft4([x[0], x[4], x[8], x[12]]);
    let q = dft4([x[1], x[5], x[9], x[13]]);
    let r = dft4([x[2], x[6], x[10], x[14]]);
    let s = dft4([x[3], x[7], x[11], x[15]]);
    let a = dft4([p[0], q[0], r[0], s[0]]);
    let b = dft4([p[1], q[1].times(C, S), r[1].eighth(), s[1].times(S, C)]);
    // Quarters of a turn more for the last two are left to the sums.
    let c = dft4_turned([p[2], q[2].eighth(), r[2], s[2].eighth()]);
    let d = dft4([p[3], q[3].times(S, C), r[3].times(-H, H), s[3].times(-C, -S)]);
    [a[0], b[0], c[0], d[0], a[1], b[1], c[1], d[1], a[2], b[2], c[2], d[2], a[3], b[3], c[3], d[3]]
}

/// The DFT of 4 numbers, the last two of which are first turned by a quarter.
#[inline(always)]
fn dft4_turned<V: Lanes<L>, const L: usize>(x: [Cx<V>; 4]) -> [Cx<V>; 4] {
    let (a, b) = (x[0].add_j(x[2]), x[0].sub_j(x[2]));
    let (c, d) = (x[1].add_j(x[3]), x[1].sub_j(x[3]));
    [a.add(c), b.add_j(d), a.sub(c), b.sub_j(d)]
}

#[inline(always)]
fn dft2<V: Lanes<L>, const L: usize>(x: [Cx<V>; 2]) -> [Cx<V>; 2] {
    [x[0].add(x[1]), x[0].sub(x[1])]
}

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
