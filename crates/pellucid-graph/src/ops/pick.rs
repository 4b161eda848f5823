//! Elements picked by index, and put back by index: Slice, Gather, Scatter and their kin.

use super::rearrange::{around, checked_shape, gathered, gathered_at, joined, offset_in, resolve_index};
use super::{Call, Op, Site, positions, resolve_axis};
use crate::graph::Node;
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "Slice", infer: infer_slice, evaluate: evaluate_slice },
    Op { name: "Gather", infer: infer_gather, evaluate: evaluate_gather },
    Op { name: "GatherElements", infer: infer_gather_elements, evaluate: evaluate_gather_elements },
    Op { name: "GatherND", infer: infer_gather_nd, evaluate: evaluate_gather_nd },
    Op { name: "ScatterElements", infer: super::elementwise::same, evaluate: evaluate_scatter_elements },
    Op { name: "ScatterND", infer: super::elementwise::same, evaluate: evaluate_scatter_nd },
];

/// The indices that `start..end` with `step` picks from an axis of `length`, negative ones counted from the end and
/// all clamped.
pub(crate) fn slice_indices(length: usize, start: i64, end: i64, step: i64) -> Result<Vec<usize>, String> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let n = length as i64;
    let position = |p: i64| if p < 0 { p.saturating_add(n) } else { p };
    match step {
        0 => Err("a step of 0".to_owned()),
        1.. => {
            let (start, end) = (position(start).clamp(0, n), position(end).clamp(0, n));
            Ok((start..end)
                .step_by(usize::try_from(step).unwrap_or(usize::MAX))
                .map(|i| i as usize)
                .collect())
        }
        _ => {
            let (start, end) = (position(start).clamp(0, n - 1), position(end).clamp(-1, n - 1));
            let back = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            Ok((end + 1..start + 1).rev().step_by(back).map(|i| i as usize).collect())
        }
    }
}

/// One axis of a `Slice`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) axis: usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) step: i64,
}

/// The axes that a `Slice` cuts, from the values of its inputs.
pub(crate) fn cuts(
    starts: &[i64],
    ends: &[i64],
    axes: Option<&[i64]>,
    steps: Option<&[i64]>,
    rank: usize,
) -> Result<Vec<Cut>, String> {
    let n = starts.len();
    if ends.len() != n || axes.is_some_and(|v| v.len() != n) || steps.is_some_and(|v| v.len() != n) {
        return Err("starts, ends, axes and steps differ in length".to_owned());
    }
    let cut = |i: usize| {
        let axis = axes.map_or(i as i64, |axes| axes[i]);
        let step = steps.map_or(1, |steps| steps[i]);
        Ok(Cut { axis: resolve_axis(axis, rank)?, start: starts[i], end: ends[i], step })
    };
    (0..n).map(cut).collect()
}

fn infer_slice(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    let given = |i: usize| site.wire(i).is_some();
    let (axes, steps) = (site.constant_ints(3), site.constant_ints(4));
    let unknown_operand = (given(3) && axes.is_none()) || (given(4) && steps.is_none());
    let (Some(starts), Some(ends)) = (site.numbers(1), site.numbers(2)) else {
        return site.like_first(sliced_somewhere(own, axes.as_deref())?);
    };
    if unknown_operand {
        return site.like_first(sliced_somewhere(own, axes.as_deref())?);
    }
    let zeros = vec![0; starts.len()];
    let mut shape = own.to_vec();
    for (i, cut) in cuts(&zeros, &zeros, axes.as_deref(), steps.as_deref(), own.len())?.iter().enumerate() {
        let end = ends.get(i).ok_or("starts and ends differ in length")?;
        shape[cut.axis] = sliced_length(&own[cut.axis], &starts[i], end, cut.step)?;
    }
    site.like_first(Some(shape))
}

/// The shape where it is not known how much is cut off.
fn sliced_somewhere(own: &[Dim], axes: Option<&[i64]>) -> Result<Option<Vec<Dim>>, String> {
    let Some(axes) = axes else { return Ok(Some(vec![Dim::Unknown; own.len()])) };
    let mut shape = own.to_vec();
    for &axis in axes {
        shape[resolve_axis(axis, own.len())?] = Dim::Unknown;
    }
    Ok(Some(shape))
}

