//! ONNX files with the tree ops of ONNX-ML, as skl2onnx, onnxmltools and CatBoost write them → `TreeEnsemble`.
//!
//! The graph around the trees is read op by op: what converters put there only renames, averages, or applies a link.
//! Any other op is refused by name. The files hold no covers.

mod arrays;
mod mode;
mod scores;
mod trees;
mod value;

#[cfg(test)]
mod tests;

use pellucid_graph::onnx::{Model, read_bytes};
use pellucid_graph::{ElementType, Graph, Wire};

use scores::{Columns, Scores};
use value::{Rows, Value};

use crate::ensemble::{Precision, Provenance, TreeEnsemble};
use crate::error::Error;

/// Reads the bytes of an ONNX file.
///
/// # Errors
/// [`Error::Format`] for a broken file, [`Error::Unsupported`] for ops that are not read around trees, for graphs
/// without trees, and for settings on which runtimes disagree.
pub(super) fn read(bytes: &[u8]) -> Result<TreeEnsemble, Error> {
    let model = read_bytes(bytes, None).map_err(|error| broken(error.to_string()))?;
    let scores = scores_of(&model.graph)?;
    finish(&model, scores)
}

fn broken(reason: impl Into<String>) -> Error {
    Error::Format { format: "ONNX", reason: reason.into() }
}

fn unsupported(what: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Unsupported { what: what.into(), hint: hint.into() }
}

/// The first output that holds scores.
fn scores_of(graph: &Graph) -> Result<Scores, Error> {
    let mut values: Vec<Option<Value>> = vec![];
    values.resize_with(graph.wires().count(), || None);
    let wires: Vec<Wire> = graph.wires().collect();
    let place = |wire: Wire| wires.binary_search(&wire).ok();
    for (index, &wire) in graph.inputs().iter().enumerate() {
        let width = graph.shape(wire).and_then(|shape| shape.get(1)?.known());
        let precision = match graph.element(wire) {
            ElementType::F64 => Precision::F64,
            _ => Precision::F32,
        };
        if let Some(place) = place(wire) {
            values[place] = Some(Value::Rows(Rows { inputs: index..index + 1, width, precision }));
        }
    }
    for node in graph.nodes() {
        let inputs: Vec<Value> = node
            .inputs
            .iter()
            .flatten()
            .map(|&wire| match graph.constant(wire) {
                Some(tensor) => Value::Constant(tensor.clone()),
                None => place(wire).and_then(|place| values[place].clone()).unwrap_or(Value::Label),
            })
            .collect();
        let made = value::apply(node, inputs);
        for (wire, value) in node.outputs.iter().zip(made) {
            if let Some(place) = wire.and_then(place) {
                values[place] = Some(value);
            }
        }
    }
    let outputs =
        graph.outputs().iter().filter_map(|&wire| place(wire).and_then(|place| values[place].take()));
    whole(outputs)
}

/// The scores among a graph's outputs: the first, or a column in each.
fn whole(outputs: impl Iterator<Item = Value>) -> Result<Scores, Error> {
    let mut parts: Vec<Scores> = Vec::new();
    for output in outputs {
        match output {
            Value::Scores(scores) => parts.push(*scores),
            Value::Refused(error) if parts.is_empty() => return Err(error),
            _ => {}
        }
    }
    let Some(first) = parts.first() else {
        return Err(unsupported(
            "an ONNX graph without trees of ONNX-ML",
            "gradient methods explain networks",
        ));
    };
    let is_whole = matches!(first.columns, Columns::Outputs | Columns::Pair);
    let joined = Scores::join(if is_whole { &parts[..1] } else { &parts });
    joined.ok_or_else(|| {
        unsupported("an ONNX graph that gives some of the scores", "give all outputs of the trees")
    })
}

fn finish(model: &Model, scores: Scores) -> Result<TreeEnsemble, Error> {
    let graph = &model.graph;
    let mut ensemble = scores.ensemble;
    let widths = graph.inputs().iter().map(|&wire| graph.shape(wire).and_then(|shape| shape.get(1)?.known()));
    let names = || graph.inputs().iter().map(|&wire| graph.name_of(wire).to_owned()).collect();
    let is_table = graph.inputs().len() > 1 && widths.clone().all(|width| width == Some(1));
    ensemble.feature_names = is_table.then(names);
    let n_used =
        ensemble.trees.iter().flat_map(|tree| tree.splits()).map(|split| split.feature as usize + 1).max();
    ensemble.n_features = widths.sum::<Option<usize>>().unwrap_or(n_used.unwrap_or(0));
    let first_line = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    let version = format!("{} {}", first_line(&model.producer_name), first_line(&model.producer_version));
    ensemble.provenance = Provenance {
        library: "onnx".to_owned(),
        version: version.trim().to_owned(),
        warnings: model.warnings.clone(),
        ..ensemble.provenance
    };
    ensemble.check()?;
    Ok(ensemble)
}
