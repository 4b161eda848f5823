//! Predictors and games whose answers are known.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewD, Axis};
use pellucid_core::Work;

use crate::error::Error;
use crate::game::Game;
use crate::predictor::{Function, Predictor};

pub(crate) fn work(batch_size: usize) -> Work {
    Work { batch_size: Some(batch_size), ..Work::default() }
}

/// `Σ weights · x + intercept`, one output.
pub(crate) fn linear(weights: &[f64], intercept: f64) -> impl Predictor + use<> {
    let weights = weights.to_vec();
    of_rows(weights.len(), move |row| {
        row.iter().zip(&weights).map(|(x, weight)| x * weight).sum::<f64>() + intercept
    })
}

/// A function of one flat row as a predictor of one output.
pub(crate) fn of_rows(n_features: usize, f: impl Fn(ArrayView1<'_, f64>) -> f64 + Sync) -> impl Predictor {
    let predict = move |rows: ArrayViewD<'_, f64>| -> Result<Array2<f64>, Error> {
        let rows = rows.into_dimensionality::<ndarray::Ix2>().expect("a table");
        Ok(Array1::from_iter(rows.outer_iter().map(&f)).insert_axis(Axis(1)))
    };
    Function { row_shape: vec![n_features], n_outputs: 1, predict }
}

/// A game whose coalitions' worths are listed: the worth of coalition `bits` (bit i: player i is present) stands at `bits`.
pub(crate) struct Listed {
    pub(crate) n_players: usize,
    /// `[2^players, targets]`.
    pub(crate) worth: Array2<f64>,
}

impl Listed {
    pub(crate) fn one(n_players: usize, worth: impl Fn(usize) -> f64) -> Self {
        Self { n_players, worth: Array2::from_shape_fn((1 << n_players, 1), |(bits, _)| worth(bits)) }
    }

    /// Worths drawn at random, from a seed.
    pub(crate) fn random(n_players: usize, n_targets: usize, seed: u64) -> Self {
        use rand_distr::{Distribution, StandardNormal};
        let mut generator = pellucid_core::Draws::new(seed, &[0; 32], "a game").draw(0);
        let worth = Array2::from_shape_simple_fn((1 << n_players, n_targets), || {
            StandardNormal.sample(&mut generator)
        });
        Self { n_players, worth }
    }

    /// The Shapley values by their definition, `φ_i = Σ_S |S|! (n − |S| − 1)! / n! (v(S ∪ i) − v(S))`: `[players, targets]`.
    pub(crate) fn shapley(&self) -> Array2<f64> {
        let n = self.n_players;
        let factorial = |k: usize| (1..=k).map(|x| x as f64).product::<f64>();
        let mut values = Array2::zeros((n, self.worth.ncols()));
        for player in 0..n {
            for without in (0..1usize << n).filter(|bits| bits >> player & 1 == 0) {
                let size = without.count_ones() as usize;
                let weight = factorial(size) * factorial(n - size - 1) / factorial(n);
                let gain = &self.worth.row(without | 1 << player) - &self.worth.row(without);
                values.row_mut(player).scaled_add(weight, &gain);
            }
        }
        values
    }
}

impl Game for Listed {
    fn n_players(&self) -> usize {
        self.n_players
    }

    fn n_targets(&self) -> usize {
        self.worth.ncols()
    }

    fn worth(&self, present: ArrayView2<'_, bool>, work: &Work) -> Result<Array2<f64>, Error> {
        work.check()?;
        let bits = |row: ArrayView1<'_, bool>| {
            row.iter().rev().fold(0, |bits, &present| bits << 1 | usize::from(present))
        };
        let rows: Vec<usize> = present.outer_iter().map(bits).collect();
        Ok(self.worth.select(Axis(0), &rows))
    }

    fn digest(&self) -> [u8; 32] {
        [7; 32]
    }
}

/// Players 0 and 1 have a left glove each, player 2 a right one, and a pair is worth 1: the textbook's example of Shapley values.
#[test]
fn the_glove_game_has_the_known_values() {
    let glove = Listed::one(3, |bits| f64::from(bits & 0b100 != 0 && bits & 0b011 != 0));
    let values = glove.shapley();
    for (value, expected) in values.iter().zip([1.0 / 6.0, 1.0 / 6.0, 4.0 / 6.0]) {
        assert!((value - expected).abs() < 1e-15, "{values}");
    }
    let random = Listed::random(4, 2, 1);
    let total = &random.worth.row(15) - &random.worth.row(0);
    assert!((random.shapley().sum_axis(Axis(0)) - total).iter().all(|gap| gap.abs() < 1e-12));
}
