//! Laws that the methods must obey, on small networks in graph text, run by the reference evaluator.

#![allow(clippy::expect_used, reason = "a broken expectation is what a test reports")]

use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn, Slice};
use pellucid_core::{Attribution, Baseline, Cancellation, Target, Work};
use pellucid_explain::cam::{self, cam};
use pellucid_explain::chefer::{self, chefer};
use pellucid_explain::deep_lift::{self, deep_lift};
use pellucid_explain::deep_shap::{self, deep_shap};
use pellucid_explain::gradient_shap::{self, gradient_shap};
use pellucid_explain::guided::{guided_backprop, guided_grad_cam};
use pellucid_explain::input_x_gradient::input_x_gradient;
use pellucid_explain::integrated_gradients::{self, Rule, integrated_gradients};
use pellucid_explain::lrp::{self, Composite, conservation, lrp};
use pellucid_explain::saliency::{self, saliency};
use pellucid_explain::smoothgrad::{self, Noise, Statistic, smoothgrad};
use pellucid_explain::{Error, Network, compile, network};
use pellucid_graph::passes::cut;
use pellucid_graph::{Graph, Reference, Tensor, evaluate, evaluate_wires, text::parse};

/// A curved network of three inputs and two outputs, no layer of it linear in the input but the first.
const CURVED: &str = "curved (float[N,3] x) => (float[N,2] y)
    <float[3,4] w = {1, -2, 0.5, 0.3, 0.7, 1, -1, 0.2, -0.4, 0.6, 2, -1}, float[4] b = {0.1, 0.2, -0.3, 0},
     float[4,2] v = {1, -1, 0.5, 2, -1.5, 0.3, 0.8, 0.6}>
    { h = MatMul(x, w) i = Add(h, b) t = Tanh(i) y = MatMul(t, v) }";

/// ReLU instead: kinks along every path.
const KINKED: &str = "kinked (float[N,3] x) => (float[N,2] y)
    <float[3,4] w = {1, -2, 0.5, 0.3, 0.7, 1, -1, 0.2, -0.4, 0.6, 2, -1}, float[4] b = {0.1, 0.2, -0.3, 0.4},
     float[4,2] v = {1, -1, 0.5, 2, -1.5, 0.3, 0.8, 0.6}>
    { h = MatMul(x, w) i = Add(h, b) t = Relu(i) y = MatMul(t, v) }";

/// A small image classifier: two convolutions, a pool between them, 2 × 2 places at the end.
const IMAGE: &str = "image (float[N,1,4,4] x) => (float[N,2] y)
    <float[2,1,3,3] k = {1, 0, -1, 2, 0.5, -2, 1, 0, -1, 0.3, 1, 0.2, 0, 0, 0, -0.3, -1, -0.2},
     float[2,2,1,1] l = {1, -0.5, 0.7, 1.2}, int64[2] flat = {0, -1},
     float[8,2] v = {1, 0, 0.5, 1, -1, 0.3, 0.8, 0.6, 0.1, 0.2, -0.7, 1, 0.4, 0.4, 0.9, -1}>
    { a = Conv<pads = [1, 1, 1, 1]>(x, k) b = Relu(a) c = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(b)
      d = Conv(c, l) e = Relu(d) f = Reshape(e, flat) y = MatMul(f, v) }";

fn network(text: &str) -> Network {
    let graph = parse(text).expect("the text is a graph");
    Network::new(&graph, Arc::new(Reference), &network::Options::default()).expect("an ordinary network")
}

