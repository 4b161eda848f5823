//! Arithmetic and comparisons on numbers that may be lengths known by name alone.

use std::cmp::Ordering;

use super::Number::{self, Int, Length, Unknown};
use crate::types::Dim;

fn from_dim(dim: &Dim) -> Number {
    Number::from(dim)
}

/// A length that is no number; those come as [`Int`].
fn symbol(number: &Number) -> Option<(&std::sync::Arc<str>, usize)> {
    match number {
        Length(Dim::Symbol { name, times }) => Some((name, *times)),
        _ => None,
    }
}

pub(super) fn add(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Int(a), Int(b)) => a.checked_add(*b).map_or(Unknown, Int),
        (Int(0), other) | (other, Int(0)) => other.clone(),
        _ => from_dim(&a.dim().plus(&b.dim())),
    }
}

pub(super) fn sub(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Int(a), Int(b)) => a.checked_sub(*b).map_or(Unknown, Int),
        (other, Int(0)) => other.clone(),
        _ => match (symbol(a), symbol(b)) {
            (Some((x, m)), Some((y, n))) if x == y && m == n => Int(0),
            (Some((x, m)), Some((y, n))) if x == y && m > n => {
                Length(Dim::Symbol { name: x.clone(), times: m - n })
            }
            _ => Unknown,
        },
    }
}

pub(super) fn mul(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Int(a), Int(b)) => a.checked_mul(*b).map_or(Unknown, Int),
        (Int(1), other) | (other, Int(1)) => other.clone(),
        _ => from_dim(&a.dim().times(&b.dim())),
    }
}

/// Division as ONNX has it for integers: towards zero.
pub(super) fn div(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Int(a), Int(b)) => a.checked_div(*b).map_or(Unknown, Int),
        (other, Int(1)) => other.clone(),
        // Where it divides exactly only; what is cut off depends on the length.
        _ => match (symbol(a), b, symbol(b)) {
            (Some(_), Int(_), _) => from_dim(&a.dim().divided_by(&b.dim())),
            // A length of 0 by itself has no quotient, but then there is nothing to reshape either.
            (Some((x, m)), _, Some((y, n))) if x == y && m % n == 0 => Int((m / n) as i64),
            _ => Unknown,
        },
    }
}

/// The remainder with the divisor's sign, as `Mod` with `fmod = 0`.
pub(super) fn modulo(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Int(a), Int(b)) if *b != 0 => {
            let rest = a.checked_rem(*b).unwrap_or(0);
            Int(if rest != 0 && (rest < 0) != (*b < 0) { rest + b } else { rest })
        }
        (_, Int(b)) if *b > 0 => match symbol(a) {
            Some((_, times)) if times as i64 % b == 0 => Int(0),
            _ => Unknown,
        },
        _ => Unknown,
    }
}

pub(super) fn min(a: &Number, b: &Number) -> Number {
    match order(a, b) {
        Some(Ordering::Greater) => b.clone(),
        Some(_) => a.clone(),
        None => Unknown,
    }
}

pub(super) fn max(a: &Number, b: &Number) -> Number {
    match order(a, b) {
        Some(Ordering::Less) => b.clone(),
        Some(_) => a.clone(),
        None => Unknown,
    }
}

/// Which of two numbers is the larger, where that holds for every length. Equal ones may come in any order.
fn order(a: &Number, b: &Number) -> Option<Ordering> {
    match (a, b) {
        (Int(a), Int(b)) => Some(a.cmp(b)),
        (Int(n), Length(_)) if *n <= 0 => Some(Ordering::Less),
        (Int(n), Length(_)) if *n >= END => Some(Ordering::Greater),
        (Length(_), Int(_)) => order(b, a).map(Ordering::reverse),
        _ => match (symbol(a)?, symbol(b)?) {
            ((x, m), (y, n)) if x == y => Some(m.cmp(&n)),
            _ => None,
        },
    }
}

/// Beyond any axis: exporters write such numbers for "to the end".
const END: i64 = i32::MAX as i64;

pub(super) fn equal(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Unknown, _) | (_, Unknown) => Unknown,
        (Int(a), Int(b)) => truth(a == b),
        (Int(n), _) | (_, Int(n)) => {
            if *n < 0 {
                truth(false)
            } else {
                Unknown
            }
        }
        (a, b) => {
            if a == b {
                truth(true)
            } else {
                Unknown
            }
        }
    }
}

pub(super) fn less(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Int(a), Int(b)) => truth(a < b),
        // A length is at least 0.
        (Int(n), Length(_)) if *n < 0 => truth(true),
        (Length(_), Int(n)) if *n <= 0 => truth(false),
        (Length(a), Length(b)) if a == b => truth(false),
        _ => Unknown,
    }
}

pub(super) fn not(a: &Number) -> Number {
    match a {
        Int(n) => truth(*n == 0),
        _ => Unknown,
    }
}

pub(super) fn and(a: &Number, b: &Number) -> Number {
    match (a, b) {
        (Int(0), _) | (_, Int(0)) => truth(false),
        (Int(_), Int(_)) => truth(true),
        _ => Unknown,
    }
}

pub(super) fn or(a: &Number, b: &Number) -> Number {
    not(&and(&not(a), &not(b)))
}

pub(super) fn negated(a: &Number) -> Number {
    a.int().and_then(i64::checked_neg).map_or(Unknown, Int)
}

pub(super) fn absolute(a: &Number) -> Number {
    match a {
        Int(n) => n.checked_abs().map_or(Unknown, Int),
        other => other.clone(),
    }
}

/// `a` where the condition holds, else `b`.
pub(super) fn select(condition: &Number, a: &Number, b: &Number) -> Number {
    match condition {
        Int(0) => b.clone(),
        Int(_) => a.clone(),
        _ if a == b => a.clone(),
        _ => Unknown,
    }
}

fn truth(holds: bool) -> Number {
    Int(holds.into())
}
