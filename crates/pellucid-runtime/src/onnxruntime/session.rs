//! A graph in ONNX Runtime.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ort::ep::ExecutionProviderDispatch;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session as OrtSession, SessionInputValue};
use ort::value::{DynValue, TensorElementType, TensorRef, ValueType};
use pellucid_graph::{Data, ElementType, Error, Graph, Session, Tensor, onnx};

use super::loaded::Loaded;
use crate::exchange::Signature;

/// The setting that names optimizations to leave out.
const WITHOUT: &str = "optimization.disable_specified_optimizers";

/// The setting against reading the definitions of all ops as functions before it is known which have no kernel: without it
/// a session of a large graph is ready in four fifths of the time, and what has no kernel is written out all the same.
const NOT_AHEAD: &str = "session.disable_aot_function_inlining";

/// The ops of a row with smaller activations are done before a second thread has woken up.
const SMALL_BYTES: usize = 256 << 10;

/// What sessions are made with.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) loaded: Loaded,
    /// Name and version of the runtime, for messages.
    pub(super) name: String,
    /// Threads that one run may use, or else runs at a time.
    pub(super) threads: usize,
    pub(super) providers: Vec<ExecutionProviderDispatch>,
}

impl Settings {
    /// All graph optimizations, one op at a time on `threads` threads that sleep where they wait (spinning ones take the
    /// processor from other sessions), memory planned ahead for each shape seen, and deterministic kernels where there is
    /// a choice.
    fn builder(&self, threads: usize) -> Result<SessionBuilder, ort::Error> {
        let builder = SessionBuilder::new(&self.loaded.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads)?
            .with_intra_op_spinning(false)?
            .with_inter_threads(1)?
            .with_memory_pattern(true)?
            .with_deterministic_compute(true)?
            .with_config_entry(NOT_AHEAD, "1")?;
        Ok(builder.with_execution_providers(&self.providers)?)
    }

    /// The fusion of GELUs written with tanh takes `x / 2` away even where other nodes read it, as relevance does, and then
    /// finds its own graph invalid (1.31 does so): such a graph is read again without it.
    fn session(&self, graph: &Graph, threads: usize) -> Result<Mutex<OrtSession>, Error> {
        let bytes = onnx::write_bytes(graph)?;
        let session = self.builder(threads).and_then(|mut builder| builder.commit_from_memory(&bytes));
        let session = session.or_else(|error| match is_lost_by_fusion(graph, &error) {
            true => self
                .builder(threads)?
                .with_config_entry(WITHOUT, "FastGeluFusion")?
                .commit_from_memory(&bytes),
            false => Err(error),
        });
        session.map(Mutex::new).map_err(|error| failed(&self.name, &error))
    }
}

/// One session that uses all threads for a run, and, once several batches come together, one a thread: batches side by
/// side keep every thread busy all the time, where the threads of one run wait for each other after each op.
///
/// Runs of one session wait for each other: the binding does not vouch for concurrent ones.
pub(super) struct OnnxSession {
    settings: Settings,
    graph: Graph,
    whole: Mutex<OrtSession>,
    lanes: Mutex<Option<Arc<Vec<Mutex<OrtSession>>>>>,
    signature: Signature,
}

impl OnnxSession {
    pub(super) fn new(settings: Settings, graph: &Graph) -> Result<Self, Error> {
        let is_small = graph.activation_bytes() < SMALL_BYTES;
        let whole = settings.session(graph, if is_small { 1 } else { settings.threads })?;
        let signature = Signature::of(graph);
        Ok(Self { settings, graph: graph.clone(), whole, lanes: Mutex::default(), signature })
    }

    fn run_in(&self, session: &Mutex<OrtSession>, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let inputs = self.signature.converted(inputs)?;
        let fail = |error: ort::Error| failed(&self.settings.name, &error);
        let values = inputs.iter().map(|tensor| view(tensor)).collect::<Result<Vec<_>, _>>().map_err(fail)?;
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(values.as_slice()).map_err(fail)?;
        outputs.values().map(|value| tensor_of(&value)).collect::<Result<_, _>>().map_err(fail)
    }

