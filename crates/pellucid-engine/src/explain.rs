//! Model + input + method → [`Explanation`].

use ndarray::{Array2, ArrayView1, Axis};
use pellucid_core::{Attribution, OutputSpace, ResolvedTarget, Target, Work, top_outputs};
use pellucid_explain::Network;
use pellucid_explain::network::{Ending, OutputPlaces};
use pellucid_explain::segmentation;

use crate::aim::{Aim, compared};
use crate::deletion::deletion_checks;
use crate::digests;
use crate::error::Error;
use crate::explanation::{
    About, ExplainedTarget, Explanation, ModelSource, Prediction, RowSource, RuntimeUse, targets_last,
    told_outputs,
};
use crate::input::Input;
use crate::method::Method;
use crate::model::LoadedModel;

/// Outputs of each row that an explanation tells of.
const N_PREDICTIONS: usize = 5;

/// What is asked about some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// How to explain.
    pub method: Method,
    /// What to explain.
    pub target: Target,
    /// What random draws are made from; the method holds the same.
    pub seed: u64,
}

/// Explains every row of `input`.
///
/// # Errors
/// Whatever model, input and method report; a result that is not finite.
pub fn explain(
    model: &LoadedModel,
    input: &Input,
    request: &Request,
    work: &Work,
) -> Result<Explanation, Error> {
    let compared = compared(model, &request.target, work)?;
    let model = compared.as_ref().unwrap_or(model);
    let mut attributed = attribute(model, input, request, work)?;
    let checks = deletion_checks(model, input, &request.method, &mut attributed, request.seed, None, work)?;
    let mut explanation = explanation(model, input, request, work, attributed)?;
    explanation.about.deletion = checks;
    Ok(explanation)
}

/// An attribution with what it was made for.
pub(crate) struct Attributed {
    /// The model's outputs, `[rows, outputs]`.
    pub(crate) outputs: Array2<f64>,
    /// Which of them are explained.
    pub(crate) target: ResolvedTarget,
    /// For each row, the explained indices among what has labels, where each target is one.
    pub(crate) indices: Option<Vec<Vec<usize>>>,
    pub(crate) attribution: Attribution,
}

pub(crate) fn attribute(
    model: &LoadedModel,
    input: &Input,
    request: &Request,
    work: &Work,
) -> Result<Attributed, Error> {
    let Aim { target, outputs, resolved, indices } = Aim::new(model, &input.rows, &request.target, work)?;
    let attribution = request.method.attribute(model.network(), &input.rows, &target, work)?;
    Ok(Attributed { outputs, target: resolved, indices, attribution })
}

pub(crate) fn explanation(
    model: &LoadedModel,
    input: &Input,
    request: &Request,
    work: &Work,
    attributed: Attributed,
) -> Result<Explanation, Error> {
    let about = about(model, input, request, work, &attributed);
    let attribution = attributed.attribution;
    let explanation = Explanation {
        values: targets_last(attribution.values),
        outputs: targets_last(attribution.outputs),
        base_values: attribution.base_values.map(targets_last),
        convergence_delta: attribution.convergence_delta.map(targets_last),
        standard_error: attribution.standard_error.map(targets_last),
        raw_map: attribution.raw_map.map(targets_last),
        data: input.rows.mapv(f64::from),
        baselines: request.method.baselines(&input.rows)?,
        evaluations: attribution.evaluations.to_vec(),
        about,
    };
    explanation.check_finite()?;
    Ok(explanation)
}

