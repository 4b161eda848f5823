//! One graph inside another: how the parts of a method (forward at the input, at the baseline, along a path) become one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::tensor::Tensor;

/// Copies the nodes of `other` into `graph`, `inputs` standing for its inputs, and gives the wires of its outputs.
/// Constants that `graph` has already (the same tensor in memory) are not added again.
///
/// # Errors
/// Inputs that do not fit an op of `other`.
pub fn embed(graph: &mut Graph, other: &Graph, inputs: &[Wire]) -> Result<Vec<Wire>, Error> {
    let mut map: BTreeMap<Wire, Wire> = other.inputs().iter().copied().zip(inputs.iter().copied()).collect();
    let present = constants_by_address(graph);
    for wire in other.wires() {
        if let Some(tensor) = other.constant(wire) {
            let known = present.get(&Arc::as_ptr(tensor)).copied();
            let new = known.unwrap_or_else(|| graph.add_constant(other.name_of(wire), tensor.clone()));
            map.insert(wire, new);
        }
    }
    for node in other.nodes() {
        let inputs = node.inputs.iter().map(|wire| wire.and_then(|wire| map.get(&wire).copied())).collect();
        let names: Vec<Option<&str>> =
            node.outputs.iter().map(|wire| wire.map(|wire| other.name_of(wire))).collect();
        let copy = Node { inputs, outputs: Vec::new(), ..node.clone() };
        let outputs = graph.add_node(copy, &names);
        map.extend(node.outputs.iter().zip(outputs).filter_map(|(old, new)| Some(((*old)?, new?))));
    }
    graph.check_fault()?;
    let output = |wire: &Wire| map.get(wire).copied().ok_or_else(|| lost(other, *wire));
    other.outputs().iter().map(output).collect()
}

fn constants_by_address(graph: &Graph) -> BTreeMap<*const Tensor, Wire> {
    graph.wires().filter_map(|wire| Some((Arc::as_ptr(graph.constant(wire)?), wire))).collect()
}

fn lost(other: &Graph, wire: Wire) -> Error {
    Error::UnknownWire {
        name: other.name_of(wire).to_owned(),
        hint: ": the embedded graph lost it".to_owned(),
    }
}
