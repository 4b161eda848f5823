#![doc = include_str!("partial_dependence.md")]

use ndarray::{Array2, Array3, ArrayView2, Axis, Slice};
use pellucid_core::{RunningMean, Work};

use crate::batches::{batch_size, in_batches};
use crate::effects::table::{checked, distinct, sorted};
use crate::error::Error;
use crate::predictor::{Predictor, predict};
use crate::quantile::quantile;

/// Settings of [`partial_dependence`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether the curves of single rows are kept (ICE).
    pub individual: bool,
    /// Whether each row's curve is taken less its value at the first point.
    pub centered: bool,
}

/// How outputs follow some features.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependence {
    /// The values of the features, `[points, features]`.
    pub grid: Array2<f64>,
    /// The mean over rows, `[points, outputs]`.
    pub mean: Array2<f64>,
    /// Its standard error, `[points, outputs]`; 0 for a single row.
    pub standard_error: Array2<f64>,
    /// The curves of rows, `[rows, points, outputs]`, where they were asked for.
    pub individual: Option<Array3<f64>>,
}

/// The mean output over `rows` `[rows, features]` with the values of each point of `grid` `[points, features]` put into the features.
///
/// # Errors
/// Rows of another width than the predictor's, features that are not there or come twice, a grid of another width, whatever the
/// predictor reports, cancellation.
pub fn partial_dependence(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    features: &[usize],
    grid: Array2<f64>,
    options: &Options,
    work: &Work,
) -> Result<Dependence, Error> {
    checked(predictor, rows, features)?;
    if grid.ncols() != features.len() || features.is_empty() {
        return Err(Error::shape("grid", format!("[points, {}]", features.len()), grid.shape()));
    }
    if features.iter().enumerate().any(|(place, feature)| features[..place].contains(feature)) {
        return Err(Error::setting("features", "a feature comes twice"));
    }
    let (n_rows, n_points, n_outputs) = (rows.nrows(), grid.nrows(), predictor.n_outputs());
    // Row by row, so that the result depends on no batch.
    let mut mean = RunningMean::new((n_points, n_outputs));
    let mut individual = options.individual.then(|| Array3::zeros((n_rows, n_points, n_outputs)));
    let at_once = (batch_size(work, predictor.row_shape())? / n_points.max(1)).max(1);
    for range in in_batches(n_rows, at_once) {
        let mut curves =
            curves(predictor, rows.slice_axis(Axis(0), Slice::from(range.clone())), features, &grid, work)?;
        if options.centered {
            let first = curves.slice_axis(Axis(1), Slice::from(..1)).to_owned();
            curves -= &first;
        }
        curves.outer_iter().for_each(|curve| mean.add(curve));
        if let Some(individual) = &mut individual {
            individual.slice_axis_mut(Axis(0), Slice::from(range)).assign(&curves);
        }
    }
    let standard_error = mean.standard_error();
    Ok(Dependence { grid, mean: mean.mean().clone(), standard_error, individual })
}

/// The outputs of some rows at each point, `[rows, points, outputs]`.
fn curves(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    features: &[usize],
    grid: &Array2<f64>,
    work: &Work,
) -> Result<Array3<f64>, Error> {
    let n_points = grid.nrows();
    let mut filled = Array2::zeros((rows.nrows() * n_points, rows.ncols()));
    for (number, mut slot) in filled.outer_iter_mut().enumerate() {
        slot.assign(&rows.row(number / n_points));
        for (&feature, &value) in features.iter().zip(grid.row(number % n_points)) {
            slot[feature] = value;
        }
    }
    let outputs = predict(predictor, filled.view().into_dyn(), work)?;
    let mut curves = Array3::zeros((rows.nrows(), n_points, outputs.ncols()));
    for (slot, output) in curves.iter_mut().zip(outputs) {
        *slot = output;
    }
    Ok(curves)
}

