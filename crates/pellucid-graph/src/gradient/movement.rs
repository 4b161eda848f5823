//! Ops that only move elements: their gradients move them back.

use super::{PlainRule, only};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            only(s.reshape_like(dy, x))
        },
        _ => return None,
    })
}
