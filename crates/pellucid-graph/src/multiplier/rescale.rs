//! The Rescale rule: a function of one number gets the quotient `Δy/Δx`. Where input and baseline are so near that the
//! quotient would be rounding alone, it gets the mean of the slopes at both.
//!
//! The quotient of a chain of such functions is the product of theirs, so that an activation written out in small ops
//! (GELU by erf, SiLU by sigmoid) has the multiplier of the whole.

use super::linear::{as_gradient, in_the_middle};
use super::{PlainRule, changing_inputs, difference, difference_as, quotient_or, twins_of};
use crate::backward::{Signal, Signals, Step};
use crate::gradient::{find, only, setting, where_signal};
use crate::graph::Wire;
use crate::tensor::ElementType;

/// Nearer than this, as a share of the function's own scale, the quotient in f32 has lost five of its seven digits, and
/// the mean of the slopes is off by its square.
pub(super) const NEAR: f64 = 4e-3;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Relu" => |s| {
            let x = s.input(0)?;
            let slope = ramp(s, x)?;
            let g = s.gradient()?;
            only(s.mul(g, slope))
        },
        "LeakyRelu" => |s| {
            let alpha = setting(s, "alpha", 0.01);
            let x = s.input(0)?;
            let (g, slope) = (s.gradient()?, ramp(s, x)?);
            let rest = s.mul_scalar(slope, 1.0 - alpha);
            let slope = s.add_scalar(rest, alpha);
            only(s.mul(g, slope))
        },
        "PRelu" => prelu,
        "Elu" => |s| quotient(s, Near::SameSide),
        "Sigmoid" | "Tanh" | "Erf" | "Gelu" | "Softplus" | "Sin" | "Cos" | "Atan" | "Asinh" => {
            |s| quotient(s, Near::Absolute)
        }
        "Exp" | "Sinh" | "Cosh" => |s| guarded(s, Near::Absolute),
        "Log" => |s| guarded(s, Near::Relative),
        "Pow" => pow,
        // Straight between their kinks, or singular: the quotient, unless nothing changes at all.
        "Abs" | "Clip" | "Sign" | "Floor" | "Ceil" | "Round" | "Mod" | "Tan" | "Asin" | "Acos" | "Acosh"
        | "Atanh" => |s| guarded(s, Near::Equal),
        "HardSigmoid" => hard_sigmoid,
        "QuantizeLinear" => quantize,
        // −1 / (x x′)
        "Reciprocal" => |s| {
            let (g, y) = (s.gradient()?, s.output(0)?);
            let twin = s.twin(y)?;
            let product = s.mul(y, twin);
            let product = s.mul(g, product);
            let m = s.neg(product);
            only(where_signal(s, g, m))
        },
        // 1 / (√x + √x′), 0 between two zeros
        "Sqrt" => |s| {
            let (g, y) = (s.gradient()?, s.output(0)?);
            let twin = s.twin(y)?;
            let sum = s.add(y, twin);
            let zero = s.scalar(0.0, sum);
            let still = s.equal(sum, zero);
            only(quotient_or(s, g, sum, still, zero))
        },
        _ => return None,
    })
}

/// `Δ max(x, 0) / Δx = (max(x, 0) + max(x′, 0)) / (|x| + |x′|)`: no difference of near numbers, exactly 1 or 0 on one side of
/// 0, the slope at `x` where nothing changes, and fewer passes over memory than a quotient that is guarded by a choice.
fn ramp(s: &mut Step<'_>, x: Wire) -> Result<Wire, String> {
    let twin = s.twin(x)?;
    let (high, high_twin, size, size_twin) = (s.relu(x), s.relu(twin), s.abs(x), s.abs(twin));
    let (highs, sizes) = (s.add(high, high_twin), s.add(size, size_twin));
    let least = if s.element(x) == ElementType::F16 { 1e-7 } else { 1e-30 };
    let least = s.scalar(least, x);
    let divisor = s.node("Max", &[sizes, least], &[]);
    Ok(s.div(highs, divisor))
}

/// `slope x + (1 − slope) max(x, 0)`, of constant slopes.
fn prelu(s: &mut Step<'_>) -> Signals {
    let (g, x, leak) = (s.gradient()?, s.input(0)?, s.input(1)?);
    if s.changes(leak)? {
        return Err("its slopes depend on the explained input".to_owned());
    }
    let ramp = ramp(s, x)?;
    let one = s.scalar(1.0, leak);
    let rest = s.sub(one, leak);
    let above = s.mul(rest, ramp);
    let slope = s.add(leak, above);
    only(s.mul(g, slope))
}

/// `α Δclip(x) / Δx`: the difference of clipped numbers is exact, that of outputs near each other is rounding.
fn hard_sigmoid(s: &mut Step<'_>) -> Signals {
    let (alpha, beta) = (setting(s, "alpha", 0.2), setting(s, "beta", 0.5));
    let (g, x) = (s.gradient()?, s.input(0)?);
    let twin = s.twin(x)?;
    let (low, high) = (s.scalar(-beta / alpha, x), s.scalar((1.0 - beta) / alpha, x));
    let clipped = s.node("Clip", &[x, low, high], &[]);
    let clipped_twin = s.node("Clip", &[twin, low, high], &[]);
    let (dx, dy, still) = (s.sub(x, twin), s.sub(clipped, clipped_twin), s.equal(x, twin));
    let amount = s.mul(g, dy);
    let amount = s.mul_scalar(amount, alpha);
    let limit = limit(s, 0, Near::Equal)?;
    only(quotient_or(s, amount, dx, still, limit))
}

