//! Normalizations as the common ones.

use super::Lowering;
use super::activation::input;
use crate::graph::{Attribute, Node, Wire};
use crate::ops::activation::setting;
use crate::ops::normalization::epsilon;
use crate::passes::rebuild::Rebuild;
use crate::tensor::{ElementType, Tensor};

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    Some(match op {
        "GroupNormalization" => group_norm,
        "LRN" => lrn,
        _ => return None,
    })
}

/// Instance normalization of the groups as if each were one channel, `[batch, groups, rest]`, then scale and shift of
/// the channels.
fn group_norm(g: &mut Rebuild, node: &Node) -> Result<Vec<Wire>, String> {
    let (x, scale, shift) = (input(node, 0)?, input(node, 1)?, input(node, 2)?);
    let rank = g.rank(x).ok_or("the rank of its input is unknown")?;
    let n_groups = node.int("num_groups").ok_or("attribute `num_groups` is missing")?;
    let grouped = g.reshape(x, &[0, n_groups, -1]);
    let element = g.element(x);
    let ones = filled(g, n_groups, 1.0, element);
    let zeros = filled(g, n_groups, 0.0, element);
    let epsilon = Attribute::Float(epsilon(node) as f32);
    let normalized = g.node("InstanceNormalization", &[grouped, ones, zeros], &[("epsilon", epsilon)]);
    let normalized = g.reshape_like(normalized, x);
    let mut by_channel = vec![1; rank - 1];
    by_channel[0] = -1;
    let (scale, shift) = (g.reshape(scale, &by_channel), g.reshape(shift, &by_channel));
    let scaled = g.mul(normalized, scale);
    Ok(vec![g.add(scaled, shift)])
}

fn filled(g: &mut Rebuild, n: i64, value: f64, element: ElementType) -> Wire {
    let tensor = Tensor::f64(&[n as usize], vec![value; n as usize]).cast(element);
    g.add_constant("filled", tensor)
}

/// `x / (k + α mean(x²))^β`, the mean over neighboring channels as an average pool that counts the padding, with the
/// channels as the height of one image, `[batch, 1, channels, rest]`.
fn lrn(g: &mut Rebuild, node: &Node) -> Result<Vec<Wire>, String> {
    let x = input(node, 0)?;
    let size = node.int("size").filter(|size| *size > 0).ok_or("attribute `size` is no positive number")?;
    let shape = g.shape(x).ok_or("the rank of its input is unknown")?;
    let n_channels = shape.get(1).and_then(crate::Dim::known).ok_or("the number of channels is unknown")?;
    let square = g.mul(x, x);
    let image = g.reshape(square, &[0, 1, n_channels as i64, -1]);
    let pool = [
        ("kernel_shape", Attribute::Ints(vec![size, 1])),
        ("pads", Attribute::Ints(vec![(size - 1) / 2, 0, size / 2, 0])),
        ("count_include_pad", Attribute::Int(1)),
    ];
    let mean = g.node("AveragePool", &[image], &pool);
    let mean = g.reshape_like(mean, x);
    let scaled = g.mul_scalar(mean, setting(node, "alpha", 1e-4));
    let base = g.add_scalar(scaled, setting(node, "bias", 1.0));
    let exponent = g.scalar(setting(node, "beta", 0.75), x);
    let denominator = g.pow(base, exponent);
    Ok(vec![g.div(x, denominator)])
}
