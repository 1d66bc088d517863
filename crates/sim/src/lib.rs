//! Simulated GNSS recordings with their truth.
//!
//! ```
//! use megrez_sim::{Scene, Simulation};
//!
//! let scene = Scene::from_toml(
//!     r#"
//!     start = "2026-03-01T06:00:00 UTC"
//!     duration_s = 0.05
//!     signals = ["B1I"]
//!     [receiver]
//!     motion = "static"
//!     lat_deg = 30.53
//!     lon_deg = 114.36
//!     height_m = 50
//!     "#,
//! )?;
//! let sim = Simulation::new(scene)?;
//! let mut samples = Vec::new();
//! sim.write(&mut samples, |_| ())?;
//! assert_eq!(samples.len(), 2 * 200_000);
//! let strongest = &sim.truth(0.0).signals[0];
//! println!("{} {:.1} Hz", strongest.sat, strongest.doppler_hz);
//! # Ok::<(), megrez_sim::SimError>(())
//! ```
//!
//! * [`Scene`]: what is simulated; read from TOML.
//! * [`Motion`]: where the receiver is; [`read_track`] reads CSV, NMEA and GPX.
//! * [`Simulation`]: a scene made ready, its samples ([`Simulation::write`], [`Simulation::blocks`]), their
//!   SigMF metadata and their truth ([`Simulation::truth`], [`Simulation::write_truth`]). A scene of several streams
//!   makes one for each ([`Simulation::streams`]).
//!
//! Delays come from the light time in a rotating frame, satellite and receiver clocks, group delays and the
//! atmosphere, three times a block of 10 ms, and run as parabolas in between. Carrier and code follow the
//! same delays. Each block is made from the scene alone, by operations that every instruction set rounds
//! alike: the bytes depend neither on the number of threads nor on `MEGREZ_SIMD`.

mod constellation;
mod emission;
mod error;
mod filter;
mod motion;
mod path;
mod scene;
mod sigmf;
mod simulation;
mod synth;
mod truth;

pub use error::SimError;
pub use motion::{Motion, Spline, read_track, read_truth_track};
pub use scene::{
    Atmosphere, Clock, Cn0, Echo, FrontEnd, InstantError, Receiver, Satellites, Scene, Tone, TruthConfig,
    parse_instant,
};
pub use simulation::{Blocks, PackedBlocks, Simulation};
pub use truth::{TruthEpoch, TruthSignal};
