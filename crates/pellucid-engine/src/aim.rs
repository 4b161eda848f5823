//! What is explained of some rows: the target as the network has it at these rows.

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{ResolvedTarget, Similarity, Target, Work};
use pellucid_explain::segmentation;

use crate::error::Error;
use crate::model::LoadedModel;

/// A target at some rows.
pub(crate) struct Aim {
    /// As methods take it.
    pub(crate) target: Target,
    /// The model's outputs, `[rows, outputs]`.
    pub(crate) outputs: Array2<f64>,
    /// The target's weights of them.
    pub(crate) resolved: ResolvedTarget,
    /// For each row, the explained indices among what has labels, where each target is one.
    pub(crate) indices: Option<Vec<Vec<usize>>>,
}

impl Aim {
    /// The target at `rows`; of a similarity, of the model that [`compared`] gave.
    ///
    /// # Errors
    /// A target that the model does not have; whatever running the model reports.
    pub(crate) fn new(
        model: &LoadedModel,
        rows: &ArrayD<f32>,
        target: &Target,
        work: &Work,
    ) -> Result<Self, Error> {
        let outputs = model.network().outputs(rows, work)?;
        if let Some(places) = model.network().places() {
            let (resolved, classes) = segmentation::over_mask(places, &outputs, target, model.labels())?;
            let target = Target::Resolved(resolved.clone());
            return Ok(Self { target, outputs, resolved, indices: Some(classes) });
        }
        let target = by_index(model, target)?;
        let resolved = target.resolve(outputs.view(), model.labels())?;
        // A similarity is no output of the file.
        let indices = resolved.indices.clone().filter(|_| model.comparison().is_none());
        Ok(Self { target, outputs, indices, resolved })
    }
}

/// The target with a label turned into its index, and a similarity into the only output of the model that ends in it.
pub(crate) fn by_index(model: &LoadedModel, target: &Target) -> Result<Target, Error> {
    match target {
        Target::Similar { .. } => Ok(Target::Index(0)),
        Target::Label(_) => {
            let resolved = target.resolve(Array2::zeros((1, model.n_outputs())).view(), model.labels())?;
            let index = resolved.indices.and_then(|indices| indices.first()?.first().copied());
            Ok(index.map_or_else(|| target.clone(), Target::Index))
        }
        target => Ok(target.clone()),
    }
}

/// The model that ends in the similarity that `target` asks for; `None` for all other targets.
///
/// # Errors
/// A reference that is neither an embedding nor an input of this model.
pub(crate) fn compared(
    model: &LoadedModel,
    target: &Target,
    work: &Work,
) -> Result<Option<LoadedModel>, Error> {
    let Target::Similar { measure, to, .. } = target else { return Ok(None) };
    model.compared(&embedding(model, to, work)?, *measure).map(Some)
}

/// An embedding as it is, or that of an input row.
fn embedding(model: &LoadedModel, to: &ArrayD<f32>, work: &Work) -> Result<Vec<f32>, Error> {
    let (n_outputs, input_shape) = (model.n_outputs(), model.input_shape());
    if model.network().places().is_some() {
        return Err(Error::request(
            "target",
            "similarity is of embeddings; this model classifies every place of an image",
        ));
    }
    let is_one_row = to.ndim() > 1 && to.shape()[0] == 1;
    let alone = if is_one_row { to.index_axis(Axis(0), 0).to_owned() } else { to.clone() };
    let is_embedding = |array: &ArrayD<f32>| array.shape() == [n_outputs];
    match [to, &alone].into_iter().find(|array| is_embedding(array) || array.shape() == input_shape) {
        Some(vector) if is_embedding(vector) => Ok(vector.iter().copied().collect()),
        Some(row) => {
            let outputs = model.outputs(&row.clone().insert_axis(Axis(0)), work)?;
            Ok(outputs.iter().map(|&y| y as f32).collect())
        }
        None => {
            let reason = format!(
                "the reference of shape {:?} is neither an embedding [{n_outputs}] nor an input {input_shape:?} of this model",
                to.shape()
            );
            Err(Error::request("target", reason))
        }
    }
}

/// A similarity that a model ends in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) to: Vec<f32>,
    pub(crate) measure: Similarity,
}
