//! Writes rare ops as common ones: fewer rules, more runtimes. One file a family of ops.

mod activation;
mod normalization;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::passes::rebuild::{Rebuild, rebuild};

/// Emits what stands for a node and gives the wires of its outputs. The node's inputs are wires of the new graph.
type Lowering = fn(&mut Rebuild, &Node) -> Result<Vec<Wire>, String>;

/// Each family: op → lowering. A lowering may emit ops that are lowered themselves.
const FAMILIES: &[fn(&str) -> Option<Lowering>] = &[activation::lowering, normalization::lowering];

fn find(op: &str) -> Option<Lowering> {
    FAMILIES.iter().find_map(|family| family(op))
}

/// Whether an op of the default domain is written as others before the backward walk.
pub fn is_lowered(op: &str) -> bool {
    find(op).is_some()
}

/// Replaces every op that has a lowering, and what the lowerings emit, until none is left.
///
/// # Errors
/// A node whose attributes or unknown lengths its lowering cannot take.
pub fn lower(graph: &Graph) -> Result<Graph, Error> {
    let lowered_here = |node: &Node| node.domain.is_empty() && is_lowered(&node.op);
    let mut graph = graph.clone();
    while graph.nodes().iter().any(lowered_here) {
        graph = rebuild(&graph, |new, node| match find(&node.op).filter(|_| node.domain.is_empty()) {
            Some(lowering) => lowering(new, node).map(Some),
            None => Ok(None),
        })?;
    }
    Ok(graph)
}
