//! What of a model file is explained.

use std::sync::Arc;

use pellucid_core::{Target, Work};
use pellucid_explain::saliency::{self, saliency};
use pellucid_explain::{Network, network};
use pellucid_graph::{Reference, Tensor, text::parse};

use super::{CURVED, IMAGE, KINKED, largest, network, rows};

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

/// Of a table of numbers and codes either side is explained, the other fixed.
#[test]
fn one_of_several_inputs_is_explained_while_the_others_are_fixed() {
    let graph = parse(
        "table (float[n,2] numbers, int64[n] codes) => (float[n,1] y)
         <float[3,2] words = {1, 2, 3, 4, 5, 6}, int64[1] last = {1}>
         { vectors = Gather(words, codes) p = Mul(numbers, vectors) y = ReduceSum(p, last) }",
    )
    .expect("the text is a graph");
    let slope = |start: Option<&str>, name: &str, value: Tensor| {
        let fixed = [(name.to_owned(), value)].into();
        let options = network::Options { start: start.map(str::to_owned), fixed, ..Default::default() };
        let network = Network::new(&graph, Arc::new(Reference), &options)?;
        let signed = saliency::Options { absolute: false };
        let x = rows(2, &[2], 2);
        Ok(saliency(&network, &x, &Target::Index(0), &signed, &Work::default())?
            .values
            .into_raw_vec_and_offset()
            .0)
    };
    let numbers = Tensor::f32(&[1, 2], vec![0.5, -2.0]);
    let of = |slope: Result<Vec<f64>, pellucid_explain::Error>| slope.expect("an ordinary request");
    assert_eq!(of(slope(None, "codes", Tensor::i64(&[1], vec![2]))), [5.0, 6.0, 5.0, 6.0]);
    assert_eq!(of(slope(Some("vectors"), "numbers", numbers.clone())), [0.5, -2.0, 0.5, -2.0]);
    let refused = slope(Some("numbers"), "others", numbers).expect_err("codes have no values").to_string();
    assert!(refused.contains("`codes`"), "{refused}");
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
