//! Saliency and integrated gradients: slopes, and what they add up to along a path.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use pellucid_core::{Attribution, Baseline, Target, Work};
use pellucid_explain::integrated_gradients::{self, Rule};
use pellucid_explain::saliency::{self, saliency};
use pellucid_explain::{Network, network};
use pellucid_graph::{Reference, text::parse};

use super::{CURVED, KINKED, ig, largest, network, rows};

#[test]
fn saliency_is_the_slope_of_the_output() {
    let network = network(CURVED);
    let x = rows(1, &[3], 5);
    let options = saliency::Options { absolute: false };
    let attribution = saliency(&network, &x, &Target::Index(1), &options, &Work::default()).expect("runs");
    for feature in 0..3 {
        let output = |step: f32| {
            let mut moved = x.clone();
            moved[[0, feature]] += step;
            network.outputs(&moved, &Work::default()).expect("runs")[[0, 1]]
        };
        let slope = (output(1e-3) - output(-1e-3)) / 2e-3;
        assert!((attribution.values[[0, 0, feature]] - slope).abs() < 1e-4);
    }
}

#[test]
fn integrated_gradients_are_complete_by_every_rule() {
    let network = network(CURVED);
    let x = rows(3, &[3], 1);
    for (name, rule) in Rule::NAMES {
        let options = integrated_gradients::Options { n_steps: 300, rule, ..Default::default() };
        let attribution = ig(&network, &x, &Target::Index(0), &options);
        let gap = largest(&attribution.convergence_delta.expect("promised"));
        let bound = if matches!(rule, Rule::RiemannLeft | Rule::RiemannRight) { 0.03 } else { 1e-5 };
        assert!(gap < bound, "{name}: {gap}");
    }
}

/// Constants of small numbers, drawn from a seed, for the text of a graph.
fn constants(shapes: &[(&str, &[usize])]) -> String {
    let constant = |(seed, (name, shape)): (usize, &(&str, &[usize]))| {
        let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
        let numbers: Vec<String> = rows(1, shape, seed as u64 + 3).iter().map(f32::to_string).collect();
        format!("float[{}] {name} = {{{}}}", lengths.join(","), numbers.join(", "))
    };
    shapes.iter().enumerate().map(constant).collect::<Vec<_>>().join(", ")
}

/// The last state of an LSTM that reads `steps` steps.
fn recurrent(steps: usize) -> String {
    let parameters = constants(&[("w", &[1, 8, 2]), ("r", &[1, 8, 2]), ("b", &[1, 16]), ("v", &[2, 2])]);
    format!(
        "recurrent (float[N,{steps},2] x) => (float[N,2] y) <{parameters}, int64[1] front = {{0}}>
         {{ t = Transpose<perm = [1, 0, 2]>(x) \"\", h = LSTM<hidden_size = 2>(t, w, r, b)
            s = Squeeze(h, front) y = MatMul(s, v) }}"
    )
}

#[test]
fn integrated_gradients_are_complete_behind_ops_that_are_written_out() {
    let parameters = constants(&[("w", &[4, 12]), ("g", &[4]), ("v", &[12, 2])]);
    let transformer = format!(
        "transformer (float[N,3,4] x) => (float[N,2] y) <{parameters}, int64[2] flat = {{0, -1}}>
         {{ p = Einsum<equation = \"btd,dk->btk\">(x, w) q, k, v0 = Split<axis = 2, num_outputs = 3>(p)
            a = Attention<q_num_heads = 2, kv_num_heads = 2, is_causal = 1>(q, k, v0)
            n = com.microsoft.SkipLayerNormalization<epsilon = 0.5>(a, x, g)
            f = Reshape(n, flat) y = MatMul(f, v) }}"
    );
    for (text, shape) in [(recurrent(4), [4, 2]), (transformer, [3, 4])] {
        let options = integrated_gradients::Options { n_steps: 100, ..Default::default() };
        let attribution = ig(&network(&text), &rows(2, &shape, 1), &Target::Index(0), &options);
        let gap = largest(&attribution.convergence_delta.expect("promised"));
        assert!(gap < 1e-5, "{gap} of {text}");
    }
}

#[test]
fn a_sequence_too_long_to_be_written_out_is_refused_with_its_length() {
    let graph = parse(&recurrent(129)).expect("the text is a graph");
    let error =
        Network::new(&graph, Arc::new(Reference), &network::Options::default()).err().expect("too long");
    assert!(error.to_string().contains("129 steps"), "{error}");
}

#[test]
fn a_linear_model_gives_weight_times_difference_from_the_baseline() {
    let network =
        network("linear (float[N,2] x) => (float[N,1] y) <float[2,1] w = {3, -2}> { y = MatMul(x, w) }");
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 2]), vec![2.0f32, 5.0]).expect("two numbers");
    for (_, rule) in Rule::NAMES {
        let baseline = Baseline::Value(1.0);
        let options = integrated_gradients::Options { n_steps: 3, rule, baseline, ..Default::default() };
        let attribution = ig(&network, &x, &Target::Index(0), &options);
        let expected = [3.0 * (2.0 - 1.0), -2.0 * (5.0 - 1.0)];
        assert!(
            attribution.values.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-5),
            "{:?}",
            attribution.values
        );
        assert!((attribution.base_values.expect("has a baseline")[[0, 0]] - 1.0).abs() < 1e-6);
    }
}

#[test]
fn an_unused_feature_gets_nothing_and_equal_ones_get_equal_shares() {
    let network = network(
        "g (float[N,3] x) => (float[N,1] y) <float[3,2] w = {1, 2, 1, 2, 0, 0}, float[2,1] v = {1, -0.5}>
         { h = MatMul(x, w) t = Tanh(h) y = MatMul(t, v) }",
    );
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 3]), vec![0.4f32, 0.4, 0.9]).expect("three numbers");
    let values = ig(&network, &x, &Target::Index(0), &integrated_gradients::Options::default()).values;
    assert_eq!(values[[0, 0, 2]], 0.0);
    assert_eq!(values[[0, 0, 0]], values[[0, 0, 1]]);
}

#[test]
fn a_tolerance_is_reached_where_fixed_steps_miss_it() {
    let network = network(KINKED);
    let x = rows(4, &[3], 9);
    let fixed = integrated_gradients::Options { n_steps: 10, ..Default::default() };
    let refined = integrated_gradients::Options { tolerance: Some(1e-4), ..Default::default() };
    let share = |attribution: &Attribution| {
        let scale = &attribution.outputs - attribution.base_values.as_ref().expect("has a baseline");
        largest(&(attribution.convergence_delta.clone().expect("promised") / scale))
    };
    let (fixed, refined) =
        (ig(&network, &x, &Target::Index(0), &fixed), ig(&network, &x, &Target::Index(0), &refined));
    assert!(share(&fixed) > 1e-4, "the case is too easy");
    assert!(share(&refined) <= 1.1e-4, "{}", share(&refined));
    assert!(refined.warnings.is_empty());
    assert!(refined.evaluations.iter().all(|&n| n > 8 && n < 1000), "{:?}", refined.evaluations);
}

#[test]
fn a_tolerance_that_is_not_reached_is_said() {
    let options =
        integrated_gradients::Options { tolerance: Some(1e-12), max_evaluations: 60, ..Default::default() };
    let attribution = ig(&network(KINKED), &rows(1, &[3], 9), &Target::Index(0), &options);
    assert!(attribution.warnings[0].contains("completeness gap"), "{:?}", attribution.warnings);
}
