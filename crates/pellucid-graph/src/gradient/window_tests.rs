//! Convolutions and pools of random shapes against laws that hold exactly, whatever the shape.

use super::gradient;
use crate::cases::uniform;
use crate::evaluate::{evaluate, evaluate_wires};
use crate::graph::Graph;
use crate::tensor::Tensor;
use crate::text::parse;

const N_SHAPES: u64 = 150;
/// Rounding of sums of some hundred products in f64, relative to the sum of their sizes.
const TOLERANCE: f64 = 1e-12;

/// A small generator of whole numbers.
struct Draw(u64);

impl Draw {
    fn up_to(&mut self, low: usize, high: usize) -> usize {
        low + (uniform(&mut self.0) * (high - low + 1) as f64) as usize
    }

    fn list(&mut self, n: usize, low: usize, high: usize) -> Vec<usize> {
        (0..n).map(|_| self.up_to(low, high)).collect()
    }

    fn tensor(&mut self, shape: &[usize]) -> Tensor {
        Tensor::f64(shape, (0..shape.iter().product()).map(|_| uniform(&mut self.0) * 2.0 - 1.0).collect())
    }
}

/// One random window over one to three axes.
struct Shape {
    kernel: Vec<usize>,
    attributes: String,
    lengths: Vec<usize>,
}

impl Shape {
    /// Padding stays below the kernel's length, as pools demand.
    fn draw(draw: &mut Draw) -> Self {
        let n = draw.up_to(1, 3);
        let (kernel, strides) = (draw.list(n, 1, 3), draw.list(n, 1, 3));
        let dilations = draw.list(n, 1, 2);
        let mut pads = Vec::new();
        for _ in 0..2 {
            pads.extend(kernel.iter().map(|k| draw.up_to(0, k - 1)));
        }
        let lengths = (0..n).map(|i| dilations[i] * (kernel[i] - 1) + 1 + draw.up_to(0, 4)).collect();
        let attributes = format!(
            "kernel_shape = {kernel:?}, strides = {strides:?}, dilations = {dilations:?}, pads = {pads:?}"
        );
        Self { kernel, attributes, lengths }
    }
}

