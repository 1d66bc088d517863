//! Bit layouts of D1 and D2 (BDS-SIS-ICD-B1I-3.0 sections 5.2 and 5.3).

use std::f64::consts::PI;

use crate::element::Element;
use crate::field::{Field, pow2};

/// Seconds of week: of this subframe (D1) or of subframe 1 of this frame (D2).
#[rustfmt::skip]
pub(crate) const SOW: Field = Field::unsigned("SOW", &[(19, 8), (31, 12)], 1.0);
/// Subframe number.
#[rustfmt::skip]
pub(crate) const FRA_ID: Field = Field::unsigned("FraID", &[(16, 3)], 1.0);
/// Where D1 subframe 1 or the ten pages of D2 have what is not an [`Element`].
pub(crate) struct Clock {
    pub(crate) health: Field,
    pub(crate) aodc: Field,
    pub(crate) urai: Field,
    pub(crate) week: Field,
    pub(crate) toc: Field,
    pub(crate) tgd1: Field,
    pub(crate) tgd2: Field,
    /// Coefficients of the ionosphere, as broadcast: seconds per power of a semicircle.
    pub(crate) alpha: [Field; 4],
    /// See `alpha`.
    pub(crate) beta: [Field; 4],
    pub(crate) aode: Field,
}

/// D1 subframe 1.
#[rustfmt::skip]
pub(crate) const D1_CLOCK: Clock = Clock {
    health: Field::unsigned("SatH1", &[(43, 1)], 1.0),
    aodc: Field::unsigned("AODC", &[(44, 5)], 1.0),
    urai: Field::unsigned("URAI", &[(49, 4)], 1.0),
    week: Field::unsigned("WN", &[(61, 13)], 1.0),
    toc: Field::unsigned("toc", &[(74, 9), (91, 8)], pow2(3)),
    tgd1: Field::signed("TGD1", &[(99, 10)], 1e-10),
    tgd2: Field::signed("TGD2", &[(109, 4), (121, 6)], 1e-10),
    alpha: [
        Field::signed("alpha0", &[(127, 8)], pow2(-30)),
        Field::signed("alpha1", &[(135, 8)], pow2(-27)),
        Field::signed("alpha2", &[(151, 8)], pow2(-24)),
        Field::signed("alpha3", &[(159, 8)], pow2(-24)),
    ],
    beta: [
        Field::signed("beta0", &[(167, 6), (181, 2)], pow2(11)),
        Field::signed("beta1", &[(183, 8)], pow2(14)),
        Field::signed("beta2", &[(191, 8)], pow2(16)),
        Field::signed("beta3", &[(199, 4), (211, 4)], pow2(16)),
    ],
    aode: Field::unsigned("AODE", &[(288, 5)], 1.0),
};
/// D2 subframe 1, pages 1, 2 and 4.
#[rustfmt::skip]
pub(crate) const D2_CLOCK: Clock = Clock {
    health: Field::unsigned("SatH1", &[(47, 1)], 1.0),
    aodc: Field::unsigned("AODC", &[(48, 5)], 1.0),
    urai: Field::unsigned("URAI", &[(61, 4)], 1.0),
    week: Field::unsigned("WN", &[(65, 13)], 1.0),
    toc: Field::unsigned("toc", &[(78, 5), (91, 12)], pow2(3)),
    tgd1: Field::signed("TGD1", &[(103, 10)], 1e-10),
    tgd2: Field::signed("TGD2", &[(121, 10)], 1e-10),
    alpha: [
        Field::signed("alpha0", &[(347, 6), (361, 2)], pow2(-30)),
        Field::signed("alpha1", &[(363, 8)], pow2(-27)),
        Field::signed("alpha2", &[(371, 8)], pow2(-24)),
        Field::signed("alpha3", &[(379, 4), (391, 4)], pow2(-24)),
    ],
    beta: [
        Field::signed("beta0", &[(395, 8)], pow2(11)),
        Field::signed("beta1", &[(403, 8)], pow2(14)),
        Field::signed("beta2", &[(411, 2), (421, 6)], pow2(16)),
        Field::signed("beta3", &[(427, 8)], pow2(16)),
    ],
    aode: Field::unsigned("AODE", &[(992, 5)], 1.0),
};
/// Clock polynomial of D1 subframe 1.
#[rustfmt::skip]
pub(crate) const D1_SUBFRAME_1: [(Element, Field); 3] = [
    (Element::Af2, Field::signed("a2", &[(215, 11)], pow2(-66))),
    (Element::Af0, Field::signed("a0", &[(226, 7), (241, 17)], pow2(-33))),
    (Element::Af1, Field::signed("a1", &[(258, 5), (271, 17)], pow2(-50))),
];
/// Orbit in D1 subframe 2.
#[rustfmt::skip]
pub(crate) const D1_SUBFRAME_2: [(Element, Field); 8] = [
    (Element::DeltaN, Field::signed("deltan", &[(43, 10), (61, 6)], pow2(-43) * PI)),
    (Element::Cuc, Field::signed("Cuc", &[(67, 16), (91, 2)], pow2(-31))),
    (Element::M0, Field::signed("M0", &[(93, 20), (121, 12)], pow2(-31) * PI)),
    (Element::E, Field::unsigned("e", &[(133, 10), (151, 22)], pow2(-33))),
    (Element::Cus, Field::signed("Cus", &[(181, 18)], pow2(-31))),
    (Element::Crc, Field::signed("Crc", &[(199, 4), (211, 14)], pow2(-6))),
    (Element::Crs, Field::signed("Crs", &[(225, 8), (241, 10)], pow2(-6))),
    (Element::SqrtA, Field::unsigned("sqrtA", &[(251, 12), (271, 20)], pow2(-19))),
];
/// Orbit in D1 subframe 3.
#[rustfmt::skip]
pub(crate) const D1_SUBFRAME_3: [(Element, Field); 7] = [
    (Element::I0, Field::signed("i0", &[(66, 17), (91, 15)], pow2(-31) * PI)),
    (Element::Cic, Field::signed("Cic", &[(106, 7), (121, 11)], pow2(-31))),
    (Element::OmegaDot, Field::signed("OMEGAdot", &[(132, 11), (151, 13)], pow2(-43) * PI)),
    (Element::Cis, Field::signed("Cis", &[(164, 9), (181, 9)], pow2(-31))),
    (Element::IDot, Field::signed("IDOT", &[(190, 13), (211, 1)], pow2(-43) * PI)),
    (Element::Omega0, Field::signed("OMEGA0", &[(212, 21), (241, 11)], pow2(-31) * PI)),
    (Element::Omega, Field::signed("omega", &[(252, 11), (271, 21)], pow2(-31) * PI)),
];
/// Two high bits of toe, in subframe 2; the scale makes them seconds.
#[rustfmt::skip]
pub(crate) const D1_TOE_MSB: Field = Field::unsigned("toe", &[(291, 2)], pow2(18));
/// Fifteen low bits of toe, in subframe 3.
#[rustfmt::skip]
pub(crate) const D1_TOE_LSB: Field = Field::unsigned("toe", &[(43, 10), (61, 5)], pow2(3));
/// Orbit and clock in the ten pages of D2.
#[rustfmt::skip]
pub(crate) const D2_PAGES: [(Element, Field); 18] = [
    (Element::Af0, Field::signed("a0", &[(701, 12), (721, 12)], pow2(-33))),
    (Element::Af1, Field::signed("a1", &[(733, 4), (947, 6), (961, 12)], pow2(-50))),
    (Element::Af2, Field::signed("a2", &[(973, 10), (991, 1)], pow2(-66))),
    (Element::DeltaN, Field::signed("deltan", &[(997, 16)], pow2(-43) * PI)),
    (Element::Cuc, Field::signed("Cuc", &[(1021, 14), (1247, 4)], pow2(-31))),
    (Element::M0, Field::signed("M0", &[(1251, 2), (1261, 22), (1291, 8)], pow2(-31) * PI)),
    (Element::Cus, Field::signed("Cus", &[(1299, 14), (1321, 4)], pow2(-31))),
    (Element::E, Field::unsigned("e", &[(1325, 10), (1547, 6), (1561, 16)], pow2(-33))),
    (Element::SqrtA, Field::unsigned("sqrtA", &[(1577, 6), (1591, 22), (1621, 4)], pow2(-19))),
    (Element::Cic, Field::signed("Cic", &[(1625, 10), (1847, 6), (1861, 2)], pow2(-31))),
    (Element::Cis, Field::signed("Cis", &[(1863, 18)], pow2(-31))),
    (Element::I0, Field::signed("i0", &[(1906, 7), (1921, 14), (2147, 6), (2161, 5)], pow2(-31) * PI)),
    (Element::Crc, Field::signed("Crc", &[(2166, 17), (2191, 1)], pow2(-6))),
    (Element::Crs, Field::signed("Crs", &[(2192, 18)], pow2(-6))),
    (Element::OmegaDot, Field::signed("OMEGAdot", &[(2210, 3), (2221, 16), (2447, 5)], pow2(-43) * PI)),
    (Element::Omega0, Field::signed("OMEGA0", &[(2452, 1), (2461, 22), (2491, 9)], pow2(-31) * PI)),
    (Element::Omega, Field::signed("omega", &[(2500, 13), (2521, 14), (2747, 5)], pow2(-31) * PI)),
    (Element::IDot, Field::signed("IDOT", &[(2752, 1), (2761, 13)], pow2(-43) * PI)),
];
/// Reference time of the orbit, in page 7 of D2.
#[rustfmt::skip]
pub(crate) const D2_TOE: Field = Field::unsigned("toe", &[(1881, 2), (1891, 15)], pow2(3));
/// Page number of D2 subframe 1.
pub(crate) const D2_PNUM1: Field = Field::unsigned("Pnum1", &[(43, 4)], 1.0);
/// Page number of D1 subframes 4 and 5 and of D2 subframe 5.
pub(crate) const PNUM: Field = Field::unsigned("Pnum", &[(44, 7)], 1.0);

