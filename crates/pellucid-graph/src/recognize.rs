//! Finds what exporters write out in small ops: LayerNorm, RMSNorm, GELU, attention. It names them and changes nothing;
//! rules that treat such a group as one thing look here.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, Node, Wire};

/// What a group of nodes computes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// `(x − mean) / √(variance + ε)`
    LayerNorm,
    /// `x / √(mean of squares + ε)`
    RmsNorm,
    /// `x Φ(x)`, exact or by tanh
    Gelu,
    /// `softmax(q kᵀ · scale + mask) v`
    Attention,
}

impl Pattern {
    /// The name that people use.
    pub fn name(self) -> &'static str {
        match self {
            Self::LayerNorm => "LayerNorm",
            Self::RmsNorm => "RMSNorm",
            Self::Gelu => "GELU",
            Self::Attention => "attention",
        }
    }
}

/// A group of nodes that computes a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognized {
    /// What it computes.
    pub pattern: Pattern,
    /// What it reads: `[x]`, or `[q, k, v]`.
    pub inputs: Vec<Wire>,
    /// What it makes, before scale and shift.
    pub output: Wire,
    /// Indices of its nodes, ascending.
    pub nodes: BTreeSet<usize>,
}

/// All groups, in running order of their middle.
pub fn recognize(graph: &Graph) -> Vec<Recognized> {
    let search = Search { graph, consumers: graph.consumers() };
    let found = graph.nodes().iter().enumerate().filter_map(|(index, node)| match node.op.as_str() {
        "Sqrt" => search.norm(index),
        "Erf" => search.gelu_by_erf(index),
        "Tanh" => search.gelu_by_tanh(index),
        "Softmax" => search.attention(index),
        _ => None,
    });
    found.collect()
}

/// The weights of every attention that `output` depends on, the softmax over its keys, in running order.
pub fn attention_weights(graph: &Graph, output: Wire) -> Vec<Wire> {
    let needed = graph.ancestors(&[output]);
    let softmax = |found: &Recognized| {
        let mut nodes = found.nodes.iter().map(|index| &graph.nodes()[*index]);
        nodes.find(|node| node.op == "Softmax")?.outputs.first().copied().flatten()
    };
    let attentions = recognize(graph).into_iter().filter(|found| found.pattern == Pattern::Attention);
    attentions.filter_map(|found| softmax(&found)).filter(|wire| needed.contains(wire)).collect()
}

struct Search<'a> {
    graph: &'a Graph,
    consumers: BTreeMap<Wire, Vec<usize>>,
}

