#![doc = include_str!("pairwise_interactions.md")]

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};
use pellucid_core::{Draws, Work};

use crate::asked::Asked;
use crate::cholesky::Cholesky;
use crate::coalition::Coalition;
use crate::error::Error;
use crate::game::Game;
use crate::strata::{Sampling, Strata, Stratum};

/// Which values of pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Index {
    /// Shapley interaction index (Grabisch & Roubens 1999) of each pair; Shapley values on the diagonal.
    Sii,
    /// k-SII for k = 2 (Bordt & von Luxburg 2023): the SII of each pair, half of which is taken from both players' Shapley values, so that
    /// all adds up.
    #[default]
    KSii,
    /// Faith-SHAP of order 2 (Tsai et al. 2023): the function of single players and pairs that is nearest to the game.
    FaithShap,
}

/// Settings of [`pairwise_interactions`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which values.
    pub index: Index,
    /// Coalitions that may be asked about; `None`: 2048 and two for each player and pair. All of them where they fit.
    pub max_evaluations: Option<usize>,
    /// What coalitions are drawn from, with the row's digest.
    pub seed: u64,
}

/// A value for each pair of players, and for each player alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Interactions {
    /// `[players, players, targets]`, symmetric: the whole of a pair's value stands at both places, what a player is worth alone on the
    /// diagonal. For k-SII and Faith-SHAP, diagonal and upper triangle add up to output − base value.
    pub values: Array3<f64>,
    /// The standard error of each value; 0 where it is exact.
    pub standard_error: Array3<f64>,
    /// The worth of nobody, `[targets]`.
    pub base_values: Array1<f64>,
    /// The worth of all, `[targets]`.
    pub outputs: Array1<f64>,
    /// Coalitions whose worth was asked for.
    pub evaluations: usize,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// Interactions of all pairs, by regression on coalitions drawn as for [`kernel_shap`](crate::kernel_shap): Faith-SHAP is the fit itself; the
/// Shapley interaction index is that of the fit and, by importance sampling, that of what the fit leaves over.
///
/// # Errors
/// Fewer evaluations than the fit needs, whatever the game reports.
pub fn pairwise_interactions(game: &dyn Game, options: &Options, work: &Work) -> Result<Interactions, Error> {
    let mut asked = Asked::new(game, work)?;
    let n_players = asked.n_players();
    let terms = Terms::new(n_players);
    let max_evaluations = options.max_evaluations.unwrap_or(2048 + 2 * terms.len());
    let is_whole = asked.active().is_enumerable(max_evaluations);
    if !is_whole && max_evaluations < 2 * terms.len() + 2 {
        let reason = format!(
            "{max_evaluations} are too few for {n_players} players and their pairs; {} are the least, or group features",
            2 * terms.len() + 2
        );
        return Err(Error::setting("max_evaluations", reason));
    }
    let draws = Draws::new(options.seed, &asked.active().digest(), "interactions");
    let mut strata = Strata::new(n_players, Sampling::default(), &draws);
    let n_pairs =
        if is_whole { (1_usize << n_players).saturating_sub(2) / 2 } else { (max_evaluations - 2) / 2 };
    let new = strata.draw(n_pairs);
    asked.ask(new.into_iter().flat_map(|coalition| [coalition.complement(n_players), coalition]))?;
    let fit = Fit::new(&terms, &strata, &asked);
    let (values, variances) = match options.index {
        Index::FaithShap => (fit.values.clone(), fit.variances(&strata)),
        Index::Sii => fit.shapley_interactions(&terms, &strata, false),
        Index::KSii => fit.shapley_interactions(&terms, &strata, true),
    };
    let undetermined = "the coalitions drawn do not tell all pairs apart; values of some are guesses; allow more evaluations";
    Ok(Interactions {
        values: square(&terms, values.view(), &asked, game.n_players()),
        standard_error: square(&terms, variances.mapv(f64::sqrt).view(), &asked, game.n_players()),
        base_values: asked.nobody().to_owned(),
        outputs: asked.all().to_owned(),
        evaluations: asked.evaluations(),
        warnings: if fit.is_determined { Vec::new() } else { vec![undetermined.to_owned()] },
    })
}

