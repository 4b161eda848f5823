//! Bins at the reference's quantiles, fixed before a window is seen.

use crate::Weighted;

/// Bins of a numeric column, the outer ones open: what lies beyond the reference falls into them, and no outlier of a window can move an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    /// The largest value of each bin but the last.
    edges: Vec<f64>,
}

impl Bins {
    /// `n_bins` bins of equal weight in the reference. A value that several quantiles fall on (an attribution that is often exactly 0) gets a bin of its
    /// own, so that what moves to either side of it shows.
    ///
    /// ```
    /// use pellucid_drift::{Bins, Weighted};
    ///
    /// let reference = Weighted::alike(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0])?;
    /// let bins = Bins::new(&reference, 5);
    /// // Below 0, exactly 0, up to 2, above.
    /// assert_eq!(bins.shares(&reference), [0.0, 0.6, 0.2, 0.2]);
    /// assert_eq!(bins.shares(&Weighted::alike(&[-1.0, -1e9, 1.5, 1e9])?), [0.5, 0.0, 0.25, 0.25]);
    /// # Ok::<(), pellucid_drift::Error>(())
    /// ```
    pub fn new(reference: &Weighted, n_bins: usize) -> Self {
        let quantiles: Vec<f64> =
            (1..n_bins.max(2)).map(|i| reference.quantile(i as f64 / n_bins.max(2) as f64)).collect();
        let mut edges = Vec::with_capacity(quantiles.len());
        for equal in quantiles.chunk_by(|a, b| a == b) {
            let value = equal[0];
            let below = value.next_down();
            if equal.len() > 1 && edges.last().is_none_or(|last| *last < below) {
                edges.push(below);
            }
            edges.push(value);
        }
        Self { edges }
    }

    /// How many bins there are.
    pub fn n_bins(&self) -> usize {
        self.edges.len() + 1
    }

    /// The largest value of each bin but the last, rising.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// Which bin a value falls into.
    pub fn of(&self, value: f64) -> usize {
        self.edges.partition_point(|edge| *edge < value)
    }

    /// Which share of the sample's weight lies in each bin.
    pub fn shares(&self, sample: &Weighted) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_bins()];
        for (value, weight) in sample.iter() {
            sums[self.of(value)] += weight;
        }
        sums.iter().map(|sum| sum / sample.total()).collect()
    }
}
