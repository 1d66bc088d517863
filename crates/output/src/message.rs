use std::io::Write;

use megrez_nav::Subframe;
use megrez_orbit::GnssTime;
use megrez_signal::NavMessage;
use serde::{Deserialize, Serialize};

use crate::OutputError;
use crate::record::write_line;
use crate::text::{rounded, utc_iso};

const WHAT: &str = "messages.jsonl";

/// One line of `messages.jsonl`: a navigation subframe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// UTC at the start of the subframe, ISO 8601, once the week is known.
    pub time_utc: Option<String>,
    /// Satellite, as RINEX writes it.
    pub sat: String,
    /// `"D1"`, `"D2"`, `"LNAV"`, `"B-CNAV1"`, `"B-CNAV2"`, `"B-CNAV3"`, `"PPP-B2b"`, `"SBAS"` or `"SBAS-DFMC"`.
    pub message: String,
    /// Subframe number; message type of B-CNAV2, B-CNAV3, PPP-B2b and SBAS; frame of the hour of B-CNAV1.
    pub subframe: u8,
    /// Page number, where the subframe has pages.
    pub page: Option<u8>,
    /// Seconds of week at the start of the subframe: GPST for LNAV, BDT for BeiDou; none if it does not say.
    pub tow_s: Option<f64>,
    /// What the subframe carries.
    pub content: String,
    /// The 30-bit words in hexadecimal, right aligned.
    pub words: Vec<String>,
    /// Whether all words can be trusted.
    pub complete: bool,
    /// Bits corrected by the code.
    pub corrected_bits: u32,
}

impl MessageRecord {
    /// The record of a subframe that started at `time`, if that is known.
    pub fn new(subframe: &Subframe, time: Option<GnssTime>) -> Self {
        Self {
            time_utc: time.map(utc_iso),
            sat: subframe.sat.to_string(),
            message: match subframe.message {
                NavMessage::D1 => "D1",
                NavMessage::D2 => "D2",
                NavMessage::Lnav => "LNAV",
                NavMessage::Inav => "I/NAV",
                NavMessage::Fnav => "F/NAV",
                NavMessage::Fdma => "FDMA",
                NavMessage::Cnav1 => "B-CNAV1",
                NavMessage::Cnav2 => "B-CNAV2",
                NavMessage::Cnav3 => "B-CNAV3",
                NavMessage::PppB2b => "PPP-B2b",
                NavMessage::Sbas => "SBAS",
                NavMessage::SbasDfmc => "SBAS-DFMC",
            }
            .to_string(),
            subframe: subframe.id,
            page: subframe.page,
            tow_s: subframe.tow_s.map(|tow_s| rounded(tow_s, 3)),
            content: content(subframe.message, subframe.id, subframe.page).to_string(),
            words: subframe.words.iter().map(|word| format!("{word:08x}")).collect(),
            complete: subframe.complete(),
            corrected_bits: subframe.corrected_bits,
        }
    }
}

/// What a subframe carries (BDS-SIS-ICD-B1I-3.0 figures 5-7 and 5-8, sections 5.2 and 5.3; section 6.2 of
/// BDS-SIS-ICD-B1C-1.0, B2a-1.0 and B2b-1.0; BDS-SIS-ICD-PPP-B2b-1.0 section 6.2; IS-GPS-200 section 20.3.3).
fn content(message: NavMessage, subframe: u8, page: Option<u8>) -> &'static str {
    match (message, subframe, page) {
        (NavMessage::D1, 1, _) => "week, clock, health, ionosphere",
        (NavMessage::D1 | NavMessage::Lnav, 2 | 3, _) => "ephemeris",
        (NavMessage::D1, 5, Some(7 | 8)) => "almanac week, health",
        (NavMessage::D1, 5, Some(9)) => "time offsets to other systems",
        (NavMessage::D1, 5, Some(10)) => "UTC",
        (NavMessage::D1, 4 | 5, _) => "almanac",
        (NavMessage::D2, 1, _) => "week, clock, health, ionosphere, ephemeris",
        (NavMessage::D2, 2..=4, _) => "integrity and differential corrections",
        (NavMessage::D2, 5, _) => "almanac, ionospheric grid, UTC, time offsets",
        (NavMessage::Cnav1, _, None) => "week, clock, ephemeris",
        (NavMessage::Cnav1, _, Some(1)) => "week, clock, ephemeris, integrity, ionosphere, UTC",
        (NavMessage::Cnav1, _, Some(3)) => {
            "week, clock, ephemeris, integrity, earth orientation, time offsets"
        }
        (NavMessage::Cnav1, _, Some(2 | 4)) => "week, clock, ephemeris, integrity, almanac",
        (NavMessage::Cnav2, 10 | 11, _) => "ephemeris, integrity",
        (NavMessage::Cnav2, 30, _) => "clock, integrity, ionosphere",
        (NavMessage::Cnav2, 31, _) => "clock, integrity, almanac",
        (NavMessage::Cnav2, 32, _) => "clock, integrity, earth orientation",
        (NavMessage::Cnav2, 33, _) => "clock, integrity, time offsets, almanac",
        (NavMessage::Cnav2, 34, _) => "clock, integrity, UTC",
        (NavMessage::Cnav2, 40, _) => "integrity, almanac",
        (NavMessage::Cnav3, 10, _) => "ephemeris, integrity",
        (NavMessage::Cnav3, 30, _) => "week, clock, ionosphere, UTC, earth orientation, health",
        (NavMessage::Cnav3, 40, _) => "time offsets, almanac",
        (NavMessage::PppB2b, 1, _) => "mask of corrected satellites",
        (NavMessage::PppB2b, 2, _) => "orbit corrections",
        (NavMessage::PppB2b, 3, _) => "code biases",
        (NavMessage::PppB2b, 4, _) => "clock corrections",
        (NavMessage::PppB2b, 5, _) => "accuracies",
        (NavMessage::PppB2b, 6 | 7, _) => "clock and orbit corrections",
        (NavMessage::Cnav3, 0, _) | (NavMessage::PppB2b | NavMessage::Sbas | NavMessage::SbasDfmc, 63, _) => {
            "nothing"
        }
        (NavMessage::Sbas | NavMessage::SbasDfmc, ..) => "augmentation",
        (NavMessage::Lnav, 1, _) => "week, clock, health",
        (NavMessage::Lnav, 4, Some(18)) => "ionosphere, UTC",
        (NavMessage::Lnav, 4, Some(25)) | (NavMessage::Lnav, 5, Some(25)) => "health",
        (NavMessage::Lnav, 4 | 5, _) => "almanac and special messages",
        _ => "unknown",
    }
}

/// Writes `messages.jsonl`.
pub struct MessageLog<W: Write> {
    out: W,
}

impl<W: Write> MessageLog<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes a subframe that started at `time`, if that is known.
    pub fn subframe(&mut self, subframe: &Subframe, time: Option<GnssTime>) -> Result<(), OutputError> {
        write_line(&mut self.out, &MessageRecord::new(subframe, time), WHAT)
    }

    /// Flushes the output.
    pub fn finish(&mut self) -> Result<(), OutputError> {
        self.out.flush().map_err(OutputError::write(WHAT))
    }
}
