//! Chefer relevance against its formula, with gradients by finite differences.

use ndarray::{Axis, Slice};
use pellucid_core::{Target, Work};
use pellucid_explain::chefer::{self, chefer};
use pellucid_graph::passes::cut;
use pellucid_graph::{Graph, Tensor, evaluate, evaluate_wires, text::parse};

use super::{largest, network, rows};

/// A vision transformer of 2 × 2 patches, a class token, two blocks of two heads.
fn transformer() -> String {
    let list = |n: usize, seed: u64| {
        let numbers = rows(1, &[n], seed);
        numbers.iter().map(|x| format!("{x:.3}")).collect::<Vec<_>>().join(", ")
    };
    let block = |i: usize, read: &str, made: &str| {
        format!(
            "q{i} = MatMul({read}, wq{i}) r{i} = Reshape(q{i}, split) s{i} = Transpose<perm = [0, 2, 1, 3]>(r{i})
             k{i} = MatMul({read}, wk{i}) l{i} = Reshape(k{i}, split) m{i} = Transpose<perm = [0, 2, 3, 1]>(l{i})
             z{i} = MatMul(s{i}, m{i}) a{i} = Softmax(z{i})
             v{i} = MatMul({read}, wv{i}) u{i} = Reshape(v{i}, split) w{i} = Transpose<perm = [0, 2, 1, 3]>(u{i})
             b{i} = MatMul(a{i}, w{i}) c{i} = Transpose<perm = [0, 2, 1, 3]>(b{i}) d{i} = Reshape(c{i}, join)
             {made} = Add({read}, d{i})"
        )
    };
    let weights = |name: &str, seed: u64| format!("float[4,4] {name} = {{{}}}", list(16, seed));
    let weights: Vec<String> = ["wq1", "wk1", "wv1", "wq2", "wk2", "wv2"]
        .iter()
        .zip(100..)
        .map(|(name, seed)| weights(name, seed))
        .collect();
    format!(
        "vit (float[N,1,2,2] x) => (float[N,2] y)
         <float[4,1,1,1] patch = {{{}}}, float[1,1,4] token = {{{}}}, float[4,2] head = {{{}}}, {},
          int64[3] flat = {{0, 4, 4}}, int64[4] split = {{0, 5, 2, 2}}, int64[3] join = {{0, 5, 4}}, int64[1] tokens = {{1}},
          float none = {{0}}, int64 first = {{0}}>
         {{ p = Conv(x, patch) f = Reshape(p, flat) t = Transpose<perm = [0, 2, 1]>(f) e = ReduceMean(t, tokens)
            n = Mul(e, none) g = Add(n, token) start = Concat<axis = 1>(g, t) {} {} h = Gather<axis = 1>(last, first)
            y = MatMul(h, head) }}",
        list(4, 90),
        list(4, 91),
        list(8, 92),
        weights.join(", "),
        block(1, "start", "middle"),
        block(2, "middle", "last"),
    )
}

/// `Ā` of one attention, `[tokens, tokens]`, the gradient by finite differences.
fn mean_attention(graph: &Graph, x: &Tensor, name: &str, output: usize) -> Vec<Vec<f64>> {
    let wire = graph.wire(name).expect("an attention");
    let map = evaluate_wires(graph, std::slice::from_ref(x), &[wire]).expect("runs").remove(0);
    let behind = cut(graph, &[wire]).expect("a part");
    let at = |i: usize, step: f64| {
        let mut elements = map.to_f64s();
        elements[i] += step;
        let moved = Tensor::f64(map.shape(), elements);
        let inputs = if behind.inputs().len() == 2 { vec![moved, x.clone()] } else { vec![moved] };
        evaluate(&behind, &inputs).expect("runs")[0].to_f64s()[output]
    };
    let mut mean = vec![vec![0.0; 5]; 5];
    for (i, weight) in map.to_f64s().into_iter().enumerate() {
        let slope = (at(i, 1e-5) - at(i, -1e-5)) / 2e-5;
        mean[i / 5 % 5][i % 5] += (weight * slope).max(0.0) / 2.0;
    }
    mean
}

#[test]
fn chefer_relevance_follows_its_formula() {
    let graph = parse(&transformer()).expect("the text is a graph");
    let network = network(&transformer());
    let x = rows(3, &[1, 2, 2], 95);
    for start_layer in [0, 1] {
        let options = chefer::Options { start_layer, ..Default::default() };
        let map = chefer(&network, &x, &Target::Index(1), &options, &Work::default()).expect("runs");
        let raw = map.raw_map.expect("kept");
        assert!(largest(&raw) > 1e-3);
        for row in 0..3 {
            let x = x.slice_axis(Axis(0), Slice::from(row..row + 1));
            let x = Tensor::f64(&[1, 1, 2, 2], x.iter().map(|x| f64::from(*x)).collect());
            let identity = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
            let mut relevance: Vec<Vec<f64>> =
                (0..5).map(|i| (0..5).map(|j| identity(i, j)).collect()).collect();
            for name in &["a1", "a2"][start_layer..] {
                let mean = mean_attention(&graph, &x, name, 1);
                let through = |i: usize, j: usize| (0..5).map(|k| mean[i][k] * relevance[k][j]).sum::<f64>();
                relevance =
                    (0..5).map(|i| (0..5).map(|j| relevance[i][j] + through(i, j)).collect()).collect();
            }
            for patch in 0..4 {
                let (found, expected) = (raw[[row, 0, patch / 2, patch % 2]], relevance[0][patch + 1]);
                assert!((found - expected).abs() < 1e-6, "{start_layer}: {found} {expected}");
            }
        }
    }
    let options = chefer::Options { start_layer: 2, ..Default::default() };
    let result = chefer(&network, &x, &Target::Index(1), &options, &Work::default());
    assert!(result.expect_err("refused").to_string().contains("0 to 1"));
}
