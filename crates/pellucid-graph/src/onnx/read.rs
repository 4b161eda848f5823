//! Bytes of an ONNX file → [`Model`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use prost::Message;
use sha2::Digest;

use super::budget::Budget;
use super::external::External;
use super::function::Functions;
use super::nodes::Reader;
use super::proto::{GraphProto, ModelProto, ValueInfoProto};
use super::scan::unknown_fields;
use super::scope::{Scope, versions};
use super::tensor::Source;
use super::value_type::input_type;
use crate::check::debug_check;
use crate::error::Error;
use crate::graph::Graph;
use crate::types::{Dim, Type};

/// Protocol buffers end at 2 GiB.
const MAX_FILE_BYTES: u64 = 1 << 31;

/// A model file: its graph in the meaning of the canonical opset, and what the file says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Model {
    /// The graph, functions inlined, ops upgraded.
    pub graph: Graph,
    /// The opset version of each domain, as the file states it; the default domain is the empty name.
    pub opsets: BTreeMap<String, i64>,
    /// The version of the file format.
    pub ir_version: i64,
    /// The tool that wrote the file.
    pub producer_name: String,
    /// Its version.
    pub producer_version: String,
    /// The model's own domain, a reversed domain name.
    pub domain: String,
    /// The model's own version.
    pub model_version: i64,
    /// Named texts that the exporter left.
    pub metadata: BTreeMap<String, String>,
    /// What was read otherwise than the file says, or left out.
    pub warnings: Vec<String>,
    /// SHA-256 of the file's bytes, followed by the external data in the order of its tensors.
    pub digest: [u8; 32],
}

/// Reads an ONNX file. External data is read from inside its folder only.
///
/// # Errors
/// [`Error::Read`] where the file cannot be read, else as [`read_bytes`].
pub fn read(path: &Path) -> Result<Model, Error> {
    let fault =
        |error: std::io::Error| Error::Read { path: path.display().to_string(), reason: error.to_string() };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fault)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    let not_onnx = |reason: String| Error::NotOnnx { reason: format!("{}: {reason}", path.display()) };
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(not_onnx(format!("more than {MAX_FILE_BYTES} bytes, where the format ends")));
    }
    let parent = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let model = read_shared(bytes.into(), Some(parent.unwrap_or(Path::new("."))));
    model.map_err(|error| match error {
        Error::NotOnnx { reason } => not_onnx(reason),
        other => other,
    })
}

/// Reads the bytes of an ONNX file; `folder` is where its external data lies.
///
/// # Errors
/// [`Error::NotOnnx`] for bytes that are no ONNX model, [`Error::ExternalData`], [`Error::Cyclic`],
/// [`Error::Dangling`], [`Error::Duplicate`], [`Error::Unsupported`] for what is newer, older or other than can be
/// read, and whatever the ops report of their inputs.
pub fn read_bytes(bytes: &[u8], folder: Option<&Path>) -> Result<Model, Error> {
    read_shared(Bytes::copy_from_slice(bytes), folder)
}

fn read_shared(bytes: Bytes, folder: Option<&Path>) -> Result<Model, Error> {
    let mut external = External::new(folder);
    external.digest.update(&bytes);
    let budget = Budget::new(bytes.len());
    let not_onnx = |reason: String| Error::NotOnnx { reason };
    let unknown = unknown_fields(&bytes)?;
    let proto = ModelProto::decode(bytes).map_err(|error| not_onnx(error.to_string()))?;
    let graph_proto = proto.graph.as_ref().ok_or_else(|| not_onnx("it holds no graph".to_owned()))?;
    let opsets = versions(&proto.opset_import);
    let mut reader = Reader {
        functions: Functions::new(&proto.functions)?,
        source: Source { external, budget },
        warnings: unknown.into_iter().map(unknown_field).collect(),
    };
    if !proto.training_info.is_empty() {
        reader.warnings.push("the file's training information is left out".to_owned());
    }
    let mut scope = Scope::new(&opsets);
    let graph = reader.graph(&mut scope, graph_proto)?;
    Ok(Model {
        graph,
        ir_version: proto.ir_version(),
        producer_name: proto.producer_name().to_owned(),
        producer_version: proto.producer_version().to_owned(),
        domain: proto.domain().to_owned(),
        model_version: proto.model_version(),
        metadata: proto.metadata_props.iter().map(|e| (e.key().to_owned(), e.value().to_owned())).collect(),
        warnings: reader.warnings,
        digest: reader.source.external.digest.finalize().into(),
        opsets: opsets.clone(),
    })
}

fn unknown_field((message, tag): (&str, u32)) -> String {
    format!("the file has field {tag} of {message}, which is newer than Pellucid and was left out")
}

impl Reader<'_> {
    fn graph(&mut self, scope: &mut Scope<'_>, proto: &GraphProto) -> Result<Graph, Error> {
        let mut graph = Graph::new(proto.name());
        let sparse = proto.sparse_initializer.iter().filter_map(|tensor| tensor.values.as_ref());
        let constants: BTreeSet<&str> =
            proto.initializer.iter().chain(sparse).map(|tensor| tensor.name()).collect();
        let batch = batch_name(proto)?;
        for info in proto.input.iter().filter(|info| !constants.contains(info.name())) {
            if scope.wires.contains_key(info.name()) {
                return Err(Error::Duplicate { wire: info.name().to_owned() });
            }
            let wire = graph.add_input(info.name(), named_lengths(info, batch)?);
            scope.wires.insert(info.name().to_owned(), Some(wire));
        }
        let outputs = self.fill(&mut graph, scope, proto)?;
        graph.set_outputs(&outputs);
        for (wire, info) in outputs.iter().zip(&proto.output) {
            if graph.name_of(*wire) != info.name() {
                give_name(&mut graph, *wire, info.name());
            }
        }
        debug_check(&graph)?;
        Ok(graph)
    }
}

/// A wire of an inlined function may have taken the name of an output.
fn give_name(graph: &mut Graph, wire: crate::graph::Wire, name: &str) {
    if let Ok(other) = graph.wire(name) {
        graph.rename(other, &format!("{name}/inner"));
    }
    graph.rename(wire, name);
}

/// The type of an input in which each length has a number or a name: where the file has none, `batch` for the first
/// axis, else made up of the input's name and the axis.
fn named_lengths(info: &ValueInfoProto, batch: &str) -> Result<Type, Error> {
    let mut ty = input_type(info)?;
    for (axis, dim) in ty.shape.iter_mut().flatten().enumerate() {
        if *dim == Dim::Unknown {
            let made_up = format!("{}_{axis}", info.name());
            *dim = Dim::symbol(if axis == 0 { batch } else { &made_up });
        }
    }
    Ok(ty)
}

/// `N`, unless the file calls another axis so.
fn batch_name(graph: &GraphProto) -> Result<&'static str, Error> {
    let types = graph.input.iter().map(input_type).collect::<Result<Vec<_>, _>>()?;
    let mut others = types.iter().filter_map(|ty| ty.shape.as_ref()).flat_map(|shape| shape.iter().skip(1));
    let taken = others.any(|dim| matches!(dim, Dim::Symbol { name, .. } if **name == *"N"));
    Ok(if taken { "batch" } else { "N" })
}
