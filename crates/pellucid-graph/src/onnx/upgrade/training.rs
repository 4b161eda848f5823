//! Ops that do something else in training, which a model that is explained has behind it.

use super::{Outputs, Step};
use crate::graph::{Attribute, Node, Wire};
use crate::tensor::{Data, Tensor};

/// `Dropout` lets its input through; its mask is all true.
pub(super) fn dropout(step: Step<'_>) -> Outputs {
    if let Some(flag) = step.input(2) {
        let trains = step
            .graph
            .constant(flag)
            .map(|tensor| matches!(tensor.data(), Data::Bool(v) if v.contains(&true)));
        if trains != Some(false) {
            return Err(step.unsupported("it drops at random, as in training; export the model in eval mode"));
        }
    }
    let x = step.required(0)?;
    let identity = Node {
        op: "Identity".to_owned(),
        inputs: vec![Some(x)],
        attributes: Default::default(),
        ..step.node.clone()
    };
    let mut outputs = step.graph.add_node(identity, &step.names[..step.names.len().min(1)]);
    if let Some(&Some(name)) = step.names.get(1) {
        outputs.push(mask(step, x, name));
    }
    Ok(outputs)
}

/// All true in the shape of `x`; before opset 10 all 1 in its element type.
fn mask(step: Step<'_>, x: Wire, name: &str) -> Option<Wire> {
    let graph = step.graph;
    let one = match graph.element(x) {
        element if step.version < 10 && element.is_float() => Tensor::scalar(element, 1.0),
        _ => Tensor::bool(&[], vec![true]),
    };
    let shape = graph.shape_of(x);
    let one = graph.add_constant(&format!("{}/kept", step.node.name), one);
    let expand = Node {
        name: format!("{}/mask", step.node.name),
        op: "Expand".to_owned(),
        inputs: vec![Some(one), Some(shape)],
        attributes: Default::default(),
        ..step.node
    };
    graph.add_node(expand, &[Some(name)]).first().copied().flatten()
}

/// `BatchNormalization` by the mean and variance that it is given. `spatial = 0`, gone since opset 9, has them for each
/// place rather than each channel.
pub(super) fn batch_normalization(mut step: Step<'_>) -> Outputs {
    let trains =
        if step.version < 14 { step.has_output(1) } else { step.node.int("training_mode") == Some(1) };
    if trains {
        return Err(
            step.unsupported("it normalizes by the batch, as in training; export the model in eval mode")
        );
    }
    if step.node.attributes.remove("spatial") == Some(Attribute::Int(0)) && step.version < 9 {
        return Err(step.unsupported("spatial = 0 is not supported; export with opset 9"));
    }
    // They matter in training only.
    step.node.attributes.remove("momentum");
    step.node.attributes.remove("training_mode");
    step.keep()
}
