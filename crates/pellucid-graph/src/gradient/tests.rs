//! Every rule against finite differences of the reference evaluator, in f64.

use super::gradient;
use crate::cases::{OpCase, op_cases, uniform};
use crate::evaluate::evaluate;
use crate::graph::Graph;
use crate::passes::{fold_constants, lower};
use crate::tensor::Tensor;

/// Step of the central differences; their error is of the order of its square.
const STEP: f64 = 1e-5;
/// Relative to the largest gradient of the input.
const TOLERANCE: f64 = 1e-6;

#[test]
fn rules_agree_with_finite_differences() {
    let mut failures = Vec::new();
    for case in op_cases().into_iter().filter(|case| case.differentiable) {
        if let Err(reason) = check_case(case) {
            failures.push(format!("{}: {reason}", case.name));
        }
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

fn check_case(case: &OpCase) -> Result<(), String> {
    let forward = case.parse();
    let inputs = case.inputs(&forward, 7);
    for output in 0..forward.outputs().len() {
        let shape = evaluate(&forward, &inputs).map_err(|e| e.to_string())?[output].shape().to_vec();
        let mut state = 3;
        let weights: Vec<f64> = (0..shape.iter().product()).map(|_| uniform(&mut state) - 0.5).collect();
        let weights = Tensor::f64(&shape, weights);
        let analytic = analytic(&forward, &inputs, output, &weights)?;
        for (i, gradient) in analytic {
            let numeric = numeric(&forward, &inputs, output, &weights, i);
            compare(&gradient, &numeric).map_err(|reason| format!("output {output}, input {i}: {reason}"))?;
        }
    }
    Ok(())
}

/// `d(Σ weights · output)/d(input)` for each float input, from the rules.
fn analytic(
    forward: &Graph,
    inputs: &[Tensor],
    output: usize,
    weights: &Tensor,
) -> Result<Vec<(usize, Tensor)>, String> {
    let mut graph = lower(&fold_constants(forward).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let out = graph.outputs()[output];
    if !graph.element(out).is_float() {
        return Ok(Vec::new());
    }
    let floats: Vec<usize> =
        (0..inputs.len()).filter(|&i| graph.element(graph.inputs()[i]).is_float()).collect();
    let wanted: Vec<_> = floats.iter().map(|&i| graph.inputs()[i]).collect();
    let ty = graph.type_of(out).clone();
    let seed = graph.add_input("seed", ty);
    let gradients = gradient(&mut graph, out, seed, &wanted).map_err(|e| e.to_string())?;
    for (wire, input) in gradients.iter().zip(&wanted) {
        let (own, wanted) = (graph.shape(*wire), graph.shape(*input));
        if own != wanted {
            return Err(format!("the gradient's inferred shape is {own:?}, the input's {wanted:?}"));
        }
    }
    graph.set_outputs(&gradients);
    let mut inputs = inputs.to_vec();
    inputs.push(weights.clone());
    let tensors = evaluate(&graph, &inputs).map_err(|e| e.to_string())?;
    Ok(floats.into_iter().zip(tensors).collect())
}

fn numeric(forward: &Graph, inputs: &[Tensor], output: usize, weights: &Tensor, i: usize) -> Vec<f64> {
    let weights = weights.to_f64s();
    let value = |at: usize, step: f64| -> f64 {
        let mut moved = inputs.to_vec();
        let mut elements = inputs[i].to_f64s();
        elements[at] += step;
        moved[i] = Tensor::f64(inputs[i].shape(), elements);
        let outputs = evaluate(forward, &moved).expect("the forward graph runs");
        outputs[output].to_f64s().iter().zip(&weights).map(|(y, w)| y * w).sum()
    };
    (0..inputs[i].len()).map(|at| (value(at, STEP) - value(at, -STEP)) / (2.0 * STEP)).collect()
}

fn compare(gradient: &Tensor, numeric: &[f64]) -> Result<(), String> {
    let analytic = gradient.to_f64s();
    if analytic.len() != numeric.len() {
        return Err(format!("gradient of shape {:?} for {} elements", gradient.shape(), numeric.len()));
    }
    let scale = numeric.iter().fold(1e-3, |m: f64, x| m.max(x.abs()));
    let worst = analytic.iter().zip(numeric).map(|(a, n)| (a - n).abs()).fold(0.0, f64::max);
    match worst <= TOLERANCE * scale {
        true => Ok(()),
        false => Err(format!("off by {worst:.2e}:\n  rule    {analytic:?}\n  numeric {numeric:?}")),
    }
}

#[test]
fn a_reduction_that_has_no_rule_is_refused_by_name() {
    let mut graph = crate::text::parse(
        "g (float[3] a, float[2] u) => (float[3] y) <int64[2] i = {0, 2}>
         { [place] y = ScatterElements<reduction = \"max\">(a, i, u) }",
    )
    .unwrap();
    let (input, output) = (graph.inputs()[1], graph.outputs()[0]);
    let seed = graph.add_constant("seed", Tensor::f32(&[3], vec![1.0; 3]));
    let error = gradient(&mut graph, output, seed, &[input]).unwrap_err().to_string();
    assert!(
        ["ScatterElements", "place", "reduction `max`"].iter().all(|word| error.contains(word)),
        "{error}"
    );
}
