#![doc = include_str!("k_means.md")]

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use pellucid_core::{Draws, row_digest_f64};

use crate::draw::unit;
use crate::error::Error;

/// Lloyd's iterations end here where clusters go on trading rows.
const MAX_ITERATIONS: usize = 100;

/// Some rows that stand for many.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// `[k, features]`, in ascending order of the first feature that differs.
    pub rows: Array2<f64>,
    /// The share of rows that each stands for.
    pub weights: Array1<f64>,
}

/// Sums up `rows` `[rows, features]` by `k` rows; by fewer where there are fewer different ones.
///
/// # Errors
/// No rows, `k` of 0, a number that is none.
pub fn k_means(rows: ArrayView2<'_, f64>, k: usize, seed: u64) -> Result<Summary, Error> {
    if rows.nrows() == 0 || k == 0 {
        return Err(Error::setting("background", "a summary needs rows, and one cluster at least"));
    }
    if let Some(((row, feature), &value)) = rows.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { what: "the background", value, index: vec![row, feature] });
    }
    let scaled = scaled(rows);
    let mut centers = first_centers(&scaled, k, seed, rows);
    let mut clusters = vec![usize::MAX; rows.nrows()];
    for _ in 0..MAX_ITERATIONS {
        let next: Vec<usize> = scaled.outer_iter().map(|row| nearest(row, &centers).0).collect();
        if next == clusters {
            break;
        }
        clusters = next;
        centers = means(&scaled, &clusters, centers.nrows());
    }
    Ok(summary(rows, &clusters, centers.nrows()))
}

/// Features in units of their standard deviation; a constant one is 0.
fn scaled(rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let spread = rows.std_axis(Axis(0), 0.0);
    let mut scaled = rows.to_owned();
    for (mut column, &spread) in scaled.columns_mut().into_iter().zip(&spread) {
        column.mapv_inplace(|x| if spread > 0.0 { x / spread } else { 0.0 });
    }
    scaled
}

fn distance(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The nearest center, the first of equals, and its squared distance.
fn nearest(row: ArrayView1<'_, f64>, centers: &Array2<f64>) -> (usize, f64) {
    let distances = centers.outer_iter().map(|center| distance(row, center)).enumerate();
    distances.fold((0, f64::INFINITY), |best, other| if other.1 < best.1 { other } else { best })
}

/// k-means++: each further center is a row drawn by its squared distance from those before.
fn first_centers(scaled: &Array2<f64>, k: usize, seed: u64, rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let draws = Draws::new(seed, &row_digest_f64(rows.into_dyn()), "k_means");
    let share = |draw: usize| unit(&mut draws.draw(draw as u64));
    let n = scaled.nrows();
    let mut chosen = vec![((share(0) * n as f64) as usize).min(n - 1)];
    let mut distances: Vec<f64> =
        scaled.outer_iter().map(|row| distance(row, scaled.row(chosen[0]))).collect();
    for draw in 1..k {
        let total: f64 = distances.iter().sum();
        if total == 0.0 {
            break;
        }
        let mut left = share(draw) * total;
        let last = distances.iter().rposition(|&distance| distance > 0.0).unwrap_or(0);
        let next = distances.iter().position(|&distance| {
            left -= distance;
            left < 0.0 && distance > 0.0
        });
        let next = next.unwrap_or(last);
        chosen.push(next);
        for (known, row) in distances.iter_mut().zip(scaled.outer_iter()) {
            *known = known.min(distance(row, scaled.row(next)));
        }
    }
    scaled.select(Axis(0), &chosen)
}

/// The means of the clusters; one that lost all its rows stays at 0 and is dropped in the end.
fn means(scaled: &Array2<f64>, clusters: &[usize], k: usize) -> Array2<f64> {
    let mut means = Array2::zeros((k, scaled.ncols()));
    let mut counts = vec![0.0_f64; k];
    for (row, &cluster) in scaled.outer_iter().zip(clusters) {
        means.row_mut(cluster).zip_mut_with(&row, |sum, x| *sum += x);
        counts[cluster] += 1.0;
    }
    for (mut mean, &count) in means.rows_mut().into_iter().zip(&counts) {
        mean.mapv_inplace(|sum| sum / count.max(1.0));
    }
    means
}

fn summary(rows: ArrayView2<'_, f64>, clusters: &[usize], k: usize) -> Summary {
    let means = means(&rows.to_owned(), clusters, k);
    let mut found: Vec<(Vec<f64>, f64)> = (0..k)
        .map(|cluster| {
            let count = clusters.iter().filter(|&&of_row| of_row == cluster).count();
            let center =
                (0..rows.ncols()).map(|feature| near(rows.column(feature), means[[cluster, feature]]));
            (center.collect(), count as f64 / rows.nrows() as f64)
        })
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    found.sort_by(|(a, _), (b, _)| {
        let differing = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        differing.unwrap_or(std::cmp::Ordering::Equal)
    });
    let weights = found.iter().map(|(_, weight)| *weight).collect();
    let rows = Array2::from_shape_fn((found.len(), rows.ncols()), |(row, feature)| found[row].0[feature]);
    Summary { rows, weights }
}

/// The value of a feature that is nearest to a mean, the smaller of two.
fn near(values: ArrayView1<'_, f64>, mean: f64) -> f64 {
    let closer = |best: f64, &value: &f64| {
        let (old, new) = ((best - mean).abs(), (value - mean).abs());
        if new < old || new == old && value < best { value } else { best }
    };
    values.iter().fold(values[0], closer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Three heaps far apart are found from any seed, and each row's weight counts.
    #[test]
    fn heaps_far_apart_are_found() {
        let rows = Array2::from_shape_fn((60, 2), |(row, column)| {
            let heap = [0, 0, 0, 1, 1, 2][row % 6];
            f64::from(heap) * 100.0 + ((row * 7 + column * 3) % 5) as f64
        });
        for seed in 0..10 {
            let summary = k_means(rows.view(), 3, seed).expect("a summary");
            assert_eq!(summary.weights.to_vec(), [0.5, 1.0 / 3.0, 1.0 / 6.0], "seed {seed}");
            for (heap, row) in summary.rows.outer_iter().enumerate() {
                assert!(row.iter().all(|x| (0.0..=4.0).contains(&(x - 100.0 * heap as f64))), "{summary:?}");
            }
        }
    }

    #[test]
    fn coordinates_are_values_that_occur() {
        let rows = array![[0.0, 1.0], [1.0, 1.0], [10.0, 3.0]];
        let summary = k_means(rows.view(), 1, 0).expect("a summary");
        assert_eq!(summary, Summary { rows: array![[1.0, 1.0]], weights: array![1.0] });
    }

    #[test]
    fn there_are_no_more_clusters_than_different_rows() {
        let rows = array![[1.0], [1.0], [2.0]];
        let summary = k_means(rows.view(), 3, 0).expect("a summary");
        assert_eq!(summary.rows, array![[1.0], [2.0]]);
        assert!((summary.weights.sum() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let say = |rows: Array2<f64>, k| k_means(rows.view(), k, 0).expect_err("a refusal").to_string();
        assert!(say(array![[1.0]], 0).contains("one cluster at least"));
        assert!(say(Array2::zeros((0, 1)), 1).contains("needs rows"));
        assert!(say(array![[1.0], [f64::NAN]], 1).contains("NaN at [1, 0]"));
    }
}
