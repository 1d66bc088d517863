//! Broadcast ephemerides.

use megrez_signal::{Constellation, NavMessage, ObsCode, Sat};

use crate::{Ecef, GlonassEphemeris, GnssTime, TimeScale, kepler};

/// Group delays of one satellite in seconds, by signal, in the sense that the clock of a signal is the
/// satellite clock minus its delay (BDS-SIS-ICD-B1I-3.0 section 5.2.4.10, IS-GPS-200 section 20.3.3.3.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroupDelays {
    /// GPS T_GD.
    pub tgd: Option<f64>,
    /// BDS T_GD1 (B1I).
    pub tgd1: Option<f64>,
    /// BDS T_GD2 (B2I).
    pub tgd2: Option<f64>,
    /// BDS T_GD,B1Cp.
    pub tgd_b1cp: Option<f64>,
    /// BDS T_GD,B2ap.
    pub tgd_b2ap: Option<f64>,
    /// BDS ISC_B1Cd.
    pub isc_b1cd: Option<f64>,
    /// BDS ISC_B2ad.
    pub isc_b2ad: Option<f64>,
    /// BDS T_GD,B2bI.
    pub tgd_b2bi: Option<f64>,
    /// Galileo BGD(E1, E5a).
    pub bgd_e5a: Option<f64>,
    /// Galileo BGD(E1, E5b).
    pub bgd_e5b: Option<f64>,
}

/// What a message says beside orbit, clock and group delays; kept for files. None where the message has no such field.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MessageDetails {
    /// Codes on L2 (GPS and QZSS LNAV); data sources (Galileo, bits as RINEX numbers them).
    pub sources: Option<u16>,
    /// Data flag of L2 P (GPS and QZSS LNAV).
    pub l2p: Option<u8>,
    /// Fit interval in hours (GPS LNAV) or its flag (QZSS LNAV).
    pub fit_interval: Option<f64>,
    /// Kind of orbit (B-CNAV): 1 GEO, 2 IGSO, 3 MEO.
    pub orbit_kind: Option<u8>,
    /// Time of week of the accuracy prediction in s (B-CNAV).
    pub top_s: Option<f64>,
    /// Accuracy indices SISAI_oe, SISAI_ocb, SISAI_oc1, SISAI_oc2 (B-CNAV).
    pub sisai: [Option<i8>; 4],
    /// Monitoring accuracy index SISMAI (B-CNAV); files have -1 for unknown.
    pub sismai: Option<i8>,
    /// Integrity flags of the message's own signal (B-CNAV): DIF is bit 2, SIF bit 1, AIF bit 0.
    pub flags: Option<i8>,
}

