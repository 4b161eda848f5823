//! Softmax and its relatives, group by group: no row sees another.
//!
//! With `z = log y = x − L`, `L = log Σ eˣ`, the multiplier from `z` to `y` is the logarithmic mean of the two outputs,
//! `λ = (y − y′) / (log y − log y′)`. All outputs sum to 1 at both ends, so `0 = Σ Δy = Σ λ (Δx − ΔL)`, and
//! `ΔL = Σ p Δx` with `p = λ / Σ λ`: exact, without negative weights, and the gradient where the ends meet.

use super::reduction::axes;
use super::{PlainRule, quotient_or};
use crate::backward::{Signals, Step};
use crate::gradient::only;
use crate::graph::{Attribute, Wire};

/// Below this distance of the logarithms, the mean is a series: it keeps the digits that the quotient loses.
const NEAR: f64 = 0.2;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        // m = λ (g − Σ p g)
        "Softmax" => |s| {
            let (g, y, x) = (s.gradient()?, s.output(0)?, s.input(0)?);
            let axis = s.at().int("axis").unwrap_or(-1);
            let twins = (s.twin(x)?, s.twin(y)?);
            let logarithm = log_softmax(s, x, axis);
            let logarithm_twin = log_softmax(s, twins.0, axis);
            let mean = logarithmic_mean(s, (y, twins.1), (logarithm, logarithm_twin));
            let share = share(s, mean, &[axis]);
            let weighted = s.mul(share, g);
            let sum = s.reduce_sum(weighted, &[axis], true);
            let centered = s.sub(g, sum);
            only(s.mul(mean, centered))
        },
        // m = g − p Σ g
        "LogSoftmax" => |s| {
            let (g, y) = (s.gradient()?, s.output(0)?);
            let axis = s.at().int("axis").unwrap_or(-1);
            let twin = s.twin(y)?;
            let probabilities = (s.exp(y), s.exp(twin));
            let mean = logarithmic_mean(s, probabilities, (y, twin));
            let share = share(s, mean, &[axis]);
            let sum = s.reduce_sum(g, &[axis], true);
            let taken = s.mul(share, sum);
            only(s.sub(g, taken))
        },
        "ReduceLogSumExp" => log_sum_exp,
        _ => return None,
    })
}

fn log_softmax(s: &mut Step<'_>, x: Wire, axis: i64) -> Wire {
    s.node("LogSoftmax", &[x], &[("axis", Attribute::Int(axis))])
}

/// `λ / Σ λ` over each group.
fn share(s: &mut Step<'_>, mean: Wire, axes: &[i64]) -> Wire {
    let sum = s.reduce_sum(mean, axes, true);
    s.div(mean, sum)
}

/// `(y − y′) / (z − z′)` of numbers and their logarithms; near each other `(y + y′)/2 · (1 − δ²/12 + δ⁴/120)`, with
/// `δ = z − z′`; 0 where both numbers are 0 (masked: their logarithms are −∞).
pub(super) fn logarithmic_mean(
    s: &mut Step<'_>,
    (y, y_twin): (Wire, Wire),
    (z, z_twin): (Wire, Wire),
) -> Wire {
    let (delta, dy, sum) = (s.sub(z, z_twin), s.sub(y, y_twin), s.add(y, y_twin));
    let distance = s.abs(delta);
    let near = s.less_scalar(distance, NEAR);
    let square = s.mul(delta, delta);
    let fourth = s.mul_scalar(square, 1.0 / 240.0);
    let bend = s.add_scalar(fourth, -1.0 / 24.0);
    let bend = s.mul(square, bend);
    let factor = s.add_scalar(bend, 0.5);
    let series = s.mul(sum, factor);
    let mean = quotient_or(s, dy, delta, near, series);
    let alive = s.greater_scalar(sum, 0.0);
    s.keep_where(alive, mean)
}

/// `m = p g`
fn log_sum_exp(s: &mut Step<'_>) -> Signals {
    let (g, x, y) = (s.gradient()?, s.input(0)?, s.output(0)?);
    let axes = axes(s)?;
    let kept = s.at().int("keepdims").unwrap_or(1) != 0 || axes.is_empty();
    let (x_twin, y_twin) = (s.twin(x)?, s.twin(y)?);
    let [g, y, y_twin] = [g, y, y_twin].map(|wire| if kept { wire } else { s.unsqueeze(wire, &axes) });
    let (z, z_twin) = (s.sub(x, y), s.sub(x_twin, y_twin));
    let probabilities = (s.exp(z), s.exp(z_twin));
    let mean = logarithmic_mean(s, probabilities, (z, z_twin));
    let share = share(s, mean, &axes);
    only(s.mul(share, g))
}