/// Rows of numbers between -1 and 1 from a seed.
fn rows(n: usize, shape: &[usize], seed: u64) -> ArrayD<f32> {
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

fn work(batch_size: usize) -> Work {
    Work { batch_size: Some(batch_size), ..Work::default() }
}

fn ig(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    options: &integrated_gradients::Options,
) -> Attribution {
    integrated_gradients(network, rows, target, options, &Work::default()).expect("an ordinary request")
}

fn composite(name: &str) -> lrp::Options {
    let composite = Composite::named(name, &lrp::Settings::default()).expect("a composite without settings");
    lrp::Options { composite }
}

fn largest(values: &ArrayD<f64>) -> f64 {
    values.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

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

#[test]
fn rows_do_not_depend_on_each_other_or_on_the_batch() {
    let network = network(IMAGE);
    let x = rows(5, &[1, 4, 4], 3);
    let smooth = smoothgrad::Options { n_samples: 3, ..Default::default() };
    let background = rows(3, &[1, 4, 4], 17);
    let shap = deep_shap::Options { background: background.clone() };
    let sampled = gradient_shap::Options {
        n_samples: 4,
        noise: Noise::Absolute(0.1),
        tolerance: Some(0.5),
        max_evaluations: 40,
        ..gradient_shap::Options::new(background)
    };
    let all = |rows: &ArrayD<f32>, work: &Work| {
        let target = Target::Top(1);
        let signed = saliency::Options { absolute: false };
        vec![
            saliency(&network, rows, &target, &signed, work),
            input_x_gradient(&network, rows, &target, work),
            integrated_gradients(&network, rows, &target, &integrated_gradients::Options::default(), work),
            lrp(&network, rows, &target, &composite("epsilon_plus_flat"), work),
            cam(&network, rows, &target, &cam::Options::default(), work),
            deep_lift(&network, rows, &target, &deep_lift::Options::default(), work),
            deep_shap(&network, rows, &target, &shap, work),
            gradient_shap(&network, rows, &target, &sampled, work),
            smoothgrad(&network, rows, &target, &smooth, work, |rows, target| {
                saliency(&network, rows, target, &signed, work)
            }),
        ]
    };
    let together = all(&x, &work(64));
    let last = x.slice_axis(Axis(0), Slice::from(4..5)).to_owned();
    for (together, others) in together.iter().zip(all(&last, &work(1)).iter().zip(all(&x, &work(2)))) {
        let values = &together.as_ref().expect("runs").values;
        let (alone, in_pairs) =
            (&others.0.as_ref().expect("runs").values, &others.1.as_ref().expect("runs").values);
        let close = |a: &ArrayD<f64>, b: &ArrayD<f64>| largest(&(a - b)) <= 1e-6 * largest(a);
        assert!(close(&values.slice_axis(Axis(0), Slice::from(4..5)).to_owned(), alone));
        assert!(close(values, in_pairs));
    }
}

#[test]
fn the_highest_classes_in_one_graph_are_those_asked_for_one_by_one() {
    let network = network(IMAGE);
    let x = rows(3, &[1, 4, 4], 8);
    let options = saliency::Options::default();
    let both = saliency(&network, &x, &Target::Top(2), &options, &Work::default()).expect("runs");
    assert_eq!(both.values.shape(), [3, 2, 1, 4, 4]);
    let resolved = network.resolve(&Target::Top(2), &x, None, &Work::default()).expect("two outputs");
    let indices = resolved.indices.expect("single outputs");
    for k in 0..2 {
        let target = Target::PerRow(indices.iter().map(|row| row[k]).collect());
        let one = saliency(&network, &x, &target, &options, &Work::default()).expect("runs");
        assert_eq!(one.values.index_axis(Axis(1), 0), both.values.index_axis(Axis(1), k));
        assert_eq!(one.outputs.index_axis(Axis(1), 0), both.outputs.index_axis(Axis(1), k));
    }
}

#[test]
fn a_difference_of_two_outputs_is_the_difference_of_their_attributions() {
    let network = network(CURVED);
    let x = rows(2, &[3], 4);
    let of = |target: Target| input_x_gradient(&network, &x, &target, &Work::default()).expect("runs").values;
    let difference = of(Target::Weighted(vec![(0, 1.0), (1, -1.0)]));
    assert!(largest(&(difference - (of(Target::Index(0)) - of(Target::Index(1))))) < 1e-6);
}

#[test]
fn the_logits_are_explained_unless_asked_otherwise() {
    let ended = CURVED.replace("y = MatMul(t, v)", "z = MatMul(t, v) y = Softmax<axis = -1>(z)");
    let graph = parse(&ended).expect("the text is a graph");
    let x = rows(1, &[3], 2);
    let values = |explain_probability: bool| {
        let options = network::Options { explain_probability, ..Default::default() };
        let network = Network::new(&graph, Arc::new(Reference), &options).expect("an ordinary network");
        let signed = saliency::Options { absolute: false };
        saliency(&network, &x, &Target::Index(0), &signed, &Work::default()).expect("runs").values
    };
    let signed = saliency::Options { absolute: false };
    let bare =
        saliency(&network(CURVED), &x, &Target::Index(0), &signed, &Work::default()).expect("runs").values;
    assert!(largest(&(values(false) - &bare)) < 1e-12);
    assert!(largest(&(values(true) - &bare)) > 1e-3);
}

#[test]
fn smoothgrad_repeats_from_its_seed_and_knows_its_error() {
    let network = network(CURVED);
    let x = rows(2, &[3], 6);
    let run = |seed: u64, n_samples: usize, statistic: Statistic| {
        let options = smoothgrad::Options { seed, n_samples, statistic, noise: Noise::Absolute(0.5) };
        smoothgrad(&network, &x, &Target::Index(0), &options, &Work::default(), |rows, target| {
            input_x_gradient(&network, rows, target, &Work::default())
        })
        .expect("runs")
    };
    for statistic in [Statistic::Mean, Statistic::MeanSquare, Statistic::Variance] {
        assert_eq!(run(1, 10, statistic), run(1, 10, statistic));
        let (many, few) = (run(2, 4000, statistic), run(3, 100, statistic));
        let error = few.standard_error.expect("sampled");
        let z = (few.values - many.values) / error;
        // 5 standard errors: one in a million by chance, and the seeds are fixed.
        assert!(largest(&z) < 5.0, "{statistic:?}: {z:?}");
    }
}

#[test]
fn maps_follow_their_formulas() {
    let network = network(IMAGE);
    let x = rows(2, &[1, 4, 4], 7);
    let mut n_against = 0;
    for (name, variant) in cam::Variant::NAMES {
        for relu in [true, false] {
            let options = cam::Options { variant, relu, ..Default::default() };
            let map = cam(&network, &x, &Target::Index(0), &options, &Work::default()).expect("runs");
            assert_eq!(map.values.shape(), [2, 1, 4, 4], "{name}");
            let raw = map.raw_map.expect("kept");
            assert_eq!(raw.shape(), [2, 1, 2, 2]);
            let signed = map_by_hand(&x, variant);
            n_against += signed.iter().filter(|v| **v < 0.0).count();
            let expected = if relu { signed.mapv(|v| v.max(0.0)) } else { signed };
            assert!(
                largest(&(&raw - &expected)) < 1e-6 * largest(&expected).max(1.0),
                "{name}: {raw:?} {expected:?}"
            );
        }
    }
    assert!(n_against > 0, "no place speaks against the target, so the ReLU is not seen");
}

/// The formulas once more, in loops, from the activations before the flattening and the weights behind it.
fn map_by_hand(x: &ArrayD<f32>, variant: cam::Variant) -> ArrayD<f64> {
    let mut graph = parse(IMAGE).expect("the text is a graph");
    let (layer, output) = (graph.wire("e").expect("the last feature map"), graph.outputs()[0]);
    graph.set_outputs(&[layer, output]);
    let run = |x: &ArrayD<f32>| {
        let input = Tensor::f32(x.shape(), x.iter().copied().collect());
        let outputs = evaluate(&graph, &[input]).expect("runs");
        (outputs[0].to_f64s(), outputs[1].to_f64s())
    };
    let (activations, _) = run(x);
    // Output 0 reads the flattened map with these weights: they are its gradient.
    let weights = [1.0, 0.5, -1.0, 0.8, 0.1, -0.7, 0.4, 0.9];
    let mut map = ArrayD::zeros(IxDyn(&[2, 1, 2, 2]));
    for row in 0..2 {
        let of_row = &activations[row * 8..][..8];
        for channel in 0..2 {
            let a = &of_row[channel * 4..][..4];
            let g = &weights[channel * 4..][..4];
            let sum: f64 = a.iter().sum();
            let reached: f64 = a.iter().zip(g).map(|(a, g)| a * g).sum();
            let weight = |place: usize| match variant {
                cam::Variant::GradCam => g.iter().sum::<f64>() / 4.0,
                cam::Variant::LayerCam => g[place].max(0.0),
                cam::Variant::HiResCam => g[place],
                cam::Variant::GradCamPlusPlus => {
                    g.iter().map(|g| g.max(0.0) * g * g / (2.0 * g * g + g.powi(3) * sum + 1e-6)).sum()
                }
                cam::Variant::XGradCam => reached / (sum + 1e-7),
                // What is behind the map is linear: without the channel its part is missing.
                cam::Variant::AblationCam => reached,
                cam::Variant::ScoreCam => {
                    let mut masked = x.slice_axis(Axis(0), Slice::from(row..row + 1)).to_owned();
                    masked.iter_mut().zip(mask_by_hand(a)).for_each(|(x, share)| *x *= share);
                    run(&masked).1[0] - run(&ArrayD::zeros(masked.raw_dim())).1[0]
                }
                cam::Variant::EigenCam => direction_by_hand(of_row)[channel],
            };
            let mean = if variant == cam::Variant::EigenCam { sum / 4.0 } else { 0.0 };
            for place in 0..4 {
                map[[row, 0, place / 2, place % 2]] += weight(place) * (a[place] - mean);
            }
        }
    }
    map
}

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

/// A map of 2 × 2 enlarged to 4 × 4 and stretched to 0…1: along an axis the shares of the first place are 1, ¾, ¼ and 0.
fn mask_by_hand(a: &[f64]) -> Vec<f32> {
    let shares = [1.0, 0.75, 0.25, 0.0];
    let mut large = Vec::new();
    for y in shares {
        for x in shares {
            large.push(y * (x * a[0] + (1.0 - x) * a[1]) + (1.0 - y) * (x * a[2] + (1.0 - x) * a[3]));
        }
    }
    let (low, high) = large.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (v.min(low), v.max(high)));
    large.iter().map(|v| if high > low { ((v - low) / (high - low)) as f32 } else { 0.0 }).collect()
}

/// The first eigenvector of the covariance of two channels, in closed form, with the sign of more activation.
fn direction_by_hand(a: &[f64]) -> [f64; 2] {
    let mean = |channel: usize| a[channel * 4..][..4].iter().sum::<f64>() / 4.0;
    let covariance = |i: usize, j: usize| -> f64 {
        (0..4).map(|place| (a[i * 4 + place] - mean(i)) * (a[j * 4 + place] - mean(j))).sum()
    };
    let (p, q, r) = (covariance(0, 0), covariance(0, 1), covariance(1, 1));
    let angle = 0.5 * (2.0 * q).atan2(p - r);
    let v = [angle.cos(), angle.sin()];
    let agreement: f64 = (0..4)
        .map(|place| {
            let projection: f64 = (0..2).map(|c| v[c] * (a[c * 4 + place] - mean(c))).sum();
            projection * (a[place] + a[4 + place])
        })
        .sum();
    if agreement < 0.0 { v.map(|x| -x) } else { v }
}

#[test]
fn maps_that_try_channels_are_the_same_with_a_way_around_the_layer() {
    // The output reads the layer, and the input beside it.
    let text = IMAGE
        .replace("f = Reshape(e, flat) y = MatMul(f, v)", "f = Reshape(e, flat) z = MatMul(f, v) i = Reshape(x, flat) j = MatMul(i, o) y = Add(z, j)")
        .replace("float[8,2] v =", "float[16,2] o = {1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1}, float[8,2] v =");
    let (around, plain) = (network(&text), network(IMAGE));
    let x = rows(3, &[1, 4, 4], 7);
    let options = cam::Options {
        variant: cam::Variant::AblationCam,
        relu: false,
        layer: Some("e".to_owned()),
        ..Default::default()
    };
    let of =
        |network: &Network| cam(network, &x, &Target::Index(0), &options, &Work::default()).expect("runs");
    // What goes around is the same with and without a channel.
    assert!(largest(&(of(&around).values - of(&plain).values)) < 1e-6);
}

#[test]
fn guided_signals_are_positive_at_every_relu() {
    let network = network(KINKED);
    let x = rows(4, &[3], 71);
    let guided = guided_backprop(&network, &x, &Target::Index(0), &Work::default()).expect("runs");
    let weights = [[1.0, -2.0, 0.5, 0.3], [0.7, 1.0, -1.0, 0.2], [-0.4, 0.6, 2.0, -1.0]];
    let (shift, v) = ([0.1, 0.2, -0.3, 0.4], [1.0f64, 0.5, -1.5, 0.8]);
    for row in 0..4 {
        let expected = weights.map(|w| {
            (0..4)
                .map(|h| {
                    let sum: f64 =
                        (0..3).map(|i| f64::from(x[[row, i]]) * weights[i][h]).sum::<f64>() + shift[h];
                    if sum > 0.0 { v[h].max(0.0) * w[h] } else { 0.0 }
                })
                .sum::<f64>()
        });
        assert!((0..3).all(|i| (guided.values[[row, 0, i]] - expected[i]).abs() < 1e-6), "row {row}");
    }
    assert!(guided.warnings[0].contains("randomization"));
}

#[test]
fn guided_grad_cam_is_the_product_of_its_parts() {
    let network = network(IMAGE);
    let (x, target, work) = (rows(2, &[1, 4, 4], 72), Target::Top(2), Work::default());
    let options = cam::Options::default();
    let both = guided_grad_cam(&network, &x, &target, &options, &work).expect("runs");
    let map = cam(&network, &x, &target, &options, &work).expect("runs");
    let guided = guided_backprop(&network, &x, &target, &work).expect("runs");
    assert_eq!(both.values.shape(), [2, 2, 1, 4, 4]);
    assert_eq!(both.values, &guided.values * &map.values.insert_axis(Axis(2)));
    assert!(both.raw_map.is_some() && !both.warnings.is_empty());
}

#[test]
fn a_compiled_graph_gives_what_the_method_gives() {
    let network = network(IMAGE);
    let x = rows(2, &[1, 4, 4], 11);
    let check = |method: compile::Method, attribution: Attribution| {
        let graph =
            compile::compile(&network, &method, compile::CompiledTarget::Predicted).expect("compiles");
        let input = Tensor::f32(x.shape(), x.iter().copied().collect());
        let outputs = evaluate(&graph, &[input]).expect("runs");
        let values: Vec<f64> = attribution.values.iter().copied().collect();
        let close = outputs[1].to_f64s().iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close && outputs[1].len() == values.len(), "{method:?}");
    };
    let (target, work) = (Target::Top(1), Work::default());
    let options = saliency::Options::default();
    check(
        compile::Method::Saliency { absolute: true },
        saliency(&network, &x, &target, &options, &work).expect("runs"),
    );
    check(compile::Method::InputXGradient, input_x_gradient(&network, &x, &target, &work).expect("runs"));
    let options = integrated_gradients::Options { n_steps: 7, ..Default::default() };
    check(compile::Method::IntegratedGradients(options.clone()), ig(&network, &x, &target, &options));
    let options = composite("epsilon_plus_flat");
    check(compile::Method::Lrp(options.clone()), lrp(&network, &x, &target, &options, &work).expect("runs"));
    let options = deep_lift::Options { baseline: Baseline::Value(0.3), ..Default::default() };
    check(
        compile::Method::DeepLift(options.clone()),
        deep_lift(&network, &x, &target, &options, &work).expect("runs"),
    );
    let options = cam::Options::default();
    check(compile::Method::Cam(options.clone()), cam(&network, &x, &target, &options, &work).expect("runs"));
    let options = cam::Options { variant: cam::Variant::XGradCam, ..Default::default() };
    check(compile::Method::Cam(options.clone()), cam(&network, &x, &target, &options, &work).expect("runs"));
    for variant in [cam::Variant::AblationCam, cam::Variant::ScoreCam, cam::Variant::EigenCam] {
        let method = compile::Method::Cam(cam::Options { variant, ..Default::default() });
        let refused = compile::compile(&network, &method, compile::CompiledTarget::Predicted);
        assert!(refused.expect_err("many runs").to_string().contains("no single graph"));
    }
}

