//! The runtimes that the zoo runs on.

use std::sync::{Arc, LazyLock};

use pellucid_explain::Error;
use pellucid_graph::Runtime;
use pellucid_runtime::{Options, RuntimeChoice, runtime};

/// A runtime and what it is called.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) runtime: Arc<dyn Runtime>,
}

static RTEN: LazyLock<Named> =
    LazyLock::new(|| Named { name: "rten", runtime: opened(RuntimeChoice::Rten).expect("compiled in") });

/// May be missing on a developer's machine, not where `PELLUCID_REQUIRE_ORT` is set.
static ONNX_RUNTIME: LazyLock<Option<Named>> = LazyLock::new(|| match opened(RuntimeChoice::OnnxRuntime) {
    Ok(runtime) => Some(Named { name: "onnxruntime", runtime }),
    Err(error) if std::env::var_os("PELLUCID_REQUIRE_ORT").is_some() => panic!("{error}"),
    Err(error) => {
        eprintln!("LEFT OUT: everything on ONNX Runtime: {error}");
        None
    }
});

/// Sessions live as long as the networks that tests keep.
fn opened(choice: RuntimeChoice) -> Result<Arc<dyn Runtime>, pellucid_graph::Error> {
    runtime(&Options { choice, cache_bytes: 0, ..Options::default() })
}

pub(super) fn rten() -> Named {
    RTEN.clone()
}

pub(super) fn onnx_runtime() -> Option<Named> {
    ONNX_RUNTIME.clone()
}

pub(super) fn both() -> Vec<Named> {
    [rten()].into_iter().chain(onnx_runtime()).collect()
}

/// `Ok(Err(reason))` where the runtime refuses the graph by name, as rten's allow-list does.
pub(super) fn unless_refused<T>(result: Result<T, Error>) -> Result<Result<T, String>, String> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Graph(pellucid_graph::Error::Runtime { reason, .. })) => Ok(Err(reason)),
        Err(error) => Err(error.to_string()),
    }
}
