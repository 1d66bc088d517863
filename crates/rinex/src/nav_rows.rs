//! Which value stands where in the records of Keplerian ephemerides: one table for reading and writing.
//!
//! RINEX 3.05 tables A6 (GPS), A8 (Galileo), A14 (BDS), A12 (QZSS); RINEX 4.02 tables A9 (LNAV), A15 and A16 (I/NAV and
//! F/NAV), A20 to A24 (D1, D2, CNV1, CNV2, CNV3).

use megrez_orbit::{GnssTime, KeplerEphemeris};
use megrez_signal::{Constellation, NavMessage};

/// A value of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// Not used, left blank.
    Blank,
    /// Not used, written as zero.
    Zero,
    Iode,
    Iodc,
    Crs,
    DeltaN,
    M0,
    Cuc,
    E,
    Cus,
    RootA,
    Toe,
    Cic,
    Omega0,
    Cis,
    I0,
    Crc,
    Omega,
    OmegaDot,
    IDot,
    ADot,
    DeltaNDot,
    /// Week of toe, in the scale of the message.
    Week,
    /// Time of transmission, in seconds of the week of toe.
    Sent,
    /// Accuracy in m.
    Ura,
    Health,
    Sources,
    L2p,
    Fit,
    Tgd,
    Tgd1,
    Tgd2,
    BgdE5a,
    BgdE5b,
    IscB1cd,
    IscB2ad,
    TgdB1cp,
    TgdB2ap,
    TgdB2bi,
    OrbitKind,
    Top,
    /// SISAI_oe, ocb, oc1, oc2.
    Sisai(usize),
    Sismai,
    Flags,
}

use Value::*;

type Row = [Value; 4];

const fn head(first: Value) -> [Row; 4] {
    [[first, Crs, DeltaN, M0], [Cuc, E, Cus, RootA], [Toe, Cic, Omega0, Cis], [I0, Crc, Omega, OmegaDot]]
}

const ORBIT: [Row; 4] = head(Iode);
const ORBIT_CNAV: [Row; 4] = head(ADot);
const LNAV: [Row; 3] = [[IDot, Sources, Week, L2p], [Ura, Health, Tgd, Iodc], [Sent, Fit, Blank, Blank]];
const GALILEO: [Row; 3] =
    [[IDot, Sources, Week, Blank], [Ura, Health, BgdE5a, BgdE5b], [Sent, Blank, Blank, Blank]];
const D1D2: [Row; 3] = [[IDot, Zero, Week, Zero], [Ura, Health, Tgd1, Tgd2], [Sent, Iodc, Blank, Blank]];
const CNAV: [Row; 2] = [[IDot, DeltaNDot, OrbitKind, Top], [Sisai(0), Sisai(1), Sisai(2), Sisai(3)]];
const CNAV1: [Row; 3] =
    [[IscB1cd, Blank, TgdB1cp, TgdB2ap], [Sismai, Health, Flags, Iodc], [Sent, Blank, Blank, Iode]];
const CNAV2: [Row; 3] =
    [[Blank, IscB2ad, TgdB1cp, TgdB2ap], [Sismai, Health, Flags, Iodc], [Sent, Blank, Blank, Iode]];
const CNAV3: [Row; 2] = [[Sismai, Health, Flags, TgdB2bi], [Sent, Blank, Blank, Blank]];

/// The rows after the line of the clock; none for messages without Keplerian elements.
pub(crate) fn rows(message: NavMessage) -> impl Iterator<Item = &'static Row> {
    let [orbit, middle, end]: [&'static [Row]; 3] = match message {
        NavMessage::Lnav => [&ORBIT, &LNAV, &[]],
        NavMessage::Inav | NavMessage::Fnav => [&ORBIT, &GALILEO, &[]],
        NavMessage::D1 | NavMessage::D2 => [&ORBIT, &D1D2, &[]],
        NavMessage::Cnav1 => [&ORBIT_CNAV, &CNAV, &CNAV1],
        NavMessage::Cnav2 => [&ORBIT_CNAV, &CNAV, &CNAV2],
        NavMessage::Cnav3 => [&ORBIT_CNAV, &CNAV, &CNAV3],
        _ => [&[], &[], &[]],
    };
    orbit.iter().chain(middle).chain(end)
}

/// What RINEX writes for an unknown transmission time.
pub(crate) const UNKNOWN: f64 = 0.9999e9;
/// What it writes for an accuracy without prediction.
const NO_ACCURACY: f64 = 8192.0;
/// The same of Galileo.
const NO_SISA: f64 = -1.0;

impl Value {
    /// Whether an ephemeris is of no use without it.
    pub(crate) fn required(self) -> bool {
        matches!(
            self,
            Crs | DeltaN
                | M0
                | Cuc
                | E
                | Cus
                | RootA
                | Toe
                | Cic
                | Omega0
                | Cis
                | I0
                | Crc
                | Omega
                | OmegaDot
                | IDot
                | ADot
                | DeltaNDot
        )
    }

