//! What every method must do: laws on small networks, and real exports against references of PyTorch, captum and zennit.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken expectation is what a test reports"
)]

mod laws;
#[path = "../../../pellucid-graph/src/onnx/tests/npz.rs"]
mod npz;
mod zoo;

use pellucid_graph::{Data, Tensor};
