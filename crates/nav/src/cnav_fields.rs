//! Bit layouts of B-CNAV1, B-CNAV2 and B-CNAV3 (BDS-SIS-ICD-B1C-1.0 section 6.2.3, BDS-SIS-ICD-B2a-1.0 section
//! 6.2.3, BDS-SIS-ICD-B2b-1.0 section 6.2.3).
//!
//! The messages share blocks of fields; a message is a list of blocks and their first bits.

use std::f64::consts::PI;

use crate::element::Element;
use crate::field::{Field, pow2};

/// What a message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// 13 bits of the BDT week.
    Week,
    Iodc,
    Iode,
    Ephemeris1,
    Ephemeris2,
    Clock,
    TgdB2ap,
    TgdB1cp,
    TgdB2bi,
    IscB1cd,
    IscB2ad,
    Bdgim,
    Utc,
    EarthOrientation,
    /// Offset of BDT from another system's time.
    Bgto,
    Midi,
    /// Week and time of the reduced almanacs of the same message.
    ReducedReference,
    Reduced,
    Health,
    FlagsB1c,
    FlagsB2a,
    FlagsB2b,
    Sismai,
    SisaiOrbit,
    SisaiClock,
}

use Block::*;

/// Blocks and the numbers of their first bits, from 1.
pub(crate) type Layout = &'static [(Block, u16)];

/// B-CNAV1 subframe 2.
pub(crate) const SUBFRAME2: Layout = &[
    (Week, 1),
    (Iodc, 22),
    (Iode, 32),
    (Ephemeris1, 40),
    (Ephemeris2, 243),
    (Clock, 465),
    (TgdB2ap, 534),
    (IscB1cd, 546),
    (TgdB1cp, 558),
];
/// Hour of the week, in B-CNAV1 subframe 2.
pub(crate) const HOW: Field = Field::unsigned("HOW", &[(14, 8)], 3600.0);
/// Page number of B-CNAV1 subframe 3.
pub(crate) const PAGE_ID: Field = Field::unsigned("PageID", &[(1, 6)], 1.0);

/// B-CNAV1 subframe 3, by page number.
pub(crate) fn subframe3(page: u8) -> Layout {
    match page {
        1 => &[
            (Health, 7),
            (FlagsB1c, 9),
            (Sismai, 12),
            (SisaiOrbit, 16),
            (SisaiClock, 21),
            (Bdgim, 43),
            (Utc, 117),
        ],
        2 => &[
            (Health, 7),
            (FlagsB1c, 9),
            (Sismai, 12),
            (SisaiClock, 16),
            (ReducedReference, 38),
            (Reduced, 59),
            (Reduced, 97),
            (Reduced, 135),
            (Reduced, 173),
        ],
        3 => {
            &[(Health, 7), (FlagsB1c, 9), (Sismai, 12), (SisaiOrbit, 16), (EarthOrientation, 21), (Bgto, 159)]
        }
        4 => &[(Health, 7), (FlagsB1c, 9), (Sismai, 12), (SisaiClock, 16), (Midi, 38)],
        _ => &[],
    }
}

/// Satellite, in B-CNAV2.
pub(crate) const CNAV2_PRN: Field = Field::unsigned("PRN", &[(1, 6)], 1.0);
/// Message type, in B-CNAV2.
pub(crate) const CNAV2_TYPE: Field = Field::unsigned("MesType", &[(7, 6)], 1.0);
/// Time of week of the message, in B-CNAV2.
pub(crate) const CNAV2_SOW: Field = Field::unsigned("SOW", &[(13, 18)], 3.0);

