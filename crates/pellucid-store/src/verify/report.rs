//! What verification found.

use std::fmt;

use crate::digest::Digest;

/// Faults that a report names; beyond, they are counted.
const MAX_FAULTS: usize = 100;

/// What a log is, and what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How many entries it has.
    pub n_entries: u64,
    /// The root that they have.
    pub root: Digest,
    /// How many of them a true checkpoint covers. What comes after could have been changed by whoever can write the file.
    pub n_signed: u64,
    /// How many records have their payload.
    pub n_payloads: u64,
    /// How many records have lost it to an erasure.
    pub n_erased: u64,
    /// How often an entry's time lies before an earlier one's: clocks that went back, or callers that overtook each other.
    pub n_clock_steps_back: u64,
    /// The first hundred faults.
    pub faults: Vec<Fault>,
    /// How many there are.
    pub n_faults: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.n_faults == 0
    }

    /// Whether this is among what is wrong.
    #[must_use]
    pub fn has(&self, kind: FaultKind) -> bool {
        self.faults.iter().any(|fault| fault.kind == kind)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Of which kind.
    pub kind: FaultKind,
    /// In words.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}: {}", self.place, self.kind, self.what)
    }
}

/// Where a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The file as a whole.
    Log,
    /// One entry.
    Entry(u64),
    /// Entries of a range, `[first, end)`.
    Entries {
        /// The first.
        first: u64,
        /// The one after the last.
        end: u64,
    },
    /// The checkpoint of this size.
    Checkpoint(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => write!(to, "log"),
            Self::Entry(index) => write!(to, "entry {index}"),
            Self::Entries { first, end } => write!(to, "entries {first} to {}", end.saturating_sub(1)),
            Self::Checkpoint(n) => write!(to, "checkpoint at {n}"),
        }
    }
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The database is not whole.
    Structure,
    /// An entry is not the one that was hashed.
    Entry,
    /// A stored hash is not that of its entries, which are as they were.
    Hash,
    /// What queries go by is not what the entry says.
    Column,
    /// A payload is missing without an erasure, there in spite of one, or another.
    Payload,
    /// A checkpoint was changed after it was signed.
    Signature,
    /// Another key signs.
    SwappedKey,
    /// Entries and hashes agree, but are not those that were signed.
    Rewritten,
    /// The log ends before a checkpoint that was kept elsewhere.
    RolledBack,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Structure => "damaged database",
            Self::Entry => "changed entry",
            Self::Hash => "changed hash",
            Self::Column => "changed column",
            Self::Payload => "changed payload",
            Self::Signature => "changed checkpoint",
            Self::SwappedKey => "swapped key",
            Self::Rewritten => "rewritten history",
            Self::RolledBack => "older copy",
        })
    }
}

/// The faults so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) named: Vec<Fault>,
    pub(super) n: u64,
}

impl Faults {
    pub(super) fn add(&mut self, place: Place, kind: FaultKind, what: impl Into<String>) {
        self.n += 1;
        if self.named.len() < MAX_FAULTS {
            self.named.push(Fault { place, kind, what: what.into() });
        }
    }
}
