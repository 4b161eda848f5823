//! `Softmax`, `LogSoftmax` and `Hardmax` before opset 13, which took all axes from `axis` on as one.

use std::collections::BTreeMap;

use super::{Outputs, Step};
use crate::graph::{Attribute, Node};
use crate::ops::resolve_axis;

/// The same op over one axis. Where more than one axis from `axis` on may be longer than 1, the input is flattened
/// before and given its shape back after.
pub(super) fn one_axis(mut step: Step<'_>) -> Outputs {
    if step.version >= 13 {
        return step.keep();
    }
    let axis = step.node.int("axis").unwrap_or(1);
    let x = step.required(0)?;
    if let Some(shape) = step.graph.shape(x) {
        let axis = resolve_axis(axis, shape.len()).map_err(|reason| step.node.fault(reason))?;
        if shape.iter().skip(axis + 1).all(|dim| dim.is(1)) {
            step.node.attributes.insert("axis".to_owned(), Attribute::Int(axis as i64));
            return step.keep();
        }
    }
    let name = step.node.name.clone();
    let graph = step.graph;
    let flat = graph.node("Flatten", &[x], &[("axis", axis.into())]);
    let rows = Node {
        inputs: vec![Some(flat)],
        attributes: BTreeMap::from([("axis".to_owned(), Attribute::Int(1))]),
        ..step.node
    };
    let rows = graph.add_node(rows, &[Some("")]);
    let shape = graph.shape_of(x);
    let reshape = Node {
        name: format!("{name}/reshape"),
        domain: String::new(),
        op: "Reshape".to_owned(),
        inputs: vec![rows.first().copied().flatten(), Some(shape)],
        outputs: Vec::new(),
        attributes: BTreeMap::new(),
    };
    Ok(graph.add_node(reshape, step.names))
}
