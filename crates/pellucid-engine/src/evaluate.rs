//! Explanation → scores: how far is it to be trusted?

mod replacement;
mod wire;

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{Attribution, Baseline, Model as _, OutputSpace, Target, Work};
use pellucid_explain::Network;
use pellucid_graph::Graph;
use pellucid_graph::passes::{parameter_layers, randomize};
use pellucid_metrics::deletion_insertion::{self, Score};
use pellucid_metrics::randomization::Stage;
use pellucid_metrics::{Explained, completeness, deletion, insertion, randomization};

use crate::aim::compared;
use crate::baseline::parse_baseline;
use crate::error::Error;
use crate::explain::{Attributed, Request, attribute, explanation};
use crate::explanation::Explanation;
use crate::input::Input;
use crate::model::LoadedModel;
pub(crate) use replacement::by_default;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Whether the values add up to the output.
    Completeness,
    /// Whether the output falls when the highest features go.
    Deletion,
    /// Whether the output rises when the highest features come.
    Insertion,
    /// Whether the attribution depends on what the model learned.
    Randomization,
}

impl Metric {
    /// All metrics with their names.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("completeness", Self::Completeness),
        ("deletion", Self::Deletion),
        ("insertion", Self::Insertion),
        ("randomization", Self::Randomization),
    ];

    /// The metric of that name.
    ///
    /// # Errors
    /// An unknown name.
    pub fn from_name(name: &str) -> Result<Self, Error> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, metric)| *metric);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            Error::request("metrics", format!("no metric `{name}`; there are: {}", names.join(", ")))
        })
    }
}

/// How to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationOptions {
    /// What.
    pub metrics: Vec<Metric>,
    /// How deletion and insertion go.
    pub curves: CurveOptions,
    /// What a deleted feature becomes, as a baseline is written; by default zeros, for images the image blurred.
    pub deletion_baseline: Option<String>,
    /// What features are inserted into; likewise.
    pub insertion_baseline: Option<String>,
    /// Layers that are redrawn one after the other; all where there are fewer.
    pub n_layers: usize,
    /// The check that no completeness gap is above this share.
    pub max_gap: Option<f64>,
    /// The check that deletion and insertion are better than the mean of random orders.
    pub beat_random: bool,
}

impl Default for EvaluationOptions {
    fn default() -> Self {
        Self {
            metrics: vec![Metric::Completeness, Metric::Deletion, Metric::Insertion],
            curves: CurveOptions::default(),
            deletion_baseline: None,
            insertion_baseline: None,
            n_layers: 8,
            max_gap: None,
            beat_random: false,
        }
    }
}

/// How the deletion and insertion curves are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurveOptions {
    /// Their points.
    pub n_steps: usize,
    /// Random orders that they are compared with.
    pub n_random: usize,
    /// The side of the squares of pixels that come and go together; `None`: what the attribution tells apart, the cells
    /// of a class activation map or else single pixels, so that random orders have the attribution's own resolution.
    pub patch: Option<usize>,
}

impl Default for CurveOptions {
    fn default() -> Self {
        Self { n_steps: 50, n_random: 10, patch: None }
    }
}

/// An explanation with its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// What was scored.
    pub explanation: Explanation,
    /// One for each row and target, row by row.
    pub scores: Vec<RowScores>,
    /// From the output down; none where randomization was not asked for.
    pub randomization: Vec<SimilarityStage>,
    /// What was asked to hold.
    pub checks: Vec<Check>,
}

/// The scores of one row and target.
#[derive(Clone, Debug, PartialEq)]
pub struct RowScores {
    /// The row.
    pub row: usize,
    /// Which of its targets.
    pub target: usize,
    /// `|Σ values − (output − base_value)|` as a share of `|output − base_value|`, both asked of the model anew; `None`
    /// for methods that do not promise completeness.
    pub completeness_gap: Option<f64>,
    /// The deletion curve.
    pub deletion: Option<Score>,
    /// The insertion curve.
    pub insertion: Option<Score>,
}

/// How alike the attribution still is with one more layer redrawn, mean over rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SimilarityStage {
    /// The layer.
    pub layer: String,
    /// Spearman's rank correlation of the values; `None` where one side is constant.
    pub signed: Option<f64>,
    /// Of their absolute values.
    pub absolute: Option<f64>,
}

