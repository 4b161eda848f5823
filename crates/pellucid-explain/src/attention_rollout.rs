#![doc = include_str!("attention_rollout.md")]

use ndarray::{Array2, ArrayD};
use pellucid_core::{Attribution, Target, Work};
use pellucid_graph::{Attribute, Graph, Tensor, Wire};

use crate::attention_maps::{HeadFusion, Layers, Look, attribution};
use crate::error::Error;
use crate::network::Network;

/// Settings of [`attention_rollout`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// How heads are fused.
    pub fusion: HeadFusion,
    /// The share of each layer's fused weights, the smallest, that is set to 0 before.
    pub discard_ratio: f64,
    /// The first layer that is rolled out, counted from 0.
    pub start_layer: usize,
    /// Whose row is read.
    pub look: Look,
}

/// Attention followed through the layers: values `[rows, K, tokens]`, for images `[rows, K, height, width]` with the grid
/// of patches in `raw_map`. The same for every target.
///
/// # Errors
/// A network without attention; a share outside `[0, 1)`; a layer or token that is not there; rows that do not fit; a
/// canceled work.
pub fn attention_rollout(
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

/// Emits `Ã_L … Ã_s`, `Ã = (A + I)` with its rows divided by their sums, `[N, tokens, tokens]`.
pub(crate) fn map_wire(graph: &mut Graph, layers: &Layers, options: &Options) -> Result<Wire, Error> {
    if !(0.0..1.0).contains(&options.discard_ratio) {
        return Err(Error::option("discard_ratio", format!("{} is no share below 1", options.discard_ratio)));
    }
    let n = layers.n_tokens();
    let [first, others @ ..] = layers.from(options.start_layer)? else {
        return Err(Error::network("no layer"));
    };
    let identity = Tensor::f64(&[1, n, n], Array2::<f64>::eye(n).into_iter().collect());
    let identity = graph.add_constant("identity", identity.cast(graph.element(*first)));
    let mixed = |graph: &mut Graph, layer: Wire| {
        let map = layers.fused(graph, layer, options.fusion);
        let map = without_smallest(graph, map, n, options.discard_ratio);
        let sum = graph.add(map, identity);
        // At least the identity's 1.
        let sums = graph.reduce_sum(sum, &[2], true);
        graph.div(sum, sums)
    };
    let first = mixed(graph, *first);
    Ok(others.iter().fold(first, |below, layer| {
        let mixed = mixed(graph, *layer);
        graph.matmul(mixed, below)
    }))
}

/// A map `[N, n, n]` with the smallest share of its elements set to 0; of equal ones the first.
fn without_smallest(graph: &mut Graph, map: Wire, n: usize, share: f64) -> Wire {
    let n_smallest = (share * (n * n) as f64) as i64;
    if n_smallest == 0 {
        return map;
    }
    let flat = graph.reshape(map, &[-1, (n * n) as i64]);
    let count = graph.ints(&[n_smallest]);
    let attributes = [("axis", Attribute::Int(1)), ("largest", Attribute::Int(0))];
    let smallest = graph.node_outputs("TopK", &[flat, count], &attributes, 2);
    let zeros = graph.zeros_like(smallest[0]);
    let kept = graph.node("ScatterElements", &[flat, smallest[1], zeros], &[("axis", Attribute::Int(1))]);
    graph.reshape(kept, &[-1, n as i64, n as i64])
}

#[cfg(test)]
mod tests {
    use super::*;
    use pellucid_graph::{evaluate, text::parse};

    #[test]
    fn the_smallest_share_is_set_to_nothing() {
        for (share, expected) in
            [(0.5, [0.0, 0.4, 0.0, 0.3]), (0.2, [0.1, 0.4, 0.1, 0.3]), (0.25, [0.0, 0.4, 0.1, 0.3])]
        {
            let mut graph =
                parse("g (float[N,2,2] map) => (float[N,2,2] same) { same = Identity(map) }").unwrap();
            let input = graph.inputs()[0];
            let kept = without_smallest(&mut graph, input, 2, share);
            graph.set_outputs(&[kept]);
            let map = Tensor::f32(&[1, 2, 2], vec![0.1, 0.4, 0.1, 0.3]);
            let found = evaluate(&graph, &[map]).unwrap()[0].to_f64s();
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{share}: {found:?}");
        }
    }
}
