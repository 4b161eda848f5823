//! Outliers: where the color range ends, so that one extreme pixel does not leave all others pale.

use ndarray::ArrayView2;

/// The absolute value at which the palette reaches its last color.
///
/// Sort `|value|` upward and add them up: the result is the first at which the running sum reaches
/// `1 − outlier_percent / 100` of the whole. Values beyond it are drawn as if they were there. With 0 percent it is the
/// largest absolute value; for an all-zero map it is 0. The cut is by mass and not by count of pixels, as captum's
/// `outlier_perc` cuts it, so that a sparse map keeps its range.
///
/// The caller makes sure that the values are finite and `outlier_percent` is in `[0, 100)`.
///
/// # Example: half of the mass lies in one pixel
/// ```
/// use ndarray::arr2;
/// let map = arr2(&[[-1.0, 2.0], [3.0, 6.0]]);
/// assert_eq!(pellucid_plot::outlier_limit(map.view(), 0.0), 6.0);
/// assert_eq!(pellucid_plot::outlier_limit(map.view(), 50.0), 3.0);
/// ```
pub fn outlier_limit(map: ArrayView2<'_, f64>, outlier_percent: f64) -> f64 {
    let mut sizes: Vec<f64> = map.iter().map(|value| value.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let largest = sizes.last().copied().unwrap_or(0.0);
    if largest == 0.0 {
        return 0.0;
    }
    // Divided by the largest, so that the sum of huge values stays finite.
    let sums: Vec<f64> = sizes
        .iter()
        .scan(0.0, |sum, size| {
            *sum += size / largest;
            Some(*sum)
        })
        .collect();
    let wanted = sums[sums.len() - 1] * (1.0 - outlier_percent / 100.0);
    sizes[sums.partition_point(|&sum| sum < wanted)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn check(values: &[f64], outlier_percent: f64, expected: f64) {
        let map = Array2::from_shape_vec((1, values.len()), values.to_vec()).unwrap();
        assert_eq!(outlier_limit(map.view(), outlier_percent), expected, "{values:?} at {outlier_percent} %");
    }

    #[test]
    fn the_limit_is_where_the_running_sum_reaches_the_share() {
        check(&[0.0; 5], 2.0, 0.0);
        check(&[], 2.0, 0.0);
        check(&[-7.0], 2.0, 7.0);
        check(&[1.0, 1.0, 1.0, 1.0], 2.0, 1.0);
        // 96 of 100 lie in the ones, the rest in one pixel of 4: cut at 2 % keeps it, at 5 % does not.
        let mut values = vec![1.0; 96];
        values.push(-4.0);
        check(&values, 2.0, 4.0);
        check(&values, 5.0, 1.0);
        check(&[f64::MAX, f64::MAX], 2.0, f64::MAX);
        check(&[f64::MIN_POSITIVE / 4.0], 2.0, f64::MIN_POSITIVE / 4.0);
    }

    #[test]
    fn only_absolute_values_count() {
        check(&[-1.0, 2.0, -3.0, 6.0], 50.0, 3.0);
        check(&[1.0, -2.0, 3.0, -6.0], 50.0, 3.0);
    }
}
