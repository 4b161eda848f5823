//! Tree model + tables → an explanation of each row, written as it comes.

use std::path::PathBuf;
use std::sync::Arc;

use ndarray::Axis;
use pellucid_core::{NoProgress, OutputSpace, Work};
use pellucid_trees::Rows;

use super::about::{Told, about, all_outputs, predictions, source, warnings};
use super::blocks::{Block, Blocks, rows_within};
use super::classes::Classes;
use super::columns::Beside;
use super::explainer::{BlockAttribution, Explainer, bytes_of_row, rows_at_once};
use super::kept::{Kept, KeptRow};
use super::method::TreeMethod;
use super::model::TreeModel;
use super::spaces::Labels;
use super::summary::Summary;
use super::targets::Explained;
use super::writer::{TableFormat, Writer, value_names};
use crate::error::Error;
use crate::explanation::{About, Explanation, targets_last};
use crate::output_target::OutputTarget;

/// What is asked about the rows of tables.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRequest {
    /// How to explain.
    pub method: TreeMethod,
    /// What to explain.
    pub target: OutputTarget,
    /// What random draws are made from.
    pub seed: u64,
    /// The array of an `.npz` file.
    pub array: Option<String>,
    /// Columns to keep as text beside the features.
    pub other_columns: Vec<String>,
}

/// Where the attributions of all rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOutput {
    /// The file's folder.
    pub folder: PathBuf,
    /// What is written: `attributions.csv` and so on.
    pub format: TableFormat,
}

/// The explanation of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableExplanation {
    /// Of all rows of a small table, of some of a large one.
    pub explanation: Explanation,
    /// What was found over all rows.
    pub summary: Summary,
    /// The files that were written.
    pub written: Vec<PathBuf>,
}

/// Explains every row of some tables, in blocks, and writes the attributions of each block before the next is read.
///
/// # Errors
/// Whatever tables, target, method and output report; a cancellation.
pub fn explain_table(
    model: &TreeModel,
    inputs: &[PathBuf],
    request: &TableRequest,
    output: Option<&TableOutput>,
    work: &Work,
) -> Result<TableExplanation, Error> {
    request.check(&request.target, model)?;
    let other_columns = request.columns();
    let (array, beside) = (request.array.as_deref(), Beside { kept: &other_columns, ignored: None });
    let n_at_once = rows_at_once(model.ensemble(), &request.method, work);
    let mut blocks = Blocks::open(model, inputs, array, beside, n_at_once)?;
    let silent = Work { progress: Arc::new(NoProgress), ..work.clone() };
    let explainer = Explainer::new(model, &request.method, request.seed, &silent)?;
    let run = Run { model, request, explainer, other_columns: &other_columns, work, silent };
    let done = run.all(&mut blocks, output);
    work.progress.end();
    done
}

impl TableRequest {
    /// The columns that are read beside the features, that of the labels among them.
    fn columns(&self) -> Vec<String> {
        let mut columns = self.other_columns.clone();
        columns.extend(self.label_column().filter(|name| !columns.contains(name)).cloned());
        columns
    }

    fn label_column(&self) -> Option<&String> {
        match self.method.linked.as_ref()?.labels.as_ref()? {
            Labels::Column(name) => Some(name),
            Labels::OfRows(_) => None,
        }
    }

    /// Refuses a target that the model or the space does not have.
    pub(crate) fn check(&self, target: &OutputTarget, model: &TreeModel) -> Result<(), Error> {
        target.check(model.ensemble().n_outputs(), model.labels())?;
        if self.method.space == OutputSpace::LogLoss { target.check_loss() } else { Ok(()) }
    }

    /// What of an attribution of all outputs is asked for.
    pub(crate) fn explained(
        &self,
        made: &BlockAttribution,
        target: &OutputTarget,
        model: &TreeModel,
    ) -> Result<Explained, Error> {
        match self.method.space {
            OutputSpace::LogLoss => Explained::whole(&made.attribution),
            _ => target.of(&made.attribution, made.margins.view(), model.labels()),
        }
    }
}

struct Run<'a> {
    model: &'a TreeModel,
    request: &'a TableRequest,
    explainer: Explainer<'a>,
    other_columns: &'a [String],
    work: &'a Work,
    silent: Work,
}