#[test]
fn relevance_adds_up_with_what_biases_absorbed() {
    let network = network(KINKED);
    let x = rows(4, &[3], 12);
    for target in [Target::Index(1), Target::Top(2)] {
        let explained = lrp(&network, &x, &target, &composite("epsilon"), &Work::default()).expect("runs");
        assert!(largest(&explained.base_values.clone().expect("has biases")) > 0.01);
        assert!(largest(&explained.convergence_delta.clone().expect("promised")) < 1e-4);
        let flows =
            conservation(&network, &x, &target, &composite("epsilon"), &Work::default()).expect("runs");
        let inward = &flows[0].inward;
        assert!(largest(&(inward - &explained.outputs)) < 1e-5, "{inward:?}");
        let absorbed =
            flows.iter().map(lrp::NodeFlow::absorbed).reduce(|sum, part| sum + part).expect("layers");
        assert!(largest(&(absorbed - explained.base_values.expect("has biases"))) < 1e-5);
        let lost =
            flows.iter().map(|flow| flow.stabilizer.clone()).reduce(|sum, part| sum + part).expect("layers");
        assert!(largest(&(lost + explained.convergence_delta.expect("promised"))) < 1e-5);
    }
}

#[test]
fn canceled_work_stops() {
    let cancellation = Cancellation::default();
    cancellation.cancel();
    let work = Work { cancellation, ..Work::default() };
    let result = input_x_gradient(&network(CURVED), &rows(1, &[3], 1), &Target::Index(0), &work);
    assert_eq!(result, Err(Error::Core(pellucid_core::Error::Canceled)));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let network = network(CURVED);
    let x = rows(1, &[3], 1);
    let message = |result: Result<Attribution, Error>| result.expect_err("refused").to_string();
    let saliency_of = |rows: &ArrayD<f32>, target: Target| {
        saliency(&network, rows, &target, &saliency::Options::default(), &Work::default())
    };
    assert!(message(saliency_of(&x, Target::Index(2))).contains("outputs 0 to 1"));
    assert!(message(saliency_of(&x, Target::Top(3))).contains("2 outputs"));
    assert!(message(saliency_of(&rows(1, &[4], 1), Target::Index(0))).contains("[rows, 3]"));
    let mut broken = x.clone();
    broken[[0, 1]] = f32::NAN;
    assert!(message(saliency_of(&broken, Target::Index(0))).contains("NaN at [0, 1]"));
    let options = integrated_gradients::Options { n_steps: 0, ..Default::default() };
    let result = integrated_gradients(&network, &x, &Target::Index(0), &options, &Work::default());
    assert!(message(result).contains("n_steps"));
    let options = cam::Options { layer: Some("nothing".to_owned()), ..Default::default() };
    assert!(message(cam(&network, &x, &Target::Index(0), &options, &Work::default())).contains("`nothing`"));
    let result = cam(&network, &x, &Target::Index(0), &cam::Options::default(), &Work::default());
    assert!(message(result).contains("no wire behind a convolution"));
    let options = cam::Options {
        layer: Some(network.graph().name_of(network.graph().inputs()[0]).to_owned()),
        ..Default::default()
    };
    let result = cam(&network, &x, &Target::Index(0), &options, &Work::default());
    assert!(message(result).contains("not known to hold features of places"));
    let options = chefer::Options::default();
    assert!(
        message(chefer(&network, &x, &Target::Index(0), &options, &Work::default())).contains("transformers")
    );
    let selector = lrp::Selector { op: Some("Conv".to_owned()), ..Default::default() };
    let rule = lrp::LayerRule::new(lrp::Formula::Flat);
    let own = vec![lrp::Assignment { selector, rule }];
    let options = lrp::Options { composite: Composite { own, ..composite("epsilon").composite } };
    let message = message(lrp(&network, &x, &Target::Index(0), &options, &Work::default()));
    assert!(message.contains("op = \"Conv\": fits no node") && message.contains("MatMul"), "{message}");
}

