//! Convolutions: the gradient of the input is a convolution the other way, that of the weights one over the batch.

use super::windows::{derived_constant, spatial_shape, window_attributes};
use super::{PlainRule, each, strided_depthwise};
use crate::backward::{Signals, Step};
use crate::graph::{Attribute, Graph, Wire};
use crate::ops::convolution::Convolution;
use crate::ops::window::Places;
use crate::tensor::Tensor;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Conv" => conv,
        "ConvTranspose" => transposed,
        _ => return None,
    })
}

fn conv(s: &mut Step<'_>) -> Signals {
    let (dy, x, w) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let c = Convolution::of_conv(s.at(), &spatial_shape(s, x)?, &known_shape(s, w)?)?;
    let dx = s.needs(0).then(|| spread(s, &c, dy, w));
    let dw = s.needs(1).then(|| weight_gradient(s, &c, x, dy));
    let db = s.needs(2).then(|| bias_gradient(s, dy, c.axes.len()));
    each([dx, dw, db])
}

fn transposed(s: &mut Step<'_>) -> Signals {
    let (dy, x, w) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let c = Convolution::of_transposed(s.at(), &spatial_shape(s, x)?, &known_shape(s, w)?)?;
    let dx = s.needs(0).then(|| gathered(s, &c, dy, w));
    let dw = s.needs(1).then(|| weight_gradient(s, &c, dy, x));
    let db = s.needs(2).then(|| bias_gradient(s, dy, c.axes.len()));
    each([dx, dw, db])
}

fn known_shape(s: &Step<'_>, wire: Wire) -> Result<Vec<usize>, String> {
    s.type_of(wire).known_shape().ok_or_else(|| format!("the shape of `{}` is unknown", s.name_of(wire)))
}

/// From the short side to the long one: the input gradient of a Conv with weights `w`.
fn spread(s: &mut Step<'_>, c: &Convolution, dy: Wire, w: Wire) -> Wire {
    if let Some(weights) = s.constant(w).cloned() {
        if c.axes.iter().all(|axis| axis.stride == 1) {
            let flipped = derived_constant(s, w, "flipped", flipped(&weights, c));
            return stride_one(s, c, dy, flipped);
        }
        if let Some(dx) = strided_depthwise::spread(s, c, dy, w, &weights) {
            return dx;
        }
    }
    let extra: Vec<i64> = c.axes.iter().map(|axis| axis.unread() as i64).collect();
    let mut attributes = attributes(c.groups, &c.axes);
    attributes.push(("output_padding", extra.into()));
    s.node("ConvTranspose", &[dy, w], &attributes)
}

/// The same for stride 1, as a Conv with flipped weights, which runtimes compute faster than a ConvTranspose.
fn stride_one(s: &mut Graph, c: &Convolution, dy: Wire, flipped: Wire) -> Wire {
    let mut dy = dy;
    let mut axes = c.axes.clone();
    for (axis, place) in c.axes.iter().enumerate() {
        let reach = place.dilation * (place.kernel - 1);
        // Padding beyond the window's reach made outputs of the bias alone: those send nothing back.
        let (front, back) = (place.begin.saturating_sub(reach), place.end.saturating_sub(reach));
        if front + back > 0 {
            dy = s.slice(dy, axis as i64 + 2, front as i64, (place.count - back) as i64);
        }
        axes[axis].begin = reach.saturating_sub(place.begin);
        axes[axis].end = reach.saturating_sub(place.end);
    }
    s.node("Conv", &[dy, flipped], &attributes(c.groups, &axes))
}

/// Weights `[groups · n_narrow, n_wide, kernel…]` as `[groups · n_wide, n_narrow, kernel…]`, each kernel back to front.
fn flipped(weights: &Tensor, c: &Convolution) -> Tensor {
    let n_taps: usize = c.axes.iter().map(|axis| axis.kernel).product();
    let elements = weights.to_f64s();
    let mut result = Vec::with_capacity(elements.len());
    for group in 0..c.groups {
        for wide in 0..c.n_wide {
            for narrow in 0..c.n_narrow {
                let start = ((group * c.n_narrow + narrow) * c.n_wide + wide) * n_taps;
                result.extend(elements[start..start + n_taps].iter().rev());
            }
        }
    }
    let mut shape = weights.shape().to_vec();
    shape[..2].copy_from_slice(&[c.groups * c.n_wide, c.n_narrow]);
    Tensor::f64(&shape, result).cast(weights.element())
}

