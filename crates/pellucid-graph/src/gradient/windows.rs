//! What windows took from an axis is put back: the shared part of the gradients of pools and strided convolutions.

use crate::backward::Step;
use crate::graph::{Attribute, Graph, Wire};
use crate::ops::window::Places;
use crate::tensor::Tensor;

/// Puts the contributions of each tap back along spatial axis `i`: `takes[t]` has one element a place, and the result,
/// as long as the axis, the sum of all that belong to each position: `result[stride·o + dilation·t − begin] +=
/// takes[t][o]`. The axes before it are put back already, those behind it are not.
///
/// Taps with the same position modulo the stride are summed, shifted against each other; the `stride` results are
/// then interleaved. On both runtimes this is faster than ScatterElements or a product with a one-hot matrix.
pub(super) fn put_back(s: &mut Graph, takes: &[Wire], axes: &[Places], i: usize) -> Wire {
    let place = &axes[i];
    let shift = |tap: usize| tap * place.dilation / place.stride;
    let last = place.count + shift(place.kernel - 1);
    let n_steps = last.max((place.begin + place.length).div_ceil(place.stride));
    let rank = axes.len() + 2;
    let mut phases: Vec<Option<Wire>> = vec![None; place.stride];
    for (tap, take) in takes.iter().enumerate() {
        let (front, back) = (shift(tap), n_steps - place.count - shift(tap));
        let shifted = pad(s, *take, (rank, i + 2), front, back, None);
        let phase = &mut phases[tap * place.dilation % place.stride];
        *phase = Some(phase.map_or(shifted, |sum| s.add(sum, shifted)));
    }
    let behind: Vec<usize> = axes[i + 1..].iter().map(|axis| axis.count).collect();
    let full = interleave(s, &phases, i, n_steps, &behind);
    if place.begin == 0 && n_steps * place.stride == place.length {
        return full;
    }
    s.slice(full, i as i64 + 2, place.begin as i64, (place.begin + place.length) as i64)
}

/// One element of each phase in turn along spatial axis `i`, zeros where there is no phase. Each phase is `length` long
/// there, and as long as `behind` says along the axes behind it.
pub(super) fn interleave(
    s: &mut Graph,
    phases: &[Option<Wire>],
    i: usize,
    length: usize,
    behind: &[usize],
) -> Wire {
    let Some(first) = phases.iter().flatten().next().copied() else {
        panic!("no phase to interleave");
    };
    if phases.len() == 1 {
        return first;
    }
    let zeros = if phases.contains(&None) { s.zeros_like(first) } else { first };
    let axis = i as i64 + 3;
    let columns: Vec<Wire> =
        phases.iter().map(|phase| s.unsqueeze(phase.unwrap_or(zeros), &[axis])).collect();
    let stacked = s.concat(&columns, axis);
    // 0 keeps a length: the batch may be unknown.
    let mut shape = vec![0; i + 2];
    shape.push((length * phases.len()) as i64);
    shape.extend(behind.iter().map(|&n| n as i64));
    s.reshape(stacked, &shape)
}

/// `x` with `front` and `back` elements more along an axis (of a rank): zeros, or `value`.
pub(super) fn pad(
    s: &mut Graph,
    x: Wire,
    (rank, axis): (usize, usize),
    front: usize,
    back: usize,
    value: Option<Wire>,
) -> Wire {
    if front + back == 0 {
        return x;
    }
    let mut pads = vec![0; 2 * rank];
    (pads[axis], pads[rank + axis]) = (front as i64, back as i64);
    let pads = s.ints(&pads);
    let value = value.unwrap_or_else(|| s.scalar(0.0, x));
    s.node("Pad", &[x, pads, value], &[])
}

/// Every `stride`-th element along `axis`, `count` of them from `start` on.
pub(super) fn every(s: &mut Graph, x: Wire, axis: usize, start: usize, stride: usize, count: usize) -> Wire {
    let end = start + stride * (count - 1) + 1;
    let [start, end, axis, stride] = [start, end, axis, stride].map(|n| s.ints(&[n as i64]));
    s.node("Slice", &[x, start, end, axis, stride], &[])
}

/// The attributes of a convolution or pool, all written out: a runtime may not know the defaults, nor take the kernel
/// from the weights.
pub(super) fn window_attributes(axes: &[Places]) -> Vec<(&'static str, Attribute)> {
    let list = |f: fn(&Places) -> usize| -> Vec<i64> { axes.iter().map(|axis| f(axis) as i64).collect() };
    let pads = [list(|axis| axis.begin), list(|axis| axis.end)].concat();
    let mut attributes = vec![
        ("kernel_shape", list(|axis| axis.kernel).into()),
        ("pads", pads.into()),
        ("strides", list(|axis| axis.stride).into()),
    ];
    // AveragePool has had this attribute since opset 19 only.
    if axes.iter().any(|axis| axis.dilation != 1) {
        attributes.push(("dilations", list(|axis| axis.dilation).into()));
    }
    attributes
}

/// A constant made from another: the same wire for every walk over the graph, since weights may be large.
pub(crate) fn derived_constant(s: &mut Graph, from: Wire, how: &str, tensor: Tensor) -> Wire {
    let name = format!("{}.{how}", s.name_of(from));
    match s.wire(&name) {
        Ok(known) if s.constant(known).is_some_and(|known| **known == tensor) => known,
        _ => s.add_constant(&name, tensor),
    }
}

/// The shape of a wire whose batch alone may be unknown, then taken as 1.
pub(super) fn spatial_shape(s: &Step<'_>, wire: Wire) -> Result<Vec<usize>, String> {
    let unknown = || {
        let name = s.name_of(wire);
        format!("channels or spatial lengths of `{name}` are unknown; pin the shape of the model's input")
    };
    let shape = s.shape(wire).filter(|shape| !shape.is_empty()).ok_or_else(unknown)?;
    let rest = shape[1..].iter().map(|dim| dim.known().ok_or_else(unknown));
    std::iter::once(Ok(shape[0].known().unwrap_or(1))).chain(rest).collect()
}
