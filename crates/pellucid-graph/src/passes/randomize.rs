//! Redraws what a model learned, layer by layer: the ground of the model parameter randomization test (Adebayo et al.
//! 2018, *Sanity Checks for Saliency Maps*).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::passes::rebuild::Rebuild;
use crate::tensor::{ElementType, Tensor};

/// A node with learned parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterLayer {
    /// The name of its output wire, by which [`randomize`] and target layers know it.
    pub name: String,
    /// Its op.
    pub op: String,
    /// The initializers that hold its parameters. One that several layers share (a tied embedding) is named by each.
    pub parameters: Vec<String>,
    /// The number of elements in them.
    pub n_parameters: usize,
}

/// The layers with parameters that the outputs depend on, from the output to the input (the last in running order
/// first).
///
/// Parameters are the constant weights and biases of `Conv`, `ConvTranspose`, `Gemm`, `MatMul` (with the `Add` of a
/// vector right behind it), recurrent ops, scales and biases of normalizations (not BatchNormalization's running moments,
/// which are measured), slopes of `PRelu`, and embedding tables behind `Gather`; also through `Cast`, `Transpose` and the
/// like. Other constants of elementwise ops may be masks or preprocessing and are no parameters.
pub fn parameter_layers(graph: &Graph) -> Vec<ParameterLayer> {
    let needed = graph.ancestors(graph.outputs());
    let alive = |node: &&Node| node.outputs.iter().flatten().any(|wire| needed.contains(wire));
    let biases = biases_behind(graph);
    graph
        .nodes()
        .iter()
        .rev()
        .filter(alive)
        .filter_map(|node| parameter_layer(graph, node, &biases))
        .collect()
}

/// The graph with the parameters of `layers` (by [`ParameterLayer::name`]) drawn anew: normal numbers with the mean and
/// the deviation of the initializer they replace, so that activations keep their order of magnitude and only what was
/// learned is lost. (Permuting the elements would keep the whole distribution, but leaves equal ones as they are.) An
/// initializer without spread, such as a bias of zeros, stays as it is.
///
/// The draws depend on `seed` and on the initializer's name alone, not on what else is redrawn: each stage of a cascade
/// keeps what the stage before drew. All nodes that share a redrawn initializer see it. Redraw the graph as it came
/// from its file, and canonize afterwards: folding merges initializers and renames them.
///
/// # Errors
/// [`Error::NoParameters`] for a layer that is none; [`Error::Node`] for parameters that are quantized or not finite.
pub fn randomize(graph: &Graph, layers: &[impl AsRef<str>], seed: u64) -> Result<Graph, Error> {
    let known: BTreeMap<String, ParameterLayer> =
        parameter_layers(graph).into_iter().map(|layer| (layer.name.clone(), layer)).collect();
    let mut redrawn = BTreeSet::new();
    for layer in layers {
        let layer = known.get(layer.as_ref()).ok_or_else(|| no_parameters(layer.as_ref(), &known))?;
        for parameter in &layer.parameters {
            check_redrawable(graph, layer, parameter)?;
            redrawn.insert(parameter.as_str());
        }
    }
    with_constants(graph, |name, tensor| {
        if redrawn.contains(name) { Arc::new(redraw(tensor, name, seed)) } else { tensor.clone() }
    })
}

/// A copy of the graph with each constant as `replace` gives it.
fn with_constants(
    graph: &Graph,
    replace: impl Fn(&str, &Arc<Tensor>) -> Arc<Tensor>,
) -> Result<Graph, Error> {
    let mut new = Rebuild::of(graph);
    for wire in graph.inputs() {
        let input = new.add_input(graph.name_of(*wire), graph.type_of(*wire).clone());
        new.stand_for(*wire, input);
    }
    for wire in graph.wires() {
        if let Some(tensor) = graph.constant(wire) {
            let constant = new.add_constant(graph.name_of(wire), replace(graph.name_of(wire), tensor));
            new.stand_for(wire, constant);
        }
    }
    for node in graph.nodes() {
        new.copy_node(graph, node);
    }
    new.finish(graph)
}

/// Normal numbers with the mean and deviation of `tensor`, in its type.
fn redraw(tensor: &Tensor, name: &str, seed: u64) -> Tensor {
    let mut generator = generator(name, seed);
    let (mean, deviation) = moments(&tensor.to_f64s());
    let mut draw = || -> f64 {
        let z: f64 = StandardNormal.sample(&mut generator);
        mean + deviation * z
    };
    let elements = (0..tensor.len()).map(|_| draw()).collect();
    Tensor::f64(tensor.shape(), elements).cast(tensor.element())
}

