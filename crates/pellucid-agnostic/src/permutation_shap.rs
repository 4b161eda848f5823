#![doc = include_str!("permutation_shap.md")]

use ndarray::{Array2, Axis};
use pellucid_core::{Draws, RunningMean, Work};

use crate::asked::{Asked, PIECE};
use crate::coalition::Coalition;
use crate::error::Error;
use crate::estimate::Estimate;
use crate::exact::{self, Value};
use crate::game::Game;
use crate::orders::Orders;
use crate::tolerance::{check_tolerance, is_within, missed_tolerance};

/// Settings of [`permutation_shap`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Coalitions that may be asked about; `None`: 10 · (2 · players + 1), as shap. All of them where they fit.
    pub max_evaluations: Option<usize>,
    /// Stops early once the standard error is below this share of the values.
    pub tolerance: Option<f64>,
    /// What orders are drawn from, with the row's digest.
    pub seed: u64,
}

/// Coalitions that may be asked about where nobody says how many, as in shap.
pub fn default_evaluations(n_players: usize) -> usize {
    10 * (2 * n_players + 1)
}

/// Shapley values as the mean gain of a player who joins in random orders, each taken forwards and backwards (antithetic; Mitchell et
/// al. 2022). Complete, with standard errors; no coalition is asked about twice.
///
/// # Errors
/// Options that cannot be, fewer evaluations than two orders take, whatever the game reports.
pub fn permutation_shap(game: &dyn Game, options: &Options, work: &Work) -> Result<Estimate, Error> {
    check_tolerance(options.tolerance)?;
    let mut asked = Asked::new(game, work)?;
    let n_players = asked.n_players();
    let max_evaluations = options.max_evaluations.unwrap_or_else(|| default_evaluations(n_players));
    if asked.active().is_enumerable(max_evaluations) {
        return exact::values(asked.active(), Value::Shapley);
    }
    check_enough(n_players, max_evaluations)?;
    let draws = Draws::new(options.seed, &asked.active().digest(), "permutation_shap");
    let mut orders = Orders::new(n_players, draws);
    let mut mean = RunningMean::new((n_players, asked.n_targets()));
    loop {
        let round = next_round(&mut orders, &mut asked, max_evaluations, options.tolerance.is_some())?;
        if round.is_empty() {
            break;
        }
        round.iter().for_each(|order| mean.add(gains(order, &asked).view()));
        if mean.n_draws() >= 2 && is_within(options.tolerance, mean.mean(), &mean.standard_error()) {
            break;
        }
    }
    let errors = mean.standard_error();
    let warnings = missed_tolerance(options.tolerance, mean.mean(), &errors).into_iter().collect();
    Ok(asked.estimate(mean.mean().view(), Some(errors.view()), warnings))
}

fn check_enough(n_players: usize, max_evaluations: usize) -> Result<(), Error> {
    // Nobody and all, and two orders that have their halves in common.
    let least = (4 * n_players.saturating_sub(1)).max(2);
    match max_evaluations >= least {
        true => Ok(()),
        false => {
            let reason = format!(
                "{max_evaluations} are too few for two orders of {n_players} players, forwards and backwards; {least} are the least, \
                 or group features"
            );
            Err(Error::setting("max_evaluations", reason))
        }
    }
}

/// The next orders whose coalitions fit into what evaluations are left, and what those are worth: with a tolerance few at a time, else
/// as many as make a full batch.
fn next_round(
    orders: &mut Orders,
    asked: &mut Asked<'_>,
    max_evaluations: usize,
    is_watched: bool,
) -> Result<Vec<Vec<usize>>, Error> {
    let n_players = asked.n_players();
    let most = if is_watched { 2 * n_players } else { PIECE.max(2 * n_players) };
    let mut left = max_evaluations - asked.evaluations();
    let (mut round, mut new) = (Vec::new(), std::collections::BTreeSet::new());
    while new.len() < most && round.len() < PIECE {
        let order = orders.next();
        let of_order: Vec<Coalition> =
            visited(&order).filter(|coalition| !asked.knows(coalition) && !new.contains(coalition)).collect();
        if of_order.len() > left {
            break;
        }
        left -= of_order.len();
        new.extend(of_order);
        round.push(order);
    }
    // Where every order is known already, more of them are free, but the evaluations will not run out.
    if new.is_empty() {
        round.clear()
    }
    asked.ask(new)?;
    Ok(round)
}

/// The coalitions of one player to all but one that an order and its reverse pass through.
fn visited(order: &[usize]) -> impl Iterator<Item = Coalition> {
    let n_players = order.len();
    let mut coalition = Coalition::nobody(n_players);
    order.iter().take(n_players.saturating_sub(1)).flat_map(move |&player| {
        coalition.insert(player);
        [coalition.clone(), coalition.complement(n_players)]
    })
}

/// The mean of what each player adds on both ways, `[players, targets]`.
fn gains(order: &[usize], asked: &Asked<'_>) -> Array2<f64> {
    let n_players = order.len();
    let mut gains: Array2<f64> = Array2::zeros((n_players, asked.n_targets()));
    // On the way back a player joins those who come later: the complement of those before and the player.
    let mut before = Coalition::nobody(n_players);
    for &player in order {
        let with = before.with(player);
        let (forwards, backwards) = (&with, &before.complement(n_players));
        for (joined, without) in [(forwards, &before), (backwards, &with.complement(n_players))] {
            if let (Some(joined), Some(without)) = (asked.get(joined), asked.get(without)) {
                gains.index_axis_mut(Axis(0), player).scaled_add(0.5, &(&joined - &without));
            }
        }
        before = with;
    }
    gains
}
