//! Tree model + rows in memory → an explanation of each row: its arrays at once, the rest when it is asked for.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array, Array2, ArrayD, ArrayView2, Axis, RemoveAxis, Slice, concatenate};
use pellucid_core::{NoProgress, Target, Work};
use pellucid_trees::{Rows, Tree, TreeNode};

use super::about::{Told, about, all_outputs, predictions, source, warnings};
use super::cells::Cells;
use super::columns::{Beside, Columns, columns};
use super::explain::TableRequest;
use super::explainer::{BlockAttribution, Explainer, rows_at_once};
use super::method::TreeMethod;
use super::model::TreeModel;
use super::spaces::Labels;
use super::summary::Summary;
use super::targets::Explained;
use crate::error::Error;
use crate::explanation::{About, targets_last};
use crate::output_target::OutputTarget;

/// Leaves times rows that are explained between two looks at the cancellation: well below a second's work.
const LEAVES_AT_ONCE: usize = 1 << 25;

/// Rows that are explained between two looks at the most.
const ROWS_AT_ONCE: usize = 1 << 16;

/// The explanation of rows in memory. Shapes are those of [`crate::Explanation`].
#[derive(Clone, Debug)]
pub struct RowsExplanation {
    /// `[rows, features]`, of pairs `[rows, features, features]`, of sets `[rows, sets]`; several targets stand last.
    pub values: ArrayD<f64>,
    /// `[rows]`.
    pub outputs: ArrayD<f64>,
    /// `[rows]`.
    pub base_values: Option<ArrayD<f64>>,
    /// `[rows]`.
    pub convergence_delta: Option<ArrayD<f64>>,
    /// Of the shape of `values`.
    pub standard_error: Option<ArrayD<f64>>,
    /// Model evaluations that each row took.
    pub evaluations: Vec<usize>,
    /// What was found over all rows.
    pub summary: Summary,
    /// What else is known of the rows.
    pub known: KnownOfRows,
}

/// What [`KnownOfRows::about`] is made of beside model, request and rows.
#[derive(Clone, Debug)]
pub struct KnownOfRows {
    indices: Option<Vec<Vec<usize>>>,
    /// `[rows, outputs]`: of all outputs of the model.
    margins: Array2<f64>,
    n_rows_drawn: usize,
    sets: Option<Vec<Vec<u32>>>,
}

/// Explains every row. The numbers are those that [`crate::explain_table`] gives for the same rows in a file.
///
/// # Errors
/// Rows of another width than the model, none at all, or with an infinite number; whatever target and method report;
/// a cancellation.
pub fn explain_rows(
    model: &TreeModel,
    rows: Rows<'_>,
    request: &TableRequest,
    work: &Work,
) -> Result<RowsExplanation, Error> {
    check(model, rows)?;
    request.check(&request.target.rows(0..1), model)?;
    let labels = labels(&request.method, rows.n_rows())?;
    let silent = Work { progress: Arc::new(NoProgress), ..work.clone() };
    let explainer = Explainer::new(model, &request.method, request.seed, &silent)?;
    work.progress.begin(rows.n_rows());
    let mut parts = Parts::new(model);
    let at_once = rows_between_looks(model).min(rows_at_once(model.ensemble(), &request.method, work));
    let done = each_range(rows.n_rows(), at_once, |range| {
        work.check()?;
        let n = range.len();
        let of_rows = labels.map(|labels| labels[range.clone()].to_vec());
        let made = explainer.explain(part(rows, &range), of_rows, &silent)?;
        let explained = request.explained(&made, &request.target.rows(range), model)?;
        parts.add(made, explained)?;
        work.progress.advance(n);
        Ok(())
    });
    work.progress.end();
    done?;
    parts.joined()
}

