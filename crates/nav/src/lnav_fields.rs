//! Bit layouts of the GPS LNAV message (IS-GPS-200 section 20.3.3).

use std::f64::consts::PI;

use crate::element::Element;
use crate::field::{Field, pow2};

/// Time of week of the next subframe.
#[rustfmt::skip]
pub(crate) const TOW: Field = Field::unsigned("TOW count", &[(31, 17)], 6.0);
/// Anti-spoofing is on.
#[rustfmt::skip]
pub(crate) const ANTI_SPOOF: Field = Field::unsigned("anti-spoof", &[(49, 1)], 1.0);
/// Subframe number.
#[rustfmt::skip]
pub(crate) const ID: Field = Field::unsigned("subframe ID", &[(50, 3)], 1.0);
/// Week modulo 1024.
#[rustfmt::skip]
pub(crate) const WEEK: Field = Field::unsigned("WN", &[(61, 10)], 1.0);
/// Code on L2.
#[rustfmt::skip]
pub(crate) const CODE_ON_L2: Field = Field::unsigned("code on L2", &[(71, 2)], 1.0);
/// Index of the accuracy.
#[rustfmt::skip]
pub(crate) const URA: Field = Field::unsigned("URA", &[(73, 4)], 1.0);
/// Health.
#[rustfmt::skip]
pub(crate) const HEALTH: Field = Field::unsigned("health", &[(77, 6)], 1.0);
/// Issue of the clock.
#[rustfmt::skip]
pub(crate) const IODC: Field = Field::unsigned("IODC", &[(83, 2), (211, 8)], 1.0);
/// Group delay.
#[rustfmt::skip]
pub(crate) const TGD: Field = Field::signed("TGD", &[(197, 8)], pow2(-31));
/// Reference time of the clock.
#[rustfmt::skip]
pub(crate) const TOC: Field = Field::unsigned("toc", &[(219, 16)], pow2(4));
/// Issue of the orbit in subframe 2.
#[rustfmt::skip]
pub(crate) const IODE_2: Field = Field::unsigned("IODE", &[(61, 8)], 1.0);
/// Reference time of the orbit.
#[rustfmt::skip]
pub(crate) const TOE: Field = Field::unsigned("toe", &[(271, 16)], pow2(4));
/// The fit interval is longer than 4 h.
#[rustfmt::skip]
pub(crate) const FIT: Field = Field::unsigned("fit", &[(287, 1)], 1.0);
/// Age of the correction table.
#[rustfmt::skip]
pub(crate) const AODO: Field = Field::unsigned("AODO", &[(288, 5)], 900.0);
/// Issue of the orbit in subframe 3.
#[rustfmt::skip]
pub(crate) const IODE_3: Field = Field::unsigned("IODE", &[(271, 8)], 1.0);
/// Clock polynomial in subframe 1.
#[rustfmt::skip]
pub(crate) const SUBFRAME_1: [(Element, Field); 3] = [
    (Element::Af2, Field::signed("af2", &[(241, 8)], pow2(-55))),
    (Element::Af1, Field::signed("af1", &[(249, 16)], pow2(-43))),
    (Element::Af0, Field::signed("af0", &[(271, 22)], pow2(-31))),
];
/// Orbit in subframe 2.
#[rustfmt::skip]
pub(crate) const SUBFRAME_2: [(Element, Field); 7] = [
    (Element::Crs, Field::signed("Crs", &[(69, 16)], pow2(-5))),
    (Element::DeltaN, Field::signed("deltan", &[(91, 16)], pow2(-43) * PI)),
    (Element::M0, Field::signed("M0", &[(107, 8), (121, 24)], pow2(-31) * PI)),
    (Element::Cuc, Field::signed("Cuc", &[(151, 16)], pow2(-29))),
    (Element::E, Field::unsigned("e", &[(167, 8), (181, 24)], pow2(-33))),
    (Element::Cus, Field::signed("Cus", &[(211, 16)], pow2(-29))),
    (Element::SqrtA, Field::unsigned("sqrtA", &[(227, 8), (241, 24)], pow2(-19))),
];
/// Orbit in subframe 3.
#[rustfmt::skip]
pub(crate) const SUBFRAME_3: [(Element, Field); 8] = [
    (Element::Cic, Field::signed("Cic", &[(61, 16)], pow2(-29))),
    (Element::Omega0, Field::signed("OMEGA0", &[(77, 8), (91, 24)], pow2(-31) * PI)),
    (Element::Cis, Field::signed("Cis", &[(121, 16)], pow2(-29))),
    (Element::I0, Field::signed("i0", &[(137, 8), (151, 24)], pow2(-31) * PI)),
    (Element::Crc, Field::signed("Crc", &[(181, 16)], pow2(-5))),
    (Element::Omega, Field::signed("omega", &[(197, 8), (211, 24)], pow2(-31) * PI)),
    (Element::OmegaDot, Field::signed("OMEGAdot", &[(241, 24)], pow2(-43) * PI)),
    (Element::IDot, Field::signed("IDOT", &[(279, 14)], pow2(-43) * PI)),
];
/// Ionosphere, page 18: seconds per power of a semicircle.
#[rustfmt::skip]
pub(crate) const ALPHA: [Field; 4] = [
    Field::signed("alpha0", &[(69, 8)], pow2(-30)),
    Field::signed("alpha1", &[(77, 8)], pow2(-27)),
    Field::signed("alpha2", &[(91, 8)], pow2(-24)),
    Field::signed("alpha3", &[(99, 8)], pow2(-24)),
];
/// See [`ALPHA`].
#[rustfmt::skip]
pub(crate) const BETA: [Field; 4] = [
    Field::signed("beta0", &[(107, 8)], pow2(11)),
    Field::signed("beta1", &[(121, 8)], pow2(14)),
    Field::signed("beta2", &[(129, 8)], pow2(16)),
    Field::signed("beta3", &[(137, 8)], pow2(16)),
];
/// GPST - UTC, rate, page 18.
#[rustfmt::skip]
pub(crate) const UTC_A1: Field = Field::signed("A1", &[(151, 24)], pow2(-50));
/// GPST - UTC, constant.
#[rustfmt::skip]
pub(crate) const UTC_A0: Field = Field::signed("A0", &[(181, 24), (211, 8)], pow2(-30));
/// Reference time of UTC.
#[rustfmt::skip]
pub(crate) const UTC_TOT: Field = Field::unsigned("tot", &[(219, 8)], pow2(12));
/// Reference week of UTC modulo 256.
#[rustfmt::skip]
pub(crate) const UTC_WNT: Field = Field::unsigned("WNt", &[(227, 8)], 1.0);
/// Leap seconds before the change.
#[rustfmt::skip]
pub(crate) const UTC_LEAP: Field = Field::signed("dtLS", &[(241, 8)], 1.0);
/// Week of the change modulo 256.
#[rustfmt::skip]
pub(crate) const UTC_WN_LSF: Field = Field::unsigned("WNLSF", &[(249, 8)], 1.0);
/// Day of the change, 1 to 7 from Sunday.
#[rustfmt::skip]
pub(crate) const UTC_DN: Field = Field::unsigned("DN", &[(257, 8)], 1.0);
/// Leap seconds after the change.
#[rustfmt::skip]
pub(crate) const UTC_LEAP_FUTURE: Field = Field::signed("dtLSF", &[(271, 8)], 1.0);
/// Data ID of a page of subframes 4 and 5.
pub(crate) const DATA_ID: Field = Field::unsigned("data ID", &[(61, 2)], 1.0);
/// SV (page) ID of subframes 4 and 5.
pub(crate) const SV_ID: Field = Field::unsigned("SV ID", &[(63, 6)], 1.0);
/// Almanac page (section 20.3.3.5.1.2): what an ephemeris has too.
#[rustfmt::skip]
pub(crate) const ALMANAC: [(Element, Field); 8] = [
    (Element::E, Field::unsigned("e", &[(69, 16)], pow2(-21))),
    (Element::OmegaDot, Field::signed("OMEGAdot", &[(121, 16)], pow2(-38) * PI)),
    (Element::SqrtA, Field::unsigned("sqrtA", &[(151, 24)], pow2(-11))),
    (Element::Omega0, Field::signed("OMEGA0", &[(181, 24)], pow2(-23) * PI)),
    (Element::Omega, Field::signed("omega", &[(211, 24)], pow2(-23) * PI)),
    (Element::M0, Field::signed("M0", &[(241, 24)], pow2(-23) * PI)),
    (Element::Af0, Field::signed("af0", &[(271, 8), (290, 3)], pow2(-20))),
    (Element::Af1, Field::signed("af1", &[(279, 11)], pow2(-38))),
];
/// Almanac inclination, relative to 0.30 pi.
pub(crate) const ALMANAC_DELTA_I: Field = Field::signed("deltai", &[(99, 16)], pow2(-19) * PI);
/// Almanac reference time.
pub(crate) const ALMANAC_TOA: Field = Field::unsigned("toa", &[(91, 8)], pow2(12));
/// Health of the satellite of an almanac page.
pub(crate) const ALMANAC_HEALTH: Field = Field::unsigned("health", &[(137, 8)], 1.0);
/// Almanac reference time on subframe 5 page 25.
pub(crate) const PAGE_25_TOA: Field = Field::unsigned("toa", &[(69, 8)], pow2(12));
/// Almanac week modulo 256 on subframe 5 page 25.
pub(crate) const PAGE_25_WNA: Field = Field::unsigned("WNa", &[(77, 8)], 1.0);
