//! Graphs within graphs: the branches of `If`, the bodies of loops.

use super::messages::*;
use super::round_trip;
use crate::error::Error;
use crate::evaluate::evaluate;
use crate::graph::Attribute;
use crate::onnx::nodes::CAPTURES;
use crate::onnx::proto::*;
use crate::onnx::read_bytes;
use crate::tensor::Tensor;

/// A branch without inputs, from nodes to one output.
fn branch(node: Vec<NodeProto>, output: &str) -> GraphProto {
    GraphProto { node, input: vec![], output: vec![float_info(output, &[-1, 3])], ..graph(vec![], vec![]) }
}

fn condition(holds: bool) -> TensorProto {
    TensorProto {
        data_type: Some(9),
        int32_data: vec![holds.into()],
        name: Some("condition".to_owned()),
        ..TensorProto::default()
    }
}

/// `y = if condition { relu(h) } else { -h }` with `h = x + x`.
fn choice() -> GraphProto {
    let branches = vec![
        body("then_branch", branch(vec![node("Relu", &["h"], &["t"], vec![])], "t")),
        body("else_branch", branch(vec![node("Neg", &["h"], &["t"], vec![])], "t")),
    ];
    let nodes = vec![node("Add", &["x", "x"], &["h"], vec![]), node("If", &["condition"], &["y"], branches)];
    graph(nodes, vec![])
}

#[test]
fn a_decided_branch_is_inlined() {
    for (holds, expected) in [(true, [0.0, 4.0, 6.0]), (false, [2.0, -4.0, -6.0])] {
        let proto = GraphProto { initializer: vec![condition(holds)], ..choice() };
        let graph = read_bytes(&bytes(&model(proto)), None).unwrap().graph;
        assert!(graph.nodes().iter().all(|node| node.op != "If"));
        let output = evaluate(&graph, &[Tensor::f32(&[1, 3], vec![-1.0, 2.0, 3.0])]).unwrap();
        assert_eq!(output[0].to_f64s(), expected);
    }
}

#[test]
fn a_branch_is_decided_by_known_lengths() {
    // Exporters ask whether an axis has length 1 before they squeeze it.
    let mut proto = choice();
    let three = TensorProto { data_type: Some(7), int64_data: vec![3], ..floats("three", &[0.0]) };
    let three = TensorProto { dims: vec![], float_data: vec![], ..three };
    let one = TensorProto { int64_data: vec![1], name: Some("one".to_owned()), ..three.clone() };
    proto.initializer = vec![three, one];
    let asked = vec![
        node("Shape", &["x"], &["shape"], vec![]),
        node("Gather", &["shape", "one"], &["length"], vec![]),
        node("Equal", &["length", "three"], &["condition"], vec![]),
    ];
    proto.node.splice(0..0, asked);
    let graph = read_bytes(&bytes(&model(proto)), None).unwrap().graph;
    assert_eq!(graph.producer(graph.outputs()[0]).unwrap().op, "Relu");
}

#[test]
fn bodies_take_wires_from_around_them() {
    let mut proto = choice();
    let shape = Some(TensorShapeProto::default());
    proto.input.push(info("condition", TypeValue::Tensor(TensorType { elem_type: Some(9), shape })));
    let read = read_bytes(&bytes(&model(proto)), None).unwrap().graph;
    for graph in [&read, &round_trip(&read)] {
        let node = graph.nodes().last().unwrap();
        let names: Vec<&str> = node.inputs.iter().flatten().map(|wire| graph.name_of(*wire)).collect();
        assert_eq!((names.as_slice(), node.int(CAPTURES)), (["condition", "h"].as_slice(), Some(1)));
        let Some(Attribute::Graph(body)) = node.attributes.get("then_branch") else { panic!("a branch") };
        assert_eq!((body.inputs().len(), body.nodes().len()), (1, 1));
        assert_eq!(body.type_of(body.inputs()[0]), graph.type_of(graph.wire("h").unwrap()));
    }
}

#[test]
fn a_body_may_not_read_what_is_not_there() {
    let mut proto = choice();
    proto.node.remove(0);
    proto.initializer = vec![condition(true)];
    let error = read_bytes(&bytes(&model(proto)), None).unwrap_err();
    assert!(matches!(&error, Error::Dangling { wire, .. } if wire == "h"), "{error}");
}

#[test]
fn a_loops_state_and_captures_are_told_apart() {
    let scalar = |code| {
        TypeValue::Tensor(TensorType { elem_type: Some(code), shape: Some(TensorShapeProto::default()) })
    };
    let inner = GraphProto {
        node: vec![
            node("Identity", &["go"], &["go_on"], vec![]),
            node("Mul", &["state", "h"], &["next"], vec![]),
        ],
        input: vec![info("i", scalar(7)), info("go", scalar(9)), float_info("state", &[-1, 3])],
        output: vec![info("go_on", scalar(9)), float_info("next", &[-1, 3])],
        ..graph(vec![], vec![])
    };
    let nodes = vec![
        node("Add", &["x", "x"], &["h"], vec![]),
        node("Loop", &["n", "", "x"], &["y"], vec![body("body", inner)]),
    ];
    let mut proto = graph(nodes, vec![]);
    proto.input.push(info("n", scalar(7)));
    let read = read_bytes(&bytes(&model(proto)), None).unwrap().graph;
    let again = round_trip(&read);
    for graph in [&read, &again] {
        let node = graph.nodes().last().unwrap();
        assert_eq!((node.inputs.len(), node.int(CAPTURES)), (4, Some(1)));
        let Some(Attribute::Graph(body)) = node.attributes.get("body") else { panic!("a body") };
        let names: Vec<&str> = body.inputs().iter().map(|wire| body.name_of(*wire)).collect();
        assert_eq!(names, ["i", "go", "state", "h"]);
    }
}

#[test]
fn bodies_too_deep_are_refused() {
    let mut inner = branch(vec![node("Relu", &["x"], &["t"], vec![])], "t");
    for _ in 0..200 {
        let branches = vec![body("then_branch", inner.clone()), body("else_branch", branch(vec![], "x"))];
        inner = branch(vec![node("If", &["condition"], &["t"], branches)], "t");
    }
    let mut proto = graph(inner.node, vec![condition(true)]);
    proto.output = vec![float_info("t", &[-1, 3])];
    assert!(matches!(read_bytes(&bytes(&model(proto)), None), Err(Error::NotOnnx { .. })));
}
