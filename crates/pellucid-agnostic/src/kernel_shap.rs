#![doc = include_str!("kernel_shap.md")]

use pellucid_core::{Draws, Work};

use crate::asked::Asked;
use crate::error::Error;
use crate::estimate::Estimate;
use crate::exact::{self, Value};
use crate::game::Game;
use crate::pair_regression::{Fit, PairRegression};
use crate::strata::Strata;
use crate::tolerance::{check_tolerance, is_within, missed_tolerance};

pub use crate::strata::Sampling;

/// Settings of [`kernel_shap`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// How often coalitions of each size are drawn.
    pub sampling: Sampling,
    /// Coalitions that may be asked about; `None`: 2 · players + 2048, as shap. All of them where they fit.
    pub max_evaluations: Option<usize>,
    /// Stops early once the standard error is below this share of the values.
    pub tolerance: Option<f64>,
    /// What coalitions are drawn from, with the row's digest.
    pub seed: u64,
}

/// Coalitions that may be asked about where nobody says how many, as in shap.
pub fn default_evaluations(n_players: usize) -> usize {
    2 * n_players + 2048
}

/// Shapley values as the weighted least squares fit of an additive function to the worths of coalitions (Lundberg & Lee 2017), drawn in
/// pairs of a coalition and its complement, without replacement and stratified by size. Complete, with standard errors.
///
/// # Errors
/// Options that cannot be, fewer evaluations than the fit has unknowns, whatever the game reports.
pub fn kernel_shap(game: &dyn Game, options: &Options, work: &Work) -> Result<Estimate, Error> {
    check_tolerance(options.tolerance)?;
    let mut asked = Asked::new(game, work)?;
    let n_players = asked.n_players();
    let max_evaluations = options.max_evaluations.unwrap_or_else(|| default_evaluations(n_players));
    if asked.active().is_enumerable(max_evaluations) {
        return exact::values(asked.active(), Value::Shapley);
    }
    check_enough(n_players, max_evaluations)?;
    let draws = Draws::new(options.seed, &asked.active().digest(), "kernel_shap");
    let mut strata = Strata::new(n_players, options.sampling, &draws);
    let most = (max_evaluations - 2) / 2;
    let mut n_pairs = if options.tolerance.is_some() { most.min(2 * n_players) } else { most };
    loop {
        let new = strata.draw(n_pairs);
        asked.ask(new.into_iter().flat_map(|coalition| [coalition.complement(n_players), coalition]))?;
        let fit = fit(&strata, &asked);
        if n_pairs == most || is_within(options.tolerance, &fit.values, &fit.standard_error) {
            let warnings = warnings(&fit, options);
            return Ok(asked.estimate(fit.values.view(), Some(fit.standard_error.view()), warnings));
        }
        n_pairs = most.min(n_pairs + n_pairs / 2);
    }
}

fn check_enough(n_players: usize, max_evaluations: usize) -> Result<(), Error> {
    let least = 2 * n_players + 2;
    match max_evaluations >= least {
        true => Ok(()),
        false => {
            let reason = format!(
                "{max_evaluations} are too few for {n_players} players; {least} are the least, or group features"
            );
            Err(Error::setting("max_evaluations", reason))
        }
    }
}

fn fit(strata: &Strata, asked: &Asked<'_>) -> Fit {
    let (n_players, total) = (asked.n_players(), asked.total());
    let n_pairs = strata.of_size.iter().map(|stratum| stratum.drawn.len()).sum();
    let mut regression = PairRegression::new(n_pairs, n_players, asked.n_targets());
    let pairs = strata.of_size.iter().flat_map(|stratum| {
        let weight = (stratum.pair_weight(), stratum.share_left());
        stratum.drawn.iter().map(move |coalition| (coalition, weight))
    });
    for (index, (coalition, weight)) in pairs.enumerate() {
        let complement = coalition.complement(n_players);
        let (Some(of_one), Some(of_other)) = (asked.get(coalition), asked.get(&complement)) else { continue };
        let gain = &of_one - &of_other;
        regression.set(index, coalition.players(), gain.view(), total.view(), weight);
    }
    regression.fit(total.view())
}

fn warnings(fit: &Fit, options: &Options) -> Vec<String> {
    let undetermined = (!fit.is_determined).then(|| {
        "the coalitions drawn do not tell all players apart; values of some are guesses; allow more evaluations".to_owned()
    });
    let missed = missed_tolerance(options.tolerance, &fit.values, &fit.standard_error);
    undetermined.into_iter().chain(missed).collect()
}
