//! Lowered graphs against the ops they stand for, against numbers worked out by hand, and what is refused.

use super::lower;
use crate::cases::{loop_cases, op_cases, uniform};
use crate::evaluate::evaluate;
use crate::gradient::gradient;
use crate::graph::Graph;
use crate::ops::positions;
use crate::passes::fold_constants;
use crate::recognize::attention_weights;
use crate::tensor::Tensor;
use crate::text::parse;

/// Constant matrices of Resize are float32; all else agrees to rounding in f64.
const TOLERANCE: f64 = 1e-6;

fn lowered(graph: &Graph) -> Graph {
    lower(&fold_constants(graph).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(what: &str, actual: &[Tensor], expected: &[Tensor]) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (actual, expected) in actual.iter().zip(expected) {
        assert_eq!(actual.shape(), expected.shape(), "{what}");
        for (a, e) in actual.to_f64s().iter().zip(expected.to_f64s()) {
            let same = *a == e || (a.is_nan() && e.is_nan()) || (a - e).abs() <= TOLERANCE * (1.0 + e.abs());
            assert!(same, "{what}: {a} for {e}");
        }
    }
}

#[test]
fn lowering_changes_no_value() {
    for case in op_cases() {
        let graph = case.parse();
        let inputs = case.inputs(&graph, 5);
        let actual = evaluate(&lowered(&graph), &inputs).unwrap();
        assert_close(case.name, &actual, &evaluate(&graph, &inputs).unwrap());
    }
}

#[test]
fn loops_are_what_they_are_written_out() {
    for case in loop_cases() {
        let lowered = lowered(&case.graph);
        assert!(lowered.nodes().iter().all(|node| node.bodies().next().is_none()), "{}", case.name);
        let expected = evaluate(&case.written_out, &case.inputs).unwrap();
        assert_close(case.name, &evaluate(&case.graph, &case.inputs).unwrap(), &expected);
        assert_close(case.name, &evaluate(&lowered, &case.inputs).unwrap(), &expected);
        let gradients = [lowered, case.written_out].map(|graph| gradients_of_last(graph, &case.inputs));
        assert_close(case.name, &gradients[0], &gradients[1]);
    }
}

/// `d(Σ last output)/d(input)` for each input.
fn gradients_of_last(mut graph: Graph, inputs: &[Tensor]) -> Vec<Tensor> {
    let (output, wanted) = (*graph.outputs().last().unwrap(), graph.inputs().to_vec());
    let one = graph.scalar(1.0, output);
    let seed = graph.expand_like(one, output);
    let gradients = gradient(&mut graph, output, seed, &wanted).unwrap();
    graph.set_outputs(&gradients);
    evaluate(&graph, inputs).unwrap()
}

#[track_caller]
fn check(text: &str, inputs: &[Tensor], expected: &[f64]) {
    let graph = parse(text).unwrap();
    for graph in [graph.clone(), lowered(&graph)] {
        let y = evaluate(&graph, inputs).unwrap()[0].to_f64s();
        assert_eq!(y.len(), expected.len(), "{text}");
        assert!(y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-6), "{text}: {y:?}");
    }
}

#[test]
fn attention_averages_values_by_the_exponentials_of_scores() {
    // Scores 0 and ln 3: weights 1/4 and 3/4.
    check(
        "g (float[1,1,1,1] q, float[1,1,2,1] k, float[1,1,2,1] v) => (float[1,1,1,1] y)
         { y = Attention<scale = 1.0>(q, k, v) }",
        &[
            Tensor::f64(&[1, 1, 1, 1], vec![1.0]),
            Tensor::f64(&[1, 1, 2, 1], vec![0.0, 3f64.ln()]),
            Tensor::f64(&[1, 1, 2, 1], vec![2.0, 6.0]),
        ],
        &[5.0],
    );
}

#[test]
fn a_causal_query_sees_itself_and_what_came_before() {
    check(
        "g (float[1,1,2,1] q, float[1,1,2,1] v) => (float[1,1,2,1] y) { y = Attention<is_causal = 1>(q, q, v) }",
        &[Tensor::f64(&[1, 1, 2, 1], vec![0.0, 0.0]), Tensor::f64(&[1, 1, 2, 1], vec![2.0, 6.0])],
        &[2.0, 4.0],
    );
}

#[test]
fn pairs_turn_by_their_angle() {
    // By the angle whose cosine is 3/5: (1, 0) becomes (3/5, 4/5).
    check(
        "g (float[1,1,1,2] x) => (float[1,1,1,2] y) <float[1,1,1] c = {0.6}, float[1,1,1] s = {0.8}>
         { y = RotaryEmbedding(x, c, s) }",
        &[Tensor::f64(&[1, 1, 1, 2], vec![1.0, 0.0])],
        &[0.6, 0.8],
    );
}

