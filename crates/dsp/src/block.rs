use num_complex::Complex;

/// Duration of a block in seconds.
pub const BLOCK_S: f64 = 0.010;

/// Samples scaled to 8 bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Real samples.
    Real(Vec<i8>),
    /// Complex samples, I + jQ.
    Complex(Vec<Complex<i8>>),
}

impl Samples {
    /// None yet, of the given kind.
    pub fn new(complex: bool) -> Self {
        if complex { Self::Complex(Vec::new()) } else { Self::Real(Vec::new()) }
    }

    /// Adds `more` at the end; false, and nothing added, if one is real and the other complex.
    pub fn append(&mut self, more: &Self) -> bool {
        match (self, more) {
            (Self::Complex(all), Self::Complex(new)) => all.extend_from_slice(new),
            (Self::Real(all), Self::Real(new)) => all.extend_from_slice(new),
            _ => return false,
        }
        true
    }

    /// Keeps the first `len` samples.
    pub fn truncate(&mut self, len: usize) {
        match self {
            Self::Real(all) => all.truncate(len),
            Self::Complex(all) => all.truncate(len),
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Real(all) => all.len(),
            Self::Complex(all) => all.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A run of consecutive samples of one stream.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleBlock {
    /// Index of the first sample from the start of the stream.
    pub first_sample: u64,
    /// The samples.
    pub samples: Samples,
}

/// What a stream of samples is.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamInfo {
    /// Nominal sample rate in Hz.
    pub sample_rate_hz: f64,
    /// Radio frequency at 0 Hz of the samples.
    pub center_hz: f64,
    /// Whether the samples are complex.
    pub complex: bool,
}

impl StreamInfo {
    /// Samples of a block: every block but the last of a stream has exactly as many.
    pub fn block_len(&self) -> usize {
        (self.sample_rate_hz * BLOCK_S).round() as usize
    }

    /// Lowest and highest radio frequency that the stream holds. A real stream holds both sides of its
    /// centre.
    pub fn coverage_hz(&self) -> (f64, f64) {
        let half = self.sample_rate_hz / 2.0;
        (self.center_hz - half, self.center_hz + half)
    }
}