/// The shape of a tensor as graph text.
fn dims(parts: &[usize]) -> String {
    format!("float[{}]", parts.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
}

/// A type of which only the number of axes is said.
fn unknown(rank: usize) -> String {
    format!("float[{}]", vec!["?"; rank].join(","))
}

/// For `f` that is homogeneous of degree 1 in each of its inputs, `⟨dy, f(x)⟩ = ⟨dx, x⟩` (Euler): of linear ops the law
/// of the adjoint, of maxima that each signal arrives where the maximum came from.
fn check_homogeneous(text: &str, draw: &mut Draw) {
    let mut graph = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let fault = |error| panic!("{error}\n{text}");
    let inputs: Vec<Tensor> = graph
        .inputs()
        .iter()
        .map(|wire| draw.tensor(&graph.type_of(*wire).known_shape().expect("lengths are numbers")))
        .collect();
    let y = evaluate(&graph, &inputs).unwrap_or_else(fault).remove(0);
    let dy = draw.tensor(y.shape());
    for ((wire, input), dx) in
        graph.inputs().to_vec().iter().zip(&inputs).zip(gradients(&mut graph, &inputs, &dy))
    {
        assert_eq!(dx.shape(), input.shape(), "gradient of {}\n{text}", graph.name_of(*wire));
        let (expected, size) = inner_product(&dy, &y);
        let (actual, _) = inner_product(&dx, input);
        assert!((expected - actual).abs() <= TOLERANCE * size, "{expected} and {actual}\n{text}");
    }
}

/// The gradient of `Σ dy · output` for every input.
fn gradients(graph: &mut Graph, inputs: &[Tensor], dy: &Tensor) -> Vec<Tensor> {
    let (output, wanted) = (graph.outputs()[0], graph.inputs().to_vec());
    let seed = graph.add_input("seed", graph.type_of(output).clone());
    let wires = gradient(graph, output, seed, &wanted).expect("a gradient");
    let inputs: Vec<Tensor> = inputs.iter().chain([dy]).cloned().collect();
    evaluate_wires(graph, &inputs, &wires).expect("the gradient graph runs")
}

/// The inner product, and the sum of the sizes of its terms.
fn inner_product(a: &Tensor, b: &Tensor) -> (f64, f64) {
    let terms: Vec<f64> = a.to_f64s().iter().zip(b.to_f64s()).map(|(a, b)| a * b).collect();
    (terms.iter().sum(), terms.iter().map(|x| x.abs()).sum())
}

/// Weights as an input, or as a constant, of which the rules make another one.
fn with_weights(op: &str, x: &[usize], w: &[usize], attributes: &str, draw: &mut Draw) -> String {
    let (y, x, w_type) = (unknown(x.len()), dims(x), dims(w));
    if draw.up_to(0, 1) == 0 {
        return format!("g ({x} x, {w_type} w) => ({y} y) {{ y = {op}<{attributes}>(x, w) }}");
    }
    let elements: Vec<String> = draw.tensor(w).to_f64s().iter().map(|x| format!("{x:.3}")).collect();
    let elements = elements.join(", ");
    format!("g ({x} x) => ({y} y) <{w_type} w = {{{elements}}}> {{ y = {op}<{attributes}>(x, w) }}")
}

#[test]
fn convolutions_have_their_adjoint() {
    for seed in 0..N_SHAPES {
        let mut draw = Draw(seed);
        let shape = Shape::draw(&mut draw);
        let (groups, n_in, n_out) = (draw.up_to(1, 3), draw.up_to(1, 2), draw.up_to(1, 2));
        let x = [&[draw.up_to(1, 2), groups * n_in], shape.lengths.as_slice()].concat();
        let w = [&[groups * n_out, n_in], shape.kernel.as_slice()].concat();
        let attributes = format!("{}, group = {groups}", shape.attributes);
        let text = with_weights("Conv", &x, &w, &attributes, &mut draw);
        check_homogeneous(&text, &mut draw);
    }
}

#[test]
fn depthwise_convolutions_of_large_kernels_have_their_adjoint() {
    let mut n_split = 0;
    for seed in 0..N_SHAPES {
        let mut draw = Draw(seed);
        let n_axes = draw.up_to(1, 2);
        let (kernel, strides) = (draw.list(n_axes, 3, 7), draw.list(n_axes, 1, 3));
        let pads = draw.list(2 * n_axes, 0, 4);
        let lengths: Vec<usize> = kernel.iter().map(|k| k + draw.up_to(0, 6)).collect();
        let weights = draw.tensor(&[&[2, 1], kernel.as_slice()].concat());
        let elements: Vec<String> = weights.to_f64s().iter().map(|x| format!("{x:.3}")).collect();
        let text = format!(
            "g ({} x) => ({} y) <{} w = {{{}}}> {{ y = Conv<group = 2, strides = {strides:?}, pads = {pads:?}>(x, w) }}",
            dims(&[&[2, 2], lengths.as_slice()].concat()),
            unknown(n_axes + 2),
            dims(weights.shape()),
            elements.join(", ")
        );
        check_homogeneous(&text, &mut draw);
        let mut graph = parse(&text).expect("a graph");
        let (x, y) = (graph.inputs()[0], graph.outputs()[0]);
        gradient(&mut graph, y, y, &[x]).expect("a gradient");
        n_split += usize::from(graph.wire("w.phase_0").is_ok());
    }
    assert!(n_split >= 20, "{n_split} convolutions of {N_SHAPES} went back phase by phase");
}

#[test]
fn transposed_convolutions_have_their_adjoint() {
    for seed in 0..N_SHAPES {
        let mut draw = Draw(seed);
        let shape = Shape::draw(&mut draw);
        let (groups, n_in, n_out) = (draw.up_to(1, 3), draw.up_to(1, 2), draw.up_to(1, 2));
        let x = [&[draw.up_to(1, 2), groups * n_in], shape.lengths.as_slice()].concat();
        let w = [&[groups * n_in, n_out], shape.kernel.as_slice()].concat();
        let extra = draw.list(shape.kernel.len(), 0, 2);
        let attributes = format!("{}, group = {groups}, output_padding = {extra:?}", shape.attributes);
        let text = with_weights("ConvTranspose", &x, &w, &attributes, &mut draw);
        check_homogeneous(&text, &mut draw);
    }
}

#[test]
fn pools_have_their_adjoint() {
    for seed in 0..N_SHAPES {
        let mut draw = Draw(seed);
        let shape = Shape::draw(&mut draw);
        let x = dims(&[&[draw.up_to(1, 2), draw.up_to(1, 3)], shape.lengths.as_slice()].concat());
        let y = unknown(shape.lengths.len() + 2);
        let attributes = format!("{}, ceil_mode = {}", shape.attributes, draw.up_to(0, 1));
        let counted = format!("count_include_pad = {}", draw.up_to(0, 1));
        let p = format!("p = {}", draw.up_to(1, 4));
        for (op, more) in [("MaxPool", "storage_order = 0"), ("AveragePool", &counted), ("LpPool", &p)] {
            let text = format!("g ({x} x) => ({y} y) {{ y = {op}<{attributes}, {more}>(x) }}");
            check_homogeneous(&text, &mut draw);
        }
    }
}

#[test]
fn ties_go_to_the_first_in_row_major_order() {
    for seed in 0..N_SHAPES {
        let mut draw = Draw(seed);
        let shape = Shape::draw(&mut draw);
        let own = [&[2, 2], shape.lengths.as_slice()].concat();
        let ceil = draw.up_to(0, 1);
        let text = format!(
            "g ({} x) => ({} y) {{ y, i = MaxPool<{}, ceil_mode = {ceil}>(x) }}",
            dims(&own),
            unknown(own.len()),
            shape.attributes
        );
        let mut graph = parse(&text).expect("a graph");
        // Two values only, so that nearly every window has ties.
        let elements = draw.tensor(&own).to_f64s().iter().map(|x| x.signum().max(0.0)).collect();
        let inputs = [Tensor::f64(&own, elements)];
        let indices = evaluate_wires(&graph, &inputs, &[graph.wire("i").expect("indices")]).expect("a run");
        let dy = draw.tensor(indices[0].shape());
        let mut expected = vec![0.0; own.iter().product()];
        for (index, signal) in indices[0].to_i64s().into_iter().zip(dy.to_f64s()) {
            expected[index as usize] += signal;
        }
        let actual = gradients(&mut graph, &inputs, &dy).remove(0).to_f64s();
        let worst = actual.iter().zip(&expected).map(|(a, e)| (a - e).abs()).fold(0.0, f64::max);
        assert!(worst <= TOLERANCE, "off by {worst}\n{text}");
    }
}

#[test]
fn a_window_of_equal_elements_sends_all_to_the_first() {
    let text = "g (float[1,1,4,4] x) => (float[1,1,2,2] y) {
        y = MaxPool<kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]>(x)
    }";
    let mut graph = parse(text).expect("a graph");
    let x = Tensor::f64(&[1, 1, 4, 4], vec![0.0; 16]);
    let dy = Tensor::f64(&[1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]);
    let dx = gradients(&mut graph, &[x], &dy).remove(0).to_f64s();
    // The first element of a window that is not padding.
    let mut expected = vec![0.0; 16];
    (expected[0], expected[1], expected[4], expected[5]) = (1.0, 2.0, 3.0, 4.0);
    assert_eq!(dx, expected);
}

