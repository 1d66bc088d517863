//! Symbols to subframes: frame synchronisation and error correction, one module for each way to code.

mod cnav1;
mod frames;
mod sbas;
mod soft;
mod viterbi;
mod words;

use megrez_signal::{NavMessage, Sat};

use crate::Subframe;
use cnav1::Cnav1Decoder;
use frames::FrameDecoder;
use sbas::SbasDecoder;
use words::WordDecoder;

/// Turns the symbols of one satellite into subframes.
///
/// ```
/// use megrez_nav::{Decoder, encode_subframe};
/// use megrez_orbit::{GnssTime, NavData};
/// use megrez_signal::{NavMessage, Sat};
/// # use megrez_orbit::Ephemeris;
/// # fn run(nav: &NavData) -> Result<(), megrez_nav::EncodeError> {
/// let sat = Sat::gps(5);
/// let symbols = encode_subframe(NavMessage::Lnav, sat, nav, GnssTime::from_gpst(2300, 30.0))?;
/// let mut decoder = Decoder::new(sat, NavMessage::Lnav).expect("LNAV has a decoder");
/// let subframe = symbols.iter().enumerate().find_map(|(n, &bit)| decoder.push(1.0 - 2.0 * f32::from(bit), n as u64));
/// assert_eq!(subframe.map(|s| (s.id, s.tow_s)), Some((1, Some(30.0))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Decoder(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Words(WordDecoder),
    Cnav1(Box<Cnav1Decoder>),
    Frames(FrameDecoder),
    Sbas(Box<SbasDecoder>),
}

impl Decoder {
    /// A decoder for `message` of `sat`; none if there is none for that message.
    pub fn new(sat: Sat, message: NavMessage) -> Option<Self> {
        Some(Self(match message {
            NavMessage::D1 | NavMessage::D2 | NavMessage::Lnav => Kind::Words(WordDecoder::new(sat, message)),
            NavMessage::Cnav1 => Kind::Cnav1(Box::new(Cnav1Decoder::new(sat))),
            NavMessage::Sbas | NavMessage::SbasDfmc => Kind::Sbas(Box::new(SbasDecoder::new(sat, message))),
            _ => Kind::Frames(FrameDecoder::new(sat, message)?),
        }))
    }

    /// Whether the position of the subframes is known.
    pub fn synchronised(&self) -> bool {
        match &self.0 {
            Kind::Words(decoder) => decoder.synchronised(),
            Kind::Cnav1(decoder) => decoder.synchronised(),
            Kind::Frames(decoder) => decoder.synchronised(),
            Kind::Sbas(decoder) => decoder.synchronised(),
        }
    }

    /// Forgets everything received, as after a loss of the signal.
    pub fn reset(&mut self) {
        match &mut self.0 {
            Kind::Words(decoder) => decoder.reset(),
            Kind::Cnav1(decoder) => decoder.reset(),
            Kind::Frames(decoder) => decoder.reset(),
            Kind::Sbas(decoder) => decoder.reset(),
        }
    }

    /// Takes the next symbol: `soft` is positive for logic 0, up to one unknown sign for all, of any scale; `tag`
    /// is the caller's number for the symbol. Returns a subframe when one is complete.
    pub fn push(&mut self, soft: f32, tag: u64) -> Option<Subframe> {
        let soft = if soft.is_finite() { soft } else { 0.0 };
        match &mut self.0 {
            Kind::Words(decoder) => decoder.push(soft, tag),
            Kind::Cnav1(decoder) => decoder.push(soft, tag),
            Kind::Frames(decoder) => decoder.push(soft, tag),
            Kind::Sbas(decoder) => decoder.push(soft, tag),
        }
    }
}