impl<'a> Search<'a> {
    fn node(&self, index: usize) -> &'a Node {
        &self.graph.nodes()[index]
    }

    fn output(&self, index: usize) -> Option<Wire> {
        self.node(index).outputs.first().copied().flatten()
    }

    fn input(&self, index: usize, i: usize) -> Option<Wire> {
        self.node(index).inputs.get(i).copied().flatten()
    }

    /// The node with one of these ops that makes a wire.
    fn before(&self, wire: Wire, ops: &[&str]) -> Option<usize> {
        let index = self.graph.producer_index(wire)?;
        ops.contains(&self.node(index).op.as_str()).then_some(index)
    }

    /// The first node with one of these ops that reads a wire.
    fn after(&self, wire: Wire, ops: &[&str]) -> Option<usize> {
        let readers = self.consumers.get(&wire)?;
        readers.iter().copied().find(|index| ops.contains(&self.node(*index).op.as_str()))
    }

    /// Of a node with two operands, the one that is a constant number near `value`, and the other one.
    fn other_than(&self, index: usize, value: f64) -> Option<Wire> {
        let (a, b) = (self.input(index, 0)?, self.input(index, 1)?);
        let is_value = |wire: Wire| self.number(wire).is_some_and(|x| (x - value).abs() < 1e-3 * value.abs());
        if is_value(b) { Some(a) } else { is_value(a).then_some(b) }
    }

    fn number(&self, wire: Wire) -> Option<f64> {
        let tensor = self.graph.constant(wire)?;
        (tensor.len() == 1).then(|| tensor.to_f64s()[0])
    }

    /// The wire that a node squares: `Pow(x, 2)` or `Mul(x, x)`.
    fn squared(&self, index: usize) -> Option<Wire> {
        let (a, b) = (self.input(index, 0)?, self.input(index, 1)?);
        let is_square = match self.node(index).op.as_str() {
            "Pow" => self.number(b) == Some(2.0),
            _ => a == b,
        };
        is_square.then_some(a)
    }

    /// Around `√(mean(d²) + ε)`: what is divided by it, and whether its mean was taken off before.
    fn norm(&self, sqrt: usize) -> Option<Recognized> {
        let shifted = self.before(self.input(sqrt, 0)?, &["Add"])?;
        let operands = [self.input(shifted, 0)?, self.input(shifted, 1)?];
        let mean = operands.into_iter().find_map(|wire| self.before(wire, &["ReduceMean"]))?;
        let square = self.before(self.input(mean, 0)?, &["Pow", "Mul"])?;
        let centered = self.squared(square)?;
        let root = self.output(sqrt)?;
        let mut nodes = BTreeSet::from([sqrt, shifted, mean, square]);
        let divided = match self.after(root, &["Div"]).filter(|div| self.input(*div, 0) == Some(centered)) {
            Some(div) => div,
            None => {
                let inverse = self.after(root, &["Reciprocal", "Div"])?;
                nodes.insert(inverse);
                self.after(self.output(inverse)?, &["Mul"])?
            }
        };
        nodes.insert(divided);
        let output = self.output(divided)?;
        let taken_off = self.before(centered, &["Sub"]).and_then(|sub| {
            let own_mean = self.before(self.input(sub, 1)?, &["ReduceMean"])?;
            (self.input(own_mean, 0) == self.input(sub, 0)).then_some((sub, own_mean))
        });
        let (pattern, input) = match taken_off {
            Some((sub, own_mean)) => {
                nodes.extend([sub, own_mean]);
                (Pattern::LayerNorm, self.input(sub, 0)?)
            }
            None => (Pattern::RmsNorm, centered),
        };
        Some(Recognized { pattern, inputs: vec![input], output, nodes })
    }

    /// `x · ½ (1 + erf(x / √2))`, the half anywhere.
    fn gelu_by_erf(&self, erf: usize) -> Option<Recognized> {
        let scaled = self.before(self.input(erf, 0)?, &["Div", "Mul"])?;
        let root = std::f64::consts::SQRT_2;
        let x = self.other_than(scaled, root).or_else(|| self.other_than(scaled, 1.0 / root))?;
        self.gelu_tail(erf, x, BTreeSet::from([erf, scaled]))
    }

    /// `x · ½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    fn gelu_by_tanh(&self, tanh: usize) -> Option<Recognized> {
        let scaled = self.before(self.input(tanh, 0)?, &["Mul"])?;
        let inner = self.other_than(scaled, (2.0 / std::f64::consts::PI).sqrt())?;
        let sum = self.before(inner, &["Add", "Mul"])?;
        let x = self.input(sum, 0)?;
        self.gelu_tail(tanh, x, BTreeSet::from([tanh, scaled, sum]))
    }

    /// Behind erf or tanh: plus 1, times x, times a half in either order.
    fn gelu_tail(&self, middle: usize, x: Wire, mut nodes: BTreeSet<usize>) -> Option<Recognized> {
        let plus_one = self.after(self.output(middle)?, &["Add"])?;
        self.other_than(plus_one, 1.0)?;
        nodes.insert(plus_one);
        let first = self.after(self.output(plus_one)?, &["Mul"])?;
        nodes.insert(first);
        let operands = [self.input(first, 0)?, self.input(first, 1)?];
        let halves_x = operands.iter().find_map(|wire| {
            let half = self.before(*wire, &["Mul"])?;
            (self.other_than(half, 0.5) == Some(x)).then_some(half)
        });
        let output = match halves_x {
            Some(half) => {
                nodes.insert(half);
                self.output(first)?
            }
            None => {
                let second = self.after(self.output(first)?, &["Mul"])?;
                let is_half = |index: usize| self.other_than(index, 0.5).is_some();
                let in_order = operands.contains(&x) && is_half(second);
                let swapped =
                    is_half(first) && [self.input(second, 0), self.input(second, 1)].contains(&Some(x));
                nodes.insert(second);
                (in_order || swapped).then(|| self.output(second))??
            }
        };
        Some(Recognized { pattern: Pattern::Gelu, inputs: vec![x], output, nodes })
    }

    /// Around a softmax: back over scale and mask to `q kᵀ`, on to the product with `v`. A product with constant values is
    /// a dense layer.
    fn attention(&self, softmax: usize) -> Option<Recognized> {
        let mut nodes = BTreeSet::from([softmax]);
        let scores = self.scores(self.input(softmax, 0)?, MAX_STEPS_TO_SCORES, &mut nodes)?;
        let mut weights = self.output(softmax)?;
        while let Some(index) = self.after(weights, &["Dropout", "Identity", "Cast", "Where", "Reshape"]) {
            nodes.insert(index);
            weights = self.output(index)?;
        }
        let product =
            self.after(weights, &["MatMul"]).filter(|index| self.input(*index, 0) == Some(weights))?;
        nodes.insert(product);
        let inputs = vec![self.input(scores, 0)?, self.input(scores, 1)?, self.input(product, 1)?];
        if self.graph.constant(inputs[2]).is_some() {
            return None;
        }
        Some(Recognized { pattern: Pattern::Attention, inputs, output: self.output(product)?, nodes })
    }

    /// The product that a softmax's scores come from, over scale, cap, bias and mask. Which operand of a sum it lies behind
    /// is tried, since a mask may stand first. The nodes on the way are added.
    fn scores(&self, wire: Wire, n_steps: usize, nodes: &mut BTreeSet<usize>) -> Option<usize> {
        let index = self.before(wire, &SCORE_OPS)?;
        let found = match self.node(index).op.as_str() {
            "MatMul" => index,
            _ => {
                let mut operands = self.node(index).inputs.iter().flatten().copied();
                operands.find_map(|operand| self.scores(operand, n_steps.checked_sub(1)?, nodes))?
            }
        };
        nodes.insert(index);
        Some(found)
    }
}

