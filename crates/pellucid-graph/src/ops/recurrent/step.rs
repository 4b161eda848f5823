//! One step of one row: the equations of ONNX's `LSTM`, `GRU` and `RNN`, number by number.

use super::{Activation, Kind, Settings};
use crate::ops::Call;

/// What a row carries from step to step; the cells are an LSTM's alone.
pub(super) struct State {
    pub(super) h: Vec<f64>,
    pub(super) c: Vec<f64>,
}

/// The parameters of one direction.
pub(super) struct Direction<'a> {
    settings: &'a Settings,
    activations: &'a [Activation],
    /// `[gates · hidden, features]`
    w: &'a [f64],
    /// `[gates · hidden, hidden]`
    r: &'a [f64],
    /// Those of `w`, then those of `r`.
    biases: Vec<f64>,
    /// `[3 · hidden]`
    peepholes: Vec<f64>,
    features: usize,
}

impl<'a> Direction<'a> {
    pub(super) fn of(
        call: &Call<'a>,
        settings: &'a Settings,
        direction: usize,
        features: usize,
    ) -> Result<Self, String> {
        let (rows, hidden) = (settings.kind.n_gates() * settings.hidden, settings.hidden);
        let part = |i: usize, n: usize| -> Result<&'a [f64], String> {
            let own = call.floats(i)?.get(direction * n..(direction + 1) * n);
            own.ok_or_else(|| format!("input {i} has too few numbers"))
        };
        let or_zeros = |i: usize, n: usize| match call.optional(i) {
            Some(_) => part(i, n).map(<[f64]>::to_vec),
            None => Ok(vec![0.0; n]),
        };
        Ok(Self {
            settings,
            activations: settings.activations(direction),
            w: part(1, rows * features)?,
            r: part(2, rows * hidden)?,
            biases: or_zeros(3, 2 * rows)?,
            peepholes: or_zeros(7, 3 * hidden)?,
            features,
        })
    }

    /// Moves the state on by one step.
    pub(super) fn step(&self, state: &mut State, x: &[f64]) {
        match self.settings.kind {
            Kind::Lstm => self.lstm(state, x),
            Kind::Gru => self.gru(state, x),
            Kind::Rnn => {
                let value =
                    |j: usize| self.activated(0, self.input_term(0, j, x) + self.state_term(0, j, &state.h));
                state.h = (0..self.settings.hidden).map(value).collect();
            }
        }
    }

    /// Gates in the order i o f c, peepholes i o f.
    fn lstm(&self, state: &mut State, x: &[f64]) {
        let n = self.settings.hidden;
        let gate = |gate: usize, j: usize| self.input_term(gate, j, x) + self.state_term(gate, j, &state.h);
        let (mut h, mut c) = (vec![0.0; n], vec![0.0; n]);
        for j in 0..n {
            let i = self.activated(0, gate(0, j) + self.peepholes[j] * state.c[j]);
            let f = match self.settings.input_forget {
                true => 1.0 - i,
                false => self.activated(0, gate(2, j) + self.peepholes[2 * n + j] * state.c[j]),
            };
            c[j] = f * state.c[j] + i * self.activated(1, gate(3, j));
            let o = self.activated(0, gate(1, j) + self.peepholes[n + j] * c[j]);
            h[j] = o * self.activated(2, c[j]);
        }
        *state = State { h, c };
    }

    /// Gates in the order z r h.
    fn gru(&self, state: &mut State, x: &[f64]) {
        let n = self.settings.hidden;
        let gate = |gate: usize, j: usize| {
            self.activated(0, self.input_term(gate, j, x) + self.state_term(gate, j, &state.h))
        };
        let reset: Vec<f64> = (0..n).map(|j| gate(1, j)).collect();
        let kept: Vec<f64> = (0..n).map(|j| reset[j] * state.h[j]).collect();
        let candidate = |j: usize| {
            let from_state = match self.settings.linear_before_reset {
                true => reset[j] * self.state_term(2, j, &state.h),
                false => self.state_term(2, j, &kept),
            };
            self.activated(1, self.input_term(2, j, x) + from_state)
        };
        let value = |j: usize| {
            let z = gate(0, j);
            (1.0 - z) * candidate(j) + z * state.h[j]
        };
        state.h = (0..n).map(value).collect();
    }

    fn activated(&self, which: usize, x: f64) -> f64 {
        let held = self.settings.clip.map_or(x, |clip| x.clamp(-clip, clip));
        self.activations[which].of(held)
    }

    fn input_term(&self, gate: usize, j: usize, x: &[f64]) -> f64 {
        let row = gate * self.settings.hidden + j;
        dot(&self.w[row * self.features..][..self.features], x) + self.biases[row]
    }

    fn state_term(&self, gate: usize, j: usize, h: &[f64]) -> f64 {
        let (row, n) = (gate * self.settings.hidden + j, self.settings.hidden);
        dot(&self.r[row * n..][..n], h) + self.biases[self.settings.kind.n_gates() * n + row]
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
