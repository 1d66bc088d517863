//! Samples to correlations: formats, IF removal, running sums, correlators.

mod band;
mod block;
mod correlate;
pub mod format;
mod level;
pub mod resample;
mod stats;

pub use band::{Band, BandView};
pub use block::{BLOCK_S, SampleBlock, Samples, StreamInfo};
pub use correlate::{Correlation, Correlator, Replica, Subcarrier, Taps};
pub use format::{Packer, SampleFormat, Unpacker};
pub use level::{Level, LevelError};
pub use resample::downconvert;
pub use stats::{LevelStats, spectrum};
