//! PPP-B2b: precise orbit, clock and code-bias corrections from the GEO satellites (BDS-SIS-ICD-PPP-B2b-1.0
//! sections 5 to 7).
//!
//! [`Message::read`] takes a [`Subframe`] apart; [`Corrections`] keeps what the messages say by satellite and gives
//! out what belongs together and is still valid:
//!
//! * all issues IODSSR are of one set; a new one drops everything of the old;
//! * clocks and accuracies count along the mask, and only with the mask of their IODP;
//! * a clock goes with the orbit of the same IODCorr, and both with the broadcast ephemeris of issue IODN (BDS:
//!   B-CNAV1 with IODC; GPS: LNAV; compared in the low 8 bits, see [`SatCorrection::matches`]);
//! * clocks hold for 12 s, orbits and accuracies for 96 s, biases for a day.

use std::collections::BTreeMap;

use megrez_orbit::{Ecef, GnssTime, KeplerEphemeris, TimeScale};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::Subframe;
use crate::crc::bit;

/// Slots of the satellite mask.
const MASK_SLOTS: usize = 255;
/// Satellites of a message of type 4, of type 2, and of type 5.
const CLOCKS: usize = 23;
const ORBITS: usize = 6;
const ACCURACIES: usize = 70;
/// Steps in m of radial, along-track and cross-track corrections, of clocks and of biases.
const RADIAL_M: f64 = 0.0016;
const TANGENTIAL_M: f64 = 0.0064;
const CLOCK_M: f64 = 0.0016;
const BIAS_M: f64 = 0.017;
/// Validities in s.
const CLOCK_VALID_S: f64 = 12.0;
const ORBIT_VALID_S: f64 = 96.0;
const BIAS_VALID_S: f64 = 86_400.0;
/// First bit of the CRC.
const END: usize = 462;

/// What all messages but the null message begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Reference time in s of the BDT day.
    pub epoch_s: u32,
    /// Issue of the whole set of corrections.
    pub iod_ssr: u8,
}

/// Orbit correction of one satellite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orbit {
    /// Satellite slot, 1 to 255; see [`sat_of_slot`].
    pub slot: u16,
    /// Issue of the broadcast ephemeris that is corrected.
    pub iodn: u16,
    /// Issue of the correction, to be matched by clocks.
    pub iod_corr: u8,
    /// Corrections in m, radial, along track and across; none if not available.
    pub correction_m: Option<[f64; 3]>,
    /// User range accuracy in m; none if undefined.
    pub ura_m: Option<f64>,
}

/// Clock correction of one satellite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Issue of the orbit correction it goes with.
    pub iod_corr: u8,
    /// Correction C0 in m; none if not available.
    pub c0_m: Option<f64>,
}

/// Code biases of one satellite.
#[derive(Debug, Clone, PartialEq)]
pub struct Biases {
    /// Satellite slot.
    pub slot: u16,
    /// Signal mode (see [`SatCorrection::bias_m`]) and bias in m.
    pub biases: Vec<(u8, f64)>,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// Type 1: the satellites with corrections.
    Mask {
        /// Time and issue.
        head: Head,
        /// Issue of the mask.
        iodp: u8,
        /// Slots in the mask, ascending.
        slots: Vec<u16>,
    },
    /// Type 2: orbit corrections.
    Orbits(Head, Vec<Orbit>),
    /// Type 3: code biases.
    Biases(Head, Vec<Biases>),
    /// Type 4: clock corrections of 23 satellites of the mask.
    Clocks {
        /// Time and issue.
        head: Head,
        /// Issue of the mask.
        iodp: u8,
        /// Place in the mask of the first satellite, from 0.
        first: usize,
        /// Clocks in the order of the mask.
        clocks: Vec<Clock>,
    },
    /// Type 5: accuracies of 70 satellites of the mask.
    Accuracies {
        /// Time and issue.
        head: Head,
        /// Issue of the mask.
        iodp: u8,
        /// Place in the mask of the first satellite, from 0.
        first: usize,
        /// Accuracies in m in the order of the mask; none if undefined.
        ura_m: Vec<Option<f64>>,
    },
    /// Type 6: clocks along the mask, and orbits.
    ClocksOrbits {
        /// Time and issue of the clocks, issue of the mask, place of the first satellite, clocks.
        clocks: Option<(Head, u8, usize, Vec<Clock>)>,
        /// Time and issue of the orbits, orbits.
        orbits: Option<(Head, Vec<Orbit>)>,
    },
    /// Type 7: clocks and orbits of satellites by slot.
    SlotClocksOrbits {
        /// Time and issue of the clocks; slots and clocks.
        clocks: Option<(Head, Vec<(u16, Clock)>)>,
        /// Time and issue of the orbits, orbits.
        orbits: Option<(Head, Vec<Orbit>)>,
    },
    /// Type 63: nothing.
    Null,
}

