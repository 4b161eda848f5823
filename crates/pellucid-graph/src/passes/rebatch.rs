//! Opens a batch axis that an exporter fixed at 1. What comes out must be checked by running several rows at once
//! against each alone; this pass does the rewriting only.

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::passes::rebuild::Rebuild;
use crate::types::{Dim, Type};

/// The graph with the first axis of every input as the batch `N`, targets of `Reshape` and operands of `Concat` that had
/// 1 in its place following. Give it a graph whose shape arithmetic is folded.
///
/// # Errors
/// Lengths that cannot hold for any batch but 1.
pub fn open_batch(graph: &Graph) -> Result<Graph, Error> {
    let opened = |wire: &Wire| {
        let ty = graph.type_of(*wire);
        let mut shape = ty.shape.clone().unwrap_or_default();
        if let Some(first) = shape.first_mut() {
            *first = Dim::symbol(super::BATCH);
        }
        Type::new(ty.element, shape)
    };
    let types: Vec<Type> = graph.inputs().iter().map(opened).collect();
    let mut new = Rebuild::of(graph);
    for (wire, ty) in graph.inputs().iter().zip(types) {
        let input = new.add_input(graph.name_of(*wire), ty);
        new.stand_for(*wire, input);
    }
    new.copy_constants(graph);
    for node in graph.nodes() {
        let translated = new.translated(node);
        let replacement = match node.op.as_str() {
            "Reshape" => reshape(&mut new, &translated),
            "Concat" => concat(&mut new, &translated),
            _ => None,
        };
        match replacement {
            Some(wires) => new.replace(graph, node, &wires),
            None => new.copy_node_afresh(graph, node),
        }
        new.check_fault()?;
    }
    new.finish(graph)
}

/// A constant target `[1, …]` of something with a batch: -1 first, the rest from the elements of one row.
fn reshape(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let (x, target) = (node.inputs.first().copied().flatten()?, node.inputs.get(1).copied().flatten()?);
    let per_row = elements_of_row(new.shape(x)?)?;
    let mut target = new.constant(target)?.to_i64s();
    let own: Vec<Dim> = new.shape(x)?.to_vec();
    if node.int("allowzero").unwrap_or(0) == 0 {
        for (axis, n) in target.iter_mut().enumerate().filter(|(axis, n)| *axis > 0 && **n == 0) {
            *n = own.get(axis)?.known()? as i64;
        }
    }
    if *target.first()? != 1 {
        return None;
    }
    let known: i64 = target[1..].iter().filter(|n| **n > 0).product();
    for n in target[1..].iter_mut().filter(|n| **n == -1) {
        *n = per_row as i64 / known.max(1);
    }
    let holds_one_row = target[1..].iter().product::<i64>() == per_row as i64;
    target[0] = -1;
    holds_one_row.then(|| vec![new.reshape(x, &target)])
}

/// The elements of one row, where the first axis is the batch.
fn elements_of_row(shape: &[Dim]) -> Option<usize> {
    let (first, rest) = shape.split_first()?;
    let is_batch = matches!(first, Dim::Symbol { times: 1, .. });
    is_batch.then(|| rest.iter().map(Dim::known).try_fold(1, |n, d| Some(n * d?)))?
}

/// Operands with one row beside others with a batch are repeated (class tokens).
fn concat(new: &mut Rebuild, node: &Node) -> Option<Vec<Wire>> {
    let axis = node.int("axis")?;
    let parts: Vec<Wire> = node.inputs.iter().copied().collect::<Option<_>>()?;
    let is_batched = |new: &Rebuild, wire: Wire| {
        new.shape(wire)
            .and_then(|shape| shape.first().cloned())
            .is_some_and(|dim| matches!(dim, Dim::Symbol { .. }))
    };
    let batched = parts.iter().copied().find(|wire| is_batched(new, *wire))?;
    if axis == 0 || parts.iter().all(|wire| is_batched(new, *wire)) {
        return None;
    }
    let batch = {
        let lengths = new.shape_of(batched);
        new.slice(lengths, 0, 0, 1)
    };
    let parts: Vec<Wire> = parts
        .into_iter()
        .map(|part| if is_batched(new, part) { Some(part) } else { repeated(new, part, batch) })
        .collect::<Option<_>>()?;
    Some(vec![new.concat(&parts, axis)])
}

fn repeated(new: &mut Rebuild, part: Wire, batch: Wire) -> Option<Wire> {
    let rest: Vec<i64> =
        new.shape(part)?[1..].iter().map(|d| d.known().map(|n| n as i64)).collect::<Option<_>>()?;
    let rest = new.ints(&rest);
    let shape = new.concat(&[batch, rest], 0);
    Some(new.node("Expand", &[part, shape], &[]))
}
