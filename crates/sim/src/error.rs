use std::path::PathBuf;

use megrez_signal::{Sat, SignalId};

/// Why a scene cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The scene text is wrong.
    #[error("scene{}: {message}", at_line(*.line))]
    Scene {
        /// Line of the scene file, from 1, if known.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// A value of the scene makes no sense.
    #[error("scene: {key}: {message}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A trajectory or truth file is malformed.
    #[error("{}{}: {message}", name, at_line(*.line))]
    Track {
        /// The file.
        name: String,
        /// Line, from 1, if known.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// The navigation file cannot be read.
    #[error("navigation file: {0}")]
    Navigation(#[from] megrez_rinex::RinexError),
    /// No satellite that the scene asks for is in view.
    #[error("no satellite is in view: {0}")]
    NoSatellites(String),
    /// A message cannot be made from the navigation data.
    #[error("message of {sat} on {signal}: {source}")]
    Message {
        /// Satellite.
        sat: Sat,
        /// Signal.
        signal: SignalId,
        /// Why.
        source: megrez_nav::EncodeError,
    },
    /// Samples cannot be written.
    #[error("writing samples: {0}")]
    Write(#[from] std::io::Error),
}

fn at_line(line: Option<usize>) -> String {
    line.map(|n| format!(", line {n}")).unwrap_or_default()
}

impl SimError {
    pub(crate) fn value(key: &'static str, message: impl Into<String>) -> Self {
        Self::Value { key, message: message.into() }
    }
}
