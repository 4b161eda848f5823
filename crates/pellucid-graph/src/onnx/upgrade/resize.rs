//! `Upsample` and the earlier meanings of `Resize`.

use super::{Outputs, Step};
use crate::graph::{Attribute, Node, Wire};
use crate::tensor::Tensor;

/// `Upsample` is `Resize` with asymmetric coordinates, rounded down. Scales are an attribute before opset 9.
pub(super) fn upsample(mut step: Step<'_>) -> Outputs {
    if let Some(Attribute::Floats(scales)) = step.node.attributes.remove("scales") {
        step.set_constant(1, "scales", Tensor::f32(&[scales.len()], scales.clone()));
    }
    let scales = step.required(1)?;
    step.set_asymmetric(scales, "floor");
    step.keep()
}

/// `Resize` 10 has asymmetric coordinates; 11 lets an empty input stand for one left out.
pub(super) fn resize(mut step: Step<'_>) -> Outputs {
    if step.version < 11 {
        return resize_10(step);
    }
    let mode = step.node.string("coordinate_transformation_mode").unwrap_or_default().to_owned();
    for index in 1..step.node.inputs.len() {
        let constant = step.input(index).and_then(|wire| step.graph.constant(wire));
        let unused = index == 1 && mode != "tf_crop_and_resize";
        if unused || constant.is_some_and(|tensor| tensor.is_empty()) {
            step.node.inputs[index] = None;
        }
    }
    if mode == "tf_half_pixel_for_nn" {
        return tf_half_pixel(step);
    }
    step.keep()
}

/// `floor((x + ½) / scale)`, which opset 11 alone has, is `(x + ½) / scale − ½` with halves rounded up.
fn tf_half_pixel(mut step: Step<'_>) -> Outputs {
    if step.node.string("nearest_mode") != Some("floor") {
        return Err(step.unsupported("tf_half_pixel_for_nn is supported with nearest_mode floor only"));
    }
    step.set_string("coordinate_transformation_mode", "half_pixel");
    step.set_string("nearest_mode", "round_prefer_ceil");
    step.keep()
}

/// Opset 10 leaves open how nearest rounds; ONNX Runtime rounds down where an axis is enlarged and up where it is
/// shrunk. Axes are independent of each other, so a mixture is two steps.
fn resize_10(mut step: Step<'_>) -> Outputs {
    let scales = step.required(1)?;
    if step.node.string("mode").is_some_and(|mode| mode != "nearest") {
        step.set_asymmetric(scales, "floor");
        return step.keep();
    }
    let known = step.graph.constant(scales).map(|tensor| tensor.to_f32s());
    let known = known.ok_or_else(|| step.unsupported("the scales are not constant; export with opset 11"))?;
    let shrinks = known.iter().any(|&scale| scale < 1.0);
    let enlarges = known.iter().any(|&scale| scale > 1.0);
    if !(shrinks && enlarges) {
        step.set_asymmetric(scales, if shrinks { "ceil" } else { "floor" });
        return step.keep();
    }
    let part =
        |keep: fn(f32) -> bool| known.iter().map(|&s| if keep(s) { s } else { 1.0 }).collect::<Vec<_>>();
    let (larger, smaller) = (part(|s| s > 1.0), part(|s| s < 1.0));
    let first = Node { name: format!("{}/enlarge", step.node.name), ..step.node.clone() };
    let mut before = Step { graph: &mut *step.graph, node: first, names: &[Some("")], version: step.version };
    before.set_constant(1, "scales", Tensor::f32(&[larger.len()], larger.clone()));
    let scales = before.required(1)?;
    before.set_asymmetric(scales, "floor");
    let enlarged = before.keep()?;
    step.node.inputs[0] = enlarged.first().copied().flatten();
    step.set_constant(1, "scales", Tensor::f32(&[smaller.len()], smaller.clone()));
    let scales = step.required(1)?;
    step.set_asymmetric(scales, "ceil");
    step.keep()
}

impl Step<'_> {
    fn set_string(&mut self, attribute: &str, value: &str) {
        self.node.attributes.insert(attribute.to_owned(), value.into());
    }

    fn set_asymmetric(&mut self, scales: Wire, nearest_mode: &str) {
        self.node.op = "Resize".to_owned();
        self.node.inputs.truncate(1);
        self.set_input(2, scales);
        // Opset 9 also calls linear bilinear.
        if self.node.string("mode") == Some("bilinear") {
            self.set_string("mode", "linear");
        }
        self.set_string("coordinate_transformation_mode", "asymmetric");
        self.set_string("nearest_mode", nearest_mode);
    }
}
