//! Every rule against its law, `Σ m Δx = Σ w Δy`, and against the gradient where input and baseline meet, in f64.

use super::{MultiplierRule, balances, multipliers, multipliers_of};
use crate::cases::{OpCase, op_cases, uniform};
use crate::error::Error;
use crate::evaluate::{evaluate, evaluate_wires};
use crate::gradient::gradient;
use crate::graph::{Graph, Wire};
use crate::passes::{fold_constants, lower};
use crate::tensor::Tensor;
use crate::text;

/// Of the sum of the absolute terms; f32 constants of rules are the only rounding above 1e-16.
const TOLERANCE: f64 = 1e-6;

/// Cases whose other inputs cannot change with the first, or alone: an exponent with its base, a parameter with the data.
const NOT_TOGETHER: &[&str] = &[
    "Pow of both",
    "Mod with the sign of the dividend",
    "Clip by computed bounds",
    "PRelu",
    "PRelu of one slope",
    "BatchNormalization",
    "BatchNormalization of features",
    "InstanceNormalization",
    "InstanceNormalization of sequences",
    "LayerNormalization",
    "LayerNormalization over two axes",
    "LayerNormalization without shift",
    "LayerNormalization with its moments",
    "RMSNormalization",
    "GridSample",
    "GridSample with aligned corners",
    "GridSample that repeats the border",
    "GridSample of nearest pixels",
    "GridSample of nearest pixels with aligned corners that repeats the border",
    "SimplifiedLayerNormalization",
    "com.microsoft.SkipLayerNormalization",
    "com.microsoft.SkipLayerNormalization without biases",
    "com.microsoft.SkipSimplifiedLayerNormalization",
];

/// Cases in which an input chooses places: what it changes is told by the check of each node's balance, which names the node.
const CHOOSING: &[&str] = &[
    "GridSample of nearest pixels",
    "GridSample of nearest pixels with aligned corners that repeats the border",
];

/// Cases of ops that are refused by name.
const NOT_AT_ALL: &[&str] = &[
    "Hardmax",
    "ReduceProd",
    "ReduceProd of two axes",
    "ReduceProd of zeros",
    "TopK",
    "TopK smallest",
    "LpPool 2-D p 1",
    "LpPool 2-D p 2",
    "LpPool 2-D p 3, dilated, windows beyond the end",
    "LpPool 1-D same upper",
    "LpPool a window of zeros",
    "GlobalLpPool p 2",
    "GlobalLpPool p 1",
    "GlobalLpPool p 3",
];

pub(super) fn numbers(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed;
    (0..n).map(|_| uniform(&mut state) - 0.5).collect()
}

/// A graph ready for the walk, an output of it with weights, and inputs that change, each with its baseline.
struct Walked {
    graph: Graph,
    output: Wire,
    seed: Wire,
    ends: Vec<(Wire, Wire)>,
}

impl Walked {
    /// Runs take the inputs, the weights, and the baselines.
    fn new(forward: &Graph, output: usize, changing: &[usize]) -> Result<Self, Error> {
        let mut graph = lower(&fold_constants(forward)?)?;
        let output = graph.outputs()[output];
        let inputs = graph.inputs().to_vec();
        let ty = graph.type_of(output).clone();
        let seed = graph.add_input("seed", ty);
        let mut ends = Vec::new();
        for &i in changing {
            let ty = graph.type_of(inputs[i]).clone();
            ends.push((inputs[i], graph.add_input("baseline", ty)));
        }
        Ok(Self { graph, output, seed, ends })
    }
}

/// `m` of each changing input.
fn run(
    forward: &Graph,
    output: usize,
    weights: &Tensor,
    inputs: &[Tensor],
    changing: &[usize],
    baselines: &[Tensor],
    rule: MultiplierRule,
) -> Result<Vec<Vec<f64>>, Error> {
    let Walked { mut graph, output, seed, ends } = Walked::new(forward, output, changing)?;
    let (wires, _) = multipliers_of(&mut graph, output, seed, &ends, rule)?;
    graph.set_outputs(&wires);
    let mut given = inputs.to_vec();
    given.push(weights.clone());
    given.extend(changing.iter().map(|&i| baselines[i].clone()));
    Ok(evaluate(&graph, &given)?.iter().map(Tensor::to_f64s).collect())
}

