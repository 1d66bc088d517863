use std::io;
use std::path::PathBuf;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RinexError {
    /// The file could not be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("reading stopped after line {line}: {source}")]
    Read {
        /// Lines read before.
        line: usize,
        /// Why.
        source: io::Error,
    },
    /// The first line is not the first line of a RINEX file.
    #[error("not a RINEX file: line 1 has no RINEX VERSION / TYPE")]
    NotRinex,
    /// A RINEX file, but of another kind.
    #[error("line 1: a RINEX file of type \"{found}\", not a navigation file")]
    NotNavigation {
        /// The file type letter found.
        found: String,
    },
    /// A version that this reader does not know.
    #[error("line 1: RINEX version \"{found}\" is not supported (3.00 to 4.02 are)")]
    Version {
        /// The version found.
        found: String,
    },
    /// The file ends within its header.
    #[error("line {line}: the file ends before END OF HEADER")]
    NoEndOfHeader {
        /// Last line.
        line: usize,
    },
}
