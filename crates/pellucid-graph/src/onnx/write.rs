//! `Graph` → bytes of an ONNX file. Weights are copied once, straight to where they go.

use std::io::{self, Write};

use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};
use sha2::{Digest, Sha256};

use super::message::graph_proto;
use super::opset::{imports, ir_version};
use super::proto::{EXTERNAL, ModelProto, StringStringEntryProto, TensorProto};
use super::tensor::{header, raw_len, write_raw};
use crate::error::Error;
use crate::graph::{Graph, Wire};
use crate::tensor::{ElementType, Tensor};

/// Protocol buffers end here.
const MAX_MESSAGE_BYTES: usize = i32::MAX as usize;

/// Smaller constants stay in the model file when others go beside it.
const MIN_BESIDE_BYTES: usize = 1024;

/// Elements in a file beside start at multiples of a page, so that they can be mapped into memory.
const ALIGNMENT: u64 = 4096;

/// Writes a graph as the bytes of an ONNX file, constants included. The opset is the smallest from 18 on in which all
/// nodes have their meaning. Constants that nothing reads are left out.
///
/// # Errors
/// [`Error::Unsupported`] beyond 2 GiB, which [`write`](super::write) can hold in two files.
pub fn write_bytes(graph: &Graph) -> Result<Vec<u8>, Error> {
    let layout = Layout::new(graph)?;
    layout.check_size()?;
    let mut bytes = Vec::with_capacity(layout.n_bytes());
    layout.emit(&mut bytes).map_err(|error| Error::Unsupported { reason: error.to_string() })?;
    Ok(bytes)
}

/// SHA-256 of all that [`write_bytes`] would write: what sessions are cached by. Equal graphs have equal digests. The
/// elements of each constant are hashed once and the result is remembered with them.
///
/// # Errors
/// As [`write_bytes`], but for the size.
pub fn digest(graph: &Graph) -> Result<[u8; 32], Error> {
    let layout = Layout::new(graph)?;
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(&layout.model);
    part(&layout.graph);
    for constant in &layout.constants {
        part(&constant.header);
        if let Some(tensor) = constant.elements {
            part(tensor.digest(|| elements_digest(tensor)));
        }
    }
    Ok(hasher.finalize().into())
}

fn elements_digest(tensor: &Tensor) -> [u8; 32] {
    let mut hasher = Hasher(Sha256::new());
    match write_raw(tensor, &mut hasher) {
        Ok(()) => hasher.0.finalize().into(),
        Err(error) => unreachable!("hashing does not fail: {error}"),
    }
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

/// The parts of a file, in order: model, graph, constants. And what goes into the file beside it, if there is one.
pub(super) struct Layout<'g> {
    model: Vec<u8>,
    graph: Vec<u8>,
    constants: Vec<Constant<'g>>,
    beside: Vec<(u64, &'g Tensor)>,
}

struct Constant<'g> {
    /// Everything but the elements.
    header: Vec<u8>,
    /// What follows as `raw_data`; strings are in the header.
    elements: Option<&'g Tensor>,
}

const MODEL_GRAPH_KEY: u8 = 7 << 3 | 2;
const GRAPH_INITIALIZER_KEY: u8 = 5 << 3 | 2;
const TENSOR_RAW_DATA_KEY: u8 = 9 << 3 | 2;

impl<'g> Layout<'g> {
    pub(super) fn new(graph: &'g Graph) -> Result<Self, Error> {
        let (proto, constants) = graph_proto(graph)?;
        let opset_import = imports(graph);
        let model = ModelProto {
            ir_version: Some(ir_version(&opset_import)),
            opset_import,
            producer_name: Some("pellucid".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..ModelProto::default()
        };
        let constant = |wire: Wire| {
            let tensor = graph.constant(wire)?.as_ref();
            let header = header(graph.name_of(wire), tensor).encode_to_vec();
            Some(Constant { header, elements: (tensor.element() != ElementType::String).then_some(tensor) })
        };
        let constants = constants.into_iter().filter_map(constant).collect();
        Ok(Self { model: model.encode_to_vec(), graph: proto.encode_to_vec(), constants, beside: Vec::new() })
    }

    /// Moves the elements of all but small constants into a file beside, named `location`.
    pub(super) fn move_beside(&mut self, location: &str) {
        let mut end = 0;
        for constant in &mut self.constants {
            let large = |tensor: &&Tensor| raw_len(tensor) >= MIN_BESIDE_BYTES;
            let Some(tensor) = constant.elements.take_if(|tensor| large(tensor)) else { continue };
            let offset = u64::next_multiple_of(end, ALIGNMENT);
            end = offset + raw_len(tensor) as u64;
            // Fields of one message may stand in any order.
            constant.header.extend(place(location, offset, raw_len(tensor)).encode_to_vec());
            self.beside.push((offset, tensor));
        }
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.model.len() + field_len(self.graph_len())
    }

    fn graph_len(&self) -> usize {
        self.graph.len() + self.constants.iter().map(|constant| field_len(constant.n_bytes())).sum::<usize>()
    }

    pub(super) fn check_size(&self) -> Result<(), Error> {
        let n = self.n_bytes();
        match n > MAX_MESSAGE_BYTES {
            true => {
                Err(Error::Unsupported { reason: format!("{n} bytes are more than one ONNX file can hold") })
            }
            false => Ok(()),
        }
    }

    /// Writes the model file.
    pub(super) fn emit(&self, sink: &mut impl Write) -> io::Result<()> {
        sink.write_all(&self.model)?;
        write_key(sink, MODEL_GRAPH_KEY, self.graph_len())?;
        sink.write_all(&self.graph)?;
        for constant in &self.constants {
            write_key(sink, GRAPH_INITIALIZER_KEY, constant.n_bytes())?;
            sink.write_all(&constant.header)?;
            if let Some(tensor) = constant.elements {
                write_key(sink, TENSOR_RAW_DATA_KEY, raw_len(tensor))?;
                write_raw(tensor, sink)?;
            }
        }
        Ok(())
    }

    /// Writes the file beside.
    pub(super) fn emit_beside(&self, sink: &mut impl Write) -> io::Result<()> {
        let mut end = 0;
        for (offset, tensor) in &self.beside {
            let gap = usize::try_from(offset - end).map_err(io::Error::other)?;
            sink.write_all(&vec![0; gap])?;
            write_raw(tensor, sink)?;
            end = offset + raw_len(tensor) as u64;
        }
        Ok(())
    }
}

impl Constant<'_> {
    fn n_bytes(&self) -> usize {
        self.header.len() + self.elements.map_or(0, |tensor| field_len(raw_len(tensor)))
    }
}

/// The fields of a tensor that say where its elements are.
fn place(location: &str, offset: u64, n_bytes: usize) -> TensorProto {
    let entries =
        [("location", location.to_owned()), ("offset", offset.to_string()), ("length", n_bytes.to_string())];
    let entry = |(key, value): (&str, String)| StringStringEntryProto {
        key: Some(key.to_owned()),
        value: Some(value),
    };
    TensorProto {
        external_data: entries.into_iter().map(entry).collect(),
        data_location: Some(EXTERNAL),
        ..TensorProto::default()
    }
}

/// A field with its key (one byte for all those used here) and length.
fn field_len(n: usize) -> usize {
    1 + encoded_len_varint(n as u64) + n
}

fn write_key(sink: &mut impl Write, key: u8, n: usize) -> io::Result<()> {
    let mut bytes = vec![key];
    encode_varint(n as u64, &mut bytes);
    sink.write_all(&bytes)
}
