//! What the wires of a graph around trees hold, and what the ops that converters write do to it.

use std::ops::Range;
use std::sync::Arc;

use pellucid_graph::{ElementType, Node, Tensor};

use super::scores::{Columns, Scores, classifier, regressor, version_5};
use super::unsupported;
use crate::ensemble::{Arithmetic, Link, Precision, TreeEnsemble};
use crate::error::Error;

/// The codes of `Cast`'s `to`.
const FLOAT: i64 = 1;
const DOUBLE: i64 = 11;

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Feature values.
    Rows(Rows),
    Scores(Box<Scores>),
    /// Where scores are above 0.
    Positive(Box<Scores>),
    /// The predicted class, or what is computed from it: not explained.
    Label,
    Constant(Arc<Tensor>),
    /// What an op that is not read made.
    Refused(Error),
}

/// Inputs of the graph, side by side.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) inputs: Range<usize>,
    pub(super) width: Option<usize>,
    pub(super) precision: Precision,
}

/// What a node makes.
pub(super) fn apply(node: &Node, mut inputs: Vec<Value>) -> Vec<Value> {
    let n_outputs = node.outputs.len().max(1);
    // What follows a label is a label, what follows something refused is refused.
    if let Some(refused) = inputs.iter().find(|value| matches!(value, Value::Refused(_))) {
        return vec![refused.clone(); n_outputs];
    }
    if node.op == "ArgMax" || inputs.iter().any(|value| matches!(value, Value::Label)) {
        return vec![Value::Label; n_outputs];
    }
    let first = if inputs.is_empty() { Value::Label } else { inputs.remove(0) };
    let made = match (node.domain.as_str(), node.op.as_str(), first) {
        ("ai.onnx.ml", "TreeEnsembleClassifier", Value::Rows(rows)) => {
            return match from_start(node, &rows).and_then(|()| classifier(node, rows.precision)) {
                Ok(scores) => vec![Value::Label, Value::Scores(Box::new(scores))],
                Err(error) => vec![Value::Label, Value::Refused(error)],
            };
        }
        ("ai.onnx.ml", "TreeEnsembleRegressor", Value::Rows(rows)) => from_start(node, &rows)
            .and_then(|()| regressor(node, rows.precision))
            .map(|scores| Value::Scores(Box::new(scores))),
        ("ai.onnx.ml", "TreeEnsemble", Value::Rows(rows)) => from_start(node, &rows)
            .and_then(|()| version_5(node))
            .map(|scores| Value::Scores(Box::new(scores))),
        (_, _, Value::Rows(rows)) => of_rows(node, rows, inputs),
        (_, _, Value::Scores(scores)) => of_scores(node, *scores, inputs),
        (_, _, first) => of_constant(node, first, inputs),
    };
    vec![made.unwrap_or_else(Value::Refused); n_outputs]
}

fn refuse(node: &Node, what: &str) -> Error {
    unsupported(
        format!("the op `{}` {what} (node `{}`)", node.full_op(), node.name),
        "export the tree model alone",
    )
}

/// Trees read the features of all inputs, so that feature 0 is the first column of the first input.
fn from_start(node: &Node, rows: &Rows) -> Result<(), Error> {
    match rows.inputs.start {
        0 => Ok(()),
        _ => Err(refuse(node, "on some of the graph's inputs")),
    }
}

/// What stands between the inputs and the trees.
fn of_rows(node: &Node, rows: Rows, rest: Vec<Value>) -> Result<Value, Error> {
    match node.op.as_str() {
        "Identity" => Ok(Value::Rows(rows)),
        "Cast" => match (node.int("to"), rows.precision) {
            (Some(FLOAT), _) => Ok(Value::Rows(Rows { precision: Precision::F32, ..rows })),
            (Some(DOUBLE), Precision::F64) => Ok(Value::Rows(rows)),
            _ => Err(refuse(node, "before the trees, to another type than it reads")),
        },
        "Concat" if node.int("axis") == Some(1) => rest
            .into_iter()
            .try_fold(rows, |rows, next| match next {
                Value::Rows(next)
                    if next.inputs.start == rows.inputs.end && next.precision == rows.precision =>
                {
                    let width = rows.width.zip(next.width).map(|(a, b)| a + b);
                    Ok(Rows { inputs: rows.inputs.start..next.inputs.end, width, ..rows })
                }
                _ => Err(refuse(node, "that puts the inputs in another order")),
            })
            .map(Value::Rows),
        _ => Err(refuse(node, "before the trees")),
    }
}

