//! Reductions along axes.

use super::PlainRule;

pub(super) fn rule(_op: &str) -> Option<PlainRule> {
    None
}
