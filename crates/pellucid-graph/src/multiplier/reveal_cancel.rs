//! The RevealCancel rule: a function of one number gets a multiplier for what raised its input and another for what lowered
//! it, so that terms which cancel each other keep their say. [`Signal::Pair`] is the pair of both.
//!
//! A sum hands `m⁺` to the terms above 0 and `m⁻` to those below, so that behind it there is one multiplier again. Ops for
//! which the paper has no rule take the one by the sign of their difference, and have the rule of the other table.

use super::rescale::{NEAR, slope};
use super::split::{Kind, by_its_sign, factor_parts, is_smooth, is_subtracted, of_sign};
use super::{PlainRule, difference, quotient_or};
use crate::backward::{Signal, Signals, Step};
use crate::gradient::find;
use crate::graph::{Node, Wire};

/// The signals of a node that `whole` would hand one difference on by.
pub(super) fn send(s: &mut Step<'_>, whole: PlainRule) -> Signals {
    let node = s.at();
    let changing: Vec<Wire> =
        node.inputs.iter().flatten().copied().filter(|wire| s.changes(*wire) == Ok(true)).collect();
    let kind = Kind::of(node, &|wire| changing.contains(&wire));
    let paired = (0..node.outputs.len()).any(|i| matches!(s.signal(i), Some(Signal::Pair(..))));
    match kind {
        Kind::Bend if has_parts(s) => bend(s),
        _ if !paired => whole(s),
        Kind::Weighted { x } => weighted(s, x),
        Kind::Sum => sum(s),
        Kind::Scale { x, by } => {
            let input = s.input(x)?;
            let (rising, falling) = factor_parts(s, by, input);
            let (up, down) = signal_parts(s)?;
            let mut mixed = |a: Wire, b: Wire| {
                let (a, b) = (s.mul(rising, a), s.mul(falling, b));
                s.add(a, b)
            };
            let pair = Signal::Pair(mixed(up, down), mixed(down, up));
            Ok((0..=x).map(|i| (i == x).then_some(pair)).collect())
        }
        Kind::Move => {
            let (up, down) = each_part(s, whole)?;
            let both = up.into_iter().zip(down).map(|(up, down)| up.zip(down));
            Ok(both.map(|both| both.map(|(up, down)| Signal::Pair(up, down))).collect())
        }
        Kind::Bend | Kind::Whole => {
            let signals = whole_signals(s)?;
            s.elsewhere(whole, node.inputs.clone(), node.outputs.clone(), &signals)
        }
    }
}

/// Whether a sum made input 0: other differences are all positive or all negative, and Rescale is the same.
fn has_parts(s: &Step<'_>) -> bool {
    s.optional_input(0).is_some_and(|wire| s.annotation(wire).is_some())
}

/// Δ⁺ and Δ⁻ of a wire.
pub(super) fn parts(s: &mut Step<'_>, wire: Wire) -> Result<(Wire, Wire), String> {
    match s.annotation(wire) {
        Some(parts) => Ok(parts),
        None => {
            let difference = difference(s, wire)?;
            Ok(by_its_sign(s, difference))
        }
    }
}

fn signal_parts(s: &Step<'_>) -> Result<(Wire, Wire), String> {
    s.signal(0).map(Signal::parts).ok_or_else(|| "no signal arrived at output 0".to_owned())
}

/// One multiplier for each output, by the sign of its difference.
fn whole_signals(s: &mut Step<'_>) -> Result<Vec<Option<Signal>>, String> {
    let mut signals = Vec::new();
    for (i, wire) in s.at().outputs.iter().enumerate() {
        signals.push(match (*wire, s.signal(i)) {
            (Some(wire), Some(Signal::Pair(up, down))) => {
                let difference = difference(s, wire)?;
                Some(of_sign(s, difference, (up, down)).into())
            }
            (_, signal) => signal,
        });
    }
    Ok(signals)
}

/// A wire for each input that gets one.
type Wires = Vec<Option<Wire>>;

/// What a rule sends of the multipliers for the positive parts, and of those for the negative ones.
fn each_part(s: &mut Step<'_>, rule: PlainRule) -> Result<(Wires, Wires), String> {
    let node = s.at();
    let arrived: Vec<Option<Signal>> = (0..node.outputs.len()).map(|i| s.signal(i)).collect();
    let mut sent = |part: fn((Wire, Wire)) -> Wire| -> Result<Wires, String> {
        let signals: Vec<Option<Signal>> =
            arrived.iter().map(|signal| signal.map(|signal| part(signal.parts()).into())).collect();
        let sent = s.elsewhere(rule, node.inputs.clone(), node.outputs.clone(), &signals)?;
        Ok(sent.into_iter().map(|signal| signal.map(|signal| signal.parts().0)).collect())
    };
    Ok((sent(|parts| parts.0)?, sent(|parts| parts.1)?))
}

