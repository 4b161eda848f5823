//! One ONNX graph that returns prediction and attribution together, for any ONNX runtime.

use std::sync::Arc;

use pellucid_core::{Baseline, ImageValues, Model};
use pellucid_graph::passes::{canonize, embed};
use pellucid_graph::{Attribute, Dim, ElementType, Graph, Tensor, Type, Wire, gradient, guided, multipliers};

use crate::attention;
use crate::attention_maps::{Layers, Look, Reader};
use crate::attention_rollout;
use crate::attention_x_gradient;
use crate::cam::{self, map_wire};
use crate::deep_lift;
use crate::deep_shap;
use crate::error::Error;
use crate::integrated_gradients;
use crate::lift::{self, check_background};
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
    /// The mean of those over a fixed background.
    DeepShap(deep_shap::Options),
    /// A class activation map, enlarged to the image.
    Cam(cam::Options),
    /// The gradient with only positive signals passed on at ReLUs.
    GuidedBackprop,
    /// That times a Grad-CAM map.
    GuidedGradCam(cam::Options),
    /// The attention of one layer; of images enlarged.
    Attention(attention::Options),
    /// Attention followed through the layers, likewise.
    AttentionRollout(attention_rollout::Options),
    /// Attention that the target reacts to, likewise.
    AttentionXGradient(attention_x_gradient::Options),
}

/// Which output the compiled graph explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompiledTarget {
    /// Always this one.
    Index(usize),
    /// The highest one of each row.
    Predicted,
}

/// The most background rows that one graph compares a row with: it holds the activations of all of them at once.
const MAX_BACKGROUND: usize = 256;

/// A graph with the network's input, and the outputs `output` `[N, outputs]` and `attribution` `[N, features…]` (for class
/// activation maps and attention over an image `[N, height, width]`, for attention over tokens `[N, tokens]`).
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
        Method::DeepShap(options) => mean_lifted(&mut graph, network, seed, options)?,
        Method::Cam(options) => enlarged_map(&mut graph, network, seed, options)?,
        Method::GuidedBackprop => guided(&mut graph, output, seed, &[input])?[0],
        Method::GuidedGradCam(options) => {
            let map = enlarged_map(&mut graph, network, seed, options)?;
            let map = graph.unsqueeze(map, &[1 + options.channel_axis as i64]);
            let values = guided(&mut graph, output, seed, &[input])?[0];
            graph.mul(values, map)
        }
        Method::Attention(options) => attended(&mut graph, network, options.look, |graph, layers| {
            attention::map_wire(graph, layers, options)
        })?,
        Method::AttentionRollout(options) => attended(&mut graph, network, options.look, |graph, layers| {
            attention_rollout::map_wire(graph, layers, options)
        })?,
        Method::AttentionXGradient(options) => {
            attended(&mut graph, network, options.look, |graph, layers| {
                attention_x_gradient::map_wire(graph, layers, seed, options)
            })?
        }
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

/// [`compile`] for a network of vectors, [`TokenModel::network`](crate::TokenModel::network): the ids `[N, tokens]` are looked
/// up in `table` `[vocabulary, width]` first, and the attribution `[N, tokens]` is summed over each vector.
///
/// # Errors
/// As [`compile`].
pub(crate) fn compile_tokens(
    network: &Network,
    table: Arc<Tensor>,
    ids_name: &str,
    method: &Method,
    target: CompiledTarget,
) -> Result<Graph, Error> {
    let behind = compile(network, method, target)?;
    let names: Vec<String> = behind.outputs().iter().map(|wire| behind.name_of(*wire).to_owned()).collect();
    let n_tokens = network.input_shape()[0];
    let mut graph = Graph::new("explained");
    let shape = vec![Dim::Symbol { name: "N".into(), times: 1 }, Dim::Known(n_tokens)];
    let ids = graph.add_input(ids_name, Type { element: ElementType::I64, shape: Some(shape) });
    let table = graph.add_constant("embedding", table);
    let vectors = graph.node("Gather", &[table, ids], &[]);
    let outputs = embed(&mut graph, &behind, &[vectors])?;
    let mut by_token = outputs[1];
    if graph.rank(by_token) == Some(3) {
        graph.rename(by_token, "attribution_of_vectors");
        by_token = graph.reduce_sum(by_token, &[2], false);
    }
    graph.check_fault()?;
    graph.set_outputs(&[outputs[0], by_token]);
    for (wire, name) in [outputs[0], by_token].into_iter().zip(names) {
        graph.rename(wire, &name);
    }
    Ok(canonize(&graph)?)
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
    Ok(lift::lifted(graph, seed, baseline, options.rule)?.attribution)
}

