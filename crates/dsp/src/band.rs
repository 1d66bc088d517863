use std::ops::Range;

use num_complex::Complex;

use crate::kernel::running_sums;
use crate::mix::Mixer;
use crate::{Level, SampleBlock, Samples, StreamInfo};

/// The samples around one carrier, moved to 0 Hz, in a window that ends with the newest block; shared by
/// all channels on that carrier.
///
/// A complex stream centred on the carrier passes unchanged. Any other is mixed and scaled to fill 8
/// bits; a signal of amplitude A in it comes out as A times the gain, half of that for a real stream.
pub struct Band {
    history: usize,
    capacity: usize,
    mixer: Option<Mixer>,
    first: u64,
    window: Vec<Complex<i8>>,
    /// Running sum before each sample of the window and after the last.
    sums: Vec<u32>,
}

/// What a [`Band`] holds.
#[derive(Clone, Copy)]
pub struct BandView<'a> {
    first: u64,
    samples: &'a [Complex<i8>],
    sums: &'a [u32],
}

/// Blocks that the window holds beyond the history before the history moves to its front.
const SPARE_BLOCKS: usize = 4;

impl Band {
    /// A band around `carrier_hz` that keeps at least `history_s` seconds before the newest block.
    pub fn new(info: &StreamInfo, carrier_hz: f64, history_s: f64, level: Level) -> Self {
        let offset_hz = carrier_hz - info.center_hz;
        let history = (history_s * info.sample_rate_hz).ceil() as usize;
        let capacity = history + SPARE_BLOCKS * info.block_len();
        let mixer = (offset_hz != 0.0 || !info.complex)
            .then(|| Mixer::new(offset_hz / info.sample_rate_hz, info.block_len(), level));
        let mut sums = Vec::with_capacity(capacity + 1);
        sums.push(0);
        Self { history, capacity, mixer, first: 0, window: Vec::with_capacity(capacity), sums }
    }

    /// Takes the next block. After a gap in the sample indices the window restarts.
    pub fn push(&mut self, block: &SampleBlock) {
        if self.first + self.window.len() as u64 != block.first_sample {
            self.window.clear();
            self.sums.truncate(1);
            self.first = block.first_sample;
            if let Some(mixer) = &mut self.mixer {
                mixer.gap();
            }
        }
        if self.window.len() + block.samples.len() > self.capacity {
            let gone = self.window.len().saturating_sub(self.history);
            self.window.drain(..gone);
            self.sums.drain(..gone);
            self.first += gone as u64;
        }
        let from = self.window.len();
        match (&mut self.mixer, &block.samples) {
            (None, Samples::Complex(all)) => self.window.extend_from_slice(all),
            (Some(mixer), samples) => mixer.mix(samples, block.first_sample, &mut self.window),
            // A stream that was announced as complex has no real blocks; its samples are taken as I.
            (None, Samples::Real(all)) => self.window.extend(all.iter().map(|&v| Complex::new(v, 0))),
        }
        let sum = self.sums.last().copied().unwrap_or_default();
        running_sums(self.window.get(from..).unwrap_or_default(), sum, &mut self.sums);
    }

    /// The window.
    pub fn view(&self) -> BandView<'_> {
        BandView { first: self.first, samples: &self.window, sums: &self.sums }
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

    /// Running sums, one more than there are samples; see [`running_sums`].
    pub(crate) fn sums(&self) -> &'a [u32] {
        self.sums
    }
}
