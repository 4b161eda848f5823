//! Predicted model + table → a small tree that imitates the model, with its fidelity.

use ndarray::Ix2;
use pellucid_agnostic::counterfactual::{Column, Table};
use pellucid_agnostic::surrogate_tree::{
    Fidelity, Imitated, Node, Options, SurrogateTree, Test, surrogate_tree,
};
use pellucid_core::{OutputSpace, Work};
use serde_json::{Value, json};

use super::columns::{columns, outcome_names};
use super::model::PredictedModel;
use super::rows::PredictedRows;
use crate::effects::places;
use crate::error::Error;
use crate::explanation::ModelSource;

/// How the tree is grown and judged, and what it imitates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SurrogateTreeRequest {
    /// `class`, or an output by name or number. Default: the class where outputs are probabilities, else the only output.
    pub target: Option<String>,
    /// Above it, the only output says class 1. Default: 0.5 for probabilities, else 0.
    pub threshold: Option<f64>,
    /// Splits from the root to a leaf, at the most. Default: 4.
    pub max_depth: Option<usize>,
    /// Rows that a leaf has at the least. Default: 10.
    pub min_rows_in_leaf: Option<usize>,
    /// The share of rows that the tree does not see, and is judged by. Default: 0.25.
    pub held_out: Option<f64>,
    /// How sure the fidelity's interval is. Default: 0.95.
    pub confidence: Option<f64>,
    /// Features whose numbers are codes without an order, beside those of which the model knows it.
    pub categorical: Vec<String>,
    /// What decides which rows are held out.
    pub seed: u64,
}

/// A tree that imitates a model.
#[derive(Clone, Debug)]
pub struct ImitatingTree {
    /// The tree with its fidelity.
    pub tree: SurrogateTree,
    /// `class`, or the name of the output.
    pub imitated: String,
    /// How sure the fidelity's interval is.
    pub confidence: f64,
    /// Rows that it was grown on and judged by.
    pub n_rows: usize,
    /// What identifies the model.
    pub model: ModelSource,
    /// What the reader must know.
    pub warnings: Vec<String>,
    table: Table,
    is_class: bool,
    output_space: OutputSpace,
    options: Options,
}

/// Grows a tree on what the model says to some of `rows`, and judges it on the others.
///
/// # Errors
/// Rows that are no table, columns or an output that is not there, unseen categories, too few rows, a model that says the same
/// to all of them; whatever the model reports.
pub fn imitating_tree(
    model: &PredictedModel<'_>,
    rows: &PredictedRows,
    request: &SurrogateTreeRequest,
    work: &Work,
) -> Result<ImitatingTree, Error> {
    let states = rows.rows.clone().into_dimensionality::<Ix2>();
    let states =
        states.map_err(|_| Error::request("input", "surrogate trees are of tables; these rows are none"))?;
    let names = rows.names_of_columns();
    let categorical = places(&names, "categorical", &request.categorical)?;
    let columns = columns(model, &names, &[&states], &categorical);
    let table = Table { columns, outcome_names: outcome_names(model) };
    let (target, imitated) = target(model, request)?;
    let options = options(request);
    work.progress.begin(states.nrows());
    let tree = surrogate_tree(model.predictor(), &table, states.view(), target, &options, work);
    work.progress.end();
    let mut warnings = model.source().warnings.clone();
    warnings.extend(rows.warnings.iter().cloned());
    Ok(ImitatingTree {
        tree: tree?,
        imitated,
        confidence: options.confidence,
        n_rows: states.nrows(),
        model: model.source().model.clone(),
        warnings,
        table,
        is_class: matches!(target, Imitated::Class { .. }),
        output_space: model.source().space,
        options,
    })
}

fn options(request: &SurrogateTreeRequest) -> Options {
    let usual = Options::default();
    Options {
        max_depth: request.max_depth.unwrap_or(usual.max_depth),
        min_rows_in_leaf: request.min_rows_in_leaf.unwrap_or(usual.min_rows_in_leaf),
        held_out: request.held_out.unwrap_or(usual.held_out),
        confidence: request.confidence.unwrap_or(usual.confidence),
        seed: request.seed,
        ..usual
    }
}

