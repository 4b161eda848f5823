//! How much a tree model uses each feature: by its file, and by the values of a table's rows.

use std::path::PathBuf;

use ndarray::{Axis, Ix2};
use pellucid_core::Work;
use pellucid_trees::{Importance, importance};

use super::explain::{TableRequest, explain_table};
use super::method::{TreeMethod, TreeOptions};
use super::model::TreeModel;
use super::targets::TreeTarget;
use crate::error::Error;

/// How much a model uses its features.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportanceTable {
    /// The features' names; all lists below have one number for each.
    pub feature_names: Vec<String>,
    /// What the file tells, by name: `splits`, `total_gain` and so on; `None` where it does not tell.
    pub of_file: Vec<(&'static str, Option<Vec<f64>>)>,
    /// The mean of |TreeSHAP value| over the rows of a table, for each output.
    pub mean_absolute_values: Option<Vec<(String, Vec<f64>)>>,
    /// The rows of that table.
    pub n_rows: usize,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// Looks at a model's splits, and, where `inputs` are given, explains all their rows.
///
/// # Errors
/// Whatever reading and explaining report.
pub fn importance_table(
    model: &TreeModel,
    inputs: &[PathBuf],
    background: &[PathBuf],
    work: &Work,
) -> Result<ImportanceTable, Error> {
    let ensemble = model.ensemble();
    let of_file = Importance::NAMES.iter().map(|(name, kind)| (*name, importance(ensemble, *kind).ok()));
    let numbered = || (0..ensemble.n_features).map(|index| format!("feature {index}")).collect();
    let mut table = ImportanceTable {
        feature_names: ensemble.feature_names.clone().unwrap_or_else(numbered),
        of_file: of_file.collect(),
        mean_absolute_values: None,
        n_rows: 0,
        warnings: ensemble.provenance.warnings.clone(),
    };
    if inputs.is_empty() {
        return Ok(table);
    }
    let options = TreeOptions { background: background.to_vec(), ..TreeOptions::default() };
    let method = TreeMethod::new(None, &options, model)?;
    let request =
        TableRequest { method, target: TreeTarget::All, seed: 0, array: None, other_columns: Vec::new() };
    let explained = explain_table(model, inputs, &request, None, work)?;
    let sizes = explained.summary.mean_sizes.clone().into_dimensionality::<Ix2>();
    let sizes = sizes.map_err(|error| Error::request("method", error.to_string()))?;
    let of_output =
        |(index, sizes): (usize, ndarray::ArrayView1<'_, f64>)| (model.output_label(index), sizes.to_vec());
    table.mean_absolute_values = Some(sizes.axis_iter(Axis(0)).enumerate().map(of_output).collect());
    table.n_rows = explained.summary.n_rows;
    table.feature_names = explained.explanation.about.feature_names.unwrap_or_default();
    table.warnings = explained.explanation.about.warnings;
    Ok(table)
}
