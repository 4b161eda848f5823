//! Each rule by hand, all rules against dense matrices, and the laws.

mod laws;
mod rules;
mod transformers;

use super::dense::{Dense, chain, share};
use super::{Assignment, Composite, Formula, LayerRule, Selector, Settings, relevance};
use crate::cases::uniform;
use crate::error::Error;
use crate::evaluate::evaluate;
use crate::gradient::gradient;
use crate::graph::Graph;
use crate::passes::canonize;
use crate::tensor::{ElementType, Tensor};
use crate::text::parse;

/// What relevance of one output, or of the sum of all, gave for one input of the graph.
#[derive(Debug)]
struct Explained {
    values: Vec<f64>,
    /// Of each row.
    absorbed: Vec<f64>,
    outputs: Vec<f64>,
}

impl Explained {
    fn sum(&self) -> f64 {
        self.values.iter().sum()
    }
}

fn graph_of(text: &str) -> Graph {
    canonize(&parse(text).expect("the text is a graph")).expect("canonizes")
}

fn everywhere(formula: Formula, stabilizer: f64) -> Composite {
    Composite { own: Vec::new(), preset: Vec::new(), rest: LayerRule { formula, stabilizer } }
}

fn named(name: &str) -> Composite {
    let bounds = (name == "epsilon_gamma_box").then(|| (vec![-1.0], vec![1.0]));
    Composite::named(name, &Settings { bounds, ..Settings::default() }).expect("a composite")
}

fn try_explain(graph: &Graph, inputs: &[Tensor], composite: &Composite) -> Result<Explained, Error> {
    let mut graph = graph.clone();
    let (output, wanted) = (graph.outputs()[0], graph.inputs()[0]);
    let seed = graph.scalar(1.0, output);
    let result = relevance(&mut graph, output, seed, &[wanted], composite, false)?;
    assert_eq!(graph.shape(result.wanted[0]), graph.shape(wanted));
    let absorbed = result.absorbed.expect("the batch axis is known");
    graph.set_outputs(&[result.wanted[0], absorbed, output]);
    let tensors = evaluate(&graph, inputs)?;
    let [values, absorbed, outputs] = [0, 1, 2].map(|i| tensors[i].to_f64s());
    Ok(Explained { values, absorbed, outputs })
}

fn explain(text: &str, inputs: &[Tensor], composite: &Composite) -> Explained {
    try_explain(&graph_of(text), inputs, composite).expect("has rules")
}

fn row(numbers: &[f64]) -> Tensor {
    Tensor::f64(&[1, numbers.len()], numbers.to_vec())
}

/// Numbers from −1 to 1.
fn drawn(shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed;
    let n = shape.iter().product();
    Tensor::f64(shape, (0..n).map(|_| 2.0 * uniform(&mut state) - 1.0).collect())
}

fn list(n: usize, seed: u64) -> String {
    let numbers = drawn(&[n], seed).to_f64s();
    numbers.iter().map(|x| format!("{x:.3}")).collect::<Vec<_>>().join(", ")
}

fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    let scale = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    assert_eq!(actual.len(), expected.len());
    let worst = actual.iter().zip(expected).map(|(a, e)| (a - e).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance * scale, "off by {worst:.2e}\n  {actual:?}\n  {expected:?}");
}

/// Chains of every kind of layer, on inputs of both signs.
fn chains() -> Vec<(Graph, Tensor)> {
    let x = [drawn(&[1, 2, 6, 6], 13), drawn(&[1, 5], 14)];
    chain_texts().iter().map(|text| graph_of(text)).zip(x).collect()
}

fn chain_texts() -> [String; 2] {
    let image = format!(
        "image (float[N,2,6,6] x) => (float[N,3] y)
         <float[4,2,3,3] k = {{{}}}, float[4] a = {{{}}}, float[4,2,2,2] l = {{{}}}, float[4] b = {{{}}},
          float[4,2,2,2] m = {{{}}}, int64[2] flat = {{0, -1}}, float[18,3] w = {{{}}}, float[3] c = {{{}}}>
         {{ d = Conv<pads = [1, 1, 0, 1]>(x, k, a) e = LeakyRelu(d) f = MaxPool<kernel_shape = [2, 2], strides = [1, 1]>(e)
            g = Conv<group = 2, strides = [2, 2]>(f, l, b) h = Relu(g)
            i = ConvTranspose<strides = [2, 2]>(h, m) j = AveragePool<kernel_shape = [2, 2]>(i)
            o = Reshape(j, flat) y = Gemm(o, w, c) }}",
        list(72, 1),
        list(4, 2),
        list(32, 3),
        list(4, 4),
        list(32, 5),
        list(18 * 3, 6),
        list(3, 7)
    );
    let plain = format!(
        "plain (float[N,5] x) => (float[N,2] y)
         <float[5,4] w = {{{}}}, float[4] b = {{{}}}, float[4,4] v = {{{}}}, float[4] c = {{{}}}, float[2,4] u = {{{}}}>
         {{ d = MatMul(x, w) e = Add(d, b) f = Tanh(e) g = MatMul(f, v) h = Add(c, g) i = Relu(h)
            y = Gemm<transB = 1, alpha = 0.5>(i, u) }}",
        list(20, 8),
        list(4, 9),
        list(16, 10),
        list(4, 11),
        list(8, 12)
    );
    [image, plain]
}

/// The second chain with each bias inside its layer, as the dense matrices have it.
fn with_own_bias(text: &str) -> String {
    let moved = [
        ("d = MatMul(x, w) e = Add(d, b)", "e = Gemm(x, w, b)"),
        ("g = MatMul(f, v) h = Add(c, g)", "h = Gemm(f, v, c)"),
    ];
    moved.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A network with kinks, pools and a residual, without any bias.
fn without_bias() -> String {
    format!(
        "g (float[N,2,5,5] x) => (float[N,3] y)
         <float[4,2,3,3] k = {{{}}}, float[4,4,3,3] l = {{{}}}, float[4,3] w = {{{}}}>
         {{ a = Conv<pads = [1, 1, 1, 1]>(x, k) b = Relu(a) c = MaxPool<kernel_shape = [2, 2]>(b)
            d = Conv<pads = [1, 1, 1, 1]>(c, l) e = Relu(d) f = Add(e, c) h = Concat<axis = 2>(f, e)
            i = GlobalAveragePool(h) j = Flatten(i) y = MatMul(j, w) }}",
        list(72, 21),
        list(144, 22),
        list(12, 23)
    )
}
