//! BeiDou B3I: BPSK(10), D1 or D2 (BDS-SIS-ICD-B3I-1.0).

use crate::b1i;
use crate::codes::{gold13, stages};
use crate::obs_code::ObsCode;
use crate::sat::Constellation;
use crate::signal::{Modulation, Signal, SignalId};

pub(crate) static B3I: Signal = Signal {
    id: SignalId::B3I,
    name: "B3I",
    group: "B3I",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'6', b'I'),
    carrier_hz: 1_268.52e6,
    chip_rate_hz: 10.23e6,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: (1, 63),
    source: "BDS-SIS-ICD-B3I-1.0",
    code,
    secondary: b1i::secondary,
    nav_message: b1i::nav_message,
    sends: |_| true,
};

const LENGTH: usize = 10_230;

/// G1 starts again after 8190 chips, of which the last comes from 1111111111100 (section 4).
fn code(prn: u8) -> Vec<u8> {
    let g2 = G2_INIT[usize::from(prn) - 1];
    gold13(stages(&[1, 3, 4, 13]), stages(&[1, 5, 6, 7, 9, 10, 12, 13]), g2, LENGTH)
}

/// G2 at the start of a period, stage 1 first, PRN 1 to 63 (BDS-SIS-ICD-B3I-1.0 section 4).
#[rustfmt::skip]
const G2_INIT: [u16; 63] = [
    0b1010111111111, 0b1111000101011, 0b1011110001010, 0b1111111111011, 0b1100100011111, 0b1001001100100,
    0b1111111010010, 0b1110111111101, 0b1010000000010, 0b0010000011011, 0b1110101110000, 0b0010110011110,
    0b0110010010101, 0b0111000100110, 0b1000110001001, 0b1110001111100, 0b0010011000101, 0b0000011101100,
    0b1000101010111, 0b0001011011110, 0b0010000101101, 0b0010110001010, 0b0001011001111, 0b0011001100010,
    0b0011101001000, 0b0100100101001, 0b1011011010011, 0b1010111100010, 0b0001011110101, 0b0111111111111,
    0b0110110001111, 0b1010110001001, 0b1001010101011, 0b1100110100101, 0b1101001011101, 0b1111101110100,
    0b0010101100111, 0b1110100010000, 0b1101110010000, 0b1101011001110, 0b1000000110100, 0b0101111011001,
    0b0110110111100, 0b1101001110001, 0b0011100100010, 0b0101011000101, 0b1001111100110, 0b1111101001000,
    0b0000101001001, 0b1000010101100, 0b1111001001100, 0b0100110001111, 0b0000000011000, 0b1000000000100,
    0b0011010100110, 0b1011001000110, 0b0111001111000, 0b0010111001010, 0b1100111110110, 0b1001001000101,
    0b0111000100000, 0b0011001000010, 0b0010001001110,
];
