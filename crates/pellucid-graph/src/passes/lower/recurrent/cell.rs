//! One step of a recurrent layer as nodes.

use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops::recurrent::{Activation, Kind, Settings};
use crate::tensor::Tensor;

use super::super::{input, length, optional};

/// What is carried from step to step, `[batch, hidden]`; layers without cells carry the state twice.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) h: Wire,
    pub(super) c: Wire,
}

/// The parameters of one direction.
pub(super) struct Cell<'a> {
    settings: &'a Settings,
    activations: &'a [Activation],
    of_input: Affine,
    of_state: Affine,
    /// What `of_state` consists of: the gates of a GRU, and its candidate.
    gates: Affine,
    candidate: Affine,
    /// i, o and f, `[hidden]` each.
    peepholes: Option<[Wire; 3]>,
}

/// Weights `[rows, columns]` and a bias `[rows]`.
#[derive(Clone, Copy)]
struct Affine {
    weights: Wire,
    bias: Option<Wire>,
}

impl Affine {
    /// `x Wᵀ + b`
    fn of(self, g: &mut Graph, x: Wire) -> Wire {
        let inputs: Vec<Wire> = [x, self.weights].into_iter().chain(self.bias).collect();
        g.node("Gemm", &inputs, &[("transB", Attribute::Int(1))])
    }

    /// Some of its rows.
    fn rows(self, g: &mut Graph, from: usize, to: usize) -> Self {
        let mut part = |wire: Wire| g.slice(wire, 0, from as i64, to as i64);
        Self { weights: part(self.weights), bias: self.bias.map(part) }
    }
}

/// One direction's part of a tensor that has them in front.
pub(super) fn part(g: &mut Graph, wire: Wire, direction: usize) -> Wire {
    let index = g.add_constant("direction", Tensor::i64(&[], vec![direction as i64]));
    g.node("Gather", &[wire, index], &[])
}

impl<'a> Cell<'a> {
    pub(super) fn new(g: &mut Graph, node: &Node, settings: &'a Settings, d: usize) -> Result<Self, String> {
        let (n, rows) = (settings.hidden, settings.kind.n_gates() * settings.hidden);
        let biases = optional(node, 3).map(|both| {
            let (both, rows) = (part(g, both, d), rows as i64);
            [g.slice(both, 0, 0, rows), g.slice(both, 0, rows, 2 * rows)]
        });
        let [of_input, of_state] = [0, 1].map(|i| biases.map(|biases| biases[i]));
        let of_input = Affine { weights: part(g, input(node, 1)?, d), bias: of_input };
        let of_state = Affine { weights: part(g, input(node, 2)?, d), bias: of_state };
        let (gates, candidate) = match settings.kind {
            Kind::Gru => (of_state.rows(g, 0, 2 * n), of_state.rows(g, 2 * n, 3 * n)),
            _ => (of_state, of_state),
        };
        let peepholes = optional(node, 7).filter(|_| settings.kind == Kind::Lstm).map(|all| {
            let (all, n) = (part(g, all, d), n as i64);
            [0, 1, 2].map(|i| g.slice(all, 0, i * n, (i + 1) * n))
        });
        let activations = settings.activations(d);
        Ok(Self { settings, activations, of_input, of_state, gates, candidate, peepholes })
    }

    /// `x Wᵀ + b` of each step, `[batch, gates · hidden]`, from `x` `[steps, batch, features]`: one product for all.
    pub(super) fn pieces(&self, g: &mut Graph, x: Wire) -> Result<Vec<Wire>, String> {
        let (n_steps, n_features) = (length(g, x, 0)?, length(g, x, 2)?);
        let rows = g.reshape(x, &[-1, n_features as i64]);
        let products = self.of_input.of(g, rows);
        let width = (self.settings.kind.n_gates() * self.settings.hidden) as i64;
        let products = g.reshape(products, &[n_steps as i64, -1, width]);
        let parts = split(g, products, 0, n_steps);
        Ok(parts.into_iter().map(|piece| g.squeeze(piece, &[0])).collect())
    }

    /// The state after a step, from its piece and the state before.
    pub(super) fn step(&self, g: &mut Graph, piece: Wire, state: &State) -> State {
        match self.settings.kind {
            Kind::Lstm => self.lstm(g, piece, state),
            Kind::Gru => self.gru(g, piece, state.h),
            Kind::Rnn => {
                let from_state = self.of_state.of(g, state.h);
                let sum = g.add(piece, from_state);
                let h = self.activated(g, 0, sum);
                State { h, c: h }
            }
        }
    }

