//! Each rule by hand, all rules against dense matrices, and the laws.

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

/// One output `3 x₁ − 2 x₂ + x₃ + 1` at (2, 1, 1): contributions 6, −2, 1 and the bias 1; z = 6.
#[test]
fn rules_by_hand() {
    let text = "g (float[N,3] x) => (float[N,1] y) <float[3,1] w = {3, -2, 1}, float[1] b = {1}> { y = Gemm(x, w, b) }";
    let check = |formula: Formula, expected: [f64; 3]| {
        let explained = explain(text, &[row(&[2.0, 1.0, 1.0])], &everywhere(formula, 0.0));
        assert_close(&explained.values, &expected, 1e-12);
        assert_close(&[explained.sum() + explained.absorbed[0]], &[6.0], 1e-12);
    };
    check(Formula::Epsilon, [6.0, -2.0, 1.0]);
    // Without the bias z is 5.
    check(Formula::Norm, [7.2, -2.4, 1.2]);
    // 6 · (6, 0, 1) / (6 + 1 + 1)
    check(Formula::ZPlus, [4.5, 0.0, 0.75]);
    // z rises: what speaks for it counts 1.5 times, 9 − 2 + 1.5 + 1.5 = 10.
    check(Formula::Gamma { gamma: 0.5 }, [5.4, -1.2, 0.9]);
    // 2 · 6 · (6, 0, 1) / 8 − 6 · (0, −2, 0) / −2
    check(Formula::AlphaBeta { alpha: 2.0, beta: 1.0 }, [9.0, -6.0, 1.5]);
    // x w − l w⁺ − h w⁻ with l = −1, h = 3: (6 + 3, −2 + 6, 1 + 1) of 15
    check(Formula::Box { low: vec![-1.0], high: vec![3.0] }, [3.6, 1.6, 0.8]);
    // Bounds of each channel: (6 − 0, −2 + 4, 1 + 2) of 11
    check(
        Formula::Box { low: vec![0.0, 0.0, -2.0], high: vec![5.0, 2.0, 4.0] },
        [36.0 / 11.0, 12.0 / 11.0, 18.0 / 11.0],
    );
    check(Formula::WSquare, [6.0 * 9.0 / 14.0, 6.0 * 4.0 / 14.0, 6.0 / 14.0]);
    check(Formula::Flat, [2.0, 2.0, 2.0]);
}

#[test]
fn a_falling_output_raises_what_speaks_against_it() {
    let text = "g (float[N,2] x) => (float[N,1] y) <float[2,1] w = {1, -4}> { y = MatMul(x, w) }";
    let explained = explain(text, &[row(&[1.0, 1.0])], &everywhere(Formula::Gamma { gamma: 1.0 }, 0.0));
    // z = −3: (1, −8) of −7
    assert_close(&explained.values, &[3.0 / 7.0, -24.0 / 7.0], 1e-12);
}

#[test]
fn the_stabilizer_has_the_sign_of_z() {
    let text = "g (float[N,2] x) => (float[N,2] y) <float[2,2] w = {1, -1, 1, -1}> { y = MatMul(x, w) }";
    let explained = explain(text, &[row(&[1.0, 0.5])], &everywhere(Formula::Epsilon, 0.5));
    // z = ±1.5, and z / (z ± 0.5) = 0.75 of both relevances, 1.5 and −1.5.
    assert_close(&explained.values, &[0.75 * (1.0 - 1.0), 0.75 * (0.5 - 0.5)], 1e-12);
    let first = "g (float[N,2] x) => (float[N,1] y) <float[2,1] w = {-1, -1}> { y = MatMul(x, w) }";
    let explained = explain(first, &[row(&[1.0, 0.5])], &everywhere(Formula::Epsilon, 0.5));
    assert_close(&explained.values, &[-0.75, -0.375], 1e-12);
    assert_close(&explained.absorbed, &[0.0], 0.0);
}

