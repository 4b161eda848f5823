#![doc = include_str!("interventional.md")]

use std::sync::OnceLock;

use ndarray::{Array2, Array3, Axis};
use pellucid_core::{Attribution, Work};

use crate::ensemble::TreeEnsemble;
use crate::error::Error;
use crate::path_dependent::{room, shaped};
use crate::patterns::{Absence, CutTrees, FeatureSets, Measure, Patterns, SetSums, Tables};
use crate::rows::Rows;

/// A background made ready: any number of rows against which blocks of rows are explained.
pub struct Interventional<'a> {
    cut: CutTrees<'a>,
    patterns: Vec<Vec<Patterns>>,
    base_values: Vec<f64>,
    singles: FeatureSets,
    /// Those of Shapley values, once they were asked for, where they fit into the memory.
    tables: OnceLock<Option<Tables>>,
}

/// Interventional Shapley values of the margin, `[rows, outputs, features]`; the base value is the mean margin over the
/// whole background.
///
/// # Errors
/// Rows or a background of another width than the model, an empty background, cancellation.
pub fn interventional(
    ensemble: &TreeEnsemble,
    rows: Rows<'_>,
    background: Rows<'_>,
    work: &Work,
) -> Result<Attribution, Error> {
    Interventional::new(ensemble, background, work)?.explain(rows, work)
}

/// Interventional Shapley interactions of the margin, `[rows, outputs, features, features]`: see
/// [`Interventional::interactions`].
///
/// # Errors
/// Those of [`interventional`].
pub fn interventional_interactions(
    ensemble: &TreeEnsemble,
    rows: Rows<'_>,
    background: Rows<'_>,
    work: &Work,
) -> Result<Attribution, Error> {
    Interventional::new(ensemble, background, work)?.interactions(rows, work)
}

/// Interventional Banzhaf values of the margin, `[rows, outputs, features]`; they do not promise completeness.
///
/// # Errors
/// Those of [`interventional`].
pub fn interventional_banzhaf(
    ensemble: &TreeEnsemble,
    rows: Rows<'_>,
    background: Rows<'_>,
    work: &Work,
) -> Result<Attribution, Error> {
    Interventional::new(ensemble, background, work)?.banzhaf(rows, work)
}

impl<'a> Interventional<'a> {
    /// Makes a background ready whose rows count alike.
    ///
    /// # Errors
    /// A background of another width than the model or without rows, cancellation.
    pub fn new(ensemble: &'a TreeEnsemble, background: Rows<'_>, work: &Work) -> Result<Self, Error> {
        Self::weighted(ensemble, background, &vec![1.0; background.n_rows()], work)
    }

    /// Makes a background ready whose rows have weights; they are divided by their sum.
    ///
    /// # Errors
    /// Those of [`Self::new`]; weights that are negative, not finite, all 0, or not one a row.
    pub fn weighted(
        ensemble: &'a TreeEnsemble,
        background: Rows<'_>,
        weights: &[f64],
        work: &Work,
    ) -> Result<Self, Error> {
        ensemble.check()?;
        background.check(ensemble, "background")?;
        let weights = shares(background, weights)?;
        let cut = CutTrees::new(ensemble)?;
        let patterns = cut.count_patterns(background, &weights, work)?;
        let base_values = ensemble.mean_margins(background, &weights);
        let singles = cut.feature_sets(1);
        Ok(Self { cut, patterns, base_values, singles, tables: OnceLock::new() })
    }

    /// The mean margin over the background, `[outputs]`.
    pub fn base_values(&self) -> &[f64] {
        &self.base_values
    }

    /// Shapley values, `[rows, outputs, features]`.
    ///
    /// # Errors
    /// Rows of another width than the model, cancellation.
    pub fn explain(&self, rows: Rows<'_>, work: &Work) -> Result<Attribution, Error> {
        let sums = self.sums(Measure::Shapley, &self.singles, 1);
        let tables = self.tables.get_or_init(|| sums.prepare(work.max_memory_bytes / 2));
        let attribution = self.singles(&sums, tables.as_ref(), rows, work)?;
        Ok(attribution.with_base_values(self.base_values_of(rows.n_rows()).into_dyn()))
    }

    /// Banzhaf values, `[rows, outputs, features]`.
    ///
    /// # Errors
    /// Those of [`Self::explain`].
    pub fn banzhaf(&self, rows: Rows<'_>, work: &Work) -> Result<Attribution, Error> {
        let sums = self.sums(Measure::Banzhaf, &self.singles, 1);
        let mut attribution = self.singles(&sums, None, rows, work)?;
        attribution.base_values = Some(self.base_values_of(rows.n_rows()).into_dyn());
        Ok(attribution)
    }