/// B-CNAV2, by message type.
pub(crate) fn cnav2(kind: u8) -> Layout {
    match kind {
        10 => &[(Week, 31), (FlagsB2a, 44), (Sismai, 47), (FlagsB1c, 51), (Iode, 54), (Ephemeris1, 62)],
        11 => &[(Health, 31), (FlagsB2a, 33), (Sismai, 36), (FlagsB1c, 40), (Ephemeris2, 43)],
        30 => &[
            (Health, 31),
            (FlagsB2a, 33),
            (Sismai, 36),
            (FlagsB1c, 40),
            (Clock, 43),
            (Iodc, 112),
            (TgdB2ap, 122),
            (IscB2ad, 134),
            (Bdgim, 146),
            (TgdB1cp, 220),
        ],
        31 => &[
            (Health, 31),
            (FlagsB2a, 33),
            (Sismai, 36),
            (FlagsB1c, 40),
            (Clock, 43),
            (Iodc, 112),
            (ReducedReference, 122),
            (Reduced, 143),
            (Reduced, 181),
            (Reduced, 219),
        ],
        32 => &[
            (Health, 31),
            (FlagsB2a, 33),
            (Sismai, 36),
            (FlagsB1c, 40),
            (Clock, 43),
            (Iodc, 112),
            (EarthOrientation, 122),
        ],
        33 => &[
            (Health, 31),
            (FlagsB2a, 33),
            (Sismai, 36),
            (FlagsB1c, 40),
            (Clock, 43),
            (Bgto, 112),
            (ReducedReference, 228),
            (Reduced, 180),
            (Iodc, 218),
        ],
        34 => &[
            (Health, 31),
            (FlagsB2a, 33),
            (Sismai, 36),
            (FlagsB1c, 40),
            (SisaiClock, 43),
            (Clock, 65),
            (Iodc, 134),
            (Utc, 144),
        ],
        40 => &[
            (Health, 31),
            (FlagsB2a, 33),
            (Sismai, 36),
            (FlagsB1c, 40),
            (SisaiOrbit, 43),
            (SisaiClock, 48),
            (Midi, 70),
        ],
        _ => &[],
    }
}

/// Message type, in B-CNAV3 and PPP-B2b.
pub(crate) const CNAV3_TYPE: Field = Field::unsigned("MesType", &[(1, 6)], 1.0);
/// Time of week of the message, in B-CNAV3.
pub(crate) const CNAV3_SOW: Field = Field::unsigned("SOW", &[(7, 20)], 1.0);

/// B-CNAV3, by message type.
pub(crate) fn cnav3(kind: u8) -> Layout {
    match kind {
        10 => &[(Ephemeris1, 31), (Ephemeris2, 234), (FlagsB2b, 456), (Sismai, 459)],
        30 => &[
            (Week, 27),
            (Clock, 44),
            (TgdB2bi, 113),
            (Bdgim, 125),
            (Utc, 199),
            (EarthOrientation, 296),
            (SisaiClock, 434),
            (SisaiOrbit, 456),
            (Health, 461),
        ],
        40 => &[
            (Bgto, 27),
            (Midi, 95),
            (ReducedReference, 251),
            (Reduced, 272),
            (Reduced, 310),
            (Reduced, 348),
            (Reduced, 386),
            (Reduced, 424),
        ],
        _ => &[],
    }
}

