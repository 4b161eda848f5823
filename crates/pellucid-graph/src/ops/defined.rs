//! Ops that are defined by others: their types and values are those of the formula in `passes/lower`. ONNX Runtime's own
//! kernels judge them, in the tests of pellucid-runtime.

use super::{Call, Op, Site};
use crate::graph::{Graph, Node, Wire};
use crate::passes::lowering_of;
use crate::tensor::{Data, Tensor};
use crate::types::Type;

const fn defined(name: &'static str) -> Op {
    Op { name, infer, evaluate }
}

pub(super) const OPS: &[Op] = &[
    defined("Einsum"),
    defined("GridSample"),
    defined("MeanVarianceNormalization"),
    defined("SimplifiedLayerNormalization"),
    defined("LpNormalization"),
    defined("Attention"),
    defined("RotaryEmbedding"),
    defined("Scan"),
    defined("Loop"),
];

/// Those of the domain `com.microsoft`.
pub(super) const CONTRIBUTED_OPS: &[Op] = &[
    defined("Attention"),
    defined("BiasGelu"),
    defined("FastGelu"),
    defined("FusedMatMul"),
    defined("Gelu"),
    defined("GroupQueryAttention"),
    defined("MultiHeadAttention"),
    defined("QuickGelu"),
    defined("RotaryEmbedding"),
    defined("SimplifiedLayerNormalization"),
    defined("SkipLayerNormalization"),
    defined("SkipSimplifiedLayerNormalization"),
];

/// The formula's nodes in `graph`, for a node whose inputs stand in it already.
fn written_out(graph: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let lowering = lowering_of(&node.domain, &node.op).ok_or("it has no formula")?;
    lowering(graph, node)
}

/// Nothing is known where the formula cannot be written for lack of lengths; that is an error only when it is needed.
fn infer(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let mut graph = Graph::new("definition");
    let inputs = site.node.inputs.iter().map(|wire| wire.map(|wire| stand_in(&mut graph, site.graph, wire)));
    let node = Node { inputs: inputs.collect(), ..site.node.clone() };
    let Ok(wires) = written_out(&mut graph, &node) else { return Ok(Vec::new()) };
    graph.check_fault().map_err(|error| error.to_string())?;
    Ok(wires.into_iter().map(|wire| graph.type_of(wire).clone()).collect())
}

/// An input of the type of `wire`, or a constant where its value is known.
fn stand_in(graph: &mut Graph, outer: &Graph, wire: Wire) -> Wire {
    if let Some(tensor) = outer.constant(wire) {
        return graph.add_constant("input", tensor.clone());
    }
    let (ty, ints) = (outer.type_of(wire), outer.numbers(wire).and_then(|numbers| numbers.ints()));
    let known = ints.zip(ty.known_shape()).and_then(|(ints, shape)| Tensor::try_new(shape, Data::I64(ints)));
    match known {
        Some(tensor) => graph.add_constant("input", tensor.cast(ty.element)),
        None => graph.add_input("input", ty.clone()),
    }
}

fn evaluate(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let mut graph = Graph::new("definition");
    let given = (0..call.n_inputs()).map(|i| call.optional(i));
    let inputs =
        given.map(|tensor| tensor.map(|tensor| graph.add_constant("input", tensor.clone()))).collect();
    let wires = written_out(&mut graph, &Node { inputs, ..call.node.clone() })?;
    graph
        .check_fault()
        .and_then(|()| crate::evaluate::evaluate_wires(&graph, &[], &wires))
        .map_err(|e| e.to_string())
}
