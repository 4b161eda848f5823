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

/// Replaces each node whose inputs are all constant by its values, shape operands whose lengths are known before the
/// run (the batch axis as -1) by constants, and an `If` whose condition is known by the branch it takes.
///
/// # Errors
/// Whatever the evaluator reports of a node with constant inputs.
pub fn fold_constants(graph: &Graph) -> Result<Graph, Error> {
    let (mut graph, mut took_branch) = fold_once(graph)?;
    // A branch may hold what folds, and branches of its own.
    while took_branch {
        (graph, took_branch) = fold_once(&graph)?;
    }
    Ok(graph)
}

/// The graph with one more layer of branches inlined, and whether there was any.
fn fold_once(graph: &Graph) -> Result<(Graph, bool), Error> {
    let mut took_branch = false;
    let folded = rebuild(graph, |new, node| {
        if let Some(results) = constant_results(new, node)? {
            let wires = results.into_iter().map(|tensor| new.add_constant("folded", tensor)).collect();
            return Ok(Some(wires));
        }
        if let Some(wires) = decided_branch(new, node)? {
            took_branch = true;
            return Ok(Some(wires));
        }
        Ok(shape_operand(new, node))
    })?;
    Ok((folded, took_branch))
}

/// The branch that an `If` takes whatever the input: exporters ask for lengths before they squeeze an axis. The
/// inputs behind the condition are what the branches take from around them.
fn decided_branch(new: &mut Rebuild, node: &Node) -> Result<Option<Vec<Wire>>, String> {
    let condition = match node.inputs.first() {
        Some(Some(wire)) if node.op == "If" && node.domain.is_empty() => *wire,
        _ => return Ok(None),
    };
    let Some([holds]) = new.numbers(condition).and_then(|numbers| <[i64; 1]>::try_from(numbers.ints()?).ok())
    else {
        return Ok(None);
    };
    let name = if holds != 0 { "then_branch" } else { "else_branch" };
    let Some(Attribute::Graph(branch)) = node.attributes.get(name) else { return Ok(None) };
    let captured: Option<Vec<Wire>> = node.inputs[1..].iter().copied().collect();
    let captured = captured.filter(|wires| wires.len() == branch.inputs().len());
    let captured = captured.ok_or_else(|| format!("`{name}` does not fit the node's inputs"))?;
    embed(new, branch, &captured).map(Some).map_err(|error| error.to_string())
}

/// The values of a node all of whose inputs are constant, in the types that its outputs are to have.
fn constant_results(new: &Rebuild, node: &Node) -> Result<Option<Vec<Arc<Tensor>>>, String> {
    if let Some(lengths) = known_lengths(new, node) {
        return Ok(Some(vec![Arc::new(lengths)]));
    }
    let Some(inputs) = constant_inputs(new, node) else { return Ok(None) };
    if !ops::is_known(&node.domain, &node.op) || has_dequantization(node) || node.bodies().next().is_some() {
        return Ok(None);
    }
    let types = ops::infer(new, node).map_err(|error| error.to_string())?;
    let widened: Vec<Option<Tensor>> =
        inputs.iter().map(|tensor| tensor.as_deref().map(crate::evaluate::widened)).collect();
    let arguments: Vec<Option<&Tensor>> = widened.iter().map(Option::as_ref).collect();
    let output = types.first().map_or(ElementType::Unknown, |ty| ty.element);
    let results = ops::evaluate(node, &arguments, output).map_err(|error| error.to_string())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;

    /// `y = squeeze(h)` where the last axis of `h` has length 1, else `y = h`, with `h = x + x`.
    fn asks_for_a_length(length: usize) -> Graph {
        let mut graph = crate::text::parse(&format!(
            "g (float[N,{length}] x) => (float[N,{length}] h) <int64 last = {{1}}, int64 one = {{1}}>
             {{ h = Add(x, x) s = Shape(h) n = Gather(s, last) c = Equal(n, one) }}"
        ))
        .unwrap();
        let (c, h) = (graph.wire("c").unwrap(), graph.wire("h").unwrap());
        let branch = |shape: &str, body: &str| {
            let text =
                format!("b (float[N,{length}] h) => (float{shape} y) <int64[1] last = {{1}}> {{ {body} }}");
            Attribute::Graph(crate::text::parse(&text).unwrap().into())
        };
        let then = if length == 1 {
            branch("[N]", "y = Squeeze(h, last)")
        } else {
            branch("[N,2]", "y = Identity(h)")
        };
        let attributes = [("then_branch", then), ("else_branch", branch("[N,?]", "y = Neg(h)"))];
        let y = graph.node("If", &[c, h], &attributes);
        graph.set_outputs(&[y]);
        graph
    }

    #[test]
    fn a_branch_decided_by_a_length_is_taken() {
        for (length, expected) in [(1, vec![6.0]), (2, vec![-6.0, -8.0])] {
            let folded = fold_constants(&asks_for_a_length(length)).unwrap();
            assert!(folded.nodes().iter().all(|node| node.op != "If"));
            let x = Tensor::f32(&[1, length], vec![3.0, 4.0][..length].to_vec());
            assert_eq!(evaluate(&folded, &[x]).unwrap()[0].to_f64s(), expected);
        }
    }
}
