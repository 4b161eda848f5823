//! Reductions along axes.

use super::{Call, Op, Site, offset, positions, resolve_axes, strides};
use crate::tensor::Tensor;
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "ReduceSum", infer, evaluate: |c| reduce(c, |v| v.iter().sum()) },
    Op { name: "ReduceMean", infer, evaluate: |c| reduce(c, |v| v.iter().sum::<f64>() / v.len() as f64) },
];

fn reduced_axes(axes: Option<&[i64]>, noop: bool, rank: usize) -> Result<Vec<usize>, String> {
    match axes {
        Some(axes) if !axes.is_empty() => resolve_axes(axes, rank),
        _ if noop => Ok(Vec::new()),
        _ => Ok((0..rank).collect()),
    }
}

fn infer(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let keep = site.node.int("keepdims").unwrap_or(1) != 0;
    let noop = site.node.int("noop_with_empty_axes").unwrap_or(0) != 0;
    let axes = site.constant_ints(1);
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    if axes.is_none() && site.wire(1).is_some() {
        return site.like_first(keep.then(|| vec![Dim::Unknown; own.len()]));
    }
    let axes = reduced_axes(axes.as_deref(), noop, own.len())?;
    let shape = own.iter().enumerate().filter_map(|(axis, dim)| match axes.contains(&axis) {
        true => keep.then_some(Dim::Known(1)),
        false => Some(dim.clone()),
    });
    site.like_first(Some(shape.collect()))
}

/// Applies `f` to the elements of each group that differ only along the reduced axes.
fn reduce(call: &Call<'_>, f: impl Fn(&[f64]) -> f64) -> Result<Vec<Tensor>, String> {
    let (x, own) = (call.floats(0)?, call.shape(0)?);
    let noop = call.node.int("noop_with_empty_axes").unwrap_or(0) != 0;
    let axes = call.optional(1).map(Tensor::to_i64s);
    let axes = reduced_axes(axes.as_deref(), noop, own.len())?;
    let steps = strides(own);
    let pick = |reduced: bool| -> (Vec<usize>, Vec<usize>) {
        (0..own.len())
            .filter(|axis| axes.contains(axis) == reduced)
            .map(|axis| (own[axis], steps[axis]))
            .unzip()
    };
    let ((kept, kept_steps), (inner, inner_steps)) = (pick(false), pick(true));
    let inner_offsets: Vec<usize> = positions(&inner).map(|p| offset(&p, &inner_steps)).collect();
    let values = positions(&kept).map(|p| {
        let start = offset(&p, &kept_steps);
        f(&inner_offsets.iter().map(|o| x[start + o]).collect::<Vec<f64>>())
    });
    let values: Vec<f64> = values.collect();
    let keep = call.node.int("keepdims").unwrap_or(1) != 0;
    let shape: Vec<usize> = match keep {
        true => (0..own.len()).map(|axis| if axes.contains(&axis) { 1 } else { own[axis] }).collect(),
        false => kept,
    };
    Ok(vec![Tensor::f64(&shape, values)])
}
