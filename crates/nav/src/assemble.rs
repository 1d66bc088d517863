//! Subframes, in any order, to what they say together.

mod cnav;

use std::collections::BTreeMap;

use megrez_orbit::{
    Almanac, EarthOrientation, Ephemeris, GnssTime, Integrity, Iono, KeplerEphemeris, NavData, TimeOffset,
    TimeScale, UtcParams,
};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::d1d2_fields as bds;
use crate::d2_pages::{self, D2Page};
use crate::subframe::WEEK_S;
use crate::{Subframe, d1d2, lnav, lnav_fields, ppp_b2b};
use cnav::Cnav;

/// First GPS week of the era that ten-bit week numbers are taken from when no time is known: 2019-04-07 to
/// 2038-11-20.
const GPS_ERA: i64 = 2048;
/// Pages kept until the week is known.
const MAX_WAITING: usize = 50;
/// Longest time in s over which pieces of one BDS ephemeris are put together.
const BDS_SPAN_S: f64 = 60.0;
/// BDS ephemerides change on the hour; simulators may do so on the half hour.
const BDS_UPDATE_S: f64 = 1800.0;

/// Bits of a BDS health word that concern B1I: satellite clock, B1I, navigation message
/// (BDS-SIS-ICD-B1I-3.0 section 5.2.4.16). BDS-3 satellites set others for signals that they do not send.
const BDS_HEALTH: u16 = 0b1_1000_0010;
/// BDS almanacs refer to a time two or three days before they are sent; in s.
const BDS_ALMANAC_AGE_S: f64 = 200_000.0;

/// Seconds by which a midi almanac must be newer than another one to be worth its coarse steps.
const MIDI_NEWER_S: f64 = 86_400.0;

/// Something a message says.
// Events are rare and short-lived: a box would cost more than it saves.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NavEvent {
    /// A complete ephemeris.
    Ephemeris(Ephemeris),
    /// Ionosphere coefficients and when they were sent.
    Iono(GnssTime, Iono),
    /// The system's time to UTC.
    Utc(UtcParams),
    /// An almanac of one satellite. Those of D1 and D2 come without health.
    Almanac(Almanac),
    /// A midi almanac of B-CNAV, whose steps are coarser than those of D1: good to ten kilometres or so.
    MidiAlmanac(Almanac),
    /// A reduced almanac of B-CNAV: a circular orbit to some hundred kilometres.
    ReducedAlmanac(Almanac),
    /// What a satellite says of its own health, integrity and accuracy, as far as known by now (B-CNAV).
    Integrity(Sat, Integrity),
    /// Orientation of the earth (B-CNAV).
    EarthOrientation(EarthOrientation),
    /// Offset between two systems' time.
    TimeOffset(TimeOffset),
    /// Health words of satellites, as sent: 0 is healthy. GPS six bits, BDS nine.
    Health(Vec<(Sat, u16)>),
    /// The full week number of `scale` at the start of a subframe, told once and when it changes.
    Week {
        /// Time scale of the week number.
        scale: TimeScale,
        /// Week number without rollover.
        week: i64,
    },
    /// GPS special message (subframe 4 page 17).
    Text(String),
    /// Integrity, differential corrections or ionospheric grid of D2, for [`d2_pages::D2Corrections`].
    D2Page(D2Page),
    /// PPP-B2b corrections, for [`ppp_b2b::Corrections`].
    PppB2b(ppp_b2b::Message),
}

impl NavEvent {
    /// Adds this to `nav`. Week, text, PPP-B2b, pages of D2 and
    /// health of satellites without almanac have no place there.
    pub fn store(&self, nav: &mut NavData) {
        match self {
            Self::Ephemeris(ephemeris) => {
                nav.insert(ephemeris.clone());
            }
            Self::Iono(time, iono) => nav.insert_iono(*time, *iono),
            Self::Utc(utc) if utc.scale == TimeScale::Bdt => nav.bds_utc = Some(*utc),
            Self::Utc(utc) => nav.gps_utc = Some(*utc),
            Self::Almanac(almanac) => {
                let health = almanac.health.or(nav.almanacs.get(&almanac.sat).and_then(|old| old.health));
                nav.almanacs.insert(almanac.sat, Almanac { health, ..almanac.clone() });
            }
            Self::MidiAlmanac(almanac) => {
                let old = nav.almanacs.get(&almanac.sat);
                if old.is_none_or(|old| almanac.toa - old.toa > MIDI_NEWER_S) {
                    nav.almanacs.insert(almanac.sat, almanac.clone());
                }
            }
            Self::ReducedAlmanac(almanac) => {
                nav.almanacs.entry(almanac.sat).or_insert_with(|| almanac.clone());
            }
            Self::Integrity(sat, integrity) => {
                let old = nav.integrity.get(sat).copied().unwrap_or_default();
                nav.integrity.insert(*sat, old.updated(*integrity));
            }
            Self::EarthOrientation(earth) => nav.earth_orientation = Some(*earth),
            Self::TimeOffset(offset) => {
                nav.offsets.retain(|old| (old.from, old.to) != (offset.from, offset.to));
                nav.offsets.push(*offset);
            }
            Self::Health(list) => {
                for (sat, health) in list {
                    let bds = sat.constellation == Constellation::Bds;
                    if let Some(almanac) = nav.almanacs.get_mut(sat) {
                        almanac.health = Some(if bds { health & BDS_HEALTH } else { *health });
                    }
                }
            }
            Self::Week { .. } | Self::Text(_) | Self::PppB2b(_) | Self::D2Page(_) => {}
        }
    }
}

