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

use super::{digest, read_bytes, write_bytes};
use crate::graph::Graph;
use crate::text;

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
