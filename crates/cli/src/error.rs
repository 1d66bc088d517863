use std::fmt::Display;
use std::path::Path;

/// One clear line, and a hint where there is one.
#[derive(Debug)]
pub struct CliError {
    pub message: String,
    pub hint: Option<String>,
    broken_pipe: bool,
}

impl CliError {
    pub fn new(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None, broken_pipe: false }
    }

    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// A file that could not be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self {
            broken_pipe: error.kind() == std::io::ErrorKind::BrokenPipe,
            ..Self::new(format!("{}: {error}", path.display()))
        }
    }

    pub fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }
}

/// Standard output that could not be written.
impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self { broken_pipe: error.kind() == std::io::ErrorKind::BrokenPipe, ..Self::new(error) }
    }
}

impl From<megrez_output::OutputError> for CliError {
    fn from(error: megrez_output::OutputError) -> Self {
        let broken_pipe = match &error {
            megrez_output::OutputError::Write { source, .. } => {
                source.kind() == std::io::ErrorKind::BrokenPipe
            }
            _ => false,
        };
        Self { broken_pipe, ..Self::new(error) }
    }
}

impl From<megrez_source::SourceError> for CliError {
    fn from(error: megrez_source::SourceError) -> Self {
        use megrez_source::SourceError as E;
        let hint = match &error {
            E::MissingFormat { .. } | E::MissingRate { .. } | E::MissingCenter { .. } => {
                Some("for example: --format cs8 --rate 4M --center 1575.42M")
            }
            E::UnknownKey { .. } | E::Config { .. } => {
                Some("examples/frontends has descriptions that work; see `megrez run --help`")
            }
            _ => None,
        };
        let new = Self::new(&error);
        match hint {
            Some(hint) => new.hint(hint),
            None => new,
        }
    }
}

impl From<megrez::ReceiverError> for CliError {
    fn from(error: megrez::ReceiverError) -> Self {
        use megrez::ReceiverError as E;
        let hint = match &error {
            E::NoSignal { .. } => Some("check --center and --rate, or choose others with --signals"),
            _ => None,
        };
        let new = Self::new(&error);
        match hint {
            Some(hint) => new.hint(hint),
            None => new,
        }
    }
}

impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> Self {
        let broken_pipe = error.io_error_kind() == Some(std::io::ErrorKind::BrokenPipe);
        Self { broken_pipe, ..Self::new(error) }
    }
}

impl From<megrez_sim::SimError> for CliError {
    fn from(error: megrez_sim::SimError) -> Self {
        Self::new(error)
    }
}
