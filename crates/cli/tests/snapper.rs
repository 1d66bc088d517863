//! Positions from 12 ms of one-bit samples: the snapshots of a walk whose track is known from RTK.
//!
//! The front end's intermediate frequency is the sampling rate, so that the spectrum is folded around the
//! carrier and the sign of each Doppler is unknown.

#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::path::PathBuf;

use base64::Engine;
use megrez_acquire::{Acquisition, SearchPlan, Searcher};
use megrez_dsp::format::{BitOrder, Code, Layout, SampleFormat, Unpacker};
use megrez_dsp::{Samples, StreamInfo};
use megrez_orbit::{CivilTime, Ecef, Geodetic, GnssTime, NavData, TimeScale};
use megrez_pvt::{CodePhase, SolverConfig, solve_snapshot};
use megrez_signal::{Sat, SignalId};
use serde_json::Value;

fn shared(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is absent", path.display());
    }
    bytes
}
