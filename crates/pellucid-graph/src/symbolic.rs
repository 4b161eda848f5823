//! Follows lengths through the small integer vectors that exporters compute shapes with
//! (`Shape → Gather → Concat → Reshape`), the batch axis as a symbol.

use crate::build::element_of_code;
use crate::graph::{Graph, Node, Wire};
use crate::tensor::{ElementType, Tensor};
use crate::types::Dim;

/// Longer vectors are data, not shapes.
const MAX_LENGTHS: usize = 64;

/// The elements of a small constant integer vector as lengths. Negative numbers (the -1 of `Reshape`) are unknown.
pub(crate) fn lengths_of(tensor: &Tensor) -> Option<Vec<Dim>> {
    let small = tensor.shape().len() <= 1 && tensor.len() <= MAX_LENGTHS;
    if !small || !matches!(tensor.element(), ElementType::I64 | ElementType::I32) {
        return None;
    }
    let dim = |n: i64| usize::try_from(n).map_or(Dim::Unknown, Dim::Known);
    Some(tensor.to_i64s().into_iter().map(dim).collect())
}

/// The elements of a node's first output as lengths, where they can be told before a run.
pub(crate) fn infer_lengths(graph: &Graph, node: &Node) -> Option<Vec<Dim>> {
    if !node.domain.is_empty() {
        return None;
    }
    let input = |i: usize| node.inputs.get(i).copied().flatten();
    let lengths = |i: usize| graph.lengths(input(i)?);
    match node.op.as_str() {
        "Shape" => shape_slice(graph.shape(input(0)?)?, node),
        "Size" => Some(vec![graph.shape(input(0)?)?.iter().fold(Dim::Known(1), |n, d| n.times(d))]),
        "Identity" | "Squeeze" | "Unsqueeze" | "Reshape" => Some(lengths(0)?.to_vec()),
        "Cast" => element_of_code(node.int("to")?)?.is_integer().then(|| lengths(0).map(<[Dim]>::to_vec))?,
        "Gather" => gather(graph, lengths(0)?, input(1)?),
        "Concat" => concat(graph, &node.inputs),
        "Slice" => slice(graph, node, lengths(0)?),
        "Add" => zip(lengths(0)?, lengths(1)?, Dim::plus),
        "Mul" => zip(lengths(0)?, lengths(1)?, Dim::times),
        "Div" => zip(lengths(0)?, lengths(1)?, Dim::divided_by),
        _ => None,
    }
}

fn shape_slice(shape: &[Dim], node: &Node) -> Option<Vec<Dim>> {
    let rank = shape.len() as i64;
    let position = |n: i64| if n < 0 { n + rank } else { n }.clamp(0, rank) as usize;
    let start = position(node.int("start").unwrap_or(0));
    let end = position(node.int("end").unwrap_or(rank));
    Some(shape.get(start..end).unwrap_or_default().to_vec())
}

fn gather(graph: &Graph, lengths: &[Dim], indices: Wire) -> Option<Vec<Dim>> {
    let n = lengths.len() as i64;
    let pick = |i: i64| lengths.get(usize::try_from(if i < 0 { i + n } else { i }).ok()?).cloned();
    graph.constant(indices)?.to_i64s().into_iter().map(pick).collect()
}

fn concat(graph: &Graph, inputs: &[Option<Wire>]) -> Option<Vec<Dim>> {
    let mut all = Vec::new();
    for input in inputs {
        all.extend_from_slice(graph.lengths((*input)?)?);
    }
    (all.len() <= MAX_LENGTHS).then_some(all)
}

fn slice(graph: &Graph, node: &Node, lengths: &[Dim]) -> Option<Vec<Dim>> {
    let constant = |i: usize| -> Option<i64> {
        graph.constant(node.inputs.get(i).copied().flatten()?)?.to_i64s().first().copied()
    };
    if node.inputs.get(4).copied().flatten().is_some() && constant(4)? != 1 {
        return None;
    }
    let n = lengths.len() as i64;
    let position = |p: i64| if p < 0 { p.saturating_add(n) } else { p }.clamp(0, n) as usize;
    let range = position(constant(1)?)..position(constant(2)?);
    Some(lengths.get(range).unwrap_or_default().to_vec())
}

fn zip(a: &[Dim], b: &[Dim], combine: impl Fn(&Dim, &Dim) -> Dim) -> Option<Vec<Dim>> {
    match (a, b) {
        ([one], many) => Some(many.iter().map(|d| combine(one, d)).collect()),
        (many, [one]) => Some(many.iter().map(|d| combine(d, one)).collect()),
        _ if a.len() == b.len() => Some(a.iter().zip(b).map(|(a, b)| combine(a, b)).collect()),
        _ => None,
    }
}