impl KnownOfRows {
    /// Everything about the explanation that is no array. `rows` are those that were explained, with those `columns`.
    pub fn about(
        &self,
        model: &TreeModel,
        rows: ArrayView2<'_, f64>,
        columns: &NamedColumns,
        request: &TableRequest,
        work: &Work,
    ) -> About {
        let of_row = |row: usize| self.indices.as_ref().map(|indices| indices[row].as_slice());
        let method = &request.method;
        let prediction_of =
            |row: usize| predictions(model, method, &self.margins.row(row).to_vec(), of_row(row));
        let mut all_warnings = warnings(model, method);
        all_warnings.extend(columns.warnings.iter().cloned());
        if let Some(linked) = method.linked.as_ref().filter(|_| self.n_rows_drawn > 0) {
            all_warnings.push(linked.warning(self.n_rows_drawn, rows.nrows()));
        }
        let told = Told {
            inclusion_probability: 1.0,
            feature_names: columns.feature_names.clone(),
            feature_sets: self.sets.clone(),
            other_columns: BTreeMap::new(),
            indices: self.indices.clone(),
            predictions: (0..rows.nrows()).map(prediction_of).collect(),
            all_outputs: all_outputs(model, method, self.margins.rows().into_iter().map(|row| row.to_vec())),
            inputs: rows.rows().into_iter().enumerate().map(|(index, row)| source("", index, row)).collect(),
            warnings: all_warnings,
        };
        about(model, request, work, told)
    }
}

impl TreeModel {
    /// Which of some named columns are the model's features, as for a file's; `None`: columns without names.
    ///
    /// # Errors
    /// Columns that do not fit.
    pub fn columns(&self, names: Option<&[String]>, n_columns: usize) -> Result<NamedColumns, Error> {
        let found = columns(Path::new("rows"), names, n_columns, self, Beside::default())?;
        let Columns { features: places, feature_names, warnings, .. } = found;
        Ok(NamedColumns { places, feature_names, warnings })
    }

    /// The codes of some cells of a feature, as those of a file are read, and what must be known of them.
    ///
    /// # Errors
    /// A feature that is not there; a cell that is no category and no number.
    pub fn codes(&self, feature: usize, cells: &[String]) -> Result<(Vec<f64>, Vec<String>), Error> {
        let fault = |reason: String| Error::Core(pellucid_core::Error::Input { reason });
        if feature >= self.ensemble().n_features {
            return Err(fault(format!("there is no feature {feature}")));
        }
        let mut reader = Cells::new(self.ensemble());
        let names = self.columns(None, self.ensemble().n_features)?.feature_names;
        let codes = cells.iter().map(|cell| reader.value(feature, cell)).collect::<Result<_, _>>();
        let codes = codes.map_err(|reason| fault(format!("column `{}`: {reason}", names[feature])))?;
        Ok((codes, reader.warnings(&names)))
    }
}

/// Columns of a table in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedColumns {
    /// For each feature of the model its column.
    pub places: Vec<usize>,
    /// The names of the features.
    pub feature_names: Vec<String>,
    /// What must be known of the columns.
    pub warnings: Vec<String>,
}

fn check(model: &TreeModel, rows: Rows<'_>) -> Result<(), Error> {
    rows.check(model.ensemble(), "rows")?;
    let fault = |reason: String| Error::Core(pellucid_core::Error::Input { reason });
    if rows.n_rows() == 0 {
        return Err(fault("there are no rows".to_owned()));
    }
    let infinite = match rows {
        Rows::F32(rows) => rows.indexed_iter().find(|(_, x)| x.is_infinite()).map(|(place, _)| place),
        Rows::F64(rows) => rows.indexed_iter().find(|(_, x)| x.is_infinite()).map(|(place, _)| place),
        Rows::Sparse(_) => {
            let what = "sparse rows are not explained as they are; make them dense".to_owned();
            return Err(Error::Unsupported { what });
        }
    };
    match infinite {
        Some((row, column)) => Err(fault(format!(
            "row {row}, column {column} is infinite; write a number, or NaN for a missing value"
        ))),
        None => Ok(()),
    }
}

/// The true classes of all rows, where the output space asks for them.
fn labels(method: &TreeMethod, n_rows: usize) -> Result<Option<&[usize]>, Error> {
    match method.linked.as_ref().and_then(|linked| linked.labels.as_ref()) {
        None => Ok(None),
        Some(Labels::OfRows(labels)) if labels.len() == n_rows => Ok(Some(labels)),
        Some(Labels::OfRows(labels)) => {
            Err(Error::request("labels", format!("{} for {n_rows} rows; give one a row", labels.len())))
        }
        Some(Labels::Column(_)) => {
            Err(Error::request("labels", "name a column; of rows in memory give the classes themselves"))
        }
    }
}

