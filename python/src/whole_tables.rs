//! What is found over all rows of a table by predictions: effects, importances, a surrogate tree; and counterfactuals.

use pellucid_engine::{
    Chart, CounterfactualRequest, EffectKind, EffectRequest, Error, LabelImportanceRequest, OutputSpace,
    SurrogateTreeRequest, Truths, counterfactuals, effects, effects_of_tree_rows, imitating_tree,
    label_importance, split_thresholds,
};
use pyo3::prelude::*;

use crate::arrays::Rows;
use crate::drawing::{Drawing, Kind as DrawnKind};
use crate::errors::{fault, of_option};
use crate::explain::rows_of_any;
use crate::model::{Kind, ModelCore};
use crate::options::{output_space, read_by_name};
use crate::watched::{Limits, watched};

/// What was found, as a JSON document and in charts.
#[pyclass(frozen, module = "pellucid._pellucid")]
pub(crate) struct Found {
    json: String,
    title: String,
    charts: Vec<Chart>,
}

#[pymethods]
impl Found {
    fn to_json(&self) -> String {
        self.json.clone()
    }

    /// The chart of an output.
    fn chart(&self, output: usize) -> PyResult<Drawing> {
        let n = self.charts.len();
        let reason = || format!("{output} is out of range; there are {n}");
        let chart = self.charts.get(output).ok_or_else(|| of_option("output", &reason()))?;
        Ok(Drawing::new(DrawnKind::Chart(chart.clone()), self.title.clone()))
    }
}

/// Rows as Python has them: array, names of the columns, what must be known of them.
type Given<'py> = (Bound<'py, PyAny>, Option<Vec<String>>, Vec<String>);

fn rows(
    py: Python<'_>,
    model: &ModelCore,
    (array, names, warnings): Given<'_>,
) -> PyResult<pellucid_engine::PredictedRows> {
    let mut rows = rows_of_any(py, &model.kind, Rows::of(&array)?, names)?;
    rows.warnings.extend(warnings);
    Ok(rows)
}

/// What is asked of global effects.
pub(crate) struct EffectWishes {
    kind: String,
    features: Vec<String>,
    n_points: Option<usize>,
    n_curves: Option<usize>,
    centered: bool,
    confidence: Option<f64>,
    categorical: Vec<String>,
    output_space: Option<String>,
}

read_by_name!(EffectWishes {
    kind,
    features,
    n_points,
    n_curves,
    centered,
    confidence,
    categorical,
    output_space
});

/// How the outputs follow a feature, or two.
#[pyfunction]
pub(crate) fn global_effects(
    py: Python<'_>,
    model: &ModelCore,
    given: Given<'_>,
    wishes: EffectWishes,
    limits: Limits,
) -> PyResult<Found> {
    let kind: EffectKind = wishes.kind.parse().map_err(|reason: String| of_option("kind", &reason))?;
    let space = wishes.output_space.as_deref().map(output_space).transpose()?;
    let request = EffectRequest {
        kind,
        features: wishes.features,
        n_points: wishes.n_points,
        n_curves: wishes.n_curves,
        centered: wishes.centered,
        confidence: wishes.confidence,
        categorical: wishes.categorical,
    };
    let rows = rows(py, model, given)?;
    let found = match &model.kind {
        Kind::Trees(trees) => {
            watched(py, &limits, |work| effects_of_tree_rows(trees, space, &rows, &request, work))?
        }
        _ => model.asked().run(py, &limits, space, |model, work| effects(&model, &rows, &request, work))?,
    };
    let charts: Result<Vec<Chart>, Error> =
        (0..found.outputs.len()).map(|output| found.chart(output)).collect();
    Ok(Found { json: found.to_json(), title: "Global effects".to_owned(), charts: charts.map_err(fault)? })
}

/// What is asked of importances by labels.
pub(crate) struct ImportanceWishes {
    loss: Option<String>,
    n_repeats: Option<usize>,
    feature_groups: Option<String>,
    confidence: Option<f64>,
    seed: u64,
}

read_by_name!(ImportanceWishes { loss, n_repeats, feature_groups, confidence, seed });

