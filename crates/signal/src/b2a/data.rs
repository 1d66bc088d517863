use super::{CARRIER_HZ, CHIP_RATE_HZ, LENGTH};
use crate::codes::{gold13, stages};
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

/// B2a data component: half of the power, in phase.
pub(crate) static B2A_DATA: Signal = Signal {
    id: SignalId::B2AD,
    name: "B2a-D",
    group: "B2a",
    constellation: Constellation::Bds,
    rinex_code: "5D",
    carrier_hz: CARRIER_HZ,
    chip_rate_hz: CHIP_RATE_HZ,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 0.5,
    phase_cycles: 0.0,
    partner: Some(SignalId::B2AP),
    prns: (1, 63),
    source: "BDS-SIS-ICD-B2a-1.0",
    code,
    secondary: |_| Some(SECONDARY.to_vec()),
    nav_message: |_| Some(NavMessage::Cnav2),
    sends: |prn| Sat::bds(prn).is_bds3() && !Sat::bds(prn).is_bds_geo(),
};

/// Gold codes of two registers of 13 stages (section 5.2).
fn code(prn: u8) -> Vec<u8> {
    let second = REGISTER_2[usize::from(prn) - 1];
    gold13(stages(&[1, 5, 11, 13]), stages(&[3, 5, 9, 11, 12, 13]), second, LENGTH)
}

/// The same for all satellites, one chip a millisecond, one turn a symbol (section 5.2).
const SECONDARY: [u8; 5] = [0, 0, 0, 1, 0];

/// Register 2 at the start of a period, stage 1 first, PRN 1 to 63 (data component, BDS-SIS-ICD-B2a-1.0
/// section 5.2).
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
    0b0010000000010, 0b1101111110101, 0b0001111010010,
];
