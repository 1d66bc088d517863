//! One subframe of D1, D2 or LNAV, or one message or frame of the others: checked words and where they stand in
//! time.

use megrez_signal::{NavMessage, Sat};

use crate::{bch, d1d2, lnav, parity};

/// Symbols of a subframe of D1, D2 and LNAV.
pub(crate) const SUBFRAME_SYMBOLS: usize = 300;
/// Seconds of a week.
pub(crate) const WEEK_S: f64 = 604_800.0;
/// Ten good words.
pub(crate) const TEN_WORDS: u32 = 0x3ff;
/// Words of subframe 2 of B-CNAV1, which come first in its frame; subframe 3 follows.
pub(crate) const CNAV1_SUBFRAME2_WORDS: usize = 20;

/// Symbols of the unit in which a message comes: a subframe of D1, D2 and LNAV, a frame of B-CNAV1, a message of
/// the others.
pub(crate) fn subframe_symbols(message: NavMessage) -> usize {
    match message {
        NavMessage::Cnav1 => 1800,
        NavMessage::Cnav2 => 600,
        NavMessage::Cnav3 | NavMessage::PppB2b => 1000,
        NavMessage::Sbas | NavMessage::SbasDfmc => 500,
        _ => SUBFRAME_SYMBOLS,
    }
}

/// Duration in seconds of the unit in which a message comes: the subframe of D1 and LNAV (6 s) and of D2 (0.6 s;
/// BDS-SIS-ICD-B1I-3.0 sections 5.2.1 and 5.3.1, IS-GPS-200 section 20.3.2), the frame of B-CNAV1 (18 s), the
/// message of B-CNAV2 (3 s), B-CNAV3, PPP-B2b and SBAS (1 s).
pub fn subframe_duration_s(message: NavMessage) -> f64 {
    subframe_symbols(message) as f64 / message.symbol_rate_hz()
}

/// A subframe as received: words of 30 bits, each known good or not. B-CNAV1 comes in frames, the other messages
/// of B-CNAV, PPP-B2b and SBAS in messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Subframe {
    /// Satellite that sent it.
    pub sat: Sat,
    /// Message it belongs to.
    pub message: NavMessage,
    /// The caller's tag of the first symbol.
    pub tag: u64,
    /// The symbols arrived inverted (and the words here are upright again).
    pub inverted: bool,
    /// Bits corrected by the code.
    pub corrected_bits: u32,
    /// Seconds of week at the leading edge of the first symbol: GPST for LNAV, BDT for BeiDou. None if the message
    /// does not say (PPP-B2b, SBAS).
    pub tow_s: Option<f64>,
    /// Subframe number, 1 to 5 (FraID of D1 and D2); message type of B-CNAV2, B-CNAV3, PPP-B2b and SBAS; frame
    /// of the hour, 0 to 199 (SOH), of B-CNAV1.
    pub id: u8,
    /// Page number, where the subframe has pages and the page number is known; of B-CNAV1 that of subframe 3.
    pub page: Option<u8>,
    /// Words of 30 bits, right aligned, first bit most significant; the last one is filled up with zeros.
    /// D1 and D2: ten, corrected and de-interleaved, information before parity. LNAV: ten, data bits with the
    /// inversion by D30* undone, then D25 to D30 as sent (with the polarity of the first word). B-CNAV1: twenty of
    /// subframe 2 and nine of subframe 3. B-CNAV2, B-CNAV3, PPP-B2b, SBAS: the message with its CRC.
    pub words: Vec<u32>,
    /// Bit `n` is set if word `n + 1` can be trusted: its parity holds, or one bit was corrected and that bit
    /// was an unreliable one; or the CRC over it holds.
    pub good_words: u32,
}

impl Subframe {
    /// Whether word `number`, 1 to 10, can be trusted.
    pub fn word_good(&self, number: usize) -> bool {
        (1..=self.words.len().min(32)).contains(&number) && self.good_words >> (number - 1) & 1 == 1
    }

    /// Whether all words can be trusted.
    pub fn complete(&self) -> bool {
        (1..=self.words.len()).all(|number| self.word_good(number))
    }

    /// Whether the words that carry the content can be trusted: the first five of a D2 ephemeris page, one of the
    /// two subframes of B-CNAV1, all otherwise.
    pub fn usable(&self) -> bool {
        match (self.message, self.id) {
            (NavMessage::D2, 1) => self.good_words & 0x1f == 0x1f,
            (NavMessage::Cnav1, _) => self.good_words != 0,
            _ => self.complete(),
        }
    }

    /// The subframe of ten words that some other receiver has already checked: D1 and D2 words in the order of
    /// the interface document with their parity, LNAV words with the inversion undone and parity such that the
    /// first word follows D29* = D30* = 0. None if a parity, the preamble, the number or the time is wrong.
    pub fn from_words(sat: Sat, message: NavMessage, tag: u64, words: [u32; 10]) -> Option<Self> {
        let words = words.map(|w| w & 0x3fff_ffff);
        let header = match message {
            NavMessage::D1 | NavMessage::D2 => {
                let coded = words.iter().enumerate().all(|(i, &w)| bch::parity_ok(i, w));
                (coded && words[0] >> 19 == d1d2::PREAMBLE).then(|| d1d2::header(message, &words))?
            }
            NavMessage::Lnav => {
                let mut previous = 0;
                for &word in &words {
                    if parity::parity(previous, word >> 6) != word & 0x3f {
                        return None;
                    }
                    previous = word & 3;
                }
                (words[0] >> 22 == lnav::PREAMBLE).then(|| lnav::header(&words))?
            }
            _ => None,
        }?;
        let mut subframe = Self {
            sat,
            message,
            tag,
            inverted: false,
            corrected_bits: 0,
            tow_s: Some(header.tow_s),
            id: header.id,
            page: None,
            words: words.to_vec(),
            good_words: TEN_WORDS,
        };
        subframe.find_page();
        Some(subframe)
    }

    /// Fills in the page number if the word that has it is good.
    pub(crate) fn find_page(&mut self) {
        self.page = self.read_page();
    }

    fn read_page(&self) -> Option<u8> {
        match self.message {
            NavMessage::D1 | NavMessage::D2 if self.word_good(2) => {
                d1d2::page(self.message, self.id, &self.words)
            }
            NavMessage::Lnav if self.word_good(3) => lnav::page(self.id, self.tow_s?, &self.words),
            _ => None,
        }
    }
}

/// What the first two words say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Header {
    pub(crate) id: u8,
    /// Seconds of week at the first symbol.
    pub(crate) tow_s: f64,
}
