//! HTTP → engine → log: predictions at once, explanations after them.
//!
//! [`Server::start`] opens the models of a folder and the log, and answers until [`Server::stop`]. Predictions run on threads
//! and sessions of their own; what is to be explained waits in a bounded queue for other threads; what they make goes to the
//! one writer of the log, which keeps what it cannot write and tries again.

mod accepted;
mod api;
mod app;
mod cache;
mod config;
mod error;
mod events;
mod explained;
mod explaining;
mod jobs;
mod metrics;
mod models;
mod predict;
mod protocols;
mod queue;
mod recorder;
mod security;
mod server;
mod signals;

pub use config::{Clock, Hook, Limits, Options};
pub use security::tokens::{Scope, new_token};
pub use server::{Drained, Server, StartError};
pub use signals::Signals;

/// The description of the interface (OpenAPI), as the server gives it at `/openapi.json`.
///
/// # Errors
/// A description that cannot be written down.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&api::openapi())
}
