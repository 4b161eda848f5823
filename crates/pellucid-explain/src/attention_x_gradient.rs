#![doc = include_str!("attention_x_gradient.md")]

use ndarray::{Array2, ArrayD, Axis};
use pellucid_core::{Attribution, Target, Work};
use pellucid_graph::gradient;

use crate::attention::check;
use crate::attention_maps::{HeadFusion, Look, attribution, fused, layers, run_maps};
use crate::error::Error;
use crate::network::Network;

/// Settings of [`attention_x_gradient`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The first layer that counts, counted from 0.
    pub start_layer: usize,
    /// Whose row is read.
    pub look: Look,
}

/// Attention weighted by its gradient and followed through the layers: values `[rows, K, tokens]`, for images
/// `[rows, K, height, width]` with the grid of patches in `raw_map`.
///
/// # Errors
/// A network without attention; a layer or token that is not there; an op without a gradient rule behind an attention;
/// rows that do not fit; a canceled work.
pub fn attention_x_gradient(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    let results = run_maps(network, rows, target, work, "attention x gradient", |graph, seed, weights| {
        let output = graph.outputs()[0];
        let gradients = gradient(graph, output, seed, weights)?;
        let positive = |(weights, gradient): (&_, _)| {
            let product = graph.mul(*weights, gradient);
            graph.relu(product)
        };
        Ok(weights.iter().zip(gradients).map(positive).collect())
    })?;
    check("start_layer", options.start_layer, results.0.len_of(Axis(2)))?;
    attribution(network, results, options.look, |maps| {
        let fused =
            layers(maps).into_iter().skip(options.start_layer).map(|heads| fused(heads, HeadFusion::Mean));
        gathered(fused)
    })
}

/// `R − I` after `R ← R + Ā R` from `R = I` through the layers (equation 6 of the paper): what a token takes from itself
/// without any attention is left out.
fn gathered(mut layers: impl Iterator<Item = Array2<f64>>) -> Array2<f64> {
    let Some(first) = layers.next() else { return Array2::zeros((0, 0)) };
    let identity = Array2::<f64>::eye(first.nrows());
    let relevance = layers.fold(&identity + &first, |relevance, map| &relevance + &map.dot(&relevance));
    relevance - identity
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn layers_add_what_they_take_from_those_before() {
        let (a, b) = (array![[0.0, 2.0], [0.0, 0.0]], array![[0.0, 0.0], [3.0, 0.0]]);
        // I + A + B (I + A) less I: token 1 takes 3 from token 0, and over it 6 from itself.
        assert_eq!(gathered([a, b].into_iter()), array![[0.0, 2.0], [3.0, 6.0]]);
    }
}