/// ChaCha8 under a key of seed and name: equal on every machine, whatever else is drawn.
fn generator(name: &str, seed: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(b"randomize");
    hash.update(seed.to_le_bytes());
    hash.update(name.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

fn check_redrawable(graph: &Graph, layer: &ParameterLayer, parameter: &str) -> Result<(), Error> {
    let fault = |reason: String| {
        let (op, node) = (layer.op.clone(), layer.name.clone());
        Err(Error::Node { op, node, reason })
    };
    let Some(tensor) = graph.constant(graph.wire(parameter)?) else { return Ok(()) };
    if !tensor.element().is_float() {
        let element = tensor.element();
        return fault(format!(
            "`{parameter}` is quantized ({element:?}) and cannot be redrawn; take the float model"
        ));
    }
    match tensor.to_f64s().iter().find(|x| !x.is_finite()) {
        Some(x) => fault(format!("`{parameter}` holds {x} and cannot be redrawn")),
        None => Ok(()),
    }
}

fn no_parameters(layer: &str, known: &BTreeMap<String, ParameterLayer>) -> Error {
    let names: Vec<&str> = known.keys().map(String::as_str).take(8).collect();
    let hint = match names.as_slice() {
        [] => "no layer of the graph has any".to_owned(),
        names => format!("{} layers have, such as {}", known.len(), names.join(", ")),
    };
    Error::NoParameters { layer: layer.to_owned(), hint }
}

fn parameter_layer(graph: &Graph, node: &Node, biases: &BTreeMap<Wire, Wire>) -> Option<ParameterLayer> {
    let name = node.outputs.iter().copied().flatten().next()?;
    let inputs = parameter_inputs(node).iter().filter_map(|&i| node.inputs.get(i).copied().flatten());
    let mut parameters: Vec<Wire> = inputs.filter_map(|wire| initializer(graph, wire)).collect();
    if node.op == "Gather" {
        // A table of embeddings has an axis of features; vectors that are gathered from are shapes and indices.
        parameters.retain(|wire| graph.rank(*wire).is_some_and(|rank| rank >= 2));
    }
    if node.op == "MatMul" && !parameters.is_empty() {
        parameters.extend(biases.get(&name));
    }
    let size = |wire: &Wire| graph.constant(*wire).map_or(0, |tensor| tensor.len());
    let n_parameters = parameters.iter().map(size).sum();
    (n_parameters > 0).then(|| ParameterLayer {
        name: graph.name_of(name).to_owned(),
        op: node.full_op(),
        parameters: parameters.iter().map(|wire| graph.name_of(*wire).to_owned()).collect(),
        n_parameters,
    })
}

/// Which inputs of an op hold parameters, where they are constant.
fn parameter_inputs(node: &Node) -> &'static [usize] {
    match (node.domain.as_str(), node.op.as_str()) {
        ("", "MatMul") => &[0, 1],
        ("", "Conv" | "ConvTranspose" | "Gemm") => &[1, 2],
        (
            "",
            "BatchNormalization" | "InstanceNormalization" | "GroupNormalization" | "LayerNormalization",
        ) => &[1, 2],
        ("", "LSTM" | "GRU" | "RNN") => &[1, 2, 3],
        ("", "PRelu") => &[1],
        ("", "Gather") => &[0],
        _ => &[],
    }
}

/// The constant that a float wire comes from, itself or through ops that only carry it.
fn initializer(graph: &Graph, wire: Wire) -> Option<Wire> {
    let element = graph.element(wire);
    let mut at = (element.is_float() || element == ElementType::Unknown).then_some(wire)?;
    while graph.constant(at).is_none() {
        let producer = graph.producer(at)?;
        let carries = matches!(
            producer.op.as_str(),
            "Identity" | "Cast" | "Transpose" | "Reshape" | "Squeeze" | "Unsqueeze" | "DequantizeLinear"
        );
        at = producer.inputs.first().copied().flatten().filter(|_| carries)?;
    }
    Some(at)
}

/// Wires to which an `Add` adds a constant vector and which nothing else reads: what exporters make of a linear layer's
/// bias. Wire → initializer.
fn biases_behind(graph: &Graph) -> BTreeMap<Wire, Wire> {
    let consumers = graph.consumers();
    let alone = |wire: &Wire| consumers.get(wire).is_some_and(|readers| readers.len() == 1);
    let mut biases = BTreeMap::new();
    for node in graph.nodes().iter().filter(|node| node.op == "Add" && node.domain.is_empty()) {
        let [Some(a), Some(b)] = node.inputs[..] else { continue };
        for (sum, addend) in [(a, b), (b, a)] {
            let bias = initializer(graph, addend).filter(|wire| graph.rank(*wire) == Some(1));
            biases.extend(bias.filter(|_| alone(&sum)).map(|bias| (sum, bias)));
        }
    }
    biases
}

#[cfg(test)]
mod tests;
