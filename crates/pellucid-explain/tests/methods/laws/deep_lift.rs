//! DeepLIFT and DeepSHAP: completeness, and the papers' examples.

use ndarray::{ArrayD, Axis, IxDyn, Slice};
use pellucid_core::{Baseline, Target, Work};
use pellucid_explain::Network;
use pellucid_explain::deep_lift::{self, deep_lift};
use pellucid_explain::deep_shap::{self, deep_shap};
use pellucid_explain::gradient_shap::{self, gradient_shap};
use pellucid_explain::saliency::{self, saliency};

use super::{largest, largest_share, network, rows, work};

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

#[test]
fn deep_lift_is_complete_on_networks_of_every_kind() {
    for (name, body) in LIFTED {
        let network = lifted(body);
        for (seed, (_, rule)) in (0..10).zip(deep_lift::Rule::NAMES.into_iter().cycle()) {
            let x = rows(4, &[4], 100 + seed);
            let options = deep_lift::Options {
                baseline: Baseline::PerRow(rows(4, &[4], 200 + seed)),
                rule,
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
            let (baseline, rule) = (Baseline::Value(0.2), deep_lift::Rule::RevealCancel);
            let options = deep_lift::Options { baseline, rule, ..Default::default() };
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
    let shap = deep_shap::Options::new(background.clone());
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
    let shap = deep_shap::Options::new(background.clone());
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
