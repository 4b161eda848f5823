//! The one loop that runs a session over many rows: bounded memory, padded to one size, stopped and watched.

use std::ops::Range;

use ndarray::{ArrayD, Axis, Slice};
use pellucid_core::Work;
use pellucid_graph::{Session, Tensor};

use crate::error::Error;
use crate::network::Prepared;

/// Activations beyond this fall out of the processor's caches; larger batches then gain nothing.
const COMFORTABLE_BYTES: usize = 64 << 20;

/// More rows at once gain nothing either, however small they are.
const MAX_ROWS: usize = 4096;

/// How many rows one run takes: what was asked for, or what memory allows, and no more than there are (rounded up to a
/// power of two, so that the size hardly depends on how many rows came together).
pub(crate) fn size(prepared: &Prepared, n_rows: usize, work: &Work) -> usize {
    rows_at_once(prepared.graph.activation_bytes(), prepared.session.lanes(), n_rows, work)
}

/// The same, of a session whose activations take so much for one row.
pub(crate) fn rows_at_once(row_bytes: usize, lanes: usize, n_rows: usize, work: &Work) -> usize {
    let row_bytes = row_bytes.max(1);
    let most_bytes = work.max_memory_bytes / lanes.max(1);
    let comfortable = (COMFORTABLE_BYTES.min(most_bytes) / row_bytes).clamp(1, MAX_ROWS);
    let wanted = work.batch_size.unwrap_or(comfortable).max(1);
    wanted.min(n_rows.max(1).next_power_of_two())
}

/// Runs `session` over all rows of `inputs` (each `[rows, …]`), `size` at a time and as many batches side by side as it
/// has lanes, and hands each batch's outputs to `each`, in order, which must not look past the batch's rows: the last
/// one is padded by repeating its last row.
///
/// # Errors
/// A canceled work; whatever the session or `each` reports.
pub(crate) fn run(
    session: &dyn Session,
    inputs: &[ArrayD<f32>],
    size: usize,
    work: &Work,
    mut each: impl FnMut(Range<usize>, Vec<Tensor>) -> Result<(), Error>,
) -> Result<(), Error> {
    let n_rows = inputs.first().map_or(0, |input| input.len_of(Axis(0)));
    let batch = |rows: &Range<usize>| inputs.iter().map(|input| padded(input, rows, size)).collect();
    let run = |wave: &[Range<usize>]| {
        let batches: Vec<Vec<Tensor>> = wave.iter().map(batch).collect();
        Ok(session.run_all(&batches)?)
    };
    in_waves(n_rows, size, session.lanes(), work, run, |range, tensors| {
        work.progress.advance(range.len());
        each(range, tensors)
    })
}

/// Cuts `n` rows into batches of `size` and hands as many as there are lanes to `run` at a time, then each batch's
/// outputs to `each`, in order.
///
/// # Errors
/// A canceled work; whatever `run` or `each` reports.
pub(crate) fn in_waves<T>(
    n: usize,
    size: usize,
    lanes: usize,
    work: &Work,
    mut run: impl FnMut(&[Range<usize>]) -> Result<Vec<T>, Error>,
    mut each: impl FnMut(Range<usize>, T) -> Result<(), Error>,
) -> Result<(), Error> {
    let ranges: Vec<Range<usize>> = (0..n).step_by(size).map(|start| start..(start + size).min(n)).collect();
    for wave in ranges.chunks(lanes.max(1)) {
        work.check()?;
        for (range, outputs) in wave.iter().zip(run(wave)?) {
            each(range.clone(), outputs)?;
        }
    }
    Ok(())
}

/// The rows as a tensor of `size` rows, the last one repeated.
fn padded(input: &ArrayD<f32>, rows: &Range<usize>, size: usize) -> Tensor {
    let part = input.slice_axis(Axis(0), Slice::from(rows.clone()));
    let mut shape = part.shape().to_vec();
    let mut elements: Vec<f32> = part.iter().copied().collect();
    let row_len = elements.len() / rows.len().max(1);
    for _ in rows.len()..size {
        elements.extend_from_within(elements.len() - row_len..);
    }
    shape[0] = size;
    Tensor::f32(&shape, elements)
}

/// The first rows of an output `[size, …]`, flat.
pub(crate) fn first_rows(output: &Tensor, n: usize) -> Vec<f64> {
    let size = output.shape().first().copied().unwrap_or(1).max(1);
    let row_len = output.len() / size;
    let mut elements = output.to_f64s();
    elements.truncate(n * row_len);
    elements
}
