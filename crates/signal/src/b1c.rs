//! BeiDou B1C: BOC(1,1) data and QMBOC(6,1,4/33) pilot, B-CNAV1 (BDS-SIS-ICD-B1C-1.0).

mod data;
mod pilot;
mod secondary;

pub(crate) use data::B1C_DATA;
pub(crate) use pilot::B1C_PILOT;

use crate::codes::weil;
use crate::sat::Sat;

const CARRIER_HZ: f64 = 1_575.42e6;
const CHIP_RATE_HZ: f64 = 1.023e6;
const LENGTH: usize = 10_230;

/// Primary codes of both components: Weil codes of length 10243, truncated (section 5.2.1).
fn primary((w, point): (u16, u16)) -> Vec<u8> {
    weil(10_243, usize::from(w), usize::from(point), LENGTH)
}

/// B1C comes from BeiDou-3 MEO and IGSO satellites (section 3.1).
fn sends(prn: u8) -> bool {
    Sat::bds(prn).is_bds3() && !Sat::bds(prn).is_bds_geo()
}
