//! Null messages of the systems whose content is not made here: type 63 of PPP-B2b (BDS-SIS-ICD-PPP-B2b-1.0 section
//! 6.2) and of SBAS on L1 and L5.

use megrez_signal::{NavMessage, Sat};

use super::{EncodeError, Slot};
use crate::message::{Frame, message_bits};
use crate::{convolution, crc};

/// Type of a null message.
const NULL: u32 = 63;

/// Symbols of the null message of `message` for the second of `slot`.
pub(super) fn symbols(message: NavMessage, sat: Sat, slot: &Slot) -> Result<Vec<u8>, EncodeError> {
    if let Some(frame) = Frame::of(sat, message) {
        let mut words = [0; 17];
        words[0] = NULL << 24;
        crc::write(&mut words, message_bits(message));
        return Ok(frame.symbols(&words));
    }
    // The register goes on from the message before.
    let before = sbas(message, slot.count + convolution::PREAMBLE_PERIOD - 1);
    let mut encoder = convolution::Encoder::after(&before);
    Ok(sbas(message, slot.count).into_iter().flat_map(|bit| encoder.push(bit)).collect())
}

/// Bits of an SBAS null message, the `count`-th.
fn sbas(message: NavMessage, count: u64) -> Vec<u8> {
    let (preambles, len) = convolution::preambles(message);
    let preamble = preambles.get((count % preambles.len() as u64) as usize).copied().unwrap_or(0);
    let bits = message_bits(message);
    let mut words = [0; 9];
    words[0] = (preamble << 6 | NULL) << (24 - len);
    crc::write(&mut words, bits);
    (0..bits).map(|index| crc::bit(&words, index) as u8).collect()
}