/// `[terms, targets]` as `[players, players, targets]` of all players.
fn square(terms: &Terms, values: ArrayView2<'_, f64>, asked: &Asked<'_>, n_players: usize) -> Array3<f64> {
    let mut square = Array3::zeros((n_players, n_players, asked.n_targets()));
    for (&(i, j), values) in terms.0.iter().zip(values.outer_iter()) {
        let (i, j) = (asked.active().players()[i], asked.active().players()[j]);
        for (k, &value) in values.indexed_iter() {
            square[[i, j, k]] = value;
            square[[j, i, k]] = value;
        }
    }
    square
}

/// The functions that are fitted: `(i, i)` is 1 where player i is present, `(i, j)` where both are.
struct Terms(Vec<(usize, usize)>);

impl Terms {
    fn new(n_players: usize) -> Self {
        let single = (0..n_players).map(|i| (i, i));
        Self(single.chain((0..n_players).flat_map(|i| (i + 1..n_players).map(move |j| (i, j)))).collect())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn of(&self, coalition: &Coalition) -> Array1<f64> {
        let is_present = |&(i, j): &(usize, usize)| coalition.contains(i) && coalition.contains(j);
        self.0.iter().map(|term| f64::from(is_present(term))).collect()
    }

    /// What a unit of a coalition's worth adds to the Shapley value of a player, and to the SII of a pair, times the number of coalitions of its
    /// size: the weights' factorials cancel.
    fn index_weights(&self, coalition: &Coalition, n_players: usize) -> Array1<f64> {
        let size = coalition.players().count() as f64;
        let n = n_players as f64;
        let weight = |&(i, j): &(usize, usize)| match (i == j, coalition.contains(i), coalition.contains(j)) {
            (true, true, _) => 1.0 / size,
            (true, false, _) => -1.0 / (n - size),
            (false, true, true) => n / (size * (size - 1.0)),
            (false, false, false) => n / ((n - size) * (n - size - 1.0)),
            (false, _, _) => -n / (size * (n - size)),
        };
        self.0.iter().map(weight).collect()
    }
}

/// The nearest function of single players and pairs under the Shapley kernel, complete.
struct Fit {
    /// `[terms, targets]`.
    values: Array2<f64>,
    /// Both coalitions of each pair, one after the other; `[coalitions, targets]`.
    residuals: Array2<f64>,
    coalitions: Vec<Coalition>,
    /// What a residual moves the values by, `[coalitions, terms]`.
    influence: Array2<f64>,
    leverage: Array1<f64>,
    is_determined: bool,
}

impl Fit {
    /// With `β = Δ / P + D γ`, where the last of P terms is minus the sum of the others', completeness holds for every γ.
    fn new(terms: &Terms, strata: &Strata, asked: &Asked<'_>) -> Self {
        let (n_players, n_terms, total) = (asked.n_players(), terms.len(), asked.total());
        let drawn =
            || strata.of_size.iter().flat_map(|stratum| stratum.drawn.iter().map(move |one| (stratum, one)));
        let coalitions: Vec<Coalition> =
            drawn().flat_map(|(_, one)| [one.clone(), one.complement(n_players)]).collect();
        let n_free = n_terms.saturating_sub(1);
        let mut x = Array2::zeros((coalitions.len(), n_free));
        let mut residuals: Array2<f64> = Array2::zeros((coalitions.len(), asked.n_targets()));
        for (index, coalition) in coalitions.iter().enumerate() {
            let of_terms = terms.of(coalition);
            let last = of_terms[n_terms - 1];
            x.row_mut(index)
                .zip_mut_with(&of_terms.slice_axis(Axis(0), (..n_free).into()), |x, own| *x = own - last);
            let share = of_terms.sum() / n_terms as f64;
            if let Some(worth) = asked.get(coalition) {
                residuals.row_mut(index).assign(&(&worth - &asked.nobody() - &total * share));
            }
        }
        let weights: Array1<f64> = drawn().flat_map(|(stratum, _)| [stratum.pair_weight(); 2]).collect();
        let weighted = &x * &weights.insert_axis(Axis(1));
        let cholesky = Cholesky::new(&weighted.t().dot(&x));
        let free_influence = weighted.dot(&cholesky.inverse());
        let gamma = free_influence.t().dot(&residuals);
        residuals -= &x.dot(&gamma);
        let leverage = (&free_influence * &x).sum_axis(Axis(1));
        let mut values = Array2::zeros((n_terms, asked.n_targets()));
        values.outer_iter_mut().for_each(|mut row| row.assign(&(&total / n_terms as f64)));
        add_free(values.view_mut(), gamma.view());
        let mut influence = Array2::zeros((n_terms, coalitions.len()));
        add_free(influence.view_mut(), free_influence.t());
        let is_determined = cholesky.rank == n_free;
        Self { values, residuals, coalitions, influence: influence.reversed_axes(), leverage, is_determined }
    }

