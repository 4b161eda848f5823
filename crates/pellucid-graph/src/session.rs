//! The small interface that whatever runs graphs offers: the reference evaluator here, two runtimes in
//! pellucid-runtime.

use std::sync::Arc;

use crate::error::Error;
use crate::evaluate::evaluate;
use crate::graph::Graph;
use crate::tensor::Tensor;

/// Makes sessions.
pub trait Runtime: Send + Sync {
    /// Name and version, as written into explanations: `onnxruntime 1.31.1`.
    fn fingerprint(&self) -> String;

    /// A session of this graph, from the cache where there is one.
    ///
    /// # Errors
    /// An op the runtime cannot run, by name, with what to do next.
    fn session(&self, graph: &Graph) -> Result<Arc<dyn Session>, Error>;
}

/// A graph ready to run.
pub trait Session: Send + Sync {
    /// Runs the graph: one tensor an input, in the graph's order; gives one an output.
    ///
    /// # Errors
    /// Inputs that do not fit, and whatever the runtime reports.
    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error>;

    /// How many batches [`Session::run_all`] has under way at a time.
    fn lanes(&self) -> usize {
        1
    }

    /// Runs the graph on each batch; the outputs stand in the batches' order.
    ///
    /// # Errors
    /// As [`Session::run`], of the first batch that fails.
    fn run_all(&self, batches: &[Vec<Tensor>]) -> Result<Vec<Vec<Tensor>>, Error> {
        batches.iter().map(|inputs| self.run(inputs)).collect()
    }
}

/// The reference evaluator as a runtime: exact, needs nothing, very slow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Runtime for Reference {
    fn fingerprint(&self) -> String {
        format!("reference {}", env!("CARGO_PKG_VERSION"))
    }

    fn session(&self, graph: &Graph) -> Result<Arc<dyn Session>, Error> {
        Ok(Arc::new(ReferenceSession(graph.clone())))
    }
}

struct ReferenceSession(Graph);

impl Session for ReferenceSession {
    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        evaluate(&self.0, inputs)
    }
}