fn sliced_length(
    own: &Dim,
    start: &crate::symbolic::Number,
    end: &crate::symbolic::Number,
    step: i64,
) -> Result<Dim, String> {
    if let (Dim::Known(n), Some(start), Some(end)) = (own, start.int(), end.int()) {
        return Ok(Dim::Known(slice_indices(*n, start, end, step)?.len()));
    }
    // The first elements, as many as a length of the same name: the axis itself, or a table cut to it.
    let from_start = start.int() == Some(0) && step == 1;
    let (far, end_dim) = (end.int().is_some_and(|end| end >= i64::from(i32::MAX)), end.dim());
    let backwards = step == -1
        && start.int().is_some_and(|start| start == -1 || start >= i64::from(i32::MAX))
        && end.int().is_some_and(|end| end <= -i64::from(i32::MAX));
    Ok(match end_dim {
        _ if from_start && far || backwards => own.clone(),
        // A table shorter than the named length would not have the positions that the model asks for.
        Dim::Symbol { .. } if from_start => end_dim,
        _ => Dim::Unknown,
    })
}

fn evaluate_slice(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let own = x.shape();
    let (axes, steps) = (call.optional(3).map(Tensor::to_i64s), call.optional(4).map(Tensor::to_i64s));
    let mut picked: Vec<Vec<usize>> = own.iter().map(|&n| (0..n).collect()).collect();
    for cut in cuts(call.ints(1)?, call.ints(2)?, axes.as_deref(), steps.as_deref(), own.len())? {
        picked[cut.axis] = slice_indices(own[cut.axis], cut.start, cut.end, cut.step)?;
    }
    let shape: Vec<usize> = picked.iter().map(Vec::len).collect();
    let from = |p: &[usize]| {
        let position: Vec<usize> = p.iter().zip(&picked).map(|(&at, axis)| axis[at]).collect();
        offset_in(own, &position)
    };
    Ok(vec![gathered_at(x, &shape, from)])
}

fn axis_of(node: &Node, rank: usize) -> Result<usize, String> {
    resolve_axis(node.int("axis").unwrap_or(0), rank)
}

fn infer_gather(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(own), Some(indices)) = (site.shape(0)?, site.shape(1)?) else { return site.like_first(None) };
    let axis = axis_of(site.node, own.len())?;
    site.like_first(Some([&own[..axis], indices, &own[axis + 1..]].concat()))
}

fn evaluate_gather(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, indices) = (call.tensor(0)?, call.ints(1)?);
    let own = x.shape();
    let axis = axis_of(call.node, own.len())?;
    let rows: Vec<usize> = indices.iter().map(|&i| resolve_index(i, own[axis])).collect::<Result<_, _>>()?;
    let shape = [&own[..axis], call.shape(1)?, &own[axis + 1..]].concat();
    let (before, behind) = around(own, axis);
    let offsets = (0..before).flat_map(|outer| {
        rows.iter().flat_map(move |row| {
            let start = (outer * own[axis] + row) * behind;
            start..start + behind
        })
    });
    Ok(vec![gathered(x, &shape, offsets)])
}

fn infer_gather_elements(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let shape = site.shape(1)?.map(<[Dim]>::to_vec);
    site.like_first(shape)
}

/// For each position of `indices`, the offset in a tensor of shape `own` at the same place but for the axis, where the
/// index stands.
fn element_offsets(
    own: &[usize],
    indices: &[i64],
    shape: &[usize],
    axis: usize,
) -> Result<Vec<usize>, String> {
    let inside = shape.len() == own.len() && (0..own.len()).all(|at| at == axis || shape[at] <= own[at]);
    if !inside {
        return Err(format!("indices of shape {shape:?} do not fit data of shape {own:?}"));
    }
    let offset = |(mut position, &index): (Vec<usize>, &i64)| {
        position[axis] = resolve_index(index, own[axis])?;
        Ok(offset_in(own, &position))
    };
    positions(shape).zip(indices).map(offset).collect()
}

fn evaluate_gather_elements(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, shape) = (call.tensor(0)?, call.shape(1)?);
    let axis = axis_of(call.node, x.shape().len())?;
    let offsets = element_offsets(x.shape(), call.ints(1)?, shape, axis)?;
    Ok(vec![gathered(x, shape, offsets.into_iter())])
}

/// The number of leading axes shared by data and indices, and how many axes one index tuple fixes.
fn tuple_axes(node: &Node, data: usize, indices: usize, last: usize) -> Result<(usize, usize), String> {
    let batch = usize::try_from(node.int("batch_dims").unwrap_or(0)).map_err(|_| "negative batch_dims")?;
    match indices >= 1 && batch < indices && batch + last <= data {
        true => Ok((batch, last)),
        false => Err(format!("index tuples of {last} do not fit data of {data} axes")),
    }
}

