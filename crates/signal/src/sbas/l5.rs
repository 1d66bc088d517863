use super::{PRNS, index, sends};
use crate::codes::{gold13, stages};
use crate::obs_code::ObsCode;
use crate::sat::Constellation;
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

/// SBAS on L5, in-phase component (BDSBAS-B2a): the code generator of GPS L5 (IS-GPS-705), two periods a symbol.
pub(crate) static SBAS_L5: Signal = Signal {
    id: SignalId::SBASL5,
    name: "SBAS-L5",
    group: "SBAS-L5",
    constellation: Constellation::Sbas,
    rinex_code: ObsCode::of(b'5', b'I'),
    carrier_hz: 1_176.45e6,
    chip_rate_hz: 10.23e6,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: PRNS,
    source: "IS-GPS-705, DFMC SBAS on L5",
    code,
    secondary: |_| Some(BI_PHASE.to_vec()),
    nav_message: |_| Some(NavMessage::SbasDfmc),
    sends,
};

const LENGTH: usize = 10_230;

/// Symbols are bi-phase coded: the second millisecond of each repeats the first with the other sign.
const BI_PHASE: [u8; 2] = [0, 1];

/// XA starts again after 8190 chips; XB runs through its 8191 states.
fn code(prn: u8) -> Vec<u8> {
    gold13(stages(&[9, 10, 12, 13]), stages(&[1, 3, 4, 6, 7, 8, 12, 13]), XB_INIT[index(prn)], LENGTH)
}

/// XB at the start of a period, stage 1 first, codes 120 to 158 (IS-GPS-705 table 6-I).
#[rustfmt::skip]
const XB_INIT: [u16; 39] = [
    0b1101001100010, 0b1100011001100, 0b1000011000101, 0b1111011011011, 0b0000001100100, 0b1101110000101,
    0b1100001000010, 0b0001101001101, 0b1010100101011, 0b1111011110100, 0b1111111101100, 0b0000010000111,
    0b1111110000010, 0b0011100111011, 0b1101100010101, 0b0101011111011, 0b0001100011011, 0b0001101110111,
    0b1110011110000, 0b0111100011111, 0b0011101110000, 0b1111001001000, 0b0001101110010, 0b0101100111100,
    0b0010010111101, 0b1101110110011, 0b0011110011111, 0b1001010101111, 0b0111111101111, 0b0000100100001,
    0b1110001101011, 0b1111010010001, 0b1011010111101, 0b0001101110000, 0b0000010111100, 0b0100101111100,
    0b1110110111010, 0b1101110101011, 0b1101000110001,
];
