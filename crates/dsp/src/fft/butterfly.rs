//! Transforms of a few numbers, on vectors of them.

use super::{Row, Steps};

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
    pub(super) fn add<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.add(other.re), im: self.im.add(other.im) }
    }

    #[inline(always)]
    pub(super) fn sub<const L: usize>(self, other: Self) -> Self
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
    pub(super) fn scale<const L: usize>(self, by: V) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.mul(by), im: self.im.mul(by) }
    }

    /// `to` plus this times `by`.
    #[inline(always)]
    pub(super) fn scale_add<const L: usize>(self, by: V, to: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.mul_add(by, to.re), im: self.im.mul_add(by, to.im) }
    }

    /// `from` minus this times `by`.
    #[inline(always)]
    pub(super) fn scale_sub_from<const L: usize>(self, by: V, from: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.mul_sub_from(by, from.re), im: self.im.mul_sub_from(by, from.im) }
    }

    /// Times exp(j π/4).
    #[inline(always)]
    pub(super) fn eighth<const L: usize>(self) -> Self
    where
        V: Lanes<L>,
    {
        self.add_j(self).scale(V::splat(0.5f32.sqrt()))
    }

    /// Times a constant.
    #[inline(always)]
    pub(super) fn times<const L: usize>(self, re: f32, im: f32) -> Self
    where
        V: Lanes<L>,
    {
        self.mul(Self { re: V::splat(re), im: V::splat(im) })
    }

    /// Plus `j` times `other`.
    #[inline(always)]
    pub(super) fn add_j<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.sub(other.im), im: self.im.add(other.re) }
    }

    /// Minus `j` times `other`.
    #[inline(always)]
    pub(super) fn sub_j<const L: usize>(self, other: Self) -> Self
    where
        V: Lanes<L>,
    {
        Self { re: self.re.add(other.im), im: self.im.sub(other.re) }
    }
}

#[inline(always)]
pub(super) fn dft3<V: Lanes<L>, const L: usize>(x: [Cx<V>; 3]) -> [Cx<V>; 3] {
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
pub(super) fn dft5<V: Lanes<L>, const L: usize>(x: [Cx<V>; 5]) -> [Cx<V>; 5] {
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
pub(super) fn dft2<V: Lanes<L>, const L: usize>(x: [Cx<V>; 2]) -> [Cx<V>; 2] {
    [x[0].add(x[1]), x[0].sub(x[1])]
}
