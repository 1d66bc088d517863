//! BeiDou B2b, in-phase component: BPSK(10), B-CNAV3 of MEO and IGSO satellites (BDS-SIS-ICD-B2b-1.0), PPP-B2b of
//! GEO satellites (BDS-SIS-ICD-PPP-B2b-1.0).
//!
//! PPP-B2b is no signal of its own: carrier, registers, symbol rate and LDPC code are those of B-CNAV3, and the
//! table of register values goes on with the GEO satellites. A satellite sends one message or the other.

use crate::codes::{gold13, stages};
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

/// The power is that of the in-phase component; the other is not public.
pub(crate) static B2B_I: Signal = Signal {
    id: SignalId::B2BI,
    name: "B2b-I",
    group: "B2b",
    constellation: Constellation::Bds,
    rinex_code: "7D",
    carrier_hz: 1_207.14e6,
    chip_rate_hz: 10.23e6,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: (1, 63),
    source: "BDS-SIS-ICD-B2b-1.0, BDS-SIS-ICD-PPP-B2b-1.0",
    code,
    secondary: |_| None,
    nav_message,
    sends: |prn| Sat::bds(prn).is_bds3(),
};

const LENGTH: usize = 10_230;

/// Gold codes of two registers of 13 stages (BDS-SIS-ICD-B2b-1.0 section 5).
fn code(prn: u8) -> Vec<u8> {
    let second = REGISTER_2[usize::from(prn) - 1];
    gold13(stages(&[1, 9, 10, 13]), stages(&[3, 4, 6, 9, 12, 13]), second, LENGTH)
}

fn nav_message(prn: u8) -> Option<NavMessage> {
    Some(if Sat::bds(prn).is_bds_geo() { NavMessage::PppB2b } else { NavMessage::Cnav3 })
}

/// Register 2 at the start of a period, stage 1 first, PRN 1 to 63 (6 to 58: BDS-SIS-ICD-B2b-1.0 section 5;
/// the others: BDS-SIS-ICD-PPP-B2b-1.0 section 5).
#[rustfmt::skip]
const REGISTER_2: [u16; 63] = [
    0b1000000100101, 0b1000000110100, 0b1000010101101, 0b1000101001111, 0b1000101010101, 0b1000110101110,
    0b1000111101110, 0b1000111111011, 0b1001100101001, 0b1001111011010, 0b1010000110101, 0b1010001000100,
    0b1010001010101, 0b1010001011011, 0b1010001011100, 0b1010010100011, 0b1010011110111, 0b1010100000001,
    0b1010100111110, 0b1010110101011, 0b1010110110001, 0b1011001010011, 0b1011001100010, 0b1011010011000,
    0b1011010110110, 0b1011011110010, 0b1011011111111, 0b1011100010010, 0b1011100111100, 0b1011110100001,
    0b1011111001000, 0b1011111010100, 0b1011111101011, 0b1011111110011, 0b1100001010001, 0b1100010010100,
    0b1100010110111, 0b1100100010001, 0b1100100011001, 0b1100110101011, 0b1100110110001, 0b1100111010010,
    0b1101001010101, 0b1101001110100, 0b1101011001011, 0b1101101010111, 0b1110000110100, 0b1110010000011,
    0b1110010001011, 0b1110010100011, 0b1110010101000, 0b1110100111011, 0b1110110010111, 0b1111001001000,
    0b1111010010100, 0b1111010011001, 0b1111011011010, 0b1111011111000, 0b1111011111111, 0b1111110110101,
    0b1111110111101, 0b0101110000101, 0b0101100111011,
];
