//! Ranking: which features are shown by name, and which only in sum.

use ndarray::ArrayView2;

/// Features by falling size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranking {
    /// Shown by name, the largest first.
    pub(crate) shown: Vec<usize>,
    /// Shown in sum: none, or two and more.
    pub(crate) rest: Vec<usize>,
}

impl Ranking {
    /// The largest `max_features` of `sizes`; of equal ones the first. One more is shown where the rest would be a
    /// single feature, which takes no more room.
    pub(crate) fn of(sizes: &[f64], max_features: usize) -> Self {
        let mut shown: Vec<usize> = (0..sizes.len()).collect();
        shown.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
        let rest = if shown.len() > max_features + 1 { shown.split_off(max_features) } else { Vec::new() };
        Self { shown, rest }
    }
}

/// `mean |value|` of each column of `[rows, features]`.
pub(crate) fn mean_sizes(values: ArrayView2<'_, f64>) -> Vec<f64> {
    let mut sums = vec![0.0; values.ncols()];
    // Row by row, as the table lies in memory.
    for row in values.rows() {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value.abs();
        }
    }
    sums.iter().map(|sum| sum / values.nrows() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn the_largest_come_first_and_no_feature_is_lost() {
        let sizes = [1.0, 3.0, 2.0, 3.0, 0.0];
        assert_eq!(Ranking::of(&sizes, 2), Ranking { shown: vec![1, 3], rest: vec![2, 0, 4] });
        assert_eq!(Ranking::of(&sizes, 4), Ranking { shown: vec![1, 3, 2, 0, 4], rest: vec![] });
        assert_eq!(Ranking::of(&sizes, 9).shown.len(), 5);
    }

    #[test]
    fn sizes_have_no_sign() {
        assert_eq!(mean_sizes(arr2(&[[1.0, -2.0], [-3.0, 0.0]]).view()), [2.0, 1.0]);
    }
}
