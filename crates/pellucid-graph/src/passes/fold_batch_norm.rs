//! Merges a BatchNormalization into the Conv, ConvTranspose or Gemm that feeds it alone:
//! `γ (W x + b − μ) / √(σ² + ε) + β = (s W) x + (s (b − μ) + β)` with `s = γ / √(σ² + ε)`.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::passes::rebuild::{Rebuild, rebuild};
use crate::tensor::Tensor;

/// Folds each BatchNormalization whose input is made by a linear op with constant weights and read by nothing else.
/// The linear op that is no longer needed is left for `prune`.
///
/// # Errors
/// None of its own.
pub fn fold_batch_norm(graph: &Graph) -> Result<Graph, Error> {
    let single = read_once(graph);
    rebuild(graph, |new, node| {
        let is_norm = node.op == "BatchNormalization" && node.domain.is_empty() && node.outputs.len() <= 1;
        Ok(if is_norm { folded(new, node, &single) } else { None })
    })
}

/// Names of wires that one node reads and that are no output.
fn read_once(graph: &Graph) -> BTreeMap<String, ()> {
    let consumers = graph.consumers();
    let once = |wire: &Wire| {
        consumers.get(wire).is_some_and(|readers| readers.len() == 1) && !graph.outputs().contains(wire)
    };
    graph.wires().filter(|wire| once(wire)).map(|wire| (graph.name_of(wire).to_owned(), ())).collect()
}

fn folded(new: &mut Rebuild, norm: &Node, single: &BTreeMap<String, ()>) -> Option<Vec<Wire>> {
    let x = norm.inputs.first().copied().flatten()?;
    if !single.contains_key(new.name_of(x)) {
        return None;
    }
    let linear = new.producer(x)?.clone();
    let channel_axis = weight_channel_axis(&linear)?;
    let weight_wire = linear.inputs.get(1).copied().flatten()?;
    let weight = new.constant(weight_wire)?.clone();
    let parameter = |i: usize| Some(new.constant(norm.inputs.get(i).copied().flatten()?)?.to_f64s());
    let (gamma, beta, mean, variance) = (parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?);
    let epsilon = norm.float("epsilon").unwrap_or(1e-5);
    let scale: Vec<f64> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();

    let alpha = linear.float("alpha").unwrap_or(1.0);
    let old_bias = bias(new, &linear, scale.len())?;
    let scaled_weight = scaled(&weight, &scale, channel_axis, alpha)?;
    let element = weight.element();
    let new_bias: Vec<f64> = (0..scale.len()).map(|c| scale[c] * (old_bias[c] - mean[c]) + beta[c]).collect();
    let weight_name = format!("{}_folded", new.name_of(weight_wire));
    let weight = new.add_constant(&weight_name, scaled_weight.cast(element));
    let bias =
        new.add_constant(&format!("{weight_name}_bias"), Tensor::f64(&[scale.len()], new_bias).cast(element));
    let mut merged = Node { inputs: vec![linear.inputs[0], Some(weight), Some(bias)], ..linear };
    merged.outputs = Vec::new();
    merged.attributes.remove("alpha");
    merged.attributes.remove("beta");
    Some(vec![new.add_node(merged, &[Some("")])[0]?])
}

/// Along which axis of its weight an op's output channels lie.
fn weight_channel_axis(linear: &Node) -> Option<usize> {
    let group = linear.int("group").unwrap_or(1);
    match linear.op.as_str() {
        "Conv" => Some(0),
        // With groups, output channels lie along two axes of the weight.
        "ConvTranspose" if group == 1 => Some(1),
        "Gemm" if linear.int("transA").unwrap_or(0) == 0 => {
            Some(usize::from(linear.int("transB").unwrap_or(0) == 0))
        }
        _ => None,
    }
}

/// The bias of the linear op, with its `beta`; zeros where it has none. `None` where it is no constant vector.
fn bias(new: &Rebuild, linear: &Node, n_channels: usize) -> Option<Vec<f64>> {
    let Some(wire) = linear.inputs.get(2).copied().flatten() else { return Some(vec![0.0; n_channels]) };
    let beta = linear.float("beta").unwrap_or(1.0);
    let bias: Vec<f64> = new.constant(wire)?.to_f64s().into_iter().map(|b| b * beta).collect();
    match bias.len() {
        1 => Some(vec![bias[0]; n_channels]),
        n => (n == n_channels).then_some(bias),
    }
}

/// The weight times the scale of its output channel and `alpha`.
fn scaled(weight: &Tensor, scale: &[f64], axis: usize, alpha: f64) -> Option<Tensor> {
    let shape = weight.shape();
    if *shape.get(axis)? != scale.len() {
        return None;
    }
    let inner: usize = shape[axis + 1..].iter().product();
    let channel = |i: usize| i / inner % scale.len();
    let values = weight.to_f64s().into_iter().enumerate().map(|(i, w)| w * scale[channel(i)] * alpha);
    Some(Tensor::f64(shape, values.collect()))
}
