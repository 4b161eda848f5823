//! A graph in ONNX Runtime.

use std::sync::{Mutex, PoisonError};

use ort::ep::ExecutionProviderDispatch;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session as OrtSession, SessionInputValue};
use ort::value::{DynValue, TensorElementType, TensorRef, ValueType};
use pellucid_graph::{Data, ElementType, Error, Graph, Session, Tensor, onnx};

use super::loaded::Loaded;
use crate::exchange::Signature;

/// The settings of every session: all graph optimizations, one op at a time on `threads` threads, memory planned
/// ahead for each shape seen, and deterministic kernels where there is a choice.
pub(super) fn builder(
    loaded: &Loaded,
    threads: usize,
    providers: &[ExecutionProviderDispatch],
) -> Result<SessionBuilder, ort::Error> {
    let builder = SessionBuilder::new(&loaded.environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_memory_pattern(true)?
        .with_deterministic_compute(true)?;
    Ok(builder.with_execution_providers(providers)?)
}

/// Runs of one session wait for each other: the binding does not vouch for concurrent ones. A run uses all
/// threads of the session anyway.
pub(super) struct OnnxSession {
    runtime: String,
    session: Mutex<OrtSession>,
    signature: Signature,
}

impl OnnxSession {
    pub(super) fn new(
        runtime: String,
        builder: Result<SessionBuilder, ort::Error>,
        graph: &Graph,
    ) -> Result<Self, Error> {
        let bytes = onnx::write_bytes(graph)?;
        let session = builder.and_then(|mut builder| builder.commit_from_memory(&bytes));
        let session = session.map_err(|error| failed(&runtime, &error))?;
        Ok(Self { runtime, session: Mutex::new(session), signature: Signature::of(graph) })
    }
}

impl Session for OnnxSession {
    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let inputs = self.signature.converted(inputs)?;
        let fail = |error: ort::Error| failed(&self.runtime, &error);
        let values = inputs.iter().map(|tensor| view(tensor)).collect::<Result<Vec<_>, _>>().map_err(fail)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(values.as_slice()).map_err(fail)?;
        outputs.values().map(|value| tensor_of(&value)).collect::<Result<_, _>>().map_err(fail)
    }
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
    Error::Run { runtime: runtime.to_owned(), reason: error.to_string() }
}
