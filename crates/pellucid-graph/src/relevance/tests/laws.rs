//! What holds for all rules: relevance is accounted for, row by row and node by node.

use super::*;

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
