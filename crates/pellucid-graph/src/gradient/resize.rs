//! Resize by whole factors to the nearest element, the one form that is not lowered: sums over the copies.

use super::{PlainRule, only};
use crate::axis_map::reshape_to;
use crate::backward::{Signals, Step};
use crate::passes::kept_factors;
use crate::types::Dim;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Resize" => resize,
        _ => return None,
    })
}

fn resize(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let factors = kept_factors(s, s.at()).ok_or("this form of Resize has to be lowered first")?;
    let own = s.shape(x).ok_or("the shape of the input is unknown")?.to_vec();
    let mut shape = Vec::new();
    let mut summed = Vec::new();
    for (n, factor) in own.into_iter().zip(factors) {
        shape.push(n);
        if factor > 1 {
            summed.push(shape.len() as i64);
            shape.push(Dim::Known(factor));
        }
    }
    let apart = reshape_to(s, dy, &shape)?;
    only(s.reduce_sum(apart, &summed, false))
}
