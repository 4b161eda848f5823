//! Every method on one ensemble, dense and sparse rows, against all coalitions of the features that its trees use.

use std::collections::BTreeMap;

use ndarray::Array2;
use pellucid_core::{Attribution, OutputSpace, Work};

use crate::dependence::{self, dependence};
use crate::ensemble::{Link, TreeEnsemble, TreeNode};
use crate::error::Error;
use crate::interactions::{InteractionIndex, Removal, interactions};
use crate::interventional::{interventional, interventional_banzhaf, interventional_interactions};
use crate::output_space::{self, interventional_in_space};
use crate::path_dependent::{banzhaf, path_dependent, path_dependent_interactions};
use crate::rows::Rows;
use crate::saabas::saabas;
use crate::testing::*;

/// How absent features are averaged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Covers,
    Background,
    /// The probabilities of a background.
    Probabilities,
}

type Method = fn(&TreeEnsemble, Rows<'_>, Rows<'_>, &Work) -> Result<Attribution, Error>;

/// Those of a game.
type Values = fn(&[f64]) -> Vec<f64>;

/// Name, method, whose game it explains, and which values of it.
const METHODS: [(&str, Method, By, Values); 7] = [
    ("path-dependent", |e, rows, _, work| path_dependent(e, rows, work), By::Covers, shapley_values),
    ("Banzhaf", |e, rows, _, work| banzhaf(e, rows, work), By::Covers, banzhaf_values),
    ("pairs", |e, rows, _, work| path_dependent_interactions(e, rows, work), By::Covers, interaction_values),
    ("interventional", interventional, By::Background, shapley_values),
    ("interventional Banzhaf", interventional_banzhaf, By::Background, banzhaf_values),
    ("interventional pairs", interventional_interactions, By::Background, interaction_values),
    ("probabilities", of_probabilities, By::Probabilities, shapley_values),
];

fn of_probabilities(
    ensemble: &TreeEnsemble,
    rows: Rows<'_>,
    background: Rows<'_>,
    work: &Work,
) -> Result<Attribution, Error> {
    let space = OutputSpace::Probability;
    let options =
        output_space::Options { space, labels: None, max_exact_features: 16, n_permutations: 2, seed: 0 };
    interventional_in_space(ensemble, rows, background, None, &options, work)
}

/// An ensemble of few features, and the same with its features spread over many columns.
struct Spread {
    name: String,
    small: TreeEnsemble,
    large: TreeEnsemble,
    rows: Vec<Vec<f64>>,
    stride: usize,
    games: Games,
}

/// All coalitions of a row, for an output.
type Games = BTreeMap<(By, usize, usize), Vec<f64>>;

/// Explains two rows by all methods. The features of `small`, at most 8, are spread over `n_features` columns, the others of
/// which are 0.
#[track_caller]
pub(crate) fn check_every_method(name: &str, mut small: TreeEnsemble, n_features: usize) {
    small.link = Link::Sigmoid { slope: 1.0 };
    small.absent = 0.0;
    let k = small.n_features;
    let stride = n_features / k;
    let mut large = TreeEnsemble { n_features, ..small.clone() };
    for node in large.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let TreeNode::Split(split) = node {
            split.feature *= stride as u32;
        }
    }
    let (rows, background) = (random_rows(1, 2, k), random_rows(2, 4, k));
    let games = games(&small, &rows, &background);
    let dense = |rows: &[Vec<f64>]| {
        let mut spread = Array2::zeros((rows.len(), n_features));
        table(rows).indexed_iter().for_each(|((i, j), x)| spread[[i, j * stride]] = *x);
        spread
    };
    let (dense_rows, background) = (dense(&rows), dense(&background));
    let (sparse_rows, sparse_background) = (sparse(&dense_rows, 0.0), sparse(&background, 0.0));
    let spread = Spread { name: name.to_owned(), small, large, rows, stride, games };
    spread.check(Rows::F64(dense_rows.view()), Rows::F64(background.view()));
    spread.check(Rows::Sparse(&sparse_rows), Rows::Sparse(&sparse_background));
}

fn games(ensemble: &TreeEnsemble, rows: &[Vec<f64>], background: &[Vec<f64>]) -> Games {
    let mut games = Games::new();
    for (index, row) in rows.iter().enumerate() {
        for output in 0..ensemble.n_outputs() {
            let probability = |margins: &[f64]| {
                let mut probabilities = margins.to_vec();
                ensemble.link.apply(&mut probabilities);
                probabilities[output]
            };
            games.insert((By::Covers, index, output), path_dependent_game(ensemble, row, output));
            let game = interventional_game(ensemble, row, background, |margins| margins[output]);
            games.insert((By::Background, index, output), game);
            let game = interventional_game(ensemble, row, background, probability);
            games.insert((By::Probabilities, index, output), game);
        }
    }
    games
}

