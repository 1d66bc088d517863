//! BeiDou B1I: BPSK(2), D1 or D2 (BDS-SIS-ICD-B1I-3.0).

use crate::codes::{shift_register, stages};
use crate::obs_code::ObsCode;
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

pub(crate) static B1I: Signal = Signal {
    id: SignalId::B1I,
    name: "B1I",
    group: "B1I",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'2', b'I'),
    carrier_hz: 1_561.098e6,
    chip_rate_hz: 2.046e6,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: (1, 63),
    source: "BDS-SIS-ICD-B1I-3.0",
    code,
    secondary,
    nav_message,
    sends: |_| true,
};

pub(crate) const LENGTH: usize = 2046;

/// Neumann-Hoffman code of D1, one chip a millisecond (section 5.2.1).
const NH20: [u8; 20] = [0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0];

/// Both registers start from 01010101010, stage 1 first (section 4.3).
const INIT: u32 = 0b010_1010_1010;

/// The 2047-chip Gold code without its last chip (section 4.3).
pub(crate) fn code(prn: u8) -> Vec<u8> {
    let g1 = shift_register(11, stages(&[1, 7, 8, 9, 10, 11]), INIT, stages(&[11]), LENGTH);
    let taps = stages(G2_TAPS[usize::from(prn) - 1]);
    let g2 = shift_register(11, stages(&[1, 2, 3, 4, 5, 8, 9, 11]), INIT, taps, LENGTH);
    g1.iter().zip(g2).map(|(a, b)| a ^ b).collect()
}

/// D1 carries the Neumann-Hoffman code, D2 none.
pub(crate) fn secondary(prn: u8) -> Option<Vec<u8>> {
    (!Sat::bds(prn).is_bds_geo()).then(|| NH20.to_vec())
}

/// GEO satellites send D2 (section 5.1).
pub(crate) fn nav_message(prn: u8) -> Option<NavMessage> {
    Some(if Sat::bds(prn).is_bds_geo() { NavMessage::D2 } else { NavMessage::D1 })
}

/// Stages of G2 whose sum is the second sequence, PRN 1 to 63 (BDS-SIS-ICD-B1I-3.0 Table 4-1).
#[rustfmt::skip]
const G2_TAPS: [&[u8]; 63] = [
    &[1, 3], &[1, 4], &[1, 5], &[1, 6], &[1, 8], &[1, 9],
    &[1, 10], &[1, 11], &[2, 7], &[3, 4], &[3, 5], &[3, 6],
    &[3, 8], &[3, 9], &[3, 10], &[3, 11], &[4, 5], &[4, 6],
    &[4, 8], &[4, 9], &[4, 10], &[4, 11], &[5, 6], &[5, 8],
    &[5, 9], &[5, 10], &[5, 11], &[6, 8], &[6, 9], &[6, 10],
    &[6, 11], &[8, 9], &[8, 10], &[8, 11], &[9, 10], &[9, 11],
    &[10, 11], &[1, 2, 7], &[1, 3, 4], &[1, 3, 6], &[1, 3, 8], &[1, 3, 10],
    &[1, 3, 11], &[1, 4, 5], &[1, 4, 9], &[1, 5, 6], &[1, 5, 8], &[1, 5, 10],
    &[1, 5, 11], &[1, 6, 9], &[1, 8, 9], &[1, 9, 10], &[1, 9, 11], &[2, 3, 7],
    &[2, 5, 7], &[2, 7, 9], &[3, 4, 5], &[3, 4, 9], &[3, 5, 6], &[3, 5, 8],
    &[3, 5, 10], &[3, 5, 11], &[3, 6, 9],
];
