//! Every way a tensor can be written in a file.

use half::{bf16, f16};

use super::messages::{bytes, floats, graph, model, node};
use crate::error::Error;
use crate::onnx::proto::{SparseTensorProto, TensorProto};
use crate::onnx::{read_bytes, write_bytes};
use crate::tensor::{Data, Tensor};

/// Reads a file whose constant `w`, `[3]`, is written so, and checks its elements; then writes and reads it again.
fn check(proto: TensorProto, expected: Data) {
    let proto = TensorProto { dims: vec![3], name: Some("w".to_owned()), ..proto };
    let nodes = vec![node("Identity", &["w"], &["z"], vec![]), node("Identity", &["x"], &["y"], vec![])];
    let mut graph = graph(nodes, vec![proto]);
    graph.output.push(super::messages::float_info("z", &[3]));
    let read = read_bytes(&bytes(&model(graph)), None).unwrap().graph;
    let expected = Tensor::try_new(vec![3], expected).unwrap();
    assert_eq!(**read.constant(read.wire("w").unwrap()).unwrap(), expected);
    let again = read_bytes(&write_bytes(&read).unwrap(), None).unwrap().graph;
    assert_eq!(**again.constant(again.wire("w").unwrap()).unwrap(), expected);
}

fn typed(code: i32) -> TensorProto {
    TensorProto { data_type: Some(code), ..TensorProto::default() }
}

#[test]
fn every_typed_field_is_read() {
    let small = |code, values: &[i32]| TensorProto { int32_data: values.to_vec(), ..typed(code) };
    let large = |code, values: &[u64]| TensorProto { uint64_data: values.to_vec(), ..typed(code) };
    check(TensorProto { float_data: vec![1.0, -2.0, 0.5], ..typed(1) }, Data::F32(vec![1.0, -2.0, 0.5]));
    check(small(2, &[0, 7, 255]), Data::U8(vec![0, 7, 255]));
    check(small(3, &[-128, 0, 127]), Data::I8(vec![-128, 0, 127]));
    check(small(4, &[0, 1, 65535]), Data::U16(vec![0, 1, 65535]));
    check(small(5, &[-32768, 0, 1]), Data::I16(vec![-32768, 0, 1]));
    check(small(6, &[i32::MIN, 0, i32::MAX]), Data::I32(vec![i32::MIN, 0, i32::MAX]));
    check(TensorProto { int64_data: vec![i64::MIN, 0, 9], ..typed(7) }, Data::I64(vec![i64::MIN, 0, 9]));
    let texts = ["a", "", "ü"].map(|text| text.as_bytes().to_vec().into()).to_vec();
    check(
        TensorProto { string_data: texts, ..typed(8) },
        Data::String(["a", "", "ü"].map(String::from).to_vec()),
    );
    check(small(9, &[1, 0, 1]), Data::Bool(vec![true, false, true]));
    let halves = [f16::ONE, f16::from_f32(-2.5), f16::INFINITY];
    check(small(10, &halves.map(|x| i32::from(x.to_bits()))), Data::F16(halves.to_vec()));
    check(
        TensorProto { double_data: vec![1e300, 0.0, -1.0], ..typed(11) },
        Data::F64(vec![1e300, 0.0, -1.0]),
    );
    check(large(12, &[0, 1, u64::from(u32::MAX)]), Data::U32(vec![0, 1, u32::MAX]));
    check(large(13, &[0, 1, u64::MAX]), Data::U64(vec![0, 1, u64::MAX]));
    let brain = [bf16::ONE, bf16::from_f32(-2.5), bf16::NEG_INFINITY];
    check(small(16, &brain.map(|x| i32::from(x.to_bits()))), Data::BF16(brain.to_vec()));
}

#[test]
fn raw_bytes_are_little_endian() {
    let raw = |code, bytes: &[u8]| TensorProto { raw_data: Some(bytes.to_vec().into()), ..typed(code) };
    check(raw(1, &[0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 0, 63]), Data::F32(vec![1.0, -2.0, 0.5]));
    check(raw(2, &[1, 2, 255]), Data::U8(vec![1, 2, 255]));
    check(raw(3, &[1, 2, 255]), Data::I8(vec![1, 2, -1]));
    check(raw(4, &[1, 0, 0, 1, 255, 255]), Data::U16(vec![1, 256, 65535]));
    check(raw(5, &[1, 0, 0, 1, 255, 255]), Data::I16(vec![1, 256, -1]));
    check(raw(6, &[1, 0, 0, 0, 0, 1, 0, 0, 255, 255, 255, 255]), Data::I32(vec![1, 256, -1]));
    let mut longs = [0u8; 24];
    (longs[0], longs[9]) = (1, 1);
    longs[16..].fill(255);
    check(raw(7, &longs), Data::I64(vec![1, 256, -1]));
    check(raw(13, &longs), Data::U64(vec![1, 256, u64::MAX]));
    check(raw(9, &[0, 1, 2]), Data::Bool(vec![false, true, true]));
    check(raw(10, &[0, 60, 0, 192, 0, 56]), Data::F16([1.0, -2.0, 0.5].map(f16::from_f32).to_vec()));
    check(raw(16, &[128, 63, 0, 192, 0, 63]), Data::BF16([1.0, -2.0, 0.5].map(bf16::from_f32).to_vec()));
    check(raw(12, &[1, 0, 0, 0, 0, 1, 0, 0, 255, 255, 255, 255]), Data::U32(vec![1, 256, u32::MAX]));
    let doubles: Vec<u8> = [1.0f64, -2.0, 1e300].iter().flat_map(|x| x.to_le_bytes()).collect();
    check(raw(11, &doubles), Data::F64(vec![1.0, -2.0, 1e300]));
}

