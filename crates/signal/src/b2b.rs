//! BeiDou B2b, in-phase component: BPSK(10), B-CNAV3 of MEO and IGSO satellites (BDS-SIS-ICD-B2b-1.0), PPP-B2b of
//! GEO satellites (BDS-SIS-ICD-PPP-B2b-1.0).
//!
//! PPP-B2b is no signal of its own: carrier, registers, symbol rate and LDPC code are those of B-CNAV3, and the
//! table of register values goes on with the GEO satellites. A satellite sends one message or the other.

use crate::codes::{gold13, register_2, stages};
use crate::obs_code::ObsCode;
use crate::sat::{Constellation, Sat};
use crate::signal::{Modulation, NavMessage, Signal, SignalId};

/// The power is that of the in-phase component; the other is not public.
pub(crate) static B2B_I: Signal = Signal {
    id: SignalId::B2BI,
    name: "B2b-I",
    group: "B2b",
    constellation: Constellation::Bds,
    rinex_code: ObsCode::of(b'7', b'D'),
    carrier_hz: 1_207.14e6,
    chip_rate_hz: 10.23e6,
    code_length: LENGTH,
    modulation: Modulation::Bpsk,
    power_share: 1.0,
    phase_cycles: 0.0,
    partner: None,
    prns: (1, 63),
    source: "BDS-SIS-ICD-B2b-1.0, BDS-SIS-ICD-PPP-B2b-1.0",
    code,
    secondary: |_| None,
    nav_message,
    sends: |prn| Sat::bds(prn).is_bds3(),
};

const LENGTH: usize = 10_230;

/// Gold codes of two registers of 13 stages (BDS-SIS-ICD-B2b-1.0 section 5).
fn code(prn: u8) -> Vec<u8> {
    gold13(stages(&[1, 9, 10, 13]), stages(&[3, 4, 6, 9, 12, 13]), register_2(prn, REGISTER_2), LENGTH)
}

fn nav_message(prn: u8) -> Option<NavMessage> {
    Some(if Sat::bds(prn).is_bds_geo() { NavMessage::PppB2b } else { NavMessage::Cnav3 })
}

/// Register 2 at the start of a period of PRN 61 to 63 (BDS-SIS-ICD-PPP-B2b-1.0 section 5).
const REGISTER_2: [u16; 3] = [0b1111110111101, 0b0101110000101, 0b0101100111011];
