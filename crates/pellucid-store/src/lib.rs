//! Records of explanations → a log that cannot be changed unnoticed → queries and proofs.

mod error;
mod files;

mod canonical;
mod digest;
mod entry;
mod payload;
mod payload_json;
mod record;

mod checkpoint;
mod key;
mod note;
mod tree;

mod log;
mod query;
mod reader;
mod retention;
mod schema;
mod signed;
mod stored;
mod traces;
mod writer;

mod export;
mod proof;
mod verify;

#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod verify_tests;

pub use canonical::canonical_json;
pub use checkpoint::Checkpoint;
pub use digest::Digest;
pub use entry::{Entry, Erasure, MAX_ENTRY_BYTES};
pub use error::Error;
pub use export::Exported;
pub use files::write_private;
pub use key::{check_key_apart, create_key, read_verifying_key};
pub use log::{Appended, Erased, Log, Options, Pending};
pub use note::VerifyingKey;
pub use payload::{Array, MAX_PAYLOAD_BYTES, Payload, Values, payload_commitment};
pub use proof::{ConsistencyProof, InclusionProof};
pub use query::Query;
pub use reader::{Reader, Stored};
pub use record::{Check, Decision, Feedback, Record, RecordedModel};
pub use retention::Retention;
pub use signed::signed_note;
pub use tree::entry_hash;
pub use verify::{Fault, FaultKind, Place, Report, Trusted, verify};
