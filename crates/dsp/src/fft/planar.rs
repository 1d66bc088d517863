//! Complex numbers as transforms take them.

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
