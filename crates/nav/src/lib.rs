//! Navigation symbols to messages and back.
//!
//! ```text
//! symbols ─▶ Decoder ─▶ Subframe ─▶ Assembler ─▶ NavEvent ─▶ NavData
//!    ▲                      ▲
//! encode_subframe        ubx (subframes another receiver has decoded)
//! ```
//!
//! * [`Decoder`]: frame synchronisation and error correction for D1, D2 and LNAV.
//! * [`Subframe`]: ten checked words and their time.
//! * [`Assembler`], [`NavEvent`]: subframes in any order to ephemerides, almanacs, ionosphere, time.
//! * [`encode_subframe`]: the way back, with complete frames.
//! * [`ubx`]: u-blox logs.

mod assemble;
mod bch;
mod bch_b1c;
mod cnav;
mod cnav_fields;
mod convolution;
mod crc;
mod d1d2;
mod d1d2_fields;
pub mod d2_pages;
mod decoder;
mod element;
mod encode;
mod field;
mod interleave;
pub mod ldpc;
mod lnav;
mod lnav_fields;
mod message;
mod parity;
pub mod ppp_b2b;
mod subframe;
pub mod ubx;

pub use assemble::{Assembler, NavEvent};
pub use decoder::Decoder;
pub use encode::{EncodeError, encode_subframe};
pub use subframe::{Subframe, subframe_duration_s};