pub(crate) const WEEK: Field = Field::unsigned("WN", &[(1, 13)], 1.0);
pub(crate) const IODC: Field = Field::unsigned("IODC", &[(1, 10)], 1.0);
pub(crate) const IODE: Field = Field::unsigned("IODE", &[(1, 8)], 1.0);
pub(crate) const TOE: Field = Field::unsigned("toe", &[(1, 11)], 300.0);
pub(crate) const SAT_TYPE: Field = Field::unsigned("SatType", &[(12, 2)], 1.0);
pub(crate) const DELTA_A: Field = Field::signed("deltaA", &[(14, 26)], pow2(-9));
/// Elements of ephemeris I.
#[rustfmt::skip]
pub(crate) const EPHEMERIS1: [(Element, Field); 6] = [
    (Element::ADot, Field::signed("Adot", &[(40, 25)], pow2(-21))),
    (Element::DeltaN, Field::signed("deltan0", &[(65, 17)], pow2(-44) * PI)),
    (Element::DeltaNDot, Field::signed("deltan0dot", &[(82, 23)], pow2(-57) * PI)),
    (Element::M0, Field::signed("M0", &[(105, 33)], pow2(-32) * PI)),
    (Element::E, Field::unsigned("e", &[(138, 33)], pow2(-34))),
    (Element::Omega, Field::signed("omega", &[(171, 33)], pow2(-32) * PI)),
];
/// Elements of ephemeris II.
#[rustfmt::skip]
pub(crate) const EPHEMERIS2: [(Element, Field); 10] = [
    (Element::Omega0, Field::signed("OMEGA0", &[(1, 33)], pow2(-32) * PI)),
    (Element::I0, Field::signed("i0", &[(34, 33)], pow2(-32) * PI)),
    (Element::OmegaDot, Field::signed("OMEGAdot", &[(67, 19)], pow2(-44) * PI)),
    (Element::IDot, Field::signed("i0dot", &[(86, 15)], pow2(-44) * PI)),
    (Element::Cis, Field::signed("Cis", &[(101, 16)], pow2(-30))),
    (Element::Cic, Field::signed("Cic", &[(117, 16)], pow2(-30))),
    (Element::Crs, Field::signed("Crs", &[(133, 24)], pow2(-8))),
    (Element::Crc, Field::signed("Crc", &[(157, 24)], pow2(-8))),
    (Element::Cus, Field::signed("Cus", &[(181, 21)], pow2(-30))),
    (Element::Cuc, Field::signed("Cuc", &[(202, 21)], pow2(-30))),
];
pub(crate) const TOC: Field = Field::unsigned("toc", &[(1, 11)], 300.0);
/// Clock polynomial.
#[rustfmt::skip]
pub(crate) const CLOCK: [(Element, Field); 3] = [
    (Element::Af0, Field::signed("a0", &[(12, 25)], pow2(-34))),
    (Element::Af1, Field::signed("a1", &[(37, 22)], pow2(-50))),
    (Element::Af2, Field::signed("a2", &[(59, 11)], pow2(-66))),
];
/// Any group delay.
pub(crate) const DELAY: Field = Field::signed("TGD or ISC", &[(1, 12)], pow2(-34));
/// Coefficients of BDGIM in TECu.
#[rustfmt::skip]
pub(crate) const BDGIM: [Field; 9] = [
    Field::unsigned("alpha1", &[(1, 10)], pow2(-3)),
    Field::signed("alpha2", &[(11, 8)], pow2(-3)),
    Field::unsigned("alpha3", &[(19, 8)], pow2(-3)),
    Field::unsigned("alpha4", &[(27, 8)], pow2(-3)),
    Field::unsigned("alpha5", &[(35, 8)], -pow2(-3)),
    Field::signed("alpha6", &[(43, 8)], pow2(-3)),
    Field::signed("alpha7", &[(51, 8)], pow2(-3)),
    Field::signed("alpha8", &[(59, 8)], pow2(-3)),
    Field::signed("alpha9", &[(67, 8)], pow2(-3)),
];

/// BDT to UTC.
pub(crate) const UTC_A: [Field; 3] = [
    Field::signed("A0UTC", &[(1, 16)], pow2(-35)),
    Field::signed("A1UTC", &[(17, 13)], pow2(-51)),
    Field::signed("A2UTC", &[(30, 7)], pow2(-68)),
];
pub(crate) const UTC_LEAP: Field = Field::signed("dtLS", &[(37, 8)], 1.0);
pub(crate) const UTC_TOT: Field = Field::unsigned("tot", &[(45, 16)], 16.0);
pub(crate) const UTC_WN_OT: Field = Field::unsigned("WNot", &[(61, 13)], 1.0);
pub(crate) const UTC_WN_LSF: Field = Field::unsigned("WNLSF", &[(74, 13)], 1.0);
pub(crate) const UTC_DN: Field = Field::unsigned("DN", &[(87, 3)], 1.0);
pub(crate) const UTC_LEAP_FUTURE: Field = Field::signed("dtLSF", &[(90, 8)], 1.0);

/// Earth orientation.
pub(crate) const EOP_TIME: Field = Field::unsigned("tEOP", &[(1, 16)], 16.0);
pub(crate) const EOP_X: [Field; 2] =
    [Field::signed("PMX", &[(17, 21)], pow2(-20)), Field::signed("PMXdot", &[(38, 15)], pow2(-21))];
pub(crate) const EOP_Y: [Field; 2] =
    [Field::signed("PMY", &[(53, 21)], pow2(-20)), Field::signed("PMYdot", &[(74, 15)], pow2(-21))];
pub(crate) const EOP_DUT1: [Field; 2] =
    [Field::signed("dUT1", &[(89, 31)], pow2(-24)), Field::signed("dUT1dot", &[(120, 19)], pow2(-25))];

