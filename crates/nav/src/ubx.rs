//! u-blox logs: navigation words of RXM-SFRBX, time of RXM-RAWX (u-blox interface description, UBX-RXM).

use std::collections::BTreeMap;

use megrez_orbit::{GnssTime, NavData};
use megrez_signal::{NavMessage, Sat};

use crate::{Assembler, NavEvent, Subframe, bch_b1c, crc, parity};

/// One message of interest in a log.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum UbxMessage {
    /// RXM-SFRBX.
    Sfrbx(Sfrbx),
    /// RXM-RAWX: the receiver's time of its epoch.
    Rawx(GnssTime),
    /// Anything else, by class and number.
    Other(u8, u8),
}

/// Words of one subframe of some message.
#[derive(Debug, Clone, PartialEq)]
pub struct Sfrbx {
    /// Position of the message in the log in bytes.
    pub offset: usize,
    /// u-blox number of the system: 0 GPS, 2 Galileo, 3 BeiDou, 6 GLONASS.
    pub gnss_id: u8,
    /// Satellite number.
    pub sv_id: u8,
    /// u-blox number of the signal within the system.
    pub sig_id: u8,
    /// Words as sent by the receiver.
    pub words: Vec<u32>,
}

impl Sfrbx {
    /// Satellite and message, if it is one known here: GPS signal 0 (L1 C/A); BDS 0 (B1I), 2 (B2I), 4 (B3I) with
    /// D1 and 1, 3, 10 with D2, 6 (B1C), 8 (B2a).
    pub fn message(&self) -> Option<(Sat, NavMessage)> {
        let message = match (self.gnss_id, self.sig_id) {
            (0, 0) => (Sat::gps(self.sv_id), NavMessage::Lnav),
            (3, 0 | 2 | 4) => (Sat::bds(self.sv_id), NavMessage::D1),
            (3, 1 | 3 | 10) => (Sat::bds(self.sv_id), NavMessage::D2),
            (3, 6) => (Sat::bds(self.sv_id), NavMessage::Cnav1),
            (3, 8) => (Sat::bds(self.sv_id), NavMessage::Cnav2),
            _ => return None,
        };
        Some(message)
    }

    /// The subframe, if it is one of LNAV, D1, D2 or B-CNAV2 and every word and the header or the CRC pass. The
    /// subframes of B-CNAV1 come apart from each other: see [`Cnav1Joiner`].
    ///
    /// LNAV words come with the inversion by D30* undone over all 30 bits, and above them, in bits 31 and 30,
    /// D29* and D30* inverted alike: each word passes its parity by itself. D1 and D2 words come in the order of
    /// the interface document.
    pub fn subframe(&self) -> Option<Subframe> {
        let (sat, message) = self.message()?;
        if message == NavMessage::Cnav2 {
            let words = crc::from_32_bits(&self.words, 288)?;
            return Subframe::from_message(sat, message, self.offset as u64, &words);
        }
        let mut words: [u32; 10] = self.words.as_slice().try_into().ok()?;
        if message == NavMessage::Lnav {
            let mut previous = 0;
            for word in &mut words {
                let data = *word >> 6 & 0xff_ffff;
                if parity::parity(*word >> 30, data) != *word & 0x3f {
                    return None;
                }
                *word = data << 6 | parity::parity(previous, data);
                previous = *word & 3;
            }
        }
        Subframe::from_words(sat, message, self.offset as u64, words)
    }
}

/// Puts B-CNAV1 frames together, of which RXM-SFRBX has the subframes one by one: 72, 600 and 264 bits in 3, 19
/// and 9 words, filled up with other bits.
#[derive(Debug, Clone, Default)]
pub struct Cnav1Joiner {
    /// By satellite: frame of the hour and the time of week of the hour, once known.
    known: BTreeMap<Sat, (u8, Option<f64>)>,
}

impl Cnav1Joiner {
    /// Takes a subframe and returns a frame in which that subframe is good, if it passes its CRC. Frames before
    /// the first subframe 1 of a satellite count as the first of their hour.
    pub fn push(&mut self, frame: &Sfrbx) -> Option<Subframe> {
        let (sat, _) = frame.message().filter(|&(_, message)| message == NavMessage::Cnav1)?;
        let (soh, hour_s) = self.known.entry(sat).or_default();
        let tag = frame.offset as u64;
        match frame.words.as_slice() {
            &[a, b, c] => {
                let symbols = u128::from(a) << 40 | u128::from(b) << 8 | u128::from(c >> 24);
                *soh = bch_b1c::read(sat.prn, symbols)?;
                None
            }
            words if words.len() == 19 => {
                let words = crc::from_32_bits(words, 600)?;
                let frame = Subframe::from_cnav1(sat, tag, *soh, None, &words, &[])?;
                *hour_s = frame.tow_s.map(|tow_s| tow_s - 18.0 * f64::from(*soh));
                Some(frame)
            }
            words => {
                let words = crc::from_32_bits(words, 264)?;
                Subframe::from_cnav1(sat, tag, *soh, *hour_s, &[], &words)
            }
        }
    }
}

/// Finds UBX messages with a right checksum in bytes that may hold anything else too.
#[derive(Debug, Clone)]
pub struct UbxReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> UbxReader<'a> {
    /// A reader of a whole log.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }
}

