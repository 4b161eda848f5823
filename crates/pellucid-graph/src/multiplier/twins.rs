//! The network a second time, at the baseline.

use crate::backward::Twins;
use crate::error::Error;
use crate::graph::{Graph, Node, Wire};

/// Copies every node that depends on an input of `ends`, with its baseline in its place, and gives each wire's twin. What
/// does not depend on them is its own twin, and so are lengths: input and baseline have the same.
///
/// # Errors
/// A baseline that does not fit.
pub(super) fn twins(graph: &mut Graph, ends: &[(Wire, Wire)]) -> Result<Twins, Error> {
    let mut twins: Twins = graph.wires().map(|wire| (wire, wire)).collect();
    twins.extend(ends.iter().copied());
    for node in graph.nodes().to_vec() {
        let changes = |wire: &Wire| twins.get(wire) != Some(wire);
        if matches!(node.op.as_str(), "Shape" | "Size") || !node.inputs.iter().flatten().any(changes) {
            continue;
        }
        let inputs = node.inputs.iter().map(|wire| wire.and_then(|wire| twins.get(&wire).copied())).collect();
        let name = format!("{} at the baseline", node.name);
        let names: Vec<Option<&str>> = node.outputs.iter().map(|wire| wire.map(|_| "")).collect();
        let copies = graph.add_node(Node { name, inputs, outputs: Vec::new(), ..node.clone() }, &names);
        for (wire, copy) in node.outputs.iter().zip(copies) {
            if let (Some(wire), Some(copy)) = (*wire, copy) {
                let ty = graph.type_of(wire).clone();
                graph.refine_type(copy, &ty);
                twins.insert(wire, copy);
            }
        }
    }
    graph.check_fault()?;
    Ok(twins)
}
