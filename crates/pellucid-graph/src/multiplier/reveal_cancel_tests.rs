//! RevealCancel against its paper: the figures, and the formulas neuron by neuron on a dense network.

use super::MultiplierRule::RevealCancel;
use super::tests::{assert_close, numbers, of_text_by};

/// `m ⊙ (x − x′)` of a graph with one output.
fn contributions(text: &str, x: &[f64], baseline: &[f64]) -> Vec<f64> {
    let multipliers = of_text_by(RevealCancel, text, x, baseline);
    multipliers.iter().zip(x.iter().zip(baseline)).map(|(m, (x, x0))| m * (x - x0)).collect()
}

fn of_two(body: &str) -> String {
    format!(
        "f (float[1,2] x) => (float[1,1] y)
         <float[2,1] sum = {{1, 1}}, float[2,1] apart = {{1, -1}}, float[2,1] first = {{1, 0}}, float one = {{1}},
          int64[2] ends = {{1, 2}}, int64[1] last = {{1}}> {{ {body} }}"
    )
}

#[test]
fn a_minimum_is_shared_by_both_inputs() {
    // The paper's section 3.5.3: half of the minimum to each, whichever is smaller.
    let forms = [
        "a = MatMul(x, first) d = MatMul(x, apart) r = Relu(d) y = Sub(a, r)",
        "a, b = Split<axis = 1, num_outputs = 2>(x) d = Sub(a, b) r = Relu(d) y = Sub(a, r)",
        "a, b = Split<axis = 1, num_outputs = 2>(x) n = Neg(b) d = Add(n, a) r = Relu(d) m = Mul(r, one) z = Neg(m) y = Add(z, a)",
    ];
    for form in forms {
        let text = of_two(form);
        assert_close(&contributions(&text, &[3.0, 2.0], &[0.0, 0.0]), &[1.0, 1.0]);
        assert_close(&contributions(&text, &[1.0, 4.0], &[0.0, 0.0]), &[0.5, 0.5]);
    }
}

#[test]
fn conjunctions_and_disjunctions_are_shared_by_both_inputs() {
    let and = of_two("s = MatMul(x, sum) m = Sub(s, one) y = Relu(m)");
    assert_close(&contributions(&and, &[1.0, 1.0], &[0.0, 0.0]), &[0.5, 0.5]);
    assert_close(&contributions(&and, &[1.0, 0.0], &[0.0, 0.0]), &[0.0, 0.0]);
    let or = of_two("s = MatMul(x, sum) m = Sub(one, s) r = Relu(m) y = Sub(one, r)");
    assert_close(&contributions(&or, &[1.0, 1.0], &[0.0, 0.0]), &[0.5, 0.5]);
    assert_close(&contributions(&or, &[0.0, 1.0], &[0.0, 0.0]), &[0.0, 1.0]);
}

#[test]
fn terms_that_cancel_keep_their_say() {
    // 4 − 4 = 0 before the ReLU: Rescale has only its slope there, RevealCancel half of what each would do alone.
    let text = of_two("d = MatMul(x, apart) y = Relu(d)");
    assert_close(&contributions(&text, &[4.0, 4.0], &[0.0, 0.0]), &[2.0, -2.0]);
}

/// A dense layer, with what comes behind it.
struct Layer {
    weights: Vec<Vec<f64>>,
    bias: Vec<f64>,
    function: fn(f64) -> f64,
}

/// What the paper's formulas need of one layer.
struct Differences {
    of_input: Vec<f64>,
    /// Δ⁺ and Δ⁻ of each sum.
    of_sums: Vec<[f64; 2]>,
    /// Those of what the function makes of it.
    of_outputs: Vec<[f64; 2]>,
}

impl Layer {
    /// Weights that f32 holds exactly.
    fn new(seed: u64, n_inputs: usize, n_outputs: usize, function: fn(f64) -> f64) -> Self {
        let exact =
            |numbers: Vec<f64>| -> Vec<f64> { numbers.iter().map(|x| (x * 128.0).round() / 64.0).collect() };
        let weights = (0..n_inputs).map(|i| exact(numbers(seed + i as u64, n_outputs))).collect();
        Self { weights, bias: exact(numbers(seed + 99, n_outputs)), function }
    }

    fn sums(&self, x: &[f64]) -> Vec<f64> {
        let sum = |j: usize| x.iter().zip(&self.weights).map(|(x, weights)| x * weights[j]).sum::<f64>();
        (0..self.bias.len()).map(|j| sum(j) + self.bias[j]).collect()
    }

    fn outputs(&self, x: &[f64]) -> Vec<f64> {
        self.sums(x).into_iter().map(self.function).collect()
    }

    fn differences(&self, x: &[f64], baseline: &[f64]) -> Differences {
        let of_input: Vec<f64> = x.iter().zip(baseline).map(|(x, x0)| x - x0).collect();
        let f = self.function;
        let (mut of_sums, mut of_outputs) = (Vec::new(), Vec::new());
        for (j, start) in self.sums(baseline).into_iter().enumerate() {
            let terms = of_input.iter().zip(&self.weights).map(|(dx, weights)| dx * weights[j]);
            let (mut up, mut down) = (0.0, 0.0);
            for term in terms {
                if term > 0.0 { up += term } else { down += term }
            }
            of_sums.push([up, down]);
            let end = f(start + up + down);
            of_outputs.push([
                0.5 * (f(start + up) - f(start)) + 0.5 * (end - f(start + down)),
                0.5 * (f(start + down) - f(start)) + 0.5 * (end - f(start + up)),
            ]);
        }
        Differences { of_input, of_sums, of_outputs }
    }

