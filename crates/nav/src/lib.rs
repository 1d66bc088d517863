//! Navigation symbols to messages and back.
//!
//! ```text
//! symbols ─▶ Decoder ─▶ Subframe ─▶ Assembler ─▶ NavEvent ─▶ NavData
//!    ▲                      ▲
//! encode_subframe        ubx (subframes another receiver has decoded)
//! ```
//!
//! * [`Decoder`]: frame synchronisation and error correction for D1, D2, LNAV, B-CNAV1, B-CNAV2, B-CNAV3, PPP-B2b and
//!   SBAS on L1 and L5.
//! * [`Subframe`]: checked words and their time.
//! * [`Assembler`], [`NavEvent`]: subframes in any order to ephemerides, almanacs, ionosphere, time, integrity.
//! * [`ppp_b2b`]: precise corrections; [`d2_pages`]: integrity, corrections and ionospheric grid of D2.
//! * [`encode_subframe`]: the way back, with complete frames.
//! * [`ldpc`]: the 64-ary codes of B-CNAV and PPP-B2b.
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
