//! Short forms of the messages that tests make by hand.

use prost::Message;

use crate::onnx::proto::*;

/// An attribute of the given type.
pub(super) fn attribute(name: &str, ty: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(ty as i32), ..AttributeProto::default() }
}

/// An integer attribute.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

/// A float attribute.
pub(super) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, AttributeType::Float) }
}

/// A graph attribute.
pub(super) fn body(name: &str, graph: GraphProto) -> AttributeProto {
    AttributeProto { g: Some(graph.into()), ..attribute(name, AttributeType::Graph) }
}

/// A node of the default domain, named like its first output.
pub(super) fn node(op: &str, inputs: &[&str], outputs: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        input: strings(inputs),
        output: strings(outputs),
        name: Some(format!("make_{}", outputs.first().unwrap_or(&""))),
        op_type: Some(op.to_owned()),
        attribute,
        ..NodeProto::default()
    }
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A wire of float32; -1 leaves a length open.
pub(super) fn float_info(name: &str, lengths: &[i64]) -> ValueInfoProto {
    let dimension =
        |&n: &i64| Dimension { value: (n >= 0).then_some(DimensionValue::Value(n)), denotation: None };
    let shape = Some(TensorShapeProto { dim: lengths.iter().map(dimension).collect() });
    let tensor = TensorType { elem_type: Some(1), shape };
    info(name, TypeValue::Tensor(tensor))
}

pub(super) fn info(name: &str, value: TypeValue) -> ValueInfoProto {
    let ty = TypeProto { value: Some(value), denotation: None };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(ty), ..ValueInfoProto::default() }
}

/// A vector of float32.
pub(super) fn floats(name: &str, elements: &[f32]) -> TensorProto {
    TensorProto {
        dims: vec![elements.len() as i64],
        data_type: Some(1),
        float_data: elements.to_vec(),
        name: Some(name.to_owned()),
        ..TensorProto::default()
    }
}

/// A graph from `x`, float32 `[?, 3]`, to `y`.
pub(super) fn graph(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> GraphProto {
    GraphProto {
        node,
        name: Some("by_hand".to_owned()),
        initializer,
        input: vec![float_info("x", &[-1, 3])],
        output: vec![float_info("y", &[-1, 3])],
        ..GraphProto::default()
    }
}

/// A model of opset 18.
pub(super) fn model(graph: GraphProto) -> ModelProto {
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![opset("", 18)],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

pub(super) fn opset(domain: &str, version: i64) -> OperatorSetIdProto {
    OperatorSetIdProto { domain: Some(domain.to_owned()), version: Some(version) }
}

/// The bytes of a model.
pub(super) fn bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}
