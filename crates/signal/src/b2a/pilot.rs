use super::{CARRIER_HZ, CHIP_RATE_HZ, LENGTH};
use crate::codes::{gold13, stages, weil};
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, Signal, SignalId};

/// B2a pilot component: half of the power, in quadrature (section 4.2).
pub(crate) static B2A_PILOT: Signal = Signal {
    id: SignalId::B2AP,
    name: "B2a-P",
    group: "B2a",
    constellation: Constellation::Bds,
    rinex_code: "5P",
    carrier_hz: CARRIER_HZ,
    chip_rate_hz: CHIP_RATE_HZ,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 0.5,
    phase_cycles: 0.25,
    partner: Some(SignalId::B2AD),
    prns: (1, 63),
    source: "BDS-SIS-ICD-B2a-1.0",
    code,
    secondary,
    nav_message: |_| None,
    sends: |prn| Sat::bds(prn).is_bds3() && !Sat::bds(prn).is_bds_geo(),
};

/// Gold codes of two registers of 13 stages (section 5.2).
fn code(prn: u8) -> Vec<u8> {
    let second = REGISTER_2[usize::from(prn) - 1];
    gold13(stages(&[3, 6, 7, 13]), stages(&[1, 5, 7, 8, 12, 13]), second, LENGTH)
}

/// 100 chips of 1 ms, Weil codes of length 1021 (section 5.2).
fn secondary(prn: u8) -> Option<Vec<u8>> {
    let (w, point) = WEIL[usize::from(prn) - 1];
    Some(weil(1021, usize::from(w), usize::from(point), 100))
}

/// Register 2 at the start of a period, stage 1 first, PRN 1 to 63 (pilot component, BDS-SIS-ICD-B2a-1.0
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
    0b1010010000110, 0b0010111111000, 0b0001101010101,
];

/// Phase difference w and truncation point p of PRN 1 to 63 (pilot secondary code, BDS-SIS-ICD-B2a-1.0 section
/// 5.2).
#[rustfmt::skip]
const WEIL: [(u16, u16); 63] = [
    (123, 138), (55, 570), (40, 351), (139, 77), (31, 885), (175, 247), (350, 413), (450, 180),
    (478, 3), (8, 26), (73, 17), (97, 172), (213, 30), (407, 1008), (476, 646), (4, 158),
    (15, 170), (47, 99), (163, 53), (280, 179), (322, 925), (353, 114), (375, 10), (510, 584),
    (332, 60), (7, 3), (13, 684), (16, 263), (18, 545), (25, 22), (50, 546), (81, 190),
    (118, 303), (127, 234), (132, 38), (134, 822), (164, 57), (177, 668), (208, 697), (249, 93),
    (276, 18), (349, 66), (439, 318), (477, 133), (498, 98), (88, 70), (155, 132), (330, 26),
    (3, 354), (21, 58), (84, 41), (111, 182), (128, 944), (153, 205), (197, 23), (199, 1),
    (214, 792), (256, 641), (265, 83), (291, 7), (324, 111), (326, 96), (340, 92),
];
