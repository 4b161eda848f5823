//! A column of numbers in bins: where they lie, and how the training rows lie in each.

use ndarray::ArrayView1;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::quantile::quantile;

/// Draws beyond which a bin's mean stands in for a number within it; no bin comes near.
const MAX_REJECTIONS: usize = 10_000;
/// As lime's tree: at most 8 bins.
const MAX_DEPTH: usize = 3;

/// The bins of one column; a number is in bin i if `edges[i−1] < x ≤ edges[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    /// The inner edges, rising.
    edges: Vec<f64>,
    /// One more than edges.
    bins: Vec<Bin>,
}

/// What the training rows say of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    count: usize,
    low: f64,
    high: f64,
    mean: f64,
    deviation: f64,
}

impl Bins {
    /// Of a column that has at least one number, with these inner edges.
    pub(super) fn new(column: ArrayView1<'_, f64>, mut edges: Vec<f64>) -> Self {
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let low = column.iter().copied().fold(f64::INFINITY, f64::min);
        let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lows = std::iter::once(low).chain(edges.iter().copied());
        let highs = edges.iter().copied().chain([high]);
        let bins = lows.zip(highs).enumerate().map(|(index, (low, high))| {
            let inside: Vec<f64> = column.iter().copied().filter(|&x| bin_of(&edges, x) == index).collect();
            let n = inside.len().max(1) as f64;
            let mean = inside.iter().sum::<f64>() / n;
            let deviation = (inside.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
            Bin { count: inside.len(), low, high, mean, deviation }
        });
        Self { bins: bins.collect(), edges }
    }

    /// The bin of a number, from 0.
    pub fn bin(&self, x: f64) -> usize {
        bin_of(&self.edges, x)
    }

    /// The edges that a number lies between: above the first, at most the second; `None` where there is no edge.
    pub fn interval(&self, x: f64) -> (Option<f64>, Option<f64>) {
        let bin = self.bin(x);
        (bin.checked_sub(1).and_then(|below| self.edges.get(below)).copied(), self.edges.get(bin).copied())
    }

    /// The training rows in each bin.
    pub(super) fn counts(&self) -> Vec<usize> {
        self.bins.iter().map(|bin| bin.count).collect()
    }

    /// A number within a bin: normal with the mean and deviation of the training rows in it, cut off at its edges.
    ///
    /// Drawn again until it lies within. Mean and deviation are those of numbers in the bin, so that `σ² ≤ (high − μ)(μ − low)`
    /// (Bhatia & Davis 2000), and about every second draw does at the least.
    pub(super) fn draw_within(&self, bin: usize, generator: &mut ChaCha8Rng) -> f64 {
        let bin = self.bins[bin];
        if bin.deviation > 0.0 {
            for _ in 0..MAX_REJECTIONS {
                let z: f64 = StandardNormal.sample(generator);
                let x = bin.mean + bin.deviation * z;
                if (bin.low..=bin.high).contains(&x) {
                    return x;
                }
            }
        }
        bin.mean
    }
}

fn bin_of(edges: &[f64], x: f64) -> usize {
    edges.partition_point(|&edge| edge < x)
}

/// The percentiles of a column, interpolated linearly between its numbers in order.
pub(super) fn percentiles(column: ArrayView1<'_, f64>, percents: &[f64]) -> Vec<f64> {
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    percents.iter().map(|percent| quantile(&sorted, percent / 100.0)).collect()
}

/// The thresholds of a decision tree of depth 3 that tells the labels from this column alone by the least entropy; the median where
/// nothing can be split.
pub(super) fn entropy_edges(column: ArrayView1<'_, f64>, labels: &[usize]) -> Vec<f64> {
    let mut sorted: Vec<(f64, usize)> = column.iter().copied().zip(labels.iter().copied()).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n_labels = labels.iter().max().map_or(0, |&last| last + 1);
    let mut edges = Vec::new();
    split(&sorted, n_labels, MAX_DEPTH, &mut edges);
    if edges.is_empty() { percentiles(column, &[50.0]) } else { edges }
}

fn split(sorted: &[(f64, usize)], n_labels: usize, depth: usize, edges: &mut Vec<f64>) {
    let mut right = vec![0; n_labels];
    sorted.iter().for_each(|&(_, label)| right[label] += 1);
    if depth == 0 || right.iter().filter(|&&count| count > 0).count() < 2 {
        return;
    }
    let mut left = vec![0; n_labels];
    let mut best: Option<(f64, usize)> = None;
    for place in 1..sorted.len() {
        let label = sorted[place - 1].1;
        left[label] += 1;
        right[label] -= 1;
        let disorder = counted_entropy(&left) + counted_entropy(&right);
        if sorted[place].0 > sorted[place - 1].0 && best.is_none_or(|(least, _)| disorder < least) {
            best = Some((disorder, place));
        }
    }
    if let Some((_, place)) = best {
        edges.push(sorted[place - 1].0 / 2.0 + sorted[place].0 / 2.0);
        split(&sorted[..place], n_labels, depth - 1, edges);
        split(&sorted[place..], n_labels, depth - 1, edges);
    }
}

/// `n · H` of n labels, in bits.
fn counted_entropy(counts: &[usize]) -> f64 {
    let n = counts.iter().sum::<usize>() as f64;
    let bits = |&count: &usize| if count == 0 { 0.0 } else { -(count as f64) * (count as f64 / n).log2() };
    counts.iter().map(bits).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};
    use pellucid_core::Draws;

