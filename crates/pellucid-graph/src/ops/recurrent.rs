//! Recurrent layers: what their attributes say, and their values row by row, step by step, as ONNX writes the equations.

mod activation;
mod step;

pub(crate) use activation::Activation;

use super::{Call, Op, Site};
use crate::graph::Node;
use crate::tensor::Tensor;
use crate::types::{Dim, Type};
use step::{Direction, State};

pub(super) const OPS: &[Op] = &[
    Op { name: "LSTM", infer, evaluate },
    Op { name: "GRU", infer, evaluate },
    Op { name: "RNN", infer, evaluate },
];

/// Which recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lstm,
    Gru,
    Rnn,
}

impl Kind {
    /// How many blocks of `hidden` rows its weights have.
    pub(crate) fn n_gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Rnn => 1,
        }
    }
}

/// The attributes of a recurrent layer.
pub(crate) struct Settings {
    pub(crate) kind: Kind,
    pub(crate) hidden: usize,
    /// For each direction, whether it runs from the end.
    pub(crate) reversed: Vec<bool>,
    /// Whether the batch is the first axis (`layout` 1), the steps the second.
    pub(crate) batch_first: bool,
    /// What goes into an activation is held within ± this.
    pub(crate) clip: Option<f64>,
    /// `GRU`: the candidate's product with the state comes before the reset gate.
    pub(crate) linear_before_reset: bool,
    /// `LSTM`: the forget gate is 1 − the input gate.
    pub(crate) input_forget: bool,
    activations: Vec<Activation>,
}

impl Settings {
    pub(crate) fn of(node: &Node) -> Result<Self, String> {
        let (kind, defaults): (Kind, &[&str]) = match node.op.as_str() {
            "LSTM" => (Kind::Lstm, &["Sigmoid", "Tanh", "Tanh"]),
            "GRU" => (Kind::Gru, &["Sigmoid", "Tanh"]),
            _ => (Kind::Rnn, &["Tanh"]),
        };
        let hidden = node.int("hidden_size").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        let reversed = match node.string("direction").unwrap_or("forward") {
            "forward" => vec![false],
            "reverse" => vec![true],
            "bidirectional" => vec![false, true],
            other => return Err(format!("unknown direction `{other}`")),
        };
        let on = |name: &str| node.int(name).unwrap_or(0) != 0;
        Ok(Self {
            kind,
            hidden: hidden.ok_or("attribute `hidden_size` is missing or not positive")?,
            activations: Activation::of_node(node, defaults, reversed.len())?,
            reversed,
            batch_first: on("layout"),
            clip: node.float("clip").filter(|clip| *clip > 0.0),
            linear_before_reset: on("linear_before_reset"),
            input_forget: on("input_forget"),
        })
    }

    /// The activations of one direction, in the order of the equations: f, g, h.
    pub(crate) fn activations(&self, direction: usize) -> &[Activation] {
        let n = self.activations.len() / self.reversed.len();
        &self.activations[direction * n..][..n]
    }

    fn n_directions(&self) -> usize {
        self.reversed.len()
    }
}

/// All states `[steps, directions, batch, hidden]`, the last ones `[directions, batch, hidden]`, and of an LSTM its last
/// cells; the batch in front where `layout` is 1.
fn infer(site: &Site<'_>) -> Result<Vec<Type>, String> {
    let settings = Settings::of(site.node)?;
    let (element, shape) = (site.element(0)?, site.shape(0)?);
    let (directions, hidden) = (Dim::Known(settings.n_directions()), Dim::Known(settings.hidden));
    let (all, last) = match shape {
        None => (None, None),
        Some([batch, steps, _]) if settings.batch_first => (
            Some(vec![batch.clone(), steps.clone(), directions.clone(), hidden.clone()]),
            Some(vec![batch.clone(), directions, hidden]),
        ),
        Some([steps, batch, _]) => (
            Some(vec![steps.clone(), directions.clone(), batch.clone(), hidden.clone()]),
            Some(vec![directions, batch.clone(), hidden]),
        ),
        Some(other) => return Err(format!("expected [steps, batch, features], got {} axes", other.len())),
    };
    let last = Type { element, shape: last };
    Ok(vec![Type { element, shape: all }, last.clone(), last])
}