/// What is imitated, with its name.
fn target(model: &PredictedModel<'_>, request: &SurrogateTreeRequest) -> Result<(Imitated, String), Error> {
    let (source, n_outputs) = (model.source(), model.predictor().n_outputs());
    let are_probabilities = source.space == OutputSpace::Probability;
    let class = || {
        let threshold = request.threshold.unwrap_or(if are_probabilities { 0.5 } else { 0.0 });
        (Imitated::Class { threshold }, "class".to_owned())
    };
    let output = |index: usize| (Imitated::Output(index), source.output_label(index));
    let found = match request.target.as_deref() {
        Some("class") => class(),
        Some(text) => {
            let names = source.output_names.as_deref().unwrap_or_default();
            let by_name = names.iter().position(|name| name == text);
            let index = by_name.or_else(|| text.parse().ok()).filter(|&index| index < n_outputs);
            let reason =
                || format!("`{text}` is not class, no output's name and no number below {n_outputs}");
            output(index.ok_or_else(|| Error::request("target", reason()))?)
        }
        None if are_probabilities => class(),
        None if n_outputs == 1 => output(0),
        None => {
            let reason = format!("the model has {n_outputs} outputs; say class, or which one to imitate");
            return Err(Error::request("target", reason));
        }
    };
    match (request.threshold, found.0) {
        (Some(_), Imitated::Output(_)) => Err(Error::request("threshold", "goes with --target class")),
        _ => Ok(found),
    }
}

impl ImitatingTree {
    /// How well the tree imitates, in one sentence.
    pub fn fidelity_text(&self) -> String {
        let Fidelity { measure, value, low, high, constant, n_rows } = &self.tree.fidelity;
        let percent = (1e4 * self.confidence).round() / 100.0;
        let than = match self.is_class {
            true => format!("the most frequent class alone: {constant:.3}"),
            false => "the mean alone: 0".to_owned(),
        };
        format!(
            "{measure} {value:.3} ({percent} %: {low:.3} to {high:.3}) on {n_rows} rows that the tree has not seen; {than}"
        )
    }

    /// The tree as a JSON document.
    pub fn to_json(&self) -> String {
        let Fidelity { measure, value, low, high, constant, n_rows } = &self.tree.fidelity;
        json!({
            "schema": "pellucid.surrogate_tree",
            "schema_version": 1,
            "pellucid_version": env!("CARGO_PKG_VERSION"),
            "model": self.model.to_json(),
            "output_space": self.output_space.name(),
            "imitated": self.imitated,
            "fidelity": {
                "measure": measure, "value": value, "low": low, "high": high, "confidence": self.confidence,
                "constant": constant, "n_rows": n_rows,
            },
            "n_rows": self.n_rows,
            "max_depth": self.options.max_depth,
            "min_rows_in_leaf": self.options.min_rows_in_leaf,
            "held_out": self.options.held_out,
            "seed": self.options.seed,
            "rules": self.tree.rules(),
            "nodes": self.tree.nodes.iter().map(|node| self.node(node)).collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
        .to_string()
    }

    fn node(&self, node: &Node) -> Value {
        match node {
            Node::Leaf { value, n_rows } => {
                let names = &self.table.outcome_names;
                let outcome = names.get(*value as usize).filter(|_| self.is_class);
                json!({"value": value, "outcome": outcome, "n_rows": n_rows})
            }
            Node::Split { column, test, missing_left, left, right } => {
                let column = &self.table.columns[*column];
                let (at_most, among) = match test {
                    Test::AtMost(threshold) => (Some(threshold), None),
                    Test::In(codes) => (None, Some(codes.iter().map(|&code| shown(column, code)).collect())),
                };
                let among: Option<Vec<Value>> = among;
                json!({
                    "column": column.name, "at_most": at_most, "among": among, "missing_left": missing_left,
                    "left": left, "right": right,
                })
            }
        }
    }
}

/// A category's name, or its code where it has none.
fn shown(column: &Column, code: f64) -> Value {
    use pellucid_agnostic::counterfactual::Kind;
    match &column.kind {
        Kind::Category { labels } => {
            labels.get(code as usize).map_or_else(|| json!(code), |label| json!(label))
        }
        _ => json!(code),
    }
}
