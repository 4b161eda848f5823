//! What depends on order or place: TopK, Trilu.

use super::rearrange::{around, checked_shape, gathered, joined};
use super::{Call, Op, Site, positions, resolve_axis};
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "TopK", infer: infer_top_k, evaluate: evaluate_top_k },
    Op { name: "Trilu", infer: super::elementwise::same, evaluate: evaluate_trilu },
];

/// The offsets of each row along `axis`: what differs in that axis alone.
fn rows(shape: &[usize], axis: usize) -> impl Iterator<Item = Vec<usize>> + use<> {
    let (before, behind) = around(shape, axis);
    let n = shape[axis];
    (0..before).flat_map(move |outer| {
        (0..behind).map(move |inner| (0..n).map(|at| (outer * n + at) * behind + inner).collect())
    })
}

fn infer_top_k(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let element = site.element(0)?;
    let shape = match site.shape(0)? {
        None => None,
        Some(own) => {
            let mut shape = own.to_vec();
            let axis = resolve_axis(site.node.int("axis").unwrap_or(-1), own.len())?;
            shape[axis] = site.lengths(1).and_then(<[Dim]>::first).cloned().unwrap_or(Dim::Unknown);
            Some(shape)
        }
    };
    Ok(vec![Type { element, shape: shape.clone() }, Type { element: ElementType::I64, shape }])
}

/// The largest (or smallest) first, the first of equals first.
fn evaluate_top_k(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let axis = resolve_axis(call.node.int("axis").unwrap_or(-1), x.shape().len())?;
    let k = checked_shape(&[*call.ints(1)?.first().ok_or("k is empty")?])?[0];
    if k > x.shape()[axis] {
        return Err(format!("k = {k} on an axis of length {}", x.shape()[axis]));
    }
    let sign = if call.node.int("largest").unwrap_or(1) != 0 { -1.0 } else { 1.0 };
    let values = x.to_f64s();
    let mut shape = x.shape().to_vec();
    shape[axis] = k;
    let (_, behind) = around(&shape, axis);
    let mut from = vec![0; shape.iter().product()];
    let mut indices = vec![0; from.len()];
    for (row, offsets) in rows(x.shape(), axis).enumerate() {
        let mut order: Vec<usize> = (0..offsets.len()).collect();
        // Adding 0 makes -0 the equal of 0.
        let key = |at: usize| sign * values[offsets[at]] + 0.0;
        order.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
        for (rank, &at) in order.iter().take(k).enumerate() {
            let place = ((row / behind) * k + rank) * behind + row % behind;
            from[place] = offsets[at];
            indices[place] = at as i64;
        }
    }
    Ok(vec![gathered(x, &shape, from.into_iter()), Tensor::i64(&shape, indices)])
}

/// Zeros below (or above) the k-th diagonal of the last two axes.
fn evaluate_trilu(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let rank = x.shape().len();
    if rank < 2 || x.element() == ElementType::String {
        return Err("needs matrices of numbers".to_owned());
    }
    let k = match call.optional(1) {
        Some(k) => *k.to_i64s().first().ok_or("k is empty")?,
        None => 0,
    };
    let upper = call.node.int("upper").unwrap_or(1) != 0;
    let zero = Tensor::scalar(x.element(), 0.0);
    let from = positions(x.shape()).enumerate().map(|(at, p)| {
        let diagonal = p[rank - 1] as i64 - p[rank - 2] as i64;
        let kept = if upper { diagonal >= k } else { diagonal <= k };
        if kept { at } else { x.len() }
    });
    Ok(vec![gathered(&joined(&[x, &zero])?, x.shape(), from)])
}
