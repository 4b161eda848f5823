//! `TensorProto` → `Tensor` and back: every encoding of the elements that the format allows.

use std::io::{self, Write};

use bytes::Bytes;
use half::{bf16, f16};

use super::budget::Budget;
use super::external::External;
use super::proto::{EXTERNAL, SparseTensorProto, TensorProto};
use crate::build::{element_of_code, onnx_code};
use crate::error::Error;
use crate::tensor::{Data, ElementType, Tensor};

/// Where decoding takes elements from, and how much memory it may still fill.
pub(super) struct Source {
    pub(super) external: External,
    pub(super) budget: Budget,
}

/// Decodes a dense tensor.
///
/// # Errors
/// An element type that is not supported, a number of elements that differs from the shape's, external data that
/// cannot be had.
pub(super) fn decode(proto: &TensorProto, source: &mut Source) -> Result<Tensor, Error> {
    let fault = |reason: String| Error::NotOnnx { reason: format!("tensor `{}`: {reason}", proto.name()) };
    if proto.segment.is_some() {
        return Err(unsupported(proto.name(), "it is stored in segments"));
    }
    let element = element_type(proto)?;
    let (shape, n) = shape_of(&proto.dims).map_err(fault)?;
    let n_bytes = n.checked_mul(size_of_element(element).max(1));
    let n_bytes = n_bytes.ok_or_else(|| fault(format!("shape {shape:?} is too large")))?;
    if proto.data_location() == EXTERNAL {
        let bytes = source.external.read(proto, n_bytes, &mut source.budget)?;
        return tensor_of(shape, data_from_bytes(element, &bytes)).map_err(fault);
    }
    source.budget.take(proto.name(), n_bytes)?;
    let data =
        if let Some(raw) = proto.raw_data.as_ref().filter(|raw| !raw.is_empty() || typed_is_empty(proto)) {
            if raw.len() != n_bytes || element == ElementType::String {
                let reason =
                    format!("{} bytes for shape {shape:?} of {element:?}, expected {n_bytes}", raw.len());
                return Err(fault(reason));
            }
            data_from_bytes(element, raw)
        } else {
            data_from_fields(element, proto, n).map_err(fault)?
        };
    tensor_of(shape, data).map_err(fault)
}

fn tensor_of(shape: Vec<usize>, data: Data) -> Result<Tensor, String> {
    Tensor::try_new(shape, data).ok_or_else(|| "the elements do not fit the shape".to_owned())
}

fn unsupported(name: &str, reason: &str) -> Error {
    Error::Unsupported { reason: format!("tensor `{name}`: {reason}") }
}

fn element_type(proto: &TensorProto) -> Result<ElementType, Error> {
    let code = proto.data_type();
    element_of_code(code.into()).ok_or_else(|| {
        unsupported(proto.name(), &format!("element type {} is not supported", type_name(code)))
    })
}

/// ONNX's name of an element type that has no [`ElementType`].
pub(super) fn type_name(code: i32) -> String {
    let known = match code {
        0 => "UNDEFINED",
        14 => "COMPLEX64",
        15 => "COMPLEX128",
        17 => "FLOAT8E4M3FN",
        18 => "FLOAT8E4M3FNUZ",
        19 => "FLOAT8E5M2",
        20 => "FLOAT8E5M2FNUZ",
        21 => "UINT4",
        22 => "INT4",
        23 => "FLOAT4E2M1",
        24 => "FLOAT8E8M0",
        25 => "UINT2",
        26 => "INT2",
        27 => "FLOAT6E2M3",
        28 => "FLOAT6E3M2",
        _ => return format!("number {code}"),
    };
    known.to_owned()
}

fn shape_of(dims: &[i64]) -> Result<(Vec<usize>, usize), String> {
    let shape: Option<Vec<usize>> = dims.iter().map(|&n| usize::try_from(n).ok()).collect();
    let shape = shape.ok_or_else(|| format!("shape {dims:?} has a negative length"))?;
    let n = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let n = n.ok_or_else(|| format!("shape {shape:?} is too large"))?;
    Ok((shape, n))
}

/// Bytes of one element in a file; 0 for strings, which have no fixed length.
fn size_of_element(element: ElementType) -> usize {
    match element {
        ElementType::F64 | ElementType::I64 | ElementType::U64 => 8,
        ElementType::F32 | ElementType::I32 | ElementType::U32 => 4,
        ElementType::F16 | ElementType::BF16 | ElementType::I16 | ElementType::U16 => 2,
        ElementType::I8 | ElementType::U8 | ElementType::Bool => 1,
        ElementType::String | ElementType::Unknown => 0,
    }
}

