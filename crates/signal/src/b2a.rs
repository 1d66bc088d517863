//! BeiDou B2a: QPSK(10), data in phase and pilot in quadrature, B-CNAV2 (BDS-SIS-ICD-B2a-1.0).

mod data;
mod pilot;

pub(crate) use data::B2A_DATA;
pub(crate) use pilot::B2A_PILOT;

const CARRIER_HZ: f64 = 1_176.45e6;
const CHIP_RATE_HZ: f64 = 10.23e6;
const LENGTH: usize = 10_230;
