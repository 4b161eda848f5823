#![doc = include_str!("attention_x_gradient.md")]

use ndarray::ArrayD;
use pellucid_core::{Attribution, Target, Work};
use pellucid_graph::{Graph, Wire, gradient};

use crate::attention_maps::{HeadFusion, Layers, Look, attribution};
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
    let key = format!("attention x gradient, {}", options.start_layer);
    attribution(network, rows, target, options.look, work, &key, |graph, layers, seed| {
        map_wire(graph, layers, seed, options)
    })
}

/// Emits `R − I` after `R ← R + Ā R` from `R = I` through the layers (equation 6 of the paper), `[N, tokens, tokens]`:
/// what a token takes from itself without any attention is left out.
pub(crate) fn map_wire(
    graph: &mut Graph,
    layers: &Layers,
    seed: Wire,
    options: &Options,
) -> Result<Wire, Error> {
    let weights = layers.from(options.start_layer)?;
    let output = graph.outputs()[0];
    let slopes = gradient(graph, output, seed, weights)?;
    let mut gathered = None;
    for (weights, slope) in weights.iter().zip(slopes) {
        let product = graph.mul(*weights, slope);
        let positive = graph.relu(product);
        let map = layers.fused(graph, positive, HeadFusion::Mean);
        gathered = Some(match gathered {
            None => map,
            // (I + Ā) (I + G) − I for G = R − I.
            Some(below) => {
                let through = graph.matmul(map, below);
                let sum = graph.add(below, map);
                graph.add(sum, through)
            }
        });
    }
    gathered.ok_or_else(|| Error::network("no layer"))
}
