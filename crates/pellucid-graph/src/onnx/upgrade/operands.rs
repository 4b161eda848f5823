//! What older opsets state as attributes and newer ones take as inputs.

use super::{Outputs, Step};
use crate::graph::Attribute;
use crate::tensor::{ElementType, Tensor};

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
    if step.input(1).is_none() && step.node.int("num_outputs").is_none() {
        let n_outputs = Attribute::Int(step.names.len() as i64);
        step.node.attributes.insert("num_outputs".to_owned(), n_outputs);
    }
    step.keep()
}

/// `min` and `max` became inputs 1 and 2 in opset 11.
pub(super) fn clip(mut step: Step<'_>) -> Outputs {
    if step.version < 11 {
        step.move_float("min", 1)?;
        step.move_float("max", 2)?;
    }
    step.keep()
}

/// `pads` and `value` became inputs 1 and 2 in opset 11.
pub(super) fn pad(mut step: Step<'_>) -> Outputs {
    if step.version < 11 {
        step.move_ints("pads", 1);
        step.move_float("value", 2)?;
    }
    step.keep()
}

/// `starts`, `ends` and `axes` became inputs 1 to 3 in opset 10.
pub(super) fn slice(mut step: Step<'_>) -> Outputs {
    if step.version < 10 {
        step.move_ints("starts", 1);
        step.move_ints("ends", 2);
        step.move_ints("axes", 3);
    }
    step.keep()
}

/// `k` became input 1 in opset 10.
pub(super) fn top_k(mut step: Step<'_>) -> Outputs {
    if step.version < 10 {
        let k = step.node.int("k").ok_or_else(|| step.node.fault("attribute `k` is missing"))?;
        step.node.attributes.remove("k");
        step.set_constant(1, "k", Tensor::ints(&[k]));
    }
    step.keep()
}

/// `axis` became input 2 in opset 20, where its default changed from 1 to -2.
pub(super) fn dft(mut step: Step<'_>) -> Outputs {
    if step.version < 20 {
        let axis = step.node.int("axis").unwrap_or(1);
        step.node.attributes.remove("axis");
        step.set_constant(2, "axis", Tensor::i64(&[], vec![axis]));
    }
    step.keep()
}

impl Step<'_> {
    /// Makes a list of integers an input.
    fn move_ints(&mut self, attribute: &str, input: usize) {
        if let Some(Attribute::Ints(elements)) = self.node.attributes.remove(attribute) {
            self.set_constant(input, attribute, Tensor::ints(&elements));
        }
    }

    /// Makes a number an input of the element type of input 0.
    fn move_float(&mut self, attribute: &str, input: usize) -> Result<(), crate::error::Error> {
        if let Some(Attribute::Float(value)) = self.node.attributes.remove(attribute) {
            let element = self.graph.element(self.required(0)?);
            let element = if element.is_float() || element.is_integer() { element } else { ElementType::F32 };
            self.set_constant(input, attribute, Tensor::scalar(element, value.into()));
        }
        Ok(())
    }
}
