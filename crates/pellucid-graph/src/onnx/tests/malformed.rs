//! Each way a file can be wrong has an error that says so.

use super::messages::*;
use crate::error::Error;
use crate::onnx::proto::*;
use crate::onnx::scan::disagreements;
use crate::onnx::{Model, read, read_bytes};

fn read_model(model: &ModelProto) -> Result<Model, Error> {
    read_bytes(&bytes(model), None)
}

fn refusal(graph: GraphProto) -> Error {
    read_model(&model(graph)).unwrap_err()
}

#[test]
fn what_is_no_onnx_is_refused() {
    for other in [b"PK\x03\x04".as_slice(), b"{\"model\": 1}", b"<html>", &[], &[0xff; 64]] {
        let error = read_bytes(other, None).unwrap_err();
        assert!(matches!(error, Error::NotOnnx { .. }), "{error}");
    }
}

#[test]
fn the_error_names_the_file() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let error = super::super::read(&path).unwrap_err().to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
}

#[test]
fn a_truncated_file_is_refused() {
    let whole = bytes(&model(graph(vec![node("Relu", &["x"], &["y"], vec![])], vec![])));
    let error = read_bytes(&whole[..whole.len() - 3], None).unwrap_err();
    assert!(matches!(error, Error::NotOnnx { .. }), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = read(std::path::Path::new("/no/such/model.onnx")).unwrap_err();
    assert!(matches!(&error, Error::Read { path, .. } if path == "/no/such/model.onnx"), "{error}");
}

#[test]
fn nodes_in_a_circle_are_refused() {
    let circle = vec![node("Add", &["x", "b"], &["a"], vec![]), node("Relu", &["a"], &["b"], vec![])];
    let tail = vec![node("Relu", &["b"], &["y"], vec![])];
    let error = refusal(graph([circle, tail].concat(), vec![]));
    assert!(matches!(&error, Error::Cyclic { node } if node == "make_a" || node == "make_b"), "{error}");
    let error = refusal(graph(vec![node("Add", &["x", "y"], &["y"], vec![])], vec![]));
    assert_eq!(error, Error::Cyclic { node: "make_y".to_owned() });
}

#[test]
fn a_wire_that_nothing_makes_is_named() {
    let error = refusal(graph(vec![node("Add", &["x", "ghost"], &["y"], vec![])], vec![]));
    assert_eq!(error, Error::Dangling { node: "make_y".to_owned(), wire: "ghost".to_owned() });
    let error = refusal(graph(vec![node("Relu", &["x"], &["z"], vec![])], vec![]));
    assert!(matches!(&error, Error::Dangling { wire, .. } if wire == "y"), "{error}");
}

#[test]
fn a_wire_that_is_made_twice_is_named() {
    let relu = |output: &str| node("Relu", &["x"], &[output], vec![]);
    let twice = |wire: &str| Error::Duplicate { wire: wire.to_owned() };
    assert_eq!(refusal(graph(vec![relu("y"), relu("y")], vec![])), twice("y"));
    assert_eq!(refusal(graph(vec![relu("y"), relu("x")], vec![])), twice("x"));
    assert_eq!(refusal(graph(vec![relu("y")], vec![floats("w", &[1.0]), floats("w", &[2.0])])), twice("w"));
    let mut inputs = graph(vec![relu("y")], vec![]);
    inputs.input.push(float_info("x", &[1]));
    assert_eq!(refusal(inputs), twice("x"));
}

#[test]
fn nodes_in_any_order_are_sorted() {
    let nodes = vec![node("Relu", &["a"], &["y"], vec![]), node("Neg", &["x"], &["a"], vec![])];
    let graph = read_model(&model(graph(nodes, vec![]))).unwrap().graph;
    let ops: Vec<&str> = graph.nodes().iter().map(|node| node.op.as_str()).collect();
    assert_eq!(ops, ["Neg", "Relu"]);
}

#[test]
fn opsets_beyond_the_known_ones_are_refused() {
    let of = |version| {
        let graph = graph(vec![node("Relu", &["x"], &["y"], vec![])], vec![]);
        read_model(&ModelProto { opset_import: vec![opset("ai.onnx", version)], ..model(graph) })
    };
    for (version, said) in
        [(29, "newer than 28"), (6, "older than 7"), (i64::MAX, "newer"), (i64::MIN, "older")]
    {
        let error = of(version).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { reason } if reason.contains(said)), "{error}");
    }
    assert_eq!(of(28).unwrap().opsets[""], 28);
}

