#![doc = include_str!("linear_shap.md")]

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use pellucid_core::{Work, row_digest_f64};

use crate::cholesky::Cholesky;
use crate::error::Error;
use crate::estimate::Estimate;
use crate::exact::{self, exact};
use crate::game::Game;
use crate::permutation_shap::{self, permutation_shap};

/// What stands for absent features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Removal {
    /// The background's, whatever is present.
    #[default]
    Interventional,
    /// What the present ones let expect, by the background's correlations.
    Correlated,
}

/// Settings of [`linear_shap`].
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What stands for absent features.
    pub removal: Removal,
    /// Coalitions that may be asked about, where features are correlated.
    pub max_evaluations: usize,
    /// What orders are drawn from, where not all coalitions fit.
    pub seed: u64,
}

impl Default for Options {
    /// All coalitions of 14 features.
    fn default() -> Self {
        Self { removal: Removal::Interventional, max_evaluations: 1 << 14, seed: 0 }
    }
}

/// Shapley values of `x · coefficients + intercepts` for `row` `[features]`, `coefficients` `[features, targets]`, `background`
/// `[rows, features]`.
///
/// # Errors
/// Shapes that do not fit, numbers that are none, a budget too small for permutation SHAP.
pub fn linear_shap(
    coefficients: ArrayView2<'_, f64>,
    intercepts: ArrayView1<'_, f64>,
    background: ArrayView2<'_, f64>,
    row: ArrayView1<'_, f64>,
    options: &Options,
    work: &Work,
) -> Result<Estimate, Error> {
    check(coefficients, intercepts, background, row)?;
    let mean = background.sum_axis(Axis(0)) / background.nrows() as f64;
    match options.removal {
        Removal::Interventional => Ok(Estimate {
            values: &coefficients * &(&row - &mean).insert_axis(Axis(1)),
            standard_error: Some(Array2::zeros(coefficients.dim())),
            base_values: mean.dot(&coefficients) + intercepts,
            outputs: row.dot(&coefficients) + intercepts,
            evaluations: 0,
            warnings: Vec::new(),
        }),
        Removal::Correlated => {
            let game = Correlated::new(coefficients, intercepts, background, mean, row);
            let max_evaluations = options.max_evaluations;
            match 1_usize.checked_shl(row.len() as u32).is_some_and(|all| all <= max_evaluations) {
                true => exact(&game, &exact::Options { max_evaluations, ..Default::default() }, work),
                false => {
                    let options = permutation_shap::Options {
                        max_evaluations: Some(max_evaluations),
                        tolerance: None,
                        seed: options.seed,
                    };
                    permutation_shap(&game, &options, work)
                }
            }
        }
    }
}

fn check(
    coefficients: ArrayView2<'_, f64>,
    intercepts: ArrayView1<'_, f64>,
    background: ArrayView2<'_, f64>,
    row: ArrayView1<'_, f64>,
) -> Result<(), Error> {
    let (n_features, n_targets) = coefficients.dim();
    if row.len() != n_features {
        return Err(Error::shape("row", format!("[{n_features}]"), row.shape()));
    }
    if intercepts.len() != n_targets {
        return Err(Error::shape("intercepts", format!("[{n_targets}]"), intercepts.shape()));
    }
    if background.ncols() != n_features {
        return Err(Error::shape("background", format!("[rows, {n_features}]"), background.shape()));
    }
    if background.nrows() == 0 {
        return Err(Error::setting("background", "has no rows; one is the least"));
    }
    for (what, values) in [
        ("coefficients", coefficients.into_dyn()),
        ("intercepts", intercepts.into_dyn()),
        ("background", background.into_dyn()),
        ("row", row.into_dyn()),
    ] {
        if let Some((index, &value)) = values.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { what, value, index: ndarray::Dimension::slice(&index).to_vec() });
        }
    }
    Ok(())
}

