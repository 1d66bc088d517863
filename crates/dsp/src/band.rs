use std::ops::Range;

use num_complex::Complex;

use crate::{Level, SampleBlock, Samples, StreamInfo};

/// Samples of one carrier, at 0 Hz, in a window that ends with the newest block.
pub struct Band {
    rate_hz: f64,
    offset_hz: f64,
    history: usize,
    first: u64,
    window: Vec<Complex<i8>>,
}

/// What a [`Band`] holds.
#[derive(Clone, Copy)]
pub struct BandView<'a> {
    first: u64,
    samples: &'a [Complex<i8>],
}

impl Band {
    /// A band around `carrier_hz` that keeps `history_s` before the newest block.
    pub fn new(info: &StreamInfo, carrier_hz: f64, history_s: f64, _level: Level) -> Self {
        Self {
            rate_hz: info.sample_rate_hz,
            offset_hz: carrier_hz - info.center_hz,
            history: (history_s * info.sample_rate_hz).ceil() as usize,
            first: 0,
            window: Vec::new(),
        }
    }

    /// Takes the next block. After a gap the window restarts.
    pub fn push(&mut self, block: &SampleBlock) {
        if self.first + self.window.len() as u64 != block.first_sample {
            self.window.clear();
            self.first = block.first_sample;
        }
        if self.window.len() > self.history {
            let gone = self.window.len() - self.history;
            self.window.drain(..gone);
            self.first += gone as u64;
        }
        let step = self.offset_hz / self.rate_hz;
        let mix = |k: usize, re: f64, im: f64, gain: f64| {
            let turns = (block.first_sample + k as u64) as f64 * step;
            let (s, c) = (-(turns - turns.floor()) * std::f64::consts::TAU).sin_cos();
            let round = |v: f64| (v * gain).round().clamp(-127.0, 127.0) as i8;
            Complex::new(round(re * c - im * s), round(re * s + im * c))
        };
        match &block.samples {
            Samples::Complex(all) if step == 0.0 => self.window.extend_from_slice(all),
            Samples::Complex(all) => {
                self.window
                    .extend(all.iter().enumerate().map(|(k, v)| mix(k, v.re.into(), v.im.into(), 1.0)));
            }
            Samples::Real(all) => {
                self.window.extend(all.iter().enumerate().map(|(k, &v)| mix(k, v.into(), 0.0, 8.0)));
            }
        }
    }

    /// The window.
    pub fn view(&self) -> BandView<'_> {
        BandView { first: self.first, samples: &self.window }
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
}