#[test]
fn inputs_that_are_no_tensors_are_refused_by_name() {
    let sequence = TypeValue::Sequence(Box::new(ElementOf { elem_type: None }));
    let map = TypeValue::Map(Box::new(MapType { key_type: Some(7), value_type: None }));
    for (value, said) in [(sequence, "a sequence"), (map, "a map")] {
        let mut graph = graph(vec![node("Relu", &["x"], &["y"], vec![])], vec![]);
        graph.input.push(info("other", value));
        let error = refusal(graph);
        assert!(
            matches!(&error, Error::Unsupported { reason } if reason.contains("`other`") && reason.contains(said))
        );
    }
    let error = refusal(graph(vec![node("SequenceConstruct", &["x"], &["y"], vec![])], vec![]));
    assert!(
        matches!(&error, Error::Unsupported { reason } if reason.contains("SequenceConstruct")),
        "{error}"
    );
}

#[test]
fn training_is_refused() {
    let norm = |attributes| node("BatchNormalization", &["x", "w", "w", "w", "w"], &["y"], attributes);
    let weights = || vec![floats("w", &[1.0, 1.0, 1.0])];
    let error = refusal(graph(vec![norm(vec![int("training_mode", 1)])], weights()));
    assert!(matches!(&error, Error::Unsupported { reason } if reason.contains("eval mode")), "{error}");
    assert!(read_model(&model(graph(vec![norm(vec![int("training_mode", 0)])], weights()))).is_ok());
}

#[test]
fn weights_that_are_also_inputs_become_constants() {
    let mut graph =
        graph(vec![node("Add", &["x", "w"], &["y"], vec![])], vec![floats("w", &[1.0, 2.0, 3.0])]);
    graph.input.push(float_info("w", &[3]));
    let graph = read_model(&ModelProto { ir_version: Some(3), ..model(graph) }).unwrap().graph;
    assert_eq!(graph.inputs().len(), 1);
    assert!(graph.constant(graph.wire("w").unwrap()).is_some());
}

#[test]
fn open_lengths_of_inputs_get_names() {
    let mut graph = graph(vec![node("Relu", &["x"], &["y"], vec![])], vec![]);
    graph.input[0] = float_info("x", &[-1, 3, -1]);
    graph.input.push(float_info("mask", &[-1]));
    let param =
        |text: &str| Dimension { value: Some(DimensionValue::Param(text.to_owned())), denotation: None };
    let dim = ["4*s0", "s0*2", "s0 + 1", "7"].map(param).to_vec();
    graph.input.push(info(
        "z",
        TypeValue::Tensor(TensorType { elem_type: Some(1), shape: Some(TensorShapeProto { dim }) }),
    ));
    let graph = read_model(&model(graph)).unwrap().graph;
    let shapes: Vec<String> =
        graph.inputs().iter().map(|w| crate::types::shape_text(graph.shape(*w).unwrap())).collect();
    assert_eq!(shapes, ["[N, 3, x_2]", "[N]", "[4*s0, 2*s0, s0 + 1, 7]"]);
}

#[test]
fn unknown_fields_are_warned_of() {
    let mut file = bytes(&model(graph(vec![node("Relu", &["x"], &["y"], vec![])], vec![])));
    // Field 100 of the model, a number.
    file.extend([0xa0, 0x06, 0x01]);
    let model = read_bytes(&file, None).unwrap();
    assert_eq!(
        model.warnings,
        ["the file has field 100 of ModelProto, which is newer than Pellucid and was left out"]
    );
}

#[test]
fn the_table_of_fields_is_that_of_the_messages() {
    assert_eq!(disagreements(), Vec::<String>::new());
}

#[test]
fn a_model_says_where_it_comes_from() {
    let graph = graph(vec![node("Relu", &["x"], &["y"], vec![])], vec![]);
    let entry = StringStringEntryProto { key: Some("author".to_owned()), value: Some("somebody".to_owned()) };
    let proto = ModelProto {
        producer_name: Some("pytorch".to_owned()),
        producer_version: Some("2.15".to_owned()),
        domain: Some("org.example".to_owned()),
        model_version: Some(4),
        metadata_props: vec![entry],
        ..model(graph)
    };
    let read = read_model(&proto).unwrap();
    assert_eq!((read.producer_name.as_str(), read.producer_version.as_str()), ("pytorch", "2.15"));
    assert_eq!((read.domain.as_str(), read.model_version, read.ir_version), ("org.example", 4, 8));
    assert_eq!(read.metadata["author"], "somebody");
    assert_eq!(read.digest, <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(bytes(&proto))));
}