    /// The multipliers of the inputs from those of the outputs.
    fn back(&self, multipliers: &[f64], differences: &Differences) -> Vec<f64> {
        let quotient = |j: usize, part: usize| {
            let (dy, dx) = (differences.of_outputs[j][part], differences.of_sums[j][part]);
            if dx == 0.0 { 0.0 } else { multipliers[j] * dy / dx }
        };
        let of_term = |i: usize, j: usize| {
            let w = self.weights[i][j];
            w * quotient(j, usize::from(w * differences.of_input[i] < 0.0))
        };
        (0..self.weights.len()).map(|i| (0..multipliers.len()).map(|j| of_term(i, j)).sum()).collect()
    }
}

fn identity(x: f64) -> f64 {
    x
}

fn relu(x: f64) -> f64 {
    x.max(0.0)
}

/// Not the two roundings of a number, but what f32 reads.
fn list(numbers: &[f64]) -> String {
    numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_dense_network_has_the_multipliers_of_the_papers_formulas() {
    for (op, function) in [("Relu", relu as fn(f64) -> f64), ("Tanh", f64::tanh)] {
        for seed in 1..6 {
            let layers = [
                Layer::new(1000 * seed, 4, 5, function),
                Layer::new(1000 * seed + 200, 5, 4, function),
                Layer::new(1000 * seed + 400, 4, 2, identity),
            ];
            let (x, baseline) = (numbers(seed + 7, 4), numbers(seed + 70, 4));
            let (mut at, mut at_baseline, mut differences) = (x.clone(), baseline.clone(), Vec::new());
            for layer in &layers {
                differences.push(layer.differences(&at, &at_baseline));
                (at, at_baseline) = (layer.outputs(&at), layer.outputs(&at_baseline));
            }
            let expected = layers
                .iter()
                .zip(&differences)
                .rev()
                .fold(vec![1.0, 2.0], |multipliers, (layer, differences)| {
                    layer.back(&multipliers, differences)
                });
            let constants: Vec<String> = layers
                .iter()
                .enumerate()
                .map(|(i, layer)| {
                    let (rows, columns) = (layer.weights.len(), layer.bias.len());
                    let (weights, bias) = (list(&layer.weights.concat()), list(&layer.bias));
                    format!(
                        "float[{rows},{columns}] w{i} = {{{weights}}}, float[{columns}] b{i} = {{{bias}}}"
                    )
                })
                .collect();
            // A Gemm, a product with its bias behind it, a convolution: the same sums.
            let text = format!(
                "f (float[1,4] x) => (float[1,2] y) <{}, int64[4] image = {{1, 4, 1, 1}}, int64[2] flat = {{1, 4}}>
                 {{ h = Gemm(x, w0, b0) r = {op}(h) p = MatMul(r, w1) a = Add(b1, p) s = {op}(a)
                    i = Reshape(s, image) k = Flatten(i) y = Gemm(k, w2, b2) }}",
                constants.join(", ")
            );
            assert_close(&of_text_by(RevealCancel, &text, &x, &baseline), &expected);
        }
    }
}

#[test]
fn sums_of_every_kind_and_what_moves_them_are_one() {
    let (x, baseline) = ([0.3, -1.2, 0.8, 2.0], [0.5, 0.7, -0.4, -1.0]);
    let check = |forms: &[&str]| {
        let of = |form: &str| {
            let text = format!(
                "f (float[1,4] x) => (float[1,2] y)
                 <float[4,2] w = {{1, -2, 0.5, 3, -0.75, 1, 2, -1}}, float[2,4] t = {{1, 0.5, -0.75, 2, -2, 3, 1, -1}},
                  float[2,4,1,1] k = {{1, 0.5, -0.75, 2, -2, 3, 1, -1}}, float[4,2,1,1] u = {{1, -2, 0.5, 3, -0.75, 1, 2, -1}},
                  float[2] c = {{0.5, -0.25}}, float[1,2,4] m = {{1, 0.5, -0.75, 2, -2, 3, 1, -1}},
                  int64[4] image = {{1, 4, 1, 1}}, int64[2] flat = {{1, 2}}, int64[2] column = {{4, 1}}, int64[1] last = {{-1}},
                  int64[1] middle = {{1}}, int64[2] swapped = {{1, 0}}>
                 {{ {form} y = Tanh(h) }}"
            );
            of_text_by(RevealCancel, &text, &x, &baseline)
        };
        let expected = of(forms[0]);
        for form in &forms[1..] {
            assert_close(&of(form), &expected);
        }
    };
    check(&[
        "h = Gemm(x, w, c)",
        "p = MatMul(x, w) h = Add(p, c)",
        "v = Reshape(x, column) p = MatMul(t, v) q = Reshape(p, flat) h = Add(c, q)",
        "i = Reshape(x, image) p = Conv(i, k, c) h = Reshape(p, flat)",
        "i = Reshape(x, image) p = ConvTranspose(i, u, c) h = Flatten(p)",
        "r = Unsqueeze(x, middle) p = Mul(r, m) s = ReduceSum<keepdims = 0>(p, last) h = Add(s, c)",
        "p = MatMul(x, w) n = Neg(p) g = Sub(c, n) o = Gather<axis = 1>(g, swapped) h = Gather<axis = 1>(o, swapped)",
    ]);
}
