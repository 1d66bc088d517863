use super::{CARRIER_HZ, CHIP_RATE_HZ, LENGTH};
use crate::codes::{gold13, register_2, stages, weil};
use crate::obs_code::ObsCode;
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, Signal, SignalId};

/// B2a pilot component: half of the power, in quadrature (section 4.2).
pub(crate) static B2A_PILOT: Signal = Signal {
    id: SignalId::B2AP,
    name: "B2a-P",
    group: "B2a",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'5', b'P'),
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
    gold13(stages(&[3, 6, 7, 13]), stages(&[1, 5, 7, 8, 12, 13]), register_2(prn, REGISTER_2), LENGTH)
}

/// 100 chips of 1 ms, Weil codes of length 1021 (section 5.2).
fn secondary(prn: u8) -> Option<Vec<u8>> {
    let (w, point) = WEIL[usize::from(prn) - 1];
    Some(weil(1021, usize::from(w), usize::from(point), 100))
}

/// Register 2 at the start of a period of PRN 61 to 63 (pilot component, BDS-SIS-ICD-B2a-1.0 section 5.2).
const REGISTER_2: [u16; 3] = [0b1010010000110, 0b0010111111000, 0b0001101010101];

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