fn infer_gather_nd(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(own), Some(indices)) = (site.shape(0)?, site.shape(1)?) else { return site.like_first(None) };
    let Some(last) = indices.last().and_then(Dim::known) else { return site.like_first(None) };
    let (batch, k) = tuple_axes(site.node, own.len(), indices.len(), last)?;
    site.like_first(Some([&indices[..indices.len() - 1], &own[batch + k..]].concat()))
}

/// For each element that index tuples pick, its offset in data of shape `own`.
fn tuple_offsets(
    own: &[usize],
    indices: &[i64],
    shape: &[usize],
    batch: usize,
    k: usize,
) -> Result<Vec<usize>, String> {
    let outer = &shape[..shape.len() - 1];
    let inner = &own[batch + k..];
    if own[..batch] != outer[..batch] {
        return Err(format!("batch axes of data {own:?} and indices {shape:?} differ"));
    }
    let behind: usize = inner.iter().product();
    let mut offsets = Vec::new();
    for (at, place) in positions(outer).enumerate() {
        let mut position = place[..batch].to_vec();
        for (axis, &index) in indices[at * k..(at + 1) * k].iter().enumerate() {
            position.push(resolve_index(index, own[batch + axis])?);
        }
        let start = offset_in(&own[..batch + k], &position) * behind;
        offsets.extend(start..start + behind);
    }
    Ok(offsets)
}

fn evaluate_gather_nd(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, shape) = (call.tensor(0)?, call.shape(1)?);
    let last = *shape.last().ok_or("indices without axes")?;
    let (batch, k) = tuple_axes(call.node, x.shape().len(), shape.len(), last)?;
    let offsets = tuple_offsets(x.shape(), call.ints(1)?, shape, batch, k)?;
    let shape = [&shape[..shape.len() - 1], &x.shape()[batch + k..]].concat();
    Ok(vec![gathered(x, &shape, offsets.into_iter())])
}

fn evaluate_scatter_elements(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, shape) = (call.tensor(0)?, call.shape(1)?);
    let axis = axis_of(call.node, x.shape().len())?;
    if call.shape(2)? != shape {
        return Err(format!("updates of shape {:?} for indices of shape {shape:?}", call.shape(2)?));
    }
    scattered(call, &element_offsets(x.shape(), call.ints(1)?, shape, axis)?)
}

fn evaluate_scatter_nd(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, shape) = (call.tensor(0)?, call.shape(1)?);
    let last = *shape.last().ok_or("indices without axes")?;
    let (_, k) = tuple_axes(call.node, x.shape().len(), shape.len(), last)?;
    let expected = [&shape[..shape.len() - 1], &x.shape()[k..]].concat();
    if call.shape(2)? != expected {
        return Err(format!("updates of shape {:?} where {expected:?} is needed", call.shape(2)?));
    }
    scattered(call, &tuple_offsets(x.shape(), call.ints(1)?, shape, 0, k)?)
}

/// Input 0 with each element of input 2 put at its offset, or added there (or multiplied, or the extreme taken).
fn scattered(call: &Call<'_>, offsets: &[usize]) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let reduction = call.node.string("reduction").unwrap_or("none");
    if reduction == "none" {
        let mut from: Vec<usize> = (0..x.len()).collect();
        for (update, &offset) in offsets.iter().enumerate() {
            from[offset] = x.len() + update;
        }
        return Ok(vec![gathered(&joined(&[x, call.tensor(2)?])?, x.shape(), from.into_iter())]);
    }
    let combine: fn(f64, f64) -> f64 = match reduction {
        "add" => |a, b| a + b,
        "mul" => |a, b| a * b,
        "max" => f64::max,
        "min" => f64::min,
        other => return Err(format!("unknown reduction `{other}`")),
    };
    if x.element() == ElementType::Bool || x.element() == ElementType::String {
        return Err(format!("reduction `{reduction}` needs numbers"));
    }
    let (mut values, updates) = (x.to_f64s(), call.tensor(2)?.to_f64s());
    for (&offset, update) in offsets.iter().zip(updates) {
        values[offset] = combine(values[offset], update);
    }
    checked_shape(&[values.len() as i64])?;
    Ok(vec![Tensor::f64(x.shape(), values).cast(x.element())])
}