    /// The variances of the fit's own values, as for KernelSHAP: a sandwich over pairs.
    fn variances(&self, strata: &Strata) -> Array2<f64> {
        let mut variances: Array2<f64> = Array2::zeros(self.values.dim());
        for (stratum, rows) in pairs(strata) {
            for row in rows {
                let moved = |row: usize| {
                    let freed = 1.0 / (1.0 - self.leverage[row]).max(1e-3);
                    outer(self.influence.row(row), self.residuals.row(row), freed)
                };
                let both = moved(2 * row) + moved(2 * row + 1);
                variances.scaled_add(stratum.share_left(), &(&both * &both));
            }
        }
        variances
    }

    /// SII, or 2-SII where single players cede their share of the pairs, with variances.
    fn shapley_interactions(&self, terms: &Terms, strata: &Strata, cede: bool) -> (Array2<f64>, Array2<f64>) {
        let n_players = strata.n_players();
        // The fit's own: a pair's coefficient is its SII, half of it belongs to either player's Shapley value.
        let mut values = self.values.clone();
        if !cede {
            share_pairs(&terms.0, values.view_mut(), 0.5);
        }
        let mut variances = Array2::zeros(values.dim());
        let n_coalitions = self.coalitions.len() as f64;
        let freedom = n_coalitions / (n_coalitions - terms.len() as f64).max(1.0);
        for (stratum, rows) in pairs(strata) {
            let of_row = |row: usize| {
                let weights = terms.index_weights(&self.coalitions[row], n_players);
                outer(weights.view(), self.residuals.row(row), 1.0)
            };
            let n_drawn = stratum.drawn.len() as f64;
            let share = stratum.share_of_size();
            let mut sums: Array2<f64> = Array2::zeros(values.dim());
            let mut squares: Array2<f64> = Array2::zeros(values.dim());
            for row in rows {
                let mut both = (of_row(2 * row) + of_row(2 * row + 1)) * share;
                if cede {
                    share_pairs(&terms.0, both.view_mut(), -0.5);
                }
                squares += &(&both * &both);
                sums += &both;
            }
            if n_drawn > 1.0 {
                squares = (squares - &(&sums * &sums) / n_drawn) * (n_drawn / (n_drawn - 1.0));
            }
            values += &sums;
            variances.scaled_add(stratum.share_left() * freedom, &squares.mapv(|square| square.max(0.0)));
        }
        (values, variances)
    }
}

/// Adds what is free to all terms but the last, and takes it from the last.
fn add_free(mut all: ndarray::ArrayViewMut2<'_, f64>, free: ArrayView2<'_, f64>) {
    let Some(last) = all.nrows().checked_sub(1) else { return };
    for (index, row) in free.outer_iter().enumerate() {
        let mut own = all.row_mut(index);
        own += &row;
        let mut rest = all.row_mut(last);
        rest -= &row;
    }
}

/// Adds this share of each pair's values to both players' own.
fn share_pairs(terms: &[(usize, usize)], mut values: ndarray::ArrayViewMut2<'_, f64>, share: f64) {
    for (index, &(i, j)) in terms.iter().enumerate().filter(|(_, (i, j))| i != j) {
        let of_pair = values.row(index).to_owned() * share;
        for player in [i, j] {
            let mut own = values.row_mut(player);
            own += &of_pair;
        }
    }
}

/// Each stratum with the numbers of its pairs, counted through all strata.
fn pairs(strata: &Strata) -> impl Iterator<Item = (&Stratum, std::ops::Range<usize>)> {
    strata.of_size.iter().scan(0, |start, stratum| {
        let range = *start..*start + stratum.drawn.len();
        *start = range.end;
        Some((stratum, range))
    })
}

fn outer(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, scale: f64) -> Array2<f64> {
    Array2::from_shape_fn((a.len(), b.len()), |(i, k)| a[i] * b[k] * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Listed, work};

    fn of(game: &dyn Game, index: Index, max_evaluations: Option<usize>, seed: u64) -> Interactions {
        pairwise_interactions(game, &Options { index, max_evaluations, seed }, &work(1000))
            .expect("interactions")
    }

    fn members(bits: usize) -> impl Iterator<Item = usize> {
        (0..usize::BITS as usize).filter(move |i| bits >> i & 1 == 1)
    }

    /// `I_ij = Σ_{S ∌ i,j} |S|! (n − |S| − 2)! / (n − 1)! (v(S ∪ ij) − v(S ∪ i) − v(S ∪ j) + v(S))`.
    fn shapley_interaction(game: &Listed, i: usize, j: usize, k: usize) -> f64 {
        let n = game.n_players;
        let factorial = |k: usize| (1..=k).map(|x| x as f64).product::<f64>();
        let (a, b) = (1 << i, 1 << j);
        let without = (0..1_usize << n).filter(|bits| bits & (a | b) == 0);
        let v = |bits: usize| game.worth[[bits, k]];
        without
            .map(|s| {
                let size = s.count_ones() as usize;
                let weight = factorial(size) * factorial(n - size - 2) / factorial(n - 1);
                weight * (v(s | a | b) - v(s | a) - v(s | b) + v(s))
            })
            .sum()
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-10
    }

    #[test]
    fn all_coalitions_give_the_indices_of_their_definitions() {
        let n = 5;
        let game = Listed::random(n, 2, 11);
        let shapley = game.shapley();
        let (sii, k_sii) = (of(&game, Index::Sii, None, 0), of(&game, Index::KSii, None, 0));
        assert_eq!((sii.evaluations, sii.standard_error.sum()), (32, 0.0));
        for k in 0..2 {
            let mut sum = 0.0;
            for i in 0..n {
                let pairs: Vec<f64> =
                    (0..n).filter(|&j| j != i).map(|j| shapley_interaction(&game, i, j, k)).collect();
                assert!(near(sii.values[[i, i, k]], shapley[[i, k]]));
                let alone = shapley[[i, k]] - 0.5 * pairs.iter().sum::<f64>();
                assert!(near(k_sii.values[[i, i, k]], alone));
                for (j, pair) in (0..n).filter(|&j| j != i).zip(pairs) {
                    assert!(near(sii.values[[i, j, k]], pair) && near(k_sii.values[[j, i, k]], pair));
                    sum += pair / 2.0;
                }
                sum += alone;
            }
            assert!(near(sum, game.worth[[31, k]] - game.worth[[0, k]]));
        }
    }

    /// The coefficients of Faith-SHAP are where the weighted squares do not fall in any direction that keeps the sum.
    #[test]
    fn faith_shap_is_the_nearest_complete_function() {
        let n = 4;
        let game = Listed::random(n, 1, 12);
        let found = of(&game, Index::FaithShap, None, 0);
        let fitted = |bits: usize| -> f64 {
            members(bits)
                .flat_map(|i| members(bits).filter(move |&j| j >= i).map(move |j| (i, j)))
                .map(|(i, j)| found.values[[i, j, 0]])
                .sum()
        };
        assert!(near(fitted(15), game.worth[[15, 0]] - game.worth[[0, 0]]));
        let slope = |i: usize, j: usize| -> f64 {
            let both = |bits: &usize| bits >> i & 1 == 1 && bits >> j & 1 == 1;
            (1..15_usize)
                .filter(both)
                .map(|bits| {
                    let size = bits.count_ones() as usize;
                    let kernel = 3.0 / (crate::exact::binomial(n, size) * (size * (n - size)) as f64);
                    kernel * (game.worth[[bits, 0]] - game.worth[[0, 0]] - fitted(bits))
                })
                .sum()
        };
        let slopes: Vec<f64> =
            (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).map(|(i, j)| slope(i, j)).collect();
        assert!(slopes.iter().all(|&other| near(other, slopes[0])), "{slopes:?}");
    }

    /// Pairs are found where they are, also with a sample; shap's sampling explainers tell none.
    #[test]
    fn a_function_of_pairs_is_found_exactly_from_a_sample() {
        let game = Listed::one(12, |bits| {
            let present = |i: usize| (bits >> i & 1) as f64;
            3.0 * present(2) * present(7) - 2.0 * present(0) * present(1) + present(2) - 0.5 * present(11)
        });
        for index in [Index::Sii, Index::KSii, Index::FaithShap] {
            let found = of(&game, index, Some(300), 4);
            assert!(found.evaluations <= 300 && found.warnings.is_empty());
            assert!(near(found.values[[2, 7, 0]], 3.0) && near(found.values[[1, 0, 0]], -2.0));
            assert!(near(found.values[[3, 7, 0]], 0.0));
            let alone = if index == Index::Sii { 1.0 + 1.5 } else { 1.0 };
            assert!(near(found.values[[2, 2, 0]], alone));
            assert!(found.standard_error.iter().all(|&error| error < 1e-9));
        }
    }

    #[test]
    fn estimates_from_samples_are_unbiased_and_calibrated() {
        let n = 9;
        let game = Listed::one(n, |bits| {
            let sum: f64 = members(bits).map(|i| (i as f64 * 1.7).sin() + 0.3).sum();
            1.0 / (1.0 + (2.0 - 2.0 * sum).exp())
        });
        for index in [Index::Sii, Index::KSii, Index::FaithShap] {
            let exact = of(&game, index, Some(1 << n), 0);
            let (mut squares, mut promised, mut gaps) = (0.0, 0.0, Array3::<f64>::zeros(exact.values.dim()));
            let n_seeds = 40;
            for seed in 0..n_seeds {
                let found = of(&game, index, Some(240), seed);
                let gap = &found.values - &exact.values;
                squares += gap.iter().map(|gap| gap * gap).sum::<f64>();
                promised += found.standard_error.iter().map(|error| error * error).sum::<f64>();
                gaps += &gap;
            }
            let calibration = squares / promised;
            assert!((0.5..2.0).contains(&calibration), "{index:?}: {calibration} of the promised squares");
            let of_mean = gaps.iter().map(|gap| gap * gap).sum::<f64>() / n_seeds as f64 / squares;
            assert!(of_mean < 2.0, "{index:?}: the mean is {of_mean} times as far off as chance has it");
        }
    }

    #[test]
    fn few_players_and_few_evaluations() {
        for n in 0..2 {
            let game = Listed::one(n, |bits| 2.0 + bits as f64);
            let found = of(&game, Index::KSii, None, 0);
            assert_eq!(found.values.iter().copied().collect::<Vec<_>>(), vec![1.0; n]);
        }
        let game = Listed::random(8, 1, 1);
        let options = Options { max_evaluations: Some(73), ..Default::default() };
        let error = pairwise_interactions(&game, &options, &work(10)).expect_err("a refusal").to_string();
        assert!(error.contains("74 are the least"), "{error}");
    }
}