/// What follows the trees.
fn of_scores(node: &Node, scores: Scores, rest: Vec<Value>) -> Result<Value, Error> {
    let constant = match rest.first() {
        Some(Value::Constant(tensor)) if tensor.element() != ElementType::String => Some(tensor.to_f64s()),
        _ => None,
    };
    let made = match (node.op.as_str(), constant) {
        ("Identity", _) => Ok(scores),
        ("ZipMap", _) => Ok(scores),
        ("Cast", _) if matches!(node.int("to"), Some(FLOAT | DOUBLE)) => Ok(scores),
        ("Reshape", Some(shape)) if keeps_shape(&scores, &shape) => Ok(scores),
        ("Normalizer", _) if is_normal(node, &scores) => Ok(scores),
        ("Exp", _) => with_link(node, scores, Link::Exp),
        ("Sigmoid", _) => with_link(node, scores, Link::Sigmoid { slope: 1.0 }),
        ("Softmax", _) if scores.n_columns() > 1 => with_link(node, scores, Link::Softmax),
        ("Add" | "Sum", None) => {
            return sum(node, scores, rest).map(|scores| Value::Scores(Box::new(scores)));
        }
        ("Add", Some(added)) => add(node, scores, &added),
        ("Sub", Some(subtracted)) => add(node, scores, &subtracted.iter().map(|x| -x).collect::<Vec<_>>()),
        ("Mul", Some(factors)) => multiply(node, scores, &factors),
        ("Div", Some(divisors)) => divide(node, scores, &divisors),
        ("ArrayFeatureExtractor", Some(columns)) => column(node, scores, &columns),
        ("Slice", Some(starts)) => slice(node, scores, &starts, &rest),
        ("Concat", None) => concat(node, scores, rest),
        ("Greater", Some(zero)) if zero == [0.0] => return Ok(Value::Positive(Box::new(scores))),
        _ => Err(refuse(node, "behind the trees")),
    };
    made.map(|scores| Value::Scores(Box::new(scores)))
}

/// What has a constant, or a condition, in front of the scores.
fn of_constant(node: &Node, first: Value, rest: Vec<Value>) -> Result<Value, Error> {
    let mut rest = rest.into_iter();
    match (node.op.as_str(), first, rest.next()) {
        ("Add" | "Mul", constant @ Value::Constant(_), Some(Value::Scores(scores))) => {
            of_scores(node, *scores, vec![constant])
        }
        // 1 − p
        ("Sub", Value::Constant(one), Some(Value::Scores(scores))) => {
            let is_one = one.element().is_float() && one.to_f64s() == [1.0];
            match (is_one, scores.ensemble.link, scores.columns) {
                (true, Link::Probability | Link::Sigmoid { .. }, Columns::Outputs)
                    if scores.n_columns() == 1 =>
                {
                    Ok(Value::Scores(Box::new(Scores { columns: Columns::FirstOfPair, ..*scores })))
                }
                _ => Err(refuse(node, "behind the trees")),
            }
        }
        ("Where", Value::Positive(scores), Some(Value::Constant(one))) => {
            match (one.to_f64s().as_slice(), rest.next()) {
                ([1.0], Some(Value::Constant(zero))) if zero.to_f64s() == [0.0] => {
                    with_link(node, *scores, Link::Step).map(|scores| Value::Scores(Box::new(scores)))
                }
                _ => Err(refuse(node, "behind the trees")),
            }
        }
        (_, Value::Constant(_), None | Some(Value::Constant(_))) => Ok(Value::Label),
        _ => Err(refuse(node, "beside the trees")),
    }
}

fn keeps_shape(scores: &Scores, shape: &[f64]) -> bool {
    let n = scores.n_columns() as f64;
    match shape {
        [-1.0] => n == 1.0,
        [-1.0 | 0.0, last] => *last == n || *last == -1.0,
        _ => false,
    }
}

/// Probabilities of several classes add up to 1 already.
fn is_normal(node: &Node, scores: &Scores) -> bool {
    node.string("norm").unwrap_or("MAX") == "L1" && scores.ensemble.link == Link::Probability
}

/// A link of margins; the second of a pair of margins is the margin itself.
fn with_link(node: &Node, scores: Scores, link: Link) -> Result<Scores, Error> {
    let fits = match (scores.columns, link) {
        (Columns::Outputs, _) | (Columns::Pair, Link::Sigmoid { .. }) => true,
        // It has two columns, of which the second is 0 or 1 as expected.
        (Columns::Pair, Link::Step) => true,
        _ => false,
    };
    if !fits || scores.ensemble.link != Link::Identity {
        return Err(refuse(node, "behind scores that are no margins"));
    }
    Ok(Scores { ensemble: TreeEnsemble { link, ..scores.ensemble }, ..scores })
}

/// Margins to which a constant is added.
fn add(node: &Node, mut scores: Scores, added: &[f64]) -> Result<Scores, Error> {
    if scores.ensemble.link != Link::Identity || scores.columns != Columns::Outputs {
        return match added.iter().all(|&x| x == 0.0) {
            true => Ok(scores),
            false => Err(refuse(node, "behind scores that are no margins")),
        };
    }
    let added = spread(node, added, scores.ensemble.n_outputs())?;
    scores.ensemble.base_scores.iter_mut().zip(added).for_each(|(base, added)| *base += added);
    Ok(scores)
}

