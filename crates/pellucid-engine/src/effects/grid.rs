//! What is put into features: values that the rows hold, spread as they are.

use ndarray::Array2;

use super::EffectFeature;

/// What the rows hold for a feature.
pub(super) struct Values<'a> {
    /// NaN is missing.
    pub(super) data: &'a [f64],
    /// Whether the numbers have no order, so that none can stand for its neighbors.
    pub(super) are_categories: bool,
}

impl<'a> Values<'a> {
    pub(super) fn of(feature: &'a EffectFeature) -> Self {
        Self { data: &feature.data, are_categories: feature.is_categorical }
    }
}

/// Every value of a feature with every value of the next, `[points, features]`.
pub(super) fn grid(features: &[Values<'_>], n_points: usize) -> Array2<f64> {
    let columns: Vec<Vec<f64>> = features.iter().map(|values| points(values, n_points)).collect();
    let n = columns.iter().map(Vec::len).product();
    // The last feature goes round fastest.
    let repeats = |feature: usize| columns[feature + 1..].iter().map(Vec::len).product::<usize>();
    let value = |(point, feature): (usize, usize)| {
        let column = &columns[feature];
        column[point / repeats(feature) % column.len()]
    };
    Array2::from_shape_fn((n, columns.len()), value)
}

/// All distinct values where they are few or categories, else values of the rows at evenly spread ranks.
fn points(values: &Values<'_>, n_points: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.data.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if values.are_categories || distinct.len() <= n_points {
        return distinct;
    }
    let last = sorted.len() - 1;
    let mut points: Vec<f64> = (0..n_points).map(|rank| sorted[rank * last / (n_points - 1)]).collect();
    points.dedup();
    points
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn points_of(data: &[f64], are_categories: bool, n_points: usize) -> Vec<f64> {
        points(&Values { data, are_categories }, n_points)
    }

    #[test]
    fn points_are_values_that_rows_hold() {
        assert_eq!(points_of(&[3.0, 1.0, f64::NAN, 1.0], false, 100), [1.0, 3.0]);
        let many: Vec<f64> = (0..=1000).rev().map(f64::from).collect();
        assert_eq!(points_of(&many, false, 5), [0.0, 250.0, 500.0, 750.0, 1000.0]);
        assert_eq!(points_of(&many, true, 5).len(), 1001);
        // Where most rows hold one value, it is one point.
        let skewed: Vec<f64> = (0..1000).map(|i| f64::from(i.max(900))).collect();
        assert_eq!(points_of(&skewed, false, 11), [900.0, 999.0]);
        assert_eq!(points_of(&[f64::NAN], false, 5), [0.0; 0]);
    }

    #[test]
    fn a_grid_of_two_has_every_pair() {
        let (a, b) = ([1.0, 2.0], [5.0, 6.0, 7.0]);
        let values = |data| Values { data, are_categories: false };
        let grid_of = grid(&[values(&a[..]), values(&b[..])], 9);
        assert_eq!(grid_of, array![[1.0, 5.0], [1.0, 6.0], [1.0, 7.0], [2.0, 5.0], [2.0, 6.0], [2.0, 7.0]]);
    }
}