/// From the long side to the short one: the input gradient of a ConvTranspose with weights `w`.
fn gathered(s: &mut Step<'_>, c: &Convolution, dy: Wire, w: Wire) -> Wire {
    let axes = without_unread(&c.axes);
    let dx = s.node("Conv", &[dy, w], &attributes(c.groups, &axes));
    // Output padding of a whole stride or more would be read by windows of its own.
    let counts: Vec<(usize, bool)> =
        axes.iter().map(|axis| (axis.count, axis.unread() >= axis.stride)).collect();
    first_of(s, dx, &counts)
}

/// `dW[m, c, t] = Σ_{n,o} dy[n, m, o] · x[n, c, stride·o + dilation·t − begin]`: a convolution of `x` (`long`) with `dy`
/// (`short`) as weights, in which batch and channels have changed places, and so have strides and dilations.
fn weight_gradient(s: &mut Step<'_>, c: &Convolution, long: Wire, short: Wire) -> Wire {
    let n_axes = c.axes.len() as i64;
    let swap: Vec<i64> = [1, 0].into_iter().chain(2..n_axes + 2).collect();
    let image = channels_as_batch(s, c, long, &swap);
    let kernel = s.transpose(short, &swap);
    let axes = without_unread(&c.axes);
    let turned =
        |axis: &Places| Places { kernel: axis.count, stride: axis.dilation, dilation: axis.stride, ..*axis };
    let turned: Vec<Places> = axes.iter().map(turned).collect();
    let dw = s.node("Conv", &[image, kernel], &attributes(c.groups, &turned));
    let counts: Vec<(usize, bool)> =
        axes.iter().map(|axis| (axis.kernel, axis.unread() >= axis.dilation)).collect();
    let dw = first_of(s, dw, &counts);
    s.transpose(dw, &swap)
}

/// `[batch, groups · n_wide, lengths…]` as `[n_wide, groups · batch, lengths…]`.
fn channels_as_batch(s: &mut Graph, c: &Convolution, long: Wire, swap: &[i64]) -> Wire {
    if c.groups == 1 {
        return s.transpose(long, swap);
    }
    let lengths: Vec<i64> = c.axes.iter().map(|axis| axis.length as i64).collect();
    let (groups, n_wide) = (c.groups as i64, c.n_wide as i64);
    let split = s.reshape(long, &[&[-1, groups, n_wide], lengths.as_slice()].concat());
    let order: Vec<i64> = [2, 1, 0].into_iter().chain(3..lengths.len() as i64 + 3).collect();
    let turned = s.transpose(split, &order);
    s.reshape(turned, &[&[n_wide, -1], lengths.as_slice()].concat())
}

/// The axes with as little padding at the end as the last window needs.
fn without_unread(axes: &[Places]) -> Vec<Places> {
    axes.iter().map(|axis| Places { end: axis.end - axis.unread().min(axis.end), ..*axis }).collect()
}

/// The first elements along each spatial axis: how many, and whether there are more at all.
fn first_of(s: &mut Graph, x: Wire, counts: &[(usize, bool)]) -> Wire {
    let cut = counts.iter().enumerate().filter(|(_, (_, more))| *more);
    cut.fold(x, |x, (axis, (count, _))| s.slice(x, axis as i64 + 2, 0, *count as i64))
}

fn bias_gradient(s: &mut Graph, dy: Wire, n_axes: usize) -> Wire {
    let axes: Vec<i64> = std::iter::once(0).chain(2..n_axes as i64 + 2).collect();
    s.reduce_sum(dy, &axes, false)
}

pub(super) fn attributes(groups: usize, axes: &[Places]) -> Vec<(&'static str, Attribute)> {
    let mut attributes = window_attributes(axes);
    attributes.push(("group", Attribute::Int(groups as i64)));
    attributes
}
