//! A network that ends in how alike its outputs are to a vector.

use pellucid_core::Similarity;
use pellucid_graph::{ElementType, Graph, Tensor};

use crate::error::Error;

/// Guards the length of an embedding that is 0, which has no direction (the square of PyTorch's 1e-8).
const SQUARE_EPSILON: f64 = 1e-16;

/// Refuses a vector that outputs cannot be compared with.
pub(crate) fn check(to: &[f32], n_outputs: usize) -> Result<(), Error> {
    let fault = |reason: String| Err(Error::option("target", reason));
    if to.len() != n_outputs {
        return fault(format!("the reference has {} numbers, the model {n_outputs} outputs", to.len()));
    }
    if to.iter().any(|x| !x.is_finite()) {
        return fault("the reference holds a number that is none".to_owned());
    }
    match to.iter().all(|&x| x == 0.0) {
        true => fault("the reference is 0 and has no direction".to_owned()),
        false => Ok(()),
    }
}

/// The graph with the output `[N, 1]`: `y · v`, for the cosine `y · v / (|y| |v|)`.
pub(crate) fn ended(graph: &Graph, to: &[f32], measure: Similarity) -> Result<Graph, Error> {
    let mut graph = graph.clone();
    let output = graph.outputs()[0];
    let length = to.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let scale = if measure == Similarity::Cosine { 1.0 / length } else { 1.0 };
    let element = match graph.element(output) {
        ElementType::Unknown => ElementType::F32,
        element => element,
    };
    let column = Tensor::f64(&[to.len(), 1], to.iter().map(|&x| f64::from(x) * scale).collect());
    let column = graph.add_constant("reference", column.cast(element));
    let product = graph.matmul(output, column);
    let similarity = match measure {
        Similarity::Dot => product,
        Similarity::Cosine => {
            let squares = graph.mul(output, output);
            let sum = graph.reduce_sum(squares, &[1], true);
            let guarded = graph.add_scalar(sum, SQUARE_EPSILON);
            let length = graph.sqrt(guarded);
            graph.div(product, length)
        }
    };
    graph.check_fault()?;
    graph.set_outputs(&[similarity]);
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::{ArrayD, array};
    use pellucid_core::{Target, Work};
    use pellucid_graph::{Reference, text::parse};

    use super::*;
    use crate::deep_lift::{self, deep_lift};
    use crate::integrated_gradients::{self, integrated_gradients};
    use crate::lrp::{self, Composite, lrp};
    use crate::saliency::{self, saliency};
    use crate::{Network, network};

    const TO: [f32; 3] = [0.5, -1.0, 2.0];

    fn embedding() -> Network {
        let graph = parse(
            "f (float[N,2] x) => (float[N,3] y)
             <float[2,3] w = {1, -2, 0.5, 0.7, 1, -1}, float[3] b = {0.3, 0.1, -0.2}>
             { h = MatMul(x, w) i = Add(h, b) y = Tanh(i) }",
        );
        let graph = graph.expect("the text is a graph");
        Network::new(&graph, Arc::new(Reference), &network::Options::default()).expect("a network")
    }

    /// The formula, from the outputs.
    fn by_hand(rows: &ArrayD<f32>, measure: Similarity) -> Vec<f64> {
        let outputs = embedding().outputs(rows, &Work::default()).expect("runs");
        let of_row = |y: ndarray::ArrayView1<'_, f64>| {
            let product: f64 = y.iter().zip(TO).map(|(y, v)| y * f64::from(v)).sum();
            let length = |x: f64| x.sqrt();
            match measure {
                Similarity::Dot => product,
                Similarity::Cosine => product / length(y.iter().map(|y| y * y).sum()) / length(5.25),
            }
        };
        outputs.rows().into_iter().map(of_row).collect()
    }

    #[test]
    fn methods_explain_how_alike_an_embedding_is() {
        let x = array![[0.4f32, -0.9], [1.2, 0.3]].into_dyn();
        let (target, work) = (Target::Index(0), Work::default());
        for (_, measure) in Similarity::NAMES {
            let network = embedding().compared(&TO, measure).expect("compared");
            let outputs = by_hand(&x, measure);
            let options = saliency::Options { absolute: false };
            let slopes = saliency(&network, &x, &target, &options, &work).expect("runs");
            for row in 0..2 {
                assert!((slopes.outputs[[row, 0]] - outputs[row]).abs() < 1e-6);
                for feature in 0..2 {
                    let at = |step: f32| {
                        let mut moved = x.clone();
                        moved[[row, feature]] += step;
                        by_hand(&moved, measure)[row]
                    };
                    let expected = (at(1e-3) - at(-1e-3)) / 2e-3;
                    assert!((slopes.values[[row, 0, feature]] - expected).abs() < 1e-4, "{measure:?}");
                }
            }
            let complete = |attribution: pellucid_core::Attribution, bound: f64| {
                let deltas = attribution.convergence_delta.expect("promised");
                assert!(deltas.iter().all(|delta| delta.abs() < bound), "{measure:?}: {deltas}");
            };
            let options = integrated_gradients::Options::default();
            complete(integrated_gradients(&network, &x, &target, &options, &work).expect("runs"), 1e-4);
            complete(
                deep_lift(&network, &x, &target, &deep_lift::Options::default(), &work).expect("runs"),
                1e-5,
            );
        }
        let composite = Composite::named("epsilon", &lrp::Settings::default()).expect("a composite");
        let network = embedding().compared(&TO, Similarity::Dot).expect("compared");
        let relevance = lrp(&network, &x, &target, &lrp::Options { composite }, &work).expect("runs");
        let deltas = relevance.convergence_delta.expect("known");
        assert!(deltas.iter().all(|delta| delta.abs() < 1e-4), "{deltas}");
    }

    #[test]
    fn what_has_no_direction_is_refused() {
        let refused = |to: &[f32], part: &str| {
            let error = embedding().compared(to, Similarity::Cosine).err().expect("refused").to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(&[1.0, 2.0], "2 numbers, the model 3 outputs");
        refused(&[0.0, 0.0, 0.0], "no direction");
        refused(&[1.0, f32::NAN, 0.0], "number that is none");
    }
}
