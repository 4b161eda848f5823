//! One ONNX graph that returns prediction and attribution together, for any ONNX runtime.

use pellucid_core::{Baseline, ImageValues, Model};
use pellucid_graph::passes::{canonize, embed};
use pellucid_graph::{Graph, Tensor, Wire, gradient};

use crate::cam::{self, map_wire};
use crate::deep_lift;
use crate::error::Error;
use crate::integrated_gradients;
use crate::lift::attribution_wire;
use crate::lrp;
use crate::network::Network;
use crate::seeds::{fixed_seed, top_seeds};

/// Which method the compiled graph computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// `|∂f/∂x|`, or with its sign.
    Saliency {
        /// Whether the sign is dropped.
        absolute: bool,
    },
    /// `x · ∂f/∂x`.
    InputXGradient,
    /// Fixed steps from a constant baseline.
    IntegratedGradients(integrated_gradients::Options),
    /// Layer-wise relevance propagation.
    Lrp(lrp::Options),
    /// Multipliers times the difference from a constant baseline.
    DeepLift(deep_lift::Options),
    /// A class activation map, enlarged to the image.
    Cam(cam::Options),
}

/// Which output the compiled graph explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompiledTarget {
    /// Always this one.
    Index(usize),
    /// The highest one of each row.
    Predicted,
}

/// A graph with the network's input, and the outputs `output` `[N, outputs]` and `attribution` `[N, features…]` (for class
/// activation maps `[N, height, width]`).
///
/// # Errors
/// A target out of range; a baseline that is not the same for every row; refinement to a tolerance, which is no single
/// graph; an op without a gradient rule.
pub fn compile(network: &Network, method: &Method, target: CompiledTarget) -> Result<Graph, Error> {
    let mut graph = network.graph().clone();
    let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
    let seed = seed(&mut graph, network, target)?;
    let attribution = match method {
        Method::Saliency { absolute } => {
            let g = gradient(&mut graph, output, seed, &[input])?[0];
            if *absolute { graph.abs(g) } else { g }
        }
        Method::InputXGradient => {
            let g = gradient(&mut graph, output, seed, &[input])?[0];
            graph.mul(input, g)
        }
        Method::IntegratedGradients(options) => integrated(&mut graph, network, seed, options)?,
        Method::Lrp(options) => lrp::at_input(&mut graph, seed, options, false)?.wanted[0],
        Method::DeepLift(options) => lifted(&mut graph, network, seed, options)?,
        Method::Cam(options) => enlarged_map(&mut graph, network, seed, options)?,
    };
    graph.check_fault()?;
    graph.rename(attribution, "attribution");
    graph.add_output(attribution);
    Ok(canonize(&graph)?)
}

fn seed(graph: &mut Graph, network: &Network, target: CompiledTarget) -> Result<Wire, Error> {
    let output = graph.outputs()[0];
    match target {
        CompiledTarget::Predicted => Ok(top_seeds(graph, output, network.n_outputs(), 1)[0]),
        CompiledTarget::Index(index) if index < network.n_outputs() => {
            Ok(fixed_seed(graph, output, network.n_outputs(), index))
        }
        CompiledTarget::Index(index) => {
            let last = network.n_outputs() - 1;
            Err(Error::option(
                "target",
                format!("output {index} is out of range; the model has outputs 0 to {last}"),
            ))
        }
    }
}

