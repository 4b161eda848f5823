//! The model's outputs in batches: bounded memory, cancellation between runs, progress after each.

use ndarray::{Array2, ArrayD, ArrayViewD, Axis, Slice};
use pellucid_core::{Model, OutputSpace, Progress, Work};

use crate::error::Error;
use crate::explained::{check_finite, misfit};

/// What the activations of one row may take, in units of the row itself: a guess on the safe side for image networks,
/// whose layers together are some tens of times their input.
const ACTIVATIONS_PER_INPUT: usize = 64;

/// Beyond this a larger batch gains nothing, and a request to stop waits for the run to end.
const COMFORTABLE_BYTES: usize = 256 << 20;

/// More rows at once gain nothing either, however small they are.
const MAX_BATCH_SIZE: usize = 256;

/// Rows of `row_len` elements that one run takes: what was asked for, or what memory allows, as a power of two, since
/// models pad to one.
pub(crate) fn batch_size(work: &Work, row_len: usize) -> Result<usize, Error> {
    let row_bytes = row_len.max(1).saturating_mul(size_of::<f32>() * ACTIVATIONS_PER_INPUT);
    match work.batch_size {
        Some(0) => Err(Error::Setting { option: "batch_size", reason: "must be 1 or more".to_owned() }),
        Some(batch_size) => Ok(batch_size),
        None => {
            let fitting = COMFORTABLE_BYTES.min(work.max_memory_bytes) / row_bytes;
            Ok(1 << fitting.clamp(1, MAX_BATCH_SIZE).ilog2())
        }
    }
}

/// Runs one batch `[rows, features…]`: `[rows, outputs]`, all finite.
pub(crate) fn predict_batch(
    model: &dyn Model,
    rows: &ArrayD<f32>,
    space: OutputSpace,
    work: &Work,
) -> Result<Array2<f64>, Error> {
    work.check()?;
    let outputs = model.predict(rows, space)?;
    let expected = [rows.len_of(Axis(0)), model.n_outputs()];
    if *outputs.shape() != expected {
        return Err(misfit("the model's outputs", &expected, outputs.shape()));
    }
    check_finite("the model's outputs", outputs.view().into_dyn())?;
    work.progress.advance(expected[0]);
    Ok(outputs)
}

/// Runs all of `rows` `[rows, features…]`, batch by batch.
pub(crate) fn predict(
    model: &dyn Model,
    rows: ArrayViewD<'_, f32>,
    space: OutputSpace,
    work: &Work,
) -> Result<Array2<f64>, Error> {
    let n_rows = rows.len_of(Axis(0));
    let batch_size = batch_size(work, rows.len() / n_rows.max(1))?;
    let mut outputs = Array2::zeros((n_rows, model.n_outputs()));
    for start in (0..n_rows).step_by(batch_size) {
        let batch = Slice::from(start..n_rows.min(start + batch_size));
        let of_batch = predict_batch(model, &rows.slice_axis(Axis(0), batch).to_owned(), space, work)?;
        outputs.slice_axis_mut(Axis(0), batch).assign(&of_batch);
    }
    Ok(outputs)
}

/// Tells `progress` the beginning and, however the work ends, its end.
pub(crate) struct Watched<'a>(&'a dyn Progress);

impl<'a> Watched<'a> {
    pub(crate) fn begin(work: &'a Work, n_evaluations: usize) -> Self {
        work.progress.begin(n_evaluations);
        Self(&*work.progress)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