/// Something that was asked to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What: `row 0: completeness gap 0.2 % is at most 1 %`.
    pub claim: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Evaluation {
    /// Whether every check holds.
    pub fn passes(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

/// Explains every row of `input` and scores the result.
///
/// # Errors
/// Whatever explaining reports; metrics that do not fit the request.
pub fn evaluate(
    model: &LoadedModel,
    input: &Input,
    request: &Request,
    options: &EvaluationOptions,
    work: &Work,
) -> Result<Evaluation, Error> {
    let compared = compared(model, &request.target, work)?;
    let model = compared.as_ref().unwrap_or(model);
    let around = Surroundings {
        row: &|row| format!("row {row}"),
        deleted: &|text| deleted(model, input, text, request.seed),
        redrawn: &|graph| redrawn(model, graph),
    };
    let attributed = attribute(model, input, request, work)?;
    let trial = Trial { model, input, request, attributed: &attributed, options, around: &around, work };
    let Scored { scores, randomization, checks } = trial.scored()?;
    let explanation = explanation(model, input, request, work, attributed)?;
    Ok(Evaluation { explanation, scores, randomization, checks })
}

/// Baselines `[rows, features…]` by what a person calls them.
type Deleted<'a> = dyn Fn(Option<&str>) -> Result<ArrayD<f32>, Error> + 'a;

/// What scoring asks of where a model and its rows come from.
pub(crate) struct Surroundings<'a> {
    /// What a row is called.
    pub(crate) row: &'a dyn Fn(usize) -> String,
    /// What deleted features become and inserted ones come into.
    pub(crate) deleted: &'a Deleted<'a>,
    /// The network that is explained, of the model's graph with some layers redrawn.
    pub(crate) redrawn: &'a dyn Fn(&Graph) -> Result<Arc<Network>, Error>,
}

/// What all metrics need; the model ends in what is explained.
pub(crate) struct Trial<'a> {
    pub(crate) model: &'a LoadedModel,
    pub(crate) input: &'a Input,
    pub(crate) request: &'a Request,
    pub(crate) attributed: &'a Attributed,
    pub(crate) options: &'a EvaluationOptions,
    pub(crate) around: &'a Surroundings<'a>,
    pub(crate) work: &'a Work,
}

/// All of an [`Evaluation`] but the explanation.
pub(crate) struct Scored {
    pub(crate) scores: Vec<RowScores>,
    pub(crate) randomization: Vec<SimilarityStage>,
    pub(crate) checks: Vec<Check>,
}

impl Trial<'_> {
    pub(crate) fn scored(&self) -> Result<Scored, Error> {
        let wants = |metric| self.options.metrics.contains(&metric);
        let gaps = if wants(Metric::Completeness) { self.completeness_gaps()? } else { None };
        let deletion = if wants(Metric::Deletion) { Some(self.deletion()?) } else { None };
        let insertion = if wants(Metric::Insertion) { Some(self.insertion()?) } else { None };
        let randomization = if wants(Metric::Randomization) { self.randomization()? } else { Vec::new() };
        let n_targets = self.attributed.target.weights.len();
        let places = (0..self.input.rows.len_of(Axis(0)))
            .flat_map(|row| (0..n_targets).map(move |target| (row, target)));
        let of_place = |(row, target): (usize, usize)| RowScores {
            row,
            target,
            completeness_gap: gaps.as_ref().map(|gaps| gaps[[row, target]]),
            deletion: deletion.as_ref().map(|scores| scores[[row, target]].clone()),
            insertion: insertion.as_ref().map(|scores| scores[[row, target]].clone()),
        };
        let scores: Vec<RowScores> = places.map(of_place).collect();
        let checks = checks(&scores, self.options, self.around.row)?;
        Ok(Scored { scores, randomization, checks })
    }

    fn explained(&self) -> Explained<'_> {
        Explained { model: self.model.network(), inputs: &self.input.rows, target: &self.attributed.target }
    }

    fn completeness_gaps(&self) -> Result<Option<Array2<f64>>, Error> {
        completeness_gaps(self.model, &self.explained(), self.request, self.attributed, self.work)
    }

    fn deletion(&self) -> Result<Array2<Score>, Error> {
        let replacement = (self.around.deleted)(self.options.deletion_baseline.as_deref())?;
        let (attribution, options) = (&self.attributed.attribution, self.curve_options());
        Ok(deletion(&self.explained(), attribution, &replacement, &options, self.work)?)
    }

    fn insertion(&self) -> Result<Array2<Score>, Error> {
        let replacement = (self.around.deleted)(self.options.insertion_baseline.as_deref())?;
        let (attribution, options) = (&self.attributed.attribution, self.curve_options());
        Ok(insertion(&self.explained(), attribution, &replacement, &options, self.work)?)
    }

    fn curve_options(&self) -> deletion_insertion::Options {
        curve_options(self.model, self.attributed, self.request.seed, self.options.curves)
    }

    fn randomization(&self) -> Result<Vec<SimilarityStage>, Error> {
        let resolved = &self.attributed.target;
        if resolved.weights.len() != 1 {
            return Err(Error::request("metrics", "randomization takes one target a row; explain top-1"));
        }
        let target = Target::Resolved(resolved.clone());
        let graph = &self.model.file().graph;
        let behind = self.model.explained_wires();
        let layers = parameter_layers(graph).into_iter().map(|layer| layer.name);
        let layers: Vec<String> = layers.filter(|name| behind.contains(name.as_str())).collect();
        let layers = spread(&layers, self.options.n_layers);
        let stages = randomization(&self.attributed.attribution, &layers.names, self.work, |redrawn| {
            let all = layers.up_to(redrawn);
            let network = (self.around.redrawn)(&randomize(graph, all, self.request.seed)?)?;
            Ok::<_, Error>(self.request.method.attribute(&network, &self.input.rows, &target, self.work)?)
        })?;
        Ok(stages.iter().map(stage).collect())
    }
}

