//! Both runtimes against the reference evaluator.

mod agreement;
mod batches;
mod networks;
mod operators;
mod sessions;

use std::sync::Arc;

use pellucid_graph::Runtime;

use crate::{Options, RuntimeChoice, runtime};

/// rten, and ONNX Runtime where it is found. Where it is not, says so; under `PELLUCID_REQUIRE_ORT=1` it must be.
fn runtimes() -> Vec<Arc<dyn Runtime>> {
    runtimes_of(2)
}

fn runtimes_of(threads: usize) -> Vec<Arc<dyn Runtime>> {
    let mut found = vec![open(RuntimeChoice::Rten, threads).expect("rten is compiled in")];
    match open(RuntimeChoice::OnnxRuntime, threads) {
        Ok(runtime) => found.push(runtime),
        Err(error) => {
            let required = std::env::var_os("PELLUCID_REQUIRE_ORT").is_some_and(|value| value == "1");
            assert!(!required, "PELLUCID_REQUIRE_ORT is set, but: {error}");
            say(&format!("LEFT OUT, nothing is tested on ONNX Runtime: {error}"));
        }
    }
    found
}

fn open(choice: RuntimeChoice, threads: usize) -> Result<Arc<dyn Runtime>, pellucid_graph::Error> {
    runtime(&Options { choice, threads, ..Options::default() })
}

fn say(what: &str) {
    eprintln!("{what}");
}
