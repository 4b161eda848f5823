//! How much memory and work a file may ask for: in proportion to its size, so that a few hostile bytes cannot stand
//! for gigabytes.

use crate::error::Error;

/// Bytes of tensors that any file may ask for.
const BASE_BYTES: usize = 64 << 20;

/// Bytes of tensors for each byte in the file: shared weights are decoded once for each name.
const BYTES_PER_BYTE: usize = 8;

/// Nodes of a model, those of inlined functions counted at each call.
const MAX_NODES: usize = 500_000;

/// Functions that call functions, and graphs within graphs.
pub(super) const MAX_DEPTH: usize = 32;

/// What may still be made.
pub(super) struct Budget {
    bytes: usize,
    nodes: usize,
}

impl Budget {
    /// For a file of `n_bytes`.
    pub(super) fn new(n_bytes: usize) -> Self {
        Self { bytes: n_bytes.saturating_mul(BYTES_PER_BYTE).saturating_add(BASE_BYTES), nodes: MAX_NODES }
    }

    /// A file beside the model adds to what its tensors may take.
    pub(super) fn add_file(&mut self, n_bytes: u64) {
        let n_bytes = usize::try_from(n_bytes).unwrap_or(usize::MAX);
        self.bytes = self.bytes.saturating_add(n_bytes.saturating_mul(BYTES_PER_BYTE));
    }

    /// Takes the bytes of a tensor.
    pub(super) fn take(&mut self, name: &str, n_bytes: usize) -> Result<(), Error> {
        let rest = self.bytes.checked_sub(n_bytes);
        self.bytes = rest.ok_or_else(|| Error::Unsupported {
            reason: format!("tensor `{name}`: {n_bytes} bytes are out of proportion to the file's size"),
        })?;
        Ok(())
    }

    /// Takes one node.
    pub(super) fn take_node(&mut self) -> Result<(), Error> {
        self.nodes = self.nodes.checked_sub(1).ok_or_else(|| Error::Unsupported {
            reason: format!("more than {MAX_NODES} nodes once its functions are inlined"),
        })?;
        Ok(())
    }
}
