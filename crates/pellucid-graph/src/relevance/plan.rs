//! What has to be known of the whole graph before relevance goes back: which additions are a layer's bias, which products
//! are an activation function written out, which wires are never negative.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, Node, Wire};

/// Ops with weights.
pub(super) const WEIGHTED: [&str; 4] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

/// Functions of each element.
pub(super) const UNARY: &[&str] = &[
    "Abs",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Ceil",
    "Clip",
    "Cos",
    "Cosh",
    "DequantizeLinear",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "LeakyRelu",
    "Log",
    "Neg",
    "Pow",
    "PRelu",
    "QuantizeLinear",
    "Reciprocal",
    "Relu",
    "Round",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Softplus",
    "Sqrt",
    "Tan",
    "Tanh",
];

/// A bias that a node of its own adds, and what comes out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bias {
    pub(super) wire: Wire,
    pub(super) output: Wire,
}

/// What is known of a graph. Nodes are named by their index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Layers whose bias stands behind them.
    pub(super) biases: BTreeMap<usize, Bias>,
    /// Nodes that send everything to one input.
    pub(super) to_one: BTreeMap<usize, usize>,
    /// Wires that are never below 0.
    pub(super) nonnegative: BTreeSet<Wire>,
}

impl Plan {
    pub(super) fn new(graph: &Graph, wanted: &[Wire]) -> Self {
        let mut plan = Self::default();
        plan.find_biases(graph, wanted);
        plan.find_gates(graph);
        plan.find_shifts(graph, wanted);
        for node in graph.nodes() {
            if is_nonnegative(graph, node, &plan.nonnegative) {
                plan.nonnegative.extend(node.outputs.iter().flatten());
            }
        }
        plan
    }

    /// `Add(layer(x), constant)`, where nothing else reads what the layer made.
    fn find_biases(&mut self, graph: &Graph, wanted: &[Wire]) {
        let consumers = graph.consumers();
        for (index, node) in graph.nodes().iter().enumerate().filter(|(_, node)| is_plain(node, "Add")) {
            let [Some(a), Some(b)] = node.inputs[..] else { continue };
            let (at, made, constant) = match (graph.constant(a), graph.constant(b)) {
                (None, Some(_)) => (0, a, b),
                (Some(_), None) => (1, b, a),
                _ => continue,
            };
            let read_once = consumers.get(&made).is_some_and(|readers| readers.len() == 1)
                && !graph.outputs().contains(&made)
                && !wanted.contains(&made);
            let Some((layer, output)) =
                graph.producer_index(made).zip(node.outputs.first().copied().flatten())
            else {
                continue;
            };
            if read_once
                && lacks_bias(graph, &graph.nodes()[layer])
                && graph.shape(output) == graph.shape(made)
            {
                self.biases.insert(layer, Bias { wire: constant, output });
                self.to_one.insert(index, at);
            }
        }
    }

    /// `exp(a − b)` is the quotient `exp(a) / exp(b)`, so that all goes to `a`. A running maximum is taken off so in gates of
    /// exponentials: by contributions, where the difference is 0 nothing would be left of what arrived.
    fn find_shifts(&mut self, graph: &Graph, wanted: &[Wire]) {
        let consumers = graph.consumers();
        for (index, node) in graph.nodes().iter().enumerate().filter(|(_, node)| is_plain(node, "Sub")) {
            let [Some(a), Some(b)] = node.inputs[..] else { continue };
            let Some(output) = node.outputs.first().copied().flatten() else { continue };
            let is_read_by_exp = consumers
                .get(&output)
                .is_some_and(|readers| readers.iter().all(|reader| is_plain(&graph.nodes()[*reader], "Exp")));
            let is_kept = graph.outputs().contains(&output) || wanted.contains(&output);
            if is_read_by_exp && !is_kept && graph.constant(a).is_none() && graph.constant(b).is_none() {
                self.to_one.insert(index, 0);
            }
        }
    }

