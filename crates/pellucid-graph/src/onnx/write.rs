//! `Graph` → bytes of an ONNX file. Weights are copied once, straight to where they go.

use std::io::{self, Write};

use prost::Message;
use prost::encoding::encoded_len_varint;
use sha2::{Digest, Sha256};

use super::message::graph_proto;
use super::opset::{imports, ir_version};
use super::proto::ModelProto;
use super::tensor::{header, raw_len, write_raw};
use crate::error::Error;
use crate::graph::{Graph, Wire};
use crate::tensor::Tensor;

/// Protocol buffers end here.
const MAX_MESSAGE_BYTES: usize = i32::MAX as usize;

/// Writes a graph as the bytes of an ONNX file, constants included. The opset is the smallest from 18 on in which all
/// nodes have their meaning. Constants that nothing reads are left out.
///
/// # Errors
/// [`Error::Unsupported`] beyond 2 GiB, which a file with data beside it can hold.
pub fn write_bytes(graph: &Graph) -> Result<Vec<u8>, Error> {
    let layout = Layout::new(graph)?;
    if layout.n_bytes() > MAX_MESSAGE_BYTES {
        let reason = format!("{} bytes are more than one ONNX file can hold", layout.n_bytes());
        return Err(Error::Unsupported { reason });
    }
    let mut bytes = Vec::with_capacity(layout.n_bytes());
    layout.emit(&mut bytes).map_err(|error| Error::Unsupported { reason: error.to_string() })?;
    Ok(bytes)
}

/// SHA-256 of the bytes that [`write_bytes`] would give, which are never held at once. Equal graphs have equal digests.
///
/// # Errors
/// As [`write_bytes`], but for the size.
pub fn digest(graph: &Graph) -> Result<[u8; 32], Error> {
    let mut hasher = Hasher(Sha256::new());
    let written = Layout::new(graph)?.emit(&mut hasher);
    written.map_err(|error| Error::Unsupported { reason: error.to_string() })?;
    Ok(hasher.0.finalize().into())
}

struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The parts of a file, in order: model, graph, and each constant.
struct Layout<'g> {
    model: Vec<u8>,
    graph: Vec<u8>,
    constants: Vec<(Vec<u8>, &'g Tensor)>,
}

const MODEL_GRAPH_KEY: u8 = 7 << 3 | 2;
const GRAPH_INITIALIZER_KEY: u8 = 5 << 3 | 2;
const TENSOR_RAW_DATA_KEY: u8 = 9 << 3 | 2;

impl<'g> Layout<'g> {
    fn new(graph: &'g Graph) -> Result<Self, Error> {
        let (proto, constants) = graph_proto(graph)?;
        let opset_import = imports(graph);
        let model = ModelProto {
            ir_version: Some(ir_version(&opset_import)),
            opset_import,
            producer_name: Some("pellucid".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..ModelProto::default()
        };
        let with_header = |wire: Wire| {
            let tensor = graph.constant(wire)?;
            Some((header(graph.name_of(wire), tensor).encode_to_vec(), tensor.as_ref()))
        };
        let constants = constants.into_iter().filter_map(with_header).collect();
        Ok(Self { model: model.encode_to_vec(), graph: proto.encode_to_vec(), constants })
    }

    fn graph_len(&self) -> usize {
        let constants = self.constants.iter().map(|(header, tensor)| field_len(tensor_len(header, tensor)));
        self.graph.len() + constants.sum::<usize>()
    }

    fn n_bytes(&self) -> usize {
        self.model.len() + field_len(self.graph_len())
    }

    fn emit(&self, sink: &mut impl Write) -> io::Result<()> {
        sink.write_all(&self.model)?;
        write_key(sink, MODEL_GRAPH_KEY, self.graph_len())?;
        sink.write_all(&self.graph)?;
        for (header, tensor) in &self.constants {
            write_key(sink, GRAPH_INITIALIZER_KEY, tensor_len(header, tensor))?;
            sink.write_all(header)?;
            if has_raw(tensor) {
                write_key(sink, TENSOR_RAW_DATA_KEY, raw_len(tensor))?;
                write_raw(tensor, sink)?;
            }
        }
        Ok(())
    }
}

fn has_raw(tensor: &Tensor) -> bool {
    tensor.element() != crate::tensor::ElementType::String
}

fn tensor_len(header: &[u8], tensor: &Tensor) -> usize {
    header.len() + if has_raw(tensor) { field_len(raw_len(tensor)) } else { 0 }
}

/// A field with its key (one byte for all those used here) and length.
fn field_len(n: usize) -> usize {
    1 + encoded_len_varint(n as u64) + n
}

fn write_key(sink: &mut impl Write, key: u8, n: usize) -> io::Result<()> {
    let mut bytes = vec![key];
    prost::encoding::encode_varint(n as u64, &mut bytes);
    sink.write_all(&bytes)
}
