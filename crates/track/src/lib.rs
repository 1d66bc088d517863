//! Signal tracking channels.

mod carrier;
mod channel;
mod code;
mod config;
mod event;
mod pullin;
mod quality;

pub use channel::{Channel, ChannelStart};
pub use config::TrackConfig;
pub use event::{ChannelEvent, ChannelState, LossReason, Measurement, Symbol};