#[test]
fn shapes_that_depend_on_numbers_are_refused() {
    let picked = "f (float[N,3] x) => (float[?] y) { i = NonZero(x) t = Transpose(i) y = GatherND(x, t) }";
    let graph = parse(picked).expect("the text is a graph");
    let refused =
        Network::new(&graph, Arc::new(Reference), &network::Options::default()).err().expect("refused");
    let message = refused.to_string();
    assert!(message.contains("depends on the numbers") && message.contains("`NonZero`"), "{message}");
}

/// Classifiers of scikit-learn give labels before probabilities.
#[test]
fn the_first_output_that_holds_floats_is_explained() {
    let text = KINKED
        .replace("(float[N,2] y)", "(int64[N] label, float[N,2] y)")
        .replace("y = MatMul(t, v) }", "y = MatMul(t, v) label = ArgMax<axis = 1, keepdims = 0>(y) }");
    let graph = parse(&text).expect("the text is a graph");
    let chosen = |name| network::chosen_output(&graph, name).map(|wire| graph.name_of(wire).to_owned());
    assert_eq!(chosen(None).expect("y holds floats"), "y");
    let refused = chosen(Some("label")).expect_err("labels have no gradient").to_string();
    assert!(refused.contains("`label` holds I64") && refused.ends_with("take y"), "{refused}");
}