    /// The sessions of single threads, made when they are first needed.
    fn single_threaded(&self) -> Result<Arc<Vec<Mutex<OrtSession>>>, Error> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*lanes {
            return Ok(made.clone());
        }
        let make = |_| self.settings.session(&self.graph, 1);
        let made = Arc::new((0..self.lanes()).map(make).collect::<Result<Vec<_>, _>>()?);
        *lanes = Some(made.clone());
        Ok(made)
    }
}

impl Session for OnnxSession {
    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        self.run_in(&self.whole, inputs)
    }

    /// One a thread; on other devices than the processor one session is busy enough.
    fn lanes(&self) -> usize {
        if self.settings.providers.is_empty() { self.settings.threads } else { 1 }
    }

    fn run_all(&self, batches: &[Vec<Tensor>]) -> Result<Vec<Vec<Tensor>>, Error> {
        if batches.len() < 2 || self.lanes() < 2 {
            return batches.iter().map(|inputs| self.run(inputs)).collect();
        }
        let sessions = self.single_threaded()?;
        let results: Vec<OnceLock<Result<Vec<Tensor>, Error>>> =
            batches.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for session in sessions.iter().take(batches.len()) {
                scope.spawn(|| {
                    while let index = next.fetch_add(1, Ordering::Relaxed)
                        && let Some(inputs) = batches.get(index)
                    {
                        let _ = results[index].set(self.run_in(session, inputs));
                    }
                });
            }
        });
        let lost = || failed_with(&self.settings.name, "a batch was lost".to_owned());
        results.into_iter().map(|result| result.into_inner().unwrap_or_else(|| Err(lost()))).collect()
    }
}

/// Whether ONNX Runtime misses a wire of its own making; a graph of ours has none missing.
fn is_lost_by_fusion(graph: &Graph, error: &ort::Error) -> bool {
    let has_tanh = graph.nodes().iter().any(|node| node.op == "Tanh");
    has_tanh && error.to_string().contains("is not a graph input, initializer, or output of a previous node")
}

/// The tensor as a value, its elements not copied.
fn view(tensor: &Tensor) -> Result<SessionInputValue<'_>, ort::Error> {
    macro_rules! view {
        ($($variant:ident),*) => {
            match tensor.data() {
                $(Data::$variant(elements) => {
                    TensorRef::from_array_view((tensor.shape(), elements.as_slice()))?.into()
                })*
                Data::String(elements) => {
                    ort::value::Tensor::from_string_array((tensor.shape(), elements.as_slice()))?.into()
                }
            }
        };
    }
    Ok(view!(F16, BF16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Bool))
}

fn tensor_of(value: &DynValue) -> Result<Tensor, ort::Error> {
    let ValueType::Tensor { ty, .. } = value.dtype() else {
        return Err(ort::Error::new("an output is not a tensor"));
    };
    macro_rules! copy {
        ($($theirs:ident => $ours:ident),*) => {
            match ty {
                $(TensorElementType::$theirs => {
                    let (shape, elements) = value.try_extract_tensor()?;
                    let shape = shape.iter().map(|&n| n.unsigned_abs() as usize).collect();
                    Tensor::try_new(shape, Data::$ours(elements.to_vec()))
                })*
                other => return Err(ort::Error::new(format!("an output has elements of type {other}"))),
            }
        };
    }
    let tensor = copy! {
        Float16 => F16, Bfloat16 => BF16, Float32 => F32, Float64 => F64, Int8 => I8, Int16 => I16, Int32 => I32,
        Int64 => I64, Uint8 => U8, Uint16 => U16, Uint32 => U32, Uint64 => U64, Bool => Bool
    };
    let tensor = tensor.ok_or_else(|| ort::Error::new("an output has too few elements"))?;
    let half = matches!(tensor.element(), ElementType::F16 | ElementType::BF16);
    Ok(if half { tensor.cast(ElementType::F32) } else { tensor })
}

fn failed(runtime: &str, error: &ort::Error) -> Error {
    failed_with(runtime, error.to_string())
}

fn failed_with(runtime: &str, reason: String) -> Error {
    Error::Run { runtime: runtime.to_owned(), reason }
}
