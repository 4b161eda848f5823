//! Normalizations: each group of elements to mean 0 and variance 1, then scaled and shifted.

use super::elementwise::same;
use super::{Call, Op, Site, resolve_axis};
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

pub(super) const OPS: &[Op] = &[
    Op { name: "BatchNormalization", infer: same, evaluate: batch_norm },
    Op { name: "InstanceNormalization", infer: same, evaluate: instance_norm },
    Op { name: "GroupNormalization", infer: infer_group_norm, evaluate: evaluate_group_norm },
    Op { name: "LayerNormalization", infer: infer_layer_norm, evaluate: layer_norm },
    Op { name: "RMSNormalization", infer: same, evaluate: rms_norm },
    Op { name: "LRN", infer: same, evaluate: lrn },
];

/// What the ops share: 1e-5 in f32.
pub(crate) fn epsilon(node: &crate::graph::Node) -> f64 {
    super::activation::setting(node, "epsilon", 1e-5)
}

/// The lengths of the batch, of the channels and of all behind them.
fn batch_channels_rest(shape: &[usize]) -> Result<[usize; 3], String> {
    match shape {
        [n, c, rest @ ..] => Ok([*n, *c, rest.iter().product()]),
        _ => Err(format!("expected [batch, channels, …], got shape {shape:?}")),
    }
}

/// The floats of a parameter with one number a channel.
fn per_channel<'a>(call: &Call<'a>, i: usize, n_channels: usize) -> Result<&'a [f64], String> {
    let values = call.floats(i)?;
    match values.len() == n_channels {
        true => Ok(values),
        false => Err(format!("input {i} has {} numbers for {n_channels} channels", values.len())),
    }
}

/// With the running mean and variance of training: `γ (x − μ) / √(σ² + ε) + β`.
fn batch_norm(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    if call.node.int("training_mode").unwrap_or(0) != 0 {
        return Err("training mode is not supported; export the model for inference".to_owned());
    }
    let shape = call.shape(0)?;
    let [_, n_channels, rest] = batch_channels_rest(shape)?;
    let parameter = |i| per_channel(call, i, n_channels);
    let (scale, shift, mean, variance) = (parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?);
    let epsilon = epsilon(call.node);
    let value = |(i, x): (usize, &f64)| {
        let c = i / rest.max(1) % n_channels;
        scale[c] * (x - mean[c]) / (variance[c] + epsilon).sqrt() + shift[c]
    };
    Ok(vec![Tensor::f64(shape, call.floats(0)?.iter().enumerate().map(value).collect())])
}

/// Mean and `1 / √(σ² + ε)` of a group.
fn moments(group: &[f64], epsilon: f64) -> (f64, f64) {
    let n = group.len() as f64;
    let mean = group.iter().sum::<f64>() / n;
    let variance = group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance + epsilon).sqrt().recip())
}

fn infer_group_norm(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let groups = n_groups(site.node)?;
    match site.shape(0)?.and_then(|own| own.get(1)).and_then(Dim::known) {
        Some(n_channels) if n_channels % groups != 0 => {
            Err(format!("{n_channels} channels do not divide into {groups} groups"))
        }
        _ => same(site),
    }
}

fn n_groups(node: &crate::graph::Node) -> Result<usize, String> {
    let groups = node.int("num_groups").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    groups.ok_or_else(|| "attribute `num_groups` is no positive number".to_owned())
}

fn evaluate_group_norm(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    group_norm(call, n_groups(call.node)?)
}

fn instance_norm(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let [_, n_channels, _] = batch_channels_rest(call.shape(0)?)?;
    group_norm(call, n_channels)
}

/// Normalizes each of `n_groups` equal runs of channels of each batch element; scale and shift by channel.
fn group_norm(call: &Call<'_>, n_groups: usize) -> Result<Vec<Tensor>, String> {
    let shape = call.shape(0)?;
    let [_, n_channels, rest] = batch_channels_rest(shape)?;
    if n_groups == 0 || n_channels % n_groups != 0 {
        return Err(format!("{n_channels} channels do not divide into {n_groups} groups"));
    }
    let (scale, shift) = (per_channel(call, 1, n_channels)?, per_channel(call, 2, n_channels)?);
    let group_channels = n_channels / n_groups;
    let epsilon = epsilon(call.node);
    let mut values = call.floats(0)?.to_vec();
    for (g, group) in values.chunks_exact_mut((group_channels * rest).max(1)).enumerate() {
        let (mean, inverse) = moments(group, epsilon);
        for (i, x) in group.iter_mut().enumerate() {
            let c = g % n_groups * group_channels + i / rest;
            *x = scale[c] * (*x - mean) * inverse + shift[c];
        }
    }
    Ok(vec![Tensor::f64(shape, values)])
}

