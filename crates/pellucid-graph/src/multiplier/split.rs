//! The positive and the negative part of every difference, Δ⁺ and Δ⁻, with `Δ⁺ + Δ⁻ = Δ`: what RevealCancel hands back apart.
//!
//! A sum over many inputs tells terms above 0 from those below; functions of one number work on both parts; what only moves
//! numbers moves the parts. A difference that no sum made is all positive or all negative, by its sign.

use std::collections::BTreeMap;

use crate::backward::Twins;
use crate::error::Error;
use crate::graph::{Graph, Node, Wire};
use crate::part::Part;

/// Δ⁺ and Δ⁻ of a wire.
pub(super) type Parts = (Wire, Wire);

/// What a node does to the parts of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `Σ w x` of the input at `x`, with fixed weights at the other place.
    Weighted {
        /// The place of the input that changes.
        x: usize,
    },
    /// A sum or mean, with weights above 0, or −1 for what is subtracted.
    Sum,
    /// Every element of the output is one of an input.
    Move,
    /// A fixed multiple of the input at `x`.
    Scale {
        /// The place of the input that changes.
        x: usize,
        /// By what it is multiplied.
        by: Factor,
    },
    /// A function of one number that is defined everywhere.
    Bend,
    /// Everything else: its difference goes back as a whole.
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    MinusOne,
    Of(Wire),
    OneOver(Wire),
}

impl Kind {
    /// `changes`: whether a wire differs between input and baseline.
    pub(super) fn of(node: &Node, changes: &dyn Fn(Wire) -> bool) -> Self {
        let changing: Vec<usize> =
            (0..node.inputs.len()).filter(|&i| node.inputs[i].is_some_and(changes)).collect();
        let other = |i: usize| node.inputs.get(1 - i).copied().flatten();
        match (node.op.as_str(), changing.as_slice()) {
            _ if !node.domain.is_empty() => Self::Whole,
            ("Gemm", _) if node.float("alpha").is_some_and(|alpha| alpha < 0.0) => Self::Whole,
            ("Conv" | "ConvTranspose", [0]) => Self::Weighted { x: 0 },
            ("Gemm" | "MatMul", &[x @ (0 | 1)]) => Self::Weighted { x },
            ("Add" | "Sub" | "Sum" | "Mean", [_, _, ..]) => Self::Sum,
            ("Mean" | "ReduceSum" | "ReduceMean" | "AveragePool" | "GlobalAveragePool" | "CumSum", [0]) => {
                Self::Sum
            }
            ("Add" | "Sum", [_]) | ("Sub", [0]) | ("Concat", _) => Self::Move,
            (
                "Identity" | "Dropout" | "Cast" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze"
                | "Transpose" | "DepthToSpace" | "Split" | "Expand" | "Tile" | "Pad" | "Slice" | "Gather"
                | "GatherElements" | "GatherND" | "Trilu",
                [0],
            ) => Self::Move,
            ("Neg", [0]) => Self::Scale { x: 0, by: Factor::MinusOne },
            ("Sub", [1]) => Self::Scale { x: 1, by: Factor::MinusOne },
            ("Mul", &[x]) => other(x).map_or(Self::Whole, |w| Self::Scale { x, by: Factor::Of(w) }),
            ("Div", [0]) => other(0).map_or(Self::Whole, |w| Self::Scale { x: 0, by: Factor::OneOver(w) }),
            (op, [0]) if is_smooth(op) || is_kinked(op) => Self::Bend,
            _ => Self::Whole,
        }
    }
}

/// Functions that bend on the scale of 1.
pub(super) fn is_smooth(op: &str) -> bool {
    ["Sigmoid", "Tanh", "Erf", "Gelu", "Softplus", "Sin", "Cos", "Atan", "Asinh"].contains(&op)
}

/// Functions that are straight between their kinks, or have one.
fn is_kinked(op: &str) -> bool {
    ["Relu", "LeakyRelu", "PRelu", "Elu", "Abs", "Clip", "HardSigmoid"].contains(&op)
}

/// The parts of a difference that no sum made.
pub(super) fn by_its_sign(graph: &mut Graph, difference: Wire) -> Parts {
    (Part::Positive.of(graph, difference), Part::Negative.of(graph, difference))
}