/// A piece of an ephemeris: a subframe, or a page of D2.
#[derive(Debug, Clone, Copy)]
struct Piece {
    words: [u32; 10],
    tow_s: f64,
}

/// Puts the subframes of one satellite together.
///
/// **Which pieces belong together.** LNAV: equal issues (IODE of subframes 2 and 3, low bits of IODC). D1 and D2
/// have an issue in one piece only, so: pieces of one frame (D1) or one cycle of ten pages (D2), or pieces of at
/// most a minute whose reference times of orbit and clock agree and between which no update (on the hour) falls.
/// The result must be an orbit at all ([`KeplerEphemeris::plausible`]).
///
/// **Weeks.** The 13 bits of BDS are taken as they are, or nearest to `near`; the ten bits of GPS nearest to
/// `near`, or else from 2019-04-07 to 2038-11-20. Reference times are those nearest to the transmission.
#[derive(Debug, Clone)]
pub struct Assembler {
    sat: Sat,
    message: NavMessage,
    /// By subframe number (D1, LNAV) or page number (D2).
    pieces: BTreeMap<u8, Piece>,
    /// Latest instant known with its week, from the message.
    known: Option<GnssTime>,
    near: Option<GnssTime>,
    complete: bool,
    /// What has been said already.
    ephemeris: Option<KeplerEphemeris>,
    iono: Option<Iono>,
    utc: Option<UtcParams>,
    week: Option<i64>,
    /// Almanac pages, all ten words.
    almanacs: BTreeMap<Sat, Vec<u32>>,
    /// Reference time of the almanacs with its week.
    almanac_reference: Option<GnssTime>,
    expanded: bool,
    waiting: Vec<Subframe>,
    cnav: Cnav,
    /// Time of week and page of the latest subframe 2 of D2.
    d2_integrity: Option<(f64, u8)>,
}

impl Assembler {
    /// An assembler for the subframes of one message of one satellite.
    pub fn new(sat: Sat, message: NavMessage) -> Self {
        Self {
            sat,
            message,
            pieces: BTreeMap::new(),
            known: None,
            near: None,
            complete: false,
            ephemeris: None,
            iono: None,
            utc: None,
            week: None,
            almanacs: BTreeMap::new(),
            almanac_reference: None,
            expanded: false,
            waiting: Vec::new(),
            cnav: Cnav::default(),
            d2_integrity: None,
        }
    }

    /// Takes a subframe and returns what is new. Subframes with bad words, of another satellite or message are
    /// passed over. `near` is a time known to within half an era (2048 weeks for BDS, 512 for GPS), if any is.
    pub fn push(&mut self, subframe: &Subframe, near: Option<GnssTime>) -> Vec<NavEvent> {
        let mut events = Vec::new();
        if subframe.sat != self.sat || subframe.message != self.message || !subframe.usable() {
            return events;
        }
        self.near = near.or(self.near);
        // These have neither ephemeris nor time; SBAS messages are given out as they are.
        if self.without_ephemeris() {
            events.extend(ppp_b2b::Message::read(subframe).map(NavEvent::PppB2b));
            return events;
        }
        if let Some(week) = crate::cnav::week(subframe)
            && let Some(tow_s) = subframe.tow_s
        {
            let week = self.near.or(self.known).map_or(week, |t| t.resolve_week(TimeScale::Bdt, week, 8192));
            self.know(TimeScale::Bdt, week, tow_s, &mut events);
        }
        if self.message == NavMessage::D2 {
            events.extend(self.d2_page(subframe).map(NavEvent::D2Page));
        }
        let piece = |words: &[u32; 10], tow_s| Piece { words: *words, tow_s };
        let piece =
            subframe.words.first_chunk().zip(subframe.tow_s).map(|(words, tow_s)| piece(words, tow_s));
        let first = match (self.message, subframe.id, subframe.page, piece) {
            (NavMessage::D1 | NavMessage::Lnav, id @ 1..=3, _, Some(piece))
            | (NavMessage::D2, 1, Some(id @ 1..=10), Some(piece)) => {
                self.pieces.insert(id, piece);
                id == 1
            }
            _ => {
                match self.time(subframe) {
                    Some(time) => self.page(subframe, time, &mut events),
                    None if self.waiting.len() < MAX_WAITING => self.waiting.push(subframe.clone()),
                    None => {}
                }
                return events;
            }
        };
        if first && let Some(tow_s) = subframe.tow_s {
            self.learn_week(subframe, tow_s, &mut events);
        }
        self.assemble(&mut events);
        events
    }

