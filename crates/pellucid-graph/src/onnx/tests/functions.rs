//! Local functions are inlined.

use super::messages::*;
use crate::error::Error;
use crate::evaluate::evaluate;
use crate::onnx::proto::*;
use crate::onnx::read_bytes;
use crate::tensor::Tensor;
use crate::text;

/// A function of domain `local`.
fn function(name: &str, inputs: &[&str], outputs: &[&str], node: Vec<NodeProto>) -> FunctionProto {
    FunctionProto {
        name: Some(name.to_owned()),
        domain: Some("local".to_owned()),
        input: strings(inputs),
        output: strings(outputs),
        node,
        opset_import: vec![opset("", 18), opset("local", 1)],
        ..FunctionProto::default()
    }
}

fn call(name: &str, inputs: &[&str], outputs: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto { domain: Some("local".to_owned()), ..node(name, inputs, outputs, attribute) }
}

/// `name = @reference`
fn reference(name: &str, ty: AttributeType, reference: &str) -> AttributeProto {
    AttributeProto { ref_attr_name: Some(reference.to_owned()), ..attribute(name, ty) }
}

fn model_with(functions: Vec<FunctionProto>, nodes: Vec<NodeProto>) -> ModelProto {
    let opset_import = vec![opset("", 18), opset("local", 1)];
    ModelProto { functions, opset_import, ..model(graph(nodes, vec![])) }
}

fn run(model: &ModelProto) -> Vec<f64> {
    let graph = read_bytes(&bytes(model), None).unwrap().graph;
    evaluate(&graph, &[Tensor::f32(&[1, 3], vec![-1.0, 2.0, 3.0])]).unwrap()[0].to_f64s()
}

#[test]
fn a_call_becomes_the_functions_nodes() {
    let square = function("Square", &["a"], &["b"], vec![node("Mul", &["a", "a"], &["b"], vec![])]);
    let nodes = vec![call("Square", &["x"], &["h"], vec![]), call("Square", &["h"], &["y"], vec![])];
    let model = model_with(vec![square], nodes);
    let graph = read_bytes(&bytes(&model), None).unwrap().graph;
    assert_eq!(
        text::print(&graph),
        "by_hand (float[N,3] x) => (float[N,3] y)
{
    [make_h/make_b] h = Mul(x, x)
    [make_y/make_b] y = Mul(h, h)
}
"
    );
    assert_eq!(run(&model), [1.0, 16.0, 81.0]);
}

#[test]
fn functions_call_functions_and_pass_attributes_on() {
    let scale = vec![
        node("Constant", &[], &["k"], vec![reference("value_float", AttributeType::Float, "by")]),
        node("Mul", &["a", "k"], &["b"], vec![]),
    ];
    let inner = FunctionProto {
        attribute_proto: vec![float("by", 10.0)],
        ..function("Scale", &["a"], &["b"], scale)
    };
    let outer_nodes = vec![
        call("Scale", &["a"], &["t"], vec![reference("by", AttributeType::Float, "factor")]),
        call("Scale", &["t"], &["b"], vec![]),
    ];
    let outer =
        FunctionProto { attribute: strings(&["factor"]), ..function("Outer", &["a"], &["b"], outer_nodes) };
    let given = vec![call("Outer", &["x"], &["y"], vec![float("factor", 0.5)])];
    assert_eq!(run(&model_with(vec![inner.clone(), outer.clone()], given)), [-5.0, 10.0, 15.0]);
    // Without a value of its own, the inner default holds.
    let left_out = vec![call("Outer", &["x"], &["y"], vec![])];
    assert_eq!(run(&model_with(vec![inner, outer], left_out)), [-100.0, 200.0, 300.0]);
}

#[test]
fn overloads_are_told_apart() {
    let overload = |name: &str, op: &str| FunctionProto {
        overload: Some(name.to_owned()),
        ..function("F", &["a"], &["b"], vec![node(op, &["a"], &["b"], vec![])])
    };
    let call = NodeProto { overload: Some("second".to_owned()), ..call("F", &["x"], &["y"], vec![]) };
    let functions = vec![overload("first", "Relu"), overload("second", "Neg")];
    assert_eq!(run(&model_with(functions, vec![call])), [1.0, -2.0, -3.0]);
}

#[test]
fn a_function_has_its_own_opset() {
    // Axes are an attribute here, and an input in the model's own opset.
    let axes = AttributeProto { ints: vec![1], ..attribute("axes", AttributeType::Ints) };
    let mean = function("F", &["a"], &["b"], vec![node("ReduceMean", &["a"], &["b"], vec![axes])]);
    let mean = FunctionProto { opset_import: vec![opset("", 13)], ..mean };
    let nodes = vec![call("F", &["x"], &["m"], vec![]), node("Sub", &["x", "m"], &["y"], vec![])];
    assert_eq!(run(&model_with(vec![mean], nodes)), [-1.0 - 4.0 / 3.0, 2.0 - 4.0 / 3.0, 3.0 - 4.0 / 3.0]);
}

#[test]
fn an_output_may_be_an_input_or_left_out() {
    let both = function("F", &["a", "b"], &["b", "a"], vec![]);
    assert_eq!(
        run(&model_with(vec![both.clone()], vec![call("F", &["", "x"], &["y", "z"], vec![])])),
        [-1.0, 2.0, 3.0]
    );
    let nodes = vec![call("F", &["", "x"], &["y"], vec![])];
    assert_eq!(run(&model_with(vec![both], nodes)), [-1.0, 2.0, 3.0]);
}

#[test]
fn functions_in_a_circle_are_refused() {
    let f = function("F", &["a"], &["b"], vec![call("G", &["a"], &["b"], vec![])]);
    let g = function("G", &["a"], &["b"], vec![call("F", &["a"], &["b"], vec![])]);
    let error = read_bytes(&bytes(&model_with(vec![f, g], vec![call("F", &["x"], &["y"], vec![])])), None)
        .unwrap_err();
    assert!(matches!(&error, Error::Cyclic { .. }), "{error}");
}

#[test]
fn functions_that_grow_without_bound_are_refused() {
    // Each calls the next twice: 2^30 nodes from a file of a few kilobytes.
    let name = |level: usize| format!("F{level}");
    let doubling = |level: usize| {
        let next = name(level + 1);
        let nodes = vec![call(&next, &["a"], &["t"], vec![]), call(&next, &["t"], &["b"], vec![])];
        function(&name(level), &["a"], &["b"], nodes)
    };
    let mut functions: Vec<FunctionProto> = (0..30).map(doubling).collect();
    functions.push(function(&name(30), &["a"], &["b"], vec![node("Relu", &["a"], &["b"], vec![])]));
    let error = read_bytes(&bytes(&model_with(functions, vec![call("F0", &["x"], &["y"], vec![])])), None)
        .unwrap_err();
    assert!(matches!(&error, Error::Unsupported { reason } if reason.contains("functions")), "{error}");
}
