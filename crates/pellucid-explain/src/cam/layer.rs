//! Which layer a class activation map is taken at.

use pellucid_graph::recognize::attention_weights;
use pellucid_graph::{Graph, Wire, shape_text};

use crate::error::Error;
use crate::places::{FeatureMap, Roles, roles};

/// Ops that keep a feature map's places while changing its resolution or nothing at all: the map is taken before them.
const PASSED_OVER: &[&str] = &["MaxPool", "AveragePool", "Dropout", "Identity", "Pad", "Cast"];

/// The layer named, or the one found.
pub(crate) fn chosen(graph: &Graph, name: Option<&str>) -> Result<FeatureMap, Error> {
    let roles = roles(graph);
    let Some(name) = name else {
        return found(graph, &roles).ok_or_else(|| {
            Error::option(
                "layer",
                "none found: no wire behind a convolution is known to hold features of places in the image; name a wire",
            )
        });
    };
    let wire = graph.wire(name)?;
    FeatureMap::of(graph, &roles, wire).ok_or_else(|| {
        let shape = graph.shape(wire).map_or("unknown".to_owned(), shape_text);
        Error::option(
            "layer",
            format!(
                "`{name}` of shape {shape} is not known to hold features of places in the image: its axes do not come \
                 from a convolution as batch, channels, and a grid or list of places (`pellucid inspect` lists layers)"
            ),
        )
    })
}

/// The last feature map that all places of the image act through: the activation behind the last convolution, before
/// pooling; in a transformer whose prediction is read from a class token, what the last attention reads.
pub fn find_layer(graph: &Graph) -> Option<Wire> {
    found(graph, &roles(graph)).map(|map| map.wire)
}

/// The last feature map of each resolution, from the output back: what `inspect` suggests.
pub fn candidate_layers(graph: &Graph) -> Vec<Wire> {
    let roles = roles(graph);
    let mut candidates: Vec<FeatureMap> = found(graph, &roles).into_iter().collect();
    for map in feature_maps(graph, &roles).into_iter().rev() {
        if candidates.iter().all(|known| known.grid != map.grid) {
            candidates.push(map);
        }
    }
    candidates.into_iter().map(|map| map.wire).collect()
}

fn found(graph: &Graph, roles: &Roles) -> Option<FeatureMap> {
    let maps = feature_maps(graph, roles);
    let mut map = maps.last()?.clone();
    if let Some(read) = before_last_attention(graph, &maps) {
        return Some(read);
    }
    while let Some(node) = graph.producer(map.wire).filter(|node| PASSED_OVER.contains(&node.op.as_str())) {
        let before = node.inputs.first().copied().flatten()?;
        let Some(before) = FeatureMap::of(graph, roles, before) else { break };
        map = before;
    }
    Some(map)
}

/// Where the last places are tokens beside which others stand, or end inside the attention: what its queries, keys and
/// values are made of. Behind it a class token may be all that acts.
fn before_last_attention(graph: &Graph, maps: &[FeatureMap]) -> Option<FeatureMap> {
    let last = maps.last()?;
    let n_tokens = last.tokens.as_ref().map(|tokens| tokens.n_before + tokens.n_places() + tokens.n_after)?;
    let of_tokens =
        |wire: &Wire| graph.shape(*wire).and_then(|shape| shape.last()?.known()) == Some(n_tokens);
    let weights = attention_weights(graph, graph.outputs()[0]).into_iter().rev().find(of_tokens)?;
    let mixing =
        graph.nodes().iter().find(|node| node.op == "MatMul" && node.inputs.contains(&Some(weights)))?;
    let mixed = mixing.outputs.first().copied().flatten()?;
    let ends_before = !graph.descendants(&[mixed]).contains(&last.wire);
    if !ends_before && !last.tokens.as_ref().is_some_and(|tokens| tokens.has_extra()) {
        return None;
    }
    let operands: Vec<_> =
        mixing.inputs.iter().copied().flatten().map(|operand| graph.ancestors(&[operand])).collect();
    let is_read = |map: &&FeatureMap| operands.iter().all(|ancestors| ancestors.contains(&map.wire));
    // Queries, keys and values side by side are as many places, but wider than what they are made of.
    let width = maps.iter().find(|map| map.tokens.is_some()).map(|map| map.n_channels);
    maps.iter().rev().find(|map| is_read(map) && Some(map.n_channels) == width).cloned()
}

/// Feature maps on the way to the output, in running order.
fn feature_maps(graph: &Graph, roles: &Roles) -> Vec<FeatureMap> {
    let needed = graph.ancestors(graph.outputs());
    let outputs = graph.nodes().iter().filter_map(|node| node.outputs.first().copied().flatten());
    outputs
        .filter(|wire| needed.contains(wire))
        .filter_map(|wire| FeatureMap::of(graph, roles, wire))
        .collect()
}