impl Run<'_> {
    fn all(&self, blocks: &mut Blocks<'_>, output: Option<&TableOutput>) -> Result<TableExplanation, Error> {
        let mut summary = Summary::new(self.model.ensemble());
        let bytes_of_row = bytes_of_row(self.model.ensemble(), &self.request.method);
        let mut kept = Kept::new(rows_within(self.work.max_memory_bytes / 4, bytes_of_row));
        let mut writer: Option<Writer> = None;
        let mut sets = None;
        while let Some(block) = blocks.next_block()? {
            self.work.check()?;
            if summary.n_rows == 0 {
                self.work.progress.begin(blocks.estimated_rows());
            }
            let labels = self.labels(&block)?;
            let made = self.explainer.explain(Rows::F64(block.rows.view()), labels, &self.silent)?;
            let explained = self.request.explained(&made, &self.request.target, self.model)?;
            summary.add(&explained, |row| place(&block, row))?;
            kept.add(&block, &explained, made.margins.view());
            sets = made.sets;
            if let Some(output) = output {
                if writer.is_none() {
                    let names = value_names(blocks.feature_names(), sets.as_deref(), explained.values.ndim());
                    writer = Some(Writer::new(output, &names, &explained)?);
                }
                if let Some(writer) = &mut writer {
                    writer.write(&explained, |index| self.model.output_label(index))?;
                }
            }
            self.work.progress.advance(block.rows.nrows());
        }
        let explanation = self.explanation(blocks, &kept, &summary, sets)?;
        let written = writer.map(Writer::finish).transpose()?.into_iter().collect();
        Ok(TableExplanation { explanation, summary, written })
    }

    /// The classes of a block's rows, where there is a column of them.
    fn labels(&self, block: &Block) -> Result<Option<Vec<usize>>, Error> {
        let Some(name) = self.request.label_column() else { return Ok(None) };
        let column = self.other_columns.iter().position(|column| column == name).unwrap_or(0);
        Classes::of_trees(self.model).of_column(block, name, &block.kept[column]).map(Some)
    }

    /// The kept rows as an explanation.
    fn explanation(
        &self,
        blocks: &Blocks<'_>,
        kept: &Kept,
        summary: &Summary,
        sets: Option<Vec<Vec<u32>>>,
    ) -> Result<Explanation, Error> {
        let of_values = summary.mean_sizes.shape();
        let n_targets = &of_values[..1];
        let optional = |of_row: fn(&KeptRow) -> Option<&Vec<f64>>, shape: &[usize]| {
            Ok::<_, Error>(kept.optional(of_row, shape)?.map(targets_last))
        };
        let explanation = Explanation {
            values: targets_last(kept.array(|row| &row.values, of_values)?),
            outputs: targets_last(kept.array(|row| &row.outputs, n_targets)?),
            base_values: optional(|row| row.base_values.as_ref(), n_targets)?,
            convergence_delta: optional(|row| row.convergence_delta.as_ref(), n_targets)?,
            standard_error: optional(|row| row.standard_error.as_ref(), of_values)?
                .filter(|_| summary.n_rows_drawn > 0),
            raw_map: None,
            data: kept.array(|row| &row.data, &[self.model.ensemble().n_features])?,
            baselines: None,
            evaluations: kept.rows.iter().map(|row| row.evaluations).collect(),
            about: self.about(blocks, kept, summary, sets),
        };
        explanation.check_finite()?;
        Ok(explanation)
    }

    fn about(
        &self,
        blocks: &Blocks<'_>,
        kept: &Kept,
        summary: &Summary,
        sets: Option<Vec<Vec<u32>>>,
    ) -> About {
        let method = &self.request.method;
        let others = self.other_columns.iter().enumerate();
        let texts = |column: usize| kept.rows.iter().map(|row| row.texts[column].clone()).collect();
        let prediction_of =
            |row: &KeptRow| predictions(self.model, method, &row.margins, row.indices.as_deref());
        let input_of = |row: &KeptRow| source(&row.file, row.row_index, ndarray::aview1(&row.data));
        let told = Told {
            feature_names: blocks.feature_names().to_vec(),
            feature_sets: sets,
            other_columns: others.map(|(index, name)| (name.clone(), texts(index))).collect(),
            indices: kept.rows.iter().map(|row| row.indices.clone()).collect(),
            predictions: kept.rows.iter().map(prediction_of).collect(),
            all_outputs: all_outputs(self.model, method, kept.rows.iter().map(|row| row.margins.clone())),
            inputs: kept.rows.iter().map(input_of).collect(),
            inclusion_probability: 1.0 / kept.stride as f64,
            warnings: self.warnings(blocks, kept, summary),
        };
        about(self.model, self.request, self.work, told)
    }

    fn warnings(&self, blocks: &Blocks<'_>, kept: &Kept, summary: &Summary) -> Vec<String> {
        let mut warnings = warnings(self.model, &self.request.method);
        warnings.extend(blocks.warnings());
        if let Some(linked) = self.request.method.linked.as_ref().filter(|_| summary.n_rows_drawn > 0) {
            warnings.push(linked.warning(summary.n_rows_drawn, summary.n_rows));
        }
        if kept.stride > 1 {
            warnings.push(format!(
                "these are {} of the table's {} rows, one in {}, evenly spaced",
                kept.rows.len(),
                summary.n_rows,
                kept.stride
            ));
        }
        warnings
    }
}

/// The place of a row in a block, for messages.
pub(crate) fn place(block: &Block, row: usize) -> String {
    format!("{}, row {}", block.file, block.first_row + row)
}

/// The rows of `values` `[rows, targets, …]`, each with its targets.
pub(crate) fn by_row(explained: &Explained) -> impl Iterator<Item = ndarray::ArrayViewD<'_, f64>> {
    explained.values.axis_iter(Axis(0))
}
