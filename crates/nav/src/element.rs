//! The orbit and clock parameters that the messages share.

use megrez_orbit::{Almanac, GnssTime, KeplerEphemeris};
use megrez_signal::NavMessage;

use crate::EncodeError;
use crate::field::Field;

/// One parameter of a [`KeplerEphemeris`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Element {
    Af0,
    Af1,
    Af2,
    SqrtA,
    E,
    I0,
    IDot,
    Omega0,
    OmegaDot,
    Omega,
    M0,
    DeltaN,
    ADot,
    DeltaNDot,
    Cuc,
    Cus,
    Crc,
    Crs,
    Cic,
    Cis,
}

impl Element {
    fn get(self, eph: &KeplerEphemeris) -> f64 {
        match self {
            Self::Af0 => eph.clock[0],
            Self::Af1 => eph.clock[1],
            Self::Af2 => eph.clock[2],
            Self::SqrtA => eph.a.sqrt(),
            Self::E => eph.e,
            Self::I0 => eph.i0,
            Self::IDot => eph.i_dot,
            Self::Omega0 => eph.omega0,
            Self::OmegaDot => eph.omega_dot,
            Self::Omega => eph.omega,
            Self::M0 => eph.m0,
            Self::DeltaN => eph.delta_n,
            Self::ADot => eph.a_dot,
            Self::DeltaNDot => eph.delta_n_dot,
            Self::Cuc => eph.cuc,
            Self::Cus => eph.cus,
            Self::Crc => eph.crc,
            Self::Crs => eph.crs,
            Self::Cic => eph.cic,
            Self::Cis => eph.cis,
        }
    }

    fn set(self, eph: &mut KeplerEphemeris, value: f64) {
        match self {
            Self::Af0 => eph.clock[0] = value,
            Self::Af1 => eph.clock[1] = value,
            Self::Af2 => eph.clock[2] = value,
            Self::SqrtA => eph.a = value * value,
            Self::E => eph.e = value,
            Self::I0 => eph.i0 = value,
            Self::IDot => eph.i_dot = value,
            Self::Omega0 => eph.omega0 = value,
            Self::OmegaDot => eph.omega_dot = value,
            Self::Omega => eph.omega = value,
            Self::M0 => eph.m0 = value,
            Self::DeltaN => eph.delta_n = value,
            Self::ADot => eph.a_dot = value,
            Self::DeltaNDot => eph.delta_n_dot = value,
            Self::Cuc => eph.cuc = value,
            Self::Cus => eph.cus = value,
            Self::Crc => eph.crc = value,
            Self::Crs => eph.crs = value,
            Self::Cic => eph.cic = value,
            Self::Cis => eph.cis = value,
        }
    }

    /// Whether this is an angle on the full circle.
    fn circular(self) -> bool {
        matches!(self, Self::Omega0 | Self::Omega | Self::M0)
    }
}

/// Reads a table of parameters into an ephemeris.
pub(crate) fn read(table: &[(Element, Field)], words: &[u32], eph: &mut KeplerEphemeris) {
    read_at(table, words, 0, eph);
}

/// As [`read`], from a block that begins after `before` bits.
pub(crate) fn read_at(table: &[(Element, Field)], words: &[u32], before: usize, eph: &mut KeplerEphemeris) {
    for (element, field) in table {
        element.set(eph, field.get_at(words, before));
    }
}

/// Writes a table of parameters.
pub(crate) fn write(
    table: &[(Element, Field)],
    words: &mut [u32],
    eph: &KeplerEphemeris,
) -> Result<(), EncodeError> {
    write_at(table, words, 0, eph)
}

/// As [`write`], into a block that begins after `before` bits.
pub(crate) fn write_at(
    table: &[(Element, Field)],
    words: &mut [u32],
    before: usize,
    eph: &KeplerEphemeris,
) -> Result<(), EncodeError> {
    for (element, field) in table {
        let value = element.get(eph);
        if element.circular() {
            field.put_angle_at(words, before, value)?;
        } else {
            field.put_at(words, before, value)?;
        }
    }
    Ok(())
}

/// Copies the parameters of a table from one ephemeris to another.
pub(crate) fn copy(table: &[(Element, Field)], from: &KeplerEphemeris, to: &mut KeplerEphemeris) {
    for (element, _) in table {
        element.set(to, element.get(from));
    }
}

/// The almanac with the elements of `eph`, which are those an almanac has.
pub(crate) fn to_almanac(eph: &KeplerEphemeris, toa: GnssTime, i0: f64, health: Option<u16>) -> Almanac {
    Almanac {
        sat: eph.sat,
        toa,
        a: eph.a,
        e: eph.e,
        i0,
        omega0: eph.omega0,
        omega_dot: eph.omega_dot,
        omega: eph.omega,
        m0: eph.m0,
        clock: [eph.clock[0], eph.clock[1]],
        health,
    }
}

/// Opposite of [`to_almanac`].
pub(crate) fn from_almanac(alm: &Almanac) -> KeplerEphemeris {
    KeplerEphemeris {
        clock: [alm.clock[0], alm.clock[1], 0.0],
        a: alm.a,
        e: alm.e,
        i0: alm.i0,
        omega0: alm.omega0,
        omega_dot: alm.omega_dot,
        omega: alm.omega,
        m0: alm.m0,
        ..KeplerEphemeris::blank(alm.sat, NavMessage::D1, alm.toa, alm.toa)
    }
}

/// Nominal user range accuracy in metres of an index 0 to 14 (BDS-SIS-ICD-B1I-3.0 section 5.2.4.5, IS-GPS-200
/// section 20.3.3.3.1.3, the same rule; the figures RINEX files carry). Index 15 gives none.
pub(crate) fn ura_m(index: i64) -> Option<f64> {
    match index {
        // IS-GPS-200 rounds 1, 3 and 5 to these.
        1 => Some(2.8),
        3 => Some(5.7),
        5 => Some(11.3),
        0..=6 => Some(f64::from(1u32 << (index / 2 + 1))),
        7..=14 => Some(f64::from(1u32 << (index - 2))),
        _ => None,
    }
}

/// The smallest index whose accuracy is no better than `ura`; 15 for none.
pub(crate) fn ura_index(ura: Option<f64>) -> i64 {
    let Some(ura) = ura else { return 15 };
    (0..15).find(|&index| ura_m(index).is_some_and(|m| m >= ura - 0.2)).unwrap_or(15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_indices_round_trip() {
        let metres: Vec<f64> = (0..15).filter_map(ura_m).collect();
        let want =
            [2.0, 2.8, 4.0, 5.7, 8.0, 11.3, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0];
        assert_eq!(metres, want);
        for index in 0..16 {
            assert_eq!(ura_index(ura_m(index)), index);
        }
    }
}
