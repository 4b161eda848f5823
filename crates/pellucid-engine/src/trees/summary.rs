//! What is found over all rows of a table while they go by.

use ndarray::{ArrayD, Axis};

use super::blocks::Block;
use super::explain::{by_row, place};
use super::targets::Explained;
use crate::error::Error;

/// How far values may miss the model's own margin beside what its own sum in f32 may: a share of their size.
const TOLERANCE: f64 = 1e-6;

/// What was found over all rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The number of rows.
    pub n_rows: usize,
    /// The mean of |value| over all rows, `[targets, features]`; of pairs `[targets, features, features]`.
    pub mean_sizes: ArrayD<f64>,
    /// The largest `convergence_delta`, as a share of the row's values, for methods that promise completeness.
    pub largest_gap: Option<Gap>,
    /// The share that is allowed: one f32 rounding a tree, and 1e-6.
    pub allowed_gap: f64,
    /// Rows and targets whose gap is larger.
    pub n_gaps_beyond: usize,
}

/// How far a row's values miss the model's own output.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Which row of which file.
    pub place: String,
    /// `Σ values − (output − base_value)`.
    pub convergence_delta: f64,
    /// Its size as a share of the largest of `|output|`, `|base_value|` and `Σ |values|`.
    pub share: f64,
}

impl Summary {
    pub(crate) fn new(n_trees: usize) -> Self {
        Self {
            n_rows: 0,
            mean_sizes: ArrayD::zeros(ndarray::IxDyn(&[0])),
            largest_gap: None,
            allowed_gap: n_trees as f64 * 2f64.powi(-24) + TOLERANCE,
            n_gaps_beyond: 0,
        }
    }

    /// Adds a block of rows.
    pub(crate) fn add(&mut self, block: &Block, explained: &Explained) -> Result<(), Error> {
        let sums = explained.values.mapv(f64::abs).sum_axis(Axis(0));
        if self.n_rows == 0 {
            self.mean_sizes = ArrayD::zeros(sums.raw_dim());
        }
        let n = self.n_rows as f64;
        self.n_rows += block.rows.nrows();
        self.mean_sizes = (&self.mean_sizes * n + sums) / self.n_rows as f64;
        if let Some((index, value)) = explained.values.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { what: "values", value: *value, index: index_slice(&index) });
        }
        self.add_gaps(block, explained);
        Ok(())
    }

    fn add_gaps(&mut self, block: &Block, explained: &Explained) {
        let (Some(delta), Some(base_values)) = (&explained.convergence_delta, &explained.base_values) else {
            return;
        };
        for (row, values) in by_row(explained).enumerate() {
            for (target, values) in values.axis_iter(Axis(0)).enumerate() {
                let at = [row, target];
                let size: f64 = values.iter().map(|value| value.abs()).sum();
                let scale = size.max(explained.outputs[at].abs()).max(base_values[at].abs());
                let gap = delta[at].abs();
                let share = if gap == 0.0 { 0.0 } else { gap / scale };
                // Where the share is not a number, it is beyond too.
                if share > self.allowed_gap || share.is_nan() {
                    self.n_gaps_beyond += 1;
                }
                if self.largest_gap.as_ref().is_none_or(|largest| share > largest.share) {
                    let convergence_delta = delta[at];
                    self.largest_gap = Some(Gap { place: place(block, row), convergence_delta, share });
                }
            }
        }
    }
}

fn index_slice(index: &ndarray::IxDyn) -> Vec<usize> {
    ndarray::Dimension::slice(index).to_vec()
}
