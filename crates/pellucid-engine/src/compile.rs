//! Model + method → ONNX file that returns prediction and attribution together.

use pellucid_core::{Target, Work};
use pellucid_explain::compile::{self, CompiledTarget};
use pellucid_graph::onnx;

use crate::aim::{by_index, compared};
use crate::error::Error;
use crate::method::Method;
use crate::model::LoadedModel;

/// The bytes of an ONNX file with the model's input, and the outputs `output` `[N, outputs]` and `attribution`
/// `[N, features…]`, which any ONNX runtime runs. The target is `top-1` (whatever is predicted), an index, a label, or a similarity.
///
/// # Errors
/// A method or target that is no single graph; whatever the method reports.
pub fn compile(model: &LoadedModel, method: &Method, target: &Target) -> Result<Vec<u8>, Error> {
    let compared = compared(model, target, &Work::default())?;
    let model = compared.as_ref().unwrap_or(model);
    if model.network().places().is_some() {
        let what = "a class over a mask depends on the row and cannot be compiled yet; explain it".to_owned();
        return Err(Error::Unsupported { what });
    }
    let target = match by_index(model, target)? {
        Target::Top(1) => CompiledTarget::Predicted,
        Target::Index(index) => CompiledTarget::Index(index),
        other => {
            let reason = format!("{other} cannot be compiled; compile top-1, an index or a label");
            return Err(Error::request("target", reason));
        }
    };
    let method = match method {
        Method::Saliency(options) => compile::Method::Saliency { absolute: options.absolute },
        Method::InputXGradient => compile::Method::InputXGradient,
        Method::IntegratedGradients(options, _) => compile::Method::IntegratedGradients(options.clone()),
        Method::DeepLift(options, _) => compile::Method::DeepLift(options.clone()),
        Method::Lrp(relevance) => compile::Method::Lrp(relevance.options.clone()),
        Method::Cam(options) => compile::Method::Cam(options.clone()),
        Method::Chefer(_) | Method::Attention(_) => {
            let what = format!("{} reads weights of many layers and cannot be compiled yet", method.name());
            return Err(Error::Unsupported { what });
        }
        Method::GuidedBackprop | Method::GuidedGradCam(_) => {
            let what = format!(
                "{} is not compiled: it hardly depends on what the model learned; compile saliency or a CAM method",
                method.name()
            );
            return Err(Error::Unsupported { what });
        }
        Method::DeepShap(..) | Method::GradientShap(..) | Method::Smoothed(..) => {
            let what = format!(
                "{} is no single run of the model and cannot be compiled; compile saliency, input_x_gradient, \
                 integrated_gradients, deep_lift, lrp or a CAM method",
                method.name()
            );
            return Err(Error::Unsupported { what });
        }
    };
    let graph = compile::compile(model.network(), &method, target)?;
    Ok(onnx::write_bytes(&graph)?)
}
