//! The same elements in the same order or under exchanged axes: Reshape, Transpose, DepthToSpace and their kin.

use super::rearrange::{checked_shape, gathered, offset_in, product};
use super::{Call, Op, Site, offset, positions, resolve_axes, resolve_axis, strides};
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "Reshape", infer: infer_reshape, evaluate: evaluate_reshape },
    Op { name: "Flatten", infer: infer_flatten, evaluate: evaluate_flatten },
    Op { name: "Squeeze", infer: infer_squeeze, evaluate: evaluate_squeeze },
    Op { name: "Unsqueeze", infer: infer_unsqueeze, evaluate: evaluate_unsqueeze },
    Op { name: "Transpose", infer: infer_transpose, evaluate: evaluate_transpose },
    Op { name: "DepthToSpace", infer: infer_depth_to_space, evaluate: evaluate_depth_to_space },
    Op { name: "SpaceToDepth", infer: infer_space_to_depth, evaluate: evaluate_space_to_depth },
    Op { name: "Shape", infer: infer_shape, evaluate: evaluate_shape },
    Op {
        name: "Size",
        infer: infer_size,
        evaluate: |c| Ok(vec![Tensor::i64(&[], vec![c.tensor(0)?.len() as i64])]),
    },
];

fn infer_reshape(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(lengths) = site.lengths(1) else {
        let rank =
            site.graph.shape(site.wire(1).ok_or("input 1 is missing")?).and_then(|s| s.first()?.known());
        return site.like_first(rank.map(|rank| vec![Dim::Unknown; rank]));
    };
    let own = site.shape(0)?;
    let keeps_zero = site.node.int("allowzero").unwrap_or(0) == 0;
    let as_own = |(axis, dim): (usize, &Dim)| match dim {
        Dim::Known(0) if keeps_zero => own.and_then(|own| own.get(axis)).cloned().unwrap_or(Dim::Unknown),
        dim => dim.clone(),
    };
    let mut shape: Vec<Dim> = lengths.iter().enumerate().map(as_own).collect();
    let unknown: Vec<usize> = (0..shape.len()).filter(|&axis| shape[axis] == Dim::Unknown).collect();
    if let ([axis], Some(own)) = (unknown.as_slice(), own) {
        let rest: Vec<Dim> = shape.iter().filter(|dim| **dim != Dim::Unknown).cloned().collect();
        shape[*axis] = product(own).divided_by(&product(&rest));
    }
    let total = own.and_then(|own| product(own).known());
    if let (Some(from), Some(to)) = (total, product(&shape).known())
        && from != to
    {
        return Err(format!("{from} elements do not fit shape {}", crate::types::shape_text(&shape)));
    }
    site.like_first(Some(shape))
}

fn evaluate_reshape(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let keeps_zero = call.node.int("allowzero").unwrap_or(0) == 0;
    let mut shape = Vec::new();
    for (axis, &n) in call.ints(1)?.iter().enumerate() {
        shape.push(match n {
            0 if keeps_zero => *x.shape().get(axis).ok_or("a length of 0 beyond the input's axes")? as i64,
            n => n,
        });
    }
    let given: Vec<i64> = shape.iter().copied().filter(|n| *n != -1).collect();
    let known: usize = checked_shape(&given)?.iter().product();
    let rest = x.len().checked_div(known).unwrap_or(0) as i64;
    let shape: Vec<i64> = shape.into_iter().map(|n| if n == -1 { rest } else { n }).collect();
    let shape = checked_shape(&shape)?;
    if shape.iter().product::<usize>() != x.len() {
        return Err(format!("{:?} elements do not fit shape {shape:?}", x.shape()));
    }
    Ok(vec![x.clone().reshaped(&shape)])
}

/// Where the axes are cut into two groups: 0 to the rank itself.
fn flatten_axis(axis: Option<i64>, rank: usize) -> Result<usize, String> {
    match axis.unwrap_or(1) {
        axis if axis == rank as i64 => Ok(rank),
        axis => resolve_axis(axis, rank),
    }
}