/// `m⁺` for terms `w Δx` above 0, `m⁻` for those below.
fn weighted(s: &mut Step<'_>, x: usize) -> Signals {
    let (input, weights) = (s.input(x)?, s.input(1 - x)?);
    let (rising, falling) = by_its_sign(s, weights);
    let of_rising = back(s, x, rising)?;
    let of_falling = back(s, x, falling)?;
    let raised = s.add(of_rising.0, of_falling.1);
    let lowered = s.add(of_rising.1, of_falling.0);
    let difference = difference(s, input)?;
    let signal = of_sign(s, difference, (raised, lowered));
    Ok((0..=x).map(|i| (i == x).then_some(signal.into())).collect())
}

/// `wᵀ m⁺` and `wᵀ m⁻`.
fn back(s: &mut Step<'_>, x: usize, weights: Wire) -> Result<(Wire, Wire), String> {
    let (up, down) = signal_parts(s)?;
    let rule = find(&s.at().op).ok_or("the gradient table has no rule for it")?;
    let mut node = s.at().clone();
    node.inputs[1 - x] = Some(weights);
    let needed = [x == 0, x == 1];
    let mut sent = |m: Wire| match s.apply(rule, &node, m, &needed)?.get(x) {
        Some(Some(Signal::One(wire))) => Ok(*wire),
        _ => Err("the gradient's rule gave nothing".to_owned()),
    };
    Ok((sent(up)?, sent(down)?))
}

/// The same where all weights are above 0, or −1.
fn sum(s: &mut Step<'_>) -> Signals {
    let node = s.at();
    let rule = find(&node.op).ok_or("the gradient table has no rule for it")?;
    let (up, down) = each_part(s, rule)?;
    let mut signals = vec![None; node.inputs.len()];
    for (i, both) in up.into_iter().zip(down).enumerate() {
        if let (Some((up, down)), Some(wire), true) = (both.0.zip(both.1), node.inputs[i], s.needs(i)) {
            let difference = difference(s, wire)?;
            let by_sign = if is_subtracted(node, i) { (down, up) } else { (up, down) };
            signals[i] = Some(of_sign(s, difference, by_sign).into());
        }
    }
    Ok(signals)
}

/// `m⁺ Δy⁺/Δ⁺` and `m⁻ Δy⁻/Δ⁻`. Where a part is too small for a quotient, it has the mean of the slopes where it begins
/// and ends, before and after the other.
fn bend(s: &mut Step<'_>) -> Signals {
    let (x, y) = (s.input(0)?, s.output(0)?);
    let (of_x, of_y, signals) = (parts(s, x)?, parts(s, y)?, signal_parts(s)?);
    let twin = s.twin(x)?;
    let ends = [x, twin, s.add(twin, of_x.0), s.add(twin, of_x.1)];
    let mut quotient = |m: Wire, dy: Wire, dx: Wire| -> Result<Wire, String> {
        let near = match is_smooth(&s.at().op) {
            true => {
                let distance = s.abs(dx);
                s.less_scalar(distance, NEAR)
            }
            false => {
                let zero = s.scalar(0.0, dx);
                s.equal(dx, zero)
            }
        };
        let limit = mean_slope(s, m, &ends)?;
        let amount = s.mul(m, dy);
        Ok(quotient_or(s, amount, dx, near, limit))
    };
    let pair = (quotient(signals.0, of_y.0, of_x.0)?, quotient(signals.1, of_y.1, of_x.1)?);
    Ok(vec![Some(Signal::Pair(pair.0, pair.1))])
}

/// `m` times the mean of the function's slopes at some inputs.
fn mean_slope(s: &mut Step<'_>, m: Wire, ends: &[Wire]) -> Result<Wire, String> {
    let node = s.at();
    let mut sum = None;
    for end in ends {
        let mut inputs = node.inputs.clone();
        inputs[0] = Some(*end);
        let copy = Node { name: String::new(), inputs: inputs.clone(), outputs: Vec::new(), ..node.clone() };
        let outputs = s.add_node(copy, &[Some("")]);
        let slope = slope(s, 0, m, inputs, outputs)?;
        sum = Some(sum.map_or(slope, |sum| s.add(sum, slope)));
    }
    let sum = sum.ok_or("no end to take a slope at")?;
    Ok(s.mul_scalar(sum, 1.0 / ends.len() as f64))
}