fn refusal(proto: TensorProto) -> Error {
    let proto = TensorProto { name: Some("w".to_owned()), ..proto };
    let graph = graph(vec![node("Add", &["x", "w"], &["y"], vec![])], vec![proto]);
    read_bytes(&bytes(&model(graph)), None).unwrap_err()
}

#[test]
fn elements_that_do_not_fit_the_shape_are_refused() {
    let three = floats("w", &[1.0, 2.0, 3.0]);
    let cases = [
        TensorProto { dims: vec![4], ..three.clone() },
        TensorProto { dims: vec![-3], ..three.clone() },
        TensorProto { dims: vec![i64::MAX, i64::MAX, 16], ..three.clone() },
        TensorProto { raw_data: Some(vec![0; 11].into()), float_data: vec![], ..three.clone() },
        TensorProto { data_type: Some(7), ..three.clone() },
    ];
    for case in cases {
        assert!(matches!(refusal(case.clone()), Error::NotOnnx { .. }), "{case:?}");
    }
    let text = refusal(TensorProto { dims: vec![4], ..three }).to_string();
    assert!(text.contains("tensor `w`: 3 elements for shape [4] of F32, expected 4"), "{text}");
}

#[test]
fn element_types_that_are_not_supported_are_named() {
    for (code, name) in
        [(14, "COMPLEX64"), (17, "FLOAT8E4M3FN"), (22, "INT4"), (0, "UNDEFINED"), (99, "number 99")]
    {
        let error = refusal(TensorProto { data_type: Some(code), ..floats("w", &[1.0]) });
        assert!(matches!(&error, Error::Unsupported { reason } if reason.contains(name)), "{error}");
    }
}

fn sparse(dims: Vec<i64>, values: &[f32], indices: &[i64], index_dims: Vec<i64>) -> SparseTensorProto {
    let indices = TensorProto { dims: index_dims, int64_data: indices.to_vec(), ..typed(7) };
    SparseTensorProto { values: Some(floats("w", values)), indices: Some(indices), dims }
}

fn read_sparse(tensor: SparseTensorProto) -> Result<Tensor, Error> {
    let mut graph = graph(vec![node("Add", &["x", "w"], &["y"], vec![])], vec![]);
    graph.sparse_initializer.push(tensor);
    let graph = read_bytes(&bytes(&model(graph)), None)?.graph;
    Ok(graph.constant(graph.wire("w").unwrap()).unwrap().as_ref().clone())
}

#[test]
fn sparse_tensors_become_dense() {
    let dense = Tensor::f32(&[2, 3], vec![0.0, 5.0, 0.0, 0.0, 0.0, 7.0]);
    assert_eq!(read_sparse(sparse(vec![2, 3], &[5.0, 7.0], &[1, 5], vec![2])).unwrap(), dense);
    assert_eq!(read_sparse(sparse(vec![2, 3], &[5.0, 7.0], &[0, 1, 1, 2], vec![2, 2])).unwrap(), dense);
}

#[test]
fn sparse_tensors_that_lie_are_refused() {
    let refused = |tensor| read_sparse(tensor).unwrap_err();
    assert!(matches!(refused(sparse(vec![2, 3], &[5.0], &[6], vec![1])), Error::NotOnnx { .. }));
    assert!(matches!(refused(sparse(vec![2, 3], &[5.0], &[-1], vec![1])), Error::NotOnnx { .. }));
    assert!(matches!(refused(sparse(vec![2, 3], &[5.0], &[0, 3], vec![1, 2])), Error::NotOnnx { .. }));
    assert!(matches!(refused(sparse(vec![2, 3], &[5.0], &[1, 2], vec![2])), Error::NotOnnx { .. }));
    // A few bytes must not stand for terabytes.
    assert!(matches!(refused(sparse(vec![1 << 40], &[5.0], &[6], vec![1])), Error::Unsupported { .. }));
}
