//! Loops whose number of turns is known, with a body each, which text has no words for.

use crate::graph::{Attribute, Graph, Wire};
use crate::onnx::CAPTURES;
use crate::tensor::Tensor;
use crate::text;

/// A graph with a loop and float inputs for it.
pub struct LoopCase {
    /// What it shows.
    pub name: &'static str,
    /// One float input and one or two float outputs.
    pub graph: Graph,
    /// Values of the inputs.
    pub inputs: Vec<Tensor>,
    /// The same written out by hand.
    pub written_out: Graph,
}

fn parse(source: &str) -> Graph {
    text::parse(source).unwrap_or_else(|error| panic!("{error} in {source}"))
}

/// `graph` with one more node, which has a body and reads the wires named.
fn with_loop(
    graph: &str,
    op: &str,
    inputs: &[&str],
    body: &str,
    attributes: &[(&str, Attribute)],
    n: usize,
) -> Graph {
    let mut graph = parse(graph);
    let wire = |name: &&str| graph.wire(name).unwrap_or_else(|error| panic!("{error}"));
    let inputs: Vec<Wire> = inputs.iter().map(wire).collect();
    let mut attributes = attributes.to_vec();
    attributes.push(("body", Attribute::Graph(parse(body).into())));
    let outputs = graph.node_outputs(op, &inputs, &attributes, n);
    graph.set_outputs(&outputs);
    graph
}

/// A running product of the steps, from the last to the first, with a captured factor.
fn scan_backwards() -> LoopCase {
    LoopCase {
        name: "Scan backwards",
        graph: with_loop(
            "outer (float[2,3] x, float[2] start, float[2] factor) => (float[2] start) { }",
            "Scan",
            &["start", "x", "factor"],
            "body (float[2] state, float[2] piece, float[2] factor) => (float[2] next, float[2] kept)
             { moved = Mul(state, piece) next = Add(moved, factor) kept = Neg(next) }",
            &[
                ("num_scan_inputs", Attribute::Int(1)),
                ("scan_input_axes", Attribute::Ints(vec![1])),
                ("scan_input_directions", Attribute::Ints(vec![1])),
                ("scan_output_directions", Attribute::Ints(vec![1])),
                (CAPTURES, Attribute::Int(1)),
            ],
            2,
        ),
        inputs: vec![
            Tensor::f64(&[2, 3], vec![0.5, -1.5, 0.75, 2.0, 1.25, -0.5]),
            Tensor::f64(&[2], vec![1.0, -0.5]),
            Tensor::f64(&[2], vec![0.25, 0.125]),
        ],
        written_out: parse(
            "g (float[2,3] x, float[2] start, float[2] factor) => (float[2] s3, float[3,2] kept)
             <int64 i0 = {0}, int64 i1 = {1}, int64 i2 = {2}, int64[1] front = {0}>
             { x0 = Gather<axis = 1>(x, i0) x1 = Gather<axis = 1>(x, i1) x2 = Gather<axis = 1>(x, i2)
               m1 = Mul(start, x2) s1 = Add(m1, factor) m2 = Mul(s1, x1) s2 = Add(m2, factor)
               m3 = Mul(s2, x0) s3 = Add(m3, factor)
               u1 = Unsqueeze(s1, front) u2 = Unsqueeze(s2, front) u3 = Unsqueeze(s3, front)
               all = Concat<axis = 0>(u3, u2, u1) kept = Neg(all) }",
        ),
    }
}

/// Three turns of `h = tanh(h · w)`, of up to nine.
fn loop_until() -> LoopCase {
    LoopCase {
        name: "Loop until a number of turns",
        graph: with_loop(
            "outer (float[2] h, float[2] w) => (float[2] h) <int64 most = {9}, bool go = {1}> { }",
            "Loop",
            &["most", "go", "h", "w"],
            "body (int64 turn, bool go, float[2] h, float[2] w) => (bool on, float[2] next, float[2] kept)
             <int64 last = {2}> { on = Less(turn, last) m = Mul(h, w) next = Tanh(m) kept = Identity(m) }",
            &[(CAPTURES, Attribute::Int(1))],
            2,
        ),
        inputs: vec![Tensor::f64(&[2], vec![0.75, -1.25]), Tensor::f64(&[2], vec![1.5, -0.5])],
        written_out: parse(
            "g (float[2] h, float[2] w) => (float[2] h3, float[3,2] kept) <int64[1] front = {0}>
             { m1 = Mul(h, w) h1 = Tanh(m1) m2 = Mul(h1, w) h2 = Tanh(m2) m3 = Mul(h2, w) h3 = Tanh(m3)
               u1 = Unsqueeze(m1, front) u2 = Unsqueeze(m2, front) u3 = Unsqueeze(m3, front)
               kept = Concat<axis = 0>(u1, u2, u3) }",
        ),
    }
}

/// All cases.
pub fn loop_cases() -> Vec<LoopCase> {
    vec![scan_backwards(), loop_until()]
}
