//! The additive function nearest to a game under the Shapley kernel, from pairs of a coalition and its complement.

use ndarray::{Array1, Array2, ArrayView1, Axis};

use crate::cholesky::Cholesky;

/// Weighted least squares `Σ w (y − x·β)²` over pairs, with `Σ β = 0`; Shapley values are `φ = Δ / M + β` for
/// `Δ = v(all) − v(nobody)`, `x = z − |z| / M` and `y = (v(z) − v(1 − z) + Δ) / 2 − |z| Δ / M`.
///
/// That is what the two equations `v(z) = v(nobody) + z·φ` and `v(1 − z) = v(nobody) + (1 − z)·φ` of a pair say about φ: their
/// sum holds for every φ that is complete.
pub(crate) struct PairRegression {
    /// `[pairs, players]`.
    x: Array2<f64>,
    /// `[pairs, targets]`.
    y: Array2<f64>,
    weights: Array1<f64>,
    /// What is left of each pair's sampling variance, 0 to 1.
    shares_left: Array1<f64>,
}

/// What is found: `[players, targets]` each.
pub(crate) struct Fit {
    pub(crate) values: Array2<f64>,
    pub(crate) standard_error: Array2<f64>,
    /// Whether the pairs tell all players apart.
    pub(crate) is_determined: bool,
}

impl PairRegression {
    pub(crate) fn new(n_pairs: usize, n_players: usize, n_targets: usize) -> Self {
        Self {
            x: Array2::zeros((n_pairs, n_players)),
            y: Array2::zeros((n_pairs, n_targets)),
            weights: Array1::zeros(n_pairs),
            shares_left: Array1::zeros(n_pairs),
        }
    }

    /// Pair number `index`: who is present, what the coalition is worth more than its complement.
    pub(crate) fn set(
        &mut self,
        index: usize,
        present: impl Iterator<Item = usize>,
        gain: ArrayView1<'_, f64>,
        total: ArrayView1<'_, f64>,
        (weight, share_left): (f64, f64),
    ) {
        let mut x = self.x.row_mut(index);
        present.for_each(|player| x[player] = 1.0);
        let share = x.sum() / x.len() as f64;
        x -= share;
        let y = (&gain + &total) / 2.0 - &total * share;
        self.y.row_mut(index).assign(&y);
        (self.weights[index], self.shares_left[index]) = (weight, share_left);
    }

    /// The values, with standard errors from the pairs' own deviations (the sandwich of White 1980, each square divided by one
    /// minus its leverage as in HC2 of MacKinnon & White 1985, since a pair pulls the fit towards itself).
    pub(crate) fn fit(&self, total: ArrayView1<'_, f64>) -> Fit {
        let n_players = self.x.ncols();
        let weighted = &self.x * &self.weights.view().insert_axis(Axis(1));
        let mut matrix = weighted.t().dot(&self.x);
        let trace: f64 = matrix.diag().sum();
        // x is orthogonal to 1, so that this direction is free; with it the matrix can be inverted, and Σ β = 0 comes by itself.
        matrix += trace / (n_players * n_players) as f64;
        let cholesky = Cholesky::new(&matrix);
        let influence = weighted.dot(&cholesky.inverse());
        let beta = influence.t().dot(&self.y);
        let deviations = &self.y - &self.x.dot(&beta);
        let leverage = (&influence * &self.x).sum_axis(Axis(1));
        let scale = ndarray::Zip::from(&leverage)
            .and(&self.shares_left)
            .map_collect(|leverage, share_left| share_left / (1.0 - leverage).max(1e-3));
        let squares = (&deviations * &deviations) * &scale.insert_axis(Axis(1));
        let variance = (&influence * &influence).t().dot(&squares);
        Fit {
            values: beta + &total.mapv(|total| total / n_players as f64),
            standard_error: variance.mapv(f64::sqrt),
            is_determined: cholesky.rank == n_players,
        }
    }
}
