//! ONNX Runtime, a library that is loaded when it is found.

pub(crate) mod library;
mod loaded;
mod providers;
mod session;

use std::path::Path;
use std::sync::Arc;

use pellucid_graph::{Error, Graph, Runtime, Session};

use crate::cache::Cache;
use crate::cpu::fingerprint_tail;
use crate::options::{Options, runtime_error};
use library::{Place, Surroundings, search};
use loaded::Loaded;
use session::{OnnxSession, Settings};

/// How to get the library, for messages.
pub(crate) const HOW_TO_GET_IT: &str = "install it with `pip install onnxruntime` in the active or the project's Python \
     environment, or set PELLUCID_ORT to the path of libonnxruntime";

/// ONNX Runtime with its sessions.
pub(crate) struct OnnxRuntime {
    settings: Settings,
    provider_names: Vec<String>,
    cache: Cache,
}

impl OnnxRuntime {
    /// Finds the library, loads it, and checks the execution providers.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let places = search(options.library.as_deref(), &Surroundings::of_process());
        let loaded = load_first(&places)?;
        let settings = Settings {
            name: format!("onnxruntime {}", loaded.version),
            loaded,
            threads: options.threads,
            providers: providers::by_name(&options.execution_providers)?,
        };
        Ok(Self {
            settings,
            provider_names: options.execution_providers.clone(),
            cache: Cache::new(options.cache_bytes),
        })
    }

    pub(crate) fn library(&self) -> &Path {
        &self.settings.loaded.path
    }

    pub(crate) fn available_providers() -> Vec<String> {
        providers::available()
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }
}

impl Runtime for OnnxRuntime {
    fn fingerprint(&self) -> String {
        let providers: String = self.provider_names.iter().map(|name| format!("; {name}")).collect();
        format!("{}{}{providers}", self.name(), fingerprint_tail(self.settings.threads))
    }

    fn session(&self, graph: &Graph) -> Result<Arc<dyn Session>, Error> {
        self.cache.get_or_make(graph, || Ok(Arc::new(OnnxSession::new(self.settings.clone(), graph)?)))
    }
}

/// Loads the first library that loads; the error tells of each that did not.
fn load_first(places: &[Place]) -> Result<Loaded, Error> {
    let mut faults = Vec::new();
    for place in places.iter().filter(|place| place.library.is_some()) {
        let library = place.library.clone().unwrap_or_default();
        match Loaded::load(&library) {
            Ok(loaded) => return Ok(loaded),
            Err(reason) => faults.push(format!("{} ({}): {reason}", library.display(), place.source)),
        }
    }
    let what = match (faults.is_empty(), places) {
        (false, _) => format!("ONNX Runtime does not load: {}", faults.join("; ")),
        (true, [named]) => format!("no ONNX Runtime library at {} ({})", named.path.display(), named.source),
        (true, _) => {
            format!("ONNX Runtime was not found in {} places (`pellucid doctor` lists them)", places.len())
        }
    };
    Err(runtime_error(format!("{what}; {HOW_TO_GET_IT}")))
}