/// The satellite of a slot of the mask; none for reserved slots.
pub fn sat_of_slot(slot: u16) -> Option<Sat> {
    let sat = |constellation, first: u16| Some(Sat { constellation, prn: (slot - first) as u8 + 1 });
    match slot {
        1..=63 => sat(Constellation::Bds, 1),
        64..=100 => sat(Constellation::Gps, 64),
        101..=137 => sat(Constellation::Galileo, 101),
        138..=174 => sat(Constellation::Glonass, 138),
        _ => None,
    }
}

/// Reads fields one after the other; none beyond the message.
struct Reader<'a> {
    words: &'a [u32],
    position: usize,
}

impl Reader<'_> {
    fn unsigned(&mut self, len: usize) -> Option<u32> {
        let end = self.position + len;
        let value = (self.position..end).fold(0, |value, index| value << 1 | bit(self.words, index));
        self.position = end;
        (end <= END).then_some(value)
    }

    fn small(&mut self, len: usize) -> Option<u8> {
        Some(self.unsigned(len)? as u8)
    }

    /// A number in two's complement; the inner value is none if it is one of the two most negative, which mean
    /// that there is no figure.
    fn signed(&mut self, len: usize, step: f64) -> Option<Option<f64>> {
        let raw = self.unsigned(len)? as i32;
        let half = 1 << (len - 1);
        let value = if raw >= half { raw - 2 * half } else { raw };
        Some((value > 1 - half).then_some(f64::from(value) * step))
    }

    fn head(&mut self) -> Option<Head> {
        let epoch_s = self.unsigned(17)?;
        self.unsigned(4)?;
        Some(Head { epoch_s, iod_ssr: self.small(2)? })
    }

    /// 3^class (1 + value / 4) - 1 mm; none if undefined.
    fn accuracy(&mut self) -> Option<Option<f64>> {
        let (class, value) = (self.small(3)?, self.small(3)?);
        let mm = 3f64.powi(class.into()) * (1.0 + f64::from(value) / 4.0) - 1.0;
        Some((class != 0 || value != 0).then_some(mm / 1000.0))
    }

    fn clock(&mut self) -> Option<Clock> {
        Some(Clock { iod_corr: self.small(3)?, c0_m: self.signed(15, CLOCK_M)? })
    }

    fn orbit(&mut self) -> Option<Orbit> {
        let (slot, iodn, iod_corr) = (self.unsigned(9)? as u16, self.unsigned(10)? as u16, self.small(3)?);
        let radial = self.signed(15, RADIAL_M)?;
        let (along, cross) = (self.signed(13, TANGENTIAL_M)?, self.signed(13, TANGENTIAL_M)?);
        let correction_m = radial.zip(along).zip(cross).map(|((r, a), c)| [r, a, c]);
        Some(Orbit { slot, iodn, iod_corr, correction_m, ura_m: self.accuracy()? })
    }

    /// `count` orbits without those of no satellite.
    fn orbits(&mut self, count: usize) -> Option<Vec<Orbit>> {
        let mut all = self.many(count, Self::orbit)?;
        all.retain(|orbit| orbit.slot != 0);
        Some(all)
    }

    fn many<T>(&mut self, count: usize, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..count).map(|_| read(self)).collect()
    }
}

