//! The input gradient of a depthwise convolution with a stride, as one small convolution for each phase of the stride.
//!
//! A ConvTranspose says it in one node, but ONNX Runtime 1.31 computes it channel by channel. The positions that equal
//! each other modulo the stride are read by their own share of the kernel's taps, so each phase is a convolution of
//! stride 1 over the short side, and the phases are interleaved. On one core, ConvTranspose against this: 5×5 over 144
//! channels of 56×56 1.23 ms against 0.38 ms, over 672 of 14×14 0.53 against 0.14. At 3×3 interleaving costs what the
//! convolution saves (MobileNetV2: 28.2 ms in all against 29.3), and for dense and grouped convolutions ConvTranspose
//! is the faster one or as fast.

use super::convolution::attributes;
use super::windows::{derived_constant, interleave};
use crate::graph::{Graph, Wire};
use crate::ops::convolution::Convolution;
use crate::ops::window::Places;
use crate::tensor::Tensor;

/// The gradient of the input from that of the output; `None` where this way does not apply.
pub(super) fn spread(s: &mut Graph, c: &Convolution, dy: Wire, w: Wire, weights: &Tensor) -> Option<Wire> {
    let depthwise = c.n_narrow == 1 && c.n_wide == 1 && c.groups > 1;
    let plain = |axis: &Places| axis.dilation == 1 && steps(axis).is_some();
    let large = |axis: &Places| axis.stride > 1 && axis.kernel > 2 * axis.stride;
    if !depthwise || !c.axes.iter().any(large) || !c.axes.iter().all(plain) {
        return None;
    }
    let mut phases = phases(s, c, dy, w, weights);
    let mut behind = Vec::new();
    for (i, axis) in c.axes.iter().enumerate().rev() {
        let (from, to) = steps(axis)?;
        let along = |group: &[Option<Wire>]| {
            group.iter().any(Option::is_some).then(|| interleave(s, group, i, to - from, &behind))
        };
        phases = phases.chunks(axis.stride).map(along).collect();
        behind.insert(0, axis.stride * (to - from));
    }
    let full = phases.first().copied().flatten()?;
    Some(c.axes.iter().enumerate().fold(full, |x, (i, axis)| cut_padding(s, x, i, axis)))
}

/// The steps of the stride that the input takes up, from the one in which it begins to the one behind its end, counted
/// from the start of the padding. `None` where there is more padding than the window reaches.
fn steps(axis: &Places) -> Option<(usize, usize)> {
    let (from, to) = (axis.begin / axis.stride, (axis.begin + axis.length).div_ceil(axis.stride));
    let fewest_taps = (axis.kernel / axis.stride).max(1);
    (from < fewest_taps && to >= axis.count).then_some((from, to))
}

/// The taps of the kernel that read the positions of a phase.
fn taps(axis: &Places, phase: usize) -> Vec<usize> {
    (phase..axis.kernel).step_by(axis.stride).collect()
}

/// One convolution for each phase, in row-major order; `None` for those that no tap reads.
fn phases(s: &mut Graph, c: &Convolution, dy: Wire, w: Wire, weights: &Tensor) -> Vec<Option<Wire>> {
    let elements = weights.to_f64s();
    let n_phases = c.axes.iter().map(|axis| axis.stride).product();
    let phase = |index: usize| {
        let places = phase_places(c, index)?;
        let mut shape = weights.shape()[..2].to_vec();
        shape.extend(places.iter().map(|axis| axis.kernel));
        let own = Tensor::f64(&shape, phase_weights(c, &elements, index)).cast(weights.element());
        let own = derived_constant(s, w, &format!("phase_{index}"), own);
        Some(s.node("Conv", &[dy, own], &attributes(c.groups, &places)))
    };
    (0..n_phases).map(phase).collect()
}

/// The phase along each axis of the phase with that index.
fn split(c: &Convolution, mut index: usize) -> Vec<usize> {
    let mut phase = vec![0; c.axes.len()];
    for (slot, axis) in phase.iter_mut().zip(&c.axes).rev() {
        *slot = index % axis.stride;
        index /= axis.stride;
    }
    phase
}

/// How the kernel of one phase slides over the short side.
fn phase_places(c: &Convolution, index: usize) -> Option<Vec<Places>> {
    let place = |(axis, phase): (&Places, usize)| {
        let (from, to) = steps(axis)?;
        let kernel = taps(axis, phase).len();
        let begin = kernel.checked_sub(1 + from)?;
        let (end, count) = (to - axis.count, to - from);
        Some(Places { kernel, stride: 1, dilation: 1, begin, end, length: axis.count, count })
    };
    c.axes.iter().zip(split(c, index)).map(place).collect()
}

/// The taps of one phase, back to front, channel by channel.
fn phase_weights(c: &Convolution, elements: &[f64], index: usize) -> Vec<f64> {
    let offsets = c.axes.iter().zip(split(c, index)).fold(vec![0], |offsets, (axis, phase)| {
        let own = taps(axis, phase);
        offsets
            .iter()
            .flat_map(|offset| own.iter().rev().map(move |tap| offset * axis.kernel + tap))
            .collect::<Vec<usize>>()
    });
    let n_taps: usize = c.axes.iter().map(|axis| axis.kernel).product();
    elements.chunks(n_taps).flat_map(|kernel| offsets.iter().map(|&offset| kernel[offset])).collect()
}

fn cut_padding(s: &mut Graph, x: Wire, i: usize, axis: &Places) -> Wire {
    let (from, to) = steps(axis).unwrap_or_default();
    let begin = axis.begin - from * axis.stride;
    if begin == 0 && (to - from) * axis.stride == axis.length {
        return x;
    }
    s.slice(x, i as i64 + 2, begin as i64, (begin + axis.length) as i64)
}
