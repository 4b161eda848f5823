//! What a tree op computes: an ensemble, and how its outputs stand in the columns of a tensor.

use pellucid_graph::{Attribute, Node};

use super::arrays::{Forest, fault, forest, forest_v5, numbers};
use super::trees::trees;
use super::unsupported;
use crate::ensemble::{Arithmetic, Link, Precision, Provenance, Tree, TreeEnsemble};
use crate::error::Error;

/// No more outputs are read.
const MAX_OUTPUTS: usize = 1 << 20;

/// An ensemble on its way through the graph.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    pub(super) ensemble: TreeEnsemble,
    pub(super) columns: Columns,
}

/// How the outputs stand in the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// One column an output.
    Outputs,
    /// Two columns of one output: 1 − p and p for probabilities, −m and m for margins.
    Pair,
    /// The first of the two.
    FirstOfPair,
    /// One output of several.
    One(usize),
}

impl Scores {
    pub(super) fn n_columns(&self) -> usize {
        match self.columns {
            Columns::Outputs => self.ensemble.n_outputs(),
            Columns::Pair => 2,
            Columns::FirstOfPair | Columns::One(_) => 1,
        }
    }

    /// One column alone.
    pub(super) fn column(self, column: usize) -> Option<Self> {
        let columns = match (self.columns, column) {
            (Columns::Pair, 0) => Columns::FirstOfPair,
            (Columns::Pair, 1) => Columns::Outputs,
            (Columns::Outputs, 0) if self.n_columns() == 1 => Columns::Outputs,
            (Columns::Outputs, _) if column < self.n_columns() => Columns::One(column),
            _ => return None,
        };
        Some(Self { columns, ..self })
    }

    /// Columns side by side.
    pub(super) fn join(parts: &[Self]) -> Option<Self> {
        let (first, rest) = parts.split_first()?;
        let columns = match first.columns {
            Columns::Outputs | Columns::Pair if rest.is_empty() => first.columns,
            Columns::FirstOfPair if rest.len() == 1 && rest[0].columns == Columns::Outputs => Columns::Pair,
            Columns::One(_) if parts.len() == first.ensemble.n_outputs() => Columns::Outputs,
            _ => return None,
        };
        let in_order = |(index, part): (usize, &Self)| match part.columns {
            Columns::One(output) => output == index,
            _ => true,
        };
        let is_whole =
            parts.iter().enumerate().all(in_order) && rest.iter().all(|part| part.has_trees_of(first));
        is_whole.then(|| Self { columns, ..first.clone() })
    }

    fn has_trees_of(&self, other: &Self) -> bool {
        let sums = |e: &TreeEnsemble| (e.scale, e.base_scores.clone(), e.arithmetic);
        self.ensemble.trees == other.ensemble.trees && sums(&self.ensemble) == sums(&other.ensemble)
    }
}

/// How the trees' sums become scores.
struct Finish {
    link: Link,
    base_scores: Vec<f64>,
    is_average: bool,
    objective: String,
}

/// `TreeEnsembleClassifier`.
pub(super) fn classifier(node: &Node, precision: Precision) -> Result<Scores, Error> {
    let labels = labels(node)?;
    let forest = forest(node, "class", precision)?;
    let used = node.ints("class_ids").unwrap_or_default();
    let one_column = labels.len() == 2 && used.iter().all(|&id| id == 0);
    let n_outputs = if one_column { 1 } else { labels.len() };
    let base_scores = numbers(node, "base_values")?.unwrap_or_default();
    check_classes(node, &labels, one_column, &base_scores)?;
    let trees = trees(&forest, n_outputs)?;
    let post = node.string("post_transform").unwrap_or("NONE");
    let are_probabilities = base_scores.is_empty() && are_probabilities(&trees, one_column);
    let link = match post {
        "NONE" if are_probabilities => Link::Probability,
        "NONE" => Link::Identity,
        "LOGISTIC" => Link::Sigmoid { slope: 1.0 },
        "SOFTMAX" if !one_column => Link::Softmax,
        "SOFTMAX" => return Err(disputed("post_transform SOFTMAX of one column")),
        other => return Err(post_transform(other)),
    };
    let objective = format!("TreeEnsembleClassifier, {post}");
    let finish = Finish { link, base_scores, is_average: false, objective };
    let mut ensemble = ensemble(&forest, trees, n_outputs, finish);
    let first = if one_column { 1 } else { 0 };
    ensemble.output_names = Some(labels[first..].to_vec());
    Ok(Scores { ensemble, columns: if one_column { Columns::Pair } else { Columns::Outputs } })
}

fn labels(node: &Node) -> Result<Vec<String>, Error> {
    match (node.attributes.get("classlabels_int64s"), node.attributes.get("classlabels_strings")) {
        (Some(Attribute::Ints(labels)), _) if !labels.is_empty() => {
            Ok(labels.iter().map(i64::to_string).collect())
        }
        (_, Some(Attribute::Strings(labels))) => Ok(labels.clone()),
        _ => Err(fault(node, "no `classlabels_int64s` and no `classlabels_strings`")),
    }
}

/// What the specification leaves open and runtimes do differently.
fn check_classes(node: &Node, labels: &[String], one_column: bool, base_scores: &[f64]) -> Result<(), Error> {
    match (labels.len(), one_column, base_scores.len()) {
        (0 | 1, ..) => Err(disputed("a classifier of fewer than two classes")),
        (_, _, 0) | (2, true, 1) => Ok(()),
        (2, ..) => Err(disputed(&format!("{} base_values of two classes", base_scores.len()))),
        (n, _, found) if n == found => Ok(()),
        (n, _, found) => Err(fault(node, format!("{found} `base_values` for {n} classes"))),
    }
}

