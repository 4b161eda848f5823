//! What effects and importances read: a table of rows, and the values that a feature takes.

use ndarray::{ArrayView2, ArrayViewD};

use crate::error::Error;
use crate::predictor::Predictor;
use crate::quantile::quantile;

/// What a feature's numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// Numbers in their order.
    Numeric,
    /// Codes without an order.
    Categorical,
}

/// The rows as a table `[rows, features]` that the predictor takes, without a missing value in the features that are asked about.
pub(crate) fn checked<'a>(
    predictor: &dyn Predictor,
    rows: ArrayView2<'a, f64>,
    features: &[usize],
) -> Result<ArrayViewD<'a, f64>, Error> {
    let n_features = rows.ncols();
    if predictor.row_shape() != [n_features] {
        let expected = format!("[rows, {:?}]", predictor.row_shape());
        return Err(Error::shape("rows", expected, rows.shape()));
    }
    if rows.nrows() == 0 {
        return Err(Error::setting("rows", "there are none; one is the least"));
    }
    for &feature in features {
        if feature >= n_features {
            let reason = format!("there is no feature {feature}; rows have features 0 to {}", n_features - 1);
            return Err(Error::setting("features", reason));
        }
        if let Some((row, &value)) = rows.column(feature).indexed_iter().find(|(_, value)| !value.is_finite())
        {
            return Err(Error::NotFinite {
                what: "a feature whose effect is asked for",
                value,
                index: vec![row, feature],
            });
        }
    }
    Ok(rows.into_dyn())
}

/// The values of a feature in ascending order.
pub(crate) fn sorted(rows: ArrayView2<'_, f64>, feature: usize) -> Vec<f64> {
    let mut values = rows.column(feature).to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// The different values of a feature in ascending order.
pub(crate) fn distinct(rows: ArrayView2<'_, f64>, feature: usize) -> Vec<f64> {
    let mut values = sorted(rows, feature);
    values.dedup();
    values
}

/// The values of a feature at `n_bins + 1` equally spaced quantiles, each once.
pub(crate) fn quantiles(rows: ArrayView2<'_, f64>, feature: usize, n_bins: usize) -> Vec<f64> {
    let sorted = sorted(rows, feature);
    let mut edges: Vec<f64> = (0..=n_bins).map(|bin| quantile(&sorted, bin as f64 / n_bins as f64)).collect();
    edges.dedup();
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8], [0, 1/3, 2/3, 1]) and with fifths.
        let rows = array![[4.0], [1.0], [8.0], [2.0]];
        assert_eq!(quantiles(rows.view(), 0, 3), [1.0, 2.0, 4.0, 8.0]);
        let fifths = quantiles(rows.view(), 0, 5);
        for (edge, expected) in fifths.iter().zip([1.0, 1.6, 2.4, 3.6, 5.6, 8.0]) {
            assert!((edge - expected).abs() < 1e-12, "{fifths:?}");
        }
        assert_eq!(quantiles(array![[3.0], [3.0]].view(), 0, 4), [3.0]);
        assert_eq!(distinct(rows.view(), 0), [1.0, 2.0, 4.0, 8.0]);
    }
}
