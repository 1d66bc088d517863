//! Navigation data to symbols.
//!
//! Frames are complete: ephemeris, ionosphere and time, and in the other subframes the pages of the almanac
//! cycle that their time of week calls for. Values are rounded to the steps of the interface documents.

mod almanac;
mod bds;
mod cnav;
mod gps;
mod null;

use megrez_orbit::{Ephemeris, GnssTime, KeplerEphemeris, NavData, TimeScale, UtcParams};
use megrez_signal::{Constellation, NavMessage, Sat};

use crate::subframe_duration_s;

/// Why a subframe cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A value does not fit its field.
    #[error("{value} does not fit the field {field}")]
    Range {
        /// Field, named as in the interface document.
        field: &'static str,
        /// The value, in the unit of the field.
        value: f64,
    },
    /// There is no ephemeris to send.
    #[error("no {message:?} ephemeris of {sat} to encode")]
    NoEphemeris {
        /// Satellite.
        sat: Sat,
        /// Message.
        message: NavMessage,
    },
    /// No subframe starts at that time.
    #[error("no {message:?} subframe starts at {tow_s} s of week")]
    Start {
        /// Message.
        message: NavMessage,
        /// Seconds of week asked for.
        tow_s: f64,
    },
    /// That message cannot be encoded, or not for that satellite.
    #[error("{sat} sends no {message:?} that can be encoded")]
    Message {
        /// Satellite.
        sat: Sat,
        /// Message.
        message: NavMessage,
    },
}

/// Symbols (0 or 1) of the subframe, frame or message (see [`subframe_duration_s`]) of `message` that `sat` sends
/// from `start` on, before any secondary code: 300 for D1, D2 and LNAV, 1800 for B-CNAV1, 600 for B-CNAV2, 1000
/// for B-CNAV3 and PPP-B2b, 500 for SBAS. Of PPP-B2b and SBAS these are null messages.
///
/// The ephemeris is the one [`NavData::ephemeris`] gives for the start of the frame (30 s; the ten pages of D2
/// likewise; 48 s for B-CNAV2), or else that of the right message with the nearest `toe`. The messages of B-CNAV
/// may take that of one another. Where `nav` has no almanac of a satellite,
/// it is derived from its ephemeris; where it has no relation to UTC, the published leap seconds are sent.
pub fn encode_subframe(
    message: NavMessage,
    sat: Sat,
    nav: &NavData,
    start: GnssTime,
) -> Result<Vec<u8>, EncodeError> {
    let scale = match (message, sat.constellation) {
        (
            NavMessage::D1
            | NavMessage::D2
            | NavMessage::Cnav1
            | NavMessage::Cnav2
            | NavMessage::Cnav3
            | NavMessage::PppB2b,
            Constellation::Bds,
        ) => TimeScale::Bdt,
        (NavMessage::Sbas | NavMessage::SbasDfmc, Constellation::Sbas | Constellation::Bds) => {
            TimeScale::Gpst
        }
        (NavMessage::Lnav, Constellation::Gps) => TimeScale::Gpst,
        _ => return Err(EncodeError::Message { sat, message }),
    };
    let (_, tow_s) = start.week_tow(scale);
    // Whole numbers of subframes, so that rounding in `start` does no harm.
    let count = (tow_s / subframe_duration_s(message)).round();
    if (tow_s - count * subframe_duration_s(message)).abs() > 1e-6 {
        return Err(EncodeError::Start { message, tow_s });
    }
    // At the end of the week the rounding may lead into the next one.
    let start = start + (count * subframe_duration_s(message) - tow_s);
    let slot = Slot { scale, start, count: count as u64 };
    if matches!(message, NavMessage::PppB2b | NavMessage::Sbas | NavMessage::SbasDfmc) {
        return null::symbols(message, sat, &slot);
    }
    // Subframes that hold one ephemeris together; those of B-CNAV3 have no issue and change on the half minute.
    let per_frame = match message {
        NavMessage::D2 => 50.0,
        NavMessage::Cnav1 => 1.0,
        NavMessage::Cnav2 => 16.0,
        NavMessage::Cnav3 => 30.0,
        _ => 5.0,
    };
    let frame_start = start - (count % per_frame) * subframe_duration_s(message);
    let eph = ephemeris(message, sat, nav, frame_start).ok_or(EncodeError::NoEphemeris { sat, message })?;
    let words = match message {
        NavMessage::Cnav1 | NavMessage::Cnav2 | NavMessage::Cnav3 => {
            return cnav::symbols(message, &slot, nav, eph);
        }
        NavMessage::D1 => bds::d1(&slot, nav, eph)?,
        NavMessage::D2 => bds::d2(&slot, nav, eph)?,
        _ => gps::lnav(&slot, nav, eph)?,
    };
    Ok(words.iter().flat_map(|word| (0..30).rev().map(move |bit| (word >> bit & 1) as u8)).collect())
}

/// A subframe to be made.
struct Slot {
    scale: TimeScale,
    start: GnssTime,
    /// Subframes since the start of the week.
    count: u64,
}

impl Slot {
    fn week(&self) -> i64 {
        self.start.week_tow(self.scale).0
    }
}

/// The ephemeris to send in the frame that starts at `t`.
fn ephemeris(message: NavMessage, sat: Sat, nav: &NavData, t: GnssTime) -> Option<&KeplerEphemeris> {
    let cnav = |m: NavMessage| matches!(m, NavMessage::Cnav1 | NavMessage::Cnav2 | NavMessage::Cnav3);
    let nearest = |wanted: &dyn Fn(NavMessage) -> bool| {
        let fit = nav.ephemerides_of(sat).iter().filter(|e| wanted(e.message()));
        fit.min_by(|a, b| (a.toe() - t).abs().total_cmp(&(b.toe() - t).abs()))
    };
    nav.ephemeris(sat, t)
        .filter(|e| e.message() == message)
        .or_else(|| nearest(&|m| m == message))
        .or_else(|| nearest(&|m| cnav(m) && cnav(message)))
        .and_then(Ephemeris::kepler)
}

/// The relation to UTC to send.
fn utc(known: Option<UtcParams>, slot: &Slot) -> UtcParams {
    known.unwrap_or_else(|| {
        let (scale, t) = (slot.scale, slot.start);
        let bdt = scale == TimeScale::Bdt;
        let leap_s = t.leap_seconds() - if bdt { 14 } else { 0 };
        let week = slot.week();
        // The latest leap second was at the end of 2016-12-31, a Saturday.
        let wn_lsf = if bdt { 573 } else { 1929 };
        let dn = if bdt { 6 } else { 7 };
        let tot = GnssTime::from_week_tow(scale, week, 0.0);
        UtcParams { scale, a0: 0.0, a1: 0.0, a2: 0.0, tot, leap_s, wn_lsf, dn, leap_future_s: leap_s }
    })
}
