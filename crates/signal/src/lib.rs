//! What GNSS satellites transmit: constellations, satellites, signals and their codes.
//!
//! ```
//! use megrez_signal::{Sat, SignalId};
//!
//! let sat: Sat = "C26".parse()?;
//! let signal = SignalId::B1I.def();
//! let chips = signal.code(sat.prn).expect("B1I is defined for PRN 1 to 63");
//! assert_eq!(chips.len(), 2046);
//! assert_eq!(signal.carrier_hz, 1_561.098e6);
//! # Ok::<(), megrez_signal::ParseError>(())
//! ```
//!
//! * [`Sat`], [`Constellation`]: who transmits.
//! * [`Signal`], [`SignalId`], [`ALL`]: what is transmitted; one file a signal.
//! * [`ObsCode`]: how observation files name a signal.
//! * [`codes`]: the register and Weil generators the signal files are made of.
//!
//! Chips are logic levels, 0 or 1; logic 0 stands for +1 and logic 1 for -1 in a waveform.

mod b1c;
mod b1i;
mod b2a;
mod b2b;
mod b2i;
mod b3i;
pub mod codes;
mod l1ca;
mod obs_code;
mod sat;
mod sbas;
mod signal;

pub use obs_code::ObsCode;
pub use sat::{Constellation, ParseError, Sat};
pub use signal::{ALL, Modulation, NavMessage, SecondaryCode, Signal, SignalId};

/// Speed of light in vacuum in m/s.
pub const SPEED_OF_LIGHT: f64 = 299_792_458.0;
