//! A software-defined GNSS receiver, BeiDou first: samples in, positions, observations and messages out.
//!
//! ```no_run
//! use megrez::prelude::*;
//!
//! # fn blocks() -> Vec<SampleBlock> { Vec::new() }
//! let info = StreamInfo { sample_rate_hz: 4e6, center_hz: 1575.42e6, complex: true };
//! let mut receiver = Receiver::builder(info).signals([SignalId::L1CA]).build()?;
//! for block in blocks() {
//!     for event in receiver.push(&block) {
//!         if let Event::Solution(fix) = event {
//!             println!("{:?}", fix.position);
//!         }
//!     }
//! }
//! # Ok::<(), megrez::ReceiverError>(())
//! ```
//!
//! A [`Receiver`] is a push pipeline: blocks of samples go in, [`Event`]s come out, sorted by sample, signal
//! and satellite. It reads no clock and starts no thread of its own (rayon's pool shares the work of one
//! block), so the same samples give the same events, whatever the number of threads.
//!
//! A front end may have several streams on one clock ([`Receiver::builder_of`]): then the blocks of all of them go in
//! together, and a satellite that is tracked on one signal is tracked on its others without a search.
//!
//! The stages are crates of their own, re-exported here: [`signal`], [`dsp`], [`acquire`], [`track`],
//! [`nav`], [`orbit`], [`pvt`].

mod clock;
mod config;
mod diagnosis;
mod event;
mod feed;
mod predict;
mod receiver;
mod search;
mod slot;
mod state;

pub use megrez_acquire as acquire;
pub use megrez_dsp as dsp;
pub use megrez_nav as nav;
pub use megrez_orbit as orbit;
pub use megrez_pvt as pvt;
pub use megrez_signal as signal;
pub use megrez_track as track;

pub use config::{ReceiverBuilder, ReceiverConfig};
pub use diagnosis::{Diagnosis, Finding};
pub use event::{Event, LossReason};
pub use predict::{Observer, Prediction};
pub use receiver::{Receiver, ReceiverError, SatStatus};
pub use search::{assisted_windows_hz, doppler_window_hz, search_assisted, search_outward};
pub use state::{HotStart, StateError};

/// What most programs need.
pub mod prelude {
    pub use crate::{Event, Receiver, ReceiverConfig, ReceiverError};
    pub use megrez_dsp::{SampleBlock, Samples, Stream, StreamInfo};
    pub use megrez_orbit::{Ecef, Geodetic, GnssTime, NavData, Observation, ObservationEpoch};
    pub use megrez_pvt::Solution;
    pub use megrez_signal::{Constellation, ObsCode, Sat, SignalId};
}
