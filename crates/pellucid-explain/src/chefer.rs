#![doc = include_str!("chefer.md")]

use ndarray::{ArrayD, Axis};
use pellucid_core::{Attribution, Model, Target, Work};
use pellucid_graph::recognize::{Pattern, Recognized, recognize};
use pellucid_graph::{Dim, Graph, Wire, gradient};

use crate::cam::{enlarged, image_shape};
use crate::error::Error;
use crate::gradients::run_targets;
use crate::network::Network;

/// Settings of [`chefer`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The first attention that counts, 0 the one nearest to the input.
    pub start_layer: usize,
    /// The axis of the input row that holds channels: 0 for NCHW, the last for NHWC.
    pub channel_axis: usize,
}

/// Chefer relevance (Chefer et al. 2021) of the patches of a vision transformer, for each row of `rows` `[rows, channels,
/// height, width]`: values `[rows, K, height, width]`, not negative; one number a patch in `raw_map`.
///
/// # Errors
/// A network without self-attention over a grid of patches, rows that do not fit, a target that is not there, an op
/// without a gradient rule, a canceled work.
pub fn chefer(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &Options,
    work: &Work,
) -> Result<Attribution, Error> {
    let tokens = Tokens::of(network.graph(), options.start_layer)?;
    let image_shape = image_shape(network.input_shape(), options.channel_axis, 2)?;
    let key = format!("chefer from {}", options.start_layer);
    let results = run_targets(network, rows, target, work, &key, |graph, seeds| {
        seeds.iter().map(|seed| tokens.map(graph, *seed)).collect()
    })?;
    let shape = [rows.len_of(Axis(0)), target.n_targets(), tokens.grid[0], tokens.grid[1]];
    let [raw] = results.per_target(&shape)?;
    let mut attribution = Attribution::new(enlarged(&raw, &image_shape), results.outputs);
    attribution.raw_map = Some(raw);
    Ok(attribution)
}

/// The attention of a vision transformer: maps over its tokens, and where the tokens lie in the image.
struct Tokens {
    /// What each softmax gives, `[N, heads, tokens, tokens]` or with the heads in the batch, from the input on.
    maps: Vec<Wire>,
    n_tokens: usize,
    grid: [usize; 2],
    /// Whether a class token stands before the patches, from which the prediction is read.
    has_class_token: bool,
}

impl Tokens {
    fn of(graph: &Graph, start_layer: usize) -> Result<Self, Error> {
        let attentions = recognize(graph).into_iter().filter(|found| found.pattern == Pattern::Attention);
        let maps: Vec<Wire> = attentions.filter_map(|found| weights_of(graph, &found)).collect();
        let lengths: Option<Vec<usize>> = maps.iter().map(|map| side(graph, *map)).collect();
        let lengths = lengths.filter(|lengths| !lengths.is_empty()).ok_or_else(no_tokens)?;
        let n_tokens = lengths[0];
        if lengths.iter().any(|length| *length != n_tokens) {
            return Err(Error::network(
                "its attentions look at different numbers of tokens; this method needs the same ones throughout",
            ));
        }
        if start_layer >= maps.len() {
            let there = format!("there are {} attentions, 0 to {}", maps.len(), maps.len() - 1);
            return Err(Error::option("start_layer", there));
        }
        let (grid, has_class_token) = grid(graph, n_tokens).ok_or_else(no_tokens)?;
        Ok(Self { maps: maps[start_layer..].to_vec(), n_tokens, grid, has_class_token })
    }

    /// Emits the map `[N, height, width]` for one target: `R ← R + Ā R` from `R = 1`, then what the class token (or, without
    /// one, the mean token) has of the patches.
    fn map(&self, graph: &mut Graph, seed: Wire) -> Result<Wire, Error> {
        let slopes = gradient(graph, graph.outputs()[0], seed, &self.maps)?;
        let n = self.n_tokens as i64;
        let mut relevance = None;
        for (map, slope) in self.maps.iter().zip(slopes) {
            let product = graph.mul(*map, slope);
            let positive = graph.relu(product);
            let by_head = match graph.rank(*map) {
                Some(4) => positive,
                _ => graph.reshape(positive, &[-1, heads_in_batch(graph, *map), n, n]),
            };
            let attention = graph.reduce_mean(by_head, &[1], false);
            relevance = Some(match relevance {
                None => attention,
                // (1 + Ā) (1 + R) − 1, the identity kept apart: it says nothing of the patches.
                Some(relevance) => {
                    let through = graph.matmul(attention, relevance);
                    let sum = graph.add(relevance, attention);
                    graph.add(sum, through)
                }
            });
        }
        let relevance = relevance.ok_or_else(no_tokens)?;
        let of_patches = if self.has_class_token {
            let row = graph.slice(relevance, 1, 0, 1);
            graph.slice(row, 2, 1, n)
        } else {
            graph.reduce_mean(relevance, &[1], true)
        };
        let [height, width] = self.grid.map(|n| n as i64);
        let map = graph.reshape(of_patches, &[-1, height, width]);
        graph.check_fault()?;
        Ok(map)
    }
}

fn no_tokens() -> Error {
    Error::network(
        "no self-attention over all patches of an image was found in it; this method is for vision transformers",
    )
}

/// What the softmax of an attention gives, where queries and keys are the same tokens.
fn weights_of(graph: &Graph, attention: &Recognized) -> Option<Wire> {
    let softmax = attention.nodes.iter().find(|index| graph.nodes()[**index].op == "Softmax")?;
    graph.nodes()[*softmax].outputs.first().copied().flatten()
}

/// The number of tokens of a map `[…, tokens, tokens]`.
fn side(graph: &Graph, map: Wire) -> Option<usize> {
    let shape = graph.shape(map)?;
    let [queries, keys] = [shape.len().checked_sub(2)?, shape.len() - 1].map(|axis| shape[axis].known());
    queries.filter(|n| keys == Some(*n) && (shape.len() == 3 || shape.len() == 4))
}

/// How many heads are folded into the batch of a map `[heads · N, tokens, tokens]`.
fn heads_in_batch(graph: &Graph, map: Wire) -> i64 {
    match graph.shape(map).and_then(|shape| shape.first()) {
        Some(Dim::Symbol { times, .. } | Dim::Known(times)) => *times as i64,
        _ => 1,
    }
}

/// The grid of the patches, by the convolution that makes them, and whether there is one token more than patches.
fn grid(graph: &Graph, n_tokens: usize) -> Option<([usize; 2], bool)> {
    graph.nodes().iter().filter(|node| node.op == "Conv").find_map(|node| {
        let shape = graph.shape(node.outputs.first().copied().flatten()?)?;
        let [_, _, height, width] = shape else { return None };
        let grid = [height.known()?, width.known()?];
        let n_patches = grid[0] * grid[1];
        (n_patches == n_tokens || n_patches + 1 == n_tokens).then_some((grid, n_patches != n_tokens))
    })
}
