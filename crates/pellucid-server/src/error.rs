//! Faults → HTTP statuses: the one place where both are named.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pellucid_engine::Kind;
use serde_json::json;

/// Why a request is not answered as it was meant.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    /// What was sent cannot be.
    #[error("{0}")]
    BadRequest(String),
    #[error("a token is needed: send `Authorization: Bearer TOKEN`")]
    Unauthorized,
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Conflict(String),
    /// The body did not come in time.
    #[error("{0}")]
    Slow(String),
    #[error("{0}")]
    TooLarge(String),
    #[error("{0}")]
    UnsupportedMedia(String),
    /// It is understood, and cannot be done.
    #[error("{0}")]
    Unprocessable(String),
    #[error("{reason}; try again in {retry_after_secs} s")]
    TooMany { reason: String, retry_after_secs: u64 },
    #[error("{0}")]
    Unavailable(String),
    #[error("{0}")]
    Deadline(String),
    #[error("{0}")]
    Internal(String),
}

impl Fault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Slow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Deadline(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(json!({ "error": self.to_string() }))).into_response();
        match self {
            Self::TooMany { retry_after_secs, .. } => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_secs));
            }
            Self::Unauthorized => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // The rest of the body is not waited for.
            Self::Slow(_) | Self::TooLarge(_) => {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

impl From<pellucid_engine::Error> for Fault {
    fn from(error: pellucid_engine::Error) -> Self {
        let reason = error.to_string();
        match error.kind() {
            Kind::Usage | Kind::BadInput => Self::BadRequest(reason),
            Kind::Unsupported => Self::Unprocessable(reason),
            Kind::Canceled => Self::Conflict(reason),
            Kind::Failed => Self::Internal(reason),
        }
    }
}

impl From<pellucid_store::Error> for Fault {
    fn from(error: pellucid_store::Error) -> Self {
        use pellucid_store::Error::{Erased, NoEntry, Refused, Untrue};
        let reason = error.to_string();
        match error {
            NoEntry { .. } | Erased { .. } => Self::NotFound(reason),
            Refused { .. } => Self::Unprocessable(reason),
            Untrue { .. } => Self::BadRequest(reason),
            _ => Self::Unavailable(reason),
        }
    }
}