fn infer_flatten(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(own) = site.shape(0)? else { return site.like_first(Some(vec![Dim::Unknown; 2])) };
    let (before, behind) = own.split_at(flatten_axis(site.node.int("axis"), own.len())?);
    site.like_first(Some(vec![product(before), product(behind)]))
}

fn evaluate_flatten(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let (before, behind) = x.shape().split_at(flatten_axis(call.node.int("axis"), x.shape().len())?);
    Ok(vec![x.clone().reshaped(&[before.iter().product(), behind.iter().product()])])
}

fn infer_squeeze(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    let axes = match (site.constant_ints(1), site.wire(1)) {
        (Some(axes), _) => resolve_axes(&axes, own.len())?,
        // Which axes go cannot be told: a named length may turn out as 1.
        (None, Some(_)) => return site.like_first(None),
        (None, None) if own.iter().any(|dim| dim.known().is_none()) => return site.like_first(None),
        (None, None) => (0..own.len()).filter(|&axis| own[axis].is(1)).collect(),
    };
    if let Some(axis) = axes.iter().find(|&&axis| own[axis].known().is_some_and(|n| n != 1)) {
        return Err(format!("axis {axis} has length {}, not 1", own[*axis]));
    }
    let kept = (0..own.len()).filter(|axis| !axes.contains(axis)).map(|axis| own[axis].clone());
    site.like_first(Some(kept.collect()))
}

fn evaluate_squeeze(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let own = x.shape();
    let axes = match call.optional(1) {
        Some(axes) => resolve_axes(&axes.to_i64s(), own.len())?,
        None => (0..own.len()).filter(|&axis| own[axis] == 1).collect(),
    };
    if let Some(axis) = axes.iter().find(|&&axis| own[axis] != 1) {
        return Err(format!("axis {axis} has length {}, not 1", own[*axis]));
    }
    let kept: Vec<usize> = (0..own.len()).filter(|axis| !axes.contains(axis)).map(|axis| own[axis]).collect();
    Ok(vec![x.clone().reshaped(&kept)])
}

/// The lengths with 1 at `axes`, which count in the result.
fn unsqueezed<T: Clone>(own: &[T], axes: &[i64], one: T) -> Result<Vec<T>, String> {
    let rank = own.len() + axes.len();
    let axes = resolve_axes(axes, rank)?;
    let mut rest = own.iter().cloned();
    Ok((0..rank)
        .filter_map(|axis| if axes.contains(&axis) { Some(one.clone()) } else { rest.next() })
        .collect())
}

fn infer_unsqueeze(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(own), Some(axes)) = (site.shape(0)?, site.constant_ints(1)) else {
        return site.like_first(None);
    };
    site.like_first(Some(unsqueezed(own, &axes, Dim::Known(1))?))
}

fn evaluate_unsqueeze(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let shape = unsqueezed(x.shape(), &call.tensor(1)?.to_i64s(), 1)?;
    Ok(vec![x.clone().reshaped(&shape)])
}

