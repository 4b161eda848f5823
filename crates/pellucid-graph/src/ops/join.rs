//! Tensors put together, cut apart and repeated: Concat, Split, Expand, Tile, Pad.

use super::rearrange::{around, checked_shape, gathered, gathered_at, joined, offset_in};
use super::{Broadcast, Call, Op, Site, broadcast_dims, resolve_axis};
use crate::graph::Node;
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "Concat", infer: infer_concat, evaluate: evaluate_concat },
    Op { name: "Split", infer: infer_split, evaluate: evaluate_split },
    Op { name: "Expand", infer: infer_expand, evaluate: evaluate_expand },
    Op { name: "Tile", infer: infer_tile, evaluate: evaluate_tile },
    Op { name: "Pad", infer: infer_pad, evaluate: evaluate_pad },
];

fn required_axis(node: &Node, rank: usize) -> Result<usize, String> {
    resolve_axis(node.int("axis").ok_or("attribute `axis` is missing")?, rank)
}

fn infer_concat(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let shapes: Result<Vec<_>, _> = (0..site.node.inputs.len()).map(|i| site.shape(i)).collect();
    let shapes: Option<Vec<&[Dim]>> = shapes?.into_iter().collect();
    let Some(shapes) = shapes else { return site.like_first(None) };
    let (first, rest) = shapes.split_first().ok_or("no inputs")?;
    let axis = required_axis(site.node, first.len())?;
    let mut result = first.to_vec();
    for shape in rest {
        if shape.len() != result.len() {
            return Err(format!("inputs of {} and {} axes", result.len(), shape.len()));
        }
        for (at, (dim, other)) in result.iter_mut().zip(*shape).enumerate() {
            *dim = if at == axis { dim.plus(other) } else { agreed(dim, other)? };
        }
    }
    site.like_first(Some(result))
}

/// The length that two axes share, the better known of both.
fn agreed(a: &Dim, b: &Dim) -> Result<Dim, String> {
    match (a, b) {
        (Dim::Known(m), Dim::Known(n)) if m != n => Err(format!("lengths {m} and {n} differ")),
        (Dim::Known(_), _) | (_, Dim::Unknown) => Ok(a.clone()),
        (_, Dim::Known(_)) | (Dim::Unknown, _) => Ok(b.clone()),
        _ => Ok(a.clone()),
    }
}

fn evaluate_concat(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let parts: Vec<&Tensor> = (0..call.n_inputs()).map(|i| call.tensor(i)).collect::<Result<_, _>>()?;
    let first = parts.first().ok_or("no inputs")?.shape();
    let axis = required_axis(call.node, first.len())?;
    let mut shape = first.to_vec();
    shape[axis] = 0;
    for part in &parts {
        let own = part.shape();
        let fits = own.len() == first.len() && (0..own.len()).all(|at| at == axis || own[at] == first[at]);
        if !fits {
            return Err(format!("shapes {first:?} and {own:?} do not join along axis {axis}"));
        }
        shape[axis] += own[axis];
    }
    // Before each axis index: which part it lies in, and where that part's elements begin in the joined ones.
    let mut places = Vec::new();
    let mut start = 0;
    for part in &parts {
        places.extend((0..part.shape()[axis]).map(|at| (start, part.shape()[axis], at)));
        start += part.len();
    }
    let (before, behind) = around(&shape, axis);
    let offsets = (0..before).flat_map(|outer| {
        let places = &places;
        places.iter().flat_map(move |&(start, n, at)| {
            let row = start + (outer * n + at) * behind;
            row..row + behind
        })
    });
    Ok(vec![gathered(&joined(&parts)?, &shape, offsets)])
}

/// The lengths of the parts that `Split` makes of an axis: as given, or equal but for a smaller last one.
pub(crate) fn split_lengths(
    given: Option<&[i64]>,
    n_outputs: Option<i64>,
    length: usize,
) -> Result<Vec<usize>, String> {
    let lengths = match (given, n_outputs) {
        (Some(given), _) => checked_shape(given)?,
        (None, Some(n)) if n > 0 && n as usize <= length.max(1) => {
            let n = n as usize;
            let part = length.div_ceil(n);
            (0..n).map(|i| part.min(length.saturating_sub(i * part))).collect()
        }
        (None, Some(n)) => return Err(format!("cannot split a length of {length} into {n} parts")),
        (None, None) => return Err("needs the input `split` or the attribute `num_outputs`".to_owned()),
    };
    match lengths.iter().sum::<usize>() == length {
        true => Ok(lengths),
        false => Err(format!("parts {lengths:?} do not add up to {length}")),
    }
}

