//! What an explanation of a table tells beside its numbers, wherever the rows came from.

use std::collections::BTreeMap;

use ndarray::ArrayView1;
use pellucid_core::{OutputSpace, Work, row_digest_f64, top_outputs};

use super::explain::TableRequest;
use super::method::TreeMethod;
use super::model::TreeModel;
use crate::explanation::{
    About, ExplainedTarget, MAX_TOLD_OUTPUTS, ModelSource, Prediction, RowSource, RuntimeUse,
};
use crate::input::{Source, hex};

/// Outputs of each row that an explanation tells of.
const N_PREDICTIONS: usize = 5;

/// What is told of the explained rows.
pub(crate) struct Told {
    pub(crate) feature_names: Vec<String>,
    pub(crate) feature_sets: Option<Vec<Vec<u32>>>,
    pub(crate) other_columns: BTreeMap<String, Vec<String>>,
    pub(crate) indices: Option<Vec<Vec<usize>>>,
    pub(crate) predictions: Vec<Vec<Prediction>>,
    pub(crate) all_outputs: Option<Vec<Vec<f64>>>,
    pub(crate) inputs: Vec<RowSource>,
    pub(crate) inclusion_probability: f64,
    pub(crate) warnings: Vec<String>,
}

pub(crate) fn about(model: &TreeModel, request: &TableRequest, work: &Work, told: Told) -> About {
    let method = &request.method;
    let parameters = method.parameters();
    let of_usize = |sets: Vec<Vec<u32>>| -> Vec<Vec<usize>> {
        sets.iter().map(|set| set.iter().map(|&index| index as usize).collect()).collect()
    };
    About {
        method: method.name().to_owned(),
        parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        seed: request.seed,
        target: ExplainedTarget {
            asked: match (&request.target, method.space) {
                (_, space @ OutputSpace::LogLoss) => space.name().to_owned(),
                (target, _) => target.to_string(),
            },
            indices: told.indices,
        },
        output_space: method.space,
        output_name: model.ensemble().provenance.objective.clone(),
        output_names: model.labels().map(<[String]>::to_vec),
        feature_names: Some(told.feature_names),
        feature_categories: model.ensemble().categories.clone(),
        feature_sets: told.feature_sets.map(of_usize),
        other_columns: told.other_columns,
        channel_axis: None,
        signed: true,
        predictions: told.predictions,
        all_outputs: told.all_outputs,
        model: ModelSource {
            name: model.name().to_owned(),
            format: model.format().to_owned(),
            digest: model.digest().to_owned(),
            producer: model.producer(),
        },
        runtime: RuntimeUse {
            fingerprint: fingerprint(),
            batch_size: None,
            max_memory_bytes: work.max_memory_bytes,
        },
        inputs: told.inputs,
        inclusion_probability: told.inclusion_probability,
        preprocessing: None,
        deletion: Vec::new(),
        warnings: told.warnings,
        pellucid_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// What must be known of model and method.
pub(crate) fn warnings(model: &TreeModel, method: &TreeMethod) -> Vec<String> {
    model.ensemble().provenance.warnings.iter().chain(&method.warnings).cloned().collect()
}

/// The instructions decide about last bits.
pub(crate) fn fingerprint() -> String {
    let level = pellucid_trees::Level::available().last().map_or(String::new(), |level| format!("{level:?}"));
    format!("pellucid-trees {} {}", env!("CARGO_PKG_VERSION"), level.to_lowercase())
}

/// Where a row came from; `file` is empty for rows in memory.
pub(crate) fn source(file: &str, row_index: usize, data: ArrayView1<'_, f64>) -> RowSource {
    RowSource {
        source: Source { file: file.to_owned(), row_index, crop_box: None },
        digest: hex(&row_digest_f64(data.into_dyn())),
    }
}

/// The outputs of a row in the explanation's space; their margins where a log-loss is explained.
fn outputs(model: &TreeModel, method: &TreeMethod, margins: &[f64]) -> Vec<f64> {
    let mut outputs = margins.to_vec();
    if method.linked.is_some() && method.space != OutputSpace::LogLoss {
        model.ensemble().link.apply(&mut outputs);
    }
    outputs
}

/// All outputs of each row, where they are few enough to be told.
pub(crate) fn all_outputs(
    model: &TreeModel,
    method: &TreeMethod,
    margins: impl Iterator<Item = Vec<f64>>,
) -> Option<Vec<Vec<f64>>> {
    let of_row = |row: Vec<f64>| (row.len() <= MAX_TOLD_OUTPUTS).then(|| outputs(model, method, &row));
    margins.map(of_row).collect()
}

/// The highest outputs of a row, and the explained ones where they are not among them.
pub(crate) fn predictions(
    model: &TreeModel,
    method: &TreeMethod,
    margins: &[f64],
    explained: Option<&[usize]>,
) -> Vec<Prediction> {
    let mut indices = top_outputs(ndarray::aview1(margins), N_PREDICTIONS);
    for index in explained.into_iter().flatten() {
        if !indices.contains(index) {
            indices.push(*index);
        }
    }
    let mut linked = margins.to_vec();
    model.ensemble().link.apply(&mut linked);
    let outputs = outputs(model, method, margins);
    let prediction = |index: usize| Prediction {
        index,
        label: model.labels().and_then(|labels| labels.get(index).cloned()),
        output: outputs[index],
        probability: model.classifies().then(|| linked[index]),
    };
    indices.into_iter().map(prediction).collect()
}
