//! Any opset → the canonical one (18), op by op, as nodes are added.

mod operands;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};

/// The newest opset whose ops were all gone through.
const NEWEST: i64 = 18;

/// The oldest opset that can be read.
const OLDEST: i64 = 13;

/// A node on its way into a graph.
struct Step<'a> {
    graph: &'a mut Graph,
    node: Node,
    names: &'a [Option<&'a str>],
    version: i64,
}

/// The wires of a node's outputs.
type Outputs = Result<Vec<Option<Wire>>, Error>;

/// Adds a node in the canonical meaning.
type Rule = fn(Step<'_>) -> Outputs;

/// Adds a node of opset `version` in the meaning of the canonical opset.
///
/// # Errors
/// [`Error::Unsupported`] for versions that are too old or too new.
pub(super) fn add(graph: &mut Graph, node: Node, names: &[Option<&str>], version: i64) -> Outputs {
    if node.domain.is_empty() && !(OLDEST..=NEWEST).contains(&version) {
        let reason = format!("opset {version}; opsets {OLDEST} to {NEWEST} can be read");
        return Err(Error::Unsupported { reason });
    }
    let rule = if node.domain.is_empty() { rule(&node.op) } else { None };
    let step = Step { graph, node, names, version };
    match rule {
        Some(rule) => rule(step),
        None => step.keep(),
    }
}

impl Step<'_> {
    /// Adds the node as it stands.
    fn keep(self) -> Outputs {
        Ok(self.graph.add_node(self.node, self.names))
    }
}

fn rule(op: &str) -> Option<Rule> {
    Some(match op {
        "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2"
        | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceSumSquare" => |step| operands::axes_since(step, 18),
        "ReduceSum" | "Squeeze" | "Unsqueeze" => |step| operands::axes_since(step, 13),
        "Split" => operands::split,
        _ => return None,
    })
}
