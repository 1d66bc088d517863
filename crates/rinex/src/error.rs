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
    /// The file is packed in a way that is not read here.
    #[error("the file is packed with {packer}: unpack it, or pack it with gzip")]
    Packed {
        /// The packer.
        packer: &'static str,
    },
    /// The first line is not the first line of a RINEX file.
    #[error("not a RINEX file: line 1 has no RINEX VERSION / TYPE")]
    NotRinex,
    /// Not a file of products of the kind expected.
    #[error("line 1: not {expected}")]
    NotProducts {
        /// What was expected.
        expected: &'static str,
    },
    /// A RINEX file, but of another kind.
    #[error("line 1: a RINEX file of type \"{found}\", not a navigation file")]
    NotNavigation {
        /// The file type letter found.
        found: String,
    },
    /// A RINEX file, but of another kind.
    #[error("line {line}: a RINEX file of type \"{found}\", not an observation file")]
    NotObservation {
        /// The file type found.
        found: String,
        /// The line that says so.
        line: usize,
    },
    /// A version that this reader does not know.
    #[error("line {line}: RINEX version \"{found}\" is not supported (2.10, 2.11 and 3.00 to 4.02 are)")]
    Version {
        /// The version found.
        found: String,
        /// The line that says so.
        line: usize,
    },
    /// A version of Hatanaka's compressed format that this reader does not know.
    #[error("line 1: compact RINEX version \"{found}\" is not supported (1.0 and 3.0 are)")]
    CompactVersion {
        /// The version found.
        found: String,
    },
    /// The file ends within its header.
    #[error("line {line}: the file ends before END OF HEADER")]
    NoEndOfHeader {
        /// Last line.
        line: usize,
    },
    /// The header of an observation file does not say what is observed.
    #[error("line {line}: the header ends without observation types")]
    NoTypes {
        /// The line of END OF HEADER.
        line: usize,
    },
}