/// Almanac page: what an ephemeris has too.
#[rustfmt::skip]
pub(crate) const ALMANAC: [(Element, Field); 8] = [
    (Element::SqrtA, Field::unsigned("sqrtA", &[(51, 2), (61, 22)], pow2(-11))),
    (Element::Af1, Field::signed("a1", &[(91, 11)], pow2(-38))),
    (Element::Af0, Field::signed("a0", &[(102, 11)], pow2(-20))),
    (Element::Omega0, Field::signed("OMEGA0", &[(121, 22), (151, 2)], pow2(-23) * PI)),
    (Element::E, Field::unsigned("e", &[(153, 17)], pow2(-21))),
    (Element::OmegaDot, Field::signed("OMEGAdot", &[(202, 1), (211, 16)], pow2(-38) * PI)),
    (Element::Omega, Field::signed("omega", &[(227, 6), (241, 18)], pow2(-23) * PI)),
    (Element::M0, Field::signed("M0", &[(259, 4), (271, 20)], pow2(-23) * PI)),
];
/// Almanac inclination, relative to 0.30 pi (MEO, IGSO) or 0 (GEO).
#[rustfmt::skip]
pub(crate) const ALMANAC_DELTA_I: Field = Field::signed("deltai", &[(170, 3), (181, 13)], pow2(-19) * PI);
/// Almanac reference time.
#[rustfmt::skip]
pub(crate) const ALMANAC_TOA: Field = Field::unsigned("toa", &[(194, 8)], pow2(12));
/// Whether (3) and for which satellites pages 11 to 23 carry expanded almanacs.
pub(crate) const AM_EP_ID: Field = Field::unsigned("AmEpID", &[(291, 2)], 1.0);
/// AmID of the expanded health page 24.
pub(crate) const HEALTH_AM_ID: Field = Field::unsigned("AmID", &[(216, 2)], 1.0);

