//! Cluster: an order of rows in which like stands beside like.

use ndarray::ArrayView2;

/// The leaves of Ward's hierarchical clustering of `values` `[rows, features]`, from left to right; of two branches, the
/// one with the lower mean in `heights` comes first. Takes time and memory in the square of the rows.
///
/// Nearest-neighbor chains (Murtagh 1983) with the update of Lance and Williams 1967 on squared distances.
pub(crate) fn cluster_order(values: ArrayView2<'_, f64>, heights: &[f64]) -> Vec<usize> {
    let n = values.nrows();
    let mut clusters: Vec<Option<Cluster>> =
        (0..n).map(|row| Some(Cluster { leaves: vec![row], height: heights[row] })).collect();
    let mut distances = squared_distances(values);
    let mut chain: Vec<usize> = Vec::new();
    for _ in 1..n {
        let (a, b) = nearest_pair(&mut chain, &clusters, &distances, n);
        let (Some(first), Some(second)) = (clusters[a].take(), clusters[b].take()) else { break };
        for other in (0..n).filter(|&other| clusters[other].is_some()) {
            let sizes = [first.size(), second.size(), clusters[other].as_ref().map_or(0.0, Cluster::size)];
            let merged =
                ward(sizes, [distances[a * n + other], distances[b * n + other], distances[a * n + b]]);
            distances[a * n + other] = merged;
            distances[other * n + a] = merged;
        }
        clusters[a] = Some(first.joined(second));
    }
    clusters.into_iter().flatten().next().map_or(Vec::new(), |cluster| cluster.leaves)
}

struct Cluster {
    leaves: Vec<usize>,
    /// Mean over the leaves.
    height: f64,
}

impl Cluster {
    fn size(&self) -> f64 {
        self.leaves.len() as f64
    }

    fn joined(self, other: Self) -> Self {
        let size = self.size() + other.size();
        let height = self.height * (self.size() / size) + other.height * (other.size() / size);
        let (mut low, high) = if other.height < self.height { (other, self) } else { (self, other) };
        low.leaves.extend(high.leaves);
        Self { leaves: low.leaves, height }
    }
}

/// Follows nearest neighbors until two are each other's.
fn nearest_pair(
    chain: &mut Vec<usize>,
    clusters: &[Option<Cluster>],
    distances: &[f64],
    n: usize,
) -> (usize, usize) {
    if chain.is_empty() {
        chain.extend((0..n).find(|&index| clusters[index].is_some()));
    }
    loop {
        let last = chain[chain.len() - 1];
        let previous = chain.len().checked_sub(2).map(|index| chain[index]);
        let mut nearest = previous.unwrap_or(usize::MAX);
        let mut least = previous.map_or(f64::INFINITY, |previous| distances[last * n + previous]);
        for other in (0..n).filter(|&other| other != last && clusters[other].is_some()) {
            // Strictly nearer: the previous one wins ties, so that the chain ends.
            if distances[last * n + other] < least || nearest == usize::MAX {
                (nearest, least) = (other, distances[last * n + other]);
            }
        }
        if Some(nearest) == previous {
            chain.truncate(chain.len() - 2);
            return (nearest.min(last), nearest.max(last));
        }
        chain.push(nearest);
    }
}

fn ward([a, b, other]: [f64; 3], [a_other, b_other, a_b]: [f64; 3]) -> f64 {
    ((a + other) * a_other + (b + other) * b_other - other * a_b) / (a + b + other)
}

/// In units of the largest value, which squares could overflow.
fn squared_distances(values: ArrayView2<'_, f64>) -> Vec<f64> {
    let n = values.nrows();
    let largest = values.iter().fold(0.0, |max: f64, value| max.max(value.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let rows: Vec<Vec<f64>> =
        values.rows().into_iter().map(|row| row.iter().map(|value| value / unit).collect()).collect();
    let mut distances = vec![0.0; n * n];
    for a in 0..n {
        for b in 0..a {
            let distance = rows[a].iter().zip(&rows[b]).map(|(x, y)| (x - y) * (x - y)).sum();
            distances[a * n + b] = distance;
            distances[b * n + a] = distance;
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tabular::testing::noise;
    use ndarray::Array2;

    #[test]
    fn groups_stand_together_in_the_order_of_their_heights() {
        let group = |row: usize| row * 7 % 3;
        let values = Array2::from_shape_fn((60, 4), |(row, column)| {
            10.0 * (group(row) * (column + 1)) as f64 + noise(row, column)
        });
        let heights: Vec<f64> = (0..60).map(|row| -(group(row) as f64)).collect();
        let order = cluster_order(values.view(), &heights);
        let groups: Vec<usize> = order.iter().map(|&row| group(row)).collect();
        let mut expected = [[2; 20], [1; 20], [0; 20]].concat();
        assert_eq!(groups, expected);
        let mut rows = order;
        rows.sort_unstable();
        expected = (0..60).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn equal_rows_and_single_ones_end_too() {
        for n in [0, 1, 2, 50] {
            let order = cluster_order(Array2::zeros((n, 3)).view(), &vec![0.0; n]);
            assert_eq!(order.len(), n);
        }
    }
}