impl Message {
    /// The message of a PPP-B2b subframe; none if it is another message, has an unknown type or does not fit.
    pub fn read(subframe: &Subframe) -> Option<Self> {
        if subframe.message != NavMessage::PppB2b || !subframe.complete() {
            return None;
        }
        let mut r = Reader { words: &subframe.words, position: 0 };
        match r.unsigned(6)? {
            1 => {
                let (head, iodp) = (r.head()?, r.small(4)?);
                let mut slots = Vec::new();
                for slot in 1..=MASK_SLOTS as u16 {
                    if r.unsigned(1)? == 1 {
                        slots.push(slot);
                    }
                }
                Some(Self::Mask { head, iodp, slots })
            }
            2 => Some(Self::Orbits(r.head()?, r.orbits(ORBITS)?)),
            3 => {
                let head = r.head()?;
                let count = r.unsigned(5)? as usize;
                let mut all = r.many(count, |r| {
                    let (slot, count) = (r.unsigned(9)? as u16, r.unsigned(4)? as usize);
                    let biases = r.many(count, |r| Some((r.small(4)?, r.signed(12, BIAS_M)?)))?;
                    let biases = biases.into_iter().filter_map(|(mode, bias)| Some((mode, bias?))).collect();
                    Some(Biases { slot, biases })
                })?;
                all.retain(|biases| biases.slot != 0);
                Some(Self::Biases(head, all))
            }
            4 => {
                let (head, iodp) = (r.head()?, r.small(4)?);
                let first = CLOCKS * r.unsigned(5)? as usize;
                Some(Self::Clocks { head, iodp, first, clocks: r.many(CLOCKS, Reader::clock)? })
            }
            5 => {
                let (head, iodp) = (r.head()?, r.small(4)?);
                let first = ACCURACIES * r.unsigned(3)? as usize;
                // The last ones do not all fit.
                let ura_m = (0..ACCURACIES).map_while(|_| r.accuracy()).collect();
                Some(Self::Accuracies { head, iodp, first, ura_m })
            }
            6 => {
                let (clocks, orbits) = (r.unsigned(5)? as usize, r.unsigned(3)? as usize);
                let clocks = if clocks > 0 {
                    let (head, iodp) = (r.head()?, r.small(4)?);
                    // The place in the mask counts from 1.
                    let first = (r.unsigned(9)? as usize).checked_sub(1)?;
                    Some((head, iodp, first, r.many(clocks, Reader::clock)?))
                } else {
                    None
                };
                let orbits = if orbits > 0 { Some((r.head()?, r.orbits(orbits)?)) } else { None };
                Some(Self::ClocksOrbits { clocks, orbits })
            }
            7 => {
                let (clocks, orbits) = (r.unsigned(5)? as usize, r.unsigned(3)? as usize);
                let clocks = if clocks > 0 {
                    let head = r.head()?;
                    Some((head, r.many(clocks, |r| Some((r.unsigned(9)? as u16, r.clock()?)))?))
                } else {
                    None
                };
                let orbits = if orbits > 0 { Some((r.head()?, r.orbits(orbits)?)) } else { None };
                Some(Self::SlotClocksOrbits { clocks, orbits })
            }
            63 => Some(Self::Null),
            _ => None,
        }
    }
}

/// The valid correction of one satellite at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct SatCorrection {
    /// Satellite.
    pub sat: Sat,
    /// Issue of the broadcast ephemeris that is corrected.
    pub iodn: u16,
    /// Orbit correction in m, radial, along track and across.
    pub orbit_m: [f64; 3],
    /// Clock correction C0 in m.
    pub clock_m: f64,
    /// User range accuracy in m, if defined.
    pub ura_m: Option<f64>,
    biases: Vec<(u8, f64)>,
}

impl SatCorrection {
    /// Whether `ephemeris` is the one that is corrected.
    pub fn matches(&self, ephemeris: &KeplerEphemeris) -> bool {
        let message = match self.sat.constellation {
            Constellation::Bds => NavMessage::Cnav1,
            _ => NavMessage::Lnav,
        };
        let issue = (ephemeris.iodc ^ self.iodn) & 0xff == 0;
        ephemeris.sat == self.sat && ephemeris.message == message && issue
    }

