//! What older opsets state as attributes and newer ones take as inputs.

use super::{Outputs, Step};
use crate::graph::Attribute;
use crate::tensor::Tensor;

/// `axes` became input 1 in opset `since`.
pub(super) fn axes_since(mut step: Step<'_>, since: i64) -> Outputs {
    if step.version < since {
        step.move_ints("axes", 1);
    }
    step.keep()
}

/// `split` became input 1 in opset 13; since 18, equal parts need `num_outputs`.
pub(super) fn split(mut step: Step<'_>) -> Outputs {
    if step.version < 13 {
        step.move_ints("split", 1);
    }
    let has_lengths = step.node.inputs.get(1).is_some_and(Option::is_some);
    if !has_lengths && !step.node.attributes.contains_key("num_outputs") {
        let n_outputs = Attribute::Int(step.names.len() as i64);
        step.node.attributes.insert("num_outputs".to_owned(), n_outputs);
    }
    step.keep()
}

impl Step<'_> {
    /// Makes a list of integers an input.
    pub(super) fn move_ints(&mut self, attribute: &str, input: usize) {
        if let Some(Attribute::Ints(elements)) = self.node.attributes.remove(attribute) {
            self.set_input(input, &format!("{}/{attribute}", self.node.name), Tensor::ints(&elements));
        }
    }

    /// Makes a constant an input.
    pub(super) fn set_input(&mut self, index: usize, name: &str, tensor: Tensor) {
        let wire = self.graph.add_constant(name, tensor);
        if self.node.inputs.len() <= index {
            self.node.inputs.resize(index + 1, None);
        }
        self.node.inputs[index] = Some(wire);
    }
}