/// Elements one behind the other, little-endian.
fn data_from_bytes(element: ElementType, bytes: &[u8]) -> Data {
    macro_rules! numbers {
        ($variant:ident, $ty:ty, $n:literal) => {
            Data::$variant(
                bytes.as_chunks::<$n>().0.iter().map(|chunk| <$ty>::from_le_bytes(*chunk)).collect(),
            )
        };
    }
    match element {
        ElementType::F16 => numbers!(F16, f16, 2),
        ElementType::BF16 => numbers!(BF16, bf16, 2),
        ElementType::F32 => numbers!(F32, f32, 4),
        ElementType::F64 => numbers!(F64, f64, 8),
        ElementType::I8 => numbers!(I8, i8, 1),
        ElementType::I16 => numbers!(I16, i16, 2),
        ElementType::I32 => numbers!(I32, i32, 4),
        ElementType::I64 => numbers!(I64, i64, 8),
        ElementType::U8 => Data::U8(bytes.to_vec()),
        ElementType::U16 => numbers!(U16, u16, 2),
        ElementType::U32 => numbers!(U32, u32, 4),
        ElementType::U64 => numbers!(U64, u64, 8),
        ElementType::Bool => Data::Bool(bytes.iter().map(|&byte| byte != 0).collect()),
        ElementType::String | ElementType::Unknown => Data::String(Vec::new()),
    }
}

fn typed_is_empty(proto: &TensorProto) -> bool {
    proto.float_data.is_empty()
        && proto.int32_data.is_empty()
        && proto.int64_data.is_empty()
        && proto.double_data.is_empty()
        && proto.uint64_data.is_empty()
        && proto.string_data.is_empty()
}

/// Elements in the typed field that the schema prescribes for their type.
fn data_from_fields(element: ElementType, proto: &TensorProto, n: usize) -> Result<Data, String> {
    let found = match element {
        ElementType::F32 => proto.float_data.len(),
        ElementType::F64 => proto.double_data.len(),
        ElementType::I64 => proto.int64_data.len(),
        ElementType::U32 | ElementType::U64 => proto.uint64_data.len(),
        ElementType::String => proto.string_data.len(),
        _ => proto.int32_data.len(),
    };
    if found != n {
        return Err(format!("{found} elements for shape {:?} of {element:?}, expected {n}", proto.dims));
    }
    let small = proto.int32_data.iter();
    Ok(match element {
        // The bits of 16-bit floats stand in the low half of each number.
        ElementType::F16 => Data::F16(small.map(|&x| f16::from_bits(x as u16)).collect()),
        ElementType::BF16 => Data::BF16(small.map(|&x| bf16::from_bits(x as u16)).collect()),
        ElementType::F32 => Data::F32(proto.float_data.clone()),
        ElementType::F64 => Data::F64(proto.double_data.clone()),
        ElementType::I8 => Data::I8(small.map(|&x| x as i8).collect()),
        ElementType::I16 => Data::I16(small.map(|&x| x as i16).collect()),
        ElementType::I32 => Data::I32(proto.int32_data.clone()),
        ElementType::I64 => Data::I64(proto.int64_data.clone()),
        ElementType::U8 => Data::U8(small.map(|&x| x as u8).collect()),
        ElementType::U16 => Data::U16(small.map(|&x| x as u16).collect()),
        ElementType::U32 => Data::U32(proto.uint64_data.iter().map(|&x| x as u32).collect()),
        ElementType::U64 => Data::U64(proto.uint64_data.clone()),
        ElementType::Bool => Data::Bool(small.map(|&x| x != 0).collect()),
        ElementType::String | ElementType::Unknown => {
            Data::String(proto.string_data.iter().map(utf8).collect::<Result<_, _>>()?)
        }
    })
}

/// The text of a string element or attribute.
pub(super) fn utf8(bytes: &Bytes) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a string is not UTF-8".to_owned())
}

/// Decodes a sparse tensor and fills the gaps with zeros.
///
/// # Errors
/// As [`decode`]; indices out of range.
pub(super) fn densify(proto: &SparseTensorProto, source: &mut Source) -> Result<(String, Tensor), Error> {
    let values_proto = proto.values.clone().unwrap_or_default();
    let name = values_proto.name().to_owned();
    let fault = |reason: String| Error::NotOnnx { reason: format!("sparse tensor `{name}`: {reason}") };
    let values = decode(&values_proto, source)?;
    let indices = decode(&proto.indices.clone().unwrap_or_default(), source)?;
    let (shape, n) = shape_of(&proto.dims).map_err(fault)?;
    source.budget.take(&name, n.saturating_mul(size_of_element(values.element()).max(1)))?;
    if !values.element().is_float() && !values.element().is_integer() {
        return Err(unsupported(
            &name,
            &format!("a sparse tensor of {:?} is not supported", values.element()),
        ));
    }
    let flat = flat_indices(&indices, &shape, values.len()).map_err(fault)?;
    let dense = scatter(&values, &flat, n);
    Ok((name.clone(), tensor_of(shape, dense).map_err(fault)?))
}

