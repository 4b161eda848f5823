//! Old nodes in their canonical form, where no recorded file shows it.

use super::messages::*;
use super::round_trip;
use crate::error::Error;
use crate::graph::Graph;
use crate::onnx::proto::*;
use crate::onnx::read_bytes;
use crate::tensor::Tensor;

/// Reads one node of an opset; its inputs are `x`, `[?, 4, 6, 6]`, and whatever constants are given.
fn read_node(version: i64, node: NodeProto, constants: Vec<TensorProto>) -> Result<Graph, Error> {
    let mut graph = graph(vec![node], constants);
    graph.input = vec![float_info("x", &[-1, 4, 6, 6])];
    graph.output = vec![info("y", TypeValue::Tensor(TensorType { elem_type: Some(1), shape: None }))];
    let opset_import = vec![opset("", version), opset("ai.onnx.ml", version)];
    Ok(read_bytes(&bytes(&ModelProto { opset_import, ..model(graph) }), None)?.graph)
}

/// The only node after an upgrade, and the same after it was written and read.
fn check_same_after_writing(graph: &Graph) {
    let (once, again) = (graph.nodes(), round_trip(graph));
    assert_eq!(again.nodes()[0].attributes, once[0].attributes);
    assert_eq!((again.nodes().len(), &again.nodes()[0].op), (once.len(), &once[0].op));
}

fn text_attribute(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.to_owned().into()), ..attribute(name, AttributeType::String) }
}

fn ints(name: &str, elements: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![elements.len() as i64],
        data_type: Some(7),
        int64_data: elements.to_vec(),
        name: Some(name.to_owned()),
        ..TensorProto::default()
    }
}

#[test]
fn grid_sample_has_the_names_of_20() {
    let grid = TensorProto { dims: vec![1, 2, 2, 2], ..floats("grid", &[0.0; 8]) };
    for (version, mode, canonical) in
        [(16, "bilinear", "linear"), (16, "bicubic", "cubic"), (20, "linear", "linear")]
    {
        let node = node("GridSample", &["x", "grid"], &["y"], vec![text_attribute("mode", mode)]);
        let graph = read_node(version, node, vec![grid.clone()]).unwrap();
        assert_eq!(graph.nodes()[0].string("mode"), Some(canonical));
        check_same_after_writing(&graph);
    }
}

#[test]
fn the_axis_of_a_fourier_transform_is_an_input() {
    for (attributes, expected) in [(vec![int("axis", 2)], 2), (vec![], 1)] {
        let graph = read_node(17, node("DFT", &["x"], &["y"], attributes), vec![]).unwrap();
        let axis = graph.nodes()[0].inputs[2].unwrap();
        assert_eq!(**graph.constant(axis).unwrap(), Tensor::i64(&[], vec![expected]));
        check_same_after_writing(&graph);
    }
}

#[test]
fn regions_were_not_shifted_before_16() {
    let align = || node("RoiAlign", &["x", "rois", "batch"], &["y"], vec![]);
    let constants = || {
        vec![TensorProto { dims: vec![1, 4], ..floats("rois", &[0.0, 0.0, 1.0, 1.0]) }, ints("batch", &[0])]
    };
    let mode = |version| {
        let graph = read_node(version, align(), constants()).unwrap();
        graph.nodes()[0].string("coordinate_transformation_mode").map(str::to_owned)
    };
    assert_eq!(mode(10).as_deref(), Some("output_half_pixel"));
    assert_eq!(mode(16), None);
}

#[test]
fn scatter_is_scatter_elements() {
    let constants = vec![
        TensorProto { dims: vec![1; 4], ..ints("i", &[0]) },
        TensorProto { dims: vec![1; 4], ..floats("u", &[1.0]) },
    ];
    let graph =
        read_node(9, node("Scatter", &["x", "i", "u"], &["y"], vec![int("axis", 1)]), constants).unwrap();
    assert_eq!((graph.nodes()[0].op.as_str(), graph.nodes()[0].int("axis")), ("ScatterElements", Some(1)));
}

