//! Norms of vectors, and logarithms of sums.

use super::softmax::logarithmic_mean;
use super::{PlainRule, difference, quotient_or};
use crate::backward::Step;
use crate::gradient::{only, where_signal};
use crate::graph::Wire;
use crate::ops::reduction::reduced_axes;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        // Δ|x| / Δx of each element
        "ReduceL1" => |s| {
            let (g, x) = (s.gradient()?, s.input(0)?);
            let twin = s.twin(x)?;
            let (size, size_twin) = (s.abs(x), s.abs(twin));
            let (dx, dy, sign) = (difference(s, x)?, s.sub(size, size_twin), s.sign(x));
            let still = s.equal(x, twin);
            let slope = quotient_or(s, dy, dx, still, sign);
            let g = kept(s, g)?;
            only(s.mul(g, slope))
        },
        // (x + x′) / (y + y′), 0 between two zero vectors
        "ReduceL2" => |s| {
            let (g, x, y) = (s.gradient()?, s.input(0)?, s.output(0)?);
            let (x_twin, y_twin) = (s.twin(x)?, s.twin(y)?);
            let (sum, norms) = (s.add(x, x_twin), s.add(y, y_twin));
            let zero = s.scalar(0.0, norms);
            let still = s.equal(norms, zero);
            let rate = quotient_or(s, g, norms, still, zero);
            let rate = kept(s, rate)?;
            only(s.mul(rate, sum))
        },
        // Δ log Σx / ΔΣx: one over the logarithmic mean of the sums
        "ReduceLogSum" => |s| {
            let (g, x, y) = (s.gradient()?, s.input(0)?, s.output(0)?);
            let (x_twin, y_twin, axes) = (s.twin(x)?, s.twin(y)?, axes(s)?);
            let sums = (s.reduce_sum(x, &axes, true), s.reduce_sum(x_twin, &axes, true));
            let (g, logarithms) = (kept(s, g)?, (kept(s, y)?, kept(s, y_twin)?));
            let mean = logarithmic_mean(s, sums, logarithms);
            let m = s.div(g, mean);
            only(where_signal(s, g, m))
        },
        _ => return None,
    })
}

/// What the reduction made, with length 1 along the reduced axes.
fn kept(s: &mut Step<'_>, wire: Wire) -> Result<Wire, String> {
    let axes = axes(s)?;
    let kept = s.at().int("keepdims").unwrap_or(1) != 0 || axes.is_empty();
    Ok(if kept { wire } else { s.unsqueeze(wire, &axes) })
}

/// The axes that a reduction runs over.
pub(super) fn axes(s: &Step<'_>) -> Result<Vec<i64>, String> {
    let rank = s.known_rank(s.input(0)?)?;
    let given = match s.optional_input(1) {
        Some(wire) => Some(s.constant(wire).ok_or("its axes are known only at run time")?.to_i64s()),
        None => None,
    };
    let noop = s.at().int("noop_with_empty_axes").unwrap_or(0) != 0;
    Ok(reduced_axes(given.as_deref(), noop, rank)?.into_iter().map(|axis| axis as i64).collect())
}
