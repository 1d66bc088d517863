//! SBAS on L1 and L5. BeiDou's own, BDSBAS-B1C and BDSBAS-B2a, are these signals from code numbers 130, 143 and 144.
//!
//! Satellites are numbered as in RINEX, by the code number less 100: S30 sends code 130.

mod l1;
mod l5;

pub(crate) use l1::SBAS_L1;
pub(crate) use l5::SBAS_L5;

/// Numbers of the satellites with a code in the tables: codes 120 to 158.
const PRNS: (u8, u8) = (20, 58);

/// Index in a table that starts with code 120.
fn index(prn: u8) -> usize {
    usize::from(prn - PRNS.0)
}

/// BDSBAS's satellites. Those of other providers have codes, but are left to whoever names them.
fn sends(prn: u8) -> bool {
    matches!(prn, 30 | 43 | 44)
}
