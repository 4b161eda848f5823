//! Model + method → ONNX file that returns prediction and attribution together.

use pellucid_core::{Target, Work};
use pellucid_explain::cam::Variant;
use pellucid_explain::compile::{self, CompiledTarget};
use pellucid_explain::guided;
use pellucid_graph::onnx;

use crate::aim::{by_index, compared};
use crate::error::Error;
use crate::method::Method;
use crate::model::LoadedModel;
use crate::text::{TextCompilation, TextModel};

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
    let target = compiled_target(model, target)?;
    let graph = compile::compile(model.network(), &compiled_method(method)?, target)?;
    Ok(onnx::write_bytes(&graph)?)
}

/// The bytes of an ONNX file that takes the ids of texts of `n_tokens` tokens, `[N, tokens]`, and returns `output`
/// `[N, outputs]` and `attribution` `[N, tokens]`. There is no padding: all tokens count.
///
/// # Errors
/// A text model that takes another number of tokens; as [`compile()`].
pub fn compile_text(model: &TextModel, request: &TextCompilation) -> Result<Vec<u8>, Error> {
    let ready = model.ready(request)?;
    let target = compiled_target(&ready.part, &model.target(&request.target))?;
    let method = compiled_method(&ready.method)?;
    let mut graph = model.tokens().compiled(ready.part.network(), &method, target)?;
    let output = graph.outputs()[0];
    if let Some(other) = graph.wire(model.output_name()).ok().filter(|wire| *wire != output) {
        graph.rename(other, "of_all_tokens");
    }
    graph.rename(output, model.output_name());
    Ok(onnx::write_bytes(&graph)?)
}

/// What the user of a file compiled by a method must know, which the file itself cannot say.
pub fn compiled_warning(method: &Method) -> Option<&'static str> {
    match method {
        Method::GuidedBackprop | Method::GuidedGradCam(_) => Some(guided::WARNING),
        Method::Attention(_) => Some(
            "attention is where the model looked, not what made it decide; `evaluate` checks it by deletion",
        ),
        _ => None,
    }
}

fn compiled_target(model: &LoadedModel, target: &Target) -> Result<CompiledTarget, Error> {
    match by_index(model, target)? {
        Target::Top(1) => Ok(CompiledTarget::Predicted),
        Target::Index(index) => Ok(CompiledTarget::Index(index)),
        other => {
            let reason = format!("{other} cannot be compiled; compile top-1, an index or a label");
            Err(Error::request("target", reason))
        }
    }
}

fn compiled_method(method: &Method) -> Result<compile::Method, Error> {
    let refused = |reason: &str| {
        let what = format!("{} cannot be compiled: {reason}", method.name());
        Err(Error::Unsupported { what })
    };
    Ok(match method {
        Method::Saliency(options) => compile::Method::Saliency { absolute: options.absolute },
        Method::InputXGradient => compile::Method::InputXGradient,
        Method::IntegratedGradients(options, _) => compile::Method::IntegratedGradients(options.clone()),
        Method::DeepLift(options, _) => compile::Method::DeepLift(options.clone()),
        Method::DeepShap(options, _) => compile::Method::DeepShap(options.clone()),
        Method::Lrp(relevance) => compile::Method::Lrp(relevance.options.clone()),
        Method::GuidedBackprop => compile::Method::GuidedBackprop,
        Method::GuidedGradCam(options) => compile::Method::GuidedGradCam(options.clone()),
        Method::Attention(attention) => attention.compiled(),
        Method::Cam(options) if options.variant.is_one_graph() => compile::Method::Cam(options.clone()),
        Method::Cam(options) if options.variant == Variant::EigenCam => {
            return refused("its principal component comes from a decomposition that no ONNX operator does");
        }
        Method::Cam(_) => {
            return refused(
                "it runs the model once for each channel; compile grad_cam or another CAM of one gradient",
            );
        }
        Method::GradientShap(..) => {
            return refused("its draws depend on each row; compile deep_shap or integrated_gradients");
        }
        Method::Smoothed(..) => {
            return refused("its noise is drawn anew for each row; compile what it smooths");
        }
    })
}
