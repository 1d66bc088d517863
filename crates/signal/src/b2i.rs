//! BeiDou B2I: the code and messages of B1I on another carrier, from BeiDou-2 satellites (BDS-SIS-ICD-2.0).

use crate::b1i;
use crate::obs_code::ObsCode;
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, Signal, SignalId};

pub(crate) static B2I: Signal = Signal {
    id: SignalId::B2I,
    name: "B2I",
    group: "B2I",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'7', b'I'),
    carrier_hz: 1_207.14e6,
    chip_rate_hz: 2.046e6,
    code_length: b1i::LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: (1, 37),
    source: "BDS-SIS-ICD-2.0",
    code: b1i::code,
    secondary: b1i::secondary,
    nav_message: b1i::nav_message,
    sends: |prn| Sat::bds(prn).is_bds2(),
};
