//! Convolutions over any number of spatial axes, and their transposes.

use super::window::{Places, per_axis, slides, tap_pairs};
use super::{Call, Op, Site};
use crate::graph::Node;
use crate::tensor::Tensor;
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "Conv", infer: infer_conv, evaluate: evaluate_conv },
    Op { name: "ConvTranspose", infer: infer_transposed, evaluate: evaluate_transposed },
];

/// A convolution with all lengths known. Weights are `[groups · n_narrow, n_wide, kernel…]`: a Conv goes from
/// `groups · n_wide` channels on the long side to `groups · n_narrow` on the short one, a ConvTranspose the other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Convolution {
    pub(crate) groups: usize,
    /// Channels a group on the short side: outputs of a Conv, inputs of a ConvTranspose.
    pub(crate) n_narrow: usize,
    /// Channels a group on the long side.
    pub(crate) n_wide: usize,
    pub(crate) axes: Vec<Places>,
}

impl Convolution {
    /// The geometry of a Conv with input `x` `[batch, channels, lengths…]` and weights `w`; the batch is not looked at.
    pub(crate) fn of_conv(node: &Node, x: &[usize], w: &[usize]) -> Result<Self, String> {
        let groups = check_conv(node, &known(x), &known(w))?;
        let axes = slides(node, &w[2..])?.into_iter().zip(&x[2..]).map(|(slide, &n)| slide.along(n));
        let axes = axes.collect::<Result<_, _>>()?;
        Ok(Self { groups, n_narrow: w[0] / groups, n_wide: w[1], axes })
    }

    /// The geometry of a ConvTranspose.
    pub(crate) fn of_transposed(node: &Node, x: &[usize], w: &[usize]) -> Result<Self, String> {
        let groups = check_transposed(node, &known(x), &known(w))?;
        let axes = transposed_axes(node, &x[2..], &w[2..])?;
        Ok(Self { groups, n_narrow: w[0] / groups, n_wide: w[1], axes })
    }

    fn n_taps(&self) -> usize {
        self.axes.iter().map(|axis| axis.kernel).product()
    }
}

fn known(shape: &[usize]) -> Vec<Dim> {
    shape.iter().map(|&n| Dim::Known(n)).collect()
}

fn check_ranks(node: &Node, x: &[Dim], w: &[Dim]) -> Result<(), String> {
    if x.len() != w.len() || x.len() < 3 {
        return Err(format!(
            "expected an input and weights with batch, channels and the same number of spatial axes, got {} and {} axes",
            x.len(),
            w.len()
        ));
    }
    let stated = node.ints("kernel_shape").unwrap_or_default();
    let differs = |(&stated, dim): (&i64, &Dim)| dim.known().is_some_and(|n| n as i64 != stated);
    if stated.iter().zip(&w[2..]).any(differs) || !(stated.is_empty() || stated.len() == w.len() - 2) {
        return Err(format!("kernel_shape {stated:?} is not that of the weights"));
    }
    Ok(())
}

fn groups(node: &Node) -> Result<usize, String> {
    let group = node.int("group").unwrap_or(1);
    usize::try_from(group).ok().filter(|&n| n > 0).ok_or_else(|| format!("group {group} must be at least 1"))
}

fn check_conv(node: &Node, x: &[Dim], w: &[Dim]) -> Result<usize, String> {
    check_ranks(node, x, w)?;
    let groups = groups(node)?;
    if let (Some(channels), Some(per_group)) = (x[1].known(), w[1].known())
        && channels != per_group * groups
    {
        return Err(format!("{channels} input channels for weights of {groups} groups of {per_group}"));
    }
    if w[0].known().is_some_and(|m| m % groups != 0) {
        return Err(format!("{} output channels do not divide into {groups} groups", w[0]));
    }
    Ok(groups)
}

fn check_transposed(node: &Node, x: &[Dim], w: &[Dim]) -> Result<usize, String> {
    check_ranks(node, x, w)?;
    let groups = groups(node)?;
    if let (Some(channels), Some(stated)) = (x[1].known(), w[0].known())
        && (channels != stated || channels % groups != 0)
    {
        return Err(format!("{channels} input channels for weights of {stated} in {groups} groups"));
    }
    Ok(groups)
}

/// The places of a ConvTranspose with inputs of these lengths.
pub(crate) fn transposed_axes(
    node: &Node,
    counts: &[usize],
    kernel: &[usize],
) -> Result<Vec<Places>, String> {
    let extra = per_axis(node, "output_padding", kernel.len(), 0)?;
    let stated = match node.ints("output_shape") {
        Some(_) => per_axis(node, "output_shape", kernel.len(), 0)?.into_iter().map(Some).collect(),
        None => vec![None; kernel.len()],
    };
    let slides = slides(node, kernel)?;
    (0..kernel.len()).map(|i| slides[i].transposed(counts[i], extra[i], stated[i])).collect()
}

