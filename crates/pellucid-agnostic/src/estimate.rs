//! What a method finds for one game, and how the games of many rows become an attribution.

use ndarray::{Array1, Array2, ArrayD, ArrayViewD, Axis};
use pellucid_core::{Attribution, Target, Work};

use crate::error::Error;
use crate::game::MaskedRow;
use crate::masker::Masker;
use crate::predictor::{Predictor, predict};

/// A value for each player of one game.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// `[players, targets]`.
    pub values: Array2<f64>,
    /// The standard error of each value, `[players, targets]`, for sampled methods; 0 where a value is exact.
    pub standard_error: Option<Array2<f64>>,
    /// The worth of nobody, `[targets]`.
    pub base_values: Array1<f64>,
    /// The worth of all, `[targets]`.
    pub outputs: Array1<f64>,
    /// Coalitions whose worth was asked for.
    pub evaluations: usize,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// Explains each of `rows` `[rows, features…]` by `method`, a function of a row's game, with one masker for all. Values are
/// those of the players, `[rows, K, players]`.
///
/// # Errors
/// A target that is not there, rows of another shape, whatever `method` reports.
pub fn explain_rows(
    predictor: &dyn Predictor,
    masker: &Masker,
    rows: ArrayViewD<'_, f64>,
    target: &Target,
    labels: Option<&[String]>,
    work: &Work,
    method: impl Fn(&MaskedRow<'_>) -> Result<Estimate, Error>,
) -> Result<Attribution, Error> {
    let outputs = predict(predictor, rows.view(), work)?;
    let resolved = target.resolve(outputs.view(), labels)?;
    let (n_rows, n_targets) = (outputs.nrows(), resolved.weights.len());
    let shape = (n_rows, n_targets, masker.groups().n_groups());
    let mut values = ndarray::Array3::zeros(shape);
    let mut errors = ndarray::Array3::zeros(shape);
    let mut explained = Array2::zeros((n_rows, n_targets));
    let mut base_values = Array2::zeros((n_rows, n_targets));
    let mut evaluations = Array1::zeros(n_rows);
    let (mut sampled, mut warnings) = (false, Vec::new());
    for (index, row) in rows.outer_iter().enumerate() {
        let weights = Array2::from_shape_fn((outputs.ncols(), n_targets), |(output, k)| {
            f64::from(resolved.weights[k][[index, output]])
        });
        let estimate = method(&MaskedRow::new(predictor, masker, row, weights)?)?;
        values.index_axis_mut(Axis(0), index).assign(&estimate.values.t());
        if let Some(error) = &estimate.standard_error {
            errors.index_axis_mut(Axis(0), index).assign(&error.t());
            sampled = true;
        }
        explained.row_mut(index).assign(&estimate.outputs);
        base_values.row_mut(index).assign(&estimate.base_values);
        evaluations[index] = estimate.evaluations;
        warnings.extend(estimate.warnings.into_iter().map(|warning| format!("row {index}: {warning}")));
    }
    let mut attribution =
        Attribution::new(values.into_dyn(), explained.into_dyn()).with_base_values(base_values.into_dyn());
    attribution.standard_error = sampled.then(|| errors.into_dyn());
    attribution.evaluations = evaluations;
    attribution.warnings = warnings;
    Ok(attribution)
}

/// Values of players, `[rows, K, players]`, as values of features, `[rows, K, features…]`: each element has its group's value.
pub fn spread(values: &ArrayD<f64>, masker: &Masker) -> ArrayD<f64> {
    let groups = masker.groups();
    let (rows, targets) = (values.len_of(Axis(0)), values.len_of(Axis(1)));
    let shape: Vec<usize> = [rows, targets].iter().chain(groups.of_element().shape()).copied().collect();
    let mut spread = ArrayD::zeros(shape);
    for (row, mut of_row) in spread.outer_iter_mut().enumerate() {
        for (k, mut slot) in of_row.outer_iter_mut().enumerate() {
            slot.assign(&groups.of_element().mapv(|group| values[[row, k, group]]));
        }
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Game;
    use crate::masker::Groups;
    use crate::testing::{linear, work};
    use ndarray::{Array2, array};

    #[test]
    fn each_row_has_its_own_game() {
        let predictor = linear(&[2.0, -1.0, 3.0], 1.0);
        let groups = Groups::new(array![0, 1, 1].into_dyn()).expect("groups");
        let background = array![[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]].into_dyn();
        let masker = Masker::background(background, None, groups).expect("a masker");
        let rows = array![[1.0, 2.0, 3.0], [4.0, 0.0, 1.0]].into_dyn();
        // What a player is worth alone, which for a linear model is its Shapley value.
        let alone = |game: &MaskedRow<'_>| {
            let worth = game.worth(array![[false, false], [true, false], [false, true]].view(), &work(1))?;
            let values = Array2::from_shape_fn((2, 1), |(player, _)| worth[[player + 1, 0]] - worth[[0, 0]]);
            let outputs = game.worth(array![[true, true]].view(), &work(1))?.row(0).to_owned();
            let base_values = worth.row(0).to_owned();
            Ok(Estimate {
                values,
                standard_error: None,
                base_values,
                outputs,
                evaluations: 4,
                warnings: vec!["w".into()],
            })
        };
        let attribution =
            explain_rows(&predictor, &masker, rows.view(), &Target::Index(0), None, &work(3), alone)
                .expect("values");
        assert_eq!(attribution.values, array![[[1.0, 6.0]], [[7.0, 2.0]]].into_dyn());
        assert_eq!(attribution.outputs, array![[10.0], [12.0]].into_dyn());
        assert_eq!(attribution.base_values, Some(array![[3.0], [3.0]].into_dyn()));
        assert_eq!(attribution.convergence_delta, Some(array![[0.0], [0.0]].into_dyn()));
        assert_eq!(attribution.warnings, ["row 0: w", "row 1: w"]);
        let spread = spread(&attribution.values, &masker);
        assert_eq!(spread, array![[[1.0, 6.0, 6.0]], [[7.0, 2.0, 2.0]]].into_dyn());
    }
}
