//! What can go wrong with a log, and what to do next.

use std::path::{Path, PathBuf};

/// A fault of what was asked, of the file, or of the disk.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else writes to the log.
    #[error("log {}: another writer has it open; append through that one, or open a reader", path.display())]
    SecondWriter {
        /// The log.
        path: PathBuf,
    },
    /// A record, payload or option that cannot be kept.
    #[error("{what}: {reason}")]
    Refused {
        /// Which one.
        what: String,
        /// Why not, and what would do.
        reason: String,
    },
    /// The key file cannot be used.
    #[error("key file {}: {reason}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },
    /// No room for more; nothing of what was asked is in the log.
    #[error("log {}: no room ({reason}); make room and append again, nothing was written", path.display())]
    Full {
        /// The log.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// More is waiting to be written than the queue holds.
    #[error("log {}: {limit} entries are waiting to be written; wait and append again", path.display())]
    QueueFull {
        /// The log.
        path: PathBuf,
        /// How many may wait.
        limit: usize,
    },
    /// The payload was erased.
    #[error("entry {index}: its payload was erased; entry {by} says why")]
    Erased {
        /// The record's entry.
        index: u64,
        /// The erasure's entry.
        by: u64,
    },
    /// There is no such entry, or it is none of the kind that was asked for.
    #[error("entry {index}: {reason}")]
    NoEntry {
        /// As asked for.
        index: u64,
        /// What there is.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("{place}: {reason}; verify the log, and restore it from a copy that verifies")]
    Damaged {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A note, key or proof that does not hold.
    #[error("{what}: {reason}")]
    Untrue {
        /// Which one.
        what: String,
        /// Why it proves nothing.
        reason: String,
    },
    /// A note that others signed, and this key did not.
    #[error("{what}: signed by {signed_by}, not by {expected}")]
    OtherSigner {
        /// Which note.
        what: String,
        /// Names and ids of the keys that did.
        signed_by: String,
        /// Name and id of the key that was to have.
        expected: String,
    },
    /// SQLite could not do what was needed.
    #[error("log {}: {doing}: {reason}", path.display())]
    Sqlite {
        /// The log.
        path: PathBuf,
        /// What was going on.
        doing: &'static str,
        /// SQLite's words.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{}: {doing}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was going on.
        doing: &'static str,
        /// The system's words.
        reason: String,
    },
    /// The writer has ended.
    #[error("log {}: its writer has ended; open the log again", path.display())]
    Closed {
        /// The log.
        path: PathBuf,
    },
}

impl Error {
    pub(crate) fn refused(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), reason: reason.into() }
    }

    pub(crate) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { place: place.into(), reason: reason.into() }
    }

    pub(crate) fn untrue(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Untrue { what: what.into(), reason: reason.into() }
    }

    pub(crate) fn file(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |fault| Self::File { path, doing, reason: fault.to_string() }
    }

    /// What SQLite reports, sorted by what a caller can do about it.
    pub(crate) fn sqlite(path: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        let path = path.to_owned();
        move |fault| match (fault.sqlite_error_code(), fault.to_string()) {
            (Some(DiskFull), reason) => Self::Full { path: path.clone(), reason },
            (Some(DatabaseCorrupt | NotADatabase), reason) => {
                Self::damaged(format!("log {}", path.display()), format!("{doing}: {reason}"))
            }
            (_, reason) => Self::Sqlite { path: path.clone(), doing, reason },
        }
    }
}