/// The game of a linear model of normal features.
struct Correlated<'a> {
    coefficients: ArrayView2<'a, f64>,
    /// The worth of nobody, `[targets]`.
    base_values: Array1<f64>,
    /// From the mean, `[features]`.
    deviation: Array1<f64>,
    covariance: Array2<f64>,
    digest: [u8; 32],
}

impl<'a> Correlated<'a> {
    fn new(
        coefficients: ArrayView2<'a, f64>,
        intercepts: ArrayView1<'_, f64>,
        background: ArrayView2<'_, f64>,
        mean: Array1<f64>,
        row: ArrayView1<'_, f64>,
    ) -> Self {
        let centered = &background - &mean;
        Self {
            coefficients,
            base_values: mean.dot(&coefficients) + intercepts,
            deviation: &row - &mean,
            covariance: centered.t().dot(&centered) / background.nrows() as f64,
            digest: row_digest_f64(row.into_dyn()),
        }
    }

    /// `E[X | X_S = x_S] − μ`, `[features]`.
    fn expected(&self, present: ArrayView1<'_, bool>) -> Array1<f64> {
        let known: Vec<usize> = (0..present.len()).filter(|&i| present[i]).collect();
        let columns = self.covariance.select(Axis(1), &known);
        let mut slopes = self.deviation.select(Axis(0), &known).to_vec();
        Cholesky::new(&columns.select(Axis(0), &known)).solve_in_place(&mut slopes);
        let mut expected = columns.dot(&Array1::from(slopes));
        known.iter().for_each(|&i| expected[i] = self.deviation[i]);
        expected
    }
}

