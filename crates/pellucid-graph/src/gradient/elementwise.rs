//! Element by element: arithmetic and activations.

use super::{PlainRule, each, only};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Identity" => |s| only(s.gradient()?),
        "Neg" => |s| {
            let dy = s.gradient()?;
            only(s.neg(dy))
        },
        "Add" => |s| {
            let dy = s.gradient()?;
            each([Some(dy), Some(dy)])
        },
        "Sub" => |s| {
            let dy = s.gradient()?;
            each([Some(dy), s.needs(1).then(|| s.neg(dy))])
        },
        "Mul" => |s| {
            let (dy, a, b) = (s.gradient()?, s.input(0)?, s.input(1)?);
            each([s.needs(0).then(|| s.mul(dy, b)), s.needs(1).then(|| s.mul(dy, a))])
        },
        // 0 at the kink, as PyTorch.
        "Relu" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            let positive = s.greater_scalar(x, 0.0);
            only(s.keep_where(positive, dy))
        },
        _ => return None,
    })
}
