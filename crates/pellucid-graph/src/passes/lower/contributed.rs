//! Ops of the domain `com.microsoft`, which ONNX Runtime's optimizer and model builders write, as ONNX's own.

use super::{Lowering, attention, input, normalization, optional, rotary, wants};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops::activation::setting;

/// Where skip connections keep the sum that they normalize.
const SUM_OUTPUT: usize = 3;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    Some(match op {
        // gelu(a + b)
        "BiasGelu" => |g, node| {
            let biased = g.add(input(node, 0)?, input(node, 1)?);
            Ok(vec![g.node("Gelu", &[biased], &[])])
        },
        "FastGelu" => |g, node| {
            let x = input(node, 0)?;
            let biased = optional(node, 1).map_or(x, |bias| g.add(x, bias));
            Ok(vec![g.node("Gelu", &[biased], &[("approximate", "tanh".into())])])
        },
        "Gelu" => |g, node| Ok(vec![g.node("Gelu", &[input(node, 0)?], &[])]),
        // x σ(α x)
        "QuickGelu" => |g, node| {
            let x = input(node, 0)?;
            let scaled = g.mul_scalar(x, setting(node, "alpha", 1.702));
            let gate = g.sigmoid(scaled);
            Ok(vec![g.mul(x, gate)])
        },
        "FusedMatMul" => fused_matmul,
        "SkipLayerNormalization" => skip_layer_norm,
        "SkipSimplifiedLayerNormalization" => skip_rms_norm,
        "SimplifiedLayerNormalization" => normalization::simplified_layer_norm,
        "MultiHeadAttention" => attention::multi_head,
        "GroupQueryAttention" => attention::grouped_query,
        "Attention" => attention::with_packed_weights,
        "RotaryEmbedding" => rotary::contributed,
        _ => return None,
    })
}

/// `α op(A) op(B)`, where `op` exchanges the last two axes if the flag says so.
fn fused_matmul(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let on = |name: &str| node.int(name).unwrap_or(0) != 0;
    if on("transBatchA") || on("transBatchB") {
        return Err("transBatchA and transBatchB are not supported".to_owned());
    }
    let mut factors = [input(node, 0)?, input(node, 1)?];
    for (factor, flag) in factors.iter_mut().zip(["transA", "transB"]) {
        if on(flag) {
            *factor = exchanged(g, *factor)?;
        }
    }
    let product = g.matmul(factors[0], factors[1]);
    let alpha = setting(node, "alpha", 1.0);
    Ok(vec![if alpha == 1.0 { product } else { g.mul_scalar(product, alpha) }])
}

/// The last two axes exchanged; a vector stays as it is.
fn exchanged(g: &mut Graph, x: Wire) -> Result<Wire, String> {
    let rank = g.rank(x).ok_or("the rank of a factor is unknown")?;
    if rank < 2 {
        return Ok(x);
    }
    let mut order: Vec<i64> = (0..rank as i64).collect();
    order.swap(rank - 1, rank - 2);
    Ok(g.transpose(x, &order))
}

/// Input and skip, and the bias where there is one.
fn skip_sum(g: &mut Graph, node: &Node, bias: usize) -> Result<Wire, String> {
    let sum = g.add(input(node, 0)?, input(node, 1)?);
    Ok(optional(node, bias).map_or(sum, |bias| g.add(sum, bias)))
}

/// The epsilon of skip connections: 1e-12 unless stated.
fn skip_epsilon(node: &Node) -> (&'static str, Attribute) {
    ("epsilon", Attribute::Float(setting(node, "epsilon", 1e-12) as f32))
}

/// Layer normalization of `input + skip + bias`.
fn skip_layer_norm(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let sum = skip_sum(g, node, 4)?;
    // ONNX Runtime's own fusion crashes where a shift is left out by name instead of not being there.
    let inputs: Vec<Option<Wire>> =
        [Some(sum), Some(input(node, 2)?)].into_iter().chain(optional(node, 3).map(Some)).collect();
    let with_moments = wants(node, 1) || wants(node, 2);
    let n_outputs = if with_moments { SUM_OUTPUT } else { 1 };
    let mut outputs = g.node_optional("LayerNormalization", &inputs, &[skip_epsilon(node)], n_outputs);
    // What nobody reads only keeps the place before the sum.
    outputs.resize(SUM_OUTPUT, sum);
    outputs.push(sum);
    Ok(outputs)
}

/// RMS normalization of `input + skip + bias`.
fn skip_rms_norm(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let used = |i: usize| node.outputs.get(i).is_some_and(Option::is_some);
    if used(1) || used(2) {
        return Err("its outputs `mean` and `inv_std_var` are not supported".to_owned());
    }
    let sum = skip_sum(g, node, 3)?;
    let y = g.node("RMSNormalization", &[sum, input(node, 2)?], &[skip_epsilon(node)]);
    Ok(vec![y, sum, sum, sum])
}