fn infer_split(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let given = site.constant_ints(1);
    let n_outputs = site.node.int("num_outputs");
    let n = given.as_ref().map(Vec::len).or(n_outputs.and_then(|n| usize::try_from(n).ok()));
    let Some(own) = site.shape(0)? else {
        return Ok(vec![Type { element: site.element(0)?, shape: None }; n.unwrap_or(0)]);
    };
    let axis = resolve_axis(site.node.int("axis").unwrap_or(0), own.len())?;
    let lengths: Vec<Dim> = match (&own[axis], &given, n) {
        (Dim::Known(length), given, _) if given.is_some() || site.wire(1).is_none() => {
            split_lengths(given.as_deref(), n_outputs, *length)?.into_iter().map(Dim::Known).collect()
        }
        (_, Some(given), _) => checked_shape(given)?.into_iter().map(Dim::Known).collect(),
        (length, None, Some(n)) => vec![length.divided_by(&Dim::Known(n)); n],
        (_, None, None) => return Ok(Vec::new()),
    };
    let part = |length: Dim| {
        let mut shape = own.to_vec();
        shape[axis] = length;
        Ok(Type::new(site.element(0)?, shape))
    };
    lengths.into_iter().map(part).collect()
}

fn evaluate_split(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let axis = resolve_axis(call.node.int("axis").unwrap_or(0), x.shape().len())?;
    let given = call.optional(1).map(Tensor::to_i64s);
    let n_outputs = call.node.int("num_outputs");
    let lengths = split_lengths(given.as_deref(), n_outputs, x.shape()[axis])?;
    let mut start = 0;
    let parts = lengths.into_iter().map(|length| {
        let mut shape = x.shape().to_vec();
        shape[axis] = length;
        let first = start;
        start += length;
        gathered_at(x, &shape, |position| {
            let mut position = position.to_vec();
            position[axis] += first;
            offset_in(x.shape(), &position)
        })
    });
    Ok(parts.collect())
}

fn infer_expand(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let wanted = match site.lengths(1) {
        Some(lengths) => Some(lengths.to_vec()),
        None => match site.shape(1)? {
            Some([Dim::Known(rank)]) => Some(vec![Dim::Unknown; *rank]),
            _ => None,
        },
    };
    let (Some(own), Some(wanted)) = (site.shape(0)?, wanted) else { return site.like_first(None) };
    site.like_first(Some(broadcast_dims(&[own, &wanted])?))
}

fn evaluate_expand(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let wanted = checked_shape(call.ints(1)?)?;
    let plan = Broadcast::new(&[x.shape(), &wanted])?;
    checked_shape(&plan.shape.iter().map(|&n| n as i64).collect::<Vec<_>>())?;
    Ok(vec![gathered(x, &plan.shape, plan.offsets().map(|o| o[0]))])
}

fn infer_tile(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    let Some(repeats) = site.lengths(1) else { return site.like_first(Some(vec![Dim::Unknown; own.len()])) };
    if repeats.len() != own.len() {
        return Err(format!("{} repeats for {} axes", repeats.len(), own.len()));
    }
    site.like_first(Some(own.iter().zip(repeats).map(|(n, times)| n.times(times)).collect()))
}

fn evaluate_tile(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (x, repeats) = (call.tensor(0)?, call.ints(1)?);
    let own = x.shape();
    if repeats.len() != own.len() {
        return Err(format!("{} repeats for {} axes", repeats.len(), own.len()));
    }
    let lengths: Vec<i64> =
        own.iter().zip(repeats).map(|(&n, &times)| (n as i64).saturating_mul(times)).collect();
    let shape = checked_shape(&lengths)?;
    let from = |p: &[usize]| {
        let position: Vec<usize> = p.iter().zip(own).map(|(p, n)| p % n).collect();
        offset_in(own, &position)
    };
    Ok(vec![gathered_at(x, &shape, from)])
}