fn disputed(what: &str) -> Error {
    unsupported(what, "the specification leaves open what it means, and runtimes disagree")
}

fn post_transform(name: &str) -> Error {
    unsupported(format!("post_transform {name}"), "NONE, LOGISTIC and SOFTMAX are read")
}

/// Whether the trees of a classifier add up to probabilities: nothing negative, and the outputs of each leaf of a tree
/// add up to that tree's share.
fn are_probabilities(trees: &[Tree], one_column: bool) -> bool {
    let mut total = 0.0;
    for tree in trees {
        let sums = tree.leaf_values.chunks(tree.width()).map(|leaf| leaf.iter().sum::<f64>());
        let least = sums.clone().fold(f64::INFINITY, f64::min);
        let most = sums.fold(0.0, f64::max);
        let is_share = one_column || most - least <= 1e-4 * most;
        if tree.leaf_values.iter().any(|&value| value < 0.0) || !is_share {
            return false;
        }
        total += most;
    }
    total <= 1.001 && (one_column || total >= 0.999)
}

/// `TreeEnsembleRegressor`.
pub(super) fn regressor(node: &Node, precision: Precision) -> Result<Scores, Error> {
    let forest = forest(node, "target", precision)?;
    let aggregate = node.string("aggregate_function").unwrap_or("SUM");
    targets(node, &forest, node.string("post_transform").unwrap_or("NONE"), aggregate)
}

/// `TreeEnsemble` of version 5.
pub(super) fn version_5(node: &Node) -> Result<Scores, Error> {
    // The specification's 1 is SOFTMAX and its 2 LOGISTIC, ONNX Runtime's the other way around.
    match node.int("post_transform").unwrap_or(0) {
        0 => {}
        1 => return Err(disputed("post_transform 1 of TreeEnsemble (SOFTMAX, or LOGISTIC)")),
        2 => return Err(disputed("post_transform 2 of TreeEnsemble (LOGISTIC, or SOFTMAX)")),
        3 => return Err(post_transform("SOFTMAX_ZERO")),
        4 => return Err(post_transform("PROBIT")),
        other => return Err(fault(node, format!("`post_transform` is {other}"))),
    }
    let aggregate = match node.int("aggregate_function").unwrap_or(1) {
        0 => "AVERAGE",
        1 => "SUM",
        2 => "MIN",
        3 => "MAX",
        other => return Err(fault(node, format!("`aggregate_function` is {other}"))),
    };
    targets(node, &forest_v5(node)?, "NONE", aggregate)
}

fn targets(node: &Node, forest: &Forest, post: &str, aggregate: &str) -> Result<Scores, Error> {
    let n_outputs = node.int("n_targets").unwrap_or(1);
    let n_outputs = usize::try_from(n_outputs).ok().filter(|n| (1..=MAX_OUTPUTS).contains(n));
    let n_outputs = n_outputs.ok_or_else(|| fault(node, "`n_targets` is no number of outputs"))?;
    let base_scores = numbers(node, "base_values")?.unwrap_or_default();
    if ![0, n_outputs].contains(&base_scores.len()) {
        return Err(fault(node, format!("{} `base_values` for {n_outputs} targets", base_scores.len())));
    }
    let link = match (post, n_outputs) {
        ("NONE", _) => Link::Identity,
        // ONNX Runtime leaves it out.
        ("LOGISTIC" | "SOFTMAX", 1) => return Err(disputed(&format!("post_transform {post} of one target"))),
        ("LOGISTIC", _) => Link::Sigmoid { slope: 1.0 },
        ("SOFTMAX", _) => Link::Softmax,
        (other, _) => return Err(post_transform(other)),
    };
    let is_average = match aggregate {
        "SUM" => false,
        "AVERAGE" => true,
        other => {
            return Err(unsupported(
                format!("aggregate_function {other}"),
                "only sums and averages of trees are split among features",
            ));
        }
    };
    let objective = format!("{}, {aggregate}, {post}", node.op);
    let finish = Finish { link, base_scores, is_average, objective };
    let ensemble = ensemble(forest, trees(forest, n_outputs)?, n_outputs, finish);
    Ok(Scores { ensemble, columns: Columns::Outputs })
}

fn ensemble(forest: &Forest, trees: Vec<Tree>, n_outputs: usize, finish: Finish) -> TreeEnsemble {
    let divided = finish.is_average && !trees.is_empty();
    let arithmetic = match (forest.precision, divided) {
        (Precision::F32, false) => Arithmetic::F32BaseLast,
        (Precision::F32, true) => Arithmetic::F32Mean,
        (Precision::F64, false) => Arithmetic::F64,
        (Precision::F64, true) => Arithmetic::F64Mean,
    };
    let scale = if divided { 1.0 / trees.len() as f64 } else { 1.0 };
    let mut ensemble = TreeEnsemble::new(trees, 0, n_outputs);
    if !finish.base_scores.is_empty() {
        ensemble.base_scores = finish.base_scores;
    }
    let provenance = Provenance { objective: finish.objective, ..Provenance::default() };
    TreeEnsemble { scale, arithmetic, precision: forest.precision, link: finish.link, provenance, ..ensemble }
}
