use std::fmt;
use std::io;
use std::path::PathBuf;

use megrez_dsp::format::LayoutError;

/// Why a source cannot be opened or read further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file is not there.
    #[error("{}: no such file", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// A directory was given.
    #[error("{}: is a directory, a file of samples is needed", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A file cannot be opened.
    #[error("{}: cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No sample at all.
    #[error("{name}: no samples: {reason}")]
    Empty {
        /// The input.
        name: String,
        /// Why, for example that the file is empty.
        reason: String,
    },
    /// Reading failed part-way.
    #[error("{name}: reading failed at byte offset {offset}: {source}")]
    Read {
        /// The input.
        name: String,
        /// Bytes read before.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The sample format is unknown.
    #[error(
        "{name}: sample format unknown: give --format (such as cu8 for an RTL-SDR, cs8 for a HackRF), \
         a --config file, or SigMF metadata"
    )]
    MissingFormat {
        /// The input.
        name: String,
    },
    /// The sample rate is unknown.
    #[error("{name}: sample rate unknown: give --rate (such as 4M), a --config file, or SigMF metadata")]
    MissingRate {
        /// The input.
        name: String,
    },
    /// The centre frequency is unknown.
    #[error(
        "{name}: centre frequency unknown: give --center (such as 1575.42M), a --config file, or SigMF metadata"
    )]
    MissingCenter {
        /// The input.
        name: String,
    },
    /// A number that makes no sense.
    #[error("{name}: {what} of {value} is out of range ({allowed})")]
    OutOfRange {
        /// The input or description.
        name: String,
        /// Which value.
        what: &'static str,
        /// Its value as given.
        value: String,
        /// What would do.
        allowed: &'static str,
    },
    /// A key that a front-end description does not have.
    #[error("{name}:{line}: unknown key \"{key}\"{}", suggestion(hint.as_deref()))]
    UnknownKey {
        /// The description.
        name: String,
        /// Line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The nearest known key.
        hint: Option<String>,
    },
    /// A front-end description that cannot be understood.
    #[error("{name}: {message}")]
    Config {
        /// The description.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// SigMF metadata that cannot be understood.
    #[error("{name}: {message}")]
    Sigmf {
        /// The metadata file.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A packing that cannot be.
    #[error("{name}: {source}")]
    Layout {
        /// The input or description.
        name: String,
        /// What is wrong.
        source: LayoutError,
    },
    /// Streams that cannot be received together.
    #[error("{name}: {message}")]
    Streams {
        /// The input or description.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// An rtl_tcp server that cannot be used.
    #[error("{name}: {message}")]
    Server {
        /// The server.
        name: String,
        /// What is wrong.
        message: String,
    },
}

fn suggestion(hint: Option<&str>) -> String {
    hint.map(|known| format!(", did you mean \"{known}\"?")).unwrap_or_default()
}

/// Something a person should know although samples keep coming.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The last bytes are not a whole sample.
    Truncated {
        /// The input.
        name: String,
        /// Offset of the first byte ignored.
        offset: u64,
        /// Bytes ignored.
        bytes: u64,
        /// Bits of one sample of all channels.
        frame_bits: usize,
    },
    /// Two descriptions of the same input disagree; the first one named is used.
    Disagreement {
        /// The input.
        name: String,
        /// What they disagree about.
        what: &'static str,
        /// The value used and whence.
        used: String,
        /// The value not used and whence.
        ignored: String,
    },
    /// Floats that were infinite or no numbers.
    BadValues {
        /// The input.
        name: String,
        /// How many were replaced by zero.
        count: u64,
        /// Index of the first sample concerned.
        first_sample: u64,
    },
    /// Fewer bytes than the metadata to be skipped, or another oddity of the metadata.
    Metadata {
        /// The metadata file.
        name: String,
        /// What is odd.
        message: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { name, offset, bytes, frame_bits } => {
                let (noun, verb) = if *bytes == 1 { ("byte", "was") } else { ("bytes", "were") };
                write!(
                    f,
                    "{name}: the last {bytes} {noun}, at byte offset {offset}, {verb} ignored: \
                     not a whole sample of {frame_bits} bits"
                )
            }
            Self::Disagreement { name, what, used, ignored } => {
                write!(f, "{name}: {what} is {used}, but {ignored}; the former is used")
            }
            Self::BadValues { name, count, first_sample } => {
                let noun = if *count == 1 { "value was" } else { "values were" };
                write!(
                    f,
                    "{name}: {count} {noun} infinite or not a number and became zero, the first in sample {first_sample}"
                )
            }
            Self::Metadata { name, message } => write!(f, "{name}: {message}"),
        }
    }
}