/// All points of the path as one batch: `[N, steps, …]`, folded into the batch axis.
fn integrated(
    graph: &mut Graph,
    network: &Network,
    seed: Wire,
    options: &integrated_gradients::Options,
) -> Result<Wire, Error> {
    if options.tolerance.is_some() {
        return Err(Error::option("tolerance", "refinement takes several runs; compile with n_steps"));
    }
    let points = options.rule.points(options.n_steps)?;
    let (n, n_outputs) = (points.len() as i64, network.n_outputs() as i64);
    let shape = network.input_shape();
    let input = graph.inputs()[0];
    let element = graph.element(input);
    let baseline = constant_baseline(network, &options.baseline, options.image.as_ref())?;
    let baseline = graph.add_constant("baseline", baseline.cast(element));
    let mut point_shape = vec![1, points.len()];
    point_shape.extend(shape.iter().map(|_| 1));
    let mut column = |name: &str, shape: &[usize], values: Vec<f64>| {
        graph.add_constant(name, Tensor::f64(shape, values).cast(element))
    };
    let positions = column("positions", &point_shape, points.iter().map(|p| p.0).collect());
    let weights = column("weights", &[1, points.len(), 1], points.iter().map(|p| p.1).collect());

    let mut flat_shape = vec![-1];
    flat_shape.extend(shape.iter().map(|&n| n as i64));
    let difference = graph.sub(input, baseline);
    let wide = graph.unsqueeze(difference, &[1]);
    let moved = graph.mul(wide, positions);
    let on_path = graph.add(moved, baseline);
    let on_path = graph.reshape(on_path, &flat_shape);
    let body = network.graph().clone();
    let output = embed(graph, &body, &[on_path])?[0];
    let seed = graph.unsqueeze(seed, &[1]);
    let seed = graph.mul(seed, weights);
    let seed = graph.reshape(seed, &[-1, n_outputs]);
    let g = gradient(graph, output, seed, &[on_path])?[0];
    let mut by_point = vec![-1, n];
    by_point.extend(&flat_shape[1..]);
    let g = graph.reshape(g, &by_point);
    let mean = graph.reduce_sum(g, &[1], false);
    Ok(graph.mul(mean, difference))
}

/// DeepLIFT from a baseline that is the same for every row.
fn lifted(
    graph: &mut Graph,
    network: &Network,
    seed: Wire,
    options: &deep_lift::Options,
) -> Result<Wire, Error> {
    let input = graph.inputs()[0];
    let row = constant_baseline(network, &options.baseline, options.image.as_ref())?;
    let row = graph.add_constant("baseline", row.cast(graph.element(input)));
    let baseline = graph.expand_like(row, input);
    attribution_wire(graph, seed, baseline, options.rule)
}

/// The baseline as a constant `[1, features…]`, where it does not depend on the row.
fn constant_baseline(
    network: &Network,
    baseline: &Baseline,
    image: Option<&ImageValues>,
) -> Result<Tensor, Error> {
    let constant = matches!(
        baseline,
        Baseline::Zeros | Baseline::Value(_) | Baseline::Array(_) | Baseline::Black | Baseline::White
    );
    if !constant {
        let reason = format!("{baseline} depends on the row; a compiled graph needs a constant one");
        return Err(Error::option("baseline", reason));
    }
    let mut shape = vec![1];
    shape.extend(network.input_shape());
    let row = ndarray::ArrayD::<f32>::zeros(network.input_shape());
    // A constant baseline draws nothing.
    let baseline = baseline.of_row(row.view(), image, 0)?;
    Ok(Tensor::f32(&shape, baseline.iter().copied().collect()))
}

/// The map resized to the image in the graph.
fn enlarged_map(
    graph: &mut Graph,
    network: &Network,
    seed: Wire,
    options: &cam::Options,
) -> Result<Wire, Error> {
    if !options.variant.is_one_graph() {
        return Err(Error::option("method", "takes many runs of the model and is no single graph"));
    }
    let layer = match &options.layer {
        Some(name) => graph.wire(name)?,
        None => cam::find_layer(graph).ok_or_else(|| Error::option("layer", "none found; name a wire"))?,
    };
    let map = map_wire(graph, layer, seed, options)?;
    let image = cam::image_shape(
        network.input_shape(),
        options.channel_axis,
        cam::spatial_shape(graph, layer)?.len(),
    )?;
    let map = graph.unsqueeze(map, &[1]);
    let large = cam::enlarged_wire(graph, map, &image)?;
    Ok(graph.squeeze(large, &[1]))
}