/// Keplerian broadcast ephemeris and clock of GPS, QZSS, Galileo or BDS, from whichever message.
/// Angles in radians, rates in radians a second, distances in metres.
#[derive(Debug, Clone, PartialEq)]
pub struct KeplerEphemeris {
    /// Satellite.
    pub sat: Sat,
    /// Message it came in; decides the constants and the geostationary rotation.
    pub message: NavMessage,
    /// Reference time of the orbit.
    pub toe: GnssTime,
    /// Reference time of the clock.
    pub toc: GnssTime,
    /// Time at which the message was sent, if known.
    pub transmit: Option<GnssTime>,
    /// Clock offset in s, drift in s/s, drift rate in s/s².
    pub clock: [f64; 3],
    /// Semi-major axis at `toe` in m.
    pub a: f64,
    /// Change of the semi-major axis in m/s (B-CNAV; otherwise 0).
    pub a_dot: f64,
    /// Eccentricity.
    pub e: f64,
    /// Inclination at `toe`.
    pub i0: f64,
    /// Rate of the inclination.
    pub i_dot: f64,
    /// Longitude of the ascending node at the start of the week.
    pub omega0: f64,
    /// Rate of the right ascension.
    pub omega_dot: f64,
    /// Argument of perigee.
    pub omega: f64,
    /// Mean anomaly at `toe`.
    pub m0: f64,
    /// Mean motion difference.
    pub delta_n: f64,
    /// Rate of the mean motion difference in rad/s² (B-CNAV; otherwise 0).
    pub delta_n_dot: f64,
    /// Latitude corrections, cosine and sine.
    pub cuc: f64,
    /// See `cuc`.
    pub cus: f64,
    /// Radius corrections, cosine and sine.
    pub crc: f64,
    /// See `crc`.
    pub crs: f64,
    /// Inclination corrections, cosine and sine.
    pub cic: f64,
    /// See `cic`.
    pub cis: f64,
    /// Group delays.
    pub delays: GroupDelays,
    /// Issue of the orbit: IODE (GPS, B-CNAV) or AODE (D1, D2).
    pub iode: u16,
    /// Issue of the clock: IODC (GPS, B-CNAV) or AODC (D1, D2).
    pub iodc: u16,
    /// User range accuracy in metres (one sigma), SISA of Galileo; none when the message gives no usable figure.
    pub ura_m: Option<f64>,
    /// Health word as sent; 0 is healthy in every message covered. Of Galileo, from the low end: data validity and
    /// two bits of signal health each of E1-B, E5a and E5b.
    pub health: u16,
    /// The rest of the message.
    pub details: MessageDetails,
}

/// A broadcast ephemeris.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "nearly all are of the larger kind, and looked up often")]
pub enum Ephemeris {
    /// GPS and QZSS LNAV, Galileo I/NAV and F/NAV, BDS D1, D2, B-CNAV1, B-CNAV2, B-CNAV3.
    Kepler(KeplerEphemeris),
    /// GLONASS.
    Glonass(GlonassEphemeris),
}

/// Position, velocity and clock of a satellite at an instant, in the earth-fixed frame of that instant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SatState {
    /// Position in m.
    pub position: Ecef,
    /// Velocity in m/s.
    pub velocity: Ecef,
    /// Satellite clock minus system time in s, with the relativistic term, without group delay.
    pub clock_s: f64,
    /// Rate of `clock_s` in s/s, with the relativistic term.
    pub clock_drift: f64,
}

/// Seconds from `toe` for which a GPS ephemeris is used: half of the 4 h curve fit (IS-GPS-200 table 20-XII).
const GPS_VALID_S: f64 = 7200.0;
/// Seconds from `toe` for which a BDS ephemeris is used: the hour between updates, and an hour of grace for
/// files and receivers that missed one.
const BDS_VALID_S: f64 = 7200.0;
/// Seconds from `toe` for which a Galileo ephemeris is used (Galileo OS SDD section 2.3.2: 4 h).
const GALILEO_VALID_S: f64 = 14_400.0;

impl GroupDelays {
    /// Whether `other` gives all that this gives, and the same.
    pub(crate) fn within(&self, other: &Self) -> bool {
        let pairs = [
            (self.tgd, other.tgd),
            (self.tgd1, other.tgd1),
            (self.tgd2, other.tgd2),
            (self.tgd_b1cp, other.tgd_b1cp),
            (self.tgd_b2ap, other.tgd_b2ap),
            (self.isc_b1cd, other.isc_b1cd),
            (self.isc_b2ad, other.isc_b2ad),
            (self.tgd_b2bi, other.tgd_b2bi),
            (self.bgd_e5a, other.bgd_e5a),
            (self.bgd_e5b, other.bgd_e5b),
        ];
        pairs.iter().all(|&(ours, theirs)| ours.is_none() || ours == theirs)
    }

