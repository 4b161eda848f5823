//! Tree model + tables → an explanation of each row, written as it comes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{NoProgress, Work, row_digest_f64, top_outputs};

use super::blocks::{Block, Blocks};
use super::explainer::Explainer;
use super::kept::{Kept, KeptRow};
use super::method::TreeMethod;
use super::model::TreeModel;
use super::summary::Summary;
use super::targets::{Explained, TreeTarget};
use super::writer::{TableFormat, Writer, value_names};
use crate::error::Error;
use crate::explanation::{
    About, ExplainedTarget, Explanation, ModelSource, Prediction, RowSource, RuntimeUse, targets_last,
};
use crate::input::{Source, hex};

/// Outputs of each row that an explanation tells of.
const N_PREDICTIONS: usize = 5;

/// What is asked about the rows of tables.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRequest {
    /// How to explain.
    pub method: TreeMethod,
    /// What to explain.
    pub target: TreeTarget,
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
    let n_outputs = model.ensemble().n_outputs();
    request.target.check(n_outputs, model.labels())?;
    let mut blocks = Blocks::open(model, inputs, request.array.as_deref(), &request.other_columns)?;
    let silent = Work { progress: Arc::new(NoProgress), ..work.clone() };
    let explainer = Explainer::new(model.ensemble(), &request.method, &silent)?;
    let run = Run { model, request, explainer, work, silent };
    let done = run.all(&mut blocks, output);
    work.progress.end();
    done
}

struct Run<'a> {
    model: &'a TreeModel,
    request: &'a TableRequest,
    explainer: Explainer<'a>,
    work: &'a Work,
    silent: Work,
}

impl Run<'_> {
    fn all(&self, blocks: &mut Blocks<'_>, output: Option<&TableOutput>) -> Result<TableExplanation, Error> {
        let mut summary = Summary::new(self.model.ensemble().trees.len());
        let mut kept = Kept::new();
        let mut writer: Option<Writer> = None;
        let mut sets = None;
        while let Some(block) = blocks.next_block()? {
            self.work.check()?;
            if summary.n_rows == 0 {
                self.work.progress.begin(blocks.estimated_rows());
            }
            let made = self.explainer.explain(block.rows.view(), &self.silent)?;
            let outputs = all_outputs(&made.attribution.outputs)?;
            let explained = self.request.target.of(&made.attribution, outputs.view(), self.model.labels())?;
            summary.add(&block, &explained)?;
            kept.add(&block, &explained, outputs.view());
            sets = made.sets;
            if let Some(output) = output {
                if writer.is_none() {
                    let names = value_names(blocks.feature_names(), sets.as_deref(), explained.values.ndim());
                    writer = Some(Writer::new(output, names, explained.values.shape()[1])?);
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
            standard_error: optional(|row| row.standard_error.as_ref(), of_values)?,
            raw_map: None,
            data: kept.array(|row| &row.data, &[self.model.ensemble().n_features])?,
            baselines: None,
            evaluations: vec![1; kept.rows.len()],
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
        let (model, method) = (self.model, &self.request.method);
        let parameters = method.parameters();
        let others = self.request.other_columns.iter().enumerate();
        let texts = |column: usize| kept.rows.iter().map(|row| row.texts[column].clone()).collect();
        About {
            method: method.name().to_owned(),
            parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            seed: self.request.seed,
            target: ExplainedTarget {
                asked: match &self.request.target {
                    TreeTarget::All => "all".to_owned(),
                    TreeTarget::Of(target) => target.to_string(),
                },
                indices: kept.rows.iter().map(|row| row.indices.clone()).collect(),
            },
            output_space: method.space,
            output_name: model.ensemble().provenance.objective.clone(),
            output_names: model.labels().map(<[String]>::to_vec),
            feature_names: Some(blocks.feature_names().to_vec()),
            feature_categories: model.ensemble().categories.clone(),
            feature_sets: sets
                .map(|sets| sets.iter().map(|set| set.iter().map(|&i| i as usize).collect()).collect()),
            other_columns: others
                .map(|(index, name)| (name.clone(), texts(index)))
                .collect::<BTreeMap<_, _>>(),
            channel_axis: None,
            signed: true,
            predictions: kept.rows.iter().map(|row| predictions(model, row)).collect(),
            model: ModelSource {
                name: model.name().to_owned(),
                format: model.format().to_owned(),
                digest: model.digest().to_owned(),
                producer: model.producer(),
            },
            runtime: RuntimeUse {
                fingerprint: fingerprint(),
                batch_size: None,
                max_memory_bytes: self.work.max_memory_bytes,
            },
            inputs: kept.rows.iter().map(source).collect(),
            preprocessing: None,
            warnings: self.warnings(blocks, kept, summary),
            pellucid_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn warnings(&self, blocks: &Blocks<'_>, kept: &Kept, summary: &Summary) -> Vec<String> {
        let mut warnings = self.model.ensemble().provenance.warnings.clone();
        warnings.extend_from_slice(&self.request.method.warnings);
        warnings.extend(blocks.warnings());
        if kept.stride > 1 {
            warnings.push(format!(
                "these are {} of the table's {} rows, every {}th",
                kept.rows.len(),
                summary.n_rows,
                kept.stride
            ));
        }
        warnings
    }
}

fn all_outputs(outputs: &ArrayD<f64>) -> Result<Array2<f64>, Error> {
    outputs.clone().into_dimensionality().map_err(|error| Error::request("method", error.to_string()))
}

/// The instructions decide about last bits.
fn fingerprint() -> String {
    let level = pellucid_trees::Level::available().last().map_or(String::new(), |level| format!("{level:?}"));
    format!("pellucid-trees {} {}", env!("CARGO_PKG_VERSION"), level.to_lowercase())
}

fn source(row: &KeptRow) -> RowSource {
    let data = ndarray::aview1(&row.data).into_dyn();
    RowSource {
        source: Source { file: row.file.clone(), row_index: row.row_index, crop_box: None },
        digest: hex(&row_digest_f64(data)),
    }
}

/// The highest outputs of a row, and the explained ones where they are not among them.
fn predictions(model: &TreeModel, row: &KeptRow) -> Vec<Prediction> {
    let outputs = ndarray::aview1(&row.all_outputs);
    let mut indices = top_outputs(outputs, N_PREDICTIONS);
    indices.extend(
        row.indices.iter().flatten().filter(|index| !indices.contains(index)).copied().collect::<Vec<_>>(),
    );
    let mut linked = row.all_outputs.clone();
    model.ensemble().link.apply(&mut linked);
    let prediction = |index: usize| Prediction {
        index,
        label: model.labels().and_then(|labels| labels.get(index).cloned()),
        output: row.all_outputs[index],
        probability: model.classifies().then(|| linked[index]),
    };
    indices.into_iter().map(prediction).collect()
}

/// The place of a row in a block, for messages.
pub(crate) fn place(block: &Block, row: usize) -> String {
    format!("{}, row {}", block.file, block.first_row + row)
}

/// The rows of `values` `[rows, targets, …]`, each with its targets.
pub(crate) fn by_row(explained: &Explained) -> impl Iterator<Item = ndarray::ArrayViewD<'_, f64>> {
    explained.values.axis_iter(Axis(0))
}
