//! The server as its clients meet it: over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken expectation is what a test reports")]

mod accepted;
mod bodies;
mod client;
mod events;
mod explanations;
mod harness;
mod log;
mod malformed;
mod protocols;
mod queue;
mod reload;
mod security;
mod texts;