/// What may lie between a product of queries and keys and its softmax.
const SCORE_OPS: [&str; 12] =
    ["MatMul", "Mul", "Div", "Add", "Sub", "Where", "Cast", "Tanh", "Max", "Reshape", "Unsqueeze", "Squeeze"];

/// More of them make no attention.
const MAX_STEPS_TO_SCORES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::parse;

    fn check(text: &str, expected: &[(Pattern, &str, &str)]) {
        let graph = parse(text).expect("the text is a graph");
        let found: Vec<(Pattern, &str, &str)> = recognize(&graph)
            .iter()
            .map(|found| (found.pattern, graph.name_of(found.inputs[0]), graph.name_of(found.output)))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn layer_norm_is_found() {
        check(
            "g (float[2,4] x) => (float[2,4] y)
             <int64[1] last = {-1}, float two = {2}, float eps = {0.00001}, float[4] w = {1, 2, 3, 4}>
             { m = ReduceMean(x, last) d = Sub(x, m) p = Pow(d, two) v = ReduceMean(p, last)
               a = Add(v, eps) s = Sqrt(a) n = Div(d, s) y = Mul(n, w) }",
            &[(Pattern::LayerNorm, "x", "n")],
        );
    }

    #[test]
    fn rms_norm_is_found_with_a_reciprocal() {
        check(
            "g (float[2,4] x) => (float[2,4] y)
             <int64[1] last = {-1}, float eps = {0.00001}>
             { p = Mul(x, x) v = ReduceMean(p, last) a = Add(v, eps) s = Sqrt(a) r = Reciprocal(s) y = Mul(x, r) }",
            &[(Pattern::RmsNorm, "x", "y")],
        );
    }

    #[test]
    fn gelu_is_found_whatever_the_place_of_the_half() {
        let constants = "<float r = {1.4142135}, float one = {1}, float half = {0.5}>";
        for tail in [
            "m = Mul(x, p) y = Mul(m, half)",
            "h = Mul(x, half) y = Mul(h, p)",
            "h = Mul(p, half) y = Mul(x, h)",
        ] {
            let text = format!(
                "g (float[2] x) => (float[2] y) {constants} {{ d = Div(x, r) e = Erf(d) p = Add(e, one) {tail} }}"
            );
            check(&text, &[(Pattern::Gelu, "x", "y")]);
        }
    }

    #[test]
    fn attention_is_found_behind_scale_and_mask() {
        check(
            "g (float[1,2,4] q, float[1,4,2] k, float[1,2,4] v, float[2,2] mask) => (float[1,2,4] y)
             <float scale = {0.5}>
             { s = MatMul(q, k) t = Mul(s, scale) u = Add(t, mask) w = Softmax<axis = -1>(u) y = MatMul(w, v) }",
            &[(Pattern::Attention, "q", "y")],
        );
    }

    #[test]
    fn attention_is_found_where_the_mask_stands_first_and_scores_are_capped() {
        check(
            "g (float[1,2,4] q, float[1,4,2] k, float[1,2,4] v, float[2,2] seen) => (float[1,2,4] y)
             <float one = {1}, float low = {-9}, float cap = {5}>
             { s = MatMul(q, k) d = Div(s, cap) t = Tanh(d) c = Mul(t, cap) i = Sub(one, seen) m = Mul(i, low)
               u = Add(m, c) w = Softmax<axis = -1>(u) y = MatMul(w, v) }",
            &[(Pattern::Attention, "q", "y")],
        );
    }

    #[test]
    fn dense_layers_around_a_softmax_are_no_attention() {
        check(
            "g (float[1,2] x) => (float[1,2] y) <float[2,2] w = {1, 2, 3, 4}, float[2,2] v = {1, 2, 3, 4}>
             { s = MatMul(x, w) p = Softmax<axis = -1>(s) y = MatMul(p, v) }",
            &[],
        );
    }

    #[test]
    fn a_square_root_alone_is_no_norm() {
        check("g (float[2] x) => (float[2] y) { a = Abs(x) y = Sqrt(a) }", &[]);
    }
}
