//! From the row outwards: one change, then two, then more, the most promising ones first.

use super::domain::{Domain, thin};
use super::oracle::{Member, Oracle};
use super::space::{State, with};
use crate::error::Error;

/// Values of one column that are tried alone.
const SINGLES: usize = 64;

/// Values of one column that are tried together with other changes.
const STEPS: usize = 6;

/// States that each level starts from.
const BEAM: usize = 48;

/// Of these, states that change the same columns.
const FOR_EACH_SET: usize = 3;

/// The most changes that are built up one by one.
const LEVELS: usize = 6;

/// Values of each column that bring the outcome nearer, or are the best there are.
pub(super) type Steps = Vec<Vec<f64>>;

/// Asks about single changes and, while too little is found, about more at once; gives the steps that are worth combining.
///
/// # Errors
/// Whatever the model reports.
pub(super) fn outward(oracle: &mut Oracle<'_>, enough: usize, budget: usize) -> Result<Steps, Error> {
    let base = oracle.space.base();
    let start = oracle.ask(vec![base.clone()])?;
    let singles: Vec<(usize, f64)> =
        oracle.space.free.iter().flat_map(|&j| alone(&oracle.space.domains[j], j)).collect();
    let members = oracle.ask(singles.iter().map(|&(column, value)| with(&base, column, value)).collect())?;
    let steps = steps(oracle, &singles, &members);
    let mut level = members;
    let most = oracle.space.max_changes.min(LEVELS);
    for n_changes in 2..=most {
        let has_enough = oracle.best(enough, FOR_EACH_SET).len() >= enough;
        if oracle.left() == 0 || oracle.evaluations > budget || has_enough && n_changes > 3 {
            break;
        }
        let beam = beam(oracle, &level, start[0].shortfall);
        let mut states: Vec<State> =
            beam.iter().flat_map(|member| one_more(oracle, &member.state, &steps)).collect();
        states.truncate(budget.saturating_sub(oracle.evaluations));
        level = oracle.ask(states)?;
    }
    Ok(steps)
}

fn alone(domain: &Domain, column: usize) -> Vec<(usize, f64)> {
    thin(&domain.values, SINGLES).into_iter().map(|value| (column, value)).collect()
}

/// For each column the values that no nearer value beats, and for categories the best ones.
fn steps(oracle: &Oracle<'_>, singles: &[(usize, f64)], members: &[Member]) -> Steps {
    let mut steps = vec![Vec::new(); oracle.space.domains.len()];
    for (column, steps) in steps.iter_mut().enumerate() {
        let domain = &oracle.space.domains[column];
        let mut tried: Vec<(f64, f64, f64)> = singles
            .iter()
            .zip(members)
            .filter(|((of, _), _)| *of == column)
            .map(|((_, value), member)| (domain.cost(*value), member.shortfall, *value))
            .collect();
        tried.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        if tried.iter().all(|one| one.0 == 1.0) {
            *steps = tried.iter().take(STEPS).map(|one| one.2).collect();
            continue;
        }
        let mut least = f64::INFINITY;
        let mut front = Vec::new();
        for (_, shortfall, value) in tried {
            if shortfall < least {
                least = shortfall;
                front.push(value);
            }
        }
        *steps = thin(&front, STEPS);
    }
    steps
}

/// Half of the beam is nearest to the outcome, half came nearest for what it cost.
fn beam<'m>(oracle: &Oracle<'_>, level: &'m [Member], start: f64) -> Vec<&'m Member> {
    let missing: Vec<&Member> = level.iter().filter(|member| member.shortfall > 0.0).collect();
    let gain = |member: &Member| (start - member.shortfall) / member.cost.max(f64::MIN_POSITIVE);
    let (mut nearest, mut cheapest) = (missing.clone(), missing);
    nearest.sort_by(|a, b| a.shortfall.total_cmp(&b.shortfall));
    cheapest.sort_by(|a, b| gain(b).total_cmp(&gain(a)));
    let half = |order: Vec<&'m Member>| {
        oracle.few_of_each_set(order.into_iter(), FOR_EACH_SET).into_iter().take(BEAM / 2)
    };
    half(nearest).chain(half(cheapest)).collect()
}

/// A state with each step of each column that it has not changed yet.
fn one_more(oracle: &Oracle<'_>, state: &[f64], steps: &Steps) -> Vec<State> {
    let changed = oracle.space.put_back(state);
    let others = oracle.space.free.iter().filter(|column| !changed.contains(column));
    others.flat_map(|&column| steps[column].iter().map(move |&value| with(state, column, value))).collect()
}
