//! What is affine in the input: path methods run that part once, since along a straight path it moves on a straight line.

use std::collections::BTreeSet;

use crate::graph::{Graph, Node, Wire};

/// The one wire through which everything affine in `input` reaches the rest of the graph, where there is just one and
/// a layer with weights lies before it.
pub fn affine_frontier(graph: &Graph, input: Wire) -> Option<Wire> {
    let mut affine = BTreeSet::from([input]);
    let mut weighted = false;
    for node in graph.nodes() {
        if keeps_affine(graph, node, &affine) {
            affine.extend(node.outputs.iter().flatten());
            weighted |= matches!(node.op.as_str(), "Conv" | "ConvTranspose" | "Gemm" | "MatMul");
        }
    }
    let frontier = frontier(graph, &affine);
    match (weighted, frontier.as_slice()) {
        (true, [wire]) => Some(*wire),
        _ => None,
    }
}

/// Affine wires that are outputs or that other nodes read.
fn frontier(graph: &Graph, affine: &BTreeSet<Wire>) -> Vec<Wire> {
    let mut frontier: BTreeSet<Wire> =
        graph.outputs().iter().copied().filter(|wire| affine.contains(wire)).collect();
    for node in graph.nodes() {
        let is_affine = node.outputs.iter().flatten().any(|wire| affine.contains(wire));
        if !is_affine {
            frontier.extend(node.inputs.iter().flatten().filter(|wire| affine.contains(wire)));
        }
    }
    frontier.into_iter().collect()
}

/// Whether a node's output is affine in the input: an affine op of affine and constant operands.
fn keeps_affine(graph: &Graph, node: &Node, affine: &BTreeSet<Wire>) -> bool {
    let is_affine =
        |i: usize| node.inputs.get(i).copied().flatten().is_some_and(|wire| affine.contains(&wire));
    let is_constant =
        |i: usize| node.inputs.get(i).copied().flatten().is_none_or(|wire| graph.constant(wire).is_some());
    let n = node.inputs.len();
    if !node.domain.is_empty() || !(0..n).any(is_affine) || !(0..n).all(|i| is_affine(i) || is_constant(i)) {
        return false;
    }
    let first_only = is_affine(0) && (1..n).all(|i| !is_affine(i));
    match node.op.as_str() {
        "Add" | "Sub" | "Neg" | "Identity" | "Concat" => true,
        "Mul" | "MatMul" => is_affine(0) != is_affine(1),
        "Conv" | "ConvTranspose" | "Gemm" | "Div" | "Reshape" | "Flatten" | "Transpose" | "Squeeze"
        | "Unsqueeze" | "Slice" | "AveragePool" | "GlobalAveragePool" | "ReduceMean" | "ReduceSum"
        | "BatchNormalization" | "Gather" | "Expand" | "Tile" | "SpaceToDepth" | "DepthToSpace" => first_only,
        "Pad" => first_only && node.string("mode").unwrap_or("constant") == "constant",
        _ => false,
    }
}
