//! Which opsets a graph must be written in, so that each node has its canonical meaning.

use std::collections::BTreeMap;

use super::proto::OperatorSetIdProto;
use super::upgrade::first_opset;
use crate::graph::{Graph, Node, Wire};
use crate::tensor::ElementType;

/// The opset that nodes are written in unless they need a newer one.
const CANONICAL: i64 = 18;

/// The domains of a graph and its bodies, with the version of each: the smallest that says what all nodes mean.
pub(super) fn imports(graph: &Graph) -> Vec<OperatorSetIdProto> {
    let mut versions = BTreeMap::from([(String::new(), CANONICAL)]);
    let mut graphs = vec![graph];
    while let Some(graph) = graphs.pop() {
        for node in graph.nodes() {
            let version = versions.entry(node.domain.clone()).or_insert(1);
            *version = needed(graph, node).max(*version);
            graphs.extend(node.bodies());
        }
    }
    let import = |(domain, version)| OperatorSetIdProto { domain: Some(domain), version: Some(version) };
    versions.into_iter().map(import).collect()
}

/// The oldest file format that knows an opset.
pub(super) fn ir_version(imports: &[OperatorSetIdProto]) -> i64 {
    let default = imports.iter().find(|import| import.domain().is_empty());
    match default.map_or(CANONICAL, OperatorSetIdProto::version) {
        ..=18 => 8,
        19..=20 => 9,
        21..=22 => 10,
        23 => 11,
        24 => 12,
        25..=27 => 13,
        _ => 14,
    }
}

/// The oldest version of its domain in which a node has its canonical meaning.
fn needed(graph: &Graph, node: &Node) -> i64 {
    match node.domain.as_str() {
        "" => first_opset(&node.op).unwrap_or(CANONICAL).max(needed_default(graph, node)),
        "ai.onnx.ml" => needed_ml(node),
        _ => 1,
    }
}

fn needed_default(graph: &Graph, node: &Node) -> i64 {
    let has = |name: &str| node.attributes.contains_key(name);
    let says = |name: &str, value: &str| node.string(name) == Some(value);
    let input = |i: usize| node.inputs.get(i).copied().flatten();
    let element = |i: usize| input(i).map_or(ElementType::Unknown, |wire: Wire| graph.element(wire));
    match node.op.as_str() {
        "AveragePool" if has("dilations") || node.int("ceil_mode") == Some(1) => 19,
        "Pad" if says("mode", "wrap") => 19,
        "Resize" if says("coordinate_transformation_mode", "half_pixel_symmetric") => 19,
        "Equal" if element(0) == ElementType::String => 19,
        "ReduceMax" | "ReduceMin" if element(0) == ElementType::Bool => 20,
        "GridSample" if has("mode") && !says("mode", "nearest") => 20,
        "DFT" => 20,
        "GroupNormalization" => 21,
        "QuantizeLinear" if has("precision") => 23,
        "DequantizeLinear" if has("output_dtype") => 23,
        "QuantizeLinear" | "DequantizeLinear" if has("block_size") || has("output_dtype") => 21,
        "QuantizeLinear" | "DequantizeLinear" if element(1) != ElementType::F32 => 19,
        "Attention" if has("left_window_size") || has("right_window_size") => 25,
        "Attention" if input(6).is_some() => 24,
        "Range" if has("stash_type") => 27,
        "SpaceToDepth" if says("mode", "CRD") => 28,
        "Mod" if element(0).is_float() && node.int("fmod").unwrap_or(0) == 0 => 28,
        "BitShift" if is_signed(element(0)) => 28,
        _ => CANONICAL,
    }
}

fn is_signed(element: ElementType) -> bool {
    matches!(element, ElementType::I8 | ElementType::I16 | ElementType::I32 | ElementType::I64)
}

fn needed_ml(node: &Node) -> i64 {
    match node.op.as_str() {
        "TreeEnsemble" => 5,
        "LabelEncoder" if node.attributes.contains_key("keys_tensor") => 4,
        // The ensembles of trees of 3 are deprecated in 5.
        _ => 3,
    }
}
