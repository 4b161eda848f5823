//! Every op case and its gradient graph, on every runtime, against the reference evaluator.

use std::collections::BTreeSet;

use pellucid_graph::cases::{OpCase, loop_cases, op_cases, uniform};
use pellucid_graph::passes::{fold_constants, lower};
use pellucid_graph::{ElementType, Error, Graph, Runtime, Tensor, evaluate, gradient};

use super::{open, runtimes_of, say};
use crate::RuntimeChoice;
use crate::embedded::allowed;

/// Relative to the largest element of the output. The cases sum at most some hundred products of numbers around 1,
/// each rounded to 2⁻²⁴ = 6e-8, and approximate functions (exp, erf, tanh) to a few units in the last place.
const TOLERANCE: f64 = 1e-5;
/// The same where a graph rounds to half floats on its way, which the evaluator does not: 2⁻¹¹, twice.
const HALF_TOLERANCE: f64 = 1e-3;
/// Where the output is more sensitive than that, it may also move as far as it does when each input moves by this share:
/// two units in the last place of an `f32`.
const INPUT_SHARE: f64 = 2.4e-7;
/// An output that moves farther then, relative to its scale, jumps: a tie was broken. That is no sensitivity.
const JUMP: f64 = 1e-3;

/// What ONNX Runtime cannot run, and why. Lowering writes these ops as others.
const BEYOND_ONNX_RUNTIME: &[(&str, &str)] = &[("LRN of an even size", "it knows odd sizes only")];