/// Health words of nine bits in the order of page 7; pages 8 and 24 begin alike.
#[rustfmt::skip]
pub(crate) const HEALTH: [Field; 19] = [
    Field::unsigned("Hea", &[(51, 2), (61, 7)], 1.0),
    Field::unsigned("Hea", &[(68, 9)], 1.0),
    Field::unsigned("Hea", &[(77, 6), (91, 3)], 1.0),
    Field::unsigned("Hea", &[(94, 9)], 1.0),
    Field::unsigned("Hea", &[(103, 9)], 1.0),
    Field::unsigned("Hea", &[(112, 1), (121, 8)], 1.0),
    Field::unsigned("Hea", &[(129, 9)], 1.0),
    Field::unsigned("Hea", &[(138, 5), (151, 4)], 1.0),
    Field::unsigned("Hea", &[(155, 9)], 1.0),
    Field::unsigned("Hea", &[(164, 9)], 1.0),
    Field::unsigned("Hea", &[(181, 9)], 1.0),
    Field::unsigned("Hea", &[(190, 9)], 1.0),
    Field::unsigned("Hea", &[(199, 4), (211, 5)], 1.0),
    Field::unsigned("Hea", &[(216, 9)], 1.0),
    Field::unsigned("Hea", &[(225, 8), (241, 1)], 1.0),
    Field::unsigned("Hea", &[(242, 9)], 1.0),
    Field::unsigned("Hea", &[(251, 9)], 1.0),
    Field::unsigned("Hea", &[(260, 3), (271, 6)], 1.0),
    Field::unsigned("Hea", &[(277, 9)], 1.0),
];
/// Almanac week modulo 256, on page 8.
#[rustfmt::skip]
pub(crate) const HEALTH_WNA: Field = Field::unsigned("WNa", &[(190, 8)], 1.0);
/// Almanac reference time, on page 8.
#[rustfmt::skip]
pub(crate) const HEALTH_TOA: Field = Field::unsigned("toa", &[(198, 5), (211, 3)], pow2(12));
/// Offset of BDT from GPS, Galileo and GLONASS time, page 9: A0 in s and A1 in s/s of each.
#[rustfmt::skip]
pub(crate) const TIME_OFFSETS: [[Field; 2]; 3] = [
    [
        Field::signed("A0GPS", &[(97, 14)], 1e-10),
        Field::signed("A1GPS", &[(111, 2), (121, 14)], 1e-10),
    ],
    [
        Field::signed("A0Gal", &[(135, 8), (151, 6)], 1e-10),
        Field::signed("A1Gal", &[(157, 16)], 1e-10),
    ],
    [
        Field::signed("A0GLO", &[(181, 14)], 1e-10),
        Field::signed("A1GLO", &[(195, 8), (211, 8)], 1e-10),
    ],
];
/// Leap seconds before the change, page 10.
#[rustfmt::skip]
pub(crate) const UTC_LEAP: Field = Field::signed("dtLS", &[(51, 2), (61, 6)], 1.0);
/// Leap seconds after the change.
#[rustfmt::skip]
pub(crate) const UTC_LEAP_FUTURE: Field = Field::signed("dtLSF", &[(67, 8)], 1.0);
/// Week of the change modulo 256.
#[rustfmt::skip]
pub(crate) const UTC_WN_LSF: Field = Field::unsigned("WNLSF", &[(75, 8)], 1.0);
/// BDT - UTC, constant.
#[rustfmt::skip]
pub(crate) const UTC_A0: Field = Field::signed("A0UTC", &[(91, 22), (121, 10)], pow2(-30));
/// BDT - UTC, rate.
#[rustfmt::skip]
pub(crate) const UTC_A1: Field = Field::signed("A1UTC", &[(131, 12), (151, 12)], pow2(-50));
/// Day of the change, 0 to 6 from Sunday.
#[rustfmt::skip]
pub(crate) const UTC_DN: Field = Field::unsigned("DN", &[(163, 8)], 1.0);
