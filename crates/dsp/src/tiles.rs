//! Samples laid out for the correlator that takes them directly with AVX-512.
//!
//! A tile is eight chunks of consecutive samples, so short that a carrier hardly turns within one. Each vector
//! holds eight samples of every chunk: vector k has samples 8 k to 8 k + 7 of chunk q in its bytes 8 q to 8 q + 7.
//! What a vector's lanes add up over a tile therefore belongs to one chunk each, and needs turning by the carrier
//! only once a chunk. Tiles lie at multiples of their length in the stream, wherever blocks are cut.

use num_complex::Complex;

use crate::arch::Available;

/// Chunks of a tile.
pub(crate) const CHUNKS: usize = 8;
/// Samples of a chunk in one vector.
pub(crate) const PART: usize = 8;
/// Most vectors that a chunk is spread over.
pub(crate) const MAX_VECTORS: usize = 8;
/// Longest time that the carrier is held, in seconds, while a chunk is not longer than 64 samples.
const LONGEST_CHUNK_S: f64 = 8e-6;
/// Highest rate in Hz at which going sample by sample is worth while. On Zen 4, a millisecond of a channel takes
/// 0.2 µs and 0.095 ns a sample, against 1.5 (L1 C/A) to 2.6 µs (B1I) from running sums; and these take 0.15 ns a
/// sample longer to make than tiles.
const HIGHEST_RATE_HZ: f64 = 22e6;

/// A vector of bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [i8; 64]);

impl Line {
    pub(crate) const ZERO: Self = Self([0; 64]);
}

/// The samples of a [`Band`](crate::Band) in tiles.
#[derive(Debug, Clone)]
pub(crate) struct Tiles {
    level: Available,
    vectors: usize,
    /// Number of the first tile held: its samples divided by its length.
    first: u64,
    lines: Vec<Line>,
}

/// Tiles held by a view.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TilesView<'a> {
    /// Vectors that a chunk is spread over.
    pub(crate) vectors: usize,
    first: u64,
    lines: &'a [Line],
}

/// Lines of a tile: for each vector one of I and one of Q, then the negated sums of I and of Q over the four
/// samples that each 32 bits stand for, of all vectors.
pub(crate) const fn lines_of(vectors: usize) -> usize {
    2 * vectors + 2
}

/// Samples of a tile.
pub(crate) const fn len_of(vectors: usize) -> usize {
    CHUNKS * PART * vectors
}

impl Tiles {
    /// For a stream at `rate_hz`; none where there is no kernel for them, or where running sums are quicker.
    pub(crate) fn new(rate_hz: f64, level: Available) -> Option<Self> {
        let longest = LONGEST_CHUNK_S * rate_hz / PART as f64;
        if !level.takes_tiles() || !(1.0..).contains(&longest) || rate_hz >= HIGHEST_RATE_HZ {
            return None;
        }
        let vectors = [8, 4, 2, 1].into_iter().find(|&v| v as f64 <= longest)?;
        Some(Self { level, vectors, first: 0, lines: Vec::new() })
    }

    /// Forgets all tiles.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Drops tiles that end before sample `first`.
    pub(crate) fn forget(&mut self, first: u64) {
        let gone = (first / len_of(self.vectors) as u64).saturating_sub(self.first);
        let lines = usize::try_from(gone).unwrap_or(usize::MAX).saturating_mul(lines_of(self.vectors));
        self.lines.drain(..lines.min(self.lines.len()));
        self.first += gone;
    }

    /// Lays out samples from number `from` on. `window` holds all samples that are kept, the first of which has
    /// the number `first`; tiles that reach beyond it are filled up with zeros.
    pub(crate) fn push(&mut self, window: &[Complex<i8>], first: u64, from: u64) {
        let (len, lines) = (len_of(self.vectors) as u64, lines_of(self.vectors));
        let end = first + window.len() as u64;
        if self.lines.is_empty() {
            self.first = from / len;
        }
        let mut filled = [Complex::default(); len_of(MAX_VECTORS)];
        for tile in from / len..end.div_ceil(len) {
            let Ok(at) = usize::try_from(tile.saturating_sub(self.first)) else { return };
            if self.lines.len() < (at + 1) * lines {
                self.lines.resize((at + 1) * lines, Line::ZERO);
            }
            let Some(to) = self.lines.get_mut(at * lines..(at + 1) * lines) else { return };
            let (start, stop) = (tile * len, (tile + 1) * len);
            let samples = if start >= first && stop <= end {
                window.get((start - first) as usize..(stop - first) as usize)
            } else {
                let (a, b) = (start.max(first), stop.min(end));
                let held = window.get((a - first) as usize..(b - first) as usize).unwrap_or_default();
                let filled = filled.get_mut(..len as usize).unwrap_or_default();
                filled.fill(Complex::default());
                let slots = filled.iter_mut().skip((a - start) as usize);
                slots.zip(held).for_each(|(slot, &sample)| *slot = sample);
                Some(&*filled)
            };
            self.level.lay_out(samples.unwrap_or_default(), self.vectors, to);
        }
    }