fn order(perm: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, String> {
    let order: Vec<usize> = match perm {
        Some(perm) => perm.iter().map(|&axis| resolve_axis(axis, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    match order.len() == rank && (0..rank).all(|axis| order.contains(&axis)) {
        true => Ok(order),
        false => Err(format!("perm {order:?} is no order of {rank} axes")),
    }
}

fn infer_transpose(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    let order = order(site.node.ints("perm"), own.len())?;
    site.like_first(Some(order.iter().map(|&axis| own[axis].clone()).collect()))
}

fn evaluate_transpose(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let order = order(call.node.ints("perm"), x.shape().len())?;
    let shape: Vec<usize> = order.iter().map(|&axis| x.shape()[axis]).collect();
    let own = strides(x.shape());
    let steps: Vec<usize> = order.iter().map(|&axis| own[axis]).collect();
    Ok(vec![gathered(x, &shape, positions(&shape).map(|position| offset(&position, &steps)))])
}

fn block_size(node: &crate::graph::Node) -> Result<usize, String> {
    let size = node.int("blocksize").ok_or("attribute `blocksize` is missing")?;
    usize::try_from(size).ok().filter(|&b| b > 0).ok_or_else(|| format!("blocksize {size} is not positive"))
}

fn infer_depth_to_space(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let b = Dim::Known(block_size(site.node)?);
    match site.shape(0)? {
        None => site.like_first(None),
        Some([n, c, h, w]) => {
            let shape = vec![n.clone(), c.divided_by(&b.times(&b)), h.times(&b), w.times(&b)];
            site.like_first(Some(shape))
        }
        Some(other) => Err(format!("needs 4 axes, got {}", other.len())),
    }
}

fn evaluate_depth_to_space(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, b) = (call.tensor(0)?, block_size(call.node)?);
    let &[n, c, h, w] = x.shape() else { return Err(format!("needs 4 axes, got {}", x.shape().len())) };
    if c % (b * b) != 0 {
        return Err(format!("{c} channels are no multiple of {}", b * b));
    }
    let depth = c / (b * b);
    let columns_first = match call.node.string("mode").unwrap_or("DCR") {
        "DCR" => false,
        "CRD" => true,
        other => return Err(format!("unknown mode `{other}`")),
    };
    let shape = [n, depth, h * b, w * b];
    let from = |p: &[usize]| {
        let (row, column) = (p[2] % b, p[3] % b);
        let channel =
            if columns_first { (p[1] * b + row) * b + column } else { (row * b + column) * depth + p[1] };
        offset_in(x.shape(), &[p[0], channel, p[2] / b, p[3] / b])
    };
    Ok(vec![super::rearrange::gathered_at(x, &shape, from)])
}

fn infer_space_to_depth(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let b = Dim::Known(block_size(site.node)?);
    match site.shape(0)? {
        None => site.like_first(None),
        Some([n, c, h, w]) => {
            let shape = vec![n.clone(), c.times(&b.times(&b)), h.divided_by(&b), w.divided_by(&b)];
            site.like_first(Some(shape))
        }
        Some(other) => Err(format!("needs 4 axes, got {}", other.len())),
    }
}

fn evaluate_space_to_depth(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, b) = (call.tensor(0)?, block_size(call.node)?);
    let &[n, c, h, w] = x.shape() else { return Err(format!("needs 4 axes, got {}", x.shape().len())) };
    if h % b != 0 || w % b != 0 {
        return Err(format!("{h} by {w} pixels do not divide into blocks of {b}"));
    }
    let shape = [n, c * b * b, h / b, w / b];
    let from = |p: &[usize]| {
        let (block, channel) = (p[1] / c, p[1] % c);
        offset_in(x.shape(), &[p[0], channel, p[2] * b + block / b, p[3] * b + block % b])
    };
    Ok(vec![super::rearrange::gathered_at(x, &shape, from)])
}

fn infer_shape(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let rank = site.shape(0)?.map(<[Dim]>::len);
    let n = rank.map_or(Dim::Unknown, |rank| {
        let (start, end) = shape_range(site.node.int("start"), site.node.int("end"), rank);
        Dim::Known(end.saturating_sub(start))
    });
    Ok(vec![Type::new(ElementType::I64, vec![n])])
}

fn shape_range(start: Option<i64>, end: Option<i64>, rank: usize) -> (usize, usize) {
    let position =
        |n: i64| if n < 0 { n.saturating_add(rank as i64) } else { n }.clamp(0, rank as i64) as usize;
    (position(start.unwrap_or(0)), position(end.unwrap_or(rank as i64)))
}

fn evaluate_shape(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let shape = call.shape(0)?;
    let (start, end) = shape_range(call.node.int("start"), call.node.int("end"), shape.len());
    let lengths: Vec<i64> = shape.get(start..end).unwrap_or_default().iter().map(|&n| n as i64).collect();
    Ok(vec![Tensor::ints(&lengths)])
}

fn infer_size(site: &Site<'_>) -> Result<Vec<Type>, String> {
    site.ty(0)?;
    Ok(vec![Type::new(ElementType::I64, Vec::new())])
}
