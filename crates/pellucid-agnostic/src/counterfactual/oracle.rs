//! The model, asked in full batches, each state once, within a budget; and what met the outcome.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView1};
use pellucid_core::Work;

use super::outcome::Wanted;
use super::space::{Space, State};
use super::table::Table;
use crate::error::Error;
use crate::predictor::{Predictor, predict};

/// A state with what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) state: State,
    pub(super) cost: f64,
    /// 0 or less: it meets the outcome.
    pub(super) shortfall: f64,
    /// No single column of it can be nearer to the row.
    pub(super) is_settled: bool,
}

/// Answers how far states are from the outcome, and remembers.
pub(super) struct Oracle<'a> {
    pub(super) space: &'a Space,
    predictor: &'a dyn Predictor,
    table: &'a Table,
    wanted: Wanted,
    work: &'a Work,
    known: BTreeMap<Vec<u64>, f64>,
    /// What met the outcome within the constraints, by state.
    found: BTreeMap<Vec<u64>, Member>,
    nearest_miss: Option<Member>,
    max_evaluations: usize,
    pub(super) evaluations: usize,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(
        predictor: &'a dyn Predictor,
        table: &'a Table,
        space: &'a Space,
        wanted: Wanted,
        max_evaluations: usize,
        work: &'a Work,
    ) -> Self {
        Self {
            space,
            predictor,
            table,
            wanted,
            work,
            known: BTreeMap::new(),
            found: BTreeMap::new(),
            nearest_miss: None,
            max_evaluations,
            evaluations: 0,
        }
    }

    /// The states with their shortfalls, infinite for those that no budget was left for.
    ///
    /// # Errors
    /// Whatever the model reports.
    pub(super) fn ask(&mut self, states: Vec<State>) -> Result<Vec<Member>, Error> {
        let keys: Vec<Vec<u64>> = states.iter().map(|state| key(state)).collect();
        let mut new: BTreeMap<&Vec<u64>, &State> = BTreeMap::new();
        for (key, state) in keys.iter().zip(&states) {
            if new.len() < self.left() && !self.known.contains_key(key) {
                new.insert(key, state);
            }
        }
        let asked: Vec<&State> = new.values().copied().collect();
        let outputs = self.outputs(&asked)?;
        self.evaluations += asked.len();
        for (key, outputs) in new.into_keys().zip(outputs.outer_iter()) {
            self.known.insert(key.clone(), self.wanted.shortfall(outputs));
        }
        let members: Vec<Member> =
            keys.iter().zip(states).map(|(key, state)| self.member(key, state)).collect();
        keys.into_iter().zip(&members).for_each(|(key, member)| self.remember(key, member));
        Ok(members)
    }

    fn member(&self, key: &Vec<u64>, state: State) -> Member {
        let shortfall = self.known.get(key).copied().unwrap_or(f64::INFINITY);
        Member { cost: self.space.cost(&state), state, shortfall, is_settled: false }
    }

    fn remember(&mut self, key: Vec<u64>, member: &Member) {
        if self.space.changed(&member.state).len() > self.space.max_changes {
            return;
        }
        if member.shortfall <= 0.0 {
            self.found.entry(key).or_insert_with(|| member.clone());
        } else if member.shortfall.is_finite() {
            let rank = |miss: &Member| (miss.shortfall, miss.cost);
            if self.nearest_miss.as_ref().is_none_or(|best| rank(member) < rank(best)) {
                self.nearest_miss = Some(member.clone());
            }
        }
    }

    /// What the model says now, whatever it said before.
    ///
    /// # Errors
    /// Whatever the model reports.
    pub(super) fn outputs(&self, states: &[&State]) -> Result<Array2<f64>, Error> {
        let mut rows = Array2::zeros((states.len(), self.table.width()));
        for (mut row, state) in rows.outer_iter_mut().zip(states) {
            row.assign(&self.table.encode(state));
        }
        predict(self.predictor, rows.into_dyn().view(), self.work)
    }

    pub(super) fn shortfall(&self, outputs: ArrayView1<'_, f64>) -> f64 {
        self.wanted.shortfall(outputs)
    }

    /// Evaluations that the budget leaves.
    pub(super) fn left(&self) -> usize {
        self.max_evaluations.saturating_sub(self.evaluations)
    }

    /// Remembers that no single step brings `member` nearer.
    pub(super) fn settle(&mut self, member: &Member) {
        if let Some(found) = self.found.get_mut(&key(&member.state)) {
            found.is_settled = true;
        }
    }

    /// What met the outcome, the least cost first, with at most `for_each_set` that change the same columns.
    pub(super) fn best(&self, n: usize, for_each_set: usize) -> Vec<Member> {
        let mut members: Vec<&Member> = self.found.values().collect();
        members.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        self.few_of_each_set(members.into_iter(), for_each_set).into_iter().take(n).cloned().collect()
    }

    /// What is chosen from: the best of what is settled; of everything, where that is less than `n_wanted`.
    pub(super) fn pool(&self, n: usize, n_wanted: usize) -> Vec<Member> {
        let all = self.best(usize::MAX, usize::MAX);
        let settled: Vec<&Member> = all.iter().filter(|member| member.is_settled).collect();
        let members = if settled.len() < n_wanted { all.iter().collect() } else { settled };
        members.into_iter().take(n).cloned().collect()
    }

    /// Of members in some order, the first ones that change the same columns.
    pub(super) fn few_of_each_set<'m>(
        &self,
        members: impl Iterator<Item = &'m Member>,
        for_each_set: usize,
    ) -> Vec<&'m Member> {
        let mut of_set: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let has_room = |member: &&Member| {
            let n_same = of_set.entry(self.space.changed(&member.state)).or_default();
            *n_same += 1;
            *n_same <= for_each_set
        };
        members.filter(has_room).collect()
    }

    /// What came nearest to the outcome without meeting it.
    pub(super) fn nearest_miss(&self) -> Option<&Member> {
        self.nearest_miss.as_ref()
    }
}

/// The bits of a state; all missing values are the same.
fn key(state: &[f64]) -> Vec<u64> {
    let bits = |x: &f64| if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() };
    state.iter().map(bits).collect()
}