/// `g Δq / Δx`, the integers taken as numbers, so that with the linear op behind it the rounded numbers have their quotient.
fn quantize(s: &mut Step<'_>) -> Signals {
    if changing_inputs(s)? != [0] {
        return Err("its scale depends on the explained input".to_owned());
    }
    let (g, x, q) = (s.gradient()?, s.input(0)?, s.output(0)?);
    let (dx, dq) = (difference(s, x)?, difference_as(s, q, x)?);
    let still = nearness(s, x, dx, Near::Equal)?;
    let limit = limit(s, 0, Near::Equal)?;
    let amount = s.mul(g, dq);
    only(quotient_or(s, amount, dx, still, limit))
}

/// Squares are quadratic; other powers have the quotient.
fn pow(s: &mut Step<'_>) -> Signals {
    let exponent =
        s.constant(s.input(1)?).filter(|tensor| tensor.len() == 1).map(|tensor| tensor.to_f64s()[0]);
    match exponent {
        Some(2.0) => in_the_middle(s),
        Some(0.0 | 1.0) => as_gradient(s),
        _ if changing_inputs(s)? == [0] => guarded(s, Near::Relative),
        _ => guarded(s, Near::Equal),
    }
}

/// Which inputs are too near to their baseline for a quotient.
#[derive(Clone, Copy)]
enum Near {
    /// Those that are equal to it.
    Equal,
    /// Those no further than [`NEAR`]: functions that bend on the scale of 1.
    Absolute,
    /// The same, unless a kink at 0 lies between.
    SameSide,
    /// Those no further than [`NEAR`] times their size: functions without a scale.
    Relative,
}

/// The quotient, and 0 where no signal arrives: what a `Where` did not take must not send `0 · ∞`.
fn guarded(s: &mut Step<'_>, near: Near) -> Signals {
    let g = s.gradient()?;
    let signals = quotient(s, near)?;
    let silence = |signal: Option<Signal>| match signal {
        Some(Signal::One(wire)) => Some(Signal::One(where_signal(s, g, wire))),
        other => other,
    };
    Ok(signals.into_iter().map(silence).collect())
}

/// `g Δy/Δx` for the one input that changes.
fn quotient(s: &mut Step<'_>, near: Near) -> Signals {
    let i = match changing_inputs(s)?.as_slice() {
        [i] => *i,
        _ => return Err("more than one of its inputs depends on the explained input".to_owned()),
    };
    let (g, x, y) = (s.gradient()?, s.input(i)?, s.output(0)?);
    let (dx, dy) = (difference(s, x)?, difference(s, y)?);
    let near_wire = nearness(s, x, dx, near)?;
    let limit = limit(s, i, near)?;
    let amount = s.mul(g, dy);
    let m = quotient_or(s, amount, dx, near_wire, limit);
    let mut signals = vec![None; i];
    signals.push(Some(m.into()));
    Ok(signals)
}

fn nearness(s: &mut Step<'_>, x: Wire, dx: Wire, near: Near) -> Result<Wire, String> {
    let twin = s.twin(x)?;
    Ok(match near {
        Near::Equal => s.equal(x, twin),
        Near::Absolute => {
            let distance = s.abs(dx);
            s.less_scalar(distance, NEAR)
        }
        Near::SameSide => {
            let distance = s.abs(dx);
            let (close, product) = (s.less_scalar(distance, NEAR), s.mul(x, twin));
            let same_side = s.greater_scalar(product, 0.0);
            let (close_there, still) = (s.and(close, same_side), s.equal(x, twin));
            s.or(close_there, still)
        }
        Near::Relative => {
            let (distance, size, size_twin) = (s.abs(dx), s.abs(x), s.abs(twin));
            let sum = s.add(size, size_twin);
            let reach = s.mul_scalar(sum, NEAR / 2.0);
            let (close, still) = (s.less(distance, reach), s.equal(x, twin));
            s.or(close, still)
        }
    })
}

/// `g` times the slope where the quotient has none: at the input, or the mean of both ends.
fn limit(s: &mut Step<'_>, i: usize, near: Near) -> Result<Wire, String> {
    let (g, node) = (s.gradient()?, s.at());
    let at_input = slope(s, i, g, node.inputs.clone(), node.outputs.clone())?;
    if matches!(near, Near::Equal) {
        return Ok(at_input);
    }
    let (inputs, outputs) = (twins_of(s, &node.inputs)?, twins_of(s, &node.outputs)?);
    let at_baseline = slope(s, i, g, inputs, outputs)?;
    let sum = s.add(at_input, at_baseline);
    Ok(s.mul_scalar(sum, 0.5))
}

/// The gradient's answer for input `i`; zeros where it has none.
pub(super) fn slope(
    s: &mut Step<'_>,
    i: usize,
    g: Wire,
    inputs: Vec<Option<Wire>>,
    outputs: Vec<Option<Wire>>,
) -> Result<Wire, String> {
    let rule = find(&s.at().op).ok_or("the gradient table has no rule for it")?;
    let signals = s.elsewhere(rule, inputs, outputs, &[Some(g.into())])?;
    Ok(match signals.get(i).copied().flatten() {
        Some(signal) => signal.parts().0,
        None => s.zeros_like(g),
    })
}
