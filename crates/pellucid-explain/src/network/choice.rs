//! What of a graph is explained: which output, before or behind its last op, from which wire on.

use std::collections::BTreeMap;

use pellucid_graph::passes::{cut, from_wire};
use pellucid_graph::{Dim, Graph, Node, Tensor, Wire};

use super::{Ending, Options};
use crate::error::Error;

/// The output that is explained: the one named, or the first that holds floats (classifiers of scikit-learn give labels
/// first).
///
/// # Errors
/// A name that is no wire's; a wire that holds no floats, which have no gradient.
pub fn chosen_output(graph: &Graph, name: Option<&str>) -> Result<Wire, Error> {
    let is_float = |wire: &Wire| graph.element(*wire).is_float();
    let output = match name {
        Some(name) => graph.wire(name)?,
        None => {
            let first = graph.outputs().iter().find(|wire| is_float(wire)).or(graph.outputs().first());
            *first.ok_or_else(|| Error::network("the graph has no output"))?
        }
    };
    if is_float(&output) {
        return Ok(output);
    }
    let floats: Vec<&str> =
        graph.outputs().iter().filter(|wire| is_float(wire)).map(|wire| graph.name_of(*wire)).collect();
    let instead = if floats.is_empty() { String::new() } else { format!("; take {}", floats.join(" or ")) };
    let (name, element) = (graph.name_of(output), graph.element(output));
    Err(Error::network(format!("output `{name}` holds {element:?}, which have no gradient{instead}")))
}

/// The graph of one input: from the wire that is explained on, what stands beside it fixed.
pub(super) fn from_start(graph: &Graph, options: &Options) -> Result<Graph, Error> {
    let start = match &options.start {
        Some(name) => started_at(graph, name)?,
        None => single_input(graph, &options.fixed)?,
    };
    if options.start.is_none() && options.fixed.is_empty() {
        return Ok(cut(graph, &[start])?);
    }
    let of_graph = || Some(graph.shape(start)?.iter().skip(1).map(Dim::known).collect());
    let given = options.input_shape.as_ref().map(|shape| shape.iter().map(|&n| Some(n)).collect());
    let row_shape: Vec<Option<usize>> = given.or_else(of_graph).unwrap_or_default();
    Ok(from_wire(graph, start, &row_shape, &options.fixed)?)
}

fn started_at(graph: &Graph, name: &str) -> Result<Wire, Error> {
    let wire = graph.wire(name)?;
    match graph.element(wire) {
        element if element.is_float() => Ok(wire),
        element => Err(Error::network(format!(
            "`{name}` holds {element:?}, which have no gradient; start behind them"
        ))),
    }
}

/// The one input that the graph's output depends on, beside those that are fixed.
fn single_input(graph: &Graph, fixed: &BTreeMap<String, Tensor>) -> Result<Wire, Error> {
    let mut needed = graph.ancestors(graph.outputs());
    needed.retain(|wire| !fixed.contains_key(graph.name_of(*wire)));
    let inputs: Vec<Wire> = graph.inputs().iter().copied().filter(|wire| needed.contains(wire)).collect();
    let names: Vec<&str> = inputs.iter().map(|wire| graph.name_of(*wire)).collect();
    match inputs.as_slice() {
        [input] if graph.element(*input).is_float() => Ok(*input),
        [input] => Err(Error::network(format!(
            "its input `{}` holds {:?}, which have no gradient; a token model needs its tokenizer (--tokenizer \
             tokenizer.json)",
            names[0],
            graph.element(*input)
        ))),
        [] => Err(Error::network("its output depends on no input")),
        _ => Err(Error::network(format!(
            "it has {} inputs ({}), and one is explained; say what the others hold (--fixed NAME=FILE), or for a token model \
             give its tokenizer (--tokenizer tokenizer.json)",
            names.len(),
            names.join(", ")
        ))),
    }
}

/// Whether the graph's last op is a softmax or sigmoid, and the wire to explain.
pub(crate) fn ending(graph: &Graph, output: Wire, explain_probability: bool) -> (Ending, Wire) {
    let Some(last) = graph.producer(output).filter(|_| !explain_probability) else {
        return (Ending::Plain, output);
    };
    match (kind_of_ending(graph, last), last.inputs.first().copied().flatten()) {
        (Ending::Plain, _) | (_, None) => (Ending::Plain, output),
        (kind, Some(before)) => (kind, before),
    }
}

fn kind_of_ending(graph: &Graph, node: &Node) -> Ending {
    let rank = node.outputs.first().copied().flatten().and_then(|wire| graph.rank(wire));
    let axis = node.int("axis").unwrap_or(-1);
    let last_axis = axis == -1 || rank.is_some_and(|rank| axis == rank as i64 - 1);
    // Over the classes of each place of an image.
    let of_places = rank.is_some_and(|rank| rank >= 4 && (axis == 1 || axis == 1 - rank as i64));
    match node.op.as_str() {
        "Softmax" if node.domain.is_empty() && (last_axis || of_places) => Ending::Softmax,
        "Sigmoid" if node.domain.is_empty() => Ending::Sigmoid,
        _ => Ending::Plain,
    }
}

pub(super) fn ends_in_probability(graph: &Graph, output: Wire) -> bool {
    graph.producer(output).is_some_and(|node| kind_of_ending(graph, node) != Ending::Plain)
}

/// The lengths of one row: from the graph, or as given where the graph leaves them open.
pub(super) fn row_shape(graph: &Graph, given: Option<&[usize]>) -> Result<Vec<usize>, Error> {
    let input = graph.inputs()[0];
    let own: Option<Vec<usize>> =
        graph.shape(input).and_then(|s| s.get(1..)?.iter().map(Dim::known).collect());
    match (given, own) {
        (Some(given), _) => Ok(given.to_vec()),
        (None, Some(own)) => Ok(own),
        (None, None) => Err(Error::network(format!(
            "the lengths of its input `{}` are open; say them (--input-shape 3,224,224)",
            graph.name_of(input)
        ))),
    }
}