    pub(crate) fn view(&self) -> TilesView<'_> {
        TilesView { vectors: self.vectors, first: self.first, lines: &self.lines }
    }
}

impl<'a> TilesView<'a> {
    /// The tiles from the one on that holds sample `start`, and how many of its samples come before.
    pub(crate) fn from(&self, start: u64) -> Option<(&'a [Line], usize)> {
        let len = len_of(self.vectors) as u64;
        let at = usize::try_from((start / len).checked_sub(self.first)?).ok()?;
        let lines = self.lines.get(at.checked_mul(lines_of(self.vectors))?..)?;
        Some((lines, (start % len) as usize))
    }
}

/// What the kernel works on.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) struct Job<'a> {
    /// Tiles, the first of which holds the first sample.
    pub(crate) lines: &'a [Line],
    /// Vectors that a chunk is spread over.
    pub(crate) vectors: usize,
    /// Samples of the first tile that come before the first one.
    pub(crate) skip: usize,
    /// Number of samples.
    pub(crate) len: usize,
    /// Position of the first sample in the code, less than a period, and the advance a sample, in values with
    /// [`FRACTION`](crate::direct::FRACTION) fraction bits.
    pub(crate) position: u64,
    pub(crate) step: u64,
    /// Values in a period of the code.
    pub(crate) period: usize,
    /// Early, prompt and late tap: values from the prompt.
    pub(crate) offsets: [f64; 3],
    /// Replica carrier at the first sample, and from one to the next, in cycles.
    pub(crate) turns: f64,
    pub(crate) cycles_per_sample: f64,
}

impl Job<'_> {
    /// Whether the values that a chunk meets, with those of all taps, lie within what a vector can pick from, and
    /// the carrier holds still enough.
    pub(crate) fn is_served(
        step: f64,
        spacing: f64,
        cycles_per_sample: f64,
        vectors: usize,
        turn: f64,
    ) -> bool {
        // 64 values, of which up to 7 come before the first, and one may be passed by rounding.
        const REACH: f64 = 55.0;
        let chunk = (PART * vectors) as f64;
        chunk * step + 2.0 * spacing + 2.0 <= REACH && cycles_per_sample.abs() * chunk <= turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    /// However the stream is cut, and whatever is forgotten, tiles hold the samples of their places.
    #[test]
    fn tiles_hold_the_samples() {
        let sample = |n: u64| Complex::new((n * 7 % 251) as u8 as i8, (n * 13 % 239) as u8 as i8);
        for level in Level::all_available() {
            for (rate_hz, vectors) in [(1.0e6, 1), (2.048e6, 2), (4.0e6, 4), (20.0e6, 8)] {
                let Some(mut tiles) = Tiles::new(rate_hz, Available::new(level)) else { continue };
                let (mut first, mut from) = (1_003u64, 1_003u64);
                for len in [1u64, 5, 1_500, 64, 511, 512, 4_000, 0, 77] {
                    if from - first > 3_000 {
                        first = from - 700;
                        tiles.forget(first);
                    }
                    let window: Vec<_> = (first..from + len).map(sample).collect();
                    tiles.push(&window, first, from);
                    from += len;
                    check(&tiles.view(), vectors, first, from, sample);
                }
                tiles.clear();
                tiles.push(&[sample(9)], 9, 9);
                check(&tiles.view(), vectors, 9, 10, sample);
            }
        }
    }

    fn check(
        view: &TilesView<'_>,
        vectors: usize,
        first: u64,
        end: u64,
        sample: impl Fn(u64) -> Complex<i8>,
    ) {
        let len = len_of(vectors) as u64;
        assert_eq!(view.vectors, vectors);
        for n in (first..end).step_by(37).chain([end - 1]) {
            let Some((lines, skip)) = view.from(n) else { unreachable!("sample {n} is held") };
            assert_eq!(skip as u64, n % len);
            let (chunk, k, byte) = (skip / (PART * vectors), skip / PART % vectors, skip % PART);
            let at = PART * chunk + byte;
            assert_eq!(Complex::new(lines[2 * k].0[at], lines[2 * k + 1].0[at]), sample(n), "{n}");
            // The four samples that a lane adds up in each vector.
            let lane = at / 4;
            for part in 0..2 {
                let sum: i32 = (0..vectors)
                    .flat_map(|k| &lines[2 * k + part].0[4 * lane..4 * lane + 4])
                    .map(|&v| i32::from(v))
                    .sum();
                let bytes = lines[2 * vectors + part].0;
                let stored: [u8; 4] = std::array::from_fn(|b| bytes[4 * lane + b] as u8);
                assert_eq!(i32::from_le_bytes(stored), -sum, "{n}");
            }
        }
    }
}
