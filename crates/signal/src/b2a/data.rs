use super::{CARRIER_HZ, CHIP_RATE_HZ, LENGTH};
use crate::codes::{gold13, register_2, stages};
use crate::obs_code::ObsCode;
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

/// B2a data component: half of the power, in phase.
pub(crate) static B2A_DATA: Signal = Signal {
    id: SignalId::B2AD,
    name: "B2a-D",
    group: "B2a",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'5', b'D'),
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
    gold13(stages(&[1, 5, 11, 13]), stages(&[3, 5, 9, 11, 12, 13]), register_2(prn, REGISTER_2), LENGTH)
}

/// The same for all satellites, one chip a millisecond, one turn a symbol (section 5.2).
const SECONDARY: [u8; 5] = [0, 0, 0, 1, 0];

/// Register 2 at the start of a period of PRN 61 to 63 (data component, BDS-SIS-ICD-B2a-1.0 section 5.2).
const REGISTER_2: [u16; 3] = [0b0010000000010, 0b1101111110101, 0b0001111010010];
