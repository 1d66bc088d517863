use super::{CARRIER_HZ, CHIP_RATE_HZ, LENGTH, primary, secondary, sends};
use crate::obs_code::ObsCode;
use crate::sat::Constellation;
use crate::signal::{Modulation, Signal, SignalId};

/// B1C pilot component: three quarters of the power, its BOC(1,1) part in quadrature.
pub(crate) static B1C_PILOT: Signal = Signal {
    id: SignalId::B1CP,
    name: "B1C-P",
    group: "B1C",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'1', b'P'),
    carrier_hz: CARRIER_HZ,
    chip_rate_hz: CHIP_RATE_HZ,
    code_length: LENGTH,
    modulation: Modulation::Qmboc,
    power_share: 0.75,
    phase_cycles: 0.25,
    partner: Some(SignalId::B1CD),
    prns: (1, 63),
    source: "BDS-SIS-ICD-B1C-1.0",
    code: |prn| primary(WEIL[usize::from(prn) - 1]),
    secondary: |prn| Some(secondary::code(prn)),
    nav_message: |_| None,
    sends,
};

/// Phase difference w and truncation point p of PRN 1 to 63 (pilot component, BDS-SIS-ICD-B1C-1.0 Table 5-2).
#[rustfmt::skip]
const WEIL: [(u16, u16); 63] = [
    (796, 7575), (156, 2369), (4198, 5688), (3941, 539), (1374, 2270), (1338, 7306), (1833, 6457),
    (2521, 6254), (3175, 5644), (168, 7119), (2715, 1402), (4408, 5557), (3160, 5764), (2796, 1073),
    (459, 7001), (3594, 5910), (4813, 10060), (586, 2710), (1428, 1546), (2371, 6887), (2285, 1883),
    (3377, 5613), (4965, 5062), (3779, 1038), (4547, 10170), (1646, 6484), (1430, 1718), (607, 2535),
    (2118, 1158), (4709, 526), (1149, 7331), (3283, 5844), (2473, 6423), (1006, 6968), (3670, 1280),
    (1817, 1838), (771, 1989), (2173, 6468), (740, 2091), (1433, 1581), (2458, 1453), (3459, 6252),
    (2155, 7122), (1205, 7711), (413, 7216), (874, 2113), (2463, 1095), (1106, 1628), (1590, 1713),
    (3873, 6102), (4026, 6123), (4272, 6070), (3556, 1115), (128, 8047), (1200, 6795), (130, 2575),
    (4494, 53), (1871, 1729), (3073, 6388), (4386, 682), (4098, 5565), (1923, 7160), (1176, 2277),
];