impl Iterator for UbxReader<'_> {
    type Item = UbxMessage;

    fn next(&mut self) -> Option<UbxMessage> {
        loop {
            let rest = self.bytes.get(self.position..)?;
            let start = rest.windows(2).position(|pair| pair == [0xb5, 0x62])?;
            let offset = self.position + start;
            match frame(rest.get(start..)?) {
                Some((class, id, payload)) => {
                    self.position = offset + payload.len() + 8;
                    return Some(message(offset, class, id, payload));
                }
                None => self.position = offset + 1,
            }
        }
    }
}

/// Class, number and payload of the message at the start of `bytes`, if its checksum is right.
fn frame(bytes: &[u8]) -> Option<(u8, u8, &[u8])> {
    let &[_, _, class, id, low, high] = bytes.first_chunk()?;
    let end = 6 + usize::from(u16::from_le_bytes([low, high]));
    let payload = bytes.get(6..end)?;
    let sum = bytes.get(2..end)?.iter().fold([0u8; 2], |[a, b], &byte| {
        let a = a.wrapping_add(byte);
        [a, b.wrapping_add(a)]
    });
    (bytes.get(end..end + 2)? == sum).then_some((class, id, payload))
}

fn message(offset: usize, class: u8, id: u8, payload: &[u8]) -> UbxMessage {
    match (class, id) {
        (0x02, 0x13) => sfrbx(offset, payload),
        (0x02, 0x15) => rawx(payload),
        _ => None,
    }
    .unwrap_or(UbxMessage::Other(class, id))
}

fn sfrbx(offset: usize, payload: &[u8]) -> Option<UbxMessage> {
    let &[gnss_id, sv_id, sig_id, _, count, ..] = payload.first_chunk::<8>()?;
    let words: Vec<u32> = payload.get(8..)?.as_chunks().0.iter().map(|&b| u32::from_le_bytes(b)).collect();
    (words.len() == usize::from(count)).then_some(UbxMessage::Sfrbx(Sfrbx {
        offset,
        gnss_id,
        sv_id,
        sig_id,
        words,
    }))
}

fn rawx(payload: &[u8]) -> Option<UbxMessage> {
    let tow = f64::from_le_bytes(*payload.first_chunk()?);
    let week = i64::from(u16::from_le_bytes(payload.get(8..10)?.try_into().ok()?));
    (week > 0 && (0.0..604_800.0).contains(&tow)).then(|| UbxMessage::Rawx(GnssTime::from_gpst(week, tow)))
}

/// Everything the GPS LNAV and BDS D1, D2, B-CNAV1 and B-CNAV2 frames of a log say. Weeks are resolved by the receiver's own time
/// (RXM-RAWX) or by the BDS week in the log, whichever comes first; failing both as [`Assembler`] does.
pub fn nav_data_from_ubx(bytes: &[u8]) -> NavData {
    let mut near = first_time(bytes);
    let mut assemblers = BTreeMap::new();
    let mut nav = NavData::default();
    let mut joiner = Cnav1Joiner::default();
    for message in UbxReader::new(bytes) {
        match message {
            UbxMessage::Rawx(time) => near = Some(time),
            UbxMessage::Sfrbx(frame) => {
                let Some(subframe) = frame.subframe().or_else(|| joiner.push(&frame)) else { continue };
                // D1 on B1I and on B3I are sent apart from each other.
                let assembler = assemblers
                    .entry((subframe.sat, frame.sig_id))
                    .or_insert_with(|| Assembler::new(subframe.sat, subframe.message));
                for event in assembler.push(&subframe, near) {
                    event.store(&mut nav);
                }
            }
            UbxMessage::Other(..) => {}
        }
    }
    nav
}

/// The first instant a log tells with its week.
fn first_time(bytes: &[u8]) -> Option<GnssTime> {
    UbxReader::new(bytes).find_map(|message| match message {
        UbxMessage::Rawx(time) => Some(time),
        UbxMessage::Sfrbx(frame) => {
            let subframe = frame.subframe().filter(|s| s.message != NavMessage::Lnav)?;
            let mut assembler = Assembler::new(subframe.sat, subframe.message);
            let events = assembler.push(&subframe, None);
            let week = events.iter().any(|event| matches!(event, NavEvent::Week { .. }));
            week.then(|| assembler.time(&subframe))?
        }
        UbxMessage::Other(..) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            nav_data_from_ubx(&bytes);
        }

        #[test]
        fn random_payloads_never_panic(
            payload in prop::collection::vec(any::<u8>(), 0..60),
            id in prop::sample::select(vec![0x13u8, 0x15]),
            garbage in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut bytes = garbage;
            let start = bytes.len();
            bytes.extend([0xb5, 0x62, 0x02, id]);
            bytes.extend((payload.len() as u16).to_le_bytes());
            bytes.extend(&payload);
            let (mut a, mut b) = (0u8, 0u8);
            for &byte in &bytes[start + 2..] {
                a = a.wrapping_add(byte);
                b = b.wrapping_add(a);
            }
            bytes.extend([a, b]);
            prop_assert!(UbxReader::new(&bytes).count() >= 1);
            nav_data_from_ubx(&bytes);
        }
    }
}
