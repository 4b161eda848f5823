//! All that a row may become: one domain a column, and what a change costs.

use super::domain::{Domain, same};

/// Values of all columns.
pub(super) type State = Vec<f64>;

/// The domains of all columns of one row.
pub(super) struct Space {
    pub(super) domains: Vec<Domain>,
    /// Columns that can be had otherwise than in the base.
    pub(super) free: Vec<usize>,
    pub(super) max_changes: usize,
    pub(super) proximity_weight: f64,
    pub(super) sparsity_weight: f64,
}

impl Space {
    /// The row itself, or the nearest that its constraints admit.
    pub(super) fn base(&self) -> State {
        self.domains.iter().map(|domain| domain.base).collect()
    }

    /// Which columns differ from the row.
    pub(super) fn changed(&self, state: &[f64]) -> Vec<usize> {
        (0..state.len()).filter(|&column| !same(state[column], self.domains[column].own)).collect()
    }

    /// Which columns differ from the base: those that can be put back.
    pub(super) fn put_back(&self, state: &[f64]) -> Vec<usize> {
        (0..state.len()).filter(|&column| !same(state[column], self.domains[column].base)).collect()
    }

    /// `Σ |x − x'| / MAD` over numbers, and 1 for each category that differs.
    pub(super) fn distance(&self, state: &[f64]) -> f64 {
        self.domains.iter().zip(state).map(|(domain, &value)| domain.cost(value)).sum()
    }

    /// The distance of two states from each other.
    pub(super) fn between(&self, a: &[f64], b: &[f64]) -> f64 {
        self.domains.iter().zip(a.iter().zip(b)).map(|(domain, (&a, &b))| domain.between(a, b)).sum()
    }

    /// What one counterfactual adds to the objective: weighted distance and number of changes, a column each.
    pub(super) fn cost(&self, state: &[f64]) -> f64 {
        let (distance, changes) = (self.distance(state), self.changed(state).len() as f64);
        (self.proximity_weight * distance + self.sparsity_weight * changes) / self.domains.len() as f64
    }
}

/// A state with one column set.
pub(super) fn with(state: &[f64], column: usize, value: f64) -> State {
    let mut changed = state.to_vec();
    changed[column] = value;
    changed
}
