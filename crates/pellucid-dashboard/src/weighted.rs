//! Means and shares of records that were chosen with unequal probability, summed in one pass, with 95% intervals.
//!
//! A record that was chosen with probability π stands for `w = 1/π` predictions. The mean is `Σ w x / Σ w` (Hájek), its
//! variance the linearized one, `Σ w² (x − mean)² / (Σ w)² · n / (n − 1)`; with equal weights that is `s² / n`.

use pellucid_drift::{Interval, student_interval, wilson};
use serde::Serialize;

use crate::index::Row;

/// Groups of fewer records say nothing.
pub(crate) const ENOUGH: u64 = 30;
/// How sure all intervals are.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// The predictions that records stand for. An empty sum of floating-point numbers is −0, which nobody wants to read.
pub(crate) fn represented<'a>(rows: impl Iterator<Item = &'a Row>) -> f64 {
    rows.map(Row::weight).fold(0.0, |sum, weight| sum + weight)
}

/// A number with its 95% interval, or none where there is not enough to tell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) n: u64,
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether fewer than [`ENOUGH`] records, or records that tell as little, stand behind it.
    pub(crate) insufficient: bool,
}

/// Sums of weighted numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    n: u64,
    w: f64,
    wx: f64,
    w2: f64,
    w2x: f64,
    w2xx: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, x: f64, w: f64) {
        self.n += 1;
        self.w += w;
        self.wx += w * x;
        self.w2 += w * w;
        self.w2x += w * w * x;
        self.w2xx += w * w * x * x;
    }

    pub(crate) fn n(&self) -> u64 {
        self.n
    }

    /// NaN where there is nothing.
    pub(crate) fn mean(&self) -> f64 {
        self.wx / self.w
    }

    /// So many records of equal weight would say as much (Kish).
    fn n_effective(&self) -> f64 {
        self.w * self.w / self.w2
    }

    fn variance_of_mean(&self) -> f64 {
        let mean = self.mean();
        let around = (self.w2xx - 2.0 * mean * self.w2x + mean * mean * self.w2).max(0.0);
        let n = self.n as f64;
        around / (self.w * self.w) * n / (n - 1.0)
    }

    /// The mean with Student's interval, at the effective number of records.
    pub(crate) fn mean_estimate(&self) -> Estimate {
        let value = self.mean();
        let known = student_interval(value, self.variance_of_mean(), self.n_effective(), CONFIDENCE);
        self.estimate(known.unwrap_or(Interval { value, low: f64::NAN, high: f64::NAN }))
    }

    /// A share with its Wilson interval, at the effective number of records.
    pub(crate) fn share_estimate(&self) -> Estimate {
        match self.n {
            0 => self.estimate(Interval { value: f64::NAN, low: f64::NAN, high: f64::NAN }),
            _ => self.estimate(wilson(self.mean(), self.n_effective(), CONFIDENCE)),
        }
    }

    fn estimate(&self, Interval { value, low, high }: Interval) -> Estimate {
        // Few records of large weight are as little evidence as few records.
        let insufficient = self.n < ENOUGH || self.n_effective() < ENOUGH as f64 - 1e-6;
        Estimate { n: self.n, value, low, high, insufficient }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(numbers: &[(f64, f64)]) -> Sums {
        let mut sums = Sums::default();
        numbers.iter().for_each(|&(x, w)| sums.add(x, w));
        sums
    }

    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-9, "{actual}, not {expected}");
    }

    #[test]
    fn equal_weights_give_the_textbook_interval() {
        // Mean 2.5, s² = 5/3, s²/n = 5/12.
        let sums = sums(&[(1.0, 7.0), (2.0, 7.0), (3.0, 7.0), (4.0, 7.0)]);
        close(sums.mean(), 2.5);
        close(sums.variance_of_mean(), 5.0 / 12.0);
        close(sums.n_effective(), 4.0);
        let estimate = sums.mean_estimate();
        // Student's t of 3 degrees of freedom.
        close(estimate.high - estimate.value, 3.182_446_305_284_263 * (5.0_f64 / 12.0).sqrt());
        assert!(estimate.insufficient);
    }

    /// The mean of a report of cohorts and that of a list of features are one number with one interval.
    #[test]
    fn means_have_one_interval_wherever_they_are_shown() {
        let numbers = [(1.0, 1.0), (-2.0, 4.0), (0.5, 10.0), (3.0, 1.0)];
        let (values, weights): (Vec<f64>, Vec<f64>) = numbers.into_iter().unzip();
        let weighted = pellucid_drift::Weighted::new(&values, &weights).expect("finite");
        let expected = pellucid_drift::mean_interval(&weighted, CONFIDENCE).expect("four rows");
        let estimate = sums(&numbers).mean_estimate();
        close(estimate.value, expected.value);
        close(estimate.low, expected.low);
        close(estimate.high, expected.high);
    }

    /// One record in ten was kept of the zeros, all of the ones: four records stand for 22 predictions.
    #[test]
    fn rare_records_count_for_those_that_were_left_out() {
        let sums = sums(&[(1.0, 1.0), (1.0, 1.0), (0.0, 10.0), (0.0, 10.0)]);
        close(sums.mean(), 2.0 / 22.0);
        close(sums.n_effective(), 22.0 * 22.0 / 202.0);
        // Σ w² (x − m)² = 2 (20/22)² + 200 (2/22)²
        let around = 2.0 * (20.0_f64 / 22.0).powi(2) + 200.0 * (2.0_f64 / 22.0).powi(2);
        close(sums.variance_of_mean(), around / (22.0 * 22.0) * 4.0 / 3.0);
        assert!(Sums::default().share_estimate().insufficient);
    }

    /// A thousand numbers around a large mean: what cancels must not look like spread.
    #[test]
    fn sums_in_one_pass_keep_their_digits() {
        let sums = sums(&(0..1_000).map(|i| (1e6 + f64::from(i % 2), 1.0)).collect::<Vec<_>>());
        assert!((sums.variance_of_mean() - 0.25 / 999.0).abs() < 1e-6, "{}", sums.variance_of_mean());
    }
}
