use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis, IxDyn};
use pellucid_graph::passes::{cut, expose};
use pellucid_graph::{Graph, Reference, Tensor, evaluate, text::parse};

use super::*;
use crate::attention_maps::{Query, attention_layers, attention_maps};
use crate::attention_rollout::{self, attention_rollout};
use crate::attention_x_gradient::{self, attention_x_gradient};
use crate::testing::tiny_transformer;
use crate::token_model::{Reading, TokenModel, Tokens};
use crate::{Network, network};

const IDS: [i64; 4] = [3, 1, 7, 10];
const N: usize = 4;

fn of_ids() -> [Tensor; 2] {
    [Tensor::i64(&[1, N], IDS.to_vec()), Tensor::i64(&[1, N], vec![1; N])]
}

/// The weights of both layers by running the whole graph, `[heads, tokens, tokens]` flat.
fn direct_weights(graph: &Graph) -> [Vec<f64>; 2] {
    let wires = [graph.wire("a0").unwrap(), graph.wire("a1").unwrap()];
    let outputs = evaluate(&expose(graph, &wires), &of_ids()).unwrap();
    [outputs[1].to_f64s(), outputs[2].to_f64s()]
}

fn part() -> (Arc<Network>, ArrayD<f32>) {
    let model =
        TokenModel::new(&tiny_transformer(false), Arc::new(Reference), &network::Options::default()).unwrap();
    let network = model.network(&Tokens::plain(IDS.to_vec()), Reading::default()).unwrap();
    (network, model.vectors(&IDS).unwrap().insert_axis(Axis(0)).into_dyn())
}

/// The mean of two heads, row by row.
fn mean_of_heads(weights: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((N, N), |(i, j)| (weights[i * N + j] + weights[N * N + i * N + j]) / 2.0)
}

fn assert_near(given: impl IntoIterator<Item = f64>, expected: impl IntoIterator<Item = f64>) {
    let (given, expected): (Vec<f64>, Vec<f64>) =
        (given.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(given.len(), expected.len());
    let near = given.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near, "{given:?}, expected {expected:?}");
}

#[test]
fn maps_of_all_layers_and_heads_are_those_of_the_graph() {
    let (network, rows) = part();
    let maps = attention_maps(&network, &rows, &Work::default()).unwrap();
    assert_eq!(maps.shape(), [1, 2, 2, N, N]);
    let direct = direct_weights(&tiny_transformer(false));
    assert_near(maps.iter().copied(), direct.concat());
    for row in maps.sum_axis(Axis(4)).iter() {
        assert!((row - 1.0).abs() < 1e-6);
    }
}

#[test]
fn a_layer_a_head_and_a_token_can_be_chosen() {
    let (network, rows) = part();
    let [first, last] = direct_weights(&tiny_transformer(false));
    let values = |options: Options| {
        attention(&network, &rows, &Target::Index(0), &options, &Work::default()).unwrap().values
    };
    assert_near(values(Options::default()), mean_of_heads(&last).mean_axis(Axis(0)).unwrap());
    let look = Look { query: Query::Token(2), ..Look::default() };
    let chosen = values(Options { layer: Some(0), head: Some(1), look, ..Options::default() });
    assert_near(chosen, first[N * N + 2 * N..N * N + 3 * N].to_vec());
    let fused =
        |fusion| values(Options { fusion, look: Look { query: Query::Last, ..look }, ..Options::default() });
    let at = |head: usize, j: usize| last[head * N * N + 3 * N + j];
    assert_near(fused(HeadFusion::Max), (0..N).map(|j| at(0, j).max(at(1, j))));
    assert_near(fused(HeadFusion::Min), (0..N).map(|j| at(0, j).min(at(1, j))));
    for (options, option) in [
        (Options { layer: Some(2), ..Options::default() }, "layer"),
        (Options { head: Some(2), ..Options::default() }, "head"),
        (Options { look: Look { query: Query::Token(4), ..look }, ..Options::default() }, "query"),
    ] {
        let error = attention(&network, &rows, &Target::Index(0), &options, &Work::default()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("option {option}")), "{error}");
    }
}