    /// `c' = f ⊙ c + i ⊙ g(…)`, `h' = o ⊙ h(c')`
    fn lstm(&self, g: &mut Graph, piece: Wire, state: &State) -> State {
        let from_state = self.of_state.of(g, state.h);
        let sum = g.add(piece, from_state);
        let gates = split(g, sum, 1, 4);
        let seen = |g: &mut Graph, gate: Wire, peephole: usize, c: Wire| match self.peepholes {
            Some(peepholes) => {
                let seen = g.mul(peepholes[peephole], c);
                g.add(gate, seen)
            }
            None => gate,
        };
        let i = seen(g, gates[0], 0, state.c);
        let i = self.activated(g, 0, i);
        let f = match self.settings.input_forget {
            true => one_minus(g, i),
            false => {
                let f = seen(g, gates[2], 2, state.c);
                self.activated(g, 0, f)
            }
        };
        let candidate = self.activated(g, 1, gates[3]);
        let (kept, added) = (g.mul(f, state.c), g.mul(i, candidate));
        let c = g.add(kept, added);
        let o = seen(g, gates[1], 1, c);
        let o = self.activated(g, 0, o);
        let shown = self.activated(g, 2, c);
        State { h: g.mul(o, shown), c }
    }

    /// `h' = (1 − z) ⊙ g(…) + z ⊙ h`
    fn gru(&self, g: &mut Graph, piece: Wire, h: Wire) -> State {
        let n = self.settings.hidden as i64;
        let (x_gates, x_candidate) = (g.slice(piece, 1, 0, 2 * n), g.slice(piece, 1, 2 * n, 3 * n));
        let from_state = self.gates.of(g, h);
        let sum = g.add(x_gates, from_state);
        let gates = self.activated(g, 0, sum);
        let [z, reset] = [0, 1].map(|i| g.slice(gates, 1, i * n, (i + 1) * n));
        let from_state = match self.settings.linear_before_reset {
            true => {
                let product = self.candidate.of(g, h);
                g.mul(reset, product)
            }
            false => {
                let kept = g.mul(reset, h);
                self.candidate.of(g, kept)
            }
        };
        let sum = g.add(x_candidate, from_state);
        let candidate = self.activated(g, 1, sum);
        let rest = one_minus(g, z);
        let (new, old) = (g.mul(rest, candidate), g.mul(z, h));
        let h = g.add(new, old);
        State { h, c: h }
    }

    fn activated(&self, g: &mut Graph, which: usize, x: Wire) -> Wire {
        let x = match self.settings.clip {
            Some(clip) => {
                let (low, high) = (g.scalar(-clip, x), g.scalar(clip, x));
                g.node("Clip", &[x, low, high], &[])
            }
            None => x,
        };
        activation(g, &self.activations[which], x)
    }
}

fn activation(g: &mut Graph, function: &Activation, x: Wire) -> Wire {
    let alpha = ("alpha", Attribute::Float(function.alpha as f32));
    let beta = ("beta", Attribute::Float(function.beta as f32));
    match function.name.as_str() {
        "affine" => {
            let scaled = g.mul_scalar(x, function.alpha);
            g.add_scalar(scaled, function.beta)
        }
        "elu" => g.node("Elu", &[x], &[alpha]),
        "hardsigmoid" => g.node("HardSigmoid", &[x], &[alpha, beta]),
        "leakyrelu" => g.node("LeakyRelu", &[x], &[alpha]),
        "relu" => g.relu(x),
        "scaledtanh" => {
            let scaled = g.mul_scalar(x, function.beta);
            let tanh = g.tanh(scaled);
            g.mul_scalar(tanh, function.alpha)
        }
        "sigmoid" => g.sigmoid(x),
        "softplus" => g.node("Softplus", &[x], &[]),
        "softsign" => g.node("Softsign", &[x], &[]),
        "thresholdedrelu" => g.node("ThresholdedRelu", &[x], &[alpha]),
        _ => g.tanh(x),
    }
}

fn one_minus(g: &mut Graph, x: Wire) -> Wire {
    let one = g.scalar(1.0, x);
    g.sub(one, x)
}

/// Equal parts along an axis.
fn split(g: &mut Graph, x: Wire, axis: i64, n: usize) -> Vec<Wire> {
    let attributes = [("axis", Attribute::Int(axis)), ("num_outputs", Attribute::Int(n as i64))];
    g.node_outputs("Split", &[x], &attributes, n)
}
