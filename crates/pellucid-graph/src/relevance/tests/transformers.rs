//! The rules of AttnLRP, and a whole transformer.

use super::*;

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
    // exp(a) / exp(b), where the difference is 0 too.
    check("d = Sub(a, b) y = Exp(d)", &[(-2.0f64).exp(), 3.0f64.exp(), 0.0, 0.0]);
    check("m = Max(a, b) d = Sub(a, m) y = Exp(d)", &[(-2.0f64).exp(), 1.0, 0.0, 0.0]);
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
