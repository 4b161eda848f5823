//! How many rows a model is asked about at once.

use std::ops::Range;

use pellucid_core::Work;

use crate::error::Error;

/// What the activations of one row may take, in units of the row itself: a guess on the safe side for image networks.
const ACTIVATIONS_PER_INPUT: usize = 64;

/// More rows at once gain nothing, and a request to stop waits for the batch to end.
const MAX_BATCH_SIZE: usize = 4096;

/// Rows of a shape that one batch takes: what was asked for, or what memory allows, as a power of two.
pub(crate) fn batch_size(work: &Work, row_shape: &[usize]) -> Result<usize, Error> {
    let row_len: usize = row_shape.iter().product();
    let row_bytes = row_len.max(1).saturating_mul(size_of::<f64>() * ACTIVATIONS_PER_INPUT);
    match work.batch_size {
        Some(0) => Err(Error::setting("batch_size", "must be 1 or more")),
        Some(batch_size) => Ok(batch_size),
        None => Ok(1 << (work.max_memory_bytes / row_bytes).clamp(1, MAX_BATCH_SIZE).ilog2()),
    }
}

/// `0..n` in pieces of `batch_size`, the last one shorter.
pub(crate) fn in_batches(n: usize, batch_size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(batch_size).map(move |start| start..n.min(start + batch_size))
}
