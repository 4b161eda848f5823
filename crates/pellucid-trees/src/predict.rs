//! Predictions as the source library makes them.

use ndarray::{Array2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use crate::ensemble::{Arithmetic, Link, Tree, TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::rows::Rows;

/// Cells of a block of rows: as many as leave room for a tree in the cache nearest to the core.
const CELLS_OF_BLOCK: usize = 2048;

/// Beyond this, a tree that is read once for all rows of a block gains nothing more.
const MOST_ROWS_OF_BLOCK: usize = 64;

impl TreeEnsemble {
    /// The margins of rows, `[rows, outputs]`, added up in the source's own arithmetic.
    ///
    /// # Errors
    /// Rows of another width than the model.
    pub fn margins(&self, rows: Rows<'_>) -> Result<Array2<f64>, Error> {
        rows.check(self, "rows")?;
        let height = (CELLS_OF_BLOCK / self.n_features.max(1)).clamp(1, MOST_ROWS_OF_BLOCK);
        let mut margins = Array2::zeros((rows.n_rows(), self.n_outputs()));
        margins.axis_chunks_iter_mut(Axis(0), height).into_par_iter().enumerate().for_each_init(
            || Array2::zeros((height, self.n_features)),
            |block, (index, margins)| {
                let of_block = block.rows_mut().into_iter().zip(index * height..rows.n_rows());
                of_block
                    .for_each(|(mut to, row)| rows.fill(row, self, to.as_slice_mut().unwrap_or_default()));
                self.add_up(block, margins);
            },
        );
        Ok(margins)
    }

    /// The predictions of rows, `[rows, outputs]`: the link of the margins.
    ///
    /// # Errors
    /// Rows of another width than the model.
    pub fn predict(&self, rows: Rows<'_>) -> Result<Array2<f64>, Error> {
        let mut predictions = self.margins(rows)?;
        for mut row in predictions.rows_mut() {
            self.link.apply(row.as_slice_mut().unwrap_or_default());
        }
        Ok(predictions)
    }

    /// From 0 to the margins of the first rows of a block, `[rows, outputs]`.
    fn add_up(&self, block: &Array2<f64>, mut margins: ArrayViewMut2<'_, f64>) {
        if self.arithmetic == Arithmetic::F32BaseFirst {
            each_output(&mut margins, &self.base_scores, |_, base| base);
        }
        match self.arithmetic {
            Arithmetic::F64 | Arithmetic::F64Mean => self.add_leaves(block, &mut margins, |a, b| a + b),
            _ => self.add_leaves(block, &mut margins, f32_sum),
        }
        let rounds = (1.0 / self.scale).round();
        match self.arithmetic {
            Arithmetic::F64 => each_output(&mut margins, &self.base_scores, |m, base| m * self.scale + base),
            Arithmetic::F64Mean => each_output(&mut margins, &self.base_scores, |m, base| m / rounds + base),
            Arithmetic::F32BaseFirst => {}
            Arithmetic::F32BaseLast => each_output(&mut margins, &self.base_scores, f32_sum),
            Arithmetic::F32Mean => {
                let mean = |sum: f64| f64::from(sum as f32 / rounds as f32);
                each_output(&mut margins, &self.base_scores, |m, base| f32_sum(mean(m), base));
            }
        }
    }

    /// Tree by tree, so that a tree stays in the cache for all rows; each row's sum runs over the trees in their order.
    fn add_leaves(
        &self,
        block: &Array2<f64>,
        margins: &mut ArrayViewMut2<'_, f64>,
        sum: impl Fn(f64, f64) -> f64,
    ) {
        for tree in &self.trees {
            for (row, mut margin) in block.rows().into_iter().zip(margins.rows_mut()) {
                let values = tree.leaf(tree.leaf_of(row.to_slice().unwrap_or_default()));
                tree.outputs.clone().zip(values).for_each(|(k, &value)| margin[k] = sum(margin[k], value));
            }
        }
    }
}

/// Replaces each margin by what `new` makes of it and of its output's base score.
fn each_output(margins: &mut ArrayViewMut2<'_, f64>, base_scores: &[f64], new: impl Fn(f64, f64) -> f64) {
    for mut margin in margins.rows_mut() {
        margin.iter_mut().zip(base_scores).for_each(|(m, &base)| *m = new(*m, base));
    }
}

/// The sum of two f32 numbers, rounded to f32.
fn f32_sum(a: f64, b: f64) -> f64 {
    f64::from(a as f32 + b as f32)
}

impl Tree {
    /// The leaf in which a row ends. `row` is as [`Rows::fill`] writes it.
    pub fn leaf_of(&self, row: &[f64]) -> u32 {
        let mut index = 0;
        loop {
            match &self.nodes[index] {
                TreeNode::Leaf { leaf, .. } => return *leaf,
                TreeNode::Split(split) => {
                    let left = split.goes_left(row[split.feature as usize]);
                    index = if left { split.left } else { split.right } as usize;
                }
            }
        }
    }
}

impl Link {
    /// Turns the margins of one row into predictions, in place.
    pub fn apply(self, margins: &mut [f64]) {
        match self {
            Self::Identity | Self::Probability => {}
            Self::Sigmoid { slope } => each(margins, |m| 1.0 / (1.0 + (-slope * m).exp())),
            Self::Softmax => softmax(margins),
            Self::Exp => each(margins, f64::exp),
            Self::Softplus => each(margins, |m| m.max(0.0) + (-m.abs()).exp().ln_1p()),
            Self::SignedSquare => each(margins, |m| m * m.abs()),
            Self::Step => each(margins, |m| f64::from(m > 0.0)),
        }
    }
}

fn each(margins: &mut [f64], link: impl Fn(f64) -> f64) {
    margins.iter_mut().for_each(|m| *m = link(*m));
}

fn softmax(margins: &mut [f64]) {
    let highest = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    each(margins, |m| (m - highest).exp());
    let sum: f64 = margins.iter().sum();
    each(margins, |m| m / sum);
}
