#![doc = include_str!("sampling_shap.md")]

use ndarray::{Array1, Array2, Axis, Ix2};
use pellucid_core::{Draws, RunningMean, Work};
use rand_chacha::ChaCha8Rng;

use crate::asked::Asked;
use crate::coalition::Coalition;
use crate::draw::{choose_front, unit};
use crate::error::Error;
use crate::estimate::Estimate;
use crate::exact::{self, Value};
use crate::game::Game;
use crate::tolerance::{check_tolerance, is_within, missed_tolerance};

/// Evaluations that a draw takes at the most: two gains.
const EVALUATIONS_A_DRAW: usize = 4;

/// The golden ratio's fraction: multiples of it, modulo 1, fill the unit interval evenly at any length.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// How many draws of its own a player's variance needs to count as much as the mean over players.
const PRIOR_DRAWS: f64 = 4.0;

/// Settings of [`sampling_shap`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Coalitions that may be asked about; `None`: 1,000 · players, as shap. All of them where they fit.
    pub max_evaluations: Option<usize>,
    /// Stops early once the standard error is below this share of the values.
    pub tolerance: Option<f64>,
    /// What coalitions are drawn from, with the row's digest.
    pub seed: u64,
}

/// Coalitions that may be asked about where nobody says how many, as in shap.
pub fn default_evaluations(n_players: usize) -> usize {
    (1000 * n_players).max(4)
}

/// Shapley values by each player's gains over random coalitions of the others (Štrumbelj & Kononenko 2014; Castro et al. 2009), drawn in
/// pairs of a coalition and the others' rest, and most for players whose gains vary most. What the values miss of completeness is
/// shared out in proportion to their variances.
///
/// # Errors
/// Options that cannot be, fewer evaluations than two draws a player, whatever the game reports.
pub fn sampling_shap(game: &dyn Game, options: &Options, work: &Work) -> Result<Estimate, Error> {
    check_tolerance(options.tolerance)?;
    let mut asked = Asked::new(game, work)?;
    let n_players = asked.n_players();
    let max_evaluations = options.max_evaluations.unwrap_or_else(|| default_evaluations(n_players));
    if asked.active().is_enumerable(max_evaluations) {
        return exact::values(asked.active(), Value::Shapley);
    }
    check_enough(n_players, max_evaluations)?;
    let draws = Draws::new(options.seed, &asked.active().digest(), "sampling_shap");
    let mut players: Vec<Player> =
        (0..n_players).map(|player| Player::new(player, asked.n_targets(), &draws)).collect();
    let mut round = vec![2; n_players];
    loop {
        ask_round(&mut players, &round, &mut asked)?;
        let (values, errors) = completed(&players, &asked);
        round = next_round(&players, (max_evaluations - asked.evaluations()) / EVALUATIONS_A_DRAW);
        if is_within(options.tolerance, &values, &errors) || round.iter().all(|&n| n == 0) {
            let warnings = missed_tolerance(options.tolerance, &values, &errors).into_iter().collect();
            return Ok(asked.estimate(values.view(), Some(errors.view()), warnings));
        }
    }
}

fn check_enough(n_players: usize, max_evaluations: usize) -> Result<(), Error> {
    let least = 2 + 2 * EVALUATIONS_A_DRAW * n_players;
    match max_evaluations >= least {
        true => Ok(()),
        false => {
            let reason = format!(
                "{max_evaluations} are too few for two draws for each of {n_players} players; {least} are the least, or group features"
            );
            Err(Error::setting("max_evaluations", reason))
        }
    }
}

/// What is known of one player's gains.
struct Player {
    player: usize,
    generator: ChaCha8Rng,
    offset: f64,
    /// `[1, targets]`.
    gains: RunningMean<Ix2>,
}

impl Player {
    fn new(player: usize, n_targets: usize, draws: &Draws) -> Self {
        let mut generator = draws.draw(player as u64);
        let offset = unit(&mut generator);
        Self { player, generator, offset, gains: RunningMean::new((1, n_targets)) }
    }

    /// The next coalition of the others; draw number n has the n-th of evenly spread sizes.
    fn next(&mut self, number: usize, n_players: usize) -> Coalition {
        let place = (self.offset + GOLDEN * number as f64).fract();
        let size = ((place * n_players as f64) as usize).min(n_players - 1);
        let mut others: Vec<usize> = (0..n_players).filter(|&other| other != self.player).collect();
        choose_front(&mut self.generator, &mut others, size);
        Coalition::of(n_players, others[..size].iter().copied())
    }

    /// The two gains of a draw: over a coalition, and over the rest of the others.
    fn gains_of(&self, without: &Coalition, n_players: usize) -> [(Coalition, Coalition); 2] {
        let with = without.with(self.player);
        let (rest, rest_with) = (with.complement(n_players), without.complement(n_players));
        [(with, without.clone()), (rest_with, rest)]
    }
}