/// What a case is checked with: its graph, two points, and the weights of an output.
struct Trial {
    forward: Graph,
    output: usize,
    weights: Tensor,
    inputs: Vec<Tensor>,
    baselines: Vec<Tensor>,
    floats: Vec<usize>,
}

fn trials(case: &OpCase) -> Vec<Trial> {
    let forward = case.parse();
    let (inputs, mut baselines) = (case.inputs(&forward, 7), case.inputs(&forward, 11));
    for (baseline, input) in baselines.iter_mut().zip(&inputs) {
        // What a case fixes is the same for both: a part of it is as fit.
        if baseline.element().is_float() && baseline.to_f64s() == input.to_f64s() {
            let smaller = input.to_f64s().iter().map(|x| 0.7 * x).collect();
            *baseline = Tensor::f64(input.shape(), smaller);
        }
    }
    let is_float = |&i: &usize| forward.element(forward.inputs()[i]).is_float();
    let floats: Vec<usize> = (0..inputs.len()).filter(is_float).collect();
    let outputs = evaluate(&forward, &inputs).expect("the case runs");
    let of_output = |output: usize| {
        let shape = outputs[output].shape().to_vec();
        Trial {
            forward: forward.clone(),
            output,
            weights: Tensor::f64(&shape, numbers(3, shape.iter().product())),
            inputs: inputs.clone(),
            baselines: baselines.clone(),
            floats: floats.clone(),
        }
    };
    let n_outputs = forward.outputs().len();
    (0..n_outputs).filter(|&i| forward.element(forward.outputs()[i]).is_float()).map(of_output).collect()
}

