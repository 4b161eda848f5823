//! Writes rare ops as common ones: fewer rules, more runtimes. One file a family of ops.

mod activation;
mod movement;
mod normalization;
mod resize;

pub(crate) use resize::kept_factors;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::passes::rebuild::{Rebuild, rebuild};

/// Emits what stands for a node and gives the wires of its outputs. The node's inputs are wires of the new graph.
type Lowering = fn(&mut Rebuild, &Node) -> Result<Vec<Wire>, String>;

/// Each family: op → lowering. A lowering may emit ops that are lowered themselves.
const FAMILIES: &[fn(&str) -> Option<Lowering>] =
    &[activation::lowering, normalization::lowering, movement::lowering, resize::lowering];

/// Forms of lowered ops that stay as they are: every runtime has them, and the tables have rules for them.
fn stays(graph: &Graph, node: &Node) -> bool {
    movement::is_plain_pad(graph, node) || kept_factors(graph, node).is_some()
}

fn find(op: &str) -> Option<Lowering> {
    FAMILIES.iter().find_map(|family| family(op))
}

/// Whether an op of the default domain, or most forms of it, is written as others before the backward walk.
pub fn is_lowered(op: &str) -> bool {
    find(op).is_some()
}

/// Replaces every op that has a lowering, and what the lowerings emit, until none is left.
///
/// # Errors
/// A node whose attributes or unknown lengths its lowering cannot take.
pub fn lower(graph: &Graph) -> Result<Graph, Error> {
    let lowering =
        |graph: &Graph, node: &Node| find(&node.op).filter(|_| node.domain.is_empty() && !stays(graph, node));
    let mut graph = graph.clone();
    while graph.nodes().iter().any(|node| lowering(&graph, node).is_some()) {
        graph = rebuild(&graph, |new, node| lowering(new, node).map(|emit| emit(new, node)).transpose())?;
    }
    Ok(graph)
}