#[test]
fn what_would_be_divided_by_zero_is_zero() {
    let text = "g (float[N,2] x) => (float[N,1] y) <float[2,2] w = {1, 1, -1, 1}, float[2,1] v = {1, 1}>
                { h = MatMul(x, w) y = MatMul(h, v) }";
    for formula in [
        Formula::Epsilon,
        Formula::ZPlus,
        Formula::Gamma { gamma: 0.25 },
        Formula::AlphaBeta { alpha: 2.0, beta: 1.0 },
        Formula::WSquare,
        Formula::Flat,
    ] {
        for stabilizer in [0.0, 1e-6] {
            for x in [[1.0, 1.0], [0.0, 0.0]] {
                let explained = explain(text, &[row(&x)], &everywhere(formula.clone(), stabilizer));
                assert!(
                    explained.values.iter().all(|v| v.is_finite()),
                    "{formula:?} {stabilizer} {explained:?}"
                );
            }
        }
    }
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

#[test]
fn all_rules_agree_with_dense_matrices() {
    let formulas = [
        Formula::Epsilon,
        Formula::Norm,
        Formula::ZPlus,
        Formula::Gamma { gamma: 0.25 },
        Formula::AlphaBeta { alpha: 2.0, beta: 1.0 },
        Formula::AlphaBeta { alpha: 1.0, beta: 0.0 },
        Formula::Box { low: vec![-1.5], high: vec![2.0] },
        Formula::WSquare,
        Formula::Flat,
    ];
    for ((graph, x), text) in chains().into_iter().zip(chain_texts()) {
        let dense = graph_of(&with_own_bias(&text));
        for formula in &formulas {
            for stabilizer in [1e-9, 0.1] {
                let rule = LayerRule { formula: formula.clone(), stabilizer };
                let explained =
                    try_explain(&graph, std::slice::from_ref(&x), &everywhere(formula.clone(), stabilizer));
                let explained = explained.expect("has rules");
                let expected = chain(&dense, &x, &explained.outputs, &|_| rule.clone());
                assert_close(&explained.values, &expected, 1e-5);
            }
        }
    }
}

#[test]
fn composites_choose_by_op_and_place() {
    let (graph, x) = chains().swap_remove(0);
    let first = graph.nodes().iter().position(|node| node.op == "Conv").expect("a convolution");
    let epsilon = LayerRule::new(Formula::Epsilon);
    for (name, convolution, first_rule) in [
        ("epsilon", Formula::Epsilon, Formula::Epsilon),
        ("epsilon_plus", Formula::ZPlus, Formula::ZPlus),
        ("epsilon_plus_flat", Formula::ZPlus, Formula::Flat),
        (
            "epsilon_gamma_box",
            Formula::Gamma { gamma: 0.25 },
            Formula::Box { low: vec![-1.0], high: vec![1.0] },
        ),
        (
            "epsilon_alpha2_beta1",
            super::Formula::AlphaBeta { alpha: 2.0, beta: 1.0 },
            Formula::AlphaBeta { alpha: 2.0, beta: 1.0 },
        ),
        ("epsilon_alpha2_beta1_flat", Formula::AlphaBeta { alpha: 2.0, beta: 1.0 }, Formula::Flat),
    ] {
        let explained = try_explain(&graph, std::slice::from_ref(&x), &named(name)).expect("has rules");
        let rule = |index: usize| match graph.nodes()[index].op.as_str() {
            _ if index == first => LayerRule::new(first_rule.clone()),
            "Conv" | "ConvTranspose" => LayerRule::new(convolution.clone()),
            _ => epsilon.clone(),
        };
        assert_close(&explained.values, &chain(&graph, &x, &explained.outputs, &rule), 1e-5);
    }
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

#[test]
fn lrp_0_is_input_times_gradient() {
    let mut graph = graph_of(&without_bias());
    let x = drawn(&[1, 2, 5, 5], 24);
    let explained =
        try_explain(&graph, std::slice::from_ref(&x), &everywhere(Formula::Epsilon, 0.0)).expect("has rules");
    let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
    let ones = graph.scalar(1.0, output);
    let zeros = graph.zeros_like(output);
    let seed = graph.add(zeros, ones);
    let slope = gradient(&mut graph, output, seed, &[input]).expect("has rules")[0];
    graph.set_outputs(&[slope]);
    let slope = evaluate(&graph, std::slice::from_ref(&x)).expect("runs")[0].to_f64s();
    let product: Vec<f64> = slope.iter().zip(x.to_f64s()).map(|(g, x)| g * x).collect();
    // The weightless ops have their stabilizer of 1e-6 still.
    assert_close(&explained.values, &product, 1e-4);
}

#[test]
fn relevance_is_conserved_without_biases() {
    for name in Composite::NAMES {
        for seed in 30..36 {
            let explained = explain(&without_bias(), &[drawn(&[1, 2, 5, 5], seed)], &named(name));
            let output: f64 = explained.outputs.iter().sum();
            assert_close(&[explained.sum()], &[output], 1e-3);
            assert_close(&explained.absorbed, &[0.0], 0.0);
        }
    }
}

#[test]
fn what_biases_absorb_is_what_is_missing() {
    for (graph, x) in chains() {
        // Under z⁺ and αβ an output for which nothing speaks has nowhere to send its relevance: no account balances that.
        for name in ["epsilon", "epsilon_gamma_box", "attnlrp"] {
            let explained = try_explain(&graph, std::slice::from_ref(&x), &named(name)).expect("has rules");
            let output: f64 = explained.outputs.iter().sum();
            assert!(explained.absorbed[0].abs() > 1e-3, "{name} absorbs nothing");
            let scale = explained.values.iter().map(|v| v.abs()).sum::<f64>();
            assert!(
                (explained.sum() + explained.absorbed[0] - output).abs() < 1e-3 * scale,
                "{name} {explained:?}"
            );
        }
    }
}

#[test]
fn rows_have_their_own_accounts() {
    let (graph, _) = chains().swap_remove(1);
    let rows = drawn(&[3, 5], 40);
    let together = try_explain(&graph, std::slice::from_ref(&rows), &named("epsilon")).expect("has rules");
    for (i, numbers) in rows.to_f64s().chunks(5).enumerate() {
        let alone = try_explain(&graph, &[row(numbers)], &named("epsilon")).expect("has rules");
        assert_close(&together.values[5 * i..5 * i + 5], &alone.values, 1e-12);
        assert_close(&together.absorbed[i..=i], &alone.absorbed, 1e-12);
    }
}

#[test]
fn rows_are_told_apart_where_the_batch_is_folded() {
    // Tokens first, as in PyTorch's attention: rows take turns along the folded axis; then tokens behind the rows.
    for (order, back, folded) in
        [("[1, 0, 2]", "[1, 0, 2]", "{3, -1, 4}"), ("[0, 1, 2]", "[0, 1, 2]", "{-1, 3, 4}")]
    {
        let text = format!(
            "g (float[N,3,4] x) => (float[N,3,4] y)
             <float[4,4] w = {{{}}}, float[4] b = {{{}}}, int64[2] flat = {{-1, 4}}, int64[3] apart = {folded}>
             {{ t = Transpose<perm = {order}>(x) f = Reshape(t, flat) h = Gemm(f, w, b) a = Reshape(h, apart)
                z = Transpose<perm = {back}>(a) y = Relu(z) }}",
            list(16, 90),
            list(4, 91)
        );
        let rows = drawn(&[3, 3, 4], 92);
        let together = explain(&text, std::slice::from_ref(&rows), &named("epsilon"));
        for (i, numbers) in rows.to_f64s().chunks(12).enumerate() {
            let alone = explain(&text, &[Tensor::f64(&[1, 3, 4], numbers.to_vec())], &named("epsilon"));
            assert_close(&together.absorbed[i..=i], &alone.absorbed, 1e-12);
        }
        assert!((together.absorbed[0] - together.absorbed[1]).abs() > 1e-3);
    }
}

#[test]
fn z_plus_of_a_positive_output_is_never_negative() {
    let composite = everywhere(Formula::ZPlus, 1e-9);
    let mut n_positive = 0;
    for seed in 50..60 {
        let text = without_bias().replace("y = MatMul(j, w)", "z = MatMul(j, w) y = Relu(z)");
        let explained = explain(&text, &[drawn(&[1, 2, 5, 5], seed)], &composite);
        assert!(explained.values.iter().all(|v| *v >= 0.0), "{explained:?}");
        n_positive += explained.values.iter().filter(|v| **v > 0.0).count();
    }
    assert!(n_positive > 20, "nothing to see");
}

#[test]
fn sums_split_by_contribution_and_products_in_halves() {
    let check = |body: &str, expected: &[f64]| {
        let text = format!(
            "g (float[N,4] x) => (float[N,2] y) <int64[2] parts = {{2, 2}}, float[2] c = {{2, 0.5}}, float[2,2] w = {{1, 1, 0, 2}}>
             {{ a, b = Split<axis = 1>(x, parts) {body} }}"
        );
        let explained = explain(&text, &[row(&[1.0, 2.0, 3.0, -1.0])], &named("epsilon"));
        assert_close(&explained.values, expected, 1e-5);
    };
    check("y = Add(a, b)", &[1.0, 2.0, 3.0, -1.0]);
    check("y = Sub(a, b)", &[1.0, 2.0, -3.0, 1.0]);
    check("y = Mean(a, b)", &[0.5, 1.0, 1.5, -0.5]);
    check("y = Mul(a, b)", &[1.5, -1.0, 1.5, -1.0]);
    check("y = Div(a, b)", &[1.0 / 3.0, -2.0, 0.0, 0.0]);
    check("r = Reciprocal(b) y = Mul(r, a)", &[1.0 / 3.0, -2.0, 0.0, 0.0]);
    check("y = Max(a, b)", &[0.0, 2.0, 3.0, 0.0]);
    check("d = Mul(a, c) y = Add(d, c)", &[2.0, 1.0, 0.0, 0.0]);
    // y = 4 and 1.5 of a + 2 and a + 0.5: (1/3, 4/5) of 3 and 2.5
    check("y = Add(a, c)", &[1.0, 2.0, 0.0, 0.0]);
    check("s = Sigmoid(a) y = Mul(a, s)", &[0.7310586, 1.7615942, 0.0, 0.0]);
    // The layer's bias: z = (1, 5) and 2, 0.5; contributions (1, 0) and (1, 4).
    check("h = MatMul(a, w) y = Add(h, c)", &[2.0, 4.0, 0.0, 0.0]);
}

#[test]
fn a_product_of_matrices_goes_to_both_in_halves() {
    let text = "g (float[N,2,2] x) => (float[N,2,2] y)
                { t = Transpose<perm = [0, 2, 1]>(x) y = MatMul(x, t) }";
    let x = Tensor::f64(&[1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]);
    let explained = explain(text, &[x], &named("epsilon"));
    // y = ((5, 11), (11, 25)); x_ik of Σ_j x_ik x_jk, and the same again as the transposed: Σ_j x_ik x_jk over both halves.
    assert_close(&explained.values, &[1.0 + 3.0, 4.0 + 8.0, 3.0 + 9.0, 8.0 + 16.0], 1e-5);
}

#[test]
fn softmax_sends_the_linear_part_and_nothing_to_masked_places() {
    let text = "g (float[N,3] x) => (float[N,3] y) <float[3] mask = {0, 0, -inf}, float[3] w = {2, 1, 5}>
                { m = Add(x, mask) p = Softmax<axis = -1>(m) y = Mul(p, w) }";
    let text = text.replace("-inf", "-1e39");
    let x = [1.0, 0.5, 2.0];
    let explained = explain(&text, &[row(&x)], &named("attnlrp"));
    let p = [1.0f64.exp(), 0.5f64.exp()].map(|e| e / (1.0f64.exp() + 0.5f64.exp()));
    let relevance = [2.0 * p[0], p[1]];
    let sum = relevance[0] + relevance[1];
    let expected = [x[0] * (relevance[0] - p[0] * sum), x[1] * (relevance[1] - p[1] * sum), 0.0];
    assert_close(&explained.values, &expected, 1e-5);
    assert_close(&[explained.sum() + explained.absorbed[0]], &[sum], 1e-5);
}

#[test]
fn written_out_forms_are_explained_as_the_ops_they_stand_for() {
    let same = |constants: &str, fused: &str, written: &str, shape: &[usize]| {
        let lengths = shape[1..].iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let text = |body: &str| {
            format!("g (float[N,{lengths}] x) => (float[N,{lengths}] y) <{constants}> {{ {body} }}")
        };
        let x = drawn(shape, 60);
        let (fused, written) = (
            explain(&text(fused), std::slice::from_ref(&x), &named("attnlrp")),
            explain(&text(written), std::slice::from_ref(&x), &named("attnlrp")),
        );
        assert_close(&fused.outputs, &written.outputs, 1e-5);
        assert_close(&fused.values, &written.values, 1e-4);
        assert!(fused.values.iter().any(|v| v.abs() > 1e-2));
    };
    let numbers = "float[4] w = {1, 2, -1, 0.5}, float[4] b = {0.1, -0.2, 0.3, 0.4}, int64[1] last = {-1}, float two = {2},
        float eps = {0.00001}, float one = {1}, float half = {0.5}, float root = {1.41421356}, float cubic = {0.044715},
        float rate = {0.79788456}, float three = {3}";
    same(
        numbers,
        "y = LayerNormalization(x, w, b)",
        "m = ReduceMean(x, last) d = Sub(x, m) p = Pow(d, two) v = ReduceMean(p, last) a = Add(v, eps) s = Sqrt(a)
         n = Div(d, s) t = Mul(n, w) y = Add(t, b)",
        &[1, 3, 4],
    );
    same(
        numbers,
        "y = RMSNormalization<epsilon = 0.00001>(x, w)",
        "p = Mul(x, x) v = ReduceMean(p, last) a = Add(v, eps) s = Sqrt(a) r = Reciprocal(s) n = Mul(x, r) y = Mul(w, n)",
        &[1, 3, 4],
    );
    for written in [
        "d = Div(x, root) e = Erf(d) p = Add(e, one) m = Mul(x, p) y = Mul(m, half)",
        "h = Mul(x, half) d = Div(x, root) e = Erf(d) p = Add(e, one) y = Mul(h, p)",
        "d = Div(x, root) e = Erf(d) p = Add(e, one) h = Mul(p, half) y = Mul(x, h)",
    ] {
        same(numbers, "y = Gelu(x)", written, &[1, 3, 4]);
    }
    same(
        numbers,
        "y = Gelu<approximate = \"tanh\">(x)",
        "q = Pow(x, three) c = Mul(q, cubic) i = Add(x, c) j = Mul(i, rate) t = Tanh(j) p = Add(t, one) h = Mul(x, half)
         y = Mul(h, p)",
        &[1, 3, 4],
    );
}

/// A transformer's block: normalization, one head, two residuals, a gated and a plain dense layer; a class token before the
/// rest.
#[test]
fn a_transformer_accounts_for_all_relevance() {
    let text = format!(
        "g (float[N,3,4] x) => (float[N,2] y)
         <float[1,1,4] token = {{{}}}, int64[1] axis = {{1}}, float none = {{0}}, float[4] w = {{1, 2, -1, 0.5}}, float[4] b = {{0.1, -0.2, 0.3, 0.4}},
          float[4,4] q = {{{}}}, float[4,4] k = {{{}}}, float[4,4] v = {{{}}}, float[4,6] u = {{{}}}, float[6] c = {{{}}},
          float[4,6] s = {{{}}}, float[6,4] d = {{{}}}, float[4,2] h = {{{}}}, float half = {{0.5}}, int64 first = {{0}},
          float[4] position = {{0.2, -0.1, 0.4, 0.3}}>
         {{ one = ReduceMean(x, axis) gone = Mul(one, none) tokens = Add(gone, token) joined = Concat<axis = 1>(tokens, x)
            placed = Add(joined, position)
            n = LayerNormalization(placed, w, b) queries = MatMul(n, q) keys = MatMul(n, k) values = MatMul(n, v)
            turned = Transpose<perm = [0, 2, 1]>(keys) scores = MatMul(queries, turned) scaled = Mul(scores, half)
            weights = Softmax(scaled) mixed = MatMul(weights, values) r = Add(placed, mixed)
            m = RMSNormalization(r, w) up = MatMul(m, u) raised = Add(up, c) active = Gelu(raised) side = MatMul(m, s)
            gated = Mul(active, side) down = MatMul(gated, d) t = Add(down, r) chosen = Gather<axis = 1>(t, first)
            y = MatMul(chosen, h) }}",
        list(4, 70),
        list(16, 71),
        list(16, 72),
        list(16, 73),
        list(24, 74),
        list(6, 75),
        list(24, 76),
        list(24, 77),
        list(8, 78)
    );
    for seed in 80..84 {
        let explained = explain(&text, &[drawn(&[2, 3, 4], seed)], &named("attnlrp"));
        for row in 0..2 {
            let sum: f64 = explained.values[12 * row..12 * row + 12].iter().sum();
            let output: f64 = explained.outputs[2 * row..2 * row + 2].iter().sum();
            assert!(explained.values.iter().any(|value| value.abs() > 1e-2));
            assert_close(&[sum + explained.absorbed[row]], &[output], 1e-3);
        }
    }
}

#[test]
fn layer_norm_is_linear_at_a_fixed_deviation() {
    let text = "g (float[N,3] x) => (float[N,3] y) <float[3] w = {1, 2, -1}> { y = LayerNormalization<epsilon = 0.0>(x, w) }";
    let x = [1.0, 2.0, 4.0];
    let explained = explain(text, &[row(&x)], &named("attnlrp"));
    let mean = x.iter().sum::<f64>() / 3.0;
    let deviation = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    let centered =
        (0..3).map(|j| (0..3).map(|i| f64::from(u8::from(i == j)) - 1.0 / 3.0).collect::<Vec<f64>>());
    let scale = [1.0, 2.0, -1.0];
    let weights =
        centered.zip(scale).map(|(row, w)| row.into_iter().map(|c| c * w / deviation).collect()).collect();
    let layer = Dense { weights, bias: vec![0.0; 3] };
    let expected = share(&LayerRule::new(Formula::Epsilon), &x, &layer, &explained.outputs);
    assert_close(&explained.values, &expected, 1e-5);
}

#[test]
fn a_persons_own_rules_come_first() {
    let (graph, x) = chains().swap_remove(0);
    let assign =
        |selector: Selector, formula: Formula| Assignment { selector, rule: LayerRule::new(formula) };
    let own = vec![
        assign(Selector { first: true, ..Selector::default() }, Formula::WSquare),
        assign(Selector { name: Some("y*".to_owned()), ..Selector::default() }, Formula::Norm),
        assign(
            Selector { op: Some("ConvTranspose".to_owned()), ..Selector::default() },
            Formula::Gamma { gamma: 1.0 },
        ),
    ];
    let composite = Composite { own, ..named("epsilon_plus") };
    let explained = try_explain(&graph, std::slice::from_ref(&x), &composite).expect("has rules");
    let first = graph.nodes().iter().position(|node| node.op == "Conv").expect("a convolution");
    let rule = |index: usize| {
        LayerRule::new(match graph.nodes()[index].op.as_str() {
            _ if index == first => Formula::WSquare,
            "ConvTranspose" => Formula::Gamma { gamma: 1.0 },
            "Conv" => Formula::ZPlus,
            _ => Formula::Norm,
        })
    };
    assert_close(&explained.values, &chain(&graph, &x, &explained.outputs, &rule), 1e-5);
}

#[test]
fn relevance_stops_and_passes_where_it_is_told_to() {
    let text = "g (float[N,2] x) => (float[N,2] y) <float[2,2] w = {1, 2, 3, -4}> { p = Softmax(x) h = MatMul(x, w) y = Mul(h, p) }";
    let assign = |op: &str, formula: Formula| {
        let selector = Selector { op: Some(op.to_owned()), ..Selector::default() };
        Composite { own: vec![Assignment { selector, rule: LayerRule::new(formula) }], ..named("epsilon") }
    };
    let x = [row(&[1.0, 0.5])];
    let stopped = explain(text, &x, &assign("Softmax", Formula::Stop));
    let half = stopped.outputs.iter().sum::<f64>() / 2.0;
    assert_close(&[stopped.sum(), stopped.absorbed[0]], &[half, half], 1e-5);
    let passed = explain(text, &x, &assign("MatMul", Formula::Pass));
    assert_close(&[passed.sum() + passed.absorbed[0]], &[2.0 * half], 1e-5);
}

#[test]
fn what_has_no_rule_is_refused_by_name() {
    let refused = |text: &str, composite: &Composite| {
        let graph = graph_of(text);
        let result = try_explain(&graph, &[row(&[1.0, 2.0])], composite);
        result.expect_err("refused").to_string()
    };
    let epsilon = named("epsilon");
    let product = "g (float[N,2] x) => (float[N,1] y) <int64[1] axis = {1}> { y = ReduceProd(x, axis) }";
    let message = refused(product, &epsilon);
    assert!(message.contains("relevance") && message.contains("ReduceProd"), "{message}");
    let power = "g (float[N,2] x) => (float[N,2] y) { s = Softmax(x) y = Pow(x, s) }";
    assert!(refused(power, &epsilon).contains("Pow"));
    let layer = "g (float[N,2] x) => (float[N,1] y) <float[2,1] w = {1, 2}> { y = MatMul(x, w) }";
    assert!(refused(layer, &everywhere(Formula::Pass, 1e-6)).contains("shape"));
    let selector = Selector { name: Some("layer9*".to_owned()), ..Selector::default() };
    let own = vec![Assignment { selector, rule: LayerRule::new(Formula::Flat) }];
    let message = refused(layer, &Composite { own, ..named("epsilon") });
    assert!(message.contains("layer9*") && message.contains("MatMul"), "{message}");
    let selector = Selector { op: Some("Softmax".to_owned()), ..Selector::default() };
    let own = vec![Assignment { selector, rule: LayerRule::new(Formula::Flat) }];
    let softmax = "g (float[N,2] x) => (float[N,2] y) { y = Softmax(x) }";
    assert!(refused(softmax, &Composite { own, ..named("epsilon") }).contains("needs a layer with weights"));
}

#[test]
fn flows_add_up_node_by_node() {
    let (mut graph, x) = chains().swap_remove(0);
    let (output, wanted) = (graph.outputs()[0], graph.inputs()[0]);
    let seed = graph.scalar(1.0, output);
    let composite =
        Composite { rest: LayerRule { formula: Formula::Epsilon, stabilizer: 0.1 }, ..named("epsilon_plus") };
    let result = relevance(&mut graph, output, seed, &[wanted], &composite, true).expect("has rules");
    assert_eq!(result.flows.len(), 9);
    let mut outputs = vec![output, result.wanted[0], result.absorbed.expect("known")];
    for flow in &result.flows {
        outputs.extend([flow.inward, flow.outward, flow.stabilizer.unwrap_or(flow.inward)]);
    }
    graph.set_outputs(&outputs);
    let tensors = evaluate(&graph, std::slice::from_ref(&x)).expect("runs");
    let sums: Vec<f64> = tensors.iter().map(|tensor| tensor.to_f64s().iter().sum()).collect();
    let (start, end, absorbed) = (sums[0], sums[1], sums[2]);
    assert!((sums[3] - start).abs() < 1e-9);
    let mut missing = 0.0;
    for (i, flow) in result.flows.iter().enumerate() {
        let [inward, outward, stabilizer] = [0, 1, 2].map(|k| sums[3 + 3 * i + k]);
        let stabilizer = flow.stabilizer.map_or(0.0, |_| stabilizer);
        missing += inward - outward - stabilizer;
        let next = result.flows.get(i + 1).map_or(end, |_| sums[3 + 3 * (i + 1)]);
        assert!((outward - next).abs() < 1e-9, "{}: {outward} sent, {next} arrived", flow.op);
        if ["Relu", "LeakyRelu", "MaxPool", "Reshape"].contains(&flow.op.as_str()) {
            assert!((inward - outward).abs() < 1e-9, "{}", flow.op);
        }
    }
    assert!((missing - absorbed).abs() < 1e-9, "{missing} missing, {absorbed} absorbed");
}

#[test]
fn half_floats_keep_their_type() {
    let mut graph =
        graph_of("g (float16[N,2] x) => (float16[N,1] y) <float16[2,1] w = {3, -2}> { y = MatMul(x, w) }");
    let (output, wanted) = (graph.outputs()[0], graph.inputs()[0]);
    let seed = graph.scalar(1.0, output);
    let result = relevance(&mut graph, output, seed, &[wanted], &named("epsilon"), false).expect("has rules");
    assert_eq!(graph.element(result.wanted[0]), ElementType::F16);
}