#[test]
fn rollout_multiplies_the_layers() {
    let (network, rows) = part();
    let mixed = direct_weights(&tiny_transformer(false))
        .map(|weights| (mean_of_heads(&weights) + Array2::<f64>::eye(N)) / 2.0);
    let look = Look { query: Query::Token(1), ..Look::default() };
    let values = |options| {
        attention_rollout(&network, &rows, &Target::Top(2), &options, &Work::default()).unwrap().values
    };
    let both = values(attention_rollout::Options { look, ..Default::default() });
    let expected = mixed[1].dot(&mixed[0]).row(1).to_vec();
    // The same for both targets.
    assert_near(both, [expected.clone(), expected].concat());
    let last = values(attention_rollout::Options { look, start_layer: 1, ..Default::default() });
    assert_near(last.iter().copied().take(N), mixed[1].row(1).to_vec());
    let discarding = |share| {
        let options = attention_rollout::Options { discard_ratio: share, ..Default::default() };
        attention_rollout(&network, &rows, &Target::Index(0), &options, &Work::default())
    };
    assert!(discarding(1.0).is_err() && discarding(f64::NAN).is_err());
    assert_ne!(discarding(0.5).unwrap().values, discarding(0.0).unwrap().values);
}

/// `∂y/∂weights` by central differences, the graph cut at the weights of one layer.
fn slopes(graph: &Graph, layer: &str, weights: &[f64], output: usize) -> Vec<f64> {
    let part = cut(graph, &[graph.wire(layer).unwrap()]).unwrap();
    let [ids, mask] = of_ids();
    let given: Vec<Tensor> = part.inputs()[1..]
        .iter()
        .map(|input| if part.name_of(*input) == "input_ids" { ids.clone() } else { mask.clone() })
        .collect();
    let at = |index: usize, step: f64| {
        let mut moved = weights.to_vec();
        moved[index] += step;
        let inputs =
            [vec![Tensor::f64(&[1, 2, N, N], moved).cast(part.element(part.inputs()[0]))], given.clone()];
        evaluate(&part, &inputs.concat()).unwrap()[0].to_f64s()[output]
    };
    (0..weights.len()).map(|index| (at(index, 1e-2) - at(index, -1e-2)) / 2e-2).collect()
}

#[test]
fn attention_x_gradient_is_what_finite_differences_say() {
    let graph = tiny_transformer(false);
    let (network, rows) = part();
    let weights = direct_weights(&graph);
    let raised = |layer: usize| {
        let slopes = slopes(&graph, ["a0", "a1"][layer], &weights[layer], 2);
        let products: Vec<f64> = weights[layer].iter().zip(slopes).map(|(a, g)| (a * g).max(0.0)).collect();
        mean_of_heads(&products)
    };
    let identity = Array2::<f64>::eye(N);
    let first = &identity + &raised(0);
    let expected = &first + &raised(1).dot(&first) - &identity;
    let options = attention_x_gradient::Options {
        look: Look { query: Query::Token(3), ..Look::default() },
        ..Default::default()
    };
    let found = attention_x_gradient(&network, &rows, &Target::Index(2), &options, &Work::default()).unwrap();
    let (given, expected) = (found.values, expected.row(3).to_vec());
    assert!(expected.iter().any(|value| *value > 0.01), "{expected:?} proves little");
    for (a, b) in given.iter().zip(expected) {
        assert!((a - b).abs() < 1e-3 * (1.0 + b.abs()), "{a}, expected {b}");
    }
}

/// One head over the patches of an image of 4 × 6 pixels, 2 × 3 patches, with a class token before them or without.
fn image(with_class_token: bool) -> Network {
    let (n, tokens) = match with_class_token {
        true => (
            7,
            "s = Shape(x) b = Slice(s, zero, one, zero) e = Concat<axis = 0>(b, unit) g = Expand(class, e)
                     h = Concat<axis = 1>(g, t)",
        ),
        false => (6, "h = Identity(t)"),
    };
    let text = format!(
        "g (float[N,1,4,6] x) => (float[N,2] y)
         <float[2,1,2,2] kernel = {{1, 0.5, -1, 0.25, 0.3, 0.2, 0.1, -0.4}}, int64[3] flat = {{0, 2, 6}},
          float[1,1,2] class = {{0.5, -0.2}}, int64[2] unit = {{1, 2}}, int64[1] zero = {{0}}, int64[1] one = {{1}},
          int64[4] heads = {{0, {n}, 1, 2}}, int64[3] joined = {{0, {n}, 2}}>
         {{ c = Conv<kernel_shape = [2, 2], strides = [2, 2]>(x, kernel) f = Reshape(c, flat) t = Transpose<perm = [0, 2, 1]>(f)
            {tokens} r = Reshape(h, heads) q = Transpose<perm = [0, 2, 1, 3]>(r) k = Transpose<perm = [0, 2, 3, 1]>(r)
            w = MatMul(q, k) a = Softmax<axis = -1>(w) o = MatMul(a, q) p = Transpose<perm = [0, 2, 1, 3]>(o)
            j = Reshape(p, joined) y = ReduceMean<keepdims = 0>(j, one) }}"
    );
    Network::new(&parse(&text).unwrap(), Arc::new(Reference), &network::Options::default()).unwrap()
}

