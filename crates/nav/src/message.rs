//! Messages protected by a CRC: what they need to become a [`Subframe`], and how they stand in their symbols.

use megrez_signal::{NavMessage, Sat};

use crate::cnav::{SUBFRAME2_GOOD, SUBFRAME3_GOOD};
use crate::cnav_fields::{CNAV2_PRN, CNAV2_SOW, CNAV2_TYPE, CNAV3_SOW, CNAV3_TYPE, HOW, PAGE_ID};
use crate::field::Field;
use crate::ldpc::LdpcCode;
use crate::subframe::{CNAV1_SUBFRAME2_WORDS, WEEK_S};
use crate::{Subframe, bch_b1c, crc};

/// Information bits of B-CNAV1 subframes 2 and 3, with their CRC.
const SUBFRAME2_BITS: usize = 600;
const SUBFRAME3_BITS: usize = 264;
/// Words of B-CNAV1 subframe 3.
const SUBFRAME3_WORDS: usize = 9;
/// Message type of SBAS on L1 and on L5 (RTCA DO-229 section A.4.3; DFMC SBAS SARPs).
const SBAS_TYPE: Field = Field::unsigned("type", &[(9, 6)], 1.0);
const DFMC_TYPE: Field = Field::unsigned("type", &[(5, 6)], 1.0);

/// Symbols before the LDPC codeword of B-CNAV2, B-CNAV3 and PPP-B2b, and the code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Known symbols at the start, right aligned.
    pub(crate) known: u32,
    /// How many there are.
    pub(crate) known_len: usize,
    /// Symbols before the codeword.
    pub(crate) head: usize,
    pub(crate) code: LdpcCode,
}

impl Frame {
    /// The frame of `message` of `sat`; none if it is another kind of message.
    pub(crate) fn of(sat: Sat, message: NavMessage) -> Option<Self> {
        match message {
            // BDS-SIS-ICD-B2a-1.0 section 6.2.1.
            NavMessage::Cnav2 => {
                Some(Self { known: 0xe2_4de8, known_len: 24, head: 24, code: LdpcCode::Cnav2 })
            }
            // BDS-SIS-ICD-B2b-1.0 section 6.2.1, BDS-SIS-ICD-PPP-B2b-1.0 section 6.1: preamble, satellite, six
            // reserved.
            NavMessage::Cnav3 | NavMessage::PppB2b => Some(Self {
                known: 0xeb90 << 6 | u32::from(sat.prn & 63),
                known_len: 22,
                head: 28,
                code: LdpcCode::Cnav3,
            }),
            _ => None,
        }
    }

    /// The symbols of a message of `words`.
    pub(crate) fn symbols(&self, words: &[u32]) -> Vec<u8> {
        let codeword = self.code.encode(&crc::symbols(words, self.code.information()));
        let known = (0..self.known_len).rev().map(|i| (self.known >> i & 1) as u8);
        let reserved = std::iter::repeat_n(0, self.head - self.known_len);
        known.chain(reserved).chain(bits(&codeword)).collect()
    }
}

/// The bits of symbols of six bits.
fn bits(symbols: &[u8]) -> impl Iterator<Item = u8> + '_ {
    symbols.iter().flat_map(|symbol| (0..6).rev().map(move |bit| symbol >> bit & 1))
}

/// The 1800 symbols of a B-CNAV1 frame of the words of its subframes 2 and 3.
pub(crate) fn cnav1_symbols(sat: Sat, soh: u8, words2: &[u32], words3: &[u32]) -> Vec<u8> {
    let coded = |code: LdpcCode, words: &[u32]| code.encode(&crc::symbols(words, code.information()));
    let second = coded(LdpcCode::Cnav1Subframe2, words2);
    let third = coded(LdpcCode::Cnav1Subframe3, words3);
    let coded: Vec<u8> = bits(&second).chain(bits(&third)).collect();
    let first = bch_b1c::subframe1(sat.prn, soh);
    (0..bch_b1c::SUBFRAME1)
        .rev()
        .map(|i| (first >> i & 1) as u8)
        .chain((0..crate::interleave::INTERLEAVED).map(|i| coded[crate::interleave::source(i)]))
        .collect()
}

