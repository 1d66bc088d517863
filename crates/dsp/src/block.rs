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

/// The block of the only stream.
impl AsRef<[SampleBlock]> for SampleBlock {
    fn as_ref(&self) -> &[SampleBlock] {
        std::slice::from_ref(self)
    }
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

/// One stream of a front end, whose streams begin together and run on one clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// What it is.
    pub info: StreamInfo,
    /// Lowest and highest radio frequency that is in it: what the sample rate allows, or the sideband that an analogue
    /// filter left of a real stream.
    pub covers_hz: (f64, f64),
}

impl Stream {
    /// Whether a signal of `chip_rate_hz` on `carrier_hz` is in it: none if the carrier is not, else whether the
    /// whole main lobe is.
    pub fn holds(&self, carrier_hz: f64, chip_rate_hz: f64) -> Option<bool> {
        let (low, high) = self.covers_hz;
        let inside = (low..=high).contains(&carrier_hz);
        inside.then(|| (carrier_hz - low).min(high - carrier_hz) >= chip_rate_hz)
    }
}

impl From<StreamInfo> for Stream {
    fn from(info: StreamInfo) -> Self {
        Self { covers_hz: info.coverage_hz(), info }
    }
}

/// The stream that holds a signal of `chip_rate_hz` on `carrier_hz`: the first one with all of its main lobe, else the
/// first one with its carrier.
pub fn stream_of(streams: &[Stream], carrier_hz: f64, chip_rate_hz: f64) -> Option<usize> {
    let whole = |stream: &Stream| stream.holds(carrier_hz, chip_rate_hz);
    let first = |lobe: bool| streams.iter().position(|s| whole(s).is_some_and(|all| all || !lobe));
    first(true).or_else(|| first(false))
}

/// Whether the blocks of streams of such rates span the same time, so that they can be received together: equal rates,
/// or whole samples in every block.
pub fn rates_agree(rates_hz: impl IntoIterator<Item = f64>) -> bool {
    let rates: Vec<f64> = rates_hz.into_iter().collect();
    let equal = rates.windows(2).all(|pair| pair.first() == pair.last());
    equal
        || rates.iter().all(|rate| (rate * BLOCK_S - (rate * BLOCK_S).round()).abs() < 1e-9 * rate * BLOCK_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_go_to_the_stream_that_holds_their_main_lobe() {
        let stream = |center_hz, covers_hz| {
            let info = StreamInfo { sample_rate_hz: 79.5e6, center_hz, complex: false };
            Stream { covers_hz, ..Stream::from(info) }
        };
        // Sidebands of two oscillators, as in the NT1065.
        let streams = [
            stream(1590e6, (1550.25e6, 1590e6)),
            stream(1590e6, (1590e6, 1629.75e6)),
            stream(1200e6, (1160.25e6, 1200e6)),
            stream(1200e6, (1200e6, 1239.75e6)),
        ];
        let of = |carrier_hz: f64| stream_of(&streams, carrier_hz, 10.23e6);
        assert_eq!(of(1_575.42e6), Some(0));
        assert_eq!(of(1_176.45e6), Some(2));
        // Its lower edge lies below the oscillator.
        assert_eq!(of(1_207.14e6), Some(3));
        assert_eq!(of(1_268.52e6), None);
        assert_eq!(stream_of(&streams, 1_602e6, 0.511e6), Some(1));
        let wide = [Stream::from(StreamInfo { sample_rate_hz: 18e6, center_hz: 1_568e6, complex: true })];
        assert_eq!(wide[0].holds(1_575.42e6, 2.046e6), Some(false));
        assert_eq!(stream_of(&wide, 1_575.42e6, 2.046e6), Some(0));
    }

    #[test]
    fn rates_agree_if_blocks_span_the_same_time() {
        assert!(rates_agree([4e6]) && rates_agree([4_000_001.0, 4_000_001.0]));
        assert!(rates_agree([5e6, 20e6, 4.092e6]));
        assert!(!rates_agree([5e6, 4_000_001.0]));
    }
}