/// The mean of DeepLIFT over the background: each row beside each of its rows as one batch, `[N, background, …]`.
fn mean_lifted(
    graph: &mut Graph,
    network: &Network,
    seed: Wire,
    options: &deep_shap::Options,
) -> Result<Wire, Error> {
    check_background(network, &options.background)?;
    let n = options.background.shape()[0];
    if n > MAX_BACKGROUND {
        let reason = format!(
            "a compiled graph compares a row with all {n} rows at once; give at most {MAX_BACKGROUND}"
        );
        return Err(Error::option("background", reason));
    }
    let shape: Vec<i64> = network.input_shape().iter().map(|&n| n as i64).collect();
    let flat = [&[-1], shape.as_slice()].concat();
    let apart = [&[-1, n as i64], shape.as_slice()].concat();
    let input = graph.inputs()[0];
    let element = graph.element(input);
    let lengths: Vec<usize> = [1].iter().chain(options.background.shape()).copied().collect();
    let background = Tensor::f32(&lengths, options.background.iter().copied().collect()).cast(element);
    let background = graph.add_constant("background", background);
    let wide = graph.unsqueeze(input, &[1]);
    // Adding zeros of the other's shape spreads both over rows × background.
    let (no_background, no_rows) = (graph.zeros_like(background), graph.zeros_like(wide));
    let (rows, baselines) = (graph.add(wide, no_background), graph.add(background, no_rows));
    let (rows, baselines) = (graph.reshape(rows, &flat), graph.reshape(baselines, &flat));
    let ones = Tensor::f64(&[1, n, 1], vec![1.0; n]).cast(graph.element(seed));
    let ones = graph.add_constant("ones", ones);
    let seed = graph.unsqueeze(seed, &[1]);
    let seed = graph.mul(seed, ones);
    let seed = graph.reshape(seed, &[-1, network.n_outputs() as i64]);
    let body = network.graph().clone();
    let output = embed(graph, &body, &[rows])?[0];
    let multipliers = multipliers(graph, output, seed, rows, baselines, options.rule)?.of_input;
    let difference = graph.sub(rows, baselines);
    let values = graph.mul(multipliers, difference);
    let values = graph.reshape(values, &apart);
    Ok(graph.reduce_mean(values, &[1], false))
}

/// What an attention method reads of the map that `map` emits, on the image where tokens are patches of one.
fn attended(
    graph: &mut Graph,
    network: &Network,
    look: Look,
    map: impl FnOnce(&mut Graph, &Layers) -> Result<Wire, Error>,
) -> Result<Wire, Error> {
    let reader = Reader::new(network, look)?;
    let read = reader.emit(graph, map)?;
    match reader.image() {
        None => Ok(read),
        Some(image) => enlarged(graph, read, &image),
    }
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
    let layer = cam::chosen(graph, options.layer.as_deref())?;
    let map = map_wire(graph, &layer, seed, options)?;
    let image = cam::image_shape(network.input_shape(), options.channel_axis, layer.grid.len())?;
    enlarged(graph, map, &image)
}

/// A map `[N, spatial…]` resized to the image in the graph, as [`cam::enlarged`] does.
fn enlarged(graph: &mut Graph, map: Wire, image: &[usize]) -> Result<Wire, Error> {
    let small: Option<Vec<usize>> =
        graph.shape(map).unwrap_or_default().iter().skip(1).map(Dim::known).collect();
    let small = small.ok_or_else(|| Error::network("the lengths of the map are unknown"))?;
    let map = graph.unsqueeze(map, &[1]);
    let scales = image.iter().zip(&small).map(|(large, small)| *large as f64 / *small as f64);
    let factors: Vec<f64> = [1.0, 1.0].into_iter().chain(scales).collect();
    let factors = graph.add_constant("scales", Tensor::f64(&[factors.len()], factors).cast(ElementType::F32));
    let attributes = [
        ("mode", Attribute::from("linear")),
        ("coordinate_transformation_mode", Attribute::from("half_pixel")),
    ];
    let large = graph.node_optional("Resize", &[Some(map), None, Some(factors)], &attributes, 1)[0];
    let fits = graph
        .shape(large)
        .is_some_and(|shape| shape[2..] == image.iter().map(|&n| Dim::Known(n)).collect::<Vec<_>>());
    if !fits {
        return Err(Error::network("the map does not enlarge to the image's size"));
    }
    Ok(graph.squeeze(large, &[1]))
}