/// Elements added (or, negative, cut off) before and behind each axis.
pub(crate) fn pads_of(pads: &[i64], axes: Option<&[i64]>, rank: usize) -> Result<Vec<(i64, i64)>, String> {
    let axes: Vec<usize> = match axes {
        Some(axes) => axes.iter().map(|&axis| resolve_axis(axis, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("{} pads for {} axes", pads.len(), axes.len()));
    }
    let mut result = vec![(0, 0); rank];
    for (i, &axis) in axes.iter().enumerate() {
        result[axis] = (pads[i], pads[i + axes.len()]);
    }
    Ok(result)
}

fn infer_pad(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let Some(own) = site.shape(0)? else { return site.like_first(None) };
    let axes = site.constant_ints(3);
    let Some(pads) = site.constant_ints(1).filter(|_| axes.is_some() || site.wire(3).is_none()) else {
        return site.like_first(Some(vec![Dim::Unknown; own.len()]));
    };
    let pads = pads_of(&pads, axes.as_deref(), own.len())?;
    let padded = |(dim, (before, behind)): (&Dim, (i64, i64))| match (dim, before.saturating_add(behind)) {
        (dim, 0) => Ok(dim.clone()),
        (Dim::Known(n), more) => usize::try_from((*n as i64).saturating_add(more))
            .map(Dim::Known)
            .map_err(|_| format!("pads {before} and {behind} leave nothing of a length of {n}")),
        _ => Ok(Dim::Unknown),
    };
    site.like_first(Some(own.iter().zip(pads).map(padded).collect::<Result<_, String>>()?))
}

/// For each element of a padded axis where it comes from; `None` where it is filled in. What negative pads cut off is
/// gone before anything is repeated.
pub(crate) fn pad_indices(
    mode: &str,
    (before, behind): (i64, i64),
    length: usize,
) -> Result<Vec<Option<usize>>, String> {
    let (cut_before, cut_behind) = (before.min(0), behind.min(0));
    let kept = (length as i64).saturating_add(cut_before).saturating_add(cut_behind);
    let padded = checked_shape(&[kept, kept.saturating_add(before.max(0)).saturating_add(behind.max(0))])?[1];
    let at = |i: usize| pad_source(mode, i as i64 - before.max(0), kept);
    (0..padded).map(|i| Ok(at(i)?.map(|source| (source - cut_before) as usize))).collect()
}

/// Where the element at `position` comes from on an axis whose `n` own elements count from 0.
fn pad_source(mode: &str, position: i64, n: i64) -> Result<Option<i64>, String> {
    if (0..n).contains(&position) {
        return Ok(Some(position));
    }
    if mode != "constant" && n == 0 {
        return Err(format!("mode `{mode}` has nothing to repeat on an empty axis"));
    }
    match mode {
        "constant" => Ok(None),
        "edge" => Ok(Some(position.clamp(0, n - 1))),
        "wrap" => Ok(Some(position.rem_euclid(n))),
        // The outermost element is not repeated; a long pad runs to and fro.
        "reflect" => {
            let period = (2 * (n - 1)).max(1);
            let at = position.rem_euclid(period);
            Ok(Some(if at < n { at } else { period - at }))
        }
        other => Err(format!("unknown mode `{other}`")),
    }
}

fn evaluate_pad(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let x = call.tensor(0)?;
    let own = x.shape();
    let axes = call.optional(3).map(Tensor::to_i64s);
    let pads = pads_of(call.ints(1)?, axes.as_deref(), own.len())?;
    let mode = call.node.string("mode").unwrap_or("constant");
    let sources: Vec<Vec<Option<usize>>> =
        own.iter().zip(&pads).map(|(&n, &pads)| pad_indices(mode, pads, n)).collect::<Result<_, _>>()?;
    let lengths: Vec<i64> = sources.iter().map(|axis| axis.len() as i64).collect();
    let shape = checked_shape(&lengths)?;
    let from = |p: &[usize]| {
        let position: Option<Vec<usize>> = p.iter().zip(&sources).map(|(&at, axis)| axis[at]).collect();
        position.map_or(x.len(), |position| offset_in(own, &position))
    };
    let filled = match (mode, call.optional(2)) {
        ("constant", Some(fill)) => joined(&[x, fill])?,
        ("constant", None) => joined(&[x, &zero_like(x)?])?,
        _ => x.clone(),
    };
    Ok(vec![gathered_at(&filled, &shape, from)])
}

fn zero_like(x: &Tensor) -> Result<Tensor, String> {
    match x.element() {
        ElementType::String => Err("strings need a fill value".to_owned()),
        element => Ok(Tensor::scalar(element, 0.0)),
    }
}
