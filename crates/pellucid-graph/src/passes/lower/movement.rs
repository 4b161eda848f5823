//! Moving elements: what one runtime or the other lacks, in terms of what both have.

use super::{Lowering, input, places};
use crate::axis_map::{pick, reshape_to};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops::{pad_indices, pads_of};
use crate::tensor::ElementType;
use crate::types::Dim;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    Some(match op {
        "SpaceToDepth" => space_to_depth,
        "Pad" => pad,
        "GatherND" => gather_in_batches,
        _ => return None,
    })
}

/// Whether a `Pad` is of a form that both runtimes have: constant, or repeating at the ends of the last two axes, no
/// further than the axis is long. Named axes one of them does not know.
pub(super) fn is_plain_pad(graph: &Graph, node: &Node) -> bool {
    let mode = node.string("mode").unwrap_or("constant");
    if node.op != "Pad" {
        return false;
    }
    if mode == "constant" {
        // Pads that only the run tells cannot be spread over all axes.
        return node.inputs.get(3).copied().flatten().is_none() || pads(graph, node).is_err();
    }
    let shape = node.inputs.first().copied().flatten().and_then(|x| graph.shape(x));
    let (Some(shape), Ok(pads)) = (shape, pads(graph, node)) else { return false };
    let outer = shape.len().saturating_sub(2);
    let fits = |(axis, (dim, &(before, behind))): (usize, (&Dim, &(i64, i64)))| {
        let room = dim.known().map_or(0, |n| n as i64 - 1);
        (before, behind) == (0, 0) || axis >= outer && before.min(behind) >= 0 && before.max(behind) <= room
    };
    matches!(mode, "reflect" | "edge") && shape.iter().zip(&pads).enumerate().all(fits)
}

/// Whether a `GatherND` has no batch axes: the form that has a rule.
pub(super) fn is_plain_gather(node: &Node) -> bool {
    node.op == "GatherND" && node.int("batch_dims").unwrap_or(0) == 0
}

/// Batch axes become part of the index tuples: in front of each tuple goes its own place in the batch.
fn gather_in_batches(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let (x, indices) = (input(node, 0)?, input(node, 1)?);
    let rank = g.rank(indices).ok_or("the rank of the indices is unknown")?;
    let n_batch = node.int("batch_dims").and_then(|n| usize::try_from(n).ok()).filter(|n| *n < rank);
    let n_batch = n_batch.ok_or("batch_dims is not less than the axes of the indices")?;
    let outer = g.node("Shape", &[indices], &[("end", Attribute::Int(rank as i64 - 1))]);
    let one = g.ints(&[1]);
    let column = g.concat(&[outer, one], 0);
    let mut parts = Vec::new();
    for axis in 0..n_batch {
        let places = places(g, indices, axis);
        let mut shape = vec![1; rank];
        shape[axis] = -1;
        let places = g.reshape(places, &shape);
        parts.push(g.node("Expand", &[places, column], &[]));
    }
    parts.push(g.cast(indices, ElementType::I64));
    let tuples = g.concat(&parts, rank as i64 - 1);
    Ok(vec![g.node("GatherND", &[x, tuples], &[])])
}

fn pads(graph: &Graph, node: &Node) -> Result<Vec<(i64, i64)>, String> {
    let wire = |i: usize| node.inputs.get(i).copied().flatten();
    let constant = |i: usize| wire(i).map(|wire| graph.constant(wire).map(|tensor| tensor.to_i64s()));
    let rank = wire(0).and_then(|x| graph.rank(x)).ok_or("the rank of the input is unknown")?;
    let unknown = "pads that only the run tells; only mode `constant` can have them";
    let pads = constant(1).flatten().ok_or(unknown)?;
    let axes = constant(3).map(|axes| axes.ok_or(unknown)).transpose()?;
    pads_of(&pads, axes.as_deref(), rank)
}

/// Constant pads are given for all axes; repeating ones are picked elements, axis by axis.
fn pad(new: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let mut y = input(node, 0)?;
    let own = new.shape(y).ok_or("the rank of the input is unknown")?.to_vec();
    let mode = node.string("mode").unwrap_or("constant");
    let pads = pads(new, node)?;
    if mode == "constant" {
        let (before, behind): (Vec<i64>, Vec<i64>) = pads.into_iter().unzip();
        let pads = new.ints(&[before, behind].concat());
        return Ok(new.node_optional(
            "Pad",
            &[Some(y), Some(pads), node.inputs.get(2).copied().flatten()],
            &[],
            1,
        ));
    }
    for (axis, pads) in pads.into_iter().enumerate().filter(|(_, pads)| *pads != (0, 0)) {
        let length =
            own[axis].known().ok_or_else(|| format!("axis {axis} is padded, but its length is unknown"))?;
        let sources: Vec<usize> = pad_indices(mode, pads, length)?.into_iter().flatten().collect();
        y = pick(new, y, axis, &sources);
    }
    Ok(vec![y])
}

/// Blocks of pixels become channels: their axes apart, then in front.
fn space_to_depth(new: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let x = input(node, 0)?;
    let b = node.int("blocksize").and_then(|b| usize::try_from(b).ok()).ok_or("no blocksize")?;
    let shape = new.shape(x).ok_or("the shape of the input is unknown")?.to_vec();
    let [n, c, h, w] = shape.as_slice() else { return Err("needs 4 axes".to_owned()) };
    let block = Dim::Known(b);
    let (rows, columns) = (h.divided_by(&block), w.divided_by(&block));
    let apart = [n.clone(), c.clone(), rows.clone(), block.clone(), columns.clone(), block.clone()];
    let apart = reshape_to(new, x, &apart)?;
    let in_front = new.transpose(apart, &[0, 3, 5, 1, 2, 4]);
    let depth = c.times(&block.times(&block));
    Ok(vec![reshape_to(new, in_front, &[n.clone(), depth, rows, columns])?])
}
