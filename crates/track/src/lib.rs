//! Signal tracking: from an acquisition to symbols and observables.
//!
//! ```
//! use megrez_dsp::{Band, Level, SampleBlock, Samples, StreamInfo};
//! use megrez_signal::{Sat, SignalId};
//! use megrez_track::{Channel, ChannelEvent, ChannelStart, LossReason, TrackConfig};
//!
//! let signal = SignalId::L1CA.def();
//! let info = StreamInfo { sample_rate_hz: 4e6, center_hz: signal.carrier_hz, complex: true };
//! let mut band = Band::new(&info, signal.carrier_hz, 0.05, Level::Portable);
//! let start = ChannelStart { sample: 0, code_phase_chips: 12.5, doppler_hz: 1500.0, cn0_dbhz: 45.0 };
//! let mut channel =
//!     Channel::new(signal, Sat::gps(5), info.sample_rate_hz, Level::Portable, start, &TrackConfig::default());
//! let mut events = Vec::new();
//! for block in 0..210 {
//!     let samples = Samples::Complex(vec![Default::default(); 40_000]);
//!     band.push(&SampleBlock { first_sample: 40_000 * block, samples });
//!     channel.process(&band.view(), &mut events);
//! }
//! // Silence holds no signal.
//! assert!(matches!(events[..], [ChannelEvent::Lost { reason: LossReason::NoSignal, .. }]));
//! ```
//!
//! A [`Channel`] works in cells: code periods, or equal parts of them where a period is a symbol (`plan`). It goes
//! through these steps:
//! 1. *Pull-in* (`pullin`): open loop at the acquired frequency, 40 cells and more are kept at three to fifteen code
//!    phases, and the frequency, the code phase and the symbol edge that explain them best are found at once, BOC's
//!    side peaks and a carrier's side lines ruled out. Typically 0.08 s at 45 dB-Hz, 0.2 s at 33 dB-Hz.
//! 2. *Tracking*, symbol by symbol: a Kalman filter for the carrier (`carrier`), which settles to a third-order
//!    loop of 12 Hz at 45 dB-Hz and 7.5 Hz at 33 dB-Hz; one for the code beside it (`code`), whose bandwidth
//!    falls as time goes on to 0.03 Hz. The replica always runs at the filters' prediction, so their state is the
//!    measurement, at any sample.
//! 3. *The pilot*, where there is one: its place in the secondary code is found from its signs (`secondary`), and the
//!    loops go on with the pilot, its signs known. From then on symbols come from the partner, right way up.
//! 4. *Watching* (`quality`, `peak`): C/N0, phase lock, lock to a side line or a side peak, symbol edges. A channel
//!    that loses its carrier goes back to pull-in where it was and counts on through the gap.
//!
//! What is tracked follows from the signal's definition: code period, waveform, secondary codes, symbol rate,
//! partner. BPSK, BOC(1,1) and QMBOC signals are supported, the latter by their BOC(1,1) part; a secondary code
//! on data must be as long as a symbol.

mod carrier;
mod channel;
mod code;
mod config;
mod event;
mod peak;
mod plan;
mod pullin;
mod quality;
mod secondary;
mod start;
mod tracker;
mod walk;

pub use channel::Channel;
pub use config::TrackConfig;
pub use event::{ChannelEvent, ChannelState, LossReason, Measurement, Symbol};
pub use start::ChannelStart;