    /// Full week number, in the message's own scale, of the latest instant known from the message.
    pub fn week(&self) -> Option<i64> {
        self.known.map(|time| time.week_tow(self.scale()).0)
    }

    /// The instant of the first symbol of `subframe`, once a week number has been received or a time near to it
    /// given.
    pub fn time(&self, subframe: &Subframe) -> Option<GnssTime> {
        let reference = self.known.or(self.near)?;
        Some(reference.nearest_tow(self.scale(), subframe.tow_s?))
    }

    /// What is missing for an ephemeris, for people: "subframes 2 and 3", "pages 4, 5 and 9", or "subframes 1 to
    /// 3 of one issue" when those at hand do not belong together. Empty when there is an ephemeris.
    pub fn progress(&self) -> String {
        if matches!(self.message, NavMessage::Cnav1 | NavMessage::Cnav2 | NavMessage::Cnav3) {
            return self.cnav.progress(self.message);
        }
        if self.without_ephemeris() {
            return "a message with ephemerides".to_string();
        }
        if self.complete {
            return String::new();
        }
        let (name, count) = match self.message {
            NavMessage::D2 => ("page", 10),
            _ => ("subframe", 3),
        };
        let missing: Vec<String> =
            (1..=count).filter(|id| !self.pieces.contains_key(id)).map(|id: u8| id.to_string()).collect();
        match missing.as_slice() {
            [] => format!("{name}s 1 to {count} of one issue"),
            [one] => format!("{name} {one}"),
            [init @ .., last] => format!("{name}s {} and {last}", init.join(", ")),
        }
    }

    /// Whether the message has no ephemerides.
    fn without_ephemeris(&self) -> bool {
        matches!(self.message, NavMessage::PppB2b | NavMessage::Sbas | NavMessage::SbasDfmc)
    }

    fn scale(&self) -> TimeScale {
        match self.sat.constellation {
            Constellation::Bds => TimeScale::Bdt,
            _ => TimeScale::Gpst,
        }
    }

    /// Reads the week number of subframe 1 (page 1), and the ionosphere of D1.
    fn learn_week(&mut self, subframe: &Subframe, tow_s: f64, events: &mut Vec<NavEvent>) {
        let scale = self.scale();
        let near = self.near.or(self.known);
        let words = &subframe.words;
        let week = match self.message {
            NavMessage::Lnav => {
                let week = lnav_fields::WEEK.raw(words);
                near.map_or(GPS_ERA + week, |near| near.resolve_week(scale, week, 1024))
            }
            _ => {
                let clock = if self.message == NavMessage::D1 { &bds::D1_CLOCK } else { &bds::D2_CLOCK };
                let week = clock.week.raw(words);
                near.map_or(week, |near| near.resolve_week(scale, week, 8192))
            }
        };
        let time = self.know(scale, week, tow_s, events);
        if self.message == NavMessage::D1 {
            self.say_iono(time, d1d2::iono(&bds::D1_CLOCK, words), events);
        }
    }

    /// Notes the instant of a subframe, and reads the pages that waited for it.
    fn know(&mut self, scale: TimeScale, week: i64, tow_s: f64, events: &mut Vec<NavEvent>) -> GnssTime {
        let time = GnssTime::from_week_tow(scale, week, tow_s);
        self.known = Some(time);
        if self.week != Some(week) {
            self.week = Some(week);
            events.push(NavEvent::Week { scale, week });
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if let Some(time) = self.time(&waiting) {
                self.page(&waiting, time, events);
            }
        }
        time
    }

    fn say_iono(&mut self, time: GnssTime, iono: Iono, events: &mut Vec<NavEvent>) {
        if self.iono != Some(iono) {
            self.iono = Some(iono);
            events.push(NavEvent::Iono(time, iono));
        }
    }

