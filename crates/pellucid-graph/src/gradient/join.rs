//! Tensors put together, cut apart and repeated: the gradient cuts apart, puts together and sums.

use super::{PlainRule, only};
use crate::axis_map::{pad, pad_axis, put_back, reshape_to};
use crate::backward::{Signal, Signals, Step};
use crate::graph::{Attribute, Wire};
use crate::ops::{pad_indices, pads_of, resolve_axis, split_lengths};
use crate::types::Dim;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Concat" => concat,
        "Split" => split,
        // The driver sums over what was repeated.
        "Expand" => |s| only(s.gradient()?),
        "Tile" => tile,
        "Pad" => padded,
        _ => return None,
    })
}

/// Each input gets its own piece.
fn concat(s: &mut Step<'_>) -> Signals {
    let dy = s.gradient()?;
    let axis = resolve_axis(s.at().int("axis").ok_or("no axis")?, s.known_rank(dy)?)?;
    let inputs: Vec<Wire> = (0..s.at().inputs.len()).map(|i| s.input(i)).collect::<Result<_, _>>()?;
    let length = |s: &Step<'_>, wire: Wire| s.shape(wire).and_then(|shape| shape[axis].known());
    let lengths: Option<Vec<usize>> = inputs.iter().map(|wire| length(s, *wire)).collect();
    let Some(lengths) = lengths else { return concat_of_unknown(s, dy, axis, &inputs) };
    let mut start = 0;
    let mut signals = Vec::new();
    for (i, n) in lengths.into_iter().enumerate() {
        let end = start + n as i64;
        signals.push(s.needs(i).then(|| Signal::from(s.slice(dy, axis as i64, start, end))));
        start = end;
    }
    Ok(signals)
}

/// The lengths of the pieces are taken at run time.
fn concat_of_unknown(s: &mut Step<'_>, dy: Wire, axis: usize, inputs: &[Wire]) -> Signals {
    let ends = [("start", Attribute::Int(axis as i64)), ("end", Attribute::Int(axis as i64 + 1))];
    let lengths: Vec<Wire> = inputs.iter().map(|wire| s.node("Shape", &[*wire], &ends)).collect();
    let lengths = s.concat(&lengths, 0);
    let pieces = s.node_outputs("Split", &[dy, lengths], &[("axis", (axis as i64).into())], inputs.len());
    let typed = pieces.iter().zip(inputs).map(|(piece, input)| {
        let ty = s.type_of(*input).clone();
        s.refine_type(*piece, &ty);
        Some(Signal::from(*piece))
    });
    Ok(typed.collect())
}

/// The pieces that have a signal are joined; where those at an end have none, zeros are padded.
fn split(s: &mut Step<'_>) -> Signals {
    let x = s.input(0)?;
    let n_outputs = s.at().outputs.len();
    let signals: Vec<Option<Wire>> = (0..n_outputs).map(|i| single(s, i)).collect::<Result<_, _>>()?;
    let rank = s.known_rank(x)?;
    let axis = resolve_axis(s.at().int("axis").unwrap_or(0), rank)?;
    let first = signals.iter().position(Option::is_some).ok_or("no signal arrived")?;
    let last = signals.iter().rposition(Option::is_some).unwrap_or(first);
    let mut parts = Vec::new();
    for (i, signal) in signals.iter().enumerate().take(last + 1).skip(first) {
        parts.push(match signal {
            Some(wire) => *wire,
            None => {
                let piece =
                    s.output(i).map_err(|_| "a piece without a name between others that have a signal")?;
                s.zeros_like(piece)
            }
        });
    }
    let joined = if parts.len() == 1 { parts[0] } else { s.concat(&parts, axis as i64) };
    if parts.len() == n_outputs {
        return only(joined);
    }
    let lengths = piece_lengths(s, x, axis)?;
    let (before, behind) = (lengths[..first].iter().sum(), lengths[last + 1..].iter().sum());
    only(pad_axis(s, joined, axis, before, behind)?)
}

fn single(s: &Step<'_>, output: usize) -> Result<Option<Wire>, String> {
    match s.signal(output) {
        Some(Signal::Pair(..)) => Err("a pair of signals arrived where one was expected".to_owned()),
        Some(Signal::One(wire)) => Ok(Some(wire)),
        None => Ok(None),
    }
}

fn piece_lengths(s: &Step<'_>, x: Wire, axis: usize) -> Result<Vec<usize>, String> {
    let given = s.optional_input(1).and_then(|wire| s.constant(wire)).map(|tensor| tensor.to_i64s());
    if let Some(given) = &given {
        return Ok(given.iter().map(|&n| n.max(0) as usize).collect());
    }
    let length = s.shape(x).and_then(|shape| shape[axis].known());
    let length = length.ok_or("the length of the axis that is split is unknown")?;
    split_lengths(None, s.at().int("num_outputs"), length)
}

/// Sums over the repetitions: `[…, r·n, …]` is `[…, r, n, …]` in other words.
fn tile(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let own = s.shape(x).ok_or("the shape of the input is unknown")?.to_vec();
    let repeats = s.input(1).map(|wire| s.lengths(wire).map(<[Dim]>::to_vec))?;
    let repeats = repeats.ok_or("the repeats are unknown before the run")?;
    let mut shape = Vec::new();
    let mut summed = Vec::new();
    for (n, times) in own.iter().zip(&repeats) {
        // What was repeated from a length of 1 the driver sums.
        if n.is(1) || times.is(1) {
            shape.push(n.times(times));
            continue;
        }
        summed.push(shape.len() as i64);
        shape.extend([times.clone(), n.clone()]);
    }
    if summed.is_empty() {
        return only(dy);
    }
    let apart = reshape_to(s, dy, &shape)?;
    only(s.reduce_sum(apart, &summed, false))
}

/// What was filled in is cut off; what was repeated is added where it came from.
fn padded(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    if s.needs(2) {
        return Err("no gradient for the value that a Pad fills in".to_owned());
    }
    let rank = s.known_rank(x)?;
    let constant = |i: usize| s.optional_input(i).map(|wire| s.constant(wire).map(|tensor| tensor.to_i64s()));
    let pads = constant(1).flatten().ok_or("the pads are unknown before the run")?;
    let axes =
        constant(3).map(|axes| axes.ok_or("the padded axes are unknown before the run")).transpose()?;
    let pads = pads_of(&pads, axes.as_deref(), rank)?;
    let mode = s.at().string("mode").unwrap_or("constant").to_owned();
    if mode == "constant" {
        let (before, behind): (Vec<i64>, Vec<i64>) = pads.iter().map(|(a, b)| (-a, -b)).unzip();
        return only(pad(s, dy, &before, &behind));
    }
    let own = s.shape(x).unwrap_or_default().to_vec();
    let mut dx = dy;
    for (axis, pads) in pads.into_iter().enumerate().filter(|(_, pads)| *pads != (0, 0)) {
        let length = own[axis].known().ok_or("the length of a padded axis is unknown")?;
        let sources: Vec<usize> = pad_indices(&mode, pads, length)?.into_iter().flatten().collect();
        dx = put_back(s, dx, axis, &sources, length)?;
    }
    only(dx)
}
