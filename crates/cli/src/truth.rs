//! The true position, to state errors against.

use std::path::Path;
use std::str::FromStr;

use megrez::orbit::Enu;
use megrez::prelude::*;

/// A fixed position, or the track of a simulation.
#[derive(Clone)]
pub enum Truth {
    Fixed(Geodetic),
    /// Positions in order of time.
    Track(Vec<(GnssTime, Ecef)>),
}

impl FromStr for Truth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if Path::new(text).is_file() {
            return megrez_sim::read_truth_track(Path::new(text)).map(Self::Track).map_err(|e| e.to_string());
        }
        crate::args::position(text).map(Self::Fixed).map_err(|e| format!("no such file, and {e}"))
    }
}

impl Truth {
    /// True position at a time; none outside the track.
    pub fn at(&self, time: GnssTime) -> Option<Geodetic> {
        match self {
            Self::Fixed(at) => Some(*at),
            Self::Track(track) => {
                let after = track.partition_point(|(t, _)| *t < time);
                let (t1, p1) = *track.get(after)?;
                let (t0, p0) = *track.get(after.saturating_sub(1))?;
                if t1 - t0 > 1.5 || (after == 0 && t1 - time > 1e-3) {
                    return None;
                }
                let share = if t1 > t0 { (time - t0) / (t1 - t0) } else { 0.0 };
                Some((p0 + (p1 - p0) * share).to_geodetic())
            }
        }
    }
}

/// Error of a position in the local frame of the truth.
pub fn error_enu(position: Ecef, truth: Geodetic) -> Enu {
    (position - truth.to_ecef()).to_enu(truth)
}
