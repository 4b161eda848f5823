//! Predictions as the source library makes them.

use ndarray::{Array2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use crate::ensemble::{Arithmetic, Link, Tree, TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::rows::Rows;

impl TreeEnsemble {
    /// The margins of rows, `[rows, outputs]`, added up in the source's own arithmetic.
    ///
    /// # Errors
    /// Rows of another width than the model.
    pub fn margins(&self, rows: Rows<'_>) -> Result<Array2<f64>, Error> {
        rows.check(self, "rows")?;
        let mut margins = Array2::zeros((rows.n_rows(), self.n_outputs()));
        margins.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each_init(
            || vec![0.0; self.n_features],
            |row, (index, margin)| {
                rows.fill(index, self, row);
                self.margin_of(row, margin);
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

    fn margin_of(&self, row: &[f64], mut margin: ArrayViewMut1<'_, f64>) {
        match self.arithmetic {
            Arithmetic::F64 => {
                self.add_leaves(row, |output, value| margin[output] += value);
                margin.iter_mut().zip(&self.base_scores).for_each(|(m, base)| *m = *m * self.scale + base);
            }
            Arithmetic::F64Mean => {
                self.add_leaves(row, |output, value| margin[output] += value);
                let rounds = (1.0 / self.scale).round();
                margin.iter_mut().zip(&self.base_scores).for_each(|(m, base)| *m = *m / rounds + base);
            }
            Arithmetic::F32BaseFirst => {
                margin.iter_mut().zip(&self.base_scores).for_each(|(m, base)| *m = *base);
                self.add_leaves(row, |output, value| margin[output] = f32_sum(margin[output], value));
            }
            Arithmetic::F32BaseLast => {
                self.add_leaves(row, |output, value| margin[output] = f32_sum(margin[output], value));
                margin.iter_mut().zip(&self.base_scores).for_each(|(m, base)| *m = f32_sum(*m, *base));
            }
            Arithmetic::F32Mean => {
                self.add_leaves(row, |output, value| margin[output] = f32_sum(margin[output], value));
                let rounds = (1.0 / self.scale).round() as f32;
                let mean = |sum: f64| f64::from(sum as f32 / rounds);
                margin.iter_mut().zip(&self.base_scores).for_each(|(m, base)| *m = f32_sum(mean(*m), *base));
            }
        }
    }

    fn add_leaves(&self, row: &[f64], mut add: impl FnMut(usize, f64)) {
        for tree in &self.trees {
            let values = tree.leaf(tree.leaf_of(row));
            tree.outputs.clone().zip(values).for_each(|(output, &value)| add(output, value));
        }
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