impl Game for Correlated<'_> {
    fn n_players(&self) -> usize {
        self.deviation.len()
    }

    fn n_targets(&self) -> usize {
        self.base_values.len()
    }

    fn worth(&self, present: ArrayView2<'_, bool>, work: &Work) -> Result<Array2<f64>, Error> {
        work.check()?;
        let mut worth = Array2::zeros((present.nrows(), self.n_targets()));
        for (mut worth, present) in worth.outer_iter_mut().zip(present.outer_iter()) {
            worth.assign(&(self.expected(present).dot(&self.coefficients) + &self.base_values));
        }
        Ok(worth)
    }

    fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::MaskedRow;
    use crate::masker::{Groups, Masker};
    use crate::testing::{linear, work};
    use ndarray::array;
    use rand_distr::{Distribution, StandardNormal};

    fn rows(n_rows: usize, n_features: usize) -> Array2<f64> {
        let mut generator = pellucid_core::Draws::new(5, &[0; 32], "rows").draw(0);
        let independent: Array2<f64> =
            Array2::from_shape_simple_fn((n_rows, n_features), || StandardNormal.sample(&mut generator));
        let mixing = Array2::from_shape_fn((n_features, n_features), |(i, j)| {
            if i == j { 1.0 } else { 0.3 / (1 + i + j) as f64 }
        });
        independent.dot(&mixing)
    }

    fn of(weights: &[f64], rows: &Array2<f64>, row: &Array1<f64>, removal: Removal) -> Estimate {
        let coefficients = ndarray::arr1(weights).insert_axis(Axis(1));
        let options = Options { removal, ..Default::default() };
        linear_shap(coefficients.view(), array![0.5].view(), rows.view(), row.view(), &options, &work(10))
            .expect("values")
    }

    #[test]
    fn interventional_values_are_those_of_the_game_over_the_background() {
        let (weights, rows, row) = ([2.0, -1.0, 0.0], rows(7, 3), array![1.0, 2.0, 3.0]);
        let found = of(&weights, &rows, &row, Removal::Interventional);
        let predictor = linear(&weights, 0.5);
        let masker = Masker::background(rows.into_dyn(), None, Groups::single(&[3])).expect("a masker");
        let row = row.into_dyn();
        let game = MaskedRow::new(&predictor, &masker, row.view(), array![[1.0]]).expect("a game");
        let expected = exact(&game, &exact::Options::default(), &work(10)).expect("values");
        assert!((&found.values - &expected.values).iter().all(|gap| gap.abs() < 1e-14));
        assert!((&found.base_values - &expected.base_values)[0].abs() < 1e-14);
        assert!((&found.outputs - &expected.outputs)[0].abs() < 1e-14);
    }

    /// `E[w·X | x_S]` is the best linear prediction from x_S: least squares over the background itself gives it.
    #[test]
    fn what_a_coalition_is_worth_is_the_regression_on_it() {
        let (weights, rows, row) = (array![[2.0], [-1.0], [0.5]], rows(40, 3), array![1.0, 2.0, 3.0]);
        let mean = rows.sum_axis(Axis(0)) / 40.0;
        let game = Correlated::new(weights.view(), array![0.0].view(), rows.view(), mean.clone(), row.view());
        let worth = game.worth(array![[true, false, true]].view(), &work(1)).expect("worth")[[0, 0]];
        // Two regressors: Cramer's rule on the normal equations.
        let centered = &rows - &mean;
        let (a, b, y) = (centered.column(0), centered.column(2), centered.dot(&weights.column(0)));
        let (aa, ab, bb, ay, by) = (a.dot(&a), a.dot(&b), b.dot(&b), a.dot(&y), b.dot(&y));
        let determinant = aa * bb - ab * ab;
        let slopes = [(ay * bb - by * ab) / determinant, (aa * by - ab * ay) / determinant];
        let expected =
            mean.dot(&weights)[0] + slopes[0] * (row[0] - mean[0]) + slopes[1] * (row[2] - mean[2]);
        assert!((worth - expected).abs() < 1e-12, "{worth} for {expected}");
    }

    #[test]
    fn values_add_up_also_where_columns_repeat_or_are_constant() {
        let mut rows = rows(9, 4);
        let first = rows.column(0).to_owned();
        rows.column_mut(2).assign(&first);
        rows.column_mut(3).fill(1.0);
        let row = array![1.0, 2.0, 1.0, 1.0];
        for removal in [Removal::Interventional, Removal::Correlated] {
            let found = of(&[2.0, -1.0, 0.5, 7.0], &rows, &row, removal);
            let gap = found.values.sum() - (found.outputs[0] - found.base_values[0]);
            assert!(gap.abs() < 1e-12, "{removal:?}: {gap}");
            assert!((found.outputs[0] - 8.0).abs() < 1e-12);
            assert!(found.values[[3, 0]].abs() < 1e-12, "a constant tells nothing: {}", found.values);
        }
        let found = of(&[2.0, -1.0, 0.5, 7.0], &rows, &row, Removal::Correlated);
        assert!(
            (found.values[[0, 0]] - found.values[[2, 0]]).abs() < 1e-10,
            "the same twice: {}",
            found.values
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let say = |coefficients: Array2<f64>, background: Array2<f64>, row: Array1<f64>| {
            let options = Options::default();
            linear_shap(
                coefficients.view(),
                array![0.0].view(),
                background.view(),
                row.view(),
                &options,
                &work(1),
            )
            .expect_err("a refusal")
            .to_string()
        };
        let (w, b, x) = (|| array![[1.0], [2.0]], || array![[0.0, 1.0]], || array![1.0, 2.0]);
        assert!(say(array![[1.0]], b(), x()).contains("row has shape [2]"));
        assert!(say(array![[1.0, 1.0], [2.0, 1.0]], b(), x()).contains("intercepts has shape [1]"));
        assert!(say(w(), array![[0.0]], x()).contains("background has shape [1, 1]"));
        assert!(say(w(), Array2::zeros((0, 2)), x()).contains("no rows"));
        assert!(say(w(), array![[0.0, f64::NAN]], x()).contains("background holds NaN at [0, 1]"));
    }
}
