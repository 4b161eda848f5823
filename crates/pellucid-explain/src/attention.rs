#![doc = include_str!("attention.md")]

use ndarray::ArrayD;
use pellucid_core::{Attribution, Target, Work};
use pellucid_graph::{Graph, Wire};

use crate::attention_maps::{HeadFusion, Layers, Look, attribution, check};
use crate::error::Error;
use crate::network::Network;

/// Settings of [`attention()`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The layer, counted from 0; the last one otherwise.
    pub layer: Option<usize>,
    /// One head, counted from 0; all of them fused otherwise.
    pub head: Option<usize>,
    /// How heads are fused.
    pub fusion: HeadFusion,
    /// Whose row is read.
    pub look: Look,
}

/// How much the query token takes from each token in one layer: values `[rows, K, tokens]`, for images
/// `[rows, K, height, width]` with the grid of patches in `raw_map`. The same for every target.
///
/// # Errors
/// A network without attention; a layer, head or token that is not there; rows that do not fit; a canceled work.
pub fn attention(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    attribution(network, rows, target, options.look, work, &format!("{options:?}"), |graph, layers, _| {
        map_wire(graph, layers, options)
    })
}

/// Emits the weights of one layer, or one head of it, `[N, tokens, tokens]`.
pub(crate) fn map_wire(graph: &mut Graph, layers: &Layers, options: &Options) -> Result<Wire, Error> {
    let layer = layers.one(options.layer)?;
    let Some(head) = options.head else { return Ok(layers.fused(graph, layer, options.fusion)) };
    check("head", head, layers.n_heads())?;
    let heads = layers.by_head(graph, layer);
    let one = graph.slice(heads, 1, head as i64, head as i64 + 1);
    Ok(graph.squeeze(one, &[1]))
}

#[cfg(test)]
mod tests;