/// Offset from another system: 1 GPS, 2 Galileo, 3 GLONASS, 0 none.
pub(crate) const BGTO_SYSTEM: Field = Field::unsigned("GNSSID", &[(1, 3)], 1.0);
pub(crate) const BGTO_WEEK: Field = Field::unsigned("WN0BGTO", &[(4, 13)], 1.0);
pub(crate) const BGTO_TIME: Field = Field::unsigned("t0BGTO", &[(17, 16)], 16.0);
pub(crate) const BGTO_A: [Field; 3] = [
    Field::signed("A0BGTO", &[(33, 16)], pow2(-35)),
    Field::signed("A1BGTO", &[(49, 13)], pow2(-51)),
    Field::signed("A2BGTO", &[(62, 7)], pow2(-68)),
];

/// Satellite of an almanac, 0 if there is none.
pub(crate) const ALMANAC_PRN: Field = Field::unsigned("PRNa", &[(1, 6)], 1.0);
pub(crate) const ALMANAC_SAT_TYPE: Field = Field::unsigned("SatType", &[(7, 2)], 1.0);
pub(crate) const MIDI_WEEK: Field = Field::unsigned("WNa", &[(9, 13)], 1.0);
pub(crate) const MIDI_TOA: Field = Field::unsigned("toa", &[(22, 8)], pow2(12));
pub(crate) const MIDI_DELTA_I: Field = Field::signed("deltai", &[(41, 11)], pow2(-14) * PI);
pub(crate) const MIDI_HEALTH: Field = Field::unsigned("Health", &[(149, 8)], 1.0);
/// Elements of the midi almanac.
#[rustfmt::skip]
pub(crate) const MIDI: [(Element, Field); 8] = [
    (Element::E, Field::unsigned("e", &[(30, 11)], pow2(-16))),
    (Element::SqrtA, Field::unsigned("sqrtA", &[(52, 17)], pow2(-4))),
    (Element::Omega0, Field::signed("OMEGA0", &[(69, 16)], pow2(-15) * PI)),
    (Element::OmegaDot, Field::signed("OMEGAdot", &[(85, 11)], pow2(-33) * PI)),
    (Element::Omega, Field::signed("omega", &[(96, 16)], pow2(-15) * PI)),
    (Element::M0, Field::signed("M0", &[(112, 16)], pow2(-15) * PI)),
    (Element::Af0, Field::signed("a0", &[(128, 11)], pow2(-20))),
    (Element::Af1, Field::signed("a1", &[(139, 10)], pow2(-37))),
];

pub(crate) const REDUCED_WEEK: Field = Field::unsigned("WNa", &[(1, 13)], 1.0);
pub(crate) const REDUCED_TOA: Field = Field::unsigned("toa", &[(14, 8)], pow2(12));
pub(crate) const REDUCED_DELTA_A: Field = Field::signed("deltaA", &[(9, 8)], pow2(9));
/// Node, and argument of latitude (M0 of an orbit without perigee).
#[rustfmt::skip]
pub(crate) const REDUCED: [(Element, Field); 2] = [
    (Element::Omega0, Field::signed("OMEGA0", &[(17, 7)], pow2(-6) * PI)),
    (Element::M0, Field::signed("PHI0", &[(24, 7)], pow2(-6) * PI)),
];
pub(crate) const REDUCED_HEALTH: Field = Field::unsigned("Health", &[(31, 8)], 1.0);

pub(crate) const HEALTH: Field = Field::unsigned("HS", &[(1, 2)], 1.0);
/// DIF, SIF and AIF.
pub(crate) const FLAGS: [Field; 3] = [
    Field::unsigned("DIF", &[(1, 1)], 1.0),
    Field::unsigned("SIF", &[(2, 1)], 1.0),
    Field::unsigned("AIF", &[(3, 1)], 1.0),
];
pub(crate) const SISMAI: Field = Field::unsigned("SISMAI", &[(1, 4)], 1.0);
pub(crate) const SISAI_ORBIT: Field = Field::signed("SISAIoe", &[(1, 5)], 1.0);
pub(crate) const SISAI_TOP: Field = Field::unsigned("top", &[(1, 11)], 300.0);
/// SISAIocb, SISAIoc1, SISAIoc2.
pub(crate) const SISAI_CLOCK: [Field; 3] = [
    Field::signed("SISAIocb", &[(12, 5)], 1.0),
    Field::unsigned("SISAIoc1", &[(17, 3)], 1.0),
    Field::unsigned("SISAIoc2", &[(20, 3)], 1.0),
];