    /// Products and quotients that are no meeting of two signals: `x g(x)` is one function of `x` (GELU, SiLU, Mish
    /// written out), and `x · 1/d` a normalization.
    fn find_gates(&mut self, graph: &Graph) {
        let mut roots: BTreeMap<Wire, (Wire, usize)> = BTreeMap::new();
        for (index, node) in graph.nodes().iter().enumerate().filter(|(_, node)| node.domain.is_empty()) {
            let variable = |(i, wire): (usize, &Option<Wire>)| {
                wire.filter(|wire| graph.constant(*wire).is_none()).map(|wire| (i, wire))
            };
            let operands: Vec<(usize, Wire)> = node.inputs.iter().enumerate().filter_map(variable).collect();
            let of = |wire: Wire| roots.get(&wire).copied().unwrap_or((wire, 0));
            let nearest = operands.iter().min_by_key(|(_, wire)| of(*wire).1).copied();
            let Some((at, wire)) = nearest.filter(|_| is_elementwise(&node.op)) else { continue };
            let (root, steps) = of(wire);
            let of_one = operands.iter().all(|(_, wire)| of(*wire).0 == root);
            if of_one && let Some(output) = node.outputs.first().copied().flatten() {
                roots.insert(output, (root, steps + 1));
            }
            if let ("Mul" | "Div", [(_, a), (_, b)]) = (node.op.as_str(), operands.as_slice()) {
                let kept = match of_one {
                    true => Some(at),
                    false => beside_a_divisor(graph, node, *a, *b),
                };
                self.to_one.extend(kept.map(|at| (index, at)));
            }
        }
    }
}

/// Of `x / d`, `x · 1/d` and `1/d · x`, the place of `x`.
fn beside_a_divisor(graph: &Graph, node: &Node, a: Wire, b: Wire) -> Option<usize> {
    let is_inverse = |wire: Wire| {
        graph.producer(wire).is_some_and(|node| {
            let over =
                |i: usize| node.inputs.get(i).copied().flatten().is_some_and(|w| graph.constant(w).is_some());
            is_plain(node, "Reciprocal") || (is_plain(node, "Div") && over(0))
        })
    };
    match node.op.as_str() {
        "Div" => Some(0),
        _ if is_inverse(b) => Some(0),
        _ if is_inverse(a) => Some(1),
        _ => None,
    }
}

fn is_plain(node: &Node, op: &str) -> bool {
    node.op == op && node.domain.is_empty()
}

fn is_elementwise(op: &str) -> bool {
    UNARY.contains(&op)
        || ["Add", "Sub", "Mul", "Div", "Max", "Min", "Identity", "Dropout", "Cast"].contains(&op)
}

fn lacks_bias(graph: &Graph, node: &Node) -> bool {
    let constant =
        |i: usize| node.inputs.get(i).copied().flatten().is_some_and(|wire| graph.constant(wire).is_some());
    let weighted = WEIGHTED.contains(&node.op.as_str()) && node.domain.is_empty();
    weighted && (constant(0) != constant(1)) && node.inputs.get(2).copied().flatten().is_none()
}

fn is_nonnegative(graph: &Graph, node: &Node, known: &BTreeSet<Wire>) -> bool {
    let constant =
        |wire: Wire| graph.constant(wire).is_some_and(|tensor| tensor.to_f64s().iter().all(|&x| x >= 0.0));
    let input = |i: usize| node.inputs.get(i).copied().flatten();
    let first = || input(0).is_some_and(|wire| known.contains(&wire));
    match node.op.as_str() {
        _ if !node.domain.is_empty() => false,
        "Relu" | "Sigmoid" | "HardSigmoid" | "Softmax" | "Abs" | "Exp" | "Softplus" => true,
        "Clip" => input(1).is_some_and(|low| graph.constant(low).is_some() && constant(low)) || first(),
        "Identity" | "Dropout" | "Cast" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose"
        | "Expand" | "Tile" | "Slice" | "Split" | "Gather" | "DepthToSpace" | "MaxPool" | "AveragePool"
        | "GlobalMaxPool" | "GlobalAveragePool" | "ReduceMax" | "ReduceMean" | "ReduceSum" => first(),
        "Add" | "Mul" | "Max" | "Concat" => {
            node.inputs.iter().flatten().all(|wire| known.contains(wire) || constant(*wire))
        }
        _ => false,
    }
}