    /// Code bias in m, to be subtracted from pseudoranges of the signal `mode`: BDS 0 B1I, 1 B1C data, 2 B1C
    /// pilot, 4 B2a data, 5 B2a pilot, 7 B2b-I, 12 B3I; GPS 0 L1 C/A, 1 L1 P, 4 L1C pilot, 7 L2C L, 11 L5 I, 12
    /// L5 Q.
    pub fn bias_m(&self, mode: u8) -> Option<f64> {
        self.biases.iter().find(|(of, _)| *of == mode).map(|&(_, bias)| bias)
    }

    /// Corrected position in m and clock offset in s of a satellite at `position` with `velocity` (both as
    /// broadcast, earth-fixed) and clock offset `clock_s`.
    pub fn apply(&self, position: Ecef, velocity: Ecef, clock_s: f64) -> (Ecef, f64) {
        let dot = |a: Ecef, b: Ecef| a.x * b.x + a.y * b.y + a.z * b.z;
        let cross = |a: Ecef, b: Ecef| Ecef {
            x: a.y * b.z - a.z * b.y,
            y: a.z * b.x - a.x * b.z,
            z: a.x * b.y - a.y * b.x,
        };
        let unit = |a: Ecef| {
            let scale = 1.0 / dot(a, a).sqrt().max(f64::MIN_POSITIVE);
            Ecef { x: a.x * scale, y: a.y * scale, z: a.z * scale }
        };
        let radial = unit(position);
        let across = unit(cross(position, velocity));
        let along = cross(across, radial);
        let [r, a, c] = self.orbit_m;
        let moved = Ecef {
            x: position.x - (r * radial.x + a * along.x + c * across.x),
            y: position.y - (r * radial.y + a * along.y + c * across.y),
            z: position.z - (r * radial.z + a * along.z + c * across.z),
        };
        (moved, clock_s - self.clock_m / megrez_signal::SPEED_OF_LIGHT)
    }
}

/// What is known of one satellite.
#[derive(Debug, Clone, Default)]
struct Known {
    orbit: Option<(GnssTime, Orbit)>,
    /// The latest clocks, two for the moment between a new orbit and its clock.
    clocks: Vec<(GnssTime, Clock)>,
    biases: Option<(GnssTime, Vec<(u8, f64)>)>,
    ura_m: Option<(GnssTime, Option<f64>)>,
}

/// Corrections by satellite, from the messages of one GEO satellite.
#[derive(Debug, Clone, Default)]
pub struct Corrections {
    iod_ssr: Option<u8>,
    mask: Option<(u8, Vec<u16>)>,
    known: BTreeMap<Sat, Known>,
}

impl Corrections {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a message received at about `now` (to half a day).
    pub fn push(&mut self, message: &Message, now: GnssTime) {
        match message {
            Message::Mask { head, iodp, slots } => {
                self.begin(*head, now);
                self.mask = Some((*iodp, slots.clone()));
            }
            Message::Orbits(head, orbits) => self.orbits(*head, orbits, now),
            Message::Biases(head, all) => {
                let t = self.begin(*head, now);
                for biases in all {
                    if let Some(sat) = sat_of_slot(biases.slot) {
                        self.known.entry(sat).or_default().biases = Some((t, biases.biases.clone()));
                    }
                }
            }
            Message::Clocks { head, iodp, first, clocks } => {
                self.mask_clocks(*head, *iodp, *first, clocks, now);
            }
            Message::Accuracies { head, iodp, first, ura_m } => {
                let t = self.begin(*head, now);
                for (n, &ura_m) in ura_m.iter().enumerate() {
                    if let Some(sat) = self.masked(*iodp, first + n) {
                        self.known.entry(sat).or_default().ura_m = Some((t, ura_m));
                    }
                }
            }
            Message::ClocksOrbits { clocks, orbits } => {
                if let Some((head, orbits)) = orbits {
                    self.orbits(*head, orbits, now);
                }
                if let Some((head, iodp, first, clocks)) = clocks {
                    self.mask_clocks(*head, *iodp, *first, clocks, now);
                }
            }
            Message::SlotClocksOrbits { clocks, orbits } => {
                if let Some((head, orbits)) = orbits {
                    self.orbits(*head, orbits, now);
                }
                if let Some((head, clocks)) = clocks {
                    let t = self.begin(*head, now);
                    for &(slot, clock) in clocks {
                        if let Some(sat) = sat_of_slot(slot) {
                            self.clock(sat, t, clock);
                        }
                    }
                }
            }
            Message::Null => {}
        }
    }