#[test]
fn op_cases_agree_with_the_evaluator() {
    let mut failures = Vec::new();
    // The threads of hundreds of sessions would wait for work in turns, spinning.
    for runtime in runtimes_of(1) {
        let name = runtime.fingerprint();
        let is_rten = name.starts_with("rten");
        let mut refused = Vec::new();
        for (what, graph, inputs) in op_cases().into_iter().flat_map(graphs_of) {
            let is_beyond = !is_rten && BEYOND_ONNX_RUNTIME.iter().any(|(case, _)| *case == what);
            match check(&*runtime, &graph, &inputs) {
                Ok(()) if is_beyond => failures.push(format!("{what} runs on {name} after all")),
                Err(Fault::Wrong(_)) if is_beyond => {}
                Ok(()) => {}
                Err(Fault::Refused(_)) if is_rten => refused.push(what),
                Err(Fault::Refused(reason) | Fault::Wrong(reason)) => {
                    failures.push(format!("{what} on {name}: {reason}"));
                }
            }
        }
        say(&format!("{name} refuses {}: {}", refused.len(), refused.join(" · ")));
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn loops_are_what_they_are_written_out() {
    for runtime in runtimes_of(1) {
        let name = runtime.fingerprint();
        for case in loop_cases() {
            let session = runtime
                .session(&case.graph)
                .unwrap_or_else(|error| panic!("{} on {name}: {error}", case.name));
            let expected = evaluate(&case.written_out, &case.inputs).unwrap();
            for (actual, expected) in session.run(&case.inputs).unwrap().iter().zip(&expected) {
                compare(actual, expected, TOLERANCE)
                    .unwrap_or_else(|reason| panic!("{} on {name}: {reason}", case.name));
            }
        }
    }
}

#[test]
fn every_op_that_rten_may_run_has_a_case() {
    let rten = open(RuntimeChoice::Rten, 1).unwrap();
    let graphs = op_cases().into_iter().flat_map(graphs_of).map(|(_, graph, _)| graph);
    let runnable = graphs.filter(|graph| rten.session(graph).is_ok());
    let ops: BTreeSet<String> = runnable
        .flat_map(|graph| graph.nodes().iter().map(|node| node.op.clone()).collect::<Vec<_>>())
        .collect();
    let without: Vec<&str> = allowed::ops().filter(|op| !ops.contains(*op)).collect();
    assert!(without.is_empty(), "without a case that shows rten right: {without:?}");
}

enum Fault {
    Refused(String),
    Wrong(String),
}

fn check(runtime: &dyn Runtime, graph: &Graph, inputs: &[Tensor]) -> Result<(), Fault> {
    let wrong = |error: Error| Fault::Wrong(error.to_string());
    let session = runtime.session(graph).map_err(|error| match error {
        Error::Runtime { reason } if !reason.contains("does not load") => Fault::Refused(reason),
        other => wrong(other),
    })?;
    let actual = session.run(inputs).map_err(wrong)?;
    let expected = evaluate(graph, inputs).map_err(wrong)?;
    let moved = evaluate(graph, &moved_inputs(inputs)).map_err(wrong)?;
    assert_eq!(actual.len(), expected.len());
    let is_half =
        graph.wires().any(|wire| matches!(graph.element(wire), ElementType::F16 | ElementType::BF16));
    let relative = if is_half { HALF_TOLERANCE } else { TOLERANCE };
    for (i, actual) in actual.iter().enumerate() {
        let scale = scale(&expected[i]);
        let sensitivity = Some(difference(&moved[i], &expected[i])).filter(|&moved| moved <= JUMP * scale);
        let allowed = relative * scale + sensitivity.unwrap_or(0.0);
        compare(actual, &expected[i], allowed)
            .map_err(|reason| Fault::Wrong(format!("output {i}, allowed {allowed:.1e}: {reason}")))?;
    }
    Ok(())
}

/// The float inputs, each element moved up or down by [`INPUT_SHARE`].
fn moved_inputs(inputs: &[Tensor]) -> Vec<Tensor> {
    let mut state = 11;
    let mut moved = |tensor: &Tensor| {
        let mut share = || if uniform(&mut state) < 0.5 { INPUT_SHARE } else { -INPUT_SHARE };
        let elements = tensor.to_f64s().into_iter().map(|x| x * (1.0 + share())).collect();
        Tensor::f64(tensor.shape(), elements)
    };
    inputs
        .iter()
        .map(|tensor| if tensor.element().is_float() { moved(tensor) } else { tensor.clone() })
        .collect()
}

fn scale(tensor: &Tensor) -> f64 {
    tensor.to_f64s().into_iter().filter(|x| x.is_finite()).fold(1e-3, |m: f64, x| m.max(x.abs()))
}

/// The largest distance between two elements in the same place, infinite ones aside.
fn difference(a: &Tensor, b: &Tensor) -> f64 {
    let distances = a.to_f64s().into_iter().zip(b.to_f64s()).map(|(a, b)| (a - b).abs());
    distances.filter(|distance| distance.is_finite()).fold(0.0, f64::max)
}

fn compare(actual: &Tensor, expected: &Tensor, allowed: f64) -> Result<(), String> {
    if actual.shape() != expected.shape() {
        return Err(format!("shape {:?}, expected {:?}", actual.shape(), expected.shape()));
    }
    let (actual, expected) = (actual.to_f64s(), expected.to_f64s());
    let same = |(a, e): (&f64, &f64)| a == e || (a.is_nan() && e.is_nan()) || (a - e).abs() <= allowed;
    match actual.iter().zip(&expected).all(same) {
        true => Ok(()),
        false => Err(format!("\n  got      {actual:?}\n  expected {expected:?}")),
    }
}

/// The forward graph of a case, its lowered form where that is another, and where its op is differentiable, the graph of
/// all its gradients.
fn graphs_of(case: &OpCase) -> Vec<(String, Graph, Vec<Tensor>)> {
    let forward = case.parse();
    let inputs = case.inputs(&forward, 7);
    let mut graphs = Vec::new();
    if case.differentiable {
        let gradient =
            gradient_of(&forward, &inputs).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        graphs.extend(gradient.map(|(graph, inputs)| (format!("{}, gradient", case.name), graph, inputs)));
    }
    let folded = fold_constants(&forward).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let lowered = lower(&folded).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    if lowered != forward {
        graphs.push((format!("{}, lowered", case.name), lowered, inputs.clone()));
    }
    graphs.push((case.name.to_owned(), forward, inputs));
    graphs
}

/// `d(Σ seed · output)/d(input)` for the first float output and all float inputs; `None` where there is no such output.
fn gradient_of(forward: &Graph, inputs: &[Tensor]) -> Result<Option<(Graph, Vec<Tensor>)>, Error> {
    let mut graph = lower(&fold_constants(forward)?)?;
    let Some(index) = graph.outputs().iter().position(|wire| graph.element(*wire).is_float()) else {
        return Ok(None);
    };
    let output = graph.outputs()[index];
    let wanted: Vec<_> =
        graph.inputs().iter().copied().filter(|wire| graph.element(*wire).is_float()).collect();
    let values = evaluate(forward, inputs)?;
    let mut state = 3;
    let draw = |_| f64::from((uniform(&mut state) - 0.5) as f32);
    let weights = Tensor::f64(values[index].shape(), (0..values[index].len()).map(draw).collect());
    let ty = graph.type_of(output).clone();
    let seed = graph.add_input("seed", ty);
    let gradients = gradient(&mut graph, output, seed, &wanted)?;
    graph.set_outputs(&gradients);
    Ok(Some((graph, [inputs, &[weights]].concat())))
}
