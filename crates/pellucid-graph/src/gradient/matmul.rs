//! Matrix products.

use super::{PlainRule, each};
use crate::backward::{Signals, Step};
use crate::graph::{Attribute, Wire};

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "MatMul" => matmul,
        _ => return None,
    })
}

/// `dA = dY Bᵀ`, `dB = Aᵀ dY`; the driver sums over broadcast batch axes.
fn matmul(s: &mut Step<'_>) -> Signals {
    let (dy, a, b) = (s.gradient()?, s.input(0)?, s.input(1)?);
    let (rank_a, rank_b) = (s.known_rank(a)?, s.known_rank(b)?);
    if rank_a == 1 || rank_b == 1 {
        return Err("a vector operand should have been lowered to a matrix".to_owned());
    }
    let da = s.needs(0).then(|| {
        let b_transposed = swapped(s, b, rank_b);
        s.matmul(dy, b_transposed)
    });
    let db = s.needs(1).then(|| {
        let a_transposed = swapped(s, a, rank_a);
        s.matmul(a_transposed, dy)
    });
    each([da, db])
}

/// The last two axes exchanged.
fn swapped(s: &mut Step<'_>, x: Wire, rank: usize) -> Wire {
    let mut order: Vec<i64> = (0..rank as i64).collect();
    order.swap(rank - 1, rank - 2);
    s.node("Transpose", &[x], &[("perm", Attribute::Ints(order))])
}
