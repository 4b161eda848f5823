//! Softmax and its logarithm, from their outputs.

use super::{PlainRule, only};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        // dx = y (dy − Σ dy y)
        "Softmax" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let axis = s.at().int("axis").unwrap_or(-1);
            let weighted = s.mul(dy, y);
            let sum = s.reduce_sum(weighted, &[axis], true);
            let centered = s.sub(dy, sum);
            only(s.mul(y, centered))
        },
        // dx = dy − eʸ Σ dy
        "LogSoftmax" => |s| {
            let (dy, y) = (s.gradient()?, s.output(0)?);
            let axis = s.at().int("axis").unwrap_or(-1);
            let sum = s.reduce_sum(dy, &[axis], true);
            let probability = s.exp(y);
            let share = s.mul(probability, sum);
            only(s.sub(dy, share))
        },
        _ => return None,
    })
}
