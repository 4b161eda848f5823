//! Linear models: coefficients → the network that they are.

use ndarray::ArrayView2;
use pellucid_explain::network::Ending;
use pellucid_graph::{Dim, ElementType, Graph, Tensor, Type, onnx};

use crate::error::Error;

/// The bytes of an ONNX file with the input `x` `[N, features]` and the output `output` `[N, outputs]`: `x · Wᵀ + b`,
/// behind `ending`. Along a path from a baseline such a network is affine, so that integrated gradients from the mean of
/// a background, at any one point, are the exact Shapley values `W (x − mean)`.
///
/// # Errors
/// Coefficients `[outputs, features]` and intercepts `[outputs]` that do not fit.
pub fn linear_network(
    coefficients: ArrayView2<'_, f64>,
    intercepts: &[f64],
    ending: Ending,
) -> Result<Vec<u8>, Error> {
    let (n_outputs, n_features) = coefficients.dim();
    if intercepts.len() != n_outputs {
        let reason = format!("{} of them for {n_outputs} outputs", intercepts.len());
        return Err(Error::request("intercepts", reason));
    }
    let mut graph = Graph::new("linear");
    let dims = vec![Dim::symbol("N"), Dim::Known(n_features)];
    let x = graph.add_input("x", Type::new(ElementType::F32, dims));
    let weights = coefficients.t().iter().map(|&weight| weight as f32).collect();
    let weights = graph.add_constant("weights", Tensor::f32(&[n_features, n_outputs], weights));
    let bias = intercepts.iter().map(|&intercept| intercept as f32).collect();
    let bias = graph.add_constant("bias", Tensor::f32(&[n_outputs], bias));
    let product = graph.node("MatMul", &[x, weights], &[]);
    let margin = graph.node("Add", &[product, bias], &[]);
    let output = match ending {
        Ending::Plain => margin,
        Ending::Sigmoid => graph.node("Sigmoid", &[margin], &[]),
        Ending::Softmax => graph.node("Softmax", &[margin], &[("axis", (-1i64).into())]),
    };
    graph.check_fault()?;
    graph.rename(output, "output");
    graph.set_outputs(&[output]);
    Ok(onnx::write_bytes(&graph)?)
}