fn rows_between_looks(model: &TreeModel) -> usize {
    let n_leaves: usize = model.ensemble().trees.iter().map(n_leaves).sum();
    (LEAVES_AT_ONCE / n_leaves.max(1)).clamp(1, ROWS_AT_ONCE)
}

fn each_range(
    n_rows: usize,
    at_once: usize,
    mut explain: impl FnMut(Range<usize>) -> Result<(), Error>,
) -> Result<(), Error> {
    (0..n_rows).step_by(at_once).try_for_each(|start| explain(start..n_rows.min(start + at_once)))
}

fn n_leaves(tree: &Tree) -> usize {
    tree.nodes.iter().filter(|node| matches!(node, TreeNode::Leaf { .. })).count()
}

fn part<'a>(rows: Rows<'a>, range: &Range<usize>) -> Rows<'a> {
    let slice = Slice::from(range.clone());
    match rows {
        Rows::F32(mut rows) => {
            rows.slice_axis_inplace(Axis(0), slice);
            Rows::F32(rows)
        }
        Rows::F64(mut rows) => {
            rows.slice_axis_inplace(Axis(0), slice);
            Rows::F64(rows)
        }
        sparse => sparse,
    }
}

impl OutputTarget {
    /// The target of some of the rows.
    fn rows(&self, range: Range<usize>) -> Self {
        match self {
            Self::Of(Target::PerRow(indices)) => {
                Self::Of(Target::PerRow(indices.get(range).unwrap_or(indices.as_slice()).to_vec()))
            }
            other => other.clone(),
        }
    }
}

/// The explained parts of the rows, in order.
struct Parts {
    summary: Summary,
    explained: Vec<Explained>,
    margins: Vec<Array2<f64>>,
    sets: Option<Vec<Vec<u32>>>,
}

impl Parts {
    fn new(model: &TreeModel) -> Self {
        let summary = Summary::new(model.ensemble());
        Self { summary, explained: Vec::new(), margins: Vec::new(), sets: None }
    }

    fn add(&mut self, made: BlockAttribution, explained: Explained) -> Result<(), Error> {
        let first_row = self.summary.n_rows;
        self.summary.add(&explained, |row| format!("row {}", first_row + row))?;
        self.explained.push(explained);
        self.margins.push(made.margins);
        self.sets = made.sets;
        Ok(())
    }

    fn joined(self) -> Result<RowsExplanation, Error> {
        let flat = |of_part: fn(&mut Explained) -> Option<Array2<f64>>, parts: &mut [Explained]| {
            let arrays: Option<Vec<_>> = parts.iter_mut().map(of_part).collect();
            arrays.map(|arrays| joined(arrays).map(|array| targets_last(array.into_dyn()))).transpose()
        };
        let mut parts = self.explained;
        let values = parts.iter_mut().map(|part| std::mem::take(&mut part.values)).collect();
        let errors: Option<Vec<_>> = parts.iter_mut().map(|part| part.standard_error.take()).collect();
        let outputs = parts.iter_mut().map(|part| std::mem::take(&mut part.outputs)).collect();
        Ok(RowsExplanation {
            values: targets_last(joined(values)?),
            outputs: targets_last(joined(outputs)?.into_dyn()),
            base_values: flat(|part| part.base_values.take(), &mut parts)?,
            convergence_delta: flat(|part| part.convergence_delta.take(), &mut parts)?,
            standard_error: errors
                .filter(|_| self.summary.n_rows_drawn > 0)
                .map(|errors| joined(errors).map(targets_last))
                .transpose()?,
            evaluations: parts.iter().flat_map(|part| part.evaluations.iter().copied()).collect(),
            known: KnownOfRows {
                indices: parts
                    .iter_mut()
                    .map(|part| part.indices.take())
                    .collect::<Option<Vec<_>>>()
                    .map(|indices| indices.concat()),
                margins: joined(self.margins)?,
                n_rows_drawn: self.summary.n_rows_drawn,
                sets: self.sets,
            },
            summary: self.summary,
        })
    }
}

/// One below the other; a single part is not copied.
fn joined<D: RemoveAxis>(mut parts: Vec<Array<f64, D>>) -> Result<Array<f64, D>, Error> {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return Ok(only);
    }
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(0), &views).map_err(|error| Error::request("rows", error.to_string()))
}
