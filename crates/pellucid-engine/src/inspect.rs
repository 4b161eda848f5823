//! Model file → what is in it, and what of it can be explained.

pub(crate) mod flops;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pellucid_explain::{Network, cam};
use pellucid_graph::{Graph, Node, Runtime, Wire, has_rule, onnx, passes, shape_text, text};

use crate::error::Error;
use crate::input::hex;
use crate::model::{LoadedModel, ModelOptions, network_options, read, stem};

/// What is in a model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The file's name without folder and ending.
    pub name: String,
    /// SHA-256 of the file (and its external data), in hexadecimal.
    pub digest: String,
    /// The tool that wrote it, with its version.
    pub producer: String,
    /// The version of the file format.
    pub ir_version: i64,
    /// The opset version of each domain; the default domain is `ai.onnx`.
    pub opsets: BTreeMap<String, i64>,
    /// What a run is given.
    pub inputs: Vec<WireInfo>,
    /// What a run gives.
    pub outputs: Vec<WireInfo>,
    /// The ops, most frequent first.
    pub ops: Vec<OpInfo>,
    /// Floating-point numbers among the constants.
    pub n_parameters: usize,
    /// Operations for one row, a multiply-add counted as two.
    pub flops: Flops,
    /// The feature maps that class activation maps can be taken at, the default first.
    pub cam_layers: Vec<WireInfo>,
    /// Why the model cannot be explained by gradients, where it cannot.
    pub obstacles: Vec<String>,
    /// What was read otherwise than the file says.
    pub warnings: Vec<String>,
    /// The graph in ONNX's textual syntax.
    pub text: String,
}

/// A wire with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct WireInfo {
    /// Its name.
    pub name: String,
    /// The type of its elements: `F32`.
    pub element: String,
    /// Its lengths: `[N, 3, 224, 224]`.
    pub shape: String,
}

/// How often an op occurs and what can be done with it.
#[derive(Clone, Debug, PartialEq)]
pub struct OpInfo {
    /// The op, with its domain if it is not the default one.
    pub op: String,
    /// Its nodes.
    pub count: usize,
    /// How a gradient passes it.
    pub gradient: GradientSupport,
}

/// How a gradient passes an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradientSupport {
    /// The table has a rule.
    Rule,
    /// It is written as other ops first, or folded.
    Lowered,
    /// There is none: harmless where no gradient has to pass, as on lengths and indices.
    None,
}

impl GradientSupport {
    /// The name on the wire: `rule`, `lowered`, `none`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Lowered => "lowered",
            Self::None => "none",
        }
    }
}

/// Floating-point operations in convolutions and matrix products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flops {
    /// Of the nodes whose lengths are known.
    pub known: u64,
    /// Convolutions and matrix products whose lengths are open.
    pub n_unknown_nodes: usize,
}

/// Looks into a model file. `runtime` is asked whether a fixed batch can be opened.
///
/// # Errors
/// A file that cannot be read. A model that cannot be explained is no error but an obstacle.
pub fn inspect(path: &Path, runtime: Arc<dyn Runtime>, options: &ModelOptions) -> Result<Inspection, Error> {
    let file = read(path)?;
    let of_network = network_options(&file.graph, options)?;
    let network = Network::new(&file.graph, runtime, &of_network);
    Ok(inspection(&stem(path), &file, network.as_ref()))
}

impl LoadedModel {
    /// Looks into the model.
    pub fn inspect(&self) -> Inspection {
        inspection(self.name(), self.file(), Ok(self.network()))
    }
}

fn inspection(
    name: &str,
    file: &onnx::Model,
    network: Result<&Network, &pellucid_explain::Error>,
) -> Inspection {
    let graph = &file.graph;
    let mut warnings = file.warnings.clone();
    let (obstacles, cam_layers, flops) = match network {
        Err(error) => (vec![error.to_string()], Vec::new(), flops::count(graph)),
        Ok(network) => {
            warnings.extend_from_slice(network.warnings());
            let layers = cam::candidate_layers(network.graph());
            let layers = layers.into_iter().map(|wire| wire_info(network.graph(), wire)).collect();
            (obstacles(network.graph()), layers, flops::count(network.graph()))
        }
    };
    Inspection {
        name: name.to_owned(),
        digest: hex(&file.digest),
        producer: format!("{} {}", file.producer_name, file.producer_version).trim().to_owned(),
        ir_version: file.ir_version,
        opsets: file.opsets.iter().map(|(domain, version)| (full_domain(domain), *version)).collect(),
        inputs: graph.inputs().iter().map(|wire| wire_info(graph, *wire)).collect(),
        outputs: graph.outputs().iter().map(|wire| wire_info(graph, *wire)).collect(),
        ops: ops(graph),
        n_parameters: n_parameters(graph),
        flops,
        cam_layers,
        obstacles,
        warnings,
        text: text::print(graph),
    }
}

fn full_domain(domain: &str) -> String {
    if domain.is_empty() { "ai.onnx".to_owned() } else { domain.to_owned() }
}

fn wire_info(graph: &Graph, wire: Wire) -> WireInfo {
    WireInfo {
        name: graph.name_of(wire).to_owned(),
        element: format!("{:?}", graph.element(wire)),
        shape: graph.shape(wire).map_or_else(|| "unknown".to_owned(), shape_text),
    }
}

fn ops(graph: &Graph) -> Vec<OpInfo> {
    let mut counts: BTreeMap<String, (usize, GradientSupport)> = BTreeMap::new();
    for node in graph.nodes() {
        counts.entry(node.full_op()).or_insert((0, support(node))).0 += 1;
    }
    let mut ops: Vec<OpInfo> =
        counts.into_iter().map(|(op, (count, gradient))| OpInfo { op, count, gradient }).collect();
    ops.sort_by(|a, b| b.count.cmp(&a.count).then(a.op.cmp(&b.op)));
    ops
}

fn support(node: &Node) -> GradientSupport {
    match node.domain.is_empty() {
        true if has_rule(&node.op) => GradientSupport::Rule,
        _ if passes::is_lowered(&node.domain, &node.op) => GradientSupport::Lowered,
        _ => GradientSupport::None,
    }
}

/// Nodes between input and output, after all rewriting, that no gradient passes.
fn obstacles(graph: &Graph) -> Vec<String> {
    let (behind, before) = (graph.descendants(graph.inputs()), graph.ancestors(graph.outputs()));
    let on_the_way =
        |wire: &Wire| behind.contains(wire) && before.contains(wire) && graph.element(*wire).is_float();
    let stops = |node: &&Node| {
        support(node) != GradientSupport::Rule
            && node.outputs.iter().flatten().any(on_the_way)
            && node.inputs.iter().flatten().any(on_the_way)
    };
    let named = |node: &Node| format!("no gradient rule for op `{}` at node `{}`", node.full_op(), node.name);
    graph.nodes().iter().filter(stops).map(named).collect()
}

fn n_parameters(graph: &Graph) -> usize {
    let read = graph.consumers();
    let constants = graph.wires().filter(|wire| read.contains_key(wire) && graph.element(*wire).is_float());
    constants.filter_map(|wire| graph.constant(wire)).map(|tensor| tensor.len()).sum()
}

#[cfg(test)]
mod tests;