    /// The correction of `sat` at `t`: an orbit and a clock of one issue, both valid.
    pub fn of(&self, sat: Sat, t: GnssTime) -> Option<SatCorrection> {
        let known = self.known.get(&sat)?;
        let valid = |at: GnssTime, span_s: f64| (-span_s..=span_s).contains(&(t - at));
        let (_, orbit) = known.orbit.filter(|&(at, _)| valid(at, ORBIT_VALID_S))?;
        let clock = known
            .clocks
            .iter()
            .rev()
            .find(|(at, clock)| valid(*at, CLOCK_VALID_S) && clock.iod_corr == orbit.iod_corr)?;
        let biases = known.biases.as_ref().filter(|(at, _)| valid(*at, BIAS_VALID_S));
        let ura = known.ura_m.filter(|&(at, _)| valid(at, ORBIT_VALID_S)).and_then(|(_, ura_m)| ura_m);
        Some(SatCorrection {
            sat,
            iodn: orbit.iodn,
            orbit_m: orbit.correction_m?,
            clock_m: clock.1.c0_m?,
            ura_m: ura.or(orbit.ura_m),
            biases: biases.map_or_else(Vec::new, |(_, biases)| biases.clone()),
        })
    }

    /// Satellites of which anything is known.
    pub fn sats(&self) -> impl Iterator<Item = Sat> + '_ {
        self.known.keys().copied()
    }

    /// Begins a new set if the issue is another, and gives the reference time of a message.
    fn begin(&mut self, head: Head, now: GnssTime) -> GnssTime {
        if self.iod_ssr != Some(head.iod_ssr) {
            *self = Self { iod_ssr: Some(head.iod_ssr), ..Self::default() };
        }
        // The day of the week that brings the epoch nearest to now.
        let (_, tow_s) = now.week_tow(TimeScale::Bdt);
        let ahead = (f64::from(head.epoch_s) - tow_s + 43_200.0).rem_euclid(86_400.0) - 43_200.0;
        now + ahead
    }

    /// The satellite at a place of the mask of issue `iodp`.
    fn masked(&self, iodp: u8, place: usize) -> Option<Sat> {
        let (issue, slots) = self.mask.as_ref()?;
        (*issue == iodp).then(|| slots.get(place).and_then(|&slot| sat_of_slot(slot)))?
    }

    fn orbits(&mut self, head: Head, orbits: &[Orbit], now: GnssTime) {
        let t = self.begin(head, now);
        for &orbit in orbits {
            if let Some(sat) = sat_of_slot(orbit.slot) {
                self.known.entry(sat).or_default().orbit = Some((t, orbit));
            }
        }
    }

    fn mask_clocks(&mut self, head: Head, iodp: u8, first: usize, clocks: &[Clock], now: GnssTime) {
        let t = self.begin(head, now);
        for (n, &clock) in clocks.iter().enumerate() {
            if let Some(sat) = self.masked(iodp, first + n) {
                self.clock(sat, t, clock);
            }
        }
    }

    fn clock(&mut self, sat: Sat, t: GnssTime, clock: Clock) {
        let clocks = &mut self.known.entry(sat).or_default().clocks;
        clocks.retain(|(_, old)| old.iod_corr != clock.iod_corr);
        if clocks.len() > 1 {
            clocks.remove(0);
        }
        clocks.push((t, clock));
    }
}
