//! An order for categories that have none: alike ones side by side.

use ndarray::{Array2, ArrayView2};

use crate::effects::table::distinct;

/// More different values than this are compared by cumulative distributions, fewer by shares.
const FEW_VALUES: usize = 10;

/// Power iterations; two levels need one, a dozen some tens.
const N_ITERATIONS: usize = 500;

/// The levels in an order in which the rows of neighbors are alike in all other features: distances of distributions, summed over
/// features, scaled to one dimension (Apley & Zhu 2020, section 4; classical scaling).
pub(super) fn by_likeness(rows: ArrayView2<'_, f64>, feature: usize, levels: &[f64]) -> Vec<f64> {
    let distances = distances(rows, feature, levels);
    let places = scaled(&distances);
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]).then(a.cmp(&b)));
    // The direction of the scale means nothing: the smaller of the two end levels comes first.
    if order.first() > order.last() {
        order.reverse();
    }
    order.into_iter().map(|place| levels[place]).collect()
}

fn distances(rows: ArrayView2<'_, f64>, feature: usize, levels: &[f64]) -> Array2<f64> {
    let of_level = |level: f64| -> Vec<usize> {
        (0..rows.nrows()).filter(|&row| rows[[row, feature]] == level).collect()
    };
    let members: Vec<Vec<usize>> = levels.iter().map(|&level| of_level(level)).collect();
    let mut distances = Array2::zeros((levels.len(), levels.len()));
    for other in (0..rows.ncols()).filter(|&other| other != feature) {
        let values = distinct(rows, other);
        let shares: Vec<Vec<f64>> =
            members.iter().map(|members| shares(rows, other, members, &values)).collect();
        for a in 0..levels.len() {
            for b in 0..levels.len() {
                distances[[a, b]] += distance(&shares[a], &shares[b]);
            }
        }
    }
    distances
}

/// The share of some rows that have each of the values.
fn shares(rows: ArrayView2<'_, f64>, feature: usize, members: &[usize], values: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; values.len()];
    for &row in members {
        if let Ok(place) = values.binary_search_by(|value| value.total_cmp(&rows[[row, feature]])) {
            shares[place] += 1.0 / members.len() as f64;
        }
    }
    shares
}

/// The largest gap of cumulative distributions (Kolmogorov–Smirnov), or, of few values, half the sum of the shares' gaps.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    if a.len() <= FEW_VALUES {
        return a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
    }
    let (mut gap, mut largest) = (0.0, 0.0_f64);
    for (a, b) in a.iter().zip(b) {
        gap += a - b;
        largest = largest.max(f64::abs(gap));
    }
    largest
}

/// The first coordinate of classical scaling: the leading eigenvector of the doubly centered squared distances.
fn scaled(distances: &Array2<f64>) -> Vec<f64> {
    let n = distances.nrows();
    let squared = distances.mapv(|distance| -0.5 * distance * distance);
    let row_means: Vec<f64> = squared.rows().into_iter().map(|row| row.sum() / n as f64).collect();
    let mean = row_means.iter().sum::<f64>() / n as f64;
    let centered =
        Array2::from_shape_fn((n, n), |(a, b)| squared[[a, b]] - row_means[a] - row_means[b] + mean);
    // Shifted so that the largest eigenvalue is the largest in size too.
    let shift = centered.rows().into_iter().map(|row| row.mapv(f64::abs).sum()).fold(0.0, f64::max);
    let mut vector: Vec<f64> =
        (0..n).map(|place| place as f64 - (n - 1) as f64 / 2.0 + 0.1 / (place + 1) as f64).collect();
    for _ in 0..N_ITERATIONS {
        let next: Vec<f64> = (0..n)
            .map(|a| (0..n).map(|b| centered[[a, b]] * vector[b]).sum::<f64>() + shift * vector[a])
            .collect();
        let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            break;
        }
        vector = next.into_iter().map(|x| x / norm).collect();
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels 2, 0, 1 lie at 0, 1, 2 of the other feature's distribution.
    #[test]
    fn alike_levels_stand_side_by_side() {
        let place = [1.0, 2.0, 0.0];
        let rows = Array2::from_shape_fn((60, 2), |(row, column)| match column {
            0 => (row % 3) as f64,
            _ => place[row % 3] * 4.0 + (row / 3) as f64,
        });
        assert_eq!(by_likeness(rows.view(), 0, &[0.0, 1.0, 2.0]), [1.0, 0.0, 2.0]);
    }

    #[test]
    fn distances_are_those_of_the_definitions() {
        assert_eq!(distance(&[0.5, 0.5, 0.0], &[0.0, 0.5, 0.5]), 0.5);
        let many = |shift: usize| (0..12).map(|i| f64::from(u8::from(i == shift))).collect::<Vec<_>>();
        assert_eq!(distance(&many(1), &many(7)), 1.0);
    }
}
