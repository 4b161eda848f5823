//! Laws that the methods must obey, on small networks in graph text, run by the reference evaluator.

mod attention;
mod deep_lift;
mod every_method;
mod maps;
mod path;
mod relevance;
mod sampled;
mod what_is_explained;

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use pellucid_core::{Attribution, Target, Work};
use pellucid_explain::Network;
use pellucid_explain::integrated_gradients::{self, integrated_gradients};
use pellucid_explain::lrp::{self, Composite};
use pellucid_graph::{Reference, text::parse};

/// A curved network of three inputs and two outputs, no layer of it linear in the input but the first.
pub(crate) const CURVED: &str = "curved (float[N,3] x) => (float[N,2] y)
    <float[3,4] w = {1, -2, 0.5, 0.3, 0.7, 1, -1, 0.2, -0.4, 0.6, 2, -1}, float[4] b = {0.1, 0.2, -0.3, 0},
     float[4,2] v = {1, -1, 0.5, 2, -1.5, 0.3, 0.8, 0.6}>
    { h = MatMul(x, w) i = Add(h, b) t = Tanh(i) y = MatMul(t, v) }";

/// ReLU instead: kinks along every path.
pub(crate) const KINKED: &str = "kinked (float[N,3] x) => (float[N,2] y)
    <float[3,4] w = {1, -2, 0.5, 0.3, 0.7, 1, -1, 0.2, -0.4, 0.6, 2, -1}, float[4] b = {0.1, 0.2, -0.3, 0.4},
     float[4,2] v = {1, -1, 0.5, 2, -1.5, 0.3, 0.8, 0.6}>
    { h = MatMul(x, w) i = Add(h, b) t = Relu(i) y = MatMul(t, v) }";

/// A small image classifier: two convolutions, a pool between them, 2 × 2 places at the end.
pub(crate) const IMAGE: &str = "image (float[N,1,4,4] x) => (float[N,2] y)
    <float[2,1,3,3] k = {1, 0, -1, 2, 0.5, -2, 1, 0, -1, 0.3, 1, 0.2, 0, 0, 0, -0.3, -1, -0.2},
     float[2,2,1,1] l = {1, -0.5, 0.7, 1.2}, int64[2] flat = {0, -1},
     float[8,2] v = {1, 0, 0.5, 1, -1, 0.3, 0.8, 0.6, 0.1, 0.2, -0.7, 1, 0.4, 0.4, 0.9, -1}>
    { a = Conv<pads = [1, 1, 1, 1]>(x, k) b = Relu(a) c = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(b)
      d = Conv(c, l) e = Relu(d) f = Reshape(e, flat) y = MatMul(f, v) }";

pub(crate) fn network(text: &str) -> Network {
    let graph = parse(text).expect("the text is a graph");
    Network::new(&graph, Arc::new(Reference), &pellucid_explain::network::Options::default())
        .expect("an ordinary network")
}

/// Rows of numbers between -1 and 1 from a seed.
pub(crate) fn rows(n: usize, shape: &[usize], seed: u64) -> ArrayD<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut full = vec![n];
    full.extend(shape);
    ArrayD::from_shape_simple_fn(IxDyn(&full), || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    })
}

pub(crate) fn work(batch_size: usize) -> Work {
    Work { batch_size: Some(batch_size), ..Work::default() }
}

pub(crate) fn ig(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &integrated_gradients::Options,
) -> Attribution {
    integrated_gradients(network, rows, target, options, &Work::default()).expect("an ordinary request")
}

pub(crate) fn composite(name: &str) -> lrp::Options {
    let composite = Composite::named(name, &lrp::Settings::default()).expect("a composite without settings");
    lrp::Options { composite }
}

pub(crate) fn largest(values: &ArrayD<f64>) -> f64 {
    values.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// `|convergence delta|` at the most, as a share of the sum of the values' sizes.
pub(crate) fn largest_share(attribution: &Attribution) -> f64 {
    let deltas = attribution.convergence_delta.clone().expect("promised");
    let mut largest = 0.0f64;
    for (place, delta) in deltas.indexed_iter() {
        let size: f64 = attribution.row(place[0], place[1]).iter().map(|value| value.abs()).sum();
        largest = largest.max(delta.abs() / size);
    }
    largest
}
