//! Others like those found: crossed, and with one change exchanged for another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use pellucid_core::Draws;

use super::inward::nearer;
use super::oracle::{Member, Oracle};
use super::outward::Steps;
use super::space::State;
use crate::error::Error;

/// Parents of a generation.
const PARENTS: usize = 32;

/// Children of a generation.
const CHILDREN: usize = 96;

/// Of the children that meet the outcome, those that are brought nearer.
const RAISED: usize = 12;

/// Generations at the most, and in a row without anything better.
const GENERATIONS: u64 = 20;
const PATIENCE: usize = 3;

/// Breeds until the budget is spent or nothing better comes.
///
/// # Errors
/// Whatever the model reports.
pub(super) fn evolve(oracle: &mut Oracle<'_>, steps: &Steps, draws: &Draws) -> Result<(), Error> {
    let mut idle = 0;
    let mut before = total_cost(oracle);
    for generation in 1..=GENERATIONS {
        let parents = oracle.best(PARENTS, 4);
        if parents.is_empty() || oracle.space.free.is_empty() || oracle.left() == 0 || idle == PATIENCE {
            break;
        }
        let mut generator = draws.draw(generation);
        let children = (0..CHILDREN).map(|_| child(oracle, &parents, steps, &mut generator)).collect();
        let mut born: Vec<Member> = oracle.ask(children)?;
        born.retain(|child| child.shortfall <= 0.0);
        born.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        born.truncate(RAISED);
        nearer(oracle, born)?;
        let after = total_cost(oracle);
        idle = if after < before { 0 } else { idle + 1 };
        before = after;
    }
    Ok(())
}

/// What falls whenever something better is found for some set of columns.
fn total_cost(oracle: &Oracle<'_>) -> f64 {
    let best = oracle.best(PARENTS, 1);
    best.iter().map(|member| member.cost).sum::<f64>() + (PARENTS - best.len()) as f64 * 1e6
}

/// Half of the children have changes of both parents; the others have one change of a parent taken back and another column
/// changed. What is too much is taken back at random.
fn child(oracle: &Oracle<'_>, parents: &[Member], steps: &Steps, generator: &mut ChaCha8Rng) -> State {
    let space = oracle.space;
    let mut state = parents[below(generator, parents.len())].state.clone();
    if below(generator, 2) == 0 {
        let other = &parents[below(generator, parents.len())].state;
        for column in 0..state.len() {
            if below(generator, 2) == 0 {
                state[column] = other[column];
            }
        }
    } else {
        let changed = space.put_back(&state);
        if !changed.is_empty() {
            let column = changed[below(generator, changed.len())];
            state[column] = space.domains[column].base;
        }
        let column = space.free[below(generator, space.free.len())];
        if !steps[column].is_empty() {
            state[column] = steps[column][below(generator, steps[column].len())];
        }
    }
    while space.changed(&state).len() > space.max_changes {
        let changed = space.put_back(&state);
        let column = changed[below(generator, changed.len())];
        state[column] = space.domains[column].base;
    }
    state
}

/// A whole number below `n`; the bias is below `n / 2⁶⁴`.
fn below(generator: &mut ChaCha8Rng, n: usize) -> usize {
    (generator.next_u64() % n as u64) as usize
}
