//! Each rule by hand and against dense matrices, and who gets which.

use super::*;

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
fn relevance_passes_through_rounding() {
    let with = |between: &str| {
        format!(
            "g (float[N,4] x) => (float[N,1] y)
             <float s = {{0.25}}, uint8 z = {{128}}, float[4,3] w = {{{}}}, float[3] b = {{{}}}, float[3,1] v = {{{}}}>
             {{ {between} h = Gemm(d, w, b) r = Relu(h) y = MatMul(r, v) }}",
            list(12, 1),
            list(3, 2),
            list(3, 3)
        )
    };
    // Numbers that rounding leaves as they are.
    let x = [row(&[1.25, -0.5, 2.0, -3.75])];
    let quantized = with("q = QuantizeLinear(x, s, z) p = Identity(q) d = DequantizeLinear(p, s, z)");
    for name in ["epsilon", "epsilon_plus"] {
        let [rounded, plain] =
            [&quantized, &with("d = Identity(x)")].map(|text| explain(text, &x, &named(name)));
        assert_close(&rounded.values, &plain.values, 1e-12);
        assert_close(&rounded.absorbed, &plain.absorbed, 1e-12);
    }
}
