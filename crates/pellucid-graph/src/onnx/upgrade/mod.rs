//! Any opset from 7 on → the canonical meaning, op by op, as nodes are added.
//!
//! The canonical meaning of an op is its newest one, written as in opset 18 wherever that can say it: operands are
//! inputs where 18 has inputs, `Softmax` has one axis, `GroupNormalization` has a scale for each channel (21),
//! `GridSample` and `DFT` are those of 20. Which opset a graph needs to be written in, `onnx/opset.rs` says.

mod operands;
mod renamed;
mod resize;
mod softmax;
mod training;
mod versions;

pub(super) use versions::{first_opset, ops};

use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::tensor::Tensor;
use versions::{NEWEST, OLDEST};

/// The newest version of `ai.onnx.ml` that was gone through.
const NEWEST_ML: i64 = 5;

/// A node on its way into a graph.
struct Step<'a> {
    graph: &'a mut Graph,
    node: Node,
    names: &'a [Option<&'a str>],
    version: i64,
}

/// The wires of a node's outputs.
type Outputs = Result<Vec<Option<Wire>>, Error>;

/// Adds a node in the canonical meaning.
type Rule = fn(Step<'_>) -> Outputs;

/// Adds a node of opset `version` of its domain in the canonical meaning. `names` has one entry an output.
///
/// # Errors
/// [`Error::Unsupported`] for versions that are too old or too new, and for what has no canonical form: training,
/// sequences.
pub(super) fn add(graph: &mut Graph, node: Node, names: &[Option<&str>], version: i64) -> Outputs {
    check_version(&node, version)?;
    let rule = rule(&node.domain, &node.op);
    let step = Step { graph, node, names, version };
    match rule {
        Some(rule) => rule(step),
        None => step.keep(),
    }
}

fn check_version(node: &Node, version: i64) -> Result<(), Error> {
    let (oldest, newest) = match node.domain.as_str() {
        "" => (OLDEST, NEWEST),
        "ai.onnx.ml" => (1, NEWEST_ML),
        _ => return Ok(()),
    };
    let advice = match version {
        _ if version > newest => format!("newer than {newest}, the newest known: export with an older opset"),
        _ if version < oldest => format!("older than {oldest}: export again, or use onnx.version_converter"),
        _ => return Ok(()),
    };
    let domain = if node.domain.is_empty() { "" } else { " of ai.onnx.ml" };
    Err(Error::Unsupported { reason: format!("opset {version}{domain} is {advice}") })
}

fn rule(domain: &str, op: &str) -> Option<Rule> {
    if domain == "ai.onnx.ml" {
        return (op == "LabelEncoder").then_some(renamed::label_encoder);
    }
    if !domain.is_empty() {
        return None;
    }
    Some(match op {
        "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2"
        | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceSumSquare" => |step| operands::axes_since(step, 18),
        "ReduceSum" | "Squeeze" | "Unsqueeze" => |step| operands::axes_since(step, 13),
        "Split" => operands::split,
        "Clip" => operands::clip,
        "Pad" => operands::pad,
        "Slice" => operands::slice,
        "TopK" => operands::top_k,
        "DFT" => operands::dft,
        "Softmax" | "LogSoftmax" | "Hardmax" => softmax::one_axis,
        "Upsample" => resize::upsample,
        "Resize" => resize::resize,
        "BatchNormalization" => training::batch_normalization,
        "Dropout" => training::dropout,
        "GroupNormalization" => renamed::group_normalization,
        "Cast" | "CastLike" => renamed::cast,
        "RoiAlign" => renamed::roi_align,
        "GridSample" => renamed::grid_sample,
        "Scatter" => renamed::scatter,
        "Scan" => renamed::scan,
        _ if is_of_sequences(op) => {
            |step| Err(step.unsupported("sequences and optional values are not supported"))
        }
        _ => return None,
    })
}

fn is_of_sequences(op: &str) -> bool {
    op.starts_with("Sequence")
        || op.starts_with("Optional")
        || matches!(op, "ConcatFromSequence" | "SplitToSequence" | "StringSplit" | "ImageDecoder")
}

impl Step<'_> {
    /// Adds the node as it stands.
    fn keep(self) -> Outputs {
        Ok(self.graph.add_node(self.node, self.names))
    }

    /// The wire of input `i`, `None` where it is left out.
    fn input(&self, i: usize) -> Option<Wire> {
        self.node.inputs.get(i).copied().flatten()
    }

    /// The wire of input `i`.
    fn required(&self, i: usize) -> Result<Wire, Error> {
        self.input(i).ok_or_else(|| self.node.fault(format!("input {i} is missing")))
    }

    /// Makes a wire an input.
    fn set_input(&mut self, index: usize, wire: Wire) {
        if self.node.inputs.len() <= index {
            self.node.inputs.resize(index + 1, None);
        }
        self.node.inputs[index] = Some(wire);
    }

    /// Makes a constant an input.
    fn set_constant(&mut self, index: usize, name: &str, tensor: Tensor) {
        let wire = self.graph.add_constant(&format!("{}/{name}", self.node.name), tensor);
        self.set_input(index, wire);
    }

    /// Whether the op has this output, which somebody may read.
    fn has_output(&self, index: usize) -> bool {
        self.names.get(index).is_some_and(Option::is_some)
    }

    /// A refusal that names the node.
    fn unsupported(&self, reason: &str) -> Error {
        Error::Unsupported {
            reason: format!("{} at node `{}`: {reason}", self.node.full_op(), self.node.name),
        }
    }
}
