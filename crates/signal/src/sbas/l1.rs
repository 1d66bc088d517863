use super::{PRNS, index, sends};
use crate::l1ca;
use crate::obs_code::ObsCode;
use crate::sat::Constellation;
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

/// SBAS on L1 (BDSBAS-B1C): the codes of GPS C/A with other delays, two periods a symbol (RTCA DO-229 appendix A).
pub(crate) static SBAS_L1: Signal = Signal {
    id: SignalId::SBASL1,
    name: "SBAS-L1",
    group: "SBAS-L1",
    constellation: Constellation::Sbas,
    rinex_code: ObsCode::of(b'1', b'C'),
    carrier_hz: 1_575.42e6,
    chip_rate_hz: 1.023e6,
    code_length: l1ca::LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: PRNS,
    source: "RTCA DO-229, ICD BDSBAS-B1C 1.0",
    code: |prn| l1ca::gold(G2_DELAY_CHIPS[index(prn)]),
    secondary: |_| None,
    nav_message: |_| Some(NavMessage::Sbas),
    sends,
};

/// Delay of G2 in chips, codes 120 to 158 (IS-GPS-200 table 6-I, RTCA DO-229 appendix A).
#[rustfmt::skip]
const G2_DELAY_CHIPS: [u16; 39] = [
    145, 175, 52, 21, 237, 235, 886, 657, 634, 762, 355, 1012, 176,
    603, 130, 359, 595, 68, 386, 797, 456, 499, 883, 307, 127, 211,
    121, 118, 163, 628, 853, 484, 289, 811, 202, 1021, 463, 568, 904,
];
