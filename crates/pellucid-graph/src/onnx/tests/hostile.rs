//! Bytes from strangers: errors or valid graphs, never a panic, never much memory or time.

use super::messages::*;
use crate::error::Error;
use crate::onnx::proto::*;
use crate::onnx::{read_bytes, write_bytes};

const N_MUTATIONS: usize = 10_000;

/// A model with one of everything: weights in several encodings, a function, a body, metadata.
fn victim() -> Vec<u8> {
    let axes = AttributeProto { ints: vec![1], ..attribute("axes", AttributeType::Ints) };
    let mut inner = graph(vec![node("Mul", &["h", "w"], &["t"], vec![])], vec![]);
    (inner.input, inner.output) = (vec![], vec![float_info("t", &[-1, 3])]);
    let function = FunctionProto {
        name: Some("F".to_owned()),
        domain: Some("local".to_owned()),
        input: strings(&["a"]),
        output: strings(&["b"]),
        node: vec![node(
            "LeakyRelu",
            &["a"],
            &["b"],
            vec![AttributeProto {
                ref_attr_name: Some("slope".to_owned()),
                ..attribute("alpha", AttributeType::Float)
            }],
        )],
        opset_import: vec![opset("", 13)],
        attribute_proto: vec![float("slope", 0.1)],
        ..FunctionProto::default()
    };
    let nodes = vec![
        node("Constant", &[], &["k"], vec![float("value_float", 2.0)]),
        node("Gemm", &["x", "square"], &["g"], vec![int("transB", 1)]),
        NodeProto { domain: Some("local".to_owned()), ..node("F", &["g"], &["f"], vec![]) },
        node("Softmax", &["f"], &["s"], vec![int("axis", 1)]),
        node("ReduceMean", &["s"], &["m"], vec![axes]),
        node("Sub", &["s", "m"], &["h"], vec![]),
        node("If", &["c"], &["b"], vec![body("then_branch", inner.clone()), body("else_branch", inner)]),
        node("Clip", &["b", "", "k"], &["y"], vec![]),
    ];
    let weights = TensorProto {
        dims: vec![3, 3],
        data_type: Some(1),
        raw_data: Some((0..36).collect::<Vec<u8>>().into()),
        name: Some("square".to_owned()),
        ..TensorProto::default()
    };
    let mut graph = graph(nodes, vec![floats("w", &[1.0, 2.0, 3.0]), weights]);
    let shape = Some(TensorShapeProto::default());
    graph.input.push(info("c", TypeValue::Tensor(TensorType { elem_type: Some(9), shape })));
    let opset_import = vec![opset("", 13), opset("local", 1)];
    bytes(&ModelProto { functions: vec![function], opset_import, ..model(graph) })
}

/// The next number of a small generator (xorshift).
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state as usize
}

/// Cuts the bytes short or flips up to three bits.
fn mutated(bytes: &[u8], state: &mut u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match next(state) % 8 {
        0 => bytes.truncate(next(state) % bytes.len()),
        kind => {
            for _ in 0..1 + kind % 3 {
                let at = next(state) % bytes.len();
                bytes[at] ^= 1 << (next(state) % 8);
            }
        }
    }
    bytes
}

/// Reads mutations of a file, and counts those that are still models. What was read can be written and read again.
fn n_read(file: &[u8], n_mutations: usize, state: &mut u64) -> usize {
    let is_read = |bytes: &Vec<u8>| {
        let Ok(model) = read_bytes(bytes, None) else { return false };
        let written = write_bytes(&model.graph).unwrap();
        read_bytes(&written, None)
            .unwrap_or_else(|error| panic!("{error} after a round trip of {bytes:02x?}"));
        true
    };
    (0..n_mutations).filter(|_| is_read(&mutated(file, state))).count()
}

#[test]
fn mutations_give_errors_or_graphs() {
    let victim = victim();
    read_bytes(&victim, None).unwrap();
    let n_read = n_read(&victim, N_MUTATIONS, &mut 0x9E37_79B9_7F4A_7C15);
    assert!(n_read > N_MUTATIONS / 100, "hardly a mutation gets past the decoder: {n_read}");
}

#[test]
fn mutations_of_every_op_give_errors_or_graphs() {
    let mut state = 0xD1B5_4A32_D192_ED03;
    for path in super::fixtures::fixtures("upgrade") {
        n_read(&std::fs::read(path).unwrap(), N_MUTATIONS / 20, &mut state);
    }
}

#[test]
fn random_bytes_give_errors() {
    let mut state = 7;
    for length in 1..500 {
        let bytes: Vec<u8> = (0..length).map(|_| next(&mut state) as u8).collect();
        assert!(read_bytes(&bytes, None).is_err());
    }
}

#[test]
fn a_few_bytes_do_not_fill_memory_with_messages() {
    // Empty nodes take two bytes each in the file, and hundreds in memory.
    let n_nodes = 3_000_000usize;
    let mut file = vec![0x3a];
    prost::encoding::encode_varint(2 * n_nodes as u64, &mut file);
    file.extend([0x0a, 0x00].repeat(n_nodes));
    let error = read_bytes(&file, None).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { reason } if reason.contains("memory")), "{error}");
}

#[test]
fn a_few_bytes_do_not_fill_memory_with_tensors() {
    // A weight that a function takes along in each of its many calls.
    let weight =
        TensorProto { raw_data: Some(vec![0; 4 << 20].into()), float_data: vec![], ..floats("", &[]) };
    let weight = TensorProto { dims: vec![1 << 20], ..weight };
    let value = AttributeProto { t: Some(weight.into()), ..attribute("value", AttributeType::Tensor) };
    let function = FunctionProto {
        name: Some("F".to_owned()),
        domain: Some("local".to_owned()),
        output: strings(&["b"]),
        node: vec![node("Constant", &[], &["b"], vec![value])],
        opset_import: vec![opset("", 18)],
        ..FunctionProto::default()
    };
    let call = |i: usize| NodeProto {
        domain: Some("local".to_owned()),
        ..node("F", &[], &[format!("w{i}").as_str()], vec![])
    };
    let mut nodes: Vec<NodeProto> = (0..1000).map(call).collect();
    nodes.push(node("Relu", &["x"], &["y"], vec![]));
    let opset_import = vec![opset("", 18), opset("local", 1)];
    let model = ModelProto { functions: vec![function], opset_import, ..model(graph(nodes, vec![])) };
    let error = read_bytes(&bytes(&model), None).unwrap_err();
    assert!(
        matches!(&error, Error::Unsupported { reason } if reason.contains("out of proportion")),
        "{error}"
    );
}