/// The factor's positive and negative part.
pub(super) fn factor_parts(graph: &mut Graph, factor: Factor, like: Wire) -> Parts {
    let factor = match factor {
        Factor::MinusOne => graph.scalar(-1.0, like),
        Factor::Of(wire) => wire,
        Factor::OneOver(wire) => graph.reciprocal(wire),
    };
    by_its_sign(graph, factor)
}

/// `positive`, `negative`, or their mean, by the sign of a difference.
pub(super) fn of_sign(graph: &mut Graph, difference: Wire, (positive, negative): Parts) -> Wire {
    if positive == negative {
        return positive;
    }
    let (above, below) = (graph.greater_scalar(difference, 0.0), graph.less_scalar(difference, 0.0));
    let sum = graph.add(positive, negative);
    let mean = graph.mul_scalar(sum, 0.5);
    let rest = graph.select(below, negative, mean);
    graph.select(above, positive, rest)
}

/// The parts of every wire whose parts are not those of its sign. `nodes` are those of the network, without its copy at the
/// baseline.
pub(super) fn parts(
    graph: &mut Graph,
    nodes: &[Node],
    twins: &Twins,
) -> Result<BTreeMap<Wire, Parts>, Error> {
    let mut splitting = Splitting { graph, twins, known: BTreeMap::new() };
    for node in nodes {
        let changes = |wire: Wire| twins.get(&wire).is_some_and(|twin| *twin != wire);
        if node.inputs.iter().flatten().any(|wire| changes(*wire)) {
            splitting.add(node, Kind::of(node, &changes));
        }
    }
    let known = splitting.known;
    graph.check_fault()?;
    Ok(known)
}

struct Splitting<'a> {
    graph: &'a mut Graph,
    twins: &'a Twins,
    known: BTreeMap<Wire, Parts>,
}

