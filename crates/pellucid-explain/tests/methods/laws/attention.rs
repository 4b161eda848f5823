//! Attention methods, and maps of tokens, against their formulas, with gradients by finite differences.

use ndarray::{Axis, Slice};
use pellucid_core::{Attribution, Target, Work};
use pellucid_explain::attention::{self, attention};
use pellucid_explain::attention_rollout::{self, attention_rollout};
use pellucid_explain::attention_x_gradient::{self, attention_x_gradient};
use pellucid_explain::cam::{self, cam};
use pellucid_explain::compile;
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
fn attention_x_gradient_follows_its_formula_over_patches() {
    let graph = parse(&transformer()).expect("the text is a graph");
    let network = network(&transformer());
    let x = rows(3, &[1, 2, 2], 95);
    for start_layer in [0, 1] {
        let options = attention_x_gradient::Options { start_layer, ..Default::default() };
        let map =
            attention_x_gradient(&network, &x, &Target::Index(1), &options, &Work::default()).expect("runs");
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
    let options = attention_x_gradient::Options { start_layer: 2, ..Default::default() };
    let result = attention_x_gradient(&network, &x, &Target::Index(1), &options, &Work::default());
    assert!(result.expect_err("refused").to_string().contains("2 is not there"));
}

/// Activations `[5, 4]` of one wire of [`transformer`] for one row, and the gradient of an output by finite differences.
fn tokens_by_hand(graph: &Graph, x: &Tensor, name: &str, output: usize) -> (Vec<f64>, Vec<f64>) {
    let wire = graph.wire(name).expect("a wire");
    let tokens = evaluate_wires(graph, std::slice::from_ref(x), &[wire]).expect("runs").remove(0);
    let behind = cut(graph, &[wire]).expect("a part");
    let at = |i: usize, step: f64| {
        let mut elements = tokens.to_f64s();
        elements[i] += step;
        let moved = Tensor::f64(tokens.shape(), elements);
        evaluate(&behind, &[moved]).expect("runs")[0].to_f64s()[output]
    };
    let slopes = (0..tokens.len()).map(|i| (at(i, 1e-5) - at(i, -1e-5)) / 2e-5).collect();
    (tokens.to_f64s(), slopes)
}

#[test]
fn maps_of_tokens_follow_their_formulas_without_the_class_token() {
    let graph = parse(&transformer()).expect("the text is a graph");
    let network = network(&transformer());
    let found = cam::find_layer(network.graph()).expect("found");
    assert_eq!(network.graph().name_of(found), "middle", "what the last attention reads");
    let x = rows(2, &[1, 2, 2], 95);
    for (name, variant) in cam::Variant::NAMES {
        if matches!(variant, cam::Variant::ScoreCam | cam::Variant::EigenCam) {
            continue;
        }
        let options = cam::Options { variant, relu: false, ..Default::default() };
        let map = cam(&network, &x, &Target::Index(1), &options, &Work::default()).expect("runs");
        let raw = map.raw_map.expect("kept");
        for row in 0..2 {
            let x = x.slice_axis(Axis(0), Slice::from(row..row + 1));
            let x = Tensor::f64(&[1, 1, 2, 2], x.iter().map(|x| f64::from(*x)).collect());
            let (tokens, slopes) = tokens_by_hand(&graph, &x, "middle", 1);
            // Token 0 is the class token; a channel is every fourth number.
            let of = |numbers: &[f64], patch: usize, channel: usize| numbers[(patch + 1) * 4 + channel];
            let weight = |patch: usize, channel: usize| {
                let (a, g) = (
                    [0, 1, 2, 3].map(|p| of(&tokens, p, channel)),
                    [0, 1, 2, 3].map(|p| of(&slopes, p, channel)),
                );
                let sum: f64 = a.iter().sum();
                match variant {
                    cam::Variant::GradCam => g.iter().sum::<f64>() / 4.0,
                    cam::Variant::LayerCam => g[patch].max(0.0),
                    cam::Variant::HiResCam => g[patch],
                    cam::Variant::GradCamPlusPlus => {
                        g.iter().map(|g| g.max(0.0) * g * g / (2.0 * g * g + g.powi(3) * sum + 1e-6)).sum()
                    }
                    cam::Variant::XGradCam => a.iter().zip(g).map(|(a, g)| a * g).sum::<f64>() / (sum + 1e-7),
                    _ => {
                        let silent =
                            tokens.iter().enumerate().map(|(i, a)| if i % 4 == channel { 0.0 } else { *a });
                        let behind = cut(&graph, &[graph.wire("middle").expect("a wire")]).expect("a part");
                        let at = |tokens: Vec<f64>| {
                            let tokens = Tensor::f64(&[1, 5, 4], tokens);
                            evaluate(&behind, &[tokens]).expect("runs")[0].to_f64s()[1]
                        };
                        at(tokens.clone()) - at(silent.collect())
                    }
                }
            };
            for patch in 0..4 {
                let expected: f64 = (0..4).map(|c| weight(patch, c) * of(&tokens, patch, c)).sum();
                let found = raw[[row, 0, patch / 2, patch % 2]];
                assert!(
                    (found - expected).abs() < 2e-5 * expected.abs().max(1.0),
                    "{name}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn compiled_attention_is_laid_on_the_image() {
    let network = network(&transformer());
    let (x, target, work) = (rows(3, &[1, 2, 2], 95), Target::Index(1), Work::default());
    let check = |method: compile::Method, attribution: Attribution| {
        let graph = compile::compile(&network, &method, compile::CompiledTarget::Index(1)).expect("compiles");
        let input = Tensor::f32(x.shape(), x.iter().copied().collect());
        let outputs = evaluate(&graph, &[input]).expect("runs");
        assert_eq!(outputs[1].shape(), [3, 2, 2]);
        let close = outputs[1].to_f64s().iter().zip(&attribution.values).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close && largest(&attribution.values) > 1e-3, "{method:?}");
    };
    let options = attention::Options { layer: Some(0), head: Some(1), ..Default::default() };
    check(
        compile::Method::Attention(options),
        attention(&network, &x, &target, &options, &work).expect("runs"),
    );
    let options = attention_rollout::Options { discard_ratio: 0.3, ..Default::default() };
    check(
        compile::Method::AttentionRollout(options),
        attention_rollout(&network, &x, &target, &options, &work).expect("runs"),
    );
    let options = attention_x_gradient::Options::default();
    check(
        compile::Method::AttentionXGradient(options),
        attention_x_gradient(&network, &x, &target, &options, &work).expect("runs"),
    );
}