/// The input's type, and those of mean and inverse deviation, which keep the normalized axes as 1.
fn infer_layer_norm(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let element = match site.node.int("stash_type").unwrap_or(1) {
        1 => ElementType::F32,
        _ => site.element(0)?,
    };
    let shape = match site.shape(0)? {
        Some(own) => {
            let axis = resolve_axis(site.node.int("axis").unwrap_or(-1), own.len())?;
            let ones = own[axis..].iter().map(|_| Dim::Known(1));
            Some(own[..axis].iter().cloned().chain(ones).collect())
        }
        None => None,
    };
    let moment = Type { element, shape };
    Ok([same(site)?, vec![moment.clone(), moment]].concat())
}

/// A parameter of one number a normalized element, or one for all.
fn per_element<'a>(call: &Call<'a>, i: usize, n: usize) -> Result<Vec<f64>, String> {
    let values: &'a [f64] = call.floats(i)?;
    match values.len() {
        1 => Ok(vec![values[0]; n]),
        len if len == n => Ok(values.to_vec()),
        len => Err(format!("input {i} has {len} numbers for {n} normalized elements")),
    }
}

fn layer_norm(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let shape = call.shape(0)?;
    let axis = resolve_axis(call.node.int("axis").unwrap_or(-1), shape.len())?;
    let n: usize = shape[axis..].iter().product();
    let scale = per_element(call, 1, n)?;
    let shift = if call.optional(2).is_some() { per_element(call, 2, n)? } else { vec![0.0; n] };
    let epsilon = epsilon(call.node);
    let mut values = call.floats(0)?.to_vec();
    let (mut means, mut inverses) = (Vec::new(), Vec::new());
    for group in values.chunks_exact_mut(n.max(1)) {
        let (mean, inverse) = moments(group, epsilon);
        for (i, x) in group.iter_mut().enumerate() {
            *x = scale[i] * (*x - mean) * inverse + shift[i];
        }
        means.push(mean);
        inverses.push(inverse);
    }
    let kept: Vec<usize> = (0..shape.len()).map(|i| if i < axis { shape[i] } else { 1 }).collect();
    Ok(vec![Tensor::f64(shape, values), Tensor::f64(&kept, means), Tensor::f64(&kept, inverses)])
}

/// `γ x / √(mean(x²) + ε)`
fn rms_norm(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let shape = call.shape(0)?;
    let axis = resolve_axis(call.node.int("axis").unwrap_or(-1), shape.len())?;
    let n: usize = shape[axis..].iter().product();
    let scale = per_element(call, 1, n)?;
    let epsilon = epsilon(call.node);
    let mut values = call.floats(0)?.to_vec();
    for group in values.chunks_exact_mut(n.max(1)) {
        let square = group.iter().map(|x| x * x).sum::<f64>() / n as f64;
        let inverse = (square + epsilon).sqrt().recip();
        group.iter_mut().zip(&scale).for_each(|(x, scale)| *x *= scale * inverse);
    }
    Ok(vec![Tensor::f64(shape, values)])
}

/// Local response normalization: `x / (k + α/size Σ x²)^β`, the sum over `size` neighboring channels.
fn lrn(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let setting = |name, default| super::activation::setting(call.node, name, default);
    let (alpha, beta, bias) = (setting("alpha", 1e-4), setting("beta", 0.75), setting("bias", 1.0));
    let size = call.node.int("size").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let size = size.ok_or("attribute `size` is no positive number")?;
    let shape = call.shape(0)?;
    let [_, n_channels, rest] = batch_channels_rest(shape)?;
    let x = call.floats(0)?;
    let value = |i: usize| {
        let c = i / rest % n_channels;
        let first = c.saturating_sub((size - 1) / 2);
        let last = (c + size / 2).min(n_channels - 1);
        let square: f64 = (first..=last).map(|other| x[i + other * rest - c * rest].powi(2)).sum();
        x[i] / (bias + alpha / size as f64 * square).powf(beta)
    };
    Ok(vec![Tensor::f64(shape, (0..x.len()).map(value).collect())])
}