impl Spread {
    fn check(&self, rows: Rows<'_>, background: Rows<'_>) {
        for (method, explain, by, values) in METHODS {
            let result = explain(&self.large, rows, background, &Work::default());
            let result = result.unwrap_or_else(|error| panic!("{}, {method}: {error}", self.name));
            self.check_attribution(method, &result, by, values);
        }
        self.check_saabas(rows);
        for removal in [Removal::PathDependent, Removal::Interventional(background)] {
            self.check_any_order(rows, removal);
        }
        self.check_dependence(background);
    }

    fn game(&self, by: By, row: usize, output: usize) -> &[f64] {
        &self.games[&(by, row, output)]
    }

    fn each(&self) -> impl Iterator<Item = (usize, usize)> {
        let n_outputs = self.small.n_outputs();
        (0..self.rows.len()).flat_map(move |row| (0..n_outputs).map(move |output| (row, output)))
    }

    /// Of features, `[rows, outputs, features]`, or of pairs: as in the game, and 0 where no tree looks.
    fn check_attribution(&self, method: &str, result: &Attribution, by: By, values: Values) {
        let (k, n) = (self.small.n_features, self.large.n_features);
        for (row, output) in self.each() {
            let what = format!("{}, {method}, row {row}, output {output}", self.name);
            let game = self.game(by, row, output);
            let found = result.row(row, output);
            let singles = (0..k).map(|j| found[&[j * self.stride][..]]);
            let pairs = (0..k).flat_map(|i| (0..k).map(move |j| [i, j].map(|j| j * self.stride)));
            let chosen: Vec<f64> = match found.len() == n {
                true => singles.collect(),
                false => pairs.map(|place| found[&place[..]]).collect(),
            };
            let n_used = chosen.iter().filter(|&&value| value != 0.0).count();
            assert_eq!(found.iter().filter(|&&value| value != 0.0).count(), n_used, "{what}");
            assert_of_game(&what, &ndarray::arr1(&chosen).into_dyn(), game, &values(game));
        }
    }

    fn check_saabas(&self, rows: Rows<'_>) {
        let result = saabas(&self.large, rows, &Work::default()).expect("covers");
        for (row, output) in self.each() {
            let game = self.game(By::Covers, row, output);
            let gain = game[game.len() - 1] - game[0];
            let sum = result.row(row, output).sum();
            assert!((sum - gain).abs() <= 1e-9, "{}, Saabas: {sum}, not {gain}", self.name);
        }
    }

    /// The Shapley interaction index of single features and pairs.
    fn check_any_order(&self, rows: Rows<'_>, removal: Removal<'_>) {
        let by = if let Removal::PathDependent = removal { By::Covers } else { By::Background };
        let result = interactions(&self.large, rows, removal, InteractionIndex::Sii, 2, &Work::default())
            .expect("fits");
        let k = self.small.n_features;
        for (row, output) in self.each() {
            let game = self.game(by, row, output);
            let (shapley, pairs) = (shapley_values(game), interaction_values(game));
            let place = |&feature: &u32| feature as usize / self.stride;
            let of_row = result.row(row, output).into_iter();
            let mut found: BTreeMap<Vec<usize>, f64> =
                of_row.map(|(set, value)| (set.iter().map(place).collect(), value)).collect();
            for (i, j) in (0..k).flat_map(|i| (i..k).map(move |j| (i, j))) {
                let (set, wanted) = match i == j {
                    true => (vec![i], shapley[i]),
                    false => (vec![i, j], 2.0 * pairs[i * k + j]),
                };
                let value = found.remove(&set).unwrap_or(0.0);
                assert!((value - wanted).abs() < 1e-9, "{}, {set:?}: {value}, not {wanted}", self.name);
            }
            assert!(found.is_empty(), "{}: {found:?}", self.name);
        }
    }

    /// The mean output with one feature from the row, the others from the background: a coalition of one.
    fn check_dependence(&self, background: Rows<'_>) {
        let options = dependence::Options { space: OutputSpace::Margin, individual: false };
        for feature in 0..self.small.n_features {
            let grid = Array2::from_shape_fn((self.rows.len(), 1), |(row, _)| self.rows[row][feature]);
            let curve = dependence(
                &self.large,
                background,
                None,
                &[feature * self.stride],
                grid.view(),
                &options,
                &Work::default(),
            );
            let mean = curve.expect("rows fit").mean;
            for (row, output) in self.each() {
                let wanted = self.game(By::Background, row, output)[1 << feature];
                let found = mean[[row, output]];
                assert!((found - wanted).abs() < 1e-9, "{}, dependence: {found}, not {wanted}", self.name);
            }
        }
    }
}