#[test]
fn resize_of_tensorflow_is_half_pixel_rounded_up() {
    let resize = |mode: &str| {
        let attributes = vec![
            text_attribute("coordinate_transformation_mode", "tf_half_pixel_for_nn"),
            text_attribute("nearest_mode", mode),
        ];
        let scales = floats("scales", &[1.0, 1.0, 0.5, 0.5]);
        read_node(11, node("Resize", &["x", "", "scales"], &["y"], attributes), vec![scales])
    };
    let graph = resize("floor").unwrap();
    assert_eq!(graph.nodes()[0].string("coordinate_transformation_mode"), Some("half_pixel"));
    assert_eq!(graph.nodes()[0].string("nearest_mode"), Some("round_prefer_ceil"));
    assert!(matches!(resize("ceil"), Err(Error::Unsupported { .. })));
    // floor((x + ½) / s) is (x + ½) / s − ½ with halves rounded up.
    for (x, s) in (0..40).flat_map(|x| [0.3, 0.5, 0.75, 1.5, 2.0].map(|s| (f64::from(x), s))) {
        let half_pixel = (x + 0.5) / s - 0.5;
        assert_eq!(((x + 0.5) / s).floor(), (half_pixel + 0.5).floor());
    }
}

#[test]
fn what_has_no_canonical_form_is_refused_with_its_name() {
    let weights = || vec![floats("w", &[1.0; 4])];
    let norm = |version, attributes, outputs: &[&str]| {
        read_node(
            version,
            node("BatchNormalization", &["x", "w", "w", "w", "w"], outputs, attributes),
            weights(),
        )
    };
    let scan = read_node(8, node("Scan", &["", "x"], &["y"], vec![int("num_scan_inputs", 1)]), vec![]);
    for result in
        [norm(7, vec![int("spatial", 0)], &["y"]), norm(9, vec![], &["y", "m", "v", "sm", "sv"]), scan]
    {
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::Unsupported { reason } if reason.contains("make_y")), "{error}");
    }
    assert!(norm(9, vec![int("spatial", 1), float("momentum", 0.9)], &["y"]).is_ok());
}

#[test]
fn opsets_of_machine_learning_are_kept() {
    let classes = AttributeProto {
        strings: vec!["cat".to_owned().into(), "dog".to_owned().into()],
        ..attribute("classes_strings", AttributeType::Strings)
    };
    let encoder = NodeProto {
        domain: Some("ai.onnx.ml".to_owned()),
        ..node("LabelEncoder", &["i"], &["y"], vec![classes])
    };
    let of = |version| {
        let mut graph = graph(vec![encoder.clone()], vec![ints("i", &[1])]);
        graph.output = vec![info("y", TypeValue::Tensor(TensorType { elem_type: Some(8), shape: None }))];
        let opset_import = vec![opset("", 13), opset("ai.onnx.ml", version)];
        read_bytes(&bytes(&ModelProto { opset_import, ..model(graph) }), None)
    };
    let graph = of(1).unwrap().graph;
    assert_eq!(graph.nodes()[0].full_op(), "ai.onnx.ml.LabelEncoder");
    assert_eq!(graph.nodes()[0].ints("keys_int64s"), Some([0, 1].as_slice()));
    check_same_after_writing(&graph);
    let error = of(6).unwrap_err();
    assert!(
        matches!(&error, Error::Unsupported { reason } if reason.contains("opset 6 of ai.onnx.ml")),
        "{error}"
    );
}

#[test]
fn a_graph_is_written_in_the_smallest_opset_that_fits() {
    let version = |op: &str, attributes: Vec<AttributeProto>, constants: Vec<TensorProto>| {
        let names: Vec<String> = constants.iter().map(|tensor| tensor.name().to_owned()).collect();
        let inputs: Vec<&str> = std::iter::once("x").chain(names.iter().map(String::as_str)).collect();
        let graph = read_node(28, node(op, &inputs, &["y"], attributes), constants).unwrap();
        read_bytes(&crate::onnx::write_bytes(&graph).unwrap(), None).unwrap().opsets[""]
    };
    let kernel = || AttributeProto { ints: vec![2, 2], ..attribute("kernel_shape", AttributeType::Ints) };
    let dilations = AttributeProto { ints: vec![2, 2], ..attribute("dilations", AttributeType::Ints) };
    let channels = |name: &str| floats(name, &[1.0; 4]);
    assert_eq!(version("Relu", vec![], vec![]), 18);
    assert_eq!(version("AveragePool", vec![kernel()], vec![]), 18);
    assert_eq!(version("AveragePool", vec![kernel(), dilations], vec![]), 19);
    assert_eq!(version("Gelu", vec![], vec![]), 20);
    assert_eq!(
        version("GroupNormalization", vec![int("num_groups", 2)], vec![channels("s"), channels("b")]),
        21
    );
    assert_eq!(version("RMSNormalization", vec![], vec![floats("s", &[1.0; 6])]), 23);
    assert_eq!(version("Swish", vec![], vec![]), 24);
}