/// `None` where the walk is refused; else what `Σ m Δx` misses of `Σ w Δy`, of the sum of the absolute terms.
fn gap(trial: &Trial, changing: &[usize], rule: MultiplierRule) -> Result<Option<f64>, String> {
    let Trial { forward, output, weights, inputs, baselines, .. } = trial;
    let multipliers = match run(forward, *output, weights, inputs, changing, baselines, rule) {
        Ok(multipliers) => multipliers,
        Err(Error::NoRule { .. } | Error::Node { .. }) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut moved = inputs.clone();
    for &i in changing {
        moved[i] = baselines[i].clone();
    }
    let value = |inputs: &[Tensor]| evaluate(forward, inputs).map(|all| all[*output].to_f64s());
    let (at_input, at_baseline) = (value(inputs), value(&moved));
    let (at_input, at_baseline) = (at_input.map_err(text_of)?, at_baseline.map_err(text_of)?);
    let weights = weights.to_f64s();
    let mut terms: Vec<f64> =
        at_input.iter().zip(&at_baseline).zip(&weights).map(|((y, y0), w)| -w * (y - y0)).collect();
    for (&i, m) in changing.iter().zip(&multipliers) {
        let (x, x0) = (inputs[i].to_f64s(), baselines[i].to_f64s());
        terms.extend(m.iter().zip(x.iter().zip(&x0)).map(|(m, (x, x0))| m * (x - x0)));
    }
    let scale: f64 = terms.iter().map(|term| term.abs()).sum::<f64>().max(1e-3);
    Ok(Some(terms.iter().sum::<f64>().abs() / scale))
}

fn text_of(error: Error) -> String {
    error.to_string()
}

#[test]
fn multipliers_add_up_for_each_input_alone_and_for_all_together() {
    for (_, rule) in MultiplierRule::NAMES {
        check_that_multipliers_add_up(rule);
    }
}

fn check_that_multipliers_add_up(rule: MultiplierRule) {
    let (mut failures, mut refused_alone, mut refused_together) = (Vec::new(), Vec::new(), Vec::new());
    for case in op_cases() {
        for trial in trials(case) {
            let mut sets: Vec<Vec<usize>> = trial.floats.iter().map(|&i| vec![i]).collect();
            if trial.floats.len() > 1 {
                sets.push(trial.floats.clone());
            }
            for changing in sets {
                match gap(&trial, &changing, rule) {
                    Ok(Some(gap)) if gap <= TOLERANCE => {}
                    Ok(Some(_)) if CHOOSING.contains(&case.name) && changing.contains(&1) => {}
                    Ok(Some(gap)) => failures.push(format!("{} by {changing:?}: {gap:.2e}", case.name)),
                    Ok(None) if changing == [0] => refused_alone.push(case.name),
                    Ok(None) => refused_together.push(case.name),
                    Err(reason) => failures.push(format!("{} by {changing:?}: {reason}", case.name)),
                }
            }
        }
    }
    refused_together.dedup();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!((refused_alone.as_slice(), refused_together.as_slice()), (NOT_AT_ALL, NOT_TOGETHER));
}

#[test]
fn multipliers_are_the_gradient_where_input_and_baseline_meet() {
    for (_, rule) in MultiplierRule::NAMES {
        check_against_the_gradient(rule);
    }
}

fn check_against_the_gradient(rule: MultiplierRule) {
    let (mut failures, mut n_checked) = (Vec::new(), 0);
    for case in op_cases().into_iter().filter(|case| case.differentiable) {
        for trial in trials(case) {
            for &i in &trial.floats {
                let Trial { forward, output, weights, inputs, .. } = &trial;
                let Ok(multipliers) = run(forward, *output, weights, inputs, &[i], inputs, rule) else {
                    continue;
                };
                let Walked { mut graph, output, seed, .. } =
                    Walked::new(forward, *output, &[]).expect("ready");
                let wanted = graph.inputs()[i];
                let wires = gradient(&mut graph, output, seed, &[wanted]).expect("has a gradient");
                let given = [inputs.as_slice(), std::slice::from_ref(weights)].concat();
                let expected = evaluate_wires(&graph, &given, &wires).expect("runs")[0].to_f64s();
                let scale = expected.iter().fold(1e-3, |scale: f64, g| scale.max(g.abs()));
                let off =
                    expected.iter().zip(&multipliers[0]).map(|(g, m)| (g - m).abs()).fold(0.0, f64::max);
                n_checked += 1;
                if off.is_nan() || off > TOLERANCE * scale {
                    failures.push(format!("{} by {i}: off by {off:.2e}", case.name));
                }
            }
        }
    }
    assert!(n_checked > 150, "only {n_checked} inputs checked");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Multipliers by the Rescale rule.
fn of_text(text: &str, x: &[f64], baseline: &[f64]) -> Vec<f64> {
    of_text_by(MultiplierRule::Rescale, text, x, baseline)
}

/// Multipliers of the first input of a graph in text, for weights 1, 2, 3 … of its elements.
pub(super) fn of_text_by(rule: MultiplierRule, text: &str, x: &[f64], baseline: &[f64]) -> Vec<f64> {
    let forward = text::parse(text).expect("the text is a graph");
    let shape = forward.type_of(forward.inputs()[0]).known_shape().expect("known lengths");
    let (x, baseline) = (Tensor::f64(&shape, x.to_vec()), Tensor::f64(&shape, baseline.to_vec()));
    let output = evaluate(&forward, std::slice::from_ref(&x)).expect("runs").remove(0);
    let weights = Tensor::f64(output.shape(), (1..=output.len()).map(|n| n as f64).collect());
    run(&forward, 0, &weights, &[x], &[0], &[baseline], rule).expect("has rules").remove(0)
}

pub(super) fn assert_close(actual: &[f64], expected: &[f64]) {
    let same = actual.len() == expected.len()
        && actual.iter().zip(expected).all(|(a, e)| (a - e).abs() <= 1e-6 * (1.0 + e.abs()));
    assert!(same, "{actual:?}, expected {expected:?}");
}

#[test]
fn functions_written_out_have_the_multipliers_of_the_whole() {
    let (x, baseline) = ([1.3, -0.4, 2.0, -3.0], [-0.2, 0.5, 2.0, 1.0]);
    let check = |whole: &str, constants: &str, written_out: &str| {
        let graph = |constants: &str, body: &str| {
            format!("g (float[1,4] x) => (float[1,4] y) {constants} {{ {body} }}")
        };
        assert_close(
            &of_text(&graph(constants, written_out), &x, &baseline),
            &of_text(&graph(constants, whole), &x, &baseline),
        );
    };
    check(
        "y = Gelu(x)",
        "<float r = {1.4142135}, float one = {1}, float half = {0.5}>",
        "d = Div(x, r) e = Erf(d) p = Add(e, one) m = Mul(x, p) y = Mul(m, half)",
    );
    let norm = "<int64[1] last = {-1}, float two = {2}, float eps = {0.00001}, float[4] w = {1, 2, 3, 4},
                 float[4] b = {0.5, 0, 0, 1}>";
    check(
        "y = LayerNormalization(x, w, b)",
        norm,
        "m = ReduceMean(x, last) d = Sub(x, m) p = Pow(d, two) v = ReduceMean(p, last)
         a = Add(v, eps) s = Sqrt(a) n = Div(d, s) t = Mul(n, w) y = Add(t, b)",
    );
    check(
        "y = RMSNormalization(x, w)",
        norm,
        "p = Mul(x, x) v = ReduceMean(p, last) a = Add(v, eps) s = Sqrt(a) r = Reciprocal(s) n = Mul(x, r) y = Mul(n, w)",
    );
    check("y = Relu(x)", "<float zero = {0}>", "c = Greater(x, zero) y = Where(c, x, zero)");
    check("y = Relu(x)", "<float zero = {0}>", "y = Max(x, zero)");
    check("y = Relu(x)", "<float zero = {0}>", "y = Clip(x, zero)");
}

#[test]
fn rounded_numbers_have_the_quotient_of_what_they_are_rounded_to() {
    let quantized = "g (float[1,4] x) => (float[1,4] y) <float s = {0.5}, int8 z = {3}, int64[2] shape = {2, 2}, int64[2] back = {1, 4}>
         { q = QuantizeLinear(x, s, z) r = Reshape(q, shape) t = Transpose<perm = [1, 0]>(r) d = DequantizeLinear(t, s, z)
           u = Transpose<perm = [1, 0]>(d) y = Reshape(u, back) }";
    // In steps of a half up to 62: 1.1 is 1, 0.3 is 0.5, 90 is 62; where nothing changes, the straight-through slope.
    let m = of_text(quantized, &[1.1, 0.3, 90.0, 0.2], &[-0.2, -70.0, 0.0, 0.2]);
    assert_close(&m, &[1.0 / 1.3, 2.0 * 66.0 / 70.3, 3.0 * 62.0 / 90.0, 4.0]);
}

#[test]
fn a_softmax_of_two_is_a_sigmoid_of_their_difference() {
    let (x, baseline) = ([2.0f64, -1.0], [0.3, 0.6]);
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let (d, d0) = (x[0] - x[1], baseline[0] - baseline[1]);
    // The weights 1 and 2 of the outputs y and 1 − y.
    let slope = -(sigmoid(d) - sigmoid(d0)) / (d - d0);
    let m = of_text("g (float[1,2] x) => (float[1,2] y) { y = Softmax(x) }", &x, &baseline);
    assert_close(&m, &[slope, -slope]);
}

#[test]
fn a_softmax_far_out_stays_finite() {
    let softmax = "g (float[1,3] x) => (float[1,3] y) { y = Softmax(x) }";
    let (x, baseline) = ([1000.0, 0.0, -1000.0], [-1000.0, 0.0, 1000.0]);
    let m = of_text(softmax, &x, &baseline);
    // From the third output to the first, whose weights are 3 and 1.
    let sum: f64 = m.iter().zip(x.iter().zip(&baseline)).map(|(m, (x, x0))| m * (x - x0)).sum();
    assert_close(&[sum], &[-2.0]);
    let masked = "g (float[1,3] x) => (float[1,3] y) <float[3] mask = {0, 0, -inf}>
                  { m = Add(x, mask) y = Softmax(m) }";
    let m = of_text(masked, &[1.0, 2.0, 3.0], &[0.0, 0.0, 0.0]);
    assert!(m.iter().all(|m| m.is_finite()) && m[2] == 0.0, "{m:?}");
}

#[test]
fn the_winner_of_the_larger_side_gets_the_difference() {
    let maximum = "g (float[1,3] x) => (float[1,1] y) <int64[1] last = {-1}> { y = ReduceMax(x, last) }";
    // 5 − 3 goes to the element that is 5 now and was 1.
    assert_close(&of_text(maximum, &[5.0, 2.0, 0.0], &[1.0, 3.0, 0.0]), &[0.5, 0.0, 0.0]);
    // 2 − 5 goes to the element that was 5 and is 2 no more.
    assert_close(&of_text(maximum, &[-1.0, 2.0, 0.0], &[5.0, 3.0, 0.0]), &[0.5, 0.0, 0.0]);
    let minimum = maximum.replace("ReduceMax", "ReduceMin");
    assert_close(&of_text(&minimum, &[5.0, 2.0, 0.0], &[1.0, 3.0, 4.0]), &[0.0, 0.0, 0.25]);
}

#[test]
fn overlapping_windows_add_up() {
    let pool = "g (float[1,1,5] x) => (float[1,1,4] y) { y = MaxPool<kernel_shape = [2], strides = [1]>(x) }";
    let (x, baseline) = ([0.0, 0.0, 4.0, 1.0, 0.0], [0.0, 3.0, 0.0, 0.0, 0.0]);
    let m = of_text(pool, &x, &baseline);
    // Windows 0 … 3 give 0, 4, 4, 1 and gave 3, 3, 0, 0.
    let expected = 1.0 * -3.0 + 2.0 * 1.0 + 3.0 * 4.0 + 4.0 * 1.0;
    let sum: f64 = m.iter().zip(x.iter().zip(&baseline)).map(|(m, (x, x0))| m * (x - x0)).sum();
    assert_close(&[sum], &[expected]);
}

#[test]
fn numbers_near_their_baseline_have_a_slope_without_noise() {
    // The quotient has four digits here, as it has in f32 at a distance of 1e-3.
    let text = "g (float[1,1] x) => (float[1,1] y) { y = Sigmoid(x) }";
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let slope = sigmoid(3.0) * (1.0 - sigmoid(3.0));
    assert_close(&of_text(text, &[3.0 + 1e-12], &[3.0 - 1e-12]), &[slope]);
}

#[test]
fn what_depends_on_the_input_by_a_choice_is_refused_by_name() {
    let forward = text::parse(
        "g (float[1,3] x) => (float[1,1] y) { i = ArgMax<axis = 1>(x) y = GatherElements<axis = 1>(x, i) }",
    );
    let mut graph = forward.expect("the text is a graph");
    let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
    let seed = graph.add_constant("seed", Tensor::f32(&[1, 1], vec![1.0]));
    let ty = graph.type_of(input).clone();
    let baseline = graph.add_input("baseline", ty);
    let error = multipliers(&mut graph, output, seed, input, baseline, MultiplierRule::Rescale);
    let message = error.expect_err("refused").to_string();
    assert!(message.contains("GatherElements") && message.contains("input 1 `i`"), "{message}");
}

#[test]
fn balances_name_the_node_where_completeness_is_lost() {
    // The choice between constants has no difference of its own to give the output's to.
    let text = "g (float[1,2] x) => (float[1,2] y)
        <float zero = {0}, float[2] big = {5, 5}, float[2] small = {1, 1}>
        { a = Mul(x, x) c = Greater(x, zero) d = Mul(a, zero) e = Add(d, big) w = Where(c, e, small) y = Add(w, a) }";
    let mut graph = text::parse(text).expect("the text is a graph");
    let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
    let seed = graph.add_constant("seed", Tensor::f32(&[1, 2], vec![1.0, 1.0]));
    let ty = graph.type_of(input).clone();
    let baseline = graph.add_input("baseline", ty);
    let balances = balances(&mut graph, output, seed, input, baseline, MultiplierRule::RevealCancel);
    let balances = balances.expect("has rules");
    let wires: Vec<Wire> = balances.iter().flat_map(|balance| [balance.arrived, balance.sent]).collect();
    let inputs = [Tensor::f64(&[1, 2], vec![1.0, 2.0]), Tensor::f64(&[1, 2], vec![-1.0, 1.0])];
    let values: Vec<f64> = evaluate_wires(&graph, &inputs, &wires)
        .expect("runs")
        .iter()
        .map(|tensor| tensor.to_f64s()[0])
        .collect();
    let leaks: Vec<&str> = balances
        .iter()
        .zip(values.chunks(2))
        .filter(|(_, sides)| (sides[0] - sides[1]).abs() > 1e-9)
        .map(|(balance, _)| balance.op.as_str())
        .collect();
    assert_eq!(leaks, ["Where"]);
}
