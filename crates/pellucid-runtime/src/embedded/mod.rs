//! rten, the runtime that is compiled in.

pub(crate) mod allowed;
mod prepare;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pellucid_graph::passes::{fold_constants, lower};
use pellucid_graph::{Data, ElementType, Error, Graph, Runtime, Session, Tensor, onnx};
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueView};

use crate::cache::Cache;
use crate::cpu::fingerprint_tail;
use crate::exchange::Signature;
use crate::onnxruntime::HOW_TO_GET_IT;
use crate::options::{Options, runtime_error};

/// Name and version, as pinned in the workspace (a test compares).
pub(crate) const NAME: &str = "rten 0.27.0";

/// rten with a thread pool of its own and its sessions.
pub(crate) struct Embedded {
    threads: usize,
    pool: Arc<ThreadPool>,
    cache: Cache,
}

impl Embedded {
    pub(crate) fn new(options: &Options) -> Self {
        let pool = Arc::new(ThreadPool::with_num_threads(options.threads));
        Self { threads: options.threads, pool, cache: Cache::new(options.cache_bytes) }
    }

    fn make(&self, graph: &Graph) -> Result<Arc<dyn Session>, Error> {
        let bytes = onnx::write_bytes(&admitted(graph)?)?;
        let model = guarded(|| ModelOptions::with_all_ops().prepack_weights(true).load(bytes));
        let model = model.map_err(|error| {
            runtime_error(format!("rten does not load the graph: {error}; {HOW_TO_GET_IT}"))
        })?;
        let outputs = graph.outputs().iter().map(|wire| graph.element(*wire)).collect();
        let run_options = RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let signature = Signature::of(graph);
        Ok(Arc::new(EmbeddedSession { model, signature, outputs, run_options }))
    }
}

impl Runtime for Embedded {
    fn fingerprint(&self) -> String {
        format!("{NAME}{}", fingerprint_tail(self.threads))
    }

    fn session(&self, graph: &Graph) -> Result<Arc<dyn Session>, Error> {
        self.cache.get_or_make(graph, || self.make(graph))
    }
}

/// The graph in a form that rten computes rightly: as it is, or else folded and with its rare ops written as common
/// ones.
fn admitted(graph: &Graph) -> Result<Graph, Error> {
    let prepared = prepare::prepared(graph)?;
    let Err(refusal) = allowed::check(&prepared) else { return Ok(prepared) };
    let lowered = fold_constants(&prepared).and_then(|folded| lower(&folded));
    let lowered = lowered.and_then(|lowered| prepare::prepared(&lowered));
    let lowered = lowered.and_then(|lowered| allowed::check(&lowered).map(|()| lowered));
    lowered.map_err(|_| refusal)
}

/// Runs may go on at the same time: rten's model is not changed by a run.
struct EmbeddedSession {
    model: Model,
    signature: Signature,
    /// The types the graph gives; rten has `i32` for all integers and booleans.
    outputs: Vec<ElementType>,
    run_options: RunOptions,
}

impl Session for EmbeddedSession {
    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let inputs = self.signature.converted(inputs)?;
        let narrowed: Vec<Option<Vec<i32>>> =
            inputs.iter().map(|tensor| narrowed(tensor)).collect::<Result<_, _>>()?;
        let mut arguments: Vec<(NodeId, ValueOrView<'_>)> = Vec::with_capacity(inputs.len());
        for ((id, tensor), ints) in self.model.input_ids().iter().zip(&inputs).zip(&narrowed) {
            arguments.push((*id, argument(tensor, ints.as_deref())?.into()));
        }
        let options = Some(self.run_options.clone());
        let values = guarded(|| self.model.run(arguments, self.model.output_ids(), options))?;
        values.into_iter().zip(&self.outputs).map(|(value, element)| tensor_of(value, *element)).collect()
    }
}

/// The elements as `i32` where rten has no such type; `None` where it takes them as they are.
fn narrowed(tensor: &Tensor) -> Result<Option<Vec<i32>>, Error> {
    match tensor.data() {
        Data::I64(elements) => {
            let narrow = |&x: &i64| {
                i32::try_from(x).map_err(|_| failed(format!("the integer {x} does not fit 32 bits")))
            };
            elements.iter().map(narrow).collect::<Result<_, _>>().map(Some)
        }
        Data::Bool(elements) => Ok(Some(elements.iter().map(|&x| i32::from(x)).collect())),
        _ => Ok(None),
    }
}

fn argument<'a>(tensor: &'a Tensor, ints: Option<&'a [i32]>) -> Result<ValueView<'a>, Error> {
    let shape = tensor.shape();
    let view = match (tensor.data(), ints) {
        (_, Some(ints)) => ValueView::from_shape(shape, ints).ok(),
        (Data::F32(elements), None) => ValueView::from_shape(shape, elements.as_slice()).ok(),
        (Data::I32(elements), None) => ValueView::from_shape(shape, elements.as_slice()).ok(),
        _ => None,
    };
    view.ok_or_else(|| failed(format!("it takes no tensor of {:?} {shape:?}", tensor.element())))
}

fn tensor_of(value: Value, element: ElementType) -> Result<Tensor, Error> {
    use rten_tensor::Layout;
    let (shape, data) = match value {
        Value::FloatTensor(tensor) => (tensor.shape().to_vec(), Data::F32(tensor.into_data())),
        Value::Int32Tensor(tensor) => (tensor.shape().to_vec(), Data::I32(tensor.into_data())),
        other => return Err(failed(format!("it gave an output of {}", other.dtype()))),
    };
    let tensor = Tensor::try_new(shape, data).ok_or_else(|| failed("an output has too few elements"))?;
    let wanted = if element.is_float() { ElementType::F32 } else { element };
    Ok(if wanted == ElementType::Unknown { tensor } else { tensor.cast(wanted) })
}

/// Runs rten with its errors and panics turned into ours.
fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed("it panicked; please report the graph, and try `--runtime onnxruntime`")),
    }
}

fn failed(reason: impl Into<String>) -> Error {
    Error::Run { runtime: NAME.to_owned(), reason: reason.into() }
}
