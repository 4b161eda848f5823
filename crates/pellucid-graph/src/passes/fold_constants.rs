//! Computes before any run what does not depend on an input.

use std::sync::Arc;

use crate::error::Error;
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops;
use crate::passes::embed::embed;
use crate::passes::rebuild::{Rebuild, rebuild};
use crate::tensor::{ElementType, Tensor};
use crate::types::Dim;

/// A folded tensor that is larger than this and than all it is computed from stays a node: files stay small.
const MAX_GROWN_ELEMENTS: usize = 1 << 16;

/// Replaces each node whose inputs are all constant by its values, and shape operands whose lengths are known before
/// the run (the batch axis as -1) by constants.
///
/// # Errors
/// Whatever the evaluator reports of a node with constant inputs.
pub fn fold_constants(graph: &Graph) -> Result<Graph, Error> {
    rebuild(graph, |new, node| {
        if let Some(results) = constant_results(new, node)? {
            let wires = results.into_iter().map(|tensor| new.add_constant("folded", tensor)).collect();
            return Ok(Some(wires));
        }
        match taken_branch(new, node) {
            Some((body, captured)) => {
                embed(new, &body, &captured).map(Some).map_err(|error| error.to_string())
            }
            None => Ok(shape_operand(new, node)),
        }
    })
}

/// The branch of an `If` whose condition is constant by now, and the wires that it takes from around it.
fn taken_branch(new: &Rebuild, node: &Node) -> Option<(Arc<Graph>, Vec<Wire>)> {
    if node.op != "If" || !node.domain.is_empty() {
        return None;
    }
    let (condition, captured) = node.inputs.split_first()?;
    let holds = new.constant((*condition)?)?.to_f64s().first()? != &0.0;
    let name = if holds { "then_branch" } else { "else_branch" };
    let Some(Attribute::Graph(body)) = node.attributes.get(name) else { return None };
    Some((body.clone(), captured.iter().copied().collect::<Option<_>>()?))
}

/// The values of a node all of whose inputs are constant, in the types that its outputs are to have.
fn constant_results(new: &Rebuild, node: &Node) -> Result<Option<Vec<Arc<Tensor>>>, String> {
    if let Some(lengths) = known_lengths(new, node) {
        return Ok(Some(vec![Arc::new(lengths)]));
    }
    let Some(inputs) = constant_inputs(new, node) else { return Ok(None) };
    if !ops::is_known(&node.domain, &node.op) || has_dequantization(node) {
        return Ok(None);
    }
    let types = ops::infer(new, node).map_err(|error| error.to_string())?;
    let widened: Vec<Option<Tensor>> =
        inputs.iter().map(|tensor| tensor.as_deref().map(crate::evaluate::widened)).collect();
    let arguments: Vec<Option<&Tensor>> = widened.iter().map(Option::as_ref).collect();
    let results = ops::evaluate(node, &arguments).map_err(|error| error.to_string())?;
    let largest_input = inputs.iter().flatten().map(|tensor| tensor.len()).max().unwrap_or(0);
    if results.iter().any(|tensor| tensor.len() > MAX_GROWN_ELEMENTS.max(largest_input)) {
        return Ok(None);
    }
    let typed = results.into_iter().zip(types).map(|(tensor, ty)| match ty.element {
        ElementType::Unknown => Arc::new(tensor),
        element => Arc::new(tensor.cast(element)),
    });
    Ok(Some(typed.collect()))
}

/// Quantized weights stay as small as they are in the file.
fn has_dequantization(node: &Node) -> bool {
    node.op == "DequantizeLinear"
}

fn constant_inputs(new: &Rebuild, node: &Node) -> Option<Vec<Option<Arc<Tensor>>>> {
    node.inputs
        .iter()
        .map(|wire| wire.map_or(Some(None), |wire| new.constant(wire).cloned().map(Some)))
        .collect()
}

/// `Shape` and what is computed from it, where every length is a number.
fn known_lengths(new: &Rebuild, node: &Node) -> Option<Tensor> {
    let numbers = crate::symbolic::infer_numbers(new, node)?.ints();
    let ty = ops::infer(new, node).ok()?.into_iter().next()?;
    let shape = ty.known_shape()?;
    Tensor::try_new(shape, crate::tensor::Data::I64(numbers?)).map(|tensor| tensor.cast(ty.element))
}

/// A `Reshape` whose target has the batch axis as its only unknown length: the target becomes a constant with -1.
fn shape_operand(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let (x, target) = (node.inputs.first().copied().flatten()?, node.inputs.get(1).copied().flatten()?);
    if node.op != "Reshape" || !node.domain.is_empty() || new.constant(target).is_some() {
        return None;
    }
    let lengths = ops::infer(new, node).ok()?.into_iter().next()?.shape?;
    let symbolic = lengths.iter().filter(|dim| matches!(dim, Dim::Symbol { .. })).count();
    if symbolic != 1 || lengths.contains(&Dim::Unknown) {
        return None;
    }
    let shape = crate::build::constant_shape(&lengths)?;
    Some(vec![new.reshape(x, &shape)])
}