fn about(
    model: &LoadedModel,
    input: &Input,
    request: &Request,
    work: &Work,
    attributed: &Attributed,
) -> About {
    let network = model.network();
    let of_target = digests::of_target(&request.target).map(|digest| ("target_digest", digest.into()));
    let parameters = request.method.parameters().into_iter().chain(model.variant()).chain(of_target);
    About {
        method: request.method.name().to_owned(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).collect(),
        seed: request.seed,
        target: ExplainedTarget { asked: request.target.to_string(), indices: attributed.indices.clone() },
        output_space: network.space(),
        output_name: model.output_name().to_owned(),
        output_names: model.labels().map(<[String]>::to_vec),
        feature_names: input.feature_names.clone(),
        feature_categories: None,
        feature_sets: None,
        other_columns: input.other_columns.clone(),
        channel_axis: model.channel_axis(),
        signed: request.method.is_signed(),
        predictions: predictions(model, &attributed.outputs, attributed.indices.as_deref()),
        all_outputs: told_outputs(&attributed.outputs),
        model: ModelSource {
            name: model.name().to_owned(),
            format: "onnx".to_owned(),
            digest: model.digest(),
            producer: producer(model),
        },
        runtime: RuntimeUse {
            fingerprint: network.runtime().fingerprint(),
            batch_size: work.batch_size,
            max_memory_bytes: work.max_memory_bytes,
        },
        inputs: row_sources(input),
        inclusion_probability: 1.0,
        preprocessing: model.preprocess().cloned(),
        deletion: Vec::new(),
        warnings: warnings(model, input, &attributed.attribution),
        pellucid_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The highest outputs of each row, and the explained ones where they are not among them; of a model that classifies every
/// place of an image, the classes predicted at most places, with the sum of their outputs there.
pub(crate) fn predictions(
    model: &LoadedModel,
    outputs: &Array2<f64>,
    explained: Option<&[Vec<usize>]>,
) -> Vec<Vec<Prediction>> {
    if let Some(places) = model.network().places() {
        let of_row = |row: ArrayView1<'_, f64>| predictions_of_places(model, places, row);
        return outputs.rows().into_iter().map(of_row).collect();
    }
    let probabilities = model.classifies().then(|| model.network().probabilities(outputs));
    let of_row = |row: usize| {
        let mut indices = top_outputs(outputs.row(row), N_PREDICTIONS);
        let explained = explained.map_or(&[][..], |indices| &indices[row]);
        for index in explained {
            if !indices.contains(index) {
                indices.push(*index);
            }
        }
        let prediction = |index: usize| Prediction {
            index,
            label: label(model, index),
            output: outputs[[row, index]],
            probability: probabilities.as_ref().map(|probabilities| probabilities[[row, index]]),
        };
        indices.into_iter().map(prediction).collect()
    };
    (0..outputs.nrows()).map(of_row).collect()
}

fn label(model: &LoadedModel, index: usize) -> Option<String> {
    model.labels().and_then(|labels| labels.get(index).cloned())
}

fn predictions_of_places(
    model: &LoadedModel,
    places: &OutputPlaces,
    outputs: ArrayView1<'_, f64>,
) -> Vec<Prediction> {
    let found = segmentation::predicted(places, outputs).into_iter().take(N_PREDICTIONS);
    let prediction = |(index, _, output): (usize, usize, f64)| Prediction {
        index,
        label: label(model, index),
        output,
        probability: None,
    };
    found.filter(|(_, n_places, _)| *n_places > 0).map(prediction).collect()
}

/// Whether outputs have probabilities: a single plain output is a regression's.
pub(crate) fn network_classifies(network: &Network) -> bool {
    network.space() != OutputSpace::Value || network.ending() != Ending::Plain
}

pub(crate) fn producer(model: &LoadedModel) -> String {
    format!("{} {}", model.file().producer_name, model.file().producer_version).trim().to_owned()
}

pub(crate) fn row_sources(input: &Input) -> Vec<RowSource> {
    let sources = input.sources.iter().cloned();
    sources.zip(input.digests()).map(|(source, digest)| RowSource { source, digest }).collect()
}

fn warnings(model: &LoadedModel, input: &Input, attribution: &Attribution) -> Vec<String> {
    let mut warnings = model.file().warnings.clone();
    warnings.extend_from_slice(model.warnings());
    warnings.extend(input.warnings.iter().cloned());
    warnings.extend(attribution.warnings.iter().cloned());
    for (row, values) in attribution.values.axis_iter(Axis(0)).enumerate() {
        for (k, values) in values.axis_iter(Axis(0)).enumerate() {
            if values.iter().all(|&value| value == 0.0) {
                warnings.push(format!(
                    "row {row}, target {k}: every value is 0; the output does not react to the input there"
                ));
            }
        }
    }
    warnings
}