/// A batch normalization is merged with the convolution before it, but where the file gives out what is between them.
#[test]
fn layers_that_the_file_gives_out_stay() {
    let normalized = IMAGE
        .replace("int64[2] flat", "float[2] s = {2, 0.5}, float[2] m = {0.1, -1}, int64[2] flat")
        .replace("e = Relu(d)", "n = BatchNormalization(d, s, m, m, s) e = Relu(n)");
    let given_out = normalized.replace("(float[N,2] y)", "(float[N,2] y, float[N,2,2,2] d)");
    assert!(network(&normalized).graph().wire("d").is_err());
    let network = network(&given_out);
    assert!(network.graph().wire("d").is_ok() && network.graph().outputs().len() == 1);
}

/// Networks of every kind of op that DeepLIFT shares differences by, each of one input `[N, 4]` and two outputs.
const LIFTED: [(&str, &str); 9] = [
    ("a ReLU network", "h = MatMul(x, w) r = Relu(h) g = MatMul(r, v) t = Relu(g) y = MatMul(t, u)"),
    ("curved", "h = MatMul(x, w) r = Tanh(h) g = MatMul(r, v) t = Gelu(g) s = Sigmoid(t) y = MatMul(s, u)"),
    ("gated", "h = MatMul(x, w) i = MatMul(x, v) s = Sigmoid(h) p = Mul(s, i) y = MatMul(p, u)"),
    ("softmax within", "h = MatMul(x, w) s = Softmax(h) i = MatMul(x, v) p = Mul(s, i) y = MatMul(p, u)"),
    ("normalized", "h = MatMul(x, w) n = LayerNormalization(h, one, two) r = Relu(n) y = MatMul(r, u)"),
    ("the largest", "h = MatMul(x, w) i = MatMul(x, v) m = Max(h, i) n = Min(m, x) y = MatMul(n, u)"),
    ("a quotient", "h = MatMul(x, w) e = Exp(h) i = MatMul(x, v) f = Exp(i) q = Div(e, f) y = MatMul(q, u)"),
    ("a choice", "h = MatMul(x, w) i = MatMul(x, v) c = Less(h, i) m = Where(c, h, i) t = Tanh(m) y = MatMul(t, u)"),
    (
        "attention",
        "q = MatMul(x, w) k = MatMul(x, v) a = Reshape(q, column) b = Reshape(k, line) s = MatMul(a, b) p = Softmax(s)
         z = MatMul(p, a) f = Reshape(z, flat) y = MatMul(f, u)",
    ),
];

