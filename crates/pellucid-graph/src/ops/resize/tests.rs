//! Resize against the examples that ONNX publishes, and its lowering against the evaluator on drawn settings.

use crate::cases::uniform;
use crate::evaluate::evaluate;
use crate::graph::Graph;
use crate::passes::lower;
use crate::tensor::Tensor;
use crate::text;

const PUBLISHED: &str = include_str!("published.txt");

/// Their numbers take `scale · length` for the length of the result where it is a fraction. ONNX's text, ONNX Runtime
/// and PyTorch take the length itself, and so does this crate.
const OF_A_FRACTIONAL_LENGTH: &[&str] =
    &["downsample_scales_linear_align_corners", "downsample_scales_cubic_align_corners"];

/// Name, graph and result of each published example.
fn published() -> Vec<(&'static str, Graph, Vec<f64>)> {
    let blocks = PUBLISHED.split("\n\n").skip(1);
    let example = |block: &'static str| {
        let [name, graph, result] = block.lines().collect::<Vec<_>>().try_into().unwrap();
        let numbers = result.split(' ').map(|number| number.parse().unwrap()).collect();
        (name, text::parse(graph).unwrap_or_else(|error| panic!("{name}: {error}")), numbers)
    };
    blocks.map(example).collect()
}

fn counting(graph: &Graph) -> Tensor {
    let shape = graph.type_of(graph.inputs()[0]).known_shape().unwrap();
    Tensor::f64(&shape, (1..=shape.iter().product()).map(|i| i as f64).collect())
}

fn difference(a: &Tensor, b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.to_f64s().iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn published_examples_come_out() {
    let examples = published();
    assert_eq!(examples.len(), 39);
    for (name, graph, expected) in examples {
        let x = counting(&graph);
        for (how, graph) in [("evaluated", graph.clone()), ("lowered", lower(&graph).unwrap())] {
            let y = &evaluate(&graph, std::slice::from_ref(&x))
                .unwrap_or_else(|error| panic!("{name}: {error}"))[0];
            let as_published = difference(y, &expected) < 1e-5;
            assert_eq!(
                as_published,
                !OF_A_FRACTIONAL_LENGTH.contains(&name),
                "{name}, {how}: {y:?} for {expected:?}"
            );
        }
    }
}

/// One of several, and the next state.
fn one_of<'a>(choices: &[&'a str], state: &mut u64) -> &'a str {
    choices[(uniform(state) * choices.len() as f64) as usize]
}

/// A graph of one `Resize` with drawn lengths, scales or sizes, and attributes.
fn drawn(state: &mut u64) -> String {
    let length = |state: &mut u64| 1 + (uniform(state) * 9.0) as usize;
    let (h, w) = (length(state), length(state));
    let mode = one_of(&["nearest", "linear", "cubic"], state);
    let kind = one_of(
        &[
            "half_pixel",
            "asymmetric",
            "align_corners",
            "pytorch_half_pixel",
            "half_pixel_symmetric",
            "tf_crop_and_resize",
        ],
        state,
    );
    let nearest_mode = one_of(&["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"], state);
    let (antialias, exclude) = (uniform(state) < 0.3, uniform(state) < 0.3);
    let antialias = u8::from(antialias && mode != "nearest");
    let attributes = format!(
        "mode = \"{mode}\", coordinate_transformation_mode = \"{kind}\", nearest_mode = \"{nearest_mode}\",
         antialias = {antialias}, exclude_outside = {}, cubic_coeff_a = -0.6, extrapolation_value = 1.5",
        u8::from(exclude)
    );
    let mut share = |low: f64, high: f64| low + (high - low) * uniform(state);
    let region = [share(-0.2, 0.4), share(0.0, 0.4), share(0.5, 1.2), share(0.6, 1.0)];
    let region = format!("float[6] r = {{0, {}, {}, 1, {}, {}}}", region[0], region[1], region[2], region[3]);
    let (target, operand) = match share(0.0, 1.0) < 0.5 {
        true => {
            let scale = |n: usize, share: f64| ((share * n as f64).floor().max(1.0) + 0.4) / n as f64;
            let scales = (scale(h, share(0.3, 2.5)), scale(w, share(0.3, 2.5)));
            (format!("float[3] t = {{1, {}, {}}}", scales.0, scales.1), "t")
        }
        false => {
            let sizes = (share(1.0, 20.0) as usize, share(1.0, 20.0) as usize);
            (format!("int64[3] t = {{2, {}, {}}}", sizes.0, sizes.1), "\"\", t")
        }
    };
    format!(
        "g (float[2,{h},{w}] x) => (float[2,?,?] y) <{region}, {target}> {{ y = Resize<{attributes}>(x, r, {operand}) }}"
    )
}

#[test]
fn lowering_computes_what_the_evaluator_does() {
    let mut state = 5;
    for _ in 0..2000 {
        let description = drawn(&mut state);
        let graph = text::parse(&description).unwrap_or_else(|error| panic!("{error} in {description}"));
        let x = counting(&graph);
        let expected = evaluate(&graph, std::slice::from_ref(&x)).unwrap();
        let lowered = lower(&graph).unwrap_or_else(|error| panic!("{error} in {description}"));
        let y = evaluate(&lowered, &[x]).unwrap();
        assert_eq!(y[0].shape(), expected[0].shape(), "{description}");
        // Constant matrices are of the input's type, float32.
        let worst = difference(&y[0], &expected[0].to_f64s());
        assert!(worst < 1e-4, "off by {worst}: {description}");
    }
}

#[test]
fn what_cannot_be_resized_is_refused() {
    let refused = [
        ("float[3] s = {1, 1, 2}", "(x, \"\", s)", "3 scales or sizes for 4 axes"),
        ("float[4] s = {1, 1, 0, 2}", "(x, \"\", s)", "a scale of 0"),
        ("float[4] s = {1, 1, -1, 2}", "(x, \"\", s)", "a scale of -1"),
    ];
    for (constant, inputs, expected) in refused {
        let text =
            format!("g (float[N,1,2,2] x) => (float[N,1,?,?] y) <{constant}> {{ y = Resize{inputs} }}");
        let error = text::parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn unknown_lengths_ask_for_a_fixed_shape() {
    let text =
        "g (float[N,1,H,2] x) => (float[N,1,?,4] y) <float[4] s = {1, 1, 1.5, 2}> { y = Resize(x, \"\", s) }";
    let error = lower(&text::parse(text).unwrap()).unwrap_err().to_string();
    assert!(error.contains("axis 2") && error.contains("fix the shape"), "{error}");
}