#[test]
fn patches_of_an_image_are_laid_on_it_without_the_class_token() {
    let rows =
        ArrayD::from_shape_fn(IxDyn(&[1, 1, 4, 6]), |place| (place[2] * 6 + place[3]) as f32 / 10.0 - 1.0);
    for with_class_token in [true, false] {
        let network = image(with_class_token);
        let maps = attention_maps(&network, &rows, &Work::default()).unwrap();
        let found =
            attention(&network, &rows, &Target::Index(0), &Options::default(), &Work::default()).unwrap();
        assert_eq!(
            (found.values.shape(), found.raw_map.as_ref().unwrap().shape()),
            (&[1, 1, 4, 6][..], &[1, 1, 2, 3][..])
        );
        let extra = usize::from(with_class_token);
        let expected = (0..6).map(|j| match with_class_token {
            true => maps[[0, 0, 0, 0, j + extra]],
            false => (0..6).map(|i| maps[[0, 0, 0, i, j]]).sum::<f64>() / 6.0,
        });
        assert_near(found.raw_map.unwrap(), expected);
    }
}

#[test]
fn fused_attention_is_exposed_as_written_out_one_is() {
    let e = 1f64.exp() / (1f64.exp() + 1.0);
    for op in [
        "Attention<q_num_heads = 1, kv_num_heads = 1, scale = 1.0>",
        "com.microsoft.MultiHeadAttention<num_heads = 1, scale = 1.0>",
    ] {
        let text = format!(
            "g (float[N,2,2] x) => (float[N,2] y) <int64[1] tokens = {{1}}>
             {{ a = {op}(x, x, x) y = ReduceMean<keepdims = 0>(a, tokens) }}"
        );
        let network =
            Network::new(&parse(&text).unwrap(), Arc::new(Reference), &network::Options::default()).unwrap();
        let rows = ArrayD::from_shape_vec(vec![1, 2, 2], vec![1.0, 0.0, 0.0, 1.0]).unwrap();
        let maps = attention_maps(&network, &rows, &Work::default()).unwrap();
        assert_eq!(maps.shape(), [1, 1, 1, 2, 2]);
        assert_near(maps, [e, 1.0 - e, 1.0 - e, e]);
    }
}

#[test]
fn attention_over_another_sequence_is_exposed_layer_by_layer() {
    // Two queries of x's first half look at three keys: maps that are not square.
    let text = "g (float[N,5,2] x) => (float[N,2] y) <int64[1] tokens = {1}, int64[2] parts = {2, 3}>
        { q, k = Split<axis = 1>(x, parts) t = Transpose<perm = [0, 2, 1]>(k) s = MatMul(q, t)
          a = Softmax<axis = -1>(s) c = MatMul(a, k) y = ReduceMean<keepdims = 0>(c, tokens) }";
    let network =
        Network::new(&parse(text).unwrap(), Arc::new(Reference), &network::Options::default()).unwrap();
    let rows = ArrayD::zeros(vec![2, 5, 2]);
    let layers = attention_layers(&network, &rows, &Work::default()).unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(layers[0].maps.shape(), [2, 1, 2, 3]);
    assert_near(layers[0].maps.clone(), vec![1.0 / 3.0; 12]);
    let error = attention_maps(&network, &rows, &Work::default()).unwrap_err().to_string();
    assert!(error.contains("not every token looks at every token"), "{error}");
}

#[test]
fn a_network_without_attention_is_refused() {
    let graph =
        parse("g (float[N,3] x) => (float[N,1] y) <float[3,1] w = {1, 2, 3}> { y = MatMul(x, w) }").unwrap();
    let network = Network::new(&graph, Arc::new(Reference), &network::Options::default()).unwrap();
    let error = attention_maps(&network, &ArrayD::zeros(vec![1, 3]), &Work::default()).unwrap_err();
    assert!(error.to_string().contains("no attention"), "{error}");
}