fn lifted(body: &str) -> Network {
    network(&format!(
        "g (float[N,4] x) => (float[N,2] y)
        <float[4,4] w = {{1, -2, 0.5, 0.3, 0.7, 1, -1, 0.2, -0.4, 0.6, 2, -1, 0.3, -0.6, 0.1, 0.9}},
         float[4,4] v = {{0.5, 1, -0.5, 1.3, -0.7, 0.4, 1, 0.2, 0.4, -0.6, 1, -1, 1.3, 0.6, 0.1, -0.9}},
         float[4,2] u = {{1, -1, 0.5, 2, -1.5, 0.3, 0.8, 0.6}}, float[4] one = {{1, 2, 1, 0.5}},
         float[4] two = {{0, 0.1, 0.2, -0.1}}, int64[3] column = {{0, 4, 1}}, int64[3] line = {{0, 1, 4}},
         int64[2] flat = {{0, 4}}>
        {{ {body} }}"
    ))
}

/// `|convergence delta|` at the most, as a share of the sum of the values' sizes.
fn largest_share(attribution: &Attribution) -> f64 {
    let deltas = attribution.convergence_delta.clone().expect("promised");
    let mut largest = 0.0f64;
    for (place, delta) in deltas.indexed_iter() {
        let size: f64 = attribution.row(place[0], place[1]).iter().map(|value| value.abs()).sum();
        largest = largest.max(delta.abs() / size);
    }
    largest
}

#[test]
fn deep_lift_is_complete_on_networks_of_every_kind() {
    for (name, body) in LIFTED {
        let network = lifted(body);
        for seed in 0..10 {
            let x = rows(4, &[4], 100 + seed);
            let options = deep_lift::Options {
                baseline: Baseline::PerRow(rows(4, &[4], 200 + seed)),
                ..Default::default()
            };
            let attribution = deep_lift(&network, &x, &Target::Top(2), &options, &Work::default());
            let attribution = attribution.expect(name);
            let share = largest_share(&attribution);
            assert!(share < 1e-5, "{name}, seed {seed}: {share}");
            assert!(attribution.warnings.is_empty());
        }
    }
}

