//! The metrics on a real network: gradients from pellucid-explain, parameters redrawn in its graph. This crate itself
//! knows nothing of either.
#![expect(clippy::expect_used, reason = "what a test builds is there, or the test fails")]

use std::sync::Arc;

use ndarray::ArrayD;
use pellucid_core::{Attribution, OutputSpace, ResolvedTarget, Target, Work};
use pellucid_explain::{Network, input_x_gradient::input_x_gradient, network};
use pellucid_graph::passes::{parameter_layers, randomize};
use pellucid_graph::{Graph, Reference, text};
use pellucid_metrics::deletion_insertion::Options;
use pellucid_metrics::{Explained, completeness, deletion, insertion, randomization};

/// Three dense layers with ReLU between them and no bias: `f(λ x) = λ f(x)` for λ > 0, so that by Euler's theorem input ×
/// gradient is exactly complete against zeros.
fn graph() -> Graph {
    graph_with_hidden(|weight| weight)
}

/// The same with other weights in the two hidden layers.
fn graph_with_hidden(hidden: fn(f64) -> f64) -> Graph {
    let numbers = |n: usize, step: f64, change: fn(f64) -> f64| {
        (0..n).map(|i| format!("{:.3}", change((i as f64 * step).sin()))).collect::<Vec<_>>().join(", ")
    };
    let graph = format!(
        "dense (float[N,8] x) => (float[N,3] y)
        <float[8,12] w1 = {{{}}}, float[12,12] w2 = {{{}}}, float[12,3] w3 = {{{}}}>
        {{
            a = MatMul(x, w1)
            c = Relu(a)
            d = MatMul(c, w2)
            e = Relu(d)
            y = MatMul(e, w3)
        }}",
        numbers(96, 1.7, hidden),
        numbers(144, 2.3, hidden),
        numbers(36, 3.1, |weight| weight),
    );
    text::parse(&graph).expect("graph text")
}

fn network_of(graph: &Graph) -> Network {
    Network::new(graph, Arc::new(Reference), &network::Options::default()).expect("one input, one output")
}

fn rows() -> ArrayD<f32> {
    ArrayD::from_shape_fn(vec![4, 8], |at| ((at[0] * 8 + at[1]) as f32 * 0.77).cos())
}

fn resolved(network: &Network) -> ResolvedTarget {
    network.resolve(&Target::Top(1), &rows(), None, &Work::default()).expect("three outputs")
}

/// The top class of each row of the network as it was learned.
fn fixed_target(network: &Network) -> Target {
    let indices = resolved(network).indices.expect("whole outputs");
    Target::PerRow(indices.into_iter().map(|row| row[0]).collect())
}

fn attribution_of(network: &Network, target: &Target) -> Attribution {
    input_x_gradient(network, &rows(), target, &Work::default()).expect("a rule for each op")
}

#[test]
fn input_x_gradient_of_a_homogeneous_network_is_complete_and_half_of_it_is_not() {
    let network = network_of(&graph());
    let (inputs, target) = (rows(), resolved(&network));
    let explained = Explained { model: &network, inputs: &inputs, target: &target };
    let mut attribution = attribution_of(&network, &fixed_target(&network));
    let zeros = ArrayD::zeros(vec![8]);
    let gaps = |attribution: &Attribution| {
        let scores = completeness(&explained, attribution, &zeros, OutputSpace::Margin, &Work::default());
        scores.expect("all fits").map(|score| score.relative_gap())
    };
    assert!(gaps(&attribution).iter().all(|&gap| gap < 1e-5), "{:?}", gaps(&attribution));
    attribution.values *= 0.5;
    assert!(gaps(&attribution).iter().all(|&gap| (gap - 0.5).abs() < 1e-5));
}

/// Positive inputs and hidden weights keep every ReLU active all the way to zeros: the network is linear there, and
/// input × gradient is each feature's true contribution. (Where ReLUs switch, no gradient need beat a random order.)
#[test]
fn true_contributions_beat_random_and_their_negation_does_not() {
    let network = network_of(&graph_with_hidden(f64::abs));
    let inputs = rows().mapv(f32::abs);
    let target = Target::PerRow(vec![0, 1, 2, 0]);
    let resolved = network.resolve(&target, &inputs, None, &Work::default()).expect("three outputs");
    let explained = Explained { model: &network, inputs: &inputs, target: &resolved };
    let attribution = input_x_gradient(&network, &inputs, &target, &Work::default());
    let mut attribution = attribution.expect("a rule for each op");
    let zeros = ArrayD::zeros(vec![8]);
    let advantages = |attribution: &Attribution| -> Vec<f64> {
        let options = Options { n_random: 50, output_space: OutputSpace::Margin, ..Options::default() };
        let work = Work::default();
        let deletion = deletion(&explained, attribution, &zeros, &options, &work).expect("all fits");
        let insertion = insertion(&explained, attribution, &zeros, &options, &work).expect("all fits");
        deletion.iter().chain(&insertion).map(|score| score.advantage()).collect()
    };
    assert!(advantages(&attribution).iter().all(|&advantage| advantage > 0.0));
    attribution.values *= -1.0;
    assert!(advantages(&attribution).iter().all(|&advantage| advantage < 0.0));
}

#[test]
fn gradients_follow_the_parameters_and_the_input_alone_does_not() {
    let source = graph();
    let target = fixed_target(&network_of(&source));
    let layers: Vec<String> = parameter_layers(&source).into_iter().map(|layer| layer.name).collect();
    assert_eq!(layers, ["y", "d", "a"]);
    let similarity = |attribute: &dyn Fn(&Network) -> Attribution| {
        let original = attribute(&network_of(&source));
        let stages = randomization(&original, &layers, &Work::default(), |redrawn| {
            let redrawn = randomize(&source, redrawn, 5).expect("layers with parameters");
            Ok::<_, pellucid_metrics::Error>(attribute(&network_of(&redrawn)))
        });
        let stages = stages.expect("attributions of the same rows");
        stages.iter().map(|stage| stage.mean().signed.expect("no dead network")).collect::<Vec<_>>()
    };
    let of_gradient = similarity(&|network| attribution_of(network, &target));
    assert!(of_gradient.iter().all(|&similarity| similarity < 0.6), "{of_gradient:?}");
    let of_input = similarity(&|_| {
        let values = rows().mapv(f64::from).into_shape_with_order(vec![4, 1, 8]).expect("as many values");
        Attribution::new(values, ArrayD::zeros(vec![4, 1]))
    });
    assert_eq!(of_input, [1.0; 3]);
}
