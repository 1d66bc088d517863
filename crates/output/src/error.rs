/// Why something cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The file or stream takes no more.
    #[error("cannot write {what}: {source}")]
    Write {
        /// Kind of output, for example "NMEA".
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A record cannot be put into its format.
    #[error("cannot express a record as {what}: {message}")]
    Encode {
        /// Kind of output.
        what: &'static str,
        /// What the library said.
        message: String,
    },
    /// Something after the end.
    #[error("{what} is already finished")]
    Finished {
        /// Kind of output.
        what: &'static str,
    },
}

impl OutputError {
    pub(crate) fn write(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Write { what, source }
    }

    pub(crate) fn encode<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Encode { what, message: error.to_string() }
    }
}