#[test]
fn no_row_of_deep_lift_sees_another() {
    for (name, body) in LIFTED {
        let network = lifted(body);
        let x = rows(5, &[4], 31);
        let of = |rows: &ArrayD<f32>, work: &Work| {
            let options = deep_lift::Options { baseline: Baseline::Value(0.2), ..Default::default() };
            deep_lift(&network, rows, &Target::Index(1), &options, work).expect("runs").values
        };
        let together = of(&x, &work(8));
        for row in 0..5 {
            let slice = Slice::from(row..row + 1);
            let alone = of(&x.slice_axis(Axis(0), slice).to_owned(), &work(1));
            let among = together.slice_axis(Axis(0), slice).to_owned();
            assert!(largest(&(&alone - &among)) <= 1e-12 * largest(&alone), "{name}, row {row}");
        }
    }
}

#[test]
fn all_comparing_methods_agree_on_a_linear_network() {
    let network = network(
        "linear (float[N,3] x) => (float[N,2] y)
         <float[3,4] w = {1, -2, 0.5, 0.3, 0.7, 1, -1, 0.2, -0.4, 0.6, 2, -1}, float[4] b = {0.1, 0.2, -0.3, 0.4},
          float[4,2] v = {1, -1, 0.5, 2, -1.5, 0.3, 0.8, 0.6}>
         { h = MatMul(x, w) i = Add(h, b) y = MatMul(i, v) }",
    );
    let (x, background) = (rows(2, &[3], 41), rows(6, &[3], 42));
    let (target, run) = (Target::Index(1), Work::default());
    let gradient =
        saliency(&network, &x, &target, &saliency::Options { absolute: false }, &run).expect("runs").values;
    let mean = background.mapv(f64::from).mean_axis(Axis(0)).expect("rows");
    let exact = &gradient * &(x.mapv(f64::from) - &mean).insert_axis(Axis(1));
    let shap = deep_shap::Options { background: background.clone() };
    let shap = deep_shap(&network, &x, &target, &shap, &run).expect("runs");
    assert!(largest(&(&shap.values - &exact)) < 1e-6);
    assert!(largest(&shap.convergence_delta.expect("promised")) < 1e-6);
    let options =
        deep_lift::Options { baseline: Baseline::Array(mean.mapv(|x| x as f32)), ..Default::default() };
    let lift = deep_lift(&network, &x, &target, &options, &run).expect("runs");
    assert!(largest(&(&lift.values - &exact)) < 1e-6);
    let sampled =
        gradient_shap(&network, &x, &target, &gradient_shap::Options::new(background), &run).expect("runs");
    let errors = sampled.standard_error.expect("sampled");
    assert!(largest(&((&sampled.values - &exact) / &errors)) < 5.0);
}

/// The paper's figures: a saturated sum, and a minimum made of a difference and a ReLU.
#[test]
fn the_papers_examples_have_the_papers_values() {
    let check = |body: &str, x: [f32; 2], expected: [f64; 2]| {
        let network = network(&format!(
            "f (float[N,2] x) => (float[N,1] y)
             <float[2,1] sum = {{1, 1}}, float[2,1] apart = {{1, -1}}, float[2,1] first = {{1, 0}}, float one = {{1}}>
             {{ {body} }}"
        ));
        let rows = ArrayD::from_shape_vec(IxDyn(&[1, 2]), x.to_vec()).expect("two numbers");
        let options = deep_lift::Options::default();
        let attribution = deep_lift(&network, &rows, &Target::Index(0), &options, &Work::default());
        let values = attribution.expect("runs").values;
        assert!(values.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-12), "{body}: {values:?}");
    };
    let saturated = "s = MatMul(x, sum) n = Neg(s) t = Add(n, one) r = Relu(t) y = Sub(one, r)";
    check(saturated, [1.0, 1.0], [0.5, 0.5]);
    check(saturated, [0.5, 0.0], [0.5, 0.0]);
    // Figure 2's thresholded sum: the gradient jumps at the threshold, multipliers do not.
    let thresholded = "s = MatMul(x, first) m = Sub(s, one) y = Relu(m)";
    check(thresholded, [2.0, 0.0], [1.0, 0.0]);
    // min(a, b) = a − relu(a − b): the Rescale rule gives all of it to the smaller one.
    let minimum = "a = MatMul(x, first) d = MatMul(x, apart) r = Relu(d) y = Sub(a, r)";
    check(minimum, [3.0, 1.0], [0.0, 1.0]);
    check(minimum, [1.0, 3.0], [1.0, 0.0]);
    // As one op both inputs are the smallest at the baseline, and either lets it rise: half each.
    let one_op = "a = MatMul(x, first) b = MatMul(x, sum) c = Sub(b, a) y = Min(a, c)";
    check(one_op, [3.0, 1.0], [0.5, 0.5]);
}

