//! What can go wrong between a question and a served model's answer.

/// A fault in an address, on the way, or in an answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that names no served model.
    #[error("address `{address}`: {reason}")]
    Address {
        /// As written.
        address: String,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// The server did not answer, or not in time.
    #[error("{address} did not answer: {reason}")]
    Unreachable {
        /// What was asked.
        address: String,
        /// What happened, and how often it was tried.
        reason: String,
    },
    /// The server refused.
    #[error("{address} answered {status}: {body}")]
    Refused {
        /// What was asked.
        address: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        body: String,
    },
    /// An answer that does not follow the protocol.
    #[error("{address}: {reason}")]
    Answer {
        /// What was asked.
        address: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A setting that is needed or cannot be.
    #[error("option `{option}`: {reason}")]
    Setting {
        /// Its name.
        option: &'static str,
        /// What is wrong, and what would do.
        reason: String,
    },
}
