//! From real examples towards the row: what can be put back is put back, and what cannot comes as near as it can.

use rand_chacha::rand_core::Rng;

use pellucid_core::Draws;

use super::oracle::{Member, Oracle};
use super::space::{State, with};
use crate::error::Error;

/// Examples that are moved; half of them the nearest ones, half drawn.
const EXAMPLES: usize = 24;

/// Moves examples that have the outcome, after what the constraints make of them, towards the row.
///
/// # Errors
/// Whatever the model reports.
pub(super) fn inward(oracle: &mut Oracle<'_>, examples: &[&State], draws: &Draws) -> Result<(), Error> {
    let project = |example: &&State| -> State {
        oracle
            .space
            .domains
            .iter()
            .zip(example.iter())
            .map(|(domain, &value)| domain.project(value))
            .collect()
    };
    let mut projected: Vec<State> = examples.iter().map(project).collect();
    projected.sort_by(|a, b| oracle.space.cost(a).total_cmp(&oracle.space.cost(b)));
    let drawn = projected.split_off(projected.len().min(EXAMPLES / 2));
    let mut generator = draws.draw(0);
    let mut picks: Vec<(u64, State)> = drawn.into_iter().map(|state| (generator.next_u64(), state)).collect();
    picks.sort_by_key(|(pick, _)| *pick);
    projected.extend(picks.into_iter().take(EXAMPLES / 2).map(|(_, state)| state));
    let members = oracle.ask(projected)?;
    nearer(oracle, members).map(|_| ())
}

/// Members that meet the outcome, each moved towards the row while a single column can be: put back to the base, or set to a
/// value nearer to the row's. Of all steps that keep the outcome the one that saves most is taken.
///
/// # Errors
/// Whatever the model reports.
pub(super) fn nearer(oracle: &mut Oracle<'_>, members: Vec<Member>) -> Result<Vec<Member>, Error> {
    let mut moving: Vec<Member> = members.into_iter().filter(|member| member.shortfall <= 0.0).collect();
    let mut still = Vec::new();
    while !moving.is_empty() && oracle.left() > 0 {
        let choices: Vec<Vec<State>> =
            moving.iter().map(|member| steps_back(oracle, &member.state)).collect();
        let lengths: Vec<usize> = choices.iter().map(Vec::len).collect();
        let asked = oracle.ask(choices.into_iter().flatten().collect())?;
        let mut rest = &asked[..];
        let mut next = Vec::new();
        for (member, n) in moving.into_iter().zip(lengths) {
            let (own, others) = rest.split_at(n);
            rest = others;
            let valid = own.iter().filter(|step| step.shortfall <= 0.0 && step.cost < member.cost);
            match valid.min_by(|a, b| a.cost.total_cmp(&b.cost)) {
                Some(step) => next.push(step.clone()),
                // Where the budget ended, what was not asked about may still be nearer.
                None => {
                    if own.iter().all(|step| step.shortfall.is_finite()) {
                        oracle.settle(&member);
                    }
                    still.push(member);
                }
            }
        }
        moving = without_copies(next);
    }
    still.extend(moving);
    Ok(still)
}

/// Ways that meet are one way from there.
fn without_copies(members: Vec<Member>) -> Vec<Member> {
    let mut kept: Vec<Member> = Vec::new();
    for member in members {
        if !kept.iter().any(|other| other.state == member.state) {
            kept.push(member);
        }
    }
    kept
}

/// All states that are one column nearer to the row.
fn steps_back(oracle: &Oracle<'_>, state: &[f64]) -> Vec<State> {
    let mut states = Vec::new();
    for column in oracle.space.put_back(state) {
        let domain = &oracle.space.domains[column];
        states.push(with(state, column, domain.base));
        let ladder = domain.ladder(state[column]).into_iter();
        states.extend(ladder.map(|value| with(state, column, value)));
    }
    states
}