    /// NumPy's percentiles of 1 … 6 by hand, and lime's bins: closed above.
    #[test]
    fn quartiles_are_numpys_and_closed_above() {
        let column = array![6.0, 1.0, 5.0, 2.0, 4.0, 3.0];
        assert_eq!(percentiles(column.view(), &[25.0, 50.0, 75.0]), [2.25, 3.5, 4.75]);
        let bins = Bins::new(column.view(), vec![2.0, 4.0]);
        assert_eq!([1.0, 2.0, 2.1, 4.0, 4.1, 99.0].map(|x| bins.bin(x)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(bins.counts(), [2, 2, 2]);
        assert_eq!(bins.interval(2.0), (None, Some(2.0)));
        assert_eq!(bins.interval(3.0), (Some(2.0), Some(4.0)));
        assert_eq!(bins.interval(7.0), (Some(4.0), None));
        let middle = bins.bins[1];
        assert_eq!((middle.low, middle.high, middle.mean, middle.deviation), (2.0, 4.0, 3.5, 0.5));
    }

    /// Mean and deviation of a truncated normal by its formula: `μ + σ (φ(a) − φ(b)) / Z`, with Φ by numeric integration.
    #[test]
    fn numbers_within_a_bin_are_truncated_normal() {
        let column = array![0.0, 0.2, 0.3, 0.4, 1.0];
        let bins = Bins::new(column.view(), vec![5.0]);
        let bin = bins.bins[0];
        let (high, density) = (5.0, |x: f64| (-0.5 * ((x - bin.mean) / bin.deviation).powi(2)).exp());
        let points: Vec<f64> = (0..100_000).map(|i| (f64::from(i) + 0.5) * high / 100_000.0).collect();
        let mass: f64 = points.iter().map(|&x| density(x)).sum();
        let mean = points.iter().map(|&x| x * density(x)).sum::<f64>() / mass;
        let variance = points.iter().map(|&x| (x - mean).powi(2) * density(x)).sum::<f64>() / mass;
        let draws = Draws::new(0, &[0; 32], "bins");
        let drawn: Array1<f64> = (0..20_000).map(|draw| bins.draw_within(0, &mut draws.draw(draw))).collect();
        assert!(drawn.iter().all(|&x| (0.0..=5.0).contains(&x)));
        assert!((drawn.mean().expect("a mean") - mean).abs() < 4.0 * (variance / 20_000.0).sqrt());
        assert!((drawn.std(0.0) / variance.sqrt() - 1.0).abs() < 0.03);
    }

    /// lime hands the model `(low − mean) / deviation` = 0 for a bin of one number, whatever that number is.
    #[test]
    fn a_bin_of_one_number_gives_that_number() {
        let bins = Bins::new(array![7.0, 7.0, 7.0].view(), vec![7.0, 7.0, 7.0]);
        assert_eq!(bins.counts(), [3, 0]);
        assert_eq!(bins.draw_within(0, &mut Draws::new(0, &[0; 32], "bins").draw(0)), 7.0);
    }

    /// scikit-learn's `DecisionTreeClassifier(criterion="entropy", max_depth=3)` on the same column.
    #[test]
    fn entropy_edges_are_those_of_a_tree() {
        let column: Array1<f64> = (0..16).map(f64::from).collect();
        let labels = [0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 2, 2, 2, 1, 2, 2];
        let mut edges = entropy_edges(column.view(), &labels);
        edges.sort_by(f64::total_cmp);
        assert_eq!(edges, [2.5, 3.5, 5.5, 9.5, 12.5]);
        assert_eq!(entropy_edges(column.view(), &[1; 16]), [7.5], "one label has the median");
        assert_eq!(entropy_edges(Array1::from_elem(4, 2.0).view(), &[0, 1, 0, 1]), [2.0]);
    }
}
