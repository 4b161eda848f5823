//! Elements picked by index: the gradient adds each where it came from.

use super::{PlainRule, each, only};
use crate::axis_map::{pad, put_back, scatter_add};
use crate::backward::{Signals, Step};
use crate::graph::{Attribute, Wire};
use crate::ops::{Cut, cuts, resolve_axis, resolve_index, slice_indices};
use crate::types::Dim;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Slice" => slice,
        "Gather" => gather,
        "GatherElements" => gather_elements,
        "GatherND" => gather_nd,
        "ScatterElements" => |s| scatter(s, "ScatterElements", "GatherElements"),
        "ScatterND" => |s| scatter(s, "ScatterND", "GatherND"),
        "TopK" => top_k,
        // Indices have no slope.
        "OneHot" => |s| match s.needs(2) {
            true => Err("no gradient for the values that a OneHot puts in".to_owned()),
            false => Ok(Vec::new()),
        },
        "Trilu" => |s| {
            let dy = s.gradient()?;
            let (k, upper) = (s.optional_input(1), s.at().int("upper").unwrap_or(1));
            only(s.node_optional("Trilu", &[Some(dy), k], &[("upper", upper.into())], 1)[0])
        },
        _ => return None,
    })
}

fn slice(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let own = s.shape(x).ok_or("the shape of the input is unknown")?.to_vec();
    let operand = |i: usize| match s.optional_input(i) {
        None => Ok(None),
        Some(wire) => match s.constant(wire) {
            Some(tensor) => Ok(Some(tensor.to_i64s())),
            None => Err(format!("input {i} is unknown before the run")),
        },
    };
    let (starts, axes, steps) = (operand(1)?.ok_or("no starts")?, operand(3)?, operand(4)?);
    // An end that only the run tells still leaves the start known.
    let ends = operand(2).unwrap_or(None);
    let known_ends = ends.is_some();
    let ends = ends.unwrap_or_else(|| vec![i64::MAX; starts.len()]);
    let mut result = dy;
    let (mut before, mut behind) = (vec![0; own.len()], vec![0; own.len()]);
    for cut in cuts(&starts, &ends, axes.as_deref(), steps.as_deref(), own.len())? {
        match (own[cut.axis].known().filter(|_| known_ends), cut.step) {
            (Some(length), step) => {
                let picked = slice_indices(length, cut.start, cut.end, step)?;
                match (step, picked.first()) {
                    (1, Some(&first)) => {
                        before[cut.axis] = first as i64;
                        behind[cut.axis] = (length - first - picked.len()) as i64;
                    }
                    _ => result = put_back(s, result, cut.axis, &picked, length)?,
                }
            }
            (None, 1) => result = put_back_at_run_time(s, result, x, cut)?,
            (None, -1) if s.shape(dy).is_some_and(|shape| shape[cut.axis] == own[cut.axis]) => {
                let ends = (s.ints(&[-1]), s.ints(&[i64::MIN]));
                let (axis, step) = (s.ints(&[cut.axis as i64]), s.ints(&[-1]));
                result = s.node("Slice", &[result, ends.0, ends.1, axis, step], &[]);
            }
            _ => {
                return Err(format!(
                    "axis {} of unknown length is sliced by a step of {}",
                    cut.axis, cut.step
                ));
            }
        }
    }
    only(pad(s, result, &before, &behind))
}

/// The zeros before and behind a piece of an axis whose length only the run tells.
fn put_back_at_run_time(s: &mut Step<'_>, dy: Wire, x: Wire, cut: Cut) -> Result<Wire, String> {
    if s.shape(dy)
        .zip(s.shape(x))
        .is_some_and(|(a, b)| a[cut.axis] == b[cut.axis] && a[cut.axis] != Dim::Unknown)
    {
        return Ok(dy);
    }
    let span = [("start", Attribute::Int(cut.axis as i64)), ("end", Attribute::Int(cut.axis as i64 + 1))];
    let (length, kept) = (s.node("Shape", &[x], &span), s.node("Shape", &[dy], &span));
    let start = s.ints(&[cut.start]);
    // A start beyond the axis, on either side, is taken as the axis's end there.
    let before = match cut.start >= 0 {
        true => s.node("Min", &[start, length], &[]),
        false => {
            let (from_front, zero) = (s.add(length, start), s.ints(&[0]));
            s.node("Max", &[from_front, zero], &[])
        }
    };
    let missing = s.sub(length, kept);
    let behind = s.sub(missing, before);
    let (pads, axis) = (s.concat(&[before, behind], 0), s.ints(&[cut.axis as i64]));
    let padded = s.node_optional("Pad", &[Some(dy), Some(pads), None, Some(axis)], &[], 1)[0];
    // Inference cannot know that this is the axis as it was.
    let mut ty = s.type_of(dy).clone();
    if let (Some(shape), Some(own)) = (&mut ty.shape, s.shape(x)) {
        shape[cut.axis] = own[cut.axis].clone();
    }
    s.refine_type(padded, &ty);
    Ok(padded)
}

