//! Samples to correlations: formats, IF removal, running sums, correlators.
//!
//! ```
//! use megrez_dsp::{
//!     Band, Correlation, Correlator, Level, Replica, SampleBlock, Samples, StreamInfo, Subcarrier,
//! };
//! use num_complex::Complex;
//!
//! // Ten milliseconds of a code of seven chips, four samples a chip.
//! let chips = [0u8, 0, 0, 1, 0, 1, 1];
//! let info = StreamInfo { sample_rate_hz: 4.0e6, center_hz: 1575.42e6, complex: true };
//! let sample = |n: usize| Complex::new(if chips[n / 4 % 7] == 0 { 10 } else { -10 }, 0);
//! let samples = Samples::Complex((0..info.block_len()).map(sample).collect());
//!
//! let level = Level::detect()?;
//! let mut band = Band::new(&info, 1575.42e6, 0.001, level);
//! band.push(&SampleBlock { first_sample: 0, samples });
//! let replica = Replica::new(&chips, Subcarrier::None);
//! let what = Correlation {
//!     start: 0,
//!     len: 2800,
//!     code_phase_chips: 0.1,
//!     code_rate_hz: 1.0e6,
//!     carrier_phase_cycles: 0.0,
//!     carrier_freq_hz: 0.0,
//!     tap_spacing_chips: 0.5,
//! };
//! let taps = Correlator::new(info.sample_rate_hz, level).correlate(&band.view(), &replica, &what);
//! let prompt = taps.expect("the band holds the samples").prompt;
//! assert!((prompt.re - 28_000.0).abs() < 1.0);
//! # Ok::<(), megrez_dsp::LevelError>(())
//! ```
//!
//! - [`mod@format`]: bytes of recordings to samples and back; [`Samples`], [`SampleBlock`], [`StreamInfo`]
//! - [`Band`]: samples around one carrier, at 0 Hz
//! - [`Replica`], [`Correlator`]: codes, and samples against them
//! - [`resample`]: to a lower rate
//! - [`Level`]: instruction sets

mod arch;
mod band;
mod block;
mod correlate;
mod direct;
pub mod fft;
pub mod format;
mod kernel;
mod level;
mod mix;
mod replica;
pub mod resample;
mod runs;
mod stats;
mod sums;
mod tiles;

pub use arch::complex::ComplexMath;
pub use arch::synth::{Carrier, Noise, SynthMath};
pub use band::{Band, BandView};
pub use block::{BLOCK_S, SampleBlock, Samples, Stream, StreamInfo, rates_agree, stream_of};
pub use correlate::{Correlation, Correlator, Kernel, Taps};
pub use fft::{Fft, Planar};
pub use format::{Packer, SampleFormat, Unpacker};
pub use level::{Level, LevelError};
pub use replica::{Replica, Subcarrier};
pub use resample::downconvert;
pub use stats::{LevelStats, spectrum};
