//! Attributes, defaults and names that changed while the computation stayed.

use super::{Outputs, Step};
use crate::graph::{Attribute, Wire};
use crate::types::Dim;

/// `saturate` (19) and `round_mode` (24) concern 8-bit floats, which are not supported.
pub(super) fn cast(mut step: Step<'_>) -> Outputs {
    step.node.attributes.remove("saturate");
    step.node.attributes.remove("round_mode");
    step.keep()
}

/// Before opset 16 regions were not shifted by half a pixel.
pub(super) fn roi_align(mut step: Step<'_>) -> Outputs {
    if step.version < 16 {
        step.node.attributes.insert("coordinate_transformation_mode".to_owned(), "output_half_pixel".into());
    }
    step.keep()
}

/// Opset 20 calls bilinear linear and bicubic cubic.
pub(super) fn grid_sample(mut step: Step<'_>) -> Outputs {
    let mode = match step.node.string("mode") {
        Some("bilinear") => "linear",
        Some("bicubic") => "cubic",
        _ => return step.keep(),
    };
    step.node.attributes.insert("mode".to_owned(), mode.into());
    step.keep()
}

/// Opset 11 calls it `ScatterElements`.
pub(super) fn scatter(mut step: Step<'_>) -> Outputs {
    step.node.op = "ScatterElements".to_owned();
    step.keep()
}

/// `Scan` 8 has a batch axis and lengths of sequences.
pub(super) fn scan(step: Step<'_>) -> Outputs {
    match step.version {
        ..9 => Err(step.unsupported("it is supported from opset 9 on")),
        _ => step.keep(),
    }
}

/// Opset 18 has a scale and a bias for each group, 21 for each channel.
pub(super) fn group_normalization(mut step: Step<'_>) -> Outputs {
    if step.version < 21 {
        for index in [1, 2] {
            let for_channels = for_each_channel(&mut step, index)?;
            step.set_input(index, for_channels);
        }
    }
    step.keep()
}

/// A vector of `[groups]` as one of `[channels]`, each element repeated for the channels of its group.
fn for_each_channel(step: &mut Step<'_>, index: usize) -> Result<Wire, crate::error::Error> {
    let (x, vector) = (step.required(0)?, step.required(index)?);
    let groups = step.node.int("num_groups").filter(|&n| n > 0);
    let groups = groups.ok_or_else(|| step.node.fault("num_groups is missing or not positive"))?;
    let channels = step.graph.shape(x).and_then(|shape| shape.get(1)).and_then(Dim::known);
    let channels =
        channels.ok_or_else(|| step.unsupported("its number of channels is not known; use opset 21"))?;
    if channels % groups as usize != 0 {
        return Err(step.node.fault(format!("{channels} channels do not make {groups} groups")));
    }
    let graph = &mut *step.graph;
    let columns = graph.unsqueeze(vector, &[1]);
    let shape = graph.ints(&[groups, channels as i64 / groups]);
    let repeated = graph.node("Expand", &[columns, shape], &[]);
    Ok(graph.reshape(repeated, &[channels as i64]))
}

/// `LabelEncoder` 1 of `ai.onnx.ml` maps the strings of one list to their places, or back.
pub(super) fn label_encoder(mut step: Step<'_>) -> Outputs {
    let Some(Attribute::Strings(classes)) = step.node.attributes.remove("classes_strings") else {
        return step.keep();
    };
    let places = Attribute::Ints((0..classes.len() as i64).collect());
    let from_strings = step.graph.element(step.required(0)?) == crate::tensor::ElementType::String;
    let (keys, values) = match from_strings {
        true => (("keys_strings", Attribute::Strings(classes)), ("values_int64s", places)),
        false => (("keys_int64s", places), ("values_strings", Attribute::Strings(classes))),
    };
    step.node.attributes.extend([keys, values].map(|(name, value)| (name.to_owned(), value)));
    step.keep()
}