    /// Delay in s of the signal `code` of a satellite of `constellation` against the clock that `message` gives;
    /// none when the message does not tell it. Data and pilot tracked together ("1X") count as the pilot, which
    /// has most of the power.
    pub fn of(&self, constellation: Constellation, message: NavMessage, code: ObsCode) -> Option<f64> {
        let ratio = |band: u8| {
            let carrier = |band| ObsCode::new(band, b'C')?.carrier_hz(constellation, 0);
            Some((carrier(b'1')? / carrier(band)?).powi(2))
        };
        match (constellation, code.band(), code.attribute()) {
            (Constellation::Bds, b'2', _) | (Constellation::Bds, b'1', b'I' | b'Q') => self.tgd1,
            (Constellation::Bds, b'1', b'D') => Some(self.tgd_b1cp? + self.isc_b1cd?),
            (Constellation::Bds, b'1', _) => self.tgd_b1cp,
            (Constellation::Bds, b'5', b'D') => Some(self.tgd_b2ap? + self.isc_b2ad?),
            (Constellation::Bds, b'5', _) => self.tgd_b2ap,
            (Constellation::Bds, b'7', b'D' | b'P' | b'Z') => self.tgd_b2bi,
            (Constellation::Bds, b'7', _) => self.tgd2,
            // The clock of every BDS message is that of B3I.
            (Constellation::Bds, b'6', _) => Some(0.0),
            // IS-GPS-200 section 20.3.3.3.3.2: the clock is that of the pair L1, L2. Differences between the
            // codes of a band (ISC) are not in LNAV.
            (Constellation::Gps | Constellation::Qzss, band, _) => Some(ratio(band)? * self.tgd?),
            // Galileo OS SIS ICD section 5.1.5: E1 lags the clock by the delay of the pair, the other signal by
            // the squared ratio of the carriers times that.
            (Constellation::Galileo, band, _) => {
                let (pair, delay) = match message {
                    NavMessage::Fnav => (b'5', self.bgd_e5a?),
                    _ => (b'7', self.bgd_e5b?),
                };
                match band {
                    b'1' => Some(delay),
                    _ if band == pair => Some(ratio(band)? * delay),
                    b'5' => Some(delay - (1.0 - ratio(band)?) * self.bgd_e5a?),
                    b'7' => Some(delay - (1.0 - ratio(band)?) * self.bgd_e5b?),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl KeplerEphemeris {
    /// An ephemeris with nothing in it but who sent it, in which message, and its times; makers fill in the rest. It is
    /// not [`plausible`](Self::plausible).
    pub fn blank(sat: Sat, message: NavMessage, toe: GnssTime, toc: GnssTime) -> Self {
        Self {
            sat,
            message,
            toe,
            toc,
            transmit: None,
            clock: [0.0; 3],
            a: 0.0,
            a_dot: 0.0,
            e: 0.0,
            i0: 0.0,
            i_dot: 0.0,
            omega0: 0.0,
            omega_dot: 0.0,
            omega: 0.0,
            m0: 0.0,
            delta_n: 0.0,
            delta_n_dot: 0.0,
            cuc: 0.0,
            cus: 0.0,
            crc: 0.0,
            crs: 0.0,
            cic: 0.0,
            cis: 0.0,
            delays: GroupDelays::default(),
            iode: 0,
            iodc: 0,
            ura_m: None,
            health: 0,
            details: MessageDetails::default(),
        }
    }

    /// Satellite.
    pub fn sat(&self) -> Sat {
        self.sat
    }

    /// Message it came in.
    pub fn message(&self) -> NavMessage {
        self.message
    }

    /// Reference time of the orbit.
    pub fn toe(&self) -> GnssTime {
        self.toe
    }

    /// The time scale of the message, whose week starts `omega0` refers to.
    pub fn scale(&self) -> TimeScale {
        match self.sat.constellation {
            Constellation::Bds => TimeScale::Bdt,
            _ => TimeScale::Gpst,
        }
    }

    /// Position, velocity and clock at `t`, the system time of transmission.
    ///
    /// IS-GPS-200 tables 20-IV and 20-V; BDS-SIS-ICD-B1I-3.0 table 5-11 with the rotation of GEO
    /// satellites; BDS-SIS-ICD-B1C-1.0 section 7.7 with `a_dot` and `delta_n_dot`.
    pub fn state(&self, t: GnssTime) -> SatState {
        kepler::state(self, t)
    }

    /// Group delay of `signal` in s: the clock of the signal is [`SatState::clock_s`] minus this. None when
    /// the message does not give it: B1I and B2I are in D1 and D2 (T_GD1 and T_GD2, against B3I), B1C and B2a
    /// in B-CNAV1 and B-CNAV2, B2b in B-CNAV3, L1 C/A in LNAV. B3I has none.
    pub fn group_delay_s(&self, signal: impl Into<ObsCode>) -> Option<f64> {
        self.delays.of(self.sat.constellation, self.message, signal.into())
    }

    /// Whether the satellite says that it is healthy; of Galileo, in all its signals. The lowest bit of QZSS LNAV is
    /// about L1 C/B alone (IS-QZSS-PNT) and does not count.
    pub fn healthy(&self) -> bool {
        let about_others = match (self.sat.constellation, self.message) {
            (Constellation::Qzss, NavMessage::Lnav) => 1,
            _ => 0,
        };
        self.health & !about_others == 0
    }

    /// Whether the satellite says that the signal `code` is healthy. Galileo states the health of E1, E5a and E5b
    /// apart (OS SIS ICD sections 5.1.9.3 and 5.1.9.4); E5 as a whole needs both its parts, E6 has no statement. QZSS
    /// states that of L1 C/B apart.
    pub fn healthy_for(&self, code: ObsCode) -> bool {
        if (self.sat.constellation, code.band(), code.attribute()) == (Constellation::Qzss, b'1', b'E') {
            return self.health == 0;
        }
        if self.sat.constellation != Constellation::Galileo {
            return self.healthy();
        }
        let bits = match code.band() {
            b'1' => 0o007,
            b'5' => 0o070,
            b'7' => 0o700,
            b'8' => 0o770,
            _ => 0o777,
        };
        self.health & bits == 0
    }

    /// Seconds from `toe` for which the ephemeris is meant: 4 h for Galileo, 2 h for GPS, QZSS, and BDS (1 h and 1 h
    /// of grace).
    pub fn validity_s(&self) -> f64 {
        match self.sat.constellation {
            Constellation::Bds => BDS_VALID_S,
            Constellation::Galileo => GALILEO_VALID_S,
            _ => GPS_VALID_S,
        }
    }

    /// Whether `t` is within [`KeplerEphemeris::validity_s`] of `toe`.
    pub fn valid_at(&self, t: GnssTime) -> bool {
        (t - self.toe).abs() <= self.validity_s()
    }

    /// User range accuracy in m (one sigma), if given.
    pub fn ura_m(&self) -> Option<f64> {
        self.ura_m
    }

    /// Whether the elements describe an orbit at all: finite, elliptic, above the ground and below 60 000 km,
    /// a clock within a second. Anything else comes from a damaged file or undetected bit errors.
    pub fn plausible(&self) -> bool {
        let all = [
            self.a_dot,
            self.i0,
            self.i_dot,
            self.omega0,
            self.omega_dot,
            self.omega,
            self.m0,
            self.delta_n,
            self.delta_n_dot,
            self.cuc,
            self.cus,
            self.crc,
            self.crs,
            self.cic,
            self.cis,
            self.clock[1],
            self.clock[2],
        ];
        all.iter().all(|v| v.is_finite())
            && (6.5e6..6e7).contains(&self.a)
            && (0.0..0.95).contains(&self.e)
            && self.clock[0].abs() < 1.0
            && (self.toc - self.toe).abs() < 604_800.0
    }
}

/// Calls a method that both kinds of ephemeris have.
macro_rules! either {
    ($self:ident, $e:ident => $call:expr) => {
        match $self {
            Self::Kepler($e) => $call,
            Self::Glonass($e) => $call,
        }
    };
}

impl Ephemeris {
    /// Satellite.
    pub fn sat(&self) -> Sat {
        either!(self, e => e.sat)
    }

    /// Message it came in.
    pub fn message(&self) -> NavMessage {
        match self {
            Self::Kepler(k) => k.message,
            Self::Glonass(_) => NavMessage::Fdma,
        }
    }

    /// Reference time of the orbit.
    pub fn toe(&self) -> GnssTime {
        either!(self, e => e.toe)
    }

    /// Time at which the message was sent, if known.
    pub fn transmit(&self) -> Option<GnssTime> {
        either!(self, e => e.transmit)
    }

    /// See [`KeplerEphemeris::state`] and [`GlonassEphemeris::state`].
    pub fn state(&self, t: GnssTime) -> SatState {
        either!(self, e => e.state(t))
    }

    /// See [`KeplerEphemeris::group_delay_s`] and [`GlonassEphemeris::group_delay_s`].
    pub fn group_delay_s(&self, signal: impl Into<ObsCode>) -> Option<f64> {
        either!(self, e => e.group_delay_s(signal))
    }

    /// Whether the satellite says that it is healthy, in all its signals.
    pub fn healthy(&self) -> bool {
        either!(self, e => e.healthy())
    }

    /// Whether the satellite says that a signal is healthy; see [`KeplerEphemeris::healthy_for`].
    pub fn healthy_for(&self, signal: impl Into<ObsCode>) -> bool {
        match self {
            Self::Kepler(k) => k.healthy_for(signal.into()),
            Self::Glonass(g) => g.healthy(),
        }
    }

    /// Seconds from `toe` for which the ephemeris is meant: 4 h for Galileo, half an hour for GLONASS, else 2 h.
    pub fn validity_s(&self) -> f64 {
        either!(self, e => e.validity_s())
    }

    /// Whether `t` is within [`Ephemeris::validity_s`] of `toe`.
    pub fn valid_at(&self, t: GnssTime) -> bool {
        (t - self.toe()).abs() <= self.validity_s()
    }

    /// User range accuracy in m (one sigma), if given.
    pub fn ura_m(&self) -> Option<f64> {
        match self {
            Self::Kepler(k) => k.ura_m,
            Self::Glonass(g) => g.ura_m(),
        }
    }

    /// Whether it describes an orbit at all.
    pub fn plausible(&self) -> bool {
        either!(self, e => e.plausible())
    }

    /// The Keplerian elements, of any system but GLONASS.
    pub fn kepler(&self) -> Option<&KeplerEphemeris> {
        match self {
            Self::Kepler(k) => Some(k),
            Self::Glonass(_) => None,
        }
    }

    /// The GLONASS ephemeris.
    pub fn glonass(&self) -> Option<&GlonassEphemeris> {
        match self {
            Self::Kepler(_) => None,
            Self::Glonass(g) => Some(g),
        }
    }

    /// Whether it says the same as `other`, whenever it was sent.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Kepler(a), Self::Kepler(b)) => {
                a.toe == b.toe
                    && a.message == b.message
                    && *a == KeplerEphemeris { transmit: a.transmit, ..b.clone() }
            }
            (Self::Glonass(a), Self::Glonass(b)) => {
                *a == GlonassEphemeris { transmit: a.transmit, ..b.clone() }
            }
            _ => false,
        }
    }

    /// Whether it says the same as `other` but for group delays that it does not give, whenever it was sent.
    pub(crate) fn less_than(&self, other: &Self) -> bool {
        let (Self::Kepler(a), Self::Kepler(b)) = (self, other) else { return false };
        a.toe == b.toe
            && a.delays.within(&b.delays)
            && *a == KeplerEphemeris { transmit: a.transmit, delays: a.delays, ..b.clone() }
    }
}

impl From<KeplerEphemeris> for Ephemeris {
    fn from(k: KeplerEphemeris) -> Self {
        Self::Kepler(k)
    }
}

impl From<GlonassEphemeris> for Ephemeris {
    fn from(g: GlonassEphemeris) -> Self {
        Self::Glonass(g)
    }
}