    /// Pairwise interactions, `[rows, outputs, features, features]`: off the diagonal half the Shapley interaction index,
    /// on it what is left of the feature's Shapley value, so that each row of the matrix sums to it.
    ///
    /// # Errors
    /// Those of [`Self::explain`]; more values than there is memory for.
    pub fn interactions(&self, rows: Rows<'_>, work: &Work) -> Result<Attribution, Error> {
        rows.check(self.cut.ensemble, "rows")?;
        let (n_rows, n_outputs) = (rows.n_rows(), self.cut.ensemble.n_outputs());
        let n_features = self.cut.ensemble.n_features;
        let mut values = room(n_rows, n_outputs.saturating_mul(n_features * n_features))?;
        let sets = self.cut.feature_sets(2);
        let sums = self.sums(Measure::Shapley, &sets, 2).of_rows(rows, None, work)?;
        let matrices = values.chunks_mut((n_features * n_features).max(1));
        for (matrix, sums) in matrices.zip(sums.lanes(Axis(2))) {
            for (set, &sum) in sets.iter().zip(sums) {
                match *set {
                    [i, j] => {
                        let (i, j) = (i as usize, j as usize);
                        matrix[i * n_features + j] = sum / 2.0;
                        matrix[j * n_features + i] = sum / 2.0;
                        matrix[i * n_features + i] -= sum / 2.0;
                        matrix[j * n_features + j] -= sum / 2.0;
                    }
                    [i, ..] => matrix[i as usize * (n_features + 1)] += sum,
                    [] => {}
                }
            }
        }
        let outputs = self.cut.ensemble.margins(rows)?.into_dyn();
        let values = shaped(&[n_rows, n_outputs, n_features, n_features], values);
        Ok(Attribution::new(values, outputs).with_base_values(self.base_values_of(n_rows).into_dyn()))
    }

    fn singles(
        &self,
        sums: &SetSums<'_>,
        tables: Option<&Tables>,
        rows: Rows<'_>,
        work: &Work,
    ) -> Result<Attribution, Error> {
        rows.check(self.cut.ensemble, "rows")?;
        let sums = sums.of_rows(rows, tables, work)?;
        let (n_rows, n_outputs, _) = sums.dim();
        let mut values = Array3::zeros((n_rows, n_outputs, self.cut.ensemble.n_features));
        for (&feature, of_feature) in self.cut.used.iter().zip(sums.axis_iter(Axis(2))) {
            values.index_axis_mut(Axis(2), feature as usize).assign(&of_feature);
        }
        Ok(Attribution::new(values.into_dyn(), self.cut.ensemble.margins(rows)?.into_dyn()))
    }

    fn sums<'b>(&'b self, measure: Measure, sets: &'b FeatureSets, max_size: usize) -> SetSums<'b> {
        SetSums::new(&self.cut, Absence::Background(&self.patterns), measure, sets, max_size)
    }

    fn base_values_of(&self, n_rows: usize) -> Array2<f64> {
        Array2::from_shape_fn((n_rows, self.base_values.len()), |(_, output)| self.base_values[output])
    }
}

/// The weights of background rows, divided by their sum.
pub(crate) fn shares(background: Rows<'_>, weights: &[f64]) -> Result<Vec<f64>, Error> {
    let fault = |reason: String| Err(Error::Rows { what: "background", reason });
    if background.n_rows() == 0 {
        return fault("no rows; give at least one".to_owned());
    }
    if weights.len() != background.n_rows() {
        return fault(format!("{} weights for {} rows", weights.len(), background.n_rows()));
    }
    let sum: f64 = weights.iter().sum();
    if !(weights.iter().all(|&weight| weight >= 0.0) && sum.is_finite() && sum > 0.0) {
        return fault("weights must be finite, not negative, and not all 0".to_owned());
    }
    Ok(weights.iter().map(|weight| weight / sum).collect())
}

impl TreeEnsemble {
    /// The mean of the margins in f64, `[outputs]`. `shares` sum to 1.
    pub(crate) fn mean_margins(&self, rows: Rows<'_>, shares: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_outputs()];
        let mut row = vec![0.0; self.n_features];
        for (index, share) in shares.iter().enumerate() {
            rows.fill(index, self, &mut row);
            for tree in &self.trees {
                let values = tree.leaf(tree.leaf_of(&row));
                tree.outputs.clone().zip(values).for_each(|(output, value)| sums[output] += share * value);
            }
        }
        sums.iter().zip(&self.base_scores).map(|(sum, base)| base + self.scale * sum).collect()
    }
}

#[cfg(test)]
mod tests;