/// The points of a feature: its values where there are at most `n_points`, otherwise that many between the quantiles
/// `percentiles` (shares), equally spaced.
///
/// # Errors
/// Fewer than two points, shares that are none, a feature that is not there.
pub fn grid(
    predictor: &dyn Predictor,
    rows: ArrayView2<'_, f64>,
    feature: usize,
    n_points: usize,
    percentiles: (f64, f64),
) -> Result<Vec<f64>, Error> {
    checked(predictor, rows, &[feature])?;
    if n_points < 2 {
        return Err(Error::setting("n_points", "two is the least"));
    }
    let (low, high) = percentiles;
    if !(0.0..=1.0).contains(&low) || !(0.0..=1.0).contains(&high) || low >= high {
        return Err(Error::setting(
            "percentiles",
            format!("({low}, {high}) are no two shares in ascending order"),
        ));
    }
    let values = distinct(rows, feature);
    if values.len() <= n_points {
        return Ok(values);
    }
    let sorted = sorted(rows, feature);
    let edges = (quantile(&sorted, low), quantile(&sorted, high));
    let step = (edges.1 - edges.0) / (n_points - 1) as f64;
    Ok((0..n_points).map(|point| edges.0 + step * point as f64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{of_rows, work};
    use ndarray::{Array2, array};

    fn rows() -> Array2<f64> {
        Array2::from_shape_fn((9, 3), |(row, column)| ((row * 7 + column * 5) % 11) as f64)
    }

    #[test]
    fn the_effect_is_that_of_the_definition_whatever_the_batch() {
        let predictor = of_rows(3, |row| row[0] * row[1] + row[2].sin());
        let (rows, grid) = (rows(), array![[1.0, 2.0], [3.0, -1.0]]);
        let options = Options { individual: true, centered: true };
        let whole = partial_dependence(&predictor, rows.view(), &[2, 0], grid.clone(), &options, &work(1000))
            .expect("an effect");
        for batch_size in [1, 2, 3, 7] {
            let again = partial_dependence(
                &predictor,
                rows.view(),
                &[2, 0],
                grid.clone(),
                &options,
                &work(batch_size),
            );
            assert_eq!(again, Ok(whole.clone()));
        }
        let curves = whole.individual.expect("asked for");
        let expected =
            |row: usize| (-rows[[row, 1]] + 3.0_f64.sin()) - (2.0 * rows[[row, 1]] + 1.0_f64.sin());
        let n = rows.nrows() as f64;
        let mean = (0..9).map(expected).sum::<f64>() / n;
        let variance = (0..9).map(|row| (expected(row) - mean).powi(2)).sum::<f64>() / (n - 1.0);
        assert!((0..9).all(|row| (curves[[row, 1, 0]] - expected(row)).abs() < 1e-12));
        assert_eq!((whole.mean[[0, 0]], whole.standard_error[[0, 0]]), (0.0, 0.0));
        assert!((whole.mean[[1, 0]] - mean).abs() < 1e-12);
        assert!((whole.standard_error[[1, 0]] - (variance / n).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn grids_take_few_values_as_they_are() {
        let predictor = of_rows(1, |row| row[0]);
        let few = array![[1.0], [3.0], [1.0]];
        assert_eq!(grid(&predictor, few.view(), 0, 5, (0.0, 1.0)), Ok(vec![1.0, 3.0]));
        let many = Array2::from_shape_fn((101, 1), |(row, _)| row as f64);
        assert_eq!(grid(&predictor, many.view(), 0, 3, (0.05, 0.95)), Ok(vec![5.0, 50.0, 95.0]));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let predictor = of_rows(3, |row| row[0]);
        let say = |rows: Array2<f64>, features: &[usize], grid| {
            partial_dependence(&predictor, rows.view(), features, grid, &Options::default(), &Work::default())
                .expect_err("a refusal")
                .to_string()
        };
        assert!(say(rows(), &[3], array![[1.0]]).contains("no feature 3"));
        assert!(say(rows(), &[1, 1], array![[1.0, 1.0]]).contains("comes twice"));
        assert!(say(rows(), &[1], array![[1.0, 1.0]]).contains("grid has shape [1, 2]"));
        assert!(say(Array2::zeros((0, 3)), &[1], array![[1.0]]).contains("there are none"));
        let mut missing = rows();
        missing[[4, 1]] = f64::NAN;
        assert!(say(missing, &[1], array![[1.0]]).contains("NaN at [4, 1]"));
        let points = grid(&predictor, rows().view(), 0, 1, (0.0, 1.0)).expect_err("a refusal").to_string();
        assert!(points.contains("two is the least"));
        let shares = grid(&predictor, rows().view(), 0, 5, (0.9, 0.1)).expect_err("a refusal").to_string();
        assert!(shares.contains("ascending"));
    }
}