    /// The value of `k`; none is left blank.
    pub(crate) fn get(self, k: &KeplerEphemeris) -> Option<f64> {
        let (d, m) = (&k.delays, &k.details);
        let galileo = k.sat.constellation == Constellation::Galileo;
        Some(match self {
            Blank => return None,
            Zero => 0.0,
            Iode => f64::from(k.iode),
            Iodc => f64::from(k.iodc),
            Crs => k.crs,
            DeltaN => k.delta_n,
            M0 => k.m0,
            Cuc => k.cuc,
            E => k.e,
            Cus => k.cus,
            RootA => k.a.sqrt(),
            Toe => k.toe.week_tow(k.scale()).1,
            Cic => k.cic,
            Omega0 => k.omega0,
            Cis => k.cis,
            I0 => k.i0,
            Crc => k.crc,
            Omega => k.omega,
            OmegaDot => k.omega_dot,
            IDot => k.i_dot,
            ADot => k.a_dot,
            DeltaNDot => k.delta_n_dot,
            Week => k.toe.week_tow(k.scale()).0 as f64,
            Sent => match k.transmit {
                // A message sent before the week of toe counts negative.
                Some(t) => t - GnssTime::from_week_tow(k.scale(), k.toe.week_tow(k.scale()).0, 0.0),
                None => UNKNOWN,
            },
            Ura => k.ura_m.unwrap_or(if galileo { NO_SISA } else { NO_ACCURACY }),
            Health => f64::from(k.health),
            Sources => match (m.sources, k.message) {
                (Some(sources), _) => f64::from(sources),
                // E1-B and the clock of E1 and E5b; E5a and the clock of E1 and E5a.
                (None, NavMessage::Inav) => f64::from(0x201),
                (None, NavMessage::Fnav) => f64::from(0x102),
                (None, _) => 0.0,
            },
            L2p => f64::from(m.l2p.unwrap_or(0)),
            // Four hours, and the flag that says so.
            Fit => {
                m.fit_interval.unwrap_or(if k.sat.constellation == Constellation::Gps { 4.0 } else { 0.0 })
            }
            Tgd => d.tgd?,
            Tgd1 => d.tgd1?,
            Tgd2 => d.tgd2?,
            BgdE5a => d.bgd_e5a?,
            BgdE5b => d.bgd_e5b?,
            IscB1cd => d.isc_b1cd?,
            IscB2ad => d.isc_b2ad?,
            TgdB1cp => d.tgd_b1cp?,
            TgdB2ap => d.tgd_b2ap?,
            TgdB2bi => d.tgd_b2bi?,
            OrbitKind => f64::from(m.orbit_kind?),
            Top => m.top_s?,
            Sisai(i) => f64::from((*m.sisai.get(i)?)?),
            Sismai => f64::from(m.sismai?),
            Flags => f64::from(m.flags?),
        })
    }

    /// Puts a value that was read into `k`, whose toc is known. False if it is out of the range of its field.
    pub(crate) fn set(self, k: &mut KeplerEphemeris, value: Option<f64>) -> bool {
        let (d, m) = (&mut k.delays, &mut k.details);
        let number = value.unwrap_or(0.0);
        let scale = if k.sat.constellation == Constellation::Bds {
            megrez_orbit::TimeScale::Bdt
        } else {
            megrez_orbit::TimeScale::Gpst
        };
        let mut fits = true;
        let mut whole = |least: f64, most: f64| {
            let value = value?;
            let good = (least..=most).contains(&value) && value.fract() == 0.0;
            fits &= good;
            good.then_some(value)
        };
        match self {
            Blank | Zero | Week => {}
            Iode => k.iode = whole(0.0, 65_535.0).unwrap_or(0.0) as u16,
            Iodc => k.iodc = whole(0.0, 65_535.0).unwrap_or(0.0) as u16,
            Crs => k.crs = number,
            DeltaN => k.delta_n = number,
            M0 => k.m0 = number,
            Cuc => k.cuc = number,
            E => k.e = number,
            Cus => k.cus = number,
            RootA => k.a = number * number,
            // The week is the one that puts toe nearest to toc: the week field may belong to either.
            Toe => k.toe = k.toc.nearest_tow(scale, number),
            Cic => k.cic = number,
            Omega0 => k.omega0 = number,
            Cis => k.cis = number,
            I0 => k.i0 = number,
            Crc => k.crc = number,
            Omega => k.omega = number,
            OmegaDot => k.omega_dot = number,
            IDot => k.i_dot = number,
            ADot => k.a_dot = number,
            DeltaNDot => k.delta_n_dot = number,
            Sent => k.transmit = value.map(|tow| k.toe.nearest_tow(scale, tow)),
            Ura => {
                // The last index of the tables means "no prediction"; Galileo's least SISA is 0.
                let least = k.sat.constellation == Constellation::Galileo;
                k.ura_m = value.filter(|&v| (v > 0.0 || least && v == 0.0) && v <= 6144.0);
            }
            // A health that cannot be read is no good health.
            Health => k.health = if (0.0..65_536.0).contains(&number) { number as u16 } else { u16::MAX },
            Sources => m.sources = whole(0.0, 65_535.0).map(|v| v as u16),
            L2p => m.l2p = whole(0.0, 255.0).map(|v| v as u8),
            Fit => m.fit_interval = value,
            Tgd => d.tgd = value,
            Tgd1 => d.tgd1 = value,
            Tgd2 => d.tgd2 = value,
            BgdE5a => d.bgd_e5a = value,
            BgdE5b => d.bgd_e5b = value,
            IscB1cd => d.isc_b1cd = value,
            IscB2ad => d.isc_b2ad = value,
            TgdB1cp => d.tgd_b1cp = value,
            TgdB2ap => d.tgd_b2ap = value,
            TgdB2bi => d.tgd_b2bi = value,
            OrbitKind => m.orbit_kind = whole(0.0, 255.0).map(|v| v as u8),
            Top => m.top_s = value,
            Sisai(i) => {
                if let Some(index) = m.sisai.get_mut(i) {
                    *index = whole(-128.0, 127.0).map(|v| v as i8);
                }
            }
            Sismai => m.sismai = whole(-128.0, 127.0).map(|v| v as i8),
            Flags => m.flags = whole(-128.0, 127.0).map(|v| v as i8),
        }
        fits
    }
}