/// The places in row-major order: given so, `[values]`, or as positions, `[values, rank]`.
fn flat_indices(indices: &Tensor, shape: &[usize], n_values: usize) -> Result<Vec<usize>, String> {
    let Data::I64(indices_data) = indices.data() else { return Err("the indices are not int64".to_owned()) };
    let n: usize = shape.iter().product();
    let rank = shape.len();
    let out_of_range = || format!("an index lies outside shape {shape:?}");
    let within = |index: i64, length: usize| {
        usize::try_from(index).ok().filter(|&index| index < length).ok_or_else(out_of_range)
    };
    match indices.shape() {
        [found] if *found == n_values => indices_data.iter().map(|&index| within(index, n)).collect(),
        [found, columns] if *found == n_values && *columns == rank && rank > 0 => {
            let flat = |position: &[i64]| {
                position
                    .iter()
                    .zip(shape)
                    .try_fold(0, |flat, (&p, &length)| Ok(flat * length + within(p, length)?))
            };
            indices_data.chunks(rank).map(flat).collect()
        }
        other => Err(format!("indices of shape {other:?} for {n_values} values of {rank} axes")),
    }
}

fn scatter(values: &Tensor, places: &[usize], n: usize) -> Data {
    macro_rules! fill {
        ($($variant:ident: $zero:expr),*) => {
            match values.data() {
                $(Data::$variant(v) => {
                    let mut dense = vec![$zero; n];
                    places.iter().zip(v).for_each(|(&place, &value)| dense[place] = value);
                    Data::$variant(dense)
                })*
                Data::Bool(_) | Data::String(_) => Data::Bool(Vec::new()),
            }
        };
    }
    fill!(F16: f16::ZERO, BF16: bf16::ZERO, F32: 0.0, F64: 0.0, I8: 0, I16: 0, I32: 0, I64: 0, U8: 0, U16: 0, U32: 0, U64: 0)
}

/// Writes the elements in the form of `raw_data`: little-endian, one behind the other. Strings have no such form.
pub(super) fn write_raw(tensor: &Tensor, sink: &mut impl Write) -> io::Result<()> {
    macro_rules! numbers {
        ($v:expr) => {
            write_chunks($v, sink, |x| x.to_le_bytes())
        };
    }
    match tensor.data() {
        Data::F16(v) => numbers!(v),
        Data::BF16(v) => numbers!(v),
        Data::F32(v) => numbers!(v),
        Data::F64(v) => numbers!(v),
        Data::I8(v) => numbers!(v),
        Data::I16(v) => numbers!(v),
        Data::I32(v) => numbers!(v),
        Data::I64(v) => numbers!(v),
        Data::U8(v) => sink.write_all(v),
        Data::U16(v) => numbers!(v),
        Data::U32(v) => numbers!(v),
        Data::U64(v) => numbers!(v),
        Data::Bool(v) => write_chunks(v, sink, |x| [u8::from(*x)]),
        Data::String(_) => Ok(()),
    }
}

/// Converts a piece at a time, which stays in the processor's cache.
fn write_chunks<T, const N: usize>(
    elements: &[T],
    sink: &mut impl Write,
    bytes_of: impl Fn(&T) -> [u8; N],
) -> io::Result<()> {
    const CHUNK: usize = 4096;
    let mut buffer = vec![[0; N]; CHUNK.min(elements.len())];
    for chunk in elements.chunks(CHUNK) {
        let filled = &mut buffer[..chunk.len()];
        filled.iter_mut().zip(chunk).for_each(|(slot, element)| *slot = bytes_of(element));
        sink.write_all(filled.as_flattened())?;
    }
    Ok(())
}

/// Bytes of the elements in the form of `raw_data`.
pub(super) fn raw_len(tensor: &Tensor) -> usize {
    tensor.len() * size_of_element(tensor.element())
}

/// A tensor without its elements, but for strings, which have no raw form.
pub(super) fn header(name: &str, tensor: &Tensor) -> TensorProto {
    let string_data = match tensor.data() {
        Data::String(v) => v.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect(),
        _ => Vec::new(),
    };
    TensorProto {
        dims: tensor.shape().iter().map(|&n| n as i64).collect(),
        data_type: Some(onnx_code(tensor.element()) as i32),
        name: Some(name.to_owned()),
        string_data,
        ..TensorProto::default()
    }
}

/// A tensor with its elements.
pub(super) fn encode(name: &str, tensor: &Tensor) -> io::Result<TensorProto> {
    let mut proto = header(name, tensor);
    if tensor.element() != ElementType::String {
        let mut raw = Vec::with_capacity(raw_len(tensor));
        write_raw(tensor, &mut raw)?;
        proto.raw_data = Some(raw.into());
    }
    Ok(proto)
}
