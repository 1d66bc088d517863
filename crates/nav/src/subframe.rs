//! One subframe of D1, D2 or LNAV: ten checked words and where they stand in time.

use megrez_signal::{NavMessage, Sat};

use crate::{bch, d1d2, lnav, parity};

/// Symbols of a subframe.
pub(crate) const SUBFRAME_SYMBOLS: usize = 300;
/// Seconds of a week.
pub(crate) const WEEK_S: f64 = 604_800.0;
/// All ten words.
pub(crate) const ALL_WORDS: u16 = 0x3ff;

/// Duration of a subframe in seconds: 6 s for D1 and LNAV, 0.6 s for D2 (BDS-SIS-ICD-B1I-3.0 sections 5.2.1
/// and 5.3.1, IS-GPS-200 section 20.3.2), and the 18 s frame of B-CNAV1.
pub fn subframe_duration_s(message: NavMessage) -> f64 {
    let symbols = if message == NavMessage::Cnav1 { 1800 } else { SUBFRAME_SYMBOLS };
    symbols as f64 / message.symbol_rate_hz()
}

/// A subframe as received: ten words of 30 bits, each known good or not.
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
    /// Seconds of week at the leading edge of the first symbol: GPST for LNAV, BDT for D1 and D2.
    pub tow_s: f64,
    /// Subframe number, 1 to 5 (FraID of D1 and D2).
    pub id: u8,
    /// Page number, where the subframe has pages and the page number is known.
    pub page: Option<u8>,
    /// Words of 30 bits, right aligned, first bit most significant. D1 and D2: corrected and de-interleaved,
    /// information before parity. LNAV: data bits with the inversion by D30* undone, then D25 to D30 as sent
    /// (with the polarity of the first word).
    pub words: [u32; 10],
    /// Bit `n` is set if word `n + 1` can be trusted: its parity holds, or one bit was corrected and that bit
    /// was an unreliable one.
    pub good_words: u16,
}

impl Subframe {
    /// Whether word `number`, 1 to 10, can be trusted.
    pub fn word_good(&self, number: usize) -> bool {
        (1..=10).contains(&number) && self.good_words >> (number - 1) & 1 == 1
    }

    /// Whether all ten words can be trusted.
    pub fn complete(&self) -> bool {
        self.good_words == ALL_WORDS
    }

    /// Whether the words that carry the content can be trusted: the first five of a D2 ephemeris page, all ten
    /// otherwise.
    pub fn usable(&self) -> bool {
        let needed = if self.message == NavMessage::D2 && self.id == 1 { 0x1f } else { ALL_WORDS };
        self.good_words & needed == needed
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
            tow_s: header.tow_s,
            id: header.id,
            page: None,
            words,
            good_words: ALL_WORDS,
        };
        subframe.find_page();
        Some(subframe)
    }

    /// Fills in the page number if the word that has it is good.
    pub(crate) fn find_page(&mut self) {
        self.page = match self.message {
            NavMessage::D1 | NavMessage::D2 if self.word_good(2) => {
                d1d2::page(self.message, self.id, &self.words)
            }
            NavMessage::Lnav if self.word_good(3) => lnav::page(self.id, self.tow_s, &self.words),
            _ => None,
        };
    }
}

/// What the first two words say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Header {
    pub(crate) id: u8,
    /// Seconds of week at the first symbol.
    pub(crate) tow_s: f64,
}
