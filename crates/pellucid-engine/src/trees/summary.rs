//! What is found over all rows of a table while they go by.

use ndarray::{ArrayD, Axis};
use pellucid_trees::TreeEnsemble;

use super::explain::by_row;
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
    /// Rows of which some value is estimated.
    pub n_rows_drawn: usize,
    /// The largest leaf of the model: sums of such numbers are rounded like these, however small the sum.
    largest_leaf: f64,
}

/// How far a row's values miss the model's own output.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Which row of which file.
    pub place: String,
    /// `Σ values − (output − base_value)`.
    pub convergence_delta: f64,
    /// Its size as a share of the largest of `|output|`, `|base_value|`, `Σ |values|` and the model's largest leaf.
    pub share: f64,
}

impl Summary {
    pub(crate) fn new(ensemble: &TreeEnsemble) -> Self {
        let leaves = ensemble.trees.iter().flat_map(|tree| &tree.leaf_values);
        let largest_leaf = leaves.fold(0.0, |most: f64, value| most.max(value.abs())) * ensemble.scale.abs();
        Self {
            n_rows: 0,
            mean_sizes: ArrayD::zeros(ndarray::IxDyn(&[0])),
            largest_gap: None,
            allowed_gap: ensemble.trees.len() as f64 * 2f64.powi(-24) + TOLERANCE,
            n_gaps_beyond: 0,
            n_rows_drawn: 0,
            largest_leaf,
        }
    }

    /// Adds a block of rows, one after the other, so that the table's cut into blocks changes nothing; `place` names one
    /// of them.
    pub(crate) fn add(
        &mut self,
        explained: &Explained,
        place: impl Fn(usize) -> String,
    ) -> Result<(), Error> {
        if self.n_rows == 0 {
            self.mean_sizes = ArrayD::zeros(&explained.values.shape()[1..]);
        }
        for values in explained.values.outer_iter() {
            self.n_rows += 1;
            let share = 1.0 / self.n_rows as f64;
            self.mean_sizes.zip_mut_with(&values, |mean, value| *mean += (value.abs() - *mean) * share);
        }
        for errors in explained.standard_error.iter().flat_map(|errors| errors.outer_iter()) {
            self.n_rows_drawn += usize::from(errors.iter().any(|&error| error > 0.0));
        }
        if let Some((index, value)) = explained.values.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { what: "values", value: *value, index: index_slice(&index) });
        }
        self.add_gaps(explained, place);
        Ok(())
    }

    fn add_gaps(&mut self, explained: &Explained, place: impl Fn(usize) -> String) {
        let (Some(delta), Some(base_values)) = (&explained.convergence_delta, &explained.base_values) else {
            return;
        };
        for (row, values) in by_row(explained).enumerate() {
            for (target, values) in values.axis_iter(Axis(0)).enumerate() {
                let at = [row, target];
                let size: f64 = values.iter().map(|value| value.abs()).sum();
                let ends = explained.outputs[at].abs().max(base_values[at].abs());
                let scale = size.max(ends).max(self.largest_leaf);
                let gap = delta[at].abs();
                let share = if gap == 0.0 { 0.0 } else { gap / scale };
                // Where the share is not a number, it is beyond too.
                if share > self.allowed_gap || share.is_nan() {
                    self.n_gaps_beyond += 1;
                }
                if self.largest_gap.as_ref().is_none_or(|largest| share > largest.share) {
                    let convergence_delta = delta[at];
                    self.largest_gap = Some(Gap { place: place(row), convergence_delta, share });
                }
            }
        }
    }
}

fn index_slice(index: &ndarray::IxDyn) -> Vec<usize> {
    ndarray::Dimension::slice(index).to_vec()
}
