//! Which ops are local in space, and which positions they read.

use crate::graph::{Graph, Node, Wire};
use crate::ops::convolution::Convolution;
use crate::ops::pooling::pool_places;
use crate::ops::window::Places;
use crate::tensor::ElementType;

/// Which positions of its inputs one position of an op's output depends on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    /// The same position of every input.
    Pointwise,
    /// Those under a kernel; beyond the border an input counts as `fill`.
    Sliding { axes: Vec<Places>, fill: f64 },
}

/// Ops of one input that keep finite numbers finite: what a region holds beyond the border is never used, but must not
/// become infinite or NaN before it is multiplied by 0.
const UNARY: &[&str] = &[
    "Abs",
    "BatchNormalization",
    "Celu",
    "Clip",
    "Elu",
    "Erf",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Mish",
    "Neg",
    "PRelu",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
    "ThresholdedRelu",
];

/// Ops of several inputs, each a map that moves or a constant for each channel.
const JOINING: &[&str] = &["Add", "Sub", "Mul", "Min", "Max", "Sum"];

/// How `node` reads its inputs, of which `moves` says which change with the window; `None` where it is not local, or not
/// known to be.
pub(super) fn reading(graph: &Graph, node: &Node, moves: impl Fn(Wire) -> bool) -> Option<Reading> {
    let [Some(output)] = node.outputs[..] else { return None };
    let lengths = map_lengths(graph, output).filter(|_| node.domain.is_empty())?;
    let inputs: Vec<Wire> = node.inputs.iter().flatten().copied().collect();
    let (first, rest) = inputs.split_first()?;
    let is_map = |wire: &Wire| moves(*wire) && map_lengths(graph, *wire).is_some_and(|own| own == lengths);
    let is_per_channel = |wire: &Wire| is_per_channel(graph, *wire, lengths.len());
    let constant_rest = rest.iter().all(|wire| graph.constant(*wire).is_some());
    let pointwise = match node.op.as_str() {
        "Conv" if moves(*first) && constant_rest => return convolution(graph, node, *first, *rest.first()?),
        "MaxPool" | "AveragePool" if moves(*first) => return pool(graph, node, *first),
        "BatchNormalization" => is_map(first) && constant_rest && node.int("training_mode").unwrap_or(0) == 0,
        "Concat" => {
            let axis = node.int("axis")?;
            (axis == 1 || axis == -1 - lengths.len() as i64) && inputs.iter().all(is_map)
        }
        "Div" => {
            is_map(first) && rest.iter().all(|wire| is_per_channel(wire) && is_free_of_zeros(graph, *wire))
        }
        op if UNARY.contains(&op) => is_map(first) && rest.iter().all(is_per_channel),
        op if JOINING.contains(&op) => inputs.iter().all(|wire| is_map(wire) || is_per_channel(wire)),
        _ => false,
    };
    pointwise.then_some(Reading::Pointwise)
}

fn convolution(graph: &Graph, node: &Node, x: Wire, w: Wire) -> Option<Reading> {
    let weights = graph.constant(w)?;
    let axes = Convolution::of_conv(node, &row_shape(graph, x)?, weights.shape()).ok()?.axes;
    Some(Reading::Sliding { axes, fill: 0.0 })
}

fn pool(graph: &Graph, node: &Node, x: Wire) -> Option<Reading> {
    let axes = pool_places(node, &row_shape(graph, x)?).ok()?;
    if node.op == "MaxPool" {
        return Some(Reading::Sliding { axes, fill: f64::NEG_INFINITY });
    }
    // An average is that of a padded map only where every place is divided by the same number.
    let padded = node.int("count_include_pad").unwrap_or(0) != 0;
    let even = |axis: &Places| axis.tap_counts(padded).iter().all(|&count| count == axis.kernel);
    axes.iter().all(even).then_some(Reading::Sliding { axes, fill: 0.0 })
}

/// The spatial lengths of a float wire `[N, channels, lengths…]`.
pub(super) fn map_lengths(graph: &Graph, wire: Wire) -> Option<Vec<usize>> {
    Some(row_shape(graph, wire)?.split_off(2))
}

/// The shape of one row of a float wire `[N, channels, lengths…]`, batch axis included.
pub(super) fn row_shape(graph: &Graph, wire: Wire) -> Option<Vec<usize>> {
    let computes = matches!(graph.element(wire), ElementType::F32 | ElementType::F64);
    let [batch, rest @ ..] = graph.shape(wire).filter(|shape| computes && shape.len() > 2)? else {
        return None;
    };
    let rest: Option<Vec<usize>> = rest.iter().map(|dim| dim.known()).collect();
    // A batch of fixed length cannot hold the windows.
    rest.filter(|_| batch.known().is_none()).map(|rest| [vec![1], rest].concat())
}

/// Whether a constant is the same at every position of a map with `n_axes` spatial axes.
fn is_per_channel(graph: &Graph, wire: Wire, n_axes: usize) -> bool {
    graph.constant(wire).is_some_and(|tensor| {
        let shape = tensor.shape();
        let spatial = &shape[shape.len().saturating_sub(n_axes)..];
        let one_row = shape.len() < n_axes + 2 || shape.len() == n_axes + 2 && shape[0] == 1;
        one_row && spatial.iter().all(|&length| length == 1)
    })
}

fn is_free_of_zeros(graph: &Graph, wire: Wire) -> bool {
    let numbers = graph.constant(wire).filter(|tensor| tensor.element().is_float());
    numbers.is_some_and(|tensor| tensor.to_f64s().iter().all(|&x| x != 0.0))
}
