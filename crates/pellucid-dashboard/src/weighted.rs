//! Means and shares of records that were chosen with unequal probability, with 95% intervals.
//!
//! A record that was chosen with probability π stands for `w = 1/π` predictions. The mean is `Σ w x / Σ w` (Hájek), its
//! variance the linearized one, `Σ w² (x − mean)² / (Σ w)² · n / (n − 1)`; with equal weights that is `s² / n`.

use serde::Serialize;

/// Groups of fewer records say nothing.
pub(crate) const ENOUGH: u64 = 30;
/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A number with its 95% interval, or none where there is not enough to tell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) n: u64,
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether fewer than [`ENOUGH`] records stand behind it.
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

    /// `Σ w`: the predictions that the records stand for.
    pub(crate) fn weight(&self) -> f64 {
        self.w
    }

    /// NaN where there is nothing.
    pub(crate) fn mean(&self) -> f64 {
        self.wx / self.w
    }

    /// So many records of equal weight would say as much (Kish).
    pub(crate) fn n_effective(&self) -> f64 {
        self.w * self.w / self.w2
    }

    pub(crate) fn variance_of_mean(&self) -> f64 {
        let mean = self.mean();
        let around = (self.w2xx - 2.0 * mean * self.w2x + mean * mean * self.w2).max(0.0);
        let n = self.n as f64;
        around / (self.w * self.w) * n / (n - 1.0)
    }

    /// The mean with its normal interval, `z` standard errors to each side.
    fn mean_within(&self, z: f64) -> Estimate {
        let (value, half) = (self.mean(), z * self.variance_of_mean().sqrt());
        self.estimate(value, value - half, value + half)
    }

    pub(crate) fn mean_estimate(&self) -> Estimate {
        self.mean_within(Z)
    }

    /// A share with its Wilson interval, at the effective number of records.
    pub(crate) fn share_estimate(&self) -> Estimate {
        let (p, n) = (self.mean(), self.n_effective());
        let center = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        self.estimate(p, center - half, center + half)
    }

    fn estimate(&self, value: f64, low: f64, high: f64) -> Estimate {
        // Few records of large weight are as little evidence as few records.
        let insufficient = self.n < ENOUGH || self.n_effective() < ENOUGH as f64 - 1e-6;
        Estimate { n: self.n, value, low, high, insufficient }
    }
}

/// `a − b`; a difference is seen where its interval lies on one side of 0 and both have enough records.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) insufficient: bool,
    pub(crate) seen: bool,
}

impl Difference {
    fn new(value: f64, low: f64, high: f64, a: &Estimate, b: &Estimate) -> Self {
        let insufficient = a.insufficient || b.insufficient;
        Self { value, low, high, insufficient, seen: !insufficient && (low > 0.0 || high < 0.0) }
    }
}

/// Of two means, as Welch has it. `n_comparisons` of such differences are shown side by side: the interval is as much wider
/// that all of them hold together with 95% (Bonferroni).
pub(crate) fn difference_of_means(a: &Sums, b: &Sums, n_comparisons: usize) -> Difference {
    let value = a.mean() - b.mean();
    let z = normal_quantile(1.0 - 0.025 / n_comparisons.max(1) as f64);
    let half = z * (a.variance_of_mean() + b.variance_of_mean()).sqrt();
    Difference::new(value, value - half, value + half, &a.mean_estimate(), &b.mean_estimate())
}

/// Of two shares: Newcombe's interval (1998, method 10).
pub(crate) fn difference_of_shares(a: &Sums, b: &Sums) -> Difference {
    let (a, b) = (a.share_estimate(), b.share_estimate());
    let value = a.value - b.value;
    let below = ((a.value - a.low).powi(2) + (b.high - b.value).powi(2)).sqrt();
    let above = ((a.high - a.value).powi(2) + (b.value - b.low).powi(2)).sqrt();
    Difference::new(value, value - below, value + above, &a, &b)
}

/// The number below which a normal variable lies with probability `p` in `[0.5, 1)`.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        let below = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
        if below < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
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
        close(estimate.high - estimate.value, 1.959_963_984_540_054 * (5.0_f64 / 12.0).sqrt());
        assert!(estimate.insufficient);
    }

    /// One record in ten was kept of the zeros, all of the ones: four records stand for 22 predictions.
    #[test]
    fn rare_records_count_for_those_that_were_left_out() {
        let sums = sums(&[(1.0, 1.0), (1.0, 1.0), (0.0, 10.0), (0.0, 10.0)]);
        close(sums.mean(), 2.0 / 22.0);
        close(sums.weight(), 22.0);
        close(sums.n_effective(), 22.0 * 22.0 / 202.0);
        // Σ w² (x − m)² = 2 (20/22)² + 200 (2/22)²
        let around = 2.0 * (20.0_f64 / 22.0).powi(2) + 200.0 * (2.0_f64 / 22.0).powi(2);
        close(sums.variance_of_mean(), around / (22.0 * 22.0) * 4.0 / 3.0);
    }

    /// Newcombe 1998 (Statistics in Medicine 17:873), table II, cases (a) and (c): 56/70 − 48/80 and 9/10 − 3/10.
    #[test]
    fn shares_have_the_published_intervals() {
        let share = |hits: u32, n: u32| {
            let of = |index| (f64::from(u8::from(index < hits)), 1.0);
            sums(&(0..n).map(of).collect::<Vec<_>>())
        };
        let difference = difference_of_shares(&share(56, 70), &share(48, 80));
        assert!((difference.low - 0.0524).abs() < 5e-5 && (difference.high - 0.3339).abs() < 5e-5);
        assert!(difference.seen);
        let difference = difference_of_shares(&share(9, 10), &share(3, 10));
        assert!((difference.low - 0.1705).abs() < 5e-5 && (difference.high - 0.8090).abs() < 5e-5);
        assert!(difference.insufficient && !difference.seen);
        // Wilson's interval of nothing in ten.
        let none = share(0, 10).share_estimate();
        close(none.low.abs(), 0.0);
        close(none.high, Z * Z / (10.0 + Z * Z));
    }

    #[test]
    fn more_comparisons_need_more_evidence() {
        close(normal_quantile(0.975), Z);
        assert!((normal_quantile(1.0 - 0.025 / 20.0) - 3.023_341).abs() < 1e-6);
        let numbers = |around: f64| (0..40).map(|i| (around + f64::from(i % 2), 1.0)).collect::<Vec<_>>();
        let (a, b) = (sums(&numbers(0.0)), sums(&numbers(0.25)));
        assert!(difference_of_means(&a, &b, 1).seen);
        assert!(!difference_of_means(&a, &b, 20).seen);
    }
}
