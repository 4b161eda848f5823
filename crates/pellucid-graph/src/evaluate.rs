//! The reference evaluator: every op in f64 and i64, in plain loops. Slow, and the ground truth that gradient rules
//! and both runtimes are judged by.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::graph::{Graph, Wire};
use crate::ops;
use crate::tensor::{ElementType, Tensor};
use crate::types::shape_text;

/// Runs `graph` on `inputs`, one tensor an input of the graph, and gives its outputs. Floats are computed and
/// returned as f64, integers as i64, whatever the types of the wires.
///
/// # Errors
/// Inputs that do not fit, an op that is not supported, values an op does not allow.
pub fn evaluate(graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
    evaluate_wires(graph, inputs, graph.outputs())
}

/// Like [`evaluate`], for any wires of the graph.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_wires(graph: &Graph, inputs: &[Tensor], wires: &[Wire]) -> Result<Vec<Tensor>, Error> {
    check_inputs(graph, inputs)?;
    let needed = graph.ancestors(wires);
    let mut values: BTreeMap<Wire, Tensor> = BTreeMap::new();
    for (wire, tensor) in graph.inputs().iter().zip(inputs) {
        values.insert(*wire, widened(tensor));
    }
    for wire in graph.wires().filter(|wire| needed.contains(wire)) {
        if let Some(tensor) = graph.constant(wire) {
            values.insert(wire, widened(tensor));
        }
    }
    for node in graph.nodes() {
        if node.outputs.iter().flatten().any(|wire| needed.contains(wire)) {
            let arguments: Vec<Option<&Tensor>> =
                node.inputs.iter().map(|wire| wire.and_then(|wire| values.get(&wire))).collect();
            let first = node.outputs.iter().flatten().next();
            let output = first.map_or(ElementType::Unknown, |wire| graph.element(*wire));
            let results = ops::evaluate(node, &arguments, output)?;
            let named = node.outputs.iter().zip(results);
            values.extend(named.filter_map(|(wire, tensor)| Some(((*wire)?, tensor))));
        }
    }
    wires.iter().map(|wire| values.get(wire).cloned().ok_or_else(|| missing(graph, *wire))).collect()
}

fn missing(graph: &Graph, wire: Wire) -> Error {
    Error::UnknownWire { name: graph.name_of(wire).to_owned(), hint: ": no node gave it a value".to_owned() }
}

/// Checks that there is one tensor an input and that each fits its type; float types are exchangeable.
///
/// # Errors
/// [`Error::Input`].
pub fn check_inputs(graph: &Graph, inputs: &[Tensor]) -> Result<(), Error> {
    if inputs.len() != graph.inputs().len() {
        return Err(Error::Input {
            input: graph.inputs().iter().map(|w| graph.name_of(*w)).collect::<Vec<_>>().join(", "),
            expected: format!("{} tensors", graph.inputs().len()),
            actual: format!("{}", inputs.len()),
        });
    }
    for (wire, tensor) in graph.inputs().iter().zip(inputs) {
        let ty = graph.type_of(*wire);
        let same_kind = ty.element == tensor.element()
            || (ty.element.is_float() && tensor.element().is_float())
            || (ty.element.is_integer() && tensor.element().is_integer());
        if !same_kind || !ty.admits(tensor.shape()) {
            return Err(Error::Input {
                input: graph.name_of(*wire).to_owned(),
                expected: format!(
                    "{:?} {}",
                    ty.element,
                    ty.shape.as_deref().map_or("?".to_owned(), shape_text)
                ),
                actual: format!("{:?} {:?}", tensor.element(), tensor.shape()),
            });
        }
    }
    Ok(())
}

/// The tensor in the evaluator's own types: f64, i64, bool, strings.
pub(crate) fn widened(tensor: &Tensor) -> Tensor {
    match tensor.element() {
        element if element.is_float() => tensor.cast(ElementType::F64),
        element if element.is_integer() => tensor.cast(ElementType::I64),
        _ => tensor.clone(),
    }
}