/// The variance of one draw of each player, `[players, targets]`: its own, drawn towards the mean over players as if that had been
/// seen in [`PRIOR_DRAWS`] draws. Two draws that agree by chance would otherwise end a player's draws and promise an error of 0.
fn variances(players: &[Player]) -> Array2<f64> {
    let n_targets = players.first().map_or(0, |player| player.gains.mean().ncols());
    let mut variances = Array2::zeros((players.len(), n_targets));
    for (mut row, player) in variances.outer_iter_mut().zip(players) {
        let n = player.gains.n_draws() as f64;
        row.assign(&player.gains.standard_error().row(0).mapv(|error| error * error * n));
    }
    let mean = variances.sum_axis(Axis(0)) / players.len() as f64;
    for (mut row, player) in variances.outer_iter_mut().zip(players) {
        let freedom = player.gains.n_draws() as f64 - 1.0;
        row.zip_mut_with(&mean, |own, mean| {
            *own = (freedom * *own + PRIOR_DRAWS * mean) / (freedom + PRIOR_DRAWS);
        });
    }
    variances
}

fn ask_round(players: &mut [Player], round: &[usize], asked: &mut Asked<'_>) -> Result<(), Error> {
    let n_players = players.len();
    let mut drawn = Vec::new();
    for (player, &n_draws) in players.iter_mut().zip(round) {
        let start = player.gains.n_draws();
        let coalitions: Vec<Coalition> =
            (start..start + n_draws).map(|n| player.next(n, n_players)).collect();
        drawn.push(coalitions);
    }
    let all = players.iter().zip(&drawn).flat_map(|(player, coalitions)| {
        coalitions.iter().flat_map(|without| player.gains_of(without, n_players))
    });
    asked.ask(all.flat_map(|(with, without)| [with, without]).collect::<Vec<_>>())?;
    for (player, coalitions) in players.iter_mut().zip(drawn) {
        for without in coalitions {
            let mut gain = Array1::zeros(asked.n_targets());
            for (with, without) in player.gains_of(&without, n_players) {
                if let (Some(with), Some(without)) = (asked.get(&with), asked.get(&without)) {
                    gain.scaled_add(0.5, &(&with - &without));
                }
            }
            player.gains.add(gain.view().insert_axis(Axis(0)));
        }
    }
    Ok(())
}

/// How many draws each player gets next, at most `n_left` in sum: up to half as many as there are, so that variances are looked at again, each where
/// it lowers the sum of the variances most.
fn next_round(players: &[Player], n_left: usize) -> Vec<usize> {
    let n_drawn: usize = players.iter().map(|player| player.gains.n_draws()).sum();
    let mut round = vec![0; players.len()];
    let spread = variances(players).sum_axis(Axis(1));
    if spread.iter().all(|&spread| spread == 0.0) {
        return round;
    }
    let gain = |index: usize, round: &[usize]| {
        let n = (players[index].gains.n_draws() + round[index]) as f64;
        spread[index] / (n * (n + 1.0))
    };
    let mut gains: Vec<f64> = (0..players.len()).map(|index| gain(index, &round)).collect();
    for _ in 0..n_left.min(n_drawn.div_ceil(2)) {
        let best = (0..gains.len()).fold(0, |best, i| if gains[i] > gains[best] { i } else { best });
        round[best] += 1;
        gains[best] = gain(best, &round);
    }
    round
}

/// Values and standard errors `[players, targets]`, the gap to completeness shared out: given that the values have the known sum,
/// this is their best linear estimate.
fn completed(players: &[Player], asked: &Asked<'_>) -> (Array2<f64>, Array2<f64>) {
    let shape = (players.len(), asked.n_targets());
    let mut values =
        Array2::from_shape_fn(shape, |(player, target)| players[player].gains.mean()[[0, target]]);
    let mut variances = variances(players);
    for (mut row, player) in variances.outer_iter_mut().zip(players) {
        row /= player.gains.n_draws() as f64;
    }
    let gaps = asked.total() - values.sum_axis(Axis(0));
    for ((mut values, mut variances), gap) in
        values.columns_mut().into_iter().zip(variances.columns_mut()).zip(gaps)
    {
        let sum = variances.sum();
        let n_players = values.len() as f64;
        ndarray::Zip::from(&mut values).and(&mut variances).for_each(|value, variance| match sum > 0.0 {
            true => {
                *value += gap * *variance / sum;
                *variance -= *variance * *variance / sum;
            }
            false => *value += gap / n_players,
        });
    }
    (values, variances.mapv(|variance| variance.max(0.0).sqrt()))
}
