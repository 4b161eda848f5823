//! Undoes broadcasting: what was repeated on the way forward is summed on the way back.

use crate::graph::{Graph, Wire};
use crate::types::{Dim, shape_text};

/// `signal` summed down to the shape of `wire`, which its own shape was broadcast from.
pub(super) fn unbroadcast(graph: &mut Graph, signal: Wire, wire: Wire) -> Result<Wire, String> {
    let (Some(own), Some(shape)) = (graph.shape(signal), graph.shape(wire)) else {
        return Err(format!("the shape of `{}` or of its signal is unknown", graph.name_of(wire)));
    };
    let (own, shape) = (own.to_vec(), shape.to_vec());
    if own == shape {
        return Ok(signal);
    }
    let Some(n_new) = own.len().checked_sub(shape.len()) else {
        return Ok(graph.expand_like(signal, wire));
    };
    let new_axes: Vec<i64> = (0..n_new as i64).collect();
    let mut result = graph.reduce_sum(signal, &new_axes, false);
    let repeated =
        |(axis, (have, want)): (usize, (&Dim, &Dim))| (want.is(1) && !have.is(1)).then_some(axis as i64);
    let summed_axes: Vec<i64> = own[n_new..].iter().zip(&shape).enumerate().filter_map(repeated).collect();
    result = graph.reduce_sum(result, &summed_axes, true);
    check_remaining(&own[n_new..], &shape)?;
    let constant_along_an_axis =
        own[n_new..].iter().zip(&shape).any(|(have, want)| have.is(1) && !want.is(1));
    Ok(if constant_along_an_axis { graph.expand_like(result, wire) } else { result })
}

/// Lengths that differ must be 1 on one side: anything else was no broadcast.
fn check_remaining(own: &[Dim], shape: &[Dim]) -> Result<(), String> {
    let fits = |(have, want): (&Dim, &Dim)| match (have.known(), want.known()) {
        (Some(a), Some(b)) => a == b || a == 1 || b == 1,
        _ => true,
    };
    match own.iter().zip(shape).all(fits) {
        true => Ok(()),
        false => {
            Err(format!("a signal of shape {} for a wire of shape {}", shape_text(own), shape_text(shape)))
        }
    }
}
