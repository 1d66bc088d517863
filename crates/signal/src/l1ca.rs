//! GPS L1 C/A: BPSK(1), LNAV (IS-GPS-200).

use crate::codes::{shift_register, stages};
use crate::obs_code::ObsCode;
use crate::sat::Constellation;
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

pub(crate) static L1CA: Signal = Signal {
    id: SignalId::L1CA,
    name: "L1CA",
    group: "L1CA",
    constellation: Constellation::Gps,
    rinex_code: ObsCode::of(b'1', b'C'),
    carrier_hz: 1_575.42e6,
    chip_rate_hz: 1.023e6,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: (1, 32),
    source: "IS-GPS-200",
    code: |prn| gold(G2_DELAY_CHIPS[usize::from(prn) - 1]),
    secondary: |_| None,
    nav_message: |_| Some(NavMessage::Lnav),
    sends: |_| true,
};

pub(crate) const LENGTH: usize = 1023;

/// G1(n) xor G2(n - delay) (section 3.2.1.3).
pub(crate) fn gold(delay_chips: u16) -> Vec<u8> {
    let ones = (1 << 10) - 1;
    let g1 = shift_register(10, stages(&[3, 10]), ones, stages(&[10]), LENGTH);
    let g2 = shift_register(10, stages(&[2, 3, 6, 8, 9, 10]), ones, stages(&[10]), LENGTH);
    let delay = usize::from(delay_chips);
    (0..LENGTH).map(|n| g1[n] ^ g2[(n + LENGTH - delay) % LENGTH]).collect()
}

/// Delay of G2 in chips, PRN 1 to 32 (IS-GPS-200 Table 3-Ia).
#[rustfmt::skip]
const G2_DELAY_CHIPS: [u16; 32] = [
    5, 6, 7, 8, 17, 18, 139, 140, 141, 251, 252, 254, 255, 256, 257, 258,
    469, 470, 471, 472, 473, 474, 509, 512, 513, 514, 515, 516, 859, 860, 861, 862,
];