/// The lengths of a run, and where things lie in row-major order.
struct Layout {
    steps: usize,
    batch: usize,
    features: usize,
    directions: usize,
    hidden: usize,
    batch_first: bool,
}

impl Layout {
    fn of(call: &Call<'_>, settings: &Settings) -> Result<Self, String> {
        let &[first, second, features] = call.shape(0)? else {
            return Err(format!("expected [steps, batch, features], got shape {:?}", call.shape(0)?));
        };
        let (steps, batch) = if settings.batch_first { (second, first) } else { (first, second) };
        let (directions, hidden) = (settings.n_directions(), settings.hidden);
        Ok(Self { steps, batch, features, directions, hidden, batch_first: settings.batch_first })
    }

    fn input(&self, step: usize, row: usize) -> usize {
        self.features * if self.batch_first { row * self.steps + step } else { step * self.batch + row }
    }

    fn state(&self, direction: usize, row: usize) -> usize {
        self.hidden
            * if self.batch_first { row * self.directions + direction } else { direction * self.batch + row }
    }

    fn output(&self, step: usize, direction: usize, row: usize) -> usize {
        self.hidden
            * match self.batch_first {
                true => (row * self.steps + step) * self.directions + direction,
                false => (step * self.directions + direction) * self.batch + row,
            }
    }
}

fn evaluate(call: &Call<'_>) -> Result<Vec<Tensor>, String> {
    let settings = Settings::of(call.node)?;
    let layout = Layout::of(call, &settings)?;
    let x = call.floats(0)?;
    let n_states = layout.directions * layout.batch * layout.hidden;
    let mut all = vec![0.0; layout.steps * n_states];
    let (mut last, mut cells) = (vec![0.0; n_states], vec![0.0; n_states]);
    for d in 0..layout.directions {
        let direction = Direction::of(call, &settings, d, layout.features)?;
        for row in 0..layout.batch {
            let at = layout.state(d, row);
            let initial = |i: usize| initial_state(call, i, at, layout.hidden);
            let mut state = State { h: initial(5)?, c: initial(6)? };
            for step in order(n_steps(call, row, layout.steps)?, settings.reversed[d]) {
                direction.step(&mut state, &x[layout.input(step, row)..][..layout.features]);
                all[layout.output(step, d, row)..][..layout.hidden].copy_from_slice(&state.h);
            }
            last[at..][..layout.hidden].copy_from_slice(&state.h);
            cells[at..][..layout.hidden].copy_from_slice(&state.c);
        }
    }
    let (all_shape, last_shape) = match layout.batch_first {
        true => (vec![layout.batch, layout.steps, layout.directions], vec![layout.batch, layout.directions]),
        false => (vec![layout.steps, layout.directions, layout.batch], vec![layout.directions, layout.batch]),
    };
    let with_hidden = |shape: Vec<usize>| [shape, vec![layout.hidden]].concat();
    let (all_shape, last_shape) = (with_hidden(all_shape), with_hidden(last_shape));
    Ok(vec![Tensor::f64(&all_shape, all), Tensor::f64(&last_shape, last), Tensor::f64(&last_shape, cells)])
}

/// The steps of one row in the order of the direction.
fn order(n: usize, reversed: bool) -> Vec<usize> {
    if reversed { (0..n).rev().collect() } else { (0..n).collect() }
}

/// How many steps a row has.
fn n_steps(call: &Call<'_>, row: usize, all: usize) -> Result<usize, String> {
    let Some(lengths) = call.optional(4) else { return Ok(all) };
    let length = lengths.to_i64s().get(row).copied().ok_or("sequence_lens has too few numbers")?;
    usize::try_from(length)
        .ok()
        .filter(|n| *n <= all)
        .ok_or_else(|| format!("a sequence of {length} of {all} steps"))
}

/// The state that is given for one row, or zeros.
fn initial_state(call: &Call<'_>, i: usize, at: usize, hidden: usize) -> Result<Vec<f64>, String> {
    // Only an LSTM has cells.
    match call.optional(i) {
        Some(_) => {
            let given = call.floats(i)?.get(at..at + hidden).map(<[f64]>::to_vec);
            given.ok_or_else(|| format!("input {i} has too few numbers"))
        }
        None => Ok(vec![0.0; hidden]),
    }
}
