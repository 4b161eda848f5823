//! Reading and writing, against graphs as text and against messages made by hand.

use super::{read_bytes, write_bytes};
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
