//! The elevation-dependent code bias of BeiDou-2.

use megrez_signal::{ObsCode, Sat};

/// Elevation-dependent code bias of BDS-2 satellites in metres, to be added to a pseudorange (Wanninger and
/// Beer 2015, GPS Solutions 19:639): nodes every 10° from 0 to 90°.
pub(crate) fn code_bias_m(sat: Sat, code: ObsCode, elevation: f64) -> f64 {
    const IGSO_B1: [f64; 10] = [-0.55, -0.40, -0.34, -0.23, -0.15, -0.04, 0.09, 0.19, 0.27, 0.35];
    const IGSO_B2: [f64; 10] = [-0.71, -0.36, -0.33, -0.19, -0.14, -0.03, 0.08, 0.17, 0.24, 0.33];
    const IGSO_B3: [f64; 10] = [-0.27, -0.23, -0.21, -0.15, -0.11, -0.04, 0.05, 0.14, 0.19, 0.32];
    const MEO_B1: [f64; 10] = [-0.47, -0.38, -0.32, -0.23, -0.11, 0.06, 0.34, 0.69, 0.97, 1.05];
    const MEO_B2: [f64; 10] = [-0.40, -0.31, -0.26, -0.18, -0.06, 0.09, 0.28, 0.48, 0.64, 0.69];
    const MEO_B3: [f64; 10] = [-0.22, -0.15, -0.13, -0.10, -0.04, 0.05, 0.14, 0.27, 0.36, 0.47];
    if !sat.is_bds2() || sat.is_bds_geo() {
        return 0.0;
    }
    let table = match (code.band(), matches!(sat.prn, 11 | 12 | 14)) {
        (b'2', true) => &MEO_B1,
        (b'7', true) => &MEO_B2,
        (b'6', true) => &MEO_B3,
        (b'2', false) => &IGSO_B1,
        (b'7', false) => &IGSO_B2,
        (b'6', false) => &IGSO_B3,
        _ => return 0.0,
    };
    let node = (elevation.to_degrees() / 10.0).clamp(0.0, 8.999);
    let index = node as usize;
    match table.get(index..index + 2) {
        Some(&[low, high]) => low + (high - low) * (node - index as f64),
        _ => 0.0,
    }
}
