//! Reading and writing, against graphs as text and against messages made by hand.

mod bodies;
mod encodings;
mod external;
mod fixtures;
mod functions;
mod hostile;
mod malformed;
mod messages;
mod npz;
mod upgrades;

use std::sync::Arc;

use prost::Message;

use super::proto::ModelProto;
use super::{digest, read_bytes, value_type, write_bytes};
use crate::graph::{Attribute, Graph};
use crate::tensor::{Data, Tensor};
use crate::text;
use crate::types::Dim;

/// Writes a graph and reads it back.
fn round_trip(graph: &Graph) -> Graph {
    read_bytes(&write_bytes(graph).unwrap(), None).unwrap().graph
}

#[test]
fn a_written_graph_reads_back_equal() {
    let graph = text::parse(
        "small (float[N,3] x, int64[2] i) => (float[N,2] y, int64[2] i)
         <float[3,2] w = {1, 0, 0, 1, -1, 2}>
         {
             h = MatMul(x, w)
             [last] y = Relu(h)
         }",
    )
    .unwrap();
    assert_eq!(text::print(&round_trip(&graph)), text::print(&graph));
}

#[test]
fn nodes_of_one_name_are_told_apart() {
    let graph =
        text::parse("g (float[N] x) => (float[N] y) { [twin] h = Neg(x) [twin] y = Exp(h) }").unwrap();
    let read = round_trip(&graph);
    let names: Vec<&str> = read.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["twin", "twin/1"]);
}

#[test]
fn the_digest_tells_graphs_apart() {
    let digest_of = |source: &str| digest(&text::parse(source).unwrap()).unwrap();
    let graph = "g (float[N] x) => (float[N] y) <float[1] w = {1}> { y = Mul(x, w) }";
    assert_eq!(digest_of(graph), digest_of(graph));
    for (from, to) in [("{1}", "{2}"), ("Mul", "Add"), ("[N] x", "[3] x"), ("(x, w)", "(w, x)")] {
        assert_ne!(digest_of(graph), digest_of(&graph.replace(from, to)), "{to} for {from}");
    }
}

#[test]
fn lengths_that_only_a_run_tells_are_written() {
    let graph = text::parse(
        "g (float[N,2,3] x) => (float[N,6] y) <int64[2] flat = {-1, 6}, float[6] c = {1, 2, 3, 4, 5, 6}>
         { a = Reshape(x, flat) b = Neg(c) y = Add(a, b) }",
    );
    let bytes = write_bytes(&graph.unwrap()).unwrap();
    let infos = ModelProto::decode(bytes.as_slice()).unwrap().graph.unwrap().value_info;
    let lengths_of = |name: &str| {
        let info = infos.iter().find(|info| info.name() == name)?;
        Some(value_type::stated(info).shape.unwrap().iter().map(Dim::to_string).collect::<Vec<_>>())
    };
    assert_eq!(lengths_of("a"), Some(vec!["N".to_owned(), "6".to_owned()]));
    assert_eq!(lengths_of("b"), None, "every runtime infers it");
}

#[test]
fn attributes_of_every_kind_survive_a_round_trip() {
    let tensor = Arc::new(Tensor::f32(&[2], vec![1.0, f32::NEG_INFINITY]));
    let attributes = [
        ("a", Attribute::Int(i64::MIN)),
        ("b", Attribute::Int(0)),
        ("c", Attribute::Float(-0.5)),
        ("d", Attribute::String("ü \" \n".to_owned())),
        ("e", Attribute::Tensor(tensor.clone())),
        ("f", Attribute::Ints(vec![0, -1, i64::MAX])),
        ("g", Attribute::Ints(vec![])),
        ("h", Attribute::Floats(vec![0.0, 1e30])),
        ("i", Attribute::Strings(vec![String::new(), "b".to_owned()])),
        ("j", Attribute::Tensors(vec![tensor])),
    ];
    let mut graph = text::parse("g (float[N] x) => (float[N] x) {}").unwrap();
    let x = graph.inputs()[0];
    let y = graph.node("Unheard", &[x], &attributes);
    graph.set_outputs(&[y, x, y]);
    let read = round_trip(&graph);
    assert_eq!(read.nodes()[0].attributes, graph.nodes()[0].attributes);
    let names: Vec<&str> = read.outputs().iter().map(|wire| read.name_of(*wire)).collect();
    // Names of outputs are unique in a file.
    assert_eq!(names, ["Unheard_0:0", "x", "Unheard_0:0/output_2"]);
}
