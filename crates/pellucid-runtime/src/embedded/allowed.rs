//! What rten may run. Version 0.27 computes some things differently without saying so, so that a graph passes only
//! where each node is in this table and meets what stands beside its op. Each row was read against rten's source, and
//! a test runs every op case on rten and on the reference evaluator: either refused here, or equal.

use pellucid_graph::{ElementType, Error, Graph, Node, Wire};

use crate::onnxruntime::HOW_TO_GET_IT;
use crate::options::runtime_error;

use Demand::*;

/// What a node must meet.
enum Demand {
    /// Inputs have elements of one of these kinds; left-out inputs pass.
    Inputs(&'static [Kind]),
    /// The input of this index has elements of this kind.
    Input(usize, Kind),
    /// The input of this index is left out.
    Without(usize),
    /// Input 0 has so many axes, from and to.
    Axes(usize, usize),
    /// The attribute is left out.
    No(&'static str),
    /// Only the first output is used.
    OneOutput,
    /// The attribute is left out or one of these.
    Text(&'static str, &'static [&'static str]),
    /// The attribute is left out or this.
    Int(&'static str, i64),
    /// The attribute is left out or all ones.
    Ones(&'static str),
    /// Something of its own.
    Own(fn(&Graph, &Node) -> Result<(), String>),
}

/// Element types that rten holds apart: it has `i32` for all integers and booleans.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Float,
    Int,
    Bool,
}

type Row = (&'static [&'static str], &'static [Demand]);

const FLOATS: Demand = Inputs(&[Kind::Float]);
const NUMBERS: Demand = Inputs(&[Kind::Float, Kind::Int]);
/// rten takes SAME_LOWER for SAME_UPPER.
const PADDING: Demand = Text("auto_pad", &["NOTSET", "VALID", "SAME_UPPER"]);
/// The batch, the channels, and one or two spatial axes.
const ONE_OR_TWO_SPATIAL_AXES: Demand = Axes(3, 4);

#[rustfmt::skip]
static ALLOWED: &[Row] = &[
    // Element by element.
    (&["Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor", "Gelu",
       "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "PRelu", "Reciprocal", "Relu", "Round", "Sigmoid", "Sin", "Sinh",
       "Softsign", "Sqrt", "Tan", "Tanh"], &[FLOATS]),
    (&["Abs", "Neg", "Sign", "Add", "Sub", "Mul", "Div", "Clip", "Max", "Min", "Mod", "Sum"], &[NUMBERS]),
    (&["Mean", "Pow"], &[FLOATS]),
    (&["IsNaN"], &[FLOATS]),
    (&["IsInf"], &[FLOATS, Int("detect_positive", 1), Int("detect_negative", 1)]),
    (&["Equal"], &[]),
    (&["Greater", "GreaterOrEqual", "Less", "LessOrEqual"], &[NUMBERS]),
    (&["And", "Or", "Xor", "Not"], &[Inputs(&[Kind::Bool])]),
    (&["Where"], &[Input(0, Kind::Bool)]),
    (&["Cast"], &[Own(cast)]),
    (&["Identity"], &[]),
    // Matrices, convolutions, pools.
    // A vector on the right leaves an axis too many.
    (&["MatMul"], &[FLOATS, Own(multiplies_matrices)]),
    (&["Gemm"], &[FLOATS]),
    (&["Conv", "ConvTranspose"], &[FLOATS, ONE_OR_TWO_SPATIAL_AXES, PADDING, No("output_shape")]),
    (&["AveragePool"], &[FLOATS, ONE_OR_TWO_SPATIAL_AXES, PADDING, Ones("dilations")]),
    (&["MaxPool"], &[FLOATS, ONE_OR_TWO_SPATIAL_AXES, PADDING, Ones("dilations"), OneOutput, Int("storage_order", 0)]),
    (&["GlobalAveragePool", "GlobalMaxPool"], &[FLOATS]),
    // Normalization.
    (&["BatchNormalization"], &[FLOATS, OneOutput, Int("training_mode", 0)]),
    (&["LayerNormalization"], &[FLOATS, OneOutput, Int("stash_type", 1)]),
    (&["InstanceNormalization"], &[FLOATS]),
    (&["Softmax", "LogSoftmax"], &[FLOATS]),
    // Reductions.
    (&["ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"], &[Input(0, Kind::Float)]),
    (&["ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceSumSquare", "CumSum"], &[Own(reduces_numbers)]),
    (&["TopK"], &[Own(reduces_numbers)]),
    // Movement.
    (&["Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Reshape", "Shape", "Size", "Slice",
       "Split", "Squeeze", "Tile", "Transpose", "Trilu", "Unsqueeze", "ConstantOfShape"], &[]),
    (&["OneHot"], &[]),
    (&["Range"], &[Inputs(&[Kind::Int])]),
    (&["DepthToSpace"], &[FLOATS, Axes(4, 4)]),
    (&["Pad"], &[Own(pads_last_two_axes), Without(3)]),
    (&["ScatterElements"], &[Own(scatters_whole_lanes)]),
    (&["ScatterND"], &[]),
    (&["Resize"], &[Input(0, Kind::Float), Axes(1, 4),
       // Cubic would run as linear.
       Text("mode", &["nearest", "linear"]),
       Text("coordinate_transformation_mode", &["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]),
       Text("keep_aspect_ratio_policy", &["stretch"]), Int("antialias", 0), Int("exclude_outside", 0), No("axes"), Own(resizes_last_two_axes)]),
];

/// Ops that rten has, and the reason why they are not in the table.
static REFUSED: &[(&str, &str)] = &[
    ("ArgMax", "it takes the last of equal elements, not the first"),
    ("ArgMin", "it takes the last of equal elements, not the first"),
];

/// Checks every node and every constant.
///
/// # Errors
/// The first node that rten would refuse or compute differently, and how to get ONNX Runtime.
pub(super) fn check(graph: &Graph) -> Result<(), Error> {
    for node in graph.nodes() {
        check_node(graph, node).map_err(|reason| {
            runtime_error(format!(
                "rten cannot run `{}` at node `{}`: {reason}; ONNX Runtime can: {HOW_TO_GET_IT}",
                node.full_op(),
                node.name
            ))
        })?;
    }
    Ok(())
}

fn check_node(graph: &Graph, node: &Node) -> Result<(), String> {
    let demands = demands_of(node)?;
    for (i, wire) in present_inputs(node) {
        check_wire(graph, node, i, wire)?;
    }
    demands.iter().try_for_each(|demand| check_demand(graph, node, demand))?;
    node.outputs.iter().flatten().try_for_each(|wire| kind(graph, *wire).map(|_| ()))
}

fn demands_of(node: &Node) -> Result<&'static [Demand], String> {
    if let Some((_, reason)) = REFUSED.iter().find(|(op, _)| *op == node.op) {
        return Err((*reason).to_owned());
    }
    let row = ALLOWED.iter().find(|(ops, _)| node.domain.is_empty() && ops.contains(&node.op.as_str()));
    row.map(|(_, demands)| *demands)
        .ok_or_else(|| "the op is not in the list of those that it computes rightly".to_owned())
}

fn check_demand(graph: &Graph, node: &Node, demand: &Demand) -> Result<(), String> {
    let refuse = |holds: bool, reason: String| if holds { Ok(()) } else { Err(reason) };
    match demand {
        Inputs(kinds) => present_inputs(node).try_for_each(|(i, wire)| {
            let kind = kind(graph, wire)?;
            refuse(kinds.contains(&kind), format!("input {i} has elements of {:?}", graph.element(wire)))
        }),
        Input(i, wanted) => {
            let wire = input(node, *i)?;
            refuse(
                kind(graph, wire)? == *wanted,
                format!("input {i} has elements of {:?}", graph.element(wire)),
            )
        }
        Without(i) => refuse(input(node, *i).is_err(), format!("it does not know input {i}")),
        Axes(from, to) => {
            let rank = graph.rank(input(node, 0)?).ok_or("the number of axes is unknown")?;
            refuse((*from..=*to).contains(&rank), format!("it does not take {rank} axes"))
        }
        No(name) => {
            refuse(!node.attributes.contains_key(*name), format!("it does not know the attribute {name}"))
        }
        OneOutput => {
            refuse(node.outputs.iter().skip(1).all(Option::is_none), "it has one output only".to_owned())
        }
        Text(name, allowed) => {
            let text = node.string(name);
            refuse(
                text.is_none_or(|text| allowed.contains(&text)),
                format!("{name} is {}", text.unwrap_or_default()),
            )
        }
        Int(name, allowed) => {
            let int = node.int(name);
            refuse(int.is_none_or(|int| int == *allowed), format!("{name} is {}", int.unwrap_or_default()))
        }
        Ones(name) => {
            let ints = node.ints(name).unwrap_or_default();
            refuse(ints.iter().all(|&int| int == 1), format!("{name} are {ints:?}"))
        }
        Own(check) => check(graph, node),
    }
}

/// A wire of a type that rten holds, and if constant, of integers within 32 bits.
fn check_wire(graph: &Graph, node: &Node, i: usize, wire: Wire) -> Result<(), String> {
    let Some(tensor) = graph.constant(wire) else { return kind(graph, wire).map(|_| ()) };
    // rten reads these constants as float32, which only a cast to float32 asks for.
    let widened = matches!(tensor.element(), ElementType::F16 | ElementType::F64);
    if widened && node.op == "Cast" {
        return Ok(());
    }
    kind(graph, wire)?;
    // Cut off at 32 bits, the start or end of a slice still lies beyond every axis.
    let is_bound = node.op == "Slice" && (i == 1 || i == 2);
    let beyond = |&&x: &&i64| i32::try_from(x).is_err();
    let too_large = match tensor.data() {
        pellucid_graph::Data::I64(elements) if !is_bound => elements.iter().find(beyond),
        _ => None,
    };
    too_large
        .map_or(Ok(()), |x| Err(format!("the constant `{}` holds {x}, beyond 32 bits", graph.name_of(wire))))
}

fn kind(graph: &Graph, wire: Wire) -> Result<Kind, String> {
    match graph.element(wire) {
        ElementType::F32 => Ok(Kind::Float),
        ElementType::I32 | ElementType::I64 => Ok(Kind::Int),
        ElementType::Bool => Ok(Kind::Bool),
        other => Err(format!("`{}` has elements of {other:?}", graph.name_of(wire))),
    }
}

fn present_inputs(node: &Node) -> impl Iterator<Item = (usize, Wire)> + '_ {
    node.inputs.iter().enumerate().filter_map(|(i, wire)| Some((i, (*wire)?)))
}

fn input(node: &Node, i: usize) -> Result<Wire, String> {
    node.inputs.get(i).copied().flatten().ok_or_else(|| format!("input {i} is missing"))
}

/// A cast to booleans would keep the number, and one from float cut its fraction off.
fn cast(graph: &Graph, node: &Node) -> Result<(), String> {
    let to = node.outputs.first().copied().flatten().ok_or("it has no output")?;
    let from = graph.element(input(node, 0)?);
    match kind(graph, to)? {
        Kind::Bool if from != ElementType::Bool => Err(format!("it casts {from:?} to booleans wrongly")),
        _ => Ok(()),
    }
}

fn multiplies_matrices(graph: &Graph, node: &Node) -> Result<(), String> {
    match present_inputs(node).all(|(_, wire)| graph.rank(wire).is_some_and(|rank| rank >= 2)) {
        true => Ok(()),
        false => Err("it multiplies vectors wrongly".to_owned()),
    }
}

fn reduces_numbers(graph: &Graph, node: &Node) -> Result<(), String> {
    match kind(graph, input(node, 0)?)? {
        Kind::Bool => Err("input 0 has elements of Bool".to_owned()),
        _ => Ok(()),
    }
}

fn pads_last_two_axes(graph: &Graph, node: &Node) -> Result<(), String> {
    if matches!(node.string("mode"), None | Some("constant")) {
        return Ok(());
    }
    let pads = graph.constant(input(node, 1)?).ok_or("pads are not constant")?.to_i64s();
    let rank = pads.len() / 2;
    let last_two = |(i, &pad): (usize, &i64)| pad == 0 || i % rank + 2 >= rank;
    match pads.iter().enumerate().all(last_two) {
        true => Ok(()),
        false => Err("other than constant padding works on the last two axes only".to_owned()),
    }
}

/// Where indices cover less than the whole of another axis, rten pairs the wrong lanes.
fn scatters_whole_lanes(graph: &Graph, node: &Node) -> Result<(), String> {
    let (Some(data), Some(indices)) = (graph.shape(input(node, 0)?), graph.shape(input(node, 1)?)) else {
        return Err("shapes are unknown".to_owned());
    };
    let axis = node.int("axis").unwrap_or(0).rem_euclid(data.len().max(1) as i64) as usize;
    let same = |(i, (a, b)): (usize, (&pellucid_graph::Dim, _))| {
        i == axis || (a == b && *a != pellucid_graph::Dim::Unknown)
    };
    match data.iter().zip(indices).enumerate().all(same) {
        true => Ok(()),
        false => Err("indices must span every axis but that of the op".to_owned()),
    }
}

/// rten resizes the last two axes of up to four.
fn resizes_last_two_axes(graph: &Graph, node: &Node) -> Result<(), String> {
    let output = node.outputs.first().copied().flatten().ok_or("it has no output")?;
    let (Some(before), Some(after)) = (graph.shape(input(node, 0)?), graph.shape(output)) else {
        return Err("shapes are unknown".to_owned());
    };
    let n_kept = before.len().saturating_sub(2);
    match before[..n_kept] == after[..n_kept] {
        true => Ok(()),
        false => Err("it resizes the last two axes only".to_owned()),
    }
}

/// Every op of the table.
#[cfg(test)]
pub(crate) fn ops() -> impl Iterator<Item = &'static str> {
    ALLOWED.iter().flat_map(|(ops, _)| ops.iter().copied())
}