/// Writes the CRCs of B-CNAV1 subframes 2 and 3.
pub(crate) fn seal_cnav1(words2: &mut [u32], words3: &mut [u32]) {
    crc::write(words2, SUBFRAME2_BITS);
    crc::write(words3, SUBFRAME3_BITS);
}

/// Bits of a message with its CRC; 0 if it is another kind of message.
pub(crate) fn message_bits(message: NavMessage) -> usize {
    match message {
        NavMessage::Cnav2 => 288,
        NavMessage::Cnav3 | NavMessage::PppB2b => 486,
        NavMessage::Sbas | NavMessage::SbasDfmc => 250,
        _ => 0,
    }
}

impl Subframe {
    /// The message in `words` of 30 bits (B-CNAV2: 288 bits, B-CNAV3 and PPP-B2b: 486, SBAS: 250). None if it is
    /// another kind of message, or if length, CRC, satellite or time are wrong.
    pub fn from_message(sat: Sat, message: NavMessage, tag: u64, words: &[u32]) -> Option<Self> {
        let bits = message_bits(message);
        if bits == 0 || words.len() != bits.div_ceil(30) || !crc::holds(words, bits) {
            return None;
        }
        let (id, tow_s) = match message {
            NavMessage::Cnav2 if CNAV2_PRN.raw(words) != i64::from(sat.prn) => return None,
            NavMessage::Cnav2 => (CNAV2_TYPE.raw(words), Some(CNAV2_SOW.get(words))),
            NavMessage::Cnav3 => (CNAV3_TYPE.raw(words), Some(CNAV3_SOW.get(words))),
            NavMessage::PppB2b => (CNAV3_TYPE.raw(words), None),
            NavMessage::Sbas => (SBAS_TYPE.raw(words), None),
            _ => (DFMC_TYPE.raw(words), None),
        };
        (tow_s.unwrap_or(0.0) < WEEK_S).then(|| Self {
            sat,
            message,
            tag,
            inverted: false,
            corrected_bits: 0,
            tow_s,
            id: id as u8,
            page: None,
            words: words.to_vec(),
            good_words: (1 << words.len()) - 1,
        })
    }

    /// The B-CNAV1 frame number `soh` of the hour, of the words of subframes 2 (twenty) and 3 (nine), whichever
    /// pass their CRC. `hour_s` is the time of week at which the hour begins; that of subframe 2 comes before it.
    /// None if neither passes, if no hour is known, or if `soh` is not below 200.
    pub fn from_cnav1(
        sat: Sat,
        tag: u64,
        soh: u8,
        hour_s: Option<f64>,
        second: &[u32],
        third: &[u32],
    ) -> Option<Self> {
        let good2 = second.len() == CNAV1_SUBFRAME2_WORDS && crc::holds(second, SUBFRAME2_BITS);
        let good3 = third.len() == SUBFRAME3_WORDS && crc::holds(third, SUBFRAME3_BITS);
        let hour_s = if good2 { HOW.get(second) } else { hour_s? };
        let tow_s = hour_s + 18.0 * f64::from(soh);
        if !(good2 || good3) || soh >= bch_b1c::FRAMES || !(0.0..WEEK_S).contains(&tow_s) {
            return None;
        }
        let mut words = vec![0; CNAV1_SUBFRAME2_WORDS + SUBFRAME3_WORDS];
        let (to2, to3) = words.split_at_mut(CNAV1_SUBFRAME2_WORDS);
        if good2 {
            to2.copy_from_slice(second);
        }
        if good3 {
            to3.copy_from_slice(third);
        }
        Some(Self {
            sat,
            message: NavMessage::Cnav1,
            tag,
            inverted: false,
            corrected_bits: 0,
            tow_s: Some(tow_s),
            id: soh,
            page: good3.then(|| PAGE_ID.raw(third) as u8),
            words,
            good_words: if good2 { SUBFRAME2_GOOD } else { 0 } | if good3 { SUBFRAME3_GOOD } else { 0 },
        })
    }
}