/// One number for each output.
fn spread(node: &Node, numbers: &[f64], n: usize) -> Result<Vec<f64>, Error> {
    match numbers.len() {
        1 => Ok(vec![numbers[0]; n]),
        found if found == n => Ok(numbers.to_vec()),
        _ => Err(refuse(node, "with a constant of another shape")),
    }
}

/// Scores times a number: the leaves and base scores of margins and averages; the base score below an exponential.
fn multiply(node: &Node, mut scores: Scores, factors: &[f64]) -> Result<Scores, Error> {
    let &[factor] = factors else { return Err(refuse(node, "with a constant of another shape")) };
    let ensemble = &mut scores.ensemble;
    match ensemble.link {
        _ if factor == 1.0 => {}
        Link::Exp if factor > 0.0 => ensemble.base_scores.iter_mut().for_each(|base| *base += factor.ln()),
        Link::Identity if scores.columns != Columns::FirstOfPair => {
            for tree in &mut ensemble.trees {
                tree.leaf_values.iter_mut().for_each(|value| *value *= factor);
            }
            ensemble.base_scores.iter_mut().for_each(|base| *base *= factor);
        }
        _ => return Err(refuse(node, "behind scores that are no margins")),
    }
    Ok(scores)
}

/// Scores divided by a number: where it is whole and nothing else divides, the division stays one.
fn divide(node: &Node, mut scores: Scores, divisors: &[f64]) -> Result<Scores, Error> {
    let &[divisor] = divisors else { return Err(refuse(node, "with a constant of another shape")) };
    let ensemble = &mut scores.ensemble;
    let is_sum = ensemble.scale == 1.0 && ensemble.base_scores.iter().all(|&base| base == 0.0);
    let is_whole = divisor.fract() == 0.0 && (1.0..1e6).contains(&divisor);
    let mean = match ensemble.arithmetic {
        Arithmetic::F32BaseLast => Arithmetic::F32Mean,
        _ => Arithmetic::F64Mean,
    };
    match ensemble.link {
        Link::Identity if is_sum && is_whole && scores.columns != Columns::FirstOfPair => {
            ensemble.scale = 1.0 / divisor;
            ensemble.arithmetic = mean;
            Ok(scores)
        }
        _ => multiply(node, scores, &[1.0 / divisor]),
    }
}

fn column(node: &Node, scores: Scores, columns: &[f64]) -> Result<Scores, Error> {
    let column = if let [column] = columns { scores.column(*column as usize) } else { None };
    column.ok_or_else(|| refuse(node, "that takes some of the scores"))
}

/// Columns `starts` to `ends`.
fn slice(node: &Node, scores: Scores, starts: &[f64], rest: &[Value]) -> Result<Scores, Error> {
    let constants: Vec<Vec<f64>> = rest
        .iter()
        .skip(1)
        .map(|value| match value {
            Value::Constant(tensor) if tensor.element().is_integer() => tensor.to_f64s(),
            _ => Vec::new(),
        })
        .collect();
    match (starts, constants.as_slice()) {
        (&[start], [ends, axes]) if *ends == [start + 1.0] && *axes == [1.0] => {
            column(node, scores, &[start])
        }
        _ => Err(refuse(node, "that takes some of the scores")),
    }
}

/// 1 − p and p side by side again.
fn concat(node: &Node, first: Scores, rest: Vec<Value>) -> Result<Scores, Error> {
    let mut parts = vec![first];
    for value in rest {
        match value {
            Value::Scores(scores) => parts.push(*scores),
            _ => return Err(refuse(node, "behind the trees")),
        }
    }
    let joined = Scores::join(&parts).filter(|_| matches!(node.int("axis"), Some(1 | -1)));
    joined.ok_or_else(|| refuse(node, "behind the trees"))
}

/// Several tree ops on the same rows whose margins are added.
fn sum(node: &Node, mut scores: Scores, rest: Vec<Value>) -> Result<Scores, Error> {
    for next in rest {
        let Value::Scores(next) = next else { return Err(refuse(node, "behind the trees")) };
        let same = |a: &Scores| {
            a.columns == Columns::Outputs && a.ensemble.link == Link::Identity && a.ensemble.scale == 1.0
        };
        let fits = same(&scores) && same(&next) && scores.ensemble.n_outputs() == next.ensemble.n_outputs();
        if !fits || scores.ensemble.precision != next.ensemble.precision {
            return Err(refuse(node, "behind trees of several kinds"));
        }
        let ensemble = &mut scores.ensemble;
        ensemble.trees.extend(next.ensemble.trees);
        ensemble.base_scores.iter_mut().zip(next.ensemble.base_scores).for_each(|(base, more)| *base += more);
        // Each op rounds its own sum.
        ensemble.arithmetic = Arithmetic::F64;
    }
    Ok(scores)
}