/// What features of `input` become where they are deleted: as `text` says, or for images the image blurred, in a table 0.
fn deleted(model: &LoadedModel, input: &Input, text: Option<&str>, seed: u64) -> Result<ArrayD<f32>, Error> {
    let Some(text) = text else { return replacement::by_default(model, input) };
    let baseline = parse_baseline(text, model.network().input_shape())?;
    replacement::of_rows(model, input, &baseline, seed)
}

/// The network of another graph, as the model's own is of its file.
fn redrawn(model: &LoadedModel, graph: &Graph) -> Result<Arc<Network>, Error> {
    let network = model.network_of(graph)?;
    Ok(Arc::new(match model.comparison() {
        Some(comparison) => network.compared(&comparison.to, comparison.measure)?,
        None => network,
    }))
}

/// Some of the layers, evenly spread, the last among them; each stands for those before it too.
struct Spread<'a> {
    all: &'a [String],
    names: Vec<String>,
}

fn spread(all: &[String], n: usize) -> Spread<'_> {
    let n = n.clamp(1, all.len().max(1));
    let names =
        (1..=n).filter_map(|i| all.get((i * all.len()).div_ceil(n).saturating_sub(1)).cloned()).collect();
    Spread { all, names }
}

impl Spread<'_> {
    /// All layers from the output down to the last of `redrawn`.
    fn up_to(&self, redrawn: &[String]) -> &[String] {
        let last = redrawn.last().and_then(|last| self.all.iter().position(|name| name == last));
        last.map_or(&[], |last| &self.all[..=last])
    }
}

fn stage(stage: &Stage) -> SimilarityStage {
    let mean = stage.mean();
    SimilarityStage { layer: stage.layer.clone(), signed: mean.signed, absolute: mean.absolute }
}

/// Relative completeness gaps `[rows, K]`, the model asked anew; `None` for methods that do not promise completeness.
pub(crate) fn completeness_gaps(
    model: &LoadedModel,
    explained: &Explained<'_>,
    request: &Request,
    attributed: &Attributed,
    work: &Work,
) -> Result<Option<Array2<f64>>, Error> {
    let Some((baseline, ..)) = request.method.baseline() else { return Ok(None) };
    let rows = explained.inputs;
    let baselines = match request.method.baselines(rows)? {
        Some(baselines) => baselines,
        None => match baseline {
            Baseline::Value(value) => ArrayD::from_elem(rows.raw_dim(), *value),
            _ => ArrayD::zeros(rows.raw_dim()),
        },
    };
    let space = model.network().space();
    let scores = completeness(explained, &attributed.attribution, &baselines, space, work)?;
    Ok(Some(scores.mapv(|score| score.relative_gap())))
}

/// Curves in probability where the model classifies and each target is one output.
pub(crate) fn curve_options(
    model: &LoadedModel,
    attributed: &Attributed,
    seed: u64,
    curves: CurveOptions,
) -> deletion_insertion::Options {
    let output_space = match attributed.target.indices {
        Some(_) if model.classifies() => OutputSpace::Probability,
        _ => model.network().space(),
    };
    let CurveOptions { n_steps, n_random, patch } = curves;
    let patch = patch.unwrap_or_else(|| resolution(model, &attributed.attribution));
    deletion_insertion::Options {
        n_steps,
        n_random,
        seed,
        output_space,
        channel_axis: model.position_axis(),
        patch,
    }
}

fn checks(
    scores: &[RowScores],
    options: &EvaluationOptions,
    row: impl Fn(usize) -> String,
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    for score in scores {
        let place = format!("{}, target {}", row(score.row), score.target);
        if let Some(limit) = options.max_gap {
            let gap = score.completeness_gap.ok_or_else(|| {
                Error::request("max_gap", "needs the metric completeness and a method that promises it")
            })?;
            let claim =
                format!("{place}: completeness gap {:.3} % is at most {:.3} %", 100.0 * gap, 100.0 * limit);
            checks.push(Check { claim, holds: gap <= limit });
        }
        for (name, curve) in [("deletion", &score.deletion), ("insertion", &score.insertion)] {
            if let Some(curve) = curve.as_ref().filter(|_| options.beat_random) {
                let (auc, random) = (curve.curve.auc, curve.random.mean.auc);
                let claim = format!("{place}: {name} AUC {auc:.4} is better than random's {random:.4}");
                checks.push(Check { claim, holds: curve.beats_random() });
            }
        }
    }
    match options.beat_random && checks.is_empty() {
        true => Err(Error::request("beat_random", "needs the metric deletion or insertion")),
        false => Ok(checks),
    }
}

#[cfg(test)]
mod tests;

/// The side of the cells that an attribution tells apart, in pixels.
fn resolution(model: &LoadedModel, attribution: &Attribution) -> usize {
    let cells = attribution.raw_map.as_ref().and_then(|map| map.shape().get(2..)?.iter().copied().min());
    match (cells, model.shorter_side()) {
        (Some(cells), Some(side)) => side.div_ceil(cells.max(1)),
        _ => 1,
    }
}
