//! How much a tree model uses each feature: by its file, and by the values of a table's rows.

use std::path::PathBuf;

use ndarray::{Array2, ArrayView1, Axis, Ix2};
use pellucid_core::Work;
use pellucid_trees::{Importance, Rows, importance};

use super::explain::{TableRequest, explain_table};
use super::memory::{NamedColumns, explain_rows};
use super::method::{TreeMethod, TreeOptions};
use super::model::TreeModel;
use super::summary::Summary;
use crate::error::Error;
use crate::output_target::OutputTarget;

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
    let mut table = of_file(model);
    if inputs.is_empty() {
        return Ok(table);
    }
    let options = TreeOptions { background: background.to_vec(), ..TreeOptions::default() };
    let explained =
        explain_table(model, inputs, &request(TreeMethod::new(None, &options, model)?), None, work)?;
    table.add(model, &explained.summary)?;
    table.feature_names = explained.explanation.about.feature_names.unwrap_or_default();
    table.warnings = explained.explanation.about.warnings;
    Ok(table)
}

/// The same of rows in memory, with such columns; `background` is `[rows, features]`.
///
/// # Errors
/// Whatever explaining reports.
pub fn importance_of_rows(
    model: &TreeModel,
    rows: Rows<'_>,
    columns: NamedColumns,
    background: Option<Array2<f64>>,
    work: &Work,
) -> Result<ImportanceTable, Error> {
    let mut table = of_file(model);
    let options = TreeOptions { background_rows: background, ..TreeOptions::default() };
    let explained = explain_rows(model, rows, &request(TreeMethod::new(None, &options, model)?), work)?;
    table.add(model, &explained.summary)?;
    table.feature_names = columns.feature_names;
    table.warnings.extend(columns.warnings);
    Ok(table)
}

fn request(method: TreeMethod) -> TableRequest {
    TableRequest { method, target: OutputTarget::All, seed: 0, array: None, other_columns: Vec::new() }
}

/// What the model's splits tell, by itself.
fn of_file(model: &TreeModel) -> ImportanceTable {
    let ensemble = model.ensemble();
    let of_file = Importance::NAMES.iter().map(|(name, kind)| (*name, importance(ensemble, *kind).ok()));
    let numbered = || (0..ensemble.n_features).map(|index| format!("feature {index}")).collect();
    ImportanceTable {
        feature_names: ensemble.feature_names.clone().unwrap_or_else(numbered),
        of_file: of_file.collect(),
        mean_absolute_values: None,
        n_rows: 0,
        warnings: ensemble.provenance.warnings.clone(),
    }
}

impl ImportanceTable {
    fn add(&mut self, model: &TreeModel, summary: &Summary) -> Result<(), Error> {
        let sizes = summary.mean_sizes.clone().into_dimensionality::<Ix2>();
        let sizes = sizes.map_err(|error| Error::request("method", error.to_string()))?;
        let of_output =
            |(index, sizes): (usize, ArrayView1<'_, f64>)| (model.output_label(index), sizes.to_vec());
        self.mean_absolute_values = Some(sizes.axis_iter(Axis(0)).enumerate().map(of_output).collect());
        self.n_rows = summary.n_rows;
        Ok(())
    }
}