impl Splitting<'_> {
    fn add(&mut self, node: &Node, kind: Kind) {
        let annotated = |wire: &Wire| self.known.contains_key(wire);
        let reads_parts = node.inputs.iter().flatten().any(annotated);
        let Some(output) = node.outputs.first().copied().flatten() else { return };
        if !self.graph.element(output).is_float() {
            return;
        }
        let parts = match kind {
            Kind::Weighted { x } => self.weighted(node, x),
            Kind::Sum => self.sum(node),
            Kind::Scale { x, by } if reads_parts => self.scaled(node, x, by),
            Kind::Bend if reads_parts => self.bent(node, output),
            Kind::Move if reads_parts => return self.moved(node),
            _ => return,
        };
        self.known.extend(parts.map(|parts| (output, parts)));
    }

    fn changes(&self, wire: Wire) -> bool {
        self.twins.get(&wire).is_some_and(|twin| *twin != wire)
    }

    fn difference(&mut self, wire: Wire) -> Wire {
        let twin = self.twins.get(&wire).copied().unwrap_or(wire);
        self.graph.sub(wire, twin)
    }

    fn of(&mut self, wire: Wire) -> Parts {
        match self.known.get(&wire) {
            Some(parts) => *parts,
            None => {
                let difference = self.difference(wire);
                by_its_sign(self.graph, difference)
            }
        }
    }

    /// The node on other inputs.
    fn copies(&mut self, node: &Node, inputs: Vec<Option<Wire>>) -> Vec<Option<Wire>> {
        let names: Vec<Option<&str>> = node.outputs.iter().map(|wire| wire.map(|_| "")).collect();
        let copy = Node { name: String::new(), inputs, outputs: Vec::new(), ..node.clone() };
        let copies = self.graph.add_node(copy, &names);
        for (wire, copy) in node.outputs.iter().zip(&copies) {
            if let (Some(wire), Some(copy)) = (wire, copy) {
                let ty = self.graph.type_of(*wire).clone();
                self.graph.refine_type(*copy, &ty);
            }
        }
        copies
    }

    fn copy(&mut self, node: &Node, inputs: Vec<Option<Wire>>) -> Option<Wire> {
        self.copies(node, inputs).first().copied().flatten()
    }

    /// `Σ w x` over the terms of one sign. A bias does not change.
    fn weighted(&mut self, node: &Node, x: usize) -> Option<Parts> {
        let (input, weights) = (node.inputs[x]?, node.inputs[1 - x]?);
        let difference = self.difference(input);
        let of_input = by_its_sign(self.graph, difference);
        let of_weights = by_its_sign(self.graph, weights);
        let mut product = |a: Wire, b: Wire| {
            let inputs = if x == 0 { vec![Some(a), Some(b)] } else { vec![Some(b), Some(a)] };
            self.copy(node, inputs)
        };
        let rising = (product(of_input.0, of_weights.0)?, product(of_input.1, of_weights.1)?);
        let falling = (product(of_input.1, of_weights.0)?, product(of_input.0, of_weights.1)?);
        Some((self.graph.add(rising.0, rising.1), self.graph.add(falling.0, falling.1)))
    }

    /// The sum of all differences of one sign; of what is subtracted, those of the other.
    fn sum(&mut self, node: &Node) -> Option<Parts> {
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        for (i, wire) in node.inputs.iter().enumerate() {
            let (mut up, mut down) = (*wire, *wire);
            if let Some(wire) = *wire
                && self.graph.element(wire).is_float()
            {
                let difference = self.difference(wire);
                let parts = by_its_sign(self.graph, difference);
                (up, down) = (Some(parts.0), Some(parts.1));
            }
            if is_subtracted(node, i) {
                (up, down) = (down, up);
            }
            positive.push(up);
            negative.push(down);
        }
        Some((self.copy(node, positive)?, self.copy(node, negative)?))
    }

    fn scaled(&mut self, node: &Node, x: usize, by: Factor) -> Option<Parts> {
        let input = node.inputs[x]?;
        let (up, down) = self.of(input);
        let (rising, falling) = factor_parts(self.graph, by, input);
        let mut mixed = |a: Wire, b: Wire| {
            let (a, b) = (self.graph.mul(rising, a), self.graph.mul(falling, b));
            self.graph.add(a, b)
        };
        Some((mixed(up, down), mixed(down, up)))
    }

    /// What each part brings about, the mean of before and after the other: `Δy⁺ = ½ (f(x′ + Δ⁺) − f(x′)) + ½ (f(x) − f(x′ +
    /// Δ⁻))`, and the same with the signs changed.
    fn bent(&mut self, node: &Node, y: Wire) -> Option<Parts> {
        let input = node.inputs[0]?;
        let (up, down) = self.of(input);
        let (twin, y_twin) = (*self.twins.get(&input)?, *self.twins.get(&y)?);
        let mut at = |part: Wire| {
            let moved = self.graph.add(twin, part);
            let mut inputs = node.inputs.clone();
            inputs[0] = Some(moved);
            self.copy(node, inputs)
        };
        let (with_up, with_down) = (at(up)?, at(down)?);
        let mut effect = |with: Wire, without: Wire| {
            let (first, second) = (self.graph.sub(with, y_twin), self.graph.sub(y, without));
            let sum = self.graph.add(first, second);
            self.graph.mul_scalar(sum, 0.5)
        };
        Some((effect(with_up, with_down), effect(with_down, with_up)))
    }

    fn moved(&mut self, node: &Node) {
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        for (i, wire) in node.inputs.iter().enumerate() {
            let parts = match *wire {
                Some(wire) if self.changes(wire) => {
                    let parts = self.of(wire);
                    (Some(parts.0), Some(parts.1))
                }
                // What does not change has no difference: other summands, and the number that a Pad fills in.
                Some(wire) if ["Add", "Sum", "Sub", "Concat"].contains(&node.op.as_str()) => {
                    let zeros = self.graph.zeros_like(wire);
                    (Some(zeros), Some(zeros))
                }
                Some(_) if node.op == "Pad" && i == 2 => (None, None),
                other => (other, other),
            };
            positive.push(parts.0);
            negative.push(parts.1);
        }
        let (positive, negative) = (self.copies(node, positive), self.copies(node, negative));
        for ((output, up), down) in node.outputs.iter().zip(positive).zip(negative) {
            if let (Some(output), Some(up), Some(down)) = (*output, up, down) {
                self.known.insert(output, (up, down));
            }
        }
    }
}

/// Whether input `i` counts with the weight −1.
pub(super) fn is_subtracted(node: &Node, i: usize) -> bool {
    node.op == "Sub" && i == 1
}
