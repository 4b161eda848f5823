//! Why a view cannot be shown.

/// What kind of fault it is; whoever speaks HTTP gives each its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// What was asked for cannot be understood.
    BadRequest,
    /// There is no such view, record or prediction.
    NotFound,
    /// The log cannot be read now.
    Unavailable,
}

/// A view that cannot be shown, with the reason in words for the person who asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ViewError {
    /// What kind of fault it is.
    pub status: Status,
    /// What is wrong, where, and what to do next.
    pub message: String,
}

impl ViewError {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: Status::BadRequest, message: message.into() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: Status::NotFound, message: message.into() }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { status: Status::Unavailable, message: message.into() }
    }
}

impl From<pellucid_store::Error> for ViewError {
    fn from(fault: pellucid_store::Error) -> Self {
        match fault {
            pellucid_store::Error::NoEntry { .. } => Self::not_found(fault.to_string()),
            _ => Self::unavailable(fault.to_string()),
        }
    }
}
