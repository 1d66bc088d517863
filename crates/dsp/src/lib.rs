//! Samples to correlations: formats, IF removal, running sums, correlators.

mod arch;
mod band;
mod block;
mod correlate;
pub mod format;
mod kernel;
mod level;
mod mix;
mod replica;
pub mod resample;
mod stats;

pub use arch::complex::ComplexMath;
pub use band::{Band, BandView};
pub use block::{BLOCK_S, SampleBlock, Samples, StreamInfo};
pub use correlate::{Correlation, Correlator, Taps};
pub use format::{Packer, SampleFormat, Unpacker};
pub use level::{Level, LevelError};
pub use replica::{Replica, Subcarrier};
pub use resample::downconvert;
pub use stats::{LevelStats, spectrum};
