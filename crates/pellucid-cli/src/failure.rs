//! Faults → exit codes.

use std::fmt;

use pellucid_engine::{Error, Kind};

/// Everything was done.
pub(crate) const SUCCESS: u8 = 0;
/// A request that cannot be.
pub(crate) const USAGE: u8 = 2;
/// Ctrl-C, as shells count it: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why the command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine's fault, in its words.
    Engine(Error),
    /// The command could not begin.
    Setup(String),
    /// Standard output is gone.
    Output(std::io::Error),
    /// What was asked to hold does not; the command did everything else.
    Check(Vec<String>),
}

impl Failure {
    /// 1 the machine failed, 2 usage, 3 bad model or input, 4 unsupported, 5 a check failed, 130 Ctrl-C.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Setup(_) | Self::Output(_) => 1,
            Self::Check(_) => 5,
            Self::Engine(error) => match error.kind() {
                Kind::Failed => 1,
                Kind::Usage => USAGE,
                Kind::BadInput => 3,
                Kind::Unsupported => 4,
                Kind::Canceled => INTERRUPTED,
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => write!(f, "{error}"),
            Self::Setup(reason) => f.write_str(reason),
            Self::Output(error) => write!(f, "standard output: {error}"),
            Self::Check(claims) => write!(f, "does not hold: {}", claims.join("; ")),
        }
    }
}

impl From<pellucid_store::Error> for Failure {
    fn from(error: pellucid_store::Error) -> Self {
        Self::Engine(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}
