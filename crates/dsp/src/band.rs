use std::ops::Range;

use num_complex::Complex;

use crate::arch::Available;
use crate::mix::Mixer;
use crate::tiles::{Tiles, TilesView};
use crate::{Level, SampleBlock, Samples, StreamInfo};

/// The samples around one carrier, moved to 0 Hz, in a window that ends with the newest block; shared by
/// all channels on that carrier.
///
/// A complex stream centred on the carrier passes unchanged. Any other is mixed and scaled to fill 8
/// bits; a signal of amplitude A in it comes out as A times the gain, half of that for a real stream.
pub struct Band {
    history: usize,
    level: Available,
    mixer: Option<Mixer>,
    /// Index of the first sample held.
    first: u64,
    /// Place of the samples held in `window`.
    held: Range<usize>,
    window: Vec<Complex<i8>>,
    /// Running sum before each sample of the window and after the last; none where correlators do without.
    sums: Option<Vec<u32>>,
    tiles: Option<Tiles>,
}

/// What a [`Band`] holds.
#[derive(Clone, Copy)]
pub struct BandView<'a> {
    first: u64,
    samples: &'a [Complex<i8>],
    sums: Option<&'a [u32]>,
    tiles: Option<TilesView<'a>>,
}

/// The window holds as many times the history, and a block, before the history moves to its front: a larger
/// one saves moves but falls out of the caches.
const WINDOW: usize = 3;
/// Samples that are mixed and added up while they are in the nearest cache.
const PIECE: usize = 4096;

impl Band {
    /// A band around `carrier_hz` that keeps at least `history_s` seconds before the newest block.
    pub fn new(info: &StreamInfo, carrier_hz: f64, history_s: f64, level: Level) -> Self {
        let offset_hz = carrier_hz - info.center_hz;
        let history = (history_s * info.sample_rate_hz).ceil() as usize;
        let capacity = WINDOW * history + info.block_len();
        let level = Available::new(level);
        let tiles = Tiles::new(info.sample_rate_hz, level);
        let mixer = (offset_hz != 0.0 || !info.complex)
            .then(|| Mixer::new(offset_hz / info.sample_rate_hz, info.block_len(), level));
        Self {
            history,
            level,
            mixer,
            first: 0,
            held: 0..0,
            window: vec![Complex::default(); capacity],
            sums: tiles.is_none().then(|| vec![0; capacity + 1]),
            tiles,
        }
    }

    /// One that keeps what running sums need at every level, for measurements.
    pub fn with_sums(info: &StreamInfo, carrier_hz: f64, history_s: f64, level: Level) -> Self {
        let band = Self::new(info, carrier_hz, history_s, level);
        let sums = Some(vec![0; band.window.len() + 1]);
        Self { sums, tiles: None, ..band }
    }

    /// Takes the next block. After a gap in the sample indices the window restarts.
    pub fn push(&mut self, block: &SampleBlock) {
        if self.first + self.held.len() as u64 != block.first_sample {
            self.held = 0..0;
            self.first = block.first_sample;
            if let Some(mixer) = &mut self.mixer {
                mixer.gap();
            }
            if let Some(tiles) = &mut self.tiles {
                tiles.clear();
            }
        }
        let len = block.samples.len();
        if self.held.end + len > self.window.len() {
            self.make_room(len);
        }
        let from = self.held.end;
        self.held.end += len;
        let mut sum = self.sums.as_ref().and_then(|sums| sums.get(from)).copied().unwrap_or_default();
        for at in (0..len).step_by(PIECE) {
            let piece = from + at..from + (at + PIECE).min(len);
            let Some(window) = self.window.get_mut(piece.clone()) else { return };
            let index = block.first_sample + at as u64;
            match (&mut self.mixer, &block.samples) {
                (None, Samples::Complex(all)) => window.copy_from_slice(part(all, at, window.len())),
                (Some(mixer), Samples::Complex(all)) => mixer.mix(part(all, at, window.len()), index, window),
                (Some(mixer), Samples::Real(all)) => mixer.mix(part(all, at, window.len()), index, window),
                // A stream that was announced as complex has no real blocks; its samples are taken as I.
                (None, Samples::Real(all)) => {
                    let all = part(all, at, window.len());
                    window.iter_mut().zip(all).for_each(|(slot, &v)| *slot = Complex::new(v, 0));
                }
            }
            if let Some(sums) = self.sums.as_mut().and_then(|s| s.get_mut(piece.start + 1..=piece.end)) {
                sum = self.level.running_sums(window, sum, sums);
            }
            if let Some(tiles) = &mut self.tiles {
                let held = self.window.get(self.held.start..piece.end).unwrap_or_default();
                tiles.push(held, self.first, index);
            }
        }
    }

    /// Moves the history to the front of the window and makes room for `len` samples behind it.
    fn make_room(&mut self, len: usize) {
        let keep = self.held.len().min(self.history);
        let gone = self.held.len() - keep;
        let from = self.held.start + gone;
        self.window.copy_within(from..from + keep, 0);
        self.first += gone as u64;
        self.held = 0..keep;
        let room = self.window.len().max(keep + len);
        self.window.resize(room, Complex::default());
        if let Some(sums) = &mut self.sums {
            sums.copy_within(from..=from + keep, 0);
            sums.resize(room + 1, 0);
        }
        if let Some(tiles) = &mut self.tiles {
            tiles.forget(self.first);
        }
    }

    /// The window.
    pub fn view(&self) -> BandView<'_> {
        BandView {
            first: self.first,
            samples: self.window.get(self.held.clone()).unwrap_or_default(),
            sums: self.sums.as_ref().and_then(|sums| sums.get(self.held.start..=self.held.end)),
            tiles: self.tiles.as_ref().map(Tiles::view),
        }
    }
}

impl<'a> BandView<'a> {
    /// Indices of the samples held.
    pub fn range(&self) -> Range<u64> {
        self.first..self.first + self.samples.len() as u64
    }

    /// The samples, carrier at 0 Hz.
    pub fn samples(&self) -> &'a [Complex<i8>] {
        self.samples
    }

    /// Running sums, one more than there are samples, if they are kept; see
    /// [`running_sums`](crate::sums::running_sums).
    pub(crate) fn sums(&self) -> Option<&'a [u32]> {
        self.sums
    }

    /// The samples in tiles, if they are kept so.
    pub(crate) fn tiles(&self) -> Option<TilesView<'a>> {
        self.tiles
    }
}

/// `len` elements from `at` on.
fn part<T>(all: &[T], at: usize, len: usize) -> &[T] {
    all.get(at..at + len).unwrap_or_default()
}
