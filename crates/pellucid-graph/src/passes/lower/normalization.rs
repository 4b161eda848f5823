//! Normalizations as the common ones.

use super::{Lowering, input};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops::activation::setting;
use crate::ops::normalization::epsilon;
use crate::tensor::{ElementType, Tensor};

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    Some(match op {
        "GroupNormalization" => group_norm,
        "LRN" => lrn,
        "MeanVarianceNormalization" => mean_variance,
        "SimplifiedLayerNormalization" => simplified_layer_norm,
        "LpNormalization" => lp_norm,
        _ => return None,
    })
}

/// Instance normalization of the groups as if each were one channel, `[batch, groups, rest]`, then scale and shift of
/// the channels.
fn group_norm(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
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

/// What keeps the deviation from 0, in ONNX's definition.
const DEVIATION_FLOOR: f64 = 1e-9;

/// `(x − mean) / (√variance + 1e-9)` over `axes`.
fn mean_variance(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let x = input(node, 0)?;
    let axes = node.ints("axes").unwrap_or(&[0, 2, 3]).to_vec();
    let mean = g.reduce_mean(x, &axes, true);
    let centered = g.sub(x, mean);
    let square = g.mul(centered, centered);
    let variance = g.reduce_mean(square, &axes, true);
    let root = g.sqrt(variance);
    let deviation = g.add_scalar(root, DEVIATION_FLOOR);
    Ok(vec![g.div(centered, deviation)])
}

/// `RMSNormalization` under the name that it had before ONNX knew it. Its second output is for training.
pub(super) fn simplified_layer_norm(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let attributes =
        ["axis", "epsilon"].into_iter().filter_map(|name| Some((name, node.attributes.get(name)?.clone())));
    let attributes: Vec<(&str, Attribute)> = attributes.collect();
    Ok(vec![g.node("RMSNormalization", &[input(node, 0)?, input(node, 1)?], &attributes)])
}

/// `x / ‖x‖ₚ` along one axis; 0 where all is 0.
fn lp_norm(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let x = input(node, 0)?;
    let axis = node.int("axis").unwrap_or(-1);
    let norm = match node.int("p").unwrap_or(2) {
        1 => g.reduce("ReduceL1", x, &[axis], true),
        2 => g.reduce("ReduceL2", x, &[axis], true),
        p => return Err(format!("p = {p} is neither 1 nor 2")),
    };
    let zero = g.scalar(0.0, norm);
    let nothing = g.equal(norm, zero);
    let one = g.scalar(1.0, norm);
    let divisor = g.select(nothing, one, norm);
    Ok(vec![g.div(x, divisor)])
}

fn filled(g: &mut Graph, n: i64, value: f64, element: ElementType) -> Wire {
    let tensor = Tensor::f64(&[n as usize], vec![value; n as usize]).cast(element);
    g.add_constant("filled", tensor)
}

/// `x / (k + α mean(x²))^β`, the mean over neighboring channels as an average pool that counts the padding, with the
/// channels as the height of one image, `[batch, 1, channels, rest]`.
fn lrn(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
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
