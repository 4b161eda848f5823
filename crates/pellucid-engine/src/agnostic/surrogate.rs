//! Predicted model + one row → LIME's surrogates with all that they tell: scores, intercepts, which features take part.

use ndarray::{Array2, ArrayD, ArrayViewD};
use pellucid_agnostic::lime::{self, Surrogate, Table, TabularOptions, lime, lime_tabular};
use pellucid_agnostic::{Groups, MaskedRow, Masker};
use pellucid_core::Work;

use super::model::PredictedModel;
use crate::error::Error;

/// Where the rows around a row come from.
#[derive(Clone, Debug)]
pub enum Neighborhood {
    /// Drawn column by column from what is known of training rows.
    Table(Table, TabularOptions),
    /// Coalitions of groups of features (numbered from 0, of a row's shape); absent ones have the baseline's values.
    Coalitions {
        /// The group of each feature.
        groups: ArrayD<usize>,
        /// What stands where a group is absent.
        baseline: ArrayD<f64>,
        /// How coalitions are drawn, and what is fitted to them.
        options: lime::Options,
    },
}

/// One linear surrogate around `row` for each of `outputs`.
///
/// # Errors
/// An output that is not there, options that cannot be, whatever the model reports.
pub fn surrogate(
    model: &PredictedModel<'_>,
    row: ArrayViewD<'_, f64>,
    outputs: &[usize],
    neighborhood: &Neighborhood,
    work: &Work,
) -> Result<Surrogate, Error> {
    let n_outputs = model.predictor().n_outputs();
    if let Some(output) = outputs.iter().find(|&&output| output >= n_outputs) {
        let reason = format!("output {output} is out of range; the model has {n_outputs}");
        return Err(Error::request("target", reason));
    }
    let weights = Array2::from_shape_fn((n_outputs, outputs.len()), |(output, target)| {
        f64::from(u8::from(outputs[target] == output))
    });
    let masker = match neighborhood {
        Neighborhood::Table(..) => Masker::baseline(row.to_owned(), Groups::single(row.shape())),
        Neighborhood::Coalitions { groups, baseline, .. } => {
            Masker::baseline(baseline.clone(), Groups::new(groups.clone())?)
        }
    }?;
    let game = MaskedRow::new(model.predictor(), &masker, row, weights)?;
    work.progress.begin(neighborhood.n_samples());
    let found = match neighborhood {
        Neighborhood::Table(table, options) => lime_tabular(&game, table, options, work),
        Neighborhood::Coalitions { options, .. } => lime(&game, options, work),
    };
    work.progress.end();
    Ok(found?)
}

impl Neighborhood {
    fn n_samples(&self) -> usize {
        match self {
            Self::Table(_, options) => options.n_samples,
            Self::Coalitions { options, .. } => options.n_samples,
        }
    }
}
