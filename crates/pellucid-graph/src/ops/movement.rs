//! Ops that move elements without changing them.

use super::{Call, Op, Site, offset, positions, strides};
use crate::tensor::{Data, ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "Reshape", infer: infer_reshape, evaluate: evaluate_reshape },
    Op { name: "Transpose", infer: infer_transpose, evaluate: evaluate_transpose },
    Op { name: "Shape", infer: infer_shape, evaluate: evaluate_shape },
];

/// A tensor of `shape` whose element at each place is the one of `source` at the given offset.
pub(super) fn gathered(source: &Tensor, shape: &[usize], offsets: impl Iterator<Item = usize>) -> Tensor {
    match source.data() {
        Data::F64(v) => Tensor::f64(shape, offsets.map(|o| v[o]).collect()),
        Data::Bool(v) => Tensor::bool(shape, offsets.map(|o| v[o]).collect()),
        _ => {
            let v = source.to_i64s();
            Tensor::i64(shape, offsets.map(|o| v[o]).collect())
        }
    }
}

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
        let product = |dims: &mut dyn Iterator<Item = &Dim>| dims.fold(Dim::Known(1), |n, d| n.times(d));
        let rest = product(&mut shape.iter().filter(|dim| **dim != Dim::Unknown));
        shape[*axis] = product(&mut own.iter()).divided_by(&rest);
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
    let known: i64 = shape.iter().filter(|n| **n != -1).product();
    let rest = if known > 0 { x.len() as i64 / known } else { 0 };
    let shape: Vec<usize> = shape.into_iter().map(|n| if n == -1 { rest } else { n } as usize).collect();
    if shape.iter().product::<usize>() != x.len() {
        return Err(format!("{:?} elements do not fit shape {shape:?}", x.shape()));
    }
    Ok(vec![x.clone().reshaped(&shape)])
}

fn order(perm: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, String> {
    let order: Vec<usize> = match perm {
        Some(perm) => perm.iter().map(|&axis| super::resolve_axis(axis, rank)).collect::<Result<_, _>>()?,
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

fn infer_shape(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let rank = site.shape(0)?.map(<[Dim]>::len);
    let n = rank.map_or(Dim::Unknown, |rank| {
        let (start, end) = shape_range(site.node.int("start"), site.node.int("end"), rank);
        Dim::Known(end.saturating_sub(start))
    });
    Ok(vec![Type::new(ElementType::I64, vec![n])])
}

fn shape_range(start: Option<i64>, end: Option<i64>, rank: usize) -> (usize, usize) {
    let position = |n: i64| if n < 0 { n + rank as i64 } else { n }.clamp(0, rank as i64) as usize;
    (position(start.unwrap_or(0)), position(end.unwrap_or(rank as i64)))
}

fn evaluate_shape(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let shape = call.shape(0)?;
    let (start, end) = shape_range(call.node.int("start"), call.node.int("end"), shape.len());
    let lengths: Vec<i64> = shape.get(start..end).unwrap_or_default().iter().map(|&n| n as i64).collect();
    Ok(vec![Tensor::ints(&lengths)])
}