#[test]
fn deep_shap_is_the_mean_of_deep_lift_over_the_background() {
    let network = lifted(LIFTED[1].1);
    let (x, background) = (rows(3, &[4], 51), rows(7, &[4], 52));
    let (target, run) = (Target::Top(1), Work::default());
    let shap = deep_shap::Options { background: background.clone() };
    let shap = deep_shap(&network, &x, &target, &shap, &run).expect("runs");
    let each: Vec<ArrayD<f64>> = background
        .axis_iter(Axis(0))
        .map(|row| {
            let options =
                deep_lift::Options { baseline: Baseline::Array(row.to_owned()), ..Default::default() };
            deep_lift(&network, &x, &target, &options, &run).expect("runs").values
        })
        .collect();
    let mean = each.iter().fold(ArrayD::zeros(each[0].raw_dim()), |sum: ArrayD<f64>, one| sum + one) / 7.0;
    assert!(largest(&(&shap.values - &mean)) < 1e-12);
    let squares = each
        .iter()
        .fold(ArrayD::zeros(mean.raw_dim()), |sum: ArrayD<f64>, one| sum + (one - &mean).mapv(|d| d * d));
    let error = (squares / 6.0 / 7.0).mapv(f64::sqrt);
    assert!(largest(&(&shap.standard_error.clone().expect("seven") - &error)) < 1e-12);
    assert!(largest_share(&shap) < 1e-5);
    assert!(shap.evaluations.iter().all(|&n| n == 14));
}

#[test]
fn gradient_shap_draws_until_its_error_is_small_and_repeats_from_its_seed() {
    let network = network(CURVED);
    let (x, background) = (rows(3, &[3], 61), rows(5, &[3], 62));
    let run = |options: &gradient_shap::Options| {
        gradient_shap(&network, &x, &Target::Index(0), options, &Work::default()).expect("runs")
    };
    let few =
        gradient_shap::Options { n_samples: 20, seed: 3, ..gradient_shap::Options::new(background.clone()) };
    assert_eq!(run(&few), run(&few));
    assert_ne!(run(&few).values, run(&gradient_shap::Options { seed: 4, ..few.clone() }).values);
    let refined = run(&gradient_shap::Options { tolerance: Some(0.05), ..few.clone() });
    let norm = |values: ArrayD<f64>| values.iter().map(|x| x * x).sum::<f64>().sqrt();
    for row in 0..3 {
        let errors = refined.standard_error.as_ref().expect("sampled").index_axis(Axis(0), row).to_owned();
        assert!(norm(errors) <= 0.05 * norm(refined.row(row, 0)), "row {row}");
        assert!(refined.evaluations[row] > 20 && refined.evaluations[row] % 20 == 0);
    }
    // Expected gradients are the mean of integrated gradients over the background.
    let expected = background.axis_iter(Axis(0)).fold(
        ArrayD::zeros(refined.values.raw_dim()),
        |sum: ArrayD<f64>, row| {
            let options = integrated_gradients::Options {
                baseline: Baseline::Array(row.to_owned()),
                n_steps: 100,
                ..Default::default()
            };
            sum + ig(&network, &x, &Target::Index(0), &options).values
        },
    ) / 5.0;
    let z = (&refined.values - &expected) / refined.standard_error.as_ref().expect("sampled");
    assert!(largest(&z) < 5.0, "{z:?}");
    let stopped = run(&gradient_shap::Options { tolerance: Some(1e-9), max_evaluations: 50, ..few });
    assert!(stopped.warnings.len() == 3 && stopped.warnings[0].contains("above the tolerance"));
    assert!(stopped.evaluations.iter().all(|&n| n == 40));
}

#[test]
fn deep_lift_names_the_node_where_completeness_is_lost() {
    // The branches of the choice do not differ from the baseline's, but the choice does.
    let network = network(
        "g (float[N,2] x) => (float[N,2] y) <float zero = {0}, float five = {5}>
         { n = Mul(x, zero) a = Add(n, five) c = Greater(x, zero) w = Where(c, a, n) y = Add(w, x) }",
    );
    let x = ArrayD::from_elem(IxDyn(&[1, 2]), 1.0f32);
    let options = deep_lift::Options { baseline: Baseline::Value(-1.0), ..Default::default() };
    let error = deep_lift(&network, &x, &Target::Index(0), &options, &Work::default()).expect_err("a leak");
    assert!(error.to_string().contains("`Where` at node"), "{error}");
}

#[test]
fn backgrounds_and_draws_that_cannot_be_are_refused_by_name() {
    let network = network(CURVED);
    let x = rows(1, &[3], 1);
    let shap = |background: ArrayD<f32>| {
        let options = deep_shap::Options { background };
        deep_shap(&network, &x, &Target::Index(0), &options, &Work::default())
            .expect_err("refused")
            .to_string()
    };
    assert!(shap(rows(2, &[4], 1)).contains("background"));
    assert!(shap(rows(0, &[3], 1)).contains("no rows"));
    let mut broken = rows(2, &[3], 1);
    broken[[1, 2]] = f32::INFINITY;
    assert!(shap(broken).contains("[1, 2]"));
    let sampled = |change: fn(&mut gradient_shap::Options)| {
        let mut options = gradient_shap::Options::new(rows(2, &[3], 1));
        change(&mut options);
        gradient_shap(&network, &x, &Target::Index(0), &options, &Work::default())
            .expect_err("refused")
            .to_string()
    };
    assert!(sampled(|options| options.n_samples = 1).contains("n_samples"));
    assert!(sampled(|options| options.noise = Noise::Absolute(f64::NAN)).contains("noise"));
    assert!(sampled(|options| options.tolerance = Some(0.0)).contains("tolerance"));
}
