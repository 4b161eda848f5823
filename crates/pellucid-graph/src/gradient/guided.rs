//! The guided table: the gradient's, but a ReLU sends on only what speaks for the output (Springenberg et al. 2015,
//! arXiv:1412.6806).

use std::rc::Rc;

use super::{find, gradient_table, walked};
use crate::backward::{Rule, Signal, Step, Table};
use crate::error::Error;
use crate::graph::{Graph, Node, Wire};

/// The guided table: `dx = max(dy, 0)` where `x > 0` for a ReLU, and for a clip at 0 from below (ReLU6); the gradient for
/// every other op.
pub fn guided_table() -> Table<'static> {
    let gradient = gradient_table();
    Table {
        name: "guided",
        rule: Box::new(move |node, place| {
            if !matches!(node.op.as_str(), "Relu" | "Clip") || !node.domain.is_empty() {
                return (gradient.rule)(node, place);
            }
            let rule = find(&node.op)?;
            Some(Rc::new(move |s: &mut Step<'_>| {
                let signals = rule(s)?;
                if !cuts_at_zero(s, s.at()) {
                    return Ok(signals);
                }
                let positive = |signal: Option<Signal>| match signal {
                    Some(Signal::One(wire)) => Some(Signal::One(s.relu(wire))),
                    other => other,
                };
                Ok(signals.into_iter().map(positive).collect())
            }) as Rule)
        }),
    }
}

fn cuts_at_zero(graph: &Graph, node: &Node) -> bool {
    let low = || node.inputs.get(1).copied().flatten().and_then(|low| graph.constant(low));
    node.op == "Relu" || low().is_some_and(|low| low.to_f64s() == [0.0])
}

/// As [`gradient`](super::gradient()), by the guided table.
///
/// # Errors
/// As [`backward`](crate::backward::backward).
pub fn guided(graph: &mut Graph, output: Wire, seed: Wire, wanted: &[Wire]) -> Result<Vec<Wire>, Error> {
    walked(graph, &guided_table(), output, seed, wanted)
}
