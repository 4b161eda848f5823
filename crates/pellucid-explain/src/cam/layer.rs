//! Which layer a class activation map is taken at.

use pellucid_graph::{Dim, Graph, Node, Wire};

use crate::error::Error;

/// Ops that keep a feature map's places while changing its resolution or nothing at all: the map is taken before them.
const PASSED_OVER: &[&str] = &["MaxPool", "AveragePool", "Dropout", "Identity", "Pad", "Cast"];

/// The layer named, or the one found.
pub(super) fn chosen(graph: &Graph, name: Option<&str>) -> Result<Wire, Error> {
    match name {
        Some(name) => Ok(graph.wire(name)?),
        None => find_layer(graph).ok_or_else(|| {
            Error::option("layer", "none found: the network has no convolutional feature map; name a wire")
        }),
    }
}

/// The last feature map with spatial axes on the way to the output: the activation behind the last convolution, before
/// pooling.
pub fn find_layer(graph: &Graph) -> Option<Wire> {
    let mut wire = spatial_wires(graph).pop()?;
    while let Some(node) = graph.producer(wire).filter(|node| PASSED_OVER.contains(&node.op.as_str())) {
        let before = node.inputs.first().copied().flatten()?;
        if !is_feature_map(graph, before) {
            break;
        }
        wire = before;
    }
    Some(wire)
}

/// The last feature map of each resolution, from the output back: what `inspect` suggests.
pub fn candidate_layers(graph: &Graph) -> Vec<Wire> {
    let mut found: Vec<Wire> = find_layer(graph).into_iter().collect();
    for wire in spatial_wires(graph).into_iter().rev() {
        let resolution = |wire: Wire| graph.shape(wire).map(|shape| shape[2..].to_vec());
        if found.iter().all(|known| resolution(*known) != resolution(wire)) {
            found.push(wire);
        }
    }
    found
}

/// Feature maps on the way from the input to the output and behind a convolution, in running order.
fn spatial_wires(graph: &Graph) -> Vec<Wire> {
    let needed = graph.ancestors(graph.outputs());
    let convolved: Vec<Wire> =
        graph.nodes().iter().filter(|node| is_convolution(node)).filter_map(first_output).collect();
    let behind = graph.descendants(&convolved);
    let outputs = graph.nodes().iter().filter_map(first_output);
    outputs
        .filter(|wire| needed.contains(wire) && behind.contains(wire) && is_feature_map(graph, *wire))
        .collect()
}

fn is_convolution(node: &Node) -> bool {
    matches!(node.op.as_str(), "Conv" | "ConvTranspose")
}

fn first_output(node: &Node) -> Option<Wire> {
    node.outputs.first().copied().flatten()
}

/// `[N, channels, spatial…]` with more than one place.
fn is_feature_map(graph: &Graph, wire: Wire) -> bool {
    let Some(shape) = graph.shape(wire).filter(|shape| (3..=5).contains(&shape.len())) else { return false };
    let places: Option<usize> = shape[2..].iter().map(Dim::known).try_fold(1, |n, d| Some(n * d?));
    graph.element(wire).is_float() && places.is_some_and(|n| n > 1)
}
