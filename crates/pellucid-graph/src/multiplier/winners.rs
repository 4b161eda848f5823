//! The largest (smallest) of several: where it is larger at the input, the input's winner brought the difference about,
//! else the baseline's. Its own difference is never the smaller one, so that multipliers lie between 0 and 1.
//!
//! With `y ≥ y′`, the input's winner `w` has `x_w = y` and `x′_w ≤ y′`: all of Δy goes to it, `m_w = Δy / Δx_w`.

use super::{PlainRule, difference, quotient_or, twins_of};
use crate::backward::{Signal, Signals, Step};
use crate::gradient::find;
use crate::graph::Wire;
use crate::part::Part;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "MaxPool" | "GlobalMaxPool" | "ReduceMax" | "Max" => |s| by_winners(s, Part::Positive),
        "ReduceMin" | "Min" => |s| by_winners(s, Part::Negative),
        _ => return None,
    })
}

/// `wins`: the part of the output's difference that the input's winner brought about. Who wins, and in what parts where
/// there are several, the gradient's rule says.
fn by_winners(s: &mut Step<'_>, wins: Part) -> Signals {
    let (g, y) = (s.gradient()?, s.output(0)?);
    let twin = s.twin(y)?;
    let (still, moved) = (s.equal(y, twin), s.sub(y, twin));
    let of_input = wins.of(s, moved);
    let of_baseline = s.sub(moved, of_input);
    let (at_input, at_baseline) = (s.mul(g, of_input), s.mul(g, of_baseline));
    let unmoved = s.keep_where(still, g);

    let (rule, node) = (find(&s.at().op).ok_or("the gradient table has no rule for it")?, s.at());
    let twins = (twins_of(s, &node.inputs)?, twins_of(s, &node.outputs)?);
    let routed = |s: &mut Step<'_>, at_twins: bool, signal: Wire| {
        let (inputs, outputs) = match at_twins {
            true => twins.clone(),
            false => (node.inputs.clone(), node.outputs.clone()),
        };
        s.elsewhere(rule, inputs, outputs, &[Some(signal.into())])
    };
    let (by_input, by_baseline) = (routed(s, false, at_input)?, routed(s, true, at_baseline)?);
    let of_unmoved = routed(s, false, unmoved)?;
    let mut signals = Vec::with_capacity(node.inputs.len());
    for (i, wire) in node.inputs.iter().enumerate() {
        let parts = [&by_input, &by_baseline, &of_unmoved].map(|all| all.get(i).copied().flatten());
        signals.push(match (wire, parts) {
            (Some(wire), [Some(a), Some(b), Some(c)]) if s.needs(i) => {
                Some(per_difference(s, *wire, [a, b, c].map(|signal| signal.parts().0))?)
            }
            _ => None,
        });
    }
    Ok(signals)
}

/// `(a + b) / Δx`, and `unmoved` where an element does not change.
fn per_difference(s: &mut Step<'_>, x: Wire, [a, b, unmoved]: [Wire; 3]) -> Result<Signal, String> {
    let (dx, twin) = (difference(s, x)?, s.twin(x)?);
    let still = s.equal(x, twin);
    let amount = s.add(a, b);
    Ok(quotient_or(s, amount, dx, still, unmoved).into())
}
