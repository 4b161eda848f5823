//! Every op case and its gradient graph, on every runtime, against the reference evaluator.

use pellucid_graph::cases::{OpCase, op_cases, uniform};
use pellucid_graph::{Error, Graph, Runtime, Tensor, evaluate, gradient};

use super::{runtimes, say};

/// Relative to the largest element of the output. The cases sum at most some hundred products of numbers around 1,
/// each rounded to 2⁻²⁴ = 6e-8, and approximate functions (exp, erf, tanh) to a few units in the last place.
const TOLERANCE: f64 = 1e-5;

#[test]
fn op_cases_agree_with_the_evaluator() {
    let mut failures = Vec::new();
    for runtime in runtimes() {
        let name = runtime.fingerprint();
        let refusals_allowed = name.starts_with("rten");
        let mut n_refused = 0;
        for (what, graph, inputs) in op_cases().into_iter().flat_map(graphs_of) {
            match check(&*runtime, &graph, &inputs) {
                Ok(()) => {}
                Err(Fault::Refused(_)) if refusals_allowed => n_refused += 1,
                Err(Fault::Refused(reason) | Fault::Wrong(reason)) => {
                    failures.push(format!("{what} on {name}: {reason}"));
                }
            }
        }
        say(&format!("{name}: refused {n_refused}"));
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
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
    assert_eq!(actual.len(), expected.len());
    for (i, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        compare(actual, expected).map_err(|reason| Fault::Wrong(format!("output {i}: {reason}")))?;
    }
    Ok(())
}

pub(super) fn compare(actual: &Tensor, expected: &Tensor) -> Result<(), String> {
    if actual.shape() != expected.shape() {
        return Err(format!("shape {:?}, expected {:?}", actual.shape(), expected.shape()));
    }
    let (actual, expected) = (actual.to_f64s(), expected.to_f64s());
    let scale = expected.iter().filter(|x| x.is_finite()).fold(1e-3, |m: f64, x| m.max(x.abs()));
    let same =
        |(a, e): (&f64, &f64)| a == e || (a.is_nan() && e.is_nan()) || (a - e).abs() <= TOLERANCE * scale;
    match actual.iter().zip(&expected).all(same) {
        true => Ok(()),
        false => Err(format!("at scale {scale}:\n  got      {actual:?}\n  expected {expected:?}")),
    }
}

/// The forward graph of a case and, where its op is differentiable, the graph of all its gradients.
fn graphs_of(case: &OpCase) -> Vec<(String, Graph, Vec<Tensor>)> {
    let forward = case.parse();
    let inputs = case.inputs(&forward, 7);
    let mut graphs = Vec::new();
    if case.differentiable {
        let gradient = gradient_of(case, &forward, &inputs);
        graphs.extend(gradient.map(|(graph, inputs)| (format!("{}, gradient", case.name), graph, inputs)));
    }
    graphs.push((case.name.to_owned(), forward, inputs));
    graphs
}

/// `d(Σ seed · output)/d(input)` for the first float output and all float inputs.
fn gradient_of(case: &OpCase, forward: &Graph, inputs: &[Tensor]) -> Option<(Graph, Vec<Tensor>)> {
    let mut graph = forward.clone();
    let index = graph.outputs().iter().position(|wire| graph.element(*wire).is_float())?;
    let output = graph.outputs()[index];
    let wanted: Vec<_> =
        graph.inputs().iter().copied().filter(|wire| graph.element(*wire).is_float()).collect();
    let values = evaluate(forward, inputs).unwrap_or_else(|error| panic!("case {}: {error}", case.name));
    let mut state = 3;
    let draw = |_| f64::from((uniform(&mut state) - 0.5) as f32);
    let weights = Tensor::f64(values[index].shape(), (0..values[index].len()).map(draw).collect());
    let ty = graph.type_of(output).clone();
    let seed = graph.add_input("seed", ty);
    let gradients = gradient(&mut graph, output, seed, &wanted)
        .unwrap_or_else(|error| panic!("case {}: {error}", case.name));
    graph.set_outputs(&gradients);
    Some((graph, [inputs, &[weights]].concat()))
}