fn gather(s: &mut Step<'_>) -> Signals {
    let (dy, x, indices) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let own = s.shape(x).ok_or("the shape of the input is unknown")?.to_vec();
    let axis = resolve_axis(s.at().int("axis").unwrap_or(0), own.len())?;
    let index_shape = s.shape(indices).ok_or("the shape of the indices is unknown")?.to_vec();
    // The axes of the indices as one axis, in the place of the one that was picked from.
    let rows = match index_shape.len() {
        0 => s.unsqueeze(dy, &[axis as i64]),
        1 => dy,
        _ => {
            let count = index_shape.iter().fold(Dim::Known(1), |n, dim| n.times(dim));
            let shape = [&own[..axis], &[count], &own[axis + 1..]].concat();
            crate::axis_map::reshape_to(s, dy, &shape)?
        }
    };
    let constant = s.constant(indices).map(|tensor| tensor.to_i64s());
    if let (Some(constant), Some(length)) = (constant, own[axis].known()) {
        let picked: Vec<usize> =
            constant.into_iter().map(|i| resolve_index(i, length)).collect::<Result<_, _>>()?;
        return only(put_back(s, rows, axis, &picked, length)?);
    }
    let zeros = s.zeros_like(x);
    only(scatter_add(s, zeros, axis, indices, rows)?)
}

fn gather_elements(s: &mut Step<'_>) -> Signals {
    let (dy, x, indices) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let own = s.shape(x).ok_or("the shape of the input is unknown")?.to_vec();
    let axis = resolve_axis(s.at().int("axis").unwrap_or(0), own.len())?;
    let picked = s.shape(dy).ok_or("the shape of the indices is unknown")?.to_vec();
    // Indices may reach less far than the data along the other axes; there the gradient is 0.
    let missing = |at: usize| match (own[at].known(), picked[at].known()) {
        _ if at == axis || own[at] == picked[at] => Ok(0),
        (Some(own), Some(picked)) => Ok((own - picked) as i64),
        _ => Err(format!("axis {at} of data and of indices may differ")),
    };
    let missing: Vec<i64> = (0..own.len()).map(missing).collect::<Result<_, _>>()?;
    let cut: Vec<i64> = missing.iter().map(|n| -n).collect();
    let none = vec![0; own.len()];
    let zeros = s.zeros_like(x);
    let zeros = pad(s, zeros, &none, &cut);
    let attributes = [("axis", Attribute::Int(axis as i64)), ("reduction", "add".into())];
    let added = s.node("ScatterElements", &[zeros, indices, dy], &attributes);
    only(pad(s, added, &none, &missing))
}

fn gather_nd(s: &mut Step<'_>) -> Signals {
    let (dy, x, indices) = (s.gradient()?, s.input(0)?, s.input(1)?);
    if s.at().int("batch_dims").unwrap_or(0) != 0 {
        return Err("batch_dims other than 0 are not supported".to_owned());
    }
    let zeros = s.zeros_like(x);
    only(s.node("ScatterND", &[zeros, indices, dy], &[("reduction", "add".into())]))
}

/// What was put in gets its gradient from there, and hides (or is added to) what was there before.
fn scatter(s: &mut Step<'_>, scatter: &str, gather: &str) -> Signals {
    let (dy, indices, updates) = (s.gradient()?, s.input(1)?, s.input(2)?);
    let axis: Vec<(&str, Attribute)> =
        s.at().int("axis").map(|axis| ("axis", axis.into())).into_iter().collect();
    let adds = match s.at().string("reduction").unwrap_or("none") {
        "none" => false,
        "add" => true,
        other => return Err(format!("reduction `{other}` is not supported")),
    };
    let data = match (s.needs(0), adds) {
        (false, _) => None,
        (true, true) => Some(dy),
        (true, false) => {
            let zeros = s.zeros_like(updates);
            Some(s.node(scatter, &[dy, indices, zeros], &axis))
        }
    };
    let put_in = s.needs(2).then(|| s.node(gather, &[dy, indices], &axis));
    each([data, None, put_in])
}

/// The values go back to where the indices say; each place is picked at most once.
fn top_k(s: &mut Step<'_>) -> Signals {
    let (dy, x, indices) = (s.gradient()?, s.input(0)?, s.output(1)?);
    let zeros = s.zeros_like(x);
    let axis = s.at().int("axis").unwrap_or(-1);
    only(s.node("ScatterElements", &[zeros, indices, dy], &[("axis", axis.into())]))
}
