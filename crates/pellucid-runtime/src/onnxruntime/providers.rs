//! Execution providers of ONNX Runtime, by name.

use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use pellucid_graph::Error;

use crate::options::runtime_error;

struct Provider {
    short: &'static str,
    full: &'static str,
    is_available: fn() -> ort::Result<bool>,
    make: fn() -> ExecutionProviderDispatch,
}

macro_rules! providers {
    ($($short:literal => $type:ident),* $(,)?) => {
        [$(Provider {
            short: $short,
            full: <ep::$type as ExecutionProvider>::NAME,
            is_available: <ep::$type as ExecutionProvider>::is_available,
            make: || ep::$type::default().build().error_on_failure(),
        }),*]
    };
}

static PROVIDERS: &[Provider] = &providers! {
    "cuda" => CUDA,
    "tensorrt" => TensorRT,
    "rocm" => ROCm,
    "migraphx" => MIGraphX,
    "openvino" => OpenVINO,
    "directml" => DirectML,
    "coreml" => CoreML,
    "xnnpack" => XNNPACK,
};

const CPU: [&str; 2] = ["cpu", "CPUExecutionProvider"];

/// The names of the providers that the loaded library was built with, the CPU last.
pub(super) fn available() -> Vec<String> {
    let built_in = PROVIDERS.iter().filter(|provider| (provider.is_available)().unwrap_or(false));
    built_in.map(|provider| provider.short.to_owned()).chain([CPU[0].to_owned()]).collect()
}

/// The providers of these names, in this order. The CPU is always there, and needs none.
pub(super) fn by_name(names: &[String]) -> Result<Vec<ExecutionProviderDispatch>, Error> {
    let wanted = names.iter().filter(|name| !CPU.contains(&name.as_str()));
    wanted.map(|name| provider(name).map(|provider| (provider.make)())).collect()
}

fn provider(name: &str) -> Result<&'static Provider, Error> {
    let known = PROVIDERS.iter().find(|provider| provider.short == name || provider.full == name);
    let problem = match known {
        None => "is not known",
        Some(provider) if (provider.is_available)().unwrap_or(false) => return Ok(provider),
        Some(_) => "is not part of this ONNX Runtime library",
    };
    Err(runtime_error(format!(
        "execution provider `{name}` {problem}; available: {}",
        available().join(", ")
    )))
}
