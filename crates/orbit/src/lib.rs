//! Time scales, coordinates, ephemerides and atmosphere: where satellites are and what the path adds.
//!
//! * [`GnssTime`]: one instant, shown in any time scale.
//! * [`Ecef`], [`Geodetic`], [`Enu`], [`look_angles`]: coordinates.
//! * [`Ephemeris`], [`KeplerEphemeris`], [`GlonassEphemeris`], [`SatState`]: broadcast orbits and clocks.
//! * [`PreciseOrbits`], [`Antenna`], [`SignalBias`]: products of analysis centres.
//! * [`Iono`], [`Troposphere`]: the atmosphere.
//! * [`NavData`]: everything a set of navigation messages says, with the choice of an ephemeris.
//! * [`Observation`], [`ObservationEpoch`]: what a receiver measures.

mod almanac;
mod antenna;
mod atmosphere;
mod coords;
mod ephemeris;
mod glonass;
mod integrity;
mod kepler;
mod navdata;
mod observation;
mod precise;
mod time;
mod utc;

pub use almanac::Almanac;
pub use antenna::{Antenna, AntennaFrequency, SignalBias, Variations};
pub use atmosphere::{Bdgim, Iono, IonoAt, Klobuchar, Troposphere, troposphere_delay_m};
pub use coords::{Azel, Ecef, Enu, Geodetic, look_angles};
pub use ephemeris::{Ephemeris, GroupDelays, KeplerEphemeris, MessageDetails, SatState};
pub use glonass::GlonassEphemeris;
pub use integrity::{ClockAccuracy, EarthOrientation, Integrity, SignalFlags};
pub use navdata::{DatedIono, NavData};
pub use observation::{Observation, ObservationEpoch};
pub use precise::PreciseOrbits;
pub use time::{CivilTime, GnssTime, TimeScale};
pub use utc::{TimeOffset, UtcParams};