    fn say_utc(&mut self, utc: UtcParams, events: &mut Vec<NavEvent>) {
        // The reference of D1 and D2 moves with the week and says nothing new.
        let same = |old: UtcParams| old == UtcParams { tot: old.tot, ..utc };
        if !self.utc.is_some_and(same) {
            self.utc = Some(utc);
            events.push(NavEvent::Utc(utc));
        }
    }

    /// Puts an ephemeris together if the pieces at hand allow.
    fn assemble(&mut self, events: &mut Vec<NavEvent>) {
        let count = if self.message == NavMessage::D2 { 10 } else { 3 };
        let Some(pieces) =
            (1..=count).map(|id| self.pieces.get(&id).copied()).collect::<Option<Vec<Piece>>>()
        else {
            return;
        };
        let Some(week) = self.known else { return };
        let Some(first) = pieces.first() else { return };
        let words: Vec<u32> = pieces.iter().flat_map(|piece| piece.words).collect();
        let coherent = match self.message {
            NavMessage::Lnav => lnav::same_issue(&words),
            message => same_set(message, &pieces, &words),
        };
        if !coherent {
            return;
        }
        let transmit = week.nearest_tow(self.scale(), first.tow_s);
        let ephemeris = match self.message {
            NavMessage::Lnav => lnav::ephemeris(self.sat, transmit, &words),
            message => d1d2::ephemeris(self.sat, message, transmit, &words),
        };
        if !ephemeris.plausible() {
            return;
        }
        self.complete = true;
        if self.message == NavMessage::D2 {
            self.say_iono(transmit, d1d2::iono(&bds::D2_CLOCK, &words), events);
        }
        let repeated = self
            .ephemeris
            .as_ref()
            .is_some_and(|old| ephemeris == KeplerEphemeris { transmit: ephemeris.transmit, ..old.clone() });
        if !repeated {
            self.ephemeris = Some(ephemeris.clone());
            events.push(NavEvent::Ephemeris(Ephemeris::Kepler(ephemeris)));
        }
    }

    /// Integrity, corrections or grid in a subframe of D2.
    fn d2_page(&mut self, subframe: &Subframe) -> Option<D2Page> {
        let tow_s = subframe.tow_s?;
        let page = match subframe.id {
            2 => {
                let page = d2_pages::PNUM2.raw(&subframe.words) as u8;
                self.d2_integrity = Some((tow_s, page));
                page
            }
            // Subframes 3 and 4 follow subframe 2 of the same frame and have no page number.
            3 | 4 => self
                .d2_integrity
                .filter(|(at, _)| (0.0..1.5).contains(&(tow_s - at)))
                .map(|(_, page)| page)?,
            _ => subframe.page?,
        };
        D2Page::read(subframe.id, page, &subframe.words)
    }

    /// A page of subframe 4 or 5.
    fn page(&mut self, subframe: &Subframe, time: GnssTime, events: &mut Vec<NavEvent>) {
        if self.message == NavMessage::Lnav {
            self.lnav_page(subframe, time, events);
        } else if matches!(self.message, NavMessage::Cnav1 | NavMessage::Cnav2 | NavMessage::Cnav3) {
            self.cnav.push(subframe, time, events);
        } else if let Some((id, page)) =
            subframe.page.and_then(|page| d1d2::d1_page(self.message, subframe.id, page))
        {
            self.bds_page(id, page, &subframe.words, time, events);
        }
    }

    fn lnav_page(&mut self, subframe: &Subframe, time: GnssTime, events: &mut Vec<NavEvent>) {
        let words = &subframe.words;
        let sv_id = lnav_fields::SV_ID.raw(words) as u8;
        match (subframe.id, sv_id) {
            (4 | 5, 1..=32) => {
                let sat = Sat::gps(sv_id);
                self.say_almanac(sat, words, time, events);
            }
            (4, lnav::SV_ID_SPECIAL) => {
                let text: String = lnav::text_bits()
                    .map(|bit| char::from(lnav::small(words, bit, 8) as u8))
                    .filter(|c| c.is_ascii_graphic() || *c == ' ')
                    .collect();
                events.push(NavEvent::Text(text.trim().to_string()));
            }
            (4, lnav::SV_ID_IONO_UTC) => {
                self.say_iono(time, lnav::iono(words), events);
                self.say_utc(lnav::utc(time, words), events);
            }
            (5, lnav::SV_ID_HEALTH_1_TO_24) | (4, lnav::SV_ID_HEALTH_25_TO_32) => {
                if subframe.id == 5 {
                    let wna = lnav_fields::PAGE_25_WNA.raw(words);
                    self.learn_almanac_week(wna, lnav_fields::PAGE_25_TOA.get(words), time, events);
                }
                let list = lnav::health_slots(sv_id)
                    .into_iter()
                    .map(|(sat, bit)| (sat, lnav::small(words, bit, 6) as u16))
                    .collect();
                events.push(NavEvent::Health(list));
            }
            _ => {}
        }
    }