#[test]
fn a_global_maximum_sends_all_to_the_first() {
    let mut graph =
        parse("g (float[1,1,2,3] x) => (float[1,1,1,1] y) { y = GlobalMaxPool(x) }").expect("a graph");
    let x = Tensor::f64(&[1, 1, 2, 3], vec![0.0, 5.0, 1.0, 5.0, 5.0, 2.0]);
    let dx = gradients(&mut graph, &[x], &Tensor::f64(&[1, 1, 1, 1], vec![3.0])).remove(0);
    assert_eq!(dx.to_f64s(), [0.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn a_norm_of_zeros_sends_nothing() {
    let text =
        "g (float[1,1,4] x) => (float[1,1,2] y) { y = LpPool<kernel_shape = [2], p = 2, strides = [2]>(x) }";
    let mut graph = parse(text).expect("a graph");
    let x = Tensor::f64(&[1, 1, 4], vec![0.0, 0.0, 3.0, -4.0]);
    let dx = gradients(&mut graph, &[x], &Tensor::f64(&[1, 1, 2], vec![1.0, 10.0])).remove(0);
    assert_eq!(dx.to_f64s(), [0.0, 0.0, 6.0, -8.0]);
}

#[test]
fn two_walks_share_the_weights_that_the_first_has_made() {
    for attributes in ["group = 1", "group = 1, strides = [2, 2]", "group = 2", "group = 2, strides = [2, 2]"]
    {
        let channels = if attributes.starts_with("group = 1") { 1 } else { 2 };
        let w = Draw(1).tensor(&[channels, 1, 5, 5]);
        let elements: Vec<String> = w.to_f64s().iter().map(f64::to_string).collect();
        let mut graph = parse(&format!(
            "g (float[1,{channels},7,7] x) => (float[?,?,?,?] y) <float[{channels},1,5,5] w = {{{}}}>
            {{ y = Conv<{attributes}>(x, w) }}",
            elements.join(", ")
        ))
        .expect("a graph");
        let (x, y) = (graph.inputs()[0], graph.outputs()[0]);
        let n_weights = |graph: &Graph| {
            let tensors = graph.wires().filter_map(|wire| graph.constant(wire).cloned());
            tensors.filter(|tensor| tensor.shape().len() == 4).count()
        };
        gradient(&mut graph, y, y, &[x]).expect("a gradient");
        let after_one = n_weights(&graph);
        gradient(&mut graph, y, y, &[x]).expect("a gradient");
        assert_eq!(n_weights(&graph), after_one, "{attributes}");
    }
}

#[test]
fn unknown_lengths_are_an_error_that_says_what_to_do() {
    let text =
        "g (float[N,1,?,?] x) => (float[N,1,?,?] y) <float[1,1,2,2] w = {1, 2, 3, 4}> { y = Conv(x, w) }";
    let mut graph = parse(text).expect("a graph");
    let (output, input) = (graph.outputs()[0], graph.inputs()[0]);
    let error = gradient(&mut graph, output, output, &[input]).expect_err("no lengths");
    assert!(error.to_string().contains("spatial lengths of `x` are unknown; pin the shape"), "{error}");
}