#[test]
fn gates_of_an_lstm_stand_in_the_order_i_o_f_c() {
    // Input gate 1, output gate 1/2, forget gate 0, candidate 1/2: c = 1/2, h = tanh(1/2) / 2.
    check(
        "g (float[1,1,1] x) => (float[1,1,1,1] y)
         <float[1,4,1] w = {0, 0, 0, 0}, float[1,8] b = {100, 0, -100, 0.5493061443340549, 0, 0, 0, 0}>
         { y = LSTM<hidden_size = 1>(x, w, w, b) }",
        &[Tensor::f64(&[1, 1, 1], vec![3.0])],
        &[0.5f64.tanh() / 2.0],
    );
}

#[test]
fn gates_of_a_gru_stand_in_the_order_z_r_h() {
    // Update gate 1/4 = σ(−ln 3), candidate 1/2, state 1 before: 3/4 · 1/2 + 1/4 · 1.
    check(
        "g (float[1,1,1] h) => (float[1,1,1,1] y)
         <float[1,1,1] x = {3}, float[1,3,1] w = {0, 0, 0},
          float[1,6] b = {-1.0986122886681098, 7, 0.5493061443340549, 0, 0, 0}>
         { y = GRU<hidden_size = 1>(x, w, w, b, \"\", h) }",
        &[Tensor::f64(&[1, 1, 1], vec![1.0])],
        &[0.625],
    );
}

#[test]
fn layout_1_puts_the_batch_first() {
    let steps_first = parse(
        "g (float[2,3,2] x, float[2,6,2] w, float[2,6,2] r, float[2,2,2] h0) => (float[2,3,2,2] y, float[2,2,2] h)
         { t = Transpose<perm = [1, 0, 2]>(x) t0 = Transpose<perm = [1, 0, 2]>(h0)
           ty, th = GRU<hidden_size = 2, direction = \"bidirectional\">(t, w, r, \"\", \"\", t0)
           y = Transpose<perm = [2, 0, 1, 3]>(ty) h = Transpose<perm = [1, 0, 2]>(th) }",
    )
    .unwrap();
    let batch_first = parse(
        "g (float[2,3,2] x, float[2,6,2] w, float[2,6,2] r, float[2,2,2] h0) => (float[2,3,2,2] y, float[2,2,2] h)
         { y, h = GRU<hidden_size = 2, direction = \"bidirectional\", layout = 1>(x, w, r, \"\", \"\", h0) }",
    )
    .unwrap();
    let mut state = 1;
    let mut draw = |shape: &[usize]| {
        let n = shape.iter().product();
        Tensor::f64(shape, (0..n).map(|_| uniform(&mut state) - 0.5).collect())
    };
    let inputs = [draw(&[2, 3, 2]), draw(&[2, 6, 2]), draw(&[2, 6, 2]), draw(&[2, 2, 2])];
    let expected = evaluate(&steps_first, &inputs).unwrap();
    assert_close("evaluated", &evaluate(&batch_first, &inputs).unwrap(), &expected);
    assert_close("lowered", &evaluate(&lowered(&batch_first), &inputs).unwrap(), &expected);
}

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let error = parse(text).and_then(|graph| lower(&graph)).unwrap_err().to_string();
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
}

#[test]
fn attention_of_groups_is_refused_by_what_it_lacks() {
    let grouped = |attribute: &str, past: &str, sink: &str| {
        format!(
            "g (float[1,3,16] q, float[1,3,8] k, float[1,1,2,8] p, float[1,1,2,8] w, int32[1] l, int32[1] t,
                float[2] n) => (float[1,3,16] y)
             {{ y, pk, pv = com.microsoft.GroupQueryAttention<num_heads = 2, kv_num_heads = 1{attribute}>
               (q, k, k, {past}, l, t, \"\", \"\", \"\", \"\"{sink}) }}"
        )
    };
    let absent = "\"\", \"\"";
    refused(&grouped("", "p, w", ""), &["GroupQueryAttention", "`past_key`"]);
    refused(&grouped("", "\"\", w", ""), &["`past_value`"]);
    refused(&grouped("", absent, ", n"), &["`head_sink`"]);
    refused(&grouped(", smooth_softmax = 1", absent, ""), &["smooth_softmax"]);
    refused(&grouped(", qk_output = 1", absent, ""), &["qk_output"]);
    refused(&grouped(", local_window_size = 2", absent, ""), &["local_window_size"]);
    let wide_enough = grouped(", local_window_size = 3", absent, "");
    assert!(parse(&wide_enough).and_then(|graph| lower(&graph)).is_ok());
}

#[test]
fn what_cannot_be_written_out_is_refused_by_name() {
    refused(
        "g (float[129,1,1] x, float[1,3,1] w) => (float[?,1,1,1] y) { [long] y = GRU<hidden_size = 1>(x, w, w) }",
        &["GRU", "long", "129 steps"],
    );
    refused(
        "g (float[T,1,1] x, float[1,3,1] w) => (float[?,1,1,1] y) { [open] y = GRU<hidden_size = 1>(x, w, w) }",
        &["GRU", "open", "unknown"],
    );
    refused(
        "g (float[1,1,1] x, float[1,1,1] w) => (float[1,1,1,1] y)
         { y = RNN<hidden_size = 1, activations = [\"Cosine\"]>(x, w, w) }",
        &["cosine"],
    );
    refused(
        "g (float[2,3] a) => (float[2,3] y) { [odd] y = Einsum<equation = \"ij,jk->ik\">(a) }",
        &["Einsum", "odd", "2 terms for 1 inputs"],
    );
    refused("g (float[2,3] a) => (float[2,3] y) { y = Einsum<equation = \"ij->ik\">(a) }", &["axis `k`"]);
    refused(
        "g (float[1,1,2,2] q, float[2,2] m) => (float[1,1,2,2] y) { y = Attention<softcap = 2.0>(q, q, q, m) }",
        &["Attention", "softcap"],
    );
    refused(
        "g (float[2,2] a) => (float[2,2] y) { y = com.microsoft.FusedMatMul<transBatchA = 1>(a, a) }",
        &["com.microsoft.FusedMatMul", "transBatchA"],
    );
    refused(
        "g (float[2,4] x, float[4] s) => (float[2,4] y, float[?,?] m)
         { y, m = com.microsoft.SkipSimplifiedLayerNormalization(x, x, s) }",
        &["mean"],
    );
}

/// Letters that stand for axes, each with its length.
const AXES: [(char, usize); 5] = [('a', 2), ('b', 3), ('c', 1), ('d', 2), ('E', 4)];

fn lengths(term: &str) -> Vec<usize> {
    let length = |c| AXES.iter().find(|(letter, _)| *letter == c).unwrap().1;
    term.chars().map(length).collect()
}

/// Einsum by its definition: for each value of all letters one product.
fn by_definition(terms: &[String], result: &str, inputs: &[Tensor]) -> Tensor {
    let letters: String = AXES.iter().map(|(letter, _)| letter).collect();
    let offset = |term: &str, values: &[usize]| {
        let place = |c| values[letters.find(c).unwrap()];
        term.chars().zip(lengths(term)).fold(0, |offset, (c, n)| offset * n + place(c))
    };
    let used = |c: char| terms.iter().any(|term| term.contains(c));
    let all: Vec<usize> = AXES.iter().map(|&(c, n)| if used(c) { n } else { 1 }).collect();
    let shape = lengths(result);
    let mut sums = vec![0.0; shape.iter().product()];
    for values in positions(&all) {
        let factors = terms.iter().zip(inputs).map(|(term, input)| input.to_f64s()[offset(term, &values)]);
        sums[offset(result, &values)] += factors.product::<f64>();
    }
    Tensor::f64(&shape, sums)
}

/// ONNX Runtime refuses it, NumPy does not.
#[test]
fn axes_of_an_ellipsis_broadcast() {
    check(
        "g (float[2,1,1,2] a, float[3,2,1] b) => (float[2,3,1,1] y)
         { y = Einsum<equation = \"...ij,...jk->...ik\">(a, b) }",
        &[
            Tensor::f64(&[2, 1, 1, 2], vec![1.0, 2.0, 3.0, 4.0]),
            Tensor::f64(&[3, 2, 1], vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
        ],
        &[1.0, 2.0, 3.0, 3.0, 4.0, 7.0],
    );
}

#[test]
fn einsum_is_its_definition() {
    let mut state = 17;
    let mut below = |n: usize| (uniform(&mut state) * n as f64) as usize;
    for _ in 0..300 {
        let terms: Vec<String> =
            (0..=below(3)).map(|_| (0..1 + below(4)).map(|_| AXES[below(5)].0).collect()).collect();
        let mut result: Vec<char> =
            AXES.iter().map(|(c, _)| *c).filter(|c| terms.iter().any(|term| term.contains(*c))).collect();
        let n = result.len();
        (0..n).for_each(|i| result.swap(i, below(n)));
        result.truncate(below(n + 1));
        let result: String = result.into_iter().collect();
        let names: Vec<String> = (0..terms.len()).map(|i| format!("x{i}")).collect();
        let list = |term: &str| lengths(term).iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let inputs: Vec<String> =
            terms.iter().zip(&names).map(|(term, name)| format!("float[{}] {name}", list(term))).collect();
        let y = if result.is_empty() { "float y".to_owned() } else { format!("float[{}] y", list(&result)) };
        let equation = format!("{}->{result}", terms.join(","));
        let text = format!(
            "g ({}) => ({y}) {{ y = Einsum<equation = \"{equation}\">({}) }}",
            inputs.join(", "),
            names.join(", ")
        );
        let values: Vec<Tensor> = terms
            .iter()
            .map(|term| {
                let shape = lengths(term);
                let n = shape.iter().product();
                Tensor::f64(&shape, (0..n).map(|_| below(1000) as f64 / 500.0 - 1.0).collect())
            })
            .collect();
        let actual = evaluate(&parse(&text).unwrap(), &values).unwrap();
        assert_close(&equation, &actual, &[by_definition(&terms, &result, &values)]);
    }
}

#[test]
fn every_fused_attention_is_found_where_it_is_written_out() {
    let cases: Vec<_> = op_cases().into_iter().filter(|case| case.name.contains("Attention")).collect();
    assert!(cases.len() > 9);
    for case in cases {
        let graph = lowered(&parse(case.graph).unwrap());
        assert_eq!(attention_weights(&graph, graph.outputs()[0]).len(), 1, "{}", case.name);
    }
}