/// What is true of each row: numbers, or names of classes.
#[derive(FromPyObject)]
pub(crate) enum Labels {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// How much worse predictions get without each feature.
#[pyfunction]
pub(crate) fn importance_by_labels(
    py: Python<'_>,
    model: &ModelCore,
    given: Given<'_>,
    labels: Labels,
    wishes: ImportanceWishes,
    limits: Limits,
) -> PyResult<Found> {
    let request = LabelImportanceRequest {
        loss: wishes.loss,
        n_repeats: wishes.n_repeats,
        feature_groups: wishes.feature_groups,
        confidence: wishes.confidence,
        seed: wishes.seed,
    };
    let truths = match labels {
        Labels::Numbers(numbers) => Truths::Numbers(numbers),
        Labels::Texts(texts) => Truths::Texts("labels".to_owned(), texts),
    };
    let rows = rows(py, model, given)?;
    let asked = model.asked();
    let found = asked.run(py, &limits, asked.probabilities(), |model, work| {
        label_importance(&model, &rows, &truths, &request, work)
    })?;
    let charts = vec![found.chart().map_err(fault)?];
    Ok(Found { json: found.to_json(), title: "Permutation importance".to_owned(), charts })
}

/// What is asked of a surrogate tree.
pub(crate) struct TreeWishes {
    target: Option<String>,
    threshold: Option<f64>,
    max_depth: Option<usize>,
    min_rows_in_leaf: Option<usize>,
    held_out: Option<f64>,
    confidence: Option<f64>,
    categorical: Vec<String>,
    output_space: Option<String>,
    seed: u64,
}

read_by_name!(TreeWishes {
    target,
    threshold,
    max_depth,
    min_rows_in_leaf,
    held_out,
    confidence,
    categorical,
    output_space,
    seed
});

/// A tree that imitates the model, as a JSON document.
#[pyfunction]
pub(crate) fn surrogate_tree(
    py: Python<'_>,
    model: &ModelCore,
    given: Given<'_>,
    wishes: TreeWishes,
    limits: Limits,
) -> PyResult<String> {
    let space = wishes.output_space.as_deref().map(output_space).transpose()?;
    let request = SurrogateTreeRequest {
        target: wishes.target,
        threshold: wishes.threshold,
        max_depth: wishes.max_depth,
        min_rows_in_leaf: wishes.min_rows_in_leaf,
        held_out: wishes.held_out,
        confidence: wishes.confidence,
        categorical: wishes.categorical,
        seed: wishes.seed,
    };
    let rows = rows(py, model, given)?;
    let asked = model.asked();
    let found = asked.run(py, &limits, space.or(asked.probabilities()), |model, work| {
        imitating_tree(&model, &rows, &request, work)
    })?;
    Ok(found.to_json())
}

/// What is asked of counterfactuals.
pub(crate) struct CounterfactualWishes {
    n_counterfactuals: usize,
    outcome: Option<String>,
    threshold: Option<f64>,
    max_changes: Option<usize>,
    max_evaluations: Option<usize>,
    immutable: Vec<String>,
    only_up: Vec<String>,
    only_down: Vec<String>,
    /// `NAME:LOW..HIGH`.
    column_ranges: Vec<String>,
    /// `NAME:A,B`.
    allowed: Vec<String>,
    output_space: Option<String>,
    seed: u64,
}

read_by_name!(CounterfactualWishes {
    n_counterfactuals,
    outcome,
    threshold,
    max_changes,
    max_evaluations,
    immutable,
    only_up,
    only_down,
    column_ranges,
    allowed,
    output_space,
    seed
});

/// Rows near each row of which the model says otherwise, as a JSON document.
#[pyfunction]
pub(crate) fn find_counterfactuals(
    py: Python<'_>,
    model: &ModelCore,
    given: Given<'_>,
    background: Given<'_>,
    wishes: CounterfactualWishes,
    limits: Limits,
) -> PyResult<String> {
    let space: Option<OutputSpace> = wishes.output_space.as_deref().map(output_space).transpose()?;
    let request = CounterfactualRequest {
        n_counterfactuals: Some(wishes.n_counterfactuals),
        max_changes: wishes.max_changes,
        outcome: wishes.outcome,
        threshold: wishes.threshold,
        max_evaluations: wishes.max_evaluations,
        immutable: wishes.immutable,
        only_up: wishes.only_up,
        only_down: wishes.only_down,
        column_ranges: wishes.column_ranges,
        allowed: wishes.allowed,
        seed: wishes.seed,
    };
    let (rows, background) = (rows(py, model, given)?, rows(py, model, background)?);
    let thresholds = match &model.kind {
        Kind::Trees(trees) => split_thresholds(trees).map_err(fault)?,
        _ => Vec::new(),
    };
    let found = model.asked().run(py, &limits, space, |model, work| {
        counterfactuals(&model, &rows, &background, &thresholds, &request, work)
    })?;
    Ok(found.to_json().to_string())
}
