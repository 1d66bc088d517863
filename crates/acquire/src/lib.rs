//! Signal acquisition by FFT search: which satellites are there, at which code phase and Doppler.
//!
//! ```
//! use megrez_acquire::{SearchPlan, search};
//! use megrez_dsp::{Samples, StreamInfo};
//! use megrez_signal::SignalId;
//!
//! let info = StreamInfo { sample_rate_hz: 4.092e6, center_hz: 1561.098e6, complex: true };
//! let samples = Samples::Complex(vec![Default::default(); 61_380]);
//! let plan = SearchPlan::cold(SignalId::B1I, 1e-6);
//! let found = search(&samples, 0, &info, &plan)?;
//! assert!(found.is_empty());
//! # Ok::<(), megrez_acquire::AcquireError>(())
//! ```
//!
//! * [`SearchPlan`]: signal, satellites, Doppler window, integration, false-alarm probability.
//! * [`Searcher`]: runs plans on the samples of one stream and keeps code spectra between them.
//! * [`Acquisition`]: one satellite found.
//! * [`threshold`]: from the false-alarm probability of a search to the threshold of a cell.
//!
//! # Method
//!
//! The samples are brought to baseband at about two samples a chip (four for BOC; fast searches take one and a
//! half and three) by [`downconvert`](megrez_dsp::downconvert), which leaves the signal's main lobe. Narrow-band
//! interference is cut out. Spectra of blocks of `coherent_periods` code periods, folded to one, serve all
//! satellites; a shift by whole lines gives Doppler steps of one per code period, and a few wipe-offs give
//! those between, one resolution (the inverse of a block's duration) apart. Each is multiplied by the conjugate
//! spectrum of a code; the inverse FFT is the correlation at all delays. Powers are summed over the blocks, on
//! the grid and halfway between its points (the band holds what is needed to interpolate), and at Dopplers
//! halfway between as well; fast searches take these from the difference of both neighbours.
//! Where signs may change with every code period, FFTs are longer than the code, and one serves several
//! blocks. With the delay moving by the code Doppler from block to block, long sums stay sharp; wide windows
//! are cut into slices, each with its own resampling, so that an oscillator 60 ppm off costs nothing.

mod acquisition;
mod code;
mod error;
mod excise;
mod grid;
mod guard;
mod plan;
mod refine;
mod searcher;
pub mod threshold;

pub use acquisition::Acquisition;
pub use error::AcquireError;
pub use plan::{SearchPlan, SignChanges};
pub use searcher::Searcher;

use megrez_dsp::{Samples, StreamInfo};

/// Searches `samples`, the first of which has number `first_sample` in its stream, once.
///
/// A [`Searcher`] saves work where several searches follow each other.
pub fn search(
    samples: &Samples,
    first_sample: u64,
    info: &StreamInfo,
    plan: &SearchPlan,
) -> Result<Vec<Acquisition>, AcquireError> {
    Searcher::new(info).search(samples, first_sample, plan)
}