    /// A page of D1 subframe 4 or 5, in D1 numbers.
    fn bds_page(&mut self, id: u8, page: u8, words: &[u32], time: GnssTime, events: &mut Vec<NavEvent>) {
        match (id, page) {
            (4, 1..=24) | (5, 1..=6 | 11..=23) => {
                let am_id = bds::AM_EP_ID.raw(words);
                if page < 7 || id == 4 {
                    self.expanded = am_id == 3;
                } else if !self.expanded {
                    return;
                }
                if let Some(sat) = d1d2::almanac_sat(id, page, am_id) {
                    self.say_almanac(sat, words, time, events);
                }
            }
            (5, 7 | 8 | 24) => {
                if page == 8 {
                    let wna = bds::HEALTH_WNA.raw(words);
                    self.learn_almanac_week(wna, bds::HEALTH_TOA.get(words), time, events);
                }
                if page == 24 && !self.expanded {
                    return;
                }
                if let Some((first, count)) = d1d2::health_sats(page, bds::HEALTH_AM_ID.raw(words)) {
                    let fields = bds::HEALTH.iter().take(count).zip(first..);
                    let list = fields.map(|(field, prn)| (Sat::bds(prn), field.raw(words) as u16)).collect();
                    events.push(NavEvent::Health(list));
                }
            }
            (5, 9) => events.extend(d1d2::time_offsets(time, words).into_iter().map(NavEvent::TimeOffset)),
            (5, 10) => self.say_utc(d1d2::utc(time, words), events),
            _ => {}
        }
    }

    /// Says an almanac unless its page is the one heard before.
    fn say_almanac(&mut self, sat: Sat, words: &[u32], time: GnssTime, events: &mut Vec<NavEvent>) {
        let Some(almanac) = self.read_almanac(sat, words, time) else { return };
        // The first two words hold the time.
        let content = |words: &[u32]| words.get(2..).unwrap_or(&[]).to_vec();
        let old = self.almanacs.insert(sat, words.to_vec());
        if old.map(|old| content(&old)) != Some(content(words)) {
            events.push(NavEvent::Almanac(almanac));
        }
    }

    fn read_almanac(&self, sat: Sat, words: &[u32], time: GnssTime) -> Option<Almanac> {
        if self.message == NavMessage::Lnav {
            lnav::almanac(sat, self.almanac_reference.unwrap_or(time), words)
        } else {
            d1d2::almanac(sat, self.almanac_reference.unwrap_or(time - BDS_ALMANAC_AGE_S), words)
        }
    }

    /// Takes the reference time of the almanacs, and corrects almanacs said before it was known.
    fn learn_almanac_week(&mut self, wna: i64, toa: f64, time: GnssTime, events: &mut Vec<NavEvent>) {
        let scale = self.scale();
        let reference = GnssTime::from_week_tow(scale, time.resolve_week(scale, wna, 256), toa);
        if self.almanac_reference == Some(reference) {
            return;
        }
        let before = self.clone();
        self.almanac_reference = Some(reference);
        for (&sat, words) in &self.almanacs {
            let almanac = self.read_almanac(sat, words, time);
            if almanac != before.read_almanac(sat, words, time) {
                events.extend(almanac.map(NavEvent::Almanac));
            }
        }
    }
}

/// Whether pieces of D1 or D2 are of one set; see [`Assembler`].
fn same_set(message: NavMessage, pieces: &[Piece], words: &[u32]) -> bool {
    let Some(first) = pieces.first() else { return false };
    // Times relative to the first piece, across the end of the week.
    let offsets =
        || pieces.iter().map(|p| (p.tow_s - first.tow_s + WEEK_S / 2.0).rem_euclid(WEEK_S) - WEEK_S / 2.0);
    let frame = |piece: &Piece| (piece.tow_s / 30.0).floor();
    if pieces.iter().all(|piece| frame(piece) == frame(first)) {
        return true;
    }
    let (low, high) = offsets().fold((0.0f64, 0.0f64), |(low, high), t| (low.min(t), high.max(t)));
    let update = |t: f64| ((first.tow_s + t) / BDS_UPDATE_S).floor();
    high - low <= BDS_SPAN_S && update(low) == update(high) && d1d2::same_reference(message, words)
}
