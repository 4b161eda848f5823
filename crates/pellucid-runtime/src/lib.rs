//! `Graph` → `Session` → tensors.
//!
//! Two runtimes behind one small trait, [`pellucid_graph::Runtime`]: **rten**, compiled in, which needs nothing
//! installed, and **ONNX Runtime**, a library loaded when it is found, 2 to 4 times faster on convolutional networks.
//! [`runtime`] chooses; [`doctor`] says what was found and why.

mod cache;
mod cpu;
mod doctor;
mod embedded;
mod exchange;
mod onnxruntime;
mod options;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use pellucid_graph::{Error, Runtime};

pub use cpu::cpu_features;
pub use doctor::{Doctor, doctor};
pub use onnxruntime::library::Place;
pub use options::{Options, RuntimeChoice};

use embedded::Embedded;
use onnxruntime::OnnxRuntime;

/// The runtime that `options` ask for. [`RuntimeChoice::Auto`] takes ONNX Runtime where a library is found and loads,
/// else rten.
///
/// ```
/// use pellucid_runtime::{Options, RuntimeChoice, runtime};
///
/// let rten = runtime(&Options { choice: RuntimeChoice::Rten, ..Options::default() })?;
/// assert!(rten.fingerprint().starts_with("rten 0."));
/// # Ok::<(), pellucid_graph::Error>(())
/// ```
///
/// # Errors
/// ONNX Runtime was asked for and no library is found or none loads; an execution provider that is unknown or not in
/// the library.
pub fn runtime(options: &Options) -> Result<Arc<dyn Runtime>, Error> {
    choose(options).map(|chosen| chosen.runtime)
}

/// A runtime and the reason for taking it.
struct Chosen {
    runtime: Arc<dyn Runtime>,
    why: String,
}

fn choose(options: &Options) -> Result<Chosen, Error> {
    options.check()?;
    match options.choice {
        RuntimeChoice::Rten => Ok(embedded(options, "asked for".to_owned())),
        RuntimeChoice::OnnxRuntime => Ok(onnxruntime(OnnxRuntime::open(options)?, "asked for")),
        // An execution provider asked for by name exists in ONNX Runtime only: falling back would drop the wish.
        RuntimeChoice::Auto if !options.execution_providers.is_empty() => {
            Ok(onnxruntime(OnnxRuntime::open(options)?, "execution providers were asked for"))
        }
        RuntimeChoice::Auto => Ok(match OnnxRuntime::open(options) {
            Ok(opened) => onnxruntime(opened, "found, and faster than rten"),
            Err(error) => embedded(options, error.to_string()),
        }),
    }
}

fn embedded(options: &Options, why: String) -> Chosen {
    Chosen { runtime: Arc::new(Embedded::new(options)), why }
}

fn onnxruntime(opened: OnnxRuntime, why: &str) -> Chosen {
    Chosen { runtime: Arc::new(opened), why: why.to_owned() }
}
