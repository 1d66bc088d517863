use super::{CARRIER_HZ, CHIP_RATE_HZ, LENGTH, primary, sends};
use crate::obs_code::ObsCode;
use crate::sat::Constellation;
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

/// B1C data component: a quarter of the power, in phase.
pub(crate) static B1C_DATA: Signal = Signal {
    id: SignalId::B1CD,
    name: "B1C-D",
    group: "B1C",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'1', b'D'),
    carrier_hz: CARRIER_HZ,
    chip_rate_hz: CHIP_RATE_HZ,
    code_length: LENGTH,
    modulation: Modulation::BocSine,
    power_share: 0.25,
    phase_cycles: 0.0,
    partner: Some(SignalId::B1CP),
    prns: (1, 63),
    source: "BDS-SIS-ICD-B1C-1.0",
    code: |prn| primary(WEIL[usize::from(prn) - 1]),
    secondary: |_| None,
    nav_message: |_| Some(NavMessage::Cnav1),
    sends,
};

/// Phase difference w and truncation point p of PRN 1 to 63 (data component, BDS-SIS-ICD-B1C-1.0 Table 5-1).
#[rustfmt::skip]
const WEIL: [(u16, u16); 63] = [
    (2678, 699), (4802, 694), (958, 7318), (859, 2127), (3843, 715), (2232, 6682), (124, 7850),
    (4352, 5495), (1816, 1162), (1126, 7682), (1860, 6792), (4800, 9973), (2267, 6596), (424, 2092),
    (4192, 19), (4333, 10151), (2656, 6297), (4148, 5766), (243, 2359), (1330, 7136), (1593, 1706),
    (1470, 2128), (882, 6827), (3202, 693), (5095, 9729), (2546, 1620), (1733, 6805), (4795, 534),
    (4577, 712), (1627, 1929), (3638, 5355), (2553, 6139), (3646, 6339), (1087, 1470), (1843, 6867),
    (216, 7851), (2245, 1162), (726, 7659), (1966, 1156), (670, 2672), (4130, 6043), (53, 2862),
    (4830, 180), (182, 2663), (2181, 6940), (2006, 1645), (1080, 1582), (2288, 951), (2027, 6878),
    (271, 7701), (915, 1823), (497, 2391), (139, 2606), (3693, 822), (2054, 6403), (4342, 239),
    (3342, 442), (2592, 6769), (1007, 2560), (310, 2502), (4203, 5072), (455, 7268), (4318, 341),
];
