//! Writes rare ops as common ones: fewer rules, more runtimes. One file a family of ops.

mod activation;
mod attention;
mod contributed;
mod einsum;
mod grid_sample;
mod movement;
mod normalization;
mod recurrent;
mod resize;
mod rotary;
mod unrolled;

pub(crate) use resize::kept_factors;

use crate::error::Error;
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::passes::rebuild::rebuild;
use crate::tensor::Tensor;

/// The domain of the ops that ONNX Runtime's own tools write.
pub(crate) const CONTRIBUTED: &str = "com.microsoft";

/// Emits what stands for a node and gives the wires of its outputs, the first ones at least. The node's inputs are wires
/// of the graph that is emitted into; of its outputs only it counts which are there ([`wants`]).
pub(crate) type Lowering = fn(&mut Graph, &Node) -> Result<Vec<Wire>, String>;

/// Each family of the default domain: op → lowering. A lowering may emit ops that are lowered themselves.
const FAMILIES: &[fn(&str) -> Option<Lowering>] = &[
    activation::lowering,
    normalization::lowering,
    movement::lowering,
    resize::lowering,
    einsum::lowering,
    grid_sample::lowering,
    attention::lowering,
    rotary::lowering,
    recurrent::lowering,
    unrolled::lowering,
];

/// Forms of lowered ops that stay as they are: every runtime has them, and the tables have rules for them.
fn stays(graph: &Graph, node: &Node) -> bool {
    movement::is_plain_pad(graph, node)
        || movement::is_plain_gather(node)
        || kept_factors(graph, node).is_some()
}

/// The lowering of an op.
pub(crate) fn lowering_of(domain: &str, op: &str) -> Option<Lowering> {
    match domain {
        "" => FAMILIES.iter().find_map(|family| family(op)),
        CONTRIBUTED => contributed::lowering(op),
        _ => None,
    }
}

/// Whether an op, or most forms of it, is written as others before the backward walk.
pub fn is_lowered(domain: &str, op: &str) -> bool {
    lowering_of(domain, op).is_some()
}

/// Replaces every op that has a lowering, and what the lowerings emit, until none is left.
///
/// # Errors
/// A node whose attributes or unknown lengths its lowering cannot take.
pub fn lower(graph: &Graph) -> Result<Graph, Error> {
    let lowering =
        |graph: &Graph, node: &Node| lowering_of(&node.domain, &node.op).filter(|_| !stays(graph, node));
    let mut graph = graph.clone();
    while graph.nodes().iter().any(|node| lowering(&graph, node).is_some()) {
        graph = rebuild(&graph, |new, node| lowering(new, node).map(|emit| emit(new, node)).transpose())?;
    }
    Ok(graph)
}

/// Input `i` of a node, where it is given.
fn optional(node: &Node, i: usize) -> Option<Wire> {
    node.inputs.get(i).copied().flatten()
}

/// Input `i` of a node.
fn input(node: &Node, i: usize) -> Result<Wire, String> {
    optional(node, i).ok_or_else(|| format!("input {i} is missing"))
}

/// Whether somebody may read output `i`; all of them where it is not known yet.
fn wants(node: &Node, i: usize) -> bool {
    node.outputs.is_empty() || node.outputs.get(i).is_some_and(Option::is_some)
}

/// Refuses inputs that a lowering does not know, by name.
fn refuse_inputs(node: &Node, unknown: &[(usize, &str)]) -> Result<(), String> {
    match unknown.iter().find(|(i, _)| optional(node, *i).is_some()) {
        Some((_, name)) => Err(format!("its input `{name}` is not supported")),
        None => Ok(()),
    }
}

/// The length of one axis.
fn length(graph: &Graph, wire: Wire, axis: usize) -> Result<usize, String> {
    let known = graph.shape(wire).and_then(|shape| shape.get(axis)?.known());
    known.ok_or_else(|| {
        format!(
            "the length of axis {axis} of `{}` is unknown: fix the shape of the input",
            graph.name_of(wire)
        )
    })
}

/// The places along one axis, `[length]`: 0, 1, 2 and so on, for lengths too that only the run tells.
fn places(g: &mut Graph, wire: Wire, axis: usize) -> Wire {
    let ends = [("start", Attribute::Int(axis as i64)), ("end", Attribute::Int(axis as i64 + 1))];
    let length = g.node("Shape", &[wire], &ends);
    let length = g.squeeze(length, &[0]);
    let [zero, step] = [0, 1].map(|n| g.add_constant("number", Tensor::i64(&[], vec![n])));
    g.node("Range", &[zero, length, step], &[])
}

#[cfg(test)]
mod tests;
