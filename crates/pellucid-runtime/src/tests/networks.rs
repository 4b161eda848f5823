//! Real networks and their gradients, on every runtime, against the reference evaluator.

use std::path::Path;

use pellucid_graph::cases::uniform;
use pellucid_graph::passes::{canonize, pin_shapes};
use pellucid_graph::{Graph, Runtime, Tensor, evaluate, gradient, onnx};

use super::{runtimes, say};

/// Relative L2 distance of outputs.
const FORWARD_TOLERANCE: f64 = 1e-5;
/// Relative L2 distance of gradients: what the project promises. No gate of these rows flips on rounding.
const GRADIENT_TOLERANCE: f64 = 1e-4;
const N_ROWS: usize = 2;

#[test]
fn networks_and_their_gradients_agree_with_the_evaluator() {
    for name in ["vit_tiny_mnist"] {
        let (graph, inputs) = with_gradient(name);
        let expected = evaluate(&graph, &inputs).unwrap();
        for runtime in runtimes() {
            check(&*runtime, name, &graph, &inputs, &expected);
        }
    }
}

fn check(runtime: &dyn Runtime, name: &str, graph: &Graph, inputs: &[Tensor], expected: &[Tensor]) {
    let actual = runtime.session(graph).unwrap().run(inputs).unwrap();
    let distances: Vec<f64> = actual.iter().zip(expected).map(|(a, e)| relative_distance(a, e)).collect();
    say(&format!(
        "{name} on {}: output {:.1e}, gradient {:.1e}",
        runtime.fingerprint(),
        distances[0],
        distances[1]
    ));
    assert!(distances[0] <= FORWARD_TOLERANCE && distances[1] <= GRADIENT_TOLERANCE, "{name}: {distances:?}");
}

fn relative_distance(actual: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(actual.shape(), expected.shape());
    let (actual, expected) = (actual.to_f64s(), expected.to_f64s());
    let squares: f64 = actual.iter().zip(&expected).map(|(a, e)| (a - e) * (a - e)).sum();
    (squares / expected.iter().map(|e| e * e).sum::<f64>()).sqrt()
}

/// The logits of a fixture and the gradient of logit 3 of each row, with random rows.
fn with_gradient(name: &str) -> (Graph, Vec<Tensor>) {
    let path = format!("{}/../../fixtures/models/{name}.onnx", env!("CARGO_MANIFEST_DIR"));
    let file = onnx::read(Path::new(&path)).unwrap().graph;
    let row = [None, Some(1), Some(28), Some(28)];
    let mut graph = canonize(&pin_shapes(&file, &[row.to_vec()]).unwrap()).unwrap();
    let (input, logits) = (graph.inputs()[0], graph.outputs()[0]);
    let ty = graph.type_of(logits).clone();
    let seed = graph.add_input("seed", ty);
    let gradients = gradient(&mut graph, logits, seed, &[input]).unwrap();
    graph.set_outputs(&[logits, gradients[0]]);

    let mut state = 9;
    let pixels = (0..N_ROWS * 784).map(|_| f64::from((2.0 * uniform(&mut state) - 0.5) as f32)).collect();
    let seed = (0..N_ROWS * 10).map(|i| if i % 10 == 3 { 1.0 } else { 0.0 }).collect();
    (graph, vec![Tensor::f64(&[N_ROWS, 1, 28, 28], pixels), Tensor::f64(&[N_ROWS, 10], seed)])
}