/// The kernel's lengths from the weights, or else from the attribute.
pub(crate) fn kernel_of_weights(node: &Node, w: &[Dim]) -> Option<Vec<usize>> {
    let from_weights: Option<Vec<usize>> = w[2..].iter().map(Dim::known).collect();
    from_weights.or_else(|| node.ints("kernel_shape")?.iter().map(|&n| usize::try_from(n).ok()).collect())
}

fn infer_conv(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(x), Some(w)) = (site.shape(0)?, site.shape(1)?) else { return site.like_first(None) };
    check_conv(site.node, x, w)?;
    let mut shape = vec![x[0].clone(), w[0].clone()];
    match kernel_of_weights(site.node, w) {
        Some(kernel) => {
            let counts = slides(site.node, &kernel)?;
            let counts = counts.iter().zip(&x[2..]).map(|(slide, length)| slide.count_dim(length));
            shape.extend(counts.collect::<Result<Vec<_>, _>>()?);
        }
        None => shape.resize(x.len(), Dim::Unknown),
    }
    site.like_first(Some(shape))
}

fn infer_transposed(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let (Some(x), Some(w)) = (site.shape(0)?, site.shape(1)?) else { return site.like_first(None) };
    let groups = check_transposed(site.node, x, w)?;
    let mut shape = vec![x[0].clone(), w[1].times(&Dim::Known(groups))];
    let counts: Option<Vec<usize>> = x[2..].iter().map(Dim::known).collect();
    match counts.zip(kernel_of_weights(site.node, w)) {
        Some((counts, kernel)) => {
            let axes = transposed_axes(site.node, &counts, &kernel)?;
            shape.extend(axes.iter().map(|axis| Dim::Known(axis.length)));
        }
        None => shape.resize(x.len(), Dim::Unknown),
    }
    site.like_first(Some(shape))
}

fn evaluate_conv(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (shape_x, shape_w) = (call.shape(0)?, call.shape(1)?);
    let c = Convolution::of_conv(call.node, shape_x, shape_w)?;
    let counts = c.axes.iter().map(|axis| axis.count);
    let shape: Vec<usize> = [shape_x[0], shape_w[0]].into_iter().chain(counts).collect();
    let pairs = tap_pairs(&c.axes);
    let n_taps = c.n_taps();
    // Weights of one output channel are `[n_wide, taps]`.
    let weight_at = |output: usize, input: usize| (output * c.n_wide + input % c.n_wide) * n_taps;
    Ok(vec![convolved(call, &shape, c.groups, weight_at, &pairs)?])
}

fn evaluate_transposed(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let (shape_x, shape_w) = (call.shape(0)?, call.shape(1)?);
    let c = Convolution::of_transposed(call.node, shape_x, shape_w)?;
    let lengths = c.axes.iter().map(|axis| axis.length);
    let shape: Vec<usize> = [shape_x[0], c.groups * c.n_wide].into_iter().chain(lengths).collect();
    let turned =
        |tap: Vec<(usize, usize)>| tap.into_iter().map(|(place, position)| (position, place)).collect();
    let pairs: Vec<Vec<(usize, usize)>> = tap_pairs(&c.axes).into_iter().map(turned).collect();
    let n_taps = c.n_taps();
    let weight_at = |output: usize, input: usize| (input * c.n_wide + output % c.n_wide) * n_taps;
    Ok(vec![convolved(call, &shape, c.groups, weight_at, &pairs)?])
}

/// Adds to each output plane the input planes of its group times their weights, shifted as `pairs` (of an offset into
/// the output plane and one into the input plane) say for each tap. `weight_at` gives where the taps of an output and
/// an input channel start.
fn convolved(
    call: &Call<'_>,
    shape: &[usize],
    groups: usize,
    weight_at: impl Fn(usize, usize) -> usize,
    pairs: &[Vec<(usize, usize)>],
) -> Result<Tensor, String> {
    let (x, w) = (call.floats(0)?, call.floats(1)?);
    let n_inputs = call.shape(0)?[1];
    let n_outputs = shape[1];
    let (size_in, size_out) = (call.shape(0)?[2..].iter().product::<usize>(), shape[2..].iter().product());
    let bias = match call.optional(2) {
        Some(_) => call.floats(2)?.to_vec(),
        None => vec![0.0; n_outputs],
    };
    if bias.len() != n_outputs {
        return Err(format!("{} biases for {n_outputs} output channels", bias.len()));
    }
    let mut result = Vec::with_capacity(shape.iter().product());
    for image in 0..shape[0] {
        for output in 0..n_outputs {
            let mut plane: Vec<f64> = vec![bias[output]; size_out];
            let group = output / (n_outputs / groups);
            for input in group * (n_inputs / groups)..(group + 1) * (n_inputs / groups) {
                let source = &x[(image * n_inputs + input) * size_in..][..size_in];
                let weights = &w[weight_at(output, input)..][..pairs.len()];
                for (weight, pairs) in weights.iter().zip(pairs) {
                    pairs.iter().for_each(|&(to, from)| plane[to] += weight * source[from]);
                }
            }
            result.extend(plane);
        }
    }
    Ok(Tensor::f64(shape, result))
}
